/*
 * Reading sections of notes (spec/format.md, section 17).
 *
 *     entry 0 | entry 1 | .. | note 0 | note 1 | ..       without gaps, so places are sums
 */
#include "file/notes_read.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"

const enum stoa_section_type stoa_note_sections[STOA_NNOTES] = {
    [STOA_NOTE_BLOOM] = STOA_SECTION_BLOOM,
    [STOA_NOTE_PRESENCE] = STOA_SECTION_PRESENCE,
};

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

/* Checks entries and notes of nbytes in all, and sets where each note is. */
static enum stoa_status check_notes(const struct stoa_footer *footer, struct stoa_notes *notes,
                                    uint64_t nbytes, struct stoa_error *err)
{
    uint64_t at = notes->n * (uint64_t)STOA_NOTE_NBYTES;
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < notes->n; i++) {
        struct stoa_note *note = &notes->notes[i];

        STOA_TRY(check_entry(footer, &note->entry, i > 0 ? &note[-1].entry : NULL, err));
        note->offset = at;
        at += note->entry.nbytes;
    }
    if (at != nbytes)
        st = stoa_fail(err, STOA_ERR_CORRUPT,
                       "entries and notes of %" PRIu64 " bytes, it has %" PRIu64, at, nbytes);
out:
    return st;
}

/* The entries of a section; what it says of the section has its name already. */
static enum stoa_status read_entries(struct stoa_footer *footer, enum stoa_section_type type,
                                     struct stoa_notes **out, struct stoa_error *err)
{
    const uint64_t nbytes = footer->by_type[type]->content_nbytes;
    const uint64_t n = footer->by_type[type]->entry.count;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    struct stoa_notes *notes = NULL;
    enum stoa_status st;

    if (n > nbytes / STOA_NOTE_NBYTES)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "section %s: %" PRIu64 " bytes for %" PRIu64 " entries",
                         stoa_section_name(type), nbytes, n);
    STOA_TRY(stoa_budget_take(&budget, n * sizeof(notes->notes[0]), err));
    STOA_TRY(stoa_alloc(&notes, sizeof(*notes) + (size_t)n * sizeof(notes->notes[0]), err));
    notes->n = (size_t)n;
    for (size_t i = 0; i < notes->n; i++) {
        uint8_t packed[STOA_NOTE_NBYTES];

        STOA_TRY(stoa_footer_section_read(footer, type, i * sizeof(packed), packed, sizeof(packed),
                                          err));
        stoa_note_entry_unpack(packed, &notes->notes[i].entry);
    }
    *out = notes;
    notes = NULL;
out:
    stoa_free(notes);
    return st;
}

static enum stoa_status load_notes(struct stoa_footer *footer, enum stoa_section_type type,
                                   struct stoa_notes **out, struct stoa_error *err)
{
    struct stoa_notes *notes = NULL;
    enum stoa_status st = read_entries(footer, type, &notes, err);

    if (st != STOA_OK)
        return st;
    st = check_notes(footer, notes, footer->by_type[type]->content_nbytes, err);
    if (st != STOA_OK) {
        stoa_free(notes);
        return stoa_wrap(err, st, "section %s", stoa_section_name(type));
    }
    *out = notes;
    return STOA_OK;
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
    if (atomic_load(&section->has_bad_notes))
        return stoa_fail(err, STOA_ERR_CORRUPT, "section %s: damaged", stoa_section_name(type));
    if (stoa_once_get(&section->notes) == NULL) {
        st = load_notes(footer, type, &mine, err);
        if (st == STOA_ERR_CORRUPT)
            atomic_store(&section->has_bad_notes, true);
        if (st != STOA_OK)
            return st;
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
