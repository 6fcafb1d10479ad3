/* Records that do not always keep to the ways of their file (support/gen_csv_values.c: values). */
#include "support/gen_csv.h"

#include <assert.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/gen_csv_values.h"

enum { MAX_NCOLUMNS = 9 };

struct writer {
    struct stoa_test_random *r;
    struct stoa_csv_options options;
    const char *encoding; /* the text's, also where the options do not name it; NULL: UTF-8 */
    struct stoa_test_csv_column columns[MAX_NCOLUMNS];
    unsigned order[MAX_NCOLUMNS]; /* in this file */
    unsigned ncolumns;
    const char *line_end;
    unsigned odd_records; /* one record in so many; 0: none */
    char *text;
    size_t nbytes;
    size_t capacity;
};

static void put(struct writer *w, const void *bytes, size_t nbytes)
{
    if (w->capacity - w->nbytes < nbytes) {
        w->capacity = 2 * (w->capacity + nbytes);
        w->text = realloc(w->text, w->capacity);
        assert(w->text != NULL);
    }
    if (nbytes > 0)
        memcpy(w->text + w->nbytes, bytes, nbytes);
    w->nbytes += nbytes;
}

static void put_text(struct writer *w, const char *text)
{
    put(w, text, strlen(text));
}

static uint64_t below(struct writer *w, uint64_t n)
{
    return stoa_test_random_below(w->r, n);
}

static bool one_in(struct writer *w, unsigned n)
{
    return n > 0 && below(w, n) == 0;
}

static const char *pick(struct writer *w, const char *const *words, size_t n)
{
    return words[below(w, n)];
}
#define PICK(w, words) pick(w, words, sizeof(words) / sizeof((words)[0]))

/* ---- Fields. ---- */

static bool is_special(const struct writer *w, char c)
{
    const struct stoa_csv_options *o = &w->options;

    return c == o->delimiter || c == o->quote || c == o->escape || c == o->comment || c == '\n' ||
           c == '\r';
}

static bool needs_quotes(const struct writer *w, const char *text)
{
    bool needed = *text == '\0' || *text == ' ' || *text == '\t';

    for (; *text != '\0'; text++)
        needed |= is_special(w, *text) || (text[1] == '\0' && (*text == ' ' || *text == '\t'));
    return needed;
}

static void put_quoted(struct writer *w, const char *text)
{
    const struct stoa_csv_options *o = &w->options;

    put(w, &o->quote, 1);
    for (; *text != '\0'; text++) {
        if (*text == o->quote || *text == o->escape)
            put(w, &o->escape, 1);
        put(w, text, 1);
    }
    put(w, &o->quote, 1);
}

/* Fields that say less than they seem to. */
static bool put_stray(struct writer *w, const struct stoa_test_csv_column *column)
{
    static const char *const strays[] = {"5\" pipe", "\"a\"b", "\"a\"b\"c", "a \"b\" c", "x\""};

    if (!stoa_test_csv_column_is_text(column) || !one_in(w, 40))
        return false;
    put_text(w,
             w->options.quote == '"' && w->options.delimiter != ' ' ? PICK(w, strays) : strays[4]);
    return true;
}

static void put_field(struct writer *w, const struct stoa_test_csv_column *column)
{
    char text[STOA_TEST_CSV_VALUE_NBYTES];
    const bool trims = w->options.trim != STOA_CSV_TRIM_NONE;
    bool quoted;

    if (one_in(w, column->nulls)) {
        put_text(w, one_in(w, 6) ? "" : column->null);
        return;
    }
    if (put_stray(w, column))
        return;
    stoa_test_csv_column_write(w->r, column, text);
    quoted = needs_quotes(w, text) || column->quotes == 1 || (column->quotes == 2 && one_in(w, 3));
    if (w->options.quote == STOA_CSV_NONE) {
        quoted = false;
        for (char *p = text; *p != '\0'; p++)
            if (is_special(w, *p))
                *p = '_';
    }
    if (trims && one_in(w, 5))
        put_text(w, " ");
    if (quoted)
        put_quoted(w, text);
    else
        put_text(w, text);
    if (w->options.trim == STOA_CSV_TRIM_BOTH && one_in(w, 5))
        put_text(w, "  ");
}

/* ---- Records. ---- */

static const char *const line_ends[] = {"\n", "\r\n", "\r"};

static void put_line_end(struct writer *w, bool odd)
{
    if (odd && one_in(w, 9))
        put_text(w, "\r\r\n");
    else
        put_text(w, odd ? PICK(w, line_ends) : w->line_end);
}

static void put_comment(struct writer *w)
{
    if (w->options.comment == STOA_CSV_NONE)
        return;
    put(w, &w->options.comment, 1);
    put_text(w, " \"why, not");
    put_line_end(w, one_in(w, 9));
}

static void put_record(struct writer *w)
{
    const bool odd = one_in(w, w->odd_records);
    unsigned n = w->ncolumns;

    if (odd && one_in(w, 3)) {
        put_line_end(w, one_in(w, 4));
        return;
    }
    if (odd && one_in(w, 3)) {
        put_comment(w);
        return;
    }
    if (odd && one_in(w, 2) && w->options.ragged != 0)
        n = 1 + (unsigned)below(w, 2 * n);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            put(w, &w->options.delimiter, 1);
        put_field(w, &w->columns[w->order[i < w->ncolumns ? i : 0]]);
    }
    if (w->options.trailing_delimiter > 0)
        put(w, &w->options.delimiter, 1);
    put_line_end(w, odd);
}

static void put_header(struct writer *w)
{
    char name[16];

    for (int32_t line = 0; line < w->options.skip_nlines; line++) {
        put_text(w, "some, words \"in front");
        put_line_end(w, false);
    }
    for (int32_t k = 0; k < w->options.header_nrecords; k++) {
        for (unsigned i = 0; i < w->ncolumns; i++) {
            if (i > 0)
                put(w, &w->options.delimiter, 1);
            snprintf(name, sizeof(name), "%c%u", 'c' + k, w->order[i]);
            if (w->options.quote != STOA_CSV_NONE && one_in(w, 4))
                put_quoted(w, name);
            else
                put_text(w, name);
        }
        if (w->options.trailing_delimiter > 0)
            put(w, &w->options.delimiter, 1);
        put_line_end(w, one_in(w, 20));
    }
}

/* ---- Files. ---- */

static struct stoa_csv_options draw_dialect(struct writer *w)
{
    static const char delimiters[] = ",,,;;\t\t|:^ ";
    static const char quotes[] = {'"', '"', '"', '\'', STOA_CSV_NONE};
    struct stoa_csv_options o = {
        .delimiter = delimiters[below(w, sizeof(delimiters) - 1)],
        .quote = quotes[below(w, sizeof(quotes))],
        .comment = one_in(w, 4) ? '#' : STOA_CSV_NONE,
        .decimal = one_in(w, 5) ? ',' : '.',
        .thousands = STOA_CSV_NONE,
        .trailing_delimiter = one_in(w, 6) ? 1 : -1,
        .header_nrecords = one_in(w, 4)   ? -1
                           : one_in(w, 8) ? 2
                                          : 1,
        .skip_nlines = one_in(w, 6) ? 1 + (int32_t)below(w, 3) : -1,
        .ragged = one_in(w, 3) ? STOA_CSV_PAD | STOA_CSV_TRUNCATE : 0,
        .unit_nrows = 1 + (uint32_t)below(w, 60),
    };

    if (o.decimal == ',' && o.delimiter == ',')
        o.decimal = '.';
    if (one_in(w, 8))
        o.thousands = o.decimal == ',' ? '.' : o.delimiter == ',' ? '_' : ',';
    o.escape = one_in(w, 5) ? '\\' : o.quote;
    if (o.quote == STOA_CSV_NONE)
        if (o.decimal == ',' && o.delimiter == ',')
            o.decimal = '.';
    if (one_in(w, 8))
        o.thousands = o.decimal == ',' ? '.' : o.delimiter == ',' ? '_' : ',';
    o.escape = one_in(w, 5) ? '\\' : 0;
    if (o.delimiter != ' ')
        o.trim = one_in(w, 5)   ? STOA_CSV_TRIM_BOTH
                 : one_in(w, 9) ? STOA_CSV_TRIM_START
                                : STOA_CSV_TRIM_NONE;
    else
        o.trim = STOA_CSV_TRIM_NONE;
    return o;
}

/* The encoding of all files, and whether the options name it. */
static void draw_encoding(struct writer *w)
{
    static const char *const encodings[] = {"ISO-8859-1", "CP1252",   "SHIFT_JIS", "CP932",
                                            "GB18030",    "UTF-16LE", "UTF-16BE",  "UTF-32LE",
                                            "UTF-16",     "UTF-32",   "EUC-JP",    "KOI8-R"};
    const bool tells = !one_in(w, 4);

    w->encoding = one_in(w, 4) ? PICK(w, encodings) : NULL;
    w->options.encoding =
        tells || w->encoding == NULL || strncmp(w->encoding, "UTF", 3) != 0 ? w->encoding : NULL;
}

/* The text in its encoding; characters that this has not become question marks. */
static void encode(const struct writer *w, struct stoa_test_csv_file *file)
{
    iconv_t iconv_state = iconv_open(w->encoding, "UTF-8");
    size_t left = file->nbytes, room = 4 * file->nbytes + 16;
    char *in = file->text, *encoded = malloc(room), *out = encoded;

    assert(iconv_state != (iconv_t)-1 && encoded != NULL);
    while (left > 0 && iconv(iconv_state, &in, &left, &out, &room) == (size_t)-1) {
        char mark[] = "?", *question = mark;
        size_t one = 1;

        assert(room > 8);
        (void)iconv(iconv_state, &question, &one, &out, &room);
        do { /* to the next character */
            in++;
            left--;
        } while (left > 0 && ((unsigned char)*in & 0xc0) == 0x80);
    }
    iconv_close(iconv_state);
    free(file->text);
    file->text = encoded;
    file->nbytes = (size_t)(out - encoded);
}

static void make_schema(const struct writer *w, struct stoa_schema *schema)
{
    struct stoa_error err;

    for (unsigned i = 0; i < w->ncolumns; i++) {
        const struct stoa_test_csv_column *column = &w->columns[i];
        struct stoa_type type = {0};
        char name[32];

        if (w->options.header_nrecords < 0)
            snprintf(name, sizeof(name), "column_%u", i + 1);
        else if (w->options.header_nrecords == 1)
            snprintf(name, sizeof(name), "c%u", i);
        else
            snprintf(name, sizeof(name), "c%u d%u", i, i);
        if (stoa_type_parse(column->type, &type, &err) != STOA_OK ||
            stoa_schema_add(schema, name, &type, true, &err) != STOA_OK ||
            (column->format != NULL && stoa_metadata_set(&schema->fields[i].metadata, "csv_format",
                                                         column->format, &err) != STOA_OK))
            abort();
        stoa_type_reset(&type);
    }
}

static void write_file(struct writer *w, size_t most, struct stoa_test_csv_file *out)
{
    const size_t nrecords = (size_t)below(w, most + 1);

    w->nbytes = 0;
    w->capacity = 1024;
    w->text = malloc(w->capacity);
    assert(w->text != NULL);
    if (one_in(w, 6))
        put_text(w, "\xef\xbb\xbf");
    put_header(w);
    for (size_t i = 0; i < nrecords; i++)
        put_record(w);
    for (uint64_t n = one_in(w, 4) ? below(w, 4) : 0; n > 0; n--)
        put_line_end(w, true);
    if (nrecords > 0 && one_in(w, 4))
        while (w->nbytes > 0 && (w->text[w->nbytes - 1] == '\n' || w->text[w->nbytes - 1] == '\r'))
            w->nbytes--;
    for (size_t i = 0; i < w->nbytes; i++)
        if (w->text[i] == STOA_TEST_CSV_NUL)
            w->text[i] = '\0';
    *out = (struct stoa_test_csv_file){.text = w->text, .nbytes = w->nbytes};
    if (w->encoding != NULL)
        encode(w, out);
    else if (w->nbytes > 0 && one_in(w, 100)) /* most likely no UTF-8 */
        out->text[below(w, w->nbytes)] = (char)below(w, 256);
}

/* Another order of the columns, if names tell which is which. */
static void shuffle(struct writer *w)
{
    for (unsigned i = w->ncolumns; w->options.header_nrecords > 0 && i > 1; i--) {
        const unsigned k = (unsigned)below(w, i), kept = w->order[k];

        w->order[k] = w->order[i - 1];
        w->order[i - 1] = kept;
    }
}

void stoa_test_gen_csv(struct stoa_test_random *r, size_t most, struct stoa_test_csv_text *out)
{
    struct writer w = {.r = r};
    bool sniffs;

    w.options = draw_dialect(&w);
    draw_encoding(&w);
    w.ncolumns = 1 + (unsigned)below(&w, MAX_NCOLUMNS);
    for (unsigned i = 0; i < w.ncolumns; i++) {
        w.order[i] = i;
        stoa_test_csv_column_draw(r, w.options.decimal,
                                  w.options.thousands == STOA_CSV_NONE ? '\0' : w.options.thousands,
                                  &w.columns[i]);
    }
    w.line_end = one_in(&w, 3) ? PICK(&w, line_ends) : "\n";
    w.odd_records = one_in(&w, 2) ? 0 : 1 + (unsigned)below(&w, 30);
    sniffs = one_in(&w, 4);
    *out = (struct stoa_test_csv_text){.nfiles = one_in(&w, 5) ? STOA_TEST_CSV_NFILES : 1};
    for (size_t i = 0; i < out->nfiles; i++) {
        write_file(&w, most, &out->files[i]);
        if (!sniffs && one_in(&w, 2))
            shuffle(&w);
    }
    out->on_error = one_in(&w, 4) ? STOA_CSV_ON_ERROR_SKIP : STOA_CSV_ON_ERROR_ABORT;
    out->has_schema = !sniffs && one_in(&w, 2);
    out->options = w.options;
    if (sniffs)
        out->options = (struct stoa_csv_options){.encoding = w.options.encoding,
                                                 .ragged = w.options.ragged,
                                                 .unit_nrows = w.options.unit_nrows};
    if (out->has_schema)
        make_schema(&w, &out->schema);
}

void stoa_test_csv_text_reset(struct stoa_test_csv_text *text)
{
    for (size_t i = 0; i < text->nfiles; i++)
        free(text->files[i].text);
    stoa_schema_reset(&text->schema);
    *text = (struct stoa_test_csv_text){0};
}
