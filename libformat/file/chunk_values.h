/*
 * Columns as their chunks store them: Arrow arrays to physical values, distinct values and codes.
 */
#ifndef STOA_FILE_CHUNK_VALUES_H
#define STOA_FILE_CHUNK_VALUES_H

#include <stoa/array.h>

#include "codec/distinct.h"
#include "codec/vector.h"

/* Values with memory of their own. `{0}` is empty; stoa_values_reset() frees. */
struct stoa_values {
    struct stoa_vector vector; /* may point into an array, then nothing is owned */
    uint8_t *values;
    int32_t *offsets;
};

void stoa_values_reset(struct stoa_values *values);

/* Values indices[0..count) of `from`, copied. */
STOA_CHECK enum stoa_status stoa_values_take(struct stoa_values *out,
                                             const struct stoa_vector *from,
                                             const uint32_t *indices, uint32_t count,
                                             struct stoa_error *err);

/* Bytes of the values: for BYTES their text, without lengths. */
uint64_t stoa_vector_nbytes(const struct stoa_vector *vector);

/* The values of a chunk. `array` is borrowed and must outlive it. */
struct stoa_chunk_values {
    struct stoa_values physical; /* null slots filled; not set when all are null */
    const struct stoa_array *array;
    enum stoa_phys phys;
    uint32_t width;
    bool all_null; /* also when there are no values at all */
};

/*
 * The array of a node in physical form: bits of bool as bytes, offsets of lists as lengths,
 * decimals as I64 or I128 where all fit, null slots filled with the value before (BYTES: left
 * empty), so that they cost nothing. Copies only where something changes. STOA_ERR_DATA: a decimal
 * that has more digits than its type's width has room for.
 */
STOA_CHECK enum stoa_status stoa_chunk_values_init(struct stoa_chunk_values *out,
                                                   const struct stoa_type *type,
                                                   const struct stoa_array *array,
                                                   struct stoa_error *err);
void stoa_chunk_values_reset(struct stoa_chunk_values *values);

/* The distinct values of a chunk. `{0}` is empty: none were collected. */
struct stoa_chunk_distinct {
    struct stoa_distinct *set; /* NULL: there are too many, or nobody looked */
    uint32_t *codes;           /* of each slot; null slots have the code before */
};

/*
 * Collects the distinct values that are not null, unless there are more than max_count or
 * max_nbytes of them; then out->set stays NULL. STOA_ERR_DATA: a null text that is not empty.
 * Cost: one look-up a value.
 */
STOA_CHECK enum stoa_status stoa_chunk_distinct_init(struct stoa_chunk_distinct *out,
                                                     const struct stoa_chunk_values *values,
                                                     uint32_t max_count, uint64_t max_nbytes,
                                                     struct stoa_error *err);
void stoa_chunk_distinct_reset(struct stoa_chunk_distinct *distinct);

#endif
