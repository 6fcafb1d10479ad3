/*
 * Rows as avro_decode.c reads them, for the fields that most tables are made of: the operations of
 * a program bound to the columns, so that a row is one pass over a short list, with one look at the
 * bytes that are left and one more for each text.
 *
 * Whatever else a row has is left to the caller, one operation at a time; so is a row that is not
 * surely whole, or has something wrong.
 */
#ifndef STOA_AVRO_AVRO_DECODE_FLAT_H
#define STOA_AVRO_AVRO_DECODE_FLAT_H

#include "avro/avro_program.h"

/*
 * Runs one operation of a row, with its body, from `at` on, and returns what is behind; NULL: it
 * fails. `row` is where it stands in the columns, of which others may lack rows meanwhile.
 */
typedef const uint8_t *stoa_avro_read_other(void *context, const struct stoa_avro_op *op,
                                            size_t row, const uint8_t *at);

/*
 * Reads up to nrows rows, for which the columns have room, from `*at` on, and puts what is behind
 * them there; stops in front of a row that has to be read in the general way, one that begins near
 * `end` among them. *done is how many there were; all columns have these and no more.
 * STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_avro_decode_flat(const struct stoa_avro_program *program,
                                                  struct stoa_avro_columns *columns,
                                                  const uint8_t **at, const uint8_t *end,
                                                  size_t nrows, stoa_avro_read_other *read_other,
                                                  void *context, size_t *done,
                                                  struct stoa_error *err);

#endif
