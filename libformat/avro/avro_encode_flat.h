/*
 * Rows whose columns have no parts, which is what most tables are: the operations of an encoder
 * bound to the arrays of a batch, so that a row is one pass over a short list, with one look at the
 * room that is left.
 */
#ifndef STOA_AVRO_AVRO_ENCODE_FLAT_H
#define STOA_AVRO_AVRO_ENCODE_FLAT_H

#include "avro/avro_encoder.h"

/* A column of the batch and what becomes of its values. */
struct stoa_avro_lane {
    const uint8_t *values;
    const int32_t *offsets;
    const uint8_t *validity; /* NULL: none is null, or null is nothing special */
    uint8_t code;            /* enum stoa_avro_put */
    uint8_t nbranch;         /* bytes in front of a value: */
    uint8_t value_byte;
    uint8_t null_byte;
    uint32_t width; /* of a decimal */
};

struct stoa_avro_flat {
    struct stoa_avro_lane *lanes; /* NULL: there are others than such columns */
    size_t nlanes;
    size_t row_nbytes; /* that must be free for a row without long texts */
};

/* nodes[i] is the array of node i of the encoder; it outlives *out. */
STOA_CHECK enum stoa_status stoa_avro_flat_init(const struct stoa_avro_encoder *encoder,
                                                const struct stoa_array *const *nodes,
                                                struct stoa_avro_flat *out, struct stoa_error *err);
void stoa_avro_flat_reset(struct stoa_avro_flat *flat);

/*
 * Puts rows [*row, last) at `at` until one ends at `full` or behind, and returns what is behind
 * them; *row is the first one that was not put. It also ends in front of a row that has to be put
 * in the general way: one that does not fit in front of `end`, with a long text, or with a value
 * that is refused. A row has at most nlanes times 32 KiB.
 */
uint8_t *stoa_avro_flat_put(const struct stoa_avro_flat *flat, size_t *row, size_t last,
                            uint8_t *at, const uint8_t *full, const uint8_t *end);

/* Bytes that the rows [0, nrows) have, or about as many. */
size_t stoa_avro_flat_guess(const struct stoa_avro_flat *flat, size_t nrows);

#endif
