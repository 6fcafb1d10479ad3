/*
 * Inference from every record, in parallel: units are observed by any thread, and what each says is
 * joined. Evidence joins in any order to the same, and the pipeline keeps the order anyway.
 */
#include "convert/survey.h"

#include "base/alloc.h"
#include "base/error.h"
#include "exec/pipeline.h"

/* A unit, then what it says. */
struct item {
    struct stoa_unit *unit;
    struct stoa_csv_evidence *columns;
};

static void drop(void *context, void *opaque)
{
    struct item *item = opaque;

    (void)context;
    if (item == NULL)
        return;
    if (item->unit != NULL)
        item->unit->free(item->unit);
    stoa_free(item->columns);
    stoa_free(item);
}

static enum stoa_status cut(void *context, void **out, struct stoa_error *err)
{
    struct stoa_batch_source *source = stoa_csv_inference_source(context);
    struct item *item = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&item, 1, sizeof(*item), err));
    STOA_TRY(source->next(source, &item->unit, err));
    if (item->unit == NULL)
        goto out; /* the end */
    *out = item;
    item = NULL;
out:
    drop(context, item);
    return st;
}

static enum stoa_status observe(void *context, void **opaque, struct stoa_error *err)
{
    struct item *item = *opaque;
    struct stoa_unit *unit = item->unit;

    item->unit = NULL; /* freed in any case */
    return stoa_csv_inference_observe(context, unit, &item->columns, err);
}

static enum stoa_status join(void *context, void **opaque, struct stoa_error *err)
{
    struct item *item = *opaque;

    (void)err;
    if (item != NULL)
        stoa_csv_inference_join(context, item->columns);
    drop(context, item);
    *opaque = NULL;
    return STOA_OK;
}

enum stoa_status stoa_survey_inputs(struct stoa_csv_inputs *inputs,
                                    const struct stoa_csv_options *options, unsigned jobs,
                                    const volatile sig_atomic_t *cancel, struct stoa_schema *out,
                                    bool *certain, struct stoa_error *err)
{
    static const struct stoa_stage stages[] = {
        {STOA_STAGE_ORDERED, cut}, {STOA_STAGE_PARALLEL, observe}, {STOA_STAGE_ORDERED, join}};
    struct stoa_csv_inference *inference = NULL;
    struct stoa_pipeline pipeline = {
        .stages = stages,
        .nstages = sizeof(stages) / sizeof(stages[0]),
        .jobs = jobs,
        .max_in_flight = jobs + 1,
        .drop = drop,
        .cancel = cancel,
    };
    enum stoa_status st;

    STOA_TRY(stoa_csv_inference_new(inputs, options, &inference, err));
    pipeline.context = inference;
    if (stoa_csv_inference_source(inference) != NULL)
        STOA_TRY(stoa_pipeline_run(&pipeline, err));
    STOA_TRY(stoa_csv_inference_schema(inference, out, NULL, err));
    *certain = stoa_csv_inference_is_certain(inference);
out:
    stoa_csv_inference_free(inference);
    return st;
}
