/*
 * Reading what a derived chunk is derived from (spec/encodings.md, section 2.15).
 */
#ifndef STOA_FILE_BASE_READ_H
#define STOA_FILE_BASE_READ_H

#include "file/bases.h"
#include "file/chunk_open.h"

/*
 * The bases of a chunk that is being read, which are other chunks of its row group. Each is read
 * when a page turns out to need it, once. Released with stoa_base_reader_reset(); `{0}` is empty.
 */
struct stoa_base_reader {
    struct stoa_base_source source; /* for the page decoder */
    struct stoa_reader *reader;
    uint32_t row_group;
    uint32_t nodes[STOA_NBASES];
    struct stoa_budget *budget;

    /* Set by the caller: rows that are wanted, and the pages around them. */
    struct stoa_range wanted;
    struct stoa_range covered;

    struct stoa_range page; /* that is decoded */
    const uint32_t *places; /* rows wanted of it; NULL: all */
    size_t nplaces;
    bool keep; /* as of stoa_chunk_take() */

    uint64_t *words[STOA_NBASES]; /* of the rows or places wanted; NULL: not read */
    uint32_t *keys;               /* of the rows covered; NULL: not read */
    uint32_t nkeys;
    uint64_t taken; /* of the budget, for these */
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
 * that is not derived. places[0..n) are rows of the page, of which alone values are taken, and stay
 * until the next page; NULL: all are decoded.
 */
struct stoa_base_source *stoa_base_reader_page(struct stoa_base_reader *bases,
                                               const struct stoa_open_chunk *in, uint32_t k,
                                               const uint32_t *places, size_t n);

/* As stoa_open_chunk_fail(), unless it is a base that failed: then the place is in that. */
enum stoa_status stoa_base_reader_fail(const struct stoa_base_reader *bases,
                                       const struct stoa_open_chunk *in, uint32_t k,
                                       enum stoa_status st, struct stoa_error *err);

/* As stoa_open_chunk_count(), and what was read of the bases. */
void stoa_base_reader_count(const struct stoa_base_reader *bases, const struct stoa_open_chunk *in,
                            struct stoa_read_counters *counters);

#endif
