/*
 * An allocator that counts what is alive and fails on purpose.
 *
 * Most tests need one call only: it runs a scenario again and again, in which allocation 1, 2, 3
 * ... fails, and stops when the scenario is through without meeting the failure.
 *
 *     static enum stoa_status packs_and_unpacks(void *context, struct stoa_error *err) { ... }
 *
 *     static void a_failing_allocation_is_reported(void **state)
 *     {
 *         stoa_test_each_failing_alloc(packs_and_unpacks, NULL);
 *     }
 */
#ifndef STOA_TESTS_SUPPORT_FAULT_ALLOC_H
#define STOA_TESTS_SUPPORT_FAULT_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stoa/base.h>

/*
 * Does some work, frees all that it allocated, and returns the status of the work. It may assert
 * what must hold after a failure too (the old file is intact), and must not keep anything.
 */
typedef enum stoa_status stoa_test_scenario(void *context, struct stoa_error *err);

/*
 * Twice over n = 1, 2, 3 ...: only the nth allocation fails; the nth and all later ones fail.
 * Each run that meets a failure must return STOA_ERR_NOMEM with a message, the last one STOA_OK,
 * and none may leave a block behind; else the running cmocka test fails and says at which n.
 */
void stoa_test_each_failing_alloc(stoa_test_scenario *scenario, void *context);

/* The pieces, for tests that need another loop. Any thread may allocate in between. */
enum stoa_test_fault { STOA_TEST_FAULT_ONCE, STOA_TEST_FAULT_FROM_THEN_ON };

/* Makes libstoa use this allocator; allocation number fail_at, from 1, fails; 0 is none. */
void stoa_test_alloc_begin(uint64_t fail_at, enum stoa_test_fault fault);

struct stoa_test_alloc_counts {
    uint64_t nallocs; /* calls that asked for memory, the failed ones included */
    uint64_t nfailed;
    int64_t nlive;       /* blocks handed out and not freed */
    int64_t peak_nbytes; /* of blocks that were there at once, about */
};

/* Gives libstoa its own allocator back. */
struct stoa_test_alloc_counts stoa_test_alloc_end(void);

#endif
