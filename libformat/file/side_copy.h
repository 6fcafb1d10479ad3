/*
 * Source text on its way from one file into another: merging and recovering.
 */
#ifndef STOA_FILE_SIDE_COPY_H
#define STOA_FILE_SIDE_COPY_H

#include "file/assemble.h"
#include "file/side_read.h"

/*
 * Writes an open side table as that of the row group that the assembler has written last. All of it
 * is verified and held in memory. Of `footer` only the source is looked at. STOA_ERR_LIMIT: more
 * than memory_nbytes; STOA_ERR_CORRUPT: a hash differs; those of the sink.
 */
STOA_CHECK enum stoa_status stoa_side_copy(const struct stoa_footer *footer,
                                           const struct stoa_side_object *object,
                                           uint64_t memory_nbytes, struct stoa_assembler *assembler,
                                           struct stoa_error *err);

/*
 * Whether the rows of a file still give the text that they were read from when they stand in
 * columns of another schema: the columns are the same, their types print values the same way, and
 * what their metadata says of the text is kept.
 */
bool stoa_schema_keeps_text(const struct stoa_schema *from, const struct stoa_schema *to);

/*
 * Adds all sources of a file, whose rows stand `row` rows further on in the other one. With an
 * obstacle (a flag that says why) they are no longer complete.
 */
STOA_CHECK enum stoa_status stoa_sources_copy(struct stoa_reader *reader, uint64_t row,
                                              uint32_t obstacle, struct stoa_assembler *assembler,
                                              struct stoa_error *err);

#endif
