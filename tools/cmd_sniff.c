/*
 * stoa sniff
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json_out.h"
#include "table.h"

/* What is known of the inputs. */
struct sniffed {
    const char *const *paths;
    size_t npaths;
    struct stoa_csv_options options; /* nothing is at "auto" */
    struct stoa_csv_sniff_report report;
    struct stoa_schema schema;
};

/* A word that a shell takes as it is. */
static void print_word(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,.:@%+-_/";

    if (*word != '\0' && strspn(word, plain) == strlen(word)) {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    }
    putchar('\'');
}

/* The types of all columns as the word of --types, NULL when memory is out; free it. */
static char *types_word(const struct stoa_schema *schema)
{
    char *word = NULL;
    size_t nbytes = 0;
    FILE *out = open_memstream(&word, &nbytes);

    if (out == NULL)
        return NULL;
    for (uint32_t i = 0; i < schema->nfields; i++) {
        const char *name = schema->fields[i].name;
        const bool quoted = *name == '"' || strchr(name, '=') != NULL;
        char *type = NULL;

        if (i > 0)
            fputc(',', out);
        if (quoted)
            fputc('"', out);
        for (; *name != '\0'; name++) {
            fputc(*name, out);
            if (quoted && *name == '"')
                fputc('"', out);
        }
        if (quoted)
            fputc('"', out);
        if (stoa_type_print(&schema->fields[i], &type, NULL) == STOA_OK)
            fprintf(out, "=%s", type);
        stoa_free(type);
    }
    fclose(out);
    return word;
}

/* The words behind "stoa convert" and the inputs. */
static size_t dialect_words(const struct sniffed *sniffed, struct csv_word words[CSV_NWORDS])
{
    return csv_option_words(&sniffed->options, sniffed->report.encoding, words);
}

static void print_command(const struct sniffed *sniffed)
{
    struct csv_word words[CSV_NWORDS];
    const size_t n = dialect_words(sniffed, words);

    fputs("stoa convert", stdout);
    for (size_t i = 0; i < sniffed->npaths; i++) {
        putchar(' ');
        print_word(sniffed->paths[i]);
    }
    fputs(" -o OUT.stoa", stdout);
    for (size_t i = 0; i < n; i++) {
        printf(" --%s ", words[i].name);
        print_word(words[i].value);
    }
    if (sniffed->schema.nfields > 0) {
        char *types = types_word(&sniffed->schema);

        fputs(" --types ", stdout);
        print_word(types != NULL ? types : "");
        free(types);
    }
    putchar('\n');
}

static void print_facts(const struct sniffed *sniffed)
{
    const struct stoa_csv_sniff_report *report = &sniffed->report;
    struct csv_word words[CSV_NWORDS];
    const size_t n = dialect_words(sniffed, words);
    char name[NAME_NBYTES];

    stoa_quote(name, sizeof(name), sniffed->paths[0], strlen(sniffed->paths[0]));
    printf("%s: %" PRIu64 " records in the first %" PRIu64 " bytes of text%s\n", name,
           report->nrecords, report->nbytes, report->whole ? ", which are all" : "");
    for (size_t i = 0; i < n; i++)
        printf("  %-19s  %s%s%s\n", words[i].name, words[i].value,
               strcmp(words[i].name, "quote") == 0 && !report->quotes_seen ? " (none seen)" : "",
               strcmp(words[i].name, "encoding") == 0 && report->byte_order_mark
                   ? ", with a byte order mark"
                   : "");
    if (report->not_utf8_line > 0)
        printf("  line %" PRIu64 " is no UTF-8: --encoding names another one, latin1 or cp1252\n",
               report->not_utf8_line);
    if (report->score < 0.3)
        puts("  little speaks for this dialect: it is a guess");
}

static enum exit_code print_columns(const struct stoa_schema *schema)
{
    struct table *table = table_new();
    bool done = table != NULL && table_add_column(table, "column", false) &&
                table_add_column(table, "type", false);
    enum exit_code code;

    for (uint32_t i = 0; done && i < schema->nfields; i++) {
        const struct stoa_field *field = &schema->fields[i];
        char name[NAME_NBYTES];
        char *type = NULL;

        stoa_quote(name, sizeof(name), field->name, strlen(field->name));
        done = stoa_type_print(field, &type, NULL) == STOA_OK &&
               table_add_row(table, (const char *const[]){name, type}, 2);
        stoa_free(type);
    }
    code = done ? table_print(table) : fail_memory();
    table_free(table);
    return code;
}

/* null for a character that there is none of. */
static struct json_t *json_character(char c)
{
    const char text[2] = {c, '\0'};

    return c == STOA_CSV_NONE || c == 0 ? NULL : json_out_text(text);
}

static struct json_t *json_columns(const struct stoa_schema *schema)
{
    struct json_t *columns = json_out_array();

    for (uint32_t i = 0; i < schema->nfields; i++) {
        struct json_t *column = json_out_object();
        char *type = NULL;

        json_out_set(column, "name", json_out_text(schema->fields[i].name));
        if (stoa_type_print(&schema->fields[i], &type, NULL) == STOA_OK)
            json_out_set(column, "type", json_out_text(type));
        stoa_free(type);
        json_out_append(columns, column);
    }
    return columns;
}

static struct json_t *json_command(const struct sniffed *sniffed)
{
    struct csv_word words[CSV_NWORDS];
    const size_t n = dialect_words(sniffed, words);
    struct json_t *command = json_out_array();
    char *types = types_word(&sniffed->schema);

    json_out_append(command, json_out_text("stoa"));
    json_out_append(command, json_out_text("convert"));
    for (size_t i = 0; i < sniffed->npaths; i++)
        json_out_append(command, json_out_text(sniffed->paths[i]));
    for (size_t i = 0; i < n; i++) {
        char option[32];

        snprintf(option, sizeof(option), "--%s", words[i].name);
        json_out_append(command, json_out_text(option));
        json_out_append(command, json_out_text(words[i].value));
    }
    json_out_append(command, json_out_text("--types"));
    json_out_append(command, json_out_text(types != NULL ? types : ""));
    free(types);
    return command;
}

static enum exit_code print_json(const struct sniffed *sniffed)
{
    static const char *const trims[] = {"auto", "none", "start", "both"};
    const struct stoa_csv_options *options = &sniffed->options;
    const struct stoa_csv_sniff_report *report = &sniffed->report;
    const struct {
        const char *key;
        struct json_t *value; /* NULL: null */
    } members[] = {
        {"file", json_out_text(sniffed->paths[0])},
        {"encoding", json_out_text(report->encoding)},
        {"byte_order_mark", json_out_bool(report->byte_order_mark)},
        {"delimiter", json_character(options->delimiter)},
        {"quote", json_character(options->quote)},
        {"escape", json_character(options->escape)},
        {"comment", json_character(options->comment)},
        {"skip_lines",
         json_out_count(options->skip_nlines > 0 ? (uint64_t)options->skip_nlines : 0)},
        {"header",
         json_out_count(options->header_nrecords > 0 ? (uint64_t)options->header_nrecords : 0)},
        {"trailing_delimiter", json_out_bool(options->trailing_delimiter > 0)},
        {"trim", json_out_text(trims[options->trim])},
        {"decimal", json_character(options->decimal)},
        {"columns", json_columns(&sniffed->schema)},
        {"score", json_out_seconds(report->score)},
        {"bytes", json_out_count(report->nbytes)},
        {"records", json_out_count(report->nrecords)},
        {"whole", json_out_bool(report->whole)},
        {"not_utf8_line", report->not_utf8_line > 0 ? json_out_count(report->not_utf8_line) : NULL},
        {"command", json_command(sniffed)},
    };
    struct json_t *out = json_out_object();

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        json_out_set(out, members[i].key,
                     members[i].value != NULL ? members[i].value : json_out_null());
    return json_out_print(out);
}

/* The dialect alone, where the types can't be told; the message of why follows it. */
static enum exit_code fail_types(struct sniffed *sniffed, const struct stoa_csv_options *given,
                                 const struct stoa_error *why)
{
    const bool again = strcmp(sniffed->paths[0], "-") != 0; /* it can be read once more */

    if (again && stoa_csv_sniff(sniffed->paths, sniffed->npaths, given, &sniffed->options,
                                &sniffed->report, NULL, NULL) == STOA_OK) {
        print_facts(sniffed);
        print_command(sniffed);
        fflush(stdout);
    }
    return fail(why);
}

static enum exit_code sniff(const struct arguments *arguments, struct sniffed *sniffed)
{
    enum stoa_format format = STOA_FORMAT_AUTO;
    struct inference_arguments inference = {0};
    struct stoa_csv_options given = {0};
    struct stoa_error err;
    enum exit_code code = EXIT_USAGE;

    if (!option_format(arguments, OPT_FROM, &format) || !option_csv(arguments, &given) ||
        !option_inference(arguments, &inference, &given))
        goto out;
    given.is_guess = format == STOA_FORMAT_AUTO;
    if (stoa_format_of_inputs(sniffed->paths, sniffed->npaths, &format, &err) != STOA_OK) {
        code = fail(&err);
        goto out;
    }
    if (format == STOA_FORMAT_STOA) {
        complain("sniff: a Stoa file says itself what it is (try: stoa info)");
        goto out;
    }
    if (format == STOA_FORMAT_JSONL) {
        complain("sniff: JSON lines have no dialect (try: stoa schema)");
        goto out;
    }
    if (format == STOA_FORMAT_TSV && given.delimiter == 0)
        given.delimiter = '\t';
    if (stoa_csv_sniff(sniffed->paths, sniffed->npaths, &given, &sniffed->options, &sniffed->report,
                       &sniffed->schema, &err) != STOA_OK) {
        code = has_option(arguments, OPT_JSON) ? fail(&err) : fail_types(sniffed, &given, &err);
        goto out;
    }
    if (has_option(arguments, OPT_JSON)) {
        code = print_json(sniffed);
    } else {
        print_facts(sniffed);
        code = print_columns(&sniffed->schema);
        print_command(sniffed);
    }
out:
    inference_arguments_reset(&inference);
    csv_options_reset(&given);
    return code;
}

enum exit_code run_sniff(const struct arguments *arguments)
{
    struct sniffed sniffed = {0};
    char **paths = NULL;
    size_t npaths = 0;
    enum exit_code code;

    if (expand_inputs(arguments, &paths, &npaths, &code)) {
        sniffed.paths = (const char *const *)paths;
        sniffed.npaths = npaths;
        code = sniff(arguments, &sniffed);
    }
    stoa_schema_reset(&sniffed.schema);
    stoa_paths_free(paths, npaths);
    return code;
}
