/*
 * A file out of an ArrowArrayStream (Arrow's C stream interface, stoa/arrow.h).
 *
 *     next      ordered    arrays are imported in slices until a row group is full
 *     prepare   parallel
 *     sequence  ordered
 *     encode    parallel
 *     commit    ordered
 *
 * Slices, so that memory follows the row groups and not what the producer thinks a batch is.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <stoa/arrow.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/arrow_import.h"
#include "exec/pipeline.h"
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

struct run {
    struct ArrowArrayStream *stream;
    struct ArrowSchema arrow;
    struct stoa_schema schema;
    enum stoa_arrow_check check;
    struct stoa_writer *writer;

    /* What stage_next() is at. */
    struct ArrowArray array;
    uint64_t array_at;
    uint64_t narrays; /* before this one */
    bool ended;       /* there is no array any more */
    struct stoa_batch slice;
    size_t slice_at;
    uint64_t nitems;
};

/* A row group on its way. */
struct item {
    uint64_t ordinal;
    struct stoa_batch rows;
    struct stoa_writer_group *group;
};

static void drop(void *context, void *dropped)
{
    struct item *item = dropped;

    (void)context;
    if (item == NULL)
        return;
    stoa_batch_reset(&item->rows);
    stoa_writer_group_free(item->group);
    stoa_free(item);
}

/* The next rows of the stream. */
static enum stoa_status next_slice(struct run *run, struct stoa_error *err)
{
    uint64_t left;
    enum stoa_status st = STOA_OK;

    stoa_batch_reset(&run->slice);
    run->slice_at = 0;
    if (run->array.release == NULL) {
        STOA_TRY(get_next(run->stream, &run->array, err));
        run->ended = run->array.release == NULL;
        run->array_at = 0;
    }
    if (run->ended)
        return STOA_OK;
    left = run->array.length > 0 ? (uint64_t)run->array.length - run->array_at : 0;
    if (left > STOA_ROW_GROUP_NROWS)
        left = STOA_ROW_GROUP_NROWS;
    st = stoa_arrow_import_rows(&run->array, &run->arrow, &run->schema, (size_t)run->array_at,
                                (size_t)left, run->check, &run->slice, err);
    if (st != STOA_OK)
        return stoa_wrap(err, st, "batch %" PRIu64 " of the Arrow stream", run->narrays);
    run->array_at += left;
    if (run->array_at == (uint64_t)run->array.length) {
        run->array.release(&run->array);
        run->narrays++;
    }
out:
    return st;
}

static enum stoa_status stage_next(void *context, void **out, struct stoa_error *err)
{
    struct run *run = context;
    struct item *item = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&item, 1, sizeof(*item), err));
    while (item->rows.nrows == 0 && !run->ended) {
        if (run->slice_at == run->slice.nrows)
            st = next_slice(run, err);
        else
            st = stoa_writer_collect(run->writer, &run->slice, &run->slice_at, &item->rows, err);
        if (st != STOA_OK)
            goto out;
    }
    if (item->rows.nrows == 0)
        STOA_TRY(stoa_writer_collect_rest(run->writer, &item->rows, err));
    if (item->rows.nrows > 0) {
        item->ordinal = run->nitems++;
        *out = item;
        item = NULL;
    }
out:
    drop(run, item);
    return st;
}

static enum stoa_status stage_prepare(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct item *item = *at;

    return stoa_writer_prepare(run->writer, item->ordinal, &item->rows, &item->group, err);
}

static enum stoa_status stage_sequence(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct item *item = *at;

    return item == NULL ? STOA_OK : stoa_writer_sequence(run->writer, item->group, err);
}

static enum stoa_status stage_encode(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;

    return stoa_writer_encode(run->writer, ((struct item *)*at)->group, err);
}

static enum stoa_status stage_commit(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct item *item = *at;
    struct stoa_writer_group *group;

    if (item == NULL)
        return STOA_OK;
    group = item->group;
    item->group = NULL; /* commit frees it in any case */
    return stoa_writer_commit(run->writer, group, err);
}

static enum stoa_status write_rows(struct run *run, unsigned jobs, struct stoa_error *err)
{
    static const struct stoa_stage stages[] = {
        {STOA_STAGE_ORDERED, stage_next},     {STOA_STAGE_PARALLEL, stage_prepare},
        {STOA_STAGE_ORDERED, stage_sequence}, {STOA_STAGE_PARALLEL, stage_encode},
        {STOA_STAGE_ORDERED, stage_commit},
    };

    return stoa_pipeline_run(
        &(struct stoa_pipeline){
            .stages = stages,
            .nstages = sizeof(stages) / sizeof(stages[0]),
            .context = run,
            .jobs = jobs,
            .drop = drop,
        },
        err);
}

enum stoa_status stoa_file_import(const char *path, const struct stoa_import_options *options,
                                  struct ArrowArrayStream *stream, struct stoa_error *err)
{
    static const struct stoa_import_options defaults;
    struct run run = {.stream = stream};
    struct stoa_sink *sink = NULL;
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    run.check = options->check;
    if (stream->release == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "the Arrow stream was released before");
    STOA_TRY(stoa_sink_create_file(path, options->replace, &sink, err));
    STOA_TRY(get_schema(stream, &run.arrow, err));
    STOA_TRY(stoa_schema_import(&run.arrow, &run.schema, err));
    STOA_TRY(stoa_writer_open(sink, &run.schema, &options->writer, &run.writer, err));
    STOA_TRY(write_rows(&run, options->jobs, err));
    STOA_TRY(stoa_writer_finish(run.writer, err));
    STOA_TRY(sink->commit(sink, err));
out:
    stoa_batch_reset(&run.slice);
    if (run.array.release != NULL)
        run.array.release(&run.array);
    stoa_writer_close(run.writer);
    stoa_sink_close(sink);
    stoa_schema_reset(&run.schema);
    if (run.arrow.release != NULL)
        run.arrow.release(&run.arrow);
    stream->release(stream);
    return st;
}
