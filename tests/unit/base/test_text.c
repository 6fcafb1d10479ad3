/* JSON strings and base64. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault_alloc.h"
#include "support/random.h"

static void strings_are_escaped_as_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t nbytes;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"say \"x\"\\", 8, "\"say \\\"x\\\"\\\\\""},
        {"\b\t\n\v\f\r", 6, "\"\\b\\t\\n\\u000b\\f\\r\""},
        {"\0\x1f\x7f", 3, "\"\\u0000\\u001f\x7f\""},
        {"/<\xc3\xa4\xf0\x9f\x98\x80", 8, "\"/<\xc3\xa4\xf0\x9f\x98\x80\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_buffer out = {0};

        assert_int_equal(stoa_buffer_append(&out, ">", 1, NULL), STOA_OK);
        assert_int_equal(stoa_json_append_string(&out, cases[i].text, cases[i].nbytes, NULL),
                         STOA_OK);
        assert_int_equal(out.nbytes, strlen(cases[i].json) + 1);
        assert_memory_equal(out.data + 1, cases[i].json, out.nbytes - 1);
        stoa_buffer_free(&out);
    }
}

/* The worst case takes six bytes for each, and no more memory than that. */
static void every_byte_may_need_an_escape(void **state)
{
    (void)state;
    char text[1000] = {0};
    struct stoa_buffer out = {0};

    assert_int_equal(stoa_json_append_string(&out, text, sizeof(text), NULL), STOA_OK);
    assert_int_equal(out.nbytes, 6 * sizeof(text) + 2);
    stoa_buffer_free(&out);
}

static void base64_is_that_of_rfc_4648(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_buffer out = {0};
        uint8_t back[16];
        size_t nback, n = strlen(cases[i].text);

        assert_int_equal(stoa_base64_append(&out, cases[i].bytes, strlen(cases[i].bytes), NULL),
                         STOA_OK);
        assert_int_equal(out.nbytes, n);
        if (n > 0)
            assert_memory_equal(out.data, cases[i].text, n);
        assert_true(stoa_base64_decode(cases[i].text, n, back, &nback));
        assert_int_equal(nback, strlen(cases[i].bytes));
        assert_memory_equal(back, cases[i].bytes, nback);
        stoa_buffer_free(&out);
    }
}

static void only_what_is_written_is_decoded(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Z",    "Zg",       "Zg=",  "Zm9vYg", "Zh==", "Zm9=", "====",       "Z===",
        "=Zm9", "Zg==Zg==", "Zm 9", "Zm9\n",  "Zm9-", "Zm9_", "Zm\xc3\xa4",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t out[16];
        size_t n;

        assert_false(stoa_base64_decode(cases[i], strlen(cases[i]), out, &n));
    }
}

/* So there is one text for each run of bytes. */
static void any_text_that_is_decoded_is_written_the_same(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "any_text_that_is_decoded_is_written_the_same");
    for (size_t k = stoa_test_ncases(100000); k > 0; k--) {
        static const char alphabet[] = "AQZgz09+/==\n";
        char text[8];
        uint8_t bytes[6];
        struct stoa_buffer out = {0};
        size_t nbytes, n = 4 * (size_t)stoa_test_random_below(&r, 3);

        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[stoa_test_random_below(&r, sizeof(alphabet) - 1)];
        if (!stoa_base64_decode(text, n, bytes, &nbytes))
            continue;
        assert_true(nbytes <= n / 4 * 3);
        assert_int_equal(stoa_base64_append(&out, bytes, nbytes, NULL), STOA_OK);
        assert_int_equal(out.nbytes, n);
        if (n > 0)
            assert_memory_equal(out.data, text, n);
        stoa_buffer_free(&out);
    }
}

static enum stoa_status appends(void *context, struct stoa_error *err)
{
    struct stoa_buffer out = {0};
    enum stoa_status st = stoa_json_append_string(&out, "text", 4, err);

    (void)context;
    if (st == STOA_OK)
        st = stoa_base64_append(&out,
                                "a longer text than the buffer has room for at first, so "
                                "that it must grow once more",
                                82, err);
    stoa_buffer_free(&out);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(appends, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped_as_json),
        cmocka_unit_test(every_byte_may_need_an_escape),
        cmocka_unit_test(base64_is_that_of_rfc_4648),
        cmocka_unit_test(only_what_is_written_is_decoded),
        cmocka_unit_test(any_text_that_is_decoded_is_written_the_same),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
