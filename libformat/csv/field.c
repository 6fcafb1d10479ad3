/*
 * One function a type that reads the text of a field (spec/csv.md, "Values").
 */
#include "csv/field.h"

#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"

/* Reads a value into `out`, 16 bytes, as the array holds it. False: not of the type. */
typedef bool read_function(const struct stoa_type *type, const char *text, size_t nbytes,
                           void *out);

enum number { NO_NUMBER, INTEGER, FRACTION };

struct stoa_csv_parser {
    enum stoa_type_id id;
    enum number number;
    read_function *read; /* NULL: has a function of its own that appends it */
};

static bool read_bool(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true},   {"false", false}, {"True", true},
                 {"False", false}, {"TRUE", true},   {"FALSE", false}};

    (void)type;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].text) == nbytes && memcmp(words[i].text, text, nbytes) == 0) {
            *(bool *)out = words[i].value;
            return true;
        }
    }
    return false;
}

static bool read_int64(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    (void)type;
    return stoa_number_parse_int64(text, nbytes, out);
}

static bool read_uint64(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    (void)type;
    return stoa_number_parse_uint64(text, nbytes, out);
}

#define READ_NARROW(name, narrow, wide, parse)                                                     \
    static bool name(const struct stoa_type *type, const char *text, size_t nbytes, void *out)     \
    {                                                                                              \
        wide x;                                                                                    \
        narrow small;                                                                              \
                                                                                                   \
        (void)type;                                                                                \
        if (!parse(text, nbytes, &x))                                                              \
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

static bool read_float(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    (void)type;
    return stoa_number_parse_float(text, nbytes, out);
}

static bool read_double(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    (void)type;
    return stoa_number_parse_double(text, nbytes, out);
}

static bool read_decimal(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    return stoa_decimal_parse(text, nbytes, type->precision, type->scale, out);
}

static bool read_date(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    (void)type;
    return stoa_date_parse(text, nbytes, out);
}

static bool read_time(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    int64_t x;
    int32_t small;

    if (!stoa_time_parse(text, nbytes, type->unit, &x))
        return false;
    if (type->unit >= STOA_MICRO) {
        memcpy(out, &x, sizeof(x));
    } else {
        small = (int32_t)x; /* at most 86,399,999 */
        memcpy(out, &small, sizeof(small));
    }
    return true;
}

static bool read_timestamp(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    return stoa_timestamp_parse(text, nbytes, type->unit, type->zone != NULL, out);
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

static bool read_uuid(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    uint8_t *bytes = out;
    size_t at = 0;

    (void)type;
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
    return true;
}

static bool read_enum(const struct stoa_type *type, const char *text, size_t nbytes, void *out)
{
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        if (strlen(type->symbols[i]) == nbytes && memcmp(type->symbols[i], text, nbytes) == 0) {
            memcpy(out, &i, sizeof(i));
            return true;
        }
    }
    return false;
}

static const struct stoa_csv_parser parsers[] = {
    {STOA_BOOL, NO_NUMBER, read_bool},
    {STOA_INT8, INTEGER, read_int8},
    {STOA_INT16, INTEGER, read_int16},
    {STOA_INT32, INTEGER, read_int32},
    {STOA_INT64, INTEGER, read_int64},
    {STOA_UINT8, INTEGER, read_uint8},
    {STOA_UINT16, INTEGER, read_uint16},
    {STOA_UINT32, INTEGER, read_uint32},
    {STOA_UINT64, INTEGER, read_uint64},
    {STOA_FLOAT32, FRACTION, read_float},
    {STOA_FLOAT64, FRACTION, read_double},
    {STOA_DECIMAL, FRACTION, read_decimal},
    {STOA_DATE32, NO_NUMBER, read_date},
    {STOA_TIME, NO_NUMBER, read_time},
    {STOA_TIMESTAMP, NO_NUMBER, read_timestamp},
    {STOA_UUID, NO_NUMBER, read_uuid},
    {STOA_ENUM, NO_NUMBER, read_enum},
    {STOA_UTF8, NO_NUMBER, NULL},
    {STOA_BINARY, NO_NUMBER, NULL},
    {STOA_FIXED_BINARY, NO_NUMBER, NULL},
};

const struct stoa_csv_parser *stoa_csv_parser_find(const struct stoa_type *type)
{
    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        if (parsers[i].id == type->id)
            return &parsers[i];
    }
    return NULL;
}

bool stoa_csv_text_is_null(const char *text, size_t nbytes)
{
    static const char *const words[] = {"NA", "N/A", "NULL", "null", "None", "\\N", "#N/A"};

    if (nbytes == 0)
        return true;
    if (nbytes > 4)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i]) == nbytes && memcmp(words[i], text, nbytes) == 0)
            return true;
    }
    return false;
}

bool stoa_csv_number_is_plain(const char *text, size_t nbytes)
{
    if (nbytes > 0 && text[0] == '+')
        return false;
    if (nbytes > 0 && text[0] == '-') {
        text++;
        nbytes--;
    }
    return nbytes < 2 || text[0] != '0' || text[1] < '0' || text[1] > '9';
}

/* Whether a number that was read says all that its text said. */
static bool is_exact(const struct stoa_csv_parser *parser, const struct stoa_csv_field *field)
{
    if (parser->number == NO_NUMBER)
        return true;
    if (!stoa_csv_number_is_plain(field->text, field->nbytes))
        return false;
    if (parser->number == INTEGER) /* -0 has a sign that an integer loses */
        return field->nbytes != 2 || memcmp(field->text, "-0", 2) != 0;
    return parser->id == STOA_DECIMAL || field->nbytes <= STOA_CSV_DOUBLE_NDIGITS ||
           stoa_number_significant_digits(field->text, field->nbytes) <= STOA_CSV_DOUBLE_NDIGITS;
}

static enum stoa_csv_outcome append_fixed_binary(const struct stoa_type *type,
                                                 const struct stoa_csv_field *field,
                                                 struct stoa_builder *builder)
{
    uint8_t bytes[UINT16_MAX + 3];
    size_t nbytes;

    if (field->nbytes == 0)
        return STOA_CSV_NULL;
    if (field->nbytes / 4 * 3 > sizeof(bytes) ||
        !stoa_base64_decode(field->text, field->nbytes, bytes, &nbytes) || nbytes != type->width)
        return STOA_CSV_MISFIT;
    stoa_builder_append_fixed(builder, bytes);
    return STOA_CSV_VALUE;
}

static enum stoa_csv_outcome append_binary(const struct stoa_csv_field *field,
                                           struct stoa_builder *builder)
{
    size_t nbytes;

    if (field->nbytes == 0 && !field->quoted)
        return STOA_CSV_NULL;
    if (!stoa_base64_decode(field->text, field->nbytes, builder->array.values + builder->nbytes,
                            &nbytes))
        return STOA_CSV_MISFIT;
    stoa_builder_append_written(builder, nbytes);
    return STOA_CSV_VALUE;
}

static enum stoa_csv_outcome append_text(const struct stoa_csv_field *field,
                                         struct stoa_builder *builder)
{
    const uint8_t *text = (const uint8_t *)field->text;

    if (field->nbytes == 0 && !field->quoted)
        return STOA_CSV_NULL;
    if (stoa_utf8_valid_prefix(text, field->nbytes) != field->nbytes)
        return STOA_CSV_NOT_UTF8;
    if (field->doubled) {
        char *out = (char *)builder->array.values + builder->nbytes;

        stoa_builder_append_written(builder, stoa_csv_field_unescape(field, out));
    } else {
        stoa_builder_append_bytes(builder, text, field->nbytes);
    }
    return STOA_CSV_VALUE;
}

enum stoa_csv_outcome stoa_csv_field_append(const struct stoa_csv_parser *parser,
                                            const struct stoa_type *type,
                                            const struct stoa_csv_field *field, bool strict,
                                            struct stoa_builder *builder)
{
    union {
        uint8_t bytes[16];
        int64_t align;
    } value;

    if (parser->id == STOA_UTF8)
        return append_text(field, builder);
    if (parser->id == STOA_BINARY)
        return append_binary(field, builder);
    if (parser->id == STOA_FIXED_BINARY)
        return append_fixed_binary(type, field, builder);
    if (field->nbytes == 0)
        return STOA_CSV_NULL;
    if (!parser->read(type, field->text, field->nbytes, value.bytes))
        return stoa_csv_text_is_null(field->text, field->nbytes) ? STOA_CSV_NULL : STOA_CSV_MISFIT;
    if (strict && !is_exact(parser, field))
        return STOA_CSV_MISFIT;
    if (parser->id == STOA_BOOL)
        stoa_builder_append_bool(builder, value.bytes[0] != 0);
    else
        stoa_builder_append_fixed(builder, value.bytes);
    return STOA_CSV_VALUE;
}
