/*
 * Any bytes as a damaged file: what is recovered verifies, with and without nulls, and recovering
 * it once more changes nothing. The first byte chooses whether hashes are made right, so that what
 * stands behind them is met, too, and whether nulls are asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stoa/reader.h>
#include <stoa/recover.h>

#include "support/rehash.h"

enum { MAX_NBYTES = 65536, REHASH = 1, PARTIAL = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "fuzz_recover: %s\n", what);
    abort();
}

static void print_finding(void *context, const struct stoa_error *finding)
{
    (void)context;
    fprintf(stderr, "%s\n", finding->message);
}

static enum stoa_status recover(const uint8_t *bytes, size_t nbytes, bool partial,
                                struct stoa_recover_result *result, struct stoa_sink **sink)
{
    struct stoa_recover_options options = {.partial = partial, .memory_nbytes = 64 << 20};
    struct stoa_source *source;
    struct stoa_error err;
    enum stoa_status st;

    must(stoa_source_open_memory(bytes, nbytes, "fuzz", &source, &err) == STOA_OK, "memory");
    must(stoa_sink_create_memory(sink, &err) == STOA_OK, "memory");
    st = stoa_recover(source, *sink, &options, result, &err);
    must(st == STOA_OK || err.message[0] != '\0', "an error without a message");
    stoa_source_close(source);
    return st;
}

static void verify(const uint8_t *bytes, size_t nbytes)
{
    struct stoa_verify_options options = {.deep = true, .report = print_finding};
    struct stoa_verify_result result;
    struct stoa_source *source;
    struct stoa_error err;

    must(stoa_source_open_memory(bytes, nbytes, "recovered", &source, &err) == STOA_OK, "memory");
    must(stoa_verify(source, &options, &result, &err) == STOA_OK, "verify fails");
    must(result.nfindings == 0, "what was recovered does not verify");
    stoa_source_close(source);
}

static void recover_anything(const uint8_t *bytes, size_t nbytes, bool partial)
{
    struct stoa_recover_result result, again;
    struct stoa_sink *sink, *second;
    const uint8_t *first;
    size_t first_nbytes, second_nbytes;

    if (recover(bytes, nbytes, partial, &result, &sink) == STOA_OK) {
        first = stoa_sink_memory(sink, &first_nbytes);
        verify(first, first_nbytes);
        must(recover(first, first_nbytes, partial, &again, &second) == STOA_OK, "not once more");
        must(again.nlosses == 0 && again.nrows == result.nrows, "loses something of its own");
        must(memcmp(stoa_sink_memory(second, &second_nbytes), first, first_nbytes) == 0 &&
                 first_nbytes == second_nbytes,
             "is another file the second time");
        stoa_sink_close(second);
    }
    stoa_sink_close(sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    uint8_t *bytes;

    if (nbytes < 1 || nbytes > MAX_NBYTES)
        return 0;
    bytes = malloc(nbytes); /* no byte more: the sanitizer sees the end */
    must(bytes != NULL, "memory");
    memcpy(bytes, data + 1, nbytes - 1);
    if (data[0] & REHASH)
        stoa_test_rehash(bytes, nbytes - 1);
    recover_anything(bytes, nbytes - 1, data[0] & PARTIAL);
    free(bytes);
    return 0;
}
