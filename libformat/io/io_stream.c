/*
 * The text of one input in order: a file, a pipe or memory, decompressed when its first bytes say
 * so.
 *
 *     file -> in[] -> member, member, ... -> text      compressed
 *     file -> in[], then straight to the caller        plain: only what was peeked at is copied
 *
 * The end is reported when it is one: behind a complete member whose checksums are right, with
 * nothing after it but further members. A file that was cut exactly between two members can't be
 * told from a whole one; the formats give no means.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/inflate.h"
#include "io/io_name.h"

#define BUFFER_NBYTES (256 * 1024)

struct input {
    struct stoa_stream stream;
    char *name;
    int fd; /* -1: memory */
    bool keep_open;
    uint8_t *buffer;   /* NULL for memory */
    const uint8_t *in; /* nin bytes that were read and not used yet */
    size_t nin;
    bool at_end;                                /* nothing follows them */
    const struct stoa_compression *compression; /* NULL: plain */
    struct stoa_inflate *inflate;
    bool in_member;
    uint64_t nused; /* compressed bytes, nused is the place of in[0] */
    uint64_t ntext; /* bytes of text that were decoded */
};

/* ---- Below. ---- */

/* One read() of up to nbytes bytes. */
static enum stoa_status read_below(struct input *input, uint8_t *out, size_t nbytes, size_t *got,
                                   struct stoa_error *err)
{
    ssize_t n;

    while ((n = read(input->fd, out, nbytes)) < 0) {
        struct pollfd wait = {.fd = input->fd, .events = POLLIN};

        if (errno == EAGAIN) /* a pipe that somebody else made non-blocking */
            poll(&wait, 1, -1);
        else if (errno != EINTR)
            return stoa_fail_errno(err, errno, "%s: can't be read", input->name);
    }
    input->at_end = n == 0;
    input->stream.consumed_nbytes += (uint64_t)n;
    *got = (size_t)n;
    return STOA_OK;
}

/* Makes nin at least `want`, unless the end comes first. */
static enum stoa_status fill(struct input *input, size_t want, struct stoa_error *err)
{
    enum stoa_status st;
    size_t got;

    if (input->at_end || input->nin >= want)
        return STOA_OK;
    assert(want <= BUFFER_NBYTES);
    if (input->nin > 0)
        memmove(input->buffer, input->in, input->nin);
    input->in = input->buffer;
    while (input->nin < want && !input->at_end) {
        st = read_below(input, input->buffer + input->nin, BUFFER_NBYTES - input->nin, &got, err);
        if (st != STOA_OK)
            return st;
        input->nin += got;
    }
    return STOA_OK;
}

static void use(struct input *input, size_t nbytes)
{
    input->in += nbytes;
    input->nin -= nbytes;
    input->nused += nbytes;
}

/* ---- Plain text. ---- */

static enum stoa_status read_plain(struct input *input, uint8_t *out, size_t nbytes, size_t *got,
                                   struct stoa_error *err)
{
    *got = nbytes < input->nin ? nbytes : input->nin;
    if (*got > 0) {
        memcpy(out, input->in, *got);
        use(input, *got);
        return STOA_OK;
    }
    return input->at_end ? STOA_OK : read_below(input, out, nbytes, got, err);
}

/* ---- Members. ---- */

static enum stoa_status fail_early(const struct input *input, struct stoa_error *err)
{
    return stoa_fail_at(err, STOA_ERR_DATA, input->nused + input->nin,
                        "%s: %s data ends early, after %" PRIu64 " bytes of text", input->name,
                        input->compression->name, input->ntext);
}

/* Looks for the next member; `in_member` stays false at the end. */
static enum stoa_status begin_member(struct input *input, struct stoa_error *err)
{
    static const uint8_t zeros[8];
    const struct stoa_compression *compression = input->compression;
    size_t padding = compression->padding;
    enum stoa_inflate_match match;
    enum stoa_status st;

    STOA_TRY(fill(input, STOA_INFLATE_PEEK_NBYTES, err));
    while (padding > 0 && input->nin >= padding && memcmp(input->in, zeros, padding) == 0) {
        use(input, padding);
        STOA_TRY(fill(input, STOA_INFLATE_PEEK_NBYTES, err));
    }
    if (input->nin == 0)
        return STOA_OK;
    match = compression->match(input->in, input->nin);
    if (match == STOA_INFLATE_CUT)
        return fail_early(input, err);
    if (match == STOA_INFLATE_NO)
        return stoa_fail_at(err, STOA_ERR_DATA, input->nused,
                            "%s: %s data ends at byte %" PRIu64 ", after %" PRIu64
                            " bytes of text, and something else follows",
                            input->name, compression->name, input->nused, input->ntext);
    STOA_TRY(compression->next(input->inflate, err));
    input->in_member = true;
out:
    return st;
}

static enum stoa_status fail_step(const struct input *input, enum stoa_status st,
                                  struct stoa_error *err)
{
    if (err != NULL)
        err->offset = input->nused;
    if (st != STOA_ERR_DATA)
        return stoa_wrap(err, st, "%s: %s data", input->name, input->compression->name);
    return stoa_wrap(
        err, st, "%s: %s data is damaged near byte %" PRIu64 ", after %" PRIu64 " bytes of text",
        input->name, input->compression->name, input->nused, input->ntext);
}

static enum stoa_status read_members(struct input *input, uint8_t *out, size_t nbytes, size_t *got,
                                     struct stoa_error *err)
{
    const struct stoa_compression *compression = input->compression;
    struct stoa_inflate_step step = {0};
    enum stoa_status st;

    while (step.nput == 0) {
        if (!input->in_member) {
            STOA_TRY(begin_member(input, err));
            if (!input->in_member)
                break;
        }
        STOA_TRY(fill(input, 1, err));
        step = (struct stoa_inflate_step){0};
        st = compression->step(input->inflate, input->in, input->nin, out, nbytes, &step, err);
        use(input, step.nused);
        input->ntext += step.nput;
        if (st != STOA_OK)
            return fail_step(input, st, err);
        if (step.member_end)
            input->in_member = false;
        else if (step.nput == 0 && step.nused == 0 && input->at_end)
            return fail_early(input, err);
        else if (step.nput == 0 && step.nused == 0)
            STOA_TRY(fill(input, input->nin + 1, err));
    }
    *got = step.nput;
    st = STOA_OK;
out:
    return st;
}

static enum stoa_status input_read(struct stoa_stream *stream, void *out, size_t nbytes,
                                   size_t *got, struct stoa_error *err)
{
    struct input *input = (struct input *)stream;

    assert(nbytes > 0);
    *got = 0;
    if (input->compression == NULL)
        return read_plain(input, out, nbytes, got, err);
    return read_members(input, out, nbytes, got, err);
}

/* ---- Opening and closing. ---- */

static void input_close(struct stoa_stream *stream)
{
    struct input *input = (struct input *)stream;

    if (input->inflate != NULL)
        input->compression->close(input->inflate);
    if (input->fd >= 0 && !input->keep_open)
        close(input->fd);
    stoa_free(input->buffer);
    stoa_free(input->name);
    stoa_free(input);
}

static enum stoa_status input_new(struct input **out, const char *name, struct stoa_error *err)
{
    struct input *input;
    enum stoa_status st = stoa_alloc_zeroed(&input, 1, sizeof(*input), err);

    if (st != STOA_OK)
        return st;
    input->stream = (struct stoa_stream){.read = input_read, .close = input_close};
    input->fd = -1;
    st = stoa_io_name(&input->name, name, err);
    input->stream.name = input->name;
    if (st == STOA_OK)
        *out = input;
    else
        input_close(&input->stream);
    return st;
}

/* Opens what is no folder or socket: a file, a pipe, /dev/stdin. */
static enum stoa_status open_below(struct input *input, const char *path, struct stoa_error *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return stoa_io_fail_open(err, errno, path, "opened");
    if (S_ISDIR(status.st_mode) || S_ISSOCK(status.st_mode))
        return stoa_io_refuse(err, status.st_mode, path);
    do {
        input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (input->fd < 0 && errno == EINTR);
    if (input->fd < 0)
        return stoa_io_fail_open(err, errno, path, "opened");
    return STOA_OK;
}

/* Peeks at the first bytes and gets the decoder that they ask for. */
static enum stoa_status detect(struct input *input, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(fill(input, STOA_INFLATE_PEEK_NBYTES, err));
    st = stoa_inflate_detect(input->in, input->nin, &input->compression, err);
    if (st != STOA_OK)
        return stoa_wrap(err, st, "%s", input->name);
    if (input->compression != NULL)
        STOA_TRY(input->compression->open(&input->inflate, err));
out:
    return st;
}

enum stoa_status stoa_stream_open(const char *path, struct stoa_stream **out,
                                  struct stoa_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct input *input = NULL;
    struct stat status;
    enum stoa_status st;

    STOA_TRY(input_new(&input, is_stdin ? "standard input" : path, err));
    if (is_stdin) {
        input->fd = STDIN_FILENO;
        input->keep_open = true;
    } else {
        STOA_TRY(open_below(input, path, err));
    }
    if (fstat(input->fd, &status) == 0 && S_ISREG(status.st_mode)) {
        input->stream.total_nbytes = (uint64_t)status.st_size;
        posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* reads further ahead */
    }
    STOA_TRY(stoa_alloc(&input->buffer, BUFFER_NBYTES, err));
    STOA_TRY(detect(input, err));
    *out = &input->stream;
    input = NULL;
out:
    if (input != NULL)
        input_close(&input->stream);
    return st;
}

enum stoa_status stoa_stream_open_memory(const void *bytes, size_t nbytes, const char *name,
                                         struct stoa_stream **out, struct stoa_error *err)
{
    struct input *input = NULL;
    enum stoa_status st;

    STOA_TRY(input_new(&input, name, err));
    input->in = bytes;
    input->nin = nbytes;
    input->at_end = true;
    input->stream.total_nbytes = input->stream.consumed_nbytes = nbytes;
    STOA_TRY(detect(input, err));
    *out = &input->stream;
    input = NULL;
out:
    if (input != NULL)
        input_close(&input->stream);
    return st;
}
