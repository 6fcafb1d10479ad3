/*
 * The footer of an open file: what it says is checked once and then trusted.
 *
 * Opening reads the trailer, the section table and the row-group table, and where columns are
 * nested the records of all nodes. The rest is read, verified and checked at first use and then
 * kept: slices of sections, and for each node what the column directory says of it, its chunk
 * entries and its statistics. A column of a wide file costs no look at the others.
 *
 * Threads: any function may be called by any number of threads on one footer. There are no locks:
 * what is loaded is published by one compare-and-swap of a pointer, and who comes second frees its
 * own copy and takes the other.
 */
#ifndef STOA_FILE_FOOTER_H
#define STOA_FILE_FOOTER_H

#include <stdatomic.h>

#include <stoa/io.h>
#include <stoa/schema.h>
#include <stoa/stats.h>

#include "file/schema_tree.h"

/* A pointer that is set once, by whichever thread is first. */
struct stoa_once {
    _Atomic(void *) pointer;
};

/* NULL before it is set. */
static inline void *stoa_once_get(const struct stoa_once *once)
{
    return atomic_load_explicit(&once->pointer, memory_order_acquire);
}

/*
 * Sets *once to `mine` unless it is set already. Returns the one that counts; when that is not
 * `mine`, the caller frees its own.
 */
static inline void *stoa_once_publish(struct stoa_once *once, void *mine)
{
    void *first = NULL;

    return atomic_compare_exchange_strong(&once->pointer, &first, mine) ? mine : first;
}

/* What one request may still allocate. */
struct stoa_budget {
    uint64_t total;
    uint64_t left;
};

/* STOA_ERR_LIMIT when nbytes more are too many. */
STOA_CHECK enum stoa_status stoa_budget_take(struct stoa_budget *budget, uint64_t nbytes,
                                             struct stoa_error *err);

/* What the column directory says of a node, and what hangs on it. */
struct stoa_column {
    struct stoa_column_entry entry;
    struct stoa_tree_node place;
    struct stoa_field field; /* without its children */
    enum stoa_phys phys;
    uint32_t width;          /* of a stored value; 0 for BYTES and NONE */
    struct stoa_once chunks; /* struct stoa_chunk *, checked, one a row group */
    struct stoa_once stats;  /* uint8_t *, stoa_zone_nentries() entries */
    bool has_nvalues;        /* set by stoa_footer_set_chunk(), not told by statistics: */
    uint32_t nvalues;
};

struct stoa_footer_section {
    struct stoa_section entry;
    uint64_t content_off;
    uint64_t content_nbytes;   /* without the list of hashes */
    uint32_t nslices;          /* 0 for BY_COLUMN */
    struct stoa_once hashes;   /* uint8_t *, SLICED: the list of hashes */
    struct stoa_once *slices;  /* uint8_t *, verified */
    struct stoa_once whole;    /* uint8_t *, all of the content; verified, but not BY_COLUMN */
    struct stoa_once notes;    /* struct stoa_notes *, of a section of notes, checked */
    atomic_bool has_bad_notes; /* they were found to be damaged, and are not read again */
};

struct stoa_footer {
    struct stoa_source *source; /* borrowed */
    uint64_t memory_nbytes;
    struct stoa_trailer trailer;
    uint8_t *tail; /* the last bytes of the file, which were read first */
    uint64_t tail_off;
    uint8_t *packed;                      /* of a packed footer: what its frame holds */
    struct stoa_footer_section *sections; /* as many as the trailer says, in the table's order */
    struct stoa_footer_section *by_type[STOA_SECTION_NTYPES]; /* NULL: left out */
    struct stoa_row_group_entry *groups;
    uint32_t ngroups;
    uint64_t nzones;
    struct stoa_tree tree; /* {0} without nested columns: node number i is column i */
    uint32_t ncolumns;
    struct stoa_once *columns;            /* struct stoa_column *, as many as there are nodes */
    atomic_uint_least64_t columns_nbytes; /* of the names and parameters of those */
};

/*
 * Opens the footer of `source`; `footer` is {0} before. On failure nothing is owned.
 * The errors are those of stoa_reader_open().
 */
STOA_CHECK enum stoa_status stoa_footer_open(struct stoa_footer *footer, struct stoa_source *source,
                                             uint64_t memory_nbytes, struct stoa_error *err);
void stoa_footer_reset(struct stoa_footer *footer);

/* The first step of opening: the tail, the trailer, what a packed footer holds. trailer_read.c */
STOA_CHECK enum stoa_status stoa_footer_open_trailer(struct stoa_footer *footer,
                                                     struct stoa_error *err);

/*
 * Bytes of the file, from memory where they lie in the tail; those of a packed footer as if it were
 * not packed. A range past the end is corrupt.
 */
STOA_CHECK enum stoa_status stoa_footer_read(const struct stoa_footer *footer, uint64_t offset,
                                             void *out, uint64_t nbytes, struct stoa_error *err);

/*
 * What was read last of a file, and behind it: {0} at first. A chunk's head, its dictionary and its
 * pages stand behind each other, as those of a segment do.
 */
struct stoa_near {
    uint64_t offset;
    size_t nbytes;
    uint8_t bytes[4096];
};

/*
 * stoa_footer_read(), where more is likely to be read a little behind it: a short read takes a
 * block of the file, out of which the next ones come. `near` belongs to one thread and one file;
 * NULL reads what is asked for alone.
 */
STOA_CHECK enum stoa_status stoa_footer_read_near(const struct stoa_footer *footer,
                                                  struct stoa_near *near, uint64_t offset,
                                                  void *out, uint64_t nbytes,
                                                  struct stoa_error *err);

/* Verified bytes [offset, offset + nbytes) of the content of a section that is not BY_COLUMN. */
STOA_CHECK enum stoa_status stoa_footer_section_read(struct stoa_footer *footer,
                                                     enum stoa_section_type type, uint64_t offset,
                                                     void *out, uint64_t nbytes,
                                                     struct stoa_error *err);

/*
 * The same for sections that are larger than what should stay in memory: nothing is kept but one
 * slice, in the cursor. Reading on, or within 64 KiB, reads the file once. `{0}` to begin.
 */
struct stoa_section_cursor {
    uint8_t *bytes; /* of the slice */
    uint32_t slice;
    bool is_loaded;
};
STOA_CHECK enum stoa_status stoa_footer_section_pass(struct stoa_footer *footer,
                                                     enum stoa_section_type type,
                                                     struct stoa_section_cursor *cursor,
                                                     uint64_t offset, void *out, uint64_t nbytes,
                                                     struct stoa_error *err);
void stoa_section_cursor_reset(struct stoa_section_cursor *cursor);

/*
 * The whole content of a section that is not BY_COLUMN, lent until reset; NULL and 0 when it was
 * left out. Only for sections that are used as a whole.
 */
STOA_CHECK enum stoa_status stoa_footer_section_whole(struct stoa_footer *footer,
                                                      enum stoa_section_type type,
                                                      const uint8_t **out, size_t *nbytes,
                                                      struct stoa_error *err);

/*
 * Verifies all bytes of section number `n` of the table, known or not; it is not BY_COLUMN. Of a
 * SLICED one nothing is kept.
 */
STOA_CHECK enum stoa_status stoa_footer_section_verify(struct stoa_footer *footer, uint32_t n,
                                                       struct stoa_error *err);

/* Sets *once to nbytes bytes at `offset`, verified by `hash`, unless it is set already. */
STOA_CHECK enum stoa_status stoa_footer_load(const struct stoa_footer *footer,
                                             struct stoa_once *once, uint64_t offset,
                                             uint64_t nbytes, uint64_t hash,
                                             struct stoa_error *err);

/* Elements of a section; 0 when it was left out. */
uint64_t stoa_footer_section_count(const struct stoa_footer *footer, enum stoa_section_type type);

/* The end of the object of a row group at the latest: where the next one or the footer starts. */
uint64_t stoa_footer_group_end(const struct stoa_footer *footer, uint32_t group);

/* ---- column_read.c ---- */

/* The node records of all nodes; free with stoa_free(). */
STOA_CHECK enum stoa_status stoa_footer_nodes(struct stoa_footer *footer, struct stoa_node **out,
                                              struct stoa_error *err);

/* The node of a column, and how many nodes it has with all that is below it. */
uint32_t stoa_footer_column_node(const struct stoa_footer *footer, uint32_t column);
uint32_t stoa_footer_subtree(const struct stoa_footer *footer, uint32_t node);

/*
 * What the directory says of node `node` < nnodes; lent until reset. STOA_ERR_UNSUPPORTED when its
 * type is none that this version can read.
 */
STOA_CHECK enum stoa_status stoa_footer_column(struct stoa_footer *footer, uint32_t node,
                                               struct stoa_column **out, struct stoa_error *err);

/* The chunk entries of a node, one a row group; lent until reset. */
STOA_CHECK enum stoa_status stoa_footer_chunks(struct stoa_footer *footer, uint32_t node,
                                               const struct stoa_chunk **out,
                                               struct stoa_error *err);

/*
 * Sets the only chunk entry of a node of a footer that has one row group, and how many values it
 * has, and checks them; parents are set first. Not beside other threads.
 */
STOA_CHECK enum stoa_status stoa_footer_set_chunk(struct stoa_footer *footer, uint32_t node,
                                                  const struct stoa_chunk *chunk, uint32_t nvalues,
                                                  struct stoa_error *err);

/* The bytes of a node's statistics, stoa_zone_nentries() entries; lent until reset. */
STOA_CHECK enum stoa_status stoa_footer_stats(struct stoa_footer *footer, uint32_t node,
                                              const uint8_t **out, struct stoa_error *err);

/*
 * How many values the chunk of a node in a row group has: the rows, or what the statistics say of a
 * node below a list, map or fixed_list. At most STOA_CHUNK_MAX_NVALUES.
 */
STOA_CHECK enum stoa_status stoa_footer_nvalues(struct stoa_footer *footer, uint32_t node,
                                                uint32_t group, uint32_t *nvalues,
                                                struct stoa_error *err);

/* The column of that name, or UINT32_MAX. */
STOA_CHECK enum stoa_status stoa_footer_find(struct stoa_footer *footer, const char *name,
                                             uint32_t *column, struct stoa_error *err);

/*
 * Puts "column NAME: " in front of the message, NAME with the names of its ancestors; a number
 * where the name is not known.
 */
enum stoa_status stoa_footer_wrap(const struct stoa_footer *footer, uint32_t node,
                                  enum stoa_status st, struct stoa_error *err);

void stoa_column_free(struct stoa_column *column);

#endif
