/*
 * Opening a chunk (spec/format.md, "Chunks"): footer, head, dictionary, stored pages.
 *
 *     chunk entry --> head: where pages are, their hashes --> [local dictionary] --> pages
 *         `--> shared dictionary, which the reader keeps
 */
#include "file/chunk_open.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "codec/page_select.h"

enum { FETCH_NBYTES = 8 << 20 }; /* of pages at a time, and at least one page */

enum stoa_status stoa_open_chunk_find(struct stoa_open_chunk *in, struct stoa_reader *reader,
                                      uint32_t row_group, uint32_t node, struct stoa_budget *budget,
                                      struct stoa_error *err)
{
    struct stoa_open_chunk found = {
        .reader = reader,
        .row_group = row_group,
        .node = node,
        .nrows = reader->footer.groups[row_group].nrows,
        .budget = budget,
    };
    const struct stoa_chunk *chunks;
    struct stoa_column *column;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(&reader->footer, node, &column, err));
    STOA_TRY(stoa_footer_chunks(&reader->footer, node, &chunks, err));
    STOA_TRY(stoa_footer_nvalues(&reader->footer, node, row_group, &found.nvalues, err));
    found.column = column;
    found.chunk = &chunks[row_group];
    found.phys = (enum stoa_phys)found.chunk->phys;
    found.width = found.phys == STOA_PHYS_FIXED ? column->width : stoa_phys_width(found.phys);
    *in = found;
out:
    return st;
}

void stoa_open_chunk_reset(struct stoa_open_chunk *in)
{
    stoa_reader_scratch_give(in->reader, in->scratch);
    in->scratch = NULL;
    if (in->head == NULL)
        stoa_chunk_pages_reset(&in->pages);
    stoa_keeper_release(&in->reader->kept, in->head);
    stoa_keeper_release(&in->reader->kept, in->page);
    stoa_keeper_release(&in->reader->kept, in->entries);
    stoa_keeper_release(&in->reader->kept, in->own);
    stoa_dictionary_reset(&in->own_dictionary);
}

void stoa_open_chunk_count(const struct stoa_open_chunk *in, struct stoa_read_counters *counters)
{
    if (counters == NULL)
        return;
    counters->pages += in->ndecoded;
    counters->bytes += in->nread;
}

/* ---- Pages. ---- */

enum stoa_status stoa_open_chunk_head(struct stoa_open_chunk *in, struct stoa_error *err)
{
    struct stoa_chunk_shape shape = {in->column->place.type, in->nvalues, in->nrows};
    enum stoa_status st;

    STOA_TRY(stoa_reader_scratch_take(in->reader, &in->scratch, err));
    STOA_TRY(stoa_chunk_pages_read(&in->reader->footer, in->chunk, &shape, &in->pages, err));
    in->nread += in->pages.head_nbytes;
out:
    return st;
}

enum stoa_status stoa_open_chunk_fail(const struct stoa_open_chunk *in, uint32_t k,
                                      enum stoa_status st, struct stoa_error *err)
{
    uint32_t local = stoa_open_chunk_local(in);

    if (in->is_told)
        return st;
    if (err != NULL && st != STOA_ERR_NOMEM && st != STOA_ERR_IO)
        err->offset = in->pages.pages[k].offset;
    if (k < local)
        return stoa_wrap(err, st, "dictionary page");
    return stoa_wrap(err, st, "page %" PRIu32, k - local);
}

uint32_t stoa_open_chunk_run(const struct stoa_open_chunk *in, uint32_t begin, uint32_t end)
{
    uint32_t k = begin + 1;

    while (k < end && stoa_chunk_pages_nbytes(&in->pages, begin, k + 1) <= FETCH_NBYTES)
        k++;
    return k;
}

enum stoa_status stoa_open_chunk_fetch(struct stoa_open_chunk *in, uint32_t begin, uint32_t end,
                                       struct stoa_error *err)
{
    uint64_t nbytes = stoa_chunk_pages_nbytes(&in->pages, begin, end);
    enum stoa_status st;

    STOA_TRY(stoa_buffer_resize(&in->scratch->stored, (size_t)nbytes, err));
    STOA_TRY(stoa_chunk_pages_fetch(&in->reader->footer, &in->pages, begin, end,
                                    in->scratch->stored.data, err));
    in->nread += nbytes;
out:
    return st;
}

/* ---- Dictionaries. ---- */

/* The bytes of the local dictionary page in scratch->stored, verified, and how many values it has.
 */
static enum stoa_status fetch_local(struct stoa_open_chunk *in, uint32_t *nvalues,
                                    struct stoa_error *err)
{
    const struct stoa_stored_page *page = &in->pages.pages[0];
    enum stoa_status st;

    STOA_TRY(stoa_open_chunk_fetch(in, 0, 1, err));
    st = stoa_stored_page_verify(page, in->scratch->stored.data, err);
    if (st == STOA_OK)
        st = stoa_page_count(in->scratch->stored.data, page->nbytes, nvalues, err);
    if (st != STOA_OK)
        return stoa_open_chunk_fail(in, 0, st, err);
out:
    return st;
}

/* The local dictionary page, behind nshared values of a shared one. */
static enum stoa_status read_local(struct stoa_open_chunk *in, const struct stoa_dictionary *shared,
                                   uint32_t nshared, struct stoa_dictionary *own,
                                   struct stoa_error *err)
{
    const struct stoa_stored_page *page = &in->pages.pages[0];
    uint32_t nvalues;
    enum stoa_status st;

    STOA_TRY(fetch_local(in, &nvalues, err));
    st = stoa_dictionary_init(own, in->phys, in->width, nshared + nvalues, in->budget, err);
    if (st == STOA_OK && nshared > 0)
        st = stoa_dictionary_append_codes(own, shared, nshared, in->budget, err);
    if (st == STOA_OK)
        st = stoa_dictionary_append_page(own, in->scratch->decoder, in->scratch->stored.data,
                                         page->nbytes, nvalues, page->raw_max, in->budget, err);
    if (st != STOA_OK)
        return stoa_open_chunk_fail(in, 0, st, err);
    stoa_dictionary_finish(own);
    in->ndecoded++;
out:
    return st;
}

/* The shared dictionary of a chunk that has one. */
static enum stoa_status get_shared(struct stoa_open_chunk *in, struct stoa_error *err)
{
    if ((in->chunk->flags & STOA_CHUNK_SHARED_DICT) == 0)
        return STOA_OK;
    return stoa_dictionaries_get(&in->reader->dictionaries, &in->reader->footer,
                                 in->scratch->decoder, in->chunk->dict_index, in->phys, in->width,
                                 in->budget, &in->dictionary, &in->ncodes, err);
}

/* The dictionary's values are UTF-8 if they are text. */
static enum stoa_status check_utf8(const struct stoa_open_chunk *in, struct stoa_error *err)
{
    if (in->dictionary == NULL || in->column->field.type.id != STOA_UTF8 ||
        in->dictionary->nutf8 >= in->ncodes)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_CORRUPT, "dictionary: value %" PRIu32 " is not UTF-8",
                     in->dictionary->nutf8);
}

enum stoa_status stoa_open_chunk_ncodes(struct stoa_open_chunk *in, struct stoa_error *err)
{
    struct stoa_dictionaries *dictionaries = &in->reader->dictionaries;
    const struct stoa_dictionary *loaded;
    uint32_t nlocal;
    enum stoa_status st = STOA_OK;

    if (in->chunk->flags & STOA_CHUNK_SHARED_DICT) {
        STOA_TRY(stoa_dictionaries_table(dictionaries, &in->reader->footer, &in->segments, err));
        STOA_TRY(stoa_dictionaries_find(in->segments, in->chunk->dict_index, in->phys, in->width,
                                        &loaded, &in->ncodes, err));
    }
    if (in->chunk->flags & STOA_CHUNK_LOCAL_DICT) {
        STOA_TRY(fetch_local(in, &nlocal, err));
        in->ncodes += nlocal;
    }
out:
    return st;
}

enum stoa_status stoa_open_chunk_dictionary(struct stoa_open_chunk *in, struct stoa_error *err)
{
    struct stoa_dictionary *own = &in->own_dictionary;
    enum stoa_status st;

    STOA_TRY(get_shared(in, err));
    if (in->chunk->flags & STOA_CHUNK_LOCAL_DICT) {
        STOA_TRY(read_local(in, in->dictionary, in->ncodes, own, err));
        in->dictionary = own;
        in->ncodes = own->count;
    }
    st = check_utf8(in, err);
out:
    return st;
}
