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
 * The text in `below`, decompressed when its first bytes say so, or always as one member of
 * `compression`, unless that is NULL. Takes `below` over when it succeeds.
 */
STOA_CHECK enum stoa_status stoa_decoded_open(struct stoa_stream *below,
                                              const struct stoa_compression *compression,
                                              struct stoa_stream **out, struct stoa_error *err);

/*
 * The first bytes of a stream of stoa_decoded_open() that was not read yet: `want` unless it is
 * shorter or damaged, which read() will tell. They stay valid until it is read.
 */
STOA_CHECK enum stoa_status stoa_decoded_peek(struct stoa_stream *stream, size_t want,
                                              const uint8_t **bytes, size_t *nbytes,
                                              struct stoa_error *err);

/* Likewise of the one text that the members are, before it is taken; of an archive no bytes. */
STOA_CHECK enum stoa_status stoa_members_peek(struct stoa_members *members, size_t want,
                                              const uint8_t **bytes, size_t *nbytes,
                                              struct stoa_error *err);

#endif
