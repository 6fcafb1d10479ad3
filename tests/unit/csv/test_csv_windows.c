/* Windows into the middle of files: what they deliver is certain to be rows, and they deliver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "csv/csv_windows.h"
#include "support/fault_alloc.h"
#include "support/folder.h"
#include "support/random.h"

static const char *const path = "t.csv";

#define HEAD_NBYTES 4096

/* What the scalar reading of the whole text says of where records begin. */
struct truth {
    uint8_t *begins; /* one a byte: 1 where a record begins */
    size_t nbytes;
    uint64_t nseen;
    uint64_t nwrong;
    uint64_t last; /* offset of the latest record */
};

static void check_record(void *context, const struct stoa_csv_record *record, uint64_t offset)
{
    struct truth *truth = context;

    assert_true(offset < truth->nbytes && offset >= truth->last);
    truth->last = offset;
    truth->nseen += record->nfields > 0;
    truth->nwrong += truth->begins[offset] == 0;
}

static void find_truth(struct truth *truth, const char *text, size_t nbytes,
                       const struct stoa_csv_options *options)
{
    struct stoa_csv_dialect dialect;
    struct stoa_csv_record record = {0};
    const char *at = text;

    *truth = (struct truth){.begins = calloc(nbytes, 1), .nbytes = nbytes};
    assert_non_null(truth->begins);
    stoa_csv_dialect_init(&dialect, options);
    for (; at < text + nbytes; at = record.next) {
        truth->begins[at - text] = 1;
        assert_int_equal(stoa_csv_record_split(&record, at, text + nbytes, &dialect, NULL),
                         STOA_OK);
    }
    stoa_csv_record_free(&record);
}

/* How the fields of a generated text are made. */
struct style {
    unsigned quotes;     /* one field in so many has quotes; 0: none */
    unsigned line_ends;  /* one quoted field in so many holds a line end */
    unsigned separators; /* ... or a delimiter */
    unsigned doubled;    /* ... or a quote */
    unsigned giant;      /* one record in so many has a quoted field of 100 KB that is a table */
};

static size_t put_field(struct stoa_test_random *r, const struct style *style, char *out)
{
    size_t n = 0, nwords = (size_t)stoa_test_random_below(r, 4);
    bool quoted = style->quotes > 0 && stoa_test_random_one_in(r, style->quotes);

    if (quoted)
        out[n++] = '"';
    for (size_t i = 0; i < nwords; i++) {
        n += (size_t)sprintf(out + n, "w%u", (unsigned)stoa_test_random_below(r, 1000));
        if (quoted && style->line_ends > 0 && stoa_test_random_one_in(r, style->line_ends))
            out[n++] = '\n';
        if (quoted && style->separators > 0 && stoa_test_random_one_in(r, style->separators))
            out[n++] = ',';
        if (quoted && style->doubled > 0 && stoa_test_random_one_in(r, style->doubled)) {
            out[n++] = '"';
            out[n++] = '"';
        }
    }
    if (quoted)
        out[n++] = '"';
    return n;
}

static size_t put_giant(char *out)
{
    size_t n = (size_t)sprintf(out, "\"");

    while (n < 100000)
        n += (size_t)sprintf(out + n, "a,b,c,d\n");
    return n + (size_t)sprintf(out + n, "\"");
}

/* A text with its slack. */
static char *make_text(struct stoa_test_random *r, const struct style *style, size_t want_nbytes,
                       size_t *nbytes)
{
    char *text = calloc(want_nbytes + 200000, 1);
    size_t n = 0;

    assert_non_null(text);
    while (n < want_nbytes) {
        for (unsigned i = 0; i < 4; i++) {
            if (i == 1 && style->giant > 0 && stoa_test_random_one_in(r, style->giant))
                n += put_giant(text + n);
            else
                n += put_field(r, style, text + n);
            text[n++] = i < 3 ? ',' : '\n';
        }
    }
    *nbytes = n;
    return text;
}

static void windows_deliver_records_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        struct style style;
        bool delivers; /* most of what it looks at */
    } cases[] = {
        {{0}, true},
        {{.quotes = 1}, true},
        {{.quotes = 2, .separators = 3}, true},
        {{.quotes = 1, .separators = 3, .line_ends = 5}, true},
        {{.quotes = 3, .separators = 3, .line_ends = 2, .doubled = 2}, true},
        {{.quotes = 1, .doubled = 1, .line_ends = 1}, false},
        {{.quotes = 20, .line_ends = 1, .separators = 1}, true},
    };
    struct stoa_csv_options options = {0};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "windows");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t n = stoa_test_ncases(1); n > 0; n--) {
            struct stoa_error err = {0};
            struct truth truth;
            size_t nbytes;
            char *text = make_text(&r, &cases[i].style, (size_t)3 << 20, &nbytes);

            stoa_test_folder_put(path, text, nbytes);
            find_truth(&truth, text, nbytes, &options);
            assert_int_equal(stoa_csv_windows_observe(path, &options, 4, text, HEAD_NBYTES,
                                                      check_record, &truth, &err),
                             STOA_OK);
            assert_int_equal(truth.nwrong, 0);
            if (cases[i].delivers && truth.nseen < 10000)
                fail_msg("style %zu: only %zu records", i, (size_t)truth.nseen);
            free(truth.begins);
            free(text);
        }
    }
}

/* A whole window inside of one quoted field that looks like the table: the one thing that is taken
   for what it is not, and only where no quote stands in the window. */
static void a_table_in_quotes_is_seen_through_where_a_quote_tells(void **state)
{
    (void)state;
    const struct style style = {.quotes = 2, .giant = 60};
    struct stoa_csv_options options = {0};
    struct stoa_test_random r;
    struct truth truth;
    size_t nbytes;
    char *text;

    stoa_test_random_init(&r, "giants");
    text = make_text(&r, &style, (size_t)3 << 20, &nbytes);
    stoa_test_folder_put(path, text, nbytes);
    find_truth(&truth, text, nbytes, &options);
    assert_int_equal(
        stoa_csv_windows_observe(path, &options, 4, text, HEAD_NBYTES, check_record, &truth, NULL),
        STOA_OK);
    free(truth.begins);
    free(text);
}

static void count_record(void *context, const struct stoa_csv_record *record, uint64_t offset)
{
    (void)record;
    (void)offset;
    ++*(uint64_t *)context;
}

static uint64_t count(const char *text, size_t nbytes, const struct stoa_csv_options *options,
                      uint32_t ncolumns)
{
    uint64_t n = 0;

    stoa_test_folder_put(path, text, nbytes);
    assert_int_equal(
        stoa_csv_windows_observe(path, options, ncolumns, text, 4, count_record, &n, NULL),
        STOA_OK);
    return n;
}

static void every_record_of_a_small_rest_is_seen(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,2\n3,4\n5,6\n7,8";
    static const char crlf[] = "a,b\r\n1,2\r\n3,4\r\n5,6\r\n";
    static const char comments[] = "a,b\n1,2\n#,#,#\n3,4\n5,6\n";
    const struct stoa_csv_options options = {.comment = '#'};

    assert_int_equal(count(text, strlen(text), &options, 2), 4);
    assert_int_equal(count(crlf, strlen(crlf), &options, 2), 3);
    assert_int_equal(count(comments, strlen(comments), &options, 2), 3);
    assert_int_equal(count(text, strlen(text), &options, 3), 0);
    assert_int_equal(count(text, 4, &options, 2), 0);
}

static void a_file_that_is_not_its_text_has_no_windows(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,2\n3,4\n5,6\n7,8\n";
    const struct stoa_csv_options options = {0};
    uint64_t n = 0;

    stoa_test_folder_put(path, "something else, and longer\n1,2\n", 31);
    assert_int_equal(stoa_csv_windows_observe(path, &options, 2, text, 4, count_record, &n, NULL),
                     STOA_OK);
    assert_int_equal(n, 0);
}

static enum stoa_status observe(void *context, struct stoa_error *err)
{
    const struct stoa_csv_options options = {0};
    uint64_t n = 0;

    (void)context;
    return stoa_csv_windows_observe(path, &options, 2, "a,b\n", 4, count_record, &n, err);
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_folder_put(path, "a,b\n1,\"2\"\n3,4\n5,6\n", 18);
    stoa_test_each_failing_alloc(observe, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(windows_deliver_records_and_nothing_else),
        TEST(a_table_in_quotes_is_seen_through_where_a_quote_tells),
        TEST(every_record_of_a_small_rest_is_seen),
        TEST(a_file_that_is_not_its_text_has_no_windows),
        TEST(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
