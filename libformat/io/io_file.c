/*
 * A regular file as a source. pread() into the caller's memory: threads share one descriptor
 * without a lock, and a file that is cut while it is read gives an error instead of the SIGBUS of a
 * mapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/io_name.h"

struct file_source {
    struct stoa_source source;
    char *name;
    int fd;
};

static enum stoa_status file_read_at(struct stoa_source *source, uint64_t offset, void *out,
                                     size_t nbytes, struct stoa_error *err)
{
    struct file_source *file = (struct file_source *)source;
    uint8_t *bytes = out;

    if (offset > source->nbytes || nbytes > source->nbytes - offset)
        return stoa_fail_at(err, STOA_ERR_IO, offset, "%s: %zu bytes wanted past its end",
                            file->name, nbytes);
    while (nbytes > 0) {
        ssize_t got = pread(file->fd, bytes, nbytes, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            stoa_fail_errno(err, errno, "%s: can't be read", file->name);
            if (err != NULL)
                err->offset = offset;
            return STOA_ERR_IO;
        }
        if (got == 0)
            return stoa_fail_at(err, STOA_ERR_IO, offset, "%s: became shorter while it was read",
                                file->name);
        bytes += got;
        offset += (uint64_t)got;
        nbytes -= (size_t)got;
    }
    return STOA_OK;
}

static int file_descriptor(const struct stoa_source *source)
{
    return ((const struct file_source *)source)->fd;
}

static void file_close(struct stoa_source *source)
{
    struct file_source *file = (struct file_source *)source;

    if (file->fd >= 0)
        close(file->fd);
    stoa_free(file->name);
    stoa_free(file);
}

/* A source without a descriptor; takes over `name`, also when it fails. */
static enum stoa_status new_source(char *name, struct file_source **out, struct stoa_error *err)
{
    struct file_source *file;
    enum stoa_status st = stoa_alloc_zeroed(&file, 1, sizeof(*file), err);

    if (st != STOA_OK) {
        stoa_free(name);
        return st;
    }
    file->source = (struct stoa_source){
        .read_at = file_read_at, .close = file_close, .descriptor = file_descriptor, .name = name};
    file->name = name;
    file->fd = -1;
    *out = file;
    return STOA_OK;
}

enum stoa_status stoa_io_source_of(int fd, uint64_t nbytes, const char *name,
                                   struct stoa_source **out, struct stoa_error *err)
{
    struct file_source *file = NULL;
    char *copy;
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&copy, name, strlen(name), err));
    STOA_TRY(new_source(copy, &file, err));
    file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (file->fd < 0)
        STOA_TRY(stoa_fail_errno(err, errno, "%s: can't be read", name));
    file->source.nbytes = nbytes;
    *out = &file->source;
    file = NULL;
out:
    if (file != NULL)
        file_close(&file->source);
    return st;
}

enum stoa_status stoa_source_open_file(const char *path, struct stoa_source **out,
                                       struct stoa_error *err)
{
    struct file_source *file = NULL;
    struct stat status;
    char *name;
    enum stoa_status st;

    /* Looked at before it is opened: opening a device or a FIFO may do something. */
    if (stat(path, &status) != 0)
        return stoa_io_fail_open(err, errno, path, "opened");
    if (!S_ISREG(status.st_mode))
        return stoa_io_refuse(err, status.st_mode, path);
    STOA_TRY(stoa_io_name(&name, path, err));
    STOA_TRY(new_source(name, &file, err));
    do {
        file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (file->fd < 0 && errno == EINTR);
    if (file->fd < 0 || fstat(file->fd, &status) != 0)
        STOA_TRY(stoa_io_fail_open(err, errno, path, "opened"));
    if (!S_ISREG(status.st_mode)) /* another one by now */
        STOA_TRY(stoa_io_refuse(err, status.st_mode, path));
    file->source.nbytes = (uint64_t)status.st_size;
    *out = &file->source;
    file = NULL;
out:
    if (file != NULL)
        file_close(&file->source);
    return st;
}
