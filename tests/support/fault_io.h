/*
 * Sources, sinks and streams around others that fail on purpose, or give less than was asked for.
 *
 *     struct stoa_test_io_fault fault = {.fail_at = 3, .os_errno = EIO};
 *     struct stoa_source *faulty = stoa_test_faulty_source(source, &fault);
 *
 * All calls that can fail are counted: read_at, write, commit, read. The wrapper owns what it
 * wraps; the fault belongs to the caller and must outlive it. Several wrappers may share one.
 * Threads may call at once.
 */
#ifndef STOA_TESTS_SUPPORT_FAULT_IO_H
#define STOA_TESTS_SUPPORT_FAULT_IO_H

#include <stdatomic.h>

#include <stoa/io.h>

struct stoa_test_io_fault {
    uint64_t fail_at;   /* number of the call that fails, from 1; 0 for none */
    bool from_then_on;  /* all later ones fail too */
    uint64_t bad_begin; /* a read_at() that touches [bad_begin, bad_end) fails as well */
    uint64_t bad_end;
    int os_errno;          /* EIO, ENOSPC, ... */
    size_t max_read;       /* a stream gives at most so many bytes a call; 0 for any */
    atomic_ullong ncalls;  /* so far */
    atomic_ullong nfailed; /* of these */
};

/* Each ends the program when memory is out; they don't use the allocator under test. */
struct stoa_source *stoa_test_faulty_source(struct stoa_source *source,
                                            struct stoa_test_io_fault *fault);
struct stoa_sink *stoa_test_faulty_sink(struct stoa_sink *sink, struct stoa_test_io_fault *fault);
struct stoa_stream *stoa_test_faulty_stream(struct stoa_stream *stream,
                                            struct stoa_test_io_fault *fault);

#endif
