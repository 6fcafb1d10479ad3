/*
 * XXH3 from libxxhash, inlined so that a hash of a few bytes costs a few cycles.
 */
#include "base/hash.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"

struct stoa_hash_stream {
    XXH3_state_t state; /* wants 64-byte alignment: see `raw` */
    void *raw;
};

struct stoa_hash128_stream {
    struct stoa_hash_stream base; /* the state of both is of one type */
};

uint64_t stoa_hash(const void *bytes, size_t nbytes)
{
    return XXH3_64bits(bytes, nbytes);
}

uint64_t stoa_hash_seeded(const void *bytes, size_t nbytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, nbytes, seed);
}

uint64_t stoa_hash_make_seed(void)
{
    struct timespec now = {0};
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
        return seed;
    clock_gettime(CLOCK_MONOTONIC, &now); /* soon after the start of the system */
    return XXH3_64bits(&now, sizeof(now)) ^ (uint64_t)(uintptr_t)&now;
}

enum stoa_status stoa_hash_stream_new(struct stoa_hash_stream **out, struct stoa_error *err)
{
    void *raw;
    struct stoa_hash_stream *stream;
    enum stoa_status st = stoa_alloc(&raw, sizeof(*stream) + 63, err);

    if (st != STOA_OK)
        return st;
    stream = (void *)(((uintptr_t)raw + 63) & ~(uintptr_t)63);
    stream->raw = raw;
    XXH3_INITSTATE(&stream->state);
    stoa_hash_stream_reset(stream);
    *out = stream;
    return STOA_OK;
}

void stoa_hash_stream_update(struct stoa_hash_stream *stream, const void *bytes, size_t nbytes)
{
    XXH3_64bits_update(&stream->state, bytes, nbytes);
}

uint64_t stoa_hash_stream_digest(const struct stoa_hash_stream *stream)
{
    return XXH3_64bits_digest(&stream->state);
}

void stoa_hash_stream_reset(struct stoa_hash_stream *stream)
{
    XXH3_64bits_reset(&stream->state);
}

void stoa_hash_stream_free(struct stoa_hash_stream *stream)
{
    if (stream != NULL)
        stoa_free(stream->raw);
}

enum stoa_status stoa_hash128_stream_new(struct stoa_hash128_stream **out, struct stoa_error *err)
{
    struct stoa_hash_stream *stream;
    enum stoa_status st = stoa_hash_stream_new(&stream, err);

    if (st != STOA_OK)
        return st;
    *out = (struct stoa_hash128_stream *)stream;
    stoa_hash128_stream_reset(*out);
    return STOA_OK;
}

void stoa_hash128_stream_update(struct stoa_hash128_stream *stream, const void *bytes,
                                size_t nbytes)
{
    XXH3_128bits_update(&stream->base.state, bytes, nbytes);
}

void stoa_hash128_stream_digest(const struct stoa_hash128_stream *stream,
                                uint8_t out[STOA_HASH128_NBYTES])
{
    XXH128_canonical_t digest;

    XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(&stream->base.state));
    memcpy(out, digest.digest, STOA_HASH128_NBYTES);
}

void stoa_hash128_stream_reset(struct stoa_hash128_stream *stream)
{
    XXH3_128bits_reset(&stream->base.state);
}

void stoa_hash128_stream_free(struct stoa_hash128_stream *stream)
{
    if (stream != NULL)
        stoa_hash_stream_free(&stream->base);
}
