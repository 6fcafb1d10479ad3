/*
 * Which columns of a file that is written get Bloom filters, and of what size (stoa/writer.h);
 * which columns of one that is read have some.
 */
#ifndef STOA_FILE_BLOOM_PLAN_H
#define STOA_FILE_BLOOM_PLAN_H

#include <stoa/writer.h>

#include "column/schema.h"
#include "file/row_group_write.h"

/*
 * Bits a value of the filter of each node that the options ask for, 0 for the others; *out is the
 * caller's, NULL when no column is named. `nodes` are those of the schema. STOA_ERR_USAGE: no such
 * column, one below a list, one whose values have no bounds, a rate that cannot be.
 */
STOA_CHECK enum stoa_status stoa_bloom_plan(const struct stoa_writer_options *options,
                                            const struct stoa_schema *schema,
                                            const struct stoa_schema_node *nodes, uint32_t nnodes,
                                            uint8_t **out, struct stoa_error *err);

/*
 * The filters of a file that is read, added to what is known of others: has[node] of each node that
 * can have one and does in some row group, and of the filter with the most values these and its
 * bits a value. `{0}` before the first file, apart from `has`, which has room for its nodes.
 * STOA_ERR_CORRUPT, _IO, _NOMEM, _LIMIT.
 */
struct stoa_found_blooms {
    bool *has;
    uint32_t nvalues;
    uint64_t nbits;
};
STOA_CHECK enum stoa_status stoa_bloom_find(struct stoa_reader *reader,
                                            struct stoa_found_blooms *found,
                                            struct stoa_error *err);

/*
 * Makes the filter of a node of a row group that is encoded, from its array, if group->blooms asks
 * for one. Any thread, beside those of other nodes. STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_bloom_of_node(const struct stoa_schema_node *nodes,
                                               const struct stoa_writer_group *group,
                                               struct stoa_group_node *node,
                                               struct stoa_error *err);

#endif
