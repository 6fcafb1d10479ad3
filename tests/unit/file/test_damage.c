/*
 * Damage: whatever bit is flipped and wherever a file is cut, reading it reports an error or gives
 * exactly the values that were written. Nothing is ever wrong in silence.
 *
 * Every bit and every length of all files of support/golden.h; a part of them under sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/scan.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/schema.h"
#include "support/golden.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 211, CUT_STEP = 23 };
#else
enum { STEP = 1, CUT_STEP = 1 };
#endif

/* Every encoding in one of the files. */
static enum stoa_status note_encoding(void *context, const char *encoding, uint32_t npages,
                                      struct stoa_error *err)
{
    (void)npages;
    (void)err;
    if (strstr(context, encoding) == NULL) {
        strcat(context, encoding);
        strcat(context, " ");
    }
    return STOA_OK;
}

static void the_files_have_every_type_and_encoding(void **state)
{
    static const char *const names[] = {"plain",  "const",  "pfor",  "delta",  "dict",  "rle",
                                        "sparse", "narrow", "+zstd", "linear", "lookup"};
    static char seen[65536];
    uint32_t types = 0;
    size_t nlocal = 0, nshared = 0, nbytes = 0;

    (void)state;
    for (size_t i = 0; i < STOA_TEST_NGOLDEN; i++) {
        struct stoa_test_table table;
        struct stoa_source *source;
        struct stoa_schema_node *nodes;
        struct stoa_reader *reader;
        struct stoa_error err;
        uint32_t nnodes;

        stoa_test_golden_make(i, &table);
        assert_in_range(table.file.nbytes, 4096, 65536);
        nbytes += table.file.nbytes;
        source = stoa_test_file_source(&table.file);
        assert_int_equal(stoa_reader_open(source, NULL, &reader, &err), STOA_OK);
        assert_int_equal(stoa_schema_nodes(&table.schema, &nodes, &nnodes, &err), STOA_OK);
        for (uint32_t n = 0; n < nnodes; n++) {
            types |= UINT32_C(1) << nodes[n].field->type.id;
            for (uint32_t g = 0; g < table.nbatches; g++) {
                struct stoa_chunk_info chunk;

                assert_int_equal(stoa_reader_encodings(reader, g, n, note_encoding, seen, &err),
                                 STOA_OK);
                assert_int_equal(stoa_reader_chunk(reader, g, n, &chunk, &err), STOA_OK);
                nlocal += chunk.local_dictionary;
                nshared += chunk.dictionary != UINT32_MAX;
            }
        }
        stoa_free(nodes);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_table_reset(&table);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(seen, names[i]) == NULL)
            fail_msg("no file has %s: %s", names[i], seen);
    assert_int_equal(__builtin_popcount(types), 28);
    assert_true(nlocal > 0 && nshared > 0);
    assert_true(nbytes * 8 >= 1000000);
}

/* What reading changed files came to. */
struct outcome {
    size_t nreported;
    size_t nharmless;
};

/* The rows that the table's predicate selects, as a scan of the intact file gives them. */
struct selection {
    struct stoa_filter *filter;
    struct stoa_batch batches[16];
    size_t nbatches;
};

/*
 * Scans a file; *equal: it gives the rows of `selection`. With `keep` these are set to what it
 * gives.
 */
static enum stoa_status scan(struct stoa_reader *reader, struct selection *selection, bool keep,
                             bool *equal, struct stoa_error *err)
{
    struct stoa_scan_options options = {.filter = selection->filter};
    struct stoa_scan *scan = NULL;
    struct stoa_batch batch = {0};
    size_t n = 0;
    enum stoa_status st;

    *equal = true;
    STOA_TRY(stoa_scan_open(reader, &options, &scan, err));
    for (;;) {
        STOA_TRY(stoa_scan_next(scan, &batch, err));
        if (batch.nrows == 0)
            break;
        if (keep) {
            assert_true(n < 16);
            selection->batches[n++] = batch;
            batch = (struct stoa_batch){0};
            continue;
        }
        *equal = *equal && n < selection->nbatches;
        for (uint32_t i = 0; i < batch.ncolumns && *equal; i++)
            *equal = stoa_array_equal(&batch.schema->fields[i], &batch.columns[i],
                                      &selection->batches[n].columns[i]);
        n++;
        stoa_batch_reset(&batch);
    }
    *equal = *equal && (keep || n == selection->nbatches);
    if (keep)
        selection->nbatches = n;
out:
    stoa_batch_reset(&batch);
    stoa_scan_close(scan);
    return st;
}

static void select_rows(const struct stoa_test_table *table, size_t i, struct selection *selection)
{
    struct stoa_source *source = stoa_test_file_source(&table->file);
    struct stoa_reader *reader;
    struct stoa_error err;
    bool equal;

    *selection = (struct selection){0};
    if (stoa_filter_parse(stoa_test_golden_filter(i), &selection->filter, &err) != STOA_OK ||
        stoa_reader_open(source, NULL, &reader, &err) != STOA_OK ||
        scan(reader, selection, true, &equal, &err) != STOA_OK)
        fail_msg("%s: %s", stoa_test_golden_name(i), err.message);
    assert_true(selection->nbatches > 0);
    stoa_reader_close(reader);
    stoa_source_close(source);
}

static void selection_reset(struct selection *selection)
{
    for (size_t i = 0; i < selection->nbatches; i++)
        stoa_batch_reset(&selection->batches[i]);
    stoa_filter_free(selection->filter);
}

static void count(enum stoa_status st, bool equal, const struct stoa_error *err, const char *what,
                  size_t where, struct outcome *outcome)
{
    if (st != STOA_OK) {
        assert_true(st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED);
        assert_true(err->message[0] != '\0');
        outcome->nreported++;
    } else if (equal) {
        outcome->nharmless++;
    } else {
        fail_msg("%s %zu changes values in silence", what, where);
    }
}

/* Reads everything, and through the predicate. */
static void read_changed(const struct stoa_test_table *table, struct selection *selection,
                         const char *what, size_t where, struct outcome *outcome)
{
    struct stoa_source *source = stoa_test_file_source(&table->file);
    struct stoa_reader *reader = NULL;
    struct stoa_error err = {0};
    bool equal = false;
    enum stoa_status st = stoa_reader_open(source, NULL, &reader, &err), of_scan = st;

    if (st == STOA_OK)
        st = stoa_test_table_compare(table, reader, &equal, &err);
    count(st, equal, &err, what, where, &outcome[0]);
    if (of_scan == STOA_OK)
        of_scan = scan(reader, selection, false, &equal, &err);
    count(of_scan, equal, &err, what, where, &outcome[1]);
    stoa_reader_close(reader);
    stoa_source_close(source);
}

static void every_flipped_bit_is_reported_or_harmless(void **state)
{
    struct outcome outcome[2] = {{0}};

    (void)state;
    for (size_t i = 0; i < STOA_TEST_NGOLDEN; i++) {
        struct stoa_test_table table;
        struct selection selection;

        stoa_test_golden_make(i, &table);
        select_rows(&table, i, &selection);
        for (size_t bit = 0; bit < table.file.nbytes * 8; bit += STEP) {
            table.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            read_changed(&table, &selection, "flipped bit", bit, outcome);
            table.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        selection_reset(&selection);
        stoa_test_table_reset(&table);
    }
    for (size_t k = 0; k < 2; k++) {
        print_message("# %s: %zu flips reported, %zu harmless\n", k == 0 ? "all rows" : "filtered",
                      outcome[k].nreported, outcome[k].nharmless);
        assert_true(outcome[k].nreported + outcome[k].nharmless >= 1000000 / STEP);
        assert_true(outcome[k].nreported > 2 * outcome[k].nharmless);
    }
}

static void every_truncation_is_reported(void **state)
{
    struct outcome outcome[2] = {{0}};

    (void)state;
    for (size_t i = 0; i < STOA_TEST_NGOLDEN; i++) {
        struct stoa_test_table table;
        struct selection selection;
        size_t nbytes;

        stoa_test_golden_make(i, &table);
        select_rows(&table, i, &selection);
        nbytes = table.file.nbytes;
        for (table.file.nbytes = 0; table.file.nbytes < nbytes; table.file.nbytes += CUT_STEP)
            read_changed(&table, &selection, "a file cut at", table.file.nbytes, outcome);
        table.file.nbytes = nbytes;
        selection_reset(&selection);
        stoa_test_table_reset(&table);
    }
    print_message("# %zu cuts reported\n", outcome[0].nreported);
    assert_int_equal(outcome[0].nharmless + outcome[1].nharmless, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_have_every_type_and_encoding),
        cmocka_unit_test(every_flipped_bit_is_reported_or_harmless),
        cmocka_unit_test(every_truncation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
