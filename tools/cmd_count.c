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

enum exit_code run_count(const struct arguments *arguments)
{
    struct scan_arguments scan;
    uint64_t total = 0;
    enum exit_code code = EXIT_DONE;

    if (!option_scan(arguments, &scan))
        return EXIT_USAGE;
    scan.options.columns = no_columns; /* counting needs none but those of the predicate */
    for (int i = 0; code == EXIT_DONE && i < arguments->nfiles; i++) {
        uint64_t nrows = 0;

        if (count_file(arguments->files[i], &scan.options, &nrows, &code))
            total += nrows;
    }
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
