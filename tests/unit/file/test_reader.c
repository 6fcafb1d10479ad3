/*
 * Reading files that the writer wrote: values, ranges of rows, names, row groups, zone maps, spans.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "stats/zonemap.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A generated table of all types and an open reader on it. */
struct fixture {
    struct stoa_test_table table;
    struct stoa_source *source;
    struct stoa_reader *reader;
};

static void fixture_open(struct fixture *f, struct stoa_test_random *random, const size_t *nrows,
                         size_t ngroups)
{
    struct stoa_schema schema;
    struct stoa_error err;

    stoa_test_schema_of_all_types(random, &schema);
    stoa_test_table_make(random, &schema, nrows, ngroups, NULL, &f->table);
    f->source = stoa_test_file_source(&f->table.file);
    if (stoa_reader_open(f->source, NULL, &f->reader, &err) != STOA_OK)
        fail_msg("%s", err.message);
}

static void fixture_close(struct fixture *f)
{
    stoa_reader_close(f->reader);
    stoa_source_close(f->source);
    stoa_test_table_reset(&f->table);
}

static void check_table(const struct stoa_test_table *table)
{
    struct stoa_source *source = stoa_test_file_source(&table->file);
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    bool equal;

    if (stoa_reader_open(source, NULL, &reader, &err) != STOA_OK ||
        stoa_test_table_compare(table, reader, &equal, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_true(equal);
    stoa_reader_close(reader);
    stoa_source_close(source);
}

static void every_type_and_number_of_rows_comes_back(void **state)
{
    static const size_t nrows[] = {1, 2, 7, 8, 9, 1023, 1024, 1025, 8191, 8192, 8193, 20000};
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "every_type_and_number_of_rows_comes_back");
    for (size_t i = 0; i < LENGTH_OF(nrows); i++) {
        struct stoa_test_table table;
        struct stoa_schema schema;

        stoa_test_schema_of_all_types(&random, &schema);
        stoa_test_table_make(&random, &schema, &nrows[i], 1, NULL, &table);
        check_table(&table);
        stoa_test_table_reset(&table);
    }
}

static void generated_tables_come_back(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "generated_tables_come_back");
    for (size_t i = 0, n = stoa_test_ncases(400); i < n; i++) {
        size_t nrows[4], ngroups = stoa_test_random_below(&random, 5);
        struct stoa_test_table table;
        struct stoa_schema schema;

        for (size_t g = 0; g < ngroups; g++)
            nrows[g] = 1 + stoa_test_random_below(&random, 300);
        stoa_test_gen_schema(&random, (uint32_t)stoa_test_random_below(&random, 6), &schema);
        stoa_test_table_make(&random, &schema, nrows, ngroups, NULL, &table);
        check_table(&table);
        stoa_test_table_reset(&table);
    }
}

static void a_range_of_rows_is_that_slice_of_the_column(void **state)
{
    static const size_t nrows[] = {12000, 30};
    struct stoa_test_random random;
    struct fixture f;
    struct stoa_error err;

    (void)state;
    stoa_test_random_init(&random, "a_range_of_rows_is_that_slice_of_the_column");
    fixture_open(&f, &random, nrows, LENGTH_OF(nrows));
    for (size_t i = 0, n = stoa_test_ncases(600); i < n; i++) {
        uint32_t group = (uint32_t)stoa_test_random_below(&random, 2);
        uint32_t column = (uint32_t)stoa_test_random_below(&random, f.table.schema.nfields);
        size_t begin = stoa_test_random_below(&random, nrows[group]);
        size_t end = begin + 1 + stoa_test_random_below(&random, nrows[group] - begin);
        const struct stoa_field *field = &f.table.schema.fields[column];
        struct stoa_rows rows = {begin, end};
        struct stoa_array got = {0}, expected = {0};

        assert_int_equal(stoa_reader_column(f.reader, group, column, rows, &got, NULL, &err),
                         STOA_OK);
        assert_int_equal(stoa_array_slice(field, &f.table.batches[group].columns[column], begin,
                                          end, &expected, &err),
                         STOA_OK);
        assert_int_equal(stoa_array_validate(field, &got, &err), STOA_OK);
        assert_true(stoa_array_equal(field, &got, &expected));
        stoa_array_reset(&got);
        stoa_array_reset(&expected);
    }
    fixture_close(&f);
}

static void null_slots_are_zero(void **state)
{
    static const size_t nrows[] = {3000};
    struct stoa_test_random random;
    struct fixture f;
    struct stoa_error err;

    (void)state;
    stoa_test_random_init(&random, "null_slots_are_zero");
    fixture_open(&f, &random, nrows, 1);
    for (uint32_t column = 0; column < f.table.schema.nfields; column++) {
        const struct stoa_type *type = &f.table.schema.fields[column].type;
        size_t width = stoa_type_width(type);
        struct stoa_rows rows = {1, nrows[0] - 1};
        struct stoa_array array = {0};
        static const uint8_t zeros[65536];

        assert_int_equal(stoa_reader_column(f.reader, 0, column, rows, &array, NULL, &err),
                         STOA_OK);
        for (size_t i = 0; i < array.nvalues; i++) {
            if (!stoa_array_is_null(&array, i) || type->id == STOA_NULL)
                continue;
            if (type->id == STOA_BOOL)
                assert_false(stoa_bitmap_get(array.values, i));
            else if (array.offsets != NULL)
                assert_int_equal(array.offsets[i], array.offsets[i + 1]);
            else
                assert_memory_equal(array.values + i * width, zeros, width);
        }
        stoa_array_reset(&array);
    }
    fixture_close(&f);
}

static void only_the_pages_of_the_range_are_read(void **state)
{
    static const size_t nrows[] = {60000};
    struct stoa_rows all = {0, 60000}, one = {30000, 30001};
    struct stoa_read_counters of_all = {0}, of_one = {0};
    struct stoa_schema schema = {0};
    struct stoa_type type = {.id = STOA_UINT64};
    struct stoa_test_random random;
    struct stoa_batch batch;
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_chunk_info chunk;
    struct stoa_array array = {0};
    struct stoa_error err;

    (void)state;
    stoa_test_random_init(&random, "only_the_pages_of_the_range_are_read");
    assert_int_equal(stoa_schema_add(&schema, "x", &type, false, &err), STOA_OK);
    assert_int_equal(stoa_batch_init(&batch, &schema, &err), STOA_OK);
    batch.nrows = nrows[0];
    stoa_test_gen_array(&random, &schema.fields[0], nrows[0], STOA_TEST_FULL_RANGE,
                        STOA_TEST_NULLS_NONE, &batch.columns[0]);
    stoa_test_random_bytes(&random, batch.columns[0].values, nrows[0] * sizeof(uint64_t));
    /* All different, so that there is no dictionary to be read for a single value. */
    stoa_test_random_bytes(&random, batch.columns[0].values, 8 * nrows[0]);
    stoa_test_file_write(&schema, &batch, 1, NULL, &file);
    source = stoa_test_file_source(&file);
    assert_int_equal(stoa_reader_open(source, NULL, &reader, &err), STOA_OK);
    assert_int_equal(stoa_reader_chunk(reader, 0, 0, &chunk, &err), STOA_OK);
    assert_int_equal(chunk.npages, 8);

    assert_int_equal(stoa_reader_column(reader, 0, 0, all, &array, &of_all, &err), STOA_OK);
    stoa_array_reset(&array);
    assert_int_equal(of_all.pages, chunk.npages);
    assert_int_equal(of_all.bytes, chunk.nbytes);
    assert_int_equal(stoa_reader_column(reader, 0, 0, one, &array, &of_one, &err), STOA_OK);
    stoa_array_reset(&array);
    assert_int_equal(of_one.pages, 1 + chunk.local_dictionary);
    assert_true(of_one.bytes < of_all.bytes / 4);

    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void rows_are_located_in_their_row_group(void **state)
{
    static const size_t nrows[] = {10, 1, 8193, 1, 500};
    struct stoa_test_random random;
    struct fixture f;
    struct stoa_error err = {0};
    uint64_t first_row = 0, first_zone = 0;
    uint32_t group;

    (void)state;
    stoa_test_random_init(&random, "rows_are_located_in_their_row_group");
    fixture_open(&f, &random, nrows, LENGTH_OF(nrows));
    assert_int_equal(stoa_reader_nrow_groups(f.reader), LENGTH_OF(nrows));
    for (uint32_t i = 0; i < LENGTH_OF(nrows); i++) {
        struct stoa_row_group info;

        assert_int_equal(stoa_reader_row_group(f.reader, i, &info, &err), STOA_OK);
        assert_int_equal(info.first_row, first_row);
        assert_int_equal(info.first_zone, first_zone);
        assert_int_equal(info.nrows, nrows[i]);
        assert_int_equal(info.nzones, (nrows[i] + 8191) / 8192);
        assert_int_equal(stoa_reader_locate(f.reader, first_row, &group, &err), STOA_OK);
        assert_int_equal(group, i);
        first_row += nrows[i];
        first_zone += info.nzones;
        assert_int_equal(stoa_reader_locate(f.reader, first_row - 1, &group, &err), STOA_OK);
        assert_int_equal(group, i);
    }
    assert_int_equal(stoa_reader_nrows(f.reader), first_row);
    assert_int_equal(stoa_reader_locate(f.reader, first_row, &group, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "row 8705 of 8705");
    fixture_close(&f);
}

static void columns_are_found_by_name(void **state)
{
    enum { NCOLUMNS = 3000 };
    struct stoa_type type = {.id = STOA_INT32};
    struct stoa_schema schema = {0};
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err;
    uint32_t column;
    char name[32];

    (void)state;
    for (unsigned i = 0; i < NCOLUMNS; i++) {
        (void)snprintf(name, sizeof(name), "column %u", i * 7919);
        assert_int_equal(stoa_schema_add(&schema, name, &type, true, &err), STOA_OK);
    }
    stoa_test_file_write(&schema, NULL, 0, NULL, &file);
    source = stoa_test_file_source(&file);
    assert_int_equal(stoa_reader_open(source, NULL, &reader, &err), STOA_OK);
    assert_int_equal(stoa_reader_ncolumns(reader), NCOLUMNS);
    for (unsigned i = 0; i < NCOLUMNS; i++) {
        (void)snprintf(name, sizeof(name), "column %u", i * 7919);
        assert_int_equal(stoa_reader_find(reader, name, &column, &err), STOA_OK);
        assert_int_equal(column, i);
    }
    assert_int_equal(stoa_reader_find(reader, "Column 0", &column, &err), STOA_OK);
    assert_int_equal(column, UINT32_MAX);
    assert_int_equal(stoa_reader_find(reader, "", &column, &err), STOA_OK);
    assert_int_equal(column, UINT32_MAX);
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_file_reset(&file);
    stoa_schema_reset(&schema);
}

static void zone_maps_tell_the_truth(void **state)
{
    static const size_t nrows[] = {20000, 100, 8192};
    struct stoa_test_random random;
    struct fixture f;
    struct stoa_error err;

    (void)state;
    stoa_test_random_init(&random, "zone_maps_tell_the_truth");
    fixture_open(&f, &random, nrows, LENGTH_OF(nrows));
    for (uint32_t column = 0; column < f.table.schema.nfields; column++) {
        const struct stoa_type *type = &f.table.schema.fields[column].type;
        struct stoa_zone claim, truth, all = stoa_zone_empty(type);

        for (uint32_t g = 0; g < LENGTH_OF(nrows); g++) {
            const struct stoa_array *array = &f.table.batches[g].columns[column];

            for (uint32_t z = 0; z * UINT32_C(8192) < nrows[g]; z++) {
                size_t begin = z * (size_t)8192;
                size_t end = begin + 8192 < nrows[g] ? begin + 8192 : nrows[g];

                stoa_zone_compute(type, array, begin, end, &truth);
                assert_int_equal(stoa_reader_zone(f.reader, column, g, z, &claim, &err), STOA_OK);
                assert_true(stoa_zone_holds(&claim, &truth, NULL));
            }
            stoa_zone_compute(type, array, 0, nrows[g], &truth);
            assert_int_equal(stoa_reader_zone(f.reader, column, g, UINT32_MAX, &claim, &err),
                             STOA_OK);
            assert_true(stoa_zone_holds(&claim, &truth, NULL));
            stoa_zone_merge(&all, &truth);
        }
        assert_int_equal(stoa_reader_zone(f.reader, column, UINT32_MAX, UINT32_MAX, &claim, &err),
                         STOA_OK);
        assert_true(stoa_zone_holds(&claim, &all, NULL));
    }
    fixture_close(&f);
}

struct joined {
    uint64_t end;
    uint64_t nbytes[STOA_SPAN_NKINDS];
    unsigned nchunks;
};

static enum stoa_status join(void *context, const struct stoa_span *span, struct stoa_error *err)
{
    struct joined *joined = context;

    (void)err;
    assert_int_equal(span->offset, joined->end);
    assert_true(span->nbytes > 0);
    assert_non_null(span->name);
    joined->end += span->nbytes;
    joined->nbytes[span->kind] += span->nbytes;
    joined->nchunks += span->kind == STOA_SPAN_CHUNK;
    return STOA_OK;
}

static void spans_cover_the_file_without_gaps(void **state)
{
    static const size_t nrows[] = {9000, 1, 700};
    struct stoa_test_random random;
    struct joined joined = {0};
    struct fixture f;
    struct stoa_error err;

    (void)state;
    stoa_test_random_init(&random, "spans_cover_the_file_without_gaps");
    fixture_open(&f, &random, nrows, LENGTH_OF(nrows));
    if (stoa_reader_spans(f.reader, join, &joined, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(joined.end, f.table.file.nbytes);
    assert_true(joined.nbytes[STOA_SPAN_CHUNK] > joined.nbytes[STOA_SPAN_PADDING]);
    assert_true(joined.nbytes[STOA_SPAN_DIRECTORY] == 3 * 40 * f.table.schema.nfields);
    assert_true(joined.nbytes[STOA_SPAN_SCHEMA] > 0);
    assert_true(joined.nbytes[STOA_SPAN_STATISTICS] > 0);
    fixture_close(&f);
}

static enum stoa_status count_pages(void *context, const char *encoding, uint32_t npages,
                                    struct stoa_error *err)
{
    uint32_t *total = context;

    (void)err;
    assert_true(strlen(encoding) > 0);
    *total += npages;
    return STOA_OK;
}

static void encodings_count_every_page(void **state)
{
    static const size_t nrows[] = {9000};
    struct stoa_test_random random;
    struct fixture f;
    struct stoa_error err;

    (void)state;
    stoa_test_random_init(&random, "encodings_count_every_page");
    fixture_open(&f, &random, nrows, 1);
    for (uint32_t column = 0; column < f.table.schema.nfields; column++) {
        struct stoa_chunk_info chunk;
        uint32_t npages = 0;

        assert_int_equal(stoa_reader_chunk(f.reader, 0, column, &chunk, &err), STOA_OK);
        assert_int_equal(stoa_reader_encodings(f.reader, 0, column, count_pages, &npages, &err),
                         STOA_OK);
        assert_int_equal(npages + chunk.local_dictionary, chunk.npages);
    }
    fixture_close(&f);
}

static void arrays_outlive_the_reader(void **state)
{
    static const size_t nrows[] = {5000};
    struct stoa_test_random random;
    struct stoa_rows rows = {0, 5000};
    struct fixture f;
    struct stoa_array arrays[STOA_TEST_NTYPES] = {{0}};
    struct stoa_error err;

    (void)state;
    stoa_test_random_init(&random, "arrays_outlive_the_reader");
    fixture_open(&f, &random, nrows, 1);
    for (uint32_t i = 0; i < STOA_TEST_NTYPES; i++)
        assert_int_equal(stoa_reader_column(f.reader, 0, i, rows, &arrays[i], NULL, &err), STOA_OK);
    stoa_reader_close(f.reader);
    stoa_source_close(f.source);
    for (uint32_t i = 0; i < STOA_TEST_NTYPES; i++) {
        assert_true(stoa_array_equal(&f.table.schema.fields[i], &arrays[i],
                                     &f.table.batches[0].columns[i]));
        stoa_array_reset(&arrays[i]);
    }
    stoa_test_table_reset(&f.table);
}

static void what_is_not_there_is_a_usage_error(void **state)
{
    static const size_t nrows[] = {10};
    struct stoa_test_random random;
    struct fixture f;
    struct stoa_array array = {0};
    struct stoa_zone zone;
    struct stoa_error err = {0};
    const struct {
        uint32_t group;
        uint32_t column;
        struct stoa_rows rows;
        const char *message;
    } cases[] = {
        {1, 0, {0, 1}, "row group 1 of 1"},
        {0, STOA_TEST_NTYPES, {0, 1}, "column 21 of 21"},
        {0, 0, {0, 0}, "rows 0 to 0 of a row group of 10"},
        {0, 0, {3, 11}, "rows 3 to 11 of a row group of 10"},
        {0, 0, {5, 4}, "rows 5 to 4 of a row group of 10"},
    };

    (void)state;
    stoa_test_random_init(&random, "what_is_not_there_is_a_usage_error");
    fixture_open(&f, &random, nrows, 1);
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        assert_int_equal(stoa_reader_column(f.reader, cases[i].group, cases[i].column,
                                            cases[i].rows, &array, NULL, &err),
                         STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
    }
    assert_int_equal(stoa_reader_zone(f.reader, 0, 0, 1, &zone, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "zone 1 of 1");
    fixture_close(&f);
}

static void a_small_memory_budget_refuses_and_leaves_the_reader_usable(void **state)
{
    static const size_t nrows[] = {20000};
    struct stoa_reader_options options = {.memory_nbytes = 20000};
    struct stoa_rows all = {0, 20000}, few = {0, 3};
    struct stoa_test_random random;
    struct fixture f;
    struct stoa_reader *reader;
    struct stoa_array array = {0};
    struct stoa_error err = {0};
    uint32_t column;

    (void)state;
    stoa_test_random_init(&random, "a_small_memory_budget");
    fixture_open(&f, &random, nrows, 1);
    assert_int_equal(stoa_reader_open(f.source, &options, &reader, &err), STOA_OK);
    for (column = 0; f.table.schema.fields[column].type.id != STOA_INT64; column++)
        ;
    assert_int_equal(stoa_reader_column(reader, 0, column, all, &array, NULL, &err),
                     STOA_ERR_LIMIT);
    assert_non_null(
        strstr(err.message, "needs more than the 20000 bytes of memory that a read may take"));
    assert_int_equal(stoa_reader_column(f.reader, 0, column, few, &array, NULL, &err), STOA_OK);
    stoa_array_reset(&array);
    stoa_reader_close(reader);
    fixture_close(&f);
}

/* ---- Failing allocations. ---- */

static enum stoa_status reads_everything(void *context, struct stoa_error *err)
{
    struct fixture *f = context;
    struct joined joined = {0};
    struct stoa_reader *reader = NULL;
    const struct stoa_schema *schema;
    uint32_t column, npages = 0;
    bool equal;
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(f->source, NULL, &reader, err));
    STOA_TRY(stoa_reader_schema(reader, &schema, err));
    STOA_TRY(stoa_reader_find(reader, "c3", &column, err));
    STOA_TRY(stoa_reader_spans(reader, join, &joined, err));
    for (column = 0; column < schema->nfields; column++) {
        struct stoa_zone zone;

        STOA_TRY(stoa_reader_zone(reader, column, 1, 0, &zone, err));
        STOA_TRY(stoa_reader_encodings(reader, 0, column, count_pages, &npages, err));
    }
    STOA_TRY(stoa_test_table_compare(&f->table, reader, &equal, err));
    assert_true(equal);
out:
    stoa_reader_close(reader);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    static const size_t nrows[] = {1200, 40};
    struct stoa_test_random random;
    struct fixture f;

    (void)state;
    stoa_test_random_init(&random, "a_failing_allocation_is_reported");
    fixture_open(&f, &random, nrows, LENGTH_OF(nrows));
    stoa_reader_close(f.reader); /* its memory is of the other allocator */
    f.reader = NULL;
    stoa_test_each_failing_alloc(reads_everything, &f);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_number_of_rows_comes_back),
        cmocka_unit_test(generated_tables_come_back),
        cmocka_unit_test(a_range_of_rows_is_that_slice_of_the_column),
        cmocka_unit_test(null_slots_are_zero),
        cmocka_unit_test(only_the_pages_of_the_range_are_read),
        cmocka_unit_test(rows_are_located_in_their_row_group),
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(zone_maps_tell_the_truth),
        cmocka_unit_test(spans_cover_the_file_without_gaps),
        cmocka_unit_test(encodings_count_every_page),
        cmocka_unit_test(arrays_outlive_the_reader),
        cmocka_unit_test(what_is_not_there_is_a_usage_error),
        cmocka_unit_test(a_small_memory_budget_refuses_and_leaves_the_reader_usable),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
