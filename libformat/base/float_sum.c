/*
 * Exact sums of doubles: an accumulator for single values, and a fast way to reduce a block of
 * values to a few of them.
 *
 * The accumulator is a fixed-point number of 70 digits of 32 bits, each in an int64:
 *
 *     double       mantissa of 53 bits * 2^(place - 1074), place 0 .. 2045
 *     digits       ... | i + 2 | i + 1 |   i   | ...      i = place / 32; the mantissa, moved up by
 *                      |---- mantissa ----|               place % 32 bits, meets three digits
 *
 * Adding one value changes each digit by less than 2^33, so carries wait for 2^29 additions.
 *
 * A block of 1,024 values is first cut at the same place for all of them. With sigma a power of two
 * that is twice as great as the sum of their sizes, q = (sigma + x) - sigma is x rounded to the
 * last bit of sigma, and x - q is exact. All q are multiples of that bit and add up to less than
 * sigma, so their plain sum is exact too, in any order, which makes it a vector loop. What is left
 * of x is cut a second time further down, 94 bits below sigma in all; most values have nothing left
 * then. The sums of the two cuts and the leftovers go to the accumulator.
 */
#include "base/float_sum.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/int128.h"

enum {
    NDIGITS = STOA_FLOAT_SUM_NDIGITS,
    BLOCK = 1024,
    LANES = 2,           /* values of a vector that every machine has */
    VECTORS = 4,         /* side by side, for one addition does not wait for the one before */
    MANTISSA_NBITS = 52, /* stored ones */
    MAX_EXPONENT = 2047,
    HEADROOM = 2, /* bits by which sigma is above the sum of sizes, and a bit for its rounding */
    CUT = 41,     /* 1,024 leftovers of 2^-53 sigma are 2^-43 sigma, and the headroom again */
    MIN_BLOCK_EXPONENT = 2 * 53, /* so that nothing below is subnormal */
    MAX_BLOCK_EXPONENT = MAX_EXPONENT - 1 - HEADROOM,
};

#define MANTISSA_MASK ((UINT64_C(1) << MANTISSA_NBITS) - 1)
#define MAX_NADDED    (UINT64_C(1) << 29)

static uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

static unsigned exponent_of(double x)
{
    return (unsigned)(bits_of(x) >> MANTISSA_NBITS) & MAX_EXPONENT;
}

/* ---- The accumulator. ---- */

/* Brings all digits but the last, which has the sign, into [0, 2^32). */
static void move_carries(struct stoa_float_sum *sum)
{
    for (size_t i = 0; i + 1 < NDIGITS; i++) {
        int64_t digit = sum->digits[i] & UINT32_MAX;

        sum->digits[i + 1] += (sum->digits[i] - digit) / (INT64_C(1) << 32);
        sum->digits[i] = digit;
    }
    sum->nadded = 0;
}

static void add_special(struct stoa_float_sum *sum, double x)
{
    sum->nnans += x != x;
    sum->nplus += x > 0;
    sum->nminus += x < 0;
}

static void add_one(struct stoa_float_sum *sum, double x)
{
    const unsigned exponent = exponent_of(x);
    const unsigned place = exponent > 0 ? exponent - 1 : 0;
    uint64_t mantissa = bits_of(x) & MANTISSA_MASK, low, high;
    int64_t *digit = &sum->digits[place / 32];
    const int64_t sign = bits_of(x) >> 63 ? -1 : 1;

    if (exponent == MAX_EXPONENT) {
        add_special(sum, x);
        return;
    }
    if (exponent > 0)
        mantissa |= UINT64_C(1) << MANTISSA_NBITS;
    low = (mantissa & UINT32_MAX) << place % 32;
    high = (mantissa >> 32) << place % 32;
    digit[0] += sign * (int64_t)(low & UINT32_MAX);
    digit[1] += sign * (int64_t)((low >> 32) + (high & UINT32_MAX));
    digit[2] += sign * (int64_t)(high >> 32);
    if (++sum->nadded == MAX_NADDED)
        move_carries(sum);
}

/* ---- Blocks. ---- */

/* Some values side by side; compilers make of it what the machine has. */
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef uint64_t lane_bits __attribute__((vector_size(LANES * sizeof(uint64_t))));

static double sum_of(const lanes x[VECTORS])
{
    const lanes sum = (x[0] + x[1]) + (x[2] + x[3]);

    return sum[0] + sum[1];
}

/* The sum of sizes; NaN or infinite when one of the values is. */
static double sum_sizes(const double *values)
{
    lanes sums[VECTORS] = {0}, x;

    for (size_t i = 0; i < BLOCK; i += VECTORS * LANES) {
        for (size_t k = 0; k < VECTORS; k++) {
            memcpy(&x, values + i + k * LANES, sizeof(x));
            sums[k] += (lanes)((lane_bits)x & (UINT64_MAX >> 1));
        }
    }
    return sum_of(sums);
}

static void add_each(struct stoa_float_sum *sum, const double *values, size_t nvalues)
{
    for (size_t i = 0; i < nvalues; i++)
        add_one(sum, values[i]);
}

/* What two cuts leave of the values; rarely anything. */
static void add_leftovers(struct stoa_float_sum *sum, const double *values, double sigma,
                          double sigma2)
{
    for (size_t i = 0; i < BLOCK; i++) {
        double x = values[i] - ((sigma + values[i]) - sigma);

        x -= (sigma2 + x) - sigma2;
        if (x != 0)
            add_one(sum, x);
    }
}

static void add_block(struct stoa_float_sum *sum, const double *values)
{
    const double sizes = sum_sizes(values);
    const unsigned exponent = exponent_of(sizes);
    lanes first[VECTORS] = {0}, second[VECTORS] = {0}, x, q;
    lane_bits rest = {0};
    double sigma, sigma2;

    if (sizes == 0)
        return;
    /* Evaluation in more than double precision (x87) would cut elsewhere. */
    if (exponent < MIN_BLOCK_EXPONENT || exponent > MAX_BLOCK_EXPONENT || FLT_EVAL_METHOD != 0) {
        add_each(sum, values, BLOCK);
        return;
    }
    sigma = from_bits((uint64_t)(exponent + HEADROOM) << MANTISSA_NBITS);
    sigma2 = from_bits((uint64_t)(exponent + HEADROOM - CUT) << MANTISSA_NBITS);
    for (size_t i = 0; i < BLOCK; i += VECTORS * LANES) {
        for (size_t k = 0; k < VECTORS; k++) {
            memcpy(&x, values + i + k * LANES, sizeof(x));
            q = (sigma + x) - sigma;
            first[k] += q;
            x -= q;
            q = (sigma2 + x) - sigma2;
            second[k] += q;
            rest |= (lane_bits)(x - q);
        }
    }
    add_one(sum, sum_of(first));
    add_one(sum, sum_of(second));
    if ((rest[0] | rest[1]) << 1 != 0) /* zeros may be negative */
        add_leftovers(sum, values, sigma, sigma2);
}

void stoa_float_sum_add(struct stoa_float_sum *sum, const double *values, size_t nvalues)
{
    size_t i = 0;

    for (; nvalues - i >= BLOCK; i += BLOCK)
        add_block(sum, values + i);
    add_each(sum, values + i, nvalues - i);
}

void stoa_float_sum_merge(struct stoa_float_sum *sum, const struct stoa_float_sum *other)
{
    struct stoa_float_sum settled = *other;

    move_carries(sum);
    move_carries(&settled);
    for (size_t i = 0; i < NDIGITS; i++)
        sum->digits[i] += settled.digits[i];
    sum->nadded = 1;
    sum->nnans += other->nnans;
    sum->nplus += other->nplus;
    sum->nminus += other->nminus;
}

/* ---- Rounding. ---- */

/* The absolute value in digits of [0, 2^32); returns whether it was negative. */
static bool make_positive(struct stoa_float_sum *sum)
{
    move_carries(sum);
    if (sum->digits[NDIGITS - 1] >= 0)
        return false;
    for (size_t i = 0; i < NDIGITS; i++)
        sum->digits[i] = -sum->digits[i];
    move_carries(sum);
    return true;
}

/* Divides digits in place; returns the remainder. */
static uint64_t divide(int64_t *digits, uint64_t divisor)
{
    uint64_t rest = 0;

    for (size_t i = NDIGITS; i-- > 0;) {
        struct stoa_int128 x = {.lo = rest << 32 | (uint64_t)digits[i],
                                .hi = (int64_t)(rest >> 32)};

        digits[i] = (int64_t)stoa_int128_div_u64(x, divisor, &rest).lo;
    }
    return rest;
}

static unsigned bit_at(const int64_t *digits, size_t bit)
{
    return (unsigned)(digits[bit / 32] >> (bit % 32)) & 1;
}

static bool any_below(const int64_t *digits, size_t bit)
{
    for (size_t i = 0; i < bit; i++) {
        if (bit_at(digits, i))
            return true;
    }
    return false;
}

/* The number of bits up to the highest that is set. */
static size_t count_bits(const int64_t *digits)
{
    size_t n = NDIGITS * 32;

    while (n > 0 && !bit_at(digits, n - 1))
        n--;
    return n;
}

/* The bits of the double nearest to (digits + rest / divisor) * 2^-1074; rest < divisor. */
static uint64_t nearest(const int64_t *digits, uint64_t rest, uint64_t divisor)
{
    const size_t nbits = count_bits(digits);
    const size_t shift = nbits > MANTISSA_NBITS + 1 ? nbits - (MANTISSA_NBITS + 1) : 0;
    uint64_t mantissa = 0, bits;
    bool half, more;

    for (size_t i = nbits; i-- > shift;)
        mantissa = mantissa << 1 | bit_at(digits, i);
    if (shift == 0) {
        half = rest >= divisor - rest;
        more = rest > divisor - rest;
    } else {
        half = bit_at(digits, shift - 1);
        more = rest > 0 || any_below(digits, shift - 1);
    }
    /* The exponent field is shift + 1 for a mantissa of 53 bits, whose own first bit is the 1; it
       is 0 for fewer bits, and a carry out of the mantissa raises it by one, as it should. */
    bits = ((uint64_t)shift << MANTISSA_NBITS) + mantissa;
    bits += half && (more || (mantissa & 1));
    return bits < (uint64_t)MAX_EXPONENT << MANTISSA_NBITS
               ? bits
               : (uint64_t)MAX_EXPONENT << MANTISSA_NBITS;
}

double stoa_float_sum_round(const struct stoa_float_sum *sum, uint64_t divisor)
{
    struct stoa_float_sum size = *sum;
    uint64_t rest, bits;
    bool negative;

    assert(divisor > 0 && divisor >> 63 == 0);
    if (sum->nnans > 0 || (sum->nplus > 0 && sum->nminus > 0))
        return (double)NAN;
    if (sum->nplus > 0 || sum->nminus > 0)
        return sum->nplus > 0 ? (double)INFINITY : (double)-INFINITY;
    negative = make_positive(&size);
    rest = divide(size.digits, divisor);
    bits = nearest(size.digits, rest, divisor);
    return from_bits(negative && bits != 0 ? bits | UINT64_C(1) << 63 : bits);
}
