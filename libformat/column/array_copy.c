/*
 * New arrays out of old ones: concat, slice, take.
 *
 * Slice and concat are one thing: an array is gathered from *pieces*, runs of values of some array.
 * A slice is one piece, concat a piece for each array; nested arrays turn pieces of theirs into
 * pieces of their children. Take, the way of each filter, has loops of its own that look at single
 * rows, and gathers only where lists are long.
 */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "column/array.h"

struct piece {
    const struct stoa_array *array;
    size_t begin;
    size_t end;
};

static enum stoa_status gather(const struct stoa_field *field, const struct piece *pieces,
                               size_t npieces, struct stoa_array *out, struct stoa_error *err);

static size_t count_values(const struct piece *pieces, size_t npieces)
{
    size_t nvalues = 0;

    for (size_t i = 0; i < npieces; i++)
        nvalues += pieces[i].end - pieces[i].begin;
    return nvalues;
}

static bool any_validity(const struct piece *pieces, size_t npieces)
{
    for (size_t i = 0; i < npieces; i++)
        if (pieces[i].array->validity != NULL)
            return true;
    return false;
}

static enum stoa_status gather_validity(const struct piece *pieces, size_t npieces,
                                        struct stoa_array *out, struct stoa_error *err)
{
    size_t at = 0;
    enum stoa_status st;

    if (!any_validity(pieces, npieces))
        return STOA_OK;
    st = stoa_array_alloc_buffer(&out->validity, stoa_bitmap_nbytes(out->nvalues), err);
    if (st != STOA_OK)
        return st;
    memset(out->validity, 0, stoa_bitmap_nbytes(out->nvalues));
    for (size_t i = 0; i < npieces; i++) {
        size_t n = pieces[i].end - pieces[i].begin;

        if (pieces[i].array->validity == NULL)
            stoa_bitmap_fill(out->validity, at, at + n, true);
        else
            stoa_bitmap_copy(out->validity, at, pieces[i].array->validity, pieces[i].begin, n);
        at += n;
    }
    out->nnulls = out->nvalues - stoa_bitmap_count(out->validity, 0, out->nvalues);
    stoa_array_drop_validity(out);
    return STOA_OK;
}

static enum stoa_status gather_bits(const struct piece *pieces, size_t npieces,
                                    struct stoa_array *out, struct stoa_error *err)
{
    size_t nbytes = stoa_bitmap_nbytes(out->nvalues), at = 0;
    enum stoa_status st = stoa_array_alloc_buffer(&out->values, nbytes, err);

    if (st != STOA_OK)
        return st;
    memset(out->values, 0, nbytes);
    for (size_t i = 0; i < npieces; i++) {
        size_t n = pieces[i].end - pieces[i].begin;

        stoa_bitmap_copy(out->values, at, pieces[i].array->values, pieces[i].begin, n);
        at += n;
    }
    return STOA_OK;
}

static enum stoa_status gather_fixed(size_t width, const struct piece *pieces, size_t npieces,
                                     struct stoa_array *out, struct stoa_error *err)
{
    size_t nbytes;
    uint8_t *to;
    enum stoa_status st;

    if (!stoa_mul_size(out->nvalues, width, &nbytes))
        return stoa_fail_nomem(err, SIZE_MAX);
    st = stoa_array_alloc_buffer(&out->values, nbytes, err);
    if (st != STOA_OK)
        return st;
    to = out->values;
    for (size_t i = 0; i < npieces; i++) {
        size_t n = (pieces[i].end - pieces[i].begin) * width;

        if (n > 0)
            memcpy(to, pieces[i].array->values + pieces[i].begin * width, n);
        to += n;
    }
    return STOA_OK;
}

/* The range of bytes, or of child values, that a piece covers. An empty array has no offsets. */
static struct piece below(const struct piece *piece)
{
    struct piece range = {.array = piece->array};

    if (piece->begin < piece->end) {
        range.begin = (size_t)piece->array->offsets[piece->begin];
        range.end = (size_t)piece->array->offsets[piece->end];
    }
    return range;
}

/* Sets the offsets of *out, and *total to the last. */
static enum stoa_status gather_offsets(const struct piece *pieces, size_t npieces,
                                       struct stoa_array *out, size_t *total,
                                       struct stoa_error *err)
{
    uint64_t need = 0;
    size_t nbytes;
    int32_t *to;
    enum stoa_status st;

    for (size_t i = 0; i < npieces; i++) {
        struct piece range = below(&pieces[i]);

        need += range.end - range.begin;
    }
    if (need > STOA_ARRAY_MAX_OFFSET)
        return stoa_array_fail_limit(need, err);
    if (!stoa_mul_size(out->nvalues + 1, sizeof(out->offsets[0]), &nbytes))
        return stoa_fail_nomem(err, SIZE_MAX);
    st = stoa_array_alloc_buffer(&out->offsets, nbytes, err);
    if (st != STOA_OK)
        return st;
    to = out->offsets;
    *to = 0;
    for (size_t i = 0; i < npieces; i++) {
        const int32_t *from = pieces[i].array->offsets;
        int32_t base = *to;

        for (size_t j = pieces[i].begin; j < pieces[i].end; j++)
            *++to = base + (from[j + 1] - from[pieces[i].begin]);
    }
    *total = (size_t)need;
    return STOA_OK;
}

static enum stoa_status gather_bytes(const struct piece *pieces, size_t npieces,
                                     struct stoa_array *out, struct stoa_error *err)
{
    size_t total, at = 0;
    enum stoa_status st;

    STOA_TRY(gather_offsets(pieces, npieces, out, &total, err));
    STOA_TRY(stoa_array_alloc_buffer(&out->values, total, err));
    for (size_t i = 0; i < npieces; i++) {
        struct piece range = below(&pieces[i]);
        size_t n = range.end - range.begin;

        if (n > 0)
            memcpy(out->values + at, range.array->values + range.begin, n);
        at += n;
    }
out:
    return st;
}

/*
 * The part of child `child` that belongs to a piece, which is not empty: the same values for a
 * struct, what the values cover for lists.
 */
static struct piece child_piece(const struct stoa_field *field, uint32_t child,
                                const struct piece *piece)
{
    struct piece range = *piece;

    if (field->type.id == STOA_FIXED_LIST) {
        range.begin *= field->type.width;
        range.end *= field->type.width;
    } else if (field->type.id != STOA_STRUCT) {
        range = below(piece);
    }
    range.array = &piece->array->children[child];
    return range;
}

static enum stoa_status gather_children(const struct stoa_field *field, const struct piece *pieces,
                                        size_t npieces, struct stoa_array *out,
                                        struct stoa_error *err)
{
    struct piece *parts = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&parts, npieces, sizeof(parts[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&out->children, field->nchildren, sizeof(out->children[0]), err));
    for (; out->nchildren < field->nchildren; out->nchildren++) {
        uint32_t child = out->nchildren;
        size_t nparts = 0;

        /* An empty array may come without children. */
        for (size_t i = 0; i < npieces; i++)
            if (pieces[i].begin < pieces[i].end)
                parts[nparts++] = child_piece(field, child, &pieces[i]);
        STOA_TRY(gather(&field->children[child], parts, nparts, &out->children[child], err));
    }
out:
    stoa_free(parts);
    return st;
}

static enum stoa_status gather_values(const struct stoa_field *field, const struct piece *pieces,
                                      size_t npieces, struct stoa_array *out,
                                      struct stoa_error *err)
{
    size_t total;
    enum stoa_status st = STOA_OK;

    switch (stoa_type_info(field->type.id)->layout) {
    case STOA_LAYOUT_NONE:
        return STOA_OK;
    case STOA_LAYOUT_BITS:
        return gather_bits(pieces, npieces, out, err);
    case STOA_LAYOUT_FIXED:
        return gather_fixed(stoa_type_width(&field->type), pieces, npieces, out, err);
    case STOA_LAYOUT_BYTES:
        return gather_bytes(pieces, npieces, out, err);
    case STOA_LAYOUT_LIST:
        STOA_TRY(gather_offsets(pieces, npieces, out, &total, err));
        return gather_children(field, pieces, npieces, out, err);
    case STOA_LAYOUT_FIXED_LIST:
    case STOA_LAYOUT_STRUCT:
        return gather_children(field, pieces, npieces, out, err);
    }
out:
    return st;
}

static enum stoa_status gather(const struct stoa_field *field, const struct piece *pieces,
                               size_t npieces, struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array array = {.nvalues = count_values(pieces, npieces)};
    enum stoa_status st;

    STOA_TRY(gather_validity(pieces, npieces, &array, err));
    STOA_TRY(gather_values(field, pieces, npieces, &array, err));
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

enum stoa_status stoa_array_slice(const struct stoa_field *field, const struct stoa_array *array,
                                  size_t begin, size_t end, struct stoa_array *out,
                                  struct stoa_error *err)
{
    struct piece piece = {array, begin, end};

    assert(begin <= end && end <= array->nvalues);
    return gather(field, &piece, 1, out, err);
}

enum stoa_status stoa_array_concat(const struct stoa_field *field,
                                   const struct stoa_array *const *arrays, size_t narrays,
                                   struct stoa_array *out, struct stoa_error *err)
{
    struct piece *pieces;
    enum stoa_status st = stoa_alloc_zeroed(&pieces, narrays, sizeof(pieces[0]), err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < narrays; i++)
        pieces[i] = (struct piece){arrays[i], 0, arrays[i]->nvalues};
    st = gather(field, pieces, narrays, out, err);
    stoa_free(pieces);
    return st;
}

/* ---- Take ---- */

static void take_bits(uint8_t *out, const uint8_t *bitmap, const uint32_t *rows, size_t nrows)
{
    memset(out, 0, stoa_bitmap_nbytes(nrows));
    for (size_t i = 0; i < nrows; i++)
        out[i / 8] = (uint8_t)(out[i / 8] | (unsigned)stoa_bitmap_get(bitmap, rows[i]) << (i % 8));
}

/* Inlined with a constant width, each copy is one load and one store. */
static inline void take_width(uint8_t *out, const uint8_t *values, const uint32_t *rows,
                              size_t nrows, size_t width)
{
    for (size_t i = 0; i < nrows; i++)
        memcpy(out + i * width, values + rows[i] * width, width);
}

static void take_fixed(uint8_t *out, const uint8_t *values, const uint32_t *rows, size_t nrows,
                       size_t width)
{
    switch (width) {
    case 1:
        take_width(out, values, rows, nrows, 1);
        break;
    case 2:
        take_width(out, values, rows, nrows, 2);
        break;
    case 4:
        take_width(out, values, rows, nrows, 4);
        break;
    case 8:
        take_width(out, values, rows, nrows, 8);
        break;
    case 16:
        take_width(out, values, rows, nrows, 16);
        break;
    case 32:
        take_width(out, values, rows, nrows, 32);
        break;
    default:
        take_width(out, values, rows, nrows, width);
        break;
    }
}

/* The slack behind both buffers lets a short text be copied as a block of SHORT_NBYTES. */
enum { SHORT_NBYTES = 16 };
_Static_assert(SHORT_NBYTES <= STOA_ARRAY_SLACK, "a block may begin at the last byte");

static void take_bytes(struct stoa_array *out, const struct stoa_array *array, const uint32_t *rows,
                       size_t nrows)
{
    int32_t at = 0;

    for (size_t i = 0; i < nrows; i++) {
        int32_t begin = array->offsets[rows[i]];
        int32_t nbytes = array->offsets[rows[i] + 1] - begin;

        if (nbytes <= SHORT_NBYTES)
            memcpy(out->values + at, array->values + begin, SHORT_NBYTES);
        else
            memcpy(out->values + at, array->values + begin, (size_t)nbytes);
        at += nbytes;
        out->offsets[i + 1] = at;
    }
    memset(out->values + at, 0, STOA_ARRAY_SLACK);
}

static enum stoa_status take_validity(const struct stoa_array *array, const uint32_t *rows,
                                      struct stoa_array *out, struct stoa_error *err)
{
    size_t nbytes = stoa_bitmap_nbytes(out->nvalues);
    enum stoa_status st;

    if (array->validity == NULL)
        return STOA_OK;
    st = stoa_array_alloc_buffer(&out->validity, nbytes, err);
    if (st != STOA_OK)
        return st;
    take_bits(out->validity, array->validity, rows, out->nvalues);
    out->nnulls = out->nvalues - stoa_bitmap_count(out->validity, 0, out->nvalues);
    stoa_array_drop_validity(out);
    return STOA_OK;
}

static enum stoa_status take_leaf(const struct stoa_type *type, enum stoa_layout layout,
                                  const struct stoa_array *array, const uint32_t *rows,
                                  size_t nrows, struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array taken = {0};
    uint64_t nbytes = 0;
    enum stoa_status st;

    if (layout == STOA_LAYOUT_BYTES)
        for (size_t i = 0; i < nrows; i++)
            nbytes += (uint32_t)(array->offsets[rows[i] + 1] - array->offsets[rows[i]]);
    if (nbytes > STOA_ARRAY_MAX_OFFSET)
        return stoa_array_fail_limit(nbytes, err);
    STOA_TRY(stoa_array_alloc(type, nrows, (size_t)nbytes, false, &taken, err));
    STOA_TRY(take_validity(array, rows, &taken, err));
    if (layout == STOA_LAYOUT_BITS)
        take_bits(taken.values, array->values, rows, nrows);
    else if (layout == STOA_LAYOUT_FIXED)
        take_fixed(taken.values, array->values, rows, nrows, stoa_type_width(type));
    else if (layout == STOA_LAYOUT_BYTES)
        take_bytes(&taken, array, rows, nrows);
    *out = taken;
    taken = (struct stoa_array){0};
out:
    stoa_array_reset(&taken);
    return st;
}

/* The values of a list's child that belong to value i. */
static struct piece items_of(const struct stoa_field *field, const struct stoa_array *array,
                             size_t i)
{
    struct piece piece = {array, i, i + 1};

    return child_piece(field, 0, &piece);
}

/* The offsets of the rows of lists that are taken, and *total, which the last one is. */
static enum stoa_status take_offsets(const struct stoa_array *array, const uint32_t *rows,
                                     struct stoa_array *out, size_t *total, struct stoa_error *err)
{
    uint64_t need = 0;
    enum stoa_status st;

    for (size_t i = 0; i < out->nvalues; i++)
        need += (uint32_t)(array->offsets[rows[i] + 1] - array->offsets[rows[i]]);
    if (need > STOA_ARRAY_MAX_OFFSET)
        return stoa_array_fail_limit(need, err);
    st = stoa_array_alloc_buffer(&out->offsets, (out->nvalues + 1) * sizeof(out->offsets[0]), err);
    if (st != STOA_OK)
        return st;
    out->offsets[0] = 0;
    for (size_t i = 0; i < out->nvalues; i++)
        out->offsets[i + 1] =
            out->offsets[i] + (array->offsets[rows[i] + 1] - array->offsets[rows[i]]);
    *total = (size_t)need;
    return STOA_OK;
}

static enum stoa_status take_any(const struct stoa_field *field, const struct stoa_array *array,
                                 const uint32_t *rows, size_t nrows, struct stoa_array *out,
                                 struct stoa_error *err);

/* The child of lists, row by row: for short lists. */
static enum stoa_status take_short_items(const struct stoa_field *field,
                                         const struct stoa_array *array, const uint32_t *rows,
                                         size_t nrows, size_t nitems, struct stoa_array *out,
                                         struct stoa_error *err)
{
    uint32_t *items;
    size_t n = 0;
    enum stoa_status st = stoa_alloc_zeroed(&items, nitems, sizeof(items[0]), err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < nrows; i++) {
        struct piece range = items_of(field, array, rows[i]);

        for (size_t item = range.begin; item < range.end; item++)
            items[n++] = (uint32_t)item;
    }
    st = take_any(&field->children[0], &array->children[0], items, n, out, err);
    stoa_free(items);
    return st;
}

/* The child of lists, each list a piece: for long lists. */
static enum stoa_status take_long_items(const struct stoa_field *field,
                                        const struct stoa_array *array, const uint32_t *rows,
                                        size_t nrows, struct stoa_array *out,
                                        struct stoa_error *err)
{
    struct piece *pieces;
    enum stoa_status st = stoa_alloc_zeroed(&pieces, nrows, sizeof(pieces[0]), err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < nrows; i++)
        pieces[i] = items_of(field, array, rows[i]);
    st = gather(&field->children[0], pieces, nrows, out, err);
    stoa_free(pieces);
    return st;
}

enum { LONG_LIST_NVALUES = 16 }; /* on average, from which on a list is worth a memcpy() */

static enum stoa_status take_items(const struct stoa_field *field, const struct stoa_array *array,
                                   const uint32_t *rows, size_t nrows, size_t nitems,
                                   struct stoa_array *out, struct stoa_error *err)
{
    if (nitems / nrows < LONG_LIST_NVALUES && array->children[0].nvalues <= UINT32_MAX)
        return take_short_items(field, array, rows, nrows, nitems, out, err);
    return take_long_items(field, array, rows, nrows, out, err);
}

/* nrows > 0. */
static enum stoa_status take_nested(const struct stoa_field *field, enum stoa_layout layout,
                                    const struct stoa_array *array, const uint32_t *rows,
                                    size_t nrows, struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array taken = {.nvalues = nrows};
    size_t nitems = nrows * field->type.width; /* no more than memory holds, or of no meaning */
    enum stoa_status st;

    STOA_TRY(take_validity(array, rows, &taken, err));
    if (layout == STOA_LAYOUT_LIST)
        STOA_TRY(take_offsets(array, rows, &taken, &nitems, err));
    STOA_TRY(stoa_alloc_zeroed(&taken.children, field->nchildren, sizeof(taken.children[0]), err));
    for (; taken.nchildren < field->nchildren; taken.nchildren++) {
        uint32_t k = taken.nchildren;

        if (layout == STOA_LAYOUT_STRUCT)
            STOA_TRY(take_any(&field->children[k], &array->children[k], rows, nrows,
                              &taken.children[k], err));
        else
            STOA_TRY(take_items(field, array, rows, nrows, nitems, &taken.children[k], err));
    }
    *out = taken;
    taken = (struct stoa_array){0};
out:
    stoa_array_reset(&taken);
    return st;
}

static enum stoa_status take_any(const struct stoa_field *field, const struct stoa_array *array,
                                 const uint32_t *rows, size_t nrows, struct stoa_array *out,
                                 struct stoa_error *err)
{
    enum stoa_layout layout = stoa_type_info(field->type.id)->layout;

    if (layout <= STOA_LAYOUT_BYTES)
        return take_leaf(&field->type, layout, array, rows, nrows, out, err);
    if (nrows == 0) /* the array may be without children */
        return gather(field, NULL, 0, out, err);
    return take_nested(field, layout, array, rows, nrows, out, err);
}

enum stoa_status stoa_array_take(const struct stoa_field *field, const struct stoa_array *array,
                                 const uint32_t *rows, size_t nrows, struct stoa_array *out,
                                 struct stoa_error *err)
{
    for (size_t i = 0; i < nrows; i++)
        assert(rows[i] < array->nvalues);
    return take_any(field, array, rows, nrows, out, err);
}
