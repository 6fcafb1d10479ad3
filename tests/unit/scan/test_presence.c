/* Presence bitmaps: written where they pay, skip what they exclude and nothing else, are checked.
 */
#include <stoa/scan.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/merge.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "column/array.h"
#include "column/schema.h"
#include "file/presence.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/random.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

enum { ZONE = STOA_ZONE_NROWS, NZONES = 3, NROWS = NZONES * ZONE - 1000, NGROUPS = 2, NTEXTS = 50 };

static struct stoa_test_random random_now;

/* Texts of a zone lie around its number, so that each of them comes in few zones; some are null. */
static const char *clustered(size_t i, char room[64])
{
    const unsigned zone = (unsigned)(i / ZONE);
    const unsigned text = (zone * 17 + (unsigned)stoa_test_random_below(&random_now, 9)) % NTEXTS;

    if (stoa_test_random_below(&random_now, 20) == 0)
        return NULL;
    /* The least and the greatest text come in every zone: bounds tell nothing. */
    if (i % ZONE == 1)
        return "a";
    if (i % ZONE == 2)
        return "z";
    snprintf(room, 64, "text %02u", text);
    return room;
}

/* NGROUPS row groups of a nullable column "t". */
static void make_table(struct stoa_schema *schema, struct stoa_batch batches[NGROUPS])
{
    struct stoa_error err;

    *schema = (struct stoa_schema){0};
    stoa_test_add_column(schema, "t", STOA_UTF8, true);
    for (size_t g = 0; g < NGROUPS; g++) {
        stoa_test_check(stoa_batch_init(&batches[g], schema, &err), &err);
        batches[g].nrows = NROWS;
        stoa_test_make_texts(&batches[g].columns[0], NROWS, clustered);
    }
}

static void write_table(const struct stoa_schema *schema, const struct stoa_batch *batches,
                        uint32_t gain, struct stoa_test_file *out)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.full_nrows = 100; /* dictionaries are shared */
    rules.presence_gain = gain;
    rules.footer_pack_nbytes = 0;
    stoa_test_file_write(schema, batches, NGROUPS, &rules, out);
}

static void free_table(struct stoa_schema *schema, struct stoa_batch *batches)
{
    for (size_t g = 0; g < NGROUPS; g++)
        stoa_batch_reset(&batches[g]);
    stoa_schema_reset(schema);
}

/* ---- Making. ---- */

static void bitmaps_are_kept_where_they_pay(void **state)
{
    (void)state;
    static const struct {
        uint32_t gain, ncodes, step; /* a code for each `step` rows */
        uint64_t chunk_nbytes;
        size_t nbytes; /* of the note */
    } cases[] = {
        {32, 16, ZONE, 100000, NZONES * 2}, /* one code in each zone */
        {0, 16, ZONE, 100000, 0},           /* never */
        {32, 16, 1, 100000, 2}, /* six codes, the same in each zone: not worth a bitmap each */
        {32, 6, 1, 100000, 0},  /* all codes everywhere */
        {32, 16, ZONE, 700, 0}, /* 22 and 18 bytes beside 700: 704 and 576 are too many */
        {32, 16, ZONE, 1000, NZONES * 2},
        {32, 4096, ZONE, 30000, 512}, /* a zone of 8192 values has 10000 bytes: 512 are too many */
        {1, 4096, ZONE, 30000, NZONES * 512},
    };
    uint32_t *codes = NULL;
    struct stoa_error err;

    stoa_test_check(stoa_alloc(&codes, NROWS * sizeof(*codes), &err), &err);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stoa_rules rules = {.presence_gain = cases[i].gain};
        struct stoa_chunk_note note = {0};

        for (size_t k = 0; k < NROWS; k++)
            codes[k] = (uint32_t)(k / cases[i].step) % 6;
        stoa_test_check(stoa_presence_make(&rules, codes, NULL, NROWS, cases[i].ncodes,
                                           cases[i].chunk_nbytes, &note, &err),
                        &err);
        if (note.bytes.nbytes != cases[i].nbytes)
            fail_msg("case %zu: %zu bytes", i, note.bytes.nbytes);
        stoa_buffer_free(&note.bytes);
    }
    stoa_free(codes);
}

static const char *worked(size_t i, char room[64])
{
    (void)room;
    if (i >= ZONE)
        return i % 3 == 0 ? NULL : "Delos";
    return (i * i / 7) % 2 == 0 ? "Athens" : "Patras";
}

static void the_bytes_are_those_of_the_specification(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x05, 0x02};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_test_file file;
    struct stoa_error err;

    rules.footer_pack_nbytes = 0;
    rules.full_nrows = 100;
    rules.presence_gain = 1;
    stoa_test_add_column(&schema, "city", STOA_UTF8, true);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = 10000;
    stoa_test_make_texts(&batch.columns[0], batch.nrows, worked);
    stoa_test_file_write(&schema, &batch, 1, &rules, &file);
    assert_memory_equal(stoa_test_file_section(&file, STOA_SECTION_PRESENCE), expected,
                        sizeof(expected));
    assert_int_equal(stoa_load64(stoa_test_file_section_entry(&file, STOA_SECTION_PRESENCE) + 16),
                     sizeof(expected));
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- Skipping. ---- */

struct opened {
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_filter *filter;
    struct stoa_scan *scan;
};

static void close_all(struct opened *o)
{
    stoa_scan_close(o->scan);
    stoa_filter_free(o->filter);
    stoa_reader_close(o->reader);
    stoa_source_close(o->source);
}

static enum stoa_status open_source(struct stoa_source *source, const char *where, struct opened *o,
                                    struct stoa_error *err)
{
    struct stoa_scan_options options = {0};
    enum stoa_status st;

    *o = (struct opened){.source = source};
    STOA_TRY(stoa_reader_open(o->source, NULL, &o->reader, err));
    STOA_TRY(stoa_filter_parse(where, &o->filter, err));
    options.filter = o->filter;
    STOA_TRY(stoa_scan_open(o->reader, &options, &o->scan, err));
out:
    return st;
}

static enum stoa_status open_all(const struct stoa_test_file *file, const char *where,
                                 struct opened *o, struct stoa_error *err)
{
    return open_source(stoa_test_file_source(file), where, o, err);
}

static void expect_zones(const struct stoa_test_file *file, const char *where, uint64_t never,
                         uint64_t always)
{
    struct stoa_scan_counters counters;
    struct stoa_scan_term term;
    struct stoa_error err;
    struct opened o;

    stoa_test_check(open_all(file, where, &o, &err), &err);
    stoa_test_check(stoa_scan_term(o.scan, 0, &term, &err), &err);
    stoa_test_check(stoa_scan_counters_get(o.scan, &counters, &err), &err);
    if (term.zones_never != never || term.zones_always != always ||
        term.zones_known != never + always || counters.zones.skipped != never)
        fail_msg("%s: %d never, %d always, %d known, %d skipped", where, (int)term.zones_never,
                 (int)term.zones_always, (int)term.zones_known, (int)counters.zones.skipped);
    close_all(&o);
}

static const char *in_second_zone(size_t i, char room[64])
{
    if (i % 3 == 1)
        return "a";
    if (i % 3 == 2)
        return "z";
    snprintf(room, 64, "%s", i / ZONE == 1 ? "only" : "other");
    return room;
}

static void zones_without_the_codes_that_pass_are_skipped(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file, without;
    struct stoa_error err;

    stoa_test_add_column(&schema, "t", STOA_UTF8, false);
    for (size_t g = 0; g < NGROUPS; g++) {
        stoa_test_check(stoa_batch_init(&batches[g], &schema, &err), &err);
        batches[g].nrows = NROWS;
        stoa_test_make_texts(&batches[g].columns[0], NROWS, in_second_zone);
    }
    write_table(&schema, batches, 1, &file);
    write_table(&schema, batches, 0, &without);
    expect_zones(&file, "t = 'only'", 4, 0);
    expect_zones(&file, "t in ('only', 'nobody')", 4, 0);
    expect_zones(&file, "t like '%nl%'", 4, 0);
    expect_zones(&file, "t <> 'only'", 0, 4);
    expect_zones(&file, "not t = 'other'", 0, 2);
    expect_zones(&file, "t in ('a', 'z', 'other')", 0, 4);
    expect_zones(&file, "t = 'nobody'", 6, 0);
    expect_zones(&file, "t = 'a'", 0, 0);
    expect_zones(&without, "t = 'only'", 0, 0);
    stoa_test_file_reset(&file);
    stoa_test_file_reset(&without);
    free_table(&schema, batches);
}

static void count_rows(const struct stoa_test_file *file, const char *where, uint64_t *nrows,
                       uint64_t *nskipped)
{
    struct stoa_scan_counters counters;
    struct stoa_error err;
    struct opened o;

    stoa_test_check(open_all(file, where, &o, &err), &err);
    stoa_test_check(stoa_scan_count(o.scan, nrows, &err), &err);
    stoa_test_check(stoa_scan_counters_get(o.scan, &counters, &err), &err);
    *nskipped += counters.zones.skipped;
    close_all(&o);
}

/* A predicate selects rows although bitmaps are damaged, which skip nothing. */
static void expect_unused(const struct stoa_test_file *file, const char *where, uint64_t of_others)
{
    uint64_t nrows, nskipped = 0;

    count_rows(file, where, &nrows, &nskipped);
    assert_true(nrows > 0);
    assert_int_equal(nskipped, of_others);
}

static void no_row_is_ever_lost(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "t = 'text %02u'",
        "t <> 'text %02u'",
        "t in ('text %02u', 'a')",
        "not t in ('text %02u', 'a', 'z')",
        "t like '%%%u'",
        "not t like '%%%u'",
        "t > 'text %02u' and not t = 'z'",
        "t is null or t = 'text %02u'",
        "not (t = 'text %02u' or t is null)",
    };
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file with, without;
    uint64_t with_skipped = 0, without_skipped = 0;

    stoa_test_random_init(&random_now, "rows");
    make_table(&schema, batches);
    write_table(&schema, batches, 1, &with);
    write_table(&schema, batches, 0, &without);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        for (unsigned text = 0; text < NTEXTS; text += 3) {
            uint64_t a, b;
            char where[100];

            snprintf(where, sizeof(where), forms[i], text);
            count_rows(&with, where, &a, &with_skipped);
            count_rows(&without, where, &b, &without_skipped);
            if (a != b)
                fail_msg("%s: %d rows, without bitmaps %d", where, (int)a, (int)b);
        }
    }
    assert_true(with_skipped > without_skipped + 100);
    stoa_test_file_reset(&with);
    stoa_test_file_reset(&without);
    free_table(&schema, batches);
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

/* Merging the file must fail with a message. */
static void expect_no_merge(const struct stoa_test_file *file, const char *message)
{
    static const char file_name[] = "test.stoa: ";
    struct stoa_merge_input input = {.source = stoa_test_file_source(file)};
    struct stoa_sink *sink;
    struct stoa_error err;

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    assert_int_equal(stoa_merge(&input, 1, NULL, sink, NULL, &err), STOA_ERR_CORRUPT);
    if (strncmp(err.message, file_name, strlen(file_name)) != 0 ||
        strcmp(err.message + strlen(file_name), message) != 0)
        fail_msg("%s", err.message);
    stoa_sink_close(sink);
    stoa_source_close(input.source);
}

static void a_merged_file_keeps_the_bitmaps_of_what_is_copied(void **state)
{
    (void)state;
    struct stoa_merge_input inputs[2] = {{0}};
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file, merged;
    struct stoa_sink *sink;
    struct stoa_error err;
    uint64_t nrows, merged_nrows, nskipped = 0, merged_nskipped = 0;

    stoa_test_random_seed(&random_now, 1);
    make_table(&schema, batches);
    write_table(&schema, batches, 1, &file);
    for (int i = 0; i < 2; i++)
        inputs[i].source = stoa_test_file_source(&file);
    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_merge(inputs, 2, NULL, sink, NULL, &err), &err);
    stoa_test_check(sink->commit(sink, &err), &err);
    merged.bytes = (uint8_t *)(uintptr_t)stoa_sink_memory(sink, &merged.nbytes);
    assert_string_equal(verify(&merged, true).message, "");
    count_rows(&file, "t = 'text 30'", &nrows, &nskipped);
    count_rows(&merged, "t = 'text 30'", &merged_nrows, &merged_nskipped);
    assert_int_equal(merged_nrows, 2 * nrows);
    assert_true(nskipped > 0);
    assert_int_equal(merged_nskipped, 2 * nskipped);
    for (int i = 0; i < 2; i++)
        stoa_source_close(inputs[i].source);
    stoa_sink_close(sink);
    stoa_test_file_reset(&file);
    free_table(&schema, batches);
}

static void notes_that_make_no_sense_are_damage(void **state)
{
    (void)state;
    static const struct {
        size_t at; /* in the section, of two entries and their notes */
        uint8_t byte;
        const char *message;
        uint64_t nskipped; /* zones, by what is not damaged */
    } cases[] = {
        {0, 1, "section presence: node 1 in row group 0 of 1 in 2", 0},
        {4, 2, "section presence: node 0 in row group 2 of 1 in 2", 0},
        {4, 1, "section presence: entries that do not rise", 0},
        {8, 9, "section presence: entries and notes of 53 bytes, it has 56", 0},
        {12, 28, "row group 0: column t: presence: 12 bytes for 28 codes, the dictionary has 29",
         2},
    };
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;

    stoa_test_random_seed(&random_now, 1);
    make_table(&schema, batches);
    write_table(&schema, batches, 1, &file);
    assert_string_equal(verify(&file, true).message, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *at = stoa_test_file_section(&file, STOA_SECTION_PRESENCE) + cases[i].at;
        const uint8_t before = *at;
        char expected[200];

        *at = cases[i].byte;
        stoa_test_rehash(file.bytes, file.nbytes);
        snprintf(expected, sizeof(expected), "%s", cases[i].message);
        expect_unused(&file, "t = 'text 07'", cases[i].nskipped);
        assert_string_equal(verify(&file, true).message, expected);
        assert_string_equal(verify(&file, false).message, expected);
        expect_no_merge(&file, expected);
        *at = before;
    }
    stoa_test_file_reset(&file);
    free_table(&schema, batches);
}

static void a_damaged_section_is_named_once_and_not_used(void **state)
{
    (void)state;
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;

    stoa_test_random_seed(&random_now, 1);
    make_table(&schema, batches);
    write_table(&schema, batches, 1, &file);
    *stoa_test_file_section(&file, STOA_SECTION_PRESENCE) ^= 1;
    expect_unused(&file, "t = 'text 07'", 0);
    assert_string_equal(verify(&file, false).message, "section presence: hash differs");
    expect_no_merge(&file, "section presence: hash differs");
    stoa_test_file_reset(&file);
    free_table(&schema, batches);
}

static void a_note_of_a_chunk_without_a_shared_dictionary_is_damage(void **state)
{
    (void)state;
    static const char message[] = "row group 1: column n: presence of a chunk that can have none";
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;
    struct stoa_error err;

    stoa_test_random_seed(&random_now, 1);
    stoa_test_add_column(&schema, "t", STOA_UTF8, true);
    stoa_test_add_column(&schema, "n", STOA_INT32, false);
    for (size_t g = 0; g < NGROUPS; g++) {
        const struct stoa_type type = {.id = STOA_INT32};

        stoa_test_check(stoa_batch_init(&batches[g], &schema, &err), &err);
        batches[g].nrows = NROWS;
        stoa_test_make_texts(&batches[g].columns[0], NROWS, clustered);
        stoa_test_check(stoa_array_alloc(&type, NROWS, 0, false, &batches[g].columns[1], &err),
                        &err);
        for (size_t i = 0; i < NROWS; i++)
            memcpy(batches[g].columns[1].values + 4 * i, &(int32_t){(int32_t)i}, 4);
    }
    rules.full_nrows = 100;
    rules.presence_gain = 1;
    rules.footer_pack_nbytes = 0;
    stoa_test_file_write(&schema, batches, NGROUPS, &rules, &file);
    stoa_test_file_section(&file, STOA_SECTION_PRESENCE)[STOA_NOTE_NBYTES] = 1; /* of n, not t */
    stoa_test_rehash(file.bytes, file.nbytes);
    assert_string_equal(verify(&file, false).message, message);
    assert_string_equal(verify(&file, true).message, message);
    expect_no_merge(&file, message);
    stoa_test_file_reset(&file);
    free_table(&schema, batches);
}

static void verify_finds_a_false_bitmap(void **state)
{
    (void)state;
    enum { NOTES_AT = NGROUPS * STOA_NOTE_NBYTES };
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;
    uint8_t *bits;

    stoa_test_random_seed(&random_now, 1);
    make_table(&schema, batches);
    write_table(&schema, batches, 1, &file);
    bits = stoa_test_file_section(&file, STOA_SECTION_PRESENCE) + NOTES_AT;
    bits[4] ^= 2; /* a code of zone 1 */
    stoa_test_rehash(file.bytes, file.nbytes);
    assert_string_equal(verify(&file, false).message, "");
    assert_string_equal(verify(&file, true).message,
                        "row group 0: column t: presence of zone 1 does not hold");
    bits[4] ^= 2;
    bits[3] |= 0x80; /* behind the last code */
    stoa_test_rehash(file.bytes, file.nbytes);
    assert_string_equal(verify(&file, true).message,
                        "row group 0: column t: presence: bits behind code 28");
    stoa_test_file_reset(&file);
    free_table(&schema, batches);
}

static enum stoa_status opens_and_counts(void *context, struct stoa_error *err)
{
    struct opened o;
    uint64_t nrows;
    enum stoa_status st;

    STOA_TRY(open_source(context, "t = 'text 07' or t like '%3'", &o, err));
    STOA_TRY(stoa_scan_count(o.scan, &nrows, err));
out:
    o.source = NULL; /* it is the caller's */
    close_all(&o);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema;
    struct stoa_batch batches[NGROUPS];
    struct stoa_test_file file;
    struct stoa_source *source;

    stoa_test_random_seed(&random_now, 1);
    make_table(&schema, batches);
    write_table(&schema, batches, 1, &file);
    source = stoa_test_file_source(&file);
    stoa_test_each_failing_alloc(opens_and_counts, source);
    stoa_source_close(source);
    stoa_test_file_reset(&file);
    free_table(&schema, batches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitmaps_are_kept_where_they_pay),
        cmocka_unit_test(the_bytes_are_those_of_the_specification),
        cmocka_unit_test(zones_without_the_codes_that_pass_are_skipped),
        cmocka_unit_test(no_row_is_ever_lost),
        cmocka_unit_test(a_merged_file_keeps_the_bitmaps_of_what_is_copied),
        cmocka_unit_test(notes_that_make_no_sense_are_damage),
        cmocka_unit_test(a_damaged_section_is_named_once_and_not_used),
        cmocka_unit_test(a_note_of_a_chunk_without_a_shared_dictionary_is_damage),
        cmocka_unit_test(verify_finds_a_false_bitmap),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
