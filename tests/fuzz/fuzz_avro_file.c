/*
 * Any bytes as an Avro file: what is read is valid, and the same whether blocks lie in memory or
 * come in a stream, with all columns or without some.
 */
#include <stdlib.h>

#include "support/read_avro.h"

enum { MAX_NBYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct stoa_test_avro memory, stream, some;
    struct stoa_error err;
    enum stoa_status st;

    if (nbytes > MAX_NBYTES)
        return 0;
    st = stoa_test_read_avro(data, nbytes, false, 0, &memory, &err);
    must(st == STOA_OK || st == STOA_ERR_DATA || st == STOA_ERR_LIMIT ||
         st == STOA_ERR_UNSUPPORTED);
    must((stoa_test_read_avro(data, nbytes, true, 0, &stream, &err) == STOA_OK) == (st == STOA_OK));
    if (st == STOA_OK) {
        must(stoa_batch_equal(&memory.batch, &stream.batch));
        must(stoa_test_read_avro(data, nbytes, false, 5, &some, &err) == STOA_OK);
        must(some.batch.nrows == memory.batch.nrows && some.nempty == memory.nempty);
        stoa_test_avro_reset(&some);
    }
    stoa_test_avro_reset(&memory);
    stoa_test_avro_reset(&stream);
    return 0;
}
