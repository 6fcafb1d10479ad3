/* Values of a schema read as those of another one: text of both, each up to a zero byte, and rows.
 */
#include <stdlib.h>
#include <string.h>

#include "support/read_avro.h"

enum { MAX_NBYTES = 1 << 16, NROWS = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* A part that ends with a zero byte, which is passed over; what is behind it is left. */
static const char *take(const uint8_t **data, size_t *nbytes, size_t *taken)
{
    const char *text = (const char *)*data;
    const uint8_t *end = *nbytes > 0 ? memchr(*data, 0, *nbytes) : NULL;

    *taken = end != NULL ? (size_t)(end - *data) : *nbytes;
    *data += end != NULL ? *taken + 1 : *taken;
    *nbytes -= end != NULL ? *taken + 1 : *taken;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct stoa_test_avro same, other;
    struct stoa_error err;
    size_t nwriter, nreader;
    const char *writer, *reader;
    enum stoa_status st;

    if (nbytes > MAX_NBYTES)
        return 0;
    writer = take(&data, &nbytes, &nwriter);
    reader = take(&data, &nbytes, &nreader);
    st =
        stoa_test_resolve_avro(writer, nwriter, reader, nreader, data, nbytes, NROWS, &other, &err);
    must(st == STOA_OK || st == STOA_ERR_DATA || st == STOA_ERR_LIMIT);
    st = stoa_test_resolve_avro(writer, nwriter, writer, nwriter, data, nbytes, NROWS, &same, &err);
    must(st == STOA_OK || st == STOA_ERR_DATA || st == STOA_ERR_LIMIT);
    if (st == STOA_OK && nwriter == nreader && memcmp(writer, reader, nwriter) == 0)
        must(stoa_batch_equal(&same.batch, &other.batch));
    stoa_test_avro_reset(&same);
    stoa_test_avro_reset(&other);
    return 0;
}
