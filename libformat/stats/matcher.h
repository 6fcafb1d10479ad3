/*
 * What a predicate becomes when it meets a schema: a tree of "and" and "or" over leaves.
 *
 * "not" is gone: it was pushed down to the leaves, where it turns a test into its opposite. That
 * is exact in SQL's logic of three values, and leaves a tree without negation, for which "true" is
 * all that matters: a row is selected when enough leaves are true for it, and whether another leaf
 * is false or unknown makes no difference.
 *
 * Every comparison, in, between and "like 'abc%'" has become a set of ranges of the values that
 * pass, and the test is true for a value that is not null if it lies in one of them (inverted: in
 * none of them). NaN lies in no range, which gives it the meaning it has in comparisons.
 *
 *     a > 3 and not (b = 'x' or c between 1 and 2)
 *
 *     AND  +- a: [4, 2^63)             the ends of numbers belong to the range
 *          +- b: not ["x", "x\0")      the upper end of bytes does not, and may be missing
 *          +- c: not [1, 2]
 */
#ifndef STOA_STATS_MATCHER_H
#define STOA_STATS_MATCHER_H

#include <stdatomic.h>

#include <stoa/filter.h>

#include "stats/like.h"

/* Values of a number from lo to hi, both belonging to it; the kind is the leaf's. */
struct stoa_bound_range {
    union stoa_bound lo;
    union stoa_bound hi;
};

/* Bytes from lo (belongs) to hi (does not); hi NULL: no upper end. */
struct stoa_bytes_range {
    const uint8_t *lo;
    size_t lo_nbytes;
    const uint8_t *hi;
    size_t hi_nbytes;
    uint64_t lo_key; /* stats/text_key.h; without an upper end hi_key is the greatest number */
    uint64_t hi_key;
    bool is_point; /* lo alone; hi is lo with a zero byte behind */
};

enum stoa_leaf_test {
    STOA_LEAF_RANGES,
    STOA_LEAF_LIKE, /* patterns that are no range; `texts` has the range of their prefix, if any */
    STOA_LEAF_IS_NULL,
    STOA_LEAF_IS_NAN,
};

struct stoa_leaf {
    enum stoa_leaf_test test;
    bool inverted;
    uint32_t field; /* place among the matcher's fields */
    enum stoa_bound_kind kind;
    size_t nranges;                  /* rising, apart from each other */
    struct stoa_bound_range *ranges; /* of kinds that are numbers */
    struct stoa_bytes_range *texts;  /* of kind BYTES */
    uint32_t *slots;                 /* many points: a hash table of their numbers + 1, or NULL */
    size_t nslots;                   /* a power of two */
    struct stoa_like *like;
    char *text; /* as the predicate says it */
};

enum stoa_node_op { STOA_NODE_AND, STOA_NODE_OR, STOA_NODE_LEAF };

struct stoa_matcher_node {
    enum stoa_node_op op;
    uint32_t first;     /* number of the leaf, or of the first of nchildren nodes */
    uint32_t nchildren; /* 0 for a leaf */
};

struct stoa_matcher {
    uint32_t nfields;
    uint32_t *fields;        /* nodes of the schema, rising */
    struct stoa_type *types; /* of these nodes, without the texts that belong to some types */
    uint32_t nleaves;
    struct stoa_leaf *leaves;
    uint32_t nnodes;
    struct stoa_matcher_node *nodes; /* 0 is the root */
    uint32_t depth;                  /* nodes from the root to the deepest leaf */
    void **kept;                     /* bytes that ranges point to */
    size_t nkept;
    size_t kept_capacity;
};

/*
 * Evaluates one leaf on any values of its node's type, the distinct ones of a dictionary for
 * example: bit i of out[(nvalues + 7) / 8] is set where the leaf is true for value i; bits behind
 * the last are cleared. Never fails.
 */
void stoa_leaf_eval(const struct stoa_leaf *leaf, const struct stoa_type *type,
                    const struct stoa_array *array, size_t nvalues, uint8_t *out);

/*
 * stoa_matcher_prune() for rows of which more is known than zone maps: of each leaf an enum
 * stoa_match, where STOA_MATCH_MAYBE leaves it to the zone map.
 */
enum stoa_match stoa_matcher_prune_known(const struct stoa_matcher *matcher,
                                         const struct stoa_zone *zones, const uint8_t *known);

/*
 * How often a node of the tree was true so far, of `nrows` rows that it was asked for, and how many
 * bytes had to be read for it, when nseen rows were looked at. Shared by threads; what they do to
 * each other's numbers changes the order of the work alone.
 */
struct stoa_node_count {
    atomic_uint_least64_t nrows;
    atomic_uint_least64_t ntrue;
    atomic_uint_least64_t nseen;
    atomic_uint_least64_t nbytes;
};

/*
 * Answers leaf number `leaf` into `out`, as stoa_leaf_eval() does; only rows whose bits are set in
 * `wanted` need to be right. Adds the bytes that it read to *nbytes.
 */
typedef enum stoa_status stoa_leaf_answer(void *context, uint32_t leaf, const uint8_t *wanted,
                                          uint8_t *out, uint64_t *nbytes, struct stoa_error *err);

/*
 * Evaluates a predicate on nrows > 0 rows by its leaves' answers, those first that leave the fewest
 * rows undecided for the bytes that they read, by what `counts` (one a node, zeroed at first, or
 * NULL) says of earlier rows; a leaf that can't change anything is not asked. The result is the
 * same in any order. selected as in stoa_matcher_eval_nodes().
 */
STOA_CHECK enum stoa_status stoa_matcher_eval_leaves(const struct stoa_matcher *matcher,
                                                     struct stoa_node_count *counts, size_t nrows,
                                                     stoa_leaf_answer *answer, void *context,
                                                     uint8_t *selected, struct stoa_error *err);

/* What a zone map of its node tells of a leaf. */
enum stoa_match stoa_leaf_prune(const struct stoa_leaf *leaf, const struct stoa_zone *zone);

/*
 * Whether a leaf asks for values above all of a zone's, or below them, as its zone map proves;
 * nulls and NaN aside, which no leaf of ranges asks for. False for leaves without ranges.
 */
bool stoa_leaf_is_above(const struct stoa_leaf *leaf, const struct stoa_zone *zone);
bool stoa_leaf_is_below(const struct stoa_leaf *leaf, const struct stoa_zone *zone);

/* Whether a leaf asks for one value. */
bool stoa_leaf_is_point(const struct stoa_leaf *leaf);

/* Whether bytes lie in a range of a leaf of kind BYTES. */
bool stoa_leaf_has_bytes(const struct stoa_leaf *leaf, const uint8_t *bytes, size_t nbytes);

/* Compares like memcmp(), and a shorter text before the longer one that begins with it. */
int stoa_bytes_compare(const uint8_t *a, size_t a_nbytes, const uint8_t *b, size_t b_nbytes);

#endif
