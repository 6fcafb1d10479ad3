/*
 * ArrowArray as batches (Arrow's C data interface; the table of types is in stoa/arrow.h).
 *
 * Everything is copied, because buffers of others begin anywhere, at any bit, and end without
 * slack. An array is first looked at as a view, whose pointers and counts are checked; only then
 * are values read.
 *
 * What is made is in canonical form while others leave anything below a null. So nulls travel
 * downwards, as a bitmap of the values that are *live*, and what is not live is never looked at:
 *
 *     struct   null ok ok        its bitmap is what lives of its children
 *       a      7    8  9         becomes null 8 9
 *       list   [1]  [] [2,3]     becomes null [] [2,3], of which the child has all but the first
 */
#include "column/arrow_import.h"

#include <inttypes.h>

#include "base/error.h"
#include "column/array.h"

/* ---- Bitmaps ---- */

/* The bits of `view` that are live in place of no bitmap. */
static enum stoa_status import_validity(const struct stoa_arrow_view *view, const uint8_t *live,
                                        bool all_null, struct stoa_array *out,
                                        struct stoa_error *err)
{
    size_t n = view->nvalues, nbytes = stoa_bitmap_nbytes(n);
    enum stoa_status st;

    if (view->validity == NULL && live == NULL && !all_null)
        return STOA_OK;
    st = stoa_array_alloc_buffer(&out->validity, nbytes, err);
    if (st != STOA_OK)
        return st;
    memset(out->validity, 0, nbytes);
    if (!all_null && view->validity != NULL)
        stoa_bitmap_copy(out->validity, 0, view->validity, view->begin, n);
    else if (!all_null)
        stoa_bitmap_fill(out->validity, 0, n, true);
    for (size_t i = 0; live != NULL && i < nbytes; i++)
        out->validity[i] &= live[i];
    out->nnulls = n - stoa_bitmap_count(out->validity, 0, n);
    stoa_array_drop_validity(out);
    return STOA_OK;
}

/* Nulls where something lives, as far as asked. */
static enum stoa_status check_nulls(const struct stoa_arrow_import *import,
                                    const struct stoa_field *field, const uint8_t *live,
                                    const struct stoa_array *array, struct stoa_error *err)
{
    size_t n = array->nvalues, allowed = 0;

    if (import->check == STOA_ARROW_CHECK_NONE || field->nullable || array->nnulls == 0)
        return STOA_OK;
    if (live != NULL)
        allowed = n - stoa_bitmap_count(live, 0, n);
    if (array->nnulls == allowed)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_DATA, "%zu values are null, which the schema forbids",
                     array->nnulls - allowed);
}

/* ---- Values of one width ---- */

static enum stoa_status fill_bits(const struct stoa_arrow_view *view, struct stoa_array *out,
                                  struct stoa_error *err)
{
    size_t nbytes = stoa_bitmap_nbytes(view->nvalues);
    enum stoa_status st = stoa_array_alloc_buffer(&out->values, nbytes, err);

    if (st != STOA_OK)
        return st;
    memset(out->values, 0, nbytes);
    if (view->nvalues > 0)
        stoa_bitmap_copy(out->values, 0, view->values, view->begin, view->nvalues);
    for (size_t i = 0; out->validity != NULL && i < nbytes; i++)
        out->values[i] &= out->validity[i];
    return STOA_OK;
}

static enum stoa_status alloc_fixed(size_t nvalues, size_t width, struct stoa_array *out,
                                    struct stoa_error *err)
{
    size_t nbytes;

    if (!stoa_mul_size(nvalues, width, &nbytes))
        return stoa_fail_nomem(err, SIZE_MAX);
    return stoa_array_alloc_buffer(&out->values, nbytes, err);
}

static enum stoa_status fill_fixed(const struct stoa_arrow_view *view, size_t width,
                                   struct stoa_array *out, struct stoa_error *err)
{
    enum stoa_status st = alloc_fixed(view->nvalues, width, out, err);

    if (st != STOA_OK)
        return st;
    if (view->nvalues > 0)
        memcpy(out->values, view->values + view->begin * width, view->nvalues * width);
    for (size_t i = 0; out->validity != NULL && i < view->nvalues; i++)
        if (!stoa_bitmap_get(out->validity, i))
            memset(out->values + i * width, 0, width);
    return STOA_OK;
}

/* A value in another form, at `to`; false: it has none. */
typedef bool convert_value(const uint8_t *from, size_t from_width, uint8_t *to, size_t to_width);

/* Byte i of a number from its low end. */
static size_t byte_at(size_t i, size_t width)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? i : width - 1 - i;
}

/* Two's complement, wider or narrower. */
static bool convert_decimal(const uint8_t *from, size_t from_width, uint8_t *to, size_t to_width)
{
    uint8_t sign = from[byte_at(from_width - 1, from_width)] >= 0x80 ? 0xff : 0;

    for (size_t i = 0; i < to_width; i++)
        to[byte_at(i, to_width)] = i < from_width ? from[byte_at(i, from_width)] : sign;
    for (size_t i = to_width; i < from_width; i++)
        if (from[byte_at(i, from_width)] != sign)
            return false;
    return (to[byte_at(to_width - 1, to_width)] ^ sign) < 0x80;
}

static bool convert_date64(const uint8_t *from, size_t from_width, uint8_t *to, size_t to_width)
{
    const int64_t day = 24 * 60 * 60 * INT64_C(1000);
    int64_t ms;
    int32_t days;

    memcpy(&ms, from, from_width);
    days = (int32_t)(ms / day);
    memcpy(to, &days, to_width);
    return days * day == ms;
}

/* An interval is months i32 | days i32 | nanoseconds i64. */
static bool convert_months(const uint8_t *from, size_t from_width, uint8_t *to, size_t to_width)
{
    memcpy(to, from, from_width);
    memset(to + from_width, 0, to_width - from_width);
    return true;
}

static bool convert_day_time(const uint8_t *from, size_t from_width, uint8_t *to, size_t to_width)
{
    int32_t ms;
    int64_t ns;

    memcpy(&ms, from + from_width / 2, sizeof(ms));
    ns = ms * INT64_C(1000000);
    memset(to, 0, to_width);
    memcpy(to + 4, from, from_width / 2);
    memcpy(to + 8, &ns, sizeof(ns));
    return true;
}

static convert_value *const converters[STOA_ARROW_NLAYOUTS] = {
    [STOA_ARROW_DECIMAL] = convert_decimal,
    [STOA_ARROW_DATE64] = convert_date64,
    [STOA_ARROW_MONTHS] = convert_months,
    [STOA_ARROW_DAY_TIME] = convert_day_time,
};

static enum stoa_status fill_converted(const struct stoa_arrow_view *view, convert_value *convert,
                                       const struct stoa_type *type, struct stoa_array *out,
                                       struct stoa_error *err)
{
    size_t width = stoa_type_width(type);
    enum stoa_status st = alloc_fixed(view->nvalues, width, out, err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < view->nvalues; i++) {
        const uint8_t *from = view->values + (view->begin + i) * view->width;

        if (stoa_array_is_null(out, i))
            memset(out->values + i * width, 0, width);
        else if (!convert(from, view->width, out->values + i * width, width))
            return stoa_fail(err, STOA_ERR_DATA,
                             type->id == STOA_DATE32
                                 ? "value %zu is not a whole day: take it as timestamp(ms)"
                                 : "value %zu has more digits than its precision",
                             i);
    }
    return STOA_OK;
}

/* ---- Ranges: of bytes, of child values ---- */

/* Where the ranges of all values lie. */
struct extent {
    int64_t low;
    int64_t high;
    uint64_t total;
    bool in_order; /* one behind the other: [low, high) is all of them and nothing else */
};

/* One more range that is not empty. */
static void extend(struct extent *extent, int64_t begin, int64_t end)
{
    if (extent->total == 0) {
        extent->low = begin;
        extent->high = end;
    }
    extent->in_order = extent->in_order && (extent->total == 0 || begin == extent->high);
    extent->low = begin < extent->low ? begin : extent->low;
    extent->high = end > extent->high ? end : extent->high;
    extent->total += (uint64_t)(end - begin);
}

/* Sets out->offsets; nulls are empty there whatever their range. */
static enum stoa_status measure(const struct stoa_arrow_view *view, struct stoa_array *out,
                                struct extent *extent, struct stoa_error *err)
{
    *extent = (struct extent){.in_order = true};
    out->offsets[0] = 0;
    for (size_t i = 0; i < view->nvalues; i++) {
        bool is_null = stoa_array_is_null(out, i);
        int64_t begin = 0, end = 0;
        enum stoa_status st = STOA_OK;

        if (!is_null || view->lengths == NULL) /* offsets rise at nulls too */
            st = stoa_arrow_view_range(view, i, &begin, &end, err);
        if (st != STOA_OK)
            return st;
        if (!is_null && end > begin)
            extend(extent, begin, end);
        if (extent->total > STOA_ARRAY_MAX_OFFSET)
            return stoa_array_fail_limit(extent->total, err);
        out->offsets[i + 1] = (int32_t)extent->total;
    }
    return STOA_OK;
}

static enum stoa_status alloc_offsets(struct stoa_array *out, struct stoa_error *err)
{
    size_t nbytes;

    if (!stoa_mul_size(out->nvalues + 1, sizeof(out->offsets[0]), &nbytes))
        return stoa_fail_nomem(err, SIZE_MAX);
    return stoa_array_alloc_buffer(&out->offsets, nbytes, err);
}

static enum stoa_status fill_bytes(const struct stoa_arrow_view *view, struct stoa_array *out,
                                   struct stoa_error *err)
{
    struct extent extent;
    enum stoa_status st;

    STOA_TRY(alloc_offsets(out, err));
    STOA_TRY(measure(view, out, &extent, err));
    if (extent.total > 0 && view->values == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the buffer of the values is missing");
    STOA_TRY(stoa_array_alloc_buffer(&out->values, (size_t)extent.total, err));
    if (extent.total > 0 && extent.in_order)
        memcpy(out->values, view->values + extent.low, (size_t)extent.total);
    for (size_t i = 0; !extent.in_order && i < view->nvalues; i++) {
        size_t nbytes = (size_t)(out->offsets[i + 1] - out->offsets[i]);
        int64_t begin = stoa_arrow_number(view->offsets, view->begin + i, view->width);

        if (nbytes > 0)
            memcpy(out->values + out->offsets[i], view->values + begin, nbytes);
    }
out:
    return st;
}

static enum stoa_status fill_views(const struct stoa_arrow_view *view, struct stoa_array *out,
                                   struct stoa_error *err)
{
    const uint8_t *text;
    uint64_t total = 0;
    uint32_t nbytes;
    enum stoa_status st;

    STOA_TRY(alloc_offsets(out, err));
    out->offsets[0] = 0;
    for (size_t i = 0; i < view->nvalues; i++) {
        if (!stoa_array_is_null(out, i)) {
            STOA_TRY(stoa_arrow_view_text(view, i, &text, &nbytes, err));
            total += nbytes;
        }
        if (total > STOA_ARRAY_MAX_OFFSET)
            return stoa_array_fail_limit(total, err);
        out->offsets[i + 1] = (int32_t)total;
    }
    STOA_TRY(stoa_array_alloc_buffer(&out->values, (size_t)total, err));
    for (size_t i = 0; i < view->nvalues; i++) {
        if (out->offsets[i + 1] == out->offsets[i])
            continue;
        STOA_TRY(stoa_arrow_view_text(view, i, &text, &nbytes, err));
        memcpy(out->values + out->offsets[i], text, nbytes);
    }
out:
    return st;
}

/* ---- Nested values ---- */

static enum stoa_status import_child(struct stoa_arrow_import *import,
                                     const struct stoa_arrow_part *parent, uint32_t child,
                                     struct stoa_arrow_part range, const struct stoa_field *field,
                                     struct stoa_array *out, struct stoa_error *err)
{
    const char *name = field->children[child].name;
    char shown[64];
    enum stoa_status st;

    range.array = parent->array->children[child];
    range.schema = parent->schema->children[child];
    st = stoa_arrow_import_part(import, &range, &field->children[child], out, err);
    if (st != STOA_OK)
        stoa_wrap(err, st, "column %s", stoa_quote(shown, sizeof(shown), name, strlen(name)));
    return st;
}

static enum stoa_status alloc_children(const struct stoa_field *field, struct stoa_array *out,
                                       struct stoa_error *err)
{
    enum stoa_status st =
        stoa_alloc_zeroed(&out->children, field->nchildren, sizeof(out->children[0]), err);

    if (st == STOA_OK)
        out->nchildren = field->nchildren;
    return st;
}

static enum stoa_status fill_struct(struct stoa_arrow_import *import,
                                    const struct stoa_arrow_part *part,
                                    const struct stoa_arrow_view *view,
                                    const struct stoa_field *field, struct stoa_array *out,
                                    struct stoa_error *err)
{
    const struct stoa_arrow_part range = {
        .begin = view->begin, .nvalues = view->nvalues, .live = out->validity};
    enum stoa_status st = alloc_children(field, out, err);

    for (uint32_t i = 0; st == STOA_OK && i < field->nchildren; i++)
        st = import_child(import, part, i, range, field, &out->children[i], err);
    return st;
}

/* `live` has a bit for each of `width` values where `out` has one for all of them. */
static enum stoa_status spread_validity(const struct stoa_array *out, size_t width, uint8_t **live,
                                        struct stoa_error *err)
{
    enum stoa_status st;

    if (out->validity == NULL)
        return STOA_OK;
    st = stoa_alloc_zeroed(live, stoa_bitmap_nbytes(out->nvalues * width), 1, err);
    for (size_t i = 0; st == STOA_OK && i < out->nvalues; i++)
        if (stoa_bitmap_get(out->validity, i))
            stoa_bitmap_fill(*live, i * width, (i + 1) * width, true);
    return st;
}

static enum stoa_status fill_fixed_list(struct stoa_arrow_import *import,
                                        const struct stoa_arrow_part *part,
                                        const struct stoa_arrow_view *view,
                                        const struct stoa_field *field, struct stoa_array *out,
                                        struct stoa_error *err)
{
    size_t width = field->type.width;
    struct stoa_arrow_part range = {0};
    uint8_t *live = NULL;
    enum stoa_status st;

    if (!stoa_mul_size(view->begin, width, &range.begin) ||
        !stoa_mul_size(view->nvalues, width, &range.nvalues))
        return stoa_fail(err, STOA_ERR_DATA, "the lists hold more values than there can be");
    if (range.nvalues > STOA_ARRAY_MAX_OFFSET)
        return stoa_array_fail_limit(range.nvalues, err);
    STOA_TRY(spread_validity(out, width, &live, err));
    range.live = live;
    STOA_TRY(alloc_children(field, out, err));
    STOA_TRY(import_child(import, part, 0, range, field, &out->children[0], err));
out:
    stoa_free(live);
    return st;
}

/* The values of lists that are not one behind the other: `live`, and which they are in order. */
static enum stoa_status find_live(const struct stoa_arrow_view *view, const struct stoa_array *out,
                                  const struct extent *extent, uint8_t **live, uint32_t **rows,
                                  struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(
        stoa_alloc_zeroed(live, stoa_bitmap_nbytes((size_t)(extent->high - extent->low)), 1, err));
    STOA_TRY(stoa_alloc_zeroed(rows, (size_t)extent->total, sizeof(**rows), err));
    for (size_t i = 0; i < view->nvalues; i++) {
        int32_t at = out->offsets[i], end = out->offsets[i + 1];
        size_t from;

        if (at == end)
            continue;
        from =
            (size_t)(stoa_arrow_number(view->offsets, view->begin + i, view->width) - extent->low);
        stoa_bitmap_fill(*live, from, from + (size_t)(end - at), true);
        while (at < end)
            (*rows)[at++] = (uint32_t)from++;
    }
out:
    return st;
}

static enum stoa_status fill_list(struct stoa_arrow_import *import,
                                  const struct stoa_arrow_part *part,
                                  const struct stoa_arrow_view *view,
                                  const struct stoa_field *field, struct stoa_array *out,
                                  struct stoa_error *err)
{
    const struct ArrowArray *child = part->array->children[0];
    struct stoa_arrow_part range = {0};
    struct stoa_array values = {0};
    struct extent extent;
    uint8_t *live = NULL;
    uint32_t *rows = NULL;
    enum stoa_status st;

    STOA_TRY(alloc_offsets(out, err));
    STOA_TRY(measure(view, out, &extent, err));
    if (extent.high > child->length)
        return stoa_fail(err, STOA_ERR_DATA, "the lists need %" PRId64 " values of %" PRId64,
                         extent.high, child->length);
    if (extent.high - extent.low > STOA_ARRAY_MAX_OFFSET)
        return stoa_array_fail_limit((uint64_t)(extent.high - extent.low), err);
    if (!extent.in_order)
        STOA_TRY(find_live(view, out, &extent, &live, &rows, err));
    range = (struct stoa_arrow_part){
        .begin = (size_t)extent.low, .nvalues = (size_t)(extent.high - extent.low), .live = live};
    STOA_TRY(import_child(import, part, 0, range, field, &values, err));
    STOA_TRY(alloc_children(field, out, err));
    if (extent.in_order) {
        out->children[0] = values;
        values = (struct stoa_array){0};
    } else {
        STOA_TRY(stoa_array_take(&field->children[0], &values, rows, (size_t)extent.total,
                                 &out->children[0], err));
    }
out:
    stoa_array_reset(&values);
    stoa_free(live);
    stoa_free(rows);
    return st;
}

/* ---- Parts ---- */

static enum stoa_status fail_types(const struct stoa_type *wanted, const struct ArrowSchema *found,
                                   struct stoa_error *err)
{
    const char *wrapped = found->dictionary != NULL ? " indices into a dictionary" : "";
    char shown[64];

    return stoa_fail(
        err, STOA_ERR_USAGE, "the schema says %s where the format of Arrow is \"%s\"%s",
        stoa_type_info(wanted->id)->name,
        stoa_quote(shown, sizeof(shown), found->format, strlen(found->format)), wrapped);
}

/* Whether buffers of type `found` give values of the type that is wanted. */
static bool types_fit(const struct stoa_type *wanted, const struct stoa_type *found)
{
    return stoa_type_equal(wanted, found) ||
           (wanted->id == STOA_UUID && found->id == STOA_FIXED_BINARY && found->width == 16);
}

static enum stoa_status read_storage(const struct ArrowSchema *arrow,
                                     const struct stoa_field *wanted,
                                     struct stoa_arrow_storage *out, struct stoa_error *err)
{
    struct stoa_type found;
    enum stoa_status st = stoa_arrow_format_read(arrow->format, &found, out, err);

    if (st != STOA_OK)
        return st;
    STOA_TRY(stoa_arrow_check_children(arrow, out->layout, err));
    if (arrow->dictionary != NULL) {
        if (found.id < STOA_INT8 || found.id > STOA_UINT64 || arrow->dictionary->dictionary != NULL)
            st = fail_types(&wanted->type, arrow, err);
    } else if (out->layout != STOA_ARROW_RUNS) {
        if (!types_fit(&wanted->type, &found) || arrow->n_children != wanted->nchildren)
            st = fail_types(&wanted->type, arrow, err);
    }
out:
    stoa_type_reset(&found);
    return st;
}

static enum stoa_status fill(struct stoa_arrow_import *import, const struct stoa_arrow_part *part,
                             const struct stoa_arrow_view *view, enum stoa_arrow_layout layout,
                             const struct stoa_field *field, struct stoa_array *out,
                             struct stoa_error *err)
{
    size_t width = stoa_type_width(&field->type);

    switch (layout) {
    case STOA_ARROW_NULLS:
    case STOA_ARROW_RUNS:
        return STOA_OK;
    case STOA_ARROW_BITS:
        return fill_bits(view, out, err);
    case STOA_ARROW_DECIMAL:
        if (view->width == width)
            return fill_fixed(view, width, out, err);
        return fill_converted(view, convert_decimal, &field->type, out, err);
    case STOA_ARROW_DATE64:
    case STOA_ARROW_MONTHS:
    case STOA_ARROW_DAY_TIME:
        return fill_converted(view, converters[layout], &field->type, out, err);
    case STOA_ARROW_FIXED:
        return fill_fixed(view, width, out, err);
    case STOA_ARROW_BYTES:
        return fill_bytes(view, out, err);
    case STOA_ARROW_VIEWS:
        return fill_views(view, out, err);
    case STOA_ARROW_LIST:
    case STOA_ARROW_LIST_VIEW:
        return fill_list(import, part, view, field, out, err);
    case STOA_ARROW_FIXED_LIST:
        return fill_fixed_list(import, part, view, field, out, err);
    case STOA_ARROW_STRUCT:
        return fill_struct(import, part, view, field, out, err);
    }
    return STOA_OK;
}

static enum stoa_status import_values(struct stoa_arrow_import *import,
                                      const struct stoa_arrow_part *part,
                                      const struct stoa_arrow_storage *storage,
                                      const struct stoa_field *field, struct stoa_array *out,
                                      struct stoa_error *err)
{
    struct stoa_array array = {.nvalues = part->nvalues};
    struct stoa_arrow_view view;
    enum stoa_status st;

    STOA_TRY(stoa_arrow_view_init(&view, part, storage, import->count_nulls, err));
    STOA_TRY(import_validity(&view, part->live, storage->layout == STOA_ARROW_NULLS, &array, err));
    STOA_TRY(fill(import, part, &view, storage->layout, field, &array, err));
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

enum stoa_status stoa_arrow_import_part(struct stoa_arrow_import *import,
                                        const struct stoa_arrow_part *part,
                                        const struct stoa_field *field, struct stoa_array *out,
                                        struct stoa_error *err)
{
    struct stoa_arrow_storage storage;
    struct stoa_array array = {0};
    enum stoa_status st;

    if (import->depth >= STOA_ARROW_MAX_DEPTH)
        return stoa_fail(err, STOA_ERR_USAGE, "the Arrow schema is deeper than %u levels",
                         STOA_ARROW_MAX_DEPTH);
    import->depth++;
    STOA_TRY(read_storage(part->schema, field, &storage, err));
    if (part->schema->dictionary != NULL)
        STOA_TRY(stoa_arrow_import_coded(import, part, &storage, field, &array, err));
    else if (storage.layout == STOA_ARROW_RUNS)
        STOA_TRY(stoa_arrow_import_runs(import, part, &storage, field, &array, err));
    else
        STOA_TRY(import_values(import, part, &storage, field, &array, err));
    STOA_TRY(check_nulls(import, field, part->live, &array, err));
    *out = array;
    array = (struct stoa_array){0};
out:
    import->depth--;
    stoa_array_reset(&array);
    return st;
}

/* ---- Batches ---- */

/* The struct around the columns. */
static enum stoa_status check_rows(const struct stoa_arrow_part *part, struct stoa_error *err)
{
    const struct stoa_arrow_storage rows = {.layout = STOA_ARROW_STRUCT};
    struct stoa_arrow_view view;
    enum stoa_status st = stoa_arrow_view_init(&view, part, &rows, false, err);

    if (st == STOA_OK && view.validity != NULL) {
        size_t end = view.begin + view.nvalues;
        size_t nnulls = view.nvalues - stoa_bitmap_count(view.validity, view.begin, end);

        if (nnulls > 0)
            return stoa_fail(err, STOA_ERR_DATA, "%zu rows are null as a whole", nnulls);
    }
    return st;
}

enum stoa_status stoa_arrow_import_rows(const struct ArrowArray *array,
                                        const struct ArrowSchema *arrow,
                                        const struct stoa_schema *schema, size_t begin,
                                        size_t nrows, enum stoa_arrow_check check,
                                        struct stoa_batch *out, struct stoa_error *err)
{
    const struct stoa_arrow_part rows = {
        .array = array, .schema = arrow, .begin = begin, .nvalues = nrows};
    struct stoa_field columns = {.children = schema->fields, .nchildren = schema->nfields};
    struct stoa_arrow_part range = {.nvalues = nrows};
    struct stoa_arrow_import import = {.check = check,
                                       .count_nulls = check != STOA_ARROW_CHECK_NONE && begin == 0};
    struct stoa_batch batch = {0};
    enum stoa_status st;

    STOA_TRY(stoa_arrow_check_struct(arrow, err));
    if (arrow->n_children != schema->nfields)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "the schema has %u columns where the Arrow schema has %" PRId64,
                         schema->nfields, arrow->n_children);
    STOA_TRY(check_rows(&rows, err));
    range.begin = (size_t)array->offset + begin;
    STOA_TRY(stoa_batch_init(&batch, schema, err));
    batch.nrows = nrows;
    for (uint32_t i = 0; i < batch.ncolumns; i++)
        STOA_TRY(import_child(&import, &rows, i, range, &columns, &batch.columns[i], err));
    if (check == STOA_ARROW_CHECK_FULL)
        STOA_TRY(stoa_batch_validate(&batch, err));
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    return st;
}

enum stoa_status stoa_batch_import(struct ArrowArray *array, const struct ArrowSchema *arrow,
                                   const struct stoa_schema *schema, enum stoa_arrow_check check,
                                   struct stoa_batch *out, struct stoa_error *err)
{
    size_t nrows = array->length > 0 ? (size_t)array->length : 0;
    enum stoa_status st = stoa_arrow_import_rows(array, arrow, schema, 0, nrows, check, out, err);

    if (st == STOA_OK)
        array->release(array);
    return st;
}
