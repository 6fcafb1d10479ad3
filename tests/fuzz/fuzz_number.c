/*
 * Any text as every kind of number and time: floats must agree with strtod() and strtof(), wide
 * decimals with narrow ones, and what is taken must come back from the text that it is written as.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/float16.h"
#include "base/number.h"
#include "base/time.h"

enum { MAX_NBYTES = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Where strtod() takes more than we do: blanks in front, hexadecimal digits, nan(...). */
static bool libc_takes_more(const char *text)
{
    return isspace((unsigned char)text[0]) || strpbrk(text, "xX(") != NULL;
}

static void check_floats(const char *text, size_t nbytes)
{
    char *end, *end_float, out[STOA_NUMBER_NBYTES];
    double expected = strtod(text, &end), x = 77, back;
    float expected_float = strtof(text, &end_float), y = 77, back_float;
    bool number = nbytes > 0 && end == text + nbytes && !libc_takes_more(text);
    bool in_words = strpbrk(text, "nN") != NULL;
    size_t n;

    must(stoa_number_parse_double(text, nbytes, &x) == (number && (in_words || !isinf(expected))));
    must(stoa_number_parse_float(text, nbytes, &y) ==
         (number && (in_words || !isinf(expected_float))));
    if (!number)
        return;
    if (in_words || !isinf(expected)) {
        must(isnan(expected) ? isnan(x) : memcmp(&x, &expected, sizeof(x)) == 0);
        n = stoa_number_format_double(x, out);
        must(stoa_number_parse_double(out, n, &back));
        must(isnan(x) ? isnan(back) : memcmp(&back, &x, sizeof(x)) == 0);
        must(n <= sizeof(out) && (!isfinite(x) || stoa_number_significant_digits(out, n) <= 17));
    }
    if (in_words || !isinf(expected_float)) {
        must(isnan(expected_float) ? isnan(y) : memcmp(&y, &expected_float, sizeof(y)) == 0);
        n = stoa_number_format_float(y, out);
        must(stoa_number_parse_float(out, n, &back_float));
        must(isnan(y) ? isnan(back_float) : memcmp(&back_float, &y, sizeof(y)) == 0);
    }
}

/* A float16 is the nearest to the double, but for a double that was rounded to a middle itself. */
static void check_float16(const char *text, size_t nbytes)
{
    char out[STOA_NUMBER_NBYTES];
    uint16_t bits = 77, back;
    double x, half, below, above;

    if (!stoa_number_parse_float16(text, nbytes, &bits)) {
        must(bits == 77 && (!stoa_number_parse_double(text, nbytes, &x) || fabs(x) >= 65520));
        return;
    }
    must(stoa_number_parse_double(text, nbytes, &x));
    must(stoa_number_parse_float16(out, stoa_number_format_float16(bits, out), &back));
    half = stoa_float16_to_double(bits);
    if (isnan(x)) {
        must(isnan(half) && (back & 0x7fff) == 0x7e00);
        return;
    }
    must(back == bits && signbit(x) == signbit(half));
    if (isinf(x)) {
        must(half == x);
        return;
    }
    below = (bits & 0x7fff) > 0 ? stoa_float16_to_double((uint16_t)(bits - 1)) : -half;
    above = (bits & 0x7fff) < 0x7bff ? stoa_float16_to_double((uint16_t)(bits + 1))
                                     : copysign(65536, half);
    must(fabs(x) >= (fabs(half) + fabs(below)) / 2 || (bits & 0x7fff) == 0);
    must(fabs(x) <= (fabs(half) + fabs(above)) / 2);
}

static void check_wide_decimals(const char *text, size_t nbytes)
{
    static const struct {
        unsigned precision, scale;
    } types[] = {{38, 12}, {39, 12}, {76, 0}, {76, 38}, {76, 76}};
    char out[STOA_NUMBER_NBYTES];
    struct stoa_int128 narrow;
    struct stoa_int256 wide, back;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        unsigned precision = types[i].precision, scale = types[i].scale;
        bool good = stoa_decimal256_parse(text, nbytes, precision, scale, &wide);

        if (i == 0) {
            must(stoa_decimal_parse(text, nbytes, precision, scale, &narrow) == good);
            must(!good || stoa_int256_cmp(wide, stoa_int256_from_i128(narrow)) == 0);
        }
        if (!good)
            continue;
        must(stoa_int256_fits_digits(wide, precision));
        must(stoa_decimal256_parse(out, stoa_decimal256_format(wide, scale, out), precision, scale,
                                   &back) &&
             stoa_int256_cmp(wide, back) == 0);
    }
}

static void check_spans(const char *text, size_t nbytes)
{
    char out[STOA_DURATION_NBYTES];
    struct stoa_interval interval, interval_back;
    struct stoa_int128 nanos;
    int64_t value, back;
    bool exact = stoa_duration_parse_nanos(text, nbytes, &nanos);

    for (unsigned i = STOA_SECOND; i <= STOA_NANO; i++) {
        enum stoa_time_unit unit = (enum stoa_time_unit)i;

        if (!stoa_duration_parse(text, nbytes, unit, &value))
            continue;
        must(exact);
        must(stoa_duration_parse(out, stoa_duration_format(value, unit, out), unit, &back) &&
             back == value);
    }
    if (!stoa_interval_parse(text, nbytes, &interval))
        return;
    must(stoa_interval_parse(out, stoa_interval_format(&interval, out), &interval_back) &&
         memcmp(&interval, &interval_back, sizeof(interval)) == 0);
    must(interval.months != 0 || interval.days != 0 || interval.nanos != 0 ||
         memcmp(out, "PT0S", 4) == 0);
}

static void check_exact(const char *text, size_t nbytes, const char *terminated)
{
    char out[STOA_NUMBER_NBYTES];
    int64_t int64, back;
    uint64_t uint64, back_unsigned;
    struct stoa_int128 decimal, back_decimal;
    unsigned whole, fraction;

    if (stoa_number_parse_int64(text, nbytes, &int64))
        must(stoa_number_parse_int64(out, stoa_number_format_int64(int64, out), &back) &&
             back == int64 && int64 == strtoll(terminated, NULL, 10));
    if (stoa_number_parse_uint64(text, nbytes, &uint64))
        must(
            stoa_number_parse_uint64(out, stoa_number_format_uint64(uint64, out), &back_unsigned) &&
            back_unsigned == uint64 && uint64 == strtoull(terminated, NULL, 10));
    if (stoa_decimal_parse(text, nbytes, 38, 12, &decimal))
        must(
            stoa_decimal_parse(out, stoa_decimal_format(decimal, 12, out), 38, 12, &back_decimal) &&
            stoa_int128_cmp(decimal, back_decimal) == 0);
    if (stoa_decimal_shape(text, nbytes, &whole, &fraction) && whole + fraction > 0 &&
        whole + fraction <= STOA_INT128_DIGITS)
        must(stoa_decimal_parse(text, nbytes, whole + fraction, fraction, &decimal));
}

static void check_times(const char *text, size_t nbytes)
{
    char out[STOA_TIME_NBYTES];
    struct stoa_timestamp_text parsed;
    int32_t days, back_days;
    int64_t value, back;

    if (stoa_date_parse(text, nbytes, &days))
        must(stoa_date_format(days, out) == nbytes && memcmp(out, text, nbytes) == 0 &&
             stoa_date_parse(out, nbytes, &back_days) && back_days == days);
    if (stoa_time_parse(text, nbytes, STOA_NANO, &value))
        must(stoa_time_parse(out, stoa_time_format(value, STOA_NANO, out), STOA_NANO, &back) &&
             back == value);
    if (!stoa_timestamp_parse_text(text, nbytes, &parsed))
        return;
    for (unsigned unit = STOA_SECOND; unit <= STOA_NANO; unit++) {
        bool zoned = parsed.zone_nbytes > 0;
        size_t n;

        must(!stoa_timestamp_parse(text, nbytes, (enum stoa_time_unit)unit, !zoned, &value));
        if (!stoa_timestamp_parse(text, nbytes, (enum stoa_time_unit)unit, zoned, &value))
            continue;
        n = stoa_timestamp_format(value, (enum stoa_time_unit)unit, zoned, parsed.separator, out);
        must(stoa_timestamp_parse(out, n, (enum stoa_time_unit)unit, zoned, &back) &&
             back == value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static char text[MAX_NBYTES + 1];

    if (nbytes > MAX_NBYTES || memchr(data, 0, nbytes) != NULL) /* libc needs an end */
        return 0;
    memcpy(text, data, nbytes);
    text[nbytes] = '\0';
    check_floats(text, nbytes);
    /* On the input itself: a read past its end is seen. */
    check_exact((const char *)data, nbytes, text);
    check_times((const char *)data, nbytes);
    check_float16((const char *)data, nbytes);
    check_wide_decimals((const char *)data, nbytes);
    check_spans((const char *)data, nbytes);
    return 0;
}
