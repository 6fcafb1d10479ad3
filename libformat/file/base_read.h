/*
 * Reading what a derived chunk is derived from (spec/encodings.md, section 2.15).
 */
#ifndef STOA_FILE_BASE_READ_H
#define STOA_FILE_BASE_READ_H

#include "file/bases.h"
#include "file/chunk_open.h"

/*
 * The bases of a chunk that is being read, which are other chunks of its row group. Each is read
 * when a page turns out to need it: words once, keys of single rows once a page. Released with
 * stoa_base_reader_reset(); `{0}` is empty.
 */
struct stoa_base_reader {
    struct stoa_base_source source; /* for the page decoder */
    struct stoa_reader *reader;
    uint32_t row_group;
    uint32_t nodes[STOA_NBASES];
    struct stoa_budget *budget;

    /* Set by the caller: rows that are wanted, and the pages around them; or single rows. */
    struct stoa_range wanted;
    struct stoa_range covered;
    const uint32_t *places;
    size_t nplaces;
    bool keep; /* as of stoa_chunk_take() */
    const struct stoa_columns_at_hand *at_hand;

    struct stoa_range page; /* that is decoded */
    size_t at, npage;       /* of the places, those in it */

    uint64_t *words[STOA_NBASES]; /* of all rows wanted; NULL: not read */
    uint32_t *keys;               /* of `keyed` rows; NULL: not read */
    uint32_t nkeys;
    struct stoa_range keyed;
    uint64_t keys_nbytes; /* of the budget, for the keys */
    struct stoa_read_counters counters;
    bool failed; /* what a page failed with is wrong with a base, and err->offset is set */
};

/* `chunk` is derived, or nobody asks. */
void stoa_base_reader_init(struct stoa_base_reader *bases, struct stoa_reader *reader,
                           uint32_t row_group, const struct stoa_chunk *chunk,
                           struct stoa_budget *budget);
void stoa_base_reader_reset(struct stoa_base_reader *bases);

/*
 * Where the bases of stored page k of the chunk come from, which is decoded next; NULL for a chunk
 * that is not derived. Where single rows are wanted, places[at, at + n) are in it.
 */
struct stoa_base_source *stoa_base_reader_page(struct stoa_base_reader *bases,
                                               const struct stoa_open_chunk *in, uint32_t k,
                                               size_t at, size_t n);

/* As stoa_open_chunk_fail(), unless it is a base that failed: then the place is in that. */
enum stoa_status stoa_base_reader_fail(const struct stoa_base_reader *bases,
                                       const struct stoa_open_chunk *in, uint32_t k,
                                       enum stoa_status st, struct stoa_error *err);

/* As stoa_open_chunk_count(), and what was read of the bases. */
void stoa_base_reader_count(const struct stoa_base_reader *bases, const struct stoa_open_chunk *in,
                            struct stoa_read_counters *counters);

#endif
