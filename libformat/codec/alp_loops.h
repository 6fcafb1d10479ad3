/*
 * The loops of ALP (spec/encodings.md, section 2.7), once for every set of instructions: the
 * compiler makes vectors of them. All steps are IEEE operations in one order, so every form of them
 * gives the same bits.
 *
 *     to a double    bits(q) + bits(2^52 + 2^51), as a double - (2^52 + 2^51)      -2^51 <= q <
 * 2^51 and back       x + (2^52 + 2^51), its bits - bits(2^52 + 2^51)               rounds to even
 *
 * There is no conversion between doubles and 64-bit integers before AVX-512; this is an addition
 * and a subtraction, and a number outside the range is seen by comparing the result.
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

/* Integers to doubles in their place; whether all were in the range. */
static inline bool stoa_alp_decode64(uint8_t *values, size_t n, double power)
{
    uint64_t outside = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t q;
        double x;

        memcpy(&q, values + 8 * i, 8);
        outside |= q + (UINT64_C(1) << 51);
        x = stoa_alp_to_double(q) / power;
        memcpy(values + 8 * i, &x, 8);
    }
    return outside >> 52 == 0;
}

/* Any integer will do. */
static inline bool stoa_alp_decode32(uint8_t *values, size_t n, double power)
{
    for (size_t i = 0; i < n; i++) {
        int32_t q;
        float x;

        memcpy(&q, values + 4 * i, 4);
        x = (float)((double)q / power);
        memcpy(values + 4 * i, &x, 4);
    }
    return true;
}

/* Doubles to integers; how many do not come back by decoding. */
static inline size_t stoa_alp_encode64(const uint8_t *values, size_t n, double power, uint8_t *out)
{
    uint64_t nwrong = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t bits, back, q;
        double x;

        memcpy(&bits, values + 8 * i, 8);
        memcpy(&x, &bits, 8);
        q = stoa_alp_to_integer(x * power);
        x = stoa_alp_to_double(q) / power;
        memcpy(&back, &x, 8);
        memcpy(out + 8 * i, &q, 8);
        nwrong += back != bits || (q + (UINT64_C(1) << 51)) >> 52 != 0;
    }
    return (size_t)nwrong;
}

static inline size_t stoa_alp_encode32(const uint8_t *values, size_t n, double power, uint8_t *out)
{
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
        x = (float)((double)q32 / power);
        memcpy(&back, &x, 4);
        memcpy(out + 4 * i, &q32, 4);
        nwrong += back != bits;
    }
    return nwrong;
}

#endif
