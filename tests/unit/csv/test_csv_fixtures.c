/* The odd files of fixtures/csv/ (see its README): the schema and the rows that each gives. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/csv_rows.h"

static const struct fixture {
    const char *name;
    const char *schema;  /* as inferred; NULL: there is a message */
    const char *rows;    /* JSON lines */
    const char *message; /* behind the path */
} fixtures[] = {
    {.name = "bad_value.csv",
     .schema = "id int64, count utf8, day utf8",
     .rows = "{\"id\":1,\"count\":\"10\",\"day\":\"2024-01-01\"}\n"
             "{\"id\":2,\"count\":\"20\",\"day\":\"2024-01-02\"}\n"
             "{\"id\":3,\"count\":\"12x\",\"day\":\"2024-01-03\"}\n"
             "{\"id\":4,\"count\":\"40\",\"day\":\"soon\"}\n"},
    {.name = "blank_lines.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"Ann\"}\n"
             "{\"id\":2,\"name\":\"Bob\"}\n"},
    {.name = "bom.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"Ann\"}\n"
             "{\"id\":2,\"name\":\"Bob\"}\n"},
    {.name = "bom_quoted.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"Ann\"}\n"},
    {.name = "bools.csv",
     .schema = "lower bool, upper bool, title bool, digit int64, mixed utf8",
     .rows = "{\"lower\":true,\"upper\":true,\"title\":true,\"digit\":1,\"mixed\":\"true\"}\n"
             "{\"lower\":false,\"upper\":false,\"title\":false,\"digit\":0,\"mixed\":\"no\"}\n"},
    {.name = "cr.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"Ann\"}\n"
             "{\"id\":2,\"name\":\"Bob\"}\n"},
    {.name = "crlf.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"Ann\"}\n"
             "{\"id\":2,\"name\":\"two\\r\\nlines\"}\n"
             "{\"id\":3,\"name\":\"one\\nLF\"}\n"},
    {.name = "dates.csv",
     .schema = "day date32, event utf8",
     .rows = "{\"day\":\"0001-01-01\",\"event\":\"first day\"}\n"
             "{\"day\":\"1582-10-10\",\"event\":\"not in the Gregorian calendar of its time\"}\n"
             "{\"day\":\"1900-02-28\",\"event\":\"no leap year\"}\n"
             "{\"day\":\"1970-01-01\",\"event\":\"day zero\"}\n"
             "{\"day\":\"2000-02-29\",\"event\":\"leap day\"}\n"
             "{\"day\":\"9999-12-31\",\"event\":\"last day\"}\n"},
    {.name = "decimal_25_digits.csv",
     .schema = "price decimal(38,1), mixed_scale float64, one_long decimal(38,25)",
     .rows = "{\"price\":123456789012345678901234.5,\"mixed_scale\":1.5,\"one_long\":0."
             "1000000000000000000000000}\n"
             "{\"price\":-999999999999999999999999.9,\"mixed_scale\":1.5,\"one_long\":0."
             "2000000000000000000000000}\n"
             "{\"price\":0.1,\"mixed_scale\":1.5,\"one_long\":0.1234567890123456789012345}\n"},
    {.name = "duplicate_names.csv",
     .schema = "a int64, b int64, a_2 int64, column_4 int64, b_2 int64",
     .rows = "{\"a\":1,\"b\":2,\"a_2\":3,\"column_4\":4,\"b_2\":5}\n"},
    {.name = "empty.csv", .message = "empty: there is no header line"},
    {.name = "floats.csv",
     .schema = "finite float64, special float64, too_big utf8, long utf8",
     .rows = "{\"finite\":0.1,\"special\":\"NaN\",\"too_big\":\"1e308\",\"long\":\"0.1\"}\n"
             "{\"finite\":-0.0,\"special\":\"Infinity\",\"too_big\":\"1e309\",\"long\":\"0."
             "10000000000000000555111512312578270211815834045410156250\"}\n"
             "{\"finite\":0.00001,\"special\":\"-Infinity\",\"too_big\":\"-1e400\",\"long\":"
             "\"9007199254740993.0\"}\n"
             "{\"finite\":1.7976931348623157e308,\"special\":\"NaN\",\"too_big\":\"1\",\"long\":"
             "\"2.2250738585072011e-308\"}\n"
             "{\"finite\":5e-324,\"special\":0.5,\"too_big\":\"2.5\",\"long\":\"1e23\"}\n"},
    {.name = "header_only.csv", .schema = "id utf8, name utf8, amount utf8", .rows = ""},
    {.name = "int_20_digits.csv",
     .schema = "in_int64 int64, in_uint64 uint64, beyond decimal(38,0), negative decimal(38,0)",
     .rows = "{\"in_int64\":9223372036854775807,\"in_uint64\":18446744073709551615,\"beyond\":"
             "18446744073709551616,\"negative\":-9223372036854775808}\n"
             "{\"in_int64\":-9223372036854775808,\"in_uint64\":9223372036854775808,\"beyond\":"
             "99999999999999999999,\"negative\":-9223372036854775809}\n"
             "{\"in_int64\":0,\"in_uint64\":0,\"beyond\":0,\"negative\":-99999999999999999999}\n"},
    {.name = "int_40_digits.csv",
     .schema = "digits_38 decimal(38,0), digits_40 decimal(40,0)",
     .rows = "{\"digits_38\":99999999999999999999999999999999999999,\"digits_40\":"
             "1234567890123456789012345678901234567890}\n"
             "{\"digits_38\":-99999999999999999999999999999999999999,\"digits_40\":-"
             "9999999999999999999999999999999999999999}\n"
             "{\"digits_38\":1,\"digits_40\":0}\n"},
    {.name = "leading_zeros.csv",
     .schema = "zip utf8, serial utf8, plus utf8, count int64",
     .rows = "{\"zip\":\"01067\",\"serial\":\"0\",\"plus\":\"+1\",\"count\":10}\n"
             "{\"zip\":\"10115\",\"serial\":\"00\",\"plus\":\"+20\",\"count\":0}\n"
             "{\"zip\":\"99998\",\"serial\":\"7\",\"plus\":\"-3\",\"count\":7}\n"},
    {.name = "mixed_ends.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"Ann\"}\n"
             "{\"id\":2,\"name\":\"Bob\"}\n"
             "{\"id\":3,\"name\":\"Cid\"}\n"},
    {.name = "no_final_newline.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"Ann\"}\n"
             "{\"id\":2,\"name\":\"Bob\"}\n"},
    {.name = "not_dates.csv",
     .schema = "no_leap_day utf8, month_13 utf8, year_0 utf8, undecided utf8",
     .rows = "{\"no_leap_day\":\"2024-02-29\",\"month_13\":\"2024-12-31\",\"year_0\":\"0001-01-"
             "01\",\"undecided\":\"01/02/2024\"}\n"
             "{\"no_leap_day\":\"2023-02-29\",\"month_13\":\"2024-13-01\",\"year_0\":\"0000-12-"
             "31\",\"undecided\":\"03/04/2024\"}\n"},
    {.name = "not_utf8.csv", .message = "line 3, column 2 (name): \"Andr\\xe9\" is not UTF-8"},
    {.name = "nul_byte.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"a\\u0000b\"}\n"
             "{\"id\":2,\"name\":\"\\u0000\"}\n"
             "{\"id\":3,\"name\":\"Cid\"}\n"},
    {.name = "nulls.csv",
     .schema = "count int64, share float64, seen bool, when date32, country utf8",
     .rows =
         "{\"count\":1,\"share\":0.5,\"seen\":true,\"when\":\"2024-01-31\",\"country\":\"DE\"}\n"
         "{\"count\":null,\"share\":null,\"seen\":null,\"when\":null,\"country\":\"NA\"}\n"
         "{\"count\":null,\"share\":null,\"seen\":null,\"when\":null,\"country\":null}\n"
         "{\"count\":4,\"share\":0.25,\"seen\":false,\"when\":\"2024-02-29\",\"country\":\"AT\"}"
         "\n"},
    {.name = "one_column.csv",
     .schema = "name utf8",
     .rows = "{\"name\":\"Ann\"}\n"
             "{\"name\":null}\n"
             "{\"name\":\"\"}\n"
             "{\"name\":\"Bob\"}\n"},
    {.name = "quoted.csv",
     .schema = "id int64, name utf8, remark utf8",
     .rows = "{\"id\":1,\"name\":\"Smith, Ann\",\"remark\":\"says \\\"hello\\\"\"}\n"
             "{\"id\":2,\"name\":\"two\\nlines\",\"remark\":\"plain\"}\n"
             "{\"id\":3,\"name\":\"\",\"remark\":\"empty, but quoted\"}\n"
             "{\"id\":4,\"name\":null,\"remark\":\"ends in a quote\\\"\"}\n"
             "{\"id\":5,\"name\":\"\\\"\",\"remark\":\"a\\nb\\n\\nc\"}\n"},
    {.name = "ragged.csv", .message = "line 3: 2 fields where there are 3 columns"},
    {.name = "semicolon.csv",
     .schema = "id int64, price utf8, remark utf8",
     .rows = "{\"id\":1,\"price\":\"1,50\",\"remark\":\"a,b\"}\n"
             "{\"id\":2,\"price\":\"2,75\",\"remark\":\"a;b\"}\n"},
    {.name = "stray_quote.csv",
     .schema = "id int64, part utf8",
     .rows = "{\"id\":1,\"part\":\"5\\\" pipe\"}\n"
             "{\"id\":2,\"part\":\"a \\\"b\\\" c\"}\n"
             "{\"id\":3,\"part\":\"5\\\" pipe\"}\n"},
    {.name = "text_after_quote.csv",
     .schema = "id int64, name utf8",
     .rows = "{\"id\":1,\"name\":\"Ann\"}\n"
             "{\"id\":2,\"name\":\"Bobby\"}\n"
             "{\"id\":3,\"name\":\"Cid\"}\n"},
    {.name = "timestamps.csv",
     .schema = "seconds timestamp(s), millis timestamp(ms), micros timestamp(us), nanos "
               "timestamp(ns), utc timestamp(s,UTC), offset utf8",
     .rows =
         "{\"seconds\":\"2024-02-29T23:59:59\",\"millis\":\"2024-02-29T23:59:59.999\",\"micros\":"
         "\"2024-02-29T23:59:59.999999\",\"nanos\":\"2024-02-29T23:59:59.999999999\",\"utc\":"
         "\"2024-02-29T23:59:59Z\",\"offset\":\"2024-02-29T23:59:59+05:30\"}\n"
         "{\"seconds\":\"1969-12-31T23:59:59\",\"millis\":\"1969-12-31T23:59:59.001\",\"micros\":"
         "\"1969-12-31T23:59:59.000001\",\"nanos\":\"1969-12-31T23:59:59.000000001\",\"utc\":"
         "\"1969-12-31T23:59:59Z\",\"offset\":\"1969-12-31T23:59:59-08:00\"}\n"
         "{\"seconds\":\"0001-01-01T00:00:00\",\"millis\":\"0001-01-01T00:00:00\",\"micros\":"
         "\"9999-12-31T23:59:59.999999\",\"nanos\":\"1677-09-21T00:12:43.145224192\",\"utc\":"
         "\"0001-01-01T00:00:00Z\",\"offset\":\"2024-01-01T00:00:00+00:00\"}\n"},
    {.name = "trailing_blanks.csv",
     .schema = "id utf8, name  utf8",
     .rows = "{\"id\":\"1\",\"name \":\" Ann\"}\n"
             "{\"id\":\"2 \",\"name \":\"Bob \"}\n"},
    {.name = "unterminated_quote.csv", .message = "line 3, column 2: the quote is never closed"},
};

enum { NFIXTURES = sizeof(fixtures) / sizeof(fixtures[0]) };

static void each_file_gives_its_rows_or_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < NFIXTURES; i++) {
        const struct fixture *fixture = &fixtures[i];
        const struct stoa_csv_options options = {
            .delimiter = strcmp(fixture->name, "semicolon.csv") == 0 ? ';' : ',',
            .unit_nrows = 2, /* so that each has several units */
        };
        char path[64], expected[512];
        const char *paths = path;
        struct stoa_schema schema = {0};
        struct stoa_batch batch = {0};
        struct stoa_error err = {0};
        enum stoa_status st;
        char *text;

        snprintf(path, sizeof(path), "fixtures/csv/%s", fixture->name);
        st = stoa_test_csv_read(&paths, 1, &options, NULL, &schema, &batch, &err);
        if (fixture->schema == NULL) {
            snprintf(expected, sizeof(expected), "%s: %s", path, fixture->message);
            assert_string_equal(err.message, expected);
            assert_int_equal(st, STOA_ERR_DATA);
        } else {
            assert_string_equal(err.message, "");
            text = stoa_test_schema_text(&schema);
            assert_string_equal(text, fixture->schema);
            stoa_free(text);
            text = stoa_test_rows_text(&batch);
            assert_string_equal(text, fixture->rows);
            stoa_free(text);
            stoa_batch_reset(&batch);
        }
        stoa_schema_reset(&schema);
    }
}

static void a_value_that_a_given_schema_can_not_hold_is_named(void **state)
{
    (void)state;
    static const char *const path = "fixtures/csv/bad_value.csv";
    static const struct {
        const char *schema;
        const char *message;
    } cases[] = {
        {"id int64, count int64, day utf8",
         "fixtures/csv/bad_value.csv: line 4, column 2 (count): \"12x\" is not int64"},
        {"id int64, count utf8, day date32",
         "fixtures/csv/bad_value.csv: line 5, column 3 (day): \"soon\" is not date32"},
    };

    for (size_t i = 0; i < 2; i++) {
        struct stoa_schema schema;
        struct stoa_batch batch;
        struct stoa_error err = {0};

        stoa_test_schema_parse(cases[i].schema, &schema);
        assert_int_equal(stoa_test_csv_read(&path, 1, NULL, &schema, NULL, &batch, &err),
                         STOA_ERR_DATA);
        assert_string_equal(err.message, cases[i].message);
        stoa_schema_reset(&schema);
    }
}

static void what_lenient_reading_passes_over_strict_reading_names(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *message;
    } cases[] = {
        {"fixtures/csv/text_after_quote.csv",
         "fixtures/csv/text_after_quote.csv: line 3, column 2: text behind the closing quote (a "
         "quote inside quotes is written twice)"},
        {"fixtures/csv/stray_quote.csv",
         "fixtures/csv/stray_quote.csv: line 2, column 2: a quote in a field that does not begin "
         "with one (a field with quotes is quoted as a whole)"},
    };

    for (size_t i = 0; i < 2; i++) {
        const struct stoa_csv_options options = {.strict = true};
        struct stoa_schema schema;
        struct stoa_batch batch;
        struct stoa_error err = {0};

        assert_int_equal(
            stoa_test_csv_read(&cases[i].path, 1, &options, NULL, &schema, &batch, &err),
            STOA_ERR_DATA);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void every_file_of_the_folder_is_in_the_table(void **state)
{
    (void)state;
    DIR *folder = opendir("fixtures/csv");
    size_t nfiles = 0;

    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        nfiles += entry->d_name[0] != '.';
    closedir(folder);
    assert_int_equal(nfiles, NFIXTURES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_gives_its_rows_or_its_message),
        cmocka_unit_test(a_value_that_a_given_schema_can_not_hold_is_named),
        cmocka_unit_test(what_lenient_reading_passes_over_strict_reading_names),
        cmocka_unit_test(every_file_of_the_folder_is_in_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
