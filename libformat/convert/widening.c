/*
 * Columns that get another type at the end (widening.h): two small pipelines over the row groups of
 * the first pass's file, or one and a source for another.
 *
 *     decide   group number -> evidence of its misfits      parallel
 *                           -> joined                       ordered
 *              the same of all texts, unless misfits leave nothing but text
 *     look     chooser groups -> what is derived from what  parallel
 *     write    group number -> columns read anew, prepared  parallel
 *              sequence | encode | commit                   as a writer's
 *     read     row group -> columns read anew               any thread
 */
#include "convert/widening.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "column/schema.h"
#include "csv/retype.h"
#include "csv/rule.h"
#include "exec/pipeline.h"
#include "exec/progress.h"
#include "file/rewrite.h"

/* ---- What both passes share. ---- */

struct item {
    uint32_t group;
    struct stoa_csv_evidence *evidence; /* decide: of each column that is open, in their order */
    struct stoa_writer_group *made;     /* write */
};

struct pass {
    const struct stoa_widen *widen;
    const struct stoa_schema *old;
    uint32_t ncolumns;
    uint32_t next_group, ngroups;

    struct stoa_csv_reading reading;

    uint32_t nwidened;

    bool *open;                         /* decide: columns that are looked at, */
    struct stoa_csv_evidence *evidence; /* of each column */
    bool misfits;                       /* the texts that are looked at: these, or all */

    const struct stoa_schema *schema; /* write */
    struct stoa_rewrite_plan *plan;
    struct stoa_rewriter *rewriter;
    struct stoa_pipeline_crew crew; /* of the pipeline that runs */
};

static void drop(void *context, void *dropped)
{
    struct item *item = dropped;

    (void)context;
    if (item == NULL)
        return;
    stoa_free(item->evidence);
    stoa_writer_group_free(item->made);
    stoa_free(item);
}

static enum stoa_status stage_next(void *context, void **at, struct stoa_error *err)
{
    struct pass *pass = context;
    struct item *item;
    enum stoa_status st;

    if (pass->next_group == pass->ngroups)
        return STOA_OK;
    st = stoa_alloc_zeroed(&item, 1, sizeof(*item), err);
    if (st != STOA_OK)
        return st;
    item->group = pass->next_group++;
    *at = item;
    return STOA_OK;
}

static enum stoa_status run(struct pass *pass, const struct stoa_stage *stages, size_t nstages,
                            struct stoa_error *err)
{
    return stoa_pipeline_run(&(struct stoa_pipeline){.stages = stages,
                                                     .nstages = nstages,
                                                     .context = pass,
                                                     .jobs = pass->widen->jobs,
                                                     .max_in_flight = pass->widen->jobs + 1,
                                                     .drop = drop,
                                                     .crew = &pass->crew,
                                                     .cancel = pass->widen->cancel,
                                                     .progress = pass->widen->progress},
                             err);
}

static enum stoa_status pass_init(struct pass *pass, const struct stoa_widen *widen,
                                  struct stoa_error *err)
{
    enum stoa_status st;

    *pass = (struct pass){.widen = widen, .ngroups = stoa_reader_nrow_groups(widen->reader)};
    STOA_TRY(stoa_reader_schema(widen->reader, &pass->old, err));
    pass->ncolumns = pass->old->nfields;
    for (uint32_t i = 0; i < pass->ncolumns; i++)
        pass->nwidened += widen->widens[i];
    st = stoa_csv_reading_init(&pass->reading, widen->options, true, true, err);
out:
    return st;
}

/* A column of a row group as it stands in the file. */
static enum stoa_status read_column(const struct pass *pass, uint32_t group, uint32_t column,
                                    struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_reader *reader = pass->widen->reader;
    struct stoa_row_group rows;
    enum stoa_status st = stoa_reader_row_group(reader, group, &rows, err);

    if (st != STOA_OK)
        return st;
    return stoa_reader_column(reader, group, column, (struct stoa_rows){0, rows.nrows}, out, NULL,
                              err);
}

static struct stoa_csv_written written(const struct pass *pass, uint32_t column,
                                       const struct stoa_array *array, const struct stoa_side *side)
{
    return (struct stoa_csv_written){.field = &pass->old->fields[column],
                                     .reading = &pass->reading,
                                     .array = array,
                                     .side = side,
                                     .column = column};
}

/* ---- Which types. ---- */

static enum stoa_status stage_observe(void *context, void **at, struct stoa_error *err)
{
    struct pass *pass = context;
    struct item *item = *at;
    struct stoa_side side = {0};
    struct stoa_array array = {0};
    uint32_t n = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&item->evidence, pass->nwidened * sizeof(item->evidence[0]), err));
    STOA_TRY(stoa_reader_side(pass->widen->reader, item->group, &side, err));
    for (uint32_t i = 0; i < pass->ncolumns; i++) {
        struct stoa_csv_written column = written(pass, i, &array, &side);
        struct stoa_csv_evidence *evidence = &item->evidence[n];

        if (!pass->open[i])
            continue;
        n++;
        stoa_csv_evidence_init(evidence);
        if (pass->misfits) {
            stoa_csv_retype_observe_kept(&column, evidence);
            continue;
        }
        STOA_TRY(read_column(pass, item->group, i, &array, err));
        STOA_TRY(stoa_csv_retype_observe(&column, evidence, err));
        stoa_array_reset(&array);
    }
out:
    stoa_array_reset(&array);
    stoa_side_reset(&side);
    return st;
}

static enum stoa_status stage_join(void *context, void **at, struct stoa_error *err)
{
    struct pass *pass = context;
    struct item *item = *at;

    (void)err;
    for (uint32_t i = 0, n = 0; item != NULL && i < pass->ncolumns; i++)
        if (pass->open[i])
            stoa_csv_evidence_join(&pass->evidence[i], &item->evidence[n++]);
    return STOA_OK;
}

/* Evidence of columns that are open, of the texts of all row groups. */
static enum stoa_status observe(struct pass *pass, bool misfits, struct stoa_error *err)
{
    static const struct stoa_stage stages[] = {
        {STOA_STAGE_ORDERED, stage_next},
        {STOA_STAGE_PARALLEL, stage_observe},
        {STOA_STAGE_ORDERED, stage_join},
    };
    bool any = false;

    for (uint32_t i = 0; i < pass->ncolumns; i++) {
        any |= pass->open[i];
        if (pass->open[i])
            stoa_csv_evidence_init(&pass->evidence[i]);
    }
    pass->misfits = misfits;
    pass->next_group = 0;
    return any ? run(pass, stages, 3, err) : STOA_OK;
}

/*
 * Gives a field a type that holds every text. The old one does not: should evidence say so, it is
 * text after all.
 */
static enum stoa_status replace_field(const struct pass *pass,
                                      const struct stoa_csv_evidence *evidence,
                                      struct stoa_field *field, struct stoa_error *err)
{
    const struct stoa_type text = {.id = STOA_UTF8};
    struct stoa_csv_decision decision;
    struct stoa_schema one = {0};
    bool is_old;
    enum stoa_status st;

    stoa_csv_evidence_decide(evidence, &pass->reading.spellings, false, &decision);
    is_old = stoa_type_equal(&decision.type, &field->type);
    STOA_TRY(stoa_schema_append(&one, field->name, is_old ? &text : &decision.type, true, err));
    if (!is_old && decision.format != NULL)
        STOA_TRY(stoa_metadata_set(&one.fields[0].metadata, STOA_METADATA_CSV_FORMAT,
                                   decision.format, err));
    stoa_field_reset(field);
    *field = one.fields[0];
    one.fields[0] = (struct stoa_field){0};
out:
    stoa_schema_reset(&one);
    return st;
}

enum stoa_status stoa_widen_decide(const struct stoa_widen *widen, struct stoa_schema *out,
                                   struct stoa_error *err)
{
    struct stoa_schema schema = {0};
    struct pass pass;
    enum stoa_status st;

    STOA_TRY(pass_init(&pass, widen, err));
    STOA_TRY(stoa_alloc(&pass.evidence, pass.ncolumns * sizeof(pass.evidence[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&pass.open, pass.ncolumns, sizeof(pass.open[0]), err));
    memcpy(pass.open, widen->widens, pass.ncolumns * sizeof(pass.open[0]));
    STOA_TRY(observe(&pass, true, err));
    for (uint32_t i = 0; i < pass.ncolumns; i++) /* what is text stays so, whatever follows */
        pass.open[i] = pass.open[i] && pass.evidence[i].kinds != 0;
    STOA_TRY(observe(&pass, false, err));
    STOA_TRY(stoa_schema_copy(&schema, pass.old, err));
    for (uint32_t i = 0; i < pass.ncolumns; i++)
        if (widen->widens[i])
            STOA_TRY(replace_field(&pass, &pass.evidence[i], &schema.fields[i], err));
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_free(pass.evidence);
    stoa_free(pass.open);
    stoa_schema_reset(&schema);
    return st;
}

/* ---- Writing. ---- */

/* Moves what the old side table has of a column into the new one. */
static void move_side(struct stoa_side *from, uint32_t column, struct stoa_side *to)
{
    for (uint32_t i = 0; i < from->ncolumns; i++) {
        if (from->columns[i].column != column)
            continue;
        to->columns[to->ncolumns++] = from->columns[i];
        from->columns[i].array = (struct stoa_array){0};
    }
}

/* Reads a column anew; its part of the side table goes to `to`, unless that is NULL. */
static enum stoa_status retype(const struct pass *pass, uint32_t column, struct stoa_array *array,
                               const struct stoa_side *from, struct stoa_side *to,
                               struct stoa_error *err)
{
    const struct stoa_field *field = &pass->schema->fields[column];
    struct stoa_csv_written old = written(pass, column, array, from);
    struct stoa_csv_forms forms = {0};
    struct stoa_csv_rule_part part = {.forms = &forms, .nvalues = array->nvalues};
    struct stoa_array made = {0};
    enum stoa_status st;

    STOA_TRY(stoa_csv_retype(&old, field, &made, &forms, err));
    if (to != NULL)
        STOA_TRY(stoa_csv_rule_add(field, column, &pass->reading, &made, &part, 1, to, err));
    stoa_array_reset(array);
    *array = made;
    made = (struct stoa_array){0};
out:
    stoa_csv_forms_reset(&forms);
    stoa_array_reset(&made);
    return st;
}

/*
 * Columns of a row group with their new types; `from` is its side table, and `to`, unless it is
 * NULL, gets what the new one has of all columns.
 */
static enum stoa_status read_columns(const struct pass *pass, uint32_t group, const bool *columns,
                                     const struct stoa_schema *schema, struct stoa_side *from,
                                     struct stoa_side *to, struct stoa_batch *out,
                                     struct stoa_error *err)
{
    struct stoa_batch batch = {0};
    struct stoa_row_group rows;
    uint32_t n = 0;
    enum stoa_status st;

    STOA_TRY(stoa_reader_row_group(pass->widen->reader, group, &rows, err));
    STOA_TRY(stoa_batch_init(&batch, schema, err));
    batch.nrows = rows.nrows;
    for (uint32_t i = 0; i < pass->ncolumns; i++) {
        if (to != NULL && !pass->widen->widens[i])
            move_side(from, i, to);
        if (!columns[i])
            continue;
        STOA_TRY(read_column(pass, group, i, &batch.columns[n], err));
        if (pass->widen->widens[i])
            STOA_TRY(retype(pass, i, &batch.columns[n], from, to, err));
        n++;
    }
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    return st;
}

static enum stoa_status stage_look(void *context, void **at, struct stoa_error *err)
{
    struct pass *pass = context;
    struct item *item = *at;
    struct stoa_side side = {0};
    struct stoa_batch batch = {0};
    enum stoa_status st = STOA_OK;

    if (!stoa_rewrite_plan_wants(pass->plan, item->group))
        return STOA_OK;
    STOA_TRY(stoa_reader_side(pass->widen->reader, item->group, &side, err));
    STOA_TRY(read_columns(pass, item->group, pass->plan->sampled, &pass->plan->sample.schema, &side,
                          NULL, &batch, err));
    STOA_TRY(stoa_rewrite_plan_look(pass->plan, item->group, &batch, err));
out:
    stoa_side_reset(&side);
    stoa_batch_reset(&batch);
    return st;
}

static enum stoa_status stage_prepare(void *context, void **at, struct stoa_error *err)
{
    struct pass *pass = context;
    struct item *item = *at;
    struct stoa_side from = {0}, to = {0};
    struct stoa_batch batch = {0};
    bool keeps_text = !pass->widen->drops_text;
    enum stoa_status st;

    STOA_TRY(stoa_reader_side(pass->widen->reader, item->group, &from, err));
    /* Two entries for each column that is read anew, and what was there. */
    STOA_TRY(stoa_alloc_zeroed(&to.columns, from.ncolumns + (size_t)2 * pass->nwidened,
                               sizeof(to.columns[0]), err));
    STOA_TRY(read_columns(pass, item->group, pass->plan->read, stoa_rewriter_schema(pass->rewriter),
                          &from, keeps_text ? &to : NULL, &batch, err));
    to.nrows = batch.nrows;
    move_side(&from, STOA_SIDE_RECORDS, &to);
    STOA_TRY(stoa_rewriter_prepare(pass->rewriter, item->group, &batch, &item->made, err));
    if (keeps_text)
        STOA_TRY(stoa_rewriter_set_side(pass->rewriter, item->made, &to, err));
out:
    stoa_side_reset(&from);
    stoa_side_reset(&to);
    stoa_batch_reset(&batch);
    return st;
}

static enum stoa_status stage_sequence(void *context, void **at, struct stoa_error *err)
{
    struct pass *pass = context;
    struct item *item = *at;

    return item == NULL ? STOA_OK : stoa_rewriter_sequence(pass->rewriter, item->made, err);
}

static enum stoa_status stage_encode(void *context, void **at, struct stoa_error *err)
{
    struct pass *pass = context;

    return stoa_rewriter_encode(pass->rewriter, ((struct item *)*at)->made, err);
}

static enum stoa_status stage_commit(void *context, void **at, struct stoa_error *err)
{
    struct pass *pass = context;
    struct item *item = *at;
    struct stoa_writer_group *made;

    if (item == NULL)
        return STOA_OK;
    made = item->made;
    item->made = NULL; /* commit frees it in any case */
    return stoa_rewriter_commit(pass->rewriter, made, err);
}

/* Some thousand at a time. */
static enum stoa_status copy_sources(const struct pass *pass, struct stoa_error *err)
{
    const size_t step = 4096;
    const uint64_t nsources = stoa_reader_nsources(pass->widen->reader);
    enum stoa_status st = STOA_OK;

    for (uint64_t first = 0; st == STOA_OK && first < nsources; first += step) {
        size_t n = nsources - first < step ? (size_t)(nsources - first) : step;
        struct stoa_source_info *infos;

        st = stoa_reader_sources(pass->widen->reader, first, n, &infos, err);
        if (st != STOA_OK)
            return st;
        st = stoa_rewriter_add_sources(pass->rewriter, infos, n, err);
        stoa_source_infos_free(infos, n);
    }
    return st;
}

enum stoa_status stoa_widen_write(const struct stoa_widen *widen, const struct stoa_schema *schema,
                                  struct stoa_sink *sink, struct stoa_error *err)
{
    static const struct stoa_stage looks[] = {
        {STOA_STAGE_ORDERED, stage_next},
        {STOA_STAGE_PARALLEL, stage_look},
    };
    static const struct stoa_stage stages[] = {
        {STOA_STAGE_ORDERED, stage_next},     {STOA_STAGE_PARALLEL, stage_prepare},
        {STOA_STAGE_ORDERED, stage_sequence}, {STOA_STAGE_PARALLEL, stage_encode},
        {STOA_STAGE_ORDERED, stage_commit},
    };
    struct pass pass;
    enum stoa_status st;

    STOA_TRY(pass_init(&pass, widen, err));
    pass.schema = schema;
    STOA_TRY(stoa_rewrite_plan_new(widen->reader, schema, widen->rules, widen->writer,
                                   widen->widens, &pass.plan, err));
    stoa_rewrite_plan_set_crew(pass.plan, &pass.crew.crew);
    STOA_TRY(run(&pass, looks, 2, err));
    pass.next_group = 0;
    STOA_TRY(stoa_rewrite_plan_finish(pass.plan, err));
    STOA_TRY(stoa_rewriter_open(sink, pass.plan, &pass.rewriter, err));
    STOA_TRY(run(&pass, stages, 5, err));
    if (!widen->drops_text)
        STOA_TRY(copy_sources(&pass, err));
    STOA_TRY(stoa_rewriter_finish(pass.rewriter, err));
out:
    stoa_rewriter_close(pass.rewriter);
    stoa_rewrite_plan_free(pass.plan);
    return st;
}

/* ---- Reading. ---- */

struct widen_source {
    struct stoa_batch_source base;
    struct pass pass; /* of its members what does not change */
    const struct stoa_text_units *units;
    uint32_t next_group;
    uint64_t done, total; /* bytes that the first pass read */
};

struct group_unit {
    struct stoa_unit base;
    uint32_t group;
};

static void unit_free(struct stoa_unit *unit)
{
    stoa_free(unit);
}

static enum stoa_status source_next(struct stoa_batch_source *base, struct stoa_unit **out,
                                    struct stoa_error *err)
{
    struct widen_source *source = (struct widen_source *)base;
    const uint32_t group = source->next_group;
    struct group_unit *unit;
    enum stoa_status st;

    *out = NULL;
    if (group == source->pass.ngroups)
        return STOA_OK;
    st = stoa_alloc(&unit, sizeof(*unit), err);
    if (st != STOA_OK)
        return st;
    *unit = (struct group_unit){
        .base = {.free = unit_free,
                 .nbytes = source->units->items[group].nbytes,
                 .nrows = source->units->items[group].nrows},
        .group = group,
    };
    source->next_group++;
    *out = &unit->base;
    return STOA_OK;
}

static enum stoa_status source_read(struct stoa_batch_source *base, struct stoa_unit *unit,
                                    struct stoa_batch *out, struct stoa_notes **notes,
                                    struct stoa_error *err)
{
    const struct pass *pass = &((struct widen_source *)base)->pass;
    const uint32_t group = ((struct group_unit *)unit)->group;
    struct stoa_row_group rows;
    struct stoa_batch batch = {0};
    struct stoa_side side = {0};
    enum stoa_status st;

    (void)notes;
    STOA_TRY(stoa_reader_row_group(pass->widen->reader, group, &rows, err));
    STOA_TRY(stoa_batch_init(&batch, pass->schema, err));
    if (pass->nwidened > 0)
        STOA_TRY(stoa_reader_side(pass->widen->reader, group, &side, err));
    for (uint32_t i = 0; i < pass->ncolumns; i++) {
        STOA_TRY(read_column(pass, group, i, &batch.columns[i], err));
        if (pass->widen->widens[i])
            STOA_TRY(retype(pass, i, &batch.columns[i], &side, NULL, err));
    }
    batch.nrows = rows.nrows;
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    stoa_side_reset(&side);
    unit_free(unit);
    return st;
}

static void source_progress(struct stoa_batch_source *base, uint64_t *done, uint64_t *total)
{
    const struct widen_source *source = (const struct widen_source *)base;

    *done = source->done;
    *total = source->total;
}

static void source_close(struct stoa_batch_source *base)
{
    stoa_free(base);
}

enum stoa_status stoa_widen_source_open(const struct stoa_widen *widen,
                                        const struct stoa_schema *schema,
                                        const struct stoa_text_units *units,
                                        struct stoa_batch_source **out, struct stoa_error *err)
{
    struct widen_source *source = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&source, 1, sizeof(*source), err));
    STOA_TRY(pass_init(&source->pass, widen, err));
    assert(units->nitems == source->pass.ngroups);
    source->pass.schema = schema;
    source->units = units;
    source->done = stoa_progress_get(widen->progress, STOA_PROGRESS_BYTES_IN);
    source->total = stoa_progress_get(widen->progress, STOA_PROGRESS_TOTAL_BYTES);
    source->base = (struct stoa_batch_source){
        .schema = schema,
        .next = source_next,
        .read = source_read,
        .progress = source_progress,
        .close = source_close,
    };
    *out = &source->base;
    source = NULL;
out:
    stoa_free(source);
    return st;
}
