/*
 * The counts are atomic, because a scenario may use threads. Blocks carry no mark: what was
 * allocated before stoa_test_alloc_begin() may be freed or resized after it.
 */
#include "support/fault_alloc.h"

#include <inttypes.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

static struct {
    uint64_t fail_at;
    enum stoa_test_fault fault;
    atomic_uint_fast64_t nallocs;
    atomic_uint_fast64_t nfailed;
    atomic_int_fast64_t nlive;
    atomic_int_fast64_t nbytes; /* of these, as large as the C library made them */
    atomic_int_fast64_t peak_nbytes;
} faults;

static void count_bytes(int_fast64_t more)
{
    const int_fast64_t now = atomic_fetch_add(&faults.nbytes, more) + more;
    int_fast64_t peak = atomic_load(&faults.peak_nbytes);

    while (now > peak && !atomic_compare_exchange_weak(&faults.peak_nbytes, &peak, now))
        ;
}

static void *fault_reallocate(void *context, void *memory, size_t nbytes)
{
    const uint64_t n = atomic_fetch_add(&faults.nallocs, 1) + 1;
    const size_t before = malloc_usable_size(memory);
    void *block;

    (void)context;
    if (n == faults.fail_at || (faults.fail_at != 0 && n > faults.fail_at &&
                                faults.fault == STOA_TEST_FAULT_FROM_THEN_ON)) {
        atomic_fetch_add(&faults.nfailed, 1);
        return NULL;
    }
    block = realloc(memory, nbytes);
    if (block != NULL)
        count_bytes((int_fast64_t)malloc_usable_size(block) - (int_fast64_t)before);
    if (memory == NULL && block != NULL)
        atomic_fetch_add(&faults.nlive, 1);
    return block;
}

static void fault_release(void *context, void *memory)
{
    (void)context;
    if (memory != NULL)
        atomic_fetch_sub(&faults.nlive, 1);
    count_bytes(-(int_fast64_t)malloc_usable_size(memory));
    free(memory);
}

void stoa_test_alloc_begin(uint64_t fail_at, enum stoa_test_fault fault)
{
    static const struct stoa_allocator allocator = {
        .reallocate = fault_reallocate,
        .release = fault_release,
    };

    faults.fail_at = fail_at;
    faults.fault = fault;
    atomic_store(&faults.nallocs, 0);
    atomic_store(&faults.nfailed, 0);
    atomic_store(&faults.nlive, 0);
    atomic_store(&faults.nbytes, 0);
    atomic_store(&faults.peak_nbytes, 0);
    stoa_allocator_set(&allocator);
}

struct stoa_test_alloc_counts stoa_test_alloc_end(void)
{
    stoa_allocator_set(NULL);
    return (struct stoa_test_alloc_counts){
        .nallocs = atomic_load(&faults.nallocs),
        .nfailed = atomic_load(&faults.nfailed),
        .nlive = atomic_load(&faults.nlive),
        .peak_nbytes = atomic_load(&faults.peak_nbytes),
    };
}

/* One run; returns whether it met the failure. */
static bool run_failing_at(uint64_t n, enum stoa_test_fault fault, stoa_test_scenario *scenario,
                           void *context)
{
    const char *how = fault == STOA_TEST_FAULT_ONCE ? "once" : "from then on";
    struct stoa_test_alloc_counts counts;
    struct stoa_error err = {0};
    enum stoa_status st;

    stoa_test_alloc_begin(n, fault);
    st = scenario(context, &err);
    counts = stoa_test_alloc_end();

    if (counts.nlive != 0)
        fail_msg("allocation %" PRIu64 " fails (%s): %" PRId64 " blocks are left behind", n, how,
                 counts.nlive);
    if (counts.nfailed > 0 && st != STOA_ERR_NOMEM)
        fail_msg("allocation %" PRIu64 " fails (%s): the status is \"%s\" (%s)", n, how,
                 stoa_status_name(st), err.message);
    if (counts.nfailed > 0 && err.message[0] == '\0')
        fail_msg("allocation %" PRIu64 " fails (%s): there is no message", n, how);
    if (counts.nfailed == 0 && st != STOA_OK)
        fail_msg("no allocation fails: the status is \"%s\" (%s)", stoa_status_name(st),
                 err.message);
    return counts.nfailed > 0;
}

void stoa_test_each_failing_alloc(stoa_test_scenario *scenario, void *context)
{
    uint64_t once = 1, from_then_on = 1;

    while (run_failing_at(once, STOA_TEST_FAULT_ONCE, scenario, context))
        once++;
    while (run_failing_at(from_then_on, STOA_TEST_FAULT_FROM_THEN_ON, scenario, context))
        from_then_on++;
    if (once == 1)
        fail_msg("the scenario never allocates");
}
