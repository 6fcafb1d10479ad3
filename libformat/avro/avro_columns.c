/*
 * Growing columns. Where a row ends too early its values are taken off again: what a list holds
 * follows from its offsets, so the number of rows says what to keep at every depth.
 */
#include "avro/avro_columns.h"

#include "base/alloc.h"
#include "base/error.h"
#include "column/array.h"
#include "column/schema.h"

enum { NULL_AND_OFFSET_NBYTES = 1 + 4 };

/* Counts a node's value into those that it is a part of, up to the list that it is an item of. */
static void count_value(struct stoa_avro_columns *columns, const struct stoa_schema_node *nodes,
                        uint32_t node)
{
    struct stoa_avro_column *const items = columns->items;
    const uint64_t nbytes = items[node].builder.width + NULL_AND_OFFSET_NBYTES;

    for (uint32_t at = node; at != STOA_NO_NODE && items[at].level == items[node].level;
         at = nodes[at].parent)
        items[at].value_nbytes += nbytes;
}

/* The type whose builder holds what a node has of its own. */
static const struct stoa_type *holder_of(const struct stoa_type *type)
{
    static const struct stoa_type validity = {.id = STOA_NULL}, offsets = {.id = STOA_BINARY};

    if (type->id == STOA_STRUCT)
        return &validity;
    return type->id == STOA_LIST || type->id == STOA_MAP ? &offsets : type;
}

static bool is_list(const struct stoa_avro_column *column)
{
    return column->field->type.id == STOA_LIST || column->field->type.id == STOA_MAP;
}

bool stoa_avro_column_has_text(const struct stoa_avro_column *column)
{
    return column->builder.layout == STOA_LAYOUT_BYTES && !is_list(column);
}

enum stoa_status stoa_avro_columns_init(struct stoa_avro_columns *columns,
                                        const struct stoa_schema *schema, struct stoa_error *err)
{
    struct stoa_avro_columns made = {0};
    struct stoa_schema_node *nodes = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_alloc_zeroed(&made.items, nnodes, sizeof(*made.items), err));
    for (; made.nitems < nnodes; made.nitems++) {
        const struct stoa_schema_node *node = &nodes[made.nitems];
        struct stoa_avro_column *column = &made.items[made.nitems];

        column->field = node->field;
        column->nnodes = node->nnodes;
        if (node->parent != STOA_NO_NODE)
            column->level = made.items[node->parent].level + is_list(&made.items[node->parent]);
        STOA_TRY(stoa_builder_init(&column->builder, holder_of(&node->field->type), 0, err));
        count_value(&made, nodes, made.nitems);
    }
    *columns = made;
    made = (struct stoa_avro_columns){0};
out:
    stoa_avro_columns_reset(&made);
    stoa_free(nodes);
    return st;
}

void stoa_avro_columns_reset(struct stoa_avro_columns *columns)
{
    for (uint32_t i = 0; i < columns->nitems; i++)
        stoa_builder_reset(&columns->items[i].builder);
    stoa_free(columns->items);
    *columns = (struct stoa_avro_columns){0};
}

enum stoa_status stoa_avro_columns_reserve(struct stoa_avro_column *first, uint32_t nnodes,
                                           size_t nvalues, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < nnodes; i++)
        if (first[i].level == first->level)
            STOA_TRY(stoa_builder_reserve(&first[i].builder, nvalues, 0, err));
out:
    return st;
}

void stoa_avro_columns_append_null(struct stoa_avro_column *first)
{
    for (uint32_t i = 0; i < first->nnodes; i++)
        if (first[i].level == first->level)
            stoa_builder_append_null(&first[i].builder);
}

/* Keeps the first nvalues values of a node, and of all below it what these hold. */
static void truncate(struct stoa_avro_column *first, size_t nvalues)
{
    const uint32_t nnodes = first->nnodes;

    for (uint32_t i = 0; i < nnodes;) {
        struct stoa_avro_column *column = &first[i];
        struct stoa_builder *builder = &column->builder;
        struct stoa_array *array = &builder->array;

        for (size_t k = nvalues; k < array->nvalues; k++) { /* as they were before */
            array->nnulls -= !stoa_bitmap_get(array->validity, k);
            stoa_bitmap_set(array->validity, k);
            if (builder->layout == STOA_LAYOUT_BITS)
                stoa_bitmap_clear(array->values, k);
        }
        if (array->nvalues > nvalues)
            array->nvalues = nvalues;
        if (array->offsets != NULL) /* there are none before the first value */
            builder->nbytes = (size_t)array->offsets[array->nvalues];
        if (is_list(column))
            truncate(column + 1, builder->nbytes);
        i += is_list(column) ? column->nnodes : 1;
    }
}

void stoa_avro_columns_truncate(struct stoa_avro_columns *columns, size_t nrows)
{
    for (uint32_t i = 0; i < columns->nitems; i += columns->items[i].nnodes)
        truncate(&columns->items[i], nrows);
}

uint64_t stoa_avro_columns_nbytes(const struct stoa_avro_columns *columns)
{
    uint64_t nbytes = 0;

    for (uint32_t i = 0; i < columns->nitems; i++) {
        const struct stoa_builder *builder = &columns->items[i].builder;

        nbytes += builder->array.nvalues * (builder->width + 1);
        if (builder->layout == STOA_LAYOUT_BYTES)
            nbytes +=
                4 * builder->array.nvalues + (is_list(&columns->items[i]) ? 0 : builder->nbytes);
    }
    return nbytes;
}

/* The array of a node with those below it. On failure *out owns what was made. */
static enum stoa_status finish(struct stoa_avro_column *column, struct stoa_array *out,
                               struct stoa_error *err)
{
    const uint32_t nchildren = column->field->nchildren;
    struct stoa_avro_column *child = column + 1;
    enum stoa_status st = STOA_OK;

    if (is_list(column))
        column->builder.nbytes = 0; /* they are values of the child, not bytes of its own */
    stoa_builder_finish(&column->builder, out);
    if (nchildren == 0)
        return STOA_OK;
    stoa_free(out->values); /* the builder of a list made some room for them */
    out->values = NULL;
    STOA_TRY(stoa_alloc_zeroed(&out->children, nchildren, sizeof(*out->children), err));
    out->nchildren = nchildren;
    for (uint32_t i = 0; i < nchildren; i++, child += child->nnodes)
        STOA_TRY(finish(child, &out->children[i], err));
out:
    return st;
}

enum stoa_status stoa_avro_columns_finish(struct stoa_avro_columns *columns, size_t nrows,
                                          struct stoa_batch *out, struct stoa_error *err)
{
    uint32_t node = 0;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < out->ncolumns; i++) {
        STOA_TRY(finish(&columns->items[node], &out->columns[i], err));
        node += columns->items[node].nnodes;
    }
    out->nrows = nrows;
out:
    return st;
}
