/*
 * Entries of sections of notes as bytes (spec/format.md, section 17). See layout.c.
 *
 *     | node u32 | row group u32 | bytes of the note u32 | count u32 |
 */
#include "base/bytes.h"
#include "file/layout.h"

void stoa_note_entry_pack(const struct stoa_note_entry *entry, uint8_t out[STOA_NOTE_NBYTES])
{
    stoa_store32(out, entry->node);
    stoa_store32(out + 4, entry->group);
    stoa_store32(out + 8, entry->nbytes);
    stoa_store32(out + 12, entry->count);
}

void stoa_note_entry_unpack(const uint8_t bytes[STOA_NOTE_NBYTES], struct stoa_note_entry *out)
{
    *out = (struct stoa_note_entry){
        .node = stoa_load32(bytes),
        .group = stoa_load32(bytes + 4),
        .nbytes = stoa_load32(bytes + 8),
        .count = stoa_load32(bytes + 12),
    };
}
