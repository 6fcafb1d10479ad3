/*
 * stoa convert
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "json_out.h"
#include "term_progress.h"

/* Everything that the options own. */
struct job {
    struct stoa_convert_options options;
    char **paths;
    char **names;
    char **blooms;
    struct stoa_filter *filter;
    struct stoa_schema schema;
    char *avro_schema; /* its text, if it is one of Avro */
    struct inference_arguments inference;
    enum progress_mode progress;
};

static void job_reset(struct job *job)
{
    csv_options_reset(&job->options.csv);
    stoa_paths_free(job->paths, job->options.npaths);
    select_free(job->names, job->options.ncolumns);
    select_free(job->blooms, job->options.writer.nblooms);
    stoa_filter_free(job->filter);
    stoa_schema_reset(&job->schema);
    free(job->avro_schema);
    inference_arguments_reset(&job->inference);
}

static const char *const no_names[1]; /* a list of none, which is not the same as no list */

static bool check_no_bloom(const struct arguments *arguments)
{
    if (!has_option(arguments, OPT_NO_BLOOM) || !has_option(arguments, OPT_BLOOM))
        return true;
    complain("--no-bloom: --bloom names columns that shall have them");
    return false;
}

/* What -o and --to ask for makes sense; false after a message. */
static bool check_output(const struct stoa_convert_options *options, bool json)
{
    if (options->output == NULL) {
        complain("convert: where to? -o FILE names the output, -o - is standard output");
        return false;
    }
    if (strcmp(options->output, "-") != 0)
        return true;
    if (options->to == STOA_FORMAT_AUTO) {
        complain("convert -o -: which format? --to csv, tsv, jsonl, avro or stoa");
        return false;
    }
    if (options->to == STOA_FORMAT_STOA && isatty(STDOUT_FILENO)) {
        complain("convert -o -: a Stoa file is not for the terminal (-o FILE, or --to csv)");
        return false;
    }
    if (options->to == STOA_FORMAT_AVRO && isatty(STDOUT_FILENO)) {
        complain("convert -o -: an Avro file is not for the terminal (-o FILE, or --to jsonl)");
        return false;
    }
    if (json && !options->dry_run) {
        complain("convert --json: standard output holds the rows (--progress json tells more)");
        return false;
    }
    return true;
}

/* What becomes of bad records; false after a message. */
static bool option_errors(const struct arguments *arguments, struct stoa_convert_options *out)
{
    static const char *const words[] = {"abort", "skip", "reject", "skip-block"};
    const unsigned nwords = sizeof(words) / sizeof(words[0]);
    const char *word = arguments->values[OPT_ON_ERROR];
    unsigned i = 0;
    bool wanted;

    out->rejects = arguments->values[OPT_REJECTS];
    out->rejects_raw = arguments->values[OPT_REJECTS_RAW];
    wanted = out->rejects != NULL || out->rejects_raw != NULL;
    out->on_error = wanted ? STOA_CSV_ON_ERROR_REJECT : STOA_CSV_ON_ERROR_ABORT;
    while (word != NULL && i < nwords && strcmp(word, words[i]) != 0)
        i++;
    if (i == nwords) {
        complain_option(arguments, OPT_ON_ERROR, "expected abort, skip, reject or skip-block");
        return false;
    }
    if (word != NULL && wanted && i != STOA_CSV_ON_ERROR_REJECT) {
        complain_option(arguments, OPT_ON_ERROR,
                        out->rejects != NULL ? "--rejects asks for something else"
                                             : "--rejects-raw asks for something else");
        return false;
    }
    if (word != NULL)
        out->on_error = (enum stoa_csv_on_error)i;
    if (out->on_error == STOA_CSV_ON_ERROR_REJECT && !wanted) {
        complain_option(arguments, OPT_ON_ERROR, "--rejects FILE says where to");
        return false;
    }
    return option_count(arguments, OPT_REJECTS_LIMIT, UINT64_MAX, &out->max_rejects) &&
           option_count(arguments, OPT_MAX_ERRORS, UINT64_MAX, &out->max_errors) &&
           option_fraction(arguments, OPT_MAX_ERROR_RATIO, &out->max_error_ratio);
}

/* Two offsets with a colon between them. */
static bool option_split(const struct arguments *arguments, struct stoa_convert_options *out)
{
    const char *text = arguments->values[OPT_SPLIT];
    char *behind = NULL;

    if (text == NULL)
        return true;
    errno = 0;
    if (*text >= '0' && *text <= '9')
        out->avro_split_begin = strtoull(text, &behind, 10);
    if (behind != NULL && *behind == ':' && behind[1] >= '0' && behind[1] <= '9')
        out->avro_split_end = strtoull(behind + 1, &behind, 10);
    if (errno == 0 && behind != NULL && *behind == '\0' &&
        out->avro_split_begin < out->avro_split_end)
        return true;
    complain_option(arguments, OPT_SPLIT,
                    "expected two offsets of bytes, the first below the second");
    return false;
}

static bool option_conflict(const struct arguments *arguments, struct stoa_convert_options *out)
{
    const char *word = arguments->values[OPT_ON_CONFLICT];

    if (word == NULL)
        return true;
    if (strcmp(word, "widen") == 0) {
        out->on_conflict = STOA_CONFLICT_WIDEN;
    } else if (strcmp(word, "error") == 0 && out->on_error == STOA_CSV_ON_ERROR_ABORT) {
        out->on_conflict = STOA_CONFLICT_ERROR;
    } else if (strcmp(word, "reject") == 0 && out->on_error != STOA_CSV_ON_ERROR_ABORT) {
        out->on_conflict = STOA_CONFLICT_ERROR;
    } else {
        complain_option(arguments, OPT_ON_CONFLICT,
                        strcmp(word, "reject") == 0  ? "--rejects FILE says where to"
                        : strcmp(word, "error") == 0 ? "bad records are not to end the run"
                                                     : "expected widen, reject or error");
        return false;
    }
    return true;
}

static bool option_level(const struct arguments *arguments, enum stoa_level *out)
{
    static const char *const names[] = {
        [STOA_LEVEL_BALANCED] = "balanced",
        [STOA_LEVEL_FAST] = "fast",
        [STOA_LEVEL_SMALL] = "small",
    };
    const char *name = arguments->values[OPT_LEVEL];

    for (unsigned i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum stoa_level)i;
            return true;
        }
    }
    if (name != NULL)
        complain_option(arguments, OPT_LEVEL, "expected fast, balanced or small");
    return name == NULL;
}

static bool job_init(struct job *job, const struct arguments *arguments, enum exit_code *code)
{
    struct stoa_convert_options *options = &job->options;
    uint64_t jobs = 0, group_nrows = 0;
    bool given;

    *code = EXIT_USAGE;
    options->output = arguments->values[OPT_OUTPUT];
    options->replace = has_option(arguments, OPT_FORCE);
    options->dry_run = has_option(arguments, OPT_DRY_RUN);
    options->verify = has_option(arguments, OPT_VERIFY);
    options->no_source_text = has_option(arguments, OPT_NO_SOURCE_TEXT);
    options->sort_by = arguments->values[OPT_SORT_BY];
    if (!progress_mode_find(arguments->values[OPT_PROGRESS], &job->progress)) {
        complain_option(arguments, OPT_PROGRESS, "expected auto, always, never or json");
        return false;
    }
    if (!option_format(arguments, OPT_FROM, &options->from) ||
        !option_format(arguments, OPT_TO, &options->to) ||
        !check_output(options, has_option(arguments, OPT_JSON)) ||
        !option_count(arguments, OPT_JOBS, MAX_JOBS, &jobs) ||
        !option_size(arguments, OPT_MEMORY, &options->memory_nbytes) ||
        !option_count(arguments, OPT_ROW_GROUP_ROWS, 1 << 24, &group_nrows) ||
        !option_size(arguments, OPT_ROW_GROUP_BYTES, &options->writer.row_group_nbytes) ||
        !option_level(arguments, &options->writer.level) || !option_csv(arguments, &options->csv) ||
        !option_inference(arguments, &job->inference, &options->csv) ||
        !option_csv_output(arguments, &options->csv_out) ||
        !option_compress(arguments, &options->compress) ||
        !option_avro_output(arguments, &options->avro_out) || !option_errors(arguments, options) ||
        !option_conflict(arguments, options) || !option_split(arguments, options) ||
        !option_names(arguments, OPT_SELECT, &job->names, &options->ncolumns) ||
        !option_names(arguments, OPT_BLOOM, &job->blooms, &options->writer.nblooms) ||
        !option_bloom_rate(arguments, &options->writer.bloom_rate) || !check_no_bloom(arguments) ||
        !option_where(arguments, &job->filter) ||
        !option_schema(arguments, &job->schema, &job->avro_schema, &given, code) ||
        !expand_inputs(arguments, &job->paths, &options->npaths, code))
        return false;
    options->paths = (const char *const *)job->paths;
    options->columns = (const char *const *)job->names;
    options->writer.blooms =
        has_option(arguments, OPT_NO_BLOOM) ? no_names : (const char *const *)job->blooms;
    options->filter = job->filter;
    options->schema = given ? &job->schema : NULL;
    options->avro_schema = job->avro_schema;
    options->jobs = (unsigned)jobs;
    options->writer.row_group_nrows = (uint32_t)group_nrows;
    options->cancel = &interrupted;
    if (job->progress != PROGRESS_NEVER)
        options->progress = progress_show;
    options->progress_context = &job->progress;
    options->note = show_note;
    return true;
}

static struct json_t *report_json(const struct job *job, const struct stoa_convert_report *report)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "output", json_out_text(job->options.output));
    json_out_set(out, "dry_run", json_out_bool(job->options.dry_run));
    json_out_set(out, "from", json_out_text(stoa_format_name(report->from)));
    json_out_set(out, "to", json_out_text(stoa_format_name(report->to)));
    json_out_set(out, "inputs", json_out_count(report->ninputs));
    json_out_set(out, "rows", json_out_count(report->nrows));
    json_out_set(out, "rejected", json_out_count(report->nrejected));
    json_out_set(out, "rejected_raw", json_out_count(report->nrejected_raw));
    json_out_set(out, "skipped", json_out_count(report->nskipped));
    json_out_set(out, "lost_places", json_out_count(report->lost.nplaces));
    json_out_set(out, "lost_blocks", json_out_count(report->lost.nblocks));
    json_out_set(out, "lost_bytes", json_out_count(report->lost.nbytes));
    json_out_set(out, "lost_rows", json_out_count(report->lost.nrows));
    json_out_set(out, "lost_uncounted", json_out_count(report->lost.nuncounted));
    json_out_set(out, "columns", json_out_count(report->ncolumns));
    json_out_set(out, "widened", json_out_count(report->nwidened));
    json_out_set(out, "input_bytes", json_out_count(report->input_nbytes));
    json_out_set(out, "output_bytes", json_out_count(report->output_nbytes));
    json_out_set(out, "seconds", json_out_seconds(report->seconds));
    json_out_set(out, "restorable", json_out_bool(report->obstacle == NULL));
    if (report->obstacle != NULL)
        json_out_set(out, "obstacle", json_out_text(report->obstacle));
    json_out_set(out, "verified", json_out_bool(report->verified));
    return out;
}

/* How many blocks were left out, also when there were none. */
static void print_lost_blocks(const struct stoa_avro_lost *lost)
{
    char blocks[32], size[32], rows[32];

    fprintf(stderr, "%s bad block%s left out", print_count(blocks, lost->nblocks),
            plural(lost->nblocks));
    if (lost->nblocks > 0)
        fprintf(stderr, ", %s, %s%s row%s", print_size(size, lost->nbytes),
                lost->nuncounted > 0 ? "at least " : "", print_count(rows, lost->nrows),
                plural(lost->nrows));
    fprintf(stderr, "\n");
}

/* How many bad records there were, also when there were none. */
static void print_losses(const struct job *job, const struct stoa_convert_report *report)
{
    const uint64_t nlost = report->nrejected + report->nskipped;
    const char *const files[] = {job->options.rejects, job->options.rejects_raw};
    const uint64_t nfiled[] = {report->nrejected, report->nrejected_raw};
    char name[NAME_NBYTES], n[32];

    if (job->options.on_error == STOA_CSV_ON_ERROR_ABORT)
        return;
    if (job->options.on_error == STOA_CSV_ON_ERROR_SKIP_BLOCK) {
        print_lost_blocks(&report->lost);
        return;
    }
    fprintf(stderr, "%s bad record%s left out", print_count(n, nlost), plural(nlost));
    for (size_t i = 0; report->nrejected > 0 && i < 2; i++)
        if (files[i] != NULL)
            fprintf(stderr, ", %s in %s", print_count(n, nfiled[i]),
                    stoa_quote(name, sizeof(name), files[i], strlen(files[i])));
    fprintf(stderr, "\n");
}

static void print_report(const struct job *job, const struct stoa_convert_report *report)
{
    char name[NAME_NBYTES], rows[32], in[32], out[32];
    const char *output = job->options.output;

    if (strcmp(output, "-") == 0)
        output = "standard output";
    stoa_quote(name, sizeof(name), output, strlen(output));
    if (job->options.dry_run) {
        fprintf(stderr, "%s: would be written as %s with %u column%s from %zu %s input%s\n", name,
                stoa_format_name(report->to), report->ncolumns, plural(report->ncolumns),
                job->options.npaths, stoa_format_name(report->from), plural(job->options.npaths));
        return;
    }
    fprintf(stderr, "%s: %s row%s, %u column%s from %zu input%s, %s -> %s", name,
            print_count(rows, report->nrows), plural(report->nrows), report->ncolumns,
            plural(report->ncolumns), job->options.npaths, plural(job->options.npaths),
            print_size(in, report->input_nbytes), print_size(out, report->output_nbytes));
    if (report->output_nbytes > 0 && report->input_nbytes > 0)
        fprintf(stderr, " (%.1f%%)",
                100 * (double)report->output_nbytes / (double)report->input_nbytes);
    fprintf(stderr, ", %.2f s", report->seconds);
    if (report->to == STOA_FORMAT_STOA && report->obstacle != NULL)
        fprintf(stderr, ", restorable: no, because %s", report->obstacle);
    else if (report->to == STOA_FORMAT_STOA)
        fprintf(stderr, ", restorable: yes%s", report->verified ? ", verified" : "");
    fputc('\n', stderr);
    print_losses(job, report);
}

/* The words after the work: for a person, for a program, or for whoever reads progress. */
static enum exit_code finish(const struct job *job, const struct arguments *arguments,
                             const struct stoa_convert_report *report)
{
    const bool json = has_option(arguments, OPT_JSON);
    const bool done = job->progress == PROGRESS_JSON;
    enum exit_code code = EXIT_DONE;

    if (json || done)
        code = json_out_report(report_json(job, report), json, done);
    else
        print_report(job, report);
    if (code == EXIT_DONE && report->nrejected + report->nskipped + report->lost.nplaces > 0)
        code = EXIT_LOST;
    return code;
}

static enum exit_code fail_convert(const struct job *job, const struct stoa_error *err)
{
    const char *const paths[] = {job->options.output, job->options.rejects,
                                 job->options.rejects_raw};
    const char *path = paths[0];
    char name[NAME_NBYTES];

    if (err->status != STOA_ERR_USAGE || err->os_errno != EEXIST)
        return fail(err);
    for (size_t i = 0; i < 3 && access(path, F_OK) != 0; i++)
        path = paths[i] != NULL ? paths[i] : path;
    stoa_quote(name, sizeof(name), path, strlen(path));
    complain("%s: exists already (--force replaces it)", name);
    return EXIT_USAGE;
}

enum exit_code run_convert(const struct arguments *arguments)
{
    struct job job = {0};
    struct stoa_convert_report report;
    struct stoa_error err;
    enum exit_code code;
    enum stoa_status st;

    if (job_init(&job, arguments, &code)) {
        install_signals();
        st = stoa_convert(&job.options, &report, &err);
        settle_signals();
        progress_clear(job.progress);
        code = st == STOA_OK ? finish(&job, arguments, &report) : fail_convert(&job, &err);
    }
    job_reset(&job);
    return code;
}
