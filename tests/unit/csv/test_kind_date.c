/* Dates in the ways that people write them: which are typed, and by which format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "csv/kind_text.h"
#include "support/random.h"

static struct stoa_csv_spellings usual;

static int make_rules(void **state)
{
    (void)state;
    return stoa_csv_spellings_init(&usual, &(struct stoa_csv_options){0}, NULL) == STOA_OK ? 0 : -1;
}

/* Values of a column at consecutive lines of one input. */
static void observe(struct stoa_csv_evidence *evidence, const char *const *values, size_t nvalues,
                    const struct stoa_csv_spellings *spellings)
{
    for (size_t i = 0; i < nvalues && values[i] != NULL; i++) {
        const struct stoa_csv_place place = {.offset = 10 * i, .line = i + 1};
        const char *text = values[i][0] == '~' ? values[i] + 1 : values[i];

        stoa_csv_evidence_observe(evidence, spellings, text, strlen(text), text != values[i],
                                  &place);
    }
}

/* The type, then the format or the reason why there is none. */
static void dates_are_typed_when_one_way_to_read_them_is_left(void **state)
{
    (void)state;
    static const char *const formats[] = {"%d.%m.%y", "%Y%m%d", "%H:%M", "%Y-%m-%d %H:%M:%S.%f %z",
                                          NULL};
    static const struct {
        const char *values[4];
        enum stoa_csv_date_order order;
        bool formats;
        const char *type;
        const char *format;
        enum stoa_csv_reason reason;
    } cases[] = {
        {{"12/03/2024"}, 0, false, "utf8", NULL, STOA_CSV_REASON_DATE_ORDER},
        {{"12/03/2024", "11/11/2024"}, 0, false, "utf8", NULL, STOA_CSV_REASON_DATE_ORDER},
        {{"12/03/2024", "13/03/2024"}, 0, false, "date32", "%d/%m/%Y", 0},
        {{"12/03/2024", "12/13/2024"}, 0, false, "date32", "%m/%d/%Y", 0},
        {{"13/03/2024", "12/13/2024"}, 0, false, "utf8", NULL, STOA_CSV_REASON_PARAMETERS},
        {{"12/03/2024"}, STOA_CSV_DATE_DMY, false, "date32", "%d/%m/%Y", 0},
        {{"12/03/2024"}, STOA_CSV_DATE_MDY, false, "date32", "%m/%d/%Y", 0},
        {{"12/03/2024"}, STOA_CSV_DATE_YMD, false, "utf8", NULL, STOA_CSV_REASON_DATE_ORDER},
        {{"13/03/2024"}, STOA_CSV_DATE_MDY, false, "date32", "%d/%m/%Y", 0}, /* the values tell */
        {{"13.03.2024", "1.1.2024"}, 0, false, "date32", "%d.%m.%Y", 0},
        {{"31-1-2024", "1-2-2024"}, 0, false, "date32", "%-d-%-m-%Y", 0},
        {{"2024/3/5"}, 0, false, "date32", "%Y/%-m/%-d", 0},
        {{"2024-3-5", "2024-03-05"}, 0, false, "date32", "%Y-%m-%d", 0},
        {{"2024-3-5", "+10000-03-05"}, 0, false, "utf8", NULL, STOA_CSV_REASON_PARAMETERS},
        {{"2024-03-05", "2024/03/05"}, 0, false, "utf8", NULL, STOA_CSV_REASON_PARAMETERS},
        {{"2024/03-05"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"31/12/98"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CENTURY},
        {{"31/12/98"}, STOA_CSV_DATE_DMY, false, "utf8", NULL, STOA_CSV_REASON_CENTURY},
        {{"29/02/2023"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"29/02/2024"}, 0, false, "date32", "%d/%m/%Y", 0},
        {{"31/04/2024"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"00/01/2024"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"31/12/0001", "01/01/9999"}, 0, false, "date32", "%d/%m/%Y", 0},
        {{"31/12/0000"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"31/12/2024 "}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"13/03/2024 9:05"}, 0, false, "timestamp(s)", "%d/%m/%Y %-H:%M", 0},
        {{"13/03/2024 09:05:07"}, 0, false, "timestamp(s)", "%d/%m/%Y %H:%M:%S", 0},
        {{"13/03/2024T09:05:07"}, 0, false, "timestamp(s)", "%d/%m/%YT%H:%M:%S", 0},
        {{"13/03/2024 09:05:07.25"}, 0, false, "timestamp(ms)", "%d/%m/%Y %H:%M:%S.%f", 0},
        {{"13/03/2024 09:05:07", "13/03/2024 09:05:07.25"},
         0,
         false,
         "utf8",
         NULL,
         STOA_CSV_REASON_DATE_ORDER},
        {{"3/13/2024 9:05 PM"}, 0, false, "timestamp(s)", "%-m/%-d/%Y %-I:%M %p", 0},
        {{"3/13/2024 12:05:01 am"}, 0, false, "timestamp(s)", "%-m/%-d/%Y %I:%M:%S %p", 0},
        {{"3/13/2024 09:05 PM"}, 0, false, "timestamp(s)", "%-m/%-d/%Y %I:%M %p", 0},
        {{"3/13/2024 13:05 PM"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"3/13/2024 0:05 AM"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"3/13/2024 24:00"}, 0, false, "utf8", NULL, STOA_CSV_REASON_CONFLICT},
        {{"12/03/2024 09:05"}, 0, false, "utf8", NULL, STOA_CSV_REASON_DATE_ORDER},
        {{"12/03/2024 09:05"}, STOA_CSV_DATE_DMY, false, "timestamp(s)", "%d/%m/%Y %H:%M", 0},
        {{"2024-03-13 09:05"}, 0, false, "timestamp(s)", "%Y-%m-%d %H:%M", 0},
        {{"2024-03-13 09:05", "2024-03-13 09:05:01"},
         0,
         false,
         "utf8",
         NULL,
         STOA_CSV_REASON_DATE_ORDER},
        {{"31.12.98", "01.01.00"}, 0, true, "date32", "%d.%m.%y", 0},
        {{"20240313"}, 0, true, "date32", "%Y%m%d", 0},
        {{"20240313", "20241313"}, 0, true, "int64", NULL, 0},
        {{"09:05"}, 0, true, "time(s)", "%H:%M", 0},
        {{"09:05", "09:05:10"}, 0, true, "utf8", NULL, STOA_CSV_REASON_PARAMETERS},
        {{"09:05:10"}, 0, true, "time(s)", NULL, 0},
        {{"2024-03-13 09:05:01.25 +01:00"},
         0,
         true,
         "timestamp(ms,UTC)",
         "%Y-%m-%d %H:%M:%S.%f %z",
         0},
        {{"9024-03-13 09:05:01.1234567 Z"}, 0, true, "utf8", NULL, STOA_CSV_REASON_PARAMETERS},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stoa_csv_options options = {.date_order = cases[i].order,
                                                 .date_formats = cases[i].formats ? formats : NULL};
        struct stoa_csv_spellings spellings;
        struct stoa_csv_evidence evidence;
        struct stoa_csv_decision decision;
        struct stoa_field field = {.name = (char *)"x"};
        char *type;

        assert_int_equal(stoa_csv_spellings_init(&spellings, &options, NULL), STOA_OK);
        stoa_csv_evidence_init(&evidence);
        observe(&evidence, cases[i].values, 4, &spellings);
        stoa_csv_evidence_decide(&evidence, &spellings, false, &decision);
        field.type = decision.type;
        assert_int_equal(stoa_type_print(&field, &type, NULL), STOA_OK);
        if (strcmp(type, cases[i].type) != 0)
            print_message("%s\n", cases[i].values[0]);
        assert_string_equal(type, cases[i].type);
        if (cases[i].format != NULL || decision.format != NULL)
            assert_string_equal(decision.format != NULL ? decision.format : "",
                                cases[i].format != NULL ? cases[i].format : "");
        if (strcmp(type, "utf8") == 0)
            assert_int_equal(decision.reason, cases[i].reason);
        stoa_free(type);
    }
}

/* What inference says a pattern reads is what the pattern reads, to the same day. */
static void every_value_of_a_typed_column_is_read_by_its_format(void **state)
{
    (void)state;
    static const char separators[] = "-/.";
    const size_t nrounds = stoa_test_ncases(200000);
    struct stoa_test_random random;
    size_t ntyped = 0;

    stoa_test_random_init(&random, "formats");
    for (size_t round = 0; round < nrounds; round++) {
        const bool padded = stoa_test_random_one_in(&random, 2);
        const char separator = separators[stoa_test_random_below(&random, 3)];
        const unsigned numbers[3] = {(unsigned)stoa_test_random_below(&random, 34),
                                     (unsigned)stoa_test_random_below(&random, 34),
                                     (unsigned)stoa_test_random_between(&random, 1990, 2030)};
        const unsigned clock = (unsigned)stoa_test_random_below(&random, 6);
        const unsigned hour = (unsigned)stoa_test_random_below(&random, 26);
        const char *clocks[] = {"",          " %02u:07",       "T%u:59:01",
                                " %u:05 PM", " %02u:00:09 am", " %02u:01:02.5"};
        const bool year_first = stoa_test_random_one_in(&random, 2);
        struct stoa_csv_evidence evidence;
        struct stoa_csv_decision decision;
        struct stoa_time_pattern pattern;
        struct stoa_timestamp_text parts;
        char text[64], behind[32];

        snprintf(behind, sizeof(behind), clocks[clock], hour);
        if (year_first)
            snprintf(text, sizeof(text), padded ? "%u%c%02u%c%02u%s" : "%u%c%u%c%u%s", numbers[2],
                     separator, numbers[0], separator, numbers[1], behind);
        else
            snprintf(text, sizeof(text), padded ? "%02u%c%02u%c%u%s" : "%u%c%u%c%u%s", numbers[0],
                     separator, numbers[1], separator, numbers[2], behind);
        stoa_csv_evidence_init(&evidence);
        observe(&evidence, (const char *const[]){text}, 1, &usual);
        stoa_csv_evidence_decide(&evidence, &usual, false, &decision);
        if (decision.format == NULL || (evidence.clocks & STOA_CSV_CLOCK_ISO) != 0)
            continue; /* ISO 8601 is read without it */
        ntyped++;
        assert_int_equal(stoa_time_pattern_compile(decision.format, &pattern, NULL), STOA_OK);
        if (!stoa_time_pattern_parse(&pattern, text, strlen(text), &parts))
            fail_msg("%s does not read %s", decision.format, text);
    }
    assert_true(ntyped > nrounds / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_typed_when_one_way_to_read_them_is_left),
        cmocka_unit_test(every_value_of_a_typed_column_is_read_by_its_format),
    };

    return cmocka_run_group_tests(tests, make_rules, NULL);
}
