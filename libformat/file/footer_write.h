/*
 * The footer of a file that is being written: collected as row groups are written, then put
 * together (spec/format.md, section 10).
 */
#ifndef STOA_FILE_FOOTER_WRITE_H
#define STOA_FILE_FOOTER_WRITE_H

#include <stoa/order.h>
#include <stoa/stats.h>

#include "base/alloc.h"
#include "file/footer_data.h"
#include "file/layout.h"
#include "file/rules.h"
#include "file/schema_bytes.h"
#include "file/sources_write.h"

/* What a node has in the footer so far. */
struct stoa_footer_node {
    bool below_list;
    uint16_t stride;       /* of its zone maps */
    struct stoa_zone file; /* zone map of all rows */
};

/* What a section of the footer says of one chunk; without bytes: nothing. */
struct stoa_chunk_note {
    uint32_t count; /* of codes, or of distinct values */
    struct stoa_buffer bytes;
};

/* The notes of a section so far. */
struct stoa_footer_notes {
    uint64_t count;
    uint64_t nbytes; /* with their entries */
};

/* One thread at a time. */
struct stoa_footer_writer {
    const struct stoa_schema *schema; /* borrowed, as are the rules */
    const struct stoa_rules *rules;
    struct stoa_footer_node *nodes;
    uint32_t nnodes;
    struct stoa_footer_data data; /* chunk entries and zone maps; source text as node nnodes */
    struct stoa_buffer groups;    /* the row-group table */
    struct stoa_dictdir_entry *segments;
    size_t nsegments, segments_capacity;
    struct stoa_footer_notes notes[STOA_NNOTES];
    const struct stoa_sort_order *order; /* of the rows, borrowed; NULL: none is known */
    struct stoa_sources_writer sources;
    uint64_t sources_nbytes; /* of blocks */
    uint32_t nsides;
    uint64_t nrows;
    uint64_t nzones;
    uint32_t ngroups;
};

/*
 * An empty footer. About 40 bytes a chunk and zone are collected; above max_nbytes of memory they
 * go to a temporary file.
 */
STOA_CHECK enum stoa_status stoa_footer_writer_init(struct stoa_footer_writer *footer,
                                                    const struct stoa_schema *schema,
                                                    const struct stoa_rules *rules,
                                                    struct stoa_error *err);
void stoa_footer_writer_reset(struct stoa_footer_writer *footer);

/*
 * A chunk of the row group that comes next, whose object stands at `object_off`: its entry, and its
 * zone maps: `zones` in stored form, `all` of the whole chunk. Once for each node, then _group().
 */
STOA_CHECK enum stoa_status
stoa_footer_add_chunk(struct stoa_footer_writer *footer, uint32_t node, uint64_t object_off,
                      const struct stoa_rg_entry *entry, uint32_t dict_index,
                      const struct stoa_buffer *zones, const struct stoa_zone *all,
                      struct stoa_error *err);

/* What is said of a chunk of the row group that comes next: one note of each kind, or none. */
STOA_CHECK enum stoa_status stoa_footer_add_notes(struct stoa_footer_writer *footer, uint32_t node,
                                                  const struct stoa_chunk_note notes[STOA_NNOTES],
                                                  struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_footer_add_group(struct stoa_footer_writer *footer,
                                                  uint64_t object_off, uint64_t header_hash,
                                                  uint32_t nrows, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_footer_add_segment(struct stoa_footer_writer *footer,
                                                    const struct stoa_dictdir_entry *segment,
                                                    struct stoa_error *err);

/* The side table of the row group that was added last. */
STOA_CHECK enum stoa_status stoa_footer_add_side(struct stoa_footer_writer *footer,
                                                 uint64_t object_off, uint64_t header_hash,
                                                 struct stoa_error *err);

/*
 * A source, copied; sources come in the order of their rows. The errors are those of
 * stoa_sources_add(), and STOA_ERR_IO: the temporary file.
 */
STOA_CHECK enum stoa_status stoa_footer_add_source(struct stoa_footer_writer *footer,
                                                   const struct stoa_source_info *info,
                                                   struct stoa_error *err);

/* Memory that it takes, about. */
uint64_t stoa_footer_writer_memory(const struct stoa_footer_writer *footer);

/*
 * Writes the whole FOOT object, which begins at offset `footer_off` of the file, through `put`,
 * in order. STOA_ERR_NOMEM, STOA_ERR_IO (the temporary file), STOA_ERR_LIMIT (more chunks than a
 * section can count), STOA_ERR_USAGE (a source of more rows than there are), and those of `put`.
 */
STOA_CHECK enum stoa_status
stoa_footer_write(struct stoa_footer_writer *footer, const struct stoa_schema_bytes *schema,
                  uint64_t footer_off,
                  enum stoa_status (*put)(void *context, const void *bytes, size_t nbytes,
                                          struct stoa_error *err),
                  void *context, struct stoa_error *err);

/* A `put` that appends to a struct stoa_buffer. */
STOA_CHECK enum stoa_status stoa_footer_append(void *buffer, const void *bytes, size_t nbytes,
                                               struct stoa_error *err);

#endif
