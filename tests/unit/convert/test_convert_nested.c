/* Conversions of tables with nested columns: the same rows, the same bytes, within the memory. */
#include <stoa/convert.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <stoa/jsonl.h>

#include "base/alloc.h"
#include "support/folder.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

static void put_stoa(const struct stoa_batch *rows)
{
    struct stoa_test_file file;

    stoa_test_file_write(rows->schema, rows, rows->nrows > 0, NULL, &file);
    stoa_test_folder_put("table.stoa", file.bytes, file.nbytes);
    stoa_test_file_reset(&file);
}

/* Converts one file to another, by their names. */
static char *run_file(const char *from, const char *to, struct stoa_convert_options options,
                      size_t *nbytes)
{
    struct stoa_error err = {0};

    options.paths = &from;
    options.npaths = 1;
    options.output = to;
    options.replace = true;
    check(stoa_convert(&options, NULL, &err), &err);
    return stoa_test_folder_get(to, nbytes);
}

static void tables_are_the_same_for_any_jobs(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "tables_are_the_same_for_any_jobs");
    for (size_t n = stoa_test_ncases(150); n > 0; n--) {
        struct stoa_convert_options one = {.jobs = 1}, two = {.jobs = 2};
        uint32_t ncolumns = (uint32_t)stoa_test_random_between(&r, 1, 4);
        struct stoa_schema schema;
        struct stoa_batch rows;
        struct stoa_error err = {0};
        size_t expected_nbytes = 0, first_nbytes, nbytes;
        char *expected = NULL, *first, *got;

        stoa_test_gen_any_schema(&r, ncolumns, 1 + (unsigned)(n % 8), &schema);
        stoa_test_gen_batch(&r, &schema, (size_t)stoa_test_random_below(&r, 1000), &rows);
        put_stoa(&rows);
        one.writer.row_group_nrows = (uint32_t)stoa_test_random_between(&r, 1, 400);
        two.writer = one.writer;
        two.memory_nbytes = UINT64_C(1) << 27;
        first = run_file("table.stoa", "1.stoa", one, &first_nbytes);
        got = run_file("table.stoa", "2.stoa", two, &nbytes);
        assert_int_equal(nbytes, first_nbytes);
        assert_memory_equal(got, first, nbytes);
        free(got);
        check(stoa_jsonl_format(&rows, &expected, &expected_nbytes, &err), &err);
        got = run_file("2.stoa", "3.jsonl", two, &nbytes);
        assert_int_equal(nbytes, expected_nbytes);
        if (nbytes > 0)
            assert_memory_equal(got, expected, nbytes);
        free(got);
        free(first);
        stoa_free(expected);
        stoa_batch_reset(&rows);
        stoa_schema_reset(&schema);
    }
}

/* What a row group takes in memory is known of lists too, before it is read. */
static void lists_count_for_the_memory_of_a_row_group(void **state)
{
    (void)state;
    enum { NROWS = 1000, LENGTH = 5000 };
    const char *const path = "table.stoa";
    const struct stoa_convert_options options = {
        .paths = &path, .npaths = 1, .output = "o.stoa", .memory_nbytes = UINT64_C(40) << 20};
    struct stoa_schema schema = {0};
    struct stoa_field field;
    struct stoa_batch rows;
    struct stoa_array *list, *child;
    struct stoa_error err = {0};

    check(stoa_field_parse("l", "fixed_list<int64,5000>", true, &field, &err), &err);
    check(stoa_schema_add_field(&schema, &field, &err), &err);
    stoa_field_reset(&field);
    check(stoa_batch_init(&rows, &schema, &err), &err);
    rows.nrows = NROWS;
    list = &rows.columns[0];
    list->nvalues = NROWS;
    check(stoa_alloc_zeroed(&list->children, 1, sizeof(*child), &err), &err);
    list->nchildren = 1;
    child = list->children;
    child->nvalues = (size_t)NROWS * LENGTH;
    check(stoa_alloc_zeroed(&child->values, child->nvalues + STOA_ARRAY_SLACK, 8, &err), &err);
    put_stoa(&rows);
    assert_int_equal(stoa_convert(&options, NULL, &err), STOA_ERR_USAGE);
    assert_non_null(strstr(err.message, "40 MiB of memory are too few: one row group needs"));
    stoa_batch_reset(&rows);
    stoa_schema_reset(&schema);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tables_are_the_same_for_any_jobs),
        TEST(lists_count_for_the_memory_of_a_row_group),
    };

    if (access("/dev/shm", W_OK) == 0) /* hundreds of files are made durable */
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
