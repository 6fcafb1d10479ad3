/*
 * From the pages of a chunk to an array (spec/format.md, "Chunks" and "Null slots").
 *
 *     values wanted           |--------------|
 *     pages        |----2----|----3----|----4----|----5----|
 *     covered                |-------------------|           decoded, then cut to what is wanted
 *
 * Pages are fetched in runs with one read each, and every page is verified before it is decoded
 * (chunk_job.c). Here is what no page can know: the count of nulls is that of the chunk, and the
 * lists of a chunk end where the values of its child do.
 *
 * A derived chunk names its bases, which are other chunks; they are read when a page turns out to
 * need them, once, and only for the values wanted where that will do.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/array.h"
#include "file/chunk_job.h"

static enum stoa_status decode_pages(struct stoa_chunk_job *job, uint32_t begin, uint32_t end,
                                     struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    enum stoa_status st = STOA_OK;

    for (uint32_t run; begin < end; begin = run) {
        run = stoa_open_chunk_run(in, begin, end);
        STOA_TRY(stoa_open_chunk_fetch(in, begin, run, err));
        for (uint32_t k = begin; k < run; k++) {
            uint32_t value, n;

            stoa_open_chunk_values(in, k, &value, &n);
            st = stoa_chunk_job_decode_page(job, k, stoa_open_chunk_bytes(in, begin, k),
                                            value - job->begin, n, err);
            if (st != STOA_OK)
                return stoa_base_reader_fail(&job->bases, &job->in, k, st, err);
        }
    }
out:
    return st;
}

/* ---- The array. ---- */

/* The lists of the last page end where the child does. */
static enum stoa_status check_last_list(const struct stoa_chunk_job *job, struct stoa_error *err)
{
    uint32_t end;

    if (!job->has_lengths || job->end < job->in.nvalues)
        return STOA_OK;
    end = job->first_child + (uint32_t)job->array.offsets[job->end - job->begin];
    if (end == job->nchild)
        return STOA_OK;
    return stoa_fail_at(err, STOA_ERR_CORRUPT, job->in.chunk->offset,
                        "lists of %" PRIu32 " values together, the child has %" PRIu32, end,
                        job->nchild);
}

/* The offsets of values [begin, end) of the covered ones, for *out. */
static enum stoa_status cut_offsets(const struct stoa_chunk_job *job, size_t begin, size_t end,
                                    struct stoa_array *out, struct stoa_error *err)
{
    const int32_t *from = job->array.offsets + begin;
    size_t n = end - begin;
    enum stoa_status st =
        stoa_array_alloc_buffer(&out->offsets, (n + 1) * sizeof(out->offsets[0]), err);

    for (size_t i = 0; st == STOA_OK && i <= n; i++)
        out->offsets[i] = from[i] - from[0];
    return st;
}

static enum stoa_status finish_array(struct stoa_chunk_job *job, uint32_t begin, uint32_t end,
                                     struct stoa_array *out, struct stoa_range *children,
                                     struct stoa_error *err)
{
    bool is_whole = job->begin == 0 && job->end == job->in.nvalues;
    struct stoa_array cut = {0};
    enum stoa_status st;

    if (is_whole ? job->array.nnulls != job->in.chunk->nnulls
                 : job->array.nnulls > job->in.chunk->nnulls) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, job->in.chunk->offset,
                          "%zu nulls, the footer says %" PRIu32, job->array.nnulls,
                          job->in.chunk->nnulls);
        goto out;
    }
    STOA_TRY(check_last_list(job, err));
    STOA_TRY(stoa_chunk_job_finish_text(job, err));
    stoa_array_drop_validity(&job->array);
    begin -= job->begin;
    end -= job->begin;
    if (job->has_lengths)
        *children = (struct stoa_range){job->first_child + (uint32_t)job->array.offsets[begin],
                                        job->first_child + (uint32_t)job->array.offsets[end]};
    if (end - begin == job->array.nvalues) {
        *out = job->array;
        job->array = (struct stoa_array){0};
        return STOA_OK;
    }
    STOA_TRY(stoa_array_slice(&job->own, &job->array, begin, end, &cut, err));
    if (job->has_lengths)
        STOA_TRY(cut_offsets(job, begin, end, &cut, err));
    *out = cut;
    cut = (struct stoa_array){0};
out:
    stoa_array_reset(&cut);
    return st;
}

/* Whether what is decoded of a page is looked at value by value: then all of it has to be made. */
static bool checks_values(const struct stoa_type *type)
{
    return type->id == STOA_BOOL || type->id == STOA_ENUM || type->id == STOA_DECIMAL;
}

static enum stoa_status run(struct stoa_chunk_job *job, uint32_t begin, uint32_t end,
                            struct stoa_array *out, struct stoa_range *children,
                            struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    uint32_t shift = in->chunk->page_shift, local = stoa_open_chunk_local(in);
    uint32_t first = stoa_open_chunk_page(in, begin), last = stoa_open_chunk_page(in, end - 1) + 1;
    uint64_t covered_end = (uint64_t)(last - local) << shift;
    enum stoa_status st;

    job->begin = begin >> shift << shift;
    job->end = covered_end < in->nvalues ? (uint32_t)covered_end : in->nvalues;
    job->bases.covered = (struct stoa_range){job->begin, job->end};
    job->bases.wanted = (struct stoa_range){begin, end};
    if (checks_values(&job->own.type) && end - begin < job->end - job->begin) {
        job->bases.wanted = job->bases.covered;
        job->bases.at_hand = NULL;
    }
    STOA_TRY(stoa_open_chunk_head(in, err));
    job->first_child = in->pages.pages[first].first_child;
    if (job->first_child > job->nchild) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "begins at child value %" PRIu32 " of %" PRIu32,
                       job->first_child, job->nchild);
        st = stoa_open_chunk_fail(in, first, st, err);
        goto out;
    }
    STOA_TRY(stoa_open_chunk_dictionary(in, err));
    STOA_TRY(stoa_chunk_job_alloc(job, first, last, err));
    STOA_TRY(decode_pages(job, first, last, err));
    STOA_TRY(finish_array(job, begin, end, out, children, err));
out:
    return st;
}

/* Reads values [begin, end) of the chunk that the job is about. */
static enum stoa_status read_values(struct stoa_chunk_job *job, struct stoa_range values,
                                    struct stoa_array *out, struct stoa_range *children,
                                    struct stoa_read_counters *counters, struct stoa_error *err)
{
    enum stoa_status st;

    if (job->in.chunk->flags & STOA_CHUNK_NO_PAGES)
        st = stoa_chunk_job_without_pages(job, values.end - values.begin, out, children, err);
    else
        st = run(job, values.begin, values.end, out, children, err);
    if (st == STOA_OK)
        stoa_base_reader_count(&job->bases, &job->in, counters);
    stoa_chunk_job_reset(job);
    return st;
}

enum stoa_status stoa_chunk_read(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                 struct stoa_range values, struct stoa_budget *budget,
                                 const struct stoa_columns_at_hand *at_hand, struct stoa_array *out,
                                 struct stoa_range *children, struct stoa_read_counters *counters,
                                 struct stoa_error *err)
{
    static const struct stoa_chunk nothing = {.flags = STOA_CHUNK_ALL_VALID};
    struct stoa_footer *footer = &reader->footer;
    struct stoa_column *info;
    struct stoa_chunk_job job = {0};
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(footer, node, &info, err));
    job.own = info->field;
    job.has_lengths = stoa_type_has_lengths(info->place.type);
    if (stoa_type_is_nested(info->place.type))
        job.own.type = (struct stoa_type){.id = STOA_NULL};
    if (values.begin < values.end)
        STOA_TRY(stoa_open_chunk_find(&job.in, reader, row_group, node, budget, err));
    else
        job.in = (struct stoa_open_chunk){
            .reader = reader, .column = info, .chunk = &nothing, .budget = budget};
    stoa_base_reader_init(&job.bases, reader, row_group, job.in.chunk, budget);
    job.bases.at_hand = at_hand;
    if (values.begin < values.end && job.has_lengths) /* its only child is the next node */
        STOA_TRY(stoa_footer_nvalues(footer, node + 1, row_group, &job.nchild, err));
    assert(values.begin == values.end || values.end <= job.in.nvalues);
    st = read_values(&job, values, out, children, counters, err);
    if (st != STOA_OK)
        stoa_reader_wrap(reader, row_group, node, st, err);
out:
    return st;
}

enum stoa_status stoa_chunk_read_alone(struct stoa_reader *reader, const struct stoa_column *column,
                                       const struct stoa_chunk *chunk, uint32_t nrows,
                                       struct stoa_budget *budget, struct stoa_array *out,
                                       struct stoa_error *err)
{
    struct stoa_range rows = {0, nrows}, children;
    struct stoa_chunk_job job = {
        .in = {.reader = reader,
               .column = column,
               .chunk = chunk,
               .phys = (enum stoa_phys)chunk->phys,
               .width = stoa_phys_width((enum stoa_phys)chunk->phys),
               .nrows = nrows,
               .nvalues = nrows,
               .budget = budget},
        .own = column->field,
    };

    return read_values(&job, rows, out, &children, NULL, err);
}
