/*
 * What a scan makes of the order of rows (spec/format.md, "Order"): rows that a conjunct selects
 * stand together, so the first and the last zone with such rows are found by a binary search.
 *
 *     where a = 5 and b > 7, sorted by a, b
 *
 *     a   1..3   3..5   5..5   5..5   5..5   5..8   8..9
 *     b   0..9   0..9   0..2   2..6   6..8   0..9   0..9
 *         in front of them                   .      behind them
 *
 * A zone is in front when none of its rows nor of those before it is selected. The zone map of the
 * first key proves that by its bounds; where all rows of a zone have the one value that is asked
 * for, the next key's does. Of the zone 3..5 that is not proven by itself, but it is of the one
 * behind it: so a step of the search looks at two neighbours. Whatever else a zone map leaves open
 * makes the range longer, never shorter: each end of it stands beside a zone that was proven.
 *
 * An order that is not true gives other rows than the filter asks for, and nothing worse.
 */
#include "base/error.h"
#include "scan/scan_state.h"

/* The leaf of a node of the filter's tree that has to be true for every row; NULL: it is none. */
static const struct stoa_leaf *conjunct(const struct stoa_matcher *matcher, uint32_t i)
{
    const struct stoa_matcher_node *root = &matcher->nodes[0];
    const struct stoa_matcher_node *node =
        root->op == STOA_NODE_AND ? &matcher->nodes[root->first + i] : root;

    return node->op == STOA_NODE_LEAF ? &matcher->leaves[node->first] : NULL;
}

static uint32_t nconjuncts(const struct stoa_matcher *matcher)
{
    return matcher->nodes[0].op == STOA_NODE_AND ? matcher->nodes[0].nchildren : 1;
}

/* The place of a node among those that conjuncts of the filter are about, or UINT32_MAX. */
static uint32_t place_of(const struct stoa_scan *scan, uint32_t node)
{
    for (uint32_t i = 0; i < nconjuncts(scan->matcher); i++) {
        const struct stoa_leaf *leaf = conjunct(scan->matcher, i);

        if (leaf != NULL && scan->filter_nodes[leaf->field] == node)
            return leaf->field;
    }
    return UINT32_MAX;
}

enum stoa_status stoa_scan_order_find(const struct stoa_scan *scan, struct stoa_scan_order *out,
                                      struct stoa_error *err)
{
    const struct stoa_sort_order *order;
    struct stoa_error what;
    enum stoa_status st = stoa_reader_order(scan->reader, &order, &what);

    *out = (struct stoa_scan_order){0};
    if (st == STOA_ERR_CORRUPT) /* all it could change is time */
        return STOA_OK;
    if (st != STOA_OK) {
        if (err != NULL)
            *err = what;
        return st;
    }
    out->keys = order->keys;
    while (out->nkeys < order->nkeys) {
        uint32_t node;

        STOA_TRY(stoa_reader_column_node(scan->reader, order->keys[out->nkeys].column, &node, err));
        out->places[out->nkeys] = place_of(scan, node);
        if (out->places[out->nkeys] == UINT32_MAX)
            break;
        out->nkeys++;
    }
out:
    return st;
}

/* ---- One zone. ---- */

/* From which end of the file one looks. */
enum side { FRONT, BACK };

/*
 * Whether a leaf is true neither for rows of a zone nor for those between it and the end of the
 * file on that side, as far as they are equal in the keys before.
 */
static bool excludes(const struct stoa_leaf *leaf, const struct stoa_sort_key *key,
                     const struct stoa_zone *zone, enum side side)
{
    const enum side nulls = key->nulls_first ? FRONT : BACK;
    const bool above = (side == FRONT) != key->descending; /* what is asked for is above it */

    if (leaf->test == STOA_LEAF_IS_NULL && !leaf->inverted)
        return zone->nnulls == 0 && nulls != side;
    if (zone->nnulls == zone->nvalues)
        return nulls == side && stoa_leaf_prune(leaf, zone) == STOA_MATCH_NEVER;
    if (zone->flags & STOA_ZONE_ALL_NAN) /* they are where the greatest numbers are */
        return !above && leaf->test == STOA_LEAF_RANGES && !leaf->inverted;
    return above ? stoa_leaf_is_above(leaf, zone) : stoa_leaf_is_below(leaf, zone);
}

static bool is_outside(const struct stoa_scan_order *order, const struct stoa_scan *scan,
                       const struct stoa_zone *zones, enum side side)
{
    for (uint32_t k = 0; k < order->nkeys; k++) {
        const struct stoa_zone *zone = &zones[order->places[k]];
        bool constant = false;

        for (uint32_t i = 0; i < nconjuncts(scan->matcher); i++) {
            const struct stoa_leaf *leaf = conjunct(scan->matcher, i);

            if (leaf == NULL || leaf->field != order->places[k])
                continue;
            if (excludes(leaf, &order->keys[k], zone, side))
                return true;
            constant |=
                stoa_leaf_is_point(leaf) && stoa_leaf_prune(leaf, zone) == STOA_MATCH_ALWAYS;
        }
        if (!constant)
            return false;
    }
    return false;
}

/* ---- All of them. ---- */

struct search {
    const struct stoa_scan_order *order;
    const struct stoa_scan *scan;
    uint32_t row_group; /* UINT32_MAX: of row groups */
    struct stoa_zone *zones;
    struct stoa_range range;
    enum side side;
};

/* Whether entry `i` of the range, counted from its side, is outside. */
static enum stoa_status look(const struct search *search, uint32_t i, bool *outside,
                             struct stoa_error *err)
{
    const uint32_t at = search->side == FRONT ? search->range.begin + i : search->range.end - 1 - i;
    const bool groups = search->row_group == UINT32_MAX;
    enum stoa_status st = stoa_scan_read_zones(search->scan, groups ? at : search->row_group,
                                               groups ? UINT32_MAX : at, search->zones, err);

    if (st == STOA_OK)
        *outside = is_outside(search->order, search->scan, search->zones, search->side);
    return st;
}

/* How many entries are outside on the side of a search. */
static enum stoa_status count_outside(const struct search *search, uint32_t *out,
                                      struct stoa_error *err)
{
    uint32_t begin = 0, end = search->range.end - search->range.begin;
    enum stoa_status st = STOA_OK;

    while (begin < end) {
        const uint32_t middle = begin + (end - begin) / 2;
        uint32_t at = middle;
        bool outside;

        STOA_TRY(look(search, at, &outside, err));
        if (!outside && ++at < end)
            STOA_TRY(look(search, at, &outside, err));
        if (outside)
            begin = at + 1;
        else
            end = middle;
    }
    *out = begin;
out:
    return st;
}

enum stoa_status stoa_scan_order_narrow(const struct stoa_scan_order *order,
                                        const struct stoa_scan *scan, uint32_t row_group,
                                        struct stoa_zone *zones, struct stoa_range *range,
                                        struct stoa_error *err)
{
    struct search search = {order, scan, row_group, zones, *range, FRONT};
    uint32_t nfront, nback;
    enum stoa_status st = STOA_OK;

    if (order->nkeys == 0)
        return STOA_OK;
    STOA_TRY(count_outside(&search, &nfront, err));
    search.range.begin += nfront;
    search.side = BACK;
    STOA_TRY(count_outside(&search, &nback, err));
    range->begin = search.range.begin;
    range->end = search.range.end - nback;
out:
    return st;
}
