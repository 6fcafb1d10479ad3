/*
 * Decimals: text to an integer of 128 bits that counts units of the last place, and back.
 *
 *     "-12.5" as decimal(10,2)     digits 125 * 10^-1 = 1250 * 10^-2     -> -1250
 */
#include <assert.h>
#include <string.h>

#include "base/number.h"
#include "base/number_scan.h"

/* Digits [begin, end) of the text as a number: at most 38 of them, in two words of 19. */
static struct stoa_int128 collect(const struct stoa_number_text *text, size_t begin, size_t end)
{
    struct stoa_int128 x = stoa_int128_from_i64(0);
    bool fits = true;

    while (begin < end && fits) {
        unsigned n = 0;
        uint64_t word = 0;

        for (; begin < end && n < 19; n++)
            word = word * 10 + stoa_number_digit(text, begin++);
        fits =
            stoa_int128_mul_pow10(x, n, &x) && stoa_int128_add(x, stoa_int128_from_u64(word), &x);
    }
    assert(fits);
    return x;
}

bool stoa_decimal_parse(const char *text, size_t nbytes, unsigned precision, unsigned scale,
                        struct stoa_int128 *out)
{
    struct stoa_number_text number;
    struct stoa_int128 x;
    size_t begin, end;
    int64_t shift;

    assert(scale <= precision && precision <= STOA_INT128_DIGITS);
    if (!stoa_number_scan(text, nbytes, &number))
        return false;
    /* The value is D * 10^shift units of the last place. */
    shift = number.exponent + (int64_t)scale;
    end = stoa_number_ndigits(&number);
    if (shift >= 0 && shift <= 19 && end <= 19) { /* the usual case looks at no digit again */
        x = stoa_int128_from_u64(number.digits);
    } else {
        begin = stoa_number_leading_zeros(&number);
        if (begin == end) {
            *out = stoa_int128_from_i64(0);
            return true;
        }
        for (; shift < 0; shift++) {
            if (end == begin || stoa_number_digit(&number, --end) != 0)
                return false;
        }
        if (shift + (int64_t)(end - begin) > (int64_t)precision)
            return false;
        x = collect(&number, begin, end);
    }
    if (!stoa_int128_mul_pow10(x, (unsigned)shift, &x) || !stoa_int128_fits_digits(x, precision))
        return false;
    if (number.negative && !stoa_int128_neg(x, &x))
        return false;
    *out = x;
    return true;
}

size_t stoa_decimal_format(struct stoa_int128 x, unsigned scale, char *out)
{
    char digits[2 * STOA_NUMBER_NBYTES]; /* zeros, then |x|; its end is at digits + sizeof */
    char *end = digits + sizeof(digits), *begin;
    char *p = out;
    uint64_t low;
    struct stoa_int128 high = stoa_int128_div_u64(x, stoa_pow10[19], &low);
    /* |x| <= 2^127 < 10^19 * 2^64, so |high| fits a word. */
    uint64_t word = high.hi < 0 ? 0 - high.lo : high.lo;
    char text[STOA_NUMBER_NBYTES];
    size_t n;

    assert(scale <= STOA_INT128_DIGITS);
    memset(digits, '0', sizeof(digits));
    n = stoa_number_format_uint64(low, text);
    memcpy(end - n, text, n);
    begin = end - n;
    if (word > 0) {
        n = stoa_number_format_uint64(word, text);
        begin = end - 19 - n;
        memcpy(begin, text, n);
    }
    if ((size_t)(end - begin) < scale + 1)
        begin = end - scale - 1;
    if (x.hi < 0)
        *p++ = '-';
    n = (size_t)(end - begin) - scale;
    memcpy(p, begin, n);
    p += n;
    if (scale > 0) {
        *p++ = '.';
        memcpy(p, end - scale, scale);
        p += scale;
    }
    return (size_t)(p - out);
}

bool stoa_decimal_shape(const char *text, size_t nbytes, unsigned *integer_digits,
                        unsigned *fraction_digits)
{
    struct stoa_number_text number;
    size_t zeros;
    int64_t integer, fraction;

    if (!stoa_number_scan(text, nbytes, &number))
        return false;
    zeros = stoa_number_leading_zeros(&number);
    integer = (int64_t)(stoa_number_ndigits(&number) - zeros) + number.exponent;
    if (zeros == stoa_number_ndigits(&number) || integer < 0)
        integer = 0;
    fraction = number.exponent < 0 ? -number.exponent : 0;
    if (integer > UINT16_MAX || fraction > UINT16_MAX)
        return false;
    *integer_digits = (unsigned)integer;
    *fraction_digits = (unsigned)fraction;
    return true;
}
