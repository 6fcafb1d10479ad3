/* Writing: quoting, and tables of every type that are written and read back equal. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "column/schema.h"
#include "csv/csv.h"
#include "support/csv_rows.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/folder.h"
#include "support/gen_table.h"

static const char *const path = "t.csv";

/* A batch as CSV with its header, terminated. */
static char *written(const struct stoa_csv_write_options *options, const struct stoa_batch *batch,
                     size_t *nbytes)
{
    struct stoa_error err = {0};
    char *text = NULL;
    enum stoa_status st;

    *nbytes = 0;
    st = stoa_csv_format_header(options, batch->schema, &text, nbytes, &err);
    if (st == STOA_OK)
        st = stoa_csv_format(options, batch, &text, nbytes, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(st, STOA_OK);
    assert_int_equal(stoa_realloc(&text, *nbytes + 1, 1, NULL), STOA_OK);
    text[*nbytes] = '\0';
    return text;
}

/* A text with semicolons, read under a schema. */
static void read_text(const char *text, const char *schema_text, struct stoa_schema *schema,
                      struct stoa_batch *batch)
{
    const struct stoa_csv_options in = {.delimiter = ';'};
    struct stoa_error err = {0};

    stoa_test_folder_put(path, text, strlen(text));
    stoa_test_schema_parse(schema_text, schema);
    assert_int_equal(stoa_test_csv_read(&path, 1, &in, schema, NULL, batch, &err), STOA_OK);
}

/* What is read under a schema comes out as `expected`. */
static void assert_written_as(const char *text, const char *schema_text,
                              const struct stoa_csv_write_options *out, const char *expected)
{
    struct stoa_schema schema;
    struct stoa_batch batch;
    size_t nbytes;
    char *got;

    read_text(text, schema_text, &schema, &batch);
    got = written(out, &batch, &nbytes);
    assert_string_equal(got, expected);
    stoa_free(got);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void assert_written(const char *text, const char *schema_text, char delimiter,
                           const char *expected)
{
    assert_written_as(text, schema_text, &(struct stoa_csv_write_options){.delimiter = delimiter},
                      expected);
}

static void quotes_stand_only_where_they_are_needed(void **state)
{
    (void)state;
    assert_written("a;b\nx;1\n;2\n\"\";NA\n", "a utf8, b int64", 0, "a,b\nx,1\n,2\n\"\",\n");
    assert_written("a\nx,y\n\"q\"\"r\"\n\"l\nf\"\n\"c\rr\"\n x\nx \n\"x;y\"\n", "a utf8", 0,
                   "a\n\"x,y\"\n\"q\"\"r\"\n\"l\nf\"\n\"c\rr\"\n\" x\"\n\"x \"\nx;y\n");
    assert_written("a\nx,y\n\"x;y\"\n", "a utf8", ';', "a\nx,y\n\"x;y\"\n");
    assert_written("a\n\n\"\"\n", "a utf8", 0, "a\n\n\"\"\n");
    assert_written("a\n\n\"\"\n", "a binary", 0, "a\n\n\"\"\n");
    assert_written("a\n\xef\xbb\xbfx\n\xef\xbc\x81\n", "a utf8", 0,
                   "a\n\"\xef\xbb\xbfx\"\n\xef\xbc\x81\n");
    assert_written("x,\"y\"\n1\n", "x,\"y\" int64", 0, "\"x,\"\"y\"\"\"\n1\n");
    assert_written("a;b\ntrue;-1.50\n", "a bool, b decimal(9,2)", '\t', "a\tb\ntrue\t-1.50\n");
}

static void values_that_hold_the_delimiter_are_quoted(void **state)
{
    (void)state;
    assert_written("a;b\n1.5;-2\n", "a float64, b int64", '.', "a.b\n\"1.5\".-2\n");
    assert_written("a;b\n1.5;-2\n", "a float64, b int64", '-', "a-b\n1.5-\"-2\"\n");
    assert_written("a;b\n2024-01-01 01:02:03;AP8=\n", "a timestamp(s), b binary", ':',
                   "a:b\n\"2024-01-01 01:02:03\":AP8=\n");
    assert_written("a;b\n2024-01-01 01:02:03;AP8=\n", "a timestamp(s), b binary", '=',
                   "a=b\n2024-01-01 01:02:03=\"AP8=\"\n");
    assert_written("a;b\ntrue;1\n", "a bool, b int64", 'u', "aub\n\"true\"u1\n");
}

static void every_option_has_its_bytes(void **state)
{
    (void)state;
    static const char text[] = "a;b;c;d\nx,y;1;2024-01-31;true\n;;;\n\"\";-2;2024-02-01;false\n";
    static const struct {
        struct stoa_csv_write_options options;
        const char *expected;
    } cases[] = {
        {{0}, "a,b,c,d\n\"x,y\",1,2024-01-31,true\n,,,\n\"\",-2,2024-02-01,false\n"},
        {{.quoting = STOA_CSV_QUOTE_ALL},
         "\"a\",\"b\",\"c\",\"d\"\n\"x,y\",\"1\",\"2024-01-31\",\"true\"\n,,,\n"
         "\"\",\"-2\",\"2024-02-01\",\"false\"\n"},
        {{.quoting = STOA_CSV_QUOTE_NONNUMERIC},
         "\"a\",\"b\",\"c\",\"d\"\n\"x,y\",1,\"2024-01-31\",true\n,,,\n"
         "\"\",-2,\"2024-02-01\",false\n"},
        {{.quoting = STOA_CSV_QUOTE_NONE, .delimiter = '\t', .null_text = "\\N"},
         "a\tb\tc\td\nx,y\t1\t2024-01-31\ttrue\n\\N\t\\N\t\\N\t\\N\n\t-2\t2024-02-01\tfalse\n"},
        {{.crlf = true, .bom = true, .delimiter = ';'},
         "\xef\xbb\xbf"
         "a;b;c;d\r\nx,y;1;2024-01-31;true\r\n;;;\r\n\"\";-2;2024-02-01;false\r\n"},
        {{.no_header = true, .null_text = "NULL"},
         "\"x,y\",1,2024-01-31,true\nNULL,NULL,NULL,NULL\n\"\",-2,2024-02-01,false\n"},
        {{.null_text = "-2"},
         "a,b,c,d\n\"x,y\",1,2024-01-31,true\n-2,-2,-2,-2\n\"\",\"-2\",2024-02-01,false\n"},
        {{.null_text = "true", .quoting = STOA_CSV_QUOTE_NONNUMERIC, .no_header = true},
         "\"x,y\",1,\"2024-01-31\",\"true\"\ntrue,true,true,true\n"
         "\"\",-2,\"2024-02-01\",false\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_written_as(text, "a utf8, b int64, c date32, d bool", &cases[i].options,
                          cases[i].expected);
}

static void what_looks_like_null_or_a_comment_is_quoted(void **state)
{
    (void)state;
    const struct stoa_csv_write_options na = {.null_text = "NA"};

    assert_written_as("a;b\nNA;x\n;NA\nNAN;\n", "a utf8, b enum(NA,x)", &na,
                      "a,b\n\"NA\",x\nNA,\"NA\"\nNAN,NA\n");
    assert_written("a;b\n#x;#y\nx#;\n", "a utf8, b utf8", 0, "a,b\n\"#x\",#y\nx#,\n");
    assert_written("#a;b\n1;2\n", "#a int64, b int64", 0, "\"#a\",b\n1,2\n");
}

static void texts_that_begin_a_formula_get_an_apostrophe(void **state)
{
    (void)state;
    const struct stoa_csv_write_options safe = {.safe_spreadsheet = true};
    const struct stoa_csv_write_options all = {.safe_spreadsheet = true,
                                               .quoting = STOA_CSV_QUOTE_ALL};
    static const char text[] = "=a;b\n=1+2;-1\n+x;-2\n-x;3\n@x;4\n\tx;5\n\"\rx\";6\nx=;7\n"
                               "\"=\"\"a\"\"\";8\n;9\n";

    assert_written_as(text, "=a utf8, b int64", &safe,
                      "'=a,b\n'=1+2,-1\n'+x,-2\n'-x,3\n'@x,4\n'\tx,5\n\"'\rx\",6\nx=,7\n"
                      "\"'=\"\"a\"\"\",8\n,9\n");
    assert_written_as("a;b\n=1;-1\n", "a utf8, b int64", &all, "\"a\",\"b\"\n\"'=1\",\"-1\"\n");
    assert_written_as("a\n-1\n", "a enum(-1)", &safe, "a\n'-1\n");
}

/* Without quotes `text` can't be written, and the error says why. */
static void assert_refused(const char *text, const char *schema_text,
                           const struct stoa_csv_write_options *options, uint64_t row,
                           const char *why)
{
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err = {0};
    char *got = NULL;
    size_t nbytes = 0;

    read_text(text, schema_text, &schema, &batch);
    assert_int_equal(stoa_csv_format(options, &batch, &got, &nbytes, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, why);
    assert_int_equal(err.offset, row);
    assert_int_equal(nbytes, 0);
    stoa_free(got);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void what_needs_quotes_is_refused_without_them(void **state)
{
    (void)state;
    const struct stoa_csv_write_options none = {.quoting = STOA_CSV_QUOTE_NONE};
    const struct stoa_csv_write_options null = {.quoting = STOA_CSV_QUOTE_NONE, .null_text = "-"};
    const struct stoa_csv_write_options point = {.quoting = STOA_CSV_QUOTE_NONE, .delimiter = '.'};
    const struct stoa_csv_write_options equals = {.quoting = STOA_CSV_QUOTE_NONE, .delimiter = '='};

    assert_written_as("a;b\nx\"y;\"\"\"\"\n x ;#\n;\xef\xbb\xbf\n", "a utf8, b utf8", &none,
                      "a,b\nx\"y,\"\n x ,#\n,\xef\xbb\xbf\n");
    assert_refused("a\nx\nx,y\n", "a utf8", &none, 1,
                   "column a: \"x,y\" can't be written without quotes: it holds the delimiter");
    assert_refused("a;b\nx;\"y\nz\"\n", "a utf8, b utf8", &none, 0,
                   "column b: \"y\\x0az\" can't be written without quotes: it holds a line end");
    assert_refused("a\n\"\r\"\n", "a utf8", &none, 0,
                   "column a: \"\\x0d\" can't be written without quotes: it holds a line end");
    assert_refused("a\n\"\"\n", "a utf8", &none, 0,
                   "column a: \"\" can't be written without quotes: it would be read as null "
                   "(unless null gets a text of its own)");
    assert_refused("a\n\"\"\n", "a binary", &none, 0,
                   "column a: \"\" can't be written without quotes: it would be read as null "
                   "(unless null gets a text of its own)");
    assert_refused("a\n-\n", "a utf8", &null, 0,
                   "column a: \"-\" can't be written without quotes: it is the text of null");
    assert_refused("a\n\n\n1.5\n", "a float64", &point, 2,
                   "column a: \"1.5\" can't be written without quotes: it holds the delimiter");
    assert_refused("a\nAP8=\n", "a binary", &equals, 0,
                   "column a: \"AP8=\" can't be written without quotes: it holds the delimiter");
    assert_refused("a\nx,y\n", "a enum(\"x,y\")", &none, 0,
                   "column a: \"x,y\" can't be written without quotes: it holds the delimiter");
}

static void text_is_encoded(void **state)
{
    (void)state;
    static const char text[] = "a;b\n\xc3\xa4;1\n";
    static const struct {
        struct stoa_csv_write_options options;
        const char *bytes;
        size_t nbytes;
    } cases[] = {
        {{.encoding = "latin1"}, "a,b\n\xe4,1\n", 8},
        {{.encoding = "utf-8"}, "a,b\n\xc3\xa4,1\n", 9},
        {{.encoding = "UTF-16", .no_header = true}, "\xff\xfe\xe4\0,\0001\0\n\0", 10},
        {{.encoding = "UTF-16BE", .no_header = true}, "\0\xe4\0,\0001\0\n", 8},
        {{.encoding = "UTF-16BE", .no_header = true, .bom = true},
         "\xfe\xff\0\xe4\0,\0001\0\n",
         10},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema;
        struct stoa_batch batch;
        size_t nbytes;
        char *got;

        read_text(text, "a utf8, b int64", &schema, &batch);
        got = written(&cases[i].options, &batch, &nbytes);
        assert_int_equal(nbytes, cases[i].nbytes);
        assert_memory_equal(got, cases[i].bytes, nbytes);
        stoa_free(got);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
    assert_refused("a\nx\n\xe2\x82\xac\n", "a utf8",
                   &(struct stoa_csv_write_options){.encoding = "latin1"}, 1,
                   "latin1 has no \"\xe2\x82\xac\"");
}

/* The number of a row is that of all rows of the sink. */
static void the_sink_names_the_row_that_it_refuses(void **state)
{
    (void)state;
    const struct stoa_csv_write_options none = {.quoting = STOA_CSV_QUOTE_NONE};
    static const char *const texts[] = {"a\nx\ny\n", "a\nz\nu,v\n"};
    struct stoa_sink *memory = NULL;
    struct stoa_batch_sink *sink = NULL;
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err = {0};
    void *item;

    assert_int_equal(stoa_sink_create_memory(&memory, &err), STOA_OK);
    stoa_test_schema_parse("a utf8", &schema);
    assert_int_equal(stoa_csv_sink_open(memory, &none, NULL, &schema, &sink, &err), STOA_OK);
    stoa_schema_reset(&schema);
    for (uint64_t i = 0; i < 2; i++) {
        read_text(texts[i], "a utf8", &schema, &batch);
        assert_int_equal(sink->prepare(sink, i, &batch, &item, &err), STOA_OK);
        assert_int_equal(sink->commit(sink, item, &err), i == 0 ? STOA_OK : STOA_ERR_DATA);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
    assert_string_equal(err.message, "row 4: column a: \"u,v\" can't be written without quotes: it "
                                     "holds the delimiter");
    assert_int_equal(err.offset, STOA_NO_OFFSET);
    sink->close(sink);
    stoa_sink_close(memory);
}

static void options_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct stoa_csv_write_options options;
        const char *message;
    } cases[] = {
        {{.delimiter = '"'},
         "the delimiter \"\"\" can't be written: it must be an ASCII character other than a "
         "double quote or a line end"},
        {{.delimiter = '\xe4'},
         "the delimiter \"\\xe4\" can't be written: it must be an ASCII character other than a "
         "double quote or a line end"},
        {{.null_text = "a,b"},
         "null can't be written as \"a,b\": its text has no quote, delimiter or line end, and is "
         "UTF-8"},
        {{.null_text = "\xff"},
         "null can't be written as \"\\xff\": its text has no quote, delimiter or line end, and is "
         "UTF-8"},
        {{.quoting = (enum stoa_csv_quoting)4}, "there is no quoting 4"},
    };
    struct stoa_schema schema;

    stoa_test_schema_parse("a int64", &schema);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};
        char *text = NULL;
        size_t nbytes = 0;

        assert_int_equal(stoa_csv_format_header(&cases[i].options, &schema, &text, &nbytes, &err),
                         STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
    }
    stoa_schema_reset(&schema);
}

static void floats_have_their_shortest_form(void **state)
{
    (void)state;
    assert_written("a;b\n0.1000;1e16\n1;-0.0\nnan;-inf\n1e-7;5e-324\n", "a float64, b float64", 0,
                   "a,b\n0.1,1e16\n1.0,-0.0\nNaN,-Infinity\n1e-7,5e-324\n");
    assert_written("a\n0.1\n16777217\n", "a float32", 0, "a\n0.1\n16777216.0\n");
}

static void spans_of_time_are_iso_8601(void **state)
{
    (void)state;
    assert_written("a;b\nP1DT1.50S;P14M-3D\n-PT1M;PT0S\n", "a duration(ms), b interval", 0,
                   "a,b\nPT24H1.5S,P1Y2M-3D\nPT-1M,PT0S\n");
}

static void timestamps_keep_the_t_they_were_read_with(void **state)
{
    (void)state;
    static const char text[] = "a,b\n2024-01-01T00:00:00Z,2024-01-01 00:00:00.5\n";
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    size_t nbytes;
    char *got;

    stoa_test_folder_put(path, text, strlen(text));
    assert_int_equal(stoa_test_csv_read(&path, 1, NULL, NULL, &schema, &batch, &err), STOA_OK);
    got = written(NULL, &batch, &nbytes);
    assert_string_equal(got, "a,b\n2024-01-01T00:00:00Z,2024-01-01 00:00:00.500\n");
    stoa_free(got);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* CSV has one text for every NaN, and it reads back as the usual one. */
static void make_nans_usual(struct stoa_batch *batch)
{
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        uint8_t *values = batch->columns[i].values;

        for (size_t row = 0; row < batch->nrows; row++) {
            double x;
            float y;
            uint16_t z;

            if (batch->schema->fields[i].type.id == STOA_FLOAT64) {
                memcpy(&x, values + 8 * row, 8);
                x = isnan(x) ? (double)NAN : x;
                memcpy(values + 8 * row, &x, 8);
            } else if (batch->schema->fields[i].type.id == STOA_FLOAT32) {
                memcpy(&y, values + 4 * row, 4);
                y = isnan(y) ? NAN : y;
                memcpy(values + 4 * row, &y, 4);
            } else if (batch->schema->fields[i].type.id == STOA_FLOAT16) {
                memcpy(&z, values + 2 * row, 2);
                z = (z & 0x7fff) > 0x7c00 ? 0x7e00 : z;
                memcpy(values + 2 * row, &z, 2);
            }
        }
    }
}

/* "x TYPE" with a pattern, in a text with semicolons; the pattern reads what is written. */
static void dates_and_times_keep_the_pattern_they_were_read_with(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *pattern;
        const char *text;
        const char *expected;
    } cases[] = {
        {"x date32", "%d/%m/%Y", "x\n12/03/2024\n1/2/0001\n\n31/12/9999\n",
         "x\n12/03/2024\n01/02/0001\n\n31/12/9999\n"},
        {"x date32", "%Y-%d-%m", "x\n2024-02-03\n", "x\n2024-02-03\n"},
        {"x date32", "%b %-d, %Y", "x\nMay 3, 1969\n", "x\n\"May 3, 1969\"\n"},
        {"x time(s)", "%I.%M %p", "x\n12.30 AM\n1.00 PM\n", "x\n12.30 AM\n01.00 PM\n"},
        {"x time(us)", "%H:%M:%S,%f", "x\n23:59:59,25\n", "x\n\"23:59:59,250000\"\n"},
        {"x timestamp(ms)", "%d.%m.%Y %H:%M:%S.%f", "x\n31.12.1969 23:59:59.9\n",
         "x\n31.12.1969 23:59:59.900\n"},
        {"x timestamp(s,UTC)", "%d/%b/%Y:%H:%M:%S %z", "x\n10/Oct/2000:13:55:36 -0700\n",
         "x\n10/Oct/2000:20:55:36 Z\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stoa_csv_options in = {.delimiter = ';'};
        struct stoa_schema schema = {0};
        struct stoa_batch batch = {0}, back = {0};
        char *got, *rows, *rows_back;
        size_t nbytes;

        stoa_test_schema_parse(cases[i].schema, &schema);
        assert_int_equal(stoa_metadata_set(&schema.fields[0].metadata, STOA_METADATA_CSV_FORMAT,
                                           cases[i].pattern, NULL),
                         STOA_OK);
        stoa_test_folder_put(path, cases[i].text, strlen(cases[i].text));
        assert_int_equal(stoa_test_csv_read(&path, 1, &in, &schema, NULL, &batch, NULL), STOA_OK);
        got = written(NULL, &batch, &nbytes);
        assert_string_equal(got, cases[i].expected);
        stoa_test_folder_put(path, got, nbytes);
        assert_int_equal(stoa_test_csv_read(&path, 1, NULL, &schema, NULL, &back, NULL), STOA_OK);
        rows = stoa_test_rows_text(&batch);
        rows_back = stoa_test_rows_text(&back);
        assert_string_equal(rows_back, rows);
        stoa_free(rows);
        stoa_free(rows_back);
        stoa_free(got);
        stoa_batch_reset(&batch);
        stoa_batch_reset(&back);
        stoa_schema_reset(&schema);
    }
}

static void tables_of_every_type_read_back_equal(void **state)
{
    (void)state;
    static const char delimiters[] = ",,,;\t|:-. aE1";
    struct stoa_test_random r;

    stoa_test_random_init(&r, "tables_of_every_type_read_back_equal");
    for (size_t n = stoa_test_ncases(400); n > 0; n--) {
        const struct stoa_csv_options options = {
            .delimiter = delimiters[stoa_test_random_below(&r, sizeof(delimiters) - 1)],
            .header_nrecords = stoa_test_random_one_in(&r, 3) ? -1 : 0,
            .unit_nrows = (uint32_t)stoa_test_random_between(&r, 1, 300),
        };
        const struct stoa_csv_write_options out = {
            .delimiter = options.delimiter,
            .quoting = (enum stoa_csv_quoting)stoa_test_random_below(&r, STOA_CSV_QUOTE_NONE),
            .crlf = stoa_test_random_one_in(&r, 2),
            .no_header = options.header_nrecords < 0,
            .bom = stoa_test_random_one_in(&r, 4),
        };
        struct stoa_schema schema = {0};
        struct stoa_batch batch, back;
        struct stoa_error err = {0};
        size_t nbytes;
        char *text;

        stoa_test_gen_any_schema(&r, (uint32_t)stoa_test_random_between(&r, 1, 6), 1, &schema);
        stoa_test_gen_batch(&r, &schema, (size_t)stoa_test_random_below(&r, 200), &batch);
        make_nans_usual(&batch);
        text = written(&out, &batch, &nbytes);
        stoa_test_folder_put(path, text, nbytes);
        assert_int_equal(stoa_test_csv_read(&path, 1, &options, &schema, NULL, &back, &err),
                         STOA_OK);
        assert_true(stoa_batch_equal(&batch, &back));
        stoa_free(text);
        stoa_batch_reset(&back);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void types_without_a_text_form_are_refused(void **state)
{
    (void)state;
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err = {0};
    char *text = NULL;
    size_t nbytes = 0;

    stoa_test_schema_parse("a int64, b fixed_list<float16,2>", &schema);
    assert_int_equal(stoa_batch_init(&batch, &schema, &err), STOA_OK);
    assert_int_equal(stoa_csv_format(NULL, &batch, &text, &nbytes, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message,
                        "column b: CSV can't hold fixed_list<float16,2> but as JSON text (--nested "
                        "json); JSON lines (jsonl) can");
    assert_int_equal(stoa_csv_format_header(&(struct stoa_csv_write_options){.delimiter = '\r'},
                                            &schema, &text, &nbytes, &err),
                     STOA_ERR_USAGE);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* Two columns of CSV may not be called the same. */
static void names_of_nested_columns_must_differ(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *message;
    } cases[] = {
        {"a struct<b:int8>, a.b int8", "a.b"},
        {"a.b.c int8, x int8, a struct<b:struct<c:int8>>", "a.b.c"},
        {"a struct<\"b.c\":int8,b:struct<c:int8,d:int8>>", "a.b.c"},
        {"a.b struct<c:list<int8>>, a struct<\"b.c\":int8>", "a.b.c"},
    };
    const struct stoa_csv_write_options options = {.nested = STOA_CSV_NESTED_JSON};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema;
        struct stoa_error err = {0};
        char *text = NULL, expected[160];
        size_t nbytes = 0;

        stoa_test_schema_parse(cases[i].schema, &schema);
        assert_int_equal(stoa_csv_format_header(&options, &schema, &text, &nbytes, &err),
                         STOA_ERR_USAGE);
        snprintf(expected, sizeof(expected),
                 "in CSV two columns would be called %s: a struct's field and another column "
                 "(select one of them)",
                 cases[i].message);
        assert_string_equal(err.message, expected);
        stoa_schema_reset(&schema);
    }
}

/* Generated tables with nested columns, in a place where each allocation may fail. */
static enum stoa_status writes_nested(void *context, struct stoa_error *err)
{
    static const struct stoa_csv_write_options options = {.nested = STOA_CSV_NESTED_JSON};
    const struct stoa_batch *batch = context;
    char *text = NULL;
    size_t nbytes = 0;
    enum stoa_status st = stoa_csv_format_header(&options, batch->schema, &text, &nbytes, err);

    if (st == STOA_OK)
        st = stoa_csv_format(&options, batch, &text, &nbytes, err);
    stoa_free(text);
    return st;
}

static void failing_allocations_of_nested_columns_are_reported(void **state)
{
    (void)state;
    struct stoa_test_random r;
    struct stoa_schema schema;
    struct stoa_batch batch;

    stoa_test_random_init(&r, "failing_allocations_of_nested_columns_are_reported");
    stoa_test_schema_parse("a struct<b:utf8,c:struct<d:list<int64>>>, e map<utf8,date32>", &schema);
    stoa_test_gen_batch(&r, &schema, 300, &batch);
    stoa_test_each_failing_alloc(writes_nested, &batch);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

struct job {
    struct stoa_schema schema;
    struct stoa_test_random random;
    struct stoa_test_io_fault fault;
};

/* Two batches through the steps of the sink, into memory. */
static enum stoa_status writes(void *context, struct stoa_error *err)
{
    static const struct stoa_csv_write_options options = {.encoding = "UTF-16"};
    struct job *job = context;
    struct stoa_sink *memory = NULL;
    struct stoa_batch_sink *sink = NULL;
    struct stoa_batch batches[2] = {{0}};
    void *item = NULL;
    enum stoa_status st;

    st = stoa_sink_create_memory(&memory, err);
    if (st != STOA_OK)
        return st;
    memory = stoa_test_faulty_sink(memory, &job->fault);
    st = stoa_csv_sink_open(memory, &options, NULL, &job->schema, &sink, err);
    for (uint64_t i = 0; st == STOA_OK && i < 2; i++) {
        st = stoa_batch_init(&batches[i], &job->schema, err);
        if (st == STOA_OK)
            st = sink->prepare(sink, i, &batches[i], &item, err);
        if (st == STOA_OK)
            st = sink->commit(sink, item, err);
    }
    if (st == STOA_OK)
        st = sink->finish(sink, err);
    if (sink != NULL)
        sink->close(sink);
    stoa_sink_close(memory);
    stoa_batch_reset(&batches[0]);
    stoa_batch_reset(&batches[1]);
    return st;
}

static void failing_writes_and_allocations_are_reported(void **state)
{
    (void)state;
    struct job job = {0};
    struct stoa_error err = {0};

    stoa_test_schema_parse("a int64, \"b\" utf8", &job.schema);
    stoa_test_each_failing_alloc(writes, &job);
    for (uint64_t at = 1; at <= 3; at++) {
        job.fault = (struct stoa_test_io_fault){.fail_at = at, .os_errno = ENOSPC};
        assert_int_equal(writes(&job, &err), STOA_ERR_IO);
    }
    stoa_schema_reset(&job.schema);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(quotes_stand_only_where_they_are_needed),
        TEST(values_that_hold_the_delimiter_are_quoted),
        TEST(every_option_has_its_bytes),
        TEST(what_looks_like_null_or_a_comment_is_quoted),
        TEST(texts_that_begin_a_formula_get_an_apostrophe),
        TEST(what_needs_quotes_is_refused_without_them),
        TEST(text_is_encoded),
        TEST(the_sink_names_the_row_that_it_refuses),
        TEST(options_that_cannot_be_are_refused),
        TEST(floats_have_their_shortest_form),
        TEST(spans_of_time_are_iso_8601),
        TEST(timestamps_keep_the_t_they_were_read_with),
        TEST(dates_and_times_keep_the_pattern_they_were_read_with),
        TEST(tables_of_every_type_read_back_equal),
        TEST(types_without_a_text_form_are_refused),
        TEST(names_of_nested_columns_must_differ),
        TEST(failing_allocations_of_nested_columns_are_reported),
        TEST(failing_writes_and_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
