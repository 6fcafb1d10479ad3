/*
 * Split-block Bloom filters (spec/statistics.md, section 6): a set of values that never denies one
 * that it has.
 *
 *     make(type, array)                 the filter of all values of a chunk
 *     points(leaf)                      the hashes of the values that a test asks for, if few
 *     block(hash, nblocks), has(block)  whether one of them may be there
 *
 * A value is hashed as a number or as bytes, whatever the width of its type: a filter stays right
 * when its column is promoted to a wider one.
 */
#ifndef STOA_STATS_BLOOM_H
#define STOA_STATS_BLOOM_H

#include "base/alloc.h"
#include "stats/matcher.h"

enum {
    STOA_BLOOM_BLOCK_NBYTES = 32,
    STOA_BLOOM_MAX_NPOINTS = 128, /* of more values some are likely to be found by chance */
};

/*
 * Bits a value for a share `rate` of values that are found by chance; 0 for a rate below 0.00001
 * or not below 0.33.
 */
uint8_t stoa_bloom_nbits(double rate);

/* The rate that gives so many bits a value, or as near to it as there is one. */
double stoa_bloom_rate(uint64_t nbits);

/* Blocks of a filter of ndistinct > 0 values with nbits > 0 each. */
uint32_t stoa_bloom_nblocks(uint32_t ndistinct, unsigned nbits);

/*
 * The filter of the values of an array that are neither null nor NaN; the kind of `type` is not
 * STOA_BOUND_NONE. *count is how many hashes they have; with 0 of them *out stays as it is, else it
 * is set and the caller's. nblocks 0: as many as `nbits` bits a value ask for. STOA_ERR_NOMEM.
 * Cost: a hash a value and sorting them; memory of 16 bytes a value.
 */
STOA_CHECK enum stoa_status stoa_bloom_make(const struct stoa_type *type,
                                            const struct stoa_array *array, unsigned nbits,
                                            uint32_t nblocks, uint32_t *count,
                                            struct stoa_buffer *out, struct stoa_error *err);

/* Number of the block of a hash; it rises with the hash. */
static inline uint32_t stoa_bloom_block(uint64_t hash, uint32_t nblocks)
{
    return (uint32_t)((hash >> 32) * nblocks >> 32);
}

bool stoa_bloom_has(const uint8_t block[STOA_BLOOM_BLOCK_NBYTES], uint64_t hash);

/*
 * The hashes of the values in the ranges of a leaf, rising; whole numbers from one to another are
 * values one by one. 0 when it asks for no ranges, for none, or for more than MAX_NPOINTS values.
 */
unsigned stoa_bloom_points(const struct stoa_leaf *leaf, uint64_t hashes[STOA_BLOOM_MAX_NPOINTS]);

#endif
