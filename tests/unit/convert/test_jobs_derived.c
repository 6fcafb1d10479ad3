/*
 * Columns that are derived from others are encoded beside them: the bytes are the same for any
 * number of jobs. What threads share meanwhile is for the thread sanitizer (make tsan) to watch.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/convert.h>

#include "file/reader.h"
#include "support/columns.h"
#include "support/folder.h"
#include "support/random.h"

enum { NKEYS = 300, NROWS = 200000, NGROUP_ROWS = 25000, NGROUPS = NROWS / NGROUP_ROWS };

/* Few of many numbers, two that follow from each, and one that does not. */
static void put_table(struct stoa_test_random *random)
{
    const size_t room = (size_t)NROWS * 64;
    char *text = malloc(room);
    uint64_t rows[NKEYS][3];
    size_t nbytes;

    assert_non_null(text);
    for (size_t k = 0; k < NKEYS; k++) {
        rows[k][0] = stoa_test_random_below(random, UINT64_C(1) << 40);
        rows[k][1] = stoa_test_random_below(random, UINT64_C(1) << 30);
        rows[k][2] = stoa_test_random_below(random, UINT64_C(1) << 30);
    }
    nbytes = (size_t)snprintf(text, room, "a,b,c,d\n");
    for (size_t i = 0; i < NROWS; i++) {
        const uint64_t *row = rows[stoa_test_random_below(random, NKEYS)];

        nbytes += (size_t)snprintf(text + nbytes, room - nbytes,
                                   "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", row[0],
                                   row[1], row[2], stoa_test_random_below(random, 1000));
    }
    stoa_test_folder_put("in.csv", text, nbytes);
    free(text);
}

static char *convert(unsigned jobs, size_t *nbytes)
{
    const char *paths[] = {"in.csv"};
    struct stoa_convert_options options = {.paths = paths,
                                           .npaths = 1,
                                           .output = "out.stoa",
                                           .replace = true,
                                           .jobs = jobs,
                                           .writer = {.row_group_nrows = NGROUP_ROWS}};
    struct stoa_convert_report report;
    struct stoa_error err;

    stoa_test_check(stoa_convert(&options, &report, &err), &err);
    return stoa_test_folder_get("out.stoa", nbytes);
}

/* In groups behind the first one too, for which nothing of numbers is collected beforehand. */
static void expect_derived(const char *bytes, size_t nbytes)
{
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err;

    stoa_test_check(
        stoa_source_open_memory((const uint8_t *)bytes, nbytes, "out.stoa", &source, &err), &err);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    for (uint32_t group = 0; group < NGROUPS; group++) {
        unsigned nderived = 0;

        for (uint32_t column = 0; column < 3; column++) {
            struct stoa_chunk_info chunk;

            stoa_test_check(stoa_reader_chunk(reader, group, column, &chunk, &err), &err);
            nderived += chunk.bases[0] != UINT32_MAX;
        }
        assert_int_equal(nderived, 2);
    }
    stoa_reader_close(reader);
    stoa_source_close(source);
}

static void bases_are_encoded_beside_what_is_derived_from_them(void **state)
{
    struct stoa_test_random random;
    size_t nbytes, expected_nbytes;
    char *expected;

    (void)state;
    stoa_test_random_init(&random, "bases_are_encoded_beside_what_is_derived_from_them");
    put_table(&random);
    expected = convert(1, &expected_nbytes);
    expect_derived(expected, expected_nbytes);
    for (unsigned jobs = 2; jobs <= 8; jobs *= 2) {
        char *got = convert(jobs, &nbytes);

        if (nbytes != expected_nbytes || memcmp(got, expected, nbytes) != 0)
            fail_msg("%u jobs: other bytes", jobs);
        free(got);
    }
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bases_are_encoded_beside_what_is_derived_from_them,
                                        stoa_test_folder_enter, stoa_test_folder_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
