/*
 * A file out of an ArrowArrayStream (Arrow's C stream interface, stoa/arrow.h).
 *
 * Each array is imported in slices, so that memory follows the row groups and not what the producer
 * thinks a batch is.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <stoa/arrow.h>

#include "base/error.h"
#include "column/arrow_import.h"
#include "file/writer.h"

/* What get_schema() or get_next() said. */
static enum stoa_status fail_stream(struct ArrowArrayStream *stream, int number,
                                    struct stoa_error *err)
{
    const char *text = stream->get_last_error(stream);
    enum stoa_status st = number == ENOMEM   ? STOA_ERR_NOMEM
                          : number == EINVAL ? STOA_ERR_DATA
                                             : STOA_ERR_IO;
    char shown[512];

    if (text != NULL)
        stoa_fail(err, st, "the Arrow stream: %s",
                  stoa_quote(shown, sizeof(shown), text, strlen(text)));
    else
        stoa_fail_errno(err, number, "the Arrow stream");
    if (err != NULL) {
        err->status = st;
        err->os_errno = number;
    }
    return st;
}

static enum stoa_status get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out,
                                   struct stoa_error *err)
{
    int number = stream->get_schema(stream, out);

    if (number == 0)
        return STOA_OK;
    out->release = NULL; /* whoever fails hands nothing over */
    return fail_stream(stream, number, err);
}

/* The next array; one that is released at the end. */
static enum stoa_status get_next(struct ArrowArrayStream *stream, struct ArrowArray *out,
                                 struct stoa_error *err)
{
    int number = stream->get_next(stream, out);

    if (number == 0)
        return STOA_OK;
    out->release = NULL;
    return fail_stream(stream, number, err);
}

static enum stoa_status append_array(struct stoa_writer *writer, const struct ArrowArray *array,
                                     const struct ArrowSchema *arrow,
                                     const struct stoa_schema *schema, enum stoa_arrow_check check,
                                     struct stoa_error *err)
{
    uint64_t nrows = array->length > 0 ? (uint64_t)array->length : 0;
    struct stoa_batch batch = {0};
    uint64_t begin = 0;
    enum stoa_status st;

    do {
        uint64_t n = nrows - begin < STOA_ROW_GROUP_NROWS ? nrows - begin : STOA_ROW_GROUP_NROWS;

        STOA_TRY(stoa_arrow_import_rows(array, arrow, schema, (size_t)begin, (size_t)n, check,
                                        &batch, err));
        STOA_TRY(stoa_writer_append_owned(writer, &batch, err));
        stoa_batch_reset(&batch);
        begin += n;
    } while (begin < nrows);
out:
    stoa_batch_reset(&batch);
    return st;
}

static enum stoa_status append_stream(struct stoa_writer *writer, struct ArrowArrayStream *stream,
                                      const struct ArrowSchema *arrow,
                                      const struct stoa_schema *schema, enum stoa_arrow_check check,
                                      struct stoa_error *err)
{
    struct ArrowArray array = {0};
    uint64_t narrays = 0;
    enum stoa_status st;

    for (;;) {
        STOA_TRY(get_next(stream, &array, err));
        if (array.release == NULL)
            break;
        st = append_array(writer, &array, arrow, schema, check, err);
        array.release(&array);
        if (st != STOA_OK)
            return stoa_wrap(err, st, "batch %" PRIu64 " of the Arrow stream", narrays);
        narrays++;
    }
out:
    return st;
}

enum stoa_status stoa_file_import(const char *path, const struct stoa_import_options *options,
                                  struct ArrowArrayStream *stream, struct stoa_error *err)
{
    static const struct stoa_import_options defaults;
    struct stoa_sink *sink = NULL;
    struct stoa_writer *writer = NULL;
    struct ArrowSchema arrow = {0};
    struct stoa_schema schema = {0};
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    if (stream->release == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "the Arrow stream was released before");
    STOA_TRY(stoa_sink_create_file(path, options->replace, &sink, err));
    STOA_TRY(get_schema(stream, &arrow, err));
    STOA_TRY(stoa_schema_import(&arrow, &schema, err));
    STOA_TRY(stoa_writer_open(sink, &schema, &options->writer, &writer, err));
    STOA_TRY(append_stream(writer, stream, &arrow, &schema, options->check, err));
    STOA_TRY(stoa_writer_finish(writer, err));
    STOA_TRY(sink->commit(sink, err));
out:
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_schema_reset(&schema);
    if (arrow.release != NULL)
        arrow.release(&arrow);
    stream->release(stream);
    return st;
}
