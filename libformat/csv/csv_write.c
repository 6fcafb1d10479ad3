/*
 * Batches as CSV (spec/csv.md, "Writing").
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "column/schema.h"
#include "column/text_sink.h"
#include "csv/csv.h"
#include "csv/csv_table.h"

/* Whether only text can hold the delimiter: no number, time or base64 has one of these. */
static bool is_in_text_only(char delimiter)
{
    return delimiter == ',' || delimiter == ';' || delimiter == '\t' || delimiter == '|';
}

/* A text that begins like a byte order mark would lose it at the start of a file. */
static bool needs_quotes(const uint8_t *text, size_t nbytes, char delimiter)
{
    if (nbytes == 0 || text[0] == ' ' || text[nbytes - 1] == ' ')
        return true;
    if (nbytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return true;
    for (size_t i = 0; i < nbytes; i++) {
        uint8_t c = text[i];

        if (c == (uint8_t)delimiter || c == '"' || c == '\n' || c == '\r')
            return true;
    }
    return false;
}

static enum stoa_status append_text(struct stoa_buffer *out, const void *bytes, size_t nbytes,
                                    char delimiter, struct stoa_error *err)
{
    const uint8_t *text = bytes;
    enum stoa_status st;

    if (!needs_quotes(text, nbytes, delimiter))
        return stoa_buffer_append(out, text, nbytes, err);
    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
    while (nbytes > 0) {
        const uint8_t *quote = memchr(text, '"', nbytes);
        size_t n = quote != NULL ? (size_t)(quote - text) + 1 : nbytes;

        STOA_TRY(stoa_buffer_append(out, text, n, err));
        if (quote != NULL)
            STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
        text += n;
        nbytes -= n;
    }
    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
out:
    return st;
}

/* Timestamps that were read with a T between day and clock are written with one. */
static bool is_written_with_t(const struct stoa_field *field)
{
    const char *pattern = stoa_metadata_get(&field->metadata, STOA_METADATA_CSV_FORMAT);

    return field->type.id == STOA_TIMESTAMP && pattern != NULL && strstr(pattern, "%dT%H") != NULL;
}

/* Base64; the empty text in quotes, since without them it is null. */
static enum stoa_status append_bytes(struct stoa_buffer *out, const uint8_t *bytes, size_t nbytes,
                                     char delimiter, struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    enum stoa_status st;

    if (nbytes > 0 && is_in_text_only(delimiter))
        return stoa_base64_append(out, bytes, nbytes, err);
    STOA_TRY(stoa_base64_append(&text, bytes, nbytes, err));
    STOA_TRY(append_text(out, text.data, text.nbytes, delimiter, err));
out:
    stoa_buffer_free(&text);
    return st;
}

static enum stoa_status append_value(struct stoa_buffer *out, const struct stoa_field *field,
                                     const struct stoa_array *array, size_t i, char delimiter,
                                     bool with_t, struct stoa_error *err)
{
    char text[STOA_TEXT_NBYTES];
    uint32_t index;
    size_t nbytes;

    switch (field->type.id) {
    case STOA_UTF8:
        return append_text(out, array->values + array->offsets[i],
                           (size_t)(array->offsets[i + 1] - array->offsets[i]), delimiter, err);
    case STOA_BINARY:
        return append_bytes(out, array->values + array->offsets[i],
                            (size_t)(array->offsets[i + 1] - array->offsets[i]), delimiter, err);
    case STOA_FIXED_BINARY:
        return append_bytes(out, array->values + i * field->type.width, field->type.width,
                            delimiter, err);
    case STOA_ENUM:
        memcpy(&index, array->values + 4 * i, 4);
        return append_text(out, field->type.symbols[index], strlen(field->type.symbols[index]),
                           delimiter, err);
    default:
        nbytes = stoa_array_format(field, array, i, text);
        if (with_t)
            *(char *)memchr(text, ' ', nbytes) = 'T';
        if (is_in_text_only(delimiter))
            return stoa_buffer_append(out, text, nbytes, err);
        return append_text(out, text, nbytes, delimiter, err);
    }
}

static enum stoa_status check(const struct stoa_csv_options *options,
                              const struct stoa_schema *schema, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_csv_options_check(options, err));
    for (uint32_t i = 0; i < schema->nfields; i++)
        STOA_TRY(stoa_csv_column_check(&schema->fields[i], err));
out:
    return st;
}

static enum stoa_status append_rows(const struct stoa_csv_options *options,
                                    const struct stoa_batch *batch, struct stoa_buffer *out,
                                    struct stoa_error *err)
{
    const char delimiter = stoa_csv_delimiter(options);
    bool *with_t = NULL; /* by column */
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&with_t, batch->ncolumns, err));
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        with_t[i] = is_written_with_t(&batch->schema->fields[i]);
    for (size_t row = 0; row < batch->nrows; row++) {
        for (uint32_t i = 0; i < batch->ncolumns; i++) {
            const struct stoa_array *array = &batch->columns[i];
            const struct stoa_field *field = &batch->schema->fields[i];

            if (i > 0)
                STOA_TRY(stoa_buffer_append(out, &delimiter, 1, err));
            if (field->type.id != STOA_NULL && !stoa_array_is_null(array, row))
                STOA_TRY(append_value(out, field, array, row, delimiter, with_t[i], err));
        }
        STOA_TRY(stoa_buffer_append(out, "\n", 1, err));
    }
out:
    stoa_free(with_t);
    return st;
}

static enum stoa_status append_header(const struct stoa_csv_options *options,
                                      const struct stoa_schema *schema, struct stoa_buffer *out,
                                      struct stoa_error *err)
{
    const char delimiter = stoa_csv_delimiter(options);
    enum stoa_status st = STOA_OK;

    if (stoa_csv_header_nrecords(options) == 0)
        return STOA_OK;
    for (uint32_t i = 0; i < schema->nfields; i++) {
        const char *name = schema->fields[i].name;

        if (i > 0)
            STOA_TRY(stoa_buffer_append(out, &delimiter, 1, err));
        STOA_TRY(append_text(out, name, strlen(name), delimiter, err));
    }
    STOA_TRY(stoa_buffer_append(out, "\n", 1, err));
out:
    return st;
}

/* The caller's block as a buffer, so that appending goes on where it ends. */
static struct stoa_buffer borrow(char *text, size_t nbytes)
{
    return (struct stoa_buffer){.data = (uint8_t *)text, .nbytes = nbytes, .capacity = nbytes};
}

enum stoa_status stoa_csv_format(const struct stoa_csv_options *options,
                                 const struct stoa_batch *batch, char **out, size_t *nbytes,
                                 struct stoa_error *err)
{
    const struct stoa_csv_options defaults = {0};
    struct stoa_buffer text = borrow(*out, *nbytes);
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    STOA_TRY(check(options, batch->schema, err));
    STOA_TRY(append_rows(options, batch, &text, err));
    *nbytes = text.nbytes;
out:
    *out = (char *)text.data; /* it may have moved, whatever happened */
    return st;
}

enum stoa_status stoa_csv_format_header(const struct stoa_csv_options *options,
                                        const struct stoa_schema *schema, char **out,
                                        size_t *nbytes, struct stoa_error *err)
{
    const struct stoa_csv_options defaults = {0};
    struct stoa_buffer text = borrow(*out, *nbytes);
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    STOA_TRY(check(options, schema, err));
    STOA_TRY(append_header(options, schema, &text, err));
    *nbytes = text.nbytes;
out:
    *out = (char *)text.data;
    return st;
}

static enum stoa_status format(const void *options, const struct stoa_batch *batch,
                               struct stoa_buffer *out, struct stoa_error *err)
{
    return append_rows(options, batch, out, err);
}

enum stoa_status stoa_csv_sink_open(struct stoa_sink *sink, const struct stoa_csv_options *options,
                                    const struct stoa_schema *schema, struct stoa_batch_sink **out,
                                    struct stoa_error *err)
{
    struct stoa_batch_sink *mine = NULL;
    struct stoa_buffer header = {0};
    enum stoa_status st;

    STOA_TRY(check(options, schema, err));
    STOA_TRY(append_header(options, schema, &header, err));
    STOA_TRY(stoa_text_sink_open(sink, format, options, sizeof(*options), &mine, err));
    STOA_TRY(sink->write(sink, header.data, header.nbytes, err));
    *out = mine;
    mine = NULL;
out:
    if (mine != NULL)
        mine->close(mine);
    stoa_buffer_free(&header);
    return st;
}
