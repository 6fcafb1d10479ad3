/*
 * Node records to a tree (spec/format.md, section 4).
 *
 *     record       0     1     2     3     4     5
 *     n_children   0     2     0     1     0     0
 *     parent       -     -     1     1     3     -
 *     open             [1:2] [1:1] [1:0] [1:0 3:0]        nodes with children that are to come
 *
 * The records are gone through once, with the stack of nodes whose children are still to come; so
 * every number is checked before anything follows from it.
 */
#include "file/schema_tree.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/type.h"

/* A node whose children are being read. */
struct open_node {
    uint32_t number;
    uint32_t left; /* children to come */
};

struct walk {
    const struct stoa_node *records;
    struct stoa_tree *tree;
    struct open_node open[STOA_MAX_FIELD_DEPTH];
    uint32_t depth;
};

static enum stoa_status check_nchildren(const struct stoa_node *record, uint32_t left,
                                        struct stoa_error *err)
{
    bool needs_one = stoa_type_is_nested(record->type) && record->type != STOA_STRUCT;
    bool is_known = stoa_type_info((enum stoa_type_id)record->type) != NULL;

    if (record->nchildren > left)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " children, %" PRIu32 " nodes follow",
                         record->nchildren, left);
    if (is_known && record->type != STOA_STRUCT && record->nchildren != (needs_one ? 1 : 0))
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " children of type %s",
                         record->nchildren, stoa_type_info((enum stoa_type_id)record->type)->name);
    return STOA_OK;
}

/* What the node has from its parent. */
static void inherit(const struct walk *walk, uint32_t number)
{
    const struct stoa_node *record = &walk->records[number];
    struct stoa_tree_node *node = &walk->tree->nodes[number];
    const struct stoa_tree_node *parent;

    node->can_be_null = record->flags & STOA_NODE_NULLABLE;
    if (record->parent == STOA_NONE32)
        return;
    parent = &walk->tree->nodes[record->parent];
    node->below_list = parent->below_list || parent->type != STOA_STRUCT;
    node->can_be_null |= parent->can_be_null && !stoa_type_has_lengths(parent->type);
}

static enum stoa_status add_node(struct walk *walk, uint32_t number, uint32_t nnodes,
                                 struct stoa_error *err)
{
    const struct stoa_node *record = &walk->records[number];
    struct stoa_tree *tree = walk->tree;
    uint32_t parent;
    enum stoa_status st;

    while (walk->depth > 0 && walk->open[walk->depth - 1].left == 0)
        walk->depth--;
    parent = walk->depth > 0 ? walk->open[walk->depth - 1].number : STOA_NONE32;
    if (record->parent != parent)
        return stoa_fail(err, STOA_ERR_CORRUPT, "parent %" PRIu32 ", must be %" PRIu32,
                         record->parent, parent);
    STOA_TRY(check_nchildren(record, nnodes - number - 1, err));
    if (parent == STOA_NONE32)
        tree->columns[tree->ncolumns++] = number;
    else
        walk->open[walk->depth - 1].left--;
    tree->nodes[number] = (struct stoa_tree_node){
        .parent = parent,
        .column = tree->ncolumns - 1,
        .type = record->type,
        .depth = (uint8_t)(walk->depth + 1),
    };
    inherit(walk, number);
    for (uint32_t i = 0; i < walk->depth; i++) /* the ancestors, some of which have no more */
        tree->nodes[walk->open[i].number].nnodes++;
    tree->nodes[number].nnodes = 1;
    if (record->nchildren == 0)
        return STOA_OK;
    if (walk->depth + 1 == STOA_MAX_FIELD_DEPTH)
        return stoa_fail(err, STOA_ERR_CORRUPT, "types nested more than %u deep",
                         STOA_MAX_FIELD_DEPTH);
    walk->open[walk->depth++] = (struct open_node){number, record->nchildren};
out:
    return st;
}

enum stoa_status stoa_tree_init(struct stoa_tree *tree, const struct stoa_node *nodes,
                                uint32_t nnodes, struct stoa_error *err)
{
    struct stoa_tree made = {.nnodes = nnodes};
    struct walk walk = {.records = nodes, .tree = &made};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&made.nodes, nnodes, sizeof(made.nodes[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&made.columns, nnodes, sizeof(made.columns[0]), err));
    for (uint32_t i = 0; i < nnodes; i++) {
        st = add_node(&walk, i, nnodes, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "node %" PRIu32, i);
            goto out;
        }
    }
    for (uint32_t i = 0; i < walk.depth; i++) {
        if (walk.open[i].left > 0) {
            st = stoa_fail(err, STOA_ERR_CORRUPT, "node %" PRIu32 ": %" PRIu32 " children missing",
                           walk.open[i].number, walk.open[i].left);
            goto out;
        }
    }
    *tree = made;
    made = (struct stoa_tree){0};
out:
    stoa_tree_reset(&made);
    return st;
}

void stoa_tree_reset(struct stoa_tree *tree)
{
    stoa_free(tree->nodes);
    stoa_free(tree->columns);
    *tree = (struct stoa_tree){0};
}
