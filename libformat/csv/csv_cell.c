/*
 * Values as fields of CSV (spec/csv.md, "Writing").
 *
 * Rows are written in runs. Before a run its columns are looked over once, so that there is room
 * for the worst that can come and the loop over values checks nothing but nulls:
 *
 *     | fixed types: STOA_TEXT_NBYTES | text: its bytes, its quotes once more, 4 around |  * rows
 *
 * A column of texts in which a run has no byte that is special is *plain*: its values are copied as
 * they are. Most columns of most tables are.
 */
#include "csv/csv_cell.h"

#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "column/array.h"
#include "column/schema.h"
#include "csv/csv_nested.h"
#include "csv/parse.h"

#define RUN_NROWS  256
#define RUN_NBYTES (1 << 20) /* about, of a run of more than one row */
#define AROUND     4         /* of a text: two quotes, an apostrophe, the delimiter */

/* How the values of a column are written. */
enum kind {
    KIND_NOTHING, /* all are null */
    KIND_BARE,    /* numbers and times that hold nothing special */
    KIND_BARE_INT64,
    KIND_BARE_FLOAT64,
    KIND_BARE_TIMESTAMP,
    KIND_ODD, /* those that may hold the delimiter or be the text of null, or have quotes */
    KIND_UTF8,
    KIND_ENUM,
    KIND_BASE64,
    KIND_PATTERN, /* dates and times of another layout than ISO 8601 */
    KIND_JSON,    /* lists and maps */
};

struct column {
    enum kind kind;
    bool quoted;    /* every value */
    bool plain;     /* of this run: no byte of the texts is special */
    bool is_first;  /* of a record, where a '#' could begin a comment */
    char separator; /* of timestamps, between day and clock */
    stoa_value_format *format;
    struct stoa_known_days *known_days; /* borrowed */
    struct stoa_time_pattern *pattern;  /* owned; NULL but for KIND_PATTERN */
    struct stoa_csv_json *json;         /* owned; NULL but for KIND_JSON: the texts of the run */
    const char *name;
    const struct stoa_field *field;
    const struct stoa_array *array;
};

/* Why a text needs quotes. */
enum need {
    NEED_NOT,
    NEED_DELIMITER,
    NEED_LINE_END,
    NEED_EMPTY,
    NEED_NULL,
    NEED_FOR_OTHERS, /* what a reader might take off or take for something else */
};

/* ---- What needs quotes. ---- */

static uint8_t least(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* The least difference to a special byte is 0: a form that compilers turn into vectors. */
static bool has_special(const uint8_t *text, size_t nbytes, char delimiter)
{
    uint8_t nearest = 0xff;

    for (size_t i = 0; i < nbytes; i++) {
        uint8_t ends = least(text[i] ^ '\n', text[i] ^ '\r');
        uint8_t others = least(text[i] ^ '"', text[i] ^ (uint8_t)delimiter);

        nearest = least(nearest, least(ends, others));
    }
    return nearest == 0;
}

static size_t count_quotes(const uint8_t *text, size_t nbytes)
{
    size_t n = 0;

    for (size_t i = 0; i < nbytes; i++)
        n += text[i] == '"';
    return n;
}

static enum need need_of_special(const uint8_t *text, size_t nbytes, char delimiter)
{
    if (memchr(text, delimiter, nbytes) != NULL)
        return NEED_DELIMITER;
    if (memchr(text, '\n', nbytes) != NULL || memchr(text, '\r', nbytes) != NULL)
        return NEED_LINE_END;
    return NEED_FOR_OTHERS;
}

static enum need need_of(const struct stoa_csv_style *style, const struct column *column,
                         const uint8_t *text, size_t nbytes)
{
    if (nbytes == style->null_nbytes && memcmp(text, style->null_text, nbytes) == 0)
        return nbytes == 0 ? NEED_EMPTY : NEED_NULL;
    if (nbytes == 0) /* null has a text of its own, which not every reader knows */
        return NEED_FOR_OTHERS;
    if (!column->plain && has_special(text, nbytes, style->delimiter))
        return need_of_special(text, nbytes, style->delimiter);
    if (text[0] == ' ' || text[nbytes - 1] == ' ' || (column->is_first && text[0] == '#') ||
        (nbytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0))
        return NEED_FOR_OTHERS;
    return NEED_NOT;
}

/* ---- One value. There is room behind `at`. ---- */

/* Where values are written, and after a refusal what is refused and why. */
struct cursor {
    const struct stoa_csv_style *style;
    uint8_t *at;
    enum need need;
    const uint8_t *text;
    size_t nbytes;
};

enum quotes { QUOTES_NO, QUOTES_YES, QUOTES_REFUSED };

static enum quotes decide(struct cursor *cursor, const struct column *column, const uint8_t *text,
                          size_t nbytes)
{
    enum need need;

    if (column->quoted)
        return QUOTES_YES;
    need = need_of(cursor->style, column, text, nbytes);
    if (need == NEED_NOT)
        return QUOTES_NO;
    if (cursor->style->quoting != STOA_CSV_QUOTE_NONE)
        return QUOTES_YES;
    if (need == NEED_FOR_OTHERS) /* they know that a quote is a character like any other here */
        return QUOTES_NO;
    cursor->need = need;
    cursor->text = text;
    cursor->nbytes = nbytes;
    return QUOTES_REFUSED;
}

/* Short texts in one move of fixed size, where the array has the slack for it. */
static uint8_t *copy_text(uint8_t *p, const uint8_t *text, size_t nbytes, bool has_slack)
{
    if (has_slack && nbytes <= 32)
        memcpy(p, text, 32);
    else
        memcpy(p, text, nbytes);
    return p + nbytes;
}

static uint8_t *copy_doubled(uint8_t *p, const uint8_t *text, size_t nbytes)
{
    while (nbytes > 0) {
        const uint8_t *quote = memchr(text, '"', nbytes);
        size_t n = quote != NULL ? (size_t)(quote - text) + 1 : nbytes;

        memcpy(p, text, n);
        p += n;
        if (quote != NULL)
            *p++ = '"';
        text += n;
        nbytes -= n;
    }
    return p;
}

/* Spreadsheets take a cell that begins like this for a formula. */
static bool begins_a_formula(const uint8_t *text, size_t nbytes)
{
    return nbytes > 0 && memchr("=+-@\t\r", text[0], 6) != NULL;
}

static bool put_text(struct cursor *cursor, const struct column *column, const uint8_t *text,
                     size_t nbytes)
{
    const enum quotes quotes = decide(cursor, column, text, nbytes);
    uint8_t *p = cursor->at;

    if (quotes == QUOTES_REFUSED)
        return false;
    if (quotes == QUOTES_YES)
        *p++ = '"';
    if (cursor->style->safe_spreadsheet && begins_a_formula(text, nbytes))
        *p++ = '\'';
    if (quotes == QUOTES_YES && !column->plain)
        p = copy_doubled(p, text, nbytes);
    else
        p = copy_text(p, text, nbytes, column->kind == KIND_UTF8);
    if (quotes == QUOTES_YES)
        *p++ = '"';
    cursor->at = p;
    return true;
}

/* The same for a value that stands at the cursor as text already; it has no quotes in it. */
static bool settle(struct cursor *cursor, const struct column *column, size_t nbytes)
{
    uint8_t *p = cursor->at;
    const enum quotes quotes = decide(cursor, column, p, nbytes);

    if (quotes == QUOTES_YES) {
        memmove(p + 1, p, nbytes);
        p[0] = p[nbytes + 1] = '"';
        nbytes += 2;
    }
    if (quotes != QUOTES_REFUSED)
        cursor->at = p + nbytes;
    return quotes != QUOTES_REFUSED;
}

static bool put_enum(struct cursor *cursor, const struct column *column, size_t row)
{
    const char *symbol;
    uint32_t index;

    memcpy(&index, column->array->values + 4 * row, 4);
    symbol = column->field->type.symbols[index];
    return put_text(cursor, column, (const uint8_t *)symbol, strlen(symbol));
}

static bool put_base64(struct cursor *cursor, const struct column *column, size_t row)
{
    const struct stoa_array *array = column->array;
    const uint8_t *bytes = array->values;
    size_t nbytes = column->field->type.width;

    if (column->field->type.id == STOA_BINARY) {
        bytes += array->offsets[row];
        nbytes = (size_t)(array->offsets[row + 1] - array->offsets[row]);
    } else {
        bytes += row * nbytes;
    }
    return settle(cursor, column, stoa_base64_encode(bytes, nbytes, (char *)cursor->at));
}

/* Since 1970-01-01T00:00:00, or since midnight. */
static int64_t seconds_of(const struct column *column, size_t row, uint32_t *nanos)
{
    const struct stoa_type *type = &column->field->type;
    const bool narrow =
        type->id == STOA_DATE32 || (type->id == STOA_TIME && type->unit < STOA_MICRO);
    int64_t per_second, x, rest;
    int32_t small;

    if (narrow) {
        memcpy(&small, column->array->values + sizeof(small) * row, sizeof(small));
        x = small;
    } else {
        memcpy(&x, column->array->values + sizeof(x) * row, sizeof(x));
    }
    *nanos = 0;
    if (type->id == STOA_DATE32)
        return x * 86400;
    per_second = stoa_time_unit_per_second(type->unit);
    rest = x % per_second;
    rest += rest < 0 ? per_second : 0;
    *nanos = (uint32_t)(rest * (1000000000 / per_second));
    return x / per_second - (x < 0 && x % per_second != 0);
}

/* The usual types, without a call by a pointer for each value. */
static void put_int64(struct cursor *cursor, const struct column *column, size_t row)
{
    int64_t x;

    memcpy(&x, column->array->values + row * sizeof(x), sizeof(x));
    cursor->at += stoa_number_format_int64(x, (char *)cursor->at);
}

static void put_float64(struct cursor *cursor, const struct column *column, size_t row)
{
    double x;

    memcpy(&x, column->array->values + row * sizeof(x), sizeof(x));
    cursor->at += stoa_number_format_double(x, (char *)cursor->at);
}

static size_t format_timestamp(const struct column *column, size_t row, char *out)
{
    const struct stoa_type *type = &column->field->type;
    int64_t x;

    memcpy(&x, column->array->values + row * sizeof(x), sizeof(x));
    return stoa_timestamp_format_known(column->known_days, x, type->unit, type->zone != NULL,
                                       column->separator, out);
}

/* Value `row` of a type that is neither text nor bytes. */
static size_t format_value(const struct column *column, size_t row, char *out)
{
    const struct stoa_type *type = &column->field->type;

    return type->id == STOA_TIMESTAMP ? format_timestamp(column, row, out)
                                      : column->format(type, column->array->values, row, out);
}

/* By the pattern, with all digits of the unit where it has a fraction; years that it has no digits
   for in ISO 8601. */
static bool put_pattern(struct cursor *cursor, const struct column *column, size_t row)
{
    const unsigned ndigits = 3 * (unsigned)column->field->type.unit;
    char text[STOA_TIME_PATTERN_NBYTES];
    uint32_t nanos;
    const int64_t seconds = seconds_of(column, row, &nanos);
    size_t nbytes = stoa_time_pattern_format(column->pattern, seconds, nanos,
                                             ndigits > 0 ? ndigits : 1, STOA_UTC_Z, text);

    if (nbytes == 0)
        nbytes = format_value(column, row, text);
    return put_text(cursor, column, (const uint8_t *)text, nbytes);
}

/* Value `row`, which is not null. */
static bool put_value(struct cursor *cursor, const struct column *column, size_t row)
{
    const struct stoa_array *array = column->array;
    const int32_t *offsets = array->offsets;
    const uint8_t *text;
    size_t nbytes;

    switch (column->kind) {
    case KIND_BARE_INT64:
        put_int64(cursor, column, row);
        return true;
    case KIND_BARE_FLOAT64:
        put_float64(cursor, column, row);
        return true;
    case KIND_BARE_TIMESTAMP:
        cursor->at += format_timestamp(column, row, (char *)cursor->at);
        return true;
    case KIND_UTF8:
        return put_text(cursor, column, array->values + offsets[row],
                        (size_t)(offsets[row + 1] - offsets[row]));
    case KIND_ENUM:
        return put_enum(cursor, column, row);
    case KIND_BASE64:
        return put_base64(cursor, column, row);
    case KIND_PATTERN:
        return put_pattern(cursor, column, row);
    case KIND_JSON:
        text = stoa_csv_json_text(column->json, row, &nbytes);
        return put_text(cursor, column, text, nbytes);
    default:
        nbytes = format_value(column, row, (char *)cursor->at);
        if (column->kind == KIND_ODD)
            return settle(cursor, column, nbytes);
        cursor->at += nbytes;
        return true;
    }
}

static enum stoa_status refuse(const struct cursor *cursor, const char *column, size_t row,
                               struct stoa_error *err)
{
    static const char *const why[] = {
        [NEED_DELIMITER] = "it holds the delimiter",
        [NEED_LINE_END] = "it holds a line end",
        [NEED_EMPTY] = "it would be read as null (unless null gets a text of its own)",
        [NEED_NULL] = "it is the text of null",
    };
    char name[80], value[224];

    return stoa_fail_at(
        err, STOA_ERR_DATA, row, "column %s: \"%s\" can't be written without quotes: %s",
        stoa_quote(name, sizeof(name), column, strlen(column)),
        stoa_quote(value, sizeof(value), (const char *)cursor->text, cursor->nbytes),
        why[cursor->need]);
}

/* ---- Rows. ---- */

/* Timestamps that were read with a T between day and clock are written with one. */
static char separator_of(const struct stoa_field *field)
{
    const char *pattern = stoa_metadata_get(&field->metadata, STOA_METADATA_CSV_FORMAT);

    return pattern != NULL && strstr(pattern, "%dT%H") != NULL ? 'T' : ' ';
}

/* Numbers and bools are bare among values that have quotes, so that they are told from text. */
static bool is_bare_among_quoted(enum stoa_type_id id)
{
    return id == STOA_BOOL || (id >= STOA_INT8 && id <= STOA_DECIMAL);
}

static bool is_quoted(const struct stoa_csv_style *style, enum stoa_type_id id)
{
    return style->quoting == STOA_CSV_QUOTE_ALL ||
           (style->quoting == STOA_CSV_QUOTE_NONNUMERIC && !is_bare_among_quoted(id));
}

/* Whether only text can hold the delimiter: no number, time or uuid has one of these. */
static bool is_in_text_only(char delimiter)
{
    return delimiter == ',' || delimiter == ';' || delimiter == '\t' || delimiter == '|';
}

static enum kind kind_of(const struct stoa_csv_style *style, const struct stoa_csv_flat_column *of)
{
    const enum stoa_type_id id = of->field->type.id;

    if (of->is_json)
        return KIND_JSON;
    if (id == STOA_NULL)
        return KIND_NOTHING;
    if (id == STOA_UTF8)
        return KIND_UTF8;
    if (id == STOA_ENUM)
        return KIND_ENUM;
    if (id == STOA_BINARY || id == STOA_FIXED_BINARY)
        return KIND_BASE64;
    if (is_quoted(style, id) || style->null_nbytes > 0 || !is_in_text_only(style->delimiter))
        return KIND_ODD;
    return id == STOA_INT64       ? KIND_BARE_INT64
           : id == STOA_FLOAT64   ? KIND_BARE_FLOAT64
           : id == STOA_TIMESTAMP ? KIND_BARE_TIMESTAMP
                                  : KIND_BARE;
}

/* A pattern that is none for its type is no matter here: ISO 8601 says the same. */
static enum stoa_status init_pattern(struct column *column, struct stoa_error *err)
{
    struct stoa_time_pattern pattern;
    bool found;
    enum stoa_status st;

    if (stoa_csv_pattern_of(column->field, &pattern, &found, NULL) != STOA_OK || !found)
        return STOA_OK;
    st = stoa_alloc(&column->pattern, sizeof(*column->pattern), err);
    if (st == STOA_OK) {
        *column->pattern = pattern;
        column->kind = KIND_PATTERN;
    }
    return st;
}

static enum stoa_status init_columns(const struct stoa_csv_style *style,
                                     const struct stoa_csv_flat *flat,
                                     const struct stoa_array *const *arrays,
                                     struct stoa_known_days *known_days, struct column *columns,
                                     struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < flat->ncolumns; i++) {
        const struct stoa_field *field = flat->columns[i].field;

        columns[i] = (struct column){
            .kind = kind_of(style, &flat->columns[i]),
            .quoted = is_quoted(style, field->type.id),
            .is_first = i == 0,
            .separator = separator_of(field),
            .format = stoa_value_format_find(field->type.id),
            .known_days = known_days,
            .field = field,
            .array = arrays[i],
            .name = flat->columns[i].name,
        };
        if (columns[i].kind == KIND_JSON)
            STOA_TRY(stoa_csv_json_new(field, RUN_NROWS, &columns[i].json, err));
        else
            STOA_TRY(init_pattern(&columns[i], err));
    }
out:
    return st;
}

/* Bytes of one value at the most, text and bytes aside. */
static size_t value_max_nbytes(const struct column *column)
{
    const struct stoa_type *type = &column->field->type;
    size_t longest = 0;

    if (column->kind == KIND_BASE64)
        return stoa_base64_nbytes(type->width) + 4 + AROUND;
    if (column->kind == KIND_PATTERN)
        return 2 * STOA_TIME_PATTERN_NBYTES + AROUND;
    if (column->kind != KIND_ENUM)
        return STOA_TEXT_NBYTES + AROUND;
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        size_t nbytes = strlen(type->symbols[i]);

        if (nbytes > longest)
            longest = nbytes;
    }
    return 2 * longest + AROUND;
}

/* The same of its texts in rows [begin, end), and whether these are plain. */
static size_t look_over(const struct stoa_csv_style *style, struct column *column, size_t begin,
                        size_t end)
{
    const struct stoa_array *array = column->array;
    const uint8_t *text;
    size_t nbytes;

    if (column->kind == KIND_JSON)
        return column->json->text.nbytes +
               count_quotes(column->json->text.data, column->json->text.nbytes);
    if (array->offsets == NULL)
        return 0;
    text = array->values + array->offsets[begin];
    nbytes = (size_t)(array->offsets[end] - array->offsets[begin]);
    if (column->kind == KIND_BASE64) /* value_max_nbytes() has the padding of each */
        return stoa_base64_nbytes(nbytes);
    column->plain = !has_special(text, nbytes, style->delimiter);
    return column->plain ? nbytes : nbytes + count_quotes(text, nbytes);
}

static enum stoa_status append_run(const struct stoa_csv_style *style, struct column *columns,
                                   size_t ncolumns, size_t begin, size_t end,
                                   struct stoa_buffer *out, struct stoa_error *err)
{
    struct cursor cursor = {.style = style, .at = out->data + out->nbytes};

    for (size_t row = begin; row < end; row++) {
        for (size_t i = 0; i < ncolumns; i++) {
            const struct column *column = &columns[i];

            if (i > 0)
                *cursor.at++ = (uint8_t)style->delimiter;
            if (column->kind == KIND_NOTHING || stoa_array_is_null(column->array, row)) {
                memcpy(cursor.at, style->null_text, style->null_nbytes);
                cursor.at += style->null_nbytes;
            } else if (!put_value(&cursor, column, row)) {
                return refuse(&cursor, column->name, row, err);
            }
        }
        memcpy(cursor.at, style->line_end, style->line_end_nbytes);
        cursor.at += style->line_end_nbytes;
    }
    out->nbytes = (size_t)(cursor.at - out->data);
    return STOA_OK;
}

/* What the loop over rows [begin, end) must know: the texts of JSON, and how much room there is. */
static enum stoa_status prepare_run(const struct stoa_csv_style *style, struct column *columns,
                                    size_t ncolumns, size_t begin, size_t end, size_t row_nbytes,
                                    struct stoa_buffer *out, struct stoa_error *err)
{
    size_t nbytes = (end - begin) * row_nbytes;
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < ncolumns; i++) {
        if (columns[i].kind == KIND_JSON)
            STOA_TRY(stoa_csv_json_run(columns[i].json, columns[i].array, begin, end, err));
        nbytes += look_over(style, &columns[i], begin, end);
    }
    STOA_TRY(stoa_buffer_reserve(out, nbytes, err));
out:
    return st;
}

enum stoa_status stoa_csv_append_rows(const struct stoa_csv_style *style,
                                      const struct stoa_batch *batch, size_t begin, size_t end,
                                      struct stoa_buffer *out, struct stoa_error *err)
{
    struct stoa_known_days known_days = {0};
    struct stoa_csv_flat flat = {0};
    const struct stoa_array **arrays = NULL;
    struct column *columns = NULL;
    size_t row_nbytes = STOA_TEXT_NBYTES; /* what a formatter may write behind its value */
    size_t run_nrows, run_end;
    enum stoa_status st;

    if (begin == end)
        return STOA_OK;
    STOA_TRY(stoa_csv_flat_init(&flat, batch->schema, err));
    STOA_TRY(stoa_alloc_zeroed(&arrays, flat.ncolumns, sizeof(*arrays), err));
    STOA_TRY(stoa_alloc_zeroed(&columns, flat.ncolumns, sizeof(*columns), err));
    stoa_csv_flat_arrays(batch, arrays);
    STOA_TRY(init_columns(style, &flat, arrays, &known_days, columns, err));
    for (size_t i = 0; i < flat.ncolumns; i++)
        row_nbytes += value_max_nbytes(&columns[i]) + style->null_nbytes;
    run_nrows = row_nbytes < RUN_NBYTES / RUN_NROWS ? RUN_NROWS
                : row_nbytes < RUN_NBYTES           ? RUN_NBYTES / row_nbytes
                                                    : 1;
    for (; begin < end; begin = run_end) {
        run_end = end - begin < run_nrows ? end : begin + run_nrows;
        STOA_TRY(prepare_run(style, columns, flat.ncolumns, begin, run_end, row_nbytes, out, err));
        STOA_TRY(append_run(style, columns, flat.ncolumns, begin, run_end, out, err));
    }
out:
    for (size_t i = 0; columns != NULL && i < flat.ncolumns; i++) {
        stoa_free(columns[i].pattern);
        stoa_csv_json_free(columns[i].json);
    }
    stoa_free(columns);
    stoa_free(arrays);
    stoa_csv_flat_reset(&flat);
    return st;
}

enum stoa_status stoa_csv_append_names(const struct stoa_csv_style *style,
                                       const struct stoa_schema *schema, struct stoa_buffer *out,
                                       struct stoa_error *err)
{
    struct cursor cursor = {.style = style};
    struct stoa_csv_flat flat = {0};
    enum stoa_status st;

    STOA_TRY(stoa_csv_flat_init(&flat, schema, err));
    for (size_t i = 0; i < flat.ncolumns; i++) {
        const char *name = flat.columns[i].name;
        const struct column column = {
            .kind = KIND_ENUM,
            .quoted = is_quoted(style, STOA_UTF8),
            .is_first = i == 0,
        };

        STOA_TRY(stoa_buffer_reserve(out, 2 * strlen(name) + AROUND, err));
        cursor.at = out->data + out->nbytes;
        if (i > 0)
            *cursor.at++ = (uint8_t)style->delimiter;
        if (!put_text(&cursor, &column, (const uint8_t *)name, strlen(name))) {
            st = refuse(&cursor, name, 0, err);
            goto out;
        }
        out->nbytes = (size_t)(cursor.at - out->data);
    }
    STOA_TRY(stoa_buffer_append(out, style->line_end, style->line_end_nbytes, err));
out:
    stoa_csv_flat_reset(&flat);
    return st;
}
