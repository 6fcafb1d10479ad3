/*
 * Samples from the middle of a file (spec/csv.md, "Inference").
 *
 * Whether a byte in the middle stands in quotes is known for certain only from the beginning of the
 * text. So a window is read in both ways,
 *
 *     ... x","y",2 LF 3,"a LF b",4 LF 5,"c ...
 *     outside   x   ,   ,y...           from the first LF:  3  a LF b  4
 *     inside    x   ,   y   2           from the first LF:  3  a LF b  4      the same place, by
 * luck
 *
 * and counts only if just one of them gives a table: every whole record has as many fields as there
 * are columns, and no quote stands where none belongs. A window that can be read in both ways, or
 * in none, says nothing: all that can be lost by that is time, when a value turns up later.
 */
#include "csv/csv_windows.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/csv_table.h"

#define NWINDOWS        ((uint64_t)16)
#define WINDOW_NBYTES   ((size_t)64 << 10)
#define COMPARED_NBYTES ((size_t)4096)
#define MIN_NRECORDS    2 /* fewer could be a table by chance */

/* One window: text[0] is the byte in front of it. */
struct window {
    char *text; /* with slack */
    size_t nbytes;
    uint64_t offset; /* of text[0] in the file */
    bool at_end;     /* the file ends with it */
    struct stoa_csv_record record;
    const struct stoa_csv_dialect *dialect; /* strict */
    uint32_t ncolumns;
};

/*
 * The first byte behind the end of a record when text[1] is met in `state`; nbytes where there is
 * none. A CR in front of an LF is no end of its own.
 */
static size_t find_record(const struct window *window, unsigned state)
{
    if (state == STOA_CSV_AT_RECORD)
        return 1;
    for (size_t i = 1; i < window->nbytes; i++) {
        const uint8_t byte = (uint8_t)window->text[i];

        if (byte == '\r' && window->text[i + 1] == '\n')
            continue;
        state = stoa_csv_next_state[state][window->dialect->classes[byte]];
        if (state == STOA_CSV_AT_RECORD)
            return i + 1;
    }
    return window->nbytes;
}

/*
 * Walks over the whole records from `begin` on; *nrecords is 0 when one of them is no row of the
 * table. The record at the end of the window may go on behind it.
 */
static enum stoa_status walk(struct window *window, size_t begin, stoa_csv_observer *observe,
                             void *context, size_t *nrecords, struct stoa_error *err)
{
    const char *at = window->text + begin, *end = window->text + window->nbytes;
    struct stoa_csv_record *record = &window->record;
    enum stoa_status st = STOA_OK;

    *nrecords = 0;
    for (; at < end; at = record->next) {
        STOA_TRY(stoa_csv_record_split(record, at, end, window->dialect, err));
        if (record->next == end && !window->at_end)
            break;
        if (record->nfields == 0 || stoa_csv_record_is_blank(record, window->ncolumns))
            continue;
        if (record->fault != STOA_CSV_FINE || record->nfields != window->ncolumns) {
            *nrecords = 0;
            break;
        }
        if (observe != NULL)
            observe(context, record, window->offset + (uint64_t)(at - window->text));
        ++*nrecords;
    }
out:
    return st;
}

/* Whether a record of the reading that begins at `from` begins at `to`. */
static enum stoa_status meets(struct window *window, size_t from, size_t to, bool *out,
                              struct stoa_error *err)
{
    const char *at = window->text + from, *end = window->text + window->nbytes;
    enum stoa_status st = STOA_OK;

    while (at < window->text + to) {
        STOA_TRY(stoa_csv_record_split(&window->record, at, end, window->dialect, err));
        at = window->record.next;
    }
    *out = at == window->text + to;
out:
    return st;
}

/* Where the first record begins that is certain to be one; nbytes: nowhere. */
static enum stoa_status find_certain(struct window *window, size_t *begin, struct stoa_error *err)
{
    const uint8_t before = (uint8_t)window->text[0];
    const size_t outside =
        find_record(window, stoa_csv_next_state[STOA_CSV_PLAIN][window->dialect->classes[before]]);
    const size_t inside =
        window->dialect->quote < 0 ? outside : find_record(window, STOA_CSV_QUOTED);
    const size_t first = outside < inside ? outside : inside,
                 last = outside < inside ? inside : outside;
    size_t nfirst, nlast;
    bool same;
    enum stoa_status st;

    STOA_TRY(walk(window, first, NULL, NULL, &nfirst, err));
    STOA_TRY(walk(window, last, NULL, NULL, &nlast, err));
    STOA_TRY(meets(window, first, last, &same, err));
    *begin = window->nbytes;
    if (nlast >= MIN_NRECORDS && (same || nfirst == 0))
        *begin = last;
    else if (nfirst >= MIN_NRECORDS && nlast == 0)
        *begin = first;
out:
    return st;
}

/* Reads bytes [begin - 1, begin + nbytes) of the file and observes what is certain. */
static enum stoa_status observe_window(struct window *window, struct stoa_source *source,
                                       uint64_t begin, size_t nbytes, stoa_csv_observer *observe,
                                       void *context, struct stoa_error *err)
{
    size_t at, nrecords;
    enum stoa_status st;

    STOA_TRY(source->read_at(source, begin - 1, window->text, nbytes + 1, err));
    memset(window->text + nbytes + 1, 0, STOA_CSV_SLACK);
    window->nbytes = nbytes + 1;
    window->offset = begin - 1;
    window->at_end = begin + nbytes == source->nbytes;
    STOA_TRY(find_certain(window, &at, err));
    STOA_TRY(walk(window, at, observe, context, &nrecords, err));
out:
    return st;
}

/* Whether the text is the bytes of the file: not compressed, in no other encoding. */
static enum stoa_status is_plain(struct stoa_source *source, const char *head, size_t head_nbytes,
                                 bool *out, struct stoa_error *err)
{
    char bytes[COMPARED_NBYTES];
    const size_t nbytes = head_nbytes < sizeof(bytes) ? head_nbytes : sizeof(bytes);
    enum stoa_status st;

    *out = false;
    if (nbytes > source->nbytes)
        return STOA_OK;
    STOA_TRY(source->read_at(source, 0, bytes, nbytes, err));
    *out = memcmp(bytes, head, nbytes) == 0;
out:
    return st;
}

enum stoa_status stoa_csv_windows_observe(const char *path, const struct stoa_csv_options *options,
                                          uint32_t ncolumns, const char *head, size_t head_nbytes,
                                          stoa_csv_observer *observe, void *context,
                                          struct stoa_error *err)
{
    struct stoa_csv_options strict = *options;
    struct stoa_csv_dialect dialect;
    struct window window = {.dialect = &dialect, .ncolumns = ncolumns};
    struct stoa_source *source = NULL;
    uint64_t rest;
    bool plain;
    enum stoa_status st;

    strict.strict = true;
    strict.ragged = 0;
    stoa_csv_dialect_init(&dialect, &strict);
    STOA_TRY(stoa_source_open_file(path, &source, err));
    STOA_TRY(is_plain(source, head, head_nbytes, &plain, err));
    if (!plain || head_nbytes == 0 || source->nbytes <= head_nbytes)
        goto out;
    STOA_TRY(stoa_alloc(&window.text, 1 + WINDOW_NBYTES + STOA_CSV_SLACK, err));
    rest = source->nbytes - head_nbytes;
    for (uint64_t i = 0; i < NWINDOWS; i++) {
        const bool spread = rest > NWINDOWS * WINDOW_NBYTES; /* else they stand side by side */
        const uint64_t begin =
            spread ? i * (rest - WINDOW_NBYTES) / (NWINDOWS - 1) : i * WINDOW_NBYTES;
        const uint64_t left = rest - begin;

        if (begin >= rest)
            break;
        STOA_TRY(observe_window(&window, source, head_nbytes + begin,
                                left < WINDOW_NBYTES ? (size_t)left : WINDOW_NBYTES, observe,
                                context, err));
    }
out:
    stoa_csv_record_free(&window.record);
    stoa_free(window.text);
    stoa_source_close(source);
    return st;
}
