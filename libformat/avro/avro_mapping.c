/*
 * Types of Avro as types of columns (spec/avro.md, "Mapping").
 *
 * A table says what a type with its logical type is, as the text form of a type and the way of
 * reading it; what has parameters or parts is made below. avro_program.c goes down the same tree by
 * the same ways, so the two can't disagree on where a value goes.
 */
#include "avro/avro_mapping.h"

#include <stoa/avro.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "avro/avro_json.h"
#include "base/error.h"
#include "column/schema.h"
#include "column/type.h"

/* A map is two fields deeper than it is, and a struct of a union one. */
#define MAX_NESTED_DEPTH (STOA_MAX_FIELD_DEPTH - 3)

static const struct {
    enum stoa_avro_kind kind;
    enum stoa_avro_logical logical;
    enum stoa_avro_way way;
    const char *text; /* NULL: it has parameters */
} leaves[] = {
    {STOA_AVRO_NULL, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_NULL, "null"},
    {STOA_AVRO_BOOLEAN, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_BOOLEAN, "bool"},
    {STOA_AVRO_INT, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_INT, "int32"},
    {STOA_AVRO_INT, STOA_AVRO_DATE, STOA_AVRO_WAY_INT, "date32"},
    {STOA_AVRO_INT, STOA_AVRO_TIME_MILLIS, STOA_AVRO_WAY_INT, "time(ms)"},
    {STOA_AVRO_LONG, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_LONG, "int64"},
    {STOA_AVRO_LONG, STOA_AVRO_TIME_MICROS, STOA_AVRO_WAY_LONG, "time(us)"},
    {STOA_AVRO_LONG, STOA_AVRO_TIMESTAMP_MILLIS, STOA_AVRO_WAY_LONG, "timestamp(ms,UTC)"},
    {STOA_AVRO_LONG, STOA_AVRO_TIMESTAMP_MICROS, STOA_AVRO_WAY_LONG, "timestamp(us,UTC)"},
    {STOA_AVRO_LONG, STOA_AVRO_TIMESTAMP_NANOS, STOA_AVRO_WAY_LONG, "timestamp(ns,UTC)"},
    {STOA_AVRO_LONG, STOA_AVRO_LOCAL_TIMESTAMP_MILLIS, STOA_AVRO_WAY_LONG, "timestamp(ms)"},
    {STOA_AVRO_LONG, STOA_AVRO_LOCAL_TIMESTAMP_MICROS, STOA_AVRO_WAY_LONG, "timestamp(us)"},
    {STOA_AVRO_LONG, STOA_AVRO_LOCAL_TIMESTAMP_NANOS, STOA_AVRO_WAY_LONG, "timestamp(ns)"},
    {STOA_AVRO_FLOAT, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_FLOAT, "float32"},
    {STOA_AVRO_DOUBLE, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_DOUBLE, "float64"},
    {STOA_AVRO_BYTES, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_BYTES, "binary"},
    {STOA_AVRO_BYTES, STOA_AVRO_BIG_DECIMAL, STOA_AVRO_WAY_BYTES, "binary"},
    {STOA_AVRO_BYTES, STOA_AVRO_DECIMAL, STOA_AVRO_WAY_DECIMAL, NULL},
    {STOA_AVRO_STRING, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_STRING, "utf8"},
    {STOA_AVRO_STRING, STOA_AVRO_UUID, STOA_AVRO_WAY_UUID, "uuid"},
    {STOA_AVRO_ENUM, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_ENUM, NULL},
    {STOA_AVRO_FIXED, STOA_AVRO_LOGICAL_NONE, STOA_AVRO_WAY_FIXED, NULL},
    {STOA_AVRO_FIXED, STOA_AVRO_UUID, STOA_AVRO_WAY_FIXED, "uuid"},
    {STOA_AVRO_FIXED, STOA_AVRO_DECIMAL, STOA_AVRO_WAY_FIXED_DECIMAL, NULL},
    {STOA_AVRO_FIXED, STOA_AVRO_DURATION, STOA_AVRO_WAY_DURATION, "interval"},
};
#define NLEAVES (sizeof(leaves) / sizeof(leaves[0]))

/* The row of a type; a type of more digits than a decimal has is what it is without them. */
static size_t find_leaf(const struct stoa_avro_type *type)
{
    const bool is_wide = type->logical == STOA_AVRO_DECIMAL && type->precision > STOA_MAX_PRECISION;
    const enum stoa_avro_logical logical = is_wide ? STOA_AVRO_LOGICAL_NONE : type->logical;
    size_t i = 0;

    while (i < NLEAVES && (leaves[i].kind != type->kind || leaves[i].logical != logical))
        i++;
    return i;
}

enum stoa_avro_way stoa_avro_way_of(const struct stoa_avro_type *type, unsigned depth)
{
    bool null_first;
    const size_t leaf = find_leaf(type);

    if (leaf < NLEAVES && leaves[leaf].way == STOA_AVRO_WAY_FIXED && leaves[leaf].text == NULL &&
        (type->size == 0 || type->size > STOA_MAX_FIXED_WIDTH))
        return STOA_AVRO_WAY_FIXED_BYTES;
    if (leaf < NLEAVES)
        return leaves[leaf].way;
    if (type->kind == STOA_AVRO_UNION && type->nbranches == 1)
        return STOA_AVRO_WAY_ONLY;
    if (stoa_avro_nullable(type, &null_first) != NULL)
        return STOA_AVRO_WAY_NULLABLE;
    if (depth > MAX_NESTED_DEPTH || (type->is_recursive && depth > 0))
        return STOA_AVRO_WAY_JSON;
    switch (type->kind) {
    case STOA_AVRO_UNION:
        return STOA_AVRO_WAY_UNION;
    case STOA_AVRO_RECORD:
        return STOA_AVRO_WAY_STRUCT;
    case STOA_AVRO_MAP:
        return STOA_AVRO_WAY_MAP;
    default:
        return type->logical == STOA_AVRO_ENTRY_MAP &&
                       type->items->fields[0].type->kind != STOA_AVRO_UNION
                   ? STOA_AVRO_WAY_ENTRIES
                   : STOA_AVRO_WAY_LIST;
    }
}

enum stoa_avro_way stoa_avro_way_between(const struct stoa_avro_type *writer,
                                         const struct stoa_avro_type *reader,
                                         enum stoa_avro_way way)
{
    static const struct {
        enum stoa_avro_kind kind; /* of the writer */
        enum stoa_avro_way way, promoted;
    } ways[] = {
        {STOA_AVRO_INT, STOA_AVRO_WAY_LONG, STOA_AVRO_WAY_INT_TO_LONG},
        {STOA_AVRO_INT, STOA_AVRO_WAY_FLOAT, STOA_AVRO_WAY_INT_TO_FLOAT},
        {STOA_AVRO_INT, STOA_AVRO_WAY_DOUBLE, STOA_AVRO_WAY_INT_TO_DOUBLE},
        {STOA_AVRO_LONG, STOA_AVRO_WAY_FLOAT, STOA_AVRO_WAY_LONG_TO_FLOAT},
        {STOA_AVRO_LONG, STOA_AVRO_WAY_DOUBLE, STOA_AVRO_WAY_LONG_TO_DOUBLE},
        {STOA_AVRO_FLOAT, STOA_AVRO_WAY_DOUBLE, STOA_AVRO_WAY_FLOAT_TO_DOUBLE},
        /* Text is UTF-8, whichever of the two it is for. */
        {STOA_AVRO_STRING, STOA_AVRO_WAY_BYTES, STOA_AVRO_WAY_STRING},
        {STOA_AVRO_FIXED, STOA_AVRO_WAY_DECIMAL, STOA_AVRO_WAY_FIXED_DECIMAL},
        {STOA_AVRO_BYTES, STOA_AVRO_WAY_FIXED_DECIMAL, STOA_AVRO_WAY_DECIMAL},
    };

    if (way == STOA_AVRO_WAY_ENUM && writer != reader)
        return STOA_AVRO_WAY_ENUM_TO_ENUM;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (ways[i].kind == writer->kind && ways[i].way == way)
            return ways[i].promoted;
    return way;
}

/*
 * A type that is used again is spelled once and mapped every time, so a document of a few kilobytes
 * may stand for any number of fields: what it may become follows from its size.
 */
enum {
    FIELDS_NBYTES = 8 << 20, /* of fields, symbols and attributes, and */
    FIELDS_RATIO = 8,        /* as many times the document: a field takes 26 bytes of it at least */
    TEXT_NBYTES = 32,        /* of a text besides its characters, about */
};

struct mapper {
    const struct stoa_avro_schema *schema;
    const char ***members; /* by the index of a union, made when it comes: names of its members */
    uint64_t left_nbytes;  /* that fields, symbols and attributes may still take */
    uint32_t nfields;      /* so far, with all that is below them */
    bool declared;         /* "stoa_type" is what a field is */
    struct stoa_error *err;
};

static enum stoa_status map_type(struct mapper *mapper, const struct stoa_avro_type *type,
                                 unsigned depth, struct stoa_field *field);

/* Takes n things of nbytes each from what the schema may become. */
static enum stoa_status charge(struct mapper *mapper, uint64_t n, uint64_t nbytes)
{
    if (n > mapper->left_nbytes / nbytes)
        return stoa_fail(mapper->err, STOA_ERR_LIMIT,
                         "types that are used again and again make too many fields, symbols and "
                         "attributes: more than %d MiB and %d times the schema's text",
                         FIELDS_NBYTES >> 20, FIELDS_RATIO);
    mapper->left_nbytes -= n * nbytes;
    return STOA_OK;
}

static enum stoa_status copy_text(struct mapper *mapper, const char *text, char **out)
{
    const size_t nbytes = strlen(text);
    enum stoa_status st;

    STOA_TRY(charge(mapper, 1, TEXT_NBYTES + nbytes));
    STOA_TRY(stoa_strndup(out, text, nbytes, mapper->err));
out:
    return st;
}

static enum stoa_status add_children(struct mapper *mapper, struct stoa_field *field,
                                     enum stoa_type_id id, size_t n)
{
    enum stoa_status st;

    if (n > STOA_MAX_NODES - mapper->nfields)
        return stoa_fail(mapper->err, STOA_ERR_LIMIT, "more than %u fields", STOA_MAX_NODES);
    STOA_TRY(charge(mapper, n, sizeof(*field->children)));
    mapper->nfields += (uint32_t)n;
    STOA_TRY(stoa_alloc_zeroed(&field->children, n, sizeof(*field->children), mapper->err));
    field->type.id = id;
    field->nchildren = (uint32_t)n;
out:
    return st;
}

static enum stoa_status map_child(struct mapper *mapper, const char *name,
                                  const struct stoa_avro_type *type, unsigned depth,
                                  struct stoa_field *child)
{
    char shown[80];
    enum stoa_status st;

    STOA_TRY(copy_text(mapper, name, &child->name));
    STOA_TRY(map_type(mapper, type, depth, child));
out:
    return st == STOA_OK ? st
                         : stoa_wrap(mapper->err, st, "field \"%s\"",
                                     stoa_quote(shown, sizeof(shown), name, strlen(name)));
}

/*
 * The value of an attribute, for json_decref(); NULL when it is not there. It is parsed for every
 * use of what has it, so it is charged first, whatever it is.
 */
static enum stoa_status load_attribute(struct mapper *mapper,
                                       const struct stoa_avro_attributes *attributes,
                                       const char *key, json_t **out)
{
    const char *kept = stoa_avro_attribute(attributes, key);
    enum stoa_status st;

    *out = NULL;
    if (kept == NULL)
        return STOA_OK;
    STOA_TRY(charge(mapper, 1, TEXT_NBYTES + strlen(kept)));
    STOA_TRY(stoa_avro_json_load(kept, strlen(kept), out, mapper->err));
out:
    return st;
}

/* A text without zero bytes, or NULL. */
static const char *text_of(const json_t *json)
{
    const char *text = json_string_value(json);

    return text != NULL && strlen(text) == json_string_length(json) ? text : NULL;
}

/* Metadata, which our own schemas have: an object of texts, and how a column is written in CSV. */
static enum stoa_status map_metadata(struct mapper *mapper,
                                     const struct stoa_avro_attributes *attributes,
                                     struct stoa_metadata *out)
{
    json_t *format = NULL, *object = NULL, *value;
    const char *key;
    enum stoa_status st;

    STOA_TRY(load_attribute(mapper, attributes, STOA_METADATA_CSV_FORMAT, &format));
    if (text_of(format) != NULL)
        STOA_TRY(stoa_metadata_set(out, STOA_METADATA_CSV_FORMAT, text_of(format), mapper->err));
    STOA_TRY(load_attribute(mapper, attributes, "metadata", &object));
    json_object_foreach(object, key, value)
    {
        if (text_of(value) == NULL)
            continue;
        STOA_TRY(charge(mapper, 1, sizeof(*out->pairs) + 2 * TEXT_NBYTES));
        STOA_TRY(stoa_metadata_set(out, key, text_of(value), mapper->err));
    }
out:
    json_decref(format);
    json_decref(object);
    return st;
}

/* Takes what is below a field and its symbols, which were made of a text. */
static enum stoa_status charge_declared(struct mapper *mapper, const struct stoa_field *field)
{
    enum stoa_status st;

    STOA_TRY(charge(mapper, field->nchildren, sizeof(*field->children) + TEXT_NBYTES));
    STOA_TRY(charge(mapper, field->type.nsymbols, sizeof(*field->type.symbols) + TEXT_NBYTES));
    for (uint32_t i = 0; i < field->nchildren; i++)
        STOA_TRY(charge_declared(mapper, &field->children[i]));
out:
    return st;
}

/* The type that a field is declared as, instead of the one that it was given. */
static enum stoa_status map_declared(struct mapper *mapper, const struct stoa_avro_field *from,
                                     struct stoa_field *field)
{
    struct stoa_field given = {0};
    json_t *declared = NULL;
    char shown[80];
    enum stoa_status st;

    STOA_TRY(load_attribute(mapper, &from->attributes, "stoa_type", &declared));
    if (text_of(declared) == NULL)
        goto out;
    st = stoa_field_parse(field->name, text_of(declared), field->nullable, &given, mapper->err);
    if (st != STOA_OK) {
        st = stoa_wrap(mapper->err, st, "field \"%s\"",
                       stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)));
        goto out;
    }
    STOA_TRY(charge_declared(mapper, &given));
    stoa_field_reset(field);
    *field = given;
    given = (struct stoa_field){0};
out:
    json_decref(declared);
    stoa_field_reset(&given);
    return st;
}

static enum stoa_status map_record(struct mapper *mapper, const struct stoa_avro_type *type,
                                   unsigned depth, struct stoa_field *field)
{
    json_t *name = NULL;
    enum stoa_status st;

    STOA_TRY(add_children(mapper, field, STOA_STRUCT, type->nfields));
    for (uint32_t i = 0; i < type->nfields; i++) {
        const struct stoa_avro_field *from = &type->fields[i];

        /* The name that it had before it was made to fit Avro's rules. */
        STOA_TRY(load_attribute(mapper, &from->attributes, "stoa_name", &name));
        STOA_TRY(map_child(mapper, text_of(name) != NULL ? text_of(name) : from->name, from->type,
                           depth + 1, &field->children[i]));
        if (mapper->declared)
            STOA_TRY(map_declared(mapper, from, &field->children[i]));
        STOA_TRY(map_metadata(mapper, &from->attributes, &field->children[i].metadata));
        json_decref(name);
        name = NULL;
    }
out:
    json_decref(name);
    return st;
}

static enum stoa_status map_list(struct mapper *mapper, const struct stoa_avro_type *type,
                                 unsigned depth, struct stoa_field *field)
{
    enum stoa_status st;

    STOA_TRY(add_children(mapper, field, STOA_LIST, 1));
    STOA_TRY(map_child(mapper, "item", type->items, depth + 1, &field->children[0]));
out:
    return st;
}

/* Entries of a key, whose type is NULL where it is text, and a value. */
static enum stoa_status map_entries(struct mapper *mapper, const struct stoa_avro_type *key,
                                    const struct stoa_avro_type *value, unsigned depth,
                                    struct stoa_field *field)
{
    static const struct stoa_avro_type text = {.kind = STOA_AVRO_STRING};
    struct stoa_field *entries;
    enum stoa_status st;

    STOA_TRY(add_children(mapper, field, STOA_MAP, 1));
    entries = &field->children[0];
    STOA_TRY(stoa_strndup(&entries->name, "entries", 7, mapper->err));
    STOA_TRY(add_children(mapper, entries, STOA_STRUCT, 2));
    STOA_TRY(map_child(mapper, "key", key != NULL ? key : &text, depth + 2, &entries->children[0]));
    STOA_TRY(map_child(mapper, "value", value, depth + 2, &entries->children[1]));
out:
    return st;
}

/* The same for an array of records of both, whose fields say what they are declared as. */
static enum stoa_status map_record_entries(struct mapper *mapper, const struct stoa_avro_type *type,
                                           unsigned depth, struct stoa_field *field)
{
    const struct stoa_avro_field *from = type->items->fields;
    enum stoa_status st;

    STOA_TRY(map_entries(mapper, from[0].type, from[1].type, depth, field));
    for (unsigned i = 0; mapper->declared && i < 2; i++)
        STOA_TRY(map_declared(mapper, &from[i], &field->children[0].children[i]));
out:
    return st;
}

/* A branch that has a simple name. */
struct branch {
    const char *simple;
    size_t number;
};

static int compare_branches(const void *a, const void *b)
{
    return strcmp(((const struct branch *)a)->simple, ((const struct branch *)b)->simple);
}

/*
 * What the branches of a union are called among the members: by the simple name, or the full one
 * where another has that too. "tag" is taken. A union may be used often, its names are found once.
 */
static enum stoa_status name_members(struct mapper *mapper, const struct stoa_avro_type *type,
                                     const char *const **out)
{
    const size_t n = type->nbranches;
    struct branch *branches = NULL;
    const char **names = NULL;
    enum stoa_status st = STOA_OK;

    if (mapper->members == NULL)
        STOA_TRY(stoa_alloc_zeroed(&mapper->members, mapper->schema->ntypes,
                                   sizeof(*mapper->members), mapper->err));
    if (mapper->members[type->index] != NULL) {
        *out = mapper->members[type->index];
        return STOA_OK;
    }
    STOA_TRY(stoa_alloc_zeroed(&branches, n, sizeof(*branches), mapper->err));
    STOA_TRY(stoa_alloc_zeroed(&names, n, sizeof(*names), mapper->err));
    for (size_t i = 0; i < n; i++) {
        names[i] = stoa_avro_branch_name(type->branches[i]);
        branches[i] = (struct branch){stoa_avro_simple_name(names[i]), i};
    }
    qsort(branches, n, sizeof(*branches), compare_branches);
    for (size_t i = 0; i < n; i++) {
        const struct branch *at = &branches[i];
        const bool taken = strcmp(at->simple, "tag") == 0 ||
                           (i > 0 && compare_branches(at, at - 1) == 0) ||
                           (i + 1 < n && compare_branches(at, at + 1) == 0);

        if (!taken || strcmp(names[at->number], "tag") == 0)
            names[at->number] = at->simple;
    }
    *out = mapper->members[type->index] = names;
    names = NULL;
out:
    stoa_free(branches);
    stoa_free(names);
    return st;
}

/* struct<tag:enum(int,string) not null, int:int32, string:utf8>; null is the struct's own. */
static enum stoa_status map_union(struct mapper *mapper, const struct stoa_avro_type *type,
                                  unsigned depth, struct stoa_field *field)
{
    const char *const *names;
    struct stoa_type *tag;
    size_t nmembers = 0;
    enum stoa_status st;

    STOA_TRY(name_members(mapper, type, &names));
    for (size_t i = 0; i < type->nbranches; i++)
        nmembers += type->branches[i]->kind != STOA_AVRO_NULL;
    field->nullable |= nmembers < type->nbranches;
    STOA_TRY(add_children(mapper, field, STOA_STRUCT, 1 + nmembers));
    STOA_TRY(stoa_strndup(&field->children[0].name, "tag", 3, mapper->err));
    tag = &field->children[0].type;
    tag->id = STOA_ENUM;
    STOA_TRY(stoa_alloc_zeroed(&tag->symbols, nmembers, sizeof(*tag->symbols), mapper->err));
    for (size_t i = 0; i < type->nbranches; i++) {
        struct stoa_field *member;

        if (type->branches[i]->kind == STOA_AVRO_NULL)
            continue;
        STOA_TRY(copy_text(mapper, names[i], &tag->symbols[tag->nsymbols]));
        member = &field->children[++tag->nsymbols];
        STOA_TRY(map_child(mapper, names[i], type->branches[i], depth + 1, member));
        member->nullable = true;
    }
out:
    return st;
}

static enum stoa_status map_enum(struct mapper *mapper, const struct stoa_avro_type *type,
                                 struct stoa_type *out)
{
    enum stoa_status st;

    out->id = STOA_ENUM;
    STOA_TRY(charge(mapper, type->symbols.nitems, sizeof(*out->symbols)));
    STOA_TRY(
        stoa_alloc_zeroed(&out->symbols, type->symbols.nitems, sizeof(*out->symbols), mapper->err));
    for (; out->nsymbols < type->symbols.nitems; out->nsymbols++)
        STOA_TRY(
            copy_text(mapper, type->symbols.items[out->nsymbols], &out->symbols[out->nsymbols]));
out:
    return st;
}

/* The type of a leaf into a field that has none yet. */
static enum stoa_status map_leaf(struct mapper *mapper, const struct stoa_avro_type *type,
                                 enum stoa_avro_way way, struct stoa_field *field)
{
    const size_t leaf = find_leaf(type);
    char text[48];

    if (way == STOA_AVRO_WAY_ENUM)
        return map_enum(mapper, type, &field->type);
    if (way == STOA_AVRO_WAY_NULL)
        field->nullable = true; /* it has nothing else */
    if (way == STOA_AVRO_WAY_JSON)
        snprintf(text, sizeof(text), "utf8");
    else if (way == STOA_AVRO_WAY_FIXED_BYTES)
        snprintf(text, sizeof(text), "binary");
    else if (leaves[leaf].text != NULL)
        snprintf(text, sizeof(text), "%s", leaves[leaf].text);
    else if (way == STOA_AVRO_WAY_FIXED)
        snprintf(text, sizeof(text), "fixed_binary(%" PRIu32 ")", type->size);
    else
        snprintf(text, sizeof(text), "decimal(%" PRIu32 ",%" PRIu32 ")", type->precision,
                 type->scale);
    return stoa_type_parse(text, &field->type, mapper->err);
}

static enum stoa_status map_type(struct mapper *mapper, const struct stoa_avro_type *type,
                                 unsigned depth, struct stoa_field *field)
{
    const enum stoa_avro_way way = stoa_avro_way_of(type, depth);
    bool null_first;

    switch (way) {
    case STOA_AVRO_WAY_NULLABLE:
        field->nullable = true;
        return map_type(mapper, stoa_avro_nullable(type, &null_first), depth, field);
    case STOA_AVRO_WAY_ONLY:
        return map_type(mapper, type->branches[0], depth, field);
    case STOA_AVRO_WAY_STRUCT:
        return map_record(mapper, type, depth, field);
    case STOA_AVRO_WAY_LIST:
        return map_list(mapper, type, depth, field);
    case STOA_AVRO_WAY_MAP:
        return map_entries(mapper, NULL, type->items, depth, field);
    case STOA_AVRO_WAY_ENTRIES:
        return map_record_entries(mapper, type, depth, field);
    case STOA_AVRO_WAY_UNION:
        return map_union(mapper, type, depth, field);
    default:
        return map_leaf(mapper, type, way, field);
    }
}

static enum stoa_status map_schema(const struct stoa_avro_schema *schema, bool declared,
                                   struct stoa_schema *out, struct stoa_error *err)
{
    struct mapper mapper = {.schema = schema,
                            .left_nbytes = FIELDS_NBYTES + schema->nbytes * FIELDS_RATIO,
                            .declared = declared,
                            .err = err};
    struct stoa_field table = {0};
    struct stoa_schema made = {0};
    enum stoa_status st;

    if (schema->root->kind == STOA_AVRO_RECORD) {
        STOA_TRY(map_type(&mapper, schema->root, 0, &table));
    } else {
        STOA_TRY(add_children(&mapper, &table, STOA_STRUCT, 1));
        STOA_TRY(map_child(&mapper, "value", schema->root, 1, &table.children[0]));
    }
    made = (struct stoa_schema){.fields = table.children, .nfields = table.nchildren};
    table.children = NULL;
    table.nchildren = 0;
    STOA_TRY(map_metadata(&mapper, &schema->root->attributes, &made.metadata));
    STOA_TRY(stoa_schema_check(&made, err));
    *out = made;
    made = (struct stoa_schema){0};
out:
    for (size_t i = 0; mapper.members != NULL && i < schema->ntypes; i++)
        stoa_free(mapper.members[i]);
    stoa_free(mapper.members);
    stoa_field_reset(&table);
    stoa_schema_reset(&made);
    return st == STOA_OK ? st
                         : stoa_wrap(err, st == STOA_ERR_USAGE ? STOA_ERR_DATA : st, "Avro schema");
}

enum stoa_status stoa_avro_map_schema(const struct stoa_avro_schema *schema,
                                      struct stoa_schema *out, struct stoa_error *err)
{
    return map_schema(schema, false, out, err);
}

enum stoa_status stoa_avro_parse_schema(const char *text, size_t nbytes, struct stoa_schema *out,
                                        struct stoa_error *err)
{
    struct stoa_avro_schema schema = {0};
    enum stoa_status st;

    STOA_TRY(stoa_avro_schema_parse(text, nbytes, &schema, err));
    STOA_TRY(map_schema(&schema, true, out, err));
out:
    stoa_avro_schema_reset(&schema);
    return st;
}
