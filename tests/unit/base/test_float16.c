/* All 65,536 values of float16, beside arithmetic on doubles, which hold each of them exactly. */
#include "base/float16.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "support/random.h"

#define INFINITE 0x7c00u

/* The value by its definition. */
static double value_of(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);

    return bits >> 15 ? -size : size;
}

/* The bits of the nearest float16 to a size, ties to even: among the values in their order. */
static uint16_t nearest(double size)
{
    uint16_t low = 0, high = INFINITE; /* value_of(INFINITE) is 65536, where the next would be */
    double middle;

    while (high - low > 1) {
        uint16_t bits = (uint16_t)((low + high) / 2);

        if (value_of(bits) <= size)
            low = bits;
        else
            high = bits;
    }
    middle = (value_of(low) + value_of(high)) / 2;
    return size > middle || (size == middle && (low & 1) != 0) ? high : low;
}

static void each_value_is_the_same_double(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits <= 0xffff; bits++) {
        double x = stoa_float16_to_double((uint16_t)bits), expected = value_of((uint16_t)bits);
        uint64_t wide;

        if ((bits & INFINITE) != INFINITE) {
            assert_memory_equal(&x, &expected, sizeof(x));
            continue;
        }
        memcpy(&wide, &x, sizeof(wide));
        assert_int_equal(wide >> 63, bits >> 15);
        assert_int_equal(wide >> 52 & 0x7ff, 0x7ff);
        assert_int_equal(wide & 0xfffffffffffff, (uint64_t)(bits & 1023) << 42);
    }
}

/* The value of the text, which has few digits, as "%.*e" of as many digits writes it. */
static int count_digits(const char *text)
{
    char digits[STOA_NUMBER_NBYTES];
    int n = 0;

    for (; *text != '\0' && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (n > 0 || *text > '0'))
            digits[n++] = *text;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

static void each_text_is_short_near_and_reads_back(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < INFINITE; i++) {
        char text[STOA_NUMBER_NBYTES + 1], other[64];
        double x = value_of((uint16_t)i);
        uint16_t back = 77;
        size_t nbytes = stoa_number_format_float16((uint16_t)i, text);
        int ndigits;

        text[nbytes] = '\0';
        if (!stoa_number_parse_float16(text, nbytes, &back) || back != i ||
            nearest(strtod(text, NULL)) != i)
            fail_msg("%u gave %s, which reads as %u", i, text, back);
        ndigits = count_digits(text);
        snprintf(other, sizeof(other), "%.*e", ndigits - 1, x);
        if (nearest(strtod(other, NULL)) == i && strtod(other, NULL) != strtod(text, NULL))
            fail_msg("%u gave %s, nearer is %s", i, text, other);
        if (ndigits > 1) {
            snprintf(other, sizeof(other), "%.*e", ndigits - 2, x);
            if (nearest(strtod(other, NULL)) == i)
                fail_msg("%u gave %s, shorter is %s", i, text, other);
        }
        text[0] = '\0';
        nbytes = stoa_number_format_float16((uint16_t)(i | 0x8000), text);
        assert_true(text[0] == '-');
        assert_true(stoa_number_parse_float16(text, nbytes, &back));
        assert_int_equal(back, i | 0x8000);
    }
}

static void texts_look_as_documented(void **state)
{
    (void)state;
    static const struct {
        uint16_t bits;
        const char *text;
    } cases[] = {
        {0, "0.0"},           {0x8000, "-0.0"},      {0x3c00, "1.0"},
        {0xc000, "-2.0"},     {0x2e66, "0.1"},       {0x3555, "0.3333"},
        {0x7bff, "65500.0"},  {1, "6e-8"},           {0x0400, "0.00006104"},
        {0x7c00, "Infinity"}, {0xfc00, "-Infinity"}, {0x7e00, "NaN"},
        {0xfe01, "NaN"},      {0x7c01, "NaN"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[STOA_NUMBER_NBYTES + 1];

        text[stoa_number_format_float16(cases[i].bits, text)] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

/* The middle between two values goes to the even one, and a trifle more or less does not. */
static void middles_are_rounded_to_even(void **state)
{
    (void)state;
    for (uint16_t bits = 0; bits < INFINITE; bits++) {
        double middle = (value_of(bits) + value_of((uint16_t)(bits + 1))) / 2;
        char text[80];
        int nbytes = snprintf(text, sizeof(text), "%.40f", middle); /* all digits it has */
        uint16_t back = 77;
        bool fits = stoa_number_parse_float16(text, (size_t)nbytes, &back);

        if (bits == 0x7bff) { /* 65520 rounds to infinity */
            assert_false(fits);
        } else {
            assert_true(fits);
            assert_int_equal(back, (bits & 1) != 0 ? bits + 1 : bits);
            text[nbytes] = '1';
            assert_true(stoa_number_parse_float16(text, (size_t)nbytes + 1, &back));
            assert_int_equal(back, bits + 1);
        }
        nbytes = snprintf(text, sizeof(text), "%.40f", nextafter(middle, 0));
        assert_true(stoa_number_parse_float16(text, (size_t)nbytes, &back));
        assert_int_equal(back, bits);
    }
}

static void any_number_becomes_the_nearest(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "any_number_becomes_the_nearest");
    for (size_t i = 0; i < stoa_test_ncases(100000); i++) {
        double x =
            ldexp(stoa_test_random_unit(&random), (int)stoa_test_random_between(&random, -30, 18));
        char text[64];
        int nbytes = snprintf(text, sizeof(text), "%.17g", x);
        uint16_t expected = nearest(x), bits = 77;

        assert_int_equal(stoa_number_parse_float16(text, (size_t)nbytes, &bits),
                         expected != INFINITE);
        assert_int_equal(bits, expected != INFINITE ? expected : 77);
    }
}

static void words_and_what_is_no_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t bits; /* 77: refused */
    } cases[] = {
        {"nan", 0x7e00},
        {"-NaN", 0xfe00},
        {"inf", 0x7c00},
        {"-Infinity", 0xfc00},
        {"65519.99", 0x7bff},
        {"65520", 77},
        {"-1e5", 77},
        {"1e-9", 0},
        {"-1e-400", 0x8000},
        {"", 77},
        {"1,5", 77},
        {"0x1", 77},
        {"2.98023223876953125e-8", 0},
        {"2.98023223876953126e-8", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t bits = 77;
        bool fits = stoa_number_parse_float16(cases[i].text, strlen(cases[i].text), &bits);

        assert_int_equal(fits, cases[i].bits != 77);
        assert_int_equal(bits, cases[i].bits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_is_the_same_double),
        cmocka_unit_test(each_text_is_short_near_and_reads_back),
        cmocka_unit_test(texts_look_as_documented),
        cmocka_unit_test(middles_are_rounded_to_even),
        cmocka_unit_test(any_number_becomes_the_nearest),
        cmocka_unit_test(words_and_what_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
