/*
 * Reading bases (base_read.h).
 *
 *     rows wanted                    |---|
 *     covered by the chunk's pages |--------|--------|
 *     LINEAR: words                  |---|              no other page of a base is touched
 *     LOOKUP: keys                 |-----------------|  which value a key has, the slots before say
 *     one row                          |
 *     LINEAR: a word                   |
 *     LOOKUP: keys                 |---|
 *
 * Where a base has a dictionary, its codes tell which values are equal, and none is decoded. Words
 * come from what the caller has read already, if it has. A base is a column and not derived itself,
 * so one step is all there is.
 */
#include "file/base_read.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/array.h"

/* What the keys of a value take while they are made, and their table. */
enum { KEY_NBYTES = 40 };

static enum stoa_status check_base(struct stoa_base_reader *bases, uint32_t node, bool keys,
                                   const struct stoa_type **type, struct stoa_error *err)
{
    struct stoa_footer *footer = &bases->reader->footer;
    const struct stoa_chunk *chunks, *chunk;
    struct stoa_column *column;
    enum stoa_base_kind kind;
    enum stoa_status st;

    if (node >= footer->trailer.nnodes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "derived from node %" PRIu32 " of %" PRIu32, node,
                         footer->trailer.nnodes);
    STOA_TRY(stoa_footer_column(footer, node, &column, err));
    kind = stoa_base_kind(&column->field.type);
    if (column->place.parent != STOA_NONE32 || kind == STOA_BASE_UNFIT ||
        (!keys && kind != STOA_BASE_WORDS))
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "derived from node %" PRIu32 ", which is no column of numbers%s", node,
                         keys ? " or text" : "");
    STOA_TRY(stoa_footer_chunks(footer, node, &chunks, err));
    chunk = &chunks[bases->row_group];
    if (chunk->flags & STOA_CHUNK_DERIVED)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "derived from node %" PRIu32 ", which is derived itself", node);
    if ((chunk->flags & STOA_CHUNK_NO_PAGES) == 0 &&
        chunk->page_shift < STOA_DERIVED_MIN_PAGE_SHIFT)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "derived from node %" PRIu32 ", which has pages of %u values", node,
                         1u << chunk->page_shift);
    *type = &column->field.type;
out:
    return st;
}

/* A base whose values wanted are known already: from *first of the array on. */
static const struct stoa_array *find_at_hand(const struct stoa_base_reader *bases, unsigned k,
                                             size_t *first)
{
    const struct stoa_columns_at_hand *at_hand = bases->at_hand;
    const struct stoa_array *found = NULL;

    for (uint32_t i = 0; at_hand != NULL && i < at_hand->n; i++)
        if (at_hand->nodes[i] == bases->nodes[k] && at_hand->arrays[i].nvalues > 0)
            found = &at_hand->arrays[i];
    *first = at_hand != NULL ? at_hand->first : 0;
    return found;
}

static enum stoa_status fail_at_base(struct stoa_base_reader *bases, enum stoa_status st,
                                     struct stoa_error *err)
{
    bases->failed = st != STOA_OK;
    return st == STOA_OK ? st : stoa_wrap(err, st, "derived from");
}

static enum stoa_status read_base(struct stoa_base_reader *bases, unsigned k,
                                  struct stoa_range rows, struct stoa_array *out,
                                  struct stoa_error *err)
{
    struct stoa_range children;

    return fail_at_base(bases,
                        stoa_chunk_read(bases->reader, bases->row_group, bases->nodes[k], rows,
                                        bases->budget, NULL, out, &children, &bases->counters, err),
                        err);
}

/* ---- Words ---- */

/* Keeps the words of base k: n values from `first` of an array on. */
static enum stoa_status keep_words(struct stoa_base_reader *bases, unsigned k,
                                   const struct stoa_type *type, const struct stoa_array *array,
                                   size_t first, size_t n, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_budget_take(bases->budget, n * sizeof(*bases->words[k]), err));
    STOA_TRY(stoa_array_alloc_buffer(&bases->words[k], n * sizeof(*bases->words[k]), err));
    stoa_base_words(type, array, first, first + n, bases->words[k]);
out:
    return st;
}

/* The words of base k at all rows wanted. */
static enum stoa_status read_words(struct stoa_base_reader *bases, unsigned k,
                                   struct stoa_error *err)
{
    const size_t n =
        bases->places != NULL ? bases->nplaces : (size_t)(bases->wanted.end - bases->wanted.begin);
    struct stoa_array array = {0};
    const struct stoa_array *known;
    const struct stoa_type *type;
    size_t first;
    enum stoa_status st;

    STOA_TRY(check_base(bases, bases->nodes[k], false, &type, err));
    known = find_at_hand(bases, k, &first);
    if (known != NULL)
        return keep_words(bases, k, type, known, first, n, err);
    if (bases->places == NULL)
        STOA_TRY(read_base(bases, k, bases->wanted, &array, err));
    else
        STOA_TRY(fail_at_base(bases,
                              stoa_chunk_take(bases->reader, bases->row_group, bases->nodes[k],
                                              bases->places, n, bases->keep, NULL, &array,
                                              &bases->counters, err),
                              err));
    STOA_TRY(keep_words(bases, k, type, &array, 0, n, err));
out:
    stoa_array_reset(&array);
    return st;
}

static enum stoa_status load_words(struct stoa_base_reader *bases, struct stoa_bases *out,
                                   struct stoa_error *err)
{
    const struct stoa_range page = bases->page, wanted = bases->wanted;
    const uint32_t begin = page.begin > wanted.begin ? page.begin : wanted.begin;
    const uint32_t end = page.end < wanted.end ? page.end : wanted.end;
    const bool single = bases->places != NULL;
    enum stoa_status st = STOA_OK;

    out->begin = single ? 0 : begin - page.begin;
    out->end = single ? bases->npage : end - page.begin;
    for (unsigned k = 0; k < STOA_NBASES && bases->nodes[k] != STOA_BASE_NONE; k++) {
        if (bases->words[k] == NULL)
            STOA_TRY(read_words(bases, k, err));
        out->words[k] = bases->words[k] + (single ? bases->at : begin - wanted.begin);
    }
out:
    return st;
}

/* ---- Keys ---- */

/* What the keys of a row are made of: each base as an array, or as codes of its dictionary. */
struct key_parts {
    struct stoa_base_arrays of;
    struct stoa_array arrays[STOA_NBASES];
    uint32_t *codes[STOA_NBASES];
};

static void parts_reset(struct key_parts *parts)
{
    for (unsigned k = 0; k < STOA_NBASES; k++) {
        stoa_array_reset(&parts->arrays[k]);
        stoa_free(parts->codes[k]);
    }
}

static enum stoa_status read_part(struct stoa_base_reader *bases, unsigned k,
                                  struct stoa_range rows, struct key_parts *parts,
                                  struct stoa_error *err)
{
    const bool is_whole = rows.begin == bases->wanted.begin && rows.end == bases->wanted.end;
    size_t first;
    enum stoa_status st;

    STOA_TRY(check_base(bases, bases->nodes[k], true, &parts->of.types[k], err));
    STOA_TRY(fail_at_base(bases,
                          stoa_chunk_codes(bases->reader, bases->row_group, bases->nodes[k], rows,
                                           bases->budget, &parts->codes[k], &parts->of.counts[k],
                                           &bases->counters, err),
                          err));
    parts->of.codes[k] = parts->codes[k];
    if (parts->codes[k] != NULL)
        goto out;
    parts->of.arrays[k] = is_whole ? find_at_hand(bases, k, &first) : NULL;
    if (parts->of.arrays[k] != NULL && parts->of.arrays[k]->nvalues == rows.end - rows.begin)
        goto out;
    STOA_TRY(read_base(bases, k, rows, &parts->arrays[k], err));
    parts->of.arrays[k] = &parts->arrays[k];
out:
    return st;
}

static enum stoa_status read_keys(struct stoa_base_reader *bases, struct stoa_range rows,
                                  struct stoa_error *err)
{
    const uint64_t left = bases->budget->left, n = rows.end - rows.begin;
    struct key_parts parts = {.of.nvalues = n};
    enum stoa_status st = STOA_OK;

    for (unsigned k = 0; k < STOA_NBASES && bases->nodes[k] != STOA_BASE_NONE; k++)
        STOA_TRY(read_part(bases, k, rows, &parts, err));
    STOA_TRY(stoa_budget_take(bases->budget, n * KEY_NBYTES, err));
    STOA_TRY(stoa_base_keys(&parts.of, &bases->keys, &bases->nkeys, err));
    STOA_TRY(stoa_budget_take(bases->budget, bases->nkeys * sizeof(bases->nkeys), err));
    bases->keyed = rows;
    bases->keys_nbytes = left - bases->budget->left;
out:
    parts_reset(&parts);
    return st;
}

static void drop_keys(struct stoa_base_reader *bases)
{
    stoa_free(bases->keys);
    bases->keys = NULL;
    bases->budget->left += bases->keys_nbytes;
    bases->keys_nbytes = 0;
}

/* Of ranges all pages have their keys at once, of single rows each those that it asks for. */
static enum stoa_status load_keys(struct stoa_base_reader *bases, size_t nslots,
                                  struct stoa_bases *out, struct stoa_error *err)
{
    struct stoa_range rows = bases->covered;
    enum stoa_status st = STOA_OK;

    if (bases->places != NULL) {
        drop_keys(bases);
        rows = (struct stoa_range){bases->page.begin, bases->page.begin + (uint32_t)nslots};
    }
    if (bases->keys == NULL)
        STOA_TRY(read_keys(bases, rows, err));
    out->keys = bases->keys + (bases->page.begin - bases->keyed.begin);
    out->nkeys = bases->nkeys;
out:
    return st;
}

static enum stoa_status load(struct stoa_base_source *source, enum stoa_bases_wanted wanted,
                             size_t nslots, struct stoa_bases *out, struct stoa_error *err)
{
    struct stoa_base_reader *bases = (struct stoa_base_reader *)(void *)source;

    return wanted == STOA_BASES_KEYS ? load_keys(bases, nslots, out, err)
                                     : load_words(bases, out, err);
}

/* ---- The chunk that is derived. ---- */

struct stoa_base_source *stoa_base_reader_page(struct stoa_base_reader *bases,
                                               const struct stoa_open_chunk *in, uint32_t k,
                                               size_t at, size_t n)
{
    uint32_t first, nvalues;

    if ((in->chunk->flags & STOA_CHUNK_DERIVED) == 0)
        return NULL;
    stoa_open_chunk_values(in, k, &first, &nvalues);
    bases->page = (struct stoa_range){first, first + nvalues};
    bases->at = at;
    bases->npage = n;
    return &bases->source;
}

enum stoa_status stoa_base_reader_fail(const struct stoa_base_reader *bases,
                                       const struct stoa_open_chunk *in, uint32_t k,
                                       enum stoa_status st, struct stoa_error *err)
{
    uint64_t offset = err != NULL ? err->offset : 0;

    stoa_open_chunk_fail(in, k, st, err);
    if (bases->failed && err != NULL)
        err->offset = offset;
    return st;
}

void stoa_base_reader_count(const struct stoa_base_reader *bases, const struct stoa_open_chunk *in,
                            struct stoa_read_counters *counters)
{
    stoa_open_chunk_count(in, counters);
    if (counters == NULL)
        return;
    counters->pages += bases->counters.pages;
    counters->bytes += bases->counters.bytes;
}

void stoa_base_reader_init(struct stoa_base_reader *bases, struct stoa_reader *reader,
                           uint32_t row_group, const struct stoa_chunk *chunk,
                           struct stoa_budget *budget)
{
    *bases = (struct stoa_base_reader){
        .source = {load},
        .reader = reader,
        .row_group = row_group,
        .budget = budget,
    };
    stoa_bases_unpack(chunk->dict_index, bases->nodes);
}

void stoa_base_reader_reset(struct stoa_base_reader *bases)
{
    for (unsigned k = 0; k < STOA_NBASES; k++)
        stoa_free(bases->words[k]);
    stoa_free(bases->keys);
    *bases = (struct stoa_base_reader){0};
}
