/*
 * Integers and floats as text.
 *
 * The shortest digits of a float are found as in Raffaello Giulietti's "The Schubfach way to render
 * doubles" (2021). x = c * 2^q reads back from every number nearer to x than to its neighbours:
 *
 *     ----[======= cbl ====== cb ====== cbr =======]----     quarters of the last bit: 4c - 2, 4c,
 *         |<---- at least one of s*10^k ... ---->|           4c + 2; 4c - 1 where the neighbour
 *                                                            below is at half the distance
 * With the largest k for which 10^k is no wider than this interval, one or two multiples of 10^k
 * lie in it and at most one of 10^(k+1). The three bounds are scaled by 10^-k to integers with two
 * more bits, rounded to odd: that is enough to compare them exactly, since no bound is nearer to
 * a multiple than the error of a product with 128 bits of 10^-k.
 */
#include "base/number.h"

#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/number_pow10.h"

/* ---- Integers: two digits at a time, from the end. ---- */

/* clang-format off */
const char stoa_digit_pairs[201] =
    "0001020304050607080910111213141516171819"
    "2021222324252627282930313233343536373839"
    "4041424344454647484950515253545556575859"
    "6061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";
/* clang-format on */

static void write_pair(char *out, uint64_t x)
{
    memcpy(out, stoa_digit_pairs + 2 * x, 2);
}

static unsigned count_digits(uint64_t x)
{
    unsigned n = stoa_bit_width(x | 1) * 1233 >> 12; /* log10(2) = 1233 / 4096, rounded down */

    return n + ((x | 1) >= stoa_pow10[n]);
}

/* Eight digits whose pairs do not wait for each other. */
static void write_eight(char *out, uint64_t x)
{
    uint32_t high = (uint32_t)x / 10000, low = (uint32_t)x % 10000;

    write_pair(out, high / 100);
    write_pair(out + 2, high % 100);
    write_pair(out + 4, low / 100);
    write_pair(out + 6, low % 100);
}

/* The last `ndigits` digits of x. */
static void write_digits(char *out, uint64_t x, unsigned ndigits)
{
    for (; ndigits >= 8; x /= 100000000)
        write_eight(out + (ndigits -= 8), x % 100000000);
    for (; ndigits >= 2; x /= 100)
        write_pair(out + (ndigits -= 2), x % 100);
    if (ndigits > 0)
        out[0] = (char)('0' + x % 10);
}

size_t stoa_number_format_uint64(uint64_t x, char *out)
{
    unsigned ndigits = count_digits(x);

    write_digits(out, x, ndigits);
    return ndigits;
}

size_t stoa_number_format_int64(int64_t x, char *out)
{
    if (x >= 0)
        return stoa_number_format_uint64((uint64_t)x, out);
    *out = '-';
    return 1 + stoa_number_format_uint64(0 - (uint64_t)x, out + 1);
}

/* ---- Floats: the digits. ---- */

/* digits * 10^exponent; `digits` may end with zeros. */
struct decimal {
    uint64_t digits;
    int exponent;
};

/*
 * factor * p / 2^128, the fraction replaced by a last bit that is 1 where there is one. A fraction
 * of up to 2^-63 may be the error of p, which is rounded up.
 */
static uint64_t multiply_to_odd(struct stoa_pow10_bits p, uint64_t factor)
{
    uint64_t carry, high, low;

    (void)stoa_mul_wide(factor, p.low, &carry);
    low = stoa_mul_wide(factor, p.high, &high);
    high += __builtin_add_overflow(low, carry, &low);
    return high | (low > 1);
}

/* c * 2^q, c > 0. `uneven` says that the neighbour below is at half the distance. */
static struct decimal shortest(uint64_t c, int q, bool uneven)
{
    const uint64_t open = c & 1; /* ties are read as even: an odd c loses its interval's ends */
    /* floor(log10(2^q)), or of 3/4 * 2^q: the largest 10^k no wider than the interval. */
    const int k = (q * 1262611 - (uneven ? 524031 : 0)) >> 22;
    const int shift = q + stoa_pow10_floor_log2(-k) + 1;
    struct stoa_pow10_bits p;
    uint64_t left, middle, right, s, below, above;
    bool below_inside, above_inside;

    if (q <= 0 && q > -64 && (c & ((UINT64_C(1) << -q) - 1)) == 0)
        return (struct decimal){c >> -q, 0}; /* a whole number: no other is as near as one half */
    p = stoa_pow10_bits[-k - STOA_POW10_FIRST];
    p.low += !stoa_pow10_is_exact(-k);
    left = multiply_to_odd(p, (4 * c - 2 + uneven) << shift) + open;
    middle = multiply_to_odd(p, (4 * c) << shift);
    right = multiply_to_odd(p, (4 * c + 2) << shift) - open;
    s = middle / 4;
    if (s >= 10) { /* one digit fewer? */
        below = s / 10 * 40;
        above = below + 40;
        below_inside = left <= below;
        above_inside = above <= right;
        if (below_inside != above_inside)
            return (struct decimal){(below_inside ? below : above) / 40, k + 1};
    }
    below = s * 4;
    above = below + 4;
    below_inside = left <= below;
    above_inside = above <= right;
    if (below_inside != above_inside)
        return (struct decimal){s + above_inside, k};
    /* Both: the nearer one; of two as near, the even one. */
    return (struct decimal){s + (middle > below + 2 - (s & 1)), k};
}

/* ---- Floats: the text. ---- */

#define PLAIN_MIN_POINT (-4) /* 1e-5 is 0.1 * 10^-4 */
#define PLAIN_MAX_POINT 16   /* 1e16 is 0.1 * 10^17 */

static struct decimal without_trailing_zeros(struct decimal x)
{
    if (x.digits % 10 != 0)
        return x;
    if (x.digits % 100000000 == 0) {
        x.digits /= 100000000;
        x.exponent += 8;
    }
    for (; x.digits % 100 == 0; x.digits /= 100)
        x.exponent += 2;
    if (x.digits % 10 == 0) {
        x.digits /= 10;
        x.exponent++;
    }
    return x;
}

/*
 * x with a point behind its first `nwhole` digits. The two parts are written where they belong:
 * digits that were just stored in pairs are slow to copy, slower than a division.
 */
static size_t write_with_point(char *out, uint64_t x, unsigned ndigits, unsigned nwhole)
{
    uint64_t unit = stoa_pow10[ndigits - nwhole];

    write_digits(out, x / unit, nwhole);
    out[nwhole] = '.';
    write_digits(out + nwhole + 1, x % unit, ndigits - nwhole);
    return ndigits + 1;
}

static size_t write_decimal(char *out, struct decimal x)
{
    unsigned ndigits;
    int point;
    char *p = out;

    x = without_trailing_zeros(x);
    ndigits = count_digits(x.digits);
    point = (int)ndigits + x.exponent; /* the value is 0.DIGITS * 10^point */
    if (point < PLAIN_MIN_POINT || point > PLAIN_MAX_POINT) {
        if (ndigits > 1)
            p += write_with_point(p, x.digits, ndigits, 1);
        else
            *p++ = (char)('0' + x.digits);
        *p++ = 'e';
        return (size_t)(p - out) + stoa_number_format_int64(point - 1, p);
    }
    if (point <= 0) {
        memcpy(p, "0.0000", 6);
        write_digits(p + 2 - point, x.digits, ndigits);
        return (size_t)(2 - point) + ndigits;
    }
    if (point < (int)ndigits)
        return write_with_point(p, x.digits, ndigits, (unsigned)point);
    write_digits(p, x.digits, ndigits);
    memset(p + ndigits, '0', PLAIN_MAX_POINT); /* more than needed: a fixed size is fast */
    memcpy(p + point, ".0", 2);
    return (size_t)point + 2;
}

/*
 * Most doubles of tables are decimals with few digits behind the point, which need no search. Let n
 * be x * 10^6 rounded, below 10^15. n / 10^6 is x again exactly when the text of n * 10^-6 reads
 * back as x, since a quotient of two exact doubles is rounded as a text is; and no two numbers of
 * up to 15 digits read as the same double, so there are no fewer digits than n's. 0: not so.
 */
#define SHORT_NDIGITS 6
#define SHORT_UNIT    1000000
#define SHORT_MAX     1e9

/* Two digits, the first in the lowest byte. */
static uint64_t pair_of(uint32_t x)
{
    return stoa_load16(stoa_digit_pairs + 2 * x);
}

static size_t write_short(char *out, double x)
{
    uint64_t n = (uint64_t)(x * SHORT_UNIT + 0.5), digits;
    uint32_t whole, fraction;
    char *p = out;

    if (n < 10 || (double)n / SHORT_UNIT != x) /* below 1e-5 there is an exponent */
        return 0;
    whole = (uint32_t)(n / SHORT_UNIT);
    fraction = (uint32_t)(n % SHORT_UNIT);
    if (whole < 10)
        *p++ = (char)('0' + whole);
    else
        p += stoa_number_format_uint64(whole, p);
    *p++ = '.';
    digits = pair_of(fraction / 10000) | pair_of(fraction / 100 % 100) << 16 |
             pair_of(fraction % 100) << 32;
    stoa_store64(p, digits);
    digits ^= UINT64_C(0x303030303030); /* what is left are digits other than 0 */
    return (size_t)(p - out) + (stoa_bit_width(digits | 1) + 7) / 8;
}

/* A float as its type stores it; `exponent` is all ones for infinity and NaN, which have a flag. */
struct float_parts {
    bool negative;
    bool special;
    uint64_t fraction;
    int exponent;
    int fraction_nbits;
    int bias; /* a normal number is (1 << fraction_nbits | fraction) * 2^(exponent - bias) */
};

static size_t write_float(char *out, const struct float_parts *x)
{
    char *p = out;
    struct decimal shortest_digits;

    if (x->special && x->fraction != 0) {
        memcpy(p, "NaN", 3);
        return 3;
    }
    if (x->negative)
        *p++ = '-';
    if (x->special) {
        memcpy(p, "Infinity", 8);
        return (size_t)(p + 8 - out);
    }
    if (x->exponent == 0 && x->fraction == 0) {
        memcpy(p, "0.0", 3);
        return (size_t)(p + 3 - out);
    }
    if (x->exponent == 0)
        shortest_digits = shortest(x->fraction, 1 - x->bias, false);
    else
        shortest_digits = shortest(x->fraction | UINT64_C(1) << x->fraction_nbits,
                                   x->exponent - x->bias, x->fraction == 0 && x->exponent > 1);
    return (size_t)(p - out) + write_decimal(p, shortest_digits);
}

size_t stoa_number_format_double(double x, char *out)
{
    struct float_parts parts = {.fraction_nbits = 52, .bias = 1075};
    uint64_t bits;
    size_t nbytes;

    memcpy(&bits, &x, sizeof(bits));
    parts.negative = bits >> 63 != 0;
    *out = '-'; /* a number that is not negative is written over it */
    if (x > -SHORT_MAX && x < SHORT_MAX) {
        nbytes = write_short(out + parts.negative, parts.negative ? -x : x);
        if (nbytes > 0)
            return nbytes + parts.negative;
    }
    parts.exponent = (int)(bits >> 52 & 0x7ff);
    parts.special = parts.exponent == 0x7ff;
    parts.fraction = bits & ((UINT64_C(1) << 52) - 1);
    return write_float(out, &parts);
}

size_t stoa_number_format_float(float x, char *out)
{
    struct float_parts parts = {.fraction_nbits = 23, .bias = 150};
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    parts.negative = bits >> 31 != 0;
    parts.exponent = (int)(bits >> 23 & 0xff);
    parts.special = parts.exponent == 0xff;
    parts.fraction = bits & ((UINT32_C(1) << 23) - 1);
    return write_float(out, &parts);
}

size_t stoa_number_format_float16(uint16_t x, char *out)
{
    struct float_parts parts = {.fraction_nbits = 10, .bias = 25};

    parts.negative = x >> 15 != 0;
    parts.exponent = x >> 10 & 0x1f;
    parts.special = parts.exponent == 0x1f;
    parts.fraction = x & 0x3ff;
    return write_float(out, &parts);
}
