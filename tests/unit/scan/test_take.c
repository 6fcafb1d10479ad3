/* Rows by their numbers, and random samples of them. */
#include <stoa/scan.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "file/layout.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

enum { MAX_NGROUPS = 5, MAX_NROWS = 20000 };

/* A table in memory and its file, with pages of a few hundred values. */
struct table {
    struct stoa_schema schema;
    struct stoa_batch rows;
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
};

static void write_groups(struct table *table, const size_t *ends, size_t ngroups)
{
    struct stoa_batch groups[MAX_NGROUPS] = {0};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_error err = {0};

    rules.page_min_nbytes = 300;
    rules.footer_pack_nbytes = 0; /* its structures are there to be found */
    for (size_t i = 0; i < ngroups; i++)
        stoa_test_copy_rows(&table->rows, i == 0 ? 0 : ends[i - 1], ends[i], &groups[i]);
    stoa_test_file_write(&table->schema, groups, ngroups, &rules, &table->file);
    for (size_t i = 0; i < ngroups; i++)
        stoa_batch_reset(&groups[i]);
    table->source = stoa_test_file_source(&table->file);
    stoa_test_check(stoa_reader_open(table->source, NULL, &table->reader, &err), &err);
}

static void close_file(struct table *table)
{
    stoa_reader_close(table->reader);
    stoa_source_close(table->source);
    stoa_test_file_reset(&table->file);
}

/* nrows > 0 generated rows in one to five row groups. */
static void table_init(struct stoa_test_random *r, size_t nrows, struct table *table)
{
    size_t ends[MAX_NGROUPS], ngroups = 0, end = 0;

    *table = (struct table){0};
    stoa_test_gen_schema(r, 1 + (uint32_t)stoa_test_random_below(r, 5), &table->schema);
    stoa_test_gen_batch(r, &table->schema, nrows, &table->rows);
    while (end < nrows) {
        end = ngroups == MAX_NGROUPS - 1 ? nrows
                                         : end + 1 + (size_t)stoa_test_random_below(r, nrows - end);
        ends[ngroups++] = end;
    }
    write_groups(table, ends, ngroups);
}

/* The keys table, split where `ends` says. */
static void keys_init(size_t nrows, const size_t *ends, size_t ngroups, struct table *table)
{
    *table = (struct table){0};
    stoa_test_make_keys(&table->schema, nrows, &table->rows);
    write_groups(table, ends, ngroups);
}

static void table_reset(struct table *table)
{
    close_file(table);
    stoa_batch_reset(&table->rows);
    stoa_schema_reset(&table->schema);
}

/* ---- Taking. ---- */

/* Some rows of n, rising: each with the chance 1 in `rarity`. */
static size_t draw_rows(struct stoa_test_random *r, size_t n, uint64_t rarity, uint64_t *rows)
{
    size_t nrows = 0;

    for (size_t i = 0; i < n; i++) {
        if (stoa_test_random_one_in(r, rarity))
            rows[nrows++] = i;
    }
    return nrows;
}

static void check_taken(const struct table *table, const uint64_t *rows, size_t nrows,
                        const struct stoa_batch *got)
{
    uint32_t *places = calloc(nrows + 1, sizeof(*places));
    struct stoa_error err = {0};

    assert_int_equal(got->nrows, nrows);
    for (size_t i = 0; i < nrows; i++)
        places[i] = (uint32_t)rows[i];
    for (uint32_t i = 0; i < got->ncolumns && nrows > 0; i++) {
        const struct stoa_field *field = &table->schema.fields[i];
        struct stoa_array expected;

        stoa_test_check(
            stoa_array_take(field, &table->rows.columns[i], places, nrows, &expected, &err), &err);
        if (!stoa_array_equal(field, &expected, &got->columns[i]))
            fail_msg("column %s differs in %zu rows", field->name, nrows);
        stoa_array_reset(&expected);
    }
    free(places);
}

static void taken_rows_are_those_of_the_table(void **state)
{
    (void)state;
    static const uint64_t rarities[] = {1, 3, 50, 1000, 10000};
    static uint64_t rows[MAX_NROWS];
    struct stoa_test_random r;

    stoa_test_random_init(&r, "taken_rows_are_those_of_the_table");
    for (size_t i = 0; i < stoa_test_ncases(300); i++) {
        size_t n = 1 + (size_t)stoa_test_random_below(&r, i % 4 == 0 ? MAX_NROWS : 700);
        struct stoa_scan_options options = {.jobs = (unsigned)(i % 4)};
        struct stoa_scan *scan;
        struct stoa_error err = {0};
        struct table table;

        table_init(&r, n, &table);
        stoa_test_check(stoa_scan_open(table.reader, &options, &scan, &err), &err);
        for (size_t k = 0; k < sizeof(rarities) / sizeof(rarities[0]); k++) {
            size_t nrows = draw_rows(&r, n, rarities[k], rows);
            struct stoa_batch got;

            stoa_test_check(stoa_scan_take(scan, rows, nrows, &got, &err), &err);
            check_taken(&table, rows, nrows, &got);
            stoa_batch_reset(&got);
        }
        stoa_scan_close(scan);
        table_reset(&table);
    }
}

/* Numbers that no encoding makes small, so that pages have few rows. */
static int64_t noise(size_t i)
{
    uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return (int64_t)(x ^ x >> 27);
}

static int64_t other_noise(size_t i)
{
    return noise(i + ((size_t)1 << 20));
}

static void each_page_is_read_once(void **state)
{
    (void)state;
    static const size_t ends[] = {50000, 60000};
    struct stoa_scan_counters counters;
    struct stoa_chunk_info chunk;
    struct stoa_scan *scan;
    struct stoa_batch got;
    struct stoa_error err = {0};
    struct table table = {0};
    uint64_t rows[12];

    stoa_test_add_column(&table.schema, "noise", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(&table.rows, &table.schema, &err), &err);
    table.rows.nrows = 60000;
    stoa_test_make_numbers(&table.rows.columns[0], 60000, noise);
    write_groups(&table, ends, 2);
    stoa_test_check(stoa_reader_chunk(table.reader, 0, 0, &chunk, &err), &err);
    assert_in_range(chunk.page_nvalues, 15, 10000);
    for (uint64_t i = 0; i < 3; i++) {
        for (uint64_t k = 0; k < 3;
             k++) /* three pages with gaps between them, three rows of each */
            rows[3 * i + k] = 2 * i * chunk.page_nvalues + 7 * k;
        rows[9 + i] = 50000 + 5 * i; /* one page of the other row group */
    }
    stoa_test_check(stoa_scan_open(table.reader, NULL, &scan, &err), &err);
    stoa_test_check(stoa_scan_take(scan, rows, 12, &got, &err), &err);
    stoa_test_check(stoa_scan_counters_get(scan, &counters, &err), &err);
    assert_int_equal(counters.pages.read, 4);
    check_taken(&table, rows, 12, &got);
    stoa_batch_reset(&got);
    stoa_scan_close(scan);
    table_reset(&table);
}

static void rows_must_rise_and_be_there(void **state)
{
    (void)state;
    static const size_t ends[] = {50, 100};
    static const struct {
        uint64_t rows[3];
        const char *message;
    } cases[] = {
        {{4, 4, 5}, "row 4 behind row 4"},
        {{4, 60, 59}, "row 59 behind row 60"},
        {{4, 5, 100}, "row 100 of 100"},
        {{UINT64_MAX, 0, 0}, "row 18446744073709551615 of 100"},
    };
    struct stoa_scan *scan;
    struct stoa_batch got;
    struct stoa_error err = {0};
    struct table table;

    keys_init(100, ends, 2, &table);
    stoa_test_check(stoa_scan_open(table.reader, NULL, &scan, &err), &err);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(stoa_scan_take(scan, cases[i].rows, 3, &got, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
    }
    stoa_test_check(stoa_scan_take(scan, NULL, 0, &got, &err), &err);
    assert_int_equal(got.nrows, 0);
    stoa_batch_reset(&got);
    stoa_scan_close(scan);
    table_reset(&table);
}

/* ---- Samples. ---- */

/* The sample, and whether it rises; to be freed. */
static uint64_t *sample(const struct table *table, const char *where, unsigned jobs,
                        struct stoa_sample_options options, size_t *nrows)
{
    struct stoa_scan_options scanned = {.jobs = jobs};
    struct stoa_filter *filter = NULL;
    struct stoa_scan *scan;
    struct stoa_error err = {0};
    uint64_t *rows;

    if (where != NULL)
        stoa_test_check(stoa_filter_parse(where, &filter, &err), &err);
    scanned.filter = filter;
    stoa_test_check(stoa_scan_open(table->reader, &scanned, &scan, &err), &err);
    stoa_test_check(stoa_scan_sample(scan, &options, &rows, nrows, &err), &err);
    for (size_t i = 1; i < *nrows; i++)
        assert_true(rows[i - 1] < rows[i]);
    assert_true(*nrows == 0 || rows[*nrows - 1] < table->rows.nrows);
    stoa_scan_close(scan);
    stoa_filter_free(filter);
    return rows;
}

static bool has_row(const uint64_t *rows, size_t nrows, uint64_t row)
{
    for (size_t i = 0; i < nrows; i++) {
        if (rows[i] == row)
            return true;
    }
    return false;
}

/* The message of column `second` of the last row being taken, after its column `first` if named. */
static void take_message(const struct table *table, const char *first, const char *second,
                         char message[STOA_ERROR_MESSAGE_NBYTES])
{
    const char *columns[] = {first, second};
    struct stoa_reader *reader;
    struct stoa_error err = {0};

    stoa_test_check(stoa_reader_open(table->source, NULL, &reader, &err), &err);
    for (size_t i = 0; i < 2; i++) {
        const struct stoa_scan_options options = {.columns = &columns[i], .ncolumns = 1};
        const uint64_t row = table->rows.nrows - 1;
        struct stoa_batch batch = {0};
        struct stoa_scan *scan;

        if (columns[i] == NULL)
            continue;
        stoa_test_check(stoa_scan_open(reader, &options, &scan, &err), &err);
        if (i == 0)
            stoa_test_check(stoa_scan_take(scan, &row, 1, &batch, &err), &err);
        else
            assert_int_equal(stoa_scan_take(scan, &row, 1, &batch, &err), STOA_ERR_CORRUPT);
        stoa_batch_reset(&batch);
        stoa_scan_close(scan);
    }
    memcpy(message, err.message, STOA_ERROR_MESSAGE_NBYTES);
    stoa_reader_close(reader);
}

/* A hostile footer may say of two columns that they are at one place, with pages of other sizes. */
static void what_is_kept_of_a_column_is_not_for_another(void **state)
{
    struct table table = {0};
    const size_t end = 20000;
    struct stoa_error err = {0};
    uint8_t *a, *b, *bytes, *copy;
    uint32_t nbytes;
    char alone[STOA_ERROR_MESSAGE_NBYTES], after[STOA_ERROR_MESSAGE_NBYTES];

    (void)state;
    stoa_test_add_column(&table.schema, "a", STOA_INT64, false);
    stoa_test_add_column(&table.schema, "b", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(&table.rows, &table.schema, &err), &err);
    table.rows.nrows = end;
    stoa_test_make_numbers(&table.rows.columns[0], end, noise);
    stoa_test_make_numbers(&table.rows.columns[1], end, other_noise); /* or one were derived */
    write_groups(&table, &end, 1);

    a = stoa_test_file_chunk(&table.file, 0, 0);
    b = stoa_test_file_chunk(&table.file, 0, 1);
    bytes = table.file.bytes + stoa_load64(a);
    nbytes = stoa_load32(a + 8);
    copy = malloc(nbytes);
    assert_non_null(copy);
    memcpy(copy, bytes, nbytes);
    memcpy(b, a, STOA_CHUNK_NBYTES);
    assert_true(b[28] >= 4);
    b[28] = (uint8_t)(b[28] - 4); /* 16 times as many pages */
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    memcpy(bytes, copy, nbytes); /* those of a are right */
    free(copy);

    take_message(&table, NULL, "b", alone);
    take_message(&table, "a", "b", after);
    assert_string_equal(after, alone);
    table_reset(&table);
}

static void a_sample_depends_on_seed_and_rows_alone(void **state)
{
    (void)state;
    static const size_t ends[] = {30, 4000, 5000}, whole[] = {5000};
    static const struct {
        const char *where;
        uint64_t nrows;
        size_t expected;
    } cases[] = {
        {NULL, 1, 1},
        {NULL, 700, 700},
        {NULL, 9999, 5000},
        {"row >= 1000 and row < 4500", 100, 100},
        {"row >= 1000 and row < 1050", 100, 50},
        {"row > 6000", 10, 0},
    };
    struct table split, one;

    keys_init(5000, ends, 3, &split);
    keys_init(5000, whole, 1, &one);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stoa_sample_options options = {.nrows = cases[i].nrows, .seed = 3};
        const struct stoa_sample_options other = {.nrows = cases[i].nrows, .seed = 4};
        size_t n, m;
        uint64_t *rows = sample(&split, cases[i].where, 1, options, &n), *again;

        assert_int_equal(n, cases[i].expected);
        for (unsigned jobs = 2; jobs <= 8; jobs += 3) {
            again = sample(&split, cases[i].where, jobs, options, &m);
            assert_int_equal(n, m);
            assert_memory_equal(rows, again, n * sizeof(*rows));
            stoa_free(again);
        }
        again = sample(&one, cases[i].where, 1, options, &m);
        assert_int_equal(n, m);
        assert_memory_equal(rows, again, n * sizeof(*rows));
        stoa_free(again);
        again = sample(&split, cases[i].where, 1, other, &m);
        if (n >= 100 && n < 5000 && cases[i].nrows == n)
            assert_memory_not_equal(rows, again, n * sizeof(*rows));
        stoa_free(again);
        stoa_free(rows);
    }
    table_reset(&split);
    table_reset(&one);
}

static void a_larger_sample_holds_the_smaller_one(void **state)
{
    (void)state;
    static const size_t ends[] = {2000, 3000};
    struct table table;
    size_t n, m;
    uint64_t *few, *many;

    keys_init(3000, ends, 2, &table);
    few = sample(&table, NULL, 1, (struct stoa_sample_options){.nrows = 50, .seed = 1}, &n);
    many = sample(&table, NULL, 1, (struct stoa_sample_options){.nrows = 60, .seed = 1}, &m);
    for (size_t i = 0; i < n; i++)
        assert_true(has_row(many, m, few[i]));
    stoa_free(few);
    few = sample(&table, "row < 1500", 1, (struct stoa_sample_options){.nrows = 60, .seed = 1}, &n);
    for (size_t i = 0; i < m; i++) /* the same order among fewer rows */
        assert_true(many[i] >= 1500 || has_row(few, n, many[i]));
    stoa_free(few);
    stoa_free(many);
    table_reset(&table);
}

/* Chi-square of how often each row of a few, and each pair of neighbours, is drawn. */
static void every_row_is_equally_likely(void **state)
{
    (void)state;
    enum { NROWS = 40, NDRAWN = 10, NSEEDS = 4000 };
    static const size_t ends[] = {13, NROWS};
    struct table table;
    uint64_t counts[NROWS] = {0}, pairs = 0;
    double expected = (double)NSEEDS * NDRAWN / NROWS, chi = 0;
    double pairs_expected =
        NSEEDS * (NROWS - 1.0) * NDRAWN * (NDRAWN - 1) / (NROWS * (NROWS - 1.0));

    keys_init(NROWS, ends, 2, &table);
    for (uint64_t seed = 0; seed < NSEEDS; seed++) {
        const struct stoa_sample_options options = {.nrows = NDRAWN, .seed = seed};
        size_t n;
        uint64_t *rows = sample(&table, NULL, 1, options, &n);

        assert_int_equal(n, NDRAWN);
        for (size_t i = 0; i < n; i++) {
            counts[rows[i]]++;
            pairs += i > 0 && rows[i] == rows[i - 1] + 1;
        }
        stoa_free(rows);
    }
    for (size_t i = 0; i < NROWS; i++)
        chi += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    /* 39 degrees of freedom, less for drawing without putting back: 75 is once in 2,000 tests, and
       the seeds are always the same. */
    if (chi > 75 || (double)pairs < 0.97 * pairs_expected || (double)pairs > 1.03 * pairs_expected)
        fail_msg("chi-square %.1f, %" PRIu64 " pairs of %.0f", chi, pairs, pairs_expected);
    table_reset(&table);
}

static void a_fraction_is_a_chance(void **state)
{
    (void)state;
    static const size_t ends[] = {15000, 20000};
    static const struct {
        double fraction;
        size_t least;
        size_t greatest;
    } cases[] = {{1, 20000, 20000}, {0.5, 9700, 10300}, {0.01, 140, 260}, {1e-300, 0, 0}};
    struct table table;

    keys_init(20000, ends, 2, &table);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n;

        stoa_free(sample(&table, NULL, 2,
                         (struct stoa_sample_options){.fraction = cases[i].fraction}, &n));
        assert_in_range(n, cases[i].least, cases[i].greatest);
    }
    table_reset(&table);
}

static void samples_of_nothing_are_refused(void **state)
{
    (void)state;
    static const size_t ends[] = {10};
    static const struct stoa_sample_options wrong[] = {
        {0}, {.fraction = 1.5}, {.fraction = -0.1}, {.nrows = 1, .fraction = 0.5}};
    struct stoa_scan_options limited = {.limit = 3};
    struct stoa_scan *scan;
    struct stoa_error err = {0};
    struct table table;
    uint64_t *rows;
    size_t nrows;

    keys_init(10, ends, 1, &table);
    stoa_test_check(stoa_scan_open(table.reader, NULL, &scan, &err), &err);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(stoa_scan_sample(scan, &wrong[i], &rows, &nrows, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message,
                            "a sample is of 1 row or more, or of a fraction between 0 and 1");
    }
    stoa_scan_close(scan);
    stoa_test_check(stoa_scan_open(table.reader, &limited, &scan, &err), &err);
    assert_int_equal(
        stoa_scan_sample(scan, &(struct stoa_sample_options){.nrows = 1}, &rows, &nrows, &err),
        STOA_ERR_USAGE);
    assert_string_equal(err.message, "a scan with a limit can't be sampled");
    stoa_scan_close(scan);
    table_reset(&table);
}

/* ---- Failures. ---- */

static enum stoa_status samples_and_takes(void *context, struct stoa_error *err)
{
    const struct table *table = context;
    const struct stoa_sample_options options = {.nrows = 40};
    struct stoa_scan *scan = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_batch batch = {0};
    uint64_t *rows = NULL;
    size_t nrows;
    enum stoa_status st = stoa_reader_open(table->source, NULL, &reader, err);

    if (st == STOA_OK)
        st = stoa_scan_open(reader, NULL, &scan, err);
    if (st == STOA_OK)
        st = stoa_scan_sample(scan, &options, &rows, &nrows, err);
    if (st == STOA_OK)
        st = stoa_scan_take(scan, rows, nrows, &batch, err);
    stoa_batch_reset(&batch);
    stoa_free(rows);
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    static const size_t ends[] = {300, 500};
    struct table table;

    keys_init(500, ends, 2, &table);
    stoa_test_each_failing_alloc(samples_and_takes, &table);
    table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_rows_are_those_of_the_table),
        cmocka_unit_test(each_page_is_read_once),
        cmocka_unit_test(rows_must_rise_and_be_there),
        cmocka_unit_test(what_is_kept_of_a_column_is_not_for_another),
        cmocka_unit_test(a_sample_depends_on_seed_and_rows_alone),
        cmocka_unit_test(a_larger_sample_holds_the_smaller_one),
        cmocka_unit_test(every_row_is_equally_likely),
        cmocka_unit_test(a_fraction_is_a_chance),
        cmocka_unit_test(samples_of_nothing_are_refused),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
