/*
 * Pages: whatever is encoded by whatever plan comes back, and takes nothing but its room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "codec/distinct.h"
#include "codec/page.h"
#include "support/codec_values.h"
#include "support/fault_alloc.h"

enum { FIXED_WIDTH = 5, RAW_MAX = 1 << 28, GUARD = 0xc3, FIRST_BIT = 3 };

/* One set of values, ready to be encoded by any number of plans. */
struct page_case {
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    const char *shape;
    unsigned nulls; /* of null_patterns */
    struct stoa_test_values plain;
    struct stoa_test_values entries; /* of a dictionary */
    uint32_t *codes;
    uint8_t *validity;
    struct stoa_buffer page;
    uint8_t *room;
    size_t room_nbytes;
    int32_t *offsets;
    uint8_t *bitmap;
    size_t nplans;
    size_t every; /* one plan in so many */
};

enum { NO_NULLS, ALL_NULL, ONE_NULL, RUNS_OF_NULLS, RANDOM_NULLS, NNULL_PATTERNS };

static void make_validity(struct page_case *c, struct stoa_test_random *r)
{
    size_t n = c->plain.vector.nvalues;
    bool valid = true;

    c->validity = calloc(stoa_bitmap_nbytes(n + FIRST_BIT), 1);
    for (size_t i = 0; i < n; i++) {
        if (c->nulls == ALL_NULL)
            valid = false;
        else if (c->nulls == ONE_NULL)
            valid = i != n / 2;
        else if (c->nulls == RUNS_OF_NULLS)
            valid = valid != stoa_test_random_one_in(r, 100);
        else if (c->nulls == RANDOM_NULLS)
            valid = stoa_test_random_one_in(r, 2);
        if (valid)
            stoa_bitmap_set(c->validity, FIRST_BIT + i);
    }
}

/* Codes of the distinct values in the order of their first appearance. */
static void make_dictionary(struct page_case *c)
{
    const struct stoa_vector *values = &c->plain.vector;
    struct stoa_distinct *set;
    bool complete;
    struct stoa_vector entries;
    size_t nbytes;

    c->codes = calloc(values->nvalues + 16, sizeof(*c->codes));
    assert_int_equal(stoa_distinct_new(&set, values->phys, values->width, NULL), STOA_OK);
    assert_int_equal(
        stoa_distinct_add(set, values, UINT32_MAX, UINT64_MAX, c->codes, &complete, NULL), STOA_OK);
    assert_true(complete);
    entries = stoa_distinct_values(set);
    c->entries.vector = entries;
    if (values->phys == STOA_PHYS_BYTES) {
        nbytes = (size_t)entries.offsets[entries.nvalues];
        c->entries.offsets = malloc((entries.nvalues + 1) * sizeof(int32_t));
        memcpy(c->entries.offsets, entries.offsets, (entries.nvalues + 1) * sizeof(int32_t));
    } else {
        nbytes = entries.nvalues * entries.width;
    }
    c->entries.values = malloc(nbytes + (values->phys == STOA_PHYS_BYTES ? 1 : 64));
    if (nbytes > 0)
        memcpy(c->entries.values, entries.values, nbytes);
    c->entries.vector.values = c->entries.values;
    c->entries.vector.offsets = c->entries.offsets;
    stoa_distinct_free(set);
}

static void case_init(struct page_case *c, enum stoa_phys phys, unsigned shape, unsigned nulls,
                      size_t n, struct stoa_test_random *r)
{
    *c = (struct page_case){.shape = stoa_test_shape_name(shape), .nulls = nulls, .every = 1};
    assert_int_equal(stoa_encoder_new(&c->encoder, 1, NULL), STOA_OK);
    assert_int_equal(stoa_decoder_new(&c->decoder, NULL), STOA_OK);
    stoa_test_values_make(&c->plain, phys, FIXED_WIDTH, shape, n, r);
    make_validity(c, r);
    make_dictionary(c);
    c->room_nbytes = n * c->plain.vector.width + 64;
    c->room = malloc(c->room_nbytes);
    c->offsets = malloc((n + 1) * sizeof(int32_t));
    c->bitmap = malloc(stoa_bitmap_nbytes(n + FIRST_BIT));
}

static void case_reset(struct page_case *c)
{
    stoa_encoder_free(c->encoder);
    stoa_decoder_free(c->decoder);
    stoa_test_values_free(&c->plain);
    stoa_test_values_free(&c->entries);
    stoa_buffer_free(&c->page);
    free(c->codes);
    free(c->validity);
    free(c->room);
    free(c->offsets);
    free(c->bitmap);
}

static void check_value(const struct page_case *c, const struct stoa_vector *back, size_t i,
                        const char *plan)
{
    static const uint8_t zeros[16];
    bool valid = stoa_bitmap_get(c->validity, FIRST_BIT + i), good;

    if (valid)
        good = stoa_test_values_equal(&c->plain.vector, i, back, i);
    else if (back->phys == STOA_PHYS_BYTES)
        good = back->offsets[i] == back->offsets[i + 1];
    else
        good = memcmp(back->values + i * back->width, zeros, back->width) == 0;
    if (!good || stoa_bitmap_get(c->bitmap, FIRST_BIT + i) != valid)
        fail_msg("%s of \"%s\", nulls %u: value %zu of %zu differs", plan, c->shape, c->nulls, i,
                 c->plain.vector.nvalues);
}

static void check_plan(void *context, const struct stoa_plan *plan)
{
    struct page_case *c = context;
    const struct stoa_vector *values = &c->plain.vector;
    struct stoa_vector codes = {.phys = STOA_PHYS_U32,
                                .width = 4,
                                .nvalues = values->nvalues,
                                .values = (const uint8_t *)c->codes};
    bool dict = plan->nodes[0].encoding == STOA_DICT;
    size_t n = values->nvalues, nnull;
    struct stoa_buffer text = {0};
    struct stoa_page_values out = {.values = c->room,
                                   .offsets = c->offsets,
                                   .bytes = &text,
                                   .validity = c->bitmap,
                                   .first_bit = FIRST_BIT};
    struct stoa_vector back = *values;
    struct stoa_error err = {0};
    uint32_t raw_nbytes;
    char name[128], found[128];

    if (c->nplans++ % c->every != 0)
        return;
    assert_true(stoa_plan_is_allowed(plan, values->phys));
    stoa_plan_print(plan, name);
    c->page.nbytes = 0;
    if (stoa_page_encode(c->encoder, dict ? &codes : values, values->phys,
                         c->nulls == NO_NULLS ? NULL : c->validity, FIRST_BIT, plan, &c->page,
                         &raw_nbytes, &err) != STOA_OK)
        fail_msg("%s of \"%s\": %s", name, c->shape, err.message);
    assert_int_equal(stoa_page_describe(c->page.data, c->page.nbytes, found, &err), STOA_OK);
    memset(c->room, GUARD, c->room_nbytes);
    memset(c->bitmap, 0, stoa_bitmap_nbytes(n + FIRST_BIT));
    c->offsets[0] = 0;
    if (stoa_page_decode(c->decoder, c->page.data, c->page.nbytes, values->phys, values->width, n,
                         raw_nbytes, dict ? &c->entries.vector : NULL, 0, &out, &err) != STOA_OK)
        fail_msg("%s (%s) of \"%s\", %zu values: %s", name, found, c->shape, n, err.message);
    nnull = n - stoa_bitmap_count(c->validity, FIRST_BIT, FIRST_BIT + n);
    assert_int_equal(out.nnulls, nnull);
    back.values = values->phys == STOA_PHYS_BYTES ? text.data : c->room;
    back.offsets = values->phys == STOA_PHYS_BYTES ? c->offsets : NULL;
    if (values->phys == STOA_PHYS_BYTES)
        assert_int_equal(text.nbytes, c->offsets[n]);
    for (size_t i = 0; i < n; i++)
        check_value(c, &back, i, name);
    stoa_buffer_free(&text);
}

static const enum stoa_phys physes[] = {
    STOA_PHYS_I8,   STOA_PHYS_I16,   STOA_PHYS_I32,   STOA_PHYS_I64, STOA_PHYS_U8,
    STOA_PHYS_U16,  STOA_PHYS_U32,   STOA_PHYS_U64,   STOA_PHYS_F32, STOA_PHYS_F64,
    STOA_PHYS_I128, STOA_PHYS_FIXED, STOA_PHYS_BYTES,
};
enum { NPHYSES = sizeof(physes) / sizeof(physes[0]) };

static void every_plan_gives_every_value_back(void **state)
{
    static const struct {
        size_t n;
        size_t every;
    } sizes[] = {{1, 5}, {2, 7}, {7, 11}, {1023, 41}, {1024, 23}, {1025, 31}, {8193, 401}};
    struct stoa_test_random r;
    unsigned turn = 0;

    (void)state;
    stoa_test_random_init(&r, "page round trip");
    for (size_t p = 0; p < NPHYSES; p++) {
        for (unsigned shape = 0; stoa_test_shape_name(shape) != NULL; shape++) {
            for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
                struct page_case c;

                case_init(&c, physes[p], shape, turn % NNULL_PATTERNS, sizes[k].n, &r);
                c.every = sizes[k].every;
                c.nplans = turn++;
                stoa_plan_each(physes[p], check_plan, &c);
                case_reset(&c);
            }
        }
    }
}

static void whole_pages_come_back(void **state)
{
    static const size_t sizes[] = {8191, 8192, 65535, 65536};
    struct stoa_test_random r;
    unsigned turn = 0;

    (void)state;
    stoa_test_random_init(&r, "whole pages");
    for (size_t p = 0; p < NPHYSES; p++) {
        for (unsigned shape = 0; stoa_test_shape_name(shape) != NULL; shape += 2) {
            struct page_case c;

            case_init(&c, physes[p], shape, turn % NNULL_PATTERNS, sizes[turn % 4], &r);
            c.every = 997;
            c.nplans = turn++;
            stoa_plan_each(physes[p], check_plan, &c);
            case_reset(&c);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_gives_every_value_back),
        cmocka_unit_test(whole_pages_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
