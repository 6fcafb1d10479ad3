/*
 * The texts in one input: an archive has several, anything else is one.
 *
 *     file that is a zip      -> directory -> member -> decompressed
 *     anything -> decompressed -> tar      -> member -> decompressed
 *                              -> itself
 *
 * An archive in an archive is refused: what is in there has no name that a message could give, and
 * each level multiplies what a small file can become.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/archive.h"
#include "io/io_name.h"
#include "io/layers.h"

#define TAR_NBYTES 512 /* enough to know one */

struct stoa_members {
    struct stoa_zip *zip; /* one of these three */
    struct stoa_tar *tar;
    struct stoa_stream *text;
    char *name; /* for messages */
    uint64_t ngiven;
};

/* Takes `source` over if it is a zip archive; *out stays NULL else. */
static enum stoa_status look_for_zip(struct stoa_source *source, struct stoa_zip **out,
                                     struct stoa_error *err)
{
    uint8_t magic[STOA_ZIP_MATCH_NBYTES];
    enum stoa_status st = STOA_OK;

    if (source->nbytes < sizeof(magic))
        return STOA_OK;
    STOA_TRY(source->read_at(source, 0, magic, sizeof(magic), err));
    if (stoa_zip_match(magic, sizeof(magic)))
        STOA_TRY(stoa_zip_open(source, out, err));
out:
    return st;
}

/* Opens the file if it is a zip archive. */
static enum stoa_status open_zip(const char *path, struct stoa_zip **out, struct stoa_error *err)
{
    struct stoa_source *source = NULL;
    struct stat status;
    enum stoa_status st;

    if (strcmp(path, "-") == 0 || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return STOA_OK; /* opening it as a stream will say what is wrong */
    STOA_TRY(stoa_source_open_file(path, &source, err));
    STOA_TRY(look_for_zip(source, out, err));
    if (*out != NULL)
        source = NULL;
out:
    stoa_source_close(source);
    return st;
}

/* Hands `text` to the tar reader if it is a tar archive. */
static enum stoa_status look_for_tar(struct stoa_stream *text, bool *is_tar, struct stoa_error *err)
{
    const uint8_t *bytes;
    size_t nbytes;
    enum stoa_status st = stoa_decoded_peek(text, TAR_NBYTES, &bytes, &nbytes, err);

    *is_tar = st == STOA_OK && stoa_tar_match(bytes, nbytes);
    return st;
}

static enum stoa_status members_new(const char *name, struct stoa_members **out,
                                    struct stoa_error *err)
{
    struct stoa_members *members = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&members, 1, sizeof(*members), err));
    STOA_TRY(stoa_io_name(&members->name, name, err));
    *out = members;
    members = NULL;
out:
    stoa_members_close(members);
    return st;
}

/* What is no zip archive may be a tar archive. */
static enum stoa_status look_at_text(struct stoa_members *members, struct stoa_error *err)
{
    bool is_tar;
    enum stoa_status st;

    STOA_TRY(look_for_tar(members->text, &is_tar, err));
    if (is_tar) {
        STOA_TRY(stoa_tar_open(members->text, &members->tar, err));
        members->text = NULL;
    }
out:
    return st;
}

enum stoa_status stoa_members_open(const char *path, struct stoa_members **out,
                                   struct stoa_error *err)
{
    struct stoa_members *members = NULL;
    enum stoa_status st;

    STOA_TRY(members_new(strcmp(path, "-") == 0 ? "standard input" : path, &members, err));
    STOA_TRY(open_zip(path, &members->zip, err));
    if (members->zip == NULL) {
        STOA_TRY(stoa_stream_open(path, &members->text, err));
        STOA_TRY(look_at_text(members, err));
    }
    *out = members;
    members = NULL;
out:
    stoa_members_close(members);
    return st;
}

enum stoa_status stoa_members_open_memory(const void *bytes, size_t nbytes, const char *name,
                                          struct stoa_members **out, struct stoa_error *err)
{
    struct stoa_members *members = NULL;
    struct stoa_source *source = NULL;
    enum stoa_status st;

    STOA_TRY(members_new(name, &members, err));
    STOA_TRY(stoa_source_open_memory(bytes, nbytes, name, &source, err));
    STOA_TRY(look_for_zip(source, &members->zip, err));
    if (members->zip != NULL) {
        source = NULL;
    } else {
        STOA_TRY(stoa_stream_open_memory(bytes, nbytes, name, &members->text, err));
        STOA_TRY(look_at_text(members, err));
    }
    *out = members;
    members = NULL;
out:
    stoa_source_close(source);
    stoa_members_close(members);
    return st;
}

/* The text in a member: decompressed, and no archive. Takes `below` over in any case. */
static enum stoa_status open_text(struct stoa_stream *below, struct stoa_stream **out,
                                  struct stoa_error *err)
{
    struct stoa_stream *text = NULL;
    bool is_tar;
    enum stoa_status st;

    STOA_TRY(stoa_decoded_open(below, NULL, &text, err));
    below = NULL;
    STOA_TRY(look_for_tar(text, &is_tar, err));
    if (is_tar) {
        st = stoa_fail(err, STOA_ERR_UNSUPPORTED,
                       "%s: is a tar archive in an archive, which is not read: unpack it first",
                       text->name);
        goto out;
    }
    *out = text;
    text = NULL;
out:
    stoa_stream_close(text);
    stoa_stream_close(below);
    return st;
}

enum stoa_status stoa_members_next(struct stoa_members *members, struct stoa_stream **out,
                                   struct stoa_error *err)
{
    struct stoa_stream *below = NULL;
    enum stoa_status st = STOA_OK;

    *out = NULL;
    if (members->text != NULL) {
        *out = members->text;
        members->text = NULL;
    } else if (members->tar != NULL) {
        STOA_TRY(stoa_tar_next(members->tar, &below, err));
    } else if (members->zip != NULL) {
        STOA_TRY(stoa_zip_next(members->zip, &below, err));
    }
    if (below != NULL)
        STOA_TRY(open_text(below, out, err));
    if (*out == NULL && members->ngiven == 0)
        return stoa_fail(err, STOA_ERR_USAGE, "%s: there is no file to read in this archive",
                         members->name);
    members->ngiven++;
out:
    return st;
}

enum stoa_status stoa_members_peek(struct stoa_members *members, size_t want, const uint8_t **bytes,
                                   size_t *nbytes, struct stoa_error *err)
{
    *bytes = NULL;
    *nbytes = 0;
    return members->text != NULL ? stoa_decoded_peek(members->text, want, bytes, nbytes, err)
                                 : STOA_OK;
}

bool stoa_members_is_archive(const struct stoa_members *members)
{
    return members->zip != NULL || members->tar != NULL;
}

bool stoa_members_has_directory(const struct stoa_members *members)
{
    return members->zip != NULL;
}

void stoa_members_close(struct stoa_members *members)
{
    if (members == NULL)
        return;
    stoa_zip_close(members->zip);
    stoa_tar_close(members->tar);
    stoa_stream_close(members->text);
    stoa_free(members->name);
    stoa_free(members);
}
