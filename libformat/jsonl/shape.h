/*
 * A schema as the parser of JSON lines wants it: its fields in the order of the file format, each
 * with its key as JSON has it and the function that reads its values.
 *
 *     node 0        the record itself, whose children are the columns
 *     node i + 1    node i of the schema (column/schema.h)
 *
 * Constant once it is made: any number of threads.
 */
#ifndef STOA_JSONL_SHAPE_H
#define STOA_JSONL_SHAPE_H

#include <stoa/schema.h>

#include "base/alloc.h"
#include "base/time_pattern.h"

struct stoa_jsonl_parser;

/*
 * Reads the value at `at`, which is not null, and appends it to the node's column; behind it. NULL
 * when that fails, which the parser then tells of.
 */
typedef const char *stoa_jsonl_read_function(struct stoa_jsonl_parser *parser, uint32_t node,
                                             const char *at);

struct stoa_jsonl_node {
    const struct stoa_field *field; /* NULL: the record */
    stoa_jsonl_read_function *read;
    uint32_t parent;
    uint32_t nnodes; /* with all that is below it */
    uint32_t nchildren;
    uint32_t table;        /* where its slots are */
    uint32_t table_nslots; /* of the children by their names: a power of two; 0: no object */
    uint32_t quoted;       /* where its key in quotes is */
    uint32_t quoted_nbytes;
    bool nullable;
    bool strict;     /* inferred: a value must say all that its text says */
    bool repeated;   /* below a list, map or fixed_list: a row has any number of its values */
    bool wanted;     /* else its values are checked and passed over */
    bool json;       /* of utf8: any value, as the text it is */
    char separator;  /* of an inferred timestamp: a blank or T */
    bool all_digits; /* of an inferred time: all digits of the unit, however many are 0 */
    struct stoa_time_pattern *pattern; /* of a time with another form than ISO 8601; or NULL */
};

struct stoa_jsonl_shape {
    struct stoa_jsonl_node *nodes;
    uint32_t nnodes;
    uint32_t *slots; /* node numbers, 0: nothing */
    uint64_t seed;   /* of their places */
    struct stoa_buffer keys;
};

/*
 * `schema` must outlive the shape. `wanted` tells of each column whether it is; NULL: all are.
 * `is_inferred` likewise whether its type is a guess; NULL: none is. STOA_ERR_USAGE for a
 * json_format that does not fit its column.
 */
STOA_CHECK enum stoa_status stoa_jsonl_shape_init(struct stoa_jsonl_shape *shape,
                                                  const struct stoa_schema *schema,
                                                  const bool *wanted, const bool *is_inferred,
                                                  struct stoa_error *err);
void stoa_jsonl_shape_reset(struct stoa_jsonl_shape *shape);

/* The child of an object with that name; 0: there is none. */
uint32_t stoa_jsonl_shape_find(const struct stoa_jsonl_shape *shape, uint32_t node,
                               const char *name, size_t nbytes);

/* The name of a child in JSON: those of a map's entries are fixed. */
const char *stoa_jsonl_shape_name(const struct stoa_jsonl_shape *shape, uint32_t node);

/* Appends "a.b[].c", the names from the column down to the node. */
STOA_CHECK enum stoa_status stoa_jsonl_shape_path(const struct stoa_jsonl_shape *shape,
                                                  uint32_t node, struct stoa_buffer *out,
                                                  struct stoa_error *err);

#endif
