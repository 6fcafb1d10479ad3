/* Folders of tests. */
#include "support/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct folder {
    char path[512];
    char *before; /* the working directory */
};

static int enter(const char *base, void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    if (folder == NULL)
        return -1;
    snprintf(folder->path, sizeof(folder->path), "%s/stoa-test-XXXXXX", base);
    folder->before = getcwd(NULL, 0);
    *state = folder;
    return mkdtemp(folder->path) != NULL && chdir(folder->path) == 0 ? 0 : -1;
}

int stoa_test_folder_enter(void **state)
{
    const char *base = getenv("TMPDIR");

    return enter(base != NULL && *base != '\0' ? base : "/tmp", state);
}

int stoa_test_folder_enter_memory(void **state)
{
    return access("/dev/shm", W_OK) == 0 ? enter("/dev/shm", state) : stoa_test_folder_enter(state);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int stoa_test_folder_leave(void **state)
{
    struct folder *folder = *state;
    int failed = chdir(folder->before);

    failed |= nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(folder->before);
    free(folder);
    return failed;
}

void stoa_test_folder_put(const char *path, const void *bytes, size_t nbytes)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes, 1, nbytes, file) != nbytes || fclose(file) != 0)
        fail_msg("%s can't be written", path);
}

char *stoa_test_folder_get(const char *path, size_t *nbytes)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    char *bytes = NULL;

    if (file != NULL && fstat(fileno(file), &status) == 0)
        bytes = calloc(1, (size_t)status.st_size + 1);
    if (bytes == NULL || fread(bytes, 1, (size_t)status.st_size, file) != (size_t)status.st_size)
        fail_msg("%s can't be read", path);
    fclose(file);
    *nbytes = (size_t)status.st_size;
    return bytes;
}

static void expect_no_litter(const char *name)
{
    DIR *folder = opendir(".");
    struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        const char *found = entry->d_name;

        if (strcmp(found, ".") != 0 && strcmp(found, "..") != 0 && strcmp(found, name) != 0)
            fail_msg("the folder also holds %s", found);
    }
    closedir(folder);
}

void stoa_test_folder_expect(const char *name, const char *text)
{
    size_t nbytes;
    char *bytes;

    expect_no_litter(name);
    if (*name == '\0')
        return;
    bytes = stoa_test_folder_get(name, &nbytes);
    if (text != NULL && (nbytes != strlen(text) || memcmp(bytes, text, nbytes) != 0))
        fail_msg("%s holds \"%.100s\", not \"%.100s\"", name, bytes, text);
    free(bytes);
}
