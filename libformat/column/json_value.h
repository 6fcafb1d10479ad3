/*
 * Values of any type as JSON (RFC 8259):
 *
 *   integers, decimals        exact numbers
 *   floats                    the shortest number that reads back; "NaN", "Infinity", "-Infinity"
 *   dates, times, uuid, enum  their text in quotes
 *   duration, interval        ISO 8601 in quotes (base/duration.h)
 *   binary, fixed_binary      base64 in quotes
 *   list, fixed_list          arrays
 *   struct                    an object, its members in the order of the fields
 *   map                       an array of {"key":...,"value":...}, since keys need be neither text
 *                             nor unique
 *
 * Metadata of a field change that (spec/jsonl.md): text that is JSON stands as it is, and dates and
 * times are written by a pattern.
 */
#ifndef STOA_COLUMN_JSON_VALUE_H
#define STOA_COLUMN_JSON_VALUE_H

#include "base/alloc.h"
#include "base/time_pattern.h"
#include "column/schema.h"

/* Whether the values of a utf8 field are any JSON, each on one line. */
bool stoa_field_is_json(const struct stoa_field *field);

/* Whether a pattern tells what a type holds: no more, no less. */
bool stoa_json_format_fits(const struct stoa_time_pattern *pattern, const struct stoa_type *type);

/* The digits of a fraction of a second as it is written: 0, 3, 6 or 9. */
static inline unsigned stoa_json_fraction_ndigits(uint32_t nanos)
{
    return nanos == 0 ? 0 : nanos % 1000000 == 0 ? 3 : nanos % 1000 == 0 ? 6 : 9;
}

/* A schema with its names as JSON, made once for many rows. Start with `{0}`. */
struct stoa_json_shape {
    struct stoa_schema_node *nodes;
    uint32_t nnodes;
    struct stoa_buffer keys;             /* `{"name":` of a first child, `,"name":` of the others */
    size_t *key_begins;                  /* nnodes + 1: the key of each node */
    struct stoa_time_pattern **patterns; /* of nodes that have one; NULL: none has */
};

/* `schema` must outlive the shape. On failure there is nothing to reset, but it does no harm. */
STOA_CHECK enum stoa_status stoa_json_shape_init(struct stoa_json_shape *shape,
                                                 const struct stoa_schema *schema,
                                                 struct stoa_error *err);
void stoa_json_shape_reset(struct stoa_json_shape *shape);

/* Appends value i of the array of a node, "null" for a null. */
STOA_CHECK enum stoa_status stoa_json_append_value(struct stoa_buffer *out,
                                                   const struct stoa_json_shape *shape,
                                                   uint32_t node, const struct stoa_array *array,
                                                   size_t i, struct stoa_error *err);

/* Appends a row of a batch of the shape's schema as an object. */
STOA_CHECK enum stoa_status stoa_json_append_row(struct stoa_buffer *out,
                                                 const struct stoa_json_shape *shape,
                                                 const struct stoa_batch *batch, size_t row,
                                                 struct stoa_error *err);

#endif
