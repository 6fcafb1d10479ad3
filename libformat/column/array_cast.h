/*
 * The values of a column as values of a type that holds them (column/join.h).
 */
#ifndef STOA_COLUMN_ARRAY_CAST_H
#define STOA_COLUMN_ARRAY_CAST_H

#include <stoa/array.h>

/*
 * Makes the array of `from` one of `to`; stoa_field_change(from, to) is not CLASH. The array is
 * taken over on success, when equal types are passed through without a copy; *out is overwritten.
 * Children that `from` lacks are null.
 *
 * STOA_ERR_DATA "value 17 is 9007199254740993, which has no equal float64"; STOA_ERR_LIMIT: text of
 * 2 GiB; STOA_ERR_NOMEM. On failure *out is untouched. Cost: one step a value.
 */
STOA_CHECK enum stoa_status stoa_array_cast(const struct stoa_field *from, struct stoa_array *array,
                                            const struct stoa_field *to, struct stoa_array *out,
                                            struct stoa_error *err);

/* An array of nvalues nulls, whatever the field allows. *out is overwritten on success. */
STOA_CHECK enum stoa_status stoa_array_nulls(const struct stoa_field *field, size_t nvalues,
                                             struct stoa_array *out, struct stoa_error *err);

#endif
