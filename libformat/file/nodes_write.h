/*
 * The nodes of nested columns on their way into a file: trees of arrays taken apart
 * (spec/format.md, "Nested columns").
 */
#ifndef STOA_FILE_NODES_WRITE_H
#define STOA_FILE_NODES_WRITE_H

#include <stoa/array.h>

#include "column/schema.h"
#include "file/rules.h"

/* Whether nodes of this type share dictionaries. */
bool stoa_type_shares_dictionary(const struct stoa_type *type);

/* How many of the nodes do. */
uint32_t stoa_nodes_count_texts(const struct stoa_schema_node *nodes, uint32_t nnodes);

/* Puts "column NAME: " in front of the message, NAME with the names of the node's ancestors. */
enum stoa_status stoa_nodes_wrap(const struct stoa_schema_node *nodes, uint32_t node,
                                 enum stoa_status st, struct stoa_error *err);

/*
 * Checks that the column whose node is `node` has nvalues values and, all the way down, the
 * buffers, sizes and counts of nulls that its type asks for; values of leaves are not looked at.
 * Names the part that is wrong. STOA_ERR_USAGE: sizes and counts; STOA_ERR_DATA: nulls where there
 * must be none or values where there must be nulls.
 */
STOA_CHECK enum stoa_status stoa_nodes_check(const struct stoa_schema_node *nodes, uint32_t node,
                                             const struct stoa_array *array, size_t nvalues,
                                             struct stoa_error *err);

/*
 * Bytes that values [begin, end) of a checked array take in memory, about: a sum over the values.
 */
uint64_t stoa_field_nbytes(const struct stoa_field *field, const struct stoa_array *array,
                           size_t begin, size_t end);

/*
 * The first of the values [begin, end) that holds a text too long for a page beside others, `end`
 * for none.
 */
size_t stoa_field_first_huge(const struct stoa_rules *rules, const struct stoa_field *field,
                             const struct stoa_array *array, size_t begin, size_t end);

/* One node of a row group. */
struct stoa_split_node {
    struct stoa_array array; /* without children; its buffers are the tree's */
    size_t *ends;            /* owned: where the values of each zone end; NULL: zones are of rows */
};

/*
 * Takes a checked column apart: out[0] becomes node `node`, out[1] the one behind it, up to the
 * last one of its tree. The zones are those of the rows, nzones of them. *out is zeroed before; on
 * failure what was set stays set: release with stoa_split_node_reset() in any case.
 */
STOA_CHECK enum stoa_status stoa_nodes_split(const struct stoa_schema_node *nodes, uint32_t node,
                                             const struct stoa_array *array, size_t nzones,
                                             struct stoa_split_node *out, struct stoa_error *err);
void stoa_split_node_reset(struct stoa_split_node *split);

#endif
