/*
 * Aggregates: what a slow look at every selected row says, for generated tables and predicates and
 * any number of threads; what is taken from statistics; failures.
 */
#include <stoa/aggregate.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/float16.h"
#include "base/float_sum.h"
#include "base/int256.h"
#include "base/number.h"
#include "column/schema.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_filter.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

enum { MAX_NCOLUMNS = 6, MAX_NGROUPS = 6, MAX_NROWS = 20000 };

/* ---- The model: one row after the other. ---- */

static bool is_selected(const uint8_t *selected, size_t i)
{
    return selected == NULL || stoa_bitmap_get(selected, i);
}

static bool is_null(const struct stoa_field *field, const struct stoa_array *array, size_t i)
{
    return field->type.id == STOA_NULL || stoa_array_is_null(array, i);
}

/* A value as a number that holds every integer and decimal. */
static struct stoa_int256 int_at(const struct stoa_type *type, const struct stoa_array *array,
                                 size_t i)
{
    const size_t width = stoa_type_width(type);
    const uint8_t *at = array->values + i * width;
    struct stoa_int256 wide;
    struct stoa_int128 half;
    uint64_t u = 0;
    int64_t x = 0;

    if (width == 32) {
        memcpy(&wide, at, 32);
        return wide;
    }
    if (width == 16) {
        memcpy(&half, at, 16);
        return stoa_int256_from_i128(half);
    }
    for (size_t k = 0; k < width; k++) /* bytes, whatever the order of the machine */
        u |= (uint64_t)at[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? k : width - 1 - k] << (8 * k);
    if (type->id >= STOA_UINT8 && type->id <= STOA_UINT64)
        return stoa_int256_from_u64(u);
    x = (int64_t)(u << (64 - 8 * width)) >> (64 - 8 * width);
    return stoa_int256_from_i64(x);
}

static double float_at(const struct stoa_type *type, const struct stoa_array *array, size_t i)
{
    uint16_t half;
    float single;
    double x;

    if (type->id == STOA_FLOAT16) {
        memcpy(&half, array->values + 2 * i, 2);
        return stoa_float16_to_double(half);
    }
    if (type->id == STOA_FLOAT32) {
        memcpy(&single, array->values + 4 * i, 4);
        return (double)single;
    }
    memcpy(&x, array->values + 8 * i, 8);
    return x;
}

static bool is_float(const struct stoa_type *type)
{
    return type->id >= STOA_FLOAT16 && type->id <= STOA_FLOAT64;
}

static bool is_int(const struct stoa_type *type)
{
    return (type->id >= STOA_INT8 && type->id <= STOA_UINT64) || type->id == STOA_DECIMAL;
}

/* -1, 0, 1; of values that are neither null nor NaN. */
static int compare(const struct stoa_type *type, const struct stoa_array *array, size_t a, size_t b)
{
    size_t width = type->id == STOA_UUID ? 16 : type->id == STOA_FIXED_BINARY ? type->width : 0;
    size_t from[2], n[2];
    int order;

    if (type->id == STOA_BOOL)
        return stoa_bitmap_get(array->values, a) - stoa_bitmap_get(array->values, b);
    if (is_float(type)) {
        double x = float_at(type, array, a), y = float_at(type, array, b);

        return (x > y) - (x < y);
    }
    if (width == 0 && array->offsets == NULL) {
        struct stoa_type unsigned_type = *type;

        if (type->id == STOA_ENUM)
            unsigned_type.id = STOA_UINT32;
        return stoa_int256_cmp(int_at(&unsigned_type, array, a), int_at(&unsigned_type, array, b));
    }
    for (int k = 0; k < 2; k++) {
        size_t i = k == 0 ? a : b;

        from[k] = width > 0 ? i * width : (size_t)array->offsets[i];
        n[k] = width > 0 ? width : (size_t)array->offsets[i + 1] - from[k];
    }
    order = memcmp(array->values + from[0], array->values + from[1], n[0] < n[1] ? n[0] : n[1]);
    return order != 0 ? order : (n[0] > n[1]) - (n[0] < n[1]);
}

/* What must come out for one column. */
struct model {
    uint64_t nvalues;
    uint64_t nnulls;
    uint64_t nnans;
    bool has_bounds;
    size_t least; /* rows */
    size_t greatest;
    struct stoa_int256 ints;
    struct stoa_float_sum floats;
};

static void model_add(struct model *model, const struct stoa_type *type,
                      const struct stoa_array *array, size_t i)
{
    double x;

    model->nvalues++;
    if (is_int(type))
        assert_true(stoa_int256_add(model->ints, int_at(type, array, i), &model->ints) ||
                    type->precision > 70);
    if (is_float(type)) {
        x = float_at(type, array, i);
        stoa_float_sum_add(&model->floats, &x, 1);
        model->nnans += x != x;
        if (x != x)
            return;
    }
    if (!model->has_bounds)
        model->least = model->greatest = i;
    model->has_bounds = true;
    if (compare(type, array, i, model->least) < 0)
        model->least = i;
    if (compare(type, array, i, model->greatest) > 0)
        model->greatest = i;
}

static void model_of(const struct stoa_field *field, const struct stoa_array *array,
                     const uint8_t *selected, struct model *out)
{
    *out = (struct model){0};
    for (size_t i = 0; i < array->nvalues; i++) {
        if (!is_selected(selected, i))
            continue;
        if (is_null(field, array, i))
            out->nnulls++;
        else if (stoa_bound_kind(&field->type) != STOA_BOUND_NONE)
            model_add(out, &field->type, array, i);
        else
            out->nvalues++;
    }
}

/* ---- Checks. ---- */

static void check_bounds(const struct stoa_field *field, const struct stoa_array *array,
                         const struct model *model, const struct stoa_aggregate *got)
{
    const uint32_t rows[] = {(uint32_t)model->least, (uint32_t)model->greatest};
    struct stoa_array expected;
    struct stoa_error err = {0};

    assert_int_equal(got->bounds.nvalues, model->has_bounds ? 2 : 0);
    if (!model->has_bounds)
        return;
    stoa_test_check(stoa_array_take(field, array, rows, 2, &expected, &err), &err);
    for (size_t i = 0; i < 2 && is_float(&field->type); i++) { /* zeros are 0.0 */
        if (float_at(&field->type, &expected, i) == 0)
            memset(expected.values + i * stoa_type_width(&field->type), 0,
                   stoa_type_width(&field->type));
    }
    if (!stoa_array_equal(field, &expected, &got->bounds))
        fail_msg("column %s: bounds differ from rows %zu and %zu", field->name, model->least,
                 model->greatest);
    stoa_test_check(stoa_array_validate(field, &got->bounds, &err), &err);
    stoa_array_reset(&expected);
}

static void check_sums(const struct stoa_type *type, const struct model *model,
                       const struct stoa_aggregate *got)
{
    char text[STOA_AGGREGATE_TEXT_NBYTES] = {0};
    double sum;

    assert_int_equal(got->has_sum, is_int(type) || is_float(type));
    assert_int_equal(got->has_mean, got->has_sum && model->nvalues > 0);
    assert_int_equal(got->nnans, model->nnans);
    if (is_float(type)) {
        sum = stoa_float_sum_round(&model->floats, 1);
        assert_true(memcmp(&sum, &got->sum, 8) == 0 || (sum != sum && got->sum != got->sum));
        text[stoa_number_format_double(sum, text)] = '\0';
        assert_string_equal(got->sum_text, text);
    } else if (is_int(type) && type->precision <= 70 && stoa_int256_fits_i128(model->ints)) {
        struct stoa_int128 ints = stoa_int256_low(model->ints);

        if (stoa_int128_fits_digits(ints, 38)) {
            text[stoa_decimal_format(ints, type->scale, text)] = '\0';
            assert_string_equal(got->sum_text, text);
        }
    }
}

static void check_column(const struct stoa_field *field, const struct stoa_array *array,
                         const uint8_t *selected, unsigned parts, const struct stoa_aggregate *got)
{
    struct model model;

    model_of(field, array, selected, &model);
    assert_int_equal(got->nvalues, model.nvalues);
    assert_int_equal(got->nnulls, model.nnulls);
    if (parts & STOA_AGGREGATE_BOUNDS)
        check_bounds(field, array, &model, got);
    else
        assert_int_equal(got->bounds.nvalues, 0);
    if (parts & STOA_AGGREGATE_SUMS)
        check_sums(&field->type, &model, got);
    else
        assert_false(got->has_sum || got->has_mean);
}

/* ---- Tables. ---- */

struct table {
    struct stoa_schema schema;
    struct stoa_batch rows;
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
};

static void write_table(struct stoa_test_random *r, struct table *table)
{
    struct stoa_batch groups[MAX_NGROUPS];
    struct stoa_rules rules = stoa_default_rules;
    size_t ngroups = 0;

    rules.page_min_nbytes = 300;
    for (size_t begin = 0; begin < table->rows.nrows;) {
        size_t rest = table->rows.nrows - begin;
        size_t n = ngroups == MAX_NGROUPS - 1 ? rest : 1 + stoa_test_random_below(r, rest);

        stoa_test_copy_rows(&table->rows, begin, begin + n, &groups[ngroups++]);
        begin += n;
    }
    stoa_test_file_write(&table->schema, groups, ngroups, &rules, &table->file);
    for (size_t i = 0; i < ngroups; i++)
        stoa_batch_reset(&groups[i]);
}

static void table_init(struct stoa_test_random *r, struct table *table)
{
    uint32_t ncolumns = 1 + (uint32_t)stoa_test_random_below(r, MAX_NCOLUMNS);
    size_t nrows = stoa_test_random_below(r, stoa_test_random_one_in(r, 4) ? MAX_NROWS : 900);
    struct stoa_error err = {0};

    *table = (struct table){0};
    stoa_test_gen_schema(r, ncolumns, &table->schema);
    stoa_test_gen_batch(r, &table->schema, nrows, &table->rows);
    for (uint32_t i = 0; i < ncolumns; i++) {
        const struct stoa_field *field = &table->schema.fields[i];

        if ((field->type.id == STOA_UTF8 || field->type.id == STOA_BINARY) &&
            stoa_test_random_one_in(r, 2)) {
            stoa_array_reset(&table->rows.columns[i]);
            stoa_test_gen_long_texts(r, field, nrows, &table->rows.columns[i]);
        }
    }
    write_table(r, table);
    table->source = stoa_test_file_source(&table->file);
    stoa_test_check(stoa_reader_open(table->source, NULL, &table->reader, &err), &err);
}

static void table_reset(struct table *table)
{
    stoa_reader_close(table->reader);
    stoa_source_close(table->source);
    stoa_test_file_reset(&table->file);
    stoa_batch_reset(&table->rows);
    stoa_schema_reset(&table->schema);
}

/* ---- Differential. ---- */

static void check_scan(const struct table *table, const struct stoa_filter *filter,
                       const uint8_t *selected, unsigned parts, unsigned jobs)
{
    const struct stoa_scan_options options = {.filter = filter, .jobs = jobs};
    struct stoa_aggregator *aggregator;
    struct stoa_scan *scan;
    struct stoa_error err = {0};
    uint64_t nrows =
        selected == NULL ? table->rows.nrows : stoa_bitmap_count(selected, 0, table->rows.nrows);

    stoa_test_check(stoa_scan_open(table->reader, &options, &scan, &err), &err);
    stoa_test_check(stoa_aggregator_new(stoa_scan_schema(scan), parts, &aggregator, &err), &err);
    stoa_test_check(stoa_scan_aggregate(scan, aggregator, &err), &err);
    assert_int_equal(stoa_aggregator_nrows(aggregator), nrows);
    for (uint32_t i = 0; i < table->schema.nfields; i++) {
        struct stoa_aggregate got;

        stoa_test_check(stoa_aggregator_get(aggregator, i, &got, &err), &err);
        check_column(&table->schema.fields[i], &table->rows.columns[i], selected, parts, &got);
        stoa_aggregate_reset(&got);
    }
    stoa_aggregator_free(aggregator);
    stoa_scan_close(scan);
}

static void aggregates_are_those_of_the_selected_rows(void **state)
{
    (void)state;
    static const unsigned jobs[] = {1, 2, 3, 8};
    struct stoa_test_random r;
    uint64_t nselected = 0;

    stoa_test_random_init(&r, "aggregates_are_those_of_the_selected_rows");
    for (size_t i = 0; i < stoa_test_ncases(300); i++) {
        struct table table;
        struct stoa_error err = {0};

        table_init(&r, &table);
        for (unsigned parts = 0; parts < 4; parts++)
            check_scan(&table, NULL, NULL, parts, jobs[i % 4]);
        for (int k = 0; k < 8; k++) {
            struct stoa_filter *filter =
                stoa_test_gen_filter(&r, &table.rows, (unsigned)stoa_test_random_below(&r, 3));
            struct stoa_matcher *matcher;
            uint8_t *selected = calloc(1, stoa_bitmap_nbytes(table.rows.nrows) + 1);

            stoa_test_check(stoa_filter_bind(filter, &table.schema, &matcher, &err), &err);
            stoa_test_check(stoa_matcher_eval(matcher, &table.rows, selected, &err), &err);
            nselected += stoa_bitmap_count(selected, 0, table.rows.nrows);
            check_scan(&table, filter, selected, stoa_test_random_one_in(&r, 3) ? 1 : 3,
                       jobs[k % 4]);
            stoa_matcher_free(matcher);
            stoa_filter_free(filter);
            free(selected);
        }
        table_reset(&table);
    }
    assert_true(nselected > 0);
}

/* ---- What is read. ---- */

/* Bytes of chunks that aggregating one column of the keys table reads. */
static uint64_t bytes_read(struct stoa_reader *reader, const char *column, const char *where,
                           unsigned parts)
{
    const char *const columns[] = {column};
    struct stoa_scan_options options = {.columns = columns, .ncolumns = 1};
    struct stoa_scan_counters counters;
    struct stoa_filter *filter = NULL;
    struct stoa_aggregator *aggregator;
    struct stoa_scan *scan;
    struct stoa_error err = {0};

    if (where != NULL)
        stoa_test_check(stoa_filter_parse(where, &filter, &err), &err);
    options.filter = filter;
    stoa_test_check(stoa_scan_open(reader, &options, &scan, &err), &err);
    stoa_test_check(stoa_aggregator_new(stoa_scan_schema(scan), parts, &aggregator, &err), &err);
    stoa_test_check(stoa_scan_aggregate(scan, aggregator, &err), &err);
    stoa_test_check(stoa_scan_counters_get(scan, &counters, &err), &err);
    stoa_aggregator_free(aggregator);
    stoa_scan_close(scan);
    stoa_filter_free(filter);
    return counters.bytes.read;
}

static void statistics_answer_what_they_prove(void **state)
{
    (void)state;
    const unsigned bounds = STOA_AGGREGATE_BOUNDS, sums = STOA_AGGREGATE_SUMS;
    struct stoa_schema schema = {0};
    struct stoa_batch batch, halves[2];
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    uint64_t all;

    stoa_test_make_keys(&schema, 60000, &batch); /* row rises: 0, 1, ... */
    stoa_test_copy_rows(&batch, 0, 30000, &halves[0]);
    stoa_test_copy_rows(&batch, 30000, 60000, &halves[1]);
    stoa_test_file_write(&schema, halves, 2, NULL, &file);
    source = stoa_test_file_source(&file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);

    assert_int_equal(bytes_read(reader, "row", NULL, bounds), 0);
    assert_int_equal(bytes_read(reader, "key", NULL, 0), 0);
    assert_true(bytes_read(reader, "key", NULL, bounds) > 0); /* bounds of long texts are cut */
    all = bytes_read(reader, "row", NULL, bounds | sums);
    assert_true(all > 0);
    assert_int_equal(bytes_read(reader, "row", "row < 30000", bounds), 0); /* a whole row group */
    assert_int_equal(bytes_read(reader, "row", "row < 8192", bounds), 0);  /* a whole zone */
    assert_in_range(bytes_read(reader, "row", "row < 9000", bounds), 1, all / 2);
    assert_in_range(bytes_read(reader, "row", "row < 30000", bounds | sums), 1, all - 1);

    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_file_reset(&file);
    for (int i = 0; i < 2; i++)
        stoa_batch_reset(&halves[i]);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- Batches, several scans, failures. ---- */

static void batches_and_scans_add_up(void **state)
{
    (void)state;
    struct stoa_schema schema = {0}, other = {0};
    struct stoa_batch batch;
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_scan *scan;
    struct stoa_scan_options limited = {.limit = 5};
    struct stoa_aggregator *aggregator;
    struct stoa_aggregate got;
    struct stoa_error err = {0};

    stoa_test_make_keys(&schema, 1000, &batch);
    stoa_test_file_write(&schema, &batch, 1, NULL, &file);
    source = stoa_test_file_source(&file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_scan_open(reader, NULL, &scan, &err), &err);
    stoa_test_check(stoa_aggregator_new(&schema, 3, &aggregator, &err), &err);
    stoa_test_check(stoa_aggregator_add(aggregator, &batch, &err), &err);
    for (int i = 0; i < 2; i++)
        stoa_test_check(stoa_scan_aggregate(scan, aggregator, &err), &err);
    assert_int_equal(stoa_aggregator_nrows(aggregator), 3000);
    stoa_test_check(stoa_aggregator_get(aggregator, 1, &got, &err), &err);
    assert_string_equal(got.sum_text, "1498500");
    assert_string_equal(got.mean_text, "499.500000");
    assert_true(got.sum == 1498500 && got.mean == 499.5);
    stoa_aggregate_reset(&got);
    stoa_scan_close(scan);
    stoa_aggregator_free(aggregator);

    stoa_test_add_column(&other, "x", STOA_INT64, true);
    stoa_test_check(stoa_aggregator_new(&other, 3, &aggregator, &err), &err);
    stoa_test_check(stoa_scan_open(reader, &limited, &scan, &err), &err);
    assert_int_equal(stoa_scan_aggregate(scan, aggregator, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "a scan with a limit can't be aggregated");
    assert_int_equal(stoa_aggregator_add(aggregator, &batch, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "another schema than the one that is aggregated");
    stoa_aggregator_free(aggregator);
    stoa_scan_close(scan);

    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
    stoa_schema_reset(&other);
}

/* A table of all types and a predicate that selects some rows of each row group. */
struct scenario {
    struct stoa_source *source;
    const struct stoa_filter *filter;
};

static enum stoa_status aggregates_all(void *context, struct stoa_error *err)
{
    const struct scenario *scenario = context;
    const struct stoa_scan_options options = {.filter = scenario->filter};
    struct stoa_reader *reader = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_aggregator *aggregator = NULL;
    enum stoa_status st = stoa_reader_open(scenario->source, NULL, &reader, err);

    if (st == STOA_OK)
        st = stoa_scan_open(reader, &options, &scan, err);
    if (st == STOA_OK)
        st = stoa_aggregator_new(stoa_scan_schema(scan), 3, &aggregator, err);
    if (st == STOA_OK)
        st = stoa_scan_aggregate(scan, aggregator, err);
    for (uint32_t i = 0; st == STOA_OK && i < stoa_scan_schema(scan)->nfields; i++) {
        struct stoa_aggregate got = {0};

        st = stoa_aggregator_get(aggregator, i, &got, err);
        stoa_aggregate_reset(&got);
    }
    stoa_aggregator_free(aggregator);
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    return st;
}

static void make_all_types(struct stoa_test_table *out)
{
    static const size_t nrows[] = {300, 200};
    struct stoa_test_random random;
    struct stoa_schema schema;

    stoa_test_random_seed(&random, 9);
    stoa_test_schema_of_all_types(&random, &schema);
    stoa_test_table_make(&random, &schema, nrows, 2, NULL, out);
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_test_table table;
    struct scenario scenario = {0};
    struct stoa_filter *filter;
    struct stoa_error err = {0};
    char where[256];

    make_all_types(&table);
    snprintf(where, sizeof(where), "\"%s\" is null", table.schema.fields[2].name);
    stoa_test_check(stoa_filter_parse(where, &filter, &err), &err);
    scenario.source = stoa_test_file_source(&table.file);
    stoa_test_each_failing_alloc(aggregates_all, &scenario);
    scenario.filter = filter;
    stoa_test_each_failing_alloc(aggregates_all, &scenario);
    stoa_source_close(scenario.source);
    stoa_filter_free(filter);
    stoa_test_table_reset(&table);
}

static void a_damaged_page_is_an_error(void **state)
{
    (void)state;
    struct stoa_test_table table;
    struct scenario scenario = {0};
    struct stoa_chunk_info chunk;
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    uint32_t column = 0;

    make_all_types(&table);
    while (table.schema.fields[column].type.id != STOA_INT64)
        column++;
    scenario.source = stoa_test_file_source(&table.file);
    stoa_test_check(stoa_reader_open(scenario.source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_reader_chunk(reader, 1, column, &chunk, &err), &err);
    stoa_reader_close(reader);
    stoa_source_close(scenario.source);
    table.file.bytes[chunk.offset + chunk.nbytes - 1] ^= 1;
    scenario.source = stoa_test_file_source(&table.file);
    assert_int_equal(aggregates_all(&scenario, &err), STOA_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "row group 1: column "));
    stoa_source_close(scenario.source);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregates_are_those_of_the_selected_rows),
        cmocka_unit_test(statistics_answer_what_they_prove),
        cmocka_unit_test(batches_and_scans_add_up),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_damaged_page_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
