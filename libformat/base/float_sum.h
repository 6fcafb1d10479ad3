/*
 * Exact sums of doubles.
 *
 * A sum of floats that is rounded after each addition depends on the order of the values, so it
 * would depend on threads and row groups. This one is a number wide enough for every bit that a
 * double can have: nothing is rounded until the end, the order does not matter, and the result is
 * the double nearest to the true sum (Python's math.fsum()). Doubles in blocks cost little more
 * than a plain sum, see the .c file.
 */
#ifndef STOA_BASE_FLOAT_SUM_H
#define STOA_BASE_FLOAT_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STOA_FLOAT_SUM_NDIGITS = 70 };

/* `{0}` is the sum of nothing. */
struct stoa_float_sum {
    /* digit i counts 2^(32 i - 1074); between carries it may be any int64 */
    int64_t digits[STOA_FLOAT_SUM_NDIGITS];
    uint64_t nadded; /* since carries were last moved up */
    uint64_t nnans;
    uint64_t nplus; /* infinities */
    uint64_t nminus;
};

void stoa_float_sum_add(struct stoa_float_sum *sum, const double *values, size_t nvalues);
void stoa_float_sum_merge(struct stoa_float_sum *sum, const struct stoa_float_sum *other);

/*
 * The double nearest to sum / divisor, ties to even: the sum itself with 1, the mean with the
 * number of values. As in floating-point arithmetic a NaN makes it NaN, infinities of both signs
 * too, and what is too great is infinite. A zero is 0.0. 0 < divisor < 2^63.
 */
double stoa_float_sum_round(const struct stoa_float_sum *sum, uint64_t divisor);

#endif
