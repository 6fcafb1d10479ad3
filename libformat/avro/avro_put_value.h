/*
 * Single values as Avro has them, of those that have a bound: each puts one at `at`, where
 * STOA_AVRO_VALUE_NBYTES are free, and returns the place behind it.
 */
#ifndef STOA_AVRO_AVRO_PUT_VALUE_H
#define STOA_AVRO_AVRO_PUT_VALUE_H

#include <string.h>

#include "base/bytes.h"
#include "base/float16.h"
#include "base/int256.h"

enum { STOA_AVRO_VALUE_NBYTES = 40 };

/* ---- Values of columns ---- */

static inline uint32_t stoa_avro_load32(const uint8_t *values, size_t i)
{
    uint32_t x;

    memcpy(&x, values + 4 * i, sizeof(x));
    return x;
}

static inline uint64_t stoa_avro_load64(const uint8_t *values, size_t i)
{
    uint64_t x;

    memcpy(&x, values + 8 * i, sizeof(x));
    return x;
}

static inline uint16_t stoa_avro_load16(const uint8_t *values, size_t i)
{
    uint16_t x;

    memcpy(&x, values + 2 * i, sizeof(x));
    return x;
}

/* The value of a decimal of 16 or 32 bytes. */
static inline struct stoa_int256 stoa_avro_load_decimal(const uint8_t *values, size_t width,
                                                        size_t i)
{
    struct stoa_int256 wide;
    struct stoa_int128 narrow;

    if (width == sizeof(wide)) {
        memcpy(&wide, values + i * sizeof(wide), sizeof(wide));
        return wide;
    }
    memcpy(&narrow, values + i * sizeof(narrow), sizeof(narrow));
    return stoa_int256_from_i128(narrow);
}

/* The number in 32 bytes, big-endian; gives how many of the last of these it needs. */
static inline size_t stoa_avro_decimal_bytes(struct stoa_int256 value, uint8_t out[32])
{
    const uint8_t sign = stoa_int256_is_negative(value) ? 0xff : 0;
    size_t n = 32;

    for (unsigned i = 0; i < 4; i++) {
        const uint64_t word = value.words[STOA_INT256_WORD(3 - i)];

        for (unsigned k = 0; k < 8; k++)
            out[8 * i + k] = (uint8_t)(word >> (56 - 8 * k));
    }
    while (n > 1 && out[32 - n] == sign && ((out[33 - n] ^ sign) & 0x80) == 0)
        n--;
    return n;
}

/* As many bytes as the number needs, and their length in front. */
static inline uint8_t *stoa_avro_put_decimal(struct stoa_int256 value, uint8_t *at)
{
    uint8_t bytes[32];
    const size_t n = stoa_avro_decimal_bytes(value, bytes);

    *at++ = (uint8_t)(n << 1);
    memcpy(at, bytes + 32 - n, n);
    return at + n;
}

static inline uint8_t *stoa_avro_put_uuid(const uint8_t *uuid, uint8_t *at)
{
    static const char digits[] = "0123456789abcdef";

    *at++ = 36 << 1;
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = (uint8_t)digits[uuid[i] >> 4];
        *at++ = (uint8_t)digits[uuid[i] & 15];
    }
    return at;
}

static inline uint8_t *stoa_avro_put_float16(uint16_t bits, uint8_t *at)
{
    const float value = (float)stoa_float16_to_double(bits);
    uint32_t wide;

    memcpy(&wide, &value, sizeof(wide));
    stoa_store32(at, wide);
    return at + 4;
}

#endif
