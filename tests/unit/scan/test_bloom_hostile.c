/* Bloom filters of files, and of values, that someone made to do harm: errors, and no time lost. */
#include <stoa/merge.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "column/schema.h"
#include "support/columns.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_of_a_node_that_can_have_none_is_not_merged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
