/*
 * Units of lines.
 *
 *     buffer   | lines of this unit     | begun line | unread
 *              0                     behind        nbytes
 *
 * The buffer becomes the unit; what stands behind its last line opens the next one.
 */
#include "jsonl/lines.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"

#define READ_NBYTES       ((size_t)1 << 20)
#define LEAST_READ_NBYTES ((size_t)64 << 10)

void stoa_jsonl_cutter_init(struct stoa_jsonl_cutter *cutter, struct stoa_stream *stream,
                            uint32_t unit_nlines, uint64_t unit_nbytes, uint64_t max_nbytes)
{
    *cutter = (struct stoa_jsonl_cutter){
        .stream = stream,
        .unit_nlines = unit_nlines != 0 ? unit_nlines : STOA_JSONL_UNIT_NROWS,
        .unit_nbytes = unit_nbytes != 0 ? unit_nbytes : STOA_JSONL_UNIT_NBYTES,
        .max_nbytes = max_nbytes != 0 ? max_nbytes : STOA_JSONL_MAX_RECORD_NBYTES,
        .line = 1,
    };
}

void stoa_jsonl_cutter_reset(struct stoa_jsonl_cutter *cutter)
{
    stoa_buffer_free(&cutter->buffer);
}

/* For a unit that is a bit larger than the one before. */
static size_t room_of(const struct stoa_jsonl_cutter *cutter)
{
    return cutter->last_nbytes + cutter->last_nbytes / 16 + 2 * LEAST_READ_NBYTES;
}

/* What is read behind the end of a unit, which is likely as long as the one before, is moved to
   the next one: so it is little. */
static enum stoa_status read_more(struct stoa_jsonl_cutter *cutter, struct stoa_error *err)
{
    struct stoa_buffer *buffer = &cutter->buffer;
    const size_t want = buffer->capacity == 0 ? room_of(cutter) : 0;
    const size_t room =
        cutter->last_nbytes > buffer->nbytes ? cutter->last_nbytes - buffer->nbytes : 0;
    const size_t nbytes = room < LEAST_READ_NBYTES ? LEAST_READ_NBYTES
                          : room < READ_NBYTES     ? room
                                                   : READ_NBYTES;
    size_t got;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(buffer, (want > nbytes ? want : nbytes), err));
    STOA_TRY(
        cutter->stream->read(cutter->stream, buffer->data + buffer->nbytes, nbytes, &got, err));
    buffer->nbytes += got;
    cutter->ended = got == 0;
out:
    return st;
}

/* Takes bytes off the front. */
static void drop(struct stoa_jsonl_cutter *cutter, size_t nbytes)
{
    struct stoa_buffer *buffer = &cutter->buffer;

    memmove(buffer->data, buffer->data + nbytes, buffer->nbytes - nbytes);
    buffer->nbytes -= nbytes;
    cutter->offset += nbytes;
}

/* Passes over a byte order mark. */
static enum stoa_status start(struct stoa_jsonl_cutter *cutter, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    while (cutter->buffer.nbytes < 3 && !cutter->ended)
        STOA_TRY(read_more(cutter, err));
    if (cutter->buffer.nbytes >= 3 && memcmp(cutter->buffer.data, "\xef\xbb\xbf", 3) == 0)
        drop(cutter, 3);
    cutter->started = true;
out:
    return st;
}

/* The lines of the unit so far. */
struct lines {
    size_t nbytes;
    uint64_t nlines;
    size_t looked; /* bytes behind them without an LF */
};

/*
 * Whether a unit that has more than half of its text may end behind so many lines: all, a half, a
 * quarter, ... of them, so that units join to row groups of as many rows as were asked for.
 */
static bool is_part(uint32_t unit_nlines, uint64_t nlines)
{
    const uint64_t times = unit_nlines / nlines;

    return (times & (times - 1)) == 0 && unit_nlines >> __builtin_ctzll(times) == nlines;
}

/* Walks over the lines that are there; true when the unit is full. */
static bool walk(const struct stoa_jsonl_cutter *cutter, struct lines *lines)
{
    const struct stoa_buffer *buffer = &cutter->buffer;

    for (;;) {
        const size_t from = lines->nbytes + lines->looked;
        const uint8_t *end =
            from < buffer->nbytes ? memchr(buffer->data + from, '\n', buffer->nbytes - from) : NULL;
        const size_t to = end != NULL ? (size_t)(end - buffer->data) + 1 : buffer->nbytes;
        const size_t nline = to - lines->nbytes;

        if (nline > cutter->max_nbytes || (lines->nlines > 0 && to > cutter->unit_nbytes))
            return true; /* it is for the next unit, or too large for any */
        if (end == NULL) {
            lines->looked = nline;
            return false;
        }
        lines->nbytes = to;
        lines->looked = 0;
        if (++lines->nlines == cutter->unit_nlines ||
            (cutter->in_parts && to > cutter->unit_nbytes / 2 &&
             is_part(cutter->unit_nlines, lines->nlines)))
            return true;
    }
}

static enum stoa_status hand_over(struct stoa_jsonl_cutter *cutter, const struct lines *lines,
                                  struct stoa_jsonl_text *out, struct stoa_error *err)
{
    struct stoa_buffer rest = {0}, *buffer = &cutter->buffer;
    const size_t nrest = buffer->nbytes - lines->nbytes;
    enum stoa_status st = STOA_OK;

    if (nrest > 0) {
        STOA_TRY(
            stoa_buffer_reserve(&rest, room_of(cutter) > nrest ? room_of(cutter) : nrest, err));
        memcpy(rest.data, buffer->data + lines->nbytes, nrest);
        rest.nbytes = nrest;
    }
    buffer->nbytes = lines->nbytes;
    STOA_TRY(stoa_buffer_append_zeros(buffer, STOA_JSONL_SLACK, err));
    *out = (struct stoa_jsonl_text){
        .text = (char *)buffer->data,
        .nbytes = lines->nbytes,
        .nlines = lines->nlines,
        .line = cutter->line,
        .offset = cutter->offset,
    };
    cutter->line += lines->nlines;
    cutter->offset += lines->nbytes;
    cutter->last_nbytes = lines->nbytes;
    *buffer = rest;
    rest = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&rest);
    return st;
}

/* Walks on to the end of a line that is too large; its beginning is kept. */
static enum stoa_status pass_over(struct stoa_jsonl_cutter *cutter, struct stoa_jsonl_text *out,
                                  struct stoa_error *err)
{
    struct stoa_buffer *buffer = &cutter->buffer;
    const size_t nkept = cutter->max_nbytes < STOA_JSONL_BEGINNING_NBYTES
                             ? (size_t)cutter->max_nbytes
                             : STOA_JSONL_BEGINNING_NBYTES;
    struct stoa_jsonl_text text = {
        .nbytes = nkept, .nlines = 1, .line = cutter->line, .offset = cutter->offset};
    const uint8_t *end = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&text.text, 1, nkept + STOA_JSONL_SLACK, err));
    memcpy(text.text, buffer->data, nkept);
    for (;;) {
        end = buffer->nbytes > 0 ? memchr(buffer->data, '\n', buffer->nbytes) : NULL;
        if (end != NULL || cutter->ended)
            break;
        drop(cutter, buffer->nbytes);
        STOA_TRY(read_more(cutter, err));
    }
    drop(cutter, end != NULL ? (size_t)(end - buffer->data) + 1 : buffer->nbytes);
    cutter->line++;
    text.large_nbytes = cutter->offset - text.offset;
    *out = text;
    text.text = NULL;
out:
    stoa_free(text.text);
    return st;
}

enum stoa_status stoa_jsonl_cutter_next(struct stoa_jsonl_cutter *cutter,
                                        struct stoa_jsonl_text *out, struct stoa_error *err)
{
    struct lines lines = {0};
    enum stoa_status st = STOA_OK;

    *out = (struct stoa_jsonl_text){0};
    if (!cutter->started)
        STOA_TRY(start(cutter, err));
    while (!walk(cutter, &lines)) {
        if (cutter->ended && lines.looked > 0) { /* the last line needs no end */
            lines.nbytes += lines.looked;
            lines.nlines++;
        }
        if (cutter->ended)
            break;
        STOA_TRY(read_more(cutter, err));
    }
    if (lines.nlines > 0)
        STOA_TRY(hand_over(cutter, &lines, out, err));
    else if (cutter->buffer.nbytes > 0 && cutter->passes_large)
        STOA_TRY(pass_over(cutter, out, err));
    else if (cutter->buffer.nbytes > 0)
        st = stoa_fail_at(err, STOA_ERR_LIMIT, cutter->offset,
                          "%s: line %" PRIu64 ": the record has more than %" PRIu64
                          " bytes, which is the limit (--max-record-size raises it)",
                          cutter->stream->name, cutter->line, cutter->max_nbytes);
out:
    return st;
}
