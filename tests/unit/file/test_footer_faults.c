/*
 * The footer's data in a temporary file: the same bytes as from memory, and an error of the writer
 * when that file can't be written or read.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "file/writer.h"
#include "support/fault_alloc.h"
#include "support/fault_posix.h"
#include "support/folder.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

enum { NGROUPS = 3000, MANY = 200000 }; /* of one row each: MANY bytes are a third of the data */

static struct stoa_test_table table;

/* The file with at most max_nbytes of its footer's data in memory. */
static enum stoa_status write_file(uint64_t max_nbytes, struct stoa_sink **out,
                                   struct stoa_error *err)
{
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_writer *writer = NULL;
    struct stoa_sink *sink = NULL;
    enum stoa_status st;

    rules.footer_max_nbytes = max_nbytes;
    STOA_TRY(stoa_sink_create_memory(&sink, err));
    STOA_TRY(stoa_writer_open_rules(sink, &table.schema,
                                    &(struct stoa_writer_options){.row_group_nrows = 1}, &rules,
                                    &writer, err));
    for (size_t i = 0; i < table.nbatches; i++)
        STOA_TRY(stoa_writer_append(writer, &table.batches[i], err));
    STOA_TRY(stoa_writer_finish(writer, err));
    *out = sink;
    sink = NULL;
out:
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    return st;
}

static void a_file_is_the_same_whatever_memory_its_footer_had(void **state)
{
    static const uint64_t limits[] = {1000, 50000, MANY};
    struct stoa_error err = {0};
    struct stoa_sink *expected, *sink;
    size_t nbytes, expected_nbytes;
    const uint8_t *bytes, *expected_bytes;

    (void)state;
    assert_int_equal(write_file(UINT64_MAX, &expected, &err), STOA_OK);
    expected_bytes = stoa_sink_memory(expected, &expected_nbytes);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (write_file(limits[i], &sink, &err) != STOA_OK)
            fail_msg("%s", err.message);
        bytes = stoa_sink_memory(sink, &nbytes);
        assert_int_equal(nbytes, expected_nbytes);
        assert_memory_equal(bytes, expected_bytes, nbytes);
        stoa_sink_close(sink);
    }
    stoa_sink_close(expected);
    stoa_test_folder_expect("", NULL);
}

static void every_failing_call_ends_the_writer(void **state)
{
    bool fired = true;
    unsigned at;

    (void)state;
    for (at = 1; fired; at++) {
        struct stoa_test_posix_fault fault = {
            .calls = STOA_TEST_READ | STOA_TEST_WRITE,
            .at = at,
            .mode = STOA_TEST_POSIX_ON,
            .os_errno = ENOSPC,
        };
        struct stoa_error err = {0};
        struct stoa_sink *sink = NULL;
        enum stoa_status st;

        stoa_test_posix_set(&fault);
        st = write_file(MANY, &sink, &err);
        fired = stoa_test_posix_end();
        if (fired && (st != STOA_ERR_IO || err.os_errno != ENOSPC ||
                      strncmp(err.message, ".: a temporary file can't be ", 29) != 0))
            fail_msg("call %u: %s", at, err.message);
        if (!fired)
            assert_int_equal(st, STOA_OK);
        stoa_sink_close(sink);
        stoa_test_folder_expect("", NULL);
    }
    assert_true(at > 2);
}

static enum stoa_status writes(void *context, struct stoa_error *err)
{
    struct stoa_sink *sink = NULL;
    enum stoa_status st = write_file(1000, &sink, err);

    (void)context;
    stoa_sink_close(sink);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    table.nbatches = 20;
    stoa_test_each_failing_alloc(writes, NULL);
    table.nbatches = NGROUPS;
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

static int make(void **state)
{
    struct stoa_test_random random;
    struct stoa_schema schema = {0};
    size_t nrows[NGROUPS];

    (void)state;
    stoa_test_random_seed(&random, 5);
    if (stoa_schema_add(&schema, "number", &(struct stoa_type){.id = STOA_INT64}, true, NULL) !=
            STOA_OK ||
        stoa_schema_add(&schema, "text", &(struct stoa_type){.id = STOA_UTF8}, true, NULL) !=
            STOA_OK)
        return 1;
    for (size_t i = 0; i < NGROUPS; i++)
        nrows[i] = 1;
    stoa_test_table_make(&random, &schema, nrows, NGROUPS, NULL, &table);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    stoa_test_table_reset(&table);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_the_same_whatever_memory_its_footer_had),
        TEST(every_failing_call_ends_the_writer),
        TEST(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
