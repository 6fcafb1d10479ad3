#include "support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_NNAMES = 8 };

static char folder[64];
static char paths[MAX_NNAMES][128];
static pid_t owner;

static void must(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    abort();
}

/* Not in a child: it shares the folder. */
static void remove_folder(void)
{
    DIR *entries = getpid() == owner ? opendir(folder) : NULL;
    struct dirent *entry;
    char path[sizeof(folder) + sizeof(entry->d_name) + 1];

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        unlink(path); /* fails for "." and ".." */
    }
    if (entries != NULL) {
        closedir(entries);
        rmdir(folder);
    }
}

static void make_folder(void)
{
    snprintf(folder, sizeof(folder), "%s/stoa-scratch-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(folder) != NULL, folder);
    owner = getpid();
    atexit(remove_folder);
}

const char *stoa_test_scratch_path(const char *name)
{
    char path[sizeof(paths[0])];
    size_t i = 0;

    if (folder[0] == '\0')
        make_folder();
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    while (paths[i][0] != '\0' && strcmp(paths[i], path) != 0)
        must(++i < MAX_NNAMES, "too many names");
    memcpy(paths[i], path, sizeof(path));
    return paths[i];
}

void stoa_test_scratch_put(const char *path, const void *bytes, size_t nbytes)
{
    FILE *file = fopen(path, "wb");

    must(file != NULL && fwrite(bytes, 1, nbytes, file) == nbytes && fclose(file) == 0, path);
}

uint8_t *stoa_test_scratch_get(const char *path, size_t *nbytes)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    uint8_t *bytes;

    *nbytes = 0;
    if (file == NULL && errno == ENOENT)
        return NULL;
    must(file != NULL && fstat(fileno(file), &status) == 0, path);
    *nbytes = (size_t)status.st_size;
    bytes = malloc(*nbytes > 0 ? *nbytes : 1);
    must(bytes != NULL && fread(bytes, 1, *nbytes, file) == *nbytes, path);
    fclose(file);
    return bytes;
}
