/*
 * Blocks (spec/avro.md, "Blocks"):
 *
 *     stored bytes, in memory or in a stream -> codec -> window -> rows
 *
 * Data that is stored as it is and lies in memory is decoded where it lies. Snappy has no parts: it
 * is decompressed at once, and its CRC-32 compared. All others come in steps, so a block of any
 * size needs a window of one row.
 */
#include "avro/avro_block.h"

#include <inttypes.h>
#include <string.h>

#include <snappy-c.h>

#include "avro/avro_pack.h"
#include "avro/avro_read.h"
#include "avro/avro_snappy.h"
#include "base/bytes.h"
#include "base/error.h"

enum {
    CHUNK_NBYTES = 64 << 10,
    WINDOW_NBYTES = 256 << 10,
    ROWS_A_CALL = 4096,
    MAX_DEFLATE_TAIL = 4, /* what is left of zlib's checksum, which some writers cut off badly */
};

static const struct stoa_avro_codec codecs[] = {
    {.name = "null"},
    {.name = "deflate", .compression = &stoa_inflate_deflate},
    {.name = "snappy", .snappy = true},
    {.name = "zstandard", .compression = &stoa_inflate_zstd},
    {.name = "bzip2", .compression = &stoa_inflate_bzip2},
    {.name = "xz", .compression = &stoa_inflate_xz},
};

const struct stoa_avro_codec *stoa_avro_codec_find(const char *name, size_t nbytes)
{
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
        if (strlen(codecs[i].name) == nbytes && memcmp(codecs[i].name, name, nbytes) == 0)
            return &codecs[i];
    return NULL;
}

void stoa_avro_data_reset(struct stoa_avro_data *data)
{
    if (data->inflate != NULL)
        data->codec->compression->close(data->inflate);
    stoa_buffer_free(&data->window);
    stoa_buffer_free(&data->chunk);
    *data = (struct stoa_avro_data){0};
}

/* Puts zeros behind the window: what is read there is never used. */
static enum stoa_status pad(struct stoa_avro_data *data, struct stoa_error *err)
{
    enum stoa_status st = stoa_buffer_reserve(&data->window, STOA_AVRO_PADDING, err);

    if (st == STOA_OK)
        memset(data->window.data + data->window.nbytes, 0, STOA_AVRO_PADDING);
    return st;
}

/* Reads stored bytes behind those in data->in, of which there is the chunk's rest or nothing. */
static enum stoa_status read_more(struct stoa_avro_data *data, size_t max_nbytes,
                                  struct stoa_error *err)
{
    const size_t want = data->nbehind < max_nbytes ? (size_t)data->nbehind : max_nbytes;
    size_t got = 0;
    enum stoa_status st = STOA_OK;

    if (data->nin > 0)
        memmove(data->chunk.data, data->in, data->nin);
    data->in = data->chunk.data;
    STOA_TRY(stoa_buffer_resize(&data->chunk, data->nin + want, err));
    data->in = data->chunk.data;
    STOA_TRY(data->stream->read(data->stream, data->chunk.data + data->nin, want, &got, err));
    if (got == 0)
        return stoa_fail(err, STOA_ERR_DATA, "the file ends %" PRIu64 " bytes before the block",
                         data->nbehind);
    data->nin += got;
    data->nbehind -= got;
out:
    return st;
}

/* Makes stored bytes stand in data->in, if there are any. */
static enum stoa_status get_stored(struct stoa_avro_data *data, size_t max_nbytes,
                                   struct stoa_error *err)
{
    return data->nin > 0 || data->nbehind == 0 ? STOA_OK : read_more(data, max_nbytes, err);
}

/* Makes all of a block stand in `all`, with padding behind it, unless it is too large. */
static enum stoa_status get_all(struct stoa_avro_data *data, size_t max_nbytes,
                                struct stoa_buffer *all, struct stoa_error *err)
{
    enum stoa_status st;

    do {
        STOA_TRY(get_stored(data, CHUNK_NBYTES, err));
        STOA_TRY(stoa_buffer_append(all, data->in, data->nin, err));
        data->nin = 0;
    } while (data->nbehind > 0 && all->nbytes <= max_nbytes);
    STOA_TRY(stoa_buffer_reserve(all, STOA_AVRO_PADDING, err));
    memset(all->data + all->nbytes, 0, STOA_AVRO_PADDING);
out:
    return st;
}

/* All of a block in snappy: raw snappy, then the CRC-32 of its text, big-endian. */
static enum stoa_status unpack_snappy(struct stoa_avro_data *data, struct stoa_error *err)
{
    uint32_t crc;
    const size_t max_nbytes = snappy_max_compressed_length(STOA_AVRO_MAX_ROW_NBYTES) + sizeof(crc);
    struct stoa_buffer all = {0};
    const uint8_t *in = data->in;
    size_t nin = data->nin, nbytes = 0;
    enum stoa_status st = STOA_OK;

    if (data->nbehind > 0) { /* it comes from a stream */
        STOA_TRY(get_all(data, max_nbytes, &all, err));
        in = all.data;
        nin = all.nbytes;
    }
    data->nin = 0;
    if (nin < 5 || !stoa_avro_snappy_nbytes(in, nin - sizeof(crc), &nbytes)) {
        st = stoa_fail(err, STOA_ERR_DATA, "snappy: the data is damaged");
        goto out;
    }
    if (nin > max_nbytes || nbytes > STOA_AVRO_MAX_ROW_NBYTES) {
        st = stoa_fail(err, STOA_ERR_LIMIT, "snappy: %zu bytes of data, more than 256 MiB", nbytes);
        goto out;
    }
    /* Three bytes of snappy stand for 64 at the most. */
    if (nbytes / 64 > nin) {
        st = stoa_fail(err, STOA_ERR_DATA, "snappy: the data is damaged");
        goto out;
    }
    STOA_TRY(stoa_buffer_resize(&data->window, nbytes, err));
    STOA_TRY(pad(data, err));
    if (!stoa_avro_snappy_unpack(in, nin - sizeof(crc), data->window.data, nbytes)) {
        st = stoa_fail(err, STOA_ERR_DATA, "snappy: the data is damaged");
        goto out;
    }
    STOA_TRY(pad(data, err)); /* it was written over */
    crc = stoa_load32(in + nin - sizeof(crc));
    if (stoa_inflate_crc32(0, data->window.data, nbytes) != __builtin_bswap32(crc))
        st = stoa_fail(err, STOA_ERR_DATA, "snappy: the checksum differs");
    data->whole = true;
out:
    stoa_buffer_free(&all);
    return st;
}

enum stoa_status stoa_avro_pack_snappy(const uint8_t *data, size_t nbytes, struct stoa_buffer *out,
                                       struct stoa_error *err)
{
    const uint32_t crc = __builtin_bswap32(stoa_inflate_crc32(0, data, nbytes));
    size_t room = snappy_max_compressed_length(nbytes);
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(out, room + sizeof(crc), err));
    if (snappy_compress((const char *)data, nbytes, (char *)out->data + out->nbytes, &room) !=
        SNAPPY_OK)
        return stoa_fail_nomem(err, room);
    stoa_store32(out->data + out->nbytes + room, crc);
    out->nbytes += room + sizeof(crc);
out:
    return st;
}

/* Some more data into room behind the window. */
static enum stoa_status inflate_some(struct stoa_avro_data *data, size_t nout,
                                     struct stoa_error *err)
{
    uint8_t *out = data->window.data + data->window.nbytes;
    struct stoa_inflate_step step = {0};
    enum stoa_status st;

    STOA_TRY(get_stored(data, CHUNK_NBYTES, err));
    if (data->at_end) {
        if (data->nin + data->nbehind > MAX_DEFLATE_TAIL ||
            (data->nin > 0 && data->codec->compression != &stoa_inflate_deflate))
            return stoa_fail(err, STOA_ERR_DATA, "%s: bytes follow its end", data->codec->name);
        while (data->nbehind > 0) /* the marker is behind these */
            STOA_TRY(read_more(data, CHUNK_NBYTES, err));
        data->whole = true;
        return STOA_OK;
    }
    STOA_TRY(
        data->codec->compression->step(data->inflate, data->in, data->nin, out, nout, &step, err));
    if (step.nused == 0 && step.nput == 0 && !step.member_end) {
        if (data->nbehind == 0)
            return stoa_fail(err, STOA_ERR_DATA, "%s: the data ends early", data->codec->name);
        return read_more(data, CHUNK_NBYTES, err);
    }
    data->in += step.nused;
    data->nin -= step.nused;
    data->window.nbytes += step.nput;
    data->at_end = step.member_end;
out:
    return st == STOA_OK || data->nin == 0 ? st : stoa_wrap(err, st, "%s", data->codec->name);
}

/* Makes more data stand in the window, unless all of it does: as much again, up to one row. */
static enum stoa_status fill(struct stoa_avro_data *data, struct stoa_error *err)
{
    const size_t left = data->window.nbytes - data->begin;
    const size_t most = data->max_row_nbytes > left ? data->max_row_nbytes - left : 0;
    size_t room = left < WINDOW_NBYTES / 2 ? WINDOW_NBYTES : left;
    enum stoa_status st;

    if (room > most && left >= WINDOW_NBYTES / 2)
        room = most + 1; /* that it does not end there tells that it is too long */
    if (left > 0 && data->begin > 0)
        memmove(data->window.data, data->window.data + data->begin, left);
    data->window.nbytes = left;
    data->begin = 0;
    STOA_TRY(stoa_buffer_reserve(&data->window, room + STOA_AVRO_PADDING, err));
    while (!data->whole && data->window.nbytes < left + room) {
        const size_t nout = left + room - data->window.nbytes;

        if (data->codec->compression != NULL) {
            STOA_TRY(inflate_some(data, nout, err));
            continue;
        }
        STOA_TRY(get_stored(data, nout, err));
        STOA_TRY(stoa_buffer_append(&data->window, data->in, data->nin, err));
        data->nin = 0;
        data->whole = data->nbehind == 0;
    }
    STOA_TRY(pad(data, err));
out:
    return st;
}

/* The next bytes of data: in the window, or where they are stored. */
static const uint8_t *bytes_of(const struct stoa_avro_data *data, size_t *nbytes)
{
    if (data->window.data == NULL) {
        *nbytes = data->nin;
        return data->in;
    }
    *nbytes = data->window.nbytes - data->begin;
    return data->window.data + data->begin;
}

static void use(struct stoa_avro_data *data, size_t nbytes)
{
    data->nused += nbytes;
    if (data->window.data != NULL) {
        data->begin += nbytes;
    } else {
        data->in += nbytes;
        data->nin -= nbytes;
    }
}

/* What stands in the way of the next row, if there is one: where that is. */
static enum stoa_status blame(const struct stoa_avro_data *data, enum stoa_status st,
                              struct stoa_error *err)
{
    if (data->nrows < data->block.nrows)
        st = stoa_wrap(err, st, "row %" PRIu64 ", at byte %" PRIu64 " of the data",
                       data->block.first_row + data->nrows + 1, data->nused);
    return stoa_wrap(err, st, "block %" PRIu64 ", at byte %" PRIu64, data->block.number,
                     data->block.offset);
}

enum stoa_status stoa_avro_data_begin(struct stoa_avro_data *data,
                                      const struct stoa_avro_codec *codec,
                                      const struct stoa_avro_block *block, const uint8_t *bytes,
                                      size_t nbytes, struct stoa_stream *stream,
                                      uint64_t max_row_nbytes, struct stoa_error *err)
{
    const bool in_place = codec->compression == NULL && !codec->snappy && stream == NULL;
    enum stoa_status st = STOA_OK;

    data->codec = codec;
    data->block = *block;
    data->in = bytes;
    data->nin = nbytes;
    data->stream = stream;
    data->nbehind = stream != NULL ? block->nbytes - nbytes : 0;
    data->nrows = data->nused = data->nempty = 0;
    if (max_row_nbytes == 0)
        max_row_nbytes = STOA_AVRO_USUAL_ROW_NBYTES;
    if (max_row_nbytes > STOA_AVRO_MAX_DECODED_NBYTES)
        max_row_nbytes = STOA_AVRO_MAX_DECODED_NBYTES;
    data->max_row_nbytes = (size_t)max_row_nbytes;
    data->begin = data->window.nbytes = 0;
    data->at_end = false;
    data->whole = in_place;
    if (codec->compression != NULL && data->inflate == NULL)
        STOA_TRY(codec->compression->open(&data->inflate, err));
    else if (codec->compression != NULL)
        STOA_TRY(codec->compression->next(data->inflate, err));
    if (in_place)
        stoa_buffer_free(&data->window);
    else if (codec->snappy)
        STOA_TRY(unpack_snappy(data, err));
    else
        STOA_TRY(fill(data, err));
out:
    return st == STOA_OK ? st : blame(data, st, err);
}

/*
 * Rows of the window; *more: it has none that is whole. A row of more than a usual one's bytes
 * stands alone: *full when it was read, which must be the first, or when it would be next.
 */
static enum stoa_status read_window(struct stoa_avro_data *data,
                                    const struct stoa_avro_program *program,
                                    struct stoa_avro_columns *columns, uint64_t max_nrows,
                                    bool is_first, bool *more, bool *full, struct stoa_error *err)
{
    const uint64_t left = data->block.nrows - data->nrows;
    const uint64_t n = left < max_nrows ? left : max_nrows;
    const size_t max_nbytes = data->max_row_nbytes, usual = STOA_AVRO_USUAL_ROW_NBYTES;
    size_t nbytes, part = max_nbytes < usual ? max_nbytes : usual;
    const uint8_t *bytes = bytes_of(data, &nbytes);
    struct stoa_avro_decoded decoded;
    enum stoa_status st;

    part = nbytes < part ? nbytes : part;
    st = stoa_avro_decode(program, columns, bytes, part, data->whole && part == nbytes,
                          n < ROWS_A_CALL ? (size_t)n : ROWS_A_CALL, &decoded, err);
    if (st == STOA_OK && decoded.nrows == 0 && part < nbytes && !is_first && max_nbytes > usual) {
        *full = true;
        return STOA_OK;
    }
    if (st == STOA_OK && decoded.nrows == 0 && part < nbytes) {
        part = nbytes < max_nbytes ? nbytes : max_nbytes;
        st = stoa_avro_decode(program, columns, bytes, part, data->whole && part == nbytes, 1,
                              &decoded, err);
        *full = decoded.nrows > 0;
        if (st == STOA_OK && !*full && part < nbytes)
            st = stoa_fail(err, STOA_ERR_LIMIT,
                           "a row of more than %zu bytes (--max-record-size: 512M at the most)",
                           max_nbytes);
    }
    *more = decoded.nrows == 0;
    data->nrows += decoded.nrows;
    use(data, decoded.nused);
    data->nempty += stoa_avro_count_nothing(columns, &decoded);
    if (st == STOA_OK && data->nempty > STOA_AVRO_MAX_EMPTY)
        st = stoa_avro_fail_nothing(err);
    return st == STOA_OK ? st : blame(data, st, err);
}

enum stoa_status stoa_avro_data_read(struct stoa_avro_data *data,
                                     const struct stoa_avro_program *program,
                                     struct stoa_avro_columns *columns, uint64_t max_nrows,
                                     uint64_t max_nbytes, uint64_t *nrows, bool *done,
                                     struct stoa_error *err)
{
    const uint64_t before = data->nrows;
    enum stoa_status st = STOA_OK;
    bool more = false, full = false;
    size_t nbytes;

    *done = false;
    while (st == STOA_OK && !full && data->nrows < data->block.nrows &&
           data->nrows - before < max_nrows && stoa_avro_columns_nbytes(columns) < max_nbytes) {
        st = read_window(data, program, columns, max_nrows - (data->nrows - before),
                         data->nrows == before, &more, &full, err);
        if (st == STOA_OK && more) {
            st = fill(data, err);
            st = st == STOA_OK ? st : blame(data, st, err);
        }
    }
    *nrows = data->nrows - before;
    if (st != STOA_OK || data->nrows < data->block.nrows)
        return st;
    while (st == STOA_OK && !data->whole && (bytes_of(data, &nbytes), nbytes == 0))
        st = fill(data, err);
    if (st != STOA_OK)
        return blame(data, st, err);
    (void)bytes_of(data, &nbytes);
    if (nbytes > 0)
        return blame(data,
                     stoa_fail(err, STOA_ERR_DATA, "bytes follow the last of its %" PRIu64 " rows",
                               data->block.nrows),
                     err);
    *done = true;
    return STOA_OK;
}
