/*
 * Resolution (spec/avro.md, "Resolution"): how values of a writer's schema, which is a file's,
 * become values of a reader's schema, which is what is wanted.
 *
 *     writer  {a: int, b: string, c: ["null", "long"]}       reader  {c: double, a: long, d = 7}
 *
 *     record --- a --> int to long                 reader's field 1
 *            --- b     passed over
 *            --- c --> branches --- null           no type of the reader's has it
 *                               --- long --> long to double       reader's field 0
 *            --- d     default 7
 *
 * A match is made once for each pair of types that meet, so it is a graph where types hold
 * themselves. A schema matches itself in such a way that nothing changes.
 *
 * Ownership: a resolution borrows both schemas. Once made it is constant: any thread may read it.
 */
#ifndef STOA_AVRO_AVRO_MATCH_H
#define STOA_AVRO_AVRO_MATCH_H

#include "avro/avro_type.h"

enum stoa_avro_action {
    STOA_AVRO_MATCH_VALUE,    /* has no parts: as it is, or promoted; of an enum with `targets` */
    STOA_AVRO_MATCH_RECORD,   /* parts and `targets` by the writer's fields, and defaults */
    STOA_AVRO_MATCH_ITEMS,    /* an array or a map: part 0 */
    STOA_AVRO_MATCH_BRANCHES, /* the writer has a union: parts by its branches */
    STOA_AVRO_MATCH_BRANCH,   /* the reader alone has one: its branch `which`, part 0 */
};

struct stoa_avro_match;

/* A field that the writer does not have. */
struct stoa_avro_default {
    uint32_t field;      /* the reader's */
    const uint8_t *data; /* the default, encoded, with STOA_AVRO_PADDING behind it */
    size_t nbytes;
    const struct stoa_avro_match *match; /* of the reader's type with itself */
};

#define STOA_AVRO_NO_TARGET UINT32_MAX

struct stoa_avro_match {
    const struct stoa_avro_type *writer, *reader;
    enum stoa_avro_action action;
    uint32_t which;
    uint32_t place;                 /* where it was met first */
    struct stoa_avro_match **parts; /* NULL: RECORD: passed over; BRANCHES: the reader has none */
    size_t nparts;
    uint32_t *targets; /* the reader's field of each of the writer's, or symbol; NO_TARGET: none */
    struct stoa_avro_default *defaults; /* RECORD */
    size_t ndefaults;
    size_t defaults_capacity;
};

/* Where a value stands: a name below another place. */
struct stoa_avro_place {
    uint32_t parent;   /* STOA_AVRO_NO_PLACE: none */
    const char *name;  /* in the file; NULL: it is not there */
    const char *other; /* what the reader's schema calls it */
};
#define STOA_AVRO_NO_PLACE UINT32_MAX

struct stoa_avro_places {
    struct stoa_avro_place *items;
    size_t nitems;
    size_t capacity;
};

/* {0} is empty. */
struct stoa_avro_resolution {
    struct stoa_avro_match *root;
    struct stoa_avro_match **matches; /* all of them */
    size_t nmatches;
    size_t matches_capacity;
    struct stoa_avro_places places;
};

/*
 * Resolves a writer's schema to a reader's; both outlive the resolution, and may be one.
 * STOA_ERR_DATA says which field can't be read as what the reader has, and where both have it:
 * "field a (b in the schema): a \"string\" of the file is no \"int\""; STOA_ERR_LIMIT;
 * STOA_ERR_NOMEM. What fits only by some branches of a writer's union is no error before a value
 * of another branch is met.
 */
STOA_CHECK enum stoa_status stoa_avro_resolve(struct stoa_avro_resolution *resolution,
                                              const struct stoa_avro_schema *writer,
                                              const struct stoa_avro_schema *reader,
                                              struct stoa_error *err);
void stoa_avro_resolution_reset(struct stoa_avro_resolution *resolution);

/* ---- Places ---- */

/* Appends a place; *at is its number. */
STOA_CHECK enum stoa_status stoa_avro_place_add(struct stoa_avro_places *places, uint32_t parent,
                                                const char *name, const char *other, uint32_t *at,
                                                struct stoa_error *err);

/*
 * "field a.b[]", "field a.b (a.c in the schema)" where the two call it differently, or "field a.c
 * of the schema" where the file has none; quoted, and
 * what does not fit into `out` is left out. Returns `out`.
 */
const char *stoa_avro_place_print(const struct stoa_avro_places *places, uint32_t place, char *out,
                                  size_t nout);

/* ---- Defaults (avro_default.c) ---- */

/*
 * Appends the default of a field that has one as a value of its type. *budget is taken from: the
 * bytes that are encoded, 16 more for each value, and the texts that are looked at, so it bounds
 * the time too. STOA_ERR_DATA: it is no value of the type; STOA_ERR_LIMIT.
 */
#define STOA_AVRO_MAX_DEFAULT_NBYTES (16u << 20)
STOA_CHECK enum stoa_status stoa_avro_default_encode(const struct stoa_avro_field *field,
                                                     uint32_t *budget, struct stoa_buffer *out,
                                                     struct stoa_error *err);

#endif
