/*
 * Any bytes as a Stoa file. Behind the first hash nothing happens unless it is right, so this one
 * finds what stands in front: the end of a file, its trailer, what a file is that is none.
 * fuzz_rehash.c is for the rest.
 */
#include "support/read_anything.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    stoa_test_read_anything(data, nbytes);
    return 0;
}
