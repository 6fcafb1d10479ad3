/* What a writer refuses, and what it does when a sink or the memory gives out. */
#include "file/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "column/builder.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/stoa_file.h"

/* ---- What is refused ---- */

static void bad_batches_are_refused_by_name(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct stoa_writer *writer;
    struct stoa_writer_group *group = NULL;
    int32_t *offsets;

    stoa_test_make_keys(&schema, 100, &batch);
    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open(sink, &schema, NULL, &writer, &err), &err);

    batch.ncolumns = 1;
    assert_int_equal(stoa_writer_prepare(writer, 0, &batch, &group, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "a batch of 1 columns for a file of 2");
    batch.ncolumns = 2;

    batch.nrows = 99;
    assert_int_equal(stoa_writer_prepare(writer, 0, &batch, &group, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column key: 100 values in a batch of 99 rows");
    batch.nrows = 100;

    batch.columns[0].nnulls--;
    assert_int_equal(stoa_writer_prepare(writer, 0, &batch, &group, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column key: 8 nulls, the bitmap has 9");
    batch.columns[0].nnulls++;

    offsets = batch.columns[0].offsets;
    batch.columns[0].offsets = NULL;
    assert_int_equal(stoa_writer_prepare(writer, 0, &batch, &group, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column key: no values");
    batch.columns[0].offsets = offsets;

    batch.columns[1].validity = batch.columns[0].validity;
    batch.columns[1].nnulls = batch.columns[0].nnulls;
    assert_int_equal(stoa_writer_prepare(writer, 0, &batch, &group, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "column row: 9 nulls, the schema allows none");
    batch.columns[1].validity = NULL;
    batch.columns[1].nnulls = 0;
    assert_null(group);

    stoa_test_check(stoa_writer_prepare(writer, 1, &batch, &group, &err), &err);
    assert_int_equal(stoa_writer_sequence(writer, group, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "sequence of row group 1, the next is 0");
    stoa_writer_group_free(group);
    stoa_batch_reset(&batch);

    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    assert_int_equal(stoa_writer_prepare(writer, 0, &batch, &group, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "a row group of 0 rows; it has 1 to 16777216");
    stoa_test_check(stoa_writer_finish(writer, &err), &err);
    assert_int_equal(stoa_writer_append(writer, &batch, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "the file is finished, or writing it failed");
    stoa_batch_reset(&batch);
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_schema_reset(&schema);
}

static void too_large_a_decimal_is_refused_by_name(void **state)
{
    (void)state;
    struct stoa_type type = {.id = STOA_DECIMAL, .precision = 18, .scale = 2};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct stoa_writer *writer;
    struct stoa_writer_group *group = NULL;
    struct stoa_builder builder;
    uint8_t value[16];

    memset(value, 1, sizeof(value));
    stoa_test_check(stoa_schema_add(&schema, "price", &type, true, &err), &err);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    stoa_test_check(stoa_builder_init(&builder, &type, 1, &err), &err);
    stoa_builder_append_fixed(&builder, value);
    stoa_builder_finish(&builder, &batch.columns[0]);
    batch.nrows = 1;
    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open(sink, &schema, NULL, &writer, &err), &err);
    assert_int_equal(stoa_writer_prepare(writer, 0, &batch, &group, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "column price: a decimal has more digits than its type");
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    struct stoa_writer_options options = {.row_group_nrows = (1 << 24) + 1};
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct stoa_writer *writer = NULL;

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    assert_int_equal(stoa_writer_open(sink, &schema, &options, &writer, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message,
                        "row groups of 16777217 rows; a row group has at most 16777216");
    assert_null(writer);
    stoa_sink_close(sink);
}

/* ---- Failures from below ---- */

/* A sink that fails at write number fail_at and counts what reached it. */
struct failing_sink {
    struct stoa_sink sink;
    uint64_t nwrites;
    uint64_t fail_at;
};

static enum stoa_status failing_write(struct stoa_sink *sink, const void *bytes, size_t nbytes,
                                      struct stoa_error *err)
{
    struct failing_sink *failing = (struct failing_sink *)sink;

    (void)bytes;
    assert_true(nbytes > 0);
    assert_true(failing->fail_at == 0 || failing->nwrites < failing->fail_at);
    if (++failing->nwrites == failing->fail_at)
        return stoa_fail(err, STOA_ERR_IO, "the disk is full");
    return STOA_OK;
}

struct job {
    const struct stoa_batch *batch;
    const struct stoa_rules *rules;
    struct stoa_sink *sink;
};

/* A whole file of several row groups, dictionaries and copies. */
static enum stoa_status write_all(void *context, struct stoa_error *err)
{
    const struct job *job = context;
    struct stoa_writer_options options = {.row_group_nrows = 300};
    struct stoa_writer *writer = NULL;
    enum stoa_status st;

    STOA_TRY(
        stoa_writer_open_rules(job->sink, job->batch->schema, &options, job->rules, &writer, err));
    STOA_TRY(stoa_writer_append(writer, job->batch, err));
    STOA_TRY(stoa_writer_append(writer, job->batch, err));
    STOA_TRY(stoa_writer_finish(writer, err));
out:
    stoa_writer_close(writer);
    return st;
}

static void a_failing_sink_ends_the_file(void **state)
{
    (void)state;
    struct stoa_rules rules = stoa_test_small_rules();
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct failing_sink counter = {.sink = {.write = failing_write, .name = "full"}};
    struct job job = {&batch, &rules, &counter.sink};
    struct stoa_error err = {0};

    rules.copy_part = 1;
    stoa_test_make_keys(&schema, 1000, &batch);
    stoa_test_check(write_all(&job, &err), &err);
    assert_true(counter.nwrites > 20);
    for (uint64_t n = 1; n <= counter.nwrites; n++) {
        struct failing_sink failing = {.sink = counter.sink, .fail_at = n};

        job.sink = &failing.sink;
        assert_int_equal(write_all(&job, &err), STOA_ERR_IO);
        assert_string_equal(err.message, "the disk is full");
        assert_int_equal(failing.nwrites, n);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_rules rules = stoa_test_small_rules();
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct failing_sink sink = {.sink = {.write = failing_write, .name = "counter"}};
    struct job job = {&batch, &rules, &sink.sink};

    rules.copy_part = 1;
    stoa_test_make_keys(&schema, 400, &batch);
    stoa_test_each_failing_alloc(write_all, &job);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_batches_are_refused_by_name),
        cmocka_unit_test(too_large_a_decimal_is_refused_by_name),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(a_failing_sink_ends_the_file),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
