/*
 * Columns that follow from others: finding them, and handing their bases to the encoder
 * (spec/encodings.md, section 2.15).
 *
 * On chooser groups every column of integers is held against every other one and every pair of
 * others, in a sample: is it a sum or difference of them, or do they determine it? What survives is
 * encoded as a trial, and what saves most is kept, such that no column is derived from one that is
 * derived itself. The row groups up to the next chooser group do the same without a look; a chunk
 * that comes out badly is written as if nothing had been found.
 *
 * How much is compared has a bound that counts values, so a table of thousands of columns compares
 * each with its neighbours. Everything is a function of the row group's values.
 */
#ifndef STOA_FILE_DERIVE_H
#define STOA_FILE_DERIVE_H

#include "file/row_group_write.h"

/*
 * Turns the plans of a prepared chooser group into FROM_OTHERS where that is smaller. `nodes` are
 * those of the group. STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_derive_choose(struct stoa_encoder_pool *encoders,
                                               const struct stoa_rules *rules,
                                               const struct stoa_schema_node *nodes,
                                               struct stoa_writer_group *group,
                                               struct stoa_error *err);

/* The bases of a chunk in the form of the encoder. `{0}` is empty. */
struct stoa_derived_from {
    struct stoa_derivation derivation;
    uint64_t *words[STOA_NBASES];
    uint32_t *keys;
};
STOA_CHECK enum stoa_status stoa_derived_from_init(struct stoa_derived_from *out,
                                                   const struct stoa_schema_node *nodes,
                                                   const struct stoa_writer_group *group,
                                                   const struct stoa_chunk_relation *relation,
                                                   struct stoa_error *err);
void stoa_derived_from_reset(struct stoa_derived_from *from);

/* stoa_bases_pack() of the numbers that the bases have in the file. */
uint32_t stoa_derive_pack(const struct stoa_writer_group *group,
                          const struct stoa_chunk_relation *relation);

/* Columns of more distinct values in a group of nrows rows are not looked up by their codes. */
static inline uint32_t stoa_derive_max_ncodes(uint32_t nrows)
{
    return nrows / 8;
}

/* ---- Between derive.c and derive_search.c ---- */

/* A relation that a sample speaks for; the less `rank`, the more. */
struct stoa_derive_candidate {
    uint32_t target; /* node of the group */
    uint32_t rank;
    struct stoa_chunk_relation relation;
};

struct stoa_derive_candidates {
    struct stoa_derive_candidate *items; /* by target, then by rank */
    size_t nitems, capacity;
};

/* Compares the columns of a group; a few candidates for each that may be derived. */
STOA_CHECK enum stoa_status stoa_derive_search(const struct stoa_rules *rules,
                                               const struct stoa_schema_node *nodes,
                                               const struct stoa_writer_group *group,
                                               struct stoa_derive_candidates *out,
                                               struct stoa_error *err);

#endif
