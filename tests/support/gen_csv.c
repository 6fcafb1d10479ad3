/* Columns that have their ways, and records that do not always keep to them. */
#include "support/gen_csv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NCOLUMNS = 9, MAX_VALUE = 96 };

/* What a column holds. */
enum content {
    INTEGERS,
    FLOATS,
    DECIMALS,
    BOOLS,
    DATES,
    CLOCKS,
    TIMES,
    INSTANTS,
    UUIDS,
    BYTES,
    DURATIONS,
    TEXTS,
    WORDS,
    NCONTENTS,
};

static const char *const types[] = {
    [INTEGERS] = "int64",
    [FLOATS] = "float64",
    [DECIMALS] = "decimal(24,6)",
    [BOOLS] = "bool",
    [DATES] = "date32",
    [CLOCKS] = "time(us)",
    [TIMES] = "timestamp(us)",
    [INSTANTS] = "timestamp(ms,UTC)",
    [UUIDS] = "uuid",
    [BYTES] = "binary",
    [DURATIONS] = "duration(ms)",
    [TEXTS] = "utf8",
    [WORDS] = "enum(a,bc,de)",
};

struct column {
    enum content content;
    unsigned ndigits; /* behind the point, or to pad to */
    unsigned way;     /* of several to write a value; most values have that of their column */
    unsigned quotes;  /* 0 where they are needed, 1 always, 2 sometimes */
    unsigned odd;     /* one value in so many is odd; 0: none */
    unsigned nulls;   /* the same */
    const char *null;
};

struct writer {
    struct stoa_test_random *r;
    struct stoa_csv_options options;
    struct column columns[MAX_NCOLUMNS];
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

/* ---- Values. ---- */

static void write_number(struct writer *w, const struct column *column, bool odd, char *out)
{
    static const char *const oddities[] = {"1e5",
                                           "-0",
                                           "0.1000000000000000055511151231257827",
                                           "1E-7",
                                           "0.0",
                                           "-0.000",
                                           "123456789012345.6",
                                           "17",
                                           "1.50",
                                           "100000000000000000000000",
                                           "0.30000000000000004",
                                           "5e-324",
                                           "nan",
                                           "-inf",
                                           ".5"};
    const int64_t whole = (int64_t)(stoa_test_random_wide(w->r) >> below(w, 64)) % 1000000;
    const double x = (double)(whole - 300000) / (one_in(w, 3) ? 1000.0 : 100.0);

    if (odd)
        snprintf(out, MAX_VALUE, "%s", PICK(w, oddities));
    else if (one_in(w, 9))
        snprintf(out, MAX_VALUE, "%s", column->way == 0 ? "0" : "0.00");
    else if (column->ndigits == 0)
        snprintf(out, MAX_VALUE, "%.15g", x);
    else
        snprintf(out, MAX_VALUE, "%.*f", (int)column->ndigits, x);
}

static void write_integer(struct writer *w, const struct column *column, bool odd, char *out)
{
    static const char *const oddities[] = {"007", "-0", "-012", "9223372036854775807", "00", "0"};
    const int64_t x = (int64_t)(stoa_test_random_wide(w->r) >> below(w, 64)) / 2 - 40;

    if (odd)
        snprintf(out, MAX_VALUE, "%s", PICK(w, oddities));
    else
        snprintf(out, MAX_VALUE, "%0*" PRId64, (int)column->ndigits, x);
}

static void write_time(struct writer *w, const struct column *column, bool odd, char *out)
{
    static const char *const zones[] = {"Z", "+00:00", "+0000", "+00", "+02:00", "-00:00"};
    const unsigned day = (unsigned)below(w, 28) + 1, hour = (unsigned)below(w, 24);
    const unsigned year = odd ? 1 + (unsigned)below(w, 9999) : 2000 + (unsigned)below(w, 30);
    const unsigned way = odd ? (unsigned)below(w, 6) : column->way;
    const unsigned ndigits = odd ? (unsigned)below(w, 7) : column->ndigits % 7;
    char date[32], clock[32], fraction[16] = "";

    snprintf(date, sizeof(date), "%04u-%02u-%02u", year, (unsigned)below(w, 12) + 1, day);
    if (ndigits > 0)
        snprintf(fraction, sizeof(fraction), ".%0*u", (int)ndigits, (unsigned)below(w, 10));
    if (column->content == INSTANTS && ndigits > 3)
        fraction[4] = '\0';
    snprintf(clock, sizeof(clock), "%02u:%02u:%02u%s", hour, (unsigned)below(w, 60),
             (unsigned)below(w, 60), fraction);
    if (column->content == DATES)
        snprintf(out, MAX_VALUE, "%s", date);
    else if (column->content == CLOCKS)
        snprintf(out, MAX_VALUE, "%s", clock);
    else
        snprintf(out, MAX_VALUE, "%s%c%s%s", date, way % 2 == 0 ? ' ' : 'T', clock,
                 column->content == INSTANTS ? zones[way % 6] : "");
}

static void write_uuid(struct writer *w, const struct column *column, bool odd, char *out)
{
    const unsigned way = odd ? (unsigned)below(w, 3) : column->way % 2;
    const unsigned a = (unsigned)stoa_test_random_u64(w->r);

    snprintf(out, MAX_VALUE,
             way == 0   ? "%08x-ab12-34cd-5678-0123456789ab"
             : way == 1 ? "%08X-AB12-34CD-5678-0123456789AB"
                        : "%08x-AB12-34cd-5678-0123456789AB",
             a);
}

/* Text of any kind; what a dialect can't hold is put in quotes or taken out later. */
static void write_text(struct writer *w, bool odd, char *out)
{
    static const char *const plain[] = {"a",  "word",  "two words", "Z\xc3\xbcrich", "12",
                                        "NA", "x y z", "0",         "medallion",     "1.50"};
    static const char *const special[] = {",", "\"", "\n", "\r\n", "\r", ";",  "'",    "\\",
                                          "#", " ",  "\t", "\"\"", "|",  "''", "\\\\", "x"};

    *out = '\0';
    if (!odd) {
        snprintf(out, MAX_VALUE, "%s", PICK(w, plain));
        return;
    }
    for (uint64_t n = below(w, 6); n > 0; n--)
        strcat(out, PICK(w, special));
}

static void write_value(struct writer *w, const struct column *column, char *out)
{
    static const char *const bools[] = {"true", "false", "True", "False", "TRUE", "FALSE"};
    static const char *const words[] = {"a", "bc", "de"};
    static const char *const bytes[] = {"", "AA==", "aGVsbG8=", "////"};
    static const char *const durations[] = {"PT1H", "PT90M", "PT0S", "PT1H30M0.5S", "P1DT1S"};
    const bool odd = one_in(w, column->odd);

    switch (column->content) {
    case INTEGERS:
        write_integer(w, column, odd, out);
        break;
    case FLOATS:
    case DECIMALS:
        write_number(w, column, odd && column->content == FLOATS, out);
        break;
    case BOOLS:
        snprintf(out, MAX_VALUE, "%s",
                 bools[odd ? below(w, 6) : 2 * (column->way % 3) + below(w, 2)]);
        break;
    case UUIDS:
        write_uuid(w, column, odd, out);
        break;
    case BYTES:
        snprintf(out, MAX_VALUE, "%s", PICK(w, bytes));
        break;
    case DURATIONS:
        snprintf(out, MAX_VALUE, "%s", PICK(w, durations));
        break;
    case WORDS:
        snprintf(out, MAX_VALUE, "%s", PICK(w, words));
        break;
    case TEXTS:
        write_text(w, odd, out);
        break;
    default:
        write_time(w, column, odd, out);
        break;
    }
}

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

static void put_field(struct writer *w, const struct column *column)
{
    char text[MAX_VALUE];
    const bool trims = w->options.trim != STOA_CSV_TRIM_NONE;
    bool quoted;

    if (one_in(w, column->nulls)) {
        put_text(w, one_in(w, 6) ? "" : column->null);
        return;
    }
    write_value(w, column, text);
    quoted = needs_quotes(w, text) || column->quotes == 1 || (column->quotes == 2 && one_in(w, 3));
    if (column->content == TEXTS && one_in(w, 40)) { /* a stray quote, if it is none at the start */
        put_text(w, "5\" pipe");
        return;
    }
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
        put_field(w, &w->columns[i < w->ncolumns ? i : 0]);
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
            snprintf(name, sizeof(name), "%c%u", 'c' + k, i);
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
        .decimal = '.',
        .thousands = STOA_CSV_NONE,
        .trailing_delimiter = one_in(w, 6) ? 1 : -1,
        .header_nrecords = one_in(w, 4)   ? -1
                           : one_in(w, 8) ? 2
                                          : 1,
        .skip_nlines = one_in(w, 6) ? 1 + (int32_t)below(w, 3) : -1,
        .ragged = one_in(w, 3) ? STOA_CSV_PAD | STOA_CSV_TRUNCATE : 0,
        .unit_nrows = 1 + (uint32_t)below(w, 60),
    };

    o.escape = one_in(w, 5) ? '\\' : o.quote;
    if (o.quote == STOA_CSV_NONE)
        o.escape = one_in(w, 5) ? '\\' : 0;
    if (o.delimiter != ' ')
        o.trim = one_in(w, 5)   ? STOA_CSV_TRIM_BOTH
                 : one_in(w, 9) ? STOA_CSV_TRIM_START
                                : STOA_CSV_TRIM_NONE;
    else
        o.trim = STOA_CSV_TRIM_NONE;
    return o;
}

static struct column draw_column(struct writer *w)
{
    static const char *const nulls[] = {"", "", "", "NA", "NULL", "null", "\\N", "#N/A"};
    struct column column = {
        .content = one_in(w, 3) ? TEXTS : (enum content)below(w, NCONTENTS),
        .ndigits = (unsigned)below(w, 9),
        .way = (unsigned)below(w, 6),
        .quotes = one_in(w, 3) ? (unsigned)below(w, 3) : 0,
        .odd = one_in(w, 2) ? 0 : 1 + (unsigned)below(w, 40),
        .nulls = one_in(w, 2) ? 0 : 2 + (unsigned)below(w, 20),
        .null = PICK(w, nulls),
    };

    if (column.content == INTEGERS && !one_in(w, 3))
        column.ndigits = 0;
    if (column.content == DECIMALS)
        column.ndigits = 1 + column.ndigits % 6;
    return column;
}

static void make_schema(const struct writer *w, struct stoa_schema *schema)
{
    struct stoa_error err;

    for (unsigned i = 0; i < w->ncolumns; i++) {
        struct stoa_type type = {0};
        char name[32];

        if (w->options.header_nrecords < 0)
            snprintf(name, sizeof(name), "column_%u", i + 1);
        else if (w->options.header_nrecords == 1)
            snprintf(name, sizeof(name), "c%u", i);
        else
            snprintf(name, sizeof(name), "c%u d%u", i, i);
        if (stoa_type_parse(types[w->columns[i].content], &type, &err) != STOA_OK ||
            stoa_schema_add(schema, name, &type, true, &err) != STOA_OK)
            abort();
        stoa_type_reset(&type);
    }
}

void stoa_test_gen_csv(struct stoa_test_random *r, size_t most, struct stoa_test_csv_text *out)
{
    struct writer w = {.r = r};
    size_t nrecords = (size_t)stoa_test_random_below(r, most + 1);

    w.options = draw_dialect(&w);
    w.ncolumns = 1 + (unsigned)below(&w, MAX_NCOLUMNS);
    for (unsigned i = 0; i < w.ncolumns; i++)
        w.columns[i] = draw_column(&w);
    w.line_end = one_in(&w, 3) ? PICK(&w, line_ends) : "\n";
    w.odd_records = one_in(&w, 2) ? 0 : 1 + (unsigned)below(&w, 30);
    if (one_in(&w, 6))
        put_text(&w, "\xef\xbb\xbf");
    put_header(&w);
    for (size_t i = 0; i < nrecords; i++)
        put_record(&w);
    for (uint64_t n = one_in(&w, 4) ? below(&w, 4) : 0; n > 0; n--)
        put_line_end(&w, true);
    if (nrecords > 0 && one_in(&w, 4))
        while (w.nbytes > 0 && (w.text[w.nbytes - 1] == '\n' || w.text[w.nbytes - 1] == '\r'))
            w.nbytes--;
    *out = (struct stoa_test_csv_text){
        .text = w.text, .nbytes = w.nbytes, .options = w.options, .has_schema = one_in(&w, 2)};
    if (out->has_schema)
        make_schema(&w, &out->schema);
}

void stoa_test_csv_text_reset(struct stoa_test_csv_text *text)
{
    free(text->text);
    stoa_schema_reset(&text->schema);
    *text = (struct stoa_test_csv_text){0};
}
