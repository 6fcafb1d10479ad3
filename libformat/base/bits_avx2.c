/*
 * Numbers of set bits in AVX2: eight bits at a time, by a table of their 256 forms.
 *
 *     bits            1 0 1 1 0 0 1 0     least first
 *     row of table    0 2 3 6 0 0 0 0     + 40 in each lane, where these are the bits 40 to 47
 *     stored          40 42 43 46 . . . .     4 of them count: the next store begins there
 *
 * Where few bits are set, one after the other is faster; so a word of 64 is counted first.
 */
#include <immintrin.h>
#include <string.h>

#include "base/bits.h"

/* Words of all settings of the bits from 0 to k, put in front of the numbers of higher bits. */
#define BITS_0(word) (word), (word) << 8
#define BITS_1(word) BITS_0(word), BITS_0((word) << 8 | 1)
#define BITS_2(word) BITS_1(word), BITS_1((word) << 8 | 2)
#define BITS_3(word) BITS_2(word), BITS_2((word) << 8 | 3)
#define BITS_4(word) BITS_3(word), BITS_3((word) << 8 | 4)
#define BITS_5(word) BITS_4(word), BITS_4((word) << 8 | 5)
#define BITS_6(word) BITS_5(word), BITS_5((word) << 8 | 6)
#define BITS_7(word) BITS_6(word), BITS_6((word) << 8 | 7)

/* Of each byte the numbers of its set bits, the least one in the lowest byte. */
static const uint64_t places_of_byte[256] = {BITS_7(UINT64_C(0))};

/* Up to so many of 64 are found sooner one by one (bench_base, "numbers of set bits"). */
enum { FEW = 8 };

/*
 * A store reaches no further than it would if all bits in front of it were set as well as its own:
 * never behind number 64.
 */
static inline size_t places_of_word(uint64_t word, uint32_t first, uint32_t *out)
{
    const __m256i eight = _mm256_set1_epi32(8);
    __m256i base = _mm256_set1_epi32((int)first);
    size_t count = 0;

    for (unsigned k = 0; k < 8; k++, word >>= 8) {
        __m128i row = _mm_cvtsi64_si128((long long)places_of_byte[word & 0xff]);

        _mm256_storeu_si256((__m256i *)(void *)(out + count),
                            _mm256_add_epi32(_mm256_cvtepu8_epi32(row), base));
        base = _mm256_add_epi32(base, eight);
        count += (size_t)__builtin_popcountll(word & 0xff);
    }
    return count;
}

size_t stoa_bitmap_places_avx2(const uint8_t *bitmap, size_t nbits, uint32_t first, uint32_t *out)
{
    size_t count = 0, i = 0;

    for (; nbits - i >= 64; i += 64) {
        uint64_t word;

        memcpy(&word, bitmap + i / 8, 8);
        if (__builtin_popcountll(word) > FEW) {
            count += places_of_word(word, first + (uint32_t)i, out + count);
            continue;
        }
        for (; word != 0; word &= word - 1)
            out[count++] = first + (uint32_t)i + (uint32_t)__builtin_ctzll(word);
    }
    return count +
           stoa_bitmap_places_scalar(bitmap + i / 8, nbits - i, first + (uint32_t)i, out + count);
}
