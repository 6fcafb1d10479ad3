/*
 * Opening what the arguments name.
 */
#include <string.h>

#include "command.h"

bool open_stoa(const char *path, struct open_file *out, enum exit_code *code)
{
    struct stoa_error err;

    *out = (struct open_file){0};
    if (strcmp(path, "-") == 0) {
        complain("a Stoa file is read from its end: standard input can't be one");
        *code = EXIT_USAGE;
        return false;
    }
    if (stoa_source_open_file(path, &out->source, &err) != STOA_OK) {
        *code = fail(&err);
        return false;
    }
    if (stoa_reader_open(out->source, NULL, &out->reader, &err) != STOA_OK) {
        *code = fail_file(path, &err);
        close_stoa(out);
        return false;
    }
    return true;
}

void close_stoa(struct open_file *file)
{
    stoa_reader_close(file->reader);
    stoa_source_close(file->source);
    *file = (struct open_file){0};
}

bool expand_inputs(const struct arguments *arguments, char ***paths, size_t *npaths,
                   enum exit_code *code)
{
    struct stoa_error err;

    if (stoa_paths_expand((const char *const *)arguments->files, (size_t)arguments->nfiles, paths,
                          npaths, &err) == STOA_OK)
        return true;
    *code = fail(&err);
    return false;
}
