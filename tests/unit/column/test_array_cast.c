/* Values of one type as values of another, value by value. */
#include "column/array_cast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "column/builder.h"
#include "column/cast.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

static struct stoa_field field_of(const char *type)
{
    struct stoa_field field;
    struct stoa_error err = {0};

    stoa_test_check(stoa_field_parse("f", type, true, &field, &err), &err);
    return field;
}

/* Appends the value that `text` spells, NULL for a null; bytes of fixed width as they stand. */
static void append(struct stoa_builder *builder, const struct stoa_field *field, const char *text)
{
    bool number = field->type.id >= STOA_INT8 && field->type.id <= STOA_DECIMAL;
    const struct stoa_literal literal = {
        .kind = number ? STOA_LITERAL_NUMBER : STOA_LITERAL_TEXT,
        .text = text,
        .nbytes = text != NULL ? strlen(text) : 0,
    };
    uint8_t storage[STOA_CAST_STORAGE_NBYTES];
    struct stoa_scalar value;
    struct stoa_error err = {0};
    enum stoa_cast cast;

    stoa_test_check(stoa_builder_reserve(builder, 1, literal.nbytes, &err), &err);
    if (text == NULL) {
        stoa_builder_append_null(builder);
    } else if (field->type.id == STOA_FIXED_BINARY) {
        stoa_builder_append_fixed(builder, text);
    } else if (field->type.id == STOA_BOOL) {
        stoa_builder_append_bool(builder, strcmp(text, "true") == 0);
    } else {
        stoa_test_check(stoa_cast_literal(field, &literal, &cast, &value, storage, &err), &err);
        assert_int_equal(cast, STOA_CAST_EXACT);
        if (builder->layout == STOA_LAYOUT_BYTES)
            stoa_builder_append_bytes(builder, value.bytes, value.nbytes);
        else if (value.kind == STOA_KIND_BYTES)
            stoa_builder_append_fixed(builder, value.bytes);
        else if (field->type.id == STOA_FLOAT32)
            stoa_builder_append_fixed(builder, &(float){(float)value.f64});
        else /* the low bytes come first here, or the value fills its width */
            switch (builder->width) {
            case 1:
                stoa_builder_append_8(builder, (uint8_t)value.u64);
                break;
            case 2:
                stoa_builder_append_16(builder, (uint16_t)value.u64);
                break;
            case 4:
                stoa_builder_append_32(builder, (uint32_t)value.u64);
                break;
            default:
                stoa_builder_append_fixed(builder, &value.u64);
            }
    }
}

enum { MAX_NVALUES = 4 };

static void make(const struct stoa_field *field, const char *const *texts, size_t n,
                 struct stoa_array *out)
{
    struct stoa_builder builder;
    struct stoa_error err = {0};

    stoa_test_check(stoa_builder_init(&builder, &field->type, n, &err), &err);
    for (size_t i = 0; i < n; i++)
        append(&builder, field, texts[i]);
    stoa_builder_finish(&builder, out);
}

static void values_keep_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        const char *values[MAX_NVALUES];
        const char *expected[MAX_NVALUES];
    } cases[] = {
        {"int8", "int64", {"-128", "127", NULL, "0"}, {"-128", "127", NULL, "0"}},
        {"uint8", "int16", {"255", "0", NULL, "1"}, {"255", "0", NULL, "1"}},
        {"int64",
         "float64",
         {"9007199254740992", "-9007199254740992", NULL, "9007199254740994"},
         {"9007199254740992", "-9007199254740992", NULL, "9007199254740994"}},
        {"uint64",
         "float64",
         {"18446744073709549568", NULL, "0", "1"},
         {"18446744073709549568", NULL, "0", "1"}},
        {"int16", "float32", {"-32768", "32767", NULL, "1"}, {"-32768", "32767", NULL, "1"}},
        {"int64",
         "decimal(21,2)",
         {"-9223372036854775808", "7", NULL, "0"},
         {"-9223372036854775808.00", "7.00", NULL, "0.00"}},
        {"uint64",
         "decimal(20,0)",
         {"18446744073709551615", NULL, "0", "1"},
         {"18446744073709551615", NULL, "0", "1"}},
        {"decimal(5,2)",
         "decimal(44,40)",
         {"-123.45", "0.01", NULL, "999.99"},
         {"-123.4500000000000000000000000000000000000000",
          "0.0100000000000000000000000000000000000000", NULL,
          "999.9900000000000000000000000000000000000000"}},
        {"date32",
         "timestamp(s)",
         {"1969-12-31", "2013-01-02", NULL, "0001-01-01"},
         {"1969-12-31 00:00:00", "2013-01-02 00:00:00", NULL, "0001-01-01 00:00:00"}},
        {"timestamp(s)",
         "timestamp(us)",
         {"1969-12-31 23:59:59", NULL, "2013-01-02 03:04:05", "1970-01-01 00:00:00"},
         {"1969-12-31 23:59:59", NULL, "2013-01-02 03:04:05", "1970-01-01 00:00:00"}},
        {"time(s)",
         "time(ms)",
         {"23:59:59", "00:00:00", NULL, "12:00:00"},
         {"23:59:59", "00:00:00", NULL, "12:00:00"}},
        {"time(ms)",
         "time(ns)",
         {"23:59:59.999", "00:00:00", NULL, "12:00:00"},
         {"23:59:59.999", "00:00:00", NULL, "12:00:00"}},
        {"enum(a,b)", "enum(c,b,a)", {"a", "b", NULL, "a"}, {"a", "b", NULL, "a"}},
        {"enum(a,b)", "utf8", {"a", "b", NULL, "a"}, {"a", "b", NULL, "a"}},
        {"uuid",
         "utf8",
         {"00112233-4455-6677-8899-aabbccddeeff", NULL, NULL, NULL},
         {"00112233-4455-6677-8899-aabbccddeeff", NULL, NULL, NULL}},
        {"fixed_binary(3)", "binary", {"abc", NULL, "xyz", "123"}, {"abc", NULL, "xyz", "123"}},
        {"bool", "utf8", {"true", "false", NULL, "true"}, {"true", "false", NULL, "true"}},
        {"int32", "utf8", {"-5", "7", NULL, "0"}, {"-5", "7", NULL, "0"}},
        {"timestamp(ms,UTC)",
         "utf8",
         {"2013-01-02 03:04:05.500Z", NULL, NULL, NULL},
         {"2013-01-02 03:04:05.500Z", NULL, NULL, NULL}},
        {"null", "int32", {NULL, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL}},
        {"null", "utf8", {NULL, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_field from = field_of(cases[i].from), to = field_of(cases[i].to);
        struct stoa_array array, expected, got;
        struct stoa_error err = {0};

        make(&from, cases[i].values, MAX_NVALUES, &array);
        make(&to, cases[i].expected, MAX_NVALUES, &expected);
        stoa_test_check(stoa_array_cast(&from, &array, &to, &got, &err), &err);
        assert_int_equal(array.nvalues, 0);
        stoa_test_check(stoa_array_validate(&to, &got, &err), &err);
        if (!stoa_array_equal(&to, &got, &expected))
            fail_msg("%s as %s: other values", cases[i].from, cases[i].to);
        stoa_array_reset(&got);
        stoa_array_reset(&expected);
        stoa_field_reset(&from);
        stoa_field_reset(&to);
    }
}

static void values_without_an_equal_one_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *value, *message;
    } cases[] = {
        {"int64", "float64", "9007199254740993",
         "value 1 is 9007199254740993, which has no equal float64"},
        {"int64", "float64", "9223372036854775807",
         "value 1 is 9223372036854775807, which has no equal float64"},
        {"uint64", "float64", "18446744073709551615",
         "value 1 is 18446744073709551615, which has no equal float64"},
        {"timestamp(s)", "timestamp(ns)", "2262-04-12 00:00:00",
         "value 1 is 2262-04-12 00:00:00, which has no equal timestamp(ns)"},
        {"date32", "timestamp(ns)", "9999-12-31",
         "value 1 is 9999-12-31, which has no equal timestamp(ns)"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_field from = field_of(cases[i].from), to = field_of(cases[i].to);
        const char *const values[] = {NULL, cases[i].value};
        struct stoa_array array, got = {0};
        struct stoa_error err = {0};

        make(&from, values, 2, &array);
        assert_int_equal(stoa_array_cast(&from, &array, &to, &got, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(array.nvalues, 2);
        stoa_array_reset(&array);
        stoa_field_reset(&from);
        stoa_field_reset(&to);
    }
}

/* ---- Nested ---- */

struct nested {
    struct stoa_field from, to;
    struct stoa_array array;
};

static enum stoa_status casts_a_copy(void *context, struct stoa_error *err)
{
    const struct nested *nested = context;
    struct stoa_array array = {0}, got = {0};
    enum stoa_status st =
        stoa_array_slice(&nested->from, &nested->array, 0, nested->array.nvalues, &array, err);

    if (st == STOA_OK)
        st = stoa_array_cast(&nested->from, &array, &nested->to, &got, err);
    stoa_array_reset(&array);
    stoa_array_reset(&got);
    return st;
}

/* Fields of structs go where they belong, what is missing is null; back again they are equal. */
static void parts_of_nested_columns_are_cast(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"struct<a:int8,b:utf8>", "struct<c:date32,b:utf8,a:int64>"},
        {"list<struct<a:int8>>", "list<struct<b:list<bool>,a:int32>>"},
        {"map<utf8,int16>", "map<utf8,int32>"},
        {"fixed_list<int8,3>", "fixed_list<int64,3>"},
        {"struct<x:struct<a:int8>>",
         "struct<y:fixed_list<utf8,2>,x:struct<b:map<utf8,int8>,a:int8>>"},
        {"struct<x:null>", "struct<x:list<struct<a:int8>>>"},
    };
    struct stoa_test_random r;

    stoa_test_random_init(&r, "nested casts");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nested nested = {.from = field_of(cases[i][0]), .to = field_of(cases[i][1])};
        struct stoa_array copy, got;
        struct stoa_error err = {0};

        stoa_test_gen_array(&r, &nested.from, 100, STOA_TEST_SMALL_RANGE, STOA_TEST_NULLS_SOME,
                            &nested.array);
        stoa_test_each_failing_alloc(casts_a_copy, &nested);
        stoa_test_check(stoa_array_slice(&nested.from, &nested.array, 0, 100, &copy, &err), &err);
        stoa_test_check(stoa_array_cast(&nested.from, &copy, &nested.to, &got, &err), &err);
        stoa_test_check(stoa_array_validate(&nested.to, &got, &err), &err);
        assert_int_equal(got.nnulls, nested.array.nnulls);
        stoa_array_reset(&got);
        stoa_array_reset(&nested.array);
        stoa_field_reset(&nested.from);
        stoa_field_reset(&nested.to);
    }
}

static void nulls_of_every_type_are_valid(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "nulls");
    for (size_t i = 0; i < stoa_test_ncases(500); i++) {
        struct stoa_field field;
        struct stoa_array array;
        struct stoa_error err = {0};
        size_t nvalues = (size_t)stoa_test_random_below(&r, 70);

        stoa_test_gen_any_field(&r, 5, "f", &field);
        field.nullable = true;
        stoa_test_check(stoa_array_nulls(&field, nvalues, &array, &err), &err);
        assert_int_equal(array.nnulls, nvalues);
        stoa_test_check(stoa_array_validate(&field, &array, &err), &err);
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_what_they_are),
        cmocka_unit_test(values_without_an_equal_one_are_refused),
        cmocka_unit_test(parts_of_nested_columns_are_cast),
        cmocka_unit_test(nulls_of_every_type_are_valid),
    };

    return cmocka_run_group_tests_name("array_cast", tests, NULL, NULL);
}
