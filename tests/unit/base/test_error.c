/* Errors: messages, prefixes, and foreign bytes made safe to show. */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;

    for (int i = STOA_OK; i <= STOA_ERR_CANCELLED; i++) {
        const char *name = stoa_status_name((enum stoa_status)i);

        assert_string_not_equal(name, "unknown");
        for (int k = STOA_OK; k < i; k++)
            assert_string_not_equal(name, stoa_status_name((enum stoa_status)k));
    }
    assert_string_equal(stoa_status_name((enum stoa_status)1000), "unknown");
    assert_string_equal(stoa_status_name((enum stoa_status) - 1), "unknown");
    assert_string_equal(stoa_status_name(STOA_ERR_CORRUPT), "corrupt");
}

static void a_failure_fills_the_error(void **state)
{
    (void)state;
    struct stoa_error err;

    memset(&err, 0x55, sizeof(err));
    assert_int_equal(stoa_fail(&err, STOA_ERR_DATA, "line %d is %s", 7, "bad"), STOA_ERR_DATA);
    assert_int_equal(err.status, STOA_ERR_DATA);
    assert_int_equal(err.os_errno, 0);
    assert_int_equal(err.offset, STOA_NO_OFFSET);
    assert_string_equal(err.message, "line 7 is bad");
    assert_int_equal(stoa_fail_at(&err, STOA_ERR_CORRUPT, 4096, "hash differs"), STOA_ERR_CORRUPT);
    assert_int_equal(err.offset, 4096);
    assert_string_equal(err.message, "hash differs");
    assert_int_equal(stoa_fail_errno(&err, ENOENT, "trips.csv"), STOA_ERR_IO);
    assert_int_equal(err.os_errno, ENOENT);
    assert_string_equal(err.message, "trips.csv: No such file or directory");
    assert_int_equal(stoa_fail_nomem(&err, 123), STOA_ERR_NOMEM);
    assert_string_equal(err.message, "out of memory (123 bytes)");
}

static void a_caller_may_want_the_status_only(void **state)
{
    (void)state;

    assert_int_equal(stoa_fail(NULL, STOA_ERR_DATA, "%s", "x"), STOA_ERR_DATA);
    assert_int_equal(stoa_fail_at(NULL, STOA_ERR_CORRUPT, 1, "x"), STOA_ERR_CORRUPT);
    assert_int_equal(stoa_fail_errno(NULL, EIO, "x"), STOA_ERR_IO);
    assert_int_equal(stoa_fail_nomem(NULL, 1), STOA_ERR_NOMEM);
    assert_int_equal(stoa_wrap(NULL, STOA_ERR_LIMIT, "x"), STOA_ERR_LIMIT);
}

static void prefixes_stack_up_in_front(void **state)
{
    (void)state;
    struct stoa_error err;

    stoa_fail_at(&err, STOA_ERR_CORRUPT, 99, "hash differs");
    assert_int_equal(stoa_wrap(&err, err.status, "page %d", 7), STOA_ERR_CORRUPT);
    stoa_wrap(&err, err.status, "column %s", "fare");
    stoa_wrap(&err, err.status, "trips.stoa");
    assert_string_equal(err.message, "trips.stoa: column fare: page 7: hash differs");
    assert_int_equal(err.offset, 99);
}

static void errors_of_the_system_keep_their_file_in_front(void **state)
{
    (void)state;
    struct stoa_error err;

    stoa_fail_errno(&err, EIO, "trips.stoa: can't be read");
    assert_int_equal(stoa_wrap(&err, err.status, "column %s", "fare"), STOA_ERR_IO);
    assert_string_equal(err.message, "trips.stoa: can't be read: Input/output error");
}

static void a_message_too_long_loses_its_end(void **state)
{
    (void)state;
    enum { N = STOA_ERROR_MESSAGE_NBYTES };
    struct stoa_error err;
    char text[2 * N];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    stoa_fail(&err, STOA_ERR_DATA, "begin %s", text);
    assert_int_equal(strlen(err.message), N - 1);
    assert_memory_equal(err.message, "begin xxx", 9);
    stoa_wrap(&err, STOA_ERR_DATA, "prefix");
    assert_int_equal(strlen(err.message), N - 1);
    assert_memory_equal(err.message, "prefix: begin xxx", 17);
    stoa_fail_errno(&err, ENOENT, "%s", text);
    assert_int_equal(strlen(err.message), N - 1);
    stoa_wrap(&err, STOA_ERR_DATA, "%s", text); /* even a prefix that fills all the room */
    assert_true(strlen(err.message) <= N - 1);
    assert_memory_equal(err.message, "xxx", 3);
}

static void foreign_bytes_are_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t nbytes;
        const char *quoted;
    } cases[] = {
        {"", 0, ""},
        {"12x", 3, "12x"},
        {"a\tb\n", 4, "a\\x09b\\x0a"},
        {"a\0b", 3, "a\\x00b"},
        {"\x1b[31m", 5, "\\x1b[31m"},
        {"\x7f", 1, "\\x7f"},
        {"\\", 1, "\\x5c"},
        {"Z\xc3\xbcrich", 7, "Z\xc3\xbcrich"},
        {"\xe2\x82\xac", 3, "\xe2\x82\xac"},
        {"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
        {"\xc2\x9b", 2, "\\xc2\\x9b"}, /* a control character of terminals */
        {"\xc3", 1, "\\xc3"},
        {"\xc3(", 2, "\\xc3("},
        {"\xe2\x82", 2, "\\xe2\\x82"},
        {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"}, /* a surrogate */
        {"\xc0\x80", 2, "\\xc0\\x80"},
        {"\xff", 1, "\\xff"},
        {"\x80", 1, "\\x80"},
        {"\xc3\xbc\xbc", 3, "\xc3\xbc\\xbc"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char out[64];

        assert_ptr_equal(stoa_quote(out, sizeof(out), cases[i].text, cases[i].nbytes), out);
        assert_string_equal(out, cases[i].quoted);
    }
}

static void quoting_never_leaves_its_room(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "quoting_never_leaves_its_room");
    for (size_t i = 0; i < stoa_test_ncases(100000); i++) {
        uint8_t text[40];
        char out[64 + 1];
        size_t nbytes = (size_t)stoa_test_random_below(&random, sizeof(text) + 1);
        size_t room = (size_t)stoa_test_random_between(&random, 8, 64);
        size_t used;

        stoa_test_random_bytes(&random, text, sizeof(text));
        if (i % 2 == 0) {
            for (size_t k = 0; k < sizeof(text); k++)
                text[k] &= 0x7f;
        }
        memset(out, '#', sizeof(out));
        stoa_quote(out, room, text, nbytes);
        used = strlen(out);
        assert_true(used < room);
        assert_int_equal(out[room], '#');
        assert_int_equal(stoa_utf8_valid_prefix((const uint8_t *)out, used), used);
        for (size_t k = 0; k < used; k++)
            assert_true((uint8_t)out[k] >= 0x20 && out[k] != 0x7f);
        if (nbytes + 3 >= room) /* at least one byte of output for one of input */
            assert_string_equal(out + used - 3, "...");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(a_failure_fills_the_error),
        cmocka_unit_test(a_caller_may_want_the_status_only),
        cmocka_unit_test(prefixes_stack_up_in_front),
        cmocka_unit_test(errors_of_the_system_keep_their_file_in_front),
        cmocka_unit_test(a_message_too_long_loses_its_end),
        cmocka_unit_test(foreign_bytes_are_quoted),
        cmocka_unit_test(quoting_never_leaves_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
