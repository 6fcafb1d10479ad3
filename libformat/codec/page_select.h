/*
 * Part of a page: which of its values pass a test, and single values, without decoding the others
 * where the encodings allow it.
 *
 * Both give what stoa_page_decode() and a look at its values would. What a page holds in values
 * that nobody needed is not looked at, so damage there, which its hash would have shown, is only
 * found by decoding it.
 */
#ifndef STOA_CODEC_PAGE_SELECT_H
#define STOA_CODEC_PAGE_SELECT_H

#include "codec/page.h"

/* A page whose hash was verified and what its chunk says of it, as in stoa_page_decode(). */
struct stoa_page_view {
    const uint8_t *page;
    size_t nbytes;
    enum stoa_phys phys;
    uint32_t width;
    size_t nvalues;
    uint64_t raw_max;
    const struct stoa_vector *dictionary; /* the entries of a chunk that has a dictionary */
    uint32_t ncodes;                      /* without them: how many there are; takes give codes */
    size_t text_max; /* of a test of texts: the most bytes it may make of them; 0: 2^31 - 1 */
};

enum stoa_test_kind {
    STOA_TEST_VALID,  /* true of every value that is not null */
    STOA_TEST_SPANS,  /* integers in one of the spans; of a chunk with a dictionary, the codes */
    STOA_TEST_FLOATS, /* float32 and float64 in one of the ranges */
    STOA_TEST_CODES,  /* codes with a 1 in the table */
    STOA_TEST_TEXTS,  /* BYTES without a dictionary that the test's function lets pass */
};

/* Integers x of a type with x - from, which wraps around, at most `length`. */
struct stoa_test_span {
    uint64_t from;
    uint64_t length;
};

/* lo <= x <= hi; NaN never is. */
struct stoa_float_range {
    double lo;
    double hi;
};

/* Bytes from lo (belongs) to hi (does not), as memcmp() orders them; hi NULL: no upper end. */
struct stoa_text_range {
    const uint8_t *lo;
    size_t lo_nbytes;
    const uint8_t *hi;
    size_t hi_nbytes;
    bool is_point; /* lo alone; hi is lo with a zero byte behind */
};

/*
 * Bit i of bits[(n + 7) / 8] is set where text i passes, those behind the last are cleared. Offsets
 * are into `text`, behind which 64 bytes may be read.
 */
typedef void stoa_text_match(const void *context, const uint8_t *text, const int32_t *offsets,
                             size_t n, uint8_t *bits);

/* The most of them a caller may set; there is room for what encodings make of them. */
#define STOA_TEST_MAX_NSPANS 8

/* Null passes no test, inverted or not; but VALID inverted is passed by null alone. */
struct stoa_test {
    enum stoa_test_kind kind;
    bool inverted;
    unsigned nspans; /* of SPANS and FLOATS; may be 0. Of TEXTS; 0: `match` alone can tell */
    union {
        struct stoa_test_span spans[2 * STOA_TEST_MAX_NSPANS];
        struct stoa_float_range floats[2 * STOA_TEST_MAX_NSPANS];
        struct stoa_text_range texts[STOA_TEST_MAX_NSPANS]; /* what `match` tells, where few */
    };
    const uint8_t *codes;   /* CODES: a byte, 0 or 1, for each entry of the dictionary */
    stoa_text_match *match; /* TEXTS, with its context */
    const void *context;
    const uint8_t *wanted; /* TEXTS: a bit for each value that needs a right answer; NULL: all */
};

/*
 * Sets the bits of those of n numbers of a physical type, in native byte order, that are in a span
 * or range of the test; `inverted` is not looked at. SPANS of integers, FLOATS of F32 and F64.
 */
void stoa_test_numbers(const struct stoa_test *test, enum stoa_phys phys, const uint8_t *values,
                       size_t n, uint8_t *bits);

/*
 * Tests the values of a page: bit i of bits[(nvalues + 63) / 64 * 8] is set where value i passes,
 * the others are cleared. The kind of the test must be one for the values: SPANS of a chunk of
 * integers or with a dictionary, FLOATS of F32 and F64 without one, CODES with one, TEXTS of BYTES
 * without one; VALID of any. Values that are not wanted of a test of texts may be answered anyhow.
 * Errors as in stoa_page_decode().
 */
STOA_CHECK enum stoa_status stoa_page_filter(struct stoa_decoder *decoder,
                                             const struct stoa_page_view *view,
                                             const struct stoa_test *test, uint8_t *bits,
                                             struct stoa_error *err);

/*
 * The values at n > 0 places of a page, which rise. `out` as in stoa_page_decode(), for n values:
 * value k is that at places[k], nnulls counts those n. Errors as there.
 */
STOA_CHECK enum stoa_status stoa_page_take(struct stoa_decoder *decoder,
                                           const struct stoa_page_view *view,
                                           const uint32_t *places, size_t n,
                                           struct stoa_page_values *out, struct stoa_error *err);

/*
 * The same page without compression, for one that is asked for single values again and again: how
 * many bytes it has, 0 where none of it is compressed and the page is what it would be; then these.
 */
STOA_CHECK enum stoa_status stoa_page_inflated_nbytes(struct stoa_decoder *decoder,
                                                      const struct stoa_page_view *view,
                                                      size_t *nbytes, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_page_inflate(struct stoa_decoder *decoder,
                                              const struct stoa_page_view *view, uint8_t *out,
                                              struct stoa_error *err);

/*
 * Appends to *out a page of the same values that is PLAIN, for one that is computed from `bases`.
 * The values have a fixed width, and the view no dictionary.
 */
STOA_CHECK enum stoa_status stoa_page_make_plain(struct stoa_decoder *decoder,
                                                 const struct stoa_page_view *view,
                                                 struct stoa_base_source *bases,
                                                 struct stoa_buffer *out, struct stoa_error *err);

#endif
