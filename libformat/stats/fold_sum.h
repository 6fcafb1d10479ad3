/*
 * Sums of whole arrays. Null slots hold zeros and add nothing, so nulls need no look.
 */
#ifndef STOA_STATS_FOLD_SUM_H
#define STOA_STATS_FOLD_SUM_H

#include <stoa/array.h>

#include "base/float_sum.h"
#include "base/wide_int.h"

/* Exactly one of them, or none, is there for a type. */
typedef void stoa_sum_ints(const void *values, size_t nvalues, struct stoa_wide_int *sum);
typedef void stoa_sum_floats(const void *values, size_t nvalues, struct stoa_float_sum *sum);

/* NULL: the type has no such sum. nvalues < 2^31. */
stoa_sum_ints *stoa_sum_ints_of(const struct stoa_type *type);
stoa_sum_floats *stoa_sum_floats_of(const struct stoa_type *type);

#endif
