/*
 * One row group on its way from a batch to the chunks of its object.
 *
 *     prepare   physical values, zone maps, distinct values, on chooser groups plans   any thread
 *     settle    the sequencer's part, for each node                                    in order
 *     encode    chunks; bodies of new segments                                         any thread
 *
 * The steps of one group are done one after the other, each column by column, which the crew of
 * `encoders` shares; different groups share nothing but those and what is const here.
 */
#ifndef STOA_FILE_ROW_GROUP_WRITE_H
#define STOA_FILE_ROW_GROUP_WRITE_H

#include <stoa/array.h>
#include <stoa/source_text.h>
#include <stoa/stats.h>
#include <stoa/writer.h>

#include "file/encoder_pool.h"
#include "file/footer_write.h"
#include "file/layout.h"
#include "file/nodes_write.h"
#include "file/row_order.h"
#include "file/sequencer.h"

/* A node: a column, or a part of one. */
struct stoa_group_node {
    struct stoa_array array; /* without children; its buffers are the column's */
    struct stoa_chunk_values values;
    struct stoa_chunk_distinct distinct;
    struct stoa_chunk_plan chosen; /* on chooser groups */
    struct stoa_buffer zones;      /* zone maps in stored form */
    struct stoa_zone all;          /* and that of the group */
    struct stoa_sequenced sequenced;
    struct stoa_rg_entry entry; /* once encoded, without its place, */
    struct stoa_buffer chunk;   /* and its bytes */
    struct stoa_chunk_note notes[STOA_NNOTES];
    bool below_list;
    bool is_base; /* others are derived from it: its array stays until they are encoded */
};

/* Some columns of a file that has others, in the order of its nodes. */
struct stoa_group_part {
    const uint32_t *numbers; /* of the nodes in the file, rising */
    const bool *only_read;   /* of each node: no chunk, others are derived from it */
    /* Of each chooser group those that it has; NULL: they are looked for, and that is all that the
       group is prepared for: it has no zone maps, and texts have no plans. */
    const struct stoa_relations *relations;
};

struct stoa_writer_group {
    uint64_t ordinal;
    uint32_t nrows;
    struct stoa_array *columns; /* owned, as they came */
    uint32_t ncolumns;
    bool is_chooser;
    struct stoa_order_edges edges; /* in a file with an order */
    struct stoa_side side;         /* owned; once encoded: */
    struct stoa_buffer side_body;
    uint32_t side_dir_nbytes;
    uint32_t nnodes;
    const struct stoa_group_part *part; /* NULL: all columns of the file are here */
    /* Bits a value of the Bloom filter of each node of the file, 0 for none; lent until it is
       encoded. NULL: there are none. */
    const uint8_t *blooms;
    struct stoa_group_node nodes[];
};

/* The number in the file of node i. */
static inline uint32_t stoa_group_number(const struct stoa_writer_group *group, uint32_t i)
{
    return group->part != NULL ? group->part->numbers[i] : i;
}

/* Whether the group is there for the relations between its columns alone, and is never written. */
static inline bool stoa_group_only_looks(const struct stoa_writer_group *group)
{
    return group->part != NULL && group->part->relations == NULL;
}

static inline bool stoa_group_only_reads(const struct stoa_writer_group *group, uint32_t i)
{
    return group->part != NULL && group->part->only_read[i];
}

/*
 * The first row of [begin, end) that has a value too long for a page beside others, `end` for none:
 * such a row is a row group of its own.
 */
size_t stoa_row_group_first_huge(const struct stoa_rules *rules,
                                 const struct stoa_schema_node *nodes,
                                 const struct stoa_batch *batch, size_t begin, size_t end);

/*
 * Takes over the columns of `batch` on success; it is checked (stoa_nodes_check()), and `nodes` are
 * those of its schema. `ntexts` nodes of the file share the room for dictionaries. `part` must
 * outlive the group; NULL: the file has no other columns.
 * STOA_ERR_DATA: a value that its type cannot have, with the column; STOA_ERR_LIMIT: a row that
 * must be a row group of its own and is not; STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status
stoa_row_group_prepare(struct stoa_encoder_pool *encoders, const struct stoa_rules *rules,
                       const struct stoa_schema_node *nodes, uint32_t nnodes,
                       const struct stoa_group_part *part, uint32_t ntexts, uint64_t ordinal,
                       struct stoa_batch *batch, struct stoa_writer_group **out,
                       struct stoa_error *err);

STOA_CHECK enum stoa_status stoa_row_group_settle(struct stoa_sequencer *sequencer,
                                                  struct stoa_writer_group *group,
                                                  struct stoa_error *err);

/*
 * Gives a group that is not encoded yet its side table, for a schema of ncolumns columns; checked,
 * and taken over on success. As stoa_writer_group_set_side().
 */
STOA_CHECK enum stoa_status stoa_row_group_set_side(struct stoa_writer_group *group,
                                                    uint32_t ncolumns, struct stoa_side *side,
                                                    struct stoa_error *err);

/*
 * Frees the values; what is left are the chunks and their entries, the zone maps, new segments, and
 * the body of the side table.
 */
STOA_CHECK enum stoa_status stoa_row_group_encode(struct stoa_encoder_pool *encoders,
                                                  const struct stoa_rules *rules,
                                                  const struct stoa_schema_node *nodes,
                                                  struct stoa_writer_group *group,
                                                  struct stoa_error *err);

/* Bytes of memory that an encoded group takes, about. */
uint64_t stoa_row_group_encoded_nbytes(const struct stoa_writer_group *group);

#endif
