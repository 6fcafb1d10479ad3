/*
 * A scan as an ArrowArrayStream: the rows of the scan, what lives how long, what errors look like.
 */
#include <stoa/arrow.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/folder.h"
#include "support/stoa_file.h"

enum { NROWS = 700, NGROUPS = 3 };

/* A table of all types in three row groups. */
static void make_table(struct stoa_test_table *out)
{
    static const size_t nrows[NGROUPS] = {NROWS, NROWS, 1};
    struct stoa_test_random random;
    struct stoa_schema schema;

    stoa_test_random_seed(&random, 5);
    stoa_test_schema_of_all_types(&random, &schema);
    stoa_test_table_make(&random, &schema, nrows, NGROUPS, NULL, out);
}

#define PATH "table.stoa"

/* The batch that an array of the stream holds must be `expected`. */
static void assert_rows(struct ArrowArray *array, const struct ArrowSchema *arrow,
                        const struct stoa_batch *expected)
{
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err = {0};

    stoa_test_check(stoa_schema_import(arrow, &schema, &err), &err);
    assert_true(stoa_schema_equal(&schema, expected->schema));
    stoa_test_check(stoa_batch_import(array, arrow, &schema, STOA_ARROW_CHECK_FULL, &batch, &err),
                    &err);
    assert_true(stoa_batch_equal(&batch, expected));
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* All rows, looked at when nothing is left of where they came from. */
static void check_stream(struct ArrowArrayStream *stream, const struct stoa_test_table *table,
                         struct stoa_reader *reader, struct stoa_source *source)
{
    struct ArrowSchema schema;
    struct ArrowArray arrays[NGROUPS], end;

    assert_int_equal(stream->get_schema(stream, &schema), 0);
    for (size_t i = 0; i < NGROUPS; i++) {
        assert_int_equal(stream->get_next(stream, &arrays[i]), 0);
        assert_int_equal(arrays[i].length, table->batches[i].nrows);
        assert_null(stream->get_last_error(stream));
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stream->get_next(stream, &end), 0);
        assert_null(end.release);
    }
    stream->release(stream);
    assert_null(stream->release);
    stoa_reader_close(reader);
    stoa_source_close(source);
    for (size_t i = 0; i < NGROUPS; i++)
        assert_rows(&arrays[i], &schema, &table->batches[i]);
    schema.release(&schema);
}

static void rows_outlive_stream_reader_and_source(void **state)
{
    (void)state;
    struct stoa_test_table table;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_scan *scan;
    struct ArrowArrayStream stream;
    struct stoa_error err = {0};

    make_table(&table);
    source = stoa_test_file_source(&table.file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_scan_open(reader, NULL, &scan, &err), &err);
    stoa_test_check(stoa_scan_export(scan, &stream, &err), &err);
    check_stream(&stream, &table, reader, source);
    stoa_test_table_reset(&table);
}

static void a_file_is_kept_open_by_its_stream(void **state)
{
    (void)state;
    struct stoa_test_table table;
    struct ArrowArrayStream stream;
    struct stoa_error err = {0};

    make_table(&table);
    stoa_test_folder_put(PATH, table.file.bytes, table.file.nbytes);
    stoa_test_check(stoa_file_export(PATH, NULL, &stream, &err), &err);
    assert_int_equal(unlink(PATH), 0);
    check_stream(&stream, &table, NULL, NULL);
    stoa_test_table_reset(&table);
}

static void columns_and_rows_can_be_chosen(void **state)
{
    (void)state;
    static const char *const columns[] = {"row"};
    struct stoa_test_file file;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_filter *filter;
    struct stoa_scan_options options = {.columns = columns, .ncolumns = 1};
    struct ArrowArrayStream stream;
    struct ArrowSchema arrow;
    struct ArrowArray array;
    struct stoa_error err = {0};

    stoa_test_make_keys(&schema, 1000, &batch);
    stoa_test_file_write(&schema, &batch, 1, NULL, &file);
    stoa_test_folder_put(PATH, file.bytes, file.nbytes);
    stoa_test_check(stoa_filter_parse("row >= 10 and row < 14 and key is not null", &filter, &err),
                    &err);
    options.filter = filter;
    stoa_test_check(stoa_file_export(PATH, &options, &stream, &err), &err);
    stoa_filter_free(filter);
    assert_int_equal(stream.get_schema(&stream, &arrow), 0);
    assert_int_equal(arrow.n_children, 1);
    assert_string_equal(arrow.children[0]->name, "row");
    assert_int_equal(stream.get_next(&stream, &array), 0);
    assert_int_equal(array.length, 4);
    assert_int_equal(((const int64_t *)array.children[0]->buffers[1])[0], 10);
    array.release(&array);
    assert_int_equal(stream.get_next(&stream, &array), 0);
    assert_null(array.release);
    arrow.release(&arrow);
    stream.release(&stream);
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void errors_come_as_errno_and_text(void **state)
{
    (void)state;
    struct stoa_test_table table;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct stoa_error err = {0};
    struct stoa_chunk_info chunk;
    struct stoa_source *source;
    struct stoa_reader *reader;
    const char *message;

    make_table(&table);
    source = stoa_test_file_source(&table.file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_reader_chunk(reader, 1, 2, &chunk, &err), &err);
    stoa_reader_close(reader);
    stoa_source_close(source);
    table.file.bytes[chunk.offset + chunk.nbytes - 1] ^= 1;
    stoa_test_folder_put(PATH, table.file.bytes, table.file.nbytes);
    stoa_test_check(stoa_file_export(PATH, NULL, &stream, &err), &err);
    assert_int_equal(stream.get_next(&stream, &array), 0);
    array.release(&array);
    for (int i = 0; i < 2; i++) { /* a failed call can be repeated, and fails again */
        assert_int_equal(stream.get_next(&stream, &array), EIO);
        message = stream.get_last_error(&stream);
        assert_non_null(message);
        assert_int_equal(strncmp(message, PATH, strlen(PATH)), 0);
        assert_non_null(strstr(message, ": row group 1: column "));
    }
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_null(stream.get_last_error(&stream));
    schema.release(&schema);
    stream.release(&stream);

    assert_int_equal(unlink(PATH), 0);
    assert_int_equal(stoa_file_export(PATH, NULL, &stream, &err), STOA_ERR_IO);
    assert_int_equal(err.os_errno, ENOENT);
    stoa_test_table_reset(&table);
}

static enum stoa_status streams_a_file(void *context, struct stoa_error *err)
{
    (void)context;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray array;
    enum stoa_status st = stoa_file_export(PATH, NULL, &stream, err);
    int code;

    if (st != STOA_OK)
        return st;
    code = stream.get_schema(&stream, &schema);
    if (code == 0)
        schema.release(&schema);
    while (code == 0) {
        code = stream.get_next(&stream, &array);
        if (code != 0 || array.release == NULL)
            break;
        array.release(&array);
    }
    assert_true(code == 0 || code == ENOMEM);
    if (code == ENOMEM) {
        st = STOA_ERR_NOMEM;
        snprintf(err->message, sizeof(err->message), "%s", stream.get_last_error(&stream));
    }
    stream.release(&stream);
    return st;
}

static void a_failing_allocation_is_enomem(void **state)
{
    (void)state;
    struct stoa_test_table table;

    make_table(&table);
    stoa_test_folder_put(PATH, table.file.bytes, table.file.nbytes);
    stoa_test_each_failing_alloc(streams_a_file, NULL);
    stoa_test_table_reset(&table);
}

#define with_folder(f)                                                                             \
    cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_outlive_stream_reader_and_source),
        with_folder(a_file_is_kept_open_by_its_stream),
        with_folder(columns_and_rows_can_be_chosen),
        with_folder(errors_come_as_errno_and_text),
        with_folder(a_failing_allocation_is_enomem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
