/*
 * Choosing a plan for a column by encoding samples of it.
 *
 * The sample is eight runs of 1,024 consecutive values (never single values far apart: that hides
 * runs and order), encoded with each plan that is left in the race after a round with a quarter of
 * it; the least cost wins, which is final bytes and a part of those that a reader must decompress;
 * of plans within one percent it is the one that decodes faster.
 */
#ifndef STOA_CODEC_CHOOSER_H
#define STOA_CODEC_CHOOSER_H

#include "codec/page.h"

struct stoa_choice {
    struct stoa_plan plan;
    uint64_t nbytes; /* estimate for all of `values` */
    uint64_t cost;   /* the same, and what its decompression counts for: what is compared */
};

/*
 * How many 256ths of a byte each byte that a reader has to decompress counts for; 0, as for a new
 * encoder, looks for the fewest bytes. From 256 on nothing is compressed, nor tried.
 */
void stoa_encoder_set_inflate_cost(struct stoa_encoder *encoder, unsigned inflate_cost);

/*
 * The best plan for `values` (null slots filled) without a dictionary; for U32 codes of a
 * dictionary with `codes` set, the best plan below a DICT root, root included.
 * A function of the values and the level alone. Cost: about 10 * 8,192 values encoded.
 */
STOA_CHECK enum stoa_status stoa_chooser_choose(struct stoa_encoder *encoder,
                                                const struct stoa_vector *values, bool codes,
                                                struct stoa_choice *out, struct stoa_error *err);

#endif
