/*
 * Values from their JSON text: what columns that are such text are written from.
 */
#ifndef STOA_AVRO_AVRO_JSON_PARSE_H
#define STOA_AVRO_AVRO_JSON_PARSE_H

#include "avro/avro_type.h"

/*
 * Appends the value of a type that a text says in Avro's encoding of JSON, as
 * stoa_avro_append_json() writes it; blanks may stand in between. Fields of a record stand in their
 * order. Items of arrays that have no bytes are added to *nempty, which is STOA_ERR_LIMIT above
 * STOA_AVRO_MAX_EMPTY_ITEMS. STOA_ERR_DATA tells the place in the text and what is expected there;
 * *out may have some of the value then.
 */
STOA_CHECK enum stoa_status stoa_avro_parse_json(const struct stoa_avro_type *type,
                                                 const char *text, size_t nbytes,
                                                 struct stoa_buffer *out, uint32_t *nempty,
                                                 struct stoa_error *err);

#endif
