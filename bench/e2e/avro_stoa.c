/*
 * Avro files by Stoa: read through the public header, batch by batch, and written from batches in
 * memory by the sink that conversions write with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <stoa/convert.h>
#include <string.h>

#include "avro/avro_sink.h"
#include "avro/avro_source.h"
#include "avro_work.h"
#include "base/alloc.h"
#include "base/error.h"

enum { UNIT_NROWS = 1 << 16, UNIT_NBYTES = 16 << 20 };

/* The batches of a file; they are the source's, and of its schema. */
struct bench_rows {
    struct stoa_batch_source *source;
    struct stoa_batch *batches;
    size_t nbatches;
};

struct summing {
    const char *column;
    struct bench_read *out;
};

static int told(enum stoa_status st, const struct stoa_error *err, char *message)
{
    if (st != STOA_OK)
        snprintf(message, BENCH_MESSAGE_NBYTES, "%s", err->message);
    return (int)st;
}

/* ---- Reading. ---- */

static bool sum_rows(void *context, const struct stoa_batch *batch)
{
    const struct summing *summing = context;

    summing->out->nrows += batch->nrows;
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        if (strcmp(batch->schema->fields[i].name, summing->column) != 0)
            continue;
        for (size_t row = 0; row < batch->nrows; row++) {
            int32_t value;

            memcpy(&value, batch->columns[i].values + row * sizeof(value), sizeof(value));
            summing->out->sum += value;
        }
    }
    return true;
}

int bench_avro_read(const char *path, const char *column, const char *summed, unsigned nthreads,
                    struct bench_read *out, char *message)
{
    const struct stoa_convert_options options = {.paths = &path,
                                                 .npaths = 1,
                                                 .columns = column == NULL ? NULL : &column,
                                                 .ncolumns = column == NULL ? 0 : 1,
                                                 .jobs = nthreads};
    struct summing summing = {.column = summed, .out = out};
    struct stoa_error err = {0};

    *out = (struct bench_read){0};
    return told(stoa_convert_rows(&options, 0, sum_rows, &summing, &err), &err, message);
}

/* ---- Writing. ---- */

static enum stoa_status open_source(const char *path, struct stoa_batch_source **out,
                                    struct stoa_error *err)
{
    struct stoa_avro_source_options options = {.unit_nrows = UNIT_NROWS,
                                               .unit_nbytes = UNIT_NBYTES};
    struct stoa_avro_inputs *inputs = NULL;
    uint32_t *columns = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_avro_inputs_open(&path, 1, NULL, false, NULL, &inputs, err));
    options.ncolumns = stoa_avro_inputs_schema(inputs)->nfields;
    STOA_TRY(stoa_alloc_zeroed(&columns, options.ncolumns, sizeof(*columns), err));
    for (uint32_t i = 0; i < options.ncolumns; i++)
        columns[i] = i;
    options.columns = columns;
    STOA_TRY(stoa_avro_source_open(inputs, &options, out, err));
    inputs = NULL;
out:
    stoa_avro_inputs_close(inputs);
    stoa_free(columns);
    return st;
}

void bench_avro_free(struct bench_rows *rows)
{
    if (rows == NULL)
        return;
    for (size_t i = 0; i < rows->nbatches; i++)
        stoa_batch_reset(&rows->batches[i]);
    if (rows->source != NULL)
        rows->source->close(rows->source);
    stoa_alloc_drop();
    free(rows->batches);
    free(rows);
}

static enum stoa_status load(struct bench_rows *rows, const char *path, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(open_source(path, &rows->source, err));
    for (;;) {
        struct stoa_notes *notes = NULL;
        struct stoa_unit *unit;
        struct stoa_batch *more;

        STOA_TRY(rows->source->next(rows->source, &unit, err));
        if (unit == NULL)
            break;
        more = realloc(rows->batches, (rows->nbatches + 1) * sizeof(*more));
        if (more == NULL) {
            unit->free(unit);
            return stoa_fail(err, STOA_ERR_NOMEM, "out of memory");
        }
        rows->batches = more;
        more[rows->nbatches] = (struct stoa_batch){0};
        STOA_TRY(rows->source->read(rows->source, unit, &more[rows->nbatches], &notes, err));
        if (notes != NULL)
            notes->free(notes);
        rows->nbatches++;
    }
out:
    return st;
}

int bench_avro_load(const char *path, struct bench_rows **out, char *message)
{
    struct bench_rows *rows = calloc(1, sizeof(*rows));
    struct stoa_error err = {0};
    enum stoa_status st;

    if (rows == NULL) {
        snprintf(message, BENCH_MESSAGE_NBYTES, "out of memory");
        return STOA_ERR_NOMEM;
    }
    stoa_alloc_hold(); /* as a conversion does from its first row to the last */
    st = load(rows, path, &err);
    if (st != STOA_OK)
        bench_avro_free(rows);
    else
        *out = rows;
    return told(st, &err, message);
}

/* A batch through the steps of the sink, which takes its columns over. */
static enum stoa_status write_batch(struct stoa_batch_sink *sink, uint64_t ordinal,
                                    struct stoa_batch *batch, struct stoa_error *err)
{
    void *item = NULL;
    enum stoa_status st;

    STOA_TRY(sink->prepare(sink, ordinal, batch, &item, err));
    STOA_TRY(sink->sequence(sink, item, err));
    STOA_TRY(sink->encode(sink, item, err));
    st = sink->commit(sink, item, err);
    item = NULL;
out:
    if (item != NULL)
        sink->item_free(sink, item);
    return st;
}

int bench_avro_write(struct bench_rows *rows, const char *path, const char *codec, char *message)
{
    const struct stoa_avro_write_options options = {.codec = codec};
    struct stoa_sink *file = NULL;
    struct stoa_batch_sink *sink = NULL;
    struct stoa_error err = {0};
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_file(path, true, &file, &err));
    STOA_TRY(stoa_avro_sink_open(file, rows->source->schema, "trip", &options, &sink, &err));
    for (size_t i = 0; i < rows->nbatches; i++)
        STOA_TRY(write_batch(sink, i, &rows->batches[i], &err));
    STOA_TRY(sink->finish(sink, &err));
    STOA_TRY(file->commit(file, &err));
out:
    if (sink != NULL)
        sink->close(sink);
    stoa_sink_close(file);
    return told(st, &err, message);
}
