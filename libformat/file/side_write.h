/*
 * Side tables on their way into a file (spec/format.md, section 15).
 */
#ifndef STOA_FILE_SIDE_WRITE_H
#define STOA_FILE_SIDE_WRITE_H

#include <stoa/source_text.h>

#include "base/alloc.h"
#include "file/encoder_pool.h"
#include "file/layout.h"
#include "file/rules.h"

/*
 * Checks a side table for a row group of nrows rows of a schema of ncolumns columns.
 * STOA_ERR_USAGE: an entry that is not in order, of no such column, or of other values than its
 * kind has.
 */
STOA_CHECK enum stoa_status stoa_side_check(const struct stoa_side *side, uint32_t ncolumns,
                                            size_t nrows, struct stoa_error *err);

/* An entry with the bytes of its chunk, if it has any; entry.chunk.offset means nothing. */
struct stoa_side_part {
    struct stoa_side_entry entry;
    const uint8_t *bytes;
};

/*
 * Sets *body, which is empty, to the body of an object of these entries: the directory of
 * *dir_nbytes bytes, the chunks, padding. STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_side_build(struct stoa_side_part *parts, uint32_t nparts,
                                            struct stoa_buffer *body, uint32_t *dir_nbytes,
                                            struct stoa_error *err);

/*
 * The same of a checked side table, whose values are encoded and freed. STOA_ERR_LIMIT: a value too
 * long for a page beside others; STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_side_encode(struct stoa_encoder_pool *encoders,
                                             const struct stoa_rules *rules, struct stoa_side *side,
                                             struct stoa_buffer *body, uint32_t *dir_nbytes,
                                             struct stoa_error *err);

#endif
