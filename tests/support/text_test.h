/*
 * Tests of texts for pages: ends that are texts of the page or stand next to one, and what each
 * test says of a text, by memcmp().
 */
#ifndef STOA_TESTS_SUPPORT_TEXT_TEST_H
#define STOA_TESTS_SUPPORT_TEXT_TEST_H

#include "codec/page_select.h"
#include "support/random.h"

enum { STOA_TEST_END_NBYTES = 300 };

/* `test` points into it: it is not to be copied. */
struct stoa_test_text {
    struct stoa_test test; /* sometimes without its ranges, so that `match` has to be asked */
    struct stoa_text_range ranges[STOA_TEST_MAX_NSPANS];
    unsigned nranges;
    uint8_t ends[STOA_TEST_MAX_NSPANS][2][STOA_TEST_END_NBYTES];
};

/* Points, ranges, and ranges without an upper end; `values` are n > 0 texts. */
void stoa_test_text_draw(struct stoa_test_text *out, struct stoa_test_random *r,
                         const uint8_t *values, const int32_t *offsets, size_t n);

/* Whether a text is in a range; `inverted` is not looked at. */
bool stoa_test_text_has(const struct stoa_test_text *test, const uint8_t *text, size_t nbytes);

#endif
