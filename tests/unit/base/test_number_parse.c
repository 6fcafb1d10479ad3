/* Text to integers, and to floats beside strtod() and strtof(), which round correctly in glibc. */
#include <float.h>
#include <inttypes.h>
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

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Integers. ---- */

static const struct {
    const char *text;
    bool fits_int64;
    int64_t int64;
    bool fits_uint64;
    uint64_t uint64;
} integers[] = {
    {"0", true, 0, true, 0},
    {"-0", true, 0, true, 0},
    {"7", true, 7, true, 7},
    {"-7", true, -7, false, 0},
    {"12345678", true, 12345678, true, 12345678},
    {"-123456789", true, -123456789, false, 0},
    {"007", true, 7, true, 7},
    {"00000000000000000000000000000000000000000042", true, 42, true, 42},
    {"-0000000000000000000000000000000", true, 0, true, 0},
    {"9223372036854775807", true, INT64_MAX, true, INT64_MAX},
    {"9223372036854775808", false, 0, true, UINT64_C(9223372036854775808)},
    {"-9223372036854775808", true, INT64_MIN, false, 0},
    {"-9223372036854775809", false, 0, false, 0},
    {"18446744073709551615", false, 0, true, UINT64_MAX},
    {"0018446744073709551615", false, 0, true, UINT64_MAX},
    {"18446744073709551616", false, 0, false, 0},
    {"18446744073709551620", false, 0, false, 0},
    {"99999999999999999999", false, 0, false, 0},
    {"100000000000000000000", false, 0, false, 0},
    {"-99999999999999999999", false, 0, false, 0},
    {"", false, 0, false, 0},
    {"-", false, 0, false, 0},
    {"--1", false, 0, false, 0},
    {"+1", false, 0, false, 0},
    {" 1", false, 0, false, 0},
    {"1 ", false, 0, false, 0},
    {"1.0", false, 0, false, 0},
    {"1e3", false, 0, false, 0},
    {"0x10", false, 0, false, 0},
    {"12a", false, 0, false, 0},
    {"1234567:", false, 0, false, 0},
    {"1234567/", false, 0, false, 0},
    {"12345678901234567890123x", false, 0, false, 0},
    {"1234567890123456789x", false, 0, false, 0},
    {"\xb1", false, 0, false, 0},
};

static void integers_are_read_or_refused(void **state)
{
    (void)state;

    for (size_t i = 0; i < LENGTH(integers); i++) {
        const char *text = integers[i].text;
        int64_t int64 = 77;
        uint64_t uint64 = 77;

        if (stoa_number_parse_int64(text, strlen(text), &int64) != integers[i].fits_int64 ||
            int64 != (integers[i].fits_int64 ? integers[i].int64 : 77))
            fail_msg("int64 \"%s\" gave %" PRId64, text, int64);
        if (stoa_number_parse_uint64(text, strlen(text), &uint64) != integers[i].fits_uint64 ||
            uint64 != (integers[i].fits_uint64 ? integers[i].uint64 : 77))
            fail_msg("uint64 \"%s\" gave %" PRIu64, text, uint64);
    }
}

static void every_byte_but_a_digit_is_refused_in_every_place(void **state)
{
    (void)state;

    for (size_t nbytes = 1; nbytes <= 20; nbytes++) {
        for (size_t place = 0; place < nbytes; place++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[20];
                uint64_t x;
                bool digit = byte >= '0' && byte <= '9';

                memset(text, '1', sizeof(text));
                text[place] = (char)byte;
                if (byte == '-' && place == 0)
                    continue;
                if (nbytes == 20 && byte > (place == 0 ? '1' : place == 1 ? '8' : '9'))
                    digit = false; /* too large for 64 bits */
                assert_int_equal(stoa_number_parse_uint64(text, nbytes, &x), digit);
            }
        }
    }
}

static void integers_come_back_from_their_text(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "integers_come_back_from_their_text");
    for (size_t i = 0; i < stoa_test_ncases(1000000); i++) {
        uint64_t x = stoa_test_random_wide(&random), back = ~x;
        int64_t y = (int64_t)x, back_signed = ~y;
        char text[32], expected[32];
        size_t nbytes;

        if (i < 64)
            x = UINT64_C(1) << i;
        else if (i < 84)
            x = stoa_pow10[i - 64];
        else if (i < 104)
            x = stoa_pow10[i - 84] - 1;
        y = stoa_test_random_one_in(&random, 2) ? (int64_t)x : (int64_t)(0 - x);
        back = ~x;
        back_signed = ~y;
        nbytes = stoa_number_format_uint64(x, text);
        snprintf(expected, sizeof(expected), "%" PRIu64, x);
        assert_int_equal(nbytes, strlen(expected));
        assert_memory_equal(text, expected, nbytes);
        assert_true(stoa_number_parse_uint64(text, nbytes, &back));
        assert_int_equal(back, x);
        nbytes = stoa_number_format_int64(y, text);
        snprintf(expected, sizeof(expected), "%" PRId64, y);
        assert_int_equal(nbytes, strlen(expected));
        assert_memory_equal(text, expected, nbytes);
        assert_true(stoa_number_parse_int64(text, nbytes, &back_signed));
        assert_int_equal(back_signed, y);
    }
}

/* ---- Floats. ---- */

/* Decimal text must give the bits that libc gives, or be refused where libc says infinity. */
static void check_float_text(const char *text)
{
    size_t nbytes = strlen(text);
    double expected = strtod(text, NULL), x = 77;
    float expected_float = strtof(text, NULL), y = 77;
    bool good = stoa_number_parse_double(text, nbytes, &x);

    if (good == (isinf(expected) != 0) || (good && memcmp(&x, &expected, sizeof(x)) != 0))
        fail_msg("double %s gave %d %a, libc %a", text, good, x, expected);
    good = stoa_number_parse_float(text, nbytes, &y);
    if (good == (isinf(expected_float) != 0) ||
        (good && memcmp(&y, &expected_float, sizeof(y)) != 0))
        fail_msg("float %s gave %d %a, libc %a", text, good, (double)y, (double)expected_float);
}

static void known_hard_numbers_are_rounded_correctly(void **state)
{
    (void)state;
    /* clang-format off */
    static const char *const texts[] = {
        "0", "-0", "0.0", "-0.0e5", "0e999999999999", "1", "-1", "+1", "5.", ".5", "-.5e-3", "1E5",
        "1e+05", "0.1", "0.3", "123.456", "1e22", "1e23", "-1e-22", "1e-23", "8.5", "4.35", "2.675",
        /* ends of the normal and subnormal numbers, and of the floats */
        "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977"
        "5872070963302864166928879109465555478519404026306574886715058206819089020007083836762738548458"
        "1771776200e0",
        "1e308", "1e309", "-1e400", "1e99999999999999999999999", "9e-99999999999999999999999",
        "2.2250738585072014e-308", "2.2250738585072011e-308", "2.2250738585072012e-308",
        "2.225073858507201136057409796709131975934819546351645648023426109724822222021076945516529523"
        "9081350879141491589130396211068700864386945946455276572074078206217433799881410632673292535522"
        "8688137214901298112245145188984905722230728525513315575501591439747639798341180199932396254e-308",
        "4.9406564584124654e-324", "5e-324", "2.4703282292062327208e-324", "2.4703282292062328e-324",
        "2.47032822920623272e-324", "2e-324", "1e-324", "1e-343", "1e-400",
        "3.4028234663852886e38", "3.4028235677973366e38", "3.4028235677973365e38", "3.4028236e38",
        "1.1754943508222875e-38", "1.4012984643248171e-45", "7.006492321624085e-46",
        "7.0064923216240853546186479164495e-46", "7.0064923216240854e-46", "1e-46",
        /* exact middles, near middles */
        "9007199254740993", "9007199254740992.5", "9007199254740993.0000000000000000000000000001",
        "9007199254740992.99999999999999999999", "4503599627370496.5", "4503599627370497.5",
        "2251799813685248.25", "2251799813685248.75", "1125899906842624.125", "16777217", "16777219",
        "8388608.5", "8388609.5", "16777216.99999999999999999999", "0.50000000000000000000000000",
        "1.00000005960464477539062500000000000000000000001", "1.000000059604644775390625",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
        /* digits where the first 128 bits of the power are not enough, or nearly so */
        "6.631236846766476e-316", "3.2378839133029012895883524125015321748630094231e-319",
        "5.0216813883093451685872615018317e-292", "8.98846567431158e307", "1.8446744073709551616e19",
        "1.8446744073709551615e19", "18446744073709551615e-5", "9999999999999999999e200",
        "6929495644600919.5", "3.7455744005952583e15", "1.0885440250e-255",
        /* long */
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000000000000000000000000000000000000000e-80",
        "000000000000000000000000000000000000000000000000012345678901234567890.5",
    };
    /* clang-format on */

    for (size_t i = 0; i < LENGTH(texts); i++)
        check_float_text(texts[i]);
}

static void powers_of_ten_and_two_are_rounded_correctly(void **state)
{
    (void)state;
    char text[64];

    for (int power = -400; power <= 400; power++) {
        static const char *const digits[] = {"1",
                                             "9",
                                             "99999999999999999",
                                             "1000000000000000001",
                                             "9999999999999999999",
                                             "18446744073709551616"};

        for (size_t i = 0; i < LENGTH(digits); i++) {
            snprintf(text, sizeof(text), "%se%d", digits[i], power);
            check_float_text(text);
        }
    }
    for (int power = -1074; power < 1024; power++) {
        for (int ndigits = 1; ndigits < 25; ndigits++) {
            snprintf(text, sizeof(text), "%.*e", ndigits, ldexp(1, power));
            check_float_text(text);
        }
    }
}

/* A double of any kind: any bits, a subnormal number, a few decimals, an integer. */
static double any_double(struct stoa_test_random *random)
{
    uint64_t bits = stoa_test_random_u64(random);
    double x;

    switch (stoa_test_random_below(random, 5)) {
    case 0:
        bits &= UINT64_C(0x800fffffffffffff);
        break;
    case 1:
        return (double)stoa_test_random_between(random, -100000000, 100000000) / 1e6;
    case 2:
        return (double)stoa_test_random_wide(random);
    case 3: /* the range of a float */
        bits = (bits & UINT64_C(0x800fffffffffffff)) |
               (uint64_t)stoa_test_random_between(random, 1023 - 152, 1023 + 128) << 52;
        break;
    default:
        break;
    }
    memcpy(&x, &bits, sizeof(x));
    return isfinite(x) ? x : 0.1;
}

static void printed_doubles_are_rounded_correctly(void **state)
{
    (void)state;
    struct stoa_test_random random;
    char text[64];

    stoa_test_random_init(&random, "printed_doubles_are_rounded_correctly");
    for (size_t i = 0; i < stoa_test_ncases(500000); i++) {
        double x = any_double(&random);

        snprintf(text, sizeof(text), "%.*e", (int)stoa_test_random_below(&random, 22), x);
        check_float_text(text);
    }
}

static void random_digits_are_rounded_correctly(void **state)
{
    (void)state;
    struct stoa_test_random random;
    char text[900];

    stoa_test_random_init(&random, "random_digits_are_rounded_correctly");
    for (size_t i = 0; i < stoa_test_ncases(200000); i++) {
        size_t most = stoa_test_random_one_in(&random, 20) ? 850 : 40;
        size_t ndigits = 1 + (size_t)stoa_test_random_below(&random, most);
        size_t point = (size_t)stoa_test_random_below(&random, ndigits + 1);
        bool zeros = stoa_test_random_one_in(&random, 4); /* long runs of 0 */
        size_t at = 0;

        if (stoa_test_random_one_in(&random, 2))
            text[at++] = '-';
        for (size_t k = 0; k < ndigits; k++) {
            if (k == point)
                text[at++] = '.';
            text[at++] = zeros && !stoa_test_random_one_in(&random, 20)
                             ? '0'
                             : (char)('0' + stoa_test_random_below(&random, 10));
        }
        if (stoa_test_random_one_in(&random, 4))
            text[at] = '\0';
        else
            snprintf(text + at, sizeof(text) - at, "e%d",
                     (int)stoa_test_random_between(&random, -380, 330) - (int)point);
        check_float_text(text);
    }
}

/* `text` is digits, a point among them, and e...; adds 1 (or -1) to the last digit. */
static void step_last_digit(char *text, int step)
{
    char *p = strchr(text, 'e');

    for (;;) {
        if (*--p == '.')
            p--;
        if (*p != (step > 0 ? '9' : '0')) {
            *p = (char)(*p + step);
            return;
        }
        *p = step > 0 ? '0' : '9';
    }
}

/*
 * The middle of x and the next larger double has one bit more, which a long double holds, and at
 * most 767 digits: as text it must go to the even one, and a hair less or more to its own side.
 */
static void middles_go_to_the_even_side(void **state)
{
    (void)state;
#if LDBL_MANT_DIG < 54
    skip();
#endif
    struct stoa_test_random random;
    char text[900];

    stoa_test_random_init(&random, "middles_go_to_the_even_side");
    for (size_t i = 0; i < stoa_test_ncases(20000); i++) {
        double low = fabs(any_double(&random)), high = nextafter(low, INFINITY), even, back;
        uint64_t bits;
        int ndigits = (int)stoa_test_random_between(&random, 767, 830);

        if (isinf(high))
            continue;
        memcpy(&bits, &low, sizeof(bits));
        even = bits % 2 == 0 ? low : high;
        snprintf(text, sizeof(text), "%.*Le", ndigits, ((long double)low + (long double)high) / 2);
        assert_true(stoa_number_parse_double(text, strlen(text), &back));
        if (back != even)
            fail_msg("%s gave %a, not %a", text, back, even);
        check_float_text(text);
        step_last_digit(text, 1);
        assert_true(stoa_number_parse_double(text, strlen(text), &back));
        if (back != high)
            fail_msg("%s gave %a, not %a", text, back, high);
        step_last_digit(text, -1);
        step_last_digit(text, -1);
        assert_true(stoa_number_parse_double(text, strlen(text), &back));
        if (back != low)
            fail_msg("%s gave %a, not %a", text, back, low);
    }
}

static void middles_of_floats_go_to_the_even_side(void **state)
{
    (void)state;
    struct stoa_test_random random;
    char text[300];

    stoa_test_random_init(&random, "middles_of_floats_go_to_the_even_side");
    for (size_t i = 0; i < stoa_test_ncases(100000); i++) {
        uint32_t bits = (uint32_t)stoa_test_random_below(&random, UINT32_C(0x7f7fffff));
        float low, high, back;

        if (stoa_test_random_one_in(&random, 4))
            bits &= 0x7fffff;
        memcpy(&low, &bits, sizeof(low));
        high = nextafterf(low, INFINITY);
        snprintf(text, sizeof(text), "%.*e", (int)stoa_test_random_between(&random, 120, 250),
                 ((double)low + (double)high) / 2);
        assert_true(stoa_number_parse_float(text, strlen(text), &back));
        assert_true(back == (bits % 2 == 0 ? low : high));
        step_last_digit(text, 1);
        assert_true(stoa_number_parse_float(text, strlen(text), &back));
        assert_true(back == high);
        step_last_digit(text, -1);
        step_last_digit(text, -1);
        assert_true(stoa_number_parse_float(text, strlen(text), &back));
        assert_true(back == low);
    }
}

static void endless_digits_are_rounded_correctly(void **state)
{
    (void)state;
    enum { NBYTES = 1 << 20 };
    char *text = malloc(NBYTES + 16);
    double x;

    assert_non_null(text);
    memset(text, '0', NBYTES);
    memcpy(text, "1.", 2);
    memcpy(text + NBYTES, "e1", 3);
    assert_true(stoa_number_parse_double(text, NBYTES + 2, &x));
    assert_true(x == 10);
    /* a middle, and one digit 1 at the end of a million zeros */
    memcpy(text, "9007199254740993.", 17);
    assert_true(stoa_number_parse_double(text, NBYTES, &x));
    assert_true(x == 9007199254740992.0);
    text[NBYTES - 1] = '1';
    assert_true(stoa_number_parse_double(text, NBYTES, &x));
    assert_true(x == 9007199254740994.0);
    /* 0.000...5 times ten to the million */
    memset(text, '0', NBYTES);
    text[1] = '.';
    text[NBYTES - 1] = '5';
    snprintf(text + NBYTES, 16, "e%d", NBYTES - 2);
    assert_true(stoa_number_parse_double(text, strlen(text), &x));
    assert_true(x == 5);
    text[1] = '0';
    text[NBYTES] = '\0';
    snprintf(text + NBYTES, 16, "e-1");
    assert_true(stoa_number_parse_double(text, strlen(text), &x));
    assert_true(x == 0.5);
    free(text);
}

static void words_are_read_in_any_case(void **state)
{
    (void)state;
    static const char *const infinities[] = {"inf",      "Inf",      "INF",     "infinity",
                                             "Infinity", "INFINITY", "iNfInItY"};
    static const char *const nans[] = {"nan", "NaN", "NAN", "nAn"};

    for (size_t i = 0; i < LENGTH(infinities); i++) {
        for (size_t sign = 0; sign < 3; sign++) {
            char text[16];
            double x = 0;
            float y = 0;

            snprintf(text, sizeof(text), "%.*s%s", sign > 0, "+-" + (sign == 2), infinities[i]);
            assert_true(stoa_number_parse_double(text, strlen(text), &x));
            assert_true(x == (sign == 2 ? -INFINITY : INFINITY));
            assert_true(stoa_number_parse_float(text, strlen(text), &y));
            assert_true(y == (sign == 2 ? -INFINITY : INFINITY));
        }
    }
    for (size_t i = 0; i < LENGTH(nans); i++) {
        for (size_t sign = 0; sign < 3; sign++) {
            char text[16];
            double x = 0;
            float y = 0;

            snprintf(text, sizeof(text), "%.*s%s", sign > 0, "+-" + (sign == 2), nans[i]);
            assert_true(stoa_number_parse_double(text, strlen(text), &x));
            assert_true(isnan(x) && (signbit(x) != 0) == (sign == 2));
            assert_true(stoa_number_parse_float(text, strlen(text), &y));
            assert_true(isnan(y) && (signbit(y) != 0) == (sign == 2));
        }
    }
}

static void text_that_is_no_float_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",      "-",     "+",      ".",    "-.",    "e5",        ".e5",   "1e",
        "1e+",   "1e-",   " 1",     "1 ",   "1.2.3", "1..2",      "--1",   "+-1",
        "1-",    "1e5.0", "1e5x",   "0x10", "0x1p3", "1f",        "1,5",   "1_000",
        "na",    "nanx",  "nan(1)", "in",   "infi",  "infinit",   "-+inf", "infx",
        "1e5e5", "ten",   "1\x80",  "\xb1", "1d5",   "infinityy", "+ 1",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        double x = 77;
        float y = 77;

        if (stoa_number_parse_double(texts[i], strlen(texts[i]), &x) || x != 77 ||
            stoa_number_parse_float(texts[i], strlen(texts[i]), &y) || y != 77)
            fail_msg("\"%s\" was taken", texts[i]);
    }
    {
        double x;

        assert_false(stoa_number_parse_double("1\0002", 3, &x));
        assert_true(stoa_number_parse_double("123", 2, &x)); /* nbytes ends the text, not a 0 */
        assert_true(x == 12);
    }
}

static void significant_digits_are_counted_without_outer_zeros(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t ndigits;
    } cases[] = {
        {"0", 0},       {"0.00", 0},        {"-0e5", 0}, {"1", 1},
        {"10", 1},      {"0.0120e5", 2},    {"101", 3},  {"1.23456789012345678", 18},
        {"100.001", 6}, {"-00120.3400", 5}, {"abc", 0},  {"12345678901234567000", 17},
        {"", 0},        {"nan", 0},
    };

    for (size_t i = 0; i < LENGTH(cases); i++)
        assert_int_equal(stoa_number_significant_digits(cases[i].text, strlen(cases[i].text)),
                         cases[i].ndigits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_or_refused),
        cmocka_unit_test(every_byte_but_a_digit_is_refused_in_every_place),
        cmocka_unit_test(integers_come_back_from_their_text),
        cmocka_unit_test(known_hard_numbers_are_rounded_correctly),
        cmocka_unit_test(powers_of_ten_and_two_are_rounded_correctly),
        cmocka_unit_test(printed_doubles_are_rounded_correctly),
        cmocka_unit_test(random_digits_are_rounded_correctly),
        cmocka_unit_test(middles_go_to_the_even_side),
        cmocka_unit_test(middles_of_floats_go_to_the_even_side),
        cmocka_unit_test(endless_digits_are_rounded_correctly),
        cmocka_unit_test(words_are_read_in_any_case),
        cmocka_unit_test(text_that_is_no_float_is_refused),
        cmocka_unit_test(significant_digits_are_counted_without_outer_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
