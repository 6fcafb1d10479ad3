/* Tiles and events of any text and dialect, held against the model. */
#include "csv/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "csv/index_kernels.h"
#include "support/csv_model.h"
#include "support/fault_alloc.h"
#include "support/random.h"

/* Copies a text to the end of a block with no more than the slack behind it. */
static char *with_slack(const char *text, size_t nbytes)
{
    char *copy = malloc(nbytes + STOA_CSV_SLACK);

    assert_non_null(copy);
    memcpy(copy, text, nbytes);
    memset(copy + nbytes, '\n', STOA_CSV_SLACK); /* what stands there must not matter */
    return copy;
}

/* What the tiles of a text are held against, record by record. */
struct check {
    const struct stoa_csv_options *options;
    const struct stoa_test_csv *model;
    const char *text;
    size_t ncolumns;
    size_t record; /* of the model: the next one */
    uint64_t row;
};

static bool model_is_blank(const struct check *check, const struct stoa_test_csv_record *record)
{
    return check->ncolumns > 1 && record->nfields == 1 && !record->trailing &&
           record->fields[0].nbytes == 0 && !record->fields[0].quoted;
}

/* What becomes of a record: its kind of event, or -1 for a row and nothing else. */
static int expected_kind(const struct check *check, const struct stoa_test_csv_record *record)
{
    const unsigned wanted = record->nfields < check->ncolumns ? STOA_CSV_PAD : STOA_CSV_TRUNCATE;

    if (record->nfields == 0)
        return STOA_CSV_COMMENT;
    if (record->fault != STOA_TEST_CSV_FINE)
        return STOA_CSV_FAULTY;
    if (model_is_blank(check, record))
        return STOA_CSV_BLANK;
    if (record->nfields == check->ncolumns)
        return -1;
    return (check->options->ragged & wanted) != 0 ? STOA_CSV_RAGGED : STOA_CSV_FAULTY;
}

static void check_row(struct check *check, const struct stoa_csv_tile *tile, uint32_t r)
{
    const struct stoa_test_csv_record *record = &check->model->records[check->record];
    const uint32_t *ends = tile->ends + (size_t)r * tile->stride;

    assert_int_equal(tile->row_begins[r], record->begin);
    assert_int_equal(tile->row_ends[r], record->end);
    for (size_t c = 0; c < tile->stride; c++) {
        size_t begin = c == 0 ? tile->row_begins[r] : ends[c - 1] + 1;
        bool is_trailing = c == check->ncolumns;

        if (is_trailing ? record->trailing && record->nfields == check->ncolumns
                        : c < record->nfields) {
            assert_int_equal(begin, record->fields[c].begin);
            assert_int_equal(ends[c], record->fields[c].end);
        } else {
            assert_true(begin > ends[c]);
        }
        if (!is_trailing && c < record->nfields && record->fields[c].quoted)
            assert_true(tile->has_quotes);
    }
    check->record++;
    check->row++;
}

static void check_event(struct check *check, const struct stoa_csv_event *event)
{
    static const enum stoa_csv_fault faults[] = {
        [STOA_TEST_CSV_FINE] = STOA_CSV_FINE,
        [STOA_TEST_CSV_OPEN_QUOTE] = STOA_CSV_OPEN_QUOTE,
        [STOA_TEST_CSV_AFTER_QUOTE] = STOA_CSV_TEXT_AFTER_QUOTE,
        [STOA_TEST_CSV_STRAY_QUOTE] = STOA_CSV_STRAY_QUOTE,
    };
    const struct stoa_test_csv_record *record = &check->model->records[check->record];
    enum stoa_csv_fault fault = faults[record->fault];

    assert_int_equal(event->kind, expected_kind(check, record));
    if (fault == STOA_CSV_FINE && event->kind >= STOA_CSV_RAGGED)
        fault = record->nfields < check->ncolumns ? STOA_CSV_FEWER_FIELDS : STOA_CSV_MORE_FIELDS;
    assert_int_equal(event->fault, fault);
    assert_int_equal(event->row, check->row);
    assert_int_equal(event->begin, record->begin);
    assert_int_equal(event->end, record->end);
    assert_int_equal(event->nfields, record->nfields);
    if (event->kind >= STOA_CSV_RAGGED) {
        assert_in_range(event->fault_at, record->begin, record->end);
        assert_true(event->fault_field <= record->nfields);
    }
    if (event->kind != STOA_CSV_RAGGED) /* else the row itself comes next */
        check->record++;
}

/* Reads a text through an index that was used before, and looks at all of it. */
static void check_tiles(struct stoa_csv_index *index, const char *text, size_t nbytes,
                        const struct stoa_csv_options *options, size_t ncolumns)
{
    struct stoa_test_csv model;
    struct check check = {.options = options, .model = &model, .text = text, .ncolumns = ncolumns};

    stoa_test_csv_parse(text, nbytes, options, &model);
    assert_int_equal(stoa_csv_index_start(index, text, nbytes, NULL), STOA_OK);
    for (stoa_csv_index_next(index); !stoa_csv_index_at_end(index); stoa_csv_index_next(index)) {
        size_t e = 0;

        assert_ptr_equal(index->tile.text, text);
        assert_int_equal(index->tile.row, check.row);
        assert_true(index->tile.nrows <= STOA_CSV_TILE_NROWS);
        for (uint32_t r = 0; r < index->tile.nrows; r++) {
            while (e < index->nevents && index->events[e].row == check.row)
                check_event(&check, &index->events[e++]);
            assert_true(check.record < model.nrecords);
            check_row(&check, &index->tile, r);
        }
        while (e < index->nevents)
            check_event(&check, &index->events[e++]);
    }
    assert_int_equal(check.record, model.nrecords);
    stoa_test_csv_free(&model);
}

/* With each kind of kernel that there is, and with none. */
static void check_text(struct stoa_csv_index *index, const char *text, size_t nbytes,
                       const struct stoa_csv_options *options, size_t ncolumns)
{
    const struct stoa_csv_kernels *best = index->kernels;

    check_tiles(index, text, nbytes, options, ncolumns);
    index->kernels = &stoa_csv_kernels_scalar;
    check_tiles(index, text, nbytes, options, ncolumns);
    index->kernels = NULL;
    check_tiles(index, text, nbytes, options, ncolumns);
    index->kernels = best;
}

static void any_text_is_indexed_as_the_model_says(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "any_text_is_indexed_as_the_model_says");
    for (size_t n = stoa_test_ncases(2000); n > 0; n--) {
        const struct stoa_csv_options options = stoa_test_random_one_in(&r, 3)
                                                    ? (struct stoa_csv_options){0}
                                                    : stoa_test_csv_dialect(&r);
        const size_t ncolumns = (size_t)stoa_test_random_between(&r, 1, 4);
        struct stoa_csv_dialect dialect;
        struct stoa_csv_index index;

        stoa_csv_dialect_init(&dialect, &options);
        stoa_csv_index_init(&index, &dialect, (uint32_t)ncolumns);
        for (int k = 0; k < 4; k++) {
            size_t nbytes;
            char *noise =
                stoa_test_random_one_in(&r, 2)
                    ? stoa_test_csv_file(&r, stoa_test_random_below(&r, 60), ncolumns, &nbytes)
                    : stoa_test_csv_dialect_noise(&r, &options, 700, &nbytes);
            char *text = with_slack(noise, nbytes);

            check_text(&index, text, nbytes, &options, ncolumns);
            free(text);
            free(noise);
        }
        stoa_csv_index_reset(&index);
    }
}

static void what_is_no_row_is_an_event_in_its_place(void **state)
{
    (void)state;
    static const struct stoa_csv_options options = {.comment = '#', .ragged = STOA_CSV_PAD};
    static const char text[] = "1,2\n\n3\n#x\r\n4,5,6\n7,8\n\"9";
    static const struct stoa_csv_event expected[] = {
        {STOA_CSV_BLANK, STOA_CSV_FINE, 1, 4, 5, 0, 0, 1},
        {STOA_CSV_RAGGED, STOA_CSV_FEWER_FIELDS, 1, 5, 7, 6, 1, 1},
        {STOA_CSV_COMMENT, STOA_CSV_FINE, 2, 7, 11, 0, 0, 0},
        {STOA_CSV_FAULTY, STOA_CSV_MORE_FIELDS, 2, 11, 17, 15, 2, 3},
        {STOA_CSV_FAULTY, STOA_CSV_OPEN_QUOTE, 3, 21, 23, 21, 0, 1},
    };
    const size_t nevents = sizeof(expected) / sizeof(expected[0]);
    char *copy = with_slack(text, sizeof(text) - 1);
    struct stoa_csv_dialect dialect;
    struct stoa_csv_index index;

    stoa_csv_dialect_init(&dialect, &options);
    stoa_csv_index_init(&index, &dialect, 2);
    assert_int_equal(stoa_csv_index_start(&index, copy, sizeof(text) - 1, NULL), STOA_OK);
    stoa_csv_index_next(&index);
    assert_int_equal(index.tile.nrows, 3);
    assert_int_equal(index.nevents, nevents);
    for (size_t i = 0; i < nevents; i++) {
        const struct stoa_csv_event *got = &index.events[i], *want = &expected[i];

        assert_int_equal(got->kind, want->kind);
        assert_int_equal(got->fault, want->fault);
        assert_int_equal(got->row, want->row);
        assert_int_equal(got->begin, want->begin);
        assert_int_equal(got->end, want->end);
        assert_int_equal(got->nfields, want->nfields);
        if (want->fault != STOA_CSV_FINE) {
            assert_int_equal(got->fault_at, want->fault_at);
            assert_int_equal(got->fault_field, want->fault_field);
        }
    }
    stoa_csv_index_next(&index);
    assert_true(stoa_csv_index_at_end(&index));
    stoa_csv_index_reset(&index);
    free(copy);
}

/* Texts whose records are many, or large in some way. */
static void tiles_end_where_they_must(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        size_t nrecords;
        size_t ncolumns;
    } cases[] = {
        {"1,2\n", 5000, 2}, {"\n", 5000, 2},      {"\n1,2\r\n", 3000, 2},  {"1\n", 2500, 1},
        {"\n", 2500, 1},    {"1,2,3\n", 3000, 2}, {"\"\n\",x\n", 2000, 2}, {"5\",\"x\"\n", 2000, 2},
    };
    static const struct stoa_csv_options options = {0};
    struct stoa_csv_dialect dialect;

    stoa_csv_dialect_init(&dialect, &options);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t n = strlen(cases[i].record);
        char *text = malloc(n * cases[i].nrecords + STOA_CSV_SLACK);
        struct stoa_csv_index index;

        assert_non_null(text);
        for (size_t k = 0; k < cases[i].nrecords; k++)
            memcpy(text + k * n, cases[i].record, n);
        memset(text + n * cases[i].nrecords, 0, STOA_CSV_SLACK);
        stoa_csv_index_init(&index, &dialect, (uint32_t)cases[i].ncolumns);
        check_text(&index, text, n * cases[i].nrecords, &options, cases[i].ncolumns);
        stoa_csv_index_reset(&index);
        free(text);
    }
}

static void a_first_quote_far_behind_is_one(void **state)
{
    (void)state;
    enum { NPLAIN = 20480 };
    static const char first[] = "\"1\n\",2\n3,\"\"\"4\"\n\"5,6";
    static const struct stoa_csv_options options = {0};
    const size_t nbytes = 4 * NPLAIN + sizeof(first) - 1;
    char *text = calloc(nbytes + STOA_CSV_SLACK, 1);
    struct stoa_csv_dialect dialect;
    struct stoa_csv_index index;

    assert_non_null(text);
    for (size_t i = 0; i < NPLAIN; i++)
        memcpy(text + 4 * i, "1,2\n", 4);
    memcpy(text + (size_t)4 * NPLAIN, first, sizeof(first) - 1);
    stoa_csv_dialect_init(&dialect, &options);
    stoa_csv_index_init(&index, &dialect, 2);
    check_text(&index, text, nbytes, &options, 2);
    stoa_csv_index_reset(&index);
    free(text);
}

static void sixty_thousand_columns_are_one_row_after_the_other(void **state)
{
    (void)state;
    enum { NCOLUMNS = 60000, NRECORDS = 3 };
    static const struct stoa_csv_options options = {0};
    const size_t record_nbytes = 2 * NCOLUMNS, nbytes = NRECORDS * record_nbytes;
    char *text = malloc(nbytes + STOA_CSV_SLACK);
    struct stoa_csv_dialect dialect;
    struct stoa_csv_index index;

    assert_non_null(text);
    memset(text, 0, nbytes + STOA_CSV_SLACK);
    for (size_t i = 0; i < nbytes; i += 2) {
        text[i] = 'x';
        text[i + 1] = (i + 2) % record_nbytes == 0 ? '\n' : ',';
    }
    stoa_csv_dialect_init(&dialect, &options);
    for (uint32_t ncolumns = NCOLUMNS - 1; ncolumns <= NCOLUMNS + 1; ncolumns++) {
        stoa_csv_index_init(&index, &dialect, ncolumns);
        check_text(&index, text, nbytes, &options, ncolumns);
        stoa_csv_index_reset(&index);
    }
    free(text);
}

static enum stoa_status indexes_some_rows(void *context, struct stoa_error *err)
{
    static const struct stoa_csv_options options = {0};
    struct stoa_csv_dialect dialect;
    struct stoa_csv_index index;
    enum stoa_status st;

    stoa_csv_dialect_init(&dialect, &options);
    stoa_csv_index_init(&index, &dialect, 2);
    st = stoa_csv_index_start(&index, context, 8, err);
    if (st == STOA_OK) {
        stoa_csv_index_next(&index);
        assert_int_equal(index.tile.nrows, 2);
    }
    stoa_csv_index_reset(&index);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    char text[8 + STOA_CSV_SLACK] = "1,2\n3,4\n";

    stoa_test_each_failing_alloc(indexes_some_rows, text);
}

static void a_text_of_4_gib_is_refused(void **state)
{
    (void)state;
    static const struct stoa_csv_options options = {0};
    struct stoa_error err = {0};
    struct stoa_csv_dialect dialect;
    struct stoa_csv_index index;

    stoa_csv_dialect_init(&dialect, &options);
    stoa_csv_index_init(&index, &dialect, 2);
    assert_int_equal(stoa_csv_index_start(&index, "", STOA_CSV_MOST_NBYTES + 1, &err),
                     STOA_ERR_LIMIT);
    assert_string_equal(err.message, "a unit of CSV text of 4 GiB or more");
    stoa_csv_index_reset(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_text_is_indexed_as_the_model_says),
        cmocka_unit_test(what_is_no_row_is_an_event_in_its_place),
        cmocka_unit_test(tiles_end_where_they_must),
        cmocka_unit_test(a_first_quote_far_behind_is_one),
        cmocka_unit_test(sixty_thousand_columns_are_one_row_after_the_other),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_text_of_4_gib_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
