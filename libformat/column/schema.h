/*
 * What column/ knows about schemas beyond the public header.
 */
#ifndef STOA_COLUMN_SCHEMA_H
#define STOA_COLUMN_SCHEMA_H

#include <stoa/array.h>
#include <stoa/schema.h>

/*
 * The metadata key of a field that holds how its values are written in CSV text, a pattern such
 * as "%Y-%m-%d %H:%M:%S". In the JSON document it stands beside "type", not under "metadata".
 */
#define STOA_METADATA_CSV_FORMAT "csv_format"

/* The same for JSON; and the key of a utf8 field whose values are any JSON: "true". */
#define STOA_METADATA_JSON_FORMAT "json_format"
#define STOA_METADATA_JSON_TEXT   "json_text"

/*
 * Checks a schema that was put together from a file or by a caller: parameters of types, names
 * (UTF-8, length, unique among siblings), the children that each type needs, depth, number of
 * nodes, metadata. STOA_ERR_USAGE names the field. Cost: n log n.
 */
STOA_CHECK enum stoa_status stoa_schema_check(const struct stoa_schema *schema,
                                              struct stoa_error *err);

/*
 * stoa_schema_add() for many columns: that the name is not taken is the caller's to know, so that
 * n columns don't cost n * n comparisons.
 */
STOA_CHECK enum stoa_status stoa_schema_append(struct stoa_schema *schema, const char *name,
                                               const struct stoa_type *type, bool nullable,
                                               struct stoa_error *err);

/*
 * How many of the fields a name may mean: one if it is the exact name of one, else all that differ
 * in ASCII case alone. *found is one of them, and the one if there is just one.
 */
uint32_t stoa_fields_find(const struct stoa_field *fields, uint32_t nfields, const char *name,
                          uint32_t *found);

/* STOA_ERR_USAGE for a name that means `nfound` fields, none or several: "there is no WHAT ...". */
enum stoa_status stoa_fields_fail(const struct stoa_field *fields, uint32_t nfields,
                                  const char *name, uint32_t nfound, const char *what,
                                  struct stoa_error *err);

/* Fields with all their children: the nodes that the file format numbers. */
size_t stoa_schema_count_nodes(const struct stoa_schema *schema);

/* The parent of a column. */
#define STOA_NO_NODE UINT32_MAX

/* One field of a schema, which stands at its node number. */
struct stoa_schema_node {
    const struct stoa_field *field;
    uint32_t parent;  /* node number, STOA_NO_NODE for a column */
    uint32_t nnodes;  /* of the field with all that is below it; the next sibling is this far on */
    uint8_t depth;    /* 1 for a column */
    bool below_list;  /* below a list, a map or a fixed_list: its values are not one a row */
    bool can_be_null; /* it is nullable, or an ancestor up to the nearest list or map is */
};

/*
 * The nodes of a schema that stoa_schema_check() accepts, depth first; free with stoa_free(). The
 * fields stay the schema's.
 */
STOA_CHECK enum stoa_status stoa_schema_nodes(const struct stoa_schema *schema,
                                              struct stoa_schema_node **nodes, uint32_t *nnodes,
                                              struct stoa_error *err);

/*
 * The array of a node of the batch's schema; NULL when the node or its array is not there (a column
 * that was left empty has no children). Cost: one step a node before it.
 */
const struct stoa_array *stoa_batch_node(const struct stoa_batch *batch, uint32_t node);

STOA_CHECK enum stoa_status stoa_field_copy(struct stoa_field *out, const struct stoa_field *field,
                                            struct stoa_error *err);
bool stoa_field_equal(const struct stoa_field *a, const struct stoa_field *b);

STOA_CHECK enum stoa_status stoa_metadata_copy(struct stoa_metadata *out,
                                               const struct stoa_metadata *metadata,
                                               struct stoa_error *err);
void stoa_metadata_reset(struct stoa_metadata *metadata);

struct json_t; /* of jansson */

/*
 * JSON text as a tree, for json_decref(); a key may stand once in an object. STOA_ERR_USAGE says
 * where it is none; STOA_ERR_NOMEM. schema_json.c
 */
STOA_CHECK enum stoa_status stoa_json_load(const char *text, size_t nbytes, struct json_t **out,
                                           struct stoa_error *err);

#endif
