/*
 * Numbers as text, exact in both directions, without locale.
 *
 * Parsers take exactly nbytes bytes: no blanks around the number, no terminator needed. They
 * return false, and leave *out alone, when the text is no number of that type or the type cannot
 * hold it; a value is never clipped. Formatters write at most STOA_NUMBER_NBYTES bytes without a
 * terminator and return how many.
 *
 *     decimal text  [-+] digits [. digits] [e [-+] digits]     e or E; "5." and ".5" are numbers,
 *                                                              "." is none
 */
#ifndef STOA_BASE_NUMBER_H
#define STOA_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/int256.h"

#define STOA_NUMBER_NBYTES 80

/* [-] digits, any number of leading zeros. The only unsigned number with a '-' is "-0". */
bool stoa_number_parse_int64(const char *text, size_t nbytes, int64_t *out);
bool stoa_number_parse_uint64(const char *text, size_t nbytes, uint64_t *out);

/*
 * Decimal text, or in any case nan, inf, infinity with an optional sign. The nearest value, ties to
 * even: what strtod() and strtof() give in the C locale, however long the text is. A number that
 * rounds to infinity is refused; one too small for the type becomes a subnormal number or 0. A
 * float16 is its bits.
 */
bool stoa_number_parse_double(const char *text, size_t nbytes, double *out);
bool stoa_number_parse_float(const char *text, size_t nbytes, float *out);
bool stoa_number_parse_float16(const char *text, size_t nbytes, uint16_t *out);

/*
 * The digits of a decimal text from the first to the last that is not 0: 2 for "0.0120e5"; 0 for
 * zeros and for what is no decimal text. A double keeps 15 of them for certain, and no two doubles
 * look alike with 17.
 */
size_t stoa_number_significant_digits(const char *text, size_t nbytes);

size_t stoa_number_format_int64(int64_t x, char *out);
size_t stoa_number_format_uint64(uint64_t x, char *out);

/* "00", "01", ... "99", one after the other. */
extern const char stoa_digit_pairs[201];

/*
 * The fewest digits that read back as the same bits and, of those, the nearest to x. Plain for
 * 1e-5 <= |x| < 1e16, else with an exponent; always with a '.' or an 'e', so that the text keeps
 * its type: "1.0", "-0.0", "0.00001", "1e16", "1.5e-7". "NaN" (of any sign and payload),
 * "Infinity", "-Infinity".
 */
size_t stoa_number_format_double(double x, char *out);
size_t stoa_number_format_float(float x, char *out);
size_t stoa_number_format_float16(uint16_t x, char *out);

/*
 * decimal(precision, scale) as the integer value * 10^scale; scale <= precision <= 38, or 76 for
 * 256 bits. Decimal text that has a digit other than 0 behind the scale, or more digits than the
 * precision, is refused; an exponent is taken when the value is exact.
 */
bool stoa_decimal_parse(const char *text, size_t nbytes, unsigned precision, unsigned scale,
                        struct stoa_int128 *out);
bool stoa_decimal256_parse(const char *text, size_t nbytes, unsigned precision, unsigned scale,
                           struct stoa_int256 *out);

/* Always with `scale` digits behind the point, and no point when scale is 0. scale <= 38 or 76. */
size_t stoa_decimal_format(struct stoa_int128 x, unsigned scale, char *out);
size_t stoa_decimal256_format(struct stoa_int256 x, unsigned scale, char *out);

/*
 * The digits a decimal type needs in front of and behind the point to hold the text as written:
 * "007.50" needs 1 and 2, "1.5e3" 4 and 0, "0.00" 0 and 2. False when the text is no decimal text
 * or needs more than UINT16_MAX on one side.
 */
bool stoa_decimal_shape(const char *text, size_t nbytes, unsigned *integer_digits,
                        unsigned *fraction_digits);

#endif
