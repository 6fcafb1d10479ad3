/*
 * Dates and times in other layouts than ISO 8601, as patterns in the words of strptime():
 *
 *     %Y  year, four digits             %H  hour 00..23      %f  fraction of a second, 1..9 digits
 *     %y  69..99 are 1969..1999,        %I  hour 01..12      %z  Z, +HH:MM, +HHMM or +HH
 *         00..68 are 2000..2068         %p  AM, PM           %Z  UTC (GMT is read too)
 *     %m  month 01..12                  %M  minute
 *     %b  Jan .. Dec                    %S  second 00..59
 *     %B  January .. December           %%  a percent sign
 *     %d  day of the month
 *
 * Everything else stands for itself. What a pattern prints it reads back; it reads more than it
 * prints: names in any case, and one digit instead of two where no number stands beside. With a '-'
 * behind the percent sign (%-d) a number that stands alone is printed without a zero in front.
 */
#ifndef STOA_BASE_TIME_PATTERN_H
#define STOA_BASE_TIME_PATTERN_H

#include "base/time.h"

#define STOA_TIME_PATTERN_NSTEPS 64

/* One step: a word of the pattern, or a character that stands for itself. */
struct stoa_time_step {
    uint8_t word;
    bool bare; /* printed without zeros in front */
    bool pair; /* two digits, never one */
    char literal;
};

/* Made by stoa_time_pattern_compile(); holds no memory of its own. */
struct stoa_time_pattern {
    struct stoa_time_step steps[STOA_TIME_PATTERN_NSTEPS];
    uint8_t nsteps;
    bool has_date;     /* year, month and day */
    bool has_clock;    /* the hour; what is behind it may be missing and is 0 */
    bool has_fraction; /* %f */
    bool has_zone;     /* %z or %Z */
};

/* The ways to write that a time is UTC where a pattern says %z. */
enum stoa_time_utc { STOA_UTC_Z, STOA_UTC_COLON, STOA_UTC_DIGITS, STOA_UTC_HOURS };

/*
 * STOA_ERR_USAGE for a pattern that does not say what day or what time of the day it is, says it
 * twice, has an unknown word, or more than STOA_TIME_PATTERN_NSTEPS steps.
 */
STOA_CHECK enum stoa_status
stoa_time_pattern_compile(const char *text, struct stoa_time_pattern *out, struct stoa_error *err);

/*
 * What a text says; days 1970-01-01 without a date. False when it is not of the pattern: there is
 * no such day or time (24:00 and leap seconds among them), or the text goes on. *out is then left
 * alone; its separator is always '\0', its zone_nbytes 1 for %Z.
 */
bool stoa_time_pattern_parse(const struct stoa_time_pattern *pattern, const char *text,
                             size_t nbytes, struct stoa_timestamp_text *out);

/*
 * seconds since 1970-01-01T00:00:00, and nanos of the next, as text of at most
 * STOA_TIME_PATTERN_NBYTES bytes; how many. %f is printed with `fraction_ndigits` digits, cut off.
 * 0 when the year is not 1..9999, or needs more than the two digits of %y.
 */
#define STOA_TIME_PATTERN_NBYTES (STOA_TIME_PATTERN_NSTEPS * 9)
size_t stoa_time_pattern_format(const struct stoa_time_pattern *pattern, int64_t seconds,
                                uint32_t nanos, unsigned fraction_ndigits, enum stoa_time_utc utc,
                                char *out);

#endif
