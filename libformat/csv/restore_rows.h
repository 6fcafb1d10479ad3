/*
 * Rows of a Stoa file back as the text of their source (spec/csv.md, "Restore").
 */
#ifndef STOA_CSV_RESTORE_ROWS_H
#define STOA_CSV_RESTORE_ROWS_H

#include <stoa/source_text.h>

#include "base/alloc.h"
#include "csv/source_options.h"

/* Rows [begin, end) of a row group, which come from one source. */
struct stoa_csv_restore_rows {
    const struct stoa_batch *batch; /* the whole row group */
    const struct stoa_side *side;   /* of it; an empty one has no rows */
    const struct stoa_csv_source_dialect *dialect;
    size_t begin;
    size_t end;
    bool is_unended; /* the last of these rows has no line end */
};

/*
 * Appends the text of the rows to `out`. Errors: STOA_ERR_CORRUPT for a side table that does not
 * fit the columns, STOA_ERR_NOMEM. Any thread.
 * Cost: values are printed column by column in blocks, then put together row by row.
 */
STOA_CHECK enum stoa_status stoa_csv_restore_rows(const struct stoa_csv_restore_rows *rows,
                                                  struct stoa_buffer *out, struct stoa_error *err);

#endif
