/*
 * Running a conversion: source and sink joined by an ordered pipeline.
 *
 *     next      ordered    a unit of input
 *     read      parallel   unit -> batch; filter; columns of the filter alone dropped
 *     assemble  ordered    notes accepted; small batches joined into row groups, ordinals given
 *     prepare   parallel   batch -> item of the sink; notes -> its side table
 *     sequence  ordered
 *     encode    parallel
 *     commit    ordered    bytes written
 *
 * Row groups are made of whole units, so their borders follow from the input and the options alone.
 */
#include "convert/run.h"

#include <string.h>

#include <stoa/source_text.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "exec/pipeline.h"
#include "exec/progress.h"

/* What goes through the pipeline: a unit, then batches, then an item of the sink. */
struct item {
    struct stoa_unit *unit;
    struct stoa_batch *batches;
    size_t nbatches;
    size_t capacity;
    struct stoa_notes **notes; /* of the units of these batches that have some */
    size_t nnotes;
    size_t notes_capacity;
    uint64_t nrows;
    uint64_t nbytes;            /* what the size of a row group counts */
    struct stoa_text_unit text; /* of the unit */
    uint64_t memory;            /* what it is charged for */
    uint64_t ordinal;
    void *made;
};

struct run {
    const struct stoa_run *plan;
    struct item *held; /* what assemble has joined so far */
    uint64_t next_ordinal;
    size_t nhelpers; /* most that shared the work of the sink at once */
};

/* Charges an item for so much memory from now on. */
static void charge(struct run *run, struct item *item, uint64_t nbytes)
{
    atomic_fetch_add(&run->plan->memory->nbytes, nbytes);
    atomic_fetch_sub(&run->plan->memory->nbytes, item->memory);
    item->memory = nbytes;
}

/* Memory that belongs to no item. */
static uint64_t kept_nbytes(const struct run *run)
{
    struct stoa_batch_source *source = run->plan->source;
    struct stoa_batch_sink *sink = run->plan->sink;

    return (source->kept_nbytes != NULL ? source->kept_nbytes(source) : 0) +
           (sink->kept_nbytes != NULL ? sink->kept_nbytes(sink) : 0) +
           run->nhelpers * sink->helper_nbytes;
}

static bool has_room(void *context)
{
    const struct run *run = context;

    return stoa_memory_has_room(run->plan->memory, kept_nbytes(run));
}

/* What a helper takes stays for the next one: only one more than ever before needs room. */
static bool may_help(void *context, size_t nhelping)
{
    struct run *run = context;

    if (nhelping < run->nhelpers)
        return true;
    if (!stoa_memory_has_room_for(run->plan->memory, kept_nbytes(run),
                                  run->plan->sink->helper_nbytes))
        return false;
    run->nhelpers++;
    return true;
}

static void drop_notes(struct item *item)
{
    for (size_t i = 0; i < item->nnotes; i++)
        item->notes[i]->free(item->notes[i]);
    item->nnotes = 0;
}

static void drop(void *context, void *dropped)
{
    struct run *run = context;
    struct item *item = dropped;

    if (item == NULL)
        return;
    if (item->unit != NULL)
        item->unit->free(item->unit);
    for (size_t i = 0; i < item->nbatches; i++)
        stoa_batch_reset(&item->batches[i]);
    stoa_free(item->batches);
    drop_notes(item);
    stoa_free(item->notes);
    if (item->made != NULL)
        run->plan->sink->item_free(run->plan->sink, item->made);
    charge(run, item, 0);
    stoa_free(item);
}

static bool prefetch(void *context)
{
    struct run *run = context;

    return run->plan->source->prefetch(run->plan->source);
}

static void set_counter(struct stoa_progress *progress, enum stoa_progress_counter counter,
                        uint64_t value)
{
    atomic_store_explicit(&progress->counters[counter], value, memory_order_relaxed);
}

static enum stoa_status stage_next(void *context, void **item, struct stoa_error *err)
{
    struct run *run = context;
    struct stoa_batch_source *source = run->plan->source;
    struct stoa_unit *unit = NULL;
    struct stoa_memory *memory = run->plan->memory;
    struct item *made = NULL;
    uint64_t done, total;
    enum stoa_status st;

    STOA_TRY(source->next(source, &unit, err));
    source->progress(source, &done, &total);
    set_counter(run->plan->progress, STOA_PROGRESS_BYTES_IN, done);
    set_counter(run->plan->progress, STOA_PROGRESS_TOTAL_BYTES, total);
    if (unit == NULL)
        goto out;
    STOA_TRY(stoa_memory_of_unit(memory, unit->nbytes, unit->nrows, &memory->last_nbytes, err));
    STOA_TRY(stoa_alloc_zeroed(&made, 1, sizeof(*made), err));
    made->unit = unit;
    unit = NULL;
    charge(run, made, memory->last_nbytes);
    *item = made;
out:
    if (unit != NULL)
        unit->free(unit);
    return st;
}

/* Keeps the rows that the filter selects and the columns of the output. */
static enum stoa_status filter_batch(const struct run *run, struct stoa_batch *batch,
                                     struct stoa_error *err)
{
    const struct stoa_schema *schema = run->plan->schema;
    struct stoa_batch kept = {0};
    uint8_t *selected = NULL;
    uint32_t *rows = NULL;
    uint32_t nrows = 0;
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&kept, schema, err));
    STOA_TRY(stoa_alloc(&selected, stoa_bitmap_nbytes(batch->nrows), err));
    STOA_TRY(stoa_alloc(&rows, batch->nrows * sizeof(*rows), err));
    STOA_TRY(stoa_matcher_eval(run->plan->matcher, batch, selected, err));
    for (size_t i = 0; i < batch->nrows; i++) {
        rows[nrows] = (uint32_t)i;
        nrows += stoa_bitmap_get(selected, i);
    }
    for (uint32_t i = 0; i < schema->nfields; i++) {
        if (nrows == batch->nrows) { /* all of them: as they are */
            kept.columns[i] = batch->columns[i];
            batch->columns[i] = (struct stoa_array){0};
        } else {
            STOA_TRY(stoa_array_take(&schema->fields[i], &batch->columns[i], rows, nrows,
                                     &kept.columns[i], err));
        }
    }
    kept.nrows = nrows;
    stoa_batch_reset(batch);
    *batch = kept;
    kept = (struct stoa_batch){0};
out:
    stoa_batch_reset(&kept);
    stoa_free(selected);
    stoa_free(rows);
    return st;
}

/*
 * What rows count in the size of a row group: their values. Of CSV it is text, and 8 bytes a field
 * where that is more: no matter of types, which may turn out to be others in the end.
 */
static uint64_t group_nbytes_of(const struct run *run, const struct stoa_batch *batch,
                                const struct stoa_text_unit *unit)
{
    uint64_t text, fields;

    if (!run->plan->counts_text)
        return stoa_memory_batch_nbytes(batch);
    text = unit->nrows > 0 ? unit->nbytes * batch->nrows / unit->nrows : 0;
    fields = (uint64_t)8 * batch->nrows * batch->ncolumns;
    return text > fields ? text : fields;
}

static enum stoa_status stage_read(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct item *item = *at;
    struct stoa_unit *unit = item->unit;
    struct stoa_batch *batch;
    enum stoa_status st;

    item->text = (struct stoa_text_unit){.nbytes = unit->nbytes, .nrows = unit->nrows};
    STOA_TRY(stoa_reserve(&item->batches, &item->capacity, 1, sizeof(*item->batches), err));
    STOA_TRY(stoa_reserve(&item->notes, &item->notes_capacity, 1, sizeof(*item->notes), err));
    batch = item->batches;
    *batch = (struct stoa_batch){0};
    item->notes[0] = NULL;
    item->unit = NULL; /* read() frees it in any case */
    STOA_TRY(run->plan->source->read(run->plan->source, unit, batch, &item->notes[0], err));
    item->nbatches = 1;
    item->nnotes = item->notes[0] != NULL;
    stoa_memory_learn(run->plan->memory, item->text.nbytes, batch);
    if (run->plan->matcher != NULL && batch->nrows > 0)
        STOA_TRY(filter_batch(run, batch, err));
    batch->schema = run->plan->schema;
    item->nrows = batch->nrows;
    item->nbytes = group_nbytes_of(run, batch, &item->text);
    charge(run, item,
           stoa_memory_of_batch(run->plan->memory, batch) +
               (item->nnotes > 0 ? item->notes[0]->nbytes : 0));
    if (item->nrows == 0 && item->nnotes == 0) {
        drop(run, item);
        *at = NULL;
    }
out:
    return st;
}

/* How many times so much, which fits, a full row group has. */
static double times_in_group(const struct run *run, uint64_t nrows, uint64_t nbytes)
{
    const double by_rows = (double)run->plan->group_nrows / (double)nrows;
    const double by_nbytes = (double)run->plan->group_nbytes / (double)(nbytes > 0 ? nbytes : 1);

    return by_rows < by_nbytes ? by_rows : by_nbytes;
}

/* Moves the batches of `from` behind those of `to`. */
static enum stoa_status join(struct run *run, struct item *to, struct item *from,
                             struct stoa_error *err)
{
    const double times = times_in_group(run, to->nrows + from->nrows, to->nbytes + from->nbytes);
    uint64_t memory;
    enum stoa_status st;

    STOA_TRY(
        stoa_memory_of_joined(run->plan->memory, to->memory, from->memory, times, &memory, err));
    STOA_TRY(stoa_reserve(&to->batches, &to->capacity, to->nbatches + from->nbatches,
                          sizeof(*to->batches), err));
    STOA_TRY(stoa_reserve(&to->notes, &to->notes_capacity, to->nnotes + from->nnotes,
                          sizeof(struct stoa_notes *), err));
    memcpy(to->batches + to->nbatches, from->batches, from->nbatches * sizeof(*from->batches));
    to->nbatches += from->nbatches;
    for (size_t i = 0; i < from->nnotes; i++)
        to->notes[to->nnotes++] = from->notes[i];
    from->nnotes = 0;
    to->nrows += from->nrows;
    to->nbytes += from->nbytes;
    charge(run, to, memory);
    from->nbatches = 0;
    drop(run, from);
out:
    return st;
}

/* Gives *item the next ordinal and takes it out of the run's hands. */
static void give_out(struct run *run, struct item *item, void **at)
{
    if (item != NULL)
        item->ordinal = run->next_ordinal++;
    *at = item;
}

/* A unit like the last one would not fit any more: no need to wait for the next one. */
static bool is_full(const struct run *run, const struct item *item, uint64_t last_nrows,
                    uint64_t last_nbytes)
{
    return item->nrows + last_nrows > run->plan->group_nrows ||
           item->nbytes + last_nbytes > run->plan->group_nbytes;
}

static bool fit_together(const struct run *run, const struct item *a, const struct item *b)
{
    return a->nrows + b->nrows <= run->plan->group_nrows &&
           a->nbytes + b->nbytes <= run->plan->group_nbytes;
}

static enum stoa_status stage_assemble(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct item *item = *at, *held = run->held;
    struct stoa_text_units *units = run->plan->units;
    const uint64_t nrows = item != NULL ? item->nrows : 0, nbytes = item != NULL ? item->nbytes : 0;
    enum stoa_status st = STOA_OK;

    if (item != NULL && item->nnotes > 0)
        STOA_TRY(run->plan->source->accept(run->plan->source, item->notes[0], err));
    if (item != NULL && item->nrows == 0) { /* its notes were all that it brought */
        drop(run, item);
        *at = NULL;
        return STOA_OK;
    }
    if (item != NULL && units != NULL) {
        STOA_TRY(stoa_reserve(&units->items, &units->capacity, units->nitems + 1,
                              sizeof(*units->items), err));
        units->items[units->nitems++] = item->text;
    }
    if (item == NULL || units != NULL ||
        !run->plan->sink->wants_groups) { /* the end, or nothing to join */
        run->held = NULL;
        give_out(run, item != NULL ? item : held, at);
        return STOA_OK;
    }
    if (held != NULL && !fit_together(run, held, item)) {
        run->held = item;
        give_out(run, held, at);
        return STOA_OK;
    }
    if (held != NULL)
        STOA_TRY(join(run, held, item, err)); /* on failure *at and `held` stay what they are */
    run->held = held != NULL ? held : item;
    *at = NULL;
    if (is_full(run, run->held, nrows, nbytes)) {
        give_out(run, run->held, at);
        run->held = NULL;
    }
out:
    return st;
}

/* One batch of all that the item holds. */
static enum stoa_status concat(const struct run *run, struct item *item, struct stoa_batch *out,
                               struct stoa_error *err)
{
    const struct stoa_schema *schema = run->plan->schema;
    const struct stoa_array **parts = NULL;
    struct stoa_batch batch = {0};
    enum stoa_status st;

    if (item->nbatches == 1) {
        *out = item->batches[0];
        item->nbatches = 0;
        return STOA_OK;
    }
    STOA_TRY(stoa_batch_init(&batch, schema, err));
    STOA_TRY(stoa_alloc_zeroed(&parts, item->nbatches, sizeof(*parts), err));
    for (uint32_t i = 0; i < schema->nfields; i++) {
        for (size_t k = 0; k < item->nbatches; k++)
            parts[k] = &item->batches[k].columns[i];
        STOA_TRY(
            stoa_array_concat(&schema->fields[i], parts, item->nbatches, &batch.columns[i], err));
        for (size_t k = 0; k < item->nbatches; k++)
            stoa_array_reset(&item->batches[k].columns[i]);
    }
    batch.nrows = (size_t)item->nrows;
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_free(parts);
    stoa_batch_reset(&batch);
    return st;
}

static enum stoa_status stage_prepare(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct stoa_batch_source *source = run->plan->source;
    struct item *item = *at;
    struct stoa_batch batch = {0};
    struct stoa_side side = {0};
    enum stoa_status st;

    STOA_TRY(concat(run, item, &batch, err));
    if (source->side != NULL && run->plan->sink->set_side != NULL)
        STOA_TRY(source->side(source, item->notes, item->nnotes, &batch, &side, err));
    drop_notes(item);
    STOA_TRY(run->plan->sink->prepare(run->plan->sink, item->ordinal, &batch, &item->made, err));
    if (side.ncolumns > 0)
        STOA_TRY(run->plan->sink->set_side(run->plan->sink, item->made, &side, err));
    side = (struct stoa_side){0};
out:
    stoa_batch_reset(&batch);
    stoa_side_reset(&side);
    return st;
}

static enum stoa_status stage_sequence(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct item *item = *at;

    return item == NULL ? STOA_OK : run->plan->sink->sequence(run->plan->sink, item->made, err);
}

static enum stoa_status stage_encode(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct stoa_batch_sink *sink = run->plan->sink;
    struct item *item = *at;
    enum stoa_status st = sink->encode(sink, item->made, err);

    /* What was freed just now is not all of use again, nor given back to the system. */
    if (st == STOA_OK && sink->encoded_nbytes != NULL)
        charge(run, item, sink->encoded_nbytes(item->made) + item->memory / 8);
    return st;
}

static enum stoa_status stage_commit(void *context, void **at, struct stoa_error *err)
{
    struct run *run = context;
    struct item *item = *at;
    void *made;

    if (item == NULL)
        return STOA_OK;
    made = item->made;
    item->made = NULL; /* commit() frees it in any case */
    stoa_progress_add(run->plan->progress, STOA_PROGRESS_ROWS, item->nrows);
    return run->plan->sink->commit(run->plan->sink, made, err);
}

/* Hands the sources of the text from the source to the sink, if both know of such. */
static enum stoa_status add_sources(const struct stoa_run *run, const char **obstacle,
                                    struct stoa_error *err)
{
    struct stoa_batch_source *source = run->source;
    const struct stoa_source_info *infos;
    size_t ninfos;
    enum stoa_status st = STOA_OK;

    if (source->sources == NULL || run->sink->add_sources == NULL)
        return STOA_OK;
    STOA_TRY(source->sources(source, &infos, &ninfos, err));
    for (size_t i = 0; i < ninfos && *obstacle == NULL; i++)
        *obstacle = stoa_source_obstacle(infos[i].flags);
    STOA_TRY(run->sink->add_sources(run->sink, infos, ninfos, err));
out:
    return st;
}

enum stoa_status stoa_run(const struct stoa_run *plan, const char **obstacle,
                          struct stoa_error *err)
{
    struct run run = {.plan = plan};
    struct stoa_pipeline_crew crew = {0};
    struct stoa_stage stages[7] = {
        {STOA_STAGE_ORDERED, stage_next},
        {STOA_STAGE_PARALLEL, stage_read},
        {STOA_STAGE_ORDERED, stage_assemble},
        {STOA_STAGE_PARALLEL, stage_prepare},
    };
    size_t nstages = 4;
    enum stoa_status st;

    if (plan->sink->set_crew != NULL)
        plan->sink->set_crew(plan->sink, &crew.crew);
    if (plan->sink->sequence != NULL)
        stages[nstages++] = (struct stoa_stage){STOA_STAGE_ORDERED, stage_sequence};
    if (plan->sink->encode != NULL)
        stages[nstages++] = (struct stoa_stage){STOA_STAGE_PARALLEL, stage_encode};
    stages[nstages++] = (struct stoa_stage){STOA_STAGE_ORDERED, stage_commit};
    st = stoa_pipeline_run(
        &(struct stoa_pipeline){
            .stages = stages,
            .nstages = nstages,
            .context = &run,
            .jobs = plan->jobs,
            .max_in_flight = 2 * (size_t)plan->jobs + 2,
            .has_room = has_room,
            .drop = drop,
            .prefetch = plan->source->prefetch != NULL ? prefetch : NULL,
            .crew = &crew,
            .may_help = may_help,
            .cancel = plan->cancel,
            .progress = plan->progress,
        },
        err);
    drop(&run, run.held);
    if (st == STOA_OK)
        st = add_sources(plan, obstacle, err);
    if (st == STOA_OK)
        st = plan->sink->finish(plan->sink, err);
    if (plan->sink->set_crew != NULL)
        plan->sink->set_crew(plan->sink, NULL);
    return st;
}
