/* See the header. */
#include "support/text_test.h"

#include <string.h>

#include "base/bits.h"

/* A text of the page, or one that is shorter, longer or has another byte. Returns its length. */
static size_t draw_end(struct stoa_test_random *r, const uint8_t *values, const int32_t *offsets,
                       size_t n, uint8_t *out)
{
    size_t i = stoa_test_random_below(r, n), at;
    size_t nbytes = (size_t)(offsets[i + 1] - offsets[i]);

    nbytes = nbytes < STOA_TEST_END_NBYTES - 2 ? nbytes : STOA_TEST_END_NBYTES - 2;
    if (nbytes > 0)
        memcpy(out, values + offsets[i], nbytes);
    at = stoa_test_random_below(r, nbytes + 1);
    switch (stoa_test_random_below(r, 7)) {
    case 0:
        return at;
    case 1:
        out[nbytes] = (uint8_t)stoa_test_random_below(r, 256);
        return nbytes + 1;
    case 2:
        out[at] = (uint8_t)(out[at] + 1);
        return nbytes;
    case 3:
        out[at] = (uint8_t)stoa_test_random_below(r, 256);
        return nbytes;
    default:
        return nbytes;
    }
}

static int compare(const uint8_t *a, size_t a_nbytes, const uint8_t *b, size_t b_nbytes)
{
    size_t shorter = a_nbytes < b_nbytes ? a_nbytes : b_nbytes;
    int order = shorter > 0 ? memcmp(a, b, shorter) : 0;

    return order != 0 ? order : (a_nbytes > b_nbytes) - (a_nbytes < b_nbytes);
}

bool stoa_test_text_has(const struct stoa_test_text *test, const uint8_t *text, size_t nbytes)
{
    bool has = false;

    for (unsigned k = 0; k < test->nranges; k++) {
        const struct stoa_text_range *range = &test->ranges[k];

        has |= compare(range->lo, range->lo_nbytes, text, nbytes) <= 0 &&
               (range->hi == NULL || compare(text, nbytes, range->hi, range->hi_nbytes) < 0);
    }
    return has;
}

static void match(const void *context, const uint8_t *text, const int32_t *offsets, size_t n,
                  uint8_t *bits)
{
    memset(bits, 0, stoa_bitmap_nbytes(n));
    for (size_t i = 0; i < n; i++)
        if (stoa_test_text_has(context, text + offsets[i], (size_t)(offsets[i + 1] - offsets[i])))
            stoa_bitmap_set(bits, i);
}

void stoa_test_text_draw(struct stoa_test_text *out, struct stoa_test_random *r,
                         const uint8_t *values, const int32_t *offsets, size_t n)
{
    memset(out, 0, sizeof(*out));
    out->nranges = stoa_test_random_one_in(r, 2)
                       ? 1
                       : 1 + (unsigned)stoa_test_random_below(r, STOA_TEST_MAX_NSPANS);
    for (unsigned k = 0; k < out->nranges; k++) {
        struct stoa_text_range *range = &out->ranges[k];

        range->lo = out->ends[k][0];
        range->hi = out->ends[k][1];
        range->lo_nbytes = draw_end(r, values, offsets, n, out->ends[k][0]);
        range->is_point = stoa_test_random_one_in(r, 3);
        if (range->is_point) {
            memcpy(out->ends[k][1], range->lo, range->lo_nbytes);
            out->ends[k][1][range->lo_nbytes] = 0;
            range->hi_nbytes = range->lo_nbytes + 1;
        } else if (stoa_test_random_one_in(r, 3)) {
            range->hi = NULL;
        } else {
            range->hi_nbytes = draw_end(r, values, offsets, n, out->ends[k][1]);
        }
    }
    out->test = (struct stoa_test){.kind = STOA_TEST_TEXTS, .match = match, .context = out};
    out->test.inverted = stoa_test_random_one_in(r, 2);
    if (stoa_test_random_one_in(r, 6))
        return;
    out->test.nspans = out->nranges;
    memcpy(out->test.texts, out->ranges, out->nranges * sizeof(out->ranges[0]));
}
