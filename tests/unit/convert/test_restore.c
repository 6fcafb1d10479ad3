/*
 * Restoring: CSV files come back byte for byte, for any dialect, encoding and defects; and the Stoa
 * file is the same for any number of threads, however few bytes a read gives.
 */
#include <stoa/restore.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <stoa/convert.h>

#include "support/fault_posix.h"
#include "support/folder.h"
#include "support/gen_csv.h"
#include "support/random.h"

static const unsigned jobs_tried[] = {1, 2, 3, 8};
static const size_t reads_tried[] = {64, 1024, 65536, 1048576};
#define NJOBS  (sizeof(jobs_tried) / sizeof(jobs_tried[0]))
#define NREADS (sizeof(reads_tried) / sizeof(reads_tried[0]))
#define NWAYS  (NJOBS * NREADS)

static const char *const inputs[STOA_TEST_CSV_NFILES] = {"0.csv", "1.csv", "2.csv"};
static const char *const outputs[STOA_TEST_CSV_NFILES] = {"out/0.csv", "out/1.csv", "out/2.csv"};

/* Number `way` of all combinations of threads and reads, from now on. */
static unsigned take_way(size_t way)
{
    const struct stoa_test_posix_fault slow = {.max_read = reads_tried[way / NJOBS % NREADS]};

    stoa_test_posix_set(&slow);
    return jobs_tried[way % NJOBS];
}

static enum stoa_status convert(const struct stoa_test_csv_text *csv, size_t way,
                                const char **obstacle, struct stoa_error *err)
{
    const struct stoa_convert_options options = {
        .paths = inputs,
        .npaths = csv->nfiles,
        .output = "a.stoa",
        .replace = true,
        .from = STOA_FORMAT_CSV,
        .csv = csv->options,
        .schema = csv->has_schema ? &csv->schema : NULL,
        .on_error = csv->on_error,
        .writer = {.row_group_nrows = csv->options.unit_nrows},
        .jobs = take_way(way),
    };
    struct stoa_convert_report report;
    enum stoa_status st = stoa_convert(&options, &report, err);

    (void)stoa_test_posix_end();
    if (st == STOA_OK)
        *obstacle = report.obstacle;
    return st;
}

static void restore(size_t way)
{
    const struct stoa_restore_options options = {
        .path = "a.stoa", .output = "out/", .replace = true, .jobs = take_way(way)};
    struct stoa_error err;
    enum stoa_status st = stoa_restore(&options, NULL, &err);

    (void)stoa_test_posix_end();
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err.message);
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

/* Of cases. */
struct counts {
    size_t nread;
    size_t nrefused; /* of these: can't be restored, for their encoding */
    size_t nerrors;  /* can't be read */
};

/*
 * Converts in one way and restores in another; with `thoroughly` converts in all ways, which make
 * the same file.
 */
static void check_case(const struct stoa_test_csv_text *csv, size_t way, bool thoroughly,
                       struct counts *counts)
{
    const char *obstacle = NULL;
    struct stoa_error err;
    size_t nbytes;
    char *first;

    for (size_t i = 0; i < csv->nfiles; i++)
        stoa_test_folder_put(inputs[i], csv->files[i].text, csv->files[i].nbytes);
    if (convert(csv, way, &obstacle, &err) != STOA_OK) {
        assert_true(err.message[0] != '\0');
        counts->nerrors++;
        return;
    }
    counts->nread++;
    counts->nrefused += obstacle != NULL;
    if (obstacle == NULL) {
        restore(way * 7 + 3);
        for (size_t i = 0; i < csv->nfiles; i++)
            expect_file(outputs[i], csv->files[i].text, csv->files[i].nbytes);
    }
    if (!thoroughly)
        return;
    first = stoa_test_folder_get("a.stoa", &nbytes);
    for (size_t other = 1; other < NWAYS; other++) {
        enum stoa_status st = convert(csv, way + other, &obstacle, &err);

        if (st != STOA_OK)
            fail_msg("%s: %s", stoa_status_name(st), err.message);
        expect_file("a.stoa", first, nbytes);
    }
    free(first);
}

static void every_dialect_comes_back(void **state)
{
    const size_t ncases = stoa_test_ncases(800);
    struct stoa_test_random r;
    struct counts counts = {0};

    (void)state;
    stoa_test_random_init(&r, "every_dialect_comes_back");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_test_csv_text csv;

        stoa_test_gen_csv(&r, i % 50 == 0 ? 2000 : 90, &csv);
        check_case(&csv, i, i % 10 == 0, &counts);
        stoa_test_csv_text_reset(&csv);
    }
    print_message("# %zu cases could be read, %zu of them without a way back, %zu could not\n",
                  counts.nread, counts.nrefused, counts.nerrors);
    assert_true(counts.nread > ncases * 2 / 3);
    assert_true(counts.nrefused < ncases / 20 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_dialect_comes_back, stoa_test_folder_enter_memory,
                                        stoa_test_folder_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
