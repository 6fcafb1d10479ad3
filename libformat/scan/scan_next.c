/*
 * Delivering the batches of a scan in order, some units read at a time.
 *
 * next() reads a window of units through a pipeline and hands out their batches one by one. The
 * window starts with one unit, so that the first rows come soon and a limit reads little, and
 * doubles up to two units a job, and on while all rows of a window are few: a window starts
 * threads.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "scan/scan_state.h"

enum {
    MAX_NUNITS = 4096,   /* of a window */
    SMALL_NROWS = 32768, /* for each job */
};

/* The batches of a window. */
struct window {
    struct stoa_scan *scan;
    uint64_t want; /* rows of each unit */
    struct stoa_batch *batches;
    uint32_t nbatches;
};

static enum stoa_status read_unit(void *context, const struct stoa_scan_unit *unit, void *made,
                                  struct stoa_error *err)
{
    const struct window *window = context;

    return stoa_scan_unit_read(window->scan, unit, window->want, made, err);
}

static enum stoa_status take_batch(void *context, void *made, struct stoa_error *err)
{
    struct window *window = context;
    struct stoa_batch *batch = made;

    (void)err;
    if (batch->nrows > 0) {
        window->batches[window->nbatches++] = *batch;
        *batch = (struct stoa_batch){0};
    }
    return STOA_OK;
}

static void reset_batch(void *made)
{
    stoa_batch_reset(made);
}

/* Windows of fewer rows are made longer. */
static uint64_t small_nrows(const struct stoa_scan *scan)
{
    return (uint64_t)scan->jobs * SMALL_NROWS;
}

/* Reads the next window of units into scan->ready. */
static enum stoa_status fill(struct stoa_scan *scan, struct stoa_error *err)
{
    uint32_t left = scan->nunits - scan->next_unit;
    uint32_t nunits = left < scan->window ? left : scan->window;
    struct window window = {.scan = scan, .want = scan->left};
    struct stoa_scan_pass pass = {
        .scan = scan,
        .next = scan->next_unit,
        .end = scan->next_unit + nunits,
        .made_nbytes = sizeof(struct stoa_batch),
        .read = read_unit,
        .take = take_batch,
        .reset = reset_batch,
        .context = &window,
    };
    uint64_t nrows = 0;
    enum stoa_status st;

    if (!scan->has_huge) {
        stoa_alloc_begin_huge();
        scan->has_huge = true;
    }
    STOA_TRY(stoa_alloc_zeroed(&window.batches, nunits, sizeof(*window.batches), err));
    STOA_TRY(stoa_scan_run_pass(&pass, err));
    for (uint32_t i = 0; i < window.nbatches; i++)
        nrows += window.batches[i].nrows;
    stoa_free(scan->ready);
    scan->ready = window.batches;
    scan->nready = window.nbatches;
    scan->ready_at = 0;
    scan->next_unit += nunits;
    if (scan->jobs > 1 && (scan->window < 2 * scan->jobs || nrows < small_nrows(scan)))
        scan->window = scan->window < MAX_NUNITS ? 2 * scan->window : MAX_NUNITS;
    return STOA_OK;
out:
    for (uint32_t i = 0; i < window.nbatches; i++)
        stoa_batch_reset(&window.batches[i]);
    stoa_free(window.batches);
    return st;
}

/* The first nrows rows of a batch, in place. */
static enum stoa_status keep_first(struct stoa_batch *batch, size_t nrows, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        struct stoa_array head;

        STOA_TRY(
            stoa_array_slice(&batch->schema->fields[i], &batch->columns[i], 0, nrows, &head, err));
        stoa_array_reset(&batch->columns[i]);
        batch->columns[i] = head;
    }
    batch->nrows = nrows;
out:
    return st;
}

enum stoa_status stoa_scan_next(struct stoa_scan *scan, struct stoa_batch *out,
                                struct stoa_error *err)
{
    struct stoa_batch *batch;
    enum stoa_status st;

    /* What fails leaves the scan where it is: the next call tries the same again. */
    while (scan->ready_at == scan->nready && scan->next_unit < scan->nunits && scan->left > 0)
        STOA_TRY(fill(scan, err));
    if (scan->ready_at == scan->nready || scan->left == 0)
        return stoa_batch_init(out, &scan->schema, err);
    batch = &scan->ready[scan->ready_at];
    if (batch->nrows > scan->left)
        STOA_TRY(keep_first(batch, (size_t)scan->left, err));
    if (scan->left != UINT64_MAX)
        scan->left -= batch->nrows;
    *out = *batch;
    scan->ready_at++;
    return STOA_OK;
out:
    return st;
}

/* ---- Counting. ---- */

struct count {
    struct stoa_scan *scan;
    uint64_t nrows;
};

static enum stoa_status count_unit(void *context, const struct stoa_scan_unit *unit, void *made,
                                   struct stoa_error *err)
{
    return stoa_scan_unit_count(((const struct count *)context)->scan, unit, made, err);
}

static enum stoa_status add_nrows(void *context, void *made, struct stoa_error *err)
{
    (void)err;
    ((struct count *)context)->nrows += *(const uint64_t *)made;
    return STOA_OK;
}

enum stoa_status stoa_scan_count(struct stoa_scan *scan, uint64_t *nrows, struct stoa_error *err)
{
    struct count count = {.scan = scan};
    struct stoa_scan_pass pass = {
        .scan = scan,
        .end = scan->nunits,
        .made_nbytes = sizeof(uint64_t),
        .read = count_unit,
        .take = add_nrows,
        .context = &count,
    };
    enum stoa_status st = stoa_scan_run_pass(&pass, err);

    if (st == STOA_OK)
        *nrows = count.nrows < scan->limit ? count.nrows : scan->limit;
    return st;
}
