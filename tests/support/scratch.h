/*
 * A folder in memory for programs that are no cmocka tests, fuzzers for one.
 */
#ifndef STOA_TESTS_SUPPORT_SCRATCH_H
#define STOA_TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

/*
 * The path of `name` in the folder, which is made at the first call, under /dev/shm where there is
 * one, and removed with all that is in it when the program ends. Lent until then; `name` is one of
 * few. Ends the program when that fails, as do the others.
 */
const char *stoa_test_scratch_path(const char *name);

void stoa_test_scratch_put(const char *path, const void *bytes, size_t nbytes);

/* The bytes of a file in memory of just that size; free() them. NULL: there is no such file. */
uint8_t *stoa_test_scratch_get(const char *path, size_t *nbytes);

#endif
