/*
 * Types that hold the values of two types.
 *
 * Types of a family join along these lines; between families there is one way each:
 *
 *     uint8 < uint16 < uint32 < uint64      decimal(p,s): the larger scale, and the larger number
 *     int8  < int16  < int32  < int64         of digits in front of the point
 *     float16 < float32 < float64           time, timestamp, duration: the finer unit
 *     enum: the symbols of both             uuid < fixed_binary(16) < binary, utf8 < binary
 *
 *     int -> float          float32 or float64, with enough digits; 64-bit ones are checked
 *                           one by one
 *     int -> decimal        with as many digits as the integer may have, no scale
 *     date32 -> timestamp   without a zone
 *     enum -> utf8
 *     null -> every type
 *
 * More than two types are joined from left to right.
 */
#include "column/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/type.h"

/* ---- Families ---- */

static bool is_signed(const struct stoa_type *type)
{
    return type->id >= STOA_INT8 && type->id <= STOA_INT64;
}

static bool is_unsigned(const struct stoa_type *type)
{
    return type->id >= STOA_UINT8 && type->id <= STOA_UINT64;
}

static bool is_integer(const struct stoa_type *type)
{
    return is_signed(type) || is_unsigned(type);
}

static bool is_float(const struct stoa_type *type)
{
    return type->id >= STOA_FLOAT16 && type->id <= STOA_FLOAT64;
}

static bool is_fixed_bytes(const struct stoa_type *type)
{
    return type->id == STOA_FIXED_BINARY || type->id == STOA_UUID;
}

static unsigned bits_of(const struct stoa_type *integer)
{
    return 8u * (unsigned)stoa_type_width(integer);
}

/* Decimal digits that every value of an integer type fits. */
static uint8_t digits_of(const struct stoa_type *integer)
{
    static const uint8_t digits[] = {
        [STOA_INT8] = 3,  [STOA_INT16] = 5,  [STOA_INT32] = 10,  [STOA_INT64] = 19,
        [STOA_UINT8] = 3, [STOA_UINT16] = 5, [STOA_UINT32] = 10, [STOA_UINT64] = 20,
    };

    return digits[integer->id];
}

/* Whole numbers of so many bits are values of the type. */
enum { FLOAT32_BITS = 24, FLOAT64_BITS = 53 };

/* ---- Joining ---- */

static struct stoa_type as_decimal(const struct stoa_type *number)
{
    if (number->id == STOA_DECIMAL)
        return *number;
    return (struct stoa_type){.id = STOA_DECIMAL, .precision = digits_of(number)};
}

static bool join_decimals(const struct stoa_type *a, const struct stoa_type *b,
                          struct stoa_type *out)
{
    struct stoa_type x = as_decimal(a), y = as_decimal(b);
    unsigned scale = x.scale > y.scale ? x.scale : y.scale;
    unsigned x_front = x.precision - x.scale, y_front = y.precision - y.scale;
    unsigned precision = (x_front > y_front ? x_front : y_front) + scale;

    *out = (struct stoa_type){
        .id = STOA_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
    return precision <= STOA_MAX_PRECISION;
}

static bool join_integers(const struct stoa_type *a, const struct stoa_type *b,
                          struct stoa_type *out)
{
    const struct stoa_type *s = is_signed(a) ? a : b, *u = is_signed(a) ? b : a;

    if (is_signed(a) == is_signed(b)) {
        *out = *(a->id > b->id ? a : b);
        return true;
    }
    if (u->id == STOA_UINT64)
        return join_decimals(a, b, out);
    *out = *s;
    if (bits_of(s) <= bits_of(u)) /* the next signed one behind the unsigned one's width */
        out->id = (enum stoa_type_id)(STOA_INT8 + (u->id - STOA_UINT8) + 1);
    return true;
}

static bool join_floats(const struct stoa_type *a, const struct stoa_type *b, struct stoa_type *out)
{
    const struct stoa_type *f = is_float(a) ? a : b, *other = is_float(a) ? b : a;

    *out = *f;
    if (is_float(other) && other->id > f->id)
        *out = *other;
    if (is_integer(other))
        out->id =
            f->id <= STOA_FLOAT32 && bits_of(other) <= FLOAT32_BITS ? STOA_FLOAT32 : STOA_FLOAT64;
    return true;
}

static bool zones_equal(const struct stoa_type *a, const struct stoa_type *b)
{
    return (a->zone == NULL) == (b->zone == NULL) &&
           (a->zone == NULL || strcmp(a->zone, b->zone) == 0);
}

static bool join_bytes(const struct stoa_type *a, const struct stoa_type *b, struct stoa_type *out)
{
    uint32_t a_width = a->id == STOA_UUID ? 16 : a->width;
    uint32_t b_width = b->id == STOA_UUID ? 16 : b->width;

    *out = (struct stoa_type){.id = STOA_BINARY};
    if (is_fixed_bytes(a) && is_fixed_bytes(b) && a_width == b_width)
        *out = (struct stoa_type){.id = STOA_FIXED_BINARY, .width = a_width};
    return true;
}

/*
 * The join of types that are not equal, without parameters that are owned: those are lent to *out
 * by `a` or `b`. Not for two enums.
 */
static bool join_types(const struct stoa_type *a, const struct stoa_type *b, struct stoa_type *out)
{
    bool numbers =
        (is_integer(a) || a->id == STOA_DECIMAL) && (is_integer(b) || b->id == STOA_DECIMAL);
    bool bytes =
        (is_fixed_bytes(a) || a->id == STOA_BINARY) && (is_fixed_bytes(b) || b->id == STOA_BINARY);

    if (a->id == STOA_NULL || b->id == STOA_NULL) {
        *out = *(a->id == STOA_NULL ? b : a);
        return true;
    }
    if (is_integer(a) && is_integer(b))
        return join_integers(a, b, out);
    if (numbers)
        return join_decimals(a, b, out);
    if ((is_float(a) || is_float(b)) && (is_float(a) || is_integer(a)) &&
        (is_float(b) || is_integer(b)))
        return join_floats(a, b, out);
    if (a->id == b->id && (a->id == STOA_TIME || a->id == STOA_DURATION || zones_equal(a, b))) {
        *out = *(a->unit > b->unit ? a : b);
        if (a->id == STOA_TIME || a->id == STOA_TIMESTAMP || a->id == STOA_DURATION)
            return true;
    }
    if (a->id == STOA_DATE32 || b->id == STOA_DATE32) {
        *out = *(a->id == STOA_DATE32 ? b : a);
        return out->id == STOA_TIMESTAMP && out->zone == NULL;
    }
    if (bytes)
        return join_bytes(a, b, out);
    if ((a->id == STOA_UTF8 || a->id == STOA_BINARY) &&
        (b->id == STOA_UTF8 || b->id == STOA_BINARY)) {
        *out = (struct stoa_type){.id = STOA_BINARY};
        return true;
    }
    if ((a->id == STOA_ENUM || b->id == STOA_ENUM) && (a->id == STOA_UTF8 || b->id == STOA_UTF8)) {
        *out = (struct stoa_type){.id = STOA_UTF8};
        return true;
    }
    return false;
}

static int compare_symbols(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_symbol(const char *const *sorted, uint32_t nsorted, const char *symbol)
{
    return bsearch(&symbol, sorted, nsorted, sizeof(sorted[0]), compare_symbols) != NULL;
}

/* The symbols of `a`, then those that `b` has besides. */
static enum stoa_status join_enums(const struct stoa_type *a, const struct stoa_type *b,
                                   struct stoa_type *out, bool *joined, struct stoa_error *err)
{
    size_t most = (size_t)a->nsymbols + b->nsymbols;
    struct stoa_type lent = {.id = STOA_ENUM};
    const char **sorted = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&sorted, a->nsymbols * sizeof(sorted[0]), err));
    STOA_TRY(stoa_alloc(&lent.symbols, most * sizeof(lent.symbols[0]), err));
    memcpy(sorted, a->symbols, a->nsymbols * sizeof(sorted[0]));
    qsort(sorted, a->nsymbols, sizeof(sorted[0]), compare_symbols);
    memcpy(lent.symbols, a->symbols, a->nsymbols * sizeof(lent.symbols[0]));
    lent.nsymbols = a->nsymbols;
    for (uint32_t i = 0; i < b->nsymbols; i++)
        if (!has_symbol(sorted, a->nsymbols, b->symbols[i]))
            lent.symbols[lent.nsymbols++] = b->symbols[i];
    *joined = lent.nsymbols <= STOA_MAX_SYMBOLS;
    if (*joined)
        STOA_TRY(stoa_type_copy(out, &lent, err));
out:
    stoa_free(sorted);
    stoa_free(lent.symbols);
    return st;
}

enum stoa_status stoa_type_join(const struct stoa_type *a, const struct stoa_type *b,
                                struct stoa_type *out, bool *joined, struct stoa_error *err)
{
    struct stoa_type lent;

    *joined = true;
    if (stoa_type_equal(a, b))
        return stoa_type_copy(out, a, err);
    if (a->id == STOA_ENUM && b->id == STOA_ENUM)
        return join_enums(a, b, out, joined, err);
    *joined = join_types(a, b, &lent);
    return *joined ? stoa_type_copy(out, &lent, err) : STOA_OK;
}

/* ---- Changes ---- */

static bool is_prefix_of(const struct stoa_type *a, const struct stoa_type *b)
{
    if (a->nsymbols > b->nsymbols)
        return false;
    for (uint32_t i = 0; i < a->nsymbols; i++)
        if (strcmp(a->symbols[i], b->symbols[i]) != 0)
            return false;
    return true;
}

static enum stoa_change change_of_number(const struct stoa_type *from, const struct stoa_type *to)
{
    if (is_float(to)) {
        if (from->id == STOA_FLOAT32 && to->id == STOA_FLOAT64)
            return STOA_CHANGE_WIDEN;
        if (is_float(from))
            return from->id < to->id ? STOA_CHANGE_ENCODE : STOA_CHANGE_CLASH;
        if (!is_integer(from) || to->id == STOA_FLOAT16)
            return STOA_CHANGE_CLASH;
        return bits_of(from) <= (to->id == STOA_FLOAT32 ? FLOAT32_BITS : FLOAT64_BITS)
                   ? STOA_CHANGE_ENCODE
                   : STOA_CHANGE_CHECKED;
    }
    if (to->id == STOA_DECIMAL && (is_integer(from) || from->id == STOA_DECIMAL)) {
        struct stoa_type x = as_decimal(from);

        if (x.scale > to->scale || x.precision - x.scale > to->precision - to->scale)
            return STOA_CHANGE_CLASH;
        return x.scale == to->scale ? STOA_CHANGE_WIDEN : STOA_CHANGE_ENCODE;
    }
    if (is_integer(from) && is_integer(to)) {
        bool fits = is_signed(from) == is_signed(to) ? from->id < to->id
                                                     : is_signed(to) && bits_of(from) < bits_of(to);

        return fits ? STOA_CHANGE_WIDEN : STOA_CHANGE_CLASH;
    }
    return STOA_CHANGE_CLASH;
}

/* Days fit seconds and milliseconds of 64 bits, and a time of day every unit. */
static enum stoa_change change_of_time(const struct stoa_type *from, const struct stoa_type *to)
{
    if (from->id == STOA_DATE32 && to->id == STOA_TIMESTAMP && to->zone == NULL)
        return to->unit <= STOA_MILLI ? STOA_CHANGE_ENCODE : STOA_CHANGE_CHECKED;
    if (from->id != to->id || from->unit > to->unit || !zones_equal(from, to))
        return STOA_CHANGE_CLASH;
    return from->id == STOA_TIME ? STOA_CHANGE_ENCODE : STOA_CHANGE_CHECKED;
}

static enum stoa_change change_of_bytes(const struct stoa_type *from, const struct stoa_type *to)
{
    if (from->id == STOA_UTF8 && to->id == STOA_BINARY)
        return STOA_CHANGE_WIDEN;
    if (from->id == STOA_UUID && to->id == STOA_FIXED_BINARY && to->width == 16)
        return STOA_CHANGE_WIDEN;
    if (to->id == STOA_BINARY && (is_fixed_bytes(from) || from->id == STOA_ENUM))
        return STOA_CHANGE_ENCODE;
    return STOA_CHANGE_CLASH;
}

/* Whether values have a text of their own that says all. */
static bool has_text(const struct stoa_type *type)
{
    const struct stoa_type_info *info = stoa_type_info(type->id);

    return info->layout == STOA_LAYOUT_BITS ||
           (info->layout == STOA_LAYOUT_FIXED && type->id != STOA_FIXED_BINARY);
}

enum stoa_change stoa_type_change(const struct stoa_type *from, const struct stoa_type *to)
{
    enum stoa_change change = STOA_CHANGE_CLASH;

    if (stoa_type_equal(from, to))
        return STOA_CHANGE_NONE;
    if (from->id == STOA_NULL)
        return STOA_CHANGE_WIDEN;
    if (from->id == STOA_ENUM && to->id == STOA_ENUM)
        return is_prefix_of(from, to) ? STOA_CHANGE_WIDEN : STOA_CHANGE_ENCODE;
    if (from->id == STOA_ENUM && to->id == STOA_UTF8)
        return STOA_CHANGE_ENCODE;
    if (to->id == STOA_TIME || to->id == STOA_TIMESTAMP || to->id == STOA_DURATION)
        change = change_of_time(from, to);
    else if (to->id == STOA_BINARY || to->id == STOA_FIXED_BINARY)
        change = change_of_bytes(from, to);
    else
        change = change_of_number(from, to);
    /* Binary stands for what was utf8 before a third type joined. */
    if (change == STOA_CHANGE_CLASH && (to->id == STOA_UTF8 || to->id == STOA_BINARY) &&
        has_text(from))
        return STOA_CHANGE_TEXT;
    return change;
}
