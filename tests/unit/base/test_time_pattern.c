/* Times by a pattern: what they read, refuse and print, beside libc's strftime(). */
#include "base/time_pattern.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct stoa_time_pattern compile(const char *text)
{
    struct stoa_time_pattern pattern;
    struct stoa_error err = {0};

    if (stoa_time_pattern_compile(text, &pattern, &err) != STOA_OK)
        fail_msg("%s", err.message);
    return pattern;
}

static void a_text_is_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        const char *iso;   /* NULL: refused */
        const char *print; /* NULL: as it was read */
    } cases[] = {
        {"%d/%m/%Y", "12/03/2024", "2024-03-12 00:00:00", NULL},
        {"%m/%d/%Y", "12/03/2024", "2024-12-03 00:00:00", NULL},
        {"%m/%d/%Y", "13/03/2024", NULL, NULL},
        {"%d/%m/%Y", "1/2/2024", "2024-02-01 00:00:00", "01/02/2024"},
        {"%-d/%-m/%Y", "1/2/2024", "2024-02-01 00:00:00", NULL},
        {"%-d/%-m/%Y", "01/12/2024", "2024-12-01 00:00:00", "1/12/2024"},
        {"%d/%m/%Y", "001/2/2024", NULL, NULL},
        {"%d/%m/%Y", "1/2/24", NULL, NULL},
        {"%d/%m/%y", "1/2/68", "2068-02-01 00:00:00", "01/02/68"},
        {"%d/%m/%y", "01/02/69", "1969-02-01 00:00:00", NULL},
        {"%d/%m/%Y", "29/02/2023", NULL, NULL},
        {"%d/%m/%Y", "29/02/2024", "2024-02-29 00:00:00", NULL},
        {"%d/%m/%Y", "01/01/0000", NULL, NULL},
        {"%d/%m/%Y", "01/01/0001", "0001-01-01 00:00:00", NULL},
        {"%d/%m/%Y", "31/12/9999", "9999-12-31 00:00:00", NULL},
        {"%d/%m/%Y", "31/12/9999 ", NULL, NULL},
        {"%d/%m/%Y", "", NULL, NULL},
        {"%d/%m/%Y", "31/12", NULL, NULL},
        {"%d/%m/%Y", "31-12-2024", NULL, NULL},
        {"%Y%m%d", "20240203", "2024-02-03 00:00:00", NULL},
        {"%Y%m%d", "2024203", NULL, NULL},
        {"%Y%m%d", "202423", NULL, NULL},
        {"%Y%-m%-d", "20240203", "2024-02-03 00:00:00", NULL},
        {"%d %b %Y", "3 feb 2024", "2024-02-03 00:00:00", "03 Feb 2024"},
        {"%d %B %Y", "03 September 2024", "2024-09-03 00:00:00", NULL},
        {"%d %B %Y", "03 Sep 2024", NULL, NULL},
        {"%b %-d, %Y", "May 3, 2024", "2024-05-03 00:00:00", NULL},
        {"%B %d, %Y", "MAY 03, 2024", "2024-05-03 00:00:00", "May 03, 2024"},
        {"%m/%d/%Y %I:%M:%S %p", "02/03/2024 12:00:01 AM", "2024-02-03 00:00:01", NULL},
        {"%m/%d/%Y %I:%M:%S %p", "02/03/2024 12:59:59 PM", "2024-02-03 12:59:59", NULL},
        {"%m/%d/%Y %I:%M:%S %p", "02/03/2024 11:00:00 pm", "2024-02-03 23:00:00",
         "02/03/2024 11:00:00 PM"},
        {"%m/%d/%Y %I:%M:%S %p", "02/03/2024 00:00:00 AM", NULL, NULL},
        {"%m/%d/%Y %I:%M:%S %p", "02/03/2024 13:00:00 AM", NULL, NULL},
        {"%d.%m.%Y %H:%M", "03.02.2024 23:59", "2024-02-03 23:59:00", NULL},
        {"%d.%m.%Y %H:%M", "03.02.2024 24:00", NULL, NULL},
        {"%d.%m.%Y %H:%M:%S", "03.02.2024 23:59:60", NULL, NULL},
        {"%d.%m.%Y %H:%M:%S.%f", "03.02.2024 23:59:59.250", "2024-02-03 23:59:59.250", NULL},
        {"%d.%m.%Y %H:%M:%S,%f", "03.02.2024 23:59:59,123456789", "2024-02-03 23:59:59.123456789",
         NULL},
        {"%d.%m.%Y %H:%M:%S,%f", "03.02.2024 23:59:59,1234567890", NULL, NULL},
        {"%d.%m.%Y %H:%M:%S,%f", "03.02.2024 23:59:59,", NULL, NULL},
        {"%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -0700", "2000-10-10 20:55:36",
         "10/Oct/2000:20:55:36 Z"},
        {"%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 Z", "2000-10-10 13:55:36", NULL},
        {"%Y-%m-%d %H:%M:%S%z", "2000-10-10 13:55:36+05:30", "2000-10-10 08:25:36",
         "2000-10-10 08:25:36Z"},
        {"%Y-%m-%d %H:%M:%S%z", "2000-10-10 13:55:36+24:00", NULL, NULL},
        {"%Y-%m-%d %H:%M:%S%z", "2000-10-10 13:55:36", NULL, NULL},
        {"%Y-%m-%d %H:%M:%S %Z", "2000-10-10 13:55:36 UTC", "2000-10-10 13:55:36", NULL},
        {"%Y-%m-%d %H:%M:%S %Z", "2000-10-10 13:55:36 gmt", "2000-10-10 13:55:36",
         "2000-10-10 13:55:36 UTC"},
        {"%Y-%m-%d %H:%M:%S %Z", "2000-10-10 13:55:36 EST", NULL, NULL},
        {"%H:%M", "07:05", "1970-01-01 07:05:00", NULL},
        {"%H:%M", "7:05", "1970-01-01 07:05:00", "07:05"},
        {"%-H:%M", "7:05", "1970-01-01 07:05:00", NULL},
        {"%Hh%M", "7h05", "1970-01-01 07:05:00", "07h05"},
        {"%H%M%S", "070501", "1970-01-01 07:05:01", NULL},
        {"%I %p", "12 AM", "1970-01-01 00:00:00", NULL},
        {"100%% %H", "100% 05", "1970-01-01 05:00:00", NULL},
        {"x%d1%m.%Y", "x0511.2024", NULL, NULL},
        {"x%d1%m.%Y", "x05102.2024", "2024-02-05 00:00:00", NULL},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const struct stoa_time_pattern pattern = compile(cases[i].pattern);
        struct stoa_timestamp_text parts = {.separator = 'x'};
        const char *print = cases[i].print != NULL ? cases[i].print : cases[i].text;
        char iso[STOA_TIME_NBYTES + 1], text[STOA_TIME_PATTERN_NBYTES];
        int64_t nanos = 0;
        size_t n;

        if (!stoa_time_pattern_parse(&pattern, cases[i].text, strlen(cases[i].text), &parts)) {
            assert_int_equal(parts.separator, 'x');
            if (cases[i].iso != NULL)
                fail_msg("%s refuses %s", cases[i].pattern, cases[i].text);
            continue;
        }
        if (cases[i].iso == NULL)
            fail_msg("%s takes %s", cases[i].pattern, cases[i].text);
        if (parts.nanos == 0) {
            n = stoa_timestamp_format(parts.seconds, STOA_SECOND, false, ' ', iso);
        } else {
            assert_true(stoa_timestamp_from_seconds(parts.seconds, parts.nanos, STOA_NANO, &nanos));
            n = stoa_timestamp_format(nanos, STOA_NANO, false, ' ', iso);
        }
        iso[n] = '\0';
        assert_string_equal(iso, cases[i].iso);
        n = stoa_time_pattern_format(&pattern, parts.seconds, parts.nanos, parts.fraction_ndigits,
                                     STOA_UTC_Z, text);
        if (n != strlen(print) || memcmp(text, print, n) != 0)
            fail_msg("%s prints %s as %.*s", cases[i].pattern, cases[i].text, (int)n, text);
    }
}

static void a_bad_pattern_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *message;
    } cases[] = {
        {"", "pattern \"\" names neither a date nor an hour"},
        {"x", "pattern \"x\" names neither a date nor an hour"},
        {"%M:%S", "pattern \"%M:%S\" names neither a date nor an hour"},
        {"%d/%m", "pattern \"%d/%m\" names a part of a date only"},
        {"%d/%m %H", "pattern \"%d/%m %H\" names a part of a date only"},
        {"%Y-%m-%d %M", "pattern \"%Y-%m-%d %M\" has no hour"},
        {"%Y-%m-%d %z", "pattern \"%Y-%m-%d %z\" has no hour"},
        {"%H %z", "pattern \"%H %z\" has a zone without a date"},
        {"%I:%M", "pattern \"%I:%M\" needs %I and %p together"},
        {"%H:%M %p", "pattern \"%H:%M %p\" needs %I and %p together"},
        {"%H:%S", "pattern \"%H:%S\" has seconds without minutes"},
        {"%H:%M.%f", "pattern \"%H:%M.%f\" has a fraction without seconds"},
        {"%Y-%y-%d", "pattern \"%Y-%y-%d\" tells %y twice"},
        {"%Y-%m-%b", "pattern \"%Y-%m-%b\" tells %b twice"},
        {"%Y-%Q", "pattern \"%Y-%Q\": there is no word %Q"},
        {"%Y-%-Y", "pattern \"%Y-%-Y\": there is no word %-Y"},
        {"%Y-%", "pattern \"%Y-%\": there is no word % "},
    };
    char text[STOA_TIME_PATTERN_NSTEPS + 8] = "%Y%m%d";
    struct stoa_time_pattern pattern;
    struct stoa_error err = {0};

    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_int_equal(stoa_time_pattern_compile(cases[i].pattern, &pattern, &err),
                         STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
    }
    memset(text + 6, '.', STOA_TIME_PATTERN_NSTEPS - 3);
    assert_int_equal(stoa_time_pattern_compile(text, &pattern, &err), STOA_OK);
    strcat(text, ".");
    assert_int_equal(stoa_time_pattern_compile(text, &pattern, &err), STOA_ERR_USAGE);
}

static void what_strftime_prints_is_printed_and_read(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "%Y-%m-%d %H:%M:%S",       "%d/%m/%Y %H:%M:%S",      "%m/%d/%Y %I:%M:%S %p",
        "%d %b %Y, %H.%M.%S",      "%B %d %Y %H%M%S",        "%Y%m%d%H%M%S",
        "%S:%M:%H on %d-%m of %Y", "%-d/%-m/%Y %-H:%-M:%-S",
    };
    struct stoa_test_random random;

    stoa_test_random_init(&random, "strftime");
    for (size_t i = 0; i < stoa_test_ncases(200000); i++) {
        const char *text = patterns[i % LENGTH(patterns)];
        const struct stoa_time_pattern pattern = compile(text);
        const time_t seconds = stoa_test_random_between(&random, -62135596800, 253402300799);
        char expected[96], got[STOA_TIME_PATTERN_NBYTES];
        struct stoa_timestamp_text parts;
        struct tm broken;
        size_t n;

        gmtime_r(&seconds, &broken);
        n = strftime(expected, sizeof(expected), text, &broken);
        if (broken.tm_year + 1900 < 1000) /* which strftime() does not pad to four digits */
            continue;
        if (stoa_time_pattern_format(&pattern, seconds, 0, 0, STOA_UTC_Z, got) != n ||
            memcmp(got, expected, n) != 0)
            fail_msg("%s prints %lld as %.40s, not %s", text, (long long)seconds, got, expected);
        if (!stoa_time_pattern_parse(&pattern, expected, n, &parts) || parts.seconds != seconds)
            fail_msg("%s does not read %s", text, expected);
    }
}

static void utc_is_written_in_four_ways(void **state)
{
    (void)state;
    static const char *const expected[] = {
        [STOA_UTC_Z] = "05:00 2024-01-02Z",
        [STOA_UTC_COLON] = "05:00 2024-01-02+00:00",
        [STOA_UTC_DIGITS] = "05:00 2024-01-02+0000",
        [STOA_UTC_HOURS] = "05:00 2024-01-02+00",
    };
    const struct stoa_time_pattern pattern = compile("%H:%M %Y-%m-%d%z");
    char text[STOA_TIME_PATTERN_NBYTES];

    for (unsigned i = 0; i < LENGTH(expected); i++) {
        struct stoa_timestamp_text parts;
        size_t n =
            stoa_time_pattern_format(&pattern, 1704171600, 0, 0, (enum stoa_time_utc)i, text);

        assert_int_equal(n, strlen(expected[i]));
        assert_memory_equal(text, expected[i], n);
        assert_true(stoa_time_pattern_parse(&pattern, text, n, &parts));
        assert_int_equal(parts.seconds, 1704171600);
    }
}

static void what_a_pattern_can_not_say_is_not_printed(void **state)
{
    (void)state;
    const struct stoa_time_pattern full = compile("%Y-%m-%d"), two = compile("%y-%m-%d");
    char text[STOA_TIME_PATTERN_NBYTES];

    assert_int_equal(stoa_time_pattern_format(&full, -62135596801, 0, 0, STOA_UTC_Z, text), 0);
    assert_int_equal(stoa_time_pattern_format(&full, 253402300800, 0, 0, STOA_UTC_Z, text), 0);
    assert_int_equal(stoa_time_pattern_format(&two, -31536001, 0, 0, STOA_UTC_Z, text), 0);
    assert_int_equal(stoa_time_pattern_format(&two, -31536000, 0, 0, STOA_UTC_Z, text), 8);
    assert_memory_equal(text, "69-01-01", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_read_or_refused),
        cmocka_unit_test(a_bad_pattern_is_named),
        cmocka_unit_test(what_strftime_prints_is_printed_and_read),
        cmocka_unit_test(utc_is_written_in_four_ways),
        cmocka_unit_test(what_a_pattern_can_not_say_is_not_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
