/*
 * Rows of a batch as records of CSV: values, separators and line ends, in UTF-8.
 */
#ifndef STOA_CSV_CSV_CELL_H
#define STOA_CSV_CSV_CELL_H

#include <stoa/array.h>
#include <stoa/csv.h>

#include "base/alloc.h"

/* What the options say once they are checked, in the form that loops want. */
struct stoa_csv_style {
    char delimiter;
    enum stoa_csv_quoting quoting;
    const char *null_text; /* borrowed */
    size_t null_nbytes;
    const char *line_end;
    size_t line_end_nbytes;
    bool safe_spreadsheet;
    const char *encoding; /* NULL: UTF-8; borrowed */
};

/*
 * Appends rows [begin, end) of a batch whose columns all have a text form. STOA_ERR_DATA with
 * STOA_CSV_QUOTE_NONE for a value that can't do without quotes: the message names column and value,
 * err->offset is the row of the batch.
 */
STOA_CHECK enum stoa_status stoa_csv_append_rows(const struct stoa_csv_style *style,
                                                 const struct stoa_batch *batch, size_t begin,
                                                 size_t end, struct stoa_buffer *out,
                                                 struct stoa_error *err);

/* Appends the names of the columns as a record; STOA_ERR_DATA as above. */
STOA_CHECK enum stoa_status stoa_csv_append_names(const struct stoa_csv_style *style,
                                                  const struct stoa_schema *schema,
                                                  struct stoa_buffer *out, struct stoa_error *err);

#endif
