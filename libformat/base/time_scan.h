/*
 * Pieces of dates and times as text, for time.c and time_pattern.c.
 */
#ifndef STOA_BASE_TIME_SCAN_H
#define STOA_BASE_TIME_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/int128.h" /* stoa_pow10 */

#define STOA_DAY_SECONDS  86400
#define STOA_NANOS        1000000000
#define STOA_NANO_NDIGITS 9

static inline bool stoa_two_digits(const char *text, unsigned *out)
{
    unsigned tens = (unsigned char)(text[0] - '0'), ones = (unsigned char)(text[1] - '0');

    *out = tens * 10 + ones;
    return tens <= 9 && ones <= 9;
}

/* A month as it stands in a text, of which most texts of a column are: then no calendar is needed.
 */
struct stoa_known_month {
    uint64_t text;  /* "YYYY-MM-" */
    int32_t days;   /* since 1970, of the day before its first */
    unsigned ndays; /* that it has */
};

static inline struct stoa_known_month stoa_known_month_init(void)
{
    return (struct stoa_known_month){.text = stoa_load64("1970-01-"), .days = -1, .ndays = 31};
}

/* "YYYY-MM-" of the years 0001 to 9999; false when there is no such month. */
bool stoa_known_month_find(struct stoa_known_month *month, const char *text);

/* Ten bytes, "YYYY-MM-DD", in days since 1970; false when they are no such date. */
static inline bool stoa_date_scan(struct stoa_known_month *month, const char *text, int32_t *days)
{
    unsigned day;

    if (stoa_load64(text) != month->text && !stoa_known_month_find(month, text))
        return false;
    if (!stoa_two_digits(text + 8, &day) || day - 1 >= month->ndays)
        return false;
    *days = month->days + (int32_t)day;
    return true;
}

/* Eight bytes, "HH:MM:SS", in seconds; false when they are no time of the day. */
static inline bool stoa_clock_scan(const char *text, int32_t *seconds)
{
    /* Digits become their value, colons 0. 0x76 lifts a byte above 9 to 0x80, 0x7f one above 0. */
    const uint64_t x = stoa_load64(text) ^ UINT64_C(0x30303a30303a3030);
    const uint64_t over = (x + UINT64_C(0x76767f76767f7676)) | x;
    const uint64_t pairs = x * 10 + (x >> 8); /* in bytes 0, 3 and 6 */
    const unsigned hour = pairs & 0xff, minute = pairs >> 24 & 0xff, second = pairs >> 48 & 0xff;

    *seconds = (int32_t)(hour * 3600 + minute * 60 + second);
    return (over & UINT64_C(0x8080808080808080)) == 0 && hour < 24 && minute < 60 && second < 60;
}

/* The digits that the text begins with: how many; 0 too when there are more than nine. */
static inline size_t stoa_fraction_scan(const char *text, size_t nbytes, uint32_t *nanos)
{
    size_t n = 0;
    uint32_t x = 0;

    for (; n < nbytes && (unsigned char)(text[n] - '0') <= 9; n++) {
        if (n == STOA_NANO_NDIGITS)
            return 0;
        x = x * 10 + (uint32_t)(text[n] - '0');
    }
    *nanos = x * (uint32_t)stoa_pow10[STOA_NANO_NDIGITS - n];
    return n;
}

/* The zone that the text begins with, "Z", "+HH:MM", "+HHMM" or "+HH": its bytes, or 0. */
static inline size_t stoa_zone_scan(const char *text, size_t nbytes, int32_t *offset_seconds)
{
    unsigned hours, minutes = 0;
    size_t n = 3;

    *offset_seconds = 0;
    if (nbytes > 0 && text[0] == 'Z')
        return 1;
    if (nbytes < 3 || (text[0] != '+' && text[0] != '-') || !stoa_two_digits(text + 1, &hours))
        return 0;
    if (nbytes >= 6 && text[3] == ':' && stoa_two_digits(text + 4, &minutes))
        n = 6;
    else if (nbytes >= 5 && stoa_two_digits(text + 3, &minutes))
        n = 5;
    else
        minutes = 0;
    if (hours > 23 || minutes > 59)
        return 0;
    *offset_seconds = (int32_t)(hours * 3600 + minutes * 60);
    if (text[0] == '-')
        *offset_seconds = -*offset_seconds;
    return n;
}

#endif
