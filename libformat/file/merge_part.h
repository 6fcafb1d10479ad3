/*
 * One file on its way into a merged one: which of its chunks go where, and how.
 *
 *     part            a, b, c        merged schema   c, a, d        node_of   2, 0, none
 *     row group       [a | b | c]    row group       [c | a | - ]
 *
 * A chunk is copied as it is stored where the column's values need no other form, and encoded anew
 * otherwise. The one other reason to encode anew is a dictionary segment whose id is taken by
 * another one of other bytes.
 */
#ifndef STOA_FILE_MERGE_PART_H
#define STOA_FILE_MERGE_PART_H

#include "column/schema.h"
#include "file/assemble.h"
#include "file/chunk_pages.h"
#include "file/notes_read.h"
#include "file/reader.h"
#include "file/row_group_write.h"

/* What the parts of a merge share. */
struct stoa_merger {
    struct stoa_assembler *file; /* the output */
    const struct stoa_schema *schema;
    struct stoa_schema_node *nodes; /* of the schema */
    uint32_t nnodes;
    uint32_t *columns; /* the node of each column, and nnodes behind the last */
    struct stoa_encoder_pool encoders;
    struct stoa_buffer window; /* bytes of a part that are being copied */
    uint64_t memory_nbytes;

    /* Called with each `nbytes` of a part that are dealt with; a failure ends the merge. */
    enum stoa_status (*tick)(void *context, uint64_t nbytes, struct stoa_error *err);
    void *context;

    uint64_t nchunks_copied, nchunks_encoded;
    uint64_t shared_nbytes;
};

/* Fills in *merger but for `file`, tick and context. `schema` is borrowed. */
STOA_CHECK enum stoa_status stoa_merger_init(struct stoa_merger *merger,
                                             const struct stoa_schema *schema,
                                             uint64_t memory_nbytes, struct stoa_error *err);
void stoa_merger_reset(struct stoa_merger *merger);

/* A dictionary segment of a part. */
struct stoa_part_segment {
    uint32_t index;   /* in the output, or STOA_NONE32: not yet there */
    uint32_t same_as; /* the segment of the part with the same id and bytes: often itself */
    bool needed;      /* a chunk that is to be copied names it, or one behind it */
    bool clashes;     /* its id is taken by other bytes */
};

/* Init with `{0}`, release with stoa_part_reset(). */
struct stoa_part {
    struct stoa_merger *merger;
    struct stoa_reader *reader;
    const struct stoa_schema *schema;
    uint32_t *node_of;   /* of each output node the one of the part, or STOA_NONE32 */
    uint32_t *column_of; /* the same of each output column */
    bool *encodes;       /* of each output column: its chunks are encoded anew */
    const bool *gives;   /* of each output column: its chunks come with each row group; or NULL */
    const struct stoa_dictionary_table *table;
    const struct stoa_notes *notes[STOA_NNOTES]; /* NULL: none */
    struct stoa_part_segment *segments;
    uint32_t *given_segments; /* index in the output of each segment that came so */
    size_t ngiven_segments, given_capacity;
};

/*
 * Makes a part of an open file, whose schema the merged one holds (stoa_schema_join()). Both are
 * borrowed. Reads all chunk entries; decides which columns are encoded anew.
 *
 * gives  NULL, or for each column of the output whether its chunks are given with each row group;
 *        borrowed. Such a part is the only one of its output, every other column is copied as it
 *        is, and segments are written again as often as the part has them.
 */
STOA_CHECK enum stoa_status stoa_part_init(struct stoa_part *part, struct stoa_merger *merger,
                                           struct stoa_reader *reader, const bool *gives,
                                           struct stoa_error *err);
void stoa_part_reset(struct stoa_part *part);

/*
 * Writes row group `group` of the part, and the segments it needs in front of it. `given` is NULL
 * or has the nodes of the given columns, encoded; new segments are taken out of it.
 * STOA_ERR_CORRUPT: something that is read does not fit its hash; nothing damaged is copied.
 */
STOA_CHECK enum stoa_status stoa_part_copy_group(struct stoa_part *part, uint32_t group,
                                                 struct stoa_writer_group *given,
                                                 struct stoa_error *err);

/*
 * Writes the side table of row group `group`, which was written last, where the text of the part
 * can be had from the merged schema; once all its row groups are there, its sources, which begin at
 * row `first_row` of the output. Without their text they are not complete. The same errors, and
 * STOA_ERR_LIMIT. merge_text.c
 */
STOA_CHECK enum stoa_status stoa_part_copy_side(struct stoa_part *part, uint32_t group,
                                                struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_part_copy_sources(struct stoa_part *part, uint64_t first_row,
                                                   struct stoa_error *err);

/* ---- What the files of merge_*.c offer to each other ---- */

/* Finds out which segments are needed and which of them clash: merge_segments.c. */
STOA_CHECK enum stoa_status stoa_part_plan_segments(struct stoa_part *part, struct stoa_error *err);

/* Writes segment `index` of the part and those in front of it, unless the output has them. */
STOA_CHECK enum stoa_status stoa_part_copy_segment(struct stoa_part *part, uint32_t index,
                                                   struct stoa_error *err);

/* Writes a segment that a sequencer made; those before it were written so too. */
STOA_CHECK enum stoa_status stoa_part_give_segment(struct stoa_part *part,
                                                   struct stoa_segment *segment,
                                                   struct stoa_error *err);

/*
 * A column of a row group, decoded and encoded anew in the form of the merged schema: one chunk in
 * (*out)->nodes[] for each of its nodes. Free with stoa_writer_group_free(). merge_encode.c.
 */
STOA_CHECK enum stoa_status stoa_part_encode(struct stoa_part *part, uint32_t group,
                                             uint32_t column, struct stoa_writer_group **out,
                                             struct stoa_error *err);

/*
 * Copies bytes of a part into the row group that is begun: chunk by chunk, in rising order.
 * merge_bytes.c
 */
struct stoa_part_run {
    struct stoa_part *part;
    uint64_t end;          /* of the bytes that follow each other in the part as in the output */
    uint64_t shared_end;   /* bytes in front of it are in the output already */
    uint64_t window_begin; /* of merger->window in the part */
};
STOA_CHECK enum stoa_status stoa_part_run_begin(struct stoa_part_run *run, struct stoa_part *part,
                                                uint64_t begin, uint64_t end,
                                                struct stoa_error *err);

/* Bytes that lie between chunks: zeros. */
STOA_CHECK enum stoa_status stoa_part_run_zeros(struct stoa_part_run *run, uint64_t begin,
                                                uint64_t end, struct stoa_error *err);

STOA_CHECK enum stoa_status stoa_part_run_chunk(struct stoa_part_run *run,
                                                const struct stoa_chunk *chunk,
                                                const struct stoa_chunk_shape *shape,
                                                struct stoa_error *err);

#endif
