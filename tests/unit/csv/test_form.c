/*
 * Forms: the text that a value gives in each, by a rule, by a byte of its own, or as it is kept;
 * and what no file may say of them.
 */
#include "csv/form.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/csv_column.h"
#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Styles of exponents. */
#define E_PLAIN   0
#define E_UPPER   STOA_CSV_EXPONENT_UPPER
#define E_PRINTF  (STOA_CSV_EXPONENT_PLUS | 1U << STOA_CSV_EXPONENT_WIDTH_SHIFT)
#define E_WINDOWS (STOA_CSV_EXPONENT_PLUS | 2U << STOA_CSV_EXPONENT_WIDTH_SHIFT)
#define E(n)      (STOA_CSV_FORM_EXPONENT + (n))

/* Values that were read of lines of text, and what prints them. */
struct column {
    struct stoa_test_column fixture;
    struct stoa_test_parsed parsed;
    struct stoa_csv_printer printer;
    struct stoa_csv_pool pool;
    char *text;
};

static void column_init(struct column *column, const char *schema, const char *lines,
                        const struct stoa_csv_options *options, const char *format,
                        const struct stoa_csv_rule *rule)
{
    *column = (struct column){0};
    stoa_test_column_read(&column->fixture, schema, lines, options, format, &column->parsed,
                          &column->text);
    assert_int_equal(column->parsed.misfits.nitems, 0);
    assert_int_equal(stoa_csv_printer_init(&column->printer, &column->fixture.schema.fields[0],
                                           &column->fixture.reading, rule, NULL),
                     STOA_OK);
}

static void column_reset(struct column *column)
{
    stoa_csv_pool_free(&column->pool);
    stoa_test_parsed_reset(&column->parsed);
    stoa_test_column_reset(&column->fixture);
    free(column->text);
}

static const struct stoa_csv_options comma = {.delimiter = ';', .decimal = ',', .thousands = '.'};
static const struct stoa_csv_options backslash = {.escape = '\\'};

static void a_value_is_printed_in_its_form(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *text;
        unsigned form;
        bool quoted;
        const char *expected;
        unsigned style;
        const struct stoa_csv_options *options;
        const char *format;
    } cases[] = {
        {"x int64", "7", 0, false, "7", 0, NULL, NULL},
        {"x int64", "7", 3, false, "007", 0, NULL, NULL},
        {"x int64", "-7", 3, false, "-007", 0, NULL, NULL},
        {"x int64", "1234", 3, false, "1234", 0, NULL, NULL},
        {"x uint64", "18446744073709551615", 0, true, "\"18446744073709551615\"", 0, NULL, NULL},
        {"x int64", "1.234.567", 0, false, "1.234.567", 0, &comma, NULL},
        {"x int8", "-128", 0, false, "-128", 0, &comma, NULL},
        {"x float64", "1.5", 0, false, "1.5", 0, NULL, NULL},
        {"x float64", "1.5", 3, false, "1.500", 0, NULL, NULL},
        {"x float64", "15", 0, false, "15", 0, NULL, NULL},
        {"x float64", "-0.0", 0, false, "-0", 0, NULL, NULL},
        {"x float64", "-0.0", 2, false, "-0.00", 0, NULL, NULL},
        {"x float64", "1e22", 0, false, "10000000000000000000000", 0, NULL, NULL},
        {"x float64", "1e-7", 0, false, "0.0000001", 0, NULL, NULL},
        {"x float64", "0.30000000000000004", 2, false, "0.30000000000000004", 0, NULL, NULL},
        {"x float64", "1234,5", 2, false, "1.234,50", 0, &comma, NULL},
        {"x float64", "NaN", 0, false, "NaN", 0, NULL, NULL},
        {"x float64", "-inf", 0, false, "-Infinity", 0, NULL, NULL},
        {"x float32", "0.1", 1, false, "0.1", 0, NULL, NULL},
        {"x float64", "12", E(0), false, "1.2e1", E_PLAIN, NULL, NULL},
        {"x float64", "12", E(6), false, "1.200000e+01", E_PRINTF, NULL, NULL},
        {"x float64", "-0.00001", E(0), false, "-1E-5", E_UPPER, NULL, NULL},
        {"x float64", "1e-100", E(0), false, "1e-100", E_PRINTF, NULL, NULL},
        {"x float64", "5e-324", E(2), false, "5.00e-324", E_WINDOWS, NULL, NULL},
        {"x float64", "0", E(3), false, "0.000e+000", E_WINDOWS, NULL, NULL},
        {"x float64", "-0.0", E(0), true, "\"-0e0\"", E_PLAIN, NULL, NULL},
        {"x float64", "1500", E(0), false, "1,5e3", E_PLAIN, &comma, NULL},
        {"x decimal(38,4)", "1.5", 1, false, "1.5", 0, NULL, NULL},
        {"x decimal(38,4)", "1.5", 0, false, "1.5", 0, NULL, NULL},
        {"x decimal(38,4)", "1.5", 6, false, "1.500000", 0, NULL, NULL},
        {"x decimal(38,4)", "1500", 0, false, "1500", 0, NULL, NULL},
        {"x decimal(40,0)", "1234567890123456789012345678901234567890", 0, false,
         "1234567890123456789012345678901234567890", 0, NULL, NULL},
        {"x decimal(9,2)", "1234,5", 2, false, "1.234,50", 0, &comma, NULL},
        {"x bool", "true", 0, false, "true", 0, NULL, NULL},
        {"x bool", "true", 1, false, "True", 0, NULL, NULL},
        {"x bool", "false", 2, true, "\"FALSE\"", 0, NULL, NULL},
        {"x bool", "false", 99, false, "FALSE", 0, NULL, NULL},
        {"x date32", "2024-03-01", 0, false, "2024-03-01", 0, NULL, NULL},
        {"x date32", "01/03/2024", 0, false, "01/03/2024", 0, NULL, "%d/%m/%Y"},
        {"x time(us)", "10:00:00.5", 1, false, "10:00:00.5", 0, NULL, NULL},
        {"x time(us)", "10:00:00.5", 3, false, "10:00:00.500", 0, NULL, NULL},
        {"x time(us)", "10:00:00.5", 0, false, "10:00:00.5", 0, NULL, NULL},
        {"x time(us)", "10:00:00", 15, false, "10:00:00.000000000", 0, NULL, NULL},
        {"x timestamp(ms)", "0001-01-01 00:00:00", 0, false, "0001-01-01 00:00:00", 0, NULL, NULL},
        {"x timestamp(ms)", "9999-12-31 23:59:59", STOA_CSV_FORM_T | 3, false,
         "9999-12-31T23:59:59.000", 0, NULL, NULL},
        {"x timestamp(s,UTC)", "2024-03-01T10:00:00Z",
         STOA_CSV_FORM_T | 1 << STOA_CSV_FORM_ZONE_SHIFT, false, "2024-03-01T10:00:00+00:00", 0,
         NULL, NULL},
        {"x timestamp(s,UTC)", "2024-03-01 10:00:00Z", 3 << STOA_CSV_FORM_ZONE_SHIFT, false,
         "2024-03-01 10:00:00+00", 0, NULL, NULL},
        {"x uuid", "123e4567-e89b-12d3-a456-426614174000", 0, false,
         "123e4567-e89b-12d3-a456-426614174000", 0, NULL, NULL},
        {"x uuid", "123e4567-e89b-12d3-a456-426614174000", 1, false,
         "123E4567-E89B-12D3-A456-426614174000", 0, NULL, NULL},
        {"x duration(s)", "PT1H", 0, false, "PT1H", 0, NULL, NULL},
        {"x interval", "P1Y2M", 0, true, "\"P1Y2M\"", 0, NULL, NULL},
        {"x binary", "aGVsbG8=", 0, false, "aGVsbG8=", 0, NULL, NULL},
        {"x enum(a,bc)", "bc", 0, true, "\"bc\"", 0, NULL, NULL},
        {"x utf8", "word", 0, false, "word", 0, NULL, NULL},
        {"x utf8", "\"say \"\"no\"\"\"", 0, true, "\"say \"\"no\"\"\"", 0, NULL, NULL},
        {"x utf8", "\"a\\\\b\"", 0, true, "\"a\\\\b\"", 0, &backslash, NULL},
        {"x int64", "NULL", 0, false, "", 0, NULL, NULL},
        {"x int64", "NULL", 1, false, "\"\"", 0, NULL, NULL},
        {"x int64", "NULL", 2, false, "NA", 0, NULL, NULL},
        {"x int64", "NULL", 4, true, "\"NULL\"", 0, NULL, NULL},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct stoa_csv_rule rule = {.exponent = (uint8_t)cases[i].style};
        struct stoa_csv_cell cell;
        struct column column;
        char line[128];

        snprintf(line, sizeof(line), "%s\n", cases[i].text);
        column_init(&column, cases[i].schema, line, cases[i].options, cases[i].format, &rule);
        assert_int_equal(stoa_csv_print_form(&column.printer, &column.parsed.array, 0,
                                             cases[i].form, cases[i].quoted, &column.pool, &cell,
                                             NULL),
                         STOA_OK);
        if (cell.nbytes != strlen(cases[i].expected) ||
            memcmp(cell.text, cases[i].expected, cell.nbytes) != 0)
            fail_msg("%s, %s in form %u is %.*s, not %s", cases[i].schema, cases[i].text,
                     cases[i].form, (int)cell.nbytes, cell.text, cases[i].expected);
        column_reset(&column);
    }
}

/* The cells of all values as lines; *st says how printing went. */
static void print_lines(struct column *column, const uint8_t *bytes, const struct stoa_array *raw,
                        char out[512], enum stoa_status *st, struct stoa_error *err)
{
    const size_t n = column->parsed.array.nvalues;
    struct stoa_csv_cell cells[64];

    assert_true(n <= LENGTH(cells));
    *st = stoa_csv_print(&column->printer, &column->parsed.array, bytes, raw, 0, n, cells,
                         &column->pool, err);
    *out = '\0';
    for (size_t i = 0; *st == STOA_OK && i < n; i++) {
        strncat(out, cells[i].text, cells[i].nbytes);
        strcat(out, "\n");
    }
}

static void a_rule_tells_the_text_of_all_values(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *lines;
        struct stoa_csv_rule rule;
        const char *expected;
    } cases[] = {
        {"x float64", "1.5\n0\n22.25\n-0.0\n", {.form = 1, .zero = 0}, "1.5\n0\n22.25\n-0\n"},
        {"x float64", "1.5\n0\n22.25\n", {.form = 2, .zero = 1}, "1.50\n0.0\n22.25\n"},
        {"x float64", "15\n0\n2.25\n", {.form = E(1), .zero = E(0)}, "1.5e1\n0e0\n2.25e0\n"},
        {"x decimal(9,2)", "1\n0\n", {.form = 2, .zero = 0}, "1.00\n0\n"},
        {"x int64", "1\n\n22\n", {.form = 2, .null = 2}, "01\nNA\n22\n"},
        {"x int64", "1\n\n", {.quoting = 2, .null = 0}, "\"1\"\n\n"},
        {"x int64", "1\n\n", {.quoting = 2, .null = 2, .null_quoted = true}, "\"1\"\n\"NA\"\n"},
        {"x utf8", "a\n\"\"\n\"b,c\"\n d\n", {.quoting = 0}, "a\n\"\"\n\"b,c\"\n d\n"},
        {"x utf8", "a\n\"b,c\"\n d\n", {.quoting = 1}, "a\n\"b,c\"\n\" d\"\n"},
        {"x utf8", "a\n d\n\n", {.quoting = 2}, "\"a\"\n\" d\"\n\n"},
        {"x binary", "AA==\n\"\"\n", {.quoting = 0}, "AA==\n\"\"\n"},
        {"x bool", "true\nfalse\n", {.form = 1}, "True\nFalse\n"},
        {"x null", "NA\n\n", {.null = 3}, "N/A\nN/A\n"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct column column;
        struct stoa_error err = {0};
        enum stoa_status st;
        char got[512];

        column_init(&column, cases[i].schema, cases[i].lines, NULL, NULL, &cases[i].rule);
        print_lines(&column, NULL, NULL, got, &st, &err);
        assert_string_equal(err.message, "");
        assert_string_equal(got, cases[i].expected);
        column_reset(&column);
    }
}

static void a_byte_tells_what_the_rule_does_not(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 1, 1 + 3, 127 + 2, 255, 1 + 2};
    static const struct stoa_csv_rule rule = {.form = 1};
    struct column column, raw;
    enum stoa_status st;
    char got[512];

    column_init(&column, "x float64", "1.5\n1.5\n1.5\n1.5\n1.5\n\n", NULL, NULL, &rule);
    column_init(&raw, "x binary", "AA==\nAA==\nAA==\nAA==\nMWU1\nAA==\n", NULL, NULL, &rule);
    print_lines(&column, bytes, &raw.parsed.array, got, &st, NULL);
    assert_int_equal(st, STOA_OK);
    assert_string_equal(got, "1.5\n1.5\n1.500\n\"1.50\"\n1e5\nNA\n");
    column_reset(&column);
    column_reset(&raw);
}

static void what_bytes_can_not_say_is_corrupt(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *lines;
        uint8_t null; /* of the rule */
        uint8_t byte;
        const char *message;
    } cases[] = {
        {"x int64", "1\n", 0, 255, "the text of a value is missing"},
        {"x int64", "1\n", 0, 253, "form byte 253 of a value"},
        {"x int64", "1\n", 0, 254, "form byte 254 of a value"},
        {"x int64", "\n", 10, 0, "spelling 10 of null, where there are 9"},
        {"x int64", "\n", 0, 1 + 125, "spelling 125 of null, where there are 9"},
        {"x null", "\n", 9, 0, "spelling 9 of null, where there are 9"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct stoa_csv_rule rule = {.null = cases[i].null};
        struct column column;
        struct stoa_error err = {0};
        enum stoa_status st;
        char got[512];

        column_init(&column, cases[i].schema, cases[i].lines, NULL, NULL, &rule);
        print_lines(&column, &cases[i].byte, NULL, got, &st, &err);
        assert_int_equal(st, STOA_ERR_CORRUPT);
        assert_string_equal(err.message, cases[i].message);
        column_reset(&column);
    }
}

static void a_rule_is_eight_bytes(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[STOA_CSV_RULE_NBYTES];
        bool good;
    } cases[] = {
        {{0}, true},
        {{2, 125, 125, 125, 1, 11, 0, 0}, true},
        {{3}, false},
        {{0, 126}, false},
        {{0, 0, 126}, false},
        {{0, 0, 0, 126}, false},
        {{0, 0, 0, 0, 2}, false},
        {{0, 0, 0, 0, 0, 12}, false},
        {{0, 0, 0, 0, 0, 0, 1}, false},
        {{0, 0, 0, 0, 0, 0, 0, 1}, false},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        uint8_t again[STOA_CSV_RULE_NBYTES];
        struct stoa_csv_rule rule;

        assert_int_equal(stoa_csv_rule_load(cases[i].bytes, &rule), cases[i].good);
        if (!cases[i].good)
            continue;
        stoa_csv_rule_store(&rule, again);
        assert_memory_equal(again, cases[i].bytes, sizeof(again));
    }
}

/* printf() is the oracle: up to 15 digits it shows the shortest ones. */
static void exponents_are_those_of_printf(void **state)
{
    static const struct stoa_csv_rule rule = {.exponent = E_PRINTF};
    const size_t ncases = stoa_test_ncases(20000);
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "exponents_are_those_of_printf");
    for (size_t i = 0; i < ncases; i++) {
        const unsigned ndigits = (unsigned)stoa_test_random_below(&r, 15);
        const int64_t digits = stoa_test_random_between(&r, -999999999, 999999999);
        const int64_t exponent = stoa_test_random_between(&r, -290, 290);
        struct stoa_csv_cell cell;
        struct column column;
        char text[64], line[80];

        snprintf(text, sizeof(text), "%" PRId64 "e%" PRId64, digits, exponent);
        snprintf(text, sizeof(text), "%.*e", (int)ndigits, strtod(text, NULL));
        snprintf(line, sizeof(line), "%s\n", text);
        column_init(&column, "x float64", line, NULL, NULL, &rule);
        assert_int_equal(stoa_csv_print_form(&column.printer, &column.parsed.array, 0, E(ndigits),
                                             false, &column.pool, &cell, NULL),
                         STOA_OK);
        if (cell.nbytes != strlen(text) || memcmp(cell.text, text, cell.nbytes) != 0)
            fail_msg("%s is printed as %.*s", text, (int)cell.nbytes, cell.text);
        column_reset(&column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_printed_in_its_form),
        cmocka_unit_test(a_rule_tells_the_text_of_all_values),
        cmocka_unit_test(a_byte_tells_what_the_rule_does_not),
        cmocka_unit_test(what_bytes_can_not_say_is_corrupt),
        cmocka_unit_test(a_rule_is_eight_bytes),
        cmocka_unit_test(exponents_are_those_of_printf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
