/*
 * Bloom filters of chunks (spec/format.md, section 18): whether a value may be among those of a
 * row group, where bounds do not tell.
 *
 *     id = 'f3a9..'    zone map [0001.., fffe..]: maybe     filter: not in this row group
 *
 * What a filter is: stats/bloom.h. It is a note of its chunk, made in row_group_write.c.
 */
#ifndef STOA_FILE_BLOOM_H
#define STOA_FILE_BLOOM_H

#include "file/chunk_filter.h"
#include "file/chunk_open.h"
#include "file/notes_read.h"

/*
 * Checks a chunk's note but for its bits; `in` was found and not asked for more. STOA_ERR_CORRUPT:
 * it is not one for such a chunk.
 */
STOA_CHECK enum stoa_status stoa_bloom_check(const struct stoa_open_chunk *in,
                                             const struct stoa_note *note, struct stoa_error *err);

/* The blocks of a note that was checked, note->entry.nbytes; the caller's. */
STOA_CHECK enum stoa_status stoa_bloom_read(const struct stoa_open_chunk *in,
                                            const struct stoa_note *note, uint8_t **out,
                                            struct stoa_error *err);

/*
 * What the filter of a chunk tells of a leaf: sets the enum stoa_match of all its zones if it
 * proves something, else leaves them. Errors with the place of the chunk: STOA_ERR_CORRUPT, _IO,
 * _NOMEM, _LIMIT. Cost: a slice of the footer, 64 KiB, for each value that the leaf asks for;
 * values whose blocks lie in one slice read it once.
 */
STOA_CHECK enum stoa_status stoa_bloom_prune(const struct stoa_leaf *leaf,
                                             struct stoa_reader *reader, uint32_t row_group,
                                             uint32_t node, uint32_t nzones, uint8_t *matches,
                                             struct stoa_error *err);

#endif
