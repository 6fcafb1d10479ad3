/*
 * Defaults of fields: JSON text as a value in the binary encoding (spec/avro.md, "Resolution"), so
 * that a default is read like any other value.
 *
 *     {"name": "x", "type": ["null", "int"], "default": 7}      02 0e
 *
 * Which branch of a union a default is of is found by trying: the first one that it is a value of.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "avro/avro_encoder.h"
#include "avro/avro_json.h"
#include "avro/avro_match.h"
#include "avro/avro_read.h"
#include "base/bytes.h"
#include "base/error.h"

enum { VALUE_NBYTES = 16 }; /* of the budget, beside those that are encoded */

/* What came of a value: NO where the JSON is none of the type. */
enum result { NO, YES, FAILED };

struct encoder {
    struct stoa_buffer *out;
    uint32_t *budget;
    enum stoa_status st; /* of FAILED */
    struct stoa_error *err;
};

static enum result encode(struct encoder *encoder, const json_t *json,
                          const struct stoa_avro_type *type, unsigned depth);

static enum result give(struct encoder *encoder, enum stoa_status st)
{
    encoder->st = st;
    return st == STOA_OK ? YES : FAILED;
}

/* Takes what is looked at or encoded from the budget, branches that are tried in vain too. */
static enum result charge(struct encoder *encoder, size_t nbytes)
{
    if (nbytes > *encoder->budget)
        return give(encoder, stoa_fail(encoder->err, STOA_ERR_LIMIT,
                                       "a default of too many values or bytes"));
    *encoder->budget -= (uint32_t)nbytes;
    return YES;
}

static enum result put(struct encoder *encoder, const void *bytes, size_t nbytes)
{
    if (charge(encoder, nbytes) != YES)
        return FAILED;
    return give(encoder, stoa_buffer_append(encoder->out, bytes, nbytes, encoder->err));
}

static enum result put_long(struct encoder *encoder, int64_t value)
{
    uint8_t bytes[10];

    return put(encoder, bytes, (size_t)(stoa_avro_put_long(bytes, value) - bytes));
}

static enum result put_integer(struct encoder *encoder, const json_t *json, bool is_int)
{
    const json_int_t value = json_integer_value(json);

    if (!json_is_integer(json) || (is_int && value != (int32_t)value))
        return NO;
    return put_long(encoder, value);
}

/* Numbers, and the names of those that JSON does not have. */
static enum result put_float(struct encoder *encoder, const json_t *json, bool is_float)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    double value = json_number_value(json);
    bool found = json_is_number(json);
    uint8_t bytes[8];
    uint64_t bits;
    uint32_t low;
    float narrow;

    for (size_t i = 0; json_is_string(json) && i < 3; i++)
        if (strcmp(json_string_value(json), names[i].name) == 0) {
            value = names[i].value;
            found = true;
        }
    if (!found)
        return NO;
    if (is_float) {
        if (fabs(value) > FLT_MAX && fabs(value) != (double)INFINITY)
            return NO;
        narrow = (float)value;
        memcpy(&low, &narrow, sizeof(low));
        stoa_store32(bytes, low);
        return put(encoder, bytes, 4);
    }
    memcpy(&bits, &value, sizeof(bits));
    stoa_store64(bytes, bits);
    return put(encoder, bytes, 8);
}

static enum result put_string(struct encoder *encoder, const json_t *json)
{
    const size_t nbytes = json_string_length(json);
    enum result result;

    if (!json_is_string(json))
        return NO;
    result = put_long(encoder, (int64_t)nbytes);
    return result == YES ? put(encoder, json_string_value(json), nbytes) : result;
}

/* Characters U+0000 to U+00FF as the bytes of these numbers; of a fixed as many as it has. */
static enum result put_bytes(struct encoder *encoder, const json_t *json,
                             const struct stoa_avro_type *type)
{
    const uint8_t *text = (const uint8_t *)json_string_value(json);
    const size_t ntext = json_string_length(json);
    size_t nbytes = 0;
    enum result result = YES;

    if (!json_is_string(json))
        return NO;
    if (charge(encoder, ntext) != YES) /* even if it is no fixed of this size */
        return FAILED;
    for (size_t i = 0; i < ntext; i++) {
        if (text[i] > 0xc3) /* the first byte of a character beyond */
            return NO;
        nbytes += text[i] < 0x80 || text[i] >= 0xc0;
    }
    if (type->kind == STOA_AVRO_FIXED && nbytes != type->size)
        return NO;
    if (type->kind == STOA_AVRO_BYTES)
        result = put_long(encoder, (int64_t)nbytes);
    for (size_t i = 0; result == YES && i < ntext; i++) {
        const bool two = text[i] >= 0x80;
        const unsigned low = two ? (text[i] & 3u) << 6 | (text[i + 1] & 0x3fu) : text[i];
        const uint8_t byte = (uint8_t)low;

        result = put(encoder, &byte, 1);
        i += two;
    }
    return result;
}

static enum result put_enum(struct encoder *encoder, const json_t *json,
                            const struct stoa_avro_type *type)
{
    const char *text = json_string_value(json);
    const size_t nbytes = json_string_length(json);

    if (!json_is_string(json) || strlen(text) != nbytes)
        return NO;
    for (size_t i = 0; i < type->symbols.nitems; i++) {
        if (charge(encoder, 1 + nbytes / 64) != YES)
            return FAILED;
        if (strcmp(text, type->symbols.items[i]) == 0)
            return put_long(encoder, (int64_t)i);
    }
    return NO;
}

/* One block of items, or of keys and values, and the end. */
static enum result put_items(struct encoder *encoder, const json_t *json,
                             const struct stoa_avro_type *type, unsigned depth)
{
    const size_t n = json_array_size(json);
    enum result result = YES;

    if (!json_is_array(json))
        return NO;
    if (n > 0)
        result = put_long(encoder, (int64_t)n);
    for (size_t i = 0; result == YES && i < n; i++)
        result = encode(encoder, json_array_get(json, i), type->items, depth + 1);
    return result == YES ? put_long(encoder, 0) : result;
}

static enum result put_map(struct encoder *encoder, const json_t *json,
                           const struct stoa_avro_type *type, unsigned depth)
{
    const size_t n = json_object_size(json);
    enum result result = YES;
    const char *key;
    json_t *value;

    if (!json_is_object(json))
        return NO;
    if (n > 0)
        result = put_long(encoder, (int64_t)n);
    json_object_foreach((json_t *)json, key, value)
    {
        if (result == YES)
            result = put_long(encoder, (int64_t)strlen(key));
        if (result == YES)
            result = put(encoder, key, strlen(key));
        if (result == YES)
            result = encode(encoder, value, type->items, depth + 1);
    }
    return result == YES ? put_long(encoder, 0) : result;
}

/* The default of a field inside, which is text once more. */
static enum result put_default(struct encoder *encoder, const struct stoa_avro_field *field,
                               unsigned depth)
{
    json_t *json = NULL;
    size_t ntext;
    enum result result;

    if (field->default_json == NULL)
        return NO;
    ntext = strlen(field->default_json);
    if (charge(encoder, ntext) != YES)
        return FAILED;
    result = give(encoder, stoa_avro_json_load(field->default_json, ntext, &json, encoder->err));
    if (result == YES)
        result = encode(encoder, json, field->type, depth);
    json_decref(json);
    return result;
}

static enum result put_record(struct encoder *encoder, const json_t *json,
                              const struct stoa_avro_type *type, unsigned depth)
{
    enum result result = json_is_object(json) ? YES : NO;

    for (size_t i = 0; result == YES && i < type->nfields; i++) {
        const struct stoa_avro_field *field = &type->fields[i];
        const json_t *value;

        if (charge(encoder, strlen(field->name) / 64) != YES)
            return FAILED;
        value = json_object_get(json, field->name);
        result = value != NULL ? encode(encoder, value, field->type, depth + 1)
                               : put_default(encoder, field, depth + 1);
    }
    return result;
}

static enum result put_union(struct encoder *encoder, const json_t *json,
                             const struct stoa_avro_type *type, unsigned depth)
{
    const size_t before = encoder->out->nbytes;
    enum result result = NO;

    for (size_t i = 0; result == NO && i < type->nbranches; i++) {
        encoder->out->nbytes = before;
        result = put_long(encoder, (int64_t)i);
        if (result == YES)
            result = encode(encoder, json, type->branches[i], depth + 1);
    }
    return result;
}

static enum result encode(struct encoder *encoder, const json_t *json,
                          const struct stoa_avro_type *type, unsigned depth)
{
    uint8_t truth = json_is_true(json);

    if (depth > STOA_AVRO_MAX_VALUE_DEPTH)
        return give(encoder, stoa_fail(encoder->err, STOA_ERR_LIMIT, "a default nested too deep"));
    if (charge(encoder, VALUE_NBYTES) != YES)
        return FAILED;
    switch (type->kind) {
    case STOA_AVRO_NULL:
        return json_is_null(json) ? YES : NO;
    case STOA_AVRO_BOOLEAN:
        return json_is_boolean(json) ? put(encoder, &truth, 1) : NO;
    case STOA_AVRO_INT:
    case STOA_AVRO_LONG:
        return put_integer(encoder, json, type->kind == STOA_AVRO_INT);
    case STOA_AVRO_FLOAT:
    case STOA_AVRO_DOUBLE:
        return put_float(encoder, json, type->kind == STOA_AVRO_FLOAT);
    case STOA_AVRO_STRING:
        return put_string(encoder, json);
    case STOA_AVRO_BYTES:
    case STOA_AVRO_FIXED:
        return put_bytes(encoder, json, type);
    case STOA_AVRO_ENUM:
        return put_enum(encoder, json, type);
    case STOA_AVRO_ARRAY:
        return put_items(encoder, json, type, depth);
    case STOA_AVRO_MAP:
        return put_map(encoder, json, type, depth);
    case STOA_AVRO_UNION:
        return put_union(encoder, json, type, depth);
    case STOA_AVRO_RECORD:
        return put_record(encoder, json, type, depth);
    }
    return NO;
}

enum stoa_status stoa_avro_default_encode(const struct stoa_avro_field *field, uint32_t *budget,
                                          struct stoa_buffer *out, struct stoa_error *err)
{
    struct encoder encoder = {.out = out, .budget = budget, .err = err};
    char shown[64], type[64];

    switch (put_default(&encoder, field, 0)) {
    case YES:
        return STOA_OK;
    case FAILED:
        return encoder.st;
    default:
        return stoa_fail(
            err, STOA_ERR_DATA, "the default %s is no value of its type \"%s\"",
            stoa_quote(shown, sizeof(shown), field->default_json, strlen(field->default_json)),
            stoa_quote(type, sizeof(type), stoa_avro_branch_name(field->type),
                       strlen(stoa_avro_branch_name(field->type))));
    }
}
