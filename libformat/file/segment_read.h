/*
 * A segment of a shared dictionary as it is stored: where its pages are (spec/format.md,
 * "Dictionaries").
 */
#ifndef STOA_FILE_SEGMENT_READ_H
#define STOA_FILE_SEGMENT_READ_H

#include "codec/encoding.h"
#include "file/chunk_pages.h"
#include "file/layout.h"

struct stoa_dictionary_table;

struct stoa_segment {
    struct stoa_chunk_pages pages; /* one behind the other */
    uint64_t raw_nbytes;           /* of all values */
};

/*
 * Reads head and page table of segment `index` from its object at `offset`, the first one or the
 * copy, verified and checked. *out is overwritten on success; stoa_chunk_pages_reset() releases its
 * pages. STOA_ERR_CORRUPT also when its values have another type, or width unless they are BYTES.
 */
STOA_CHECK enum stoa_status stoa_segment_read(const struct stoa_footer *footer,
                                              struct stoa_near *near,
                                              const struct stoa_dictionary_table *table,
                                              uint32_t index, uint64_t offset, enum stoa_phys phys,
                                              uint32_t width, struct stoa_segment *out,
                                              struct stoa_error *err);

/* How many pages `count` values take, and how many values page k of them has. */
static inline uint32_t stoa_segment_npages(uint32_t count)
{
    return (uint32_t)(((uint64_t)count + STOA_DICT_PAGE_NVALUES - 1) / STOA_DICT_PAGE_NVALUES);
}
static inline uint32_t stoa_segment_page_nvalues(uint32_t count, uint32_t k)
{
    uint32_t left = count - k * STOA_DICT_PAGE_NVALUES;

    return left < STOA_DICT_PAGE_NVALUES ? left : STOA_DICT_PAGE_NVALUES;
}

/* What page k failed with becomes a place in the file; "dictionary segment S: ". Return st. */
enum stoa_status stoa_segment_fail(const struct stoa_stored_page *page, uint32_t k,
                                   enum stoa_status st, struct stoa_error *err);
enum stoa_status stoa_segment_wrap(const struct stoa_dictionary_table *table, uint32_t index,
                                   uint64_t offset, enum stoa_status st, struct stoa_error *err);

#endif
