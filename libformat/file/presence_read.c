/*
 * What presence bitmaps tell of a predicate (spec/format.md, section 17).
 *
 *     codes that pass    . # . . # .
 *     codes of a zone    # . . # . .     none in common: never
 *                        . . . . # .     all of them pass, and nothing is null: always
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "codec/page_select.h"
#include "file/presence.h"
#include "stats/zonemap.h"

static enum stoa_status check_chunk(const struct stoa_open_chunk *in, struct stoa_error *err)
{
    if ((in->chunk->flags & STOA_CHUNK_SHARED_DICT) == 0 || in->column->place.below_list)
        return stoa_fail(err, STOA_ERR_CORRUPT, "presence of a chunk that can have none");
    return STOA_OK;
}

/* How many bitmaps of how many bytes a note has. */
static enum stoa_status measure(const struct stoa_open_chunk *in,
                                const struct stoa_note_entry *entry, struct stoa_presence *out,
                                struct stoa_error *err)
{
    const size_t nbytes = stoa_bitmap_nbytes(in->ncodes);
    const uint32_t n = entry->nbytes == nbytes ? 1 : (uint32_t)stoa_zone_count(in->nrows);

    if (entry->count != in->ncodes || entry->nbytes != n * (uint64_t)nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "presence: %" PRIu32 " bytes for %" PRIu32
                         " codes, the dictionary has %" PRIu32,
                         entry->nbytes, entry->count, in->ncodes);
    *out = (struct stoa_presence){.n = n, .nbytes = nbytes};
    return STOA_OK;
}

enum stoa_status stoa_presence_check(struct stoa_open_chunk *in, const struct stoa_note *note,
                                     struct stoa_error *err)
{
    struct stoa_presence presence;
    enum stoa_status st;

    STOA_TRY(check_chunk(in, err));
    STOA_TRY(stoa_open_chunk_head(in, err));
    STOA_TRY(stoa_open_chunk_ncodes(in, err));
    st = measure(in, &note->entry, &presence, err);
out:
    return st;
}

/* The bits behind the last code are zero. */
static enum stoa_status check_ends(const struct stoa_presence *presence, uint32_t ncodes,
                                   struct stoa_error *err)
{
    for (uint32_t i = 0; i < presence->n; i++)
        if (stoa_bitmap_count(presence->bits + i * presence->nbytes, ncodes, 8 * presence->nbytes) >
            0)
            return stoa_fail(err, STOA_ERR_CORRUPT, "presence: bits behind code %" PRIu32,
                             ncodes - 1);
    return STOA_OK;
}

enum stoa_status stoa_presence_read(const struct stoa_open_chunk *in, const struct stoa_note *note,
                                    struct stoa_presence *out, struct stoa_error *err)
{
    struct stoa_footer *footer = &in->reader->footer;
    const struct stoa_note_entry *entry = &note->entry;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    struct stoa_presence read = {0};
    enum stoa_status st;

    STOA_TRY(measure(in, entry, &read, err));
    STOA_TRY(stoa_budget_take(&budget, entry->nbytes, err));
    STOA_TRY(stoa_alloc(&read.bits, entry->nbytes, err));
    STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_PRESENCE, note->offset, read.bits,
                                      entry->nbytes, err));
    STOA_TRY(check_ends(&read, in->ncodes, err));
    *out = read;
    read.bits = NULL;
out:
    stoa_free(read.bits);
    return st;
}

/*
 * How many of the codes of a bitmap pass; `test` is SPANS or CODES. It may be that of a longer
 * chain, of which this chunk knows a part.
 */
static uint64_t count_passing(const struct stoa_test *test, const uint8_t *bitmap, uint32_t ncodes)
{
    uint64_t n = 0;

    if (test->kind == STOA_TEST_SPANS) {
        for (unsigned k = 0; k < test->nspans; k++) {
            const uint64_t begin = test->spans[k].from, end = begin + test->spans[k].length + 1;

            if (begin < ncodes)
                n += stoa_bitmap_count(bitmap, (size_t)begin, end < ncodes ? (size_t)end : ncodes);
        }
        return n;
    }
    for (uint32_t code = 0; code < ncodes; code++)
        n += test->codes[code] & stoa_bitmap_get(bitmap, code);
    return n;
}

static void prune_zones(const struct stoa_open_chunk *in, const struct stoa_test *test,
                        const struct stoa_presence *presence, uint32_t nzones, uint8_t *matches)
{
    for (uint32_t z = 0; z < nzones; z++) {
        const uint8_t *bitmap = presence->bits + (presence->n > 1 ? z : 0) * presence->nbytes;
        const uint64_t npass = count_passing(test, bitmap, in->ncodes);

        if (npass == 0)
            matches[z] = STOA_MATCH_NEVER;
        else if (in->chunk->nnulls == 0 && npass == stoa_bitmap_count(bitmap, 0, in->ncodes))
            matches[z] = STOA_MATCH_ALWAYS;
    }
}

static enum stoa_status prune_chunk(struct stoa_chunk_filter *filter, struct stoa_open_chunk *in,
                                    const struct stoa_note *note, uint32_t nzones, uint8_t *matches,
                                    struct stoa_error *err)
{
    struct stoa_presence presence = {0};
    struct stoa_code_set *own = NULL;
    const struct stoa_test *test;
    enum stoa_status st;

    STOA_TRY(check_chunk(in, err));
    STOA_TRY(stoa_open_chunk_head(in, err));
    STOA_TRY(stoa_open_chunk_dictionary(in, err));
    STOA_TRY(stoa_presence_read(in, note, &presence, err));
    STOA_TRY(stoa_chunk_filter_codes(filter, in, &own, &test, err));
    if (test != NULL)
        prune_zones(in, test, &presence, nzones, matches);
out:
    stoa_code_set_free(own);
    stoa_free(presence.bits);
    return st;
}

enum stoa_status stoa_presence_prune(struct stoa_chunk_filter *filter, struct stoa_reader *reader,
                                     uint32_t row_group, uint32_t node, uint32_t nzones,
                                     uint8_t *matches, struct stoa_read_counters *counters,
                                     struct stoa_error *err)
{
    struct stoa_footer *footer = &reader->footer;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    const struct stoa_notes *notes;
    const struct stoa_note *note;
    struct stoa_open_chunk in;
    enum stoa_status st;

    STOA_TRY(stoa_footer_notes(footer, STOA_SECTION_PRESENCE, &notes, err));
    note = stoa_notes_find(notes, node, row_group);
    if (note == NULL || filter->leaf->test == STOA_LEAF_IS_NULL)
        return STOA_OK;
    STOA_TRY(stoa_open_chunk_find(&in, reader, row_group, node, &budget, err));
    st = prune_chunk(filter, &in, note, nzones, matches, err);
    stoa_open_chunk_count(&in, counters);
    stoa_open_chunk_reset(&in);
    if (st != STOA_OK)
        stoa_reader_wrap(reader, row_group, node, st, err);
out:
    return st;
}
