/*
 * stoa cat and stoa head: rows as text.
 */
#include "row_printer.h"

#define HEAD_NROWS 10

static enum exit_code print_scan(struct row_printer *printer, const char *path,
                                 struct stoa_scan *scan)
{
    enum exit_code code = row_printer_start(printer, path, stoa_scan_schema(scan));

    while (code == EXIT_DONE && !ferror(stdout)) {
        struct stoa_batch batch;
        struct stoa_error err;

        if (stoa_scan_next(scan, &batch, &err) != STOA_OK)
            return fail_file(path, &err);
        if (batch.nrows == 0) {
            stoa_batch_reset(&batch);
            break;
        }
        code = row_printer_print(printer, &batch);
        stoa_batch_reset(&batch);
    }
    return code;
}

static enum exit_code print_file(struct row_printer *printer, const char *path,
                                 const struct stoa_scan_options *options)
{
    struct open_file file;
    struct stoa_scan *scan = NULL;
    struct stoa_error err;
    enum exit_code code;

    if (!open_stoa(path, &file, &code))
        return code;
    if (stoa_scan_open(file.reader, options, &scan, &err) == STOA_OK)
        code = print_scan(printer, path, scan);
    else
        code = fail_file(path, &err);
    stoa_scan_close(scan);
    close_stoa(&file);
    return code;
}

static enum exit_code print_files(const struct arguments *arguments, enum row_form otherwise,
                                  uint64_t otherwise_limit)
{
    struct row_printer printer = {0};
    struct scan_arguments scan;
    enum exit_code code = EXIT_DONE;
    uint64_t limit;

    if (!option_form(arguments, otherwise, &printer.form) || !option_scan(arguments, &scan))
        return EXIT_USAGE;
    limit = has_option(arguments, OPT_LIMIT) ? scan.options.limit : otherwise_limit;
    for (int i = 0; code == EXIT_DONE && i < arguments->nfiles; i++) {
        scan.options.limit = limit - (limit > 0 ? printer.nrows : 0);
        if (limit > 0 && scan.options.limit == 0)
            break;
        code = print_file(&printer, arguments->files[i], &scan.options);
    }
    if (code == EXIT_DONE)
        code = row_printer_finish(&printer);
    row_printer_reset(&printer);
    scan_arguments_reset(&scan);
    return code;
}

enum exit_code run_head(const struct arguments *arguments)
{
    return print_files(arguments, FORM_TABLE, HEAD_NROWS);
}

enum exit_code run_cat(const struct arguments *arguments)
{
    return print_files(arguments, FORM_CSV, 0);
}
