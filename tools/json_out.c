/*
 * JSON by jansson, the only file of the command that includes it.
 */
#include "json_out.h"

#include <jansson.h>
#include <string.h>

static bool out_of_memory;

static struct json_t *noted(struct json_t *value)
{
    out_of_memory |= value == NULL;
    return value;
}

struct json_t *json_out_object(void)
{
    return noted(json_object());
}

struct json_t *json_out_array(void)
{
    return noted(json_array());
}

struct json_t *json_out_text(const char *text)
{
    return json_out_bytes(text, strlen(text));
}

struct json_t *json_out_bytes(const char *text, size_t nbytes)
{
    struct json_t *value = json_stringn(text, nbytes);
    char quoted[NAME_NBYTES];

    if (value == NULL)
        value = json_string(stoa_quote(quoted, sizeof(quoted), text, nbytes));
    return noted(value);
}

/* jansson takes numbers up to INT64_MAX: no count of a file comes near. */
struct json_t *json_out_count(uint64_t n)
{
    return noted(json_integer((json_int_t)(n <= INT64_MAX ? n : INT64_MAX)));
}

struct json_t *json_out_seconds(double seconds)
{
    return noted(json_real(seconds));
}

struct json_t *json_out_bool(bool value)
{
    return json_boolean(value);
}

struct json_t *json_out_null(void)
{
    return json_null();
}

void json_out_set(struct json_t *object, const char *key, struct json_t *value)
{
    out_of_memory |= json_object_set_new_nocheck(object, key, value) != 0;
}

void json_out_append(struct json_t *array, struct json_t *value)
{
    out_of_memory |= json_array_append_new(array, value) != 0;
}

static enum exit_code print(struct json_t *value, FILE *out, size_t flags)
{
    bool done = !out_of_memory && json_dumpf(value, out, flags | JSON_REAL_PRECISION(6)) == 0;

    json_decref(value);
    if (done)
        fputc('\n', out);
    return done || ferror(out) ? EXIT_DONE : fail_memory(); /* finish_output() tells of the other */
}

void json_out_free(struct json_t *value)
{
    json_decref(value);
}

enum exit_code json_out_print(struct json_t *value)
{
    return print(value, stdout, JSON_INDENT(2));
}

enum exit_code json_out_print_line(struct json_t *value, FILE *out)
{
    return print(value, out, JSON_COMPACT);
}

enum exit_code json_out_print_done(struct json_t *report)
{
    json_out_set(report, "done", json_out_bool(true));
    return json_out_print_line(report, stderr);
}

enum exit_code json_out_report(struct json_t *report, bool is_wanted, bool is_done_line)
{
    enum exit_code code = EXIT_DONE;

    if (is_wanted)
        code = json_out_print(json_incref(report));
    if (is_done_line && code == EXIT_DONE)
        return json_out_print_done(report);
    json_decref(report);
    return code;
}
