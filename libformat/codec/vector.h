/*
 * What the codecs see of a column: physical values without names, types or nulls.
 */
#ifndef STOA_CODEC_VECTOR_H
#define STOA_CODEC_VECTOR_H

#include <stddef.h>
#include <stdint.h>

/* The numbers are stored in files (spec/format.md, "Physical types"). */
enum stoa_phys {
    STOA_PHYS_NONE = 0,
    STOA_PHYS_I8 = 1,
    STOA_PHYS_I16 = 2,
    STOA_PHYS_I32 = 3,
    STOA_PHYS_I64 = 4,
    STOA_PHYS_U8 = 5,
    STOA_PHYS_U16 = 6,
    STOA_PHYS_U32 = 7,
    STOA_PHYS_U64 = 8,
    STOA_PHYS_F32 = 9,
    STOA_PHYS_F64 = 10,
    STOA_PHYS_I128 = 11,
    STOA_PHYS_FIXED = 12,
    STOA_PHYS_BYTES = 13,
    STOA_PHYS_F16 = 14,
    STOA_PHYS_I256 = 15,
};

/*
 * Values in native byte order; borrowed. Fixed width: value i is the `width` bytes at
 * values + i * width. BYTES (width 0): value i is values[offsets[i] .. offsets[i + 1]).
 * Readers of a vector may touch up to 64 bytes behind the last value of a fixed-width one.
 */
struct stoa_vector {
    enum stoa_phys phys;
    uint32_t width;
    size_t nvalues;
    const uint8_t *values;
    const int32_t *offsets;
};

/* Bytes of a value; 0 for NONE, FIXED (the schema knows it) and BYTES. */
uint32_t stoa_phys_width(enum stoa_phys phys);

/* "i64", "bytes", ... or NULL for a number that is none. */
const char *stoa_phys_name(unsigned phys);

/* The length of n > 0 values of BYTES when they all have it, else 0. */
uint32_t stoa_text_length(const int32_t *offsets, size_t n);

/* Values [begin, end) of a vector. */
struct stoa_vector stoa_vector_slice(const struct stoa_vector *vector, size_t begin, size_t end);

#endif
