/*
 * Single values of a chunk (spec/format.md, "Chunks").
 *
 *     places wanted     |    7      |  90 91  |       |   400   |
 *     pages fetched     |-----------|---------|       |---------|    neighbours with one read
 *     values            out of each page by the encodings, the others are not decoded
 *
 * Where rows near to these are likely to be wanted next, pages come out of what the reader keeps
 * (chunk_kept.c), and of a dictionary the one page that holds an entry.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "codec/page_select.h"
#include "column/array.h"
#include "file/chunk_job.h"

/* The run of stored pages [*first, *last), one behind the other, that hold places [at, *end). */
static void find_run(const struct stoa_chunk_job *job, size_t at, size_t nplaces, uint32_t *first,
                     uint32_t *last, size_t *end)
{
    const struct stoa_open_chunk *in = &job->in;

    *first = stoa_open_chunk_page(in, job->places[at]);
    *last = *first + 1;
    for (size_t i = at + 1; i < nplaces; i++) {
        uint32_t k = stoa_open_chunk_page(in, job->places[i]);

        if (k > *last)
            break;
        *last = k + 1;
    }
    *last = stoa_open_chunk_run(in, *first, *last);
    while (at < nplaces && stoa_open_chunk_page(in, job->places[at]) < *last)
        at++;
    *end = at;
}

static enum stoa_status take_pages(struct stoa_chunk_job *job, size_t nplaces,
                                   struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    enum stoa_status st = STOA_OK;

    for (size_t at = 0, end; at < nplaces;) {
        uint32_t first, last;

        find_run(job, at, nplaces, &first, &last, &end);
        STOA_TRY(stoa_open_chunk_fetch(in, first, last, err));
        while (at < end) {
            uint32_t k = stoa_open_chunk_page(in, job->places[at]), n = 1;

            while (at + n < end && stoa_open_chunk_page(in, job->places[at + n]) == k)
                n++;
            st =
                stoa_chunk_job_decode_page(job, k, stoa_open_chunk_bytes(in, first, k), at, n, err);
            if (st != STOA_OK)
                return stoa_base_reader_fail(&job->bases, &job->in, k, st, err);
            at += n;
        }
    }
out:
    return st;
}

/*
 * Entries of n codes to the array's `first` and behind, nulls left out; in order, because each may
 * write behind itself.
 */
static enum stoa_status put_entries(struct stoa_chunk_job *job, size_t first, size_t n,
                                    struct stoa_error *err)
{
    const uint32_t width = job->in.width;
    uint8_t *values = stoa_chunk_job_value_room(job, first);
    const size_t bytes_max = stoa_chunk_job_room(job, first).bytes_max; /* of all n together */
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < n; i++) {
        struct stoa_page_values out = stoa_chunk_job_room(job, first + i);

        out.validity = NULL;
        out.bytes_max = bytes_max;
        if (job->in.phys != STOA_PHYS_BYTES)
            out.values = values + i * width;
        if (!stoa_array_is_null(&job->array, first + i))
            STOA_TRY(stoa_open_chunk_entry(&job->in, job->codes[first + i], &out, err));
        else if (job->in.phys == STOA_PHYS_BYTES)
            out.offsets[1] = out.offsets[0];
        else
            memset(out.values, 0, width);
    }
out:
    return st;
}

/*
 * Where each row of a page needs the keys of those before it, the second one is worth to decode all
 * of it, which takes no more bases then.
 */
static enum stoa_status keep_values(struct stoa_chunk_job *job, uint32_t k, size_t first,
                                    uint32_t n, struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    bool is_derived, looks_up;
    uint64_t multipliers[2];
    enum stoa_status st;

    STOA_TRY(stoa_page_derivation(in->page->page.data, in->page->page.nbytes, &is_derived,
                                  &looks_up, multipliers, err));
    if (looks_up)
        st = stoa_open_chunk_keep_values(in, k, stoa_base_reader_page(&job->bases, in, k, first, n),
                                         err);
out:
    return st;
}

/* Takes n values of stored page k from what the reader keeps. */
static enum stoa_status take_kept(struct stoa_chunk_job *job, uint32_t k, size_t first, uint32_t n,
                                  struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    const size_t text_before = job->text.nbytes;
    struct stoa_page_values out = stoa_chunk_job_room(job, first);
    struct stoa_page_view view = {
        .phys = in->phys,
        .width = in->width,
        .raw_max = UINT64_MAX, /* it was held against its own */
        .ncodes = in->ncodes + in->nown,
    };
    uint32_t value, all;
    enum stoa_status st;

    STOA_TRY(stoa_open_chunk_kept_page(in, k, err));
    if ((in->chunk->flags & STOA_CHUNK_DERIVED) && in->page_is_again && !in->page_is_plain)
        STOA_TRY(keep_values(job, k, first, n, err));
    stoa_open_chunk_values(in, k, &value, &all);
    view.page = in->page->page.data;
    view.nbytes = in->page->page.nbytes;
    view.nvalues = all;
    if (view.ncodes > 0)
        out.values = (uint8_t *)(job->codes + first);
    if (!in->page_is_plain)
        out.bases = stoa_base_reader_page(&job->bases, in, k, first, n);
    STOA_TRY(stoa_page_take(in->scratch->decoder, &view, job->in_page + first, n, &out, err));
    job->array.nnulls += out.nnulls;
    if (view.ncodes > 0)
        STOA_TRY(put_entries(job, first, n, err));
    st = stoa_chunk_job_finish_values(job, k, first, n, text_before, err);
out:
    return st;
}

static enum stoa_status take_kept_pages(struct stoa_chunk_job *job, size_t nplaces,
                                        struct stoa_error *err)
{
    for (size_t at = 0; at < nplaces;) {
        uint32_t k = stoa_open_chunk_page(&job->in, job->places[at]), n = 1;
        enum stoa_status st;

        while (at + n < nplaces && stoa_open_chunk_page(&job->in, job->places[at + n]) == k)
            n++;
        st = take_kept(job, k, at, n, err);
        if (st != STOA_OK)
            return stoa_base_reader_fail(&job->bases, &job->in, k, st, err);
        at += n;
    }
    return STOA_OK;
}

/* Memory of the places in their pages, and of their codes. */
static enum stoa_status alloc_places(struct stoa_chunk_job *job, size_t nplaces, uint32_t **out,
                                     struct stoa_error *err)
{
    const uint32_t mask = (UINT32_C(1) << job->in.chunk->page_shift) - 1;
    const size_t nbytes = 2 * nplaces * sizeof(**out) + STOA_CHUNK_JOB_SLACK;
    enum stoa_status st;

    STOA_TRY(stoa_budget_take(job->in.budget, nbytes, err));
    STOA_TRY(stoa_alloc(out, nbytes, err));
    for (size_t i = 0; i < nplaces; i++)
        (*out)[i] = job->places[i] & mask;
    job->in_page = *out;
    job->codes = *out + nplaces;
out:
    return st;
}

static enum stoa_status take(struct stoa_chunk_job *job, const uint32_t *places, size_t nplaces,
                             bool keep, struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    uint32_t *memory = NULL;
    struct stoa_range none;
    enum stoa_status st;

    if (in->chunk->flags & STOA_CHUNK_NO_PAGES)
        return stoa_chunk_job_without_pages(job, (uint32_t)nplaces, out, &none, err);
    job->places = places;
    job->end = (uint32_t)nplaces;
    if (keep) {
        STOA_TRY(stoa_open_chunk_kept(in, err));
    } else {
        STOA_TRY(stoa_open_chunk_head(in, err));
        STOA_TRY(stoa_open_chunk_dictionary(in, err));
    }
    STOA_TRY(alloc_places(job, nplaces, &memory, err));
    STOA_TRY(stoa_chunk_job_alloc(job, 0, 0, err));
    STOA_TRY((keep ? take_kept_pages : take_pages)(job, nplaces, err));
    if (job->array.nnulls > in->chunk->nnulls) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, in->chunk->offset,
                          "%zu nulls, the footer says %" PRIu32, job->array.nnulls,
                          in->chunk->nnulls);
        goto out;
    }
    STOA_TRY(stoa_chunk_job_finish_text(job, err));
    stoa_array_drop_validity(&job->array);
    *out = job->array;
    job->array = (struct stoa_array){0};
out:
    stoa_free(memory);
    return st;
}

enum stoa_status stoa_chunk_take(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                 const uint32_t *places, size_t nplaces, bool keep,
                                 const struct stoa_columns_at_hand *at_hand, struct stoa_array *out,
                                 struct stoa_read_counters *counters, struct stoa_error *err)
{
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    struct stoa_chunk_job job = {0};
    enum stoa_status st;

    STOA_TRY(stoa_open_chunk_find(&job.in, reader, row_group, node, &budget, err));
    stoa_base_reader_init(&job.bases, reader, row_group, job.in.chunk, &budget);
    assert(nplaces > 0 && places[nplaces - 1] < job.in.nvalues);
    assert(!stoa_type_has_lengths(job.in.column->place.type));
    job.own = job.in.column->field;
    if (stoa_type_is_nested(job.in.column->place.type))
        job.own.type = (struct stoa_type){.id = STOA_NULL};
    job.bases.places = places;
    job.bases.nplaces = nplaces;
    job.bases.keep = keep;
    job.bases.at_hand = at_hand;
    st = take(&job, places, nplaces, keep, out, err);
    if (st == STOA_OK)
        stoa_base_reader_count(&job.bases, &job.in, counters);
    stoa_chunk_job_reset(&job);
    if (st != STOA_OK)
        stoa_reader_wrap(reader, row_group, node, st, err);
out:
    return st;
}
