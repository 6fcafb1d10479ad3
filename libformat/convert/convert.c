/*
 * Conversions from beginning to end: the plan, the output, the report. What is in between is in
 * conversion.h.
 */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <stoa/reader.h>

#include "base/error.h"
#include "convert/conversion.h"
#include "convert/restore_file.h"

static void report_progress(void *context, const struct stoa_progress *progress)
{
    const struct stoa_conversion *conversion = context;
    const struct stoa_convert_progress now = {
        .done_nbytes = stoa_progress_get(progress, STOA_PROGRESS_BYTES_IN),
        .total_nbytes = stoa_progress_get(progress, STOA_PROGRESS_TOTAL_BYTES),
        .nrows = stoa_progress_get(progress, STOA_PROGRESS_ROWS),
        .seconds = stoa_seconds_since(&conversion->start),
    };

    conversion->options->progress(conversion->options->progress_context, &now);
}

static enum stoa_status output_write(struct stoa_sink *sink, const void *bytes, size_t nbytes,
                                     struct stoa_error *err)
{
    struct stoa_output *output = (struct stoa_output *)sink;

    output->nbytes += nbytes;
    return output->below->write(output->below, bytes, nbytes, err);
}

static void fill_report(const struct stoa_conversion *conversion, const struct stoa_output *output,
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
    if (conversion->plan.kind->rejected != NULL) {
        conversion->plan.kind->rejected(conversion->plan.source, &report->nskipped,
                                        &report->nrejected, &report->nrejected_raw);
        report->nskipped -= report->nrejected;
    }
    if (conversion->plan.kind->lost != NULL)
        conversion->plan.kind->lost(conversion->plan.source, &report->lost);
}

static bool is_same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The last part of a path in *name; false when there is no folder for it. */
static bool find_folder(const char *path, struct stat *folder, const char **name)
{
    const char *slash = strrchr(path, '/');
    const size_t nbytes = slash != NULL ? (size_t)(slash - path) + 1 : 1;
    char text[PATH_MAX];

    *name = slash != NULL ? slash + 1 : path;
    if (nbytes >= sizeof(text))
        return false;
    memcpy(text, slash != NULL ? path : ".", nbytes);
    text[nbytes] = '\0';
    return stat(text, folder) == 0;
}

/*
 * Whether two paths lead to one file: as it is, or as it would be made. Devices go by their names:
 * /dev/stdout and /dev/stderr may both be the terminal.
 */
static bool is_same_file(const char *a, const char *b)
{
    const char *a_name, *b_name;
    struct stat x, y;

    if (stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode))
        return is_same_inode(&x, &y);
    return find_folder(a, &x, &a_name) && find_folder(b, &y, &b_name) && is_same_inode(&x, &y) &&
           strcmp(a_name, b_name) == 0;
}

/* Whether two outputs, of which each may be NULL, are both standard output or one file. */
static bool is_same_output(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return false;
    if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return strcmp(a, b) == 0;
    return is_same_file(a, b);
}

/* What is written must not replace an input: `what` needs a file of its own. */
static enum stoa_status check_no_input(const struct stoa_convert_options *options, const char *path,
                                       const char *what, struct stoa_error *err)
{
    char shown[256];

    if (path == NULL || strcmp(path, "-") == 0)
        return STOA_OK;
    for (size_t i = 0; i < options->npaths; i++)
        if (strcmp(options->paths[i], "-") != 0 && is_same_file(options->paths[i], path))
            return stoa_fail(err, STOA_ERR_USAGE, "%s: is an input: %s another file",
                             stoa_quote(shown, sizeof(shown), path, strlen(path)), what);
    return STOA_OK;
}

/* The files of bad records are wanted, and are nothing else. */
static enum stoa_status check_rejects(const struct stoa_convert_options *options,
                                      struct stoa_error *err)
{
    const bool wanted = options->on_error == STOA_CSV_ON_ERROR_REJECT;
    const char *list = options->rejects, *raw = options->rejects_raw;
    enum stoa_status st;

    if (wanted != (list != NULL || raw != NULL))
        return stoa_fail(err, STOA_ERR_USAGE,
                         wanted ? "bad records can be rejected into a file only: none is named"
                                : "a file for bad records needs them to be rejected");
    if (is_same_output(list, raw))
        return stoa_fail(err, STOA_ERR_USAGE,
                         "the list of bad records and the records can't both go to %s",
                         strcmp(list, "-") == 0 ? "standard output" : "one file");
    if (is_same_output(list, options->output) || is_same_output(raw, options->output))
        return stoa_fail(err, STOA_ERR_USAGE, "rows and bad records can't both go to %s",
                         strcmp(options->output, "-") == 0 ? "standard output" : "one file");
    STOA_TRY(check_no_input(options, list, "bad records need", err));
    STOA_TRY(check_no_input(options, raw, "bad records need", err));
out:
    return st;
}

/* Whether a sink that may be NULL can't be written anew. */
static bool is_final(const struct stoa_sink *sink)
{
    return sink != NULL && sink->reopen == NULL;
}

/* The files of bad records; none is opened where they are not wanted. */
static enum stoa_status open_rejects(const struct stoa_convert_options *options,
                                     const struct stoa_sink *target, struct stoa_reject_sinks *out,
                                     struct stoa_error *err)
{
    const char *list = options->rejects, *raw = options->rejects_raw;
    enum stoa_status st = STOA_OK;

    if (list != NULL)
        STOA_TRY(stoa_sink_create_file(list, options->replace, &out->list, err));
    if (raw != NULL)
        STOA_TRY(stoa_sink_create_file(raw, options->replace, &out->raw, err));
    out->is_final = is_final(target) || is_final(out->list) || is_final(out->raw);
out:
    return st;
}

/*
 * Bad records are kept when the run is through, and when there were too many of them: they tell
 * why.
 */
static enum stoa_status commit_rejects(const struct stoa_conversion *conversion,
                                       const struct stoa_reject_sinks *rejects, enum stoa_status st,
                                       struct stoa_error *err)
{
    uint64_t nrejected, nwritten, nraw;

    if (conversion->plan.kind->rejected == NULL)
        return STOA_OK;
    if (st != STOA_OK &&
        !conversion->plan.kind->rejected(conversion->plan.source, &nrejected, &nwritten, &nraw))
        return STOA_OK;
    st = STOA_OK;
    if (rejects->list != NULL)
        STOA_TRY(rejects->list->commit(rejects->list, err));
    if (rejects->raw != NULL)
        STOA_TRY(rejects->raw->commit(rejects->raw, err));
out:
    return st;
}

/* Only what can be read back can be verified. */
static enum stoa_status check_verify(const struct stoa_convert_options *options,
                                     const struct stoa_sink *target, struct stoa_error *err)
{
    if (!options->verify || target->reopen != NULL)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_USAGE, "%s can't be verified: only a file can be read back",
                     target->name);
}

static void keep_finding(void *context, const struct stoa_error *finding)
{
    struct stoa_error *first = context;

    if (first->status == STOA_OK)
        *first = *finding;
}

/* Every hash of the file. */
static enum stoa_status verify_hashes(struct stoa_source *file, struct stoa_error *err)
{
    struct stoa_error finding = {0};
    const struct stoa_verify_options options = {.report = keep_finding, .context = &finding};
    struct stoa_verify_result result;
    enum stoa_status st;

    STOA_TRY(stoa_verify(file, &options, &result, err));
    st = finding.status;
    if (st != STOA_OK && err != NULL)
        *err = finding;
out:
    return st == STOA_OK ? st : stoa_wrap(err, st, "%s", file->name);
}

/* Reads an output that has no name yet, and restores all inputs without writing them anywhere. */
static enum stoa_status verify(const struct stoa_conversion *conversion, struct stoa_sink *target,
                               struct stoa_error *err)
{
    const struct stoa_restore_options options = {
        .jobs = conversion->plan.jobs,
        .memory_nbytes = conversion->plan.memory.limit_nbytes,
        .cancel = conversion->options->cancel,
    };
    struct stoa_source *file = NULL;
    enum stoa_status st;

    STOA_TRY(target->reopen(target, &file, err));
    STOA_TRY(verify_hashes(file, err));
    STOA_TRY(stoa_restore_file(file, true, &options, NULL, err));
out:
    stoa_source_close(file);
    return st;
}

/* The sinks of a run, and its plan. */
static enum stoa_status begin(struct stoa_conversion *conversion, struct stoa_output *output,
                              struct stoa_reject_sinks *rejects, struct stoa_error *err)
{
    const struct stoa_convert_options *options = conversion->options;
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_file(options->output, options->replace, &output->target, err));
    output->below = output->target;
    output->base.name = output->target->name;
    output->nbytes = 0;
    STOA_TRY(check_verify(options, output->target, err));
    STOA_TRY(open_rejects(options, output->target, rejects, err));
    STOA_TRY(stoa_plan_convert_init(&conversion->plan, options, rejects, err));
out:
    return st;
}

static void close_sinks(struct stoa_output *output, struct stoa_reject_sinks *rejects)
{
    stoa_sink_close(rejects->list);
    stoa_sink_close(rejects->raw);
    if (output->below != output->target)
        stoa_sink_close(output->below);
    stoa_sink_close(output->target);
    *rejects = (struct stoa_reject_sinks){0};
    output->below = output->target = NULL;
}

/*
 * A guess of the source turned out to be wrong: what was written is forgotten, and the conversion
 * begins anew with types that all records say.
 */
static enum stoa_status begin_anew(struct stoa_conversion *conversion,
                                   struct stoa_convert_options *full, struct stoa_output *output,
                                   struct stoa_reject_sinks *rejects, struct stoa_error *err)
{
    enum stoa_status st;

    stoa_conversion_again(conversion);
    close_sinks(output, rejects);
    *full = *conversion->options;
    full->csv.infer = STOA_CSV_INFER_FULL;
    conversion->options = full;
    STOA_TRY(begin(conversion, output, rejects, err));
    STOA_TRY(stoa_conversion_tell_changes(conversion, err));
out:
    return st;
}

enum stoa_status stoa_convert(const struct stoa_convert_options *options,
                              struct stoa_convert_report *report, struct stoa_error *err)
{
    struct stoa_conversion conversion = {.options = options};
    struct stoa_convert_options full;
    struct stoa_output output = {.base = {.write = output_write}};
    struct stoa_reject_sinks rejects = {0};
    enum stoa_status st;

    clock_gettime(CLOCK_MONOTONIC, &conversion.start);
    stoa_progress_init(&conversion.progress, options->progress != NULL ? report_progress : NULL,
                       &conversion);
    /* An output that can't be is known before any input is read. */
    STOA_TRY(check_no_input(options, options->output, "the output needs", err));
    STOA_TRY(check_rejects(options, err));
    STOA_TRY(begin(&conversion, &output, &rejects, err));
    if (options->dry_run) { /* the sink is closed without a commit: no trace */
        if (report != NULL)
            fill_report(&conversion, &output, report);
        goto out;
    }
    st = stoa_conversion_run(&conversion, &output, err);
    if (st == STOA_ERR_DATA && stoa_conversion_misfit(&conversion)) {
        STOA_TRY(begin_anew(&conversion, &full, &output, &rejects, err));
        st = stoa_conversion_run(&conversion, &output, err);
    }
    if (st != STOA_OK) {
        (void)commit_rejects(&conversion, &rejects, st, NULL); /* the first error is told */
        goto out;
    }
    STOA_TRY(commit_rejects(&conversion, &rejects, st, err));
    STOA_TRY(stoa_conversion_settle(&conversion, &output, err));
    if (options->verify)
        STOA_TRY(verify(&conversion, output.target, err));
    STOA_TRY(output.target->commit(output.target, err));
    if (report != NULL)
        fill_report(&conversion, &output, report);
out:
    stoa_conversion_reset(&conversion);
    close_sinks(&output, &rejects);
    return st;
}
