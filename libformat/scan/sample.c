/*
 * Random samples of the rows that a scan selects.
 *
 * Every row of a file has a place in a random order, a number of 64 bits made of the seed and the
 * number of the row. The sample of n rows are the n with the least places; of a fraction, those
 * whose place is below it. So one pass is enough, in any order and by any number of threads.
 *
 *     row group --> rows with a place below the limit --> pool --(too full)--> the n least
 *                                   ^--------- the greatest of them is the new limit ---'
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "scan/scan_state.h"

/* A row and its place in the random order; no two rows have the same. */
struct candidate {
    uint64_t place;
    uint64_t row;
};

struct pool {
    struct candidate *candidates;
    size_t n;
    size_t capacity;
};

struct run {
    struct stoa_scan *scan;
    uint64_t seed;
    uint64_t nrows;             /* wanted; UINT64_MAX: all below the limit */
    atomic_uint_fast64_t limit; /* places up to this one may be in the sample; only falls */
    struct pool pool;
};

/* The finaliser of splitmix64: one to one, and each bit of x changes half of the result's. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t place_of(uint64_t row, uint64_t seed)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t key = mix(seed + golden);

    return mix(mix((row + 1) * golden ^ key) + key);
}

static enum stoa_status add(struct pool *pool, uint64_t place, uint64_t row, struct stoa_error *err)
{
    enum stoa_status st = stoa_reserve(&pool->candidates, &pool->capacity, pool->n + 1,
                                       sizeof(*pool->candidates), err);

    if (st == STOA_OK)
        pool->candidates[pool->n++] = (struct candidate){place, row};
    return st;
}

/* ---- One row group. ---- */

static enum stoa_status add_row(const struct run *run, struct pool *pool, uint64_t number,
                                uint64_t limit, struct stoa_error *err)
{
    const uint64_t place = place_of(number, run->seed);

    return place <= limit ? add(pool, place, number, err) : STOA_OK;
}

static void reset_pool(void *made)
{
    stoa_free(((struct pool *)made)->candidates);
}

static enum stoa_status sample_unit(void *context, const struct stoa_scan_unit *unit, void *made,
                                    struct stoa_error *err)
{
    struct run *run = context;
    const uint64_t first = unit->rows.first_row;
    const uint64_t limit = atomic_load(&run->limit);
    struct stoa_scan_selection selection = {0};
    enum stoa_status st = STOA_OK;

    if (stoa_scan_unit_is_whole(run->scan, unit)) {
        for (uint32_t row = 0; row < unit->rows.nrows; row++)
            STOA_TRY(add_row(run, made, first + row, limit, err));
    } else {
        STOA_TRY(stoa_scan_select(run->scan, unit, UINT64_MAX, &selection, err));
        for (size_t i = 0; i < selection.nrows; i++)
            STOA_TRY(add_row(run, made, first + selection.rows[i], limit, err));
    }
out:
    stoa_scan_selection_reset(&selection);
    return st;
}

/* ---- The pool of all. ---- */

static int by_place(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return (x->place > y->place) - (x->place < y->place);
}

static int by_row(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return (x->row > y->row) - (x->row < y->row);
}

/* Leaves the rows with the least places. */
static void trim(struct run *run)
{
    struct pool *pool = &run->pool;

    if (pool->n <= run->nrows)
        return;
    qsort(pool->candidates, pool->n, sizeof(*pool->candidates), by_place);
    pool->n = (size_t)run->nrows;
    atomic_store(&run->limit, pool->candidates[pool->n - 1].place);
}

static enum stoa_status collect(void *context, void *made, struct stoa_error *err)
{
    struct run *run = context;
    const struct pool *pool = made;
    const uint64_t limit = atomic_load(&run->limit); /* it may have fallen since */
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < pool->n; i++) {
        const struct candidate *candidate = &pool->candidates[i];

        if (candidate->place <= limit)
            STOA_TRY(add(&run->pool, candidate->place, candidate->row, err));
    }
    /* Sorting twice as many as are wanted costs little for each row that comes in. */
    if (run->pool.n / 2 > run->nrows)
        trim(run);
out:
    return st;
}

/* The numbers of the rows in the pool, rising. */
static enum stoa_status finish(struct run *run, uint64_t **rows, size_t *nrows,
                               struct stoa_error *err)
{
    struct pool *pool = &run->pool;
    uint64_t *numbers;
    enum stoa_status st;

    trim(run);
    STOA_TRY(stoa_alloc_zeroed(&numbers, pool->n, sizeof(*numbers), err));
    if (pool->n > 0)
        qsort(pool->candidates, pool->n, sizeof(*pool->candidates), by_row);
    for (size_t i = 0; i < pool->n; i++)
        numbers[i] = pool->candidates[i].row;
    *rows = numbers;
    *nrows = pool->n;
out:
    return st;
}

/* The greatest place below a fraction of all of them, which is taken to 53 bits. */
static uint64_t last_place(double fraction)
{
    const uint64_t steps = (uint64_t)(fraction * 0x1p53);

    return ((steps > 0 ? steps : 1) << 11) - 1; /* 2^64 - 1 for a fraction of 1 */
}

enum stoa_status stoa_scan_sample(struct stoa_scan *scan, const struct stoa_sample_options *options,
                                  uint64_t **rows, size_t *nrows, struct stoa_error *err)
{
    const double fraction = options->fraction;
    struct run run = {
        .scan = scan,
        .seed = options->seed,
        .nrows = options->nrows > 0 ? options->nrows : UINT64_MAX,
    };
    struct stoa_scan_pass pass = {
        .scan = scan,
        .end = scan->nunits,
        .made_nbytes = sizeof(struct pool),
        .read = sample_unit,
        .take = collect,
        .reset = reset_pool,
        .context = &run,
    };
    enum stoa_status st;

    if (!(fraction >= 0 && fraction <= 1) || (options->nrows == 0) != (fraction > 0))
        return stoa_fail(err, STOA_ERR_USAGE,
                         "a sample is of 1 row or more, or of a fraction between 0 and 1");
    if (scan->limit != UINT64_MAX)
        return stoa_fail(err, STOA_ERR_USAGE, "a scan with a limit can't be sampled");
    atomic_init(&run.limit, options->nrows > 0 ? UINT64_MAX : last_place(fraction));
    STOA_TRY(stoa_scan_run_pass(&pass, err));
    STOA_TRY(finish(&run, rows, nrows, err));
out:
    stoa_free(run.pool.candidates);
    return st;
}
