/* Fields and records taken one after the other, and generators of text. */
#include "support/csv_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
    if (memory == NULL) {
        perror("csv_model");
        abort();
    }
    return memory;
}

/* Memory for one element more than `count`: arrays here grow one by one. */
static void *grown(void *memory, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) /* there is room up to the next power of two */
        return memory;
    return must(realloc(memory, (count > 0 ? 2 * count : 1) * size));
}

static struct stoa_test_csv_record *add_record(struct stoa_test_csv *csv, size_t begin,
                                               uint64_t line)
{
    csv->records = grown(csv->records, csv->nrecords, sizeof(csv->records[0]));
    csv->records[csv->nrecords] = (struct stoa_test_csv_record){.begin = begin, .line = line};
    return &csv->records[csv->nrecords++];
}

static struct stoa_test_csv_field *add_field(struct stoa_test_csv_record *record, size_t begin)
{
    record->fields = grown(record->fields, record->nfields, sizeof(record->fields[0]));
    record->fields[record->nfields] = (struct stoa_test_csv_field){.begin = begin};
    return &record->fields[record->nfields++];
}

static void add_byte(struct stoa_test_csv_field *field, char c)
{
    field->text = grown(field->text, field->nbytes, 1);
    field->text[field->nbytes++] = c;
}

/* What is left of a text, and how it is to be read; a character that there is none of is -1. */
struct reader {
    const char *text;
    size_t nbytes;
    size_t at;
    int delimiter, quote, escape, comment;
    bool trims_start, trims_end, strict;
};

static int peek(const struct reader *in)
{
    return in->at < in->nbytes ? (uint8_t)in->text[in->at] : -2;
}

static bool at_blank(const struct reader *in)
{
    return (peek(in) == ' ' || peek(in) == '\t') && peek(in) != in->delimiter;
}

/* At a line end, or at the CR in front of one? Its bytes then. */
static size_t line_end(const struct reader *in)
{
    if (peek(in) == '\n')
        return 1;
    if (peek(in) == '\r')
        return in->at + 1 < in->nbytes && in->text[in->at + 1] == '\n' ? 2 : 1;
    return 0;
}

static void add_fault(struct stoa_test_csv_record *record, enum stoa_test_csv_fault fault)
{
    if (record->fault == STOA_TEST_CSV_FINE)
        record->fault = fault;
}

/* An escape character and what it stands in front of; a line end of two bytes is one thing. */
static void take_escaped(struct reader *in, struct stoa_test_csv_field *field)
{
    size_t n;

    in->at++;
    if (in->at == in->nbytes) { /* nothing: then it stands for itself */
        add_byte(field, (char)in->escape);
        return;
    }
    n = line_end(in) == 2 ? 2 : 1;
    for (; n > 0; n--)
        add_byte(field, in->text[in->at++]);
}

/* The inside of quotes, up to behind the closing one. */
static void take_quoted(struct reader *in, struct stoa_test_csv_record *record,
                        struct stoa_test_csv_field *field)
{
    field->quoted = true;
    in->at++;
    while (in->at < in->nbytes) {
        if (peek(in) == in->quote) {
            in->at++;
            if (peek(in) != in->quote)
                return;
            add_byte(field, in->text[in->at++]);
        } else if (peek(in) == in->escape) {
            take_escaped(in, field);
        } else {
            add_byte(field, in->text[in->at++]);
        }
    }
    record->fault = STOA_TEST_CSV_OPEN_QUOTE;
}

static void take_field(struct reader *in, struct stoa_test_csv_record *record)
{
    struct stoa_test_csv_field *field = add_field(record, in->at);
    bool any = false; /* text that is not in quotes and no blank */
    size_t kept;

    while (in->trims_start && at_blank(in))
        in->at++;
    if (peek(in) == in->quote)
        take_quoted(in, record, field);
    kept = field->nbytes;
    while (in->at < in->nbytes && peek(in) != in->delimiter && line_end(in) == 0) {
        bool blank = at_blank(in) && in->trims_end;

        if (in->strict && field->quoted && !blank && !any)
            add_fault(record, STOA_TEST_CSV_AFTER_QUOTE);
        if (in->strict && peek(in) == in->quote)
            add_fault(record, STOA_TEST_CSV_STRAY_QUOTE);
        any |= !blank;
        if (peek(in) == in->escape)
            take_escaped(in, field);
        else
            add_byte(field, in->text[in->at++]);
        if (!blank)
            kept = field->nbytes;
    }
    field->nbytes = kept;
    field->end = in->at;
}

/* Fills a record with its fields, up to its line end. */
static void take_record(struct reader *in, struct stoa_test_csv_record *record)
{
    if (peek(in) == in->comment) {
        while (in->at < in->nbytes && line_end(in) == 0)
            in->at++;
        return;
    }
    for (;;) {
        take_field(in, record);
        if (peek(in) != in->delimiter)
            return;
        in->at++;
    }
}

void stoa_test_csv_parse(const char *text, size_t nbytes, const struct stoa_csv_options *options,
                         struct stoa_test_csv *out)
{
    const struct stoa_csv_options o = options != NULL ? *options : (struct stoa_csv_options){0};
    struct reader in = {
        .text = text,
        .nbytes = nbytes,
        .delimiter = o.delimiter != 0 ? o.delimiter : ',',
        .quote = o.quote == STOA_CSV_NONE ? -1
                 : o.quote != 0           ? o.quote
                                          : '"',
        .escape = o.escape != 0 ? o.escape : -1,
        .comment = o.comment != 0 && o.comment != STOA_CSV_NONE ? o.comment : -1,
        .trims_start = o.trim == STOA_CSV_TRIM_START || o.trim == STOA_CSV_TRIM_BOTH,
        .trims_end = o.trim == STOA_CSV_TRIM_BOTH,
        .strict = o.strict,
    };
    uint64_t line = 1;

    if (in.escape == in.quote)
        in.escape = -1;
    *out = (struct stoa_test_csv){0};
    while (in.at < nbytes) {
        struct stoa_test_csv_record *record = add_record(out, in.at, line);
        struct stoa_test_csv_field *last;

        take_record(&in, record);
        record->ending = in.at;
        in.at += line_end(&in);
        record->end = in.at;
        for (size_t i = record->begin; i < record->end; i++)
            line += text[i] == '\n';
        line += record->end > record->ending && text[record->end - 1] == '\r';
        last = record->nfields > 1 ? &record->fields[record->nfields - 1] : NULL;
        if (o.trailing_delimiter > 0 && last != NULL && last->begin == last->end) {
            record->trailing = true;
            record->nfields--;
        }
    }
}

void stoa_test_csv_free(struct stoa_test_csv *csv)
{
    for (size_t i = 0; i < csv->nrecords; i++) {
        for (size_t k = 0; k < csv->records[i].nfields; k++)
            free(csv->records[i].fields[k].text);
        free(csv->records[i].fields);
    }
    free(csv->records);
    *csv = (struct stoa_test_csv){0};
}

char *stoa_test_csv_noise(struct stoa_test_random *r, size_t most, size_t *nbytes)
{
    /* The more of a kind, the more often; some texts hardly have quotes, some hardly line ends. */
    static const char *const alphabets[] = {
        "\",\n\rab", "\"\"\"\",,\n\ra", "abcdefghijkl,,\n\n\"", "abcdefghijklmnop,,,,\r\n",
        "\"\"ab,\n", "ab\r\n\r\n,\""};
    const char *alphabet = alphabets[stoa_test_random_below(r, 6)];
    size_t n = (size_t)stoa_test_random_below(r, most + 1);
    char *text = must(malloc(n + 1));

    for (size_t i = 0; i < n; i++)
        text[i] = alphabet[stoa_test_random_below(r, strlen(alphabet))];
    *nbytes = n;
    return text;
}

struct stoa_csv_options stoa_test_csv_dialect(struct stoa_test_random *r)
{
    static const char delimiters[] = ",;\t|: a";
    static const char quotes[] = {0, '"', '\'', STOA_CSV_NONE};
    static const char escapes[] = {0, 0, '\\', '^'};
    static const char comments[] = {0, STOA_CSV_NONE, '#', '%'};
    struct stoa_csv_options dialect = {
        .delimiter = delimiters[stoa_test_random_below(r, 7)],
        .quote = quotes[stoa_test_random_below(r, 4)],
        .escape = escapes[stoa_test_random_below(r, 4)],
        .comment = comments[stoa_test_random_below(r, 4)],
        .trailing_delimiter = (int8_t)stoa_test_random_one_in(r, 4),
        .trim = (enum stoa_csv_trim)stoa_test_random_below(r, STOA_CSV_TRIM_BOTH + 1),
        .strict = stoa_test_random_one_in(r, 3),
        .ragged = (unsigned)stoa_test_random_below(r, 4),
    };

    if (dialect.delimiter == ' ')
        dialect.trim = STOA_CSV_TRIM_NONE;
    return dialect;
}

char *stoa_test_csv_dialect_noise(struct stoa_test_random *r,
                                  const struct stoa_csv_options *dialect, size_t most,
                                  size_t *nbytes)
{
    char *text = stoa_test_csv_noise(r, most, nbytes);
    /* Letters become what the dialect has and noise has not. */
    const char specials[] = {dialect->escape, dialect->comment, ' ', '\t', '\0'};

    for (size_t i = 0; i < *nbytes; i++) {
        if (text[i] == ',')
            text[i] = dialect->delimiter != 0 ? dialect->delimiter : ',';
        else if (text[i] == '"' && dialect->quote > STOA_CSV_NONE)
            text[i] = dialect->quote;
        else if (text[i] == 'b' || (text[i] == 'a' && stoa_test_random_one_in(r, 2)))
            text[i] = specials[stoa_test_random_below(r, sizeof(specials))];
    }
    return text;
}

struct text {
    char *bytes;
    size_t nbytes;
};

static void put(struct text *text, const char *bytes)
{
    for (; *bytes != '\0'; bytes++) {
        text->bytes = grown(text->bytes, text->nbytes, 1);
        text->bytes[text->nbytes++] = *bytes;
    }
}

static void put_field(struct text *text, struct stoa_test_random *r)
{
    static const char *const plain[] = {
        "a", "", "12", "-0.5", "word", "two words", "5\" pipe", "a longer text of some more bytes"};
    static const char *const quoted[] = {"", "a", ",", "\"\"", "\n", "\r\n", "\r", "x,y", "b\"\"c"};

    if (!stoa_test_random_one_in(r, 4)) {
        put(text, plain[stoa_test_random_below(r, 8)]);
        return;
    }
    put(text, "\"");
    for (uint64_t n = stoa_test_random_below(r, 5); n > 0; n--)
        put(text, quoted[stoa_test_random_below(r, 9)]);
    put(text, "\"");
}

char *stoa_test_csv_file(struct stoa_test_random *r, size_t nrecords, size_t ncolumns,
                         size_t *nbytes)
{
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    struct text text = {.bytes = grown(NULL, 0, 1)};
    const char *end = ends[stoa_test_random_below(r, 3)];

    for (size_t i = 0; i < nrecords; i++) {
        for (size_t k = 0; k < ncolumns; k++) {
            if (k > 0)
                put(&text, ",");
            put_field(&text, r);
        }
        if (i + 1 < nrecords || stoa_test_random_one_in(r, 2))
            put(&text, stoa_test_random_one_in(r, 20) ? ends[stoa_test_random_below(r, 3)] : end);
    }
    *nbytes = text.nbytes;
    return text.bytes;
}
