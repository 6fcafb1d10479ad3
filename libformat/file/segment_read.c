/*
 * Head and page table of a segment (spec/format.md, "Dictionaries").
 *
 *     object header | head 32 B | page table 16 B a page | pages
 *                    `------- dir_hash covers -------'
 *
 * The directory in the footer knows the count of a segment, so its head and page table are one read
 * and its pages, or one of them, another; the object's header is not needed.
 */
#include "file/segment_read.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/dictionary_read.h"

static enum stoa_status check_head(const struct stoa_dictionary_table *table, uint32_t index,
                                   const struct stoa_dict_head *head, enum stoa_phys phys,
                                   uint32_t width, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry = &table->entries[index];
    uint64_t prev_id = entry->prev_index == STOA_NONE32 ? 0 : table->entries[entry->prev_index].id;

    if (head->prev_id != prev_id || head->first_code != entry->first_code ||
        head->count != entry->count || head->phys != entry->phys)
        return stoa_fail(err, STOA_ERR_CORRUPT, "head and directory differ");
    if (head->phys != (uint8_t)phys)
        return stoa_fail(err, STOA_ERR_CORRUPT, "values of %s for a chunk of %s",
                         stoa_phys_name(head->phys), stoa_phys_name(phys));
    if (phys == STOA_PHYS_FIXED && head->width != width)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "values of %" PRIu32 " bytes for a chunk of %" PRIu32, head->width, width);
    if (phys != STOA_PHYS_BYTES && head->raw_nbytes != (uint64_t)head->count * width)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " bytes of values", head->raw_nbytes);
    return STOA_OK;
}

/* Pages follow each other and lie in front of the footer. */
static enum stoa_status unpack_pages(const struct stoa_footer *footer, const uint8_t *table,
                                     uint64_t offset, const struct stoa_chunk_pages *out,
                                     struct stoa_error *err)
{
    uint64_t room = footer->trailer.footer_off - offset;
    uint32_t at = 0;

    for (uint32_t k = 0; k < out->npages; k++) {
        struct stoa_page_entry page;

        stoa_page_entry_unpack(table + (size_t)k * STOA_PAGE_ENTRY_NBYTES, &page);
        if (page.end <= at || page.end > room || page.raw_nbytes > STOA_PAGE_MAX_RAW_NBYTES)
            return stoa_fail(err, STOA_ERR_CORRUPT,
                             "page %" PRIu32 ": ends at %" PRIu32 " after %" PRIu32, k, page.end,
                             at);
        out->pages[k] = (struct stoa_stored_page){
            .offset = offset + at,
            .hash = page.hash,
            .nbytes = page.end - at,
            .raw_max = page.raw_nbytes,
        };
        at = page.end;
    }
    return STOA_OK;
}

enum stoa_status stoa_segment_read(const struct stoa_footer *footer, struct stoa_near *near,
                                   const struct stoa_dictionary_table *table, uint32_t index,
                                   uint64_t offset, enum stoa_phys phys, uint32_t width,
                                   struct stoa_segment *out, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry = &table->entries[index];
    struct stoa_segment segment = {.pages = {.npages = stoa_segment_npages(entry->count)}};
    const uint64_t begin = offset + STOA_OBJECT_NBYTES;
    const size_t nbytes =
        STOA_DICT_HEAD_NBYTES + (size_t)segment.pages.npages * STOA_PAGE_ENTRY_NBYTES;
    struct stoa_dict_head head;
    uint8_t *dir = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&dir, nbytes, err));
    STOA_TRY(stoa_alloc_zeroed(&segment.pages.pages, segment.pages.npages,
                               sizeof(*segment.pages.pages), err));
    STOA_TRY(stoa_footer_read_near(footer, near, begin, dir, nbytes, err));
    if (stoa_hash(dir, nbytes) != entry->dir_hash) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, begin, "hash differs");
        goto out;
    }
    STOA_TRY(stoa_dict_head_unpack(dir, &head, err));
    STOA_TRY(check_head(table, index, &head, phys, width, err));
    STOA_TRY(
        unpack_pages(footer, dir + STOA_DICT_HEAD_NBYTES, begin + nbytes, &segment.pages, err));
    segment.raw_nbytes = head.raw_nbytes;
    segment.pages.head_nbytes = nbytes;
    *out = segment;
    segment = (struct stoa_segment){0};
out:
    stoa_free(dir);
    stoa_chunk_pages_reset(&segment.pages);
    return st;
}

enum stoa_status stoa_segment_fail(const struct stoa_stored_page *page, uint32_t k,
                                   enum stoa_status st, struct stoa_error *err)
{
    if (err != NULL && st == STOA_ERR_CORRUPT)
        err->offset = page->offset;
    return stoa_wrap(err, st, "page %" PRIu32, k);
}

enum stoa_status stoa_segment_wrap(const struct stoa_dictionary_table *table, uint32_t index,
                                   uint64_t offset, enum stoa_status st, struct stoa_error *err)
{
    return stoa_wrap(err, st, "dictionary segment %" PRIu32 "%s", index,
                     offset != table->entries[index].offset ? " (copy)" : "");
}
