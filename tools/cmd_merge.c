/*
 * stoa merge
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "json_out.h"
#include "term_progress.h"

/* Everything that the options own. */
struct job {
    struct stoa_merge_options options;
    struct stoa_merge_input *inputs;
    char **paths;
    size_t npaths;
    const char *output;
    enum progress_mode progress;
    bool replace;
    bool dry_run;
};

static void show_progress(void *context, const struct stoa_convert_progress *progress)
{
    struct job *job = context;

    progress_show(&job->progress, progress);
}

static void show_merge_note(void *context, const char *text)
{
    const struct job *job = context;

    progress_clear(job->progress);
    show_note(NULL, text);
}

/* What -o asks for makes sense; false after a message. */
static bool check_output(const struct job *job, bool json)
{
    if (job->output == NULL) {
        complain("merge: where to? -o FILE names the output, -o - is standard output");
        return false;
    }
    if (strcmp(job->output, "-") != 0)
        return true;
    if (json && !job->dry_run) {
        complain("merge --json: standard output holds the file (--progress json tells more)");
        return false;
    }
    if (isatty(STDOUT_FILENO) && !job->dry_run) {
        complain("merge -o -: a Stoa file is not for the terminal");
        return false;
    }
    return true;
}

static bool are_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool job_init(struct job *job, const struct arguments *arguments, enum exit_code *code)
{
    *code = EXIT_USAGE;
    job->output = arguments->values[OPT_OUTPUT];
    job->dry_run = has_option(arguments, OPT_DRY_RUN);
    job->options.join = option_join(arguments);
    if (!progress_mode_find(arguments->values[OPT_PROGRESS], &job->progress)) {
        complain_option(arguments, OPT_PROGRESS, "expected auto, always, never or json");
        return false;
    }
    if (!check_output(job, has_option(arguments, OPT_JSON)) ||
        !option_size(arguments, OPT_MEMORY, &job->options.memory_nbytes) ||
        !expand_inputs(arguments, &job->paths, &job->npaths, code))
        return false;
    job->inputs = calloc(job->npaths, sizeof(job->inputs[0]));
    if (job->inputs == NULL) {
        *code = fail_memory();
        return false;
    }
    for (size_t i = 0; i < job->npaths; i++) {
        if (strcmp(job->paths[i], "-") == 0) {
            complain("a Stoa file is read from its end: standard input can't be one");
            return false;
        }
        job->inputs[i].path = job->paths[i];
    }
    /* Rows are added to the first input: none of it is lost. */
    job->replace = has_option(arguments, OPT_FORCE) || are_same_file(job->output, job->paths[0]);
    job->options.note = show_merge_note;
    job->options.context = job;
    job->options.cancel = &interrupted;
    if (job->progress != PROGRESS_NEVER)
        job->options.progress = show_progress;
    return true;
}

static void job_reset(struct job *job)
{
    stoa_paths_free(job->paths, job->npaths);
    free(job->inputs);
}

static struct json_t *report_json(const struct job *job, const struct stoa_merge_report *report)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "output", json_out_text(job->output));
    json_out_set(out, "dry_run", json_out_bool(job->dry_run));
    json_out_set(out, "inputs", json_out_count(report->ninputs));
    json_out_set(out, "rows", json_out_count(report->nrows));
    json_out_set(out, "row_groups", json_out_count(report->nrow_groups));
    json_out_set(out, "columns", json_out_count(report->ncolumns));
    json_out_set(out, "columns_encoded", json_out_count(report->ncolumns_encoded));
    json_out_set(out, "chunks_copied", json_out_count(report->nchunks_copied));
    json_out_set(out, "chunks_encoded", json_out_count(report->nchunks_encoded));
    json_out_set(out, "input_bytes", json_out_count(report->input_nbytes));
    json_out_set(out, "output_bytes", json_out_count(report->output_nbytes));
    json_out_set(out, "shared_bytes", json_out_count(report->shared_nbytes));
    json_out_set(out, "seconds", json_out_seconds(report->seconds));
    return out;
}

static void print_report(const struct job *job, const struct stoa_merge_report *report)
{
    char name[NAME_NBYTES], rows[32], groups[32], in[32], out[32];
    const char *output = strcmp(job->output, "-") == 0 ? "standard output" : job->output;

    stoa_quote(name, sizeof(name), output, strlen(output));
    fprintf(stderr, "%s: %s%s row%s in %s row group%s, %u column%s from %zu input%s, ", name,
            job->dry_run ? "would have " : "", print_count(rows, report->nrows),
            plural(report->nrows), print_count(groups, report->nrow_groups),
            plural(report->nrow_groups), report->ncolumns, plural(report->ncolumns), job->npaths,
            plural(job->npaths));
    if (job->dry_run) {
        fprintf(stderr, "%s\n", print_size(in, report->input_nbytes));
        return;
    }
    if (report->ncolumns_encoded > 0)
        fprintf(stderr, "%u column%s encoded anew, ", report->ncolumns_encoded,
                plural(report->ncolumns_encoded));
    fprintf(stderr, "%s -> %s, %.2f s\n", print_size(in, report->input_nbytes),
            print_size(out, report->output_nbytes), report->seconds);
}

/* The words after the work: for a person, for a program, or for whoever reads progress. */
static enum exit_code finish(const struct job *job, bool json,
                             const struct stoa_merge_report *report)
{
    const bool done = job->progress == PROGRESS_JSON;

    if (json || done)
        return json_out_report(report_json(job, report), json, done);
    print_report(job, report);
    return EXIT_DONE;
}

static enum exit_code fail_merge(const struct job *job, const struct stoa_error *err)
{
    char name[NAME_NBYTES];

    if (err->status == STOA_ERR_DATA && err->os_errno == ENOENT) {
        complain("%s (--fill-missing makes it null where it is missing)", err->message);
        return EXIT_DATA;
    }
    if (err->status == STOA_ERR_DATA && err->os_errno == EDOM) {
        complain("%s (--as-text makes it utf8)", err->message);
        return EXIT_DATA;
    }
    if (err->status != STOA_ERR_USAGE || err->os_errno != EEXIST)
        return fail(err);
    stoa_quote(name, sizeof(name), job->output, strlen(job->output));
    complain("%s: exists already (--force replaces it)", name);
    return EXIT_USAGE;
}

/* An output that can't be is known before any input is read. */
static enum stoa_status merge(const struct job *job, struct stoa_merge_report *report,
                              struct stoa_error *err)
{
    struct stoa_sink *sink;
    enum stoa_status st = stoa_sink_create_file(job->output, job->replace, &sink, err);

    if (st != STOA_OK)
        return st;
    st = stoa_merge(job->inputs, job->npaths, &job->options, job->dry_run ? NULL : sink, report,
                    err);
    if (st == STOA_OK && !job->dry_run)
        st = sink->commit(sink, err);
    stoa_sink_close(sink);
    return st;
}

enum exit_code run_merge(const struct arguments *arguments)
{
    struct job job = {0};
    struct stoa_merge_report report;
    struct stoa_error err = {0};
    enum exit_code code;
    enum stoa_status st;

    if (job_init(&job, arguments, &code)) {
        install_signals();
        st = merge(&job, &report, &err);
        settle_signals();
        progress_clear(job.progress);
        code = st == STOA_OK ? finish(&job, has_option(arguments, OPT_JSON), &report)
                             : fail_merge(&job, &err);
    }
    job_reset(&job);
    return code;
}
