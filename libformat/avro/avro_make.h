/*
 * The schema of Avro that columns are written with (spec/avro.md, "Writing").
 *
 *     columns, a kept schema that fits them  ->  its text, or a record of some of its fields
 *     columns                                ->  a record that is made for them
 */
#ifndef STOA_AVRO_AVRO_MAKE_H
#define STOA_AVRO_AVRO_MAKE_H

#include <stoa/schema.h>

#include "avro/avro_type.h"

/*
 * Appends the document of a schema for the columns; `name` is that of a record that is made, and is
 * made to fit. *kept, unless NULL, tells whether it is the text that the metadata of the columns
 * keeps, as it was.
 * Read with stoa_avro_schema_parse() it goes with stoa_avro_encoder_init(). STOA_ERR_NOMEM,
 * STOA_ERR_LIMIT: it is more than can be read.
 */
STOA_CHECK enum stoa_status stoa_avro_make_schema(const struct stoa_schema *columns,
                                                  const char *name, struct stoa_buffer *out,
                                                  bool *kept, struct stoa_error *err);

#endif
