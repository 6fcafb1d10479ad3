/*
 * Reading sections of notes (spec/format.md, section 17).
 *
 *     entry 0 | entry 1 | .. | note 0 | note 1 | ..       without gaps, so places are sums
 */
#include "file/notes_read.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"

/* Entries rise by node and row group, and both are there. */
static enum stoa_status check_entry(const struct stoa_footer *footer,
                                    const struct stoa_note_entry *entry,
                                    const struct stoa_note_entry *before, struct stoa_error *err)
{
    if (entry->node >= footer->trailer.nnodes || entry->group >= footer->ngroups)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "node %" PRIu32 " in row group %" PRIu32 " of %" PRIu32 " in %" PRIu32,
                         entry->node, entry->group, footer->trailer.nnodes, footer->ngroups);
    if (before != NULL && (entry->node < before->node ||
                           (entry->node == before->node && entry->group <= before->group)))
        return stoa_fail(err, STOA_ERR_CORRUPT, "entries that do not rise");
    return STOA_OK;
}

static enum stoa_status load_notes(struct stoa_footer *footer, enum stoa_section_type type,
                                   struct stoa_notes **out, struct stoa_error *err)
{
    const uint64_t nbytes = footer->by_type[type]->content_nbytes;
    const uint64_t n = footer->by_type[type]->entry.count;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    struct stoa_notes *notes = NULL;
    uint64_t at = n * STOA_NOTE_NBYTES;
    enum stoa_status st;

    if (at > nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " bytes for %" PRIu64 " entries", nbytes,
                         n);
    STOA_TRY(stoa_budget_take(&budget, n * sizeof(notes->notes[0]), err));
    STOA_TRY(stoa_alloc(&notes, sizeof(*notes) + (size_t)n * sizeof(notes->notes[0]), err));
    notes->n = (size_t)n;
    for (size_t i = 0; i < notes->n; i++) {
        struct stoa_note *note = &notes->notes[i];
        uint8_t packed[STOA_NOTE_NBYTES];

        STOA_TRY(stoa_footer_section_read(footer, type, i * sizeof(packed), packed, sizeof(packed),
                                          err));
        stoa_note_entry_unpack(packed, &note->entry);
        STOA_TRY(check_entry(footer, &note->entry, i > 0 ? &note[-1].entry : NULL, err));
        note->offset = at;
        at += note->entry.nbytes;
    }
    if (at != nbytes) {
        st = stoa_fail(err, STOA_ERR_CORRUPT,
                       "entries and notes of %" PRIu64 " bytes, it has %" PRIu64, at, nbytes);
        goto out;
    }
    *out = notes;
    notes = NULL;
out:
    stoa_free(notes);
    return st;
}

enum stoa_status stoa_footer_notes(struct stoa_footer *footer, enum stoa_section_type type,
                                   const struct stoa_notes **out, struct stoa_error *err)
{
    struct stoa_footer_section *section = footer->by_type[type];
    struct stoa_notes *mine = NULL;
    enum stoa_status st;

    *out = NULL;
    if (section == NULL)
        return STOA_OK;
    if (stoa_once_get(&section->notes) == NULL) {
        st = load_notes(footer, type, &mine, err);
        if (st != STOA_OK)
            return stoa_wrap(err, st, "section %s", stoa_section_name(type));
        if (stoa_once_publish(&section->notes, mine) != mine)
            stoa_free(mine);
    }
    *out = stoa_once_get(&section->notes);
    return STOA_OK;
}

const struct stoa_note *stoa_notes_find(const struct stoa_notes *notes, uint32_t node,
                                        uint32_t group)
{
    size_t begin = 0, end = notes != NULL ? notes->n : 0;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        const struct stoa_note_entry *entry = &notes->notes[middle].entry;

        if (entry->node == node && entry->group == group)
            return &notes->notes[middle];
        if (entry->node < node || (entry->node == node && entry->group < group))
            begin = middle + 1;
        else
            end = middle;
    }
    return NULL;
}
