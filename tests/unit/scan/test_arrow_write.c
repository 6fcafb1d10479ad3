/*
 * Files out of an ArrowArrayStream: the bytes do not depend on how the rows come, errors of the
 * stream are told in its own words, and everything is released.
 */
#include <stoa/arrow.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/folder.h"
#include "support/gen_table.h"

#define PATH "table.stoa"

/* ---- A stream over a batch, `step` rows at a time ---- */

struct producer {
    const struct stoa_batch *batch;
    size_t at;
    size_t step;    /* 0: 1 to 40, random */
    size_t fail_at; /* the row from which on get_next() fails, SIZE_MAX: none */
    int fails_with;
    const char *error; /* what get_last_error() says */
    bool schema_fails;
    bool wrong_rows; /* arrays claim a row more than their columns have */
    struct stoa_test_random random;
};

static int give_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct producer *p = stream->private_data;

    if (p->schema_fails)
        return p->fails_with;
    return stoa_schema_export(p->batch->schema, out, NULL) == STOA_OK ? 0 : ENOMEM;
}

static int give_rows(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct producer *p = stream->private_data;
    size_t n = p->step > 0 ? p->step : 1 + (size_t)stoa_test_random_below(&p->random, 40);
    struct stoa_batch rows;
    enum stoa_status st = STOA_OK;

    *out = (struct ArrowArray){0};
    if (p->at >= p->fail_at)
        return p->fails_with;
    if (p->at == p->batch->nrows)
        return 0;
    if (n > p->batch->nrows - p->at)
        n = p->batch->nrows - p->at;
    if (stoa_batch_init(&rows, p->batch->schema, NULL) != STOA_OK)
        return ENOMEM;
    rows.nrows = n;
    for (uint32_t i = 0; st == STOA_OK && i < rows.ncolumns; i++)
        st = stoa_array_slice(&rows.schema->fields[i], &p->batch->columns[i], p->at, p->at + n,
                              &rows.columns[i], NULL);
    if (st == STOA_OK)
        st = stoa_batch_export(&rows, out, NULL);
    stoa_batch_reset(&rows);
    if (st != STOA_OK)
        return ENOMEM;
    p->at += n;
    out->length += p->wrong_rows;
    return 0;
}

static const char *give_error(struct ArrowArrayStream *stream)
{
    return ((struct producer *)stream->private_data)->error;
}

static void release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static struct ArrowArrayStream stream_of(struct producer *p)
{
    return (struct ArrowArrayStream){.get_schema = give_schema,
                                     .get_next = give_rows,
                                     .get_last_error = give_error,
                                     .release = release_stream,
                                     .private_data = p};
}

static struct producer producer_of(const struct stoa_batch *batch, size_t step)
{
    struct producer p = {.batch = batch, .step = step, .fail_at = SIZE_MAX};

    stoa_test_random_seed(&p.random, step);
    return p;
}

/* ---- What is written ---- */

/* The file of a batch that is appended at once. */
static void write_at_once(const struct stoa_batch *batch, const struct stoa_writer_options *options,
                          struct stoa_sink **out)
{
    struct stoa_writer *writer;
    struct stoa_error err = {0};

    stoa_test_check(stoa_sink_create_memory(out, &err), &err);
    stoa_test_check(stoa_writer_open(*out, batch->schema, options, &writer, &err), &err);
    stoa_test_check(stoa_writer_append(writer, batch, &err), &err);
    stoa_test_check(stoa_writer_finish(writer, &err), &err);
    stoa_writer_close(writer);
}

static void the_bytes_do_not_depend_on_how_rows_come(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 1, 7, 100, 1000};
    struct stoa_import_options options = {.writer = {.row_group_nrows = 90}, .replace = true};
    struct stoa_test_random random;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "the_bytes_do_not_depend_on_how_rows_come");
    for (size_t i = 0; i < stoa_test_ncases(20); i++) {
        struct producer p;
        struct ArrowArrayStream stream;
        struct stoa_schema schema;
        struct stoa_batch batch;
        struct stoa_sink *sink;
        const uint8_t *bytes;
        size_t nbytes, nfound;
        char *found;

        stoa_test_gen_any_schema(&random, 5, (unsigned)(i % 4) + 1, &schema);
        stoa_test_gen_batch(&random, &schema, 400, &batch);
        options.check = (enum stoa_arrow_check)(i % 3);
        options.jobs = (unsigned)(i % 4);
        p = producer_of(&batch, steps[i % 5]);
        stream = stream_of(&p);
        stoa_test_check(stoa_file_import(PATH, &options, &stream, &err), &err);
        assert_null(stream.release);
        write_at_once(&batch, &options.writer, &sink);
        bytes = stoa_sink_memory(sink, &nbytes);
        found = stoa_test_folder_get(PATH, &nfound);
        assert_int_equal(nfound, nbytes);
        assert_memory_equal(found, bytes, nbytes);
        free(found);
        stoa_sink_close(sink);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void a_large_array_comes_in_slices(void **state)
{
    (void)state;
    enum { NROWS = 2 * STOA_ROW_GROUP_NROWS + 5 };
    struct ArrowArrayStream stream;
    struct ArrowArray array;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct producer p;
    struct stoa_error err = {0};
    int64_t row = 0;

    stoa_test_make_keys(&schema, NROWS, &batch);
    p = producer_of(&batch, NROWS);
    stream = stream_of(&p);
    stoa_test_check(stoa_file_import(PATH, NULL, &stream, &err), &err);
    stoa_test_check(stoa_file_export(PATH, NULL, &stream, &err), &err);
    while (stream.get_next(&stream, &array) == 0 && array.release != NULL) {
        for (int64_t i = 0; i < array.length; i++)
            assert_int_equal(((const int64_t *)array.children[1]->buffers[1])[i], row++);
        array.release(&array);
    }
    assert_int_equal(row, NROWS);
    stream.release(&stream);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- What goes wrong ---- */

static void expect_failure(struct producer *p, enum stoa_status status, int number,
                           const char *message)
{
    struct ArrowArrayStream stream = stream_of(p);
    struct stoa_error err = {0};

    assert_int_equal(stoa_file_import(PATH, NULL, &stream, &err), status);
    assert_string_equal(err.message, message);
    assert_int_equal(err.os_errno, number);
    assert_null(stream.release);
    stoa_test_folder_expect("", NULL);
}

static void errors_of_the_stream_keep_their_words(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct ArrowArrayStream stream;
    struct producer p;

    stoa_test_make_keys(&schema, 300, &batch);
    p = producer_of(&batch, 100);
    p.fail_at = 200;
    p.fails_with = EIO;
    p.error = "the socket\nwas closed";
    expect_failure(&p, STOA_ERR_IO, EIO, "the Arrow stream: the socket\\x0awas closed");
    p.at = 0;
    p.error = NULL;
    expect_failure(&p, STOA_ERR_IO, EIO, "the Arrow stream: Input/output error");
    p.schema_fails = true;
    p.fails_with = EINVAL;
    p.error = "no such table";
    expect_failure(&p, STOA_ERR_DATA, EINVAL, "the Arrow stream: no such table");
    p.fails_with = ENOMEM;
    expect_failure(&p, STOA_ERR_NOMEM, ENOMEM, "the Arrow stream: no such table");

    p = producer_of(&batch, 100);
    p.wrong_rows = true;
    expect_failure(&p, STOA_ERR_DATA, 0,
                   "batch 0 of the Arrow stream: column key: 100 values for the rows 0 to 101");
    stream = stream_of(&p);
    stream.release = NULL;
    assert_int_equal(stoa_file_import(PATH, NULL, &stream, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "the Arrow stream was released before");

    stoa_test_folder_put(PATH, "old", 3);
    p = producer_of(&batch, 100);
    stream = stream_of(&p);
    assert_int_equal(stoa_file_import(PATH, NULL, &stream, &err), STOA_ERR_USAGE);
    assert_int_equal(err.os_errno, EEXIST);
    assert_null(stream.release);
    assert_int_equal(p.at, 0);
    stoa_test_folder_expect(PATH, "old");
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static enum stoa_status writes_a_file(void *context, struct stoa_error *err)
{
    static const struct stoa_import_options options = {.writer = {.row_group_nrows = 150},
                                                       .replace = true};
    struct producer p = producer_of(context, 100);
    struct ArrowArrayStream stream = stream_of(&p);
    enum stoa_status st = stoa_file_import(PATH, &options, &stream, err);

    assert_null(stream.release);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;

    stoa_test_make_keys(&schema, 300, &batch);
    stoa_test_each_failing_alloc(writes_a_file, &batch);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

#define with_folder(f)                                                                             \
    cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(the_bytes_do_not_depend_on_how_rows_come),
        with_folder(a_large_array_comes_in_slices),
        with_folder(errors_of_the_stream_keep_their_words),
        with_folder(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
