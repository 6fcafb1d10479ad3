/*
 * The parts of stoa_verify(): what they share.
 */
#ifndef STOA_FILE_VERIFY_H
#define STOA_FILE_VERIFY_H

#include "column/schema.h"
#include "file/chunk_pages.h"
#include "file/reader.h"
#include "file/side_read.h"
#include "file/walker.h"

/* Where the footer says that a segment or its copy stands. */
struct stoa_verify_place {
    uint64_t offset;
    uint32_t index;
    bool is_copy;
};

struct stoa_verify {
    struct stoa_source *source;
    const struct stoa_verify_options *options;
    struct stoa_verify_result *result;
    struct stoa_reader *reader; /* NULL: the footer is damaged, objects are checked by themselves */
    struct stoa_footer objects; /* only its source: what reads chunks without a footer */
    struct stoa_buffer bytes;   /* of the structure that is looked at */
    uint32_t ngroups;           /* row groups met so far */
    struct stoa_object group;   /* the header of the last one; kind 0: none */
    uint64_t nsides;            /* side tables met so far */
    uint64_t schema_id;         /* of the last schema object; 0: none yet */
    struct stoa_schema schema;  /* without a footer: of the last schema object */
    struct stoa_schema_node *nodes; /* of the schema; NULL: it is damaged or not known yet */
    uint32_t nnodes;
    bool has_footer;
    struct stoa_verify_place *places; /* of all segments, rising; set at first use */
    size_t nplaces;

    struct stoa_zone *zones; /* deep: of each node's values so far */
    bool *unknown;           /* deep: some values of the node could not be read */
};

/* Whether a status says something of the file and not of the system. */
static inline bool stoa_verify_is_finding(enum stoa_status st)
{
    return st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED || st == STOA_ERR_LIMIT;
}

/*
 * A failed check becomes a finding: damage and what is not supported are reported and STOA_OK is
 * returned; everything else (the system, memory) comes back and ends the run.
 */
STOA_CHECK enum stoa_status stoa_verify_report(struct stoa_verify *verify, enum stoa_status st,
                                               struct stoa_error *err);

/* Reads nbytes at `offset` into verify->bytes. */
STOA_CHECK enum stoa_status stoa_verify_read(struct stoa_verify *verify, uint64_t offset,
                                             uint64_t nbytes, struct stoa_error *err);

/* STOA_ERR_CORRUPT unless the bytes [begin, end) of the file are zero. */
STOA_CHECK enum stoa_status stoa_verify_zeros(struct stoa_verify *verify, uint64_t begin,
                                              uint64_t end, struct stoa_error *err);

/*
 * What the footer says of a node, and the directory of dictionaries; *out is NULL where that is
 * damaged, which is a finding of its own elsewhere, or where there is no footer.
 */
STOA_CHECK enum stoa_status stoa_verify_column(struct stoa_verify *verify, uint32_t node,
                                               struct stoa_column **out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_verify_dictionaries(struct stoa_verify *verify,
                                                     const struct stoa_dictionary_table **out,
                                                     struct stoa_error *err);

/*
 * The first place of a segment at or behind `offset`, NULL when there is none or the directory of
 * dictionaries is damaged.
 */
STOA_CHECK enum stoa_status stoa_verify_next_place(struct stoa_verify *verify, uint64_t offset,
                                                   const struct stoa_verify_place **out,
                                                   struct stoa_error *err);

/* Puts "row group R: column NAME: " in front of the message; group UINT32_MAX: of the file. */
enum stoa_status stoa_verify_wrap(struct stoa_verify *verify, uint32_t group, uint32_t node,
                                  enum stoa_status st, struct stoa_error *err);

/* An object of that kind at `offset`: verify_objects.c. Each reports what it finds itself. */
STOA_CHECK enum stoa_status stoa_verify_schema(struct stoa_verify *verify,
                                               const struct stoa_object *object, uint64_t offset,
                                               struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_verify_dictionary(struct stoa_verify *verify,
                                                   const struct stoa_object *object,
                                                   uint64_t offset, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_verify_row_group(struct stoa_verify *verify,
                                                  const struct stoa_object *object, uint64_t offset,
                                                  struct stoa_error *err);

/* The same of a side table, and of the sources: verify_text.c. */
STOA_CHECK enum stoa_status stoa_verify_side(struct stoa_verify *verify,
                                             const struct stoa_object *object, uint64_t offset,
                                             struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_verify_text(struct stoa_verify *verify, struct stoa_error *err);

/* The directory of side tables; *out is NULL where it is damaged or there is no footer. */
STOA_CHECK enum stoa_status stoa_verify_sides(struct stoa_verify *verify,
                                              const struct stoa_sidedir_entry **out,
                                              struct stoa_error *err);

/*
 * Every stored page of a chunk against its hash; each that differs is a finding and clears *good.
 * `side`: the chunk is that of an entry of a side table, of which `node` is the column's. In
 * verify_objects.c.
 */
STOA_CHECK enum stoa_status stoa_verify_pages(struct stoa_verify *verify,
                                              const struct stoa_chunk *chunk,
                                              const struct stoa_chunk_shape *shape, uint32_t group,
                                              uint32_t node, const struct stoa_side_entry *side,
                                              bool *good, struct stoa_error *err);

/* Puts "row group R: side table: column NAME: form: " in front of the message. */
enum stoa_status stoa_verify_wrap_side(struct stoa_verify *verify, uint32_t group, uint32_t node,
                                       const struct stoa_side_entry *side, enum stoa_status st,
                                       struct stoa_error *err);

/*
 * Deep, of a column whose first node is `node` and whose chunks are without a finding: the values
 * of all its nodes against their zone maps. verify_values.c
 */
STOA_CHECK enum stoa_status stoa_verify_column_values(struct stoa_verify *verify, uint32_t group,
                                                      uint32_t node, struct stoa_error *err);

/* Deep: the values of a node and of all below it are not known. */
void stoa_verify_forget(struct stoa_verify *verify, uint32_t node);

/* Deep, once all row groups were read: the zone maps of whole columns. */
STOA_CHECK enum stoa_status stoa_verify_file_zones(struct stoa_verify *verify,
                                                   struct stoa_error *err);

/* The order that the footer claims; deep: against the rows. verify_order.c */
STOA_CHECK enum stoa_status stoa_verify_order(struct stoa_verify *verify, struct stoa_error *err);

/* The notes that the footer has of chunks; deep: against their values. verify_notes.c */
STOA_CHECK enum stoa_status stoa_verify_notes(struct stoa_verify *verify, struct stoa_error *err);

/*
 * Deep: the values of segment `index`, whose object or copy is at `offset`, against its id and
 * their order. `width` is that of its head.
 */
STOA_CHECK enum stoa_status stoa_verify_segment_values(struct stoa_verify *verify, uint32_t index,
                                                       uint64_t offset, uint32_t width,
                                                       struct stoa_error *err);

#endif
