/*
 * Where the stored pages of a chunk are: its head, verified and checked (spec/format.md, "Chunks").
 */
#ifndef STOA_FILE_CHUNK_PAGES_H
#define STOA_FILE_CHUNK_PAGES_H

#include "file/footer.h"

struct stoa_stored_page {
    uint64_t offset; /* in the file */
    uint64_t hash;
    uint32_t nbytes;
    uint32_t raw_max;     /* bytes of its payloads at the most */
    uint32_t first_child; /* list and map: child values in front of it */
};

/* pages[0] is the local dictionary of a chunk that has one. */
struct stoa_chunk_pages {
    struct stoa_stored_page *pages;
    uint32_t npages;
    uint64_t head_nbytes;
};

/* What the head of a chunk does not tell itself. */
struct stoa_chunk_shape {
    uint8_t type;     /* of the node, as stored */
    uint32_t nvalues; /* of the chunk */
    uint32_t nrows;   /* of its row group */
};

/*
 * Reads the head of a checked chunk. *out is overwritten on success and released by
 * stoa_chunk_pages_reset(). STOA_ERR_CORRUPT with err->offset at the head.
 */
STOA_CHECK enum stoa_status stoa_chunk_pages_read(const struct stoa_footer *footer,
                                                  const struct stoa_chunk *chunk,
                                                  const struct stoa_chunk_shape *shape,
                                                  struct stoa_chunk_pages *out,
                                                  struct stoa_error *err);
/* The same by stoa_footer_read_near(), for who will read a page or two of it. */
STOA_CHECK enum stoa_status
stoa_chunk_pages_read_near(const struct stoa_footer *footer, struct stoa_near *near,
                           const struct stoa_chunk *chunk, const struct stoa_chunk_shape *shape,
                           struct stoa_chunk_pages *out, struct stoa_error *err);
void stoa_chunk_pages_reset(struct stoa_chunk_pages *pages);

/*
 * Reads pages [begin, end), which lie behind each other, into one piece of memory: page k starts at
 * pages[k].offset - pages[begin].offset of it. Hashes are not looked at.
 */
STOA_CHECK enum stoa_status stoa_chunk_pages_fetch(const struct stoa_footer *footer,
                                                   const struct stoa_chunk_pages *pages,
                                                   uint32_t begin, uint32_t end, uint8_t *out,
                                                   struct stoa_error *err);

/* Whether they are what was written: STOA_ERR_CORRUPT, "hash differs". */
STOA_CHECK enum stoa_status stoa_stored_page_verify(const struct stoa_stored_page *page,
                                                    const uint8_t *bytes, struct stoa_error *err);

/* Bytes of pages [begin, end). */
static inline uint64_t stoa_chunk_pages_nbytes(const struct stoa_chunk_pages *pages, uint32_t begin,
                                               uint32_t end)
{
    const struct stoa_stored_page *last = &pages->pages[end - 1];

    return last->offset + last->nbytes - pages->pages[begin].offset;
}

#endif
