/*
 * Bit counting, checked arithmetic and bitmaps.
 *
 * A bitmap is Arrow's: bit i % 8 of byte i / 8 belongs to value i; bits behind the last are zero.
 */
#ifndef STOA_BASE_BITS_H
#define STOA_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool stoa_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool stoa_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool stoa_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* `x` rounded up to a multiple of `unit`, a power of two; the caller keeps x away from the top. */
static inline uint64_t stoa_round_up(uint64_t x, uint64_t unit)
{
    return (x + unit - 1) & ~(unit - 1);
}

/* Bits that hold x: 0 for 0, 64 for UINT64_MAX. */
static inline unsigned stoa_bit_width(uint64_t x)
{
    return x == 0 ? 0 : 64 - (unsigned)__builtin_clzll(x);
}

static inline size_t stoa_bitmap_nbytes(size_t nvalues)
{
    return nvalues / 8 + (nvalues % 8 != 0);
}

static inline bool stoa_bitmap_get(const uint8_t *bitmap, size_t i)
{
    return (bitmap[i / 8] >> (i % 8)) & 1;
}

static inline void stoa_bitmap_set(uint8_t *bitmap, size_t i)
{
    bitmap[i / 8] = (uint8_t)(bitmap[i / 8] | 1u << (i % 8));
}

static inline void stoa_bitmap_clear(uint8_t *bitmap, size_t i)
{
    bitmap[i / 8] = (uint8_t)(bitmap[i / 8] & ~(1u << (i % 8)));
}

/* How many of the bits [begin, end) are set. */
size_t stoa_bitmap_count(const uint8_t *bitmap, size_t begin, size_t end);

/* Sets the bits [begin, end) of `out` to `value`. */
void stoa_bitmap_fill(uint8_t *out, size_t begin, size_t end, bool value);

/*
 * Copies `nbits` bits from bit `from` of `bitmap` to bit `to` of `out`; the other bits of `out`
 * stay. The ranges must not overlap.
 */
void stoa_bitmap_copy(uint8_t *out, size_t to, const uint8_t *bitmap, size_t from, size_t nbits);

/*
 * Numbers of set bits: first + i for each bit i of [0, nbits) that is set, in order. Returns how
 * many. Bits behind the last do not count. `out` has room for nbits numbers; those behind the ones
 * returned may change.
 */
size_t stoa_bitmap_places(const uint8_t *bitmap, size_t nbits, uint32_t first, uint32_t *out);

/* The two forms of it: the reference, and one that must not be called but on such a processor. */
size_t stoa_bitmap_places_scalar(const uint8_t *bitmap, size_t nbits, uint32_t first,
                                 uint32_t *out);
#if defined(__x86_64__)
size_t stoa_bitmap_places_avx2(const uint8_t *bitmap, size_t nbits, uint32_t first, uint32_t *out);
#endif

#endif
