/* Types: their text both ways, what is wrong with a text and where, copies, limits. */
#include "column/type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/array.h>

#include "base/error.h"
#include "column/nearest.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

/* Text as it is printed, and the bytes of a value in memory. */
static const struct {
    const char *text;
    struct stoa_type type;
    size_t width;
} types[] = {
    {"null", {.id = STOA_NULL}, 0},
    {"bool", {.id = STOA_BOOL}, 0},
    {"int8", {.id = STOA_INT8}, 1},
    {"int16", {.id = STOA_INT16}, 2},
    {"int32", {.id = STOA_INT32}, 4},
    {"int64", {.id = STOA_INT64}, 8},
    {"uint8", {.id = STOA_UINT8}, 1},
    {"uint16", {.id = STOA_UINT16}, 2},
    {"uint32", {.id = STOA_UINT32}, 4},
    {"uint64", {.id = STOA_UINT64}, 8},
    {"float16", {.id = STOA_FLOAT16}, 2},
    {"float32", {.id = STOA_FLOAT32}, 4},
    {"float64", {.id = STOA_FLOAT64}, 8},
    {"decimal(1,0)", {.id = STOA_DECIMAL, .precision = 1}, 16},
    {"decimal(10,2)", {.id = STOA_DECIMAL, .precision = 10, .scale = 2}, 16},
    {"decimal(38,38)", {.id = STOA_DECIMAL, .precision = 38, .scale = 38}, 16},
    {"decimal(39,0)", {.id = STOA_DECIMAL, .precision = 39}, 32},
    {"decimal(76,76)", {.id = STOA_DECIMAL, .precision = 76, .scale = 76}, 32},
    {"date32", {.id = STOA_DATE32}, 4},
    {"time(s)", {.id = STOA_TIME, .unit = STOA_SECOND}, 4},
    {"time(ms)", {.id = STOA_TIME, .unit = STOA_MILLI}, 4},
    {"time(us)", {.id = STOA_TIME, .unit = STOA_MICRO}, 8},
    {"time(ns)", {.id = STOA_TIME, .unit = STOA_NANO}, 8},
    {"timestamp(s)", {.id = STOA_TIMESTAMP}, 8},
    {"timestamp(ns)", {.id = STOA_TIMESTAMP, .unit = STOA_NANO}, 8},
    {"timestamp(us,UTC)", {.id = STOA_TIMESTAMP, .unit = STOA_MICRO, .zone = (char[]){"UTC"}}, 8},
    {"timestamp(ms,Europe/Paris)",
     {.id = STOA_TIMESTAMP, .unit = STOA_MILLI, .zone = (char[]){"Europe/Paris"}},
     8},
    {"timestamp(s,-03:30)", {.id = STOA_TIMESTAMP, .zone = (char[]){"-03:30"}}, 8},
    {"duration(ns)", {.id = STOA_DURATION, .unit = STOA_NANO}, 8},
    {"interval", {.id = STOA_INTERVAL}, 16},
    {"utf8", {.id = STOA_UTF8}, 0},
    {"binary", {.id = STOA_BINARY}, 0},
    {"fixed_binary(1)", {.id = STOA_FIXED_BINARY, .width = 1}, 1},
    {"fixed_binary(65535)", {.id = STOA_FIXED_BINARY, .width = 65535}, 65535},
    {"uuid", {.id = STOA_UUID}, 16},
    {"enum(a)", {.id = STOA_ENUM, .symbols = (char *[]){"a"}, .nsymbols = 1}, 4},
    {"enum(low,\"\",\"a,b\",\"say \"\"x\"\"\",\xc3\xa9,a-b_c.d/e+1)",
     {.id = STOA_ENUM,
      .symbols = (char *[]){"low", "", "a,b", "say \"x\"", "\xc3\xa9", "a-b_c.d/e+1"},
      .nsymbols = 6},
     4},
};

static void text_and_type_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const struct stoa_field field = {.type = types[i].type};
        struct stoa_error err = {0};
        struct stoa_type parsed, copy;
        char *text;

        if (stoa_type_parse(types[i].text, &parsed, &err) != STOA_OK)
            fail_msg("%s", err.message);
        assert_true(stoa_type_equal(&parsed, &types[i].type));
        assert_int_equal(stoa_type_check(&parsed, &err), STOA_OK);
        assert_int_equal(stoa_type_width(&parsed), types[i].width);
        assert_int_equal(stoa_type_print(&field, &text, &err), STOA_OK);
        assert_string_equal(text, types[i].text);
        assert_int_equal(stoa_type_copy(&copy, &parsed, &err), STOA_OK);
        assert_true(stoa_type_equal(&copy, &parsed));
        stoa_free(text);
        stoa_type_reset(&copy);
        stoa_type_reset(&parsed);
    }
}

static void different_types_are_not_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        for (size_t j = 0; j < sizeof(types) / sizeof(types[0]); j++)
            assert_int_equal(stoa_type_equal(&types[i].type, &types[j].type), i == j);
}

static void spaces_between_the_parts_are_taken(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {" int64 ", "int64"},
        {"decimal ( 10 , 2 )", "decimal(10,2)"},
        {"decimal(010,02)", "decimal(10,2)"},
        {"timestamp( us , UTC )", "timestamp(us,UTC)"},
        {"enum( a , \"b\" )", "enum(a,b)"},
        {"struct< a : int64  not null , \"b\":list< utf8 > >",
         "struct<a:int64 not null,b:list<utf8>>"},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct stoa_field field = {0};
        struct stoa_error err = {0};
        char *text;

        assert_int_equal(stoa_field_parse_type(&field, texts[i][0], &err), STOA_OK);
        assert_int_equal(stoa_type_print(&field, &text, &err), STOA_OK);
        assert_string_equal(text, texts[i][1]);
        stoa_free(text);
        stoa_field_reset(&field);
    }
}

static const struct {
    const char *text;
    uint64_t offset;
    const char *message;
} wrong[] = {
    {"", 0, "type \"\": expected the name of a type"},
    {"Int64", 0, "type \"Int64\": expected the name of a type"},
    {"int65", 0, "type \"int65\": there is no type int65; did you mean int64?"},
    {"string", 0, "type \"string\": there is no type string"},
    {"int64 x", 6, "type \"int64 x\": there is more after the end of the type"},
    {"int64(3)", 5, "type \"int64(3)\": there is more after the end of the type"},
    {"decimal", 7, "type \"decimal\": decimal needs more: decimal(10,2)"},
    {"decimal(10)", 10, "type \"decimal(10)\": expected \",\" and the scale"},
    {"decimal(,2)", 8, "type \"decimal(,2)\": expected the precision"},
    {"decimal(9,)", 10, "type \"decimal(9,)\": expected the scale"},
    {"decimal(0,0)", 8, "type \"decimal(0,0)\": the precision of a decimal is 1 to 76"},
    {"decimal(77,2)", 8, "type \"decimal(77,2)\": the precision of a decimal is 1 to 76"},
    {"decimal(256,2)", 8, "type \"decimal(256,2)\": the precision of a decimal is 1 to 76"},
    {"decimal(4294967296,2)", 8, "type \"decimal(4294967296,2)\": the number is too large"},
    {"decimal(9, 10)", 11, "type \"decimal(9, 10)\": the scale of a decimal is 0 to its precision"},
    {"decimal(9,2", 11, "type \"decimal(9,2\": expected \")\" at the end of the type"},
    {"time", 4, "type \"time\": time needs more: time(ms)"},
    {"time(m)", 5, "type \"time(m)\": the unit is one of s, ms, us, ns"},
    {"timestamp(us,)", 10, "type \"timestamp(us,)\": a time zone has 1 to 255 characters, not 0"},
    {"timestamp(us,a%b)", 10,
     "type \"timestamp(us,a%b)\": a time zone is letters, digits and any of +-_/:. "
     "(\"Europe/Paris\", \"+02:00\")"},
    {"fixed_binary()", 13, "type \"fixed_binary()\": expected the number of bytes"},
    {"fixed_binary(0)", 13, "type \"fixed_binary(0)\": fixed_binary holds 1 to 65535 bytes, not 0"},
    {"fixed_binary(65536)", 13,
     "type \"fixed_binary(65536)\": fixed_binary holds 1 to 65535 bytes, not 65536"},
    {"enum()", 5, "type \"enum()\": expected a symbol"},
    {"enum(a,,b)", 7, "type \"enum(a,,b)\": expected a symbol"},
    {"enum(a,\"b)", 7, "type \"enum(a,\"b)\": the quote is not closed"},
    {"enum(a,b,a)", 5, "type \"enum(a,b,a)\": symbol \"a\" appears twice in the enum"},
    {"enum(a b)", 7, "type \"enum(a b)\": expected \")\" at the end of the type"},
    {"list", 4, "type \"list\": list needs more: list<int64>"},
    {"list<>", 5, "type \"list<>\": expected the name of a type"},
    {"list<int64", 10, "type \"list<int64\": expected \">\" at the end of the type"},
    {"fixed_list<int64>", 16,
     "type \"fixed_list<int64>\": expected \",\" and the number of values"},
    {"fixed_list<int64,0>", 17,
     "type \"fixed_list<int64,0>\": a fixed_list holds 1 to 65535 values"},
    {"struct<a>", 8, "type \"struct<a>\": expected \":\" and the type of the field"},
    {"struct<a:int8,a:int8>", 14, "type \"struct<a:int8,a:int8>\": the name is taken"},
    {"struct<b:int8,c:int8,a:bool,c:utf8,b:int8>", 28,
     "type \"struct<b:int8,c:int8,a:bool,c:utf8,b:int8>\": the name is taken"},
    {"struct<a:int8,>", 14, "type \"struct<a:int8,>\": expected the name of a field"},
    {"struct<a:map<int8>>", 17,
     "type \"struct<a:map<int8>>\": expected \",\" and the type of the values"},
    {"enum(\xff)", 5, "type \"enum(\\xff)\": symbol 1 of the enum, \"\\xff\", is not UTF-8"},
};

static void wrong_text_is_named_at_its_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct stoa_field field = {0};
        struct stoa_error err = {0};

        assert_int_equal(stoa_field_parse_type(&field, wrong[i].text, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, wrong[i].message);
        assert_int_equal(err.offset, wrong[i].offset);
        assert_null(field.children);
    }
}

static void type_parse_refuses_children(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_type type;

    assert_int_equal(stoa_type_parse("list<int64>", &type, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message,
                        "type \"list<int64>\": a type without children is needed here");
    assert_int_equal(err.offset, 0);
}

static void nested_types_survive_a_round_trip(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "list<int64>",
        "list<decimal(10,2) not null>",
        "fixed_list<float32,65535>",
        "struct<>",
        "struct<a:int64,\"b c\":utf8 not null,\"\":null>",
        "map<utf8,list<map<int8,bool not null>>>",
        "struct<a:struct<a:struct<a:enum(x,\"y>\")>>>",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct stoa_field field = {0};
        struct stoa_error err = {0};
        char *text;

        if (stoa_field_parse_type(&field, texts[i], &err) != STOA_OK)
            fail_msg("%s", err.message);
        assert_int_equal(stoa_type_print(&field, &text, &err), STOA_OK);
        assert_string_equal(text, texts[i]);
        stoa_free(text);
        stoa_field_reset(&field);
    }
}

static void nesting_ends_at_32(void **state)
{
    (void)state;
    struct stoa_field field = {0};
    struct stoa_error err = {0};
    char text[300] = "";

    for (int i = 0; i < 31; i++)
        strcat(text, "list<");
    strcat(text, "bool");
    for (int i = 0; i < 31; i++)
        strcat(text, ">");
    assert_int_equal(stoa_field_parse_type(&field, text, &err), STOA_OK);
    stoa_field_reset(&field);
    memmove(text + 5, text, strlen(text) + 1);
    memcpy(text, "list<", 5);
    strcat(text, ">");
    assert_int_equal(stoa_field_parse_type(&field, text, &err), STOA_ERR_USAGE);
    assert_non_null(strstr(err.message, ": types are nested more than 32 deep"));
    assert_int_equal(err.offset, 160);
}

static const struct {
    struct stoa_type type;
    const char *message;
} unfit[] = {
    {{.id = (enum stoa_type_id)0}, "0 is not the number of a type"},
    {{.id = (enum stoa_type_id)29}, "29 is not the number of a type"},
    {{.id = STOA_INT64, .precision = 1}, "int64 has a parameter that it does not take"},
    {{.id = STOA_DATE32, .unit = STOA_NANO}, "date32 has a parameter that it does not take"},
    {{.id = STOA_TIME, .zone = (char[]){"UTC"}}, "time has a parameter that it does not take"},
    {{.id = STOA_TIME, .unit = (enum stoa_time_unit)4}, "4 is not the number of a time unit"},
    {{.id = STOA_DECIMAL}, "the precision of a decimal is 1 to 76, not 0"},
    {{.id = STOA_DECIMAL, .precision = 77}, "the precision of a decimal is 1 to 76, not 77"},
    {{.id = STOA_DECIMAL, .precision = 5, .scale = 6},
     "the scale of a decimal is 0 to its precision 5, not 6"},
    {{.id = STOA_ENUM}, "an enum has 1 to 65536 symbols, not 0"},
    {{.id = STOA_FIXED_LIST}, "fixed_list holds 1 to 65535 values, not 0"},
};

static void parameters_out_of_range_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
        struct stoa_error err = {0};

        assert_int_equal(stoa_type_check(&unfit[i].type, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, unfit[i].message);
    }
}

static void generated_types_survive_a_round_trip(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "generated_types_survive_a_round_trip");
    for (size_t i = 0; i < stoa_test_ncases(2000); i++) {
        struct stoa_error err = {0};
        struct stoa_field field = {0};
        struct stoa_type parsed;
        char *text;

        stoa_test_gen_type(&random, stoa_test_leaves[i % STOA_TEST_NLEAVES], &field.type);
        assert_int_equal(stoa_type_print(&field, &text, &err), STOA_OK);
        assert_int_equal(stoa_type_parse(text, &parsed, &err), STOA_OK);
        assert_true(stoa_type_equal(&parsed, &field.type));
        stoa_free(text);
        stoa_type_reset(&parsed);
        stoa_field_reset(&field);
    }
}

/* Comparing each name with all others would take minutes. */
static void a_struct_of_200000_fields_is_read(void **state)
{
    (void)state;
    enum { NFIELDS = 200000, FIELD_NBYTES = 16 };
    struct stoa_field field = {0};
    struct stoa_error err = {0};
    char *text = malloc(NFIELDS * FIELD_NBYTES + 16);
    size_t nbytes = 0;

    assert_non_null(text);
    for (unsigned i = 0; i < NFIELDS; i++)
        nbytes += (size_t)sprintf(text + nbytes, "%sf%06u:int8", i == 0 ? "struct<" : ",", i);
    memcpy(text + nbytes, ">", 2);
    assert_int_equal(stoa_field_parse_type(&field, text, &err), STOA_OK);
    assert_int_equal(field.nchildren, NFIELDS);
    stoa_field_reset(&field);
    memcpy(strstr(text, "f123456"), "f000000", 7);
    assert_int_equal(stoa_field_parse_type(&field, text, &err), STOA_ERR_USAGE);
    assert_non_null(strstr(err.message, ": the name is taken"));
    assert_int_equal(err.offset, 7 + 123456 * 13);
    free(text);
}

/* One character put in, taken out or replaced: an error inside the text, or a type that stays. */
static void mutated_text_is_refused_or_understood(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "struct<a:int64 not null,\"b c\":map<utf8,list<bool>>>",
        "decimal(10,2)",
        "timestamp(us,Europe/Paris)",
        "enum(low,\"a,b\",\"say \"\"x\"\"\")",
        "fixed_list<fixed_binary(16),3>",
    };
    static const char alphabet[] = "<>(),:\" 019abintul\xff\n";
    struct stoa_test_random random;
    size_t nread = 0;

    stoa_test_random_init(&random, "mutated_text_is_refused_or_understood");
    for (size_t i = 0; i < stoa_test_ncases(50000); i++) {
        char text[128], *printed, *again;
        struct stoa_field field = {0}, back = {0};
        struct stoa_error err = {0};
        size_t nbytes, at;

        strcpy(text, texts[i % 5]);
        nbytes = strlen(text);
        at = (size_t)stoa_test_random_below(&random, nbytes);
        if (stoa_test_random_one_in(&random, 3))
            memmove(text + at, text + at + 1, nbytes - at);
        else if (stoa_test_random_one_in(&random, 2))
            memmove(text + at + 1, text + at, nbytes - at + 1);
        if (at < strlen(text))
            text[at] = alphabet[stoa_test_random_below(&random, sizeof(alphabet) - 1)];
        if (stoa_field_parse_type(&field, text, &err) != STOA_OK) {
            assert_int_equal(err.status, STOA_ERR_USAGE);
            assert_in_range(err.offset, 0, strlen(text));
            continue;
        }
        nread++;
        assert_int_equal(stoa_type_print(&field, &printed, &err), STOA_OK);
        assert_int_equal(stoa_field_parse_type(&back, printed, &err), STOA_OK);
        assert_int_equal(stoa_type_print(&back, &again, &err), STOA_OK);
        assert_string_equal(printed, again);
        stoa_free(printed);
        stoa_free(again);
        stoa_field_reset(&back);
        stoa_field_reset(&field);
    }
    assert_in_range(nread, 100, SIZE_MAX);
}

static const char *word_at(const void *context, size_t i)
{
    return ((const char *const *)context)[i];
}

static void nearest_is_what_was_meant(void **state)
{
    (void)state;
    static const char *const words[] = {"passenger_count", "pickup_datetime", "fare", "", "tip"};
    static const struct {
        const char *text;
        size_t nearest; /* 5: none */
    } cases[] = {
        {"fare", 2},           {"FARE", 2}, {"frae", 2}, {"fares", 2}, {"pasenger_count", 0},
        {"dropoff", 5},        {"tpi", 4},  {"", 3},     {"x", 5},     {"pickup_date", 1},
        {"pickup_datetme", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(stoa_nearest(cases[i].text, 5, word_at, words), cases[i].nearest);
}

static enum stoa_status parses_and_prints(void *context, struct stoa_error *err)
{
    struct stoa_field field = {0};
    struct stoa_type copy = {0};
    char *text = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_field_parse_type(&field, context, err));
    STOA_TRY(stoa_type_print(&field, &text, err));
    STOA_TRY(stoa_type_copy(&copy, &field.type, err));
out:
    stoa_free(text);
    stoa_type_reset(&copy);
    stoa_field_reset(&field);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(parses_and_prints,
                                 "struct<\"a b\":list<timestamp(s,UTC)>,c:map<utf8,bool>>");
    stoa_test_each_failing_alloc(parses_and_prints, "enum(a,\"b c\",d,e,f)");
    stoa_test_each_failing_alloc(parses_and_prints, "timestamp(us,Europe/Paris)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_struct_of_200000_fields_is_read),
        cmocka_unit_test(text_and_type_agree),
        cmocka_unit_test(different_types_are_not_equal),
        cmocka_unit_test(spaces_between_the_parts_are_taken),
        cmocka_unit_test(wrong_text_is_named_at_its_character),
        cmocka_unit_test(type_parse_refuses_children),
        cmocka_unit_test(nested_types_survive_a_round_trip),
        cmocka_unit_test(nesting_ends_at_32),
        cmocka_unit_test(parameters_out_of_range_are_named),
        cmocka_unit_test(generated_types_survive_a_round_trip),
        cmocka_unit_test(mutated_text_is_refused_or_understood),
        cmocka_unit_test(nearest_is_what_was_meant),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
