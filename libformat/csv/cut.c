/*
 * Units: whole records, cut where the rules of spec/csv.md end them.
 *
 *     buffer  | records of this unit           | begun record | unread
 *             0                         record_end       scan   nbytes
 *
 * The automaton has two states, outside and inside quotes, and needs the byte before a quote to
 * tell an opening one from a stray one. A stretch without quotes and CRs, which is most of most
 * files, is stepped through line by line with memchr().
 */
#include "csv/cut.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "csv/csv_table.h"

#define READ_NBYTES ((size_t)1 << 20)

/* Where the automaton is in cutter->buffer. */
struct scan {
    size_t at;         /* next byte to look at */
    size_t record_end; /* behind the last whole record */
    size_t plain_end;  /* no quote and no CR in [at, plain_end) */
    uint64_t nrecords;
    uint64_t nlines;       /* line ends in [0, at) */
    uint64_t record_lines; /* line ends in [0, record_end) */
    bool quoted;
};

void stoa_csv_cutter_init(struct stoa_csv_cutter *cutter, struct stoa_stream *stream,
                          const struct stoa_csv_options *options, struct stoa_buffer *head)
{
    *cutter = (struct stoa_csv_cutter){
        .stream = stream,
        .delimiter = stoa_csv_delimiter(options),
        .unit_nrows = options->unit_nrows != 0 ? options->unit_nrows : STOA_CSV_UNIT_NROWS,
        .unit_nbytes = options->unit_nbytes != 0 ? options->unit_nbytes : STOA_CSV_UNIT_NBYTES,
        .max_record_nbytes = options->max_record_nbytes != 0 ? options->max_record_nbytes
                                                             : STOA_CSV_MAX_RECORD_NBYTES,
        .buffer = *head,
        .line = 1,
        .ended = stream == NULL,
    };
    *head = (struct stoa_buffer){0};
}

void stoa_csv_cutter_reset(struct stoa_csv_cutter *cutter)
{
    stoa_buffer_free(&cutter->buffer);
}

static enum stoa_status read_more(struct stoa_csv_cutter *cutter, struct stoa_error *err)
{
    size_t got;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(&cutter->buffer, READ_NBYTES + STOA_CSV_SLACK, err));
    STOA_TRY(cutter->stream->read(cutter->stream, cutter->buffer.data + cutter->buffer.nbytes,
                                  READ_NBYTES, &got, err));
    cutter->buffer.nbytes += got;
    cutter->ended = got == 0;
    memset(cutter->buffer.data + cutter->buffer.nbytes, 0, STOA_CSV_SLACK);
out:
    return st;
}

static void end_record(struct scan *scan, size_t at)
{
    scan->at = at;
    scan->record_end = at;
    scan->nrecords++;
    scan->nlines++;
    scan->record_lines = scan->nlines;
}

/*
 * Steps to the end of the record at scan->at or to the end of what is there; false in the latter
 * case. At the end of the input the last record needs no line end.
 */
static bool step(const struct stoa_csv_cutter *cutter, struct scan *scan)
{
    const char *text = (const char *)cutter->buffer.data;
    const size_t nbytes = cutter->buffer.nbytes;

    while (scan->at < nbytes) {
        const char *from = text + scan->at, *end = text + nbytes, *hit;

        if (scan->quoted) {
            hit = stoa_csv_find3(from, end, '"', '\n', '"');
            if (hit == end) {
                scan->at = nbytes;
                return false;
            }
            if (*hit == '\n') {
                scan->nlines++;
                scan->at = (size_t)(hit - text) + 1;
                continue;
            }
            if (hit + 1 == end && !cutter->ended) { /* the next byte decides */
                scan->at = (size_t)(hit - text);
                return false;
            }
            scan->quoted = hit + 1 < end && hit[1] == '"';
            scan->at = (size_t)(hit - text) + (scan->quoted ? 2 : 1);
            continue;
        }
        if (scan->at < scan->plain_end) {
            hit = memchr(from, '\n', scan->plain_end - scan->at);
            if (hit == NULL) {
                scan->at = scan->plain_end;
                continue;
            }
            end_record(scan, (size_t)(hit - text) + 1);
            return true;
        }
        hit = stoa_csv_find3(from, end, '"', '\n', '\r');
        if (hit == end) {
            scan->at = nbytes;
            return false;
        }
        scan->at = (size_t)(hit - text);
        if (*hit == '"') {
            char before = scan->at > scan->record_end ? hit[-1] : '\n';

            scan->quoted = before == cutter->delimiter || before == '\n';
            scan->at++;
        } else if (*hit == '\n') {
            end_record(scan, scan->at + 1);
            return true;
        } else {
            if (hit + 1 == end && !cutter->ended)
                return false;
            end_record(scan, scan->at + (hit + 1 < end && hit[1] == '\n' ? 2 : 1));
            return true;
        }
    }
    return false;
}

/* Looks once at all that is new: a stretch without quotes and CRs can be stepped through fast. */
static void find_plain(const struct stoa_csv_cutter *cutter, struct scan *scan)
{
    const char *text = (const char *)cutter->buffer.data;
    size_t nbytes = cutter->buffer.nbytes - scan->at;

    if (nbytes > 0 && memchr(text + scan->at, '"', nbytes) == NULL &&
        memchr(text + scan->at, '\r', nbytes) == NULL)
        scan->plain_end = cutter->buffer.nbytes;
}

static enum stoa_status fail_too_large(const struct stoa_csv_cutter *cutter,
                                       const struct scan *scan, struct stoa_error *err)
{
    return stoa_fail_at(err, STOA_ERR_LIMIT, cutter->offset + scan->record_end,
                        "line %" PRIu64 ": a record of more than %" PRIu64
                        " bytes: is a quote left open?",
                        cutter->line + scan->record_lines, cutter->max_record_nbytes);
}

/* Moves scan over records until the unit is full or the input ends. */
static enum stoa_status fill(struct stoa_csv_cutter *cutter, uint32_t nrecords, struct scan *scan,
                             struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    find_plain(cutter, scan);
    while (scan->nrecords < nrecords) {
        struct scan before = *scan;

        if (step(cutter, scan)) {
            if (scan->record_end > cutter->unit_nbytes && before.record_end > 0) {
                *scan = before; /* this record opens the next unit */
                break;
            }
        } else if (cutter->ended) {
            if (scan->record_end < cutter->buffer.nbytes) {
                scan->record_end = cutter->buffer.nbytes;
                scan->nrecords++;
            }
            if (scan->record_end > cutter->unit_nbytes && before.record_end > 0)
                *scan = before;
            break;
        } else {
            if (before.record_end > 0 && cutter->buffer.nbytes > cutter->unit_nbytes)
                break; /* the begun record can't belong to this unit any more */
            STOA_TRY(read_more(cutter, err));
            find_plain(cutter, scan);
        }
        if (scan->record_end - before.record_end > cutter->max_record_nbytes)
            return fail_too_large(cutter, &before, err);
        if (scan->record_end == before.record_end &&
            cutter->buffer.nbytes - scan->record_end > cutter->max_record_nbytes)
            return fail_too_large(cutter, scan, err);
    }
out:
    return st;
}

static enum stoa_status skip_byte_order_mark(struct stoa_csv_cutter *cutter, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;
    struct stoa_buffer *buffer = &cutter->buffer;

    STOA_TRY(stoa_buffer_reserve(buffer, STOA_CSV_SLACK, err));
    memset(buffer->data + buffer->nbytes, 0, STOA_CSV_SLACK);
    while (buffer->nbytes < 3 && !cutter->ended)
        STOA_TRY(read_more(cutter, err));
    cutter->started = true;
    if (buffer->nbytes >= 3 && memcmp(buffer->data, "\xef\xbb\xbf", 3) == 0) {
        memmove(buffer->data, buffer->data + 3, buffer->nbytes - 3);
        buffer->nbytes -= 3;
        cutter->offset = 3;
    }
out:
    return st;
}

/* The first nbytes of the buffer become the unit; the rest moves to a new buffer. */
static enum stoa_status hand_over(struct stoa_csv_cutter *cutter, const struct scan *scan,
                                  struct stoa_csv_text *out, struct stoa_error *err)
{
    struct stoa_buffer rest = {0};
    size_t nbytes = scan->record_end;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(&cutter->buffer, STOA_CSV_SLACK, err));
    STOA_TRY(stoa_buffer_reserve(&rest, cutter->buffer.nbytes - nbytes + STOA_CSV_SLACK, err));
    STOA_TRY(stoa_buffer_append(&rest, cutter->buffer.data + nbytes, cutter->buffer.nbytes - nbytes,
                                err));
    memset(cutter->buffer.data + nbytes, 0, STOA_CSV_SLACK);
    *out = (struct stoa_csv_text){
        .text = (char *)cutter->buffer.data,
        .nbytes = nbytes,
        .nrecords = scan->nrecords,
        .line = cutter->line,
        .offset = cutter->offset,
    };
    cutter->line += scan->record_lines;
    cutter->offset += nbytes;
    cutter->buffer = rest;
    rest = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&rest);
    return st;
}

enum stoa_status stoa_csv_cutter_next(struct stoa_csv_cutter *cutter, uint32_t nrecords,
                                      struct stoa_csv_text *out, struct stoa_error *err)
{
    struct scan scan = {0};
    enum stoa_status st = STOA_OK;

    if (!cutter->started)
        STOA_TRY(skip_byte_order_mark(cutter, err));
    STOA_TRY(fill(cutter, nrecords != 0 ? nrecords : cutter->unit_nrows, &scan, err));
    if (scan.nrecords == 0)
        *out = (struct stoa_csv_text){0};
    else
        STOA_TRY(hand_over(cutter, &scan, out, err));
out:
    return st;
}
