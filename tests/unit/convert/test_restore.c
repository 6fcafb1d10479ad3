/*
 * Restoring: every CSV file comes back byte for byte, for any dialect, defects, number of jobs; a
 * file that keeps no text says why.
 */
#include <stoa/restore.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <stoa/convert.h>

#include "support/folder.h"
#include "support/gen_csv.h"
#include "support/random.h"

static const unsigned jobs_tried[] = {1, 2, 3, 8};

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

static enum stoa_status convert(const char *const *paths, size_t npaths, const char *output,
                                const struct stoa_test_csv_text *csv, unsigned jobs,
                                struct stoa_error *err)
{
    const struct stoa_convert_options options = {
        .paths = paths,
        .npaths = npaths,
        .output = output,
        .replace = true,
        .from = STOA_FORMAT_CSV,
        .csv = csv->options,
        .schema = csv->has_schema ? &csv->schema : NULL,
        .writer = {.row_group_nrows = csv->options.unit_nrows},
        .jobs = jobs,
    };

    return stoa_convert(&options, NULL, err);
}

static void expect_file(const char *path, const char *text, size_t nbytes)
{
    size_t got_nbytes, at = 0;
    char *got = stoa_test_folder_get(path, &got_nbytes);

    while (at < nbytes && at < got_nbytes && got[at] == text[at])
        at++;
    if (at < nbytes || at < got_nbytes)
        fail_msg("%s: byte %zu of %zu differs (%zu)", path, at, nbytes, got_nbytes);
    free(got);
}

static void restore(const char *path, const char *output, unsigned jobs)
{
    const struct stoa_restore_options options = {
        .path = path, .output = output, .replace = true, .jobs = jobs};
    struct stoa_error err;

    check(stoa_restore(&options, NULL, &err), &err);
}

/* Converts with any number of jobs: the same file, and the text again. False: it can't be read. */
static bool survives(const struct stoa_test_csv_text *csv)
{
    const char *const path = "in.csv";
    struct stoa_error err;
    size_t nbytes = 0;
    char *first = NULL;
    enum stoa_status st;

    stoa_test_folder_put(path, csv->text, csv->nbytes);
    for (size_t i = 0; i < sizeof(jobs_tried) / sizeof(jobs_tried[0]); i++) {
        st = convert(&path, 1, "a.stoa", csv, jobs_tried[i], &err);
        if (st != STOA_OK && first == NULL)
            return false;
        check(st, &err);
        if (first == NULL)
            first = stoa_test_folder_get("a.stoa", &nbytes);
        else
            expect_file("a.stoa", first, nbytes);
        restore("a.stoa", i == 0 ? "out.csv" : NULL, jobs_tried[i]);
        if (i == 0)
            expect_file("out.csv", csv->text, csv->nbytes);
    }
    free(first);
    return true;
}

static void every_dialect_comes_back(void **state)
{
    const size_t ncases = stoa_test_ncases(400);
    struct stoa_test_random r;
    size_t nsurvived = 0;

    (void)state;
    stoa_test_random_init(&r, "every_dialect_comes_back");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_test_csv_text csv;

        stoa_test_gen_csv(&r, 90, &csv);
        nsurvived += survives(&csv);
        stoa_test_csv_text_reset(&csv);
    }
    print_message("# %zu of %zu could be read\n", nsurvived, ncases);
    assert_true(nsurvived > ncases / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_dialect_comes_back, stoa_test_folder_enter,
                                        stoa_test_folder_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
