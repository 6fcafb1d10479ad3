/* Columns of tiles: values, forms and misfits; the loops held against the reference. */
#include "csv/parse.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/index.h"
#include "csv/parse_value.h"
#include "support/csv_column.h"
#include "support/csv_rows.h"
#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define VERBATIM      STOA_CSV_FORM_VERBATIM
#define QUOTED        STOA_CSV_FORM_QUOTED
#define LEAST(n)      ((n) << STOA_CSV_FORM_LEAST_SHIFT)
#define SHORT         STOA_CSV_FORM_SHORT

/* So many digits behind the point, and an exponent of so many, with a style of two bits. */
#define EXPONENT(n, width, bits)                                                                   \
    (STOA_CSV_FORM_EXPONENT + (n) + (((width)-1U) << 10) + ((bits) << STOA_CSV_FORM_STYLE_SHIFT))

/* The fields of a row each by the reference. */
static enum stoa_status by_reference(const struct stoa_csv_column *columns, const uint32_t *places,
                                     uint32_t ncolumns, const struct stoa_csv_tile *tile,
                                     struct stoa_csv_values *values,
                                     struct stoa_csv_misfits *misfits, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    assert_true(ncolumns == 1 && places[0] == 0);
    for (uint32_t row = 0; st == STOA_OK && row < tile->nrows; row++) {
        const char *begin = tile->text + tile->row_begins[row];
        const char *end = tile->text + tile->ends[(size_t)row * tile->stride];
        enum stoa_csv_outcome outcome;

        st = stoa_csv_value_append(&columns[0], begin, end > begin ? end : begin, values, &outcome,
                                   err);
        if (st != STOA_OK || outcome == STOA_CSV_VALUE ||
            (outcome == STOA_CSV_NULL && columns[0].field->nullable))
            continue;
        st = stoa_reserve(&misfits->items, &misfits->capacity, misfits->nitems + 1,
                          sizeof(*misfits->items), err);
        if (st == STOA_OK)
            misfits->items[misfits->nitems++] =
                (struct stoa_csv_misfit){.row = row, .column = 0, .outcome = outcome};
    }
    return st;
}

static const struct stoa_csv_options comma = {.delimiter = ';', .decimal = ',', .thousands = '.'};
static const struct stoa_csv_options decimal_comma = {.delimiter = ';', .decimal = ','};
static const struct stoa_csv_options thousands = {.delimiter = ';', .thousands = ','};
static const struct stoa_csv_options backslash = {.escape = '\\'};
static const struct stoa_csv_options trimmed = {.trim = STOA_CSV_TRIM_BOTH};
static const struct stoa_csv_options no_quotes = {.quote = STOA_CSV_NONE};
static const char *const nulls[] = {"-", "none", NULL}, *const yes[] = {"yes", "y", NULL},
                         *const no[] = {"no", "n", NULL};
static const struct stoa_csv_options words = {
    .null_values = nulls, .true_values = yes, .false_values = no};

/* ---- One field, its value and its form. ---- */

static void a_field_is_a_value_in_a_form(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *text;
        const char *json; /* NULL: it does not fit */
        unsigned code;
        const struct stoa_csv_options *options;
        const char *format;
        bool strict;
    } cases[] = {
        {"x int64", "0", "0", 0, NULL, NULL, true},
        {"x int64", "-12", "-12", 0, NULL, NULL, true},
        {"x int64", "007", "7", 3, NULL, NULL, false},
        {"x int64", "007", NULL, 0, NULL, NULL, true},
        {"x int64", "-07", "-7", 2, NULL, NULL, false},
        {"x int64", "00", "0", 2, NULL, NULL, false},
        {"x int64", "-0", "0", VERBATIM, NULL, NULL, false},
        {"x int64", "-0", NULL, 0, NULL, NULL, true},
        {"x int64", "+5", NULL, 0, NULL, NULL, false},
        {"x int64", "00000000000000000000000000000012", "12", 32, NULL, NULL, false},
        {"x int64", "000000000000000000000000000000012", "12", VERBATIM, NULL, NULL, false},
        {"x int64", "999999999999999999", "999999999999999999", 0, NULL, NULL, true},
        {"x int64", "1000000000000000000", "1000000000000000000", 0, NULL, NULL, true},
        {"x int64", "9223372036854775807", "9223372036854775807", 0, NULL, NULL, true},
        {"x int64", "-9223372036854775808", "-9223372036854775808", 0, NULL, NULL, true},
        {"x int64", "9223372036854775808", NULL, 0, NULL, NULL, true},
        {"x int64", "\"5\"", "5", QUOTED, NULL, NULL, true},
        {"x int64", "\"\"", "null", QUOTED | 1, NULL, NULL, true},
        {"x int64", "NA", "null", 2, NULL, NULL, true},
        {"x int64", "\"NULL\"", "null", QUOTED | 4, NULL, NULL, true},
        {"x int64", "\"1\"2", NULL, 0, NULL, NULL, false},
        {"x int64", "\"1\"\"2\"", NULL, 0, NULL, NULL, false},
        {"x int64", "-", NULL, 0, NULL, NULL, false},
        {"x int64", "-", "null", 2, &words, NULL, false},
        {"x int64", "none", "null", 3, &words, NULL, false},
        {"x int64", "NA", NULL, 0, &words, NULL, false},
        {"x int64", "\\N", "null", 7, &backslash, NULL, true},
        {"x int64", "\\1", NULL, 0, &backslash, NULL, false},
        {"x int64", " 12 ", "12", VERBATIM, &trimmed, NULL, true},
        {"x int64", " 12", NULL, 0, NULL, NULL, false},
        {"x int64", "1.234.567", "1234567", 0, &comma, NULL, true},
        {"x int64", "1234567", "1234567", VERBATIM, &comma, NULL, true},
        {"x int64", "123", "123", 0, &comma, NULL, true},
        {"x int64", "1.23", NULL, 0, &comma, NULL, false},
        {"x int64", "1.234,", NULL, 0, &comma, NULL, false},
        {"x int64", "007", "7", VERBATIM, &comma, NULL, false},
        {"x int8", "-128", "-128", 0, NULL, NULL, true},
        {"x int8", "128", NULL, 0, NULL, NULL, true},
        {"x int8", "-129", NULL, 0, NULL, NULL, true},
        {"x int16", "32767", "32767", 0, NULL, NULL, true},
        {"x int16", "32768", NULL, 0, NULL, NULL, true},
        {"x int32", "-2147483648", "-2147483648", 0, NULL, NULL, true},
        {"x int32", "-2147483649", NULL, 0, NULL, NULL, true},
        {"x uint8", "255", "255", 0, NULL, NULL, true},
        {"x uint8", "256", NULL, 0, NULL, NULL, true},
        {"x uint64", "9223372036854775808", "9223372036854775808", 0, NULL, NULL, true},
        {"x uint64", "-0", "0", VERBATIM, NULL, NULL, false},
        {"x float64", "1.63", "1.63", 2 | LEAST(2), NULL, NULL, true},
        {"x float64", "0.10", "0.1", 2 | LEAST(1), NULL, NULL, true},
        {"x float64", "-0.0", "-0.0", 1, NULL, NULL, true},
        {"x float64", "0", "0.0", 0, NULL, NULL, true},
        {"x float64", "0.000000", "0.0", 6, NULL, NULL, true},
        {"x float64", "-73.976198", "-73.976198", 6 | LEAST(6), NULL, NULL, true},
        {"x float64", "1e5", "100000.0", EXPONENT(0, 1, 0) | SHORT, NULL, NULL, true},
        {"x float64", "1.2e+01", "12.0", EXPONENT(1, 2, 2) | SHORT, NULL, NULL, true},
        {"x float64", "-1.20E-105", "-1.2e-105", EXPONENT(2, 3, 1), NULL, NULL, true},
        {"x float64", "0e0", "0.0", EXPONENT(0, 1, 0) | SHORT, NULL, NULL, true},
        {"x float64", "-0.00e+00", "-0.0", EXPONENT(2, 2, 2), NULL, NULL, true},
        {"x float64", "1,5e3", "1500.0", EXPONENT(1, 1, 0) | SHORT, &decimal_comma, NULL, true},
        {"x float32", "1e-9", "1e-9", EXPONENT(0, 1, 0) | SHORT, NULL, NULL, false},
        {"x float64", "12e3", "12000.0", VERBATIM, NULL, NULL, true},
        {"x float64", "0.5e1", "5.0", VERBATIM, NULL, NULL, true},
        {"x float64", "1.e2", "100.0", VERBATIM, NULL, NULL, true},
        {"x float64", "1e-0", "1.0", VERBATIM, NULL, NULL, true},
        {"x float64", "0e5", "0.0", VERBATIM, NULL, NULL, true},
        {"x float64", "1e0005", "100000.0", VERBATIM, NULL, NULL, true},
        {"x float64", "nan", "\"NaN\"", VERBATIM, NULL, NULL, true},
        {"x float64", "1.", "1.0", VERBATIM, NULL, NULL, true},
        {"x float64", ".5", "0.5", VERBATIM, NULL, NULL, true},
        {"x float64", "00.5", "0.5", VERBATIM, NULL, NULL, false},
        {"x float64", "00.5", NULL, 0, NULL, NULL, true},
        {"x float64", "+0.5", NULL, 0, NULL, NULL, true},
        {"x float64", "1234567890.12345", "1234567890.12345", 5 | LEAST(5), NULL, NULL, true},
        {"x float64", "0.30000000000000004", "0.30000000000000004", 17 | LEAST(17), NULL, NULL,
         true},
        {"x float64", "0.30000000000000000", "0.3", 17 | LEAST(1), NULL, NULL, true},
        {"x float64", "0.12345678901234565", "0.12345678901234565", 17 | LEAST(17), NULL, NULL,
         true},
        {"x float64", "0.1234567890123456789", "0.12345678901234568", VERBATIM, NULL, NULL, false},
        {"x float64", "0.1234567890123456789", NULL, 0, NULL, NULL, true},
        {"x float64", "9007199254740993", "9007199254740992.0", VERBATIM, NULL, NULL, false},
        {"x float64", "9007199254740993", NULL, 0, NULL, NULL, true},
        {"x float64", "10000000000000000000000", "1e22", 0, NULL, NULL, false},
        {"x float64", "1e-400", "0.0", VERBATIM, NULL, NULL, false},
        {"x float64", "1e-400", NULL, 0, NULL, NULL, true},
        {"x float64", "1,5", "1.5", 1 | LEAST(1), &decimal_comma, NULL, true},
        {"x float64", "1.5", NULL, 0, &decimal_comma, NULL, true},
        {"x float64", "1.234,50", "1234.5", 2 | LEAST(1), &comma, NULL, true},
        {"x float64", "1234,50", "1234.5", VERBATIM, &comma, NULL, true},
        {"x float64", "1,234.5", "1234.5", 1 | LEAST(1), &thousands, NULL, true},
        {"x float64", "12,34.5", NULL, 0, &thousands, NULL, true},
        {"x float32", "0.1", "0.1", 1 | LEAST(1), NULL, NULL, true},
        {"x float32", "16777217", "16777216.0", VERBATIM, NULL, NULL, false},
        {"x float32", "0.1234567", "0.1234567", 7 | LEAST(7), NULL, NULL, false},
        {"x float16", "0.1", "0.1", 1 | LEAST(1), NULL, NULL, false},
        {"x float16", "0.09998", "0.1", VERBATIM, NULL, NULL, false},
        {"x decimal(38,2)", "1.50", "1.50", 2 | LEAST(1), NULL, NULL, true},
        {"x decimal(38,2)", "15", "15.00", 0, NULL, NULL, true},
        {"x decimal(38,2)", "-0.00", "0.00", VERBATIM, NULL, NULL, false},
        {"x decimal(38,2)", "-0.00", NULL, 0, NULL, NULL, true},
        {"x decimal(38,2)", "1.505", NULL, 0, NULL, NULL, true},
        {"x decimal(38,2)", "1.500", "1.50", 3 | LEAST(1), NULL, NULL, true},
        {"x decimal(4,2)", "99.99", "99.99", 2 | LEAST(2), NULL, NULL, true},
        {"x decimal(4,2)", "100", NULL, 0, NULL, NULL, true},
        {"x decimal(40,0)", "1234567890123456789012345678901234567890",
         "1234567890123456789012345678901234567890", 0, NULL, NULL, true},
        {"x decimal(38,10)", "123456789012345.1234567890", "123456789012345.1234567890",
         10 | LEAST(9), NULL, NULL, true},
        {"x bool", "true", "true", 0, NULL, NULL, true},
        {"x bool", "False", "false", 1, NULL, NULL, true},
        {"x bool", "TRUE", "true", 2, NULL, NULL, true},
        {"x bool", "tRUE", NULL, 0, NULL, NULL, true},
        {"x bool", "y", "true", 1, &words, NULL, true},
        {"x bool", "no", "false", 0, &words, NULL, true},
        {"x bool", "true", NULL, 0, &words, NULL, true},
        {"x date32", "0001-01-01", "\"0001-01-01\"", 0, NULL, NULL, true},
        {"x date32", "9999-12-31", "\"9999-12-31\"", 0, NULL, NULL, true},
        {"x date32", "0000-12-31", NULL, 0, NULL, NULL, true},
        {"x date32", "2023-02-29", NULL, 0, NULL, NULL, true},
        {"x date32", "+10000-01-01", "\"+10000-01-01\"", 0, NULL, NULL, true},
        {"x date32", "12/03/2024", NULL, 0, NULL, NULL, true},
        {"x date32", "12/03/2024", "\"2024-03-12\"", 0, NULL, "%d/%m/%Y", true},
        {"x date32", "1/3/2024", "\"2024-03-01\"", VERBATIM, NULL, "%d/%m/%Y", true},
        {"x date32", "1/3/2024", "\"2024-03-01\"", 0, NULL, "%-d/%-m/%Y", true},
        {"x date32", "2024-03-01", NULL, 0, NULL, "%d/%m/%Y", true},
        {"x date32", "31.12.1969", "\"1969-12-31\"", 0, NULL, "%d.%m.%Y", true},
        {"x time(s)", "12:00:00", "\"12:00:00\"", 0, NULL, NULL, true},
        {"x time(s)", "24:00:00", NULL, 0, NULL, NULL, true},
        {"x time(ms)", "12:00:00.5", "\"12:00:00.500\"", 1, NULL, NULL, true},
        {"x time(us)", "12:00:00.5000", "\"12:00:00.500\"", 4, NULL, NULL, true},
        {"x time(ns)", "12:00:00.123456789", "\"12:00:00.123456789\"", 9, NULL, NULL, true},
        {"x time(s)", "1:30 PM", "\"13:30:00\"", 0, NULL, "%-I:%M %p", true},
        {"x timestamp(s)", "2013-01-03 14:19:00", "\"2013-01-03T14:19:00\"", 0, NULL, NULL, true},
        {"x timestamp(s)", "2013-01-03T14:19:00", "\"2013-01-03T14:19:00\"", STOA_CSV_FORM_T, NULL,
         NULL, true},
        {"x timestamp(ms)", "1969-12-31 23:59:59.9", "\"1969-12-31T23:59:59.900\"", 1, NULL, NULL,
         true},
        {"x timestamp(s)", "2013-01-03 14:19:00.0", "\"2013-01-03T14:19:00\"", 1, NULL, NULL, true},
        {"x timestamp(s)", "2013-01-03 24:00:00", NULL, 0, NULL, NULL, true},
        {"x timestamp(ns)", "2262-04-11 23:47:16.854775807", "\"2262-04-11T23:47:16.854775807\"", 9,
         NULL, NULL, true},
        {"x timestamp(ns)", "2262-04-11 23:47:16.854775808", NULL, 0, NULL, NULL, true},
        {"x timestamp(ns)", "1600-01-01 00:00:00", NULL, 0, NULL, NULL, true},
        {"x timestamp(s)", "2013-01-03 14:19:00Z", NULL, 0, NULL, NULL, true},
        {"x timestamp(s,UTC)", "2013-01-03 14:19:00Z", "\"2013-01-03T14:19:00Z\"", 0, NULL, NULL,
         true},
        {"x timestamp(s,UTC)", "2013-01-03T14:19:00+00:00", "\"2013-01-03T14:19:00Z\"",
         STOA_CSV_FORM_T | STOA_UTC_COLON << STOA_CSV_FORM_ZONE_SHIFT, NULL, NULL, false},
        {"x timestamp(s,UTC)", "2013-01-03 14:19:00-00:00", "\"2013-01-03T14:19:00Z\"", VERBATIM,
         NULL, NULL, false},
        {"x timestamp(s,UTC)", "2013-01-03 14:19:00+01", "\"2013-01-03T13:19:00Z\"", VERBATIM, NULL,
         NULL, false},
        {"x timestamp(s,UTC)", "2013-01-03 14:19:00+01", NULL, 0, NULL, NULL, true},
        {"x timestamp(ms)", "3 Jan 2013 02:19:00.25 PM", "\"2013-01-03T14:19:00.250\"", 2, NULL,
         "%-d %b %Y %I:%M:%S.%f %p", true},
        {"x timestamp(s,UTC)", "03/Jan/2013:14:19:00 +0000", "\"2013-01-03T14:19:00Z\"",
         STOA_UTC_DIGITS << STOA_CSV_FORM_ZONE_SHIFT, NULL, "%d/%b/%Y:%H:%M:%S %z", true},
        {"x timestamp(s,UTC)", "03/Jan/2013:14:19:00 +0100", "\"2013-01-03T13:19:00Z\"", VERBATIM,
         NULL, "%d/%b/%Y:%H:%M:%S %z", false},
        {"x uuid", "123e4567-e89b-12d3-a456-426614174000",
         "\"123e4567-e89b-12d3-a456-426614174000\"", 0, NULL, NULL, true},
        {"x uuid", "123E4567-E89B-12D3-A456-426614174000",
         "\"123e4567-e89b-12d3-a456-426614174000\"", 1, NULL, NULL, true},
        {"x uuid", "123E4567-e89b-12d3-a456-426614174000",
         "\"123e4567-e89b-12d3-a456-426614174000\"", VERBATIM, NULL, NULL, true},
        {"x duration(s)", "PT1H", "\"PT1H\"", 0, NULL, NULL, true},
        {"x duration(s)", "PT60M", "\"PT1H\"", VERBATIM, NULL, NULL, true},
        {"x interval", "P12M", "\"P1Y\"", VERBATIM, NULL, NULL, true},
        {"x enum(a,\"b\"\"c\")", "\"b\"\"c\"", "\"b\\\"c\"", QUOTED, NULL, NULL, true},
        {"x binary", "AP8=", "\"AP8=\"", 0, NULL, NULL, true},
        {"x binary", "NA", NULL, 0, NULL, NULL, true},
        {"x utf8", "NA", "\"NA\"", 0, NULL, NULL, true},
        {"x utf8", "\"\"", "\"\"", QUOTED, NULL, NULL, true},
        {"x utf8", "\"a\"\"b\"", "\"a\\\"b\"", QUOTED, NULL, NULL, true},
        {"x utf8", "\"a\"b", "\"ab\"", QUOTED | VERBATIM, NULL, NULL, true},
        {"x utf8", "\"a\"\"b\"\"", NULL, 0, NULL, NULL, true}, /* never closed: no row at all */
        {"x utf8", "5\" pipe", "\"5\\\" pipe\"", 0, NULL, NULL, true},
        {"x utf8", "\"x\"", "\"\\\"x\\\"\"", 0, &no_quotes, NULL, true},
        {"x utf8", " a ", "\" a \"", 0, NULL, NULL, true},
        {"x utf8", " a ", "\"a\"", VERBATIM, &trimmed, NULL, true},
        {"x utf8", "\"a\\\"b\"", "\"a\\\"b\"", QUOTED, &backslash, NULL, true},
        {"x utf8", "\"a\\b\"", "\"ab\"", QUOTED | VERBATIM, &backslash, NULL, true},
        {"x utf8", "a\\,b", "\"a,b\"", VERBATIM, &backslash, NULL, true},
        {"x utf8", "\\N", "null", 7, &backslash, NULL, true},
        {"x utf8", "\"\\N\"", "\"N\"", QUOTED | VERBATIM, &backslash, NULL, true},
        {"x utf8", "\\N", "\"\\\\N\"", 0, NULL, NULL, true},
        {"x utf8", "none", "null", 3, &words, NULL, true},
        {"x utf8", "\"none\"", "\"none\"", QUOTED, &words, NULL, true},
        {"x utf8", "\xc3\xa9", "\"\xc3\xa9\"", 0, NULL, NULL, true},
        {"x utf8", "\xc3", NULL, 0, NULL, NULL, true},
        {"x null", "NA", "null", 2, NULL, NULL, true},
        {"x null", "x", NULL, 0, NULL, NULL, true},
    };
    static stoa_test_parse_function *const ways[] = {stoa_csv_tile_parse, by_reference};

    for (size_t i = 0; i < LENGTH(cases) * LENGTH(ways); i++) {
        const size_t k = i / LENGTH(ways);
        struct stoa_test_column fixture;
        struct stoa_test_parsed result = {0};
        char line[128], expected[128], *text, *got;
        const int nbytes = snprintf(line, sizeof(line), "%s\n", cases[k].text);

        stoa_test_column_init(&fixture, cases[k].schema, cases[k].options, cases[k].format,
                              cases[k].strict);
        text = stoa_test_with_slack(line, (size_t)nbytes);
        assert_int_equal(stoa_test_parse(&fixture, ways[i % LENGTH(ways)], text, (size_t)nbytes,
                                         NULL, &result, NULL),
                         STOA_OK);
        got = stoa_test_parsed_text(&fixture, &result);
        if (cases[k].json == NULL) {
            if (result.misfits.nitems != 1 && result.array.nvalues > 0)
                fail_msg("%s takes %s as %s", cases[k].schema, cases[k].text, got);
        } else {
            snprintf(expected, sizeof(expected), "{\"x\":%s}\n", cases[k].json);
            if (result.misfits.nitems != 0 || strcmp(got, expected) != 0)
                fail_msg("%s makes %s of %s", cases[k].schema, got, cases[k].text);
            if (stoa_test_code_of(&result, 0) != cases[k].code)
                fail_msg("%s: the form of %s is %#x, not %#x", cases[k].schema, cases[k].text,
                         stoa_test_code_of(&result, 0), cases[k].code);
            assert_int_equal(result.forms.nverbatims, (cases[k].code & 0xff) == VERBATIM);
            if (result.forms.nverbatims > 0)
                assert_memory_equal(result.forms.bytes.data, cases[k].text, strlen(cases[k].text));
        }
        stoa_free(got);
        stoa_test_parsed_reset(&result);
        free(text);
        stoa_test_column_reset(&fixture);
    }
}

static void a_pattern_of_another_type_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *format;
        const char *message; /* NULL: it is taken */
    } cases[] = {
        {"x date32", "%d/%m/%Y", NULL},
        {"x date32", "%H:%M", "column \"x\": pattern \"%H:%M\" is not one for date32"},
        {"x date32", "%d/%m/%Y %H:%M",
         "column \"x\": pattern \"%d/%m/%Y %H:%M\" is not one for date32"},
        {"x timestamp(s)", "%d/%m/%Y",
         "column \"x\": pattern \"%d/%m/%Y\" is not one for timestamp"},
        {"x timestamp(s)", "%d/%m/%Y %H:%M%z",
         "column \"x\": pattern \"%d/%m/%Y %H:%M%z\" is not one for timestamp"},
        {"x timestamp(s,UTC)", "%d/%m/%Y %H:%M%z", NULL},
        {"x time(s)", "%d/%m/%Y", "column \"x\": pattern \"%d/%m/%Y\" is not one for time"},
        {"x time(s)", "%Q", "column \"x\": pattern \"%Q\": there is no word %Q"},
        {"x int64", "%Q", NULL}, /* a format of numbers is no pattern of times */
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct stoa_csv_options options = {0};
        struct stoa_csv_reading reading;
        struct stoa_csv_column column;
        struct stoa_schema schema;
        struct stoa_error err = {0};
        enum stoa_status st;

        stoa_test_schema_parse(cases[i].schema, &schema);
        assert_int_equal(
            stoa_metadata_set(&schema.fields[0].metadata, "csv_format", cases[i].format, NULL),
            STOA_OK);
        assert_int_equal(stoa_csv_reading_init(&reading, &options, true, true, &err), STOA_OK);
        st = stoa_csv_column_init(&column, &schema.fields[0], &reading, &err);
        assert_int_equal(st, cases[i].message == NULL ? STOA_OK : STOA_ERR_USAGE);
        if (cases[i].message != NULL)
            assert_string_equal(err.message, cases[i].message);
        stoa_schema_reset(&schema);
    }
}

/* ---- Many fields: the loops against the reference. ---- */

static size_t put_digits(struct stoa_test_random *r, char *out, size_t ndigits)
{
    for (size_t i = 0; i < ndigits; i++)
        out[i] = (char)('0' + stoa_test_random_below(r, 10));
    return ndigits;
}

static size_t put_number(struct stoa_test_random *r, char *out)
{
    static const char *const odd[] = {"nan", "-inf", "1e5", "+5", "-", ".", "-0", "0x1", "1-2"};
    const size_t limit = stoa_test_random_one_in(r, 8) ? 22 : stoa_test_random_one_in(r, 2) ? 9 : 4;
    size_t n = 0;

    if (stoa_test_random_one_in(r, 16)) {
        const char *word = odd[stoa_test_random_below(r, LENGTH(odd))];

        memcpy(out, word, strlen(word));
        return strlen(word);
    }
    if (stoa_test_random_one_in(r, 3))
        out[n++] = '-';
    n += put_digits(r, out + n, stoa_test_random_below(r, limit) + 1);
    if (stoa_test_random_one_in(r, 2)) {
        out[n++] = stoa_test_random_one_in(r, 8) ? ',' : '.';
        n += put_digits(r, out + n, stoa_test_random_below(r, limit + 1));
    }
    if (stoa_test_random_one_in(r, 32))
        out[n++] = (char)stoa_test_random_below(r, 256);
    return n;
}

static size_t put_integer(struct stoa_test_random *r, char *out)
{
    const bool wide = stoa_test_random_one_in(r, 4);
    size_t n = 0;

    if (stoa_test_random_one_in(r, 4))
        out[n++] = '-';
    return n + put_digits(r, out + n, stoa_test_random_below(r, wide ? 24 : 6) + 1);
}

static size_t put_time(struct stoa_test_random *r, char *out)
{
    const unsigned year = (unsigned)stoa_test_random_below(r, 10000);
    const unsigned month = (unsigned)stoa_test_random_below(r, 13);
    const unsigned day = (unsigned)stoa_test_random_below(r, 32);
    const unsigned hour = (unsigned)stoa_test_random_below(r, 25);
    const unsigned minute = (unsigned)stoa_test_random_below(r, 61);
    const unsigned second = (unsigned)stoa_test_random_below(r, 60);
    const uint64_t shape = stoa_test_random_below(r, 4);
    size_t n = 0;

    if (shape != 0)
        n = (size_t)sprintf(out, "%04u-%02u-%02u", stoa_test_random_one_in(r, 2) ? 2013u : year,
                            month, day);
    if (shape >= 2)
        out[n++] = stoa_test_random_one_in(r, 3) ? 'T' : ' ';
    if (shape != 1)
        n += (size_t)sprintf(out + n, "%02u:%02u:%02u", hour, minute, second);
    if (shape != 1 && stoa_test_random_one_in(r, 2)) {
        out[n++] = '.';
        n += put_digits(r, out + n, stoa_test_random_below(r, 11));
    }
    if (stoa_test_random_one_in(r, 3))
        out[n++] = 'Z';
    if (n > 0 && stoa_test_random_one_in(r, 16))
        out[stoa_test_random_below(r, n)] = (char)stoa_test_random_below(r, 128);
    return n;
}

static size_t put_text(struct stoa_test_random *r, char *out)
{
    static const char *const pieces[] = {"a", "true", "False",     "\xc3\xa9", "\"",   "\\N",
                                         " ", "NA",   "-",         "none",     "\xff", "TRUE",
                                         "y", "'",    "long text", "AP8="};
    const size_t npieces = stoa_test_random_below(r, stoa_test_random_one_in(r, 16) ? 12 : 3);
    size_t n = 0;

    for (size_t i = 0; i < npieces; i++) {
        const char *piece = pieces[stoa_test_random_below(r, LENGTH(pieces))];

        memcpy(out + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return n;
}

/* A column of text: mostly of one kind, now and then in quotes. */
static size_t put_column(struct stoa_test_random *r, size_t nrows, char *out)
{
    static size_t (*const puts[])(struct stoa_test_random *, char *) = {put_number, put_integer,
                                                                        put_time, put_text};
    const size_t usual = stoa_test_random_below(r, LENGTH(puts));
    const bool quotes = stoa_test_random_one_in(r, 2), all = stoa_test_random_one_in(r, 4);
    size_t n = 0;

    for (size_t i = 0; i < nrows; i++) {
        const bool other = stoa_test_random_one_in(r, 20);
        const bool quoted = all || (quotes && stoa_test_random_one_in(r, 4));

        if (quoted)
            out[n++] = '"';
        if (!stoa_test_random_one_in(r, 8))
            n += puts[other ? stoa_test_random_below(r, LENGTH(puts)) : usual](r, out + n);
        if (quoted)
            out[n++] = '"';
        out[n++] = '\n';
    }
    return n;
}

static void assert_same(const char *schema, const struct stoa_test_column *fixture,
                        const struct stoa_test_parsed *a, const struct stoa_test_parsed *b)
{
    char *rows_a = stoa_test_parsed_text(fixture, a), *rows_b = stoa_test_parsed_text(fixture, b);

    assert_int_equal(a->array.nvalues, b->array.nvalues);
    if (strcmp(rows_a, rows_b) != 0)
        fail_msg("%s: the loop and the reference read other values", schema);
    assert_int_equal(a->array.nnulls, b->array.nnulls);
    for (size_t i = 0; i < a->array.nvalues; i++) {
        if (stoa_test_code_of(a, i) != stoa_test_code_of(b, i))
            fail_msg("%s: row %zu has the form %#x by the loop, %#x by the reference", schema, i,
                     stoa_test_code_of(a, i), stoa_test_code_of(b, i));
    }
    assert_int_equal(a->forms.nverbatims, b->forms.nverbatims);
    for (size_t i = 0; i < a->forms.nverbatims; i++) {
        assert_int_equal(a->forms.verbatims[i].row, b->forms.verbatims[i].row);
        assert_int_equal(a->forms.verbatims[i].begin, b->forms.verbatims[i].begin);
        assert_int_equal(a->forms.verbatims[i].nbytes, b->forms.verbatims[i].nbytes);
    }
    assert_int_equal(a->forms.bytes.nbytes, b->forms.bytes.nbytes);
    if (a->forms.bytes.nbytes > 0)
        assert_memory_equal(a->forms.bytes.data, b->forms.bytes.data, a->forms.bytes.nbytes);
    assert_int_equal(a->misfits.nitems, b->misfits.nitems);
    for (size_t i = 0; i < a->misfits.nitems; i++) {
        assert_int_equal(a->misfits.items[i].row, b->misfits.items[i].row);
        assert_int_equal(a->misfits.items[i].outcome, b->misfits.items[i].outcome);
    }
    stoa_free(rows_a);
    stoa_free(rows_b);
}

static const char *const all_types[] = {
    "x bool",
    "x int8",
    "x int16",
    "x int32",
    "x int64",
    "x uint8",
    "x uint16",
    "x uint32",
    "x uint64",
    "x float16",
    "x float32",
    "x float64",
    "x decimal(9,3)",
    "x decimal(18,0)",
    "x decimal(38,6)",
    "x decimal(70,20)",
    "x date32",
    "x time(s)",
    "x time(ns)",
    "x timestamp(s)",
    "x timestamp(us)",
    "x timestamp(ns)",
    "x timestamp(ms,UTC)",
    "x utf8",
    "x binary",
};

static void the_loops_read_what_the_reference_reads(void **state)
{
    (void)state;
    static const struct stoa_csv_options usual = {0};
    static const struct stoa_csv_options *const dialects[] = {
        &usual, &decimal_comma, &comma, &thousands, &backslash, &trimmed, &no_quotes, &words};
    enum { NROWS = 150 };
    struct stoa_test_random random;
    char *text = malloc(NROWS * 256);

    assert_non_null(text);
    stoa_test_random_init(&random, "loops");
    for (size_t i = 0; i < stoa_test_ncases(4000); i++) {
        const char *schema = all_types[i % LENGTH(all_types)];
        const bool usually = stoa_test_random_one_in(&random, 2);
        const struct stoa_csv_options *options =
            dialects[usually ? 0 : stoa_test_random_below(&random, LENGTH(dialects))];
        const bool strict = stoa_test_random_one_in(&random, 2);
        const size_t nbytes = put_column(&random, NROWS, text);
        char *copy = stoa_test_with_slack(text, nbytes);
        struct stoa_test_parsed by_loop = {0}, reference = {0};
        struct stoa_test_column fixture;

        stoa_test_column_init(&fixture, schema, options, NULL, strict);
        fixture.schema.fields[0].nullable = !stoa_test_random_one_in(&random, 8);
        assert_int_equal(
            stoa_test_parse(&fixture, stoa_csv_tile_parse, copy, nbytes, NULL, &by_loop, NULL),
            STOA_OK);
        assert_int_equal(
            stoa_test_parse(&fixture, by_reference, copy, nbytes, NULL, &reference, NULL), STOA_OK);
        assert_same(schema, &fixture, &by_loop, &reference);
        stoa_test_parsed_reset(&by_loop);
        stoa_test_parsed_reset(&reference);
        stoa_test_column_reset(&fixture);
        free(copy);
    }
    free(text);
}

/* libc is the judge of both: what a text is worth, and that its form writes it again. */
static void doubles_are_those_of_strtod_and_come_back_from_their_form(void **state)
{
    (void)state;
    enum { NROWS = 10000 };
    struct stoa_test_random random;
    char *text = malloc(NROWS * 32 + STOA_CSV_SLACK);
    struct stoa_test_column fixture;

    assert_non_null(text);
    stoa_test_random_init(&random, "strtod");
    stoa_test_column_init(&fixture, "x float64", NULL, NULL, false);
    for (size_t i = 0; i < stoa_test_ncases(50); i++) {
        struct stoa_test_parsed result = {0};
        const char *at = text;
        size_t n = 0;

        for (size_t row = 0; row < NROWS; row++) {
            const size_t nwhole = stoa_test_random_below(&random, 9) + 1;
            const size_t nfraction = stoa_test_random_below(&random, 17);

            if (stoa_test_random_one_in(&random, 2))
                text[n++] = '-';
            n += put_digits(&random, text + n, nwhole);
            text[n] = '.';
            n += nfraction > 0;
            n += put_digits(&random, text + n, nfraction);
            text[n++] = '\n';
        }
        assert_int_equal(
            stoa_test_parse(&fixture, stoa_csv_tile_parse, text, n, NULL, &result, NULL), STOA_OK);
        assert_int_equal(result.array.nvalues, NROWS);
        for (size_t row = 0; row < NROWS; row++) {
            const size_t nbytes = (size_t)((const char *)memchr(at, '\n', 64) - at);
            const unsigned code = stoa_test_code_of(&result, row);
            const double expected = strtod(at, NULL);
            char again[64];
            double x;

            memcpy(&x, result.array.values + 8 * row, sizeof(x));
            if (memcmp(&x, &expected, sizeof(x)) != 0)
                fail_msg("%.*s is read as %.17g, not %.17g", (int)nbytes, at, x, expected);
            if ((code & 0xff) != VERBATIM) {
                snprintf(again, sizeof(again), "%.*f", (int)(code & 0xff), x);
                /* Of more than 17 digits printf() shows what the double is, not its shortest. */
                if (nbytes <= 16 && (strlen(again) != nbytes || memcmp(again, at, nbytes) != 0))
                    fail_msg("%.*s is printed as %s", (int)nbytes, at, again);
                snprintf(again, sizeof(again), "%.*f", (int)(code >> 8 & 0x7f), x);
                if (strtod(again, NULL) != x)
                    fail_msg("%s is another number than %.*s", again, (int)nbytes, at);
            }
            at += nbytes + 1;
        }
        stoa_test_parsed_reset(&result);
    }
    stoa_test_column_reset(&fixture);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_a_value_in_a_form),
        cmocka_unit_test(a_pattern_of_another_type_is_refused),
        cmocka_unit_test(the_loops_read_what_the_reference_reads),
        cmocka_unit_test(doubles_are_those_of_strtod_and_come_back_from_their_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
