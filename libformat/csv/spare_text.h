/*
 * Memory of texts that were read, kept for the texts to come.
 *
 * The system hands out fresh memory page by page, each of them filled with zeros first: that takes
 * longer than reading a file into it. A source goes through one text after the other of much the
 * same size, so a few blocks of memory that go round are enough.
 */
#ifndef STOA_CSV_SPARE_TEXT_H
#define STOA_CSV_SPARE_TEXT_H

#include <pthread.h>

#include "base/alloc.h"

#define STOA_CSV_MAX_SPARES 8

/* Any thread, at any time. */
struct stoa_csv_spares {
    pthread_mutex_t mutex;
    struct stoa_buffer items[STOA_CSV_MAX_SPARES]; /* nbytes: what was ever written of the block */
    size_t nitems;
    uint64_t nbytes; /* of all of them */
    uint64_t max_nbytes;
};

/* What is kept takes at most max_nbytes of memory. */
void stoa_csv_spares_init(struct stoa_csv_spares *spares, uint64_t max_nbytes);
void stoa_csv_spares_reset(struct stoa_csv_spares *spares);

/*
 * Takes the largest block out, with its nbytes; an empty buffer when there is none. `spares` may be
 * NULL, then there never is.
 */
struct stoa_buffer stoa_csv_spares_take(struct stoa_csv_spares *spares);

/*
 * Keeps a block, of which block.nbytes were ever written, or frees it where it would be too much
 * beside the others and `beside_nbytes` more. Of too many blocks the largest ones are kept.
 */
void stoa_csv_spares_give(struct stoa_csv_spares *spares, struct stoa_buffer block,
                          uint64_t beside_nbytes);

/* Memory that the blocks take once a text of at most text_nbytes was read into the next one. */
uint64_t stoa_csv_spares_nbytes(struct stoa_csv_spares *spares, uint64_t text_nbytes);

#endif
