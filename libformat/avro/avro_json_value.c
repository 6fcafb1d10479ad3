/*
 * Values as JSON text, in Avro's own encoding of JSON: what columns can't hold, records that hold
 * themselves above all, stands in them as such text.
 */
#include <string.h>

#include "avro/avro_match.h"
#include "avro/avro_read.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "base/utf8.h"

struct writer {
    struct stoa_avro_cursor *cursor;
    struct stoa_buffer *out;
    struct stoa_error *err;
};

/* Whether nbytes more are within the limit: the name of an enum's symbol is longer than its value.
 */
static bool has_room(struct writer *writer, size_t nbytes)
{
    if (nbytes > STOA_AVRO_MAX_ROW_NBYTES - writer->out->nbytes)
        return stoa_avro_fail(writer->cursor, STOA_AVRO_LONG_JSON, 0);
    return true;
}

static bool put(struct writer *writer, const char *text, size_t nbytes)
{
    if (!has_room(writer, nbytes))
        return false;
    if (stoa_buffer_append(writer->out, text, nbytes, writer->err) != STOA_OK)
        return stoa_avro_fail(writer->cursor, STOA_AVRO_BUILDER, 0);
    return true;
}

static bool put_string(struct writer *writer, const void *text, size_t nbytes)
{
    const uint8_t *bytes = text;
    size_t nout = nbytes + 2;

    for (size_t i = 0; i < nbytes; i++)
        nout += bytes[i] < 0x20 ? 5 : bytes[i] == '"' || bytes[i] == '\\';
    if (!has_room(writer, nout)) /* at the most, with all that is escaped */
        return false;
    if (stoa_json_append_string(writer->out, text, nbytes, writer->err) != STOA_OK)
        return stoa_avro_fail(writer->cursor, STOA_AVRO_BUILDER, 0);
    return true;
}

/* Bytes as the characters U+0000 to U+00FF. */
static bool put_bytes(struct writer *writer, const uint8_t *bytes, size_t nbytes)
{
    struct stoa_buffer text = {0};
    bool done = has_room(writer, nbytes);

    if (!done)
        return false;
    for (size_t i = 0; done && i < nbytes; i++) {
        const char two[] = {(char)(0xc0 | bytes[i] >> 6), (char)(0x80 | (bytes[i] & 0x3f))};

        done = stoa_buffer_append(&text, bytes[i] < 0x80 ? (const char *)&bytes[i] : two,
                                  bytes[i] < 0x80 ? 1 : 2, writer->err) == STOA_OK;
    }
    if (!done)
        stoa_avro_fail(writer->cursor, STOA_AVRO_BUILDER, 0);
    done = done && put_string(writer, text.data != NULL ? text.data : (uint8_t *)"", text.nbytes);
    stoa_buffer_free(&text);
    return done;
}

static bool put_double(struct writer *writer, double x, bool is_float)
{
    char text[STOA_NUMBER_NBYTES];
    const size_t n =
        is_float ? stoa_number_format_float((float)x, text) : stoa_number_format_double(x, text);

    return x - x == 0 ? put(writer, text, n) : put_string(writer, text, n);
}

static bool put_value(struct writer *writer, const struct stoa_avro_match *match, unsigned depth);

/* A name and its value, which is read from the cursor. */
static bool put_field(struct writer *writer, const struct stoa_avro_match *match, const char *name,
                      bool first, unsigned depth)
{
    return put(writer, first ? "{" : ",", 1) && put_string(writer, name, strlen(name)) &&
           put(writer, ":", 1) && put_value(writer, match, depth + 1);
}

/* {"a":1,"b":2}: what the file has, in its order, and behind it the defaults of what it has not. */
static bool put_record(struct writer *writer, const struct stoa_avro_match *match, unsigned depth)
{
    const struct stoa_avro_field *from = match->writer->fields, *to = match->reader->fields;
    struct stoa_avro_cursor *cursor = writer->cursor;
    bool first = true;

    for (size_t i = 0; i < match->writer->nfields; i++) {
        const struct stoa_avro_match *part = match->parts[i];
        const uint8_t *before = cursor->at;

        if (part == NULL ? !stoa_avro_skip(cursor, from[i].type)
                         : !put_field(writer, part, to[match->targets[i]].name, first, depth))
            return false;
        if (!stoa_avro_count_empty_field(cursor, before))
            return false;
        first &= part == NULL;
    }
    for (size_t i = 0; i < match->ndefaults; i++) {
        const struct stoa_avro_default *given = &match->defaults[i];
        const uint8_t *const at = cursor->at, *const end = cursor->end;
        bool done;

        cursor->at = given->data;
        cursor->end = given->data + given->nbytes;
        done = put_field(writer, given->match, to[given->field].name, first, depth) &&
               stoa_avro_count_empty_field(cursor, given->data);
        cursor->at = at;
        cursor->end = end;
        if (!done)
            return false;
        first = false;
    }
    return first ? put(writer, "{}", 2) : put(writer, "}", 1);
}

/* UTF-8, as text or as bytes. */
static bool put_text(struct writer *writer, bool as_text)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    const uint8_t *text;
    size_t nbytes = 0;

    if (!stoa_avro_read_length(cursor, &nbytes))
        return false;
    text = cursor->at;
    cursor->at += nbytes;
    if (stoa_utf8_valid_prefix(text, nbytes) != nbytes)
        return stoa_avro_fail(cursor, STOA_AVRO_NO_UTF8, 0);
    return as_text ? put_string(writer, text, nbytes) : put_bytes(writer, text, nbytes);
}

/* [1,2], {"a":1,"b":2} */
static bool put_items(struct writer *writer, const struct stoa_avro_match *match, unsigned depth)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    const bool is_map = match->writer->kind == STOA_AVRO_MAP;
    bool any = false;
    uint64_t nitems;
    int64_t nbytes;

    if (!put(writer, is_map ? "{" : "[", 1))
        return false;
    for (;;) {
        if (!stoa_avro_read_items(cursor, &nitems, &nbytes))
            return false;
        if (nitems == 0)
            return put(writer, is_map ? "}" : "]", 1);
        for (uint64_t i = 0; i < nitems; i++) {
            const uint8_t *before = cursor->at;

            if ((any && !put(writer, ",", 1)) ||
                (is_map && (!put_text(writer, true) || !put(writer, ":", 1))) ||
                !put_value(writer, match->parts[0], depth + 1) ||
                !stoa_avro_count_empty(cursor, before))
                return false;
            any = true;
        }
    }
}

/* A value of a branch that the file tells. */
static bool put_union(struct writer *writer, const struct stoa_avro_match *match, unsigned depth)
{
    const struct stoa_avro_type *type = match->writer;
    uint32_t which = 0;

    if (!stoa_avro_read_index(writer->cursor, type->nbranches, STOA_AVRO_NO_BRANCH, &which))
        return false;
    if (match->parts[which] == NULL)
        return stoa_avro_fail_name(writer->cursor, STOA_AVRO_REFUSED_BRANCH,
                                   stoa_avro_branch_name(type->branches[which]));
    return put_value(writer, match->parts[which], depth);
}

/* null, {"string":"x"}: a value of one of the reader's branches. */
static bool put_branch(struct writer *writer, const struct stoa_avro_match *match, unsigned depth)
{
    const struct stoa_avro_type *branch = match->reader->branches[match->which];
    const char *name = stoa_avro_branch_name(branch);

    if (branch->kind == STOA_AVRO_NULL)
        return put(writer, "null", 4);
    return put(writer, "{", 1) && put_string(writer, name, strlen(name)) && put(writer, ":", 1) &&
           put_value(writer, match->parts[0], depth + 1) && put(writer, "}", 1);
}

static bool put_integer(struct writer *writer, const struct stoa_avro_match *match)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    const enum stoa_avro_kind kind = match->reader->kind;
    char text[STOA_NUMBER_NBYTES];
    int64_t number = 0;

    if (!stoa_avro_read_long(cursor, &number) || !stoa_avro_has(cursor, 0))
        return false;
    if (match->writer->kind == STOA_AVRO_INT && number != (int32_t)number)
        return stoa_avro_fail(cursor, STOA_AVRO_NO_INT, number);
    if (kind == STOA_AVRO_FLOAT || kind == STOA_AVRO_DOUBLE)
        return put_double(writer, kind == STOA_AVRO_FLOAT ? (double)(float)number : (double)number,
                          kind == STOA_AVRO_FLOAT);
    return put(writer, text, stoa_number_format_int64(number, text));
}

static bool put_float(struct writer *writer, const struct stoa_avro_match *match)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    const bool is_float = match->writer->kind == STOA_AVRO_FLOAT;
    const uint64_t bits = stoa_load64(cursor->at);
    const uint32_t low = (uint32_t)bits;
    double x;
    float f;

    if (!stoa_avro_has(cursor, is_float ? 4 : 8))
        return false;
    cursor->at += is_float ? 4 : 8;
    memcpy(&x, &bits, sizeof(x));
    memcpy(&f, &low, sizeof(f));
    return put_double(writer, is_float ? (double)f : x, match->reader->kind == STOA_AVRO_FLOAT);
}

static bool put_symbol(struct writer *writer, const struct stoa_avro_match *match)
{
    const struct stoa_avro_names *from = &match->writer->symbols, *to = &match->reader->symbols;
    uint32_t which = 0, target;

    if (!stoa_avro_read_index(writer->cursor, from->nitems, STOA_AVRO_NO_SYMBOL, &which))
        return false;
    target = match->targets != NULL ? match->targets[which] : which;
    if (target == STOA_AVRO_NO_TARGET)
        return stoa_avro_fail_name(writer->cursor, STOA_AVRO_REFUSED_SYMBOL, from->items[which]);
    return put_string(writer, to->items[target], strlen(to->items[target]));
}

/* Bytes or text as whichever of both the reader has; a fixed; decimals of any of these. */
static bool put_run(struct writer *writer, const struct stoa_avro_match *match)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    size_t nbytes = match->writer->size;
    const uint8_t *bytes;

    if (match->writer->kind == STOA_AVRO_STRING || match->reader->kind == STOA_AVRO_STRING)
        return put_text(writer, match->reader->kind == STOA_AVRO_STRING);
    if (match->writer->kind == STOA_AVRO_FIXED ? !stoa_avro_has(cursor, nbytes)
                                               : !stoa_avro_read_length(cursor, &nbytes))
        return false;
    bytes = cursor->at;
    cursor->at += nbytes;
    return put_bytes(writer, bytes, nbytes);
}

static bool put_value(struct writer *writer, const struct stoa_avro_match *match, unsigned depth)
{
    struct stoa_avro_cursor *cursor = writer->cursor;

    if (depth > STOA_AVRO_MAX_VALUE_DEPTH)
        return stoa_avro_fail(cursor, STOA_AVRO_DEEP, 0);
    if (match->action == STOA_AVRO_MATCH_BRANCH)
        return put_branch(writer, match, depth);
    switch (match->writer->kind) {
    case STOA_AVRO_NULL:
        return put(writer, "null", 4);
    case STOA_AVRO_BOOLEAN:
        return stoa_avro_has(cursor, 1) &&
               (*cursor->at <= 1 || stoa_avro_fail(cursor, STOA_AVRO_NO_BOOLEAN, *cursor->at)) &&
               (*cursor->at++ == 1 ? put(writer, "true", 4) : put(writer, "false", 5));
    case STOA_AVRO_INT:
    case STOA_AVRO_LONG:
        return put_integer(writer, match);
    case STOA_AVRO_FLOAT:
    case STOA_AVRO_DOUBLE:
        return put_float(writer, match);
    case STOA_AVRO_STRING:
    case STOA_AVRO_BYTES:
    case STOA_AVRO_FIXED:
        return put_run(writer, match);
    case STOA_AVRO_ENUM:
        return put_symbol(writer, match);
    case STOA_AVRO_ARRAY:
    case STOA_AVRO_MAP:
        return put_items(writer, match, depth);
    case STOA_AVRO_UNION:
        return put_union(writer, match, depth);
    case STOA_AVRO_RECORD:
        return put_record(writer, match, depth);
    }
    return false;
}

bool stoa_avro_append_json(struct stoa_avro_cursor *cursor, const struct stoa_avro_match *match,
                           struct stoa_buffer *out, struct stoa_error *err)
{
    struct writer writer = {.cursor = cursor, .out = out, .err = err};

    return put_value(&writer, match, 0);
}
