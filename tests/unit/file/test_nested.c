/*
 * Nested columns through the writer and back: every kind of nesting over every type, any range of
 * rows, and what a reader may rely on (spec/format.md, "Nested columns").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "column/schema.h"
#include "column/type.h"
#include "support/columns.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Types with one %s where a type without children goes. */
static const char *const shapes[] = {
    "list<%s>",
    "list<%s not null>",
    "struct<a:%s>",
    "struct<a:%s not null,b:int32>",
    "map<utf8,%s>",
    "map<%s,int8 not null>",
    "fixed_list<%s,3>",
    "fixed_list<%s not null,1>",
    "list<list<%s>>",
    "list<struct<a:%s,b:list<utf8>>>",
    "struct<a:struct<b:struct<c:%s>>,d:fixed_list<struct<e:bool>,2>>",
    "fixed_list<list<%s>,2>",
    "map<int32,map<utf8,list<%s>>>",
    "struct<l:list<fixed_list<%s,2>>,s:struct<>>",
};

static const size_t sizes[] = {1, 2, 7, 1023, 1024, 1025, 8191, 8192, 8193};

/* A field of shape `shape` over type `id`, some with parameters that are drawn. */
static void make_field(struct stoa_test_random *r, const char *shape, enum stoa_type_id id,
                       bool nullable, struct stoa_field *out)
{
    struct stoa_field leaf = {0};
    struct stoa_error err;
    char *name, text[4096];

    stoa_test_gen_type(r, id, &leaf.type);
    stoa_test_check(stoa_type_print(&leaf, &name, &err), &err);
    if (strlen(name) + strlen(shape) >= sizeof(text)) /* an enum of many symbols */
        (void)snprintf(text, sizeof(text), shape, "int8");
    else
        (void)snprintf(text, sizeof(text), shape, name);
    *out = (struct stoa_field){.nullable = nullable};
    stoa_test_check(stoa_strndup(&out->name, "c", 1, &err), &err);
    stoa_test_check(stoa_field_parse_type(out, text, &err), &err);
    stoa_free(name);
    stoa_type_reset(&leaf.type);
}

static void report_finding(void *context, const struct stoa_error *finding)
{
    (void)context;
    print_error("finding: %s\n", finding->message);
}

static void check_intact(const struct stoa_test_file *file)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_verify_options options = {.deep = true, .report = report_finding};
    struct stoa_verify_result result;
    struct stoa_error err = {0};

    stoa_test_check(stoa_verify(source, &options, &result, &err), &err);
    assert_int_equal(result.nfindings, 0);
    stoa_source_close(source);
}

/* Rows [begin, end) of a column equal to those of the batch, in canonical form. */
static void check_rows(struct stoa_reader *reader, uint32_t group, uint32_t column,
                       const struct stoa_field *field, const struct stoa_array *expected,
                       size_t begin, size_t end)
{
    struct stoa_array array, part;
    struct stoa_error err = {0};

    stoa_test_check(stoa_reader_column(reader, group, column, (struct stoa_rows){begin, end},
                                       &array, NULL, &err),
                    &err);
    stoa_test_check(stoa_array_validate(field, &array, &err), &err);
    stoa_test_check(stoa_array_slice(field, expected, begin, end, &part, &err), &err);
    if (!stoa_array_equal(field, &array, &part))
        fail_msg("rows %zu to %zu of column %u, row group %u, differ", begin, end, column, group);
    stoa_array_reset(&part);
    stoa_array_reset(&array);
}

static void check_table(struct stoa_test_random *r, const struct stoa_test_table *table,
                        unsigned nranges)
{
    struct stoa_source *source = stoa_test_file_source(&table->file);
    const struct stoa_schema *schema;
    struct stoa_reader *reader;
    struct stoa_error err = {0};

    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_reader_schema(reader, &schema, &err), &err);
    assert_true(stoa_schema_equal(schema, &table->schema));
    assert_int_equal(stoa_reader_ncolumns(reader), schema->nfields);
    assert_int_equal(stoa_reader_nnodes(reader), stoa_schema_count_nodes(schema));
    for (uint32_t g = 0; g < table->nbatches; g++) {
        const struct stoa_batch *batch = &table->batches[g];

        for (uint32_t c = 0; c < schema->nfields; c++) {
            check_rows(reader, g, c, &schema->fields[c], &batch->columns[c], 0, batch->nrows);
            for (unsigned i = 0; i < nranges; i++) {
                size_t begin = stoa_test_random_below(r, batch->nrows);
                size_t end = begin + 1 + stoa_test_random_below(r, batch->nrows - begin);

                check_rows(reader, g, c, &schema->fields[c], &batch->columns[c], begin, end);
            }
        }
    }
    stoa_reader_close(reader);
    stoa_source_close(source);
    check_intact(&table->file);
}

/* ---- Shapes ---- */

static void round_trip(struct stoa_test_random *r, const char *shape, enum stoa_type_id id,
                       size_t nrows, enum stoa_test_nulls nulls, const struct stoa_rules *rules)
{
    struct stoa_test_table table = {.nbatches = 1};
    struct stoa_error err = {0};

    stoa_test_check(stoa_alloc_zeroed(&table.schema.fields, 1, sizeof(struct stoa_field), &err),
                    &err);
    table.schema.nfields = 1;
    make_field(r, shape, id, nulls != STOA_TEST_NULLS_NONE, &table.schema.fields[0]);
    stoa_test_check(stoa_alloc_zeroed(&table.batches, 1, sizeof(struct stoa_batch), &err), &err);
    stoa_test_check(stoa_batch_init(&table.batches[0], &table.schema, &err), &err);
    table.batches[0].nrows = nrows;
    stoa_test_gen_array(r, &table.schema.fields[0], nrows,
                        (enum stoa_test_shape)stoa_test_random_below(r, STOA_TEST_NSHAPES), nulls,
                        &table.batches[0].columns[0]);
    stoa_test_file_write(&table.schema, table.batches, 1, rules, &table.file);
    check_table(r, &table, 3);
    stoa_test_table_reset(&table);
}

/* Small pages, so that few rows fill many: lengths and children in pages of their own. */
static struct stoa_rules small_pages(void)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.page_max_nbytes = 1 << 15;
    rules.page_min_nbytes = 16;
    return rules;
}

static void every_nesting_of_every_type_survives(void **state)
{
    (void)state;
    struct stoa_rules small = small_pages();
    struct stoa_test_random r;
    unsigned runs = 0;

    stoa_test_random_init(&r, "every_nesting_of_every_type_survives");
    for (size_t s = 0; s < COUNT(shapes); s++) {
        for (size_t t = 0; t < STOA_TEST_NLEAVES; t++) {
            bool is_key = strncmp(shapes[s], "map<%s", 6) == 0;
            size_t nrows = sizes[runs++ % COUNT(sizes)];

            if (stoa_test_leaves[t] == STOA_NULL && (is_key || strstr(shapes[s], "%s not null")))
                continue;
            round_trip(&r, shapes[s], stoa_test_leaves[t], nrows,
                       (enum stoa_test_nulls)stoa_test_random_below(&r, STOA_TEST_NNULLS),
                       runs % 2 == 0 ? NULL : &small);
        }
    }
}

static void every_size_and_pattern_of_nulls_survives(void **state)
{
    (void)state;
    struct stoa_rules small = small_pages();
    struct stoa_test_random r;

    stoa_test_random_init(&r, "every_size_and_pattern_of_nulls_survives");
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (size_t n = 0; n < COUNT(sizes); n++)
            for (unsigned nulls = 0; nulls < STOA_TEST_NNULLS; nulls++)
                round_trip(&r, shapes[s], n % 2 == 0 ? STOA_UTF8 : STOA_INT16, sizes[n],
                           (enum stoa_test_nulls)nulls, (n + nulls) % 2 == 0 ? NULL : &small);
}

/* ---- Any schema ---- */

static void generated_tables_survive(void **state)
{
    (void)state;
    struct stoa_rules small = small_pages();
    struct stoa_test_random r;
    size_t ntables = stoa_test_ncases(2000);

    stoa_test_random_init(&r, "generated_tables_survive");
    for (size_t i = 0; i < ntables; i++) {
        size_t nrows[3], nbatches = stoa_test_random_below(&r, 4);
        struct stoa_schema schema = {0};
        struct stoa_test_table table;

        for (size_t k = 0; k < nbatches; k++)
            nrows[k] = 1 + stoa_test_random_below(&r, i % 50 == 0 ? 10000 : 60);
        stoa_test_gen_any_schema(&r, 1 + (uint32_t)stoa_test_random_below(&r, 5),
                                 1 + (unsigned)stoa_test_random_below(&r, 6), &schema);
        stoa_test_table_make(&r, &schema, nrows, nbatches, i % 3 == 0 ? &small : NULL, &table);
        check_table(&r, &table, 2);
        stoa_test_table_reset(&table);
    }
}

/* ---- What is read, and what is named ---- */

/* A table of one column of 6,000 lists, whose pages and those of its items hold few values. */
static void make_lists(struct stoa_test_random *r, const char *type, struct stoa_test_table *table)
{
    struct stoa_rules rules = small_pages();
    static const size_t nrows = 6000;
    struct stoa_error err = {0};

    *table = (struct stoa_test_table){.nbatches = 1};
    rules.page_max_nbytes = 3000;
    rules.footer_pack_nbytes = 0;
    stoa_test_check(stoa_alloc_zeroed(&table->schema.fields, 1, sizeof(struct stoa_field), &err),
                    &err);
    table->schema.nfields = 1;
    make_field(r, type, STOA_INT64, true, &table->schema.fields[0]);
    stoa_test_check(stoa_alloc_zeroed(&table->batches, 1, sizeof(struct stoa_batch), &err), &err);
    stoa_test_check(stoa_batch_init(&table->batches[0], &table->schema, &err), &err);
    table->batches[0].nrows = nrows;
    stoa_test_gen_array(r, &table->schema.fields[0], nrows, STOA_TEST_SMALL_RANGE,
                        STOA_TEST_NULLS_SOME, &table->batches[0].columns[0]);
    stoa_test_file_write(&table->schema, table->batches, 1, &rules, &table->file);
}

static void only_pages_with_wanted_values_are_read(void **state)
{
    (void)state;
    struct stoa_test_random r;
    struct stoa_test_table table;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err = {0};

    stoa_test_random_init(&r, "only_pages_with_wanted_values_are_read");
    make_lists(&r, "list<struct<a:%s not null,b:list<int16 not null> not null> not null>", &table);
    source = stoa_test_file_source(&table.file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    for (uint32_t n = 0; n < stoa_reader_nnodes(reader); n++) {
        struct stoa_chunk_info chunk;

        stoa_test_check(stoa_reader_chunk(reader, 0, n, &chunk, &err), &err);
        assert_true(n == 1 ? chunk.npages == 0 : chunk.npages > 10); /* 1: no struct is null */
    }
    for (unsigned i = 0; i < 100; i++) {
        struct stoa_read_counters counters = {0};
        size_t row = stoa_test_random_below(&r, table.batches[0].nrows);
        struct stoa_array array;

        stoa_test_check(stoa_reader_column(reader, 0, 0, (struct stoa_rows){row, row + 1}, &array,
                                           &counters, &err),
                        &err);
        assert_true(counters.pages <= 2 * 4); /* the values of a row may lie in two pages */
        stoa_array_reset(&array);
    }
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_table_reset(&table);
}

static void keep_finding(void *context, const struct stoa_error *finding)
{
    struct stoa_error *first = context;

    if (first->message[0] == '\0')
        *first = *finding;
}

static void a_damaged_page_of_a_part_is_named(void **state)
{
    (void)state;
    static const char *const paths[] = {"c", "c.item", "c.item.a", "c.item.b", "c.item.b.item"};
    struct stoa_test_random r;
    struct stoa_test_table table;

    stoa_test_random_init(&r, "a_damaged_page_of_a_part_is_named");
    make_lists(&r, "list<struct<a:%s not null,b:list<int16 not null> not null> not null>", &table);
    for (uint32_t n = 0; n < COUNT(paths); n++) {
        struct stoa_error err = {0}, finding = {0};
        struct stoa_verify_options options = {.report = keep_finding, .context = &finding};
        struct stoa_source *source = stoa_test_file_source(&table.file);
        struct stoa_verify_result result;
        struct stoa_chunk_info chunk;
        struct stoa_reader *reader;
        struct stoa_array array;
        char expected[128];
        uint8_t *last;

        stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
        stoa_test_check(stoa_reader_chunk(reader, 0, n, &chunk, &err), &err);
        if (chunk.npages == 0) { /* no struct is null */
            stoa_reader_close(reader);
            stoa_source_close(source);
            continue;
        }
        last = table.file.bytes + chunk.offset + chunk.nbytes - 1; /* of the last page */
        *last ^= 1;
        stoa_reader_close(reader); /* it has read the end of the file */
        stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
        (void)snprintf(expected, sizeof(expected), "row group 0: column %s: page %u: hash differs",
                       paths[n], chunk.npages - 1 - chunk.local_dictionary);
        stoa_test_check(stoa_verify(source, &options, &result, &err), &err);
        assert_int_equal(result.nfindings, 1);
        assert_string_equal(finding.message, expected);
        assert_int_equal(stoa_reader_column(reader, 0, 0,
                                            (struct stoa_rows){0, table.batches[0].nrows}, &array,
                                            NULL, &err),
                         STOA_ERR_CORRUPT);
        assert_string_equal(err.message, expected);
        *last ^= 1;
        stoa_reader_close(reader);
        stoa_source_close(source);
    }
    stoa_test_table_reset(&table);
}

/* ---- Equal bytes ---- */

enum { NGROUPS = 5 };

/* Writes the batches as row groups; with `backwards` every step that may be is done so. */
static struct stoa_sink *write_groups(const struct stoa_test_table *table, bool backwards)
{
    struct stoa_writer_group *groups[NGROUPS];
    struct stoa_writer *writer;
    struct stoa_sink *sink;
    struct stoa_error err = {0};

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open(sink, &table->schema, NULL, &writer, &err), &err);
    for (size_t k = 0; k < NGROUPS; k++) {
        size_t i = backwards ? NGROUPS - 1 - k : k;
        struct stoa_batch copy;

        stoa_test_copy_rows(&table->batches[i], 0, table->batches[i].nrows, &copy);
        stoa_test_check(stoa_writer_prepare(writer, i, &copy, &groups[i], &err), &err);
        stoa_batch_reset(&copy);
    }
    for (size_t i = 0; i < NGROUPS; i++)
        stoa_test_check(stoa_writer_sequence(writer, groups[i], &err), &err);
    for (size_t k = 0; k < NGROUPS; k++)
        stoa_test_check(stoa_writer_encode(writer, groups[backwards ? NGROUPS - 1 - k : k], &err),
                        &err);
    for (size_t i = 0; i < NGROUPS; i++)
        stoa_test_check(stoa_writer_commit(writer, groups[i], &err), &err);
    stoa_test_check(stoa_writer_finish(writer, &err), &err);
    stoa_writer_close(writer);
    return sink;
}

static void the_order_of_steps_changes_no_byte(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "the_order_of_steps_changes_no_byte");
    for (size_t i = 0; i < stoa_test_ncases(40); i++) {
        size_t nrows[NGROUPS], a_nbytes, b_nbytes;
        struct stoa_schema schema = {0};
        struct stoa_test_table table;
        struct stoa_sink *a, *b;
        const uint8_t *a_bytes, *b_bytes;

        for (size_t k = 0; k < NGROUPS; k++)
            nrows[k] = 1 + stoa_test_random_below(&r, 400);
        stoa_test_gen_any_schema(&r, 3, 4, &schema);
        stoa_test_table_make(&r, &schema, nrows, NGROUPS, NULL, &table);
        a = write_groups(&table, false);
        b = write_groups(&table, true);
        a_bytes = stoa_sink_memory(a, &a_nbytes);
        b_bytes = stoa_sink_memory(b, &b_nbytes);
        assert_int_equal(a_nbytes, b_nbytes);
        assert_memory_equal(a_bytes, b_bytes, a_nbytes);
        stoa_sink_close(a);
        stoa_sink_close(b);
        stoa_test_table_reset(&table);
    }
}

/* Rows that are appended in pieces of any size make the same row groups. */
static void the_size_of_batches_changes_no_byte(void **state)
{
    (void)state;
    struct stoa_writer_options options = {.row_group_nrows = 300, .row_group_nbytes = 20000};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "the_size_of_batches_changes_no_byte");
    for (size_t i = 0; i < stoa_test_ncases(40); i++) {
        static const size_t nrows = 1000;
        struct stoa_schema schema = {0};
        struct stoa_test_table table;
        struct stoa_sink *sinks[2];
        const uint8_t *bytes[2];
        size_t nbytes[2];

        stoa_test_gen_any_schema(&r, 2, 4, &schema);
        stoa_test_table_make(&r, &schema, &nrows, 1, NULL, &table);
        for (size_t k = 0; k < 2; k++) {
            struct stoa_writer *writer;
            struct stoa_error err = {0};

            stoa_test_check(stoa_sink_create_memory(&sinks[k], &err), &err);
            stoa_test_check(stoa_writer_open(sinks[k], &table.schema, &options, &writer, &err),
                            &err);
            for (size_t begin = 0, end; begin < nrows; begin = end) {
                struct stoa_batch part;

                end = k == 0 ? nrows : begin + 1 + stoa_test_random_below(&r, 200);
                end = end < nrows ? end : nrows;
                stoa_test_copy_rows(&table.batches[0], begin, end, &part);
                stoa_test_check(stoa_writer_append(writer, &part, &err), &err);
                stoa_batch_reset(&part);
            }
            stoa_test_check(stoa_writer_finish(writer, &err), &err);
            stoa_writer_close(writer);
            bytes[k] = stoa_sink_memory(sinks[k], &nbytes[k]);
        }
        assert_int_equal(nbytes[0], nbytes[1]);
        assert_memory_equal(bytes[0], bytes[1], nbytes[0]);
        stoa_sink_close(sinks[0]);
        stoa_sink_close(sinks[1]);
        stoa_test_table_reset(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_nesting_of_every_type_survives),
        cmocka_unit_test(every_size_and_pattern_of_nulls_survives),
        cmocka_unit_test(generated_tables_survive),
        cmocka_unit_test(only_pages_with_wanted_values_are_read),
        cmocka_unit_test(a_damaged_page_of_a_part_is_named),
        cmocka_unit_test(the_order_of_steps_changes_no_byte),
        cmocka_unit_test(the_size_of_batches_changes_no_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
