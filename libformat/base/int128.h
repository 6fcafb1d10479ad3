/*
 * Signed 128-bit integers: the values of decimals and the sums of integers.
 *
 * A value lies in memory like one number of 16 bytes in native byte order, two's complement, as in
 * Arrow's decimal128, so that an array of them is a column buffer. Nothing here needs a compiler
 * with a type of 128 bits. The operations that return bool are false, and leave *out alone, where
 * the result does not fit.
 */
#ifndef STOA_BASE_INT128_H
#define STOA_BASE_INT128_H

#include <stdbool.h>
#include <stdint.h>

struct stoa_int128 {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t lo;
    int64_t hi;
#else
    int64_t hi;
    uint64_t lo;
#endif
};

/* Decimal digits that always fit. */
#define STOA_INT128_DIGITS 38

/* 10^0 .. 10^19. */
extern const uint64_t stoa_pow10[20];

/* The low half of a * b; *high is the other. `_portable` is the reference for 32-bit machines. */
static inline uint64_t stoa_mul_wide_portable(uint64_t a, uint64_t b, uint64_t *high)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + ((a0 * b0) >> 32); /* at most 2^64 - 2^32: no carry is lost */
    uint64_t other = a0 * b1 + (uint32_t)middle;

    *high = a1 * b1 + (middle >> 32) + (other >> 32);
    return a * b;
}

static inline uint64_t stoa_mul_wide(uint64_t a, uint64_t b, uint64_t *high)
{
#if defined(__SIZEOF_INT128__)
    __extension__ const unsigned __int128 product = (unsigned __int128)a * b;

    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
#else
    return stoa_mul_wide_portable(a, b, high);
#endif
}

/* (high * 2^64 + low) / divisor; high < divisor, so that the quotient fits. */
uint64_t stoa_div_wide(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *remainder);

static inline struct stoa_int128 stoa_int128_from_i64(int64_t x)
{
    return (struct stoa_int128){.lo = (uint64_t)x, .hi = x < 0 ? -1 : 0};
}

static inline struct stoa_int128 stoa_int128_from_u64(uint64_t x)
{
    return (struct stoa_int128){.lo = x, .hi = 0};
}

static inline bool stoa_int128_fits_i64(struct stoa_int128 x)
{
    return x.hi == ((int64_t)x.lo < 0 ? -1 : 0); /* then the value is (int64_t)x.lo */
}

static inline bool stoa_int128_fits_u64(struct stoa_int128 x)
{
    return x.hi == 0; /* then the value is x.lo */
}

/* -1, 0 or 1 as a is less than, equal to or greater than b. */
static inline int stoa_int128_cmp(struct stoa_int128 a, struct stoa_int128 b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}

static inline bool stoa_int128_add(struct stoa_int128 a, struct stoa_int128 b,
                                   struct stoa_int128 *out)
{
    struct stoa_int128 sum = {0};
    bool carry = __builtin_add_overflow(a.lo, b.lo, &sum.lo);
    bool overflow = __builtin_add_overflow(a.hi, b.hi, &sum.hi);

    /* The carry may bring an overflow downwards back into range: two wrongs make a right. */
    overflow ^= __builtin_add_overflow(sum.hi, (int64_t)carry, &sum.hi);
    if (!overflow)
        *out = sum;
    return !overflow;
}

static inline bool stoa_int128_sub(struct stoa_int128 a, struct stoa_int128 b,
                                   struct stoa_int128 *out)
{
    struct stoa_int128 difference = {0};
    bool borrow = __builtin_sub_overflow(a.lo, b.lo, &difference.lo);
    bool overflow = __builtin_sub_overflow(a.hi, b.hi, &difference.hi);

    overflow ^= __builtin_sub_overflow(difference.hi, (int64_t)borrow, &difference.hi);
    if (!overflow)
        *out = difference;
    return !overflow;
}

static inline bool stoa_int128_neg(struct stoa_int128 x, struct stoa_int128 *out)
{
    return stoa_int128_sub(stoa_int128_from_i64(0), x, out);
}

bool stoa_int128_mul_u64(struct stoa_int128 x, uint64_t factor, struct stoa_int128 *out);

/* x * 10^power for any power. */
bool stoa_int128_mul_pow10(struct stoa_int128 x, unsigned power, struct stoa_int128 *out);

/*
 * x / divisor rounded towards zero. *remainder is the size of what is left over, which has the
 * sign of x. divisor > 0.
 */
struct stoa_int128 stoa_int128_div_u64(struct stoa_int128 x, uint64_t divisor, uint64_t *remainder);

/* x / 10^power rounded towards zero; *remainder has the sign of x. power <= 38. */
struct stoa_int128 stoa_int128_div_pow10(struct stoa_int128 x, unsigned power,
                                         struct stoa_int128 *remainder);

/* Whether |x| < 10^ndigits, the rule of decimal(ndigits, s). ndigits <= 38. */
bool stoa_int128_fits_digits(struct stoa_int128 x, unsigned ndigits);

#endif
