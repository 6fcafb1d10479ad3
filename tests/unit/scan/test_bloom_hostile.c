/* Bloom filters of files, and of values, that someone made to do harm: errors, and no time lost. */
#include <stoa/merge.h>
#include <stoa/scan.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "column/array.h"
#include "column/schema.h"
#include "file/notes_read.h"
#include "file/reader.h"
#include "stats/bloom.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/random.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

static struct stoa_rules plain_rules(uint32_t presence_gain)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.footer_pack_nbytes = 0;
    rules.presence_gain = presence_gain;
    return rules;
}

/* ---- Merging. ---- */

static void add_types(struct stoa_schema *schema, const char *unit)
{
    struct stoa_error err;
    char text[64];

    *schema = (struct stoa_schema){0};
    stoa_test_add_column(schema, "s", STOA_INT32, true);
    stoa_test_add_column(schema, "l", STOA_INT32, true);
    snprintf(text, sizeof(text), "struct<a:time(%s)>", unit);
    stoa_test_check(stoa_field_parse_type(&schema->fields[0], text, &err), &err);
    snprintf(text, sizeof(text), "list<time(%s)>", unit);
    stoa_test_check(stoa_field_parse_type(&schema->fields[1], text, &err), &err);
}

static enum stoa_status merge(const struct stoa_test_file *a, const struct stoa_test_file *b,
                              struct stoa_error *err)
{
    struct stoa_merge_input inputs[2] = {{.source = stoa_test_file_source(a)},
                                         {.source = stoa_test_file_source(b)}};
    struct stoa_sink *sink;
    enum stoa_status st;

    stoa_test_check(stoa_sink_create_memory(&sink, err), err);
    st = stoa_merge(inputs, 2, NULL, sink, NULL, err);
    stoa_sink_close(sink);
    for (int i = 0; i < 2; i++)
        stoa_source_close(inputs[i].source);
    return st;
}

/* All columns are encoded anew, and what the filters were of decides whether they have new ones. */
static void a_filter_of_a_node_that_can_have_none_is_not_merged(void **state)
{
    (void)state;
    enum { NODE_S, NODE_A, NODE_L, NODE_ITEM };
    static const char *const names[] = {"s.a"};
    static const uint8_t wrong[] = {NODE_S, NODE_L, NODE_ITEM};
    static const size_t nrows = 40;
    const struct stoa_writer_options options = {.blooms = names, .nblooms = 1};
    const struct stoa_rules rules = plain_rules(0);
    struct stoa_test_random random;
    struct stoa_test_table table;
    struct stoa_schema schema, wide;
    struct stoa_test_file file, empty;
    struct stoa_error err;
    uint8_t *node;

    stoa_test_random_init(&random, "rows");
    add_types(&schema, "ms");
    add_types(&wide, "us");
    stoa_test_table_make(&random, &schema, &nrows, 1, &rules, &table);
    stoa_test_file_write_options(&table.schema, table.batches, 1, &options, &rules, &file);
    stoa_test_file_write(&wide, NULL, 0, NULL, &empty);
    stoa_test_check(merge(&file, &empty, &err), &err);
    node = stoa_test_file_section(&file, STOA_SECTION_BLOOM);
    assert_int_equal(*node, NODE_A);
    for (size_t i = 0; i < sizeof(wrong); i++) {
        *node = wrong[i];
        stoa_test_rehash(file.bytes, file.nbytes);
        if (merge(&file, &empty, &err) != STOA_ERR_CORRUPT ||
            strstr(err.message, "Bloom filter of a chunk that can have none") == NULL)
            fail_msg("node %d: %s", wrong[i], err.message);
    }
    stoa_test_file_reset(&empty);
    stoa_test_file_reset(&file);
    stoa_test_table_reset(&table);
    stoa_schema_reset(&wide);
}

/* ---- Reading. ---- */

enum { ZONE = STOA_ZONE_NROWS, NZONES = 3, NROWS = NZONES * ZONE };

/* "a" and "z" are in every zone, so that bounds tell nothing. */
static const char *in_second_zone(size_t i, char room[64])
{
    if (i % 3 == 1)
        return "a";
    if (i % 3 == 2)
        return "z";
    snprintf(room, 64, "%s", i / ZONE == 1 ? "only" : "other");
    return room;
}

static int64_t number(size_t i)
{
    return (int64_t)i;
}

/* A row group of texts "t" and numbers "n", both with filters, and presence bitmaps of "t". */
static void make_file(double rate, struct stoa_test_file *out)
{
    static const char *const names[] = {"t", "n"};
    const struct stoa_writer_options options = {.blooms = names, .nblooms = 2, .bloom_rate = rate};
    struct stoa_rules rules = plain_rules(1);
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err;

    rules.full_nrows = 100;
    stoa_test_add_column(&schema, "t", STOA_UTF8, false);
    stoa_test_add_column(&schema, "n", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = NROWS;
    stoa_test_make_texts(&batch.columns[0], NROWS, in_second_zone);
    stoa_test_make_numbers(&batch.columns[1], NROWS, number);
    stoa_test_file_write_options(&schema, &batch, 1, &options, &rules, out);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* Entries name a node that there is not, and all hashes are right. */
static void damage_entries(struct stoa_test_file *file)
{
    stoa_test_file_section(file, STOA_SECTION_BLOOM)[0] = 9;
    stoa_test_rehash(file->bytes, file->nbytes);
}

static uint64_t zones_skipped(const struct stoa_test_file *file, const char *where)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_scan_options options = {0};
    struct stoa_scan_counters counters;
    struct stoa_filter *filter;
    struct stoa_reader *reader;
    struct stoa_scan *scan;
    struct stoa_error err;

    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_filter_parse(where, &filter, &err), &err);
    options.filter = filter;
    stoa_test_check(stoa_scan_open(reader, &options, &scan, &err), &err);
    stoa_test_check(stoa_scan_counters_get(scan, &counters, &err), &err);
    stoa_scan_close(scan);
    stoa_filter_free(filter);
    stoa_reader_close(reader);
    stoa_source_close(source);
    return counters.zones.skipped;
}

static void presence_is_asked_beside_damaged_filters(void **state)
{
    (void)state;
    struct stoa_test_file file;

    make_file(0, &file);
    assert_int_equal(zones_skipped(&file, "t = 'only'"), NZONES - 1);
    damage_entries(&file);
    assert_int_equal(zones_skipped(&file, "t = 'only'"), NZONES - 1);
    stoa_test_file_reset(&file);
}

static void damaged_entries_are_read_once(void **state)
{
    (void)state;
    static const char *const messages[] = {"section bloom filters: node 9 in row group 0 of 2 in 1",
                                           "section bloom filters: damaged"};
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err;

    make_file(0, &file);
    damage_entries(&file);
    source = stoa_test_file_source(&file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    for (int i = 0; i < 2; i++) {
        struct stoa_test_alloc_counts counts;
        const struct stoa_notes *notes;

        if (i == 1)
            stoa_test_alloc_begin(0, STOA_TEST_FAULT_ONCE);
        assert_int_equal(stoa_footer_notes(&reader->footer, STOA_SECTION_BLOOM, &notes, &err),
                         STOA_ERR_CORRUPT);
        if (i == 1) {
            counts = stoa_test_alloc_end();
            assert_int_equal(counts.nallocs, 0);
        }
        assert_string_equal(err.message, messages[i]);
    }
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_file_reset(&file);
}

static void verifying_keeps_nothing_of_a_large_section(void **state)
{
    (void)state;
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_footer_section *section;
    struct stoa_error err;

    make_file(0.00001, &file);
    source = stoa_test_file_source(&file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    section = reader->footer.by_type[STOA_SECTION_BLOOM];
    assert_true(section->entry.flags & STOA_SECTION_SLICED);
    assert_true(section->nslices > 0);
    stoa_test_check(stoa_footer_section_verify(&reader->footer,
                                               (uint32_t)(section - reader->footer.sections), &err),
                    &err);
    for (uint32_t i = 0; i < section->nslices; i++)
        assert_null(stoa_once_get(&section->slices[i]));
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_file_reset(&file);
}

/* ---- Values by their hashes. ---- */

static uint64_t hash_of(uint64_t value)
{
    uint8_t bytes[8];

    stoa_store64(bytes, value);
    return stoa_hash(bytes, sizeof(bytes));
}

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

/* The steps of XXH3-64 of eight bytes, the other way round: anybody can take them. */
static uint64_t unmix(uint64_t hash)
{
    const uint64_t factor = UINT64_C(0x9fb21c651e98df25);
    uint64_t inverse = factor, x = hash ^ hash >> 28 ^ hash >> 56;

    for (int i = 0; i < 6; i++)
        inverse *= 2 - factor * inverse;
    x *= inverse;
    x ^= (x >> 35) + 8;
    x *= inverse;
    for (int i = 0; i < 63; i++) /* once more, and every bit is back */
        x ^= rotate(x, 49) ^ rotate(x, 24);
    return x;
}

static uint64_t value_of_hash(uint64_t hash)
{
    return rotate(unmix(hash) ^ unmix(hash_of(0)), 32);
}

static uint64_t colliding(uint64_t i)
{
    return value_of_hash((i + 1) << 40);
}

/*
 * Values whose hashes are equal in their lower bits: a table of them would take N * N / 2 steps, so
 * that the test would not end in time.
 */
static void values_chosen_by_their_hashes_are_counted_in_time(void **state)
{
    enum { N = 1 << 20 };
    const struct stoa_type type = {.id = STOA_INT64};
    struct stoa_buffer blocks = {0};
    struct stoa_array array;
    struct stoa_error err;
    uint32_t count;

    (void)state;
    assert_true(hash_of(value_of_hash(UINT64_C(0x123456789abcdef))) == UINT64_C(0x123456789abcdef));
    stoa_test_check(stoa_array_alloc(&type, N, 0, false, &array, &err), &err);
    for (uint64_t i = 0; i < N; i++) {
        const uint64_t value = colliding(i);

        memcpy(array.values + 8 * i, &value, 8);
    }
    stoa_test_check(stoa_bloom_make(&type, &array, 8, 0, &count, &blocks, &err), &err);
    assert_int_equal(count, N);
    stoa_buffer_free(&blocks);
    stoa_array_reset(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_of_a_node_that_can_have_none_is_not_merged),
        cmocka_unit_test(presence_is_asked_beside_damaged_filters),
        cmocka_unit_test(damaged_entries_are_read_once),
        cmocka_unit_test(verifying_keeps_nothing_of_a_large_section),
        cmocka_unit_test(values_chosen_by_their_hashes_are_counted_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
