/*
 * What a chunk's pages become on their way into an array (chunk_job.h).
 *
 * Pages are decoded straight into the array unless their values have to be widened. What the format
 * promises of values and what a page cannot know is checked here: text is UTF-8, bools are 0 or 1,
 * enum values have a symbol, lengths of lists add up to what the page table and the child's chunk
 * say.
 */
#include "file/chunk_job.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"
#include "codec/page_select.h"
#include "column/array.h"
#include "file/phys.h"
#include "file/widen.h"

/* Value i of the array as messages say it. */
static size_t number_of(const struct stoa_chunk_job *job, size_t i)
{
    return job->places != NULL ? job->places[i] : job->begin + i;
}

/* ---- What a decoded page must hold. ---- */

/* Each of n values is UTF-8 when all text is and no value starts inside a character. */
static enum stoa_status check_utf8(const struct stoa_chunk_job *job, const int32_t *offsets,
                                   size_t n, size_t first, struct stoa_error *err)
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
static enum stoa_status put_widened(struct stoa_chunk_job *job, size_t first, size_t n,
                                    struct stoa_error *err)
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
static enum stoa_status put_lengths(struct stoa_chunk_job *job, const struct stoa_stored_page *page,
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
static bool is_direct(const struct stoa_chunk_job *job)
{
    const struct stoa_type *type = &job->own.type;

    if (job->has_lengths)
        return job->in.phys == STOA_PHYS_U32;
    return job->in.phys == STOA_PHYS_BYTES ||
           (job->in.phys == stoa_type_memory_phys(type) && type->id != STOA_BOOL &&
            (type->id != STOA_INTERVAL || STOA_LITTLE_ENDIAN));
}

/* Numbers of the chunk's type may have more digits than the column's precision. */
static enum stoa_status check_decimals(const struct stoa_chunk_job *job, size_t first, size_t n,
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
uint8_t *stoa_chunk_job_value_room(const struct stoa_chunk_job *job, size_t first)
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
struct stoa_page_values stoa_chunk_job_room(struct stoa_chunk_job *job, size_t first)
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
        out.values = stoa_chunk_job_value_room(job, first);
    }
    return out;
}

/* What is left to do with n values of stored page k, from the array's `first` on. */
enum stoa_status stoa_chunk_job_finish_values(struct stoa_chunk_job *job, uint32_t k, size_t first,
                                              uint32_t n, size_t text_before,
                                              struct stoa_error *err)
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

/*
 * Room for the text of all values out of a dictionary: as much of each as all entries have, or as
 * `first` of them have on an average and a little more. Text that grows page by page takes other
 * memory each time.
 */
static enum stoa_status reserve_text(struct stoa_chunk_job *job, size_t first,
                                     struct stoa_error *err)
{
    const uint64_t nleft = job->end - job->begin - first;
    const bool is_even = job->in.dictionary->length > 0 && job->in.chunk->nnulls == 0;
    const uint64_t rest = is_even     ? nleft * job->in.dictionary->length
                          : first > 0 ? nleft * job->text.nbytes / first
                                      : 0;
    const uint64_t extra = rest + (is_even ? 0 : rest / 16) + STOA_CHUNK_JOB_SLACK;

    if (rest == 0 || job->text.nbytes + rest <= job->text.capacity ||
        extra > job->in.budget->left || extra > INT32_MAX - job->text.nbytes)
        return STOA_OK;
    return stoa_buffer_reserve(&job->text, (size_t)extra, err);
}

/* Decodes n values of stored page k, all or single ones, to the array's `first` and behind. */
enum stoa_status stoa_chunk_job_decode_page(struct stoa_chunk_job *job, uint32_t k,
                                            const uint8_t *bytes, size_t first, uint32_t n,
                                            struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    const struct stoa_stored_page *page = &in->pages.pages[k];
    const size_t text_before = job->text.nbytes;
    struct stoa_vector dictionary = {0}, *entries = in->dictionary != NULL ? &dictionary : NULL;
    uint64_t raw_max = stoa_open_chunk_raw_max(in, k);
    struct stoa_page_values out = stoa_chunk_job_room(job, first);
    uint32_t value, all;
    enum stoa_status st;

    if (in->phys == STOA_PHYS_BYTES && entries != NULL)
        STOA_TRY(reserve_text(job, first, err));
    STOA_TRY(stoa_stored_page_verify(page, bytes, err));
    stoa_open_chunk_values(in, k, &value, &all);
    if (entries != NULL)
        dictionary = stoa_dictionary_entries(in->dictionary, in->ncodes);
    out.bases = stoa_base_reader_page(&job->bases, in, k, first, n);
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
    st = stoa_chunk_job_finish_values(job, k, first, n, text_before, err);
out:
    return st;
}

/* ---- The array. ---- */

/* An array of the node without its children, as stoa_array_alloc() leaves it. */
static enum stoa_status alloc_own(const struct stoa_chunk_job *job, size_t n, bool nulls,
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
enum stoa_status stoa_chunk_job_alloc(struct stoa_chunk_job *job, uint32_t first, uint32_t last,
                                      struct stoa_error *err)
{
    const struct stoa_type *type = &job->own.type;
    uint64_t n = job->end - job->begin,
             nbytes = n * stoa_type_width(type) + n / 4 + STOA_CHUNK_JOB_SLACK;
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
        STOA_TRY(stoa_buffer_resize(&job->in.scratch->values,
                                    (size_t)(page_nvalues < n ? page_nvalues : n) * job->in.width +
                                        STOA_CHUNK_JOB_SLACK,
                                    err));
    for (uint32_t k = first; k < last && job->in.dictionary == NULL; k++)
        raw_nbytes += job->in.pages.npages > 1 ? job->in.pages.pages[k].raw_max : 0;
    if (job->in.phys == STOA_PHYS_BYTES && raw_nbytes < job->in.budget->left &&
        raw_nbytes < INT32_MAX)
        STOA_TRY(stoa_buffer_reserve(&job->text, (size_t)raw_nbytes + STOA_CHUNK_JOB_SLACK, err));
out:
    return st;
}

/* Moves the text into the array, with zeros behind it. */
enum stoa_status stoa_chunk_job_finish_text(struct stoa_chunk_job *job, struct stoa_error *err)
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

/* Values without pages: none, or every one is null, or the node has no values and none is null. */
enum stoa_status stoa_chunk_job_without_pages(struct stoa_chunk_job *job, uint32_t n,
                                              struct stoa_array *out, struct stoa_range *children,
                                              struct stoa_error *err)
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

void stoa_chunk_job_reset(struct stoa_chunk_job *job)
{
    stoa_base_reader_reset(&job->bases);
    stoa_open_chunk_reset(&job->in);
    stoa_array_reset(&job->array);
    stoa_buffer_free(&job->text);
}
