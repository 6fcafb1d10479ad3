/*
 * Temporary files without a name.
 *
 *     open(folder, O_TMPFILE)         where the file system can
 *     mkostemp + unlink               elsewhere: named for an instant
 *
 *     | on disk ........................ | buffer |
 *                                        ^ nwritten
 */
#include "io/spill.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/io_name.h"

#define BUFFER_NBYTES (256 * 1024)
#define TEMP_NAME     "/stoa-tmp-XXXXXX"

struct stoa_spill {
    int fd;
    char *folder; /* printable */
    uint64_t nwritten;
    size_t nbuffered;
    uint8_t buffer[BUFFER_NBYTES];
};

static const char *temp_folder(void)
{
    const char *folder = getenv("TMPDIR");

    if (folder != NULL && folder[0] != '\0')
        return folder;
    return access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

/* A file that has a name only until the next line. */
static enum stoa_status open_named(const char *folder, int *fd, struct stoa_error *err)
{
    size_t nbytes = strlen(folder);
    char *path;
    enum stoa_status st = stoa_alloc(&path, nbytes + sizeof(TEMP_NAME), err);

    if (st != STOA_OK)
        return st;
    memcpy(path, folder, nbytes);
    memcpy(path + nbytes, TEMP_NAME, sizeof(TEMP_NAME));
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd >= 0)
        unlink(path);
    stoa_free(path);
    return STOA_OK;
}

enum stoa_status stoa_spill_open(struct stoa_spill **out, struct stoa_error *err)
{
    const char *folder = temp_folder();
    struct stoa_spill *spill;
    enum stoa_status st = stoa_alloc_zeroed(&spill, 1, sizeof(*spill), err);

    if (st != STOA_OK)
        return st;
    spill->fd = -1;
    STOA_TRY(stoa_io_name(&spill->folder, folder, err));
    spill->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (spill->fd < 0 && errno != ENOENT && errno != EACCES)
        STOA_TRY(open_named(folder, &spill->fd, err));
    if (spill->fd < 0) {
        st = stoa_fail_errno(err, errno, "%s: a temporary file can't be made there (TMPDIR)",
                             spill->folder);
        goto out;
    }
    *out = spill;
    spill = NULL;
out:
    stoa_spill_close(spill);
    return st;
}

void stoa_spill_close(struct stoa_spill *spill)
{
    if (spill == NULL)
        return;
    if (spill->fd >= 0)
        close(spill->fd);
    stoa_free(spill->folder);
    stoa_free(spill);
}

static enum stoa_status write_through(struct stoa_spill *spill, const uint8_t *bytes, size_t nbytes,
                                      struct stoa_error *err)
{
    while (nbytes > 0) {
        ssize_t put = write(spill->fd, bytes, nbytes);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return stoa_fail_errno(err, put < 0 ? errno : EIO,
                                   "%s: a temporary file can't be written", spill->folder);
        bytes += put;
        nbytes -= (size_t)put;
        spill->nwritten += (uint64_t)put;
    }
    return STOA_OK;
}

enum stoa_status stoa_spill_append(struct stoa_spill *spill, const void *bytes, size_t nbytes,
                                   struct stoa_error *err)
{
    if (nbytes > BUFFER_NBYTES - spill->nbuffered) {
        enum stoa_status st = write_through(spill, spill->buffer, spill->nbuffered, err);

        if (st != STOA_OK)
            return st;
        spill->nbuffered = 0;
    }
    if (nbytes >= BUFFER_NBYTES)
        return write_through(spill, bytes, nbytes, err);
    if (nbytes > 0)
        memcpy(spill->buffer + spill->nbuffered, bytes, nbytes);
    spill->nbuffered += nbytes;
    return STOA_OK;
}

uint64_t stoa_spill_nbytes(const struct stoa_spill *spill)
{
    return spill->nwritten + spill->nbuffered;
}

enum stoa_status stoa_spill_read(struct stoa_spill *spill, uint64_t offset, void *out,
                                 size_t nbytes, struct stoa_error *err)
{
    uint64_t nbytes_on_disk, left;
    uint8_t *bytes = out;

    assert(offset <= stoa_spill_nbytes(spill) && nbytes <= stoa_spill_nbytes(spill) - offset);
    nbytes_on_disk = offset < spill->nwritten ? spill->nwritten - offset : 0;
    left = nbytes < nbytes_on_disk ? nbytes : nbytes_on_disk;
    while (left > 0) {
        ssize_t got = pread(spill->fd, bytes, (size_t)left, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) /* 0: somebody cut it */
            return stoa_fail_errno(err, got < 0 ? errno : EIO, "%s: a temporary file can't be read",
                                   spill->folder);
        bytes += got;
        offset += (uint64_t)got;
        nbytes -= (size_t)got;
        left -= (uint64_t)got;
    }
    if (nbytes > 0)
        memcpy(bytes, spill->buffer + (offset - spill->nwritten), nbytes);
    return STOA_OK;
}

/* ---- As a sink. ---- */

struct spill_sink {
    struct stoa_sink sink;
    struct stoa_spill *spill;
};

static struct stoa_spill *spill_of(struct stoa_sink *sink)
{
    return ((struct spill_sink *)sink)->spill;
}

static enum stoa_status sink_write(struct stoa_sink *sink, const void *bytes, size_t nbytes,
                                   struct stoa_error *err)
{
    return stoa_spill_append(spill_of(sink), bytes, nbytes, err);
}

static enum stoa_status sink_commit(struct stoa_sink *sink, struct stoa_error *err)
{
    (void)sink;
    (void)err;
    return STOA_OK;
}

static enum stoa_status sink_reopen(struct stoa_sink *sink, struct stoa_source **out,
                                    struct stoa_error *err)
{
    struct stoa_spill *spill = spill_of(sink);
    enum stoa_status st = write_through(spill, spill->buffer, spill->nbuffered, err);

    if (st != STOA_OK)
        return st;
    spill->nbuffered = 0;
    return stoa_io_source_of(spill->fd, spill->nwritten, sink->name, out, err);
}

static void sink_close(struct stoa_sink *sink)
{
    stoa_spill_close(spill_of(sink));
    stoa_free(sink);
}

enum stoa_status stoa_sink_create_spill(struct stoa_sink **out, struct stoa_error *err)
{
    struct spill_sink *made;
    enum stoa_status st = stoa_alloc_zeroed(&made, 1, sizeof(*made), err);

    if (st != STOA_OK)
        return st;
    made->sink = (struct stoa_sink){
        .write = sink_write,
        .commit = sink_commit,
        .close = sink_close,
        .reopen = sink_reopen,
        .name = "temporary file",
    };
    st = stoa_spill_open(&made->spill, err);
    if (st != STOA_OK) {
        stoa_free(made);
        return st;
    }
    *out = &made->sink;
    return STOA_OK;
}
