/*
 * The hashes of the format: XXH3-64 without a seed (spec/format.md, "The tree of hashes"), and
 * XXH3-128 of whole sources.
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

#define STOA_HASH128_NBYTES 16

/* XXH3-128 of bytes that come in parts; the digest is in canonical form, big-endian. */
struct stoa_hash128_stream;
STOA_CHECK enum stoa_status stoa_hash128_stream_new(struct stoa_hash128_stream **out,
                                                    struct stoa_error *err);
void stoa_hash128_stream_update(struct stoa_hash128_stream *stream, const void *bytes,
                                size_t nbytes);
void stoa_hash128_stream_digest(const struct stoa_hash128_stream *stream,
                                uint8_t out[STOA_HASH128_NBYTES]);
void stoa_hash128_stream_reset(struct stoa_hash128_stream *stream);
void stoa_hash128_stream_free(struct stoa_hash128_stream *stream);

#endif
