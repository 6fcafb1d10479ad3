/*
 * A stream that looks at what goes through it.
 */
#include "csv/digest.h"

#include "base/alloc.h"
#include "base/error.h"

struct digest_stream {
    struct stoa_stream base;
    struct stoa_stream *below;
    struct stoa_hash128_stream *hash;
    uint64_t nbytes;
    struct stoa_csv_digest *out;
};

static enum stoa_status digest_read(struct stoa_stream *base, void *out, size_t nbytes, size_t *got,
                                    struct stoa_error *err)
{
    struct digest_stream *stream = (struct digest_stream *)base;
    enum stoa_status st = stream->below->read(stream->below, out, nbytes, got, err);

    base->consumed_nbytes = stream->below->consumed_nbytes;
    if (st != STOA_OK)
        return st;
    if (*got > 0)
        stoa_hash128_stream_update(stream->hash, out, *got);
    stream->nbytes += *got;
    if (*got == 0) {
        stream->out->nbytes = stream->nbytes;
        stoa_hash128_stream_digest(stream->hash, stream->out->hash);
        stream->out->is_whole = true;
    }
    return STOA_OK;
}

static bool digest_prefetch(struct stoa_stream *base, uint64_t nbytes)
{
    struct digest_stream *stream = (struct digest_stream *)base;

    return stream->below->prefetch(stream->below, nbytes);
}

static void digest_close(struct stoa_stream *base)
{
    struct digest_stream *stream = (struct digest_stream *)base;

    stoa_stream_close(stream->below);
    stoa_hash128_stream_free(stream->hash);
    stoa_free(stream);
}

enum stoa_status stoa_csv_digest_open(struct stoa_stream *below, struct stoa_csv_digest *out,
                                      struct stoa_stream **opened, struct stoa_error *err)
{
    struct digest_stream *stream = NULL;
    enum stoa_status st;

    *out = (struct stoa_csv_digest){0};
    STOA_TRY(stoa_alloc_zeroed(&stream, 1, sizeof(*stream), err));
    STOA_TRY(stoa_hash128_stream_new(&stream->hash, err));
    stream->base = (struct stoa_stream){
        .read = digest_read,
        .prefetch = below->prefetch != NULL ? digest_prefetch : NULL,
        .close = digest_close,
        .name = below->name,
        .total_nbytes = below->total_nbytes,
        .consumed_nbytes = below->consumed_nbytes,
    };
    stream->below = below;
    stream->out = out;
    *opened = &stream->base;
    stream = NULL;
    below = NULL;
out:
    stoa_stream_close(below);
    stoa_free(stream);
    return st;
}
