/*
 * From text to values: what a text can be, and one reader a type (spec/csv.md, "Values").
 */
#include "csv/field.h"

#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"

/* ---- What a text can be. ---- */

bool stoa_csv_text_is_null(const char *text, size_t nbytes)
{
    static const char *const words[] = {"", "NA", "N/A", "NULL", "null", "None", "\\N", "#N/A"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i]) == nbytes && memcmp(words[i], text, nbytes) == 0)
            return true;
    }
    return false;
}

bool stoa_csv_bool_parse(const char *text, size_t nbytes, bool *out)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true},   {"false", false}, {"True", true},
                 {"False", false}, {"TRUE", true},   {"FALSE", false}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].text) == nbytes && memcmp(words[i].text, text, nbytes) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool stoa_csv_number_is_plain(const char *text, size_t nbytes)
{
    if (nbytes > 0 && text[0] == '+')
        return false;
    if (nbytes > 0 && text[0] == '-') {
        text++;
        nbytes--;
    }
    return nbytes < 2 || text[0] != '0' || !is_digit(text[1]);
}

bool stoa_csv_text_is_integer(const char *text, size_t nbytes)
{
    size_t first = nbytes > 0 && text[0] == '-', i = first;

    while (i < nbytes && is_digit(text[i]))
        i++;
    return i == nbytes && i > first;
}

bool stoa_csv_text_is_negative_zero(const char *text, size_t nbytes)
{
    return nbytes > 1 && text[0] == '-' && stoa_number_significant_digits(text, nbytes) == 0;
}

bool stoa_csv_double_is_exact(const char *text, size_t nbytes, double x)
{
    const double whole_end = 9007199254740992.0; /* 2^53, which 2^53 + 1 is rounded to */
    size_t ndigits;

    if (nbytes <= STOA_CSV_DOUBLE_NDIGITS && x != 0 && x > -whole_end && x < whole_end)
        return true; /* nearly always */
    if (stoa_csv_text_is_integer(text, nbytes))
        return x > -whole_end && x < whole_end;
    ndigits = stoa_number_significant_digits(text, nbytes);
    return ndigits <= STOA_CSV_DOUBLE_NDIGITS && (x != 0 || ndigits == 0);
}

/* ---- One reader a type. ---- */

/*
 * Reads a value into `out`, a place for one value of the array. False: not of the type; what `out`
 * holds then does not matter.
 */
typedef bool read_function(const struct stoa_type *type, const struct stoa_csv_field *field,
                           void *out);

/* Appends a value where there is no place to read it into. */
typedef enum stoa_csv_outcome append_function(const struct stoa_type *type,
                                              const struct stoa_csv_field *field,
                                              struct stoa_builder *builder);

/* Whether the value says all that its text said. */
typedef bool exact_function(const struct stoa_type *type, const struct stoa_csv_field *field,
                            const void *value);

struct stoa_csv_parser {
    enum stoa_type_id id;
    read_function *read;
    append_function *append; /* where `read` is NULL */
    exact_function *exact;   /* NULL: it always does */
};

/* A reader made of a parser that needs no parameters of the type. */
#define READ_WITH(name, parse)                                                                     \
    static bool name(const struct stoa_type *type, const struct stoa_csv_field *field, void *out)  \
    {                                                                                              \
        (void)type;                                                                                \
        return parse(field->text, field->nbytes, out);                                             \
    }

READ_WITH(read_int64, stoa_number_parse_int64)
READ_WITH(read_uint64, stoa_number_parse_uint64)
READ_WITH(read_float16, stoa_number_parse_float16)
READ_WITH(read_float, stoa_number_parse_float)
READ_WITH(read_double, stoa_number_parse_double)
READ_WITH(read_date, stoa_date_parse)
READ_WITH(read_interval, stoa_interval_parse)

/* Narrower integers are parsed as 64 bits. */
#define READ_NARROW(name, narrow, wide, parse)                                                     \
    static bool name(const struct stoa_type *type, const struct stoa_csv_field *field, void *out)  \
    {                                                                                              \
        wide x;                                                                                    \
        narrow small;                                                                              \
                                                                                                   \
        (void)type;                                                                                \
        if (!parse(field->text, field->nbytes, &x))                                                \
            return false;                                                                          \
        small = (narrow)x;                                                                         \
        memcpy(out, &small, sizeof(small));                                                        \
        return small == x;                                                                         \
    }

READ_NARROW(read_int8, int8_t, int64_t, stoa_number_parse_int64)
READ_NARROW(read_int16, int16_t, int64_t, stoa_number_parse_int64)
READ_NARROW(read_int32, int32_t, int64_t, stoa_number_parse_int64)
READ_NARROW(read_uint8, uint8_t, uint64_t, stoa_number_parse_uint64)
READ_NARROW(read_uint16, uint16_t, uint64_t, stoa_number_parse_uint64)
READ_NARROW(read_uint32, uint32_t, uint64_t, stoa_number_parse_uint64)

static bool read_decimal(const struct stoa_type *type, const struct stoa_csv_field *field,
                         void *out)
{
    if (type->precision > STOA_INT128_DIGITS)
        return stoa_decimal256_parse(field->text, field->nbytes, type->precision, type->scale, out);
    return stoa_decimal_parse(field->text, field->nbytes, type->precision, type->scale, out);
}

static bool read_time(const struct stoa_type *type, const struct stoa_csv_field *field, void *out)
{
    int64_t x;
    int32_t small;

    if (!stoa_time_parse(field->text, field->nbytes, type->unit, &x))
        return false;
    if (type->unit >= STOA_MICRO) {
        memcpy(out, &x, sizeof(x));
    } else {
        small = (int32_t)x; /* at most 86,399,999 */
        memcpy(out, &small, sizeof(small));
    }
    return true;
}

static bool read_timestamp(const struct stoa_type *type, const struct stoa_csv_field *field,
                           void *out)
{
    return stoa_timestamp_parse(field->text, field->nbytes, type->unit, type->zone != NULL, out);
}

static bool read_duration(const struct stoa_type *type, const struct stoa_csv_field *field,
                          void *out)
{
    return stoa_duration_parse(field->text, field->nbytes, type->unit, out);
}

/* The value of a hexadecimal digit, or 16. */
static unsigned hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

static bool read_uuid(const struct stoa_type *type, const struct stoa_csv_field *field, void *out)
{
    const char *text = field->text;
    uint8_t *bytes = out;
    size_t at = 0;

    (void)type;
    if (field->nbytes != 36)
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
    return true;
}

/* Whether a field says `symbol`; of its doubled quotes only one counts. */
static bool field_is(const struct stoa_csv_field *field, const char *symbol)
{
    size_t i = 0;

    for (; i < field->nbytes && *symbol == field->text[i] && *symbol != '\0'; symbol++)
        i += field->doubled && *symbol == '"' ? 2 : 1;
    return i == field->nbytes && *symbol == '\0';
}

static bool read_enum(const struct stoa_type *type, const struct stoa_csv_field *field, void *out)
{
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        if (field_is(field, type->symbols[i])) {
            memcpy(out, &i, sizeof(i));
            return true;
        }
    }
    return false;
}

static bool read_fixed_binary(const struct stoa_type *type, const struct stoa_csv_field *field,
                              void *out)
{
    size_t nbytes;

    /* More bytes than the type has, 2 at the most, have room in the slack of the array. */
    return field->nbytes == ((size_t)type->width + 2) / 3 * 4 &&
           stoa_base64_decode(field->text, field->nbytes, out, &nbytes) && nbytes == type->width;
}

static enum stoa_csv_outcome append_nothing(const struct stoa_type *type,
                                            const struct stoa_csv_field *field,
                                            struct stoa_builder *builder)
{
    (void)type;
    (void)builder;
    return stoa_csv_text_is_null(field->text, field->nbytes) ? STOA_CSV_NULL : STOA_CSV_MISFIT;
}

static enum stoa_csv_outcome append_bool(const struct stoa_type *type,
                                         const struct stoa_csv_field *field,
                                         struct stoa_builder *builder)
{
    bool value;

    if (!stoa_csv_bool_parse(field->text, field->nbytes, &value))
        return append_nothing(type, field, builder);
    stoa_builder_append_bool(builder, value);
    return STOA_CSV_VALUE;
}

static enum stoa_csv_outcome append_text(const struct stoa_type *type,
                                         const struct stoa_csv_field *field,
                                         struct stoa_builder *builder)
{
    (void)type;
    if (stoa_utf8_valid_prefix((const uint8_t *)field->text, field->nbytes) != field->nbytes)
        return STOA_CSV_NOT_UTF8;
    if (field->doubled) {
        char *out = (char *)builder->array.values + builder->nbytes;

        stoa_builder_append_written(builder, stoa_csv_field_unescape(field, out));
    } else {
        stoa_builder_append_bytes(builder, field->text, field->nbytes);
    }
    return STOA_CSV_VALUE;
}

static enum stoa_csv_outcome append_binary(const struct stoa_type *type,
                                           const struct stoa_csv_field *field,
                                           struct stoa_builder *builder)
{
    size_t nbytes;

    (void)type;
    if (!stoa_base64_decode(field->text, field->nbytes, builder->array.values + builder->nbytes,
                            &nbytes))
        return STOA_CSV_MISFIT; /* NULL is base64, so no word can stand for null */
    stoa_builder_append_written(builder, nbytes);
    return STOA_CSV_VALUE;
}

static bool integer_is_exact(const struct stoa_type *type, const struct stoa_csv_field *field,
                             const void *value)
{
    (void)type;
    (void)value;
    return stoa_csv_number_is_plain(field->text, field->nbytes) &&
           (field->nbytes != 2 || memcmp(field->text, "-0", 2) != 0);
}

static bool decimal_is_exact(const struct stoa_type *type, const struct stoa_csv_field *field,
                             const void *value)
{
    (void)type;
    (void)value;
    return stoa_csv_number_is_plain(field->text, field->nbytes) &&
           !stoa_csv_text_is_negative_zero(field->text, field->nbytes);
}

static bool double_is_exact(const struct stoa_type *type, const struct stoa_csv_field *field,
                            const void *value)
{
    double x;

    (void)type;
    memcpy(&x, value, sizeof(x));
    return stoa_csv_number_is_plain(field->text, field->nbytes) &&
           stoa_csv_double_is_exact(field->text, field->nbytes, x);
}

/* Another offset than Z would be lost. */
static bool timestamp_is_exact(const struct stoa_type *type, const struct stoa_csv_field *field,
                               const void *value)
{
    (void)value;
    return type->zone == NULL || field->text[field->nbytes - 1] == 'Z';
}

/* clang-format off */
static const struct stoa_csv_parser parsers[] = {
    {STOA_NULL,         NULL,              append_nothing, NULL},
    {STOA_BOOL,         NULL,              append_bool,    NULL},
    {STOA_INT8,         read_int8,         NULL,           integer_is_exact},
    {STOA_INT16,        read_int16,        NULL,           integer_is_exact},
    {STOA_INT32,        read_int32,        NULL,           integer_is_exact},
    {STOA_INT64,        read_int64,        NULL,           integer_is_exact},
    {STOA_UINT8,        read_uint8,        NULL,           integer_is_exact},
    {STOA_UINT16,       read_uint16,       NULL,           integer_is_exact},
    {STOA_UINT32,       read_uint32,       NULL,           integer_is_exact},
    {STOA_UINT64,       read_uint64,       NULL,           integer_is_exact},
    {STOA_FLOAT16,      read_float16,      NULL,           NULL},
    {STOA_FLOAT32,      read_float,        NULL,           NULL},
    {STOA_FLOAT64,      read_double,       NULL,           double_is_exact},
    {STOA_DECIMAL,      read_decimal,      NULL,           decimal_is_exact},
    {STOA_DATE32,       read_date,         NULL,           NULL},
    {STOA_TIME,         read_time,         NULL,           NULL},
    {STOA_TIMESTAMP,    read_timestamp,    NULL,           timestamp_is_exact},
    {STOA_DURATION,     read_duration,     NULL,           NULL},
    {STOA_INTERVAL,     read_interval,     NULL,           NULL},
    {STOA_UUID,         read_uuid,         NULL,           NULL},
    {STOA_ENUM,         read_enum,         NULL,           NULL},
    {STOA_UTF8,         NULL,              append_text,    NULL},
    {STOA_BINARY,       NULL,              append_binary,  NULL},
    {STOA_FIXED_BINARY, read_fixed_binary, NULL,           NULL},
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

enum stoa_csv_outcome stoa_csv_field_append(const struct stoa_csv_parser *parser,
                                            const struct stoa_type *type,
                                            const struct stoa_csv_field *field, bool strict,
                                            struct stoa_builder *builder)
{
    void *slot;

    if (field->nbytes == 0 && !field->quoted)
        return STOA_CSV_NULL;
    if (parser->append != NULL)
        return parser->append(type, field, builder);
    slot = stoa_builder_slot(builder);
    if (!parser->read(type, field, slot))
        return append_nothing(type, field, builder);
    if (strict && parser->exact != NULL && !parser->exact(type, field, slot))
        return STOA_CSV_MISFIT;
    stoa_builder_append_slot(builder);
    return STOA_CSV_VALUE;
}
