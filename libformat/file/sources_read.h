/*
 * The table of sources of a file (spec/format.md, section 15), for those who look at all of it.
 */
#ifndef STOA_FILE_SOURCES_READ_H
#define STOA_FILE_SOURCES_READ_H

#include "file/reader.h"

/*
 * Calls `visit` with every source in order, lent until it returns; one block is in memory at a
 * time. The errors are those of stoa_reader_sources() and of `visit`. Checks what single blocks
 * do not tell: that rows of sources follow each other all through the file.
 */
STOA_CHECK enum stoa_status
stoa_sources_each(struct stoa_reader *reader,
                  enum stoa_status (*visit)(void *context, const struct stoa_source_info *info,
                                            struct stoa_error *err),
                  void *context, struct stoa_error *err);

/* Frees what reader->sources points to. */
void stoa_source_index_free(void *index);

#endif
