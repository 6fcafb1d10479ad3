/*
 * Schemas as JSON (schemas/stoa-schema.schema.json), both ways:
 *
 *   {"stoa_schema": 1,
 *    "fields": [
 *     {"name": "fare", "type": "decimal(10,2)", "nullable": true}],
 *    "metadata": {"source": "meter"},
 *    "evidence": [...]}
 *
 * The type's text holds children with their names, types and nullability. What it has no room for
 * (their ids and metadata, a list whose child is not called "item") stands under "children", which
 * must agree with the text and is written only where it is needed.
 *
 * jansson keeps its own allocator, malloc: setting another would change it for the whole program.
 */
#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/nearest.h"
#include "column/schema.h"
#include "column/type.h"

enum { DOCUMENT_VERSION = 1 };

static const char *const document_keys[] = {"stoa_schema", "fields", "metadata", "evidence"};
static const char *const field_keys[] = {"name",       "type",     "nullable", "id",
                                         "csv_format", "metadata", "children"};
#define COUNT(keys) (sizeof(keys) / sizeof((keys)[0]))

/* ---- Reading ---- */

static const char *key_at(const void *context, size_t i)
{
    const char *const *keys = context;

    return keys[i];
}

static enum stoa_status check_keys(const json_t *object, const char *const *keys, size_t nkeys,
                                   struct stoa_error *err)
{
    void *i;

    for (i = json_object_iter((json_t *)object); i != NULL;
         i = json_object_iter_next((json_t *)object, i)) {
        const char *key = json_object_iter_key(i);
        size_t known = 0, nearest;
        char shown[64];

        while (known < nkeys && strcmp(keys[known], key) != 0)
            known++;
        if (known < nkeys)
            continue;
        nearest = stoa_nearest(key, nkeys, key_at, keys);
        stoa_quote(shown, sizeof(shown), key, strlen(key));
        if (nearest == nkeys)
            return stoa_fail(err, STOA_ERR_USAGE, "there is no key \"%s\"", shown);
        return stoa_fail(err, STOA_ERR_USAGE, "there is no key \"%s\"; did you mean \"%s\"?", shown,
                         keys[nearest]);
    }
    return STOA_OK;
}

/* The text under `key`, or NULL where it may be missing and is. */
static enum stoa_status read_text(const json_t *object, const char *key, bool required,
                                  const char **out, struct stoa_error *err)
{
    const json_t *value = json_object_get(object, key);

    *out = json_string_value(value);
    if (value == NULL && required)
        return stoa_fail(err, STOA_ERR_USAGE, "the key \"%s\" is missing", key);
    if (value != NULL && *out == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "\"%s\" is not text", key);
    return STOA_OK;
}

static enum stoa_status read_metadata(const json_t *object, struct stoa_metadata *out,
                                      struct stoa_error *err)
{
    const json_t *pairs = json_object_get(object, "metadata");
    enum stoa_status st;
    void *i;

    if (pairs == NULL)
        return STOA_OK;
    if (!json_is_object(pairs))
        return stoa_fail(err, STOA_ERR_USAGE, "\"metadata\" is not an object");
    for (i = json_object_iter((json_t *)pairs); i != NULL;
         i = json_object_iter_next((json_t *)pairs, i)) {
        const char *key = json_object_iter_key(i);
        const char *value = json_string_value(json_object_iter_value(i));
        char shown[64];

        stoa_quote(shown, sizeof(shown), key, strlen(key));
        if (value == NULL)
            return stoa_fail(err, STOA_ERR_USAGE, "metadata: \"%s\" is not text", shown);
        if (stoa_metadata_get(out, key) != NULL)
            return stoa_fail(err, STOA_ERR_USAGE, "metadata: \"%s\" stands beside \"metadata\" too",
                             shown);
        st = stoa_metadata_set(out, key, value, err);
        if (st != STOA_OK)
            return st;
    }
    return STOA_OK;
}

static enum stoa_status read_nullable_and_id(const json_t *object, struct stoa_field *field,
                                             struct stoa_error *err)
{
    const json_t *nullable = json_object_get(object, "nullable");
    const json_t *id = json_object_get(object, "id");
    json_int_t number = json_integer_value(id);

    if (nullable != NULL && !json_is_boolean(nullable))
        return stoa_fail(err, STOA_ERR_USAGE, "\"nullable\" is not true or false");
    if (id != NULL && (!json_is_integer(id) || number < 1 || number > UINT32_MAX))
        return stoa_fail(err, STOA_ERR_USAGE, "\"id\" is not a whole number from 1 to %" PRIu32,
                         UINT32_MAX);
    field->nullable = nullable == NULL || json_is_true(nullable);
    field->id = (uint32_t)number;
    return STOA_OK;
}

static enum stoa_status read_fields(const json_t *list, const char *key, struct stoa_field **out,
                                    uint32_t *nfields, struct stoa_error *err);

/* Puts what "children" says in the place of what the text of the type said: they must agree. */
static enum stoa_status read_children(const json_t *object, struct stoa_field *field,
                                      struct stoa_error *err)
{
    const json_t *list = json_object_get(object, "children");
    struct stoa_field told = {0};
    char *before = NULL, *after = NULL;
    enum stoa_status st;

    if (list == NULL)
        return STOA_OK;
    if (field->nchildren != json_array_size(list))
        return stoa_fail(err, STOA_ERR_USAGE, "\"children\" has %zu fields where the type has %u",
                         json_array_size(list), field->nchildren);
    STOA_TRY(stoa_type_print(field, &before, err));
    STOA_TRY(stoa_type_copy(&told.type, &field->type, err));
    STOA_TRY(read_fields(list, "children", &told.children, &told.nchildren, err));
    if (field->type.id == STOA_MAP &&
        (told.children[0].type.id != STOA_STRUCT || told.children[0].nchildren != 2)) {
        st = stoa_fail(err, STOA_ERR_USAGE, "the child of a map is a struct of two");
        goto out;
    }
    STOA_TRY(stoa_type_print(&told, &after, err));
    if (strcmp(before, after) != 0) {
        st = stoa_fail(err, STOA_ERR_USAGE, "\"children\" say %.128s where \"type\" says %.128s",
                       after, before);
        goto out;
    }
    for (uint32_t i = 0; i < field->nchildren; i++)
        stoa_field_reset(&field->children[i]);
    stoa_free(field->children);
    field->children = told.children;
    told.children = NULL;
    told.nchildren = 0;
out:
    stoa_field_reset(&told);
    stoa_free(before);
    stoa_free(after);
    return st;
}

/* `field` is zeroed; what it owns after a failure is the caller's to reset. */
static enum stoa_status read_field(const json_t *object, struct stoa_field *field,
                                   struct stoa_error *err)
{
    const char *name, *type, *csv_format;
    enum stoa_status st;

    if (!json_is_object(object))
        return stoa_fail(err, STOA_ERR_USAGE, "it is not an object");
    STOA_TRY(read_text(object, "name", true, &name, err));
    STOA_TRY(stoa_strndup(&field->name, name, strlen(name), err));
    STOA_TRY(check_keys(object, field_keys, COUNT(field_keys), err));
    STOA_TRY(read_text(object, "type", true, &type, err));
    STOA_TRY(stoa_field_parse_type(field, type, err));
    STOA_TRY(read_nullable_and_id(object, field, err));
    STOA_TRY(read_text(object, STOA_METADATA_CSV_FORMAT, false, &csv_format, err));
    if (csv_format != NULL)
        STOA_TRY(stoa_metadata_set(&field->metadata, STOA_METADATA_CSV_FORMAT, csv_format, err));
    STOA_TRY(read_metadata(object, &field->metadata, err));
    STOA_TRY(read_children(object, field, err));
out:
    return st;
}

static enum stoa_status read_fields(const json_t *list, const char *key, struct stoa_field **out,
                                    uint32_t *nfields, struct stoa_error *err)
{
    size_t n = json_array_size(list);
    struct stoa_schema read = {0}; /* only to hold the fields */
    char shown[64];
    enum stoa_status st;

    if (!json_is_array(list))
        return stoa_fail(err, STOA_ERR_USAGE, "\"%s\" is %s", key,
                         list == NULL ? "missing" : "not an array");
    if (n > STOA_MAX_NODES)
        return stoa_fail(err, STOA_ERR_USAGE, "a schema has at most %u columns", STOA_MAX_NODES);
    STOA_TRY(stoa_alloc_zeroed(&read.fields, n, sizeof(read.fields[0]), err));
    while (read.nfields < n) {
        struct stoa_field *field = &read.fields[read.nfields];

        st = read_field(json_array_get(list, read.nfields++), field, err);
        if (st != STOA_OK) {
            const char *name = field->name != NULL ? field->name : "without a name";

            stoa_wrap(err, st, "column %u (%s)", read.nfields,
                      stoa_quote(shown, sizeof(shown), name, strlen(name)));
            goto out;
        }
    }
    *out = read.fields;
    *nfields = read.nfields;
    read = (struct stoa_schema){0};
out:
    stoa_schema_reset(&read);
    return st;
}

static enum stoa_status read_document(const json_t *root, struct stoa_schema *schema,
                                      struct stoa_error *err)
{
    const json_t *version = json_object_get(root, "stoa_schema");
    enum stoa_status st;

    if (!json_is_object(root) || version == NULL)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "not a schema of Stoa: it begins with {\"stoa_schema\": 1, ...");
    if (!json_is_integer(version) || json_integer_value(version) != DOCUMENT_VERSION)
        return stoa_fail(err, STOA_ERR_USAGE, "\"stoa_schema\" is not %d, the one version there is",
                         DOCUMENT_VERSION);
    STOA_TRY(check_keys(root, document_keys, COUNT(document_keys), err));
    STOA_TRY(read_fields(json_object_get(root, "fields"), "fields", &schema->fields,
                         &schema->nfields, err));
    STOA_TRY(read_metadata(root, &schema->metadata, err));
    STOA_TRY(stoa_schema_check(schema, err));
out:
    return st;
}

enum stoa_status stoa_json_load(const char *text, size_t nbytes, json_t **out,
                                struct stoa_error *err)
{
    json_error_t wrong;
    json_t *root = json_loadb(text, nbytes, JSON_REJECT_DUPLICATES, &wrong);
    char shown[128];

    if (root == NULL && json_error_code(&wrong) == json_error_out_of_memory)
        return stoa_fail_nomem(err, nbytes);
    if (root == NULL)
        return stoa_fail_at(err, STOA_ERR_USAGE, (uint64_t)wrong.position,
                            "not JSON: line %d, column %d: %s", wrong.line, wrong.column,
                            stoa_quote(shown, sizeof(shown), wrong.text, strlen(wrong.text)));
    *out = root;
    return STOA_OK;
}

enum stoa_status stoa_schema_parse_json(const char *text, size_t nbytes, struct stoa_schema *out,
                                        struct stoa_error *err)
{
    struct stoa_schema schema = {0};
    json_t *root;
    enum stoa_status st = stoa_json_load(text, nbytes, &root, err);

    if (st != STOA_OK)
        return st;
    STOA_TRY(read_document(root, &schema, err));
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_schema_reset(&schema);
    json_decref(root);
    return st;
}

/* ---- Writing ---- */

struct writer {
    struct stoa_buffer text;
    enum stoa_status st;
    struct stoa_error *err;
};

static int write_bytes(const char *bytes, size_t nbytes, void *context)
{
    struct writer *writer = context;

    if (writer->st == STOA_OK)
        writer->st = stoa_buffer_append(&writer->text, bytes, nbytes, writer->err);
    return writer->st == STOA_OK ? 0 : -1;
}

static void write_text(struct writer *writer, const char *text)
{
    write_bytes(text, strlen(text), writer);
}

/* jansson says no for one reason only: there is no memory. */
static void fail_nomem(struct writer *writer)
{
    if (writer->st == STOA_OK)
        writer->st = stoa_fail_nomem(writer->err, 0);
}

/* Writes a value in one line and drops it; NULL is a value that could not be made. */
static void write_value(struct writer *writer, json_t *value)
{
    if (value == NULL || json_dump_callback(value, write_bytes, writer, JSON_ENCODE_ANY) != 0)
        fail_nomem(writer);
    json_decref(value);
}

static bool set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

/* The pairs but `except`, or NULL without memory. */
static json_t *metadata_object(const struct stoa_metadata *metadata, const char *except)
{
    json_t *object = json_object();

    for (uint32_t i = 0; object != NULL && i < metadata->npairs; i++) {
        const struct stoa_keyvalue *pair = &metadata->pairs[i];

        if ((except == NULL || strcmp(pair->key, except) != 0) &&
            !set(object, pair->key, json_string(pair->value))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* Whether the text of the type says all that there is to say about the children. */
static bool text_tells_all(const struct stoa_field *field)
{
    bool is_struct = field->type.id == STOA_STRUCT;
    const char *name = field->type.id == STOA_MAP ? "entries" : "item";

    for (uint32_t i = 0; i < field->nchildren; i++) {
        const struct stoa_field *child = &field->children[i];

        if (child->id != 0 || child->metadata.npairs > 0 ||
            (!is_struct && strcmp(child->name, name) != 0) || !text_tells_all(child))
            return false;
    }
    if (field->type.id != STOA_MAP)
        return true;
    return strcmp(field->children[0].children[0].name, "key") == 0 &&
           strcmp(field->children[0].children[1].name, "value") == 0;
}

static json_t *field_object(const struct stoa_field *field, struct writer *writer);

static json_t *children_array(const struct stoa_field *field, struct writer *writer)
{
    json_t *array = json_array();

    for (uint32_t i = 0; array != NULL && i < field->nchildren; i++)
        if (json_array_append_new(array, field_object(&field->children[i], writer)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

/* NULL without memory. */
static json_t *field_object(const struct stoa_field *field, struct writer *writer)
{
    const char *csv_format = stoa_metadata_get(&field->metadata, STOA_METADATA_CSV_FORMAT);
    bool has_metadata = field->metadata.npairs > (csv_format != NULL ? 1u : 0u);
    json_t *object = json_object();
    char *type = NULL;
    bool done;

    if (writer->st == STOA_OK)
        writer->st = stoa_type_print(field, &type, writer->err);
    done = object != NULL && type != NULL && set(object, "name", json_string(field->name)) &&
           set(object, "type", json_string(type)) &&
           set(object, "nullable", json_boolean(field->nullable)) &&
           (field->id == 0 || set(object, "id", json_integer(field->id))) &&
           (csv_format == NULL || set(object, STOA_METADATA_CSV_FORMAT, json_string(csv_format))) &&
           (!has_metadata ||
            set(object, "metadata", metadata_object(&field->metadata, STOA_METADATA_CSV_FORMAT))) &&
           (text_tells_all(field) || set(object, "children", children_array(field, writer)));
    stoa_free(type);
    if (done)
        return object;
    json_decref(object);
    return NULL;
}

static void write_fields(struct writer *writer, const struct stoa_schema *schema)
{
    write_text(writer, " \"fields\": [");
    for (uint32_t i = 0; i < schema->nfields && writer->st == STOA_OK; i++) {
        write_text(writer, i > 0 ? ",\n  " : "\n  ");
        write_value(writer, field_object(&schema->fields[i], writer));
    }
    write_text(writer, "]");
}

/* One entry a line. */
static void write_evidence(struct writer *writer, const char *json)
{
    json_error_t wrong;
    json_t *evidence = json_loads(json, 0, &wrong);
    size_t n = json_array_size(evidence);

    if (evidence == NULL && json_error_code(&wrong) == json_error_out_of_memory)
        fail_nomem(writer);
    else if (!json_is_array(evidence))
        writer->st = stoa_fail(writer->err, STOA_ERR_USAGE, "the evidence is not a JSON array");
    write_text(writer, ",\n \"evidence\": [");
    for (size_t i = 0; i < n && writer->st == STOA_OK; i++) {
        write_text(writer, i > 0 ? ",\n  " : "\n  ");
        write_value(writer, json_incref(json_array_get(evidence, i)));
    }
    write_text(writer, "]");
    json_decref(evidence);
}

enum stoa_status stoa_schema_print_json(const struct stoa_schema *schema, const char *evidence_json,
                                        char **out, struct stoa_error *err)
{
    struct writer writer = {.st = stoa_schema_check(schema, err), .err = err};

    if (writer.st != STOA_OK)
        return writer.st;
    write_text(&writer, "{\"stoa_schema\": 1,\n");
    write_fields(&writer, schema);
    if (schema->metadata.npairs > 0) {
        write_text(&writer, ",\n \"metadata\": ");
        write_value(&writer, metadata_object(&schema->metadata, NULL));
    }
    if (evidence_json != NULL)
        write_evidence(&writer, evidence_json);
    write_text(&writer, "}\n");
    write_bytes("", 1, &writer);
    if (writer.st == STOA_OK)
        *out = (char *)writer.text.data;
    else
        stoa_buffer_free(&writer.text);
    return writer.st;
}
