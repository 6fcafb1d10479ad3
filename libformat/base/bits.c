/*
 * Bitmaps, eight bytes at a time where the range allows.
 */
#include "base/bits.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cpu.h"

/* Sums of two bits, of four, of eight, of all: without POPCNT the compiler calls a function. */
static inline size_t count_word(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (size_t)(word * UINT64_C(0x0101010101010101) >> 56);
}

size_t stoa_bitmap_count(const uint8_t *bitmap, size_t begin, size_t end)
{
    size_t count = 0;
    size_t i = begin;

    while (i < end && i % 8 != 0)
        count += stoa_bitmap_get(bitmap, i++);
    for (; end - i >= 64; i += 64) {
        uint64_t word;

        memcpy(&word, bitmap + i / 8, 8);
        count += count_word(word);
    }
    while (i < end)
        count += stoa_bitmap_get(bitmap, i++);
    return count;
}

static void put(uint8_t *out, size_t i, bool value)
{
    if (value)
        stoa_bitmap_set(out, i);
    else
        stoa_bitmap_clear(out, i);
}

void stoa_bitmap_fill(uint8_t *out, size_t begin, size_t end, bool value)
{
    size_t i = begin;

    while (i < end && i % 8 != 0)
        put(out, i++, value);
    if (end - i >= 8) {
        memset(out + i / 8, value ? 0xff : 0, (end - i) / 8);
        i += (end - i) / 8 * 8;
    }
    while (i < end)
        put(out, i++, value);
}

void stoa_bitmap_copy(uint8_t *out, size_t to, const uint8_t *bitmap, size_t from, size_t nbits)
{
    size_t i = 0;

    while (i < nbits && (to + i) % 8 != 0) {
        put(out, to + i, stoa_bitmap_get(bitmap, from + i));
        i++;
    }
    if ((from + i) % 8 == 0) {
        size_t whole = (nbits - i) / 8;

        if (whole > 0)
            memcpy(out + (to + i) / 8, bitmap + (from + i) / 8, whole);
        i += whole * 8;
    } else {
        unsigned shift = (unsigned)((from + i) % 8);

        for (; nbits - i >= 8; i += 8) {
            const uint8_t *in = bitmap + (from + i) / 8;

            out[(to + i) / 8] = (uint8_t)(in[0] >> shift | in[1] << (8 - shift));
        }
    }
    for (; i < nbits; i++)
        put(out, to + i, stoa_bitmap_get(bitmap, from + i));
}

/* Up to 64 bits as a word, zeros behind them. */
static inline uint64_t load_bits(const uint8_t *bitmap, size_t nbits)
{
    uint8_t bytes[8] = {0};

    if (nbits >= 64)
        return stoa_load64(bitmap);
    memcpy(bytes, bitmap, stoa_bitmap_nbytes(nbits));
    return stoa_load64(bytes) & ((UINT64_C(1) << nbits) - 1);
}

size_t stoa_bitmap_places_scalar(const uint8_t *bitmap, size_t nbits, uint32_t first, uint32_t *out)
{
    size_t count = 0;

    for (size_t i = 0; i < nbits; i += 64) {
        for (uint64_t word = load_bits(bitmap + i / 8, nbits - i); word != 0; word &= word - 1)
            out[count++] = first + (uint32_t)i + (uint32_t)__builtin_ctzll(word);
    }
    return count;
}

size_t stoa_bitmap_places(const uint8_t *bitmap, size_t nbits, uint32_t first, uint32_t *out)
{
#if defined(__x86_64__)
    if (stoa_cpu_has_avx2())
        return stoa_bitmap_places_avx2(bitmap, nbits, first, out);
#endif
    return stoa_bitmap_places_scalar(bitmap, nbits, first, out);
}
