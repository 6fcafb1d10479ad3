/*
 * Files with some columns given anew: equal, byte for byte, to files that were written at once.
 */
#include "file/rewrite.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/builder.h"
#include "column/schema.h"
#include "column/type.h"
#include "file/writer.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

/* Every rule of dictionaries is reached with few rows; the room for them depends on how many there
   are from two columns of text on. */
static struct stoa_rules small_rules(void)
{
    struct stoa_rules rules = stoa_test_small_rules();

    rules.shared_max_nbytes = 4000;
    rules.shared_all_nbytes = 6000;
    return rules;
}

/* A side table of row group `number`: none, a rule for each column, bytes in front of a row. */
static enum stoa_status make_side(uint32_t number, uint32_t ncolumns, size_t nrows,
                                  struct stoa_side *out, struct stoa_error *err)
{
    const struct stoa_type binary = {.id = STOA_BINARY};
    struct stoa_builder builder = {0};
    enum stoa_status st;

    *out = (struct stoa_side){0};
    if (number % 3 == 0)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&out->columns, ncolumns + 1, sizeof(out->columns[0]), err));
    out->nrows = nrows;
    for (; out->ncolumns < ncolumns; out->ncolumns++)
        out->columns[out->ncolumns] = (struct stoa_side_column){
            .column = out->ncolumns, .kind = STOA_SIDE_FORM, .rule = {(uint8_t)number}};
    STOA_TRY(stoa_builder_init(&builder, &binary, nrows, err));
    STOA_TRY(stoa_builder_reserve(&builder, nrows, 8, err));
    stoa_builder_append_bytes(&builder, "# note\n", 7);
    for (size_t i = 1; i < nrows; i++)
        stoa_builder_append_null(&builder);
    out->columns[out->ncolumns] =
        (struct stoa_side_column){.column = STOA_SIDE_RECORDS, .kind = STOA_SIDE_GAP};
    stoa_builder_finish(&builder, &out->columns[out->ncolumns++].array);
out:
    stoa_builder_reset(&builder);
    if (st != STOA_OK)
        stoa_side_reset(out);
    return st;
}

static struct stoa_source_info source_of(size_t nrows)
{
    return (struct stoa_source_info){
        .name = "a.csv", .nbytes = 1000, .nrows = nrows, .flags = STOA_SOURCE_COMPLETE};
}

/* `with_text`: with side tables and a source. */
static struct stoa_sink *write_whole(const struct stoa_batch *table, uint32_t group_nrows,
                                     bool with_text, const struct stoa_rules *rules)
{
    const struct stoa_source_info source = source_of(table->nrows);
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct stoa_writer *writer;

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open_rules(sink, table->schema, NULL, rules, &writer, &err), &err);
    for (uint32_t i = 0; i * (size_t)group_nrows < table->nrows; i++) {
        size_t begin = i * (size_t)group_nrows, end = begin + group_nrows;
        struct stoa_writer_group *group;
        struct stoa_batch batch;
        struct stoa_side side;

        stoa_test_copy_rows(table, begin, end < table->nrows ? end : table->nrows, &batch);
        stoa_test_check(make_side(i, table->ncolumns, batch.nrows, &side, &err), &err);
        stoa_test_check(stoa_writer_prepare(writer, i, &batch, &group, &err), &err);
        if (with_text)
            stoa_test_check(stoa_writer_group_set_side(group, &side, &err), &err);
        stoa_test_check(stoa_writer_sequence(writer, group, &err), &err);
        stoa_test_check(stoa_writer_encode(writer, group, &err), &err);
        stoa_test_check(stoa_writer_commit(writer, group, &err), &err);
        stoa_side_reset(&side);
        stoa_batch_reset(&batch);
    }
    if (with_text)
        stoa_test_check(stoa_writer_add_sources(writer, &source, 1, &err), &err);
    stoa_test_check(stoa_writer_finish(writer, &err), &err);
    stoa_writer_close(writer);
    return sink;
}

/* Rows [begin, end) of some columns. */
static enum stoa_status take_columns(const struct stoa_schema *schema, const bool *columns,
                                     const struct stoa_batch *table, size_t begin, size_t end,
                                     struct stoa_batch *out, struct stoa_error *err)
{
    uint32_t n = 0;
    enum stoa_status st = stoa_batch_init(out, schema, err);

    if (st != STOA_OK)
        return st;
    out->nrows = end - begin;
    for (uint32_t i = 0; st == STOA_OK && i < table->ncolumns; i++)
        if (columns[i])
            st = stoa_array_slice(&table->schema->fields[i], &table->columns[i], begin, end,
                                  &out->columns[n++], err);
    return st;
}

static enum stoa_status rewrite_group(struct stoa_rewriter *rewriter, uint32_t number,
                                      uint32_t ncolumns, struct stoa_batch *batch,
                                      struct stoa_error *err)
{
    struct stoa_writer_group *group = NULL;
    const size_t nrows = batch->nrows;
    struct stoa_side side = {0};
    enum stoa_status st;

    STOA_TRY(stoa_rewriter_prepare(rewriter, number, batch, &group, err));
    if (ncolumns > 0) {
        STOA_TRY(make_side(number, ncolumns, nrows, &side, err));
        STOA_TRY(stoa_rewriter_set_side(rewriter, group, &side, err));
    }
    STOA_TRY(stoa_rewriter_sequence(rewriter, group, err));
    STOA_TRY(stoa_rewriter_encode(rewriter, group, err));
    st = stoa_rewriter_commit(rewriter, group, err);
    group = NULL;
out:
    stoa_writer_group_free(group);
    stoa_side_reset(&side);
    return st;
}

/* A file, and what its rows are to become. */
struct job {
    struct stoa_source *old;
    const struct stoa_batch *table;
    const struct stoa_rules *rules;
    uint32_t group_nrows;
    bool with_text;
    bool given[16];
};

/* Rows of row group `number`. */
static struct stoa_rows group_rows(const struct job *job, uint32_t number)
{
    size_t begin = number * (size_t)job->group_nrows, end = begin + job->group_nrows;

    return (struct stoa_rows){(uint32_t)begin,
                              (uint32_t)(end < job->table->nrows ? end : job->table->nrows)};
}

static enum stoa_status look(const struct job *job, struct stoa_rewrite_plan *plan,
                             struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; st == STOA_OK && i * (size_t)job->group_nrows < job->table->nrows; i++) {
        struct stoa_rows rows = group_rows(job, i);
        struct stoa_batch batch = {0};

        if (!stoa_rewrite_plan_wants(plan, i))
            continue;
        st = take_columns(&plan->sample.schema, plan->sampled, job->table, rows.begin, rows.end,
                          &batch, err);
        if (st == STOA_OK)
            st = stoa_rewrite_plan_look(plan, i, &batch, err);
        stoa_batch_reset(&batch);
    }
    return st == STOA_OK ? stoa_rewrite_plan_finish(plan, err) : st;
}

/* *ngiven: columns that were given. */
static enum stoa_status rewrite(const struct job *job, struct stoa_sink *sink, size_t *ngiven,
                                struct stoa_error *err)
{
    struct stoa_reader *reader = NULL;
    struct stoa_rewrite_plan *plan = NULL;
    struct stoa_rewriter *rewriter = NULL;
    const struct stoa_writer_options options = {0};
    const struct stoa_source_info source = source_of(job->table->nrows);
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(job->old, NULL, &reader, err));
    STOA_TRY(stoa_rewrite_plan_new(reader, job->table->schema, job->rules, &options, job->given,
                                   &plan, err));
    STOA_TRY(look(job, plan, err));
    STOA_TRY(stoa_rewriter_open(sink, plan, &rewriter, err));
    for (uint32_t i = 0; i * (size_t)job->group_nrows < job->table->nrows; i++) {
        struct stoa_rows rows = group_rows(job, i);
        struct stoa_batch batch = {0};

        st = take_columns(stoa_rewriter_schema(rewriter), plan->read, job->table, rows.begin,
                          rows.end, &batch, err);
        if (st == STOA_OK)
            st = rewrite_group(rewriter, i, job->with_text ? job->table->ncolumns : 0, &batch, err);
        stoa_batch_reset(&batch);
        if (st != STOA_OK)
            goto out;
    }
    if (job->with_text)
        STOA_TRY(stoa_rewriter_add_sources(rewriter, &source, 1, err));
    STOA_TRY(stoa_rewriter_finish(rewriter, err));
    *ngiven = 0;
    for (uint32_t i = 0; i < job->table->ncolumns; i++)
        *ngiven += plan->given[i];
out:
    stoa_rewriter_close(rewriter);
    stoa_rewrite_plan_free(plan);
    stoa_reader_close(reader);
    return st;
}

/* ---- Generated cases ---- */

/* A table, and one that differs from it in the columns that are given. */
struct tables {
    struct stoa_schema schema, old_schema;
    struct stoa_batch table, old;
    struct stoa_sink *old_file;
    struct job job;
};

static void make_tables(struct stoa_test_random *random, const struct stoa_rules *rules,
                        size_t max_nrows, struct tables *t)
{
    uint32_t ncolumns = 2 + (uint32_t)stoa_test_random_below(random, 5);
    size_t nrows = 1 + (size_t)stoa_test_random_below(random, max_nrows), nbytes;
    const uint8_t *bytes;
    struct stoa_error err = {0};

    *t = (struct tables){.job = {.table = &t->table, .rules = rules}};
    stoa_test_gen_schema(random, ncolumns, &t->schema);
    stoa_test_gen_schema(random, ncolumns, &t->old_schema);
    for (uint32_t i = 0; i < ncolumns; i++) {
        struct stoa_field *from = &t->schema.fields[i], *to = &t->old_schema.fields[i];

        t->job.given[i] = stoa_test_random_one_in(random, 3);
        if (stoa_test_random_one_in(random, 2)) { /* text enough for dictionaries to matter */
            stoa_type_reset(&from->type);
            from->type = (struct stoa_type){.id = STOA_UTF8};
        }
        if (t->job.given[i]) {
            stoa_free(to->name);
            stoa_test_check(stoa_strndup(&to->name, from->name, strlen(from->name), &err), &err);
        } else {
            stoa_field_reset(to);
            stoa_test_check(stoa_field_copy(to, from, &err), &err);
        }
    }
    stoa_test_gen_batch(random, &t->schema, nrows, &t->table);
    stoa_test_gen_batch(random, &t->old_schema, nrows, &t->old);
    for (uint32_t i = 0; i < ncolumns; i++) {
        if (t->job.given[i])
            continue;
        stoa_array_reset(&t->old.columns[i]);
        stoa_test_check(stoa_array_slice(&t->schema.fields[i], &t->table.columns[i], 0, nrows,
                                         &t->old.columns[i], &err),
                        &err);
    }
    t->job.group_nrows = 1 + (uint32_t)(nrows / (1 + stoa_test_random_below(random, 12)));
    t->job.with_text = stoa_test_random_one_in(random, 2);
    t->old_file = write_whole(&t->old, t->job.group_nrows, true, rules);
    bytes = stoa_sink_memory(t->old_file, &nbytes);
    stoa_test_check(stoa_source_open_memory(bytes, nbytes, "old", &t->job.old, &err), &err);
}

static void reset_tables(struct tables *t)
{
    stoa_source_close(t->job.old);
    stoa_sink_close(t->old_file);
    stoa_batch_reset(&t->table);
    stoa_batch_reset(&t->old);
    stoa_schema_reset(&t->schema);
    stoa_schema_reset(&t->old_schema);
}

/* Compares what is made of the old file with what is written at once; *ngiven as of rewrite(). */
static void check_case(const struct tables *t, size_t number, size_t *ngiven)
{
    struct stoa_error err = {0};
    struct stoa_sink *whole, *rewritten;
    size_t whole_nbytes, rewritten_nbytes;

    whole = write_whole(&t->table, t->job.group_nrows, t->job.with_text, t->job.rules);
    stoa_test_check(stoa_sink_create_memory(&rewritten, &err), &err);
    stoa_test_check(rewrite(&t->job, rewritten, ngiven, &err), &err);
    stoa_sink_memory(whole, &whole_nbytes);
    stoa_sink_memory(rewritten, &rewritten_nbytes);
    if (whole_nbytes != rewritten_nbytes)
        print_message("# case %zu\n", number);
    assert_int_equal(rewritten_nbytes, whole_nbytes);
    assert_memory_equal(stoa_sink_memory(rewritten, &rewritten_nbytes),
                        stoa_sink_memory(whole, &whole_nbytes), whole_nbytes);
    stoa_sink_close(whole);
    stoa_sink_close(rewritten);
}

static void a_rewritten_file_is_the_one_written_at_once(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_rules small = small_rules();
    size_t ncases = stoa_test_ncases(150);

    stoa_test_random_init(&random, "a_rewritten_file_is_the_one_written_at_once");
    for (size_t i = 0; i < ncases; i++) {
        size_t ngiven;
        struct tables t;

        make_tables(&random, i % 4 == 0 ? &stoa_default_rules : &small, 9000, &t);
        check_case(&t, i, &ngiven);
        reset_tables(&t);
    }
}

enum { NRELATED = 8 };

/* Values of a column that may follow from two columns in front of it, in `all`. */
static void relate(struct stoa_test_random *random, int64_t (*all)[NRELATED], size_t nrows,
                   uint32_t column)
{
    uint64_t kind = stoa_test_random_below(random, 4);
    uint32_t a = column > 0 ? (uint32_t)stoa_test_random_below(random, column) : 0;
    uint32_t b = column > 0 ? (uint32_t)stoa_test_random_below(random, column) : 0;
    uint64_t noise = stoa_test_random_below(random, 3) * 5; /* in so many of 100 rows */

    for (size_t i = 0; i < nrows; i++) {
        int64_t fresh = (int64_t)stoa_test_random_below(random, kind == 1 ? 50 : 1000000);
        bool follows = column > 0 && stoa_test_random_below(random, 100) >= noise;

        if (kind >= 2 && follows)
            fresh = kind == 2 ? all[i][a] + all[i][b] : (all[i][a] * 7919 + 13) % 100003;
        all[i][column] = fresh;
    }
}

static void put_numbers(const int64_t (*all)[NRELATED], size_t nrows, uint32_t column,
                        const struct stoa_type *type, struct stoa_array *out)
{
    struct stoa_builder builder = {0};
    struct stoa_error err = {0};
    char text[32];

    stoa_test_check(stoa_builder_init(&builder, type, nrows, &err), &err);
    stoa_test_check(stoa_builder_reserve(&builder, nrows, nrows * sizeof(text), &err), &err);
    for (size_t i = 0; i < nrows; i++) {
        double number = (double)all[i][column];
        int n = snprintf(text, sizeof(text), "%" PRId64, all[i][column]);

        if (type->id == STOA_UTF8)
            stoa_builder_append_bytes(&builder, text, (size_t)n);
        else if (type->id == STOA_FLOAT64)
            stoa_builder_append_fixed(&builder, &number);
        else
            stoa_builder_append_fixed(&builder, &all[i][column]);
    }
    stoa_builder_finish(&builder, out);
}

/* Integers that follow from each other; one was something else, or becomes something else. */
static void make_related(struct stoa_test_random *random, const struct stoa_rules *rules,
                         size_t nrows, struct tables *t)
{
    static const enum stoa_type_id ids[] = {STOA_INT64, STOA_UTF8, STOA_FLOAT64};
    const uint32_t changed = (uint32_t)stoa_test_random_below(random, NRELATED);
    const struct stoa_type from = {.id = ids[stoa_test_random_below(random, 3)]};
    const struct stoa_type to = {.id = ids[stoa_test_random_below(random, 3)]};
    int64_t(*all)[NRELATED] = calloc(nrows, sizeof(*all));
    struct stoa_error err = {0};
    const uint8_t *bytes;
    size_t nbytes;

    assert_non_null(all);
    *t = (struct tables){.job = {.table = &t->table, .rules = rules}};
    for (uint32_t i = 0; i < NRELATED; i++) {
        const char name[] = {(char)('a' + i), '\0'};

        stoa_test_add_column(&t->schema, name, i == changed ? to.id : STOA_INT64, true);
        stoa_test_add_column(&t->old_schema, name, i == changed ? from.id : STOA_INT64, true);
    }
    stoa_test_check(stoa_batch_init(&t->table, &t->schema, &err), &err);
    stoa_test_check(stoa_batch_init(&t->old, &t->old_schema, &err), &err);
    t->table.nrows = t->old.nrows = nrows;
    for (uint32_t i = 0; i < NRELATED; i++) {
        relate(random, all, nrows, i);
        put_numbers((const int64_t(*)[NRELATED])all, nrows, i, &t->schema.fields[i].type,
                    &t->table.columns[i]);
        if (i == changed && stoa_test_random_one_in(random, 2)) { /* other values too */
            relate(random, all, nrows, i);
        }
        put_numbers((const int64_t(*)[NRELATED])all, nrows, i, &t->old_schema.fields[i].type,
                    &t->old.columns[i]);
    }
    free(all);
    t->job.given[changed] = true;
    t->job.group_nrows = 300 + (uint32_t)stoa_test_random_below(random, 300);
    t->job.with_text = stoa_test_random_one_in(random, 2);
    t->old_file = write_whole(&t->old, t->job.group_nrows, true, rules);
    bytes = stoa_sink_memory(t->old_file, &nbytes);
    stoa_test_check(stoa_source_open_memory(bytes, nbytes, "old", &t->job.old, &err), &err);
}

static struct stoa_rules related_rules(void)
{
    struct stoa_rules rules = small_rules();

    rules.derive_min_nrows = 256;
    rules.chooser_period = 3;
    return rules;
}

static void what_is_derived_in_another_way_is_given(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_rules rules = related_rules();
    size_t ncases = stoa_test_ncases(60), sums[NRELATED + 1] = {0};

    stoa_test_random_init(&random, "what_is_derived_in_another_way_is_given");
    for (size_t i = 0; i < ncases; i++) {
        struct tables t;
        size_t ngiven;

        make_related(&random, &rules, 2000 + stoa_test_random_below(&random, 3000), &t);
        check_case(&t, i, &ngiven);
        assert_in_range(ngiven, 1, NRELATED);
        sums[ngiven]++;
        reset_tables(&t);
    }
    assert_in_range(sums[1], 1, ncases - 1); /* others are given too where they have to be */
}

/* Texts of four kinds, whose codes take one page of each row group, and numbers that become text.
 */
static void make_few(struct stoa_test_random *random, size_t nrows, struct tables *t)
{
    static const int64_t kinds[] = {7, 123456789, 31415926535, 2718281828459045};
    const char *const names[] = {"number", "few", "fewer"};
    int64_t(*all)[NRELATED] = calloc(nrows, sizeof(*all));
    struct stoa_error err = {0};
    const uint8_t *bytes;
    size_t nbytes;

    assert_non_null(all);
    *t = (struct tables){.job = {.table = &t->table, .rules = &stoa_default_rules}};
    for (uint32_t c = 0; c < 3; c++) {
        stoa_test_add_column(&t->schema, names[c], STOA_UTF8, true);
        stoa_test_add_column(&t->old_schema, names[c], c == 0 ? STOA_INT64 : STOA_UTF8, true);
        for (size_t i = 0; i < nrows; i++)
            all[i][c] = c == 0 ? (int64_t)i : kinds[stoa_test_random_below(random, 5 - c)];
    }
    stoa_test_check(stoa_batch_init(&t->table, &t->schema, &err), &err);
    stoa_test_check(stoa_batch_init(&t->old, &t->old_schema, &err), &err);
    t->table.nrows = t->old.nrows = nrows;
    for (uint32_t c = 0; c < 3; c++) {
        put_numbers((const int64_t(*)[NRELATED])all, nrows, c, &t->schema.fields[c].type,
                    &t->table.columns[c]);
        put_numbers((const int64_t(*)[NRELATED])all, nrows, c, &t->old_schema.fields[c].type,
                    &t->old.columns[c]);
    }
    free(all);
    t->job.given[0] = true;
    t->job.group_nrows = 8000;
    t->old_file = write_whole(&t->old, t->job.group_nrows, true, t->job.rules);
    bytes = stoa_sink_memory(t->old_file, &nbytes);
    stoa_test_check(stoa_source_open_memory(bytes, nbytes, "old", &t->job.old, &err), &err);
}

static void few_texts_are_copied_though_their_dictionaries_have_less_room(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct tables t;
    size_t ngiven;

    stoa_test_random_init(&random, "few_texts_are_copied");
    make_few(&random, 20000, &t);
    check_case(&t, 0, &ngiven);
    assert_int_equal(ngiven, 1);
    reset_tables(&t);
}

/* ---- Failures ---- */

static enum stoa_status rewrites(void *context, struct stoa_error *err)
{
    struct stoa_sink *sink = NULL;
    size_t ngiven;
    enum stoa_status st = stoa_sink_create_memory(&sink, err);

    if (st == STOA_OK)
        st = rewrite(context, sink, &ngiven, err);
    stoa_sink_close(sink);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_rules rules = small_rules();
    struct tables t;

    stoa_test_random_init(&random, "rewrite: a_failing_allocation_is_reported");
    make_tables(&random, &rules, 500, &t);
    stoa_test_each_failing_alloc(rewrites, &t.job);
    reset_tables(&t);
}

static void a_failing_allocation_of_a_look_is_reported(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_rules rules = related_rules();
    struct tables t;

    stoa_test_random_init(&random, "rewrite: a_failing_allocation_of_a_look_is_reported");
    make_related(&random, &rules, 300, &t);
    stoa_test_each_failing_alloc(rewrites, &t.job);
    reset_tables(&t);
}

static void a_failing_read_or_write_is_reported(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_rules rules = small_rules();
    struct tables t;
    bool failed = true;

    stoa_test_random_init(&random, "rewrite: a_failing_read_or_write_is_reported");
    make_tables(&random, &rules, 500, &t);
    for (uint64_t n = 1; failed; n++) {
        struct stoa_test_io_fault fault = {.fail_at = n, .os_errno = EIO};
        struct stoa_error err = {0};
        struct stoa_source *plain = t.job.old;
        struct stoa_sink *sink;
        enum stoa_status st;
        size_t nbytes, ngiven;
        const uint8_t *bytes = stoa_sink_memory(t.old_file, &nbytes);

        stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
        sink = stoa_test_faulty_sink(sink, &fault);
        stoa_test_check(stoa_source_open_memory(bytes, nbytes, "old", &plain, &err), &err);
        plain = stoa_test_faulty_source(plain, &fault);
        stoa_source_close(t.job.old);
        t.job.old = plain;
        st = rewrite(&t.job, sink, &ngiven, &err);
        failed = fault.nfailed > 0;
        assert_int_equal(st, failed ? STOA_ERR_IO : STOA_OK);
        assert_int_equal(err.message[0] != '\0', failed);
        stoa_sink_close(sink);
    }
    reset_tables(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rewritten_file_is_the_one_written_at_once),
        cmocka_unit_test(what_is_derived_in_another_way_is_given),
        cmocka_unit_test(few_texts_are_copied_though_their_dictionaries_have_less_room),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_failing_allocation_of_a_look_is_reported),
        cmocka_unit_test(a_failing_read_or_write_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
