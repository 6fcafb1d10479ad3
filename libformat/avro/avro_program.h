/*
 * Programs: a schema of Avro compiled, once, to a flat list of operations that read a row into
 * columns (avro_columns.h).
 *
 *     {"type": "record", "name": "r", "fields": [          0  INT       column 0
 *       {"name": "a", "type": "int"},                      1  SKIP      long
 *       {"name": "b", "type": "long"},      (not wanted)   2  NULLABLE  column 1, to 4, null is 0
 *       {"name": "c", "type": ["null", "string"]}]}        3  STRING    column 1
 *
 * An operation that has a body - a list, a nullable value, a branch - stands in front of it, and
 * knows where it ends. What no column wants is passed over by its type, numbers and values of a
 * fixed size that stand side by side all at once. The columns are those of the reader's schema, the
 * operations stand in the order of the writer's.
 */
#ifndef STOA_AVRO_AVRO_PROGRAM_H
#define STOA_AVRO_AVRO_PROGRAM_H

#include "avro/avro_columns.h"
#include "avro/avro_mapping.h"
#include "avro/avro_match.h"

enum stoa_avro_code {
    STOA_AVRO_OP_VALUE,    /* of a way that has one column: `way` */
    STOA_AVRO_OP_STRUCT,   /* a struct that is not null; its parts follow */
    STOA_AVRO_OP_NULLABLE, /* a branch: null, or the body */
    STOA_AVRO_OP_UNION,    /* a branch: the body of one of the BRANCH operations that follow */
    STOA_AVRO_OP_BRANCH,   /* its body */
    STOA_AVRO_OP_MEMBER,   /* of a union's struct: tag `which`, the body, and null for the others */
    STOA_AVRO_OP_NULL,     /* null, of which nothing is stored */
    STOA_AVRO_OP_LIST,     /* blocks of items, each of which is the body */
    STOA_AVRO_OP_SKIP,     /* a value of `type` */
    STOA_AVRO_OP_SKIP_NUMBERS, /* of fields of record `type` from `which` on: nfields numbers, */
    STOA_AVRO_OP_SKIP_BYTES,   /* or nfields values that have nbytes together */
    STOA_AVRO_OP_DEFAULT,      /* the body reads what default `which` of `match` has */
    STOA_AVRO_OP_REFUSE,       /* a value of `type`, which the reader has no place for */
};

struct stoa_avro_op {
    uint8_t code;        /* enum stoa_avro_code */
    uint8_t way;         /* enum stoa_avro_way */
    uint8_t null_branch; /* NULLABLE: the number of null */
    uint32_t column;     /* node; of MEMBER its struct's */
    uint32_t next;       /* behind the body */
    uint32_t place;      /* for messages */
    uint32_t which;
    uint32_t nbranches;                /* UNION */
    uint32_t member;                   /* MEMBER: the node that has the value */
    uint32_t nfields;                  /* SKIP_NUMBERS, SKIP_BYTES; their places follow `place` */
    uint32_t nbytes;                   /* SKIP_BYTES */
    const struct stoa_avro_type *type; /* the writer's */
    const struct stoa_avro_match *match;
};

/* Constant once it is made: any thread may run it. */
struct stoa_avro_program {
    struct stoa_avro_op *ops;
    size_t nops;
    size_t ops_capacity;
    struct stoa_avro_places places;
    struct stoa_avro_resolution resolution;
};

/*
 * A program that reads values of the writer's schema as those of the reader's; the two may be one.
 * wanted[i] is the column that field i of the reader's root record goes to, STOA_AVRO_UNWANTED for
 * none; of a root that is no record there is one, 0. `columns` is the schema of all columns, in
 * their order; it and the schemas outlive the program. Errors: those of stoa_avro_resolve(), and
 * STOA_ERR_LIMIT for more than 2^20 operations.
 */
#define STOA_AVRO_UNWANTED UINT32_MAX
STOA_CHECK enum stoa_status
stoa_avro_program_init(struct stoa_avro_program *program, const struct stoa_avro_schema *writer,
                       const struct stoa_avro_schema *reader, const uint32_t *wanted,
                       const struct stoa_schema *columns, struct stoa_error *err);
void stoa_avro_program_reset(struct stoa_avro_program *program);

/* ---- Running it (avro_decode.c) ---- */

/* Bytes that may be read behind the input. */
#define STOA_AVRO_PADDING 64

/* The most that a row may have in columns. */
#define STOA_AVRO_MAX_DECODED_NBYTES (512u << 20)

/*
 * The most that has no bytes at all in a block or a call of a row reader: items, and rows, of which
 * one counts as many times as it has columns with all that is below them.
 */
#define STOA_AVRO_MAX_EMPTY (1u << 23)

/* What a call did. */
struct stoa_avro_decoded {
    size_t nrows;
    size_t nused;    /* bytes of these rows */
    uint32_t nempty; /* their items without bytes */
};

/*
 * Reads up to max_nrows rows from `bytes`, behind which STOA_AVRO_PADDING more can be read; fewer
 * where they become large. Where they end within a row, that one is left alone; with `whole`, when
 * nothing follows them, it is STOA_ERR_DATA. Columns and *decoded count whole rows in any case:
 * after an error those in front of the bad one. The message names the field and what is wrong,
 * err->offset is the place in `bytes`. STOA_ERR_LIMIT: empty items and fields, a row that is too
 * large, text of 2 GiB in a column.
 */
STOA_CHECK enum stoa_status stoa_avro_decode(const struct stoa_avro_program *program,
                                             struct stoa_avro_columns *columns,
                                             const uint8_t *bytes, size_t nbytes, bool whole,
                                             size_t max_nrows, struct stoa_avro_decoded *decoded,
                                             struct stoa_error *err);

/* What counts of decoded rows for STOA_AVRO_MAX_EMPTY, and the message of more than that. */
static inline uint64_t stoa_avro_count_nothing(const struct stoa_avro_columns *columns,
                                               const struct stoa_avro_decoded *decoded)
{
    const uint64_t row = columns->nitems > 0 ? columns->nitems : 1;

    return decoded->nempty + (decoded->nused == 0 ? row * decoded->nrows : 0);
}
enum stoa_status stoa_avro_fail_nothing(struct stoa_error *err);

#endif
