/*
 * stoa sample: random rows.
 */
#include "row_printer.h"

#define DEFAULT_NROWS 10
#define BATCH_NROWS   65536 /* are taken at a time, and what is left of a row group */

/* The end of a batch of the sample: no row group is in two of them, so no page is read twice. */
static enum stoa_status batch_end(struct stoa_reader *reader, const uint64_t *rows, size_t nrows,
                                  size_t begin, size_t *end, struct stoa_error *err)
{
    struct stoa_row_group group;
    uint32_t number;
    enum stoa_status st;

    *end = nrows;
    if (nrows - begin <= BATCH_NROWS)
        return STOA_OK;
    *end = begin + BATCH_NROWS;
    st = stoa_reader_locate(reader, rows[*end - 1], &number, err);
    if (st == STOA_OK)
        st = stoa_reader_row_group(reader, number, &group, err);
    while (st == STOA_OK && *end < nrows && rows[*end] - group.first_row < group.nrows)
        ++*end;
    return st;
}

static enum exit_code print_rows(struct row_printer *printer, const char *path,
                                 struct stoa_reader *reader, struct stoa_scan *scan,
                                 const uint64_t *rows, size_t nrows)
{
    enum exit_code code = row_printer_start(printer, path, stoa_scan_schema(scan));
    struct stoa_error err;

    for (size_t begin = 0, end; code == EXIT_DONE && !ferror(stdout) && begin < nrows;
         begin = end) {
        struct stoa_batch batch;

        if (batch_end(reader, rows, nrows, begin, &end, &err) != STOA_OK ||
            stoa_scan_take(scan, rows + begin, end - begin, &batch, &err) != STOA_OK)
            return fail_file(path, &err);
        code = row_printer_print(printer, &batch);
        stoa_batch_reset(&batch);
    }
    return code == EXIT_DONE ? row_printer_finish(printer) : code;
}

static enum exit_code print_sample(struct row_printer *printer, const char *path,
                                   const struct stoa_scan_options *options,
                                   const struct stoa_sample_options *sample, uint64_t memory_nbytes)
{
    struct open_file file;
    struct stoa_scan *scan = NULL;
    struct stoa_error err;
    uint64_t *rows = NULL;
    size_t nrows;
    enum exit_code code;

    if (!open_stoa(path, &file, &code))
        return code;
    if (stoa_scan_open(file.reader, options, &scan, &err) == STOA_OK &&
        stoa_scan_sample(scan, sample, &rows, &nrows, &err) == STOA_OK)
        code = printer->form == FORM_TABLE
                   ? print_rows(printer, path, file.reader, scan, rows, nrows)
                   : print_text(printer, &(struct stoa_convert_options){
                                             .paths = &path,
                                             .npaths = 1,
                                             .from = STOA_FORMAT_STOA,
                                             .columns = options->columns,
                                             .ncolumns = options->ncolumns,
                                             .rows = rows,
                                             .nrows = nrows,
                                             .jobs = options->jobs,
                                             .memory_nbytes = memory_nbytes,
                                         });
    else
        code = fail_file(path, &err);
    stoa_free(rows);
    stoa_scan_close(scan);
    close_stoa(&file);
    return code;
}

static bool option_sample(const struct arguments *arguments, struct stoa_sample_options *out)
{
    *out = (struct stoa_sample_options){0};
    if (has_option(arguments, OPT_ROWS) && has_option(arguments, OPT_FRACTION)) {
        complain("--rows or --fraction, not both");
        return false;
    }
    if (!has_option(arguments, OPT_FRACTION))
        out->nrows = DEFAULT_NROWS;
    return option_count(arguments, OPT_ROWS, UINT64_MAX, &out->nrows) &&
           option_fraction(arguments, OPT_FRACTION, &out->fraction) &&
           option_number(arguments, OPT_SEED, &out->seed);
}

enum exit_code run_sample(const struct arguments *arguments)
{
    struct row_printer printer = {0};
    struct stoa_sample_options sample;
    struct scan_arguments scan;
    uint64_t memory_nbytes = 0;
    enum exit_code code;

    if (!option_form(arguments, FORM_TABLE, &printer) || !option_sample(arguments, &sample) ||
        !option_size(arguments, OPT_MEMORY, &memory_nbytes) || !option_scan(arguments, &scan))
        return EXIT_USAGE;
    code = print_sample(&printer, arguments->files[0], &scan.options, &sample, memory_nbytes);
    row_printer_reset(&printer);
    scan_arguments_reset(&scan);
    return code;
}
