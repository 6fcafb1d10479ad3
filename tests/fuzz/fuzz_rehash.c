/*
 * Any bytes as a Stoa file whose hashes are right, so that every number in it is met by the checks
 * that stand behind them.
 */
#include <stdlib.h>
#include <string.h>

#include "support/read_anything.h"
#include "support/rehash.h"

enum { MAX_NBYTES = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    uint8_t *bytes;

    if (nbytes > MAX_NBYTES)
        return 0;
    bytes = malloc(nbytes > 0 ? nbytes : 1); /* no byte more: the sanitizer sees the end */
    if (bytes == NULL)
        abort();
    memcpy(bytes, data, nbytes);
    stoa_test_rehash(bytes, nbytes);
    stoa_test_read_anything(bytes, nbytes);
    free(bytes);
    return 0;
}
