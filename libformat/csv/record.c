/*
 * The automaton of spec/csv.md, section 1, byte by byte: the reference for every dialect, and the
 * one place that says what a byte means.
 *
 *     text    a , " x , y " " z " LF
 *     state  R P F Q Q Q Q C Q Q C R        R at a record, F at a field, P plain, Q quoted, C
 * closed
 *
 * What is common is done faster by csv/index_loops.h, which must say the same.
 */
#include "csv/record.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/csv_table.h"

/* clang-format off */
const uint8_t stoa_csv_next_state[STOA_CSV_NSTATES][STOA_CSV_NCLASSES] = {
#define ROW(other, delimiter, quote, escape, hash, space, line)                                    \
    {STOA_CSV_##other,  STOA_CSV_##delimiter, STOA_CSV_##quote, STOA_CSV_##escape,                 \
     STOA_CSV_##hash,   STOA_CSV_##space,     STOA_CSV_##line,  STOA_CSV_##line}
    /*                           OTHER       DELIMITER   QUOTE       ESCAPE          HASH        SPACE       LF, CR */
    [STOA_CSV_AT_RECORD]      = ROW(PLAIN,      AT_FIELD,   QUOTED,     PLAIN_ESCAPED,  IN_COMMENT, AT_FIELD,   AT_RECORD),
    [STOA_CSV_AT_FIELD]       = ROW(PLAIN,      AT_FIELD,   QUOTED,     PLAIN_ESCAPED,  PLAIN,      AT_FIELD,   AT_RECORD),
    [STOA_CSV_PLAIN]          = ROW(PLAIN,      AT_FIELD,   PLAIN,      PLAIN_ESCAPED,  PLAIN,      PLAIN,      AT_RECORD),
    [STOA_CSV_QUOTED]         = ROW(QUOTED,     QUOTED,     CLOSED,     QUOTED_ESCAPED, QUOTED,     QUOTED,     QUOTED),
    [STOA_CSV_CLOSED]         = ROW(PLAIN,      AT_FIELD,   QUOTED,     PLAIN_ESCAPED,  PLAIN,      BEHIND,     AT_RECORD),
    [STOA_CSV_BEHIND]         = ROW(PLAIN,      AT_FIELD,   PLAIN,      PLAIN_ESCAPED,  PLAIN,      BEHIND,     AT_RECORD),
    [STOA_CSV_IN_COMMENT]     = ROW(IN_COMMENT, IN_COMMENT, IN_COMMENT, IN_COMMENT,     IN_COMMENT, IN_COMMENT, AT_RECORD),
    [STOA_CSV_PLAIN_ESCAPED]  = ROW(PLAIN,      PLAIN,      PLAIN,      PLAIN,          PLAIN,      PLAIN,      PLAIN),
    [STOA_CSV_QUOTED_ESCAPED] = ROW(QUOTED,     QUOTED,     QUOTED,     QUOTED,         QUOTED,     QUOTED,     QUOTED),
#undef ROW
};
/* clang-format on */

void stoa_csv_dialect_init(struct stoa_csv_dialect *dialect, const struct stoa_csv_options *options)
{
    const enum stoa_csv_trim trim = stoa_csv_trim(options);
    const struct {
        int character;
        enum stoa_csv_class class;
    } special[] = {
        {'\n', STOA_CSV_LF},
        {'\r', STOA_CSV_CR},
        {trim != STOA_CSV_TRIM_NONE ? ' ' : -1, STOA_CSV_SPACE},
        {trim != STOA_CSV_TRIM_NONE ? '\t' : -1, STOA_CSV_SPACE},
        {(uint8_t)stoa_csv_delimiter(options), STOA_CSV_DELIMITER}, /* it may be a tab */
        {stoa_csv_quote(options), STOA_CSV_QUOTE},
        {stoa_csv_escape(options), STOA_CSV_ESCAPE},
        {stoa_csv_comment(options), STOA_CSV_HASH},
    };

    *dialect = (struct stoa_csv_dialect){
        .delimiter = stoa_csv_delimiter(options),
        .quote = stoa_csv_quote(options),
        .escape = stoa_csv_escape(options),
        .comment = stoa_csv_comment(options),
        .trim = trim,
        .trailing_delimiter = options->trailing_delimiter > 0,
        .strict = options->strict,
        .ragged = options->ragged,
    };
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (special[i].character >= 0)
            dialect->classes[special[i].character] = (uint8_t)special[i].class;
    }
}

/* What `strict` has against a step of the automaton. */
static enum stoa_csv_fault strict_fault(const struct stoa_csv_dialect *dialect,
                                        enum stoa_csv_state from, enum stoa_csv_class class,
                                        enum stoa_csv_state to)
{
    const bool behind = from == STOA_CSV_CLOSED || from == STOA_CSV_BEHIND;

    if (behind && (to == STOA_CSV_PLAIN || to == STOA_CSV_PLAIN_ESCAPED))
        return STOA_CSV_TEXT_AFTER_QUOTE;
    if (to == STOA_CSV_BEHIND && dialect->trim != STOA_CSV_TRIM_BOTH)
        return STOA_CSV_TEXT_AFTER_QUOTE;
    if (from == STOA_CSV_PLAIN && class == STOA_CSV_QUOTE)
        return STOA_CSV_STRAY_QUOTE;
    return STOA_CSV_FINE;
}

static void set_fault(struct stoa_csv_raw *raw, enum stoa_csv_fault fault, size_t at)
{
    if (raw->fault != STOA_CSV_FINE || fault == STOA_CSV_FINE)
        return;
    raw->fault = fault;
    raw->fault_at = at;
    raw->fault_field = raw->nfields;
}

void stoa_csv_walk(const struct stoa_csv_dialect *dialect, const char *text, size_t nbytes,
                   size_t begin, uint32_t *ends, size_t nends, struct stoa_csv_raw *out)
{
    enum stoa_csv_state state = STOA_CSV_AT_RECORD;
    struct stoa_csv_raw raw = {0};
    size_t at = begin, field = begin, opened = begin;
    bool comment = false;

    for (; at < nbytes; at++) {
        enum stoa_csv_class class;
        enum stoa_csv_state to;

        if (state == STOA_CSV_QUOTED && dialect->escape < 0) {
            const char *quote = memchr(text + at, dialect->quote, nbytes - at);

            at = quote != NULL ? (size_t)(quote - text) : nbytes;
            if (at == nbytes)
                break;
        }
        class = dialect->classes[(uint8_t)text[at]];
        to = stoa_csv_next_state[state][class];

        if (class == STOA_CSV_CR && at + 1 < nbytes && text[at + 1] == '\n')
            continue;
        if (dialect->strict)
            set_fault(&raw, strict_fault(dialect, state, class, to), at);
        if (to == STOA_CSV_AT_RECORD)
            break;
        if (to == STOA_CSV_AT_FIELD && class == STOA_CSV_DELIMITER) {
            if (raw.nfields < nends)
                ends[raw.nfields] = (uint32_t)at;
            raw.nfields++;
            field = at + 1;
        }
        if (to == STOA_CSV_QUOTED && (state == STOA_CSV_AT_RECORD || state == STOA_CSV_AT_FIELD))
            opened = at;
        comment |= to == STOA_CSV_IN_COMMENT;
        state = to;
    }
    raw.ending = at;
    raw.next = at < nbytes ? at + 1 : at;
    if (at < nbytes && text[at] == '\n' && at > begin && text[at - 1] == '\r')
        raw.ending--;
    if (at == nbytes && (state == STOA_CSV_QUOTED || state == STOA_CSV_QUOTED_ESCAPED)) {
        raw.fault = STOA_CSV_FINE; /* nothing else matters: the record is not there as a whole */
        set_fault(&raw, STOA_CSV_OPEN_QUOTE, opened);
    }
    if (comment) {
        raw.nfields = 0;
    } else {
        if (raw.nfields < nends)
            ends[raw.nfields] = (uint32_t)raw.ending;
        raw.trailing = dialect->trailing_delimiter && raw.nfields > 0 && field == raw.ending;
        raw.nfields += !raw.trailing;
    }
    *out = raw;
}

/* Line ends in a record, its own included. */
static uint64_t lines_of_record(const char *text, const struct stoa_csv_raw *raw, size_t begin)
{
    uint64_t nlines = raw->next > raw->ending && text[raw->next - 1] == '\r';

    for (size_t at = begin; at < raw->next; at++)
        nlines += text[at] == '\n';
    return nlines;
}

uint64_t stoa_csv_count_lines(const struct stoa_csv_dialect *dialect, const char *text,
                              size_t nbytes)
{
    struct stoa_csv_raw raw;
    uint64_t nlines = 0;

    for (size_t at = 0; at < nbytes; at = raw.next) {
        stoa_csv_walk(dialect, text, nbytes, at, NULL, 0, &raw);
        nlines += lines_of_record(text, &raw, at);
    }
    return nlines;
}

static bool is_space(const struct stoa_csv_dialect *dialect, char c)
{
    return dialect->classes[(uint8_t)c] == STOA_CSV_SPACE;
}

/* Whether the byte at `at` stands behind an escape character that is not escaped itself. */
static bool is_escaped(const struct stoa_csv_dialect *dialect, const char *begin, const char *at)
{
    size_t nescapes = 0;

    if (dialect->escape < 0)
        return false;
    while (at - nescapes > begin && at[-1 - (ptrdiff_t)nescapes] == (char)dialect->escape)
        nescapes++;
    return nescapes % 2 == 1;
}

/* The first quote in [at, end) that is neither escaped nor one of a pair, or `end`. */
static const char *closing_quote(const struct stoa_csv_dialect *dialect, const char *at,
                                 const char *end)
{
    for (; at < end; at++) {
        if (dialect->escape < 0) {
            at = memchr(at, dialect->quote, (size_t)(end - at));
            if (at == NULL)
                break;
        }
        if (*at == (char)dialect->quote) {
            if (at + 1 == end || at[1] != *at)
                return at;
            at++;
        } else if (dialect->escape >= 0 && *at == (char)dialect->escape) {
            at++;
        }
    }
    return end;
}

struct stoa_csv_field stoa_csv_field_of(const struct stoa_csv_dialect *dialect, const char *begin,
                                        const char *end)
{
    struct stoa_csv_field field = {.text = begin, .dialect = dialect};

    if (begin >= end)
        return field;
    if (dialect->trim != STOA_CSV_TRIM_NONE) {
        while (begin < end && is_space(dialect, *begin))
            begin++;
    }
    if (dialect->trim == STOA_CSV_TRIM_BOTH) {
        while (begin < end && is_space(dialect, end[-1]) && !is_escaped(dialect, begin, end - 1))
            end--;
    }
    if (begin < end && dialect->quote >= 0 && *begin == (char)dialect->quote) {
        const char *close = closing_quote(dialect, ++begin, end);

        field.quoted = true;
        field.doubled = close + 1 < end || /* there is text behind it */
                        memchr(begin, dialect->quote, (size_t)(close - begin)) != NULL;
        if (close + 1 == end)
            end = close;
    }
    field.doubled |=
        dialect->escape >= 0 && memchr(begin, dialect->escape, (size_t)(end - begin)) != NULL;
    field.text = begin;
    field.nbytes = (size_t)(end - begin);
    return field;
}

size_t stoa_csv_field_unescape(const struct stoa_csv_field *field, char *out)
{
    const struct stoa_csv_dialect *dialect = field->dialect;
    const char *text = field->text, *end = text + field->nbytes;
    bool quoted = field->quoted;
    char *to = out;

    for (; text < end; text++) {
        if (quoted && *text == (char)dialect->quote) {
            if (text + 1 == end || text[1] != *text) {
                quoted = false; /* what follows stands behind the quotes */
                continue;
            }
            text++;
        } else if (dialect->escape >= 0 && *text == (char)dialect->escape && text + 1 < end) {
            text++;
        }
        *to++ = *text;
    }
    return (size_t)(to - out);
}

void stoa_csv_record_free(struct stoa_csv_record *record)
{
    stoa_free(record->fields);
    stoa_free(record->ends);
    *record = (struct stoa_csv_record){0};
}

enum stoa_status stoa_csv_record_split(struct stoa_csv_record *record, const char *text,
                                       const char *end, const struct stoa_csv_dialect *dialect,
                                       struct stoa_error *err)
{
    const size_t nbytes = (size_t)(end - text) < UINT32_MAX ? (size_t)(end - text) : UINT32_MAX;
    const char *begin = text;
    struct stoa_csv_raw raw;
    enum stoa_status st;

    stoa_csv_walk(dialect, text, nbytes, 0, record->ends, record->ends_capacity, &raw);
    if (raw.nfields > record->ends_capacity) {
        STOA_TRY(stoa_reserve(&record->ends, &record->ends_capacity, raw.nfields,
                              sizeof(*record->ends), err));
        stoa_csv_walk(dialect, text, nbytes, 0, record->ends, record->ends_capacity, &raw);
    }
    STOA_TRY(stoa_reserve(&record->fields, &record->capacity, raw.nfields, sizeof(*record->fields),
                          err));
    for (size_t i = 0; i < raw.nfields; i++) {
        record->fields[i] = stoa_csv_field_of(dialect, begin, text + record->ends[i]);
        begin = text + record->ends[i] + 1;
    }
    record->nfields = raw.nfields;
    record->next = text + raw.next;
    record->nlines = lines_of_record(text, &raw, 0);
    record->fault = raw.fault;
    record->fault_at = text + raw.fault_at;
    record->fault_field = raw.fault_field;
out:
    return st;
}
