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

/* Row by row, so that no more is read than a limit or a table needs. */
static enum exit_code print_in_order(struct row_printer *printer, const struct arguments *arguments,
                                     struct stoa_scan_options *options, uint64_t limit)
{
    enum exit_code code = EXIT_DONE;

    for (int i = 0; code == EXIT_DONE && i < arguments->nfiles; i++) {
        options->limit = limit - (limit > 0 ? printer->nrows : 0);
        if (limit > 0 && options->limit == 0)
            break;
        code = print_file(printer, arguments->files[i], options);
    }
    return code == EXIT_DONE ? row_printer_finish(printer) : code;
}

/* Everything, which is a conversion. */
static enum exit_code print_all(struct row_printer *printer, const struct arguments *arguments,
                                const struct stoa_scan_options *options, uint64_t memory_nbytes)
{
    struct stoa_convert_options convert = {
        .paths = (const char *const *)arguments->files,
        .npaths = (size_t)arguments->nfiles,
        .columns = options->columns,
        .ncolumns = options->ncolumns,
        .filter = options->filter,
        .jobs = options->jobs,
        .memory_nbytes = memory_nbytes,
    };
    struct open_file file;
    enum exit_code code;

    for (int i = 0; i < arguments->nfiles; i++) { /* what is none is said in the words of others */
        if (!open_stoa(arguments->files[i], &file, &code))
            return code;
        close_stoa(&file);
    }
    return print_text(printer, &convert);
}

static enum exit_code print_files(const struct arguments *arguments, enum row_form otherwise,
                                  uint64_t otherwise_limit)
{
    struct row_printer printer = {0};
    struct scan_arguments scan;
    enum exit_code code;
    uint64_t limit, memory_nbytes = 0;

    if (!option_form(arguments, otherwise, &printer) ||
        !option_size(arguments, OPT_MEMORY, &memory_nbytes) || !option_scan(arguments, &scan))
        return EXIT_USAGE;
    limit = has_option(arguments, OPT_LIMIT) ? scan.options.limit : otherwise_limit;
    if (limit == 0 && printer.form != FORM_TABLE)
        code = print_all(&printer, arguments, &scan.options, memory_nbytes);
    else
        code = print_in_order(&printer, arguments, &scan.options, limit);
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
