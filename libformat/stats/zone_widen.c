/*
 * Zone maps of values whose type gets wider (spec/format.md, "Physical types"): the same values,
 * bounds of another kind.
 */
#include <assert.h>

#include "base/int128.h"
#include "stats/zonemap.h"

static void sign_extend(union stoa_bound *bound, uint64_t low, int64_t high)
{
    uint64_t sign = high < 0 ? UINT64_MAX : 0;

    *bound = (union stoa_bound){.i256 = {low, (uint64_t)high, sign, sign}};
}

/* A bound of kind `from` becomes one of `to`; unsigned ones fit a signed 64-bit number. */
static void widen_bound(union stoa_bound *bound, enum stoa_bound_kind from, enum stoa_bound_kind to)
{
    uint64_t low = from == STOA_BOUND_INT128 ? bound->i128.lo : bound->u64;
    int64_t high = from == STOA_BOUND_INT128 ? bound->i128.hi : bound->i64 < 0 ? -1 : 0;

    if (to == STOA_BOUND_INT256)
        sign_extend(bound, low, high);
    else if (to == STOA_BOUND_INT128)
        bound->i128.lo = low, bound->i128.hi = high;
    else
        assert(from == STOA_BOUND_UINT && to == STOA_BOUND_INT);
}

void stoa_zone_widen(struct stoa_zone *zone, const struct stoa_type *to)
{
    enum stoa_bound_kind from = zone->kind;
    uint64_t nvalues = zone->nvalues, nnulls = zone->nnulls;

    zone->kind = stoa_bound_kind(to);
    if (from == zone->kind)
        return;
    if (from == STOA_BOUND_NONE) { /* nulls alone */
        *zone = stoa_zone_empty(to);
        zone->nvalues = nvalues;
        zone->nnulls = nnulls;
    } else if (zone->flags & STOA_ZONE_HAS_BOUNDS) {
        widen_bound(&zone->min, from, zone->kind);
        widen_bound(&zone->max, from, zone->kind);
    }
}
