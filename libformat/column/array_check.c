/*
 * Whether an array is what its field says, and whether two arrays hold the same values.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "base/int256.h"
#include "base/utf8.h"
#include "column/array.h"

/* ---- Validation ---- */

/* The bits behind the last of a bitmap, up to the end of its byte, are zero. */
static bool has_clear_end(const uint8_t *bitmap, size_t nvalues)
{
    return nvalues % 8 == 0 || bitmap[nvalues / 8] >> (nvalues % 8) == 0;
}

/* The struct or fixed_list around an array: value i is a part of its value i / width. */
struct parent {
    const uint8_t *validity; /* NULL: no null reaches down from it */
    size_t width;
};

static bool is_inside_null(const struct parent *parent, size_t i)
{
    return parent->validity != NULL && !stoa_bitmap_get(parent->validity, i / parent->width);
}

static enum stoa_status check_nulls(const struct stoa_field *field, const struct stoa_array *array,
                                    const struct parent *parent, struct stoa_error *err)
{
    size_t nnulls = 0;

    if (array->validity != NULL) {
        nnulls = array->nvalues - stoa_bitmap_count(array->validity, 0, array->nvalues);
        if (!has_clear_end(array->validity, array->nvalues))
            return stoa_fail(err, STOA_ERR_DATA, "the bitmap has bits behind value %zu",
                             array->nvalues);
    }
    if (field->type.id == STOA_NULL && nnulls != array->nvalues)
        return stoa_fail(err, STOA_ERR_DATA, "%zu values of type null are not null",
                         array->nvalues - nnulls);
    if (nnulls != array->nnulls)
        return stoa_fail(err, STOA_ERR_DATA, "nnulls is %zu where the bitmap has %zu nulls",
                         array->nnulls, nnulls);
    if ((field->nullable || nnulls == 0) && parent->validity == NULL)
        return STOA_OK;
    for (size_t i = 0; i < array->nvalues; i++) {
        bool is_null = stoa_array_is_null(array, i), is_inside = is_inside_null(parent, i);

        if (!is_null && is_inside)
            return stoa_fail(err, STOA_ERR_DATA, "value %zu is not null inside a null", i);
        if (is_null && !field->nullable && !is_inside)
            return stoa_fail(err, STOA_ERR_DATA, "value %zu is null, which the schema forbids", i);
    }
    return STOA_OK;
}

/* Offsets rise from 0, without a step at nulls. */
static enum stoa_status check_offsets(const struct stoa_array *array, struct stoa_error *err)
{
    const int32_t *offsets = array->offsets;

    if (offsets[0] != 0)
        return stoa_fail(err, STOA_ERR_DATA, "the first offset is %" PRId32 ", not 0", offsets[0]);
    for (size_t i = 0; i < array->nvalues; i++) {
        if (offsets[i + 1] < offsets[i])
            return stoa_fail(err, STOA_ERR_DATA,
                             "value %zu: the offset falls from %" PRId32 " to %" PRId32, i,
                             offsets[i], offsets[i + 1]);
        if (offsets[i + 1] > offsets[i] && stoa_array_is_null(array, i))
            return stoa_fail(err, STOA_ERR_DATA, "value %zu is null and not empty", i);
    }
    return STOA_OK;
}

/* All text is checked at once; then no value may begin inside a character. */
static enum stoa_status check_utf8(const struct stoa_array *array, struct stoa_error *err)
{
    size_t nbytes = (size_t)array->offsets[array->nvalues];
    size_t valid = stoa_utf8_valid_prefix(array->values, nbytes);

    for (size_t i = 0; i < array->nvalues; i++) {
        size_t begin = (size_t)array->offsets[i], end = (size_t)array->offsets[i + 1];
        bool cut = end < nbytes && (array->values[end] & 0xc0) == 0x80;

        if (begin < end && (end > valid || cut))
            return stoa_fail(err, STOA_ERR_DATA, "value %zu is not UTF-8", i);
    }
    return STOA_OK;
}

static bool is_zero(const uint8_t *bytes, size_t nbytes)
{
    for (size_t i = 0; i < nbytes; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static enum stoa_status check_null_slots(const struct stoa_array *array, size_t width,
                                         struct stoa_error *err)
{
    if (array->nnulls == 0)
        return STOA_OK;
    for (size_t i = 0; i < array->nvalues; i++)
        if (stoa_array_is_null(array, i) && !is_zero(array->values + i * width, width))
            return stoa_fail(err, STOA_ERR_DATA, "value %zu is null and its slot is not zero", i);
    return STOA_OK;
}

static enum stoa_status check_bits(const struct stoa_array *array, struct stoa_error *err)
{
    if (!has_clear_end(array->values, array->nvalues))
        return stoa_fail(err, STOA_ERR_DATA, "the values have bits behind value %zu",
                         array->nvalues);
    for (size_t i = 0; array->nnulls > 0 && i < array->nvalues; i++)
        if (stoa_array_is_null(array, i) && stoa_bitmap_get(array->values, i))
            return stoa_fail(err, STOA_ERR_DATA, "value %zu is null and its slot is not zero", i);
    return STOA_OK;
}

static enum stoa_status check_enum(const struct stoa_type *type, const struct stoa_array *array,
                                   struct stoa_error *err)
{
    for (size_t i = 0; i < array->nvalues; i++) {
        uint32_t symbol;

        memcpy(&symbol, array->values + i * sizeof(symbol), sizeof(symbol));
        if (symbol >= type->nsymbols)
            return stoa_fail(err, STOA_ERR_DATA, "value %zu is symbol %" PRIu32 " of %" PRIu32, i,
                             symbol, type->nsymbols);
    }
    return STOA_OK;
}

static bool fits_digits(const struct stoa_type *type, const uint8_t *values, size_t i)
{
    struct stoa_int128 value;
    struct stoa_int256 wide;

    if (type->precision > STOA_INT128_DIGITS) {
        memcpy(&wide, values + i * sizeof(wide), sizeof(wide));
        return stoa_int256_fits_digits(wide, type->precision);
    }
    memcpy(&value, values + i * sizeof(value), sizeof(value));
    return stoa_int128_fits_digits(value, type->precision);
}

size_t stoa_decimals_that_fit(const struct stoa_type *type, const uint8_t *values, size_t nvalues)
{
    size_t i = 0;

    while (i < nvalues && fits_digits(type, values, i))
        i++;
    return i;
}

static enum stoa_status check_decimal(const struct stoa_type *type, const struct stoa_array *array,
                                      struct stoa_error *err)
{
    size_t i = stoa_decimals_that_fit(type, array->values, array->nvalues);

    if (i < array->nvalues)
        return stoa_fail(err, STOA_ERR_DATA, "value %zu has more than %u digits", i,
                         type->precision);
    return STOA_OK;
}

static enum stoa_status check_fixed(const struct stoa_type *type, const struct stoa_array *array,
                                    struct stoa_error *err)
{
    enum stoa_status st = check_null_slots(array, stoa_type_width(type), err);

    if (st != STOA_OK)
        return st;
    if (type->id == STOA_ENUM)
        return check_enum(type, array, err);
    if (type->id == STOA_DECIMAL)
        return check_decimal(type, array, err);
    return STOA_OK;
}

static enum stoa_status check_array(const struct stoa_field *field, const struct stoa_array *array,
                                    const struct parent *parent, struct stoa_error *err);

/* The values of each child. */
static enum stoa_status check_children(const struct stoa_field *field,
                                       const struct stoa_array *array, enum stoa_layout layout,
                                       struct stoa_error *err)
{
    struct parent here = {.validity = array->validity, .width = 1};
    uint64_t need = array->nvalues;

    if (layout == STOA_LAYOUT_LIST) { /* a null one is empty, so it has no values to hand it to */
        here.validity = NULL;
        need = array->nvalues > 0 ? (uint64_t)array->offsets[array->nvalues] : 0;
    } else if (layout == STOA_LAYOUT_FIXED_LIST) {
        here.width = field->type.width;
        if (!stoa_mul_u64(need, here.width, &need))
            return stoa_fail(err, STOA_ERR_DATA, "the lists hold more values than there can be");
    }
    if (array->nvalues == 0 && array->nchildren == 0)
        return STOA_OK;
    if (array->nchildren != field->nchildren)
        return stoa_fail(err, STOA_ERR_DATA, "%u children where the schema has %u",
                         array->nchildren, field->nchildren);
    for (uint32_t i = 0; i < array->nchildren; i++) {
        enum stoa_status st;

        if (array->children[i].nvalues != need)
            return stoa_fail(err, STOA_ERR_DATA, "child %u has %zu values, not %" PRIu64, i + 1,
                             array->children[i].nvalues, need);
        st = check_array(&field->children[i], &array->children[i], &here, err);
        if (st != STOA_OK)
            return st;
    }
    return STOA_OK;
}

/* The buffers of an array that has values. */
static enum stoa_status check_buffers(const struct stoa_field *field,
                                      const struct stoa_array *array, enum stoa_layout layout,
                                      struct stoa_error *err)
{
    bool needs_offsets = layout == STOA_LAYOUT_BYTES || layout == STOA_LAYOUT_LIST;
    bool needs_values = layout == STOA_LAYOUT_BITS || layout == STOA_LAYOUT_FIXED;
    enum stoa_status st = STOA_OK;

    if ((needs_offsets && array->offsets == NULL) || (needs_values && array->values == NULL))
        return stoa_fail(err, STOA_ERR_DATA, "the buffer of the %s is missing",
                         needs_offsets ? "offsets" : "values");
    if (needs_offsets)
        st = check_offsets(array, err);
    if (st != STOA_OK)
        return st;
    if (layout == STOA_LAYOUT_BYTES && array->offsets[array->nvalues] > 0 && array->values == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the buffer of the values is missing");
    if (layout == STOA_LAYOUT_BITS)
        return check_bits(array, err);
    if (layout == STOA_LAYOUT_FIXED)
        return check_fixed(&field->type, array, err);
    return field->type.id == STOA_UTF8 ? check_utf8(array, err) : STOA_OK;
}

static enum stoa_status check_array(const struct stoa_field *field, const struct stoa_array *array,
                                    const struct parent *parent, struct stoa_error *err)
{
    enum stoa_layout layout = stoa_type_info(field->type.id)->layout;
    char shown[64];
    enum stoa_status st = check_nulls(field, array, parent, err);

    if (st == STOA_OK && array->nvalues > 0)
        st = check_buffers(field, array, layout, err);
    if (st == STOA_OK && layout >= STOA_LAYOUT_LIST)
        st = check_children(field, array, layout, err);
    if (st != STOA_OK)
        st = stoa_wrap(err, st, "column %s",
                       stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)));
    return st;
}

enum stoa_status stoa_array_validate(const struct stoa_field *field, const struct stoa_array *array,
                                     struct stoa_error *err)
{
    static const struct parent none = {.width = 1};

    return check_array(field, array, &none, err);
}

enum stoa_status stoa_batch_validate(const struct stoa_batch *batch, struct stoa_error *err)
{
    char shown[64];

    if (batch->ncolumns != batch->schema->nfields)
        return stoa_fail(err, STOA_ERR_DATA, "the batch has %u columns where the schema has %u",
                         batch->ncolumns, batch->schema->nfields);
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        const struct stoa_field *field = &batch->schema->fields[i];
        enum stoa_status st;

        if (batch->columns[i].nvalues != batch->nrows)
            return stoa_fail(err, STOA_ERR_DATA, "column %s: %zu values in a batch of %zu rows",
                             stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)),
                             batch->columns[i].nvalues, batch->nrows);
        st = stoa_array_validate(field, &batch->columns[i], err);
        if (st != STOA_OK)
            return st;
    }
    return STOA_OK;
}

/* ---- Equality: of the values [a_begin, a_begin + n) and [b_begin, b_begin + n) ---- */

static bool equal_ranges(const struct stoa_field *field, const struct stoa_array *a, size_t a_begin,
                         const struct stoa_array *b, size_t b_begin, size_t n);

static bool equal_lists(const struct stoa_field *field, const struct stoa_array *a, size_t i,
                        const struct stoa_array *b, size_t j)
{
    int32_t n = a->offsets[i + 1] - a->offsets[i];

    if (b->offsets[j + 1] - b->offsets[j] != n)
        return false;
    if (n == 0)
        return true;
    return equal_ranges(&field->children[0], &a->children[0], (size_t)a->offsets[i],
                        &b->children[0], (size_t)b->offsets[j], (size_t)n);
}

static bool equal_bytes(const struct stoa_array *a, size_t i, const struct stoa_array *b, size_t j)
{
    int32_t n = a->offsets[i + 1] - a->offsets[i];

    return b->offsets[j + 1] - b->offsets[j] == n &&
           (n == 0 || memcmp(a->values + a->offsets[i], b->values + b->offsets[j], (size_t)n) == 0);
}

static bool equal_structs(const struct stoa_field *field, const struct stoa_array *a, size_t i,
                          const struct stoa_array *b, size_t j)
{
    for (uint32_t child = 0; child < field->nchildren; child++)
        if (!equal_ranges(&field->children[child], &a->children[child], i, &b->children[child], j,
                          1))
            return false;
    return true;
}

/* Values i of `a` and j of `b`, neither of which is null. */
static bool equal_values(const struct stoa_field *field, const struct stoa_array *a, size_t i,
                         const struct stoa_array *b, size_t j)
{
    size_t width = stoa_type_width(&field->type);

    switch (stoa_type_info(field->type.id)->layout) {
    case STOA_LAYOUT_NONE:
        return true;
    case STOA_LAYOUT_BITS:
        return stoa_bitmap_get(a->values, i) == stoa_bitmap_get(b->values, j);
    case STOA_LAYOUT_FIXED:
        return memcmp(a->values + i * width, b->values + j * width, width) == 0;
    case STOA_LAYOUT_BYTES:
        return equal_bytes(a, i, b, j);
    case STOA_LAYOUT_LIST:
        return equal_lists(field, a, i, b, j);
    case STOA_LAYOUT_FIXED_LIST:
        width = field->type.width;
        return equal_ranges(&field->children[0], &a->children[0], i * width, &b->children[0],
                            j * width, width);
    case STOA_LAYOUT_STRUCT:
        return equal_structs(field, a, i, b, j);
    }
    return false;
}

static bool equal_ranges(const struct stoa_field *field, const struct stoa_array *a, size_t a_begin,
                         const struct stoa_array *b, size_t b_begin, size_t n)
{
    size_t width = stoa_type_width(&field->type);

    if (width > 0 && a->nnulls == 0 && b->nnulls == 0 && n > 0)
        return memcmp(a->values + a_begin * width, b->values + b_begin * width, n * width) == 0;
    for (size_t k = 0; k < n; k++) {
        bool is_null = stoa_array_is_null(a, a_begin + k);

        if (is_null != stoa_array_is_null(b, b_begin + k))
            return false;
        if (!is_null && !equal_values(field, a, a_begin + k, b, b_begin + k))
            return false;
    }
    return true;
}

bool stoa_array_equal(const struct stoa_field *field, const struct stoa_array *a,
                      const struct stoa_array *b)
{
    return a->nvalues == b->nvalues && equal_ranges(field, a, 0, b, 0, a->nvalues);
}

bool stoa_batch_equal(const struct stoa_batch *a, const struct stoa_batch *b)
{
    if (a->nrows != b->nrows || !stoa_schema_equal(a->schema, b->schema))
        return false;
    for (uint32_t i = 0; i < a->ncolumns; i++)
        if (!stoa_array_equal(&a->schema->fields[i], &a->columns[i], &b->columns[i]))
            return false;
    return true;
}
