/*
 * Scans of files in order: which zone maps are looked at, what a limit reads, and orders that are
 * not true. That the rows are right is shown by test_scan_rows.c.
 */
#include <stoa/scan.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "column/array.h"
#include "column/order.h"
#include "file/layout.h"
#include "stats/zonemap.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/gen_filter.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

enum { NROWS = 2400, GROUP_NROWS = 8, NGROUPS = NROWS / GROUP_NROWS, RUN_NROWS = 600 };

/* Row i has a = i / 600, b = i % 600, c = i: 75 row groups have the same a. */
static int64_t a_of(size_t i)
{
    return (int64_t)(i / RUN_NROWS);
}

static int64_t b_of(size_t i)
{
    return (int64_t)(i % RUN_NROWS);
}

static int64_t c_of(size_t i)
{
    return (int64_t)i;
}

static int64_t falling_b_of(size_t i)
{
    return -b_of(i);
}

struct table {
    struct stoa_schema schema;
    struct stoa_batch rows;
    struct stoa_test_file file;
};

/* `order` NULL: the footer claims none. */
static void table_init(struct table *table, const char *order)
{
    const bool falls = order != NULL && strstr(order, "b:desc") != NULL;
    struct stoa_batch groups[NGROUPS];
    struct stoa_sort_order parsed = {0};
    struct stoa_error err;

    *table = (struct table){0};
    stoa_test_add_column(&table->schema, "a", STOA_INT64, true);
    stoa_test_add_column(&table->schema, "b", STOA_INT64, true);
    stoa_test_add_column(&table->schema, "c", STOA_INT64, true);
    stoa_test_check(stoa_batch_init(&table->rows, &table->schema, &err), &err);
    table->rows.nrows = NROWS;
    stoa_test_make_numbers(&table->rows.columns[0], NROWS, a_of);
    stoa_test_make_numbers(&table->rows.columns[1], NROWS, falls ? falling_b_of : b_of);
    stoa_test_make_numbers(&table->rows.columns[2], NROWS, c_of);
    if (order != NULL)
        stoa_test_check(stoa_order_parse(order, &table->schema, &parsed, &err), &err);
    for (size_t g = 0; g < NGROUPS; g++)
        stoa_test_copy_rows(&table->rows, g * GROUP_NROWS, (g + 1) * GROUP_NROWS, &groups[g]);
    stoa_test_file_write_options(
        &table->schema, groups, NGROUPS,
        &(struct stoa_writer_options){.order = order != NULL ? &parsed : NULL}, NULL, &table->file);
    for (size_t g = 0; g < NGROUPS; g++)
        stoa_batch_reset(&groups[g]);
    stoa_order_reset(&parsed);
}

static void table_reset(struct table *table)
{
    stoa_test_file_reset(&table->file);
    stoa_batch_reset(&table->rows);
    stoa_schema_reset(&table->schema);
}

/* Counts the rows of a filter; *units is how many row groups were left. */
static enum stoa_status count_rows(const struct stoa_test_file *file,
                                   const struct stoa_filter *filter, uint64_t *nrows,
                                   uint32_t *nunits, struct stoa_error *err)
{
    const struct stoa_scan_options options = {.filter = filter};
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_scan *scan = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_source_open_memory(file->bytes, file->nbytes, "test.stoa", &source, err));
    STOA_TRY(stoa_reader_open(source, NULL, &reader, err));
    STOA_TRY(stoa_scan_open(reader, &options, &scan, err));
    *nunits = stoa_scan_nunits(scan);
    STOA_TRY(stoa_scan_count(scan, nrows, err));
out:
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    stoa_source_close(source);
    return st;
}

static struct stoa_filter *parse(const char *text)
{
    struct stoa_filter *filter;
    struct stoa_error err;

    stoa_test_check(stoa_filter_parse(text, &filter, &err), &err);
    return filter;
}

/* ---- What is looked at. ---- */

/*
 * Of how many row groups the zone map of column a is looked at: one that can't be read is an error
 * to whoever does.
 */
static uint32_t count_looks(const struct stoa_test_file *file, const struct stoa_filter *filter)
{
    uint32_t nlooks = 0;

    for (uint32_t g = 0; g < NGROUPS; g++) {
        struct stoa_test_file bad = {malloc(file->nbytes), file->nbytes};
        struct stoa_column_entry column;
        struct stoa_error err;
        uint64_t nrows;
        uint32_t nunits;
        uint8_t *entry;
        enum stoa_status st;

        assert_non_null(bad.bytes);
        memcpy(bad.bytes, file->bytes, file->nbytes);
        stoa_test_check(stoa_column_entry_unpack(stoa_test_file_column(&bad, 0), &column, &err),
                        &err);
        entry = bad.bytes + column.stats_off +
                stoa_zone_entry(NGROUPS, NGROUPS, STOA_ZONE_OF_ROWS, g, g) * column.stats_stride;
        stoa_store32(entry + 16, GROUP_NROWS + 1); /* more nulls than values */
        stoa_test_rehash(bad.bytes, bad.nbytes);
        st = count_rows(&bad, filter, &nrows, &nunits, &err);
        if (st != STOA_OK)
            assert_int_equal(st, STOA_ERR_CORRUPT);
        nlooks += st != STOA_OK;
        free(bad.bytes);
    }
    return nlooks;
}

static void zones_are_found_by_a_binary_search(void **state)
{
    (void)state;
    static const struct {
        const char *order; /* NULL: none */
        const char *filter;
        uint32_t nunits; /* that may have such rows */
        uint64_t nrows;
        uint32_t max_nlooks;
    } cases[] = {
        {NULL, "a = 1", 75, 600, NGROUPS},
        {"c", "c = 1000", 1, 1, 0}, /* a is not asked for */
        {"a", "a = 1", 75, 600, 75 + 36},
        {"a", "a > 7", 0, 0, 36},
        {"a", "a < 0", 0, 0, 36},
        {"a", "a is null", 0, 0, 36},
        {"a:nulls-first", "a is null", 0, 0, 36},
        {"a", "a in (0, 3)", 150, 1200, NGROUPS},  /* from the first to the last */
        {"a", "a = 1 or b = 7", 78, 603, NGROUPS}, /* no conjunct */
        {"a", "a <> 1", 225, 1800, NGROUPS},
        {"a,b", "a = 1 and b = 300", 1, 1, 40},
        {"a,b", "b = 300 and c > 0 and a = 1", 1, 1, 40},
        {"a,b", "a = 3 and b >= 590", 2, 10, 40},
        {"a,b", "a = 0 and b < 8", 1, 8, 40},
        {"a,b", "a >= 1 and b = 300", 3, 3, 225 + 36}, /* of a the beginning alone */
        {"a,b", "b = 300", 4, 4, 0},
        {"a,b:desc", "a = 1 and b > -8", 1, 8, 40},
        {"a,b:desc", "a = 2 and b between -299 and -290", 2, 10, 40},
        {"a,b,c", "a = 1 and b = 300 and c = 900", 1, 1, 40},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_filter *filter = parse(cases[i].filter);
        struct stoa_error err;
        struct table table;
        uint64_t nrows;
        uint32_t nunits, nlooks;

        table_init(&table, cases[i].order);
        stoa_test_check(count_rows(&table.file, filter, &nrows, &nunits, &err), &err);
        nlooks = count_looks(&table.file, filter);
        if (nrows != cases[i].nrows || nunits != cases[i].nunits || nlooks > cases[i].max_nlooks)
            fail_msg("%s of a file by %s: %d rows in %d row groups, %d looked at", cases[i].filter,
                     cases[i].order != NULL ? cases[i].order : "none", (int)nrows, (int)nunits,
                     (int)nlooks);
        if (cases[i].max_nlooks == NGROUPS)
            assert_int_equal(nlooks, NGROUPS);
        stoa_filter_free(filter);
        table_reset(&table);
    }
}

/* ---- Nulls and NaN. ---- */

/* Thirds of them null, NaN and numbers from 0 to 799, in row groups of their own when sorted. */
static void make_floats(const struct stoa_schema *schema, const struct stoa_sort_order *order,
                        struct stoa_batch *out)
{
    struct stoa_array mixed;
    struct stoa_batch rows = {.schema = schema, .nrows = NROWS, .columns = &mixed, .ncolumns = 1};
    static uint32_t places[NROWS];
    struct stoa_error err;

    stoa_test_check(stoa_array_alloc(&schema->fields[0].type, NROWS, 0, true, &mixed, &err), &err);
    for (size_t i = 0; i < NROWS; i++) {
        const double value = i % 3 == 1 ? NAN : (double)(i / 3);

        memcpy(mixed.values + 8 * i, &value, 8);
        if (i % 3 != 0)
            mixed.validity[i / 8] |= (uint8_t)(1U << i % 8);
    }
    mixed.nnulls = NROWS / 3;
    stoa_test_check(stoa_batch_init(out, schema, &err), &err);
    out->nrows = NROWS;
    stoa_test_check(stoa_order_sort(order, &rows, places, &err), &err);
    stoa_test_check(
        stoa_array_take(&schema->fields[0], &mixed, places, NROWS, &out->columns[0], &err), &err);
    stoa_array_reset(&mixed);
}

static void write_floats(const struct stoa_batch *rows, const struct stoa_sort_order *order,
                         struct stoa_test_file *out)
{
    struct stoa_batch groups[NGROUPS];

    for (size_t g = 0; g < NGROUPS; g++)
        stoa_test_copy_rows(rows, g * GROUP_NROWS, (g + 1) * GROUP_NROWS, &groups[g]);
    stoa_test_file_write_options(rows->schema, groups, NGROUPS,
                                 &(struct stoa_writer_options){.order = order}, NULL, out);
    for (size_t g = 0; g < NGROUPS; g++)
        stoa_batch_reset(&groups[g]);
}

static void nulls_and_nan_stand_at_their_ends(void **state)
{
    (void)state;
    static const char *const orders[] = {"x", "x:desc", "x:nulls-first", "x:desc:nulls-first"};
    static const struct {
        const char *filter;
        uint64_t nrows;
    } cases[] = {
        {"x > 700", 99},
        {"x < 100", 100},
        {"x = 0", 1},
        {"x = 799", 1},
        {"x in (0, 799)", 2},
        {"x > 800", 0},
        {"x < 0", 0},
        {"x <> 5", 1599},
        {"x is null", 800},
        {"x is nan", 800},
        {"x is not null", 1600},
        {"x is not nan", 1600},
        {"not x > 700", 1501},
        {"x >= 3 and x < 4", 1},
        {"x is null and x = 3", 0},
        {"x between 398 and 401 and x is not null", 4},
    };
    struct stoa_schema schema = {0};

    stoa_test_add_column(&schema, "x", STOA_FLOAT64, true);
    for (size_t k = 0; k < sizeof(orders) / sizeof(orders[0]); k++) {
        struct stoa_test_file file;
        struct stoa_sort_order order;
        struct stoa_batch rows;
        struct stoa_error err;

        stoa_test_check(stoa_order_parse(orders[k], &schema, &order, &err), &err);
        make_floats(&schema, &order, &rows);
        write_floats(&rows, &order, &file);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            struct stoa_filter *filter = parse(cases[i].filter);
            uint64_t nrows;
            uint32_t nunits;

            stoa_test_check(count_rows(&file, filter, &nrows, &nunits, &err), &err);
            if (nrows != cases[i].nrows)
                fail_msg("%s by %s: %d rows, not %d", cases[i].filter, orders[k], (int)nrows,
                         (int)cases[i].nrows);
            stoa_filter_free(filter);
        }
        stoa_test_file_reset(&file);
        stoa_batch_reset(&rows);
        stoa_order_reset(&order);
    }
    stoa_schema_reset(&schema);
}

/* ---- What is read. ---- */

static void the_first_rows_by_the_order_cost_the_reads_of_their_pages(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        uint64_t limit;
        int64_t first; /* c of the first row */
        uint32_t max_nreads;
    } cases[] = {
        {"a >= 2 and b >= 0", 5, 1200, 3},
        {"a >= 2", 8, 1200, 3},
        {"a = 2 and b >= 20", 3, 1220, 3},
        {"a = 2 and b >= 20", 13, 1220, 9},
    };
    struct table table;

    table_init(&table, "a,b");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_filter *filter = parse(cases[i].filter);
        const struct stoa_scan_options options = {.filter = filter, .limit = cases[i].limit};
        struct stoa_test_io_fault counted = {0};
        struct stoa_source *source =
            stoa_test_faulty_source(stoa_test_file_source(&table.file), &counted);
        struct stoa_reader *reader;
        struct stoa_scan *scan;
        struct stoa_error err;
        uint64_t nrows = 0, nbefore;

        stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
        stoa_test_check(stoa_scan_open(reader, &options, &scan, &err), &err);
        nbefore = counted.ncalls;
        while (nrows < cases[i].limit) {
            struct stoa_batch batch;
            int64_t first;

            stoa_test_check(stoa_scan_next(scan, &batch, &err), &err);
            assert_true(batch.nrows > 0);
            memcpy(&first, batch.columns[2].values, sizeof(first));
            if (nrows == 0)
                assert_int_equal(first, cases[i].first);
            nrows += batch.nrows;
            stoa_batch_reset(&batch);
        }
        assert_int_equal(nrows, cases[i].limit);
        if (counted.ncalls - nbefore > cases[i].max_nreads)
            fail_msg("%s: %d reads", cases[i].filter, (int)(counted.ncalls - nbefore));
        stoa_scan_close(scan);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_filter_free(filter);
    }
    table_reset(&table);
}

/* ---- Orders that are none. ---- */

/* Rows may be missing then; none is there that the filter does not select. */
static void an_order_that_is_not_true_loses_rows_at_the_most(void **state)
{
    (void)state;
    static const uint8_t lies[][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 0}, {1, 3}, {2, 1}};
    const size_t ncases = stoa_test_ncases(40);
    struct stoa_test_random r;
    struct table table;
    size_t nlost = 0;

    stoa_test_random_init(&r, "an_order_that_is_not_true_loses_rows_at_the_most");
    table_init(&table, "a,b");
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct stoa_test_file bad = {malloc(table.file.nbytes), table.file.nbytes};
        uint8_t *keys;

        assert_non_null(bad.bytes);
        memcpy(bad.bytes, table.file.bytes, bad.nbytes);
        keys = stoa_test_file_section(&bad, STOA_SECTION_ORDER);
        stoa_store32(keys, lies[i][0]);
        keys[4] = lies[i][1];
        stoa_store32(keys + STOA_ORDER_NBYTES, lies[i][0] == 1 ? 0 : 1);
        stoa_test_rehash(bad.bytes, bad.nbytes);
        for (size_t k = 0; k < ncases; k++) {
            struct stoa_filter *filter =
                stoa_test_gen_filter(&r, &table.rows, (unsigned)stoa_test_random_below(&r, 3));
            struct stoa_error err;
            uint64_t nrows, nright;
            uint32_t nunits;

            stoa_test_check(count_rows(&table.file, filter, &nright, &nunits, &err), &err);
            stoa_test_check(count_rows(&bad, filter, &nrows, &nunits, &err), &err);
            assert_true(nrows <= nright);
            nlost += nrows < nright;
            stoa_filter_free(filter);
        }
        free(bad.bytes);
    }
    assert_true(nlost > 0); /* else nobody believes it */
    table_reset(&table);
}

static void an_order_that_cannot_be_read_is_not_used(void **state)
{
    (void)state;
    struct stoa_filter *filter = parse("a = 1 and b = 300");
    struct table table;
    struct stoa_error err;
    uint64_t nrows;
    uint32_t nunits;

    table_init(&table, "a,b");
    stoa_store32(stoa_test_file_section(&table.file, STOA_SECTION_ORDER), 99); /* no such node */
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    stoa_test_check(count_rows(&table.file, filter, &nrows, &nunits, &err), &err);
    assert_int_equal(nrows, 1);
    stoa_filter_free(filter);
    table_reset(&table);
}

/* ---- Memory that runs out. ---- */

struct counting {
    const struct stoa_test_file *file;
    const struct stoa_filter *filter;
};

static enum stoa_status count_again(void *context, struct stoa_error *err)
{
    const struct counting *in = context;
    uint64_t nrows = 0;
    uint32_t nunits;
    enum stoa_status st = count_rows(in->file, in->filter, &nrows, &nunits, err);

    if (st == STOA_OK)
        assert_int_equal(nrows, 1);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_filter *filter = parse("a = 1 and b = 300");
    struct table table;
    struct counting in;

    table_init(&table, "a,b");
    in = (struct counting){&table.file, filter};
    stoa_test_each_failing_alloc(count_again, &in);
    stoa_filter_free(filter);
    table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_are_found_by_a_binary_search),
        cmocka_unit_test(nulls_and_nan_stand_at_their_ends),
        cmocka_unit_test(the_first_rows_by_the_order_cost_the_reads_of_their_pages),
        cmocka_unit_test(an_order_that_is_not_true_loses_rows_at_the_most),
        cmocka_unit_test(an_order_that_cannot_be_read_is_not_used),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
