/*
 * stoa count
 */
#include <inttypes.h>

#include "command.h"
#include "json_out.h"

static bool count_file(const char *path, const struct stoa_scan_options *options, uint64_t *nrows,
                       enum exit_code *code)
{
    struct open_file file;
    struct stoa_scan *scan = NULL;
    struct stoa_error err;
    bool done;

    if (!open_stoa(path, &file, code))
        return false;
    done = stoa_scan_open(file.reader, options, &scan, &err) == STOA_OK &&
           stoa_scan_count(scan, nrows, &err) == STOA_OK;
    if (!done)
        *code = fail_file(path, &err);
    stoa_scan_close(scan);
    close_stoa(&file);
    return done;
}

/* A list of no names. */
static const char *const no_columns[] = {NULL};

static bool count_rows(void *context, const struct stoa_batch *batch)
{
    *(uint64_t *)context += batch->nrows;
    return true;
}

/* Of inputs that are no Stoa files. What no predicate asks for is text of CSV, whatever it says. */
static enum exit_code count_inputs(struct stoa_convert_options *options,
                                   const struct stoa_scan_options *scan, uint64_t *total)
{
    struct stoa_error err;

    options->columns = scan->columns;
    options->filter = scan->filter;
    options->jobs = scan->jobs;
    if (scan->filter == NULL &&
        (options->from == STOA_FORMAT_CSV || options->from == STOA_FORMAT_TSV))
        options->csv.infer = STOA_CSV_INFER_NONE;
    return stoa_convert_rows(options, 0, count_rows, total, &err) == STOA_OK ? EXIT_DONE
                                                                             : fail(&err);
}

static enum exit_code count(const struct arguments *arguments, struct scan_arguments *scan,
                            uint64_t *total)
{
    struct input_arguments input;
    enum exit_code code;

    scan->options.columns = no_columns; /* counting needs none but those of the predicate */
    if (!option_input(arguments, &input, &code))
        goto out;
    code = EXIT_DONE;
    if (input.options.from != STOA_FORMAT_STOA)
        code = count_inputs(&input.options, &scan->options, total);
    else
        for (int i = 0; code == EXIT_DONE && i < arguments->nfiles; i++) {
            uint64_t nrows = 0;

            if (count_file(arguments->files[i], &scan->options, &nrows, &code))
                *total += nrows;
        }
out:
    input_arguments_reset(&input);
    return code;
}

enum exit_code run_count(const struct arguments *arguments)
{
    struct scan_arguments scan;
    uint64_t total = 0;
    enum exit_code code;

    if (!option_scan(arguments, &scan))
        return EXIT_USAGE;
    code = count(arguments, &scan, &total);
    scan_arguments_reset(&scan);
    if (code != EXIT_DONE)
        return code;
    if (has_option(arguments, OPT_JSON)) {
        struct json_t *out = json_out_object();

        json_out_set(out, "rows", json_out_count(total));
        return json_out_print(out);
    }
    printf("%" PRIu64 "\n", total);
    return EXIT_DONE;
}
