/*
 * Sorting when memory or the system give out: every allocation and every system call of the runs,
 * of merging them twice and of what is written at last fails once, or from then on. Always all of
 * the output or none of it, and nothing else.
 */
#include <stoa/convert.h>

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "support/fault_alloc.h"
#include "support/fault_posix.h"
#include "support/folder.h"

/* Keys of which the longest are so long that two runs are all that can be merged at a time. */
enum { NROWS = 8, GROUP_NROWS = 3, LONG_NBYTES = 30000, MEMORY_NBYTES = 40 << 20 };

static const struct way {
    const char *input;
    const char *output;
    const char *order;
} ways[] = {
    {"in.csv", "o.stoa", "key:desc,n"},
    {"in.stoa", "o.csv", "n:desc"},
};
#define NWAYS (sizeof(ways) / sizeof(ways[0]))

struct scenario {
    const struct way *way;
    unsigned jobs;
};

static enum stoa_status convert(void *context, struct stoa_error *err)
{
    const struct scenario *scenario = context;
    const struct stoa_convert_options options = {
        .paths = &scenario->way->input,
        .npaths = 1,
        .output = scenario->way->output,
        .sort_by = scenario->way->order,
        .writer = {.row_group_nrows = GROUP_NROWS},
        .jobs = scenario->jobs,
        .memory_nbytes = MEMORY_NBYTES,
    };

    return stoa_convert(&options, NULL, err);
}

/* Rows of a number, which falls and rises, and a key, which is long now and then. */
static int enter(void **state)
{
    static char text[NROWS * 32 + (NROWS / 5 + 1) * LONG_NBYTES];
    const char *const input = "in.csv";
    struct stoa_convert_options options = {.paths = &input,
                                           .npaths = 1,
                                           .output = "in.stoa",
                                           .writer = {.row_group_nrows = GROUP_NROWS}};
    struct stoa_error err = {0};
    size_t n;

    if (stoa_test_folder_enter_memory(state) != 0)
        return -1;
    n = (size_t)sprintf(text, "n,key\n");
    for (int i = 0; i < NROWS; i++) {
        n += (size_t)sprintf(text + n, "%d,", i * 5 % 7);
        if (i % 5 == 1) {
            memset(text + n, 'k', LONG_NBYTES);
            n += LONG_NBYTES;
        }
        n += (size_t)sprintf(text + n, "%c\n", 'a' + i % 3);
    }
    stoa_test_folder_put(input, text, n);
    return stoa_convert(&options, NULL, &err) == STOA_OK ? 0 : -1;
}

/* What comes out when all is well, beside the other files. */
static void make_expected(const struct way *way)
{
    struct stoa_error err = {0};
    char path[32];

    if (convert(&(struct scenario){way, 1}, &err) != STOA_OK)
        fail_msg("%s", err.message);
    snprintf(path, sizeof(path), "expected.%s", way->output);
    assert_int_equal(rename(way->output, path), 0);
}

/* Whether there is an output, which is as it should be and removed; there is nothing else. */
static bool take_output(const struct way *way)
{
    DIR *folder = opendir(".");
    bool found = false;

    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t nbytes, nwanted;
        char path[32], *bytes, *wanted;

        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "in.", 3) == 0 ||
            strncmp(entry->d_name, "expected.", 9) == 0)
            continue;
        assert_string_equal(entry->d_name, way->output);
        snprintf(path, sizeof(path), "expected.%s", way->output);
        bytes = stoa_test_folder_get(way->output, &nbytes);
        wanted = stoa_test_folder_get(path, &nwanted);
        assert_int_equal(nbytes, nwanted);
        assert_memory_equal(bytes, wanted, nbytes);
        free(bytes);
        free(wanted);
        found = true;
    }
    closedir(folder);
    if (found)
        unlink(way->output);
    return found;
}

static enum stoa_status converts(void *context, struct stoa_error *err)
{
    const struct scenario *scenario = context;
    const enum stoa_status st = convert(context, err);

    assert_int_equal(take_output(scenario->way), st == STOA_OK);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < NWAYS; i++) {
        make_expected(&ways[i]);
        stoa_test_each_failing_alloc(converts, &(struct scenario){&ways[i], 1});
    }
}

static void failing_allocations_among_threads_are_reported(void **state)
{
    (void)state;
    make_expected(&ways[1]);
    stoa_test_each_failing_alloc(converts, &(struct scenario){&ways[1], 3});
}

/* Lets each call fail; it has to say so, unless all came out nevertheless. */
static void fail_each_call(const struct way *way, enum stoa_test_posix_mode mode, int os_errno)
{
    bool fired = true;
    unsigned at;

    for (at = 1; fired; at++) {
        const struct stoa_test_posix_fault fault = {
            .calls = STOA_TEST_ALL_CALLS, .at = at, .mode = mode, .os_errno = os_errno};
        struct stoa_error err = {0};
        enum stoa_status st;

        stoa_test_posix_set(&fault);
        st = convert(&(struct scenario){way, 1}, &err);
        fired = stoa_test_posix_end();
        if (st != STOA_OK &&
            (!fired || st != STOA_ERR_IO || err.os_errno != os_errno || err.message[0] == '\0'))
            fail_msg("call %u: %s: %s", at, stoa_status_name(st), err.message);
        take_output(way);
    }
    assert_true(at > 20);
}

static void every_failing_call_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < NWAYS; i++) {
        make_expected(&ways[i]);
        fail_each_call(&ways[i], STOA_TEST_POSIX_ONCE, EIO);
        fail_each_call(&ways[i], STOA_TEST_POSIX_ON, ENOSPC);
        fail_each_call(&ways[i], STOA_TEST_POSIX_SHORT, 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_failing_allocation_is_reported),
        TEST(failing_allocations_among_threads_are_reported),
        TEST(every_failing_call_is_reported),
    };

    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests_name("sort_faults", tests, NULL, NULL);
}
