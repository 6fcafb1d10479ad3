/* The chooser: close to the best of all plans, the same each time, right also when samples lie. */
#include "codec/chooser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/codec_values.h"
#include "support/fault_alloc.h"

struct search {
    struct stoa_encoder *encoder;
    const struct stoa_vector *values;
    struct stoa_buffer page;
    size_t best;
    struct stoa_plan plan;
};

static size_t page_nbytes(struct search *s, const struct stoa_plan *plan)
{
    struct stoa_error err = {0};
    uint32_t raw_nbytes;

    s->page.nbytes = 0;
    if (stoa_page_encode(s->encoder, s->values, s->values->phys, NULL, 0, plan, NULL, &s->page,
                         &raw_nbytes, &err) != STOA_OK)
        fail_msg("%s", err.message);
    return s->page.nbytes;
}

static void try_plan(void *context, const struct stoa_plan *plan)
{
    struct search *s = context;
    size_t nbytes;

    if (plan->nodes[0].encoding == STOA_DICT)
        return;
    nbytes = page_nbytes(s, plan);
    if (nbytes < s->best) {
        s->best = nbytes;
        s->plan = *plan;
    }
}

static void choice_is_close_to_the_best_of_all_plans(void **state)
{
    static const enum stoa_phys physes[] = {STOA_PHYS_I64,  STOA_PHYS_U16,   STOA_PHYS_F64,
                                            STOA_PHYS_I128, STOA_PHYS_BYTES, STOA_PHYS_F16,
                                            STOA_PHYS_I256};
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "chooser");
    for (size_t p = 0; p < sizeof(physes) / sizeof(physes[0]); p++) {
        for (unsigned shape = 0; stoa_test_shape_name(shape) != NULL; shape++) {
            struct search s = {.best = SIZE_MAX};
            struct stoa_test_values values;
            struct stoa_choice choice;
            struct stoa_error err = {0};
            size_t nbytes;
            char chosen[128], best[128];

            assert_int_equal(stoa_encoder_new(&s.encoder, 3, NULL), STOA_OK);
            stoa_test_values_make(&values, physes[p], 5, shape, 8192, &r);
            s.values = &values.vector;
            stoa_plan_each(physes[p], try_plan, &s);
            if (stoa_chooser_choose(s.encoder, s.values, false, &choice, &err) != STOA_OK)
                fail_msg("%s", err.message);
            nbytes = page_nbytes(&s, &choice.plan);
            assert_int_equal(nbytes, choice.nbytes);
            if (nbytes > s.best + s.best / 25 + 32)
                fail_msg("%s of \"%s\": %s has %zu bytes, %s has %zu", stoa_phys_name(physes[p]),
                         stoa_test_shape_name(shape), stoa_plan_print(&choice.plan, chosen), nbytes,
                         stoa_plan_print(&s.plan, best), s.best);
            stoa_test_values_free(&values);
            stoa_buffer_free(&s.page);
            stoa_encoder_free(s.encoder);
        }
    }
}

/* ---- Columns that nothing was tuned on: families whose parameters are drawn. ---- */

enum { COLUMN_NVALUES = 16384 };

struct family {
    struct stoa_test_random *r;
    double scale, level, state;
    uint64_t step, width, rare;
};

static double normal(struct family *f)
{
    double sum = -6;

    for (int k = 0; k < 12; k++)
        sum += stoa_test_random_unit(f->r);
    return sum;
}

static double uniform_real(struct family *f, size_t i)
{
    (void)i;
    return stoa_test_random_unit(f->r) * f->scale;
}

static double normal_real(struct family *f, size_t i)
{
    (void)i;
    return f->level + normal(f) * f->scale;
}

static double walk(struct family *f, size_t i)
{
    (void)i;
    return f->state += normal(f) * f->scale;
}

static double price(struct family *f, size_t i)
{
    (void)i;
    return (double)stoa_test_random_below(f->r, f->width) / 100;
}

static double product(struct family *f, size_t i)
{
    return price(f, i) * (double)(1 + stoa_test_random_below(f->r, 50));
}

static double rising_time(struct family *f, size_t i)
{
    (void)i;
    return f->state += (double)stoa_test_random_below(f->r, f->step);
}

static double runs_of_counts(struct family *f, size_t i)
{
    (void)i;
    if (stoa_test_random_one_in(f->r, f->rare))
        f->state = (double)stoa_test_random_below(f->r, f->width);
    return f->state;
}

static double mostly_zero(struct family *f, size_t i)
{
    (void)i;
    return stoa_test_random_one_in(f->r, f->rare) ? (double)stoa_test_random_below(f->r, f->width)
                                                  : 0;
}

static double skewed_count(struct family *f, size_t i)
{
    double x = stoa_test_random_unit(f->r);

    (void)i;
    return (double)(uint64_t)((double)f->width * x * x * x);
}

static const struct {
    const char *name;
    double (*value)(struct family *f, size_t i);
} families[] = {
    {"uniform", uniform_real}, {"normal", normal_real},      {"walk", walk},
    {"prices", price},         {"products", product},        {"times", rising_time},
    {"runs", runs_of_counts},  {"mostly zero", mostly_zero}, {"skewed", skewed_count},
};

static void make_column(struct stoa_test_random *r, enum stoa_phys phys, unsigned family,
                        uint8_t *out)
{
    struct family f = {.r = r,
                       .scale = 0.001 * (double)(1 + stoa_test_random_below(r, 100000)),
                       .level = (double)stoa_test_random_below(r, 1000),
                       .state = (double)stoa_test_random_below(r, 1000000),
                       .step = 2 + stoa_test_random_below(r, 10000),
                       .width = 10 + stoa_test_random_below(r, 1000000),
                       .rare = 2 + stoa_test_random_below(r, 200)};
    uint32_t width = stoa_phys_width(phys);

    for (size_t i = 0; i < COLUMN_NVALUES; i++) {
        double x = families[family].value(&f, i);
        float single = (float)x;
        int64_t whole = (int64_t)x;
        int32_t half = (int32_t)whole;

        memcpy(out + i * width,
               phys == STOA_PHYS_F64   ? (const void *)&x
               : phys == STOA_PHYS_F32 ? (const void *)&single
               : phys == STOA_PHYS_I64 ? (const void *)&whole
                                       : (const void *)&half,
               width);
    }
}

/* With STOA_TEST_SCALE=20 and more it is hundreds of columns. */
static void unknown_columns_are_close_to_the_best_of_all_plans(void **state)
{
    static const enum stoa_phys physes[] = {STOA_PHYS_F64, STOA_PHYS_I64, STOA_PHYS_F32,
                                            STOA_PHYS_I32};
    static uint8_t memory[COLUMN_NVALUES * 8 + 64];
    size_t chosen_nbytes = 0, best_nbytes = 0;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "unknown columns");
    for (size_t k = stoa_test_ncases(10); k > 0; k--) {
        enum stoa_phys phys = physes[stoa_test_random_below(&r, 4)];
        unsigned family =
            (unsigned)stoa_test_random_below(&r, sizeof(families) / sizeof(families[0]));
        struct stoa_vector values = {phys, stoa_phys_width(phys), COLUMN_NVALUES, memory, NULL};
        struct search s = {.best = SIZE_MAX, .values = &values};
        struct stoa_choice choice;
        size_t nbytes;
        char chosen[128], best[128];

        assert_int_equal(stoa_encoder_new(&s.encoder, 3, NULL), STOA_OK);
        make_column(&r, phys, family, memory);
        stoa_plan_each(phys, try_plan, &s);
        assert_int_equal(stoa_chooser_choose(s.encoder, &values, false, &choice, NULL), STOA_OK);
        nbytes = page_nbytes(&s, &choice.plan);
        chosen_nbytes += nbytes;
        best_nbytes += s.best;
        if (nbytes > s.best + s.best / 10 + 64)
            fail_msg("%s of \"%s\": %s has %zu bytes, %s has %zu", stoa_phys_name(phys),
                     families[family].name, stoa_plan_print(&choice.plan, chosen), nbytes,
                     stoa_plan_print(&s.plan, best), s.best);
        stoa_buffer_free(&s.page);
        stoa_encoder_free(s.encoder);
    }
    if (chosen_nbytes > best_nbytes + best_nbytes * 3 / 100)
        fail_msg("%zu bytes, the best plans have %zu", chosen_nbytes, best_nbytes);
}

/* Equal but for a few values that no run of the sample meets. */
static void values_that_a_sample_misses_are_found(void **state)
{
    enum { N = 100000 };
    static uint8_t memory[N * 8 + 64];
    struct stoa_vector values = {.phys = STOA_PHYS_I64, .width = 8, .nvalues = N, .values = memory};
    struct stoa_encoder *encoder;
    struct stoa_choice choice;

    (void)state;
    for (size_t i = 3000; i < N; i += 14141)
        memory[i * 8 + i % 8] = (uint8_t)i;
    assert_int_equal(stoa_encoder_new(&encoder, 3, NULL), STOA_OK);
    assert_int_equal(stoa_chooser_choose(encoder, &values, false, &choice, NULL), STOA_OK);
    assert_int_not_equal(choice.plan.nodes[0].encoding, STOA_CONST);
    assert_in_range(choice.nbytes, 100, 500);
    stoa_encoder_free(encoder);
}

static void codes_get_a_dict_root(void **state)
{
    struct stoa_test_random r;
    struct stoa_test_values values;
    struct stoa_encoder *encoder;
    struct stoa_choice plain, codes;
    char name[128];

    (void)state;
    stoa_test_random_init(&r, "codes");
    stoa_test_values_make(&values, STOA_PHYS_U32, 4, 3, 20000, &r);
    assert_int_equal(stoa_encoder_new(&encoder, 3, NULL), STOA_OK);
    assert_int_equal(stoa_chooser_choose(encoder, &values.vector, false, &plain, NULL), STOA_OK);
    assert_int_equal(stoa_chooser_choose(encoder, &values.vector, true, &codes, NULL), STOA_OK);
    assert_int_equal(codes.plan.nodes[0].encoding, STOA_DICT);
    assert_int_equal(codes.plan.nnodes, plain.plan.nnodes + 1);
    assert_memory_equal(codes.plan.nodes + 1, plain.plan.nodes,
                        plain.plan.nnodes * sizeof(plain.plan.nodes[0]));
    assert_true(stoa_plan_is_allowed(&codes.plan, STOA_PHYS_BYTES));
    assert_int_equal(strncmp(stoa_plan_print(&codes.plan, name), "dict(", 5), 0);
    stoa_encoder_free(encoder);
    stoa_test_values_free(&values);
}

/* Long texts: the sample stays small, and what it says holds for all. */
static void long_texts_are_sampled(void **state)
{
    enum { N = 4000, LENGTH = 5000 };
    uint8_t *text = malloc((size_t)N * LENGTH);
    int32_t *offsets = malloc((N + 1) * sizeof(*offsets));
    struct stoa_vector values = {
        .phys = STOA_PHYS_BYTES, .nvalues = N, .values = text, .offsets = offsets};
    struct stoa_test_random r;
    struct stoa_encoder *encoder;
    struct stoa_choice choice;
    char name[128];

    (void)state;
    stoa_test_random_init(&r, "long texts");
    for (size_t i = 0; i < (size_t)N * LENGTH; i++)
        text[i] = (uint8_t)('a' + i % 23);
    for (size_t i = 0; i <= N; i++)
        offsets[i] = (int32_t)(i * LENGTH);
    assert_int_equal(stoa_encoder_new(&encoder, 1, NULL), STOA_OK);
    assert_int_equal(stoa_chooser_choose(encoder, &values, false, &choice, NULL), STOA_OK);
    assert_string_equal(stoa_plan_print(&choice.plan, name), "plain+zstd(pfor)");
    assert_in_range(choice.nbytes, 1, 100000);
    stoa_encoder_free(encoder);
    free(text);
    free(offsets);
}

static enum stoa_status chooses(void *context, struct stoa_error *err)
{
    const struct stoa_vector *values = context;
    struct stoa_encoder *encoder = NULL;
    struct stoa_choice choice;
    enum stoa_status st = stoa_encoder_new(&encoder, 1, err);

    if (st == STOA_OK)
        st = stoa_chooser_choose(encoder, values, false, &choice, err);
    stoa_encoder_free(encoder);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    static const enum stoa_phys physes[] = {STOA_PHYS_I32, STOA_PHYS_BYTES, STOA_PHYS_I128};
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "failing allocations");
    for (size_t p = 0; p < sizeof(physes) / sizeof(physes[0]); p++) {
        struct stoa_test_values values;

        stoa_test_values_make(&values, physes[p], 4, 13, 9000, &r);
        stoa_test_each_failing_alloc(chooses, &values.vector);
        stoa_test_values_free(&values);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(choice_is_close_to_the_best_of_all_plans),
        cmocka_unit_test(unknown_columns_are_close_to_the_best_of_all_plans),
        cmocka_unit_test(values_that_a_sample_misses_are_found),
        cmocka_unit_test(codes_get_a_dict_root),
        cmocka_unit_test(long_texts_are_sampled),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
