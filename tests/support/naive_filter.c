/*
 * The naive evaluator. Numbers and decimals are compared digit by digit as decimal text, floats
 * after strtod() or a search of all float16, times as nanoseconds in 128 bits after timegm(),
 * patterns by a table of all prefixes against all prefixes.
 */
#include "support/naive_filter.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stats/filter_tree.h"

__extension__ typedef __int128 wide;

enum { UNORDERED = 2 }; /* beside -1, 0, 1 */

static int sign_of(wide x)
{
    return (x > 0) - (x < 0);
}

static int compare_raw(const void *a, size_t a_nbytes, const void *b, size_t b_nbytes)
{
    size_t n = a_nbytes < b_nbytes ? a_nbytes : b_nbytes;
    int order = n > 0 ? memcmp(a, b, n) : 0;

    return order != 0 ? (order < 0 ? -1 : 1) : (a_nbytes > b_nbytes) - (a_nbytes < b_nbytes);
}

/* ---- Decimal text. ---- */

/*
 * A number as digits around a point that stands behind digit POINT. What lies outside is more than
 * any value of a column, which the first digit says, or less than its last digit, which the last
 * one says.
 */
enum { POINT = 450, NDIGITS = 900 };
struct digits {
    bool negative;
    char at[NDIGITS];
};

static void put_digit(struct digits *out, long place, char digit)
{
    if (digit == '0')
        return;
    if (place >= 0 && place < NDIGITS)
        out->at[place] = (char)(digit - '0');
    else
        out->at[place < 0 ? 0 : NDIGITS - 1] = 9;
}

/* A number that no text of a test is long enough to make up for. */
enum { HUGE_EXPONENT = 100000000 };

static long read_exponent(const char *text, size_t nbytes)
{
    bool negative = nbytes > 0 && text[0] == '-';
    long exponent = 0;

    for (size_t i = 0; i < nbytes; i++)
        if (text[i] >= '0' && text[i] <= '9' && exponent < HUGE_EXPONENT)
            exponent = 10 * exponent + (text[i] - '0');
    return negative ? -exponent : exponent;
}

static void read_digits(const char *text, size_t nbytes, struct digits *out)
{
    size_t i = 0, end;
    long place = POINT;

    memset(out, 0, sizeof(*out));
    if (i < nbytes && (text[i] == '-' || text[i] == '+'))
        out->negative = text[i++] == '-';
    for (end = i; end < nbytes && (text[end] | 0x20) != 'e';)
        end++;
    if (end < nbytes)
        place -= read_exponent(text + end + 1, nbytes - end - 1);
    for (size_t k = i; k < end && text[k] != '.'; k++)
        place--;
    for (; i < end; i++)
        if (text[i] != '.')
            put_digit(out, place++, text[i]);
}

static int compare_decimals(const char *a, size_t a_nbytes, const char *b, size_t b_nbytes)
{
    static const char zeros[NDIGITS];
    struct digits x, y;
    int order;

    read_digits(a, a_nbytes, &x);
    read_digits(b, b_nbytes, &y);
    x.negative = x.negative && memcmp(x.at, zeros, NDIGITS) != 0;
    y.negative = y.negative && memcmp(y.at, zeros, NDIGITS) != 0;
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    order = memcmp(x.at, y.at, NDIGITS);
    order = (order > 0) - (order < 0);
    return x.negative ? -order : order;
}

/* ---- Floats. ---- */

/* The value of a float16, from the definition. */
static double half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
    double size = exponent == 0x1f ? (fraction != 0 ? (double)NAN : (double)INFINITY)
                  : exponent == 0  ? ldexp(fraction, -24)
                                   : ldexp(1024 + fraction, exponent - 25);

    return bits & 0x8000 ? -size : size;
}

static int compare_with_double(const char *text, double x)
{
    char exact[80];
    int n = snprintf(exact, sizeof(exact), "%.30f", x); /* all digits that it has */

    return compare_decimals(text, strlen(text), exact, (size_t)n);
}

/* The float16 nearest to decimal text, ties to even, by searching all of them. */
static double nearest_half(const char *text)
{
    bool negative = text[0] == '-';
    uint16_t low = 0, high = 0x7bff; /* the greatest number */
    int order;

    text += negative || text[0] == '+';
    while (low < high) { /* the greatest that is not above the text */
        uint16_t middle = (uint16_t)((low + high + 1) / 2);

        if (compare_with_double(text, half_value(middle)) >= 0)
            low = middle;
        else
            high = (uint16_t)(middle - 1);
    }
    order = low == 0x7bff ? compare_with_double(text, 65520)
                          : compare_with_double(text, (half_value(low) + half_value(low + 1)) / 2);
    if (order > 0 || (order == 0 && low % 2 != 0))
        low++;
    return negative ? -half_value(low) : half_value(low);
}

static int compare_float(enum stoa_type_id type, double x, const struct stoa_filter_value *literal)
{
    bool spelt = strpbrk(literal->bytes, "iInN") != NULL; /* nan, inf */
    double y = type == STOA_FLOAT32             ? (double)strtof(literal->bytes, NULL)
               : type == STOA_FLOAT16 && !spelt ? nearest_half(literal->bytes)
                                                : strtod(literal->bytes, NULL);

    if (isnan(x) || isnan(y))
        return UNORDERED;
    if (isinf(y) && !spelt) /* a number past all floats, but not infinite */
        return isinf(x) && (x > 0) == (y > 0) ? (x > 0 ? 1 : -1) : (y > 0 ? -1 : 1);
    return (x > y) - (x < y);
}

/* ---- Times. ---- */

static wide fraction_nanos(const char **at)
{
    wide nanos = 0;
    int ndigits = 0;

    if (**at != '.')
        return 0;
    for (++*at; **at >= '0' && **at <= '9'; ++*at, ndigits++)
        nanos = nanos * 10 + (**at - '0');
    for (; ndigits < 9; ndigits++)
        nanos *= 10;
    return nanos;
}

static wide clock_nanos(const char **at)
{
    long parts[3];
    wide nanos;

    for (int i = 0; i < 3; i++) {
        parts[i] = strtol(*at, (char **)(void *)at, 10);
        *at += i < 2;
    }
    nanos = ((wide)parts[0] * 3600 + parts[1] * 60 + parts[2]) * 1000000000;
    return nanos + fraction_nanos(at);
}

/* A date, with or without a time and a zone, as nanoseconds since 1970. */
static wide instant_nanos(const char *text)
{
    const char *at = text;
    struct tm tm = {0};
    long year = strtol(at, (char **)(void *)&at, 10), in_cycle = ((year % 400) + 400) % 400;
    wide nanos;

    tm.tm_year = (int)(2000 + in_cycle - 1900); /* the calendar repeats every 400 years */
    tm.tm_mon = (int)strtol(at + 1, (char **)(void *)&at, 10) - 1;
    tm.tm_mday = (int)strtol(at + 1, (char **)(void *)&at, 10);
    nanos =
        ((wide)timegm(&tm) + (wide)(year - 2000 - in_cycle) / 400 * 146097 * 86400) * 1000000000;
    if (*at != ' ' && *at != 'T')
        return nanos;
    at++;
    nanos += clock_nanos(&at);
    if (*at == '+' || *at == '-') {
        int sign = *at == '-' ? -1 : 1;
        long hours = strtol(at + 1, (char **)(void *)&at, 10);
        long minutes = *at == ':' ? strtol(at + 1, NULL, 10) : 0;

        nanos -= sign * ((wide)hours * 60 + minutes) * 60 * 1000000000;
    }
    return nanos;
}

/* "-P1DT2H0.5S": parts with signs and letters. */
static wide duration_nanos(const char *text)
{
    bool negative = text[0] == '-', in_time = false;
    wide nanos = 0;

    text += text[0] == '-' || text[0] == '+';
    for (text++; *text != '\0';) {
        bool minus = *text == '-';
        wide part = 0;

        if (*text == 'T') {
            in_time = true;
            text++;
            continue;
        }
        text += *text == '-' || *text == '+';
        for (; *text >= '0' && *text <= '9'; text++)
            part = 10 * part + (*text - '0');
        part = part * 1000000000 + fraction_nanos(&text);
        part *= *text == 'W'              ? 604800
                : *text == 'D'            ? 86400
                : *text == 'H'            ? 3600
                : *text == 'M' && in_time ? 60
                                          : 1;
        nanos += minus ? -part : part;
        text++;
    }
    return negative ? -nanos : nanos;
}

static wide unit_nanos(enum stoa_time_unit unit)
{
    static const int64_t nanos[] = {1000000000, 1000000, 1000, 1};

    return nanos[unit];
}

static int64_t int_at(const struct stoa_array *array, size_t width, size_t row)
{
    int64_t x64 = 0;
    int32_t x32 = 0;

    memcpy(width == 8 ? (void *)&x64 : (void *)&x32, array->values + row * width, width);
    return width == 8 ? x64 : x32;
}

/* ---- The rest. ---- */

static int compare_uuid(const uint8_t *value, const struct stoa_filter_value *literal)
{
    char digits[33] = "", shown[33] = "";
    size_t n = 0;

    if (literal->kind == STOA_LITERAL_BYTES)
        return compare_raw(value, 16, literal->bytes, literal->nbytes);
    for (size_t i = 0; i < literal->nbytes && n < 32; i++)
        if (literal->bytes[i] != '-')
            digits[n++] =
                (char)(literal->bytes[i] >= 'A' && literal->bytes[i] <= 'F' ? literal->bytes[i] + 32
                                                                            : literal->bytes[i]);
    for (int i = 0; i < 16; i++)
        snprintf(shown + 2 * i, 3, "%02x", value[i]);
    return compare_raw(shown, 32, digits, 32);
}

static int compare_enum(const struct stoa_type *type, uint32_t code,
                        const struct stoa_filter_value *literal)
{
    uint32_t i = 0;

    while (strcmp(type->symbols[i], literal->bytes) != 0) {
        i++;
        assert(i < type->nsymbols);
    }
    return (code > i) - (code < i);
}

/* How the value of a row, which is not null, stands to a literal. */
static int compare(const struct stoa_field *field, const struct stoa_array *array, size_t row,
                   const struct stoa_filter_value *literal)
{
    const struct stoa_type *type = &field->type;
    size_t width = stoa_type_width(type), nbytes;
    const uint8_t *value = array->values + row * width;
    char text[STOA_TEXT_NBYTES];
    uint16_t half;
    float single;
    double number;
    uint32_t code;
    const char *at = literal->bytes;

    switch (type->id) {
    case STOA_BOOL:
        return (int)((array->values[row / 8] >> (row % 8)) & 1) - (literal->bytes[0] == 't');
    case STOA_FLOAT16:
        memcpy(&half, value, 2);
        return compare_float(type->id, half_value(half), literal);
    case STOA_FLOAT32:
        memcpy(&single, value, 4);
        return compare_float(type->id, (double)single, literal);
    case STOA_FLOAT64:
        memcpy(&number, value, 8);
        return compare_float(type->id, number, literal);
    case STOA_DATE32:
        return sign_of((wide)int_at(array, 4, row) * 86400 * 1000000000 - instant_nanos(at));
    case STOA_TIME:
        return sign_of(int_at(array, width, row) * unit_nanos(type->unit) - clock_nanos(&at));
    case STOA_TIMESTAMP:
        return sign_of(int_at(array, 8, row) * unit_nanos(type->unit) - instant_nanos(at));
    case STOA_DURATION:
        return sign_of(int_at(array, 8, row) * unit_nanos(type->unit) - duration_nanos(at));
    case STOA_UTF8:
    case STOA_BINARY:
        return compare_raw(array->values + array->offsets[row],
                           (size_t)(array->offsets[row + 1] - array->offsets[row]), literal->bytes,
                           literal->nbytes);
    case STOA_FIXED_BINARY:
        return compare_raw(value, width, literal->bytes, literal->nbytes);
    case STOA_UUID:
        return compare_uuid(value, literal);
    case STOA_ENUM:
        memcpy(&code, value, 4);
        return compare_enum(type, code, literal);
    default:
        nbytes = stoa_array_format(field, array, row, text);
        return compare_decimals(text, nbytes, literal->bytes, literal->nbytes);
    }
}

static size_t character_nbytes(const char *text)
{
    unsigned char first = (unsigned char)*text;

    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* matches[i]: the pattern so far matches the first i bytes of the text. */
static bool like(const char *text, size_t nbytes, const struct stoa_filter_value *pattern,
                 uint32_t escape)
{
    bool *matches = calloc(2 * (nbytes + 1), 1), *next = matches + nbytes + 1, result;
    char escape_text[4];
    size_t escape_nbytes = escape != 0 ? stoa_filter_put_utf8(escape, escape_text) : 0, n;

    matches[0] = true;
    for (size_t p = 0; p < pattern->nbytes; p += n) {
        const char *c = pattern->bytes + p;
        bool escaped = escape_nbytes > 0 && memcmp(c, escape_text, escape_nbytes) == 0;

        if (escaped) {
            p += escape_nbytes;
            c += escape_nbytes;
        }
        n = character_nbytes(c);
        memset(next, 0, nbytes + 1);
        for (size_t t = 0; t <= nbytes; t++) {
            bool is_inside = t < nbytes && ((unsigned char)text[t] & 0xc0) == 0x80;

            if (!escaped && *c == '%') {
                for (size_t from = 0; from <= t && !is_inside; from++)
                    next[t] = next[t] || matches[from];
            } else if (matches[t] && t < nbytes && !escaped && *c == '_') {
                next[t + character_nbytes(text + t)] = true;
            } else if (matches[t] && nbytes - t >= n && memcmp(text + t, c, n) == 0) {
                next[t + n] = true;
            }
        }
        memcpy(matches, next, nbytes + 1);
    }
    result = matches[nbytes];
    free(matches);
    return result;
}

static bool row_is_like(const struct stoa_field *field, const struct stoa_array *array, size_t row,
                        const struct stoa_filter *term)
{
    uint32_t code;

    if (field->type.id == STOA_UTF8)
        return like((const char *)array->values + array->offsets[row],
                    (size_t)(array->offsets[row + 1] - array->offsets[row]), &term->values[0],
                    term->escape);
    memcpy(&code, array->values + 4 * row, 4);
    return like(field->type.symbols[code], strlen(field->type.symbols[code]), &term->values[0],
                term->escape);
}

static bool is_nan(const struct stoa_field *field, const struct stoa_array *array, size_t row)
{
    uint16_t half;
    float single;
    double number;

    if (field->type.id == STOA_FLOAT16) {
        memcpy(&half, array->values + 2 * row, 2);
        return isnan(half_value(half));
    }
    if (field->type.id == STOA_FLOAT32) {
        memcpy(&single, array->values + 4 * row, 4);
        return isnan(single);
    }
    memcpy(&number, array->values + 8 * row, 8);
    return isnan(number);
}

static enum stoa_test_truth truth(bool is_true)
{
    return is_true ? STOA_TEST_TRUE : STOA_TEST_FALSE;
}

static bool passes(enum stoa_compare op, int order)
{
    switch (op) {
    case STOA_COMPARE_EQUAL:
        return order == 0;
    case STOA_COMPARE_NOT_EQUAL:
        return order != 0;
    case STOA_COMPARE_LESS:
        return order == -1;
    case STOA_COMPARE_LESS_EQUAL:
        return order == -1 || order == 0;
    case STOA_COMPARE_GREATER:
        return order == 1;
    default:
        return order == 1 || order == 0;
    }
}

static bool same_in_any_case(const char *a, const char *b)
{
    size_t n = strlen(a);

    for (size_t i = 0; i <= n; i++) {
        bool letters = (a[i] | 0x20) >= 'a' && (a[i] | 0x20) <= 'z';

        if (a[i] != b[i] && (!letters || (a[i] ^ b[i]) != 0x20))
            return false;
    }
    return true;
}

/* The field that a name means: exactly, else in any case. */
static uint32_t find_name(const struct stoa_field *fields, uint32_t nfields, const char *name)
{
    for (uint32_t i = 0; i < nfields; i++)
        if (strcmp(fields[i].name, name) == 0)
            return i;
    for (uint32_t i = 0; i < nfields; i++)
        if (same_in_any_case(fields[i].name, name))
            return i;
    return UINT32_MAX;
}

/* What a path leads to; is_null: it or a struct on the way is null in this row. */
struct place {
    const struct stoa_field *field;
    const struct stoa_array *array;
    bool is_null;
};

static void step(struct place *place, const struct stoa_field *field,
                 const struct stoa_array *array, size_t row)
{
    place->field = field;
    place->array = array;
    place->is_null =
        place->is_null || field->type.id == STOA_NULL || stoa_array_is_null(array, row);
}

static struct place follow(const struct stoa_filter *term, const struct stoa_batch *batch,
                           size_t row)
{
    const struct stoa_schema *schema = batch->schema;
    struct place place = {0};
    char whole[256], *names = whole;
    uint32_t column = find_name(schema->fields, schema->nfields, term->path.names[0]), part;

    if (column < schema->nfields) {
        step(&place, &schema->fields[column], &batch->columns[column], row);
        for (size_t i = 1; i < term->path.nnames; i++) {
            part = find_name(place.field->children, place.field->nchildren, term->path.names[i]);
            step(&place, &place.field->children[part], &place.array->children[part], row);
        }
        return place;
    }
    snprintf(whole, sizeof(whole), "%s", term->path.names[0]); /* a path in one name */
    column = find_name(schema->fields, schema->nfields, strsep(&names, "."));
    assert(column < schema->nfields);
    step(&place, &schema->fields[column], &batch->columns[column], row);
    for (const char *name; (name = strsep(&names, ".")) != NULL;) {
        part = find_name(place.field->children, place.field->nchildren, name);
        step(&place, &place.field->children[part], &place.array->children[part], row);
    }
    return place;
}

static enum stoa_test_truth term_truth(const struct stoa_filter *term,
                                       const struct stoa_batch *batch, size_t row)
{
    struct place place = follow(term, batch, row);
    const struct stoa_field *field = place.field;
    const struct stoa_array *array = place.array;
    bool is_null = place.is_null, found = false;

    if (term->op == STOA_FILTER_IS_NULL)
        return truth(is_null);
    if (term->op == STOA_FILTER_IS_NAN)
        return truth(!is_null && is_nan(field, array, row));
    if (is_null)
        return STOA_TEST_UNKNOWN;
    switch (term->op) {
    case STOA_FILTER_COMPARE:
        return truth(passes(term->compare, compare(field, array, row, &term->values[0])));
    case STOA_FILTER_BETWEEN:
        return truth(
            passes(STOA_COMPARE_GREATER_EQUAL, compare(field, array, row, &term->values[0])) &&
            passes(STOA_COMPARE_LESS_EQUAL, compare(field, array, row, &term->values[1])));
    case STOA_FILTER_IN:
        for (size_t i = 0; i < term->nvalues && !found; i++)
            found = compare(field, array, row, &term->values[i]) == 0;
        return truth(found);
    default:
        return truth(row_is_like(field, array, row, term));
    }
}

enum stoa_test_truth stoa_test_naive_filter(const struct stoa_filter *filter,
                                            const struct stoa_batch *batch, size_t row)
{
    enum stoa_test_truth result;

    if (filter->noperands == 0)
        return term_truth(filter, batch, row);
    result = stoa_test_naive_filter(filter->operands[0], batch, row);
    if (filter->op == STOA_FILTER_NOT)
        return (enum stoa_test_truth)(STOA_TEST_TRUE - result);
    for (size_t i = 1; i < filter->noperands; i++) {
        enum stoa_test_truth next = stoa_test_naive_filter(filter->operands[i], batch, row);

        if (filter->op == STOA_FILTER_AND ? next < result : next > result)
            result = next;
    }
    return result;
}
