/*
 * The fields of a schema as one array, and the array of a batch that belongs to one of them
 * (spec/format.md, "Nodes").
 *
 *     node   field                       parent   nnodes
 *     0      a: int64                    -        1
 *     1      b: struct                   -        4
 *     2        x: utf8                   1        1
 *     3        y: list                   1        2
 *     4          item: float64           3        1
 *     5      c: date32                   -        1
 */
#include "base/alloc.h"
#include "column/schema.h"
#include "column/type.h"

/* What a field hands down to its children. */
struct above {
    uint32_t parent;
    uint8_t depth;
    bool below_list;
    bool can_be_null;
};

static struct above below(const struct stoa_schema_node *node, uint32_t number)
{
    enum stoa_layout layout = stoa_type_info(node->field->type.id)->layout;

    return (struct above){
        .parent = number,
        .depth = node->depth,
        .below_list = node->below_list || layout != STOA_LAYOUT_STRUCT,
        .can_be_null = node->can_be_null && layout != STOA_LAYOUT_LIST,
    };
}

/* Writes the nodes of a field from number `next` on; returns the number behind them. */
static uint32_t number_field(const struct stoa_field *field, const struct above *above,
                             struct stoa_schema_node *nodes, uint32_t next)
{
    uint32_t number = next++;
    struct stoa_schema_node *node = &nodes[number];
    struct above here;

    *node = (struct stoa_schema_node){
        .field = field,
        .parent = above->parent,
        .depth = (uint8_t)(above->depth + 1),
        .below_list = above->below_list,
        .can_be_null = field->nullable || above->can_be_null,
    };
    here = below(node, number);
    for (uint32_t i = 0; i < field->nchildren; i++)
        next = number_field(&field->children[i], &here, nodes, next);
    node->nnodes = next - number;
    return next;
}

enum stoa_status stoa_schema_nodes(const struct stoa_schema *schema, struct stoa_schema_node **out,
                                   uint32_t *nnodes, struct stoa_error *err)
{
    static const struct above top = {.parent = STOA_NO_NODE};
    struct stoa_schema_node *nodes;
    uint32_t next = 0;
    enum stoa_status st =
        stoa_alloc_zeroed(&nodes, stoa_schema_count_nodes(schema), sizeof(nodes[0]), err);

    if (st != STOA_OK)
        return st;
    for (uint32_t i = 0; i < schema->nfields; i++)
        next = number_field(&schema->fields[i], &top, nodes, next);
    *out = nodes;
    *nnodes = next;
    return STOA_OK;
}

/* Whether the node `*left` further on is in this field; counts *left down on the way. */
static bool find_array(const struct stoa_field *field, const struct stoa_array *array,
                       uint32_t *left, const struct stoa_array **out)
{
    if (*left == 0) {
        *out = array;
        return true;
    }
    --*left;
    for (uint32_t i = 0; i < field->nchildren; i++) {
        const struct stoa_array *child = NULL;

        if (array != NULL && i < array->nchildren)
            child = &array->children[i];
        if (find_array(&field->children[i], child, left, out))
            return true;
    }
    return false;
}

const struct stoa_array *stoa_batch_node(const struct stoa_batch *batch, uint32_t node)
{
    const struct stoa_array *array = NULL;

    for (uint32_t i = 0; i < batch->ncolumns; i++)
        if (find_array(&batch->schema->fields[i], &batch->columns[i], &node, &array))
            break;
    return array;
}
