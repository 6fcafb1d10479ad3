/*
 * Restored text on its way to files.
 *
 *     text (UTF-8) -> encoded as it was -> counted and hashed -> file, which appears if both agree
 *
 * Names of sources come from whoever wrote the Stoa file: they are never used as paths.
 */
#include "convert/restore_output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <stoa/io.h>

#include "base/error.h"
#include "base/hash.h"
#include "csv/encoding.h"

#define MAX_NAME_NBYTES 200 /* of a file, without the number of a namesake */
#define PIECE_NBYTES    ((size_t)512 << 10)

/* A name that a file of the folder has got, and the number that its next namesake tries. */
struct name {
    char *name;
    size_t next;
};

struct stoa_restore_output {
    char *folder; /* NULL: one file, or none */
    char *file;   /* NULL: a folder, or none */
    bool replace;
    struct name *names; /* a hash table */
    size_t nnames;
    size_t nslots;
    struct stoa_hash128_stream *hash;
    uint64_t nbytes; /* of all sources */

    /* Of the source that is being written: */
    const struct stoa_source_info *info;
    struct stoa_sink *sink; /* NULL: nothing is written */
    struct stoa_csv_encoder *encoder;
    struct stoa_buffer encoded;
    uint64_t source_nbytes;
};

/* ---- Names. ---- */

static bool is_harmless(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c >= 0x80 || strchr("-_.,+=@ ()", c) != NULL;
}

static size_t without_compression(const char *name, size_t nbytes)
{
    static const char *const endings[] = {".gz", ".xz", ".bz2", ".zst", ".lz4"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);

        if (nbytes > n && memcmp(name + nbytes - n, endings[i], n) == 0)
            return nbytes - n;
    }
    return nbytes;
}

enum stoa_status stoa_restore_file_name(const char *source, char **out, struct stoa_error *err)
{
    size_t nbytes = without_compression(source, strlen(source));
    char *name;
    enum stoa_status st;

    if (nbytes > MAX_NAME_NBYTES) {
        source += nbytes - MAX_NAME_NBYTES; /* what tells names apart stands at their end */
        nbytes = MAX_NAME_NBYTES;
        while (nbytes > 1 && ((unsigned char)*source & 0xc0) == 0x80) { /* no part of a character */
            source++;
            nbytes--;
        }
    }
    st = stoa_strndup(&name, nbytes > 0 ? source : "_", nbytes > 0 ? nbytes : 1, err);
    if (st != STOA_OK)
        return st;
    for (char *p = name; *p != '\0'; p++)
        if (!is_harmless((unsigned char)*p))
            *p = '_';
    if (*name == '.' || *name == '-') /* "..", hidden files, what looks like an option */
        *name = '_';
    *out = name;
    return STOA_OK;
}

static struct name *name_slot(struct name *names, size_t nslots, const char *name)
{
    size_t at = (size_t)stoa_hash(name, strlen(name)) & (nslots - 1);

    while (names[at].name != NULL && strcmp(names[at].name, name) != 0)
        at = (at + 1) & (nslots - 1);
    return &names[at];
}

static enum stoa_status grow_names(struct stoa_restore_output *output, struct stoa_error *err)
{
    size_t nslots = output->nslots > 0 ? 2 * output->nslots : 64;
    struct name *names;
    enum stoa_status st = stoa_alloc_zeroed(&names, nslots, sizeof(*names), err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < output->nslots; i++)
        if (output->names[i].name != NULL)
            *name_slot(names, nslots, output->names[i].name) = output->names[i];
    stoa_free(output->names);
    output->names = names;
    output->nslots = nslots;
    return STOA_OK;
}

/* "a.csv", or "a-2.csv", "a-3.csv", ... when there is one; the table owns it. */
static enum stoa_status unique_name(struct stoa_restore_output *output, const char *source,
                                    const char **out, struct stoa_error *err)
{
    char numbered[MAX_NAME_NBYTES + 32];
    struct name *slot, *first;
    char *name = NULL;
    const char *dot;
    enum stoa_status st;

    if (2 * (output->nnames + 1) > output->nslots)
        STOA_TRY(grow_names(output, err));
    STOA_TRY(stoa_restore_file_name(source, &name, err));
    first = slot = name_slot(output->names, output->nslots, name);
    dot = strrchr(name, '.');
    if (dot == NULL)
        dot = name + strlen(name);
    while (slot->name != NULL) {
        snprintf(numbered, sizeof(numbered), "%.*s-%zu%s", (int)(dot - name), name,
                 first->next++ + 2, dot);
        slot = name_slot(output->names, output->nslots, numbered);
    }
    if (slot != first) {
        stoa_free(name);
        name = NULL;
        STOA_TRY(stoa_strndup(&name, numbered, strlen(numbered), err));
    }
    *slot = (struct name){.name = name};
    output->nnames++;
    *out = name;
    name = NULL;
out:
    stoa_free(name);
    return st;
}

/* ---- The place. ---- */

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static enum stoa_status make_folder(const char *path, struct stoa_error *err)
{
    char shown[256];

    if (is_folder(path) || mkdir(path, 0777) == 0)
        return STOA_OK;
    return stoa_fail_errno(err, errno, "%s: can't make this folder",
                           stoa_quote(shown, sizeof(shown), path, strlen(path)));
}

static enum stoa_status find_place(struct stoa_restore_output *output, const char *path,
                                   size_t nsources, struct stoa_error *err)
{
    const size_t nbytes = strlen(path);
    const bool is_pipe = strcmp(path, "-") == 0;
    char shown[256];
    struct stat info;
    enum stoa_status st;

    if (!is_pipe && (is_folder(path) || (nbytes > 0 && path[nbytes - 1] == '/') ||
                     (nsources != 1 && stat(path, &info) != 0))) {
        STOA_TRY(make_folder(path, err));
        STOA_TRY(stoa_strndup(&output->folder, path, nbytes, err));
        return STOA_OK;
    }
    if (nsources != 1)
        return stoa_fail(
            err, STOA_ERR_USAGE,
            "%s: holds one source, and there are %zu: name a folder, or one source",
            is_pipe ? "standard output" : stoa_quote(shown, sizeof(shown), path, nbytes), nsources);
    STOA_TRY(stoa_strndup(&output->file, path, nbytes, err));
out:
    return st;
}

enum stoa_status stoa_restore_output_open(const char *path, bool replace, size_t nsources,
                                          struct stoa_restore_output **out, struct stoa_error *err)
{
    struct stoa_restore_output *output = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&output, 1, sizeof(*output), err));
    output->replace = replace;
    STOA_TRY(stoa_hash128_stream_new(&output->hash, err));
    if (path != NULL)
        STOA_TRY(find_place(output, path, nsources, err));
    *out = output;
    output = NULL;
out:
    stoa_restore_output_close(output);
    return st;
}

/* ---- One source. ---- */

static void end_source(struct stoa_restore_output *output)
{
    stoa_sink_close(output->sink);
    stoa_csv_encoder_close(output->encoder);
    output->sink = NULL;
    output->encoder = NULL;
    output->info = NULL;
}

void stoa_restore_output_close(struct stoa_restore_output *output)
{
    if (output == NULL)
        return;
    end_source(output);
    for (size_t i = 0; i < output->nslots; i++)
        stoa_free(output->names[i].name);
    stoa_free(output->names);
    stoa_free(output->folder);
    stoa_free(output->file);
    stoa_buffer_free(&output->encoded);
    stoa_hash128_stream_free(output->hash);
    stoa_free(output);
}

static enum stoa_status create_in_folder(struct stoa_restore_output *output, struct stoa_error *err)
{
    struct stoa_buffer path = {0};
    const char *name;
    enum stoa_status st;

    STOA_TRY(unique_name(output, output->info->name != NULL ? output->info->name : "", &name, err));
    STOA_TRY(stoa_buffer_append(&path, output->folder, strlen(output->folder), err));
    if (path.nbytes == 0 || path.data[path.nbytes - 1] != '/')
        STOA_TRY(stoa_buffer_append(&path, "/", 1, err));
    STOA_TRY(stoa_buffer_append(&path, name, strlen(name) + 1, err));
    STOA_TRY(stoa_sink_create_file((const char *)path.data, output->replace, &output->sink, err));
out:
    stoa_buffer_free(&path);
    return st;
}

/* An encoding that is not known here is the file's, which may be of another computer. */
static enum stoa_status open_encoder(struct stoa_restore_output *output, const char *encoding,
                                     struct stoa_error *err)
{
    const struct stoa_bytes *patches = &output->info->patches;
    struct stoa_error why;
    enum stoa_status st;

    st = stoa_csv_encoder_open(encoding, patches->data, patches->nbytes, &output->encoder, &why);
    if (st == STOA_ERR_USAGE)
        return stoa_fail(err, STOA_ERR_UNSUPPORTED, "%s", why.message);
    if (st != STOA_OK && err != NULL)
        *err = why;
    return st;
}

enum stoa_status stoa_restore_output_begin(struct stoa_restore_output *output,
                                           const struct stoa_source_info *info,
                                           const char *encoding, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    output->info = info;
    output->source_nbytes = 0;
    stoa_hash128_stream_reset(output->hash);
    if (encoding != NULL)
        STOA_TRY(open_encoder(output, encoding, err));
    if (output->folder != NULL)
        STOA_TRY(create_in_folder(output, err));
    else if (output->file != NULL)
        STOA_TRY(stoa_sink_create_file(output->file, output->replace, &output->sink, err));
out:
    return st;
}

static enum stoa_status check_source(const struct stoa_restore_output *output,
                                     struct stoa_error *err)
{
    uint8_t hash[STOA_HASH128_NBYTES];

    if (output->source_nbytes != output->info->nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "is not what was read: %" PRIu64 " bytes came out of %" PRIu64,
                         output->source_nbytes, output->info->nbytes);
    stoa_hash128_stream_digest(output->hash, hash);
    if (memcmp(hash, output->info->hash, sizeof(hash)) != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "is not what was read: the hash is another one");
    return STOA_OK;
}

/* Bytes as they were: written in pieces, which are in the cache then as they were just hashed. */
static enum stoa_status put(struct stoa_restore_output *output, const uint8_t *bytes, size_t nbytes,
                            struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    output->nbytes += nbytes;
    output->source_nbytes += nbytes;
    if (output->source_nbytes > output->info->nbytes)
        return check_source(output, err);
    for (size_t at = 0; at < nbytes && st == STOA_OK; at += PIECE_NBYTES) {
        const size_t piece_nbytes = nbytes - at < PIECE_NBYTES ? nbytes - at : PIECE_NBYTES;

        stoa_hash128_stream_update(output->hash, bytes + at, piece_nbytes);
        if (output->sink != NULL)
            st = output->sink->write(output->sink, bytes + at, piece_nbytes, err);
    }
    return st;
}

enum stoa_status stoa_restore_output_write(struct stoa_restore_output *output, const void *text,
                                           size_t nbytes, struct stoa_error *err)
{
    enum stoa_status st;

    if (output->encoder == NULL)
        return nbytes > 0 ? put(output, text, nbytes, err) : STOA_OK;
    output->encoded.nbytes = 0;
    STOA_TRY(stoa_csv_encoder_write(output->encoder, text, nbytes, &output->encoded, err));
    STOA_TRY(put(output, output->encoded.data, output->encoded.nbytes, err));
out:
    return st;
}

enum stoa_status stoa_restore_output_finish(struct stoa_restore_output *output,
                                            struct stoa_error *err)
{
    enum stoa_status st;

    if (output->encoder != NULL) {
        output->encoded.nbytes = 0;
        STOA_TRY(stoa_csv_encoder_finish(output->encoder, &output->encoded, err));
        STOA_TRY(put(output, output->encoded.data, output->encoded.nbytes, err));
    }
    STOA_TRY(check_source(output, err));
    if (output->sink != NULL)
        STOA_TRY(output->sink->commit(output->sink, err));
    end_source(output);
out:
    return st;
}

uint64_t stoa_restore_output_nbytes(const struct stoa_restore_output *output)
{
    return output->nbytes;
}
