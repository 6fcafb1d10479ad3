/*
 * stoa schema
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "table.h"

/* The schema of a Stoa file, or the one that samples of text say. */
static enum stoa_status get_schema(const struct arguments *arguments, char *const *paths,
                                   size_t npaths, struct stoa_schema *out, char **evidence,
                                   struct stoa_error *err)
{
    const char *from = arguments->values[OPT_FROM];
    struct stoa_csv_options csv;
    enum stoa_format format = from != NULL ? stoa_format_find(from) : STOA_FORMAT_AUTO;
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    const struct stoa_schema *lent;
    enum stoa_status st = STOA_OK;

    if (from == NULL)
        st = stoa_format_of_input(paths[0], &format, err);
    if (st != STOA_OK)
        return st;
    if (format == STOA_FORMAT_STOA) {
        st = stoa_source_open_file(paths[0], &source, err);
        if (st == STOA_OK)
            st = stoa_reader_open(source, NULL, &reader, err);
        if (st == STOA_OK)
            st = stoa_reader_schema(reader, &lent, err);
        if (st == STOA_OK)
            st = stoa_schema_copy(out, lent, err);
        stoa_reader_close(reader);
        stoa_source_close(source);
        return st;
    }
    if (!option_csv(arguments, &csv)) {
        err->status = STOA_ERR_USAGE;
        err->message[0] = '\0';
        return STOA_ERR_USAGE;
    }
    if (format == STOA_FORMAT_TSV && csv.delimiter == 0)
        csv.delimiter = '\t';
    return stoa_csv_infer((const char *const *)paths, npaths, &csv, out, evidence, err);
}

static bool print_text(const struct stoa_schema *schema)
{
    static const char *const headers[] = {"column", "type", "nullable"};
    struct table *table = table_new();
    bool done = table != NULL;

    for (size_t i = 0; done && i < 3; i++)
        done = table_add_column(table, headers[i], false);
    for (uint32_t i = 0; done && i < schema->nfields; i++) {
        const struct stoa_field *field = &schema->fields[i];
        char *type = NULL;
        const char *cells[3] = {field->name, NULL, field->nullable ? "yes" : "no"};

        done = stoa_type_print(field, &type, NULL) == STOA_OK;
        cells[1] = type;
        done = done && table_add_row(table, cells, 3);
        stoa_free(type);
    }
    done = done && table_print(table);
    table_free(table);
    return done;
}

static bool print_json(const struct stoa_schema *schema, const char *evidence)
{
    char *text = NULL;
    bool done = stoa_schema_print_json(schema, evidence, &text, NULL) == STOA_OK;

    if (done)
        printf("%s%s", text, text[strlen(text) - 1] == '\n' ? "" : "\n");
    stoa_free(text);
    return done;
}

enum exit_code run_schema(const struct arguments *arguments)
{
    const char *form = arguments->values[OPT_SCHEMA_FORMAT];
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    char *evidence = NULL;
    char **paths;
    size_t npaths;
    bool json = has_option(arguments, OPT_JSON), done;
    enum exit_code code;

    if (form != NULL && strcmp(form, "json") != 0 && strcmp(form, "text") != 0) {
        complain("--format %s: expected text or json", form);
        return EXIT_USAGE;
    }
    if (!expand_inputs(arguments, &paths, &npaths, &code))
        return code;
    if (get_schema(arguments, paths, npaths, &schema, &evidence, &err) != STOA_OK) {
        code = err.message[0] == '\0' ? EXIT_USAGE : fail(&err);
    } else {
        json |= form != NULL && strcmp(form, "json") == 0;
        done = json ? print_json(&schema, evidence) : print_text(&schema);
        if (!done)
            complain("out of memory");
        code = done ? EXIT_DONE : EXIT_IO;
    }
    stoa_free(evidence);
    stoa_schema_reset(&schema);
    stoa_paths_free(paths, npaths);
    return code;
}
