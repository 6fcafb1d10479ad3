/* Units of records: the same whatever the reads are, held against the scalar model. */
#include "csv/cut.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "csv/index_kernels.h"
#include "csv/record.h"
#include "support/csv_model.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/random.h"

/* A text that is cut, and how it is read. */
struct job {
    const char *text;
    size_t nbytes;
    size_t nhead;                           /* of these are in the cutter from the start */
    const struct stoa_csv_kernels *kernels; /* NULL: what the cutter takes by itself */
    bool passes_large;
    struct stoa_csv_spares *spares; /* where the memory of each unit goes to, or NULL */
    struct stoa_csv_options options;
    struct stoa_test_io_fault fault;
};

/* The units that were cut, one text behind the other. */
struct cuts {
    struct stoa_csv_text units[4096];
    size_t nunits;
};

static void cuts_free(struct cuts *cuts)
{
    for (size_t i = 0; i < cuts->nunits; i++)
        stoa_free(cuts->units[i].text);
    free(cuts);
}

/* Gives the memory of a unit back, and keeps a copy of its text. */
static enum stoa_status recycle(struct stoa_csv_spares *spares, struct stoa_csv_text *unit,
                                struct stoa_error *err)
{
    const struct stoa_buffer block = {(uint8_t *)unit->text, unit->nwritten, unit->capacity};
    const size_t nbytes = unit->nbytes + STOA_CSV_SLACK;
    char *copy = NULL;
    enum stoa_status st = stoa_alloc(&copy, nbytes, err);

    assert_in_range(unit->nwritten, nbytes, unit->capacity);
    if (st == STOA_OK)
        memcpy(copy, unit->text, nbytes);
    unit->text = copy;
    memset(block.data, 'x', block.nbytes);
    stoa_csv_spares_give(spares, block, 0);
    return st;
}

/* Cuts all of the job; *out is freed again when that fails. */
static enum stoa_status cut(struct job *job, struct cuts **out, struct stoa_error *err)
{
    struct stoa_stream *stream = NULL;
    struct stoa_csv_cutter cutter;
    struct stoa_buffer head = {0};
    struct cuts *cuts = calloc(1, sizeof(*cuts));
    enum stoa_status st;

    assert_non_null(cuts);
    st = stoa_stream_open_memory(job->text + job->nhead, job->nbytes - job->nhead, "t.csv", &stream,
                                 err);
    if (st == STOA_OK)
        st = stoa_buffer_append(&head, job->text, job->nhead, err);
    if (st != STOA_OK) {
        stoa_stream_close(stream);
        free(cuts);
        return st;
    }
    stream = stoa_test_faulty_stream(stream, &job->fault);
    stoa_csv_cutter_init(&cutter, stream, &job->options, &head);
    if (job->kernels != NULL)
        cutter.kernels = job->kernels;
    cutter.spares = job->spares;
    cutter.passes_large = job->passes_large;
    for (bool at_end = false; st == STOA_OK && !at_end;) {
        struct stoa_csv_text *unit = &cuts->units[cuts->nunits];

        assert_true(cuts->nunits < sizeof(cuts->units) / sizeof(cuts->units[0]));
        st = stoa_csv_cutter_next(&cutter, unit, err);
        at_end = unit->text == NULL;
        cuts->nunits += st == STOA_OK;
        if (st == STOA_OK && !at_end && job->spares != NULL)
            st = recycle(job->spares, unit, err);
    }
    stoa_csv_cutter_reset(&cutter);
    stoa_stream_close(stream);
    if (st == STOA_OK)
        *out = cuts;
    else
        cuts_free(cuts);
    return st;
}

/* How many of the records from `first` on the rules put into one unit. */
static size_t expected_nrecords(const struct stoa_test_csv *model, size_t first,
                                const struct stoa_csv_options *options)
{
    size_t n = 1;

    while (first + n < model->nrecords && n < options->unit_nrows &&
           model->records[first + n].end - model->records[first].begin <= options->unit_nbytes)
        n++;
    return n;
}

static void assert_equals_model(const struct job *job, const struct cuts *cuts)
{
    struct stoa_test_csv model;
    size_t i = 0;

    stoa_test_csv_parse(job->text, job->nbytes, &job->options, &model);
    for (size_t u = 0; u + 1 < cuts->nunits; u++) {
        const struct stoa_csv_text *unit = &cuts->units[u];
        const struct stoa_test_csv_record *first = &model.records[i];
        size_t nrecords;

        assert_true(i < model.nrecords);
        nrecords = expected_nrecords(&model, i, &job->options);
        i += nrecords;
        assert_int_equal(unit->nrecords, nrecords);
        assert_int_equal(unit->offset, first->begin);
        assert_int_equal(unit->line, first->line);
        assert_int_equal(unit->nbytes, model.records[i - 1].end - first->begin);
        assert_memory_equal(unit->text, job->text + first->begin, unit->nbytes);
        for (size_t k = 0; k < STOA_CSV_SLACK; k++)
            assert_int_equal(unit->text[unit->nbytes + k], 0);
    }
    assert_int_equal(i, model.nrecords);
    assert_null(cuts->units[cuts->nunits - 1].text);
    stoa_test_csv_free(&model);
}

static void any_text_is_cut_where_the_scalar_model_does(void **state)
{
    (void)state;
    static const size_t reads[] = {1, 2, 3, 7, 64, 65, 127, 1000, 5000, 0};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "any_text_is_cut_where_the_scalar_model_does");
    for (size_t n = stoa_test_ncases(5000); n > 0; n--) {
        struct stoa_error err = {0};
        struct job job = {
            .kernels = stoa_test_random_one_in(&r, 3) ? &stoa_csv_kernels_scalar : NULL,
            .fault = {.max_read = reads[stoa_test_random_below(&r, 10)]},
        };
        struct cuts *cuts;
        char *text;

        if (stoa_test_random_one_in(&r, 2))
            job.options = stoa_test_csv_dialect(&r);
        job.options.header_nrecords = -1;
        job.options.unit_nrows = (uint32_t)stoa_test_random_between(&r, 1, 40);
        job.options.unit_nbytes = 1 + stoa_test_random_wide(&r) % 5000;
        text = stoa_test_random_one_in(&r, 2)
                   ? stoa_test_csv_dialect_noise(&r, &job.options, 700, &job.nbytes)
                   : stoa_test_csv_file(&r, stoa_test_random_below(&r, 60), 4, &job.nbytes);

        job.text = text;
        if (stoa_test_random_one_in(&r, 2))
            job.nhead = (size_t)stoa_test_random_below(&r, job.nbytes + 1);
        assert_int_equal(cut(&job, &cuts, &err), STOA_OK);
        assert_equals_model(&job, cuts);
        cuts_free(cuts);
        free(text);
    }
}

static void a_text_of_many_reads_is_cut_as_the_model_does(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "a_text_of_many_reads_is_cut_as_the_model_does");
    for (int round = 0; round < 4; round++) {
        const bool quoted = round % 2 != 0;
        struct stoa_csv_spares spares;
        struct stoa_error err = {0};
        struct job job = {
            .spares = round / 2 != 0 ? &spares : NULL,
            .options = {.header_nrecords = -1, .unit_nrows = 5000, .unit_nbytes = 300000}};
        struct cuts *cuts;
        char *text = stoa_test_csv_file(&r, 30000, 5, &job.nbytes);

        stoa_csv_spares_init(&spares, (uint64_t)1 << 20);
        for (size_t i = 0; !quoted && i < job.nbytes; i++) /* the fast path */
            text[i] = text[i] == '"' ? 'q' : text[i] == '\r' ? '\n' : text[i];
        job.text = text;
        assert_true(job.nbytes > (size_t)1 << 19);
        assert_int_equal(cut(&job, &cuts, &err), STOA_OK);
        assert_equals_model(&job, cuts);
        cuts_free(cuts);
        free(text);
        stoa_csv_spares_reset(&spares);
    }
}

static void the_start_of_an_input_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool no_header;
        uint64_t offset;
        uint64_t line;
        const char *unit;
    } cases[] = {
        {"a\n", false, 0, 1, "a\n"},
        {"\xef\xbb\xbf"
         "a\n",
         false, 3, 1, "a\n"},
        {"\xef\xbb\xbf\"a\"\n", true, 3, 1, "\"a\"\n"},
        {"\xef\xbb", true, 0, 1, "\xef\xbb"},
        {"\r\na\n", true, 0, 1, "\r\na\n"},
        {"\n\n\r\n", false, 0, 1, "\n\n\r\n"},
        {"\xef\xbb\xbf", true, 0, 0, NULL},
        {"", false, 0, 0, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t max_read = 0; max_read < 4; max_read++) {
            struct stoa_error err = {0};
            struct job job = {.text = cases[i].text,
                              .nbytes = strlen(cases[i].text),
                              .options = {.header_nrecords = cases[i].no_header ? -1 : 0},
                              .fault = {.max_read = max_read}};
            struct cuts *cuts;

            assert_int_equal(cut(&job, &cuts, &err), STOA_OK);
            if (cases[i].unit == NULL) {
                assert_null(cuts->units[0].text);
            } else {
                assert_int_equal(cuts->nunits, 2);
                assert_int_equal(cuts->units[0].offset, cases[i].offset);
                assert_int_equal(cuts->units[0].line, cases[i].line);
                assert_int_equal(cuts->units[0].nbytes, strlen(cases[i].unit));
                assert_memory_equal(cuts->units[0].text, cases[i].unit, strlen(cases[i].unit));
            }
            cuts_free(cuts);
        }
    }
}

/* What a larger quoted field does at the usual sizes, at a thousandth of them. */
static void a_large_record_is_a_unit_of_its_own_or_an_error(void **state)
{
    (void)state;
    enum { SMALL = 1000, LARGE = 300 * 1024 };
    struct job job = {.options = {.header_nrecords = -1,
                                  .unit_nbytes = 32 * 1024,
                                  .max_record_nbytes = 512 * 1024}};
    struct stoa_error err = {0};
    struct cuts *cuts;
    char *text = malloc(2 * SMALL + LARGE);

    assert_non_null(text);
    for (size_t i = 0; i < 2 * SMALL + LARGE; i += 2)
        memcpy(text + i, "x\n", 2);
    text[SMALL] = '"';
    text[SMALL + LARGE - 2] = '"';
    job.text = text;
    job.nbytes = 2 * SMALL + LARGE;
    for (job.fault.max_read = 0; job.fault.max_read < 4000; job.fault.max_read += 1999) {
        assert_int_equal(cut(&job, &cuts, &err), STOA_OK);
        assert_int_equal(cuts->nunits, 4);
        assert_int_equal(cuts->units[1].nrecords, 1);
        assert_int_equal(cuts->units[1].nbytes, LARGE);
        assert_int_equal(cuts->units[2].line, 1 + (SMALL + LARGE) / 2);
        cuts_free(cuts);
    }
    job.options.max_record_nbytes = LARGE - 1;
    assert_int_equal(cut(&job, &cuts, &err), STOA_ERR_LIMIT);
    assert_string_equal(err.message, "t.csv: line 501: a record of more than 307199 bytes: is a "
                                     "quote left open?");
    free(text);
}

static void a_record_over_the_limit_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum stoa_status status;
        const char *message;
        uint64_t offset;
    } cases[] = {
        {"123456789\n1\n12345678\r\n", STOA_OK, "", 0},
        {"1234567890", STOA_OK, "", 0},
        {"12345678901", STOA_ERR_LIMIT,
         "t.csv: line 1: a record of more than 10 bytes: is a quote left open?", 0},
        {"1\n1234567890\n1\n", STOA_ERR_LIMIT,
         "t.csv: line 2: a record of more than 10 bytes: is a quote left open?", 2},
        {"1\n\"2\n3\",4\n5,\"6\n7\n8\n9\n0\n1\n", STOA_ERR_LIMIT,
         "t.csv: line 4: a record of more than 10 bytes: is a quote left open?", 10},
        {"1\n\n1,\"\"1234567\n", STOA_ERR_LIMIT,
         "t.csv: line 3: a record of more than 10 bytes: is a quote left open?", 3},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t max_read = 0; max_read < 12; max_read++) {
            struct stoa_error err = {0};
            struct job job = {.text = cases[i].text,
                              .nbytes = strlen(cases[i].text),
                              .options = {.header_nrecords = -1, .max_record_nbytes = 10},
                              .fault = {.max_read = max_read}};
            struct cuts *cuts;

            assert_int_equal(cut(&job, &cuts, &err), cases[i].status);
            if (cases[i].status == STOA_OK) {
                cuts_free(cuts);
                continue;
            }
            assert_string_equal(err.message, cases[i].message);
            assert_int_equal(err.offset, cases[i].offset);
        }
    }
}

/* The units of a text of which records larger than the limit are passed over, by the model. */
static void assert_passed_over(const struct job *job, const struct stoa_test_csv *model,
                               const struct cuts *cuts, size_t *nlarge)
{
    const uint64_t max = job->options.max_record_nbytes;
    size_t i = 0;

    for (size_t u = 0; u + 1 < cuts->nunits; u++) {
        const struct stoa_csv_text *unit = &cuts->units[u];
        const struct stoa_test_csv_record *first = &model->records[i];
        size_t n = 1, nbytes = first->end - first->begin;

        assert_true(i < model->nrecords);
        assert_int_equal(unit->offset, first->begin);
        if (nbytes > max) {
            assert_int_equal(unit->large_nbytes, nbytes);
            nbytes = max < STOA_CSV_BEGINNING_NBYTES ? max : STOA_CSV_BEGINNING_NBYTES;
            ++*nlarge;
        } else {
            assert_int_equal(unit->large_nbytes, 0);
            while (i + n < model->nrecords && n < job->options.unit_nrows &&
                   model->records[i + n].end - first->begin <= job->options.unit_nbytes &&
                   model->records[i + n].end - model->records[i + n].begin <= max)
                n++;
            nbytes = model->records[i + n - 1].end - first->begin;
        }
        assert_int_equal(unit->nrecords, n);
        assert_int_equal(unit->nbytes, nbytes);
        assert_memory_equal(unit->text, job->text + first->begin, nbytes);
        assert_int_equal(unit->line, first->line);
        i += n;
    }
    assert_int_equal(i, model->nrecords);
}

static void a_large_record_is_passed_over_where_that_is_wished(void **state)
{
    (void)state;
    struct stoa_test_random r;
    size_t nlarge = 0;

    stoa_test_random_init(&r, "a_large_record_is_passed_over_where_that_is_wished");
    for (size_t n = stoa_test_ncases(5000); n > 0; n--) {
        struct stoa_error err = {0};
        struct stoa_test_csv model;
        struct cuts *cuts;
        struct job job = {
            .kernels = stoa_test_random_one_in(&r, 3) ? &stoa_csv_kernels_scalar : NULL,
            .passes_large = true,
            .fault = {.max_read = (size_t)stoa_test_random_below(&r, 200)},
        };
        char *text;

        job.options = stoa_test_csv_dialect(&r);
        job.options.unit_nrows = 1 + (uint32_t)stoa_test_random_below(&r, 6);
        job.options.unit_nbytes = 1 + stoa_test_random_below(&r, 100);
        job.options.max_record_nbytes = 1 + stoa_test_random_below(&r, 40);
        text = stoa_test_csv_dialect_noise(&r, &job.options, 600, &job.nbytes);
        job.text = text;
        stoa_test_csv_parse(text, job.nbytes, &job.options, &model);
        assert_int_equal(cut(&job, &cuts, &err), STOA_OK);
        assert_passed_over(&job, &model, cuts, &nlarge);
        cuts_free(cuts);
        stoa_test_csv_free(&model);
        free(text);
    }
    assert_true(nlarge > 100);
}

static void a_failing_read_is_reported(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,2\n\"3\n\",4\n";
    struct stoa_error err = {0};
    struct job job = {.text = text, .nbytes = sizeof(text) - 1, .fault = {.max_read = 3}};
    struct cuts *cuts;
    uint64_t ncalls;

    assert_int_equal(cut(&job, &cuts, &err), STOA_OK);
    cuts_free(cuts);
    ncalls = job.fault.ncalls;
    for (uint64_t at = 1; at <= ncalls; at++) {
        job.fault = (struct stoa_test_io_fault){.max_read = 3, .fail_at = at, .os_errno = EIO};
        assert_int_equal(cut(&job, &cuts, &err), STOA_ERR_IO);
        assert_int_equal(strncmp(err.message, "t.csv: ", 7), 0);
    }
}

static enum stoa_status cuts_some_units(void *context, struct stoa_error *err)
{
    struct job *job = context;
    struct cuts *cuts;
    enum stoa_status st = cut(job, &cuts, err);

    if (st == STOA_OK)
        cuts_free(cuts);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf\na,b\n1,2\n\"3\n\",4\n5,6\n";
    struct job job = {.text = text,
                      .nbytes = sizeof(text) - 1,
                      .nhead = 2,
                      .options = {.unit_nrows = 2},
                      .fault = {.max_read = 3}};

    stoa_test_each_failing_alloc(cuts_some_units, &job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_text_is_cut_where_the_scalar_model_does),
        cmocka_unit_test(a_text_of_many_reads_is_cut_as_the_model_does),
        cmocka_unit_test(the_start_of_an_input_is_passed_over),
        cmocka_unit_test(a_large_record_is_a_unit_of_its_own_or_an_error),
        cmocka_unit_test(a_record_over_the_limit_is_named),
        cmocka_unit_test(a_large_record_is_passed_over_where_that_is_wished),
        cmocka_unit_test(a_failing_read_is_reported),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
