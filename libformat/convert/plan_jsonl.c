/*
 * The plan of a conversion from JSON lines (spec/jsonl.md, sections 5 and 7).
 *
 * The types that samples say are guesses. When one turns out to be wrong the run ends, all records
 * say what the types are, and it begins anew with these: so what comes out is what the final schema
 * gives from the start. What can be read only once is copied to a temporary file first, and where
 * an output can't be taken back (a pipe) nothing is guessed.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/schema.h"
#include "convert/convert_plan.h"
#include "exec/pipeline.h"
#include "jsonl/jsonl.h"

/* ---- All records, by all threads. ---- */

/* A unit, then what it says. */
struct item {
    struct stoa_unit *unit;
    struct stoa_jsonl_evidence *evidence;
};

static void drop(void *context, void *opaque)
{
    struct item *item = opaque;

    (void)context;
    if (item == NULL)
        return;
    if (item->unit != NULL)
        item->unit->free(item->unit);
    stoa_jsonl_evidence_free(item->evidence);
    stoa_free(item);
}

static enum stoa_status cut(void *context, void **out, struct stoa_error *err)
{
    struct item *item = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&item, 1, sizeof(*item), err));
    STOA_TRY(stoa_jsonl_inference_next(context, &item->unit, err));
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

    (void)context;
    item->unit = NULL; /* freed in any case */
    return stoa_jsonl_inference_observe(unit, &item->evidence, err);
}

static enum stoa_status join(void *context, void **opaque, struct stoa_error *err)
{
    struct item *item = *opaque;
    enum stoa_status st = STOA_OK;

    if (item != NULL)
        STOA_TRY(stoa_jsonl_inference_join(context, item->evidence, err));
    drop(context, item);
    *opaque = NULL;
out:
    return st;
}

static enum stoa_status survey(const struct stoa_plan_convert *plan,
                               const struct stoa_convert_options *options,
                               struct stoa_jsonl_inference *inference, struct stoa_error *err)
{
    static const struct stoa_stage stages[] = {
        {STOA_STAGE_ORDERED, cut}, {STOA_STAGE_PARALLEL, observe}, {STOA_STAGE_ORDERED, join}};
    const struct stoa_pipeline pipeline = {
        .stages = stages,
        .nstages = sizeof(stages) / sizeof(stages[0]),
        .context = inference,
        .jobs = plan->jobs,
        .max_in_flight = plan->jobs + 1,
        .drop = drop,
        .cancel = options->cancel,
    };

    return stoa_pipeline_run(&pipeline, err);
}

/* What only begins as JSON lines do is no JSON: other text may begin so, too. */
static enum stoa_status name_guess(struct stoa_error *err)
{
    const struct stoa_error why = err != NULL ? *err : (struct stoa_error){0};

    return stoa_fail_at(err, STOA_ERR_DATA, why.offset,
                        "%s (taken for JSON lines, as it begins with {; CSV that does so needs "
                        "--from csv)",
                        why.message);
}

static enum stoa_status infer(const struct stoa_plan_convert *plan,
                              const struct stoa_convert_options *options,
                              const struct stoa_jsonl_options *jsonl, struct stoa_schema *out,
                              bool *certain, struct stoa_error *err)
{
    const bool full = jsonl->infer != STOA_JSONL_INFER_SAMPLE;
    struct stoa_jsonl_inference *inference = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_jsonl_inference_new(plan->jsonl_inputs, jsonl, full, &inference, err));
    if (full)
        STOA_TRY(survey(plan, options, inference, err));
    *certain = full || stoa_jsonl_inference_is_certain(inference);
    STOA_TRY(stoa_jsonl_inference_schema(inference, out, NULL, err));
out:
    if (plan->from_is_guess && inference != NULL && stoa_jsonl_inference_met_other_text(inference))
        st = name_guess(err);
    stoa_jsonl_inference_free(inference);
    return st;
}

/* ---- Columns. ---- */

struct table {
    struct stoa_schema schema;
    uint32_t *columns;
    uint32_t nselected;
    uint32_t ncolumns;
};

static void table_reset(struct table *table)
{
    stoa_schema_reset(&table->schema);
    stoa_free(table->columns);
    *table = (struct table){0};
}

/* Whether the output can be sorted as it is asked for. */
static enum stoa_status check_order(const struct stoa_convert_options *options,
                                    const struct table *table, struct stoa_error *err)
{
    struct stoa_schema selected = {0};
    struct stoa_sort_order order = {0};
    enum stoa_status st = STOA_OK;

    if (options->sort_by == NULL)
        return STOA_OK;
    STOA_TRY(stoa_schema_select(&selected, &table->schema, table->columns, table->nselected, err));
    STOA_TRY(stoa_order_parse(options->sort_by, &selected, &order, err));
out:
    stoa_order_reset(&order);
    stoa_schema_reset(&selected);
    return st;
}

static enum stoa_status try_table(const struct stoa_plan_convert *plan,
                                  const struct stoa_convert_options *options,
                                  const struct stoa_jsonl_options *jsonl, struct table *table,
                                  bool *certain, struct stoa_error *err)
{
    enum stoa_status st;

    *certain = true;
    if (options->schema != NULL)
        STOA_TRY(stoa_plan_take_schema(options, &table->schema, err));
    else
        STOA_TRY(infer(plan, options, jsonl, &table->schema, certain, err));
    STOA_TRY(stoa_plan_columns(options, &table->schema, &table->columns, &table->nselected,
                               &table->ncolumns, err));
    STOA_TRY(check_order(options, table, err));
out:
    return st;
}

/* The schema, and which of its columns are read. *certain: it can't turn out to be wrong. */
static enum stoa_status make_table(const struct stoa_plan_convert *plan,
                                   const struct stoa_convert_options *options,
                                   struct stoa_jsonl_options *jsonl, struct table *table,
                                   bool *certain, struct stoa_error *err)
{
    enum stoa_status st = try_table(plan, options, jsonl, table, certain, err);

    if (st != STOA_ERR_USAGE || *certain)
        return st;
    /* A column that is asked for may stand behind the sample. */
    table_reset(table);
    jsonl->infer = STOA_JSONL_INFER_FULL;
    return try_table(plan, options, jsonl, table, certain, err);
}

/* What the run is with types that may be wrong: the columns of the output, to be compared. */
static enum stoa_status keep_guess(struct stoa_plan_convert *plan, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&plan->guess, 1, sizeof(*plan->guess), err));
    STOA_TRY(stoa_schema_copy(plan->guess, &plan->schema, err));
out:
    return st;
}

static struct stoa_jsonl_options options_of(const struct stoa_convert_options *options)
{
    static const enum stoa_jsonl_infer_mode modes[] = {
        [STOA_CSV_INFER_SAMPLE] = STOA_JSONL_INFER_SAMPLE,
        [STOA_CSV_INFER_FULL] = STOA_JSONL_INFER_FULL,
        [STOA_CSV_INFER_NONE] = STOA_JSONL_INFER_NONE,
    };

    return (struct stoa_jsonl_options){
        .infer = modes[options->csv.infer],
        .types = options->csv.types,
        .filename = options->csv.filename,
        .max_record_nbytes = options->csv.max_record_nbytes,
    };
}

static enum stoa_status plan_jsonl(struct stoa_plan_convert *plan,
                                   const struct stoa_convert_options *options,
                                   const struct stoa_reject_sinks *rejects, struct stoa_error *err)
{
    struct stoa_jsonl_source_options source = {
        .jsonl = options_of(options),
        .inferred = options->schema == NULL,
        .rejects = stoa_plan_rejects(options, rejects),
        .unit_nrows = plan->group_nrows,
    };
    const bool widens = source.inferred && stoa_plan_widens(options);
    struct table table = {0};
    struct stoa_schema read = {0};
    bool certain;
    enum stoa_status st = STOA_OK;

    if (options->rows != NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "rows can be picked from a Stoa file, not from text");
    if (plan->jsonl_inputs == NULL) {
        STOA_TRY(stoa_jsonl_inputs_new(options->paths, options->npaths, &plan->jsonl_inputs, err));
        stoa_jsonl_inputs_give(plan->jsonl_inputs, plan->piped);
        plan->piped = NULL;
    }
    if (source.inferred)
        STOA_TRY(stoa_jsonl_inputs_keep(plan->jsonl_inputs, err));
    if (widens && rejects->is_final && source.jsonl.infer == STOA_JSONL_INFER_SAMPLE)
        source.jsonl.infer = STOA_JSONL_INFER_FULL;
    STOA_TRY(make_table(plan, options, &source.jsonl, &table, &certain, err));
    source.schema = &table.schema;
    source.columns = options->columns != NULL ? table.columns : NULL;
    source.ncolumns = table.ncolumns;
    source.widens = widens && !certain;
    STOA_TRY(stoa_schema_select(&plan->schema, &table.schema, table.columns, table.nselected, err));
    STOA_TRY(stoa_schema_select(&read, &table.schema, table.columns, table.ncolumns, err));
    source.unit_nbytes = stoa_memory_text_nbytes(&read, plan->group_nbytes);
    stoa_memory_init(&plan->memory, options->memory_nbytes, plan->jobs, source.unit_nbytes,
                     plan->jobs, &read, plan->to != STOA_FORMAT_STOA);
    source.prefetch_nbytes = plan->memory.prefetch_nbytes;
    if (source.widens)
        STOA_TRY(keep_guess(plan, err));
    STOA_TRY(stoa_jsonl_source_open(plan->jsonl_inputs, &source, &plan->source, err));
    if (options->filter != NULL)
        STOA_TRY(stoa_filter_bind(options->filter, plan->source->schema, &plan->matcher, err));
out:
    table_reset(&table);
    stoa_schema_reset(&read);
    return st;
}

const struct stoa_source_kind stoa_jsonl_kind = {
    .plan = plan_jsonl,
    .rejected = stoa_jsonl_source_rejected,
    .misfit = stoa_jsonl_source_misfit,
    .obstacle = "the input is JSON lines, of which values are kept and no text",
};
