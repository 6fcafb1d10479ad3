/*
 * Types and their physical types (spec/format.md, "Physical types" and "Types").
 */
#include "file/phys.h"

enum { MAX_PRECISION_OF_I64 = 18, MAX_PRECISION_OF_I128 = 38, UUID_OR_INTERVAL_NBYTES = 16 };

static const uint8_t phys_of_type[] = {
    [STOA_NULL] = STOA_PHYS_NONE,       [STOA_BOOL] = STOA_PHYS_U8,
    [STOA_INT8] = STOA_PHYS_I8,         [STOA_INT16] = STOA_PHYS_I16,
    [STOA_INT32] = STOA_PHYS_I32,       [STOA_INT64] = STOA_PHYS_I64,
    [STOA_UINT8] = STOA_PHYS_U8,        [STOA_UINT16] = STOA_PHYS_U16,
    [STOA_UINT32] = STOA_PHYS_U32,      [STOA_UINT64] = STOA_PHYS_U64,
    [STOA_FLOAT16] = STOA_PHYS_F16,     [STOA_FLOAT32] = STOA_PHYS_F32,
    [STOA_FLOAT64] = STOA_PHYS_F64,     [STOA_DECIMAL] = STOA_PHYS_I128,
    [STOA_DATE32] = STOA_PHYS_I32,      [STOA_TIME] = STOA_PHYS_I64,
    [STOA_TIMESTAMP] = STOA_PHYS_I64,   [STOA_DURATION] = STOA_PHYS_I64,
    [STOA_INTERVAL] = STOA_PHYS_FIXED,  [STOA_UTF8] = STOA_PHYS_BYTES,
    [STOA_BINARY] = STOA_PHYS_BYTES,    [STOA_FIXED_BINARY] = STOA_PHYS_FIXED,
    [STOA_UUID] = STOA_PHYS_FIXED,      [STOA_ENUM] = STOA_PHYS_U32,
    [STOA_LIST] = STOA_PHYS_U32, /* lengths */
    [STOA_FIXED_LIST] = STOA_PHYS_NONE, [STOA_STRUCT] = STOA_PHYS_NONE,
    [STOA_MAP] = STOA_PHYS_U32, /* lengths */
};

enum stoa_phys stoa_type_phys(const struct stoa_type *type, uint32_t *width)
{
    enum stoa_phys phys = STOA_PHYS_NONE;

    if ((size_t)type->id < sizeof(phys_of_type))
        phys = (enum stoa_phys)phys_of_type[type->id];
    if (type->id == STOA_DECIMAL)
        phys =
            type->precision <= MAX_PRECISION_OF_I64 ? STOA_PHYS_I64 : stoa_type_memory_phys(type);
    if (type->id == STOA_TIME && (type->unit == STOA_SECOND || type->unit == STOA_MILLI))
        phys = STOA_PHYS_I32;
    if (width != NULL) {
        *width = stoa_phys_width(phys);
        if (phys == STOA_PHYS_FIXED)
            *width = type->id == STOA_FIXED_BINARY ? type->width : UUID_OR_INTERVAL_NBYTES;
    }
    return phys;
}

enum stoa_phys stoa_type_memory_phys(const struct stoa_type *type)
{
    if (type->id != STOA_DECIMAL)
        return stoa_type_phys(type, NULL);
    return type->precision <= MAX_PRECISION_OF_I128 ? STOA_PHYS_I128 : STOA_PHYS_I256;
}

static bool is_signed(enum stoa_phys phys)
{
    return phys >= STOA_PHYS_I8 && phys <= STOA_PHYS_I64;
}

static bool is_unsigned(enum stoa_phys phys)
{
    return phys >= STOA_PHYS_U8 && phys <= STOA_PHYS_U64;
}

bool stoa_phys_widens(enum stoa_phys from, enum stoa_phys to)
{
    if (from == to)
        return true;
    if (to == STOA_PHYS_I128 || to == STOA_PHYS_I256)
        return is_signed(from) || (from == STOA_PHYS_I128 && to == STOA_PHYS_I256);
    if (to == STOA_PHYS_F64)
        return from == STOA_PHYS_F32;
    if (is_signed(from) && is_signed(to))
        return from < to;
    if (is_unsigned(from) && (is_signed(to) || is_unsigned(to)))
        return stoa_phys_width(from) < stoa_phys_width(to);
    return false;
}
