/* Inference: which texts make which type, names of columns, several inputs, evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "column/schema.h"
#include "support/archives.h"
#include "support/csv_rows.h"
#include "support/fault_alloc.h"
#include "support/folder.h"

static void put(const char *path, const char *text)
{
    stoa_test_folder_put(path, text, strlen(text));
}

/* The schema of files as text, or the message; the dialect is that of the options. */
static char *inferred(const char *const *paths, size_t npaths,
                      const struct stoa_csv_options *options)
{
    const struct stoa_csv_options defaults = {0};
    struct stoa_csv_inputs *inputs;
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    char *text = NULL;

    assert_int_equal(stoa_csv_inputs_new(paths, npaths, &inputs, NULL), STOA_OK);
    if (stoa_csv_inputs_infer(inputs, options != NULL ? options : &defaults, &schema, NULL, &err) ==
        STOA_OK)
        text = stoa_test_schema_text(&schema);
    else
        assert_int_equal(stoa_strndup(&text, err.message, strlen(err.message), NULL), STOA_OK);
    stoa_schema_reset(&schema);
    stoa_csv_inputs_free(inputs);
    return text;
}

static void assert_inferred(const char *text, const struct stoa_csv_options *options,
                            const char *expected)
{
    static const char *const path = "t.csv";
    char *got;

    put(path, text);
    got = inferred(&path, 1, options);
    assert_string_equal(got, expected);
    stoa_free(got);
}

#define D38 "9999999999999999999999999999999999999" /* 37 digits */

/* A column "x" of these values, a line each, beside a column "y" of texts without quotes. */
static void the_narrowest_type_that_keeps_every_value_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *values[6];
        const char *type;
    } cases[] = {
        {{"1", "-2", "0"}, "int64"},
        {{"9223372036854775807", "-9223372036854775808"}, "int64"},
        {{"9223372036854775808", "0"}, "uint64"},
        {{"18446744073709551615"}, "uint64"},
        {{"18446744073709551615", "-1"}, "decimal(38,0)"},
        {{"18446744073709551616"}, "decimal(38,0)"},
        {{"12345678901234567890"}, "uint64"},
        {{"99999999999999999999"}, "decimal(38,0)"},
        {{D38 "9"}, "decimal(38,0)"},
        {{D38 "99"}, "decimal(39,0)"},
        {{"1", "-" D38 "999"}, "decimal(40,0)"},
        {{D38 "9", "0.1"}, "decimal(39,1)"},
        {{D38 D38 "99"}, "decimal(76,0)"},
        {{D38 D38 "9", "0.1"}, "decimal(76,1)"},
        {{D38 D38 "999"}, "utf8"},
        {{D38 D38 "99", "0.1"}, "utf8"},
        {{"007"}, "utf8"},
        {{"1", "01"}, "utf8"},
        {{"00"}, "utf8"},
        {{"-01"}, "utf8"},
        {{"00.5"}, "utf8"},
        {{"+5"}, "utf8"},
        {{"+0.5"}, "utf8"},
        {{"-0"}, "utf8"},
        {{"-0", "1"}, "utf8"},
        {{"-0", "1.5"}, "float64"},
        {{"-0.0"}, "float64"},
        {{"1.5", "2"}, "float64"},
        {{"0.1", "-12.50", ".5", "5."}, "float64"},
        {{"1e5"}, "float64"},
        {{"1E-5", "2"}, "float64"},
        {{"1e308"}, "float64"},
        {{"1e309"}, "utf8"},
        {{"1e-400"}, "utf8"},
        {{"0e-400"}, "float64"},
        {{"5e-324"}, "float64"},
        {{"1.5", "9007199254740991"}, "float64"},
        {{"1.5", "-9007199254740992"}, "decimal(38,1)"},
        {{"1.5", "9007199254740993"}, "decimal(38,1)"},
        {{"1e5", "9007199254740993"}, "utf8"},
        {{"0.12345678901234567"}, "float64"},
        {{"0.123456789012345678"}, "decimal(38,18)"},
        {{"123456789012345678901234.5", "1.25"}, "decimal(38,2)"},
        {{"123456789012345678901234.5", "-0.0"}, "utf8"},
        {{"123456789012345678901234.5", "1e2"}, "utf8"},
        {{"nan", "1"}, "float64"},
        {{"NaN", "inf", "-Infinity", "0.5"}, "float64"},
        {{"1,5"}, "utf8"},
        {{"1 000"}, "utf8"},
        {{" 1"}, "utf8"},
        {{"0x1F"}, "utf8"},
        {{"true", "false"}, "bool"},
        {{"TRUE", "False", "NA"}, "bool"},
        {{"true", "1"}, "utf8"},
        {{"yes", "no"}, "utf8"},
        {{"tRUE"}, "utf8"},
        {{"2024-02-29", "1970-01-01"}, "date32"},
        {{"2023-02-29"}, "utf8"},
        {{"2024-13-01"}, "utf8"},
        {{"0000-01-01"}, "utf8"},
        {{"2024/02/01"}, "date32"},
        {{"01/02/2024"}, "utf8"},
        {{"20240229"}, "int64"},
        {{"2024-02-29", "2024-02-29 00:00:00"}, "utf8"},
        {{"+10000-01-01", "-00001-12-31"}, "date32"},
        {{"23:59:59", "00:00:00"}, "time(s)"},
        {{"23:59:59.5"}, "time(ms)"},
        {{"23:59:59.5", "00:00:00.1234"}, "time(us)"},
        {{"23:59:59.123456789"}, "time(ns)"},
        {{"24:00:00"}, "utf8"},
        {{"23:59"}, "utf8"},
        {{"2024-02-29 23:59:59"}, "timestamp(s)"},
        {{"2024-02-29T23:59:59", "2024-02-29 23:59:59"}, "timestamp(s)"},
        {{"2024-02-29 23:59:59.250", "2024-02-29 23:59:59"}, "timestamp(ms)"},
        {{"9999-12-31 23:59:59.999999"}, "timestamp(us)"},
        {{"2024-02-29 23:59:59.0000001"}, "timestamp(ns)"},
        {{"9999-12-31 23:59:59.0000001"}, "utf8"},
        {{"2024-02-29 23:59:59.0000001", "9999-12-31 23:59:59"}, "utf8"},
        {{"2024-02-29T23:59:59Z"}, "timestamp(s,UTC)"},
        {{"2024-02-29 23:59:59.5Z"}, "timestamp(ms,UTC)"},
        {{"2024-02-29T23:59:59Z", "2024-02-29T23:59:59"}, "utf8"},
        {{"2024-02-29T23:59:59+01:00"}, "utf8"},
        {{"2024-02-29T23:59:59Z", "2024-02-29T23:59:59+00:00"}, "utf8"},
        {{"1", "NA", "", "NULL", "null", "None"}, "int64"},
        {{"\\N", "N/A", "#N/A", "", "\"\"", "2.5"}, "float64"},
        {{"NA", "DE"}, "utf8"},
        {{"NA", ""}, "utf8"},
        {{""}, "utf8"},
        {{"\"\""}, "utf8"},
        {{"na"}, "utf8"},
        {{"\"1\"", "\"2\""}, "utf8"}, /* y has no quotes, so these tell */
        {{"\"1\"", "2"}, "int64"},
        {{"\"1.5\""}, "utf8"},
        {{"\"true\""}, "utf8"},
        {{"\"2024-02-29\""}, "date32"},
        {{"1", "x"}, "utf8"},
        {{"a\xff"}, "utf8"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024] = "x;y\n", expected[64];

        for (size_t k = 0; k < 6 && cases[i].values[k] != NULL; k++) {
            strcat(text, cases[i].values[k]);
            strcat(text, ";text\n");
        }
        snprintf(expected, sizeof(expected), "x %s, y utf8", cases[i].type);
        assert_inferred(text, &(struct stoa_csv_options){.delimiter = ';'}, expected);
    }
}

static void where_all_is_quoted_quotes_tell_nothing(void **state)
{
    (void)state;
    assert_inferred("\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"\"\n", NULL, "a int64, b utf8");
}

static void names_come_from_the_header(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool no_header;
        const char *expected;
    } cases[] = {
        {"a,b\n1,2\n", false, "a int64, b int64"},
        {"a,b", false, "a utf8, b utf8"},
        {"\xef\xbb\xbf\"a\",\"b,\"\"c\"\"\"\r\n1,2\r\n", false, "a int64, b,\"c\" int64"},
        {"\n\r\n\na,b\n\n1,2\n\n", false, "a int64, b int64"},
        {"a,,a,\n1,2,3,4\n", false, "a int64, column_2 int64, a_2 int64, column_4 int64"},
        {"a,a_2,a,a,a_2\n1,2,3,4,5\n", false,
         "a int64, a_2 int64, a_3 int64, a_4 int64, a_2_2 int64"},
        {"column_2,\n1,2\n", false, "column_2 int64, column_2_2 int64"},
        {" a ,b \n1,2\n", false, " a  int64, b  int64"},
        {"1,x\n2,y\n", true, "column_1 int64, column_2 utf8"},
        {"\n\n1,x\n", true, "column_1 int64, column_2 utf8"},
        {"a\n1\n\n2\n", false, "a int64"},
        {"", false, "t.csv: empty: there is no header line"},
        {"\n\n", false, "t.csv: empty: there is no header line"},
        {"\xef\xbb\xbf", false, "t.csv: empty: there is no header line"},
        {"", true, "the inputs are empty: there is nothing to infer from"},
        {"a,b\nx\n1,2\nx,y,z\n", false, "a int64, b int64"}, /* reading refuses these */
        {"a,b\n\"1\"2,3\n", false, "a utf8, b int64"},
        {"a,b\n1,2\nx,\"y\n", false, "a int64, b int64"},
        {"a,\"b\n1,2\n", false, "t.csv: line 1, column 2: the quote is never closed"},
        {"\n\na,\xff\n", false,
         "t.csv: line 3, column 2: a name must be UTF-8 text of up to 65,535 bytes without NUL"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_inferred(cases[i].text,
                        &(struct stoa_csv_options){.header_nrecords = cases[i].no_header ? -1 : 0},
                        cases[i].expected);
}

/* Hours when each name is compared with all others for each number that it tries. */
static void many_equal_names_are_numbered_in_no_time(void **state)
{
    (void)state;
    enum { NNAMES = 20000 };
    static const char *const path = "t.csv";
    static char text[2 * NNAMES + 1];
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    char name[16] = "a";

    for (size_t i = 0; i < NNAMES; i++)
        memcpy(text + 2 * i, "a,", 2);
    text[2 * NNAMES - 1] = '\n';
    put(path, text);
    assert_int_equal(stoa_csv_infer(&path, 1, NULL, &schema, NULL, &err), STOA_OK);
    assert_int_equal(schema.nfields, NNAMES);
    for (uint32_t i = 0; i < NNAMES; i++) {
        assert_string_equal(schema.fields[i].name, name);
        snprintf(name, sizeof(name), "a_%u", i + 2);
    }
    stoa_schema_reset(&schema);
}

static void options_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct stoa_csv_options options;
        const char *message;
    } cases[] = {
        {{.delimiter = ';', .quote = ';'}, "\";\" can't be both delimiter and quote"},
        {{.quote = '\'', .escape = ','}, "\",\" can't be both delimiter and escape"},
        {{.delimiter = '#', .comment = '#'}, "\"#\" can't be both delimiter and comment"},
        {{.comment = '"'}, "\"\"\" can't be both quote and comment"},
        {{.escape = '!', .comment = '!'}, "\"!\" can't be both escape and comment"},
        {{.quote = '\r'},
         "the quote \"\\x0d\" can't be used: it must be an ASCII character other than a line end"},
        {{.escape = (char)0xff},
         "the escape \"\\xff\" can't be used: it must be an ASCII character other than a line end"},
        {{.delimiter = STOA_CSV_NONE},
         "the delimiter \"\\x01\" can't be used: it must be an ASCII character other than a line "
         "end"},
        {{.decimal = ';'}, "the decimal mark \";\" can't be used: it is a point or a comma"},
        {{.thousands = '.'}, "\".\" can't be both decimal mark and between thousands"},
        {{.thousands = '5'},
         "thousands can't be separated by \"5\": a comma, point, blank, apostrophe or underscore "
         "can be"},
        {{.delimiter = ' ', .trim = STOA_CSV_TRIM_BOTH},
         "fields that blanks separate can't be trimmed of blanks"},
        {{.header_nrecords = 1001}, "an option of CSV is out of its range"},
        {{.skip_nlines = -2}, "an option of CSV is out of its range"},
        {{.trailing_delimiter = 2}, "an option of CSV is out of its range"},
        {{.ragged = 4}, "an option of CSV is out of its range"},
        {{.filename = ""}, "the column of the names of inputs needs a name"},
        {{.max_record_nbytes = UINT32_MAX}, "a CSV record or unit of 4 GiB or more"},
        {{.unit_nbytes = UINT64_MAX}, "a CSV record or unit of 4 GiB or more"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_inferred("a\n", &cases[i].options, cases[i].message);
}

static void delimiters_that_no_text_can_have_are_refused(void **state)
{
    (void)state;
    assert_inferred("a\n", &(struct stoa_csv_options){.delimiter = '"'},
                    "\"\"\" can't be both delimiter and quote");
    assert_inferred("a\n", &(struct stoa_csv_options){.delimiter = '\n'},
                    "the delimiter \"\\x0a\" can't be used: it must be an ASCII character other "
                    "than a line end");
    assert_inferred("a\n", &(struct stoa_csv_options){.delimiter = (char)0xc3},
                    "the delimiter \"\\xc3\" can't be used: it must be an ASCII character other "
                    "than a line end");
}

static void all_inputs_decide_each_column_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *texts[3];
        const char *expected;
    } cases[] = {
        {{"a,b\n1,2\n", "a,b\n1.5,x\n", "a,b\n"}, "a float64, b utf8"},
        {{"a,b\n", "\xef\xbb\xbf\"a\",b\r\n1,2\r\n", "a,b\n"}, "a int64, b int64"},
        {{"a,b\n1,2\n", "a,c\n1,2\n", "a,b\n"}, "a int64, b int64, c int64"},
        {{"a,b\n1,x\n", "\nb,a\ny,2.5\n", "b\n"}, "a float64, b utf8"},
        {{"a,b\n1,2\n", "a,b\n", "c\nx\n"}, "a int64, b int64, c utf8"},
        {{"a,b\n1,2\n", "", "a,b\n"}, "1.csv: empty: there is no header line"},
    };
    static const char *const paths[] = {"0.csv", "1.csv", "2.csv"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got;

        for (size_t k = 0; k < 3; k++)
            put(paths[k], cases[i].texts[k]);
        got = inferred(paths, 3, NULL);
        assert_string_equal(got, cases[i].expected);
        stoa_free(got);
    }
}

/* Also names that could be the beginning of another message. */
static void messages_name_the_file_once(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"l", "l: line 1, column 1: the quote is never closed"},
        {"line 1", "line 1: line 1, column 1: the quote is never closed"},
        {"a\tb", "a\\x09b: line 1, column 1: the quote is never closed"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *got;

        put(names[i][0], "\"a\n1\n");
        got = inferred(&names[i][0], 1, NULL);
        assert_string_equal(got, names[i][1]);
        stoa_free(got);
    }
}

static void a_record_larger_than_the_sample_is_looked_at(void **state)
{
    (void)state;
    static const char *const path = "t.csv";
    const size_t nbytes = (size_t)5 << 20; /* more than the first look at it */
    char *text = malloc(nbytes + 64);
    char *got;

    assert_non_null(text);
    memcpy(text, "a,b\n1,", 6);
    memset(text + 6, 'x', nbytes);
    memcpy(text + 6 + nbytes, "\n2,y\n", 5);
    stoa_test_folder_put(path, text, nbytes + 11);
    got = inferred(&path, 1, NULL);
    assert_string_equal(got, "a int64, b utf8");
    stoa_free(got);
    got = inferred(&path, 1, &(struct stoa_csv_options){.max_record_nbytes = 1000});
    assert_string_equal(got, "a utf8, b utf8"); /* who reads the rows tells of it */
    stoa_free(got);
    free(text);
}

static void a_sample_that_ends_in_quotes_is_no_error(void **state)
{
    (void)state;
    static const char *const path = "t.csv";
    const size_t nbytes = (size_t)5 << 20;
    char *text = malloc(nbytes);
    char *got;

    assert_non_null(text);
    memset(text, '\n', nbytes);
    memcpy(text, "a,b\n1,2\n3,\"", 11);
    memcpy(text + nbytes - 2, "\"\n", 2);
    stoa_test_folder_put(path, text, nbytes);
    got = inferred(&path, 1, NULL);
    assert_string_equal(got, "a int64, b int64");
    stoa_free(got);
    free(text);
}

static void evidence_says_why(void **state)
{
    (void)state;
    static const char *const path = "t.csv";
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    char *evidence;

    put(path,
        "n,t,z,none,\"q\"\"\",neg\n1,NA,10,,\"1\",-0\nNA,NA,x\\,NA,\"2\",1\n,DE,2,,\"3\",1\n");
    assert_int_equal(stoa_csv_infer(&path, 1, NULL, &schema, &evidence, &err), STOA_OK);
    assert_string_equal(
        evidence,
        "[{\"name\": \"n\", \"rows\": 3, \"nulls\": 2, \"null_spellings\": [\"\", \"NA\"], "
        "\"min\": \"1\", \"max\": \"1\", \"decided_by\": \"every value of the sample\"}, "
        "{\"name\": \"t\", \"rows\": 3, \"nulls\": 0, \"min\": \"DE\", \"max\": \"DE\", "
        "\"decided_by\": \"\\\"DE\\\" in line 4\"}, "
        "{\"name\": \"z\", \"rows\": 3, \"nulls\": 0, \"min\": \"10\", \"max\": \"x\\\\\", "
        "\"decided_by\": \"\\\"x\\\\x5c\\\" in line 3\"}, "
        "{\"name\": \"none\", \"rows\": 3, \"nulls\": 2, \"decided_by\": \"no value in the "
        "sample\"}, "
        "{\"name\": \"q\\\"\", \"rows\": 3, \"nulls\": 0, \"min\": \"1\", \"max\": \"3\", "
        "\"decided_by\": \"values in quotes, where other columns have none\"}, "
        "{\"name\": \"neg\", \"rows\": 3, \"nulls\": 0, \"min\": \"-0\", \"max\": \"1\", "
        "\"decided_by\": \"no type but text holds every value\"}]");
    stoa_free(evidence);
    stoa_schema_reset(&schema);
}

static void the_form_of_timestamps_is_kept(void **state)
{
    (void)state;
    static const char *const path = "t.csv";
    static const char *const forms[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
                                        "%Y-%m-%dT%H:%M:%SZ", NULL, NULL};
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    put(path, "a,b,c,d,e\n2024-01-01 00:00:00,2024-01-01T00:00:00,2024-01-01T00:00:00Z,"
              "2024-01-01T00:00:00,x\n2024-01-01 00:00:00,2024-01-01T00:00:00,"
              "2024-01-01T00:00:00Z,2024-01-01 00:00:00,y\n");
    assert_int_equal(stoa_csv_infer(&path, 1, NULL, &schema, NULL, &err), STOA_OK);
    for (uint32_t i = 0; i < 5; i++) {
        const char *form = stoa_metadata_get(&schema.fields[i].metadata, STOA_METADATA_CSV_FORMAT);

        if (forms[i] == NULL)
            assert_null(form);
        else
            assert_string_equal(form, forms[i]);
    }
    stoa_schema_reset(&schema);
}

/* Rows "N,v" of 40 bytes, with `late` in row `at`. */
static void put_late(const char *path, size_t nrows, size_t at, const char *late)
{
    char *text = malloc(16 + 40 * nrows);
    size_t n = 0;

    assert_non_null(text);
    n += (size_t)sprintf(text, "n,t,v\n");
    for (size_t i = 0; i < nrows; i++)
        n += (size_t)sprintf(text + n, "%07zu,%20s,%s\n", i + 1000000, "text",
                             i == at ? late : "12");
    stoa_test_folder_put(path, text, n);
    free(text);
}

static void a_value_behind_the_head_is_seen_by_a_window(void **state)
{
    (void)state;
    enum { NROWS = 200000 }; /* 6.4 MB: the windows touch the end */
    static const char *const paths[] = {"0.csv", "1.csv", "2.csv"};
    char *got;

    put_late(paths[0], NROWS, NROWS - 1, "12.5");
    got = inferred(paths, 1, NULL);
    assert_string_equal(got, "n int64, t utf8, v float64");
    stoa_free(got);
    put_late(paths[1], NROWS, NROWS - 1, "x");
    put_late(paths[2], NROWS, NROWS - 1, "12.5");
    got = inferred(paths + 1, 1, NULL);
    assert_string_equal(got, "n int64, t utf8, v utf8");
    stoa_free(got);
    put_late(paths[0], 10, 11, ""); /* of many inputs it is the first and the last */
    got = inferred(paths, 3, NULL);
    assert_string_equal(got, "n int64, t utf8, v float64");
    stoa_free(got);
}

static void evidence_of_a_window_names_a_byte(void **state)
{
    (void)state;
    enum { NROWS = 200000 };
    static const char *const path = "t.csv";
    struct stoa_schema schema = {0};
    char *evidence;

    put_late(path, NROWS, NROWS - 1, "x");
    assert_int_equal(stoa_csv_infer(&path, 1, NULL, &schema, &evidence, NULL), STOA_OK);
    assert_non_null(strstr(evidence, "\"decided_by\": \"\\\"x\\\" behind byte 6399974\"}"));
    stoa_free(evidence);
    stoa_schema_reset(&schema);
}

static enum stoa_status infers(void *context, struct stoa_error *err)
{
    static const char *const paths[] = {"0.csv", "1.csv", "2.tar"};
    struct stoa_schema schema = {0};
    char *evidence = NULL;
    enum stoa_status st = stoa_csv_infer(paths, 3, NULL, &schema, &evidence, err);

    (void)context;
    if (st == STOA_OK) /* all members were looked at */
        assert_int_equal(schema.nfields, 4);
    stoa_free(evidence);
    stoa_schema_reset(&schema);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_buffer tar = {0};

    put("0.csv", "a,a,\"b\"\"\"\n1,2,2024-01-01T00:00:00Z\n");
    put("1.csv", "a,a,\"b\"\"\"\n1,x,2024-01-01T00:00:00Z\n");
    stoa_test_tar_add(&tar, "x.csv", '0', "a\n2\n", 4);
    stoa_test_tar_add(&tar, "y.csv", '0', "c\n2\n", 4);
    stoa_test_tar_end(&tar);
    stoa_test_folder_put("2.tar", tar.data, tar.nbytes);
    stoa_buffer_free(&tar);
    stoa_test_each_failing_alloc(infers, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_narrowest_type_that_keeps_every_value_is_taken),
        TEST(where_all_is_quoted_quotes_tell_nothing),
        TEST(names_come_from_the_header),
        TEST(many_equal_names_are_numbered_in_no_time),
        TEST(options_that_contradict_each_other_are_refused),
        TEST(delimiters_that_no_text_can_have_are_refused),
        TEST(all_inputs_decide_each_column_by_name),
        TEST(messages_name_the_file_once),
        TEST(a_record_larger_than_the_sample_is_looked_at),
        TEST(a_sample_that_ends_in_quotes_is_no_error),
        TEST(evidence_says_why),
        TEST(the_form_of_timestamps_is_kept),
        TEST(a_value_behind_the_head_is_seen_by_a_window),
        TEST(evidence_of_a_window_names_a_byte),
        TEST(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
