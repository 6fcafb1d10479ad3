/*
 * Batches as ArrowArray (Arrow's C data interface; the table of types is in stoa/arrow.h).
 *
 * Nothing is copied: arrays lie in memory as Arrow wants them, so a node of the exported tree
 * points into a stoa_array that it owns.
 *
 *     ArrowArray (the rows) -- children --> ArrowArray -- private_data --> owner: stoa_array,
 *                                           ArrowArray                     buffers[], dictionary
 */
#include <string.h>

#include "base/error.h"
#include "column/array.h"
#include "column/arrow_format.h"

struct owner {
    struct stoa_array array;
    const void *buffers[3];
    struct ArrowArray *below; /* the children, or the dictionary */
    struct ArrowArray **children;
};

static void release_array(struct ArrowArray *arrow)
{
    struct owner *owner = arrow->private_data;

    for (int64_t i = 0; i < arrow->n_children; i++)
        if (arrow->children[i]->release != NULL)
            arrow->children[i]->release(arrow->children[i]);
    if (arrow->dictionary != NULL && arrow->dictionary->release != NULL)
        arrow->dictionary->release(arrow->dictionary);
    stoa_array_reset(&owner->array);
    stoa_free(owner->below);
    stoa_free(owner->children);
    stoa_free(owner);
    arrow->release = NULL;
}

/* An array with `nbelow` empty ones below; it can be released from here on. */
static enum stoa_status make_array(struct ArrowArray *out, size_t nvalues, size_t nbelow,
                                   struct stoa_error *err)
{
    struct owner *owner;
    enum stoa_status st = stoa_alloc_zeroed(&owner, 1, sizeof(*owner), err);

    if (st != STOA_OK)
        return st;
    *out = (struct ArrowArray){.length = (int64_t)nvalues,
                               .buffers = owner->buffers,
                               .release = release_array,
                               .private_data = owner};
    if (nbelow > 0)
        st = stoa_alloc_zeroed(&owner->below, nbelow, sizeof(owner->below[0]), err);
    return st;
}

/* The buffers of `array`, which *out does not own yet. */
static void lend_buffers(struct ArrowArray *out, enum stoa_layout layout,
                         const struct stoa_array *array)
{
    static const int32_t no_values[1] = {0}; /* offsets of an array that has no buffers */
    struct owner *owner = out->private_data;

    out->null_count = (int64_t)array->nnulls;
    if (layout == STOA_LAYOUT_NONE)
        return;
    owner->buffers[0] = array->validity;
    owner->buffers[1] = array->values;
    out->n_buffers = 2;
    if (layout != STOA_LAYOUT_BYTES)
        return;
    owner->buffers[1] = array->offsets != NULL ? array->offsets : no_values;
    owner->buffers[2] = array->values;
    out->n_buffers = 3;
}

/* The symbols of an enum as an array of text, which *out owns. */
static enum stoa_status export_symbols(const struct stoa_type *type, struct ArrowArray *out,
                                       struct stoa_error *err)
{
    const struct stoa_type utf8 = {.id = STOA_UTF8};
    struct stoa_array array = {0};
    size_t nbytes = 0;
    enum stoa_status st;

    for (uint32_t i = 0; i < type->nsymbols; i++)
        nbytes += strlen(type->symbols[i]);
    STOA_TRY(stoa_array_alloc(&utf8, type->nsymbols, nbytes, false, &array, err));
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        size_t begin = (size_t)array.offsets[i], length = strlen(type->symbols[i]);

        memcpy(array.values + begin, type->symbols[i], length);
        array.offsets[i + 1] = (int32_t)(begin + length);
    }
    STOA_TRY(make_array(out, type->nsymbols, 0, err));
    lend_buffers(out, STOA_LAYOUT_BYTES, &array);
    ((struct owner *)out->private_data)->array = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

/* A column whose values still belong to `array`. */
static enum stoa_status export_column(const struct stoa_type *type, const struct stoa_array *array,
                                      struct ArrowArray *out, struct stoa_error *err)
{
    bool is_enum = type->id == STOA_ENUM;
    struct owner *owner;
    enum stoa_status st;

    STOA_TRY(make_array(out, array->nvalues, is_enum, err));
    owner = out->private_data;
    lend_buffers(out, stoa_type_info(type->id)->layout, array);
    if (is_enum) {
        out->dictionary = &owner->below[0];
        STOA_TRY(export_symbols(type, out->dictionary, err));
    }
out:
    return st;
}

enum stoa_status stoa_batch_export(struct stoa_batch *batch, struct ArrowArray *out,
                                   struct stoa_error *err)
{
    struct ArrowArray arrow = {0};
    struct owner *owner;
    char shown[64];
    enum stoa_status st;

    STOA_TRY(make_array(&arrow, batch->nrows, batch->ncolumns, err));
    arrow.n_buffers = 1; /* no row is null as a whole */
    owner = arrow.private_data;
    STOA_TRY(stoa_alloc_zeroed(&owner->children, batch->ncolumns, sizeof(owner->children[0]), err));
    arrow.children = owner->children;
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        const struct stoa_field *field = &batch->schema->fields[i];

        if (stoa_type_info(field->type.id)->layout > STOA_LAYOUT_BYTES)
            STOA_TRY(stoa_fail(err, STOA_ERR_USAGE, "column \"%s\": %s has no form in Arrow here",
                               stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)),
                               stoa_type_info(field->type.id)->name));
        arrow.children[i] = &owner->below[i];
        arrow.n_children = (int64_t)i + 1;
        STOA_TRY(export_column(&field->type, &batch->columns[i], arrow.children[i], err));
    }
    for (uint32_t i = 0; i < batch->ncolumns; i++) { /* nothing fails any more: hand over */
        ((struct owner *)arrow.children[i]->private_data)->array = batch->columns[i];
        batch->columns[i] = (struct stoa_array){0};
    }
    stoa_batch_reset(batch);
    *out = arrow;
    arrow = (struct ArrowArray){0};
out:
    if (arrow.release != NULL)
        arrow.release(&arrow);
    return st;
}
