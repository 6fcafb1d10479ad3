/*
 * A chunk that is being read: what the footer, its head and its dictionary say, and its pages as
 * they are stored. What becomes of the values is the affair of chunk_read.c, chunk_filter.c and
 * chunk_take.c.
 */
#ifndef STOA_FILE_CHUNK_OPEN_H
#define STOA_FILE_CHUNK_OPEN_H

#include "file/chunk_pages.h"
#include "file/reader.h"

struct stoa_open_chunk {
    struct stoa_reader *reader;
    const struct stoa_column *column;
    const struct stoa_chunk *chunk;
    uint32_t row_group;
    uint32_t node;
    enum stoa_phys phys; /* of the chunk */
    uint32_t width;      /* of a value of the chunk; 0 for BYTES and NONE */
    uint32_t nrows;      /* of the row group */
    uint32_t nvalues;    /* of the chunk */
    struct stoa_budget *budget;
    struct stoa_read_scratch *scratch;
    struct stoa_chunk_pages pages;
    const struct stoa_dictionary *dictionary; /* of a chunk that has one: shared, or its own */
    uint32_t ncodes;
    struct stoa_dictionary own_dictionary;

    /* Of single rows: whose `pages` are those above, the page of the row, and of dictionaries: */
    struct stoa_kept *head;
    struct stoa_kept *page;
    bool page_is_again; /* it was kept before */
    bool page_is_plain; /* of a derived chunk: it is made of the values */
    const struct stoa_dictionary_table *segments;
    struct stoa_kept *entries; /* a page of a segment */
    struct stoa_kept *own;     /* the chunk's own page, of nown values behind the shared ones */
    uint32_t nown;
    bool is_told; /* where an entry was that failed: it is not in the page of its code */

    uint64_t nread;    /* bytes */
    uint64_t ndecoded; /* pages */
};

/*
 * Looks up the chunk of `node` in `row_group`, both in range. `in` is overwritten on success, holds
 * nothing yet and borrows `budget`.
 */
STOA_CHECK enum stoa_status stoa_open_chunk_find(struct stoa_open_chunk *in,
                                                 struct stoa_reader *reader, uint32_t row_group,
                                                 uint32_t node, struct stoa_budget *budget,
                                                 struct stoa_error *err);

/*
 * Sets in->ncodes to the number of entries that the dictionary of a chunk has, after its head,
 * without loading them.
 */
STOA_CHECK enum stoa_status stoa_open_chunk_ncodes(struct stoa_open_chunk *in,
                                                   struct stoa_error *err);

/*
 * Reads the head of a chunk that has pages; then its dictionary, if it has one. Released by
 * stoa_open_chunk_reset(), after a failure too; what both of them read is counted in *in.
 */
STOA_CHECK enum stoa_status stoa_open_chunk_head(struct stoa_open_chunk *in,
                                                 struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_open_chunk_dictionary(struct stoa_open_chunk *in,
                                                       struct stoa_error *err);
void stoa_open_chunk_reset(struct stoa_open_chunk *in);

/*
 * The same for single rows: chunk_kept.c. Heads and pages, of dictionaries too, are found in what
 * the reader keeps, or read, verified and kept. `ncodes` are those of the shared dictionary alone,
 * and `dictionary` is NULL unless it is loaded already; the chunk's own has nown codes behind them.
 * in->page, once asked for, is stored page k without compression, until the next one.
 */
STOA_CHECK enum stoa_status stoa_open_chunk_kept(struct stoa_open_chunk *in,
                                                 struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_open_chunk_kept_page(struct stoa_open_chunk *in, uint32_t k,
                                                      struct stoa_error *err);

/*
 * Of a derived chunk: what is kept of in->page from now on is a PLAIN page of its values, which are
 * computed from `bases`.
 */
STOA_CHECK enum stoa_status stoa_open_chunk_keep_values(struct stoa_open_chunk *in, uint32_t k,
                                                        struct stoa_base_source *bases,
                                                        struct stoa_error *err);

/*
 * The value of a code less than ncodes + nown: `out` as in stoa_page_take(), for one value. Text
 * that must be UTF-8 is.
 */
STOA_CHECK enum stoa_status stoa_open_chunk_entry(struct stoa_open_chunk *in, uint32_t code,
                                                  struct stoa_page_values *out,
                                                  struct stoa_error *err);

/* Adds what was read to *counters, which may be NULL. */
void stoa_open_chunk_count(const struct stoa_open_chunk *in, struct stoa_read_counters *counters);

/* Which stored page holds a value; the values [*begin, *begin + *n) of a stored page of values. */
static inline uint32_t stoa_open_chunk_local(const struct stoa_open_chunk *in)
{
    return in->chunk->flags & STOA_CHUNK_LOCAL_DICT ? 1 : 0;
}
static inline uint32_t stoa_open_chunk_page(const struct stoa_open_chunk *in, uint32_t value)
{
    return stoa_open_chunk_local(in) + (value >> in->chunk->page_shift);
}
static inline void stoa_open_chunk_values(const struct stoa_open_chunk *in, uint32_t page,
                                          uint32_t *begin, uint32_t *n)
{
    uint32_t most = UINT32_C(1) << in->chunk->page_shift;

    *begin = (page - stoa_open_chunk_local(in)) << in->chunk->page_shift;
    *n = in->nvalues - *begin < most ? in->nvalues - *begin : most;
}

/* The end of the run of stored pages from `begin` on that one fetch takes, at most `end`. */
uint32_t stoa_open_chunk_run(const struct stoa_open_chunk *in, uint32_t begin, uint32_t end);

/* Reads stored pages [begin, end) into scratch->stored; hashes are not looked at. */
STOA_CHECK enum stoa_status stoa_open_chunk_fetch(struct stoa_open_chunk *in, uint32_t begin,
                                                  uint32_t end, struct stoa_error *err);

/* The bytes of stored page k in a run that was fetched from page `first` on. */
static inline const uint8_t *stoa_open_chunk_bytes(const struct stoa_open_chunk *in, uint32_t first,
                                                   uint32_t k)
{
    return in->scratch->stored.data + (in->pages.pages[k].offset - in->pages.pages[first].offset);
}

/* What stored page k failed with becomes a place in the file. Returns st. */
enum stoa_status stoa_open_chunk_fail(const struct stoa_open_chunk *in, uint32_t k,
                                      enum stoa_status st, struct stoa_error *err);

/* The most bytes that the payloads of stored page k may take. */
static inline uint64_t stoa_open_chunk_raw_max(const struct stoa_open_chunk *in, uint32_t k)
{
    uint32_t raw_max = in->pages.pages[k].raw_max;

    return raw_max < in->budget->total ? raw_max : in->budget->total;
}

#endif
