/*
 * Presence: which codes of its dictionary a chunk uses, by zone or as a whole (spec/format.md,
 * section 17). A bitmap of codes answers any test of values exactly, where zone maps know bounds.
 *
 *     city = 'Delos'      zone map [Athens, Patras]: maybe      code 17: in no zone but the third
 */
#ifndef STOA_FILE_PRESENCE_H
#define STOA_FILE_PRESENCE_H

#include "file/chunk_filter.h"
#include "file/chunk_open.h"
#include "file/footer_write.h"
#include "file/notes_read.h"
#include "file/rules.h"

/*
 * The bitmaps of a chunk whose values have `codes`, less than ncodes, in nvalues slots, of which
 * those count that `validity`, NULL for all, has a bit for. *note stays as it is, `{0}`, where they
 * do not pay beside a chunk of chunk_nbytes: see the rules. presence_write.c
 */
STOA_CHECK enum stoa_status stoa_presence_make(const struct stoa_rules *rules,
                                               const uint32_t *codes, const uint8_t *validity,
                                               size_t nvalues, uint32_t ncodes,
                                               uint64_t chunk_nbytes, struct stoa_chunk_note *note,
                                               struct stoa_error *err);

/*
 * Sets the bits of the codes of each zone, in a bitmap of nbytes for each that is zero before;
 * returns how many there are in all. presence_write.c
 */
uint64_t stoa_presence_set(const uint32_t *codes, const uint8_t *validity, size_t nvalues,
                           size_t nbytes, uint8_t *bits);

/* Bitmaps of a chunk: `n` of nbytes each, bits behind the last code cleared. */
struct stoa_presence {
    uint8_t *bits; /* owned: stoa_free() */
    uint32_t n;    /* 1, or one a zone */
    size_t nbytes;
};

/*
 * Checks all but the bits of a chunk's note, and sets in->ncodes: `in` was found and not asked for
 * more, its head is read here. STOA_ERR_CORRUPT: the note is not one for such a chunk, or the chunk
 * is damaged. presence_read.c
 */
STOA_CHECK enum stoa_status stoa_presence_check(struct stoa_open_chunk *in,
                                                const struct stoa_note *note,
                                                struct stoa_error *err);

/*
 * Reads the bitmaps of a chunk whose ncodes are known. STOA_ERR_CORRUPT: the note is not one for
 * such a chunk. presence_read.c
 */
STOA_CHECK enum stoa_status stoa_presence_read(const struct stoa_open_chunk *in,
                                               const struct stoa_note *note,
                                               struct stoa_presence *out, struct stoa_error *err);

/*
 * What the bitmaps of a chunk tell of a leaf: sets the enum stoa_match of each zone of which they
 * prove something and leaves the others. Reads the chunk's dictionary; nothing where it has no
 * bitmaps. `counters` may be NULL. Errors as of stoa_chunk_filter_eval(). presence_read.c
 */
STOA_CHECK enum stoa_status stoa_presence_prune(struct stoa_chunk_filter *filter,
                                                struct stoa_reader *reader, uint32_t row_group,
                                                uint32_t node, uint32_t nzones, uint8_t *matches,
                                                struct stoa_read_counters *counters,
                                                struct stoa_error *err);

#endif
