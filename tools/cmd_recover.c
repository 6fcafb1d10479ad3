/*
 * stoa recover
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "json_out.h"
#include "term_progress.h"

#define MAX_SHOWN_LOSSES 20
#define PROGRESS_MS      100

struct job {
    const char *path;
    const char *output;
    struct json_t *losses; /* NULL: they are printed */
    uint64_t nlosses;
    enum progress_mode progress;
    uint64_t begin_ms, shown_ms;
    double seconds;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- Losses. ---- */

static void keep_loss(struct json_t *losses, const struct stoa_recover_loss *loss)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "part", json_out_count(loss->stream));
    json_out_set(out, "first_row", json_out_count(loss->first_row));
    if (loss->nrows != STOA_RECOVER_UNKNOWN)
        json_out_set(out, "rows", json_out_count(loss->nrows));
    if (loss->column != NULL)
        json_out_set(out, "column", json_out_text(loss->column));
    json_out_set(out, "reason", json_out_text(loss->reason));
    json_out_append(losses, out);
}

static void print_loss(const struct job *job, const struct stoa_recover_loss *loss)
{
    char name[NAME_NBYTES], column[160], stream[48] = "", rows[64], of[200] = "";

    stoa_quote(name, sizeof(name), job->path, strlen(job->path));
    if (loss->stream > 0)
        snprintf(stream, sizeof(stream), "part %" PRIu32 ": ", loss->stream + 1);
    if (loss->nrows == STOA_RECOVER_UNKNOWN)
        snprintf(rows, sizeof(rows), "from row %" PRIu64 " on", loss->first_row);
    else if (loss->nrows == 1)
        snprintf(rows, sizeof(rows), "row %" PRIu64, loss->first_row);
    else
        snprintf(rows, sizeof(rows), "rows %" PRIu64 " to %" PRIu64, loss->first_row,
                 loss->first_row + loss->nrows - 1);
    if (loss->column != NULL)
        snprintf(of, sizeof(of), " of column %s",
                 stoa_quote(column, sizeof(column), loss->column, strlen(loss->column)));
    complain("%s: %s%s%s: %s", name, stream, rows, of, loss->reason);
}

static void take_loss(void *context, const struct stoa_recover_loss *loss)
{
    struct job *job = context;

    if (job->losses != NULL) {
        keep_loss(job->losses, loss);
    } else if (job->nlosses < MAX_SHOWN_LOSSES) {
        progress_clear(job->progress);
        print_loss(job, loss);
    }
    job->nlosses++;
}

static void show_progress(void *context, uint64_t done_nbytes, uint64_t total_nbytes,
                          uint64_t nrows)
{
    struct job *job = context;
    uint64_t now = now_ms();
    struct stoa_convert_progress progress = {.done_nbytes = done_nbytes,
                                             .total_nbytes = total_nbytes,
                                             .nrows = nrows,
                                             .seconds = (double)(now - job->begin_ms) / 1000};

    if (now - job->shown_ms < PROGRESS_MS)
        return;
    job->shown_ms = now;
    progress_show(&job->progress, &progress);
}

/* ---- Words after the work. ---- */

static struct json_t *result_json(const struct job *job, const struct stoa_recover_result *result)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "file", json_out_text(job->path));
    json_out_set(out, "output", json_out_text(job->output));
    json_out_set(out, "complete", json_out_bool(result->nlosses == 0));
    json_out_set(out, "rows", json_out_count(result->nrows));
    json_out_set(out, "row_groups", json_out_count(result->nrow_groups));
    json_out_set(out, "lost_rows", json_out_count(result->nrows_lost));
    json_out_set(out, "lost_values", json_out_count(result->nvalues_lost));
    json_out_set(out, "end_lost", json_out_bool(result->end_is_lost));
    json_out_set(out, "parts", json_out_count(result->nstreams));
    json_out_set(out, "seconds", json_out_seconds(job->seconds));
    return out;
}

static void print_result(const struct job *job, const struct stoa_recover_result *result)
{
    const char *output = strcmp(job->output, "-") == 0 ? "standard output" : job->output;
    char name[NAME_NBYTES], number[32];

    if (job->nlosses > MAX_SHOWN_LOSSES)
        complain("... and %s more such lines (--json has all)",
                 print_count(number, job->nlosses - MAX_SHOWN_LOSSES));
    fprintf(stderr, "%s: %s row%s in ", stoa_quote(name, sizeof(name), output, strlen(output)),
            print_count(number, result->nrows), plural(result->nrows));
    fprintf(stderr, "%s row group%s", print_count(number, result->nrow_groups),
            plural(result->nrow_groups));
    if (result->nlosses == 0)
        fprintf(stderr, ", nothing is lost");
    if (result->nrows_lost > 0)
        fprintf(stderr, ", %s row%s lost", print_count(number, result->nrows_lost),
                plural(result->nrows_lost));
    if (result->nvalues_lost > 0)
        fprintf(stderr, ", %s value%s of these rows lost",
                print_count(number, result->nvalues_lost), plural(result->nvalues_lost));
    if (result->end_is_lost)
        fprintf(stderr, ", how many rows followed is not known");
    fprintf(stderr, ", %.2f s\n", job->seconds);
}

static enum exit_code finish(struct job *job, const struct stoa_recover_result *result)
{
    enum exit_code code = EXIT_DONE;
    struct json_t *out;

    if (job->losses != NULL) {
        out = result_json(job, result);
        json_out_set(out, "losses", job->losses);
        job->losses = NULL;
        code = json_out_print(out);
    } else if (job->progress != PROGRESS_JSON) {
        print_result(job, result);
    }
    if (job->progress == PROGRESS_JSON && code == EXIT_DONE)
        code = json_out_print_done(result_json(job, result));
    return code == EXIT_DONE && result->nlosses > 0 ? EXIT_LOST : code;
}

/* ---- Files. ---- */

static bool check_output(const struct job *job, bool json)
{
    struct stat in, out;
    char name[NAME_NBYTES];

    if (job->output == NULL) {
        complain("recover: where to? -o FILE names the output, -o - is standard output");
        return false;
    }
    if (strcmp(job->output, "-") == 0) {
        if (isatty(STDOUT_FILENO)) {
            complain("recover -o -: a Stoa file is not for the terminal (-o FILE)");
            return false;
        }
        if (json) {
            complain("recover --json: standard output holds the file");
            return false;
        }
        return true;
    }
    if (strcmp(job->path, "-") != 0 && stat(job->path, &in) == 0 && stat(job->output, &out) == 0 &&
        in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
        stoa_quote(name, sizeof(name), job->output, strlen(job->output));
        complain("%s: is the damaged file: it stays as it is (-o names another)", name);
        return false;
    }
    return true;
}

/* Standard input, all of it, as an unnamed file that can be read anywhere. */
static bool spool_input(struct stoa_source **out, enum exit_code *code)
{
    static char buffer[1 << 16];
    FILE *file = tmpfile();
    struct stoa_error err;
    char path[64];
    size_t n;
    bool good;

    *code = EXIT_IO;
    if (file == NULL) {
        complain("standard input: no temporary file: %s", strerror(errno));
        return false;
    }
    while ((n = fread(buffer, 1, sizeof(buffer), stdin)) > 0 && !interrupted)
        if (fwrite(buffer, 1, n, file) != n)
            break;
    if (ferror(stdin) || fflush(file) != 0 || ferror(file)) {
        complain("standard input: %s", strerror(errno));
        fclose(file);
        return false;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(file));
    good = stoa_source_open_file(path, out, &err) == STOA_OK;
    if (!good)
        *code = fail(&err);
    fclose(file);
    return good;
}

static bool open_input(const char *path, struct stoa_source **out, enum exit_code *code)
{
    struct stoa_error err;

    if (strcmp(path, "-") == 0)
        return spool_input(out, code);
    if (stoa_source_open_file(path, out, &err) == STOA_OK)
        return true;
    *code = fail(&err);
    return false;
}

static enum exit_code fail_sink(const struct job *job, const struct stoa_error *err)
{
    char name[NAME_NBYTES];

    if (err->status != STOA_ERR_USAGE || err->os_errno != EEXIST)
        return fail(err);
    stoa_quote(name, sizeof(name), job->output, strlen(job->output));
    complain("%s: exists already (--force replaces it)", name);
    return EXIT_USAGE;
}

static enum exit_code recover(struct job *job, struct stoa_source *source, bool partial,
                              bool replace)
{
    const struct stoa_recover_options options = {
        .partial = partial,
        .report = take_loss,
        .progress = job->progress != PROGRESS_NEVER ? show_progress : NULL,
        .context = job,
        .cancel = &interrupted,
    };
    struct stoa_recover_result result;
    struct stoa_sink *sink = NULL;
    struct stoa_error err;
    enum exit_code code;
    enum stoa_status st;

    if (stoa_sink_create_file(job->output, replace, &sink, &err) != STOA_OK)
        return fail_sink(job, &err);
    st = stoa_recover(source, sink, &options, &result, &err);
    if (st == STOA_OK)
        st = sink->commit(sink, &err);
    settle_signals();
    progress_clear(job->progress);
    job->seconds = (double)(now_ms() - job->begin_ms) / 1000;
    code = st == STOA_OK ? finish(job, &result) : fail_file(job->path, &err);
    stoa_sink_close(sink);
    return code;
}

enum exit_code run_recover(const struct arguments *arguments)
{
    bool json = has_option(arguments, OPT_JSON);
    struct job job = {
        .path = arguments->files[0],
        .output = arguments->values[OPT_OUTPUT],
        .begin_ms = now_ms(),
    };
    struct stoa_source *source = NULL;
    enum exit_code code = EXIT_USAGE;

    if (!progress_mode_find(arguments->values[OPT_PROGRESS], &job.progress)) {
        complain_option(arguments, OPT_PROGRESS, "expected auto, always, never or json");
        return EXIT_USAGE;
    }
    if (!check_output(&job, json))
        return EXIT_USAGE;
    job.losses = json ? json_out_array() : NULL;
    install_signals();
    if (open_input(job.path, &source, &code))
        code = recover(&job, source, has_option(arguments, OPT_PARTIAL),
                       has_option(arguments, OPT_FORCE));
    stoa_source_close(source);
    json_out_free(job.losses);
    return code;
}
