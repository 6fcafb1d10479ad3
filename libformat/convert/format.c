/*
 * Formats: by the words of options, by the names of files, by their first bytes.
 */
#include "convert/format.h"

#include <string.h>
#include <sys/stat.h>

#include "avro/avro_container.h"
#include "base/error.h"
#include "file/layout.h"

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

#define LOOK_NBYTES 4096

/*
 * The first bytes of the first text in a file; none of what can't be read: that is told later.
 * STOA_ERR_NOMEM.
 */
static enum stoa_status look(const char *path, char *out, size_t *nbytes, struct stoa_error *err)
{
    struct stoa_members *members = NULL;
    struct stoa_stream *stream = NULL;
    size_t got = 1;
    enum stoa_status st;

    *nbytes = 0;
    STOA_TRY(stoa_members_open(path, &members, err));
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

/* Whether a text whose name tells nothing begins as JSON lines do: with an object and its key. */
static enum stoa_status is_jsonl(const char *path, bool *out, struct stoa_error *err)
{
    static const char blanks[] = " \t\r\n", mark[] = "\xef\xbb\xbf";
    char text[LOOK_NBYTES + 1];
    const char *at = text;
    size_t nbytes;
    enum stoa_status st = look(path, text, &nbytes, err);

    if (st != STOA_OK)
        return st;
    text[nbytes] = '\0';
    at += strncmp(at, mark, 3) == 0 ? 3 : 0;
    at += strspn(at, blanks);
    *out = *at == '{';
    if (*out) {
        at++;
        at += strspn(at, blanks);
        *out = *at == '"' || *at == '}';
    }
    return STOA_OK;
}

enum stoa_status stoa_format_of_input(const char *path, enum stoa_format *out,
                                      struct stoa_error *err)
{
    uint8_t magic[STOA_MAGIC_NBYTES];
    struct stoa_source *source = NULL;
    struct stat info;
    bool jsonl = false;
    enum stoa_status st = STOA_OK;

    *out = stoa_format_of_name(path, NULL);
    if (strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        STOA_TRY(stoa_source_open_file(path, &source, err));
        if (source->nbytes >= sizeof(magic)) {
            STOA_TRY(source->read_at(source, 0, magic, sizeof(magic), err));
            if (stoa_object_has_magic(magic))
                *out = STOA_FORMAT_STOA;
            else if (memcmp(magic, STOA_AVRO_MAGIC, strlen(STOA_AVRO_MAGIC)) == 0)
                *out = STOA_FORMAT_AVRO;
        }
        if (*out == STOA_FORMAT_AUTO)
            STOA_TRY(is_jsonl(path, &jsonl, err));
        if (jsonl)
            *out = STOA_FORMAT_JSONL;
    }
    if (*out == STOA_FORMAT_AUTO)
        *out = STOA_FORMAT_CSV;
out:
    stoa_source_close(source);
    return st;
}

#define SHOWN_NBYTES 256

static const char *show(char *out, const char *path)
{
    return stoa_quote(out, SHOWN_NBYTES, path, strlen(path));
}

enum stoa_status stoa_format_of_inputs(const char *const *paths, size_t npaths,
                                       enum stoa_format *format, struct stoa_error *err)
{
    enum stoa_format first = STOA_FORMAT_AUTO;
    char shown[SHOWN_NBYTES], found[SHOWN_NBYTES];

    if (npaths == 0)
        return stoa_fail(err, STOA_ERR_USAGE, "no input");
    for (size_t i = 0; *format == STOA_FORMAT_AUTO && i < npaths; i++) {
        enum stoa_format other;
        enum stoa_status st = stoa_format_of_input(paths[i], &other, err);

        if (st != STOA_OK)
            return st;
        if (i > 0 && other != first)
            return stoa_fail(err, STOA_ERR_USAGE, "%s is %s, but %s is %s: one format at a time",
                             show(shown, paths[0]), stoa_format_name(first), show(found, paths[i]),
                             stoa_format_name(other));
        first = other;
    }
    if (*format == STOA_FORMAT_AUTO)
        *format = first;
    return STOA_OK;
}
