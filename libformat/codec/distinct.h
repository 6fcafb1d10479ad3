/*
 * The distinct values of a column: a hash table from value to code.
 *
 * Codes are given in the order of first appearance. Used to collect the values of a row group for a
 * dictionary, and as the lookup of a shared one.
 */
#ifndef STOA_CODEC_DISTINCT_H
#define STOA_CODEC_DISTINCT_H

#include "base/alloc.h"
#include "codec/vector.h"

struct stoa_distinct;

/* For values of that type; an empty set. */
STOA_CHECK enum stoa_status stoa_distinct_new(struct stoa_distinct **out, enum stoa_phys phys,
                                              uint32_t width, struct stoa_error *err);
void stoa_distinct_free(struct stoa_distinct *set);

/* How many values are in the set, and their bytes (without lengths). */
uint32_t stoa_distinct_count(const struct stoa_distinct *set);
uint64_t stoa_distinct_nbytes(const struct stoa_distinct *set);

/* Memory that it takes, about. */
uint64_t stoa_distinct_memory(const struct stoa_distinct *set);

/* The values by code; lent until the next add. */
struct stoa_vector stoa_distinct_values(const struct stoa_distinct *set);

/*
 * Adds the values and writes the code of each to codes[0..nvalues). Stops early when the set would
 * get more than max_count values or max_nbytes bytes: *complete is then false and codes are
 * unusable, the set holds what came before.
 */
STOA_CHECK enum stoa_status stoa_distinct_add(struct stoa_distinct *set,
                                              const struct stoa_vector *values, uint32_t max_count,
                                              uint64_t max_nbytes, uint32_t *codes, bool *complete,
                                              struct stoa_error *err);

/*
 * The codes of values that may be missing: codes[i] is UINT32_MAX for those. Changes nothing, so
 * that many threads may look up in one set that nobody adds to.
 */
void stoa_distinct_find(const struct stoa_distinct *set, const struct stoa_vector *values,
                        uint32_t *codes);

/*
 * The codes 0..count-1 in the order of their values (numbers by value, floats by bits, BYTES and
 * FIXED by unsigned bytes): order[rank] = code. `order` has room for stoa_distinct_count().
 */
STOA_CHECK enum stoa_status stoa_distinct_order(const struct stoa_distinct *set, uint32_t *order,
                                                struct stoa_error *err);

#endif
