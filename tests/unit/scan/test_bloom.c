/* Bloom filters: what is there is never skipped, what is not nearly always is; damage to them. */
#include <stoa/merge.h>
#include <stoa/recover.h>
#include <stoa/scan.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "column/array.h"
#include "column/schema.h"
#include "file/layout.h"
#include "stats/bloom.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_filter.h"
#include "support/gen_table.h"
#include "support/random.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

enum { NGROUPS = 4, NROWS = 300 };

/* ---- Filters. ---- */

static void the_sizes_are_those_of_the_rates(void **state)
{
    (void)state;
    static const struct {
        double rate;
        unsigned nbits;
    } cases[] = {{0.32, 5},    {0.18, 5},     {0.1, 6},      {0.01, 11}, {0.001, 17},
                 {0.0001, 27}, {0.00001, 41}, {0.000009, 0}, {0.33, 0},  {1, 0},
                 {0, 0},       {-1, 0},       {0.0 / 0.0, 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (stoa_bloom_nbits(cases[i].rate) != cases[i].nbits)
            fail_msg("%g: %d bits", cases[i].rate, stoa_bloom_nbits(cases[i].rate));
    assert_int_equal(stoa_bloom_nblocks(1, 4), 1);
    assert_int_equal(stoa_bloom_nblocks(64, 4), 1);
    assert_int_equal(stoa_bloom_nblocks(65, 4), 2);
    assert_int_equal(stoa_bloom_nblocks(1 << 24, 41), 41 << 16);
    assert_int_equal(stoa_bloom_nblocks(UINT32_MAX, 255), UINT32_MAX / 32);
}

/* The share of hashes that a filter of others finds keeps to the rate. */
static void few_are_found_by_chance(void **state)
{
    (void)state;
    enum { N = 20000, NPROBES = 200000 };
    static const double rates[] = {0.2, 0.05, 0.01, 0.001};
    const struct stoa_type type = {.id = STOA_INT64};
    struct stoa_array array;
    struct stoa_error err;

    stoa_test_check(stoa_array_alloc(&type, N, 0, false, &array, &err), &err);
    for (int64_t i = 0; i < N; i++)
        memcpy(array.values + 8 * i, &i, 8);
    for (size_t k = 0; k < sizeof(rates) / sizeof(rates[0]); k++) {
        struct stoa_buffer blocks = {0};
        uint32_t count, nblocks;
        size_t nfound = 0;

        stoa_test_check(
            stoa_bloom_make(&type, &array, stoa_bloom_nbits(rates[k]), 0, &count, &blocks, &err),
            &err);
        nblocks = (uint32_t)(blocks.nbytes / STOA_BLOOM_BLOCK_NBYTES);
        assert_int_equal(count, N);
        for (uint64_t i = 0; i < N + NPROBES; i++) {
            uint8_t bytes[8];
            uint64_t hash;
            bool found;

            stoa_store64(bytes, i);
            hash = stoa_hash(bytes, sizeof(bytes));
            found = stoa_bloom_has(blocks.data + STOA_BLOOM_BLOCK_NBYTES *
                                                     (size_t)stoa_bloom_block(hash, nblocks),
                                   hash);
            if (i < N && !found)
                fail_msg("%d is not found", (int)i);
            nfound += i >= N && found;
        }
        if ((double)nfound > 1.15 * rates[k] * NPROBES)
            fail_msg("rate %g: %d of %d found", rates[k], (int)nfound, NPROBES);
        stoa_buffer_free(&blocks);
    }
    stoa_array_reset(&array);
}

static void the_bytes_are_those_of_the_specification(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00,
                                       0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x40, 0x00,
                                       0x00, 0x00, 0x08, 0x00, 0x40, 0x40, 0x00, 0x00, 0x00, 0x40,
                                       0x01, 0x00, 0x00, 0x00, 0x08, 0x40, 0x00, 0x04, 0x00, 0x01,
                                       0x02, 0x00, 0x20, 0x00, 0x01, 0x00, 0x00, 0x01};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_writer_options options = {.blooms = (const char *const[]){"n"}, .nblooms = 1};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_test_file file;
    struct stoa_error err;

    rules.footer_pack_nbytes = 0;
    stoa_test_add_column(&schema, "n", STOA_INT32, true);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = 4;
    stoa_test_check(stoa_array_alloc(&schema.fields[0].type, 4, 0, true, &batch.columns[0], &err),
                    &err);
    memcpy(batch.columns[0].values, (const int32_t[]){7, -2, 0, 7}, 16);
    batch.columns[0].validity[0] = 0x0b;
    batch.columns[0].nnulls = 1;
    stoa_test_file_write_options(&schema, &batch, 1, &options, &rules, &file);
    assert_int_equal(stoa_load64(stoa_test_file_section_entry(&file, STOA_SECTION_BLOOM) + 16),
                     sizeof(expected));
    assert_memory_equal(stoa_test_file_section(&file, STOA_SECTION_BLOOM), expected,
                        sizeof(expected));
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- Scans. ---- */

struct counted {
    uint64_t nrows;
    uint64_t nskipped; /* zones */
};

static enum stoa_status count_in(struct stoa_source *source, const struct stoa_filter *filter,
                                 struct counted *out, struct stoa_error *err)
{
    const struct stoa_scan_options options = {.filter = filter};
    struct stoa_scan_counters counters;
    struct stoa_reader *reader = NULL;
    struct stoa_scan *scan = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(source, NULL, &reader, err));
    STOA_TRY(stoa_scan_open(reader, &options, &scan, err));
    STOA_TRY(stoa_scan_count(scan, &out->nrows, err));
    STOA_TRY(stoa_scan_counters_get(scan, &counters, err));
    out->nskipped = counters.zones.skipped;
out:
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    return st;
}

static struct counted count_filter(const struct stoa_test_file *file,
                                   const struct stoa_filter *filter)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_error err;
    struct counted out;

    stoa_test_check(count_in(source, filter, &out, &err), &err);
    stoa_source_close(source);
    return out;
}

static struct counted count_where(const struct stoa_test_file *file, const char *where)
{
    struct stoa_filter *filter;
    struct stoa_error err;
    struct counted out;

    stoa_test_check(stoa_filter_parse(where, &filter, &err), &err);
    out = count_filter(file, filter);
    stoa_filter_free(filter);
    return out;
}

/* A table of any types and one that has all its values, and its file once more with a Bloom filter
 * of every column. */
struct subject {
    struct stoa_test_table table;
    struct stoa_test_file with;
};

static void make_subject(struct stoa_test_random *random, struct subject *out)
{
    static const size_t nrows[NGROUPS] = {NROWS, 1, NROWS, 77};
    const struct stoa_rules rules = stoa_test_small_rules();
    struct stoa_writer_options options = {0};
    struct stoa_schema schema = {0};
    const char **names;

    stoa_test_gen_any_schema(random, 12, 2, &schema);
    stoa_test_add_column(&schema, "sure", STOA_INT64, false);
    stoa_test_table_make(random, &schema, nrows, NGROUPS, &rules, &out->table);
    names = stoa_test_bloom_columns(&out->table.schema, &options.nblooms);
    options.blooms = names;
    stoa_test_file_write_options(&out->table.schema, out->table.batches, out->table.nbatches,
                                 &options, &rules, &out->with);
    free(names);
}

static void free_subject(struct subject *subject)
{
    stoa_test_file_reset(&subject->with);
    stoa_test_table_reset(&subject->table);
}

/* The literal of a value that is not null; false where a predicate has none for it. */
static bool literal_of(const struct stoa_field *field, const struct stoa_array *array, size_t row,
                       char *text, struct stoa_value *out)
{
    const enum stoa_type_id id = field->type.id;
    const size_t width = stoa_type_width(&field->type);

    *out = (struct stoa_value){.text = text};
    switch (id) {
    case STOA_BOOL:
        out->kind = STOA_VALUE_BOOL;
        out->i64 = array->values[row / 8] >> row % 8 & 1;
        return true;
    case STOA_UTF8:
    case STOA_BINARY:
        out->kind = id == STOA_UTF8 ? STOA_VALUE_TEXT : STOA_VALUE_BYTES;
        out->text = (const char *)array->values + array->offsets[row];
        out->nbytes = (size_t)(array->offsets[row + 1] - array->offsets[row]);
        return true;
    case STOA_FIXED_BINARY:
    case STOA_UUID:
        out->kind = STOA_VALUE_BYTES;
        out->text = (const char *)array->values + row * width;
        out->nbytes = width;
        return true;
    case STOA_DATE32:
    case STOA_TIME:
    case STOA_TIMESTAMP:
    case STOA_DURATION:
    case STOA_ENUM:
        out->kind = STOA_VALUE_TEXT;
        break;
    default:
        out->kind = STOA_VALUE_NUMBER;
        break;
    }
    if (id == STOA_ENUM) {
        uint32_t symbol;

        memcpy(&symbol, array->values + 4 * row, 4);
        out->text = field->type.symbols[symbol];
        out->nbytes = strlen(out->text);
        return true;
    }
    out->nbytes = stoa_array_format(field, array, row, text);
    if (out->kind == STOA_VALUE_NUMBER && text[out->nbytes - 1] == 'y') /* Infinity */
        out->kind = STOA_VALUE_TEXT;
    return text[out->nbytes - 1] != 'N';
}

/* Rows that are equal to a value of a column: as many as without the filter, and some. */
static bool find_value(const struct subject *subject, uint32_t column, size_t group, size_t row)
{
    const struct stoa_field *field = &subject->table.schema.fields[column];
    struct stoa_filter *filter;
    struct stoa_matcher *matcher;
    struct counted with, without;
    char text[STOA_TEXT_NBYTES];
    struct stoa_value value;
    struct stoa_error err;

    if (!literal_of(field, &subject->table.batches[group].columns[column], row, text, &value) ||
        stoa_filter_compare(field->name, STOA_COMPARE_EQUAL, &value, &filter, &err) != STOA_OK)
        return false;
    if (stoa_filter_bind(filter, &subject->table.schema, &matcher, &err) != STOA_OK) {
        stoa_filter_free(filter); /* a time that has no text */
        return false;
    }
    stoa_matcher_free(matcher);
    with = count_filter(&subject->with, filter);
    without = count_filter(&subject->table.file, filter);
    if (with.nrows != without.nrows || with.nrows == 0)
        fail_msg("column %s, row %d of row group %d: %d rows, without filters %d", field->name,
                 (int)row, (int)group, (int)with.nrows, (int)without.nrows);
    stoa_filter_free(filter);
    return true;
}

static void what_is_there_is_never_skipped(void **state)
{
    (void)state;
    const size_t ntables = stoa_test_ncases(6), nvalues = 12;
    struct stoa_test_random random;
    size_t nfound = 0;

    stoa_test_random_init(&random, "values");
    for (size_t t = 0; t < ntables; t++) {
        struct subject subject;

        make_subject(&random, &subject);
        for (uint32_t c = 0; c < subject.table.schema.nfields; c++) {
            if (stoa_bound_kind(&subject.table.schema.fields[c].type) == STOA_BOUND_NONE)
                continue;
            for (size_t k = 0; k < nvalues; k++) {
                const size_t g = (size_t)stoa_test_random_below(&random, NGROUPS);
                const struct stoa_batch *batch = &subject.table.batches[g];
                const size_t row = (size_t)stoa_test_random_below(&random, batch->nrows);

                if (!stoa_array_is_null(&batch->columns[c], row))
                    nfound += find_value(&subject, c, g, row);
            }
        }
        free_subject(&subject);
    }
    assert_true(nfound >= ntables * nvalues); /* those of one column */
}

static void predicates_select_the_same_rows(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "predicates");
    for (size_t t = 0; t < stoa_test_ncases(6); t++) {
        struct subject subject;

        make_subject(&random, &subject);
        for (int k = 0; k < 40; k++) {
            struct stoa_filter *filter = stoa_test_gen_filter(
                &random, &subject.table.batches[0], (unsigned)stoa_test_random_below(&random, 3));
            const struct counted with = count_filter(&subject.with, filter);
            const struct counted without = count_filter(&subject.table.file, filter);

            if (with.nrows != without.nrows || with.nskipped < without.nskipped) {
                struct stoa_error err;
                char *text;

                stoa_test_check(stoa_filter_print(filter, &text, &err), &err);
                fail_msg("%s: %d rows, %d zones skipped, without filters %d, %d", text,
                         (int)with.nrows, (int)with.nskipped, (int)without.nrows,
                         (int)without.nskipped);
            }
            stoa_filter_free(filter);
        }
        free_subject(&subject);
    }
}

/* Columns n, x, s.k and t of NGROUPS row groups; the values of group g are those i % NGROUPS == g,
   so that all groups have about the same bounds. */
static void make_keys(struct stoa_schema *schema, struct stoa_batch batches[NGROUPS],
                      struct stoa_test_file *out)
{
    static const char *const names[] = {"n", "x", "t"};
    const struct stoa_writer_options options = {.blooms = names, .nblooms = 3, .bloom_rate = 1e-4};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_error err;

    rules.footer_pack_nbytes = 0;
    rules.presence_gain = 0;
    *schema = (struct stoa_schema){0};
    stoa_test_add_column(schema, "n", STOA_INT16, false);
    stoa_test_add_column(schema, "x", STOA_FLOAT64, true);
    stoa_test_add_column(schema, "t", STOA_TIMESTAMP, false);
    schema->fields[2].type.unit = STOA_MILLI;
    for (size_t g = 0; g < NGROUPS; g++) {
        struct stoa_array *columns;

        stoa_test_check(stoa_batch_init(&batches[g], schema, &err), &err);
        batches[g].nrows = NROWS;
        columns = batches[g].columns;
        for (uint32_t c = 0; c < 3; c++)
            stoa_test_check(
                stoa_array_alloc(&schema->fields[c].type, NROWS, 0, c == 1, &columns[c], &err),
                &err);
        for (size_t i = 0; i < NROWS; i++) {
            const int16_t n = (int16_t)(i * NGROUPS + g);
            const double x = i == 0 ? (g == 1 ? -0.0 : 0.0 / 0.0) : n / 8.0;
            const int64_t t = INT64_C(1357000000000) + 1000 * n;

            memcpy(columns[0].values + 2 * i, &n, 2);
            memcpy(columns[1].values + 8 * i, &x, 8);
            memcpy(columns[2].values + 8 * i, &t, 8);
        }
        memset(columns[1].validity, 0xff, NROWS / 8);
        columns[1].validity[NROWS / 8] = (1 << NROWS % 8) - 1;
        columns[1].nnulls = 0;
    }
    stoa_test_file_write_options(schema, batches, NGROUPS, &options, &rules, out);
}

static void free_keys(struct stoa_schema *schema, struct stoa_batch *batches,
                      struct stoa_test_file *file)
{
    for (size_t g = 0; g < NGROUPS; g++)
        stoa_batch_reset(&batches[g]);
    stoa_test_file_reset(file);
    stoa_schema_reset(schema);
}

static void row_groups_without_the_value_are_skipped(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        uint64_t nrows, nskipped;
    } cases[] = {
        {"n = 402", 1, 3},
        {"n in (402, 406)", 2, 3},
        {"n in (402, 403)", 2, 2}, /* whole numbers that touch are values one by one */
        {"n between 401 and 403", 3, 1},
        {"n between 200 and 400", 201, 0}, /* too many to ask for each */
        {"n = 402.0", 1, 3},
        {"n = 402.5", 0, 4}, /* the zone map knows */
        {"n <> 402", 4 * NROWS - 1, 0},
        {"not n <> 402", 1, 3},
        {"n = 402 or n = 500", 2, 2},
        {"n = 402 and x > 0", 1, 3},
        {"n = 402 or x is null", 1, 3},
        {"x = 50.25", 1, 3},
        {"x = 50.3", 0, 4},
        {"x = 0", 1, 3}, /* -0.0 is, NaN is not */
        {"x = -0.0", 1, 3},
        {"t = '2013-01-01 00:33:20.500'", 0, 4},
        {"t = '2013-01-01 00:33:20.000'", 1, 3},
        {"t = '2013-01-01 00:33:20.0005'", 0, 4},
    };
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;

    make_keys(&schema, batches, &file);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct counted counted = count_where(&file, cases[i].where);

        if (counted.nrows != cases[i].nrows || counted.nskipped != cases[i].nskipped)
            fail_msg("%s: %d rows, %d row groups skipped", cases[i].where, (int)counted.nrows,
                     (int)counted.nskipped);
    }
    free_keys(&schema, batches, &file);
}

/* A test for another value than those of a row group is true for all of its rows. */
static void other_values_are_always_unequal(void **state)
{
    (void)state;
    const struct stoa_scan_options none = {0};
    struct stoa_scan_options options = none;
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_filter *filter;
    struct stoa_scan *scan;
    struct stoa_scan_term term;
    struct stoa_error err;

    make_keys(&schema, batches, &file);
    source = stoa_test_file_source(&file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_filter_parse("n <> 402", &filter, &err), &err);
    options.filter = filter;
    stoa_test_check(stoa_scan_open(reader, &options, &scan, &err), &err);
    stoa_test_check(stoa_scan_term(scan, 0, &term, &err), &err);
    assert_int_equal(term.zones_always, 3);
    assert_int_equal(term.zones_known, 3);
    stoa_scan_close(scan);
    stoa_filter_free(filter);
    stoa_reader_close(reader);
    stoa_source_close(source);
    free_keys(&schema, batches, &file);
}

/* ---- Options. ---- */

static void columns_that_can_have_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double rate;
        const char *message; /* NULL: fine */
    } cases[] = {
        {"n", 0, NULL},
        {"S.a", 0.2, NULL},
        {"s", 0,
         "Bloom filter of \"s\": a column of type struct<a:int8,l:list<int32>> can have none"},
        {"s.l", 0, "Bloom filter of \"s.l\": a column of type list<int32> can have none"},
        {"m", 0, "Bloom filter of \"m\": there is no column \"m\""},
        {"n", 0.5, "Bloom filters: the rate is from 0.00001 to less than 0.33"},
    };
    struct stoa_schema schema = {0};
    struct stoa_error err;

    stoa_test_add_column(&schema, "n", STOA_INT32, true);
    stoa_test_add_column(&schema, "s", STOA_INT32, true);
    stoa_test_check(stoa_field_parse_type(&schema.fields[1], "struct<a:int8,l:list<int32>>", &err),
                    &err);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stoa_writer_options options = {
            .blooms = &cases[i].name, .nblooms = 1, .bloom_rate = cases[i].rate};
        struct stoa_writer *writer = NULL;
        struct stoa_sink *sink;
        enum stoa_status st;

        stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
        st = stoa_writer_open(sink, &schema, &options, &writer, &err);
        assert_int_equal(st, cases[i].message != NULL ? STOA_ERR_USAGE : STOA_OK);
        if (cases[i].message != NULL && strcmp(err.message, cases[i].message) != 0)
            fail_msg("%s", err.message);
        stoa_writer_close(writer);
        stoa_sink_close(sink);
    }
    stoa_schema_reset(&schema);
}

/* ---- Verifying, merging, damage. ---- */

static void keep_first(void *context, const struct stoa_error *finding)
{
    struct stoa_error *first = context;

    if (first->message[0] == '\0')
        *first = *finding;
}

/* The one finding, or none. */
static struct stoa_error verify(const struct stoa_test_file *file, bool deep)
{
    struct stoa_error first = {0}, err;
    struct stoa_verify_options options = {.deep = deep, .report = keep_first, .context = &first};
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_verify_result result;

    stoa_test_check(stoa_verify(source, &options, &result, &err), &err);
    stoa_source_close(source);
    if (result.nfindings > 1)
        fail_msg("%d findings, the first: %s", (int)result.nfindings, first.message);
    return first;
}

static enum stoa_status merge_into(struct stoa_merge_input *inputs, size_t n,
                                   struct stoa_test_file *out, struct stoa_sink **sink,
                                   struct stoa_error *err)
{
    enum stoa_status st;

    stoa_test_check(stoa_sink_create_memory(sink, err), err);
    st = stoa_merge(inputs, n, NULL, *sink, NULL, err);
    if (st == STOA_OK)
        st = (*sink)->commit(*sink, err);
    if (st == STOA_OK)
        out->bytes = (uint8_t *)(uintptr_t)stoa_sink_memory(*sink, &out->nbytes);
    return st;
}

/* Merged with a file in which n and t have other types: one is promoted and copied, the other is
   encoded anew. */
static void a_merged_file_keeps_the_filters(void **state)
{
    (void)state;
    static const char *const types[] = {"decimal(30,0)", "float64", "timestamp(us)"};
    struct stoa_merge_input inputs[2] = {{0}};
    struct stoa_schema schema, wide = {0};
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file, other, merged;
    struct stoa_sink *sink;
    struct stoa_error err;

    make_keys(&schema, batches, &file);
    stoa_test_add_column(&wide, "n", STOA_INT32, true);
    stoa_test_add_column(&wide, "x", STOA_INT32, true);
    stoa_test_add_column(&wide, "t", STOA_INT32, true);
    for (uint32_t i = 0; i < 3; i++)
        stoa_test_check(stoa_field_parse_type(&wide.fields[i], types[i], &err), &err);
    stoa_test_file_write(&wide, NULL, 0, NULL, &other);
    inputs[0].source = stoa_test_file_source(&file);
    inputs[1].source = stoa_test_file_source(&other);
    stoa_test_check(merge_into(inputs, 2, &merged, &sink, &err), &err);
    assert_string_equal(verify(&merged, true).message, "");
    assert_int_equal(count_where(&merged, "n = 402").nrows, 1);
    assert_int_equal(count_where(&merged, "n = 402").nskipped, 3);
    assert_int_equal(count_where(&merged, "t = '2013-01-01 00:33:20'").nrows, 1);
    assert_int_equal(count_where(&merged, "t = '2013-01-01 00:33:20'").nskipped, 3);
    for (int i = 0; i < 2; i++)
        stoa_source_close(inputs[i].source);
    stoa_sink_close(sink);
    stoa_test_file_reset(&other);
    stoa_schema_reset(&wide);
    free_keys(&schema, batches, &file);
}

static void damage_is_reported_and_not_used(void **state)
{
    (void)state;
    static const struct {
        size_t at; /* in the section */
        uint8_t byte;
        const char *message;
        bool deep; /* verify finds it when it reads all values */
    } cases[] = {
        {0, 9, "section bloom filters: node 9 in row group 0 of 3 in 4", false},
        {4, 7, "section bloom filters: node 0 in row group 7 of 3 in 4", false},
        {13, 0, "row group 0: column n: Bloom filter does not hold", true},
        {13, 9, "row group 0: column n: Bloom filter: 1024 bytes for 2348 distinct values of 300",
         false},
        {12 * 16, 0xff, "row group 0: column n: Bloom filter does not hold", true},
    };
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;

    make_keys(&schema, batches, &file);
    assert_string_equal(verify(&file, true).message, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *at = stoa_test_file_section(&file, STOA_SECTION_BLOOM) + cases[i].at;
        const uint8_t before = *at;
        struct stoa_merge_input input;
        struct stoa_test_file merged;
        struct stoa_sink *sink;
        struct stoa_error err;

        *at = cases[i].byte;
        assert_int_equal(count_where(&file, "n = 400").nrows, 1);
        assert_string_equal(verify(&file, true).message, "section bloom filters: hash differs");
        stoa_test_rehash(file.bytes, file.nbytes);
        if (strcmp(verify(&file, true).message, cases[i].message) != 0)
            fail_msg("%s", verify(&file, true).message);
        assert_string_equal(verify(&file, false).message, cases[i].deep ? "" : cases[i].message);
        if (!cases[i].deep) {
            assert_int_equal(count_where(&file, "n = 400").nrows, 1);
            input = (struct stoa_merge_input){.source = stoa_test_file_source(&file)};
            assert_int_equal(merge_into(&input, 1, &merged, &sink, &err), STOA_ERR_CORRUPT);
            stoa_source_close(input.source);
            stoa_sink_close(sink);
        }
        *at = before;
        stoa_test_rehash(file.bytes, file.nbytes);
    }
    assert_string_equal(verify(&file, true).message, "");
    free_keys(&schema, batches, &file);
}

/* ---- Memory. ---- */

struct faults {
    const struct stoa_schema *schema;
    const struct stoa_batch *batch;
    struct stoa_source *source;
    struct stoa_filter *filter;
};

static enum stoa_status writes(void *context, struct stoa_error *err)
{
    static const char *const names[] = {"n", "x"};
    const struct stoa_writer_options options = {.blooms = names, .nblooms = 2};
    const struct faults *faults = context;
    struct stoa_writer *writer = NULL;
    struct stoa_sink *sink = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_memory(&sink, err));
    STOA_TRY(stoa_writer_open(sink, faults->schema, &options, &writer, err));
    STOA_TRY(stoa_writer_append(writer, faults->batch, err));
    STOA_TRY(stoa_writer_finish(writer, err));
out:
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    return st;
}

static enum stoa_status reads(void *context, struct stoa_error *err)
{
    const struct faults *faults = context;
    struct counted counted;

    return count_in(faults->source, faults->filter, &counted, err);
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;
    struct faults faults = {.schema = &schema, .batch = &batches[0]};
    struct stoa_error err;

    make_keys(&schema, batches, &file);
    faults.source = stoa_test_file_source(&file);
    stoa_test_check(stoa_filter_parse("n = 402 or x in (1, 2.5)", &faults.filter, &err), &err);
    stoa_test_each_failing_alloc(writes, &faults);
    stoa_test_each_failing_alloc(reads, &faults);
    stoa_filter_free(faults.filter);
    stoa_source_close(faults.source);
    free_keys(&schema, batches, &file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sizes_are_those_of_the_rates),
        cmocka_unit_test(few_are_found_by_chance),
        cmocka_unit_test(the_bytes_are_those_of_the_specification),
        cmocka_unit_test(what_is_there_is_never_skipped),
        cmocka_unit_test(predicates_select_the_same_rows),
        cmocka_unit_test(row_groups_without_the_value_are_skipped),
        cmocka_unit_test(other_values_are_always_unequal),
        cmocka_unit_test(columns_that_can_have_none_are_refused),
        cmocka_unit_test(a_merged_file_keeps_the_filters),
        cmocka_unit_test(damage_is_reported_and_not_used),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
