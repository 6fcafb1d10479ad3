/*
 * Rows on standard output: CSV, TSV, JSON lines, or a table for people.
 */
#ifndef ROW_PRINTER_H
#define ROW_PRINTER_H

#include "command.h"

enum row_form { FORM_CSV, FORM_TSV, FORM_JSONL, FORM_TABLE, FORM_NONE };

struct table;

/* Set `form` and `csv`, leave the rest zero, and release with row_printer_reset(). */
struct row_printer {
    enum row_form form;
    struct stoa_csv_write_options csv;
    const char *first_path;    /* of the file that gave the schema; NULL: nothing is printed yet */
    struct stoa_schema schema; /* of all files */
    struct table *table;
    uint64_t nrows;
    char *text; /* of one batch */
};

/* The form of --format or --json, or `otherwise`, and how CSV is written; false after a message. */
bool option_form(const struct arguments *arguments, enum row_form otherwise,
                 struct row_printer *printer);

/*
 * All rows of the inputs, or those of options->rows, on standard output in a form that is no table:
 * on as many threads as there shall be. Form and output are set here.
 */
enum exit_code print_text(const struct row_printer *printer, struct stoa_convert_options *options);

/*
 * What stands in front of the rows of the file `path`, which is lent: the header of the first one;
 * a message when another file has other columns.
 */
enum exit_code row_printer_start(struct row_printer *printer, const char *path,
                                 const struct stoa_schema *schema);

enum exit_code row_printer_print(struct row_printer *printer, const struct stoa_batch *batch);

/* What stands behind all rows. */
enum exit_code row_printer_finish(struct row_printer *printer);
void row_printer_reset(struct row_printer *printer);

#endif
