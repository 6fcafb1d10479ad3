/*
 * Chunks (spec/format.md, section 5).
 *
 *     several stored pages   [ end raw_len hash | end raw_len hash | ... ] [page] [page] ...
 *     one                    [page]
 *
 * An entry of a list or map says too where the values of its page are among those of the child.
 *
 * Small pages let a reader skip more and read less; but each costs a head entry, a hash and a call,
 * and compresses less. So a page is the smallest, from 8,192 values on, that is expected to take a
 * page of memory when stored. Only when values are long are pages smaller: what a reader or a
 * writer has to hold at a time is bounded. Where most are short, 64 of them make a page all the
 * same, for the sake of what a page costs.
 */
#include "file/chunk_write.h"

#include <assert.h>
#include <inttypes.h>

#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"
#include "codec/node.h"
#include "file/bases.h"

enum {
    MIN_PAGE_SHIFT = 13,
    MAX_PAGE_SHIFT = 16,
    FEW_PAGE_SHIFT = 6,
    /* Beside its bytes a value may take a length or a run, and a bit of validity; a page bases. */
    RAW_VALUE_NBYTES = 5,
    RAW_PAGE_NBYTES = 1024,
};

struct stoa_rg_entry stoa_chunk_without_pages(enum stoa_phys phys, uint32_t nvalues,
                                              uint32_t nnulls)
{
    assert(nnulls == nvalues || (phys == STOA_PHYS_NONE && nnulls == 0));
    return (struct stoa_rg_entry){
        .nvalues = nvalues,
        .nnulls = nnulls,
        .page_shift = MAX_PAGE_SHIFT,
        .phys = (uint8_t)phys,
        .encoding = STOA_CONST,
        .flags = nnulls == nvalues ? STOA_CHUNK_ALL_NULL : STOA_CHUNK_ALL_VALID,
    };
}

uint64_t stoa_page_raw_bound(uint64_t nbytes, uint64_t nvalues)
{
    return nbytes + nvalues * RAW_VALUE_NBYTES + RAW_PAGE_NBYTES;
}

/* The most bytes that the payloads of values [begin, end) have. */
static uint64_t raw_nbytes(const struct stoa_vector *values, size_t begin, size_t end)
{
    struct stoa_vector part = stoa_vector_slice(values, begin, end);

    return stoa_page_raw_bound(stoa_vector_nbytes(&part), part.nvalues);
}

static bool pages_fit(const struct stoa_vector *values, unsigned shift, uint64_t max_nbytes)
{
    size_t page = (size_t)1 << shift;

    for (size_t begin = 0; begin < values->nvalues; begin += page) {
        size_t end = values->nvalues - begin > page ? begin + page : values->nvalues;

        if (raw_nbytes(values, begin, end) > max_nbytes)
            return false;
    }
    return true;
}

bool stoa_chunk_may_be_base(const struct stoa_rules *rules, const struct stoa_vector *values)
{
    return pages_fit(values, STOA_DERIVED_MIN_PAGE_SHIFT, rules->page_max_nbytes);
}

/* Smaller pages, down to 2^least values, if one is above max_nbytes; a chunk that fits has one. */
static unsigned shrink(const struct stoa_vector *values, unsigned shift, unsigned least,
                       uint64_t max_nbytes)
{
    if (raw_nbytes(values, 0, values->nvalues) > max_nbytes)
        while (shift > least && !pages_fit(values, shift, max_nbytes))
            shift--;
    return shift;
}

/* Pages of so many values are small enough on the average, or of a few. */
static unsigned least_shift(const struct stoa_vector *values, uint64_t max_nbytes)
{
    const uint64_t one = raw_nbytes(values, 0, values->nvalues) / values->nvalues;
    unsigned shift = FEW_PAGE_SHIFT;

    while (shift > 0 && one << shift > max_nbytes)
        shift--;
    return shift;
}

static uint8_t choose_page_shift(const struct stoa_rules *rules,
                                 const struct stoa_chunk_input *chunk)
{
    const struct stoa_vector *values = &chunk->values;
    unsigned shift = MIN_PAGE_SHIFT;

    if (chunk->plan->nodes[0].encoding == STOA_CONST)
        shift = MAX_PAGE_SHIFT;
    while (shift < MAX_PAGE_SHIFT &&
           (chunk->estimate_nbytes << shift) / values->nvalues < rules->page_min_nbytes)
        shift++;
    shift = shrink(values, shift, least_shift(values, rules->page_long_nbytes),
                   rules->page_long_nbytes);
    return (uint8_t)shrink(values, shift, 0, rules->page_max_nbytes);
}

uint8_t stoa_page_root_encoding(const uint8_t *page)
{
    enum { ALL_NULL = 1, TREE = 2 };
    unsigned node = 0, pending = 1;

    if (page[1] == ALL_NULL)
        return STOA_CONST;
    if (page[1] == TREE) { /* skip the nodes of the validity tree, depth first */
        for (; pending > 0; node++) {
            const uint8_t *bytes = page + STOA_PAGE_HEAD_NBYTES + node * STOA_PAGE_NODE_NBYTES;
            const struct stoa_encoding *encoding = stoa_encoding_find(bytes[0]);

            assert(encoding != NULL && node < page[0]);
            pending += stoa_encoding_nchildren(encoding, bytes[2]) - 1;
        }
    }
    return page[STOA_PAGE_HEAD_NBYTES + node * STOA_PAGE_NODE_NBYTES];
}

/* The chunk under construction. */
struct pages {
    struct stoa_buffer *out;
    size_t head;  /* where the head starts */
    size_t first; /* where the first page starts */
    uint32_t nwritten;
    uint32_t entry_nbytes; /* of the head; 0: there is none */
};

/* Appends a page and fills in its entry of the head. */
static enum stoa_status write_page(struct stoa_encoder *encoder, struct pages *pages,
                                   const struct stoa_vector *values, enum stoa_phys phys,
                                   const uint8_t *validity, size_t first_bit, uint32_t first_child,
                                   const struct stoa_plan *plan,
                                   const struct stoa_derivation *derivation, struct stoa_error *err)
{
    struct stoa_buffer *out = pages->out;
    size_t begin = out->nbytes;
    uint8_t *to;
    struct stoa_page_entry entry = {.first_child = first_child};
    enum stoa_status st = stoa_page_encode_checked(encoder, values, phys, validity, first_bit, plan,
                                                   derivation, out, &entry.raw_nbytes, err);

    if (st != STOA_OK)
        return st == STOA_ERR_CORRUPT ? stoa_wrap(err, st, "page %" PRIu32, pages->nwritten) : st;
    if (out->nbytes - pages->head > UINT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "a row group of more than 4 GiB in one column");
    entry.end = (uint32_t)(out->nbytes - pages->first);
    entry.hash = stoa_hash(out->data + begin, out->nbytes - begin);
    to = out->data + pages->head + (size_t)pages->nwritten * pages->entry_nbytes;
    if (pages->entry_nbytes == STOA_LIST_ENTRY_NBYTES)
        stoa_list_entry_pack(&entry, to);
    else if (pages->entry_nbytes > 0)
        stoa_page_entry_pack(&entry, to);
    pages->nwritten++;
    return STOA_OK;
}

static struct stoa_derivation slice_derivation(const struct stoa_derivation *whole, size_t begin,
                                               size_t end)
{
    struct stoa_derivation part = *whole;

    for (unsigned k = 0; k < STOA_NBASES; k++)
        if (part.bases.words[k] != NULL)
            part.bases.words[k] += begin;
    if (part.bases.keys != NULL)
        part.bases.keys += begin;
    part.bases.end = end - begin;
    return part;
}

static enum stoa_status write_pages(struct stoa_encoder *encoder,
                                    const struct stoa_chunk_input *chunk, unsigned shift,
                                    struct pages *pages, struct stoa_rg_entry *entry,
                                    struct stoa_error *err)
{
    size_t page = (size_t)1 << shift, nvalues = chunk->values.nvalues, first;
    enum stoa_status st = STOA_OK;

    if (chunk->entries.nvalues > 0)
        STOA_TRY(write_page(encoder, pages, &chunk->entries, chunk->phys, NULL, 0, 0,
                            chunk->entries_plan, NULL, err));
    first = pages->out->nbytes;
    stoa_encoder_begin_chunk(encoder, &chunk->values);
    for (size_t begin = 0; begin < nvalues; begin += page) {
        size_t end = nvalues - begin > page ? begin + page : nvalues;
        struct stoa_vector part = stoa_vector_slice(&chunk->values, begin, end);
        struct stoa_derivation derivation;

        if (chunk->derivation != NULL)
            derivation = slice_derivation(chunk->derivation, begin, end);
        STOA_TRY(write_page(encoder, pages, &part, chunk->phys, chunk->validity, begin,
                            chunk->first_child != NULL ? (uint32_t)chunk->first_child[begin] : 0,
                            chunk->plan, chunk->derivation != NULL ? &derivation : NULL, err));
    }
    entry->encoding = STOA_CONST;
    if (chunk->phys != STOA_PHYS_NONE)
        entry->encoding = stoa_page_root_encoding(pages->out->data + first);
out:
    stoa_encoder_begin_chunk(encoder, NULL);
    return st;
}

enum stoa_status stoa_chunk_write(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                  const struct stoa_chunk_input *chunk, struct stoa_buffer *out,
                                  struct stoa_rg_entry *entry, struct stoa_error *err)
{
    size_t nvalues = chunk->values.nvalues, before = out->nbytes;
    struct pages pages = {.out = out, .head = before};
    struct stoa_rg_entry made = {
        .nvalues = (uint32_t)nvalues,
        .nnulls = chunk->nnulls,
        .page_shift = choose_page_shift(rules, chunk),
        .phys = (uint8_t)chunk->phys,
        .flags = chunk->entries.nvalues > 0 ? STOA_CHUNK_LOCAL_DICT : 0,
    };
    uint32_t npages = stoa_chunk_npages(made.flags, made.page_shift, made.nvalues);
    enum stoa_status st = STOA_OK;

    if (chunk->derivation != NULL) {
        made.flags = STOA_CHUNK_DERIVED;
        made.dict_id = chunk->bases;
    }
    if (npages > 1)
        pages.entry_nbytes =
            chunk->first_child != NULL ? STOA_LIST_ENTRY_NBYTES : STOA_PAGE_ENTRY_NBYTES;
    STOA_TRY(stoa_buffer_append_zeros(out, (size_t)npages * pages.entry_nbytes, err));
    pages.first = out->nbytes;
    STOA_TRY(write_pages(encoder, chunk, made.page_shift, &pages, &made, err));
    assert(pages.nwritten == npages);
    made.nbytes = (uint32_t)(out->nbytes - before);
    made.hash =
        stoa_hash(out->data + before, npages > 1 ? pages.first - before : out->nbytes - before);
    *entry = made;
out:
    if (st != STOA_OK)
        out->nbytes = before;
    return st;
}
