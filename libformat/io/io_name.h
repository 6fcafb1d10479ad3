/*
 * Names of files in messages: every message of io/ begins with one, made printable, so that one
 * error is one line whatever a file is called.
 */
#ifndef STOA_IO_IO_NAME_H
#define STOA_IO_IO_NAME_H

#include <sys/stat.h>

#include <stoa/io.h>

#define STOA_IO_NAME_NBYTES 512

/* A printable copy of `path` into *out; free with stoa_free(). */
enum stoa_status stoa_io_name(char **out, const char *path, struct stoa_error *err);

/*
 * A path as a value, into out[0..nbytes), which has room for 4 strlen(path) + 4 bytes: its bytes as
 * they are if they are UTF-8, else printable.
 */
void stoa_io_path_text(char *out, size_t nbytes, const char *path);

/* STOA_ERR_USAGE: "PATH: is a folder, not a file", by the type in `mode`. */
enum stoa_status stoa_io_refuse(struct stoa_error *err, mode_t mode, const char *path);

/* STOA_ERR_IO: "PATH: can't be opened: No such file or directory"; `what` is "opened". */
enum stoa_status stoa_io_fail_open(struct stoa_error *err, int os_errno, const char *path,
                                   const char *what);

/*
 * The first nbytes bytes of an open regular file as a source: io_file.c. The descriptor is doubled,
 * `name` is printable and copied.
 */
STOA_CHECK enum stoa_status stoa_io_source_of(int fd, uint64_t nbytes, const char *name,
                                              struct stoa_source **out, struct stoa_error *err);

#endif
