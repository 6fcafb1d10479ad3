/*
 * Conversions whose guesses do not hold, and restoring, when memory or the system give out: every
 * allocation and every system call of the draft, of reading it again and of what is written at last
 * fails once, or from then on. Always all of the output or none of it, and nothing else.
 */
#include <stoa/convert.h>
#include <stoa/restore.h>

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "support/archives.h"
#include "support/fault_alloc.h"
#include "support/fault_posix.h"
#include "support/folder.h"

enum { NROWS = 60, GROUP_NROWS = 25, SAMPLE_NBYTES = 64 << 10 };

/*
 * The members of an archive are sampled up to one that is as large as a sample, so what stands
 * behind that one is a surprise: `id` becomes float64 and `price` text.
 */
static const struct way {
    const char *output;
    const char *filter;
    uint32_t ncolumns; /* of `columns`; 0: all */
    bool no_source_text;
} ways[] = {
    {"out/o.stoa", NULL, 0, false},        /* the draft is the output, or nearly */
    {"out/o.stoa", NULL, 0, true},         /* without its side tables */
    {"out/o.stoa", "id <> 13", 2, false},  /* a draft of rows */
    {"out/o.csv", "word = 'w'", 2, false}, /* where columns stand in the filter alone */
    {"out/o.jsonl", NULL, 0, false},
};
#define NWAYS (sizeof(ways) / sizeof(ways[0]))

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

struct counted {
    uint32_t nnotes;
    uint32_t nwidened;
};

static void count_note(void *context, const char *message)
{
    struct counted *counted = context;

    assert_non_null(strstr(message, "the column is"));
    counted->nnotes++;
}

static enum stoa_status convert(const struct way *way, unsigned jobs, struct counted *counted,
                                struct stoa_error *err)
{
    static const char *const input = "in.tar", *const columns[] = {"price", "id"};
    struct stoa_convert_report report = {0};
    struct stoa_filter *filter = NULL;
    struct stoa_convert_options options = {
        .paths = &input,
        .npaths = 1,
        .output = way->output,
        .columns = way->ncolumns > 0 ? columns : NULL,
        .ncolumns = way->ncolumns,
        .no_source_text = way->no_source_text,
        .csv = {.comment = '#'},
        .writer = {.row_group_nrows = GROUP_NROWS},
        .jobs = jobs,
        .note = count_note,
        .note_context = counted,
    };
    enum stoa_status st;

    if (way->filter != NULL)
        STOA_TRY(stoa_filter_parse(way->filter, &filter, err));
    options.filter = filter;
    STOA_TRY(stoa_convert(&options, &report, err));
    counted->nwidened = report.nwidened;
out:
    stoa_filter_free(filter);
    return st;
}

static size_t print_rows(char *text, bool surprises)
{
    size_t n = (size_t)sprintf(text, "id,word,price\n");

    for (int i = 0; i < NROWS; i++)
        n += (size_t)sprintf(text + n, surprises && i == 50 ? "%d.5,w,%d.50\r\n" : "%d,w,%d.50\n",
                             i, i);
    if (surprises)
        n += (size_t)sprintf(text + n, "# none\n7,\"w\",much\n");
    return n;
}

/* The folder has the archive, a folder for outputs, and a file to be restored from. */
static int enter(void **state)
{
    static const char *const inputs[] = {"1.csv", "2.csv"};
    struct stoa_convert_options options = {.paths = inputs,
                                           .npaths = 2,
                                           .output = "restore.stoa",
                                           .csv = {.comment = '#'},
                                           .writer = {.row_group_nrows = GROUP_NROWS}};
    static char large[SAMPLE_NBYTES + 100];
    struct stoa_buffer tar = {0};
    struct stoa_error err = {0};

    if (stoa_test_folder_enter_memory(state) != 0)
        return -1;
    memset(large, '#', sizeof(large));
    memcpy(large, "id,word,price\n1,w,2.5\n", 22);
    for (int i = 0; i < 2; i++) {
        char text[32 * (NROWS + 3)];
        size_t nbytes = print_rows(text, i == 1);

        if (i == 1)
            stoa_test_tar_add(&tar, "large.csv", '0', large, sizeof(large));
        stoa_test_tar_add(&tar, inputs[i], '0', text, nbytes);
        stoa_test_folder_put(inputs[i], text, nbytes);
    }
    stoa_test_tar_end(&tar);
    stoa_test_folder_put("in.tar", tar.data, tar.nbytes);
    stoa_buffer_free(&tar);
    mkdir("out", 0700);
    return stoa_convert(&options, NULL, &err) == STOA_OK ? 0 : -1;
}

/* Each file in the folder for outputs has the bytes of another one; it is removed. */
static size_t take_outputs(const char *const *expected, size_t nexpected)
{
    DIR *folder = opendir("out");
    size_t n = 0;

    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t k = 0, nbytes, nwanted;
        char path[300], *bytes, *wanted;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "out/%s", entry->d_name);
        while (k < nexpected && strcmp(expected[k], entry->d_name) != 0)
            k++;
        if (k == nexpected)
            fail_msg("litter: %s", path);
        bytes = stoa_test_folder_get(path, &nbytes);
        wanted = stoa_test_folder_get(expected[k], &nwanted);
        assert_int_equal(nbytes, nwanted);
        assert_memory_equal(bytes, wanted, nbytes);
        free(bytes);
        free(wanted);
        unlink(path);
        n++;
    }
    closedir(folder);
    return n;
}

static const char *name_of(const struct way *way)
{
    return strchr(way->output, '/') + 1;
}

/* What comes out when all is well goes beside the folder, under its name. */
static void make_expected(const struct way *way)
{
    struct counted counted = {0};
    struct stoa_error err = {0};

    check(convert(way, 1, &counted, &err), &err);
    assert_int_equal(counted.nwidened, 2);
    assert_int_equal(counted.nnotes, 2);
    assert_int_equal(rename(way->output, name_of(way)), 0);
}

/* ---- Converting. ---- */

struct scenario {
    const struct way *way;
    unsigned jobs;
};

static enum stoa_status converts(void *context, struct stoa_error *err)
{
    const struct scenario *scenario = context;
    const char *const name = name_of(scenario->way);
    struct counted counted = {0};
    enum stoa_status st = convert(scenario->way, scenario->jobs, &counted, err);

    assert_int_equal(take_outputs(&name, 1), st == STOA_OK);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < NWAYS; i += 2) { /* the others differ little, and calls are fewer */
        make_expected(&ways[i]);
        stoa_test_each_failing_alloc(converts, &(struct scenario){&ways[i], 1});
    }
}

static void failing_allocations_among_threads_are_reported(void **state)
{
    (void)state;
    make_expected(&ways[2]);
    stoa_test_each_failing_alloc(converts, &(struct scenario){&ways[2], 3});
}

/* Lets each call of a scenario fail; it has to say so, unless all came out nevertheless. */
static void fail_each_call(stoa_test_scenario *scenario, void *context,
                           enum stoa_test_posix_mode mode, int os_errno)
{
    bool fired = true;
    unsigned at;

    for (at = 1; fired; at++) {
        const struct stoa_test_posix_fault fault = {
            .calls = STOA_TEST_ALL_CALLS, .at = at, .mode = mode, .os_errno = os_errno};
        struct stoa_error err = {0};
        enum stoa_status st;

        stoa_test_posix_set(&fault);
        st = scenario(context, &err);
        fired = stoa_test_posix_end();
        if (st != STOA_OK &&
            (!fired || st != STOA_ERR_IO || err.os_errno != os_errno || err.message[0] == '\0'))
            fail_msg("call %u: %s: %s", at, stoa_status_name(st), err.message);
        take_outputs((const char *const[]){"o.stoa", "o.csv", "o.jsonl", "1.csv", "2.csv"}, 5);
    }
    assert_true(at > 20);
}

/* What it leaves is looked at when no call fails any more. */
static enum stoa_status converts_unseen(void *context, struct stoa_error *err)
{
    const struct scenario *scenario = context;
    struct counted counted = {0};

    return convert(scenario->way, scenario->jobs, &counted, err);
}

static void every_failing_call_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < NWAYS; i++) {
        struct scenario scenario = {&ways[i], 1};

        make_expected(&ways[i]);
        fail_each_call(converts_unseen, &scenario, STOA_TEST_POSIX_ONCE, EIO);
        fail_each_call(converts_unseen, &scenario, STOA_TEST_POSIX_ON, ENOSPC);
        fail_each_call(converts_unseen, &scenario, STOA_TEST_POSIX_SHORT, 0);
    }
}

/* ---- Restoring. ---- */

static enum stoa_status restore(unsigned jobs, struct stoa_error *err)
{
    const struct stoa_restore_options options = {
        .path = "restore.stoa", .output = "out", .replace = true, .jobs = jobs};

    return stoa_restore(&options, NULL, err);
}

static enum stoa_status restores(void *context, struct stoa_error *err)
{
    static const char *const names[] = {"1.csv", "2.csv"};
    enum stoa_status st = restore(*(const unsigned *)context, err);
    size_t n = take_outputs(names, 2);

    if (st == STOA_OK)
        assert_int_equal(n, 2);
    else
        assert_true(n < 2);
    return st;
}

static enum stoa_status restores_unseen(void *context, struct stoa_error *err)
{
    return restore(*(const unsigned *)context, err);
}

static void a_failing_allocation_ends_restoring(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(restores, &(unsigned){1});
    stoa_test_each_failing_alloc(restores, &(unsigned){3});
}

static void a_failing_call_ends_restoring(void **state)
{
    (void)state;
    unsigned jobs = 1;

    fail_each_call(restores_unseen, &jobs, STOA_TEST_POSIX_ONCE, EIO);
    fail_each_call(restores_unseen, &jobs, STOA_TEST_POSIX_ON, ENOSPC);
    fail_each_call(restores_unseen, &jobs, STOA_TEST_POSIX_SHORT, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_failing_allocation_is_reported),
        TEST(failing_allocations_among_threads_are_reported),
        TEST(every_failing_call_is_reported),
        TEST(a_failing_allocation_ends_restoring),
        TEST(a_failing_call_ends_restoring),
    };

    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests_name("widen_faults", tests, NULL, NULL);
}
