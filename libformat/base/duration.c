/*
 * Spans of time: months, days and nanoseconds are added up each for itself in 128 bits, then a
 * duration takes the days as nanoseconds and an interval keeps the three apart.
 */
#include "base/duration.h"

#include <string.h>

#include "base/number.h"
#include "base/time.h"

#define NANOS         UINT64_C(1000000000)
#define NANO_NDIGITS  9
#define DAY_NANOS     (86400 * NANOS)
#define YEAR_NMONTHS  12
#define HOUR_NSECONDS 3600

/* ---- Reading ---- */

enum sum { MONTHS, DAYS, TIME, NSUMS };

struct span {
    struct stoa_int128 sums[NSUMS]; /* months, days, nanoseconds */
};

/* The parts in the order in which they stand. */
static const struct {
    char letter;
    enum sum sum;
    uint64_t factor;
} parts[] = {
    {'Y', MONTHS, YEAR_NMONTHS}, {'M', MONTHS, 1},        {'W', DAYS, 7},     {'D', DAYS, 1},
    {'H', TIME, 3600 * NANOS},   {'M', TIME, 60 * NANOS}, {'S', TIME, NANOS},
};

enum { NPARTS = sizeof(parts) / sizeof(parts[0]), FIRST_OF_TIME = 4, SECONDS = NPARTS - 1 };

struct reader {
    const char *at;
    const char *end;
};

static bool take(struct reader *in, char c)
{
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

/* A sign, which may be missing: whether it is a minus. */
static bool take_sign(struct reader *in)
{
    bool negative = take(in, '-');

    if (!negative)
        (void)take(in, '+');
    return negative;
}

/* The digits here, at least one: a number of 64 bits. */
static bool take_digits(struct reader *in, uint64_t *out, size_t *ndigits)
{
    const char *begin = in->at;
    uint64_t x = 0;

    for (; in->at < in->end && (unsigned char)(*in->at - '0') <= 9; in->at++) {
        if (__builtin_mul_overflow(x, 10u, &x) ||
            __builtin_add_overflow(x, (unsigned)(*in->at - '0'), &x))
            return false;
    }
    *out = x;
    *ndigits = (size_t)(in->at - begin);
    return *ndigits > 0;
}

/* What stands behind the point of seconds, in nanoseconds. */
static bool take_fraction(struct reader *in, uint64_t *nanos)
{
    size_t ndigits;

    if (!take_digits(in, nanos, &ndigits) || ndigits > NANO_NDIGITS)
        return false;
    *nanos *= stoa_pow10[NANO_NDIGITS - ndigits];
    return true;
}

/* One part, which comes behind part *next - 1; *next is then behind it. */
static bool take_part(struct reader *in, unsigned *next, bool time, bool negative,
                      struct span *span)
{
    unsigned first = time && *next < FIRST_OF_TIME ? FIRST_OF_TIME : *next;
    unsigned end = time ? NPARTS : FIRST_OF_TIME, i = first;
    uint64_t whole, nanos = 0;
    size_t ndigits;
    bool fraction;
    struct stoa_int128 x;

    negative ^= take_sign(in);
    if (!take_digits(in, &whole, &ndigits))
        return false;
    fraction = take(in, '.');
    if (fraction && !take_fraction(in, &nanos))
        return false;
    while (i < end && !take(in, parts[i].letter))
        i++;
    if (i == end || (fraction && i != SECONDS))
        return false;
    *next = i + 1;
    if (!stoa_int128_mul_u64(stoa_int128_from_u64(whole), parts[i].factor, &x) ||
        !stoa_int128_add(x, stoa_int128_from_u64(nanos), &x) ||
        (negative && !stoa_int128_neg(x, &x)))
        return false;
    return stoa_int128_add(span->sums[parts[i].sum], x, &span->sums[parts[i].sum]);
}

static bool parse_span(const char *text, size_t nbytes, struct span *out)
{
    struct reader in = {text, text + nbytes};
    bool negative = take_sign(&in), time = false;
    unsigned next = 0;
    struct span span = {0};

    if (!take(&in, 'P') || in.at == in.end)
        return false;
    while (in.at < in.end) {
        time = time || take(&in, 'T');
        if (!take_part(&in, &next, time, negative, &span))
            return false;
    }
    *out = span;
    return true;
}

bool stoa_duration_parse_nanos(const char *text, size_t nbytes, struct stoa_int128 *out)
{
    struct span span;
    struct stoa_int128 days;

    if (!parse_span(text, nbytes, &span) ||
        stoa_int128_cmp(span.sums[MONTHS], stoa_int128_from_i64(0)) != 0)
        return false;
    return stoa_int128_mul_u64(span.sums[DAYS], DAY_NANOS, &days) &&
           stoa_int128_add(span.sums[TIME], days, out);
}

bool stoa_duration_parse(const char *text, size_t nbytes, enum stoa_time_unit unit, int64_t *out)
{
    uint64_t per_unit = NANOS / (uint64_t)stoa_time_unit_per_second(unit), rest;
    struct stoa_int128 nanos, units;

    if (!stoa_duration_parse_nanos(text, nbytes, &nanos))
        return false;
    units = stoa_int128_div_u64(nanos, per_unit, &rest);
    if (rest != 0 || !stoa_int128_fits_i64(units))
        return false;
    *out = (int64_t)units.lo;
    return true;
}

static bool fits_i32(struct stoa_int128 x)
{
    return stoa_int128_fits_i64(x) && (int64_t)x.lo >= INT32_MIN && (int64_t)x.lo <= INT32_MAX;
}

bool stoa_interval_parse(const char *text, size_t nbytes, struct stoa_interval *out)
{
    struct span span;

    if (!parse_span(text, nbytes, &span) || !fits_i32(span.sums[MONTHS]) ||
        !fits_i32(span.sums[DAYS]) || !stoa_int128_fits_i64(span.sums[TIME]))
        return false;
    *out = (struct stoa_interval){
        .months = (int32_t)(int64_t)span.sums[MONTHS].lo,
        .days = (int32_t)(int64_t)span.sums[DAYS].lo,
        .nanos = (int64_t)span.sums[TIME].lo,
    };
    return true;
}

/* ---- Writing: parts that are 0 are left out ---- */

static char *write_part(char *p, bool negative, uint64_t x, char letter)
{
    if (x == 0)
        return p;
    if (negative)
        *p++ = '-';
    p += stoa_number_format_uint64(x, p);
    *p++ = letter;
    return p;
}

static char *write_seconds(char *p, bool negative, uint64_t seconds, uint64_t nanos)
{
    char digits[STOA_NUMBER_NBYTES];
    size_t ndigits = NANO_NDIGITS;

    if (nanos == 0)
        return write_part(p, negative, seconds, 'S');
    if (negative)
        *p++ = '-';
    p += stoa_number_format_uint64(seconds, p);
    /* A one in front keeps the zeros of the fraction. */
    (void)stoa_number_format_uint64(NANOS + nanos, digits);
    while (digits[ndigits] == '0')
        ndigits--;
    digits[0] = '.';
    memcpy(p, digits, 1 + ndigits);
    p += 1 + ndigits;
    *p++ = 'S';
    return p;
}

/* "T" and what is not 0 of value / per_second seconds. */
static char *write_time(char *p, int64_t value, uint64_t per_second)
{
    bool negative = value < 0;
    uint64_t size = negative ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t seconds = size / per_second;

    if (value == 0)
        return p;
    *p++ = 'T';
    p = write_part(p, negative, seconds / HOUR_NSECONDS, 'H');
    p = write_part(p, negative, seconds % HOUR_NSECONDS / 60, 'M');
    return write_seconds(p, negative, seconds % 60, size % per_second * (NANOS / per_second));
}

/* Closes what begins at `out`. */
static size_t finish(char *out, char *p)
{
    if (p == out + 1) {
        memcpy(p, "T0S", 3);
        p += 3;
    }
    return (size_t)(p - out);
}

size_t stoa_duration_format(int64_t value, enum stoa_time_unit unit, char *out)
{
    *out = 'P';
    return finish(out, write_time(out + 1, value, (uint64_t)stoa_time_unit_per_second(unit)));
}

static uint64_t size_of(int32_t x)
{
    return x < 0 ? 0 - (uint64_t)(int64_t)x : (uint64_t)x;
}

size_t stoa_interval_format(const struct stoa_interval *x, char *out)
{
    char *p = out;

    *p++ = 'P';
    p = write_part(p, x->months < 0, size_of(x->months) / YEAR_NMONTHS, 'Y');
    p = write_part(p, x->months < 0, size_of(x->months) % YEAR_NMONTHS, 'M');
    p = write_part(p, x->days < 0, size_of(x->days), 'D');
    return finish(out, write_time(p, x->nanos, NANOS));
}
