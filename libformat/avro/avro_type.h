/*
 * Schemas of Avro in memory: a tree of types, with everything that a document says of them.
 *
 *     {"type": "record", "name": "trip", "namespace": "city", "fields": [
 *       {"name": "fare", "type": ["null", {"type": "bytes", "logicalType": "decimal",
 *                                          "precision": 9, "scale": 2}]}]}
 *
 *     record "city.trip"
 *       field "fare" --> union --> null
 *                              --> bytes, logical DECIMAL, precision 9, scale 2
 *
 * A name that is used again points to the type that it names, so a tree may share parts and, where
 * a record holds itself, be a graph: `is_recursive` tells where a walk would not end. Attributes
 * that Avro does not define are kept as JSON text; "logicalType" and its parameters are among them.
 *
 * Ownership: a schema owns its types and their texts, all of which live until it is reset. Once
 * made it is constant: any thread may read it.
 */
#ifndef STOA_AVRO_AVRO_TYPE_H
#define STOA_AVRO_AVRO_TYPE_H

#include "base/alloc.h"

#define STOA_AVRO_MAX_DEPTH        256u        /* of types in each other; 1 without parts */
#define STOA_AVRO_MAX_FIXED_NBYTES (64u << 20) /* of a fixed */
#define STOA_AVRO_MAX_BRANCHES     1024u /* of a union; their names are compared with each other */
#define STOA_AVRO_MAX_NAMES_NBYTES (16u << 20) /* of namespaces, in front of every name again */

enum stoa_avro_kind {
    STOA_AVRO_NULL,
    STOA_AVRO_BOOLEAN,
    STOA_AVRO_INT,
    STOA_AVRO_LONG,
    STOA_AVRO_FLOAT,
    STOA_AVRO_DOUBLE,
    STOA_AVRO_BYTES,
    STOA_AVRO_STRING, /* the last of those that are told by their name alone */
    STOA_AVRO_RECORD,
    STOA_AVRO_ENUM,
    STOA_AVRO_FIXED, /* record, enum and fixed have names */
    STOA_AVRO_ARRAY,
    STOA_AVRO_MAP,
    STOA_AVRO_UNION,
};
#define STOA_AVRO_NKINDS (STOA_AVRO_UNION + 1)

/* What "logicalType" says, where it is one of these and goes with the type; else NONE. */
enum stoa_avro_logical {
    STOA_AVRO_LOGICAL_NONE,
    STOA_AVRO_DECIMAL,     /* bytes or fixed: precision > 0, 0 <= scale <= precision */
    STOA_AVRO_BIG_DECIMAL, /* bytes */
    STOA_AVRO_UUID,        /* string or fixed(16) */
    STOA_AVRO_DATE,        /* int */
    STOA_AVRO_TIME_MILLIS, /* int */
    STOA_AVRO_TIME_MICROS, /* long, as all that follow up to: */
    STOA_AVRO_TIMESTAMP_MILLIS,
    STOA_AVRO_TIMESTAMP_MICROS,
    STOA_AVRO_TIMESTAMP_NANOS,
    STOA_AVRO_LOCAL_TIMESTAMP_MILLIS,
    STOA_AVRO_LOCAL_TIMESTAMP_MICROS,
    STOA_AVRO_LOCAL_TIMESTAMP_NANOS,
    STOA_AVRO_DURATION,  /* fixed(12) */
    STOA_AVRO_ENTRY_MAP, /* "map" on an array of records of key and value (Iceberg) */
};

enum stoa_avro_order { STOA_AVRO_ASCENDING, STOA_AVRO_DESCENDING, STOA_AVRO_IGNORE };

struct stoa_avro_type;

/* A custom attribute; the value is compact JSON text. */
struct stoa_avro_attribute {
    const char *key;
    const char *json;
};

struct stoa_avro_attributes {
    struct stoa_avro_attribute *items;
    size_t nitems;
};

struct stoa_avro_names {
    const char **items;
    size_t nitems;
};

struct stoa_avro_field {
    const char *name;
    const char *doc; /* NULL: none */
    struct stoa_avro_names aliases;
    const char *default_json; /* compact JSON text; NULL: there is no default */
    enum stoa_avro_order order;
    struct stoa_avro_type *type;
    struct stoa_avro_attributes attributes;
};

struct stoa_avro_type {
    enum stoa_avro_kind kind;
    enum stoa_avro_logical logical;
    bool is_error;     /* a record that was declared as an "error" */
    bool is_recursive; /* a value may hold, at some depth, a value of this type */
    uint32_t index;    /* in `types` of the schema */
    uint32_t depth;    /* 1 + that of the deepest part; of a use of itself 1 */
    const char *name;  /* record, enum, fixed: full, "city.trip"; may be "" in foreign files */
    const char *doc;   /* of those, NULL: none */
    struct stoa_avro_names aliases; /* of those: full names */
    struct stoa_avro_field *fields; /* record */
    size_t nfields;
    struct stoa_avro_names symbols;   /* enum */
    const char *default_symbol;       /* enum; NULL: none */
    struct stoa_avro_type **branches; /* union */
    size_t nbranches;
    struct stoa_avro_type *items; /* array: of items; map: of values */
    uint32_t size;                /* fixed: bytes */
    uint32_t precision, scale;    /* DECIMAL */
    struct stoa_avro_attributes attributes;
};

struct stoa_avro_memory;

/* `{0}` is empty; stoa_avro_schema_reset() empties it again. */
struct stoa_avro_schema {
    struct stoa_avro_type *root;
    struct stoa_avro_type **types; /* all of them, each once */
    size_t ntypes;
    size_t types_capacity;
    size_t nbytes; /* of the document that it was read from; 0: it was made */
    struct stoa_avro_memory *memory;
};

void stoa_avro_schema_reset(struct stoa_avro_schema *schema);

/* ---- Making types (avro_type.c) ---- */

/* count * size zeroed bytes that live as long as the schema. */
STOA_CHECK enum stoa_status stoa_avro_alloc(struct stoa_avro_schema *schema, void *out,
                                            size_t count, size_t size, struct stoa_error *err);

/* A terminated copy that lives as long. */
STOA_CHECK enum stoa_status stoa_avro_strndup(struct stoa_avro_schema *schema, const char **out,
                                              const char *text, size_t nbytes,
                                              struct stoa_error *err);

/* A new type of that kind with nothing else, of depth 1. */
STOA_CHECK enum stoa_status stoa_avro_type_new(struct stoa_avro_schema *schema,
                                               enum stoa_avro_kind kind,
                                               struct stoa_avro_type **out, struct stoa_error *err);

/* Appends an attribute; both texts are copied, `json` is nbytes long. */
STOA_CHECK enum stoa_status stoa_avro_attribute_add(struct stoa_avro_schema *schema,
                                                    struct stoa_avro_attributes *attributes,
                                                    const char *key, const char *json,
                                                    size_t nbytes, struct stoa_error *err);

/* The JSON text of an attribute, or NULL. */
const char *stoa_avro_attribute(const struct stoa_avro_attributes *attributes, const char *key);

/*
 * Gives a type a logical type with its attributes, precision and scale for DECIMAL alone. The two
 * must go together.
 */
STOA_CHECK enum stoa_status stoa_avro_set_logical(struct stoa_avro_schema *schema,
                                                  struct stoa_avro_type *type,
                                                  enum stoa_avro_logical logical,
                                                  uint32_t precision, uint32_t scale,
                                                  struct stoa_error *err);

/* ---- Questions ---- */

/* "null" ... "union"; of a logical type the text of "logicalType", NULL for NONE. */
const char *stoa_avro_kind_name(enum stoa_avro_kind kind);
const char *stoa_avro_logical_name(enum stoa_avro_logical logical);

/* The logical type of that name, if it goes with the type as it is; else NONE. */
enum stoa_avro_logical stoa_avro_logical_find(const struct stoa_avro_type *type, const char *name);

static inline bool stoa_avro_is_named(enum stoa_avro_kind kind)
{
    return kind == STOA_AVRO_RECORD || kind == STOA_AVRO_ENUM || kind == STOA_AVRO_FIXED;
}

/* The simple name in a full one: "trip" of "city.trip". */
const char *stoa_avro_simple_name(const char *name);

/* How a union calls a branch: the full name of a named type, else that of its kind. */
const char *stoa_avro_branch_name(const struct stoa_avro_type *type);

/* Whether a text is a name as Avro has them: [A-Za-z_][A-Za-z0-9_]*; of full names each part. */
bool stoa_avro_name_is_valid(const char *name, size_t nbytes);
bool stoa_avro_fullname_is_valid(const char *name);

/*
 * The branches of a union that is a nullable value, [null, T] or [T, null]: that of T, with
 * *null_first for the order; NULL for any other type.
 */
const struct stoa_avro_type *stoa_avro_nullable(const struct stoa_avro_type *type,
                                                bool *null_first);

/* ---- Documents ---- */

/*
 * Reads a schema as foreign programs write them: names need not be valid, "name" may be empty, and
 * a logical type that does not go with its type is ignored (spec/avro.md, "Schemas").
 * stoa_avro_schema_check() is what a strict reader calls behind it. *schema is overwritten.
 * STOA_ERR_DATA names the place by fields: "schema: field a.b: there is no type \"intt\"";
 * STOA_ERR_LIMIT; STOA_ERR_NOMEM. avro_schema_read.c
 */
STOA_CHECK enum stoa_status stoa_avro_schema_parse(const char *text, size_t nbytes,
                                                   struct stoa_avro_schema *schema,
                                                   struct stoa_error *err);

/*
 * Whether a schema keeps all rules of Avro 1.12 for names, unions, symbols and fields: what we
 * write must. STOA_ERR_USAGE names the place. avro_schema_check.c
 */
STOA_CHECK enum stoa_status stoa_avro_schema_check(const struct stoa_avro_schema *schema,
                                                   struct stoa_error *err);

/* Appends the document of a schema that passes the check, compact, everything in it. Reads back as
 * the same. avro_schema_write.c */
STOA_CHECK enum stoa_status stoa_avro_schema_print(const struct stoa_avro_schema *schema,
                                                   struct stoa_buffer *out, struct stoa_error *err);

/* Appends the Parsing Canonical Form. avro_canonical.c */
STOA_CHECK enum stoa_status stoa_avro_canonical(const struct stoa_avro_schema *schema,
                                                struct stoa_buffer *out, struct stoa_error *err);

/* ---- Fingerprints of a canonical form (avro_fingerprint.c) ---- */

enum {
    STOA_AVRO_MD5_NBYTES = 16,
    STOA_AVRO_SHA256_NBYTES = 32,
};

/* CRC-64-AVRO: the number whose little-endian bytes stand in a single-object encoding. */
uint64_t stoa_avro_crc64(const void *bytes, size_t nbytes);
void stoa_avro_md5(const void *bytes, size_t nbytes, uint8_t out[STOA_AVRO_MD5_NBYTES]);
void stoa_avro_sha256(const void *bytes, size_t nbytes, uint8_t out[STOA_AVRO_SHA256_NBYTES]);

#endif
