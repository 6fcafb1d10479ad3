/*
 * Predicates on rows (stats/matcher.h): a column at a time, never a row at a time through the tree.
 *
 *     values --compare, 1,024 at a time--> a byte each, 0 or 1 --pack--> bitmap
 *     bitmap ^ inverted, & validity                            the leaf is true
 *     and, or of bitmaps                                       the predicate is true
 *
 * The loops over numbers of a few ranges have no branches. Lists with many numbers are searched by
 * halves, lists with many texts by their hash.
 */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/float16.h"
#include "base/hash.h"
#include "base/int256.h"
#include "column/schema.h"
#include "stats/matcher.h"
#include "stats/text_key.h"
#include "stats/zonemap.h"

#define BLOCK 1024

/* Up to so many ranges each value is held against all of them. */
#define FEW_RANGES 4

/* mask[i] for i < n: whether value begin + i lies in a range of the leaf. */
typedef void scan_function(const struct stoa_leaf *leaf, const struct stoa_array *array,
                           size_t begin, size_t n, uint8_t *mask);

/* ---- Numbers. ---- */

/* Whether one of many ranges holds a number. */
#define DEFINE_FIND(name, element, member)                                                         \
    static bool name(const struct stoa_leaf *leaf, element x)                                      \
    {                                                                                              \
        size_t begin = 0, n = leaf->nranges;                                                       \
                                                                                                   \
        while (n > 0) {                                                                            \
            size_t half = n / 2;                                                                   \
            bool behind = leaf->ranges[begin + half].hi.member < x;                                \
                                                                                                   \
            begin = behind ? begin + half + 1 : begin;                                             \
            n = behind ? n - half - 1 : half;                                                      \
        }                                                                                          \
        return begin < leaf->nranges && leaf->ranges[begin].lo.member <= x &&                      \
               x <= leaf->ranges[begin].hi.member;                                                 \
    }
DEFINE_FIND(find_i64, int64_t, i64)
DEFINE_FIND(find_u64, uint64_t, u64)
DEFINE_FIND(find_f64, double, f64)

/*
 * Integers of a type: a range is cut to what the type holds, and then lo <= x <= hi is one
 * comparison of x - lo, which wraps around, with hi - lo.
 */
struct span {
    uint64_t from;
    uint64_t length;
};

static bool cut_i64(const struct stoa_bound_range *range, int64_t min, int64_t max,
                    struct span *out)
{
    int64_t lo = range->lo.i64 > min ? range->lo.i64 : min;
    int64_t hi = range->hi.i64 < max ? range->hi.i64 : max;

    *out = (struct span){.from = (uint64_t)lo, .length = (uint64_t)hi - (uint64_t)lo};
    return lo <= hi;
}

static bool cut_u64(const struct stoa_bound_range *range, uint64_t max, struct span *out)
{
    uint64_t hi = range->hi.u64 < max ? range->hi.u64 : max;

    *out = (struct span){.from = range->lo.u64, .length = hi - range->lo.u64};
    return range->lo.u64 <= hi;
}

#define DEFINE_INTEGERS(name, type, unsigned_type, cut, find)                                      \
    static void name(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t begin,   \
                     size_t n, uint8_t *mask)                                                      \
    {                                                                                              \
        const type *values = (const type *)(const void *)array->values + begin;                    \
        struct span span;                                                                          \
                                                                                                   \
        if (leaf->nranges > FEW_RANGES) {                                                          \
            for (size_t i = 0; i < n; i++)                                                         \
                mask[i] = find(leaf, values[i]);                                                   \
            return;                                                                                \
        }                                                                                          \
        memset(mask, 0, n);                                                                        \
        for (size_t r = 0; r < leaf->nranges; r++) {                                               \
            unsigned_type from, length;                                                            \
                                                                                                   \
            if (!(cut))                                                                            \
                continue;                                                                          \
            from = (unsigned_type)span.from;                                                       \
            length = (unsigned_type)span.length;                                                   \
            for (size_t i = 0; i < n; i++)                                                         \
                mask[i] |= (unsigned_type)((unsigned_type)values[i] - from) <= length;             \
        }                                                                                          \
    }
DEFINE_INTEGERS(scan_i8, int8_t, uint8_t, cut_i64(&leaf->ranges[r], INT8_MIN, INT8_MAX, &span),
                find_i64)
DEFINE_INTEGERS(scan_i16, int16_t, uint16_t, cut_i64(&leaf->ranges[r], INT16_MIN, INT16_MAX, &span),
                find_i64)
DEFINE_INTEGERS(scan_i32, int32_t, uint32_t, cut_i64(&leaf->ranges[r], INT32_MIN, INT32_MAX, &span),
                find_i64)
DEFINE_INTEGERS(scan_i64, int64_t, uint64_t, cut_i64(&leaf->ranges[r], INT64_MIN, INT64_MAX, &span),
                find_i64)
DEFINE_INTEGERS(scan_u8, uint8_t, uint8_t, cut_u64(&leaf->ranges[r], UINT8_MAX, &span), find_u64)
DEFINE_INTEGERS(scan_u16, uint16_t, uint16_t, cut_u64(&leaf->ranges[r], UINT16_MAX, &span),
                find_u64)
DEFINE_INTEGERS(scan_u32, uint32_t, uint32_t, cut_u64(&leaf->ranges[r], UINT32_MAX, &span),
                find_u64)
DEFINE_INTEGERS(scan_u64, uint64_t, uint64_t, cut_u64(&leaf->ranges[r], UINT64_MAX, &span),
                find_u64)

#define DEFINE_FLOATS(name, type)                                                                  \
    static void name(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t begin,   \
                     size_t n, uint8_t *mask)                                                      \
    {                                                                                              \
        const type *values = (const type *)(const void *)array->values + begin;                    \
                                                                                                   \
        if (leaf->nranges > FEW_RANGES) {                                                          \
            for (size_t i = 0; i < n; i++)                                                         \
                mask[i] = find_f64(leaf, (double)values[i]);                                       \
            return;                                                                                \
        }                                                                                          \
        memset(mask, 0, n);                                                                        \
        for (size_t r = 0; r < leaf->nranges; r++) {                                               \
            double lo = leaf->ranges[r].lo.f64, hi = leaf->ranges[r].hi.f64;                       \
                                                                                                   \
            for (size_t i = 0; i < n; i++)                                                         \
                mask[i] |= ((double)values[i] >= lo) & ((double)values[i] <= hi);                  \
        }                                                                                          \
    }
DEFINE_FLOATS(scan_f32, float)
DEFINE_FLOATS(scan_f64, double)

static void scan_f16(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t begin,
                     size_t n, uint8_t *mask)
{
    const uint16_t *values = (const uint16_t *)(const void *)array->values + begin;

    for (size_t i = 0; i < n; i++)
        mask[i] = find_f64(leaf, stoa_float16_to_double(values[i]));
}

/* Decimals of up to 18 digits: 16 bytes in memory, of which the low half says all. */
static void scan_decimal(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t begin,
                         size_t n, uint8_t *mask)
{
    const struct stoa_int128 *values =
        (const struct stoa_int128 *)(const void *)array->values + begin;

    for (size_t i = 0; i < n; i++)
        mask[i] = find_i64(leaf, (int64_t)values[i].lo);
}

/* Whether a range holds a number of more than 64 bits. */
static bool find_wide(const struct stoa_leaf *leaf, const union stoa_bound *x)
{
    size_t begin = 0, end = leaf->nranges;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;

        if (stoa_bound_compare(leaf->kind, &leaf->ranges[middle].hi, 0, x, 0) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin < leaf->nranges &&
           stoa_bound_compare(leaf->kind, &leaf->ranges[begin].lo, 0, x, 0) <= 0;
}

static void scan_i128(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t begin,
                      size_t n, uint8_t *mask)
{
    const struct stoa_int128 *values =
        (const struct stoa_int128 *)(const void *)array->values + begin;

    for (size_t i = 0; i < n; i++) {
        union stoa_bound x = {.i128 = {.lo = values[i].lo, .hi = values[i].hi}};

        mask[i] = find_wide(leaf, &x);
    }
}

static void scan_i256(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t begin,
                      size_t n, uint8_t *mask)
{
    const struct stoa_int256 *values =
        (const struct stoa_int256 *)(const void *)array->values + begin;

    for (size_t i = 0; i < n; i++) {
        union stoa_bound x;

        for (int k = 0; k < 4; k++)
            x.i256[k] = values[i].words[STOA_INT256_WORD(k)];
        mask[i] = find_wide(leaf, &x);
    }
}

static void scan_bool(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t begin,
                      size_t n, uint8_t *mask)
{
    uint8_t answers[2] = {find_u64(leaf, 0), find_u64(leaf, 1)};

    for (size_t i = 0; i < n; i++)
        mask[i] = answers[stoa_bitmap_get(array->values, begin + i)];
}

/* ---- Bytes. ---- */

int stoa_bytes_compare(const uint8_t *a, size_t a_nbytes, const uint8_t *b, size_t b_nbytes)
{
    size_t shorter = a_nbytes < b_nbytes ? a_nbytes : b_nbytes;
    int order = shorter > 0 ? memcmp(a, b, shorter) : 0;

    return order != 0 ? order : (a_nbytes > b_nbytes) - (a_nbytes < b_nbytes);
}

static bool same_bytes(const struct stoa_bytes_range *point, const uint8_t *bytes, size_t nbytes)
{
    return nbytes == point->lo_nbytes && (nbytes == 0 || memcmp(bytes, point->lo, nbytes) == 0);
}

static bool hash_has(const struct stoa_leaf *leaf, const uint8_t *bytes, size_t nbytes)
{
    size_t slot = stoa_hash(bytes, nbytes) & (leaf->nslots - 1);

    for (; leaf->slots[slot] != 0; slot = (slot + 1) & (leaf->nslots - 1))
        if (same_bytes(&leaf->texts[leaf->slots[slot] - 1], bytes, nbytes))
            return true;
    return false;
}

static bool range_has(const struct stoa_bytes_range *range, const uint8_t *bytes, size_t nbytes)
{
    if (range->is_point)
        return same_bytes(range, bytes, nbytes);
    return stoa_bytes_compare(range->lo, range->lo_nbytes, bytes, nbytes) <= 0 &&
           (range->hi == NULL ||
            stoa_bytes_compare(bytes, nbytes, range->hi, range->hi_nbytes) < 0);
}

bool stoa_leaf_has_bytes(const struct stoa_leaf *leaf, const uint8_t *bytes, size_t nbytes)
{
    bool has = false;

    if (leaf->test == STOA_LEAF_LIKE)
        return stoa_like_match(leaf->like, bytes, nbytes);
    if (leaf->slots != NULL)
        return hash_has(leaf, bytes, nbytes);
    for (size_t r = 0; r < leaf->nranges && !has; r++)
        has = range_has(&leaf->texts[r], bytes, nbytes);
    return has;
}

/* The first eight bytes decide, unless they are those of an end. */
static bool range_has_key(const struct stoa_bytes_range *range, uint64_t key, const uint8_t *bytes,
                          size_t nbytes)
{
    if (key == range->lo_key || key == range->hi_key)
        return range_has(range, bytes, nbytes);
    return key > range->lo_key && key < range->hi_key;
}

static bool ranges_have_key(const struct stoa_leaf *leaf, uint64_t key, const uint8_t *bytes,
                            size_t nbytes)
{
    bool has = false;

    for (size_t r = 0; r < leaf->nranges && !has; r++)
        has = range_has_key(&leaf->texts[r], key, bytes, nbytes);
    return has;
}

/* Texts come as offsets and bytes or, where all have one width, as bytes alone. */
static void scan_bytes(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t width,
                       size_t begin, size_t n, uint8_t *mask)
{
    bool by_key = leaf->test == STOA_LEAF_RANGES && leaf->slots == NULL;
    const struct stoa_bytes_range *only = by_key && leaf->nranges == 1 ? leaf->texts : NULL;

    for (size_t i = 0; i < n; i++) {
        size_t row = begin + i;
        size_t from = width > 0 ? row * width : (size_t)array->offsets[row];
        size_t nbytes = width > 0 ? width : (size_t)array->offsets[row + 1] - from;
        const uint8_t *bytes = nbytes > 0 ? array->values + from : NULL;
        uint64_t key = by_key ? stoa_text_key_slack(bytes, nbytes) : 0;

        if (only != NULL)
            mask[i] = range_has_key(only, key, bytes, nbytes);
        else
            mask[i] = by_key ? ranges_have_key(leaf, key, bytes, nbytes)
                             : stoa_leaf_has_bytes(leaf, bytes, nbytes);
    }
}

static void scan_texts(const struct stoa_leaf *leaf, const struct stoa_array *array, size_t begin,
                       size_t n, uint8_t *mask)
{
    scan_bytes(leaf, array, 0, begin, n, mask);
}

/* ---- Leaves. ---- */

static void scan_nan16(const struct stoa_array *array, size_t begin, size_t n, uint8_t *mask)
{
    const uint16_t *values = (const uint16_t *)(const void *)array->values + begin;

    for (size_t i = 0; i < n; i++)
        mask[i] = (values[i] & 0x7fff) > 0x7c00;
}

static void scan_nan32(const struct stoa_array *array, size_t begin, size_t n, uint8_t *mask)
{
    const float *values = (const float *)(const void *)array->values + begin;

    for (size_t i = 0; i < n; i++)
        mask[i] = values[i] != values[i];
}

static void scan_nan64(const struct stoa_array *array, size_t begin, size_t n, uint8_t *mask)
{
    const double *values = (const double *)(const void *)array->values + begin;

    for (size_t i = 0; i < n; i++)
        mask[i] = values[i] != values[i];
}

static scan_function *scan_of(const struct stoa_leaf *leaf, const struct stoa_type *type)
{
    static scan_function *const table[] = {
        [STOA_BOOL] = scan_bool,     [STOA_INT8] = scan_i8,         [STOA_INT16] = scan_i16,
        [STOA_INT32] = scan_i32,     [STOA_INT64] = scan_i64,       [STOA_UINT8] = scan_u8,
        [STOA_UINT16] = scan_u16,    [STOA_UINT32] = scan_u32,      [STOA_UINT64] = scan_u64,
        [STOA_FLOAT16] = scan_f16,   [STOA_FLOAT32] = scan_f32,     [STOA_FLOAT64] = scan_f64,
        [STOA_DATE32] = scan_i32,    [STOA_DECIMAL] = scan_decimal, [STOA_TIME] = scan_i64,
        [STOA_TIMESTAMP] = scan_i64, [STOA_DURATION] = scan_i64,    [STOA_ENUM] = scan_u32,
        [STOA_UTF8] = scan_texts,    [STOA_BINARY] = scan_texts,
    };

    if (type->id == STOA_TIME && type->unit <= STOA_MILLI)
        return scan_i32;
    if (leaf->kind == STOA_BOUND_INT128)
        return scan_i128;
    return leaf->kind == STOA_BOUND_INT256 ? scan_i256 : table[type->id];
}

/* The same for every leaf that looks at values. */
static void scan_block(const struct stoa_leaf *leaf, const struct stoa_type *type,
                       const struct stoa_array *array, size_t begin, size_t n, uint8_t *mask)
{
    if (leaf->test == STOA_LEAF_IS_NAN) {
        if (type->id == STOA_FLOAT16)
            scan_nan16(array, begin, n, mask);
        else if (type->id == STOA_FLOAT32)
            scan_nan32(array, begin, n, mask);
        else
            scan_nan64(array, begin, n, mask);
    } else if (type->id == STOA_UUID || type->id == STOA_FIXED_BINARY) {
        scan_bytes(leaf, array, stoa_type_width(type), begin, n, mask);
    } else {
        scan_of(leaf, type)(leaf, array, begin, n, mask);
    }
}

/* Packs n bytes of 0 or 1 into bits; the rest of the last byte is zero. */
static void pack_mask(uint8_t *mask, size_t n, uint8_t *out)
{
    memset(mask + n, 0, (8 - n % 8) % 8);
    for (size_t i = 0; i < n; i += 8) {
        uint64_t eight = stoa_load64(mask + i);

        /* Byte k, which is 0 or 1, lands in bit 56 + k and nowhere else above bit 55. */
        out[i / 8] = (uint8_t)((eight * UINT64_C(0x0102040810204080)) >> 56);
    }
}

static void clear_tail(uint8_t *bitmap, size_t nbits)
{
    if (nbits % 8 != 0)
        bitmap[nbits / 8] &= (uint8_t)((1u << (nbits % 8)) - 1);
}

static void invert(uint8_t *bitmap, size_t nbytes)
{
    for (size_t i = 0; i < nbytes; i++)
        bitmap[i] = (uint8_t)~bitmap[i];
}

/* Which values are not null. */
static void copy_validity(const struct stoa_type *type, const struct stoa_array *array,
                          size_t nbytes, uint8_t *out)
{
    if (type->id == STOA_NULL)
        memset(out, 0, nbytes);
    else if (array->validity == NULL)
        memset(out, 0xff, nbytes);
    else
        memcpy(out, array->validity, nbytes);
}

static void mask_nulls(const struct stoa_array *array, size_t nbytes, uint8_t *out)
{
    for (size_t i = 0; array->validity != NULL && i < nbytes; i++)
        out[i] &= array->validity[i];
}

void stoa_leaf_eval(const struct stoa_leaf *leaf, const struct stoa_type *type,
                    const struct stoa_array *array, size_t nvalues, uint8_t *out)
{
    size_t nbytes = stoa_bitmap_nbytes(nvalues);
    uint8_t mask[BLOCK];

    if (leaf->test == STOA_LEAF_IS_NULL) {
        copy_validity(type, array, nbytes, out);
        if (!leaf->inverted)
            invert(out, nbytes);
    } else if (type->id == STOA_NULL) {
        memset(out, 0, nbytes);
    } else {
        for (size_t begin = 0; begin < nvalues; begin += BLOCK) {
            size_t n = nvalues - begin < BLOCK ? nvalues - begin : BLOCK;

            scan_block(leaf, type, array, begin, n, mask);
            pack_mask(mask, n, out + begin / 8);
        }
        if (leaf->test == STOA_LEAF_IS_NAN) { /* never unknown: null is not nan */
            mask_nulls(array, nbytes, out);
            if (leaf->inverted)
                invert(out, nbytes);
        } else {
            if (leaf->inverted)
                invert(out, nbytes);
            mask_nulls(array, nbytes, out);
        }
    }
    clear_tail(out, nvalues);
}

/* ---- Trees. ---- */

struct eval {
    const struct stoa_matcher *matcher;
    struct stoa_node_count *counts; /* or NULL */
    stoa_leaf_answer *answer;
    void *context;
    size_t nrows;
    size_t nbytes; /* of a bitmap */
    struct stoa_error *err;
};

static void join(uint8_t *out, const uint8_t *next, size_t nbytes, bool is_and)
{
    if (is_and) {
        for (size_t i = 0; i < nbytes; i++)
            out[i] &= next[i];
    } else {
        for (size_t i = 0; i < nbytes; i++)
            out[i] |= next[i];
    }
}

/* Whether further operands can't change anything: no row left for "and", all rows for "or". */
static bool is_decided(const struct eval *eval, const uint8_t *bitmap, bool is_and)
{
    return stoa_bitmap_count(bitmap, 0, eval->nrows) == (is_and ? 0 : eval->nrows);
}

/* The share of rows, of those asked for, for which a node was true. */
static double share_true(const struct stoa_node_count *count)
{
    uint64_t nrows = atomic_load_explicit(&count->nrows, memory_order_relaxed);
    uint64_t ntrue = atomic_load_explicit(&count->ntrue, memory_order_relaxed);

    return nrows > 0 ? (double)ntrue / (double)nrows : 0.5;
}

static void add(atomic_uint_least64_t *number, uint64_t n)
{
    atomic_fetch_add_explicit(number, n, memory_order_relaxed);
}

static void count_node(const struct eval *eval, uint32_t at, uint64_t nrows, uint64_t ntrue,
                       uint64_t nbytes)
{
    if (eval->counts == NULL)
        return;
    add(&eval->counts[at].nrows, nrows);
    add(&eval->counts[at].ntrue, ntrue);
    add(&eval->counts[at].nseen, eval->nrows);
    add(&eval->counts[at].nbytes, nbytes);
}

/*
 * What a row costs: the bytes that are read for it, which are about what is hashed, decompressed
 * and decoded, and a part of one for the loops over bits. A text of 8 bytes a row is asked behind
 * codes of 3 bits although it may be true less often.
 */
static double cost_of(const struct stoa_node_count *count)
{
    uint64_t nseen = atomic_load_explicit(&count->nseen, memory_order_relaxed);
    uint64_t nbytes = atomic_load_explicit(&count->nbytes, memory_order_relaxed);

    return 0.25 + (nseen > 0 ? (double)nbytes / (double)nseen : 0);
}

/*
 * The operand that is best asked next: the one that decides most rows for what it costs. They are
 * those where an operand of "and" was false, of "or" true; the first of equals. `done` has a bit
 * for each operand that was asked already; nodes with more operands than that has bits are asked in
 * their order.
 */
static uint32_t next_operand(const struct eval *eval, const struct stoa_matcher_node *node,
                             uint64_t done, uint32_t nasked)
{
    uint32_t best = nasked;
    double most = -1;

    if (eval->counts == NULL || node->nchildren > 64)
        return best;
    for (uint32_t i = 0; i < node->nchildren; i++) {
        const struct stoa_node_count *count = &eval->counts[node->first + i];
        double share = share_true(count), worth;

        worth = (node->op == STOA_NODE_AND ? 1 - share : share) / cost_of(count);
        if ((done >> i & 1) == 0 && worth > most) {
            most = worth;
            best = i;
        }
    }
    return best;
}

/* `spare` has room for a bitmap for each level below the node. Adds what was read to *nbytes. */
static enum stoa_status eval_node(const struct eval *eval, uint32_t at, const uint8_t *wanted,
                                  uint8_t *out, uint8_t *spare, uint64_t *nbytes)
{
    const struct stoa_matcher_node *node = &eval->matcher->nodes[at];
    const bool is_and = node->op == STOA_NODE_AND;
    uint64_t done = 0;
    enum stoa_status st = STOA_OK;

    if (node->op == STOA_NODE_LEAF)
        return eval->answer(eval->context, node->first, wanted, out, nbytes, eval->err);
    for (uint32_t i = 0; i < node->nchildren && (i == 0 || !is_decided(eval, out, is_and)); i++) {
        const uint32_t k = next_operand(eval, node, done, i), child = node->first + k;
        const uint8_t *asked = is_and && i > 0 ? out : wanted;
        uint8_t *to = i == 0 ? out : spare;
        uint64_t nasked = stoa_bitmap_count(asked, 0, eval->nrows), nread = 0;

        done |= k < 64 ? UINT64_C(1) << k : 0;
        STOA_TRY(eval_node(eval, child, asked, to, spare + (i > 0 ? eval->nbytes : 0), &nread));
        join(to, asked, eval->nbytes, true);
        count_node(eval, child, nasked, stoa_bitmap_count(to, 0, eval->nrows), nread);
        *nbytes += nread;
        if (i > 0)
            join(out, spare, eval->nbytes, is_and);
    }
out:
    return st;
}

enum stoa_status stoa_matcher_eval_leaves(const struct stoa_matcher *matcher,
                                          struct stoa_node_count *counts, size_t nrows,
                                          stoa_leaf_answer *answer, void *context,
                                          uint8_t *selected, struct stoa_error *err)
{
    const size_t nbytes = stoa_bitmap_nbytes(nrows);
    struct eval eval = {
        .matcher = matcher,
        .counts = counts,
        .answer = answer,
        .context = context,
        .nrows = nrows,
        .nbytes = nbytes,
        .err = err,
    };
    uint64_t nread = 0;
    uint8_t *bitmaps;
    enum stoa_status st = stoa_alloc_zeroed(&bitmaps, (size_t)matcher->depth + 1, nbytes, err);

    if (st != STOA_OK)
        return st;
    stoa_bitmap_fill(bitmaps, 0, nrows, true);
    st = eval_node(&eval, 0, bitmaps, selected, bitmaps + nbytes, &nread);
    if (st == STOA_OK)
        count_node(&eval, 0, nrows, stoa_bitmap_count(selected, 0, nrows), nread);
    stoa_free(bitmaps);
    return st;
}

/* What leaves are evaluated on. */
struct arrays {
    const struct stoa_matcher *matcher;
    const struct stoa_array *const *arrays;
    size_t nrows;
};

static enum stoa_status answer_by_array(void *context, uint32_t leaf, const uint8_t *wanted,
                                        uint8_t *out, uint64_t *nbytes, struct stoa_error *err)
{
    const struct arrays *in = context;
    const struct stoa_leaf *test = &in->matcher->leaves[leaf];

    (void)wanted;
    (void)nbytes;
    (void)err;
    stoa_leaf_eval(test, &in->matcher->types[test->field], in->arrays[test->field], in->nrows, out);
    return STOA_OK;
}

enum stoa_status stoa_matcher_eval_nodes(const struct stoa_matcher *matcher,
                                         const struct stoa_array *const *arrays, size_t nrows,
                                         uint8_t *selected, struct stoa_error *err)
{
    struct arrays in = {matcher, arrays, nrows};

    return stoa_matcher_eval_leaves(matcher, NULL, nrows, answer_by_array, &in, selected, err);
}

static const struct stoa_array no_values;

enum stoa_status stoa_matcher_eval(const struct stoa_matcher *matcher,
                                   const struct stoa_batch *batch, uint8_t *selected,
                                   struct stoa_error *err)
{
    const struct stoa_array **arrays;
    enum stoa_status st = stoa_alloc_zeroed(&arrays, matcher->nfields, sizeof(arrays[0]), err);

    if (st != STOA_OK)
        return st;
    for (uint32_t i = 0; i < matcher->nfields; i++) {
        arrays[i] = stoa_batch_node(batch, matcher->fields[i]);
        assert(arrays[i] != NULL || batch->nrows == 0);
        if (arrays[i] == NULL) /* a column of no rows may have no children */
            arrays[i] = &no_values;
    }
    st = stoa_matcher_eval_nodes(matcher, arrays, batch->nrows, selected, err);
    stoa_free(arrays);
    return st;
}
