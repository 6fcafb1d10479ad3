/*
 * What of a writer is not public: other rules than the usual ones, for tests, batches that are
 * given away, and its memory.
 */
#ifndef STOA_FILE_WRITER_H
#define STOA_FILE_WRITER_H

#include <stoa/writer.h>

#include "base/crew.h"
#include "file/rules.h"

/* Like stoa_writer_open(); `rules` are borrowed. */
STOA_CHECK enum stoa_status
stoa_writer_open_rules(struct stoa_sink *sink, const struct stoa_schema *schema,
                       const struct stoa_writer_options *options, const struct stoa_rules *rules,
                       struct stoa_writer **out, struct stoa_error *err);

/* Who shares the work of prepare and encode; NULL: nobody. Beside no other call. */
void stoa_writer_set_crew(struct stoa_writer *writer, struct stoa_crew *crew);

/*
 * The row groups that stoa_writer_append() writes, for who writes them by the four steps. One
 * thread at a time, beside any of the steps.
 *
 * collect takes rows of `batch` from *begin on, up to the end of the batch or of the row group, and
 * moves *begin behind them. When the row group is full *out has its rows; else *out is untouched.
 * Columns that fit as they are are taken over: once begun, a batch is only good for further calls
 * and for stoa_batch_reset(). collect_rest gives out what is left, if anything is.
 */
STOA_CHECK enum stoa_status stoa_writer_collect(struct stoa_writer *writer,
                                                struct stoa_batch *batch, size_t *begin,
                                                struct stoa_batch *out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_writer_collect_rest(struct stoa_writer *writer,
                                                     struct stoa_batch *out,
                                                     struct stoa_error *err);

/*
 * Bytes of memory that the writer keeps besides row groups on their way, about: dictionaries, their
 * second copies, the footer. Any thread.
 */
uint64_t stoa_writer_kept_nbytes(const struct stoa_writer *writer);

#endif
