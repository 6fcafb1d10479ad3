/*
 * JSON text (RFC 8259) piece by piece, where it stands in one line.
 *
 * All functions walk over text that ends with a byte below 0x20 (a line end, or the zero of a
 * terminator), which no value can have: so none of them is told where the text ends, and none
 * passes that byte. STOA_JSON_SLACK bytes behind it can be read. They check the syntax of what they
 * pass, but not that it is UTF-8.
 *
 * A function that fails returns NULL and sets the fault and the place where it is.
 */
#ifndef STOA_BASE_JSON_SCAN_H
#define STOA_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bytes.h"

#define STOA_JSON_SLACK     32
#define STOA_JSON_MAX_DEPTH 64 /* of arrays and objects in each other */

enum stoa_json_fault_kind {
    STOA_JSON_NO_VALUE,
    STOA_JSON_NO_KEY,
    STOA_JSON_NO_COLON,
    STOA_JSON_NO_MEMBER_END,
    STOA_JSON_NO_ITEM_END,
    STOA_JSON_NO_NUMBER,
    STOA_JSON_OPEN_TEXT,
    STOA_JSON_CONTROL,
    STOA_JSON_ESCAPE,
    STOA_JSON_SURROGATE,
    STOA_JSON_DEPTH,
    STOA_JSON_NFAULTS
};

struct stoa_json_fault {
    enum stoa_json_fault_kind kind;
    const char *at;
};

/* What is wrong, in words: "',' or '}' is expected". */
const char *stoa_json_fault_text(enum stoa_json_fault_kind kind);

/* The text of a string, between its quotes. */
struct stoa_json_string {
    const char *text;
    size_t nbytes;
    bool escaped; /* it has escapes, and stoa_json_unescape() says what they mean */
};

/*
 * Whether a text begins as JSON lines do, with an object and its key. Behind a byte order mark and
 * blank lines; text[0..nbytes) may hold anything and needs no end.
 */
bool stoa_json_begins_object(const char *text, size_t nbytes);

/* Over blanks, tabs and carriage returns. */
static inline const char *stoa_json_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

#define STOA_JSON_BYTES(c) (UINT64_C(0x0101010101010101) * (uint8_t)(c))

/*
 * Bytes that a string can't have as they are: quotes, backslashes, control characters. All below
 * tell how many stand in front of the first such byte: of 8 bytes, where it is told by a borrow out
 * of the lowest that is one (above it there may be false ones), and of 16.
 */
static inline unsigned stoa_json_plain_8(const char *at)
{
    const uint64_t x = stoa_load64(at);
    const uint64_t quote = x ^ STOA_JSON_BYTES('"'), slash = x ^ STOA_JSON_BYTES('\\');
    const uint64_t found = ((quote - STOA_JSON_BYTES(1)) & ~quote) |
                           ((slash - STOA_JSON_BYTES(1)) & ~slash) |
                           ((x - STOA_JSON_BYTES(0x20)) & ~x);
    const uint64_t bits = found & STOA_JSON_BYTES(0x80);

    return bits != 0 ? (unsigned)__builtin_ctzll(bits) / 8 : 8;
}

#if defined(__SSE2__) /* every x86-64 has it */
static inline unsigned stoa_json_plain_16(const char *at)
{
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)at);
    const __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    const __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    const __m128i found = _mm_or_si128(_mm_or_si128(quote, slash), control);

    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(found) | 1U << 16);
}
#else
static inline unsigned stoa_json_plain_16(const char *at)
{
    const unsigned n = stoa_json_plain_8(at);

    return n < 8 ? n : 8 + stoa_json_plain_8(at + 8);
}
#endif

/* Whether n bytes are the same, at most 32, which can be read at both places. */
static inline bool stoa_json_same(const char *a, const char *b, unsigned n)
{
#if defined(__SSE2__)
    const __m128i low = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)a),
                                       _mm_loadu_si128((const __m128i *)(const void *)b));
    const __m128i high = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)(a + 16)),
                                        _mm_loadu_si128((const __m128i *)(const void *)(b + 16)));
    const uint64_t same =
        (unsigned)_mm_movemask_epi8(low) | (uint64_t)(unsigned)_mm_movemask_epi8(high) << 16;

    return (~same & ((UINT64_C(1) << n) - 1)) == 0;
#else
    return memcmp(a, b, n) == 0;
#endif
}

/* The first such byte from `at` on. */
static inline const char *stoa_json_plain_end(const char *at)
{
    for (;; at += 16) {
        const unsigned n = stoa_json_plain_16(at);

        if (n < 16)
            return at + n;
    }
}

/* Copies 32 bytes, and tells of these. */
#define STOA_JSON_PIECE_NBYTES 32
static inline unsigned stoa_json_copy_plain(const char *at, uint8_t *out)
{
    unsigned n;

    memcpy(out, at, STOA_JSON_PIECE_NBYTES);
    n = stoa_json_plain_16(at);
    return n < 16 ? n : 16 + stoa_json_plain_16(at + 16);
}

/* The string whose quote stands at `at`; behind its closing quote. */
const char *stoa_json_scan_string(const char *at, struct stoa_json_string *out,
                                  struct stoa_json_fault *fault);

/*
 * What the text of a string with escapes says, as UTF-8 into `out`, which has room for as many
 * bytes as the text; how many.
 */
size_t stoa_json_unescape(const struct stoa_json_string *string, char *out);

/* The number at `at`, which is a digit or '-'; behind it. */
const char *stoa_json_scan_number(const char *at, bool *is_integer, struct stoa_json_fault *fault);

/* Whether the word stands at `at`: one load instead of a loop. */
static inline bool stoa_json_is_null(const char *at)
{
    return stoa_load32(at) == stoa_load32("null");
}

/* Any value at `at`; behind it. Blanks in front of it are not passed. */
const char *stoa_json_skip_value(const char *at, struct stoa_json_fault *fault);

/* Whether a terminated text is one value and nothing else, all in one line. */
bool stoa_json_is_value(const char *text, size_t nbytes);

#endif
