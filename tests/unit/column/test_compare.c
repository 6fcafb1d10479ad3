/* Values: taken out of arrays, in order, as text. */
#include "column/scalar.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "column/builder.h"
#include "column/type.h"
#include "support/gen_table.h"

static void order_is_that_of_the_kind(void **state)
{
    (void)state;
#define I64(x)                                                                                     \
    {                                                                                              \
        .kind = STOA_KIND_INT64, .i64 = (x)                                                        \
    }
#define U64(x)                                                                                     \
    {                                                                                              \
        .kind = STOA_KIND_UINT64, .u64 = (x)                                                       \
    }
#define F64(x)                                                                                     \
    {                                                                                              \
        .kind = STOA_KIND_DOUBLE, .f64 = (x)                                                       \
    }
#define I128(h, l)                                                                                 \
    {                                                                                              \
        .kind = STOA_KIND_INT128, .i128 = {.hi = (h), .lo = (l) }                                  \
    }
#define I256(...)                                                                                  \
    {                                                                                              \
        .kind = STOA_KIND_INT256, .i256 = stoa_int256_from_i128((struct stoa_int128)__VA_ARGS__)   \
    }
#define BYTES(t)                                                                                   \
    {                                                                                              \
        .kind = STOA_KIND_BYTES, .bytes = (const uint8_t *)(t), .nbytes = sizeof(t) - 1            \
    }
    const struct {
        struct stoa_scalar a, b;
        enum stoa_order order;
    } cases[] = {
        {I64(-1), I64(1), STOA_LESS},
        {I64(INT64_MIN), I64(INT64_MAX), STOA_LESS},
        {I64(7), I64(7), STOA_EQUAL},
        {U64(1), U64(UINT64_MAX), STOA_LESS},
        {F64(-0.0), F64(0.0), STOA_EQUAL},
        {F64(-(double)INFINITY), F64(-1e308), STOA_LESS},
        {F64(5e-324), F64(0.0), STOA_GREATER},
        {F64((double)NAN), F64(0.0), STOA_UNORDERED},
        {F64((double)NAN), F64((double)NAN), STOA_UNORDERED},
        {I128(-1, 0), I128(0, 0), STOA_LESS},
        {I128(0, 1), I128(0, UINT64_MAX), STOA_LESS},
        {I256({.hi = -1}), I256({.lo = 0}), STOA_LESS},
        {I256({.lo = 1}), I256({.lo = UINT64_MAX}), STOA_LESS},
        {I256({.lo = 7}), I256({.lo = 7}), STOA_EQUAL},
        {BYTES(""), BYTES("a"), STOA_LESS},
        {BYTES("a"), BYTES("ab"), STOA_LESS},
        {BYTES("ab"), BYTES("b"), STOA_LESS},
        {BYTES("\x7f"), BYTES("\x80"), STOA_LESS},
        {BYTES("a\0b"), BYTES("a\0b"), STOA_EQUAL},
        {BYTES(""), {.kind = STOA_KIND_BYTES}, STOA_EQUAL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum stoa_order order = cases[i].order;
        enum stoa_order back = order == STOA_UNORDERED ? order : (enum stoa_order)(-(int)order);

        assert_int_equal(stoa_scalar_compare(&cases[i].a, &cases[i].b), order);
        assert_int_equal(stoa_scalar_compare(&cases[i].b, &cases[i].a), back);
    }
}

static void types_without_order_have_no_kind(void **state)
{
    (void)state;
    static const enum stoa_type_id without[] = {STOA_NULL,   STOA_INTERVAL,   STOA_LIST, STOA_MAP,
                                                STOA_STRUCT, STOA_FIXED_LIST, 0,         29};

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
        assert_int_equal(stoa_scalar_kind_of(&(struct stoa_type){.id = without[i]}),
                         STOA_KIND_NONE);
}

/* Order is total on each generated column, NaN apart, and agrees with equality of arrays. */
static void order_is_total(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "order_is_total");
    for (size_t i = 0; i < stoa_test_ncases(20 * STOA_TEST_NLEAVES); i++) {
        struct stoa_scalar values[30];
        struct stoa_field field;
        struct stoa_array array;

        stoa_test_gen_any_field(&random, 1, "x", &field);
        if (stoa_scalar_kind_of(&field.type) == STOA_KIND_NONE) {
            stoa_field_reset(&field);
            continue;
        }
        stoa_test_gen_array(&random, &field, 30, STOA_TEST_FEW_DISTINCT, STOA_TEST_NULLS_NONE,
                            &array);
        for (size_t j = 0; j < 30; j++)
            values[j] = stoa_scalar_get(&field.type, &array, j);
        for (size_t a = 0; a < 30; a++)
            for (size_t b = 0; b < 30; b++)
                for (size_t c = 0; c < 30; c++)
                    if (stoa_scalar_compare(&values[a], &values[b]) == STOA_LESS &&
                        stoa_scalar_compare(&values[b], &values[c]) == STOA_LESS)
                        assert_int_equal(stoa_scalar_compare(&values[a], &values[c]), STOA_LESS);
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

/* ---- Values as text ---- */

static const struct {
    const char *type;
    uint64_t bits;
    const char *text;
} texts[] = {
    {"bool", 0, "false"},
    {"bool", 1, "true"},
    {"int8", 0x80, "-128"},
    {"int16", 0xffff, "-1"},
    {"int32", 0x7fffffff, "2147483647"},
    {"int64", UINT64_C(1) << 63, "-9223372036854775808"},
    {"uint8", 0xff, "255"},
    {"uint16", 0xffff, "65535"},
    {"uint32", 0xffffffff, "4294967295"},
    {"uint64", UINT64_MAX, "18446744073709551615"},
    {"float16", 0x2e66, "0.1"},
    {"float32", 0x3dcccccd, "0.1"},
    {"float64", UINT64_C(0x8000000000000000), "-0.0"},
    {"float64", UINT64_C(0x7ff8000000000001), "NaN"},
    {"date32", 15710, "2013-01-05"},
    {"time(s)", 86399, "23:59:59"},
    {"time(ms)", 1500, "00:00:01.500"},
    {"time(ns)", 1, "00:00:00.000000001"},
    {"timestamp(s)", 1357344000, "2013-01-05 00:00:00"},
    {"timestamp(ms)", UINT64_MAX, "1969-12-31 23:59:59.999"},
    {"timestamp(us,Europe/Paris)", 1, "1970-01-01 00:00:00.000001Z"},
    {"duration(ms)", 5400001, "PT1H30M0.001S"},
    {"duration(ns)", UINT64_C(1) << 63, "PT-2562047H-47M-16.854775808S"},
};

static void values_have_one_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct stoa_field field = {.name = NULL};
        struct stoa_builder builder;
        struct stoa_error err = {0};
        struct stoa_array array;
        char text[STOA_TEXT_NBYTES + 1];
        uint64_t bits = texts[i].bits;

        assert_int_equal(stoa_field_parse_type(&field, texts[i].type, &err), STOA_OK);
        assert_int_equal(stoa_builder_init(&builder, &field.type, 2, &err), STOA_OK);
        stoa_builder_append_null(&builder);
        if (builder.layout == STOA_LAYOUT_BITS)
            stoa_builder_append_bool(&builder, bits != 0);
        else if (builder.width == 1)
            stoa_builder_append_8(&builder, (uint8_t)bits);
        else if (builder.width == 2)
            stoa_builder_append_16(&builder, (uint16_t)bits);
        else if (builder.width == 4)
            stoa_builder_append_32(&builder, (uint32_t)bits);
        else
            stoa_builder_append_64(&builder, bits);
        stoa_builder_finish(&builder, &array);
        text[stoa_array_format(&field, &array, 1, text)] = '\0';
        assert_string_equal(text, texts[i].text);
        stoa_array_reset(&array);
        stoa_builder_reset(&builder);
        stoa_field_reset(&field);
    }
}

static void wide_values_have_one_text(void **state)
{
    (void)state;
    const struct stoa_int128 decimal = {.hi = -1, .lo = 0 - UINT64_C(12345)};
    static const uint8_t uuid[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    struct stoa_array array = {.nvalues = 1};
    struct stoa_field field = {.type = {.id = STOA_DECIMAL, .precision = 38, .scale = 7}};
    const struct stoa_interval interval = {.months = -14, .days = 3, .nanos = -1};
    const struct stoa_int256 wide = stoa_int256_from_i128(decimal);
    uint8_t values[32];
    char text[STOA_TEXT_NBYTES + 1];

    array.values = values;
    memcpy(values, &decimal, 16);
    text[stoa_array_format(&field, &array, 0, text)] = '\0';
    assert_string_equal(text, "-0.0012345");
    memcpy(values, uuid, 16);
    field.type = (struct stoa_type){.id = STOA_UUID};
    text[stoa_array_format(&field, &array, 0, text)] = '\0';
    assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
    memcpy(values, &interval, 16);
    field.type = (struct stoa_type){.id = STOA_INTERVAL};
    text[stoa_array_format(&field, &array, 0, text)] = '\0';
    assert_string_equal(text, "P-1Y-2M3DT-0.000000001S");
    memcpy(values, &wide, 32);
    field.type = (struct stoa_type){.id = STOA_DECIMAL, .precision = 76, .scale = 76};
    text[stoa_array_format(&field, &array, 0, text)] = '\0';
    assert_string_equal(text, "-0."
                              "00000000000000000000000000000000000000000000000000000000000000000000"
                              "00012345");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_that_of_the_kind),
        cmocka_unit_test(types_without_order_have_no_kind),
        cmocka_unit_test(order_is_total),
        cmocka_unit_test(values_have_one_text),
        cmocka_unit_test(wide_values_have_one_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
