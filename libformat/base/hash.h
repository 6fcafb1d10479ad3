/*
 * The hashes of the format: XXH3-64 without a seed (spec/format.md, "The tree of hashes"), and
 * XXH3-128 of whole sources.
 */
#ifndef STOA_BASE_HASH_H
#define STOA_BASE_HASH_H

#include <stoa/base.h>

/* XXH3-64 of nbytes bytes; `bytes` may be NULL when nbytes is 0. Any thread. */
uint64_t stoa_hash(const void *bytes, size_t nbytes);

/*
 * Another function for each seed: for tables in memory whose keys come from outside. With a seed
 * of its own for each table nobody can choose keys that all meet in it. What such a table gives
 * must not depend on the seed. Any thread.
 */
uint64_t stoa_hash_seeded(const void *bytes, size_t nbytes, uint64_t seed);

/* A seed that can't be foreseen; if the system has no random numbers, one that is hard to guess. */
uint64_t stoa_hash_make_seed(void);

/* XXH3-64 of bytes that come in parts; a new or reset stream has none yet. */
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
