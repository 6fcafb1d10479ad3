/*
 * The loops of ALP (spec/encodings.md, section 2.7), once for every set of instructions: the
 * compiler makes vectors of them. All steps are IEEE operations in one order, so every form of them
 * gives the same bits.
 *
 *     to a double    bits(q) + bits(2^52 + 2^51), as a double - (2^52 + 2^51)
 *     and back       x + (2^52 + 2^51), its bits - bits(2^52 + 2^51); rounds to even
 *
 * with -2^51 <= q < 2^51. There is no conversion between doubles and 64-bit integers before
 * AVX-512; this is an addition and a subtraction, and a number outside the range is seen by
 * comparing the result.
 *
 * With a fused multiply-add a quotient takes two of them and a product instead of a division:
 *
 *     y = q * (1 / p), both rounded;  r = q - y * p, exact;  q / p = y + r * (1 / p), rounded once
 *
 * It gives what a division gives for all |q| <= 2^51 and p = 10^e, e <= 22. With ulp, the unit in
 * the last place of q / p: y is at most 1.5 ulp off, so r takes at most 53 bits and is exact, and
 * what is rounded at the end is at most 1.5 * 2^-53 ulp off. That matters only when the middle of
 * two doubles, M * 2^k with an odd M of 54 bits, lies in between. But it is further away:
 *
 *     q / p - M * 2^k = (q * 2^-(k + e) - M * 5^e) / (5^e * 2^-k)
 *
 * where k + e < 0, since q is less than M; so the numerator is an even number less an odd one and
 * the distance at least 2^k / 5^e = 1 / (2 * 5^e) ulp, and 1.5 * 5^22 < 2^52. In the same way q / p
 * is a power of two or so far from one that y has the same ulp. Zero gives +0, as it should.
 */
#ifndef STOA_CODEC_ALP_LOOPS_H
#define STOA_CODEC_ALP_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define STOA_ALP_MAGIC      6755399441055744.0 /* 2^52 + 2^51 */
#define STOA_ALP_MAGIC_BITS UINT64_C(0x4338000000000000)

static inline double stoa_alp_to_double(uint64_t q)
{
    double x;

    q += STOA_ALP_MAGIC_BITS;
    memcpy(&x, &q, 8);
    return x - STOA_ALP_MAGIC;
}

/* The integer nearest to x when that is within 2^51; some number else. */
static inline uint64_t stoa_alp_to_integer(double x)
{
    uint64_t bits;

    x += STOA_ALP_MAGIC;
    memcpy(&bits, &x, 8);
    return bits - STOA_ALP_MAGIC_BITS;
}

/* x / power as a division rounds it, x a whole number below 2^51 or anything without a promise. */
static inline double stoa_alp_divide(double x, double power, double inverse)
{
#if defined(__FMA__)
    double y = x * inverse;

    return __builtin_fma(__builtin_fma(-y, power, x), inverse, y);
#else
    (void)inverse;
    return x / power;
#endif
}

/* Integers to doubles in their place; whether all were in the range. */
static inline bool stoa_alp_decode64(uint8_t *values, size_t n, double power)
{
    const double inverse = 1 / power;
    uint64_t outside = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t q;
        double x;

        memcpy(&q, values + 8 * i, 8);
        outside |= q + (UINT64_C(1) << 51);
        x = stoa_alp_divide(stoa_alp_to_double(q), power, inverse);
        memcpy(values + 8 * i, &x, 8);
    }
    return outside >> 52 == 0;
}

/* Any integer will do. */
static inline bool stoa_alp_decode32(uint8_t *values, size_t n, double power)
{
    const double inverse = 1 / power;

    for (size_t i = 0; i < n; i++) {
        int32_t q;
        float x;

        memcpy(&q, values + 4 * i, 4);
        x = (float)stoa_alp_divide((double)q, power, inverse);
        memcpy(values + 4 * i, &x, 4);
    }
    return true;
}

/* Doubles to integers; how many do not come back by decoding. */
static inline size_t stoa_alp_encode64(const uint8_t *values, size_t n, double power, uint8_t *out)
{
    const double inverse = 1 / power;
    uint64_t nwrong = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t bits, back, q;
        double x;

        memcpy(&bits, values + 8 * i, 8);
        memcpy(&x, &bits, 8);
        q = stoa_alp_to_integer(x * power);
        x = stoa_alp_divide(stoa_alp_to_double(q), power, inverse);
        memcpy(&back, &x, 8);
        memcpy(out + 8 * i, &q, 8);
        nwrong += back != bits || (q + (UINT64_C(1) << 51)) >> 52 != 0;
    }
    return (size_t)nwrong;
}

static inline size_t stoa_alp_encode32(const uint8_t *values, size_t n, double power, uint8_t *out)
{
    const double inverse = 1 / power;
    uint32_t nwrong = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t bits, back;
        uint64_t q;
        int32_t q32;
        float x;

        memcpy(&bits, values + 4 * i, 4);
        memcpy(&x, &bits, 4);
        q = stoa_alp_to_integer((double)x * power);
        q32 = (int32_t)(uint32_t)q;
        x = (float)stoa_alp_divide((double)q32, power, inverse);
        memcpy(&back, &x, 4);
        memcpy(out + 4 * i, &q32, 4);
        nwrong += back != bits;
    }
    return nwrong;
}

#endif
