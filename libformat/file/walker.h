/*
 * Walking the objects of a file from its start, without the footer (spec/format.md, "Objects").
 */
#ifndef STOA_FILE_WALKER_H
#define STOA_FILE_WALKER_H

#include <stoa/io.h>

#include "file/layout.h"

/* Init with `{.source = source}`. */
struct stoa_walker {
    struct stoa_source *source; /* borrowed */
    uint64_t next;              /* where the next object starts */
    uint64_t stream_row;        /* rows since the last HEAD */
    bool in_stream;             /* there was a HEAD */
};

/*
 * Reads the header of the next object, which starts at *offset; out->kind is 0 at the end of the
 * file. The walker then stands behind the object. STOA_ERR_CORRUPT with err->offset at the header:
 * it is damaged, its body goes past the end, the first object is no HEAD, rows do not add up; the
 * walker does not move then.
 */
STOA_CHECK enum stoa_status stoa_walker_next(struct stoa_walker *walker, struct stoa_object *out,
                                             uint64_t *offset, struct stoa_error *err);

#endif
