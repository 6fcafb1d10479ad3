/*
 * IEEE binary16 as a double of the same value, without hardware that knows it.
 *
 *     sign | 5 bits of exponent | 10 bits of fraction
 */
#ifndef STOA_BASE_FLOAT16_H
#define STOA_BASE_FLOAT16_H

#include <stdint.h>
#include <string.h>

/* Exact, infinities and NaN with its payload too. */
static inline double stoa_float16_to_double(uint16_t bits)
{
    uint64_t sign = (uint64_t)(bits >> 15) << 63;
    uint64_t exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
    uint64_t wide;
    double x;

    if (exponent == 0) { /* fraction * 2^-24: a product that is exact */
        x = (double)fraction * 0x1p-24;
        memcpy(&wide, &x, sizeof(wide));
    } else {
        exponent += exponent == 0x1f ? 0x7ff - 0x1f : 1023 - 15;
        wide = exponent << 52 | fraction << 42;
    }
    wide |= sign;
    memcpy(&x, &wide, sizeof(x));
    return x;
}

#endif
