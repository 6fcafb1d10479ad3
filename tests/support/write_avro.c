/*
 * Writing Avro files in memory for tests.
 */
#include "support/write_avro.h"

#include "avro/avro_sink.h"
#include "base/error.h"

/* Rows [begin, end) through the steps of the sink. */
static enum stoa_status put_rows(struct stoa_batch_sink *sink, const struct stoa_batch *batch,
                                 size_t begin, size_t end, struct stoa_error *err)
{
    struct stoa_batch part = {0};
    void *item = NULL, *given;
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&part, batch->schema, err));
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        STOA_TRY(stoa_array_slice(&batch->schema->fields[i], &batch->columns[i], begin, end,
                                  &part.columns[i], err));
    part.nrows = end - begin;
    STOA_TRY(sink->prepare(sink, 0, &part, &item, err));
    STOA_TRY(sink->sequence(sink, item, err));
    STOA_TRY(sink->encode(sink, item, err));
    given = item;
    item = NULL; /* commit() frees it in any case */
    STOA_TRY(sink->commit(sink, given, err));
out:
    sink->item_free(sink, item);
    stoa_batch_reset(&part);
    return st;
}

enum stoa_status stoa_test_write_avro(const struct stoa_batch *batch, size_t batch_nrows,
                                      const struct stoa_avro_write_options *options,
                                      struct stoa_buffer *out, struct stoa_error *err)
{
    struct stoa_batch_sink *sink = NULL;
    struct stoa_sink *memory = NULL;
    const uint8_t *bytes;
    size_t nbytes;
    enum stoa_status st;

    *out = (struct stoa_buffer){0};
    STOA_TRY(stoa_sink_create_memory(&memory, err));
    STOA_TRY(stoa_avro_sink_open(memory, batch->schema, "t", options, &sink, err));
    for (size_t i = 0; i < batch->nrows; i += batch_nrows)
        STOA_TRY(put_rows(sink, batch, i,
                          batch->nrows - i < batch_nrows ? batch->nrows : i + batch_nrows, err));
    STOA_TRY(sink->finish(sink, err));
    bytes = stoa_sink_memory(memory, &nbytes);
    STOA_TRY(stoa_buffer_append(out, bytes, nbytes, err));
out:
    if (sink != NULL)
        sink->close(sink);
    stoa_sink_close(memory);
    return st;
}
