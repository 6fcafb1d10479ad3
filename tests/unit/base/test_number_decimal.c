/* Decimals: exact or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text;
    unsigned precision, scale;
    const char *back; /* as it is written again; NULL when the type cannot hold it */
} cases[] = {
    {"12.50", 10, 2, "12.50"},
    {"12.5", 10, 2, "12.50"},
    {"12", 10, 2, "12.00"},
    {"+12", 10, 2, "12.00"},
    {"-12.50", 10, 2, "-12.50"},
    {"-0.05", 10, 2, "-0.05"},
    {".5", 10, 2, "0.50"},
    {"5.", 10, 2, "5.00"},
    {"-0", 10, 2, "0.00"},
    {"0", 1, 0, "0"},
    {"0", 1, 1, "0.0"},
    {"12.5000", 10, 2, "12.50"},
    {"12.505", 10, 2, NULL},
    {"12.50500000000000000000000000000", 10, 3, "12.505"},
    {"0.001", 10, 2, NULL},
    {"0.00000000000000000000000000000000000000000000000000000001", 38, 38, NULL},
    {"99999999.99", 10, 2, "99999999.99"},
    {"100000000.00", 10, 2, NULL},
    {"-99999999.99", 10, 2, "-99999999.99"},
    {"-100000000", 10, 2, NULL},
    {"000000000000000000000000000000000000000000000000000001.5", 2, 1, "1.5"},
    {"1.25e1", 10, 2, "12.50"},
    {"1.25e-1", 10, 3, "0.125"},
    {"1.25e-1", 10, 2, NULL},
    {"1250e-3", 10, 2, "1.25"},
    {"1e7", 10, 2, "10000000.00"},
    {"1e8", 10, 2, NULL},
    {"1e999999999999999999999", 38, 0, NULL},
    {"1e-999999999999999999999", 38, 38, NULL},
    {"0e999999999999999999999", 38, 0, "0"},
    {"0e-999999999999999999999", 5, 2, "0.00"},
    {"1000e-3", 1, 0, "1"},
    {"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999"},
    {"-99999999999999999999999999999999999999", 38, 0, "-99999999999999999999999999999999999999"},
    {"100000000000000000000000000000000000000", 38, 0, NULL},
    {"170141183460469231731687303715884105728", 38, 0, NULL},
    {"0.99999999999999999999999999999999999999", 38, 38,
     "0.99999999999999999999999999999999999999"},
    {"1", 38, 38, NULL},
    {"1e37", 38, 0, "10000000000000000000000000000000000000"},
    {"1e-38", 38, 38, "0.00000000000000000000000000000000000001"},
    {"12345678901234567890.123456789012345678", 38, 18, "12345678901234567890.123456789012345678"},
    {"", 10, 2, NULL},
    {".", 10, 2, NULL},
    {"nan", 10, 2, NULL},
    {"inf", 10, 2, NULL},
    {"1,5", 10, 2, NULL},
    {" 1", 10, 2, NULL},
    {"1 ", 10, 2, NULL},
    {"0x1", 10, 2, NULL},
};

static void decimals_are_exact_or_refused(void **state)
{
    (void)state;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *text = cases[i].text;
        struct stoa_int128 x = stoa_int128_from_i64(77);
        char back[STOA_NUMBER_NBYTES + 1] = "";
        bool good = stoa_decimal_parse(text, strlen(text), cases[i].precision, cases[i].scale, &x);

        if (good)
            back[stoa_decimal_format(x, cases[i].scale, back)] = '\0';
        else
            assert_true(x.hi == 0 && x.lo == 77);
        if (good != (cases[i].back != NULL) || (good && strcmp(back, cases[i].back) != 0))
            fail_msg("\"%s\" as decimal(%u,%u) gave %s", text, cases[i].precision, cases[i].scale,
                     good ? back : "nothing");
    }
}

static void decimals_come_back_from_their_text(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "decimals_come_back_from_their_text");
    for (size_t i = 0; i < stoa_test_ncases(300000); i++) {
        unsigned precision = (unsigned)stoa_test_random_between(&random, 1, 38);
        unsigned scale = (unsigned)stoa_test_random_between(&random, 0, precision);
        struct stoa_int128 x = {.hi = (int64_t)stoa_test_random_u64(&random),
                                .lo = stoa_test_random_u64(&random)};
        struct stoa_int128 rest, back = stoa_int128_from_i64(77);
        char text[STOA_NUMBER_NBYTES];
        size_t nbytes;

        (void)stoa_int128_div_pow10(x, (unsigned)stoa_test_random_between(&random, 0, precision),
                                    &rest);
        nbytes = stoa_decimal_format(rest, scale, text);
        assert_true(nbytes <= sizeof(text));
        assert_true(stoa_decimal_parse(text, nbytes, precision, scale, &back));
        assert_int_equal(stoa_int128_cmp(rest, back), 0);
        if (scale > 0)
            assert_int_equal(text[nbytes - scale - 1], '.');
    }
}

/* Any 128 bits have a text, though no decimal type holds more than 38 digits. */
static void largest_and_smallest_numbers_are_written(void **state)
{
    (void)state;
    const struct stoa_int128 max = {.hi = INT64_MAX, .lo = UINT64_MAX};
    const struct stoa_int128 min = {.hi = INT64_MIN, .lo = 0};
    char text[STOA_NUMBER_NBYTES + 1];

    text[stoa_decimal_format(max, 0, text)] = '\0';
    assert_string_equal(text, "170141183460469231731687303715884105727");
    text[stoa_decimal_format(min, 38, text)] = '\0';
    assert_string_equal(text, "-1.70141183460469231731687303715884105728");
    text[stoa_decimal_format(stoa_int128_from_i64(-1), 38, text)] = '\0';
    assert_string_equal(text, "-0.00000000000000000000000000000000000001");
}

static void shape_says_which_decimal_type_holds_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        unsigned integer_digits, fraction_digits;
    } shapes[] = {
        {"007.50", true, 1, 2},      {"1.5e3", true, 4, 0},
        {"0.00", true, 0, 2},        {"0", true, 0, 0},
        {"-12.345", true, 2, 3},     {"1e-3", true, 0, 3},
        {"0e5", true, 0, 0},         {"1.50e1", true, 2, 1},
        {"0.001", true, 0, 3},       {"1e70000", false, 0, 0},
        {"1e-70000", false, 0, 0},   {"0e-70000", false, 0, 0},
        {"1e65534", true, 65535, 0}, {"x", false, 0, 0},
        {"", false, 0, 0},           {"inf", false, 0, 0},
        {"100", true, 3, 0},         {".5", true, 0, 1},
        {"0.05e1", true, 0, 1},      {"12345678901234567890123.4", true, 23, 1},
    };

    for (size_t i = 0; i < LENGTH(shapes); i++) {
        unsigned integer_digits = 0, fraction_digits = 0;

        if (stoa_decimal_shape(shapes[i].text, strlen(shapes[i].text), &integer_digits,
                               &fraction_digits) != shapes[i].good ||
            integer_digits != shapes[i].integer_digits ||
            fraction_digits != shapes[i].fraction_digits)
            fail_msg("\"%s\" gave %u and %u", shapes[i].text, integer_digits, fraction_digits);
    }
}

static void a_type_of_that_shape_holds_the_text(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "a_type_of_that_shape_holds_the_text");
    for (size_t i = 0; i < stoa_test_ncases(300000); i++) {
        char text[64];
        unsigned whole, fraction;
        int digits = (int)stoa_test_random_between(&random, 0, 12);
        int nbytes =
            snprintf(text, sizeof(text), "%llu.%0*llue%d",
                     (unsigned long long)(stoa_test_random_wide(&random) >> 30), digits + 1,
                     (unsigned long long)stoa_test_random_below(&random, 1000000),
                     (int)stoa_test_random_between(&random, -12, 12));
        struct stoa_int128 x;

        assert_true(stoa_decimal_shape(text, (size_t)nbytes, &whole, &fraction));
        if (whole + fraction == 0)
            whole = 1;
        if (whole + fraction > 38)
            continue;
        assert_true(stoa_decimal_parse(text, (size_t)nbytes, whole + fraction, fraction, &x));
        if (x.hi != 0 || x.lo != 0) {
            /* One digit in front less never does. */
            if (whole > 0 && whole + fraction > 1)
                assert_false(
                    stoa_decimal_parse(text, (size_t)nbytes, whole + fraction - 1, fraction, &x));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_exact_or_refused),
        cmocka_unit_test(decimals_come_back_from_their_text),
        cmocka_unit_test(largest_and_smallest_numbers_are_written),
        cmocka_unit_test(shape_says_which_decimal_type_holds_the_text),
        cmocka_unit_test(a_type_of_that_shape_holds_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
