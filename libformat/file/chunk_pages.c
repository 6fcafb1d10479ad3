/*
 * The head of a chunk (spec/format.md, "Chunks").
 *
 *     one stored page     [ page ]                          hash: in the chunk entry
 *     more                [ end, raw_len, hash | ... | page | page | ... ]
 *                           ^ as many entries as pages, hashed as a whole; of lists and maps
 *                             each says too how many child values there are before its page
 */
#include "file/chunk_pages.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"

/* Payloads of a page; that of a single row may hold the longest text there is. */
#define ROW_RAW_MAX     ((uint32_t)INT32_MAX)
#define PAGE_MIN_NBYTES 8

/* One entry, of the size that the type has. */
static enum stoa_status unpack_entry(const uint8_t *head, uint8_t type, uint32_t i,
                                     struct stoa_page_entry *out, struct stoa_error *err)
{
    const uint8_t *bytes = head + (size_t)i * stoa_page_entry_nbytes(type);

    if (stoa_type_has_lengths(type))
        return stoa_list_entry_unpack(bytes, out, err);
    stoa_page_entry_unpack(bytes, out);
    out->first_child = 0;
    return STOA_OK;
}

static enum stoa_status unpack_head(const struct stoa_chunk *chunk, const uint8_t *head,
                                    uint8_t type, uint32_t raw_max, struct stoa_chunk_pages *pages,
                                    struct stoa_error *err)
{
    uint64_t begin = chunk->offset + pages->head_nbytes;
    uint32_t at = 0, nbytes = chunk->nbytes - (uint32_t)pages->head_nbytes, child = 0;
    uint32_t local = chunk->flags & STOA_CHUNK_LOCAL_DICT ? 1 : 0;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < pages->npages; i++) {
        struct stoa_page_entry entry;

        STOA_TRY(unpack_entry(head, type, i, &entry, err));
        if (entry.first_child < child || (i <= local && entry.first_child != 0))
            return stoa_fail(err, STOA_ERR_CORRUPT,
                             "page %" PRIu32 " of %" PRIu32 " begins at child value %" PRIu32
                             ", the one before at %" PRIu32,
                             i, pages->npages, entry.first_child, child);
        if (entry.end > nbytes || entry.end < at || entry.end - at < PAGE_MIN_NBYTES)
            return stoa_fail(err, STOA_ERR_CORRUPT,
                             "page %" PRIu32 " of %" PRIu32 " goes from %" PRIu32 " to %" PRIu32
                             " of %" PRIu32 " bytes",
                             i, pages->npages, at, entry.end, nbytes);
        if (entry.raw_nbytes > raw_max)
            return stoa_fail(err, STOA_ERR_CORRUPT, "page %" PRIu32 " of %" PRIu32 " bytes", i,
                             entry.raw_nbytes);
        pages->pages[i] = (struct stoa_stored_page){
            .offset = begin + at,
            .hash = entry.hash,
            .nbytes = entry.end - at,
            .raw_max = entry.raw_nbytes,
            .first_child = entry.first_child,
        };
        at = entry.end;
        child = entry.first_child;
    }
    if (at != nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " bytes behind the last page",
                         nbytes - at);
out:
    return st;
}

static enum stoa_status read_head(const struct stoa_footer *footer, struct stoa_near *near,
                                  const struct stoa_chunk *chunk, uint8_t type, uint32_t raw_max,
                                  struct stoa_chunk_pages *pages, struct stoa_error *err)
{
    uint8_t *head = NULL;
    enum stoa_status st;

    if (pages->head_nbytes > chunk->nbytes) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " pages in %" PRIu32 " bytes",
                       pages->npages, chunk->nbytes);
        goto out;
    }
    STOA_TRY(stoa_alloc(&head, (size_t)pages->head_nbytes, err));
    STOA_TRY(stoa_footer_read_near(footer, near, chunk->offset, head, pages->head_nbytes, err));
    if (stoa_hash(head, (size_t)pages->head_nbytes) != chunk->hash) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
        goto out;
    }
    STOA_TRY(stoa_alloc_zeroed(&pages->pages, pages->npages, sizeof(*pages->pages), err));
    STOA_TRY(unpack_head(chunk, head, type, raw_max, pages, err));
out:
    stoa_free(head);
    return st;
}

enum stoa_status stoa_chunk_pages_read(const struct stoa_footer *footer,
                                       const struct stoa_chunk *chunk,
                                       const struct stoa_chunk_shape *shape,
                                       struct stoa_chunk_pages *out, struct stoa_error *err)
{
    return stoa_chunk_pages_read_near(footer, NULL, chunk, shape, out, err);
}

enum stoa_status stoa_chunk_pages_read_near(const struct stoa_footer *footer,
                                            struct stoa_near *near, const struct stoa_chunk *chunk,
                                            const struct stoa_chunk_shape *shape,
                                            struct stoa_chunk_pages *out, struct stoa_error *err)
{
    uint32_t raw_max = shape->nrows == 1 ? ROW_RAW_MAX : STOA_PAGE_MAX_RAW_NBYTES;
    struct stoa_chunk_pages pages = {
        .npages = stoa_chunk_npages(chunk->flags, chunk->page_shift, shape->nvalues),
    };
    enum stoa_status st = STOA_OK;

    if (pages.npages > 1) {
        pages.head_nbytes = (uint64_t)pages.npages * stoa_page_entry_nbytes(shape->type);
        STOA_TRY(read_head(footer, near, chunk, shape->type, raw_max, &pages, err));
    } else if (pages.npages == 1) {
        STOA_TRY(stoa_alloc(&pages.pages, sizeof(*pages.pages), err));
        pages.pages[0] = (struct stoa_stored_page){
            .offset = chunk->offset,
            .hash = chunk->hash,
            .nbytes = chunk->nbytes,
            .raw_max = raw_max,
        };
    }
    *out = pages;
    pages = (struct stoa_chunk_pages){0};
out:
    stoa_chunk_pages_reset(&pages);
    if (st != STOA_OK && st != STOA_ERR_NOMEM) {
        stoa_wrap(err, st, "head of the chunk");
        if (err != NULL && st == STOA_ERR_CORRUPT)
            err->offset = chunk->offset;
    }
    return st;
}

void stoa_chunk_pages_reset(struct stoa_chunk_pages *pages)
{
    stoa_free(pages->pages);
    *pages = (struct stoa_chunk_pages){0};
}

enum stoa_status stoa_chunk_pages_fetch(const struct stoa_footer *footer,
                                        const struct stoa_chunk_pages *pages, uint32_t begin,
                                        uint32_t end, uint8_t *out, struct stoa_error *err)
{
    return stoa_footer_read(footer, pages->pages[begin].offset, out,
                            stoa_chunk_pages_nbytes(pages, begin, end), err);
}

enum stoa_status stoa_stored_page_verify(const struct stoa_stored_page *page, const uint8_t *bytes,
                                         struct stoa_error *err)
{
    if (stoa_hash(bytes, page->nbytes) != page->hash)
        return stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
    return STOA_OK;
}
