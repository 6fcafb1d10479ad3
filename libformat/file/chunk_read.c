/*
 * From the pages of a chunk to an array (spec/format.md, "Chunks" and "Null slots").
 *
 *     values wanted           |--------------|
 *     pages        |----2----|----3----|----4----|----5----|
 *     covered                |-------------------|           decoded, then cut to what is wanted
 *
 * Pages are fetched in runs with one read each, every page is verified before it is decoded, and
 * decoded straight into the array unless its values have to be widened. What the format promises
 * of values and what a page cannot know is checked here: text is UTF-8, bools are 0 or 1, enum
 * values have a symbol, the count of nulls is that of the chunk, lengths of lists add up to what
 * the page table and the child's chunk say.
 *
 * A derived chunk names its bases, which are other chunks; they are read when a page turns out to
 * need them, once, and only for the values wanted where that will do.
 *
 * The array of a node with children comes without them: of a struct or fixed_list a bitmap, of a
 * list or map offsets too. nodes_read.c puts trees together.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"
#include "codec/page_select.h"
#include "column/array.h"
#include "file/base_read.h"
#include "file/chunk_open.h"
#include "file/phys.h"
#include "file/widen.h"

enum { DECODE_SLACK = 64 }; /* what the page decoder may write behind the last value */

struct job {
    struct stoa_open_chunk in;
    struct stoa_field own; /* the node's, childless: of type null where it has children */
    bool has_lengths;      /* list or map */
    uint32_t nchild;       /* its child's values in the row group, */
    uint32_t first_child;  /* those in front of the values covered */
    uint32_t begin;        /* values covered: whole pages around the values wanted */
    uint32_t end;
    const uint32_t *places; /* those wanted instead, single ones, and each in its page */
    const uint32_t *in_page;
    uint32_t *codes;               /* of kept pages: those of the places */
    struct stoa_base_reader bases; /* of a derived chunk */
    struct stoa_array array;
    struct stoa_buffer text;
};

/* Value i of the array as messages say it. */
static size_t number_of(const struct job *job, size_t i)
{
    return job->places != NULL ? job->places[i] : job->begin + i;
}

/* ---- What a decoded page must hold. ---- */

/* Each of n values is UTF-8 when all text is and no value starts inside a character. */
static enum stoa_status check_utf8(const struct job *job, const int32_t *offsets, size_t n,
                                   size_t first, struct stoa_error *err)
{
    const uint8_t *text = job->text.data;
    size_t begin = (size_t)offsets[0], nbytes = (size_t)offsets[n] - begin;
    size_t valid = nbytes > 0 ? stoa_utf8_valid_prefix(text + begin, nbytes) : 0;

    for (size_t i = 0; i < n; i++) {
        size_t end = (size_t)offsets[i + 1] - begin;

        if (end > valid || (end < nbytes && (text[begin + end] & 0xc0) == 0x80))
            return stoa_fail(err, STOA_ERR_CORRUPT, "%s %zu: text that is not UTF-8",
                             job->in.column->place.below_list ? "value" : "row",
                             number_of(job, first + i));
    }
    return STOA_OK;
}

static enum stoa_status check_symbols(const struct stoa_type *type, const uint32_t *values,
                                      const struct stoa_array *array, size_t first, size_t n,
                                      struct stoa_error *err)
{
    uint32_t max = 0;

    for (size_t i = 0; i < n; i++)
        max = values[first + i] > max ? values[first + i] : max;
    if (max < type->nsymbols)
        return STOA_OK;
    for (size_t i = first; i < first + n; i++)
        if (values[i] >= type->nsymbols && !stoa_array_is_null(array, i))
            return stoa_fail(err, STOA_ERR_CORRUPT, "value %" PRIu32 " of an enum of %" PRIu32,
                             values[i], type->nsymbols);
    return STOA_OK;
}

/* Values of the chunk's type in scratch->values to values of the column's type in the array. */
static enum stoa_status put_widened(struct job *job, size_t first, size_t n, struct stoa_error *err)
{
    const uint8_t *in = job->in.scratch->values.data;
    size_t width = stoa_type_width(&job->own.type), npacked;

    if (job->own.type.id == STOA_BOOL) {
        npacked = stoa_pack_bools(job->array.values, first, in, n);
        if (npacked < n)
            return stoa_fail(err, STOA_ERR_CORRUPT, "a bool of %u", in[npacked]);
        return STOA_OK;
    }
    if (job->own.type.id == STOA_INTERVAL)
        stoa_interval_le(job->array.values + first * width, in, n);
    else
        stoa_widen(job->array.values + first * width, stoa_type_memory_phys(&job->own.type), in,
                   job->in.phys, n);
    return STOA_OK;
}

/*
 * Lengths of n lists, from scratch->values unless they stand behind their offset already, become
 * offsets. They may not go past the child's values, wherever the page table says that they start.
 */
static enum stoa_status put_lengths(struct job *job, const struct stoa_stored_page *page,
                                    size_t first, size_t n, struct stoa_error *err)
{
    int32_t *offsets = job->array.offsets + first;
    uint32_t room = job->nchild - job->first_child;

    if (page->first_child - job->first_child != (uint32_t)offsets[0])
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "begins at child value %" PRIu32 ", the lists before it end at %" PRIu32,
                         page->first_child, job->first_child + (uint32_t)offsets[0]);
    if (job->in.phys != STOA_PHYS_U32)
        stoa_widen(offsets + 1, STOA_PHYS_U32, job->in.scratch->values.data, job->in.phys, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t length = (uint32_t)offsets[i + 1], at = (uint32_t)offsets[i];

        if (length > room - at)
            return stoa_fail(err, STOA_ERR_CORRUPT,
                             "a list of %" PRIu32 " values where its child has %" PRIu32 " left",
                             length, room - at);
        offsets[i + 1] = (int32_t)(at + length);
    }
    return STOA_OK;
}

/* Whether values lie in the array as they are stored. */
static bool is_direct(const struct job *job)
{
    const struct stoa_type *type = &job->own.type;

    if (job->has_lengths)
        return job->in.phys == STOA_PHYS_U32;
    return job->in.phys == STOA_PHYS_BYTES ||
           (job->in.phys == stoa_type_memory_phys(type) && type->id != STOA_BOOL &&
            (type->id != STOA_INTERVAL || STOA_LITTLE_ENDIAN));
}

/* Numbers of the chunk's type may have more digits than the column's precision. */
static enum stoa_status check_decimals(const struct job *job, size_t first, size_t n,
                                       struct stoa_error *err)
{
    const struct stoa_type *type = &job->own.type;
    /* Every number of 64 bits has at most 19 digits, one of 128 bits at most 39. */
    bool always = (job->in.phys <= STOA_PHYS_I64 && type->precision >= 19) ||
                  (job->in.phys == STOA_PHYS_I128 && type->precision >= 39);
    size_t fit = n;

    if (!always)
        fit = stoa_decimals_that_fit(type, job->array.values + first * stoa_type_width(type), n);
    if (fit < n)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s %zu: a decimal of more than %u digits",
                         job->in.column->place.below_list ? "value" : "row",
                         number_of(job, first + fit), type->precision);
    return STOA_OK;
}

/* ---- Pages. ---- */

/* Where the page decoder puts values of a fixed width from the array's `first` on. */
static uint8_t *room_of_values(const struct job *job, size_t first)
{
    if (!is_direct(job))
        return job->in.scratch->values.data;
    if (job->has_lengths)
        return (uint8_t *)(job->array.offsets + first + 1);
    if (job->array.values == NULL)
        return NULL;
    return job->array.values + first * stoa_type_width(&job->own.type);
}

/* Where the page decoder puts the values from the array's `first` on. */
static struct stoa_page_values room_in_array(struct job *job, size_t first)
{
    struct stoa_page_values out = {.validity = job->array.validity, .first_bit = first};
    const size_t nbytes = job->text.nbytes;

    if (job->in.phys == STOA_PHYS_BYTES) {
        out.offsets = job->array.offsets + first;
        out.bytes = &job->text;
        out.bytes_max = job->in.budget->left < INT32_MAX - nbytes
                            ? nbytes + (size_t)job->in.budget->left + 1
                            : INT32_MAX;
    } else {
        out.values = room_of_values(job, first);
    }
    return out;
}

/* What is left to do with n values of stored page k, from the array's `first` on. */
static enum stoa_status finish_values(struct job *job, uint32_t k, size_t first, uint32_t n,
                                      size_t text_before, struct stoa_error *err)
{
    const struct stoa_open_chunk *in = &job->in;
    const struct stoa_type *type = &job->own.type;
    bool has_dictionary = in->dictionary != NULL || in->ncodes + in->nown > 0;
    enum stoa_status st = STOA_OK;

    if (in->phys == STOA_PHYS_BYTES) {
        STOA_TRY(stoa_budget_take(in->budget, job->text.nbytes - text_before, err));
        if (type->id == STOA_UTF8 && !has_dictionary)
            STOA_TRY(check_utf8(job, job->array.offsets + first, n, first, err));
    } else if (job->has_lengths) {
        STOA_TRY(put_lengths(job, &in->pages.pages[k], first, n, err));
    } else if (!is_direct(job)) {
        STOA_TRY(put_widened(job, first, n, err));
    }
    if (type->id == STOA_DECIMAL)
        STOA_TRY(check_decimals(job, first, n, err));
    if (type->id == STOA_ENUM)
        STOA_TRY(check_symbols(type, (const uint32_t *)(const void *)job->array.values, &job->array,
                               first, n, err));
out:
    return st;
}

/* Decodes n values of stored page k, all or single ones, to the array's `first` and behind. */
static enum stoa_status decode_page(struct job *job, uint32_t k, const uint8_t *bytes, size_t first,
                                    uint32_t n, struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    const struct stoa_stored_page *page = &in->pages.pages[k];
    const size_t text_before = job->text.nbytes;
    struct stoa_vector dictionary = {0}, *entries = in->dictionary != NULL ? &dictionary : NULL;
    uint64_t raw_max = stoa_open_chunk_raw_max(in, k);
    struct stoa_page_values out = room_in_array(job, first);
    uint32_t value, all;
    enum stoa_status st;

    STOA_TRY(stoa_stored_page_verify(page, bytes, err));
    stoa_open_chunk_values(in, k, &value, &all);
    if (entries != NULL)
        dictionary = stoa_dictionary_vector(in->dictionary, in->ncodes);
    out.bases = stoa_base_reader_page(&job->bases, in, k,
                                      job->places != NULL ? job->places + first : NULL, n);
    if (n == all)
        STOA_TRY(stoa_page_decode(in->scratch->decoder, bytes, page->nbytes, in->phys, in->width, n,
                                  raw_max, entries, 0, &out, err));
    else
        STOA_TRY(stoa_page_take(in->scratch->decoder,
                                &(struct stoa_page_view){.page = bytes,
                                                         .nbytes = page->nbytes,
                                                         .phys = in->phys,
                                                         .width = in->width,
                                                         .nvalues = all,
                                                         .raw_max = raw_max,
                                                         .dictionary = entries},
                                job->in_page + first, n, &out, err));
    job->array.nnulls += out.nnulls;
    in->ndecoded++;
    st = finish_values(job, k, first, n, text_before, err);
out:
    return st;
}

static enum stoa_status decode_pages(struct job *job, uint32_t begin, uint32_t end,
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
            st = decode_page(job, k, stoa_open_chunk_bytes(in, begin, k), value - job->begin, n,
                             err);
            if (st != STOA_OK)
                return stoa_base_reader_fail(&job->bases, &job->in, k, st, err);
        }
    }
out:
    return st;
}

/* ---- The array. ---- */

/* An array of the node without its children, as stoa_array_alloc() leaves it. */
static enum stoa_status alloc_own(const struct job *job, size_t n, bool nulls,
                                  struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array array = {0};
    enum stoa_status st;

    STOA_TRY(stoa_array_alloc(&job->own.type, n, 0, nulls, &array, err));
    if (job->has_lengths) {
        STOA_TRY(stoa_array_alloc_buffer(&array.offsets, (n + 1) * sizeof(array.offsets[0]), err));
        array.offsets[0] = 0;
    }
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

/* Room for the covered values; the text of pages without a dictionary is known in advance. */
static enum stoa_status alloc_array(struct job *job, uint32_t first, uint32_t last,
                                    struct stoa_error *err)
{
    const struct stoa_type *type = &job->own.type;
    uint64_t n = job->end - job->begin, nbytes = n * stoa_type_width(type) + n / 4 + DECODE_SLACK;
    uint64_t raw_nbytes = 0, page_nvalues = UINT64_C(1) << job->in.chunk->page_shift;
    enum stoa_status st;

    if (job->in.phys == STOA_PHYS_BYTES || job->has_lengths)
        nbytes += n * sizeof(int32_t);
    if (!is_direct(job))
        nbytes += page_nvalues * 8;
    STOA_TRY(stoa_budget_take(job->in.budget, nbytes, err));
    STOA_TRY(alloc_own(job, (size_t)n, job->in.chunk->nnulls > 0, &job->array, err));
    job->array.nnulls = 0;
    if (!is_direct(job))
        STOA_TRY(stoa_buffer_resize(
            &job->in.scratch->values,
            (size_t)(page_nvalues < n ? page_nvalues : n) * job->in.width + DECODE_SLACK, err));
    for (uint32_t k = first; k < last && job->in.dictionary == NULL; k++)
        raw_nbytes += job->in.pages.npages > 1 ? job->in.pages.pages[k].raw_max : 0;
    if (job->in.phys == STOA_PHYS_BYTES && raw_nbytes < job->in.budget->left &&
        raw_nbytes < INT32_MAX)
        STOA_TRY(stoa_buffer_reserve(&job->text, (size_t)raw_nbytes + DECODE_SLACK, err));
out:
    return st;
}

/* Moves the text into the array, with zeros behind it. */
static enum stoa_status finish_text(struct job *job, struct stoa_error *err)
{
    size_t nbytes = job->text.nbytes;
    enum stoa_status st;

    if (job->in.phys != STOA_PHYS_BYTES)
        return STOA_OK;
    STOA_TRY(stoa_buffer_append_zeros(&job->text, STOA_ARRAY_SLACK, err));
    if (job->text.capacity / 4 > nbytes / 3 + STOA_ARRAY_SLACK)
        STOA_TRY(stoa_realloc(&job->text.data, job->text.nbytes, 1, err));
    stoa_free(job->array.values);
    job->array.values = job->text.data;
    job->text = (struct stoa_buffer){0};
out:
    return st;
}

/* The lists of the last page end where the child does. */
static enum stoa_status check_last_list(const struct job *job, struct stoa_error *err)
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
static enum stoa_status cut_offsets(const struct job *job, size_t begin, size_t end,
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

static enum stoa_status finish_array(struct job *job, uint32_t begin, uint32_t end,
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
    STOA_TRY(finish_text(job, err));
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

/* Values without pages: none, or every one is null, or the node has no values and none is null. */
static enum stoa_status read_without_pages(struct job *job, uint32_t n, struct stoa_array *out,
                                           struct stoa_range *children, struct stoa_error *err)
{
    const struct stoa_type *type = &job->own.type;
    uint64_t nbytes = (uint64_t)n * (stoa_type_width(type) + sizeof(int32_t) + 1);
    bool nulls = n > 0 && (job->in.chunk->flags & STOA_CHUNK_ALL_NULL);
    struct stoa_array array = {0};
    enum stoa_status st;

    if (job->nchild > 0 && n > 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "nulls alone, the child has %" PRIu32 " values",
                         job->nchild);
    STOA_TRY(stoa_budget_take(job->in.budget, nbytes, err));
    STOA_TRY(alloc_own(job, n, nulls, &array, err));
    if (array.values != NULL && type->id != STOA_BOOL && job->in.column->phys != STOA_PHYS_BYTES)
        memset(array.values, 0, (size_t)n * stoa_type_width(type));
    if (array.offsets != NULL)
        memset(array.offsets, 0, (n + (size_t)1) * sizeof(int32_t));
    if (job->has_lengths)
        *children = (struct stoa_range){0, 0};
    *out = array;
out:
    return st;
}

/* Whether what is decoded of a page is looked at value by value: then all of it has to be made. */
static bool checks_values(const struct stoa_type *type)
{
    return type->id == STOA_BOOL || type->id == STOA_ENUM || type->id == STOA_DECIMAL;
}

static enum stoa_status run(struct job *job, uint32_t begin, uint32_t end, struct stoa_array *out,
                            struct stoa_range *children, struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    uint32_t shift = in->chunk->page_shift, local = stoa_open_chunk_local(in);
    uint32_t first = stoa_open_chunk_page(in, begin), last = stoa_open_chunk_page(in, end - 1) + 1;
    uint64_t covered_end = (uint64_t)(last - local) << shift;
    enum stoa_status st;

    job->begin = begin >> shift << shift;
    job->end = covered_end < in->nvalues ? (uint32_t)covered_end : in->nvalues;
    job->bases.covered = (struct stoa_range){job->begin, job->end};
    job->bases.wanted =
        checks_values(&job->own.type) ? job->bases.covered : (struct stoa_range){begin, end};
    STOA_TRY(stoa_open_chunk_head(in, err));
    job->first_child = in->pages.pages[first].first_child;
    if (job->first_child > job->nchild) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "begins at child value %" PRIu32 " of %" PRIu32,
                       job->first_child, job->nchild);
        st = stoa_open_chunk_fail(in, first, st, err);
        goto out;
    }
    STOA_TRY(stoa_open_chunk_dictionary(in, err));
    STOA_TRY(alloc_array(job, first, last, err));
    STOA_TRY(decode_pages(job, first, last, err));
    STOA_TRY(finish_array(job, begin, end, out, children, err));
out:
    return st;
}

static void job_reset(struct job *job)
{
    stoa_base_reader_reset(&job->bases);
    stoa_open_chunk_reset(&job->in);
    stoa_array_reset(&job->array);
    stoa_buffer_free(&job->text);
}

/* Reads values [begin, end) of the chunk that the job is about. */
static enum stoa_status read_values(struct job *job, struct stoa_range values,
                                    struct stoa_array *out, struct stoa_range *children,
                                    struct stoa_read_counters *counters, struct stoa_error *err)
{
    enum stoa_status st;

    if (job->in.chunk->flags & STOA_CHUNK_NO_PAGES)
        st = read_without_pages(job, values.end - values.begin, out, children, err);
    else
        st = run(job, values.begin, values.end, out, children, err);
    if (st == STOA_OK)
        stoa_base_reader_count(&job->bases, &job->in, counters);
    job_reset(job);
    return st;
}

enum stoa_status stoa_chunk_read(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                 struct stoa_range values, struct stoa_budget *budget,
                                 struct stoa_array *out, struct stoa_range *children,
                                 struct stoa_read_counters *counters, struct stoa_error *err)
{
    static const struct stoa_chunk nothing = {.flags = STOA_CHUNK_ALL_VALID};
    struct stoa_footer *footer = &reader->footer;
    struct stoa_column *info;
    struct job job = {0};
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
    if (values.begin < values.end && job.has_lengths) /* its only child is the next node */
        STOA_TRY(stoa_footer_nvalues(footer, node + 1, row_group, &job.nchild, err));
    assert(values.begin == values.end || values.end <= job.in.nvalues);
    st = read_values(&job, values, out, children, counters, err);
    if (st != STOA_OK)
        stoa_reader_wrap(reader, row_group, node, st, err);
out:
    return st;
}

/* ---- Single values. ---- */

/* The run of stored pages [*first, *last), one behind the other, that hold places [at, *end). */
static void find_run(const struct job *job, size_t at, size_t nplaces, uint32_t *first,
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

static enum stoa_status take_pages(struct job *job, size_t nplaces, struct stoa_error *err)
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
            st = decode_page(job, k, stoa_open_chunk_bytes(in, first, k), at, n, err);
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
static enum stoa_status put_entries(struct job *job, size_t first, size_t n, struct stoa_error *err)
{
    const uint32_t width = job->in.width;
    uint8_t *values = room_of_values(job, first);
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < n; i++) {
        struct stoa_page_values out = room_in_array(job, first + i);

        out.validity = NULL;
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

/* Takes n values of stored page k from what the reader keeps. */
static enum stoa_status take_kept(struct job *job, uint32_t k, size_t first, uint32_t n,
                                  struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    const size_t text_before = job->text.nbytes;
    struct stoa_page_values out = room_in_array(job, first);
    struct stoa_page_view view = {
        .phys = in->phys,
        .width = in->width,
        .raw_max = stoa_open_chunk_raw_max(in, k),
        .ncodes = in->ncodes + in->nown,
    };
    uint32_t value, all;
    enum stoa_status st;

    STOA_TRY(stoa_open_chunk_kept_page(in, k, err));
    stoa_open_chunk_values(in, k, &value, &all);
    view.page = in->page->page.data;
    view.nbytes = in->page->page.nbytes;
    view.nvalues = all;
    if (view.ncodes > 0)
        out.values = (uint8_t *)(job->codes + first);
    out.bases = stoa_base_reader_page(&job->bases, in, k,
                                      job->places != NULL ? job->places + first : NULL, n);
    STOA_TRY(stoa_page_take(in->scratch->decoder, &view, job->in_page + first, n, &out, err));
    job->array.nnulls += out.nnulls;
    if (view.ncodes > 0)
        STOA_TRY(put_entries(job, first, n, err));
    st = finish_values(job, k, first, n, text_before, err);
out:
    return st;
}

static enum stoa_status take_kept_pages(struct job *job, size_t nplaces, struct stoa_error *err)
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
static enum stoa_status alloc_places(struct job *job, size_t nplaces, uint32_t **out,
                                     struct stoa_error *err)
{
    const uint32_t mask = (UINT32_C(1) << job->in.chunk->page_shift) - 1;
    const size_t nbytes = 2 * nplaces * sizeof(**out) + DECODE_SLACK;
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

static enum stoa_status take(struct job *job, const uint32_t *places, size_t nplaces, bool keep,
                             struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    uint32_t *memory = NULL;
    struct stoa_range none;
    enum stoa_status st;

    if (in->chunk->flags & STOA_CHUNK_NO_PAGES)
        return read_without_pages(job, (uint32_t)nplaces, out, &none, err);
    job->places = places;
    job->end = (uint32_t)nplaces;
    if (keep) {
        STOA_TRY(stoa_open_chunk_kept(in, err));
    } else {
        STOA_TRY(stoa_open_chunk_head(in, err));
        STOA_TRY(stoa_open_chunk_dictionary(in, err));
    }
    STOA_TRY(alloc_places(job, nplaces, &memory, err));
    STOA_TRY(alloc_array(job, 0, 0, err));
    STOA_TRY((keep ? take_kept_pages : take_pages)(job, nplaces, err));
    if (job->array.nnulls > in->chunk->nnulls) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, in->chunk->offset,
                          "%zu nulls, the footer says %" PRIu32, job->array.nnulls,
                          in->chunk->nnulls);
        goto out;
    }
    STOA_TRY(finish_text(job, err));
    stoa_array_drop_validity(&job->array);
    *out = job->array;
    job->array = (struct stoa_array){0};
out:
    stoa_free(memory);
    return st;
}

enum stoa_status stoa_chunk_take(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                 const uint32_t *places, size_t nplaces, bool keep,
                                 struct stoa_array *out, struct stoa_read_counters *counters,
                                 struct stoa_error *err)
{
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    struct job job = {0};
    enum stoa_status st;

    STOA_TRY(stoa_open_chunk_find(&job.in, reader, row_group, node, &budget, err));
    stoa_base_reader_init(&job.bases, reader, row_group, job.in.chunk, &budget);
    assert(nplaces > 0 && places[nplaces - 1] < job.in.nvalues);
    assert(!stoa_type_has_lengths(job.in.column->place.type));
    job.own = job.in.column->field;
    if (stoa_type_is_nested(job.in.column->place.type))
        job.own.type = (struct stoa_type){.id = STOA_NULL};
    job.bases.keep = keep;
    st = take(&job, places, nplaces, keep, out, err);
    if (st == STOA_OK)
        stoa_base_reader_count(&job.bases, &job.in, counters);
    job_reset(&job);
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
    struct job job = {
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
