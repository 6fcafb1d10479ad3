/*
 * Numbers for generated tests, the same on every machine for the same seed (xoshiro256**). Draw one
 * number a statement: in which order the arguments of a call are drawn is up to the compiler.
 *
 * A generator prints its seed when it starts, as a comment of the TAP output. STOA_TEST_SEED in the
 * environment replaces the seed, STOA_TEST_SCALE multiplies how many cases are generated (0.1, 50;
 * an eighth under the sanitizers of gcc).
 */
#ifndef STOA_TESTS_SUPPORT_RANDOM_H
#define STOA_TESTS_SUPPORT_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stoa_test_random {
    uint64_t state[4];
};

/* Seeds from `name`, so that every test draws numbers of its own, and prints the seed. */
void stoa_test_random_init(struct stoa_test_random *r, const char *name);

/* Seeds without printing: for generated data that has to stay the same. */
void stoa_test_random_seed(struct stoa_test_random *r, uint64_t seed);

uint64_t stoa_test_random_u64(struct stoa_test_random *r);

/* In [0, n); n > 0. */
uint64_t stoa_test_random_below(struct stoa_test_random *r, uint64_t n);

/* In [low, high], both included. */
int64_t stoa_test_random_between(struct stoa_test_random *r, int64_t low, int64_t high);

/* True once in n calls on average; n > 0. */
bool stoa_test_random_one_in(struct stoa_test_random *r, uint64_t n);

/* Every bit width 0..64 is equally likely, so small numbers come as often as large ones. */
uint64_t stoa_test_random_wide(struct stoa_test_random *r);

/* A double in [0, 1). */
double stoa_test_random_unit(struct stoa_test_random *r);

void stoa_test_random_bytes(struct stoa_test_random *r, void *out, size_t nbytes);

/* n < 300 characters out of `of`, each as likely, in a place that the next call uses again. */
const char *stoa_test_random_text(struct stoa_test_random *r, size_t n, const char *of);

/* How many cases to generate where `ncases` is the usual number: scaled, at least 1. */
size_t stoa_test_ncases(size_t ncases);

#endif
