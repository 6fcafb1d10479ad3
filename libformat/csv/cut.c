/*
 * Units: whole records, cut where the rules of spec/csv.md end them.
 *
 *     buffer  | records of this unit           | begun record | unread
 *           begin                       record_end      at      nbytes
 *
 * All there is to do is to count the ends of records, which a kernel does at nearly the speed of
 * memory (csv/index_kernels.h), and to stop at the right one. What it knows between two pieces of
 * text is the state of the automaton.
 */
#include "csv/cut.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "csv/csv_table.h"
#include "csv/index_kernels.h"

/* Bytes asked of a stream: as many as are there already, in these limits. */
#define READ_NBYTES_MIN ((size_t)32 << 10)
#define READ_NBYTES_MAX ((size_t)1 << 20)

/* Text that is walked over at a time: no more than a record may have, so that all are measured. */
#define STEP_NBYTES ((size_t)64 << 10)

static const char *text_of(const struct stoa_csv_cutter *cutter)
{
    return (const char *)cutter->buffer.data + cutter->begin;
}

/* Bytes that were read and not cut off yet. */
static size_t nbytes_of(const struct stoa_csv_cutter *cutter)
{
    return cutter->buffer.nbytes - cutter->begin;
}

void stoa_csv_cutter_init(struct stoa_csv_cutter *cutter, struct stoa_stream *stream,
                          const struct stoa_csv_options *options, struct stoa_buffer *head)
{
    *cutter = (struct stoa_csv_cutter){
        .stream = stream,
        .unit_nrows = options->unit_nrows != 0 ? options->unit_nrows : STOA_CSV_UNIT_NROWS,
        .unit_nbytes = options->unit_nbytes != 0 ? options->unit_nbytes : STOA_CSV_UNIT_NBYTES,
        .max_record_nbytes = stoa_csv_max_record_nbytes(options),
        .buffer = *head,
        .nwritten = head->nbytes,
        .line = 1,
    };
    stoa_csv_dialect_init(&cutter->dialect, options);
    cutter->kernels = stoa_csv_kernels();
    *head = (struct stoa_buffer){0};
}

static void set_nwritten(struct stoa_csv_cutter *cutter)
{
    const size_t nbytes = cutter->buffer.nbytes + STOA_CSV_SLACK;

    if (cutter->nwritten < nbytes)
        cutter->nwritten = nbytes;
}

static void give_back(struct stoa_csv_cutter *cutter, struct stoa_buffer block, size_t nwritten)
{
    block.nbytes = nwritten;
    stoa_csv_spares_give(cutter->spares, block, 0);
}

void stoa_csv_cutter_reset(struct stoa_csv_cutter *cutter)
{
    if (cutter->spares != NULL)
        give_back(cutter, cutter->buffer, cutter->nwritten);
    else
        stoa_buffer_free(&cutter->buffer);
    cutter->buffer = (struct stoa_buffer){0};
    stoa_buffer_free(&cutter->head);
}

void stoa_csv_cutter_take_head(struct stoa_csv_cutter *cutter, struct stoa_buffer *out)
{
    *out = cutter->head;
    cutter->head = (struct stoa_buffer){0};
    cutter->keeps_head = false;
}

/* Room for `extra` more bytes behind those of the buffer, in a spare block if one has it. */
static enum stoa_status make_room(struct stoa_csv_cutter *cutter, size_t extra,
                                  struct stoa_error *err)
{
    struct stoa_buffer *buffer = &cutter->buffer;
    struct stoa_buffer block;

    if (cutter->spares == NULL || extra <= buffer->capacity - buffer->nbytes)
        return stoa_buffer_reserve(buffer, extra, err);
    block = stoa_csv_spares_take(cutter->spares);
    if (block.capacity < extra || block.capacity - extra < buffer->nbytes) {
        give_back(cutter, block, block.nbytes);
        return stoa_buffer_reserve(buffer, extra, err);
    }
    if (buffer->nbytes > 0)
        memcpy(block.data, buffer->data, buffer->nbytes);
    cutter->nwritten = block.nbytes;
    block.nbytes = buffer->nbytes;
    stoa_buffer_free(buffer);
    *buffer = block;
    return STOA_OK;
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
    STOA_TRY(make_room(cutter, want + STOA_CSV_SLACK, err));
    STOA_TRY(cutter->stream->read(cutter->stream, buffer->data + buffer->nbytes, want, &got, err));
    buffer->nbytes += got;
    cutter->ended = got == 0;
    memset(buffer->data + buffer->nbytes, 0, STOA_CSV_SLACK);
    set_nwritten(cutter);
out:
    return st;
}

static void drop(struct stoa_csv_cutter *cutter, size_t nbytes)
{
    cutter->begin += nbytes;
    cutter->offset += nbytes;
}

enum stoa_status stoa_csv_cutter_skip(struct stoa_csv_cutter *cutter, size_t nbytes,
                                      uint64_t nlines, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (cutter->keeps_head)
        st = stoa_buffer_append(&cutter->head, text_of(cutter), nbytes, err);
    if (st != STOA_OK)
        return st;
    drop(cutter, nbytes);
    cutter->line += nlines;
    return STOA_OK;
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
        STOA_TRY(stoa_csv_cutter_skip(cutter, 3, 0, err));
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

/*
 * Where the unit must have ended: behind its first record as large as that may be, then behind one
 * that is whole within unit_nbytes.
 */
static uint64_t border_of(const struct stoa_csv_cutter *cutter, const struct stoa_csv_tally *tally)
{
    const uint64_t max = cutter->max_record_nbytes;

    return tally->nrecords == 0 || cutter->unit_nbytes - tally->last_end > max
               ? tally->last_end + max
               : cutter->unit_nbytes;
}

/* Bytes that may be walked over: not a CR whose next byte is not there yet. */
static size_t known_nbytes(const struct stoa_csv_cutter *cutter)
{
    const size_t nbytes = nbytes_of(cutter);

    return nbytes > 0 && !cutter->ended && text_of(cutter)[nbytes - 1] == '\r' ? nbytes - 1
                                                                               : nbytes;
}

static void step(const struct stoa_csv_cutter *cutter, uint64_t most, size_t nbytes,
                 struct stoa_csv_tally *tally)
{
    const char *text = text_of(cutter) + tally->nbytes;

    cutter->kernels->tally(&cutter->dialect, text, nbytes, most, tally);
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The last record may end without a line end. */
static void end_record(struct stoa_csv_tally *tally)
{
    tally->nrecords++;
    tally->last_end = tally->nbytes;
    tally->last_nlines = tally->nlines;
}

/*
 * Walks over records until the unit is full or the input ends. *is_large: the first record is, and
 * is not at its end yet.
 */
static enum stoa_status fill(struct stoa_csv_cutter *cutter, struct stoa_csv_tally *tally,
                             bool *is_large, struct stoa_error *err)
{
    const uint64_t max = cutter->max_record_nbytes;
    const uint32_t nrecords = cutter->unit_nrows;
    enum stoa_status st = STOA_OK;

    while (tally->nrecords < nrecords && tally->last_end <= cutter->unit_nbytes) {
        const uint64_t border = border_of(cutter, tally);
        const uint64_t end = least_of(known_nbytes(cutter), border);

        if (tally->nbytes < end) {
            const uint64_t nbytes = least_of(end - tally->nbytes, least_of(max, STEP_NBYTES));

            /* The first record is let through alone: it may be larger than a unit. */
            step(cutter, tally->nrecords == 0 ? 1 : nrecords, (size_t)nbytes, tally);
            continue;
        }
        if (nbytes_of(cutter) > border && tally->nrecords == 0 && !cutter->passes_large)
            return stoa_csv_fail_too_large(err, cutter->stream->name, cutter->line, cutter->offset,
                                           max);
        if (nbytes_of(cutter) > border) { /* what is begun opens the next unit, or is this one */
            *is_large = tally->nrecords == 0;
            break;
        }
        if (cutter->ended && tally->last_end < tally->nbytes)
            end_record(tally);
        if (cutter->ended)
            break;
        STOA_TRY(read_more(cutter, err));
    }
out:
    return st;
}

/* Takes the buffer with the first nbytes of it out of the cutter; what follows them stays. */
static enum stoa_status take_buffer(struct stoa_csv_cutter *cutter, size_t nbytes,
                                    struct stoa_csv_text *out, struct stoa_error *err)
{
    const size_t nrest = nbytes_of(cutter) - nbytes;
    struct stoa_buffer rest = stoa_csv_spares_take(cutter->spares);
    const size_t nwritten = rest.nbytes;
    enum stoa_status st;

    rest.nbytes = 0;
    STOA_TRY(stoa_buffer_reserve(&rest, nrest + STOA_CSV_SLACK, err));
    memcpy(rest.data, text_of(cutter) + nbytes, nrest + STOA_CSV_SLACK);
    rest.nbytes = nrest;
    out->text = (char *)cutter->buffer.data;
    out->capacity = cutter->buffer.capacity;
    out->nwritten = cutter->nwritten;
    cutter->buffer = rest;
    cutter->nwritten = nwritten;
    set_nwritten(cutter);
    rest = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&rest);
    return st;
}

static enum stoa_status copy_front(struct stoa_csv_cutter *cutter, size_t nbytes,
                                   struct stoa_csv_text *out, struct stoa_error *err)
{
    const size_t capacity = nbytes + STOA_CSV_SLACK;
    enum stoa_status st = stoa_alloc(&out->text, capacity, err);

    if (st == STOA_OK) {
        memcpy(out->text, text_of(cutter), nbytes);
        out->capacity = out->nwritten = capacity;
        cutter->begin += nbytes;
    }
    return st;
}

/* The records that were passed become the unit. Small ones are copied, large ones are not. */
static enum stoa_status hand_over(struct stoa_csv_cutter *cutter,
                                  const struct stoa_csv_tally *tally, struct stoa_csv_text *out,
                                  struct stoa_error *err)
{
    struct stoa_csv_text text = {
        .nbytes = tally->last_end,
        .nrecords = tally->nrecords,
        .line = cutter->line,
        .offset = cutter->offset,
    };
    enum stoa_status st;

    if (cutter->begin == 0 && text.nbytes > nbytes_of(cutter) / 2)
        STOA_TRY(take_buffer(cutter, text.nbytes, &text, err));
    else
        STOA_TRY(copy_front(cutter, text.nbytes, &text, err));
    memset(text.text + text.nbytes, 0, STOA_CSV_SLACK);
    *out = text;
    cutter->line += tally->last_nlines;
    cutter->offset += text.nbytes;
out:
    return st;
}

/* Walks on to the end of a record that is too large; its beginning is kept. */
static enum stoa_status pass_over(struct stoa_csv_cutter *cutter, struct stoa_csv_tally *tally,
                                  struct stoa_csv_text *out, struct stoa_error *err)
{
    struct stoa_csv_text text = {
        .nbytes = (size_t)least_of(cutter->max_record_nbytes, STOA_CSV_BEGINNING_NBYTES),
        .nrecords = 1,
        .line = cutter->line,
        .offset = cutter->offset,
    };
    enum stoa_status st;

    assert(nbytes_of(cutter) > text.nbytes);
    text.capacity = text.nwritten = text.nbytes + STOA_CSV_SLACK;
    STOA_TRY(stoa_alloc(&text.text, text.capacity, err));
    memcpy(text.text, text_of(cutter), text.nbytes);
    memset(text.text + text.nbytes, 0, STOA_CSV_SLACK);
    while (tally->nrecords == 0) {
        const size_t known = known_nbytes(cutter);

        if (tally->nbytes < known) {
            step(cutter, 1, (size_t)least_of(known - tally->nbytes, STEP_NBYTES), tally);
        } else if (cutter->ended) {
            end_record(tally);
        } else {
            drop(cutter, tally->nbytes);
            tally->nbytes = 0;
            STOA_TRY(read_more(cutter, err));
        }
    }
    drop(cutter, tally->last_end);
    cutter->line += tally->last_nlines;
    text.large_nbytes = cutter->offset - text.offset;
    *out = text;
    text.text = NULL;
out:
    stoa_free(text.text);
    return st;
}

enum stoa_status stoa_csv_cutter_next(struct stoa_csv_cutter *cutter, struct stoa_csv_text *out,
                                      struct stoa_error *err)
{
    struct stoa_csv_tally tally = {0};
    bool is_large = false;
    enum stoa_status st = STOA_OK;

    if (!cutter->started)
        STOA_TRY(start(cutter, err));
    STOA_TRY(fill(cutter, &tally, &is_large, err));
    if (is_large)
        STOA_TRY(pass_over(cutter, &tally, out, err));
    else if (tally.nrecords == 0)
        *out = (struct stoa_csv_text){0};
    else
        STOA_TRY(hand_over(cutter, &tally, out, err));
out:
    return st;
}
