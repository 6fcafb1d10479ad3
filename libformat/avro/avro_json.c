/*
 * JSON text behind limits (spec/avro.md, "Limits").
 *
 * A tree takes a hundred times the bytes of a text like [[],[],[]], so the text is measured first:
 * outside of strings each bracket, comma and colon begins at most one value.
 */
#include "avro/avro_json.h"

#include <string.h>

#include "base/error.h"

/* STOA_ERR_LIMIT for a text whose tree would be too large or too deep. */
static enum stoa_status measure(const char *text, size_t nbytes, struct stoa_error *err)
{
    size_t depth = 0, nnodes = 1;
    bool in_string = false;

    if (nbytes > STOA_AVRO_MAX_JSON_NBYTES)
        return stoa_fail(err, STOA_ERR_LIMIT, "JSON of %zu bytes: at most %u are read", nbytes,
                         STOA_AVRO_MAX_JSON_NBYTES);
    for (size_t i = 0; i < nbytes; i++) {
        const char c = text[i];

        if (in_string) {
            i += c == '\\'; /* what follows is no end */
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        nnodes += c == '[' || c == '{' || c == ',';
        depth += c == '[' || c == '{';
        if (depth > STOA_AVRO_MAX_JSON_DEPTH)
            return stoa_fail_at(err, STOA_ERR_LIMIT, i, "JSON is nested more than %u deep",
                                STOA_AVRO_MAX_JSON_DEPTH);
        if (nnodes > STOA_AVRO_MAX_JSON_NODES)
            return stoa_fail_at(err, STOA_ERR_LIMIT, i, "JSON of more than %u values",
                                STOA_AVRO_MAX_JSON_NODES);
        depth -= (c == ']' || c == '}') && depth > 0;
    }
    return STOA_OK;
}

enum stoa_status stoa_avro_json_load(const char *text, size_t nbytes, json_t **out,
                                     struct stoa_error *err)
{
    enum stoa_status st = measure(text, nbytes, err);
    json_error_t wrong;
    char shown[128];
    json_t *root;

    if (st != STOA_OK)
        return st;
    root = json_loadb(text, nbytes, JSON_ALLOW_NUL | JSON_DECODE_ANY, &wrong);
    if (root == NULL && json_error_code(&wrong) == json_error_out_of_memory)
        return stoa_fail_nomem(err, nbytes);
    if (root == NULL)
        return stoa_fail_at(err, STOA_ERR_DATA, (uint64_t)wrong.position,
                            "not JSON: line %d, column %d: %s", wrong.line, wrong.column,
                            stoa_quote(shown, sizeof(shown), wrong.text, strlen(wrong.text)));
    *out = root;
    return STOA_OK;
}

/* A json_dump_callback_t. */
static int append_text(const char *text, size_t nbytes, void *context)
{
    return stoa_buffer_append(context, text, nbytes, NULL) == STOA_OK ? 0 : -1;
}

enum stoa_status stoa_avro_json_append(struct stoa_buffer *out, const json_t *value,
                                       struct stoa_error *err)
{
    const size_t before = out->nbytes;

    if (json_dump_callback(value, append_text, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
        return STOA_OK;
    out->nbytes = before;
    return stoa_fail_nomem(err, 0);
}
