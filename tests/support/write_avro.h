/*
 * Avro files in memory for tests, written as a conversion writes them.
 */
#ifndef STOA_TESTS_SUPPORT_WRITE_AVRO_H
#define STOA_TESTS_SUPPORT_WRITE_AVRO_H

#include <stoa/array.h>
#include <stoa/avro.h>

#include "base/alloc.h"

/*
 * Rows of a batch, which is left as it is, as a file of a record "t"; they go through the sink in
 * batches of batch_nrows. *out is overwritten.
 */
enum stoa_status stoa_test_write_avro(const struct stoa_batch *batch, size_t batch_nrows,
                                      const struct stoa_avro_write_options *options,
                                      struct stoa_buffer *out, struct stoa_error *err);

#endif
