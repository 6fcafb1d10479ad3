/*
 * Bounds as values of their column: what printing them and comparing them with values needs.
 */
#include <assert.h>
#include <float.h>
#include <string.h>

#include "base/bits.h"
#include "base/float16.h"
#include "base/int256.h"
#include "column/array.h"
#include "column/scalar.h"
#include "stats/text_key.h"
#include "stats/zonemap.h"

/* ---- Numbers: false when the type has no such value. ---- */

/* The lower `width` bytes of a number. */
static void put_low(uint8_t *out, size_t width, uint64_t x)
{
    const uint8_t u8 = (uint8_t)x;
    const uint16_t u16 = (uint16_t)x;
    const uint32_t u32 = (uint32_t)x;

    if (width == 1)
        memcpy(out, &u8, 1);
    else if (width == 2)
        memcpy(out, &u16, 2);
    else if (width == 4)
        memcpy(out, &u32, 4);
    else
        memcpy(out, &x, 8);
}

static bool put_int(uint8_t *out, size_t width, int64_t x)
{
    const struct stoa_int128 wide = stoa_int128_from_i64(x);
    const unsigned unused = width < 8 ? 64 - 8 * (unsigned)width : 0;

    if (width == sizeof(wide)) { /* a decimal */
        memcpy(out, &wide, sizeof(wide));
        return true;
    }
    put_low(out, width, (uint64_t)x);
    return x <= INT64_MAX >> unused && x >= -(INT64_MAX >> unused) - 1;
}

static bool put_uint(uint8_t *out, size_t width, uint64_t x)
{
    put_low(out, width, x);
    return width == 8 || x >> (8 * width) == 0;
}

/* Cut to 16 bits first; whether anything was lost is seen on the way back. */
static bool put_float16(uint8_t *out, double x)
{
    const double size = x < 0 ? -x : x;
    uint64_t bits;
    uint16_t half;

    memcpy(&bits, &x, sizeof(bits));
    if (size < 0x1p-14)
        half = (uint16_t)(size * 0x1p24);
    else if (size < 0x1p16)
        half = (uint16_t)(((bits >> 52 & 2047) - (1023 - 15)) << 10 | (bits >> 42 & 1023));
    else
        half = 31 << 10;
    half = (uint16_t)(half | (bits >> 63) << 15);
    memcpy(out, &half, sizeof(half));
    return stoa_float16_to_double(half) == x;
}

static bool put_float(uint8_t *out, size_t width, double x)
{
    const double size = x < 0 ? -x : x;
    const float single = size <= (double)FLT_MAX || size > DBL_MAX ? (float)x : 0;

    if (width == 2)
        return put_float16(out, x);
    if (width == 4)
        memcpy(out, &single, sizeof(single));
    else
        memcpy(out, &x, sizeof(x));
    return width == 8 || (double)single == x;
}

static bool put_int256(uint8_t *out, const uint64_t words[4])
{
    struct stoa_int256 x;

    for (int i = 0; i < 4; i++)
        x.words[STOA_INT256_WORD(i)] = words[i];
    memcpy(out, &x, sizeof(x));
    return true;
}

static bool put_number(enum stoa_bound_kind kind, const union stoa_bound *bound, size_t width,
                       uint8_t *out)
{
    const struct stoa_int128 wide = {.lo = bound->i128.lo, .hi = bound->i128.hi};

    switch (kind) {
    case STOA_BOUND_INT:
        return put_int(out, width, bound->i64);
    case STOA_BOUND_UINT:
        return put_uint(out, width, bound->u64);
    case STOA_BOUND_FLOAT:
        return put_float(out, width, bound->f64);
    case STOA_BOUND_INT128:
        memcpy(out, &wide, sizeof(wide));
        return true;
    case STOA_BOUND_INT256:
        return put_int256(out, bound->i256);
    case STOA_BOUND_NONE:
    case STOA_BOUND_BYTES:
        break;
    }
    return false;
}

/* ---- Arrays of two. ---- */

static void set_known(struct stoa_array *array, size_t i)
{
    stoa_bitmap_set(array->validity, i);
    array->nnulls--;
}

static enum stoa_status number_bounds(const struct stoa_type *type, const struct stoa_zone *zone,
                                      struct stoa_array *out, struct stoa_error *err)
{
    const union stoa_bound *bounds[] = {&zone->min, &zone->max};
    const size_t width = stoa_type_width(type);
    enum stoa_status st = stoa_array_alloc(type, 2, 0, true, out, err);

    for (size_t i = 0; st == STOA_OK && i < 2; i++) {
        uint8_t value[sizeof(struct stoa_int256)] = {0};

        if (type->id == STOA_BOOL && bounds[i]->u64 <= 1) {
            if (bounds[i]->u64 == 1)
                stoa_bitmap_set(out->values, i);
            set_known(out, i);
        } else if (type->id != STOA_BOOL && put_number(zone->kind, bounds[i], width, value)) {
            memcpy(out->values + i * width, value, width);
            set_known(out, i);
        } else if (type->id != STOA_BOOL) {
            memset(out->values + i * width, 0, width);
        }
    }
    return st;
}

enum stoa_status stoa_bounds_of_texts(const struct stoa_type *type,
                                      const struct stoa_text_ref *least,
                                      const struct stoa_text_ref *greatest, struct stoa_array *out,
                                      struct stoa_error *err)
{
    const struct stoa_text_ref *bounds[] = {least, greatest};
    const size_t width = stoa_text_width(type);
    const size_t nbytes = least->nbytes + (greatest != NULL ? greatest->nbytes : 0);
    size_t at = 0;
    enum stoa_status st = stoa_array_alloc(type, 2, nbytes, true, out, err);

    if (st == STOA_OK && width > 0)
        memset(out->values, 0, 2 * width);
    for (size_t i = 0; st == STOA_OK && i < 2; i++) {
        size_t n = bounds[i] == NULL ? 0 : bounds[i]->nbytes;

        if (n > 0)
            memcpy(out->values + (width > 0 ? i * width : at), bounds[i]->bytes, n);
        at += n;
        if (width == 0)
            out->offsets[i + 1] = (int32_t)at;
        if (bounds[i] != NULL)
            set_known(out, i);
    }
    return st;
}

enum stoa_status stoa_zone_bounds(const struct stoa_type *type, const struct stoa_zone *zone,
                                  struct stoa_array *out, struct stoa_error *err)
{
    const struct stoa_text_ref least = stoa_text_ref_of(zone->min.bytes, zone->min_nbytes);
    const struct stoa_text_ref greatest = stoa_text_ref_of(zone->max.bytes, zone->max_nbytes);
    const bool open = zone->flags & STOA_ZONE_MAX_OPEN;
    struct stoa_array array = {0};
    enum stoa_status st = STOA_OK;

    assert(zone->kind == stoa_bound_kind(type));
    if ((zone->flags & STOA_ZONE_HAS_BOUNDS) && zone->kind == STOA_BOUND_BYTES)
        st = stoa_bounds_of_texts(type, &least, open ? NULL : &greatest, &array, err);
    else if (zone->flags & STOA_ZONE_HAS_BOUNDS)
        st = number_bounds(type, zone, &array, err);
    if (st != STOA_OK)
        return st;
    stoa_array_drop_validity(&array);
    *out = array;
    return STOA_OK;
}

/* ---- Values as bounds. ---- */

union stoa_bound stoa_bound_of_scalar(enum stoa_bound_kind kind, const struct stoa_scalar *scalar)
{
    union stoa_bound bound;

    switch (scalar->kind) {
    case STOA_KIND_INT64:
        return (union stoa_bound){.i64 = scalar->i64};
    case STOA_KIND_UINT64:
        return (union stoa_bound){.u64 = scalar->u64};
    case STOA_KIND_DOUBLE:
        return (union stoa_bound){.f64 = scalar->f64};
    case STOA_KIND_INT128:
        if (kind == STOA_BOUND_INT)
            return (union stoa_bound){.i64 = (int64_t)scalar->i128.lo};
        return (union stoa_bound){.i128 = {.lo = scalar->i128.lo, .hi = scalar->i128.hi}};
    case STOA_KIND_INT256:
        for (int i = 0; i < 4; i++)
            bound.i256[i] = scalar->i256.words[STOA_INT256_WORD(i)];
        return bound;
    default:
        return (union stoa_bound){.u64 = 0};
    }
}
