/*
 * Filters on encoded chunks (file/chunk_filter.h): from a leaf of a predicate to tests of pages.
 *
 *     leaf      ranges of values of the column's type       stats/matcher.h
 *     test      spans of stored integers, ranges of         codec/page_select.h
 *               stored floats, codes of a dictionary
 *
 * Integers of the chunk may be narrower than those of the column: ranges are cut to what they hold.
 */
#include "file/chunk_filter.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "codec/page_select.h"
#include "file/chunk_open.h"
#include "file/phys.h"

enum { PAGE_BITS_NBYTES = STOA_PAGE_MAX_NVALUES / 8 };

/* The codes that pass of one dictionary. */
struct stoa_code_set {
    struct stoa_code_set *next;
    const struct stoa_dictionary *dictionary;
    struct stoa_test test; /* SPANS, or CODES with `table` */
    uint8_t *table;
};

void stoa_code_set_free(struct stoa_code_set *set)
{
    if (set != NULL)
        stoa_free(set->table);
    stoa_free(set);
}

void stoa_chunk_filter_reset(struct stoa_chunk_filter *filter)
{
    struct stoa_code_set *set = atomic_load(&filter->codes);

    while (set != NULL) {
        struct stoa_code_set *next = set->next;

        stoa_code_set_free(set);
        set = next;
    }
    atomic_store(&filter->codes, NULL);
}

/* ---- From a leaf to a test of stored numbers. ---- */

/* The part of a range that integers of `phys` can be; false when there is none. */
static bool cut_range(const struct stoa_leaf *leaf, const struct stoa_bound_range *range,
                      enum stoa_phys phys, struct stoa_test_span *out)
{
    const unsigned nbits = 8 * stoa_phys_width(phys);

    if (leaf->kind == STOA_BOUND_UINT) {
        uint64_t most = UINT64_MAX >> (64 - nbits),
                 hi = range->hi.u64 < most ? range->hi.u64 : most;

        *out = (struct stoa_test_span){.from = range->lo.u64, .length = hi - range->lo.u64};
        return range->lo.u64 <= hi;
    } else {
        bool is_signed = phys <= STOA_PHYS_I64;
        int64_t most =
            is_signed ? INT64_MAX >> (64 - nbits) : (int64_t)(UINT64_MAX >> (64 - nbits));
        int64_t least = is_signed ? -most - 1 : 0;
        int64_t lo = range->lo.i64 > least ? range->lo.i64 : least;
        int64_t hi = range->hi.i64 < most ? range->hi.i64 : most;

        *out = (struct stoa_test_span){.from = (uint64_t)lo, .length = (uint64_t)hi - (uint64_t)lo};
        return lo <= hi;
    }
}

static bool is_integer(enum stoa_phys phys)
{
    return phys >= STOA_PHYS_I8 && phys <= STOA_PHYS_U64;
}

/* Whether the leaf is a test of numbers as they are stored: then *out is that test. */
static bool test_of_numbers(const struct stoa_leaf *leaf, enum stoa_phys phys,
                            struct stoa_test *out)
{
    bool of_floats =
        leaf->kind == STOA_BOUND_FLOAT && (phys == STOA_PHYS_F32 || phys == STOA_PHYS_F64);
    bool of_integers =
        (leaf->kind == STOA_BOUND_INT && is_integer(phys) && phys != STOA_PHYS_U64) ||
        (leaf->kind == STOA_BOUND_UINT && is_integer(phys) && phys >= STOA_PHYS_U8);

    if (leaf->test != STOA_LEAF_RANGES || leaf->nranges > STOA_TEST_MAX_NSPANS ||
        !(of_floats || of_integers))
        return false;
    *out = (struct stoa_test){.kind = of_floats ? STOA_TEST_FLOATS : STOA_TEST_SPANS,
                              .inverted = leaf->inverted};
    for (size_t k = 0; k < leaf->nranges; k++) {
        if (of_floats)
            out->floats[out->nspans++] =
                (struct stoa_float_range){leaf->ranges[k].lo.f64, leaf->ranges[k].hi.f64};
        else if (cut_range(leaf, &leaf->ranges[k], phys, &out->spans[out->nspans]))
            out->nspans++;
    }
    return true;
}

/* ---- From a leaf to a test of texts. ---- */

/* A leaf that is not inverted, which the test of a page does. */
struct text_match {
    struct stoa_leaf leaf;
    const struct stoa_type *type;
};

static void match_texts(const void *context, const uint8_t *text, const int32_t *offsets, size_t n,
                        uint8_t *bits)
{
    const struct text_match *match = context;
    struct stoa_array texts = {
        .nvalues = n, .values = (uint8_t *)text, .offsets = (int32_t *)offsets};

    stoa_leaf_eval(&match->leaf, match->type, &texts, n, bits);
}

static bool test_of_texts(const struct stoa_chunk_filter *filter, enum stoa_phys phys,
                          struct text_match *match, struct stoa_test *out)
{
    const struct stoa_leaf *leaf = filter->leaf;

    if (phys != STOA_PHYS_BYTES || leaf->kind != STOA_BOUND_BYTES ||
        !(leaf->test == STOA_LEAF_RANGES || leaf->test == STOA_LEAF_LIKE))
        return false;
    *match = (struct text_match){.leaf = *leaf, .type = filter->type};
    match->leaf.inverted = false;
    *out = (struct stoa_test){.kind = STOA_TEST_TEXTS,
                              .inverted = leaf->inverted,
                              .match = match_texts,
                              .context = match};
    if (leaf->test == STOA_LEAF_LIKE || leaf->nranges > STOA_TEST_MAX_NSPANS)
        return true;
    for (size_t k = 0; k < leaf->nranges; k++) {
        const struct stoa_bytes_range *range = &leaf->texts[k];

        out->texts[out->nspans++] = (struct stoa_text_range){range->lo, range->lo_nbytes, range->hi,
                                                             range->hi_nbytes, range->is_point};
    }
    return true;
}

/* ---- From a leaf to the codes of a dictionary. ---- */

/* Bits of the entries that pass; false when the leaf can't be tested on them as they are. */
static bool test_entries(const struct stoa_chunk_filter *filter,
                         const struct stoa_dictionary *dictionary, uint8_t *bits)
{
    const size_t n = dictionary->count;
    struct stoa_array entries = {
        .nvalues = n, .values = dictionary->values.data, .offsets = dictionary->offsets};
    struct stoa_test test;

    if (test_of_numbers(filter->leaf, dictionary->phys, &test)) {
        stoa_test_numbers(&test, dictionary->phys, entries.values, n, bits);
        for (size_t i = 0; test.inverted && i < stoa_bitmap_nbytes(n); i++)
            bits[i] = (uint8_t)~bits[i];
        return true;
    }
    if (filter->leaf->test == STOA_LEAF_IS_NAN || filter->type->id == STOA_BOOL ||
        stoa_type_memory_phys(filter->type) != dictionary->phys)
        return false;
    stoa_leaf_eval(filter->leaf, filter->type, &entries, n, bits);
    return true;
}

/* The codes whose bits are set, as spans if they are few, else as a table. */
static enum stoa_status set_codes(struct stoa_code_set *set, const uint8_t *bits, uint32_t ncodes,
                                  struct stoa_error *err)
{
    struct stoa_test *test = &set->test;
    enum stoa_status st;

    *test = (struct stoa_test){.kind = STOA_TEST_SPANS};
    for (uint32_t begin = 0, end; begin < ncodes; begin = end + 1) {
        while (begin < ncodes && !stoa_bitmap_get(bits, begin))
            begin++;
        for (end = begin; end < ncodes && stoa_bitmap_get(bits, end);)
            end++;
        if (end > begin && test->nspans < STOA_TEST_MAX_NSPANS)
            test->spans[test->nspans] = (struct stoa_test_span){begin, end - begin - 1};
        test->nspans += end > begin;
    }
    if (test->nspans <= STOA_TEST_MAX_NSPANS)
        return STOA_OK;
    STOA_TRY(stoa_alloc(&set->table, ncodes, err));
    for (uint32_t code = 0; code < ncodes; code++)
        set->table[code] = stoa_bitmap_get(bits, code);
    *test = (struct stoa_test){.kind = STOA_TEST_CODES, .codes = set->table};
out:
    return st;
}

/* Tests all entries of a dictionary; *out stays NULL when the leaf needs decoded values. */
static enum stoa_status make_codes(const struct stoa_chunk_filter *filter,
                                   const struct stoa_dictionary *dictionary,
                                   struct stoa_code_set **out, struct stoa_error *err)
{
    struct stoa_code_set *set = NULL;
    uint8_t *bits = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&bits, stoa_bitmap_nbytes(dictionary->count), 1, err));
    if (!test_entries(filter, dictionary, bits))
        goto out;
    STOA_TRY(stoa_alloc_zeroed(&set, 1, sizeof(*set), err));
    set->dictionary = dictionary;
    STOA_TRY(set_codes(set, bits, dictionary->count, err));
    *out = set;
    set = NULL;
out:
    stoa_code_set_free(set);
    stoa_free(bits);
    return st;
}

/* The same for a shared dictionary, at most once a thread: sets are kept, the first one counts. */
static enum stoa_status find_codes(struct stoa_chunk_filter *filter,
                                   const struct stoa_dictionary *dictionary,
                                   const struct stoa_code_set **out, struct stoa_error *err)
{
    struct stoa_code_set *mine = NULL;
    void *first = atomic_load(&filter->codes);
    enum stoa_status st;

    for (struct stoa_code_set *set = first; set != NULL && *out == NULL; set = set->next)
        *out = set->dictionary == dictionary ? set : NULL;
    if (*out != NULL)
        return STOA_OK;
    STOA_TRY(make_codes(filter, dictionary, &mine, err));
    if (mine == NULL)
        return STOA_OK;
    do
        mine->next = first;
    while (!atomic_compare_exchange_weak(&filter->codes, &first, mine));
    *out = mine;
out:
    return st;
}

enum stoa_status stoa_chunk_filter_codes(struct stoa_chunk_filter *filter,
                                         const struct stoa_open_chunk *in,
                                         struct stoa_code_set **own, const struct stoa_test **out,
                                         struct stoa_error *err)
{
    const struct stoa_code_set *codes = NULL;
    enum stoa_status st;

    if (in->dictionary == &in->own_dictionary) {
        STOA_TRY(make_codes(filter, in->dictionary, own, err));
        codes = *own;
    } else {
        STOA_TRY(find_codes(filter, in->dictionary, &codes, err));
    }
    *out = codes != NULL ? &codes->test : NULL;
out:
    return st;
}

/* ---- Pages. ---- */

struct job {
    struct stoa_chunk_filter *filter;
    struct stoa_open_chunk in;
    struct stoa_code_set *own_codes; /* of a dictionary that is the chunk's own */
    struct stoa_test test;
    struct text_match match; /* of a test of texts */
    struct stoa_rows rows;
    const uint8_t *wanted;
    uint8_t *out;
};

/* The rows that a stored page has of those asked for, from rows.begin on. */
static void rows_of_page(const struct job *job, uint32_t k, size_t *begin, size_t *end)
{
    uint32_t first, n;

    stoa_open_chunk_values(&job->in, k, &first, &n);
    *begin = first > job->rows.begin ? first - (size_t)job->rows.begin : 0;
    *end = (size_t)((first + n < job->rows.end ? first + n : job->rows.end) - job->rows.begin);
}

static bool is_wanted(const struct job *job, uint32_t k)
{
    size_t begin, end;

    rows_of_page(job, k, &begin, &end);
    return stoa_bitmap_count(job->wanted, begin, end) > 0;
}

static enum stoa_status filter_page(struct job *job, uint32_t k, const uint8_t *bytes,
                                    struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    struct stoa_page_view view = {
        .page = bytes,
        .nbytes = in->pages.pages[k].nbytes,
        .phys = in->phys,
        .width = in->width,
        .raw_max = stoa_open_chunk_raw_max(in, k),
        .ncodes = in->ncodes,
        .text_max = in->budget->left < INT32_MAX ? (size_t)in->budget->left + 1 : INT32_MAX,
    };
    uint8_t bits[PAGE_BITS_NBYTES], wanted[PAGE_BITS_NBYTES];
    uint32_t first, n;
    size_t begin, end;
    enum stoa_status st;

    stoa_open_chunk_values(in, k, &first, &n);
    rows_of_page(job, k, &begin, &end);
    view.nvalues = n;
    if (job->test.kind == STOA_TEST_TEXTS) {
        memset(wanted, 0, sizeof(wanted));
        stoa_bitmap_copy(wanted, (size_t)job->rows.begin + begin - first, job->wanted, begin,
                         end - begin);
        job->test.wanted = wanted;
    }
    STOA_TRY(stoa_stored_page_verify(&in->pages.pages[k], bytes, err));
    STOA_TRY(stoa_page_filter(in->scratch->decoder, &view, &job->test, bits, err));
    stoa_bitmap_copy(job->out, begin, bits, (size_t)job->rows.begin + begin - first, end - begin);
    in->ndecoded++;
out:
    return st;
}

/* Pages [begin, end) that are wanted, those that follow each other by one read. */
static enum stoa_status filter_pages(struct job *job, uint32_t begin, uint32_t end,
                                     struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    enum stoa_status st = STOA_OK;

    for (uint32_t stop; begin < end; begin = stop) {
        stop = begin + 1;
        if (!is_wanted(job, begin))
            continue;
        while (stop < end && is_wanted(job, stop))
            stop++;
        stop = stoa_open_chunk_run(in, begin, stop);
        STOA_TRY(stoa_open_chunk_fetch(in, begin, stop, err));
        for (uint32_t k = begin; k < stop; k++) {
            st = filter_page(job, k, stoa_open_chunk_bytes(in, begin, k), err);
            if (st != STOA_OK)
                return stoa_open_chunk_fail(in, k, st, err);
        }
    }
out:
    return st;
}

/* The test of a chunk with pages; *done is false when there is none. */
static enum stoa_status find_test(struct job *job, bool *done, struct stoa_error *err)
{
    const struct stoa_leaf *leaf = job->filter->leaf;
    struct stoa_open_chunk *in = &job->in;
    const struct stoa_test *codes;
    enum stoa_status st;

    *done = true;
    if (leaf->test == STOA_LEAF_IS_NULL) {
        job->test = (struct stoa_test){.kind = STOA_TEST_VALID, .inverted = !leaf->inverted};
        return stoa_open_chunk_head(in, err);
    }
    if ((in->chunk->flags & (STOA_CHUNK_SHARED_DICT | STOA_CHUNK_LOCAL_DICT)) == 0) {
        *done = (in->chunk->flags & STOA_CHUNK_DERIVED) == 0 &&
                (test_of_numbers(leaf, in->phys, &job->test) ||
                 test_of_texts(job->filter, in->phys, &job->match, &job->test));
        return *done ? stoa_open_chunk_head(in, err) : STOA_OK;
    }
    STOA_TRY(stoa_open_chunk_head(in, err));
    STOA_TRY(stoa_open_chunk_dictionary(in, err));
    STOA_TRY(stoa_chunk_filter_codes(job->filter, in, &job->own_codes, &codes, err));
    *done = codes != NULL;
    if (*done)
        job->test = *codes;
out:
    return st;
}

/* No value of any chunk passes: nothing has to be read. */
static bool is_empty(const struct stoa_test *test)
{
    return (test->kind == STOA_TEST_SPANS || test->kind == STOA_TEST_FLOATS) && test->nspans == 0 &&
           !test->inverted;
}

static enum stoa_status run(struct job *job, bool *done, struct stoa_error *err)
{
    struct stoa_open_chunk *in = &job->in;
    const struct stoa_leaf *leaf = job->filter->leaf;
    const size_t nrows = (size_t)(job->rows.end - job->rows.begin);
    bool all = false, needs_pages = (in->chunk->flags & STOA_CHUNK_NO_PAGES) == 0;
    enum stoa_status st = STOA_OK;

    *done = true;
    if (needs_pages) {
        STOA_TRY(find_test(job, done, err));
        if (!*done)
            return STOA_OK;
        needs_pages = !is_empty(&job->test);
    } else if (leaf->test == STOA_LEAF_IS_NULL) {
        all = ((in->chunk->flags & STOA_CHUNK_ALL_NULL) != 0) != leaf->inverted;
    } else if (leaf->test == STOA_LEAF_IS_NAN) {
        all = leaf->inverted; /* null is not NaN */
    }
    memset(job->out, 0, stoa_bitmap_nbytes(nrows));
    stoa_bitmap_fill(job->out, 0, nrows, all);
    if (needs_pages)
        st = filter_pages(job, stoa_open_chunk_page(in, (uint32_t)job->rows.begin),
                          stoa_open_chunk_page(in, (uint32_t)job->rows.end - 1) + 1, err);
out:
    return st;
}

enum stoa_status stoa_chunk_filter_eval(struct stoa_chunk_filter *filter,
                                        struct stoa_reader *reader, uint32_t row_group,
                                        uint32_t node, struct stoa_rows rows, const uint8_t *wanted,
                                        uint8_t *out, bool *done,
                                        struct stoa_read_counters *counters, struct stoa_error *err)
{
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    struct job job = {.filter = filter, .rows = rows, .wanted = wanted, .out = out};
    enum stoa_status st;

    STOA_TRY(stoa_open_chunk_find(&job.in, reader, row_group, node, &budget, err));
    st = run(&job, done, err);
    if (st == STOA_OK && *done)
        stoa_open_chunk_count(&job.in, counters);
    stoa_open_chunk_reset(&job.in);
    stoa_code_set_free(job.own_codes);
    if (st != STOA_OK)
        stoa_reader_wrap(reader, row_group, node, st, err);
out:
    return st;
}
