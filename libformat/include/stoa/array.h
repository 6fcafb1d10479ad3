/*
 * Columns in memory, in Arrow's layout.
 *
 * A struct stoa_array holds the values of one field; the field's type says how to read it:
 *
 *   type                                 values                       offsets
 *   bool                                 a bitmap, bit i is value i   -
 *   int, uint, float, date32, time,      nvalues * width bytes in     -
 *   timestamp, duration, interval,       native byte order
 *   decimal, uuid, fixed_binary, enum
 *   utf8, binary                         the bytes of all values      nvalues + 1 int32
 *   list, map                            - (values in children[0])    nvalues + 1 int32
 *   null, struct, fixed_list             - (values in the children)   -
 *
 * float16 is IEEE binary16. A decimal of up to 38 digits is a number of 16 bytes, a wider one of
 * 32, two's complement. An enum is a uint32, an interval a struct stoa_interval.
 *
 * validity: a bitmap, bit i set when value i is not null; NULL when no value is null. The first
 * offset is 0. An array of no values may have no buffers and no children at all.
 *
 * Nested values:
 *   struct      a child for each field, with nvalues values each
 *   list        one child; value i is its values [offsets[i], offsets[i + 1])
 *   map         the same, the child being a struct, never null, of key (never null) and value
 *   fixed_list  one child with nvalues * width values
 *
 * Null slots have one form: zeros in `values`; an empty range for utf8, binary, list and map; and
 * in the children of a struct or fixed_list that is null nulls again, also where the child's field
 * is not nullable. So a child that is not nullable has nulls exactly where a struct or fixed_list
 * above it, up to the nearest list or map, is null.
 *
 * Ownership: an array owns its buffers (all from the library's allocator); stoa_array_reset()
 * frees them. Buffers have at least STOA_ARRAY_SLACK bytes behind the last value, so that a loop
 * may read whole words.
 */
#ifndef STOA_ARRAY_H
#define STOA_ARRAY_H

#include <stoa/base.h>
#include <stoa/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STOA_ARRAY_SLACK 64

struct stoa_array {
    size_t nvalues;
    size_t nnulls;
    uint8_t *validity;
    uint8_t *values;
    int32_t *offsets;
    struct stoa_array *children;
    uint32_t nchildren;
};

/*
 * Rows of a table: columns[i] belongs to schema->fields[i] and has nrows values.
 * Ownership: the batch owns its columns, not the schema, which must outlive it.
 */
struct stoa_batch {
    const struct stoa_schema *schema;
    size_t nrows;
    struct stoa_array *columns;
    uint32_t ncolumns;
};

/* Frees the buffers and children; the array is `{0}` again. */
STOA_API void stoa_array_reset(struct stoa_array *array);

/* A batch of no rows with room for a column per field, each `{0}`. */
STOA_API STOA_CHECK enum stoa_status
stoa_batch_init(struct stoa_batch *batch, const struct stoa_schema *schema, struct stoa_error *err);
STOA_API void stoa_batch_reset(struct stoa_batch *batch);

/* Bytes of one value in memory; 0 for bool, null, utf8, binary and nested types. */
STOA_API size_t stoa_type_width(const struct stoa_type *type);

static inline bool stoa_array_is_null(const struct stoa_array *array, size_t i)
{
    return array->validity != NULL && !((array->validity[i / 8] >> (i % 8)) & 1);
}

/*
 * Checks that an array from outside is what its field says: sizes, offsets that rise, valid UTF-8,
 * bool, enum and decimal values in range, nulls only where nullable or below a null, null slots in
 * their form, nnulls as counted. STOA_ERR_DATA names the field and the value. Cost: one pass over
 * everything.
 */
STOA_API STOA_CHECK enum stoa_status stoa_array_validate(const struct stoa_field *field,
                                                         const struct stoa_array *array,
                                                         struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_batch_validate(const struct stoa_batch *batch,
                                                         struct stoa_error *err);

/* Deep equality of values; floats by bits, null slots by being null alone. */
STOA_API bool stoa_array_equal(const struct stoa_field *field, const struct stoa_array *a,
                               const struct stoa_array *b);
STOA_API bool stoa_batch_equal(const struct stoa_batch *a, const struct stoa_batch *b);

/*
 * New arrays: the rows of several arrays in order, or the given rows (any order) of one.
 * On failure *out is untouched. STOA_ERR_LIMIT when text would exceed 2 GiB - 1 bytes.
 */
STOA_API STOA_CHECK enum stoa_status stoa_array_concat(const struct stoa_field *field,
                                                       const struct stoa_array *const *arrays,
                                                       size_t narrays, struct stoa_array *out,
                                                       struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status
stoa_array_take(const struct stoa_field *field, const struct stoa_array *array,
                const uint32_t *rows, size_t nrows, struct stoa_array *out, struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_array_slice(const struct stoa_field *field,
                                                      const struct stoa_array *array, size_t begin,
                                                      size_t end, struct stoa_array *out,
                                                      struct stoa_error *err);

/*
 * Appends value i as text in its one exact form to a caller's buffer of at least
 * STOA_TEXT_NBYTES: bool, numbers, dates and times, durations and intervals (ISO 8601), uuid. Not
 * for null, utf8, binary, fixed_binary, enum and nested types. Returns the bytes written, without a
 * terminator; the value must not be null.
 */
#define STOA_TEXT_NBYTES 80
STOA_API size_t stoa_array_format(const struct stoa_field *field, const struct stoa_array *array,
                                  size_t i, char out[STOA_TEXT_NBYTES]);

/*
 * Value i of any type as JSON, in the forms of stoa/jsonl.h; *out is terminated, free it with
 * stoa_free(). For single values: stoa_jsonl_format() is faster for many.
 */
STOA_API STOA_CHECK enum stoa_status stoa_array_print_json(const struct stoa_field *field,
                                                           const struct stoa_array *array, size_t i,
                                                           char **out, struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
