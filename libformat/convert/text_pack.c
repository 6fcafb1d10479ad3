/*
 * gzip in the blocks of BGZF (SAM specification, section 4.1), and zstd in frames of a known size.
 *
 *     gzip member: 1f 8b 08 04 | time 0 | 0 | ff | 6 | "BC" 2 | size - 1 | deflate | crc32 | length
 *                                                             ^ at 16: where the next one begins
 *
 * A BGZF block has at most 64 KiB before and after it was compressed; an empty one ends the file.
 * Pieces are cut by the text alone, so that the bytes do not depend on threads. Blocks are
 * compressed by libdeflate, which takes whole ones: at its level 4 three times as fast as zlib at
 * 6, and smaller.
 */
#include "convert/text_pack.h"

#include <string.h>

#include <libdeflate.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/error.h"

/* ---- gzip. ---- */

#define GZIP_LEVEL         4
#define BLOCK_TEXT_NBYTES  0xff00 /* what bgzip takes */
#define BLOCK_MAX_NBYTES   0x10000
#define BLOCK_HEAD_NBYTES  18
#define BLOCK_TAIL_NBYTES  8
#define STORED_HEAD_NBYTES 5

static const uint8_t gzip_end[] = {0x1f, 0x8b, 8,  4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C',
                                   2,    0,    27, 0, 3, 0, 0, 0, 0, 0,    0, 0, 0,   0};

/* What does not become smaller is stored as it is. */
static size_t store(const uint8_t *text, size_t nbytes, uint8_t *out)
{
    out[0] = 1; /* the last part, not compressed */
    stoa_store16(out + 1, (uint16_t)nbytes);
    stoa_store16(out + 3, (uint16_t)~nbytes);
    memcpy(out + STORED_HEAD_NBYTES, text, nbytes);
    return STORED_HEAD_NBYTES + nbytes;
}

/* Appends a block; there is room for it. */
static void append_block(struct libdeflate_compressor *compressor, const uint8_t *text,
                         size_t nbytes, struct stoa_buffer *out)
{
    uint8_t *block = out->data + out->nbytes, *packed = block + BLOCK_HEAD_NBYTES;
    size_t packed_nbytes =
        libdeflate_deflate_compress(compressor, text, nbytes, packed, STORED_HEAD_NBYTES + nbytes);

    if (packed_nbytes == 0) /* it would have taken more */
        packed_nbytes = store(text, nbytes, packed);
    memcpy(block, gzip_end, BLOCK_HEAD_NBYTES - 2);
    stoa_store16(block + BLOCK_HEAD_NBYTES - 2,
                 (uint16_t)(BLOCK_HEAD_NBYTES + packed_nbytes + BLOCK_TAIL_NBYTES - 1));
    stoa_store32(packed + packed_nbytes, libdeflate_crc32(0, text, nbytes));
    stoa_store32(packed + packed_nbytes + 4, (uint32_t)nbytes);
    out->nbytes += BLOCK_HEAD_NBYTES + packed_nbytes + BLOCK_TAIL_NBYTES;
}

static enum stoa_status pack_gzip(const uint8_t *text, size_t nbytes, struct stoa_buffer *out,
                                  struct stoa_error *err)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(GZIP_LEVEL);
    enum stoa_status st = STOA_OK;

    if (compressor == NULL)
        return stoa_fail_nomem(err, BLOCK_MAX_NBYTES);
    for (size_t at = 0; at < nbytes; at += BLOCK_TEXT_NBYTES) {
        STOA_TRY(stoa_buffer_reserve(out, BLOCK_MAX_NBYTES, err));
        append_block(compressor, text + at,
                     nbytes - at < BLOCK_TEXT_NBYTES ? nbytes - at : BLOCK_TEXT_NBYTES, out);
    }
out:
    libdeflate_free_compressor(compressor);
    return st;
}

/* ---- zstd. ---- */

#define ZSTD_LEVEL        3
#define FRAME_TEXT_NBYTES ((size_t)4 << 20)

static enum stoa_status append_frame(ZSTD_CCtx *context, const uint8_t *text, size_t nbytes,
                                     struct stoa_buffer *out, struct stoa_error *err)
{
    const size_t room = ZSTD_compressBound(nbytes);
    size_t n;
    enum stoa_status st = stoa_buffer_reserve(out, room, err);

    if (st != STOA_OK)
        return st;
    n = ZSTD_compress2(context, out->data + out->nbytes, room, text, nbytes);
    if (ZSTD_isError(n)) /* with room for the worst nothing else can happen */
        return stoa_fail_nomem(err, room);
    out->nbytes += n;
    return STOA_OK;
}

static enum stoa_status pack_zstd(const uint8_t *text, size_t nbytes, struct stoa_buffer *out,
                                  struct stoa_error *err)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    enum stoa_status st = STOA_OK;

    if (context == NULL)
        return stoa_fail_nomem(err, FRAME_TEXT_NBYTES);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    for (size_t at = 0; at < nbytes; at += FRAME_TEXT_NBYTES)
        STOA_TRY(append_frame(context, text + at,
                              nbytes - at < FRAME_TEXT_NBYTES ? nbytes - at : FRAME_TEXT_NBYTES,
                              out, err));
out:
    ZSTD_freeCCtx(context);
    return st;
}

/* A frame of nothing, so that a file without text is one of zstd too. */
static const uint8_t zstd_end[] = {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0,   1,
                                   0,    0,    0x99, 0xe9, 0xd8, 0x51};

const struct stoa_text_packer *stoa_text_packer_find(enum stoa_compress compress)
{
    static const struct stoa_text_packer packers[] = {
        [STOA_COMPRESS_GZIP] = {pack_gzip, gzip_end, sizeof(gzip_end), .ends_always = true},
        [STOA_COMPRESS_ZSTD] = {pack_zstd, zstd_end, sizeof(zstd_end), .ends_always = false},
    };

    return compress == STOA_COMPRESS_GZIP || compress == STOA_COMPRESS_ZSTD ? &packers[compress]
                                                                            : NULL;
}
