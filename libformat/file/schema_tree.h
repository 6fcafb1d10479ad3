/*
 * The tree that the node records of a file make (spec/format.md, section 4): which node belongs to
 * which, and what that says of its values. Names and parameters are not looked at, so a reader of a
 * wide file learns this without parsing its schema.
 */
#ifndef STOA_FILE_SCHEMA_TREE_H
#define STOA_FILE_SCHEMA_TREE_H

#include <stoa/schema.h>

#include "file/layout.h"

/* A node by its number. */
struct stoa_tree_node {
    uint32_t parent;  /* STOA_NONE32 for a column */
    uint32_t nnodes;  /* of it and all that is below it, which follow it */
    uint32_t column;  /* that it is a part of, by number */
    uint8_t type;     /* as stored: perhaps none that this version knows */
    uint8_t depth;    /* 1 for a column */
    bool below_list;  /* below a list, map or fixed_list: its values are counted apart from rows */
    bool can_be_null; /* it is nullable, or an ancestor up to the nearest list or map is */
};

/* Init with `{0}`, release with stoa_tree_reset(). */
struct stoa_tree {
    struct stoa_tree_node *nodes;
    uint32_t *columns; /* the node of each column */
    uint32_t nnodes;
    uint32_t ncolumns;
};

/*
 * Fills *tree. STOA_ERR_CORRUPT: the records make no tree, it is deeper than types may be, a type
 * has another number of children than it needs. Cost: one pass; memory is linear in nnodes whatever
 * the records say.
 */
STOA_CHECK enum stoa_status stoa_tree_init(struct stoa_tree *tree, const struct stoa_node *nodes,
                                           uint32_t nnodes, struct stoa_error *err);
void stoa_tree_reset(struct stoa_tree *tree);

#endif
