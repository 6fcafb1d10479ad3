/*
 * Zone maps as values: bounds, joining, bytes (spec/statistics.md, "Entries" and "Levels").
 *
 *     w = 8    min i64 or u64 or f64 | max       w = 16   min i128 or 16 bytes | max
 *     w = 0    nothing                           w = 32   min i256 | max
 *     then     u32 n_nulls | u16 flags | u8 min_len | u8 max_len
 *     then     u64 n_values, of a node below a list alone
 *
 * A bound of text is a prefix of at most 16 bytes. The least one is cut, which makes it less; the
 * greatest one is cut and its last byte raised by one, which makes it greater; where all bytes are
 * FF nothing of 16 bytes is greater and the bound is open.
 */
#include "stats/zonemap.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/int256.h"

enum { NNULLS_UNKNOWN = -1 }; /* as a u32 in a file */

enum {
    EXACT_FLAGS = STOA_ZONE_MIN_EXACT | STOA_ZONE_MAX_EXACT,
    BOUND_FLAGS = STOA_ZONE_HAS_BOUNDS | EXACT_FLAGS | STOA_ZONE_MAX_OPEN,
    NAN_FLAGS = STOA_ZONE_NO_NAN | STOA_ZONE_ALL_NAN,
    ORDER_FLAGS = STOA_ZONE_ASCENDING | STOA_ZONE_DESCENDING,
    KNOWN_FLAGS = BOUND_FLAGS | NAN_FLAGS | ORDER_FLAGS,
};

/* Bytes of a bound in an entry. */
static const uint8_t widths[] = {
    [STOA_BOUND_NONE] = 0,    [STOA_BOUND_INT] = 8,     [STOA_BOUND_UINT] = 8,
    [STOA_BOUND_FLOAT] = 8,   [STOA_BOUND_INT128] = 16, [STOA_BOUND_BYTES] = 16,
    [STOA_BOUND_INT256] = 32,
};

enum stoa_bound_kind stoa_bound_kind(const struct stoa_type *type)
{
    static const uint8_t kinds[] = {
        [STOA_BOOL] = STOA_BOUND_UINT,     [STOA_INT8] = STOA_BOUND_INT,
        [STOA_INT16] = STOA_BOUND_INT,     [STOA_INT32] = STOA_BOUND_INT,
        [STOA_INT64] = STOA_BOUND_INT,     [STOA_UINT8] = STOA_BOUND_UINT,
        [STOA_UINT16] = STOA_BOUND_UINT,   [STOA_UINT32] = STOA_BOUND_UINT,
        [STOA_UINT64] = STOA_BOUND_UINT,   [STOA_FLOAT16] = STOA_BOUND_FLOAT,
        [STOA_FLOAT32] = STOA_BOUND_FLOAT, [STOA_FLOAT64] = STOA_BOUND_FLOAT,
        [STOA_DATE32] = STOA_BOUND_INT,    [STOA_TIME] = STOA_BOUND_INT,
        [STOA_TIMESTAMP] = STOA_BOUND_INT, [STOA_DURATION] = STOA_BOUND_INT,
        [STOA_UTF8] = STOA_BOUND_BYTES,    [STOA_BINARY] = STOA_BOUND_BYTES,
        [STOA_UUID] = STOA_BOUND_BYTES,    [STOA_FIXED_BINARY] = STOA_BOUND_BYTES,
        [STOA_ENUM] = STOA_BOUND_UINT,
    };

    if (type->id == STOA_DECIMAL)
        return type->precision <= 18   ? STOA_BOUND_INT
               : type->precision <= 38 ? STOA_BOUND_INT128
                                       : STOA_BOUND_INT256;
    return (unsigned)type->id < sizeof(kinds) ? (enum stoa_bound_kind)kinds[type->id]
                                              : STOA_BOUND_NONE;
}

static struct stoa_int128 as_int128(const union stoa_bound *bound)
{
    return (struct stoa_int128){.lo = bound->i128.lo, .hi = bound->i128.hi};
}

static int compare_int256(const union stoa_bound *a, const union stoa_bound *b)
{
    struct stoa_int256 x, y;

    for (int i = 0; i < 4; i++) {
        x.words[STOA_INT256_WORD(i)] = a->i256[i];
        y.words[STOA_INT256_WORD(i)] = b->i256[i];
    }
    return stoa_int256_cmp(x, y);
}

static int compare_bytes(const uint8_t *a, size_t a_nbytes, const uint8_t *b, size_t b_nbytes)
{
    int order = memcmp(a, b, a_nbytes < b_nbytes ? a_nbytes : b_nbytes);

    return order != 0 ? (order < 0 ? -1 : 1) : (a_nbytes > b_nbytes) - (a_nbytes < b_nbytes);
}

int stoa_bound_compare(enum stoa_bound_kind kind, const union stoa_bound *a, size_t a_nbytes,
                       const union stoa_bound *b, size_t b_nbytes)
{
    switch (kind) {
    case STOA_BOUND_NONE:
        return 0;
    case STOA_BOUND_INT:
        return (a->i64 > b->i64) - (a->i64 < b->i64);
    case STOA_BOUND_UINT:
        return (a->u64 > b->u64) - (a->u64 < b->u64);
    case STOA_BOUND_FLOAT:
        return (a->f64 > b->f64) - (a->f64 < b->f64);
    case STOA_BOUND_INT128:
        return stoa_int128_cmp(as_int128(a), as_int128(b));
    case STOA_BOUND_INT256:
        return compare_int256(a, b);
    case STOA_BOUND_BYTES:
        break;
    }
    return compare_bytes(a->bytes, a_nbytes, b->bytes, b_nbytes);
}

static int compare_mins(const struct stoa_zone *a, const struct stoa_zone *b)
{
    return stoa_bound_compare(a->kind, &a->min, a->min_nbytes, &b->min, b->min_nbytes);
}

/* An open maximum is above all others. */
static int compare_maxs(const struct stoa_zone *a, const struct stoa_zone *b)
{
    bool a_open = a->flags & STOA_ZONE_MAX_OPEN, b_open = b->flags & STOA_ZONE_MAX_OPEN;

    if (a_open || b_open)
        return a_open - b_open;
    return stoa_bound_compare(a->kind, &a->max, a->max_nbytes, &b->max, b->max_nbytes);
}

struct stoa_zone stoa_zone_unknown(const struct stoa_type *type, uint64_t nvalues)
{
    return (struct stoa_zone){
        .kind = stoa_bound_kind(type), .nvalues = nvalues, .nnulls = STOA_ZONE_NNULLS_UNKNOWN};
}

struct stoa_zone stoa_zone_empty(const struct stoa_type *type)
{
    struct stoa_zone zone = stoa_zone_unknown(type, 0);

    zone.nnulls = 0;
    if (zone.kind == STOA_BOUND_FLOAT)
        zone.flags = STOA_ZONE_NO_NAN;
    return zone;
}

/* Whether it is proven that there is nothing for bounds to enclose. */
static bool nothing_to_bound(const struct stoa_zone *zone)
{
    return zone->nnulls == zone->nvalues || (zone->flags & STOA_ZONE_ALL_NAN);
}

static uint16_t joined_order(const struct stoa_zone *a, const struct stoa_zone *b)
{
    uint16_t both = a->flags & b->flags & ORDER_FLAGS, order = 0;

    if (!(a->flags & b->flags & STOA_ZONE_HAS_BOUNDS))
        return 0;
    if ((both & STOA_ZONE_ASCENDING) && !(a->flags & STOA_ZONE_MAX_OPEN) &&
        stoa_bound_compare(a->kind, &a->max, a->max_nbytes, &b->min, b->min_nbytes) <= 0)
        order |= STOA_ZONE_ASCENDING;
    if ((both & STOA_ZONE_DESCENDING) && !(b->flags & STOA_ZONE_MAX_OPEN) &&
        stoa_bound_compare(a->kind, &b->max, b->max_nbytes, &a->min, a->min_nbytes) <= 0)
        order |= STOA_ZONE_DESCENDING;
    return order;
}

static void take_min(struct stoa_zone *zone, const struct stoa_zone *from)
{
    zone->min = from->min;
    zone->min_nbytes = from->min_nbytes;
    zone->flags |= from->flags & STOA_ZONE_MIN_EXACT;
}

static void take_max(struct stoa_zone *zone, const struct stoa_zone *from)
{
    zone->max = from->max;
    zone->max_nbytes = from->max_nbytes;
    zone->flags |= from->flags & (STOA_ZONE_MAX_EXACT | STOA_ZONE_MAX_OPEN);
}

/* Equal bounds: one of them being exact is enough, because the other side reaches no further. */
static void join_bounds(struct stoa_zone *zone, const struct stoa_zone *a,
                        const struct stoa_zone *b)
{
    int mins = compare_mins(a, b), maxs = compare_maxs(a, b);

    zone->flags |= STOA_ZONE_HAS_BOUNDS;
    if (mins <= 0)
        take_min(zone, a);
    if (mins >= 0)
        take_min(zone, b);
    if (maxs >= 0)
        take_max(zone, a);
    if (maxs <= 0)
        take_max(zone, b);
}

void stoa_zone_merge(struct stoa_zone *zone, const struct stoa_zone *next)
{
    const struct stoa_zone first = *zone;
    bool first_void = nothing_to_bound(&first), next_void = nothing_to_bound(next);

    if (next->nvalues == 0)
        return;
    if (first.nvalues == 0) {
        *zone = *next;
        return;
    }
    *zone = (struct stoa_zone){.kind = first.kind, .nvalues = first.nvalues + next->nvalues};
    zone->nnulls =
        first.nnulls == STOA_ZONE_NNULLS_UNKNOWN || next->nnulls == STOA_ZONE_NNULLS_UNKNOWN
            ? STOA_ZONE_NNULLS_UNKNOWN
            : first.nnulls + next->nnulls;
    zone->flags =
        (uint16_t)((first.flags & next->flags & STOA_ZONE_NO_NAN) | joined_order(&first, next));
    if (first_void && next_void)
        zone->flags |= (first.flags | next->flags) & STOA_ZONE_ALL_NAN;
    else if ((first.flags & STOA_ZONE_HAS_BOUNDS) && (next->flags & STOA_ZONE_HAS_BOUNDS))
        join_bounds(zone, &first, next);
    else if (first_void && (next->flags & STOA_ZONE_HAS_BOUNDS))
        join_bounds(zone, next, next);
    else if (next_void && (first.flags & STOA_ZONE_HAS_BOUNDS))
        join_bounds(zone, &first, &first);
}

static bool bounds_hold(const struct stoa_zone *claim, const struct stoa_zone *truth,
                        const char **what)
{
    bool min_exact = claim->flags & STOA_ZONE_MIN_EXACT;
    bool max_exact = claim->flags & STOA_ZONE_MAX_EXACT;
    int min, max;

    *what = "minimum";
    if (!(claim->flags & STOA_ZONE_HAS_BOUNDS))
        return true;
    if (!(truth->flags & STOA_ZONE_HAS_BOUNDS))
        return false;
    min = compare_mins(claim, truth);
    if (min > 0 || (min_exact && (min != 0 || !(truth->flags & STOA_ZONE_MIN_EXACT))))
        return false;
    *what = "maximum";
    max = compare_maxs(claim, truth);
    return max >= 0 && (!max_exact || (max == 0 && (truth->flags & STOA_ZONE_MAX_EXACT)));
}

bool stoa_zone_holds(const struct stoa_zone *claim, const struct stoa_zone *truth,
                     const char **what)
{
    const char *unused;
    uint16_t proofs = claim->flags & (NAN_FLAGS | ORDER_FLAGS);

    if (what == NULL)
        what = &unused;
    *what = "count of values";
    if (claim->nvalues != truth->nvalues)
        return false;
    if (!bounds_hold(claim, truth, what))
        return false;
    *what = "count of nulls";
    if (claim->nnulls != STOA_ZONE_NNULLS_UNKNOWN && claim->nnulls != truth->nnulls)
        return false;
    *what = "flags";
    return (proofs & truth->flags) == proofs;
}

/* ---- Bytes. ---- */

uint16_t stoa_zone_stride(const struct stoa_type *type, bool below_list)
{
    return (uint16_t)(2 * widths[stoa_bound_kind(type)] + (below_list ? 16 : 8));
}

static void pack_bound(enum stoa_bound_kind kind, const union stoa_bound *bound, uint8_t *out)
{
    uint64_t bits;

    switch (kind) {
    case STOA_BOUND_NONE:
        break;
    case STOA_BOUND_INT:
        stoa_store64(out, (uint64_t)bound->i64);
        break;
    case STOA_BOUND_UINT:
        stoa_store64(out, bound->u64);
        break;
    case STOA_BOUND_FLOAT:
        memcpy(&bits, &bound->f64, 8);
        stoa_store64(out, bits);
        break;
    case STOA_BOUND_INT128:
        stoa_store64(out, bound->i128.lo);
        stoa_store64(out + 8, (uint64_t)bound->i128.hi);
        break;
    case STOA_BOUND_INT256:
        for (int i = 0; i < 4; i++)
            stoa_store64(out + 8 * i, bound->i256[i]);
        break;
    case STOA_BOUND_BYTES:
        memcpy(out, bound->bytes, STOA_BOUND_NBYTES);
        break;
    }
}

static void unpack_bound(enum stoa_bound_kind kind, const uint8_t *bytes, union stoa_bound *out)
{
    uint64_t bits;

    switch (kind) {
    case STOA_BOUND_NONE:
        break;
    case STOA_BOUND_INT:
        out->i64 = (int64_t)stoa_load64(bytes);
        break;
    case STOA_BOUND_UINT:
        out->u64 = stoa_load64(bytes);
        break;
    case STOA_BOUND_FLOAT:
        bits = stoa_load64(bytes);
        memcpy(&out->f64, &bits, 8);
        break;
    case STOA_BOUND_INT128:
        out->i128.lo = stoa_load64(bytes);
        out->i128.hi = (int64_t)stoa_load64(bytes + 8);
        break;
    case STOA_BOUND_INT256:
        for (int i = 0; i < 4; i++)
            out->i256[i] = stoa_load64(bytes + 8 * i);
        break;
    case STOA_BOUND_BYTES:
        memcpy(out->bytes, bytes, STOA_BOUND_NBYTES);
        break;
    }
}

void stoa_zone_pack(const struct stoa_zone *zone, bool below_list, uint8_t *out)
{
    size_t width = widths[zone->kind];

    pack_bound(zone->kind, &zone->min, out);
    pack_bound(zone->kind, &zone->max, out + width);
    out += 2 * width;
    stoa_store32(out, zone->nnulls < UINT32_MAX ? (uint32_t)zone->nnulls : UINT32_MAX);
    stoa_store16(out + 4, zone->flags);
    out[6] = zone->min_nbytes;
    out[7] = zone->max_nbytes;
    if (below_list)
        stoa_store64(out + 8, zone->nvalues);
}

static bool is_zero(const uint8_t *bytes, size_t begin, size_t end)
{
    while (begin < end && bytes[begin] == 0)
        begin++;
    return begin == end;
}

/* What is wrong with the entry that *zone was read from, or NULL. */
static const char *entry_fault(const struct stoa_zone *zone, const uint8_t *bytes)
{
    bool has_bounds = zone->flags & STOA_ZONE_HAS_BOUNDS;
    size_t width = widths[zone->kind];

    if (zone->nnulls != STOA_ZONE_NNULLS_UNKNOWN && zone->nnulls > zone->nvalues)
        return "more nulls than values";
    if (has_bounds ? width == 0 || zone->nnulls == zone->nvalues
                   : (zone->flags & BOUND_FLAGS) || !is_zero(bytes, 0, 2 * width))
        return "bounds without values, or without their flag";
    if ((zone->flags & NAN_FLAGS) &&
        (zone->kind != STOA_BOUND_FLOAT || (zone->flags & NAN_FLAGS) == NAN_FLAGS))
        return "flags that exclude each other";
    if ((zone->flags & STOA_ZONE_ALL_NAN) && (has_bounds || zone->nnulls == zone->nvalues))
        return "flags that exclude each other";
    if ((zone->flags & ORDER_FLAGS) && (!has_bounds || zone->nnulls != 0))
        return "an order of values that has nulls or no bounds";
    if (zone->kind != STOA_BOUND_BYTES)
        return zone->min_nbytes != 0 || zone->max_nbytes != 0 || (zone->flags & STOA_ZONE_MAX_OPEN)
                   ? "the length of a text"
                   : NULL;
    if (zone->min_nbytes > STOA_BOUND_NBYTES || zone->max_nbytes > STOA_BOUND_NBYTES ||
        !is_zero(zone->min.bytes, zone->min_nbytes, STOA_BOUND_NBYTES) ||
        !is_zero(zone->max.bytes, zone->max_nbytes, STOA_BOUND_NBYTES))
        return "bytes behind the end of a bound";
    if ((zone->flags & STOA_ZONE_MAX_OPEN) &&
        (zone->max_nbytes != 0 || (zone->flags & STOA_ZONE_MAX_EXACT)))
        return "an open bound that is none";
    return NULL;
}

enum stoa_status stoa_zone_unpack(const struct stoa_type *type, bool below_list,
                                  const uint8_t *bytes, uint64_t nvalues, struct stoa_zone *out,
                                  struct stoa_error *err)
{
    struct stoa_zone zone = stoa_zone_unknown(type, nvalues);
    size_t width = widths[zone.kind];
    const uint8_t *tail = bytes + 2 * width;
    const char *fault;

    unpack_bound(zone.kind, bytes, &zone.min);
    unpack_bound(zone.kind, bytes + width, &zone.max);
    if (stoa_load32(tail) != (uint32_t)NNULLS_UNKNOWN)
        zone.nnulls = stoa_load32(tail);
    zone.flags = stoa_load16(tail + 4) & KNOWN_FLAGS;
    zone.min_nbytes = tail[6];
    zone.max_nbytes = tail[7];
    if (below_list)
        zone.nvalues = stoa_load64(tail + 8);
    fault = zone.nvalues > nvalues ? "more values than there may be" : entry_fault(&zone, bytes);
    if (fault == NULL && zone.kind == STOA_BOUND_FLOAT &&
        (zone.min.f64 != zone.min.f64 || zone.max.f64 != zone.max.f64))
        fault = "NaN as a bound";
    if (fault == NULL && (zone.flags & STOA_ZONE_HAS_BOUNDS) &&
        !(zone.flags & STOA_ZONE_MAX_OPEN) &&
        stoa_bound_compare(zone.kind, &zone.min, zone.min_nbytes, &zone.max, zone.max_nbytes) > 0)
        fault = "a minimum above the maximum";
    if (fault != NULL)
        return stoa_fail(err, STOA_ERR_CORRUPT, "statistics: %s", fault);
    *out = zone;
    return STOA_OK;
}

/* ---- Levels. ---- */

static bool has_row_groups(uint32_t nrow_groups)
{
    return nrow_groups > 1;
}

static bool has_zones(uint32_t nrow_groups, uint64_t nzones)
{
    return nzones > nrow_groups;
}

uint64_t stoa_zone_nentries(uint32_t nrow_groups, uint64_t nzones)
{
    if (nzones == 0)
        return 0;
    return 1 + (has_row_groups(nrow_groups) ? nrow_groups : 0) +
           (has_zones(nrow_groups, nzones) ? nzones : 0);
}

uint64_t stoa_zone_entry(uint32_t nrow_groups, uint64_t nzones, enum stoa_zone_level level,
                         uint32_t row_group, uint64_t zone)
{
    if (level == STOA_ZONE_OF_ROWS && has_zones(nrow_groups, nzones))
        return 1 + (has_row_groups(nrow_groups) ? nrow_groups : 0) + zone;
    if (level != STOA_ZONE_OF_FILE && has_row_groups(nrow_groups))
        return 1 + (uint64_t)row_group;
    return 0;
}
