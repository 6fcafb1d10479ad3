/*
 * The structure of ArrowArrays: lengths, offsets, counts and pointers are checked before anything
 * is read (Arrow's C data interface; the table of types is in stoa/arrow.h).
 */
#include "column/arrow_view.h"

#include <inttypes.h>

#include "base/error.h"

/* What an array must have to be what its schema says. */
struct shape {
    int64_t nbuffers; /* of views at least so many */
    int64_t nchildren;
    bool has_dictionary;
    size_t width; /* bytes of one value in the buffers, at the most */
};

static struct shape shape_of(const struct ArrowSchema *schema,
                             const struct stoa_arrow_storage *storage)
{
    static const uint8_t nbuffers[STOA_ARROW_NLAYOUTS] = {
        [STOA_ARROW_NULLS] = 0,    [STOA_ARROW_BITS] = 2,      [STOA_ARROW_FIXED] = 2,
        [STOA_ARROW_DECIMAL] = 2,  [STOA_ARROW_DATE64] = 2,    [STOA_ARROW_MONTHS] = 2,
        [STOA_ARROW_DAY_TIME] = 2, [STOA_ARROW_BYTES] = 3,     [STOA_ARROW_VIEWS] = 3,
        [STOA_ARROW_LIST] = 2,     [STOA_ARROW_LIST_VIEW] = 3, [STOA_ARROW_FIXED_LIST] = 1,
        [STOA_ARROW_STRUCT] = 1,   [STOA_ARROW_RUNS] = 0,
    };

    return (struct shape){
        .nbuffers = nbuffers[storage->layout],
        .nchildren = schema->n_children,
        .has_dictionary = schema->dictionary != NULL,
        .width = storage->width > 8 ? storage->width : 8,
    };
}

static enum stoa_status check_counts(const struct ArrowArray *array, const struct shape *shape,
                                     bool more_buffers, struct stoa_error *err)
{
    if ((more_buffers ? array->n_buffers < shape->nbuffers || array->n_buffers > INT32_MAX
                      : array->n_buffers != shape->nbuffers) ||
        (shape->nbuffers > 0 && array->buffers == NULL))
        return stoa_fail(err, STOA_ERR_DATA, "%" PRId64 " buffers where its type has %" PRId64 "%s",
                         array->n_buffers != shape->nbuffers ? array->n_buffers : 0,
                         shape->nbuffers, more_buffers ? " or more" : "");
    if (array->n_children != shape->nchildren || (shape->nchildren > 0 && array->children == NULL))
        return stoa_fail(err, STOA_ERR_DATA, "%" PRId64 " children where its type has %" PRId64,
                         array->n_children != shape->nchildren ? array->n_children : 0,
                         shape->nchildren);
    for (int64_t i = 0; i < shape->nchildren; i++)
        if (array->children[i] == NULL)
            return stoa_fail(err, STOA_ERR_DATA, "child %" PRId64 " of the Arrow array is missing",
                             i + 1);
    if ((array->dictionary != NULL) != shape->has_dictionary)
        return stoa_fail(err, STOA_ERR_DATA, "%s dictionary where its type has %s",
                         shape->has_dictionary ? "no" : "a",
                         shape->has_dictionary ? "one" : "none");
    return STOA_OK;
}

static enum stoa_status check_shape(const struct ArrowArray *array, const struct shape *shape,
                                    bool more_buffers, struct stoa_error *err)
{
    int64_t end;

    if (array->release == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "the Arrow array was released before");
    if (array->length < 0 || array->offset < 0)
        return stoa_fail(err, STOA_ERR_DATA, "length %" PRId64 " and offset %" PRId64,
                         array->length, array->offset);
    if (__builtin_add_overflow(array->offset, array->length, &end) ||
        (uint64_t)end > (uint64_t)PTRDIFF_MAX / shape->width)
        return stoa_fail(err, STOA_ERR_DATA,
                         "length %" PRId64 " and offset %" PRId64 " are more than memory holds",
                         array->length, array->offset);
    if (array->null_count < -1 || array->null_count > array->length)
        return stoa_fail(err, STOA_ERR_DATA, "null_count %" PRId64 " of %" PRId64 " values",
                         array->null_count, array->length);
    return check_counts(array, shape, more_buffers, err);
}

/* Whether the buffers are there that an array of any values needs. */
static enum stoa_status check_buffers(const struct ArrowArray *array, enum stoa_arrow_layout layout,
                                      struct stoa_error *err)
{
    bool has_offsets =
        layout == STOA_ARROW_BYTES || layout == STOA_ARROW_LIST || layout == STOA_ARROW_LIST_VIEW;

    if (array->n_buffers == 0 || array->length == 0)
        return STOA_OK;
    if (array->buffers[0] == NULL && array->null_count > 0)
        return stoa_fail(err, STOA_ERR_DATA, "null_count is %" PRId64 " and there is no bitmap",
                         array->null_count);
    if (array->n_buffers > 1 && array->buffers[1] == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the buffer of the %s is missing",
                         has_offsets ? "offsets" : "values");
    if (layout == STOA_ARROW_LIST_VIEW && array->buffers[2] == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the buffer of the lengths is missing");
    if (layout == STOA_ARROW_VIEWS && array->n_buffers > 3 &&
        array->buffers[array->n_buffers - 1] == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the sizes of the buffers are missing");
    return STOA_OK;
}

/* The null_count of an array is that of its own range, whichever part of it is looked at. */
static enum stoa_status check_null_count(const struct ArrowArray *array, struct stoa_error *err)
{
    const uint8_t *validity = array->n_buffers > 0 ? array->buffers[0] : NULL;
    size_t begin = (size_t)array->offset, end = begin + (size_t)array->length, nnulls;

    if (validity == NULL || array->null_count < 0)
        return STOA_OK;
    nnulls = end - begin - stoa_bitmap_count(validity, begin, end);
    if (nnulls != (size_t)array->null_count)
        return stoa_fail(err, STOA_ERR_DATA,
                         "null_count is %" PRId64 " where the bitmap has %zu nulls",
                         array->null_count, nnulls);
    return STOA_OK;
}

enum stoa_status stoa_arrow_view_init(struct stoa_arrow_view *out,
                                      const struct stoa_arrow_part *part,
                                      const struct stoa_arrow_storage *storage, bool count_nulls,
                                      struct stoa_error *err)
{
    const struct ArrowArray *array = part->array;
    const struct shape shape = shape_of(part->schema, storage);
    enum stoa_arrow_layout layout = storage->layout;
    size_t end;
    enum stoa_status st;

    STOA_TRY(check_shape(array, &shape, layout == STOA_ARROW_VIEWS, err));
    if (__builtin_add_overflow(part->begin, part->nvalues, &end) || end > (uint64_t)array->length)
        return stoa_fail(err, STOA_ERR_DATA, "%" PRId64 " values for the rows %zu to %zu",
                         array->length, part->begin, end);
    if (part->nvalues > INT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "%zu values at a time, more than %" PRId32,
                         part->nvalues, INT32_MAX);
    STOA_TRY(check_buffers(array, layout, err));
    if (count_nulls)
        STOA_TRY(check_null_count(array, err));
    *out = (struct stoa_arrow_view){.begin = (size_t)array->offset + part->begin,
                                    .nvalues = part->nvalues,
                                    .width = storage->width};
    if (shape.nbuffers > 0)
        out->validity = array->buffers[0];
    if (layout == STOA_ARROW_LIST || layout == STOA_ARROW_LIST_VIEW || layout == STOA_ARROW_BYTES)
        out->offsets = array->buffers[1];
    else if (shape.nbuffers > 1)
        out->values = array->buffers[1];
    if (layout == STOA_ARROW_BYTES)
        out->values = array->buffers[2];
    if (layout == STOA_ARROW_LIST_VIEW)
        out->lengths = array->buffers[2];
    if (layout == STOA_ARROW_VIEWS) {
        out->datas = (const void *const *)array->buffers + 2;
        out->ndatas = (size_t)array->n_buffers - 3;
        out->data_nbytes = array->buffers[array->n_buffers - 1];
    }
out:
    return st;
}

enum stoa_status stoa_arrow_view_range(const struct stoa_arrow_view *view, size_t i, int64_t *begin,
                                       int64_t *end, struct stoa_error *err)
{
    int64_t length;
    bool good;

    *begin = stoa_arrow_number(view->offsets, view->begin + i, view->width);
    if (view->lengths != NULL) {
        length = stoa_arrow_number(view->lengths, view->begin + i, view->width);
        good = length >= 0 && !__builtin_add_overflow(*begin, length, end);
    } else {
        *end = stoa_arrow_number(view->offsets, view->begin + i + 1, view->width);
        good = *end >= *begin;
        length = good ? *end - *begin : 0;
    }
    if (good && *begin >= 0)
        return STOA_OK;
    if (view->lengths != NULL)
        return stoa_fail(err, STOA_ERR_DATA, "value %zu: offset %" PRId64 " and length %" PRId64, i,
                         *begin, length);
    return stoa_fail(err, STOA_ERR_DATA, "value %zu: the offset goes from %" PRId64 " to %" PRId64,
                     i, *begin, *end);
}

/*
 * A view is 16 bytes, numbers in native order:
 *
 *     length i32 | 12 bytes of text                                   up to 12 bytes
 *     length i32 | the first 4 bytes | buffer i32 | offset i32        above
 */
enum stoa_status stoa_arrow_view_text(const struct stoa_arrow_view *view, size_t i,
                                      const uint8_t **text, uint32_t *nbytes,
                                      struct stoa_error *err)
{
    const uint8_t *at = view->values + (view->begin + i) * 16;
    int32_t length, buffer, offset;
    int64_t have;

    memcpy(&length, at, sizeof(length));
    memcpy(&buffer, at + 8, sizeof(buffer));
    memcpy(&offset, at + 12, sizeof(offset));
    *nbytes = (uint32_t)length;
    *text = at + 4;
    if (length >= 0 && length <= 12)
        return STOA_OK;
    if (length < 0 || buffer < 0 || (size_t)buffer >= view->ndatas || offset < 0)
        return stoa_fail(err, STOA_ERR_DATA,
                         "value %zu: a view of %" PRId32 " bytes at %" PRId32 " of buffer %" PRId32
                         " of %zu",
                         i, length, offset, buffer, view->ndatas);
    memcpy(&have, view->data_nbytes + (size_t)buffer * sizeof(have), sizeof(have));
    if (view->datas[buffer] == NULL || (int64_t)offset + length > have)
        return stoa_fail(err, STOA_ERR_DATA,
                         "value %zu: a view of %" PRId32 " bytes at %" PRId32 " of a buffer of "
                         "%" PRId64 " bytes",
                         i, length, offset, have);
    *text = (const uint8_t *)view->datas[buffer] + offset;
    return STOA_OK;
}
