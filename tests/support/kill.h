/*
 * Work that is killed at a system call.
 */
#ifndef STOA_TESTS_SUPPORT_KILL_H
#define STOA_TESTS_SUPPORT_KILL_H

#include <stdbool.h>

/*
 * Calls `work` in a child, which it may kill by STOA_TEST_POSIX_KILL of support/fault_posix.h;
 * false when it came to its end. `work` returns whether it succeeded: without a kill it has to.
 */
bool stoa_test_is_killed(bool (*work)(void *context), void *context);

#endif
