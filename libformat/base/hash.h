/*
 * The hash of the format: XXH3-64 without a seed (spec/format.md, "The tree of hashes").
 */
#ifndef STOA_BASE_HASH_H
#define STOA_BASE_HASH_H

#include <stoa/base.h>

/* XXH3-64 of nbytes bytes; `bytes` may be NULL when nbytes is 0. Any thread. */
uint64_t stoa_hash(const void *bytes, size_t nbytes);

/* The same of bytes that come in parts; a new or reset stream has none yet. */
struct stoa_hash_stream;
STOA_CHECK enum stoa_status stoa_hash_stream_new(struct stoa_hash_stream **out,
                                                 struct stoa_error *err);
void stoa_hash_stream_update(struct stoa_hash_stream *stream, const void *bytes, size_t nbytes);
uint64_t stoa_hash_stream_digest(const struct stoa_hash_stream *stream);
void stoa_hash_stream_reset(struct stoa_hash_stream *stream);
void stoa_hash_stream_free(struct stoa_hash_stream *stream);

#endif
