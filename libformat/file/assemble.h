/*
 * Putting a file together out of objects that are made already: what the writer, merge and recover
 * have in common.
 *
 *     HEAD  SCHM  [DICT.. RGRP SIDE]  [DICT.. RGRP SIDE]  ..  [DICT copies]  FOOT
 *
 *     STOA_TRY(stoa_assembler_init(&a, sink, &schema, &stoa_default_rules, &err));
 *     for each row group:
 *         stoa_assembler_add_segment() for what it needs and the file has not
 *         stoa_assembler_begin_group(); for each chunk with bytes _begin_chunk(), _write()..;
 *         stoa_assembler_end_group()
 *         stoa_assembler_add_side(), if it has a side table
 *     stoa_footer_add_source(&a.footer, ..) for each source, any time
 *     STOA_TRY(stoa_assembler_finish(&a, &err));
 *
 * Chunks, zone maps and segments may come from anywhere, another file for one: nothing that is
 * stored of them names a place or a number of this file. What they say is taken as it is.
 *
 * One thread at a time. After an error only stoa_assembler_reset() may be called.
 */
#ifndef STOA_FILE_ASSEMBLE_H
#define STOA_FILE_ASSEMBLE_H

#include <stoa/io.h>

#include "file/footer_write.h"
#include "file/rules.h"

/* A chunk on its way into the file. */
struct stoa_new_chunk {
    struct stoa_rg_entry entry;          /* offset is set when the row group is laid out */
    uint32_t dict_index;                 /* SHARED_DICT: of entry.dict_id here, else STOA_NONE32 */
    const struct stoa_buffer *zones;     /* zone maps in the stored form of the file's node */
    const struct stoa_zone *all;         /* and that of the row group */
    const struct stoa_chunk_note *notes; /* one of each kind; NULL: none */
};

struct stoa_segment_copy;

struct stoa_assembler {
    struct stoa_sink *sink;
    const struct stoa_schema *schema;
    const struct stoa_rules *rules;
    struct stoa_schema_bytes bytes;
    uint64_t schema_id;
    struct stoa_footer_writer footer;
    uint64_t offset; /* bytes written */

    struct stoa_segment_copy *copies; /* what may be written a second time at the end */
    size_t ncopies, copies_capacity;
    uint64_t copies_nbytes;
    uint64_t segments_nbytes; /* all DICT objects so far */

    uint32_t *slots; /* from ids to segments: index + 1, an open-addressed table */
    size_t nslots;

    uint64_t header_hash; /* of the last row group */

    /* Of the row group that is begun. */
    struct stoa_new_chunk *chunks;
    uint64_t group_off;
    uint64_t group_end;
    uint32_t group_nrows;
};

/*
 * Writes the head and the schema. `sink`, `schema` and `rules` are borrowed; the sink is empty.
 * STOA_ERR_USAGE: a type that cannot be stored; those of the sink.
 */
STOA_CHECK enum stoa_status stoa_assembler_init(struct stoa_assembler *assembler,
                                                struct stoa_sink *sink,
                                                const struct stoa_schema *schema,
                                                const struct stoa_rules *rules,
                                                struct stoa_error *err);

/* `{0}` is fine. */
void stoa_assembler_reset(struct stoa_assembler *assembler);

/*
 * Writes a dictionary segment: the body of its object as it is stored, padded, whose memory is
 * taken over on success; `entry` tells id, prev_index, first_code, count, phys. Its number is
 * footer.nsegments before the call.
 */
STOA_CHECK enum stoa_status
stoa_assembler_add_segment(struct stoa_assembler *assembler, const struct stoa_dictdir_entry *entry,
                           uint32_t dir_nbytes, struct stoa_buffer *body, struct stoa_error *err);

/* The number of the first segment of that id, or STOA_NONE32. */
uint32_t stoa_assembler_find_segment(const struct stoa_assembler *assembler, uint64_t id);

/* The body of a segment while it is kept for a second copy, else NULL; lent until the next call. */
const struct stoa_buffer *stoa_assembler_segment_body(const struct stoa_assembler *assembler,
                                                      uint32_t index);

/*
 * Begins a row group out of chunks that come one by one: gives each its place, in the order of the
 * nodes, and writes header and directory. `chunks` are borrowed until _end_group().
 */
STOA_CHECK enum stoa_status stoa_assembler_begin_group(struct stoa_assembler *assembler,
                                                       uint32_t nrows,
                                                       struct stoa_new_chunk *chunks,
                                                       struct stoa_error *err);

/* Goes to the place of chunk `node`, the first one with bytes that is not written yet. */
STOA_CHECK enum stoa_status stoa_assembler_begin_chunk(struct stoa_assembler *assembler,
                                                       uint32_t node, struct stoa_error *err);

/* Bytes of the chunk that was begun, or of it and of those behind it with what lies between. */
STOA_CHECK enum stoa_status stoa_assembler_write(struct stoa_assembler *assembler,
                                                 const void *bytes, size_t nbytes,
                                                 struct stoa_error *err);

/*
 * The same for the first *nshared of nbytes bytes of a source, of which the sink shares the blocks;
 * often none.
 */
STOA_CHECK enum stoa_status stoa_assembler_share(struct stoa_assembler *assembler,
                                                 struct stoa_source *source, uint64_t offset,
                                                 uint64_t nbytes, uint64_t *nshared,
                                                 struct stoa_error *err);

STOA_CHECK enum stoa_status stoa_assembler_end_group(struct stoa_assembler *assembler,
                                                     struct stoa_error *err);

/* Writes the side table of the row group that was written last: the body of its object. */
STOA_CHECK enum stoa_status stoa_assembler_add_side(struct stoa_assembler *assembler,
                                                    uint32_t dir_nbytes,
                                                    const struct stoa_buffer *body,
                                                    struct stoa_error *err);

/* Memory that it keeps for copies and footer, about. */
uint64_t stoa_assembler_memory(const struct stoa_assembler *assembler);

/* Writes second copies of the segments, if they are a small part, and the footer. */
STOA_CHECK enum stoa_status stoa_assembler_finish(struct stoa_assembler *assembler,
                                                  struct stoa_error *err);

#endif
