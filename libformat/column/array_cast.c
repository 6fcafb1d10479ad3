/*
 * Values of one type as values of another.
 *
 * A caster takes one value, which is not null, and appends it to a builder, or is false when the
 * other type has no equal value. Which one it is depends on the two types alone.
 */
#include "column/array_cast.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "base/int256.h"
#include "base/time.h"
#include "column/array.h"
#include "column/builder.h"
#include "column/join.h"
#include "column/scalar.h"

enum { DAY_SECONDS = 86400, DECIMAL128_NBYTES = 16 };

struct cast {
    const struct stoa_field *from;
    const struct stoa_type *to;
    const struct stoa_array *array;
    struct stoa_builder builder;
    int64_t factor;    /* times: units of `to` in one of `from` */
    uint32_t *symbols; /* enums: the number in `to` of each symbol */
};

/* Appends value i; false when there is no equal one. There is room for a value of fixed width. */
typedef bool caster(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err);

static struct stoa_scalar scalar_at(const struct cast *cast, size_t i)
{
    return stoa_scalar_get(&cast->from->type, cast->array, i);
}

/* ---- Numbers ---- */

static bool put_integer(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err)
{
    struct stoa_scalar x = scalar_at(cast, i);

    (void)st;
    (void)err;
    switch (cast->builder.width) { /* the low bytes are the value: it fits */
    case 1:
        stoa_builder_append_8(&cast->builder, (uint8_t)x.u64);
        break;
    case 2:
        stoa_builder_append_16(&cast->builder, (uint16_t)x.u64);
        break;
    case 4:
        stoa_builder_append_32(&cast->builder, (uint32_t)x.u64);
        break;
    default:
        stoa_builder_append_64(&cast->builder, x.u64);
    }
    return true;
}

/* The double of an integer; false when it would be rounded. */
static bool exact_double(const struct stoa_scalar *x, double *out)
{
    const double top = 18446744073709551616.0; /* 2^64 */

    if (x->kind == STOA_KIND_UINT64) {
        *out = (double)x->u64;
        return *out < top && (uint64_t)*out == x->u64;
    }
    *out = (double)x->i64;
    return *out < top / 2 && (int64_t)*out == x->i64;
}

static bool put_float(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err)
{
    struct stoa_scalar x = scalar_at(cast, i);
    double wide = x.f64;
    float narrow;

    (void)st;
    (void)err;
    if (x.kind != STOA_KIND_DOUBLE && !exact_double(&x, &wide))
        return false;
    narrow = (float)wide;
    if (cast->builder.width == sizeof(narrow))
        stoa_builder_append_fixed(&cast->builder, &narrow);
    else
        stoa_builder_append_fixed(&cast->builder, &wide);
    return true;
}

static struct stoa_int256 as_int256(const struct stoa_scalar *x)
{
    if (x->kind == STOA_KIND_UINT64)
        return stoa_int256_from_u64(x->u64);
    if (x->kind == STOA_KIND_INT256)
        return x->i256;
    if (x->kind == STOA_KIND_INT128)
        return stoa_int256_from_i128(x->i128);
    return stoa_int256_from_i64(x->i64);
}

static bool put_decimal(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err)
{
    struct stoa_scalar x = scalar_at(cast, i);
    struct stoa_int256 value = as_int256(&x);
    struct stoa_int128 low;

    (void)st;
    (void)err;
    if (!stoa_int256_mul_pow10(value, (unsigned)(cast->to->scale - cast->from->type.scale),
                               &value) ||
        !stoa_int256_fits_digits(value, cast->to->precision))
        return false;
    low = stoa_int256_low(value);
    if (cast->builder.width == DECIMAL128_NBYTES)
        stoa_builder_append_fixed(&cast->builder, &low);
    else
        stoa_builder_append_fixed(&cast->builder, &value);
    return true;
}

/* ---- Times ---- */

static bool put_time(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err)
{
    int64_t value = scalar_at(cast, i).i64;

    (void)st;
    (void)err;
    if (__builtin_mul_overflow(value, cast->factor, &value))
        return false;
    if (cast->builder.width == sizeof(int32_t)) /* of a day: it fits */
        stoa_builder_append_32(&cast->builder, (uint32_t)value);
    else
        stoa_builder_append_64(&cast->builder, (uint64_t)value);
    return true;
}

static int64_t time_factor(const struct stoa_type *from, const struct stoa_type *to)
{
    int64_t per_second = stoa_time_unit_per_second(to->unit);

    if (from->id == STOA_DATE32)
        return DAY_SECONDS * per_second;
    return per_second / stoa_time_unit_per_second(from->unit);
}

/* ---- Enums, text and bytes ---- */

static bool put_symbol(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err)
{
    (void)st;
    (void)err;
    stoa_builder_append_32(&cast->builder, cast->symbols[scalar_at(cast, i).u64]);
    return true;
}

static bool append_text(struct cast *cast, const void *text, size_t nbytes, enum stoa_status *st,
                        struct stoa_error *err)
{
    *st = stoa_builder_reserve(&cast->builder, 1, nbytes, err);
    if (*st == STOA_OK)
        stoa_builder_append_bytes(&cast->builder, text, nbytes);
    return true;
}

static bool put_bytes(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err)
{
    struct stoa_scalar x = scalar_at(cast, i);

    return append_text(cast, x.bytes, x.nbytes, st, err);
}

static bool put_fixed(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err)
{
    (void)st;
    (void)err;
    stoa_builder_append_fixed(&cast->builder, cast->array->values + i * cast->builder.width);
    return true;
}

static bool put_symbol_text(struct cast *cast, size_t i, enum stoa_status *st,
                            struct stoa_error *err)
{
    const char *symbol = cast->from->type.symbols[scalar_at(cast, i).u64];

    return append_text(cast, symbol, strlen(symbol), st, err);
}

static bool put_text(struct cast *cast, size_t i, enum stoa_status *st, struct stoa_error *err)
{
    char text[STOA_TEXT_NBYTES];

    return append_text(cast, text, stoa_array_format(cast->from, cast->array, i, text), st, err);
}

/* ---- Which it is ---- */

static caster *find_text_caster(const struct stoa_type *from)
{
    if (from->id == STOA_ENUM)
        return put_symbol_text;
    return stoa_scalar_kind_of(from) == STOA_KIND_BYTES ? put_bytes : put_text;
}

static caster *find_caster(const struct stoa_type *from, const struct stoa_type *to)
{
    switch (to->id) {
    case STOA_FLOAT32:
    case STOA_FLOAT64:
        return put_float;
    case STOA_DECIMAL:
        return put_decimal;
    case STOA_TIME:
    case STOA_TIMESTAMP:
    case STOA_DURATION:
        return put_time;
    case STOA_ENUM:
        return put_symbol;
    case STOA_FIXED_BINARY:
        return put_fixed;
    case STOA_BINARY:
        return find_text_caster(from);
    case STOA_UTF8:
        return from->id == STOA_ENUM ? put_symbol_text : put_text;
    default:
        return put_integer;
    }
}

/* The numbers of the symbols in the other enum, which has them all. */
static enum stoa_status map_symbols(struct cast *cast, struct stoa_error *err)
{
    const struct stoa_type *from = &cast->from->type, *to = cast->to;
    struct stoa_field *fields = NULL;
    enum stoa_status st;

    if (from->id != STOA_ENUM || to->id != STOA_ENUM)
        return STOA_OK;
    /* Symbols are matched like the names of fields. */
    STOA_TRY(
        stoa_alloc_zeroed(&fields, (size_t)from->nsymbols + to->nsymbols, sizeof(fields[0]), err));
    STOA_TRY(stoa_alloc(&cast->symbols, from->nsymbols * sizeof(cast->symbols[0]), err));
    for (uint32_t i = 0; i < from->nsymbols; i++)
        fields[i].name = from->symbols[i];
    for (uint32_t i = 0; i < to->nsymbols; i++)
        fields[from->nsymbols + i].name = to->symbols[i];
    STOA_TRY(stoa_fields_match(fields + from->nsymbols, to->nsymbols, fields, from->nsymbols,
                               cast->symbols, err));
out:
    stoa_free(fields);
    return st;
}

static enum stoa_status fail_value(const struct cast *cast, size_t i, struct stoa_error *err)
{
    struct stoa_field to = {.type = *cast->to};
    char text[STOA_TEXT_NBYTES], *name = NULL;
    size_t nbytes = stoa_array_format(cast->from, cast->array, i, text);
    enum stoa_status st = stoa_type_print(&to, &name, err);

    if (st != STOA_OK)
        return st;
    st = stoa_fail(err, STOA_ERR_DATA, "value %zu is %.*s, which has no equal %s", i, (int)nbytes,
                   text, name);
    stoa_free(name);
    return st;
}

static enum stoa_status cast_values(const struct stoa_field *from, const struct stoa_array *array,
                                    const struct stoa_type *to, struct stoa_array *out,
                                    struct stoa_error *err)
{
    struct cast cast = {
        .from = from,
        .to = to,
        .array = array,
        .factor = time_factor(&from->type, to),
    };
    caster *put = find_caster(&from->type, to);
    enum stoa_status st;

    STOA_TRY(map_symbols(&cast, err));
    STOA_TRY(stoa_builder_init(&cast.builder, to, array->nvalues, err));
    STOA_TRY(stoa_builder_reserve(&cast.builder, array->nvalues, 0, err));
    for (size_t i = 0; i < array->nvalues; i++) {
        if (stoa_array_is_null(array, i))
            stoa_builder_append_null(&cast.builder);
        else if (!put(&cast, i, &st, err))
            st = fail_value(&cast, i, err);
        if (st != STOA_OK)
            goto out;
    }
    stoa_builder_finish(&cast.builder, out);
out:
    stoa_builder_reset(&cast.builder);
    stoa_free(cast.symbols);
    return st;
}

/* ---- Nulls ---- */

static enum stoa_status make_leaf_nulls(const struct stoa_type *type, size_t nvalues,
                                        struct stoa_array *out, struct stoa_error *err)
{
    enum stoa_status st = stoa_array_alloc(type, nvalues, 0, true, out, err);

    if (st != STOA_OK)
        return st;
    if (stoa_type_info(type->id)->layout == STOA_LAYOUT_FIXED)
        memset(out->values, 0, nvalues * stoa_type_width(type));
    if (out->offsets != NULL)
        memset(out->offsets, 0, (nvalues + 1) * sizeof(out->offsets[0]));
    return STOA_OK;
}

enum stoa_status stoa_array_nulls(const struct stoa_field *field, size_t nvalues,
                                  struct stoa_array *out, struct stoa_error *err)
{
    static const struct stoa_type none = {.id = STOA_NULL}, offsets = {.id = STOA_BINARY};
    enum stoa_layout layout = stoa_type_info(field->type.id)->layout;
    struct stoa_array array = {0};
    size_t nchild = nvalues;
    enum stoa_status st;

    if (layout <= STOA_LAYOUT_BYTES)
        return make_leaf_nulls(&field->type, nvalues, out, err);
    if (layout == STOA_LAYOUT_FIXED_LIST && !stoa_mul_size(nvalues, field->type.width, &nchild))
        return stoa_fail_nomem(err, SIZE_MAX);
    if (layout == STOA_LAYOUT_LIST)
        nchild = 0;
    STOA_TRY(make_leaf_nulls(layout == STOA_LAYOUT_LIST ? &offsets : &none, nvalues, &array, err));
    stoa_free(array.values); /* lists have none */
    array.values = NULL;
    STOA_TRY(stoa_alloc_zeroed(&array.children, field->nchildren, sizeof(array.children[0]), err));
    for (; array.nchildren < field->nchildren; array.nchildren++)
        STOA_TRY(stoa_array_nulls(&field->children[array.nchildren], nchild,
                                  &array.children[array.nchildren], err));
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

/* ---- Columns ---- */

static enum stoa_status cast_array(const struct stoa_field *from, struct stoa_array *array,
                                   const struct stoa_field *to, bool entries_of_map,
                                   struct stoa_array *out, struct stoa_error *err);

/* A nested array with children of other types; what is its own is moved. */
static enum stoa_status cast_children(const struct stoa_field *from, struct stoa_array *array,
                                      const struct stoa_field *to, bool entries_of_map,
                                      struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array made = *array;
    uint32_t *map = NULL;
    enum stoa_status st;

    made.children = NULL;
    made.nchildren = 0;
    STOA_TRY(stoa_alloc(&map, to->nchildren * sizeof(map[0]), err));
    STOA_TRY(stoa_children_match(from, to, entries_of_map, map, err));
    STOA_TRY(stoa_alloc_zeroed(&made.children, to->nchildren, sizeof(made.children[0]), err));
    for (; made.nchildren < to->nchildren; made.nchildren++) {
        const struct stoa_field *child = &to->children[made.nchildren];
        struct stoa_array *place = &made.children[made.nchildren];
        uint32_t k = map[made.nchildren];

        if (k == UINT32_MAX) /* only structs: as many values as they have */
            STOA_TRY(stoa_array_nulls(child, array->nvalues, place, err));
        else
            STOA_TRY(cast_array(&from->children[k], &array->children[k], child,
                                to->type.id == STOA_MAP, place, err));
    }
    *out = made;
    array->validity = NULL;
    array->offsets = NULL;
    stoa_array_reset(array);
    made = (struct stoa_array){0};
out:
    made.validity = NULL; /* still the array's */
    made.offsets = NULL;
    stoa_array_reset(&made);
    stoa_free(map);
    return st;
}

static enum stoa_status cast_array(const struct stoa_field *from, struct stoa_array *array,
                                   const struct stoa_field *to, bool entries_of_map,
                                   struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array made = {0};
    enum stoa_status st;

    if (to->nchildren > 0 && from->type.id != STOA_NULL)
        return cast_children(from, array, to, entries_of_map, out, err);
    if (stoa_type_equal(&from->type, &to->type)) {
        *out = *array;
        *array = (struct stoa_array){0};
        return STOA_OK;
    }
    if (from->type.id == STOA_NULL)
        STOA_TRY(stoa_array_nulls(to, array->nvalues, &made, err));
    else
        STOA_TRY(cast_values(from, array, &to->type, &made, err));
    stoa_array_reset(array);
    *out = made;
out:
    return st;
}

enum stoa_status stoa_array_cast(const struct stoa_field *from, struct stoa_array *array,
                                 const struct stoa_field *to, struct stoa_array *out,
                                 struct stoa_error *err)
{
    return cast_array(from, array, to, false, out, err);
}
