/*
 * The help of the commands and the man page, both from the tables of commands and options.
 */
#include <string.h>

#include "command.h"

#define HELP_WIDTH  80
#define HELP_INDENT 29

/* Words from `text` in lines that begin at HELP_INDENT, where the first one is already. */
static void print_wrapped(const char *text)
{
    size_t column = HELP_INDENT;

    while (*text != '\0') {
        size_t nbytes = strcspn(text, " ");

        if (column > HELP_INDENT && column + 1 + nbytes > HELP_WIDTH) {
            printf("\n%*s", HELP_INDENT, "");
            column = HELP_INDENT;
        } else if (column > HELP_INDENT) {
            putchar(' ');
            column++;
        }
        fwrite(text, 1, nbytes, stdout);
        column += nbytes;
        text += nbytes;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_option(const struct option_row *row)
{
    char left[40];
    char letter[5] = "    ";

    if (row->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", row->letter);
    snprintf(left, sizeof(left), "%s--%s%s%s", letter, row->name, row->value != NULL ? " " : "",
             row->value != NULL ? row->value : "");
    printf("  %-*s", HELP_INDENT - 2, left);
    if (strlen(left) >= HELP_INDENT - 2)
        printf("\n%*s", HELP_INDENT, "");
    print_wrapped(row->help);
}

void print_help(const struct command *command)
{
    printf("usage: stoa %s %s\n\n%s.\n", command->name, command->synopsis, command->summary);
    if (command->details != NULL)
        printf("\n%s\n", command->details);
    puts("\noptions:");
    for (const enum option_id *id = command->options; *id != END_OF_OPTIONS; id++)
        print_option(&option_table[*id]);
    if (command->json != NULL)
        printf("\n--json:\n%s\n", command->json);
    if (command->examples != NULL)
        printf("\nexamples:\n%s\n", command->examples);
}

void print_overview(FILE *out)
{
    fputs("usage: stoa COMMAND ...\n\n"
          "Columnar files from CSV archives: small, quick to scan, no value altered.\n\n"
          "commands:\n",
          out);
    for (size_t i = 0; i < ncommands; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`stoa COMMAND --help` explains a command, `stoa --version` prints the version.\n",
          out);
}

/* ---- The man page ---- */

/* Text for troff, to which backslashes, hyphens, and dots and quotes at the start of a line mean
   something. */
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

static void print_man_option(const struct option_row *row)
{
    fputs(".TP\n.B ", stdout);
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

/* Lines as they are. */
static void print_man_lines(const char *title, const char *lines)
{
    if (lines == NULL)
        return;
    printf(".PP\n%s\n.PP\n.nf\n", title);
    print_troff(lines);
    puts("\n.fi");
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
    for (const enum option_id *id = command->options; *id != END_OF_OPTIONS; id++)
        print_man_option(&option_table[*id]);
    print_man_lines("What \\-\\-json prints:", command->json);
    print_man_lines("Examples:", command->examples);
}

static const char man_head[] =
    ".\\\" Made by `stoa --man` from the tables of commands and options: do not edit.\n"
    ".TH STOA 1 2026-11-22 \"stoa " STOA_VERSION "\" \"User Commands\"\n"
    ".SH NAME\n"
    "stoa \\- columnar files from CSV archives\n"
    ".SH SYNOPSIS\n"
    ".B stoa\n.I command\n[options] [files]\n"
    ".PP\n"
    ".B stoa \\-\\-help | \\-\\-version | \\-\\-man\n"
    ".SH DESCRIPTION\n"
    "Stoa converts CSV archives to a chunked, compressed, seekable columnar format with\n"
    "statistics, and scans such files by predicate while it skips what cannot match.\n"
    "No value is ever altered: one that does not fit the type guessed for its column widens\n"
    "the column, one that does not fit a given type is an error that names file, line,\n"
    "column and value.\n"
    ".SH COMMANDS\n";

static const char man_tail[] =
    ".SH PREDICATES\n"
    "The words of the WHERE of SQL for the columns of one table: = <> < <= > >=, in (...),\n"
    "between ... and ..., like \\(aqabc%\\(aq, is null, is nan, not, and, or, parentheses.\n"
    "Text, dates and times stand in single quotes; names that are not plain words in double\n"
    "quotes. NULL is neither true nor false, as in SQL. A number is compared exactly,\n"
    "whatever type its column has.\n"
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone\n"
    ".TP\n.B 1\nan input holds something that cannot be taken as it is, or a limit is exceeded\n"
    ".TP\n.B 2\nthe command line is wrong, or the output exists already\n"
    ".TP\n.B 3\nthe system said no: files, disk, memory\n"
    ".TP\n.B 4\na Stoa file is damaged, is none, or needs a newer version\n"
    ".TP\n.B 5\ndone, but rows or values are lost: of a damaged file, or bad records of text that "
    "were left out\n"
    "(--on-error, --rejects); the first hundred places of damage were named, all are counted\n"
    ".TP\n.B 130, 143\ninterrupted, terminated\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B STOA_SCALAR\nwhen set, the code without vector instructions is used\n"
    ".SH FILES\n"
    "An output appears under its name only when it is complete and on disk. A run that\n"
    "fails or is killed leaves nothing behind, and an older file of that name as it was.\n";

void print_man_page(void)
{
    fputs(man_head, stdout);
    for (size_t i = 0; i < ncommands; i++)
        print_man_command(&commands[i]);
    fputs(man_tail, stdout);
}
