/*
 * Sorting the rows of a batch.
 *
 *     rows of equal keys so far --> nulls apart, in their order
 *                               --> values as 64-bit numbers: a radix sort, byte by byte
 *                               --> rows of equal numbers: the next key; or where numbers are only
 *                                   the beginning of the values, a merge sort of these
 *
 * Every step leaves rows that are equal in it as they stood. Columns that are ordered by a few
 * values, and ties of a timestamp, cost one pass over the rows for each key; texts with a long
 * common beginning cost n log n comparisons.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/order.h"

enum {
    FEW_NROWS = 24, /* up to which rows are inserted one by one */
    RADIX_NBITS = 8,
    RADIX_SIZE = 1 << RADIX_NBITS,
};

struct item {
    uint64_t bits;
    uint32_t row;
};

struct sorter {
    const struct stoa_sort_order *order;
    const struct stoa_schema *schema;
    struct stoa_array keys[STOA_ORDER_MAX_NKEYS]; /* lent */
    uint32_t *rows;                               /* in their order so far */
    uint32_t *other_rows;                         /* as many again, for the steps, */
    struct item *items, *other_items;             /* and these */
};

static const struct stoa_type *type_of(const struct sorter *s, uint32_t key)
{
    return &s->schema->fields[s->order->keys[key].column].type;
}

static int compare(const struct sorter *s, uint32_t key, uint32_t a, uint32_t b)
{
    return stoa_order_compare(s->order, s->schema, key, s->keys, a, s->keys, b);
}

static void insert(const struct sorter *s, uint32_t key, uint32_t *rows, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const uint32_t row = rows[i];
        size_t k = i;

        for (; k > 0 && compare(s, key, rows[k - 1], row) > 0; k--)
            rows[k] = rows[k - 1];
        rows[k] = row;
    }
}

/* Rows [begin, end) by all keys from `key` on, from the bottom up. */
static void merge_sort(const struct sorter *s, uint32_t key, size_t begin, size_t end)
{
    uint32_t *from = s->rows + begin, *to = s->other_rows + begin;
    const size_t n = end - begin;

    for (size_t at = 0; at < n; at += FEW_NROWS)
        insert(s, key, from + at, n - at < FEW_NROWS ? n - at : FEW_NROWS);
    for (size_t width = FEW_NROWS; width < n; width *= 2) {
        uint32_t *swap = from;

        for (size_t at = 0; at < n; at += 2 * width) {
            const size_t middle = n - at < width ? n : at + width;
            const size_t last = n - at < 2 * width ? n : at + 2 * width;
            size_t a = at, b = middle;

            for (size_t i = at; i < last; i++) {
                const bool takes_a =
                    a < middle && (b == last || compare(s, key, from[a], from[b]) <= 0);

                to[i] = takes_a ? from[a++] : from[b++];
            }
        }
        from = to;
        to = swap;
    }
    if (from != s->rows + begin)
        memcpy(s->rows + begin, from, n * sizeof(*from));
}

/* items[begin..end) by bits, a byte at a time from the lowest; bytes that are all equal cost one
   look. */
static void radix_sort(struct sorter *s, size_t begin, size_t end)
{
    struct item *from = s->items + begin, *to = s->other_items + begin;
    const size_t n = end - begin;

    for (unsigned shift = 0; shift < 64; shift += RADIX_NBITS) {
        size_t starts[RADIX_SIZE] = {0}, at = 0;
        struct item *swap = from;

        for (size_t i = 0; i < n; i++)
            starts[from[i].bits >> shift & (RADIX_SIZE - 1)]++;
        if (starts[from[0].bits >> shift & (RADIX_SIZE - 1)] == n)
            continue;
        for (size_t i = 0; i < RADIX_SIZE; i++) {
            const size_t count = starts[i];

            starts[i] = at;
            at += count;
        }
        for (size_t i = 0; i < n; i++)
            to[starts[from[i].bits >> shift & (RADIX_SIZE - 1)]++] = from[i];
        from = to;
        to = swap;
    }
    if (from != s->items + begin)
        memcpy(s->items + begin, from, n * sizeof(*from));
}

/* Moves the nulls of a key in rows [begin, end) to their side; the others are [*first, *last). */
static void part_nulls(struct sorter *s, uint32_t key, size_t begin, size_t end, size_t *first,
                       size_t *last)
{
    const bool nulls_first = s->order->keys[key].nulls_first;
    const struct stoa_array *array = &s->keys[key];
    size_t nnulls = 0, nvalues = 0;

    *first = begin;
    *last = end;
    if (array->validity == NULL)
        return;
    for (size_t i = begin; i < end; i++) {
        if (stoa_array_is_null(array, s->rows[i]))
            s->other_rows[begin + nnulls++] = s->rows[i];
        else
            s->rows[begin + nvalues++] = s->rows[i];
    }
    if (nulls_first)
        memmove(s->rows + begin + nnulls, s->rows + begin, nvalues * sizeof(s->rows[0]));
    memcpy(s->rows + (nulls_first ? begin : begin + nvalues), s->other_rows + begin,
           nnulls * sizeof(s->rows[0]));
    *first = nulls_first ? begin + nnulls : begin;
    *last = *first + nvalues;
}

/* Makes items of rows [begin, end); true when they are in order already. */
static bool fill_items(struct sorter *s, uint32_t key, size_t begin, size_t end)
{
    bool sorted = true;

    for (size_t i = begin; i < end; i++) {
        struct item *item = &s->items[i];

        item->row = s->rows[i];
        stoa_key_bits(&s->order->keys[key], type_of(s, key), &s->keys[key], item->row,
                      (size_t)item->row + 1, &item->bits);
        sorted &= i == begin || s->items[i - 1].bits <= item->bits;
    }
    return sorted;
}

/* Rows [begin, end), which are equal in all keys before `key`. As deep as there are keys. */
static void sort_by_key(struct sorter *s, uint32_t key, size_t begin, size_t end)
{
    size_t first, last, at;

    if (end - begin < 2 || key == s->order->nkeys)
        return;
    if (end - begin <= FEW_NROWS) {
        insert(s, key, s->rows + begin, end - begin);
        return;
    }
    if (type_of(s, key)->id == STOA_NULL) {
        sort_by_key(s, key + 1, begin, end);
        return;
    }
    part_nulls(s, key, begin, end, &first, &last);
    sort_by_key(s, key + 1, begin, first);
    sort_by_key(s, key + 1, last, end);
    if (first == last)
        return;
    if (!fill_items(s, key, first, last))
        radix_sort(s, first, last);
    for (size_t i = first; i < last; i++)
        s->rows[i] = s->items[i].row;
    for (size_t i = first; i < last; i = at) {
        for (at = i + 1; at < last && s->items[at].bits == s->items[i].bits; at++)
            ;
        if (at - i > 1 && !stoa_key_is_exact(type_of(s, key)))
            merge_sort(s, key, i, at);
        else
            sort_by_key(s, key + 1, i, at);
    }
}

enum stoa_status stoa_order_sort(const struct stoa_sort_order *order,
                                 const struct stoa_batch *batch, uint32_t *rows,
                                 struct stoa_error *err)
{
    struct sorter s = {.order = order, .schema = batch->schema, .rows = rows};
    const size_t n = batch->nrows;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&s.other_rows, n, sizeof(*s.other_rows), err));
    STOA_TRY(stoa_alloc_zeroed(&s.items, n, sizeof(*s.items), err));
    STOA_TRY(stoa_alloc_zeroed(&s.other_items, n, sizeof(*s.other_items), err));
    for (uint32_t k = 0; k < order->nkeys; k++)
        s.keys[k] = batch->columns[order->keys[k].column];
    for (size_t i = 0; i < n; i++)
        rows[i] = (uint32_t)i;
    sort_by_key(&s, 0, 0, n);
out:
    stoa_free(s.other_rows);
    stoa_free(s.items);
    stoa_free(s.other_items);
    return st;
}
