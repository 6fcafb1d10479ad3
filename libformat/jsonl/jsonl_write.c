/*
 * Rows as JSON objects (RFC 8259).
 *
 * The names are made JSON once for a batch: `,"name":` of each column stands ready in one buffer.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "column/text_sink.h"
#include "jsonl/jsonl.h"

/* What stands in front of the value of column i: keys[begins[i] .. begins[i + 1]). */
struct keys {
    struct stoa_buffer text;
    size_t *begins;
};

static void keys_reset(struct keys *keys)
{
    stoa_buffer_free(&keys->text);
    stoa_free(keys->begins);
}

static enum stoa_status keys_init(struct keys *keys, const struct stoa_schema *schema,
                                  struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(
        stoa_alloc_zeroed(&keys->begins, (size_t)schema->nfields + 1, sizeof(*keys->begins), err));
    for (uint32_t i = 0; i < schema->nfields; i++) {
        const char *name = schema->fields[i].name;

        STOA_TRY(stoa_buffer_append(&keys->text, i == 0 ? "{" : ",", 1, err));
        STOA_TRY(stoa_json_append_string(&keys->text, name, strlen(name), err));
        STOA_TRY(stoa_buffer_append(&keys->text, ":", 1, err));
        keys->begins[i + 1] = keys->text.nbytes;
    }
out:
    return st;
}

static enum stoa_status append_quoted(struct stoa_buffer *out, const struct stoa_field *field,
                                      const uint8_t *bytes, size_t nbytes, struct stoa_error *err)
{
    enum stoa_status st;

    if (field->type.id == STOA_UTF8)
        return stoa_json_append_string(out, bytes, nbytes, err);
    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
    STOA_TRY(stoa_base64_append(out, bytes, nbytes, err));
    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
out:
    return st;
}

/* What stands around the text of a value, by type; NOT_JSON where there is no text form. */
enum form { NOT_JSON, BARE, QUOTED };

static const enum form forms[] = {
    [STOA_NULL] = BARE,           [STOA_BOOL] = BARE,     [STOA_INT8] = BARE,
    [STOA_INT16] = BARE,          [STOA_INT32] = BARE,    [STOA_INT64] = BARE,
    [STOA_UINT8] = BARE,          [STOA_UINT16] = BARE,   [STOA_UINT32] = BARE,
    [STOA_UINT64] = BARE,         [STOA_FLOAT32] = BARE,  [STOA_FLOAT64] = BARE,
    [STOA_DECIMAL] = BARE,        [STOA_DATE32] = QUOTED, [STOA_TIME] = QUOTED,
    [STOA_TIMESTAMP] = QUOTED,    [STOA_UTF8] = QUOTED,   [STOA_BINARY] = QUOTED,
    [STOA_FIXED_BINARY] = QUOTED, [STOA_UUID] = QUOTED,   [STOA_ENUM] = QUOTED,
};

static enum form form_of(const struct stoa_type *type)
{
    size_t id = (size_t)type->id;

    return id < sizeof(forms) / sizeof(forms[0]) ? forms[id] : NOT_JSON;
}

static enum stoa_status fail_type(const struct stoa_field *field, struct stoa_error *err)
{
    char name[80];
    char *type = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_type_print(field, &type, err));
    st = stoa_fail(err, STOA_ERR_USAGE, "column %s: JSON lines can't hold %s",
                   stoa_quote(name, sizeof(name), field->name, strlen(field->name)), type);
out:
    stoa_free(type);
    return st;
}

static enum stoa_status check_schema(const struct stoa_schema *schema, struct stoa_error *err)
{
    for (uint32_t i = 0; i < schema->nfields; i++) {
        if (form_of(&schema->fields[i].type) == NOT_JSON)
            return fail_type(&schema->fields[i], err);
    }
    return STOA_OK;
}

/* Whether a float's text is one that JSON has no number for: NaN, Infinity, -Infinity. */
static bool is_word(const struct stoa_type *type, const char *text)
{
    if (type->id != STOA_FLOAT32 && type->id != STOA_FLOAT64)
        return false;
    text += *text == '-';
    return *text == 'N' || *text == 'I';
}

static enum stoa_status append_value(struct stoa_buffer *out, const struct stoa_field *field,
                                     const struct stoa_array *array, size_t i,
                                     struct stoa_error *err)
{
    char text[STOA_TEXT_NBYTES + 2], *begin = text + 1;
    uint32_t index;
    size_t nbytes;

    if (field->type.id == STOA_NULL || stoa_array_is_null(array, i))
        return stoa_buffer_append(out, "null", 4, err);
    switch (field->type.id) {
    case STOA_UTF8:
    case STOA_BINARY:
        return append_quoted(out, field, array->values + array->offsets[i],
                             (size_t)(array->offsets[i + 1] - array->offsets[i]), err);
    case STOA_FIXED_BINARY:
        return append_quoted(out, field, array->values + i * field->type.width, field->type.width,
                             err);
    case STOA_ENUM:
        memcpy(&index, array->values + 4 * i, 4);
        return stoa_json_append_string(out, field->type.symbols[index],
                                       strlen(field->type.symbols[index]), err);
    default:
        nbytes = stoa_array_format(field, array, i, begin);
        if (field->type.id == STOA_TIMESTAMP) /* as ISO 8601 wants it */
            *(char *)memchr(begin, ' ', nbytes) = 'T';
        if (form_of(&field->type) == QUOTED || is_word(&field->type, begin)) {
            *--begin = '"';
            begin[1 + nbytes] = '"';
            nbytes += 2;
        }
        return stoa_buffer_append(out, begin, nbytes, err);
    }
}

static enum stoa_status append_rows(const struct stoa_batch *batch, struct stoa_buffer *out,
                                    struct stoa_error *err)
{
    struct keys keys = {0};
    enum stoa_status st;

    STOA_TRY(check_schema(batch->schema, err));
    STOA_TRY(keys_init(&keys, batch->schema, err));
    for (size_t row = 0; row < batch->nrows; row++) {
        if (batch->ncolumns == 0)
            STOA_TRY(stoa_buffer_append(out, "{", 1, err));
        for (uint32_t i = 0; i < batch->ncolumns; i++) {
            STOA_TRY(stoa_buffer_append(out, keys.text.data + keys.begins[i],
                                        keys.begins[i + 1] - keys.begins[i], err));
            STOA_TRY(append_value(out, &batch->schema->fields[i], &batch->columns[i], row, err));
        }
        STOA_TRY(stoa_buffer_append(out, "}\n", 2, err));
    }
out:
    keys_reset(&keys);
    return st;
}

enum stoa_status stoa_jsonl_format(const struct stoa_batch *batch, char **out, size_t *nbytes,
                                   struct stoa_error *err)
{
    struct stoa_buffer text = {.data = (uint8_t *)*out, .nbytes = *nbytes, .capacity = *nbytes};
    enum stoa_status st = append_rows(batch, &text, err);

    *out = (char *)text.data; /* it may have moved, whatever happened */
    if (st == STOA_OK)
        *nbytes = text.nbytes;
    return st;
}

static enum stoa_status format(const void *options, const struct stoa_batch *batch,
                               struct stoa_buffer *out, struct stoa_error *err)
{
    (void)options;
    return append_rows(batch, out, err);
}

enum stoa_status stoa_jsonl_sink_open(struct stoa_sink *sink, struct stoa_batch_sink **out,
                                      struct stoa_error *err)
{
    return stoa_text_sink_open(sink, format, NULL, 0, out, err);
}
