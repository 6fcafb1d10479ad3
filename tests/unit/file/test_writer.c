/* Files written: what a reader gives back, the same bytes whatever the order of the steps. */
#include "file/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/reader.h>

#include "file/layout.h"
#include "support/columns.h"
#include "support/gen_table.h"
#include "support/random.h"
#include "support/stoa_file.h"

/* ---- Writing in two ways ---- */

static struct stoa_sink *write_appending(const struct stoa_schema *schema,
                                         const struct stoa_batch *batches, size_t nbatches,
                                         const struct stoa_writer_options *options,
                                         const struct stoa_rules *rules)
{
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct stoa_writer *writer;

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open_rules(sink, schema, options, rules, &writer, &err), &err);
    for (size_t i = 0; i < nbatches; i++)
        stoa_test_check(stoa_writer_append(writer, &batches[i], &err), &err);
    stoa_test_check(stoa_writer_finish(writer, &err), &err);
    stoa_writer_close(writer);
    return sink;
}

enum { MAX_GROUPS = 64 };

/* Prepares and encodes in any order, as far as the protocol allows; sequences, commits in order. */
static struct stoa_sink *write_shuffled(struct stoa_test_random *random,
                                        const struct stoa_batch *groups, size_t ngroups,
                                        const struct stoa_rules *rules)
{
    enum { START, PREPARED, SEQUENCED, ENCODED, COMMITTED } step[MAX_GROUPS] = {START};
    struct stoa_writer_group *group[MAX_GROUPS];
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct stoa_writer *writer;
    size_t nsequenced = 0, ncommitted = 0;

    assert_true(ngroups <= MAX_GROUPS);
    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open_rules(sink, groups[0].schema, NULL, rules, &writer, &err),
                    &err);
    while (ncommitted < ngroups) {
        size_t k = (size_t)stoa_test_random_below(random, ngroups);

        if (step[k] == START) {
            struct stoa_batch batch;

            stoa_test_copy_rows(&groups[k], 0, groups[k].nrows, &batch);
            stoa_test_check(stoa_writer_prepare(writer, k, &batch, &group[k], &err), &err);
            stoa_batch_reset(&batch);
        } else if (step[k] == PREPARED && k == nsequenced) {
            stoa_test_check(stoa_writer_sequence(writer, group[k], &err), &err);
            nsequenced++;
        } else if (step[k] == SEQUENCED) {
            stoa_test_check(stoa_writer_encode(writer, group[k], &err), &err);
        } else if (step[k] == ENCODED && k == ncommitted) {
            stoa_test_check(stoa_writer_commit(writer, group[k], &err), &err);
            ncommitted++;
        } else {
            continue;
        }
        step[k]++;
    }
    stoa_test_check(stoa_writer_finish(writer, &err), &err);
    stoa_writer_close(writer);
    return sink;
}

static void assert_equal_files(const struct stoa_sink *a, const struct stoa_sink *b)
{
    size_t a_nbytes, b_nbytes;
    const uint8_t *a_bytes = stoa_sink_memory(a, &a_nbytes);
    const uint8_t *b_bytes = stoa_sink_memory(b, &b_nbytes);

    assert_int_equal(a_nbytes, b_nbytes);
    assert_memory_equal(a_bytes, b_bytes, a_nbytes);
}

/* ---- Reading back ---- */

struct file {
    struct stoa_source *source;
    struct stoa_reader *reader;
};

static void open_file(const struct stoa_sink *sink, struct file *file)
{
    struct stoa_error err = {0};
    size_t nbytes;
    const uint8_t *bytes = stoa_sink_memory(sink, &nbytes);

    stoa_test_check(stoa_source_open_memory(bytes, nbytes, "memory", &file->source, &err), &err);
    stoa_test_check(stoa_reader_open(file->source, NULL, &file->reader, &err), &err);
}

static void close_file(struct file *file)
{
    stoa_reader_close(file->reader);
    stoa_source_close(file->source);
}

/* The file holds the rows of `batch` and nothing else; the bytes add up and verify. */
static void assert_holds(const struct stoa_sink *sink, const struct stoa_batch *batch)
{
    struct stoa_error err = {0};
    const struct stoa_schema *schema;
    struct file file;
    uint64_t row = 0;

    open_file(sink, &file);
    stoa_test_check(stoa_reader_schema(file.reader, &schema, &err), &err);
    assert_true(stoa_schema_equal(schema, batch->schema));
    assert_int_equal(stoa_reader_nrows(file.reader), batch->nrows);
    for (uint32_t g = 0; g < stoa_reader_nrow_groups(file.reader); g++) {
        struct stoa_row_group group;

        stoa_test_check(stoa_reader_row_group(file.reader, g, &group, &err), &err);
        for (uint32_t i = 0; i < schema->nfields; i++) {
            struct stoa_array expected = {0}, got = {0};
            struct stoa_rows rows = {0, group.nrows};

            stoa_test_check(stoa_reader_column(file.reader, g, i, rows, &got, NULL, &err), &err);
            stoa_test_check(stoa_array_slice(&schema->fields[i], &batch->columns[i], (size_t)row,
                                             (size_t)(row + group.nrows), &expected, &err),
                            &err);
            assert_true(stoa_array_equal(&schema->fields[i], &expected, &got));
            stoa_array_reset(&expected);
            stoa_array_reset(&got);
        }
        row += group.nrows;
    }
    assert_int_equal(row, batch->nrows);
    close_file(&file);
}

static void generated_tables_come_back(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_rules small = stoa_test_small_rules();
    size_t ncases = stoa_test_ncases(60);

    stoa_test_random_init(&random, "generated_tables_come_back");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_schema schema = {0};
        struct stoa_batch batch;
        struct stoa_writer_options options = {0};
        struct stoa_sink *sink;

        stoa_test_gen_schema(&random, (uint32_t)stoa_test_random_below(&random, 6), &schema);
        stoa_test_gen_batch(&random, &schema, (size_t)stoa_test_random_below(&random, 9000),
                            &batch);
        if (stoa_test_random_one_in(&random, 2))
            options.row_group_nrows = 1 + (uint32_t)stoa_test_random_below(&random, 3000);
        sink = write_appending(&schema, &batch, 1, &options,
                               i % 2 == 0 ? &small : &stoa_default_rules);
        assert_holds(sink, &batch);
        stoa_sink_close(sink);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void order_of_the_steps_does_not_show(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_rules rules = stoa_test_small_rules();
    size_t ncases = stoa_test_ncases(8);

    stoa_test_random_init(&random, "order_of_the_steps_does_not_show");
    for (size_t i = 0; i < ncases; i++) {
        enum { NROWS = 500, NGROUPS = 20 };
        struct stoa_schema schema = {0};
        struct stoa_batch table, groups[NGROUPS];
        struct stoa_writer_options options = {.row_group_nrows = NROWS};
        struct stoa_sink *appended, *shuffled, *again;

        stoa_test_gen_schema(&random, 5, &schema);
        stoa_test_gen_batch(&random, &schema, (size_t)NROWS * NGROUPS - 7, &table);
        for (size_t k = 0; k < NGROUPS; k++)
            stoa_test_copy_rows(&table, k * NROWS, k + 1 < NGROUPS ? (k + 1) * NROWS : table.nrows,
                                &groups[k]);
        appended = write_appending(&schema, &table, 1, &options, &rules);
        shuffled = write_shuffled(&random, groups, NGROUPS, &rules);
        again = write_shuffled(&random, groups, NGROUPS, &rules);
        assert_equal_files(appended, shuffled);
        assert_equal_files(appended, again);
        assert_holds(shuffled, &table);
        for (size_t k = 0; k < NGROUPS; k++)
            stoa_batch_reset(&groups[k]);
        stoa_sink_close(appended);
        stoa_sink_close(shuffled);
        stoa_sink_close(again);
        stoa_batch_reset(&table);
        stoa_schema_reset(&schema);
    }
}

static void sizes_of_appended_batches_do_not_show(void **state)
{
    (void)state;
    struct stoa_test_random random;
    size_t ncases = stoa_test_ncases(20);

    stoa_test_random_init(&random, "sizes_of_appended_batches_do_not_show");
    for (size_t i = 0; i < ncases; i++) {
        enum { MAX_PIECES = 2000 };
        static struct stoa_batch pieces[MAX_PIECES];
        struct stoa_schema schema = {0};
        struct stoa_batch table;
        struct stoa_writer_options options = {
            .row_group_nrows = 1 + (uint32_t)stoa_test_random_below(&random, 500),
            .row_group_nbytes = 1 + stoa_test_random_below(&random, 20000),
        };
        struct stoa_sink *whole, *in_pieces;
        size_t npieces = 0;

        stoa_test_gen_schema(&random, 3, &schema);
        stoa_test_gen_batch(&random, &schema, 1500, &table);
        for (size_t row = 0; row < table.nrows; npieces++) {
            size_t end = row + (size_t)stoa_test_random_below(&random, 150);

            if (end > table.nrows || npieces == MAX_PIECES - 1)
                end = table.nrows;
            stoa_test_copy_rows(&table, row, end, &pieces[npieces]);
            row = end;
        }
        whole = write_appending(&schema, &table, 1, &options, &stoa_default_rules);
        in_pieces = write_appending(&schema, pieces, npieces, &options, &stoa_default_rules);
        assert_equal_files(whole, in_pieces);
        assert_holds(whole, &table);
        for (size_t k = 0; k < npieces; k++)
            stoa_batch_reset(&pieces[k]);
        stoa_sink_close(whole);
        stoa_sink_close(in_pieces);
        stoa_batch_reset(&table);
        stoa_schema_reset(&schema);
    }
}

/* ---- Single tables ---- */

static int64_t row_number(size_t i)
{
    return (int64_t)i;
}

static void an_empty_table_is_a_file(void **state)
{
    (void)state;
    static const uint32_t ncolumns[] = {0, 1, 20};
    struct stoa_test_random random;

    stoa_test_random_init(&random, "an_empty_table_is_a_file");
    for (size_t i = 0; i < sizeof(ncolumns) / sizeof(ncolumns[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_batch batch;
        struct stoa_error err = {0};
        struct stoa_sink *sink;

        stoa_test_gen_schema(&random, ncolumns[i], &schema);
        stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
        sink = write_appending(&schema, &batch, 1, NULL, &stoa_default_rules);
        assert_holds(sink, &batch);
        stoa_sink_close(sink);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

/* Sections above 64 KiB are sliced, and names collide. */
static void a_wide_table_comes_back(void **state)
{
    (void)state;
    enum { NCOLUMNS = 3000, NROWS = 5 };
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct file file;

    for (uint32_t i = 0; i < NCOLUMNS; i++) {
        char name[64];

        snprintf(name, sizeof(name), "a column with a rather long name %u", i);
        stoa_test_add_column(&schema, name, STOA_INT64, false);
    }
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = NROWS;
    for (uint32_t i = 0; i < NCOLUMNS; i++)
        stoa_test_make_numbers(&batch.columns[i], NROWS, row_number);
    sink = write_appending(&schema, &batch, 1, NULL, &stoa_default_rules);
    assert_holds(sink, &batch);
    open_file(sink, &file);
    for (uint32_t i = 0; i < NCOLUMNS; i += 17) {
        uint32_t column;

        stoa_test_check(stoa_reader_find(file.reader, schema.fields[i].name, &column, &err), &err);
        assert_int_equal(column, i);
    }
    close_file(&file);
    stoa_sink_close(sink);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void long_values_make_small_pages(void **state)
{
    (void)state;
    enum { NROWS = 2000 };
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_sink *sink;
    struct file file;
    struct stoa_chunk_info info;
    struct stoa_error err = {0};

    rules.page_max_nbytes = 2000; /* a key has about 32 bytes, 5 are added for a value and 1,024 */
    rules.shared_max_count = 0;
    rules.local_max_count = 0;
    stoa_test_make_keys(&schema, NROWS, &batch);
    sink = write_appending(&schema, &batch, 1, NULL, &rules);
    assert_holds(sink, &batch);
    open_file(sink, &file);
    stoa_test_check(stoa_reader_chunk(file.reader, 0, 0, &info, &err), &err);
    assert_int_equal(info.page_nvalues, 16);
    assert_int_equal(info.npages, NROWS / 16);
    stoa_test_check(stoa_reader_chunk(file.reader, 0, 1, &info, &err), &err);
    assert_int_equal(info.page_nvalues, 64);
    close_file(&file);
    stoa_sink_close(sink);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static const char *sometimes_long_text(size_t i, char room[64])
{
    static char text[5001];

    memset(text, 'l', sizeof(text) - 1);
    snprintf(room, 64, "%zu", i);
    return i == 10 || i == 29 ? text : room;
}

static void a_row_with_a_huge_value_is_a_row_group(void **state)
{
    (void)state;
    static const uint32_t expected[] = {10, 1, 18, 1};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_writer_group *group = NULL;
    struct stoa_writer *writer;
    struct stoa_sink *sink;
    struct file file;

    rules.page_max_nbytes = 4096;
    stoa_test_add_column(&schema, "text", STOA_UTF8, true);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = 30;
    stoa_test_make_texts(&batch.columns[0], batch.nrows, sometimes_long_text);
    sink = write_appending(&schema, &batch, 1, NULL, &rules);
    assert_holds(sink, &batch);
    open_file(sink, &file);
    assert_int_equal(stoa_reader_nrow_groups(file.reader), 4);
    for (uint32_t g = 0; g < 4; g++) {
        struct stoa_row_group found;

        stoa_test_check(stoa_reader_row_group(file.reader, g, &found, &err), &err);
        assert_int_equal(found.nrows, expected[g]);
    }
    close_file(&file);
    stoa_sink_close(sink);

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open_rules(sink, &schema, NULL, &rules, &writer, &err), &err);
    assert_int_equal(stoa_writer_prepare(writer, 0, &batch, &group, &err), STOA_ERR_LIMIT);
    assert_string_equal(err.message, "row 11 of 30 has a value of about 4096 bytes or more: such a "
                                     "row must be a row group of its own");
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static int64_t constant_number(size_t i)
{
    (void)i;
    return 7;
}

static const char *encoding_of(const struct stoa_sink *sink, uint32_t row_group)
{
    struct stoa_chunk_info info;
    struct stoa_error err = {0};
    struct file file;

    open_file(sink, &file);
    stoa_test_check(stoa_reader_chunk(file.reader, row_group, 0, &info, &err), &err);
    close_file(&file);
    return info.encoding;
}

/* Row group 0 chooses CONST for all; where the values differ that is worth nothing. */
static void a_chunk_that_a_plan_does_not_fit_chooses_anew(void **state)
{
    (void)state;
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_batch groups[3];
    struct stoa_error err = {0};
    struct stoa_writer_options options = {.row_group_nrows = 5000};
    struct stoa_sink *sink;

    stoa_test_add_column(&schema, "n", STOA_INT64, false);
    for (int g = 0; g < 3; g++) {
        stoa_test_check(stoa_batch_init(&groups[g], &schema, &err), &err);
        groups[g].nrows = 5000;
        stoa_test_make_numbers(&groups[g].columns[0], 5000, g == 1 ? row_number : constant_number);
    }
    sink = write_appending(&schema, groups, 3, &options, &rules);
    assert_string_equal(encoding_of(sink, 0), "const");
    assert_string_equal(encoding_of(sink, 1), "delta");
    assert_string_equal(encoding_of(sink, 2), "const");
    stoa_sink_close(sink);

    rules.excess_percent = 1000000; /* any size will do: the stand-in for CONST remains */
    sink = write_appending(&schema, groups, 3, &options, &rules);
    assert_string_equal(encoding_of(sink, 1), "pfor");
    stoa_sink_close(sink);
    for (int g = 0; g < 3; g++)
        stoa_batch_reset(&groups[g]);
    stoa_schema_reset(&schema);
}

/* ... when they are at most half of the file, or a two-millionth. */
static void small_dictionaries_are_written_twice(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_rules rules = stoa_default_rules;

    rules.full_nrows = 1;
    stoa_test_make_keys(&schema, 60000, &batch);
    for (uint32_t part = 2; part <= 2000000; part *= 1000000) {
        struct stoa_sink *sink;
        const uint8_t *bytes;
        size_t nbytes, at = 0, ncopies = 0, nsegments = 0;

        rules.copy_part = part;
        sink = write_appending(&schema, &batch, 1, NULL, &rules);
        assert_holds(sink, &batch);
        bytes = stoa_sink_memory(sink, &nbytes);
        while (at < nbytes) {
            struct stoa_object object;
            struct stoa_error err = {0};

            stoa_test_check(stoa_object_unpack(bytes + at, &object, &err), &err);
            nsegments += object.kind == STOA_OBJECT_DICT;
            ncopies += object.kind == STOA_OBJECT_DICT && object.flags == STOA_OBJECT_COPY;
            at += STOA_OBJECT_NBYTES + (size_t)object.body_nbytes;
        }
        assert_int_equal(nsegments - ncopies, 1);
        assert_int_equal(ncopies, part == 2 ? 1 : 0);
        stoa_sink_close(sink);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void row_groups_close_before_they_get_too_large(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct file file;
    static const struct {
        uint32_t nrows;
        uint64_t nbytes;
        uint32_t expected[4];
    } cases[] = {
        {0, 0, {100}},
        {40, 0, {40, 40, 20}},
        {50, 50 * 8, {50, 50}},
        {0, 30 * 8, {30, 30, 30, 10}},
        {0, 30 * 8 + 7, {30, 30, 30, 10}},
    };

    stoa_test_add_column(&schema, "row", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = 100;
    stoa_test_make_numbers(&batch.columns[0], batch.nrows, row_number);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_writer_options options = {.row_group_nrows = cases[i].nrows,
                                              .row_group_nbytes = cases[i].nbytes};

        sink = write_appending(&schema, &batch, 1, &options, &stoa_default_rules);
        open_file(sink, &file);
        for (uint32_t g = 0; g < stoa_reader_nrow_groups(file.reader); g++) {
            struct stoa_row_group group;

            assert_true(g < 4);
            stoa_test_check(stoa_reader_row_group(file.reader, g, &group, &err), &err);
            assert_int_equal(group.nrows, cases[i].expected[g]);
        }
        close_file(&file);
        stoa_sink_close(sink);
    }
    {
        struct stoa_writer_options options = {
            .row_group_nrows = 0, .row_group_nbytes = 1}; /* every row is larger than that */

        sink = write_appending(&schema, &batch, 1, &options, &stoa_default_rules);
        open_file(sink, &file);
        assert_int_equal(stoa_reader_nrow_groups(file.reader), 100);
        close_file(&file);
        stoa_sink_close(sink);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* Dictionaries, their second copies and the footer grow with what was written. */
static void a_writer_tells_what_it_keeps(void **state)
{
    (void)state;
    struct stoa_rules rules = stoa_test_small_rules();
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_writer *writer;
    struct stoa_sink *sink;
    uint64_t before = 0;

    stoa_test_make_keys(&schema, 1000, &batch);
    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open_rules(sink, &schema, NULL, &rules, &writer, &err), &err);
    assert_int_equal(stoa_writer_kept_nbytes(writer), 0);
    for (uint64_t ordinal = 0; ordinal < 3; ordinal++) {
        struct stoa_writer_group *group;
        struct stoa_batch copy;

        stoa_test_copy_rows(&batch, 0, batch.nrows, &copy);
        stoa_test_check(stoa_writer_prepare(writer, ordinal, &copy, &group, &err), &err);
        stoa_test_check(stoa_writer_sequence(writer, group, &err), &err);
        stoa_test_check(stoa_writer_encode(writer, group, &err), &err);
        stoa_test_check(stoa_writer_commit(writer, group, &err), &err);
        stoa_batch_reset(&copy);
        assert_true(stoa_writer_kept_nbytes(writer) > before);
        before = stoa_writer_kept_nbytes(writer);
    }
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* Values that zstd makes a little smaller, and text that it makes much smaller. */
static void levels_are_smaller_the_more_they_decompress(void **state)
{
    (void)state;
    static const enum stoa_test_shape shapes[] = {STOA_TEST_SMALL_RANGE, STOA_TEST_OUTLIERS,
                                                  STOA_TEST_RUNS, STOA_TEST_MULTIPLES};
    size_t nbytes[3] = {0};
    struct stoa_test_random random;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_writer_options wrong = {.level = (enum stoa_level)3};
    struct stoa_writer *writer;
    struct stoa_sink *sink;

    stoa_test_random_init(&random, "levels");
    stoa_test_add_column(&schema, "whole", STOA_INT64, false);
    stoa_test_add_column(&schema, "real", STOA_FLOAT64, true);
    stoa_test_add_column(&schema, "time", STOA_INT32, false);
    stoa_test_add_column(&schema, "text", STOA_UTF8, true);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = 40000;
    for (uint32_t i = 0; i < schema.nfields; i++) {
        stoa_array_reset(&batch.columns[i]);
        stoa_test_gen_array(&random, &schema.fields[i], batch.nrows, shapes[i],
                            STOA_TEST_NULLS_NONE, &batch.columns[i]);
    }
    for (int level = 0; level < 3; level++) {
        sink = write_appending(&schema, &batch, 1, NULL, stoa_rules_of_level(level));
        assert_holds(sink, &batch);
        (void)stoa_sink_memory(sink, &nbytes[level]);
        stoa_sink_close(sink);
    }
    assert_true(nbytes[STOA_LEVEL_SMALL] <= nbytes[STOA_LEVEL_BALANCED]);
    assert_true(nbytes[STOA_LEVEL_BALANCED] < nbytes[STOA_LEVEL_FAST]);

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    assert_int_equal(stoa_writer_open(sink, &schema, &wrong, &writer, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "there is no level 3");
    stoa_sink_close(sink);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_tables_come_back),
        cmocka_unit_test(order_of_the_steps_does_not_show),
        cmocka_unit_test(sizes_of_appended_batches_do_not_show),
        cmocka_unit_test(an_empty_table_is_a_file),
        cmocka_unit_test(a_wide_table_comes_back),
        cmocka_unit_test(long_values_make_small_pages),
        cmocka_unit_test(a_row_with_a_huge_value_is_a_row_group),
        cmocka_unit_test(a_chunk_that_a_plan_does_not_fit_chooses_anew),
        cmocka_unit_test(small_dictionaries_are_written_twice),
        cmocka_unit_test(row_groups_close_before_they_get_too_large),
        cmocka_unit_test(a_writer_tells_what_it_keeps),
        cmocka_unit_test(levels_are_smaller_the_more_they_decompress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
