/*
 * Notes of chunks: sections of the footer that say something of some chunks (spec/format.md,
 * section 17). Which chunks have one is read, verified and checked at first use and then kept; the
 * notes themselves are read when they are needed.
 */
#ifndef STOA_FILE_NOTES_READ_H
#define STOA_FILE_NOTES_READ_H

#include "file/footer.h"
#include "file/footer_data.h"
#include "file/layout.h"

/* The section of each kind of notes. */
extern const enum stoa_section_type stoa_note_sections[STOA_NNOTES];

struct stoa_note {
    struct stoa_note_entry entry;
    uint64_t offset; /* of its bytes in the content of the section */
};

struct stoa_notes {
    size_t n;
    struct stoa_note notes[]; /* rising by node and row group, of nodes and groups that there are */
};

/*
 * The notes of a section; lent until the footer is reset, *out NULL when there are none. Damage is
 * told in full the first time, and costs nothing from then on.
 * STOA_ERR_CORRUPT, STOA_ERR_LIMIT, STOA_ERR_NOMEM, STOA_ERR_IO.
 */
STOA_CHECK enum stoa_status stoa_footer_notes(struct stoa_footer *footer,
                                              enum stoa_section_type type,
                                              const struct stoa_notes **out,
                                              struct stoa_error *err);

/* The note of a chunk, or NULL; `notes` may be NULL. */
const struct stoa_note *stoa_notes_find(const struct stoa_notes *notes, uint32_t node,
                                        uint32_t group);

#endif
