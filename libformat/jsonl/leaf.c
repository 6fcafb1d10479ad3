/*
 * Values without others in them (spec/jsonl.md, sections 3 and 4): a function for each type, which
 * reads from the text into the builder of its column.
 *
 * A quick way takes what is written as it usually is, and leaves all else to the exact one:
 * literals of column/cast.h for types that a schema may give, base/ for the others.
 */
#include <string.h>

#include "base/duration.h"
#include "base/error.h"
#include "base/int128.h" /* stoa_pow10 */
#include "base/number.h"
#include "base/number_scan.h"
#include "base/text.h"
#include "column/cast.h"
#include "column/json_value.h"
#include "column/type.h"
#include "jsonl/parse.h"

static struct stoa_builder *builder_of(struct stoa_jsonl_parser *parser, uint32_t node)
{
    return &parser->columns[node].builder;
}

static const char *cast_fails(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    return stoa_jsonl_misfit(parser, STOA_JSONL_CAST, node, at);
}

static const char *range_fails(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    return stoa_jsonl_misfit(parser, STOA_JSONL_OUT_OF_RANGE, node, at);
}

static const char *syntax_fails(struct stoa_jsonl_parser *parser)
{
    parser->wrong = STOA_JSONL_SYNTAX;
    parser->node = 0;
    parser->end = NULL;
    return NULL;
}

/* ---- Texts. ---- */

/*
 * The string at `at`, its escapes taken out: *text and *nbytes are valid until the next one. Behind
 * it; NULL after a failure.
 */
static const char *take_text(struct stoa_jsonl_parser *parser, uint32_t node, const char *at,
                             const char **text, size_t *nbytes)
{
    struct stoa_json_string string;
    const char *end;

    if (*at != '"')
        return cast_fails(parser, node, at);
    end = stoa_json_scan_string(at, &string, &parser->fault);
    if (end == NULL)
        return syntax_fails(parser);
    *text = string.text;
    *nbytes = string.nbytes;
    if (!string.escaped)
        return end;
    if (stoa_buffer_resize(&parser->scratch, string.nbytes, &parser->err) != STOA_OK) {
        parser->wrong = STOA_JSONL_NO_MEMORY;
        return NULL;
    }
    *nbytes = stoa_json_unescape(&string, (char *)parser->scratch.data);
    *text = (const char *)parser->scratch.data;
    return end;
}

/* Whether a short text can be put behind the others before it is known how long it is. */
static inline bool has_room(const struct stoa_builder *builder)
{
    return builder->nvalues_capacity > builder->array.nvalues &&
           builder->nbytes_capacity - builder->nbytes >= STOA_JSON_PIECE_NBYTES;
}

static const char *read_utf8(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    struct stoa_builder *builder = builder_of(parser, node);
    struct stoa_json_string string;
    const char *end;

    if (*at != '"')
        return cast_fails(parser, node, at);
    if (has_room(builder)) {
        const unsigned n = stoa_json_copy_plain(at + 1, builder->array.values + builder->nbytes);

        if (n < STOA_JSON_PIECE_NBYTES && at[1 + n] == '"') {
            stoa_builder_append_written(builder, n);
            return at + n + 2;
        }
    }
    end = stoa_json_scan_string(at, &string, &parser->fault);
    if (end == NULL)
        return syntax_fails(parser);
    if (!stoa_jsonl_reserve(parser, node, string.nbytes))
        return NULL;
    if (string.escaped)
        stoa_builder_append_written(
            builder, stoa_json_unescape(&string, (char *)builder->array.values + builder->nbytes));
    else
        stoa_builder_append_bytes(builder, string.text, string.nbytes);
    return end;
}

/* Any value, as it stands. */
static const char *read_json(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    const char *end = stoa_json_skip_value(at, &parser->fault);

    if (end == NULL)
        return syntax_fails(parser);
    if (!stoa_jsonl_reserve(parser, node, (size_t)(end - at)))
        return NULL;
    stoa_builder_append_bytes(builder_of(parser, node), at, (size_t)(end - at));
    return end;
}

static const char *read_binary(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    struct stoa_builder *builder = builder_of(parser, node);
    const char *text, *end;
    size_t nbytes, n;

    end = take_text(parser, node, at, &text, &nbytes);
    if (end == NULL || !stoa_jsonl_reserve(parser, node, nbytes))
        return NULL;
    if (!stoa_base64_decode(text, nbytes, builder->array.values + builder->nbytes, &n))
        return cast_fails(parser, node, at);
    stoa_builder_append_written(builder, n);
    return end;
}

static const char *read_fixed_binary(struct stoa_jsonl_parser *parser, uint32_t node,
                                     const char *at)
{
    const size_t width = builder_of(parser, node)->width;
    const char *text, *end;
    size_t nbytes, n;

    end = take_text(parser, node, at, &text, &nbytes);
    if (end == NULL || !stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    /* What is decoded has the width, or up to two bytes more, for which there is slack. */
    if (nbytes != stoa_base64_nbytes(width) ||
        !stoa_base64_decode(text, nbytes, stoa_builder_slot(builder_of(parser, node)), &n) ||
        n != width)
        return cast_fails(parser, node, at);
    stoa_builder_append_slot(builder_of(parser, node));
    return end;
}

/* ---- Words. ---- */

static const char *read_bool(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    const bool value = *at == 't';
    const size_t nbytes = value ? 4 : 5;

    if (strncmp(at, value ? "true" : "false", nbytes) != 0)
        return cast_fails(parser, node, at);
    if (!stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    stoa_builder_append_bool(builder_of(parser, node), value);
    return at + nbytes;
}

/* ---- Values by way of literals. ---- */

/* A scalar as a value of the type. */
static void append_scalar(struct stoa_builder *builder, const struct stoa_scalar *scalar)
{
    uint64_t bits;

    switch (scalar->kind) {
    case STOA_KIND_INT128:
        stoa_builder_append_fixed(builder, &scalar->i128);
        return;
    case STOA_KIND_INT256:
        stoa_builder_append_fixed(builder, &scalar->i256);
        return;
    case STOA_KIND_BYTES:
        stoa_builder_append_fixed(builder, scalar->bytes);
        return;
    default:
        bits = scalar->kind == STOA_KIND_INT64 ? (uint64_t)scalar->i64 : scalar->u64;
    }
    if (builder->width == 1)
        stoa_builder_append_8(builder, (uint8_t)bits);
    else if (builder->width == 2)
        stoa_builder_append_16(builder, (uint16_t)bits);
    else if (builder->width == 4)
        stoa_builder_append_32(builder, (uint32_t)bits);
    else
        stoa_builder_append_64(builder, bits);
}

/* The literal that stands at `at`; its value is exactly that, or none. */
static bool append_literal(struct stoa_jsonl_parser *parser, uint32_t node,
                           const struct stoa_literal *literal, const char *at)
{
    uint8_t storage[STOA_CAST_STORAGE_NBYTES];
    struct stoa_scalar value;
    enum stoa_cast cast;

    if (stoa_cast_literal(parser->shape->nodes[node].field, literal, &cast, &value, storage,
                          NULL) != STOA_OK) {
        cast_fails(parser, node, at);
        return false;
    }
    if (cast != STOA_CAST_EXACT) {
        range_fails(parser, node, at);
        return false;
    }
    if (!stoa_jsonl_reserve(parser, node, 0))
        return false;
    append_scalar(builder_of(parser, node), &value);
    return true;
}

static const char *read_literal_text(struct stoa_jsonl_parser *parser, uint32_t node,
                                     const char *at)
{
    struct stoa_literal literal = {.kind = STOA_LITERAL_TEXT};
    const char *end = take_text(parser, node, at, &literal.text, &literal.nbytes);

    return end != NULL && append_literal(parser, node, &literal, at) ? end : NULL;
}

/* ---- Integers and decimals. ---- */

static bool is_number(const char *at)
{
    return *at == '-' || stoa_digit(*at);
}

static bool is_negative_zero(const char *text, size_t nbytes)
{
    return nbytes > 0 && *text == '-' && stoa_number_significant_digits(text, nbytes) == 0;
}

/*
 * The number at `at`; behind it. Inferred types take a number whose text they give back: integers
 * no point and no exponent, decimals no exponent, and neither a negative zero.
 */
static const char *read_exact_number(struct stoa_jsonl_parser *parser, uint32_t node,
                                     const char *at)
{
    const struct stoa_jsonl_node *of = &parser->shape->nodes[node];
    const bool is_decimal = of->field->type.id == STOA_DECIMAL;
    struct stoa_literal literal = {.kind = STOA_LITERAL_NUMBER, .text = at};
    const char *end;
    bool is_integer;

    if (!is_number(at))
        return cast_fails(parser, node, at);
    end = stoa_json_scan_number(at, &is_integer, &parser->fault);
    if (end == NULL)
        return syntax_fails(parser);
    literal.nbytes = (size_t)(end - at);
    if (of->strict &&
        (is_negative_zero(at, literal.nbytes) || (!is_decimal && !is_integer) ||
         memchr(at, 'e', literal.nbytes) != NULL || memchr(at, 'E', literal.nbytes) != NULL))
        return cast_fails(parser, node, at);
    return append_literal(parser, node, &literal, at) ? end : NULL;
}

/*
 * The digits at `at`, up to 16 and then up to the first eight that are not all digits: behind them.
 * Those of more than 19 have lost their first ones.
 */
static inline const char *take_digits(const char *at, uint64_t *value, size_t *ndigits)
{
    const char *begin = at;
    uint64_t x = 0;
    unsigned n;

    do {
        const uint64_t bytes = stoa_load64(at);

        n = stoa_leading_digits(bytes);
        if (n > 0)
            x = x * stoa_pow10[n] + stoa_leading_digits_value(bytes, n);
        at += n;
    } while (n == 8 && at - begin < 24);
    *value = x;
    *ndigits = (size_t)(at - begin);
    return at;
}

/* Up to 18 digits without a zero in front, and nothing behind them that goes on. */
static const char *read_int64(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    const bool negative = *at == '-';
    const char *first = at + negative, *end;
    uint64_t x;
    size_t ndigits;

    end = take_digits(first, &x, &ndigits);
    if (ndigits - 1 >= 18 || (*first == '0' && (negative || ndigits > 1)) || *end == '.' ||
        *end == 'e' || *end == 'E')
        return read_exact_number(parser, node, at);
    if (!stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    stoa_builder_append_64(builder_of(parser, node), negative ? 0 - x : x);
    return end;
}

/* ---- Floats. ---- */

/* What a float64 of an inferred column may be: as spec/csv.md, section 4, has it. */
static bool is_exact(const char *text, size_t nbytes, bool is_integer, double x)
{
    const double whole_end = 9007199254740992.0; /* 2^53 */
    size_t ndigits;

    if (is_integer)
        return x > -whole_end && x < whole_end;
    ndigits = stoa_number_significant_digits(text, nbytes);
    return ndigits <= 17 && (x != 0 || ndigits == 0);
}

/* Appends the float that a text says. */
static bool append_float(struct stoa_jsonl_parser *parser, uint32_t node, const char *text,
                         size_t nbytes, bool is_integer)
{
    const struct stoa_jsonl_node *of = &parser->shape->nodes[node];
    struct stoa_builder *builder = builder_of(parser, node);
    union {
        double f64;
        float f32;
        uint16_t f16;
    } x = {0};

    switch (of->field->type.id) {
    case STOA_FLOAT64:
        if (!stoa_number_parse_double(text, nbytes, &x.f64) ||
            (of->strict && !is_exact(text, nbytes, is_integer, x.f64)))
            return false;
        break;
    case STOA_FLOAT32:
        if (!stoa_number_parse_float(text, nbytes, &x.f32))
            return false;
        break;
    default:
        if (!stoa_number_parse_float16(text, nbytes, &x.f16))
            return false;
    }
    stoa_builder_append_fixed(builder, &x);
    return true;
}

/* A number, or one of the words that JSON has no number for. */
static const char *read_any_float(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    const char *text = at, *end;
    size_t nbytes;
    bool is_integer;

    if (*at == '"' && !parser->shape->nodes[node].strict) {
        end = take_text(parser, node, at, &text, &nbytes);
        if (end == NULL || !stoa_jsonl_reserve(parser, node, 0))
            return NULL;
        return append_float(parser, node, text, nbytes, false) ? end : cast_fails(parser, node, at);
    }
    if (!is_number(at))
        return cast_fails(parser, node, at);
    end = stoa_json_scan_number(at, &is_integer, &parser->fault);
    if (end == NULL)
        return syntax_fails(parser);
    if (!stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    nbytes = (size_t)(end - at);
    return append_float(parser, node, text, nbytes, is_integer) ? end
                                                                : range_fails(parser, node, at);
}

/*
 * Up to eight digits with a point between them and nothing behind them that goes on: those in front
 * of the point and those behind it are put together in one word.
 *
 *     "73.996198,"     73 | 996198      first, and behind the point
 *                      73996198         / 10^6
 *
 * Behind the number; NULL for all others.
 */
static inline const char *take_short_decimal(const char *first, uint64_t *digits,
                                             unsigned *nfraction)
{
    const uint64_t whole = stoa_load64(first);
    const unsigned n = stoa_leading_digits(whole);
    uint64_t fraction;

    if (n - 1 >= 7 || first[n] != '.' || (*first == '0' && n > 1))
        return NULL;
    fraction = stoa_load64(first + n + 1);
    *nfraction = stoa_leading_digits(fraction);
    if (*nfraction - 1 >= 8 - n)
        return NULL;
    *digits = stoa_leading_digits_value(
        (whole & (~UINT64_C(0) >> (64 - 8 * n))) | fraction << (8 * n), n + *nfraction);
    first += n + 1 + *nfraction;
    return (*first | 0x20) == 'e' ? NULL : first;
}

/* Likewise up to 15 digits, with or without a point. */
static const char *take_decimal(const char *first, uint64_t *digits, unsigned *nfraction)
{
    size_t nwhole, nbehind = 0;
    uint64_t fraction;
    const char *end = take_digits(first, digits, &nwhole);

    if (nwhole == 0 || (*first == '0' && nwhole > 1))
        return NULL;
    if (*end == '.') {
        end = take_digits(end + 1, &fraction, &nbehind);
        if (nbehind == 0 || nbehind > 15)
            return NULL;
        *digits = *digits * stoa_pow10[nbehind] + fraction;
    }
    *nfraction = (unsigned)nbehind;
    return nwhole + nbehind > 15 || (*end | 0x20) == 'e' ? NULL : end;
}

/* The quotient of two doubles that are exact is the nearest one. */
static const char *read_float64(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const bool negative = *at == '-';
    const char *end;
    unsigned nfraction;
    uint64_t digits, bits;
    double x;

    end = take_short_decimal(at + negative, &digits, &nfraction);
    if (end == NULL)
        end = take_decimal(at + negative, &digits, &nfraction);
    if (end == NULL || __FLT_EVAL_METHOD__ != 0)
        return read_any_float(parser, node, at);
    if (!stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    x = (double)(int64_t)digits / powers[nfraction];
    memcpy(&bits, &x, sizeof(bits));
    stoa_builder_append_64(builder_of(parser, node), bits | (uint64_t)negative << 63);
    return end;
}

/* ---- Dates and times. ---- */

/* Units of a time of the day or a timestamp into the column. */
static bool append_units(struct stoa_jsonl_parser *parser, uint32_t node, int64_t x)
{
    struct stoa_builder *builder = builder_of(parser, node);

    if (!stoa_jsonl_reserve(parser, node, 0))
        return false;
    if (builder->width == 4)
        stoa_builder_append_32(builder, (uint32_t)x);
    else
        stoa_builder_append_64(builder, (uint64_t)x);
    return true;
}

/* Whether a fraction of so many digits is written as this library does. */
static bool is_usual_fraction(const struct stoa_jsonl_node *of, unsigned ndigits, uint32_t nanos)
{
    const unsigned all = 3 * (unsigned)of->field->type.unit;

    return ndigits == (of->all_digits ? all : stoa_json_fraction_ndigits(nanos));
}

/* What a text says by the pattern of the column. */
static bool parse_pattern(const struct stoa_jsonl_node *of, const char *text, size_t nbytes,
                          int64_t *out)
{
    const struct stoa_type *type = &of->field->type;
    struct stoa_timestamp_text parts;

    if (!stoa_time_pattern_parse(of->pattern, text, nbytes, &parts))
        return false;
    if (type->id == STOA_DATE32) {
        *out = parts.seconds / 86400 - (parts.seconds % 86400 < 0);
        return true;
    }
    return stoa_timestamp_from_seconds(parts.seconds, parts.nanos, type->unit, out);
}

static bool parse_timestamp(const struct stoa_jsonl_node *of, const char *text, size_t nbytes,
                            int64_t *out)
{
    const struct stoa_type *type = &of->field->type;
    struct stoa_timestamp_text parts;

    if (!of->strict)
        return stoa_timestamp_parse(text, nbytes, type->unit, type->zone != NULL, out);
    return stoa_timestamp_parse_text(text, nbytes, &parts) &&
           parts.zone_nbytes == (type->zone != NULL ? 1 : 0) && parts.separator == of->separator &&
           stoa_digit(*text) && is_usual_fraction(of, parts.fraction_ndigits, parts.nanos) &&
           stoa_timestamp_from_seconds(parts.seconds, parts.nanos, type->unit, out);
}

static bool parse_time(const struct stoa_jsonl_node *of, const char *text, size_t nbytes,
                       int64_t *out)
{
    static const int64_t nanos_per_unit[] = {1000000000, 1000000, 1000, 1};
    const enum stoa_time_unit unit = of->field->type.unit;

    if (!stoa_time_parse(text, nbytes, unit, out))
        return false;
    return !of->strict || is_usual_fraction(of, nbytes > 9 ? (unsigned)nbytes - 9 : 0,
                                            (uint32_t)(*out % stoa_time_unit_per_second(unit) *
                                                       nanos_per_unit[unit]));
}

static bool parse_date(const struct stoa_jsonl_node *of, const char *text, size_t nbytes,
                       int64_t *out)
{
    int32_t days;

    if (!stoa_date_parse(text, nbytes, &days) || (of->strict && !stoa_digit(*text)))
        return false;
    *out = days;
    return true;
}

/* A timestamp that only the unit has no room for. */
static bool is_out_of_range(const struct stoa_type *type, const char *text, size_t nbytes)
{
    struct stoa_timestamp_text parts;

    return type->id == STOA_TIMESTAMP && stoa_timestamp_parse_text(text, nbytes, &parts) &&
           (parts.zone_nbytes > 0) == (type->zone != NULL);
}

static const char *read_time(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    const struct stoa_jsonl_node *of = &parser->shape->nodes[node];
    const struct stoa_type *type = &of->field->type;
    const char *text, *end;
    size_t nbytes;
    int64_t x;
    bool good;

    end = take_text(parser, node, at, &text, &nbytes);
    if (end == NULL)
        return NULL;
    if (of->pattern != NULL && !of->strict)
        good = parse_pattern(of, text, nbytes, &x);
    else if (type->id == STOA_TIMESTAMP)
        good = parse_timestamp(of, text, nbytes, &x);
    else if (type->id == STOA_TIME)
        good = parse_time(of, text, nbytes, &x);
    else
        good = parse_date(of, text, nbytes, &x);
    if (!good)
        return !of->strict && is_out_of_range(type, text, nbytes) ? range_fails(parser, node, at)
                                                                  : cast_fails(parser, node, at);
    return append_units(parser, node, x) ? end : NULL;
}

/*
 * "YYYY-MM-DDTHH:MM:SS" without a fraction, with a Z where the column has a zone, as most are; NULL
 * for all others.
 */
static const char *read_plain_timestamp(struct stoa_jsonl_parser *parser, uint32_t node,
                                        const char *at, int64_t *x)
{
    const struct stoa_jsonl_node *of = &parser->shape->nodes[node];
    const struct stoa_type *type = &of->field->type;
    int32_t days, seconds;

    if ((of->pattern != NULL && !of->strict) || (of->all_digits && type->unit != STOA_SECOND) ||
        *at != '"' || !stoa_date_scan(&parser->columns[node].month, at + 1, &days) ||
        at[11] != of->separator || !stoa_clock_scan(at + 12, &seconds))
        return NULL;
    at += 20;
    if (type->zone != NULL && *at++ != 'Z')
        return NULL;
    if (*at != '"' ||
        !stoa_timestamp_from_seconds((int64_t)days * STOA_DAY_SECONDS + seconds, 0, type->unit, x))
        return NULL;
    return at + 1;
}

static const char *read_timestamp(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    int64_t x;
    const char *end = read_plain_timestamp(parser, node, at, &x);

    if (end == NULL)
        return read_time(parser, node, at);
    return append_units(parser, node, x) ? end : NULL;
}

static const char *read_interval(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    struct stoa_interval x;
    const char *text, *end;
    size_t nbytes;

    end = take_text(parser, node, at, &text, &nbytes);
    if (end == NULL)
        return NULL;
    if (!stoa_interval_parse(text, nbytes, &x))
        return cast_fails(parser, node, at);
    if (!stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    stoa_builder_append_fixed(builder_of(parser, node), &x);
    return end;
}

/* ---- The table. ---- */

/* Of a column that is always null. */
static const char *read_nothing(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    return cast_fails(parser, node, at);
}

stoa_jsonl_read_function *stoa_jsonl_reader_of(const struct stoa_jsonl_node *node)
{
    static stoa_jsonl_read_function *const readers[] = {
        [STOA_NULL] = read_nothing,
        [STOA_BOOL] = read_bool,
        [STOA_INT8] = read_exact_number,
        [STOA_INT16] = read_exact_number,
        [STOA_INT32] = read_exact_number,
        [STOA_INT64] = read_int64,
        [STOA_UINT8] = read_exact_number,
        [STOA_UINT16] = read_exact_number,
        [STOA_UINT32] = read_exact_number,
        [STOA_UINT64] = read_exact_number,
        [STOA_FLOAT16] = read_any_float,
        [STOA_FLOAT32] = read_any_float,
        [STOA_FLOAT64] = read_float64,
        [STOA_DECIMAL] = read_exact_number,
        [STOA_DATE32] = read_time,
        [STOA_TIME] = read_time,
        [STOA_TIMESTAMP] = read_timestamp,
        [STOA_DURATION] = read_literal_text,
        [STOA_INTERVAL] = read_interval,
        [STOA_UTF8] = read_utf8,
        [STOA_BINARY] = read_binary,
        [STOA_FIXED_BINARY] = read_fixed_binary,
        [STOA_UUID] = read_literal_text,
        [STOA_ENUM] = read_literal_text,
        [STOA_LIST] = stoa_jsonl_read_list,
        [STOA_FIXED_LIST] = stoa_jsonl_read_fixed_list,
        [STOA_STRUCT] = stoa_jsonl_read_object,
        [STOA_MAP] = stoa_jsonl_read_map,
    };

    return node->json ? read_json : readers[node->field->type.id];
}
