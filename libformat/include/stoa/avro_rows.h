/*
 * Rows in Avro's binary encoding without a file around them: what messages, logs and the memory of
 * other programs have.
 *
 *     struct stoa_avro_row_reader *reader;
 *
 *     stoa_avro_row_reader_new(json, strlen(json), STOA_AVRO_MESSAGES, &reader, &err);
 *     stoa_avro_row_reader_read(reader, bytes, nbytes, 1, &batch, &err);
 *     ... batch has the schema stoa_avro_row_reader_schema(reader) ...
 *     stoa_batch_reset(&batch);
 *     stoa_avro_row_reader_free(reader);
 *
 * A message is a row in the single-object encoding (spec/avro.md, section 11): c3 01, the 8 bytes
 * of the CRC-64-AVRO of its schema, and the value. Readers and writers are constant once they are
 * made: any thread may use them.
 */
#ifndef STOA_AVRO_ROWS_H
#define STOA_AVRO_ROWS_H

#include <stoa/array.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What stands around each row. */
enum stoa_avro_framing {
    STOA_AVRO_BARE, /* nothing: one value is behind the other */
    STOA_AVRO_MESSAGES,
};

#define STOA_AVRO_MESSAGE_NBYTES 10 /* in front of the value of a message */

/*
 * The fingerprint of the schema that a message was written with; false when these are not the first
 * bytes of a message. Any thread.
 */
STOA_API bool stoa_avro_message_fingerprint(const void *bytes, size_t nbytes, uint64_t *out);

/* ---- Bytes to columns ---- */

struct stoa_avro_row_reader;

/*
 * A reader of rows of a schema: JSON of nbytes bytes, which is not kept. Errors: STOA_ERR_DATA and
 * STOA_ERR_LIMIT, as of the schema of a file.
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_row_reader_new(const char *json, size_t nbytes,
                                                              enum stoa_avro_framing framing,
                                                              struct stoa_avro_row_reader **out,
                                                              struct stoa_error *err);
STOA_API void stoa_avro_row_reader_free(struct stoa_avro_row_reader *reader); /* NULL is fine */

/* The columns, as those of a file with this schema, whose text is in the metadata; the reader's. */
STOA_API const struct stoa_schema *
stoa_avro_row_reader_schema(const struct stoa_avro_row_reader *reader);
STOA_API uint64_t stoa_avro_row_reader_fingerprint(const struct stoa_avro_row_reader *reader);

/*
 * Reads nrows rows that stand one behind the other and have nbytes bytes, not one more or less. The
 * batch is initialised with the reader's schema, which must outlive it; on failure it is left
 * alone. STOA_ERR_DATA: a value that is wrong, a message of another schema, other bytes than these
 * rows; the message names the row and the field, err->offset is where the row begins.
 * STOA_ERR_LIMIT: rows that become more than 1 GiB, or more than 2^23 rows (times columns) and
 * items that have no bytes. Cost: a copy of the bytes, and what reading a block costs.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_avro_row_reader_read(const struct stoa_avro_row_reader *reader, const void *bytes,
                          size_t nbytes, size_t nrows, struct stoa_batch *out,
                          struct stoa_error *err);

/* ---- Columns to bytes ---- */

struct stoa_avro_row_writer;

/*
 * A writer of rows of these columns, which must outlive it, with the schema that they have in a
 * file (stoa_avro_print_schema()). Errors: those of printing it.
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_row_writer_new(const struct stoa_schema *columns,
                                                              const char *name,
                                                              enum stoa_avro_framing framing,
                                                              struct stoa_avro_row_writer **out,
                                                              struct stoa_error *err);
STOA_API void stoa_avro_row_writer_free(struct stoa_avro_row_writer *writer); /* NULL is fine */

/* JSON of the schema that the rows have; the writer's. */
STOA_API const char *stoa_avro_row_writer_json(const struct stoa_avro_row_writer *writer);
STOA_API uint64_t stoa_avro_row_writer_fingerprint(const struct stoa_avro_row_writer *writer);

/*
 * The rows of a batch. Row i is the bytes from ends[i - 1], or 0, to ends[i] of *out, which is for
 * stoa_free(); `ends` has room for batch->nrows. STOA_ERR_DATA: a value that Avro does not hold,
 * with row and field, and the row, from 0, in err->offset; STOA_ERR_LIMIT: a row of more than 256
 * MiB.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_avro_row_writer_write(const struct stoa_avro_row_writer *writer,
                           const struct stoa_batch *batch, uint8_t **out, size_t *ends,
                           struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
