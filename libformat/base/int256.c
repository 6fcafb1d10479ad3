/*
 * 256-bit sums, and products and quotients by one word: on the size of the number in four words,
 * the lowest first, the sign put back last.
 */
#include "base/int256.h"

#include <assert.h>

#include "base/bits.h"

#define NWORDS 4

/* a + b + carry (0 or 1); *carry is the new one. */
static uint64_t add_words(uint64_t a, uint64_t b, uint64_t *carry)
{
    uint64_t sum;
    bool first = __builtin_add_overflow(a, b, &sum);
    bool second = __builtin_add_overflow(sum, *carry, &sum);

    *carry = first || second;
    return sum;
}

/* a + b, or a + ~b + 1, which is a - b: modulo 2^256. */
static struct stoa_int256 add_signed(struct stoa_int256 a, struct stoa_int256 b, bool subtract)
{
    uint64_t flip = subtract ? UINT64_MAX : 0, carry = subtract;
    struct stoa_int256 sum;

    for (int i = 0; i < NWORDS; i++) {
        int at = STOA_INT256_WORD(i);

        sum.words[at] = add_words(a.words[at], b.words[at] ^ flip, &carry);
    }
    return sum;
}

bool stoa_int256_add(struct stoa_int256 a, struct stoa_int256 b, struct stoa_int256 *out)
{
    struct stoa_int256 sum = add_signed(a, b, false);
    bool sign = stoa_int256_is_negative(a);

    if (sign == stoa_int256_is_negative(b) && sign != stoa_int256_is_negative(sum))
        return false;
    *out = sum;
    return true;
}

bool stoa_int256_sub(struct stoa_int256 a, struct stoa_int256 b, struct stoa_int256 *out)
{
    struct stoa_int256 difference = add_signed(a, b, true);
    bool sign = stoa_int256_is_negative(a);

    if (sign != stoa_int256_is_negative(b) && sign != stoa_int256_is_negative(difference))
        return false;
    *out = difference;
    return true;
}

bool stoa_int256_neg(struct stoa_int256 x, struct stoa_int256 *out)
{
    return stoa_int256_sub(stoa_int256_from_i64(0), x, out);
}

/* |x|, lowest word first. That of the least number, 2^255, fits too. */
static void size_of(struct stoa_int256 x, uint64_t size[NWORDS])
{
    if (stoa_int256_is_negative(x))
        x = add_signed(stoa_int256_from_i64(0), x, true);
    for (int i = 0; i < NWORDS; i++)
        size[i] = x.words[STOA_INT256_WORD(i)];
}

/* The number of this size and sign; false when size > 2^255 - 1 (2^255 for a negative one). */
static bool with_sign(const uint64_t size[NWORDS], bool negative, struct stoa_int256 *out)
{
    const uint64_t top = UINT64_C(1) << 63;
    bool is_least = size[3] == top && (size[2] | size[1] | size[0]) == 0;
    struct stoa_int256 x;

    if (size[3] >= top && !(negative && is_least))
        return false;
    for (int i = 0; i < NWORDS; i++)
        x.words[STOA_INT256_WORD(i)] = size[i];
    *out = negative ? add_signed(stoa_int256_from_i64(0), x, true) : x;
    return true;
}

bool stoa_int256_mul_u64(struct stoa_int256 x, uint64_t factor, struct stoa_int256 *out)
{
    uint64_t size[NWORDS], high = 0;

    size_of(x, size);
    for (int i = 0; i < NWORDS; i++) {
        uint64_t next, carry = 0;
        uint64_t low = stoa_mul_wide(size[i], factor, &next);

        size[i] = add_words(low, high, &carry);
        high = next + carry; /* the high word of a product is at most 2^64 - 2 */
    }
    return high == 0 && with_sign(size, stoa_int256_is_negative(x), out);
}

static bool is_zero(struct stoa_int256 x)
{
    return (x.words[0] | x.words[1] | x.words[2] | x.words[3]) == 0;
}

bool stoa_int256_mul_pow10(struct stoa_int256 x, unsigned power, struct stoa_int256 *out)
{
    if (is_zero(x))
        power = 0;
    for (; power > 19; power -= 19) {
        if (!stoa_int256_mul_u64(x, stoa_pow10[19], &x))
            return false;
    }
    return stoa_int256_mul_u64(x, stoa_pow10[power], out);
}

struct stoa_int256 stoa_int256_div_u64(struct stoa_int256 x, uint64_t divisor, uint64_t *remainder)
{
    uint64_t size[NWORDS], rest = 0;
    struct stoa_int256 quotient = stoa_int256_from_i64(0);
    bool fits;

    assert(divisor > 0);
    size_of(x, size);
    for (int i = NWORDS - 1; i >= 0; i--)
        size[i] = stoa_div_wide(rest, size[i], divisor, &rest);
    *remainder = rest;
    fits = with_sign(size, stoa_int256_is_negative(x), &quotient);
    assert(fits); /* a quotient is no larger than x */
    (void)fits;
    return quotient;
}

struct stoa_int256 stoa_int256_div_pow10(struct stoa_int256 x, unsigned power,
                                         struct stoa_int256 *remainder)
{
    struct stoa_int256 quotient = x, product = stoa_int256_from_i64(0);
    bool fits;

    assert(power <= STOA_INT256_DIGITS);
    for (unsigned left = power; left > 0;) {
        unsigned step = left < 19 ? left : 19;
        uint64_t rest;

        quotient = stoa_int256_div_u64(quotient, stoa_pow10[step], &rest);
        left -= step;
    }
    fits =
        stoa_int256_mul_pow10(quotient, power, &product) && stoa_int256_sub(x, product, remainder);
    assert(fits); /* the product is no larger than x, and has its sign */
    (void)fits;
    return quotient;
}

/* Bits of |x|: 0 for 0, 256 for the least number. */
static unsigned count_bits(struct stoa_int256 x)
{
    uint64_t size[NWORDS];
    unsigned i = NWORDS - 1;

    size_of(x, size);
    while (i > 0 && size[i] == 0)
        i--;
    return 64 * i + stoa_bit_width(size[i]);
}

bool stoa_int256_fits_digits(struct stoa_int256 x, unsigned ndigits)
{
    struct stoa_int256 limit = stoa_int256_from_i64(0), negative = limit;
    bool fits;

    assert(ndigits <= STOA_INT256_DIGITS);
    if (count_bits(x) <= ndigits * 3401 / 1024) /* log2(10), rounded down: nearly always enough */
        return true;
    fits = stoa_int256_mul_pow10(stoa_int256_from_i64(1), ndigits, &limit) &&
           stoa_int256_neg(limit, &negative);
    assert(fits);
    (void)fits;
    return stoa_int256_cmp(negative, x) < 0 && stoa_int256_cmp(x, limit) < 0;
}
