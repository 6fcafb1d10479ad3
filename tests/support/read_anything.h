/*
 * What the fuzzers of files do with bytes: everything that a reader can do.
 */
#ifndef STOA_TESTS_SUPPORT_READ_ANYTHING_H
#define STOA_TESTS_SUPPORT_READ_ANYTHING_H

#include <stddef.h>
#include <stdint.h>

/*
 * Opens the bytes as a file, reads the schema, every name, column, range, zone map, encoding and
 * span, and verifies it with and without decoding. Ends the program when a promise is broken: an
 * array that is not what its type says, a part of a column that differs from the whole, spans that
 * do not join, a file without findings that cannot be read.
 */
void stoa_test_read_anything(const uint8_t *bytes, size_t nbytes);

#endif
