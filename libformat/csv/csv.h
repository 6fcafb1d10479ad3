/*
 * CSV as a source and a sink of batches (column/source.h).
 */
#ifndef STOA_CSV_CSV_H
#define STOA_CSV_CSV_H

#include <stoa/csv.h>

#include "column/source.h"

/*
 * Reads the inputs in order as one table.
 *
 * schema    what the header of each input must name, in order; copied. A value that its column's
 *           type can't hold exactly is STOA_ERR_DATA with file, line, column, value and type.
 * columns   which of them are delivered, in which order; NULL: all. The others are split but not
 *           parsed.
 * Units are cut as decisions of the format ask: records and bytes of text, never threads or memory;
 * prefetch() decompresses later inputs while an earlier one is being read.
 */
STOA_CHECK enum stoa_status stoa_csv_source_open(const char *const *paths, size_t npaths,
                                                 const struct stoa_csv_options *options,
                                                 const struct stoa_schema *schema,
                                                 const uint32_t *columns, uint32_t ncolumns,
                                                 struct stoa_batch_source **out,
                                                 struct stoa_error *err);

/* Writes to `sink` (borrowed): the header at once, batches in order. */
STOA_CHECK enum stoa_status stoa_csv_sink_open(struct stoa_sink *sink,
                                               const struct stoa_csv_options *options,
                                               const struct stoa_schema *schema,
                                               struct stoa_batch_sink **out,
                                               struct stoa_error *err);

#endif
