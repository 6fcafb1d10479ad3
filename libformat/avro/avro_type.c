/*
 * Types of Avro: their memory, their names, and which logical type goes with which.
 *
 * A schema has thousands of small texts that live and die together, so they stand in blocks of
 * memory that are freed at once, and nothing has an owner of its own.
 */
#include "avro/avro_type.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"

enum { BLOCK_NBYTES = 4096 };

struct stoa_avro_memory {
    struct stoa_avro_memory *next;
    size_t nused;
    size_t nbytes;
    alignas(max_align_t) uint8_t bytes[];
};

void stoa_avro_schema_reset(struct stoa_avro_schema *schema)
{
    while (schema->memory != NULL) {
        struct stoa_avro_memory *block = schema->memory;

        schema->memory = block->next;
        stoa_free(block);
    }
    stoa_free(schema->types);
    *schema = (struct stoa_avro_schema){0};
}

/* A block with room for nbytes in front of the others. */
static enum stoa_status add_block(struct stoa_avro_schema *schema, size_t nbytes,
                                  struct stoa_error *err)
{
    const size_t room = nbytes > BLOCK_NBYTES ? nbytes : BLOCK_NBYTES;
    struct stoa_avro_memory *block;
    enum stoa_status st;

    if (nbytes > SIZE_MAX / 2)
        return stoa_fail_nomem(err, nbytes);
    STOA_TRY(stoa_alloc(&block, sizeof(*block) + room, err));
    *block = (struct stoa_avro_memory){.next = schema->memory, .nbytes = room};
    schema->memory = block;
out:
    return st;
}

enum stoa_status stoa_avro_alloc(struct stoa_avro_schema *schema, void *out, size_t count,
                                 size_t size, struct stoa_error *err)
{
    struct stoa_avro_memory *block = schema->memory;
    void *made;
    size_t nbytes;
    enum stoa_status st = STOA_OK;

    if (!stoa_mul_size(count, size, &nbytes) || nbytes > SIZE_MAX / 2)
        return stoa_fail_nomem(err, SIZE_MAX);
    nbytes = (size_t)stoa_round_up(nbytes, alignof(max_align_t));
    if (block == NULL || nbytes > block->nbytes - block->nused)
        STOA_TRY(add_block(schema, nbytes, err));
    block = schema->memory;
    made = block->bytes + block->nused;
    block->nused += nbytes;
    memset(made, 0, nbytes);
    memcpy(out, &made, sizeof(made));
out:
    return st;
}

enum stoa_status stoa_avro_strndup(struct stoa_avro_schema *schema, const char **out,
                                   const char *text, size_t nbytes, struct stoa_error *err)
{
    char *copy = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_avro_alloc(schema, &copy, nbytes + 1, 1, err));
    if (nbytes > 0)
        memcpy(copy, text, nbytes);
    *out = copy;
out:
    return st;
}

enum stoa_status stoa_avro_type_new(struct stoa_avro_schema *schema, enum stoa_avro_kind kind,
                                    struct stoa_avro_type **out, struct stoa_error *err)
{
    struct stoa_avro_type *type;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&schema->types, &schema->types_capacity, schema->ntypes + 1,
                          sizeof(*schema->types), err));
    STOA_TRY(stoa_avro_alloc(schema, &type, 1, sizeof(*type), err));
    type->kind = kind;
    type->depth = 1;
    type->index = (uint32_t)schema->ntypes;
    schema->types[schema->ntypes++] = type;
    *out = type;
out:
    return st;
}

enum stoa_status stoa_avro_attribute_add(struct stoa_avro_schema *schema,
                                         struct stoa_avro_attributes *attributes, const char *key,
                                         const char *json, size_t nbytes, struct stoa_error *err)
{
    struct stoa_avro_attribute *items;
    const size_t n = attributes->nitems;
    enum stoa_status st = STOA_OK;

    if ((n & (n - 1)) == 0) { /* room for as many again; what was there stays behind, unused */
        STOA_TRY(stoa_avro_alloc(schema, &items, n == 0 ? 1 : 2 * n, sizeof(*items), err));
        if (n > 0)
            memcpy(items, attributes->items, n * sizeof(*items));
        attributes->items = items;
    }
    STOA_TRY(stoa_avro_strndup(schema, &attributes->items[n].key, key, strlen(key), err));
    STOA_TRY(stoa_avro_strndup(schema, &attributes->items[n].json, json, nbytes, err));
    attributes->nitems++;
out:
    return st;
}

const char *stoa_avro_attribute(const struct stoa_avro_attributes *attributes, const char *key)
{
    for (size_t i = 0; i < attributes->nitems; i++)
        if (strcmp(attributes->items[i].key, key) == 0)
            return attributes->items[i].json;
    return NULL;
}

/* ---- Kinds and logical types ---- */

static const char *const kinds[] = {
    [STOA_AVRO_NULL] = "null",   [STOA_AVRO_BOOLEAN] = "boolean", [STOA_AVRO_INT] = "int",
    [STOA_AVRO_LONG] = "long",   [STOA_AVRO_FLOAT] = "float",     [STOA_AVRO_DOUBLE] = "double",
    [STOA_AVRO_BYTES] = "bytes", [STOA_AVRO_STRING] = "string",   [STOA_AVRO_RECORD] = "record",
    [STOA_AVRO_ENUM] = "enum",   [STOA_AVRO_FIXED] = "fixed",     [STOA_AVRO_ARRAY] = "array",
    [STOA_AVRO_MAP] = "map",     [STOA_AVRO_UNION] = "union",
};

const char *stoa_avro_kind_name(enum stoa_avro_kind kind)
{
    return kinds[kind];
}

/* A logical type stands on each kind that it goes with; `size` is that of a fixed, 0: any. */
static const struct {
    enum stoa_avro_logical logical;
    enum stoa_avro_kind kind;
    uint32_t size;
    const char *name;
} logicals[] = {
    {STOA_AVRO_DECIMAL, STOA_AVRO_BYTES, 0, "decimal"},
    {STOA_AVRO_DECIMAL, STOA_AVRO_FIXED, 0, "decimal"},
    {STOA_AVRO_BIG_DECIMAL, STOA_AVRO_BYTES, 0, "big-decimal"},
    {STOA_AVRO_UUID, STOA_AVRO_STRING, 0, "uuid"},
    {STOA_AVRO_UUID, STOA_AVRO_FIXED, 16, "uuid"},
    {STOA_AVRO_DATE, STOA_AVRO_INT, 0, "date"},
    {STOA_AVRO_TIME_MILLIS, STOA_AVRO_INT, 0, "time-millis"},
    {STOA_AVRO_TIME_MICROS, STOA_AVRO_LONG, 0, "time-micros"},
    {STOA_AVRO_TIMESTAMP_MILLIS, STOA_AVRO_LONG, 0, "timestamp-millis"},
    {STOA_AVRO_TIMESTAMP_MICROS, STOA_AVRO_LONG, 0, "timestamp-micros"},
    {STOA_AVRO_TIMESTAMP_NANOS, STOA_AVRO_LONG, 0, "timestamp-nanos"},
    {STOA_AVRO_LOCAL_TIMESTAMP_MILLIS, STOA_AVRO_LONG, 0, "local-timestamp-millis"},
    {STOA_AVRO_LOCAL_TIMESTAMP_MICROS, STOA_AVRO_LONG, 0, "local-timestamp-micros"},
    {STOA_AVRO_LOCAL_TIMESTAMP_NANOS, STOA_AVRO_LONG, 0, "local-timestamp-nanos"},
    {STOA_AVRO_DURATION, STOA_AVRO_FIXED, 12, "duration"},
    {STOA_AVRO_ENTRY_MAP, STOA_AVRO_ARRAY, 0, "map"},
};
#define NLOGICALS (sizeof(logicals) / sizeof(logicals[0]))

const char *stoa_avro_logical_name(enum stoa_avro_logical logical)
{
    for (size_t i = 0; i < NLOGICALS; i++)
        if (logicals[i].logical == logical)
            return logicals[i].name;
    return NULL;
}

/* An array of records of a key, which is text, and a value. */
static bool has_entries(const struct stoa_avro_type *type)
{
    const struct stoa_avro_type *entry = type->items;

    return entry->kind == STOA_AVRO_RECORD && entry->nfields == 2 && !entry->is_recursive &&
           strcmp(entry->fields[0].name, "key") == 0 && strcmp(entry->fields[1].name, "value") == 0;
}

/* The digits of which a fixed of so many bytes holds every number: floor(log10(2^(8n - 1) - 1)). */
static uint32_t digits_of(uint32_t nbytes)
{
    return nbytes > 1000 ? UINT32_MAX : (uint32_t)((8 * (uint64_t)nbytes - 1) * 30103 / 100000);
}

enum stoa_avro_logical stoa_avro_logical_find(const struct stoa_avro_type *type, const char *name)
{
    const struct stoa_avro_type *const t = type;

    for (size_t i = 0; i < NLOGICALS; i++) {
        if (logicals[i].kind != t->kind || strcmp(logicals[i].name, name) != 0 ||
            (logicals[i].size != 0 && logicals[i].size != t->size))
            continue;
        if (logicals[i].logical == STOA_AVRO_DECIMAL &&
            (t->precision == 0 || t->scale > t->precision ||
             (t->kind == STOA_AVRO_FIXED && (t->size == 0 || t->precision > digits_of(t->size)))))
            return STOA_AVRO_LOGICAL_NONE;
        if (logicals[i].logical == STOA_AVRO_ENTRY_MAP && !has_entries(t))
            return STOA_AVRO_LOGICAL_NONE;
        return logicals[i].logical;
    }
    return STOA_AVRO_LOGICAL_NONE;
}

enum stoa_status stoa_avro_set_logical(struct stoa_avro_schema *schema, struct stoa_avro_type *type,
                                       enum stoa_avro_logical logical, uint32_t precision,
                                       uint32_t scale, struct stoa_error *err)
{
    const char *name = stoa_avro_logical_name(logical);
    char text[40];
    enum stoa_status st;

    type->precision = precision;
    type->scale = scale;
    assert(name != NULL && stoa_avro_logical_find(type, name) == logical);
    type->logical = logical;
    snprintf(text, sizeof(text), "\"%s\"", name);
    STOA_TRY(
        stoa_avro_attribute_add(schema, &type->attributes, "logicalType", text, strlen(text), err));
    if (logical != STOA_AVRO_DECIMAL)
        return STOA_OK;
    snprintf(text, sizeof(text), "%u", (unsigned)precision);
    STOA_TRY(
        stoa_avro_attribute_add(schema, &type->attributes, "precision", text, strlen(text), err));
    snprintf(text, sizeof(text), "%u", (unsigned)scale);
    STOA_TRY(stoa_avro_attribute_add(schema, &type->attributes, "scale", text, strlen(text), err));
out:
    return st;
}

/* ---- Names ---- */

const char *stoa_avro_simple_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? dot + 1 : name;
}

const char *stoa_avro_branch_name(const struct stoa_avro_type *type)
{
    return stoa_avro_is_named(type->kind) ? type->name : kinds[type->kind];
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool stoa_avro_name_is_valid(const char *name, size_t nbytes)
{
    if (nbytes == 0 || !is_letter(name[0]))
        return false;
    for (size_t i = 1; i < nbytes; i++)
        if (!is_letter(name[i]) && !(name[i] >= '0' && name[i] <= '9'))
            return false;
    return true;
}

bool stoa_avro_fullname_is_valid(const char *name)
{
    for (;;) {
        const size_t nbytes = strcspn(name, ".");

        if (!stoa_avro_name_is_valid(name, nbytes))
            return false;
        if (name[nbytes] == '\0')
            return true;
        name += nbytes + 1;
    }
}

const struct stoa_avro_type *stoa_avro_nullable(const struct stoa_avro_type *type, bool *null_first)
{
    if (type->kind != STOA_AVRO_UNION || type->nbranches != 2)
        return NULL;
    *null_first = type->branches[0]->kind == STOA_AVRO_NULL;
    if (*null_first && type->branches[1]->kind == STOA_AVRO_NULL)
        return NULL;
    if (!*null_first && type->branches[1]->kind != STOA_AVRO_NULL)
        return NULL;
    return type->branches[*null_first ? 1 : 0];
}
