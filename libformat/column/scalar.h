/*
 * One value of a column outside of its array, and the order of values.
 *
 * Values are compared by kind, not by type: all signed integers, dates and times are int64, bool
 * and enum (by the index of the symbol) are uint64 with the unsigned integers, float16 and float32
 * are taken as the double of the same value. Decimals are 128 or 256 bits as in memory. Types of no
 * kind have no order: null and the nested ones, and interval.
 */
#ifndef STOA_COLUMN_SCALAR_H
#define STOA_COLUMN_SCALAR_H

#include <stoa/array.h>

#include "base/int256.h"

enum stoa_scalar_kind {
    STOA_KIND_NONE,
    STOA_KIND_INT64,
    STOA_KIND_UINT64,
    STOA_KIND_DOUBLE,
    STOA_KIND_INT128,
    STOA_KIND_INT256,
    STOA_KIND_BYTES,
};

/* `bytes` is borrowed from the array or whoever made the scalar; it may be NULL if nbytes is 0. */
struct stoa_scalar {
    enum stoa_scalar_kind kind;
    union {
        int64_t i64;
        uint64_t u64;
        double f64;
        struct stoa_int128 i128;
        struct stoa_int256 i256;
        struct {
            const uint8_t *bytes;
            size_t nbytes;
        };
    };
};

enum stoa_order {
    STOA_LESS = -1,
    STOA_EQUAL = 0,
    STOA_GREATER = 1,
    STOA_UNORDERED = 2, /* one of them is NaN */
};

/* How values of a type are compared; STOA_KIND_NONE when they are not. */
enum stoa_scalar_kind stoa_scalar_kind_of(const struct stoa_type *type);

/* Value i of an array, which is not null; the kind of `type` is not STOA_KIND_NONE. */
struct stoa_scalar stoa_scalar_get(const struct stoa_type *type, const struct stoa_array *array,
                                   size_t i);

/*
 * The order of two values of one kind: numbers by value, -0.0 equal to 0.0, NaN unordered with
 * everything; bytes as unsigned numbers from the first on, a prefix before what it begins.
 */
enum stoa_order stoa_scalar_compare(const struct stoa_scalar *a, const struct stoa_scalar *b);

#endif
