/*
 * The data of one block, decompressed through a window that grows to the longest row.
 */
#ifndef STOA_AVRO_AVRO_BLOCK_H
#define STOA_AVRO_AVRO_BLOCK_H

#include <stoa/io.h>

#include "avro/avro_program.h"
#include "io/inflate.h"

/* How the data of blocks is compressed. */
struct stoa_avro_codec {
    const char *name;
    bool snappy;
    const struct stoa_compression *compression; /* NULL: none, or snappy */
};

/* The codec of a name; NULL when it is not known. */
const struct stoa_avro_codec *stoa_avro_codec_find(const char *name, size_t nbytes);

/* What a header tells of a block, and where it stands. */
struct stoa_avro_block {
    uint64_t number; /* in its file, from 0 */
    uint64_t begin;  /* of its head in the file */
    uint64_t offset; /* of its data in the file, decompressed where all of it was compressed */
    uint64_t nrows;
    uint64_t nbytes;    /* of its data as stored */
    uint64_t first_row; /* in the file */
};

/* `{0}`, then stoa_avro_data_begin() for each block, and in the end stoa_avro_data_reset(). */
struct stoa_avro_data {
    const struct stoa_avro_codec *codec;
    struct stoa_inflate *inflate;
    struct stoa_buffer window; /* with padding behind, of which `nbytes` does not tell */
    size_t begin;              /* of it is used */
    bool whole;                /* nothing follows the window */
    bool at_end;               /* of the compressed member */

    const uint8_t *in; /* stored bytes that were not looked at, in memory, */
    size_t nin;
    uint64_t nbehind; /* and more of them in a stream */
    struct stoa_stream *stream;
    struct stoa_buffer chunk;

    struct stoa_avro_block block;
    size_t max_row_nbytes;
    uint64_t nrows;  /* of it that were read */
    uint64_t nused;  /* bytes of data in front of the window's begin */
    uint64_t nempty; /* rows and items so far that have none */
};

/* Rows of a file that are longer are refused, unless more is asked for: */
#define STOA_AVRO_USUAL_ROW_NBYTES (32u << 20)

/*
 * Begins a block whose stored bytes are in memory, with STOA_AVRO_PADDING readable behind, or come
 * from the stream. A row of more than max_row_nbytes is refused; 0: STOA_AVRO_USUAL_ROW_NBYTES, and
 * never more than STOA_AVRO_MAX_DECODED_NBYTES.
 */
STOA_CHECK enum stoa_status
stoa_avro_data_begin(struct stoa_avro_data *data, const struct stoa_avro_codec *codec,
                     const struct stoa_avro_block *block, const uint8_t *bytes, size_t nbytes,
                     struct stoa_stream *stream, uint64_t max_row_nbytes, struct stoa_error *err);
void stoa_avro_data_reset(struct stoa_avro_data *data);

/*
 * Reads rows of the block into columns until it has no more, or there are max_nrows or max_nbytes
 * of them in the columns (a row more), or one of more than STOA_AVRO_USUAL_ROW_NBYTES, alone.
 * *done: the block is through, and was used up to its last byte. *nrows counts those that were
 * read, also when it fails. STOA_ERR_DATA: damaged, cut, or with bytes left over; STOA_ERR_LIMIT: a
 * row of more than max_row_nbytes. Messages begin with "block 3, at byte 1000: ".
 */
STOA_CHECK enum stoa_status
stoa_avro_data_read(struct stoa_avro_data *data, const struct stoa_avro_program *program,
                    struct stoa_avro_columns *columns, uint64_t max_nrows, uint64_t max_nbytes,
                    uint64_t *nrows, bool *done, struct stoa_error *err);

#endif
