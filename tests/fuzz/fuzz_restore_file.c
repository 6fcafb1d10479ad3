/*
 * Any bytes as a Stoa file that keeps the text of its sources: restoring them gives text of the
 * right size and hash or an error about the file, whatever rules, forms, options and patches say.
 * With an odd first byte all hashes of the file are right, so that what stands behind them is met.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stoa/restore.h>

#include "support/rehash.h"
#include "support/scratch.h"

enum { MAX_NBYTES = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good, const char *promise)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

/* A row group may claim any size: more memory would do, for all that is known. */
static bool wants_memory(enum stoa_status st, const struct stoa_error *err)
{
    return st == STOA_ERR_USAGE && strstr(err->message, "of memory are too few") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    const struct stoa_restore_options options = {.path = stoa_test_scratch_path("any.stoa"),
                                                 .jobs = 1};
    struct stoa_error err = {0};
    enum stoa_status st;
    uint8_t *bytes;

    if (nbytes == 0 || nbytes > MAX_NBYTES)
        return 0;
    bytes = malloc(nbytes);
    must(bytes != NULL, "memory");
    memcpy(bytes, data + 1, nbytes - 1);
    if (data[0] % 2 != 0)
        stoa_test_rehash(bytes, nbytes - 1);
    stoa_test_scratch_put(options.path, bytes, nbytes - 1);
    st = stoa_restore(&options, NULL, &err);
    must(st == STOA_OK || err.message[0] != '\0', "errors have a message");
    must(st == STOA_OK || st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED ||
             st == STOA_ERR_LIMIT || st == STOA_ERR_DATA || wants_memory(st, &err),
         "errors are about the file");
    free(bytes);
    return 0;
}
