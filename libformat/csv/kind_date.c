/*
 * Dates that are not written as ISO 8601 has them (spec/csv.md, "Inference").
 *
 * A date is three numbers between two equal separators; which of them is the day shows only when
 * all values are known. So each text gives the set of ways in which it can be read,
 *
 *     12/03/2024    day/month/year  month/day/year
 *     13/03/2024    day/month/year
 *     2024-03-13    year-month-day  ISO
 *
 * and the ways of a column are those that all its texts have in common.
 */
#include <string.h>

#include "base/number_scan.h"
#include "base/time.h"
#include "csv/kind.h"
#include "csv/kind_text.h"

/* Reads one to four digits; returns how many. */
static unsigned read_digits(const char **at, const char *end, unsigned *value)
{
    unsigned n = 0;

    *value = 0;
    for (; n < 4 && *at < end && stoa_digit(**at); n++)
        *value = 10 * *value + (unsigned)(*(*at)++ - '0');
    return n;
}

/* Notes whether a number below 10 is written with a zero: of a day (0) or an hour (1). */
static void note_padding(struct stoa_csv_text_kinds *out, unsigned what, unsigned value,
                         unsigned ndigits)
{
    out->padded[what] |= ndigits == 2 && value < 10;
    out->unpadded[what] |= ndigits == 1;
}

/* Three numbers between two equal separators, and their digits. */
struct day_text {
    unsigned values[3];
    unsigned ndigits[3];
    unsigned separator;
};

static bool read_day(const char **at, const char *end, struct day_text *out)
{
    const char *separator = NULL;

    for (size_t i = 0; i < 3; i++) {
        if (i > 0 && (*at == end || **at != *separator))
            return false;
        *at += i > 0;
        out->ndigits[i] = read_digits(at, end, &out->values[i]);
        if (out->ndigits[i] == 0)
            return false;
        if (i > 0)
            continue;
        separator = *at < end ? memchr(STOA_CSV_DAY_SEPARATORS, **at, 3) : NULL;
        if (separator == NULL)
            return false;
        out->separator = (unsigned)(separator - STOA_CSV_DAY_SEPARATORS);
    }
    return true;
}

/* The orders in which the three numbers are a day of the calendar. */
static uint32_t find_days(struct stoa_csv_text_kinds *out, const struct day_text *day)
{
    static const struct {
        uint8_t year, month, day;
    } orders[] = {{0, 1, 2}, {2, 1, 0}, {2, 0, 1}}; /* as enum stoa_csv_date_order has them */
    uint32_t days = 0;

    for (unsigned i = 0; i < 3; i++) {
        const unsigned year_ndigits = day->ndigits[orders[i].year];
        struct stoa_civil civil = {
            .year = day->values[orders[i].year],
            .month = day->values[orders[i].month],
            .day = day->values[orders[i].day],
        };

        if ((year_ndigits != 4 && year_ndigits != 2) || day->ndigits[orders[i].month] > 2 ||
            day->ndigits[orders[i].day] > 2)
            continue;
        if (year_ndigits == 2)
            civil.year = 2000; /* some century: a leap year can have every day */
        if (stoa_civil_is_valid(civil))
            days |= year_ndigits == 4 ? STOA_CSV_DAYS(i, day->separator)
                                      : STOA_CSV_SHORT_DAYS(i, day->separator);
    }
    for (unsigned i = 0; days != 0 && i < 3; i++)
        note_padding(out, 0, day->values[i], day->ndigits[i]);
    return days;
}

/* " AM" or " PM", in any case, is all that is left. */
static bool is_half_of_day(const char *at, const char *end)
{
    return end - at == 3 && at[0] == ' ' && memchr("APap", at[1], 4) != NULL &&
           memchr("Mm", at[2], 2) != NULL;
}

/* A point and one to nine digits are all that is left; says how many. */
static uint32_t fraction_ndigits(const char *at, const char *end)
{
    const size_t ndigits = (size_t)(end - at) - 1; /* at < end */

    for (size_t i = 1; i <= ndigits; i++)
        if (!stoa_digit(at[i]))
            return 0;
    return *at == '.' && ndigits <= 9 ? (uint32_t)ndigits : 0;
}

/* H:MM or H:MM:SS, with AM, PM or a fraction or without: the one way that it is, or 0. */
static uint32_t find_clock(struct stoa_csv_text_kinds *out, const char *at, const char *end)
{
    unsigned hour, minute, second, hour_ndigits;
    uint32_t ndigits;
    bool seconds;

    hour_ndigits = read_digits(&at, end, &hour);
    if (hour_ndigits < 1 || hour_ndigits > 2 || hour > 23 || at == end || *at++ != ':' ||
        read_digits(&at, end, &minute) != 2 || minute > 59)
        return 0;
    seconds = at < end && *at == ':';
    if (seconds) {
        at++;
        if (read_digits(&at, end, &second) != 2 || second > 59)
            return 0;
    }
    note_padding(out, 1, hour, hour_ndigits);
    if (at == end)
        return seconds ? STOA_CSV_CLOCK_SECONDS : STOA_CSV_CLOCK_MINUTES;
    if (is_half_of_day(at, end) && hour >= 1 && hour <= 12)
        return seconds ? STOA_CSV_CLOCK_HALF_SECONDS : STOA_CSV_CLOCK_HALF;
    ndigits = seconds ? fraction_ndigits(at, end) : 0;
    if (ndigits == 0)
        return 0;
    out->second_ndigits = ndigits;
    return STOA_CSV_CLOCK_FRACTION;
}

void stoa_csv_date_kinds(const char *text, size_t nbytes, struct stoa_csv_text_kinds *out)
{
    const char *at = text, *end = text + nbytes;
    struct day_text day;
    uint32_t days, clock;

    if (!read_day(&at, end, &day))
        return;
    days = find_days(out, &day);
    if (at == end && days != 0) {
        out->kinds |= STOA_CSV_KIND_DATE;
        out->days |= days;
        return;
    }
    clock = days != 0 && (*at == ' ' || *at == 'T') ? find_clock(out, at + 1, end) : 0;
    if (clock == 0)
        return;
    out->kinds |= STOA_CSV_KIND_CLOCK;
    out->days |= days;
    out->clocks |= clock;
    out->separators[*at == 'T'] = true;
}
