/*
 * 128-bit products and quotients: on the size of the number in two words, the sign put back last.
 */
#include "base/int128.h"

#include <assert.h>

#define TEN_TO_19 UINT64_C(10000000000000000000)

/* clang-format off */
const uint64_t stoa_pow10[20] = {
    UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000), UINT64_C(100000),
    UINT64_C(1000000), UINT64_C(10000000), UINT64_C(100000000), UINT64_C(1000000000),
    UINT64_C(10000000000), UINT64_C(100000000000), UINT64_C(1000000000000),
    UINT64_C(10000000000000), UINT64_C(100000000000000), UINT64_C(1000000000000000),
    UINT64_C(10000000000000000), UINT64_C(100000000000000000), UINT64_C(1000000000000000000),
    TEN_TO_19,
};
/* clang-format on */

struct size128 {
    uint64_t lo;
    uint64_t hi;
};

static struct size128 size_of(struct stoa_int128 x)
{
    struct size128 size = {x.lo, (uint64_t)x.hi};

    if (x.hi < 0) {
        size.lo = 0 - size.lo;
        size.hi = ~size.hi + (size.lo == 0);
    }
    return size;
}

/* The number of this size and sign; false when size > 2^127 - 1 (2^127 for a negative one). */
static bool with_sign(struct size128 size, bool negative, struct stoa_int128 *out)
{
    const uint64_t top = UINT64_C(1) << 63;

    if (size.hi >= top && !(negative && size.hi == top && size.lo == 0))
        return false;
    if (negative) {
        size.lo = 0 - size.lo;
        size.hi = ~size.hi + (size.lo == 0);
    }
    *out = (struct stoa_int128){.lo = size.lo, .hi = (int64_t)size.hi};
    return true;
}

bool stoa_int128_mul_u64(struct stoa_int128 x, uint64_t factor, struct stoa_int128 *out)
{
    struct size128 size = size_of(x);
    uint64_t carry, lost;

    size.lo = stoa_mul_wide(size.lo, factor, &carry);
    size.hi = stoa_mul_wide(size.hi, factor, &lost);
    if (lost != 0 || __builtin_add_overflow(size.hi, carry, &size.hi))
        return false;
    return with_sign(size, x.hi < 0, out);
}

bool stoa_int128_mul_pow10(struct stoa_int128 x, unsigned power, struct stoa_int128 *out)
{
    if (x.hi == 0 && x.lo == 0)
        power = 0;
    for (; power > 19; power -= 19) {
        if (!stoa_int128_mul_u64(x, TEN_TO_19, &x))
            return false;
    }
    return stoa_int128_mul_u64(x, stoa_pow10[power], out);
}

/*
 * Long division with digits of 32 bits. The divisor is shifted up to make the guess from its upper
 * half good: at most two too high (Knuth, The Art of Computer Programming 2, 4.3.1, theorem B).
 */
uint64_t stoa_div_wide(uint64_t hi, uint64_t lo, uint64_t divisor, uint64_t *remainder)
{
    unsigned shift = (unsigned)__builtin_clzll(divisor);
    uint64_t d = divisor << shift;
    uint64_t rest = shift > 0 ? hi << shift | lo >> (64 - shift) : hi;
    uint64_t quotient = 0;

    assert(hi < divisor);
    lo <<= shift;
    for (int half = 0; half < 2; half++) {
        uint64_t digit = rest / (d >> 32);
        uint64_t left = rest % (d >> 32);

        while (digit >> 32 != 0 || digit * (uint32_t)d > (left << 32 | lo >> 32)) {
            digit--;
            left += d >> 32;
            if (left >> 32 != 0)
                break;
        }
        rest = (rest << 32 | lo >> 32) - digit * d; /* modulo 2^64: the true value is below d */
        lo <<= 32;
        quotient = quotient << 32 | digit;
    }
    *remainder = rest >> shift;
    return quotient;
}

struct stoa_int128 stoa_int128_div_u64(struct stoa_int128 x, uint64_t divisor, uint64_t *remainder)
{
    struct size128 size = size_of(x);
    struct stoa_int128 quotient = {0};
    bool fits;

    assert(divisor > 0);
    if (size.hi == 0) {
        *remainder = size.lo % divisor;
        size.lo /= divisor;
    } else {
        uint64_t rest = size.hi % divisor;

        size.hi /= divisor;
        size.lo = stoa_div_wide(rest, size.lo, divisor, remainder);
    }
    fits = with_sign(size, x.hi < 0, &quotient);
    assert(fits); /* a quotient is no larger than x */
    (void)fits;
    return quotient;
}

struct stoa_int128 stoa_int128_div_pow10(struct stoa_int128 x, unsigned power,
                                         struct stoa_int128 *remainder)
{
    unsigned first = power <= 19 ? power : 19;
    uint64_t low, high = 0;
    struct stoa_int128 quotient, rest;
    bool fits;

    assert(power <= STOA_INT128_DIGITS);
    quotient = stoa_int128_div_u64(x, stoa_pow10[first], &low);
    if (power > first)
        quotient = stoa_int128_div_u64(quotient, stoa_pow10[power - first], &high);
    fits = stoa_int128_mul_u64(stoa_int128_from_u64(high), stoa_pow10[first], &rest) &&
           stoa_int128_add(rest, stoa_int128_from_u64(low), &rest) &&
           (x.hi >= 0 || stoa_int128_neg(rest, &rest));
    assert(fits); /* what is left is below 10^38 */
    (void)fits;
    *remainder = rest;
    return quotient;
}

bool stoa_int128_fits_digits(struct stoa_int128 x, unsigned ndigits)
{
    struct size128 size = size_of(x);
    uint64_t limit_hi = 0, limit_lo;

    assert(ndigits <= STOA_INT128_DIGITS);
    if (ndigits <= 19)
        limit_lo = stoa_pow10[ndigits];
    else
        limit_lo = stoa_mul_wide(TEN_TO_19, stoa_pow10[ndigits - 19], &limit_hi);
    return size.hi < limit_hi || (size.hi == limit_hi && size.lo < limit_lo);
}
