/*
 * The order of rows by the values of some columns (spec/format.md, "Order").
 *
 * Values of a type have one order: numbers, dates and times by value, -0.0 equal to 0.0 and NaN
 * behind all numbers; false before true; enum values as their symbols are listed; text and bytes as
 * unsigned bytes, a beginning before what it begins. Null is behind all values, or with
 * `nulls_first` before them, whichever way the values go. Rows that are equal in all keys may stand
 * in any order.
 *
 * Columns of every type can be keys but interval, list, fixed_list, struct and map.
 */
#ifndef STOA_ORDER_H
#define STOA_ORDER_H

#include <stoa/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stoa_sort_key {
    uint32_t column; /* of the schema, from 0 */
    bool descending; /* the values: where nulls stand is another matter */
    bool nulls_first;
};

#define STOA_ORDER_MAX_NKEYS 32

/* Rows are ordered by the first key, equal ones by the second, and so on. `{0}` is no order. */
struct stoa_sort_order {
    struct stoa_sort_key *keys; /* owned; no column twice */
    uint32_t nkeys;
};

/*
 * Reads "a,b:desc,c:nulls-first": names of columns as stoa_schema_find() takes them, each with
 * :asc, :desc, :nulls-first or :nulls-last behind it as needed; a name in double quotes may hold
 * commas, colons and, written twice, double quotes. STOA_ERR_USAGE: no such column, one that has no
 * order or comes twice, more than STOA_ORDER_MAX_NKEYS. *out is overwritten on success.
 */
STOA_API STOA_CHECK enum stoa_status stoa_order_parse(const char *text,
                                                      const struct stoa_schema *schema,
                                                      struct stoa_sort_order *out,
                                                      struct stoa_error *err);

/* The text that stoa_order_parse() reads; *out is terminated, free it with stoa_free(). */
STOA_API STOA_CHECK enum stoa_status stoa_order_print(const struct stoa_sort_order *order,
                                                      const struct stoa_schema *schema, char **out,
                                                      struct stoa_error *err);

STOA_API void stoa_order_reset(struct stoa_sort_order *order);

#ifdef __cplusplus
}
#endif

#endif
