/*
 * ArrowArray as batches (Arrow's C data interface; the table of types is in stoa/arrow.h).
 *
 * Every column is copied, because its buffers may begin anywhere, at any bit, and end without
 * slack. A column is first looked at as a `view`, whose pointers and counts are checked; only then
 * are values read.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "column/array.h"
#include "column/arrow_format.h"

#define NO_CODE UINT32_MAX /* of a null */

/* ---- What is there ---- */

/* Some values of a column: [begin, begin + nvalues) of its buffers. */
struct view {
    size_t begin;
    size_t nvalues;
    const uint8_t *validity; /* NULL: none is null */
    const uint8_t *values;   /* also indices, or the bytes of texts */
    const uint8_t *offsets;
    uint8_t offset_nbytes;
};

/* What an array must have to be what its schema says. */
struct shape {
    int64_t nbuffers;
    int64_t nchildren;
    bool has_dictionary;
    size_t width; /* bytes of one value in the buffers, at the most */
};

static enum stoa_status check_shape(const struct ArrowArray *arrow, const struct shape *shape,
                                    struct stoa_error *err)
{
    int64_t end;

    if (arrow->release == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "the Arrow array was released before");
    if (arrow->length < 0 || arrow->offset < 0)
        return stoa_fail(err, STOA_ERR_DATA, "length %" PRId64 " and offset %" PRId64,
                         arrow->length, arrow->offset);
    if (arrow->length > INT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "%" PRId64 " values at a time, more than %" PRId32,
                         arrow->length, INT32_MAX);
    if (__builtin_add_overflow(arrow->offset, arrow->length, &end) ||
        (uint64_t)end > (uint64_t)PTRDIFF_MAX / shape->width)
        return stoa_fail(err, STOA_ERR_DATA, "offset %" PRId64 " is more than memory holds",
                         arrow->offset);
    if (arrow->null_count < -1 || arrow->null_count > arrow->length)
        return stoa_fail(err, STOA_ERR_DATA, "null_count %" PRId64 " of %" PRId64 " values",
                         arrow->null_count, arrow->length);
    if (arrow->n_buffers != shape->nbuffers || (shape->nbuffers > 0 && arrow->buffers == NULL))
        return stoa_fail(err, STOA_ERR_DATA, "%" PRId64 " buffers where its type has %" PRId64,
                         arrow->n_buffers != shape->nbuffers ? arrow->n_buffers : 0,
                         shape->nbuffers);
    if (arrow->n_children != shape->nchildren || (shape->nchildren > 0 && arrow->children == NULL))
        return stoa_fail(err, STOA_ERR_DATA, "%" PRId64 " children where its type has %" PRId64,
                         arrow->n_children != shape->nchildren ? arrow->n_children : 0,
                         shape->nchildren);
    if ((arrow->dictionary != NULL) != shape->has_dictionary)
        return stoa_fail(err, STOA_ERR_DATA, "%s dictionary where its type has %s",
                         shape->has_dictionary ? "no" : "a",
                         shape->has_dictionary ? "one" : "none");
    return STOA_OK;
}

/* Whether the buffers are there that an array of any values needs. */
static enum stoa_status check_buffers(const struct ArrowArray *arrow, struct stoa_error *err)
{
    if (arrow->n_buffers == 0 || arrow->length == 0)
        return STOA_OK;
    if (arrow->buffers[0] == NULL && arrow->null_count > 0)
        return stoa_fail(err, STOA_ERR_DATA, "null_count is %" PRId64 " and there is no bitmap",
                         arrow->null_count);
    if (arrow->n_buffers > 1 && arrow->buffers[1] == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the buffer of the %s is missing",
                         arrow->n_buffers == 3 ? "offsets" : "values");
    return STOA_OK;
}

/* The null_count of an array is that of its own range, whichever part of it a struct shows. */
static enum stoa_status check_null_count(const struct ArrowArray *arrow, struct stoa_error *err)
{
    const uint8_t *validity = arrow->n_buffers > 0 ? arrow->buffers[0] : NULL;
    size_t begin = (size_t)arrow->offset, end = begin + (size_t)arrow->length, nnulls;

    if (validity == NULL || arrow->null_count < 0)
        return STOA_OK;
    nnulls = end - begin - stoa_bitmap_count(validity, begin, end);
    if (nnulls != (size_t)arrow->null_count)
        return stoa_fail(err, STOA_ERR_DATA,
                         "null_count is %" PRId64 " where the bitmap has %zu nulls",
                         arrow->null_count, nnulls);
    return STOA_OK;
}

/* The values [begin, begin + nvalues) of an array; its structure is checked on the way. */
static enum stoa_status view_init(struct view *out, const struct ArrowArray *arrow,
                                  const struct shape *shape, uint8_t offset_nbytes, size_t begin,
                                  size_t nvalues, enum stoa_arrow_check check,
                                  struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(check_shape(arrow, shape, err));
    if ((uint64_t)arrow->length < (uint64_t)begin + nvalues)
        return stoa_fail(err, STOA_ERR_DATA, "%" PRId64 " values for the rows %zu to %zu",
                         arrow->length, begin, begin + nvalues);
    STOA_TRY(check_buffers(arrow, err));
    if (check != STOA_ARROW_CHECK_NONE)
        STOA_TRY(check_null_count(arrow, err));
    *out = (struct view){.begin = (size_t)arrow->offset + begin, .nvalues = nvalues};
    if (shape->nbuffers > 0)
        out->validity = arrow->buffers[0];
    if (shape->nbuffers > 1)
        out->values = arrow->buffers[shape->nbuffers - 1];
    if (shape->nbuffers == 3)
        out->offsets = arrow->buffers[1];
    out->offset_nbytes = offset_nbytes;
out:
    return st;
}

static bool view_is_null(const struct view *view, size_t i)
{
    return view->validity != NULL && !stoa_bitmap_get(view->validity, view->begin + i);
}

/* Offset i of nvalues + 1; buffers need not be aligned. */
static int64_t view_offset(const struct view *view, size_t i)
{
    const uint8_t *at = view->offsets + (view->begin + i) * view->offset_nbytes;
    int32_t narrow;
    int64_t wide;

    if (view->offset_nbytes == sizeof(wide)) {
        memcpy(&wide, at, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, at, sizeof(narrow));
    return narrow;
}

static enum stoa_status fail_offset(const struct view *view, size_t i, struct stoa_error *err)
{
    return stoa_fail(err, STOA_ERR_DATA, "value %zu: the offset goes from %" PRId64 " to %" PRId64,
                     i, view_offset(view, i), view_offset(view, i + 1));
}

/* The range of bytes that texts [0, nvalues) lie in, by the first and the last offset. */
static enum stoa_status view_extent(const struct view *view, int64_t *begin, int64_t *end,
                                    struct stoa_error *err)
{
    *begin = *end = 0;
    if (view->nvalues == 0)
        return STOA_OK;
    *begin = view_offset(view, 0);
    *end = view_offset(view, view->nvalues);
    if (*begin < 0 || *end < *begin)
        return stoa_fail(err, STOA_ERR_DATA, "the offsets go from %" PRId64 " to %" PRId64, *begin,
                         *end);
    if (*end > *begin && view->values == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the buffer of the values is missing");
    return STOA_OK;
}

/* ---- Columns ---- */

/* The bits of `view` in place of a bitmap that is all null. */
static void copy_validity(const struct view *view, struct stoa_array *out)
{
    if (view->validity == NULL)
        return;
    stoa_bitmap_copy(out->validity, 0, view->validity, view->begin, view->nvalues);
    out->nnulls = view->nvalues - stoa_bitmap_count(out->validity, 0, view->nvalues);
    stoa_array_drop_validity(out);
}

static void copy_bits(const struct view *view, struct stoa_array *out)
{
    stoa_bitmap_copy(out->values, 0, view->values, view->begin, view->nvalues);
    for (size_t i = 0; out->validity != NULL && i < stoa_bitmap_nbytes(view->nvalues); i++)
        out->values[i] &= out->validity[i];
}

static void copy_fixed(const struct view *view, size_t width, struct stoa_array *out)
{
    memcpy(out->values, view->values + view->begin * width, view->nvalues * width);
    for (size_t i = 0; out->validity != NULL && i < view->nvalues; i++)
        if (!stoa_bitmap_get(out->validity, i))
            memset(out->values + i * width, 0, width);
}

/* Text by text, for columns where a null is not empty. */
static enum stoa_status copy_compact(const struct view *view, struct stoa_array *out,
                                     struct stoa_error *err)
{
    int64_t first = view_offset(view, 0), last = view_offset(view, view->nvalues);
    int64_t end = first;
    size_t used = 0;

    for (size_t i = 0; i < view->nvalues; i++) {
        int64_t begin = end;

        end = view_offset(view, i + 1);
        if (end < begin || end > last)
            return fail_offset(view, i, err);
        if (!view_is_null(view, i)) {
            memcpy(out->values + used, view->values + begin, (size_t)(end - begin));
            used += (size_t)(end - begin);
        }
        out->offsets[i + 1] = (int32_t)used;
    }
    memset(out->values + used, 0, STOA_ARRAY_SLACK);
    return STOA_OK;
}

static enum stoa_status copy_bytes(const struct view *view, int64_t first, int64_t last,
                                   enum stoa_arrow_check check, struct stoa_array *out,
                                   struct stoa_error *err)
{
    int64_t begin, end = first;
    bool is_compact = true;

    for (size_t i = 0; i < view->nvalues; i++) {
        begin = end;
        end = view_offset(view, i + 1);
        if (check != STOA_ARROW_CHECK_NONE && (end < begin || end > last))
            return fail_offset(view, i, err);
        if (end != begin && view_is_null(view, i))
            is_compact = false;
        out->offsets[i + 1] = (int32_t)((uint64_t)end - (uint64_t)first);
    }
    if (!is_compact)
        return copy_compact(view, out, err);
    if (last > first)
        memcpy(out->values, view->values + first, (size_t)(last - first));
    return STOA_OK;
}

static enum stoa_status import_plain(const struct view *view, const struct stoa_type *type,
                                     enum stoa_arrow_check check, struct stoa_array *out,
                                     struct stoa_error *err)
{
    enum stoa_layout layout = stoa_type_info(type->id)->layout;
    bool nulls = view->validity != NULL || layout == STOA_LAYOUT_NONE;
    struct stoa_array array = {0};
    int64_t first = 0, last = 0;
    enum stoa_status st;

    if (layout == STOA_LAYOUT_BYTES)
        STOA_TRY(view_extent(view, &first, &last, err));
    if (last - first > STOA_ARRAY_MAX_OFFSET) /* before it meets a narrower size_t */
        return stoa_array_fail_limit((uint64_t)(last - first), err);
    STOA_TRY(stoa_array_alloc(type, view->nvalues, (size_t)(last - first), nulls, &array, err));
    copy_validity(view, &array);
    if (view->nvalues > 0 && layout == STOA_LAYOUT_BITS)
        copy_bits(view, &array);
    else if (view->nvalues > 0 && layout == STOA_LAYOUT_FIXED)
        copy_fixed(view, stoa_type_width(type), &array);
    else if (layout == STOA_LAYOUT_BYTES)
        STOA_TRY(copy_bytes(view, first, last, check, &array, err));
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

/* ---- Dictionaries ---- */

/* Index i as an unsigned number: a negative one is larger than any dictionary. */
static uint64_t view_index(const struct view *view, const struct stoa_arrow_storage *storage,
                           size_t i)
{
    const uint8_t *at = view->values + (view->begin + i) * storage->index_nbytes;
    uint64_t u64;
    uint32_t u32;
    uint16_t u16;

    switch (storage->index_nbytes) {
    case 1:
        return storage->index_signed ? (uint64_t)(int8_t)*at : *at;
    case 2:
        memcpy(&u16, at, sizeof(u16));
        return storage->index_signed ? (uint64_t)(int16_t)u16 : u16;
    case 4:
        memcpy(&u32, at, sizeof(u32));
        return storage->index_signed ? (uint64_t)(int32_t)u32 : u32;
    default:
        memcpy(&u64, at, sizeof(u64));
        return u64;
    }
}

/* The dictionary as a view, whose offsets rise whatever was asked for: its texts are looked up. */
static enum stoa_status view_dictionary(struct view *out, const struct ArrowArray *arrow,
                                        uint8_t offset_nbytes, enum stoa_arrow_check check,
                                        struct stoa_error *err)
{
    const struct shape shape = {.nbuffers = 3, .width = offset_nbytes};
    int64_t first, last;
    enum stoa_status st;

    STOA_TRY(view_init(out, arrow, &shape, offset_nbytes, 0,
                       arrow->length > 0 ? (size_t)arrow->length : 0, check, err));
    STOA_TRY(view_extent(out, &first, &last, err));
    for (size_t i = 0; i < out->nvalues; i++)
        if (view_offset(out, i + 1) < view_offset(out, i))
            return fail_offset(out, i, err);
out:
    return st;
}

/* Which entry of the dictionary each value is; NO_CODE for nulls, of either of them. */
static enum stoa_status read_codes(const struct view *view,
                                   const struct stoa_arrow_storage *storage,
                                   const struct view *dictionary, uint32_t *codes,
                                   struct stoa_error *err)
{
    for (size_t i = 0; i < view->nvalues; i++) {
        uint64_t index;

        codes[i] = NO_CODE;
        if (view_is_null(view, i))
            continue;
        index = view_index(view, storage, i);
        if (index >= dictionary->nvalues)
            return stoa_fail(err, STOA_ERR_DATA,
                             storage->index_signed
                                 ? "value %zu: index %" PRId64 " into a dictionary of %zu"
                                 : "value %zu: index %" PRIu64 " into a dictionary of %zu",
                             i, index, dictionary->nvalues);
        if (!view_is_null(dictionary, (size_t)index))
            codes[i] = (uint32_t)index;
    }
    return STOA_OK;
}

/* An array without values yet, its bitmap as the codes say. */
static enum stoa_status alloc_coded(const struct stoa_type *type, const uint32_t *codes,
                                    size_t nvalues, uint64_t nbytes, struct stoa_array *out,
                                    struct stoa_error *err)
{
    enum stoa_status st;

    if (nbytes > STOA_ARRAY_MAX_OFFSET)
        return stoa_array_fail_limit(nbytes, err);
    st = stoa_array_alloc(type, nvalues, (size_t)nbytes, true, out, err);
    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < nvalues; i++) {
        if (codes[i] == NO_CODE)
            continue;
        stoa_bitmap_set(out->validity, i);
        out->nnulls--;
    }
    stoa_array_drop_validity(out);
    return STOA_OK;
}

static size_t text_at(const struct view *dictionary, uint32_t code, const uint8_t **text)
{
    int64_t begin = view_offset(dictionary, code), end = view_offset(dictionary, code + (size_t)1);

    *text = end > begin ? dictionary->values + begin : (const uint8_t *)"";
    return (size_t)(end - begin);
}

static enum stoa_status decode_texts(const struct view *dictionary, const struct stoa_type *type,
                                     const uint32_t *codes, size_t nvalues, struct stoa_array *out,
                                     struct stoa_error *err)
{
    const uint8_t *text;
    uint64_t nbytes = 0;
    size_t used = 0;
    enum stoa_status st;

    for (size_t i = 0; i < nvalues && nbytes <= STOA_ARRAY_MAX_OFFSET; i++)
        if (codes[i] != NO_CODE)
            nbytes += text_at(dictionary, codes[i], &text);
    st = alloc_coded(type, codes, nvalues, nbytes, out, err);
    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < nvalues; i++) {
        if (codes[i] != NO_CODE) {
            size_t length = text_at(dictionary, codes[i], &text);

            memcpy(out->values + used, text, length);
            used += length;
        }
        out->offsets[i + 1] = (int32_t)used;
    }
    return STOA_OK;
}

struct symbol {
    const char *text;
    size_t nbytes;
    uint32_t number;
};

static int compare_symbols(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    size_t common = x->nbytes < y->nbytes ? x->nbytes : y->nbytes;
    int order = memcmp(x->text, y->text, common);

    return order != 0 ? order : (x->nbytes > y->nbytes) - (x->nbytes < y->nbytes);
}

/* The symbol that each entry of the dictionary is, NO_CODE where it is none. */
static enum stoa_status match_symbols(const struct view *dictionary, const struct stoa_type *type,
                                      uint32_t **out, struct stoa_error *err)
{
    struct symbol *symbols = NULL;
    uint32_t *numbers = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&symbols, type->nsymbols, sizeof(symbols[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&numbers, dictionary->nvalues, sizeof(numbers[0]), err));
    for (uint32_t i = 0; i < type->nsymbols; i++)
        symbols[i] = (struct symbol){type->symbols[i], strlen(type->symbols[i]), i};
    qsort(symbols, type->nsymbols, sizeof(symbols[0]), compare_symbols);
    for (size_t i = 0; i < dictionary->nvalues; i++) {
        const uint8_t *text;
        struct symbol wanted = {.nbytes = text_at(dictionary, (uint32_t)i, &text)};
        const struct symbol *found;

        wanted.text = (const char *)text;
        found = bsearch(&wanted, symbols, type->nsymbols, sizeof(symbols[0]), compare_symbols);
        numbers[i] = found != NULL ? found->number : NO_CODE;
    }
    *out = numbers;
    numbers = NULL;
out:
    stoa_free(symbols);
    stoa_free(numbers);
    return st;
}

static enum stoa_status decode_symbols(const struct view *dictionary, const struct stoa_type *type,
                                       const uint32_t *codes, size_t nvalues,
                                       struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array array = {0};
    uint32_t *numbers = NULL;
    const uint8_t *text;
    char shown[64];
    enum stoa_status st;

    STOA_TRY(match_symbols(dictionary, type, &numbers, err));
    STOA_TRY(alloc_coded(type, codes, nvalues, 0, &array, err));
    for (size_t i = 0; i < nvalues; i++) {
        uint32_t number = codes[i] != NO_CODE ? numbers[codes[i]] : 0;

        if (number == NO_CODE) {
            size_t nbytes = text_at(dictionary, codes[i], &text);

            STOA_TRY(
                stoa_fail(err, STOA_ERR_DATA,
                          "value %zu, \"%s\", is no symbol of the enum: take the column as utf8", i,
                          stoa_quote(shown, sizeof(shown), text, nbytes)));
        }
        memcpy(array.values + i * sizeof(number), &number, sizeof(number));
    }
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    stoa_free(numbers);
    return st;
}

static enum stoa_status import_coded(const struct view *view, const struct ArrowArray *arrow,
                                     const struct stoa_arrow_storage *storage,
                                     const struct stoa_type *type, enum stoa_arrow_check check,
                                     struct stoa_array *out, struct stoa_error *err)
{
    struct view dictionary;
    uint32_t *codes = NULL;
    enum stoa_status st;

    st = view_dictionary(&dictionary, arrow->dictionary, storage->offset_nbytes, check, err);
    if (st != STOA_OK)
        return stoa_wrap(err, st, "dictionary");
    STOA_TRY(stoa_alloc_zeroed(&codes, view->nvalues, sizeof(codes[0]), err));
    STOA_TRY(read_codes(view, storage, &dictionary, codes, err));
    if (type->id == STOA_ENUM)
        st = decode_symbols(&dictionary, type, codes, view->nvalues, out, err);
    else
        st = decode_texts(&dictionary, type, codes, view->nvalues, out, err);
out:
    stoa_free(codes);
    return st;
}

/* ---- Batches ---- */

static enum stoa_status fail_types(const struct stoa_type *wanted, const struct stoa_type *found,
                                   struct stoa_error *err)
{
    const struct stoa_field fields[] = {{.type = *wanted}, {.type = *found}};
    char *texts[2] = {NULL, NULL}, shown[2][128];
    enum stoa_status st = STOA_OK;

    for (int i = 0; i < 2; i++) {
        STOA_TRY(stoa_type_print(&fields[i], &texts[i], err));
        stoa_quote(shown[i], sizeof(shown[i]), texts[i], strlen(texts[i]));
    }
    st = stoa_fail(err, STOA_ERR_USAGE, "the schema says %s where the Arrow schema has %s",
                   shown[0], shown[1]);
out:
    stoa_free(texts[0]);
    stoa_free(texts[1]);
    return st;
}

/* What the buffers are, which must give values of the field's type. */
static enum stoa_status read_storage(const struct ArrowSchema *arrow,
                                     const struct stoa_type *wanted, struct stoa_arrow_storage *out,
                                     struct stoa_error *err)
{
    struct stoa_type found;
    enum stoa_status st = stoa_arrow_format_read(arrow, &found, out, err);

    if (st != STOA_OK)
        return st;
    if (!stoa_type_equal(wanted, &found) && !(wanted->id == STOA_ENUM && out->index_nbytes > 0) &&
        !(wanted->id == STOA_UUID && found.id == STOA_FIXED_BINARY && found.width == 16))
        st = fail_types(wanted, &found, err);
    stoa_type_reset(&found);
    return st;
}

static struct shape shape_of(const struct stoa_type *type, const struct stoa_arrow_storage *storage)
{
    enum stoa_layout layout = stoa_type_info(type->id)->layout;
    struct shape shape = {.nbuffers = 2, .width = 8};

    if (storage->index_nbytes > 0)
        shape.has_dictionary = true;
    else if (layout == STOA_LAYOUT_NONE)
        shape.nbuffers = 0;
    else if (layout == STOA_LAYOUT_BYTES)
        shape.nbuffers = 3;
    else if (layout == STOA_LAYOUT_FIXED && stoa_type_width(type) > shape.width)
        shape.width = stoa_type_width(type);
    return shape;
}

/* Rows [begin, begin + nrows) of a column. */
static enum stoa_status import_column(const struct ArrowArray *arrow,
                                      const struct ArrowSchema *schema,
                                      const struct stoa_field *field, size_t begin, size_t nrows,
                                      enum stoa_arrow_check check, struct stoa_array *out,
                                      struct stoa_error *err)
{
    struct stoa_arrow_storage storage;
    struct shape shape;
    struct view view;
    enum stoa_status st;

    STOA_TRY(read_storage(schema, &field->type, &storage, err));
    shape = shape_of(&field->type, &storage);
    STOA_TRY(view_init(&view, arrow, &shape, storage.offset_nbytes, begin, nrows, check, err));
    if (storage.index_nbytes > 0)
        STOA_TRY(import_coded(&view, arrow, &storage, &field->type, check, out, err));
    else
        STOA_TRY(import_plain(&view, &field->type, check, out, err));
    if (check != STOA_ARROW_CHECK_NONE && out->nnulls > 0 && !field->nullable)
        st = stoa_fail(err, STOA_ERR_DATA, "%zu values are null, which the schema forbids",
                       out->nnulls);
out:
    return st;
}

/* The struct around the columns. */
static enum stoa_status check_rows(const struct ArrowArray *arrow, uint32_t ncolumns,
                                   struct stoa_error *err)
{
    const struct shape shape = {.nbuffers = 1, .nchildren = ncolumns, .width = 8};
    enum stoa_status st;

    STOA_TRY(check_shape(arrow, &shape, err));
    STOA_TRY(check_buffers(arrow, err));
    if (arrow->buffers[0] != NULL) {
        size_t begin = (size_t)arrow->offset, end = begin + (size_t)arrow->length;
        size_t nnulls = end - begin - stoa_bitmap_count(arrow->buffers[0], begin, end);

        if (nnulls > 0)
            return stoa_fail(err, STOA_ERR_DATA, "%zu rows are null as a whole", nnulls);
    }
    for (uint32_t i = 0; i < ncolumns; i++)
        if (arrow->children[i] == NULL)
            return stoa_fail(err, STOA_ERR_DATA, "column %u of the Arrow array is missing", i + 1);
out:
    return st;
}

enum stoa_status stoa_batch_import(struct ArrowArray *array, const struct ArrowSchema *arrow,
                                   const struct stoa_schema *schema, enum stoa_arrow_check check,
                                   struct stoa_batch *out, struct stoa_error *err)
{
    struct stoa_batch batch = {0};
    char shown[64];
    enum stoa_status st;

    STOA_TRY(stoa_arrow_struct_check(arrow, err));
    if (arrow->n_children != schema->nfields)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "the schema has %u columns where the Arrow schema has %" PRId64,
                         schema->nfields, arrow->n_children);
    STOA_TRY(check_rows(array, schema->nfields, err));
    STOA_TRY(stoa_batch_init(&batch, schema, err));
    batch.nrows = (size_t)array->length;
    for (uint32_t i = 0; i < batch.ncolumns; i++) {
        const char *name = schema->fields[i].name;

        st = import_column(array->children[i], arrow->children[i], &schema->fields[i],
                           (size_t)array->offset, batch.nrows, check, &batch.columns[i], err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "column %s", stoa_quote(shown, sizeof(shown), name, strlen(name)));
            goto out;
        }
    }
    if (check == STOA_ARROW_CHECK_FULL)
        STOA_TRY(stoa_batch_validate(&batch, err));
    array->release(array);
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    return st;
}
