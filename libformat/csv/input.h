/*
 * The inputs of one conversion: opened once or twice, looked at, then read through. An archive has
 * several texts, each of them a table with a header.
 */
#ifndef STOA_CSV_INPUT_H
#define STOA_CSV_INPUT_H

#include "base/alloc.h"
#include "csv/csv.h"
#include "csv/digest.h"

struct stoa_csv_input {
    char *path;
    char *name;                   /* for messages, printable; of the text that was looked at last */
    size_t file_nbytes;           /* of the name: the input itself, in front of ":MEMBER" */
    bool once;                    /* no regular file: what was read can't be read again */
    struct stoa_members *members; /* once it is read, or when that can't be begun again, or it came
                                     opened */
    struct stoa_stream *stream;   /* the first of them, of an input that was looked at and can't
                                     be read again */
    const char *wanted;           /* the encoding of all inputs */
    const char *encoding;         /* of the text below, once it was opened */
    bool byte_order_mark;         /* it begins with one */
    bool is_archive;              /* more texts may follow the first one; once that was looked at */
    struct stoa_buffer head;      /* its first bytes */
    struct stoa_csv_digest digest; /* of the bytes below the encoding, once they were read */
};

struct stoa_csv_inputs {
    char *encoding; /* of all inputs; NULL: each tells its own */
    struct stoa_csv_input *items;
    size_t nitems;
    uint64_t total_nbytes; /* of the regular files as stored */
    bool all_regular;
};

/*
 * The first bytes of the first text, decompressed and in UTF-8, at least want_nbytes unless it is
 * shorter (*whole). The buffer is the caller's to free; the input can still be read from its
 * beginning.
 */
STOA_CHECK enum stoa_status stoa_csv_input_peek(struct stoa_csv_input *input, size_t want_nbytes,
                                                struct stoa_buffer *out, bool *whole,
                                                struct stoa_error *err);

/* What member of the input a text of this name is, or NULL. */
const char *stoa_csv_input_member(const struct stoa_csv_input *input, const char *name);

/*
 * The next text of the input, from its beginning: first *head, then *stream, which the caller
 * closes before the next call. NULL behind the last one; a regular file can then be read again.
 * Not after an error.
 */
STOA_CHECK enum stoa_status stoa_csv_input_next(struct stoa_csv_input *input,
                                                struct stoa_stream **stream,
                                                struct stoa_buffer *head, struct stoa_error *err);

#endif
