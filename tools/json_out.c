/*
 * JSON by jansson, the only file of the command that includes it.
 */
#include "json_out.h"

#include <jansson.h>
#include <stdio.h>

/* jansson takes numbers up to INT64_MAX: no count of a file comes near. */
struct json_t *json_out_count(uint64_t n)
{
    return json_integer((json_int_t)(n <= INT64_MAX ? n : INT64_MAX));
}

struct json_t *json_out_object(void)
{
    return json_object();
}

struct json_t *json_out_array(void)
{
    return json_array();
}

struct json_t *json_out_text(const char *text)
{
    return json_string(text);
}

struct json_t *json_out_seconds(double seconds)
{
    return json_real(seconds);
}

struct json_t *json_out_bool(bool value)
{
    return json_boolean(value);
}

void json_out_set(struct json_t *object, const char *key, struct json_t *value)
{
    json_object_set_new(object, key, value != NULL ? value : json_null());
}

void json_out_append(struct json_t *array, struct json_t *value)
{
    json_array_append_new(array, value != NULL ? value : json_null());
}

bool json_out_print(struct json_t *value)
{
    bool done =
        value != NULL && json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;

    if (done)
        putchar('\n');
    json_decref(value);
    return done;
}
