/*
 * Columns that grow while rows are decoded: a flat list of builders, one a node of the schema.
 *
 *     struct<a:int32, b:list<utf8>>      node  0 struct  1 a  2 b  3 item
 *                                        nnodes   4      1    2    1
 *                                        level    0      0    0    1
 *
 * Nodes stand depth first, so that a value with all its parts is a run of nodes. The level of a
 * node is how many lists it is below; nodes of one level within a run have the same number of
 * values. So a null struct is a null in each node of the run that is on its level, in one flat
 * loop.
 *
 * A struct is kept as its validity alone, a list as offsets: `nbytes` of its builder counts values
 * of the child. One thread at a time.
 */
#ifndef STOA_AVRO_AVRO_COLUMNS_H
#define STOA_AVRO_AVRO_COLUMNS_H

#include "column/builder.h"

struct stoa_avro_column {
    struct stoa_builder builder;
    const struct stoa_field *field;
    uint32_t nnodes; /* of the field with all that is below it */
    uint32_t level;
    uint64_t value_nbytes; /* that a value takes, a null too, with what is on its level below it */
};

struct stoa_avro_columns {
    struct stoa_avro_column *items;
    uint32_t nitems;
};

/* Empty columns of the schema, which is borrowed and has no fixed_list. {0} on failure. */
STOA_CHECK enum stoa_status stoa_avro_columns_init(struct stoa_avro_columns *columns,
                                                   const struct stoa_schema *schema,
                                                   struct stoa_error *err);
void stoa_avro_columns_reset(struct stoa_avro_columns *columns);

/* Room for nvalues more values in the nodes of a run that are on the level of its first. */
STOA_CHECK enum stoa_status stoa_avro_columns_reserve(struct stoa_avro_column *first,
                                                      uint32_t nnodes, size_t nvalues,
                                                      struct stoa_error *err);

/* Whether a column has text or bytes of its own, which room is made for by itself. */
bool stoa_avro_column_has_text(const struct stoa_avro_column *column);

/* A null in `first` and in all below it that is on its level; room is there. */
void stoa_avro_columns_append_null(struct stoa_avro_column *first);

/* Takes values off until all columns have nrows of them: a row that was begun is gone. */
void stoa_avro_columns_truncate(struct stoa_avro_columns *columns, size_t nrows);

/* Bytes in the columns, about. */
uint64_t stoa_avro_columns_nbytes(const struct stoa_avro_columns *columns);

/*
 * Hands the rows over as a batch of the schema, which is initialised; the columns are empty then,
 * and may be used on.
 */
STOA_CHECK enum stoa_status stoa_avro_columns_finish(struct stoa_avro_columns *columns,
                                                     size_t nrows, struct stoa_batch *out,
                                                     struct stoa_error *err);

#endif
