/*
 * From the literals of a term to ranges of values (docs/predicates.md, "Values").
 *
 * column/cast.h says where a literal lies among the values of a type: on one, between two, above or
 * below all. Each operator then takes an end from it,
 *
 *     x >= 2.5 on int64: between 2 and 3, so the lower end is 3     [3, greatest]
 *     x < 300 on uint8:  above all, so the upper end is the greatest [least, greatest]
 *     x > 300 on uint8:  no lower end                                nothing
 *
 * and so no literal is ever rounded. The ranges of a list are sorted and joined where they touch.
 */
#include "stats/filter_range.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "stats/text_key.h"
#include "stats/zonemap.h"

/* ---- The numbers of a kind. ---- */

/* NaN aside, every double has the bits of a number that rises with it, from -inf to inf. */
static int64_t double_rank(double x)
{
    int64_t bits;

    memcpy(&bits, &x, 8);
    return bits < 0 ? INT64_MIN - bits : bits; /* -0.0 and 0.0 are both 0 */
}

static double double_of_rank(int64_t rank)
{
    int64_t bits = rank < 0 ? INT64_MIN - rank : rank;
    double x;

    memcpy(&x, &bits, 8);
    return x;
}

static union stoa_bound least(enum stoa_bound_kind kind)
{
    switch (kind) {
    case STOA_BOUND_INT:
        return (union stoa_bound){.i64 = INT64_MIN};
    case STOA_BOUND_FLOAT:
        return (union stoa_bound){.f64 = (double)-__builtin_inff()};
    case STOA_BOUND_INT128:
        return (union stoa_bound){.i128 = {.lo = 0, .hi = INT64_MIN}};
    case STOA_BOUND_INT256:
        return (union stoa_bound){.i256 = {0, 0, 0, UINT64_C(1) << 63}};
    default:
        return (union stoa_bound){.u64 = 0};
    }
}

static union stoa_bound greatest(enum stoa_bound_kind kind)
{
    switch (kind) {
    case STOA_BOUND_INT:
        return (union stoa_bound){.i64 = INT64_MAX};
    case STOA_BOUND_FLOAT:
        return (union stoa_bound){.f64 = (double)__builtin_inff()};
    case STOA_BOUND_INT128:
        return (union stoa_bound){.i128 = {.lo = UINT64_MAX, .hi = INT64_MAX}};
    case STOA_BOUND_INT256:
        return (union stoa_bound){.i256 = {UINT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MAX}};
    default:
        return (union stoa_bound){.u64 = UINT64_MAX};
    }
}

static int compare(enum stoa_bound_kind kind, const union stoa_bound *a, const union stoa_bound *b)
{
    return stoa_bound_compare(kind, a, 0, b, 0);
}

/* The next value up (step 1) or down (-1); false at the end of the kind. */
static bool step_bound(enum stoa_bound_kind kind, union stoa_bound *bound, int step)
{
    union stoa_bound end = step > 0 ? greatest(kind) : least(kind);

    if (compare(kind, bound, &end) == 0)
        return false;
    switch (kind) {
    case STOA_BOUND_INT:
        bound->i64 += step;
        break;
    case STOA_BOUND_FLOAT:
        bound->f64 = double_of_rank(double_rank(bound->f64) + step);
        break;
    case STOA_BOUND_INT128:
        bound->i128.lo += (uint64_t)(int64_t)step;
        if (bound->i128.lo == (step > 0 ? 0 : UINT64_MAX))
            bound->i128.hi += step;
        break;
    case STOA_BOUND_INT256:
        for (int i = 0; i < 4; i++) {
            bound->i256[i] += (uint64_t)(int64_t)step;
            if (bound->i256[i] != (step > 0 ? 0 : UINT64_MAX)) /* nothing is carried on */
                break;
        }
        break;
    default:
        bound->u64 += (uint64_t)(int64_t)step;
        break;
    }
    return true;
}

/* ---- Literals. ---- */

/* Where a literal lies; `bytes` are the matcher's. */
struct place {
    enum stoa_cast cast;
    union stoa_bound number;
    const uint8_t *bytes;
    size_t nbytes;
    bool is_nan;
};

/* A copy that lives as long as the matcher, with a zero byte behind. */
static enum stoa_status keep(struct stoa_matcher *matcher, const uint8_t *bytes, size_t nbytes,
                             uint8_t **out, struct stoa_error *err)
{
    char *copy;
    enum stoa_status st = stoa_reserve(&matcher->kept, &matcher->kept_capacity, matcher->nkept + 1,
                                       sizeof(matcher->kept[0]), err);

    if (st == STOA_OK)
        st = stoa_strndup(&copy, nbytes > 0 ? (const char *)bytes : "", nbytes, err);
    if (st != STOA_OK)
        return st;
    matcher->kept[matcher->nkept++] = copy;
    *out = (uint8_t *)copy;
    return STOA_OK;
}

static enum stoa_status locate(struct stoa_matcher *matcher, enum stoa_bound_kind kind,
                               const struct stoa_field *field,
                               const struct stoa_filter_value *value, struct place *out,
                               struct stoa_error *err)
{
    struct stoa_literal literal = {
        .kind = value->kind, .text = value->bytes, .nbytes = value->nbytes};
    uint8_t storage[STOA_CAST_STORAGE_NBYTES], *copy;
    struct stoa_scalar scalar;
    enum stoa_status st;

    *out = (struct place){0};
    STOA_TRY(stoa_cast_literal(field, &literal, &out->cast, &scalar, storage, err));
    out->number = stoa_bound_of_scalar(kind, &scalar);
    out->is_nan = kind == STOA_BOUND_FLOAT && scalar.f64 != scalar.f64;
    if (kind == STOA_BOUND_BYTES) {
        STOA_TRY(keep(matcher, scalar.bytes, scalar.nbytes, &copy, err));
        out->bytes = copy;
        out->nbytes = scalar.nbytes;
    }
out:
    return st;
}

/* ---- Ends of ranges. ---- */

static const uint8_t no_bytes[1];

static bool lower_number(enum stoa_bound_kind kind, const struct place *place, bool strict,
                         union stoa_bound *out)
{
    *out = place->cast == STOA_CAST_BELOW ? least(kind) : place->number;
    if (place->cast == STOA_CAST_ABOVE || place->is_nan)
        return false;
    if (place->cast == STOA_CAST_BETWEEN || (place->cast == STOA_CAST_EXACT && strict))
        return step_bound(kind, out, 1);
    return true;
}

static bool upper_number(enum stoa_bound_kind kind, const struct place *place, bool strict,
                         union stoa_bound *out)
{
    *out = place->cast == STOA_CAST_ABOVE ? greatest(kind) : place->number;
    if (place->cast == STOA_CAST_BELOW || place->is_nan)
        return false;
    return place->cast == STOA_CAST_EXACT && strict ? step_bound(kind, out, -1) : true;
}

/* Appends the range from `low` to `high` (NULL: no end), if it has any value. */
static void add_numbers(struct stoa_leaf *leaf, const struct place *low, bool low_strict,
                        const struct place *high, bool high_strict)
{
    struct stoa_bound_range range = {.lo = least(leaf->kind), .hi = greatest(leaf->kind)};

    if (low != NULL && !lower_number(leaf->kind, low, low_strict, &range.lo))
        return;
    if (high != NULL && !upper_number(leaf->kind, high, high_strict, &range.hi))
        return;
    if (compare(leaf->kind, &range.lo, &range.hi) <= 0)
        leaf->ranges[leaf->nranges++] = range;
}

static void set_keys(struct stoa_bytes_range *range)
{
    range->lo_key = stoa_text_key(range->lo, range->lo_nbytes);
    range->hi_key = range->hi != NULL ? stoa_text_key(range->hi, range->hi_nbytes) : UINT64_MAX;
}

/* The text behind `bytes` is the same with its zero byte. */
static void add_bytes(struct stoa_leaf *leaf, const struct place *low, bool low_strict,
                      const struct place *high, bool high_strict)
{
    struct stoa_bytes_range range = {.lo = no_bytes};

    if (low != NULL) {
        range.lo = low->bytes;
        range.lo_nbytes = low->nbytes + low_strict;
    }
    if (high != NULL) {
        range.hi = high->bytes;
        range.hi_nbytes = high->nbytes + !high_strict;
        if (stoa_bytes_compare(range.lo, range.lo_nbytes, range.hi, range.hi_nbytes) >= 0)
            return;
        range.is_point = low == high && !low_strict && !high_strict;
    }
    set_keys(&range);
    leaf->texts[leaf->nranges++] = range;
}

static void add_range(struct stoa_leaf *leaf, const struct place *low, bool low_strict,
                      const struct place *high, bool high_strict)
{
    if (leaf->kind == STOA_BOUND_BYTES)
        add_bytes(leaf, low, low_strict, high, high_strict);
    else
        add_numbers(leaf, low, low_strict, high, high_strict);
}

static void add_point(struct stoa_leaf *leaf, const struct place *place)
{
    if (place->cast == STOA_CAST_EXACT)
        add_range(leaf, place, false, place, false);
}

static void add_comparison(struct stoa_leaf *leaf, enum stoa_compare op, const struct place *place)
{
    switch (op) {
    case STOA_COMPARE_EQUAL:
    case STOA_COMPARE_NOT_EQUAL:
        add_point(leaf, place);
        break;
    case STOA_COMPARE_LESS:
    case STOA_COMPARE_LESS_EQUAL:
        add_range(leaf, NULL, false, place, op == STOA_COMPARE_LESS);
        break;
    case STOA_COMPARE_GREATER:
    case STOA_COMPARE_GREATER_EQUAL:
        add_range(leaf, place, op == STOA_COMPARE_GREATER, NULL, false);
        break;
    }
    leaf->inverted = op == STOA_COMPARE_NOT_EQUAL;
}

/* ---- Lists: sorted, without repetition, neighbours joined. ---- */

#define DEFINE_ORDER(name, member)                                                                 \
    static int name(const void *a, const void *b)                                                  \
    {                                                                                              \
        const struct stoa_bound_range *x = a, *y = b;                                              \
                                                                                                   \
        return (x->lo.member > y->lo.member) - (x->lo.member < y->lo.member);                      \
    }
DEFINE_ORDER(order_int, i64)
DEFINE_ORDER(order_uint, u64)
DEFINE_ORDER(order_float, f64)

static int order_int128(const void *a, const void *b)
{
    const struct stoa_bound_range *x = a, *y = b;

    return compare(STOA_BOUND_INT128, &x->lo, &y->lo);
}

static int order_int256(const void *a, const void *b)
{
    const struct stoa_bound_range *x = a, *y = b;

    return compare(STOA_BOUND_INT256, &x->lo, &y->lo);
}

static int order_bytes(const void *a, const void *b)
{
    const struct stoa_bytes_range *x = a, *y = b;

    return stoa_bytes_compare(x->lo, x->lo_nbytes, y->lo, y->lo_nbytes);
}

static void join_numbers(struct stoa_leaf *leaf)
{
    static int (*const orders[])(const void *, const void *) = {
        [STOA_BOUND_INT] = order_int,       [STOA_BOUND_UINT] = order_uint,
        [STOA_BOUND_FLOAT] = order_float,   [STOA_BOUND_INT128] = order_int128,
        [STOA_BOUND_INT256] = order_int256,
    };
    size_t n = 0;

    if (leaf->nranges < 2)
        return;
    qsort(leaf->ranges, leaf->nranges, sizeof(leaf->ranges[0]), orders[leaf->kind]);
    for (size_t i = 1; i < leaf->nranges; i++) {
        struct stoa_bound_range *last = &leaf->ranges[n], *next = &leaf->ranges[i];
        union stoa_bound behind = last->hi;

        if (!step_bound(leaf->kind, &behind, 1) || compare(leaf->kind, &next->lo, &behind) <= 0) {
            if (compare(leaf->kind, &next->hi, &last->hi) > 0)
                last->hi = next->hi;
        } else {
            leaf->ranges[++n] = *next;
        }
    }
    leaf->nranges = n + 1;
}

/* Only points come in lists of texts. */
static void join_points(struct stoa_leaf *leaf)
{
    size_t n = 0;

    if (leaf->nranges < 2)
        return;
    qsort(leaf->texts, leaf->nranges, sizeof(leaf->texts[0]), order_bytes);
    for (size_t i = 1; i < leaf->nranges; i++)
        if (order_bytes(&leaf->texts[n], &leaf->texts[i]) != 0)
            leaf->texts[++n] = leaf->texts[i];
    leaf->nranges = n + 1;
}

/* More points than this are looked up by their hash. */
#define MANY_POINTS 8

static enum stoa_status hash_points(struct stoa_leaf *leaf, struct stoa_error *err)
{
    enum stoa_status st;

    if (leaf->nranges <= MANY_POINTS)
        return STOA_OK;
    leaf->nslots = 16;
    while (leaf->nslots < 2 * leaf->nranges)
        leaf->nslots *= 2;
    st = stoa_alloc_zeroed(&leaf->slots, leaf->nslots, sizeof(leaf->slots[0]), err);
    for (size_t i = 0; st == STOA_OK && i < leaf->nranges; i++) {
        size_t slot = stoa_hash(leaf->texts[i].lo, leaf->texts[i].lo_nbytes) & (leaf->nslots - 1);

        while (leaf->slots[slot] != 0)
            slot = (slot + 1) & (leaf->nslots - 1);
        leaf->slots[slot] = (uint32_t)i + 1;
    }
    return st;
}

/* ---- Like. ---- */

/* The range of the texts that begin with the pattern's prefix, or that are it. */
static enum stoa_status like_range(struct stoa_matcher *matcher, struct stoa_leaf *leaf,
                                   enum stoa_like_rest *rest, struct stoa_error *err)
{
    size_t nbytes;
    const uint8_t *prefix = stoa_like_prefix(leaf->like, &nbytes, rest);
    struct place place = {.cast = STOA_CAST_EXACT, .nbytes = nbytes};
    uint8_t *low, *high;
    enum stoa_status st;

    STOA_TRY(keep(matcher, prefix, nbytes, &low, err));
    place.bytes = low;
    if (*rest == STOA_LIKE_NOTHING) {
        add_bytes(leaf, &place, false, &place, false);
        return STOA_OK;
    }
    STOA_TRY(keep(matcher, prefix, nbytes, &high, err));
    add_bytes(leaf, &place, false, NULL, false);
    if (nbytes > 0) { /* the least bytes behind all that begin so; UTF-8 has no FF to carry over */
        high[nbytes - 1]++;
        leaf->texts[0].hi = high;
        leaf->texts[0].hi_nbytes = nbytes;
        set_keys(&leaf->texts[0]);
    }
out:
    return st;
}

static enum stoa_status like_texts(struct stoa_matcher *matcher, struct stoa_leaf *leaf,
                                   struct stoa_error *err)
{
    enum stoa_like_rest rest;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&leaf->texts, 1, sizeof(leaf->texts[0]), err));
    STOA_TRY(like_range(matcher, leaf, &rest, err));
    if (rest == STOA_LIKE_SOMETHING)
        leaf->test = STOA_LEAF_LIKE;
out:
    return st;
}

/* The symbols of an enum that match, as their codes. */
static enum stoa_status like_symbols(struct stoa_leaf *leaf, const struct stoa_type *type,
                                     struct stoa_error *err)
{
    enum stoa_status st =
        stoa_alloc_zeroed(&leaf->ranges, type->nsymbols, sizeof(leaf->ranges[0]), err);

    for (uint32_t i = 0; st == STOA_OK && i < type->nsymbols; i++) {
        const char *symbol = type->symbols[i];

        if (stoa_like_match(leaf->like, (const uint8_t *)symbol, strlen(symbol)))
            leaf->ranges[leaf->nranges++] =
                (struct stoa_bound_range){.lo = {.u64 = i}, .hi = {.u64 = i}};
    }
    if (st == STOA_OK)
        join_numbers(leaf);
    return st;
}

static enum stoa_status set_like(struct stoa_matcher *matcher, struct stoa_leaf *leaf,
                                 const struct stoa_field *field, const struct stoa_filter *term,
                                 struct stoa_error *err)
{
    const struct stoa_filter_value *pattern = &term->values[0];
    enum stoa_status st;

    if (field->type.id == STOA_NULL)
        return STOA_OK;
    if (field->type.id != STOA_UTF8 && field->type.id != STOA_ENUM)
        return stoa_fail(err, STOA_ERR_USAGE, "\"like\" is for text: the column is not utf8");
    st = stoa_like_new(pattern->bytes, pattern->nbytes, term->escape, &leaf->like, err);
    if (st != STOA_OK)
        return st;
    return field->type.id == STOA_ENUM ? like_symbols(leaf, &field->type, err)
                                       : like_texts(matcher, leaf, err);
}

/* ---- The whole. ---- */

static enum stoa_status alloc_ranges(struct stoa_leaf *leaf, size_t nranges, struct stoa_error *err)
{
    if (leaf->kind == STOA_BOUND_BYTES)
        return stoa_alloc_zeroed(&leaf->texts, nranges, sizeof(leaf->texts[0]), err);
    return stoa_alloc_zeroed(&leaf->ranges, nranges, sizeof(leaf->ranges[0]), err);
}

enum stoa_status stoa_leaf_set_ranges(struct stoa_matcher *matcher, struct stoa_leaf *leaf,
                                      const struct stoa_field *field,
                                      const struct stoa_filter *term, struct stoa_error *err)
{
    struct place first, second;
    enum stoa_status st;

    leaf->test = STOA_LEAF_RANGES;
    leaf->kind = stoa_bound_kind(&field->type);
    if (term->op == STOA_FILTER_LIKE)
        return set_like(matcher, leaf, field, term, err);
    if (leaf->kind == STOA_BOUND_NONE) /* null: there is no value to pass */
        return STOA_OK;
    STOA_TRY(alloc_ranges(leaf, term->nvalues, err));
    STOA_TRY(locate(matcher, leaf->kind, field, &term->values[0], &first, err));
    if (term->op == STOA_FILTER_COMPARE) {
        add_comparison(leaf, term->compare, &first);
    } else if (term->op == STOA_FILTER_BETWEEN) {
        STOA_TRY(locate(matcher, leaf->kind, field, &term->values[1], &second, err));
        add_range(leaf, &first, false, &second, false);
    } else {
        add_point(leaf, &first);
        for (size_t i = 1; i < term->nvalues; i++) {
            STOA_TRY(locate(matcher, leaf->kind, field, &term->values[i], &first, err));
            add_point(leaf, &first);
        }
        if (leaf->kind == STOA_BOUND_BYTES) {
            join_points(leaf);
            STOA_TRY(hash_points(leaf, err));
        } else {
            join_numbers(leaf);
        }
    }
out:
    return st;
}
