/*
 * Avro's encoding of JSON back into values, the reverse of avro_json_value.c:
 *
 *     {"value":1,"next":{"node":{"value":2,"next":null}}}  ->  02  02 04  00
 *
 * The schema says what stands where, so nothing is kept of the text but what was written of it. How
 * many items an array has is known at its end; there is a byte for it in front, which is enough for
 * 63 of them, and more are moved out of the way.
 */
#include "avro/avro_json_parse.h"

#include <stdio.h>
#include <string.h>

#include "avro/avro_encoder.h"
#include "avro/avro_read.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/json_scan.h"
#include "base/number.h"

enum { LONG_NBYTES = 10 };

struct parser {
    const char *text; /* ends with a zero, and slack behind it */
    const char *at;
    struct stoa_buffer *out;
    uint32_t *nempty;         /* items without bytes so far */
    struct stoa_buffer plain; /* of a string, its escapes resolved */
    struct stoa_error *err;
};

static enum stoa_status parse(struct parser *parser, const struct stoa_avro_type *type,
                              unsigned depth);

/* What stands at the place is not what the type wants. */
static enum stoa_status expect(struct parser *parser, const char *what)
{
    return stoa_fail(parser->err, STOA_ERR_DATA, "JSON, at byte %zu: %s is expected",
                     (size_t)(parser->at - parser->text), what);
}

static enum stoa_status put_long(struct parser *parser, int64_t value)
{
    uint8_t bytes[LONG_NBYTES];

    return stoa_buffer_append(parser->out, bytes,
                              (size_t)(stoa_avro_put_long(bytes, value) - bytes), parser->err);
}

/* Goes over a character, if it comes next. */
static bool take(struct parser *parser, char c)
{
    parser->at = stoa_json_blanks(parser->at);
    if (*parser->at != c)
        return false;
    parser->at++;
    return true;
}

static bool take_word(struct parser *parser, const char *word)
{
    parser->at = stoa_json_blanks(parser->at);
    if (strncmp(parser->at, word, strlen(word)) != 0)
        return false;
    parser->at += strlen(word);
    return true;
}

/* The next string, lent until the next one. */
static enum stoa_status take_string(struct parser *parser, const char **text, size_t *nbytes)
{
    struct stoa_json_string string;
    struct stoa_json_fault fault;
    const char *end;
    enum stoa_status st;

    parser->at = stoa_json_blanks(parser->at);
    if (*parser->at != '"')
        return expect(parser, "a string");
    end = stoa_json_scan_string(parser->at, &string, &fault);
    if (end == NULL) {
        parser->at = fault.at;
        return stoa_fail(parser->err, STOA_ERR_DATA, "JSON, at byte %zu: %s",
                         (size_t)(parser->at - parser->text), stoa_json_fault_text(fault.kind));
    }
    *text = string.text;
    *nbytes = string.nbytes;
    if (string.escaped) {
        STOA_TRY(stoa_buffer_resize(&parser->plain, string.nbytes, parser->err));
        *nbytes = stoa_json_unescape(&string, (char *)parser->plain.data);
        *text = (char *)parser->plain.data;
    }
    parser->at = end;
    return STOA_OK;
out:
    return st;
}

/* The string that is expected here, and a colon. */
static enum stoa_status take_key(struct parser *parser, const char *key)
{
    const char *before = parser->at, *text;
    char shown[80], what[96];
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(take_string(parser, &text, &nbytes));
    if (nbytes != strlen(key) || memcmp(text, key, nbytes) != 0) {
        parser->at = before;
        snprintf(what, sizeof(what), "the field %s",
                 stoa_quote(shown, sizeof(shown), key, strlen(key)));
        return expect(parser, what);
    }
    if (!take(parser, ':'))
        return expect(parser, "':'");
out:
    return st;
}

static enum stoa_status parse_integer(struct parser *parser, const struct stoa_avro_type *type)
{
    struct stoa_json_fault fault;
    bool is_integer = false;
    const char *end;
    int64_t value;

    parser->at = stoa_json_blanks(parser->at);
    end = stoa_json_scan_number(parser->at, &is_integer, &fault);
    if (end == NULL || !is_integer ||
        !stoa_number_parse_int64(parser->at, (size_t)(end - parser->at), &value) ||
        (type->kind == STOA_AVRO_INT && value != (int32_t)value))
        return expect(parser, type->kind == STOA_AVRO_INT ? "an int" : "a long");
    parser->at = end;
    return put_long(parser, value);
}

static enum stoa_status parse_float(struct parser *parser, const struct stoa_avro_type *type)
{
    const bool is_float = type->kind == STOA_AVRO_FLOAT;
    const char *text, *before = parser->at = stoa_json_blanks(parser->at);
    struct stoa_json_fault fault;
    bool is_integer, good;
    uint8_t bytes[8];
    uint64_t bits = 0;
    size_t nbytes;
    double x = 0;
    float f = 0;
    enum stoa_status st = STOA_OK;

    if (*before == '"') { /* no number: NaN, an infinity */
        STOA_TRY(take_string(parser, &text, &nbytes));
    } else {
        text = before;
        parser->at = stoa_json_scan_number(before, &is_integer, &fault);
        nbytes = parser->at != NULL ? (size_t)(parser->at - before) : 0;
    }
    good = nbytes > 0 && (is_float ? stoa_number_parse_float(text, nbytes, &f)
                                   : stoa_number_parse_double(text, nbytes, &x));
    if (!good) {
        parser->at = before;
        return expect(parser, is_float ? "a float" : "a double");
    }
    memcpy(&bits, &x, sizeof(x));
    stoa_store64(bytes, bits);
    if (is_float) {
        uint32_t low;

        memcpy(&low, &f, sizeof(low));
        stoa_store32(bytes, low);
    }
    STOA_TRY(stoa_buffer_append(parser->out, bytes, is_float ? 4 : 8, parser->err));
out:
    return st;
}

static enum stoa_status parse_string(struct parser *parser)
{
    const char *text;
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(take_string(parser, &text, &nbytes));
    STOA_TRY(put_long(parser, (int64_t)nbytes));
    STOA_TRY(stoa_buffer_append(parser->out, text, nbytes, parser->err));
out:
    return st;
}

/* Bytes as the characters U+0000 to U+00FF. */
static enum stoa_status parse_bytes(struct parser *parser, const struct stoa_avro_type *type)
{
    const char *before = parser->at, *text;
    size_t nbytes, n = 0;
    enum stoa_status st;

    STOA_TRY(take_string(parser, &text, &nbytes));
    for (size_t i = 0; i < nbytes; i++)
        n += ((uint8_t)text[i] & 0xc0) != 0x80;
    if (type->kind == STOA_AVRO_FIXED && n != type->size) {
        parser->at = before;
        return expect(parser, "a string of the size of the fixed");
    }
    if (type->kind == STOA_AVRO_BYTES)
        STOA_TRY(put_long(parser, (int64_t)n));
    STOA_TRY(stoa_buffer_reserve(parser->out, n, parser->err));
    for (size_t i = 0; i < nbytes; i++) {
        uint8_t byte = (uint8_t)text[i];

        if (byte >= 0xc4) {
            parser->at = before;
            return expect(parser, "a string of characters up to U+00FF");
        }
        if (byte >= 0x80)
            byte = (uint8_t)(byte << 6 | ((uint8_t)text[++i] & 0x3f));
        parser->out->data[parser->out->nbytes++] = byte;
    }
out:
    return st;
}

static enum stoa_status parse_symbol(struct parser *parser, const struct stoa_avro_type *type)
{
    const char *before = parser->at, *text;
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(take_string(parser, &text, &nbytes));
    for (size_t i = 0; i < type->symbols.nitems; i++) {
        const char *symbol = type->symbols.items[i];

        if (strlen(symbol) == nbytes && memcmp(symbol, text, nbytes) == 0)
            return put_long(parser, (int64_t)i);
    }
    parser->at = before;
    st = expect(parser, "a symbol of the enum");
out:
    return st;
}

/* Puts the number of items where a byte was left for it. */
static enum stoa_status put_count(struct parser *parser, size_t place, int64_t nitems)
{
    struct stoa_buffer *out = parser->out;
    uint8_t bytes[LONG_NBYTES];
    const size_t n = (size_t)(stoa_avro_put_long(bytes, nitems) - bytes);
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(out, n, parser->err));
    memmove(out->data + place + n, out->data + place + 1, out->nbytes - place - 1);
    memcpy(out->data + place, bytes, n);
    out->nbytes += n - 1;
    if (nitems > 0)
        STOA_TRY(stoa_buffer_append_zeros(out, 1, parser->err));
out:
    return st;
}

static enum stoa_status parse_items(struct parser *parser, const struct stoa_avro_type *type,
                                    unsigned depth)
{
    const bool is_map = type->kind == STOA_AVRO_MAP;
    const char end = is_map ? '}' : ']';
    const size_t place = parser->out->nbytes;
    int64_t nitems = 0;
    size_t before;
    enum stoa_status st;

    if (!take(parser, is_map ? '{' : '['))
        return expect(parser, is_map ? "'{'" : "'['");
    STOA_TRY(stoa_buffer_append_zeros(parser->out, 1, parser->err));
    while (!take(parser, end)) {
        if (nitems++ > 0 && !take(parser, ','))
            return expect(parser, is_map ? "',' or '}'" : "',' or ']'");
        before = parser->out->nbytes;
        if (is_map) {
            STOA_TRY(parse_string(parser));
            if (!take(parser, ':'))
                return expect(parser, "':'");
        }
        STOA_TRY(parse(parser, type->items, depth + 1));
        if (parser->out->nbytes == before && ++*parser->nempty > STOA_AVRO_MAX_EMPTY_ITEMS)
            return stoa_fail(parser->err, STOA_ERR_LIMIT, "more than %u items without any bytes",
                             STOA_AVRO_MAX_EMPTY_ITEMS);
    }
    STOA_TRY(put_count(parser, place, nitems));
out:
    return st;
}

static enum stoa_status parse_union(struct parser *parser, const struct stoa_avro_type *type,
                                    unsigned depth)
{
    const char *before = parser->at, *text;
    const bool is_null = take_word(parser, "null");
    size_t nbytes, which = 0;
    enum stoa_status st;

    if (is_null) {
        while (which < type->nbranches && type->branches[which]->kind != STOA_AVRO_NULL)
            which++;
    } else {
        if (!take(parser, '{'))
            return expect(parser, "null or '{'");
        STOA_TRY(take_string(parser, &text, &nbytes));
        while (which < type->nbranches &&
               (strlen(stoa_avro_branch_name(type->branches[which])) != nbytes ||
                memcmp(stoa_avro_branch_name(type->branches[which]), text, nbytes) != 0))
            which++;
    }
    if (which == type->nbranches) {
        parser->at = before;
        return expect(parser, "a branch of the union");
    }
    STOA_TRY(put_long(parser, (int64_t)which));
    if (is_null)
        goto out;
    if (!take(parser, ':'))
        return expect(parser, "':'");
    STOA_TRY(parse(parser, type->branches[which], depth + 1));
    if (!take(parser, '}'))
        return expect(parser, "'}'");
out:
    return st;
}

static enum stoa_status parse_record(struct parser *parser, const struct stoa_avro_type *type,
                                     unsigned depth)
{
    enum stoa_status st = STOA_OK;

    if (!take(parser, '{'))
        return expect(parser, "'{'");
    for (size_t i = 0; i < type->nfields; i++) {
        if (i > 0 && !take(parser, ','))
            return expect(parser, "','");
        STOA_TRY(take_key(parser, type->fields[i].name));
        STOA_TRY(parse(parser, type->fields[i].type, depth + 1));
    }
    if (!take(parser, '}'))
        return expect(parser, "'}'");
out:
    return st;
}

static enum stoa_status parse(struct parser *parser, const struct stoa_avro_type *type,
                              unsigned depth)
{
    uint8_t yes;

    if (depth > STOA_AVRO_MAX_VALUE_DEPTH)
        return stoa_fail(parser->err, STOA_ERR_LIMIT, "JSON is nested more than %u deep",
                         STOA_AVRO_MAX_VALUE_DEPTH);
    switch (type->kind) {
    case STOA_AVRO_NULL:
        return take_word(parser, "null") ? STOA_OK : expect(parser, "null");
    case STOA_AVRO_BOOLEAN:
        yes = take_word(parser, "true");
        if (!yes && !take_word(parser, "false"))
            return expect(parser, "true or false");
        return stoa_buffer_append(parser->out, &yes, 1, parser->err);
    case STOA_AVRO_INT:
    case STOA_AVRO_LONG:
        return parse_integer(parser, type);
    case STOA_AVRO_FLOAT:
    case STOA_AVRO_DOUBLE:
        return parse_float(parser, type);
    case STOA_AVRO_STRING:
        return parse_string(parser);
    case STOA_AVRO_BYTES:
    case STOA_AVRO_FIXED:
        return parse_bytes(parser, type);
    case STOA_AVRO_ENUM:
        return parse_symbol(parser, type);
    case STOA_AVRO_ARRAY:
    case STOA_AVRO_MAP:
        return parse_items(parser, type, depth);
    case STOA_AVRO_UNION:
        return parse_union(parser, type, depth);
    default:
        return parse_record(parser, type, depth);
    }
}

enum stoa_status stoa_avro_parse_json(const struct stoa_avro_type *type, const char *text,
                                      size_t nbytes, struct stoa_buffer *out, uint32_t *nempty,
                                      struct stoa_error *err)
{
    struct parser parser = {.out = out, .nempty = nempty, .err = err};
    struct stoa_buffer copy = {0};
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(&copy, text, nbytes, err));
    STOA_TRY(stoa_buffer_append_zeros(&copy, 1 + STOA_JSON_SLACK, err));
    parser.text = parser.at = (char *)copy.data;
    STOA_TRY(parse(&parser, type, 0));
    parser.at = stoa_json_blanks(parser.at);
    if (parser.at != parser.text + nbytes)
        st = expect(&parser, "the end");
out:
    stoa_buffer_free(&copy);
    stoa_buffer_free(&parser.plain);
    return st;
}
