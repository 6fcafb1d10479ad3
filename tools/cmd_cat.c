/*
 * stoa cat and stoa head: rows as text.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "table.h"

#define HEAD_NROWS      10
#define CELL_NBYTES     60    /* of a text in a table */
#define TABLE_MAX_NROWS 10000 /* a table is laid out as a whole */

enum form { FORM_CSV, FORM_TSV, FORM_JSONL, FORM_TABLE, FORM_NONE };

static const char *const form_names[] = {"csv", "tsv", "jsonl", "table"};

/* What rows become, and where they go. */
struct printer {
    enum form form;
    const char *first_path;    /* of the file that gave the schema */
    struct stoa_schema schema; /* of all files */
    struct table *table;
    uint64_t nrows;
    char *text; /* of one batch */
};

static bool option_form(const struct arguments *arguments, enum form otherwise, enum form *out)
{
    const char *name = arguments->values[OPT_FORMAT];

    *out = has_option(arguments, OPT_JSON) ? FORM_JSONL : otherwise;
    if (name == NULL)
        return true;
    if (has_option(arguments, OPT_JSON)) {
        complain_option(arguments, OPT_FORMAT, "--json says the same or something else");
        return false;
    }
    for (*out = FORM_CSV; *out != FORM_NONE; ++*out) {
        if (strcmp(form_names[*out], name) == 0)
            return true;
    }
    complain_option(arguments, OPT_FORMAT, "expected csv, tsv, jsonl or table");
    return false;
}

static bool is_number(const struct stoa_type *type)
{
    return type->id >= STOA_INT8 && type->id <= STOA_DECIMAL;
}

static bool start_table(struct printer *printer)
{
    const struct stoa_schema *schema = &printer->schema;
    bool done;

    printer->table = table_new();
    done = printer->table != NULL;
    for (uint32_t i = 0; done && i < schema->nfields; i++) {
        char name[NAME_NBYTES];

        stoa_quote(name, sizeof(name), schema->fields[i].name, strlen(schema->fields[i].name));
        done = table_add_column(printer->table, name, is_number(&schema->fields[i].type));
    }
    return done;
}

/* What stands in front of all rows. */
static enum exit_code start(struct printer *printer, const struct stoa_schema *schema)
{
    const struct stoa_csv_options csv = {.delimiter = printer->form == FORM_TSV ? '\t' : ','};
    struct stoa_error err;
    char *text = NULL;
    size_t nbytes = 0;

    if (stoa_schema_copy(&printer->schema, schema, &err) != STOA_OK)
        return fail(&err);
    if (printer->form == FORM_TABLE)
        return start_table(printer) ? EXIT_DONE : fail_memory();
    if (printer->form == FORM_JSONL)
        return EXIT_DONE;
    if (stoa_csv_format_header(&csv, schema, &text, &nbytes, &err) != STOA_OK)
        return fail(&err);
    fwrite(text, 1, nbytes, stdout);
    stoa_free(text);
    return EXIT_DONE;
}

/* Text for a table: cut, and safe for the terminal. */
static void fill_cell(char *cell, const void *text, size_t nbytes)
{
    stoa_quote(cell, CELL_NBYTES + 8, text, nbytes);
}

static bool fill_nested_cell(char *cell, const struct stoa_field *field,
                             const struct stoa_array *array, size_t i)
{
    struct stoa_error err;
    char *json;

    if (stoa_array_print_json(field, array, i, &json, &err) != STOA_OK)
        return false;
    fill_cell(cell, json, strlen(json));
    stoa_free(json);
    return true;
}

/* One value for a table, nested ones as JSON, null as an empty cell. False without memory. */
static bool make_cell(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                      char **out)
{
    char *cell;
    uint32_t index;

    *out = NULL;
    if (field->type.id == STOA_NULL || stoa_array_is_null(array, i))
        return true;
    *out = cell = calloc(1, CELL_NBYTES + 8 + STOA_TEXT_NBYTES);
    if (cell == NULL)
        return false;
    switch (field->type.id) {
    case STOA_UTF8:
    case STOA_BINARY:
        fill_cell(cell, array->values + array->offsets[i],
                  (size_t)(array->offsets[i + 1] - array->offsets[i]));
        return true;
    case STOA_ENUM:
        memcpy(&index, array->values + 4 * i, 4);
        fill_cell(cell, field->type.symbols[index], strlen(field->type.symbols[index]));
        return true;
    case STOA_FIXED_BINARY:
        fill_cell(cell, array->values + i * field->type.width, field->type.width);
        return true;
    case STOA_LIST:
    case STOA_FIXED_LIST:
    case STOA_STRUCT:
    case STOA_MAP:
        return fill_nested_cell(cell, field, array, i);
    default: /* numbers are not cut; the zeros of calloc() end them */
        stoa_array_format(field, array, i, cell);
        return true;
    }
}

static bool add_table_rows(struct printer *printer, const struct stoa_batch *batch)
{
    char **cells = calloc((size_t)batch->ncolumns + 1, sizeof(*cells));
    bool done = cells != NULL;

    for (size_t row = 0; done && row < batch->nrows; row++) {
        for (uint32_t i = 0; i < batch->ncolumns; i++)
            done &= make_cell(&batch->schema->fields[i], &batch->columns[i], row, &cells[i]);
        done = done && table_add_row(printer->table, (const char *const *)cells, batch->ncolumns);
        for (uint32_t i = 0; i < batch->ncolumns; i++)
            free(cells[i]);
    }
    free(cells);
    return done;
}

static enum exit_code print_batch(struct printer *printer, const struct stoa_batch *batch)
{
    const struct stoa_csv_options csv = {.delimiter = printer->form == FORM_TSV ? '\t' : ','};
    struct stoa_error err;
    size_t nbytes = 0;
    enum stoa_status st;

    printer->nrows += batch->nrows;
    if (printer->form == FORM_TABLE) {
        if (printer->nrows > TABLE_MAX_NROWS) {
            complain("more than %d rows for a table: --limit N, or --format csv", TABLE_MAX_NROWS);
            return EXIT_USAGE;
        }
        return add_table_rows(printer, batch) ? EXIT_DONE : fail_memory();
    }
    stoa_free(printer->text);
    printer->text = NULL;
    st = printer->form == FORM_JSONL ? stoa_jsonl_format(batch, &printer->text, &nbytes, &err)
                                     : stoa_csv_format(&csv, batch, &printer->text, &nbytes, &err);
    if (st != STOA_OK)
        return fail(&err);
    fwrite(printer->text, 1, nbytes, stdout);
    return EXIT_DONE;
}

static enum exit_code print_scan(struct printer *printer, const char *path, struct stoa_scan *scan)
{
    const struct stoa_schema *schema = stoa_scan_schema(scan);
    enum exit_code code = EXIT_DONE;

    if (printer->first_path == NULL) {
        printer->first_path = path;
        code = start(printer, schema);
    } else if (!stoa_schema_equal(&printer->schema, schema)) {
        complain_schemas(path, printer->first_path);
        code = EXIT_USAGE;
    }
    while (code == EXIT_DONE && !ferror(stdout)) {
        struct stoa_batch batch;
        struct stoa_error err;

        if (stoa_scan_next(scan, &batch, &err) != STOA_OK)
            return fail_file(path, &err);
        if (batch.nrows == 0) {
            stoa_batch_reset(&batch);
            break;
        }
        code = print_batch(printer, &batch);
        stoa_batch_reset(&batch);
    }
    return code;
}

static enum exit_code print_file(struct printer *printer, const char *path,
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

static enum exit_code print_files(const struct arguments *arguments, enum form otherwise,
                                  uint64_t otherwise_limit)
{
    struct printer printer = {0};
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
    if (code == EXIT_DONE && printer.table != NULL)
        code = table_print(printer.table);
    table_free(printer.table);
    stoa_schema_reset(&printer.schema);
    stoa_free(printer.text);
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
