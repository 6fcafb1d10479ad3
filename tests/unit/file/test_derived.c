/*
 * Columns that are derived from others: tables with planted relations, with noise and nulls in
 * every part, come back as they were; files that lie about their bases are refused; damage, merging
 * and failing allocations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/scan.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "column/array.h"
#include "column/array_cast.h"
#include "file/layout.h"
#include "file/reader.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/merge_parts.h"
#include "support/recovery.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

enum { WHEN, SECONDS, PLACE, SUM, FIXED, FARE, SCALED, FLAG, NCOLUMNS };

static const struct {
    const char *name;
    enum stoa_type_id type;
} columns[NCOLUMNS] = {
    [WHEN] = {"when", STOA_INT64},     [SECONDS] = {"seconds", STOA_INT32},
    [PLACE] = {"place", STOA_UTF8},    [SUM] = {"sum", STOA_INT64},
    [FIXED] = {"fixed", STOA_UINT16},  [FARE] = {"fare", STOA_FLOAT64},
    [SCALED] = {"scaled", STOA_INT64}, [FLAG] = {"flag", STOA_BOOL},
};

/* Noise in so many of 100 rows; nulls in one of so many, 0: none. */
struct planted {
    unsigned noise;
    unsigned null_bases;
    unsigned null_targets;
};

static struct stoa_rules small_rules(void)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.derive_min_nrows = 256;
    rules.page_min_nbytes = 64;
    rules.footer_pack_nbytes = 0;
    rules.schema_pack_nbytes = 0;
    rules.full_nrows = 100;
    return rules;
}

/* An empty column with room, in which everything is null or nothing. */
static void put_number(struct stoa_array *array, size_t width, size_t i, int64_t value)
{
    memcpy(array->values + i * width,
           (uint8_t *)&value + (STOA_LITTLE_ENDIAN ? 0 : sizeof(value) - width), width);
}

static bool one_in(struct stoa_test_random *random, unsigned n)
{
    return n > 0 && stoa_test_random_one_in(random, n);
}

static void fill(struct stoa_test_random *random, const struct planted *planted,
                 struct stoa_batch *batch)
{
    struct stoa_array *c = batch->columns;
    size_t text_nbytes = 0;

    for (size_t i = 0; i < batch->nrows; i++) {
        bool noisy = stoa_test_random_below(random, 100) < planted->noise;
        int64_t off = noisy ? (int64_t)stoa_test_random_below(random, 1000) : 0;
        uint64_t place = stoa_test_random_below(random, 40);
        int64_t when = INT64_C(1357000000) + (int64_t)stoa_test_random_below(random, 3000000);
        int64_t seconds = (int64_t)stoa_test_random_below(random, 5000) - 50;
        bool nulls[NCOLUMNS] = {false};
        char text[16];

        for (unsigned k = 0; k < NCOLUMNS; k++)
            nulls[k] = one_in(random, k <= PLACE ? planted->null_bases : planted->null_targets);
        when = nulls[WHEN] ? 0 : when;
        seconds = nulls[SECONDS] ? 0 : seconds;
        place = nulls[PLACE] ? 40 : place;
        put_number(&c[WHEN], 8, i, when);
        put_number(&c[SECONDS], 4, i, seconds);
        put_number(&c[SUM], 8, i, nulls[SUM] ? 0 : when + seconds + off);
        put_number(&c[FIXED], 2, i, nulls[FIXED] ? 0 : (int64_t)(place * 7919 % 5000) + (off & 15));
        put_number(&c[FARE], 8, i, 0);
        put_number(&c[SCALED], 8, i, nulls[SCALED] ? 0 : when * 1000 - 7 + off);
        if (!nulls[FLAG] && (place * 13 % 3 == 1) != (off % 2 == 1))
            c[FLAG].values[i / 8] = (uint8_t)(c[FLAG].values[i / 8] | 1u << i % 8);
        if (!nulls[PLACE]) {
            /* An empty text is to others what a null is. */
            bool empty = planted->null_bases > 0 && place == 39;
            int n = empty ? 0 : snprintf(text, sizeof(text), "place %u", (unsigned)place);

            memcpy(c[PLACE].values + text_nbytes, text, (size_t)n);
            text_nbytes += (size_t)n;
        }
        c[PLACE].offsets[i + 1] = (int32_t)text_nbytes;
        for (unsigned k = 0; k < NCOLUMNS; k++) {
            if (nulls[k] || c[k].validity == NULL)
                continue;
            stoa_bitmap_set(c[k].validity, i);
            c[k].nnulls--;
        }
    }
}

static void make_batch(struct stoa_test_random *random, const struct stoa_schema *schema,
                       const struct planted *planted, size_t nrows, struct stoa_batch *batch)
{
    struct stoa_error err;

    stoa_test_check(stoa_batch_init(batch, schema, &err), &err);
    batch->nrows = nrows;
    for (uint32_t i = 0; i < NCOLUMNS; i++)
        stoa_test_check(stoa_array_alloc(&schema->fields[i].type, nrows, nrows * 16, true,
                                         &batch->columns[i], &err),
                        &err);
    fill(random, planted, batch);
    for (uint32_t i = 0; i < NCOLUMNS; i++)
        stoa_array_drop_validity(&batch->columns[i]);
}

static void make(struct stoa_test_random *random, const struct planted *planted,
                 const size_t *nrows, size_t ngroups, struct stoa_test_table *out)
{
    struct stoa_rules rules = small_rules();
    struct stoa_error err;

    *out = (struct stoa_test_table){.nbatches = ngroups};
    for (uint32_t i = 0; i < NCOLUMNS; i++)
        stoa_test_add_column(&out->schema, columns[i].name, columns[i].type, true);
    stoa_test_check(stoa_alloc_zeroed(&out->batches, ngroups, sizeof(out->batches[0]), &err), &err);
    for (size_t g = 0; g < ngroups; g++)
        make_batch(random, &out->schema, planted, nrows[g], &out->batches[g]);
    stoa_test_file_write(&out->schema, out->batches, ngroups, &rules, &out->file);
}

static struct stoa_reader *open_file(const struct stoa_test_file *file, struct stoa_source **source)
{
    struct stoa_reader *reader;
    struct stoa_error err;

    *source = stoa_test_file_source(file);
    stoa_test_check(stoa_reader_open(*source, NULL, &reader, &err), &err);
    return reader;
}

static bool is_derived(struct stoa_reader *reader, uint32_t group, uint32_t column)
{
    struct stoa_chunk_info chunk;
    struct stoa_error err;

    stoa_test_check(stoa_reader_chunk(reader, group, column, &chunk, &err), &err);
    return chunk.bases[0] != UINT32_MAX;
}

/* Ranges of rows that begin and end anywhere. */
static void read_ranges(struct stoa_test_random *random, const struct stoa_test_table *table,
                        struct stoa_reader *reader)
{
    for (int k = 0; k < 60; k++) {
        uint32_t g = (uint32_t)stoa_test_random_below(random, table->nbatches);
        uint32_t c = (uint32_t)stoa_test_random_below(random, NCOLUMNS);
        const struct stoa_batch *batch = &table->batches[g];
        uint32_t begin = (uint32_t)stoa_test_random_below(random, batch->nrows);
        uint32_t end = begin + 1 + (uint32_t)stoa_test_random_below(random, batch->nrows - begin);
        struct stoa_array got, want;
        struct stoa_error err;

        stoa_test_check(
            stoa_reader_column(reader, g, c, (struct stoa_rows){begin, end}, &got, NULL, &err),
            &err);
        stoa_test_check(
            stoa_array_slice(&table->schema.fields[c], &batch->columns[c], begin, end, &want, &err),
            &err);
        if (!stoa_array_equal(&table->schema.fields[c], &got, &want))
            fail_msg("group %u, column %s, rows [%u, %u) differ", g, columns[c].name, begin, end);
        stoa_array_reset(&got);
        stoa_array_reset(&want);
    }
}

/* Single rows, rising; in the second round what the first one left behind may be made better use
 * of, and in the third one is. */
static void take_rows(struct stoa_test_random *random, const struct stoa_test_table *table,
                      struct stoa_reader *reader)
{
    for (uint32_t round = 0; round < 3 * NCOLUMNS; round++) {
        const uint32_t c = round % NCOLUMNS;
        const struct stoa_field *field = &table->schema.fields[c];
        const struct stoa_batch *batch = &table->batches[1];
        uint32_t places[400], n = 0, step = round % 3 == 0 ? 20 : 2000;
        struct stoa_array got, want;
        struct stoa_error err;

        for (uint64_t at = stoa_test_random_below(random, step); at < batch->nrows && n < 400;
             at += 1 + stoa_test_random_below(random, step))
            places[n++] = (uint32_t)at;
        stoa_test_check(stoa_chunk_take(reader, 1, c, places, n,
                                        round % 3 != 0 || round >= NCOLUMNS, NULL, &got, NULL,
                                        &err),
                        &err);
        stoa_test_check(stoa_array_take(field, &batch->columns[c], places, n, &want, &err), &err);
        if (!stoa_array_equal(field, &got, &want))
            fail_msg("column %s: single rows differ in round %u", columns[c].name,
                     round / NCOLUMNS);
        stoa_array_reset(&got);
        stoa_array_reset(&want);
    }
}

static void planted_relations_are_found_and_come_back(void **state)
{
    static const struct planted cases[] = {{0, 0, 0},   {1, 0, 0},  {5, 0, 0},   {20, 0, 0},
                                           {0, 20, 0},  {0, 0, 20}, {0, 10, 10}, {5, 7, 3},
                                           {20, 50, 2}, {0, 1, 0},  {0, 0, 1},   {100, 0, 0}};
    static const size_t nrows[] = {6000, 20000, 1, 700};
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "planted_relations_are_found_and_come_back");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct planted *p = &cases[i];
        struct stoa_test_table table;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_error err;
        bool equal;

        make(&random, p, nrows, 4, &table);
        reader = open_file(&table.file, &source);
        stoa_test_check(stoa_test_table_compare(&table, reader, &equal, &err), &err);
        if (!equal)
            fail_msg("case %zu: other values", i);
        read_ranges(&random, &table, reader);
        take_rows(&random, &table, reader);
        for (uint32_t g = 0; g < 2 && p->noise <= 5 && p->null_bases != 1; g++) {
            if (p->null_targets == 1)
                continue;
            /* A sum or the other way round; a null base leaves a target without it. */
            if (p->null_bases == 0)
                assert_true(is_derived(reader, g, SUM) || is_derived(reader, g, WHEN) ||
                            is_derived(reader, g, SECONDS));
            assert_true(is_derived(reader, g, FIXED));
        }
        stoa_test_verify_deep(table.file.bytes, table.file.nbytes);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_table_reset(&table);
    }
}

/* ---- Scans, which hand bases over that they have read. ---- */

/* The rows of a batch in which "seconds" is less than a bound. */
static size_t select_rows(const struct stoa_batch *batch, int32_t bound, uint32_t *rows)
{
    const struct stoa_array *seconds = &batch->columns[SECONDS];
    size_t n = 0;

    for (size_t i = 0; i < batch->nrows; i++) {
        int32_t value;

        memcpy(&value, seconds->values + 4 * i, 4);
        if (!stoa_array_is_null(seconds, i) && value < bound)
            rows[n++] = (uint32_t)i;
    }
    return n;
}

/* Compares the rows of a scan that come from one batch of the table; *pages: those read. */
static void scan_one(const struct stoa_test_table *table, struct stoa_reader *reader,
                     const uint32_t *order, uint32_t ncolumns, int32_t bound,
                     struct stoa_skip *pages)
{
    const struct stoa_batch *batch = &table->batches[0];
    const char *names[NCOLUMNS];
    struct stoa_scan_options options = {.columns = names, .ncolumns = ncolumns};
    struct stoa_filter *filter = NULL;
    struct stoa_scan_counters counters;
    struct stoa_batch got = {0};
    struct stoa_scan *scan;
    struct stoa_error err;
    uint32_t *rows = calloc(batch->nrows, sizeof(*rows));
    size_t n = select_rows(batch, bound, rows);
    char text[40];

    for (uint32_t i = 0; i < ncolumns; i++)
        names[i] = columns[order[i]].name;
    snprintf(text, sizeof(text), "seconds < %d", bound);
    if (bound != INT32_MAX)
        stoa_test_check(stoa_filter_parse(text, &filter, &err), &err);
    else
        for (n = 0; n < batch->nrows; n++)
            rows[n] = (uint32_t)n;
    options.filter = filter;
    stoa_test_check(stoa_scan_open(reader, &options, &scan, &err), &err);
    stoa_test_check(stoa_scan_next(scan, &got, &err), &err);
    assert_int_equal(got.nrows, n);
    for (uint32_t i = 0; i < ncolumns && n > 0; i++) {
        struct stoa_array want;

        stoa_test_check(stoa_array_take(&table->schema.fields[order[i]], &batch->columns[order[i]],
                                        rows, n, &want, &err),
                        &err);
        if (!stoa_array_equal(&table->schema.fields[order[i]], &got.columns[i], &want))
            fail_msg("column %s: other values where %s", names[i], text);
        stoa_array_reset(&want);
    }
    stoa_test_check(stoa_scan_counters_get(scan, &counters, &err), &err);
    *pages = counters.pages;
    stoa_batch_reset(&got);
    stoa_scan_close(scan);
    stoa_filter_free(filter);
    free(rows);
}

static void scans_hand_bases_over(void **state)
{
    static const int32_t bounds[] = {INT32_MAX, 4900, 2000, 10, -49};
    static const uint32_t orders[][NCOLUMNS] = {
        {WHEN, SECONDS, PLACE, SUM, FIXED, FARE, SCALED, FLAG}, /* bases in front, */
        {FLAG, SCALED, FARE, FIXED, SUM, PLACE, SECONDS, WHEN}, /* behind, */
        {SUM, SCALED, FIXED, FLAG},                             /* perhaps not in the output */
    };
    static const uint32_t counts[] = {NCOLUMNS, NCOLUMNS, 4};
    static const struct planted cases[] = {{0, 0, 0}, {2, 9, 7}};
    static const size_t nrows[] = {20000};
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "scans_hand_bases_over");
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct stoa_test_table table;
        struct stoa_source *source;
        struct stoa_reader *reader;

        make(&random, &cases[c], nrows, 1, &table);
        reader = open_file(&table.file, &source);
        for (size_t k = 0; k < sizeof(bounds) / sizeof(bounds[0]); k++)
            for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
                struct stoa_skip pages;

                scan_one(&table, reader, orders[o], counts[o], bounds[k], &pages);
            }
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_table_reset(&table);
    }
}

static void words_that_were_read_are_not_read_again(void **state)
{
    static const uint32_t order[] = {SUM, SCALED, SECONDS, WHEN};
    static const struct planted planted = {0, 0, 0};
    static const size_t nrows[] = {20000};
    struct stoa_test_random random;
    struct stoa_test_table table;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_skip pages;
    unsigned nderived = 0;

    (void)state;
    stoa_test_random_seed(&random, 3);
    make(&random, &planted, nrows, 1, &table);
    reader = open_file(&table.file, &source);
    for (unsigned i = 0; i < 4; i++)
        nderived += is_derived(reader, 0, order[i]);
    assert_true(nderived >= 2);
    scan_one(&table, reader, order, 4, INT32_MAX, &pages);
    assert_int_equal(pages.read, pages.total);
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_table_reset(&table);
}

/* A file of one row group, the column that is derived by LINEAR, and a base of it. */
static void make_one(struct stoa_test_table *table, size_t n, uint32_t *derived, uint32_t *base)
{
    const size_t nrows[] = {n};
    const struct planted planted = {0, 0, 0};
    struct stoa_test_random random;
    struct stoa_chunk chunk = {0};
    struct stoa_error err;

    stoa_test_random_seed(&random, 7);
    make(&random, &planted, nrows, 1, table);
    for (*derived = 0; *derived < NCOLUMNS; ++*derived) {
        stoa_test_check(
            stoa_chunk_unpack(stoa_test_file_chunk(&table->file, 0, *derived), &chunk, &err), &err);
        if ((chunk.flags & STOA_CHUNK_DERIVED) && strcmp(columns[*derived].name, "fixed") != 0 &&
            columns[*derived].type != STOA_BOOL)
            break;
    }
    assert_true(*derived < NCOLUMNS);
    *base = chunk.dict_index & 0xffff;
}

static void bases_that_are_none_are_refused(void **state)
{
    static const struct {
        uint32_t bases; /* 0x1000: the derived column itself */
        const char *message;
    } cases[] = {
        {0xffff0063, "derived from node 99 of 8"},
        {0xfffe0000, "derived from node 65534 of 8"},
        {0xffff1000, "which is derived itself"},
        {0xffff0000 | FARE, ", which is no column of numbers"},
        {0xffff0000 | PLACE, ", which is no column of numbers"},
        {0xffffffff, "chunk: DERIVED without a base"},
        {0x0000ffff, "chunk: DERIVED without a base"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t derived, base, bases = cases[i].bases;
        struct stoa_test_table table;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_array array;
        struct stoa_error err = {0};

        make_one(&table, 3000, &derived, &base);
        bases = bases == 0xffff1000 ? 0xffff0000 | derived : bases;
        stoa_store32(stoa_test_file_chunk(&table.file, 0, derived) + 24, bases);
        stoa_test_rehash(table.file.bytes, table.file.nbytes);
        reader = open_file(&table.file, &source);
        assert_int_equal(
            stoa_reader_column(reader, 0, derived, (struct stoa_rows){0, 3000}, &array, NULL, &err),
            STOA_ERR_CORRUPT);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("\"%s\" instead of \"%s\"", err.message, cases[i].message);
        /* The others can be read. */
        stoa_test_check(
            stoa_reader_column(reader, 0, base, (struct stoa_rows){0, 3000}, &array, NULL, &err),
            &err);
        stoa_array_reset(&array);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_table_reset(&table);
    }
}

/* 500 rows are one page of any page_shift from 9 on, so nothing but the limit is wrong. */
static void tiny_pages_are_refused(void **state)
{
    static const struct {
        bool of_base;
        uint8_t page_shift;
        const char *message; /* NULL: none */
    } cases[] = {
        {false, 10, NULL},
        {true, 10, NULL},
        {false, 9, "chunk entries: row group 0: chunk: page_shift 9 of DERIVED, must be 10..16"},
        {false, 0, "chunk entries: row group 0: chunk: page_shift 0 of DERIVED, must be 10..16"},
        {true, 9, ", which has pages of 512 values"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint32_t places[] = {3, 499};
        struct stoa_test_table table;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_array array;
        struct stoa_error err = {0};
        enum stoa_status st;
        uint32_t derived, base;

        make_one(&table, 500, &derived, &base);
        stoa_test_file_chunk(&table.file, 0, cases[i].of_base ? base : derived)[28] =
            cases[i].page_shift;
        stoa_test_rehash(table.file.bytes, table.file.nbytes);
        reader = open_file(&table.file, &source);
        for (unsigned way = 0; way < 3; way++) { /* a range, single rows, and such that are kept */
            if (way == 0)
                st = stoa_reader_column(reader, 0, derived, (struct stoa_rows){0, 500}, &array,
                                        NULL, &err);
            else
                st = stoa_chunk_take(reader, 0, derived, places, 2, way == 2, NULL, &array, NULL,
                                     &err);
            if (cases[i].message == NULL) {
                stoa_test_check(st, &err);
                stoa_array_reset(&array);
                continue;
            }
            assert_int_equal(st, STOA_ERR_CORRUPT);
            if (strstr(err.message, cases[i].message) == NULL)
                fail_msg("\"%s\" instead of \"%s\"", err.message, cases[i].message);
        }
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_table_reset(&table);
    }
}

/* Pages of long texts hold few of them, and then nothing is derived from these. */
static void bases_of_tiny_pages_are_not_taken(void **state)
{
    enum { NROWS = 2000, TEXT_NBYTES = 600 };
    struct stoa_rules rules = small_rules();
    struct stoa_schema schema = {0};
    struct stoa_test_random random;
    struct stoa_batch batch;
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err;

    (void)state;
    stoa_test_random_seed(&random, 11);
    stoa_test_add_column(&schema, "text", STOA_UTF8, false);
    stoa_test_add_column(&schema, "follows", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = NROWS;
    stoa_test_check(stoa_array_alloc(&schema.fields[0].type, NROWS, NROWS * TEXT_NBYTES, false,
                                     &batch.columns[0], &err),
                    &err);
    stoa_test_check(
        stoa_array_alloc(&schema.fields[1].type, NROWS, 0, false, &batch.columns[1], &err), &err);
    for (size_t i = 0; i < NROWS; i++) {
        uint8_t *text = batch.columns[0].values + i * TEXT_NBYTES;
        int letter = (int)stoa_test_random_below(&random, 26);

        memset(text, 'a' + letter, TEXT_NBYTES);
        batch.columns[0].offsets[i + 1] = (int32_t)((i + 1) * TEXT_NBYTES);
        put_number(&batch.columns[1], 8, i, letter * INT64_C(7919797979) % 100003);
    }
    for (unsigned small = 0; small < 2; small++) {
        rules.page_max_nbytes = small == 1 ? 1023 * (TEXT_NBYTES + 5) : rules.page_max_nbytes;
        stoa_test_file_write(&schema, &batch, 1, &rules, &file);
        source = stoa_test_file_source(&file);
        stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
        assert_int_equal(is_derived(reader, 0, 1), small == 0);
        stoa_test_verify_deep(file.bytes, file.nbytes);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_file_reset(&file);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

struct findings {
    char text[4096];
};

static void keep(void *context, const struct stoa_error *finding)
{
    struct findings *findings = context;

    strncat(findings->text, finding->message, sizeof(findings->text) - strlen(findings->text) - 1);
    strncat(findings->text, "\n", sizeof(findings->text) - strlen(findings->text) - 1);
}

static void flip_in_chunk(struct stoa_test_table *table, uint32_t column)
{
    struct stoa_chunk chunk;
    struct stoa_error err;

    stoa_test_check(stoa_chunk_unpack(stoa_test_file_chunk(&table->file, 0, column), &chunk, &err),
                    &err);
    table->file.bytes[chunk.offset + chunk.nbytes - 9] ^= 4;
}

static void damage_of_a_base_is_told_of_both(void **state)
{
    struct findings findings = {""};
    struct stoa_verify_options options = {.deep = true, .report = keep, .context = &findings};
    struct stoa_verify_result result;
    struct stoa_test_recovery recovery;
    struct stoa_test_table table;
    struct stoa_source *source;
    struct stoa_error err;
    uint32_t derived, base;
    char both[200];
    size_t nboth = 0;

    (void)state;
    make_one(&table, 3000, &derived, &base);
    flip_in_chunk(&table, base);
    source = stoa_test_file_source(&table.file);
    stoa_test_check(stoa_verify(source, &options, &result, &err), &err);
    stoa_source_close(source);
    snprintf(both, sizeof(both), "column %s: page", columns[derived].name);
    assert_non_null(strstr(findings.text, both));
    snprintf(both, sizeof(both), "derived from: row group 0: column %s: page", columns[base].name);
    assert_non_null(strstr(findings.text, both));

    stoa_test_recover(table.file.bytes, table.file.nbytes, true, &recovery);
    assert_int_equal(recovery.st, STOA_OK);
    for (size_t i = 0; i < recovery.nlosses; i++)
        nboth += strcmp(recovery.losses[i].column, columns[base].name) == 0 ? 1 : 0;
    for (size_t i = 0; i < recovery.nlosses; i++)
        nboth += strcmp(recovery.losses[i].column, columns[derived].name) == 0 ? 100 : 0;
    assert_true(nboth >= 101);
    stoa_test_verify_deep(recovery.bytes, recovery.nbytes);
    stoa_test_recovery_reset(&recovery);
    stoa_test_table_reset(&table);
}

/* The columns of a table in another order, and its file. */
static void turn_around(const struct stoa_test_table *from, struct stoa_test_table *out)
{
    struct stoa_rules rules = small_rules();
    struct stoa_error err;

    *out = (struct stoa_test_table){.nbatches = from->nbatches};
    for (uint32_t i = NCOLUMNS; i-- > 0;)
        stoa_test_add_column(&out->schema, columns[i].name, columns[i].type, true);
    stoa_test_check(stoa_alloc_zeroed(&out->batches, from->nbatches, sizeof(out->batches[0]), &err),
                    &err);
    for (size_t g = 0; g < from->nbatches; g++) {
        stoa_test_check(stoa_batch_init(&out->batches[g], &out->schema, &err), &err);
        out->batches[g].nrows = from->batches[g].nrows;
        for (uint32_t i = 0; i < NCOLUMNS; i++)
            stoa_test_check(stoa_array_slice(&from->schema.fields[i], &from->batches[g].columns[i],
                                             0, from->batches[g].nrows,
                                             &out->batches[g].columns[NCOLUMNS - 1 - i], &err),
                            &err);
    }
    stoa_test_file_write(&out->schema, out->batches, out->nbatches, &rules, &out->file);
}

static void merging_gives_bases_their_new_numbers(void **state)
{
    static const size_t nrows[] = {3000, 500};
    const struct planted planted = {2, 30, 30};
    const struct stoa_merge_options options = {0};
    struct stoa_test_table tables[2];
    struct stoa_test_file parts[2], merged;
    struct stoa_merge_report report;
    struct stoa_test_random random;
    struct stoa_source *source;
    struct stoa_reader *reader;

    (void)state;
    stoa_test_random_init(&random, "merging_gives_bases_their_new_numbers");
    make(&random, &planted, nrows, 2, &tables[0]);
    turn_around(&tables[0], &tables[1]);
    parts[0] = tables[0].file;
    parts[1] = tables[1].file;
    stoa_test_merge(parts, 2, &options, &report, &merged);
    assert_int_equal(report.nchunks_encoded, 0);
    assert_true(stoa_test_merged_is(&merged, tables, 2));
    reader = open_file(&merged, &source);
    assert_true(is_derived(reader, 0, FIXED) && is_derived(reader, 2, FIXED));
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_verify_deep(merged.bytes, merged.nbytes);
    stoa_test_file_reset(&merged);
    stoa_test_table_reset(&tables[0]);
    stoa_test_table_reset(&tables[1]);
}

/* A table of one row: the numbers in `seconds` are floats, or text in `place` is binary. */
static void make_other(enum stoa_type_id seconds, struct stoa_test_table *out)
{
    struct stoa_rules rules = small_rules();
    struct stoa_error err;

    *out = (struct stoa_test_table){.nbatches = 1};
    stoa_test_add_column(&out->schema, columns[SECONDS].name, seconds, true);
    stoa_test_check(stoa_alloc_zeroed(&out->batches, 1, sizeof(out->batches[0]), &err), &err);
    stoa_test_check(stoa_batch_init(&out->batches[0], &out->schema, &err), &err);
    out->batches[0].nrows = 1;
    stoa_test_check(stoa_array_nulls(&out->schema.fields[0], 1, &out->batches[0].columns[0], &err),
                    &err);
    stoa_test_file_write(&out->schema, out->batches, 1, &rules, &out->file);
}

static void merging_encodes_what_is_derived_from_a_column_that_changes(void **state)
{
    static const size_t nrows[] = {3000};
    static const enum stoa_type_id types[] = {STOA_INT64, STOA_FLOAT64, STOA_UTF8};
    const struct planted planted = {0, 0, 0};
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "merging_encodes_what_is_derived");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const struct stoa_merge_options options = {.join = {.fill_missing = true, .as_text = true}};
        struct stoa_test_table tables[2];
        struct stoa_test_file parts[2], merged;
        struct stoa_merge_report report;

        make(&random, &planted, nrows, 1, &tables[0]);
        make_other(types[i], &tables[1]);
        parts[0] = tables[0].file;
        parts[1] = tables[1].file;
        stoa_test_merge(parts, 2, &options, &report, &merged);
        assert_true(stoa_test_merged_is(&merged, tables, 2));
        stoa_test_verify_deep(merged.bytes, merged.nbytes);
        stoa_test_file_reset(&merged);
        stoa_test_table_reset(&tables[0]);
        stoa_test_table_reset(&tables[1]);
    }
}

/* ---- Faults ---- */

static enum stoa_status reads_all(void *context, struct stoa_error *err)
{
    struct stoa_test_table *table = context;
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    enum stoa_status st =
        stoa_source_open_memory(table->file.bytes, table->file.nbytes, "test.stoa", &source, err);

    if (st == STOA_OK)
        st = stoa_reader_open(source, NULL, &reader, err);
    for (uint32_t i = 0; st == STOA_OK && i < NCOLUMNS; i++) {
        struct stoa_array array = {0};

        st = stoa_reader_column(reader, 0, i, (struct stoa_rows){100, 900}, &array, NULL, err);
        stoa_array_reset(&array);
    }
    stoa_reader_close(reader);
    stoa_source_close(source);
    return st;
}

static void failing_allocations_are_reported(void **state)
{
    struct stoa_test_table table;
    uint32_t derived, base;

    (void)state;
    make_one(&table, 3000, &derived, &base);
    stoa_test_each_failing_alloc(reads_all, &table);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_relations_are_found_and_come_back),
        cmocka_unit_test(scans_hand_bases_over),
        cmocka_unit_test(words_that_were_read_are_not_read_again),
        cmocka_unit_test(bases_that_are_none_are_refused),
        cmocka_unit_test(tiny_pages_are_refused),
        cmocka_unit_test(bases_of_tiny_pages_are_not_taken),
        cmocka_unit_test(damage_of_a_base_is_told_of_both),
        cmocka_unit_test(merging_gives_bases_their_new_numbers),
        cmocka_unit_test(merging_encodes_what_is_derived_from_a_column_that_changes),
        cmocka_unit_test(failing_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
