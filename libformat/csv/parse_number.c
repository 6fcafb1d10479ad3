/*
 * Loops of numbers (csv/parse_loop.h): those without superfluous characters, of up to 18 digits.
 *
 * A number is split at its point by one comparison of eight bytes, and each part is a word or two:
 *
 *     - 7 3 . 9 7 6 1 9 8      whole 73, fraction 976198, 6 digits     73976198 / 10^6
 *
 * Both of these are exact in a double when there are 15 digits, so their quotient is rounded once:
 * it is the nearest double, as long as the processor rounds to the nearest.
 */
#include <float.h>

#include "base/int128.h"
#include "csv/parse_loop.h"

/* ---- Integers. ---- */

STOA_CSV_INLINE bool plain_signed(const char *text, size_t nbytes, int64_t *out, unsigned nbits)
{
    const bool negative = *text == '-';
    const uint64_t limit = UINT64_C(1) << (nbits - 1); /* one less above zero */
    uint64_t x;

    text += negative;
    nbytes -= negative;
    if (nbytes == 0 || !stoa_csv_digits_parse(text, nbytes, &x))
        return false;
    if (*text == '0' && (negative || nbytes > 1)) /* 007, -0 */
        return false;
    if (nbits < 64 && x >= limit + negative)
        return false;
    *out = negative ? -(int64_t)x : (int64_t)x;
    return true;
}

STOA_CSV_INLINE bool plain_unsigned(const char *text, size_t nbytes, uint64_t *out, unsigned nbits)
{
    return stoa_csv_digits_parse(text, nbytes, out) && (*text != '0' || nbytes == 1) &&
           (nbits == 64 || *out >> (nbits % 64) == 0);
}

/* With groups of digits, every number is one for the reference. */
#define INTEGER(name, type, wide, plain)                                                           \
    STOA_CSV_INLINE bool plain_##name(const struct stoa_csv_column *column, const char *text,      \
                                      size_t nbytes, void *state, void *out, unsigned *form)       \
    {                                                                                              \
        wide x;                                                                                    \
        type small;                                                                                \
                                                                                                   \
        (void)column, (void)state, (void)form;                                                     \
        if (!plain(text, nbytes, &x, 8 * sizeof(type)))                                            \
            return false;                                                                          \
        small = (type)x;                                                                           \
        memcpy(out, &small, sizeof(small));                                                        \
        return true;                                                                               \
    }                                                                                              \
                                                                                                   \
    void stoa_csv_loop_##name(struct stoa_csv_scan *scan)                                          \
    {                                                                                              \
        if (scan->column->reading->spellings.thousands < 0)                                        \
            stoa_csv_loop(scan, sizeof(type), plain_##name, NULL);                                 \
    }

INTEGER(int8, int8_t, int64_t, plain_signed)
INTEGER(int16, int16_t, int64_t, plain_signed)
INTEGER(int32, int32_t, int64_t, plain_signed)
INTEGER(int64, int64_t, int64_t, plain_signed)
INTEGER(uint8, uint8_t, uint64_t, plain_unsigned)
INTEGER(uint16, uint16_t, uint64_t, plain_unsigned)
INTEGER(uint32, uint32_t, uint64_t, plain_unsigned)
INTEGER(uint64, uint64_t, uint64_t, plain_unsigned)

/* ---- Numbers with a point. ---- */

struct decimal {
    uint64_t digits; /* of both parts */
    unsigned nwhole;
    unsigned nfraction;
    unsigned least; /* of nfraction, without zeros at the end */
    bool negative;
};

/* The first byte of a word that is `c`, from 0; 8 if there is none. */
STOA_CSV_INLINE unsigned find_byte(uint64_t word, char c)
{
    const uint64_t x = word ^ STOA_CSV_BYTES(c);
    const uint64_t zeros = (x - STOA_CSV_BYTES(1)) & ~x & STOA_CSV_BYTES(0x80);

    return zeros != 0 ? (unsigned)__builtin_ctzll(zeros) / 8 : 8;
}

/* The fraction's digits among those of its last word, the last on top, without zeros at the end. */
STOA_CSV_INLINE unsigned find_least(uint64_t digits, unsigned nfraction)
{
    return digits != 0 ? nfraction - (unsigned)__builtin_clzll(digits) / 8 : 0;
}

/* Behind `whole`, digits as they were loaded, 9 to 16 digits of a fraction. */
STOA_CSV_INLINE bool take_long_fraction(uint64_t whole, const char *text, struct decimal *out)
{
    const size_t nhigh = out->nfraction - 8;
    uint64_t high, low;

    if (!stoa_csv_digits_load(text, nhigh, &high) || !stoa_csv_digits_load(text + nhigh, 8, &low))
        return false;
    out->digits = stoa_csv_digits_value(whole) * stoa_pow10[out->nfraction] +
                  stoa_csv_digits_value(high) * 100000000 + stoa_csv_digits_value(low);
    out->least = find_least(low, out->nfraction);
    return low != 0; /* else there may be more zeros */
}

/*
 * [-] digits [point digits], no zero in front of another digit, up to 18 digits. Both parts are
 * joined to one word where they fit.
 */
STOA_CSV_INLINE bool take_decimal(const char *text, size_t nbytes, char point, struct decimal *out)
{
    uint64_t whole, fraction;
    size_t nwhole, nfraction;

    out->negative = *text == '-';
    text += out->negative;
    nbytes -= out->negative;
    nwhole = find_byte(stoa_load64(text), point);
    if (nwhole >= nbytes) /* a point there belongs to a later field */
        nwhole = nbytes;
    if (nwhole == 0 || (*text == '0' && nwhole > 1) || !stoa_csv_digits_load(text, nwhole, &whole))
        return false;
    out->nwhole = (unsigned)nwhole;
    out->nfraction = 0;
    out->least = 0;
    if (nwhole == nbytes) {
        out->digits = stoa_csv_digits_value(whole);
        return true;
    }
    nfraction = nbytes - nwhole - 1;
    /* No point in the first eight bytes, all of them digits: too long, or it is the ninth. */
    if (nwhole == 8 || nfraction == 0 || nfraction > 16 || nwhole + nfraction > 18)
        return false;
    text += nwhole + 1;
    out->nfraction = (unsigned)nfraction;
    if (nfraction > 8)
        return take_long_fraction(whole, text, out);
    if (!stoa_csv_digits_load(text, nfraction, &fraction))
        return false;
    out->least = find_least(fraction, out->nfraction);
    if (nwhole + nfraction <= 8)
        out->digits = stoa_csv_digits_value(whole >> (8 * nfraction) | fraction);
    else
        out->digits =
            stoa_csv_digits_value(whole) * stoa_pow10[nfraction] + stoa_csv_digits_value(fraction);
    return true;
}

/* Whether a quotient of doubles is what IEEE 754 says it is by default. */
static bool rounds_to_nearest(void)
{
    /* volatile, so that it is computed here and now; fegetround() is in another library. */
    static const volatile double one = 1, tiny = 0x1p-60;

    return FLT_EVAL_METHOD == 0 && one + tiny == 1 && one - tiny == 1;
}

STOA_CSV_INLINE bool plain_float64(const struct stoa_csv_column *column, const char *text,
                                   size_t nbytes, void *state, void *out, unsigned *form)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    struct decimal decimal;
    uint64_t bits;
    double x;

    (void)column;
    if (!take_decimal(text, nbytes, *(const char *)state, &decimal) ||
        decimal.nwhole + decimal.nfraction > 15)
        return false;
    x = (double)(int64_t)decimal.digits / powers[decimal.nfraction];
    memcpy(&bits, &x, sizeof(bits));
    bits |= (uint64_t)decimal.negative << 63;
    memcpy(out, &bits, sizeof(bits));
    *form = decimal.nfraction | decimal.least << STOA_CSV_FORM_LEAST_SHIFT;
    return true;
}

STOA_CSV_INLINE bool plain_float32(const struct stoa_csv_column *column, const char *text,
                                   size_t nbytes, void *state, void *out, unsigned *form)
{
    static const float powers[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f};
    struct decimal decimal;
    float x;

    (void)column;
    if (!take_decimal(text, nbytes, *(const char *)state, &decimal) ||
        decimal.nwhole + decimal.nfraction > 6)
        return false;
    x = (float)(int64_t)decimal.digits / powers[decimal.nfraction];
    x = decimal.negative ? -x : x;
    memcpy(out, &x, sizeof(x));
    *form = decimal.nfraction | decimal.least << STOA_CSV_FORM_LEAST_SHIFT;
    return true;
}

void stoa_csv_loop_float64(struct stoa_csv_scan *scan)
{
    char point = scan->column->reading->spellings.decimal;

    if (scan->column->reading->spellings.thousands < 0 && rounds_to_nearest())
        stoa_csv_loop(scan, sizeof(double), plain_float64, &point);
}

void stoa_csv_loop_float32(struct stoa_csv_scan *scan)
{
    char point = scan->column->reading->spellings.decimal;

    if (scan->column->reading->spellings.thousands < 0 && rounds_to_nearest())
        stoa_csv_loop(scan, sizeof(float), plain_float32, &point);
}

/* ---- Decimals. ---- */

/* Of the type and the dialect, in registers. */
struct decimal_type {
    unsigned precision;
    unsigned scale;
    char point;
};

STOA_CSV_INLINE bool plain_decimal(const struct stoa_csv_column *column, const char *text,
                                   size_t nbytes, void *state, void *out, unsigned *form)
{
    const struct decimal_type *type = state;
    struct decimal decimal;
    struct stoa_int128 x;
    uint64_t size;

    (void)column;
    if (!take_decimal(text, nbytes, type->point, &decimal) || decimal.nfraction > type->scale ||
        decimal.nwhole + type->scale > 18)
        return false;
    size = decimal.digits * stoa_pow10[type->scale - decimal.nfraction];
    if ((type->precision < 19 && size >= stoa_pow10[type->precision]) ||
        (decimal.negative && size == 0))
        return false;
    x = stoa_int128_from_i64(decimal.negative ? -(int64_t)size : (int64_t)size);
    memcpy(out, &x, sizeof(x));
    *form = decimal.nfraction | decimal.least << STOA_CSV_FORM_LEAST_SHIFT;
    return true;
}

void stoa_csv_loop_decimal(struct stoa_csv_scan *scan)
{
    const struct stoa_type *type = &scan->column->field->type;
    struct decimal_type state = {
        .precision = type->precision,
        .scale = type->scale,
        .point = scan->column->reading->spellings.decimal,
    };

    if (scan->column->reading->spellings.thousands < 0 && type->precision <= STOA_INT128_DIGITS)
        stoa_csv_loop(scan, sizeof(struct stoa_int128), plain_decimal, &state);
}
