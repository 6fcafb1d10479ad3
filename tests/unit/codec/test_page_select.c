/*
 * Parts of pages: single values and tests give what the values that were encoded say, whatever the
 * plan, and a page without compression is the same page.
 */
#include "codec/page_select.h"

#include <math.h>
#include <setjmp.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/distinct.h"
#include "codec/kernels.h"
#include "codec/node.h"
#include "support/codec_values.h"
#include "support/fault_alloc.h"
#include "support/random.h"

enum { FIXED_WIDTH = 5, RAW_MAX = 1 << 28, GUARD = 0xc3 };

/* A page and the values that it was made of. */
struct page {
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    struct stoa_test_random *r;
    struct stoa_test_values plain;
    struct stoa_distinct *set; /* the values by their codes */
    struct stoa_vector entries;
    uint32_t *codes;
    uint8_t *validity; /* NULL: no value is null */
    struct stoa_buffer bytes;
    struct stoa_page_view view;
    char plan[128];
    size_t nplans;
    size_t every;
};

static bool is_valid(const struct page *p, size_t i)
{
    return p->validity == NULL || stoa_bitmap_get(p->validity, i);
}

static void page_init(struct page *p, enum stoa_phys phys, unsigned shape, size_t n,
                      struct stoa_test_random *r)
{
    unsigned nulls = (unsigned)stoa_test_random_below(r, 4);
    bool complete;

    *p = (struct page){.r = r};
    assert_int_equal(stoa_encoder_new(&p->encoder, 1, NULL), STOA_OK);
    assert_int_equal(stoa_decoder_new(&p->decoder, NULL), STOA_OK);
    stoa_test_values_make(&p->plain, phys, FIXED_WIDTH, shape, n, r);
    p->codes = calloc(n + 16, sizeof(*p->codes));
    assert_int_equal(stoa_distinct_new(&p->set, phys, p->plain.vector.width, NULL), STOA_OK);
    assert_int_equal(stoa_distinct_add(p->set, &p->plain.vector, UINT32_MAX, UINT64_MAX, p->codes,
                                       &complete, NULL),
                     STOA_OK);
    p->entries = stoa_distinct_values(p->set);
    if (phys == STOA_PHYS_BYTES)
        p->entries.width = stoa_text_length(p->entries.offsets, p->entries.nvalues);
    if (nulls == 0)
        return;
    p->validity = calloc(stoa_bitmap_nbytes(n), 1);
    for (size_t i = 0; i < n; i++) /* few, half of them, all */
        if (nulls < 3 && (stoa_test_random_one_in(r, 2) || nulls == 1))
            stoa_bitmap_set(p->validity, i);
}

static void page_reset(struct page *p)
{
    stoa_encoder_free(p->encoder);
    stoa_decoder_free(p->decoder);
    stoa_test_values_free(&p->plain);
    stoa_distinct_free(p->set);
    stoa_buffer_free(&p->bytes);
    free(p->codes);
    free(p->validity);
}

static void page_encode(struct page *p, const struct stoa_plan *plan)
{
    const struct stoa_vector *values = &p->plain.vector;
    bool dict = plan->nodes[0].encoding == STOA_DICT;
    struct stoa_vector codes = {.phys = STOA_PHYS_U32,
                                .width = 4,
                                .nvalues = values->nvalues,
                                .values = (const uint8_t *)p->codes};
    uint32_t raw_nbytes;

    stoa_plan_print(plan, p->plan);
    p->bytes.nbytes = 0;
    assert_int_equal(stoa_page_encode(p->encoder, dict ? &codes : values, values->phys, p->validity,
                                      0, plan, NULL, &p->bytes, &raw_nbytes, NULL),
                     STOA_OK);
    p->view = (struct stoa_page_view){
        .page = p->bytes.data,
        .nbytes = p->bytes.nbytes,
        .phys = values->phys,
        .width = values->width,
        .nvalues = values->nvalues,
        .raw_max = raw_nbytes,
        .dictionary = dict ? &p->entries : NULL,
    };
}

/* ---- Single values. ---- */

/* Rising places: one in `every`, or a single one. */
static size_t draw_places(struct page *p, uint64_t every, uint32_t *places)
{
    size_t n = 0, nvalues = p->plain.vector.nvalues;

    for (size_t i = 0; i < nvalues && every > 0; i++)
        if (stoa_test_random_one_in(p->r, every))
            places[n++] = (uint32_t)i;
    if (n == 0)
        places[n++] = (uint32_t)stoa_test_random_below(p->r, nvalues);
    return n;
}

static void take_and_compare(struct page *p, uint64_t every)
{
    static const uint8_t zeros[32];
    const struct stoa_vector *values = &p->plain.vector;
    uint32_t *places = malloc(values->nvalues * sizeof(*places));
    size_t n = draw_places(p, every, places), width = values->width, nnulls = 0;
    uint8_t *room = malloc(n * width + 64), *bitmap = calloc(stoa_bitmap_nbytes(n + 3), 1);
    int32_t *offsets = malloc((n + 1) * sizeof(*offsets));
    struct stoa_buffer text = {0};
    struct stoa_page_values out = {
        .values = room, .offsets = offsets, .bytes = &text, .validity = bitmap, .first_bit = 3};
    struct stoa_vector back = *values;
    struct stoa_error err = {0};

    offsets[0] = 0;
    if (stoa_page_take(p->decoder, &p->view, places, n, &out, &err) != STOA_OK)
        fail_msg("%s: %s", p->plan, err.message);
    back.values = values->phys == STOA_PHYS_BYTES ? text.data : room;
    back.offsets = values->phys == STOA_PHYS_BYTES ? offsets : NULL;
    for (size_t k = 0; k < n; k++) {
        bool valid = is_valid(p, places[k]), good;

        nnulls += !valid;
        if (valid)
            good = stoa_test_values_equal(values, places[k], &back, k);
        else if (values->phys == STOA_PHYS_BYTES)
            good = offsets[k] == offsets[k + 1];
        else
            good = memcmp(room + k * width, zeros, width) == 0;
        if (!good || stoa_bitmap_get(bitmap, 3 + k) != valid)
            fail_msg("%s: value %u of %zu differs", p->plan, places[k], values->nvalues);
    }
    assert_int_equal(out.nnulls, nnulls);
    stoa_buffer_free(&text);
    free(places);
    free(room);
    free(bitmap);
    free(offsets);
}

/* Codes in place of entries. */
static void take_codes_and_compare(struct page *p)
{
    size_t n, nvalues = p->plain.vector.nvalues;
    uint32_t *places = malloc(nvalues * sizeof(*places)), *codes = malloc(nvalues * 4 + 64);
    uint8_t *bitmap = calloc(stoa_bitmap_nbytes(nvalues), 1);
    struct stoa_page_values out = {.values = (uint8_t *)codes, .validity = bitmap};
    struct stoa_page_view view = p->view;
    struct stoa_error err = {0};

    n = draw_places(p, 5, places);
    view.dictionary = NULL;
    view.ncodes = (uint32_t)p->entries.nvalues;
    if (stoa_page_take(p->decoder, &view, places, n, &out, &err) != STOA_OK)
        fail_msg("%s, codes: %s", p->plan, err.message);
    for (size_t k = 0; k < n; k++)
        assert_int_equal(codes[k], is_valid(p, places[k]) ? p->codes[places[k]] : 0);
    free(places);
    free(codes);
    free(bitmap);
}

/* ---- Tests. ---- */

static uint64_t bits_of(const struct stoa_vector *values, size_t i)
{
    uint64_t x = 0;

    for (unsigned k = 0; k < values->width; k++) {
        unsigned shift = 8 * (STOA_LITTLE_ENDIAN ? k : values->width - 1 - k);

        x |= (uint64_t)values->values[i * values->width + k] << shift;
    }
    return x;
}

static double float_of(const struct stoa_vector *values, size_t i)
{
    double x64;
    float x32;

    if (values->phys == STOA_PHYS_F64) {
        memcpy(&x64, values->values + i * 8, 8);
        return x64;
    }
    memcpy(&x32, values->values + i * 4, 4);
    return (double)x32;
}

/* What the test says of value i, from the header's words. */
static bool expected(const struct page *p, const struct stoa_test *test, size_t i)
{
    const struct stoa_vector *values = &p->plain.vector;
    bool dict = p->view.dictionary != NULL, passes = false;
    uint64_t mask = dict ? UINT32_MAX : stoa_low_bits(8 * values->width), x;

    if (test->kind == STOA_TEST_VALID)
        return is_valid(p, i) != test->inverted;
    if (!is_valid(p, i))
        return false;
    if (test->kind == STOA_TEST_CODES)
        return (test->codes[p->codes[i]] == 1) != test->inverted;
    for (unsigned k = 0; k < test->nspans; k++) {
        if (test->kind == STOA_TEST_FLOATS) {
            double value = float_of(values, i);

            passes |= value >= test->floats[k].lo && value <= test->floats[k].hi;
        } else {
            x = dict ? p->codes[i] : bits_of(values, i);
            passes |= ((x - test->spans[k].from) & mask) <= test->spans[k].length;
        }
    }
    return passes != test->inverted;
}

/* Ends near the values of the page, where bounds of blocks are; sometimes anywhere. */
static void draw_spans(struct page *p, struct stoa_test *test)
{
    const struct stoa_vector *values = &p->plain.vector;
    bool dict = p->view.dictionary != NULL;
    uint64_t mask = dict ? UINT32_MAX : stoa_low_bits(8 * values->width);

    test->kind = STOA_TEST_SPANS;
    for (unsigned k = 0; k < test->nspans; k++) {
        size_t i = stoa_test_random_below(p->r, values->nvalues);
        uint64_t from = dict ? p->codes[i] : bits_of(values, i), length;

        if (stoa_test_random_one_in(p->r, 2))
            from += (uint64_t)stoa_test_random_between(p->r, -3, 3);
        i = stoa_test_random_below(p->r, values->nvalues);
        length = dict ? p->codes[i] : bits_of(values, i);
        length = stoa_test_random_one_in(p->r, 3) ? stoa_test_random_wide(p->r) : length - from;
        test->spans[k] = (struct stoa_test_span){from & mask, length & mask};
    }
}

static void draw_floats(struct page *p, struct stoa_test *test)
{
    const struct stoa_vector *values = &p->plain.vector;

    test->kind = STOA_TEST_FLOATS;
    for (unsigned k = 0; k < test->nspans; k++) {
        double ends[2];

        for (unsigned e = 0; e < 2; e++) {
            ends[e] = float_of(values, stoa_test_random_below(p->r, values->nvalues));
            if (stoa_test_random_one_in(p->r, 5))
                ends[e] = stoa_test_random_unit(p->r) * 200 - 100;
            if (ends[e] != ends[e])
                ends[e] = e == 0 ? -(double)INFINITY : (double)INFINITY;
        }
        test->floats[k] = (struct stoa_float_range){ends[0] < ends[1] ? ends[0] : ends[1],
                                                    ends[0] < ends[1] ? ends[1] : ends[0]};
    }
}

static void filter_and_compare(struct page *p)
{
    const struct stoa_vector *values = &p->plain.vector;
    size_t n = values->nvalues, nbytes = (n + 63) / 64 * 8;
    uint8_t *bits = malloc(nbytes), *table = calloc(p->entries.nvalues, 1);
    struct stoa_test test = {.codes = table};
    bool dict = p->view.dictionary != NULL;
    bool is_float = values->phys == STOA_PHYS_F32 || values->phys == STOA_PHYS_F64;
    bool is_integer = values->phys <= STOA_PHYS_U64;
    struct stoa_error err = {0};

    test.inverted = stoa_test_random_one_in(p->r, 2);
    test.nspans = (unsigned)stoa_test_random_below(p->r, STOA_TEST_MAX_NSPANS + 1);
    for (size_t c = 0; c < p->entries.nvalues; c++)
        table[c] = stoa_test_random_one_in(p->r, 3);
    if (stoa_test_random_one_in(p->r, 6) || !(dict || is_float || is_integer))
        test.kind = STOA_TEST_VALID;
    else if (dict && stoa_test_random_one_in(p->r, 2))
        test.kind = STOA_TEST_CODES;
    else if (dict || is_integer)
        draw_spans(p, &test);
    else
        draw_floats(p, &test);
    memset(bits, GUARD, nbytes);
    if (stoa_page_filter(p->decoder, &p->view, &test, bits, &err) != STOA_OK)
        fail_msg("%s: %s", p->plan, err.message);
    for (size_t i = 0; i < n; i++)
        if (stoa_bitmap_get(bits, i) != expected(p, &test, i))
            fail_msg("%s: test %d of %u spans%s: value %zu of %zu is answered wrongly", p->plan,
                     (int)test.kind, test.nspans, test.inverted ? ", inverted" : "", i, n);
    for (size_t i = n; i < nbytes * 8; i++)
        assert_false(stoa_bitmap_get(bits, i));
    free(bits);
    free(table);
}

/* ---- All plans. ---- */

static void assert_not_compressed(const uint8_t *page)
{
    for (unsigned k = 0; k < page[0]; k++)
        assert_int_equal(page[STOA_PAGE_HEAD_NBYTES + k * STOA_PAGE_NODE_NBYTES + 1],
                         STOA_CODEC_NONE);
}

/* The page without compression; empty where there is none. */
static enum stoa_status inflate_page(struct stoa_decoder *decoder,
                                     const struct stoa_page_view *view, struct stoa_buffer *out,
                                     struct stoa_error *err)
{
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_page_inflated_nbytes(decoder, view, &nbytes, err));
    STOA_TRY(stoa_buffer_resize(out, nbytes, err));
    if (nbytes > 0)
        STOA_TRY(stoa_page_inflate(decoder, view, out->data, err));
out:
    return st;
}

static void check_plan(void *context, const struct stoa_plan *plan)
{
    struct page *p = context;
    struct stoa_buffer inflated = {0};
    struct stoa_error err = {0};

    if (p->nplans++ % p->every != 0)
        return;
    page_encode(p, plan);
    take_and_compare(p, 0);
    take_and_compare(p, 60);
    take_and_compare(p, 3);
    if (p->view.dictionary != NULL)
        take_codes_and_compare(p);
    for (unsigned k = 0; k < 4; k++)
        filter_and_compare(p);
    if (inflate_page(p->decoder, &p->view, &inflated, &err) != STOA_OK)
        fail_msg("%s: %s", p->plan, err.message);
    if (inflated.nbytes > 0) {
        p->view.page = inflated.data;
        p->view.nbytes = inflated.nbytes;
    }
    assert_not_compressed(p->view.page);
    take_and_compare(p, 9);
    filter_and_compare(p);
    stoa_buffer_free(&inflated);
}

static const enum stoa_phys physes[] = {
    STOA_PHYS_I8,   STOA_PHYS_I16,   STOA_PHYS_I32,   STOA_PHYS_I64, STOA_PHYS_U8,
    STOA_PHYS_U16,  STOA_PHYS_U32,   STOA_PHYS_U64,   STOA_PHYS_F32, STOA_PHYS_F64,
    STOA_PHYS_I128, STOA_PHYS_FIXED, STOA_PHYS_BYTES, STOA_PHYS_F16, STOA_PHYS_I256,
};

static void parts_are_those_of_the_values(void **state)
{
    static const struct {
        size_t n;
        size_t every; /* plan */
    } sizes[] = {{1, 5}, {7, 11}, {1023, 37}, {1024, 31}, {1025, 41}, {5000, 97}};
    struct stoa_test_random r;
    size_t turn = 0;

    (void)state;
    stoa_test_random_init(&r, "parts of pages");
    for (size_t k = 0; k < sizeof(physes) / sizeof(physes[0]); k++) {
        for (unsigned shape = 0; stoa_test_shape_name(shape) != NULL; shape++) {
            for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                struct page p;

                page_init(&p, physes[k], shape, sizes[s].n, &r);
                p.every = sizes[s].every;
                p.nplans = turn++;
                stoa_plan_each(physes[k], check_plan, &p);
                page_reset(&p);
            }
        }
    }
}

/* ---- Failures. ---- */

/* A page of a chunk with a dictionary, one of its codes behind the last entry. */
static void codes_behind_the_dictionary_are_refused(void **state)
{
    static const uint32_t codes[] = {0, 1, 2, 3};
    static const int64_t entries[3 + 8] = {5, 6, 7};
    struct stoa_vector dictionary = {STOA_PHYS_I64, 8, 3, (const uint8_t *)entries, NULL};
    struct stoa_vector values = {STOA_PHYS_U32, 4, 4, (const uint8_t *)codes, NULL};
    static const uint8_t table[3] = {1, 1, 1};
    struct stoa_test test = {.kind = STOA_TEST_CODES, .codes = table};
    uint8_t room[4 * 8 + 64], bits[8];
    struct stoa_page_values out = {.values = room};
    struct stoa_buffer page = {0};
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    struct stoa_page_view view;
    struct stoa_plan plan;
    struct stoa_error err;
    uint32_t raw_nbytes;

    (void)state;
    assert_int_equal(stoa_encoder_new(&encoder, 1, NULL), STOA_OK);
    assert_int_equal(stoa_decoder_new(&decoder, NULL), STOA_OK);
    assert_true(stoa_plan_parse("dict(pfor)", STOA_PHYS_I64, &plan));
    assert_int_equal(stoa_page_encode(encoder, &values, STOA_PHYS_I64, NULL, 0, &plan, NULL, &page,
                                      &raw_nbytes, NULL),
                     STOA_OK);
    view = (struct stoa_page_view){.page = page.data,
                                   .nbytes = page.nbytes,
                                   .phys = STOA_PHYS_I64,
                                   .width = 8,
                                   .nvalues = 4,
                                   .raw_max = raw_nbytes,
                                   .dictionary = &dictionary};
    assert_int_equal(stoa_page_take(decoder, &view, (const uint32_t[]){1, 2}, 2, &out, &err),
                     STOA_OK);
    assert_int_equal(bits_of(&(struct stoa_vector){.width = 8, .values = room}, 1), 7);
    assert_int_equal(stoa_page_take(decoder, &view, (const uint32_t[]){1, 3}, 2, &out, &err),
                     STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "dict: code 3 of 3 entries");
    assert_int_equal(stoa_page_filter(decoder, &view, &test, bits, &err), STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "pfor: code 3 of 3 entries");
    view.dictionary = NULL;
    assert_int_equal(stoa_page_take(decoder, &view, (const uint32_t[]){1, 2}, 2, &out, &err),
                     STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "dict: in a chunk without a dictionary");
    stoa_buffer_free(&page);
    stoa_encoder_free(encoder);
    stoa_decoder_free(decoder);
}

/* Every allocation of a take, a test and an inflation fails once. */
static enum stoa_status use_page(void *context, struct stoa_error *err)
{
    struct page *p = context;
    uint8_t room[8 * 8 + 64], bits[(2000 + 63) / 64 * 8], bitmap[8];
    struct stoa_page_values out = {.values = room, .validity = bitmap};
    struct stoa_test test = {
        .kind = STOA_TEST_FLOATS, .nspans = 1, .floats = {{.lo = -5, .hi = 5}}};
    struct stoa_buffer inflated = {0};
    struct stoa_decoder *decoder = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_decoder_new(&decoder, err));
    STOA_TRY(stoa_page_take(decoder, &p->view, (const uint32_t[]){3, 700, 1999}, 3, &out, err));
    STOA_TRY(stoa_page_filter(decoder, &p->view, &test, bits, err));
    STOA_TRY(inflate_page(decoder, &p->view, &inflated, err));
out:
    stoa_buffer_free(&inflated);
    stoa_decoder_free(decoder);
    return st;
}

static void allocations_may_fail(void **state)
{
    struct stoa_test_random r;
    struct stoa_plan plan;
    struct page p;

    (void)state;
    stoa_test_random_init(&r, "parts of pages, faults");
    page_init(&p, STOA_PHYS_F64, 0, 2000, &r);
    assert_true(stoa_plan_parse("alp(split(plain+zstd,pfor))", STOA_PHYS_F64, &plan));
    page_encode(&p, &plan);
    stoa_test_each_failing_alloc(use_page, &p);
    page_reset(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_those_of_the_values),
        cmocka_unit_test(codes_behind_the_dictionary_are_refused),
        cmocka_unit_test(allocations_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
