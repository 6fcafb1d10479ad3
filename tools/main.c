/*
 * `stoa`: the table of commands, and which of them is meant.
 */
#include <signal.h>
#include <string.h>

#include "command.h"

#define SCAN_OPTIONS OPT_SELECT, OPT_WHERE, OPT_JOBS

/* clang-format off */
const struct command commands[] = {
    {.name = "convert", .synopsis = "IN... -o OUT [options]", .run = run_convert, .min_files = 1,
     .summary = "Convert CSV, JSON lines (also compressed, zip, tar) and Avro to Stoa and back",
     .details =
        "Inputs are files, folders (their files by name), glob patterns, or \"-\" for standard\n"
        "input; they are read in order as one table. Text gets a schema inferred from samples of\n"
        "all inputs unless --schema gives one. A value that the type guessed for its column does\n"
        "not hold widens the column (--on-conflict). One that does not fit a given type is an\n"
        "error with file, line, column and value, unless --on-error or --rejects say what to do\n"
        "with bad records; then the exit code is 5 when there were some. A damaged Avro file is\n"
        "an error with file, block, row and field, unless --on-error skip-block keeps the rows of\n"
        "its whole blocks: what is lost is told and counted, and the exit code is 5.\n"
        "gz, xz, bz2, zst and lz4 are told by content, as are zip and tar: each file in an\n"
        "archive is an input, called ARCHIVE:FILE.\n"
        "--sort-by takes temporary files of the size of the rows in $TMPDIR (or /var/tmp), and\n"
        "no more memory than --memory. Rows that are equal in all of its columns stay as they\n"
        "stood; null comes last, NaN behind all numbers, text goes by its bytes. The CSV that a\n"
        "sorted file was made of can't be restored from it.\n"
        "\n"
        "With --progress json each line on standard error that begins with { is an object with\n"
        "done_bytes, total_bytes (0: not known), rows and seconds; the last one, with \"done\": true,\n"
        "is what --json would print.",
     .json =
        "  output, dry_run, from, to, inputs, rows, rejected, rejected_raw, skipped,\n"
        "  lost_places, lost_blocks, lost_bytes, lost_rows (of damaged Avro files),\n"
        "  lost_uncounted (places with rows of which there is no telling), columns, widened,\n"
        "  input_bytes, output_bytes, seconds, restorable, obstacle (why not), verified",
     .examples =
        "  stoa convert trips/*.csv.gz -o trips.stoa\n"
        "  stoa convert trips.csv -o big.stoa --where 'fare > 50' --select pickup,fare\n"
        "  stoa convert trips.csv -o by_time.stoa --sort-by pickup,fare:desc --memory 1G\n"
        "  stoa convert trips.stoa -o trips.csv.zst\n"
        "  stoa convert trips.csv -o trips.avro --codec zstandard\n"
        "  stoa convert trips.zip more.tar.xz -o trips.stoa",
     .options = {OPT_OUTPUT, OPT_FORCE, OPT_FROM, OPT_TO, OPT_SCHEMA, OPT_SELECT, OPT_WHERE, OPT_SORT_BY,
                 CSV_INPUT_OPTIONS, INFERENCE_OPTIONS, OPT_FILENAME, OPT_ON_CONFLICT, OPT_ON_ERROR,
                 OPT_REJECTS, OPT_REJECTS_RAW, OPT_REJECTS_LIMIT, OPT_MAX_ERRORS, OPT_MAX_ERROR_RATIO,
                 CSV_OUTPUT_OPTIONS, OPT_COMPRESS, OPT_CODEC, OPT_CODEC_LEVEL, OPT_BLOCK_SIZE, OPT_RANDOM_SYNC,
                 OPT_SPLIT, OPT_JOBS, OPT_MEMORY,
                 OPT_LEVEL, OPT_BLOOM, OPT_BLOOM_RATE, OPT_NO_BLOOM, OPT_ROW_GROUP_ROWS, OPT_ROW_GROUP_BYTES, OPT_NO_SOURCE_TEXT, OPT_VERIFY,
                 OPT_DRY_RUN, OPT_PROGRESS, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "restore", .synopsis = "FILE [-o PLACE] [options]", .run = run_restore,
     .min_files = 1, .max_files = 1,
     .summary = "Write the CSV that a Stoa file was made of, byte for byte",
     .details =
        "PLACE is a folder for all sources of the file under their own names (otherwise the\n"
        "current one), or a file, or \"-\", for one. What was compressed comes out decompressed. A\n"
        "source appears only if its size and hash are those of the text that was read. One that is\n"
        "not all there, because rows were filtered or columns left out, is refused.",
     .json =
        "  file, sources, rows, bytes, seconds",
     .examples =
        "  stoa restore trips.stoa -o originals/\n"
        "  stoa restore trips.stoa -o - --source trips_03.csv | cmp - trips_03.csv",
     .options = {OPT_OUTPUT, OPT_FORCE, OPT_SOURCE, OPT_JOBS, OPT_MEMORY, OPT_PROGRESS, OPT_JSON,
                 OPT_HELP, END_OF_OPTIONS}},
    {.name = "merge", .synopsis = "IN... -o OUT [options]", .run = run_merge, .min_files = 1,
     .summary = "Put the rows of Stoa files into one, copying what is encoded already",
     .details =
        "Inputs are files, folders or glob patterns; their rows follow each other in this order.\n"
        "Columns are matched by name. Where their types differ, the merged column has the least\n"
        "type that holds all values; a column is encoded anew only if its values can't stay as\n"
        "they are stored. Every page is verified on its way. The output may be an input: with\n"
        "OLD NEW -o OLD the rows of NEW are added to OLD, all at once or not at all, and --force\n"
        "is not needed.",
     .json =
        "  output, dry_run, inputs, rows, row_groups, columns, columns_encoded, chunks_copied,\n"
        "  chunks_encoded, input_bytes, output_bytes, shared_bytes, seconds",
     .examples =
        "  stoa merge 2023-*.stoa -o 2023.stoa\n"
        "  stoa merge trips.stoa today.stoa -o trips.stoa\n"
        "  stoa merge old.stoa new.stoa -o all.stoa --fill-missing --dry-run",
     .options = {OPT_OUTPUT, OPT_FORCE, OPT_FILL_MISSING, OPT_AS_TEXT, OPT_MEMORY, OPT_DRY_RUN,
                 OPT_PROGRESS, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "schema", .synopsis = "IN... [options]", .run = run_schema, .min_files = 1,
     .summary = "Print the schema of Stoa files, or the one inferred from samples of text",
     .details =
        "The JSON form can be edited and given to `stoa convert --schema`.\n"
        "\n"
        "With --diff, of two inputs, the columns are listed that are not the same in both, with\n"
        "their types and what `stoa merge` would do; the exit code is 1 if it would refuse.",
     .json =
        "  the schema document; \"evidence\" tells why a column got its type\n"
        "  --diff: mergeable, differences: [{column, first, second, merged, first_change,\n"
        "  second_change}]; a change is none, widen, encode, checked, text or clash",
     .examples =
        "  stoa schema trips.csv.gz --json > trips.json\n"
        "  stoa convert trips.csv.gz --schema trips.json -o trips.stoa\n"
        "  stoa schema --diff january.stoa february.stoa",
     .options = {OPT_SCHEMA_FORMAT, OPT_DIFF, OPT_FILL_MISSING, OPT_AS_TEXT, OPT_FROM,
                 CSV_INPUT_OPTIONS, INFERENCE_OPTIONS, OPT_FILENAME, OPT_JSON, OPT_HELP,
                 END_OF_OPTIONS}},
    {.name = "sniff", .synopsis = "IN... [options]", .run = run_sniff, .min_files = 1,
     .summary = "Show what CSV looks like: its dialect, header and types, and how to say them",
     .details =
        "What an option does not say is found out from the first 256 KiB of text, as `stoa convert`\n"
        "does. The last line printed is a command that leaves nothing to be found out.",
     .json =
        "  file, encoding, byte_order_mark, delimiter, quote, escape, comment (null: none),\n"
        "  skip_lines, header, trailing_delimiter, trim, decimal, columns: [{name, type}],\n"
        "  score (up to 1; below 0.3 it is a guess), bytes, records, whole (all was looked at),\n"
        "  not_utf8_line (null: none), command: [words]",
     .examples =
        "  stoa sniff export.csv\n"
        "  stoa sniff 'archive/*.csv.gz' --json",
     .options = {OPT_FROM, CSV_INPUT_OPTIONS, INFERENCE_OPTIONS, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "info", .synopsis = "FILE [options]", .run = run_info, .min_files = 1, .max_files = 1,
     .summary = "Show rows, columns, encodings, and where every byte of a Stoa file is",
     .json =
        "  file, identity, rows, bytes, row_groups, sorted_by (or null),\n"
        "  columns: [{name, type, nullable, bytes, dictionary_bytes, nulls,\n"
        "             encodings: {name: pages}, derived_from: [names of columns],\n"
        "             nodes: [each part of it by itself], metadata}],\n"
        "  bytes_by_kind: {kind: bytes}, which add up to bytes; metadata,\n"
        "  sources: [{name, first_row, rows, bytes, hash, options, restorable, obstacle}]",
     .options = {OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "head", .synopsis = "FILE [options]", .run = run_head, .min_files = 1, .max_files = 1,
     .summary = "Print the first rows (10, or --limit) of a Stoa file or another input as a table",
     .details =
        "CSV, JSON lines and Avro are read as `stoa convert` reads them, no further than needed.",
     .json = "  the same as --format jsonl",
     .options = {OPT_LIMIT, SCAN_OPTIONS, OPT_MEMORY, OPT_FORMAT, CSV_OUTPUT_OPTIONS, INPUT_OPTIONS, OPT_JSON, OPT_HELP,
                 END_OF_OPTIONS}},
    {.name = "cat", .synopsis = "FILE... [options]", .run = run_cat, .min_files = 1,
     .summary = "Print the rows of Stoa files or other inputs as CSV, TSV, JSON lines or a table",
     .details =
        "Stoa files must have equal schemas. CSV, JSON lines and Avro, also compressed, are read as\n"
        "`stoa convert` reads them; with --limit or as a table a value that is not of the type\n"
        "guessed for its column is an error (--infer full looks at all of them first). Null is\n"
        "an empty field of CSV, or what --null-text says, and null in JSON; an empty text is \"\".",
     .json = "  the same as --format jsonl",
     .examples =
        "  stoa cat flights.stoa -w \"carrier = 'AA' and dep_delay > 60\" -s flight,dep_delay",
     .options = {OPT_LIMIT, SCAN_OPTIONS, OPT_MEMORY, OPT_FORMAT, CSV_OUTPUT_OPTIONS, INPUT_OPTIONS, OPT_JSON, OPT_HELP,
                 END_OF_OPTIONS}},
    {.name = "sample", .synopsis = "FILE [options]", .run = run_sample, .min_files = 1,
     .max_files = 1,
     .summary = "Print random rows (10, or --rows) of a Stoa file, or of those a predicate selects",
     .details =
        "Every row is equally likely and comes once, in the order of the file. The seed and the\n"
        "numbers of the rows decide which; a larger sample with the same seed holds the smaller\n"
        "one. Only pages that hold a chosen row are read.",
     .json = "  the same as --format jsonl",
     .examples =
        "  stoa sample trips.stoa -n 1000 --seed 7 -f csv\n"
        "  stoa sample trips.stoa --fraction 0.001 --where 'fare > 50' -f jsonl",
     .options = {OPT_ROWS, OPT_FRACTION, OPT_SEED, SCAN_OPTIONS, OPT_MEMORY, OPT_FORMAT,
                 CSV_OUTPUT_OPTIONS, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "count", .synopsis = "FILE... [options]", .run = run_count, .min_files = 1,
     .summary = "Count the rows of Stoa files or other inputs, or those that a predicate selects",
     .details =
        "CSV, JSON lines and Avro, also compressed, are read as `stoa convert` reads them; a value\n"
        "of a column in the predicate that is not of the type guessed for it is an error (--infer\n"
        "full looks at all of them first).",
     .json = "  rows: of all files",
     .options = {OPT_WHERE, OPT_JOBS, INPUT_OPTIONS, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "stats", .synopsis = "FILE... [options]", .run = run_stats, .min_files = 1,
     .summary = "Count, nulls, least, greatest, sum and mean of the columns of Stoa files",
     .details =
        "Of all rows of all files together, or of those that --where selects. Sums are exact: those\n"
        "of integers and decimals have every digit, those of floats are rounded once at the end; a\n"
        "mean of integers or decimals has six digits more than the column. So nothing depends on\n"
        "the number of threads. NaN is not among min and max, and makes sum and mean NaN. What\n"
        "the statistics of the file prove is taken from there: without --where only sums need the\n"
        "values. Nested columns and intervals have counts only.",
     .json =
        "  rows, bytes: {total, skipped, read},\n"
        "  columns: [{name, type, count, nulls, nans, min, max, sum, mean}]\n"
        "           min, max, sum and mean are texts, so that no digit is lost;\n"
        "  with --zones one object a line: file, column, row_group, zone, first_row, rows,\n"
        "  nulls, min, max, min_exact, max_exact, no_nan, ascending, descending",
     .examples =
        "  stoa stats trips.stoa --where \"vendor = 'CMT'\" --select fare,tip\n"
        "  stoa stats trips.stoa --zones --select pickup",
     .options = {SCAN_OPTIONS, OPT_ZONES, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "explain", .synopsis = "FILE --where EXPR [options]", .run = run_explain,
     .min_files = 1, .max_files = 1,
     .summary = "Show what a scan skips: row groups, zones, pages and bytes, term by term",
     .details =
        "Pages and bytes are those of the values in the columns that the scan needs. Where every\n"
        "byte of a file is, its footer, dictionaries and source text too, `stoa info` says.",
     .json =
        "  row_groups, zones, pages, bytes: each {total, skipped, read};\n"
        "  rows_considered, rows_selected,\n"
        "  terms: [{term, zones_never, zones_maybe, zones_always, zones_known}]",
     .options = {SCAN_OPTIONS, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "verify", .synopsis = "FILE... [options]", .run = run_verify, .min_files = 1,
     .summary = "Check every hash of Stoa files, and with --deep every value",
     .json = "  one object a file: file, whole, objects, pages, bytes, findings: [text]",
     .options = {OPT_DEEP, OPT_JSON, OPT_HELP, END_OF_OPTIONS}},
    {.name = "recover", .synopsis = "FILE -o OUT [options]", .run = run_recover, .min_files = 1,
     .max_files = 1,
     .summary = "Write what is whole of a damaged Stoa file to a new one, and name what is lost",
     .details =
        "For files that are cut, half copied, without their end, with holes or wrong bytes,\n"
        "several joined into one, or among other bytes; \"-\" is standard input. Row groups that\n"
        "are whole come out as they were, in their order; no value is guessed. Lost rows are\n"
        "named by their numbers from 0. Of several schemas in the file that of the most rows\n"
        "counts. The damaged file stays as it is. The exit status is 0 when nothing is lost, 5\n"
        "when something is, and 4 when there is nothing to recover: then there is no output. A\n"
        "disk that fails while it is read ends the run: copy it first with a program that goes\n"
        "on after errors.",
     .json =
        "  file, output, complete, rows, row_groups, lost_rows,\n"
        "  lost_values (null in rows that are there), end_lost (nobody knows whether rows are\n"
        "  missing), parts, seconds,\n"
        "  losses: [{part, first_row, rows (missing: not known), column (missing: all),\n"
        "            reason}]",
     .examples =
        "  stoa recover download.stoa.part -o rows.stoa\n"
        "  stoa recover damaged.stoa -o rows.stoa --partial --json",
     .options = {OPT_OUTPUT, OPT_FORCE, OPT_PARTIAL, OPT_PROGRESS, OPT_JSON, OPT_HELP,
                 END_OF_OPTIONS}},
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

static enum exit_code complain_command(const char *name)
{
    complain("there is no command \"%s\" (try: stoa --help)", name);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const struct command *command;
    struct arguments arguments;
    enum exit_code code;

    /* A reader that has seen enough ends us quietly, whatever the caller did to the signal. */
    signal(SIGPIPE, SIG_DFL);
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (is_one_of(argv[1], "--help", "-h", "help")) {
        if (argc == 2) {
            print_overview(stdout);
            return finish_output();
        }
        command = find_command(argv[2]);
        if (command == NULL)
            return complain_command(argv[2]);
        print_help(command);
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
    if (command == NULL)
        return complain_command(argv[1]);
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
