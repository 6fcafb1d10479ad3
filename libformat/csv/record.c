/*
 * Splitting one record into its fields (spec/csv.md, "Fields").
 *
 * A quote is special only as the first byte of a field. So between quotes all there is to look for
 * is the delimiter and the line end, eight bytes at a time, and inside quotes the next quote.
 */
#include "csv/record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* The high bit of each byte of `word` that is zero; bits above the first one may be false. */
static inline uint64_t zero_bytes(uint64_t word)
{
    return (word - ONES) & ~word & HIGHS;
}

const char *stoa_csv_find3(const char *text, const char *end, char a, char b, char c)
{
    const uint64_t as = ONES * (uint8_t)a, bs = ONES * (uint8_t)b, cs = ONES * (uint8_t)c;

    while (text < end) {
        uint64_t word = stoa_load64(text);
        uint64_t hits = zero_bytes(word ^ as) | zero_bytes(word ^ bs) | zero_bytes(word ^ cs);

        if (hits != 0) { /* the lowest hit is a true one: borrows go upwards only */
            text += __builtin_ctzll(hits) / 8;
            return text < end ? text : end;
        }
        text += 8;
    }
    return end;
}

void stoa_csv_record_free(struct stoa_csv_record *record)
{
    stoa_free(record->fields);
    *record = (struct stoa_csv_record){0};
}

/* Line feeds in [text, end). */
static uint64_t count_lines(const char *text, const char *end)
{
    uint64_t nlines = 0;

    while ((text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
        nlines++;
        if (++text == end)
            break;
    }
    return nlines;
}

/* The field whose opening quote is at `text`; returns the byte behind its closing quote, or NULL.
 */
static const char *quoted_field(struct stoa_csv_record *record, struct stoa_csv_field *field,
                                const char *text, const char *end)
{
    const char *at = text + 1;

    *field = (struct stoa_csv_field){.text = at, .quoted = true};
    for (;;) {
        const char *quote = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL;

        if (quote == NULL) {
            record->fault = STOA_CSV_OPEN_QUOTE;
            record->fault_at = text;
            return NULL;
        }
        if (quote + 1 < end && quote[1] == '"') {
            field->doubled = true;
            at = quote + 2;
            continue;
        }
        field->nbytes = (size_t)(quote - field->text);
        if (field->nbytes > 0)
            record->nlines += count_lines(field->text, quote);
        return quote + 1;
    }
}

enum stoa_status stoa_csv_record_split(struct stoa_csv_record *record, const char *text,
                                       const char *end, char delimiter, struct stoa_error *err)
{
    record->nfields = 0;
    record->nlines = 0;
    record->fault = STOA_CSV_FINE;
    for (;;) {
        struct stoa_csv_field *field;

        if (record->nfields == record->capacity) {
            enum stoa_status st = stoa_reserve(&record->fields, &record->capacity,
                                               record->nfields + 1, sizeof(*field), err);
            if (st != STOA_OK)
                return st;
        }
        field = &record->fields[record->nfields++];
        if (text < end && *text == '"') {
            text = quoted_field(record, field, text, end);
            if (text == NULL)
                return STOA_OK;
        } else {
            const char *stop = stoa_csv_find3(text, end, delimiter, '\n', '\r');

            *field = (struct stoa_csv_field){.text = text, .nbytes = (size_t)(stop - text)};
            text = stop;
        }
        if (text == end) {
            record->next = end;
            return STOA_OK;
        }
        if (*text == delimiter) {
            text++;
            continue;
        }
        if (*text != '\n' && *text != '\r') {
            record->fault = STOA_CSV_TEXT_AFTER_QUOTE;
            record->fault_at = text;
            return STOA_OK;
        }
        record->nlines++;
        record->next = text + 1;
        if (*text == '\r' && record->next < end && *record->next == '\n')
            record->next++;
        return STOA_OK;
    }
}

size_t stoa_csv_field_unescape(const struct stoa_csv_field *field, char *out)
{
    const char *text = field->text, *end = text + field->nbytes;
    char *at = out;

    while (text < end) {
        const char *quote = memchr(text, '"', (size_t)(end - text));
        size_t nbytes = (size_t)((quote != NULL ? quote + 1 : end) - text);

        memcpy(at, text, nbytes);
        at += nbytes;
        text += nbytes;
        if (quote != NULL)
            text++; /* the second of the pair */
    }
    return (size_t)(at - out);
}
