/*
 * Restoring: all CSV files of the repository, and generated ones, come back byte for byte, for any
 * dialect, encoding and defects; and the Stoa file is the same for any number of threads, however
 * few bytes a read gives.
 */
#include <stoa/restore.h>

#include <ftw.h>
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
#include "support/scratch.h"

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

/* ---- The files of the repository. ---- */

/* Those that can't be read, each for its reason. */
static const struct {
    const char *name;
    const char *message;
} refused[] = {
    {"empty.csv", "empty: there is no header line"},
    {"not_utf8.csv", "line 3, column 2 (name): \"Andr\\xe9\" is not UTF-8"},
    {"ragged.csv", "line 3: 2 fields where there are 3 columns"},
};

static const char *refusal_of(const char *path)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strcmp(strrchr(path, '/') + 1, refused[i].name) == 0)
            return refused[i].message;
    }
    return NULL;
}

/* All of a file, decompressed. */
static char *decoded(const char *path, size_t *nbytes)
{
    struct stoa_stream *stream;
    struct stoa_error err;
    size_t capacity = 1 << 20, got = 1;
    char *text = malloc(capacity);

    assert_int_equal(stoa_stream_open(path, &stream, &err), STOA_OK);
    for (*nbytes = 0; got > 0; *nbytes += got) {
        if (*nbytes == capacity)
            text = realloc(text, capacity *= 2);
        assert_non_null(text);
        assert_int_equal(stream->read(stream, text + *nbytes, capacity - *nbytes, &got, &err),
                         STOA_OK);
    }
    stream->close(stream);
    return text;
}

static void check_fixture(const char *path)
{
    const char *const stoa = stoa_test_scratch_path("fixture.stoa");
    const char *const csv = stoa_test_scratch_path("fixture.csv");
    const struct stoa_convert_options convert_options = {
        .paths = &path, .npaths = 1, .output = stoa, .replace = true, .from = STOA_FORMAT_CSV};
    const struct stoa_restore_options restore_options = {
        .path = stoa, .output = csv, .replace = true};
    const char *refusal = refusal_of(path);
    struct stoa_error err = {0};
    enum stoa_status st = stoa_convert(&convert_options, NULL, &err);
    size_t nbytes;
    char *text;

    if (refusal != NULL) {
        assert_int_equal(st, STOA_ERR_DATA);
        assert_non_null(strstr(err.message, refusal));
        return;
    }
    if (st != STOA_OK || stoa_restore(&restore_options, NULL, &err) != STOA_OK)
        fail_msg("%s", err.message);
    text = decoded(path, &nbytes);
    expect_file(csv, text, nbytes);
    free(text);
}

static size_t nfixtures;

static int visit_fixture(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)walk;
    if (type == FTW_F && strstr(path, ".csv") != NULL) {
        check_fixture(path);
        nfixtures++;
    }
    return 0;
}

static void every_fixture_comes_back(void **state)
{
    (void)state;
    assert_int_equal(nftw("fixtures", visit_fixture, 16, FTW_PHYS), 0);
    print_message("# %zu files\n", nfixtures);
    assert_true(nfixtures >= 43);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_comes_back),
        cmocka_unit_test_setup_teardown(every_dialect_comes_back, stoa_test_folder_enter_memory,
                                        stoa_test_folder_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
