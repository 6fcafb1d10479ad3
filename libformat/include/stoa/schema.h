/*
 * Types and schemas: what the columns of a table are called and what their values mean.
 *
 * Names and meanings are Arrow's. A schema is a tree of fields; the format numbers its *nodes*
 * depth first, a parent before its children (spec/format.md, "Nodes"). A table without nested
 * columns has one node a column, so node and column numbers are the same.
 */
#ifndef STOA_SCHEMA_H
#define STOA_SCHEMA_H

#include <stoa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are stored in files (spec/format.md, "Types"): never reuse one. */
enum stoa_type_id {
    STOA_NULL = 1, /* no value at all: every slot is null */
    STOA_BOOL = 2,
    STOA_INT8 = 3,
    STOA_INT16 = 4,
    STOA_INT32 = 5,
    STOA_INT64 = 6,
    STOA_UINT8 = 7,
    STOA_UINT16 = 8,
    STOA_UINT32 = 9,
    STOA_UINT64 = 10,
    STOA_FLOAT16 = 11,
    STOA_FLOAT32 = 12,
    STOA_FLOAT64 = 13,
    STOA_DECIMAL = 14,   /* precision 1..76, scale 0..precision: value * 10^-scale exactly */
    STOA_DATE32 = 15,    /* days since 1970-01-01 */
    STOA_TIME = 16,      /* since midnight, in `unit`: 32 bits for s and ms, 64 for us and ns */
    STOA_TIMESTAMP = 17, /* since 1970-01-01T00:00:00 in `unit`, 64 bits; UTC when `zone` is set,
                            a wall clock without a zone when it is NULL */
    STOA_DURATION = 18,  /* a span of time in `unit`, 64 bits */
    STOA_INTERVAL = 19,  /* months, days and nanoseconds apart (struct stoa_interval) */
    STOA_UTF8 = 20,      /* text, valid UTF-8 */
    STOA_BINARY = 21,
    STOA_FIXED_BINARY = 22, /* `width` bytes each */
    STOA_UUID = 23,         /* 16 bytes in the order of the text form */
    STOA_ENUM = 24,         /* an index into `symbols`, 32 bits */
    STOA_LIST = 25,         /* any number of values of its child */
    STOA_FIXED_LIST = 26,   /* `width` of them */
    STOA_STRUCT = 27,       /* a value of each child */
    STOA_MAP = 28,          /* a list of entries, structs of a key, never null, and a value */
};

/*
 * A type and its parameters; a parameter that the id does not use is 0 or NULL.
 * Ownership: `zone` and `symbols` belong to the type (stoa_type_reset() frees them).
 */
struct stoa_type {
    enum stoa_type_id id;
    enum stoa_time_unit unit; /* time, timestamp, duration */
    uint8_t precision;        /* decimal */
    uint8_t scale;            /* decimal */
    uint32_t width;           /* fixed_binary: bytes; fixed_list: values */
    char *zone;               /* timestamp: "UTC", "Europe/Paris", "+02:00", or NULL */
    char **symbols;           /* enum: nsymbols texts, all different */
    uint32_t nsymbols;
};

struct stoa_keyvalue {
    char *key;
    char *value;
};

struct stoa_metadata {
    struct stoa_keyvalue *pairs;
    uint32_t npairs;
};

/* One column, or one part of a nested one. Names of siblings are unique. */
struct stoa_field {
    char *name;
    struct stoa_type type;
    bool nullable;
    uint32_t id; /* 0 unless a dataset's manifest assigned one */
    struct stoa_metadata metadata;
    struct stoa_field *children; /* list: 1; struct: n; map: 1, a struct of key and value */
    uint32_t nchildren;
};

/* Init with `{0}`, release with stoa_schema_reset(). */
struct stoa_schema {
    struct stoa_field *fields;
    uint32_t nfields;
    struct stoa_metadata metadata;
};

STOA_API void stoa_type_reset(struct stoa_type *type);
STOA_API STOA_CHECK enum stoa_status
stoa_type_copy(struct stoa_type *out, const struct stoa_type *type, struct stoa_error *err);
STOA_API bool stoa_type_equal(const struct stoa_type *a, const struct stoa_type *b);

/*
 * Reads the text form of a type without children: "int64", "decimal(10,2)", "timestamp(us,UTC)",
 * "enum(a,b)", ... (schemas/stoa-schema.schema.json). On success *out is overwritten and owned by
 * the caller. STOA_ERR_USAGE with err->offset at the character that is wrong.
 */
STOA_API STOA_CHECK enum stoa_status stoa_type_parse(const char *text, struct stoa_type *out,
                                                     struct stoa_error *err);

/*
 * A field of that name with the type of that text, nested ones too: "list<int64>",
 * "fixed_list<float32,3>", "struct<a:int8,\"b c\":utf8 not null>", "map<utf8,decimal(50,2)>". What
 * is inside is nullable unless "not null" follows. *out is overwritten, `{0}` on failure, and owned
 * by the caller: stoa_field_reset(). STOA_ERR_USAGE as for stoa_type_parse().
 */
STOA_API STOA_CHECK enum stoa_status stoa_field_parse(const char *name, const char *type,
                                                      bool nullable, struct stoa_field *out,
                                                      struct stoa_error *err);

/* The text form of a field's type with its children; *out is terminated, free with stoa_free(). */
STOA_API STOA_CHECK enum stoa_status stoa_type_print(const struct stoa_field *field, char **out,
                                                     struct stoa_error *err);

STOA_API void stoa_field_reset(struct stoa_field *field);
STOA_API void stoa_schema_reset(struct stoa_schema *schema);
STOA_API STOA_CHECK enum stoa_status
stoa_schema_copy(struct stoa_schema *out, const struct stoa_schema *schema, struct stoa_error *err);
STOA_API bool stoa_schema_equal(const struct stoa_schema *a, const struct stoa_schema *b);

/*
 * Appends a column; `type` and `name` are copied. STOA_ERR_USAGE when the name is taken, longer
 * than 64 KiB - 1 bytes or not UTF-8, or the type's parameters are out of range.
 */
STOA_API STOA_CHECK enum stoa_status stoa_schema_add(struct stoa_schema *schema, const char *name,
                                                     const struct stoa_type *type, bool nullable,
                                                     struct stoa_error *err);

/*
 * The same for a column of any type, with its children, id and metadata: all of `field` is copied,
 * so it may stand in constant memory. STOA_ERR_USAGE also for children that the type cannot have
 * and for types nested more than 32 deep.
 *
 *     struct stoa_field field;
 *
 *     st = stoa_field_parse("tags", "list<struct<key:utf8 not null,weight:float32>>", true, &field,
 *                           &err);
 *     if (st == STOA_OK)
 *         st = stoa_schema_add_field(&schema, &field, &err);
 *     stoa_field_reset(&field);
 */
STOA_API STOA_CHECK enum stoa_status stoa_schema_add_field(struct stoa_schema *schema,
                                                           const struct stoa_field *field,
                                                           struct stoa_error *err);

/* Sets the value of `key`, replacing an older one. */
STOA_API STOA_CHECK enum stoa_status stoa_metadata_set(struct stoa_metadata *metadata,
                                                       const char *key, const char *value,
                                                       struct stoa_error *err);
STOA_API const char *stoa_metadata_get(const struct stoa_metadata *metadata, const char *key);

/*
 * The column of that name: exact first, else the only one that differs in ASCII case alone.
 * STOA_ERR_USAGE: none (names the nearest) or several.
 */
STOA_API STOA_CHECK enum stoa_status stoa_schema_find(const struct stoa_schema *schema,
                                                      const char *name, uint32_t *column,
                                                      struct stoa_error *err);

/* A new schema of the given columns in that order. */
STOA_API STOA_CHECK enum stoa_status stoa_schema_select(struct stoa_schema *out,
                                                        const struct stoa_schema *schema,
                                                        const uint32_t *columns, uint32_t ncolumns,
                                                        struct stoa_error *err);

/*
 * The JSON document of a schema (schemas/stoa-schema.schema.json), both ways. Reading refuses
 * unknown keys, "evidence" aside, and names the field that is wrong. `evidence_json` may be NULL;
 * else it is the text of a JSON array that is put under "evidence".
 */
STOA_API STOA_CHECK enum stoa_status stoa_schema_parse_json(const char *text, size_t nbytes,
                                                            struct stoa_schema *out,
                                                            struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_schema_print_json(const struct stoa_schema *schema,
                                                            const char *evidence_json, char **out,
                                                            struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
