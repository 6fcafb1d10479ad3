/*
 * Integers of 384 bits: exact sums of whole columns.
 *
 * 2^64 numbers of 256 bits add up to less than 2^320, so a sum never overflows and the room above
 * it is enough to bring a mean to 19 more digits before it is divided. Not for storage: the words
 * stand from the least to the greatest on every machine.
 */
#ifndef STOA_BASE_WIDE_INT_H
#define STOA_BASE_WIDE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STOA_WIDE_INT_NWORDS = 6,
    STOA_WIDE_INT_NBYTES = 136, /* as text: 116 digits, sign, point, zeros in front */
};

/* Two's complement, modulo 2^384; `{0}` is 0. */
struct stoa_wide_int {
    uint64_t words[STOA_WIDE_INT_NWORDS];
};

void stoa_wide_int_add(struct stoa_wide_int *x, const struct stoa_wide_int *y);

/* Adds y * 2^(32 * half), or takes it away. half < 11. */
void stoa_wide_int_add_at(struct stoa_wide_int *x, uint64_t y, unsigned half);
void stoa_wide_int_sub_at(struct stoa_wide_int *x, uint64_t y, unsigned half);

/*
 * x * 10^ndigits / divisor, rounded to the nearest, ties to even: with the scale raised by ndigits,
 * a mean. |x| < 2^320, ndigits <= 19, divisor > 0.
 */
struct stoa_wide_int stoa_wide_int_divide(const struct stoa_wide_int *x, unsigned ndigits,
                                          uint64_t divisor);

/*
 * x / 10^scale with all `scale` digits behind the point, and no point when scale is 0: the text of
 * stoa_decimal_format(). Writes at most STOA_WIDE_INT_NBYTES bytes without a terminator and returns
 * how many. scale <= 95.
 */
size_t stoa_wide_int_format(const struct stoa_wide_int *x, unsigned scale, char *out);

#endif
