/* Avro's binary encoding, value by value, for tests that make files of their own. */
#ifndef STOA_TESTS_SUPPORT_AVRO_BYTES_H
#define STOA_TESTS_SUPPORT_AVRO_BYTES_H

#include "base/alloc.h"

/* Each appends to `out`; the test fails when memory is out. Bytes as they are: */
void stoa_test_put(struct stoa_buffer *out, const void *bytes, size_t nbytes);

/* int, long and every count */
void stoa_test_put_long(struct stoa_buffer *out, int64_t value);

/* string and bytes, in front of them their length */
void stoa_test_put_text(struct stoa_buffer *out, const char *text);

#endif
