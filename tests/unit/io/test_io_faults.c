/*
 * The file that appears at commit, when the system does not play along: every call fails or is the
 * last one before a kill, the disk is full, the file may not grow. Always the old file or the new
 * one, and no litter.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <stoa/io.h>

#include "base/error.h"
#include "support/fault_io.h"
#include "support/fault_posix.h"
#include "support/folder.h"
#include "support/kill.h"

#define NEW_NBYTES 700000

static char new_text[NEW_NBYTES + 1];

/* Writes the new text; closing takes the litter away. */
static enum stoa_status write_new(bool replace, struct stoa_error *err)
{
    struct stoa_sink *sink = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_file("file", replace, &sink, err));
    for (size_t i = 0; i < NEW_NBYTES; i += 70000)
        STOA_TRY(sink->write(sink, new_text + i, 70000, err));
    STOA_TRY(sink->commit(sink, err));
out:
    stoa_sink_close(sink);
    return st;
}

/* Whether "file" holds the new text; else it must be as it was, absent when `old` is NULL. */
static bool is_new(const char *old)
{
    size_t nbytes;
    char *bytes;
    bool yes;

    if (access("file", F_OK) != 0) {
        assert_null(old);
        return false;
    }
    bytes = stoa_test_folder_get("file", &nbytes);
    yes = nbytes == NEW_NBYTES && memcmp(bytes, new_text, nbytes) == 0;
    if (!yes && (old == NULL || strcmp(bytes, old) != 0))
        fail_msg("file is neither old nor new: %zu bytes", nbytes);
    free(bytes);
    return yes;
}

static void set_old(const char *old)
{
    unlink("file");
    if (old != NULL)
        stoa_test_folder_put("file", old, strlen(old));
}

/* ---- Failing calls. ---- */

/* All ways to write: a new file or an old one replaced, with and without O_TMPFILE. */
struct way {
    const char *old;
    bool no_tmpfile;
};

static const struct way ways[] = {{NULL, false}, {"old", false}, {NULL, true}, {"old", true}};

static void fail_each_call(const struct way *way, enum stoa_test_posix_mode mode, int os_errno)
{
    bool fired = true;
    unsigned at;

    for (at = 1; fired; at++) {
        struct stoa_test_posix_fault fault = {.calls = STOA_TEST_ALL_CALLS,
                                              .at = at,
                                              .mode = mode,
                                              .os_errno = os_errno,
                                              .no_tmpfile = way->no_tmpfile};
        struct stoa_error err = {0};
        enum stoa_status st;

        set_old(way->old);
        stoa_test_posix_set(&fault);
        st = write_new(way->old != NULL, &err);
        fired = stoa_test_posix_end();
        if (st == STOA_OK)
            assert_true(is_new(way->old));
        else if (!fired || st != STOA_ERR_IO || err.os_errno != os_errno ||
                 strncmp(err.message, "file: ", 6) != 0)
            fail_msg("call %u: %s", at, err.message);
        is_new(way->old);
        stoa_test_folder_expect(access("file", F_OK) == 0 ? "file" : "", NULL);
    }
    assert_true(at > 8); /* open, flock, writes, fsync, link, fsync of the folder, closes */
}

static void every_failing_call_leaves_old_or_new(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        fail_each_call(&ways[i], STOA_TEST_POSIX_ONCE, EIO);
        fail_each_call(&ways[i], STOA_TEST_POSIX_ON, ENOSPC);
        fail_each_call(&ways[i], STOA_TEST_POSIX_ONCE, EDQUOT);
    }
}

static void a_failed_fsync_is_final(void **state)
{
    (void)state;
    struct stoa_test_posix_fault fault = {
        .calls = STOA_TEST_SYNC, .at = 1, .mode = STOA_TEST_POSIX_ONCE, .os_errno = EIO};
    struct stoa_error err = {0};

    set_old("old");
    stoa_test_posix_set(&fault);
    assert_int_equal(write_new(true, &err), STOA_ERR_IO);
    assert_true(stoa_test_posix_end());
    assert_string_equal(err.message, "file: can't be made durable: Input/output error");
    stoa_test_folder_expect("file", "old");
}

static void short_and_interrupted_calls_go_on(void **state)
{
    (void)state;
    static const struct {
        enum stoa_test_posix_mode mode;
        unsigned calls;
    } cases[] = {{STOA_TEST_POSIX_SHORT, STOA_TEST_READ | STOA_TEST_WRITE},
                 {STOA_TEST_POSIX_ONCE, STOA_TEST_READ | STOA_TEST_WRITE}};

    for (size_t i = 0; i < 2; i++) {
        bool fired = true;

        for (unsigned at = 1; fired; at++) {
            struct stoa_test_posix_fault fault = {
                .calls = cases[i].calls, .at = at, .mode = cases[i].mode, .os_errno = EINTR};
            static char got[NEW_NBYTES];
            struct stoa_source *source;
            struct stoa_stream *stream;
            struct stoa_error err = {0};
            size_t ngot, sum = 0;

            set_old(NULL);
            stoa_test_posix_set(&fault);
            assert_int_equal(write_new(false, &err), STOA_OK);
            assert_int_equal(stoa_source_open_file("file", &source, &err), STOA_OK);
            assert_int_equal(source->read_at(source, 1, got, NEW_NBYTES - 1, &err), STOA_OK);
            assert_memory_equal(got, new_text + 1, NEW_NBYTES - 1);
            assert_int_equal(stoa_stream_open("file", &stream, &err), STOA_OK);
            do {
                assert_int_equal(stream->read(stream, got, sizeof(got), &ngot, &err), STOA_OK);
                assert_memory_equal(got, new_text + sum, ngot);
                sum += ngot;
            } while (ngot > 0);
            fired = stoa_test_posix_end();
            assert_int_equal(sum, NEW_NBYTES);
            stoa_stream_close(stream);
            stoa_source_close(source);
        }
    }
}

static void failing_reads_are_errors(void **state)
{
    (void)state;
    struct stoa_test_posix_fault fault = {
        .calls = STOA_TEST_READ, .at = 2, .mode = STOA_TEST_POSIX_ON, .os_errno = EIO};
    static char got[NEW_NBYTES];
    struct stoa_source *source;
    struct stoa_stream *stream;
    struct stoa_error err = {0};
    enum stoa_status st = STOA_OK;
    size_t ngot;

    stoa_test_folder_put("file", new_text, NEW_NBYTES);
    assert_int_equal(stoa_source_open_file("file", &source, &err), STOA_OK);
    assert_int_equal(stoa_stream_open("file", &stream, &err), STOA_OK);
    stoa_test_posix_set(&fault);
    assert_int_equal(source->read_at(source, 0, got, 10, &err), STOA_OK);
    assert_int_equal(source->read_at(source, 0, got, 10, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "file: can't be read: Input/output error");
    err = (struct stoa_error){0};
    while (st == STOA_OK)
        st = stream->read(stream, got, sizeof(got), &ngot, &err);
    stoa_test_posix_end();
    assert_int_equal(st, STOA_ERR_IO);
    assert_string_equal(err.message, "file: can't be read: Input/output error");
    stoa_stream_close(stream);
    stoa_source_close(source);
}

/* ---- Kills. ---- */

struct killed {
    struct stoa_test_posix_fault fault;
    bool replace;
};

static bool write_until_killed(void *context)
{
    const struct killed *killed = context;

    stoa_test_posix_set(&killed->fault);
    return write_new(killed->replace, NULL) == STOA_OK;
}

/* Writes in a child that is killed at call `at`; false when it came to its end before that. */
static bool killed_at(const struct way *way, unsigned at)
{
    struct killed killed = {{.calls = STOA_TEST_ALL_CALLS,
                             .at = at,
                             .mode = STOA_TEST_POSIX_KILL,
                             .no_tmpfile = way->no_tmpfile},
                            way->old != NULL};

    return stoa_test_is_killed(write_until_killed, &killed);
}

static void a_kill_at_any_call_leaves_old_or_new(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const struct way *way = &ways[i];
        bool killed = true;
        unsigned at;

        for (at = 1; killed; at++) {
            struct stoa_error err = {0};
            bool is_done;

            set_old(way->old);
            killed = killed_at(way, at);
            is_done = is_new(way->old);
            assert_true(killed || is_done);
            if (way->old == NULL && !way->no_tmpfile)
                stoa_test_folder_expect(is_done ? "file" : "", NULL);
            /* Where a temporary name can remain, the next run removes it. */
            assert_int_equal(write_new(is_done || way->old != NULL, &err), STOA_OK);
            assert_true(is_new(NULL));
            stoa_test_folder_expect("file", NULL);
        }
        assert_true(at > 8);
    }
}

/* ---- Limits of the system. ---- */

/* Runs `body` in a child; its exit status. */
static int in_child(int (*body)(void))
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(body());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Expects that writing fails with this message; 0 when it is so. */
static int expect_message(const char *message)
{
    struct stoa_error err = {0};

    if (write_new(true, &err) == STOA_ERR_IO && strcmp(err.message, message) == 0)
        return 0;
    fprintf(stderr, "# \"%s\"\n", err.message);
    return 1;
}

static int write_past_the_size_limit(void)
{
    struct rlimit limit = {300000, 300000};

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    return expect_message("file: can't be written: File too large");
}

static void limited_file_size_is_an_error(void **state)
{
    (void)state;
    set_old("old");
    assert_int_equal(in_child(write_past_the_size_limit), 0);
    stoa_test_folder_expect("file", "old");
}

#define CANNOT_MOUNT 77

/* In a mount namespace of its own, so that nothing is left mounted. */
static int write_to_a_full_disk(void)
{
    mkdir("small", 0700);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("stoa", "small", "tmpfs", 0, "size=256k") != 0)
        return CANNOT_MOUNT;
    if (chdir("small") != 0)
        return 1;
    stoa_test_folder_put("file", "old", 3);
    if (expect_message("file: can't be written: No space left on device") != 0)
        return 1;
    stoa_test_folder_expect("file", "old");
    return chdir(".."); /* the mount goes with the process */
}

static void full_disk_is_an_error(void **state)
{
    (void)state;
    int status = in_child(write_to_a_full_disk);

    if (status == CANNOT_MOUNT) {
        printf("# skipped: mounting a small tmpfs is not permitted here\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void file_system_without_locks_will_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct stoa_test_posix_fault fault = {.no_tmpfile = ways[i].no_tmpfile, .no_lock = true};
        struct stoa_error err = {0};

        set_old(ways[i].old);
        stoa_test_posix_set(&fault);
        assert_int_equal(write_new(ways[i].old != NULL, &err), STOA_OK);
        stoa_test_posix_end();
        assert_true(is_new(ways[i].old));
        stoa_test_folder_expect("file", NULL);
    }
}

/* ---- The wrappers that other tests use. ---- */

static void faulty_wrappers_fail_the_call_that_was_chosen(void **state)
{
    (void)state;
    struct stoa_test_io_fault fault = {.fail_at = 2, .os_errno = ENOSPC, .max_read = 3};
    struct stoa_error err = {0};
    struct stoa_source *source;
    struct stoa_sink *sink;
    struct stoa_stream *stream;
    char got[10];
    size_t ngot;

    assert_int_equal(stoa_source_open_memory("abcdef", 6, "memory", &source, &err), STOA_OK);
    source = stoa_test_faulty_source(source, &fault);
    assert_int_equal(source->nbytes, 6);
    assert_int_equal(source->read_at(source, 0, got, 6, &err), STOA_OK);
    assert_int_equal(source->read_at(source, 0, got, 6, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "memory: call 2 fails on purpose: No space left on device");
    assert_int_equal(source->read_at(source, 0, got, 6, &err), STOA_OK);
    stoa_source_close(source);
    fault.fail_at = 5;
    fault.from_then_on = true;
    assert_int_equal(stoa_sink_create_memory(&sink, &err), STOA_OK);
    sink = stoa_test_faulty_sink(sink, &fault);
    assert_int_equal(sink->write(sink, "a", 1, &err), STOA_OK);
    assert_int_equal(sink->write(sink, "b", 1, &err), STOA_ERR_IO);
    assert_int_equal(sink->commit(sink, &err), STOA_ERR_IO);
    stoa_sink_close(sink);
    fault.fail_at = 0;
    assert_int_equal(stoa_stream_open_memory("abcdef", 6, "memory", &stream, &err), STOA_OK);
    stream = stoa_test_faulty_stream(stream, &fault);
    assert_int_equal(stream->read(stream, got, 10, &ngot, &err), STOA_OK);
    assert_int_equal(ngot, 3);
    stoa_stream_close(stream);
    assert_int_equal(fault.ncalls, 7);
    assert_int_equal(fault.nfailed, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_failing_call_leaves_old_or_new),
        TEST(a_failed_fsync_is_final),
        TEST(short_and_interrupted_calls_go_on),
        TEST(failing_reads_are_errors),
        TEST(a_kill_at_any_call_leaves_old_or_new),
        TEST(limited_file_size_is_an_error),
        TEST(full_disk_is_an_error),
        TEST(file_system_without_locks_will_do),
        cmocka_unit_test(faulty_wrappers_fail_the_call_that_was_chosen),
    };

    for (size_t i = 0; i < NEW_NBYTES; i++)
        new_text[i] = (char)('a' + i % 26);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
