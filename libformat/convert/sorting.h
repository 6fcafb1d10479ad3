/*
 * Sorting the rows of a run in bounded memory.
 *
 *     source -> row groups -> each sorted, in a temporary file        runs
 *     runs -[ many at a time ]-> longer runs, in another one          as long as there are too many
 *     runs -[ all that are left ]-> batches in order                  the source that comes out
 *
 * The temporary files are Stoa files without names: every type, the pages that are read of a part
 * of a run, and the check of each byte by its hash are theirs. Rows that are equal in all keys come
 * in the order of the input. Where a batch ends follows from the rows in order and the limits of
 * row groups alone, so that nothing shows how much memory there was, or how many threads.
 */
#ifndef STOA_CONVERT_SORTING_H
#define STOA_CONVERT_SORTING_H

#include <stoa/order.h>

#include "convert/run.h"

/*
 * Reads all that the source of `run` gives, filtered as it says, and sets *out to a source of its
 * schema and its row groups, in order. run->sink is not used; what is borrowed by `run`, and
 * `order`, which is one of run->schema, must outlive *out, run->source aside.
 *
 * Errors: those of stoa_run(); STOA_ERR_IO of temporary files, which stand where io/spill.h says.
 * Memory: run->memory bounds each step; a part of it holds the keys of runs that are merged.
 * Disk: what the rows take as they are, and twice that while runs are merged into longer ones.
 */
STOA_CHECK enum stoa_status stoa_sort_run(const struct stoa_run *run,
                                          const struct stoa_sort_order *order,
                                          struct stoa_batch_source **out, struct stoa_error *err);

#endif
