/* The source: values and messages, units, many inputs, projection, threads, faults. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/csv_model.h"
#include "support/csv_rows.h"
#include "support/fault_alloc.h"
#include "support/folder.h"
#include "support/random.h"

static void put(const char *path, const char *text)
{
    stoa_test_folder_put(path, text, strlen(text));
}

/* The rows of t.csv under a schema (NULL: inferred) as JSON lines, or the message. */
static char *rows_of(const char *schema_text, const struct stoa_csv_options *options,
                     struct stoa_error *err)
{
    static const char *const path = "t.csv";
    struct stoa_schema schema = {0}, inferred = {0};
    struct stoa_batch batch = {0};
    char *text = NULL;

    if (schema_text != NULL)
        stoa_test_schema_parse(schema_text, &schema);
    if (stoa_test_csv_read(&path, 1, options, schema_text != NULL ? &schema : NULL, &inferred,
                           &batch, err) == STOA_OK) {
        assert_int_equal(stoa_batch_validate(&batch, err), STOA_OK);
        text = stoa_test_rows_text(&batch);
    } else {
        assert_int_equal(stoa_strndup(&text, err->message, strlen(err->message), NULL), STOA_OK);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&inferred);
    stoa_schema_reset(&schema);
    return text;
}

static void assert_rows(const char *text, const char *schema_text, const char *expected)
{
    struct stoa_error err = {0};
    char *got;

    put("t.csv", text);
    got = rows_of(schema_text, NULL, &err);
    assert_string_equal(got, expected);
    stoa_free(got);
}

/* One column "x" beside a "y", under a given schema: by value, whatever the text looks like. */
static void a_given_type_takes_what_it_can_hold(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *text;
        const char *json; /* NULL: refused */
    } cases[] = {
        {"int64", "007", "7"},
        {"int64", "-0", "0"},
        {"int64", "\"5\"", "5"},
        {"int64", "\"\"", "null"},
        {"int64", "\"NA\"", "null"},
        {"int64", "#N/A", "null"},
        {"int64", "1.0", NULL},
        {"int64", "9223372036854775808", NULL},
        {"int64", " 1", NULL},
        {"int64", "na", NULL},
        {"int8", "-128", "-128"},
        {"int8", "128", NULL},
        {"int16", "-32769", NULL},
        {"int32", "2147483647", "2147483647"},
        {"int32", "2147483648", NULL},
        {"uint8", "256", NULL},
        {"uint16", "65535", "65535"},
        {"uint32", "4294967296", NULL},
        {"uint64", "18446744073709551615", "18446744073709551615"},
        {"uint64", "-1", NULL},
        {"float64", "1e5", "100000.0"},
        {"float64", "12345678901234567890", "1.2345678901234567e19"},
        {"float64", "NaN", "\"NaN\""},
        {"float64", "-inf", "\"-Infinity\""},
        {"float64", "1e309", NULL},
        {"float64", "0x10", NULL},
        {"float32", "0.1", "0.1"},
        {"float32", "1e39", NULL},
        {"float16", "0.1", "0.1"},
        {"float16", "65519", "65500.0"},
        {"float16", "65520", NULL},
        {"float16", "-Inf", "\"-Infinity\""},
        {"decimal(76,1)", "-123456789012345678901234567890123456789012345678901234567890123456.7",
         "-123456789012345678901234567890123456789012345678901234567890123456.7"},
        {"decimal(40,39)", "10", NULL},
        {"duration(s)", "PT1H30M", "\"PT1H30M\""},
        {"duration(ms)", "P1DT0.5S", "\"PT24H0.5S\""},
        {"duration(s)", "PT0.5S", NULL},
        {"duration(s)", "90", NULL},
        {"duration(s)", "NA", "null"},
        {"interval", "P1Y2M3DT4.000000005S", "\"P1Y2M3DT4.000000005S\""},
        {"interval", "-P1M", "\"P-1M\""},
        {"interval", "1 month", NULL},
        {"interval", "NULL", "null"},
        {"decimal(5,2)", "1.5", "1.50"},
        {"decimal(5,2)", "1.50e1", "15.00"},
        {"decimal(5,2)", "1.505", NULL},
        {"decimal(5,2)", "1000", NULL},
        {"bool", "True", "true"},
        {"bool", "1", NULL},
        {"date32", "2024-02-29", "\"2024-02-29\""},
        {"date32", "2024-2-29", NULL},
        {"time(ms)", "12:00:00.5", "\"12:00:00.500\""},
        {"time(s)", "12:00:00.5", NULL},
        {"time(ns)", "12:00:00.123456789", "\"12:00:00.123456789\""},
        {"timestamp(s)", "2024-02-29T01:02:03", "\"2024-02-29T01:02:03\""},
        {"timestamp(s)", "2024-02-29T01:02:03Z", NULL},
        {"timestamp(s)", "2024-02-29 01:02:03.5", NULL},
        {"timestamp(s,UTC)", "2024-02-29T01:02:03+01:00", "\"2024-02-29T00:02:03Z\""},
        {"timestamp(s,UTC)", "2024-02-29T01:02:03", NULL},
        {"uuid", "123E4567-e89b-12d3-a456-426614174000",
         "\"123e4567-e89b-12d3-a456-426614174000\""},
        {"uuid", "123e4567e89b12d3a456426614174000", NULL},
        {"uuid", "123e4567-e89b-12d3-a456-42661417400g", NULL},
        {"uuid", "123e4567-e89b-12d3-a456-426614174000-", NULL},
        {"enum(a,NA,\"b c\")", "b c", "\"b c\""},
        {"enum(a,NA,\"b c\")", "NA", "\"NA\""},
        {"enum(a,NA,\"b c\")", "NULL", "null"},
        {"enum(a,NA,\"b c\")", "b", NULL},
        {"enum(a,NA,\"b c\")", "\"\"", "null"},
        {"enum(\"\",\"x\"\"y\")", "\"\"", "\"\""},
        {"enum(\"\",\"x\"\"y\")", "\"x\"\"y\"", "\"x\\\"y\""},
        {"enum(\"\",\"x\"\"y\")", "x\"y", "\"x\\\"y\""},
        {"enum(\"\",\"x\"\"y\")", "x\"\"y", NULL},
        {"utf8", "NA", "\"NA\""},
        {"utf8", "\"\"", "\"\""},
        {"utf8", "\"a\"\"b\"", "\"a\\\"b\""},
        {"utf8", " a ", "\" a \""},
        {"utf8", "5\" pipe", "\"5\\\" pipe\""},
        {"binary", "AP8=", "\"AP8=\""},
        {"binary", "\"\"", "\"\""},
        {"binary", "AP8", NULL},
        {"binary", "NA", NULL},
        {"binary", "NULL", "\"NULL\""},
        {"binary", "AP9=", NULL},
        {"fixed_binary(2)", "AP8=", "\"AP8=\""},
        {"fixed_binary(2)", "APAA", NULL},
        {"fixed_binary(2)", "\"\"", "null"},
        {"fixed_binary(4)", "AAECAw==", "\"AAECAw==\""},
        {"null", "NA", "null"},
        {"null", "1", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128], schema[64], expected[256], shown[64];
        size_t n = strlen(cases[i].text);
        bool quoted = cases[i].text[0] == '"';

        snprintf(text, sizeof(text), "x,y\n%s,1\n", cases[i].text);
        snprintf(schema, sizeof(schema), "x %s, y int64", cases[i].type);
        snprintf(shown, sizeof(shown), "%.*s", (int)(quoted ? n - 2 : n), cases[i].text + quoted);
        if (cases[i].json != NULL)
            snprintf(expected, sizeof(expected), "{\"x\":%s,\"y\":1}\n", cases[i].json);
        else
            snprintf(expected, sizeof(expected), "t.csv: line 2, column 1 (x): \"%s\" is not %s",
                     shown, cases[i].type);
        assert_rows(text, schema, expected);
    }
}

/*
 * The sample of inference is 20,480 records, so a value behind them meets a type that it had no
 * say in: it must fit with all that its text says.
 */
static void an_inferred_type_takes_only_what_it_gives_back(void **state)
{
    (void)state;
    static const struct {
        const char *sampled;
        const char *late;
        const char *message; /* NULL: taken */
    } cases[] = {
        {"1", "-1", NULL},
        {"1", "007", "\"007\" is not int64"},
        {"1", "+7", "\"+7\" is not int64"},
        {"1", "-0", "\"-0\" is not int64"},
        {"1", "1.5", "\"1.5\" is not int64"},
        {"1", "NA", NULL},
        {"18446744073709551615", "-0", "\"-0\" is not uint64"},
        {"1.5", "2", NULL},
        {"1.5", "-0", NULL},
        {"1.5", "9007199254740991", NULL},
        {"1.5", "9007199254740993", "\"9007199254740993\" is not float64"},
        {"1.5", "-12345678901234567", "\"-12345678901234567\" is not float64"},
        {"1.5", "0.123456789012345678", "\"0.123456789012345678\" is not float64"},
        {"1.5", "00.5", "\"00.5\" is not float64"},
        {"1.5", "+0.5", "\"+0.5\" is not float64"},
        {"1.5", "1e-400", "\"1e-400\" is not float64"},
        {"1.5", "1.50000000000000000000", NULL},
        {"1.5", "nan", NULL},
        {"0.123456789012345678", "1.5", NULL},
        {"0.123456789012345678", "-0.0", "\"-0.0\" is not decimal(38,18)"},
        {"0.123456789012345678", "01.5", "\"01.5\" is not decimal(38,18)"},
        {"0.123456789012345678", "0.1234567890123456789",
         "\"0.1234567890123456789\" is not decimal(38,18)"},
        {"2024-01-01T00:00:00Z", "2024-01-01 00:00:00Z", NULL},
        {"2024-01-01T00:00:00Z", "2024-01-01T00:00:00+01:00",
         "\"2024-01-01T00:00:00+01:00\" is not timestamp(s,UTC)"},
        {"2024-01-01", "2024-01-01 10:11:12", "\"2024-01-01 10:11:12\" is not date32"},
        {"true", "1", "\"1\" is not bool"},
    };
    const size_t nrows = 20480;
    char *text = malloc(64 + (nrows + 2) * 40);

    assert_non_null(text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};
        char expected[256], *got;
        size_t n = 4;

        memcpy(text, "x,y\n", 4);
        for (size_t k = 0; k < nrows; k++)
            n += (size_t)snprintf(text + n, 64, "%s,t\n", cases[i].sampled);
        n += (size_t)snprintf(text + n, 64, "%s,t\n", cases[i].late);
        stoa_test_folder_put("t.csv", text, n);
        got = rows_of(NULL, NULL, &err);
        if (cases[i].message == NULL) {
            assert_int_equal(got[0], '{');
        } else {
            snprintf(expected, sizeof(expected),
                     "t.csv: line 20482, column 1 (x): %s; --infer full, --types or a schema "
                     "can give the column another type",
                     cases[i].message);
            assert_string_equal(got, expected);
            assert_int_equal(err.offset, n - strlen(cases[i].late) - 3);
        }
        stoa_free(got);
    }
    free(text);
}

static void messages_name_line_column_name_value_and_type(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
        uint64_t offset;
    } cases[] = {
        {"a,b\n1,2\n\"3\",x\n", "t.csv: line 3, column 2 (b): \"x\" is not int64", 12},
        {"a,b\n\n1,2\r\n\r\"\n\",3\n", "t.csv: line 5, column 1 (a): \"\\x0a\" is not int64", 12},
        {"a,b\n1,\"2\n", "t.csv: line 2, column 2: the quote is never closed", 4},
        {"a,b\n1,\"2\"3\n", "t.csv: line 2, column 2 (b): \"2\"3\" is not int64", 7},
        {"a,b\n1,2,3\n", "t.csv: line 2: 3 fields where there are 2 columns", 4},
        {"a,b\n1;2\n", "t.csv: line 2: 1 field where there are 2 columns: is it another delimiter?",
         4},
        {"a,c\n1,2\n", "t.csv: line 1, column 2: the schema has no column \"c\"", STOA_NO_OFFSET},
        {"a,b,a\n1,2,3\n", "t.csv: line 1, column 3: the schema has no column \"a_2\"",
         STOA_NO_OFFSET},
        {"\n", "t.csv: empty: there is no header line", STOA_NO_OFFSET},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};
        char *got;

        put("t.csv", cases[i].text);
        got = rows_of("a int64, b int64", NULL, &err);
        assert_string_equal(got, cases[i].message);
        assert_int_equal(err.offset, cases[i].offset);
        stoa_free(got);
    }
    assert_rows("a\n\xc3\xa4\n\xe4x\n", "a utf8",
                "t.csv: line 3, column 1 (a): \"\\xe4x\" is not UTF-8");
}

static void null_in_a_column_that_forbids_it_is_an_error(void **state)
{
    (void)state;
    static const char *const path = "t.csv";
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err = {0};

    stoa_test_schema_parse("a int64, b int64", &schema);
    schema.fields[1].nullable = false;
    put(path, "a,b\n,2\n1,NA\n");
    assert_int_equal(stoa_test_csv_read(&path, 1, NULL, &schema, NULL, &batch, &err),
                     STOA_ERR_DATA);
    assert_string_equal(err.message, "t.csv: line 3, column 2 (b): no value, and the schema says "
                                     "that it is not nullable");
    stoa_schema_reset(&schema);
}

static void types_without_a_text_form_are_refused(void **state)
{
    (void)state;
    assert_rows("a\n", "a list<int8>",
                "column a: CSV can't hold list<int8>; JSON lines (jsonl) can");
    assert_rows("a,b\n", "a int8, b struct<x:utf8,y:map<utf8,int8>>",
                "column b: CSV can't hold struct<x:utf8,y:map<utf8,int8>>; JSON lines (jsonl) can");
}

static void blank_lines_are_rows_in_a_table_of_one_column_only(void **state)
{
    (void)state;
    assert_rows("a\n\n1\n\n", "a int64", "{\"a\":null}\n{\"a\":1}\n{\"a\":null}\n");
    assert_rows("a,b\n\n1,2\n\r\n\r3,4", "a int64, b int64",
                "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n");
    assert_rows("\na\n\"\"\n\n", "a utf8", "{\"a\":\"\"}\n{\"a\":null}\n");
}

/* What the model reads of a text that has as many fields in every record, as JSON lines. */
static void fields_are_those_of_the_scalar_model(void **state)
{
    (void)state;
    static const char *const path = "t.csv";
    struct stoa_test_random r;
    struct stoa_schema schema;

    stoa_test_random_init(&r, "fields_are_those_of_the_scalar_model");
    stoa_test_schema_parse("a utf8, b utf8, c utf8", &schema);
    for (size_t n = stoa_test_ncases(200); n > 0; n--) {
        const struct stoa_csv_options options = {
            .header_nrecords = -1,
            .unit_nrows = (uint32_t)stoa_test_random_between(&r, 1, 50),
            .unit_nbytes = 1 + stoa_test_random_wide(&r) % 3000,
        };
        struct stoa_test_csv model;
        struct stoa_batch batch = {0};
        struct stoa_error err = {0};
        size_t nbytes;
        char *text = stoa_test_csv_file(&r, stoa_test_random_below(&r, 200), 3, &nbytes);

        stoa_test_folder_put(path, text, nbytes);
        stoa_test_csv_parse(text, nbytes, NULL, &model);
        assert_int_equal(stoa_test_csv_read(&path, 1, &options, &schema, NULL, &batch, &err),
                         STOA_OK);
        assert_int_equal(batch.nrows, model.nrecords);
        for (size_t row = 0; row < batch.nrows; row++) {
            for (size_t k = 0; k < 3; k++) {
                const struct stoa_test_csv_field *field = &model.records[row].fields[k];
                const struct stoa_array *column = &batch.columns[k];
                bool is_null = field->nbytes == 0 && !field->quoted;

                assert_int_equal(stoa_array_is_null(column, row), is_null);
                if (is_null)
                    continue;
                assert_int_equal(column->offsets[row + 1] - column->offsets[row], field->nbytes);
                assert_memory_equal(column->values + column->offsets[row], field->text,
                                    field->nbytes);
            }
        }
        stoa_batch_reset(&batch);
        stoa_test_csv_free(&model);
        free(text);
    }
    stoa_schema_reset(&schema);
}

static void doubles_are_those_of_strtod(void **state)
{
    (void)state;
    enum { NROWS = 20000 };
    static const char *const path = "t.csv";
    static char text[NROWS * 48 + 2];
    static double expected[NROWS];
    struct stoa_test_random r;
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err = {0};
    size_t n = 2;

    stoa_test_random_init(&r, "doubles_are_those_of_strtod");
    memcpy(text, "x\n", 2);
    for (size_t i = 0; i < NROWS; i++) {
        static const char *const forms[] = {"%.17g", "%.20g", "%.3e", "%.15g", "%.6f"};
        const bool wide = i % 2 == 0; /* any bits, which %f would write with 300 digits */
        uint64_t bits = stoa_test_random_u64(&r);
        char *number = text + n;
        double x;

        memcpy(&x, &bits, sizeof(x));
        if (!wide || !isfinite(x))
            x = (stoa_test_random_unit(&r) - 0.5) * 1000;
        n += (size_t)snprintf(number, 48, forms[bits % (wide ? 4 : 5)], x);
        expected[i] = strtod(number, NULL);
        text[n++] = '\n';
    }
    stoa_test_folder_put(path, text, n);
    stoa_test_schema_parse("x float64", &schema);
    assert_int_equal(stoa_test_csv_read(&path, 1, NULL, &schema, NULL, &batch, &err), STOA_OK);
    assert_int_equal(batch.nrows, NROWS);
    assert_memory_equal(batch.columns[0].values, expected, sizeof(expected));
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

enum { NINPUTS = 9 };

/* NINPUTS files of the same columns with rows 0, 1, 2 ... over all of them; names to `paths`. */
static void put_inputs(const char *paths[NINPUTS], size_t *nrows)
{
    static char names[NINPUTS][16];
    size_t row = 0;

    for (size_t i = 0; i < NINPUTS; i++) {
        char *text = malloc(200000);
        size_t n = (size_t)sprintf(text, "id,name\n"), count = i == 4 ? 0 : 300 * i + 1;

        assert_non_null(text);
        for (size_t k = 0; k < count; k++, row++)
            n += (size_t)sprintf(text + n, "%zu,\"input\n%zu\"\n", row, i);
        sprintf(names[i], "%zu.csv", i);
        stoa_test_folder_put(names[i], text, n);
        paths[i] = names[i];
        free(text);
    }
    *nrows = row;
}

struct crew {
    struct stoa_batch_source *source;
    bool stop;
    pthread_mutex_t mutex;
    size_t nprefetched;
};

static void *prefetch(void *argument)
{
    struct crew *crew = argument;
    bool stop = false;

    while (!stop) {
        bool did = crew->source->prefetch(crew->source);

        pthread_mutex_lock(&crew->mutex);
        crew->nprefetched += did;
        stop = crew->stop;
        pthread_mutex_unlock(&crew->mutex);
    }
    return NULL;
}

static void inputs_are_one_table_whoever_prefetches(void **state)
{
    (void)state;
    const char *paths[NINPUTS];
    struct stoa_schema schema;
    size_t nrows;

    put_inputs(paths, &nrows);
    stoa_test_schema_parse("id int64, name utf8", &schema);
    for (unsigned nthreads = 0; nthreads < 5; nthreads++) {
        const struct stoa_csv_source_options options = {
            .csv = {.unit_nrows = 100, .unit_nbytes = 1500},
            .schema = &schema,
            .prefetch_nbytes = nthreads * 5000,
        };
        struct crew crew = {.mutex = PTHREAD_MUTEX_INITIALIZER};
        struct stoa_csv_inputs *inputs;
        struct stoa_batch batch;
        struct stoa_error err = {0};
        pthread_t threads[4];
        uint64_t done, total, expected_total = 0;
        struct stat info;

        assert_int_equal(stoa_csv_inputs_new(paths, NINPUTS, &inputs, &err), STOA_OK);
        assert_int_equal(stoa_csv_source_open(inputs, &options, &crew.source, &err), STOA_OK);
        for (unsigned i = 0; i < nthreads; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, prefetch, &crew), 0);
        assert_int_equal(stoa_test_drain(crew.source, &batch, &err), STOA_OK);
        pthread_mutex_lock(&crew.mutex);
        crew.stop = true;
        pthread_mutex_unlock(&crew.mutex);
        for (unsigned i = 0; i < nthreads; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(batch.nrows, nrows);
        for (size_t row = 0; row < nrows; row++) {
            int64_t id;

            memcpy(&id, batch.columns[0].values + 8 * row, 8);
            assert_int_equal(id, row);
        }
        for (size_t i = 0; i < NINPUTS; i++) {
            assert_int_equal(stat(paths[i], &info), 0);
            expected_total += (uint64_t)info.st_size;
        }
        crew.source->progress(crew.source, &done, &total);
        assert_int_equal(total, expected_total);
        assert_int_equal(done, total);
        stoa_batch_reset(&batch);
        crew.source->close(crew.source);
        stoa_csv_inputs_free(inputs);
    }
    stoa_schema_reset(&schema);
}

/* With one thread the work of prefetch is done where it is asked for, within its memory. */
static void prefetch_stays_within_its_memory(void **state)
{
    (void)state;
    const char *paths[NINPUTS];
    struct stoa_schema schema;
    size_t nrows;

    put_inputs(paths, &nrows);
    stoa_test_schema_parse("id int64, name utf8", &schema);
    for (uint64_t room = 0; room < 8; room++) {
        const struct stoa_csv_source_options options = {
            .csv = {.unit_nbytes = 1000}, .schema = &schema, .prefetch_nbytes = room * 1000};
        struct stoa_csv_inputs *inputs;
        struct stoa_batch_source *source;
        struct stoa_error err = {0};
        size_t ndone = 0;

        assert_int_equal(stoa_csv_inputs_new(paths, NINPUTS, &inputs, &err), STOA_OK);
        assert_int_equal(stoa_csv_source_open(inputs, &options, &source, &err), STOA_OK);
        while (source->prefetch(source))
            ndone++;
        assert_true(room == 0 ? ndone == 0 : ndone >= 1 && ndone <= 4 && ndone <= room + 1);
        source->close(source); /* with units that nobody took */
        stoa_csv_inputs_free(inputs);
    }
    stoa_schema_reset(&schema);
}

static void columns_of_each_input_are_found_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        bool not_null; /* its first column */
        const char *texts[3];
        const char *expected;
    } cases[] = {
        {NULL,
         false,
         {"a,b\n1,2\n", "b,a\n3,4\n", "c,b\n5,6\n"},
         "{\"a\":1,\"b\":2,\"c\":null}\n{\"a\":4,\"b\":3,\"c\":null}\n"
         "{\"a\":null,\"b\":6,\"c\":5}\n"},
        {NULL,
         false,
         {"a\n1\n", "a,a\n2,x\n", "\n\na\n1.5\n"},
         "{\"a\":1.0,\"a_2\":null}\n{\"a\":2.0,\"a_2\":\"x\"}\n{\"a\":1.5,\"a_2\":null}\n"},
        {"b int64, a int64",
         false,
         {"a,b\n1,2\n", "b\n3\n", "a\n4\n"},
         "{\"b\":2,\"a\":1}\n{\"b\":3,\"a\":null}\n{\"b\":null,\"a\":4}\n"},
        {"b int64, a int64",
         true,
         {"a,b\n1,2\n", "b\n3\n", "\na\n4\n"},
         "2.csv: line 2: there is no column \"b\", and the schema says that it is not nullable"},
    };
    static const char *const paths[] = {"0.csv", "1.csv", "2.csv"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_batch batch = {0};
        struct stoa_error err = {0};
        char *got = NULL;
        enum stoa_status st;

        for (size_t k = 0; k < 3; k++)
            put(paths[k], cases[i].texts[k]);
        if (cases[i].schema != NULL)
            stoa_test_schema_parse(cases[i].schema, &schema);
        if (cases[i].not_null)
            schema.fields[0].nullable = false;
        st = stoa_test_csv_read(paths, 3, NULL, cases[i].schema != NULL ? &schema : NULL, &schema,
                                &batch, &err);
        if (st == STOA_OK)
            got = stoa_test_rows_text(&batch);
        assert_string_equal(st == STOA_OK ? got : err.message, cases[i].expected);
        stoa_free(got);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void an_error_comes_in_the_place_of_its_input(void **state)
{
    (void)state;
    static const char *const paths[] = {"0.csv", "1.csv", "missing.csv"};
    struct stoa_schema schema;
    struct stoa_csv_source_options options = {.schema = &schema, .prefetch_nbytes = 1u << 30};
    struct stoa_csv_inputs *inputs;
    struct stoa_batch_source *source;
    struct stoa_unit *unit;
    struct stoa_error err = {0};

    stoa_test_schema_parse("id int64", &schema);
    put("0.csv", "id\n1\n");
    put("1.csv", "no\n1\n");
    assert_int_equal(stoa_csv_inputs_new(paths, 3, &inputs, &err), STOA_OK);
    assert_int_equal(stoa_csv_source_open(inputs, &options, &source, &err), STOA_OK);
    while (source->prefetch(source)) {
    }
    assert_int_equal(source->next(source, &unit, &err), STOA_OK);
    unit->free(unit);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(source->next(source, &unit, &err), STOA_ERR_DATA);
        assert_string_equal(err.message,
                            "1.csv: line 1, column 1: the schema has no column \"no\"");
    }
    source->close(source);
    stoa_csv_inputs_free(inputs);
    stoa_schema_reset(&schema);
}

static void only_chosen_columns_are_parsed(void **state)
{
    (void)state;
    static const char *const path = "t.csv";
    static const uint32_t columns[] = {2, 0};
    struct stoa_schema schema;
    struct stoa_csv_source_options options = {.schema = &schema, .columns = columns, .ncolumns = 2};
    struct stoa_csv_inputs *inputs;
    struct stoa_batch_source *source;
    struct stoa_batch batch;
    struct stoa_error err = {0};
    char *text;

    stoa_test_schema_parse("a int64, b duration(s), c utf8", &schema);
    put(path, "a,b,c\n1,what,x\n2,,y\n");
    assert_int_equal(stoa_csv_inputs_new(&path, 1, &inputs, &err), STOA_OK);
    assert_int_equal(stoa_csv_source_open(inputs, &options, &source, &err), STOA_OK);
    assert_int_equal(stoa_test_drain(source, &batch, &err), STOA_OK);
    text = stoa_test_rows_text(&batch);
    assert_string_equal(text, "{\"c\":\"x\",\"a\":1}\n{\"c\":\"y\",\"a\":2}\n");
    stoa_free(text);
    stoa_batch_reset(&batch);
    source->close(source);
    stoa_csv_inputs_free(inputs);
    stoa_schema_reset(&schema);
}

struct writer {
    const char *path;
    const char *text;
    size_t ntimes;
};

static void *write_fifo(void *argument)
{
    const struct writer *writer = argument;
    FILE *file = fopen(writer->path, "w");

    for (size_t i = 0; file != NULL && i < writer->ntimes; i++)
        fputs(i == 0 ? "id,name\n" : writer->text, file);
    if (file != NULL)
        fclose(file);
    return NULL;
}

static void a_pipe_is_read_once_for_inference_and_rows(void **state)
{
    (void)state;
    static const char *const path = "fifo";
    struct writer writer = {.path = path, .text = "1,\"a\nb\"\n", .ntimes = 300001};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    pthread_t thread;

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&thread, NULL, write_fifo, &writer), 0);
    assert_int_equal(stoa_test_csv_read(&path, 1, NULL, NULL, &schema, &batch, &err), STOA_OK);
    pthread_join(thread, NULL);
    assert_int_equal(batch.nrows, 300000);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static enum stoa_status reads(void *context, struct stoa_error *err)
{
    static const char *const paths[] = {"0.csv", "1.csv"};
    const struct stoa_csv_options options = {.unit_nrows = 2, .filename = "from"};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    enum stoa_status st;

    (void)context;
    st = stoa_test_csv_read(paths, 2, &options, NULL, &schema, &batch, err);
    if (st == STOA_OK) {
        assert_int_equal(batch.nrows, 6);
        stoa_batch_reset(&batch);
    }
    stoa_schema_reset(&schema);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    put("0.csv", "a,b\n1,x\n2,\"y\"\"\"\n3,\n");
    put("1.csv", "a,b\n1,x\n2,y\n3,NA\n");
    stoa_test_each_failing_alloc(reads, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_given_type_takes_what_it_can_hold),
        TEST(an_inferred_type_takes_only_what_it_gives_back),
        TEST(messages_name_line_column_name_value_and_type),
        TEST(null_in_a_column_that_forbids_it_is_an_error),
        TEST(types_without_a_text_form_are_refused),
        TEST(blank_lines_are_rows_in_a_table_of_one_column_only),
        TEST(fields_are_those_of_the_scalar_model),
        TEST(doubles_are_those_of_strtod),
        TEST(inputs_are_one_table_whoever_prefetches),
        TEST(prefetch_stays_within_its_memory),
        TEST(columns_of_each_input_are_found_by_name),
        TEST(an_error_comes_in_the_place_of_its_input),
        TEST(only_chosen_columns_are_parsed),
        TEST(a_pipe_is_read_once_for_inference_and_rows),
        TEST(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
