/* Pieces of JSON text: what is told 8, 16 and 32 bytes at a time, beside one byte at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_scan.h"
#include "support/random.h"

static bool is_plain(char c)
{
    return c != '"' && c != '\\' && (unsigned char)c >= 0x20;
}

static unsigned naive(const char *text, unsigned nbytes)
{
    unsigned n = 0;

    while (n < nbytes && is_plain(text[n]))
        n++;
    return n;
}

static void assert_told(const char *text)
{
    uint8_t copy[STOA_JSON_PIECE_NBYTES];

    assert_int_equal(stoa_json_plain_8(text), naive(text, 8));
    assert_int_equal(stoa_json_plain_16(text), naive(text, 16));
    assert_int_equal(stoa_json_copy_plain(text, copy), naive(text, STOA_JSON_PIECE_NBYTES));
    assert_memory_equal(copy, text, sizeof(copy));
}

static void the_end_of_plain_text_is_found(void **state)
{
    (void)state;
    struct stoa_test_random r;

    for (unsigned at = 0; at < STOA_JSON_PIECE_NBYTES; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char text[STOA_JSON_PIECE_NBYTES];

            memset(text, byte % 2 == 0 ? 'x' : '\xe9', sizeof(text));
            text[at] = (char)byte;
            assert_told(text);
            if (at + 1 < sizeof(text)) { /* behind one that ends it, any other may stand */
                text[at + 1] = (char)(byte ^ 1);
                assert_told(text);
            }
        }
    }
    stoa_test_random_init(&r, "the_end_of_plain_text_is_found");
    for (size_t n = stoa_test_ncases(20000); n > 0; n--) {
        static const char some[] = "\"\\\x1f\x20\x21\x23\x5b\x5d\x7f\x80\xff\n";
        char text[STOA_JSON_PIECE_NBYTES];

        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = stoa_test_random_one_in(&r, 6)
                          ? some[stoa_test_random_below(&r, sizeof(some) - 1)]
                          : 'y';
        assert_told(text);
    }
}

static void a_string_ends_at_its_quote(void **state)
{
    (void)state;
    for (size_t nbytes = 0; nbytes < 100; nbytes++) {
        char text[100 + 2 + 1 + STOA_JSON_SLACK] = {0};
        struct stoa_json_string string;
        struct stoa_json_fault fault;

        memset(text, 'a', nbytes + 2);
        text[0] = text[nbytes + 1] = '"';
        assert_ptr_equal(stoa_json_scan_string(text, &string, &fault), text + nbytes + 2);
        assert_int_equal(string.nbytes, nbytes);
        assert_false(string.escaped);
        text[nbytes + 1] = '\n';
        assert_null(stoa_json_scan_string(text, &string, &fault));
        assert_ptr_equal(fault.at, text + nbytes + 1);
        assert_int_equal(fault.kind, STOA_JSON_OPEN_TEXT);
    }
}

static void as_many_bytes_as_asked_for_are_compared(void **state)
{
    (void)state;
    for (unsigned n = 0; n <= 32; n++)
        for (unsigned other = 0; other < 33; other++) {
            char a[33], b[33];

            memset(a, 'a', sizeof(a));
            memset(b, 'a', sizeof(b));
            b[other] = 'b';
            assert_int_equal(stoa_json_same(a, b, n), memcmp(a, b, n) == 0);
        }
}

static void a_number_ends_behind_its_digits(void **state)
{
    (void)state;
    for (size_t nwhole = 1; nwhole < 30; nwhole++)
        for (size_t nbehind = 0; nbehind < 30; nbehind++) {
            char text[1 + 30 + 1 + 30 + 1 + STOA_JSON_SLACK] = "-";
            struct stoa_json_fault fault;
            bool is_integer;
            char *at = text + 1;

            memset(at, '9', nwhole);
            at += nwhole;
            if (nbehind > 0) {
                *at = '.';
                memset(at + 1, '0', nbehind);
                at += 1 + nbehind;
            }
            *at = "/:,\n"[(nwhole + nbehind) % 4];
            assert_ptr_equal(stoa_json_scan_number(text, &is_integer, &fault), at);
            assert_int_equal(is_integer, nbehind == 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_plain_text_is_found),
        cmocka_unit_test(a_string_ends_at_its_quote),
        cmocka_unit_test(as_many_bytes_as_asked_for_are_compared),
        cmocka_unit_test(a_number_ends_behind_its_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
