/*
 * The forms of numbers and of quotes (csv/parse.h): how the text of a value was written, as far as
 * a form can say it.
 */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/number_scan.h"
#include "csv/parse_value.h"

enum {
    MAX_PADDED_NDIGITS = 32,    /* of an integer with zeros in front */
    MAX_FRACTION_NDIGITS = 254, /* 255 is VERBATIM */
    MAX_LEAST_NDIGITS = 127,
    MAX_EXPONENT_NDIGITS = 3,
    GROUP_NDIGITS = 3,
    CERTAIN_NDIGITS = 15, /* so few digits are those of the shortest text of their double */
};

/* Digits of a whole number that is written without groups where the dialect has them. */
static bool lacks_groups(const struct stoa_csv_column *column, size_t whole_ndigits, bool grouped)
{
    return column->reading->spellings.thousands >= 0 && !grouped && whole_ndigits > GROUP_NDIGITS;
}

unsigned stoa_csv_form_of_integer(const struct stoa_csv_column *column, const char *text,
                                  size_t nbytes, bool grouped)
{
    const bool negative = text[0] == '-';
    const size_t ndigits = nbytes - negative;
    const char *digits = text + negative;
    size_t nzeros = 0;

    while (nzeros < ndigits && digits[nzeros] == '0')
        nzeros++;
    if (negative && nzeros == ndigits)
        return STOA_CSV_FORM_VERBATIM; /* -0 */
    if (lacks_groups(column, ndigits, grouped))
        return STOA_CSV_FORM_VERBATIM;
    if (nzeros == 0 || ndigits == 1)
        return 0;
    return ndigits > MAX_PADDED_NDIGITS || column->reading->spellings.thousands >= 0
               ? STOA_CSV_FORM_VERBATIM
               : (unsigned)ndigits;
}

/* Whether the digits of a number are written without superfluous characters. */
static bool has_plain_digits(const struct stoa_number_text *number, const char *text, size_t nbytes)
{
    const char *end = text + nbytes, *whole_end = number->whole + number->whole_ndigits;
    const bool point = whole_end < end && *whole_end == '.';

    return text[0] != '+' && number->whole_ndigits > 0 &&
           (number->whole_ndigits == 1 || number->whole[0] != '0') &&
           (number->fraction_ndigits > 0 || !point);
}

/* The same, and without an exponent. */
static bool is_plain(const struct stoa_csv_column *column, const struct stoa_number_text *number,
                     const char *text, size_t nbytes, bool grouped)
{
    return has_plain_digits(number, text, nbytes) &&
           number->fraction + number->fraction_ndigits == text + nbytes &&
           !lacks_groups(column, number->whole_ndigits, grouped);
}

/* Digits behind the point, and the fewest that write the same value. */
static unsigned form_of_fraction(const struct stoa_number_text *number)
{
    size_t ndigits = number->fraction_ndigits, least = ndigits;

    while (least > 0 && number->fraction[least - 1] == '0')
        least--;
    if (ndigits > MAX_FRACTION_NDIGITS || least > MAX_LEAST_NDIGITS)
        return STOA_CSV_FORM_VERBATIM;
    return (unsigned)(ndigits | least << STOA_CSV_FORM_LEAST_SHIFT);
}

unsigned stoa_csv_form_of_decimal(const struct stoa_csv_column *column, const char *text,
                                  size_t nbytes, bool grouped)
{
    struct stoa_number_text number;

    if (!stoa_number_scan(text, nbytes, &number) ||
        !is_plain(column, &number, text, nbytes, grouped) ||
        (number.negative && stoa_number_leading_zeros(&number) == stoa_number_ndigits(&number)))
        return STOA_CSV_FORM_VERBATIM;
    return form_of_fraction(&number);
}

/* Any double but zeros, infinities, and the smallest, which have fewer digits. */
static bool is_normal(const void *value)
{
    double x;

    memcpy(&x, value, sizeof(x));
    return isnormal(x);
}

static size_t format_shortest(enum stoa_type_id id, const void *value, char *out)
{
    double f64;
    float f32;
    uint16_t f16;

    if (id == STOA_FLOAT64) {
        memcpy(&f64, value, sizeof(f64));
        return stoa_number_format_double(f64, out);
    }
    if (id == STOA_FLOAT32) {
        memcpy(&f32, value, sizeof(f32));
        return stoa_number_format_float(f32, out);
    }
    memcpy(&f16, value, sizeof(f16));
    return stoa_number_format_float16(f16, out);
}

/* The digits from the first to the last that is not 0. */
struct digits {
    size_t begin;
    size_t end;
};

static struct digits significant(const struct stoa_number_text *number)
{
    struct digits digits = {.begin = stoa_number_leading_zeros(number),
                            .end = stoa_number_ndigits(number)};

    while (digits.end > digits.begin && stoa_number_digit(number, digits.end - 1) == 0)
        digits.end--;
    return digits;
}

/* Whether the shortest text of the float has the digits of the number that it was read from. */
static bool is_shortest(enum stoa_type_id id, const struct stoa_number_text *number,
                        const void *value)
{
    const struct digits digits = significant(number);
    const size_t ndigits = digits.end - digits.begin;
    char text[STOA_NUMBER_NBYTES];
    struct stoa_number_text shortest;
    struct digits others;

    if (ndigits == 0)
        return true;
    if (ndigits <= CERTAIN_NDIGITS && id == STOA_FLOAT64 && is_normal(value))
        return true;
    if (!stoa_number_scan(text, format_shortest(id, value, text), &shortest))
        return false; /* not finite */
    others = significant(&shortest);
    if (others.end - others.begin != ndigits)
        return false;
    for (size_t i = 0; i < ndigits; i++) {
        if (stoa_number_digit(number, digits.begin + i) !=
            stoa_number_digit(&shortest, others.begin + i))
            return false;
    }
    return true;
}

/* How the exponent at `at` is written; false for a way that no style has. */
static bool style_of_exponent(const char *at, const char *end, bool is_zero, unsigned *style)
{
    const bool upper = at < end && *at == 'E';
    const bool plus = end - at > 1 && at[1] == '+', minus = end - at > 1 && at[1] == '-';
    const size_t sign_nbytes = (size_t)1 + (plus || minus);
    size_t ndigits, nzeros = 0;

    if ((size_t)(end - at) <= sign_nbytes)
        return false;
    at += sign_nbytes;
    ndigits = (size_t)(end - at);
    while (nzeros < ndigits && at[nzeros] == '0')
        nzeros++;
    if (ndigits > MAX_EXPONENT_NDIGITS || (minus && nzeros == ndigits) ||
        (is_zero && nzeros < ndigits))
        return false;
    *style = (upper ? STOA_CSV_EXPONENT_UPPER : 0) | (plus ? STOA_CSV_EXPONENT_PLUS : 0) |
             (unsigned)(ndigits - 1) << STOA_CSV_EXPONENT_WIDTH_SHIFT;
    return true;
}

/* One digit, a point and others, and an exponent. */
static unsigned form_of_exponent(const struct stoa_number_text *number, const char *text,
                                 size_t nbytes)
{
    const bool is_zero = stoa_number_leading_zeros(number) == stoa_number_ndigits(number);
    const size_t ndigits = number->fraction_ndigits;
    const bool is_short = ndigits == 0 || number->fraction[ndigits - 1] != '0';
    unsigned style;

    if (!has_plain_digits(number, text, nbytes) || number->whole_ndigits != 1 ||
        (number->whole[0] == '0' && !is_zero) ||
        ndigits > STOA_CSV_MAX_FORM - STOA_CSV_FORM_EXPONENT ||
        !style_of_exponent(number->fraction + ndigits, text + nbytes, is_zero, &style))
        return STOA_CSV_FORM_VERBATIM;
    return (unsigned)(STOA_CSV_FORM_EXPONENT + ndigits) | style << STOA_CSV_FORM_STYLE_SHIFT |
           (is_short ? STOA_CSV_FORM_SHORT : 0);
}

unsigned stoa_csv_form_of_float(const struct stoa_csv_column *column, const char *text,
                                size_t nbytes, bool grouped, const void *value)
{
    struct stoa_number_text number;
    unsigned form;

    if (!stoa_number_scan(text, nbytes, &number)) /* nan, inf */
        return STOA_CSV_FORM_VERBATIM;
    if (!is_plain(column, &number, text, nbytes, grouped))
        form = form_of_exponent(&number, text, nbytes);
    else if (number.fraction_ndigits < STOA_CSV_FORM_EXPONENT)
        form = form_of_fraction(&number);
    else
        form = STOA_CSV_FORM_VERBATIM;
    if (form == STOA_CSV_FORM_VERBATIM || !is_shortest(column->field->type.id, &number, value))
        return STOA_CSV_FORM_VERBATIM;
    return form;
}

bool stoa_csv_field_is_restorable(const struct stoa_csv_field *field, const char *begin,
                                  const char *end, const char *text, size_t nbytes)
{
    const struct stoa_csv_dialect *dialect = field->dialect;
    const char *raw = begin;

    if (!field->doubled)
        return nbytes + (field->quoted ? 2 : 0) == (size_t)(begin < end ? end - begin : 0);
    if (!field->quoted || *raw++ != (char)dialect->quote)
        return false;
    for (size_t i = 0; i < nbytes; i++) {
        const bool special =
            text[i] == (char)dialect->quote || (unsigned char)text[i] == dialect->escape;
        const char before = (char)(dialect->escape >= 0 ? dialect->escape : dialect->quote);

        if (special && (raw == end || *raw++ != before))
            return false;
        if (raw == end || *raw++ != text[i])
            return false;
    }
    return raw + 1 == end && *raw == (char)dialect->quote;
}
