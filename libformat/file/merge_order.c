/*
 * Orders of parts, joined:
 *
 *     part 0      a, b, c:desc        rows .. (3, 1, 9)
 *     part 1      a, b, d             rows (3, 0, 2) ..        a, b in both; b falls in between
 *     output      a
 */
#include "file/merge_order.h"

#include <string.h>

#include "base/error.h"

void stoa_merge_order_reset(struct stoa_merge_order *order)
{
    stoa_order_reset(&order->order);
    stoa_order_edges_reset(&order->edges);
    *order = (struct stoa_merge_order){0};
}

/* The column of the output that a column of the part becomes, unless its values change. */
static uint32_t column_of_output(const struct stoa_part *part, uint32_t column)
{
    const struct stoa_schema *to = part->merger->schema;

    for (uint32_t i = 0; i < to->nfields; i++)
        if (part->column_of[i] == column &&
            stoa_type_equal(&to->fields[i].type, &part->schema->fields[column].type))
            return i;
    return STOA_NONE32;
}

/* The keys of a part as columns of the output, up to one that it has not like that. */
static enum stoa_status order_of_part(const struct stoa_part *part, struct stoa_sort_order *out,
                                      struct stoa_error *err)
{
    const struct stoa_sort_order *order;
    enum stoa_status st;

    STOA_TRY(stoa_reader_order(part->reader, &order, err));
    STOA_TRY(stoa_alloc_zeroed(&out->keys, order->nkeys, sizeof(out->keys[0]), err));
    for (uint32_t k = 0; k < order->nkeys; k++) {
        out->keys[k] = order->keys[k];
        out->keys[k].column = column_of_output(part, order->keys[k].column);
        if (out->keys[k].column == STOA_NONE32)
            break;
        out->nkeys++;
    }
out:
    return st;
}

/* How many keys two orders have in common at the beginning. */
static uint32_t common_nkeys(const struct stoa_sort_order *a, const struct stoa_sort_order *b)
{
    uint32_t k = 0;

    while (k < a->nkeys && k < b->nkeys && a->keys[k].column == b->keys[k].column &&
           a->keys[k].descending == b->keys[k].descending &&
           a->keys[k].nulls_first == b->keys[k].nulls_first)
        k++;
    return k;
}

/* The edges of a part, whose columns are those of the output's first nkeys keys. */
static enum stoa_status edges_of_part(const struct stoa_part *part, uint32_t nkeys,
                                      struct stoa_order_edges *out, struct stoa_error *err)
{
    const struct stoa_sort_order *order;
    struct stoa_sort_order first;
    enum stoa_status st = stoa_reader_order(part->reader, &order, err);

    if (st != STOA_OK)
        return st;
    first = *order;
    first.nkeys = nkeys;
    return stoa_order_edges_read(&first, part->reader, 0, stoa_reader_nrows(part->reader), out,
                                 err);
}

enum stoa_status stoa_merge_order_add(struct stoa_merge_order *order, const struct stoa_part *part,
                                      struct stoa_error *err)
{
    struct stoa_order_edges edges = {0};
    struct stoa_sort_order own = {0};
    enum stoa_status st;

    if (stoa_reader_nrows(part->reader) == 0 || (order->begun && order->order.nkeys == 0))
        return STOA_OK;
    STOA_TRY(order_of_part(part, &own, err));
    if (order->begun)
        own.nkeys = common_nkeys(&order->order, &own);
    if (own.nkeys > 0)
        STOA_TRY(edges_of_part(part, own.nkeys, &edges, err));
    if (order->begun)
        own.nkeys = stoa_order_edges_join(&own, part->merger->schema, &order->edges, &edges);
    stoa_merge_order_reset(order);
    *order = (struct stoa_merge_order){.order = own, .edges = edges, .begun = true};
    own = (struct stoa_sort_order){0};
    edges = (struct stoa_order_edges){0};
out:
    stoa_order_reset(&own);
    stoa_order_edges_reset(&edges);
    return st;
}
