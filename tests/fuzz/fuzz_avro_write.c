/*
 * Any bytes as an Avro file, and what is read of it as a file again: with the schema that it came
 * with it has the same values, with one that is made the same number of rows.
 */
#include <stdlib.h>
#include <string.h>

#include "avro/avro_container.h"
#include "avro/avro_source.h"
#include "column/schema.h"
#include "support/read_avro.h"
#include "support/write_avro.h"

enum { MAX_NBYTES = 1 << 14, MAX_NROWS = 1 << 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* The text of the writer's schema into the metadata of the columns; false when it can't stand
 * there. */
static bool keep_schema(const uint8_t *data, size_t nbytes, struct stoa_schema *schema)
{
    struct stoa_avro_container file = {0};
    struct stoa_stream *stream;
    char *text = NULL;
    bool kept;

    must(stoa_stream_open_memory(data, nbytes, "x", &stream, NULL) == STOA_OK);
    must(stoa_avro_container_open(&file, stream, NULL, NULL) == STOA_OK);
    kept = memchr(file.schema, 0, file.schema_nbytes) == NULL;
    if (kept) {
        must(stoa_strndup(&text, file.schema, file.schema_nbytes, NULL) == STOA_OK);
        kept =
            stoa_metadata_set(&schema->metadata, STOA_AVRO_METADATA_SCHEMA, text, NULL) == STOA_OK;
    }
    stoa_free(text);
    stoa_avro_container_reset(&file);
    stoa_stream_close(stream);
    return kept;
}

/* Writes the rows and reads them; what was read is the caller's to reset. */
static void write_and_read(const struct stoa_batch *batch, size_t batch_nrows, const char *codec,
                           struct stoa_test_avro *out)
{
    const struct stoa_avro_write_options options = {.codec = codec, .block_nbytes = 100};
    struct stoa_buffer file;

    must(stoa_test_write_avro(batch, batch_nrows, &options, &file, NULL) == STOA_OK);
    must(stoa_test_read_avro(file.data, file.nbytes, false, 0, out, NULL) == STOA_OK);
    must(out->batch.nrows == batch->nrows);
    stoa_buffer_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct stoa_test_avro first, again;

    if (nbytes > MAX_NBYTES ||
        stoa_test_read_avro(data, nbytes, false, 0, &first, NULL) != STOA_OK) {
        if (nbytes <= MAX_NBYTES)
            stoa_test_avro_reset(&first);
        return 0;
    }
    if (first.batch.nrows <= MAX_NROWS) {
        write_and_read(&first.batch, 1 + nbytes % 50, nbytes % 2 == 0 ? "null" : "snappy", &again);
        stoa_test_avro_reset(&again);
        if (keep_schema(data, nbytes, &first.schema)) {
            write_and_read(&first.batch, 1 + nbytes % 7, "deflate", &again);
            must(again.batch.ncolumns == first.batch.ncolumns);
            for (uint32_t i = 0; i < first.batch.ncolumns; i++)
                must(stoa_array_equal(&first.schema.fields[i], &first.batch.columns[i],
                                      &again.batch.columns[i]));
            stoa_test_avro_reset(&again);
        }
    }
    stoa_test_avro_reset(&first);
    return 0;
}
