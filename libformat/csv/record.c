/*
 * Splitting one record into its fields (spec/csv.md, section 1).
 *
 * A quote is special only as the first byte of a field. So outside of quotes all there is to look
 * for is the delimiter and the line end, inside them the next quote. Eight bytes are compared at a
 * time, and a word is compared once however many fields end in it:
 *
 *     text   a b , c d , , 7 | 1 5 , x y z LF .
 *     marks  0 0 1 0 0 1 1 0   0 0 1 0 0 0 1  0      the high bit of each byte
 */
#include "csv/record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"

#define ONES  UINT64_C(0x0101010101010101)
#define LOWS  UINT64_C(0x7f7f7f7f7f7f7f7f)
#define HIGHS UINT64_C(0x8080808080808080)

/* The places where a field may end, found word by word. */
struct marks {
    const char *word; /* the bytes that `bits` tells of */
    const char *end;
    uint64_t bits;
    uint64_t delimiters; /* eight of them */
};

/* The high bit of each byte but those that are zero. */
static inline uint64_t other_bytes(uint64_t word)
{
    return ((word & LOWS) + LOWS) | word;
}

static inline void marks_load(struct marks *marks, const char *text)
{
    uint64_t word = stoa_load64(text);

    marks->word = text;
    marks->bits = ~(other_bytes(word ^ marks->delimiters) & other_bytes(word ^ ONES * '\n') &
                    other_bytes(word ^ ONES * '\r')) &
                  HIGHS;
}

/* The next place, or the end of the text. */
static inline const char *marks_next(struct marks *marks)
{
    const char *at;

    while (marks->bits == 0) {
        if (marks->end - marks->word <= 8)
            return marks->end;
        marks_load(marks, marks->word + 8);
    }
    at = marks->word + __builtin_ctzll(marks->bits) / 8;
    marks->bits &= marks->bits - 1;
    return at < marks->end ? at : marks->end;
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

static enum stoa_status grow(struct stoa_csv_record *record, struct stoa_error *err)
{
    return stoa_reserve(&record->fields, &record->capacity, record->nfields + 1,
                        sizeof(*record->fields), err);
}

enum stoa_status stoa_csv_record_split(struct stoa_csv_record *record, const char *text,
                                       const char *end, char delimiter, struct stoa_error *err)
{
    struct marks marks = {.end = end, .delimiters = ONES * (uint8_t)delimiter};
    enum stoa_status st = STOA_OK;

    record->nfields = 0;
    record->nlines = 0;
    record->fault = STOA_CSV_FINE;
    marks_load(&marks, text);
    for (;; text++) {
        struct stoa_csv_field *field;

        if (record->nfields == record->capacity)
            STOA_TRY(grow(record, err));
        field = &record->fields[record->nfields++];
        if (text < end && *text == '"') {
            text = quoted_field(record, field, text, end);
            if (text == NULL)
                goto out;
            marks_load(&marks, text);
            if (marks_next(&marks) != text) {
                record->fault = STOA_CSV_TEXT_AFTER_QUOTE;
                record->fault_at = text;
                goto out;
            }
        } else {
            const char *stop = marks_next(&marks);

            *field = (struct stoa_csv_field){.text = text, .nbytes = (size_t)(stop - text)};
            text = stop;
        }
        if (text == end || *text != delimiter)
            break;
    }
    record->nlines += text < end;
    record->next = text < end ? text + 1 : end;
    if (text < end && *text == '\r' && record->next < end && *record->next == '\n')
        record->next++;
out:
    return st;
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
