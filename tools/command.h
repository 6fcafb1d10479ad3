/*
 * What the commands of `stoa` share: arguments, messages, exit codes.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <signal.h>
#include <stdio.h>

#include <stoa.h>

/* Exit codes, as the man page lists them. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_DATA = 1,     /* an input can't be taken as it is, a limit */
    EXIT_USAGE = 2,    /* the command line; an output that exists */
    EXIT_IO = 3,       /* files, disk, memory */
    EXIT_FILE = 4,     /* a Stoa file is damaged, is none, or needs a newer version */
    EXIT_LOST = 5,     /* done, but some rows or values are lost: they were named */
    EXIT_SIGNAL = 128, /* and the number of the signal: 130 interrupted, 143 terminated */
};

#define MAX_JOBS    1024
#define NAME_NBYTES 512 /* of a file, made printable */

/* Every option of every command; a command lists those it takes. Letters are a command's own: -f is
   --force where files are written and --format where rows are printed. */
enum option_id {
    OPT_OUTPUT,
    OPT_FORCE,
    OPT_FROM,
    OPT_TO,
    OPT_SCHEMA,
    OPT_SELECT,
    OPT_WHERE,
    OPT_SORT_BY,
    OPT_LIMIT,
    OPT_ROWS,
    OPT_FRACTION,
    OPT_SEED,
    OPT_FORMAT,
    OPT_SCHEMA_FORMAT,
    OPT_JOBS,
    OPT_MEMORY,
    OPT_ROW_GROUP_ROWS,
    OPT_ROW_GROUP_BYTES,
    OPT_DELIMITER,
    OPT_QUOTE,
    OPT_ESCAPE,
    OPT_COMMENT,
    OPT_HEADER,
    OPT_SKIP_LINES,
    OPT_TRAILING_DELIMITER,
    OPT_TRIM,
    OPT_STRICT,
    OPT_ENCODING,
    OPT_DECIMAL,
    OPT_THOUSANDS,
    OPT_RAGGED,
    OPT_NULL_VALUES,
    OPT_TRUE_VALUES,
    OPT_FALSE_VALUES,
    OPT_MAX_RECORD_SIZE,
    OPT_FILENAME,
    OPT_INFER,
    OPT_TYPES,
    OPT_DATE_ORDER,
    OPT_DATE_FORMAT,
    OPT_ON_ERROR,
    OPT_ON_CONFLICT,
    OPT_REJECTS,
    OPT_REJECTS_RAW,
    OPT_REJECTS_LIMIT,
    OPT_MAX_ERRORS,
    OPT_MAX_ERROR_RATIO,
    OPT_QUOTING,
    OPT_NULL_TEXT,
    OPT_OUTPUT_DELIMITER,
    OPT_OUTPUT_ENCODING,
    OPT_NEWLINE,
    OPT_NO_OUTPUT_HEADER,
    OPT_NESTED,
    OPT_BOM,
    OPT_SAFE_SPREADSHEET,
    OPT_COMPRESS,
    OPT_CODEC,
    OPT_CODEC_LEVEL,
    OPT_BLOCK_SIZE,
    OPT_RANDOM_SYNC,
    OPT_SPLIT,
    OPT_SOURCE,
    OPT_VERIFY,
    OPT_LEVEL,
    OPT_BLOOM,
    OPT_BLOOM_RATE,
    OPT_NO_BLOOM,
    OPT_NO_SOURCE_TEXT,
    OPT_DRY_RUN,
    OPT_PROGRESS,
    OPT_FILL_MISSING,
    OPT_AS_TEXT,
    OPT_DIFF,
    OPT_DEEP,
    OPT_PARTIAL,
    OPT_ZONES,
    OPT_JSON,
    OPT_HELP,
    NOPTIONS,
};

struct option_row {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* what follows it, NULL: nothing */
    const char *help;
};
extern const struct option_row option_table[NOPTIONS];

/* A command line, taken apart. */
struct arguments {
    const struct command *command;
    const char *values[NOPTIONS]; /* NULL: not given; "" for an option without a value */
    char **files;
    int nfiles;
};

struct command {
    const char *name;
    const char *synopsis; /* of what follows the name */
    const char *summary;
    const char *details; /* further paragraphs of the help, NULL: none */
    const char *json;    /* what --json prints, NULL: there is no --json */
    const char *examples;
    enum exit_code (*run)(const struct arguments *arguments);
    int min_files;
    int max_files; /* 0: any number */
    enum option_id options[NOPTIONS + 1];
};
#define END_OF_OPTIONS NOPTIONS

extern const struct command commands[];
extern const size_t ncommands;

enum exit_code run_convert(const struct arguments *arguments);
enum exit_code run_merge(const struct arguments *arguments);
enum exit_code run_schema(const struct arguments *arguments);
enum exit_code run_sniff(const struct arguments *arguments);
enum exit_code run_info(const struct arguments *arguments);
enum exit_code run_head(const struct arguments *arguments);
enum exit_code run_cat(const struct arguments *arguments);
enum exit_code run_count(const struct arguments *arguments);
enum exit_code run_sample(const struct arguments *arguments);
enum exit_code run_stats(const struct arguments *arguments);
enum exit_code run_explain(const struct arguments *arguments);
enum exit_code run_verify(const struct arguments *arguments);
enum exit_code run_restore(const struct arguments *arguments);
enum exit_code run_recover(const struct arguments *arguments);

/* ---- Arguments (arguments.c) ---- */

/*
 * Takes argv apart, which begins with the command's name: options and files in any order, all after
 * "--" are files. false after printing what is wrong.
 */
bool arguments_parse(const struct command *command, int argc, char **argv, struct arguments *out);

bool has_option(const struct arguments *arguments, enum option_id id);

/* "--limit x: WHY" on stderr. */
void complain_option(const struct arguments *arguments, enum option_id id, const char *why);

/*
 * Numbers: true and *out is set, or left alone when the option is not given; false after a message.
 */
bool option_count(const struct arguments *arguments, enum option_id id, uint64_t max,
                  uint64_t *out);

/* The same for numbers from 0 on, and for fractions above 0 and up to 1. */
bool option_number(const struct arguments *arguments, enum option_id id, uint64_t *out);
bool option_fraction(const struct arguments *arguments, enum option_id id, double *out);

/* The same for the rate of Bloom filters, which there is with --bloom only. */
bool option_bloom_rate(const struct arguments *arguments, double *out);

/* The same for sizes: "1000", "64K", "256M", "4G" (powers of 1024). */
bool option_size(const struct arguments *arguments, enum option_id id, uint64_t *out);

/* The same for a character between fields. */
bool option_delimiter(const struct arguments *arguments, enum option_id id, char *out);

/* The same for the place of a word in a list that ends with NULL; `expected` is what the message
   says. */
bool option_word(const struct arguments *arguments, enum option_id id, const char *const *words,
                 const char *expected, unsigned *out);

/* The same for --from and --to. */
bool option_format(const struct arguments *arguments, enum option_id id, enum stoa_format *out);

/* The columns of --select; *names is NULL when it is not given. Free both with select_free(). */
bool option_names(const struct arguments *arguments, enum option_id id, char ***names,
                  uint32_t *nnames);
void select_free(char **names, uint32_t nnames);

/* The predicate of --where; *out is NULL when it is not given. */
bool option_where(const struct arguments *arguments, struct stoa_filter **out);

/* The texts of a list with commas, which ends with NULL; *out is left alone if it is not given. */
bool option_list(const struct arguments *arguments, enum option_id id, const char *const **out);
void list_free(const char *const *list);

/* How CSV is read: --delimiter, --quote, ... (csv_input.c). */
#define CSV_INPUT_OPTIONS                                                                          \
    OPT_DELIMITER, OPT_QUOTE, OPT_ESCAPE, OPT_COMMENT, OPT_HEADER, OPT_SKIP_LINES,                 \
        OPT_TRAILING_DELIMITER, OPT_TRIM, OPT_STRICT, OPT_ENCODING, OPT_DECIMAL, OPT_THOUSANDS,    \
        OPT_RAGGED, OPT_NULL_VALUES, OPT_TRUE_VALUES, OPT_FALSE_VALUES, OPT_MAX_RECORD_SIZE
bool option_csv(const struct arguments *arguments, struct stoa_csv_options *out);
void csv_options_reset(struct stoa_csv_options *options);

/* A dialect with nothing at "auto" as options; `encoding` is less than 64 bytes long. */
struct csv_word {
    const char *name;
    char value[64];
};
#define CSV_NWORDS 10
size_t csv_option_words(const struct stoa_csv_options *options, const char *encoding,
                        struct csv_word out[CSV_NWORDS]);

/* "none", "tab", or the character itself, which `out` holds. */
const char *csv_character(char c, char out[2]);

/* How CSV is written: --quoting, --null-text, ... (csv_output.c). */
#define CSV_OUTPUT_OPTIONS                                                                         \
    OPT_QUOTING, OPT_NULL_TEXT, OPT_OUTPUT_DELIMITER, OPT_OUTPUT_ENCODING, OPT_NEWLINE,            \
        OPT_NO_OUTPUT_HEADER, OPT_NESTED, OPT_BOM, OPT_SAFE_SPREADSHEET
bool option_csv_output(const struct arguments *arguments, struct stoa_csv_write_options *out);

/* The compression of --compress. */
bool option_compress(const struct arguments *arguments, enum stoa_compress *out);

/* How Avro is written: --codec and its kind (avro_output.c). */
bool option_avro_output(const struct arguments *arguments, struct stoa_avro_write_options *out);

/* How types are inferred: INFERENCE_OPTIONS of a command. Reset in any case. */
struct inference_arguments {
    struct stoa_schema types;
    char **date_formats; /* ends with NULL */
};
#define INFERENCE_OPTIONS OPT_INFER, OPT_TYPES, OPT_DATE_ORDER, OPT_DATE_FORMAT
bool option_inference(const struct arguments *arguments, struct inference_arguments *out,
                      struct stoa_csv_options *csv);
void inference_arguments_reset(struct inference_arguments *inference);

/* The options of stoa_scan_open() from --select, --where, --limit and --jobs. */
struct scan_arguments {
    struct stoa_scan_options options;
    char **names;
    struct stoa_filter *filter;
};
bool option_scan(const struct arguments *arguments, struct scan_arguments *out);
void scan_arguments_reset(struct scan_arguments *scan);

/* ---- Help (help.c) ---- */

void print_help(const struct command *command);
void print_man_page(void);
void print_overview(FILE *out);

/* ---- Messages and exit codes (message.c) ---- */

/* "stoa: ..." on stderr, one line. */
void complain(const char *format, ...) STOA_PRINTF(1, 2);

/* "stoa: note: TEXT": one line, whatever its text holds. */
void show_note(void *context, const char *text);

/* Prints the error and returns the exit code that stands for it. */
enum exit_code fail(const struct stoa_error *err);

/* The same with the name of a file in front, unless the message has it already. */
enum exit_code fail_file(const char *path, const struct stoa_error *err);

enum exit_code fail_memory(void);

/* What standard output took, once all is written: EXIT_IO after a message when it took not all. */
enum exit_code finish_output(void);

/* "1.5 MB", "331 kB"; "1,234,567". `out` has room for 32 bytes; returns it. */
const char *print_size(char *out, uint64_t nbytes);
const char *print_count(char *out, uint64_t n);

/* "s", or "" for one. */
const char *plural(uint64_t n);

/* "PATH: another schema than OTHER has ..." */
void complain_schemas(const char *path, const char *other);

/* ---- Values (value.c) ---- */

/*
 * Value i of an array, not null, as `stoa cat` prints it, without quotes; terminated, *nbytes long
 * (text may have zero bytes), to be freed. NULL when memory is out.
 */
char *make_value(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                 size_t *nbytes);

/* ---- Signals (signals.c) ---- */

/* Set by SIGINT, SIGTERM and SIGHUP, after install_signals(). */
extern volatile sig_atomic_t interrupted;

/* For commands that write files: they stop in good order, and in any case after 0.15 seconds. */
void install_signals(void);

/* The work is over: what was interrupted did stop in good order. */
void settle_signals(void);

/* ---- Files (files.c) ---- */

/* A Stoa file with its reader. */
struct open_file {
    struct stoa_source *source;
    struct stoa_reader *reader;
};
bool open_stoa(const char *path, struct open_file *out, enum exit_code *code);
void close_stoa(struct open_file *file);

/*
 * How inputs are read that need be no Stoa files: INPUT_OPTIONS of a command. Everything in
 * `options` that is no matter of inputs is left zero. Reset in any case.
 */
#define INPUT_OPTIONS OPT_FROM, CSV_INPUT_OPTIONS, INFERENCE_OPTIONS
struct input_arguments {
    struct stoa_convert_options options; /* `from` is what they are, never AUTO */
    struct inference_arguments inference;
};
bool option_input(const struct arguments *arguments, struct input_arguments *out,
                  enum exit_code *code);
void input_arguments_reset(struct input_arguments *input);

/* The inputs that the arguments name, globs and folders expanded. */
bool expand_inputs(const struct arguments *arguments, char ***paths, size_t *npaths,
                   enum exit_code *code);

/* The one schema of Stoa files, or the one that samples of text say; *evidence is that of text. */
bool input_schema(const struct arguments *arguments, char *const *paths, size_t npaths,
                  struct stoa_schema *out, char **evidence, enum exit_code *code);

/* `stoa schema --diff` (schema_diff.c). */
enum exit_code print_schema_diff(const struct arguments *arguments, char *const *paths,
                                 size_t npaths, bool json);

/* --fill-missing, --as-text. */
struct stoa_join_options option_join(const struct arguments *arguments);

/* The schema of --schema, with its text for free() where it is one of Avro; *given is false when
   there is none. */
bool option_schema(const struct arguments *arguments, struct stoa_schema *out, char **avro,
                   bool *given, enum exit_code *code);

#endif
