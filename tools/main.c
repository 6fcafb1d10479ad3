/*
 * `stoa`: the table of commands, and which of them is meant.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"

#define SCAN_OPTIONS OPT_SELECT, OPT_WHERE, OPT_JOBS

/* clang-format off */
const struct command commands[] = {
    {.name = "convert", .synopsis = "IN... -o OUT [options]", .run = run_convert, .min_files = 1,
     .summary = "Convert CSV (also gz, xz, bz2, zst, lz4) to Stoa, or Stoa to CSV, TSV, JSON lines",
     .details =
        "Inputs are files, folders (their files by name), glob patterns, or \"-\" for standard\n"
        "input; they are read in order as one table. CSV gets a schema inferred from samples of\n"
        "all inputs unless --schema gives one. A value that does not fit its column is an error\n"
        "with file, line, column and value.",
     .examples =
        "  stoa convert trips/*.csv.gz -o trips.stoa\n"
        "  stoa convert trips.csv -o big.stoa --where 'fare > 50' --select pickup,fare\n"
        "  stoa convert trips.stoa -o - --to csv | head\n"
        "  unzip -p trips.zip | stoa convert - -o trips.stoa",
     .options = {OPT_OUTPUT, OPT_FORCE, OPT_FROM, OPT_TO, OPT_SCHEMA, OPT_SELECT, OPT_WHERE,
                 OPT_DELIMITER, OPT_NO_HEADER, OPT_MAX_RECORD_SIZE, OPT_JOBS, OPT_MEMORY,
                 OPT_ROW_GROUP_ROWS, OPT_ROW_GROUP_BYTES, OPT_DRY_RUN, OPT_PROGRESS, OPT_JSON,
                 OPT_HELP, END_OF_OPTIONS}},
    {.name = "schema", .synopsis = "IN... [options]", .run = run_schema, .min_files = 1,
     .summary = "Print the schema of a Stoa file, or the one inferred from samples of CSV",
     .details = "The JSON form can be edited and given to `stoa convert --schema`.",
     .examples =
        "  stoa schema trips.csv.gz --format json > trips.json\n"
        "  stoa convert trips.csv.gz --schema trips.json -o trips.stoa",
     .options = {OPT_SCHEMA_FORMAT, OPT_FROM, OPT_DELIMITER, OPT_NO_HEADER, OPT_MAX_RECORD_SIZE,
                 OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "info", .synopsis = "FILE [options]", .run = run_info, .min_files = 1, .max_files = 1,
     .summary = "Show rows, columns, encodings, and where every byte of a Stoa file is",
     .options = {OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "head", .synopsis = "FILE [options]", .run = run_head, .min_files = 1, .max_files = 1,
     .summary = "Print the first rows (10, or --limit) of a Stoa file as a table",
     .options = {OPT_LIMIT, SCAN_OPTIONS, OPT_FORMAT, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "cat", .synopsis = "FILE... [options]", .run = run_cat, .min_files = 1,
     .summary = "Print the rows of Stoa files as CSV, TSV, JSON lines or a table",
     .examples = "  stoa cat flights.stoa -w \"carrier = 'AA' and dep_delay > 60\" -s flight,dep_delay",
     .options = {OPT_LIMIT, SCAN_OPTIONS, OPT_FORMAT, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "count", .synopsis = "FILE... [options]", .run = run_count, .min_files = 1,
     .summary = "Count the rows of Stoa files, or those that a predicate selects",
     .options = {OPT_WHERE, OPT_JOBS, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "explain", .synopsis = "FILE --where EXPR [options]", .run = run_explain,
     .min_files = 1, .max_files = 1,
     .summary = "Show what a scan skips: row groups, zones, pages and bytes, term by term",
     .options = {SCAN_OPTIONS, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
};
/* clang-format on */

const size_t ncommands = sizeof(commands) / sizeof(commands[0]);

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ncommands; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

int main(int argc, char **argv)
{
    const struct command *command;
    struct arguments arguments;
    enum exit_code code;

    if (argc < 2) {
        print_overview();
        return EXIT_USAGE;
    }
    if (is_one_of(argv[1], "--help", "-h", "help")) {
        command = argc > 2 ? find_command(argv[2]) : NULL;
        if (command != NULL)
            print_help(command);
        else
            print_overview();
        return finish_output();
    }
    if (is_one_of(argv[1], "--version", "-V", "version")) {
        printf("stoa %s\n", stoa_version());
        return finish_output();
    }
    if (strcmp(argv[1], "--man") == 0) {
        print_man_page();
        return finish_output();
    }
    command = find_command(argv[1]);
    if (command == NULL) {
        complain("there is no command \"%s\" (try: stoa --help)", argv[1]);
        return EXIT_USAGE;
    }
    if (!arguments_parse(command, argc - 1, argv + 1, &arguments))
        return EXIT_USAGE;
    if (has_option(&arguments, OPT_HELP)) {
        print_help(command);
        return finish_output();
    }
    code = command->run(&arguments);
    if (code == EXIT_DONE)
        code = finish_output();
    return code;
}
