/*
 * Units: whole records, cut where the rules of spec/csv.md end them.
 *
 *     buffer  | records of this unit           | begun record | unread
 *           begin                       record_end      at      nbytes
 *
 * The automaton has two states, outside and inside quotes, and needs the byte before a quote to
 * tell an opening one from a stray one. A stretch without quotes and CRs, which is most of most
 * files, is stepped through line by line with memchr().
 */
#include "csv/cut.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "csv/csv_table.h"

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Bytes asked of a stream: as many as are there already, in these limits. */
#define READ_NBYTES_MIN ((size_t)32 << 10)
#define READ_NBYTES_MAX ((size_t)1 << 20)

/* The high bit of each byte of `word` that is zero; bits above the first one may be false. */
static inline uint64_t zero_bytes(uint64_t word)
{
    return (word - ONES) & ~word & HIGHS;
}

/* The first byte of [text, end) that is a, b or c, or `end`. Reads up to 7 bytes behind the end. */
static const char *find3(const char *text, const char *end, char a, char b, char c)
{
    const uint64_t as = ONES * (uint8_t)a, bs = ONES * (uint8_t)b, cs = ONES * (uint8_t)c;

    for (; text < end; text += 8) {
        uint64_t word = stoa_load64(text);
        uint64_t hits = zero_bytes(word ^ as) | zero_bytes(word ^ bs) | zero_bytes(word ^ cs);

        if (hits != 0) { /* the lowest hit is a true one: borrows go upwards only */
            text += __builtin_ctzll(hits) / 8;
            return text < end ? text : end;
        }
    }
    return end;
}

static const char *text_of(const struct stoa_csv_cutter *cutter)
{
    return (const char *)cutter->buffer.data + cutter->begin;
}

/* Bytes that were read and not cut off yet. */
static size_t nbytes_of(const struct stoa_csv_cutter *cutter)
{
    return cutter->buffer.nbytes - cutter->begin;
}

/* Where the automaton is, in bytes behind cutter->begin. */
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
        .max_record_nbytes = stoa_csv_max_record_nbytes(options),
        .buffer = *head,
        .line = 1,
    };
    *head = (struct stoa_buffer){0};
}

void stoa_csv_cutter_reset(struct stoa_csv_cutter *cutter)
{
    stoa_buffer_free(&cutter->buffer);
}

static enum stoa_status read_more(struct stoa_csv_cutter *cutter, struct stoa_error *err)
{
    struct stoa_buffer *buffer = &cutter->buffer;
    size_t want, got;
    enum stoa_status st;

    if (cutter->begin > 0) {
        memmove(buffer->data, buffer->data + cutter->begin, nbytes_of(cutter));
        buffer->nbytes = nbytes_of(cutter);
        cutter->begin = 0;
    }
    want = buffer->nbytes < READ_NBYTES_MIN   ? READ_NBYTES_MIN
           : buffer->nbytes > READ_NBYTES_MAX ? READ_NBYTES_MAX
                                              : buffer->nbytes;
    STOA_TRY(stoa_buffer_reserve(buffer, want + STOA_CSV_SLACK, err));
    STOA_TRY(cutter->stream->read(cutter->stream, buffer->data + buffer->nbytes, want, &got, err));
    buffer->nbytes += got;
    cutter->ended = got == 0;
    memset(buffer->data + buffer->nbytes, 0, STOA_CSV_SLACK);
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
    const char *text = text_of(cutter);
    const size_t nbytes = nbytes_of(cutter);

    while (scan->at < nbytes) {
        const char *from = text + scan->at, *end = text + nbytes, *hit;

        if (scan->quoted) {
            hit = find3(from, end, '"', '\n', '"');
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
        hit = find3(from, end, '"', '\n', '\r');
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
    const char *text = text_of(cutter) + scan->at;
    size_t nbytes = nbytes_of(cutter) - scan->at;

    if (nbytes > 0 && memchr(text, '"', nbytes) == NULL && memchr(text, '\r', nbytes) == NULL)
        scan->plain_end = nbytes_of(cutter);
}

static enum stoa_status fail_too_large(const struct stoa_csv_cutter *cutter,
                                       const struct scan *scan, struct stoa_error *err)
{
    return stoa_csv_fail_too_large(err, cutter->stream->name, cutter->line + scan->record_lines,
                                   cutter->offset + scan->record_end, cutter->max_record_nbytes);
}

/* Moves scan over records until the unit is full or the input ends. */
static enum stoa_status fill(struct stoa_csv_cutter *cutter, uint32_t nrecords, struct scan *scan,
                             struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    find_plain(cutter, scan);
    while (scan->nrecords < nrecords) {
        struct scan before = *scan;
        bool whole = step(cutter, scan);
        size_t end; /* of the record as far as it is there */

        if (!whole && cutter->ended && before.record_end < nbytes_of(cutter)) {
            scan->record_end = nbytes_of(cutter); /* the last record has no line end */
            scan->nrecords++;
            whole = true;
        }
        end = whole ? scan->record_end : nbytes_of(cutter);
        if (end - before.record_end > cutter->max_record_nbytes)
            return fail_too_large(cutter, &before, err);
        if (!whole && cutter->ended)
            break;
        if (before.record_end > 0 && end > cutter->unit_nbytes) {
            *scan = before; /* this record opens the next unit */
            break;
        }
        if (!whole) {
            STOA_TRY(read_more(cutter, err));
            find_plain(cutter, scan);
        }
    }
out:
    return st;
}

static void drop(struct stoa_csv_cutter *cutter, size_t nbytes)
{
    cutter->begin += nbytes;
    cutter->offset += nbytes;
}

/* Passes over a byte order mark. */
static enum stoa_status start(struct stoa_csv_cutter *cutter, struct stoa_error *err)
{
    struct stoa_buffer *buffer = &cutter->buffer;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(buffer, STOA_CSV_SLACK, err));
    memset(buffer->data + buffer->nbytes, 0, STOA_CSV_SLACK);
    while (nbytes_of(cutter) < 3 && !cutter->ended)
        STOA_TRY(read_more(cutter, err));
    if (nbytes_of(cutter) >= 3 && memcmp(text_of(cutter), "\xef\xbb\xbf", 3) == 0)
        drop(cutter, 3);
    cutter->started = true;
out:
    return st;
}

enum stoa_status stoa_csv_cutter_look(struct stoa_csv_cutter *cutter, size_t want_nbytes,
                                      const char **text, size_t *nbytes, bool *whole,
                                      struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (!cutter->started)
        STOA_TRY(start(cutter, err));
    while (nbytes_of(cutter) < want_nbytes && !cutter->ended)
        STOA_TRY(read_more(cutter, err));
    *text = text_of(cutter);
    *nbytes = nbytes_of(cutter);
    *whole = cutter->ended;
out:
    return st;
}

void stoa_csv_cutter_skip(struct stoa_csv_cutter *cutter, size_t nbytes, uint64_t nlines)
{
    drop(cutter, nbytes);
    cutter->line += nlines;
}

/* Takes the buffer with the first nbytes of it out of the cutter; what follows them stays. */
static enum stoa_status take_buffer(struct stoa_csv_cutter *cutter, size_t nbytes, char **out,
                                    struct stoa_error *err)
{
    struct stoa_buffer rest = {0};
    size_t nrest = nbytes_of(cutter) - nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(&rest, nrest + STOA_CSV_SLACK, err));
    memcpy(rest.data, text_of(cutter) + nbytes, nrest + STOA_CSV_SLACK);
    rest.nbytes = nrest;
    *out = (char *)cutter->buffer.data;
    cutter->buffer = rest;
out:
    return st;
}

static enum stoa_status copy_front(struct stoa_csv_cutter *cutter, size_t nbytes, char **out,
                                   struct stoa_error *err)
{
    enum stoa_status st = stoa_alloc(out, nbytes + STOA_CSV_SLACK, err);

    if (st == STOA_OK) {
        memcpy(*out, text_of(cutter), nbytes);
        cutter->begin += nbytes;
    }
    return st;
}

/* The records that were passed become the unit. Small ones are copied, large ones are not. */
static enum stoa_status hand_over(struct stoa_csv_cutter *cutter, const struct scan *scan,
                                  struct stoa_csv_text *out, struct stoa_error *err)
{
    const size_t nbytes = scan->record_end;
    char *text;
    enum stoa_status st;

    if (cutter->begin == 0 && nbytes > nbytes_of(cutter) / 2)
        STOA_TRY(take_buffer(cutter, nbytes, &text, err));
    else
        STOA_TRY(copy_front(cutter, nbytes, &text, err));
    memset(text + nbytes, 0, STOA_CSV_SLACK);
    *out = (struct stoa_csv_text){
        .text = text,
        .nbytes = nbytes,
        .nrecords = scan->nrecords,
        .line = cutter->line,
        .offset = cutter->offset,
    };
    cutter->line += scan->record_lines;
    cutter->offset += nbytes;
out:
    return st;
}

enum stoa_status stoa_csv_cutter_next(struct stoa_csv_cutter *cutter, uint32_t nrecords,
                                      struct stoa_csv_text *out, struct stoa_error *err)
{
    struct scan scan = {0};
    enum stoa_status st = STOA_OK;

    if (!cutter->started)
        STOA_TRY(start(cutter, err));
    STOA_TRY(fill(cutter, nrecords != 0 ? nrecords : cutter->unit_nrows, &scan, err));
    if (scan.nrecords == 0)
        *out = (struct stoa_csv_text){0};
    else
        STOA_TRY(hand_over(cutter, &scan, out, err));
out:
    return st;
}
