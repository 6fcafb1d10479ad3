/*
 * The reference loops (spec/encodings.md, section 2.2).
 *
 * A block of 1,024 values of type T lies in L = 128 / |T| lanes, and the rows of a block are the
 * values r * L .. r * L + L - 1:
 *
 *              lane 0   lane 1   lane 2  ...  lane L-1
 *   row 0      v0       v1       v2           v(L-1)        bits [0, nbits) of each lane
 *   row 1      vL       v(L+1)   ...                        bits [nbits, 2 nbits)
 *   ...        8 * |T| rows, so a lane has nbits words of type T; word j of all lanes is stored
 * together
 *
 * Each function is written once with `width` as a parameter (codec/kernel_table.h).
 */
#include "codec/kernels.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "codec/kernel_table.h"

/* Little-endian word i of type T in packed bytes. */
static inline uint64_t load_word(const uint8_t *packed, size_t i, unsigned width)
{
    switch (width) {
    case 1:
        return packed[i];
    case 2:
        return stoa_load16(packed + i * 2);
    case 4:
        return stoa_load32(packed + i * 4);
    default:
        return stoa_load64(packed + i * 8);
    }
}

static inline void store_word(uint8_t *packed, size_t i, unsigned width, uint64_t x)
{
    switch (width) {
    case 1:
        packed[i] = (uint8_t)x;
        break;
    case 2:
        stoa_store16(packed + i * 2, (uint16_t)x);
        break;
    case 4:
        stoa_store32(packed + i * 4, (uint32_t)x);
        break;
    default:
        stoa_store64(packed + i * 8, x);
        break;
    }
}

static inline void unpack(const uint8_t *packed, unsigned nbits, uint64_t base, uint8_t *out,
                          unsigned width)
{
    const unsigned word_nbits = width * 8, nlanes = 128 / width;
    const uint64_t mask = stoa_low_bits(nbits);

    for (unsigned row = 0; row < word_nbits; row++) {
        unsigned word = row * nbits / word_nbits, shift = row * nbits % word_nbits;
        size_t at = (size_t)word * nlanes, to = (size_t)row * nlanes;

        if (nbits == 0) {
            for (unsigned lane = 0; lane < nlanes; lane++)
                stoa_put(out, to + lane, width, base);
        } else if (shift + nbits <= word_nbits) {
            for (unsigned lane = 0; lane < nlanes; lane++) {
                uint64_t x = load_word(packed, at + lane, width) >> shift;

                stoa_put(out, to + lane, width, (x & mask) + base);
            }
        } else { /* the value goes on in the next word of its lane */
            for (unsigned lane = 0; lane < nlanes; lane++) {
                uint64_t x = load_word(packed, at + lane, width) >> shift;

                x |= load_word(packed, at + nlanes + lane, width) << (word_nbits - shift);
                stoa_put(out, to + lane, width, (x & mask) + base);
            }
        }
    }
}

static inline void pack(const uint8_t *values, uint64_t base, unsigned nbits, uint8_t *packed,
                        unsigned width)
{
    const unsigned word_nbits = width * 8, nlanes = 128 / width;
    const uint64_t mask = stoa_low_bits(nbits);

    memset(packed, 0, (size_t)nbits * 128);
    for (unsigned row = 0; row < word_nbits && nbits > 0; row++) {
        unsigned word = row * nbits / word_nbits, shift = row * nbits % word_nbits;
        size_t at = (size_t)word * nlanes, from = (size_t)row * nlanes;

        for (unsigned lane = 0; lane < nlanes; lane++) {
            uint64_t x = (stoa_get(values, from + lane, width) - base) & mask;
            uint64_t low = load_word(packed, at + lane, width);

            store_word(packed, at + lane, width, low | x << shift);
            if (shift + nbits > word_nbits)
                store_word(packed, at + nlanes + lane, width, x >> (word_nbits - shift));
        }
    }
}

static inline struct stoa_range range(const uint8_t *values, size_t n, uint64_t flip,
                                      unsigned width)
{
    struct stoa_range r = {UINT64_MAX, 0};

    for (size_t i = 0; i < n; i++) {
        uint64_t x = stoa_get(values, i, width) ^ flip;

        r.min = x < r.min ? x : r.min;
        r.max = x > r.max ? x : r.max;
    }
    r.min ^= flip;
    r.max ^= flip;
    return r;
}

static inline void sum(uint8_t *values, size_t n, uint64_t start, unsigned width)
{
    for (size_t i = 0; i < n; i++) {
        start += stoa_get(values, i, width);
        stoa_put(values, i, width, start);
    }
}

static inline void scale(uint8_t *values, size_t n, uint64_t factor, uint64_t addend,
                         unsigned width)
{
    for (size_t i = 0; i < n; i++)
        stoa_put(values, i, width, stoa_get(values, i, width) * factor + addend);
}

static inline void within(const uint8_t *values, size_t n, uint64_t from, uint64_t length,
                          uint8_t *bits, unsigned width)
{
    const uint64_t mask = stoa_low_bits(width * 8);

    for (size_t i = 0; i < n; i++) {
        unsigned bit = ((stoa_get(values, i, width) - from) & mask) <= (length & mask);

        bits[i / 8] = (uint8_t)(bits[i / 8] | bit << (i % 8));
    }
}

static void between32(const uint8_t *values, size_t n, double lo, double hi, uint8_t *bits)
{
    for (size_t i = 0; i < n; i++) {
        unsigned bit;
        float x;

        memcpy(&x, values + i * sizeof(x), sizeof(x));
        bit = (double)x >= lo && (double)x <= hi;
        bits[i / 8] = (uint8_t)(bits[i / 8] | bit << (i % 8));
    }
}

static void between64(const uint8_t *values, size_t n, double lo, double hi, uint8_t *bits)
{
    for (size_t i = 0; i < n; i++) {
        unsigned bit;
        double x;

        memcpy(&x, values + i * sizeof(x), sizeof(x));
        bit = x >= lo && x <= hi;
        bits[i / 8] = (uint8_t)(bits[i / 8] | bit << (i % 8));
    }
}

static inline void bits_pack(const uint8_t *values, size_t n, uint64_t base, unsigned nbits,
                             uint8_t *packed, unsigned width)
{
    const uint64_t mask = stoa_low_bits(nbits);
    uint64_t word = 0;
    unsigned fill = 0;
    uint8_t rest[8];

    for (size_t i = 0; i < n; i++) {
        uint64_t x = (stoa_get(values, i, width) - base) & mask;

        word |= x << fill;
        if (fill + nbits >= 64) {
            stoa_store64(packed, word);
            packed += 8;
            word = fill > 0 ? x >> (64 - fill) : 0;
            fill += nbits - 64;
        } else {
            fill += nbits;
        }
    }
    stoa_store64(rest, word);
    memcpy(packed, rest, (fill + 7) / 8);
}

static inline void bits_unpack(const uint8_t *packed, unsigned nbits, size_t n, uint64_t base,
                               uint8_t *out, unsigned width)
{
    const uint64_t mask = stoa_low_bits(nbits);
    size_t bit = 0;

    for (size_t i = 0; i < n; i++, bit += nbits) {
        const uint8_t *at = packed + bit / 8;
        unsigned shift = bit % 8;
        uint64_t x = stoa_load64(at) >> shift;

        if (width == 8 && shift + nbits > 64) /* a ninth byte */
            x |= (uint64_t)at[8] << (64 - shift);
        stoa_put(out, i, width, (x & mask) + base);
    }
}

static inline void histogram(const uint8_t *values, size_t n, uint64_t base, uint32_t hist[65],
                             unsigned width)
{
    const uint64_t mask = stoa_low_bits(width * 8);
    uint32_t part[4][65] = {{0}}; /* four, so that equal neighbours do not wait for each other */
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        for (unsigned k = 0; k < 4; k++)
            part[k][stoa_bit_width((stoa_get(values, i + k, width) - base) & mask)]++;
    }
    for (; i < n; i++)
        part[0][stoa_bit_width((stoa_get(values, i, width) - base) & mask)]++;
    for (unsigned k = 0; k <= 64; k++)
        hist[k] = part[0][k] + part[1][k] + part[2][k] + part[3][k];
}

static inline void differences(const uint8_t *values, size_t n, uint64_t before, uint8_t *out,
                               unsigned width)
{
    if (n > 0)
        stoa_put(out, 0, width, stoa_get(values, 0, width) - before);
    for (size_t i = 1; i < n; i++)
        stoa_put(out, i, width, stoa_get(values, i, width) - stoa_get(values, i - 1, width));
}

/* The half bytes of x in a byte each, the highest first in memory. */
static inline uint64_t high_first(uint32_t x)
{
    const uint64_t v = stoa_spread_bytes(__builtin_bswap32(x));

    return (v >> 4 & UINT64_C(0x000f000f000f000f)) | (v << 8 & UINT64_C(0x0f000f000f000f00));
}

/* Eight digits at a time: each in a byte of its own, then those above nine moved to the letters. */
static void hex(const uint8_t *numbers, size_t n, uint8_t letter, uint8_t *out, size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t x = stoa_get(numbers, i, 8);

        stoa_store64(out + i * stride, stoa_hex_digits(high_first((uint32_t)(x >> 32)), letter));
        stoa_store64(out + i * stride + 8, stoa_hex_digits(high_first((uint32_t)x), letter));
    }
}

STOA_KERNELS_TABLE(stoa_kernels_scalar);

struct stoa_range stoa_least_range(const uint8_t *values, unsigned width, size_t n, uint64_t *flip)
{
    const struct stoa_kernels *kernels = stoa_kernels();
    const uint64_t sign = UINT64_C(1) << (8 * width - 1), mask = stoa_low_bits(8 * width);
    struct stoa_range as_unsigned = kernels->range[stoa_width_log2(width)](values, n, 0), as_signed;

    *flip = 0;
    if (as_unsigned.max - as_unsigned.min < sign) /* nothing would be won, or both are the same */
        return as_unsigned;
    as_signed = kernels->range[stoa_width_log2(width)](values, n, sign);
    if (((as_signed.max - as_signed.min) & mask) >= as_unsigned.max - as_unsigned.min)
        return as_unsigned;
    *flip = sign;
    return as_signed;
}

/* Calls f(..., width) with a constant width. */
#define BY_WIDTH(width, call)                                                                      \
    do {                                                                                           \
        switch (width) {                                                                           \
        case 1:                                                                                    \
            call(1);                                                                               \
            break;                                                                                 \
        case 2:                                                                                    \
            call(2);                                                                               \
            break;                                                                                 \
        case 4:                                                                                    \
            call(4);                                                                               \
            break;                                                                                 \
        default:                                                                                   \
            call(8);                                                                               \
            break;                                                                                 \
        }                                                                                          \
    } while (0)

void stoa_bits_pack(const uint8_t *values, unsigned width, size_t n, uint64_t base, unsigned nbits,
                    uint8_t *packed)
{
#define CALL(w) bits_pack(values, n, base, nbits, packed, w)
    BY_WIDTH(width, CALL);
#undef CALL
}

bool stoa_bits_unpack(const uint8_t *packed, unsigned nbits, size_t n, uint64_t base,
                      unsigned width, uint8_t *out)
{
    uint8_t copy[STOA_BLOCK_NVALUES * 8 + 16]; /* loads of 8 bytes go past the last value */
    size_t nbytes = stoa_bits_nbytes(n, nbits);
    unsigned nused = n * nbits % 8;

    memcpy(copy, packed, nbytes);
    memset(copy + nbytes, 0, 16);
#define CALL(w) bits_unpack(copy, nbits, n, base, out, w)
    BY_WIDTH(width, CALL);
#undef CALL
    return nused == 0 || copy[nbytes - 1] >> nused == 0;
}

void stoa_width_histogram(const uint8_t *values, unsigned width, size_t n, uint64_t base,
                          uint32_t hist[65])
{
#define CALL(w) histogram(values, n, base, hist, w)
    BY_WIDTH(width, CALL);
#undef CALL
}

void stoa_differences(const uint8_t *values, unsigned width, size_t n, uint64_t before,
                      uint8_t *out)
{
#define CALL(w) differences(values, n, before, out, w)
    BY_WIDTH(width, CALL);
#undef CALL
}

static inline void gather(const uint8_t *entries, const uint32_t *codes, size_t n, uint8_t *out,
                          unsigned width)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * width, entries + (size_t)codes[i] * width, width);
}

void stoa_gather(const uint8_t *entries, unsigned width, const uint32_t *codes, size_t n,
                 uint8_t *out)
{
    switch (width) {
    case 1:
        gather(entries, codes, n, out, 1);
        break;
    case 2:
        gather(entries, codes, n, out, 2);
        break;
    case 4:
        gather(entries, codes, n, out, 4);
        break;
    case 8:
        gather(entries, codes, n, out, 8);
        break;
    case 16:
        gather(entries, codes, n, out, 16);
        break;
    case 32:
        gather(entries, codes, n, out, 32);
        break;
    default:
        gather(entries, codes, n, out, width);
        break;
    }
}
