/*
 * Stoa files as a source and as a sink of batches (column/source.h).
 */
#ifndef STOA_CONVERT_STOA_SIDE_H
#define STOA_CONVERT_STOA_SIDE_H

#include <stoa/scan.h>
#include <stoa/writer.h>

#include "column/source.h"

struct stoa_rules;

/* Rows of a file by their numbers, which rise. */
struct stoa_picked_rows {
    const uint64_t *rows; /* borrowed until close; NULL: all rows of all files */
    size_t nrows;
};

/*
 * Scans the files in order as one table; all must have the schema of the first. Columns by name
 * (NULL: all) and filter as in a scan: the batches hold selected rows only; or, of one file, the
 * rows that were picked.
 * STOA_ERR_USAGE: a file with another schema, by name; picked rows of several files.
 */
STOA_CHECK enum stoa_status stoa_scan_source_open(const char *const *paths, size_t npaths,
                                                  const struct stoa_scan_options *options,
                                                  struct stoa_picked_rows picked,
                                                  struct stoa_batch_source **out,
                                                  struct stoa_error *err);

/*
 * What such a source's rows are sorted by, in columns of its schema: the keys that its only file
 * claims, up to one that is left out; `{0}` where there are none, or several files.
 */
STOA_CHECK enum stoa_status stoa_scan_source_order(struct stoa_batch_source *source,
                                                   struct stoa_sort_order *out,
                                                   struct stoa_error *err);

/*
 * The columns, or parts of structs, in which some chunk of such a source's files has a Bloom
 * filter: *n names as stoa_writer_options has them, and the rate of the filter with the most
 * values. The names are the caller's: stoa_bloom_names_free().
 */
void stoa_bloom_names_free(char **names, uint32_t n);
STOA_CHECK enum stoa_status stoa_scan_source_blooms(struct stoa_batch_source *source, char ***names,
                                                    uint32_t *n, double *rate,
                                                    struct stoa_error *err);

/* About how many bytes of text and bytes the columns of a row group hold, and of lists. */
STOA_CHECK enum stoa_status stoa_measure_row_group(const struct stoa_schema *schema,
                                                   struct stoa_reader *reader, uint32_t row_group,
                                                   uint64_t *nbytes, struct stoa_error *err);

/*
 * The four steps of a writer to `sink`; all but the rules is borrowed. Of a conversion that has
 * `memory_nbytes` the data of the footer may take a STOA_FOOTER_SHARE of it.
 */
STOA_CHECK enum stoa_status
stoa_writer_sink_open(struct stoa_sink *sink, const struct stoa_schema *schema,
                      const struct stoa_writer_options *options, const struct stoa_rules *rules,
                      uint64_t memory_nbytes, struct stoa_batch_sink **out, struct stoa_error *err);

#endif
