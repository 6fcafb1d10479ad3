/*
 * The codes of a chunk with a dictionary (spec/format.md, "Chunks" and "Dictionaries").
 *
 *     pages       |--------|--------|       decoded without their entries
 *     codes          3 1 1 0 3              equal where the values are, since no entry is there
 * twice a null         0, or behind the last  that of 0 or of an empty text, if the dictionary has
 * it
 */
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "file/chunk_open.h"

enum { SLACK = 64 }; /* what the page decoder may write behind the last code */

/* What is decoded: the values covered by pages. */
struct codes {
    struct stoa_open_chunk in;
    struct stoa_range covered;
    uint32_t *codes;
    uint8_t *validity; /* NULL: nothing is null */
};

static enum stoa_status decode_page(struct codes *job, uint32_t k, const uint8_t *bytes,
                                    struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    const struct stoa_stored_page *page = &in->pages.pages[k];
    struct stoa_page_values out = {.validity = job->validity};
    uint32_t first, n;
    enum stoa_status st;

    stoa_open_chunk_values(in, k, &first, &n);
    out.first_bit = first - job->covered.begin;
    out.values = (uint8_t *)(job->codes + out.first_bit);
    STOA_TRY(stoa_stored_page_verify(page, bytes, err));
    STOA_TRY(stoa_page_decode(in->scratch->decoder, bytes, page->nbytes, in->phys, in->width, n,
                              stoa_open_chunk_raw_max(in, k), NULL, in->ncodes, &out, err));
    in->ndecoded++;
out:
    return st == STOA_OK ? st : stoa_open_chunk_fail(in, k, st, err);
}

static enum stoa_status decode_pages(struct codes *job, uint32_t begin, uint32_t end,
                                     struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    enum stoa_status st = STOA_OK;

    for (uint32_t run; begin < end; begin = run) {
        run = stoa_open_chunk_run(in, begin, end);
        STOA_TRY(stoa_open_chunk_fetch(in, begin, run, err));
        for (uint32_t k = begin; k < run; k++)
            STOA_TRY(decode_page(job, k, stoa_open_chunk_bytes(in, begin, k), err));
    }
out:
    return st;
}

/* ---- Nulls ---- */

static bool is_empty(const struct stoa_vector *entries, size_t i)
{
    static const uint8_t zeros[sizeof(uint64_t)];

    if (entries->phys == STOA_PHYS_BYTES)
        return entries->offsets[i] == entries->offsets[i + 1];
    return memcmp(entries->values + i * entries->width, zeros, entries->width) == 0;
}

/* Gives the nulls of n values the code of an entry, or one that no entry has. */
static enum stoa_status code_nulls(struct codes *job, size_t n, uint32_t *ncodes,
                                   struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    struct stoa_vector entries;
    uint32_t code = 0;
    enum stoa_status st;

    in->ncodes = 0;
    STOA_TRY(stoa_open_chunk_dictionary(in, err));
    entries = stoa_dictionary_vector(in->dictionary, in->ncodes);
    while (code < in->ncodes && !is_empty(&entries, code))
        code++;
    for (size_t i = 0; i < n; i++)
        if (!stoa_bitmap_get(job->validity, i))
            job->codes[i] = code;
    *ncodes = in->ncodes + (code == in->ncodes);
out:
    return st;
}

/* ---- The chunk. ---- */

static enum stoa_status read_codes(struct codes *job, struct stoa_range values, uint32_t *ncodes,
                                   struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    const uint32_t first = stoa_open_chunk_page(in, values.begin);
    const uint32_t last = stoa_open_chunk_page(in, values.end - 1);
    uint32_t begin, end, n;
    size_t nbytes, bits_nbytes;
    enum stoa_status st;

    stoa_open_chunk_values(in, first, &begin, &n);
    stoa_open_chunk_values(in, last, &end, &n);
    job->covered = (struct stoa_range){begin, end + n};
    n = job->covered.end - begin;
    nbytes = n * sizeof(*job->codes) + SLACK;
    bits_nbytes = stoa_bitmap_nbytes(n);
    STOA_TRY(stoa_budget_take(in->budget, nbytes + bits_nbytes, err));
    STOA_TRY(stoa_alloc(&job->codes, nbytes, err));
    if (in->chunk->nnulls > 0)
        STOA_TRY(stoa_alloc_zeroed(&job->validity, bits_nbytes, 1, err));
    STOA_TRY(stoa_open_chunk_head(in, err));
    STOA_TRY(stoa_open_chunk_ncodes(in, err));
    STOA_TRY(decode_pages(job, first, last + 1, err));
    *ncodes = in->ncodes;
    if (in->chunk->nnulls > 0)
        STOA_TRY(code_nulls(job, n, ncodes, err));
    memmove(job->codes, job->codes + (values.begin - begin),
            (values.end - values.begin) * sizeof(*job->codes));
out:
    return st;
}

enum stoa_status stoa_chunk_codes(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                  struct stoa_range values, struct stoa_budget *budget,
                                  uint32_t **codes, uint32_t *ncodes,
                                  struct stoa_read_counters *counters, struct stoa_error *err)
{
    struct codes job = {0};
    enum stoa_status st;

    *codes = NULL;
    STOA_TRY(stoa_open_chunk_find(&job.in, reader, row_group, node, budget, err));
    if ((job.in.chunk->flags & (STOA_CHUNK_SHARED_DICT | STOA_CHUNK_LOCAL_DICT)) == 0 ||
        job.in.width > sizeof(uint64_t))
        return STOA_OK;
    st = read_codes(&job, values, ncodes, err);
    if (st == STOA_OK) {
        *codes = job.codes;
        job.codes = NULL;
        stoa_open_chunk_count(&job.in, counters);
    }
    stoa_open_chunk_reset(&job.in);
    stoa_free(job.codes);
    stoa_free(job.validity);
    if (st != STOA_OK)
        stoa_reader_wrap(reader, row_group, node, st, err);
out:
    return st;
}
