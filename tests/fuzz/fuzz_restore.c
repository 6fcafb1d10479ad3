/*
 * Any text as CSV, converted and restored: it comes back byte for byte, and however few bytes a
 * read gives, the file is the same. What can't be converted is an error with a message, and leaves
 * no file.
 *
 *     byte 0   delimiter, quote, header, escape
 *     byte 1   trailing delimiter, ragged, trim, comment, decimal comma, thousands
 *     byte 2   the type of all columns, 0 for what is inferred
 *     byte 3   the encoding, bad records, conflicts
 *     byte 4   rows of a row group
 *     byte 5   bytes of a read, at the second time
 *     from 6 on the text
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stoa/restore.h>

#include "support/fault_posix.h"
#include "support/scratch.h"

enum { NOPTIONS = 6, MAX_NBYTES = 16384 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static const char *const types[] = {
    "",
    "utf8",
    "int64",
    "int8",
    "uint64",
    "float64",
    "float32",
    "float16",
    "decimal(9,2)",
    "decimal(76,38)",
    "bool",
    "date32",
    "time(us)",
    "timestamp(ns)",
    "timestamp(s,UTC)",
    "binary",
    "fixed_binary(2)",
    "enum(\"\",a,\"b\"\"c\",NA)",
    "uuid",
    "null",
    "duration(ms)",
    "interval",
};

static void must(bool good, const char *promise)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

/* What is said of the text. The options borrow the schema. */
static void take_options(const uint8_t bytes[NOPTIONS], struct stoa_convert_options *options)
{
    static const char delimiters[] = {0, ',', ';', '\t', '|', ' ', '-', '1'};
    static const char quotes[] = {0, '"', '\'', STOA_CSV_NONE};
    static const int8_t headers[] = {0, 1, -1, 2};
    static const char *const encodings[] = {NULL,         NULL,        NULL,
                                            "ISO-8859-1", "UTF-16LE",  "UTF-16",
                                            "GB18030",    "SHIFT_JIS", "ISO-2022-JP"};
    struct stoa_csv_options *csv = &options->csv;

    csv->delimiter = delimiters[bytes[0] & 7];
    csv->quote = quotes[bytes[0] >> 3 & 3];
    csv->header_nrecords = headers[bytes[0] >> 5 & 3];
    csv->escape = bytes[0] & 0x80 ? '\\' : 0;
    csv->trailing_delimiter = (int8_t)(bytes[1] & 1);
    csv->ragged = bytes[1] & 2 ? STOA_CSV_PAD | STOA_CSV_TRUNCATE : 0;
    csv->trim = (enum stoa_csv_trim)(bytes[1] >> 2 & 3);
    csv->comment = bytes[1] & 16 ? '#' : 0;
    csv->decimal = bytes[1] & 32 ? ',' : 0;
    csv->thousands = bytes[1] & 64 ? '.' : 0;
    csv->encoding = encodings[(bytes[3] & 15) % (sizeof(encodings) / sizeof(encodings[0]))];
    options->on_error = bytes[3] & 16 ? STOA_CSV_ON_ERROR_SKIP : STOA_CSV_ON_ERROR_ABORT;
    options->on_conflict = (enum stoa_conflict)((bytes[3] >> 5 & 3) % 3);
    options->writer.row_group_nrows = 1U + bytes[4];
}

/* The columns of the text, all of one type. False: there are none. */
static bool make_schema(const struct stoa_convert_options *options, const char *type_text,
                        struct stoa_schema *out)
{
    struct stoa_schema inferred = {0};
    struct stoa_type type;

    if (stoa_csv_infer(options->paths, 1, &options->csv, &inferred, NULL, NULL) != STOA_OK)
        return false;
    must(stoa_type_parse(type_text, &type, NULL) == STOA_OK, "types of this test can be parsed");
    for (uint32_t i = 0; i < inferred.nfields; i++)
        must(stoa_schema_add(out, inferred.fields[i].name, &type, true, NULL) == STOA_OK,
             "columns can be added");
    stoa_type_reset(&type);
    stoa_schema_reset(&inferred);
    return true;
}

/* The text inside of the bytes; false where they are an archive of several. */
static bool unpack(const uint8_t *data, size_t nbytes, uint8_t **out, size_t *out_nbytes)
{
    struct stoa_members *members;
    struct stoa_stream *stream;
    size_t got = 1, capacity = 65536;
    bool is_archive;

    must(stoa_members_open_memory(data, nbytes, "fuzz", &members, NULL) == STOA_OK &&
             stoa_members_next(members, &stream, NULL) == STOA_OK,
         "what was converted can be unpacked");
    is_archive = stoa_members_is_archive(members);
    *out = malloc(capacity);
    *out_nbytes = 0;
    while (!is_archive && got > 0) {
        if (capacity - *out_nbytes < 65536)
            *out = realloc(*out, capacity *= 2);
        must(*out != NULL, "memory");
        must(stream->read(stream, *out + *out_nbytes, 65536, &got, NULL) == STOA_OK,
             "what was converted can be read");
        *out_nbytes += got;
    }
    stoa_stream_close(stream);
    stoa_members_close(members);
    return !is_archive;
}

static void check_restored(const struct stoa_convert_options *convert,
                           const struct stoa_convert_report *converted, const uint8_t *data,
                           size_t nbytes)
{
    struct stoa_restore_options options = {.path = convert->output, .jobs = 1};
    const char *path = stoa_test_scratch_path("restored");
    uint8_t *text = NULL, *restored = NULL;
    size_t text_nbytes = 0, restored_nbytes;
    struct stoa_error err = {0};
    enum stoa_status st;

    if (converted->obstacle == NULL && unpack(data, nbytes, &text, &text_nbytes))
        options.output = path;
    st = stoa_restore(&options, NULL, &err);
    if (st != STOA_OK)
        fprintf(stderr, "%s\n", err.message);
    must(st == (converted->obstacle == NULL ? STOA_OK : STOA_ERR_DATA), "a source comes back");
    if (options.output != NULL) {
        restored = stoa_test_scratch_get(path, &restored_nbytes);
        must(restored != NULL && restored_nbytes == text_nbytes &&
                 memcmp(restored, text, text_nbytes) == 0,
             "the same bytes come back");
        unlink(path);
    }
    free(text);
    free(restored);
}

/* The file of a conversion whose reads give so many bytes (0: any); NULL: it is an error. */
static uint8_t *convert(const struct stoa_convert_options *options, size_t max_read,
                        struct stoa_convert_report *report, size_t *nbytes)
{
    const struct stoa_test_posix_fault slow = {.max_read = max_read};
    struct stoa_error err = {0};
    enum stoa_status st;
    uint8_t *file;

    stoa_test_posix_set(&slow);
    st = stoa_convert(options, report, &err);
    (void)stoa_test_posix_end();
    file = stoa_test_scratch_get(options->output, nbytes);
    if (st == STOA_OK) {
        must(file != NULL, "what was converted is there");
        return file;
    }
    must(file == NULL, "an error leaves no file");
    must(err.message[0] != '\0', "an error has a message");
    must(st == STOA_ERR_DATA || st == STOA_ERR_USAGE || st == STOA_ERR_LIMIT ||
             st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED,
         "an error is about the text or the options");
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    const char *const input = stoa_test_scratch_path("input.csv");
    struct stoa_convert_options options = {
        .paths = &input,
        .npaths = 1,
        .output = stoa_test_scratch_path("output.stoa"),
        .from = STOA_FORMAT_CSV,
        .jobs = 1,
    };
    struct stoa_convert_report report;
    struct stoa_schema schema = {0};
    const char *type;
    uint8_t *file, *again;
    size_t file_nbytes, again_nbytes;

    if (nbytes < NOPTIONS || nbytes > MAX_NBYTES)
        return 0;
    stoa_test_scratch_put(input, data + NOPTIONS, nbytes - NOPTIONS);
    take_options(data, &options);
    type = types[data[2] % (sizeof(types) / sizeof(types[0]))];
    if (type[0] != '\0' && make_schema(&options, type, &schema))
        options.schema = &schema;
    file = convert(&options, 0, &report, &file_nbytes);
    if (file != NULL)
        check_restored(&options, &report, data + NOPTIONS, nbytes - NOPTIONS);
    unlink(options.output);
    again = convert(&options, (size_t)1 + data[5], &report, &again_nbytes);
    must((file == NULL) == (again == NULL) && file_nbytes == again_nbytes &&
             (file == NULL || memcmp(file, again, file_nbytes) == 0),
         "small reads make the same file");
    unlink(options.output);
    free(file);
    free(again);
    stoa_schema_reset(&schema);
    return 0;
}
