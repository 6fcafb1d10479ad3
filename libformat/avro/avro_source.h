/*
 * Avro files as a source of batches: their blocks are read in order and decoded by any thread.
 */
#ifndef STOA_AVRO_AVRO_SOURCE_H
#define STOA_AVRO_AVRO_SOURCE_H

#include <stoa/avro.h>

#include "avro/avro_container.h"
#include "column/source.h"

/*
 * What the metadata of the columns' schema keeps of the file, so that it can be written again: the
 * text of the writer's schema, the codec, and each pair of the file's own metadata, its value as
 * text where it is UTF-8 and as base64 where it is not.
 */
#define STOA_AVRO_METADATA_SCHEMA "avro.schema"
#define STOA_AVRO_METADATA_CODEC  "avro.codec"
#define STOA_AVRO_METADATA_TEXT   "avro.text:"
#define STOA_AVRO_METADATA_BASE64 "avro.base64:"

/* The inputs of a conversion, of which the first is open. */
struct stoa_avro_inputs;

/*
 * Opens the first of them and reads its schema; `paths` is borrowed. "-" is standard input. All
 * inputs are read as `schema`, the text of one of Avro, or as what the first one has: NULL. With
 * `skips_blocks` a source leaves out blocks that are damaged; what can be read only once is copied
 * to a temporary file for that. Unless `first` or *first is NULL the first one was opened by its
 * path already: it is taken, and *first is NULL.
 * Errors: those of stoa_stream_open(), of container files and schemas, with the input's name.
 */
STOA_CHECK enum stoa_status stoa_avro_inputs_open(const char *const *paths, size_t npaths,
                                                  const char *schema, bool skips_blocks,
                                                  struct stoa_members **first,
                                                  struct stoa_avro_inputs **out,
                                                  struct stoa_error *err);
void stoa_avro_inputs_close(struct stoa_avro_inputs *inputs); /* NULL is fine */

/*
 * The schema of all columns, with what is kept of the first file in its metadata; where a schema
 * was given it stands there for the file's.
 */
const struct stoa_schema *stoa_avro_inputs_schema(const struct stoa_avro_inputs *inputs);

struct stoa_avro_source_options {
    const uint32_t *columns; /* of the schema, in the order wanted */
    uint32_t ncolumns;
    uint32_t unit_nrows;  /* of a unit at the most */
    uint64_t unit_nbytes; /* of rows in memory that come out of one large block, about */
    /* Of the only input, a file: the blocks whose preceding marker begins in [begin, end); end 0:
     * all */
    uint64_t split_begin, split_end;
    uint64_t max_row_nbytes; /* a longer row is STOA_ERR_LIMIT; 0: 32 MiB; at most 512 MiB */
    /* One more place where blocks are left out ends the run; 0: any number. Of a unit those that
     * are found when heads are read come before those in data. */
    uint64_t max_lost;
    void (*note)(void *context, const char *message); /* or NULL */
    void *note_context;
};

/*
 * Takes the inputs over when it succeeds. STOA_ERR_USAGE: a split of something else than one file
 * that is Avro as it stands. With `skips_blocks` the rows are those of whole blocks, a
 * note tells each of the first hundred places where others were left out, and why.
 */
STOA_CHECK enum stoa_status stoa_avro_source_open(struct stoa_avro_inputs *inputs,
                                                  const struct stoa_avro_source_options *options,
                                                  struct stoa_batch_source **out,
                                                  struct stoa_error *err);

/* What was left out so far, with `skips_blocks`. */
void stoa_avro_source_lost(const struct stoa_batch_source *source, struct stoa_avro_lost *out);

#endif
