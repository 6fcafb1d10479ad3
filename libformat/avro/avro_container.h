/*
 * A container file, read in order from a stream, or from a source, in which it can also go on
 * elsewhere: its header, then one block after the other.
 *
 *     "Obj" 1 | metadata | 16 bytes of sync marker | block | block ...
 *     block: number of rows | size | data | the marker
 *
 *     STOA_TRY(stoa_avro_container_open(&file, stream, NULL, err));
 *     for (;;) {
 *         STOA_TRY(stoa_avro_container_next(&file, &block, &more, err));
 *         if (!more)
 *             break;
 *         STOA_TRY(stoa_avro_container_take(&file, &buffer, err));
 *     }
 *
 * Messages do not name the file, which who opened it does, unless `stream_failed`. One thread at a
 * time.
 */
#ifndef STOA_AVRO_AVRO_CONTAINER_H
#define STOA_AVRO_AVRO_CONTAINER_H

#include "avro/avro_block.h"

#define STOA_AVRO_MAX_HEADER_NBYTES (32u << 20)
#define STOA_AVRO_SYNC_NBYTES       16
#define STOA_AVRO_MAGIC             "Obj\x01"

/*
 * Rows of blocks together, counted up to 2^63 - 1, which each of the two has at most: heads may
 * claim as many, and no sum or number of a row may begin again at 0.
 */
static inline uint64_t stoa_avro_add_rows(uint64_t a, uint64_t b)
{
    return a < INT64_MAX - b ? a + b : INT64_MAX;
}

/* A pair of the metadata; both point into the header. */
struct stoa_avro_pair {
    const char *key;
    size_t key_nbytes;
    const uint8_t *value;
    size_t value_nbytes;
};

struct stoa_avro_container {
    struct stoa_stream payload; /* of the block that was begun, for stoa_avro_data_begin() */
    struct stoa_stream *stream; /* borrowed; NULL: `source` */
    struct stoa_source *source; /* likewise */
    bool checks_frames;         /* next() refuses a block without the marker behind it; a source */
    size_t ahead_nbytes;        /* to read at a time */
    struct stoa_buffer buffer;  /* what was read, */
    size_t begin;               /* and is used up to here */
    uint64_t offset;            /* of that place in the file */
    bool at_end;                /* nothing follows the buffer */
    bool stream_failed;         /* the error names the file already */

    struct stoa_buffer header; /* its metadata */
    struct stoa_avro_pair *pairs;
    size_t npairs;
    size_t pairs_capacity;
    const struct stoa_avro_codec *codec;
    const char *schema; /* its text */
    size_t schema_nbytes;
    uint8_t sync[STOA_AVRO_SYNC_NBYTES];

    uint64_t begun;     /* where the head of the last block stands, */
    uint64_t begun_row; /* and how many rows are in front of it */
    uint64_t nblocks;
    uint64_t nempty; /* blocks without rows and data, which are passed over */
    uint64_t nrows;  /* of the blocks so far */
    uint64_t left;   /* of the data of the block that was begun */
};

/*
 * Reads the header of a file, from the stream or the source, of which one is NULL. STOA_ERR_DATA:
 * it is none, is damaged, or has no schema; STOA_ERR_UNSUPPORTED: a codec that is not known;
 * STOA_ERR_LIMIT. Reset it in any case.
 */
STOA_CHECK enum stoa_status stoa_avro_container_open(struct stoa_avro_container *file,
                                                     struct stoa_stream *stream,
                                                     struct stoa_source *source,
                                                     struct stoa_error *err);
void stoa_avro_container_reset(struct stoa_avro_container *file);

/* The next block with rows or data; *more is false at the end of a file that was whole. */
STOA_CHECK enum stoa_status stoa_avro_container_next(struct stoa_avro_container *file,
                                                     struct stoa_avro_block *block, bool *more,
                                                     struct stoa_error *err);

/* Appends the data of the block, which was not begun otherwise, and compares the marker. */
STOA_CHECK enum stoa_status stoa_avro_container_take(struct stoa_avro_container *file,
                                                     struct stoa_buffer *out,
                                                     struct stoa_error *err);

/* Compares the marker behind a block whose data was read through `payload`. */
STOA_CHECK enum stoa_status stoa_avro_container_end_block(struct stoa_avro_container *file,
                                                          struct stoa_error *err);

/* ---- Of a source ---- */

/* Reads the data of the block anew, of which some or all was read. */
void stoa_avro_container_again(struct stoa_avro_container *file,
                               const struct stoa_avro_block *block);

/* Goes on behind the block, whose data is not read, and compares the marker. */
STOA_CHECK enum stoa_status stoa_avro_container_step(struct stoa_avro_container *file,
                                                     const struct stoa_avro_block *block,
                                                     struct stoa_error *err);

/* Goes on behind the marker of the block, which is there. */
void stoa_avro_container_pass(struct stoa_avro_container *file,
                              const struct stoa_avro_block *block);

/* What is left out of a file. */
struct stoa_avro_loss {
    uint64_t offset; /* of its first byte */
    uint64_t nbytes;
    uint64_t nblocks;   /* that begin in it, as far as can be told, one at least */
    uint64_t nrows;     /* of these, as their heads have it, */
    bool nrows_unknown; /* and of others, of which there is no telling */
};

/*
 * After next() failed by STOA_ERR_DATA with `checks_frames`: goes on at the next block that is
 * whole, or at the end of the file, and tells what is between. It is found by the marker: the next
 * one ends what is damaged, and of blocks that lead up to it by their sizes the last one is whole.
 * Later blocks and rows are counted as if those that can't be told did not exist. Cost: the bytes
 * up to that marker are read twice.
 */
STOA_CHECK enum stoa_status stoa_avro_container_recover(struct stoa_avro_container *file,
                                                        struct stoa_avro_loss *loss,
                                                        struct stoa_error *err);

#endif
