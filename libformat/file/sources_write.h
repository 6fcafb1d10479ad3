/*
 * The table of sources of a file that is being written (spec/format.md, section 15): blocks of
 * many sources each, which are made as they come.
 *
 *     for each source: stoa_sources_add(); when it says so, stoa_sources_flush() gives a block
 *     stoa_sources_flush() once more at the end
 *
 * One thread at a time.
 */
#ifndef STOA_FILE_SOURCES_WRITE_H
#define STOA_FILE_SOURCES_WRITE_H

#include <stoa/source_text.h>

#include "base/alloc.h"
#include "file/layout.h"

enum {
    STOA_SOURCE_NBYTES,
    STOA_SOURCE_HASH,
    STOA_SOURCE_SKIPPED, /* rows between it and the source before */
    STOA_SOURCE_NROWS,
    STOA_SOURCE_FLAG_BITS,
    STOA_SOURCE_LENGTHS, /* of each text, */
    STOA_SOURCE_NTEXTS = 5,
    STOA_SOURCE_TEXTS = STOA_SOURCE_LENGTHS + STOA_SOURCE_NTEXTS, /* and these */
    STOA_SOURCE_NPARTS = STOA_SOURCE_TEXTS + STOA_SOURCE_NTEXTS,
    STOA_SOURCE_FIXED_NBYTES = 64, /* of a source, beside its texts */
};

/* `{0}` is empty; free with stoa_sources_reset(). */
struct stoa_sources_writer {
    struct stoa_buffer parts[STOA_SOURCE_NPARTS]; /* of the block that is collected */
    uint32_t count;                               /* sources in it */
    uint64_t nbytes;                              /* and bytes of their texts */
    uint64_t row;                                 /* first row of its first source */
    uint64_t end_row;                             /* where the last source ends */
    uint64_t nsources;                            /* all, those in blocks too */
};

/*
 * Copies a source into the block. *full is set when the block should be flushed before the next.
 * STOA_ERR_USAGE: rows that do not follow those of the source before, flags that are not given,
 * texts that are not UTF-8; STOA_ERR_LIMIT: more than STOA_SOURCE_MAX_NBYTES; STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_sources_add(struct stoa_sources_writer *sources,
                                             const struct stoa_source_info *info, bool *full,
                                             struct stoa_error *err);

/* Appends the block to *out, if it has sources, and empties it. On failure *out is as it was. */
STOA_CHECK enum stoa_status stoa_sources_flush(struct stoa_sources_writer *sources,
                                               struct stoa_buffer *out, struct stoa_error *err);
void stoa_sources_reset(struct stoa_sources_writer *sources);

/* Memory that it takes, about. */
uint64_t stoa_sources_memory(const struct stoa_sources_writer *sources);

#endif
