/*
 * Opening what the arguments name.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define SCHEMA_MAX_NBYTES ((size_t)64 << 20)

/* What is no Stoa file may be something that can become one. */
static enum exit_code fail_open(const char *path, const struct stoa_error *err)
{
    enum stoa_format format;
    char name[NAME_NBYTES];

    if (err->status != STOA_ERR_CORRUPT || stoa_format_of_input(path, &format, NULL) != STOA_OK ||
        format == STOA_FORMAT_STOA)
        return fail_file(path, err);
    stoa_quote(name, sizeof(name), path, strlen(path));
    complain("%s: not a Stoa file (`stoa convert` makes one of %s)", name,
             format == STOA_FORMAT_JSONL  ? "JSON lines"
             : format == STOA_FORMAT_AVRO ? "Avro"
                                          : "CSV");
    return EXIT_FILE;
}

bool open_stoa(const char *path, struct open_file *out, enum exit_code *code)
{
    struct stoa_error err;

    *out = (struct open_file){0};
    if (strcmp(path, "-") == 0) {
        complain("a Stoa file is read from its end: standard input can't be one");
        *code = EXIT_USAGE;
        return false;
    }
    if (stoa_source_open_file(path, &out->source, &err) != STOA_OK) {
        *code = fail(&err);
        return false;
    }
    if (stoa_reader_open(out->source, NULL, &out->reader, &err) != STOA_OK) {
        *code = fail_open(path, &err);
        close_stoa(out);
        return false;
    }
    return true;
}

void close_stoa(struct open_file *file)
{
    stoa_reader_close(file->reader);
    stoa_source_close(file->source);
    *file = (struct open_file){0};
}

bool option_input(const struct arguments *arguments, struct input_arguments *out,
                  enum exit_code *code)
{
    struct stoa_convert_options *options = &out->options;
    struct stoa_error err;

    *out = (struct input_arguments){0};
    *code = EXIT_USAGE;
    options->paths = (const char *const *)arguments->files;
    options->npaths = (size_t)arguments->nfiles;
    options->note = show_note;
    if (!option_format(arguments, OPT_FROM, &options->from) ||
        !option_csv(arguments, &options->csv) ||
        !option_inference(arguments, &out->inference, &options->csv))
        return false;
    options->csv.is_guess = options->from == STOA_FORMAT_AUTO;
    if (stoa_format_of_inputs(options->paths, options->npaths, &options->from, &err) == STOA_OK)
        return true;
    *code = fail(&err);
    return false;
}

void input_arguments_reset(struct input_arguments *input)
{
    csv_options_reset(&input->options.csv);
    inference_arguments_reset(&input->inference);
}

bool expand_inputs(const struct arguments *arguments, char ***paths, size_t *npaths,
                   enum exit_code *code)
{
    struct stoa_error err;

    if (stoa_paths_expand((const char *const *)arguments->files, (size_t)arguments->nfiles, paths,
                          npaths, &err) == STOA_OK)
        return true;
    *code = fail(&err);
    return false;
}

/* All of a file, terminated; NULL after a message. */
static char *read_text(const char *path, size_t *nbytes, enum exit_code *code)
{
    struct stoa_error err = {0};
    struct stoa_stream *stream = NULL;
    const size_t piece = (size_t)64 << 10;
    char *text = NULL;
    size_t n = 0, got = 1;
    enum stoa_status st = stoa_stream_open(path, &stream, &err);

    while (st == STOA_OK && got > 0 && n <= SCHEMA_MAX_NBYTES) {
        char *more = realloc(text, n + piece);

        if (more == NULL)
            break;
        text = more;
        st = stream->read(stream, text + n, piece, &got, &err);
        n += got;
    }
    stoa_stream_close(stream);
    *nbytes = n;
    if (st == STOA_OK && got == 0) {
        text[n] = '\0';
        return text;
    }
    if (st != STOA_OK) {
        *code = fail(&err);
    } else if (n > SCHEMA_MAX_NBYTES) {
        complain("--schema %s: more than 64 MiB are no schema", path);
        *code = EXIT_USAGE;
    } else {
        *code = fail_memory();
    }
    free(text);
    return NULL;
}

static bool is_avro(const char *path)
{
    const size_t nbytes = strlen(path);

    return nbytes > 5 && strcmp(path + nbytes - 5, ".avsc") == 0;
}

bool option_schema(const struct arguments *arguments, struct stoa_schema *out, char **avro,
                   bool *given, enum exit_code *code)
{
    const char *path = arguments->values[OPT_SCHEMA];
    struct stoa_error err;
    size_t nbytes;
    char *text;
    enum stoa_status st;

    *out = (struct stoa_schema){0};
    *avro = NULL;
    *given = path != NULL;
    if (path == NULL)
        return true;
    text = read_text(path, &nbytes, code);
    if (text == NULL)
        return false;
    st = is_avro(path) ? stoa_avro_parse_schema(text, nbytes, out, &err)
                       : stoa_schema_parse_json(text, nbytes, out, &err);
    if (st != STOA_OK)
        *code = fail_file(path, &err);
    if (st == STOA_OK && is_avro(path))
        *avro = text;
    else
        free(text);
    return st == STOA_OK;
}
