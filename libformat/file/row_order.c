/*
 * Orders in footers (spec/format.md, "Order"):
 *
 *     section    [ node | flags ]  [ node | flags ] ..                     one a key
 *     rows       [ first .. last ] [ first .. last ] ..                    pieces, each in order
 *                             `-----`  compared: so the whole is, or only by the first few keys
 */
#include "file/row_order.h"

#include <inttypes.h>
#include <string.h>

#include <stoa/reader.h>

#include "base/error.h"
#include "column/order.h"
#include "column/schema.h"
#include "file/layout.h"
#include "file/reader.h"

/* ---- The section. ---- */

enum stoa_status stoa_order_pack(const struct stoa_sort_order *order,
                                 const struct stoa_schema *schema, struct stoa_buffer *out,
                                 struct stoa_error *err)
{
    struct stoa_schema_node *nodes = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(schema, &nodes, &nnodes, err));
    for (uint32_t k = 0; k < order->nkeys; k++) {
        const struct stoa_sort_key *key = &order->keys[k];
        struct stoa_order_entry entry = {.flags = (key->descending ? STOA_KEY_DESCENDING : 0) |
                                                  (key->nulls_first ? STOA_KEY_NULLS_FIRST : 0)};
        uint8_t packed[STOA_ORDER_NBYTES];

        for (uint32_t i = 0; i < key->column; i++)
            entry.node += nodes[entry.node].nnodes;
        stoa_order_entry_pack(&entry, packed);
        STOA_TRY(stoa_buffer_append(out, packed, sizeof(packed), err));
    }
out:
    stoa_free(nodes);
    return st;
}

/* A key of the section, whose column has an order and is in none of the keys before. */
static enum stoa_status load_key(struct stoa_footer *footer, const uint8_t *bytes,
                                 struct stoa_sort_order *order, struct stoa_error *err)
{
    struct stoa_order_entry entry;
    struct stoa_column *column;
    enum stoa_status st;

    STOA_TRY(stoa_order_entry_unpack(bytes, &entry, err));
    if (entry.node >= footer->trailer.nnodes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "node %" PRIu32 " of %" PRIu32, entry.node,
                         footer->trailer.nnodes);
    STOA_TRY(stoa_footer_column(footer, entry.node, &column, err));
    if (column->place.parent != STOA_NONE32)
        return stoa_fail(err, STOA_ERR_CORRUPT, "node %" PRIu32 " is no column", entry.node);
    if (!stoa_type_has_order(&column->field.type))
        return stoa_fail(err, STOA_ERR_CORRUPT, "the values of node %" PRIu32 " have no order",
                         entry.node);
    for (uint32_t k = 0; k < order->nkeys; k++)
        if (order->keys[k].column == column->place.column)
            return stoa_fail(err, STOA_ERR_CORRUPT, "node %" PRIu32 " comes twice", entry.node);
    order->keys[order->nkeys++] = (struct stoa_sort_key){
        .column = column->place.column,
        .descending = entry.flags & STOA_KEY_DESCENDING,
        .nulls_first = entry.flags & STOA_KEY_NULLS_FIRST,
    };
out:
    return st;
}

static void order_free(struct stoa_sort_order *order)
{
    if (order == NULL)
        return;
    stoa_order_reset(order);
    stoa_free(order);
}

void stoa_reader_order_free(struct stoa_reader *reader)
{
    order_free(stoa_once_get(&reader->order));
}

static enum stoa_status load_order(struct stoa_footer *footer, struct stoa_sort_order **out,
                                   struct stoa_error *err)
{
    const uint64_t nkeys = stoa_footer_section_count(footer, STOA_SECTION_ORDER);
    struct stoa_sort_order *order = NULL;
    const uint8_t *bytes;
    size_t nbytes;
    enum stoa_status st;

    if (nkeys > STOA_ORDER_MAX_NKEYS)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " keys", nkeys);
    STOA_TRY(stoa_alloc_zeroed(&order, 1, sizeof(*order), err));
    STOA_TRY(stoa_alloc_zeroed(&order->keys, (size_t)nkeys, sizeof(order->keys[0]), err));
    STOA_TRY(stoa_footer_section_whole(footer, STOA_SECTION_ORDER, &bytes, &nbytes, err));
    for (uint32_t k = 0; k < nkeys; k++)
        STOA_TRY(load_key(footer, bytes + (size_t)k * STOA_ORDER_NBYTES, order, err));
    *out = order;
    order = NULL;
out:
    order_free(order);
    return st == STOA_OK ? st : stoa_wrap(err, st, "section order");
}

enum stoa_status stoa_reader_order(struct stoa_reader *reader, const struct stoa_sort_order **out,
                                   struct stoa_error *err)
{
    struct stoa_sort_order *order = stoa_once_get(&reader->order);

    if (order == NULL) {
        enum stoa_status st = load_order(&reader->footer, &order, err);

        if (st != STOA_OK)
            return st;
        if (stoa_once_publish(&reader->order, order) != order) {
            order_free(order);
            order = stoa_once_get(&reader->order);
        }
    }
    *out = order;
    return STOA_OK;
}

/* ---- Pieces. ---- */

static void keys_free(struct stoa_array *keys, uint32_t nkeys)
{
    for (uint32_t k = 0; keys != NULL && k < nkeys; k++)
        stoa_array_reset(&keys[k]);
    stoa_free(keys);
}

void stoa_order_edges_reset(struct stoa_order_edges *edges)
{
    keys_free(edges->first, edges->nkeys);
    keys_free(edges->last, edges->nkeys);
    *edges = (struct stoa_order_edges){0};
}

static enum stoa_status edges_init(struct stoa_order_edges *edges, uint32_t nkeys,
                                   struct stoa_error *err)
{
    enum stoa_status st;

    edges->nkeys = nkeys;
    STOA_TRY(stoa_alloc_zeroed(&edges->first, nkeys, sizeof(edges->first[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&edges->last, nkeys, sizeof(edges->last[0]), err));
out:
    return st;
}

enum stoa_status stoa_order_edges_take(const struct stoa_sort_order *order,
                                       const struct stoa_batch *batch, struct stoa_order_edges *out,
                                       struct stoa_error *err)
{
    const size_t n = batch->nrows;
    struct stoa_order_edges edges = {0};
    enum stoa_status st;

    STOA_TRY(edges_init(&edges, order->nkeys, err));
    for (uint32_t k = 0; k < order->nkeys; k++) {
        const uint32_t i = order->keys[k].column;
        const struct stoa_field *field = &batch->schema->fields[i];

        STOA_TRY(stoa_array_slice(field, &batch->columns[i], 0, 1, &edges.first[k], err));
        STOA_TRY(stoa_array_slice(field, &batch->columns[i], n - 1, n, &edges.last[k], err));
    }
    *out = edges;
    edges = (struct stoa_order_edges){0};
out:
    stoa_order_edges_reset(&edges);
    return st;
}

static enum stoa_status read_row(struct stoa_reader *reader, uint32_t column, uint64_t row,
                                 struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_row_group group;
    struct stoa_rows rows;
    uint32_t number;
    enum stoa_status st;

    STOA_TRY(stoa_reader_locate(reader, row, &number, err));
    STOA_TRY(stoa_reader_row_group(reader, number, &group, err));
    rows = (struct stoa_rows){row - group.first_row, row - group.first_row + 1};
    STOA_TRY(stoa_reader_column(reader, number, column, rows, out, NULL, err));
out:
    return st;
}

enum stoa_status stoa_order_edges_read(const struct stoa_sort_order *order,
                                       struct stoa_reader *reader, uint64_t begin, uint64_t end,
                                       struct stoa_order_edges *out, struct stoa_error *err)
{
    struct stoa_order_edges edges = {0};
    enum stoa_status st;

    STOA_TRY(edges_init(&edges, order->nkeys, err));
    for (uint32_t k = 0; k < order->nkeys; k++) {
        STOA_TRY(read_row(reader, order->keys[k].column, begin, &edges.first[k], err));
        STOA_TRY(read_row(reader, order->keys[k].column, end - 1, &edges.last[k], err));
    }
    *out = edges;
    edges = (struct stoa_order_edges){0};
out:
    stoa_order_edges_reset(&edges);
    return st;
}

uint32_t stoa_order_edges_join(const struct stoa_sort_order *order,
                               const struct stoa_schema *schema, const struct stoa_order_edges *a,
                               const struct stoa_order_edges *b)
{
    if (a->last == NULL || b->first == NULL)
        return order->nkeys;
    for (uint32_t k = 0; k < order->nkeys; k++) {
        const struct stoa_sort_key *key = &order->keys[k];
        const int difference = stoa_key_compare(key, &schema->fields[key->column].type, &a->last[k],
                                                0, &b->first[k], 0);

        if (difference != 0)
            return difference < 0 ? order->nkeys : k;
    }
    return order->nkeys;
}
