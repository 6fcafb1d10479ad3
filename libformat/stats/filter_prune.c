/*
 * What zone maps tell of a predicate (spec/statistics.md, "What a reader may conclude").
 *
 * For a leaf there are two questions: may it be true for some row, may it be other than true (false
 * or unknown) for some row? "May" is answered yes unless the opposite is proven. Over the tree,
 * which has no "not":
 *
 *                      and                 or
 *     true may be      in all operands     in any
 *     other may be     in any              in all
 *
 * which is the least and the greatest of NEVER < MAYBE < ALWAYS.
 */
#include <assert.h>

#include "stats/matcher.h"
#include "stats/zonemap.h"

/* What the values of some rows may be. */
struct may {
    bool pass; /* in a range */
    bool fail; /* in none */
};

static enum stoa_match match_of(bool may_true, bool may_other)
{
    if (!may_true)
        return STOA_MATCH_NEVER;
    return may_other ? STOA_MATCH_MAYBE : STOA_MATCH_ALWAYS;
}

/* The first range that ends at or behind the minimum of a zone; nranges if there is none. */
static size_t first_range(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    size_t begin = 0, end = leaf->nranges;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        bool before;

        if (leaf->kind == STOA_BOUND_BYTES) {
            const struct stoa_bytes_range *range = &leaf->texts[middle];

            before =
                range->hi != NULL && stoa_bytes_compare(range->hi, range->hi_nbytes,
                                                        zone->min.bytes, zone->min_nbytes) <= 0;
        } else {
            before = stoa_bound_compare(leaf->kind, &leaf->ranges[middle].hi, 0, &zone->min, 0) < 0;
        }
        if (before)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* All values of the zone lie from its minimum up to its maximum, or anywhere above it. */
static struct may bytes_in_ranges(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    size_t i = first_range(leaf, zone);
    bool open = zone->flags & STOA_ZONE_MAX_OPEN;
    const struct stoa_bytes_range *range;
    struct may may = {.pass = false, .fail = true};

    if (i == leaf->nranges)
        return may;
    range = &leaf->texts[i];
    may.pass = open || stoa_bytes_compare(range->lo, range->lo_nbytes, zone->max.bytes,
                                          zone->max_nbytes) <= 0;
    may.fail =
        stoa_bytes_compare(range->lo, range->lo_nbytes, zone->min.bytes, zone->min_nbytes) > 0 ||
        (range->hi != NULL && (open || stoa_bytes_compare(zone->max.bytes, zone->max_nbytes,
                                                          range->hi, range->hi_nbytes) >= 0));
    return may;
}

static struct may numbers_in_ranges(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    size_t i = first_range(leaf, zone);
    const struct stoa_bound_range *range;
    struct may may = {.pass = false, .fail = true};

    if (i == leaf->nranges)
        return may;
    range = &leaf->ranges[i];
    may.pass = stoa_bound_compare(leaf->kind, &range->lo, 0, &zone->max, 0) <= 0;
    may.fail = stoa_bound_compare(leaf->kind, &range->lo, 0, &zone->min, 0) > 0 ||
               stoa_bound_compare(leaf->kind, &range->hi, 0, &zone->max, 0) < 0;
    return may;
}

/* What the values that are not null may be. */
static struct may values_may(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    bool is_float = leaf->kind == STOA_BOUND_FLOAT;
    struct may may = {.pass = true, .fail = true};

    if (zone->flags & STOA_ZONE_ALL_NAN)
        return (struct may){.pass = false, .fail = true};
    if (!(zone->flags & STOA_ZONE_HAS_BOUNDS))
        return may;
    may = leaf->kind == STOA_BOUND_BYTES ? bytes_in_ranges(leaf, zone)
                                         : numbers_in_ranges(leaf, zone);
    if (is_float && !(zone->flags & STOA_ZONE_NO_NAN))
        may.fail = true;
    if (leaf->test == STOA_LEAF_LIKE) /* the range is that of the prefix alone */
        may.fail = true;
    return may;
}

static enum stoa_match prune_null(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    bool may_null = zone->nnulls != 0, may_value = zone->nnulls != zone->nvalues;

    return leaf->inverted ? match_of(may_value, may_null) : match_of(may_null, may_value);
}

static enum stoa_match prune_nan(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    bool all_null = zone->nnulls == zone->nvalues;
    bool may_nan = !all_null && !(zone->flags & STOA_ZONE_NO_NAN);
    bool may_other = zone->nnulls != 0 || !(zone->flags & STOA_ZONE_ALL_NAN);

    return leaf->inverted ? match_of(may_other, may_nan) : match_of(may_nan, may_other);
}

/* Whether a leaf asks for values of ranges, and a zone has bounds to hold against them. */
static bool is_comparable(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    assert(zone->kind == leaf->kind);
    return (leaf->test == STOA_LEAF_RANGES || leaf->test == STOA_LEAF_LIKE) && !leaf->inverted &&
           leaf->nranges > 0 && (zone->flags & STOA_ZONE_HAS_BOUNDS);
}

bool stoa_leaf_is_above(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    if (!is_comparable(leaf, zone))
        return false;
    if (leaf->kind == STOA_BOUND_BYTES)
        return !(zone->flags & STOA_ZONE_MAX_OPEN) &&
               stoa_bytes_compare(zone->max.bytes, zone->max_nbytes, leaf->texts[0].lo,
                                  leaf->texts[0].lo_nbytes) < 0;
    return stoa_bound_compare(leaf->kind, &zone->max, 0, &leaf->ranges[0].lo, 0) < 0;
}

bool stoa_leaf_is_below(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    return is_comparable(leaf, zone) && first_range(leaf, zone) == leaf->nranges;
}

bool stoa_leaf_is_point(const struct stoa_leaf *leaf)
{
    if (leaf->test != STOA_LEAF_RANGES || leaf->inverted || leaf->nranges != 1)
        return false;
    if (leaf->kind == STOA_BOUND_BYTES)
        return leaf->texts[0].is_point;
    return stoa_bound_compare(leaf->kind, &leaf->ranges[0].lo, 0, &leaf->ranges[0].hi, 0) == 0;
}

enum stoa_match stoa_leaf_prune(const struct stoa_leaf *leaf, const struct stoa_zone *zone)
{
    struct may may;

    assert(zone->kind == leaf->kind);
    if (leaf->test == STOA_LEAF_IS_NULL)
        return prune_null(leaf, zone);
    if (leaf->test == STOA_LEAF_IS_NAN)
        return prune_nan(leaf, zone);
    if (zone->nnulls == zone->nvalues)
        return STOA_MATCH_NEVER;
    may = values_may(leaf, zone);
    if (leaf->inverted)
        return match_of(may.fail, may.pass || zone->nnulls != 0);
    return match_of(may.pass, may.fail || zone->nnulls != 0);
}

/* What the zone map of a leaf's node and what is known besides tell together. */
static enum stoa_match prune_leaf(const struct stoa_matcher *matcher, uint32_t number,
                                  const struct stoa_zone *zones, const uint8_t *known)
{
    const struct stoa_leaf *leaf = &matcher->leaves[number];

    if (known != NULL && known[number] != STOA_MATCH_MAYBE)
        return (enum stoa_match)known[number];
    return stoa_leaf_prune(leaf, &zones[leaf->field]);
}

static enum stoa_match prune_node(const struct stoa_matcher *matcher, uint32_t at,
                                  const struct stoa_zone *zones, const uint8_t *known)
{
    const struct stoa_matcher_node *node = &matcher->nodes[at];
    bool is_and = node->op == STOA_NODE_AND;
    enum stoa_match decided = is_and ? STOA_MATCH_NEVER : STOA_MATCH_ALWAYS;
    enum stoa_match match = is_and ? STOA_MATCH_ALWAYS : STOA_MATCH_NEVER;

    if (node->op == STOA_NODE_LEAF)
        return prune_leaf(matcher, node->first, zones, known);
    for (uint32_t i = 0; i < node->nchildren && match != decided; i++) {
        enum stoa_match next = prune_node(matcher, node->first + i, zones, known);

        if (is_and ? next < match : next > match)
            match = next;
    }
    return match;
}

enum stoa_match stoa_matcher_prune(const struct stoa_matcher *matcher,
                                   const struct stoa_zone *zones)
{
    return prune_node(matcher, 0, zones, NULL);
}

enum stoa_match stoa_matcher_prune_known(const struct stoa_matcher *matcher,
                                         const struct stoa_zone *zones, const uint8_t *known)
{
    return prune_node(matcher, 0, zones, known);
}

enum stoa_match stoa_matcher_prune_term(const struct stoa_matcher *matcher, uint32_t term,
                                        const struct stoa_zone *zone)
{
    assert(term < matcher->nleaves);
    return stoa_leaf_prune(&matcher->leaves[term], zone);
}
