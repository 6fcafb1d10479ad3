/*
 * A sink of batches for formats that are text: any thread makes the text of a batch, and the texts
 * are written in order.
 */
#ifndef STOA_COLUMN_TEXT_SINK_H
#define STOA_COLUMN_TEXT_SINK_H

#include <stoa/io.h>

#include "base/alloc.h"
#include "column/source.h"

/*
 * Appends the text of a batch; called by several threads at once. With STOA_ERR_DATA err->offset is
 * the row of the batch; the sink's error names the row of all that it was given.
 */
typedef enum stoa_status stoa_text_format(const void *options, const struct stoa_batch *batch,
                                          struct stoa_buffer *out, struct stoa_error *err);

/*
 * How the text of an output is compressed: piece by piece, any thread, each piece whole in itself.
 * `end` stands behind the last one: always, or only where there was no text.
 */
struct stoa_text_packer {
    enum stoa_status (*pack)(const uint8_t *text, size_t nbytes, struct stoa_buffer *out,
                             struct stoa_error *err); /* appends */
    const uint8_t *end;
    size_t end_nbytes;
    bool ends_always;
};

/*
 * `sink` is borrowed, and so is `packer` (NULL: the text goes out as it is); `options`, of
 * options_nbytes bytes, are copied and handed to `format` each time. `head` stands in front of the
 * first batch and is written at once.
 */
STOA_CHECK enum stoa_status stoa_text_sink_open(struct stoa_sink *sink, stoa_text_format *format,
                                                const void *options, size_t options_nbytes,
                                                const struct stoa_buffer *head,
                                                const struct stoa_text_packer *packer,
                                                struct stoa_batch_sink **out,
                                                struct stoa_error *err);

#endif
