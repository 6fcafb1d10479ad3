/*
 * Reading bases (base_read.h).
 *
 *     rows wanted                    |---|
 *     covered by the chunk's pages |--------|--------|
 *     LINEAR: words                  |---|              no other page of a base is touched
 *     LOOKUP: keys                 |-----------------|  which value a key has, the slots before say
 *
 * A base is a column and not derived itself, so one step is all there is.
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

static enum stoa_status read_base(struct stoa_base_reader *bases, unsigned k,
                                  struct stoa_range rows, bool keys, const struct stoa_type **type,
                                  struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_range children;
    enum stoa_status st = check_base(bases, bases->nodes[k], keys, type, err);

    if (st != STOA_OK)
        return st;
    st = stoa_chunk_read(bases->reader, bases->row_group, bases->nodes[k], rows, bases->budget, out,
                         &children, &bases->counters, err);
    bases->failed = st != STOA_OK;
    return st == STOA_OK ? st : stoa_wrap(err, st, "derived from");
}

/* The words of an array that was read from base k. */
static enum stoa_status keep_words(struct stoa_base_reader *bases, unsigned k,
                                   const struct stoa_type *type, const struct stoa_array *array,
                                   struct stoa_error *err)
{
    size_t n = array->nvalues;
    enum stoa_status st;

    stoa_free(bases->words[k]);
    bases->words[k] = NULL;
    STOA_TRY(stoa_budget_take(bases->budget, n * sizeof(*bases->words[k]), err));
    STOA_TRY(stoa_array_alloc_buffer(&bases->words[k], n * sizeof(*bases->words[k]), err));
    stoa_base_words(type, array, 0, n, bases->words[k]);
out:
    return st;
}

static enum stoa_status read_words(struct stoa_base_reader *bases, unsigned k,
                                   struct stoa_error *err)
{
    struct stoa_array array = {0};
    const struct stoa_type *type;
    enum stoa_status st;

    STOA_TRY(read_base(bases, k, bases->wanted, false, &type, &array, err));
    STOA_TRY(keep_words(bases, k, type, &array, err));
out:
    stoa_array_reset(&array);
    return st;
}

/* The words at the places of the page. */
static enum stoa_status take_words(struct stoa_base_reader *bases, unsigned k,
                                   struct stoa_error *err)
{
    struct stoa_array array = {0};
    const struct stoa_type *type;
    enum stoa_status st;

    STOA_TRY(check_base(bases, bases->nodes[k], false, &type, err));
    st = stoa_chunk_take(bases->reader, bases->row_group, bases->nodes[k], bases->places,
                         bases->nplaces, bases->keep, &array, &bases->counters, err);
    bases->failed = st != STOA_OK;
    if (st != STOA_OK)
        return stoa_wrap(err, st, "derived from");
    STOA_TRY(keep_words(bases, k, type, &array, err));
out:
    stoa_array_reset(&array);
    return st;
}

static enum stoa_status read_keys(struct stoa_base_reader *bases, struct stoa_error *err)
{
    uint64_t n = bases->covered.end - bases->covered.begin;
    struct stoa_array arrays[STOA_NBASES] = {{0}};
    struct stoa_base_arrays of = {0};
    enum stoa_status st = STOA_OK;

    for (unsigned k = 0; k < STOA_NBASES && bases->nodes[k] != STOA_BASE_NONE; k++) {
        STOA_TRY(read_base(bases, k, bases->covered, true, &of.types[k], &arrays[k], err));
        of.arrays[k] = &arrays[k];
    }
    STOA_TRY(stoa_budget_take(bases->budget, n * KEY_NBYTES, err));
    STOA_TRY(stoa_base_keys(&of, &bases->keys, &bases->nkeys, err));
out:
    for (unsigned k = 0; k < STOA_NBASES; k++)
        stoa_array_reset(&arrays[k]);
    return st;
}

static enum stoa_status load_keys(struct stoa_base_reader *bases, struct stoa_bases *out,
                                  struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (bases->keys == NULL)
        STOA_TRY(read_keys(bases, err));
    out->keys = bases->keys + (bases->page.begin - bases->covered.begin);
    out->nkeys = bases->nkeys;
out:
    return st;
}

static enum stoa_status load_bases(struct stoa_base_reader *bases, enum stoa_bases_wanted what,
                                   struct stoa_bases *out, struct stoa_error *err)
{
    const struct stoa_range page = bases->page, wanted = bases->wanted;
    uint32_t begin = page.begin > wanted.begin ? page.begin : wanted.begin;
    enum stoa_status st = STOA_OK;

    if (what == STOA_BASES_KEYS)
        return load_keys(bases, out, err);
    out->begin = what == STOA_BASES_TAKEN ? 0 : begin - page.begin;
    out->end = what == STOA_BASES_TAKEN
                   ? bases->nplaces
                   : (page.end < wanted.end ? page.end : wanted.end) - page.begin;
    for (unsigned k = 0; k < STOA_NBASES && bases->nodes[k] != STOA_BASE_NONE; k++) {
        if (what == STOA_BASES_TAKEN)
            STOA_TRY(take_words(bases, k, err));
        else if (bases->words[k] == NULL)
            STOA_TRY(read_words(bases, k, err));
        out->words[k] = bases->words[k];
        if (what == STOA_BASES_WORDS)
            out->words[k] += begin - wanted.begin;
    }
out:
    return st;
}

static enum stoa_status load(struct stoa_base_source *source, enum stoa_bases_wanted what,
                             struct stoa_bases *out, struct stoa_error *err)
{
    struct stoa_base_reader *bases = (struct stoa_base_reader *)(void *)source;
    const uint64_t left = bases->budget->left;
    enum stoa_status st = load_bases(bases, what, out, err);

    bases->taken += left - bases->budget->left;
    return st;
}

struct stoa_base_source *stoa_base_reader_page(struct stoa_base_reader *bases,
                                               const struct stoa_open_chunk *in, uint32_t k,
                                               const uint32_t *places, size_t n)
{
    uint32_t first, nvalues;

    if ((in->chunk->flags & STOA_CHUNK_DERIVED) == 0)
        return NULL;
    stoa_open_chunk_values(in, k, &first, &nvalues);
    bases->page = (struct stoa_range){first, first + nvalues};
    bases->places = places;
    bases->nplaces = n;
    if (places == NULL)
        return &bases->source;
    bases->wanted = bases->covered = bases->page; /* what a page needs that is decoded after all */
    for (unsigned b = 0; b < STOA_NBASES; b++) {
        stoa_free(bases->words[b]);
        bases->words[b] = NULL;
    }
    stoa_free(bases->keys);
    bases->keys = NULL;
    bases->budget->left += bases->taken;
    bases->taken = 0;
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
