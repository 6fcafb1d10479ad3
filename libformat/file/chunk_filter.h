/*
 * One leaf of a predicate on chunks as they are stored.
 *
 *     trip_distance > 10.6   a chunk with a dictionary   each entry is tested once, then codes are
 *                            any other of numbers        bounds become bounds of what is stored
 *     name = 'Stoa'          texts without a dictionary  lengths, numbers and what texts have in
 *                                                        common decide; others a block at a time
 *                            all others, and derived     not here: decode and stoa_leaf_eval()
 *
 * What passes is what stoa_leaf_eval() says of the decoded values, null, NaN and -0.0 included.
 */
#ifndef STOA_FILE_CHUNK_FILTER_H
#define STOA_FILE_CHUNK_FILTER_H

#include <stdatomic.h>

#include <stoa/reader.h>

#include "stats/matcher.h"

/*
 * A leaf and what was found out about shared dictionaries, for any number of threads. {leaf, type}
 * is ready; both are borrowed. Released by stoa_chunk_filter_reset().
 */
struct stoa_chunk_filter {
    const struct stoa_leaf *leaf;
    const struct stoa_type *type; /* of its node */
    _Atomic(void *) codes;        /* the passing codes of each shared dictionary that was met */
};
void stoa_chunk_filter_reset(struct stoa_chunk_filter *filter);

/*
 * Tests rows [rows.begin, rows.end) of a node that has a value a row; all arguments in range.
 *
 * wanted  a bit for each row: pages without a wanted one are not read, their rows do not pass
 * out     a bit for each row, those behind the last are cleared
 * *done   false: this leaf needs the values of this chunk, and nothing was written
 *
 * counters may be NULL. Errors as of stoa_reader_node().
 * Cost: reads and verifies pages; decodes a number only where a bound runs through its block, and
 * a text only where a wanted one of its block may pass by its length.
 */
STOA_CHECK enum stoa_status stoa_chunk_filter_eval(struct stoa_chunk_filter *filter,
                                                   struct stoa_reader *reader, uint32_t row_group,
                                                   uint32_t node, struct stoa_rows rows,
                                                   const uint8_t *wanted, uint8_t *out, bool *done,
                                                   struct stoa_read_counters *counters,
                                                   struct stoa_error *err);

struct stoa_code_set;
struct stoa_open_chunk;
struct stoa_test;

/*
 * The codes that pass of an open chunk whose dictionary was read: SPANS or CODES, not inverted, all
 * of the dictionary; NULL when the leaf needs the values of the chunk. What belongs to the chunk
 * alone is in *own, NULL before: the caller's to free, after a failure too.
 */
STOA_CHECK enum stoa_status stoa_chunk_filter_codes(struct stoa_chunk_filter *filter,
                                                    const struct stoa_open_chunk *in,
                                                    struct stoa_code_set **own,
                                                    const struct stoa_test **out,
                                                    struct stoa_error *err);
void stoa_code_set_free(struct stoa_code_set *set);

#endif
