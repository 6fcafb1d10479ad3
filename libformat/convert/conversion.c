/*
 * Running a conversion whose types may be guesses (spec/csv.md, "Widening").
 *
 *     no guesses           source ------------------------------------------> output
 *     a Stoa file          source -> output, as a draft -[ columns anew ]---> output
 *     filter, other format source -> draft of all rows -> [ columns anew ] -> filter -> output
 *
 * Rows that are to be sorted are guessed in the third way; in front of the output they go through
 * sorting.h.
 *
 * A draft has nulls where values were not of their columns' types, and their text beside them. In
 * the second way everything but the columns that widen is copied as it is encoded; when none does,
 * the draft is the output, and nothing is written twice. In the third way rows go through a
 * temporary file in any case: which of them the filter selects, and what their text is, is certain
 * only at the end. Units stay row groups there, so that the run from the draft is in everything the
 * run that final types would have had.
 */
#include "convert/conversion.h"

#include <string.h>

#include "avro/avro_sink.h"
#include "base/error.h"
#include "column/schema.h"
#include "convert/sorting.h"
#include "convert/stoa_side.h"
#include "convert/text_pack.h"
#include "convert/widening.h"
#include "csv/csv.h"
#include "file/rules.h"
#include "io/spill.h"
#include "jsonl/jsonl.h"

/* ---- One run. ---- */

/* What rows of Avro are called: as the first input, its folder and endings left aside. */
static void name_record(const struct stoa_convert_options *options, char *out, size_t nout)
{
    const char *path = options->paths[0], *slash = strrchr(path, '/');
    size_t nbytes;

    path = strcmp(path, "-") == 0 ? "rows" : slash != NULL ? slash + 1 : path;
    nbytes = strcspn(path, ".");
    nbytes = nbytes < nout ? nbytes : nout - 1;
    memcpy(out, path, nbytes);
    out[nbytes] = '\0';
}

static enum stoa_status open_sink(struct stoa_conversion *conversion, struct stoa_output *output,
                                  struct stoa_error *err)
{
    const struct stoa_plan_convert *plan = &conversion->plan;
    const struct stoa_text_packer *packer = stoa_text_packer_find(plan->compress);
    struct stoa_writer_options writer = plan->writer;
    char name[256];

    switch (plan->to) {
    case STOA_FORMAT_STOA:
        if (plan->order.nkeys > 0)
            writer.order = &plan->order;
        return stoa_writer_sink_open(&output->base, &plan->schema, &writer,
                                     stoa_rules_of_level(conversion->options->writer.level),
                                     plan->memory.limit_nbytes, &conversion->sink, err);
    case STOA_FORMAT_JSONL:
        return stoa_jsonl_sink_open(&output->base, packer, &conversion->sink, err);
    case STOA_FORMAT_AVRO:
        name_record(conversion->options, name, sizeof(name));
        return stoa_avro_sink_open(&output->base, &plan->schema, name,
                                   &conversion->options->avro_out, &conversion->sink, err);
    default:
        return stoa_csv_sink_open(&output->base, &plan->csv_out, packer, &plan->schema,
                                  &conversion->sink, err);
    }
}

static void close_sink(struct stoa_conversion *conversion)
{
    if (conversion->sink != NULL)
        conversion->sink->close(conversion->sink);
    conversion->sink = NULL;
}

static struct stoa_run run_of(struct stoa_conversion *conversion)
{
    struct stoa_plan_convert *plan = &conversion->plan;

    return (struct stoa_run){
        .source = plan->source,
        .sink = conversion->sink,
        .schema = &plan->schema,
        .matcher = plan->matcher,
        .group_nrows = plan->group_nrows,
        .group_nbytes = plan->group_nbytes,
        .counts_text = plan->kind->counts_text,
        .memory = &plan->memory,
        .jobs = plan->jobs,
        .cancel = conversion->options->cancel,
        .progress = &conversion->progress,
    };
}

/* Runs to the output: as rows come, or sorted by way of temporary files. */
static enum stoa_status run_to_output(struct stoa_conversion *conversion, struct stoa_run *run,
                                      struct stoa_output *output, struct stoa_error *err)
{
    struct stoa_plan_convert *plan = &conversion->plan;
    struct stoa_batch_source *sorted = NULL;
    enum stoa_status st;

    if (plan->sorts) {
        STOA_TRY(stoa_sort_run(run, &plan->order, &sorted, err));
        atomic_store(&conversion->progress.counters[STOA_PROGRESS_ROWS], 0);
        stoa_plan_memory_again(plan, conversion->options, &plan->schema);
        run->source = sorted;
        run->matcher = NULL;
        run->counts_text = false;
    }
    STOA_TRY(open_sink(conversion, output, err));
    run->sink = conversion->sink;
    STOA_TRY(stoa_run(run, &plan->obstacle, err));
out:
    if (sorted != NULL)
        sorted->close(sorted);
    return st;
}

/* All rows of the source, with all of its columns. */
static enum stoa_status run_to_draft(struct stoa_conversion *conversion, struct stoa_output *output,
                                     struct stoa_error *err)
{
    struct stoa_plan_convert *plan = &conversion->plan;
    struct stoa_writer_options writer = conversion->options->writer;
    struct stoa_run run;
    enum stoa_status st;

    writer.nblooms = 0;
    STOA_TRY(stoa_sink_create_spill(&output->below, err));
    STOA_TRY(stoa_writer_sink_open(&output->base, plan->source->schema, &writer, &stoa_draft_rules,
                                   plan->memory.limit_nbytes, &conversion->sink, err));
    run = run_of(conversion);
    run.schema = plan->source->schema;
    run.matcher = NULL;
    run.units = &conversion->units;
    STOA_TRY(stoa_run(&run, &plan->obstacle, err));
out:
    return st;
}

enum stoa_status stoa_conversion_run(struct stoa_conversion *conversion, struct stoa_output *output,
                                     struct stoa_error *err)
{
    struct stoa_plan_convert *plan = &conversion->plan;
    struct stoa_run run;
    enum stoa_status st;

    if (plan->draft == STOA_DRAFT_ROWS)
        return run_to_draft(conversion, output, err);
    if (plan->draft == STOA_DRAFT_OUTPUT && output->target->reopen == NULL)
        STOA_TRY(stoa_sink_create_spill(&output->below, err));
    run = run_of(conversion);
    STOA_TRY(run_to_output(conversion, &run, output, err));
out:
    return st;
}

/* ---- From the draft to the output. ---- */

static enum stoa_status copy_bytes(const struct stoa_conversion *conversion,
                                   struct stoa_source *from, struct stoa_sink *to,
                                   struct stoa_error *err)
{
    const size_t step = (size_t)1 << 20;
    uint8_t *bytes;
    enum stoa_status st = stoa_alloc(&bytes, step, err);

    for (uint64_t at = 0; st == STOA_OK && at < from->nbytes; at += step) {
        size_t nbytes = from->nbytes - at < step ? (size_t)(from->nbytes - at) : step;

        if (conversion->options->cancel != NULL && *conversion->options->cancel != 0)
            st = stoa_fail(err, STOA_ERR_CANCELLED, "stopped on request");
        if (st == STOA_OK)
            st = from->read_at(from, at, bytes, nbytes, err);
        if (st == STOA_OK)
            st = to->write(to, bytes, nbytes, err);
    }
    stoa_free(bytes);
    return st;
}

/* Tells of each column that widened what it is now, and why. */
static enum stoa_status tell_widened(const struct stoa_conversion *conversion, const bool *widens,
                                     const struct stoa_schema *schema, struct stoa_error *err)
{
    const struct stoa_convert_options *options = conversion->options;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; options->note != NULL && st == STOA_OK && i < schema->nfields; i++) {
        struct stoa_error note;
        char *type;

        if (!widens[i])
            continue;
        st = stoa_type_print(&schema->fields[i], &type, err);
        if (st != STOA_OK)
            break;
        stoa_fail(&note, STOA_ERR_DATA, "%s: the column is %s now",
                  stoa_csv_source_misfit(conversion->plan.source, i), type);
        options->note(options->note_context, note.message);
        stoa_free(type);
    }
    return st;
}

/* The columns of the output are the first ones of the draft. */
static enum stoa_status take_schema(struct stoa_plan_convert *plan,
                                    const struct stoa_schema *schema, struct stoa_error *err)
{
    struct stoa_schema first = *schema, taken = {0};
    enum stoa_status st;

    first.nfields = plan->schema.nfields;
    STOA_TRY(stoa_schema_copy(&taken, &first, err));
    stoa_schema_reset(&plan->schema);
    plan->schema = taken;
out:
    return st;
}

/* Runs from the draft, with the columns as they are in the end. */
static enum stoa_status run_from_draft(struct stoa_conversion *conversion,
                                       const struct stoa_widen *widen,
                                       const struct stoa_schema *schema, struct stoa_output *output,
                                       struct stoa_error *err)
{
    const struct stoa_convert_options *options = conversion->options;
    struct stoa_plan_convert *plan = &conversion->plan;
    struct stoa_batch_source *source = NULL;
    struct stoa_matcher *matcher = NULL;
    struct stoa_run run;
    enum stoa_status st;

    STOA_TRY(take_schema(plan, schema, err));
    if (options->filter != NULL)
        STOA_TRY(stoa_filter_bind(options->filter, schema, &matcher, err));
    STOA_TRY(stoa_widen_source_open(widen, schema, &conversion->units, &source, err));
    stoa_plan_memory_again(plan, options, schema);
    atomic_store(&conversion->progress.counters[STOA_PROGRESS_ROWS], 0);
    run = run_of(conversion);
    run.source = source;
    run.matcher = matcher;
    STOA_TRY(run_to_output(conversion, &run, output, err));
out:
    stoa_matcher_free(matcher);
    if (source != NULL)
        source->close(source);
    return st;
}

/* Makes the output of the draft with the types that hold all values. */
static enum stoa_status write_anew(struct stoa_conversion *conversion, struct stoa_source *draft,
                                   const bool *widens, struct stoa_output *output,
                                   struct stoa_error *err)
{
    const struct stoa_plan_convert *plan = &conversion->plan;
    const struct stoa_reader_options memory = {.memory_nbytes = plan->memory.limit_nbytes};
    struct stoa_widen widen = {
        .options = &plan->csv_in,
        .widens = widens,
        .rules = stoa_rules_of_level(conversion->options->writer.level),
        .writer = &conversion->options->writer,
        .drops_text = !plan->keeps_text,
        .jobs = plan->jobs,
        .cancel = conversion->options->cancel,
        .progress = &conversion->progress,
    };
    struct stoa_schema schema = {0};
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(draft, &memory, &widen.reader, err));
    STOA_TRY(stoa_widen_decide(&widen, &schema, err));
    STOA_TRY(tell_widened(conversion, widens, &schema, err));
    if (plan->draft == STOA_DRAFT_ROWS)
        STOA_TRY(run_from_draft(conversion, &widen, &schema, output, err));
    else
        STOA_TRY(stoa_widen_write(&widen, &schema, &output->base, err));
out:
    stoa_reader_close(widen.reader);
    stoa_schema_reset(&schema);
    return st;
}

/* Which columns of the draft widen. */
static enum stoa_status find_widened(struct stoa_conversion *conversion, bool **out,
                                     struct stoa_error *err)
{
    const struct stoa_batch_source *source = conversion->plan.source;
    const uint32_t ncolumns = source->schema->nfields;
    bool *widens;
    enum stoa_status st = stoa_alloc_zeroed(&widens, ncolumns, sizeof(*widens), err);

    for (uint32_t i = 0; st == STOA_OK && i < ncolumns; i++) {
        widens[i] = stoa_csv_source_misfit(source, i) != NULL;
        conversion->nwidened += widens[i];
    }
    if (st == STOA_OK)
        *out = widens;
    return st;
}

enum stoa_status stoa_conversion_settle(struct stoa_conversion *conversion,
                                        struct stoa_output *output, struct stoa_error *err)
{
    const struct stoa_convert_options *options = conversion->options;
    const struct stoa_plan_convert *plan = &conversion->plan;
    struct stoa_sink *draft = output->below;
    struct stoa_source *source = NULL;
    bool *widens = NULL, anew;
    enum stoa_status st = STOA_OK;

    if (plan->draft == STOA_DRAFT_NONE)
        return STOA_OK;
    STOA_TRY(find_widened(conversion, &widens, err));
    anew = conversion->nwidened > 0 || !plan->keeps_text;
    if (!anew && draft == output->target)
        goto out;
    close_sink(conversion);
    STOA_TRY(draft->reopen(draft, &source, err));
    if (draft == output->target) {
        output->target = NULL;
        STOA_TRY(stoa_sink_create_file(options->output, options->replace, &output->target, err));
    }
    output->below = output->target;
    output->nbytes = 0;
    st = anew ? write_anew(conversion, source, widens, output, err)
              : copy_bytes(conversion, source, &output->base, err);
out:
    close_sink(conversion);
    stoa_source_close(source);
    if (draft != output->target)
        stoa_sink_close(draft);
    if (output->below == draft)
        output->below = output->target;
    stoa_free(widens);
    return st;
}

/* ---- A second run. ---- */

bool stoa_conversion_misfit(const struct stoa_conversion *conversion)
{
    const struct stoa_plan_convert *plan = &conversion->plan;

    return plan->kind->misfit != NULL && plan->kind->misfit(plan->source);
}

void stoa_conversion_again(struct stoa_conversion *conversion)
{
    close_sink(conversion);
    stoa_plan_convert_again(&conversion->plan);
    for (size_t i = 0; i < STOA_PROGRESS_NCOUNTERS; i++)
        atomic_store(&conversion->progress.counters[i], 0);
}

static enum stoa_status tell_change(const struct stoa_convert_options *options,
                                    const struct stoa_field *field, const struct stoa_field *guess,
                                    struct stoa_error *err)
{
    char name[128], *type = NULL, *guessed = NULL;
    struct stoa_error note;
    enum stoa_status st = STOA_OK;

    if (options->note == NULL)
        return STOA_OK;
    stoa_quote(name, sizeof(name), field->name, strlen(field->name));
    STOA_TRY(stoa_type_print(field, &type, err));
    if (guess == NULL) {
        stoa_fail(&note, STOA_ERR_DATA, "%s: a key behind the sample: a column of %s", name, type);
    } else {
        STOA_TRY(stoa_type_print(guess, &guessed, err));
        stoa_fail(&note, STOA_ERR_DATA,
                  "%s: %s in the sample, but not behind it: the column is %s now", name, guessed,
                  type);
    }
    options->note(options->note_context, note.message);
out:
    stoa_free(type);
    stoa_free(guessed);
    return st;
}

enum stoa_status stoa_conversion_tell_changes(struct stoa_conversion *conversion,
                                              struct stoa_error *err)
{
    const struct stoa_schema *guess = conversion->plan.guess, *schema = &conversion->plan.schema;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < schema->nfields; i++) {
        const struct stoa_field *field = &schema->fields[i], *before = NULL;
        uint32_t found;

        if (i < guess->nfields && strcmp(guess->fields[i].name, field->name) == 0)
            before = &guess->fields[i];
        else if (stoa_fields_find(guess->fields, guess->nfields, field->name, &found) == 1 &&
                 strcmp(guess->fields[found].name, field->name) == 0)
            before = &guess->fields[found];
        if (before != NULL && stoa_field_equal(field, before))
            continue;
        conversion->nwidened++;
        STOA_TRY(tell_change(conversion->options, field, before, err));
    }
out:
    return st;
}

void stoa_conversion_reset(struct stoa_conversion *conversion)
{
    close_sink(conversion);
    stoa_plan_convert_reset(&conversion->plan);
    stoa_free(conversion->units.items);
}
