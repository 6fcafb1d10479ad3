/*
 * Conversions from beginning to end: the plan, the output, the run, the report.
 */
#include <string.h>
#include <time.h>

#include <stoa/restore.h>

#include "base/error.h"
#include "convert/run.h"
#include "convert/stoa_side.h"
#include "convert/text_pack.h"
#include "convert/widening.h"
#include "csv/csv.h"
#include "exec/progress.h"
#include "io/spill.h"
#include "jsonl/jsonl.h"

struct conversion {
    const struct stoa_convert_options *options;
    struct stoa_plan_convert plan;
    struct stoa_batch_sink *sink;
    uint32_t nwidened; /* columns */
    struct stoa_progress progress;
    struct timespec start;
};

static void report_progress(void *context, const struct stoa_progress *progress)
{
    const struct conversion *conversion = context;
    const struct stoa_convert_progress now = {
        .done_nbytes = stoa_progress_get(progress, STOA_PROGRESS_BYTES_IN),
        .total_nbytes = stoa_progress_get(progress, STOA_PROGRESS_TOTAL_BYTES),
        .nrows = stoa_progress_get(progress, STOA_PROGRESS_ROWS),
        .seconds = stoa_seconds_since(&conversion->start),
    };

    conversion->options->progress(conversion->options->progress_context, &now);
}

static enum stoa_status open_sink(struct conversion *conversion, struct stoa_sink *output,
                                  struct stoa_error *err)
{
    const struct stoa_plan_convert *plan = &conversion->plan;
    const struct stoa_text_packer *packer = stoa_text_packer_find(plan->compress);

    switch (plan->to) {
    case STOA_FORMAT_STOA:
        return stoa_writer_sink_open(output, &plan->schema, &conversion->options->writer,
                                     &conversion->sink, err);
    case STOA_FORMAT_JSONL:
        return stoa_jsonl_sink_open(output, packer, &conversion->sink, err);
    default:
        return stoa_csv_sink_open(output, &plan->csv_out, packer, &plan->schema, &conversion->sink,
                                  err);
    }
}

/*
 * A sink that counts what goes through it, to `below`: the target, or a draft of it while the types
 * are guesses.
 */
struct counting_sink {
    struct stoa_sink base;
    struct stoa_sink *below;
    struct stoa_sink *target;
    uint64_t nbytes;
};

static enum stoa_status counting_write(struct stoa_sink *sink, const void *bytes, size_t nbytes,
                                       struct stoa_error *err)
{
    struct counting_sink *counting = (struct counting_sink *)sink;

    counting->nbytes += nbytes;
    return counting->below->write(counting->below, bytes, nbytes, err);
}

static void fill_report(const struct conversion *conversion, const struct counting_sink *output,
                        struct stoa_convert_report *report)
{
    *report = (struct stoa_convert_report){
        .from = conversion->plan.from,
        .to = conversion->plan.to,
        .ninputs = conversion->options->npaths,
        .nrows = stoa_progress_get(&conversion->progress, STOA_PROGRESS_ROWS),
        .input_nbytes = stoa_progress_get(&conversion->progress, STOA_PROGRESS_BYTES_IN),
        .output_nbytes = output->nbytes,
        .ncolumns = conversion->plan.schema.nfields,
        .nwidened = conversion->nwidened,
        .seconds = stoa_seconds_since(&conversion->start),
        .obstacle = conversion->plan.obstacle,
        .verified = conversion->options->verify && !conversion->options->dry_run,
    };
    if (conversion->plan.inputs != NULL) {
        stoa_csv_source_rejected(conversion->plan.source, &report->nskipped, &report->nrejected);
        report->nskipped -= report->nrejected;
    }
}

/* Whether two of the files are the same one, or standard output, by their names. */
static bool is_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The files of bad records; none is opened where they are not wanted. */
static enum stoa_status open_rejects(const struct stoa_convert_options *options,
                                     struct stoa_reject_sinks *out, struct stoa_error *err)
{
    const bool wanted = options->on_error == STOA_CSV_ON_ERROR_REJECT;
    const char *list = options->rejects, *raw = options->rejects_raw;
    enum stoa_status st = STOA_OK;

    if (wanted != (list != NULL || raw != NULL))
        return stoa_fail(err, STOA_ERR_USAGE,
                         wanted ? "bad records can be rejected into a file only: none is named"
                                : "a file for bad records needs them to be rejected");
    if (is_same(list, options->output) || is_same(raw, options->output) || is_same(list, raw))
        return stoa_fail(err, STOA_ERR_USAGE, "rows and bad records can't both go to %s",
                         is_same(list, "-") || is_same(raw, "-") ? "standard output" : "one file");
    if (list != NULL)
        STOA_TRY(stoa_sink_create_file(list, options->replace, &out->list, err));
    if (raw != NULL)
        STOA_TRY(stoa_sink_create_file(raw, options->replace, &out->raw, err));
out:
    return st;
}

/*
 * Bad records are kept when the run is through, and when there were too many of them: they tell
 * why.
 */
static enum stoa_status commit_rejects(const struct conversion *conversion,
                                       const struct stoa_reject_sinks *rejects, enum stoa_status st,
                                       struct stoa_error *err)
{
    uint64_t nrejected, nwritten;

    if (conversion->plan.inputs == NULL)
        return STOA_OK;
    if (st != STOA_OK && !stoa_csv_source_rejected(conversion->plan.source, &nrejected, &nwritten))
        return STOA_OK;
    st = STOA_OK;
    if (rejects->list != NULL)
        STOA_TRY(rejects->list->commit(rejects->list, err));
    if (rejects->raw != NULL)
        STOA_TRY(rejects->raw->commit(rejects->raw, err));
out:
    return st;
}

/* Restores all inputs from the output, without writing them anywhere. */
static enum stoa_status verify(const struct conversion *conversion, struct stoa_error *err)
{
    const struct stoa_restore_options options = {
        .path = conversion->options->output,
        .jobs = conversion->plan.jobs,
        .cancel = conversion->options->cancel,
    };

    return stoa_restore(&options, NULL, err);
}

/* ---- Types that are guesses until all is read. ---- */

/* The draft is the target itself where that can be read again. */
static enum stoa_status open_draft(const struct conversion *conversion,
                                   struct counting_sink *output, struct stoa_error *err)
{
    if (!conversion->plan.may_widen || output->target->reopen != NULL)
        return STOA_OK;
    return stoa_sink_create_spill(&output->below, err);
}

static enum stoa_status copy_bytes(const struct conversion *conversion, struct stoa_source *from,
                                   struct stoa_sink *to, struct stoa_error *err)
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
static enum stoa_status tell_widened(const struct conversion *conversion, const bool *widens,
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

/* Writes the draft once more with the types that hold all values, or without its text. */
static enum stoa_status write_anew(struct conversion *conversion, struct stoa_source *draft,
                                   const bool *widens, struct counting_sink *output,
                                   struct stoa_error *err)
{
    const struct stoa_reader_options memory = {.memory_nbytes =
                                                   conversion->plan.memory.limit_nbytes};
    struct stoa_widen widen = {
        .options = &conversion->plan.csv_in,
        .widens = widens,
        .drops_text = conversion->options->no_source_text,
        .jobs = conversion->plan.jobs,
        .cancel = conversion->options->cancel,
        .progress = &conversion->progress,
    };
    struct stoa_schema schema = {0};
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(draft, &memory, &widen.reader, err));
    STOA_TRY(stoa_widen_decide(&widen, &schema, err));
    STOA_TRY(stoa_widen_write(&widen, &schema, &output->base, err));
    STOA_TRY(tell_widened(conversion, widens, &schema, err));
out:
    stoa_reader_close(widen.reader);
    stoa_schema_reset(&schema);
    return st;
}

/* Makes the target of the draft, unless the draft is good as it is. */
static enum stoa_status settle(struct conversion *conversion, struct counting_sink *output,
                               struct stoa_error *err)
{
    const struct stoa_convert_options *options = conversion->options;
    const struct stoa_plan_convert *plan = &conversion->plan;
    struct stoa_sink *draft = output->below;
    struct stoa_source *source = NULL;
    bool *widens = NULL, anew;
    enum stoa_status st = STOA_OK;

    if (!plan->may_widen)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&widens, plan->schema.nfields, sizeof(*widens), err));
    for (uint32_t i = 0; i < plan->schema.nfields; i++) {
        widens[i] = stoa_csv_source_misfit(plan->source, i) != NULL;
        conversion->nwidened += widens[i];
    }
    anew = conversion->nwidened > 0 || options->no_source_text;
    if (!anew && draft == output->target)
        goto out;
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
    stoa_source_close(source);
    if (draft != output->target)
        stoa_sink_close(draft);
    if (output->below == draft)
        output->below = output->target;
    stoa_free(widens);
    return st;
}

enum stoa_status stoa_convert(const struct stoa_convert_options *options,
                              struct stoa_convert_report *report, struct stoa_error *err)
{
    struct conversion conversion = {.options = options};
    struct counting_sink output = {.base = {.write = counting_write}};
    struct stoa_reject_sinks rejects = {0};
    enum stoa_status st;

    clock_gettime(CLOCK_MONOTONIC, &conversion.start);
    stoa_progress_init(&conversion.progress, options->progress != NULL ? report_progress : NULL,
                       &conversion);
    /* An output that can't be is known before any input is read. */
    STOA_TRY(stoa_sink_create_file(options->output, options->replace, &output.target, err));
    output.below = output.target;
    output.base.name = output.target->name;
    STOA_TRY(open_rejects(options, &rejects, err));
    STOA_TRY(stoa_plan_convert_init(&conversion.plan, options, &rejects, err));
    if (options->dry_run) { /* the sink is closed without a commit: no trace */
        if (report != NULL)
            fill_report(&conversion, &output, report);
        goto out;
    }
    STOA_TRY(open_draft(&conversion, &output, err));
    STOA_TRY(open_sink(&conversion, &output.base, err));
    st = stoa_run(&conversion.plan, conversion.sink, options->cancel, &conversion.progress, err);
    if (st != STOA_OK) {
        (void)commit_rejects(&conversion, &rejects, st, NULL); /* the first error is told */
        goto out;
    }
    STOA_TRY(commit_rejects(&conversion, &rejects, st, err));
    STOA_TRY(settle(&conversion, &output, err));
    STOA_TRY(output.target->commit(output.target, err));
    if (options->verify)
        STOA_TRY(verify(&conversion, err));
    if (report != NULL)
        fill_report(&conversion, &output, report);
out:
    if (conversion.sink != NULL)
        conversion.sink->close(conversion.sink);
    stoa_plan_convert_reset(&conversion.plan);
    stoa_sink_close(rejects.list);
    stoa_sink_close(rejects.raw);
    if (output.below != output.target)
        stoa_sink_close(output.below);
    stoa_sink_close(output.target);
    return st;
}
