/*
 * A compressed input taken apart: member by member, in order, into text or into pieces that any
 * thread can decode. One thread at a time, stoa_unpack_piece() aside.
 */
#ifndef STOA_IO_UNPACK_H
#define STOA_IO_UNPACK_H

#include <stoa/io.h>

#include "io/inflate.h"

struct stoa_unpack {
    struct stoa_stream *below;                  /* borrowed */
    const struct stoa_compression *compression; /* NULL: plain */
    struct stoa_inflate *inflate;
    struct stoa_buffer buffer; /* what was read from below, */
    size_t begin;              /* and is used up to here */
    bool at_end;               /* nothing follows it */
    bool in_member;
    bool one_member; /* one, without a look at its first bytes, and then the end */
    uint64_t nused;  /* compressed bytes: the place of buffer.data[begin] */
};

/* What is wrong with an input, for a message that names the text before it. */
enum stoa_unpack_fault {
    STOA_UNPACK_NONE,
    STOA_UNPACK_EARLY,    /* ends within a member */
    STOA_UNPACK_FOLLOWED, /* by something that is no member */
    STOA_UNPACK_DAMAGED,  /* *err holds what the decoder says */
    STOA_UNPACK_DECODER,  /* the same for limits and memory */
    STOA_UNPACK_BELOW,    /* *err is complete */
};

struct stoa_unpack_error {
    enum stoa_unpack_fault fault;
    uint64_t offset; /* in the compressed input */
    struct stoa_error err;
};

/*
 * Reads the first bytes and gets the decoder that they ask for, or expects one member of
 * `compression`, unless that is NULL.
 */
STOA_CHECK enum stoa_status stoa_unpack_init(struct stoa_unpack *unpack, struct stoa_stream *below,
                                             const struct stoa_compression *compression,
                                             struct stoa_error *err);
void stoa_unpack_reset(struct stoa_unpack *unpack);

/* Makes at least `want` bytes of input stand in the buffer, unless the end comes first. */
STOA_CHECK enum stoa_status stoa_unpack_fill(struct stoa_unpack *unpack, size_t want,
                                             struct stoa_error *err);

static inline size_t stoa_unpack_nbytes(const struct stoa_unpack *unpack)
{
    return unpack->buffer.nbytes - unpack->begin;
}

/*
 * Some text in order: 1..nbytes bytes, 0 at the end of a whole input. When it fails, *got bytes
 * in front of the fault are good to have.
 */
STOA_CHECK enum stoa_status stoa_unpack_text(struct stoa_unpack *unpack, uint8_t *out,
                                             size_t nbytes, size_t *got,
                                             struct stoa_unpack_error *error);

/*
 * The next piece, if there is one here of at most so many bytes and so much text: else piece->bytes
 * stays empty, and stoa_unpack_text() is to go on.
 */
STOA_CHECK enum stoa_status stoa_unpack_split(struct stoa_unpack *unpack, size_t max_nbytes,
                                              size_t max_text_nbytes,
                                              struct stoa_inflate_piece *piece,
                                              struct stoa_unpack_error *error);

/*
 * Appends the text of a piece to *text. `inflate` is a decoder of the compression; any thread.
 * error->offset counts from the beginning of piece->bytes.
 */
STOA_CHECK enum stoa_status stoa_unpack_piece(const struct stoa_compression *compression,
                                              struct stoa_inflate *inflate,
                                              const struct stoa_inflate_piece *piece,
                                              struct stoa_buffer *text,
                                              struct stoa_unpack_error *error);

/* The message: "NAME: gzip data ends early, after NTEXT bytes of text". Returns the status. */
enum stoa_status stoa_unpack_fail(const struct stoa_unpack *unpack,
                                  const struct stoa_unpack_error *error, uint64_t ntext,
                                  struct stoa_error *err);

#endif
