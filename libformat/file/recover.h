/*
 * The parts of stoa_recover(): what they share.
 *
 *     recover_scan.c       the objects of the file
 *     recover_footers.c    footers that are whole, and what only they know; schemas
 *     recover_segments.c   dictionary segments that are whole
 *     recover_group.c      one row group: which of its columns are whole, their zone maps
 *     recover_repair.c     columns of which a part is lost, with nulls
 *     recover_text.c       side tables and sources
 *     recover.c            all of it, in order, into a new file
 */
#ifndef STOA_FILE_RECOVER_H
#define STOA_FILE_RECOVER_H

#include <stoa/recover.h>

#include "file/assemble.h"
#include "file/encoder_pool.h"
#include "file/reader.h"
#include "file/recover_scan.h"

/* A source that shows another one moved: byte o is its byte o + shift, zero where it has none. */
struct stoa_moved_source {
    struct stoa_source base;
    struct stoa_source *from;
    int64_t shift;
};

/* The footer of a whole file that ends at byte `end`; one is open at a time. */
struct stoa_recover_view {
    struct stoa_moved_source source;
    struct stoa_reader *reader; /* NULL: none */
    uint64_t end;
};

/* Where a segment stands in the table. */
struct stoa_recover_segment_id {
    uint64_t id;
    uint32_t index; /* STOA_NONE32: it is whole nowhere */
};

/* Dictionary segments that are whole, each behind the one it extends. */
struct stoa_recover_segments {
    struct stoa_dictionary_table table; /* entries only; places in the damaged file */
    uint32_t *widths;
    struct stoa_recover_segment_id *ids; /* rising */
    uint32_t nids;
};

/*
 * Reads chunks without a footer of the file: it has one of our making, with the schema, all whole
 * segments, and one row group that is set anew again and again.
 *
 *     64 zeros | the damaged file | zeros | FOOT
 *
 * The zeros in front are there because an object may stand at byte 0 of a file that lost its
 * beginning, where a reader takes none.
 */
struct stoa_recover_reader {
    struct stoa_source base;
    struct stoa_moved_source file;
    struct stoa_buffer footer;
    uint64_t footer_off;
    struct stoa_reader *reader;
    struct stoa_row_group_entry *groups; /* that it came with, and frees */
    struct stoa_row_group_entry group;
};

/* What is known of a chunk of the row group that is looked at. */
struct stoa_recover_chunk {
    struct stoa_rg_entry entry; /* as its directory or a footer tells it; offset in the file */
    uint32_t dict_index;        /* SHARED_DICT: of the segment, else STOA_NONE32 */
    bool is_lost;               /* all of it, or a part */
    bool is_set;                /* the reader has it */
    struct stoa_error why;
    struct stoa_buffer zones;
    struct stoa_zone all;
};

/* Rows of a column that can be read where not all can. */
struct stoa_recover_piece {
    struct stoa_range rows;
    struct stoa_array array;
};

/* A column of which something is lost. `{0}` is empty; stoa_recover_repair_reset() frees. */
struct stoa_recover_repair {
    struct stoa_recover_piece *pieces; /* in order */
    size_t npieces, capacity;
    struct stoa_writer_group *made; /* the column with nulls between the pieces, encoded */
};

struct stoa_recover {
    struct stoa_source *source;
    const struct stoa_recover_options *options;
    struct stoa_recover_result *result;
    uint64_t memory_nbytes;
    struct stoa_found_list found;
    struct stoa_recover_view view;
    struct stoa_recover_segments segments;

    struct stoa_schema schema; /* of the damaged file */
    struct stoa_schema_node *nodes;
    uint64_t schema_id;
    uint32_t nnodes;

    struct stoa_recover_reader reader;
    struct stoa_recover_chunk *chunks; /* one a node, of the row group that is looked at */
    uint32_t nlost;                    /* columns of which something is lost */
    struct stoa_encoder_pool encoders; /* of what is repaired */
};

/* Whether a status says something of the file and not of the system. */
static inline bool stoa_recover_is_damage(enum stoa_status st)
{
    return st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED || st == STOA_ERR_LIMIT;
}

/* ---- recover_footers.c ---- */

/*
 * Opens the footers that are whole and adds to rec->found the row groups, segments and footers
 * whose headers are not; sets the schema. STOA_ERR_CORRUPT: there is none.
 */
STOA_CHECK enum stoa_status stoa_recover_footers(struct stoa_recover *rec, struct stoa_error *err);

/* The footer of the file that ends at `end`, NULL when it is damaged; lent until the next call. */
STOA_CHECK enum stoa_status stoa_recover_view_open(struct stoa_recover *rec, uint64_t end,
                                                   struct stoa_reader **out,
                                                   struct stoa_error *err);
void stoa_recover_view_close(struct stoa_recover *rec);

/* Makes *out a source that shows `nbytes` bytes of `from` moved by `shift`. */
void stoa_moved_source_init(struct stoa_moved_source *out, struct stoa_source *from, int64_t shift,
                            uint64_t nbytes);

/* ---- recover_segments.c ---- */

STOA_CHECK enum stoa_status stoa_recover_segments_init(struct stoa_recover *rec,
                                                       struct stoa_error *err);
void stoa_recover_segments_reset(struct stoa_recover_segments *segments);

/* The number of the segment of that id, or STOA_NONE32. */
uint32_t stoa_recover_segments_find(const struct stoa_recover_segments *segments, uint64_t id);

/* From now on it is not found. */
void stoa_recover_segments_drop(struct stoa_recover_segments *segments, uint64_t id);

/* ---- recover_group.c ---- */

/* What stands at `offset` of the file stands at offset + STOA_RECOVER_SHIFT of rec->reader. */
enum { STOA_RECOVER_SHIFT = STOA_OBJECT_NBYTES };

/* Once segments are known. */
STOA_CHECK enum stoa_status stoa_recover_reader_init(struct stoa_recover *rec,
                                                     struct stoa_error *err);
void stoa_recover_reader_reset(struct stoa_recover_reader *reader);

/*
 * Finds out which chunks of a row group are whole, with their zone maps, and sets rec->chunks and
 * rec->nlost. STOA_ERR_CORRUPT: nothing is known of its chunks, or it has another schema.
 */
STOA_CHECK enum stoa_status
stoa_recover_group(struct stoa_recover *rec, const struct stoa_found *item, struct stoa_error *err);

/* Rows of a column of the row group that is looked at. STOA_ERR_CORRUPT, ..: some can't be read. */
STOA_CHECK enum stoa_status stoa_recover_read(struct stoa_recover *rec, uint32_t node,
                                              struct stoa_range rows, struct stoa_array *out,
                                              struct stoa_error *err);

/* ---- recover_repair.c ---- */

/* Reads what can be read of the column whose first node is `node`, and which is lost as a whole. */
STOA_CHECK enum stoa_status stoa_recover_pieces(struct stoa_recover *rec, uint32_t node,
                                                struct stoa_recover_repair *repair,
                                                struct stoa_error *err);

/*
 * Encodes the column anew, with null for the rows of no piece, into repair->made. `field` is the
 * nullable field of the output.
 */
STOA_CHECK enum stoa_status stoa_recover_repair(struct stoa_recover *rec,
                                                const struct stoa_field *field,
                                                struct stoa_recover_repair *repair,
                                                struct stoa_error *err);

/* Back to `{0}`. */
void stoa_recover_repair_reset(struct stoa_recover_repair *repair);

/* ---- recover_text.c ---- */

/* A row group that was written. */
struct stoa_recover_range {
    uint64_t begin; /* in its stream */
    uint64_t nrows;
    uint64_t out;  /* the first of its rows in the output */
    bool is_whole; /* nothing of it became null */
    bool has_side; /* its side table is there too */
};

/*
 * Writes the side table of the row group `item` of rec->found, which was written last, when it has
 * one that is whole.
 */
STOA_CHECK enum stoa_status stoa_recover_side(struct stoa_recover *rec,
                                              const struct stoa_found *item,
                                              struct stoa_assembler *assembler, bool *copied,
                                              struct stoa_error *err);

/*
 * Adds the sources of the stream whose footer ends at `footer_end`, if that is whole, with the rows
 * that are left of them in `ranges`, which rise. Those that lost something are not complete.
 */
STOA_CHECK enum stoa_status stoa_recover_sources(struct stoa_recover *rec, uint64_t footer_end,
                                                 const struct stoa_recover_range *ranges,
                                                 size_t nranges, struct stoa_assembler *assembler,
                                                 struct stoa_error *err);

#endif
