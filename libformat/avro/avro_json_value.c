/*
 * Values as JSON text, in Avro's own encoding of JSON: what columns can't hold, records that hold
 * themselves above all, stands in them as such text.
 */
#include <string.h>

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

static bool put_value(struct writer *writer, const struct stoa_avro_type *type, unsigned depth);

/* {"a":1,"b":2} */
static bool put_record(struct writer *writer, const struct stoa_avro_type *type, unsigned depth)
{
    for (size_t i = 0; i < type->nfields; i++) {
        const char *name = type->fields[i].name;
        const uint8_t *before = writer->cursor->at;

        if (!put(writer, i > 0 ? "," : "{", 1) || !put_string(writer, name, strlen(name)) ||
            !put(writer, ":", 1) || !put_value(writer, type->fields[i].type, depth + 1) ||
            !stoa_avro_count_empty_field(writer->cursor, before))
            return false;
    }
    return type->nfields > 0 ? put(writer, "}", 1) : put(writer, "{}", 2);
}

static bool put_text(struct writer *writer)
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
    return put_string(writer, text, nbytes);
}

/* [1,2], {"a":1,"b":2} */
static bool put_items(struct writer *writer, const struct stoa_avro_type *type, unsigned depth)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    const bool is_map = type->kind == STOA_AVRO_MAP;
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
                (is_map && (!put_text(writer) || !put(writer, ":", 1))) ||
                !put_value(writer, type->items, depth + 1) ||
                !stoa_avro_count_empty(cursor, before))
                return false;
            any = true;
        }
    }
}

/* null, {"string":"x"} */
static bool put_union(struct writer *writer, const struct stoa_avro_type *type, unsigned depth)
{
    const struct stoa_avro_type *branch;
    const char *name;
    uint32_t which = 0;

    if (!stoa_avro_read_index(writer->cursor, type->nbranches, STOA_AVRO_NO_BRANCH, &which))
        return false;
    branch = type->branches[which];
    if (branch->kind == STOA_AVRO_NULL)
        return put(writer, "null", 4);
    name = stoa_avro_branch_name(branch);
    return put(writer, "{", 1) && put_string(writer, name, strlen(name)) && put(writer, ":", 1) &&
           put_value(writer, branch, depth + 1) && put(writer, "}", 1);
}

static bool put_number(struct writer *writer, const struct stoa_avro_type *type)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    char text[STOA_NUMBER_NBYTES];
    int64_t number = 0;

    if (!stoa_avro_read_long(cursor, &number) || !stoa_avro_has(cursor, 0))
        return false;
    if (type->kind == STOA_AVRO_INT && number != (int32_t)number)
        return stoa_avro_fail(cursor, STOA_AVRO_NO_INT, number);
    return put(writer, text, stoa_number_format_int64(number, text));
}

static bool put_float(struct writer *writer, const struct stoa_avro_type *type)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    const bool is_float = type->kind == STOA_AVRO_FLOAT;
    const uint64_t bits = stoa_load64(cursor->at);
    const uint32_t low = (uint32_t)bits;
    double x;
    float f;

    if (!stoa_avro_has(cursor, is_float ? 4 : 8))
        return false;
    cursor->at += is_float ? 4 : 8;
    memcpy(&x, &bits, sizeof(x));
    memcpy(&f, &low, sizeof(f));
    return put_double(writer, is_float ? (double)f : x, is_float);
}

static bool put_value(struct writer *writer, const struct stoa_avro_type *type, unsigned depth)
{
    struct stoa_avro_cursor *cursor = writer->cursor;
    const uint8_t *bytes;
    size_t nbytes = type->size;
    uint32_t which = 0;

    if (depth > STOA_AVRO_MAX_VALUE_DEPTH)
        return stoa_avro_fail(cursor, STOA_AVRO_DEEP, 0);
    switch (type->kind) {
    case STOA_AVRO_NULL:
        return put(writer, "null", 4);
    case STOA_AVRO_BOOLEAN:
        return stoa_avro_has(cursor, 1) &&
               (*cursor->at <= 1 || stoa_avro_fail(cursor, STOA_AVRO_NO_BOOLEAN, *cursor->at)) &&
               (*cursor->at++ == 1 ? put(writer, "true", 4) : put(writer, "false", 5));
    case STOA_AVRO_INT:
    case STOA_AVRO_LONG:
        return put_number(writer, type);
    case STOA_AVRO_FLOAT:
    case STOA_AVRO_DOUBLE:
        return put_float(writer, type);
    case STOA_AVRO_STRING:
        return put_text(writer);
    case STOA_AVRO_BYTES:
    case STOA_AVRO_FIXED:
        if (type->kind == STOA_AVRO_FIXED ? !stoa_avro_has(cursor, nbytes)
                                          : !stoa_avro_read_length(cursor, &nbytes))
            return false;
        bytes = cursor->at;
        cursor->at += nbytes;
        return put_bytes(writer, bytes, nbytes);
    case STOA_AVRO_ENUM:
        return stoa_avro_read_index(cursor, type->symbols.nitems, STOA_AVRO_NO_SYMBOL, &which) &&
               put_string(writer, type->symbols.items[which], strlen(type->symbols.items[which]));
    case STOA_AVRO_ARRAY:
    case STOA_AVRO_MAP:
        return put_items(writer, type, depth);
    case STOA_AVRO_UNION:
        return put_union(writer, type, depth);
    case STOA_AVRO_RECORD:
        return put_record(writer, type, depth);
    }
    return false;
}

bool stoa_avro_append_json(struct stoa_avro_cursor *cursor, const struct stoa_avro_type *type,
                           struct stoa_buffer *out, struct stoa_error *err)
{
    struct writer writer = {.cursor = cursor, .out = out, .err = err};

    return put_value(&writer, type, 0);
}
