/*
 * UTF-8 check in AVX2, 32 bytes at a time, by the algorithm of J. Keiser and D. Lemire, "Validating
 * UTF-8 in less than one instruction per byte" (Software: Practice and Experience 51, 2021).
 *
 * What is wrong with two bytes in a row is seen in three of their halves. A table for each half has
 * a bit for each fault that it may belong to; a fault that is in all three is there:
 *
 *     e0 9f      'e'  of the first     TOO_SHORT, LONG_3, SURROGATE
 *                '0'  of the first     TOO_SHORT, LONG_3, LONG_2, LONG_4, ...
 *                '9'  of the second    TOO_LONG, LONG_3, LONG_2, LARGE, ...
 *                in all of them        LONG_3: no shortest form
 *
 * Two bytes that go on are a fault of this kind as well, but not where they must: at the third byte
 * of three or four, and at the fourth.
 */
#include <immintrin.h>

#include "base/utf8.h"

typedef __m256i vec;

enum fault {
    TOO_SHORT = 1 << 0, /* a lead, and behind it no byte that goes on */
    TOO_LONG = 1 << 1,  /* an ASCII byte, and behind it one that goes on */
    LONG_3 = 1 << 2,    /* E0 80..9F: two bytes would have done */
    LARGE = 1 << 3,     /* F4..FF 90..BF: above U+10FFFF */
    SURROGATE = 1 << 4, /* ED A0..BF */
    LONG_2 = 1 << 5,    /* C0..C1 80..BF */
    LONG_4 = 1 << 6,    /* F0 80..8F; the same bit for F5..FF 80..8F, which are too large */
    TWO_GO_ON = 1 << 7, /* 80..BF 80..BF: right behind some leads alone */
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_GO_ON, /* whatever the low half of the first */
};

enum { STEP = 64 };

static inline vec load(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const vec *)(const void *)bytes);
}

/* The entry of a table of 16, for each byte 0..15 of `x`. */
static inline vec look_up(const uint8_t table[16], vec x)
{
    const __m128i entries = _mm_loadu_si128((const __m128i *)(const void *)table);

    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), x);
}

static inline vec high_half(vec x)
{
    return _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(0x0f));
}

/* The bytes of `x` moved by n places, which those at the end of `before` fill. n is constant. */
#define BEHIND(before, x, n)                                                                       \
    _mm256_alignr_epi8(x, _mm256_permute2x128_si256(before, x, 0x21), 16 - (n))

/* Not zero where a byte of `x` does not follow from the three in front of it. */
static inline vec find_faults(vec before, vec x)
{
    /* clang-format off */
    static const uint8_t first_high[16] = {
        TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
        TWO_GO_ON, TWO_GO_ON, TWO_GO_ON, TWO_GO_ON, /* 80..BF */
        TOO_SHORT | LONG_2,                         /* C0..CF */
        TOO_SHORT,
        TOO_SHORT | LONG_3 | SURROGATE,             /* E0..EF */
        TOO_SHORT | LARGE | LONG_4,                 /* F0..FF */
    };
    static const uint8_t first_low[16] = {
        ANY_LOW | LONG_2 | LONG_3 | LONG_4,   /* C0, E0, F0 */
        ANY_LOW | LONG_2,                     /* C1 */
        ANY_LOW, ANY_LOW,
        ANY_LOW | LARGE,                      /* F4 */
        ANY_LOW | LARGE | LONG_4, ANY_LOW | LARGE | LONG_4, ANY_LOW | LARGE | LONG_4,
        ANY_LOW | LARGE | LONG_4, ANY_LOW | LARGE | LONG_4, ANY_LOW | LARGE | LONG_4,
        ANY_LOW | LARGE | LONG_4, ANY_LOW | LARGE | LONG_4,
        ANY_LOW | LARGE | LONG_4 | SURROGATE, /* ED */
        ANY_LOW | LARGE | LONG_4, ANY_LOW | LARGE | LONG_4,
    };
    static const uint8_t second_high[16] = {
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
        TOO_LONG | TWO_GO_ON | LONG_2 | LONG_3 | LONG_4,   /* 80..8F */
        TOO_LONG | TWO_GO_ON | LONG_2 | LONG_3 | LARGE,    /* 90..9F */
        TOO_LONG | TWO_GO_ON | LONG_2 | SURROGATE | LARGE, /* A0..BF */
        TOO_LONG | TWO_GO_ON | LONG_2 | SURROGATE | LARGE,
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    };
    /* clang-format on */
    const vec first = BEHIND(before, x, 1);
    const vec low = _mm256_and_si256(first, _mm256_set1_epi8(0x0f));
    const vec pair = _mm256_and_si256(
        _mm256_and_si256(look_up(first_high, high_half(first)), look_up(first_low, low)),
        look_up(second_high, high_half(x)));
    /* The top bit is set behind a lead of three or four, that is from E0 on, and of four, F0. */
    const vec third = _mm256_subs_epu8(BEHIND(before, x, 2), _mm256_set1_epi8(0xe0 - 0x80));
    const vec fourth =
        _mm256_subs_epu8(BEHIND(before, x, 3), _mm256_set1_epi8((char)(0xf0 - 0x80)));
    const vec must_go_on =
        _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)TWO_GO_ON));

    return _mm256_xor_si256(must_go_on, pair);
}

size_t stoa_utf8_valid_prefix_avx2(const uint8_t *text, size_t nbytes)
{
    vec before = _mm256_setzero_si256();
    size_t i = 0;

    for (; nbytes - i >= STEP; i += STEP) {
        const vec a = load(text + i), b = load(text + i + 32);

        /* A letter may be unfinished in front of ASCII bytes. */
        if (_mm256_movemask_epi8(_mm256_or_si256(a, b)) != 0 || (i > 0 && text[i - 1] >= 0x80)) {
            const vec faults = _mm256_or_si256(find_faults(before, a), find_faults(a, b));

            if (!_mm256_testz_si256(faults, faults))
                break;
        }
        before = b;
    }
    /*
     * All in front of i is valid but for a letter that may go on there. From its first byte on the
     * reference says where the text ends, or what is wrong with it.
     */
    if (i > 0) {
        do
            i--;
        while ((text[i] & 0xc0) == 0x80);
    }
    return i + stoa_utf8_valid_prefix_scalar(text + i, nbytes - i);
}
