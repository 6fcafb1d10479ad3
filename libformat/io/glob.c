/*
 * Which inputs the arguments of a command name.
 *
 * An argument that names something existing is taken as it is, whatever characters are in it;
 * only else it is a pattern. Names are in the order of their bytes, so that a list of inputs does
 * not depend on the locale.
 */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/io_name.h"

struct paths {
    char **items;
    size_t nitems;
    size_t capacity;
};

static enum stoa_status add(struct paths *paths, const char *folder, const char *name,
                            struct stoa_error *err)
{
    struct stoa_buffer path = {0};
    size_t nfolder = strlen(folder);
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&paths->items, &paths->capacity, paths->nitems + 1, sizeof(*paths->items),
                          err));
    if (nfolder > 0) {
        STOA_TRY(stoa_buffer_append(&path, folder, nfolder, err));
        if (folder[nfolder - 1] != '/')
            STOA_TRY(stoa_buffer_append(&path, "/", 1, err));
    }
    STOA_TRY(stoa_buffer_append(&path, name, strlen(name) + 1, err));
    paths->items[paths->nitems++] = (char *)path.data;
    path = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&path);
    return st;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_from(struct paths *paths, size_t begin)
{
    if (paths->nitems > begin)
        qsort(paths->items + begin, paths->nitems - begin, sizeof(*paths->items), compare);
}

static bool is_regular(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Adds the regular files of a folder. */
static enum stoa_status add_folder(struct paths *paths, const char *path, struct stoa_error *err)
{
    DIR *folder = opendir(path);
    size_t begin = paths->nitems;
    struct dirent *entry;
    enum stoa_status st = STOA_OK;

    if (folder == NULL)
        return stoa_io_fail_open(err, errno, path, "opened");
    while (errno = 0, (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        STOA_TRY(add(paths, path, entry->d_name, err));
        if (!is_regular(paths->items[paths->nitems - 1]))
            stoa_free(paths->items[--paths->nitems]);
    }
    if (errno != 0)
        STOA_TRY(stoa_io_fail_open(err, errno, path, "read"));
    sort_from(paths, begin);
    if (paths->nitems == begin) {
        char name[STOA_IO_NAME_NBYTES];

        stoa_quote(name, sizeof(name), path, strlen(path));
        st = stoa_fail(err, STOA_ERR_USAGE, "%s: no file is in this folder", name);
    }
out:
    closedir(folder);
    return st;
}

/* Adds what a pattern matches, folders left out: a pattern names files. */
static enum stoa_status add_matches(struct paths *paths, const char *pattern,
                                    struct stoa_error *err)
{
    char name[STOA_IO_NAME_NBYTES];
    glob_t found = {0};
    size_t begin = paths->nitems;
    struct stat status;
    enum stoa_status st = STOA_OK;
    int code = glob(pattern, GLOB_NOSORT, NULL, &found);

    if (code == GLOB_NOSPACE)
        STOA_TRY(stoa_fail_nomem(err, strlen(pattern)));
    for (size_t i = 0; code == 0 && i < found.gl_pathc; i++) {
        if (stat(found.gl_pathv[i], &status) != 0 || !S_ISDIR(status.st_mode))
            STOA_TRY(add(paths, "", found.gl_pathv[i], err));
    }
    sort_from(paths, begin);
    if (paths->nitems > begin)
        goto out;
    if (strpbrk(pattern, "*?[") == NULL) {
        st = stoa_io_fail_open(err, ENOENT, pattern, "opened");
    } else {
        stoa_quote(name, sizeof(name), pattern, strlen(pattern));
        st = stoa_fail(err, STOA_ERR_USAGE, "%s: no file matches this pattern", name);
    }
out:
    globfree(&found);
    return st;
}

static enum stoa_status add_argument(struct paths *paths, const char *argument,
                                     struct stoa_error *err)
{
    struct stat status;

    if (strcmp(argument, "-") == 0)
        return add(paths, "", argument, err);
    if (stat(argument, &status) == 0)
        return S_ISDIR(status.st_mode) ? add_folder(paths, argument, err)
                                       : add(paths, "", argument, err);
    if (errno != ENOENT && errno != ENOTDIR)
        return stoa_io_fail_open(err, errno, argument, "opened");
    return add_matches(paths, argument, err);
}

void stoa_paths_free(char **paths, size_t npaths)
{
    for (size_t i = 0; i < npaths; i++)
        stoa_free(paths[i]);
    stoa_free(paths);
}

enum stoa_status stoa_paths_expand(const char *const *arguments, size_t narguments, char ***out,
                                   size_t *npaths, struct stoa_error *err)
{
    struct paths paths = {0};
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < narguments; i++)
        STOA_TRY(add_argument(&paths, arguments[i], err));
    *out = paths.items;
    *npaths = paths.nitems;
    paths = (struct paths){0};
out:
    stoa_paths_free(paths.items, paths.nitems);
    return st;
}
