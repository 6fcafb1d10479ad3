/*
 * Which node of a schema the names in a predicate mean.
 */
#ifndef STOA_STATS_FILTER_PATH_H
#define STOA_STATS_FILTER_PATH_H

#include "column/schema.h"
#include "stats/filter_tree.h"

/*
 * The node of a path: a column, or a part of structs inside each other. A name means the field of
 * exactly this name, else the only one that differs in ASCII case alone. A single name that is no
 * column's is taken apart at its dots, which lets a program pass "a.b" as one.
 * nodes are those of stoa_schema_nodes().
 * STOA_ERR_USAGE: names that are not there (with the nearest), or that lie below a list or in what
 * has no parts.
 */
STOA_CHECK enum stoa_status stoa_filter_path_find(const struct stoa_schema *schema,
                                                  const struct stoa_schema_node *nodes,
                                                  const struct stoa_filter_path *path,
                                                  uint32_t *node, struct stoa_error *err);

#endif
