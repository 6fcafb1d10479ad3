/*
 * Schemas of Avro as JSON (Apache Avro 1.12, "Schema Declaration"), as they are given for tables:
 *
 *   {"type": "record", "name": "trips", "fields": [
 *     {"name": "pickup_at", "stoa_name": "pickup at", "default": null,
 *      "type": ["null", {"type": "long", "logicalType": "local-timestamp-millis"}]},
 *     {"name": "n", "stoa_type": "uint8", "type": "int"}]}
 *
 * Where a type of Avro stands for another one of ours, its text form goes along as "stoa_type", by
 * avro_make.c.
 *
 * jansson keeps its own allocator, malloc: setting another would change it for the whole program.
 */
#include <stoa/avro.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "avro/avro_json.h"
#include "base/error.h"
#include "column/schema.h"
#include "column/type.h"

enum { MAX_DEPTH = 32 };

/* Types of Avro that stand for one of ours, by its text form; parameters and parts aside. */
static const struct {
    const char *type;
    const char *logical; /* NULL: none */
    const char *text;
} pairs[] = {
    {"null", NULL, "null"},
    {"boolean", NULL, "bool"},
    {"int", NULL, "int32"},
    {"long", NULL, "int64"},
    {"float", NULL, "float32"},
    {"double", NULL, "float64"},
    {"bytes", NULL, "binary"},
    {"string", NULL, "utf8"},
    {"string", "uuid", "uuid"},
    {"int", "date", "date32"},
    {"int", "time-millis", "time(ms)"},
    {"long", "time-micros", "time(us)"},
    {"long", "timestamp-millis", "timestamp(ms,UTC)"},
    {"long", "timestamp-micros", "timestamp(us,UTC)"},
    {"long", "timestamp-nanos", "timestamp(ns,UTC)"},
    {"long", "local-timestamp-millis", "timestamp(ms)"},
    {"long", "local-timestamp-micros", "timestamp(us)"},
    {"long", "local-timestamp-nanos", "timestamp(ns)"},
};
#define NPAIRS (sizeof(pairs) / sizeof(pairs[0]))

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- Reading ---- */

static enum stoa_status read_type(const json_t *type, unsigned depth, struct stoa_field *field,
                                  struct stoa_error *err);

static enum stoa_status read_field(const json_t *object, unsigned depth, struct stoa_field *field,
                                   struct stoa_error *err);

static enum stoa_status fail_type(struct stoa_error *err, const char *type)
{
    char shown[64];

    return stoa_fail(err, STOA_ERR_USAGE, "type \"%s\" can't be read: it is none of Avro's own",
                     stoa_quote(shown, sizeof(shown), type, strlen(type)));
}

/* A parameter of a type, 0..UINT32_MAX. */
static enum stoa_status read_number(const json_t *object, const char *key, uint32_t *out,
                                    struct stoa_error *err)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > UINT32_MAX)
        return stoa_fail(err, STOA_ERR_USAGE, "\"%s\" is missing or no number", key);
    *out = (uint32_t)json_integer_value(value);
    return STOA_OK;
}

static enum stoa_status read_decimal(const json_t *object, struct stoa_type *out,
                                     struct stoa_error *err)
{
    uint32_t precision = 0, scale = 0;
    char text[48];
    enum stoa_status st;

    STOA_TRY(read_number(object, "precision", &precision, err));
    if (json_object_get(object, "scale") != NULL)
        STOA_TRY(read_number(object, "scale", &scale, err));
    snprintf(text, sizeof(text), "decimal(%" PRIu32 ",%" PRIu32 ")", precision, scale);
    STOA_TRY(stoa_type_parse(text, out, err));
out:
    return st;
}

static enum stoa_status read_enum(const json_t *object, struct stoa_type *out,
                                  struct stoa_error *err)
{
    const json_t *symbols = json_object_get(object, "symbols");
    const size_t n = json_array_size(symbols);
    struct stoa_type type = {.id = STOA_ENUM};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&type.symbols, n, sizeof(*type.symbols), err));
    while (type.nsymbols < n) {
        const char *symbol = json_string_value(json_array_get(symbols, type.nsymbols));

        if (symbol == NULL) {
            st = stoa_fail(err, STOA_ERR_USAGE, "a symbol is no text");
            goto out;
        }
        STOA_TRY(stoa_strndup(&type.symbols[type.nsymbols++], symbol, strlen(symbol), err));
    }
    *out = type;
    type = (struct stoa_type){0};
out:
    stoa_type_reset(&type);
    return st;
}

/* Makes room for the children of a nested type. */
static enum stoa_status add_children(struct stoa_field *field, enum stoa_type_id id, size_t n,
                                     struct stoa_error *err)
{
    enum stoa_status st = stoa_alloc_zeroed(&field->children, n, sizeof(*field->children), err);

    field->type.id = id;
    field->nchildren = st == STOA_OK ? (uint32_t)n : 0;
    return st;
}

static enum stoa_status name_child(struct stoa_field *child, const char *name,
                                   struct stoa_error *err)
{
    return stoa_strndup(&child->name, name, strlen(name), err);
}

/* A map that is written as an array of records of a key and a value. */
static enum stoa_status read_entries(const json_t *object, unsigned depth, struct stoa_field *field,
                                     struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(add_children(field, STOA_MAP, 1, err));
    STOA_TRY(name_child(&field->children[0], "entries", err));
    STOA_TRY(read_type(json_object_get(object, "items"), depth + 1, &field->children[0], err));
out:
    return st;
}

static enum stoa_status read_array(const json_t *object, unsigned depth, struct stoa_field *field,
                                   struct stoa_error *err)
{
    const char *logical = text_of(object, "logicalType");
    enum stoa_status st;

    if (logical != NULL && strcmp(logical, "map") == 0)
        return read_entries(object, depth, field, err);
    STOA_TRY(add_children(field, STOA_LIST, 1, err));
    STOA_TRY(name_child(&field->children[0], "item", err));
    STOA_TRY(read_type(json_object_get(object, "items"), depth + 1, &field->children[0], err));
out:
    return st;
}

static enum stoa_status read_map(const json_t *object, unsigned depth, struct stoa_field *field,
                                 struct stoa_error *err)
{
    struct stoa_field *entries;
    enum stoa_status st;

    STOA_TRY(add_children(field, STOA_MAP, 1, err));
    entries = &field->children[0];
    STOA_TRY(name_child(entries, "entries", err));
    STOA_TRY(add_children(entries, STOA_STRUCT, 2, err));
    STOA_TRY(name_child(&entries->children[0], "key", err));
    entries->children[0].type.id = STOA_UTF8;
    STOA_TRY(name_child(&entries->children[1], "value", err));
    STOA_TRY(read_type(json_object_get(object, "values"), depth + 1, &entries->children[1], err));
out:
    return st;
}

static enum stoa_status read_record(const json_t *object, unsigned depth, struct stoa_field *field,
                                    struct stoa_error *err)
{
    const json_t *fields = json_object_get(object, "fields");
    const size_t n = json_array_size(fields);
    enum stoa_status st;

    if (!json_is_array(fields) || n > STOA_MAX_NODES)
        return stoa_fail(err, STOA_ERR_USAGE, "\"fields\" is missing, no array or too long");
    STOA_TRY(add_children(field, STOA_STRUCT, n, err));
    for (size_t i = 0; i < n; i++)
        STOA_TRY(read_field(json_array_get(fields, i), depth + 1, &field->children[i], err));
out:
    return st;
}

/* A type that its name, with the logical one, tells wholly. */
static enum stoa_status read_pair(const char *type, const char *logical, struct stoa_field *field,
                                  struct stoa_error *err)
{
    const char *text = NULL;

    for (size_t i = 0; i < NPAIRS; i++) {
        const bool plain = pairs[i].logical == NULL;

        if (strcmp(pairs[i].type, type) == 0 &&
            (plain || (logical != NULL && strcmp(pairs[i].logical, logical) == 0)))
            text = pairs[i].text; /* a logical type stands behind the plain one */
    }
    if (text == NULL)
        return fail_type(err, type);
    if (strcmp(type, "null") == 0)
        field->nullable = true; /* it has nothing else */
    return stoa_type_parse(text, &field->type, err);
}

static enum stoa_status read_object(const json_t *object, unsigned depth, struct stoa_field *field,
                                    struct stoa_error *err)
{
    const char *type = text_of(object, "type"), *logical = text_of(object, "logicalType");
    char text[40];
    uint32_t nbytes = 0;
    enum stoa_status st;

    if (type == NULL) /* {"type": {"type": "int"}} */
        return read_type(json_object_get(object, "type"), depth + 1, field, err);
    if (logical != NULL && strcmp(logical, "decimal") == 0)
        return read_decimal(object, &field->type, err);
    if (strcmp(type, "array") == 0)
        return read_array(object, depth, field, err);
    if (strcmp(type, "map") == 0)
        return read_map(object, depth, field, err);
    if (strcmp(type, "record") == 0)
        return read_record(object, depth, field, err);
    if (strcmp(type, "enum") == 0)
        return read_enum(object, &field->type, err);
    if (strcmp(type, "fixed") != 0)
        return read_pair(type, logical, field, err);
    STOA_TRY(read_number(object, "size", &nbytes, err));
    if (logical != NULL && strcmp(logical, "duration") == 0)
        return stoa_type_parse("interval", &field->type, err);
    snprintf(text, sizeof(text), "fixed_binary(%" PRIu32 ")", nbytes);
    STOA_TRY(stoa_type_parse(text, &field->type, err));
out:
    return st;
}

/* Reads a type into a field, which has a name and nothing else. */
static enum stoa_status read_type(const json_t *type, unsigned depth, struct stoa_field *field,
                                  struct stoa_error *err)
{
    const json_t *first = json_array_get(type, 0), *second = json_array_get(type, 1);
    const char *name = json_string_value(first);

    if (depth > MAX_DEPTH)
        return stoa_fail(err, STOA_ERR_USAGE, "types are nested more than %d deep", MAX_DEPTH);
    if (json_is_string(type))
        return read_pair(json_string_value(type), NULL, field, err);
    if (json_is_object(type))
        return read_object(type, depth, field, err);
    if (!json_is_array(type) || json_array_size(type) != 2)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "a type is a name, an object, or a union of one of these with null");
    field->nullable = true;
    if (name != NULL && strcmp(name, "null") == 0)
        return read_type(second, depth + 1, field, err);
    name = json_string_value(second);
    if (name == NULL || strcmp(name, "null") != 0)
        return stoa_fail(err, STOA_ERR_USAGE, "a union of two types can't be one column");
    return read_type(first, depth + 1, field, err);
}

static enum stoa_status read_metadata(const json_t *object, struct stoa_metadata *out,
                                      struct stoa_error *err)
{
    json_t *pairs_of = json_object_get(object, "metadata");
    const char *format = text_of(object, STOA_METADATA_CSV_FORMAT);
    enum stoa_status st = STOA_OK;
    const char *key;
    json_t *value;

    if (format != NULL)
        STOA_TRY(stoa_metadata_set(out, STOA_METADATA_CSV_FORMAT, format, err));
    json_object_foreach(pairs_of, key, value)
    {
        if (json_string_value(value) == NULL)
            return stoa_fail(err, STOA_ERR_USAGE, "metadata must be texts");
        STOA_TRY(stoa_metadata_set(out, key, json_string_value(value), err));
    }
out:
    return st;
}

/* Reads a field of a record; what it owns after a failure is the caller's to reset. */
static enum stoa_status read_field(const json_t *object, unsigned depth, struct stoa_field *field,
                                   struct stoa_error *err)
{
    const char *name = text_of(object, "stoa_name"), *type = text_of(object, "stoa_type");
    struct stoa_field given = {0};
    char shown[80];
    enum stoa_status st;

    if (name == NULL)
        name = text_of(object, "name");
    if (name == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "a field has no name");
    STOA_TRY(stoa_strndup(&field->name, name, strlen(name), err));
    STOA_TRY(read_type(json_object_get(object, "type"), depth, field, err));
    if (type != NULL) {
        const bool nullable = field->nullable;

        STOA_TRY(stoa_field_parse(name, type, nullable, &given, err));
        stoa_field_reset(field);
        *field = given;
        given = (struct stoa_field){0};
    }
    STOA_TRY(read_metadata(object, &field->metadata, err));
out:
    stoa_field_reset(&given);
    return st == STOA_OK ? st
                         : stoa_wrap(err, st, "field \"%s\"",
                                     stoa_quote(shown, sizeof(shown), name, strlen(name)));
}

static enum stoa_status read_table(const json_t *root, struct stoa_schema *out,
                                   struct stoa_error *err)
{
    const char *type = text_of(root, "type");
    struct stoa_schema schema = {0};
    struct stoa_field table = {0};
    enum stoa_status st;

    if (type == NULL || strcmp(type, "record") != 0)
        return stoa_fail(
            err, STOA_ERR_USAGE,
            "not an Avro schema of a table: it begins with {\"type\": \"record\", ...");
    STOA_TRY(read_record(root, 0, &table, err));
    schema = (struct stoa_schema){.fields = table.children, .nfields = table.nchildren};
    table.children = NULL;
    table.nchildren = 0;
    STOA_TRY(read_metadata(root, &schema.metadata, err));
    STOA_TRY(stoa_schema_check(&schema, err));
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_field_reset(&table);
    stoa_schema_reset(&schema);
    return st;
}

enum stoa_status stoa_avro_parse_schema(const char *text, size_t nbytes, struct stoa_schema *out,
                                        struct stoa_error *err)
{
    json_t *root;
    enum stoa_status st = stoa_json_load(text, nbytes, &root, err);

    if (st != STOA_OK)
        return st;
    st = read_table(root, out, err);
    json_decref(root);
    return st;
}
