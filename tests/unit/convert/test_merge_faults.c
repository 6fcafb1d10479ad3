/*
 * Adding rows to a file when memory or the system give out: every allocation and every system call
 * fails or is the last one before a kill. Always the old file or the new one, whether blocks are
 * shared or not.
 */
#include <stoa/merge.h>

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
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/fault_posix.h"
#include "support/folder.h"
#include "support/kill.h"
#include "support/merge_parts.h"
#include "support/random.h"

#define OLD "out/t.stoa"
#define NEW "new.stoa"

/* Numbers that take 80 KB, enough for blocks to be worth sharing. */
enum { OLD_NROWS = 10000, NEW_NROWS = 10 };

static char *old_bytes;
static size_t old_nbytes;

static int64_t noise(size_t i)
{
    struct stoa_test_random r;

    stoa_test_random_seed(&r, i);
    return (int64_t)stoa_test_random_u64(&r);
}

static void make(const char *path, size_t nrows)
{
    struct stoa_schema schema = {0};
    struct stoa_test_file file;
    struct stoa_batch batch;
    struct stoa_error err = {0};

    stoa_test_add_column(&schema, "n", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = nrows;
    stoa_test_make_numbers(&batch.columns[0], nrows, noise);
    stoa_test_file_write(&schema, &batch, 1, NULL, &file);
    stoa_test_folder_put(path, file.bytes, file.nbytes);
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static int enter(void **state)
{
    if (stoa_test_folder_enter(state) != 0)
        return -1;
    mkdir("out", 0700);
    make(OLD, OLD_NROWS);
    make(NEW, NEW_NROWS);
    old_bytes = stoa_test_folder_get(OLD, &old_nbytes);
    return 0;
}

static int leave(void **state)
{
    free(old_bytes);
    return stoa_test_folder_leave(state);
}

static enum stoa_status add_rows(struct stoa_merge_report *report, struct stoa_error *err)
{
    static const struct stoa_merge_input inputs[] = {{.path = OLD}, {.path = NEW}};
    struct stoa_sink *sink;
    enum stoa_status st = stoa_sink_create_file(OLD, true, &sink, err);

    if (st != STOA_OK)
        return st;
    st = stoa_merge(inputs, 2, NULL, sink, report, err);
    if (st == STOA_OK)
        st = sink->commit(sink, err);
    stoa_sink_close(sink);
    return st;
}

static void set_old(void)
{
    stoa_test_folder_put(OLD, old_bytes, old_nbytes);
}

/* Nothing but the file is in its folder; whether it is the new one, else it must be the old one. */
static bool is_new(const char *expected, size_t expected_nbytes)
{
    size_t nbytes;
    char *bytes;
    bool yes;

    assert_int_equal(chdir("out"), 0);
    stoa_test_folder_expect(strchr(OLD, '/') + 1, NULL);
    assert_int_equal(chdir(".."), 0);
    bytes = stoa_test_folder_get(OLD, &nbytes);
    yes = nbytes == expected_nbytes && memcmp(bytes, expected, nbytes) == 0;
    if (!yes && (nbytes != old_nbytes || memcmp(bytes, old_bytes, nbytes) != 0))
        fail_msg("neither old nor new: %zu bytes", nbytes);
    free(bytes);
    return yes;
}

static char *expect(size_t *nbytes)
{
    struct stoa_error err = {0};
    char *bytes;

    set_old();
    stoa_test_check(add_rows(NULL, &err), &err);
    bytes = stoa_test_folder_get(OLD, nbytes);
    set_old();
    return bytes;
}

static void shared_blocks_make_the_same_bytes(void **state)
{
    (void)state;
    const struct stoa_test_posix_fault fault = {.clones = true};
    struct stoa_merge_report report;
    struct stoa_error err = {0};
    size_t nbytes;
    char *expected = expect(&nbytes);

    stoa_test_posix_set(&fault);
    stoa_test_check(add_rows(&report, &err), &err);
    (void)stoa_test_posix_end();
    assert_true(report.shared_nbytes > old_nbytes - 3 * 4096);
    assert_true(is_new(expected, nbytes));
    free(expected);
}

static enum stoa_status add_anew(void *context, struct stoa_error *err)
{
    enum stoa_status st;

    (void)context;
    set_old();
    st = add_rows(NULL, err);
    if (st != STOA_OK)
        assert_false(is_new("", 0));
    return st;
}

static void every_failing_allocation_leaves_the_old_file(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(add_anew, NULL);
}

static void fail_each_call(enum stoa_test_posix_mode mode, int os_errno, bool clones)
{
    size_t nbytes;
    char *expected = expect(&nbytes);
    bool fired = true;
    unsigned at;

    for (at = 1; fired; at++) {
        struct stoa_test_posix_fault fault = {.calls = STOA_TEST_ALL_CALLS,
                                              .at = at,
                                              .mode = mode,
                                              .os_errno = os_errno,
                                              .clones = clones};
        struct stoa_error err = {0};
        enum stoa_status st;

        set_old();
        stoa_test_posix_set(&fault);
        st = add_rows(NULL, &err);
        fired = stoa_test_posix_end();
        if (st == STOA_OK)
            assert_true(is_new(expected, nbytes));
        else if (!fired || st != STOA_ERR_IO || err.os_errno != os_errno)
            fail_msg("call %u: %s", at, err.message);
        is_new(expected, nbytes);
    }
    assert_true(at > 12);
    free(expected);
}

static void every_failing_call_leaves_old_or_new(void **state)
{
    (void)state;
    for (int clones = 0; clones < 2; clones++) {
        fail_each_call(STOA_TEST_POSIX_ONCE, EIO, clones);
        fail_each_call(STOA_TEST_POSIX_ON, ENOSPC, clones);
        fail_each_call(STOA_TEST_POSIX_SHORT, 0, clones);
    }
}

static bool add_until_killed(void *fault)
{
    stoa_test_posix_set(fault);
    return add_rows(NULL, NULL) == STOA_OK;
}

/* Adds rows in a child that is killed at call `at`; false when it came to its end before that. */
static bool killed_at(unsigned at, bool clones)
{
    struct stoa_test_posix_fault fault = {
        .calls = STOA_TEST_ALL_CALLS, .at = at, .mode = STOA_TEST_POSIX_KILL, .clones = clones};

    return stoa_test_is_killed(add_until_killed, &fault);
}

static void a_kill_at_any_call_leaves_old_or_new(void **state)
{
    (void)state;
    size_t nbytes, now_nbytes;
    char *expected = expect(&nbytes);

    for (int clones = 0; clones < 2; clones++) {
        bool killed = true;

        for (unsigned at = 1; killed; at++) {
            struct stoa_error err = {0};
            char *now;

            set_old();
            killed = killed_at(at, clones);
            now = stoa_test_folder_get(OLD, &now_nbytes);
            if (now_nbytes == nbytes)
                assert_memory_equal(now, expected, nbytes);
            else
                assert_true(now_nbytes == old_nbytes && memcmp(now, old_bytes, old_nbytes) == 0);
            free(now);
            set_old();
            stoa_test_check(add_rows(NULL, &err), &err); /* a temporary one is taken away */
            assert_true(is_new(expected, nbytes));
        }
    }
    free(expected);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shared_blocks_make_the_same_bytes),
        TEST(every_failing_allocation_leaves_the_old_file),
        TEST(every_failing_call_leaves_old_or_new),
        TEST(a_kill_at_any_call_leaves_old_or_new),
    };

    if (access("/dev/shm", W_OK) == 0) /* hundreds of files are made durable */
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests_name("merge_faults", tests, NULL, NULL);
}
