/*
 * The inner loops of the encodings, over arrays of 1, 2, 4 or 8 bytes a value.
 *
 * Arrays hold values in native byte order at any alignment. A value travels as the low bits of a
 * uint64_t; arithmetic is modulo 2^(8 * width). `kernels.c` is the reference; `kernels_avx2.c` does
 * the same faster, and tests compare the two byte for byte.
 */
#ifndef STOA_CODEC_KERNELS_H
#define STOA_CODEC_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define STOA_BLOCK_NVALUES 1024

struct stoa_range {
    uint64_t min;
    uint64_t max;
};

/* Each table is indexed by stoa_width_log2(): 0..3 for values of 1, 2, 4, 8 bytes. */
struct stoa_kernels {
    /*
     * A full block of 1,024 values of nbits bits each in lanes, 128 * nbits bytes, plus `base`.
     * Reads and writes nothing outside the block. nbits is at most 8 * width.
     */
    void (*unpack[4])(const uint8_t *packed, unsigned nbits, uint64_t base, uint8_t *out);

    /* The way back: the low nbits bits of (value - base). */
    void (*pack[4])(const uint8_t *values, uint64_t base, unsigned nbits, uint8_t *packed);

    /* The least and the greatest of n > 0 values in the order of value ^ flip, unsigned. */
    struct stoa_range (*range[4])(const uint8_t *values, size_t n, uint64_t flip);

    /* Prefix sums in place: value i becomes start + value 0 + ... + value i. */
    void (*sum[4])(uint8_t *values, size_t n, uint64_t start);

    /* value * factor + addend in place. */
    void (*scale[4])(uint8_t *values, size_t n, uint64_t factor, uint64_t addend);

    /*
     * Tests of n values: bit i of `bits` is set when value - from, which wraps around, is at most
     * `length`. Other bits stay. Reads no value behind the last and writes whole bytes alone.
     */
    void (*within[4])(const uint8_t *values, size_t n, uint64_t from, uint64_t length,
                      uint8_t *bits);

    /* The same for lo <= value <= hi, of float32 [0] as doubles, and of float64 [1]. */
    void (*between[2])(const uint8_t *values, size_t n, double lo, double hi, uint8_t *bits);

    /*
     * ALP, for float32 [0] and float64 [1]: integers of the same width to floats in their place,
     * false when one is outside of what ALP allows; and floats to integers, returning how many of
     * them do not come back bit by bit. alp_loops.h
     */
    bool (*alp_decode[2])(uint8_t *values, size_t n, double power);
    size_t (*alp_encode[2])(const uint8_t *values, size_t n, double power, uint8_t *out);

    /*
     * n numbers of 64 bits as 16 digits of base 16 each, the highest first, at out, out + stride
     * and so on. `letter` is that of ten, 'a' or 'A'.
     */
    void (*hex)(const uint8_t *numbers, size_t n, uint8_t letter, uint8_t *out, size_t stride);
};

/* The best for this processor. */
const struct stoa_kernels *stoa_kernels(void);

/*
 * The range of n > 0 values with the order (*flip, 0 or the sign bit) in which it is the smaller
 * one: differences of unsigned numbers are small on both sides of 0.
 */
struct stoa_range stoa_least_range(const uint8_t *values, unsigned width, size_t n, uint64_t *flip);

extern const struct stoa_kernels stoa_kernels_scalar;
#if defined(__x86_64__)
extern const struct stoa_kernels stoa_kernels_avx2; /* only if stoa_cpu_has_avx2() */
#endif

/*
 * n values of nbits bits in one string of bits, least significant first, `base` taken off or added:
 * the last block of a page. The packed form has stoa_bits_nbytes() bytes, the unused bits of the
 * last one zero; unpacking tells whether they are.
 */
static inline size_t stoa_bits_nbytes(size_t n, unsigned nbits)
{
    return (n * nbits + 7) / 8;
}
void stoa_bits_pack(const uint8_t *values, unsigned width, size_t n, uint64_t base, unsigned nbits,
                    uint8_t *packed);
bool stoa_bits_unpack(const uint8_t *packed, unsigned nbits, size_t n, uint64_t base,
                      unsigned width, uint8_t *out);

/* hist[k] = how many of (value - base) take k bits; all 65 are set. */
void stoa_width_histogram(const uint8_t *values, unsigned width, size_t n, uint64_t base,
                          uint32_t hist[65]);

/* out[i] = values[i] - values[i - 1], out[0] = values[0] - before. */
void stoa_differences(const uint8_t *values, unsigned width, size_t n, uint64_t before,
                      uint8_t *out);

/* out[i] = entries[codes[i]]; every code was checked. width is 1, 2, 4, 8, 16, 32 or any other. */
void stoa_gather(const uint8_t *entries, unsigned width, const uint32_t *codes, size_t n,
                 uint8_t *out);

/* The bytes of x, each in the lower half of 16 bits. */
static inline uint64_t stoa_spread_bytes(uint32_t x)
{
    uint64_t v = (x | (uint64_t)x << 16) & UINT64_C(0x0000ffff0000ffff);

    return (v | v << 8) & UINT64_C(0x00ff00ff00ff00ff);
}

/* Eight digits below 16, a byte each, as characters; `letter` is that of ten. */
static inline uint64_t stoa_hex_digits(uint64_t digits, uint8_t letter)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t letters = (digits + 6 * ones) >> 4 & ones;

    return digits + ones * '0' + letters * (uint64_t)(letter - '0' - 10);
}

static inline unsigned stoa_width_log2(unsigned width)
{
    return (unsigned)__builtin_ctz(width);
}

/* All bits of a value of `width` bytes; nbits bits. */
static inline uint64_t stoa_low_bits(unsigned nbits)
{
    return nbits >= 64 ? UINT64_MAX : (UINT64_C(1) << nbits) - 1;
}

/* Value i of an array in native byte order. With a constant width this is one load or store. */
static inline uint64_t stoa_get(const uint8_t *values, size_t i, unsigned width)
{
    uint64_t x = 0;
    uint32_t x32;
    uint16_t x16;

    switch (width) {
    case 1:
        return values[i];
    case 2:
        memcpy(&x16, values + i * 2, 2);
        return x16;
    case 4:
        memcpy(&x32, values + i * 4, 4);
        return x32;
    default:
        memcpy(&x, values + i * 8, 8);
        return x;
    }
}

static inline void stoa_put(uint8_t *values, size_t i, unsigned width, uint64_t x)
{
    uint32_t x32 = (uint32_t)x;
    uint16_t x16 = (uint16_t)x;

    switch (width) {
    case 1:
        values[i] = (uint8_t)x;
        break;
    case 2:
        memcpy(values + i * 2, &x16, 2);
        break;
    case 4:
        memcpy(values + i * 4, &x32, 4);
        break;
    default:
        memcpy(values + i * 8, &x, 8);
        break;
    }
}

#endif
