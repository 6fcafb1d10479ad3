/*
 * Decimal text taken apart, for number_parse.c, number_decimal.c and the literals of column/cast.c.
 */
#ifndef STOA_BASE_NUMBER_SCAN_H
#define STOA_BASE_NUMBER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * The value is +-D * 10^exponent, where D is the number with the digits `whole` and `fraction`.
 * An exponent beyond any text (more than 10^17) is cut to a value with the same meaning.
 */
struct stoa_number_text {
    bool negative;
    const char *whole;
    const char *fraction;
    size_t whole_ndigits;
    size_t fraction_ndigits;
    uint64_t digits; /* D modulo 2^64: D itself up to 19 digits */
    int64_t exponent;
};

static inline bool stoa_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* Whether eight bytes, loaded little-endian, are digits: 0x30..0x39, and no carry on adding 6. */
static inline bool stoa_eight_digits(uint64_t bytes)
{
    const uint64_t high_nibbles = UINT64_C(0xf0f0f0f0f0f0f0f0);

    return ((bytes & high_nibbles) | (((bytes + UINT64_C(0x0606060606060606)) & high_nibbles) >>
                                      4)) == UINT64_C(0x3333333333333333);
}

/* Their value: neighbours are joined to pairs, fours and eights, the first byte counting most. */
static inline uint64_t stoa_eight_digits_value(uint64_t bytes)
{
    bytes -= UINT64_C(0x3030303030303030);
    bytes = (bytes * 10 + (bytes >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    bytes = (bytes * 100 + (bytes >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (bytes * 10000 + (bytes >> 32)) & UINT64_C(0xffffffff);
}

/* How many of eight bytes, loaded little-endian, are digits before the first that is none. */
static inline unsigned stoa_leading_digits(uint64_t bytes)
{
    const uint64_t x = bytes ^ UINT64_C(0x3030303030303030);
    const uint64_t over =
        (((x & UINT64_C(0x7f7f7f7f7f7f7f7f)) + UINT64_C(0x7676767676767676)) | x) &
        UINT64_C(0x8080808080808080);

    return over == 0 ? 8 : (unsigned)__builtin_ctzll(over) / 8;
}

/* The value of the first 1 to 8 of them: zeros are put in front. */
static inline uint64_t stoa_leading_digits_value(uint64_t bytes, unsigned ndigits)
{
    const uint64_t digits = (bytes ^ UINT64_C(0x3030303030303030)) << (64 - 8 * ndigits);

    return stoa_eight_digits_value(digits + UINT64_C(0x3030303030303030));
}

/* Moves over the digits at `p` and appends them to *value, modulo 2^64. */
static inline const char *stoa_digits_scan(const char *p, const char *end, uint64_t *value)
{
    uint64_t x = *value;

    while (end - p >= 8) {
        uint64_t bytes = stoa_load64(p);

        if (!stoa_eight_digits(bytes))
            break;
        x = x * 100000000 + stoa_eight_digits_value(bytes);
        p += 8;
    }
    while (p < end && stoa_digit(*p))
        x = x * 10 + (uint64_t)(*p++ - '0');
    *value = x;
    return p;
}

/* [-+] digits, cut to +-10^17: far more than any text has digits, far less than 2^63. */
static inline bool stoa_exponent_scan(const char *p, const char *end, int64_t *exponent)
{
    const int64_t limit = INT64_C(100000000000000000);
    bool negative = p < end && *p == '-';
    int64_t x = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    for (; p < end; p++) {
        if (!stoa_digit(*p))
            return false;
        if (x < limit)
            x = x * 10 + (*p - '0');
    }
    *exponent = negative ? -x : x;
    return true;
}

/* Takes all of the text apart; false when it is no decimal text. */
static inline bool stoa_number_scan(const char *text, size_t nbytes, struct stoa_number_text *out)
{
    const char *p = text, *end = text + nbytes;
    int64_t exponent = 0;

    out->negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    out->digits = 0;
    out->whole = p;
    p = stoa_digits_scan(p, end, &out->digits);
    out->whole_ndigits = (size_t)(p - out->whole);
    out->fraction = p;
    out->fraction_ndigits = 0;
    if (p < end && *p == '.') {
        out->fraction = ++p;
        p = stoa_digits_scan(p, end, &out->digits);
        out->fraction_ndigits = (size_t)(p - out->fraction);
    }
    if (out->whole_ndigits + out->fraction_ndigits == 0)
        return false;
    if (p < end && ((*p != 'e' && *p != 'E') || !stoa_exponent_scan(p + 1, end, &exponent)))
        return false;
    out->exponent = exponent - (int64_t)out->fraction_ndigits;
    return true;
}

/* Digit i of D, from 0 for the first. */
static inline unsigned stoa_number_digit(const struct stoa_number_text *text, size_t i)
{
    char c = i < text->whole_ndigits ? text->whole[i] : text->fraction[i - text->whole_ndigits];

    return (unsigned)(c - '0');
}

static inline size_t stoa_number_ndigits(const struct stoa_number_text *text)
{
    return text->whole_ndigits + text->fraction_ndigits;
}

/* How many zeros D begins with: all its digits when D is 0. */
static inline size_t stoa_number_leading_zeros(const struct stoa_number_text *text)
{
    size_t ndigits = stoa_number_ndigits(text), i = 0;

    while (i < ndigits && stoa_number_digit(text, i) == 0)
        i++;
    return i;
}

#endif
