/* Rows of inputs that are handed to a function: in order, as many as are wanted, under faults. */
#include <stoa/convert.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault_alloc.h"
#include "support/folder.h"

enum { NROWS = 5000 };

/* What a function saw: the rows are 0, 1, 2, ... */
struct seen {
    uint64_t nrows;
    uint64_t ncalls;
    uint64_t enough; /* stops there; 0: never */
    uint32_t ncolumns;
    bool in_order;
};

static bool look(void *context, const struct stoa_batch *batch)
{
    struct seen *seen = context;

    seen->ncalls++;
    seen->ncolumns = batch->ncolumns;
    for (size_t i = 0; batch->ncolumns > 0 && i < batch->nrows; i++) {
        int64_t x;

        memcpy(&x, batch->columns[0].values + 8 * i, 8);
        seen->in_order &= x == (int64_t)(seen->nrows + i);
    }
    seen->nrows += batch->nrows;
    return seen->enough == 0 || seen->nrows < seen->enough;
}

static int enter(void **state)
{
    static char csv[16 * NROWS], jsonl[32 * NROWS];
    size_t ncsv = (size_t)sprintf(csv, "a,b\n"), njsonl = 0;

    if (stoa_test_folder_enter(state) != 0)
        return -1;
    for (int i = 0; i < NROWS; i++) {
        ncsv += (size_t)sprintf(csv + ncsv, "%d,x\n", i);
        njsonl += (size_t)sprintf(jsonl + njsonl, "{\"a\":%d,\"b\":[\"x\"]}\n", i);
    }
    stoa_test_folder_put("t.csv", csv, ncsv);
    stoa_test_folder_put("t.jsonl", jsonl, njsonl);
    return 0;
}

static const char *const paths[] = {"t.csv", "t.jsonl"};

static void rows_come_in_order_as_many_as_are_wanted(void **state)
{
    (void)state;
    static const uint64_t limits[] = {0, 1, 99, 100, 101, NROWS - 1, NROWS, NROWS + 1};

    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++)
            for (unsigned jobs = 1; jobs <= 3; jobs++) {
                const struct stoa_convert_options options = {
                    .paths = &paths[i],
                    .npaths = 1,
                    .jobs = jobs,
                    .writer = {.row_group_nrows = 100},
                };
                struct seen seen = {.in_order = true}, stopped = {.in_order = true, .enough = 450};
                struct stoa_error err = {0};

                assert_int_equal(stoa_convert_rows(&options, limits[k], look, &seen, &err),
                                 STOA_OK);
                assert_int_equal(seen.nrows,
                                 limits[k] == 0 || limits[k] > NROWS ? NROWS : limits[k]);
                assert_true(seen.in_order);
                assert_int_equal(seen.ncolumns, 2);
                assert_int_equal(stoa_convert_rows(&options, 0, look, &stopped, &err), STOA_OK);
                assert_int_equal(stopped.nrows, 500);
                assert_true(stopped.in_order);
            }
}

static void columns_are_told_without_rows(void **state)
{
    (void)state;
    static const char *const names[] = {"b"};

    for (size_t i = 0; i < 2; i++) {
        struct stoa_convert_options options = {
            .paths = &paths[i], .npaths = 1, .columns = names, .ncolumns = 1};
        struct seen seen = {.in_order = true};
        struct stoa_filter *filter;
        struct stoa_error err = {0};

        assert_int_equal(stoa_filter_parse("a < 0", &filter, &err), STOA_OK);
        options.filter = filter;
        assert_int_equal(stoa_convert_rows(&options, 3, look, &seen, &err), STOA_OK);
        assert_int_equal(seen.ncalls, 1);
        assert_int_equal(seen.nrows, 0);
        assert_int_equal(seen.ncolumns, 1);
        stoa_filter_free(filter);
    }
}

static void what_was_guessed_stays(void **state)
{
    (void)state;
    const char *path = "late.csv";
    const struct stoa_convert_options options = {.paths = &path, .npaths = 1, .jobs = 2};
    enum { NBYTES = 2400002 }; /* more than a sample */
    char *text = malloc(NBYTES + 8);
    struct seen seen = {.in_order = true};
    struct stoa_error err = {0};

    assert_non_null(text);
    memcpy(text, "a\n", 2);
    for (size_t i = 2; i < NBYTES; i += 2)
        memcpy(text + i, "0\n", 2);
    memcpy(text + 1200002, "x\n", 2);
    stoa_test_folder_put(path, text, NBYTES);
    free(text);
    assert_int_equal(stoa_convert_rows(&options, 0, look, &seen, &err), STOA_ERR_DATA);
    assert_non_null(strstr(err.message, "late.csv: line 600002"));
    assert_true(seen.nrows > 0);
    assert_int_equal(stoa_convert_rows(&options, 7, look, &seen, &err), STOA_OK);
}

static void a_file_of_bad_records_is_refused(void **state)
{
    (void)state;
    const struct stoa_convert_options options = {
        .paths = paths, .npaths = 1, .on_error = STOA_CSV_ON_ERROR_REJECT, .rejects = "bad.csv"};
    struct seen seen = {0};
    struct stoa_error err = {0};

    assert_int_equal(stoa_convert_rows(&options, 0, look, &seen, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "bad records can be listed beside an output only");
    assert_int_equal(seen.ncalls, 0);
}

static enum stoa_status hands_over(void *context, struct stoa_error *err)
{
    const struct stoa_convert_options options = {
        .paths = context, .npaths = 1, .jobs = 2, .writer = {.row_group_nrows = 2}};
    struct seen seen = {.in_order = true};
    const enum stoa_status st = stoa_convert_rows(&options, 0, look, &seen, err);

    assert_true(seen.in_order);
    if (st == STOA_OK)
        assert_int_equal(seen.nrows, 5);
    return st;
}

static void failing_allocations_are_reported(void **state)
{
    (void)state;
    static const char *const small[] = {"s.csv", "s.jsonl"};

    stoa_test_folder_put(small[0], "a\n0\n1\n2\n3\n4\n", 12);
    stoa_test_folder_put(small[1], "{\"a\":0}\n{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a\":4}\n", 40);
    for (size_t i = 0; i < 2; i++)
        stoa_test_each_failing_alloc(hands_over, (void *)&small[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_come_in_order_as_many_as_are_wanted),
        TEST(columns_are_told_without_rows),
        TEST(what_was_guessed_stays),
        TEST(a_file_of_bad_records_is_refused),
        TEST(failing_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
