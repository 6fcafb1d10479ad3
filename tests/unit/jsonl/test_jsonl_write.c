/* JSON lines: each type's form, escapes, what JSON can't hold, faults. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <stoa/jsonl.h>

#include "base/alloc.h"
#include "jsonl/jsonl.h"
#include "support/csv_rows.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/folder.h"
#include "support/gen_table.h"

static const char *const path = "t.csv";

/* One row, written as CSV in the given types. */
static void each_type_has_its_json_form(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *text;
        const char *json;
    } cases[] = {
        {"bool", "true", "true"},
        {"int64", "-9223372036854775808", "-9223372036854775808"},
        {"uint64", "18446744073709551615", "18446744073709551615"},
        {"decimal(38,2)", "-123456789012345678901234567890.10",
         "-123456789012345678901234567890.10"},
        {"decimal(3,3)", ".5", "0.500"},
        {"float64", "0.1", "0.1"},
        {"float64", "-0.0", "-0.0"},
        {"float64", "1e300", "1e300"},
        {"float64", "nan", "\"NaN\""},
        {"float64", "inf", "\"Infinity\""},
        {"float32", "-inf", "\"-Infinity\""},
        {"float32", "0.1", "0.1"},
        {"date32", "2024-02-29", "\"2024-02-29\""},
        {"time(us)", "01:02:03.5", "\"01:02:03.500\""},
        {"timestamp(s)", "2024-02-29 01:02:03", "\"2024-02-29T01:02:03\""},
        {"timestamp(ns,UTC)", "2024-02-29 01:02:03.000000001Z",
         "\"2024-02-29T01:02:03.000000001Z\""},
        {"utf8", "\"a\"\"\\\n\t\"", "\"a\\\"\\\\\\n\\t\""},
        {"utf8", "\xc3\xa4", "\"\xc3\xa4\""},
        {"utf8", "\"\"", "\"\""},
        {"utf8", "", "null"},
        {"int8", "", "null"},
        {"null", "", "null"},
        {"binary", "AP8=", "\"AP8=\""},
        {"fixed_binary(3)", "AAEC", "\"AAEC\""},
        {"uuid", "123e4567-e89b-12d3-a456-426614174000",
         "\"123e4567-e89b-12d3-a456-426614174000\""},
        {"enum(\"a\"\"b\")", "\"a\"\"b\"", "\"a\\\"b\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256], schema_text[128], expected[256], *got;
        struct stoa_schema schema;
        struct stoa_batch batch;
        struct stoa_error err = {0};

        snprintf(text, sizeof(text), "\"x\"\"\",y\n%s,1\n", cases[i].text);
        snprintf(schema_text, sizeof(schema_text), "x\" %s, y int64", cases[i].type);
        snprintf(expected, sizeof(expected), "{\"x\\\"\":%s,\"y\":1}\n", cases[i].json);
        stoa_test_folder_put(path, text, strlen(text));
        stoa_test_schema_parse(schema_text, &schema);
        assert_int_equal(stoa_test_csv_read(&path, 1, NULL, &schema, NULL, &batch, &err), STOA_OK);
        got = stoa_test_rows_text(&batch);
        assert_string_equal(got, expected);
        stoa_free(got);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void each_line_is_an_object_with_all_columns(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "each_line_is_an_object_with_all_columns");
    for (size_t n = stoa_test_ncases(200); n > 0; n--) {
        struct stoa_schema schema = {0};
        struct stoa_batch batch;
        size_t nrows = 0;
        char *text;

        stoa_test_gen_schema(&r, (uint32_t)stoa_test_random_below(&r, 8), &schema);
        stoa_test_gen_batch(&r, &schema, (size_t)stoa_test_random_below(&r, 40), &batch);
        text = stoa_test_rows_text(&batch);
        for (char *line = text, *end; *line != '\0'; line = end + 1, nrows++) {
            json_error_t error;
            json_t *object;

            end = strchr(line, '\n');
            assert_non_null(end);
            object = json_loadb(line, (size_t)(end - line),
                                JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                                &error);
            if (object == NULL)
                fail_msg("%s: %.*s", error.text, (int)(end - line), line);
            assert_int_equal(json_object_size(object), schema.nfields);
            for (uint32_t i = 0; i < schema.nfields; i++)
                assert_int_equal(json_is_null(json_object_get(object, schema.fields[i].name)),
                                 stoa_array_is_null(&batch.columns[i], nrows));
            json_decref(object);
        }
        assert_int_equal(nrows, batch.nrows);
        stoa_free(text);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void text_is_appended_to_what_is_there(void **state)
{
    (void)state;
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err = {0};
    char *text = NULL;
    size_t nbytes = 0;

    stoa_test_folder_put(path, "a\n1\n", 4);
    stoa_test_schema_parse("a int64", &schema);
    assert_int_equal(stoa_test_csv_read(&path, 1, NULL, &schema, NULL, &batch, &err), STOA_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stoa_jsonl_format(&batch, &text, &nbytes, &err), STOA_OK);
    assert_int_equal(nbytes, 24);
    assert_memory_equal(text, "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n", 24);
    stoa_free(text);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

struct job {
    struct stoa_schema schema;
    struct stoa_test_io_fault fault;
};

static enum stoa_status writes(void *context, struct stoa_error *err)
{
    struct job *job = context;
    struct stoa_sink *memory = NULL;
    struct stoa_batch_sink *sink = NULL;
    struct stoa_batch batch = {0};
    void *item = NULL;
    enum stoa_status st = stoa_sink_create_memory(&memory, err);

    if (st != STOA_OK)
        return st;
    memory = stoa_test_faulty_sink(memory, &job->fault);
    st = stoa_jsonl_sink_open(memory, NULL, &sink, err);
    if (st == STOA_OK)
        st = stoa_batch_init(&batch, &job->schema, err);
    if (st == STOA_OK)
        st = sink->prepare(sink, 0, &batch, &item, err);
    if (st == STOA_OK)
        st = sink->commit(sink, item, err);
    if (st == STOA_OK)
        st = sink->finish(sink, err);
    if (sink != NULL)
        sink->close(sink);
    stoa_batch_reset(&batch);
    stoa_sink_close(memory);
    return st;
}

static void failing_writes_and_allocations_are_reported(void **state)
{
    (void)state;
    struct job job = {0};
    struct stoa_error err = {0};

    stoa_test_schema_parse("a int64, b interval", &job.schema);
    stoa_test_each_failing_alloc(writes, &job);
    job.fault = (struct stoa_test_io_fault){.fail_at = 1, .os_errno = EIO};
    assert_int_equal(writes(&job, &err), STOA_ERR_IO);
    stoa_schema_reset(&job.schema);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_type_has_its_json_form),
        TEST(each_line_is_an_object_with_all_columns),
        TEST(text_is_appended_to_what_is_there),
        TEST(failing_writes_and_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
