/*
 * Types of columns as types of Avro (spec/avro.md, "Writing").
 *
 *     n    uint8               {"name":"n","type":["null","int"],"default":null,
 *                               "stoa_type":"uint8"}
 *     "a b" timestamp(s,UTC)   {"name":"a_b","type":{"type":"long",
 *                               "logicalType":"timestamp-millis"},"stoa_name":"a b", ...}
 *
 * A table says what a leaf is written as, and whether it is read as what it was; where it is not,
 * the field has the text form of its type as "stoa_type". Fields of records say that themselves,
 * so a struct is always read as what it was, but a list is so only if its items are.
 */
#include "avro/avro_make.h"

#include <stoa/avro.h>

#include <stdio.h>
#include <string.h>

#include "avro/avro_json.h"
#include "avro/avro_mapping.h"
#include "avro/avro_source.h"
#include "base/error.h"
#include "base/text.h"
#include "column/schema.h"
#include "column/type.h"

struct maker {
    struct stoa_avro_schema schema;
    json_t *names; /* of types so far */
    struct stoa_error *err;
};

enum { ANY_UNIT = -1 };

/* clang-format off */
static const struct {
    enum stoa_type_id id;
    int unit; /* a time unit, or ANY_UNIT */
    enum stoa_avro_kind kind;
    enum stoa_avro_logical logical; /* of timestamps that of an instant, which the local one follows */
    bool exact; /* it is read as the same type */
} leaves[] = {
    {STOA_NULL, ANY_UNIT, STOA_AVRO_NULL, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_BOOL, ANY_UNIT, STOA_AVRO_BOOLEAN, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_INT8, ANY_UNIT, STOA_AVRO_INT, STOA_AVRO_LOGICAL_NONE, false},
    {STOA_INT16, ANY_UNIT, STOA_AVRO_INT, STOA_AVRO_LOGICAL_NONE, false},
    {STOA_INT32, ANY_UNIT, STOA_AVRO_INT, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_INT64, ANY_UNIT, STOA_AVRO_LONG, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_UINT8, ANY_UNIT, STOA_AVRO_INT, STOA_AVRO_LOGICAL_NONE, false},
    {STOA_UINT16, ANY_UNIT, STOA_AVRO_INT, STOA_AVRO_LOGICAL_NONE, false},
    {STOA_UINT32, ANY_UNIT, STOA_AVRO_LONG, STOA_AVRO_LOGICAL_NONE, false},
    {STOA_UINT64, ANY_UNIT, STOA_AVRO_BYTES, STOA_AVRO_DECIMAL, false},
    {STOA_FLOAT16, ANY_UNIT, STOA_AVRO_FLOAT, STOA_AVRO_LOGICAL_NONE, false},
    {STOA_FLOAT32, ANY_UNIT, STOA_AVRO_FLOAT, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_FLOAT64, ANY_UNIT, STOA_AVRO_DOUBLE, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_DECIMAL, ANY_UNIT, STOA_AVRO_BYTES, STOA_AVRO_DECIMAL, true},
    {STOA_DATE32, ANY_UNIT, STOA_AVRO_INT, STOA_AVRO_DATE, true},
    {STOA_TIME, STOA_SECOND, STOA_AVRO_INT, STOA_AVRO_TIME_MILLIS, false},
    {STOA_TIME, STOA_MILLI, STOA_AVRO_INT, STOA_AVRO_TIME_MILLIS, true},
    {STOA_TIME, STOA_MICRO, STOA_AVRO_LONG, STOA_AVRO_TIME_MICROS, true},
    {STOA_TIME, STOA_NANO, STOA_AVRO_LONG, STOA_AVRO_LOGICAL_NONE, false},
    {STOA_TIMESTAMP, STOA_SECOND, STOA_AVRO_LONG, STOA_AVRO_TIMESTAMP_MILLIS, false},
    {STOA_TIMESTAMP, STOA_MILLI, STOA_AVRO_LONG, STOA_AVRO_TIMESTAMP_MILLIS, true},
    {STOA_TIMESTAMP, STOA_MICRO, STOA_AVRO_LONG, STOA_AVRO_TIMESTAMP_MICROS, true},
    {STOA_TIMESTAMP, STOA_NANO, STOA_AVRO_LONG, STOA_AVRO_TIMESTAMP_NANOS, true},
    {STOA_DURATION, ANY_UNIT, STOA_AVRO_LONG, STOA_AVRO_LOGICAL_NONE, false},
    {STOA_INTERVAL, ANY_UNIT, STOA_AVRO_FIXED, STOA_AVRO_DURATION, true},
    {STOA_UTF8, ANY_UNIT, STOA_AVRO_STRING, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_BINARY, ANY_UNIT, STOA_AVRO_BYTES, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_FIXED_BINARY, ANY_UNIT, STOA_AVRO_FIXED, STOA_AVRO_LOGICAL_NONE, true},
    {STOA_UUID, ANY_UNIT, STOA_AVRO_STRING, STOA_AVRO_UUID, true},
};
/* clang-format on */
#define NLEAVES (sizeof(leaves) / sizeof(leaves[0]))

enum { DURATION_NBYTES = 12, UINT64_DIGITS = 20 };

/* ---- Names ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A name of letters, digits and _ into `out`, which has room for one more byte and the end. */
static size_t fit(const char *name, char *out)
{
    size_t n = 0;

    if (!is_letter(name[0]))
        out[n++] = '_';
    for (const char *at = name; *at != '\0'; at++) {
        if (((uint8_t)*at & 0xc0) == 0x80) /* one _ a character, not a byte */
            continue;
        if (is_letter(*at) || (*at >= '0' && *at <= '9'))
            out[n++] = *at;
        else if (at > name)
            out[n++] = '_';
    }
    out[n] = '\0';
    return n;
}

/* Enters a name that is not taken, with the number that the next one like it may have. */
static enum stoa_status enter(json_t *taken, const char *name, json_int_t next,
                              struct stoa_error *err)
{
    return json_object_set_new(taken, name, json_integer(next)) == 0 ? STOA_OK
                                                                     : stoa_fail_nomem(err, 0);
}

/* A name that fits, and that `taken` does not have yet; it has it from then on. */
static enum stoa_status choose_name(struct maker *maker, json_t *taken, const char *name,
                                    const char **out)
{
    const size_t room = strlen(name) + 24;
    char *fitted = NULL;
    json_int_t next = 2;
    json_t *before;
    size_t end;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&fitted, room, maker->err));
    end = fit(name, fitted);
    before = json_object_get(taken, fitted);
    if (before != NULL)
        next = json_integer_value(before);
    while (json_object_get(taken, fitted) != NULL)
        snprintf(fitted + end, room - end, "_%" JSON_INTEGER_FORMAT, next++);
    if (before != NULL)
        json_integer_set(before, next);
    STOA_TRY(enter(taken, fitted, 2, maker->err));
    STOA_TRY(stoa_avro_strndup(&maker->schema, out, fitted, strlen(fitted), maker->err));
out:
    stoa_free(fitted);
    return st;
}

/* ---- Attributes ---- */

static enum stoa_status add_json(struct maker *maker, struct stoa_avro_attributes *attributes,
                                 const char *key, json_t *value)
{
    struct stoa_buffer text = {0};
    enum stoa_status st = value != NULL ? STOA_OK : stoa_fail_nomem(maker->err, 0);

    STOA_TRY(st);
    STOA_TRY(stoa_avro_json_append(&text, value, maker->err));
    STOA_TRY(stoa_avro_attribute_add(&maker->schema, attributes, key, (char *)text.data,
                                     text.nbytes, maker->err));
out:
    json_decref(value);
    stoa_buffer_free(&text);
    return st;
}

static bool is_kept_file(const char *key)
{
    return strncmp(key, "avro.", 5) == 0;
}

/* Metadata but that of a file of Avro, which goes into a file of Avro as it was. */
static enum stoa_status add_metadata(struct maker *maker, const struct stoa_metadata *metadata,
                                     struct stoa_avro_attributes *attributes)
{
    json_t *others = json_object();
    enum stoa_status st = others != NULL ? STOA_OK : stoa_fail_nomem(maker->err, 0);

    for (uint32_t i = 0; st == STOA_OK && i < metadata->npairs; i++) {
        const struct stoa_keyvalue *pair = &metadata->pairs[i];

        if (is_kept_file(pair->key))
            continue;
        if (strcmp(pair->key, STOA_METADATA_CSV_FORMAT) == 0)
            st = add_json(maker, attributes, pair->key, json_string(pair->value));
        else if (json_object_set_new(others, pair->key, json_string(pair->value)) != 0)
            st = stoa_fail_nomem(maker->err, 0);
    }
    if (st == STOA_OK && json_object_size(others) > 0)
        st = add_json(maker, attributes, "metadata", json_incref(others));
    json_decref(others);
    return st;
}

/* ---- Types ---- */

/*
 * What is made of a field: its type, a union with null where it is nullable, and whether that is
 * read as what it was. `name` is what types that need one are called.
 */
static enum stoa_status make_type(struct maker *maker, const struct stoa_field *field,
                                  const char *name, struct stoa_avro_type **out, bool *exact);

static enum stoa_status make_named(struct maker *maker, enum stoa_avro_kind kind, const char *name,
                                   struct stoa_avro_type **out)
{
    enum stoa_status st;

    STOA_TRY(stoa_avro_type_new(&maker->schema, kind, out, maker->err));
    if (stoa_avro_is_named(kind))
        STOA_TRY(choose_name(maker, maker->names, name, &(*out)->name));
out:
    return st;
}

static enum stoa_status make_leaf(struct maker *maker, const struct stoa_type *type,
                                  const char *name, struct stoa_avro_type **out, bool *exact)
{
    enum stoa_avro_logical logical;
    uint32_t precision = 0, scale = 0;
    size_t i = 0;
    enum stoa_status st;

    while (leaves[i].id != type->id ||
           (leaves[i].unit != ANY_UNIT && leaves[i].unit != (int)type->unit))
        i++;
    logical = leaves[i].logical;
    *exact = leaves[i].exact;
    STOA_TRY(make_named(maker, leaves[i].kind, name, out));
    if (leaves[i].kind == STOA_AVRO_FIXED)
        (*out)->size = type->id == STOA_INTERVAL ? DURATION_NBYTES : type->width;
    if (type->id == STOA_TIMESTAMP && type->zone == NULL)
        logical = logical + (STOA_AVRO_LOCAL_TIMESTAMP_MILLIS - STOA_AVRO_TIMESTAMP_MILLIS);
    else if (type->id == STOA_TIMESTAMP)
        *exact = *exact && strcmp(type->zone, "UTC") == 0;
    if (logical == STOA_AVRO_DECIMAL) {
        precision = type->id == STOA_DECIMAL ? type->precision : UINT64_DIGITS;
        scale = type->id == STOA_DECIMAL ? type->scale : 0;
    }
    if (logical != STOA_AVRO_LOGICAL_NONE)
        STOA_TRY(
            stoa_avro_set_logical(&maker->schema, *out, logical, precision, scale, maker->err));
out:
    return st;
}

/* An enum, or text where Avro does not allow its symbols. */
static enum stoa_status make_enum(struct maker *maker, const struct stoa_type *type,
                                  const char *name, struct stoa_avro_type **out, bool *exact)
{
    struct stoa_avro_names *symbols;
    enum stoa_status st;

    *exact = type->nsymbols > 0;
    for (uint32_t i = 0; *exact && i < type->nsymbols; i++)
        *exact = stoa_avro_name_is_valid(type->symbols[i], strlen(type->symbols[i]));
    STOA_TRY(make_named(maker, *exact ? STOA_AVRO_ENUM : STOA_AVRO_STRING, name, out));
    if (!*exact)
        goto out;
    symbols = &(*out)->symbols;
    STOA_TRY(stoa_avro_alloc(&maker->schema, &symbols->items, type->nsymbols,
                             sizeof(*symbols->items), maker->err));
    for (; symbols->nitems < type->nsymbols; symbols->nitems++)
        STOA_TRY(stoa_avro_strndup(&maker->schema, &symbols->items[symbols->nitems],
                                   type->symbols[symbols->nitems],
                                   strlen(type->symbols[symbols->nitems]), maker->err));
out:
    return st;
}

/* The rest of a field of a record, whose name was chosen. */
static enum stoa_status make_field(struct maker *maker, const struct stoa_field *field,
                                   struct stoa_avro_field *out)
{
    char *text = NULL;
    bool exact;
    enum stoa_status st;

    STOA_TRY(make_type(maker, field, out->name, &out->type, &exact));
    if (field->nullable)
        out->default_json = "null";
    if (strcmp(out->name, field->name) != 0)
        STOA_TRY(add_json(maker, &out->attributes, "stoa_name", json_string(field->name)));
    if (!exact) {
        STOA_TRY(stoa_type_print(field, &text, maker->err));
        STOA_TRY(add_json(maker, &out->attributes, "stoa_type", json_string(text)));
    }
    STOA_TRY(add_metadata(maker, &field->metadata, &out->attributes));
out:
    stoa_free(text);
    return st;
}

/* Names that fit stay as they are, whatever becomes of those in front of them. */
static enum stoa_status make_fields(struct maker *maker, const struct stoa_field *fields,
                                    uint32_t nfields, struct stoa_avro_type *record)
{
    json_t *taken = json_object();
    enum stoa_status st = taken != NULL ? STOA_OK : stoa_fail_nomem(maker->err, 0);

    STOA_TRY(st);
    STOA_TRY(stoa_avro_alloc(&maker->schema, &record->fields, nfields, sizeof(*record->fields),
                             maker->err));
    record->nfields = nfields;
    for (uint32_t i = 0; i < nfields; i++)
        if (stoa_avro_name_is_valid(fields[i].name, strlen(fields[i].name)))
            STOA_TRY(choose_name(maker, taken, fields[i].name, &record->fields[i].name));
    for (uint32_t i = 0; i < nfields; i++) {
        if (record->fields[i].name == NULL)
            STOA_TRY(choose_name(maker, taken, fields[i].name, &record->fields[i].name));
        STOA_TRY(make_field(maker, &fields[i], &record->fields[i]));
    }
out:
    json_decref(taken);
    return st;
}

/* A map of text, or, as Iceberg has it, an array of records of "key" and "value". */
static enum stoa_status make_map(struct maker *maker, const struct stoa_field *field,
                                 const char *name, struct stoa_avro_type **out, bool *exact)
{
    const struct stoa_field *entries = &field->children[0];
    const bool is_text = entries->children[0].type.id == STOA_UTF8;
    struct stoa_avro_type *record;
    enum stoa_status st;

    STOA_TRY(stoa_avro_type_new(&maker->schema, is_text ? STOA_AVRO_MAP : STOA_AVRO_ARRAY, out,
                                maker->err));
    if (is_text)
        return make_type(maker, &entries->children[1], name, &(*out)->items, exact);
    STOA_TRY(make_named(maker, STOA_AVRO_RECORD, name, &record));
    STOA_TRY(
        stoa_avro_alloc(&maker->schema, &record->fields, 2, sizeof(*record->fields), maker->err));
    (*out)->items = record;
    record->nfields = 2;
    record->fields[0].name = "key";
    record->fields[1].name = "value";
    for (unsigned i = 0; i < 2; i++)
        STOA_TRY(make_field(maker, &entries->children[i], &record->fields[i]));
    STOA_TRY(stoa_avro_set_logical(&maker->schema, *out, STOA_AVRO_ENTRY_MAP, 0, 0, maker->err));
out:
    return st;
}

static enum stoa_status make_value(struct maker *maker, const struct stoa_field *field,
                                   const char *name, struct stoa_avro_type **out, bool *exact)
{
    enum stoa_status st;

    *exact = true;
    switch (field->type.id) {
    case STOA_ENUM:
        return make_enum(maker, &field->type, name, out, exact);
    case STOA_MAP:
        return make_map(maker, field, name, out, exact);
    case STOA_STRUCT:
        STOA_TRY(make_named(maker, STOA_AVRO_RECORD, name, out));
        STOA_TRY(make_fields(maker, field->children, field->nchildren, *out));
        break;
    case STOA_LIST:
    case STOA_FIXED_LIST:
        STOA_TRY(stoa_avro_type_new(&maker->schema, STOA_AVRO_ARRAY, out, maker->err));
        STOA_TRY(make_type(maker, &field->children[0], name, &(*out)->items, exact));
        *exact = *exact && field->type.id == STOA_LIST;
        break;
    default:
        return make_leaf(maker, &field->type, name, out, exact);
    }
out:
    return st;
}

static enum stoa_status make_type(struct maker *maker, const struct stoa_field *field,
                                  const char *name, struct stoa_avro_type **out, bool *exact)
{
    struct stoa_avro_type *value, *both;
    enum stoa_status st;

    STOA_TRY(make_value(maker, field, name, &value, exact));
    if (!field->nullable || field->type.id == STOA_NULL) {
        *out = value;
        goto out;
    }
    STOA_TRY(stoa_avro_type_new(&maker->schema, STOA_AVRO_UNION, &both, maker->err));
    STOA_TRY(
        stoa_avro_alloc(&maker->schema, &both->branches, 2, sizeof(*both->branches), maker->err));
    STOA_TRY(stoa_avro_type_new(&maker->schema, STOA_AVRO_NULL, &both->branches[0], maker->err));
    both->branches[1] = value;
    both->nbranches = 2;
    *out = both;
out:
    return st;
}

/* No type is called as one of Avro's own. */
static enum stoa_status reserve_names(struct maker *maker)
{
    enum stoa_status st = STOA_OK;

    for (unsigned i = 0; st == STOA_OK && i < STOA_AVRO_NKINDS; i++)
        st = enter(maker->names, stoa_avro_kind_name((enum stoa_avro_kind)i), 2, maker->err);
    return st;
}

static enum stoa_status make_record(const struct stoa_schema *columns, const char *name,
                                    struct stoa_buffer *out, struct stoa_error *err)
{
    struct maker maker = {.names = json_object(), .err = err};
    struct stoa_avro_type *root;
    enum stoa_status st = maker.names != NULL ? STOA_OK : stoa_fail_nomem(err, 0);

    STOA_TRY(st);
    STOA_TRY(reserve_names(&maker));
    STOA_TRY(make_named(&maker, STOA_AVRO_RECORD, name, &root));
    STOA_TRY(make_fields(&maker, columns->fields, columns->nfields, root));
    STOA_TRY(add_metadata(&maker, &columns->metadata, &root->attributes));
    maker.schema.root = root;
    STOA_TRY(stoa_avro_schema_check(&maker.schema, err));
    STOA_TRY(stoa_avro_schema_print(&maker.schema, out, err));
out:
    json_decref(maker.names);
    stoa_avro_schema_reset(&maker.schema);
    return st;
}

/* ---- Schemas that were kept ---- */

/* Whether a column is what a field of the kept schema is read as. */
static enum stoa_status is_same(const struct stoa_field *a, const struct stoa_field *b, bool *out,
                                struct stoa_error *err)
{
    char *x = NULL, *y = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_type_print(a, &x, err));
    STOA_TRY(stoa_type_print(b, &y, err));
    *out = strcmp(a->name, b->name) == 0 && a->nullable == b->nullable && strcmp(x, y) == 0;
out:
    stoa_free(x);
    stoa_free(y);
    return st;
}

/*
 * The fields of the kept schema that the columns are, in their order; *nfound is how many columns
 * in front of the first one that is none of them.
 */
static enum stoa_status find_fields(const struct stoa_schema *columns,
                                    const struct stoa_schema *kept, uint32_t *fields,
                                    uint32_t *nfound, struct stoa_error *err)
{
    json_t *places = json_object();
    bool same = true;
    enum stoa_status st = places != NULL ? STOA_OK : stoa_fail_nomem(err, 0);

    *nfound = 0;
    for (uint32_t i = 0; st == STOA_OK && i < kept->nfields; i++)
        st = enter(places, kept->fields[i].name, i, err);
    while (st == STOA_OK && same && *nfound < columns->nfields) {
        const struct stoa_field *column = &columns->fields[*nfound];
        const json_t *place = json_object_get(places, column->name);

        same = place != NULL;
        if (same) {
            fields[*nfound] = (uint32_t)json_integer_value(place);
            st = is_same(column, &kept->fields[fields[*nfound]], &same, err);
        }
        *nfound += same;
    }
    json_decref(places);
    return st;
}

/* A record of some fields of the kept one, unless that can't be printed; *done: it was. */
static enum stoa_status select_fields(struct stoa_avro_schema *kept, const uint32_t *fields,
                                      uint32_t nfields, struct stoa_buffer *out, bool *done,
                                      struct stoa_error *err)
{
    struct stoa_avro_type *root = kept->root;
    struct stoa_avro_field *selected;
    enum stoa_status st;

    *done = !root->is_recursive && stoa_avro_schema_check(kept, NULL) == STOA_OK;
    if (!*done) /* as a part of itself it would lose these fields too */
        return STOA_OK;
    STOA_TRY(stoa_avro_alloc(kept, &selected, nfields, sizeof(*selected), err));
    for (uint32_t i = 0; i < nfields; i++)
        selected[i] = root->fields[fields[i]];
    root->fields = selected;
    root->nfields = nfields;
    STOA_TRY(stoa_avro_schema_print(kept, out, err));
out:
    return st;
}

/* The kept schema, if there is one that the columns still go with; *done: it was appended. */
static enum stoa_status use_kept(const struct stoa_schema *columns, struct stoa_buffer *out,
                                 bool *done, bool *whole, struct stoa_error *err)
{
    const char *text = stoa_metadata_get(&columns->metadata, STOA_AVRO_METADATA_SCHEMA);
    struct stoa_avro_schema kept = {0};
    struct stoa_schema read = {0};
    uint32_t *fields = NULL, nfound = 0;
    enum stoa_status st;

    *done = *whole = false;
    if (text == NULL)
        return STOA_OK;
    STOA_TRY(stoa_avro_schema_parse(text, strlen(text), &kept, err));
    STOA_TRY(stoa_avro_map_schema(&kept, &read, err));
    STOA_TRY(stoa_alloc(&fields, columns->nfields * sizeof(*fields), err));
    STOA_TRY(find_fields(columns, &read, fields, &nfound, err));
    if (nfound < columns->nfields)
        goto out;
    *whole = columns->nfields == read.nfields;
    for (uint32_t i = 0; *whole && i < nfound; i++)
        *whole = fields[i] == i;
    if (*whole)
        STOA_TRY(stoa_buffer_append(out, text, strlen(text), err));
    *done = *whole;
    if (!*whole && kept.root->kind == STOA_AVRO_RECORD)
        STOA_TRY(select_fields(&kept, fields, nfound, out, done, err));
out:
    stoa_free(fields);
    stoa_schema_reset(&read);
    stoa_avro_schema_reset(&kept);
    /* Metadata may be anything: what is no schema is none that was kept. */
    return st == STOA_ERR_NOMEM ? st : STOA_OK;
}

enum stoa_status stoa_avro_make_schema(const struct stoa_schema *columns, const char *name,
                                       struct stoa_buffer *out, bool *kept, struct stoa_error *err)
{
    bool done, whole;
    enum stoa_status st;

    STOA_TRY(use_kept(columns, out, &done, &whole, err));
    if (!done)
        STOA_TRY(make_record(columns, name, out, err));
    if (out->nbytes > STOA_AVRO_MAX_JSON_NBYTES)
        return stoa_fail(err, STOA_ERR_LIMIT, "the Avro schema has %zu bytes: at most %u are read",
                         out->nbytes, STOA_AVRO_MAX_JSON_NBYTES);
    if (kept != NULL)
        *kept = whole;
out:
    return st;
}

/* ---- Documents for people ---- */

static enum stoa_status begin_line(struct stoa_buffer *out, size_t depth, struct stoa_error *err)
{
    enum stoa_status st = stoa_buffer_reserve(out, depth + 1, err);

    if (st != STOA_OK)
        return st;
    memset(out->data + out->nbytes, ' ', depth + 1);
    out->data[out->nbytes] = '\n';
    out->nbytes += depth + 1;
    return STOA_OK;
}

/* Compact JSON with a line for each value of an array and an object. */
static enum stoa_status indent(const struct stoa_buffer *text, struct stoa_buffer *out,
                               struct stoa_error *err)
{
    bool in_string = false;
    size_t depth = 0;
    char before = '\0';
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < text->nbytes; before = (char)text->data[i++]) {
        const char c = (char)text->data[i];
        const bool opened = before == '{' || before == '[', closes = c == '}' || c == ']';

        if (in_string) {
            const size_t n = c == '\\' ? 2 : 1; /* what is escaped is no end */

            STOA_TRY(stoa_buffer_append(out, text->data + i, n, err));
            i += n - 1;
            in_string = c != '"';
            continue;
        }
        depth -= closes;
        if ((opened && !closes) || (closes && !opened) || before == ',')
            STOA_TRY(begin_line(out, depth, err));
        STOA_TRY(stoa_buffer_append(out, &c, 1, err));
        if (c == ':')
            STOA_TRY(stoa_buffer_append(out, " ", 1, err));
        depth += c == '{' || c == '[';
        in_string = c == '"';
    }
out:
    return st;
}

enum stoa_status stoa_avro_print_schema(const struct stoa_schema *schema, const char *name,
                                        char **out, struct stoa_error *err)
{
    struct stoa_buffer compact = {0}, text = {0};
    bool kept;
    enum stoa_status st;

    STOA_TRY(stoa_schema_check(schema, err));
    STOA_TRY(stoa_avro_make_schema(schema, name, &compact, &kept, err));
    if (kept)
        STOA_TRY(stoa_buffer_append(&text, compact.data, compact.nbytes, err));
    else
        STOA_TRY(indent(&compact, &text, err));
    STOA_TRY(stoa_buffer_append(&text, "\n", 2, err));
    *out = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&compact);
    stoa_buffer_free(&text);
    return st;
}
