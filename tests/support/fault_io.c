/* Wrappers that count calls and fail the one that was asked for. */
#include "support/fault_io.h"

#include <stdlib.h>

#include "base/error.h"

struct faulty {
    union {
        struct stoa_source source;
        struct stoa_sink sink;
        struct stoa_stream stream;
    } as; /* first, so that a pointer to it is one to the whole */
    union {
        struct stoa_source *source;
        struct stoa_sink *sink;
        struct stoa_stream *stream;
    } inner;
    struct stoa_test_io_fault *fault;
};

static struct faulty *faulty_new(struct stoa_test_io_fault *fault)
{
    struct faulty *faulty = calloc(1, sizeof(*faulty));

    if (faulty == NULL)
        abort();
    faulty->fault = fault;
    return faulty;
}

static enum stoa_status strike(struct stoa_test_io_fault *fault, const char *name,
                               struct stoa_error *err)
{
    unsigned long long n = atomic_fetch_add(&fault->ncalls, 1) + 1;

    if (fault->fail_at == 0 || n < fault->fail_at || (n > fault->fail_at && !fault->from_then_on))
        return STOA_OK;
    atomic_fetch_add(&fault->nfailed, 1);
    return stoa_fail_errno(err, fault->os_errno, "%s: call %llu fails on purpose", name, n);
}

static enum stoa_status faulty_read_at(struct stoa_source *source, uint64_t offset, void *out,
                                       size_t nbytes, struct stoa_error *err)
{
    struct faulty *faulty = (struct faulty *)source;
    struct stoa_source *inner = faulty->inner.source;
    struct stoa_test_io_fault *fault = faulty->fault;
    enum stoa_status st;

    STOA_TRY(strike(fault, inner->name, err));
    if (offset < fault->bad_end && offset + nbytes > fault->bad_begin) {
        atomic_fetch_add(&fault->nfailed, 1);
        st = stoa_fail_errno(err, fault->os_errno, "%s: a bad sector", inner->name);
        goto out;
    }
    st = inner->read_at(inner, offset, out, nbytes, err);
out:
    return st;
}

static void faulty_source_close(struct stoa_source *source)
{
    stoa_source_close(((struct faulty *)source)->inner.source);
    free(source);
}

struct stoa_source *stoa_test_faulty_source(struct stoa_source *source,
                                            struct stoa_test_io_fault *fault)
{
    struct faulty *faulty = faulty_new(fault);

    faulty->inner.source = source;
    faulty->as.source = (struct stoa_source){.read_at = faulty_read_at,
                                             .close = faulty_source_close,
                                             .nbytes = source->nbytes,
                                             .name = source->name};
    return &faulty->as.source;
}

static enum stoa_status faulty_write(struct stoa_sink *sink, const void *bytes, size_t nbytes,
                                     struct stoa_error *err)
{
    struct faulty *faulty = (struct faulty *)sink;
    struct stoa_sink *inner = faulty->inner.sink;
    enum stoa_status st = strike(faulty->fault, inner->name, err);

    return st != STOA_OK ? st : inner->write(inner, bytes, nbytes, err);
}

static enum stoa_status faulty_commit(struct stoa_sink *sink, struct stoa_error *err)
{
    struct faulty *faulty = (struct faulty *)sink;
    struct stoa_sink *inner = faulty->inner.sink;
    enum stoa_status st = strike(faulty->fault, inner->name, err);

    return st != STOA_OK ? st : inner->commit(inner, err);
}

static void faulty_sink_close(struct stoa_sink *sink)
{
    stoa_sink_close(((struct faulty *)sink)->inner.sink);
    free(sink);
}

struct stoa_sink *stoa_test_faulty_sink(struct stoa_sink *sink, struct stoa_test_io_fault *fault)
{
    struct faulty *faulty = faulty_new(fault);

    faulty->inner.sink = sink;
    faulty->as.sink = (struct stoa_sink){.write = faulty_write,
                                         .commit = faulty_commit,
                                         .close = faulty_sink_close,
                                         .name = sink->name};
    return &faulty->as.sink;
}

static enum stoa_status faulty_read(struct stoa_stream *stream, void *out, size_t nbytes,
                                    size_t *got, struct stoa_error *err)
{
    struct faulty *faulty = (struct faulty *)stream;
    struct stoa_stream *inner = faulty->inner.stream;
    enum stoa_status st = strike(faulty->fault, inner->name, err);
    size_t max_read = faulty->fault->max_read;

    if (st != STOA_OK)
        return st;
    st = inner->read(inner, out, max_read > 0 && nbytes > max_read ? max_read : nbytes, got, err);
    stream->consumed_nbytes = inner->consumed_nbytes;
    return st;
}

static void faulty_stream_close(struct stoa_stream *stream)
{
    stoa_stream_close(((struct faulty *)stream)->inner.stream);
    free(stream);
}

struct stoa_stream *stoa_test_faulty_stream(struct stoa_stream *stream,
                                            struct stoa_test_io_fault *fault)
{
    struct faulty *faulty = faulty_new(fault);

    faulty->inner.stream = stream;
    faulty->as.stream = (struct stoa_stream){.read = faulty_read,
                                             .close = faulty_stream_close,
                                             .name = stream->name,
                                             .total_nbytes = stream->total_nbytes,
                                             .consumed_nbytes = stream->consumed_nbytes};
    return &faulty->as.stream;
}
