/*
 * The values that pass a comparison, as ranges.
 */
#ifndef STOA_STATS_FILTER_RANGE_H
#define STOA_STATS_FILTER_RANGE_H

#include "stats/filter_tree.h"
#include "stats/matcher.h"

/*
 * Fills in the ranges of a leaf from a term that is COMPARE, BETWEEN, IN or LIKE: test, inverted
 * (for <>), kind, nranges, ranges or texts, slots, like. Bytes that ranges point to are kept by the
 * matcher. On failure the leaf owns what it holds.
 * STOA_ERR_USAGE: a value that is none of the field's type.
 */
STOA_CHECK enum stoa_status stoa_leaf_set_ranges(struct stoa_matcher *matcher,
                                                 struct stoa_leaf *leaf,
                                                 const struct stoa_field *field,
                                                 const struct stoa_filter *term,
                                                 struct stoa_error *err);

#endif
