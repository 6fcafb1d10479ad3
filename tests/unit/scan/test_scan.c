/* Scans: what is skipped and counted, columns and limits, threads, failures. */
#include <stoa/scan.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "column/builder.h"
#include "column/schema.h"
#include "file/reader.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/stoa_file.h"

enum { NGROUPS = 3, GROUP_NROWS = 20000, NROWS = NGROUPS * GROUP_NROWS }; /* 3 zones a group */

static struct stoa_test_file file;       /* of the table below */
static struct stoa_test_file small_file; /* of the same with SMALL_NROWS a group */
enum { SMALL_NROWS = 300 };

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

/* ---- A table easy to predict: row i of n is (i, i % 10, "text i % 100", null or i). ---- */

/* Numbers that no encoding makes small, so that the file is larger than one read. */
static uint64_t noise(uint64_t i)
{
    uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 27;
}

static void append_row(struct stoa_builder *builders, size_t i)
{
    struct stoa_error err = {0};
    char text[32];
    int n = snprintf(text, sizeof(text), "text %zu", i % 100);

    for (size_t k = 0; k < 4; k++)
        check(stoa_builder_reserve(&builders[k], 1, (size_t)n, &err), &err);
    stoa_builder_append_64(&builders[0], i);
    stoa_builder_append_32(&builders[1], (uint32_t)(i % 10));
    stoa_builder_append_bytes(&builders[2], text, (size_t)n);
    if (i % 7 == 0)
        stoa_builder_append_null(&builders[3]);
    else
        stoa_builder_append_64(&builders[3], noise(i));
}

static void make_group(const struct stoa_schema *schema, size_t begin, size_t end,
                       struct stoa_batch *out)
{
    struct stoa_builder builders[4];
    struct stoa_error err = {0};

    check(stoa_batch_init(out, schema, &err), &err);
    for (uint32_t k = 0; k < 4; k++)
        check(stoa_builder_init(&builders[k], &schema->fields[k].type, end - begin, &err), &err);
    for (size_t i = begin; i < end; i++)
        append_row(builders, i);
    for (uint32_t k = 0; k < 4; k++) {
        stoa_builder_finish(&builders[k], &out->columns[k]);
        stoa_builder_reset(&builders[k]);
    }
    out->nrows = end - begin;
}

static void make_file(size_t group_nrows, struct stoa_test_file *out)
{
    const struct stoa_type int64 = {.id = STOA_INT64}, int32 = {.id = STOA_INT32};
    const struct stoa_type utf8 = {.id = STOA_UTF8};
    struct stoa_batch groups[NGROUPS];
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    check(stoa_schema_add(&schema, "id", &int64, false, &err), &err);
    check(stoa_schema_add(&schema, "digit", &int32, false, &err), &err);
    check(stoa_schema_add(&schema, "text", &utf8, false, &err), &err);
    check(stoa_schema_add(&schema, "hole", &int64, true, &err), &err);
    for (size_t g = 0; g < NGROUPS; g++)
        make_group(&schema, g * group_nrows, (g + 1) * group_nrows, &groups[g]);
    stoa_test_file_write(&schema, groups, NGROUPS, NULL, out);
    for (size_t g = 0; g < NGROUPS; g++)
        stoa_batch_reset(&groups[g]);
    stoa_schema_reset(&schema);
}

static int make_files(void **state)
{
    (void)state;
    make_file(GROUP_NROWS, &file);
    make_file(SMALL_NROWS, &small_file);
    return 0;
}

static int free_files(void **state)
{
    (void)state;
    stoa_test_file_reset(&file);
    stoa_test_file_reset(&small_file);
    return 0;
}

/* ---- Opening. ---- */

struct opened {
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_scan *scan;
};

static struct stoa_filter *parse(const char *where)
{
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};

    if (where != NULL)
        check(stoa_filter_parse(where, &filter, &err), &err);
    return filter;
}

static enum stoa_status try_open(const char *where, struct stoa_scan_options options,
                                 struct opened *out, struct stoa_error *err)
{
    struct stoa_filter *filter = parse(where);
    enum stoa_status st;

    *out = (struct opened){.source = stoa_test_file_source(&file)};
    check(stoa_reader_open(out->source, NULL, &out->reader, err), err);
    options.filter = filter;
    st = stoa_scan_open(out->reader, &options, &out->scan, err);
    stoa_filter_free(filter);
    return st;
}

static void open_scan(const char *where, struct stoa_scan_options options, struct opened *out)
{
    struct stoa_error err = {0};

    check(try_open(where, options, out, &err), &err);
}

static void close_scan(struct opened *opened)
{
    stoa_scan_close(opened->scan);
    stoa_reader_close(opened->reader);
    stoa_source_close(opened->source);
}

static int64_t value_at(const struct stoa_array *array, size_t i)
{
    int64_t value;

    memcpy(&value, array->values + 8 * i, sizeof(value));
    return value;
}

static uint64_t read_all(struct stoa_scan *scan)
{
    struct stoa_error err = {0};
    struct stoa_batch batch;
    uint64_t nrows = 0;
    size_t n;

    do {
        check(stoa_scan_next(scan, &batch, &err), &err);
        n = batch.nrows;
        nrows += n;
        stoa_batch_reset(&batch);
    } while (n > 0);
    return nrows;
}

/* ---- What is skipped. ---- */

static void add_field(struct stoa_schema *schema, const char *name, const char *type)
{
    struct stoa_field field = {0};
    struct stoa_error err = {0};

    check(stoa_field_parse(name, type, true, &field, &err), &err);
    check(stoa_schema_add_field(schema, &field, &err), &err);
    stoa_field_reset(&field);
}

static int64_t number(size_t i)
{
    return (int64_t)i;
}

static int64_t noisy_number(size_t i)
{
    return (int64_t)noise(i);
}

static void only_what_may_match_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        uint64_t groups, zones, considered, selected;
        bool reads; /* counting has to look at rows */
    } cases[] = {
        {"id = 30000", 1, 1, 8192, 1, true},
        {"id < 0", 0, 0, 0, 0, false},
        {"id >= 20000 and id < 40000", 1, 3, 20000, 20000, false},
        {"id >= 8192 and id < 16384", 1, 1, 8192, 8192, false},
        {"id between 16000 and 20001", 2, 3, 8192 + 3616 + 8192, 4002, true},
        {"digit = 10 or id = 59999", 1, 1, 3616, 1, true},
        {"hole is not null and id < 100", 1, 1, 8192, 85, true},
        {"id is null", 0, 0, 0, 0, false},
        {"digit >= 0", 3, 9, NROWS, NROWS, false},
        {NULL, 3, 9, NROWS, NROWS, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *const columns[] = {"text"};
        struct stoa_scan_options options = {.columns = columns, .ncolumns = 1};
        struct stoa_scan_counters n;
        struct stoa_error err = {0};
        struct opened opened;
        uint64_t nrows;

        open_scan(cases[i].where, options, &opened);
        check(stoa_scan_counters_get(opened.scan, &n, &err), &err);
        assert_int_equal(n.row_groups.total, 3);
        assert_int_equal(n.row_groups.read, cases[i].groups);
        assert_int_equal(n.zones.total, 9);
        assert_int_equal(n.zones.read, cases[i].zones);
        assert_int_equal(n.bytes.read + n.pages.read + n.rows_considered + n.rows_selected, 0);
        check(stoa_scan_count(opened.scan, &nrows, &err), &err);
        assert_int_equal(nrows, cases[i].selected);
        check(stoa_scan_counters_get(opened.scan, &n, &err), &err);
        assert_int_equal(n.bytes.read > 0, cases[i].reads);
        assert_int_equal(n.rows_considered, cases[i].considered);
        assert_int_equal(n.rows_selected, cases[i].selected);
        assert_int_equal(read_all(opened.scan), cases[i].selected);
        close_scan(&opened);
    }
}

static void other_columns_are_read_only_where_rows_survive(void **state)
{
    (void)state;
    const char *const columns[] = {"text", "id"};
    struct stoa_scan_options options = {.columns = columns, .ncolumns = 2};
    struct stoa_scan_counters one, all;
    struct stoa_error err = {0};
    struct opened opened;

    open_scan("id = 30000", options, &opened);
    assert_int_equal(read_all(opened.scan), 1);
    check(stoa_scan_counters_get(opened.scan, &one, &err), &err);
    close_scan(&opened);
    open_scan(NULL, options, &opened);
    assert_int_equal(read_all(opened.scan), NROWS);
    check(stoa_scan_counters_get(opened.scan, &all, &err), &err);
    close_scan(&opened);
    assert_int_equal(all.pages.read, all.pages.total);
    assert_int_equal(all.bytes.read, all.bytes.total);
    assert_int_equal(all.pages.skipped, 0);
    assert_int_equal(one.pages.total, all.pages.total);
    assert_true(one.pages.read <= 4); /* of the zone of `id`, and one of `text` */
    assert_true(one.bytes.read * 2 < all.bytes.read);
}

/* 10,000 rows of "id" and "l", lists of 20 numbers, every fifth of them null. */
static void make_lists(struct stoa_test_file *out)
{
    enum { NLISTS = 10000, NITEMS = 20 };
    struct stoa_schema schema = {0};
    struct stoa_batch rows;
    struct stoa_array *list;
    struct stoa_error err = {0};

    add_field(&schema, "id", "int64");
    add_field(&schema, "l", "list<int64>");
    check(stoa_batch_init(&rows, &schema, &err), &err);
    rows.nrows = NLISTS;
    stoa_test_make_numbers(&rows.columns[0], NLISTS, number);
    list = &rows.columns[1];
    list->nvalues = NLISTS;
    check(stoa_alloc_zeroed(&list->validity, 1, NLISTS / 8 + STOA_ARRAY_SLACK, &err), &err);
    check(stoa_alloc_zeroed(&list->offsets, NLISTS + STOA_ARRAY_SLACK, sizeof(int32_t), &err),
          &err);
    for (size_t i = 0; i < NLISTS; i++) {
        bool valid = i % 5 != 0;

        list->nnulls += !valid;
        list->validity[i / 8] = (uint8_t)(list->validity[i / 8] | valid << i % 8);
        list->offsets[i + 1] = list->offsets[i] + (valid ? NITEMS : 0);
    }
    check(stoa_alloc_zeroed(&list->children, 1, sizeof(list->children[0]), &err), &err);
    list->nchildren = 1;
    stoa_test_make_numbers(&list->children[0], (size_t)list->offsets[NLISTS], noisy_number);
    check(stoa_batch_validate(&rows, &err), &err);
    stoa_test_file_write(&schema, &rows, 1, NULL, out);
    stoa_batch_reset(&rows);
    stoa_schema_reset(&schema);
}

/* The items take nearly all of the file. */
static void a_test_for_null_reads_no_children(void **state)
{
    (void)state;
    const char *const columns[] = {"id"};
    struct stoa_filter *filter = parse("l is null");
    struct stoa_scan_options options = {.columns = columns, .ncolumns = 1, .filter = filter};
    struct stoa_test_file lists;
    struct stoa_scan_counters n;
    struct stoa_error err = {0};
    struct opened opened;
    uint64_t nrows;

    make_lists(&lists);
    opened.source = stoa_test_file_source(&lists);
    check(stoa_reader_open(opened.source, NULL, &opened.reader, &err), &err);
    check(stoa_scan_open(opened.reader, &options, &opened.scan, &err), &err);
    check(stoa_scan_count(opened.scan, &nrows, &err), &err);
    assert_int_equal(nrows, 2000);
    check(stoa_scan_counters_get(opened.scan, &n, &err), &err);
    assert_true(n.bytes.read > 0 && n.bytes.read < lists.nbytes / 50);
    assert_int_equal(read_all(opened.scan), 2000);
    check(stoa_scan_counters_get(opened.scan, &n, &err), &err);
    assert_true(n.bytes.total < lists.nbytes / 10);
    close_scan(&opened);
    stoa_filter_free(filter);
    stoa_test_file_reset(&lists);
}

/* The schema of a wide file takes longer than a column of it. */
static void a_few_columns_need_no_schema(void **state)
{
    static const char *const columns[] = {"text", "id"};
    static const char *const twice[] = {"id", "text", "id"};
    const struct stoa_scan_options options = {.columns = columns, .ncolumns = 2};
    const struct stoa_scan_options wrong = {.columns = twice, .ncolumns = 3};
    const struct stoa_schema *schema;
    struct stoa_error err = {0};
    struct opened opened;

    (void)state;
    open_scan(NULL, options, &opened);
    assert_null(stoa_once_get(&opened.reader->schema));
    assert_int_equal(stoa_scan_schema(opened.scan)->nfields, 2);
    assert_int_equal(read_all(opened.scan), NROWS);
    check(stoa_reader_schema(opened.reader, &schema, &err), &err);
    for (uint32_t i = 0; i < 2; i++) {
        const struct stoa_field *field = &stoa_scan_schema(opened.scan)->fields[i];
        uint32_t column;

        check(stoa_schema_find(schema, columns[i], &column, &err), &err);
        assert_string_equal(field->name, columns[i]);
        assert_true(stoa_type_equal(&field->type, &schema->fields[column].type));
        assert_int_equal(field->nullable, schema->fields[column].nullable);
    }
    close_scan(&opened);
    assert_int_equal(try_open(NULL, wrong, &opened, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column \"id\" is selected twice");
    close_scan(&opened);
}

static void a_limit_reads_little_and_ends_in_time(void **state)
{
    (void)state;
    static const unsigned jobs[] = {1, 3};

    for (size_t i = 0; i < 2; i++) {
        struct stoa_scan_options options = {.limit = 5, .jobs = jobs[i]};
        struct stoa_scan_counters n;
        struct stoa_error err = {0};
        struct stoa_batch batch;
        struct opened opened;
        uint64_t nrows;

        open_scan("digit = 3", options, &opened);
        check(stoa_scan_next(opened.scan, &batch, &err), &err);
        assert_int_equal(batch.nrows, 5);
        assert_int_equal(value_at(&batch.columns[0], 4), 43);
        stoa_batch_reset(&batch);
        assert_int_equal(read_all(opened.scan), 0);
        check(stoa_scan_counters_get(opened.scan, &n, &err), &err);
        assert_int_equal(n.rows_considered, 8192); /* one zone */
        check(stoa_scan_count(opened.scan, &nrows, &err), &err);
        assert_int_equal(nrows, 5);
        close_scan(&opened);
    }
}

/* ---- Terms. ---- */

static void terms_tell_what_statistics_know_of_each(void **state)
{
    (void)state;
    static const struct stoa_scan_term expected[] = {
        {"id < 10000", 7, 1, 1, 0},
        {"digit = 3", 0, 9, 0, 0},
        {"hole is null", 0, 9, 0, 0},
        {"text >= 'a'", 0, 0, 9, 0},
    };
    struct stoa_scan_options options = {0};
    struct stoa_error err = {0};
    struct stoa_scan_term term;
    struct opened opened;

    open_scan("id < 10000 and (digit = 3 or hole is null) and text >= 'a'", options, &opened);
    assert_int_equal(stoa_scan_nterms(opened.scan), 4);
    for (uint32_t i = 0; i < 4; i++) {
        check(stoa_scan_term(opened.scan, i, &term, &err), &err);
        assert_string_equal(term.text, expected[i].text);
        assert_int_equal(term.zones_never, expected[i].zones_never);
        assert_int_equal(term.zones_maybe, expected[i].zones_maybe);
        assert_int_equal(term.zones_always, expected[i].zones_always);
        assert_int_equal(term.zones_known, expected[i].zones_known);
    }
    assert_int_equal(stoa_scan_term(opened.scan, 4, &term, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "term 4 of 4");
    close_scan(&opened);
}

/* ---- Wrong calls. ---- */

static void what_cannot_be_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        const char *columns[2];
        const char *message;
    } cases[] = {
        {NULL, {"id", "txt"}, "there is no column \"txt\"; did you mean \"text\"?"},
        {NULL, {"digit", "DIGIT"}, "column \"digit\" is selected twice"},
        {"nothing = 1", {"id", "text"}, "nothing = 1: there is no column \"nothing\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_scan_options options = {.columns = cases[i].columns, .ncolumns = 2};
        struct stoa_error err = {0};
        struct opened opened;

        assert_int_equal(try_open(cases[i].where, options, &opened, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
        assert_null(opened.scan);
        close_scan(&opened);
    }
}

static void a_unit_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct stoa_scan_options options = {0};
    struct stoa_error err = {0};
    struct stoa_batch batch;
    struct opened opened;

    open_scan("id >= 40000", options, &opened);
    assert_int_equal(stoa_scan_nunits(opened.scan), 1);
    assert_int_equal(stoa_scan_read_unit(opened.scan, 1, &batch, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "unit 1 of 1");
    close_scan(&opened);
}

/* ---- Threads. ---- */

struct worker {
    struct stoa_scan *scan;
    uint32_t first;
    bool failed;
    uint64_t nrows;
    int64_t sum;
};

/* Reads every unit, each thread beginning at another one. */
static void *read_units(void *argument)
{
    struct worker *worker = argument;
    uint32_t nunits = stoa_scan_nunits(worker->scan);

    for (uint32_t i = 0; i < 4 * nunits; i++) {
        struct stoa_error err = {0};
        struct stoa_batch batch;

        if (stoa_scan_read_unit(worker->scan, (worker->first + i) % nunits, &batch, &err) !=
            STOA_OK) {
            worker->failed = true;
            return NULL;
        }
        worker->nrows += batch.nrows;
        for (size_t k = 0; k < batch.nrows; k++)
            worker->sum += value_at(&batch.columns[0], k);
        stoa_batch_reset(&batch);
    }
    return NULL;
}

static void threads_read_units_of_one_scan(void **state)
{
    (void)state;
    enum { NTHREADS = 4 };
    struct stoa_scan_options options = {0};
    struct worker workers[NTHREADS];
    pthread_t threads[NTHREADS];
    struct opened opened;

    open_scan("digit in (3, 5) and text <> 'text 13'", options, &opened);
    for (uint32_t i = 0; i < NTHREADS; i++) {
        workers[i] = (struct worker){.scan = opened.scan, .first = i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_units, &workers[i]), 0);
    }
    for (size_t i = 0; i < NTHREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(workers[i].failed);
        assert_int_equal(workers[i].nrows, 4 * (NROWS / 5 - NROWS / 100));
        assert_int_equal(workers[i].sum, workers[0].sum);
    }
    close_scan(&opened);
}

/* ---- Failures. ---- */

/* Scans and counts; the limit cuts a batch. `tries` is how often a call of next() is made. */
static enum stoa_status scan_source(struct stoa_source *source, uint64_t limit, unsigned jobs,
                                    int tries, struct stoa_error *err)
{
    const char *const columns[] = {"text", "hole"};
    struct stoa_scan_options options = {
        .columns = columns, .ncolumns = 2, .limit = limit, .jobs = jobs};
    struct stoa_filter *filter = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_scan_term term;
    uint64_t count, nrows = 0;
    size_t n = 1;
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(source, NULL, &reader, err));
    STOA_TRY(stoa_filter_parse("digit <> 3 and hole is not null", &filter, err));
    options.filter = filter;
    STOA_TRY(stoa_scan_open(reader, &options, &scan, err));
    while (n > 0) {
        struct stoa_batch batch;

        st = STOA_ERR_IO;
        for (int i = 0; i < tries && st != STOA_OK; i++)
            st = stoa_scan_next(scan, &batch, err);
        if (st != STOA_OK)
            goto out;
        n = batch.nrows;
        nrows += n;
        stoa_batch_reset(&batch);
    }
    assert_int_equal(nrows, limit);
    STOA_TRY(stoa_scan_count(scan, &count, err));
    assert_int_equal(count, limit);
    STOA_TRY(stoa_scan_term(scan, 1, &term, err));
out:
    stoa_scan_close(scan);
    stoa_filter_free(filter);
    stoa_reader_close(reader);
    return st;
}

static enum stoa_status scan_small_file(void *context, struct stoa_error *err)
{
    const unsigned *jobs = context;
    struct stoa_source *source = NULL;
    enum stoa_status st;

    STOA_TRY(
        stoa_source_open_memory(small_file.bytes, small_file.nbytes, "small.stoa", &source, err));
    STOA_TRY(scan_source(source, SMALL_NROWS - 1, *jobs, 1, err));
out:
    stoa_source_close(source);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    static unsigned jobs[] = {1, 3};

    stoa_test_each_failing_alloc(scan_small_file, &jobs[0]);
    stoa_test_each_failing_alloc(scan_small_file, &jobs[1]);
}

/* A scan in which read `at` fails, once or from then on; false when it made fewer reads. */
static bool fails_at(uint64_t at, bool from_then_on, unsigned jobs)
{
    struct stoa_test_io_fault fault = {
        .fail_at = at, .from_then_on = from_then_on, .os_errno = EIO};
    struct stoa_source *source = stoa_test_faulty_source(stoa_test_file_source(&file), &fault);
    struct stoa_error err = {0};
    enum stoa_status st = scan_source(source, GROUP_NROWS - 1, jobs, 1, &err);

    stoa_source_close(source);
    if (fault.nfailed == 0) {
        check(st, &err);
        return false;
    }
    assert_int_equal(st, STOA_ERR_IO);
    assert_int_equal(err.os_errno, EIO);
    assert_non_null(strstr(err.message, "fails on purpose: Input/output error"));
    return true;
}

static void every_failing_read_is_reported(void **state)
{
    (void)state;
    for (unsigned jobs = 1; jobs <= 3; jobs += 2) {
        uint64_t once = 1, on = 1;

        while (fails_at(once, false, jobs))
            once++;
        while (fails_at(on, true, jobs))
            on++;
        assert_true(once > 10 && on > 10);
    }
}

/* After a call of next() has failed, the next one gives the same rows, and none is lost. */
static void a_scan_goes_on_after_a_failure(void **state)
{
    (void)state;
    uint64_t nrecovered = 0, at = 0;
    bool fired = true;

    while (fired) {
        struct stoa_test_io_fault fault = {.fail_at = ++at, .os_errno = EIO};
        struct stoa_source *source = stoa_test_faulty_source(stoa_test_file_source(&file), &fault);
        struct stoa_error err = {0};

        nrecovered +=
            scan_source(source, GROUP_NROWS - 1, 1, 2, &err) == STOA_OK && fault.nfailed > 0;
        fired = fault.nfailed > 0;
        stoa_source_close(source);
    }
    assert_true(nrecovered > 5);
}

/* The values of each batch stand where those of an earlier one stood, once it was reset. */
static void a_batch_has_the_memory_of_one_that_was_reset(void **state)
{
    (void)state;
    const uint8_t *seen[NGROUPS * 2];
    const char *columns[] = {"id", "hole"};
    const struct stoa_scan_options options = {.columns = columns, .ncolumns = 2};
    struct stoa_reader *reader = NULL;
    struct stoa_source *source;
    struct stoa_scan *scan = NULL;
    struct stoa_error err = {0};
    size_t nseen = 0, nagain = 0;

#ifdef __SANITIZE_ADDRESS__
    skip(); /* then each block comes from malloc */
#endif
    source = stoa_test_file_source(&file);
    check(stoa_reader_open(source, NULL, &reader, &err), &err);
    check(stoa_scan_open(reader, &options, &scan, &err), &err);
    for (size_t g = 0; g < NGROUPS; g++) {
        struct stoa_batch batch;

        check(stoa_scan_next(scan, &batch, &err), &err);
        assert_int_equal(batch.nrows, GROUP_NROWS);
        for (uint32_t i = 0; i < 2; i++) {
            for (size_t k = 0; k < g * 2; k++)
                nagain += seen[k] == batch.columns[i].values && k / 2 + 1 == g;
            seen[nseen++] = batch.columns[i].values;
        }
        stoa_batch_reset(&batch);
    }
    assert_int_equal(nagain, 2 * (NGROUPS - 1));
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    stoa_source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_may_match_is_read),
        cmocka_unit_test(other_columns_are_read_only_where_rows_survive),
        cmocka_unit_test(a_test_for_null_reads_no_children),
        cmocka_unit_test(a_few_columns_need_no_schema),
        cmocka_unit_test(a_limit_reads_little_and_ends_in_time),
        cmocka_unit_test(terms_tell_what_statistics_know_of_each),
        cmocka_unit_test(what_cannot_be_is_refused_by_name),
        cmocka_unit_test(a_unit_that_is_not_there_is_refused),
        cmocka_unit_test(threads_read_units_of_one_scan),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(every_failing_read_is_reported),
        cmocka_unit_test(a_scan_goes_on_after_a_failure),
        cmocka_unit_test(a_batch_has_the_memory_of_one_that_was_reset),
    };

    return cmocka_run_group_tests_name("scan", tests, make_files, free_files);
}
