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
 */
#ifndef STOA_COLUMN_JSON_VALUE_H
#define STOA_COLUMN_JSON_VALUE_H

#include "base/alloc.h"
#include "column/schema.h"

/* A schema with its names as JSON, made once for many rows. Start with `{0}`. */
struct stoa_json_shape {
    struct stoa_schema_node *nodes;
    uint32_t nnodes;
    struct stoa_buffer keys; /* `{"name":` of a first child, `,"name":` of the others */
    size_t *key_begins;      /* nnodes + 1: the key of each node */
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
