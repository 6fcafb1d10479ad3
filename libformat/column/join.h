/*
 * The type that holds the values of two types, and what a value goes through on its way into it:
 * what merging tables of different schemas asks for.
 *
 *     int32, int64                -> int64          the numbers stay as they are stored
 *     int64, decimal(10,2)        -> decimal(21,2)  each number is multiplied by 100
 *     int64, float64              -> float64        where each value has an equal float64
 *     timestamp(s), timestamp(us) -> timestamp(us)
 *     enum(a,b), enum(b,c)        -> enum(a,b,c)
 *     int64, utf8                 -> nothing holds both; as text on request
 *
 * A value is never altered: what has no equal value in the joined type is an error.
 */
#ifndef STOA_COLUMN_JOIN_H
#define STOA_COLUMN_JOIN_H

#include <stoa/array.h>
#include <stoa/merge.h>

/*
 * The least type that holds the values of both, of types without children; *joined is false, and
 * *out untouched, when there is none. *out is owned by the caller. STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_type_join(const struct stoa_type *a, const struct stoa_type *b,
                                           struct stoa_type *out, bool *joined,
                                           struct stoa_error *err);

/* What the values of a type without children go through to become those of `to`. */
enum stoa_change stoa_type_change(const struct stoa_type *from, const struct stoa_type *to);

/*
 * For each field of `to` the one of `from` with its name, or UINT32_MAX: map[0..nto). Cost: n log
 * n, n when both have the same names in the same order.
 */
STOA_CHECK enum stoa_status stoa_fields_match(const struct stoa_field *from, uint32_t nfrom,
                                              const struct stoa_field *to, uint32_t nto,
                                              uint32_t *map, struct stoa_error *err);

/*
 * The same for the children of two fields of one type: those of structs by name, those of lists and
 * maps, and key and value of a map's entries, by place.
 */
STOA_CHECK enum stoa_status stoa_children_match(const struct stoa_field *from,
                                                const struct stoa_field *to, bool entries_of_map,
                                                uint32_t *map, struct stoa_error *err);

/*
 * What the values of a field with its children go through: the largest change of all its nodes. A
 * child that `from` lacks is null.
 */
STOA_CHECK enum stoa_status stoa_field_change(const struct stoa_field *from,
                                              const struct stoa_field *to, enum stoa_change *out,
                                              struct stoa_error *err);

/*
 * Makes *schema hold the rows of `other` too: columns by name, new ones behind the others, types
 * joined, nullable where one of them is, metadata and field ids of the first that has them.
 * STOA_ERR_DATA "column fare: int64 here, utf8 in the files before: ...", "column tip is in the
 * files before, not here: ...". On failure *schema is as it was. Cost: n log n.
 */
STOA_CHECK enum stoa_status stoa_schema_join(struct stoa_schema *schema,
                                             const struct stoa_schema *other,
                                             const struct stoa_join_options *options,
                                             struct stoa_error *err);

#endif
