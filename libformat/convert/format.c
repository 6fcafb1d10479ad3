/*
 * Formats: by the words of options, by the names of files, by their first bytes.
 */
#include "convert/format.h"

#include <string.h>
#include <sys/stat.h>

#include "avro/avro_container.h"
#include "base/error.h"
#include "base/json_scan.h"
#include "file/layout.h"
#include "io/layers.h"

static const struct {
    enum stoa_format format;
    const char *name;
    const char *endings[3]; /* of file names */
} formats[] = {
    {STOA_FORMAT_CSV, "csv", {".csv", ".txt"}},
    {STOA_FORMAT_TSV, "tsv", {".tsv", ".tab"}},
    {STOA_FORMAT_STOA, "stoa", {".stoa"}},
    {STOA_FORMAT_AVRO, "avro", {".avro"}},
    {STOA_FORMAT_JSONL, "jsonl", {".jsonl", ".ndjson"}},
};
#define NFORMATS (sizeof(formats) / sizeof(formats[0]))

static const char *const compressions[] = {".gz", ".xz", ".bz2", ".zst", ".lz4"};

/* Whether `text` is `word`, which is in lower case; only ASCII letters have a case here. */
static bool is_word(const char *text, size_t nbytes, const char *word)
{
    if (strlen(word) != nbytes)
        return false;
    for (size_t i = 0; i < nbytes; i++) {
        char c = text[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != word[i])
            return false;
    }
    return true;
}

enum stoa_format stoa_format_find(const char *name)
{
    for (size_t i = 0; i < NFORMATS; i++) {
        if (is_word(name, strlen(name), formats[i].name))
            return formats[i].format;
    }
    return STOA_FORMAT_AUTO;
}

const char *stoa_format_name(enum stoa_format format)
{
    for (size_t i = 0; i < NFORMATS; i++) {
        if (formats[i].format == format)
            return formats[i].name;
    }
    return "auto";
}

/* Whether text[0..nbytes) ends with `ending`, in any case. */
static bool ends_with(const char *text, size_t nbytes, const char *ending)
{
    size_t n = strlen(ending);

    return nbytes > n && is_word(text + nbytes - n, n, ending);
}

enum stoa_format stoa_format_of_name(const char *path, const char **compression)
{
    const char *packed = NULL;
    size_t nbytes = strlen(path);

    for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
        if (ends_with(path, nbytes, compressions[i])) {
            packed = compressions[i];
            nbytes -= strlen(packed);
            break;
        }
    }
    if (compression != NULL)
        *compression = packed;
    for (size_t i = 0; i < NFORMATS; i++) {
        for (size_t k = 0; k < 3 && formats[i].endings[k] != NULL; k++) {
            if (ends_with(path, nbytes, formats[i].endings[k]))
                return formats[i].format;
        }
    }
    return STOA_FORMAT_AUTO;
}

#define LOOK_NBYTES      4096
#define PIPE_LOOK_NBYTES 512 /* those that come later are not waited for */

/*
 * The first bytes of the first text in a file; none of what can't be read: that is told later.
 * STOA_ERR_NOMEM.
 */
static enum stoa_status look(const char *path, char *out, size_t *nbytes, bool *is_archive,
                             struct stoa_error *err)
{
    struct stoa_members *members = NULL;
    struct stoa_stream *stream = NULL;
    size_t got = 1;
    enum stoa_status st;

    *nbytes = 0;
    *is_archive = false;
    STOA_TRY(stoa_members_open(path, &members, err));
    *is_archive = stoa_members_is_archive(members);
    STOA_TRY(stoa_members_next(members, &stream, err));
    while (stream != NULL && got > 0 && *nbytes < LOOK_NBYTES) {
        STOA_TRY(stream->read(stream, out + *nbytes, LOOK_NBYTES - *nbytes, &got, err));
        *nbytes += got;
    }
out:
    stoa_stream_close(stream);
    stoa_members_close(members);
    return st == STOA_ERR_NOMEM ? st : STOA_OK;
}

static bool is_avro(const void *text, size_t nbytes)
{
    const size_t n = strlen(STOA_AVRO_MAGIC);

    return nbytes >= n && memcmp(text, STOA_AVRO_MAGIC, n) == 0;
}

/* What the first text of a file is whose name and bytes tell nothing; left alone for CSV. */
static enum stoa_status look_inside(const char *path, enum stoa_format *out, struct stoa_error *err)
{
    char text[LOOK_NBYTES], shown[256];
    bool is_archive, is_stoa;
    size_t nbytes;
    enum stoa_status st = look(path, text, &nbytes, &is_archive, err);

    if (st != STOA_OK)
        return st;
    is_stoa = nbytes >= STOA_MAGIC_NBYTES && stoa_object_has_magic((const uint8_t *)text);
    if (is_stoa || (is_archive && is_avro(text, nbytes)))
        return stoa_fail(
            err, STOA_ERR_USAGE, "%s: holds %s file, which is not read %s: %s it first",
            stoa_quote(shown, sizeof(shown), path, strlen(path)), is_stoa ? "a Stoa" : "an Avro",
            is_archive ? "in an archive" : "while it is compressed as a whole",
            is_archive ? "unpack" : "decompress");
    if (is_avro(text, nbytes))
        *out = STOA_FORMAT_AVRO;
    else if (stoa_json_begins_object(text, nbytes))
        *out = STOA_FORMAT_JSONL;
    return STOA_OK;
}

enum stoa_status stoa_format_of_pipe(const char *path, struct stoa_members **opened,
                                     enum stoa_format *out, struct stoa_error *err)
{
    struct stoa_members *members = NULL;
    const uint8_t *text;
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_members_open(path, &members, err));
    STOA_TRY(stoa_members_peek(members, PIPE_LOOK_NBYTES, &text, &nbytes, err));
    if (is_avro(text, nbytes))
        *out = STOA_FORMAT_AVRO;
    else
        *out = stoa_json_begins_object((const char *)text, nbytes) ? STOA_FORMAT_JSONL
                                                                   : STOA_FORMAT_CSV;
    *opened = members;
    members = NULL;
out:
    stoa_members_close(members);
    return st;
}

/* *is_guess: only the beginning of its text says so. */
static enum stoa_status find_format(const char *path, enum stoa_format *out, bool *is_guess,
                                    struct stoa_error *err)
{
    uint8_t magic[STOA_MAGIC_NBYTES];
    struct stoa_source *source = NULL;
    struct stat info;
    enum stoa_status st = STOA_OK;

    *is_guess = false;
    *out = stoa_format_of_name(path, NULL);
    if (strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        STOA_TRY(stoa_source_open_file(path, &source, err));
        if (source->nbytes >= sizeof(magic)) {
            STOA_TRY(source->read_at(source, 0, magic, sizeof(magic), err));
            if (stoa_object_has_magic(magic))
                *out = STOA_FORMAT_STOA;
            else if (is_avro(magic, sizeof(magic)))
                *out = STOA_FORMAT_AVRO;
        }
        *is_guess = *out == STOA_FORMAT_AUTO;
        if (*is_guess)
            STOA_TRY(look_inside(path, out, err));
        if (*out == STOA_FORMAT_AUTO)
            *out = STOA_FORMAT_CSV;
    }
out:
    stoa_source_close(source);
    return st;
}

enum stoa_status stoa_format_of_input(const char *path, enum stoa_format *out,
                                      struct stoa_error *err)
{
    bool is_guess;

    return find_format(path, out, &is_guess, err);
}

#define SHOWN_NBYTES 256

static const char *show(char *out, const char *path)
{
    return stoa_quote(out, SHOWN_NBYTES, path, strlen(path));
}

enum stoa_status stoa_format_guess(const char *const *paths, size_t npaths,
                                   enum stoa_format *format, bool *is_guess, struct stoa_error *err)
{
    enum stoa_format first = STOA_FORMAT_AUTO;
    char shown[SHOWN_NBYTES], found[SHOWN_NBYTES];
    size_t told = 0; /* the path that said so */

    *is_guess = *format == STOA_FORMAT_AUTO;
    if (npaths == 0)
        return stoa_fail(err, STOA_ERR_USAGE, "no input");
    for (size_t i = 0; *format == STOA_FORMAT_AUTO && i < npaths; i++) {
        enum stoa_format other;
        bool by_text;
        enum stoa_status st = find_format(paths[i], &other, &by_text, err);

        if (st != STOA_OK)
            return st;
        *is_guess = *is_guess && by_text;
        if (other == STOA_FORMAT_AUTO)
            continue; /* it is what the others are */
        if (first != STOA_FORMAT_AUTO && other != first)
            return stoa_fail(err, STOA_ERR_USAGE, "%s is %s, but %s is %s: one format at a time",
                             show(shown, paths[told]), stoa_format_name(first),
                             show(found, paths[i]), stoa_format_name(other));
        first = other;
        told = i;
    }
    if (*format == STOA_FORMAT_AUTO)
        *format = first;
    return STOA_OK;
}

enum stoa_status stoa_format_of_inputs(const char *const *paths, size_t npaths,
                                       enum stoa_format *format, struct stoa_error *err)
{
    bool is_guess;

    return stoa_format_guess(paths, npaths, format, &is_guess, err);
}
