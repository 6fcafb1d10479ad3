/* Literals against types: a table of places, and what no literal of a type may be. */
#include "column/cast.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "column/type.h"
#include "support/fault_alloc.h"
#include "support/random.h"

/* A literal as it stands in a predicate: 12, 'text', x'616263' (given as bytes: x'abc'), true. */
static struct stoa_literal literal_of(const char *text)
{
    size_t nbytes = strlen(text);

    if (text[0] == '\'')
        return (struct stoa_literal){STOA_LITERAL_TEXT, text + 1, nbytes - 2};
    if (text[0] == 'x')
        return (struct stoa_literal){STOA_LITERAL_BYTES, text + 2, nbytes - 3};
    if (text[0] == 't' || text[0] == 'f')
        return (struct stoa_literal){STOA_LITERAL_BOOL, text, nbytes};
    return (struct stoa_literal){STOA_LITERAL_NUMBER, text, nbytes};
}

static struct stoa_field field_of(const char *type)
{
    struct stoa_field field = {0};
    struct stoa_error err = {0};

    if (stoa_field_parse_type(&field, type, &err) != STOA_OK)
        fail_msg("%s", err.message);
    return field;
}

static void show(const struct stoa_scalar *value, char *out, size_t nbytes)
{
    char text[STOA_NUMBER_NBYTES];

    switch (value->kind) {
    case STOA_KIND_INT64:
        snprintf(out, nbytes, "%" PRId64, value->i64);
        break;
    case STOA_KIND_UINT64:
        snprintf(out, nbytes, "%" PRIu64, value->u64);
        break;
    case STOA_KIND_DOUBLE:
        snprintf(out, nbytes, "%.17g", value->f64);
        break;
    case STOA_KIND_INT128:
        snprintf(out, nbytes, "%.*s", (int)stoa_decimal_format(value->i128, 0, text), text);
        break;
    case STOA_KIND_INT256:
        snprintf(out, nbytes, "%.*s", (int)stoa_decimal256_format(value->i256, 0, text), text);
        break;
    default:
        snprintf(out, nbytes, "%.*s", (int)value->nbytes, (const char *)value->bytes);
        break;
    }
}

#define EXACT   STOA_CAST_EXACT
#define BELOW   STOA_CAST_BELOW
#define ABOVE   STOA_CAST_ABOVE
#define BETWEEN STOA_CAST_BETWEEN

/* The value is shown where there is one; decimals in units of the last place. */
static const struct {
    const char *type;
    const char *literal;
    enum stoa_cast cast;
    const char *value;
} places[] = {
    {"int64", "5", EXACT, "5"},
    {"int64", "-5", EXACT, "-5"},
    {"int64", "+5", EXACT, "5"},
    {"int64", "2.5", BETWEEN, "2"},
    {"int64", "-2.5", BETWEEN, "-3"},
    {"int64", "0.1", BETWEEN, "0"},
    {"int64", "-0.1", BETWEEN, "-1"},
    {"int64", "1e-999999999999999999999", BETWEEN, "0"},
    {"int64", "-1e-999999999999999999999", BETWEEN, "-1"},
    {"int64", "2.50e1", EXACT, "25"},
    {"int64", "25000e-3", EXACT, "25"},
    {"int64", "-0", EXACT, "0"},
    {"int64", "0e999999999999999999999", EXACT, "0"},
    {"int64", "9223372036854775807", EXACT, "9223372036854775807"},
    {"int64", "9223372036854775806.999", BETWEEN, "9223372036854775806"},
    {"int64", "9223372036854775807.1", ABOVE, NULL},
    {"int64", "9223372036854775808", ABOVE, NULL},
    {"int64", "1e999999999999999999999", ABOVE, NULL},
    {"int64", "-9223372036854775808", EXACT, "-9223372036854775808"},
    {"int64", "-9223372036854775807.5", BETWEEN, "-9223372036854775808"},
    {"int64", "-9223372036854775808.1", BELOW, NULL},
    {"int64", "-1e99", BELOW, NULL},
    {"int64", "170141183460469231731687303715884105728", ABOVE, NULL},
    {"int64", "-170141183460469231731687303715884105728.5", BELOW, NULL},
    {"int64", "1000000000000000000000000000000000000000000", ABOVE, NULL},
    {"int64", "'7'", EXACT, "7"},
    {"int8", "127", EXACT, "127"},
    {"int8", "128", ABOVE, NULL},
    {"int8", "-128", EXACT, "-128"},
    {"int8", "-129", BELOW, NULL},
    {"int16", "32768", ABOVE, NULL},
    {"int32", "-2147483648.00", EXACT, "-2147483648"},
    {"uint8", "300", ABOVE, NULL},
    {"uint8", "255.0", EXACT, "255"},
    {"uint8", "255.5", ABOVE, NULL},
    {"uint8", "-1", BELOW, NULL},
    {"uint8", "-0.5", BELOW, NULL},
    {"uint8", "0.5", BETWEEN, "0"},
    {"uint64", "18446744073709551615", EXACT, "18446744073709551615"},
    {"uint64", "18446744073709551616", ABOVE, NULL},
    {"float64", "2.5", EXACT, "2.5"},
    {"float64", "0.1", EXACT, "0.10000000000000001"},
    {"float64", "1e400", BETWEEN, "1.7976931348623157e+308"},
    {"float64", "-1e400", BETWEEN, "-inf"},
    {"float64", "1e-400", EXACT, "0"},
    {"float64", "'inf'", EXACT, "inf"},
    {"float64", "'NaN'", EXACT, "nan"},
    {"float16", "0.1", EXACT, "0.0999755859375"},
    {"float16", "65519.9", EXACT, "65504"},
    {"float16", "65520", BETWEEN, "65504"},
    {"float16", "-65520", BETWEEN, "-inf"},
    {"float16", "'-inf'", EXACT, "-inf"},
    {"float32", "0.1", EXACT, "0.10000000149011612"},
    {"float32", "1e39", BETWEEN, "3.4028234663852886e+38"},
    {"float32", "-1e39", BETWEEN, "-inf"},
    {"decimal(5,2)", "1.5", EXACT, "150"},
    {"decimal(5,2)", "1.505", BETWEEN, "150"},
    {"decimal(5,2)", "-1.505", BETWEEN, "-151"},
    {"decimal(5,2)", "999.99", EXACT, "99999"},
    {"decimal(5,2)", "999.995", ABOVE, NULL},
    {"decimal(5,2)", "1000", ABOVE, NULL},
    {"decimal(5,2)", "-1000", BELOW, NULL},
    {"decimal(38,0)", "99999999999999999999999999999999999999", EXACT,
     "99999999999999999999999999999999999999"},
    {"decimal(38,0)", "99999999999999999999999999999999999999.5", ABOVE, NULL},
    {"decimal(38,38)", "0.99999999999999999999999999999999999999", EXACT,
     "99999999999999999999999999999999999999"},
    {"decimal(38,38)", "-0.999999999999999999999999999999999999991", BELOW, NULL},
    {"decimal(38,38)", "1", ABOVE, NULL},
    {"decimal(39,1)", "-1.25", BETWEEN, "-13"},
    {"decimal(39,0)", "1e38", EXACT, "100000000000000000000000000000000000000"},
    {"decimal(39,0)", "1e39", ABOVE, NULL},
    {"decimal(39,0)", "-1e39", BELOW, NULL},
    {"decimal(76,0)",
     "'9999999999999999999999999999999999999999999999999999999999999999999999999999'", EXACT,
     "9999999999999999999999999999999999999999999999999999999999999999999999999999"},
    {"decimal(76,0)",
     "9999999999999999999999999999999999999999999999999999999999999999999999999999.5", ABOVE, NULL},
    {"decimal(76,76)", "-1e-76", EXACT, "-1"},
    {"decimal(76,76)", "-1e-77", BETWEEN, "-1"},
    {"decimal(76,76)", "1", ABOVE, NULL},
    {"date32", "'2013-01-05'", EXACT, "15710"},
    {"date32", "'1969-12-31'", EXACT, "-1"},
    {"date32", "'2013-01-05 00:00:00'", EXACT, "15710"},
    {"date32", "'2013-01-05 12:00:00'", BETWEEN, "15710"},
    {"date32", "'1969-12-31T23:59:59.999'", BETWEEN, "-1"},
    {"date32", "'+9999999-01-01'", ABOVE, NULL},
    {"date32", "'-9999999-01-01'", BELOW, NULL},
    {"timestamp(s)", "'2013-01-05'", EXACT, "1357344000"},
    {"timestamp(s)", "'2013-01-05 00:00:01'", EXACT, "1357344001"},
    {"timestamp(s)", "'2013-01-05T00:00:01.5'", BETWEEN, "1357344001"},
    {"timestamp(s)", "'1969-12-31 23:59:59.5'", BETWEEN, "-1"},
    {"timestamp(ms)", "'1970-01-01 00:00:00.123'", EXACT, "123"},
    {"timestamp(ms)", "'1970-01-01 00:00:00.1234'", BETWEEN, "123"},
    {"timestamp(ns)", "'2262-04-11 23:47:16.854775807'", EXACT, "9223372036854775807"},
    {"timestamp(ns)", "'2262-04-11 23:47:16.854775808'", ABOVE, NULL},
    {"timestamp(ns)", "'1677-09-21 00:12:43.145224191'", BELOW, NULL},
    {"timestamp(ns)", "'0001-01-01'", BELOW, NULL},
    {"timestamp(s,UTC)", "'2013-01-05 00:00:00Z'", EXACT, "1357344000"},
    {"timestamp(s,Europe/Paris)", "'2013-01-05 00:00:00+02:00'", EXACT, "1357336800"},
    {"time(s)", "'00:00:01'", EXACT, "1"},
    {"time(s)", "'23:59:59.9'", BETWEEN, "86399"},
    {"time(ns)", "'00:00:00.000000001'", EXACT, "1"},
    {"duration(s)", "'PT1M30S'", EXACT, "90"},
    {"duration(s)", "'PT1.5S'", BETWEEN, "1"},
    {"duration(s)", "'PT-1.5S'", BETWEEN, "-2"},
    {"duration(ms)", "'-P1D'", EXACT, "-86400000"},
    {"duration(ns)", "'PT2562047H47M16.854775807S'", EXACT, "9223372036854775807"},
    {"duration(ns)", "'PT2562047H47M16.854775808S'", ABOVE, NULL},
    {"duration(ns)", "'-PT2562048H'", BELOW, NULL},
    {"bool", "true", EXACT, "1"},
    {"bool", "false", EXACT, "0"},
    {"bool", "'true'", EXACT, "1"},
    {"utf8", "'CMT'", EXACT, "CMT"},
    {"utf8", "''", EXACT, ""},
    {"utf8", "x'abc'", EXACT, "abc"},
    {"binary", "x'abc'", EXACT, "abc"},
    {"binary", "'abc'", EXACT, "abc"},
    {"fixed_binary(4)", "x'abc'", EXACT, "abc"},
    {"uuid", "'61626364-6566-6768-696A-6b6c6d6e6f70'", EXACT, "abcdefghijklmnop"},
    {"uuid", "'6162636465666768696a6b6c6d6e6f70'", EXACT, "abcdefghijklmnop"},
    {"uuid", "x'abc'", EXACT, "abc"},
    {"enum(low,high)", "'high'", EXACT, "1"},
};

static void literals_have_their_place_in_a_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct stoa_field field = field_of(places[i].type);
        const struct stoa_literal literal = literal_of(places[i].literal);
        uint8_t storage[STOA_CAST_STORAGE_NBYTES];
        struct stoa_scalar value;
        struct stoa_error err = {0};
        enum stoa_cast cast;
        char shown[STOA_NUMBER_NBYTES];

        if (stoa_cast_literal(&field, &literal, &cast, &value, storage, &err) != STOA_OK)
            fail_msg("%s as %s: %s", places[i].literal, places[i].type, err.message);
        if (cast != places[i].cast)
            fail_msg("%s as %s: %d", places[i].literal, places[i].type, (int)cast);
        assert_int_equal(value.kind, stoa_scalar_kind_of(&field.type));
        if (places[i].value != NULL) {
            show(&value, shown, sizeof(shown));
            assert_string_equal(shown, places[i].value);
        }
        stoa_field_reset(&field);
    }
}

static const struct {
    const char *type;
    const char *literal;
    const char *message;
} wrong[] = {
    {"int64", "'abc'", "'abc' is not int64"},
    {"int64", "''", "'' is not int64"},
    {"int64", "'1 '", "'1 ' is not int64"},
    {"int64", "true", "true is not int64"},
    {"uint8", "x'1'", "x'...' is not uint8"},
    {"int64", "'nan'", "'nan' is not int64"},
    {"decimal(10,2)", "'a\nb'", "'a\\x0ab' is not decimal(10,2)"},
    {"float64", "'one'", "'one' is not float64"},
    {"float32", "false", "false is not float32"},
    {"bool", "1", "1 is not bool: write true or false"},
    {"bool", "'yes'", "'yes' is not bool: write true or false"},
    {"utf8", "5", "5 is not utf8: put it in quotes"},
    {"fixed_binary(2)", "'ab'", "'ab' is not fixed_binary(2): write bytes as x'00ff'"},
    {"date32", "15710", "15710 is not date32: write a date as 'YYYY-MM-DD'"},
    {"date32", "'2013-02-29'", "'2013-02-29' is not date32: write a date as 'YYYY-MM-DD'"},
    {"date32", "'2013-02-28T00:00:00Z'",
     "'2013-02-28T00:00:00Z' is not date32: a date has no time zone"},
    {"timestamp(s)", "1357344000",
     "1357344000 is not timestamp(s): write a time as 'YYYY-MM-DD HH:MM:SS'"},
    {"timestamp(s)", "'2013-01-05 24:00:00'",
     "'2013-01-05 24:00:00' is not timestamp(s): write a time as 'YYYY-MM-DD HH:MM:SS'"},
    {"timestamp(s)", "'2013-01-05 00:00:00Z'",
     "'2013-01-05 00:00:00Z' is not timestamp(s): the column has no time zone, leave it out"},
    {"timestamp(us,UTC)", "'2013-01-05'",
     "'2013-01-05' is not timestamp(us,UTC): it needs a time zone, as in '2013-01-05 00:00:00Z' or "
     "'2013-01-05 00:00:00+02:00'"},
    {"time(ms)", "'24:00:00'", "'24:00:00' is not time(ms): write a time of day as 'HH:MM:SS'"},
    {"duration(s)", "90", "90 is not duration(s): write a duration as 'PT1H30M' or 'PT0.5S'"},
    {"duration(s)", "'1:30'",
     "'1:30' is not duration(s): write a duration as 'PT1H30M' or 'PT0.5S'"},
    {"float16", "'half'", "'half' is not float16"},
    {"uuid", "'61626364'",
     "'61626364' is not uuid: write it as '00112233-4455-6677-8899-aabbccddeeff'"},
    {"uuid", "'6162636465666768696a6b6c6d6e6f7g'",
     "'6162636465666768696a6b6c6d6e6f7g' is not uuid: write it as "
     "'00112233-4455-6677-8899-aabbccddeeff'"},
    {"uuid", "'61626364+6566-6768-696a-6b6c6d6e6f70'",
     "'61626364+6566-6768-696a-6b6c6d6e6f70' is not uuid: write it as "
     "'00112233-4455-6677-8899-aabbccddeeff'"},
    {"enum(low,high)", "'hihg'", "'hihg' is not enum(low,high); did you mean 'high'?"},
    {"enum(low,high)", "'other'", "'other' is not enum(low,high)"},
    {"enum(low,high)", "1", "1 is not enum(low,high): write a symbol in quotes"},
};

static void literals_of_another_type_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct stoa_field field = field_of(wrong[i].type);
        const struct stoa_literal literal = literal_of(wrong[i].literal);
        uint8_t storage[STOA_CAST_STORAGE_NBYTES];
        struct stoa_scalar value;
        struct stoa_error err = {0};
        enum stoa_cast cast;

        if (stoa_cast_literal(&field, &literal, &cast, &value, storage, &err) != STOA_ERR_USAGE)
            fail_msg("%s as %s is taken", wrong[i].literal, wrong[i].type);
        assert_string_equal(err.message, wrong[i].message);
        stoa_field_reset(&field);
    }
}

/* A number with two decimals lies where the same number times 100 lies among whole numbers. */
static void generated_numbers_lie_where_they_should(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_field field = field_of("int16");

    stoa_test_random_init(&random, "generated_numbers_lie_where_they_should");
    for (size_t i = 0; i < stoa_test_ncases(20000); i++) {
        int64_t hundredths = stoa_test_random_between(&random, -3300000, 3300000);
        int64_t size = hundredths < 0 ? -hundredths : hundredths;
        int64_t whole = (hundredths - (hundredths % 100 + 100) % 100) / 100; /* rounded down */
        uint8_t storage[STOA_CAST_STORAGE_NBYTES];
        struct stoa_literal literal;
        struct stoa_scalar value;
        struct stoa_error err = {0};
        enum stoa_cast cast, expected;
        char text[48];

        snprintf(text, sizeof(text), "%s%" PRId64 ".%02d", hundredths < 0 ? "-" : "", size / 100,
                 (int)(size % 100));
        literal = literal_of(text);
        assert_int_equal(stoa_cast_literal(&field, &literal, &cast, &value, storage, &err),
                         STOA_OK);
        expected = hundredths > INT16_MAX * 100   ? ABOVE
                   : hundredths < INT16_MIN * 100 ? BELOW
                   : hundredths % 100 == 0        ? EXACT
                                                  : BETWEEN;
        assert_int_equal(cast, expected);
        if (cast == EXACT || cast == BETWEEN)
            assert_int_equal(value.i64, whole);
    }
    stoa_field_reset(&field);
}

static enum stoa_status refuses(void *context, struct stoa_error *err)
{
    const struct stoa_literal literal = literal_of("'x'");
    uint8_t storage[STOA_CAST_STORAGE_NBYTES];
    struct stoa_scalar value;
    enum stoa_cast cast;
    enum stoa_status st = stoa_cast_literal(context, &literal, &cast, &value, storage, err);

    return st == STOA_ERR_USAGE ? STOA_OK : st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_field field = field_of("enum(a,b)");

    stoa_test_each_failing_alloc(refuses, &field);
    stoa_field_reset(&field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_have_their_place_in_a_type),
        cmocka_unit_test(literals_of_another_type_are_refused),
        cmocka_unit_test(generated_numbers_lie_where_they_should),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
