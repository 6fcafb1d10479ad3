/* A scalar automaton of five states, and generators of text. */
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

static void add_field(struct stoa_test_csv_record *record)
{
    record->fields = grown(record->fields, record->nfields, sizeof(record->fields[0]));
    record->fields[record->nfields++] = (struct stoa_test_csv_field){0};
}

static void add_byte(struct stoa_test_csv_record *record, char c)
{
    struct stoa_test_csv_field *field = &record->fields[record->nfields - 1];

    field->text = grown(field->text, field->nbytes, 1);
    field->text[field->nbytes++] = c;
}

static void add_fault(struct stoa_test_csv_record *record, enum stoa_test_csv_fault fault)
{
    if (record->fault == STOA_TEST_CSV_FINE)
        record->fault = fault;
}

enum state { RECORD_START, FIELD_START, PLAIN, QUOTED, QUOTE_IN_QUOTED };

void stoa_test_csv_parse(const char *text, size_t nbytes, char delimiter, struct stoa_test_csv *out)
{
    enum state state = RECORD_START;
    struct stoa_test_csv_record *record = NULL;
    uint64_t line = 1;

    *out = (struct stoa_test_csv){0};
    for (size_t i = 0; i < nbytes; i++) {
        char c = text[i];

        if (state == RECORD_START) {
            record = add_record(out, i, line);
            add_field(record);
            state = FIELD_START;
        }
        if (state == QUOTED) {
            if (c == '"')
                state = QUOTE_IN_QUOTED;
            else
                add_byte(record, c);
            line += c == '\n';
        } else if (state == QUOTE_IN_QUOTED && c == '"') {
            add_byte(record, c);
            state = QUOTED;
        } else if (state == FIELD_START && c == '"') {
            record->fields[record->nfields - 1].quoted = true;
            state = QUOTED;
        } else if (c == delimiter) {
            add_field(record);
            state = FIELD_START;
        } else if (c == '\n' || c == '\r') {
            if (c == '\r' && i + 1 < nbytes && text[i + 1] == '\n')
                i++;
            line++;
            record->end = i + 1;
            state = RECORD_START;
        } else {
            if (state == QUOTE_IN_QUOTED)
                add_fault(record, STOA_TEST_CSV_AFTER_QUOTE);
            add_byte(record, c);
            state = PLAIN;
        }
    }
    if (state == QUOTED)
        add_fault(record, STOA_TEST_CSV_OPEN_QUOTE);
    if (state != RECORD_START)
        record->end = nbytes;
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
