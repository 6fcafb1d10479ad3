/*
 * Programs that use avro-c, and Stoa files: rows as avro_value_t into a writer, and out of a scan.
 * A library of its own beside libstoa, which is built where avro-c is found:
 *
 *     gcc program.c $(pkg-config --cflags --libs stoa-avro)
 *
 * Writing:
 *
 *     stoa_avro_appender_new(json, strlen(json), &appender, &err);
 *     stoa_writer_open(sink, stoa_avro_appender_schema(appender), NULL, &writer, &err);
 *     while (more rows)
 *         stoa_avro_append(appender, writer, &row, &err);
 *     stoa_avro_append_flush(appender, writer, &err);
 *     stoa_writer_finish(writer, &err);
 *
 * Reading:
 *
 *     stoa_avro_fetcher_new(stoa_scan_schema(scan), "row", &fetcher, &err);
 *     ... a value of the schema stoa_avro_fetcher_schema(fetcher) ...
 *     while (stoa_avro_fetch(fetcher, scan, &row, &more, &err) == STOA_OK && more)
 *         ... row ...
 *
 * Rows go over in Avro's binary encoding, so all types of Avro do: unions of any branches, nested
 * and recursive types, and logical types, of which avro-c sees the type beneath. The text of the
 * schema is kept in the file, and a scan of all its columns gives it back.
 *
 * Every function returns STOA_OK or fills *err, as in libstoa; what avro-c refuses is
 * STOA_ERR_DATA with its own words. One thread at a time for each object.
 */
#ifndef STOA_AVRO_BRIDGE_H
#define STOA_AVRO_BRIDGE_H

#include <avro.h>
#include <stoa.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- avro_value_t into a writer ---- */

struct stoa_avro_appender;

/*
 * For rows of a schema, JSON of nbytes bytes; it is given as text because avro-c forgets logical
 * types and attributes. Errors: those of stoa_avro_row_reader_new(), and a schema that avro-c does
 * not read.
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_appender_new(const char *json, size_t nbytes,
                                                            struct stoa_avro_appender **out,
                                                            struct stoa_error *err);
STOA_API void stoa_avro_appender_free(struct stoa_avro_appender *appender); /* NULL is fine */

/* The columns, to open a writer with; the appender's, which must outlive the writer. */
STOA_API const struct stoa_schema *
stoa_avro_appender_schema(const struct stoa_avro_appender *appender);

/*
 * Appends a row, which is borrowed. Rows are collected and handed to the writer 16,384 at a time,
 * or after 4 MiB; so an error may be that of a row before. STOA_ERR_DATA: a row that no column
 * holds; its number, from 1, counts all rows appended. It is left out: those in front of it are
 * with the writer, those behind it stay collected. STOA_ERR_USAGE: the row has another schema.
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_append(struct stoa_avro_appender *appender,
                                                      struct stoa_writer *writer, avro_value_t *row,
                                                      struct stoa_error *err);

/*
 * Hands over what was collected: before stoa_writer_finish(). After a row that is refused, another
 * call hands over those behind it; any other error drops what was collected.
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_append_flush(struct stoa_avro_appender *appender,
                                                            struct stoa_writer *writer,
                                                            struct stoa_error *err);

/* ---- Rows of a scan as avro_value_t ---- */

struct stoa_avro_fetcher;

/*
 * For rows of these columns, which must outlive it; `name` is that of the record where the columns
 * did not come from Avro. STOA_ERR_DATA: avro-c does not read the schema.
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_fetcher_new(const struct stoa_schema *columns,
                                                           const char *name,
                                                           struct stoa_avro_fetcher **out,
                                                           struct stoa_error *err);
STOA_API void stoa_avro_fetcher_free(struct stoa_avro_fetcher *fetcher); /* NULL is fine */

/* The schema of the rows, and its text; the fetcher's. */
STOA_API avro_schema_t stoa_avro_fetcher_schema(const struct stoa_avro_fetcher *fetcher);
STOA_API const char *stoa_avro_fetcher_json(const struct stoa_avro_fetcher *fetcher);

/*
 * The next row of the scan into *row, a value of that schema; *more is false behind the last one,
 * and *row as it was. After an error of the scan the next call tries the same rows again. A row
 * that Avro can't hold is an error with its number, from 1, behind the rows in front of it; that
 * error and STOA_ERR_NOMEM of making rows are those of every later call.
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_fetch(struct stoa_avro_fetcher *fetcher,
                                                     struct stoa_scan *scan, avro_value_t *row,
                                                     bool *more, struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
