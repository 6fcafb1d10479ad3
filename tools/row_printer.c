/*
 * Rows as text of every form.
 */
#include "row_printer.h"

#include <stdlib.h>
#include <string.h>

#include "table.h"

#define CELL_NBYTES     60    /* of a text in a table */
#define TABLE_MAX_NROWS 10000 /* a table is laid out as a whole */

static const char *const form_names[] = {"csv", "tsv", "jsonl", "table"};

bool option_form(const struct arguments *arguments, enum row_form otherwise,
                 struct row_printer *printer)
{
    const char *name = arguments->values[OPT_FORMAT];
    enum row_form form = has_option(arguments, OPT_JSON) ? FORM_JSONL : otherwise;

    if (name != NULL && has_option(arguments, OPT_JSON)) {
        complain_option(arguments, OPT_FORMAT, "--json says the same or something else");
        return false;
    }
    if (name != NULL)
        for (form = FORM_CSV; form != FORM_NONE && strcmp(form_names[form], name) != 0;)
            form++;
    if (form == FORM_NONE) {
        complain_option(arguments, OPT_FORMAT, "expected csv, tsv, jsonl or table");
        return false;
    }
    printer->form = form;
    if (!option_csv_output(arguments, &printer->csv))
        return false;
    if (form == FORM_TSV && printer->csv.delimiter == 0)
        printer->csv.delimiter = '\t';
    return true;
}

enum exit_code print_text(const struct row_printer *printer, struct stoa_convert_options *options)
{
    static const enum stoa_format formats[] = {[FORM_CSV] = STOA_FORMAT_CSV,
                                               [FORM_TSV] = STOA_FORMAT_TSV,
                                               [FORM_JSONL] = STOA_FORMAT_JSONL};
    struct stoa_error err;

    options->to = formats[printer->form];
    options->csv_out = printer->csv;
    options->output = "-";
    return stoa_convert(options, NULL, &err) == STOA_OK ? EXIT_DONE : fail(&err);
}

static bool is_number(const struct stoa_type *type)
{
    return type->id >= STOA_INT8 && type->id <= STOA_DECIMAL;
}

static bool start_table(struct row_printer *printer)
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

static enum exit_code print_header(struct row_printer *printer, const struct stoa_schema *schema)
{
    struct stoa_error err;
    char *text = NULL;
    size_t nbytes = 0;

    if (stoa_schema_copy(&printer->schema, schema, &err) != STOA_OK)
        return fail(&err);
    if (printer->form == FORM_TABLE)
        return start_table(printer) ? EXIT_DONE : fail_memory();
    if (printer->form == FORM_JSONL)
        return EXIT_DONE;
    if (stoa_csv_format_header(&printer->csv, schema, &text, &nbytes, &err) != STOA_OK)
        return fail(&err);
    if (nbytes > 0)
        fwrite(text, 1, nbytes, stdout);
    stoa_free(text);
    return EXIT_DONE;
}

enum exit_code row_printer_start(struct row_printer *printer, const char *path,
                                 const struct stoa_schema *schema)
{
    if (printer->first_path == NULL) {
        printer->first_path = path;
        return print_header(printer, schema);
    }
    if (stoa_schema_equal(&printer->schema, schema))
        return EXIT_DONE;
    complain_schemas(path, printer->first_path);
    return EXIT_USAGE;
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
    default: /* numbers are not cut */
        cell[stoa_array_format(field, array, i, cell)] = '\0';
        return true;
    }
}

static bool add_table_rows(struct row_printer *printer, const struct stoa_batch *batch)
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

enum exit_code row_printer_print(struct row_printer *printer, const struct stoa_batch *batch)
{
    struct stoa_error err;
    size_t nbytes = 0;
    enum stoa_status st;

    printer->nrows += batch->nrows;
    if (printer->form == FORM_TABLE) {
        if (printer->nrows > TABLE_MAX_NROWS) {
            complain("more than %d rows for a table: ask for fewer, or for --format csv",
                     TABLE_MAX_NROWS);
            return EXIT_USAGE;
        }
        return add_table_rows(printer, batch) ? EXIT_DONE : fail_memory();
    }
    stoa_free(printer->text);
    printer->text = NULL;
    st = printer->form == FORM_JSONL
             ? stoa_jsonl_format(batch, &printer->text, &nbytes, &err)
             : stoa_csv_format(&printer->csv, batch, &printer->text, &nbytes, &err);
    if (st != STOA_OK)
        return fail(&err);
    if (nbytes > 0)
        fwrite(printer->text, 1, nbytes, stdout);
    return EXIT_DONE;
}

enum exit_code row_printer_finish(struct row_printer *printer)
{
    return printer->table != NULL ? table_print(printer->table) : EXIT_DONE;
}

void row_printer_reset(struct row_printer *printer)
{
    table_free(printer->table);
    stoa_schema_reset(&printer->schema);
    stoa_free(printer->text);
    *printer = (struct row_printer){0};
}
