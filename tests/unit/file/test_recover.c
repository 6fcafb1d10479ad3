/*
 * Recovering: wherever a file is cut and whatever piece of it is overwritten, taken out or put in
 * between, exactly the row groups whose bytes are still there come back, every value as it was, and
 * the rows that don't are named. What must come back is worked out in support/survivors.h.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/recover.h>

#include "base/error.h"
#include "file/layout.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/golden.h"
#include "support/recovery.h"
#include "support/survivors.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 97, NSPANS = 60 };
#else
enum { STEP = 1, NSPANS = 1500 };
#endif

/* The golden files, and the two of support/survivors.h. */
#define NSUBJECTS (STOA_TEST_NGOLDEN + 2)

/* Every byte of the golden files; of the others, which are larger, some. */
static size_t step_of(size_t subject)
{
    return subject < STOA_TEST_NGOLDEN ? STEP : STEP * 131;
}

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- A table and what should be left of it. ---- */

struct subject {
    struct stoa_test_table table;
    struct stoa_test_anatomy anatomy;
    uint8_t *work;   /* a damaged file: room for twice the file */
    uint8_t *before; /* the output that was checked last, which many damages have in common */
    size_t before_nbytes;
    size_t before_kept; /* bit g: row group g is in it */
    size_t nrecovered, nruns, nmaybe;
};

static void subject_init(struct subject *subject, size_t i)
{
    *subject = (struct subject){0};
    if (i < STOA_TEST_NGOLDEN)
        stoa_test_golden_make(i, &subject->table);
    else
        stoa_test_small_pages_make(i > STOA_TEST_NGOLDEN, &subject->table);
    stoa_test_anatomy_init(&subject->anatomy, &subject->table.file);
    assert_true(subject->anatomy.ngroups == subject->table.nbatches);
    subject->work = malloc(subject->table.file.nbytes * 2);
    subject->before = malloc(subject->table.file.nbytes * 4);
    assert_true(subject->work != NULL && subject->before != NULL);
}

static void subject_reset(struct subject *subject)
{
    stoa_test_anatomy_reset(&subject->anatomy);
    stoa_test_table_reset(&subject->table);
    free(subject->work);
    free(subject->before);
}

static bool group_equal(const struct subject *subject, struct stoa_reader *reader, uint32_t from,
                        size_t group)
{
    const struct stoa_batch *batch = &subject->table.batches[group];
    struct stoa_row_group info;
    struct stoa_error err;
    bool equal = true;

    assert_int_equal(stoa_reader_row_group(reader, from, &info, &err), STOA_OK);
    if (info.nrows != batch->nrows)
        return false;
    for (uint32_t c = 0; c < batch->ncolumns && equal; c++) {
        struct stoa_array array = {0};

        if (stoa_reader_column(reader, from, c, (struct stoa_rows){0, info.nrows}, &array, NULL,
                               &err) != STOA_OK)
            fail_msg("%s", err.message);
        equal = stoa_array_equal(&subject->table.schema.fields[c], &array, &batch->columns[c]);
        stoa_array_reset(&array);
    }
    return equal;
}

/* Which row groups of the table the output has: bit g of the result. All of it must be some. */
static size_t groups_of(struct subject *subject, const struct stoa_test_recovery *run,
                        const size_t *fates, const char *what, size_t where)
{
    struct stoa_source *source;
    struct stoa_reader *reader;
    const struct stoa_schema *schema;
    struct stoa_error err;
    uint32_t next = 0, n;
    size_t kept = 0;

    if (run->nbytes == subject->before_nbytes &&
        memcmp(run->bytes, subject->before, run->nbytes) == 0)
        return subject->before_kept;
    stoa_test_verify_deep(run->bytes, run->nbytes);
    assert_int_equal(stoa_source_open_memory(run->bytes, run->nbytes, "out", &source, &err),
                     STOA_OK);
    assert_int_equal(stoa_reader_open(source, NULL, &reader, &err), STOA_OK);
    assert_int_equal(stoa_reader_schema(reader, &schema, &err), STOA_OK);
    assert_true(stoa_schema_equal(schema, &subject->table.schema));
    n = stoa_reader_nrow_groups(reader);
    for (size_t g = 0; g < subject->table.nbatches; g++) {
        if (next < n && fates[g] != STOA_TEST_LOST && group_equal(subject, reader, next, g)) {
            kept |= (size_t)1 << g;
            next++;
        }
    }
    if (next != n)
        fail_msg("%s at %zu: row group %u of the output is none of the input", what, where, next);
    stoa_reader_close(reader);
    stoa_source_close(source);
    memcpy(subject->before, run->bytes, run->nbytes);
    subject->before_nbytes = run->nbytes;
    subject->before_kept = kept;
    return kept;
}

/* Every row is in the output or in a loss, and never in both. */
static void check_losses(const struct subject *subject, const struct stoa_test_recovery *run,
                         size_t kept, const char *what, size_t where)
{
    uint64_t nlost = 0, row = 0, ntotal = 0;

    for (size_t g = 0; g < subject->table.nbatches; g++)
        ntotal += subject->table.batches[g].nrows;
    for (size_t g = 0; g < subject->table.nbatches; g++) {
        uint64_t nrows = subject->table.batches[g].nrows, in = 0;

        for (size_t i = 0; i < run->nlosses; i++) {
            const struct stoa_recover_loss *loss = &run->losses[i].loss;
            uint64_t begin = loss->first_row, end = ntotal;

            if (loss->stream != 0 || loss->column != NULL)
                fail_msg("%s at %zu: stream %u, %s", what, where, loss->stream, loss->reason);
            if (loss->nrows != STOA_RECOVER_UNKNOWN)
                end = begin + loss->nrows;
            begin = begin > row ? begin : row;
            end = end < row + nrows ? end : row + nrows;
            in += begin < end ? end - begin : 0;
        }
        if (in != ((kept >> g & 1) ? 0 : nrows)) {
            stoa_test_recovery_print(run);
            fail_msg("%s at %zu: %u of %u rows of group %zu are reported as lost", what, where,
                     (unsigned)in, (unsigned)nrows, g);
        }
        nlost += in;
        row += nrows;
    }
    if (!run->result.end_is_lost)
        assert_int_equal(run->result.nrows_lost, nlost);
    assert_int_equal(run->result.nrows + nlost, ntotal);
}

static void check(struct subject *subject, const struct stoa_test_damaged *damaged,
                  const char *what, size_t where)
{
    size_t fates[64], kept = 0, need = 0;
    struct stoa_test_recovery run;

    assert_true(subject->table.nbatches <= LENGTH_OF(fates));
    for (size_t g = 0; g < subject->table.nbatches; g++) {
        fates[g] = stoa_test_fate_of_group(&subject->anatomy, damaged, g);
        need |= (size_t)(fates[g] == STOA_TEST_SURVIVES) << g;
        subject->nmaybe += fates[g] == STOA_TEST_MAYBE;
    }
    stoa_test_recover(damaged->bytes, damaged->nbytes, false, &run);
    if (run.st == STOA_OK)
        kept = groups_of(subject, &run, fates, what, where);
    else if (run.st != STOA_ERR_CORRUPT)
        fail_msg("%s at %zu: %s", what, where, run.err.message);
    if ((need & ~kept) != 0)
        fail_msg("%s at %zu: row groups %zx are whole and missing (%s)", what, where, need & ~kept,
                 run.err.message);
    if (run.st == STOA_OK || run.nlosses > 0)
        check_losses(subject, &run, kept, what, where);
    subject->nrecovered += kept != 0;
    subject->nruns++;
    stoa_test_recovery_reset(&run);
}

/* ---- Tests. ---- */

static void a_whole_file_comes_back_as_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < NSUBJECTS; i++) {
        struct subject subject;
        struct stoa_test_recovery run, again;

        subject_init(&subject, i);
        stoa_test_recover(subject.table.file.bytes, subject.table.file.nbytes, false, &run);
        if (run.st != STOA_OK)
            fail_msg("%s", run.err.message);
        assert_int_equal(run.result.nlosses, 0);
        assert_int_equal(run.result.nstreams, 1);
        stoa_test_recover(run.bytes, run.nbytes, false, &again);
        assert_int_equal(again.st, STOA_OK);
        assert_int_equal(again.nbytes, run.nbytes);
        assert_memory_equal(again.bytes, run.bytes, run.nbytes);
        stoa_test_recovery_reset(&again);
        stoa_test_recovery_reset(&run);
        subject_reset(&subject);
    }
}

static void every_cut_gives_the_row_groups_in_front_of_it(void **state)
{
    size_t nruns = 0, nrecovered = 0;

    (void)state;
    for (size_t i = 0; i < NSUBJECTS; i++) {
        struct subject subject;

        subject_init(&subject, i);
        for (size_t n = 0; n < subject.table.file.nbytes; n += step_of(i)) {
            struct stoa_test_damaged damaged = {subject.table.file.bytes, n, 0};

            check(&subject, &damaged, "cut", n);
        }
        assert_int_equal(subject.nmaybe, 0);
        nruns += subject.nruns;
        nrecovered += subject.nrecovered;
        subject_reset(&subject);
    }
    print_message("# %zu cuts, rows recovered from %zu\n", nruns, nrecovered);
    assert_true(nrecovered > nruns / 4);
}

static void every_byte_may_be_wrong(void **state)
{
    size_t nruns = 0, nmaybe = 0;

    (void)state;
    for (size_t i = 0; i < NSUBJECTS; i++) {
        struct subject subject;
        size_t nbytes;

        subject_init(&subject, i);
        nbytes = subject.table.file.nbytes;
        memcpy(subject.work, subject.table.file.bytes, nbytes);
        for (size_t at = 0; at < nbytes; at += step_of(i)) {
            struct stoa_test_damaged damaged = {subject.work, nbytes, 0};

            subject.work[at] ^= (uint8_t)(1 + at % 255);
            check(&subject, &damaged, "wrong byte", at);
            subject.work[at] = subject.table.file.bytes[at];
        }
        nruns += subject.nruns;
        nmaybe += subject.nmaybe;
        subject_reset(&subject);
    }
    print_message("# %zu wrong bytes\n", nruns);
    assert_true(nmaybe < nruns / 10);
}

static void any_span_may_be_wrong_missing_or_too_much(void **state)
{
    struct stoa_test_random random;
    size_t nruns = 0, nmaybe = 0;

    (void)state;
    stoa_test_random_init(&random, "any_span_may_be_wrong_missing_or_too_much");
    for (size_t i = 0; i < NSUBJECTS; i++) {
        struct subject subject;

        subject_init(&subject, i);
        for (size_t k = 0; k < stoa_test_ncases(i < STOA_TEST_NGOLDEN ? NSPANS : NSPANS / 8); k++) {
            struct stoa_test_damaged damaged = {.bytes = subject.work};
            size_t begin;

            damaged.nbytes = stoa_test_damage(&random, &subject.table.file, subject.work, &begin,
                                              &damaged.moved);
            check(&subject, &damaged, "span", begin);
        }
        nruns += subject.nruns;
        nmaybe += subject.nmaybe;
        subject_reset(&subject);
    }
    print_message("# %zu damaged spans\n", nruns);
    assert_true(nmaybe < nruns);
}

static enum stoa_status recovers(void *context, struct stoa_error *err)
{
    const struct stoa_test_file *file = context;
    struct stoa_recover_result result;
    struct stoa_source *source = NULL;
    struct stoa_sink *sink = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_source_open_memory(file->bytes, file->nbytes, "damaged", &source, err));
    STOA_TRY(stoa_sink_create_memory(&sink, err));
    STOA_TRY(stoa_recover(source, sink, NULL, &result, err));
    assert_true(result.nrows > 0);
out:
    stoa_source_close(source);
    stoa_sink_close(sink);
    return st;
}

/* A table with shared dictionaries and several row groups, one of which is damaged. */
static void make_damaged(struct stoa_test_table *table)
{
    struct stoa_test_anatomy anatomy;
    size_t i = 0;

    while (strcmp(stoa_test_golden_name(i), "groups") != 0)
        i++;
    stoa_test_golden_make(i, table);
    stoa_test_anatomy_init(&anatomy, &table->file);
    for (size_t k = 0, n = 0; k < anatomy.npieces; k++) {
        if (anatomy.pieces[k].kind == STOA_OBJECT_ROW_GROUP && n++ == 1)
            table->file.bytes[anatomy.pieces[k].header.begin + 20] ^= 1;
        if (anatomy.pieces[k].kind == STOA_OBJECT_DICT && k < 3)
            table->file.bytes[anatomy.pieces[k].body.begin] ^= 1;
    }
    stoa_test_anatomy_reset(&anatomy);
}

static void a_failing_allocation_is_reported(void **state)
{
    struct stoa_test_table table;

    (void)state;
    make_damaged(&table);
    stoa_test_each_failing_alloc(recovers, &table.file);
    stoa_test_table_reset(&table);
}

/* Each read and write fails once: never taken for damage, never a finished file. */
static void a_failing_read_or_write_is_reported(void **state)
{
    struct stoa_test_table table;
    uint64_t at = 1;
    bool failed = true;

    (void)state;
    make_damaged(&table);
    for (; failed; at++) {
        struct stoa_test_io_fault fault = {.fail_at = at, .os_errno = EIO};
        struct stoa_recover_result result;
        struct stoa_source *source;
        struct stoa_sink *sink;
        struct stoa_error err;
        enum stoa_status st;

        assert_int_equal(stoa_sink_create_memory(&sink, &err), STOA_OK);
        source = stoa_test_faulty_source(stoa_test_file_source(&table.file), &fault);
        sink = stoa_test_faulty_sink(sink, &fault);
        st = stoa_recover(source, sink, NULL, &result, &err);
        failed = fault.nfailed > 0;
        assert_int_equal(st, failed ? STOA_ERR_IO : STOA_OK);
        if (failed)
            assert_int_equal(err.os_errno, EIO);
        stoa_source_close(source);
        stoa_sink_close(sink);
    }
    assert_true(at > 50);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_comes_back_as_it_is),
        cmocka_unit_test(every_cut_gives_the_row_groups_in_front_of_it),
        cmocka_unit_test(every_byte_may_be_wrong),
        cmocka_unit_test(any_span_may_be_wrong_missing_or_too_much),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_failing_read_or_write_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
