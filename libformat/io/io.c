/*
 * What is common to all sources, sinks and streams: closing them, and printable names for messages.
 */
#include <string.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"
#include "io/io_name.h"

void stoa_source_close(struct stoa_source *source)
{
    if (source != NULL)
        source->close(source);
}

void stoa_sink_close(struct stoa_sink *sink)
{
    if (sink != NULL)
        sink->close(sink);
}

void stoa_stream_close(struct stoa_stream *stream)
{
    if (stream != NULL)
        stream->close(stream);
}

void stoa_io_path_text(char *out, size_t nbytes, const char *path)
{
    const size_t npath = strlen(path);

    if (stoa_utf8_valid_prefix((const uint8_t *)path, npath) == npath && npath < nbytes)
        memcpy(out, path, npath + 1);
    else
        stoa_quote(out, nbytes, path, npath);
}

enum stoa_status stoa_io_name(char **out, const char *path, struct stoa_error *err)
{
    char name[STOA_IO_NAME_NBYTES];

    stoa_quote(name, sizeof(name), path, strlen(path));
    return stoa_strndup(out, name, strlen(name), err);
}

enum stoa_status stoa_io_refuse(struct stoa_error *err, mode_t mode, const char *path)
{
    static const struct {
        mode_t type;
        const char *word;
    } words[] = {
        {S_IFDIR, "a folder"}, {S_IFIFO, "a FIFO"},         {S_IFSOCK, "a socket"},
        {S_IFCHR, "a device"}, {S_IFBLK, "a block device"},
    };
    char name[STOA_IO_NAME_NBYTES];
    const char *word = "no regular file";

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((mode & S_IFMT) == words[i].type)
            word = words[i].word;
    }
    stoa_quote(name, sizeof(name), path, strlen(path));
    return stoa_fail(err, STOA_ERR_USAGE, "%s: is %s, not a file", name, word);
}

enum stoa_status stoa_io_fail_open(struct stoa_error *err, int os_errno, const char *path,
                                   const char *what)
{
    char name[STOA_IO_NAME_NBYTES];

    stoa_quote(name, sizeof(name), path, strlen(path));
    return stoa_fail_errno(err, os_errno, "%s: can't be %s", name, what);
}
