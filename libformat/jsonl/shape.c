/*
 * The shape of a schema. Each object finds its members in a table of its own, at most half full:
 *
 *     slots   | 0 3 0 1 | 0 0 5 0 6 0 0 0 | ...        of nodes 0, 4, ...
 */
#include "jsonl/shape.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "column/json_value.h"
#include "jsonl/parse.h"

static bool is_map_entry(const struct stoa_jsonl_shape *shape, uint32_t node)
{
    const uint32_t parent = shape->nodes[node].parent;
    const uint32_t above = parent != 0 ? shape->nodes[parent].parent : 0;

    return above != 0 && shape->nodes[above].field->type.id == STOA_MAP;
}

const char *stoa_jsonl_shape_name(const struct stoa_jsonl_shape *shape, uint32_t node)
{
    if (is_map_entry(shape, node))
        return node == shape->nodes[node].parent + 1 ? "key" : "value";
    return shape->nodes[node].field->name;
}

/* Where the search for a name begins. */
static uint32_t slot_of(const struct stoa_jsonl_shape *shape, const struct stoa_jsonl_node *node,
                        const char *name, size_t nbytes)
{
    return (uint32_t)stoa_hash_seeded(name, nbytes, shape->seed) & (node->table_nslots - 1);
}

uint32_t stoa_jsonl_shape_find(const struct stoa_jsonl_shape *shape, uint32_t node,
                               const char *name, size_t nbytes)
{
    const struct stoa_jsonl_node *object = &shape->nodes[node];
    const uint32_t *slots = shape->slots + object->table;

    for (uint32_t slot = slot_of(shape, object, name, nbytes); slots[slot] != 0;
         slot = (slot + 1) & (object->table_nslots - 1)) {
        const char *found = stoa_jsonl_shape_name(shape, slots[slot]);

        if (strlen(found) == nbytes && memcmp(found, name, nbytes) == 0)
            return slots[slot];
    }
    return 0;
}

static void add_child(struct stoa_jsonl_shape *shape, uint32_t node, uint32_t child)
{
    const struct stoa_jsonl_node *object = &shape->nodes[node];
    const char *name = stoa_jsonl_shape_name(shape, child);
    uint32_t *slots = shape->slots + object->table;
    uint32_t slot = slot_of(shape, object, name, strlen(name));

    while (slots[slot] != 0)
        slot = (slot + 1) & (object->table_nslots - 1);
    slots[slot] = child;
}

/* Twice as many as there are children, or more. */
static uint32_t nslots_of(const struct stoa_jsonl_node *node)
{
    uint32_t n = 4;

    if (node->field != NULL && node->field->type.id != STOA_STRUCT)
        return 0;
    while (n < 2 * node->nchildren)
        n *= 2;
    return n;
}

static enum stoa_status make_tables(struct stoa_jsonl_shape *shape, struct stoa_error *err)
{
    size_t nslots = 0;
    enum stoa_status st;

    for (uint32_t i = 0; i < shape->nnodes; i++) {
        shape->nodes[i].table = (uint32_t)nslots;
        shape->nodes[i].table_nslots = nslots_of(&shape->nodes[i]);
        nslots += shape->nodes[i].table_nslots;
    }
    STOA_TRY(stoa_alloc_zeroed(&shape->slots, nslots, sizeof(*shape->slots), err));
    for (uint32_t i = 1; i < shape->nnodes; i++)
        if (shape->nodes[shape->nodes[i].parent].table_nslots != 0)
            add_child(shape, shape->nodes[i].parent, i);
out:
    return st;
}

/* The keys in quotes, each with room behind it to be compared eight bytes at a time. */
static enum stoa_status make_keys(struct stoa_jsonl_shape *shape, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 1; i < shape->nnodes; i++) {
        struct stoa_jsonl_node *node = &shape->nodes[i];
        const char *name = stoa_jsonl_shape_name(shape, i);

        node->quoted = (uint32_t)shape->keys.nbytes;
        STOA_TRY(stoa_json_append_string(&shape->keys, name, strlen(name), err));
        node->quoted_nbytes = (uint32_t)shape->keys.nbytes - node->quoted;
        STOA_TRY(stoa_buffer_append_zeros(&shape->keys, 8, err));
    }
out:
    return st;
}

/* How the times of a column stand in the text, where the metadata say so. */
static enum stoa_status take_format(struct stoa_jsonl_node *node, struct stoa_error *err)
{
    const struct stoa_type *type = &node->field->type;
    const char *format = stoa_metadata_get(&node->field->metadata, STOA_METADATA_JSON_FORMAT);
    struct stoa_time_pattern *pattern = NULL;
    char shown[80];
    enum stoa_status st = STOA_OK;

    node->separator = 'T';
    if (format == NULL)
        return STOA_OK;
    STOA_TRY(stoa_alloc(&pattern, sizeof(*pattern), err));
    STOA_TRY(stoa_time_pattern_compile(format, pattern, err));
    if (!stoa_json_format_fits(pattern, type)) {
        st = stoa_fail(
            err, STOA_ERR_USAGE, "column \"%s\": json_format does not fit its type",
            stoa_quote(shown, sizeof(shown), node->field->name, strlen(node->field->name)));
        goto out;
    }
    node->pattern = pattern;
    pattern = NULL;
    if (node->strict) { /* one of those that inference makes */
        node->separator = strstr(format, "%d %H") != NULL ? ' ' : 'T';
        node->all_digits = node->pattern->has_fraction;
    }
out:
    stoa_free(pattern);
    return st;
}

static bool is_repeated(const struct stoa_jsonl_node *parent)
{
    return parent->repeated || (parent->field != NULL && parent->field->type.id != STOA_STRUCT);
}

static bool is_time(const struct stoa_type *type)
{
    return type->id == STOA_DATE32 || type->id == STOA_TIME || type->id == STOA_TIMESTAMP;
}

enum stoa_status stoa_jsonl_shape_init(struct stoa_jsonl_shape *out,
                                       const struct stoa_schema *schema, const bool *wanted,
                                       const bool *is_inferred, struct stoa_error *err)
{
    struct stoa_jsonl_shape shape = {.seed = stoa_hash_make_seed()};
    struct stoa_schema_node *nodes = NULL;
    uint32_t nnodes, column = 0;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_alloc_zeroed(&shape.nodes, (size_t)nnodes + 1, sizeof(*shape.nodes), err));
    shape.nnodes = nnodes + 1;
    shape.nodes[0] = (struct stoa_jsonl_node){
        .nnodes = nnodes + 1, .nchildren = schema->nfields, .wanted = true};
    for (uint32_t i = 0; i < nnodes; i++) {
        struct stoa_jsonl_node *node = &shape.nodes[i + 1];

        if (i > 0 && nodes[i].parent == STOA_NO_NODE)
            column++;
        node->field = nodes[i].field;
        node->parent = nodes[i].parent == STOA_NO_NODE ? 0 : nodes[i].parent + 1;
        node->repeated = is_repeated(&shape.nodes[node->parent]);
        node->nnodes = nodes[i].nnodes;
        node->nchildren = nodes[i].field->nchildren;
        node->nullable = nodes[i].field->nullable;
        node->wanted = wanted == NULL || wanted[column];
        node->strict = is_inferred != NULL && is_inferred[column];
        node->json = stoa_field_is_json(node->field);
        node->read = stoa_jsonl_reader_of(node);
        if (is_time(&node->field->type))
            STOA_TRY(take_format(node, err));
    }
    STOA_TRY(make_tables(&shape, err));
    STOA_TRY(make_keys(&shape, err));
    *out = shape;
    shape = (struct stoa_jsonl_shape){0};
out:
    stoa_free(nodes);
    stoa_jsonl_shape_reset(&shape);
    return st;
}

void stoa_jsonl_shape_reset(struct stoa_jsonl_shape *shape)
{
    for (uint32_t i = 0; i < shape->nnodes; i++)
        stoa_free(shape->nodes[i].pattern);
    stoa_free(shape->nodes);
    stoa_free(shape->slots);
    stoa_buffer_free(&shape->keys);
    *shape = (struct stoa_jsonl_shape){0};
}

enum stoa_status stoa_jsonl_shape_path(const struct stoa_jsonl_shape *shape, uint32_t node,
                                       struct stoa_buffer *out, struct stoa_error *err)
{
    uint32_t path[STOA_MAX_FIELD_DEPTH + 1];
    size_t n = 0;
    enum stoa_status st = STOA_OK;

    for (; node != 0; node = shape->nodes[node].parent)
        path[n++] = node;
    while (n-- > 0) {
        const uint32_t parent = shape->nodes[path[n]].parent;
        const bool is_item = parent != 0 && shape->nodes[parent].table_nslots == 0;
        const char *name = stoa_jsonl_shape_name(shape, path[n]);

        if (is_item) {
            STOA_TRY(stoa_buffer_append(out, "[]", 2, err));
            continue;
        }
        if (parent != 0)
            STOA_TRY(stoa_buffer_append(out, ".", 1, err));
        STOA_TRY(stoa_buffer_append(out, name, strlen(name), err));
    }
out:
    return st;
}
