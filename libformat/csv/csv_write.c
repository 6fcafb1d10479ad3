/*
 * Batches as CSV (spec/csv.md, "Writing"): options, header, the sink. Rows are made in csv_cell.c.
 */
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "column/text_sink.h"
#include "csv/csv.h"
#include "csv/csv_cell.h"
#include "csv/csv_table.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static const struct stoa_csv_write_options defaults = {0};

/* ---- Options. ---- */

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
    const struct stoa_csv_style style = stoa_csv_style_of(options);
    enum stoa_status st;

    STOA_TRY(check_delimiter(style.delimiter, err));
    STOA_TRY(check_null_text(&style, err));
    if ((unsigned)options->quoting > STOA_CSV_QUOTE_NONE)
        return stoa_fail(err, STOA_ERR_USAGE, "there is no quoting %u", (unsigned)options->quoting);
    for (uint32_t i = 0; i < schema->nfields; i++)
        STOA_TRY(stoa_csv_column_check(&schema->fields[i], err));
out:
    return st;
}

/* ---- Text. ---- */

static enum stoa_status append_header(const struct stoa_csv_write_options *options,
                                      const struct stoa_schema *schema, struct stoa_buffer *out,
                                      struct stoa_error *err)
{
    const struct stoa_csv_style style = stoa_csv_style_of(options);
    enum stoa_status st = STOA_OK;

    if (options->bom)
        STOA_TRY(stoa_buffer_append(out, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK), err));
    if (!options->no_header)
        STOA_TRY(stoa_csv_append_names(&style, schema, out, err));
out:
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
    style = stoa_csv_style_of(options);
    STOA_TRY(check(options, batch->schema, err));
    STOA_TRY(stoa_csv_append_rows(&style, batch, &text, err));
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
    return stoa_csv_append_rows(style, batch, out, err);
}

enum stoa_status stoa_csv_sink_open(struct stoa_sink *sink,
                                    const struct stoa_csv_write_options *options,
                                    const struct stoa_text_packer *packer,
                                    const struct stoa_schema *schema, struct stoa_batch_sink **out,
                                    struct stoa_error *err)
{
    const struct stoa_csv_style style = stoa_csv_style_of(options);
    struct stoa_buffer header = {0};
    enum stoa_status st;

    STOA_TRY(check(options, schema, err));
    STOA_TRY(append_header(options, schema, &header, err));
    STOA_TRY(stoa_text_sink_open(sink, format, &style, sizeof(style), &header, packer, out, err));
out:
    stoa_buffer_free(&header);
    return st;
}
