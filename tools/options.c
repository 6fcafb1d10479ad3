/*
 * Every option: arguments.c parses them, help.c explains them, each command in main.c lists its
 * own.
 */
#include "command.h"

/* clang-format off */
const struct option_row option_table[NOPTIONS] = {
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
    [OPT_FORMAT] = {"format", 'f', "FORMAT",
        "how rows are printed: csv, tsv, jsonl (JSON lines) or table"},
    [OPT_SCHEMA_FORMAT] = {"format", 'f', "FORMAT",
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
