/*
 * From the pages of a chunk to an array (spec/format.md, "Chunks" and "Null slots").
 *
 *     rows wanted             |--------------|
 *     pages        |----2----|----3----|----4----|----5----|
 *     covered                |-------------------|           decoded, then cut to what is wanted
 *
 * Pages are fetched in runs with one read each, every page is verified before it is decoded, and
 * decoded straight into the array unless its values have to be widened. What the format promises
 * of values and what a page cannot know is checked here: text is UTF-8, bools are 0 or 1, enum
 * values have a symbol, the count of nulls is that of the chunk.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "column/array.h"
#include "file/chunk_pages.h"
#include "file/phys.h"
#include "file/reader.h"
#include "file/widen.h"

enum {
    FETCH_NBYTES = 8 << 20, /* of pages at a time, and at least one page */
    DECODE_SLACK = 64,      /* what the page decoder may write behind the last value */
};

struct job {
    struct stoa_reader *reader;
    const struct stoa_column *column;
    const struct stoa_chunk *chunk;
    enum stoa_phys phys; /* of the chunk */
    uint32_t width;      /* of a value of the chunk; 0 for BYTES */
    uint32_t nrows;      /* of the row group */
    uint32_t begin;      /* rows covered: whole pages around the rows wanted */
    uint32_t end;
    struct stoa_budget budget;
    struct stoa_read_scratch *scratch;
    struct stoa_chunk_pages pages;
    const struct stoa_dictionary *dictionary; /* of a chunk that has one: shared, or `own` */
    uint32_t ncodes;
    struct stoa_dictionary own;
    struct stoa_array array;
    struct stoa_buffer text;
    uint64_t nread;
    uint64_t ndecoded;
};

static uint32_t first_data_page(const struct job *job)
{
    return job->chunk->flags & STOA_CHUNK_LOCAL_DICT ? 1 : 0;
}

/* ---- What a decoded page must hold. ---- */

/* Each of n values is UTF-8 when all text is and no value starts inside a character. */
static enum stoa_status check_utf8(const uint8_t *text, const int32_t *offsets, size_t n,
                                   uint32_t first_row, struct stoa_error *err)
{
    size_t begin = (size_t)offsets[0], nbytes = (size_t)offsets[n] - begin;
    size_t valid = nbytes > 0 ? stoa_utf8_valid_prefix(text + begin, nbytes) : 0;

    for (size_t i = 0; i < n; i++) {
        size_t end = (size_t)offsets[i + 1] - begin;

        if (end > valid || (end < nbytes && (text[begin + end] & 0xc0) == 0x80))
            return stoa_fail(err, STOA_ERR_CORRUPT, "row %zu: text that is not UTF-8",
                             first_row + i);
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
    const uint8_t *in = job->scratch->values.data;
    size_t width = stoa_type_width(&job->column->field.type), npacked;

    if (job->column->field.type.id == STOA_BOOL) {
        npacked = stoa_pack_bools(job->array.values, first, in, n);
        if (npacked < n)
            return stoa_fail(err, STOA_ERR_CORRUPT, "a bool of %u", in[npacked]);
        return STOA_OK;
    }
    if (job->column->field.type.id == STOA_INTERVAL)
        stoa_interval_le(job->array.values + first * width, in, n);
    else
        stoa_widen(job->array.values + first * width,
                   stoa_type_memory_phys(&job->column->field.type), in, job->phys, n);
    return STOA_OK;
}

/* Whether values lie in the array as they are stored. */
static bool is_direct(const struct job *job)
{
    const struct stoa_type *type = &job->column->field.type;

    return job->phys == STOA_PHYS_BYTES ||
           (job->phys == stoa_type_memory_phys(type) && type->id != STOA_BOOL &&
            (type->id != STOA_INTERVAL || STOA_LITTLE_ENDIAN));
}

/* ---- Pages. ---- */

static enum stoa_status verify_page(const struct stoa_stored_page *page, const uint8_t *bytes,
                                    struct stoa_error *err)
{
    if (stoa_hash(bytes, page->nbytes) != page->hash)
        return stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
    return STOA_OK;
}

static enum stoa_status decode_page(struct job *job, const struct stoa_stored_page *page,
                                    const uint8_t *bytes, uint32_t row, uint32_t n,
                                    struct stoa_error *err)
{
    const struct stoa_type *type = &job->column->field.type;
    size_t first = row - job->begin, width = stoa_type_width(type), text_before = job->text.nbytes;
    uint64_t raw_max = page->raw_max < job->budget.total ? page->raw_max : job->budget.total;
    struct stoa_vector dictionary;
    struct stoa_page_values out = {
        .validity = job->array.validity,
        .first_bit = first,
    };
    enum stoa_status st;

    STOA_TRY(verify_page(page, bytes, err));
    if (job->phys == STOA_PHYS_BYTES) {
        out.offsets = job->array.offsets + first;
        out.bytes = &job->text;
        out.bytes_max = job->budget.left < INT32_MAX - text_before
                            ? text_before + (size_t)job->budget.left + 1
                            : INT32_MAX;
    } else if (is_direct(job)) {
        out.values = job->array.values + first * width;
    } else {
        out.values = job->scratch->values.data;
    }
    if (job->dictionary != NULL)
        dictionary = stoa_dictionary_vector(job->dictionary, job->ncodes);
    STOA_TRY(stoa_page_decode(job->scratch->decoder, bytes, page->nbytes, job->phys, job->width, n,
                              raw_max, job->dictionary != NULL ? &dictionary : NULL, 0, &out, err));
    job->array.nnulls += out.nnulls;
    job->ndecoded++;
    if (job->phys == STOA_PHYS_BYTES) {
        STOA_TRY(stoa_budget_take(&job->budget, job->text.nbytes - text_before, err));
        if (type->id == STOA_UTF8 && job->dictionary == NULL)
            STOA_TRY(check_utf8(job->text.data, out.offsets, n, row, err));
    } else if (!is_direct(job)) {
        STOA_TRY(put_widened(job, first, n, err));
    }
    if (type->id == STOA_ENUM)
        STOA_TRY(check_symbols(type, (const uint32_t *)(const void *)job->array.values, &job->array,
                               first, n, err));
out:
    return st;
}

/* What a page failed with becomes a place in the file. */
static enum stoa_status fail_page(const struct job *job, uint32_t k, enum stoa_status st,
                                  struct stoa_error *err)
{
    uint32_t local = first_data_page(job);

    if (err != NULL && st != STOA_ERR_NOMEM && st != STOA_ERR_IO)
        err->offset = job->pages.pages[k].offset;
    if (k < local)
        return stoa_wrap(err, st, "dictionary page");
    return stoa_wrap(err, st, "page %" PRIu32, k - local);
}

/* Reads stored pages [begin, end) into scratch->stored. */
static enum stoa_status fetch(struct job *job, uint32_t begin, uint32_t end, struct stoa_error *err)
{
    uint64_t nbytes = stoa_chunk_pages_nbytes(&job->pages, begin, end);
    enum stoa_status st;

    STOA_TRY(stoa_buffer_resize(&job->scratch->stored, (size_t)nbytes, err));
    STOA_TRY(stoa_chunk_pages_fetch(&job->reader->footer, &job->pages, begin, end,
                                    job->scratch->stored.data, err));
    job->nread += nbytes;
out:
    return st;
}

/* The end of the run of pages from `begin` on that one read takes. */
static uint32_t run_end(const struct job *job, uint32_t begin, uint32_t end)
{
    uint32_t k = begin + 1;

    while (k < end && stoa_chunk_pages_nbytes(&job->pages, begin, k + 1) <= FETCH_NBYTES)
        k++;
    return k;
}

static enum stoa_status decode_pages(struct job *job, uint32_t begin, uint32_t end,
                                     struct stoa_error *err)
{
    uint32_t local = first_data_page(job), run;
    enum stoa_status st = STOA_OK;

    for (; begin < end; begin = run) {
        run = run_end(job, begin, end);
        STOA_TRY(fetch(job, begin, run, err));
        for (uint32_t k = begin; k < run; k++) {
            const struct stoa_stored_page *page = &job->pages.pages[k];
            uint32_t row = (k - local) << job->chunk->page_shift;
            uint32_t rest = job->nrows - row, page_nrows = UINT32_C(1) << job->chunk->page_shift;

            st = decode_page(job, page,
                             job->scratch->stored.data +
                                 (page->offset - job->pages.pages[begin].offset),
                             row, rest < page_nrows ? rest : page_nrows, err);
            if (st != STOA_OK)
                return fail_page(job, k, st, err);
        }
    }
out:
    return st;
}

/* ---- Dictionaries. ---- */

/*
 * The local dictionary page, behind the shared values if there are any. Its header says how many
 * values it has.
 */
static enum stoa_status read_local(struct job *job, struct stoa_error *err)
{
    const struct stoa_stored_page *page = &job->pages.pages[0];
    const struct stoa_dictionary *shared = job->dictionary;
    uint32_t nshared = shared != NULL ? job->ncodes : 0, nvalues;
    enum stoa_status st;

    STOA_TRY(fetch(job, 0, 1, err));
    st = verify_page(page, job->scratch->stored.data, err);
    if (st == STOA_OK)
        st = stoa_page_count(job->scratch->stored.data, page->nbytes, &nvalues, err);
    if (st == STOA_OK)
        st = stoa_dictionary_init(&job->own, job->phys, job->width, nshared + nvalues, &job->budget,
                                  err);
    if (st == STOA_OK && shared != NULL)
        st = stoa_dictionary_append_codes(&job->own, shared, nshared, &job->budget, err);
    if (st == STOA_OK)
        st =
            stoa_dictionary_append_page(&job->own, job->scratch->decoder, job->scratch->stored.data,
                                        page->nbytes, nvalues, page->raw_max, &job->budget, err);
    if (st != STOA_OK)
        return fail_page(job, 0, st, err);
    stoa_dictionary_finish(&job->own);
    job->dictionary = &job->own;
    job->ncodes = nshared + nvalues;
    job->ndecoded++;
out:
    return st;
}

static enum stoa_status open_dictionary(struct job *job, struct stoa_error *err)
{
    const struct stoa_chunk *chunk = job->chunk;
    enum stoa_status st = STOA_OK;

    if (chunk->flags & STOA_CHUNK_SHARED_DICT)
        STOA_TRY(stoa_dictionaries_get(&job->reader->dictionaries, &job->reader->footer,
                                       job->scratch->decoder, chunk->dict_index, job->phys,
                                       job->width, &job->budget, &job->dictionary, &job->ncodes,
                                       err));
    if (chunk->flags & STOA_CHUNK_LOCAL_DICT)
        STOA_TRY(read_local(job, err));
    if (job->dictionary != NULL && job->column->field.type.id == STOA_UTF8 &&
        job->dictionary->nutf8 < job->ncodes)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "dictionary: value %" PRIu32 " is not UTF-8",
                       job->dictionary->nutf8);
out:
    return st;
}

/* ---- The array. ---- */

/* Room for the covered rows; the text of pages without a dictionary is known in advance. */
static enum stoa_status alloc_array(struct job *job, uint32_t first, uint32_t last,
                                    struct stoa_error *err)
{
    const struct stoa_type *type = &job->column->field.type;
    uint64_t n = job->end - job->begin, nbytes = n * stoa_type_width(type) + n / 4 + DECODE_SLACK;
    uint64_t raw_nbytes = 0, page_nrows = UINT64_C(1) << job->chunk->page_shift;
    enum stoa_status st;

    if (job->phys == STOA_PHYS_BYTES)
        nbytes += n * sizeof(int32_t);
    if (!is_direct(job))
        nbytes += page_nrows * 8;
    STOA_TRY(stoa_budget_take(&job->budget, nbytes, err));
    STOA_TRY(stoa_array_alloc(type, (size_t)n, 0, job->chunk->nnulls > 0, &job->array, err));
    job->array.nnulls = 0;
    if (!is_direct(job))
        STOA_TRY(stoa_buffer_resize(
            &job->scratch->values,
            (size_t)(page_nrows < n ? page_nrows : n) * job->width + DECODE_SLACK, err));
    for (uint32_t k = first; k < last && job->dictionary == NULL; k++)
        raw_nbytes += job->pages.npages > 1 ? job->pages.pages[k].raw_max : 0;
    if (job->phys == STOA_PHYS_BYTES && raw_nbytes < job->budget.left && raw_nbytes < INT32_MAX)
        STOA_TRY(stoa_buffer_reserve(&job->text, (size_t)raw_nbytes + DECODE_SLACK, err));
out:
    return st;
}

/* Moves the text into the array, with zeros behind it. */
static enum stoa_status finish_text(struct job *job, struct stoa_error *err)
{
    size_t nbytes = job->text.nbytes;
    enum stoa_status st;

    if (job->phys != STOA_PHYS_BYTES)
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

static enum stoa_status finish_array(struct job *job, uint32_t begin, uint32_t end,
                                     struct stoa_array *out, struct stoa_error *err)
{
    bool is_whole = job->begin == 0 && job->end == job->nrows;
    enum stoa_status st;

    if (is_whole ? job->array.nnulls != job->chunk->nnulls
                 : job->array.nnulls > job->chunk->nnulls) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, job->chunk->offset,
                          "%zu nulls, the footer says %" PRIu32, job->array.nnulls,
                          job->chunk->nnulls);
        goto out;
    }
    STOA_TRY(finish_text(job, err));
    stoa_array_drop_validity(&job->array);
    if (begin == job->begin && end == job->end) {
        *out = job->array;
        job->array = (struct stoa_array){0};
    } else {
        STOA_TRY(stoa_array_slice(&job->column->field, &job->array, begin - job->begin,
                                  end - job->begin, out, err));
    }
out:
    return st;
}

/* Every value is null: arrays of type null have no buffers at all. */
static enum stoa_status read_all_null(struct job *job, uint32_t n, struct stoa_array *out,
                                      struct stoa_error *err)
{
    const struct stoa_type *type = &job->column->field.type;
    uint64_t nbytes = (uint64_t)n * (stoa_type_width(type) + sizeof(int32_t) + 1);
    struct stoa_array array = {0};
    enum stoa_status st;

    STOA_TRY(stoa_budget_take(&job->budget, nbytes, err));
    STOA_TRY(stoa_array_alloc(type, n, 0, true, &array, err));
    if (array.values != NULL && type->id != STOA_BOOL && job->column->phys != STOA_PHYS_BYTES)
        memset(array.values, 0, (size_t)n * stoa_type_width(type));
    if (array.offsets != NULL)
        memset(array.offsets, 0, (n + (size_t)1) * sizeof(int32_t));
    *out = array;
out:
    return st;
}

static enum stoa_status run(struct job *job, uint32_t begin, uint32_t end, struct stoa_array *out,
                            struct stoa_error *err)
{
    uint32_t shift = job->chunk->page_shift, local = first_data_page(job);
    uint32_t first = local + (begin >> shift), last = local + ((end - 1) >> shift) + 1;
    uint64_t covered_end = (uint64_t)(last - local) << shift;
    enum stoa_status st;

    job->begin = begin >> shift << shift;
    job->end = covered_end < job->nrows ? (uint32_t)covered_end : job->nrows;
    STOA_TRY(stoa_reader_scratch_take(job->reader, &job->scratch, err));
    STOA_TRY(stoa_chunk_pages_read(&job->reader->footer, job->chunk, job->nrows, &job->pages, err));
    job->nread += job->pages.head_nbytes;
    STOA_TRY(open_dictionary(job, err));
    STOA_TRY(alloc_array(job, first, last, err));
    STOA_TRY(decode_pages(job, first, last, err));
    STOA_TRY(finish_array(job, begin, end, out, err));
out:
    return st;
}

enum stoa_status stoa_chunk_read(struct stoa_reader *reader, uint32_t row_group, uint32_t column,
                                 uint32_t begin, uint32_t end, struct stoa_array *out,
                                 struct stoa_read_counters *counters, struct stoa_error *err)
{
    struct stoa_footer *footer = &reader->footer;
    const struct stoa_chunk *chunks;
    struct stoa_column *info;
    struct job job = {
        .reader = reader,
        .nrows = footer->groups[row_group].nrows,
        .budget = {footer->memory_nbytes, footer->memory_nbytes},
    };
    enum stoa_status st;

    st = stoa_footer_column(footer, column, &info, err);
    if (st == STOA_OK)
        st = stoa_footer_chunks(footer, column, &chunks, err);
    if (st != STOA_OK)
        return st;
    job.column = info;
    job.chunk = &chunks[row_group];
    job.phys = (enum stoa_phys)job.chunk->phys;
    job.width = job.phys == STOA_PHYS_FIXED ? info->width : stoa_phys_width(job.phys);
    if (job.chunk->flags & STOA_CHUNK_ALL_NULL)
        st = read_all_null(&job, end - begin, out, err);
    else
        st = run(&job, begin, end, out, err);
    if (st == STOA_OK && counters != NULL) {
        counters->pages += job.ndecoded;
        counters->bytes += job.nread;
    }
    stoa_reader_scratch_give(reader, job.scratch);
    stoa_chunk_pages_reset(&job.pages);
    stoa_dictionary_reset(&job.own);
    stoa_array_reset(&job.array);
    stoa_buffer_free(&job.text);
    return st == STOA_OK ? st : stoa_reader_wrap(reader, row_group, column, st, err);
}
