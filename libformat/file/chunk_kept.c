/*
 * A chunk of which single rows are wanted (spec/format.md, "Chunks" and "Dictionaries").
 *
 *     head --> page of the row --> its value
 *                    `--> its code --> page of the chunk's own dictionary       --> its entry
 *                              `-----> head of a segment --> page of the segment --> its entry
 *
 * Of a dictionary the one page is read that holds the entry, unless somebody loaded the dictionary
 * already. Everything on the way is found in what the reader keeps, or read, verified and kept.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "codec/page_select.h"
#include "file/chunk_open.h"
#include "file/segment_read.h"

/* Of such a size base/alloc_heap.h uses memory again, also for the next file. */
enum { STORED_NBYTES = 64 << 10 };

/* ---- The chunk. ---- */

static struct stoa_kept_name name_of(const struct stoa_open_chunk *in, enum stoa_kept_kind kind,
                                     uint32_t page)
{
    return (struct stoa_kept_name){(uint32_t)kind, in->row_group, in->node, page};
}

/* Heads that were read, under a name. */
static enum stoa_status keep_pages(struct stoa_open_chunk *in, struct stoa_kept_name name,
                                   const struct stoa_chunk_pages *pages, struct stoa_kept **out,
                                   struct stoa_error *err)
{
    const size_t nbytes = pages->npages * sizeof(*pages->pages);
    struct stoa_kept *made;
    enum stoa_status st;

    STOA_TRY(stoa_keeper_make(&in->reader->kept, nbytes, &made, err));
    made->pages = *pages;
    made->pages.pages = memcpy(made->page.data, pages->pages, nbytes);
    *out = stoa_keeper_add(&in->reader->kept, name, made);
out:
    return st;
}

static enum stoa_status keep_head(struct stoa_open_chunk *in, struct stoa_error *err)
{
    const struct stoa_kept_name name = name_of(in, STOA_KEPT_HEAD, 0);
    struct stoa_chunk_pages pages = {0};
    enum stoa_status st = STOA_OK;

    in->head = stoa_keeper_find(&in->reader->kept, name);
    if (in->head == NULL) {
        struct stoa_chunk_shape shape = {in->column->place.type, in->nvalues, in->nrows};

        STOA_TRY(stoa_chunk_pages_read_near(&in->reader->footer, &in->scratch->near, in->chunk,
                                            &shape, &pages, err));
        in->nread += pages.head_nbytes;
        STOA_TRY(keep_pages(in, name, &pages, &in->head, err));
    }
    in->pages = in->head->pages;
out:
    stoa_chunk_pages_reset(&pages);
    return st;
}

/*
 * Reads and verifies a stored page: where it stays, if the page table says that it is not
 * compressed, or else aside, where pages of all columns come to lie one after the other.
 */
static enum stoa_status read_page(struct stoa_open_chunk *in, const struct stoa_stored_page *page,
                                  struct stoa_kept **made, const uint8_t **out,
                                  struct stoa_error *err)
{
    struct stoa_buffer *stored = &in->scratch->stored;
    uint8_t *bytes;
    enum stoa_status st;

    if (page->raw_max < page->nbytes) {
        STOA_TRY(stoa_keeper_make(&in->reader->kept, page->nbytes, made, err));
        bytes = (*made)->page.data;
    } else {
        STOA_TRY(stoa_buffer_resize(
            stored, page->nbytes > STORED_NBYTES ? page->nbytes : STORED_NBYTES, err));
        bytes = stored->data;
    }
    STOA_TRY(stoa_footer_read_near(&in->reader->footer, &in->scratch->near, page->offset, bytes,
                                   page->nbytes, err));
    STOA_TRY(stoa_stored_page_verify(page, bytes, err));
    *out = bytes;
out:
    return st;
}

/* Page k of `pages` without compression under a name; its first numbers say how many values. */
static enum stoa_status keep_page(struct stoa_open_chunk *in, struct stoa_kept_name name,
                                  const struct stoa_chunk_pages *pages, uint32_t k,
                                  struct stoa_page_view view, struct stoa_kept **out,
                                  struct stoa_error *err)
{
    const struct stoa_stored_page *page = &pages->pages[k];
    struct stoa_keeper *keeper = &in->reader->kept;
    struct stoa_kept *made = NULL, *inflated = NULL;
    uint32_t nvalues;
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(read_page(in, page, &made, &view.page, err));
    view.nbytes = page->nbytes;
    if (view.nvalues == 0) {
        STOA_TRY(stoa_page_count(view.page, view.nbytes, &nvalues, err));
        view.nvalues = nvalues;
    }
    STOA_TRY(stoa_page_inflated_nbytes(in->scratch->decoder, &view, &nbytes, err));
    if (made == NULL || nbytes > 0) {
        STOA_TRY(stoa_keeper_make(keeper, nbytes > 0 ? nbytes : view.nbytes, &inflated, err));
        if (nbytes > 0)
            STOA_TRY(stoa_page_inflate(in->scratch->decoder, &view, inflated->page.data, err));
        else
            memcpy(inflated->page.data, view.page, view.nbytes);
        stoa_keeper_release(keeper, made);
        made = inflated;
        inflated = NULL;
    }
    *out = stoa_keeper_add(keeper, name, made);
    made = NULL;
    in->nread += page->nbytes;
    in->ndecoded++;
out:
    stoa_keeper_release(keeper, inflated);
    stoa_keeper_release(keeper, made);
    return st;
}

static struct stoa_page_view view_of(const struct stoa_open_chunk *in, uint32_t raw_max,
                                     uint32_t nvalues)
{
    return (struct stoa_page_view){
        .phys = in->phys,
        .width = in->width,
        .raw_max = raw_max < in->budget->total ? raw_max : in->budget->total,
        .nvalues = nvalues,
    };
}

/* The chunk's own dictionary: stored page 0. */
static enum stoa_status keep_own(struct stoa_open_chunk *in, struct stoa_error *err)
{
    const struct stoa_kept_name name = name_of(in, STOA_KEPT_PAGE, 0);
    enum stoa_status st = STOA_OK;

    in->own = stoa_keeper_find(&in->reader->kept, name);
    if (in->own == NULL)
        st = keep_page(in, name, &in->pages, 0, view_of(in, in->pages.pages[0].raw_max, 0),
                       &in->own, err);
    if (st == STOA_OK)
        st = stoa_page_count(in->own->page.data, in->own->page.nbytes, &in->nown, err);
    return st == STOA_OK ? st : stoa_open_chunk_fail(in, 0, st, err);
}

/* The shared dictionary: where it is, and all of it only if it is there. */
static enum stoa_status find_shared(struct stoa_open_chunk *in, struct stoa_error *err)
{
    struct stoa_dictionaries *dictionaries = &in->reader->dictionaries;
    enum stoa_status st;

    STOA_TRY(stoa_dictionaries_table(dictionaries, &in->reader->footer, &in->segments, err));
    STOA_TRY(stoa_dictionaries_find(in->segments, in->chunk->dict_index, in->phys, in->width,
                                    &in->dictionary, &in->ncodes, err));
out:
    return st;
}

enum stoa_status stoa_open_chunk_kept(struct stoa_open_chunk *in, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reader_scratch_take(in->reader, &in->scratch, err));
    STOA_TRY(keep_head(in, err));
    if (in->chunk->flags & STOA_CHUNK_SHARED_DICT)
        STOA_TRY(find_shared(in, err));
    if (in->chunk->flags & STOA_CHUNK_LOCAL_DICT)
        STOA_TRY(keep_own(in, err));
out:
    return st;
}

enum stoa_status stoa_open_chunk_kept_page(struct stoa_open_chunk *in, uint32_t k,
                                           struct stoa_error *err)
{
    const struct stoa_kept_name name = name_of(in, STOA_KEPT_PAGE, k);
    uint32_t first, n;

    stoa_keeper_release(&in->reader->kept, in->page);
    in->page = NULL;
    if (in->chunk->flags & STOA_CHUNK_DERIVED)
        in->page = stoa_keeper_find(&in->reader->kept, name_of(in, STOA_KEPT_VALUES, k));
    in->page_is_plain = in->page != NULL;
    if (in->page == NULL)
        in->page = stoa_keeper_find(&in->reader->kept, name);
    in->page_is_again = in->page != NULL;
    if (in->page_is_again)
        return STOA_OK;
    stoa_open_chunk_values(in, k, &first, &n);
    return keep_page(in, name, &in->pages, k, view_of(in, in->pages.pages[k].raw_max, n), &in->page,
                     err);
}

enum stoa_status stoa_open_chunk_keep_values(struct stoa_open_chunk *in, uint32_t k,
                                             struct stoa_base_source *bases, struct stoa_error *err)
{
    struct stoa_page_view view = view_of(in, in->pages.pages[k].raw_max, 0);
    struct stoa_buffer page = {0};
    struct stoa_kept *made;
    uint32_t first, n;
    enum stoa_status st;

    stoa_open_chunk_values(in, k, &first, &n);
    view.nvalues = n;
    view.page = in->page->page.data;
    view.nbytes = in->page->page.nbytes;
    STOA_TRY(stoa_page_make_plain(in->scratch->decoder, &view, bases, &page, err));
    STOA_TRY(stoa_keeper_make(&in->reader->kept, page.nbytes, &made, err));
    memcpy(made->page.data, page.data, page.nbytes);
    stoa_keeper_release(&in->reader->kept, in->page);
    in->page = stoa_keeper_add(&in->reader->kept, name_of(in, STOA_KEPT_VALUES, k), made);
    in->page_is_plain = true;
    in->ndecoded++;
out:
    stoa_buffer_free(&page);
    return st;
}

/* ---- Entries of dictionaries. ---- */

/*
 * Page k of segment `index`, from its object at `offset`. What is kept has the width for a part of
 * its name: columns of different widths may claim the same segment, and one of them is wrong.
 */
static enum stoa_status keep_entries_at(struct stoa_open_chunk *in, uint32_t index, uint32_t k,
                                        uint64_t offset, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry = &in->segments->entries[index];
    const bool is_copy = offset != entry->offset;
    const struct stoa_kept_name name = {STOA_KEPT_ENTRIES, index, in->width, k};
    const struct stoa_kept_name head_name = {STOA_KEPT_SEGMENT, index, in->width, is_copy};
    struct stoa_kept *head = stoa_keeper_find(&in->reader->kept, head_name);
    struct stoa_segment segment = {0};
    enum stoa_status st;

    if (head == NULL) {
        STOA_TRY(stoa_segment_read(&in->reader->footer, &in->scratch->near, in->segments, index,
                                   offset, in->phys, in->width, &segment, err));
        in->nread += segment.pages.head_nbytes;
        STOA_TRY(keep_pages(in, head_name, &segment.pages, &head, err));
    }
    st = keep_page(
        in, name, &head->pages, k,
        view_of(in, head->pages.pages[k].raw_max, stoa_segment_page_nvalues(entry->count, k)),
        &in->entries, err);
    if (st != STOA_OK)
        stoa_segment_fail(&head->pages.pages[k], k, st, err);
out:
    stoa_chunk_pages_reset(&segment.pages);
    stoa_keeper_release(&in->reader->kept, head);
    return st == STOA_OK ? st : stoa_segment_wrap(in->segments, index, offset, st, err);
}

/* Page k of segment `index` in in->entries, from its copy if that is good. */
static enum stoa_status keep_entries(struct stoa_open_chunk *in, uint32_t index, uint32_t k,
                                     struct stoa_error *err)
{
    const struct stoa_kept_name name = {STOA_KEPT_ENTRIES, index, in->width, k};
    const struct stoa_dictdir_entry *entry = &in->segments->entries[index];
    enum stoa_status st;

    stoa_keeper_release(&in->reader->kept, in->entries);
    in->entries = stoa_keeper_find(&in->reader->kept, name);
    if (in->entries != NULL)
        return STOA_OK;
    if (entry->copy_offset != 0) {
        st = keep_entries_at(in, index, k, entry->copy_offset, err);
        if (st != STOA_ERR_CORRUPT && st != STOA_ERR_IO)
            return st;
    }
    st = keep_entries_at(in, index, k, entry->offset, err);
    if (st == STOA_OK && entry->copy_offset != 0)
        stoa_dictionaries_bad_copy(&in->reader->dictionaries, in->segments, index);
    return st;
}

/* Value `place` of a kept dictionary page of nvalues values. */
static enum stoa_status take_entry(struct stoa_open_chunk *in, const struct stoa_kept *kept,
                                   uint32_t nvalues, uint32_t place, struct stoa_page_values *out,
                                   struct stoa_error *err)
{
    struct stoa_page_view view = view_of(in, STOA_PAGE_MAX_RAW_NBYTES, nvalues);

    view.page = kept->page.data;
    view.nbytes = kept->page.nbytes;
    return stoa_page_take(in->scratch->decoder, &view, &place, 1, out, err);
}

/* Entry `code` of a dictionary that is loaded. */
static enum stoa_status copy_entry(const struct stoa_dictionary *from, uint32_t code,
                                   struct stoa_page_values *out, struct stoa_error *err)
{
    size_t nbytes;
    enum stoa_status st;

    if (from->phys != STOA_PHYS_BYTES) {
        memcpy(out->values, from->values.data + (size_t)code * from->width, from->width);
        return STOA_OK;
    }
    nbytes = (size_t)(from->offsets[code + 1] - from->offsets[code]);
    if (nbytes > out->bytes_max || out->bytes->nbytes > out->bytes_max - nbytes)
        return stoa_fail(err, STOA_ERR_LIMIT, "more than %zu bytes of text", out->bytes_max);
    STOA_TRY(stoa_buffer_append(out->bytes, from->values.data + from->offsets[code], nbytes, err));
    out->offsets[1] = (int32_t)out->bytes->nbytes;
out:
    return st;
}

static enum stoa_status put_entry(struct stoa_open_chunk *in, uint32_t code,
                                  struct stoa_page_values *out, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry;
    uint32_t index, place;
    enum stoa_status st;

    if (code >= in->ncodes) {
        st = take_entry(in, in->own, in->nown, code - in->ncodes, out, err);
        return st == STOA_OK ? st : stoa_open_chunk_fail(in, 0, st, err);
    }
    if (in->dictionary != NULL)
        return copy_entry(in->dictionary, code, out, err);
    index = stoa_dictionaries_segment(in->segments, in->chunk->dict_index, code);
    entry = &in->segments->entries[index];
    place = code - entry->first_code;
    STOA_TRY(keep_entries(in, index, place / STOA_DICT_PAGE_NVALUES, err));
    st = take_entry(in, in->entries,
                    stoa_segment_page_nvalues(entry->count, place / STOA_DICT_PAGE_NVALUES),
                    place % STOA_DICT_PAGE_NVALUES, out, err);
out:
    return st;
}

enum stoa_status stoa_open_chunk_entry(struct stoa_open_chunk *in, uint32_t code,
                                       struct stoa_page_values *out, struct stoa_error *err)
{
    const size_t before = out->bytes != NULL ? out->bytes->nbytes : 0;
    enum stoa_status st = put_entry(in, code, out, err);

    if (st == STOA_OK && in->column->field.type.id == STOA_UTF8) {
        const size_t nbytes = out->bytes->nbytes - before;

        if (stoa_utf8_valid_prefix(out->bytes->data + before, nbytes) != nbytes)
            st = stoa_fail(err, STOA_ERR_CORRUPT, "dictionary: value %" PRIu32 " is not UTF-8",
                           code);
    }
    in->is_told = st != STOA_OK;
    return st;
}
