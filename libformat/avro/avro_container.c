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

enum {
    READ_NBYTES = 256 << 10,
    HEAD_NBYTES = 20,
    STEP_NBYTES = 64, /* a marker and a head, where blocks are */
    FAR_NBYTES = 4096,
    MAX_NPAIRS = 65536,
};

static size_t available(const struct stoa_avro_container *file)
{
    return file->buffer.nbytes - file->begin;
}

/* Up to nbytes of what follows the buffer. */
static enum stoa_status read_below(struct stoa_avro_container *file, uint8_t *out, size_t nbytes,
                                   size_t *got, struct stoa_error *err)
{
    const uint64_t next = file->offset + available(file);

    if (file->source == NULL)
        return file->stream->read(file->stream, out, nbytes, got, err);
    if (nbytes > file->source->nbytes - next)
        nbytes = (size_t)(file->source->nbytes - next);
    *got = nbytes;
    return nbytes == 0 ? STOA_OK : file->source->read_at(file->source, next, out, nbytes, err);
}

/* Makes `want` bytes stand in the buffer, unless the end comes first, and zeros behind them. */
static enum stoa_status fill(struct stoa_avro_container *file, size_t want, struct stoa_error *err)
{
    struct stoa_buffer *buffer = &file->buffer;
    enum stoa_status st = STOA_OK;

    if (available(file) >= want || file->at_end)
        return STOA_OK;
    if (file->begin > 0)
        memmove(buffer->data, buffer->data + file->begin, available(file));
    buffer->nbytes -= file->begin;
    file->begin = 0;
    while (!file->at_end && buffer->nbytes < want) {
        const size_t room =
            want - buffer->nbytes > file->ahead_nbytes ? want - buffer->nbytes : file->ahead_nbytes;
        size_t got = 0;

        STOA_TRY(stoa_buffer_reserve(buffer, room + STOA_AVRO_PADDING, err));
        st = read_below(file, buffer->data + buffer->nbytes, room, &got, err);
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

/* Goes on at a place of the file, which is a source. */
static void go_to(struct stoa_avro_container *file, uint64_t offset)
{
    if (offset >= file->offset && offset - file->offset <= available(file)) {
        use(file, (size_t)(offset - file->offset));
        return;
    }
    if (offset < file->offset && file->offset - offset <= file->begin) { /* still there */
        file->begin -= (size_t)(file->offset - offset);
        file->offset = offset;
        return;
    }
    file->begin = file->buffer.nbytes = 0;
    file->offset = offset;
    file->at_end = false;
}

static enum stoa_status fail_cut_at(const struct stoa_avro_container *file, uint64_t end,
                                    struct stoa_error *err)
{
    if (file->nblocks == 0)
        return stoa_fail_at(err, STOA_ERR_DATA, end,
                            "the file ends at byte %" PRIu64 ", within the header", end);
    return stoa_fail_at(err, STOA_ERR_DATA, end,
                        "the file ends at byte %" PRIu64 ", within block %" PRIu64
                        ", which begins at byte %" PRIu64 " with row %" PRIu64,
                        end, file->nblocks - 1, file->begun, file->begun_row + 1);
}

static enum stoa_status fail_cut(const struct stoa_avro_container *file, struct stoa_error *err)
{
    return fail_cut_at(file, file->offset + available(file), err);
}

/* A number of the header or of the head of a block. */
static enum stoa_status read_number(struct stoa_avro_container *file, int64_t *out,
                                    struct stoa_error *err)
{
    struct stoa_avro_cursor cursor = {0};
    enum stoa_status st;

    STOA_TRY(fill(file, HEAD_NBYTES, err));
    cursor.at = file->buffer.data + file->begin;
    cursor.end = cursor.at + available(file);
    if (!stoa_avro_read_long(&cursor, out) || !stoa_avro_has(&cursor, 0)) {
        if (cursor.fault == STOA_AVRO_CUT)
            return fail_cut(file, err);
        st = stoa_fail_at(err, STOA_ERR_DATA, file->offset,
                          "at byte %" PRIu64 ": a number has more than 64 bits", file->offset);
        return file->nblocks == 0 ? st : stoa_wrap(err, st, "block %" PRIu64, file->nblocks - 1);
    }
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

    STOA_TRY(read_number(file, &length, err));
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
            return fail_cut(file, err);
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
        STOA_TRY(read_number(file, &n, err));
        if (n == 0)
            break;
        if (n < 0) {
            STOA_TRY(read_number(file, &nbytes, err));
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
                                          struct stoa_stream *stream, struct stoa_source *source,
                                          struct stoa_error *err)
{
    enum stoa_status st;

    *file = (struct stoa_avro_container){
        .payload = {.read = read_payload},
        .stream = stream,
        .source = source,
        .ahead_nbytes = READ_NBYTES,
    };
    STOA_TRY(fill(file, 4, err));
    if (available(file) < 4 || memcmp(file->buffer.data, STOA_AVRO_MAGIC, 4) != 0)
        return stoa_fail(err, STOA_ERR_DATA, "no Avro file: it does not begin with \"Obj\" 1");
    use(file, 4);
    STOA_TRY(stoa_buffer_reserve(&file->header, 1, err)); /* so that it has a place */
    STOA_TRY(read_metadata(file, err));
    place_pairs(file);
    STOA_TRY(fill(file, STOA_AVRO_SYNC_NBYTES, err));
    if (available(file) < STOA_AVRO_SYNC_NBYTES)
        return fail_cut(file, err);
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

static enum stoa_status fail_marker(const struct stoa_avro_container *file, uint64_t offset,
                                    struct stoa_error *err)
{
    return stoa_fail_at(err, STOA_ERR_DATA, offset,
                        "block %" PRIu64 ", which begins at byte %" PRIu64 " with row %" PRIu64
                        ", does not end with the file's marker, at byte %" PRIu64,
                        file->nblocks - 1, file->begun, file->begun_row + 1, offset);
}

enum stoa_status stoa_avro_container_end_block(struct stoa_avro_container *file,
                                               struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(fill(file, STOA_AVRO_SYNC_NBYTES, err));
    if (available(file) < STOA_AVRO_SYNC_NBYTES)
        return fail_cut(file, err);
    if (memcmp(file->buffer.data + file->begin, file->sync, STOA_AVRO_SYNC_NBYTES) != 0)
        return fail_marker(file, file->offset, err);
    use(file, STOA_AVRO_SYNC_NBYTES);
out:
    return st;
}

/* Looks for the marker behind a block of which the head was read. */
static enum stoa_status check_frame(const struct stoa_avro_container *file,
                                    const struct stoa_avro_block *block, struct stoa_error *err)
{
    struct stoa_source *source = file->source;
    const uint64_t left = source->nbytes - block->offset;
    uint8_t found[STOA_AVRO_SYNC_NBYTES];
    enum stoa_status st;

    if (left < STOA_AVRO_SYNC_NBYTES || block->nbytes > left - STOA_AVRO_SYNC_NBYTES)
        return fail_cut_at(file, source->nbytes, err);
    STOA_TRY(source->read_at(source, block->offset + block->nbytes, found, sizeof(found), err));
    if (memcmp(found, file->sync, sizeof(found)) != 0)
        return fail_marker(file, block->offset + block->nbytes, err);
out:
    return st;
}

/* A head. */
static enum stoa_status read_head(struct stoa_avro_container *file, struct stoa_avro_block *block,
                                  struct stoa_error *err)
{
    const uint64_t begin = file->offset;
    int64_t nrows = 0, nbytes = 0;
    enum stoa_status st;

    STOA_TRY(read_number(file, &nrows, err));
    STOA_TRY(read_number(file, &nbytes, err));
    if (nrows < 0 || nbytes < 0)
        return stoa_fail_at(err, STOA_ERR_DATA, begin,
                            "block %" PRIu64 ", at byte %" PRIu64 ": row %" PRIu64 ": %" PRId64
                            " rows in %" PRId64 " bytes",
                            file->nblocks - 1, begin, file->nrows + 1, nrows, nbytes);
    *block = (struct stoa_avro_block){.number = file->nblocks - 1,
                                      .begin = begin,
                                      .offset = file->offset,
                                      .nrows = (uint64_t)nrows,
                                      .nbytes = (uint64_t)nbytes,
                                      .first_row = file->nrows};
out:
    return st;
}

enum stoa_status stoa_avro_container_next(struct stoa_avro_container *file,
                                          struct stoa_avro_block *block, bool *more,
                                          struct stoa_error *err)
{
    bool is_empty;
    enum stoa_status st;

    do {
        STOA_TRY(fill(file, HEAD_NBYTES, err));
        *more = available(file) > 0;
        if (!*more)
            return STOA_OK;
        file->begun = file->offset;
        file->begun_row = file->nrows;
        file->nblocks++;
        STOA_TRY(read_head(file, block, err));
        file->left = block->nbytes;
        if (file->checks_frames)
            STOA_TRY(check_frame(file, block, err));
        is_empty = block->nrows == 0 && block->nbytes == 0;
        if (is_empty)
            STOA_TRY(stoa_avro_container_end_block(file, err));
        file->nempty += is_empty;
    } while (is_empty);
    file->nrows = stoa_avro_add_rows(file->nrows, block->nrows);
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
            return fail_cut(file, err);
        STOA_TRY(stoa_buffer_append(out, file->buffer.data + file->begin, part, err));
        use(file, part);
        file->left -= part;
    }
    STOA_TRY(stoa_avro_container_end_block(file, err));
out:
    return st;
}

/* ---- Of a source ---- */

void stoa_avro_container_again(struct stoa_avro_container *file,
                               const struct stoa_avro_block *block)
{
    go_to(file, block->offset);
    file->left = block->nbytes;
}

enum stoa_status stoa_avro_container_step(struct stoa_avro_container *file,
                                          const struct stoa_avro_block *block,
                                          struct stoa_error *err)
{
    enum stoa_status st;

    if (block->nbytes > file->source->nbytes - block->offset)
        return fail_cut_at(file, file->source->nbytes, err);
    file->ahead_nbytes = block->nbytes < FAR_NBYTES ? READ_NBYTES : STEP_NBYTES;
    go_to(file, block->offset + block->nbytes);
    file->left = 0;
    STOA_TRY(stoa_avro_container_end_block(file, err));
    STOA_TRY(fill(file, HEAD_NBYTES, err));
out:
    file->ahead_nbytes = READ_NBYTES;
    return st;
}

void stoa_avro_container_pass(struct stoa_avro_container *file, const struct stoa_avro_block *block)
{
    go_to(file, block->offset + block->nbytes + STOA_AVRO_SYNC_NBYTES);
    file->left = 0;
}

/* The next marker from here on: its place; where there is none the end of the file. */
static enum stoa_status find_marker(struct stoa_avro_container *file, bool *found, uint64_t *out,
                                    struct stoa_error *err)
{
    enum stoa_status st;

    for (;;) { /* first in what is there: the next marker may be near, again and again */
        const uint8_t *bytes = file->buffer.data + file->begin, *at;

        at = memmem(bytes, available(file), file->sync, STOA_AVRO_SYNC_NBYTES);
        *found = at != NULL;
        *out = file->offset + (at != NULL ? (size_t)(at - bytes) : available(file));
        if (*found || file->at_end)
            return STOA_OK;
        if (available(file) >= STOA_AVRO_SYNC_NBYTES)
            use(file, available(file) - (STOA_AVRO_SYNC_NBYTES - 1));
        STOA_TRY(fill(file, READ_NBYTES, err));
    }
out:
    return st;
}

/*
 * Follows heads by their sizes from what is damaged to `end`, a marker or the end of the file, and
 * counts the blocks. *whole: the last one, which is not among them, ends at the marker.
 *
 *     begun                              end
 *     head, data, ???? | head, data, ???? | head, data | marker
 *     lost               lost               whole
 */
static enum stoa_status follow(struct stoa_avro_container *file, uint64_t end, bool is_marker,
                               struct stoa_avro_loss *loss, bool *whole, struct stoa_error *err)
{
    bool is_last;
    enum stoa_status st;

    *whole = false;
    for (go_to(file, file->begun); file->offset < end; loss->nblocks++) {
        struct stoa_avro_block block = {0};

        st = read_head(file, &block, err);
        if (st == STOA_ERR_DATA || (st == STOA_OK && block.offset > end)) {
            loss->nrows_unknown = true;
            loss->nblocks += loss->nblocks == 0;
            return STOA_OK;
        }
        STOA_TRY(st);
        *whole = is_marker && block.nbytes == end - block.offset;
        if (*whole) {
            go_to(file, block.begin);
            return STOA_OK;
        }
        is_last = block.nbytes > end - block.offset ||
                  end - block.offset - block.nbytes < STOA_AVRO_SYNC_NBYTES;
        loss->nrows_unknown = is_last && is_marker; /* a size is wrong; else the file is cut */
        if (!loss->nrows_unknown)
            loss->nrows = stoa_avro_add_rows(loss->nrows, block.nrows);
        if (is_last) {
            loss->nblocks++;
            return STOA_OK;
        }
        stoa_avro_container_pass(file, &block);
    }
    st = STOA_OK;
out:
    return st;
}

enum stoa_status stoa_avro_container_recover(struct stoa_avro_container *file,
                                             struct stoa_avro_loss *loss, struct stoa_error *err)
{
    struct stoa_avro_loss made = {.offset = file->begun};
    bool found, whole;
    uint64_t end = 0;
    enum stoa_status st;

    go_to(file, file->begun);
    STOA_TRY(find_marker(file, &found, &end, err));
    STOA_TRY(follow(file, end, found, &made, &whole, err));
    if (made.nblocks == 0) { /* a marker where a head should be */
        made.nblocks = 1;
        made.nrows_unknown = true;
    }
    if (!whole)
        go_to(file, end + (found ? STOA_AVRO_SYNC_NBYTES : 0));
    made.nbytes = file->offset - made.offset;
    file->nblocks += made.nblocks - 1; /* one was counted when it began */
    file->nrows = stoa_avro_add_rows(file->nrows, made.nrows);
    file->left = 0;
    *loss = made;
out:
    return st;
}
