/*
 * Names of members of archives.
 */
#include "io/archive.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Whether a part of a name is one that systems put beside the files of a user. */
static bool is_hidden(const char *part, size_t nbytes)
{
    static const char *const others[] = {"__MACOSX", "Thumbs.db", "desktop.ini"};

    if (nbytes > 1 && part[0] == '.')
        return true;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (nbytes == strlen(others[i]) && memcmp(part, others[i], nbytes) == 0)
            return true;
    }
    return false;
}

static bool is_separator(char c)
{
    return c == '/' || c == '\\'; /* some programs of Windows write the latter into zip files */
}

enum stoa_status stoa_archive_check_name(const char *archive, const char *name, size_t nbytes,
                                         bool *skip, struct stoa_error *err)
{
    const char *why = NULL;
    char shown[256];
    size_t begin = 0;

    *skip = false;
    if (nbytes == 0 || nbytes > STOA_ARCHIVE_MAX_NAME_NBYTES)
        why = nbytes == 0 ? "is empty" : "is longer than any path";
    else if (is_separator(name[0]))
        why = "is a path from the root";
    else if (memchr(name, '\0', nbytes) != NULL)
        why = "holds a NUL";
    for (size_t i = 0; why == NULL && i <= nbytes; i++) {
        if (i < nbytes && !is_separator(name[i]))
            continue;
        if (i - begin == 2 && memcmp(name + begin, "..", 2) == 0)
            why = "leads out of its folder";
        *skip |= is_hidden(name + begin, i - begin);
        begin = i + 1;
    }
    if (why == NULL)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_DATA, "%s: the name \"%s\" of a member %s", archive,
                     stoa_quote(shown, sizeof(shown), name, nbytes < 200 ? nbytes : 200), why);
}

enum stoa_status stoa_archive_join_name(const char *archive, const char *name, size_t nbytes,
                                        char **out, struct stoa_error *err)
{
    const size_t narchive = strlen(archive), room = narchive + 1 + 4 * nbytes + 4;
    char *joined;
    enum stoa_status st = stoa_alloc(&joined, room, err);

    if (st != STOA_OK)
        return st;
    memcpy(joined, archive, narchive);
    joined[narchive] = ':';
    stoa_quote(joined + narchive + 1, room - narchive - 1, name, nbytes);
    *out = joined;
    return STOA_OK;
}
