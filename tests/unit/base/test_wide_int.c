/* 384-bit integers: carries, signs, division and text at known values and beside int128. */
#include "base/wide_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/int128.h"
#include "base/number.h"
#include "support/random.h"

static const char *text_of(const struct stoa_wide_int *x, unsigned scale)
{
    static char text[STOA_WIDE_INT_NBYTES + 1];
    size_t n = stoa_wide_int_format(x, scale, text);

    assert_true(n <= STOA_WIDE_INT_NBYTES);
    text[n] = '\0';
    return text;
}

/* 2^bit, negated when asked for; bit is a multiple of 32. */
static struct stoa_wide_int power(unsigned bit, bool negative)
{
    struct stoa_wide_int x = {0};

    (negative ? stoa_wide_int_sub_at : stoa_wide_int_add_at)(&x, 1, bit / 32);
    return x;
}

static void powers_have_their_digits(void **state)
{
    (void)state;
    static const struct {
        unsigned bit;
        const char *text;
    } cases[] = {
        {0, "1"},
        {32, "4294967296"},
        {64, "18446744073709551616"},
        {96, "79228162514264337593543950336"},
        {256, "115792089237316195423570985008687907853269984665640564039457584007913129639936"},
        {320,
         "2135987035920910082395021706169552114602704522356652769947041607822219725780640550022962"
         "086936576"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stoa_wide_int plus = power(cases[i].bit, false);
        const struct stoa_wide_int minus = power(cases[i].bit, true);
        struct stoa_wide_int sum = plus;

        assert_string_equal(text_of(&plus, 0), cases[i].text);
        assert_string_equal(text_of(&minus, 0) + 1, cases[i].text);
        assert_int_equal(*text_of(&minus, 0), '-');
        stoa_wide_int_add(&sum, &minus);
        assert_string_equal(text_of(&sum, 0), "0");
    }
}

static void scale_puts_zeros_around_the_point(void **state)
{
    (void)state;
    static const struct {
        int64_t x;
        unsigned scale;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {0, 3, "0.000"},
        {7, 0, "7"},
        {7, 1, "0.7"},
        {-7, 3, "-0.007"},
        {1234, 3, "1.234"},
        {-120000, 4, "-12.0000"},
        {5, 20, "0.00000000000000000005"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_wide_int x = {0};
        uint64_t size = cases[i].x < 0 ? -(uint64_t)cases[i].x : (uint64_t)cases[i].x;

        (cases[i].x < 0 ? stoa_wide_int_sub_at : stoa_wide_int_add_at)(&x, size, 0);
        assert_string_equal(text_of(&x, cases[i].scale), cases[i].text);
    }
}

static void division_rounds_half_to_even(void **state)
{
    (void)state;
    static const struct {
        int64_t x;
        unsigned ndigits;
        uint64_t divisor;
        const char *text; /* with ndigits behind the point */
    } cases[] = {
        {1, 0, 2, "0"},
        {3, 0, 2, "2"},
        {5, 0, 2, "2"},
        {-5, 0, 2, "-2"},
        {-7, 0, 2, "-4"},
        {1, 6, 3, "0.333333"},
        {2, 6, 3, "0.666667"},
        {-2, 6, 3, "-0.666667"},
        {1, 1, 20, "0.0"},
        {3, 1, 20, "0.2"},
        {0, 6, 7, "0.000000"},
        {1, 0, 1, "1"},
        {7, 19, 1, "7.0000000000000000000"},
        {INT64_MAX, 0, UINT64_MAX, "0"},
        {INT64_MAX, 3, UINT64_MAX, "0.500"},
        {-1, 6, 1000000, "-0.000001"},
        {-1, 6, 2000000, "0.000000"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_wide_int x = {0}, y;
        uint64_t size = cases[i].x < 0 ? -(uint64_t)cases[i].x : (uint64_t)cases[i].x;

        (cases[i].x < 0 ? stoa_wide_int_sub_at : stoa_wide_int_add_at)(&x, size, 0);
        y = stoa_wide_int_divide(&x, cases[i].ndigits, cases[i].divisor);
        assert_string_equal(text_of(&y, cases[i].ndigits), cases[i].text);
    }
}

/* Sums of halves that stay within 128 bits are what int128 says. */
static void sums_are_those_of_int128(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "sums_are_those_of_int128");
    for (size_t i = 0; i < stoa_test_ncases(20000); i++) {
        struct stoa_wide_int wide = {0};
        struct stoa_int128 sum = {0};
        char text[STOA_NUMBER_NBYTES + 1] = {0};

        for (int k = 0; k < 8; k++) {
            uint64_t y = stoa_test_random_wide(&random) >> 4;
            unsigned half = (unsigned)stoa_test_random_below(&random, 3);
            struct stoa_int128 x = stoa_int128_from_u64(y);

            assert_true(half == 0 || stoa_int128_mul_u64(x, UINT64_C(1) << 32, &x));
            if (half == 2)
                x = (struct stoa_int128){.hi = (int64_t)y};
            if (stoa_test_random_one_in(&random, 2)) {
                stoa_wide_int_add_at(&wide, y, half);
                assert_true(stoa_int128_add(sum, x, &sum));
            } else {
                stoa_wide_int_sub_at(&wide, y, half);
                assert_true(stoa_int128_sub(sum, x, &sum));
            }
        }
        if (stoa_int128_fits_digits(sum, 38)) {
            text[stoa_decimal_format(sum, 5, text)] = '\0';
            assert_string_equal(text_of(&wide, 5), text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_have_their_digits),
        cmocka_unit_test(scale_puts_zeros_around_the_point),
        cmocka_unit_test(division_rounds_half_to_even),
        cmocka_unit_test(sums_are_those_of_int128),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
