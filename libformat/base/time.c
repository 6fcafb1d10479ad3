/*
 * Dates and times: the calendar, and ISO 8601 text.
 *
 * The calendar counts from 0000-03-01, so that the leap day ends a year, and in eras of 400 years,
 * which have 146,097 days. In such a year the months of 31 and 30 days follow each other so that
 * (153 * m + 2) / 5 days precede month m = 0 (March) .. 11 (February).
 *
 * Text of fixed form is checked eight bytes at once: XOR with the picture "0000-00-" leaves the
 * digits' values where digits belong and 0 where a '-' belongs.
 */
#include "base/time.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/number.h"
#include "base/time_scan.h"

#define ERA_DAYS     146097
#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define YEAR_NDIGITS 12     /* what 64 bits of seconds reach: +-2.9 * 10^11 */

int64_t stoa_time_unit_per_second(enum stoa_time_unit unit)
{
    static const int64_t per_second[] = {
        [STOA_SECOND] = 1, [STOA_MILLI] = 1000, [STOA_MICRO] = 1000000, [STOA_NANO] = STOA_NANOS};

    assert((unsigned)unit <= STOA_NANO);
    return per_second[unit];
}

/* ---- The calendar. ---- */

/* x / d rounded down, where C rounds towards zero; d > 0. */
static int64_t floor_div(int64_t x, int64_t d)
{
    return x / d - (x % d < 0);
}

static unsigned days_of_month(int64_t year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool day_exists(struct stoa_civil civil)
{
    return civil.month - 1 < 12 && (civil.day - 1 < 28 || /* mostly, and without the year */
                                    civil.day - 1 < days_of_month(civil.year, civil.month));
}

bool stoa_civil_is_valid(struct stoa_civil civil)
{
    return civil.year >= 1 && civil.year <= 9999 && day_exists(civil);
}

int64_t stoa_days_from_civil(struct stoa_civil civil)
{
    int64_t year = civil.year - (civil.month <= 2);
    int64_t era = floor_div(year, 400);
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned month = (civil.month + 9) % 12;
    unsigned of_year = (153 * month + 2) / 5 + civil.day - 1;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

struct stoa_civil stoa_civil_from_days(int64_t days)
{
    int64_t era = floor_div(days + DAYS_TO_1970, ERA_DAYS);
    unsigned of_era = (unsigned)(days + DAYS_TO_1970 - era * ERA_DAYS);
    /* Leap days are taken out first: one in 1,461 days, none in 36,524, one in 146,097. */
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;

    return (struct stoa_civil){
        .year = era * 400 + year + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - (153 * month + 2) / 5 + 1,
    };
}

/* ---- Reading. ---- */

/* Where a digit stands 0x76 makes a byte above 9 reach 0x80; elsewhere 0x7f one above 0. */
struct picture {
    char text[9];
    uint8_t limit[8];
};

static const struct picture picture_date = {"0000-00-",
                                            {0x76, 0x76, 0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f}};
static const struct picture picture_time = {"00:00:00",
                                            {0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f, 0x76, 0x76}};

/*
 * The eight bytes at `text`, each a digit's value or 0 in place of a separator, the first lowest.
 * An addition that carries into the next byte has met a byte >= 0x80, which counts by itself.
 */
static bool match(const struct picture *picture, const char *text, uint64_t *values)
{
    uint64_t x = stoa_load64(text) ^ stoa_load64(picture->text);

    *values = x;
    return (((x + stoa_load64(picture->limit)) | x) & UINT64_C(0x8080808080808080)) == 0;
}

/* The two digits at byte i. */
static unsigned pair(uint64_t values, unsigned i)
{
    return (unsigned)(values >> (8 * i) & 0xff) * 10 + (unsigned)(values >> (8 * i + 8) & 0xff);
}

/* "YYYY-MM-DD"; every year from 0000 on. */
static bool read_short_date(const char *text, struct stoa_civil *out)
{
    uint64_t values;

    if (!match(&picture_date, text, &values) || !stoa_two_digits(text + 8, &out->day))
        return false;
    out->year = pair(values, 0) * 100 + pair(values, 2);
    out->month = pair(values, 5);
    return day_exists(*out);
}

/* "+10000-MM-DD": a year outside 1..9999, a sign, five digits or as many as it needs. */
static size_t read_long_date(const char *text, size_t nbytes, struct stoa_civil *out)
{
    const char *p = text + 1, *end = text + nbytes;
    size_t ndigits;

    out->year = 0;
    while (p < end && p - text <= YEAR_NDIGITS && (unsigned char)(*p - '0') <= 9)
        out->year = out->year * 10 + (*p++ - '0');
    ndigits = (size_t)(p - text) - 1;
    if (ndigits < 5 || (ndigits > 5 && text[1] == '0') || end - p < 6)
        return 0;
    if (text[0] == '-') {
        if (out->year == 0) /* year 0 has one name */
            return 0;
        out->year = -out->year;
    } else if (out->year != 0 && out->year <= 9999) {
        return 0;
    }
    if (p[0] != '-' || !stoa_two_digits(p + 1, &out->month) || p[3] != '-' ||
        !stoa_two_digits(p + 4, &out->day) || !day_exists(*out))
        return 0;
    return (size_t)(p + 6 - text);
}

/* The date that the text begins with; its length, or 0 when there is none. */
static size_t read_date(const char *text, size_t nbytes, struct stoa_civil *out)
{
    if (nbytes > 0 && (text[0] == '+' || text[0] == '-'))
        return read_long_date(text, nbytes, out);
    return nbytes >= 10 && read_short_date(text, out) && out->year != 0 ? 10 : 0;
}

bool stoa_date_parse(const char *text, size_t nbytes, int32_t *days)
{
    struct stoa_civil civil;
    size_t used = read_date(text, nbytes, &civil);
    int64_t x;

    if (used == 0 || used != nbytes)
        return false;
    x = stoa_days_from_civil(civil);
    if (x < INT32_MIN || x > INT32_MAX)
        return false;
    *days = (int32_t)x;
    return true;
}

/* "HH:MM:SS" in seconds. */
static bool read_clock(const char *text, int32_t *seconds)
{
    uint64_t values;
    unsigned hour, minute, second;

    if (!match(&picture_time, text, &values))
        return false;
    hour = pair(values, 0);
    minute = pair(values, 3);
    second = pair(values, 6);
    *seconds = (int32_t)(hour * 3600 + minute * 60 + second);
    return hour < 24 && minute < 60 && second < 60;
}

/* A '.' and digits at the beginning of the text, if any: how many bytes; SIZE_MAX when bad. */
static size_t read_fraction(const char *text, size_t nbytes, uint32_t *nanos, uint8_t *ndigits)
{
    *nanos = 0;
    *ndigits = 0;
    if (nbytes == 0 || text[0] != '.')
        return 0;
    *ndigits = (uint8_t)stoa_fraction_scan(text + 1, nbytes - 1, nanos);
    return *ndigits > 0 ? (size_t)*ndigits + 1 : SIZE_MAX;
}

/* All of the text is a zone or nothing. */
static bool read_zone(const char *text, size_t nbytes, struct stoa_timestamp_text *out)
{
    out->zone_nbytes = (uint8_t)stoa_zone_scan(text, nbytes, &out->offset_seconds);
    return out->zone_nbytes == nbytes;
}

bool stoa_timestamp_from_seconds(int64_t seconds, uint32_t nanos, enum stoa_time_unit unit,
                                 int64_t *out)
{
    int64_t per_second = stoa_time_unit_per_second(unit), units = 0, whole;

    if (nanos != 0) {
        uint32_t per_unit = (uint32_t)(STOA_NANOS / per_second);

        if (nanos % per_unit != 0)
            return false;
        units = nanos / per_unit;
        if (seconds < 0) { /* -1 s + 999 ms may fit where -1 s does not */
            seconds++;
            units -= per_second;
        }
    }
    if (__builtin_mul_overflow(seconds, per_second, &whole) ||
        __builtin_add_overflow(whole, units, &whole))
        return false;
    *out = whole;
    return true;
}

bool stoa_time_parse(const char *text, size_t nbytes, enum stoa_time_unit unit, int64_t *out)
{
    int32_t seconds;
    uint32_t nanos;
    uint8_t ndigits;

    if (nbytes < 8 || !read_clock(text, &seconds) ||
        read_fraction(text + 8, nbytes - 8, &nanos, &ndigits) != nbytes - 8)
        return false;
    return stoa_timestamp_from_seconds(seconds, nanos, unit, out);
}

/* Days of a common year in front of each month, and of all. */
static const uint16_t days_before[13] = {0,   31,  59,  90,  120, 151, 181,
                                         212, 243, 273, 304, 334, 365};

bool stoa_known_month_find(struct stoa_known_month *month, const char *text)
{
    enum { DAYS_OF_1970 = 719162 }; /* from the first of January of the year 1 on */
    unsigned century, year, number;
    bool leaps;

    if (!stoa_two_digits(text, &century) || !stoa_two_digits(text + 2, &year) || text[4] != '-' ||
        !stoa_two_digits(text + 5, &number) || text[7] != '-' || number - 1 >= 12)
        return false;
    year += century * 100;
    if (year == 0)
        return false;
    leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    month->text = stoa_load64(text);
    month->ndays = days_before[number] - days_before[number - 1] + (leaps && number == 2);
    year--; /* those in front of it */
    month->days = (int32_t)(year * 365 + year / 4 - year / 100 + year / 400) +
                  days_before[number - 1] + (leaps && number > 2) - DAYS_OF_1970 - 1;
    return true;
}

bool stoa_timestamp_parse_text(const char *text, size_t nbytes, struct stoa_timestamp_text *out)
{
    struct stoa_timestamp_text parsed = {0};
    struct stoa_civil civil;
    size_t at = read_date(text, nbytes, &civil), used;
    int64_t days;
    int32_t clock;

    if (at == 0 || nbytes - at < 9 || (text[at] != 'T' && text[at] != ' ') ||
        !read_clock(text + at + 1, &clock))
        return false;
    parsed.separator = text[at];
    at += 9;
    used = read_fraction(text + at, nbytes - at, &parsed.nanos, &parsed.fraction_ndigits);
    if (used == SIZE_MAX || !read_zone(text + at + used, nbytes - at - used, &parsed))
        return false;
    days = stoa_days_from_civil(civil);
    clock -= parsed.offset_seconds;
    if (days < 0) { /* the first second of 64 bits lies in a day that begins before it */
        days++;
        clock -= STOA_DAY_SECONDS;
    }
    if (__builtin_mul_overflow(days, STOA_DAY_SECONDS, &parsed.seconds) ||
        __builtin_add_overflow(parsed.seconds, clock, &parsed.seconds))
        return false;
    *out = parsed;
    return true;
}

bool stoa_timestamp_parse(const char *text, size_t nbytes, enum stoa_time_unit unit, bool zoned,
                          int64_t *out)
{
    struct stoa_timestamp_text parsed;

    return stoa_timestamp_parse_text(text, nbytes, &parsed) && (parsed.zone_nbytes > 0) == zoned &&
           stoa_timestamp_from_seconds(parsed.seconds, parsed.nanos, unit, out);
}

/* ---- Writing. ---- */

static char *write_two(char *p, unsigned x)
{
    memcpy(p, stoa_digit_pairs + 2 * (size_t)x, 2);
    return p + 2;
}

/* With leading zeros up to `ndigits` digits. */
static char *write_padded(char *p, uint64_t x, unsigned ndigits)
{
    char digits[STOA_NUMBER_NBYTES];
    size_t n = stoa_number_format_uint64(x, digits);

    for (; ndigits > n; ndigits--)
        *p++ = '0';
    memcpy(p, digits, n);
    return p + n;
}

static char *write_date(char *p, int64_t days)
{
    struct stoa_civil civil = stoa_civil_from_days(days);

    if (civil.year >= 1 && civil.year <= 9999) {
        p = write_two(p, (unsigned)civil.year / 100);
        p = write_two(p, (unsigned)civil.year % 100);
    } else {
        *p++ = civil.year < 0 ? '-' : '+';
        p = write_padded(p, (uint64_t)(civil.year < 0 ? -civil.year : civil.year), 5);
    }
    *p++ = '-';
    p = write_two(p, civil.month);
    *p++ = '-';
    return write_two(p, civil.day);
}

/* ":MM:SS[.fff[fff[fff]]]"; the fraction counts units of 1 / per_second. */
static char *write_below_hour(char *p, unsigned seconds, uint64_t fraction, int64_t per_second)
{
    *p++ = ':';
    p = write_two(p, seconds / 60);
    *p++ = ':';
    p = write_two(p, seconds % 60);
    if (fraction != 0) {
        unsigned ndigits = STOA_NANO_NDIGITS;
        uint64_t nanos = fraction * (uint64_t)(STOA_NANOS / per_second);

        for (; nanos % 1000 == 0; nanos /= 1000)
            ndigits -= 3;
        *p++ = '.';
        p = write_padded(p, nanos, ndigits);
    }
    return p;
}

/*
 * Whole seconds, rounded down, and what is left in units: divisions by constants, which cost a
 * fifth of one by a variable. The first second of 64 bits begins before them; modulo 2^64 that does
 * no harm.
 */
static int64_t split_seconds(int64_t value, enum stoa_time_unit unit, uint64_t *fraction)
{
    int64_t seconds = value;

    *fraction = 0;
    if (unit == STOA_SECOND)
        return value;
    seconds = unit == STOA_MILLI   ? floor_div(value, 1000)
              : unit == STOA_MICRO ? floor_div(value, 1000000)
                                   : floor_div(value, STOA_NANOS);
    *fraction = (uint64_t)value - (uint64_t)seconds * (uint64_t)stoa_time_unit_per_second(unit);
    return seconds;
}

size_t stoa_date_format(int32_t days, char *out)
{
    return (size_t)(write_date(out, days) - out);
}

size_t stoa_time_format(int64_t value, enum stoa_time_unit unit, char *out)
{
    int64_t per_second = stoa_time_unit_per_second(unit);
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t seconds = size / (uint64_t)per_second;
    char *p = out;

    if (value < 0)
        *p++ = '-';
    p = write_padded(p, seconds / 3600, 2);
    p = write_below_hour(p, (unsigned)(seconds % 3600), size % (uint64_t)per_second, per_second);
    return (size_t)(p - out);
}

/* A sign, the year and "-MM-DD" are no more than what a known day has room for. */
_Static_assert(1 + YEAR_NDIGITS + 6 <= sizeof(((struct stoa_known_day *)0)->text), "a day fits");

static char *write_known_date(struct stoa_known_days *known, char *p, int64_t days)
{
    struct stoa_known_day *day = &known->items[(uint64_t)days % STOA_KNOWN_DAYS];

    if (day->days != days || day->nbytes == 0) {
        day->days = days;
        day->nbytes = (uint8_t)(write_date(day->text, days) - day->text);
    }
    memcpy(p, day->text, sizeof(day->text)); /* a fixed size is fast */
    return p + day->nbytes;
}

size_t stoa_timestamp_format_known(struct stoa_known_days *known, int64_t value,
                                   enum stoa_time_unit unit, bool zoned, char separator, char *out)
{
    uint64_t fraction;
    int64_t seconds = split_seconds(value, unit, &fraction);
    int64_t days = floor_div(seconds, STOA_DAY_SECONDS);
    unsigned clock = (unsigned)(seconds - days * STOA_DAY_SECONDS);
    char *p = known != NULL ? write_known_date(known, out, days) : write_date(out, days);

    *p++ = separator;
    p = write_two(p, clock / 3600);
    p = write_below_hour(p, clock % 3600, fraction, stoa_time_unit_per_second(unit));
    if (zoned)
        *p++ = 'Z';
    return (size_t)(p - out);
}

size_t stoa_timestamp_format(int64_t value, enum stoa_time_unit unit, bool zoned, char separator,
                             char *out)
{
    return stoa_timestamp_format_known(NULL, value, unit, zoned, separator, out);
}
