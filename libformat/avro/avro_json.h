/*
 * JSON of Avro's schemas: jansson behind limits. This is the one header of the module that includes
 * it. jansson keeps its own allocator, malloc: setting another would change it for the whole
 * program.
 */
#ifndef STOA_AVRO_AVRO_JSON_H
#define STOA_AVRO_AVRO_JSON_H

#include <jansson.h>

#include "base/alloc.h"

#define STOA_AVRO_MAX_JSON_NBYTES (16u << 20)
#define STOA_AVRO_MAX_JSON_DEPTH  256u
#define STOA_AVRO_MAX_JSON_NODES  (1u << 20) /* values, keys of objects aside */

/*
 * JSON text of any kind of value as a tree, for json_decref(). Of keys that stand twice in an
 * object the last one counts; strings may have zero bytes. Size, depth and number of values are
 * checked before memory is taken. STOA_ERR_DATA says where it is no JSON; STOA_ERR_LIMIT;
 * STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_avro_json_load(const char *text, size_t nbytes, json_t **out,
                                                struct stoa_error *err);

/* Appends a value as compact text. */
STOA_CHECK enum stoa_status stoa_avro_json_append(struct stoa_buffer *out, const json_t *value,
                                                  struct stoa_error *err);

#endif
