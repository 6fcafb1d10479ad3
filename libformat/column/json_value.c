/*
 * Values as JSON. A struct is written like a row, and like it goes from node to node:
 *
 *     node       0        1         2        3
 *     key       {"a":   ,"b":      {"x":    ,"y":
 *               {"a":1  ,"b":      {"x":2   ,"y":3}  }
 */
#include "column/json_value.h"

#include <string.h>

#include "base/error.h"
#include "base/json_scan.h"
#include "base/text.h"
#include "column/type.h"

/* ---- Names ---- */

bool stoa_field_is_json(const struct stoa_field *field)
{
    const char *text = stoa_metadata_get(&field->metadata, STOA_METADATA_JSON_TEXT);

    return field->type.id == STOA_UTF8 && text != NULL && strcmp(text, "true") == 0;
}

bool stoa_json_format_fits(const struct stoa_time_pattern *pattern, const struct stoa_type *type)
{
    const bool zoned = type->id == STOA_TIMESTAMP && type->zone != NULL;

    return pattern->has_date == (type->id != STOA_TIME) &&
           pattern->has_clock == (type->id != STOA_DATE32) && pattern->has_zone == zoned;
}

void stoa_json_shape_reset(struct stoa_json_shape *shape)
{
    for (uint32_t node = 0; shape->patterns != NULL && node < shape->nnodes; node++)
        stoa_free(shape->patterns[node]);
    stoa_free(shape->patterns);
    stoa_free(shape->nodes);
    stoa_free(shape->key_begins);
    stoa_buffer_free(&shape->keys);
    *shape = (struct stoa_json_shape){0};
}

static bool is_first_child(const struct stoa_json_shape *shape, uint32_t node)
{
    uint32_t parent = shape->nodes[node].parent;

    return parent == STOA_NO_NODE ? node == 0 : node == parent + 1;
}

/* The two parts of a map's entries have one name each, whatever the schema calls them. */
static const char *name_of(const struct stoa_json_shape *shape, uint32_t node)
{
    const struct stoa_schema_node *nodes = shape->nodes;
    uint32_t parent = nodes[node].parent;

    if (parent != STOA_NO_NODE && nodes[parent].parent != STOA_NO_NODE &&
        nodes[nodes[parent].parent].field->type.id == STOA_MAP)
        return is_first_child(shape, node) ? "key" : "value";
    return nodes[node].field->name;
}

/* A pattern that is none for its type is no matter here: ISO 8601 says the same. */
static enum stoa_status init_pattern(struct stoa_json_shape *shape, uint32_t node,
                                     struct stoa_error *err)
{
    const struct stoa_field *field = shape->nodes[node].field;
    const char *text = stoa_metadata_get(&field->metadata, STOA_METADATA_JSON_FORMAT);
    struct stoa_time_pattern pattern;
    enum stoa_status st = STOA_OK;

    if (text == NULL || (field->type.id != STOA_DATE32 && field->type.id != STOA_TIME &&
                         field->type.id != STOA_TIMESTAMP))
        return STOA_OK;
    if (stoa_time_pattern_compile(text, &pattern, NULL) != STOA_OK ||
        !stoa_json_format_fits(&pattern, &field->type))
        return STOA_OK;
    if (shape->patterns == NULL)
        STOA_TRY(stoa_alloc_zeroed(&shape->patterns, shape->nnodes, sizeof(*shape->patterns), err));
    STOA_TRY(stoa_alloc(&shape->patterns[node], sizeof(pattern), err));
    *shape->patterns[node] = pattern;
out:
    return st;
}

enum stoa_status stoa_json_shape_init(struct stoa_json_shape *shape,
                                      const struct stoa_schema *schema, struct stoa_error *err)
{
    struct stoa_json_shape made = {0};
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(schema, &made.nodes, &made.nnodes, err));
    STOA_TRY(stoa_alloc_zeroed(&made.key_begins, (size_t)made.nnodes + 1,
                               sizeof(made.key_begins[0]), err));
    for (uint32_t node = 0; node < made.nnodes; node++) {
        const char *name = name_of(&made, node);

        STOA_TRY(stoa_buffer_append(&made.keys, is_first_child(&made, node) ? "{" : ",", 1, err));
        STOA_TRY(stoa_json_append_string(&made.keys, name, strlen(name), err));
        STOA_TRY(stoa_buffer_append(&made.keys, ":", 1, err));
        made.key_begins[node + 1] = made.keys.nbytes;
        STOA_TRY(init_pattern(&made, node, err));
    }
    *shape = made;
    made = (struct stoa_json_shape){0};
out:
    stoa_json_shape_reset(&made);
    return st;
}

/* ---- Values without children ---- */

static enum stoa_status append_base64(struct stoa_buffer *out, const uint8_t *bytes, size_t nbytes,
                                      struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
    STOA_TRY(stoa_base64_append(out, bytes, nbytes, err));
    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
out:
    return st;
}

/* Whether the text of a value is no JSON number or word: that of times, and NaN and infinities. */
static bool needs_quotes(const struct stoa_type *type, const char *text)
{
    if (type->id == STOA_FLOAT16 || type->id == STOA_FLOAT32 || type->id == STOA_FLOAT64) {
        text += *text == '-';
        return *text == 'N' || *text == 'I';
    }
    return type->id >= STOA_DATE32;
}

_Static_assert(STOA_DECIMAL<STOA_DATE32 && STOA_UUID> STOA_DATE32, "numbers come first");

/* Seconds since 1970, or since midnight, of a date or time, and the nanoseconds behind them. */
static int64_t seconds_of(const struct stoa_type *type, const struct stoa_array *array, size_t i,
                          uint32_t *nanos)
{
    const int64_t per_second = type->id == STOA_DATE32 ? 1 : stoa_time_unit_per_second(type->unit);
    int64_t x, rest;
    int32_t small;

    if (stoa_type_width(type) == sizeof(small)) {
        memcpy(&small, array->values + sizeof(small) * i, sizeof(small));
        x = small;
    } else {
        memcpy(&x, array->values + sizeof(x) * i, sizeof(x));
    }
    rest = x % per_second;
    rest += rest < 0 ? per_second : 0;
    *nanos = (uint32_t)(rest * (1000000000 / per_second));
    x = (x - rest) / per_second;
    return type->id == STOA_DATE32 ? x * 86400 : x;
}

/* By a pattern, with all digits of the unit; *done is false for a year that it has no digits for.
 */
static enum stoa_status append_pattern(struct stoa_buffer *out,
                                       const struct stoa_time_pattern *pattern,
                                       const struct stoa_type *type, const struct stoa_array *array,
                                       size_t i, bool *done, struct stoa_error *err)
{
    const unsigned ndigits = 3 * (unsigned)type->unit;
    char text[STOA_TIME_PATTERN_NBYTES];
    uint32_t nanos;
    const int64_t seconds = seconds_of(type, array, i, &nanos);
    const size_t nbytes = stoa_time_pattern_format(pattern, seconds, nanos,
                                                   ndigits > 0 ? ndigits : 1, STOA_UTC_Z, text);

    *done = nbytes > 0;
    return *done ? stoa_json_append_string(out, text, nbytes, err) : STOA_OK;
}

/* Text that is JSON: as it stands if it is, on one line; else as a string. */
static enum stoa_status append_json(struct stoa_buffer *out, const uint8_t *bytes, size_t nbytes,
                                    struct stoa_error *err)
{
    const size_t before = out->nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(out, bytes, nbytes, err));
    STOA_TRY(stoa_buffer_append_zeros(out, 1 + STOA_JSON_SLACK, err));
    out->nbytes = before + nbytes;
    if (stoa_json_is_value((const char *)out->data + before, nbytes))
        return STOA_OK;
    out->nbytes = before;
    STOA_TRY(stoa_json_append_string(out, bytes, nbytes, err));
out:
    return st;
}

static enum stoa_status append_text(struct stoa_buffer *out, const struct stoa_field *field,
                                    const struct stoa_array *array, size_t i,
                                    struct stoa_error *err)
{
    char text[STOA_TEXT_NBYTES + 2], *begin = text + 1;
    size_t nbytes = stoa_array_format(field, array, i, begin);

    if (field->type.id == STOA_TIMESTAMP) /* as ISO 8601 wants it */
        *(char *)memchr(begin, ' ', nbytes) = 'T';
    if (needs_quotes(&field->type, begin)) {
        begin[nbytes] = '"';
        *--begin = '"';
        nbytes += 2;
    }
    return stoa_buffer_append(out, begin, nbytes, err);
}

static enum stoa_status append_leaf(struct stoa_buffer *out, const struct stoa_field *field,
                                    const struct stoa_array *array, size_t i,
                                    struct stoa_error *err)
{
    const struct stoa_type *type = &field->type;
    const uint8_t *bytes = (const uint8_t *)"";
    size_t nbytes = 0;
    uint32_t index;

    if (array->offsets != NULL)
        nbytes = (size_t)array->offsets[i + 1] - (size_t)array->offsets[i];
    if (nbytes > 0) /* else there may be no buffer */
        bytes = array->values + array->offsets[i];
    switch (type->id) {
    case STOA_UTF8:
        return stoa_field_is_json(field) ? append_json(out, bytes, nbytes, err)
                                         : stoa_json_append_string(out, bytes, nbytes, err);
    case STOA_BINARY:
        return append_base64(out, bytes, nbytes, err);
    case STOA_FIXED_BINARY:
        return append_base64(out, array->values + i * type->width, type->width, err);
    case STOA_ENUM:
        memcpy(&index, array->values + sizeof(index) * i, sizeof(index));
        return stoa_json_append_string(out, type->symbols[index], strlen(type->symbols[index]),
                                       err);
    default:
        return append_text(out, field, array, i, err);
    }
}

/* ---- Nested values ---- */

/* Values i of the arrays of sibling nodes as the members of an object. */
static enum stoa_status append_members(struct stoa_buffer *out, const struct stoa_json_shape *shape,
                                       uint32_t node, const struct stoa_array *arrays,
                                       uint32_t narrays, size_t i, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (narrays == 0)
        return stoa_buffer_append(out, "{}", 2, err);
    for (uint32_t k = 0; k < narrays; k++) {
        size_t begin = shape->key_begins[node];

        STOA_TRY(stoa_buffer_append(out, shape->keys.data + begin,
                                    shape->key_begins[node + 1] - begin, err));
        STOA_TRY(stoa_json_append_value(out, shape, node, &arrays[k], i, err));
        node += shape->nodes[node].nnodes;
    }
    STOA_TRY(stoa_buffer_append(out, "}", 1, err));
out:
    return st;
}

/* Values [begin, end) of a child. */
static enum stoa_status append_items(struct stoa_buffer *out, const struct stoa_json_shape *shape,
                                     uint32_t node, const struct stoa_array *array, size_t begin,
                                     size_t end, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(out, "[", 1, err));
    for (size_t i = begin; i < end; i++) {
        if (i > begin)
            STOA_TRY(stoa_buffer_append(out, ",", 1, err));
        STOA_TRY(stoa_json_append_value(out, shape, node, array, i, err));
    }
    STOA_TRY(stoa_buffer_append(out, "]", 1, err));
out:
    return st;
}

enum stoa_status stoa_json_append_value(struct stoa_buffer *out,
                                        const struct stoa_json_shape *shape, uint32_t node,
                                        const struct stoa_array *array, size_t i,
                                        struct stoa_error *err)
{
    const struct stoa_field *field = shape->nodes[node].field;
    size_t width = field->type.width;
    bool done;
    enum stoa_status st;

    if (field->type.id == STOA_NULL || stoa_array_is_null(array, i))
        return stoa_buffer_append(out, "null", 4, err);
    if (shape->patterns != NULL && shape->patterns[node] != NULL) {
        st = append_pattern(out, shape->patterns[node], &field->type, array, i, &done, err);
        if (st != STOA_OK || done)
            return st;
    }
    switch (stoa_type_info(field->type.id)->layout) {
    case STOA_LAYOUT_LIST:
        return append_items(out, shape, node + 1, array->children, (size_t)array->offsets[i],
                            (size_t)array->offsets[i + 1], err);
    case STOA_LAYOUT_FIXED_LIST:
        return append_items(out, shape, node + 1, array->children, i * width, (i + 1) * width, err);
    case STOA_LAYOUT_STRUCT:
        return append_members(out, shape, node + 1, array->children, array->nchildren, i, err);
    default:
        return append_leaf(out, field, array, i, err);
    }
}

enum stoa_status stoa_json_append_row(struct stoa_buffer *out, const struct stoa_json_shape *shape,
                                      const struct stoa_batch *batch, size_t row,
                                      struct stoa_error *err)
{
    return append_members(out, shape, 0, batch->columns, batch->ncolumns, row, err);
}

enum stoa_status stoa_array_print_json(const struct stoa_field *field,
                                       const struct stoa_array *array, size_t i, char **out,
                                       struct stoa_error *err)
{
    /* Only read: a schema of the one field, which stays the caller's. */
    const struct stoa_schema alone = {.fields = (struct stoa_field *)field, .nfields = 1};
    struct stoa_json_shape shape = {0};
    struct stoa_buffer text = {0};
    enum stoa_status st;

    STOA_TRY(stoa_json_shape_init(&shape, &alone, err));
    STOA_TRY(stoa_json_append_value(&text, &shape, 0, array, i, err));
    STOA_TRY(stoa_buffer_append_zeros(&text, 1, err));
    *out = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    stoa_json_shape_reset(&shape);
    return st;
}
