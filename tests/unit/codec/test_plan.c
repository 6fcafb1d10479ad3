/* Plans as text, what is allowed, and the list of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/encoding.h"

static void plans_are_parsed_and_printed(void **state)
{
    static const struct {
        enum stoa_phys phys;
        const char *text;
        unsigned nnodes;
    } cases[] = {
        {STOA_PHYS_I64, "pfor", 1},
        {STOA_PHYS_I64, "delta+zstd(narrow(plain+zstd))", 3},
        {STOA_PHYS_U8, "rle(pfor,const)", 3},
        {STOA_PHYS_BYTES, "plain+zstd(narrow(plain))", 3},
        {STOA_PHYS_BYTES, "fsst+zstd(pfor)", 2},
        {STOA_PHYS_BYTES, "charpack(delta(pfor))", 3},
        {STOA_PHYS_BYTES, "dict(sparse(pfor,delta(pfor)))", 5},
        {STOA_PHYS_FIXED, "sparse(narrow(plain),plain)", 4},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct stoa_plan plan;
        char text[128];

        assert_true(stoa_plan_parse(cases[k].text, cases[k].phys, &plan));
        assert_int_equal(plan.nnodes, cases[k].nnodes);
        assert_string_equal(stoa_plan_print(&plan, text), cases[k].text);
    }
}

static void what_is_no_allowed_plan_is_refused(void **state)
{
    static const struct {
        enum stoa_phys phys;
        const char *text;
    } cases[] = {
        {STOA_PHYS_I64, ""},
        {STOA_PHYS_I64, "zip"},
        {STOA_PHYS_I64, "pfo"},
        {STOA_PHYS_I64, "pfor "},
        {STOA_PHYS_I64, "pfor(plain)"},
        {STOA_PHYS_I64, "delta"},
        {STOA_PHYS_I64, "delta("},
        {STOA_PHYS_I64, "delta(pfor"},
        {STOA_PHYS_I64, "delta(pfor))"},
        {STOA_PHYS_I64, "rle(pfor)"},
        {STOA_PHYS_I64, "plain(pfor)"},
        {STOA_PHYS_I64, "bitmap"},
        {STOA_PHYS_NONE, "bitmap"},
        {STOA_PHYS_BYTES, "plain"},
        {STOA_PHYS_BYTES, "fsst"},
        {STOA_PHYS_BYTES, "charpack(alp(pfor))"},
        {STOA_PHYS_I32, "fsst(pfor)"},
        {STOA_PHYS_BYTES, "rle(plain(pfor),pfor)"},
        {STOA_PHYS_I128, "pfor"},
        {STOA_PHYS_I256, "pfor"},
        {STOA_PHYS_I256, "narrow(plain)"},
        {STOA_PHYS_U8, "narrow(plain)"},
        {STOA_PHYS_I64, "narrow(pfor)"},
        {STOA_PHYS_I64, "delta(delta(pfor))"},
        {STOA_PHYS_I64, "delta(rle(delta(pfor),pfor))"},
        {STOA_PHYS_I64, "rle(pfor,delta(pfor))"},
        {STOA_PHYS_I64, "rle(dict(pfor),pfor)"},
        {STOA_PHYS_I64, "sparse(pfor,delta(rle(narrow(plain),pfor)))"}, /* too deep */
        {STOA_PHYS_I64, "dict(sparse(pfor,delta(narrow(plain))))"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct stoa_plan plan;

        if (stoa_plan_parse(cases[k].text, cases[k].phys, &plan))
            fail_msg("\"%s\" was taken for %s", cases[k].text, stoa_phys_name(cases[k].phys));
    }
}

struct seen {
    enum stoa_phys phys;
    size_t count;
    size_t nroots[STOA_ENCODING_END];
    unsigned max_nnodes;
};

static void look_at(void *context, const struct stoa_plan *plan)
{
    struct seen *seen = context;
    struct stoa_plan copy = *plan;

    seen->count++;
    seen->nroots[plan->nodes[0].encoding]++;
    if (plan->nnodes > seen->max_nnodes)
        seen->max_nnodes = plan->nnodes;
    assert_true(stoa_plan_is_allowed(plan, seen->phys));
    copy.nnodes--; /* a plan with a node less or more is none */
    assert_false(stoa_plan_is_allowed(&copy, seen->phys));
    copy.nnodes += 2;
    assert_false(stoa_plan_is_allowed(&copy, seen->phys));
}

static void the_list_has_allowed_plans_of_all_encodings(void **state)
{
    struct seen i64 = {.phys = STOA_PHYS_I64}, bytes = {.phys = STOA_PHYS_BYTES};
    static const int of_i64[] = {STOA_PLAIN, STOA_CONST, STOA_PFOR,   STOA_DELTA,
                                 STOA_DICT,  STOA_RLE,   STOA_SPARSE, STOA_NARROW};

    (void)state;
    stoa_plan_each(STOA_PHYS_I64, look_at, &i64);
    stoa_plan_each(STOA_PHYS_BYTES, look_at, &bytes);
    for (size_t k = 0; k < sizeof(of_i64) / sizeof(of_i64[0]); k++)
        assert_true(i64.nroots[of_i64[k]] > 0);
    assert_int_equal(i64.nroots[STOA_CONST], 2); /* compressed and not */
    assert_int_equal(i64.nroots[STOA_NARROW], 6);
    assert_int_equal(bytes.nroots[STOA_PFOR], 0);
    assert_true(bytes.nroots[STOA_PLAIN] > 0 && bytes.nroots[STOA_DICT] > 0);
    assert_in_range(i64.max_nnodes, 7, STOA_PLAN_MAX_NODES);
    assert_in_range(i64.count, 300, 3000);
}

static void names_are_known(void **state)
{
    (void)state;
    assert_string_equal(stoa_encoding_name(STOA_PFOR), "pfor");
    assert_string_equal(stoa_encoding_name(STOA_BITRUNS), "bitruns");
    assert_null(stoa_encoding_name(12));
    assert_string_equal(stoa_encoding_name(STOA_LOOKUP), "lookup");
    assert_null(stoa_encoding_name(STOA_ENCODING_END));
    assert_string_equal(stoa_phys_name(STOA_PHYS_BYTES), "bytes");
    assert_null(stoa_phys_name(16));
    assert_int_equal(stoa_phys_width(STOA_PHYS_I128), 16);
    assert_int_equal(stoa_phys_width(STOA_PHYS_F16), 2);
    assert_int_equal(stoa_phys_width(STOA_PHYS_I256), 32);
    assert_int_equal(stoa_phys_width(STOA_PHYS_FIXED), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_parsed_and_printed),
        cmocka_unit_test(what_is_no_allowed_plan_is_refused),
        cmocka_unit_test(the_list_has_allowed_plans_of_all_encodings),
        cmocka_unit_test(names_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
