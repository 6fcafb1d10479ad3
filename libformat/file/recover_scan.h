/*
 * Finding the objects of a file that may be damaged anywhere (spec/format.md, "Objects").
 */
#ifndef STOA_FILE_RECOVER_SCAN_H
#define STOA_FILE_RECOVER_SCAN_H

#include <stoa/io.h>

#include "file/layout.h"

/*
 * An object whose header is whole or told by a footer (recover_footers.c). Its body need not be
 * whole, or may be cut off.
 */
struct stoa_found {
    uint64_t offset;
    struct stoa_object object;
    uint64_t footer_end;  /* of the file whose footer knows this row group too; 0: of none */
    uint32_t group;       /* its number there */
    int64_t footer_moved; /* what to add to the footer's offsets of its chunks */
};

struct stoa_found_list {
    struct stoa_found *items; /* rising by offset */
    size_t nitems, capacity;
};

/*
 * All objects with a whole header into the empty *out, but PAD and kinds that this version does not
 * know. The walk follows body lengths; where the next header is not whole or the body goes past the
 * end, every byte behind the last whole header is searched for the next one, at any alignment.
 * Objects may therefore overlap: what a whole object holds may look like objects too.
 * STOA_ERR_LIMIT when the list would take more than memory_nbytes; STOA_ERR_IO, _NOMEM.
 * Cost: one small read an object, and one pass over what is searched; no byte is searched twice.
 */
STOA_CHECK enum stoa_status stoa_found_scan(struct stoa_source *source, uint64_t memory_nbytes,
                                            struct stoa_found_list *out, struct stoa_error *err);
void stoa_found_reset(struct stoa_found_list *list);

/* Adds one behind the others; _sort() brings the list in order again. */
STOA_CHECK enum stoa_status stoa_found_append(struct stoa_found_list *list,
                                              const struct stoa_found *item, uint64_t memory_nbytes,
                                              struct stoa_error *err);
void stoa_found_sort(struct stoa_found_list *list);

#endif
