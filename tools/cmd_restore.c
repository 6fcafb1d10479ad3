/*
 * stoa restore
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "command.h"
#include "json_out.h"
#include "term_progress.h"

struct job {
    struct stoa_restore_options options;
    enum progress_mode progress;
};

static bool job_init(struct job *job, const struct arguments *arguments)
{
    struct stoa_restore_options *options = &job->options;
    const char *output = arguments->values[OPT_OUTPUT];
    uint64_t jobs = 0;

    options->path = arguments->files[0];
    options->output = output != NULL ? output : ".";
    options->source = arguments->values[OPT_SOURCE];
    options->replace = has_option(arguments, OPT_FORCE);
    if (!progress_mode_find(arguments->values[OPT_PROGRESS], &job->progress)) {
        complain_option(arguments, OPT_PROGRESS, "expected auto, always, never or json");
        return false;
    }
    if (strcmp(options->output, "-") == 0 && has_option(arguments, OPT_JSON)) {
        complain("restore --json: standard output holds the text (--progress json tells more)");
        return false;
    }
    if (!option_count(arguments, OPT_JOBS, MAX_JOBS, &jobs) ||
        !option_size(arguments, OPT_MEMORY, &options->memory_nbytes))
        return false;
    options->jobs = (unsigned)jobs;
    options->cancel = &interrupted;
    if (job->progress != PROGRESS_NEVER)
        options->progress = progress_show;
    options->progress_context = &job->progress;
    return true;
}

static struct json_t *report_json(const struct job *job, const struct stoa_restore_report *report)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "file", json_out_text(job->options.path));
    json_out_set(out, "sources", json_out_count(report->nsources));
    json_out_set(out, "rows", json_out_count(report->nrows));
    json_out_set(out, "bytes", json_out_count(report->nbytes));
    json_out_set(out, "seconds", json_out_seconds(report->seconds));
    return out;
}

static void print_report(const struct job *job, const struct stoa_restore_report *report)
{
    char name[NAME_NBYTES], rows[32], nbytes[32];

    stoa_quote(name, sizeof(name), job->options.path, strlen(job->options.path));
    fprintf(stderr, "%s: %" PRIu64 " source%s restored, %s row%s, %s, %.2f s\n", name,
            report->nsources, plural(report->nsources), print_count(rows, report->nrows),
            plural(report->nrows), print_size(nbytes, report->nbytes), report->seconds);
}

static enum exit_code finish(const struct job *job, const struct arguments *arguments,
                             const struct stoa_restore_report *report)
{
    const bool json = has_option(arguments, OPT_JSON);
    const bool done = job->progress == PROGRESS_JSON;

    if (json || done)
        return json_out_report(report_json(job, report), json, done);
    print_report(job, report);
    return EXIT_DONE;
}

static enum exit_code fail_restore(const struct stoa_error *err)
{
    if (err->status == STOA_ERR_USAGE && err->os_errno == EEXIST) {
        complain("%s (--force replaces it)", err->message);
        return EXIT_USAGE;
    }
    return fail(err);
}

enum exit_code run_restore(const struct arguments *arguments)
{
    struct job job = {0};
    struct stoa_restore_report report;
    struct stoa_error err;
    enum exit_code code;
    enum stoa_status st;

    if (!job_init(&job, arguments))
        return EXIT_USAGE;
    install_signals();
    st = stoa_restore(&job.options, &report, &err);
    settle_signals();
    progress_clear(job.progress);
    code = st == STOA_OK ? finish(&job, arguments, &report) : fail_restore(&err);
    return code;
}
