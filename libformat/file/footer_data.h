/*
 * What the footer of a file that is being written has of each node: its chunk entries, zone maps
 * and notes, which grow with the rows. They are wanted node by node at the end and come row group
 * by row group, so they are collected; above a bound of memory they go to a temporary file.
 *
 *     add, add, .., end_group()      for each row group, each part of each node once
 *     each(node, part)               any number of times, when all is there
 *
 * One thread at a time.
 */
#ifndef STOA_FILE_FOOTER_DATA_H
#define STOA_FILE_FOOTER_DATA_H

#include "base/alloc.h"
#include "io/spill.h"

/* What may be said of single chunks: sections of notes. */
enum stoa_note_kind { STOA_NOTE_BLOOM, STOA_NOTE_PRESENCE, STOA_NNOTES };

enum stoa_footer_part {
    STOA_FOOTER_CHUNKS, /* entries, one a row group */
    STOA_FOOTER_GROUPS, /* zone maps of row groups, one each */
    STOA_FOOTER_ZONES,  /* and of zones */
    STOA_FOOTER_NOTES,  /* of each kind of notes: entries, of row groups that have any, and notes */
    STOA_FOOTER_NPARTS = STOA_FOOTER_NOTES + 2 * STOA_NNOTES,
};

struct stoa_footer_run;

struct stoa_footer_data {
    uint32_t nnodes;
    uint64_t max_nbytes;       /* of memory */
    uint64_t nbytes;           /* in memory */
    struct stoa_buffer *parts; /* of node i: parts[i * NPARTS + part] */
    struct stoa_spill *spill;  /* NULL while nothing went there */
    struct stoa_footer_run *runs;
    size_t nruns, runs_capacity;
};

/* Nothing is collected yet. STOA_ERR_NOMEM. */
STOA_CHECK enum stoa_status stoa_footer_data_init(struct stoa_footer_data *data, uint32_t nnodes,
                                                  uint64_t max_nbytes, struct stoa_error *err);

/* `{0}` is fine. */
void stoa_footer_data_reset(struct stoa_footer_data *data);

STOA_CHECK enum stoa_status stoa_footer_data_add(struct stoa_footer_data *data, uint32_t node,
                                                 enum stoa_footer_part part, const void *bytes,
                                                 size_t nbytes, struct stoa_error *err);

/* What was added is whole: may empty the memory. STOA_ERR_IO: the temporary file. */
STOA_CHECK enum stoa_status stoa_footer_data_relieve(struct stoa_footer_data *data,
                                                     struct stoa_error *err);

/* Calls `visit` with all bytes of a part of a node, in their order, in pieces. */
STOA_CHECK enum stoa_status
stoa_footer_data_each(struct stoa_footer_data *data, uint32_t node, enum stoa_footer_part part,
                      enum stoa_status (*visit)(void *context, const void *bytes, size_t nbytes,
                                                struct stoa_error *err),
                      void *context, struct stoa_error *err);

/* Memory that it takes, about. */
uint64_t stoa_footer_data_memory(const struct stoa_footer_data *data);

#endif
