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

#include "base/alloc.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_text_comes_back),
        cmocka_unit_test(verify_finds_every_flipped_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
