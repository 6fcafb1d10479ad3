/*
 * Stands between a program and the C library: the real calls are made by syscall(), so there is
 * nothing to look up and no way to call itself.
 */
#include "support/fault_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct stoa_test_posix_fault armed;
static const char *fired_path;
static atomic_uint ncalls, nfired;

void stoa_test_posix_set(const struct stoa_test_posix_fault *fault)
{
    armed = *fault;
    atomic_store(&ncalls, 0);
    atomic_store(&nfired, 0);
}

bool stoa_test_posix_end(void)
{
    armed = (struct stoa_test_posix_fault){0};
    return atomic_load(&nfired) > 0;
}

static unsigned calls_of(const char *words)
{
    static const struct {
        const char *word;
        unsigned calls;
    } known[] = {{"open", STOA_TEST_OPEN},     {"read", STOA_TEST_READ},
                 {"write", STOA_TEST_WRITE},   {"sync", STOA_TEST_SYNC},
                 {"rename", STOA_TEST_RENAME}, {"link", STOA_TEST_LINK},
                 {"close", STOA_TEST_CLOSE},   {"clone", STOA_TEST_CLONE}};
    unsigned calls = 0;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (words == NULL || strstr(words, known[i].word) != NULL)
            calls |= known[i].calls;
    }
    return calls;
}

static enum stoa_test_posix_mode mode_of(const char *word)
{
    static const char *const words[] = {"once", "on", "short", "kill", "flip"};

    for (unsigned i = 0; word != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0)
            return (enum stoa_test_posix_mode)i;
    }
    return STOA_TEST_POSIX_ONCE;
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *at = getenv("STOA_FAULT_AT"), *os_errno = getenv("STOA_FAULT_ERRNO");
    const char *max_read = getenv("STOA_FAULT_MAX_READ");

    armed.no_tmpfile = getenv("STOA_FAULT_NO_TMPFILE") != NULL;
    armed.no_lock = getenv("STOA_FAULT_NO_LOCK") != NULL;
    armed.clones = getenv("STOA_FAULT_CLONES") != NULL;
    armed.max_read = max_read != NULL ? (size_t)strtoul(max_read, NULL, 10) : 0;
    if (at == NULL)
        return;
    armed.at = (unsigned)strtoul(at, NULL, 10);
    armed.calls = calls_of(getenv("STOA_FAULT_CALLS"));
    armed.mode = mode_of(getenv("STOA_FAULT_MODE"));
    armed.os_errno = os_errno != NULL ? (int)strtol(os_errno, NULL, 10) : EIO;
    fired_path = getenv("STOA_FAULT_FIRED");
}

static void note_fired(void)
{
    if (atomic_fetch_add(&nfired, 1) == 0 && fired_path != NULL)
        syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, fired_path, O_CREAT | O_WRONLY, 0600));
    if (armed.mode == STOA_TEST_POSIX_KILL)
        syscall(SYS_kill, getpid(), SIGKILL);
}

/* Whether this call strikes. */
static bool strikes(enum stoa_test_posix_calls call)
{
    unsigned n;

    if (armed.at == 0 || !(armed.calls & call))
        return false;
    n = atomic_fetch_add(&ncalls, 1) + 1;
    if (n < armed.at || (n > armed.at && armed.mode != STOA_TEST_POSIX_ON))
        return false;
    note_fired();
    return true;
}

/* Whether it fails; the other modes are done with here. */
static bool fails(enum stoa_test_posix_calls call)
{
    if (!strikes(call) || armed.mode == STOA_TEST_POSIX_SHORT)
        return false;
    errno = armed.os_errno;
    return true;
}

/* The same for calls that move bytes: *nbytes becomes 1 when it is to be short. */
static bool fails_or_shortens(enum stoa_test_posix_calls call, size_t *nbytes)
{
    if (!strikes(call))
        return false;
    if (armed.mode == STOA_TEST_POSIX_SHORT) {
        *nbytes = *nbytes > 1 ? 1 : *nbytes;
        return false;
    }
    errno = armed.os_errno;
    return true;
}

/* How many bytes a read may give. */
static size_t limit_read(size_t nbytes)
{
    return armed.max_read > 0 && nbytes > armed.max_read ? armed.max_read : nbytes;
}

#pragma GCC visibility push(default) /* what a preloaded library has to show */

static int open_at(int folder, const char *path, int flags, unsigned mode)
{
    if (armed.no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return fails(STOA_TEST_OPEN) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define OPEN_MODE(flags, mode)                                                                     \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        if ((flags) & (O_CREAT | __O_TMPFILE))                                                     \
            (mode) = va_arg(args, unsigned);                                                       \
        va_end(args);                                                                              \
    } while (0)

int open(const char *path, int flags, ...)
{
    unsigned mode = 0;

    OPEN_MODE(flags, mode);
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    unsigned mode = 0;

    OPEN_MODE(flags, mode);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    unsigned mode = 0;

    OPEN_MODE(flags, mode);
    return open_at(folder, path, flags, mode);
}

ssize_t read(int fd, void *out, size_t nbytes)
{
    return fails_or_shortens(STOA_TEST_READ, &nbytes)
               ? -1
               : syscall(SYS_read, fd, out, limit_read(nbytes));
}

ssize_t pread(int fd, void *out, size_t nbytes, off_t offset)
{
    return fails_or_shortens(STOA_TEST_READ, &nbytes)
               ? -1
               : syscall(SYS_pread64, fd, out, limit_read(nbytes), offset);
}

/* Writes half of the bytes and one more, which is not what it was. */
static ssize_t write_flipped(int fd, const char *bytes, size_t nbytes)
{
    const size_t half = nbytes / 2;
    const char flipped = (char)(bytes[half] ^ 4);
    ssize_t put = half > 0 ? syscall(SYS_write, fd, bytes, half) : 0;

    if (put != (ssize_t)half || syscall(SYS_write, fd, &flipped, (size_t)1) != 1)
        return put;
    return put + 1;
}

ssize_t write(int fd, const void *bytes, size_t nbytes)
{
    if (armed.mode == STOA_TEST_POSIX_FLIP)
        return strikes(STOA_TEST_WRITE) ? write_flipped(fd, bytes, nbytes)
                                        : syscall(SYS_write, fd, bytes, nbytes);
    return fails_or_shortens(STOA_TEST_WRITE, &nbytes) ? -1 : syscall(SYS_write, fd, bytes, nbytes);
}

int fsync(int fd)
{
    return fails(STOA_TEST_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fails(STOA_TEST_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
    return fails(STOA_TEST_RENAME) ? -1
                                   : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    return fails(STOA_TEST_RENAME)
               ? -1
               : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}

int link(const char *from, const char *to)
{
    return fails(STOA_TEST_LINK) ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    return fails(STOA_TEST_LINK)
               ? -1
               : (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

int flock(int fd, int operation)
{
    if (!armed.no_lock)
        return (int)syscall(SYS_flock, fd, operation);
    errno = ENOLCK;
    return -1;
}

/* What a file system that shares blocks does, with bytes. */
static int clone_range(int fd, const struct file_clone_range *range)
{
    char bytes[4096];

    for (uint64_t at = 0; at < range->src_length; at += sizeof(bytes)) {
        if (syscall(SYS_pread64, (int)range->src_fd, bytes, sizeof(bytes),
                    range->src_offset + at) != sizeof(bytes) ||
            syscall(SYS_pwrite64, fd, bytes, sizeof(bytes), range->dest_offset + at) !=
                sizeof(bytes)) {
            errno = EINVAL;
            return -1;
        }
    }
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *argument;

    va_start(args, request);
    argument = va_arg(args, void *);
    va_end(args);
    if (request == FICLONERANGE && fails(STOA_TEST_CLONE))
        return -1;
    if (request == FICLONERANGE && armed.clones)
        return clone_range(fd, argument);
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

/* A failing close() closes all the same, as on Linux. */
int close(int fd)
{
    bool failing = fails(STOA_TEST_CLOSE);
    int code = (int)syscall(SYS_close, fd);

    if (!failing)
        return code;
    errno = armed.os_errno;
    return -1;
}

#pragma GCC visibility pop
