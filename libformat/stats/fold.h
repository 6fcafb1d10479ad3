/*
 * Folding values of one column into counts, bounds and sums, piece by piece.
 *
 * A fold takes arrays and, for what they prove, zone maps. Folds of the same column can be merged.
 * What comes out does not depend on the pieces or their order.
 */
#ifndef STOA_STATS_FOLD_H
#define STOA_STATS_FOLD_H

#include <stoa/aggregate.h>
#include <stoa/stats.h>

#include "base/alloc.h"
#include "base/wide_int.h"

/* The public parts, and one that an aggregator always asks for. */
enum { STOA_FOLD_COUNTS = 4, STOA_FOLD_ALL = 7 };

struct stoa_float_sum;

struct stoa_fold {
    const struct stoa_type *type; /* borrowed */
    unsigned parts;               /* what is asked for and possible for the type */
    uint64_t nvalues;             /* nulls among them */
    uint64_t nnulls;
    struct stoa_zone bounds; /* of numbers */
    bool has_texts;          /* least and greatest hold a value */
    struct stoa_buffer least;
    struct stoa_buffer greatest;
    uint64_t nsummed; /* values in the sum */
    struct stoa_wide_int sum;
    struct stoa_float_sum *float_sum; /* of float types, with sums */
};

/* Sets up an empty fold; on failure nothing is owned. */
STOA_CHECK enum stoa_status stoa_fold_init(struct stoa_fold *fold, const struct stoa_type *type,
                                           unsigned parts, struct stoa_error *err);
void stoa_fold_reset(struct stoa_fold *fold);

/* Adds an array to the parts that `parts` names. One pass for bounds, one for sums. */
STOA_CHECK enum stoa_status stoa_fold_add(struct stoa_fold *fold, const struct stoa_array *array,
                                          unsigned parts, struct stoa_error *err);

/* Which parts of a fold the zone map of some rows answers. */
unsigned stoa_fold_answers(const struct stoa_fold *fold, const struct stoa_zone *zone);

/* Adds the rows of a zone map to the parts that `parts` names, all of which it answers. */
STOA_CHECK enum stoa_status stoa_fold_add_zone(struct stoa_fold *fold, const struct stoa_zone *zone,
                                               unsigned parts, struct stoa_error *err);

STOA_CHECK enum stoa_status stoa_fold_merge(struct stoa_fold *fold, const struct stoa_fold *other,
                                            struct stoa_error *err);

/* What the fold knows; *out is overwritten on success. */
STOA_CHECK enum stoa_status stoa_fold_finish(const struct stoa_fold *fold,
                                             struct stoa_aggregate *out, struct stoa_error *err);

#endif
