/*
 * Signed 256-bit integers: the values of decimals of more than 38 digits.
 *
 * A value lies in memory like one number of 32 bytes in native byte order, two's complement, as in
 * Arrow's decimal256, so that an array of them is a column buffer. The operations that return bool
 * are false, and leave *out alone, where the result does not fit.
 */
#ifndef STOA_BASE_INT256_H
#define STOA_BASE_INT256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/int128.h"

struct stoa_int256 {
    uint64_t words[4]; /* in native order: word i, from the lowest, is words[STOA_INT256_WORD(i)] */
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define STOA_INT256_WORD(i) (i)
#else
#define STOA_INT256_WORD(i) (3 - (i))
#endif

/* Decimal digits that always fit. */
#define STOA_INT256_DIGITS 76

static inline bool stoa_int256_is_negative(struct stoa_int256 x)
{
    return x.words[STOA_INT256_WORD(3)] >> 63;
}

static inline struct stoa_int256 stoa_int256_from_i128(struct stoa_int128 x)
{
    struct stoa_int256 wide;

    wide.words[STOA_INT256_WORD(0)] = x.lo;
    wide.words[STOA_INT256_WORD(1)] = (uint64_t)x.hi;
    wide.words[STOA_INT256_WORD(2)] = wide.words[STOA_INT256_WORD(3)] = x.hi < 0 ? UINT64_MAX : 0;
    return wide;
}

static inline struct stoa_int256 stoa_int256_from_i64(int64_t x)
{
    return stoa_int256_from_i128(stoa_int128_from_i64(x));
}

static inline struct stoa_int256 stoa_int256_from_u64(uint64_t x)
{
    return stoa_int256_from_i128(stoa_int128_from_u64(x));
}

/* The lower half; the value itself where stoa_int256_fits_i128(). */
static inline struct stoa_int128 stoa_int256_low(struct stoa_int256 x)
{
    return (struct stoa_int128){.lo = x.words[STOA_INT256_WORD(0)],
                                .hi = (int64_t)x.words[STOA_INT256_WORD(1)]};
}

static inline bool stoa_int256_fits_i128(struct stoa_int256 x)
{
    uint64_t sign = (int64_t)x.words[STOA_INT256_WORD(1)] < 0 ? UINT64_MAX : 0;

    return x.words[STOA_INT256_WORD(2)] == sign && x.words[STOA_INT256_WORD(3)] == sign;
}

/* -1, 0 or 1 as a is less than, equal to or greater than b. */
static inline int stoa_int256_cmp(struct stoa_int256 a, struct stoa_int256 b)
{
    int64_t a_top = (int64_t)a.words[STOA_INT256_WORD(3)];
    int64_t b_top = (int64_t)b.words[STOA_INT256_WORD(3)];

    if (a_top != b_top)
        return a_top < b_top ? -1 : 1;
    for (int i = 2; i >= 0; i--) {
        uint64_t x = a.words[STOA_INT256_WORD(i)], y = b.words[STOA_INT256_WORD(i)];

        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

bool stoa_int256_add(struct stoa_int256 a, struct stoa_int256 b, struct stoa_int256 *out);
bool stoa_int256_sub(struct stoa_int256 a, struct stoa_int256 b, struct stoa_int256 *out);
bool stoa_int256_neg(struct stoa_int256 x, struct stoa_int256 *out);
bool stoa_int256_mul_u64(struct stoa_int256 x, uint64_t factor, struct stoa_int256 *out);

/* x * 10^power for any power. */
bool stoa_int256_mul_pow10(struct stoa_int256 x, unsigned power, struct stoa_int256 *out);

/*
 * x / divisor rounded towards zero. *remainder is the size of what is left over, which has the
 * sign of x. divisor > 0.
 */
struct stoa_int256 stoa_int256_div_u64(struct stoa_int256 x, uint64_t divisor, uint64_t *remainder);

/* x / 10^power rounded towards zero; *remainder has the sign of x. power <= 76. */
struct stoa_int256 stoa_int256_div_pow10(struct stoa_int256 x, unsigned power,
                                         struct stoa_int256 *remainder);

/* Whether |x| < 10^ndigits, the rule of decimal(ndigits, s). ndigits <= 76. */
bool stoa_int256_fits_digits(struct stoa_int256 x, unsigned ndigits);

#endif
