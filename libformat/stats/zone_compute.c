/*
 * Zone maps from values: least, greatest, nulls, NaN and order in one pass over a range of values
 * (spec/statistics.md, "Bounds").
 *
 * Numbers go in blocks of 1,024 through a buffer on the stack,
 *
 *     values of 1..16 bytes --widen--> i64, u64 or f64 --drop nulls, NaN--> fold into the zone
 *
 * so that there is one loop a kind of bound instead of one a type. Text is compared by its first
 * eight bytes as a big-endian number; only where these are equal are the bytes themselves read.
 */
#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "base/float16.h"
#include "base/int256.h"
#include "stats/text_key.h"
#include "stats/zonemap.h"

#define BLOCK 1024

enum { ORDER_FLAGS = STOA_ZONE_ASCENDING | STOA_ZONE_DESCENDING };

/* What is known behind the values seen so far. */
struct scan {
    const struct stoa_type *type;
    const struct stoa_array *array;
    struct stoa_zone *zone;
    bool has_value; /* the zone's bounds hold a value */
    bool has_nan;
    bool falls; /* a value is less than the one before */
    bool rises;
    union stoa_bound last; /* the value before, of a number */
};

/* ---- Numbers. ---- */

union block {
    int64_t i64[BLOCK];
    uint64_t u64[BLOCK];
    double f64[BLOCK];
};

#define DEFINE_WIDEN(name, from, member, to)                                                       \
    static void name(const struct stoa_array *array, size_t begin, size_t n, union block *out)     \
    {                                                                                              \
        const from *values = (const from *)(const void *)array->values + begin;                    \
                                                                                                   \
        for (size_t i = 0; i < n; i++)                                                             \
            out->member[i] = (to)values[i];                                                        \
    }
DEFINE_WIDEN(widen_i8, int8_t, i64, int64_t)
DEFINE_WIDEN(widen_i16, int16_t, i64, int64_t)
DEFINE_WIDEN(widen_i32, int32_t, i64, int64_t)
DEFINE_WIDEN(widen_i64, int64_t, i64, int64_t)
DEFINE_WIDEN(widen_u8, uint8_t, u64, uint64_t)
DEFINE_WIDEN(widen_u16, uint16_t, u64, uint64_t)
DEFINE_WIDEN(widen_u32, uint32_t, u64, uint64_t)
DEFINE_WIDEN(widen_u64, uint64_t, u64, uint64_t)
DEFINE_WIDEN(widen_f32, float, f64, double)
DEFINE_WIDEN(widen_f64, double, f64, double)

static void widen_f16(const struct stoa_array *array, size_t begin, size_t n, union block *out)
{
    const uint16_t *values = (const uint16_t *)(const void *)array->values + begin;

    for (size_t i = 0; i < n; i++)
        out->f64[i] = stoa_float16_to_double(values[i]);
}

static void widen_bool(const struct stoa_array *array, size_t begin, size_t n, union block *out)
{
    for (size_t i = 0; i < n; i++)
        out->u64[i] = stoa_bitmap_get(array->values, begin + i);
}

/* A decimal of up to 18 digits is its low half. */
static void narrow_decimal(const struct stoa_array *array, size_t begin, size_t n, union block *out)
{
    const struct stoa_int128 *values = (const struct stoa_int128 *)(const void *)array->values;

    for (size_t i = 0; i < n; i++)
        out->i64[i] = (int64_t)values[begin + i].lo;
}

typedef void widen_function(const struct stoa_array *array, size_t begin, size_t n,
                            union block *out);

static widen_function *widen_of(const struct stoa_type *type)
{
    static widen_function *const table[] = {
        [STOA_BOOL] = widen_bool,     [STOA_INT8] = widen_i8,          [STOA_INT16] = widen_i16,
        [STOA_INT32] = widen_i32,     [STOA_INT64] = widen_i64,        [STOA_UINT8] = widen_u8,
        [STOA_UINT16] = widen_u16,    [STOA_UINT32] = widen_u32,       [STOA_UINT64] = widen_u64,
        [STOA_FLOAT16] = widen_f16,   [STOA_FLOAT32] = widen_f32,      [STOA_FLOAT64] = widen_f64,
        [STOA_DATE32] = widen_i32,    [STOA_DECIMAL] = narrow_decimal, [STOA_TIME] = widen_i64,
        [STOA_TIMESTAMP] = widen_i64, [STOA_DURATION] = widen_i64,     [STOA_ENUM] = widen_u32,
    };

    if (type->id == STOA_TIME && type->unit <= STOA_MILLI)
        return widen_i32;
    return table[type->id];
}

/* Moves the values that are not null to the front and returns how many. */
static size_t drop_nulls(const uint8_t *validity, size_t begin, size_t n, union block *block)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        block->u64[kept] = block->u64[i]; /* the bits, whatever the kind */
        kept += stoa_bitmap_get(validity, begin + i);
    }
    return kept;
}

static size_t drop_nans(size_t n, union block *block)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        double x = block->f64[i];

        block->f64[kept] = x;
        kept += x == x;
    }
    return kept;
}

static bool has_nans(size_t n, const double *values)
{
    bool found = false;

    for (size_t i = 0; i < n; i++)
        found |= values[i] != values[i];
    return found;
}

/*
 * n > 0 values into the bounds; the first of a scan has no neighbour and sets both bounds. Four
 * bounds of each side, of every fourth value, do not wait for each other. Most columns are in no
 * order, which is known after a few values; then none is compared with its neighbour any more.
 */
#define FOLD_LANE(k)                                                                               \
    (min##k = values[i + k] < min##k ? values[i + k] : min##k,                                     \
     max##k = values[i + k] > max##k ? values[i + k] : max##k)
#define FOLD_INTO(k) (min0 = min##k < min0 ? min##k : min0, max0 = max##k > max0 ? max##k : max0)
#define DEFINE_FOLD(name, element, member)                                                         \
    static void name(struct scan *scan, const element *values, size_t n)                           \
    {                                                                                              \
        element min0 = scan->has_value ? scan->zone->min.member : values[0];                       \
        element max0 = scan->has_value ? scan->zone->max.member : values[0];                       \
        element min1 = min0, min2 = min0, min3 = min0, max1 = max0, max2 = max0, max3 = max0;      \
        element last = scan->has_value ? scan->last.member : values[0];                            \
        bool falls = values[0]<last, rises = values[0]> last;                                      \
        size_t i = 0;                                                                              \
                                                                                                   \
        for (; i + 4 <= n; i += 4)                                                                 \
            FOLD_LANE(0), FOLD_LANE(1), FOLD_LANE(2), FOLD_LANE(3);                                \
        for (; i < n; i++)                                                                         \
            FOLD_LANE(0);                                                                          \
        FOLD_INTO(1), FOLD_INTO(2), FOLD_INTO(3);                                                  \
        falls |= scan->falls;                                                                      \
        rises |= scan->rises;                                                                      \
        for (i = 1; i < n && !(falls && rises); i++) {                                             \
            falls |= values[i] < values[i - 1];                                                    \
            rises |= values[i] > values[i - 1];                                                    \
        }                                                                                          \
        scan->zone->min.member = min0;                                                             \
        scan->zone->max.member = max0;                                                             \
        scan->last.member = values[n - 1];                                                         \
        scan->falls = falls;                                                                       \
        scan->rises = rises;                                                                       \
    }
DEFINE_FOLD(fold_i64, int64_t, i64)
DEFINE_FOLD(fold_u64, uint64_t, u64)
DEFINE_FOLD(fold_f64, double, f64)

static void fold(struct scan *scan, const void *values, size_t n)
{
    if (scan->zone->kind == STOA_BOUND_INT)
        fold_i64(scan, values, n);
    else if (scan->zone->kind == STOA_BOUND_UINT)
        fold_u64(scan, values, n);
    else
        fold_f64(scan, values, n);
    scan->has_value = true;
}

static void scan_numbers(struct scan *scan, size_t begin, size_t end)
{
    const bool is_float = scan->zone->kind == STOA_BOUND_FLOAT;
    widen_function *widen = widen_of(scan->type);
    const bool is_wide = widen == widen_i64 || widen == widen_u64 || widen == widen_f64;
    union block block;

    for (size_t n; begin < end; begin += n) {
        const void *values = is_wide ? scan->array->values + sizeof(block.u64[0]) * begin : NULL;
        size_t kept = n = end - begin < BLOCK ? end - begin : BLOCK;

        /* Values that are there in the form of the fold, without holes, are taken as they are. */
        if (values == NULL || scan->zone->nnulls != 0 || (is_float && has_nans(n, values))) {
            widen(scan->array, begin, n, &block);
            values = &block;
            if (scan->zone->nnulls != 0)
                kept = drop_nulls(scan->array->validity, begin, n, &block);
            if (is_float) {
                size_t nfilled = kept;

                kept = drop_nans(nfilled, &block);
                scan->has_nan |= kept < nfilled;
            }
        }
        if (kept > 0)
            fold(scan, values, kept);
    }
}

static void scan_int128s(struct scan *scan, size_t begin, size_t end)
{
    const struct stoa_int128 *values =
        (const struct stoa_int128 *)(const void *)scan->array->values;
    struct stoa_int128 min = {0}, max = {0}, last = {0};

    for (size_t i = begin; i < end; i++) {
        struct stoa_int128 x = values[i];
        int order;

        if (scan->zone->nnulls != 0 && stoa_array_is_null(scan->array, i))
            continue;
        if (!scan->has_value)
            min = max = last = x;
        scan->has_value = true;
        order = stoa_int128_cmp(x, last);
        scan->falls |= order < 0;
        scan->rises |= order > 0;
        if (stoa_int128_cmp(x, min) < 0)
            min = x;
        if (stoa_int128_cmp(x, max) > 0)
            max = x;
        last = x;
    }
    scan->zone->min = (union stoa_bound){.i128 = {.lo = min.lo, .hi = min.hi}};
    scan->zone->max = (union stoa_bound){.i128 = {.lo = max.lo, .hi = max.hi}};
}

static void set_int256(union stoa_bound *bound, const struct stoa_int256 *x)
{
    for (int i = 0; i < 4; i++)
        bound->i256[i] = x->words[STOA_INT256_WORD(i)];
}

static void scan_int256s(struct scan *scan, size_t begin, size_t end)
{
    const struct stoa_int256 *values =
        (const struct stoa_int256 *)(const void *)scan->array->values;
    const struct stoa_int256 *min = NULL, *max = NULL, *last = NULL;

    for (size_t i = begin; i < end; i++) {
        const struct stoa_int256 *x = &values[i];
        int order;

        if (scan->zone->nnulls != 0 && stoa_array_is_null(scan->array, i))
            continue;
        if (last == NULL)
            min = max = last = x;
        order = stoa_int256_cmp(*x, *last);
        scan->falls |= order < 0;
        scan->rises |= order > 0;
        if (stoa_int256_cmp(*x, *min) < 0)
            min = x;
        if (stoa_int256_cmp(*x, *max) > 0)
            max = x;
        last = x;
    }
    if (last == NULL)
        return;
    scan->has_value = true;
    set_int256(&scan->zone->min, min);
    set_int256(&scan->zone->max, max);
}

/* ---- Text. ---- */

static void set_text_bounds(struct stoa_zone *zone, const struct stoa_text_ref *min,
                            const struct stoa_text_ref *max)
{
    size_t min_nbytes = min->nbytes < STOA_BOUND_NBYTES ? min->nbytes : STOA_BOUND_NBYTES;
    size_t max_nbytes = max->nbytes < STOA_BOUND_NBYTES ? max->nbytes : STOA_BOUND_NBYTES;

    memset(&zone->min, 0, sizeof(zone->min));
    memset(&zone->max, 0, sizeof(zone->max));
    if (min_nbytes > 0)
        memcpy(zone->min.bytes, min->bytes, min_nbytes);
    if (max_nbytes > 0)
        memcpy(zone->max.bytes, max->bytes, max_nbytes);
    zone->min_nbytes = (uint8_t)min_nbytes;
    if (min->nbytes <= STOA_BOUND_NBYTES)
        zone->flags |= STOA_ZONE_MIN_EXACT;
    if (max->nbytes <= STOA_BOUND_NBYTES) {
        zone->flags |= STOA_ZONE_MAX_EXACT;
    } else { /* the least text of 16 bytes that is greater */
        while (max_nbytes > 0 && zone->max.bytes[max_nbytes - 1] == 0xff)
            zone->max.bytes[--max_nbytes] = 0;
        if (max_nbytes > 0)
            zone->max.bytes[max_nbytes - 1]++;
        else
            zone->flags |= STOA_ZONE_MAX_OPEN;
    }
    zone->max_nbytes = (uint8_t)max_nbytes;
}

static void scan_texts(struct scan *scan, size_t begin, size_t end)
{
    size_t width = stoa_text_width(scan->type);
    struct stoa_text_ref min = {0}, max = {0}, last = {0};

    for (size_t i = begin; i < end; i++) {
        struct stoa_text_ref x;

        if (scan->zone->nnulls != 0 && stoa_array_is_null(scan->array, i))
            continue;
        x = stoa_text_ref_at(scan->array, width, i);
        if (!scan->has_value)
            min = max = last = x;
        scan->has_value = true;
        if (!scan->falls || !scan->rises) {
            int order = stoa_text_ref_compare(&x, &last);

            scan->falls |= order < 0;
            scan->rises |= order > 0;
            last = x;
        }
        if (x.key <= min.key && stoa_text_ref_compare(&x, &min) < 0)
            min = x;
        if (x.key >= max.key && stoa_text_ref_compare(&x, &max) > 0)
            max = x;
    }
    if (scan->has_value)
        set_text_bounds(scan->zone, &min, &max);
}

/* ---- The whole. ---- */

static void finish(const struct scan *scan)
{
    struct stoa_zone *zone = scan->zone;

    if (zone->kind == STOA_BOUND_FLOAT) {
        if (!scan->has_nan)
            zone->flags |= STOA_ZONE_NO_NAN;
        else if (!scan->has_value)
            zone->flags |= STOA_ZONE_ALL_NAN;
        if (zone->min.f64 == 0)
            zone->min.f64 = -0.0;
        if (zone->max.f64 == 0)
            zone->max.f64 = 0.0;
    }
    if (!scan->has_value) {
        memset(&zone->min, 0, sizeof(zone->min));
        memset(&zone->max, 0, sizeof(zone->max));
        return;
    }
    zone->flags |= STOA_ZONE_HAS_BOUNDS;
    if (zone->kind != STOA_BOUND_BYTES)
        zone->flags |= STOA_ZONE_MIN_EXACT | STOA_ZONE_MAX_EXACT;
    if (zone->nnulls == 0 && !scan->has_nan) {
        zone->flags |= scan->falls ? 0 : STOA_ZONE_ASCENDING;
        zone->flags |= scan->rises ? 0 : STOA_ZONE_DESCENDING;
    }
}

static uint64_t count_nulls(const struct stoa_type *type, const struct stoa_array *array,
                            size_t begin, size_t end)
{
    if (type->id == STOA_NULL)
        return end - begin;
    if (array->validity == NULL)
        return 0;
    return end - begin - stoa_bitmap_count(array->validity, begin, end);
}

void stoa_zone_compute(const struct stoa_type *type, const struct stoa_array *array, size_t begin,
                       size_t end, struct stoa_zone *out)
{
    struct stoa_zone zone = {.kind = stoa_bound_kind(type), .nvalues = end - begin};
    struct scan scan = {.type = type, .array = array, .zone = &zone};

    assert(begin <= end && end <= array->nvalues);
    zone.nnulls = count_nulls(type, array, begin, end);
    if (zone.nnulls < zone.nvalues) {
        switch (zone.kind) {
        case STOA_BOUND_NONE:
            break;
        case STOA_BOUND_INT:
        case STOA_BOUND_UINT:
        case STOA_BOUND_FLOAT:
            scan_numbers(&scan, begin, end);
            break;
        case STOA_BOUND_INT128:
            scan_int128s(&scan, begin, end);
            break;
        case STOA_BOUND_INT256:
            scan_int256s(&scan, begin, end);
            break;
        case STOA_BOUND_BYTES:
            scan_texts(&scan, begin, end);
            break;
        }
    }
    finish(&scan);
    *out = zone;
}

/* The order flags of values i - 1 and i, both not null and not NaN. */
static uint16_t order_at(const struct stoa_type *type, const struct stoa_array *array, size_t i)
{
    struct stoa_zone pair;

    stoa_zone_compute(type, array, i - 1, i + 1, &pair);
    return pair.flags & ORDER_FLAGS;
}

void stoa_zone_compute_group(const struct stoa_type *type, const struct stoa_array *array,
                             const size_t *ends, size_t nzones, struct stoa_zone *zones,
                             struct stoa_zone *all)
{
    uint16_t order = ORDER_FLAGS;

    *all = stoa_zone_empty(type);
    for (size_t z = 0, begin = 0, end; z < nzones; z++, begin = end) {
        size_t rest = array->nvalues - begin;

        end = ends != NULL ? ends[z] : begin + (rest < STOA_ZONE_NROWS ? rest : STOA_ZONE_NROWS);
        stoa_zone_compute(type, array, begin, end, &zones[z]);
        if (begin < end)
            order &= zones[z].flags;
        if (begin > 0 && begin < end && order != 0)
            order &= order_at(type, array, begin);
        stoa_zone_merge(all, &zones[z]);
    }
    if (all->nvalues > 0)
        all->flags = (uint16_t)(all->flags & ~ORDER_FLAGS) | order;
}
