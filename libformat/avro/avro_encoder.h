/*
 * Encoders: a schema of Avro and the columns that are written with it, compiled once to a flat list
 * of operations that put a row of them behind the one before.
 *
 *     {"type": "record", "name": "r", "fields": [       0  INT32                 a
 *       {"name": "a", "type": "int"},                   1  LIST, to 3            b
 *       {"name": "b", "type": {"type": "array",         2  BYTES, or null: 0, 2  b[]
 *         "items": ["null", "string"]}}]}
 *
 * What stands inside of an operation - items, members of a struct, branches - follows it, up to
 * `next`. A union of null and a type is no operation of its own but the two bytes that may stand in
 * front of each value. There are no rows in between: values go from the columns into the block.
 */
#ifndef STOA_AVRO_AVRO_ENCODER_H
#define STOA_AVRO_AVRO_ENCODER_H

#include <stoa/array.h>

#include "avro/avro_read.h"
#include "avro/avro_type.h"

enum stoa_avro_put {
    STOA_AVRO_PUT_NOTHING,
    STOA_AVRO_PUT_BOOL,
    STOA_AVRO_PUT_INT8,
    STOA_AVRO_PUT_INT16,
    STOA_AVRO_PUT_INT32,
    STOA_AVRO_PUT_INT64,
    STOA_AVRO_PUT_UINT8,
    STOA_AVRO_PUT_UINT16,
    STOA_AVRO_PUT_UINT32,   /* an enum, too */
    STOA_AVRO_PUT_UINT64,   /* as a decimal */
    STOA_AVRO_PUT_MILLIS32, /* seconds as milliseconds, in 32 bits */
    STOA_AVRO_PUT_MILLIS64,
    STOA_AVRO_PUT_FLOAT16, /* as float */
    STOA_AVRO_PUT_FLOAT32,
    STOA_AVRO_PUT_FLOAT64,
    STOA_AVRO_PUT_BYTES,
    STOA_AVRO_PUT_FIXED,       /* `width` bytes */
    STOA_AVRO_PUT_FIXED_BYTES, /* a value of any length that must have `width` bytes */
    STOA_AVRO_PUT_UUID,        /* as text */
    STOA_AVRO_PUT_SYMBOL,      /* an enum as text */
    STOA_AVRO_PUT_DECIMAL,     /* of `width` bytes in memory */
    STOA_AVRO_PUT_FIXED_DECIMAL,
    STOA_AVRO_PUT_DURATION,
    STOA_AVRO_PUT_JSON,       /* text that is a value of `type` */
    STOA_AVRO_PUT_STRUCT,     /* nothing but its members */
    STOA_AVRO_PUT_LIST,       /* of items, or a map's entries */
    STOA_AVRO_PUT_FIXED_LIST, /* `width` items */
    STOA_AVRO_PUT_UNION,      /* the branch that the tag says: one of those that follow */
    STOA_AVRO_PUT_BRANCH,     /* number `branch` of its union */
};

/* Where a value stands: a name below another place. */
struct stoa_avro_put_place {
    uint32_t parent; /* STOA_AVRO_NOWHERE: none */
    const char *name;
};
#define STOA_AVRO_NOWHERE UINT32_MAX

struct stoa_avro_put_op {
    uint8_t code;       /* enum stoa_avro_put */
    bool has_branch;    /* a byte stands in front of each value: */
    uint8_t null_byte;  /* of null, */
    uint8_t value_byte; /* and of all others */
    uint32_t node;      /* of the columns' schema */
    uint32_t next;      /* behind the body */
    uint32_t place;     /* for messages */
    uint32_t width;
    uint32_t branch; /* BRANCH: its number; UNION: that of null, STOA_AVRO_NOWHERE for none */
    const struct stoa_avro_type *type;
    const struct stoa_type *column;
};

/* Constant once it is made: any thread may use it. */
struct stoa_avro_encoder {
    struct stoa_avro_put_op *ops;
    size_t nops;
    size_t ops_capacity;
    struct stoa_avro_put_place *places;
    size_t nplaces;
    size_t places_capacity;
    struct stoa_schema_node *nodes;
    uint32_t nnodes;
};

/*
 * An encoder of rows of `columns` as values of the schema's root; both outlive it. The schema is
 * one that stoa_avro_make_schema() gave for these columns; STOA_ERR_USAGE names the first field
 * that it could not be.
 */
STOA_CHECK enum stoa_status stoa_avro_encoder_init(struct stoa_avro_encoder *encoder,
                                                   const struct stoa_avro_schema *schema,
                                                   const struct stoa_schema *columns,
                                                   struct stoa_error *err);
void stoa_avro_encoder_reset(struct stoa_avro_encoder *encoder);

/* ---- Running it (avro_encode.c) ---- */

/* Data of one block, not compressed: bytes in `bytes` of the rows behind those of the one before.
 */
struct stoa_avro_piece {
    size_t nbytes;
    uint64_t nrows;
    uint64_t nempty; /* rows and items that have no bytes, as STOA_AVRO_MAX_EMPTY counts them */
};

/* What readers take of one block, whatever its codec; of what has no bytes a quarter. */
#define STOA_AVRO_MAX_PIECE_NBYTES STOA_AVRO_MAX_ROW_NBYTES
#define STOA_AVRO_MAX_PIECE_EMPTY  (1u << 21)

/* Rows, cut into blocks. `{0}` is empty. */
struct stoa_avro_rows {
    struct stoa_buffer bytes;
    size_t begin; /* of the first piece in them */
    struct stoa_avro_piece *pieces;
    size_t npieces;
    size_t pieces_capacity;
};
void stoa_avro_rows_reset(struct stoa_avro_rows *rows);

/*
 * Puts the rows of a batch behind those that are there; a piece ends behind the row that brings it
 * to piece_nbytes or STOA_AVRO_MAX_PIECE_EMPTY, in front of one that would bring it above
 * STOA_AVRO_MAX_PIECE_NBYTES, and at the end. STOA_ERR_DATA: a value that the type does not hold,
 * which names the field; err->offset is its row. STOA_ERR_LIMIT: a row of more than
 * STOA_AVRO_MAX_ROW_NBYTES or STOA_AVRO_MAX_EMPTY_ITEMS, likewise. On failure *rows may hold some
 * of them. Cost: one pass, about 3 ns a value where no column has parts.
 */
STOA_CHECK enum stoa_status stoa_avro_encode(const struct stoa_avro_encoder *encoder,
                                             const struct stoa_batch *batch, size_t piece_nbytes,
                                             struct stoa_avro_rows *rows, struct stoa_error *err);

/*
 * Puts a number as Avro does: zigzag, 7 bits a byte, the lowest first. Up to 10 bytes; returns what
 * is behind them.
 */
static inline uint8_t *stoa_avro_put_long(uint8_t *at, int64_t value)
{
    uint64_t x = (uint64_t)value << 1;

    if (value < 0)
        x = ~x;
    while (x >= 0x80) {
        *at++ = (uint8_t)(x | 0x80);
        x >>= 7;
    }
    *at++ = (uint8_t)x;
    return at;
}

#endif
