/*
 * A look at values of an ArrowArray whose structure was checked: after stoa_arrow_view_init() every
 * pointer that the layout needs is there, and every count fits memory.
 */
#ifndef STOA_COLUMN_ARROW_VIEW_H
#define STOA_COLUMN_ARROW_VIEW_H

#include <string.h>

#include "base/bits.h"
#include "column/arrow_format.h"

/* Some values of an ArrowArray. */
struct stoa_arrow_part {
    const struct ArrowArray *array;
    const struct ArrowSchema *schema; /* of the array */
    size_t begin;                     /* counted from the array's offset */
    size_t nvalues;
    const uint8_t *live; /* bit i: value begin + i matters, the others become null; NULL: all do */
};

struct stoa_arrow_view {
    size_t begin; /* the first value, counted from the start of the buffers */
    size_t nvalues;
    uint32_t width;          /* as in stoa_arrow_storage */
    const uint8_t *validity; /* NULL: none is null */
    const uint8_t *values;   /* also indices, views, the bytes of texts */
    const uint8_t *offsets;
    const uint8_t *lengths;     /* of list views */
    const void *const *datas;   /* of views: buffers, */
    const uint8_t *data_nbytes; /* the size of each, an int64, */
    size_t ndatas;              /* and how many there are */
};

/*
 * Checks the structure of part->array, which is stored like `storage` or holds the indices into a
 * dictionary. With `count_nulls` its null_count is compared with its bitmap.
 * STOA_ERR_USAGE: released before; STOA_ERR_DATA; STOA_ERR_LIMIT: more than 2^31 - 1 values.
 */
STOA_CHECK enum stoa_status stoa_arrow_view_init(struct stoa_arrow_view *out,
                                                 const struct stoa_arrow_part *part,
                                                 const struct stoa_arrow_storage *storage,
                                                 bool count_nulls, struct stoa_error *err);

static inline bool stoa_arrow_view_is_null(const struct stoa_arrow_view *view, size_t i)
{
    return view->validity != NULL && !stoa_bitmap_get(view->validity, view->begin + i);
}

/* A signed number of 2, 4 or 8 bytes; buffers need not be aligned. */
static inline int64_t stoa_arrow_number(const uint8_t *buffer, size_t i, uint32_t width)
{
    const uint8_t *at = buffer + i * width;
    int16_t i16;
    int32_t i32;
    int64_t i64;

    if (width == sizeof(i32)) {
        memcpy(&i32, at, sizeof(i32));
        return i32;
    }
    if (width == sizeof(i64)) {
        memcpy(&i64, at, sizeof(i64));
        return i64;
    }
    memcpy(&i16, at, sizeof(i16));
    return i16;
}

/* Where value i of bytes or lists begins and ends. STOA_ERR_DATA: at no place that can be. */
STOA_CHECK enum stoa_status stoa_arrow_view_range(const struct stoa_arrow_view *view, size_t i,
                                                  int64_t *begin, int64_t *end,
                                                  struct stoa_error *err);

/* Text i of views. STOA_ERR_DATA: outside of its buffer. */
STOA_CHECK enum stoa_status stoa_arrow_view_text(const struct stoa_arrow_view *view, size_t i,
                                                 const uint8_t **text, uint32_t *nbytes,
                                                 struct stoa_error *err);

#endif
