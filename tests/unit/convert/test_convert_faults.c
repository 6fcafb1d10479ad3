/*
 * Conversions when memory or the system give out: every allocation and every system call fails or
 * is the last one before a kill, the disk is full. Always the old output or the new one, and
 * nothing else in its folder.
 */
#include <stoa/convert.h>

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "support/compress.h"
#include "support/fault_alloc.h"
#include "support/fault_posix.h"
#include "support/folder.h"
#include "support/kill.h"

/* The conversions: from one format to another, of the same rows but where all are verified. */
static const struct way {
    const char *inputs[2];
    size_t ninputs;
    const char *output;
    bool verify;
} ways[] = {
    {{"1.csv", "2.csv"}, 2, "out/o.stoa", false}, {{"1.stoa"}, 1, "out/o.stoa", false},
    {{"1.stoa"}, 1, "out/o.csv", false},          {{"1.csv"}, 1, "out/o.jsonl", false},
    {{"1.csv"}, 1, "out/o.stoa", true},
};
#define NWAYS (sizeof(ways) / sizeof(ways[0]))

enum { NROWS = 90, GROUP_NROWS = 40 };

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

static enum stoa_status convert(const struct way *way, bool replace, unsigned jobs,
                                struct stoa_error *err)
{
    static const char *const columns[] = {"word", "price", "day", "id"};
    struct stoa_convert_options options = {
        .paths = way->inputs,
        .npaths = way->ninputs,
        .output = way->output,
        .replace = replace,
        .verify = way->verify,
        .writer = {.row_group_nrows = GROUP_NROWS},
        .jobs = jobs,
    };
    struct stoa_filter *filter = NULL;
    enum stoa_status st;

    if (!way->verify) {
        STOA_TRY(stoa_filter_parse("id <> 13 and flag is not null", &filter, err));
        options.filter = filter;
        options.columns = columns;
        options.ncolumns = 4;
    }
    STOA_TRY(stoa_convert(&options, NULL, err));
out:
    stoa_filter_free(filter);
    return st;
}

/* Enters a folder with the inputs, 2.csv compressed, and a folder for outputs. */
static int enter(void **state)
{
    const char *path = "1.csv";
    struct stoa_convert_options options = {.paths = &path, .npaths = 1, .output = "1.stoa"};
    struct stoa_error err = {0};
    char text[64 * (NROWS + 1)];
    uint8_t packed[sizeof(text) + 8192];
    size_t nbytes;

    if (stoa_test_folder_enter(state) != 0)
        return -1;
    nbytes = (size_t)sprintf(text, "id,word,price,day,flag\n");
    for (int i = 0; i < NROWS; i++)
        nbytes += (size_t)sprintf(text + nbytes, "%d,%s,%d.25,2013-01-%02d,%s\n", i,
                                  i % 3 == 0 ? "\"a, b\"" : "word", i * 7, 1 + i % 28,
                                  i % 5 == 0 ? "" : "true");
    stoa_test_folder_put("1.csv", text, nbytes);
    nbytes =
        stoa_test_compressions[0].compress((const uint8_t *)text, nbytes, packed, sizeof(packed));
    stoa_test_folder_put("2.csv", packed, nbytes);
    mkdir("out", 0700);
    options.writer.row_group_nrows = GROUP_NROWS;
    return stoa_convert(&options, NULL, &err) == STOA_OK ? 0 : -1;
}

/* Only the output is in its folder; whether it is the expected one, else it must be `old`. */
static bool is_new(const struct way *way, const char *old, const char *expected,
                   size_t expected_nbytes)
{
    const char *name = strchr(way->output, '/') + 1;
    bool exists = access(way->output, F_OK) == 0, yes;
    size_t nbytes;
    char *bytes;

    assert_int_equal(chdir("out"), 0);
    stoa_test_folder_expect(exists ? name : "", NULL);
    assert_int_equal(chdir(".."), 0);
    if (!exists) {
        assert_null(old);
        return false;
    }
    bytes = stoa_test_folder_get(way->output, &nbytes);
    yes = nbytes == expected_nbytes && memcmp(bytes, expected, nbytes) == 0;
    if (!yes && (old == NULL || strcmp(bytes, old) != 0))
        fail_msg("%s is neither old nor new: %zu bytes", way->output, nbytes);
    free(bytes);
    return yes;
}

static void set_old(const struct way *way, const char *old)
{
    for (size_t i = 0; i < NWAYS; i++)
        unlink(ways[i].output);
    if (old != NULL)
        stoa_test_folder_put(way->output, old, strlen(old));
}

/* What comes out when all is well. */
static char *expect(const struct way *way, size_t *nbytes)
{
    struct stoa_error err = {0};

    set_old(way, NULL);
    check(convert(way, false, 1, &err), &err);
    return stoa_test_folder_get(way->output, nbytes);
}

/* ---- Memory. ---- */

struct scenario {
    const struct way *way;
    unsigned jobs;
};

static enum stoa_status convert_anew(void *context, struct stoa_error *err)
{
    const struct scenario *scenario = context;
    enum stoa_status st;

    set_old(scenario->way, NULL);
    st = convert(scenario->way, false, scenario->jobs, err);
    if (st != STOA_OK)
        is_new(scenario->way, NULL, NULL, 0);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < NWAYS; i++)
        stoa_test_each_failing_alloc(convert_anew, &(struct scenario){&ways[i], 1});
}

static void failing_allocations_among_threads_are_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(convert_anew, &(struct scenario){&ways[0], 3});
}

/* ---- System calls. ---- */

static void fail_each_call(const struct way *way, const char *old, enum stoa_test_posix_mode mode,
                           int os_errno)
{
    size_t nbytes;
    char *expected = expect(way, &nbytes);
    bool fired = true;
    unsigned at;

    for (at = 1; fired; at++) {
        struct stoa_test_posix_fault fault = {
            .calls = STOA_TEST_ALL_CALLS, .at = at, .mode = mode, .os_errno = os_errno};
        struct stoa_error err = {0};
        enum stoa_status st;

        set_old(way, old);
        stoa_test_posix_set(&fault);
        st = convert(way, old != NULL, 1, &err);
        fired = stoa_test_posix_end();
        if (st == STOA_OK)
            assert_true(is_new(way, old, expected, nbytes));
        else if (!fired || st != STOA_ERR_IO || err.os_errno != os_errno)
            fail_msg("%s: call %u: %s", way->output, at, err.message);
        is_new(way, old, expected, nbytes);
    }
    assert_true(at > 8);
    free(expected);
}

static void every_failing_call_leaves_old_or_new(void **state)
{
    (void)state;
    for (size_t i = 0; i < NWAYS; i++) {
        fail_each_call(&ways[i], NULL, STOA_TEST_POSIX_ONCE, EIO);
        fail_each_call(&ways[i], "old", STOA_TEST_POSIX_ON, EIO);
        fail_each_call(&ways[i], "old", STOA_TEST_POSIX_ON, ENOSPC);
        fail_each_call(&ways[i], NULL, STOA_TEST_POSIX_SHORT, 0);
    }
}

struct killed {
    struct stoa_test_posix_fault fault;
    const struct way *way;
    bool replace;
};

static bool convert_until_killed(void *context)
{
    const struct killed *killed = context;

    stoa_test_posix_set(&killed->fault);
    return convert(killed->way, killed->replace, 2, NULL) == STOA_OK;
}

/* Converts in a child that is killed at call `at`; false when it came to its end before that. */
static bool killed_at(const struct way *way, bool replace, unsigned at)
{
    struct killed killed = {
        {.calls = STOA_TEST_ALL_CALLS, .at = at, .mode = STOA_TEST_POSIX_KILL}, way, replace};

    return stoa_test_is_killed(convert_until_killed, &killed);
}

static void a_kill_at_any_call_leaves_old_or_new(void **state)
{
    (void)state;
    static const char *const olds[] = {NULL, "old"};

    for (size_t i = 0; i < 2; i++) {
        const struct way *way = &ways[0];
        size_t nbytes;
        char *expected = expect(way, &nbytes);
        bool killed = true;

        for (unsigned at = 1; killed; at++) {
            struct stoa_error err = {0};

            set_old(way, olds[i]);
            killed = killed_at(way, olds[i] != NULL, at);
            if (olds[i] == NULL) /* where a file is replaced, a whole temporary one may remain */
                assert_true(is_new(way, NULL, expected, nbytes) || killed);
            check(convert(way, true, 1, &err), &err); /* takes it away */
            assert_true(is_new(way, NULL, expected, nbytes));
        }
        free(expected);
    }
}

/* ---- What is written is not what arrives. ---- */

static void a_bit_that_flips_on_its_way_is_found_by_verify(void **state)
{
    (void)state;
    static const char *const olds[] = {NULL, "old"};
    static const struct stoa_test_posix_fault flip = {
        .calls = STOA_TEST_WRITE, .at = 1, .mode = STOA_TEST_POSIX_FLIP};
    const struct way *way = &ways[NWAYS - 1];

    for (size_t i = 0; i < 2; i++) {
        struct stoa_error err = {0};
        enum stoa_status st;

        set_old(way, olds[i]);
        stoa_test_posix_set(&flip);
        st = convert(way, olds[i] != NULL, 1, &err);
        assert_true(stoa_test_posix_end());
        assert_int_equal(st, STOA_ERR_CORRUPT);
        assert_memory_equal(err.message, "out/o.stoa: ", 12); /* and where the file is damaged */
        assert_false(is_new(way, olds[i], NULL, 0));
    }
}

/* ---- A full disk. ---- */

#define CANNOT_MOUNT 77

/* In a mount namespace of its own, so that nothing is left mounted. */
static int convert_to_a_full_disk(void)
{
    struct stoa_error err = {0};
    const char *path = "noise.csv";
    struct stoa_convert_options options = {
        .paths = &path, .npaths = 1, .output = "out/o.csv", .replace = true, .jobs = 2};
    FILE *noise = fopen(path, "w");

    for (unsigned i = 0; i < 100000; i++)
        fprintf(noise, "%u,%08x\n", i, i * 2654435761u);
    fclose(noise);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("stoa", "out", "tmpfs", 0, "size=256k") != 0)
        return CANNOT_MOUNT;
    stoa_test_folder_put("out/o.csv", "old", 3);
    if (stoa_convert(&options, NULL, &err) != STOA_ERR_IO || err.os_errno != ENOSPC)
        return 1;
    if (strcmp(err.message, "out/o.csv: can't be written: No space left on device") != 0) {
        fprintf(stderr, "# \"%s\"\n", err.message);
        return 1;
    }
    return chdir("out") == 0 ? (stoa_test_folder_expect("o.csv", "old"), 0) : 1;
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(convert_to_a_full_disk());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CANNOT_MOUNT) {
        printf("# skipped: mounting a small tmpfs is not permitted here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_failing_allocation_is_reported),
        TEST(failing_allocations_among_threads_are_reported),
        TEST(every_failing_call_leaves_old_or_new),
        TEST(a_kill_at_any_call_leaves_old_or_new),
        TEST(a_bit_that_flips_on_its_way_is_found_by_verify),
        TEST(a_full_disk_is_an_error),
    };

    if (access("/dev/shm", W_OK) == 0) /* thousands of files are made durable */
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests_name("convert_faults", tests, NULL, NULL);
}
