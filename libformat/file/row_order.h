/*
 * The order that a file's footer claims of its rows (spec/format.md, "Order"), and whether rows
 * that come in pieces are in one.
 */
#ifndef STOA_FILE_ROW_ORDER_H
#define STOA_FILE_ROW_ORDER_H

#include <stoa/array.h>
#include <stoa/order.h>

#include "base/alloc.h"

struct stoa_reader;

/* Appends the section of an order of that schema: one element a key. */
STOA_CHECK enum stoa_status stoa_order_pack(const struct stoa_sort_order *order,
                                            const struct stoa_schema *schema,
                                            struct stoa_buffer *out, struct stoa_error *err);

/*
 * The keys of a piece's first and last row: of each key of an order an array of one value. `{0}`
 * is of a piece without rows.
 */
struct stoa_order_edges {
    struct stoa_array *first;
    struct stoa_array *last;
    uint32_t nkeys;
};
void stoa_order_edges_reset(struct stoa_order_edges *edges);

/* Those of a batch with rows; `{0}` before. */
STOA_CHECK enum stoa_status stoa_order_edges_take(const struct stoa_sort_order *order,
                                                  const struct stoa_batch *batch,
                                                  struct stoa_order_edges *out,
                                                  struct stoa_error *err);

/* The same of rows [begin, end) of a file, of which there are some: two rows are read. */
STOA_CHECK enum stoa_status stoa_order_edges_read(const struct stoa_sort_order *order,
                                                  struct stoa_reader *reader, uint64_t begin,
                                                  uint64_t end, struct stoa_order_edges *out,
                                                  struct stoa_error *err);

/*
 * Of how many keys, from the first on, the two pieces are in order together if each of them is, the
 * last row of `a` before the first of `b`: all of them, or fewer. The types are those of `schema`.
 */
uint32_t stoa_order_edges_join(const struct stoa_sort_order *order,
                               const struct stoa_schema *schema, const struct stoa_order_edges *a,
                               const struct stoa_order_edges *b);

#endif
