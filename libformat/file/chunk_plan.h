/*
 * How the chunks of a column are to be stored: chosen on some row groups, used by those after them.
 */
#ifndef STOA_FILE_CHUNK_PLAN_H
#define STOA_FILE_CHUNK_PLAN_H

#include "codec/chooser.h"
#include "file/bases.h"
#include "file/chunk_values.h"
#include "file/rules.h"

enum stoa_chunk_mode {
    STOA_CHUNK_UNPLANNED, /* nothing was there to choose from: whoever comes chooses for himself */
    STOA_CHUNK_PLAIN,     /* no dictionary */
    STOA_CHUNK_LOCAL,     /* a dictionary of the chunk */
    STOA_CHUNK_SHARED,    /* a dictionary of many chunks */
    STOA_CHUNK_FROM_OTHERS, /* derived from other columns */
};

/* What a column is derived from: `nodes` of the row group, STOA_BASE_NONE for no second one. */
struct stoa_chunk_relation {
    bool looks_up; /* LOOKUP, else LINEAR by these */
    uint64_t multipliers[STOA_NBASES];
    uint32_t nodes[STOA_NBASES];
};

/* Estimates are for nvalues values. */
struct stoa_chunk_plan {
    enum stoa_chunk_mode mode;
    enum stoa_phys phys; /* of the chunk: decimals are stored as I64 here and as I128 there */
    bool local_pays;     /* SHARED: whether LOCAL would be smaller than PLAIN too */
    uint32_t nvalues;
    struct stoa_choice plain;
    struct stoa_choice codes;            /* unless PLAIN */
    uint64_t entries_nbytes;             /* unless PLAIN: what its dictionary takes, estimated, */
    uint32_t nentries;                   /* how many values it has, */
    struct stoa_plan entries;            /* and how they are stored, if they are no texts */
    struct stoa_chunk_relation relation; /* FROM_OTHERS, */
    struct stoa_choice derived;          /* and how, */
    enum stoa_chunk_mode otherwise;      /* and the mode of chunks that this does not fit */
};

/*
 * Chooses for the chunk `values` (all_null: UNPLANNED). `distinct` are its distinct values, if they
 * were collected; SHARED comes into question with `can_share` alone.
 * A function of the values, whether they were collected, and the rules.
 * Cost: the chooser once, three times with distinct values.
 */
STOA_CHECK enum stoa_status stoa_chunk_plan_choose(struct stoa_encoder *encoder,
                                                   const struct stoa_rules *rules,
                                                   const struct stoa_chunk_values *values,
                                                   const struct stoa_chunk_distinct *distinct,
                                                   bool can_share, struct stoa_chunk_plan *out,
                                                   struct stoa_error *err);

/*
 * Whether distinct values of these numbers are worth collecting: false when a sample of them has
 * few that come twice.
 */
STOA_CHECK enum stoa_status stoa_chunk_plan_may_repeat(const struct stoa_chunk_values *values,
                                                       bool *out, struct stoa_error *err);

/* Makes a plan of mode PLAIN or LOCAL one of FROM_OTHERS. */
void stoa_chunk_plan_derive(struct stoa_chunk_plan *plan,
                            const struct stoa_chunk_relation *relation,
                            const struct stoa_choice *derived);

/* An estimate for nvalues of the values that `choice` of a plan was made for. */
uint64_t stoa_chunk_plan_scale(const struct stoa_chunk_plan *plan, uint64_t nbytes,
                               uint64_t nvalues);

#endif
