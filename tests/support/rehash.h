/*
 * Making the hashes of a changed Stoa file right again, from the pages up to the trailer, so that a
 * test or a fuzzer gets behind them.
 */
#ifndef STOA_TESTS_SUPPORT_REHASH_H
#define STOA_TESTS_SUPPORT_REHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Follows the structure of the file as far as it makes sense and sets every hash on the way, the
 * magic numbers, the file's length and the ids of schemas. Nothing outside of bytes[0..nbytes) is
 * touched, whatever the bytes say.
 */
void stoa_test_rehash(uint8_t *bytes, size_t nbytes);

#endif
