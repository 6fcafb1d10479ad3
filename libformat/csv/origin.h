/*
 * What is gathered of one input for its entry among the sources of a file (stoa/source_text.h).
 */
#ifndef STOA_CSV_ORIGIN_H
#define STOA_CSV_ORIGIN_H

#include "csv/csv_unit.h"
#include "csv/cut.h"
#include "csv/input.h"
#include "csv/notes.h"
#include "csv/record.h"

struct stoa_csv_origin {
    /* Whoever cuts the input: */
    bool begun;
    struct stoa_bytes head;
    char line_end[2]; /* the first one behind the head */
    uint8_t line_end_nbytes;
    struct stoa_bytes patches;
    const char *encoding; /* NULL: UTF-8 */
    bool is_exact;        /* encoding the text again gives the input */
    struct stoa_csv_digest digest;

    /* Accepting, in order: */
    uint64_t nrows;
    struct stoa_buffer gap; /* behind the last row so far */
    bool is_unended;
    bool is_cut; /* text of a record that was too large is missing */
};

void stoa_csv_origin_reset(struct stoa_csv_origin *origin);

/*
 * The first unit, or none, was cut: the text in front of it is the head. Before a row of it is
 * read.
 */
STOA_CHECK enum stoa_status stoa_csv_origin_begin(struct stoa_csv_origin *origin,
                                                  struct stoa_csv_cutter *cutter,
                                                  const struct stoa_csv_dialect *dialect,
                                                  const struct stoa_csv_text *first,
                                                  struct stoa_error *err);

/* The stream of the input is at its end, and still open. */
STOA_CHECK enum stoa_status stoa_csv_origin_end(struct stoa_csv_origin *origin,
                                                const struct stoa_stream *stream,
                                                const struct stoa_csv_digest *digest,
                                                struct stoa_error *err);

/* Takes note of a unit; in order. */
STOA_CHECK enum stoa_status stoa_csv_origin_accept(struct stoa_csv_origin *origin,
                                                   struct stoa_csv_notes *notes,
                                                   struct stoa_error *err);

/*
 * Fills in *out, which is `{0}`, for a text of that name and rows of nfields fields; on failure the
 * caller resets what it has got.
 */
STOA_CHECK enum stoa_status
stoa_csv_origin_describe(const struct stoa_csv_origin *origin, const char *name,
                         const struct stoa_csv_options *options,
                         const struct stoa_csv_layout *layout, uint32_t nfields, uint64_t first_row,
                         struct stoa_source_info *out, struct stoa_error *err);

#endif
