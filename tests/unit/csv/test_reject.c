/* Bad records: which are left out, what is said of each; limits; memory and sinks that fail. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/csv.h"
#include "support/csv_rows.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/folder.h"

static const char *const path = "t.csv";

#define HEADER                                                                                     \
    "file,member,line,record,record_offset,byte_offset,column_index,column_name,error,"            \
    "expected_type,value,raw_record,message\n"

struct job {
    struct stoa_csv_source_options options;
    struct stoa_schema schema;
    struct stoa_test_io_fault fault;
    char *rejects; /* what was written, terminated */
    char *raw;     /* the same of the records as they stand */
    size_t nrows;
    uint64_t nrejected;
    uint64_t nwritten;
    uint64_t nraw;
    bool is_over;
};

static void job_init(struct job *job, const char *schema, const char *text)
{
    *job = (struct job){.options = {.rejects = {.on_error = STOA_CSV_ON_ERROR_REJECT}}};
    stoa_test_schema_parse(schema, &job->schema);
    job->options.schema = &job->schema;
    stoa_test_folder_put(path, text, strlen(text));
}

static void job_reset(struct job *job)
{
    free(job->rejects);
    free(job->raw);
    stoa_schema_reset(&job->schema);
}

/* Reads and accepts one unit after the other; true in *more. */
static enum stoa_status step(struct stoa_batch_source *source, struct job *job, bool *more,
                             struct stoa_error *err)
{
    struct stoa_batch batch = {0};
    struct stoa_notes *notes = NULL;
    struct stoa_unit *unit = NULL;
    enum stoa_status st;

    STOA_TRY(source->next(source, &unit, err));
    *more = unit != NULL;
    if (unit == NULL)
        goto out;
    STOA_TRY(source->read(source, unit, &batch, &notes, err));
    job->nrows += batch.nrows;
    STOA_TRY(stoa_batch_validate(&batch, err));
    if (notes != NULL)
        STOA_TRY(source->accept(source, notes, err));
out:
    if (notes != NULL)
        notes->free(notes);
    stoa_batch_reset(&batch);
    return st;
}

static enum stoa_status run(void *context, struct stoa_error *err)
{
    struct job *job = context;
    struct stoa_csv_inputs *inputs = NULL;
    struct stoa_batch_source *source = NULL;
    struct stoa_sink *memory = NULL, *sink = NULL, *raw = NULL;
    size_t nbytes;
    bool more = true;
    enum stoa_status st;

    job->nrows = 0;
    free(job->rejects);
    free(job->raw);
    job->rejects = job->raw = NULL;
    STOA_TRY(stoa_csv_inputs_new(&path, 1, &inputs, err));
    STOA_TRY(stoa_sink_create_memory(&memory, err));
    sink = stoa_test_faulty_sink(memory, &job->fault);
    job->options.rejects.sink = sink;
    STOA_TRY(stoa_sink_create_memory(&raw, err));
    job->options.rejects.raw_sink = raw;
    STOA_TRY(stoa_csv_source_open(inputs, &job->options, &source, err));
    while (more && st == STOA_OK)
        st = step(source, job, &more, err);
    job->is_over = stoa_csv_source_rejected(source, &job->nrejected, &job->nwritten, &job->nraw);
out:
    if (source != NULL) {
        const char *bytes = (const char *)stoa_sink_memory(memory, &nbytes);

        job->rejects = strndup(bytes, nbytes);
        bytes = (const char *)stoa_sink_memory(raw, &nbytes);
        job->raw = strndup(bytes != NULL ? bytes : "", nbytes);
    }
    if (source != NULL)
        source->close(source);
    stoa_sink_close(sink);
    if (raw != NULL)
        stoa_sink_close(raw);
    if (sink == NULL && memory != NULL)
        stoa_sink_close(memory);
    stoa_csv_inputs_free(inputs);
    return st;
}

static void assert_run(struct job *job, const char *rejects)
{
    struct stoa_error err = {0};

    if (run(job, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_string_equal(job->rejects, rejects);
}

/* The column "error" of the only bad record of a text. */
static void assert_kind(const char *schema, const char *text, const char *kind)
{
    struct stoa_error err = {0};
    struct job job;
    const char *at;

    job_init(&job, schema, text);
    job.options.csv.strict = true;
    job.schema.fields[0].nullable = strcmp(kind, "not_null") != 0;
    if (run(&job, &err) != STOA_OK)
        fail_msg("%s: %s", text, err.message);
    assert_int_equal(job.nrejected, 1);
    at = strstr(job.rejects + strlen(HEADER), kind);
    if (at == NULL || at[-1] != '"' || at[strlen(kind)] != '"')
        fail_msg("%s: not %s: %s", text, kind, job.rejects + strlen(HEADER));
    job_reset(&job);
}

static void each_kind_has_its_word(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text, *kind;
    } cases[] = {
        {"a int8, b utf8", "a,b\n127,\n-128,\n128,\n", "out_of_range"},
        {"a int8, b utf8", "a,b\n-129,\n", "out_of_range"},
        {"a int64, b utf8", "a,b\n9223372036854775807,\n9223372036854775808,\n", "out_of_range"},
        {"a int64, b utf8", "a,b\n-9223372036854775808,\n-9223372036854775809,\n", "out_of_range"},
        {"a uint16, b utf8", "a,b\n65535,\n65536,\n", "out_of_range"},
        {"a uint64, b utf8", "a,b\n18446744073709551615,\n18446744073709551616,\n", "out_of_range"},
        {"a uint64, b utf8", "a,b\n-1,\n", "out_of_range"},
        {"a uint8, b utf8", "a,b\n1x,\n", "cast"},
        {"a uint8, b utf8", "a,b\n-,\n", "cast"},
        {"a float32, b utf8", "a,b\n1e38,\n1e39,\n", "out_of_range"},
        {"a float16, b utf8", "a,b\n65504,\n70000,\n", "out_of_range"},
        {"a float64, b utf8", "a,b\n1.,\n1.x,\n", "cast"},
        {"a decimal(4,2), b utf8", "a,b\n99.99,\n100,\n", "out_of_range"},
        {"a timestamp(us), b utf8", "a,b\n2024-01-01 00:00:00.1234567,\n", "out_of_range"},
        {"a timestamp(us), b utf8", "a,b\n2024-01-01 00:00:00Z,\n", "cast"},
        {"a bool, b utf8", "a,b\nyes,\n", "cast"},
        {"a date32, b utf8", "a,b\n2024-02-30,\n", "cast"},
        {"a utf8, b utf8", "a,b\n\xc3(,\n", "invalid_encoding"},
        {"a utf8, b utf8", "a,b\n,x\n", "not_null"},
        {"a utf8, b utf8", "a,b\nx\n", "missing_columns"},
        {"a utf8, b utf8", "a,b\nx,y,z\n", "too_many_columns"},
        {"a utf8, b utf8", "a,b\n\"x\"y,z\n", "text_after_quote"},
        {"a utf8, b utf8", "a,b\nx\"y,z\n", "stray_quote"},
        {"a utf8, b utf8", "a,b\n\"x,z\n", "unterminated_quote"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_kind(cases[i].schema, cases[i].text, cases[i].kind);
}

static void bad_records_are_listed_in_order(void **state)
{
    (void)state;
    static const char rows[] =
        "\"t.csv\",,3,2,7,7,1,\"a\",\"cast\",\"int64\",\"x\",\"x,2024-01-01\","
        "\"line 3, column 1 (a): \"\"x\"\" is not int64\"\n"
        "\"t.csv\",,6,3,23,26,2,\"b\",\"missing_columns\",,,\"\"\"q\"\"\","
        "\"line 6: 1 field where there are 2 columns: is it another delimiter?\"\n"
        "\"t.csv\",,7,4,27,30,2,\"b\",\"cast\",\"date32\",\"y\"\"\nz\",\"1,\"\"y\"\"\"\"\nz\"\"\","
        "\"line 7, column 2 (b): \"\"y\"\"\"\"\\x0az\"\" is not date32\"\n";
    struct job job;

    job_init(&job, "a int64, b date32",
             "a,b\n1,\nx,2024-01-01\n\n\r\n\"q\"\n1,\"y\"\"\nz\"\r\n5,2024-01-05\n");
    for (uint32_t nrows = 1; nrows < 9; nrows++) {
        char *expected = NULL;

        job.options.csv.unit_nrows = nrows;
        assert_true(asprintf(&expected, "%s%s", HEADER, rows) > 0);
        assert_run(&job, expected);
        assert_int_equal(job.nrows, 2);
        assert_int_equal(job.nrejected, 3);
        assert_int_equal(job.nwritten, 3);
        assert_int_equal(job.nraw, 3);
        assert_false(job.is_over);
        free(expected);
    }
    job_reset(&job);
}

/* A row of several faults is one bad record, by the first of its fields. */
static void a_record_is_rejected_once(void **state)
{
    (void)state;
    struct job job;

    job_init(&job, "a int64, b int64, c int64", "a,b,c\n1,x,y\nz,2,w\n");
    assert_run(&job, HEADER "\"t.csv\",,2,1,6,8,2,\"b\",\"cast\",\"int64\",\"x\",\"1,x,y\","
                            "\"line 2, column 2 (b): \"\"x\"\" is not int64\"\n"
                            "\"t.csv\",,3,2,12,12,1,\"a\",\"cast\",\"int64\",\"z\",\"z,2,w\","
                            "\"line 3, column 1 (a): \"\"z\"\" is not int64\"\n");
    assert_int_equal(job.nrows, 0);
    assert_string_equal(job.raw, "1,x,y\nz,2,w\n");
    job_reset(&job);
}

static void limits_end_the_run(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct job job;

    job_init(&job, "a int64", "a\nx\n1\ny\n2\nz\n");
    job.options.rejects.max_errors = 2;
    job.options.rejects.max_written = 1;
    assert_int_equal(run(&job, &err), STOA_ERR_DATA);
    assert_string_equal(err.message,
                        "t.csv: line 6, column 1 (a): \"z\" is not int64; 2 bad records "
                        "before it were left out, which is the limit");
    assert_true(job.is_over);
    assert_int_equal(job.nrejected, 3);
    assert_int_equal(job.nwritten, 1);
    assert_int_equal(job.nraw, 1);
    job.options.rejects =
        (struct stoa_reject_options){.on_error = STOA_CSV_ON_ERROR_SKIP, .max_ratio = 0.59};
    assert_int_equal(run(&job, &err), STOA_ERR_DATA);
    assert_string_equal(err.message,
                        "t.csv: 3 of the first 5 records are bad, which is more than the limit");
    job.options.rejects.max_ratio = 0.6;
    assert_int_equal(run(&job, &err), STOA_OK);
    assert_false(job.is_over);
    job.options.rejects.max_ratio = 1.5;
    assert_int_equal(run(&job, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "an option for bad records is out of its range");
    job_reset(&job);
}

static void failing_allocations_and_writes_are_reported(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct job job;

    job_init(&job, "a int64, b utf8", "a,b\n1,x\nz,y\n1\nq,\"r\"\"s\"\n");
    stoa_test_each_failing_alloc(run, &job);
    for (uint64_t at = 1; at <= 2; at++) {
        job.fault = (struct stoa_test_io_fault){.fail_at = at, .os_errno = ENOSPC};
        assert_int_equal(run(&job, &err), STOA_ERR_IO);
    }
    job_reset(&job);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_has_its_word),
        TEST(bad_records_are_listed_in_order),
        TEST(a_record_is_rejected_once),
        TEST(limits_end_the_run),
        TEST(failing_allocations_and_writes_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
