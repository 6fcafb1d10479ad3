/*
 * Rows of any inputs for whoever prints or counts them: a conversion whose sink is a function.
 *
 * What was handed over can't be taken back. So types that were guessed stay what they are: a value
 * that does not fit one is an error, as with STOA_CONFLICT_ERROR.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "convert/convert_plan.h"
#include "convert/run.h"
#include "exec/progress.h"

struct row_sink {
    struct stoa_batch_sink base;
    stoa_take_rows *take;
    void *context;
    uint64_t limit; /* 0: there is none */
    uint64_t nrows; /* handed over */
    bool begun;     /* a batch was */
    bool is_done;   /* no more are wanted */
};

static enum stoa_status prepare(struct stoa_batch_sink *sink, uint64_t ordinal,
                                struct stoa_batch *batch, void **out, struct stoa_error *err)
{
    struct stoa_batch *item;
    enum stoa_status st;

    (void)sink, (void)ordinal;
    STOA_TRY(stoa_alloc(&item, sizeof(*item), err));
    *item = *batch;
    *batch = (struct stoa_batch){0};
    *out = item;
out:
    return st;
}

static void item_free(struct stoa_batch_sink *sink, void *item)
{
    (void)sink;
    stoa_batch_reset(item);
    stoa_free(item);
}

/* The first rows of a batch, instead of it. */
static enum stoa_status shorten(struct stoa_batch *batch, uint32_t nrows, struct stoa_error *err)
{
    struct stoa_batch first = {0};
    uint32_t *rows = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&first, batch->schema, err));
    STOA_TRY(stoa_alloc_zeroed(&rows, nrows, sizeof(*rows), err));
    for (uint32_t i = 0; i < nrows; i++)
        rows[i] = i;
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        STOA_TRY(stoa_array_take(&batch->schema->fields[i], &batch->columns[i], rows, nrows,
                                 &first.columns[i], err));
    first.nrows = nrows;
    stoa_batch_reset(batch);
    *batch = first;
    first = (struct stoa_batch){0};
out:
    stoa_batch_reset(&first);
    stoa_free(rows);
    return st;
}

/* An error that is none ends the run when no more rows are wanted. */
static enum stoa_status commit(struct stoa_batch_sink *base, void *opaque, struct stoa_error *err)
{
    struct row_sink *sink = (struct row_sink *)base;
    struct stoa_batch *batch = opaque;
    enum stoa_status st = STOA_OK;

    if (sink->limit > 0 && batch->nrows > sink->limit - sink->nrows)
        STOA_TRY(shorten(batch, (uint32_t)(sink->limit - sink->nrows), err));
    sink->begun = true;
    sink->nrows += batch->nrows;
    if (!sink->take(sink->context, batch) || sink->nrows == sink->limit) {
        sink->is_done = true;
        st = stoa_fail(err, STOA_ERR_CANCELLED, "no more rows are wanted");
    }
out:
    item_free(base, batch);
    return st;
}

static enum stoa_status finish(struct stoa_batch_sink *sink, struct stoa_error *err)
{
    (void)sink, (void)err;
    return STOA_OK;
}

/* The options of a conversion that comes to the same. */
static struct stoa_convert_options options_of(const struct stoa_convert_options *options,
                                              uint64_t limit)
{
    struct stoa_convert_options made = *options;

    made.output = "-";
    made.to = STOA_FORMAT_JSONL; /* which holds all types */
    made.compress = STOA_COMPRESS_NONE;
    made.sort_by = NULL;
    made.verify = false;
    made.on_conflict = STOA_CONFLICT_ERROR;
    if (limit > 0 && limit < UINT16_MAX && options->filter == NULL)
        made.writer.row_group_nrows = (uint32_t)limit; /* no more is read than is wanted */
    return made;
}

enum stoa_status stoa_convert_rows(const struct stoa_convert_options *options, uint64_t limit,
                                   stoa_take_rows *take, void *context, struct stoa_error *err)
{
    const struct stoa_convert_options made = options_of(options, limit);
    const struct stoa_reject_sinks rejects = {.is_final = false};
    struct stoa_plan_convert plan = {0};
    struct stoa_progress progress;
    struct row_sink sink = {
        .base = {.prepare = prepare, .commit = commit, .item_free = item_free, .finish = finish},
        .take = take,
        .context = context,
        .limit = limit,
    };
    struct stoa_batch none = {0};
    enum stoa_status st;

    if (options->on_error == STOA_CSV_ON_ERROR_REJECT)
        return stoa_fail(err, STOA_ERR_USAGE, "bad records can be listed beside an output only");
    stoa_progress_init(&progress, NULL, NULL);
    STOA_TRY(stoa_plan_convert_init(&plan, &made, &rejects, err));
    st = stoa_run(
        &(struct stoa_run){
            .source = plan.source,
            .sink = &sink.base,
            .schema = &plan.schema,
            .matcher = plan.matcher,
            .group_nrows = plan.group_nrows,
            .group_nbytes = plan.group_nbytes,
            .counts_text = plan.kind->counts_text,
            .memory = &plan.memory,
            .jobs = plan.jobs,
            .cancel = options->cancel,
            .progress = &progress,
        },
        &plan.obstacle, err);
    if (sink.is_done)
        st = STOA_OK;
    if (st == STOA_OK && !sink.begun) { /* the columns are told in any case */
        STOA_TRY(stoa_batch_init(&none, &plan.schema, err));
        (void)take(context, &none);
    }
out:
    stoa_batch_reset(&none);
    stoa_plan_convert_reset(&plan);
    return st;
}
