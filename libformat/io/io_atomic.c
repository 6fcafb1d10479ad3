/*
 * A file that appears under its name all at once.
 *
 *     open(folder, O_TMPFILE)           a file without a name: a kill leaves nothing
 *     write ... fsync
 *     linkat(fd, NAME)                  nobody had the name: it appears whole
 *     or, when NAME exists and is to be replaced:
 *     linkat(fd, .NAME.stoa-tmp-PID-N)  a kill here leaves a complete file under that name,
 *     rename(.NAME.stoa-tmp-PID-N, NAME)
 *     fsync(folder)
 *
 * Where O_TMPFILE is missing the file carries the temporary name from the beginning. Its writer
 * holds a lock on it (flock) for as long as it lives, so a temporary name whose lock is free is a
 * leftover, and the next run that writes NAME removes it.
 *
 * After a failed fsync the kernel may have marked the lost pages clean, so a second try that
 * succeeds proves nothing: the first failure is final.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/io_name.h"

#define BUFFER_NBYTES    (256 * 1024)
#define DIRECT_NBYTES    (64 * 1024) /* what costs less to write by itself than to copy */
#define PIECE_NBYTES     (512 * 1024)
#define WRITEBACK_NBYTES (8 * 1024 * 1024)
#define BLOCK_NBYTES     4096 /* of file systems that share blocks */
#define SHARE_NBYTES     (64 * 1024)
#define TEMP_MARK        ".stoa-tmp-"
#define TEMP_TRIES       1000
/* With the rest it stays below the 255 bytes of a name. */
#define TEMP_BASE_NBYTES 200

enum target {
    TARGET_FILE,   /* appears at commit */
    TARGET_DIRECT, /* standard output, a device, a FIFO: takes bytes as they come */
};

struct file_sink {
    struct stoa_sink sink;
    enum target target;
    bool replace;
    bool keep_open; /* standard output */
    int fd;
    int folder_fd; /* opened before anything is written: what can't be synced is known early */
    char *name;    /* printable */
    char *path;    /* of the file itself, symbolic links followed */
    char *folder;  /* of path */
    char *temp;    /* path of the temporary name, NULL while there is none */
    uint8_t *buffer;
    size_t nbuffered;
    size_t nunsynced;  /* bytes since the kernel was told to begin writing them */
    uint64_t nwritten; /* without those in the buffer */
    bool cannot_share; /* the file system has no such thing */
};

static enum stoa_status fail_exists(struct stoa_error *err, const char *name)
{
    enum stoa_status st =
        stoa_fail(err, STOA_ERR_USAGE, "%s: exists and must not be replaced", name);

    if (err != NULL)
        err->os_errno = EEXIST; /* so that a program can say how to ask for it */
    return st;
}

/* ---- Bytes. ---- */

/*
 * Lets the disk work while the rest is made, so that fsync() finds little left: 80 -> 33 ms behind
 * 150 MB. A failure is seen by fsync().
 */
static void begin_writeback(struct file_sink *file, size_t nbytes)
{
    file->nunsynced += nbytes;
    if (file->target != TARGET_FILE || file->nunsynced < WRITEBACK_NBYTES)
        return;
    sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    file->nunsynced = 0;
}

/*
 * In pieces: for a write of megabytes the kernel takes blocks of 2 MiB for its cache, which are
 * those that a virtual machine gives back to its host while they are free, and that cost a fault
 * there on their next use. 1.7 -> 0.5 s of system time for 828 MB.
 */
static enum stoa_status write_through(struct file_sink *file, const uint8_t *bytes, size_t nbytes,
                                      struct stoa_error *err)
{
    while (nbytes > 0) {
        ssize_t put = write(file->fd, bytes, nbytes < PIECE_NBYTES ? nbytes : PIECE_NBYTES);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) /* 0 never happens, and must not loop forever if it does */
            return stoa_fail_errno(err, put < 0 ? errno : EIO, "%s: can't be written", file->name);
        bytes += put;
        nbytes -= (size_t)put;
        file->nwritten += (size_t)put;
        begin_writeback(file, (size_t)put);
    }
    return STOA_OK;
}

static enum stoa_status flush_buffer(struct file_sink *file, struct stoa_error *err)
{
    size_t nbytes = file->nbuffered;

    file->nbuffered = 0;
    return write_through(file, file->buffer, nbytes, err);
}

static enum stoa_status file_write(struct stoa_sink *sink, const void *bytes, size_t nbytes,
                                   struct stoa_error *err)
{
    struct file_sink *file = (struct file_sink *)sink;
    enum stoa_status st;

    if (nbytes >= DIRECT_NBYTES || nbytes > BUFFER_NBYTES - file->nbuffered) {
        st = flush_buffer(file, err);
        if (st != STOA_OK)
            return st;
    }
    if (nbytes >= DIRECT_NBYTES)
        return write_through(file, bytes, nbytes, err);
    if (nbytes > 0)
        memcpy(file->buffer + file->nbuffered, bytes, nbytes);
    file->nbuffered += nbytes;
    return STOA_OK;
}

/*
 * Whole blocks can be shared that lie at the same place of a block in both files. The bytes up to
 * the first of them are copied.
 *
 *     source   ..|  head|block |block |tail  |..
 *     sink     ..|  head|block |block |          the tail is left to the caller
 */
static enum stoa_status file_share(struct stoa_sink *sink, struct stoa_source *source,
                                   uint64_t offset, uint64_t nbytes, uint64_t *nshared,
                                   struct stoa_error *err)
{
    struct file_sink *file = (struct file_sink *)sink;
    size_t head = (size_t)((BLOCK_NBYTES - offset % BLOCK_NBYTES) % BLOCK_NBYTES);
    uint64_t at = file->nwritten + file->nbuffered;
    struct file_clone_range range;
    uint8_t bytes[BLOCK_NBYTES];
    enum stoa_status st = STOA_OK;

    *nshared = 0;
    if (file->target != TARGET_FILE || file->cannot_share || source->descriptor == NULL ||
        at % BLOCK_NBYTES != offset % BLOCK_NBYTES || nbytes < SHARE_NBYTES)
        return STOA_OK;
    STOA_TRY(source->read_at(source, offset, bytes, head, err));
    STOA_TRY(file_write(sink, bytes, head, err));
    STOA_TRY(flush_buffer(file, err));
    *nshared = head;
    range = (struct file_clone_range){
        .src_fd = source->descriptor(source),
        .src_offset = offset + head,
        .src_length = (nbytes - head) / BLOCK_NBYTES * BLOCK_NBYTES,
        .dest_offset = file->nwritten,
    };
    if (ioctl(file->fd, FICLONERANGE, &range) != 0) { /* whatever it is, a write may do */
        file->cannot_share = errno != EXDEV;          /* another source may be on this disk */
        return STOA_OK;
    }
    if (lseek(file->fd, (off_t)(file->nwritten + range.src_length), SEEK_SET) < 0)
        return stoa_fail_errno(err, errno, "%s: can't be written", file->name);
    file->nwritten += range.src_length;
    *nshared += range.src_length;
out:
    return st;
}

/* ---- Names. ---- */

/* FOLDER/.NAME.stoa-tmp-, to which a temporary name adds PID-N; a long NAME is cut. */
static enum stoa_status temp_prefix(const struct file_sink *file, struct stoa_buffer *out,
                                    struct stoa_error *err)
{
    const char *slash = strrchr(file->path, '/');
    const char *base = slash != NULL ? slash + 1 : file->path;
    enum stoa_status st;

    out->nbytes = 0;
    STOA_TRY(stoa_buffer_append(out, file->folder, strlen(file->folder), err));
    STOA_TRY(stoa_buffer_append(out, "/.", 2, err));
    STOA_TRY(stoa_buffer_append(out, base, strnlen(base, TEMP_BASE_NBYTES), err));
    STOA_TRY(stoa_buffer_append(out, TEMP_MARK, sizeof(TEMP_MARK), err));
out:
    return st;
}

/* The temporary name number n of this process. */
static enum stoa_status temp_name(const struct file_sink *file, unsigned n, char **out,
                                  struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    char tail[32];
    enum stoa_status st;

    snprintf(tail, sizeof(tail), "%ld-%u", (long)getpid(), n);
    STOA_TRY(temp_prefix(file, &text, err));
    text.nbytes--; /* its terminator */
    STOA_TRY(stoa_buffer_append(&text, tail, strlen(tail) + 1, err));
    *out = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    return st;
}

/* Removes a temporary name when nobody holds its lock any more. */
static void remove_leftover(int folder_fd, const char *entry)
{
    int fd = openat(folder_fd, entry, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder_fd, entry, 0);
    close(fd);
}

/* Whether text is PID-N, as temp_name() writes it: what else begins like a leftover is a user's. */
static bool is_temp_tail(const char *text)
{
    static const char digits[] = "0123456789";
    size_t npid = strspn(text, digits);
    size_t nnumber = text[npid] == '-' ? strspn(text + npid + 1, digits) : 0;

    return npid > 0 && nnumber > 0 && text[npid + 1 + nnumber] == '\0';
}

/* Sweeps what killed runs that wrote the same file left. It is no harm when that fails. */
static enum stoa_status sweep(const struct file_sink *file, struct stoa_error *err)
{
    struct stoa_buffer prefix = {0};
    const char *base;
    size_t base_nbytes;
    struct dirent *entry;
    DIR *folder = NULL;
    enum stoa_status st;

    STOA_TRY(temp_prefix(file, &prefix, err));
    base = (const char *)prefix.data + strlen(file->folder) + 1;
    base_nbytes = strlen(base);
    folder = opendir(file->folder);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, base, base_nbytes) == 0 &&
            is_temp_tail(entry->d_name + base_nbytes))
            remove_leftover(dirfd(folder), entry->d_name);
    }
out:
    if (folder != NULL)
        closedir(folder);
    stoa_buffer_free(&prefix);
    return st;
}

/* ---- Creating. ---- */

static bool has_proc(void)
{
    return access("/proc/self/fd", X_OK) == 0; /* an unnamed file gets its name through it */
}

/*
 * Locks the file and says whether it still has its name: between open() and flock() another run may
 * have taken it for a leftover. A file system without locks has no sweepers either.
 */
static bool lock_named(int fd)
{
    struct stat status;

    while (flock(fd, LOCK_EX) != 0 && errno == EINTR) {
    }
    return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

/* A file that carries its temporary name from the beginning, locked. */
static enum stoa_status create_named(struct file_sink *file, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (unsigned n = 0; n < TEMP_TRIES; n++) {
        STOA_TRY(temp_name(file, n, &file->temp, err));
        file->fd = open(file->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (file->fd >= 0 && lock_named(file->fd))
            return STOA_OK;
        if (file->fd < 0 && errno != EEXIST)
            break;
        if (file->fd >= 0)
            close(file->fd);
        file->fd = -1;
        stoa_free(file->temp);
        file->temp = NULL;
    }
    st = stoa_fail_errno(err, errno, "%s: can't be created", file->name);
out:
    stoa_free(file->temp);
    file->temp = NULL;
    return st;
}

static enum stoa_status open_folder(struct file_sink *file, struct stoa_error *err)
{
    file->folder_fd = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->folder_fd >= 0)
        return STOA_OK;
    return stoa_fail_errno(err, errno,
                           errno == ENOENT ? "%s: can't be created, there is no such folder"
                                           : "%s: can't be created in its folder",
                           file->name);
}

static enum stoa_status create_unnamed(struct file_sink *file, struct stoa_error *err)
{
    file->fd = has_proc() ? open(file->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1;
    if (file->fd >= 0) {
        flock(file->fd, LOCK_EX); /* for the moment in which it carries a temporary name */
        return STOA_OK;
    }
    return create_named(file, err);
}

/* Splits off the folder: "." for a plain name, "/" for a file of the root. */
static enum stoa_status set_folder(struct file_sink *file, struct stoa_error *err)
{
    const char *slash = strrchr(file->path, '/');

    if (slash == NULL)
        return stoa_strndup(&file->folder, ".", 1, err);
    return stoa_strndup(&file->folder, file->path,
                        slash == file->path ? 1 : (size_t)(slash - file->path), err);
}

/*
 * Sets path: that of the file a symbolic link points to, so that the link stays. What is no file
 * may have no path of its own: the pipe behind /dev/stdout.
 */
static enum stoa_status resolve(struct file_sink *file, const char *path, struct stoa_error *err)
{
    struct stat status;
    char real[PATH_MAX];

    if (lstat(path, &status) != 0 || !S_ISLNK(status.st_mode) ||
        (stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
        return stoa_strndup(&file->path, path, strlen(path), err);
    if (realpath(path, real) == NULL)
        return stoa_fail_errno(err, errno, "%s: is a symbolic link that can't be followed",
                               file->name);
    return stoa_strndup(&file->path, real, strlen(real), err);
}

static enum stoa_status open_direct(struct file_sink *file, struct stoa_error *err)
{
    file->target = TARGET_DIRECT;
    do {
        file->fd = open(file->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    } while (file->fd < 0 && errno == EINTR);
    if (file->fd < 0)
        return stoa_fail_errno(err, errno, "%s: can't be opened", file->name);
    return STOA_OK;
}

static enum stoa_status create(struct file_sink *file, const char *path, struct stoa_error *err)
{
    struct stat status;
    enum stoa_status st;
    bool exists;

    if (path[0] == '\0' || path[strlen(path) - 1] == '/')
        return stoa_fail(err, STOA_ERR_USAGE, "\"%s\" is not the name of a file", file->name);
    STOA_TRY(resolve(file, path, err));
    exists = stat(file->path, &status) == 0;
    if (!exists && errno != ENOENT)
        return stoa_fail_errno(err, errno, "%s: can't be created", file->name);
    if (exists && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)))
        return open_direct(file, err);
    if (exists && !S_ISREG(status.st_mode))
        return stoa_io_refuse(err, status.st_mode, path);
    if (exists && !file->replace)
        return fail_exists(err, file->name);
    STOA_TRY(set_folder(file, err));
    STOA_TRY(open_folder(file, err));
    STOA_TRY(sweep(file, err));
    STOA_TRY(create_unnamed(file, err));
    /* A private file stays private. */
    if (exists && fchmod(file->fd, status.st_mode & 0777) != 0)
        st = stoa_fail_errno(err, errno, "%s: can't be created", file->name);
out:
    return st;
}

static enum stoa_status file_reopen(struct stoa_sink *sink, struct stoa_source **out,
                                    struct stoa_error *err)
{
    struct file_sink *file = (struct file_sink *)sink;
    enum stoa_status st = flush_buffer(file, err);

    if (st != STOA_OK)
        return st;
    return stoa_io_source_of(file->fd, file->nwritten, file->name, out, err);
}

/* ---- Committing. ---- */

/* Gives an unnamed file a name; 0 or an errno. */
static int link_unnamed(const struct file_sink *file, const char *path)
{
    char self[64];

    snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

/* Gives an unnamed file a temporary name. */
static enum stoa_status link_temp(struct file_sink *file, struct stoa_error *err)
{
    int os_errno = EEXIST;
    char *temp = NULL;
    enum stoa_status st;

    for (unsigned n = 0; n < TEMP_TRIES && os_errno == EEXIST; n++) {
        stoa_free(temp);
        temp = NULL;
        STOA_TRY(temp_name(file, n, &temp, err));
        os_errno = link_unnamed(file, temp);
    }
    if (os_errno != 0)
        STOA_TRY(stoa_fail_errno(err, os_errno, "%s: can't be created", file->name));
    file->temp = temp;
    temp = NULL;
out:
    stoa_free(temp);
    return st;
}

/* Renames the temporary name to a name that nobody may have yet. */
static int rename_to_new(const struct file_sink *file)
{
    if (renameat2(AT_FDCWD, file->temp, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    /* A file system without it: a link can't replace anything either. */
    if (link(file->temp, file->path) != 0)
        return errno;
    unlink(file->temp);
    return 0;
}

static enum stoa_status take_name(struct file_sink *file, struct stoa_error *err)
{
    int os_errno;
    enum stoa_status st;

    if (file->temp == NULL) {
        os_errno = link_unnamed(file, file->path);
        if (os_errno == 0)
            return STOA_OK;
        if (os_errno == EEXIST && file->replace) {
            st = link_temp(file, err);
            if (st != STOA_OK)
                return st;
        }
    }
    if (file->temp != NULL) {
        if (file->replace)
            os_errno = rename(file->temp, file->path) == 0 ? 0 : errno;
        else
            os_errno = rename_to_new(file);
        if (os_errno == 0) {
            stoa_free(file->temp);
            file->temp = NULL;
            return STOA_OK;
        }
    }
    if (os_errno == EEXIST && !file->replace)
        return fail_exists(err, file->name);
    return stoa_fail_errno(err, os_errno, "%s: can't be created", file->name);
}

static enum stoa_status sync_folder(const struct file_sink *file, struct stoa_error *err)
{
    /* EINVAL: this file system has no such thing. */
    if (fsync(file->folder_fd) != 0 && errno != EINVAL)
        return stoa_fail_errno(err, errno, "%s: its folder can't be made durable", file->name);
    return STOA_OK;
}

static enum stoa_status file_commit(struct stoa_sink *sink, struct stoa_error *err)
{
    struct file_sink *file = (struct file_sink *)sink;
    enum stoa_status st;

    STOA_TRY(flush_buffer(file, err));
    if (file->target == TARGET_DIRECT)
        return STOA_OK;
    if (fsync(file->fd) != 0)
        return stoa_fail_errno(err, errno, "%s: can't be made durable", file->name);
    STOA_TRY(take_name(file, err));
    STOA_TRY(sync_folder(file, err));
out:
    return st;
}

static void file_close(struct stoa_sink *sink)
{
    struct file_sink *file = (struct file_sink *)sink;

    if (file->temp != NULL)
        unlink(file->temp);
    if (file->fd >= 0 && !file->keep_open)
        close(file->fd);
    if (file->folder_fd >= 0)
        close(file->folder_fd);
    stoa_free(file->buffer);
    stoa_free(file->temp);
    stoa_free(file->folder);
    stoa_free(file->path);
    stoa_free(file->name);
    stoa_free(file);
}

enum stoa_status stoa_sink_create_file(const char *path, bool replace, struct stoa_sink **out,
                                       struct stoa_error *err)
{
    bool is_stdout = strcmp(path, "-") == 0;
    struct file_sink *file;
    enum stoa_status st;

    st = stoa_alloc_zeroed(&file, 1, sizeof(*file), err);
    if (st != STOA_OK)
        return st;
    file->sink = (struct stoa_sink){
        .write = file_write, .commit = file_commit, .close = file_close, .share = file_share};
    file->fd = -1;
    file->folder_fd = -1;
    file->replace = replace;
    STOA_TRY(stoa_io_name(&file->name, is_stdout ? "standard output" : path, err));
    file->sink.name = file->name;
    STOA_TRY(stoa_alloc(&file->buffer, BUFFER_NBYTES, err));
    if (is_stdout) {
        file->target = TARGET_DIRECT;
        file->keep_open = true;
        file->fd = STDOUT_FILENO;
    } else {
        STOA_TRY(create(file, path, err));
    }
    if (file->target == TARGET_FILE)
        file->sink.reopen = file_reopen;
    *out = &file->sink;
    file = NULL;
out:
    if (file != NULL)
        file_close(&file->sink);
    return st;
}
