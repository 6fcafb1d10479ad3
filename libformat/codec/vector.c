/*
 * Physical types (spec/format.md, section 7) and vectors of their values.
 */
#include "codec/vector.h"

#include <assert.h>

/* clang-format off */
static const struct {
    const char *name;
    uint32_t width;
} types[] = {
    [STOA_PHYS_NONE] = {"none", 0},
    [STOA_PHYS_I8] = {"i8", 1},     [STOA_PHYS_I16] = {"i16", 2},
    [STOA_PHYS_I32] = {"i32", 4},   [STOA_PHYS_I64] = {"i64", 8},
    [STOA_PHYS_U8] = {"u8", 1},     [STOA_PHYS_U16] = {"u16", 2},
    [STOA_PHYS_U32] = {"u32", 4},   [STOA_PHYS_U64] = {"u64", 8},
    [STOA_PHYS_F32] = {"f32", 4},   [STOA_PHYS_F64] = {"f64", 8},
    [STOA_PHYS_I128] = {"i128", 16},
    [STOA_PHYS_FIXED] = {"fixed", 0},
    [STOA_PHYS_BYTES] = {"bytes", 0},
    [STOA_PHYS_F16] = {"f16", 2},
    [STOA_PHYS_I256] = {"i256", 32},
};
/* clang-format on */

enum { NTYPES = sizeof(types) / sizeof(types[0]) };

uint32_t stoa_phys_width(enum stoa_phys phys)
{
    return (unsigned)phys < NTYPES ? types[phys].width : 0;
}

const char *stoa_phys_name(unsigned phys)
{
    return phys < NTYPES ? types[phys].name : NULL;
}

uint32_t stoa_text_length(const int32_t *offsets, size_t n)
{
    const uint32_t length = (uint32_t)(offsets[1] - offsets[0]);
    uint32_t differ = 0;

    for (size_t i = 0; i < n; i++)
        differ |= (uint32_t)(offsets[i + 1] - offsets[i]) ^ length;
    return differ == 0 ? length : 0;
}

struct stoa_vector stoa_vector_slice(const struct stoa_vector *vector, size_t begin, size_t end)
{
    struct stoa_vector slice = *vector;

    assert(begin <= end && end <= vector->nvalues);
    slice.nvalues = end - begin;
    if (slice.offsets != NULL) /* offsets stay those into the whole of `values` */
        slice.offsets += begin;
    else if (slice.values != NULL)
        slice.values += begin * slice.width;
    return slice;
}
