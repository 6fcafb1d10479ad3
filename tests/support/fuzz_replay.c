/*
 * Runs a fuzz target over its saved inputs, tests/fuzz/corpus/<name>/ for fuzz_<name>, and prints
 * one TAP point. An input that a target can't take ends the program, as it would under a fuzzer;
 * the last line printed then names it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Feeds one file, in memory of exactly its size so that a read past the end is seen. */
static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long nbytes = -1;
    int ok = 0;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        nbytes = ftell(file);
    if (nbytes >= 0 && fseek(file, 0, SEEK_SET) == 0)
        data = malloc(nbytes > 0 ? (size_t)nbytes : 1);
    if (data != NULL && fread(data, 1, (size_t)nbytes, file) == (size_t)nbytes) {
        LLVMFuzzerTestOneInput(data, (size_t)nbytes);
        ok = 1;
    } else {
        perror(path);
    }
    free(data);
    if (file != NULL)
        fclose(file);
    return ok;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *target = slash != NULL ? slash + 1 : argv[0];
    struct dirent **entries = NULL;
    char folder[512], path[1024];
    int n, failed = 0;

    (void)argc;
    if (strncmp(target, "fuzz_", 5) != 0) {
        fprintf(stderr, "%s: a fuzz target is named fuzz_<corpus>\n", target);
        return 2;
    }
    printf("1..1\n");
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s", target + 5);
    n = scandir(folder, &entries, is_input, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        printf("# %s\n", path);
        fflush(stdout);
        failed += !replay(path);
        free(entries[i]);
    }
    free(entries);
    if (n <= 0)
        printf("# %s holds no input\n", folder);
    printf("%s 1 - %s replays its %d saved inputs\n", failed > 0 || n <= 0 ? "not ok" : "ok",
           target, n);
    return failed > 0 || n <= 0;
}
