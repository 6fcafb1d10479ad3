/*
 * Container files (spec/avro.md, "Container files").
 *
 * Metadata is a map of bytes, in one or several blocks of entries; "avro.schema" must be there,
 * "avro.codec" is null where it is not. A file ends behind the marker of a block, and nowhere else:
 * a block without rows is no end.
 */
#include "avro/avro_container.h"

#include <inttypes.h>
#include <string.h>

#include "avro/avro_read.h"
#include "base/error.h"

enum { READ_NBYTES = 256 << 10, HEAD_NBYTES = 20, SKIP_NBYTES = 64 << 10, MAX_NPAIRS = 65536 };

static size_t available(const struct stoa_avro_container *file)
{
    return file->buffer.nbytes - file->begin;
}

/* Makes `want` bytes stand in the buffer, unless the end comes first, and zeros behind them. */
static enum stoa_status fill(struct stoa_avro_container *file, size_t want, struct stoa_error *err)
{
    struct stoa_buffer *buffer = &file->buffer;
    enum stoa_status st = STOA_OK;

    if (available(file) >= want)
        return STOA_OK;
    if (file->begin > 0)
        memmove(buffer->data, buffer->data + file->begin, available(file));
    buffer->nbytes -= file->begin;
    file->begin = 0;
    while (!file->at_end && buffer->nbytes < want) {
        const size_t room =
            want - buffer->nbytes > READ_NBYTES ? want - buffer->nbytes : READ_NBYTES;
        size_t got = 0;

        STOA_TRY(stoa_buffer_reserve(buffer, room + STOA_AVRO_PADDING, err));
        st = file->stream->read(file->stream, buffer->data + buffer->nbytes, room, &got, err);
        file->stream_failed = st != STOA_OK;
        STOA_TRY(st);
        buffer->nbytes += got;
        file->at_end = got == 0;
    }
    STOA_TRY(stoa_buffer_reserve(buffer, STOA_AVRO_PADDING, err));
    memset(buffer->data + buffer->nbytes, 0, STOA_AVRO_PADDING);
out:
    return st;
}

static void use(struct stoa_avro_container *file, size_t nbytes)
{
    file->begin += nbytes;
    file->offset += nbytes;
}

static enum stoa_status fail_cut(const struct stoa_avro_container *file, const char *where,
                                 struct stoa_error *err)
{
    return stoa_fail_at(err, STOA_ERR_DATA, file->offset + available(file),
                        "the file ends at byte %" PRIu64 ", within %s",
                        file->offset + available(file), where);
}

/* A number of the header or of the head of a block. */
static enum stoa_status read_number(struct stoa_avro_container *file, const char *where,
                                    int64_t *out, struct stoa_error *err)
{
    struct stoa_avro_cursor cursor = {0};
    enum stoa_status st;

    STOA_TRY(fill(file, HEAD_NBYTES, err));
    cursor.at = file->buffer.data + file->begin;
    cursor.end = cursor.at + available(file);
    if (!stoa_avro_read_long(&cursor, out) || !stoa_avro_has(&cursor, 0))
        return cursor.fault == STOA_AVRO_CUT
                   ? fail_cut(file, where, err)
                   : stoa_fail_at(err, STOA_ERR_DATA, file->offset,
                                  "at byte %" PRIu64 ": a number has more than 64 bits",
                                  file->offset);
    use(file, (size_t)(cursor.at - (file->buffer.data + file->begin)));
out:
    return st;
}

/* ---- The header ---- */

/* A key or value, copied to the end of the header. */
static enum stoa_status read_bytes(struct stoa_avro_container *file, size_t *nbytes,
                                   struct stoa_error *err)
{
    int64_t length;
    enum stoa_status st;

    STOA_TRY(read_number(file, "the header", &length, err));
    if (length < 0)
        return stoa_fail_at(err, STOA_ERR_DATA, file->offset,
                            "the header is damaged: %" PRId64 " is no length", length);
    if ((uint64_t)length > STOA_AVRO_MAX_HEADER_NBYTES - file->header.nbytes)
        return stoa_fail_at(err, STOA_ERR_LIMIT, file->offset, "a header of more than %u bytes",
                            STOA_AVRO_MAX_HEADER_NBYTES);
    for (size_t left = (size_t)length; left > 0;) { /* memory for what is there only */
        const size_t part = left < READ_NBYTES ? left : READ_NBYTES;

        STOA_TRY(fill(file, part, err));
        if (available(file) < part)
            return fail_cut(file, "the header", err);
        STOA_TRY(stoa_buffer_append(&file->header, file->buffer.data + file->begin, part, err));
        use(file, part);
        left -= part;
    }
    *nbytes = (size_t)length;
out:
    return st;
}

/* The lengths of a pair; it gets its place when the header does not grow any more. */
static enum stoa_status read_pair(struct stoa_avro_container *file, struct stoa_error *err)
{
    struct stoa_avro_pair pair = {0};
    enum stoa_status st;

    STOA_TRY(read_bytes(file, &pair.key_nbytes, err));
    STOA_TRY(read_bytes(file, &pair.value_nbytes, err));
    if (file->npairs == MAX_NPAIRS)
        return stoa_fail(err, STOA_ERR_LIMIT, "a header of more than %d pairs", MAX_NPAIRS);
    STOA_TRY(stoa_reserve(&file->pairs, &file->pairs_capacity, file->npairs + 1,
                          sizeof(*file->pairs), err));
    file->pairs[file->npairs++] = pair;
out:
    return st;
}

static enum stoa_status read_metadata(struct stoa_avro_container *file, struct stoa_error *err)
{
    int64_t n, nbytes;
    enum stoa_status st;

    for (;;) {
        STOA_TRY(read_number(file, "the header", &n, err));
        if (n == 0)
            break;
        if (n < 0) {
            STOA_TRY(read_number(file, "the header", &nbytes, err));
            n = n == INT64_MIN ? INT64_MAX : -n;
        }
        for (int64_t i = 0; i < n; i++)
            STOA_TRY(read_pair(file, err));
    }
out:
    return st;
}

/* Keys and values stand one after the other. */
static void place_pairs(struct stoa_avro_container *file)
{
    const uint8_t *at = file->header.data;

    for (size_t i = 0; i < file->npairs; i++) {
        struct stoa_avro_pair *pair = &file->pairs[i];

        pair->key = (const char *)at;
        pair->value = at + pair->key_nbytes;
        at = pair->value + pair->value_nbytes;
    }
}

/* The value of a key, of which the last counts; NULL when it is not there. */
static const struct stoa_avro_pair *find_pair(const struct stoa_avro_container *file,
                                              const char *key)
{
    for (size_t i = file->npairs; i-- > 0;)
        if (file->pairs[i].key_nbytes == strlen(key) &&
            memcmp(file->pairs[i].key, key, file->pairs[i].key_nbytes) == 0)
            return &file->pairs[i];
    return NULL;
}

static enum stoa_status take_metadata(struct stoa_avro_container *file, struct stoa_error *err)
{
    const struct stoa_avro_pair *schema = find_pair(file, "avro.schema");
    const struct stoa_avro_pair *codec = find_pair(file, "avro.codec");
    char shown[64];

    if (schema == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the header has no schema (avro.schema)");
    file->schema = (const char *)schema->value;
    file->schema_nbytes = schema->value_nbytes;
    file->codec = codec == NULL || codec->value_nbytes == 0
                      ? stoa_avro_codec_find("null", 4)
                      : stoa_avro_codec_find((const char *)codec->value, codec->value_nbytes);
    if (file->codec == NULL)
        return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                         "codec \"%s\": null, deflate, snappy, zstandard, bzip2 and xz are read",
                         stoa_quote(shown, sizeof(shown), codec->value, codec->value_nbytes));
    return STOA_OK;
}

/* Reads from the block that was begun, for whoever decompresses it as it comes. */
static enum stoa_status read_payload(struct stoa_stream *stream, void *out, size_t nbytes,
                                     size_t *got, struct stoa_error *err)
{
    struct stoa_avro_container *file = (struct stoa_avro_container *)stream;
    const size_t want = nbytes < file->left ? nbytes : (size_t)file->left;
    enum stoa_status st;

    STOA_TRY(fill(file, want < READ_NBYTES ? want : READ_NBYTES, err));
    *got = available(file) < want ? available(file) : want;
    if (*got > 0)
        memcpy(out, file->buffer.data + file->begin, *got);
    use(file, *got);
    file->left -= *got;
out:
    return st;
}

enum stoa_status stoa_avro_container_open(struct stoa_avro_container *file,
                                          struct stoa_stream *stream, struct stoa_error *err)
{
    enum stoa_status st;

    *file = (struct stoa_avro_container){.payload = {.read = read_payload}, .stream = stream};
    STOA_TRY(fill(file, 4, err));
    if (available(file) < 4 || memcmp(file->buffer.data, STOA_AVRO_MAGIC, 4) != 0)
        return stoa_fail(err, STOA_ERR_DATA, "no Avro file: it does not begin with \"Obj\" 1");
    use(file, 4);
    STOA_TRY(stoa_buffer_reserve(&file->header, 1, err)); /* so that it has a place */
    STOA_TRY(read_metadata(file, err));
    place_pairs(file);
    STOA_TRY(fill(file, STOA_AVRO_SYNC_NBYTES, err));
    if (available(file) < STOA_AVRO_SYNC_NBYTES)
        return fail_cut(file, "the header", err);
    memcpy(file->sync, file->buffer.data + file->begin, STOA_AVRO_SYNC_NBYTES);
    use(file, STOA_AVRO_SYNC_NBYTES);
    STOA_TRY(take_metadata(file, err));
out:
    return st;
}

void stoa_avro_container_reset(struct stoa_avro_container *file)
{
    stoa_buffer_free(&file->buffer);
    stoa_buffer_free(&file->header);
    stoa_free(file->pairs);
    *file = (struct stoa_avro_container){0};
}

/* ---- Blocks ---- */

enum stoa_status stoa_avro_container_end_block(struct stoa_avro_container *file,
                                               struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(fill(file, STOA_AVRO_SYNC_NBYTES, err));
    if (available(file) < STOA_AVRO_SYNC_NBYTES)
        return fail_cut(file, "a block", err);
    if (memcmp(file->buffer.data + file->begin, file->sync, STOA_AVRO_SYNC_NBYTES) != 0)
        return stoa_fail_at(err, STOA_ERR_DATA, file->offset,
                            "block %" PRIu64
                            " does not end with the file's marker, at byte %" PRIu64,
                            file->nblocks - 1, file->offset);
    use(file, STOA_AVRO_SYNC_NBYTES);
out:
    return st;
}

/* Passes over the data of a block without rows. */
static enum stoa_status skip_block(struct stoa_avro_container *file, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    file->empty_nbytes += file->left;
    while (file->left > 0) {
        const size_t part = file->left < SKIP_NBYTES ? (size_t)file->left : SKIP_NBYTES;

        STOA_TRY(fill(file, part, err));
        if (available(file) < part)
            return fail_cut(file, "a block", err);
        use(file, part);
        file->left -= part;
    }
    file->nempty++;
    STOA_TRY(stoa_avro_container_end_block(file, err));
out:
    return st;
}

enum stoa_status stoa_avro_container_next(struct stoa_avro_container *file,
                                          struct stoa_avro_block *block, bool *more,
                                          struct stoa_error *err)
{
    int64_t nrows = 0, nbytes = 0;
    enum stoa_status st;

    do {
        const uint64_t offset = file->offset;

        STOA_TRY(fill(file, HEAD_NBYTES, err));
        *more = available(file) > 0;
        if (!*more)
            return STOA_OK;
        STOA_TRY(read_number(file, "a block", &nrows, err));
        STOA_TRY(read_number(file, "a block", &nbytes, err));
        if (nrows < 0 || nbytes < 0)
            return stoa_fail_at(err, STOA_ERR_DATA, offset,
                                "block %" PRIu64 ", at byte %" PRIu64 ": %" PRId64
                                " rows in %" PRId64 " bytes",
                                file->nblocks, offset, nrows, nbytes);
        file->left = (uint64_t)nbytes;
        *block = (struct stoa_avro_block){.number = file->nblocks++,
                                          .offset = file->offset,
                                          .nrows = (uint64_t)nrows,
                                          .nbytes = (uint64_t)nbytes,
                                          .first_row = file->nrows};
        if (nrows == 0)
            STOA_TRY(skip_block(file, err));
    } while (nrows == 0);
    file->nrows += (uint64_t)nrows;
out:
    return st;
}

enum stoa_status stoa_avro_container_take(struct stoa_avro_container *file, struct stoa_buffer *out,
                                          struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    while (file->left > 0) {
        const size_t part = file->left < READ_NBYTES ? (size_t)file->left : READ_NBYTES;

        STOA_TRY(fill(file, part, err));
        if (available(file) < part)
            return fail_cut(file, "a block", err);
        STOA_TRY(stoa_buffer_append(out, file->buffer.data + file->begin, part, err));
        use(file, part);
        file->left -= part;
    }
    STOA_TRY(stoa_avro_container_end_block(file, err));
out:
    return st;
}
