/*
 * CSV read from end to end by one thread: schema and rows as text that a test can compare.
 */
#ifndef STOA_TESTS_SUPPORT_CSV_ROWS_H
#define STOA_TESTS_SUPPORT_CSV_ROWS_H

#include "csv/csv.h"

/* "id int64, name utf8"; not nullable columns end in " not null". stoa_free() it. */
char *stoa_test_schema_text(const struct stoa_schema *schema);

/* The inverse, columns nullable. Asserts that the text is right. */
void stoa_test_schema_parse(const char *text, struct stoa_schema *out);

/*
 * Reads files: all units in order, joined into one batch. `schema` NULL: inferred into *inferred,
 * which the caller resets in any case; else *inferred is not used. stoa_batch_reset() the batch
 * before the schema.
 */
STOA_CHECK enum stoa_status stoa_test_csv_read(const char *const *paths, size_t npaths,
                                               const struct stoa_csv_options *options,
                                               const struct stoa_schema *schema,
                                               struct stoa_schema *inferred, struct stoa_batch *out,
                                               struct stoa_error *err);

/* All units of an open source, in order, as one batch. */
STOA_CHECK enum stoa_status stoa_test_drain(struct stoa_batch_source *source,
                                            struct stoa_batch *out, struct stoa_error *err);

/* The rows as JSON lines, terminated; stoa_free() them. */
char *stoa_test_rows_text(const struct stoa_batch *batch);

#endif
