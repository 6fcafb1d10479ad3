/*
 * Source text in files: side tables and sources come back as they went in, cost little, and cost a
 * file without them nothing.
 */
#include <stoa/source_text.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/recover.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "column/builder.h"
#include "file/layout.h"
#include "file/sources_read.h"
#include "file/writer.h"
#include "support/fault_alloc.h"
#include "support/gen_source_text.h"
#include "support/gen_table.h"
#include "support/random.h"
#include "support/stoa_file.h"

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s", err->message);
}

/* ---- Round trips ---- */

static void read_back(const struct stoa_test_table *table)
{
    struct stoa_source *source = stoa_test_file_source(&table->file);
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    bool equal;

    check(stoa_reader_open(source, NULL, &reader, &err), &err);
    check(stoa_test_table_compare(table, reader, &equal, &err), &err);
    assert_true(equal);
    stoa_reader_close(reader);
    stoa_source_close(source);
}

static void make_table(struct stoa_test_random *random, size_t nsources,
                       const struct stoa_rules *rules, struct stoa_test_table *table)
{
    struct stoa_schema schema = {0};
    size_t nrows[3], nbatches = 1 + (size_t)stoa_test_random_below(random, 3);
    uint32_t ncolumns = (uint32_t)stoa_test_random_below(random, 5) + 1;

    for (size_t i = 0; i < nbatches; i++)
        nrows[i] = 1 + (size_t)stoa_test_random_below(
                           random, stoa_test_random_one_in(random, 8) ? 40000 : 300);
    stoa_test_gen_schema(random, ncolumns, &schema);
    stoa_test_table_make(random, &schema, nrows, nbatches, rules, table);
    stoa_test_table_add_text(random, table, nsources, rules);
}

static void source_text_comes_back(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "source_text_comes_back");
    for (size_t n = stoa_test_ncases(150); n > 0; n--) {
        struct stoa_rules rules = stoa_default_rules;
        struct stoa_test_table table;

        if (stoa_test_random_one_in(&random, 2))
            rules.footer_pack_nbytes = 0;
        if (stoa_test_random_one_in(&random, 4))
            rules.footer_max_nbytes = 100; /* nearly all of the footer in a temporary file */
        make_table(&random, (size_t)stoa_test_random_below(&random, 5), &rules, &table);
        read_back(&table);
        stoa_test_table_reset(&table);
    }
}

/* ---- Damage ---- */

static void count_finding(void *context, const struct stoa_error *finding)
{
    assert_true(finding->message[0] != '\0');
    ++*(size_t *)context;
}

static size_t count_findings(const struct stoa_test_file *file, bool deep)
{
    size_t n = 0;
    struct stoa_verify_options options = {.deep = deep, .report = count_finding, .context = &n};
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_verify_result result;
    struct stoa_error err = {0};

    check(stoa_verify(source, &options, &result, &err), &err);
    stoa_source_close(source);
    return n;
}

static void verify_finds_every_flipped_bit(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "verify_finds_every_flipped_bit");
    for (size_t n = stoa_test_ncases(12); n > 0; n--) {
        struct stoa_rules rules = stoa_default_rules;
        struct stoa_test_table table;

        if (n % 2 == 0)
            rules.footer_pack_nbytes = 0;
        make_table(&random, 3, &rules, &table);
        assert_int_equal(count_findings(&table.file, false), 0);
        assert_int_equal(count_findings(&table.file, true), 0);
        for (unsigned k = 0; k < 200; k++) {
            size_t bit = (size_t)stoa_test_random_below(&random, table.file.nbytes * 8);

            table.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (count_findings(&table.file, false) == 0)
                fail_msg("bit %zu of %zu bytes", bit, table.file.nbytes);
            table.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        stoa_test_table_reset(&table);
    }
}

/* ---- Recovering ---- */

static void recover(const struct stoa_test_file *file, struct stoa_test_file *out,
                    struct stoa_recover_result *result)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_sink *sink;
    struct stoa_error err = {0};
    const uint8_t *bytes;

    check(stoa_sink_create_memory(&sink, &err), &err);
    check(stoa_recover(source, sink, NULL, result, &err), &err);
    check(sink->commit(sink, &err), &err);
    bytes = stoa_sink_memory(sink, &out->nbytes);
    check(stoa_alloc(&out->bytes, out->nbytes, &err), &err);
    memcpy(out->bytes, bytes, out->nbytes);
    stoa_sink_close(sink);
    stoa_source_close(source);
}

static void a_file_that_lost_nothing_keeps_its_source_text(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "a_file_that_lost_nothing_keeps_its_source_text");
    for (size_t n = stoa_test_ncases(20); n > 0; n--) {
        struct stoa_test_table table;
        struct stoa_recover_result result;
        struct stoa_test_file whole;

        make_table(&random, 4, NULL, &table);
        recover(&table.file, &whole, &result);
        assert_int_equal(result.nlosses, 0);
        stoa_test_file_reset(&table.file);
        table.file = whole;
        assert_int_equal(count_findings(&table.file, true), 0);
        read_back(&table);
        stoa_test_table_reset(&table);
    }
}

/* Rows [begin, end) of source `info` that stand in rows [from, to). */
static uint64_t overlap(const struct stoa_source_info *info, uint64_t from, uint64_t to)
{
    uint64_t begin = info->first_row > from ? info->first_row : from;
    uint64_t end = info->first_row + info->nrows < to ? info->first_row + info->nrows : to;

    return begin < end ? end - begin : 0;
}

/* Three row groups of 100 rows; the second one, or its side table, is damaged. */
static void what_lost_rows_or_text_is_no_longer_complete(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "what_lost_rows_or_text_is_no_longer_complete");
    for (size_t n = stoa_test_ncases(40); n > 0; n--) {
        const size_t nrows[] = {100, 100, 100};
        bool of_side = n % 2 == 0;
        struct stoa_schema schema = {0};
        struct stoa_test_table table;
        struct stoa_recover_result result;
        struct stoa_test_file whole;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_source_info *infos;
        struct stoa_error err = {0};
        uint8_t *group;
        uint64_t at;

        stoa_test_gen_schema(&random, 2, &schema);
        stoa_test_table_make(&random, &schema, nrows, 3, NULL, &table);
        stoa_test_table_add_text(&random, &table, 6, NULL);
        group = stoa_test_file_group(&table.file, 1);
        at = stoa_load64(group) + 64;
        if (of_side) /* the object behind the row group, if it has a side table */
            at = stoa_load64(group) + 64 + stoa_load64(table.file.bytes + stoa_load64(group) + 16);
        if (of_side && table.sides[1].ncolumns == 0) {
            stoa_test_table_reset(&table);
            continue;
        }
        table.file.bytes[at + (of_side ? 64 : 0)] ^= 1; /* in a directory */
        if (!of_side)                                   /* which a footer knows too */
            table.file.bytes[stoa_load64(stoa_test_file_chunk(&table.file, 1, 0))] ^= 1;
        recover(&table.file, &whole, &result);
        if (!of_side && result.nrows_lost == 0) { /* a column without pages */
            stoa_test_file_reset(&whole);
            stoa_test_table_reset(&table);
            continue;
        }
        assert_int_equal(result.nrows_lost, of_side ? 0 : 100);
        assert_int_equal(count_findings(&whole, true), 0);
        source = stoa_test_file_source(&whole);
        check(stoa_reader_open(source, NULL, &reader, &err), &err);
        assert_int_equal(stoa_reader_nsources(reader), 6);
        check(stoa_reader_sources(reader, 0, 6, &infos, &err), &err);
        for (size_t i = 0; i < 6; i++) {
            const struct stoa_source_info *before = &table.sources[i];
            uint64_t hit = overlap(before, 100, 200), lost = of_side ? 0 : hit;

            assert_string_equal(infos[i].name, before->name);
            assert_int_equal(infos[i].nrows, before->nrows - lost);
            assert_int_equal((infos[i].flags & STOA_SOURCE_COMPLETE) != 0,
                             (before->flags & STOA_SOURCE_COMPLETE) != 0 && hit == 0);
            if (hit > 0)
                assert_true(infos[i].flags & STOA_SOURCE_DAMAGED);
            if (infos[i].nrows > 0 && before->first_row >= 200)
                assert_int_equal(infos[i].first_row, before->first_row - (of_side ? 0 : 100));
        }
        for (uint32_t g = 0; g < stoa_reader_nrow_groups(reader); g++) {
            const struct stoa_side none = {0};
            uint32_t from = of_side || g == 0 ? g : g + 1;
            struct stoa_side side;

            check(stoa_reader_side(reader, g, &side, &err), &err);
            assert_true(
                stoa_test_side_equal(&side, of_side && g == 1 ? &none : &table.sides[from]));
            stoa_side_reset(&side);
        }
        stoa_source_infos_free(infos, 6);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_file_reset(&whole);
        stoa_test_table_reset(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_text_comes_back),
        cmocka_unit_test(verify_finds_every_flipped_bit),
        cmocka_unit_test(a_file_that_lost_nothing_keeps_its_source_text),
        cmocka_unit_test(what_lost_rows_or_text_is_no_longer_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
