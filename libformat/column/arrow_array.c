/*
 * Batches as ArrowArray (Arrow's C data interface; the table of types is in stoa/arrow.h).
 *
 * Nothing is copied: arrays lie in memory as Arrow wants them. A stoa_array is taken apart, so that
 * each node of the exported tree owns the buffers it points to, and nothing else. So a node that is
 * moved out of the tree lives on when the rest is released.
 *
 *     ArrowArray (the rows) -- children --> ArrowArray -- private_data --> owner: buffers of its
 *                                               | children                 own, room for the
 *                                               v                          nodes below
 *                                           ArrowArray ...
 */
#include <string.h>

#include "base/error.h"
#include "column/array.h"
#include "column/arrow_format.h"

struct owner {
    struct stoa_array array; /* without children */
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
static void lend_buffers(struct ArrowArray *out, enum stoa_layout layout, bool nullable,
                         const struct stoa_array *array)
{
    static const int32_t no_values[1] = {0}; /* offsets of an array that has no buffers */
    struct owner *owner = out->private_data;
    const int32_t *offsets = array->offsets != NULL ? array->offsets : no_values;

    out->null_count = (int64_t)array->nnulls;
    if (layout == STOA_LAYOUT_NONE)
        return;
    out->n_buffers = 1;
    owner->buffers[0] = array->validity;
    if (!nullable) { /* null below a null struct alone: there is nothing to say about it */
        owner->buffers[0] = NULL;
        out->null_count = 0;
    }
    if (layout == STOA_LAYOUT_BITS || layout == STOA_LAYOUT_FIXED)
        owner->buffers[out->n_buffers++] = array->values;
    if (layout == STOA_LAYOUT_BYTES || layout == STOA_LAYOUT_LIST)
        owner->buffers[out->n_buffers++] = offsets;
    if (layout == STOA_LAYOUT_BYTES)
        owner->buffers[out->n_buffers++] = array->values;
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
    lend_buffers(out, STOA_LAYOUT_BYTES, false, &array);
    ((struct owner *)out->private_data)->array = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

/* A node whose buffers, and those of all below it, still belong to `array`. */
static enum stoa_status export_node(const struct stoa_field *field, const struct stoa_array *array,
                                    struct ArrowArray *out, struct stoa_error *err)
{
    static const struct stoa_array empty; /* an array of no values may have no children */
    bool is_enum = field->type.id == STOA_ENUM;
    struct owner *owner;
    enum stoa_status st;

    STOA_TRY(make_array(out, array->nvalues, is_enum ? 1 : field->nchildren, err));
    owner = out->private_data;
    lend_buffers(out, stoa_type_info(field->type.id)->layout, field->nullable, array);
    if (is_enum) {
        out->dictionary = &owner->below[0];
        STOA_TRY(export_symbols(&field->type, out->dictionary, err));
    }
    if (field->nchildren > 0)
        STOA_TRY(
            stoa_alloc_zeroed(&owner->children, field->nchildren, sizeof(out->children[0]), err));
    out->children = owner->children;
    for (uint32_t i = 0; i < field->nchildren; i++) {
        const struct stoa_array *child = i < array->nchildren ? &array->children[i] : &empty;

        out->children[i] = &owner->below[i];
        out->n_children = (int64_t)i + 1;
        STOA_TRY(export_node(&field->children[i], child, out->children[i], err));
    }
out:
    return st;
}

/* Gives the buffers of *array to the nodes that point to them. */
static void hand_over(struct ArrowArray *arrow, struct stoa_array *array)
{
    struct owner *owner = arrow->private_data;

    for (uint32_t i = 0; i < array->nchildren; i++)
        hand_over(arrow->children[i], &array->children[i]);
    stoa_free(array->children);
    array->children = NULL;
    array->nchildren = 0;
    owner->array = *array;
    *array = (struct stoa_array){0};
}

enum stoa_status stoa_batch_export(struct stoa_batch *batch, struct ArrowArray *out,
                                   struct stoa_error *err)
{
    const struct stoa_field rows = {.type = {.id = STOA_STRUCT},
                                    .children = batch->schema->fields,
                                    .nchildren = batch->ncolumns};
    struct stoa_array array = {
        .nvalues = batch->nrows, .children = batch->columns, .nchildren = batch->ncolumns};
    struct ArrowArray arrow = {0};
    enum stoa_status st;

    STOA_TRY(export_node(&rows, &array, &arrow, err));
    hand_over(&arrow, &array); /* with the columns */
    *batch = (struct stoa_batch){0};
    *out = arrow;
    arrow = (struct ArrowArray){0};
out:
    if (arrow.release != NULL)
        arrow.release(&arrow);
    return st;
}
