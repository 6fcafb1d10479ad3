/*
 * Decimals: text to an integer of 128 or 256 bits that counts units of the last place, and back.
 *
 *     "-12.5" as decimal(10,2)     digits 125 * 10^-1 = 1250 * 10^-2     -> -1250
 */
#include <assert.h>
#include <string.h>

#include "base/number.h"
#include "base/number_scan.h"

/* Digits [begin, end) * 10^shift units of the last place, without zeros in front or left over. */
struct units {
    struct stoa_number_text text;
    size_t begin;
    size_t end; /* == begin: the number is 0 */
    unsigned shift;
};

/* False where the number has digits other than 0 behind the scale, or too many in all. */
static bool cut_to_units(struct units *units, unsigned precision, unsigned scale)
{
    const struct stoa_number_text *text = &units->text;
    int64_t shift = text->exponent + (int64_t)scale;

    units->shift = 0;
    units->begin = stoa_number_leading_zeros(text);
    units->end = stoa_number_ndigits(text);
    if (units->begin == units->end)
        return true;
    for (; shift < 0; shift++) {
        if (units->end == units->begin || stoa_number_digit(text, --units->end) != 0)
            return false;
    }
    if (shift + (int64_t)(units->end - units->begin) > (int64_t)precision)
        return false;
    units->shift = (unsigned)shift;
    return true;
}

/* Moves *begin over up to 19 digits, which *ndigits counts: their value. */
static uint64_t take_word(const struct units *units, size_t *begin, unsigned *ndigits)
{
    uint64_t word = 0;

    for (*ndigits = 0; *begin < units->end && *ndigits < 19; ++*ndigits)
        word = word * 10 + stoa_number_digit(&units->text, (*begin)++);
    return word;
}

static bool collect(const struct units *units, struct stoa_int128 *out)
{
    struct stoa_int128 x = stoa_int128_from_i64(0);
    unsigned ndigits;

    for (size_t begin = units->begin; begin < units->end;) {
        struct stoa_int128 word = stoa_int128_from_u64(take_word(units, &begin, &ndigits));

        if (!stoa_int128_mul_pow10(x, ndigits, &x) || !stoa_int128_add(x, word, &x))
            return false;
    }
    return stoa_int128_mul_pow10(x, units->shift, out);
}

static bool collect256(const struct units *units, struct stoa_int256 *out)
{
    struct stoa_int256 x = stoa_int256_from_i64(0);
    unsigned ndigits;

    for (size_t begin = units->begin; begin < units->end;) {
        struct stoa_int256 word = stoa_int256_from_u64(take_word(units, &begin, &ndigits));

        if (!stoa_int256_mul_pow10(x, ndigits, &x) || !stoa_int256_add(x, word, &x))
            return false;
    }
    return stoa_int256_mul_pow10(x, units->shift, out);
}

bool stoa_decimal_parse(const char *text, size_t nbytes, unsigned precision, unsigned scale,
                        struct stoa_int128 *out)
{
    struct units units;
    struct stoa_int128 x;
    int64_t shift;

    assert(scale <= precision && precision <= STOA_INT128_DIGITS);
    if (!stoa_number_scan(text, nbytes, &units.text))
        return false;
    shift = units.text.exponent + (int64_t)scale;
    if (shift >= 0 && shift <= 19 && stoa_number_ndigits(&units.text) <= 19) {
        /* The usual case looks at no digit again. */
        x = stoa_int128_from_u64(units.text.digits);
        if (!stoa_int128_mul_pow10(x, (unsigned)shift, &x) ||
            !stoa_int128_fits_digits(x, precision))
            return false;
    } else if (!cut_to_units(&units, precision, scale) || !collect(&units, &x)) {
        return false;
    }
    if (units.text.negative && !stoa_int128_neg(x, &x))
        return false;
    *out = x;
    return true;
}

bool stoa_decimal256_parse(const char *text, size_t nbytes, unsigned precision, unsigned scale,
                           struct stoa_int256 *out)
{
    struct units units;
    struct stoa_int256 x;

    assert(scale <= precision && precision <= STOA_INT256_DIGITS);
    if (!stoa_number_scan(text, nbytes, &units.text) || !cut_to_units(&units, precision, scale) ||
        !collect256(&units, &x) || (units.text.negative && !stoa_int256_neg(x, &x)))
        return false;
    *out = x;
    return true;
}

/* ---- Writing ---- */

enum { MAX_NDIGITS = 77 }; /* of 2^255 */

/* The digits of a size, at the end of the room; those in front of `begin` are zeros. */
struct digits {
    char room[MAX_NDIGITS + 19];
    char *begin;
};

/* Puts a word of the size in front; every one but the last has 19 digits. */
static void put_word(struct digits *digits, unsigned nwords_behind, uint64_t word)
{
    char *end = digits->room + sizeof(digits->room) - (size_t)19 * nwords_behind;
    char text[STOA_NUMBER_NBYTES];
    size_t n = stoa_number_format_uint64(word, text);

    if (word == 0 && nwords_behind > 0)
        return;
    memcpy(end - n, text, n);
    digits->begin = end - n;
}

static size_t write_with_point(struct digits *digits, bool negative, unsigned scale, char *out)
{
    char *end = digits->room + sizeof(digits->room), *p = out;
    size_t n;

    if ((size_t)(end - digits->begin) < scale + 1)
        digits->begin = end - scale - 1;
    if (negative)
        *p++ = '-';
    n = (size_t)(end - digits->begin) - scale;
    memcpy(p, digits->begin, n);
    p += n;
    if (scale > 0) {
        *p++ = '.';
        memcpy(p, end - scale, scale);
        p += scale;
    }
    return (size_t)(p - out);
}

size_t stoa_decimal_format(struct stoa_int128 x, unsigned scale, char *out)
{
    struct digits digits;
    uint64_t low;
    struct stoa_int128 high = stoa_int128_div_u64(x, stoa_pow10[19], &low);

    assert(scale <= STOA_INT128_DIGITS);
    memset(digits.room, '0', sizeof(digits.room));
    put_word(&digits, 0, low);
    /* |x| <= 2^127 < 10^19 * 2^64, so |high| fits a word. */
    put_word(&digits, 1, high.hi < 0 ? 0 - high.lo : high.lo);
    return write_with_point(&digits, x.hi < 0, scale, out);
}

size_t stoa_decimal256_format(struct stoa_int256 x, unsigned scale, char *out)
{
    const struct stoa_int256 zero = stoa_int256_from_i64(0);
    struct stoa_int256 rest = x;
    struct digits digits;

    assert(scale <= STOA_INT256_DIGITS);
    memset(digits.room, '0', sizeof(digits.room));
    for (unsigned i = 0; i == 0 || stoa_int256_cmp(rest, zero) != 0; i++) {
        uint64_t word;

        rest = stoa_int256_div_u64(rest, stoa_pow10[19], &word);
        put_word(&digits, i, word);
    }
    return write_with_point(&digits, stoa_int256_is_negative(x), scale, out);
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
