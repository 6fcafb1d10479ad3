/* Single rows of columns with dictionaries: the page that holds the entry, and no other. */
#include <stoa/scan.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "column/array.h"
#include "file/layout.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

enum { NGROUPS = 4, N = 9000, NWORDS = 6000, WORD = 24, WIDTH = 12 };

/* Four row groups of words, and words of a fixed width, that share most of NWORDS words. */
static void words_init(struct stoa_test_table *table)
{
    const struct stoa_type types[] = {{.id = STOA_UTF8}, {.id = STOA_FIXED_BINARY, .width = WIDTH}};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_error err = {0};

    rules.full_nrows = 100;
    rules.copy_part = 1;
    rules.footer_pack_nbytes = 0;
    rules.page_min_nbytes = 300;
    *table = (struct stoa_test_table){.nbatches = NGROUPS};
    stoa_test_check(stoa_schema_add(&table->schema, "text", &types[0], true, &err), &err);
    stoa_test_check(stoa_schema_add(&table->schema, "fixed", &types[1], true, &err), &err);
    stoa_test_check(stoa_alloc_zeroed(&table->batches, NGROUPS, sizeof(*table->batches), &err),
                    &err);
    for (size_t g = 0; g < NGROUPS; g++) {
        struct stoa_batch *batch = &table->batches[g];
        struct stoa_array *text, *fixed;
        size_t at = 0;

        stoa_test_check(stoa_batch_init(batch, &table->schema, &err), &err);
        batch->nrows = N;
        text = &batch->columns[0];
        fixed = &batch->columns[1];
        stoa_test_check(stoa_array_alloc(&types[0], N, N * WORD, g == 2, text, &err), &err);
        stoa_test_check(stoa_array_alloc(&types[1], N, 0, false, fixed, &err), &err);
        text->nnulls = 0;
        for (size_t i = 0; i < N; i++) {
            /* Some words are in one row group alone. */
            uint64_t key[2] = {g, i}, word = stoa_hash(key, sizeof(key)) % (NWORDS + 40 * g);
            char hex[WORD + 1];
            int length = snprintf(hex, sizeof(hex), "%016" PRIx64 "%.*s",
                                  stoa_hash(&word, sizeof(word)), (int)(word % 5), "tail");

            if (text->validity != NULL && i % 7 != 0) {
                text->validity[i / 8] = (uint8_t)(text->validity[i / 8] | 1 << i % 8);
            } else if (text->validity != NULL) {
                text->nnulls++;
                length = 0;
            }
            memcpy(text->values + at, hex, (size_t)length);
            at += (size_t)length;
            text->offsets[i + 1] = (int32_t)at;
            memcpy(fixed->values + i * WIDTH, hex, WIDTH);
        }
    }
    stoa_test_file_write(&table->schema, table->batches, NGROUPS, &rules, &table->file);
}

static struct stoa_reader *open_table(const struct stoa_test_table *table,
                                      struct stoa_source **source)
{
    struct stoa_reader *reader;
    struct stoa_error err = {0};

    *source = stoa_test_file_source(&table->file);
    stoa_test_check(stoa_reader_open(*source, NULL, &reader, &err), &err);
    return reader;
}

static void close_table(struct stoa_reader *reader, struct stoa_source *source)
{
    stoa_reader_close(reader);
    stoa_source_close(source);
}

/* Takes nrows rows of row group `group` from its row `first` on, `step` apart. */
static enum stoa_status take_some(struct stoa_reader *reader, size_t group, size_t first,
                                  size_t step, size_t nrows, struct stoa_batch *out,
                                  struct stoa_scan_counters *counters, struct stoa_error *err)
{
    uint64_t *rows = calloc(nrows, sizeof(*rows));
    struct stoa_scan *scan = NULL;
    enum stoa_status st;

    for (size_t i = 0; i < nrows; i++)
        rows[i] = group * N + first + i * step;
    st = stoa_scan_open(reader, NULL, &scan, err);
    if (st == STOA_OK)
        st = stoa_scan_take(scan, rows, nrows, out, err);
    if (st == STOA_OK && counters != NULL)
        st = stoa_scan_counters_get(scan, counters, err);
    stoa_scan_close(scan);
    free(rows);
    return st;
}

static void expect_rows(const struct stoa_test_table *table, size_t group, size_t first,
                        size_t step, size_t nrows, struct stoa_batch *got)
{
    assert_int_equal(got->nrows, nrows);
    for (uint32_t i = 0; i < got->ncolumns; i++) {
        const struct stoa_field *field = &table->schema.fields[i];
        uint32_t places[64];
        struct stoa_array expected;
        struct stoa_error err = {0};

        for (size_t k = 0; k < nrows; k++)
            places[k] = (uint32_t)(first + k * step);
        stoa_test_check(stoa_array_take(field, &table->batches[group].columns[i], places, nrows,
                                        &expected, &err),
                        &err);
        assert_true(stoa_array_equal(field, &expected, &got->columns[i]));
        stoa_array_reset(&expected);
    }
    stoa_batch_reset(got);
}

static void one_row_reads_one_page_of_a_dictionary(void **state)
{
    struct stoa_test_table table;
    struct stoa_scan_counters counters;
    struct stoa_batch got;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_test_random r;
    struct stoa_error err = {0};

    (void)state;
    words_init(&table);
    stoa_test_random_init(&r, "one_row_reads_one_page");
    for (size_t i = 0; i < stoa_test_ncases(40); i++) {
        size_t group = i % NGROUPS, nrows = i % 3 == 0 ? 1 : 1 + stoa_test_random_below(&r, 64);
        size_t step = 1 + stoa_test_random_below(&r, N / nrows);
        size_t first = stoa_test_random_below(&r, N - (nrows - 1) * step);

        reader = open_table(&table, &source);
        for (int turn = 0; turn < 2; turn++) {
            stoa_test_check(take_some(reader, group, first, step, nrows, &got, &counters, &err),
                            &err);
            expect_rows(&table, group, first, step, nrows, &got);
            if (nrows == 1) /* of pages of values, shared and own dictionaries; then all is kept */
                assert_in_range(counters.pages.read, turn == 0 ? 2 : 0, turn == 0 ? 6 : 0);
        }
        close_table(reader, source);
    }
    stoa_test_table_reset(&table);
}

/* A dictionary that a scan has loaded is used as it is. */
static void a_loaded_dictionary_gives_the_same(void **state)
{
    struct stoa_test_table table;
    struct stoa_array all = {0};
    struct stoa_batch got;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err = {0};

    (void)state;
    words_init(&table);
    reader = open_table(&table, &source);
    for (uint32_t i = 0; i < 2; i++) {
        stoa_test_check(
            stoa_reader_column(reader, 1, i, (struct stoa_rows){0, N}, &all, NULL, &err), &err);
        stoa_array_reset(&all);
    }
    for (size_t group = 0; group < NGROUPS; group++) {
        stoa_test_check(take_some(reader, group, 3, 140, 64, &got, NULL, &err), &err);
        expect_rows(&table, group, 3, 140, 64, &got);
    }
    close_table(reader, source);
    stoa_test_table_reset(&table);
}

/* Damage in a page of a dictionary is that of the rows with entries there. */
static void damage_costs_the_rows_of_its_page(void **state)
{
    struct stoa_test_table table;
    struct stoa_batch got = {0};
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    size_t ngood = 0, nbad = 0;
    uint8_t *entry;

    (void)state;
    words_init(&table);
    entry = stoa_test_file_section(&table.file, STOA_SECTION_DICTIONARIES);
    assert_true(stoa_load64(entry + 16) != 0);
    table.file.bytes[stoa_load64(entry + 16) + 400] ^= 1; /* in the first page of the copy */
    reader = open_table(&table, &source);
    for (size_t i = 0; i < 300; i++) {
        stoa_test_check(take_some(reader, 0, 20 * i, 1, 1, &got, NULL, &err), &err);
        expect_rows(&table, 0, 20 * i, 1, 1, &got);
    }
    assert_int_equal(stoa_reader_nbad_copies(reader), 1);
    close_table(reader, source);

    table.file.bytes[stoa_load64(entry + 8) + 400] ^= 1; /* and of the first one */
    reader = open_table(&table, &source);
    for (size_t i = 0; i < 300; i++) {
        enum stoa_status st = take_some(reader, 0, 20 * i, 1, 1, &got, NULL, &err);

        if (st == STOA_OK) {
            expect_rows(&table, 0, 20 * i, 1, 1, &got);
            ngood++;
            continue;
        }
        assert_int_equal(st, STOA_ERR_CORRUPT);
        assert_non_null(strstr(err.message, "dictionary segment 0: page 0: hash differs"));
        assert_in_range(err.offset, stoa_load64(entry + 8), stoa_load64(entry + 8) + 400);
        nbad++;
    }
    assert_true(ngood > 10 && nbad > 10);
    assert_int_equal(stoa_reader_nbad_copies(reader), 0);
    close_table(reader, source);
    stoa_test_table_reset(&table);
}

/* A column of another type that claims a segment, whichever is asked first. */
static void a_segment_of_another_type_is_refused(void **state)
{
    struct stoa_test_table table;
    struct stoa_batch got = {0};
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    uint8_t *text, *fixed;

    (void)state;
    words_init(&table);
    text = stoa_test_file_chunk(&table.file, 0, 0);
    fixed = stoa_test_file_chunk(&table.file, 0, 1);
    memcpy(fixed + 24, text + 24, 4); /* the segment that it names */
    fixed[31] = (uint8_t)(fixed[31] | STOA_CHUNK_SHARED_DICT);
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    for (size_t i = 0; i < 2; i++) {
        const char *columns[] = {i == 0 ? "text" : "fixed", i == 0 ? "fixed" : "text"};

        reader = open_table(&table, &source);
        for (size_t k = 0; k < 2; k++) {
            const struct stoa_scan_options options = {.columns = &columns[k], .ncolumns = 1};
            const uint64_t row = 5;
            const bool is_good = columns[k][0] == 't';
            struct stoa_scan *scan;

            stoa_test_check(stoa_scan_open(reader, &options, &scan, &err), &err);
            assert_int_equal(stoa_scan_take(scan, &row, 1, &got, &err),
                             is_good ? STOA_OK : STOA_ERR_CORRUPT);
            if (!is_good && strstr(err.message, "values of another type") == NULL)
                fail_msg("%s", err.message);
            stoa_batch_reset(&got);
            stoa_scan_close(scan);
        }
        close_table(reader, source);
    }
    stoa_test_table_reset(&table);
}

static void an_entry_that_is_no_text_is_refused(void **state)
{
    struct stoa_type binary = {.id = STOA_BINARY};
    struct stoa_test_table table = {.nbatches = 1};
    struct stoa_array *array;
    struct stoa_batch got = {0};
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    size_t ngood = 0, nbad = 0, at = 0;

    (void)state;
    stoa_test_check(stoa_schema_add(&table.schema, "b", &binary, false, &err), &err);
    stoa_test_check(stoa_alloc_zeroed(&table.batches, 1, sizeof(*table.batches), &err), &err);
    stoa_test_check(stoa_batch_init(&table.batches[0], &table.schema, &err), &err);
    table.batches[0].nrows = N;
    array = &table.batches[0].columns[0];
    stoa_test_check(stoa_array_alloc(&binary, N, N * WORD, false, array, &err), &err);
    for (size_t i = 0; i < N; i++) {
        uint64_t word = stoa_hash(&i, sizeof(i)) % 200;

        at += (size_t)snprintf((char *)array->values + at, WORD, "%s%016" PRIx64,
                               word < 20 ? "\xff" : "", stoa_hash(&word, sizeof(word)));
        array->offsets[i + 1] = (int32_t)at;
    }
    stoa_test_file_write(&table.schema, table.batches, 1, NULL, &table.file);
    assert_true(stoa_test_file_chunk(&table.file, 0, 0)[31] != 0); /* has a dictionary */
    stoa_test_file_column(&table.file, 0)[6] = STOA_UTF8;
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    reader = open_table(&table, &source);
    for (size_t i = 0; i < 200; i++) {
        bool is_bad = (array->values[array->offsets[i]] & 0x80) != 0;

        assert_int_equal(take_some(reader, 0, i, 1, 1, &got, NULL, &err),
                         is_bad ? STOA_ERR_CORRUPT : STOA_OK);
        if (is_bad)
            assert_non_null(strstr(err.message, " is not UTF-8"));
        stoa_batch_reset(&got);
        *(is_bad ? &nbad : &ngood) += 1;
    }
    assert_true(ngood > 100 && nbad > 5);
    close_table(reader, source);
    stoa_test_table_reset(&table);
}

/* ---- Memory. ---- */

static size_t largest; /* of all blocks asked for */

static void *measure(void *context, void *memory, size_t nbytes)
{
    (void)context;
    largest = nbytes > largest ? nbytes : largest;
    return realloc(memory, nbytes);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* Two long texts in many rows: no row may have the memory that those before it took. */
static void entries_of_all_rows_together_keep_to_the_memory(void **state)
{
    enum { NTEXTS = 100, TEXT = 1 << 18, NTAKEN = 64, MEMORY_NBYTES = 1 << 20 };
    static const struct stoa_allocator measuring = {.reallocate = measure, .release = release};
    const struct stoa_reader_options options = {.memory_nbytes = MEMORY_NBYTES};
    struct stoa_test_table table = {.nbatches = 1};
    struct stoa_type type = {.id = STOA_BINARY};
    struct stoa_array *array;
    struct stoa_batch got = {0};
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_scan *scan;
    struct stoa_test_random r;
    uint64_t rows[NTAKEN];
    struct stoa_error err = {0};

    (void)state;
    stoa_test_random_seed(&r, 1);
    stoa_test_check(stoa_schema_add(&table.schema, "b", &type, false, &err), &err);
    stoa_test_check(stoa_alloc_zeroed(&table.batches, 1, sizeof(*table.batches), &err), &err);
    stoa_test_check(stoa_batch_init(&table.batches[0], &table.schema, &err), &err);
    table.batches[0].nrows = NTEXTS;
    array = &table.batches[0].columns[0];
    stoa_test_check(stoa_array_alloc(&type, NTEXTS, NTEXTS * TEXT, false, array, &err), &err);
    for (size_t i = 0; i < NTEXTS; i++) {
        uint8_t *text = array->values + i * TEXT;

        for (size_t k = 0; i < 2 && k < TEXT; k++)
            text[k] = (uint8_t)stoa_test_random_below(&r, 256);
        if (i >= 2)
            memcpy(text, text - 2 * (size_t)TEXT, TEXT);
        array->offsets[i + 1] = (int32_t)((i + 1) * TEXT);
    }
    for (size_t i = 0; i < NTAKEN; i++)
        rows[i] = i;
    stoa_test_file_write(&table.schema, table.batches, 1, NULL, &table.file);
    assert_true(stoa_test_file_chunk(&table.file, 0, 0)[31] != 0); /* has a dictionary */
    source = stoa_test_file_source(&table.file);
    largest = 0;
    stoa_allocator_set(&measuring);
    stoa_test_check(stoa_reader_open(source, &options, &reader, &err), &err);
    stoa_test_check(stoa_scan_open(reader, NULL, &scan, &err), &err);
    stoa_test_check(stoa_scan_take(scan, rows, 1, &got, &err), &err);
    stoa_batch_reset(&got);
    assert_int_equal(stoa_scan_take(scan, rows, NTAKEN, &got, &err), STOA_ERR_LIMIT);
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    stoa_allocator_set(NULL);
    assert_in_range(largest, TEXT, 2 * MEMORY_NBYTES); /* buffers double */
    stoa_source_close(source);
    stoa_test_table_reset(&table);
}

/* ---- Failures. ---- */

static enum stoa_status opens_and_takes(void *context, struct stoa_error *err)
{
    struct stoa_source *source = context;
    struct stoa_reader *reader = NULL;
    struct stoa_batch got = {0};
    enum stoa_status st = stoa_reader_open(source, NULL, &reader, err);

    if (st == STOA_OK)
        st = take_some(reader, 2, 1, 300, 20, &got, NULL, err);
    stoa_batch_reset(&got);
    stoa_reader_close(reader);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    struct stoa_test_table table;
    struct stoa_source *source;

    (void)state;
    words_init(&table);
    source = stoa_test_file_source(&table.file);
    stoa_test_each_failing_alloc(opens_and_takes, source);
    stoa_source_close(source);
    stoa_test_table_reset(&table);
}

/* The next try succeeds. */
static void a_failing_read_is_reported(void **state)
{
    struct stoa_test_table table;
    enum stoa_status st;
    uint64_t n = 0, nreported = 0;

    (void)state;
    words_init(&table);
    for (bool met = true; met;) {
        struct stoa_test_io_fault fault = {.fail_at = ++n, .os_errno = 5};
        struct stoa_source *source =
            stoa_test_faulty_source(stoa_test_file_source(&table.file), &fault);
        struct stoa_error err = {0};

        st = opens_and_takes(source, &err);
        met = fault.nfailed > 0;
        assert_true(st == STOA_OK || (met && st == STOA_ERR_IO));
        nreported += st != STOA_OK;
        if (met)
            assert_int_equal(opens_and_takes(source, &err), STOA_OK);
        stoa_source_close(source);
    }
    assert_true(nreported > 3);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_row_reads_one_page_of_a_dictionary),
        cmocka_unit_test(a_loaded_dictionary_gives_the_same),
        cmocka_unit_test(damage_costs_the_rows_of_its_page),
        cmocka_unit_test(a_segment_of_another_type_is_refused),
        cmocka_unit_test(an_entry_that_is_no_text_is_refused),
        cmocka_unit_test(entries_of_all_rows_together_keep_to_the_memory),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_failing_read_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
