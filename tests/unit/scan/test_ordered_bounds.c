/* Bounds of the column that a file is sorted by come from its ends, and are those of any file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/aggregate.h>

#include "column/order.h"
#include "support/columns.h"
#include "support/stoa_file.h"

enum { NROWS = 3000, NGROUPS = 3, NNULLS = 1100 };

/* Texts that differ behind what a zone map keeps of them, not in order; some null. */
static const char *text(size_t i, char room[64])
{
    if (i * 7 % NROWS < NNULLS)
        return NULL;
    snprintf(room, 64, "the beginning of all texts %05zu", i * 1009 % NROWS);
    return room;
}

/* Least and greatest of the column, and the pages that were read to find them. */
static void find_bounds(const struct stoa_test_file *file, struct stoa_aggregate *out,
                        uint64_t *npages)
{
    const struct stoa_scan_options options = {.jobs = 1};
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_scan_counters counters;
    struct stoa_aggregator *aggregator;
    struct stoa_reader *reader;
    struct stoa_scan *scan;
    struct stoa_error err;

    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_scan_open(reader, &options, &scan, &err), &err);
    stoa_test_check(
        stoa_aggregator_new(stoa_scan_schema(scan), STOA_AGGREGATE_BOUNDS, &aggregator, &err),
        &err);
    stoa_test_check(stoa_scan_aggregate(scan, aggregator, &err), &err);
    assert_int_equal(stoa_aggregator_nrows(aggregator), NROWS);
    stoa_test_check(stoa_aggregator_get(aggregator, 0, out, &err), &err);
    stoa_test_check(stoa_scan_counters_get(scan, &counters, &err), &err);
    *npages = counters.pages.read;
    stoa_aggregator_free(aggregator);
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    stoa_source_close(source);
}

/* The rows in three row groups; sorted where there is an order. */
static void write_rows(const struct stoa_batch *batch, const struct stoa_sort_order *order,
                       struct stoa_test_file *out)
{
    struct stoa_array taken;
    struct stoa_batch sorted = {
        .schema = batch->schema, .nrows = NROWS, .columns = &taken, .ncolumns = 1};
    struct stoa_batch groups[NGROUPS];
    static uint32_t rows[NROWS];
    struct stoa_error err;

    for (uint32_t i = 0; i < NROWS; i++)
        rows[i] = i;
    if (order != NULL)
        stoa_test_check(stoa_order_sort(order, batch, rows, &err), &err);
    stoa_test_check(
        stoa_array_take(&batch->schema->fields[0], &batch->columns[0], rows, NROWS, &taken, &err),
        &err);
    for (size_t g = 0; g < NGROUPS; g++)
        stoa_test_copy_rows(&sorted, g * NROWS / NGROUPS, (g + 1) * NROWS / NGROUPS, &groups[g]);
    stoa_test_file_write_options(batch->schema, groups, NGROUPS,
                                 &(struct stoa_writer_options){.order = order}, NULL, out);
    for (size_t g = 0; g < NGROUPS; g++)
        stoa_batch_reset(&groups[g]);
    stoa_array_reset(&taken);
}

static void bounds_come_from_the_ends_of_a_sorted_file(void **state)
{
    (void)state;
    static const char *const orders[] = {NULL, "t", "t:desc", "t:nulls-first",
                                         "t:desc:nulls-first"};
    struct stoa_schema schema = {0};
    struct stoa_array column;
    struct stoa_batch batch = {
        .schema = &schema, .nrows = NROWS, .columns = &column, .ncolumns = 1};
    struct stoa_aggregate any = {0};

    stoa_test_add_column(&schema, "t", STOA_UTF8, true);
    stoa_test_make_texts(&column, NROWS, text);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct stoa_sort_order order = {0};
        struct stoa_aggregate found;
        struct stoa_test_file file;
        struct stoa_error err;
        uint64_t npages;

        if (orders[i] != NULL)
            stoa_test_check(stoa_order_parse(orders[i], &schema, &order, &err), &err);
        write_rows(&batch, orders[i] != NULL ? &order : NULL, &file);
        find_bounds(&file, &found, &npages);
        assert_int_equal(found.nnulls, NNULLS);
        if (i == 0) {
            any = found;
            assert_int_equal(any.bounds.nvalues, 2);
            assert_true(npages >= NGROUPS);
        } else {
            assert_true(stoa_array_equal(&schema.fields[0], &found.bounds, &any.bounds));
            assert_true(npages <= 2);
            stoa_aggregate_reset(&found);
        }
        stoa_order_reset(&order);
        stoa_test_file_reset(&file);
    }
    stoa_aggregate_reset(&any);
    stoa_array_reset(&column);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_come_from_the_ends_of_a_sorted_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
