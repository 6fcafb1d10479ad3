/*
 * The bytes of one input as they are: of a file, a pipe, standard input or memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/io_name.h"
#include "io/layers.h"

struct raw {
    struct stoa_stream stream;
    char *name;
    int fd; /* -1: memory */
    bool keep_open;
    const uint8_t *memory; /* that is left */
    size_t nmemory;
};

static enum stoa_status file_read(struct stoa_stream *stream, void *out, size_t nbytes, size_t *got,
                                  struct stoa_error *err)
{
    struct raw *raw = (struct raw *)stream;
    ssize_t n;

    while ((n = read(raw->fd, out, nbytes)) < 0) {
        struct pollfd wait = {.fd = raw->fd, .events = POLLIN};

        if (errno == EAGAIN) /* a pipe that somebody else made non-blocking */
            poll(&wait, 1, -1);
        else if (errno != EINTR)
            return stoa_fail_errno(err, errno, "%s: can't be read", raw->name);
    }
    stream->consumed_nbytes += (uint64_t)n;
    *got = (size_t)n;
    return STOA_OK;
}

static enum stoa_status memory_read(struct stoa_stream *stream, void *out, size_t nbytes,
                                    size_t *got, struct stoa_error *err)
{
    struct raw *raw = (struct raw *)stream;

    (void)err;
    *got = nbytes < raw->nmemory ? nbytes : raw->nmemory;
    if (*got > 0)
        memcpy(out, raw->memory, *got);
    raw->memory += *got;
    raw->nmemory -= *got;
    stream->consumed_nbytes += *got;
    return STOA_OK;
}

static void raw_close(struct stoa_stream *stream)
{
    struct raw *raw = (struct raw *)stream;

    if (raw->fd >= 0 && !raw->keep_open)
        close(raw->fd);
    stoa_free(raw->name);
    stoa_free(raw);
}

static enum stoa_status raw_new(struct raw **out, const char *name, struct stoa_error *err)
{
    struct raw *raw;
    enum stoa_status st = stoa_alloc_zeroed(&raw, 1, sizeof(*raw), err);

    if (st != STOA_OK)
        return st;
    raw->fd = -1;
    raw->stream.close = raw_close;
    st = stoa_io_name(&raw->name, name, err);
    raw->stream.name = raw->name;
    if (st == STOA_OK)
        *out = raw;
    else
        raw_close(&raw->stream);
    return st;
}

/* Opens what is no folder or socket: a file, a pipe, /dev/stdin. */
static enum stoa_status open_below(struct raw *raw, const char *path, struct stoa_error *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return stoa_io_fail_open(err, errno, path, "opened");
    if (S_ISDIR(status.st_mode) || S_ISSOCK(status.st_mode))
        return stoa_io_refuse(err, status.st_mode, path);
    do {
        raw->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (raw->fd < 0 && errno == EINTR);
    if (raw->fd < 0)
        return stoa_io_fail_open(err, errno, path, "opened");
    return STOA_OK;
}

enum stoa_status stoa_raw_open(const char *path, struct stoa_stream **out, struct stoa_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct raw *raw = NULL;
    struct stat status;
    enum stoa_status st;

    STOA_TRY(raw_new(&raw, is_stdin ? "standard input" : path, err));
    raw->stream.read = file_read;
    if (is_stdin) {
        raw->fd = STDIN_FILENO;
        raw->keep_open = true;
    } else {
        STOA_TRY(open_below(raw, path, err));
    }
    if (fstat(raw->fd, &status) == 0 && S_ISREG(status.st_mode)) {
        raw->stream.total_nbytes = (uint64_t)status.st_size;
        posix_fadvise(raw->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* reads further ahead */
    }
    *out = &raw->stream;
    raw = NULL;
out:
    if (raw != NULL)
        raw_close(&raw->stream);
    return st;
}

enum stoa_status stoa_raw_open_memory(const void *bytes, size_t nbytes, const char *name,
                                      struct stoa_stream **out, struct stoa_error *err)
{
    struct raw *raw;
    enum stoa_status st = raw_new(&raw, name, err);

    if (st != STOA_OK)
        return st;
    raw->stream.read = memory_read;
    raw->stream.total_nbytes = nbytes;
    raw->memory = bytes;
    raw->nmemory = nbytes;
    *out = &raw->stream;
    return STOA_OK;
}
