/* Temporary files: what was appended comes back, nothing is left in the folder, failures say so. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/spill.h"
#include "support/fault_alloc.h"
#include "support/fault_posix.h"
#include "support/folder.h"
#include "support/random.h"

#define TEXT_NBYTES 1000000

static uint8_t text[TEXT_NBYTES];

/* Appends pieces of 0 bytes to more than a buffer, and reads ranges in between and at the end. */
static enum stoa_status append_and_read(void *context, struct stoa_error *err)
{
    static const size_t pieces[] = {1, 0, 7, 4096, 262143, 262144, 262145, 3, 300000};
    struct stoa_test_random random;
    struct stoa_spill *spill = NULL;
    uint8_t *got = malloc(TEXT_NBYTES);
    enum stoa_status st;
    size_t end = 0;

    (void)context;
    stoa_test_random_seed(&random, 7);
    STOA_TRY(stoa_spill_open(&spill, err));
    for (size_t i = 0; i < 2 * sizeof(pieces) / sizeof(pieces[0]); i++) {
        size_t nbytes = pieces[i % (sizeof(pieces) / sizeof(pieces[0]))];

        nbytes = nbytes < TEXT_NBYTES - end ? nbytes : TEXT_NBYTES - end;
        STOA_TRY(stoa_spill_append(spill, text + end, nbytes, err));
        end += nbytes;
        assert_int_equal(stoa_spill_nbytes(spill), end);
        for (unsigned k = 0; k < 4; k++) {
            size_t a = (size_t)stoa_test_random_below(&random, end + 1);
            size_t b = a + (size_t)stoa_test_random_below(&random, end - a + 1);

            STOA_TRY(stoa_spill_read(spill, a, got, b - a, err));
            assert_memory_equal(got, text + a, b - a);
        }
    }
    STOA_TRY(stoa_spill_read(spill, 0, got, end, err));
    assert_memory_equal(got, text, end);
out:
    stoa_spill_close(spill);
    free(got);
    return st;
}

static void what_was_appended_comes_back_and_leaves_no_file(void **state)
{
    struct stoa_error err = {0};

    (void)state;
    assert_int_equal(append_and_read(NULL, &err), STOA_OK);
    stoa_test_folder_expect("", NULL);
}

static void every_failing_call_is_an_error(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        bool fired = true;

        for (unsigned at = 1; fired; at++) {
            struct stoa_test_posix_fault fault = {
                .calls = STOA_TEST_READ | STOA_TEST_WRITE,
                .at = at,
                .mode = STOA_TEST_POSIX_ONCE,
                .os_errno = ENOSPC,
                .no_tmpfile = way == 1,
            };
            struct stoa_error err = {0};
            enum stoa_status st;

            stoa_test_posix_set(&fault);
            st = append_and_read(NULL, &err);
            fired = stoa_test_posix_end();
            if (fired && (st != STOA_ERR_IO || err.os_errno != ENOSPC ||
                          strstr(err.message, ": a temporary file can't be ") == NULL))
                fail_msg("call %u: %s", at, err.message);
            if (!fired)
                assert_int_equal(st, STOA_OK);
            stoa_test_folder_expect("", NULL);
        }
    }
}

static void short_and_interrupted_calls_go_on(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        bool fired = true;

        for (unsigned at = 1; fired; at++) {
            struct stoa_test_posix_fault fault = {
                .calls = STOA_TEST_READ | STOA_TEST_WRITE,
                .at = at,
                .mode = mode == 0 ? STOA_TEST_POSIX_SHORT : STOA_TEST_POSIX_ONCE,
                .os_errno = EINTR,
            };
            struct stoa_error err = {0};

            stoa_test_posix_set(&fault);
            assert_int_equal(append_and_read(NULL, &err), STOA_OK);
            fired = stoa_test_posix_end();
        }
    }
}

/* Through a sink, which is reopened, into `got`. */
static enum stoa_status write_and_reopen(void *context, struct stoa_error *err)
{
    struct stoa_source *source = NULL;
    struct stoa_sink *sink = NULL;
    uint8_t *got = NULL;
    enum stoa_status st;

    (void)context;
    STOA_TRY(stoa_sink_create_spill(&sink, err));
    STOA_TRY(sink->write(sink, text, TEXT_NBYTES - 5, err));
    STOA_TRY(sink->write(sink, text + TEXT_NBYTES - 5, 5, err));
    STOA_TRY(sink->commit(sink, err));
    STOA_TRY(sink->reopen(sink, &source, err));
    assert_int_equal(source->nbytes, TEXT_NBYTES);
    STOA_TRY(stoa_alloc(&got, TEXT_NBYTES, err));
    STOA_TRY(source->read_at(source, 0, got, TEXT_NBYTES, err));
    assert_memory_equal(got, text, TEXT_NBYTES);
out:
    stoa_free(got);
    stoa_source_close(source);
    stoa_sink_close(sink);
    return st;
}

static void a_sink_gives_back_what_it_took(void **state)
{
    struct stoa_error err = {0};

    (void)state;
    assert_int_equal(write_and_reopen(NULL, &err), STOA_OK);
    stoa_test_folder_expect("", NULL);
    stoa_test_each_failing_alloc(write_and_reopen, NULL);
}

static void a_folder_that_will_not_do_is_named(void **state)
{
    struct stoa_spill *spill;
    struct stoa_error err = {0};

    (void)state;
    setenv("TMPDIR", "no/such", 1);
    assert_int_equal(stoa_spill_open(&spill, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "no/such: a temporary file can't be made there (TMPDIR): No "
                                     "such file or directory");
    setenv("TMPDIR", ".", 1);
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(append_and_read, NULL);
}

static int enter(void **state)
{
    int rc = stoa_test_folder_enter(state);

    return rc != 0 ? rc : setenv("TMPDIR", ".", 1);
}

static int leave(void **state)
{
    unsetenv("TMPDIR");
    return stoa_test_folder_leave(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_appended_comes_back_and_leaves_no_file),
        TEST(every_failing_call_is_an_error),
        TEST(short_and_interrupted_calls_go_on),
        TEST(a_sink_gives_back_what_it_took),
        TEST(a_folder_that_will_not_do_is_named),
        TEST(a_failing_allocation_is_reported),
    };

    for (size_t i = 0; i < TEXT_NBYTES; i++)
        text[i] = (uint8_t)(i * 2654435761u >> 13);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
