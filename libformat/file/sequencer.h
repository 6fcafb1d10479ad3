/*
 * Which codes the values of shared dictionaries get: the one step of writing that depends on the
 * row groups before.
 *
 * Each text column has at most one chain of segments at a time, an *epoch*. A row group brings its
 * distinct values; those that the chain has get its codes, and for the *misses* there are these
 * ways:
 *
 *     none                       the chunk uses the chain
 *     cheap                      they become a dictionary page of the chunk that extends the chain
 *     many, or the chain is full a new epoch starts with the values of this row group
 *     else                       they become the next segment of the chain
 *
 * "Cheap" is less than 1 % of the chunk, or less than the object that would hold them. "Many" is
 * more than half of the distinct values. An epoch whose row groups found fewer bytes in it than
 * they put into it was without gain; after two of these in a row the column leaves shared
 * dictionaries until the next chooser group, and each chunk has its own dictionary or none.
 *
 * The sequencer also hands plans on: what a chooser group (ordinal % 16 == 0) found in
 * stoa_writer_prepare() is published here and is what the next 15 row groups get.
 *
 * Threads: all functions are called by one thread at a time, in the order of the row groups, while
 * other threads prepare later groups and encode earlier ones. Nothing here is shared with them: a
 * row group leaves with its own copy of the plan, of the codes of its distinct values and of the
 * values of a new segment. So the hash tables of the chains need no lock, though they grow.
 *
 * What is remembered is a function of the distinct values of the row groups in their order, so it
 * can be rebuilt from a file that was cut short, by doing it all again with the row groups that are
 * in it. Less will do: plans follow from the values of the last chooser group; chains are the
 * segments since the last one without a previous segment; whether a column left, and its gain,
 * follow from the row groups since the start of the epoch before. The fillers of null slots, the
 * only bytes that a reader does not give back, follow from the values.
 */
#ifndef STOA_FILE_SEQUENCER_H
#define STOA_FILE_SEQUENCER_H

#include "file/chunk_plan.h"
#include "file/dictionary_write.h"

struct stoa_sequencer;

/* For ncolumns columns of a file in which `ntexts` share the room for dictionaries. */
STOA_CHECK enum stoa_status stoa_sequencer_new(struct stoa_sequencer **out,
                                               const struct stoa_rules *rules, uint32_t ncolumns,
                                               uint32_t ntexts, struct stoa_error *err);
void stoa_sequencer_free(struct stoa_sequencer *sequencer);

/* The bounds within which distinct values of a text column of nrows rows are worth collecting. */
void stoa_sequencer_bounds(const struct stoa_rules *rules, uint32_t ntexts, uint64_t nrows,
                           uint32_t *max_count, uint64_t *max_nbytes);

/* How a column of one row group is stored. `{0}` is empty; stoa_sequenced_reset() frees. */
struct stoa_sequenced {
    enum stoa_chunk_mode mode;
    struct stoa_chunk_plan plan;

    /* SHARED: the code of each of the distinct values, the chain, and the values behind it. */
    uint32_t *codes;
    uint64_t dict_id;
    uint32_t dict_index;
    struct stoa_values extension;
    uint32_t ncodes; /* of chain and extension */

    bool has_segment; /* a new segment, to be written before the row group */
    struct stoa_segment segment;
};

/*
 * Settles one column of the next row group; columns in their order.
 *
 * distinct  the values as collected; set NULL: too many, or none.
 * chosen    of a chooser group the plan that was chosen for it, else NULL.
 * nvalues   rows of the group.
 * Errors: STOA_ERR_NOMEM, after which the sequencer is not to be used.
 * Cost: one look-up a distinct value; sorts and copies new ones.
 */
STOA_CHECK enum stoa_status stoa_sequencer_settle(struct stoa_sequencer *sequencer, uint32_t column,
                                                  const struct stoa_chunk_distinct *distinct,
                                                  const struct stoa_chunk_plan *chosen,
                                                  uint64_t nvalues, struct stoa_sequenced *out,
                                                  struct stoa_error *err);
void stoa_sequenced_reset(struct stoa_sequenced *sequenced);

/* Memory that the chains take, about. */
uint64_t stoa_sequencer_memory(const struct stoa_sequencer *sequencer);

#endif
