/*
 * One value as the text of a form (spec/csv.md, "Restore"); the inverse of csv/parse_*.c.
 *
 * Numbers have their shortest digits and zeros behind them. Most doubles of tables are decimals of
 * few digits: then x * 10^n, rounded, is a whole number m below 10^15, and m / 10^n is x again if
 * and only if n digits are enough, since a quotient of two exact doubles is rounded as a text is.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/bits.h"
#include "base/duration.h"
#include "base/number.h"
#include "base/text.h"
#include "column/scalar.h"
#include "column/type.h"
#include "csv/form.h"

/* Powers of ten that a double holds exactly. */
static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
#define MAX_FAST_NDIGITS 15

/* ---- Numbers. ---- */

/* The last `ndigits` digits of x. */
static inline char *write_padded(char *out, uint64_t x, unsigned ndigits)
{
    unsigned i = ndigits;

    for (; i >= 2; x /= 100)
        memcpy(out + (i -= 2), stoa_digit_pairs + 2 * (x % 100), 2);
    if (i > 0)
        out[0] = (char)('0' + x % 10);
    return out + ndigits;
}

static char *write_zeros(char *out, unsigned n)
{
    memset(out, '0', n);
    return out + n;
}

/* The value is 0.DIGITS * 10^point; there is no zero at the end of the digits. */
struct digits {
    bool negative;
    unsigned n;
    int point;
    char digits[STOA_NUMBER_NBYTES];
};

/* The text of a number as base/number.h writes it. */
static void take_digits(const char *text, size_t nbytes, struct digits *out)
{
    const char *exponent_at = memchr(text, 'e', nbytes);
    int64_t exponent = 0;
    unsigned behind = 0;
    bool seen = false;
    size_t i = 0;

    *out = (struct digits){.negative = nbytes > 0 && *text == '-'};
    if (exponent_at != NULL) {
        size_t at = (size_t)(exponent_at + 1 - text);

        if (!stoa_number_parse_int64(text + at, nbytes - at, &exponent))
            exponent = 0; /* never: it was just written */
        nbytes = at - 1;
    }
    for (i += out->negative; i < nbytes; i++) {
        if (text[i] == '.') {
            seen = true;
            continue;
        }
        behind += seen;
        out->digits[out->n++] = text[i];
    }
    out->point = (int)out->n - (int)behind + (int)exponent;
    while (out->n > 0 && out->digits[out->n - 1] == '0')
        out->n--;
    if (out->n == 0)
        out->point = 1;
}

/*
 * Plain notation: at least `ndigits` digits behind the point, no more than it needs, and no point
 * without any.
 */
static char *write_plain(char *out, const char *text, size_t nbytes, unsigned ndigits)
{
    struct digits number;
    unsigned behind = 0;
    int n, point;

    take_digits(text, nbytes, &number);
    n = (int)number.n;
    point = number.point;
    if (number.negative)
        *out++ = '-';
    if (point <= 0)
        *out++ = '0';
    for (int k = 0; k < point; k++)
        *out++ = k < n ? number.digits[k] : '0';
    if (ndigits == 0 && n <= point)
        return out;
    *out++ = '.';
    for (int k = point; k < n; k++, behind++)
        *out++ = k < 0 ? '0' : number.digits[k];
    return behind < ndigits ? write_zeros(out, ndigits - behind) : out;
}

/* One digit, a point, at least `ndigits` others if there are any, an exponent of a style. */
static char *write_exponent(char *out, const char *text, size_t nbytes, unsigned ndigits,
                            unsigned style)
{
    const unsigned width = 1 + (style >> STOA_CSV_EXPONENT_WIDTH_SHIFT);
    struct digits number;
    unsigned first = 0, behind, size, least = 1;
    int exponent;

    take_digits(text, nbytes, &number);
    while (first < number.n && number.digits[first] == '0')
        first++;
    exponent = number.n > 0 ? number.point - (int)first - 1 : 0;
    size = (unsigned)(exponent < 0 ? -exponent : exponent);
    behind = number.n > first + 1 ? number.n - first - 1 : 0;
    if (number.negative)
        *out++ = '-';
    *out++ = number.n > 0 ? number.digits[first] : '0';
    if (behind > 0 || ndigits > 0)
        *out++ = '.';
    memcpy(out, number.digits + first + 1, behind);
    out += behind;
    if (behind < ndigits)
        out = write_zeros(out, ndigits - behind);
    *out++ = style & STOA_CSV_EXPONENT_UPPER ? 'E' : 'e';
    if (exponent < 0)
        *out++ = '-';
    else if (style & STOA_CSV_EXPONENT_PLUS)
        *out++ = '+';
    while (least < 3 && size >= (least == 1 ? 10U : 100U))
        least++;
    return write_padded(out, size, least > width ? least : width);
}

/* In a form of floats. */
static char *write_form(const struct stoa_csv_printer *printer, const char *text, size_t nbytes,
                        unsigned form, char *out)
{
    if (form < STOA_CSV_FORM_EXPONENT)
        return write_plain(out, text, nbytes, form);
    return write_exponent(out, text, nbytes, form - STOA_CSV_FORM_EXPONENT, printer->rule.exponent);
}

/* Shortest digits, and zeros up to so many behind the point; true if that was quick. */
static bool write_quickly(double x, unsigned ndigits, char **at)
{
    double size = fabs(x);
    uint64_t whole, all;
    char *out = *at;

    if (ndigits > MAX_FAST_NDIGITS || isnan(x) || size * powers[ndigits] >= 1e15)
        return false;
    all = (uint64_t)(size * powers[ndigits] + 0.5);
    if ((double)all / powers[ndigits] != size)
        return false;
    *out = '-';
    out += signbit(x) != 0;
    whole = (uint64_t)size;
    out += stoa_number_format_uint64(whole, out);
    if (ndigits > 0) {
        *out++ = '.';
        out = write_padded(out, all - whole * (uint64_t)powers[ndigits], ndigits);
    }
    *at = out;
    return true;
}

static char *print_double(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                          size_t i, unsigned form, char *out)
{
    char text[STOA_NUMBER_NBYTES];
    double x;

    memcpy(&x, array->values + i * sizeof(x), sizeof(x));
    if (write_quickly(x, form, &out))
        return out;
    return write_form(printer, text, stoa_number_format_double(x, text), form, out);
}

/* Narrower floats have shortest digits of their own. */
static char *print_float(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                         size_t i, unsigned form, char *out)
{
    char text[STOA_TEXT_NBYTES];
    size_t nbytes = stoa_array_format(printer->column.field, array, i, text);

    return write_form(printer, text, nbytes, form, out);
}

/* All digits of the value, without the zeros at their end that the form does not ask for. */
static char *print_decimal(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                           size_t i, unsigned form, char *out)
{
    const unsigned scale = printer->column.field->type.scale;
    size_t nbytes = stoa_array_format(printer->column.field, array, i, out);
    unsigned ndigits = scale;

    if (scale == 0 && form > 0)
        out[nbytes++] = '.';
    for (; ndigits < form; ndigits++)
        out[nbytes++] = '0';
    for (; ndigits > form && out[nbytes - 1] == '0'; ndigits--)
        nbytes--;
    if (ndigits == 0 && scale > 0)
        nbytes--; /* the point */
    return out + nbytes;
}

/* A printed integer with as many digits as the form asks for. */
static char *pad_integer(char *out, size_t nbytes, unsigned form)
{
    size_t sign = *out == '-', ndigits = nbytes - sign;

    if (ndigits >= form)
        return out + nbytes;
    memmove(out + sign + form - ndigits, out + sign, ndigits);
    memset(out + sign, '0', form - ndigits);
    return out + sign + form;
}

static char *print_integer(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                           size_t i, unsigned form, char *out)
{
    return pad_integer(out, stoa_array_format(printer->column.field, array, i, out), form);
}

static char *print_int64(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                         size_t i, unsigned form, char *out)
{
    int64_t x;

    (void)printer;
    memcpy(&x, array->values + i * sizeof(x), sizeof(x));
    return pad_integer(out, stoa_number_format_int64(x, out), form);
}

/* A printed number in a dialect with another point, or with groups of three digits. */
static char *localize(const struct stoa_csv_options *options, char *begin, char *end)
{
    char digits[STOA_CSV_VALUE_NBYTES], *out = begin;
    const char *at = digits, *point;
    size_t nbytes = (size_t)(end - begin), nwhole = 0;

    memcpy(digits, begin, nbytes);
    if (nbytes > 0 && *at == '-') {
        out++;
        at++;
        nbytes--;
    }
    point = memchr(at, '.', nbytes);
    while (nwhole < nbytes && at[nwhole] >= '0' && at[nwhole] <= '9')
        nwhole++;
    for (size_t i = 0; i < nbytes; i++) {
        if (i > 0 && i < nwhole && (nwhole - i) % 3 == 0 && options->thousands != STOA_CSV_NONE)
            *out++ = options->thousands;
        *out++ = at + i == point ? options->decimal : at[i];
    }
    return out;
}

/* ---- Times. ---- */

static char *print_date(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                        size_t i, unsigned form, char *out)
{
    int32_t days;

    (void)form;
    memcpy(&days, array->values + i * sizeof(days), sizeof(days));
    if (printer->column.has_pattern)
        return out + stoa_time_pattern_format(&printer->column.pattern, days * INT64_C(86400), 0, 0,
                                              STOA_UTC_Z, out);
    return out + stoa_date_format(days, out);
}

/* Seconds and nanoseconds of a value of a time or timestamp. */
static int64_t split_value(const struct stoa_type *type, int64_t value, uint32_t *nanos)
{
    const int64_t per_second = stoa_time_unit_per_second(type->unit);
    int64_t seconds, rest;

    *nanos = 0;
    if (per_second == 1)
        return value;
    seconds = value / per_second;
    rest = value % per_second;
    if (rest < 0) {
        rest += per_second;
        seconds--;
    }
    *nanos = (uint32_t)(rest * (INT64_C(1000000000) / per_second));
    return seconds;
}

static int64_t seconds_of(const struct stoa_type *type, const struct stoa_array *array, size_t i,
                          uint32_t *nanos)
{
    return split_value(type, stoa_scalar_get(type, array, i).i64, nanos);
}

/* Digits of a fraction of a second that are needed. */
static unsigned fraction_ndigits(uint32_t nanos)
{
    unsigned n = 9;

    if (nanos == 0)
        return 0;
    for (; nanos % 10 == 0; nanos /= 10)
        n--;
    return n;
}

static char *write_fraction(char *out, uint32_t nanos, unsigned ndigits)
{
    char digits[9];

    if (ndigits == 0)
        return out;
    write_padded(digits, nanos, 9);
    *out++ = '.';
    memcpy(out, digits, ndigits);
    return out + ndigits;
}

/* Digits of a fraction in a form, and no fewer than are needed. */
static unsigned max_fraction(unsigned form, uint32_t nanos)
{
    unsigned least = fraction_ndigits(nanos), ndigits = form & STOA_CSV_FORM_FRACTION;

    return ndigits < least ? least : ndigits > 9 ? 9 : ndigits;
}

#define FORM_ZONE(form) ((enum stoa_time_utc)((form) >> STOA_CSV_FORM_ZONE_SHIFT & 3))

static char *print_time(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                        size_t i, unsigned form, char *out)
{
    uint32_t nanos;
    int64_t seconds = seconds_of(&printer->column.field->type, array, i, &nanos);
    unsigned ndigits = max_fraction(form, nanos);

    if (printer->column.has_pattern)
        return out + stoa_time_pattern_format(&printer->column.pattern, seconds, nanos, ndigits,
                                              FORM_ZONE(form), out);
    out += stoa_time_format(seconds, STOA_SECOND, out);
    return write_fraction(out, nanos, ndigits);
}

static char *write_zone(char *out, enum stoa_time_utc utc)
{
    static const char *const zones[] = {"Z", "+00:00", "+0000", "+00"};
    size_t nbytes = strlen(zones[utc]);

    memcpy(out, zones[utc], nbytes);
    return out + nbytes;
}

static char *print_timestamp(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                             size_t i, unsigned form, char *out)
{
    const struct stoa_type *type = &printer->column.field->type;
    uint32_t nanos;
    int64_t value, seconds;
    unsigned ndigits;

    memcpy(&value, array->values + i * sizeof(value), sizeof(value));
    seconds = split_value(type, value, &nanos);
    ndigits = max_fraction(form, nanos);
    if (printer->column.has_pattern)
        return out + stoa_time_pattern_format(&printer->column.pattern, seconds, nanos, ndigits,
                                              FORM_ZONE(form), out);
    out += stoa_timestamp_format_known(printer->known_days, seconds, STOA_SECOND, false,
                                       form & STOA_CSV_FORM_T ? 'T' : ' ', out);
    out = write_fraction(out, nanos, ndigits);
    return type->zone != NULL ? write_zone(out, FORM_ZONE(form)) : out;
}

/* ---- The others. ---- */

static char *print_bool(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                        size_t i, unsigned form, char *out)
{
    const struct stoa_csv_words *words = &printer->words[stoa_bitmap_get(array->values, i)];
    const char *word = words->items[form < words->nitems ? form : words->nitems - 1];
    size_t nbytes = strlen(word);

    memcpy(out, word, nbytes);
    return out + nbytes;
}

static char *print_uuid(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                        size_t i, unsigned form, char *out)
{
    size_t nbytes = stoa_array_format(printer->column.field, array, i, out);

    for (size_t k = 0; form == 1 && k < nbytes; k++)
        if (out[k] >= 'a')
            out[k] = (char)(out[k] - 'a' + 'A');
    return out + nbytes;
}

static char *print_other(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                         size_t i, unsigned form, char *out)
{
    (void)form;
    return out + stoa_array_format(printer->column.field, array, i, out);
}

/* ---- By type. ---- */

/* clang-format off */
static const struct kind {
    stoa_csv_value_printer *print;
    bool is_number; /* has the point and the groups of the dialect */
} kinds[] = {
    [STOA_BOOL]      = {print_bool, false},     [STOA_INT8]     = {print_integer, true},
    [STOA_INT16]     = {print_integer, true},   [STOA_INT32]    = {print_integer, true},
    [STOA_INT64]     = {print_int64, true},   [STOA_UINT8]    = {print_integer, true},
    [STOA_UINT16]    = {print_integer, true},   [STOA_UINT32]   = {print_integer, true},
    [STOA_UINT64]    = {print_integer, true},   [STOA_FLOAT16]  = {print_float, true},
    [STOA_FLOAT32]   = {print_float, true},     [STOA_FLOAT64]  = {print_double, true},
    [STOA_DECIMAL]   = {print_decimal, true},   [STOA_DATE32]   = {print_date, false},
    [STOA_TIME]      = {print_time, false},     [STOA_DURATION] = {print_other, false},
    [STOA_TIMESTAMP] = {print_timestamp, false}, [STOA_INTERVAL] = {print_other, false},
    [STOA_UUID]      = {print_uuid, false},
};
/* clang-format on */

bool stoa_csv_value_is_zero(const struct stoa_type *type, const struct stoa_array *array, size_t i)
{
    static const uint8_t zeros[sizeof(struct stoa_int256)];

    if (type->id == STOA_DECIMAL) {
        size_t width = stoa_type_width(type);

        return memcmp(array->values + i * width, zeros, width) == 0;
    }
    return type->id >= STOA_FLOAT16 && type->id <= STOA_FLOAT64 &&
           stoa_scalar_get(type, array, i).f64 == 0;
}

/* Texts of shortest digits have the order of their floats, so exponents begin at powers of ten. */
struct stoa_csv_exponent stoa_csv_value_exponent(const struct stoa_type *type,
                                                 const struct stoa_array *array, size_t i)
{
    const double size = fabs(stoa_scalar_get(type, array, i).f64);
    const bool narrow = type->id == STOA_FLOAT32;
    struct stoa_csv_exponent exponent = {.negative = size < 1 && size != 0, .ndigits = 1};

    if (exponent.negative)
        exponent.ndigits += (size < (narrow ? (double)1e-9F : 1e-9)) + (size < 1e-99);
    else
        exponent.ndigits += (size >= 1e10) + (size >= 1e100);
    if (narrow && exponent.ndigits > 2)
        exponent.ndigits = 2;
    return exponent;
}

bool stoa_csv_type_is_printed(const struct stoa_type *type)
{
    return (size_t)type->id < sizeof(kinds) / sizeof(kinds[0]) && kinds[type->id].print != NULL;
}

stoa_csv_value_printer *stoa_csv_value_printer_find(const struct stoa_csv_printer *printer)
{
    const struct stoa_type *type = &printer->column.field->type;

    if (!stoa_csv_type_is_printed(type) || (kinds[type->id].is_number && !printer->is_plain))
        return NULL;
    return kinds[type->id].print;
}

char *stoa_csv_value_print(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                           size_t i, unsigned form, char *out)
{
    const struct kind *kind = &kinds[printer->column.field->type.id];
    char *end = kind->print(printer, array, i, form, out);

    return printer->is_plain || !kind->is_number ? end : localize(printer->options, out, end);
}

/* Decimal digits of an integer. */
static unsigned integer_ndigits(const struct stoa_type *type, const struct stoa_array *array,
                                size_t i)
{
    struct stoa_scalar value = stoa_scalar_get(type, array, i);
    char text[STOA_NUMBER_NBYTES];

    if (value.kind == STOA_KIND_UINT64)
        return (unsigned)stoa_number_format_uint64(value.u64, text);
    return (unsigned)stoa_number_format_int64(value.i64, text) - (value.i64 < 0);
}

unsigned stoa_csv_value_least(const struct stoa_type *type, const struct stoa_array *array,
                              size_t i)
{
    uint32_t nanos;

    if (type->id >= STOA_INT8 && type->id <= STOA_UINT64)
        return integer_ndigits(type, array, i);
    if (type->id != STOA_TIME && type->id != STOA_TIMESTAMP)
        return 0;
    (void)seconds_of(type, array, i, &nanos);
    return fraction_ndigits(nanos);
}
