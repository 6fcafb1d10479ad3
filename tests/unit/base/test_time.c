/* The calendar beside libc's, and time text: exact or refused. */
#include "base/time.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/time_scan.h"
#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *const unit_names[] = {"s", "ms", "us", "ns"};

static void every_day_of_every_written_year_comes_back(void **state)
{
    (void)state;
    const int64_t first = stoa_days_from_civil((struct stoa_civil){1, 1, 1});
    const int64_t last = stoa_days_from_civil((struct stoa_civil){9999, 12, 31});
    struct stoa_known_month month = stoa_known_month_init();
    struct stoa_civil expected = {1, 1, 1};

    assert_int_equal(first, -719162);
    assert_int_equal(last, 2932896);
    for (int64_t days = first; days <= last; days++) {
        struct stoa_civil civil = stoa_civil_from_days(days);
        char text[STOA_TIME_NBYTES], picture[16];
        int32_t back = 0, scanned = 0;

        if (civil.year != expected.year || civil.month != expected.month ||
            civil.day != expected.day || stoa_days_from_civil(civil) != days)
            fail_msg("day %" PRId64 " is %" PRId64 "-%u-%u", days, civil.year, civil.month,
                     civil.day);
        snprintf(picture, sizeof(picture), "%04d-%02u-%02u", (int)civil.year, civil.month,
                 civil.day);
        if (stoa_date_format((int32_t)days, text) != 10 || memcmp(text, picture, 10) != 0 ||
            !stoa_date_parse(text, 10, &back) || back != days)
            fail_msg("%s gave %.10s and %" PRId32, picture, text, back);
        if (!stoa_date_scan(&month, text, &scanned) || scanned != days)
            fail_msg("%s gave %" PRId32, picture, scanned);
        expected.day++; /* the next day by the rules as people say them */
        if (!stoa_civil_is_valid(expected)) {
            expected.day = 1;
            expected.month++;
        }
        if (expected.month > 12) {
            expected.month = 1;
            expected.year++;
        }
    }
}

static void days_that_do_not_exist_are_refused(void **state)
{
    (void)state;

    for (unsigned year = 0; year <= 9999; year += (year % 100 == 99) ? 1 : 7) {
        for (unsigned month = 0; month <= 99; month++) {
            for (unsigned day = 0; day <= 99; day++) {
                struct tm tm = {
                    .tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day};
                struct stoa_known_month found = stoa_known_month_init();
                char text[16];
                int32_t days;
                bool exists;

                if (month > 13 && day > 2 && day < 98)
                    continue;
                /* A day that does not exist is normalised by libc to another one. */
                (void)timegm(&tm);
                exists = year > 0 && month >= 1 && month <= 12 && tm.tm_mon == (int)month - 1 &&
                         tm.tm_mday == (int)day;
                snprintf(text, sizeof(text), "%04u-%02u-%02u", year, month, day);
                if (stoa_date_parse(text, 10, &days) != exists ||
                    stoa_date_scan(&found, text, &days) != exists)
                    fail_msg("%s", text);
            }
        }
    }
}

static void any_count_of_days_comes_back(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "any_count_of_days_comes_back");
    for (size_t i = 0; i < stoa_test_ncases(300000); i++) {
        int32_t days = (int32_t)stoa_test_random_u64(&random), back = 0;
        time_t seconds;
        struct tm tm;
        struct stoa_civil civil;
        char text[STOA_TIME_NBYTES];
        size_t nbytes;

        if (i % 2 == 0)
            days %= 1000000;
        if (i < 2)
            days = i == 0 ? INT32_MIN : INT32_MAX;
        nbytes = stoa_date_format(days, text);
        if (!stoa_date_parse(text, nbytes, &back) || back != days)
            fail_msg("%" PRId32 " gave %.*s and %" PRId32, days, (int)nbytes, text, back);
        seconds = (time_t)days * 86400;
        assert_non_null(gmtime_r(&seconds, &tm));
        civil = stoa_civil_from_days(days);
        assert_int_equal(civil.year, tm.tm_year + INT64_C(1900));
        assert_int_equal(civil.month, tm.tm_mon + 1);
        assert_int_equal(civil.day, tm.tm_mday);
    }
}

static void years_of_other_lengths_have_one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"+10000-01-01", true},
        {"+00000-02-29", true},
        {"-00001-12-31", true},
        {"-00004-02-29", true},
        {"-12345-06-07", true},
        {"+123456-06-07", true},
        {"+5881580-07-11", true},
        {"+5881580-07-12", false},
        {"-5877641-06-23", true},
        {"-5877641-06-22", false},
        {"+0000-01-01", false},
        {"0000-01-01", false},
        {"-0001-01-01", false},
        {"10000-01-01", false},
        {"+02013-01-01", false},
        {"+2013-01-01", false},
        {"-00000-01-01", false},
        {"+010000-01-01", false},
        {"+10000-13-01", false},
        {"+10000-02-30", false},
        {"+10000-1-1", false},
        {"+10000", false},
        {"+", false},
        {"+99999999999999999999-01-01", false},
        {"-00001-02-29", false},
        {"+10000-01-01 ", false},
        {"+10000/01-01", false},
        {"+10000-01/01", false},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        int32_t days = 0;
        char text[STOA_TIME_NBYTES + 1];

        if (stoa_date_parse(cases[i].text, strlen(cases[i].text), &days) != cases[i].good)
            fail_msg("%s", cases[i].text);
        if (cases[i].good) {
            text[stoa_date_format(days, text)] = '\0';
            assert_string_equal(text, cases[i].text);
        }
    }
}

static void every_byte_outside_the_picture_is_refused(void **state)
{
    (void)state;
    static const char picture[] = "2013-11-25T13:44:55";

    for (size_t place = 0; place < 19; place++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[20];
            struct stoa_timestamp_text parsed;
            bool digit = picture[place] >= '0' && picture[place] <= '9';
            bool good;

            memcpy(text, picture, sizeof(picture));
            text[place] = (char)byte;
            if (digit)
                good = byte >= '0' && byte <= '9';
            else
                good = byte == picture[place] || (place == 10 && byte == ' ');
            if (good && digit && byte > '2')
                continue; /* may be a month 90; the calendar's tests decide */
            if (place == 5 && byte == '2')
                good = false; /* month 21 */
            if (stoa_timestamp_parse_text(text, 19, &parsed) != good)
                fail_msg("byte %zu = 0x%02x", place, (unsigned)byte);
        }
    }
}

static void times_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum stoa_time_unit unit;
        bool good;
        int64_t value;
    } cases[] = {
        {"00:00:00", STOA_SECOND, true, 0},
        {"23:59:59", STOA_SECOND, true, 86399},
        {"23:59:59.999", STOA_MILLI, true, 86399999},
        {"12:34:56.5", STOA_MILLI, true, 45296500},
        {"12:34:56.5", STOA_SECOND, false, 0},
        {"12:34:56.000000000", STOA_SECOND, true, 45296},
        {"12:34:56.0005", STOA_MILLI, false, 0},
        {"12:34:56.123456", STOA_MICRO, true, INT64_C(45296123456)},
        {"12:34:56.123456789", STOA_NANO, true, INT64_C(45296123456789)},
        {"12:34:56.1234567890", STOA_NANO, false, 0},
        {"12:34:56.", STOA_NANO, false, 0},
        {"12:34:56.x", STOA_NANO, false, 0},
        {"12:34:56.1x", STOA_NANO, false, 0},
        {"12:34:56,5", STOA_NANO, false, 0},
        {"24:00:00", STOA_SECOND, false, 0},
        {"23:60:00", STOA_SECOND, false, 0},
        {"23:59:60", STOA_SECOND, false, 0},
        {"12:34", STOA_SECOND, false, 0},
        {"1:23:45", STOA_SECOND, false, 0},
        {"12:34:56Z", STOA_SECOND, false, 0},
        {"12-34-56", STOA_SECOND, false, 0},
        {"-2:34:56", STOA_SECOND, false, 0},
        {" 2:34:56", STOA_SECOND, false, 0},
        {"", STOA_SECOND, false, 0},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t value = 77;
        bool good = stoa_time_parse(cases[i].text, strlen(cases[i].text), cases[i].unit, &value);

        if (good != cases[i].good || value != (good ? cases[i].value : 77))
            fail_msg("\"%s\" in %s gave %d %" PRId64, cases[i].text, unit_names[cases[i].unit],
                     good, value);
    }
}

static void times_have_the_digits_they_need(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        enum stoa_time_unit unit;
        const char *text;
    } cases[] = {
        {0, STOA_SECOND, "00:00:00"},
        {0, STOA_NANO, "00:00:00"},
        {86399, STOA_SECOND, "23:59:59"},
        {45296500, STOA_MILLI, "12:34:56.500"},
        {INT64_C(45296123000), STOA_MICRO, "12:34:56.123"},
        {INT64_C(45296123456), STOA_MICRO, "12:34:56.123456"},
        {1, STOA_NANO, "00:00:00.000000001"},
        {1000, STOA_NANO, "00:00:00.000001"},
        {86400, STOA_SECOND, "24:00:00"},
        {-5400, STOA_SECOND, "-01:30:00"},
        {-1, STOA_MILLI, "-00:00:00.001"},
        {INT64_MIN, STOA_SECOND, "-2562047788015215:30:08"},
        {INT64_MAX, STOA_NANO, "2562047:47:16.854775807"},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[STOA_TIME_NBYTES + 1];

        text[stoa_time_format(cases[i].value, cases[i].unit, text)] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void times_come_back_from_their_text(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "times_come_back_from_their_text");
    for (size_t i = 0; i < stoa_test_ncases(300000); i++) {
        enum stoa_time_unit unit = (enum stoa_time_unit)(i % 4);
        int64_t per_second = stoa_time_unit_per_second(unit), back = -1;
        int64_t value = (int64_t)stoa_test_random_below(&random, (uint64_t)per_second * 86400);
        char text[STOA_TIME_NBYTES];
        size_t nbytes;

        if (i % 3 == 0)
            value -= value % 1000;
        nbytes = stoa_time_format(value, unit, text);
        assert_true(stoa_time_parse(text, nbytes, unit, &back));
        assert_int_equal(back, value);
    }
}

static void timestamp_text_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct stoa_timestamp_text expected;
    } cases[] = {
        {"1970-01-01 00:00:00", {.separator = ' '}},
        {"2013-01-05T12:34:56", {.seconds = 1357389296, .separator = 'T'}},
        {"2013-01-05T12:34:56Z", {.seconds = 1357389296, .separator = 'T', .zone_nbytes = 1}},
        {"2013-01-05 12:34:56.25",
         {.seconds = 1357389296, .separator = ' ', .nanos = 250000000, .fraction_ndigits = 2}},
        {"2013-01-05T12:34:56.000000001+02:00",
         {.seconds = 1357389296 - 7200,
          .separator = 'T',
          .nanos = 1,
          .fraction_ndigits = 9,
          .zone_nbytes = 6,
          .offset_seconds = 7200}},
        {"2013-01-05 12:34:56-0530",
         {.seconds = 1357389296 + 19800,
          .separator = ' ',
          .zone_nbytes = 5,
          .offset_seconds = -19800}},
        {"2013-01-05 12:34:56+00", {.seconds = 1357389296, .separator = ' ', .zone_nbytes = 3}},
        {"1969-12-31T23:59:59.9",
         {.seconds = -1, .nanos = 900000000, .fraction_ndigits = 1, .separator = 'T'}},
        {"0001-01-01T00:00:00+23:59",
         {.seconds = INT64_C(-62135596800) - 86340,
          .separator = 'T',
          .zone_nbytes = 6,
          .offset_seconds = 86340}},
        {"9999-12-31T23:59:59", {.seconds = INT64_C(253402300799), .separator = 'T'}},
        {"+10000-01-01T00:00:00", {.seconds = INT64_C(253402300800), .separator = 'T'}},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct stoa_timestamp_text parsed = {0};
        const struct stoa_timestamp_text *expected = &cases[i].expected;

        if (!stoa_timestamp_parse_text(cases[i].text, strlen(cases[i].text), &parsed))
            fail_msg("%s was refused", cases[i].text);
        assert_int_equal(parsed.seconds, expected->seconds);
        assert_int_equal(parsed.nanos, expected->nanos);
        assert_int_equal(parsed.fraction_ndigits, expected->fraction_ndigits);
        assert_int_equal(parsed.separator, expected->separator);
        assert_int_equal(parsed.zone_nbytes, expected->zone_nbytes);
        assert_int_equal(parsed.offset_seconds, expected->offset_seconds);
    }
}

static void text_that_is_no_timestamp_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2013-01-05",
        "2013-01-05T12:34",
        "2013-01-05T12",
        "2013-01-05T12:34:5",
        "2013-01-05t12:34:56",
        "2013-01-05_12:34:56",
        "2013-01-05  12:34:56",
        "2013-01-05T12:34:56z",
        "2013-01-05T12:34:56 Z",
        "2013-01-05T12:34:56ZZ",
        "2013-01-05T12:34:56+",
        "2013-01-05T12:34:56+1",
        "2013-01-05T12:34:56+123",
        "2013-01-05T12:34:56+24:00",
        "2013-01-05T12:34:56+12:60",
        "2013-01-05T12:34:56+12-30",
        "2013-01-05T12:34:56+12:30:00",
        "2013-01-05T12:34:56 +1230",
        "2013-01-05T12:34:56.Z",
        "2013-01-05T12:34:56.1234567890",
        "2013-01-05T24:00:00",
        "2013-01-05T23:59:60",
        "2013-02-29T12:34:56",
        "2013-13-01T12:34:56",
        "0000-01-01T00:00:00",
        "2013/01/05 12:34:56",
        "2013-1-05T12:34:56.0",
        "+999999999999-01-01T00:00:00",
        "-999999999999-01-01T00:00:00",
    };

    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct stoa_timestamp_text parsed = {.seconds = 77};

        if (stoa_timestamp_parse_text(texts[i], strlen(texts[i]), &parsed) || parsed.seconds != 77)
            fail_msg("\"%s\" was taken", texts[i]);
    }
}

static void timestamps_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum stoa_time_unit unit;
        bool zoned, good;
        int64_t value;
    } cases[] = {
        {"2013-01-05 12:34:56", STOA_SECOND, false, true, 1357389296},
        {"2013-01-05 12:34:56", STOA_SECOND, true, false, 0},
        {"2013-01-05 12:34:56Z", STOA_SECOND, false, false, 0},
        {"2013-01-05 12:34:56Z", STOA_SECOND, true, true, 1357389296},
        {"2013-01-05 12:34:56+01:00", STOA_SECOND, true, true, 1357385696},
        {"2013-01-05 12:34:56.0", STOA_SECOND, false, true, 1357389296},
        {"2013-01-05 12:34:56.1", STOA_SECOND, false, false, 0},
        {"2013-01-05 12:34:56.123", STOA_MILLI, false, true, INT64_C(1357389296123)},
        {"2013-01-05 12:34:56.1234", STOA_MILLI, false, false, 0},
        {"1969-12-31 23:59:59.999", STOA_MILLI, false, true, -1},
        {"1969-12-31 23:59:59.999999999", STOA_NANO, false, true, -1},
        {"2262-04-11T23:47:16.854775807", STOA_NANO, false, true, INT64_MAX},
        {"2262-04-11T23:47:16.854775808", STOA_NANO, false, false, 0},
        {"1677-09-21T00:12:43.145224192", STOA_NANO, false, true, INT64_MIN},
        {"1677-09-21T00:12:43.145224191", STOA_NANO, false, false, 0},
        {"9999-12-31T23:59:59", STOA_NANO, false, false, 0},
        {"0001-01-01T00:00:00", STOA_MICRO, false, true, INT64_C(-62135596800000000)},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t value = 77;
        bool good = stoa_timestamp_parse(cases[i].text, strlen(cases[i].text), cases[i].unit,
                                         cases[i].zoned, &value);

        if (good != cases[i].good || value != (good ? cases[i].value : 77))
            fail_msg("\"%s\" in %s gave %d %" PRId64, cases[i].text, unit_names[cases[i].unit],
                     good, value);
    }
}

static void timestamps_come_back_from_their_text(void **state)
{
    (void)state;
    static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, -1, 0, 1};
    struct stoa_test_random random;

    stoa_test_random_init(&random, "timestamps_come_back_from_their_text");
    for (size_t i = 0; i < stoa_test_ncases(500000); i++) {
        enum stoa_time_unit unit = (enum stoa_time_unit)(i % 4);
        bool zoned = stoa_test_random_one_in(&random, 2);
        char separator = stoa_test_random_one_in(&random, 2) ? 'T' : ' ';
        int64_t value = (int64_t)stoa_test_random_wide(&random), back = 0;
        char text[STOA_TIME_NBYTES];
        size_t nbytes;

        if (stoa_test_random_one_in(&random, 2))
            value = (int64_t)(0 - (uint64_t)value);
        if (i < 4 * LENGTH(edges))
            value = edges[i / 4];
        nbytes = stoa_timestamp_format(value, unit, zoned, separator, text);
        assert_true(nbytes <= sizeof(text));
        if (!stoa_timestamp_parse(text, nbytes, unit, zoned, &back) || back != value)
            fail_msg("%" PRId64 " %s gave %.*s and %" PRId64, value, unit_names[unit], (int)nbytes,
                     text, back);
        assert_false(stoa_timestamp_parse(text, nbytes, unit, !zoned, &back));
    }
}

/* Days come back, and push each other out of their places. */
static void known_days_change_no_text(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_known_days known = {0};

    stoa_test_random_init(&random, "known_days_change_no_text");
    for (size_t i = 0; i < stoa_test_ncases(200000); i++) {
        enum stoa_time_unit unit = (enum stoa_time_unit)(i % 4);
        int64_t value = stoa_test_random_between(&random, INT64_C(-8640000), INT64_C(8640000));
        char expected[STOA_TIME_NBYTES], text[STOA_TIME_NBYTES];
        size_t nbytes;

        if (stoa_test_random_one_in(&random, 8))
            value = (int64_t)stoa_test_random_u64(&random);
        nbytes = stoa_timestamp_format(value, unit, false, ' ', expected);
        assert_int_equal(stoa_timestamp_format_known(&known, value, unit, false, ' ', text),
                         nbytes);
        assert_memory_equal(text, expected, nbytes);
    }
}

static void timestamps_look_as_libc_prints_them(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "timestamps_look_as_libc_prints_them");
    for (size_t i = 0; i < stoa_test_ncases(100000); i++) {
        int64_t seconds =
            stoa_test_random_between(&random, INT64_C(-62135596800), INT64_C(253402300799));
        unsigned millis = (unsigned)stoa_test_random_below(&random, 1000);
        time_t t = (time_t)seconds;
        struct tm tm;
        char text[STOA_TIME_NBYTES + 1], expected[80];

        assert_non_null(gmtime_r(&t, &tm));
        snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        if (millis > 0)
            snprintf(expected + 19, sizeof(expected) - 19, ".%03uZ", millis);
        else
            strcat(expected, "Z");
        text[stoa_timestamp_format(seconds * 1000 + millis, STOA_MILLI, true, 'T', text)] = '\0';
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_every_written_year_comes_back),
        cmocka_unit_test(days_that_do_not_exist_are_refused),
        cmocka_unit_test(any_count_of_days_comes_back),
        cmocka_unit_test(years_of_other_lengths_have_one_spelling),
        cmocka_unit_test(every_byte_outside_the_picture_is_refused),
        cmocka_unit_test(times_are_exact_or_refused),
        cmocka_unit_test(times_have_the_digits_they_need),
        cmocka_unit_test(times_come_back_from_their_text),
        cmocka_unit_test(timestamp_text_is_taken_apart),
        cmocka_unit_test(text_that_is_no_timestamp_is_refused),
        cmocka_unit_test(timestamps_are_exact_or_refused),
        cmocka_unit_test(timestamps_come_back_from_their_text),
        cmocka_unit_test(known_days_change_no_text),
        cmocka_unit_test(timestamps_look_as_libc_prints_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
