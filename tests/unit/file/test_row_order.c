/* The order of rows in footers: written if it holds, read, verified, merged, recovered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/merge.h>
#include <stoa/recover.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "column/order.h"
#include "file/layout.h"
#include "file/writer.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

enum { NROWS = 6 };

/* Rows of columns a and b, int64. */
struct pair {
    int64_t a, b;
};

static struct pair rows_now[NROWS];

static int64_t get_a(size_t i)
{
    return rows_now[i].a;
}

static int64_t get_b(size_t i)
{
    return rows_now[i].b;
}

static void make_schema(struct stoa_schema *schema, bool swapped)
{
    *schema = (struct stoa_schema){0};
    stoa_test_add_column(schema, swapped ? "b" : "a", STOA_INT64, true);
    stoa_test_add_column(schema, swapped ? "a" : "b", STOA_INT64, true);
}

static void make_batch(const struct stoa_schema *schema, const struct pair *rows, size_t nrows,
                       struct stoa_batch *out)
{
    struct stoa_error err;

    memcpy(rows_now, rows, nrows * sizeof(*rows));
    stoa_test_check(stoa_batch_init(out, schema, &err), &err);
    out->nrows = nrows;
    for (uint32_t i = 0; i < 2; i++)
        stoa_test_make_numbers(&out->columns[i], nrows,
                               schema->fields[i].name[0] == 'a' ? get_a : get_b);
}

/* A file of one row group with that order; NULL: with none. */
static void write_rows(const struct pair *rows, size_t nrows, bool swapped, const char *text,
                       struct stoa_test_file *out)
{
    struct stoa_sort_order order = {0};
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err;

    make_schema(&schema, swapped);
    make_batch(&schema, rows, nrows, &batch);
    if (text != NULL)
        stoa_test_check(stoa_order_parse(text, &schema, &order, &err), &err);
    stoa_test_file_write_options(
        &schema, &batch, nrows > 0,
        &(struct stoa_writer_options){.order = text != NULL ? &order : NULL}, NULL, out);
    stoa_order_reset(&order);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* The order of a file as text, "" for none; free with stoa_free(). */
static char *order_of(struct stoa_source *source)
{
    const struct stoa_sort_order *order;
    const struct stoa_schema *schema;
    struct stoa_reader *reader;
    struct stoa_error err;
    char *text;

    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_reader_schema(reader, &schema, &err), &err);
    stoa_test_check(stoa_reader_order(reader, &order, &err), &err);
    stoa_test_check(stoa_order_print(order, schema, &text, &err), &err);
    stoa_reader_close(reader);
    return text;
}

static void expect_order(struct stoa_source *source, const char *expected)
{
    char *text = order_of(source);

    assert_string_equal(text, expected);
    stoa_free(text);
}

/* ---- Writing. ---- */

static void a_writer_takes_rows_that_are_in_order_and_no_others(void **state)
{
    (void)state;
    static const struct {
        const char *order;
        struct pair groups[2][3];
        const char *message; /* NULL: it is in order */
    } cases[] = {
        {"a", {{{1, 9}, {1, 3}, {2, 0}}, {{2, 7}, {5, 0}, {5, 0}}}, NULL},
        {"a:desc,b", {{{9, 1}, {9, 2}, {8, 0}}, {{8, 0}, {8, 1}, {-1, -1}}}, NULL},
        {"a",
         {{{1, 9}, {3, 3}, {2, 0}}, {{2, 7}, {5, 0}, {5, 0}}},
         "rows are not sorted by a: row 2 of row group 0 comes before the one in front of it"},
        {"a,b:desc",
         {{{1, 9}, {1, 8}, {2, 0}}, {{2, 1}, {5, 0}, {5, 0}}},
         "rows are not sorted by a,b:desc: row 0 of row group 1 comes before the one in front of "
         "it"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_writer_options options = {.row_group_nrows = 3};
        struct stoa_sort_order order;
        struct stoa_writer *writer;
        struct stoa_schema schema;
        struct stoa_batch batch;
        struct stoa_sink *sink;
        struct stoa_error err;
        enum stoa_status st = STOA_OK;

        make_schema(&schema, false);
        stoa_test_check(stoa_order_parse(cases[i].order, &schema, &order, &err), &err);
        options.order = &order;
        stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
        stoa_test_check(stoa_writer_open(sink, &schema, &options, &writer, &err), &err);
        for (size_t g = 0; st == STOA_OK && g < 2; g++) {
            make_batch(&schema, cases[i].groups[g], 3, &batch);
            st = stoa_writer_append(writer, &batch, &err);
            stoa_batch_reset(&batch);
        }
        if (st == STOA_OK)
            st = stoa_writer_finish(writer, &err);
        assert_int_equal(st, cases[i].message == NULL ? STOA_OK : STOA_ERR_DATA);
        if (cases[i].message != NULL)
            assert_string_equal(err.message, cases[i].message);
        stoa_writer_close(writer);
        stoa_sink_close(sink);
        stoa_order_reset(&order);
        stoa_schema_reset(&schema);
    }
}

static void an_order_of_another_schema_is_refused(void **state)
{
    (void)state;
    struct stoa_sort_key key = {.column = 2};
    const struct stoa_sort_order order = {.keys = &key, .nkeys = 1};
    const struct stoa_writer_options options = {.order = &order};
    struct stoa_writer *writer;
    struct stoa_schema schema;
    struct stoa_sink *sink;
    struct stoa_error err;

    make_schema(&schema, false);
    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    assert_int_equal(stoa_writer_open(sink, &schema, &options, &writer, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column 3 of 2");
    stoa_sink_close(sink);
    stoa_schema_reset(&schema);
}

/* ---- Reading and verifying. ---- */

static const struct pair rising[] = {{1, 5}, {2, 4}, {2, 6}, {3, 0}};

static void keep_first(void *context, const struct stoa_error *finding)
{
    struct stoa_error *first = context;

    if (first->message[0] == '\0')
        *first = *finding;
}

/* The first finding of a file, "" when there is none. */
static struct stoa_error verify(const struct stoa_test_file *file, bool deep)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_error first = {0}, err;
    const struct stoa_verify_options options = {
        .deep = deep, .report = keep_first, .context = &first};
    struct stoa_verify_result result;

    stoa_test_check(stoa_verify(source, &options, &result, &err), &err);
    assert_int_equal(result.nfindings > 0, first.message[0] != '\0');
    stoa_source_close(source);
    return first;
}

static void a_section_that_makes_no_sense_is_damage(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t byte;
        const char *message;
    } cases[] = {
        {0, 2, "section order: node 2 of 2"},
        {0, 1, "section order: node 1 comes twice"},
        {4, 4, "section order: key: flags 0x04, only 0x03 are given"},
        {5, 1, "section order: key: byte 5 is 1, must be 0"},
    };
    struct stoa_test_file file;

    write_rows(rising, 4, false, "a,b", &file);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *at = stoa_test_file_section(&file, STOA_SECTION_ORDER) + cases[i].at;
        const uint8_t before = *at;
        const struct stoa_sort_order *order;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_error err;

        *at = cases[i].byte;
        stoa_test_rehash(file.bytes, file.nbytes);
        source = stoa_test_file_source(&file);
        stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
        assert_int_equal(stoa_reader_order(reader, &order, &err), STOA_ERR_CORRUPT);
        if (strcmp(err.message, cases[i].message) != 0)
            fail_msg("%s", err.message);
        assert_string_equal(verify(&file, false).message, cases[i].message);
        stoa_reader_close(reader);
        stoa_source_close(source);
        *at = before;
    }
    stoa_test_file_reset(&file);
}

static void verify_finds_a_false_claim(void **state)
{
    (void)state;
    struct stoa_test_file file;

    write_rows(rising, 4, false, "a,b", &file);
    assert_string_equal(verify(&file, true).message, "");
    stoa_test_file_section(&file, STOA_SECTION_ORDER)[12] = STOA_KEY_DESCENDING; /* of b */
    stoa_test_rehash(file.bytes, file.nbytes);
    assert_string_equal(verify(&file, false).message, "");
    assert_string_equal(verify(&file, true).message,
                        "order: row 2 comes before the one in front of it");
    stoa_test_file_reset(&file);
}

/* ---- Merging. ---- */

static void a_merged_file_is_in_the_order_that_all_have(void **state)
{
    (void)state;
    static const struct {
        const char *orders[2];
        bool swapped; /* the columns of the second file */
        struct pair rows[2][2];
        size_t nrows[2];
        const char *expected;
    } cases[] = {
        {{"a,b", "a,b"}, false, {{{1, 1}, {2, 5}}, {{2, 5}, {3, 0}}}, {2, 2}, "a,b"},
        {{"a,b", "a,b"}, true, {{{1, 1}, {2, 5}}, {{2, 6}, {3, 0}}}, {2, 2}, "a,b"},
        {{"a,b", "a,b"}, false, {{{1, 1}, {2, 5}}, {{2, 4}, {3, 0}}}, {2, 2}, "a"},
        {{"a,b", "a,b"}, false, {{{1, 1}, {2, 5}}, {{1, 9}, {3, 0}}}, {2, 2}, ""},
        {{"a,b", "a"}, false, {{{1, 1}, {2, 5}}, {{3, 4}, {3, 0}}}, {2, 2}, "a"},
        {{"a,b", "a:desc"}, false, {{{1, 1}, {2, 5}}, {{3, 4}, {3, 0}}}, {2, 2}, ""},
        {{"a:desc", "a:desc"}, false, {{{4, 1}, {3, 5}}, {{3, 4}, {-3, 0}}}, {2, 2}, "a:desc"},
        {{"a", "b"}, false, {{{1, 1}, {2, 5}}, {{3, 4}, {3, 5}}}, {2, 2}, ""},
        {{"a", NULL}, false, {{{1, 1}, {2, 5}}, {{3, 4}, {3, 5}}}, {2, 2}, ""},
        {{NULL, "a"}, false, {{{1, 1}, {2, 5}}, {{3, 4}, {3, 5}}}, {2, 2}, ""},
        {{"a", NULL}, false, {{{1, 1}, {2, 5}}, {{0, 0}}}, {2, 0}, "a"}, /* no rows say nothing */
        {{NULL, "b"}, false, {{{0, 0}}, {{1, 1}, {2, 5}}}, {0, 2}, "b"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_merge_input inputs[2] = {{0}};
        struct stoa_test_file files[2], merged;
        struct stoa_source *source;
        struct stoa_sink *sink;
        struct stoa_error err;
        char *text;

        for (size_t k = 0; k < 2; k++) {
            write_rows(cases[i].rows[k], cases[i].nrows[k], k == 1 && cases[i].swapped,
                       cases[i].orders[k], &files[k]);
            inputs[k].source = stoa_test_file_source(&files[k]);
        }
        stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
        stoa_test_check(stoa_merge(inputs, 2, NULL, sink, NULL, &err), &err);
        stoa_test_check(sink->commit(sink, &err), &err);
        merged.bytes = (uint8_t *)(uintptr_t)stoa_sink_memory(sink, &merged.nbytes);
        source = stoa_test_file_source(&merged);
        text = order_of(source);
        if (strcmp(text, cases[i].expected) != 0)
            fail_msg("case %zu: \"%s\"", i, text);
        assert_string_equal(verify(&merged, true).message, "");
        stoa_free(text);
        stoa_source_close(source);
        stoa_sink_close(sink);
        for (size_t k = 0; k < 2; k++) {
            stoa_source_close(inputs[k].source);
            stoa_test_file_reset(&files[k]);
        }
    }
}

/* ---- Recovering. ---- */

/* The order of what is recovered of a file. */
static char *recovered(const struct stoa_test_file *file, bool partial)
{
    const struct stoa_recover_options options = {.partial = partial};
    struct stoa_source *source = stoa_test_file_source(file), *back;
    struct stoa_recover_result result;
    struct stoa_test_file out;
    struct stoa_sink *sink;
    struct stoa_error err;
    char *text;

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_recover(source, sink, &options, &result, &err), &err);
    stoa_test_check(sink->commit(sink, &err), &err);
    out.bytes = (uint8_t *)(uintptr_t)stoa_sink_memory(sink, &out.nbytes);
    back = stoa_test_file_source(&out);
    text = order_of(back);
    assert_string_equal(verify(&out, true).message, "");
    stoa_source_close(back);
    stoa_source_close(source);
    stoa_sink_close(sink);
    return text;
}

static void expect_recovered(const struct stoa_test_file *file, bool partial, const char *expected)
{
    char *text = recovered(file, partial);

    assert_string_equal(text, expected);
    stoa_free(text);
}

/* Damages the chunk of a column in a row group. */
static void damage(struct stoa_test_file *file, uint32_t group, uint32_t column)
{
    const uint8_t *chunk = stoa_test_file_chunk(file, group, column);

    file->bytes[stoa_load64(chunk) + 24] ^= 0xff;
}

static void what_is_recovered_keeps_the_order_of_what_is_whole(void **state)
{
    (void)state;
    static const struct pair parts[3][2] = {
        {{1, 1}, {1, 2}}, {{2, 0}, {3, 1000}}, {{7, 3}, {8, 2}}};
    struct stoa_sort_order order;
    struct stoa_test_file file, twice;
    struct stoa_schema schema;
    struct stoa_batch batches[3];
    struct stoa_error err;

    make_schema(&schema, false);
    for (size_t i = 0; i < 3; i++)
        make_batch(&schema, parts[i], 2, &batches[i]);
    stoa_test_check(stoa_order_parse("a,b", &schema, &order, &err), &err);
    stoa_test_file_write_options(&schema, batches, 3,
                                 &(struct stoa_writer_options){.order = &order}, NULL, &file);
    expect_recovered(&file, false, "a,b");

    /* Two files, one behind the other, are not in their order. */
    twice.nbytes = 2 * file.nbytes;
    stoa_test_check(stoa_alloc(&twice.bytes, twice.nbytes, &err), &err);
    memcpy(twice.bytes, file.bytes, file.nbytes);
    memcpy(twice.bytes + file.nbytes, file.bytes, file.nbytes);
    expect_recovered(&twice, false, "");
    stoa_test_file_reset(&twice);

    damage(&file, 1, 1);
    expect_recovered(&file, false, "a,b"); /* a row group less */
    expect_recovered(&file, true, "a");    /* b is null in some rows */

    memset(file.bytes + file.nbytes - 64, 0, 64); /* nobody knows any more */
    expect_recovered(&file, false, "");
    stoa_test_file_reset(&file);
    stoa_order_reset(&order);
    for (size_t i = 0; i < 3; i++)
        stoa_batch_reset(&batches[i]);
    stoa_schema_reset(&schema);
}

/* ---- Memory. ---- */

static enum stoa_status writes_merges_and_reads(void *context, struct stoa_error *err)
{
    const struct stoa_batch *batch = context;
    struct stoa_sort_key keys[] = {{.column = 0}, {.column = 1, .descending = true}};
    const struct stoa_sort_order order = {.keys = keys, .nkeys = 2};
    const struct stoa_writer_options options = {.order = &order, .row_group_nrows = 2};
    struct stoa_sink *sinks[2] = {0};
    struct stoa_merge_input inputs[2] = {{0}};
    const struct stoa_verify_options deep = {.deep = true};
    struct stoa_verify_result result;
    struct stoa_writer *writer = NULL;
    struct stoa_source *merged = NULL;
    const uint8_t *bytes;
    size_t nbytes;
    enum stoa_status st = stoa_sink_create_memory(&sinks[0], err);

    if (st == STOA_OK)
        st = stoa_sink_create_memory(&sinks[1], err);
    if (st == STOA_OK)
        st = stoa_writer_open(sinks[0], batch->schema, &options, &writer, err);
    if (st == STOA_OK)
        st = stoa_writer_append(writer, batch, err);
    if (st == STOA_OK)
        st = stoa_writer_finish(writer, err);
    if (st == STOA_OK)
        st = sinks[0]->commit(sinks[0], err);
    if (st == STOA_OK) {
        bytes = stoa_sink_memory(sinks[0], &nbytes);
        st = stoa_source_open_memory(bytes, nbytes, "file", &inputs[0].source, err);
    }
    inputs[1] = inputs[0];
    if (st == STOA_OK)
        st = stoa_merge(inputs, 2, NULL, sinks[1], NULL, err);
    if (st == STOA_OK)
        st = sinks[1]->commit(sinks[1], err);
    if (st == STOA_OK) {
        bytes = stoa_sink_memory(sinks[1], &nbytes);
        st = stoa_source_open_memory(bytes, nbytes, "file", &merged, err);
    }
    if (st == STOA_OK)
        st = stoa_verify(inputs[0].source, &deep, &result, err);
    stoa_writer_close(writer);
    stoa_source_close(inputs[0].source);
    stoa_source_close(merged);
    stoa_sink_close(sinks[0]);
    stoa_sink_close(sinks[1]);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    static const struct pair rows[] = {{1, 5}, {2, 6}, {2, 4}, {3, 0}, {3, -1}};
    struct stoa_schema schema;
    struct stoa_batch batch;

    make_schema(&schema, false);
    make_batch(&schema, rows, 5, &batch);
    stoa_test_each_failing_alloc(writes_merges_and_reads, &batch);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void a_file_without_the_section_claims_nothing(void **state)
{
    (void)state;
    struct stoa_test_file file;
    struct stoa_source *source;

    write_rows(rising, 4, false, NULL, &file);
    source = stoa_test_file_source(&file);
    expect_order(source, "");
    stoa_source_close(source);
    stoa_test_file_reset(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_writer_takes_rows_that_are_in_order_and_no_others),
        cmocka_unit_test(an_order_of_another_schema_is_refused),
        cmocka_unit_test(a_file_without_the_section_claims_nothing),
        cmocka_unit_test(a_section_that_makes_no_sense_is_damage),
        cmocka_unit_test(verify_finds_a_false_claim),
        cmocka_unit_test(a_merged_file_is_in_the_order_that_all_have),
        cmocka_unit_test(what_is_recovered_keeps_the_order_of_what_is_whole),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
