/*
 * Arrays and batches: memory, and one value as text.
 */
#include "column/array.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"

void stoa_array_reset(struct stoa_array *array)
{
    for (uint32_t i = 0; i < array->nchildren; i++)
        stoa_array_reset(&array->children[i]);
    stoa_free(array->children);
    stoa_free(array->validity);
    stoa_free(array->values);
    stoa_free(array->offsets);
    *array = (struct stoa_array){0};
}

enum stoa_status stoa_batch_init(struct stoa_batch *batch, const struct stoa_schema *schema,
                                 struct stoa_error *err)
{
    struct stoa_array *columns;
    enum stoa_status st = stoa_alloc_zeroed(&columns, schema->nfields, sizeof(columns[0]), err);

    if (st == STOA_OK)
        *batch =
            (struct stoa_batch){.schema = schema, .columns = columns, .ncolumns = schema->nfields};
    return st;
}

void stoa_batch_reset(struct stoa_batch *batch)
{
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        stoa_array_reset(&batch->columns[i]);
    stoa_free(batch->columns);
    *batch = (struct stoa_batch){0};
}

enum stoa_status stoa_array_alloc_buffer(void *out, size_t nbytes, struct stoa_error *err)
{
    uint8_t *buffer;
    enum stoa_status st;

    if (nbytes > SIZE_MAX - STOA_ARRAY_SLACK)
        return stoa_fail_nomem(err, nbytes);
    st = stoa_alloc(&buffer, nbytes + STOA_ARRAY_SLACK, err);
    if (st != STOA_OK)
        return st;
    memset(buffer + nbytes, 0, STOA_ARRAY_SLACK);
    memcpy(out, &buffer, sizeof(buffer));
    return STOA_OK;
}

enum stoa_status stoa_array_fail_limit(uint64_t need, struct stoa_error *err)
{
    return stoa_fail(err, STOA_ERR_LIMIT,
                     "%" PRIu64 " bytes of text or values of lists are more than one array of a "
                     "column holds (%" PRId32 "): use fewer rows at a time",
                     need, STOA_ARRAY_MAX_OFFSET);
}

/* Bytes of the values buffer of a leaf array; false when they overflow. */
static bool values_nbytes(const struct stoa_type *type, enum stoa_layout layout, size_t nvalues,
                          size_t nbytes, size_t *out)
{
    if (layout == STOA_LAYOUT_FIXED)
        return stoa_mul_size(nvalues, stoa_type_width(type), out);
    *out = layout == STOA_LAYOUT_BITS ? stoa_bitmap_nbytes(nvalues) : nbytes;
    return true;
}

enum stoa_status stoa_array_alloc(const struct stoa_type *type, size_t nvalues, size_t nbytes,
                                  bool nulls, struct stoa_array *out, struct stoa_error *err)
{
    enum stoa_layout layout = stoa_type_info(type->id)->layout;
    struct stoa_array array = {.nvalues = nvalues};
    size_t values, bitmap = stoa_bitmap_nbytes(nvalues), offsets;
    enum stoa_status st = STOA_OK;

    assert(layout <= STOA_LAYOUT_BYTES);
    if (!values_nbytes(type, layout, nvalues, nbytes, &values) || nvalues == SIZE_MAX ||
        !stoa_mul_size(nvalues + 1, sizeof(array.offsets[0]), &offsets))
        return stoa_fail_nomem(err, SIZE_MAX);
    if (layout == STOA_LAYOUT_BYTES && nbytes > STOA_ARRAY_MAX_OFFSET)
        return stoa_array_fail_limit(nbytes, err);
    if (nulls) {
        STOA_TRY(stoa_array_alloc_buffer(&array.validity, bitmap, err));
        memset(array.validity, 0, bitmap);
        array.nnulls = nvalues;
    }
    if (layout != STOA_LAYOUT_NONE)
        STOA_TRY(stoa_array_alloc_buffer(&array.values, values, err));
    if (layout == STOA_LAYOUT_BITS)
        memset(array.values, 0, values);
    if (layout == STOA_LAYOUT_BYTES) {
        STOA_TRY(stoa_array_alloc_buffer(&array.offsets, offsets, err));
        array.offsets[0] = 0;
    }
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

void stoa_array_drop_validity(struct stoa_array *array)
{
    if (array->nnulls > 0)
        return;
    stoa_free(array->validity);
    array->validity = NULL;
}
