/*
 * Options: one table that is parsed, explained by --help, and made into the man page.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

struct option_row {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* what follows it, NULL: nothing */
    const char *help;
};

/* clang-format off */
static const struct option_row rows[NOPTIONS] = {
    [OPT_OUTPUT] = {"output", 'o', "FILE",
        "the file to write, \"-\" for standard output"},
    [OPT_FORCE] = {"force", 'f', NULL,
        "replace an output that exists"},
    [OPT_FROM] = {"from", 0, "FORMAT",
        "format of the inputs: csv, tsv or stoa (otherwise their content tells)"},
    [OPT_TO] = {"to", 0, "FORMAT",
        "format of the output: stoa, csv, tsv or jsonl (otherwise its name tells)"},
    [OPT_SCHEMA] = {"schema", 0, "FILE",
        "names and types of the columns, as `stoa schema` prints them (otherwise they are inferred)"},
    [OPT_SELECT] = {"select", 's', "A,B,...",
        "only these columns, in this order; names with a comma in double quotes"},
    [OPT_WHERE] = {"where", 'w', "EXPR",
        "only rows for which EXPR is true: \"fare > 10 and vendor = 'CMT'\""},
    [OPT_LIMIT] = {"limit", 'n', "N",
        "stop after N rows"},
    [OPT_FORMAT] = {"format", 't', "FORMAT",
        "how rows are printed: csv, tsv, jsonl or table"},
    [OPT_SCHEMA_FORMAT] = {"format", 't', "FORMAT",
        "text or json"},
    [OPT_JOBS] = {"jobs", 'j', "N",
        "threads (otherwise one per processor); the output does not depend on it"},
    [OPT_MEMORY] = {"memory", 'm', "SIZE",
        "memory to stay within, 64M or 2G (otherwise 256M, and 96M for each job after the second)"},
    [OPT_ROW_GROUP_ROWS] = {"row-group-rows", 0, "N",
        "rows of a row group at the most (otherwise 131072)"},
    [OPT_ROW_GROUP_BYTES] = {"row-group-bytes", 0, "SIZE",
        "text of a row group at the most (otherwise 32M)"},
    [OPT_DELIMITER] = {"delimiter", 'd', "C",
        "what separates the fields of CSV: one character, or \"tab\" (otherwise a comma)"},
    [OPT_NO_HEADER] = {"no-header", 0, NULL,
        "CSV without a line of names: columns are column_1, column_2, ... or those of --schema"},
    [OPT_MAX_RECORD_SIZE] = {"max-record-size", 0, "SIZE",
        "refuse longer records of CSV (otherwise 32M)"},
    [OPT_DRY_RUN] = {"dry-run", 0, NULL,
        "check inputs, schema and predicate, say what would be done, write nothing"},
    [OPT_PROGRESS] = {"progress", 0, "WHEN",
        "auto (on a terminal), always, never, or json: lines of JSON on standard error"},
    [OPT_DEEP] = {"deep", 0, NULL,
        "decode every page too, and hold the values against statistics"},
    [OPT_JSON] = {"json", 0, NULL,
        "print JSON for programs"},
    [OPT_HELP] = {"help", 'h', NULL,
        "print this help"},
};
/* clang-format on */

bool has_option(const struct arguments *arguments, enum option_id id)
{
    return arguments->values[id] != NULL;
}

static void complain_option(const struct arguments *arguments, enum option_id id, const char *why)
{
    complain("--%s %s: %s", rows[id].name, arguments->values[id], why);
}

/* The option that getopt_long() found: by letter, or by place in the command's list. */
static enum option_id find_option(const struct command *command, int found, int place)
{
    if (found == 0)
        return command->options[place];
    for (const enum option_id *id = command->options; *id != END_OF_OPTIONS; id++) {
        if (rows[*id].letter == found)
            return *id;
    }
    return END_OF_OPTIONS;
}

bool arguments_parse(const struct command *command, int argc, char **argv, struct arguments *out)
{
    struct option longs[NOPTIONS + 1] = {{0}};
    char letters[2 * NOPTIONS + 2] = ":";
    size_t nlongs = 0, nletters = 1;
    int found, place = 0;

    *out = (struct arguments){.command = command};
    for (const enum option_id *id = command->options; *id != END_OF_OPTIONS; id++) {
        const struct option_row *row = &rows[*id];

        longs[nlongs++] = (struct option){
            .name = row->name, .has_arg = row->value != NULL ? required_argument : no_argument};
        if (row->letter != 0) {
            letters[nletters++] = row->letter;
            if (row->value != NULL)
                letters[nletters++] = ':';
        }
    }
    letters[nletters] = '\0';
    optind = 0; /* argv is new to getopt */
    while ((found = getopt_long(argc, argv, letters, longs, &place)) != -1) {
        enum option_id id;

        if (found == '?' || found == ':') {
            complain("%s %s: %s (try: stoa %s --help)", command->name, argv[optind - 1],
                     found == ':' ? "a value is missing" : "no such option", command->name);
            return false;
        }
        id = find_option(command, found, place);
        out->values[id] = optarg != NULL ? optarg : "";
    }
    out->files = argv + optind;
    out->nfiles = argc - optind;
    if (has_option(out, OPT_HELP))
        return true;
    if (out->nfiles < command->min_files ||
        (command->max_files > 0 && out->nfiles > command->max_files)) {
        complain("usage: stoa %s %s (more: stoa %s --help)", command->name, command->synopsis,
                 command->name);
        return false;
    }
    return true;
}

/* Digits with a suffix K, M, G or T when `suffixes`; false when it is nothing of the kind. */
static bool parse_number(const char *text, bool suffixes, uint64_t *out)
{
    static const char units[] = "KMGT";
    uint64_t x = 0;
    const char *unit;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (x > (UINT64_MAX - 9) / 10)
            return false;
        x = 10 * x + (uint64_t)(*text - '0');
    }
    unit = suffixes && *text != '\0' ? strchr(units, *text & ~0x20) : NULL;
    if (unit != NULL) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);

        if (x > UINT64_MAX >> shift)
            return false;
        x <<= shift;
        text++;
        if (strcmp(text, "iB") == 0)
            text += 2;
    }
    *out = x;
    return *text == '\0';
}

bool option_count(const struct arguments *arguments, enum option_id id, uint64_t max, uint64_t *out)
{
    uint64_t x;
    char why[64];

    if (!has_option(arguments, id))
        return true;
    if (parse_number(arguments->values[id], false, &x) && x >= 1 && x <= max) {
        *out = x;
        return true;
    }
    if (max == UINT64_MAX)
        snprintf(why, sizeof(why), "expected a number, 1 or more");
    else
        snprintf(why, sizeof(why), "expected a number from 1 to %" PRIu64, max);
    complain_option(arguments, id, why);
    return false;
}

bool option_size(const struct arguments *arguments, enum option_id id, uint64_t *out)
{
    uint64_t x;

    if (!has_option(arguments, id))
        return true;
    if (parse_number(arguments->values[id], true, &x) && x >= 1) {
        *out = x;
        return true;
    }
    complain_option(arguments, id, "expected a size such as 1000000, 64M or 2G");
    return false;
}

/* The next name of a list, which moves behind it; NULL when memory is out. */
static char *next_name(const char **list)
{
    const char *at = *list;
    char *name = malloc(strlen(at) + 1), *to = name;
    bool quoted = false;

    if (name == NULL)
        return NULL;
    for (; *at != '\0' && (quoted || *at != ','); at++) {
        if (*at != '"') {
            *to++ = *at;
        } else if (quoted && at[1] == '"') {
            *to++ = '"';
            at++;
        } else {
            quoted = !quoted;
        }
    }
    *to = '\0';
    *list = *at == ',' ? at + 1 : at;
    return name;
}

bool option_select(const struct arguments *arguments, char ***names, uint32_t *nnames)
{
    const char *list = arguments->values[OPT_SELECT];
    size_t capacity = 1;
    char **out;

    *names = NULL;
    *nnames = 0;
    if (list == NULL)
        return true;
    for (const char *at = list; *at != '\0'; at++)
        capacity += *at == ',';
    out = calloc(capacity, sizeof(*out));
    for (bool more = out != NULL; more;) {
        const char *before = list;
        char *name = next_name(&list);

        if (name == NULL)
            break;
        out[(*nnames)++] = name;
        if (*name == '\0') {
            complain_option(arguments, OPT_SELECT, "a name is empty");
            select_free(out, *nnames);
            return false;
        }
        more = list > before && list[-1] == ',';
        if (!more) {
            *names = out;
            return true;
        }
    }
    complain("out of memory");
    select_free(out, *nnames);
    return false;
}

void select_free(char **names, uint32_t nnames)
{
    for (uint32_t i = 0; names != NULL && i < nnames; i++)
        free(names[i]);
    free(names);
}

bool option_where(const struct arguments *arguments, struct stoa_filter **out)
{
    struct stoa_error err;

    *out = NULL;
    if (!has_option(arguments, OPT_WHERE))
        return true;
    if (stoa_filter_parse(arguments->values[OPT_WHERE], out, &err) == STOA_OK)
        return true;
    complain("--where: %s", err.message);
    if (err.offset != STOA_NO_OFFSET && strchr(arguments->values[OPT_WHERE], '\n') == NULL)
        fprintf(stderr, "  %s\n  %*s^\n", arguments->values[OPT_WHERE], (int)err.offset, "");
    return false;
}

/* All of a file; NULL after a message. */
static char *read_text(const char *path, size_t *nbytes)
{
    struct stoa_error err;
    struct stoa_stream *stream = NULL;
    const size_t max = (size_t)64 << 20, piece = (size_t)64 << 10;
    char *text = NULL;
    size_t n = 0, got = 1;

    if (stoa_stream_open(path, &stream, &err) != STOA_OK) {
        complain("%s", err.message);
        return NULL;
    }
    while (got > 0 && n < max) {
        char *more = realloc(text, n + piece);

        if (more == NULL)
            break;
        text = more;
        if (stream->read(stream, text + n, piece, &got, &err) != STOA_OK) {
            complain("%s", err.message);
            got = 1;
            break;
        }
        n += got;
    }
    stoa_stream_close(stream);
    *nbytes = n;
    if (got == 0)
        return text;
    if (n >= max)
        complain("%s: more than 64 MiB are no schema", path);
    free(text);
    return NULL;
}

bool option_schema(const struct arguments *arguments, struct stoa_schema *out, bool *given)
{
    const char *path = arguments->values[OPT_SCHEMA];
    struct stoa_error err;
    size_t nbytes;
    char *text;
    enum stoa_status st;

    *out = (struct stoa_schema){0};
    *given = path != NULL;
    if (path == NULL)
        return true;
    text = read_text(path, &nbytes);
    if (text == NULL)
        return false;
    st = stoa_schema_parse_json(text, nbytes, out, &err);
    if (st != STOA_OK)
        complain("%s: %s", path, err.message);
    free(text);
    return st == STOA_OK;
}

bool option_csv(const struct arguments *arguments, struct stoa_csv_options *out)
{
    const char *delimiter = arguments->values[OPT_DELIMITER];

    *out = (struct stoa_csv_options){.no_header = has_option(arguments, OPT_NO_HEADER)};
    if (delimiter != NULL) {
        if (strcmp(delimiter, "tab") == 0 || strcmp(delimiter, "\\t") == 0)
            delimiter = "\t";
        if (strlen(delimiter) != 1 || strchr("\"\r\n", *delimiter) != NULL) {
            complain_option(arguments, OPT_DELIMITER,
                            "expected one character (no quote, no line end) or \"tab\"");
            return false;
        }
        out->delimiter = *delimiter;
    }
    return option_size(arguments, OPT_MAX_RECORD_SIZE, &out->max_record_nbytes);
}

bool option_scan(const struct arguments *arguments, struct scan_arguments *out)
{
    uint64_t jobs = 0;

    *out = (struct scan_arguments){0};
    if (!option_count(arguments, OPT_LIMIT, UINT64_MAX, &out->options.limit) ||
        !option_count(arguments, OPT_JOBS, 1024, &jobs) ||
        !option_select(arguments, &out->names, &out->options.ncolumns) ||
        !option_where(arguments, &out->filter)) {
        scan_arguments_reset(out);
        return false;
    }
    out->options.columns = (const char *const *)out->names;
    out->options.filter = out->filter;
    out->options.jobs = (unsigned)jobs;
    return true;
}

void scan_arguments_reset(struct scan_arguments *scan)
{
    select_free(scan->names, scan->options.ncolumns);
    stoa_filter_free(scan->filter);
    *scan = (struct scan_arguments){0};
}

/* ---- Help ---- */

static void print_option(const struct option_row *row)
{
    char left[40];
    char letter[5] = "    ";

    if (row->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", row->letter);
    snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name, row->value != NULL ? " " : "",
             row->value != NULL ? row->value : "");
    printf("  %-26s %s\n", left, row->help);
}

void print_help(const struct command *command)
{
    printf("usage: stoa %s %s\n\n%s.\n", command->name, command->synopsis, command->summary);
    if (command->details != NULL)
        printf("\n%s\n", command->details);
    puts("\noptions:");
    for (const enum option_id *id = command->options; *id != END_OF_OPTIONS; id++)
        print_option(&rows[*id]);
    if (command->examples != NULL)
        printf("\nexamples:\n%s\n", command->examples);
}

void print_overview(void)
{
    puts("usage: stoa COMMAND ...\n\n"
         "Columnar files from CSV archives: smaller, faster to scan, no value altered.\n\n"
         "commands:");
    for (size_t i = 0; i < ncommands; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].summary);
    puts("\n`stoa COMMAND --help` explains a command, `stoa --version` prints the version.");
}

/* Text of a man page: backslashes and leading dots and quotes mean something to troff. */
static void print_troff(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool begins = at == text || at[-1] == '\n';

        if (begins && (*at == '.' || *at == '\''))
            fputs("\\&", stdout);
        if (*at == '\\')
            fputs("\\e", stdout);
        else if (*at == '-')
            fputs("\\-", stdout);
        else
            putchar(*at);
    }
}

static void print_man_command(const struct command *command)
{
    printf(".SS stoa %s ", command->name);
    print_troff(command->synopsis);
    putchar('\n');
    print_troff(command->summary);
    puts(".");
    if (command->details != NULL) {
        puts(".PP");
        print_troff(command->details);
        putchar('\n');
    }
    for (const enum option_id *id = command->options; *id != END_OF_OPTIONS; id++) {
        const struct option_row *row = &rows[*id];

        puts(".TP");
        fputs(".B ", stdout);
        if (row->letter != 0)
            printf("\\-%c, ", row->letter);
        fputs("\\-\\-", stdout);
        print_troff(row->name);
        if (row->value != NULL) {
            fputs(" \\fI", stdout);
            print_troff(row->value);
            fputs("\\fR", stdout);
        }
        putchar('\n');
        print_troff(row->help);
        putchar('\n');
    }
    if (command->examples != NULL) {
        puts(".PP\n.nf");
        print_troff(command->examples);
        puts("\n.fi");
    }
}

void print_man_page(void)
{
    printf(".\\\" Made by `stoa --man` from the table of options: do not edit.\n"
           ".TH STOA 1 \"\" \"stoa %s\" \"User Commands\"\n"
           ".SH NAME\n"
           "stoa \\- columnar files from CSV archives\n"
           ".SH SYNOPSIS\n"
           ".B stoa\n.I COMMAND\n[options] [files]\n"
           ".SH DESCRIPTION\n",
           STOA_VERSION);
    puts("Stoa converts CSV archives to a chunked, compressed, seekable columnar format with\n"
         "statistics, and scans such files by predicate while it skips what cannot match.\n"
         "No value is ever altered: what does not fit is an error that names file, line,\n"
         "column and value.\n"
         ".SH COMMANDS");
    for (size_t i = 0; i < ncommands; i++)
        print_man_command(&commands[i]);
    puts(".SH EXIT STATUS\n"
         ".TP\n.B 0\ndone\n"
         ".TP\n.B 1\nan input holds something that cannot be taken as it is, or a limit is "
         "exceeded\n"
         ".TP\n.B 2\nthe command line is wrong, or the output exists already\n"
         ".TP\n.B 3\nthe system said no: files, disk, memory\n"
         ".TP\n.B 4\na Stoa file is damaged, is none, or needs a newer version\n"
         ".TP\n.B 130, 143\ninterrupted, terminated\n"
         ".SH ENVIRONMENT\n"
         ".TP\n.B STOA_SCALAR\nwhen set, the code without vector instructions is used\n"
         ".SH FILES\n"
         "An output appears under its name only when it is complete and on disk. A run that\n"
         "fails or is killed leaves nothing behind, and an older file of that name as it was.");
}
