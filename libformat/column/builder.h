/*
 * Arrays that grow at the end, for whoever parses or decodes values one by one.
 *
 *     STOA_TRY(stoa_builder_init(&builder, &field->type, nrows, err));
 *     ...
 *     STOA_TRY(stoa_builder_reserve(&builder, 1, nbytes, err));
 *     stoa_builder_append_bytes(&builder, text, nbytes);
 *     ...
 *     stoa_builder_finish(&builder, &array);
 *
 * Room is reserved first, for one value or for thousands; appending then is inline, without a
 * check, and cannot fail. Each type takes the append of its layout: _bool for bool, _bytes for
 * utf8 and binary, and for the others the one of its width in memory (stoa_type_width()), as bits:
 * a float64 goes through _64. Types with children have no builder.
 *
 * Until finished, the bitmap of `array` is all ones behind the last value, so that appending a
 * value does not touch it. One thread at a time.
 */
#ifndef STOA_COLUMN_BUILDER_H
#define STOA_COLUMN_BUILDER_H

#include <assert.h>
#include <string.h>

#include <stoa/array.h>

#include "base/bits.h"
#include "column/type.h"

struct stoa_builder {
    struct stoa_array array;
    enum stoa_layout layout;
    size_t width;
    size_t nvalues_capacity;
    size_t nbytes;          /* of utf8 and binary, so far */
    size_t nbytes_capacity; /* of these */
};

/* An empty builder with room for nvalues_hint values (text apart). Release with _reset(). */
STOA_CHECK enum stoa_status stoa_builder_init(struct stoa_builder *builder,
                                              const struct stoa_type *type, size_t nvalues_hint,
                                              struct stoa_error *err);
void stoa_builder_reset(struct stoa_builder *builder);

/* The slow part of _reserve(): makes the buffers larger, at least doubling them. */
STOA_CHECK enum stoa_status stoa_builder_grow(struct stoa_builder *builder, size_t nvalues,
                                              size_t nbytes, struct stoa_error *err);

/*
 * Hands the values over to *out, which is overwritten; the bitmap is dropped when nothing is null,
 * and each buffer has its slack. The builder is empty again, without room, and may be used on.
 */
void stoa_builder_finish(struct stoa_builder *builder, struct stoa_array *out);

/*
 * Room for nvalues more values and nbytes more bytes of utf8 or binary. STOA_ERR_LIMIT when these
 * would pass 2 GiB - 1 in all. On failure the values so far stay.
 */
STOA_CHECK static inline enum stoa_status stoa_builder_reserve(struct stoa_builder *builder,
                                                               size_t nvalues, size_t nbytes,
                                                               struct stoa_error *err)
{
    if (nvalues <= builder->nvalues_capacity - builder->array.nvalues &&
        nbytes <= builder->nbytes_capacity - builder->nbytes)
        return STOA_OK;
    return stoa_builder_grow(builder, nvalues, nbytes, err);
}

static inline void stoa_builder_append_8(struct stoa_builder *builder, uint8_t bits)
{
    assert(builder->width == 1 && builder->array.nvalues < builder->nvalues_capacity);
    builder->array.values[builder->array.nvalues++] = bits;
}

static inline void stoa_builder_append_16(struct stoa_builder *builder, uint16_t bits)
{
    assert(builder->width == 2 && builder->array.nvalues < builder->nvalues_capacity);
    memcpy(builder->array.values + 2 * builder->array.nvalues++, &bits, 2);
}

static inline void stoa_builder_append_32(struct stoa_builder *builder, uint32_t bits)
{
    assert(builder->width == 4 && builder->array.nvalues < builder->nvalues_capacity);
    memcpy(builder->array.values + 4 * builder->array.nvalues++, &bits, 4);
}

static inline void stoa_builder_append_64(struct stoa_builder *builder, uint64_t bits)
{
    assert(builder->width == 8 && builder->array.nvalues < builder->nvalues_capacity);
    memcpy(builder->array.values + 8 * builder->array.nvalues++, &bits, 8);
}

/* A value of any fixed width, 16 among them, from memory. */
static inline void stoa_builder_append_fixed(struct stoa_builder *builder, const void *value)
{
    assert(builder->layout == STOA_LAYOUT_FIXED &&
           builder->array.nvalues < builder->nvalues_capacity);
    memcpy(builder->array.values + builder->width * builder->array.nvalues++, value,
           builder->width);
}

/* The same for a value that the caller has put at the place that stoa_builder_slot() gave. */
static inline void *stoa_builder_slot(const struct stoa_builder *builder)
{
    assert(builder->layout == STOA_LAYOUT_FIXED &&
           builder->array.nvalues < builder->nvalues_capacity);
    return builder->array.values + builder->width * builder->array.nvalues;
}

static inline void stoa_builder_append_slot(struct stoa_builder *builder)
{
    builder->array.nvalues++;
}

static inline void stoa_builder_append_bool(struct stoa_builder *builder, bool value)
{
    size_t i = builder->array.nvalues++;

    assert(builder->layout == STOA_LAYOUT_BITS && i < builder->nvalues_capacity);
    builder->array.values[i / 8] =
        (uint8_t)(builder->array.values[i / 8] | (unsigned)value << (i % 8));
}

static inline void stoa_builder_append_bytes(struct stoa_builder *builder, const void *bytes,
                                             size_t nbytes)
{
    assert(builder->layout == STOA_LAYOUT_BYTES &&
           builder->array.nvalues < builder->nvalues_capacity &&
           nbytes <= builder->nbytes_capacity - builder->nbytes);
    if (nbytes > 0)
        memcpy(builder->array.values + builder->nbytes, bytes, nbytes);
    builder->nbytes += nbytes;
    builder->array.offsets[++builder->array.nvalues] = (int32_t)builder->nbytes;
}

/*
 * The same for text that the caller has put behind the bytes so far, at array.values + nbytes,
 * in room that it reserved.
 */
static inline void stoa_builder_append_written(struct stoa_builder *builder, size_t nbytes)
{
    assert(builder->layout == STOA_LAYOUT_BYTES &&
           builder->array.nvalues < builder->nvalues_capacity &&
           nbytes <= builder->nbytes_capacity - builder->nbytes);
    builder->nbytes += nbytes;
    builder->array.offsets[++builder->array.nvalues] = (int32_t)builder->nbytes;
}

/* A null of any layout. */
static inline void stoa_builder_append_null(struct stoa_builder *builder)
{
    size_t i = builder->array.nvalues++;

    assert(i < builder->nvalues_capacity);
    stoa_bitmap_clear(builder->array.validity, i);
    builder->array.nnulls++;
    if (builder->layout == STOA_LAYOUT_FIXED)
        memset(builder->array.values + builder->width * i, 0, builder->width);
    else if (builder->layout == STOA_LAYOUT_BYTES)
        builder->array.offsets[i + 1] = (int32_t)builder->nbytes;
}

#endif
