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
static enum exit_code print_all(struct row_printer *printer, const struct stoa_convert_options *in)
{
    struct stoa_convert_options convert = *in;
    struct open_file file;
    enum exit_code code;

    /* What is no Stoa file is said in the words of other commands. */
    for (size_t i = 0; in->from == STOA_FORMAT_STOA && i < in->npaths; i++) {
        if (!open_stoa(in->paths[i], &file, &code))
            return code;
        close_stoa(&file);
    }
    return print_text(printer, &convert);
}

/* ---- Inputs that are no Stoa files. ---- */

struct taker {
    struct row_printer *printer;
    const char *path;
    enum exit_code code;
};

static bool take_rows(void *context, const struct stoa_batch *batch)
{
    struct taker *taker = context;

    if (taker->printer->first_path == NULL)
        taker->code = row_printer_start(taker->printer, taker->path, batch->schema);
    if (taker->code == EXIT_DONE && batch->nrows > 0)
        taker->code = row_printer_print(taker->printer, batch);
    return taker->code == EXIT_DONE && !ferror(stdout);
}

/* The first rows, or a table. */
static enum exit_code print_first(struct row_printer *printer,
                                  const struct stoa_convert_options *in, uint64_t limit)
{
    struct taker taker = {.printer = printer, .path = in->paths[0]};
    struct stoa_error err;

    if (stoa_convert_rows(in, limit, take_rows, &taker, &err) != STOA_OK)
        return fail(&err);
    return taker.code == EXIT_DONE ? row_printer_finish(printer) : taker.code;
}

static enum exit_code print_inputs(const struct arguments *arguments, struct row_printer *printer,
                                   struct scan_arguments *scan, uint64_t limit,
                                   uint64_t memory_nbytes)
{
    struct input_arguments input;
    enum exit_code code;

    if (!option_input(arguments, &input, &code))
        goto out;
    input.options.columns = scan->options.columns;
    input.options.ncolumns = scan->options.ncolumns;
    input.options.filter = scan->options.filter;
    input.options.jobs = scan->options.jobs;
    input.options.memory_nbytes = memory_nbytes;
    if (limit == 0 && printer->form != FORM_TABLE)
        code = print_all(printer, &input.options);
    else if (input.options.from != STOA_FORMAT_STOA)
        code = print_first(printer, &input.options, limit);
    else
        code = print_in_order(printer, arguments, &scan->options, limit);
out:
    input_arguments_reset(&input);
    return code;
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
    code = print_inputs(arguments, &printer, &scan, limit, memory_nbytes);
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
