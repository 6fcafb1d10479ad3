/*
 * One value of a column as text: a row of the table for each type that has a short exact form.
 */
#include <assert.h>
#include <string.h>

#include <stoa/array.h>

#include "base/bits.h"
#include "base/duration.h"
#include "base/number.h"
#include "base/time.h"
#include "column/array.h"
#include "column/type.h"

_Static_assert(STOA_NUMBER_NBYTES <= STOA_TEXT_NBYTES, "a number fits");
_Static_assert(STOA_TIME_NBYTES <= STOA_TEXT_NBYTES, "a time fits");
_Static_assert(STOA_DURATION_NBYTES <= STOA_TEXT_NBYTES, "an interval fits");

static size_t format_bool(const struct stoa_type *type, const uint8_t *values, size_t i, char *out)
{
    bool value = stoa_bitmap_get(values, i);
    size_t nbytes = value ? 4 : 5;

    (void)type;
    memcpy(out, value ? "true" : "false", nbytes);
    return nbytes;
}

/* A formatter of the numbers of one C type. */
#define FORMAT_NUMBER(name, ctype, format)                                                         \
    static size_t name(const struct stoa_type *type, const uint8_t *values, size_t i, char *out)   \
    {                                                                                              \
        ctype value;                                                                               \
                                                                                                   \
        (void)type;                                                                                \
        memcpy(&value, values + i * sizeof(value), sizeof(value));                                 \
        return format(value, out);                                                                 \
    }

FORMAT_NUMBER(format_int8, int8_t, stoa_number_format_int64)
FORMAT_NUMBER(format_int16, int16_t, stoa_number_format_int64)
FORMAT_NUMBER(format_int32, int32_t, stoa_number_format_int64)
FORMAT_NUMBER(format_int64, int64_t, stoa_number_format_int64)
FORMAT_NUMBER(format_uint8, uint8_t, stoa_number_format_uint64)
FORMAT_NUMBER(format_uint16, uint16_t, stoa_number_format_uint64)
FORMAT_NUMBER(format_uint32, uint32_t, stoa_number_format_uint64)
FORMAT_NUMBER(format_uint64, uint64_t, stoa_number_format_uint64)
FORMAT_NUMBER(format_float16, uint16_t, stoa_number_format_float16)
FORMAT_NUMBER(format_float32, float, stoa_number_format_float)
FORMAT_NUMBER(format_float64, double, stoa_number_format_double)
FORMAT_NUMBER(format_date32, int32_t, stoa_date_format)

static size_t format_decimal(const struct stoa_type *type, const uint8_t *values, size_t i,
                             char *out)
{
    struct stoa_int128 value;
    struct stoa_int256 wide;

    if (type->precision > STOA_INT128_DIGITS) {
        memcpy(&wide, values + i * sizeof(wide), sizeof(wide));
        return stoa_decimal256_format(wide, type->scale, out);
    }
    memcpy(&value, values + i * sizeof(value), sizeof(value));
    return stoa_decimal_format(value, type->scale, out);
}

static size_t format_time(const struct stoa_type *type, const uint8_t *values, size_t i, char *out)
{
    int32_t narrow;
    int64_t value;

    if (stoa_type_width(type) == sizeof(narrow)) {
        memcpy(&narrow, values + i * sizeof(narrow), sizeof(narrow));
        value = narrow;
    } else {
        memcpy(&value, values + i * sizeof(value), sizeof(value));
    }
    return stoa_time_format(value, type->unit, out);
}

static size_t format_timestamp(const struct stoa_type *type, const uint8_t *values, size_t i,
                               char *out)
{
    int64_t value;

    memcpy(&value, values + i * sizeof(value), sizeof(value));
    return stoa_timestamp_format(value, type->unit, type->zone != NULL, ' ', out);
}

static size_t format_duration(const struct stoa_type *type, const uint8_t *values, size_t i,
                              char *out)
{
    int64_t value;

    memcpy(&value, values + i * sizeof(value), sizeof(value));
    return stoa_duration_format(value, type->unit, out);
}

static size_t format_interval(const struct stoa_type *type, const uint8_t *values, size_t i,
                              char *out)
{
    struct stoa_interval value;

    (void)type;
    memcpy(&value, values + i * sizeof(value), sizeof(value));
    return stoa_interval_format(&value, out);
}

/* 8-4-4-4-12 digits of the bytes in their order. */
static size_t format_uuid(const struct stoa_type *type, const uint8_t *values, size_t i, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = values + i * 16;
    size_t used = 0;

    (void)type;
    for (size_t j = 0; j < 16; j++) {
        if (j == 4 || j == 6 || j == 8 || j == 10)
            out[used++] = '-';
        out[used++] = digits[bytes[j] >> 4];
        out[used++] = digits[bytes[j] & 15];
    }
    return used;
}

static stoa_value_format *const formats[] = {
    [STOA_BOOL] = format_bool,         [STOA_INT8] = format_int8,
    [STOA_INT16] = format_int16,       [STOA_INT32] = format_int32,
    [STOA_INT64] = format_int64,       [STOA_UINT8] = format_uint8,
    [STOA_UINT16] = format_uint16,     [STOA_UINT32] = format_uint32,
    [STOA_UINT64] = format_uint64,     [STOA_FLOAT16] = format_float16,
    [STOA_FLOAT32] = format_float32,   [STOA_FLOAT64] = format_float64,
    [STOA_DECIMAL] = format_decimal,   [STOA_DATE32] = format_date32,
    [STOA_TIME] = format_time,         [STOA_TIMESTAMP] = format_timestamp,
    [STOA_DURATION] = format_duration, [STOA_INTERVAL] = format_interval,
    [STOA_UUID] = format_uuid,
};

stoa_value_format *stoa_value_format_find(enum stoa_type_id id)
{
    return (size_t)id < sizeof(formats) / sizeof(formats[0]) ? formats[id] : NULL;
}

size_t stoa_array_format(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                         char out[STOA_TEXT_NBYTES])
{
    stoa_value_format *format = stoa_value_format_find(field->type.id);

    assert(format != NULL && i < array->nvalues && !stoa_array_is_null(array, i));
    return format(&field->type, array->values, i, out);
}
