/*
 * Columns that others are derived from (spec/encodings.md, section 2.15): arrays as words and keys.
 */
#ifndef STOA_FILE_BASES_H
#define STOA_FILE_BASES_H

#include <stoa/array.h>
#include <stoa/schema.h>

#include "codec/derived.h"
#include "column/schema.h"

enum {
    STOA_NBASES = 2,         /* at most */
    STOA_BASE_NONE = 0xffff, /* the number of a base that is not there */
};

/* The bases of a chunk as its entries hold them: the first node, and the second above it. */
static inline uint32_t stoa_bases_pack(const uint32_t nodes[STOA_NBASES])
{
    return nodes[0] | nodes[1] << 16;
}

static inline void stoa_bases_unpack(uint32_t packed, uint32_t nodes[STOA_NBASES])
{
    nodes[0] = packed & 0xffff;
    nodes[1] = packed >> 16;
}

/* What values of a type are to those who derive from them. */
enum stoa_base_kind {
    STOA_BASE_UNFIT, /* floats, wide and nested values */
    STOA_BASE_WORDS, /* a number of 64 bits: for LINEAR and LOOKUP */
    STOA_BASE_TEXT,  /* for LOOKUP */
};
enum stoa_base_kind stoa_base_kind(const struct stoa_type *type);

/*
 * The words of values [begin, end) of an array of type WORDS, null ones 0, into out[0..end -
 * begin): numbers and times sign- or zero-extended, bools 0 and 1, the lowest 64 bits of decimals.
 */
void stoa_base_words(const struct stoa_type *type, const struct stoa_array *array, size_t begin,
                     size_t end, uint64_t *out);

/*
 * One base or two with nvalues each; types[1] NULL: one. Null texts are empty. Where somebody has
 * given numbers less than counts[k] to equal values before, these are codes[k], and the array is
 * not looked at; else NULL.
 */
struct stoa_base_arrays {
    size_t nvalues;
    const struct stoa_type *types[STOA_NBASES];
    const struct stoa_array *arrays[STOA_NBASES];
    const uint32_t *codes[STOA_NBASES];
    uint32_t counts[STOA_NBASES];
};

/* The most keys there are: so many, or one for each value. */
enum { STOA_LEAST_MAX_NKEYS = 1 << 19 };

/*
 * The keys of all values, as struct stoa_bases has them; *nkeys is not above the number of values
 * or STOA_LEAST_MAX_NKEYS, whichever is more. *keys is the caller's. Cost: a look-up a value for
 * each base that is text or far-flung numbers, none for numbers near to each other.
 */
STOA_CHECK enum stoa_status stoa_base_keys(const struct stoa_base_arrays *bases, uint32_t **keys,
                                           uint32_t *nkeys, struct stoa_error *err);

#endif
