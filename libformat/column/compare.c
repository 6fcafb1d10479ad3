/*
 * Values out of arrays, and their order. The table says for each type how its bytes are read.
 */
#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "base/float16.h"
#include "column/scalar.h"
#include "column/type.h"

typedef struct stoa_scalar get_scalar(const struct stoa_type *type, const struct stoa_array *array,
                                      size_t i);

/* A reader of the numbers of one C type. */
#define GET_NUMBER(name, ctype, scalar_kind, member)                                               \
    static struct stoa_scalar name(const struct stoa_type *type, const struct stoa_array *array,   \
                                   size_t i)                                                       \
    {                                                                                              \
        ctype value;                                                                               \
                                                                                                   \
        (void)type;                                                                                \
        memcpy(&value, array->values + i * sizeof(value), sizeof(value));                          \
        return (struct stoa_scalar){.kind = scalar_kind, .member = value};                         \
    }

GET_NUMBER(get_int8, int8_t, STOA_KIND_INT64, i64)
GET_NUMBER(get_int16, int16_t, STOA_KIND_INT64, i64)
GET_NUMBER(get_int32, int32_t, STOA_KIND_INT64, i64)
GET_NUMBER(get_int64, int64_t, STOA_KIND_INT64, i64)
GET_NUMBER(get_uint8, uint8_t, STOA_KIND_UINT64, u64)
GET_NUMBER(get_uint16, uint16_t, STOA_KIND_UINT64, u64)
GET_NUMBER(get_uint32, uint32_t, STOA_KIND_UINT64, u64)
GET_NUMBER(get_uint64, uint64_t, STOA_KIND_UINT64, u64)
GET_NUMBER(get_float32, float, STOA_KIND_DOUBLE, f64)
GET_NUMBER(get_float64, double, STOA_KIND_DOUBLE, f64)
GET_NUMBER(get_int128, struct stoa_int128, STOA_KIND_INT128, i128)
GET_NUMBER(get_int256, struct stoa_int256, STOA_KIND_INT256, i256)

static struct stoa_scalar get_float16(const struct stoa_type *type, const struct stoa_array *array,
                                      size_t i)
{
    uint16_t bits;

    (void)type;
    memcpy(&bits, array->values + i * sizeof(bits), sizeof(bits));
    return (struct stoa_scalar){.kind = STOA_KIND_DOUBLE, .f64 = stoa_float16_to_double(bits)};
}

static bool is_wide(const struct stoa_type *type)
{
    return type->precision > STOA_INT128_DIGITS;
}

static struct stoa_scalar get_decimal(const struct stoa_type *type, const struct stoa_array *array,
                                      size_t i)
{
    return is_wide(type) ? get_int256(type, array, i) : get_int128(type, array, i);
}

static struct stoa_scalar get_bool(const struct stoa_type *type, const struct stoa_array *array,
                                   size_t i)
{
    (void)type;
    return (struct stoa_scalar){.kind = STOA_KIND_UINT64, .u64 = stoa_bitmap_get(array->values, i)};
}

static struct stoa_scalar get_time(const struct stoa_type *type, const struct stoa_array *array,
                                   size_t i)
{
    return stoa_type_width(type) == 4 ? get_int32(type, array, i) : get_int64(type, array, i);
}

static struct stoa_scalar get_fixed(const struct stoa_type *type, const struct stoa_array *array,
                                    size_t i)
{
    size_t width = stoa_type_width(type);

    return (struct stoa_scalar){
        .kind = STOA_KIND_BYTES, .bytes = array->values + i * width, .nbytes = width};
}

static struct stoa_scalar get_bytes(const struct stoa_type *type, const struct stoa_array *array,
                                    size_t i)
{
    size_t begin = (size_t)array->offsets[i], nbytes = (size_t)array->offsets[i + 1] - begin;

    (void)type;
    return (struct stoa_scalar){.kind = STOA_KIND_BYTES,
                                .bytes = nbytes > 0 ? array->values + begin : NULL,
                                .nbytes = nbytes};
}

static const struct {
    enum stoa_scalar_kind kind;
    get_scalar *get;
} readers[] = {
    [STOA_BOOL] = {STOA_KIND_UINT64, get_bool},
    [STOA_INT8] = {STOA_KIND_INT64, get_int8},
    [STOA_INT16] = {STOA_KIND_INT64, get_int16},
    [STOA_INT32] = {STOA_KIND_INT64, get_int32},
    [STOA_INT64] = {STOA_KIND_INT64, get_int64},
    [STOA_UINT8] = {STOA_KIND_UINT64, get_uint8},
    [STOA_UINT16] = {STOA_KIND_UINT64, get_uint16},
    [STOA_UINT32] = {STOA_KIND_UINT64, get_uint32},
    [STOA_UINT64] = {STOA_KIND_UINT64, get_uint64},
    [STOA_FLOAT16] = {STOA_KIND_DOUBLE, get_float16},
    [STOA_FLOAT32] = {STOA_KIND_DOUBLE, get_float32},
    [STOA_FLOAT64] = {STOA_KIND_DOUBLE, get_float64},
    [STOA_DECIMAL] = {STOA_KIND_INT128, get_decimal},
    [STOA_DATE32] = {STOA_KIND_INT64, get_int32},
    [STOA_TIME] = {STOA_KIND_INT64, get_time},
    [STOA_TIMESTAMP] = {STOA_KIND_INT64, get_int64},
    [STOA_DURATION] = {STOA_KIND_INT64, get_int64},
    [STOA_UTF8] = {STOA_KIND_BYTES, get_bytes},
    [STOA_BINARY] = {STOA_KIND_BYTES, get_bytes},
    [STOA_FIXED_BINARY] = {STOA_KIND_BYTES, get_fixed},
    [STOA_UUID] = {STOA_KIND_BYTES, get_fixed},
    [STOA_ENUM] = {STOA_KIND_UINT64, get_uint32},
};

enum stoa_scalar_kind stoa_scalar_kind_of(const struct stoa_type *type)
{
    size_t id = (size_t)type->id;

    if (type->id == STOA_DECIMAL && is_wide(type))
        return STOA_KIND_INT256;
    return id < sizeof(readers) / sizeof(readers[0]) ? readers[id].kind : STOA_KIND_NONE;
}

struct stoa_scalar stoa_scalar_get(const struct stoa_type *type, const struct stoa_array *array,
                                   size_t i)
{
    assert(stoa_scalar_kind_of(type) != STOA_KIND_NONE);
    assert(i < array->nvalues && !stoa_array_is_null(array, i));
    return readers[type->id].get(type, array, i);
}

static enum stoa_order order(bool less, bool greater)
{
    return less ? STOA_LESS : greater ? STOA_GREATER : STOA_EQUAL;
}

static enum stoa_order compare_bytes(const struct stoa_scalar *a, const struct stoa_scalar *b)
{
    size_t nbytes = a->nbytes < b->nbytes ? a->nbytes : b->nbytes;
    int difference = nbytes > 0 ? memcmp(a->bytes, b->bytes, nbytes) : 0;

    if (difference == 0)
        return order(a->nbytes<b->nbytes, a->nbytes> b->nbytes);
    return order(difference<0, difference> 0);
}

enum stoa_order stoa_scalar_compare(const struct stoa_scalar *a, const struct stoa_scalar *b)
{
    assert(a->kind == b->kind && a->kind != STOA_KIND_NONE);
    switch (a->kind) {
    case STOA_KIND_INT64:
        return order(a->i64<b->i64, a->i64> b->i64);
    case STOA_KIND_UINT64:
        return order(a->u64<b->u64, a->u64> b->u64);
    case STOA_KIND_DOUBLE:
        if (a->f64 != a->f64 || b->f64 != b->f64)
            return STOA_UNORDERED;
        return order(a->f64<b->f64, a->f64> b->f64);
    case STOA_KIND_INT128:
        return (enum stoa_order)stoa_int128_cmp(a->i128, b->i128);
    case STOA_KIND_INT256:
        return (enum stoa_order)stoa_int256_cmp(a->i256, b->i256);
    default:
        return compare_bytes(a, b);
    }
}
