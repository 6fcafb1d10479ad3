/*
 * Cutting the text of one input into units of whole records.
 *
 * This is done in order, by one thread for one input: reading is, and finding the ends of records
 * costs less than a tenth of what parsing them does. The walk over a piece of text depends on
 * nothing but the text and one of a few states (csv/index_kernels.h), so pieces could be walked in
 * parallel from each of them; with two threads that only does the same work twice.
 */
#ifndef STOA_CSV_CUT_H
#define STOA_CSV_CUT_H

#include <stoa/csv.h>

#include "base/alloc.h"
#include "csv/record.h"
#include "csv/spare_text.h"

struct stoa_csv_kernels;

/* What is delivered of a record that is too large, unless one may have less. */
#define STOA_CSV_BEGINNING_NBYTES 10000

#define STOA_CSV_UNIT_NROWS  131072
#define STOA_CSV_UNIT_NBYTES (UINT64_C(32) << 20)

/* Consecutive records of one input; `text` is owned and has STOA_CSV_SLACK bytes behind it. */
struct stoa_csv_text {
    char *text;
    size_t nbytes;
    size_t capacity;       /* of the block that it stands in */
    size_t nwritten;       /* and how much of that was ever written */
    uint64_t nrecords;     /* blank lines and comments included */
    uint64_t line;         /* of its first byte, from 1 */
    uint64_t offset;       /* of its first byte in the decoded input */
    uint64_t large_nbytes; /* of a record that is too large, of which the text is the beginning; 0:
                              the records are whole */
};

struct stoa_csv_cutter {
    struct stoa_stream *stream;     /* borrowed */
    struct stoa_csv_spares *spares; /* where memory comes from; borrowed; NULL: it is new */
    struct stoa_csv_dialect dialect;
    const struct stoa_csv_kernels *kernels;
    uint32_t unit_nrows;
    uint64_t unit_nbytes;
    uint64_t max_record_nbytes;
    bool passes_large; /* set before the first unit: records that are too large end nothing */
    struct stoa_buffer buffer; /* what was read, with STOA_CSV_SLACK bytes behind it */
    size_t begin;              /* the bytes before were cut off */
    size_t nwritten;           /* of the buffer, at any time */
    uint64_t line;             /* of buffer.data[begin] */
    uint64_t offset;
    bool keeps_head;         /* set before the first look or unit: */
    struct stoa_buffer head; /* what was passed over so far, for stoa_csv_cutter_take_head() */
    bool started;            /* the byte order mark was looked for */
    bool ended;              /* the stream is at its end */
};

/*
 * Starts at the beginning of an input whose first bytes were read already (`head` is taken over and
 * emptied); the rest comes from `stream`.
 */
void stoa_csv_cutter_init(struct stoa_csv_cutter *cutter, struct stoa_stream *stream,
                          const struct stoa_csv_options *options, struct stoa_buffer *head);
void stoa_csv_cutter_reset(struct stoa_csv_cutter *cutter);

/* Hands over the text in front of the first unit, the byte order mark included; keeps no more. */
void stoa_csv_cutter_take_head(struct stoa_csv_cutter *cutter, struct stoa_buffer *out);

/*
 * Lends the text from here on with its slack, at least want_nbytes of it unless it ends before
 * (*whole), until the next call; a byte order mark is passed over. Nothing is cut off.
 */
STOA_CHECK enum stoa_status stoa_csv_cutter_look(struct stoa_csv_cutter *cutter, size_t want_nbytes,
                                                 const char **text, size_t *nbytes, bool *whole,
                                                 struct stoa_error *err);

/* Passes over nbytes bytes of the text that look() lent, which hold nlines line ends. */
STOA_CHECK enum stoa_status stoa_csv_cutter_skip(struct stoa_csv_cutter *cutter, size_t nbytes,
                                                 uint64_t nlines, struct stoa_error *err);

/*
 * The next unit: unit_nrows records, fewer before one that would take the text over unit_nbytes,
 * before one of more than max_record_nbytes, and at the end. out->text is NULL at the end. A quote
 * that never closes is delivered as it is, as the last record. A record of more than
 * max_record_nbytes is STOA_ERR_LIMIT, once all in front of it is delivered; or, with passes_large,
 * a unit of its own, of which the beginning is kept and the rest is passed over in bounded memory.
 * Other errors are those of the stream. All of them name the input.
 */
STOA_CHECK enum stoa_status stoa_csv_cutter_next(struct stoa_csv_cutter *cutter,
                                                 struct stoa_csv_text *out, struct stoa_error *err);

#endif
