/*
 * Where bytes come from and where they go: sources that are read at any place, sinks that are
 * written from front to back and become visible all at once, streams that are read in order.
 *
 * A Stoa file is written strictly in order, so a sink needs no seeking, and a pipe is a sink.
 * Callers may bring their own by filling in the function tables; tests do, to make any call fail.
 *
 * Every message of these calls begins with the name of the file, made printable: who passes it on
 * need not add it.
 */
#ifndef STOA_IO_H
#define STOA_IO_H

#include <stoa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A source. read_at fills `out` with exactly nbytes bytes from `offset` or fails (a range past
 * the end is STOA_ERR_IO: the file became shorter). It may be called by several threads at once.
 * `descriptor` may be NULL; else it is that of the file that has the bytes at the same offsets, for
 * a sink that can share them.
 */
struct stoa_source {
    enum stoa_status (*read_at)(struct stoa_source *source, uint64_t offset, void *out,
                                size_t nbytes, struct stoa_error *err);
    void (*close)(struct stoa_source *source);
    int (*descriptor)(const struct stoa_source *source);
    uint64_t nbytes;  /* fixed when the source is opened */
    const char *name; /* for messages; belongs to the source */
};

/*
 * A sink. `write` appends; `commit` makes the output durable and visible under its name (after it
 * only `close` may be called); `close` without `commit` leaves no trace. After a failed write or
 * commit nothing but `close` may be called. One thread at a time.
 *
 * `share` may be NULL; else it appends the first *nshared of nbytes bytes of a source without
 * moving them, as blocks of the disk that both files have in common; *nshared is 0 where that can't
 * be, which is no error. Who calls it writes the rest.
 *
 * `reopen` may be NULL, as it is for what goes into a pipe; else it opens all that was written as a
 * source of its own. Nothing may be written after it.
 */
struct stoa_sink {
    enum stoa_status (*write)(struct stoa_sink *sink, const void *bytes, size_t nbytes,
                              struct stoa_error *err);
    enum stoa_status (*commit)(struct stoa_sink *sink, struct stoa_error *err);
    void (*close)(struct stoa_sink *sink);
    enum stoa_status (*share)(struct stoa_sink *sink, struct stoa_source *source, uint64_t offset,
                              uint64_t nbytes, uint64_t *nshared, struct stoa_error *err);
    enum stoa_status (*reopen)(struct stoa_sink *sink, struct stoa_source **out,
                               struct stoa_error *err);
    const char *name;
};

/*
 * A stream. `read` delivers 1..nbytes bytes, or 0 at the end, which is only reported when the
 * input was whole (a compressed one that is cut or damaged is STOA_ERR_DATA). One thread at a time.
 *
 * `prefetch` may be NULL; else it decodes a piece of what read() will ask for, in any thread,
 * beside read() and other calls of itself, and says whether there was one. It keeps its errors for
 * read(). The owner sets how much it may hold, once, before the first of these calls.
 */
struct stoa_stream {
    enum stoa_status (*read)(struct stoa_stream *stream, void *out, size_t nbytes, size_t *got,
                             struct stoa_error *err);
    bool (*prefetch)(struct stoa_stream *stream, uint64_t max_nbytes);
    void (*close)(struct stoa_stream *stream);
    const char *name;
    uint64_t total_nbytes;    /* size of what lies below, 0 when not known: for progress */
    uint64_t consumed_nbytes; /* of these, how many were read */
};

/* close(), also for NULL. */
STOA_API void stoa_source_close(struct stoa_source *source);
STOA_API void stoa_sink_close(struct stoa_sink *sink);
STOA_API void stoa_stream_close(struct stoa_stream *stream);

/*
 * A regular file, by pread. STOA_ERR_IO: can't be opened or read (os_errno); STOA_ERR_USAGE with a
 * clear word: a folder, a FIFO, a device.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_source_open_file(const char *path, struct stoa_source **out, struct stoa_error *err);

/* Borrowed memory as a source, for tests and embedding. `name` is copied. */
STOA_API STOA_CHECK enum stoa_status stoa_source_open_memory(const void *bytes, size_t nbytes,
                                                             const char *name,
                                                             struct stoa_source **out,
                                                             struct stoa_error *err);

/*
 * A new file that appears under `path` only when committed: an unnamed temporary in the same
 * folder, written, fsynced, linked or renamed, the folder fsynced (a named temporary with a lock
 * where O_TMPFILE is missing). STOA_ERR_USAGE when `path` exists and `replace` is false, checked
 * here (os_errno is EEXIST) and again at commit. A replaced file keeps its permissions; a symbolic
 * link stays and what it points to is written. With `path` "-", and into an existing character
 * device or FIFO (/dev/null), the bytes go as they come and commit only flushes.
 *
 * A killed run leaves the old file or the new one. What can remain of it is one complete file
 * .NAME.stoa-tmp-PID-N, which the next call for the same `path` removes. A program that limits the
 * size of its files should ignore SIGXFSZ, to get an error instead of being killed.
 */
STOA_API STOA_CHECK enum stoa_status stoa_sink_create_file(const char *path, bool replace,
                                                           struct stoa_sink **out,
                                                           struct stoa_error *err);

/* A growing block of memory; stoa_sink_memory() lends its bytes until the next call on it. */
STOA_API STOA_CHECK enum stoa_status stoa_sink_create_memory(struct stoa_sink **out,
                                                             struct stoa_error *err);
STOA_API const uint8_t *stoa_sink_memory(const struct stoa_sink *sink, size_t *nbytes);

/*
 * The text of one input in order, decompressed when its content (not its name) says gzip, xz,
 * bzip2, zstd or lz4; concatenated members are read through. `path` "-" is standard input.
 */
STOA_API STOA_CHECK enum stoa_status stoa_stream_open(const char *path, struct stoa_stream **out,
                                                      struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_stream_open_memory(const void *bytes, size_t nbytes,
                                                             const char *name,
                                                             struct stoa_stream **out,
                                                             struct stoa_error *err);

/*
 * The texts in one input, in order: the files in a zip or tar archive (which may be compressed),
 * and of anything else the one of stoa_stream_open(). Members are decompressed as files are, and
 * their names are ARCHIVE:MEMBER. Folders, links, devices, empty and hidden files are passed over.
 * Nothing is unpacked to a disk, an archive is read once, in its order, in little memory.
 *
 * stoa_members_next() gives the next stream, NULL behind the last one; that is only reported when
 * the archive was whole. The stream given before must be closed. Not after an error.
 * Errors: those of stoa_stream_open(); STOA_ERR_USAGE, an archive without a file to read;
 * STOA_ERR_DATA, cut, damaged, contradicting itself, or with a name that leads out of it;
 * STOA_ERR_UNSUPPORTED, encrypted, packed in a way that is not read, or an archive in an archive;
 * STOA_ERR_LIMIT (spec/limits.md).
 */
struct stoa_members;

STOA_API STOA_CHECK enum stoa_status stoa_members_open(const char *path, struct stoa_members **out,
                                                       struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_members_open_memory(const void *bytes, size_t nbytes,
                                                              const char *name,
                                                              struct stoa_members **out,
                                                              struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status
stoa_members_next(struct stoa_members *members, struct stoa_stream **out, struct stoa_error *err);
STOA_API bool stoa_members_is_archive(const struct stoa_members *members);
STOA_API void stoa_members_close(struct stoa_members *members);

/*
 * The inputs that the arguments name, in order: a file as it is, a folder's regular files by name
 * (hidden ones left out), a glob pattern's matches by name; "-" stays. STOA_ERR_IO when there is no
 * file of that name, STOA_ERR_USAGE when a folder holds none or a pattern matches none. Free the
 * list with stoa_paths_free().
 */
STOA_API STOA_CHECK enum stoa_status stoa_paths_expand(const char *const *arguments,
                                                       size_t narguments, char ***out,
                                                       size_t *npaths, struct stoa_error *err);
STOA_API void stoa_paths_free(char **paths, size_t npaths);

#ifdef __cplusplus
}
#endif

#endif
