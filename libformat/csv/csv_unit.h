/*
 * The text of one unit as rows.
 */
#ifndef STOA_CSV_CSV_UNIT_H
#define STOA_CSV_CSV_UNIT_H

#include "csv/cut.h"
#include "csv/index.h"
#include "csv/notes.h"
#include "csv/parse.h"
#include "csv/reject.h"

/* How the units of a source are read. Constant once it is made. */
struct stoa_csv_table {
    const struct stoa_schema *schema; /* of the rows; borrowed */
    struct stoa_csv_reading reading;
    struct stoa_csv_column *columns; /* one for each field of the schema */
    bool widens;     /* a value that is not of its inferred type is null, and kept in the notes */
    bool keeps_text; /* notes get what stands between the fields, too */
};

/* Where the columns of the rows stand in the text of one input. */
struct stoa_csv_layout {
    uint32_t *places;  /* for each field of the schema; STOA_CSV_NO_PLACE: it is null */
    uint32_t *columns; /* for each column of the text its number in the table; NULL: the same */
    uint32_t ncolumns; /* of the text, of which the rows have some */
    char *filename;    /* of the text, as a column may hold it; NULL: none does */
};

/*
 * The rows of a unit. STOA_ERR_DATA for the first record that is no row, or the first field that is
 * no value of its column, by position: it names line and column, but not the input; unless
 * `rejects` is not NULL: such records are left out then and added there. Errors of memory come
 * first. `notes` get how the columns were written that keep it, and more as the table says; NULL:
 * not wanted. Any thread.
 */
STOA_CHECK enum stoa_status
stoa_csv_unit_read(const struct stoa_csv_table *table, const struct stoa_csv_layout *layout,
                   const struct stoa_csv_text *text, struct stoa_rejects *rejects,
                   struct stoa_csv_notes *notes, struct stoa_batch *out, struct stoa_error *err);

#endif
