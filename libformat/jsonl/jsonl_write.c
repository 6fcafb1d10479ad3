/*
 * Rows as JSON objects, one a line: column/json_value.c makes them.
 */
#include "base/error.h"
#include "column/json_value.h"
#include "column/text_sink.h"
#include "jsonl/jsonl.h"

static enum stoa_status append_rows(const struct stoa_batch *batch, struct stoa_buffer *out,
                                    struct stoa_error *err)
{
    struct stoa_json_shape shape = {0};
    enum stoa_status st;

    STOA_TRY(stoa_json_shape_init(&shape, batch->schema, err));
    for (size_t row = 0; row < batch->nrows; row++) {
        STOA_TRY(stoa_json_append_row(out, &shape, batch, row, err));
        STOA_TRY(stoa_buffer_append(out, "\n", 1, err));
    }
out:
    stoa_json_shape_reset(&shape);
    return st;
}

enum stoa_status stoa_jsonl_format(const struct stoa_batch *batch, char **out, size_t *nbytes,
                                   struct stoa_error *err)
{
    struct stoa_buffer text = {.data = (uint8_t *)*out, .nbytes = *nbytes, .capacity = *nbytes};
    enum stoa_status st = append_rows(batch, &text, err);

    *out = (char *)text.data; /* it may have moved, whatever happened */
    if (st == STOA_OK)
        *nbytes = text.nbytes;
    return st;
}

static enum stoa_status format(const void *options, const struct stoa_batch *batch,
                               struct stoa_buffer *out, struct stoa_error *err)
{
    (void)options;
    return append_rows(batch, out, err);
}

enum stoa_status stoa_jsonl_sink_open(struct stoa_sink *sink, const struct stoa_text_packer *packer,
                                      struct stoa_batch_sink **out, struct stoa_error *err)
{
    const struct stoa_buffer head = {0};

    return stoa_text_sink_open(sink, format, NULL, 0, &head, packer, out, err);
}
