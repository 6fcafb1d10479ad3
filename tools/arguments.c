/*
 * Command lines, taken apart, and the values of options.
 *
 * Long options are taken by their full names only: an abbreviation that means one option today
 * would mean two when the next one comes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

bool has_option(const struct arguments *arguments, enum option_id id)
{
    return arguments->values[id] != NULL;
}

void complain_option(const struct arguments *arguments, enum option_id id, const char *why)
{
    complain("--%s %s: %s", option_table[id].name, arguments->values[id], why);
}

/* A message on an option as it was written; false. */
static bool refuse(const struct command *command, const char *option, int nbytes, const char *why)
{
    complain("%s %.*s: %s (try: stoa %s --help)", command->name, nbytes, option, why,
             command->name);
    return false;
}

static bool set_option(struct arguments *out, enum option_id id, const char *value)
{
    const struct option_row *row = &option_table[id];

    if (row->value != NULL && has_option(out, id)) {
        complain("%s --%s: is given twice", out->command->name, row->name);
        return false;
    }
    out->values[id] = value;
    return true;
}

/* "--name", "--name value" or "--name=value" at argv[*at], which moves to the last word used. */
static bool take_long(struct arguments *out, int argc, char **argv, int *at)
{
    const struct command *command = out->command;
    const char *word = argv[*at], *equals = strchr(word, '=');
    size_t nbytes = equals != NULL ? (size_t)(equals - word) : strlen(word);

    for (const enum option_id *id = command->options; *id != END_OF_OPTIONS; id++) {
        const struct option_row *row = &option_table[*id];

        if (strlen(row->name) != nbytes - 2 || memcmp(row->name, word + 2, nbytes - 2) != 0)
            continue;
        if (row->value == NULL && equals != NULL)
            return refuse(command, word, (int)nbytes, "takes no value");
        if (row->value == NULL)
            return set_option(out, *id, "");
        if (equals != NULL)
            return set_option(out, *id, equals + 1);
        if (*at + 1 == argc)
            return refuse(command, word, (int)nbytes, "a value is missing");
        return set_option(out, *id, argv[++*at]);
    }
    return refuse(command, word, (int)nbytes, "no such option");
}

/* "-x", "-x value", "-xvalue", or several letters without values in one word. */
static bool take_letters(struct arguments *out, int argc, char **argv, int *at)
{
    const struct command *command = out->command;

    for (const char *letter = argv[*at] + 1; *letter != '\0'; letter++) {
        const enum option_id *id = command->options;
        const char name[] = {'-', *letter, '\0'};

        while (*id != END_OF_OPTIONS && option_table[*id].letter != *letter)
            id++;
        if (*id == END_OF_OPTIONS)
            return refuse(command, name, 2, "no such option");
        if (option_table[*id].value == NULL) {
            if (!set_option(out, *id, ""))
                return false;
            continue;
        }
        if (letter[1] != '\0')
            return set_option(out, *id, letter + 1);
        if (*at + 1 == argc)
            return refuse(command, name, 2, "a value is missing");
        return set_option(out, *id, argv[++*at]);
    }
    return true;
}

bool arguments_parse(const struct command *command, int argc, char **argv, struct arguments *out)
{
    bool only_files = false;

    *out = (struct arguments){.command = command, .files = argv};
    for (int at = 1; at < argc; at++) {
        char *word = argv[at];

        if (only_files || word[0] != '-' || word[1] == '\0')
            out->files[out->nfiles++] = word; /* argv[0] and on: they are behind us */
        else if (strcmp(word, "--") == 0)
            only_files = true;
        else if (!(word[1] == '-' ? take_long : take_letters)(out, argc, argv, &at))
            return false;
    }
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

/* Digits, with a suffix K, M, G or T when `suffixes`; false when it is nothing of the kind. */
static bool parse_number(const char *text, bool suffixes, uint64_t *out)
{
    static const char units[] = "KMGTkmgt";
    uint64_t x = 0;
    const char *unit;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (x > (UINT64_MAX - 9) / 10)
            return false;
        x = 10 * x + (uint64_t)(*text - '0');
    }
    unit = suffixes && *text != '\0' ? strchr(units, *text) : NULL;
    if (unit != NULL) {
        unsigned shift = 10 * (unsigned)((unit - units) % 4 + 1);

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

bool option_number(const struct arguments *arguments, enum option_id id, uint64_t *out)
{
    if (!has_option(arguments, id) || parse_number(arguments->values[id], false, out))
        return true;
    complain_option(arguments, id, "expected a number, 0 or more");
    return false;
}

bool option_fraction(const struct arguments *arguments, enum option_id id, double *out)
{
    const char *text = arguments->values[id];
    char *end;
    double x;

    if (text == NULL)
        return true;
    x = strtod(text, &end);
    if (end != text && *end == '\0' && x > 0 && x <= 1) {
        *out = x;
        return true;
    }
    complain_option(arguments, id, "expected a number above 0 and up to 1, such as 0.01");
    return false;
}

bool option_bloom_rate(const struct arguments *arguments, double *out)
{
    const char *text = arguments->values[OPT_BLOOM_RATE];
    char *end;
    double x;

    if (text == NULL)
        return true;
    x = strtod(text, &end);
    if (end == text || *end != '\0' || !(x >= 0.00001 && x < 0.33)) {
        complain_option(arguments, OPT_BLOOM_RATE,
                        "expected a number from 0.00001 to less than 0.33");
        return false;
    }
    if (!has_option(arguments, OPT_BLOOM)) {
        complain_option(arguments, OPT_BLOOM_RATE, "--bloom says of which columns");
        return false;
    }
    *out = x;
    return true;
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

bool option_word(const struct arguments *arguments, enum option_id id, const char *const *words,
                 const char *expected, unsigned *out)
{
    char why[128];

    if (!has_option(arguments, id))
        return true;
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(arguments->values[id], words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    snprintf(why, sizeof(why), "expected %s", expected);
    complain_option(arguments, id, why);
    return false;
}

bool option_format(const struct arguments *arguments, enum option_id id, enum stoa_format *out)
{
    if (!has_option(arguments, id))
        return true;
    *out = stoa_format_find(arguments->values[id]);
    if (*out != STOA_FORMAT_AUTO)
        return true;
    complain_option(arguments, id, "there is no such format (csv, tsv, stoa, jsonl, avro)");
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
    *list = at;
    return name;
}

bool option_names(const struct arguments *arguments, enum option_id id, char ***names,
                  uint32_t *nnames)
{
    const char *list = arguments->values[id];
    size_t capacity = 1;
    char **out;

    *names = NULL;
    *nnames = 0;
    if (list == NULL)
        return true;
    for (const char *at = list; *at != '\0'; at++)
        capacity += *at == ',';
    out = calloc(capacity, sizeof(*out));
    for (uint32_t n = 0; out != NULL; list++) { /* over a comma */
        out[n] = next_name(&list);
        if (out[n] == NULL)
            break;
        if (*out[n++] == '\0') {
            complain_option(arguments, id, "a name is empty");
            select_free(out, n);
            return false;
        }
        if (*list == '\0') {
            *names = out;
            *nnames = n;
            return true;
        }
    }
    select_free(out, (uint32_t)capacity);
    fail_memory();
    return false;
}

bool option_list(const struct arguments *arguments, enum option_id id, const char *const **out)
{
    const char *list = arguments->values[id];
    size_t capacity = 2;
    char **items;

    if (list == NULL)
        return true;
    for (const char *at = list; *at != '\0'; at++)
        capacity += *at == ',';
    items = calloc(capacity, sizeof(*items));
    for (size_t n = 0; items != NULL; list++) { /* over a comma */
        items[n] = next_name(&list);
        if (items[n++] == NULL)
            break;
        if (*list == '\0') {
            *out = (const char *const *)items;
            return true;
        }
    }
    list_free((const char *const *)items);
    fail_memory();
    return false;
}

void list_free(const char *const *list)
{
    char **items = (char **)(uintptr_t)list; /* option_list() made it */

    for (size_t i = 0; items != NULL && items[i] != NULL; i++)
        free(items[i]);
    free(items);
}

void select_free(char **names, uint32_t nnames)
{
    for (uint32_t i = 0; names != NULL && i < nnames; i++)
        free(names[i]);
    free(names);
}

/* The predicate once more, with a mark below the place that is wrong, where that can be shown. */
static void point_at(const char *text, uint64_t offset)
{
    int column = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || at - text > 200)
            return;
        column += at < text + offset && (*at & 0xc0) != 0x80; /* characters of UTF-8 */
    }
    fprintf(stderr, "  %s\n  %*s^\n", text, column, "");
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
    if (err.offset != STOA_NO_OFFSET)
        point_at(arguments->values[OPT_WHERE], err.offset);
    return false;
}

bool option_delimiter(const struct arguments *arguments, enum option_id id, char *out)
{
    const char *delimiter = arguments->values[id];

    if (delimiter == NULL)
        return true;
    if (strcmp(delimiter, "tab") == 0 || strcmp(delimiter, "\\t") == 0)
        delimiter = "\t";
    if (strlen(delimiter) != 1 || strchr("\"\r\n", *delimiter) != NULL) {
        complain_option(arguments, id, "expected one character (no quote, no line end) or \"tab\"");
        return false;
    }
    *out = *delimiter;
    return true;
}

bool option_scan(const struct arguments *arguments, struct scan_arguments *out)
{
    long nprocessors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t jobs = nprocessors > 0 ? (uint64_t)nprocessors : 1;

    *out = (struct scan_arguments){0};
    if (!option_count(arguments, OPT_LIMIT, UINT64_MAX, &out->options.limit) ||
        !option_count(arguments, OPT_JOBS, MAX_JOBS, &jobs) ||
        !option_names(arguments, OPT_SELECT, &out->names, &out->options.ncolumns) ||
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
