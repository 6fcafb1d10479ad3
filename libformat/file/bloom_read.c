/*
 * What Bloom filters of chunks tell of a predicate (spec/format.md, section 18).
 *
 *     values asked for   hash  ->  block of the chunk's filter: 32 bytes
 *                                  all eight bits set: maybe; else: not in this row group
 *
 * Nothing of a filter is kept: they may be a tenth of a file that has 100 columns of keys.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/bloom.h"
#include "stats/bloom.h"
#include "stats/zonemap.h"

enum stoa_status stoa_bloom_check(const struct stoa_open_chunk *in, const struct stoa_note *note,
                                  struct stoa_error *err)
{
    const struct stoa_note_entry *entry = &note->entry;

    if (in->column->place.below_list || stoa_bound_kind(&in->column->field.type) == STOA_BOUND_NONE)
        return stoa_fail(err, STOA_ERR_CORRUPT, "Bloom filter of a chunk that can have none");
    if (entry->nbytes == 0 || entry->nbytes % STOA_BLOOM_BLOCK_NBYTES != 0 || entry->count == 0 ||
        entry->count > in->nvalues - in->chunk->nnulls)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "Bloom filter: %" PRIu32 " bytes for %" PRIu32
                         " distinct values of %" PRIu32,
                         entry->nbytes, entry->count, in->nvalues - in->chunk->nnulls);
    return STOA_OK;
}

enum stoa_status stoa_bloom_read(const struct stoa_open_chunk *in, const struct stoa_note *note,
                                 uint8_t **out, struct stoa_error *err)
{
    struct stoa_footer *footer = &in->reader->footer;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    struct stoa_section_cursor cursor = {0};
    uint8_t *bytes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_budget_take(&budget, note->entry.nbytes, err));
    STOA_TRY(stoa_alloc(&bytes, note->entry.nbytes, err));
    STOA_TRY(stoa_footer_section_pass(footer, STOA_SECTION_BLOOM, &cursor, note->offset, bytes,
                                      note->entry.nbytes, err));
    *out = bytes;
    bytes = NULL;
out:
    stoa_section_cursor_reset(&cursor);
    stoa_free(bytes);
    return st;
}

/* Whether one of the values may be in the filter; hashes rise, and so do their blocks. */
static enum stoa_status any_may_be_there(struct stoa_footer *footer, const struct stoa_note *note,
                                         const uint64_t *hashes, unsigned n, bool *out,
                                         struct stoa_error *err)
{
    const uint32_t nblocks = note->entry.nbytes / STOA_BLOOM_BLOCK_NBYTES;
    struct stoa_section_cursor cursor = {0};
    enum stoa_status st = STOA_OK;

    *out = false;
    for (unsigned i = 0; i < n && !*out; i++) {
        const uint64_t at =
            note->offset + (uint64_t)stoa_bloom_block(hashes[i], nblocks) * STOA_BLOOM_BLOCK_NBYTES;
        uint8_t block[STOA_BLOOM_BLOCK_NBYTES];

        STOA_TRY(stoa_footer_section_pass(footer, STOA_SECTION_BLOOM, &cursor, at, block,
                                          sizeof(block), err));
        *out = stoa_bloom_has(block, hashes[i]);
    }
out:
    stoa_section_cursor_reset(&cursor);
    return st;
}

static enum stoa_status prune_chunk(const struct stoa_leaf *leaf, const struct stoa_open_chunk *in,
                                    const struct stoa_note *note, const uint64_t *hashes,
                                    unsigned n, uint32_t nzones, uint8_t *matches,
                                    struct stoa_error *err)
{
    enum stoa_match match = STOA_MATCH_NEVER;
    bool may_be_there;
    enum stoa_status st;

    STOA_TRY(stoa_bloom_check(in, note, err));
    STOA_TRY(any_may_be_there(&in->reader->footer, note, hashes, n, &may_be_there, err));
    if (leaf->inverted) /* all that is not null is another value */
        match = in->chunk->nnulls == 0 ? STOA_MATCH_ALWAYS : STOA_MATCH_MAYBE;
    if (!may_be_there && match != STOA_MATCH_MAYBE)
        memset(matches, match, nzones);
out:
    return st;
}

enum stoa_status stoa_bloom_prune(const struct stoa_leaf *leaf, struct stoa_reader *reader,
                                  uint32_t row_group, uint32_t node, uint32_t nzones,
                                  uint8_t *matches, struct stoa_error *err)
{
    struct stoa_footer *footer = &reader->footer;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    uint64_t hashes[STOA_BLOOM_MAX_NPOINTS];
    const struct stoa_notes *notes;
    const struct stoa_note *note;
    struct stoa_open_chunk in;
    unsigned n;
    enum stoa_status st;

    if (footer->by_type[STOA_SECTION_BLOOM] == NULL)
        return STOA_OK;
    n = stoa_bloom_points(leaf, hashes);
    if (n == 0)
        return STOA_OK;
    STOA_TRY(stoa_footer_notes(footer, STOA_SECTION_BLOOM, &notes, err));
    note = stoa_notes_find(notes, node, row_group);
    if (note == NULL)
        return STOA_OK;
    STOA_TRY(stoa_open_chunk_find(&in, reader, row_group, node, &budget, err));
    st = prune_chunk(leaf, &in, note, hashes, n, nzones, matches, err);
    stoa_open_chunk_reset(&in);
    if (st != STOA_OK)
        stoa_reader_wrap(reader, row_group, node, st, err);
out:
    return st;
}
