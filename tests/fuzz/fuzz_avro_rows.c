/*
 * Rows without a file: text of a schema up to a zero byte, a byte with the framing and the number
 * of rows, and the rows. What is read can be written with that schema, and is read again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include <stoa/avro_rows.h>

#include "column/array.h"

enum { MAX_NBYTES = 1 << 14, MAX_NROWS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

static void write_and_read(const struct stoa_avro_row_reader *reader,
                           enum stoa_avro_framing framing, const struct stoa_batch *batch)
{
    struct stoa_avro_row_writer *writer;
    struct stoa_batch again;
    size_t ends[MAX_NROWS] = {0};
    uint8_t *bytes;
    enum stoa_status st =
        stoa_avro_row_writer_new(stoa_avro_row_reader_schema(reader), "t", framing, &writer, NULL);

    if (st != STOA_OK) /* names that can't be kept */
        return;
    st = stoa_avro_row_writer_write(writer, batch, &bytes, ends, NULL);
    must(st == STOA_OK || st == STOA_ERR_DATA);
    if (st == STOA_OK &&
        stoa_avro_row_writer_fingerprint(writer) == stoa_avro_row_reader_fingerprint(reader)) {
        must(stoa_avro_row_reader_read(reader, bytes, batch->nrows > 0 ? ends[batch->nrows - 1] : 0,
                                       batch->nrows, &again, NULL) == STOA_OK);
        must(stoa_batch_equal(batch, &again));
        stoa_batch_reset(&again);
    }
    if (st == STOA_OK)
        stoa_free(bytes);
    stoa_avro_row_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    const uint8_t *end = nbytes > 0 && nbytes <= MAX_NBYTES ? memchr(data, 0, nbytes) : NULL;
    struct stoa_avro_row_reader *reader;
    struct stoa_batch batch;
    enum stoa_avro_framing framing;
    size_t njson, nrows;
    enum stoa_status st;

    if (end == NULL || end + 1 == data + nbytes)
        return 0;
    njson = (size_t)(end - data);
    framing = end[1] & 1 ? STOA_AVRO_MESSAGES : STOA_AVRO_BARE;
    nrows = end[1] >> 1 & (MAX_NROWS - 1);
    st = stoa_avro_row_reader_new((const char *)data, njson, framing, &reader, NULL);
    must(st == STOA_OK || st == STOA_ERR_DATA || st == STOA_ERR_LIMIT);
    if (st != STOA_OK)
        return 0;
    st = stoa_avro_row_reader_read(reader, end + 2, nbytes - njson - 2, nrows, &batch, NULL);
    must(st == STOA_OK || st == STOA_ERR_DATA || st == STOA_ERR_LIMIT);
    if (st == STOA_OK) {
        write_and_read(reader, framing, &batch);
        stoa_batch_reset(&batch);
    }
    stoa_avro_row_reader_free(reader);
    return 0;
}
