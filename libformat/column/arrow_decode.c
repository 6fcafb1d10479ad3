/*
 * Dictionary-encoded and run-end encoded ArrowArrays as plain arrays (Arrow's C data interface).
 *
 * Both are codes and entries: the index of a value is its code, and so is the number of its run.
 * The entries that occur are imported as an array of their own, then taken by code.
 *
 *     dictionary   indices 2 0 - 2     entries a b c        ->   c a - c
 *     runs         ends    1 4 5       entries x - y        ->   x - - - y
 *                  codes   0 1 1 1 2
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "column/array.h"
#include "column/arrow_import.h"

#define NO_CODE UINT32_MAX /* of a null */

/* ---- Entries by their codes ---- */

/* Nulls of any type: canonical, so all zero and empty. */
static enum stoa_status make_nulls(const struct stoa_field *field, size_t nvalues,
                                   struct stoa_array *out, struct stoa_error *err)
{
    enum stoa_layout layout = stoa_type_info(field->type.id)->layout;
    struct stoa_array array = {.nvalues = nvalues, .nnulls = nvalues};
    size_t width = stoa_type_width(&field->type), below = nvalues;
    enum stoa_status st;

    STOA_TRY(
        stoa_alloc_zeroed(&array.validity, stoa_bitmap_nbytes(nvalues) + STOA_ARRAY_SLACK, 1, err));
    if (width > 0 || layout == STOA_LAYOUT_BITS || layout == STOA_LAYOUT_BYTES)
        STOA_TRY(stoa_alloc_zeroed(&array.values,
                                   nvalues * (width > 0 ? width : 1) + STOA_ARRAY_SLACK, 1, err));
    if (layout == STOA_LAYOUT_BYTES || layout == STOA_LAYOUT_LIST)
        STOA_TRY(stoa_alloc_zeroed(&array.offsets,
                                   (nvalues + 1) * sizeof(int32_t) + STOA_ARRAY_SLACK, 1, err));
    if (layout == STOA_LAYOUT_LIST)
        below = 0;
    else if (layout == STOA_LAYOUT_FIXED_LIST)
        below = nvalues * field->type.width;
    if (field->nchildren > 0)
        STOA_TRY(stoa_alloc_zeroed(&array.children, field->nchildren, sizeof(array), err));
    for (; array.nchildren < field->nchildren; array.nchildren++)
        STOA_TRY(make_nulls(&field->children[array.nchildren], below,
                            &array.children[array.nchildren], err));
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

/* Entry codes[i] for each i, null for NO_CODE; codes are changed. */
static enum stoa_status take_entries(const struct stoa_field *field,
                                     const struct stoa_array *entries, uint32_t *codes,
                                     size_t ncodes, struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array null = {0}, with_null = {0};
    const struct stoa_array *const parts[] = {entries, &null};
    bool has_null = false;
    enum stoa_status st;

    for (size_t i = 0; i < ncodes; i++) {
        if (codes[i] != NO_CODE)
            continue;
        has_null = true;
        codes[i] = (uint32_t)entries->nvalues;
    }
    if (!has_null)
        return stoa_array_take(field, entries, codes, ncodes, out, err);
    STOA_TRY(make_nulls(field, 1, &null, err));
    STOA_TRY(stoa_array_concat(field, parts, 2, &with_null, err));
    STOA_TRY(stoa_array_take(field, &with_null, codes, ncodes, out, err));
out:
    stoa_array_reset(&null);
    stoa_array_reset(&with_null);
    return st;
}

/* ---- Enums: entries are symbols ---- */

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

/* The number of each text among the symbols of the enum. */
static enum stoa_status match_symbols(const struct stoa_type *type, const struct stoa_array *texts,
                                      struct stoa_array *out, struct stoa_error *err)
{
    struct symbol *symbols = NULL;
    char shown[64];
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&symbols, type->nsymbols, sizeof(symbols[0]), err));
    for (uint32_t i = 0; i < type->nsymbols; i++)
        symbols[i] = (struct symbol){type->symbols[i], strlen(type->symbols[i]), i};
    qsort(symbols, type->nsymbols, sizeof(symbols[0]), compare_symbols);
    for (size_t i = 0; i < texts->nvalues; i++) {
        const struct symbol wanted = {.text = (const char *)texts->values + texts->offsets[i],
                                      .nbytes =
                                          (size_t)(texts->offsets[i + 1] - texts->offsets[i])};
        const struct symbol *found = NULL;

        if (stoa_array_is_null(texts, i))
            continue;
        found = bsearch(&wanted, symbols, type->nsymbols, sizeof(symbols[0]), compare_symbols);
        if (found == NULL) {
            st = stoa_fail(err, STOA_ERR_DATA,
                           "entry %zu, \"%s\", is no symbol of the enum: take the column as utf8",
                           i, stoa_quote(shown, sizeof(shown), wanted.text, wanted.nbytes));
            goto out;
        }
        memcpy(out->values + i * sizeof(found->number), &found->number, sizeof(found->number));
    }
out:
    stoa_free(symbols);
    return st;
}

/* Texts as symbols of an enum, nulls as nulls. */
static enum stoa_status texts_to_symbols(const struct stoa_field *field,
                                         const struct stoa_array *texts, struct stoa_array *out,
                                         struct stoa_error *err)
{
    size_t n = texts->nvalues;
    struct stoa_array array = {0};
    enum stoa_status st;

    STOA_TRY(stoa_array_alloc(&field->type, n, 0, texts->validity != NULL, &array, err));
    memset(array.values, 0, n * stoa_type_width(&field->type));
    if (texts->validity != NULL)
        memcpy(array.validity, texts->validity, stoa_bitmap_nbytes(n));
    array.nnulls = texts->nnulls;
    STOA_TRY(match_symbols(&field->type, texts, &array, err));
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

/* ---- Both ---- */

/*
 * The entries of a dictionary or of runs. Any of them may be null: whether that is right is seen
 * where they are used.
 */
static enum stoa_status import_entries(struct stoa_arrow_import *import,
                                       const struct stoa_arrow_part *part,
                                       const struct stoa_field *field, struct stoa_array *out,
                                       struct stoa_error *err)
{
    struct stoa_field wanted = *field;
    struct stoa_array texts = {0};
    enum stoa_status st;

    wanted.nullable = true;
    if (field->type.id != STOA_ENUM || part->schema->dictionary != NULL)
        return stoa_arrow_import_part(import, part, &wanted, out, err);
    wanted.type = (struct stoa_type){.id = STOA_UTF8};
    STOA_TRY(stoa_arrow_import_part(import, part, &wanted, &texts, err));
    STOA_TRY(texts_to_symbols(field, &texts, out, err));
out:
    stoa_array_reset(&texts);
    return st;
}

/* ---- Dictionaries ---- */

/* Index i as an unsigned number: a negative one is larger than any dictionary. */
static uint64_t view_index(const struct stoa_arrow_view *view, bool is_signed, size_t i)
{
    const uint8_t *at = view->values + (view->begin + i) * view->width;
    uint64_t u64;
    uint32_t u32;
    uint16_t u16;

    switch (view->width) {
    case 1:
        return is_signed ? (uint64_t)(int8_t)*at : *at;
    case 2:
        memcpy(&u16, at, sizeof(u16));
        return is_signed ? (uint64_t)(int16_t)u16 : u16;
    case 4:
        memcpy(&u32, at, sizeof(u32));
        return is_signed ? (uint64_t)(int32_t)u32 : u32;
    default:
        memcpy(&u64, at, sizeof(u64));
        return u64;
    }
}

/* The code of each value, NO_CODE for nulls, and which entries occur. */
static enum stoa_status read_codes(const struct stoa_arrow_view *view, const uint8_t *live,
                                   bool is_signed, uint64_t nentries, uint32_t *codes,
                                   uint8_t *used, struct stoa_error *err)
{
    for (size_t i = 0; i < view->nvalues; i++) {
        uint64_t index;

        codes[i] = NO_CODE;
        if (stoa_arrow_view_is_null(view, i) || (live != NULL && !stoa_bitmap_get(live, i)))
            continue;
        index = view_index(view, is_signed, i);
        if (index >= nentries)
            return stoa_fail(err, STOA_ERR_DATA,
                             is_signed
                                 ? "value %zu: index %" PRId64 " into a dictionary of %" PRIu64
                                 : "value %zu: index %" PRIu64 " into a dictionary of %" PRIu64,
                             i, index, nentries);
        codes[i] = (uint32_t)index;
        stoa_bitmap_set(used, index);
    }
    return STOA_OK;
}

enum stoa_status stoa_arrow_import_coded(struct stoa_arrow_import *import,
                                         const struct stoa_arrow_part *part,
                                         const struct stoa_arrow_storage *storage,
                                         const struct stoa_field *field, struct stoa_array *out,
                                         struct stoa_error *err)
{
    const struct ArrowArray *dictionary = part->array->dictionary;
    /* Small letters are the formats of signed integers. */
    bool is_signed = part->schema->format[0] >= 'a';
    struct stoa_array entries = {0};
    struct stoa_arrow_part below;
    struct stoa_arrow_view view;
    uint32_t *codes = NULL;
    uint8_t *used = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_arrow_view_init(&view, part, storage, import->count_nulls, err));
    if (dictionary->length < 0 || dictionary->length > INT32_MAX)
        return stoa_fail(err, dictionary->length < 0 ? STOA_ERR_DATA : STOA_ERR_LIMIT,
                         "a dictionary of %" PRId64 " values", dictionary->length);
    STOA_TRY(stoa_alloc_zeroed(&codes, view.nvalues, sizeof(codes[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&used, stoa_bitmap_nbytes((size_t)dictionary->length), 1, err));
    STOA_TRY(
        read_codes(&view, part->live, is_signed, (uint64_t)dictionary->length, codes, used, err));
    below = (struct stoa_arrow_part){.array = dictionary,
                                     .schema = part->schema->dictionary,
                                     .nvalues = (size_t)dictionary->length,
                                     .live = used};
    st = import_entries(import, &below, field, &entries, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "dictionary");
        goto out;
    }
    STOA_TRY(take_entries(field, &entries, codes, view.nvalues, out, err));
out:
    stoa_array_reset(&entries);
    stoa_free(codes);
    stoa_free(used);
    return st;
}

/* ---- Runs ---- */

/* The ends of the runs, all of them. */
static enum stoa_status view_ends(const struct stoa_arrow_part *part, struct stoa_arrow_view *out,
                                  struct stoa_error *err)
{
    const struct ArrowSchema *schema = part->schema->children[0];
    const struct ArrowArray *array = part->array->children[0];
    const struct stoa_arrow_part ends = {
        .array = array, .schema = schema, .nvalues = array->length > 0 ? (size_t)array->length : 0};
    struct stoa_arrow_storage storage;
    struct stoa_type type;
    enum stoa_status st = stoa_arrow_format_read(schema->format, &type, &storage, err);

    if (st != STOA_OK)
        return st;
    if ((type.id != STOA_INT16 && type.id != STOA_INT32 && type.id != STOA_INT64) ||
        schema->dictionary != NULL)
        st = stoa_fail(err, STOA_ERR_USAGE, "the ends of runs are not integers");
    stoa_type_reset(&type);
    if (st == STOA_OK)
        st = stoa_arrow_view_init(out, &ends, &storage, false, err);
    if (st == STOA_OK && out->validity != NULL &&
        stoa_bitmap_count(out->validity, out->begin, out->begin + out->nvalues) != out->nvalues)
        st = stoa_fail(err, STOA_ERR_DATA, "the end of a run is null");
    return st;
}

/* The run of each value in [begin, begin + n), counted from *first, that of the first of them. */
static enum stoa_status read_runs(const struct stoa_arrow_view *ends, size_t begin, size_t n,
                                  uint32_t *codes, size_t *first, size_t *nruns,
                                  struct stoa_error *err)
{
    int64_t last = 0;
    size_t done = 0;

    *first = *nruns = 0;
    for (size_t run = 0; run < ends->nvalues && done < n; run++) {
        int64_t end = stoa_arrow_number(ends->values, ends->begin + run, ends->width);

        if (end <= last)
            return stoa_fail(err, STOA_ERR_DATA, "run %zu ends at %" PRId64 " behind %" PRId64, run,
                             end, last);
        last = end;
        if ((uint64_t)end <= begin)
            continue;
        if (done == 0)
            *first = run;
        *nruns = run + 1 - *first;
        while (done < n && begin + done < (uint64_t)end)
            codes[done++] = (uint32_t)(run - *first);
    }
    if (done < n)
        return stoa_fail(err, STOA_ERR_DATA, "the runs end at value %" PRId64 " of %zu", last,
                         begin + n);
    return STOA_OK;
}

enum stoa_status stoa_arrow_import_runs(struct stoa_arrow_import *import,
                                        const struct stoa_arrow_part *part,
                                        const struct stoa_arrow_storage *storage,
                                        const struct stoa_field *field, struct stoa_array *out,
                                        struct stoa_error *err)
{
    struct stoa_array entries = {0};
    struct stoa_arrow_part below = {0};
    struct stoa_arrow_view view, ends;
    uint32_t *codes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_arrow_view_init(&view, part, storage, false, err));
    STOA_TRY(view_ends(part, &ends, err));
    STOA_TRY(stoa_alloc_zeroed(&codes, view.nvalues, sizeof(codes[0]), err));
    STOA_TRY(read_runs(&ends, view.begin, view.nvalues, codes, &below.begin, &below.nvalues, err));
    below.array = part->array->children[1];
    below.schema = part->schema->children[1];
    st = import_entries(import, &below, field, &entries, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "values of runs");
        goto out;
    }
    for (size_t i = 0; part->live != NULL && i < view.nvalues; i++)
        if (!stoa_bitmap_get(part->live, i))
            codes[i] = NO_CODE;
    STOA_TRY(take_entries(field, &entries, codes, view.nvalues, out, err));
out:
    stoa_array_reset(&entries);
    stoa_free(codes);
    return st;
}
