/*
 * Powers of ten to 128 bits, for number_parse.c and number_format.c only.
 *
 * Entry [p - STOA_POW10_FIRST] is 10^p scaled by a power of two into [2^127, 2^128) and rounded
 * down; it is exact for 0 <= p <= 55, where 5^p has at most 128 bits. `low` is never UINT64_MAX, so
 * rounding up is low + 1.
 */
#ifndef STOA_BASE_NUMBER_POW10_H
#define STOA_BASE_NUMBER_POW10_H

#include <stdbool.h>
#include <stdint.h>

#define STOA_POW10_FIRST (-342)
#define STOA_POW10_LAST  324

struct stoa_pow10_bits {
    uint64_t high;
    uint64_t low;
};

extern const struct stoa_pow10_bits stoa_pow10_bits[STOA_POW10_LAST - STOA_POW10_FIRST + 1];

static inline bool stoa_pow10_is_exact(int power)
{
    return power >= 0 && power <= 55;
}

/* floor(log2(10^power)) for every power of the table; the script that writes it checks this. */
static inline int stoa_pow10_floor_log2(int power)
{
    return (power * 217706) >> 16;
}

#endif
