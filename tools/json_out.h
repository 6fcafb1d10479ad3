/*
 * JSON for programs: values that are put together and printed at once.
 *
 * Memory that runs out on the way is remembered and said when the value is printed, so that nothing
 * in between needs a check and no document comes out with holes.
 */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

/* A value, owned by whoever holds it until it is put into another. */
struct json_t;

struct json_t *json_out_object(void);
struct json_t *json_out_array(void);
/* Text that is not UTF-8 (names of files may be anything) is printed as stoa_quote() shows it. */
struct json_t *json_out_text(const char *text);
/* The same for text that may have zero bytes. */
struct json_t *json_out_bytes(const char *text, size_t nbytes);
struct json_t *json_out_count(uint64_t n);
struct json_t *json_out_seconds(double seconds);
struct json_t *json_out_bool(bool value);
struct json_t *json_out_null(void);

/* Put `value` into `object` or behind the others of `array`, and take it over in any case. */
void json_out_set(struct json_t *object, const char *key, struct json_t *value);
void json_out_append(struct json_t *array, struct json_t *value);

/* Frees a value that is not printed; NULL is fine. */
void json_out_free(struct json_t *value);

/* Prints with a line end, indented or in one line, and frees. */
enum exit_code json_out_print(struct json_t *value);
enum exit_code json_out_print_line(struct json_t *value, FILE *out);

/* The last line of `--progress json`: a report, with "done" behind it, on stderr; frees. */
enum exit_code json_out_print_done(struct json_t *report);

/* A report as `--json` prints it, as that last line, or both; frees. */
enum exit_code json_out_report(struct json_t *report, bool is_wanted, bool is_done_line);

#endif
