/* Which type holds the values of two, what that takes, and schemas joined by name. */
#include "column/join.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "column/schema.h"
#include "support/columns.h"
#include "support/fault_alloc.h"

static struct stoa_field field_of(const char *type)
{
    struct stoa_field field;
    struct stoa_error err = {0};

    stoa_test_check(stoa_field_parse("f", type, true, &field, &err), &err);
    return field;
}

static void assert_type(const struct stoa_type *type, const char *expected)
{
    struct stoa_field field = {.type = *type};
    struct stoa_error err = {0};
    char *text;

    stoa_test_check(stoa_type_print(&field, &text, &err), &err);
    assert_string_equal(text, expected);
    stoa_free(text);
}

enum {
    NONE = STOA_CHANGE_NONE,
    WIDEN = STOA_CHANGE_WIDEN,
    ENCODE = STOA_CHANGE_ENCODE,
    CHECKED = STOA_CHANGE_CHECKED,
};

/* The joined type, and the changes of the first and of the second; NULL: there is none. */
static const struct {
    const char *a, *b, *joined;
    int a_change, b_change;
} cases[] = {
    {"int32", "int32", "int32", NONE, NONE},
    {"int8", "int64", "int64", WIDEN, NONE},
    {"uint8", "uint32", "uint32", WIDEN, NONE},
    {"uint8", "int8", "int16", WIDEN, WIDEN},
    {"uint16", "int32", "int32", WIDEN, NONE},
    {"uint32", "int8", "int64", WIDEN, WIDEN},
    {"uint64", "int8", "decimal(20,0)", WIDEN, WIDEN},
    {"null", "bool", "bool", WIDEN, NONE},
    {"null", "null", "null", NONE, NONE},
    {"float32", "float64", "float64", WIDEN, NONE},
    {"float16", "float32", "float32", ENCODE, NONE},
    {"float16", "int8", "float32", ENCODE, ENCODE},
    {"float32", "int16", "float32", NONE, ENCODE},
    {"float32", "int32", "float64", WIDEN, ENCODE},
    {"float64", "uint64", "float64", NONE, CHECKED},
    {"decimal(5,2)", "decimal(9,2)", "decimal(9,2)", WIDEN, NONE},
    {"decimal(5,2)", "decimal(5,4)", "decimal(7,4)", ENCODE, WIDEN},
    {"decimal(5,2)", "int64", "decimal(21,2)", WIDEN, ENCODE},
    {"decimal(3,0)", "int16", "decimal(5,0)", WIDEN, WIDEN},
    {"decimal(76,76)", "int8", NULL, 0, 0},
    {"decimal(5,2)", "float64", NULL, 0, 0},
    {"date32", "timestamp(s)", "timestamp(s)", ENCODE, NONE},
    {"date32", "timestamp(ns)", "timestamp(ns)", CHECKED, NONE},
    {"date32", "timestamp(s,UTC)", NULL, 0, 0},
    {"timestamp(s)", "timestamp(us)", "timestamp(us)", CHECKED, NONE},
    {"timestamp(s,UTC)", "timestamp(us,UTC)", "timestamp(us,UTC)", CHECKED, NONE},
    {"timestamp(s,UTC)", "timestamp(s,Europe/Paris)", NULL, 0, 0},
    {"timestamp(s,UTC)", "timestamp(s)", NULL, 0, 0},
    {"time(ms)", "time(us)", "time(us)", ENCODE, NONE},
    {"duration(s)", "duration(ns)", "duration(ns)", CHECKED, NONE},
    {"enum(a,b)", "enum(a,b,c)", "enum(a,b,c)", WIDEN, NONE},
    {"enum(b,a)", "enum(a,c)", "enum(b,a,c)", WIDEN, ENCODE},
    {"enum(a)", "utf8", "utf8", ENCODE, NONE},
    {"utf8", "binary", "binary", WIDEN, NONE},
    {"uuid", "fixed_binary(16)", "fixed_binary(16)", WIDEN, NONE},
    {"uuid", "fixed_binary(8)", "binary", ENCODE, ENCODE},
    {"fixed_binary(4)", "binary", "binary", ENCODE, NONE},
    {"fixed_binary(4)", "utf8", NULL, 0, 0},
    {"bool", "int8", NULL, 0, 0},
    {"int64", "utf8", NULL, 0, 0},
    {"interval", "duration(s)", NULL, 0, 0},
};
enum { NCASES = sizeof(cases) / sizeof(cases[0]) };

static void check_pair(const char *left, const char *right, const char *joined, int left_change,
                       int right_change)
{
    struct stoa_field a = field_of(left), b = field_of(right);
    struct stoa_type out = {0};
    struct stoa_error err = {0};
    bool found;

    stoa_test_check(stoa_type_join(&a.type, &b.type, &out, &found, &err), &err);
    assert_int_equal(found, joined != NULL);
    if (found) {
        assert_type(&out, joined);
        assert_int_equal(stoa_type_change(&a.type, &out), left_change);
        assert_int_equal(stoa_type_change(&b.type, &out), right_change);
    }
    stoa_type_reset(&out);
    stoa_field_reset(&a);
    stoa_field_reset(&b);
}

static void types_join_into_the_least_that_holds_both(void **state)
{
    (void)state;
    for (size_t i = 0; i < NCASES; i++) {
        check_pair(cases[i].a, cases[i].b, cases[i].joined, cases[i].a_change, cases[i].b_change);
        if (strncmp(cases[i].b, "enum", 4) != 0) /* whose symbols have an order */
            check_pair(cases[i].b, cases[i].a, cases[i].joined, cases[i].b_change,
                       cases[i].a_change);
    }
}

/* Whatever joins: each type gets into the join, which joins with it into itself. */
static void a_join_holds_both_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * NCASES; i++) {
        for (size_t k = 0; k < 2 * NCASES; k++) {
            struct stoa_field a = field_of(i < NCASES ? cases[i].a : cases[i - NCASES].b);
            struct stoa_field b = field_of(k < NCASES ? cases[k].a : cases[k - NCASES].b);
            struct stoa_type out = {0}, again = {0};
            struct stoa_error err = {0};
            bool found;

            stoa_test_check(stoa_type_join(&a.type, &b.type, &out, &found, &err), &err);
            if (found) {
                assert_true(stoa_type_change(&a.type, &out) < STOA_CHANGE_TEXT);
                assert_true(stoa_type_change(&b.type, &out) < STOA_CHANGE_TEXT);
                stoa_test_check(stoa_type_join(&out, &a.type, &again, &found, &err), &err);
                assert_true(found && stoa_type_equal(&out, &again));
            }
            stoa_type_reset(&again);
            stoa_type_reset(&out);
            stoa_field_reset(&a);
            stoa_field_reset(&b);
        }
    }
}

/* ---- Schemas ---- */

/* A schema of "name type, name type": no type with a blank or a comma outside of parentheses. */
static struct stoa_schema schema_of(const char *const columns[][2], size_t ncolumns)
{
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    for (size_t i = 0; i < ncolumns; i++) {
        const char *type = columns[i][1];
        bool nullable = type[0] != '!';
        struct stoa_field field;

        stoa_test_check(
            stoa_field_parse(columns[i][0], nullable ? type : type + 1, nullable, &field, &err),
            &err);
        stoa_test_check(stoa_schema_add_field(&schema, &field, &err), &err);
        stoa_field_reset(&field);
    }
    return schema;
}

static const char *const left_columns[][2] = {
    {"same", "!int8"},       {"wider", "!int8"},     {"parts", "struct<a:int32 not null,b:utf8>"},
    {"tags", "list<int32>"}, {"only left", "!bool"}, {"clash", "date32"},
};
static const char *const right_columns[][2] = {
    {"clash", "bool"},  {"only right", "!utf8"},
    {"same", "!int8"},  {"parts", "struct<c:bool not null,a:int64>"},
    {"wider", "int16"}, {"tags", "list<float64>"},
};

static enum stoa_status joins(void *context, struct stoa_error *err)
{
    static const struct stoa_join_options options = {.fill_missing = true, .as_text = true};
    const struct stoa_schema *pair = context;
    struct stoa_schema joined = {0};
    enum stoa_status st = stoa_schema_copy(&joined, &pair[0], err);

    if (st == STOA_OK)
        st = stoa_schema_join(&joined, &pair[1], &options, err);
    stoa_schema_reset(&joined);
    return st;
}

static enum stoa_status compares(void *context, struct stoa_error *err)
{
    static const struct stoa_join_options options = {0};
    const struct stoa_schema *pair = context;
    struct stoa_schema_difference *differences = NULL;
    size_t n = 0;
    enum stoa_status st = stoa_schema_compare(&pair[0], &pair[1], &options, &differences, &n, err);

    stoa_schema_differences_free(differences, n);
    return st;
}

static void schemas_join_by_name(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        {"same", "!int8"},
        {"wider", "int16"},
        {"parts", "struct<a:int64,b:utf8,c:bool>"},
        {"tags", "list<float64>"},
        {"only left", "bool"},
        {"clash", "utf8"},
        {"only right", "utf8"},
    };
    const struct stoa_join_options options = {.fill_missing = true, .as_text = true};
    struct stoa_schema pair[2] = {schema_of(left_columns, 6), schema_of(right_columns, 6)};
    struct stoa_schema wanted = schema_of(expected, 7);
    struct stoa_error err = {0};

    stoa_test_each_failing_alloc(joins, pair);
    stoa_test_check(stoa_metadata_set(&pair[0].metadata, "by", "left", &err), &err);
    stoa_test_check(stoa_metadata_set(&pair[1].metadata, "by", "right", &err), &err);
    stoa_test_check(stoa_metadata_set(&pair[1].metadata, "on", "day 2", &err), &err);
    stoa_test_check(stoa_metadata_set(&wanted.metadata, "by", "left", &err), &err);
    stoa_test_check(stoa_metadata_set(&wanted.metadata, "on", "day 2", &err), &err);
    stoa_test_check(stoa_schema_join(&pair[0], &pair[1], &options, &err), &err);
    assert_true(stoa_schema_equal(&pair[0], &wanted));
    stoa_schema_reset(&wanted);
    stoa_schema_reset(&pair[0]);
    stoa_schema_reset(&pair[1]);
}

static void what_cannot_be_joined_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *a[2], *b[2];
        int os_errno;
        const char *message;
    } refused[] = {
        {{"x", "list<int32>"},
         {"x", "list<date32>"},
         EDOM,
         "column x: item: is date32 here and int32 in the files before: no type but text holds the "
         "values of both"},
        {{"x", "struct<a:int8>"},
         {"x", "struct<a:int8,b:int8>"},
         ENOENT,
         "column x: b: is not in the files before"},
        {{"x", "list<int8>"},
         {"x", "int8"},
         0,
         "column x: is int8 here and list<int8> in the files before: no type holds the values of "
         "both"},
        {{"x", "fixed_list<int8,3>"},
         {"x", "fixed_list<int8,4>"},
         0,
         "column x: is fixed_list<int8,4> here and fixed_list<int8,3> in the files before: no type "
         "holds the values of both"},
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const struct stoa_join_options options = {0};
        struct stoa_schema a = schema_of(&refused[i].a, 1), b = schema_of(&refused[i].b, 1);
        struct stoa_error err = {0};

        assert_int_equal(stoa_schema_join(&a, &b, &options, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, refused[i].message);
        assert_int_equal(err.os_errno, refused[i].os_errno);
        stoa_schema_reset(&a);
        stoa_schema_reset(&b);
    }
}

static void differences_are_listed_in_the_merged_order(void **state)
{
    (void)state;
    static const struct {
        const char *name, *left, *right, *merged;
        enum stoa_change left_change, right_change;
    } expected[] = {
        {"wider", "int8 not null", "int16", "int16", STOA_CHANGE_WIDEN, STOA_CHANGE_NONE},
        {"parts", "struct<a:int32 not null,b:utf8>", "struct<c:bool not null,a:int64>",
         "struct<a:int64,b:utf8,c:bool>", STOA_CHANGE_WIDEN, STOA_CHANGE_WIDEN},
        {"tags", "list<int32>", "list<float64>", "list<float64>", STOA_CHANGE_ENCODE,
         STOA_CHANGE_NONE},
        {"only left", "bool not null", NULL, "bool", STOA_CHANGE_NONE, STOA_CHANGE_NONE},
        {"clash", "date32", "bool", NULL, STOA_CHANGE_CLASH, STOA_CHANGE_CLASH},
        {"only right", NULL, "utf8 not null", "utf8", STOA_CHANGE_NONE, STOA_CHANGE_NONE},
    };
    const struct stoa_join_options options = {.fill_missing = true};
    struct stoa_schema pair[2] = {schema_of(left_columns, 6), schema_of(right_columns, 6)};
    struct stoa_schema_difference *differences;
    struct stoa_error err = {0};
    size_t n;

    stoa_test_each_failing_alloc(compares, pair);
    stoa_test_check(stoa_schema_compare(&pair[0], &pair[1], &options, &differences, &n, &err),
                    &err);
    assert_int_equal(n, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < n; i++) {
        const char *const got[] = {differences[i].name, differences[i].left, differences[i].right,
                                   differences[i].merged};
        const char *const wanted[] = {expected[i].name, expected[i].left, expected[i].right,
                                      expected[i].merged};

        for (int k = 0; k < 4; k++) {
            assert_int_equal(got[k] == NULL, wanted[k] == NULL);
            if (got[k] != NULL)
                assert_string_equal(got[k], wanted[k]);
        }
        assert_int_equal(differences[i].left_change, expected[i].left_change);
        assert_int_equal(differences[i].right_change, expected[i].right_change);
    }
    stoa_schema_differences_free(differences, n);
    stoa_schema_reset(&pair[0]);
    stoa_schema_reset(&pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_join_into_the_least_that_holds_both),
        cmocka_unit_test(a_join_holds_both_types),
        cmocka_unit_test(schemas_join_by_name),
        cmocka_unit_test(what_cannot_be_joined_is_named),
        cmocka_unit_test(differences_are_listed_in_the_merged_order),
    };

    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
