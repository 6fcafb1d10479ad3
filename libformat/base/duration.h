/*
 * Durations and intervals as ISO 8601 text, exact in both directions.
 *
 *     text = [-+] P {part} [T part {part}]     at least one part, in the order of the letters:
 *     part = [-+] digits [. digits] letter     Y M W D, behind the T  H M S
 *
 * A sign in front turns all parts around. A fraction stands only in front of S and has at most nine
 * digits. In a duration, an exact span of time, W and D are 604,800 and 86,400 seconds, and there
 * is no Y and no M for months; in an interval Y is 12 months and W 7 days.
 *
 * Parsers take exactly nbytes bytes and are false, with *out left alone, for anything else and for
 * what the type cannot hold. Formatters write at most STOA_DURATION_NBYTES bytes without a
 * terminator and return how many:
 *
 *     "PT1.5S"  "PT-36H-0.000000001S"  "P1Y2M3DT4.5S"  "P-1M1D"  "PT0S" for nothing
 */
#ifndef STOA_BASE_DURATION_H
#define STOA_BASE_DURATION_H

#include <stoa/base.h>

#include "base/int128.h"

#define STOA_DURATION_NBYTES 64

/* In nanoseconds, which an int64 of any unit fits into: for who wants to round. */
bool stoa_duration_parse_nanos(const char *text, size_t nbytes, struct stoa_int128 *out);

/* False too when the text needs a finer unit. */
bool stoa_duration_parse(const char *text, size_t nbytes, enum stoa_time_unit unit, int64_t *out);
size_t stoa_duration_format(int64_t value, enum stoa_time_unit unit, char *out);

bool stoa_interval_parse(const char *text, size_t nbytes, struct stoa_interval *out);
size_t stoa_interval_format(const struct stoa_interval *x, char *out);

#endif
