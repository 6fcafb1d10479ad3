/*
 * What of a writer is not public: other rules than the usual ones, for tests, batches that are
 * given away, and its memory.
 */
#ifndef STOA_FILE_WRITER_H
#define STOA_FILE_WRITER_H

#include <stoa/writer.h>

#include "file/rules.h"

/* Like stoa_writer_open(); `rules` are borrowed. */
STOA_CHECK enum stoa_status
stoa_writer_open_rules(struct stoa_sink *sink, const struct stoa_schema *schema,
                       const struct stoa_writer_options *options, const struct stoa_rules *rules,
                       struct stoa_writer **out, struct stoa_error *err);

/*
 * stoa_writer_append() that takes over the columns of the batch where all its rows fit the row
 * group as they are, instead of a copy. The batch is the caller's to reset, whatever is left in it.
 */
STOA_CHECK enum stoa_status stoa_writer_append_owned(struct stoa_writer *writer,
                                                     struct stoa_batch *batch,
                                                     struct stoa_error *err);

/*
 * Bytes of memory that the writer keeps besides row groups on their way, about: dictionaries, their
 * second copies, the footer. Any thread.
 */
uint64_t stoa_writer_kept_nbytes(const struct stoa_writer *writer);

#endif
