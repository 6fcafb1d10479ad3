/*
 * 20,000 generated tables through the writer and back: schemas of all types, shapes and nulls,
 * numbers of rows around the sizes of blocks and zones, one and several row groups, rules that make
 * many pages and dictionaries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/gen_table.h"
#include "support/stoa_file.h"

enum { MAX_NCOLUMNS = 6, MAX_NGROUPS = 8 };

static struct stoa_rules small_rules(struct stoa_test_random *r)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.zstd_level = 1;
    rules.chooser_period = 1 + (uint32_t)stoa_test_random_below(r, 4);
    rules.full_nrows = 100;
    rules.segment_nbytes = (uint32_t)stoa_test_random_below(r, 100);
    rules.shared_max_count = 2 + (uint32_t)stoa_test_random_below(r, 300);
    rules.local_max_count = 1 + (uint32_t)stoa_test_random_below(r, 200);
    rules.page_min_nbytes = 1 + (uint32_t)stoa_test_random_below(r, 2000);
    rules.page_max_nbytes = 65536;
    rules.copy_part = 1 + (uint32_t)stoa_test_random_below(r, 100);
    rules.footer_pack_nbytes = (uint32_t)stoa_test_random_below(r, 20000);
    rules.footer_max_nbytes = stoa_test_random_below(r, 20000);
    return rules;
}

/* Mostly few rows, so that there are many tables; now and then around 1,024 and 8,192. */
static size_t draw_nrows(struct stoa_test_random *r)
{
    static const size_t edges[] = {1, 1023, 1024, 1025, 2048, 8191, 8192, 8193};

    if (stoa_test_random_one_in(r, 40))
        return edges[stoa_test_random_below(r, sizeof(edges) / sizeof(edges[0]))];
    return 1 + (size_t)stoa_test_random_below(r, stoa_test_random_one_in(r, 10) ? 600 : 40);
}

static void generated_tables_come_back(void **state)
{
    (void)state;
    struct stoa_test_random r;
    size_t ntables = stoa_test_ncases(20000);
    unsigned long long nrows = 0;

    stoa_test_random_init(&r, "20,000 tables");
    for (size_t i = 0; i < ntables; i++) {
        struct stoa_rules rules = small_rules(&r);
        uint32_t ncolumns = (uint32_t)stoa_test_random_below(&r, MAX_NCOLUMNS + 1);
        size_t groups[MAX_NGROUPS], ngroups = (size_t)stoa_test_random_below(&r, 3);
        struct stoa_schema schema = {0};
        struct stoa_test_table table;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_error err = {0};
        bool equal;

        if (stoa_test_random_one_in(&r, 10))
            ngroups = (size_t)stoa_test_random_below(&r, MAX_NGROUPS + 1);
        for (size_t k = 0; k < ngroups; k++) {
            groups[k] = draw_nrows(&r);
            nrows += groups[k];
        }
        stoa_test_gen_schema(&r, ncolumns, &schema);
        stoa_test_table_make(&r, &schema, groups, ngroups, i % 3 == 0 ? NULL : &rules, &table);
        source = stoa_test_file_source(&table.file);
        if (stoa_reader_open(source, NULL, &reader, &err) != STOA_OK ||
            stoa_test_table_compare(&table, reader, &equal, &err) != STOA_OK)
            fail_msg("table %zu: %s", i, err.message);
        if (!equal)
            fail_msg("table %zu came back different", i);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_table_reset(&table);
    }
    printf("# %zu tables, %llu rows\n", ntables, nrows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_tables_come_back),
    };

    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
