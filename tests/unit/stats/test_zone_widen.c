/* Zone maps of values whose type gets wider, against those of the wider values. */
#include "stats/zonemap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "column/array_cast.h"
#include "support/columns.h"
#include "support/gen_table.h"

static struct stoa_field field_of(const char *type)
{
    struct stoa_field field;
    struct stoa_error err = {0};

    stoa_test_check(stoa_field_parse("f", type, true, &field, &err), &err);
    return field;
}

/* Types of which the first is kept as it is stored when it becomes the second. */
static const char *const pairs[][2] = {
    {"int8", "int64"},
    {"uint8", "int16"},
    {"uint32", "int64"},
    {"uint16", "decimal(5,0)"},
    {"int64", "decimal(19,0)"},
    {"int32", "decimal(40,0)"},
    {"uint32", "decimal(10,0)"},
    {"float32", "float64"},
    {"decimal(9,2)", "decimal(18,2)"},
    {"decimal(9,2)", "decimal(19,2)"},
    {"decimal(9,2)", "decimal(60,2)"},
    {"decimal(30,5)", "decimal(31,5)"},
    {"decimal(30,5)", "decimal(76,5)"},
    {"utf8", "binary"},
    {"uuid", "fixed_binary(16)"},
    {"null", "int32"},
    {"null", "float64"},
    {"null", "utf8"},
    {"null", "decimal(50,0)"},
};

static void a_widened_zone_map_is_that_of_the_wider_values(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "widened zones");
    for (size_t i = 0; i < stoa_test_ncases(2000); i++) {
        const char *const *pair = pairs[i % (sizeof(pairs) / sizeof(pairs[0]))];
        struct stoa_field from = field_of(pair[0]), to = field_of(pair[1]);
        size_t nvalues = 1 + (size_t)stoa_test_random_below(&r, 200);
        enum stoa_test_shape shape =
            (enum stoa_test_shape)stoa_test_random_below(&r, STOA_TEST_NSHAPES);
        enum stoa_test_nulls nulls =
            (enum stoa_test_nulls)stoa_test_random_below(&r, STOA_TEST_NNULLS);
        struct stoa_zone widened, truth;
        struct stoa_array array, wide;
        struct stoa_error err = {0};
        uint8_t got[STOA_ZONE_ENTRY_MAX_NBYTES], expected[STOA_ZONE_ENTRY_MAX_NBYTES];

        stoa_test_gen_array(&r, &from, nvalues, shape, nulls, &array);
        stoa_zone_compute(&from.type, &array, 0, nvalues, &widened);
        stoa_zone_widen(&widened, &to.type);
        stoa_test_check(stoa_array_cast(&from, &array, &to, &wide, &err), &err);
        stoa_zone_compute(&to.type, &wide, 0, nvalues, &truth);
        stoa_zone_pack(&widened, false, got);
        stoa_zone_pack(&truth, false, expected);
        if (memcmp(got, expected, stoa_zone_stride(&to.type, false)) != 0)
            fail_msg("case %zu: %s as %s", i, pair[0], pair[1]);
        stoa_array_reset(&wide);
        stoa_field_reset(&from);
        stoa_field_reset(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_widened_zone_map_is_that_of_the_wider_values),
    };

    return cmocka_run_group_tests_name("zone_widen", tests, NULL, NULL);
}
