/*
 * Comparing and sorting rows (stoa/order.h has the order).
 */
#ifndef STOA_COLUMN_ORDER_H
#define STOA_COLUMN_ORDER_H

#include <stoa/array.h>
#include <stoa/order.h>

/* Whether columns of a type can be keys. */
bool stoa_type_has_order(const struct stoa_type *type);

/*
 * That an order from a caller or a file is one of this schema: columns that it has and that have an
 * order, none twice, 1..STOA_ORDER_MAX_NKEYS of them. STOA_ERR_USAGE says what is wrong.
 */
STOA_CHECK enum stoa_status stoa_order_check(const struct stoa_sort_order *order,
                                             const struct stoa_schema *schema,
                                             struct stoa_error *err);

STOA_CHECK enum stoa_status stoa_order_copy(struct stoa_sort_order *out,
                                            const struct stoa_sort_order *order,
                                            struct stoa_error *err);

/*
 * Value i of `a` against value j of `b`, both of a column with this key: below 0 when the first
 * comes first, 0 when they are equal, above 0 else.
 */
int stoa_key_compare(const struct stoa_sort_key *key, const struct stoa_type *type,
                     const struct stoa_array *a, size_t i, const struct stoa_array *b, size_t j);

/*
 * The values of a column as numbers in the order of the key: when one is less than another, so are
 * the values; where the numbers are equal the values are, too, if stoa_key_is_exact(). bits[i] of a
 * null means nothing.
 */
void stoa_key_bits(const struct stoa_sort_key *key, const struct stoa_type *type,
                   const struct stoa_array *array, size_t begin, size_t end, uint64_t *bits);
bool stoa_key_is_exact(const struct stoa_type *type);

/*
 * Row i of `a` against row j of `b`, where a[k] and b[k] are the columns of key k; from key `first`
 * on.
 */
int stoa_order_compare(const struct stoa_sort_order *order, const struct stoa_schema *schema,
                       uint32_t first, const struct stoa_array *a, size_t i,
                       const struct stoa_array *b, size_t j);

/*
 * The rows of a batch in order, equal ones as they stand: rows[0] is the number of the first one.
 * `rows` has room for batch->nrows. Memory: 40 bytes a row. sort.c
 */
STOA_CHECK enum stoa_status stoa_order_sort(const struct stoa_sort_order *order,
                                            const struct stoa_batch *batch, uint32_t *rows,
                                            struct stoa_error *err);

/*
 * The first row of a batch that must come before the one in front of it; batch->nrows when there is
 * none: the rows are in order.
 */
size_t stoa_order_first_wrong(const struct stoa_sort_order *order, const struct stoa_batch *batch);

#endif
