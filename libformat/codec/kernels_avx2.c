/*
 * The loops of kernels.c in AVX2.
 *
 * A row of a block is 128 bytes whatever the type: four vectors, all shifted by the same count. The
 * count is the same for all lanes, so it sits in one register and no code is specialised by width.
 * Each function is written once with `width` as a parameter (codec/kernel_table.h).
 */
#include <immintrin.h>

#include "codec/kernel_table.h"

typedef __m256i vec;

static inline vec load(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const vec *)(const void *)bytes);
}

static inline void store(uint8_t *bytes, vec x)
{
    _mm256_storeu_si256((vec *)(void *)bytes, x);
}

static inline vec splat(uint64_t x, unsigned width)
{
    return width == 1   ? _mm256_set1_epi8((char)x)
           : width == 2 ? _mm256_set1_epi16((short)x)
           : width == 4 ? _mm256_set1_epi32((int)x)
                        : _mm256_set1_epi64x((long long)x);
}

static inline vec add(vec a, vec b, unsigned width)
{
    return width == 1   ? _mm256_add_epi8(a, b)
           : width == 2 ? _mm256_add_epi16(a, b)
           : width == 4 ? _mm256_add_epi32(a, b)
                        : _mm256_add_epi64(a, b);
}

static inline vec sub(vec a, vec b, unsigned width)
{
    return width == 1   ? _mm256_sub_epi8(a, b)
           : width == 2 ? _mm256_sub_epi16(a, b)
           : width == 4 ? _mm256_sub_epi32(a, b)
                        : _mm256_sub_epi64(a, b);
}

/*
 * Shifts of whole lanes. There is none for bytes: those shift as words of 16 bits and leave bits of
 * their neighbour behind, which the caller masks.
 */
static inline vec shift_right(vec x, __m128i count, unsigned width)
{
    return width <= 2   ? _mm256_srl_epi16(x, count)
           : width == 4 ? _mm256_srl_epi32(x, count)
                        : _mm256_srl_epi64(x, count);
}

static inline vec shift_left(vec x, __m128i count, unsigned width)
{
    return width <= 2   ? _mm256_sll_epi16(x, count)
           : width == 4 ? _mm256_sll_epi32(x, count)
                        : _mm256_sll_epi64(x, count);
}

static inline void unpack(const uint8_t *packed, unsigned nbits, uint64_t base, uint8_t *out,
                          unsigned width)
{
    const unsigned word_nbits = width * 8;
    const vec bases = splat(base, width), mask = splat(stoa_low_bits(nbits), width);
    unsigned shift = 0;

    if (nbits == 0) {
        for (unsigned i = 0; i < 1024 * width; i += 32)
            store(out + i, bases);
        return;
    }
    for (unsigned row = 0; row < word_nbits; row++, out += 128) {
        __m128i right = _mm_cvtsi32_si128((int)shift);

        if (shift + nbits <= word_nbits) {
            for (unsigned k = 0; k < 128; k += 32) {
                vec x = shift_right(load(packed + k), right, width);

                store(out + k, add(_mm256_and_si256(x, mask), bases, width));
            }
            shift += nbits;
            if (shift == word_nbits) {
                shift = 0;
                packed += 128;
            }
        } else { /* the value goes on in the next word of its lane */
            __m128i left = _mm_cvtsi32_si128((int)(word_nbits - shift));
            vec low = splat(stoa_low_bits(word_nbits - shift), width);
            vec high = _mm256_andnot_si256(low, mask);

            for (unsigned k = 0; k < 128; k += 32) {
                vec x = _mm256_and_si256(shift_right(load(packed + k), right, width), low);
                vec y = shift_left(load(packed + 128 + k), left, width);

                x = _mm256_or_si256(x, _mm256_and_si256(y, high));
                store(out + k, add(x, bases, width));
            }
            packed += 128;
            shift += nbits - word_nbits;
        }
    }
}

static inline void pack(const uint8_t *values, uint64_t base, unsigned nbits, uint8_t *packed,
                        unsigned width)
{
    const unsigned word_nbits = width * 8;
    const vec bases = splat(base, width), mask = splat(stoa_low_bits(nbits), width);
    unsigned shift = 0;
    vec words[4];

    if (nbits == 0)
        return;
    for (unsigned k = 0; k < 4; k++)
        words[k] = _mm256_setzero_si256();
    for (unsigned row = 0; row < word_nbits; row++, values += 128) {
        __m128i left = _mm_cvtsi32_si128((int)shift);
        __m128i right = _mm_cvtsi32_si128((int)(word_nbits - shift));
        vec fits = splat(stoa_low_bits(word_nbits - shift), width);
        bool full = shift + nbits >= word_nbits;

        for (unsigned k = 0; k < 4; k++) {
            vec x = _mm256_and_si256(sub(load(values + 32 * k), bases, width), mask);

            words[k] =
                _mm256_or_si256(words[k], shift_left(_mm256_and_si256(x, fits), left, width));
            if (full) {
                store(packed + 32 * k, words[k]);
                words[k] = shift_right(_mm256_andnot_si256(fits, x), right, width);
            }
        }
        shift += nbits;
        if (full) {
            shift -= word_nbits;
            packed += 128;
        }
    }
}

/* Signed order of 8-byte lanes is the only one that AVX2 can compare: flip brings others to it. */
static inline vec pick_min(vec a, vec b, unsigned width)
{
    return width == 1   ? _mm256_min_epu8(a, b)
           : width == 2 ? _mm256_min_epu16(a, b)
           : width == 4 ? _mm256_min_epu32(a, b)
                        : _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b));
}

static inline vec pick_max(vec a, vec b, unsigned width)
{
    return width == 1   ? _mm256_max_epu8(a, b)
           : width == 2 ? _mm256_max_epu16(a, b)
           : width == 4 ? _mm256_max_epu32(a, b)
                        : _mm256_blendv_epi8(b, a, _mm256_cmpgt_epi64(a, b));
}

static inline struct stoa_range range(const uint8_t *values, size_t n, uint64_t flip,
                                      unsigned width)
{
    const size_t step = 64 / width;
    const uint64_t sign = width == 8 ? flip ^ (UINT64_C(1) << 63) : flip;
    const vec flips = splat(sign, width);
    uint8_t lanes[2][32];
    struct stoa_range r;
    vec min[2], max[2];
    size_t i = step;

    if (n < step)
        return stoa_kernels_scalar.range[stoa_width_log2(width)](values, n, flip);
    for (unsigned k = 0; k < 2; k++)
        min[k] = max[k] = _mm256_xor_si256(load(values + 32 * k), flips);
    for (; i < n; i += step) {
        if (i + step > n) /* the last full step again, up to the end */
            i = n - step;
        for (unsigned k = 0; k < 2; k++) {
            vec x = _mm256_xor_si256(load(values + i * width + 32 * k), flips);

            min[k] = pick_min(min[k], x, width);
            max[k] = pick_max(max[k], x, width);
        }
    }
    store(lanes[0], _mm256_xor_si256(pick_min(min[0], min[1], width), flips));
    store(lanes[1], _mm256_xor_si256(pick_max(max[0], max[1], width), flips));
    r.min = stoa_kernels_scalar.range[stoa_width_log2(width)](lanes[0], 32 / width, flip).min;
    r.max = stoa_kernels_scalar.range[stoa_width_log2(width)](lanes[1], 32 / width, flip).max;
    return r;
}

/* Sums inside the 128-bit halves first, then the low half's total into the high half. */
static inline vec sum_lanes(vec x, unsigned width)
{
    vec carry;

    if (width == 4)
        x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
    x = add(x, _mm256_slli_si256(x, 8), width);
    carry = _mm256_permute2x128_si256(x, x, 0x08); /* low half to the high one, zero to the low */
    carry = width == 4 ? _mm256_shuffle_epi32(carry, 0xff) : _mm256_unpackhi_epi64(carry, carry);
    return add(x, carry, width);
}

static inline void sum(uint8_t *values, size_t n, uint64_t start, unsigned width)
{
    const size_t step = 32 / width;
    vec total = splat(start, width);
    size_t i = 0;

    for (; width >= 4 && i + step <= n; i += step) { /* narrower values: as they come */
        vec x = sum_lanes(load(values + i * width), width);
        /* The total of these lanes does not wait for the running one: one add a step is serial. */
        vec last = width == 4 ? _mm256_permutevar8x32_epi32(x, _mm256_set1_epi32(7))
                              : _mm256_permute4x64_epi64(x, 0xff);

        store(values + i * width, add(x, total, width));
        total = add(total, last, width);
    }
    if (i > 0)
        start = stoa_get(values, i - 1, width);
    stoa_kernels_scalar.sum[stoa_width_log2(width)](values + i * width, n - i, start);
}

static inline void scale(uint8_t *values, size_t n, uint64_t factor, uint64_t addend,
                         unsigned width)
{
    for (size_t i = 0; i < n; i++)
        stoa_put(values, i, width, stoa_get(values, i, width) * factor + addend);
}

/*
 * The answers for one vector of values, a bit each. x <= length, unsigned, is min(x, length) == x;
 * there is no such minimum of 8-byte lanes, so those are compared signed with the top bit turned
 * over.
 */
static inline uint32_t within_bits(vec x, vec froms, vec lengths, unsigned width)
{
    vec passes;

    x = sub(x, froms, width);
    if (width == 8) {
        const vec top = _mm256_set1_epi64x(INT64_MIN);

        passes = _mm256_cmpgt_epi64(_mm256_xor_si256(x, top), lengths);
        return ~(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(passes)) & 0xf;
    }
    passes = pick_min(x, lengths, width);
    if (width == 4) {
        passes = _mm256_cmpeq_epi32(passes, x);
        return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(passes));
    }
    if (width == 2) {
        passes = _mm256_cmpeq_epi16(passes, x);
        return (uint32_t)_mm_movemask_epi8(
            _mm_packs_epi16(_mm256_castsi256_si128(passes), _mm256_extracti128_si256(passes, 1)));
    }
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(passes, x));
}

static inline void within(const uint8_t *values, size_t n, uint64_t from, uint64_t length,
                          uint8_t *bits, unsigned width)
{
    const unsigned lanes = 32 / width;
    const uint64_t top = width == 8 ? UINT64_C(1) << 63 : 0;
    const vec froms = splat(from, width), lengths = splat(length ^ top, width);
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        uint32_t found = 0, old;

        for (unsigned k = 0; k < width; k++)
            found |= within_bits(load(values + i * width + 32 * k), froms, lengths, width)
                     << (k * lanes);
        memcpy(&old, bits + i / 8, 4);
        found |= old;
        memcpy(bits + i / 8, &found, 4);
    }
    stoa_kernels_scalar.within[stoa_width_log2(width)](values + i * width, n - i, from, length,
                                                       bits + i / 8);
}

static inline uint8_t between_bits(const uint8_t *values, __m256d lo, __m256d hi, bool doubles)
{
    __m256d x = doubles ? _mm256_castsi256_pd(load(values))
                        : _mm256_cvtps_pd(_mm_castsi128_ps(
                              _mm_loadu_si128((const __m128i *)(const void *)values)));

    return (uint8_t)_mm256_movemask_pd(
        _mm256_and_pd(_mm256_cmp_pd(x, lo, _CMP_GE_OQ), _mm256_cmp_pd(x, hi, _CMP_LE_OQ)));
}

static inline void between(const uint8_t *values, size_t n, double lo, double hi, uint8_t *bits,
                           bool doubles)
{
    const size_t width = doubles ? 8 : 4;
    const __m256d los = _mm256_set1_pd(lo), his = _mm256_set1_pd(hi);
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        bits[i / 8] = (uint8_t)(bits[i / 8] | between_bits(values + i * width, los, his, doubles) |
                                between_bits(values + (i + 4) * width, los, his, doubles) << 4);
    stoa_kernels_scalar.between[doubles](values + i * width, n - i, lo, hi, bits + i / 8);
}

static void between32(const uint8_t *values, size_t n, double lo, double hi, uint8_t *bits)
{
    between(values, n, lo, hi, bits, false);
}

static void between64(const uint8_t *values, size_t n, double lo, double hi, uint8_t *bits)
{
    between(values, n, lo, hi, bits, true);
}

/* Half bytes side by side, highest first, each looked up among 16 digits; four numbers a step. */
static void hex(const uint8_t *numbers, size_t n, uint8_t letter, uint8_t *out, size_t stride)
{
    const vec swap = _mm256_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                                     11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    const vec digits = _mm256_broadcastsi128_si256(_mm_loadu_si128(
        (const __m128i *)(const void *)(letter == 'a' ? "0123456789abcdef" : "0123456789ABCDEF")));
    const vec halves = _mm256_set1_epi8(15);
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        const vec x = _mm256_shuffle_epi8(load(numbers + i * 8), swap);
        const vec high = _mm256_and_si256(_mm256_srli_epi16(x, 4), halves);
        const vec low = _mm256_and_si256(x, halves);
        const vec even = _mm256_shuffle_epi8(digits, _mm256_unpacklo_epi8(high, low));
        const vec odd = _mm256_shuffle_epi8(digits, _mm256_unpackhi_epi8(high, low));
        uint8_t *at = out + i * stride;

        _mm_storeu_si128((__m128i *)(void *)at, _mm256_castsi256_si128(even));
        _mm_storeu_si128((__m128i *)(void *)(at + stride), _mm256_castsi256_si128(odd));
        _mm_storeu_si128((__m128i *)(void *)(at + 2 * stride), _mm256_extracti128_si256(even, 1));
        _mm_storeu_si128((__m128i *)(void *)(at + 3 * stride), _mm256_extracti128_si256(odd, 1));
    }
    stoa_kernels_scalar.hex(numbers + i * 8, n - i, letter, out + i * stride, stride);
}

STOA_KERNELS_TABLE(stoa_kernels_avx2);
