/*
 * What the values of a derived column are computed from (spec/encodings.md, section 2.15).
 */
#ifndef STOA_CODEC_DERIVED_H
#define STOA_CODEC_DERIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stoa/base.h>

#include "codec/vector.h"

/*
 * The bases of a page: what other columns hold in its slots.
 *
 * words  LINEAR: 64-bit words of the first base and the second (NULL: there is none) in slots
 *        [begin, end). Of no others is anything asked, and what is computed there means nothing.
 *        Where single values are taken, [begin, end) are places among these.
 * keys   LOOKUP: slots have equal numbers, less than nkeys, where all bases have equal values. Of
 *        as many slots as were asked for, from the first one of the page on.
 */
struct stoa_bases {
    const uint64_t *words[2];
    size_t begin, end;
    const uint32_t *keys;
    uint32_t nkeys;
};

enum stoa_bases_wanted {
    STOA_BASES_WORDS, /* of the slots of the page */
    STOA_BASES_TAKEN, /* words of the values that are taken */
    STOA_BASES_KEYS,
};

/* Where bases come from when a page turns out to need them. */
struct stoa_base_source {
    /*
     * Sets keys and nkeys, for the first nslots of the page that is being decoded, or the others;
     * lent until it is.
     */
    enum stoa_status (*load)(struct stoa_base_source *source, enum stoa_bases_wanted wanted,
                             size_t nslots, struct stoa_bases *out, struct stoa_error *err);
};

/* What the encoder knows of a page beside its values. */
struct stoa_derivation {
    struct stoa_bases bases; /* words of all slots for LINEAR, keys for LOOKUP */
    uint64_t multipliers[2];
};

/* ---- What does not follow: for encoding, and for those who want to know what it takes. ---- */

/*
 * The residuals of LINEAR, of the values' type. Bit first_bit + i of `validity` belongs to value i,
 * NULL: none is null; a null slot repeats the residual before it.
 */
void stoa_linear_residuals(const struct stoa_vector *values, const struct stoa_derivation *from,
                           const uint8_t *validity, size_t first_bit, uint8_t *out);

/* The first values and residuals of LOOKUP. */
struct stoa_lookup_split {
    const uint8_t *values;
    uint32_t width;
    size_t nvalues;
    const uint8_t *validity;
    size_t first_bit;
    const uint32_t *keys;
    uint32_t nkeys;

    uint32_t *numbers;  /* room for nkeys */
    uint32_t *votes;    /* room for nkeys or nvalues, whichever is less, as in */
    uint8_t *firsts;    /* values, out */
    uint8_t *residuals; /* values, out; room for nvalues */
    uint32_t nfirsts;   /* out */
};
void stoa_lookup_split(struct stoa_lookup_split *split);

#endif
