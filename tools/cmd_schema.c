/*
 * stoa schema
 */
#include <string.h>

#include "command.h"
#include "table.h"

static bool read_avro_schema(const char *path, struct stoa_schema *out, enum exit_code *code)
{
    struct stoa_error err;

    if (stoa_avro_file_schema(path, out, &err) == STOA_OK)
        return true;
    *code = fail(&err);
    return false;
}

static bool read_schema(const char *path, struct stoa_schema *out, enum exit_code *code)
{
    struct open_file file;
    struct stoa_error err;
    const struct stoa_schema *lent;
    bool done;

    if (!open_stoa(path, &file, code))
        return false;
    done = stoa_reader_schema(file.reader, &lent, &err) == STOA_OK &&
           stoa_schema_copy(out, lent, &err) == STOA_OK;
    if (!done)
        *code = fail_file(path, &err);
    close_stoa(&file);
    return done;
}

/* The one schema that all the files have. */
static bool read_schemas(char *const *paths, size_t npaths, enum stoa_format format,
                         struct stoa_schema *out, enum exit_code *code)
{
    bool (*const read)(const char *path, struct stoa_schema *out, enum exit_code *code) =
        format == STOA_FORMAT_AVRO ? read_avro_schema : read_schema;
    bool same = read(paths[0], out, code);

    for (size_t i = 1; same && i < npaths; i++) {
        struct stoa_schema other = {0};

        if (!read(paths[i], &other, code))
            return false;
        same = stoa_schema_equal(out, &other);
        stoa_schema_reset(&other);
        if (!same) {
            complain("%s: another schema than %s has", paths[i], paths[0]);
            *code = EXIT_USAGE;
        }
    }
    return same;
}

/* The options that text has in common go by the names of CSV. */
static enum stoa_status infer_jsonl(const char *const *paths, size_t npaths,
                                    const struct stoa_csv_options *csv, struct stoa_schema *out,
                                    char **evidence, struct stoa_error *err)
{
    const struct stoa_jsonl_options options = {
        .infer = csv->infer == STOA_CSV_INFER_FULL   ? STOA_JSONL_INFER_FULL
                 : csv->infer == STOA_CSV_INFER_NONE ? STOA_JSONL_INFER_NONE
                                                     : STOA_JSONL_INFER_SAMPLE,
        .types = csv->types,
        .filename = csv->filename,
        .max_record_nbytes = csv->max_record_nbytes,
    };

    return stoa_jsonl_infer(paths, npaths, &options, out, evidence, err);
}

bool input_schema(const struct arguments *arguments, char *const *paths, size_t npaths,
                  struct stoa_schema *out, char **evidence, enum exit_code *code)
{
    const char *const *inputs = (const char *const *)paths;
    enum stoa_format format = STOA_FORMAT_AUTO;
    struct inference_arguments inference = {0};
    struct stoa_csv_options csv = {0};
    struct stoa_error err;
    bool done = false;

    *code = EXIT_USAGE;
    if (!option_format(arguments, OPT_FROM, &format) || !option_csv(arguments, &csv) ||
        !option_inference(arguments, &inference, &csv))
        goto out;
    csv.is_guess = format == STOA_FORMAT_AUTO;
    if (stoa_format_of_inputs(inputs, npaths, &format, &err) != STOA_OK) {
        *code = fail(&err);
        goto out;
    }
    if ((format == STOA_FORMAT_STOA || format == STOA_FORMAT_AVRO) && csv.filename != NULL) {
        complain_option(arguments, OPT_FILENAME,
                        format == STOA_FORMAT_STOA ? "a Stoa file has a schema of its own"
                                                   : "an Avro file has a schema of its own");
        *code = EXIT_USAGE;
        goto out;
    }
    if (format == STOA_FORMAT_STOA || format == STOA_FORMAT_AVRO) {
        done = read_schemas(paths, npaths, format, out, code);
        goto out;
    }
    if (format == STOA_FORMAT_TSV && csv.delimiter == 0)
        csv.delimiter = '\t';
    csv.note = show_note;
    if (format == STOA_FORMAT_JSONL)
        done = infer_jsonl(inputs, npaths, &csv, out, evidence, &err) == STOA_OK;
    else
        done = stoa_csv_infer(inputs, npaths, &csv, out, evidence, &err) == STOA_OK;
    if (!done)
        *code = fail(&err);
out:
    inference_arguments_reset(&inference);
    csv_options_reset(&csv);
    return done;
}

static enum exit_code print_text(const struct stoa_schema *schema)
{
    static const char *const headers[] = {"column", "type", "nullable"};
    struct table *table = table_new();
    bool done = table != NULL;
    enum exit_code code;

    for (size_t i = 0; done && i < 3; i++)
        done = table_add_column(table, headers[i], false);
    for (uint32_t i = 0; done && i < schema->nfields; i++) {
        const struct stoa_field *field = &schema->fields[i];
        char name[NAME_NBYTES];
        char *type = NULL;

        stoa_quote(name, sizeof(name), field->name, strlen(field->name));
        done = stoa_type_print(field, &type, NULL) == STOA_OK &&
               table_add_row(table,
                             (const char *const[]){name, type, field->nullable ? "yes" : "no"}, 3);
        stoa_free(type);
    }
    code = done ? table_print(table) : fail_memory();
    table_free(table);
    return code;
}

static enum exit_code print_json(const struct stoa_schema *schema, const char *evidence)
{
    char *text = NULL;

    if (stoa_schema_print_json(schema, evidence, &text, NULL) != STOA_OK)
        return fail_memory();
    fputs(text, stdout);
    stoa_free(text);
    return EXIT_DONE;
}

/* The record is called after the first input, its folder and endings left aside. */
static enum exit_code print_avro(const struct stoa_schema *schema, const char *path)
{
    const char *slash = strrchr(path, '/');
    char name[NAME_NBYTES], *text = NULL;
    struct stoa_error err;

    path = slash != NULL ? slash + 1 : path;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, "."), path);
    if (stoa_avro_print_schema(schema, name, &text, &err) != STOA_OK)
        return fail(&err);
    fputs(text, stdout);
    stoa_free(text);
    return EXIT_DONE;
}

enum exit_code run_schema(const struct arguments *arguments)
{
    static const char *const forms[] = {"text", "json", "avsc", NULL};
    enum { TEXT, JSON, AVSC };
    unsigned form = has_option(arguments, OPT_JSON) ? JSON : TEXT;
    struct stoa_schema schema = {0};
    char *evidence = NULL;
    char **paths;
    size_t npaths;
    enum exit_code code;

    if (!option_word(arguments, OPT_SCHEMA_FORMAT, forms, "text, json or avsc", &form))
        return EXIT_USAGE;
    if (!expand_inputs(arguments, &paths, &npaths, &code))
        return code;
    if (has_option(arguments, OPT_DIFF))
        code = print_schema_diff(arguments, paths, npaths, form == JSON);
    else if (input_schema(arguments, paths, npaths, &schema, &evidence, &code))
        code = form == AVSC   ? print_avro(&schema, paths[0])
               : form == JSON ? print_json(&schema, evidence)
                              : print_text(&schema);
    stoa_free(evidence);
    stoa_schema_reset(&schema);
    stoa_paths_free(paths, npaths);
    return code;
}
