/*
 * Recovering with nulls: a row group of which anything is left is kept, exactly the rows of lost
 * pages are null, each of them is named, and no other value has changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "column/array_cast.h"
#include "file/layout.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/recovery.h"
#include "support/survivors.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 997, NSPANS = 60 };
#else
enum { STEP = 37, NSPANS = 600 };
#endif

enum { MAX_NROWS = 512 };

struct subject {
    struct stoa_test_table table;
    struct stoa_test_anatomy anatomy;
    uint8_t *work; /* a damaged file: room for twice the file */
    size_t nruns, nnulls;
};

static void subject_init(struct subject *subject, bool nested)
{
    *subject = (struct subject){0};
    stoa_test_small_pages_make(nested, &subject->table);
    stoa_test_anatomy_init(&subject->anatomy, &subject->table.file);
    subject->work = malloc(subject->table.file.nbytes * 2);
    assert_non_null(subject->work);
}

static void subject_reset(struct subject *subject)
{
    stoa_test_anatomy_reset(&subject->anatomy);
    stoa_test_table_reset(&subject->table);
    free(subject->work);
}

/* ---- What must come out. ---- */

/* Marks the rows of a column of a row group that are lost; false: a damaged footer decides. */
static bool lost_rows(const struct subject *subject, const struct stoa_test_damaged *damaged,
                      size_t group, size_t column, bool *lost)
{
    for (size_t row = 0; row < subject->table.batches[group].nrows; row++) {
        enum stoa_test_fate fate =
            stoa_test_fate_of_row(&subject->anatomy, damaged, group, column, row);

        if (fate == STOA_TEST_MAYBE)
            return false;
        lost[row] = fate == STOA_TEST_LOST;
    }
    return true;
}

/* The column with nulls for lost rows. */
static void make_expected(const struct stoa_field *field, const struct stoa_array *column,
                          const bool *lost, struct stoa_array *out)
{
    const struct stoa_array *arrays[MAX_NROWS] = {NULL};
    struct stoa_array pieces[MAX_NROWS];
    struct stoa_error err;
    size_t n = 0;

    for (size_t begin = 0, end; begin < column->nvalues; begin = end, n++) {
        enum stoa_status st;

        for (end = begin + 1; end < column->nvalues && lost[end] == lost[begin];)
            end++;
        st = lost[begin] ? stoa_array_nulls(field, end - begin, &pieces[n], &err)
                         : stoa_array_slice(field, column, begin, end, &pieces[n], &err);
        if (st != STOA_OK)
            fail_msg("%s", err.message);
        arrays[n] = &pieces[n];
    }
    if (stoa_array_concat(field, arrays, n, out, &err) != STOA_OK)
        fail_msg("%s", err.message);
    while (n-- > 0)
        stoa_array_reset(&pieces[n]);
}

/* The rows of a column that losses name; each may be named once. */
static void named_rows(const struct stoa_test_recovery *run, const char *column, uint64_t first_row,
                       size_t nrows, bool *named)
{
    memset(named, 0, nrows);
    for (size_t i = 0; i < run->nlosses; i++) {
        const struct stoa_recover_loss *loss = &run->losses[i].loss;

        if (loss->column == NULL || strcmp(run->losses[i].column, column) != 0)
            continue;
        for (uint64_t row = loss->first_row; row < loss->first_row + loss->nrows; row++) {
            if (row < first_row || row >= first_row + nrows)
                continue;
            assert_false(named[row - first_row]);
            named[row - first_row] = true;
        }
    }
}

/* ---- What did. ---- */

struct output {
    struct stoa_source *source;
    struct stoa_reader *reader; /* NULL: nothing was recovered */
    const struct stoa_schema *schema;
    uint32_t next; /* row group */
};

static void output_open(struct output *output, const struct stoa_test_recovery *run)
{
    struct stoa_error err;

    *output = (struct output){0};
    if (run->st != STOA_OK)
        return;
    stoa_test_verify_deep(run->bytes, run->nbytes);
    assert_int_equal(stoa_source_open_memory(run->bytes, run->nbytes, "out", &output->source, &err),
                     STOA_OK);
    assert_int_equal(stoa_reader_open(output->source, NULL, &output->reader, &err), STOA_OK);
    assert_int_equal(stoa_reader_schema(output->reader, &output->schema, &err), STOA_OK);
}

static void output_close(struct output *output)
{
    stoa_reader_close(output->reader);
    stoa_source_close(output->source);
}

static void read_column(struct output *output, uint32_t column, size_t nrows,
                        struct stoa_array *out)
{
    struct stoa_row_group info;
    struct stoa_error err;

    if (stoa_reader_row_group(output->reader, output->next, &info, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(info.nrows, nrows);
    if (stoa_reader_column(output->reader, output->next, column, (struct stoa_rows){0, nrows}, out,
                           NULL, &err) != STOA_OK)
        fail_msg("%s", err.message);
}

/* Row group `group` of the table against the next one of the output, if any of it is left. */
static bool check_group(struct subject *subject, const struct stoa_test_damaged *damaged,
                        const struct stoa_test_recovery *run, struct output *output, size_t group,
                        uint64_t first_row)
{
    static bool lost[64][MAX_NROWS], named[MAX_NROWS];
    const struct stoa_batch *batch = &subject->table.batches[group];
    bool kept = false;

    for (uint32_t c = 0; c < batch->ncolumns; c++) {
        if (!lost_rows(subject, damaged, group, c, lost[c]))
            return false;
        kept |= memchr(lost[c], false, batch->nrows) != NULL;
    }
    for (uint32_t c = 0; kept && c < batch->ncolumns; c++) {
        const struct stoa_field *field = &subject->table.schema.fields[c];
        struct stoa_array expected = {0}, array = {0};

        if (output->reader == NULL)
            fail_msg("%s", run->err.message);
        make_expected(field, &batch->columns[c], lost[c], &expected);
        read_column(output, c, batch->nrows, &array);
        named_rows(run, field->name, first_row, batch->nrows, named);
        assert_true(stoa_array_equal(field, &expected, &array));
        assert_memory_equal(named, lost[c], batch->nrows);
        for (size_t row = 0; row < batch->nrows; row++)
            subject->nnulls += lost[c][row];
        stoa_array_reset(&expected);
        stoa_array_reset(&array);
    }
    output->next += kept;
    return true;
}

static void check(struct subject *subject, const struct stoa_test_damaged *damaged)
{
    struct stoa_test_recovery run;
    struct output output;
    uint64_t row = 0;
    bool is_known = true;

    stoa_test_recover(damaged->bytes, damaged->nbytes, true, &run);
    output_open(&output, &run);
    for (size_t g = 0; g < subject->table.nbatches && is_known; g++) {
        is_known = check_group(subject, damaged, &run, &output, g, row);
        row += subject->table.batches[g].nrows;
    }
    if (is_known && output.reader != NULL)
        assert_int_equal(output.next, stoa_reader_nrow_groups(output.reader));
    subject->nruns += is_known;
    output_close(&output);
    stoa_test_recovery_reset(&run);
}

/* ---- Tests. ---- */

static void rows_of_damaged_pages_become_null(void **state)
{
    struct subject subject;
    size_t nbytes;

    (void)state;
    subject_init(&subject, false);
    nbytes = subject.table.file.nbytes;
    memcpy(subject.work, subject.table.file.bytes, nbytes);
    for (size_t at = 0; at < nbytes; at += STEP) {
        struct stoa_test_damaged damaged = {subject.work, nbytes, 0};

        subject.work[at] ^= (uint8_t)(1 + at % 255);
        check(&subject, &damaged);
        subject.work[at] = subject.table.file.bytes[at];
    }
    print_message("# %zu wrong bytes, %zu nulls\n", subject.nruns, subject.nnulls);
    assert_true(subject.nruns > nbytes / STEP / 2 && subject.nnulls > subject.nruns);
    subject_reset(&subject);
}

static void rows_of_damaged_spans_become_null(void **state)
{
    struct stoa_test_random random;
    struct subject subject;

    (void)state;
    stoa_test_random_init(&random, "rows_of_damaged_spans_become_null");
    subject_init(&subject, false);
    for (size_t k = 0; k < stoa_test_ncases(NSPANS); k++) {
        struct stoa_test_damaged damaged = {.bytes = subject.work};
        size_t begin;

        damaged.nbytes =
            stoa_test_damage(&random, &subject.table.file, subject.work, &begin, &damaged.moved);
        check(&subject, &damaged);
    }
    print_message("# %zu spans, %zu nulls\n", subject.nruns, subject.nnulls);
    assert_true(subject.nruns > 0 && subject.nnulls > 0);
    subject_reset(&subject);
}

/* A row of a nested column is as it was, or null and named as lost. */
static void check_nested_row(const struct stoa_field *field, const struct stoa_array *before,
                             const struct stoa_array *after, bool named, size_t row, size_t *nnulls)
{
    struct stoa_array one = {0}, other = {0};
    struct stoa_error err;

    assert_int_equal(stoa_array_slice(field, before, row, row + 1, &one, &err), STOA_OK);
    assert_int_equal(stoa_array_slice(field, after, row, row + 1, &other, &err), STOA_OK);
    if (named)
        assert_int_equal(other.nnulls, field->type.id == STOA_NULL ? other.nnulls : 1);
    else
        assert_true(stoa_array_equal(field, &one, &other));
    *nnulls += named;
    stoa_array_reset(&one);
    stoa_array_reset(&other);
}

/* The row group of the table that has nrows rows: each has a number of its own. */
static size_t group_of(const struct stoa_test_table *table, uint64_t nrows, uint64_t *first_row)
{
    size_t g = 0;

    for (*first_row = 0; table->batches[g].nrows != nrows; g++) {
        *first_row += table->batches[g].nrows;
        assert_true(g + 1 < table->nbatches);
    }
    return g;
}

static void check_nested(struct subject *subject, const struct stoa_test_damaged *damaged)
{
    struct stoa_test_recovery run;
    struct output output;

    stoa_test_recover(damaged->bytes, damaged->nbytes, true, &run);
    output_open(&output, &run);
    for (; output.reader != NULL && output.next < stoa_reader_nrow_groups(output.reader);
         output.next++) {
        struct stoa_row_group info;
        struct stoa_error err;
        uint64_t first_row;
        size_t group;

        assert_int_equal(stoa_reader_row_group(output.reader, output.next, &info, &err), STOA_OK);
        group = group_of(&subject->table, info.nrows, &first_row);
        for (uint32_t c = 0; c < subject->table.schema.nfields; c++) {
            const struct stoa_field *field = &subject->table.schema.fields[c];
            struct stoa_array array = {0};
            bool named[MAX_NROWS];

            named_rows(&run, field->name, first_row, info.nrows, named);
            read_column(&output, c, info.nrows, &array);
            for (size_t row = 0; row < info.nrows; row++)
                check_nested_row(field, &subject->table.batches[group].columns[c], &array,
                                 named[row], row, &subject->nnulls);
            stoa_array_reset(&array);
        }
    }
    subject->nruns++;
    output_close(&output);
    stoa_test_recovery_reset(&run);
}

static void nested_columns_keep_what_can_be_read(void **state)
{
    struct stoa_test_random random;
    struct subject subject;

    (void)state;
    stoa_test_random_init(&random, "nested_columns_keep_what_can_be_read");
    subject_init(&subject, true);
    for (size_t k = 0; k < stoa_test_ncases(NSPANS / 4); k++) {
        struct stoa_test_damaged damaged = {.bytes = subject.work};
        size_t begin;

        damaged.nbytes =
            stoa_test_damage(&random, &subject.table.file, subject.work, &begin, &damaged.moved);
        check_nested(&subject, &damaged);
    }
    print_message("# %zu spans, %zu nulls\n", subject.nruns, subject.nnulls);
    assert_true(subject.nnulls > 0);
    subject_reset(&subject);
}

static enum stoa_status recovers(void *context, struct stoa_error *err)
{
    const struct stoa_test_file *file = context;
    const struct stoa_recover_options options = {.partial = true};
    struct stoa_recover_result result;
    struct stoa_source *source = NULL;
    struct stoa_sink *sink = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_source_open_memory(file->bytes, file->nbytes, "damaged", &source, err));
    STOA_TRY(stoa_sink_create_memory(&sink, err));
    STOA_TRY(stoa_recover(source, sink, &options, &result, err));
    assert_true(result.nvalues_lost > 0);
out:
    stoa_source_close(source);
    stoa_sink_close(sink);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    const size_t nrows[] = {30, 20};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_test_anatomy anatomy;
    struct stoa_test_random random;
    struct stoa_test_table table;
    struct stoa_schema schema = {0};

    (void)state;
    stoa_test_random_seed(&random, 7);
    rules.page_max_nbytes = 1200;
    stoa_test_add_column(&schema, "number", STOA_INT64, false);
    stoa_test_add_column(&schema, "other", STOA_INT64, true);
    stoa_test_table_make(&random, &schema, nrows, 2, &rules, &table);
    stoa_test_anatomy_init(&anatomy, &table.file);
    assert_true(anatomy.chunks[0].head.end > anatomy.chunks[0].head.begin);
    table.file.bytes[anatomy.chunks[0].bytes.end - 1] ^= 1;
    table.file.bytes[anatomy.chunks[3].head.begin] ^= 1;
    stoa_test_each_failing_alloc(recovers, &table.file);
    stoa_test_anatomy_reset(&anatomy);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_damaged_pages_become_null),
        cmocka_unit_test(rows_of_damaged_spans_become_null),
        cmocka_unit_test(nested_columns_keep_what_can_be_read),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
