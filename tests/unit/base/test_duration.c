/* Durations and intervals: their text, and what is none. */
#include "base/duration.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void durations_have_one_text(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        enum stoa_time_unit unit;
        const char *text;
    } cases[] = {
        {0, STOA_SECOND, "PT0S"},
        {1, STOA_SECOND, "PT1S"},
        {-1, STOA_SECOND, "PT-1S"},
        {60, STOA_SECOND, "PT1M"},
        {3600, STOA_SECOND, "PT1H"},
        {86400, STOA_SECOND, "PT24H"},
        {90061, STOA_SECOND, "PT25H1M1S"},
        {1500, STOA_MILLI, "PT1.5S"},
        {-1500, STOA_MILLI, "PT-1.5S"},
        {1, STOA_MICRO, "PT0.000001S"},
        {-1, STOA_NANO, "PT-0.000000001S"},
        {INT64_C(3600000000001), STOA_NANO, "PT1H0.000000001S"},
        {INT64_C(-3661000000100), STOA_NANO, "PT-1H-1M-1.0000001S"},
        {INT64_MAX, STOA_SECOND, "PT2562047788015215H30M7S"},
        {INT64_MIN, STOA_SECOND, "PT-2562047788015215H-30M-8S"},
        {INT64_MAX, STOA_NANO, "PT2562047H47M16.854775807S"},
        {INT64_MIN, STOA_NANO, "PT-2562047H-47M-16.854775808S"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[STOA_DURATION_NBYTES + 1];
        size_t nbytes = stoa_duration_format(cases[i].value, cases[i].unit, text);
        int64_t back = 77;

        text[nbytes] = '\0';
        assert_string_equal(text, cases[i].text);
        assert_true(stoa_duration_parse(text, nbytes, cases[i].unit, &back));
        assert_int_equal(back, cases[i].value);
    }
}

static void durations_are_read_in_many_ways(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum stoa_time_unit unit;
        int64_t value;
    } cases[] = {
        {"P1D", STOA_SECOND, 86400},
        {"P1W", STOA_SECOND, 604800},
        {"P1W1DT1H1M1S", STOA_SECOND, 604800 + 86400 + 3661},
        {"-P1DT-12H", STOA_SECOND, -43200},
        {"+PT+5S", STOA_SECOND, 5},
        {"-PT-5S", STOA_SECOND, 5},
        {"PT90M", STOA_SECOND, 5400},
        {"PT0.5S", STOA_MILLI, 500},
        {"PT00001.50S", STOA_MILLI, 1500},
        {"PT1.000000000S", STOA_SECOND, 1},
        {"P0D", STOA_SECOND, 0},
        {"P2562047788015215DT-61489146912365136H", STOA_SECOND, 86400},
        {"PT9223372036854775807S", STOA_SECOND, INT64_MAX},
        {"PT9223372036854775808S", STOA_SECOND, 77},
        {"PT-9223372036854775808S", STOA_SECOND, INT64_MIN},
        {"PT-9223372036854775809S", STOA_SECOND, 77},
        {"PT18446744073709551616S", STOA_SECOND, 77},
        {"PT18446744073709551615H", STOA_SECOND, 77},
        {"PT9223372036.854775808S", STOA_NANO, 77},
        {"PT1.5S", STOA_SECOND, 77},
        {"PT1.0000000001S", STOA_NANO, 77},
        {"P1M", STOA_SECOND, 77},
        {"P1Y", STOA_SECOND, 77},
        {"PT1.5M", STOA_SECOND, 77},
        {"P1.5D", STOA_SECOND, 77},
        {"", STOA_SECOND, 77},
        {"P", STOA_SECOND, 77},
        {"PT", STOA_SECOND, 77},
        {"P1DT", STOA_SECOND, 77},
        {"1S", STOA_SECOND, 77},
        {"T1S", STOA_SECOND, 77},
        {"P1S", STOA_SECOND, 77},
        {"P1H", STOA_SECOND, 77},
        {"PT1D", STOA_SECOND, 77},
        {"PT1S1M", STOA_SECOND, 77},
        {"PT1S1S", STOA_SECOND, 77},
        {"PT1HT1S", STOA_SECOND, 77},
        {"PTT1S", STOA_SECOND, 77},
        {"PT1", STOA_SECOND, 77},
        {"PTS", STOA_SECOND, 77},
        {"PT-S", STOA_SECOND, 77},
        {"PT.5S", STOA_MILLI, 77},
        {"PT5.S", STOA_MILLI, 77},
        {"PT1,5S", STOA_MILLI, 77},
        {"PT--1S", STOA_SECOND, 77},
        {"--PT1S", STOA_SECOND, 77},
        {"pt1s", STOA_SECOND, 77},
        {" PT1S", STOA_SECOND, 77},
        {"PT1S ", STOA_SECOND, 77},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t value = 77;
        bool good =
            stoa_duration_parse(cases[i].text, strlen(cases[i].text), cases[i].unit, &value);

        if (good != (cases[i].value != 77) || value != cases[i].value)
            fail_msg("\"%s\" gave %" PRId64, cases[i].text, value);
    }
}

static void intervals_have_one_text(void **state)
{
    (void)state;
    static const struct {
        struct stoa_interval value;
        const char *text;
    } cases[] = {
        {{0, 0, 0}, "PT0S"},
        {{14, 3, INT64_C(4000000005)}, "P1Y2M3DT4.000000005S"},
        {{12, 0, 0}, "P1Y"},
        {{-1, 1, 0}, "P-1M1D"},
        {{-14, 0, 0}, "P-1Y-2M"},
        {{0, 31, 0}, "P31D"},
        {{0, 0, INT64_C(90000000000000)}, "PT25H"},
        {{1, 0, -1}, "P1MT-0.000000001S"},
        {{INT32_MAX, INT32_MAX, INT64_MAX}, "P178956970Y7M2147483647DT2562047H47M16.854775807S"},
        {{INT32_MIN, INT32_MIN, INT64_MIN},
         "P-178956970Y-8M-2147483648DT-2562047H-47M-16.854775808S"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[STOA_DURATION_NBYTES + 1];
        size_t nbytes = stoa_interval_format(&cases[i].value, text);
        struct stoa_interval back = {77, 77, 77};

        text[nbytes] = '\0';
        assert_string_equal(text, cases[i].text);
        assert_true(stoa_interval_parse(text, nbytes, &back));
        assert_memory_equal(&back, &cases[i].value, sizeof(back));
    }
}

static void intervals_keep_their_parts_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        struct stoa_interval value;
    } cases[] = {
        {"P1Y14M", true, {26, 0, 0}},
        {"P2W1D", true, {0, 15, 0}},
        {"P1DT24H", true, {0, 1, INT64_C(86400000000000)}},
        {"-P1Y2M3DT4H5M6.5S", true, {-14, -3, -INT64_C(14706500000000)}},
        {"P1Y-12M", true, {0, 0, 0}},
        {"PT-1H60M", true, {0, 0, 0}},
        {"P178956970Y8M", false, {0, 0, 0}},
        {"P2147483648D", false, {0, 0, 0}},
        {"P-2147483648D", true, {0, INT32_MIN, 0}},
        {"PT2562047H47M16.854775808S", false, {0, 0, 0}},
        {"P9223372036854775808Y", false, {0, 0, 0}},
        {"P1M1Y", false, {0, 0, 0}},
        {"P1D1W", false, {0, 0, 0}},
        {"P1.5Y", false, {0, 0, 0}},
        {"1Y", false, {0, 0, 0}},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct stoa_interval value = {77, 77, 77}, expected = {77, 77, 77};

        if (cases[i].good)
            expected = cases[i].value;
        if (stoa_interval_parse(cases[i].text, strlen(cases[i].text), &value) != cases[i].good ||
            memcmp(&value, &expected, sizeof(value)) != 0)
            fail_msg("\"%s\" gave %" PRId32 " months, %" PRId32 " days, %" PRId64 " ns",
                     cases[i].text, value.months, value.days, value.nanos);
    }
}

static void any_value_comes_back_from_its_text(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "any_value_comes_back_from_its_text");
    for (size_t i = 0; i < stoa_test_ncases(200000); i++) {
        enum stoa_time_unit unit = (enum stoa_time_unit)stoa_test_random_below(&random, 4);
        struct stoa_interval interval, back;
        char text[STOA_DURATION_NBYTES];
        int64_t value, read;
        size_t nbytes;

        value = (int64_t)stoa_test_random_wide(&random);
        if (stoa_test_random_one_in(&random, 2))
            value = (int64_t)(0 - (uint64_t)value);
        nbytes = stoa_duration_format(value, unit, text);
        assert_true(nbytes <= sizeof(text));
        assert_true(stoa_duration_parse(text, nbytes, unit, &read));
        assert_int_equal(read, value);
        interval.months = (int32_t)stoa_test_random_u64(&random) >> (i % 32);
        interval.days = (int32_t)stoa_test_random_u64(&random) >> (i / 32 % 32);
        interval.nanos = value;
        nbytes = stoa_interval_format(&interval, text);
        assert_true(nbytes <= sizeof(text));
        assert_true(stoa_interval_parse(text, nbytes, &back));
        assert_memory_equal(&back, &interval, sizeof(back));
    }
}

/* Texts put together from numbers that are known. */
static void sums_are_those_of_the_parts(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "sums_are_those_of_the_parts");
    for (size_t i = 0; i < stoa_test_ncases(100000); i++) {
        int64_t d = stoa_test_random_between(&random, -1000, 1000);
        int64_t h = stoa_test_random_between(&random, -100000, 100000);
        int64_t m = stoa_test_random_between(&random, -100000, 100000);
        int64_t s = stoa_test_random_between(&random, 0, 100000);
        int64_t micros = stoa_test_random_between(&random, 0, 999999);
        bool turned = stoa_test_random_one_in(&random, 2);
        bool negative = stoa_test_random_one_in(&random, 2);
        int64_t expected = s * 1000000 + micros, value = 77;
        char text[128];
        int nbytes =
            snprintf(text, sizeof(text),
                     "%sP%" PRId64 "DT%+" PRId64 "H%" PRId64 "M%s%" PRId64 ".%06" PRId64 "S",
                     turned ? "-" : "", d, h, m, negative ? "-" : "", s, micros);

        if (negative)
            expected = -expected;
        expected += ((d * 24 + h) * 60 + m) * 60000000;
        if (turned)
            expected = -expected;
        assert_true(stoa_duration_parse(text, (size_t)nbytes, STOA_MICRO, &value));
        assert_int_equal(value, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_one_text),
        cmocka_unit_test(durations_are_read_in_many_ways),
        cmocka_unit_test(intervals_have_one_text),
        cmocka_unit_test(intervals_keep_their_parts_apart),
        cmocka_unit_test(any_value_comes_back_from_its_text),
        cmocka_unit_test(sums_are_those_of_the_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
