/*
 * The inside of a reader: what its parts share.
 */
#ifndef STOA_FILE_READER_H
#define STOA_FILE_READER_H

#include <stoa/reader.h>

#include "file/dictionary_read.h"
#include "file/footer.h"
#include "file/kept.h"

/* What decoding a chunk needs besides its result; one thread at a time. */
struct stoa_read_scratch {
    struct stoa_decoder *decoder;
    struct stoa_buffer stored; /* pages as they lie in the file */
    struct stoa_buffer values; /* a page of values that are still to be widened */
    struct stoa_near near;     /* of single rows */
};

/* As many threads can read at once without making a scratch of their own each time. */
#define STOA_READER_NSCRATCHES 16

struct stoa_reader {
    struct stoa_footer footer;
    struct stoa_dictionaries dictionaries;
    struct stoa_keeper kept;  /* of single rows */
    struct stoa_once schema;  /* struct stoa_schema * */
    struct stoa_once sides;   /* struct stoa_sidedir_entry *, checked */
    struct stoa_once sources; /* struct stoa_source_index *, checked */
    struct stoa_once order;   /* struct stoa_sort_order *, checked */
    _Atomic(void *) scratches[STOA_READER_NSCRATCHES];
};

/* A scratch that nobody else uses, until it is given back. */
STOA_CHECK enum stoa_status stoa_reader_scratch_take(struct stoa_reader *reader,
                                                     struct stoa_read_scratch **out,
                                                     struct stoa_error *err);
void stoa_reader_scratch_give(struct stoa_reader *reader, struct stoa_read_scratch *scratch);

/* What stoa_reader_order() left there: row_order.c. */
void stoa_reader_order_free(struct stoa_reader *reader);

/* STOA_ERR_USAGE when one of them is not there. */
STOA_CHECK enum stoa_status stoa_reader_check(const struct stoa_reader *reader, uint32_t row_group,
                                              uint32_t node, struct stoa_error *err);

/* Puts "row group R: column NAME: " in front of the message. */
enum stoa_status stoa_reader_wrap(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                  enum stoa_status st, struct stoa_error *err);

/* Values [begin, end) of a chunk. */
struct stoa_range {
    uint32_t begin;
    uint32_t end;
};

/*
 * Columns that were read already at the same rows as those that are wanted now, from value `first`
 * of each on; {0} is one that was not. What is derived from them need not read them again.
 */
struct stoa_columns_at_hand {
    const uint32_t *nodes;
    const struct stoa_array *arrays;
    uint32_t n;
    size_t first;
};

/*
 * Values of the chunk of `node` in `row_group`, all arguments in range; perhaps none: chunk_read.c.
 * *out is overwritten on success. Where the node has children they are left out: a struct or
 * fixed_list is a bitmap then, a list or map offsets too, and *children is set to the values of its
 * child that belong to the values read. `budget` is what may be allocated; `at_hand` may be NULL.
 */
STOA_CHECK enum stoa_status stoa_chunk_read(
    struct stoa_reader *reader, uint32_t row_group, uint32_t node, struct stoa_range values,
    struct stoa_budget *budget, const struct stoa_columns_at_hand *at_hand, struct stoa_array *out,
    struct stoa_range *children, struct stoa_read_counters *counters, struct stoa_error *err);

/*
 * The codes of values of a chunk that has a dictionary, so that equal values have equal codes, less
 * than *ncodes; a null has that of 0 or of an empty text: chunk_codes.c. *codes is the caller's;
 * NULL for a chunk without a dictionary, or of wider values than 64 bits. Entries are only looked
 * at where there are nulls.
 */
STOA_CHECK enum stoa_status stoa_chunk_codes(struct stoa_reader *reader, uint32_t row_group,
                                             uint32_t node, struct stoa_range values,
                                             struct stoa_budget *budget, uint32_t **codes,
                                             uint32_t *ncodes, struct stoa_read_counters *counters,
                                             struct stoa_error *err);

/*
 * The values at nplaces > 0 rising places of the chunk of a node without children, all arguments in
 * range, without decoding the others where the encodings allow it: chunk_take.c. `at_hand` and
 * `counters` may be NULL.
 */
STOA_CHECK enum stoa_status stoa_chunk_take(struct stoa_reader *reader, uint32_t row_group,
                                            uint32_t node, const uint32_t *places, size_t nplaces,
                                            bool keep, const struct stoa_columns_at_hand *at_hand,
                                            struct stoa_array *out,
                                            struct stoa_read_counters *counters,
                                            struct stoa_error *err);

/*
 * All values of a chunk that belongs to no node, as those of a leaf `column`, a value a row:
 * chunk_read.c. `chunk` has no shared dictionary and is checked.
 */
STOA_CHECK enum stoa_status stoa_chunk_read_alone(struct stoa_reader *reader,
                                                  const struct stoa_column *column,
                                                  const struct stoa_chunk *chunk, uint32_t nrows,
                                                  struct stoa_budget *budget,
                                                  struct stoa_array *out, struct stoa_error *err);

/*
 * The same with all that is below the node: nodes_read.c. STOA_ERR_CORRUPT where a child is not
 * null and its struct or fixed_list is, or the other way round where it must not.
 */
STOA_CHECK enum stoa_status stoa_node_read(struct stoa_reader *reader, uint32_t row_group,
                                           uint32_t node, struct stoa_range values,
                                           struct stoa_array *out,
                                           struct stoa_read_counters *counters,
                                           struct stoa_error *err);

#endif
