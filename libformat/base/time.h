/*
 * Dates, times of day and timestamps as numbers and as ISO 8601 text.
 *
 * The calendar is the proleptic Gregorian one; a day has 86,400 seconds: leap seconds and 24:00
 * are refused. Parsers take exactly nbytes bytes and are false, with *out left alone, for anything
 * else; formatters write at most STOA_TIME_NBYTES bytes without a terminator and return how many.
 *
 *     date       YYYY-MM-DD          0001-01-01 .. 9999-12-31
 *     time       HH:MM:SS[.f{1,9}]   seconds are required
 *     timestamp  DATE[T or blank]TIME[Z or +HH:MM or +HHMM or +HH, also with -]
 *
 * Columns of files can hold years outside 1..9999. These are written, and read, with a sign and at
 * least five digits: "+10000-01-01", "-00001-12-31", year 0 "+00000-01-01".
 */
#ifndef STOA_BASE_TIME_H
#define STOA_BASE_TIME_H

#include <stoa/base.h>

#define STOA_TIME_NBYTES 48

/* 1, 1,000, 1,000,000 or 1,000,000,000. */
int64_t stoa_time_unit_per_second(enum stoa_time_unit unit);

/* A day of the calendar: month 1..12, day 1..31. */
struct stoa_civil {
    int64_t year;
    unsigned month;
    unsigned day;
};

/* Whether the year is 1..9999 and there is such a day. */
bool stoa_civil_is_valid(struct stoa_civil civil);

/* Days since 1970-01-01 and back; for years up to +-10^12. */
int64_t stoa_days_from_civil(struct stoa_civil civil);
struct stoa_civil stoa_civil_from_days(int64_t days);

bool stoa_date_parse(const char *text, size_t nbytes, int32_t *days);
size_t stoa_date_format(int32_t days, char *out);

/* Units since midnight; false too when the fraction needs a finer unit. */
bool stoa_time_parse(const char *text, size_t nbytes, enum stoa_time_unit unit, int64_t *out);

/*
 * As many digits of the fraction as the value needs of 0, 3, 6, 9. A number outside of a day keeps
 * counting hours, "24:00:00", "-01:30:00" for minus one hour and a half: text that no parser takes.
 */
size_t stoa_time_format(int64_t value, enum stoa_time_unit unit, char *out);

/* What a timestamp's text says and how it says it. */
struct stoa_timestamp_text {
    int64_t seconds;        /* since 1970-01-01T00:00:00, the offset already taken off */
    uint32_t nanos;         /* behind the second */
    int32_t offset_seconds; /* east is positive; the clock in the text shows seconds + this */
    uint8_t fraction_ndigits;
    uint8_t zone_nbytes; /* 0 none, 1 "Z", 3 "+HH", 5 "+HHMM", 6 "+HH:MM" */
    char separator;      /* 'T' or ' ' */
};

bool stoa_timestamp_parse_text(const char *text, size_t nbytes, struct stoa_timestamp_text *out);

/*
 * Units since 1970-01-01T00:00:00. Text with a zone is taken if and only if `zoned`, which makes
 * it UTC. False too when the fraction needs a finer unit or the unit overflows 64 bits
 * (nanoseconds end in 1677 and 2262).
 */
bool stoa_timestamp_parse(const char *text, size_t nbytes, enum stoa_time_unit unit, bool zoned,
                          int64_t *out);

/* seconds + nanos in `unit`; false when that is no whole number or needs more than 64 bits. */
bool stoa_timestamp_from_seconds(int64_t seconds, uint32_t nanos, enum stoa_time_unit unit,
                                 int64_t *out);

/* As many digits of the fraction as the value needs of 0, 3, 6, 9; with a 'Z' when `zoned`. */
size_t stoa_timestamp_format(int64_t value, enum stoa_time_unit unit, bool zoned, char separator,
                             char *out);

/*
 * Texts of days that were written before, {0} of none: most timestamps of a table lie in a day of
 * another one. One thread at a time.
 */
#define STOA_KNOWN_DAYS 64
struct stoa_known_days {
    struct stoa_known_day {
        int64_t days;
        uint8_t nbytes; /* 0: no day stands here */
        char text[23];
    } items[STOA_KNOWN_DAYS];
};

/* The same text, by way of `known`, which may be NULL. */
size_t stoa_timestamp_format_known(struct stoa_known_days *known, int64_t value,
                                   enum stoa_time_unit unit, bool zoned, char separator, char *out);

#endif
