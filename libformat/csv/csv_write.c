/*
 * Batches as CSV (spec/csv.md, "Writing"): options, header, the sink. Rows are made in csv_cell.c.
 */
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "column/text_sink.h"
#include "csv/csv.h"
#include "csv/csv_cell.h"
#include "csv/csv_nested.h"
#include "csv/encoding.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static const struct stoa_csv_write_options defaults = {0};

/* ---- Options. ---- */

/* Names that mean something else here than to iconv. */
static const struct {
    const char *name;
    const char *encoding; /* NULL: the text as it is */
    bool marked;          /* begins with a byte order mark */
} encodings[] = {
    {"UTF-8", NULL, false},      {"UTF8", NULL, false},        {"UTF-16", "UTF-16LE", true},
    {"UTF16", "UTF-16LE", true}, {"UTF-32", "UTF-32LE", true}, {"UTF32", "UTF-32LE", true},
};

static bool is_same_name(const char *name, const char *upper)
{
    for (; *name != '\0' && *upper != '\0'; name++, upper++)
        if ((*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name) != *upper)
            return false;
    return *name == *upper;
}

/* What text is encoded in, and whether a byte order mark comes with it. */
static const char *encoding_of(const struct stoa_csv_write_options *options, bool *marked)
{
    *marked = options->bom;
    for (size_t i = 0; options->encoding != NULL && i < sizeof(encodings) / sizeof(encodings[0]);
         i++) {
        if (is_same_name(options->encoding, encodings[i].name)) {
            *marked |= encodings[i].marked;
            return encodings[i].encoding;
        }
    }
    return options->encoding;
}

static struct stoa_csv_style style_of(const struct stoa_csv_write_options *options)
{
    const char *null_text = options->null_text != NULL ? options->null_text : "";
    bool marked;

    return (struct stoa_csv_style){
        .delimiter = options->delimiter != 0 ? options->delimiter : ',',
        .quoting = options->quoting,
        .null_text = null_text,
        .null_nbytes = strlen(null_text),
        .line_end = options->crlf ? "\r\n" : "\n",
        .line_end_nbytes = options->crlf ? 2 : 1,
        .safe_spreadsheet = options->safe_spreadsheet,
        .encoding = encoding_of(options, &marked),
    };
}

static enum stoa_status check_delimiter(char delimiter, struct stoa_error *err)
{
    char shown[8];

    if ((uint8_t)delimiter < 0x80 && strchr("\"\r\n", delimiter) == NULL)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_USAGE,
                     "the delimiter \"%s\" can't be written: it must be an ASCII character other "
                     "than a double quote or a line end",
                     stoa_quote(shown, sizeof(shown), &delimiter, 1));
}

/* Null is never quoted, so its text must do without quotes. */
static enum stoa_status check_null_text(const struct stoa_csv_style *style, struct stoa_error *err)
{
    const char special[] = {'"', '\r', '\n', style->delimiter, '\0'};
    char shown[80];

    if (strpbrk(style->null_text, special) == NULL &&
        stoa_utf8_valid_prefix((const uint8_t *)style->null_text, style->null_nbytes) ==
            style->null_nbytes)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_USAGE,
                     "null can't be written as \"%s\": its text has no quote, delimiter or line "
                     "end, and is UTF-8",
                     stoa_quote(shown, sizeof(shown), style->null_text, style->null_nbytes));
}

static enum stoa_status check(const struct stoa_csv_write_options *options,
                              const struct stoa_schema *schema, struct stoa_error *err)
{
    const struct stoa_csv_style style = style_of(options);
    struct stoa_csv_encoder *encoder = NULL;
    struct stoa_csv_flat flat = {0};
    enum stoa_status st;

    STOA_TRY(check_delimiter(style.delimiter, err));
    STOA_TRY(check_null_text(&style, err));
    if ((unsigned)options->quoting > STOA_CSV_QUOTE_NONE)
        return stoa_fail(err, STOA_ERR_USAGE, "there is no quoting %u", (unsigned)options->quoting);
    if ((unsigned)options->nested > STOA_CSV_NESTED_JSON)
        return stoa_fail(err, STOA_ERR_USAGE, "there is no way %u to write nested columns",
                         (unsigned)options->nested);
    STOA_TRY(stoa_csv_flat_init(&flat, schema, err));
    STOA_TRY(stoa_csv_flat_check(&flat, options->nested, err));
    if (style.encoding != NULL)
        STOA_TRY(stoa_csv_encoder_open(style.encoding, NULL, 0, &encoder, err));
out:
    stoa_csv_flat_reset(&flat);
    stoa_csv_encoder_close(encoder);
    return st;
}

/* ---- Text. ---- */

/* Appends text in the encoding of the style, each time from its first state. */
static enum stoa_status append_encoded(const struct stoa_csv_style *style,
                                       const struct stoa_buffer *text, struct stoa_buffer *out,
                                       struct stoa_error *err)
{
    struct stoa_csv_encoder *encoder = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_csv_encoder_open(style->encoding, NULL, 0, &encoder, err));
    STOA_TRY(stoa_csv_encoder_write(encoder, text->data, text->nbytes, out, err));
    STOA_TRY(stoa_csv_encoder_finish(encoder, out, err));
out:
    stoa_csv_encoder_close(encoder);
    return st;
}

static enum stoa_status append_rows(const struct stoa_csv_style *style,
                                    const struct stoa_batch *batch, size_t begin, size_t end,
                                    struct stoa_buffer *out, struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    enum stoa_status st;

    if (style->encoding == NULL)
        return stoa_csv_append_rows(style, batch, begin, end, out, err);
    STOA_TRY(stoa_csv_append_rows(style, batch, begin, end, &text, err));
    STOA_TRY(append_encoded(style, &text, out, err));
out:
    stoa_buffer_free(&text);
    return st;
}

/* The same; a character that the encoding does not have is looked for row by row. */
static enum stoa_status append_batch(const struct stoa_csv_style *style,
                                     const struct stoa_batch *batch, struct stoa_buffer *out,
                                     struct stoa_error *err)
{
    const size_t before = out->nbytes;
    const enum stoa_status all = append_rows(style, batch, 0, batch->nrows, out, err);
    enum stoa_status st = STOA_OK;

    if (all != STOA_ERR_DATA || style->encoding == NULL)
        return all;
    for (size_t row = 0; st == STOA_OK && row < batch->nrows; row++) {
        out->nbytes = before;
        st = append_rows(style, batch, row, row + 1, out, err);
        if (st == STOA_ERR_DATA && err != NULL)
            err->offset = row;
    }
    return st != STOA_OK ? st : all;
}

static enum stoa_status append_header(const struct stoa_csv_write_options *options,
                                      const struct stoa_schema *schema, struct stoa_buffer *out,
                                      struct stoa_error *err)
{
    const struct stoa_csv_style style = style_of(options);
    struct stoa_buffer text = {0};
    bool marked;
    enum stoa_status st = STOA_OK;

    (void)encoding_of(options, &marked);
    if (marked)
        STOA_TRY(stoa_buffer_append(&text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK), err));
    if (!options->no_header)
        STOA_TRY(stoa_csv_append_names(&style, schema, &text, err));
    if (style.encoding != NULL)
        STOA_TRY(append_encoded(&style, &text, out, err));
    else
        STOA_TRY(stoa_buffer_append(out, text.data, text.nbytes, err));
out:
    stoa_buffer_free(&text);
    return st;
}

/* The caller's block as a buffer, so that appending goes on where it ends. */
static struct stoa_buffer borrow(char *text, size_t nbytes)
{
    return (struct stoa_buffer){.data = (uint8_t *)text, .nbytes = nbytes, .capacity = nbytes};
}

enum stoa_status stoa_csv_format(const struct stoa_csv_write_options *options,
                                 const struct stoa_batch *batch, char **out, size_t *nbytes,
                                 struct stoa_error *err)
{
    struct stoa_csv_style style;
    struct stoa_buffer text = borrow(*out, *nbytes);
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    style = style_of(options);
    STOA_TRY(check(options, batch->schema, err));
    STOA_TRY(append_batch(&style, batch, &text, err));
    *nbytes = text.nbytes;
out:
    *out = (char *)text.data; /* it may have moved, whatever happened */
    return st;
}

enum stoa_status stoa_csv_format_header(const struct stoa_csv_write_options *options,
                                        const struct stoa_schema *schema, char **out,
                                        size_t *nbytes, struct stoa_error *err)
{
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

/* ---- The sink. ---- */

static enum stoa_status format(const void *style, const struct stoa_batch *batch,
                               struct stoa_buffer *out, struct stoa_error *err)
{
    return append_batch(style, batch, out, err);
}

enum stoa_status stoa_csv_sink_open(struct stoa_sink *sink,
                                    const struct stoa_csv_write_options *options,
                                    const struct stoa_text_packer *packer,
                                    const struct stoa_schema *schema, struct stoa_batch_sink **out,
                                    struct stoa_error *err)
{
    const struct stoa_csv_style style = style_of(options);
    struct stoa_buffer header = {0};
    enum stoa_status st;

    STOA_TRY(check(options, schema, err));
    STOA_TRY(append_header(options, schema, &header, err));
    STOA_TRY(stoa_text_sink_open(sink, format, &style, sizeof(style), &header, packer, out, err));
out:
    stoa_buffer_free(&header);
    return st;
}
