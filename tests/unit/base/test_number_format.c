/* Floats to text: reads back, no digit too many, and the nearest of the shortest. */
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

static void doubles_look_as_documented(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {100.0, "100.0"},
        {123.456, "123.456"},
        {-73.978165, "-73.978165"},
        {0.00001, "0.00001"},
        {0.000012345678901234567, "0.000012345678901234568"},
        {9.999999999999999e-6, "9.999999999999999e-6"},
        {1.5e-7, "1.5e-7"},
        {9999999999999998.0, "9999999999999998.0"},
        {1234567890123456.0, "1234567890123456.0"},
        {123456789012345.67, "123456789012345.67"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e16"},
        {-1.2345e16, "-1.2345e16"},
        {1e23, "1e23"},
        {9007199254740993.0, "9007199254740992.0"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {-2.2250738585072011e-308, "-2.225073858507201e-308"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[STOA_NUMBER_NBYTES + 1];

        text[stoa_number_format_double(cases[i].x, text)] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void floats_look_as_documented(void **state)
{
    (void)state;
    static const struct {
        float x;
        const char *text;
    } cases[] = {
        {0.0f, "0.0"},
        {-0.0f, "-0.0"},
        {0.1f, "0.1"},
        {16777216.0f, "16777216.0"},
        {3.4028235e38f, "3.4028235e38"},
        {1e-45f, "1e-45"},
        {1.17549435e-38f, "1.1754944e-38"},
        {0.3f, "0.3"},
        {1e16f, "1e16"},
        {1e10f, "10000000000.0"},
        {NAN, "NaN"},
        {-INFINITY, "-Infinity"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[STOA_NUMBER_NBYTES + 1];

        text[stoa_number_format_float(cases[i].x, text)] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

/* The text of a number in plain or exponent form, as "%.*e" of the same digits prints it. */
static void to_libc_form(const char *text, char *out, size_t room)
{
    char digits[STOA_NUMBER_NBYTES];
    const char *exponent = strchr(text, 'e');
    const char *end = exponent != NULL ? exponent : text + strlen(text);
    int ndigits = 0, power = exponent != NULL ? atoi(exponent + 1) : 0;
    bool negative = text[0] == '-', behind_point = false, leading = true;

    for (const char *p = text + negative; p < end; p++) {
        if (*p == '.') {
            behind_point = true;
        } else if (leading && *p == '0') {
            power -= behind_point;
        } else {
            power += !leading && !behind_point;
            power -= leading && behind_point;
            leading = false;
            digits[ndigits++] = *p;
        }
    }
    while (ndigits > 1 && digits[ndigits - 1] == '0')
        ndigits--;
    snprintf(out, room, "%s%c%s%.*se%c%02d", negative ? "-" : "", digits[0], ndigits > 1 ? "." : "",
             ndigits - 1, digits + 1, power < 0 ? '-' : '+', abs(power));
}

static int count_digits(const char *libc_text)
{
    int n = 0;

    for (; *libc_text != 'e'; libc_text++)
        n += *libc_text >= '0' && *libc_text <= '9';
    return n;
}

/* One digit less must not read back; the nearest text of as many digits is ours if it does. */
static void check_double(double x)
{
    char text[STOA_NUMBER_NBYTES + 1], ours[64], theirs[64];
    size_t nbytes = stoa_number_format_double(x, text);
    double back;
    int ndigits;

    text[nbytes] = '\0';
    back = strtod(text, NULL);
    if (nbytes > STOA_NUMBER_NBYTES || memcmp(&back, &x, sizeof(x)) != 0)
        fail_msg("%a gave %s, which reads as %a", x, text, back);
    if (strpbrk(text, ".e") == NULL ||
        (strchr(text, 'e') == NULL) != (x == 0 || (fabs(x) >= 1e-5 && fabs(x) < 1e16)))
        fail_msg("%a gave %s", x, text);
    if (x == 0)
        return;
    to_libc_form(text, ours, sizeof(ours));
    ndigits = count_digits(ours);
    snprintf(theirs, sizeof(theirs), "%.*e", ndigits - 1, x);
    if (strtod(theirs, NULL) == x && strcmp(ours, theirs) != 0)
        fail_msg("%a gave %s, nearer is %s", x, text, theirs);
    if (ndigits > 1) {
        snprintf(theirs, sizeof(theirs), "%.*e", ndigits - 2, x);
        if (strtod(theirs, NULL) == x)
            fail_msg("%a gave %s, shorter is %s", x, text, theirs);
    }
}

static void check_float(float x)
{
    char text[STOA_NUMBER_NBYTES + 1], ours[64], theirs[64];
    size_t nbytes = stoa_number_format_float(x, text);
    float back;
    int ndigits;

    text[nbytes] = '\0';
    back = strtof(text, NULL);
    if (nbytes > STOA_NUMBER_NBYTES || memcmp(&back, &x, sizeof(x)) != 0)
        fail_msg("%a gave %s, which reads as %a", (double)x, text, (double)back);
    if (x == 0)
        return;
    to_libc_form(text, ours, sizeof(ours));
    ndigits = count_digits(ours);
    snprintf(theirs, sizeof(theirs), "%.*e", ndigits - 1, (double)x);
    if (strtof(theirs, NULL) == x && strcmp(ours, theirs) != 0)
        fail_msg("%a gave %s, nearer is %s", (double)x, text, theirs);
    if (ndigits > 1) {
        snprintf(theirs, sizeof(theirs), "%.*e", ndigits - 2, (double)x);
        if (strtof(theirs, NULL) == x)
            fail_msg("%a gave %s, shorter is %s", (double)x, text, theirs);
    }
}

static void doubles_are_short_near_and_read_back(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "doubles_are_short_near_and_read_back");
    for (size_t i = 0; i < stoa_test_ncases(1000000); i++) {
        uint64_t bits = stoa_test_random_u64(&random);
        double x;

        if (i % 8 == 0)
            bits &= UINT64_C(0x800fffffffffffff);
        if (i % 8 == 1)
            bits = (bits & 0x3ff) | (bits & UINT64_C(0xfff0000000000000));
        memcpy(&x, &bits, sizeof(x));
        if (i % 8 == 2)
            x = (double)stoa_test_random_between(&random, -100000000, 100000000) / 1e6;
        if (i % 8 == 3)
            x = (double)stoa_test_random_wide(&random);
        if (i % 8 == 4)
            x = (double)stoa_test_random_between(&random, 0, 1000000) / 100;
        if (i % 8 >= 5) { /* decimals with about as many digits as one division can tell */
            x = (double)stoa_test_random_between(&random, -2000000000000000, 2000000000000000);
            x /= pow(10, (double)stoa_test_random_between(&random, 0, 20));
            if (i % 8 == 6)
                x = nextafter(x, INFINITY);
        }
        if (isfinite(x))
            check_double(x);
    }
}

/* Powers of two have their lower neighbour at half the distance; their neighbours do not. */
static void powers_and_their_neighbours_are_short_near_and_read_back(void **state)
{
    (void)state;

    for (int power = -1074; power < 1024; power++) {
        double x = ldexp(1, power);

        check_double(x);
        check_double(nextafter(x, 0));
        if (power < 1023)
            check_double(nextafter(x, INFINITY));
    }
    for (int power = -323; power <= 308; power++) {
        char text[16];
        double x;

        snprintf(text, sizeof(text), "1e%d", power);
        x = strtod(text, NULL);
        check_double(x);
        check_double(nextafter(x, 0));
        check_double(nextafter(x, INFINITY));
    }
    for (int power = -149; power < 128; power++) {
        float x = ldexpf(1, power);

        check_float(x);
        check_float(nextafterf(x, 0));
        if (power < 127)
            check_float(nextafterf(x, INFINITY));
    }
}

static void floats_are_short_near_and_read_back(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "floats_are_short_near_and_read_back");
    for (size_t i = 0; i < stoa_test_ncases(500000); i++) {
        uint32_t bits = (uint32_t)stoa_test_random_u64(&random);
        float x;

        if (i % 8 == 0)
            bits &= UINT32_C(0x807fffff);
        memcpy(&x, &bits, sizeof(x));
        if (isfinite(x))
            check_float(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_look_as_documented),
        cmocka_unit_test(floats_look_as_documented),
        cmocka_unit_test(doubles_are_short_near_and_read_back),
        cmocka_unit_test(powers_and_their_neighbours_are_short_near_and_read_back),
        cmocka_unit_test(floats_are_short_near_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
