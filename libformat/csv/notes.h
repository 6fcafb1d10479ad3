/*
 * Notes of a unit: how the text of its rows was written, and what stood between them.
 *
 *     a,b\n        head of the source
 *     1,x\n
 *     # why\n      gap in front of the next row
 *     2,"y"\r\n    record: its line end, where another one is usual
 *     3\n          record, all of it: a field is missing
 *     \n           gap behind the last row: of the next unit's first, or the tail of the source
 */
#ifndef STOA_CSV_NOTES_H
#define STOA_CSV_NOTES_H

#include <stoa/source_text.h>

#include "column/source.h"
#include "csv/parse.h"
#include "csv/reject.h"
#include "csv/source_options.h"

/* Byte strings of some rows; the rows rise. `{0}` has none. */
struct stoa_csv_pieces {
    uint32_t *rows;
    size_t *ends; /* of each in `bytes`, where it begins at the end of the one before */
    size_t npieces;
    size_t rows_capacity;
    size_t ends_capacity;
    struct stoa_buffer bytes;
};

/* Adds a piece; bytes for the row of the last one are added to that. */
STOA_CHECK enum stoa_status stoa_csv_pieces_append(struct stoa_csv_pieces *pieces, uint32_t row,
                                                   const void *bytes, size_t nbytes,
                                                   struct stoa_error *err);
void stoa_csv_pieces_reset(struct stoa_csv_pieces *pieces);

/* Piece i. */
static inline const char *stoa_csv_piece(const struct stoa_csv_pieces *pieces, size_t i,
                                         size_t *nbytes)
{
    size_t begin = i > 0 ? pieces->ends[i - 1] : 0;

    *nbytes = pieces->ends[i] - begin;
    return (const char *)pieces->bytes.data + begin;
}

/* Whether a record of a row is its line end alone, and its fields tell the rest; not where they
   have a trailing delimiter. */
static inline bool stoa_csv_is_line_end(const char *text, size_t nbytes)
{
    return (nbytes == 1 && (*text == '\n' || *text == '\r')) ||
           (nbytes == 2 && text[0] == '\r' && text[1] == '\n');
}

struct stoa_csv_notes {
    struct stoa_notes base;
    void *owner; /* of the text that they are of; released with them */
    void (*release)(void *owner);
    uint32_t nrows;
    uint32_t ncolumns;
    char line_end[2]; /* the usual one, which records need not be kept for */
    uint8_t line_end_nbytes;
    bool is_unended;              /* the last row has no line end */
    bool is_cut;                  /* text is missing: a record was too large */
    struct stoa_csv_forms *forms; /* [ncolumns]; NULL: text is not kept */
    struct stoa_csv_pieces gaps;  /* in front of a row; of row nrows: behind the last */
    struct stoa_rejects rejects;
    struct stoa_csv_pieces records; /* whole records that the fields do not tell; or line ends */
    char **misfits; /* [ncolumns], or NULL: of each column the message about the first value that is
                       not of its type, and was kept as text alone; NULL for none */
};

/* Empty notes; keep_text: with forms. Release with base.free(). */
STOA_CHECK enum stoa_status stoa_csv_notes_new(uint32_t ncolumns, bool keep_text,
                                               struct stoa_csv_notes **out, struct stoa_error *err);

/* Counts the memory, once all is noted. */
void stoa_csv_notes_measure(struct stoa_csv_notes *notes);

/*
 * Takes the gap behind the last row out of the notes and adds it to *gap, which is first put in
 * front of the first row, if there is one. In the order of the units.
 */
STOA_CHECK enum stoa_status stoa_csv_notes_pass_gap(struct stoa_csv_notes *notes,
                                                    struct stoa_buffer *gap,
                                                    struct stoa_error *err);

/*
 * The side table of a row group whose rows are those of the notes, in order, and whose columns are
 * `batch`, of which `columns` are read with forms or not. *out is `{0}`, and stays so when nothing
 * is to be told.
 */
STOA_CHECK enum stoa_status stoa_csv_notes_side(struct stoa_notes *const *notes, size_t nnotes,
                                                const struct stoa_batch *batch,
                                                const struct stoa_csv_column *columns,
                                                const struct stoa_csv_reading *reading,
                                                struct stoa_side *out, struct stoa_error *err);

#endif
