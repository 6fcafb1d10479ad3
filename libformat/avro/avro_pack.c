/*
 * Codecs of blocks that are written (spec/avro.md, "Writing"), each by its library:
 *
 *     null       as it is
 *     deflate    raw, by libdeflate
 *     snappy     raw, and the checksum of the data
 *     zstandard  a frame that tells its size
 *     bzip2      a whole stream
 *     xz         a whole stream, with a dictionary that is no larger than the block
 */
#include "avro/avro_pack.h"

#include <string.h>

#include <bzlib.h>
#include <libdeflate.h>
#include <lzma.h>
#include <zstd.h>

#include "base/error.h"

struct stoa_avro_pack {
    int level;
    struct libdeflate_compressor *deflate;
    ZSTD_CCtx *zstd;
};

static void close_pack(struct stoa_avro_pack *state)
{
    if (state == NULL)
        return;
    libdeflate_free_compressor(state->deflate);
    ZSTD_freeCCtx(state->zstd);
    stoa_free(state);
}

static enum stoa_status open_plain(int level, struct stoa_avro_pack **out, struct stoa_error *err)
{
    enum stoa_status st = stoa_alloc_zeroed(out, 1, sizeof(**out), err);

    if (st == STOA_OK)
        (*out)->level = level;
    return st;
}

static enum stoa_status open_deflate(int level, struct stoa_avro_pack **out, struct stoa_error *err)
{
    struct stoa_avro_pack *state;
    enum stoa_status st;

    STOA_TRY(open_plain(level, &state, err));
    state->deflate = libdeflate_alloc_compressor(level);
    if (state->deflate == NULL) {
        close_pack(state);
        return stoa_fail_nomem(err, 0);
    }
    *out = state;
out:
    return st;
}

static enum stoa_status open_zstd(int level, struct stoa_avro_pack **out, struct stoa_error *err)
{
    struct stoa_avro_pack *state;
    enum stoa_status st;

    STOA_TRY(open_plain(level, &state, err));
    state->zstd = ZSTD_createCCtx();
    if (state->zstd == NULL) {
        close_pack(state);
        return stoa_fail_nomem(err, 0);
    }
    (void)ZSTD_CCtx_setParameter(state->zstd, ZSTD_c_compressionLevel, level);
    (void)ZSTD_CCtx_setParameter(state->zstd, ZSTD_c_checksumFlag, 1);
    *out = state;
out:
    return st;
}

static enum stoa_status pack_deflate(struct stoa_avro_pack *state, const uint8_t *data,
                                     size_t nbytes, struct stoa_buffer *out, struct stoa_error *err)
{
    const size_t room = libdeflate_deflate_compress_bound(state->deflate, nbytes);
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(out, room, err));
    out->nbytes +=
        libdeflate_deflate_compress(state->deflate, data, nbytes, out->data + out->nbytes, room);
out:
    return st;
}

static enum stoa_status pack_snappy(struct stoa_avro_pack *state, const uint8_t *data,
                                    size_t nbytes, struct stoa_buffer *out, struct stoa_error *err)
{
    (void)state;
    return stoa_avro_pack_snappy(data, nbytes, out, err);
}

static enum stoa_status pack_zstd(struct stoa_avro_pack *state, const uint8_t *data, size_t nbytes,
                                  struct stoa_buffer *out, struct stoa_error *err)
{
    const size_t room = ZSTD_compressBound(nbytes);
    size_t n;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(out, room, err));
    n = ZSTD_compress2(state->zstd, out->data + out->nbytes, room, data, nbytes);
    if (ZSTD_isError(n)) /* with room for the worst nothing else can happen */
        return stoa_fail_nomem(err, room);
    out->nbytes += n;
out:
    return st;
}

static enum stoa_status pack_bzip2(struct stoa_avro_pack *state, const uint8_t *data, size_t nbytes,
                                   struct stoa_buffer *out, struct stoa_error *err)
{
    const size_t room = nbytes + nbytes / 100 + 600; /* as its manual has it */
    char none[1] = {0}; /* it takes no NULL, which rows without bytes are */
    unsigned n = (unsigned)room;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(out, room, err));
    if (BZ2_bzBuffToBuffCompress((char *)out->data + out->nbytes, &n,
                                 nbytes > 0 ? (char *)data : none, (unsigned)nbytes, state->level,
                                 0, 0) != BZ_OK) /* nothing else is left to go wrong */
        return stoa_fail_nomem(err, room);
    out->nbytes += n;
out:
    return st;
}

static enum stoa_status pack_xz(struct stoa_avro_pack *state, const uint8_t *data, size_t nbytes,
                                struct stoa_buffer *out, struct stoa_error *err)
{
    const size_t room = lzma_stream_buffer_bound(nbytes);
    lzma_options_lzma options;
    lzma_filter filters[2] = {{.id = LZMA_FILTER_LZMA2, .options = &options},
                              {.id = LZMA_VLI_UNKNOWN}};
    size_t n = 0;
    enum stoa_status st;

    (void)lzma_lzma_preset(&options, (uint32_t)state->level);
    while (options.dict_size / 2 >= nbytes && options.dict_size / 2 >= LZMA_DICT_SIZE_MIN)
        options.dict_size /= 2; /* memory goes with it */
    STOA_TRY(stoa_buffer_reserve(out, room, err));
    if (lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC64, NULL, data, nbytes,
                                  out->data + out->nbytes, &n, room) != LZMA_OK)
        return stoa_fail_nomem(err, room);
    out->nbytes += n;
out:
    return st;
}

const char stoa_avro_packer_names[] = "null, deflate, snappy, zstandard, bzip2 or xz";

static const struct stoa_avro_packer packers[] = {
    {.name = "null"},
    {.name = "deflate",
     .min_level = 1,
     .max_level = 12,
     .default_level = 1,
     .open = open_deflate,
     .pack = pack_deflate,
     .close = close_pack},
    {.name = "snappy", .open = open_plain, .pack = pack_snappy, .close = close_pack},
    {.name = "zstandard",
     .min_level = 1,
     .max_level = 19,
     .default_level = 3,
     .open = open_zstd,
     .pack = pack_zstd,
     .close = close_pack},
    {.name = "bzip2",
     .min_level = 1,
     .max_level = 9,
     .default_level = 9,
     .open = open_plain,
     .pack = pack_bzip2,
     .close = close_pack},
    {.name = "xz",
     .min_level = 0,
     .max_level = 9,
     .default_level = 6,
     .open = open_plain,
     .pack = pack_xz,
     .close = close_pack},
};

const struct stoa_avro_packer *stoa_avro_packer_find(const char *name, size_t nbytes)
{
    for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++)
        if (strlen(packers[i].name) == nbytes && memcmp(packers[i].name, name, nbytes) == 0)
            return &packers[i];
    return NULL;
}
