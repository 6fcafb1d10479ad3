/*
 * Making arrays: buffers with slack, and leaf arrays whose values are filled in afterwards.
 */
#ifndef STOA_COLUMN_ARRAY_H
#define STOA_COLUMN_ARRAY_H

#include <stoa/array.h>

#include "column/type.h"

/* The most bytes that one utf8 or binary array holds, the most values of a list's child. */
#define STOA_ARRAY_MAX_OFFSET INT32_MAX

/*
 * nbytes of uninitialised memory with STOA_ARRAY_SLACK zero bytes behind. `out` points to a
 * pointer of any type; stoa_free() frees it.
 */
STOA_CHECK enum stoa_status stoa_array_alloc_buffer(void *out, size_t nbytes,
                                                    struct stoa_error *err);

/*
 * An array of nvalues values of a type without children, to be filled in by the caller: values are
 * uninitialised (those of bool are all false), offsets[0] is 0 and the others are uninitialised,
 * values has room for nbytes bytes of utf8 or binary (nbytes is ignored for other types).
 * With `nulls` there is a bitmap, all null, and nnulls is nvalues: whoever sets bits in it counts
 * nnulls anew and calls stoa_array_drop_validity(). STOA_ERR_LIMIT: nbytes above
 * STOA_ARRAY_MAX_OFFSET. On failure *out is untouched.
 */
STOA_CHECK enum stoa_status stoa_array_alloc(const struct stoa_type *type, size_t nvalues,
                                             size_t nbytes, bool nulls, struct stoa_array *out,
                                             struct stoa_error *err);

/* Frees the bitmap when nnulls is 0. */
void stoa_array_drop_validity(struct stoa_array *array);

/* How many of the decimals, from the first on, have no more digits than their type. */
size_t stoa_decimals_that_fit(const struct stoa_type *type, const uint8_t *values, size_t nvalues);

/* STOA_ERR_LIMIT for an array of utf8, binary or lists that would pass STOA_ARRAY_MAX_OFFSET. */
enum stoa_status stoa_array_fail_limit(uint64_t need, struct stoa_error *err);

/*
 * stoa_array_format() for loops over one column: value i of an array's `values`, which is not null.
 * NULL for types that it is not for.
 */
typedef size_t stoa_value_format(const struct stoa_type *type, const uint8_t *values, size_t i,
                                 char *out);
stoa_value_format *stoa_value_format_find(enum stoa_type_id id);

#endif
