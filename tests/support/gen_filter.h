/*
 * Random predicates about random tables (support/gen_table.h): literals are values of the table,
 * their neighbours, and values that the type cannot hold.
 */
#ifndef STOA_TESTS_SUPPORT_GEN_FILTER_H
#define STOA_TESTS_SUPPORT_GEN_FILTER_H

#include <stoa/array.h>
#include <stoa/filter.h>

#include "support/random.h"

/*
 * A predicate that binds to the schema of the batch, with up to `depth` operators above a term.
 * Free with stoa_filter_free().
 */
struct stoa_filter *stoa_test_gen_filter(struct stoa_test_random *r, const struct stoa_batch *batch,
                                         unsigned depth);

#endif
