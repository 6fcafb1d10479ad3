/*
 * Streams that stand on each other:
 *
 *     file, pipe, memory -> decompressed             stoa_stream_open()
 *     file -> decompressed -> member of a tar -> decompressed
 *     file -> range of a zip -> inflated -> checked -> decompressed
 *
 * A layer owns the one below it, and shares its name and its totals for progress.
 */
#ifndef STOA_IO_LAYERS_H
#define STOA_IO_LAYERS_H

#include <stoa/io.h>

#include "io/inflate.h"

/* The bytes of a file, a pipe or "-" as they are. */
STOA_CHECK enum stoa_status stoa_raw_open(const char *path, struct stoa_stream **out,
                                          struct stoa_error *err);

/* Borrowed memory as it is. */
STOA_CHECK enum stoa_status stoa_raw_open_memory(const void *bytes, size_t nbytes, const char *name,
                                                 struct stoa_stream **out, struct stoa_error *err);

/*
 * The text in `below`, decompressed when its first bytes say so. Takes `below` over when it
 * succeeds.
 */
STOA_CHECK enum stoa_status stoa_decoded_open(struct stoa_stream *below, struct stoa_stream **out,
                                              struct stoa_error *err);

#endif
