/*
 * One field to a value of any type (spec/csv.md, section 3), with its form: the reference that the
 * loops of parse_number.c, parse_time.c and parse_text.c agree with.
 *
 *     raw field -> what it says -> value, or a word for null, or a misfit
 *        "007"       007           7      form 3, quoted
 */
#include "csv/parse_value.h"

#include <string.h>

#include "base/duration.h"
#include "base/error.h"
#include "base/int128.h"
#include "base/number.h"
#include "base/number_scan.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "csv/csv_number.h"
#include "csv/csv_table.h"
#include "csv/kind_text.h"

/* ---- Numbers: the marks of the dialect. ---- */

/* A number with a '.' and no groups: as it stands, or rewritten in `room`. */
struct number {
    const char *text;
    size_t nbytes;
    bool grouped;
    char room[STOA_CSV_NUMBER_NBYTES];
};

static bool take_number(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                        struct number *out)
{
    const struct stoa_csv_spellings *spellings = &column->reading->spellings;

    out->text = text;
    out->nbytes = nbytes;
    out->grouped = false;
    if (spellings->decimal == '.' && spellings->thousands < 0)
        return true;
    out->text = out->room;
    out->nbytes =
        stoa_csv_number_rewrite(text, nbytes, spellings->decimal, spellings->thousands, out->room);
    out->grouped = out->nbytes < nbytes; /* separators alone are left out */
    return out->nbytes > 0;
}

/* Neither a '+' nor a '0' in front of another digit, and no minus in front of a zero. */
static bool is_code(const struct number *number)
{
    const bool negative = number->text[0] == '-';

    return number->text[0] == '+' ||
           (number->nbytes > 1u + negative && number->text[negative] == '0' &&
            stoa_digit(number->text[1 + negative]));
}

static bool is_negative_zero(const struct number *number)
{
    return number->text[0] == '-' &&
           stoa_number_significant_digits(number->text, number->nbytes) == 0;
}

static bool read_signed(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                        int64_t *out, unsigned *form)
{
    struct number number;

    if (!take_number(column, text, nbytes, &number) ||
        !stoa_number_parse_int64(number.text, number.nbytes, out) ||
        (column->strict && (is_code(&number) || is_negative_zero(&number))))
        return false;
    *form = stoa_csv_form_of_integer(column, number.text, number.nbytes, number.grouped);
    return true;
}

static bool read_unsigned(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                          uint64_t *out, unsigned *form)
{
    struct number number;

    if (!take_number(column, text, nbytes, &number) ||
        !stoa_number_parse_uint64(number.text, number.nbytes, out) ||
        (column->strict && (is_code(&number) || is_negative_zero(&number))))
        return false;
    *form = stoa_csv_form_of_integer(column, number.text, number.nbytes, number.grouped);
    return true;
}

/* Every integer is read as 64 bits. */
#define READ_INTEGER(name, narrow, wide, take)                                                     \
    static bool name(const struct stoa_csv_column *column, const char *text, size_t nbytes,        \
                     void *out, unsigned *form)                                                    \
    {                                                                                              \
        wide x;                                                                                    \
        narrow small;                                                                              \
                                                                                                   \
        if (!take(column, text, nbytes, &x, form))                                                 \
            return false;                                                                          \
        small = (narrow)x;                                                                         \
        memcpy(out, &small, sizeof(small));                                                        \
        return small == x;                                                                         \
    }

READ_INTEGER(read_int8, int8_t, int64_t, read_signed)
READ_INTEGER(read_int16, int16_t, int64_t, read_signed)
READ_INTEGER(read_int32, int32_t, int64_t, read_signed)
READ_INTEGER(read_int64, int64_t, int64_t, read_signed)
READ_INTEGER(read_uint8, uint8_t, uint64_t, read_unsigned)
READ_INTEGER(read_uint16, uint16_t, uint64_t, read_unsigned)
READ_INTEGER(read_uint32, uint32_t, uint64_t, read_unsigned)
READ_INTEGER(read_uint64, uint64_t, uint64_t, read_unsigned)

#define READ_FLOAT(name, parse)                                                                    \
    static bool name(const struct stoa_csv_column *column, const char *text, size_t nbytes,        \
                     void *out, unsigned *form)                                                    \
    {                                                                                              \
        struct number number;                                                                      \
                                                                                                   \
        if (!take_number(column, text, nbytes, &number) ||                                         \
            !parse(number.text, number.nbytes, out))                                               \
            return false;                                                                          \
        *form = stoa_csv_form_of_float(column, number.text, number.nbytes, number.grouped, out);   \
        return true;                                                                               \
    }

READ_FLOAT(read_float16, stoa_number_parse_float16)
READ_FLOAT(read_float32, stoa_number_parse_float)

static bool is_integer(const struct number *number)
{
    for (size_t i = number->text[0] == '-'; i < number->nbytes; i++) {
        if (!stoa_digit(number->text[i]))
            return false;
    }
    return true;
}

/* An integer below 2^53, or no more than 17 significant digits, and no zero for what is none. */
static bool double_is_exact(const struct number *number, double x)
{
    const double whole_end = 9007199254740992.0; /* 2^53, which 2^53 + 1 is rounded to */
    size_t ndigits;

    if (is_code(number))
        return false;
    if (is_integer(number))
        return x > -whole_end && x < whole_end;
    ndigits = stoa_number_significant_digits(number->text, number->nbytes);
    return ndigits <= STOA_CSV_DOUBLE_NDIGITS && (x != 0 || ndigits == 0);
}

static bool read_float64(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                         void *out, unsigned *form)
{
    struct number number;
    double x;

    if (!take_number(column, text, nbytes, &number) ||
        !stoa_number_parse_double(number.text, number.nbytes, &x) ||
        (column->strict && !double_is_exact(&number, x)))
        return false;
    memcpy(out, &x, sizeof(x));
    *form = stoa_csv_form_of_float(column, number.text, number.nbytes, number.grouped, out);
    return true;
}

static bool read_decimal(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                         void *out, unsigned *form)
{
    const struct stoa_type *type = &column->field->type;
    struct number number;
    bool good;

    if (!take_number(column, text, nbytes, &number))
        return false;
    if (type->precision > STOA_INT128_DIGITS)
        good = stoa_decimal256_parse(number.text, number.nbytes, type->precision, type->scale, out);
    else
        good = stoa_decimal_parse(number.text, number.nbytes, type->precision, type->scale, out);
    if (!good || (column->strict && (is_code(&number) || is_negative_zero(&number))))
        return false;
    *form = stoa_csv_form_of_decimal(column, number.text, number.nbytes, number.grouped);
    return true;
}

/* ---- Times. ---- */

/* How a text says that it is UTC; VERBATIM where it says another offset. */
static unsigned form_of_zone(const char *text, size_t nbytes,
                             const struct stoa_timestamp_text *parts)
{
    enum stoa_time_utc utc = parts->zone_nbytes == 6   ? STOA_UTC_COLON
                             : parts->zone_nbytes == 5 ? STOA_UTC_DIGITS
                             : parts->zone_nbytes == 3 ? STOA_UTC_HOURS
                                                       : STOA_UTC_Z;

    if (parts->offset_seconds != 0 ||
        (parts->zone_nbytes > 1 && text[nbytes - parts->zone_nbytes] == '-'))
        return STOA_CSV_FORM_VERBATIM;
    return (unsigned)utc << STOA_CSV_FORM_ZONE_SHIFT;
}

/* By the pattern of the column; the form is what prints the text again. */
static bool read_pattern(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                         struct stoa_timestamp_text *parts, unsigned *form)
{
    static const size_t utc_nbytes[] = {1, 6, 5, 3};
    char again[STOA_TIME_PATTERN_NBYTES];

    if (!stoa_time_pattern_parse(&column->pattern, text, nbytes, parts) ||
        (column->strict && parts->offset_seconds != 0))
        return false;
    *form = STOA_CSV_FORM_VERBATIM;
    for (unsigned utc = STOA_UTC_Z; utc <= STOA_UTC_HOURS; utc++) {
        size_t n;

        if (parts->offset_seconds != 0 ||
            (column->pattern.has_zone && utc_nbytes[utc] != parts->zone_nbytes))
            continue;
        n = stoa_time_pattern_format(&column->pattern, parts->seconds, parts->nanos,
                                     parts->fraction_ndigits, (enum stoa_time_utc)utc, again);
        if (n == nbytes && memcmp(again, text, n) == 0)
            *form = parts->fraction_ndigits | utc << STOA_CSV_FORM_ZONE_SHIFT;
        break;
    }
    return true;
}

static bool read_date(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                      void *out, unsigned *form)
{
    struct stoa_timestamp_text parts;
    int32_t days;

    if (!column->has_pattern)
        return stoa_date_parse(text, nbytes, out);
    if (!read_pattern(column, text, nbytes, &parts, form))
        return false;
    days = (int32_t)(parts.seconds / 86400); /* a whole number of days */
    memcpy(out, &days, sizeof(days));
    return true;
}

static bool read_time(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                      void *out, unsigned *form)
{
    const enum stoa_time_unit unit = column->field->type.unit;
    struct stoa_timestamp_text parts;
    int64_t x;
    int32_t small;

    if (column->has_pattern) {
        if (!read_pattern(column, text, nbytes, &parts, form) ||
            !stoa_timestamp_from_seconds(parts.seconds, parts.nanos, unit, &x))
            return false;
    } else {
        if (!stoa_time_parse(text, nbytes, unit, &x))
            return false;
        *form = nbytes > 9 ? (unsigned)nbytes - 9 : 0; /* behind HH:MM:SS. */
    }
    small = (int32_t)x; /* below microseconds at most 86,399,999 */
    if (unit >= STOA_MICRO)
        memcpy(out, &x, sizeof(x));
    else
        memcpy(out, &small, sizeof(small));
    return true;
}

static bool read_timestamp(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                           void *out, unsigned *form)
{
    const struct stoa_type *type = &column->field->type;
    struct stoa_timestamp_text parts;
    int64_t x;

    if (column->has_pattern) {
        if (!read_pattern(column, text, nbytes, &parts, form))
            return false;
    } else {
        /* In a strict column another offset than Z would be lost. */
        if (!stoa_timestamp_parse_text(text, nbytes, &parts) ||
            (parts.zone_nbytes > 0) != (type->zone != NULL) ||
            (column->strict && parts.zone_nbytes > 1))
            return false;
        *form = form_of_zone(text, nbytes, &parts);
        if (*form != STOA_CSV_FORM_VERBATIM)
            *form |= parts.fraction_ndigits | (parts.separator == 'T' ? STOA_CSV_FORM_T : 0);
    }
    if (!stoa_timestamp_from_seconds(parts.seconds, parts.nanos, type->unit, &x))
        return false;
    memcpy(out, &x, sizeof(x));
    return true;
}

static bool read_duration(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                          void *out, unsigned *form)
{
    const enum stoa_time_unit unit = column->field->type.unit;
    char again[STOA_DURATION_NBYTES];
    int64_t x;

    if (!stoa_duration_parse(text, nbytes, unit, &x))
        return false;
    memcpy(out, &x, sizeof(x));
    if (stoa_duration_format(x, unit, again) != nbytes || memcmp(again, text, nbytes) != 0)
        *form = STOA_CSV_FORM_VERBATIM;
    return true;
}

static bool read_interval(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                          void *out, unsigned *form)
{
    char again[STOA_DURATION_NBYTES];
    struct stoa_interval x;

    (void)column;
    if (!stoa_interval_parse(text, nbytes, &x))
        return false;
    memcpy(out, &x, sizeof(x));
    if (stoa_interval_format(&x, again) != nbytes || memcmp(again, text, nbytes) != 0)
        *form = STOA_CSV_FORM_VERBATIM;
    return true;
}

/* ---- The others. ---- */

/* The place of a text in a list, or -1. */
static int find_word(const char *const *words, const char *text, size_t nbytes)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strlen(words[i]) == nbytes && memcmp(words[i], text, nbytes) == 0)
            return i;
    }
    return -1;
}

static bool read_bool(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                      void *out, unsigned *form)
{
    const struct stoa_csv_spellings *spellings = &column->reading->spellings;

    for (int value = 0; value < 2; value++) {
        int i = find_word(value ? spellings->true_values : spellings->false_values, text, nbytes);

        if (i >= 0) {
            *(bool *)out = value;
            *form = i < STOA_CSV_FORM_VERBATIM ? (unsigned)i : STOA_CSV_FORM_VERBATIM;
            return true;
        }
    }
    return false;
}

/* The value of a hexadecimal digit, or 16. */
static unsigned hex_digit(char c)
{
    if (stoa_digit(c))
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

/* 1 for the letters of upper case only, VERBATIM for both. */
static unsigned form_of_uuid(const char *text, size_t nbytes)
{
    bool lower = false, upper = false;

    for (size_t i = 0; i < nbytes; i++) {
        lower |= text[i] >= 'a';
        upper |= text[i] >= 'A' && text[i] <= 'F';
    }
    return lower && upper ? STOA_CSV_FORM_VERBATIM : upper;
}

static bool read_uuid(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                      void *out, unsigned *form)
{
    uint8_t *bytes = out;
    size_t at = 0;

    (void)column;
    if (nbytes != 36)
        return false;
    for (size_t i = 0; i < 16; i++) {
        unsigned high, low;

        if ((at == 8 || at == 13 || at == 18 || at == 23) && text[at++] != '-')
            return false;
        high = hex_digit(text[at]);
        low = hex_digit(text[at + 1]);
        if (high > 15 || low > 15)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *form = form_of_uuid(text, nbytes);
    return true;
}

static bool read_enum(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                      void *out, unsigned *form)
{
    const struct stoa_type *type = &column->field->type;

    (void)form;
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        if (strlen(type->symbols[i]) == nbytes && memcmp(type->symbols[i], text, nbytes) == 0) {
            memcpy(out, &i, sizeof(i));
            return true;
        }
    }
    return false;
}

static bool read_fixed_binary(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                              void *out, unsigned *form)
{
    const size_t width = column->field->type.width;
    size_t nout;

    (void)form;
    /* More bytes than the type has, 2 at the most, have room in the slack of the array. */
    return nbytes == (width + 2) / 3 * 4 && stoa_base64_decode(text, nbytes, out, &nout) &&
           nout == width;
}

/* clang-format off */
static const struct stoa_csv_parser parsers[] = {
    {STOA_NULL,         NULL,                    NULL},
    {STOA_BOOL,         stoa_csv_loop_bool,      read_bool},
    {STOA_INT8,         stoa_csv_loop_int8,      read_int8},
    {STOA_INT16,        stoa_csv_loop_int16,     read_int16},
    {STOA_INT32,        stoa_csv_loop_int32,     read_int32},
    {STOA_INT64,        stoa_csv_loop_int64,     read_int64},
    {STOA_UINT8,        stoa_csv_loop_uint8,     read_uint8},
    {STOA_UINT16,       stoa_csv_loop_uint16,    read_uint16},
    {STOA_UINT32,       stoa_csv_loop_uint32,    read_uint32},
    {STOA_UINT64,       stoa_csv_loop_uint64,    read_uint64},
    {STOA_FLOAT16,      NULL,                    read_float16},
    {STOA_FLOAT32,      NULL,                    read_float32},
    {STOA_FLOAT64,      stoa_csv_loop_float64,   read_float64},
    {STOA_DECIMAL,      stoa_csv_loop_decimal,   read_decimal},
    {STOA_DATE32,       stoa_csv_loop_date,      read_date},
    {STOA_TIME,         stoa_csv_loop_time,      read_time},
    {STOA_TIMESTAMP,    stoa_csv_loop_timestamp, read_timestamp},
    {STOA_DURATION,     NULL,                    read_duration},
    {STOA_INTERVAL,     NULL,                    read_interval},
    {STOA_UUID,         NULL,                    read_uuid},
    {STOA_ENUM,         NULL,                    read_enum},
    {STOA_UTF8,         stoa_csv_loop_utf8,      NULL},
    {STOA_BINARY,       NULL,                    NULL},
    {STOA_FIXED_BINARY, NULL,                    read_fixed_binary},
};
/* clang-format on */

const struct stoa_csv_parser *stoa_csv_parser_find(const struct stoa_type *type)
{
    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        if (parsers[i].id == type->id)
            return &parsers[i];
    }
    return NULL;
}

/* ---- Appending. ---- */

/* Text and bytes have room reserved behind those of the array. */
static enum stoa_csv_outcome append_bytes(const struct stoa_csv_column *column, const char *text,
                                          size_t nbytes, struct stoa_builder *builder)
{
    size_t nout;

    if (column->field->type.id == STOA_UTF8) {
        if (stoa_utf8_valid_prefix((const uint8_t *)text, nbytes) != nbytes)
            return STOA_CSV_NOT_UTF8;
        stoa_builder_append_bytes(builder, text, nbytes);
        return STOA_CSV_VALUE;
    }
    if (column->field->type.id != STOA_BINARY ||
        !stoa_base64_decode(text, nbytes, builder->array.values + builder->nbytes, &nout))
        return STOA_CSV_MISFIT;
    stoa_builder_append_written(builder, nout);
    return STOA_CSV_VALUE;
}

static enum stoa_csv_outcome append_value(const struct stoa_csv_column *column, const char *text,
                                          size_t nbytes, struct stoa_builder *builder,
                                          unsigned *form)
{
    const struct stoa_csv_parser *parser = column->parser;
    bool value;

    if (parser->read == NULL)
        return append_bytes(column, text, nbytes, builder);
    if (builder->layout == STOA_LAYOUT_BITS) {
        if (nbytes == 0 || !parser->read(column, text, nbytes, &value, form))
            return STOA_CSV_MISFIT;
        stoa_builder_append_bool(builder, value);
        return STOA_CSV_VALUE;
    }
    if (!parser->read(column, text, nbytes, stoa_builder_slot(builder), form))
        return STOA_CSV_MISFIT;
    stoa_builder_append_slot(builder);
    return STOA_CSV_VALUE;
}

/* Whether text is null before its column has looked at it, and as what. */
static bool is_null_anyway(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                           bool quoted, unsigned *form)
{
    *form = 0;
    if (quoted || nbytes == 0)
        return !quoted;
    /* A list that was asked for counts in text too. */
    if (column->field->type.id != STOA_UTF8 || column->reading->options->null_values == NULL)
        return false;
    *form = (unsigned)stoa_csv_null_word(&column->reading->spellings, text, nbytes);
    *form += *form > 0;
    return *form > 0;
}

/* Types of which a word for null could be a value. */
static bool takes_any_text(const struct stoa_csv_column *column)
{
    return column->field->type.id == STOA_UTF8 || column->field->type.id == STOA_BINARY;
}

static bool is_null_word(const struct stoa_csv_column *column, const char *text, size_t nbytes,
                         unsigned *form)
{
    const int word =
        nbytes == 0 ? 0 : stoa_csv_null_word(&column->reading->spellings, text, nbytes);
    const unsigned number = STOA_CSV_FORM_NULL_WORDS - 1 + (unsigned)word;

    *form = number < STOA_CSV_FORM_VERBATIM ? number : STOA_CSV_FORM_VERBATIM;
    return nbytes == 0 || word > 0;
}

/* \N, which stands for null where the backslash is an escape character, is no escaped N. */
static bool is_escaped_null(const struct stoa_csv_column *column,
                            const struct stoa_csv_field *field, unsigned *form)
{
    return !field->quoted && is_null_word(column, field->text, field->nbytes, form) &&
           (!takes_any_text(column) || (column->reading->dialect.escape == '\\' &&
                                        field->nbytes == 2 && memcmp(field->text, "\\N", 2) == 0));
}

/* `text` is what the field says. */
static enum stoa_csv_outcome append(const struct stoa_csv_column *column,
                                    const struct stoa_csv_field *field, const char *text,
                                    size_t nbytes, struct stoa_builder *builder, unsigned *form)
{
    enum stoa_csv_outcome outcome;

    if (is_null_anyway(column, text, nbytes, field->quoted, form) ||
        (field->doubled && is_escaped_null(column, field, form)))
        return STOA_CSV_NULL;
    *form = 0;
    if (field->doubled && !takes_any_text(column) && column->field->type.id != STOA_ENUM)
        return STOA_CSV_MISFIT; /* "1"2 is no 12 */
    outcome = append_value(column, text, nbytes, builder, form);
    if (outcome == STOA_CSV_MISFIT && !takes_any_text(column) &&
        is_null_word(column, text, nbytes, form))
        return STOA_CSV_NULL;
    return outcome;
}

static enum stoa_status note_verbatim(struct stoa_csv_forms *forms, size_t row, const char *raw,
                                      size_t nbytes, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&forms->verbatims, &forms->capacity, forms->nverbatims + 1,
                          sizeof(*forms->verbatims), err));
    forms->verbatims[forms->nverbatims] = (struct stoa_csv_verbatim){
        .row = (uint32_t)row, .begin = forms->bytes.nbytes, .nbytes = nbytes};
    STOA_TRY(stoa_buffer_append(&forms->bytes, raw, nbytes, err));
    forms->nverbatims++;
out:
    return st;
}

/* Sets the form of the value at `row`, which is not in the builder yet. */
static enum stoa_status note_form(struct stoa_csv_values *values, size_t row, unsigned code,
                                  const char *raw, size_t nbytes, struct stoa_error *err)
{
    struct stoa_csv_forms *forms = &values->forms;
    const size_t capacity = values->builder.nvalues_capacity;
    enum stoa_status st = STOA_OK;

    if (code != 0 && forms->codes == NULL) {
        STOA_TRY(stoa_alloc_zeroed(&forms->codes, capacity, sizeof(*forms->codes), err));
        values->ncodes_capacity = capacity;
    }
    if ((code & STOA_CSV_FORM_VERBATIM) == STOA_CSV_FORM_VERBATIM)
        STOA_TRY(note_verbatim(forms, row, raw, nbytes, err));
    if (code != 0)
        forms->codes[row] = (uint16_t)code;
out:
    return st;
}

enum stoa_status stoa_csv_value_append(const struct stoa_csv_column *column, const char *begin,
                                       const char *end, struct stoa_csv_values *values,
                                       enum stoa_csv_outcome *outcome, struct stoa_error *err)
{
    const struct stoa_csv_field field = stoa_csv_field_of(&column->reading->dialect, begin, end);
    struct stoa_builder *builder = &values->builder;
    const size_t row = builder->array.nvalues;
    const size_t raw_nbytes = begin < end ? (size_t)(end - begin) : 0;
    const char *text = field.text;
    size_t nbytes = field.nbytes;
    unsigned form;
    bool restorable;
    enum stoa_status st;

    STOA_TRY(stoa_csv_values_reserve(values, 1, nbytes, err));
    if (field.doubled) {
        STOA_TRY(stoa_buffer_resize(&values->scratch, nbytes, err));
        text = (const char *)values->scratch.data;
        nbytes = stoa_csv_field_unescape(&field, (char *)values->scratch.data);
    }
    *outcome = append(column, &field, text, nbytes, builder, &form);
    if (*outcome != STOA_CSV_VALUE)
        stoa_builder_append_null(builder);
    if (!column->wants_forms)
        goto out;
    if (*outcome == STOA_CSV_NULL && !field.quoted)
        restorable = field.nbytes == raw_nbytes;
    else
        restorable = stoa_csv_field_is_restorable(&field, begin, end, text, nbytes);
    if (!restorable || *outcome == STOA_CSV_MISFIT)
        form = STOA_CSV_FORM_VERBATIM;
    if (field.quoted)
        form |= STOA_CSV_FORM_QUOTED;
    STOA_TRY(note_form(values, row, form, begin, raw_nbytes, err));
out:
    return st;
}
