/*
 * Raw snappy as blocks of Avro have it: what the library takes comes out the same, the rest is
 * refused. And any bytes, packed by the library, come back.
 */
#include <stdlib.h>
#include <string.h>

#include <snappy-c.h>

#include "avro/avro_program.h"
#include "avro/avro_snappy.h"

enum { MAX_NBYTES = 1 << 16, MAX_NTEXT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

static uint8_t *allocate(size_t nbytes)
{
    uint8_t *bytes = malloc(nbytes + STOA_AVRO_PADDING);

    must(bytes != NULL);
    memset(bytes, 0, nbytes + STOA_AVRO_PADDING);
    return bytes;
}

static void unpack(const uint8_t *in, size_t nin)
{
    size_t nbytes = 0, expected_nbytes = 0;
    const bool told = stoa_avro_snappy_nbytes(in, nin, &nbytes);
    uint8_t *text, *expected;
    bool good;

    must(told ==
         (snappy_uncompressed_length((const char *)in, nin, &expected_nbytes) == SNAPPY_OK));
    if (!told || nbytes > MAX_NTEXT)
        return;
    text = allocate(nbytes);
    expected = allocate(nbytes);
    good = stoa_avro_snappy_unpack(in, nin, text, nbytes);
    must(good == (snappy_uncompress((const char *)in, nin, (char *)expected, &expected_nbytes) ==
                  SNAPPY_OK));
    must(!good || memcmp(text, expected, nbytes) == 0);
    free(text);
    free(expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    size_t npacked = snappy_max_compressed_length(nbytes);
    uint8_t *in, *packed;

    if (nbytes > MAX_NBYTES)
        return 0;
    in = allocate(nbytes);
    packed = allocate(npacked);
    if (nbytes > 0)
        memcpy(in, data, nbytes);
    unpack(in, nbytes);
    must(snappy_compress((const char *)in, nbytes, (char *)packed, &npacked) == SNAPPY_OK);
    unpack(packed, npacked);
    free(in);
    free(packed);
    return 0;
}
