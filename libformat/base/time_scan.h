/*
 * Pieces of dates and times as text, for time.c and time_pattern.c.
 */
#ifndef STOA_BASE_TIME_SCAN_H
#define STOA_BASE_TIME_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
