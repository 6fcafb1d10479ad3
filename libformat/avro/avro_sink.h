/*
 * Container files as a sink of batches (spec/avro.md, "Writing"): rows are encoded and blocks
 * compressed by any thread, and written in order.
 */
#ifndef STOA_AVRO_AVRO_SINK_H
#define STOA_AVRO_AVRO_SINK_H

#include <stoa/avro.h>
#include <stoa/io.h>

#include "column/source.h"

/* STOA_ERR_USAGE: a codec that there is not, a level that it does not have. */
STOA_CHECK enum stoa_status stoa_avro_check_codec(const struct stoa_avro_write_options *options,
                                                  struct stoa_error *err);

/*
 * Writes a file with the columns of a schema to `sink`; both are borrowed, and so are the texts of
 * the options. `name` is that of the record where a schema is made. The header is written with the
 * first rows, or at the end. STOA_ERR_USAGE: as stoa_avro_check_codec(), and metadata that is
 * damaged; those of stoa_avro_make_schema().
 */
STOA_CHECK enum stoa_status stoa_avro_sink_open(struct stoa_sink *sink,
                                                const struct stoa_schema *columns, const char *name,
                                                const struct stoa_avro_write_options *options,
                                                struct stoa_batch_sink **out,
                                                struct stoa_error *err);

#endif
