/*
 * The rows of a file with some of its columns given anew: how a column gets its final type when the
 * type it was read with turned out not to hold all of its values.
 *
 *     old   [a | b | c]  [a | b | c]  ..      given: b, of another type
 *     new   [a | b'| c]  [a | b'| c]  ..      a and c: chunks and dictionary segments as bytes
 *
 * The new file is the one that a writer makes of the same rows under the new schema, byte for byte:
 * what is stored of a column follows from its own values in the order of the row groups, and where
 * other columns matter too, rewrite_plan.h adds it to those that are given.
 *
 * The steps are those of stoa/writer.h: prepare and encode on any thread, sequence and commit in
 * the order of the row groups.
 */
#ifndef STOA_FILE_REWRITE_H
#define STOA_FILE_REWRITE_H

#include <stoa/reader.h>
#include <stoa/writer.h>

#include "file/rewrite_plan.h"

struct stoa_rewriter;

/*
 * Writes to `sink`, which is empty, what a finished plan says. All is borrowed.
 * STOA_ERR_CORRUPT from here on: the file is damaged.
 */
STOA_CHECK enum stoa_status stoa_rewriter_open(struct stoa_sink *sink,
                                               const struct stoa_rewrite_plan *plan,
                                               struct stoa_rewriter **out, struct stoa_error *err);

/* The schema of the batches: the columns that the plan reads, of their new types. */
const struct stoa_schema *stoa_rewriter_schema(const struct stoa_rewriter *rewriter);

/* Row group `number` of the file; takes over the batch's columns on success. */
STOA_CHECK enum stoa_status stoa_rewriter_prepare(struct stoa_rewriter *rewriter, uint32_t number,
                                                  struct stoa_batch *batch,
                                                  struct stoa_writer_group **out,
                                                  struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_rewriter_sequence(struct stoa_rewriter *rewriter,
                                                   struct stoa_writer_group *group,
                                                   struct stoa_error *err);
/*
 * Gives a prepared row group its side table, of which nothing is copied; it is checked and taken
 * over as by stoa_writer_group_set_side(), and may tell of all columns of the schema.
 */
STOA_CHECK enum stoa_status stoa_rewriter_set_side(struct stoa_rewriter *rewriter,
                                                   struct stoa_writer_group *group,
                                                   struct stoa_side *side, struct stoa_error *err);

STOA_CHECK enum stoa_status stoa_rewriter_encode(struct stoa_rewriter *rewriter,
                                                 struct stoa_writer_group *group,
                                                 struct stoa_error *err);

/* Copies the rest of the row group; frees the group in any case. */
STOA_CHECK enum stoa_status stoa_rewriter_commit(struct stoa_rewriter *rewriter,
                                                 struct stoa_writer_group *group,
                                                 struct stoa_error *err);

/* As stoa_writer_add_sources(); none are copied. */
STOA_CHECK enum stoa_status stoa_rewriter_add_sources(struct stoa_rewriter *rewriter,
                                                      const struct stoa_source_info *infos,
                                                      size_t n, struct stoa_error *err);

/* Writes the footer, once all row groups are committed. The sink is not committed. */
STOA_CHECK enum stoa_status stoa_rewriter_finish(struct stoa_rewriter *rewriter,
                                                 struct stoa_error *err);

void stoa_rewriter_close(struct stoa_rewriter *rewriter);

#endif
