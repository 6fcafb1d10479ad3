/*
 * JSON for programs: values that are put together and printed at once.
 */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

/* A value, owned by whoever holds it until it is put into another. NULL is memory that was out. */
struct json_t;

struct json_t *json_out_object(void);
struct json_t *json_out_array(void);
struct json_t *json_out_text(const char *text);
struct json_t *json_out_count(uint64_t n);
struct json_t *json_out_seconds(double seconds);
struct json_t *json_out_bool(bool value);

/* Put `value` into `object` or behind the others of `array`, and take it over in any case. */
void json_out_set(struct json_t *object, const char *key, struct json_t *value);
void json_out_append(struct json_t *array, struct json_t *value);

/* Prints on standard output with a line end and frees; false when memory was out. */
bool json_out_print(struct json_t *value);

#endif
