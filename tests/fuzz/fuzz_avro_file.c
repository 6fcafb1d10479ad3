/*
 * Any bytes as an Avro file: what is read is valid, and the same whether blocks lie in memory or
 * come in a stream, with all columns or without some. Where damaged blocks are left out, each byte
 * is of a block or lost.
 */
#include <stdlib.h>

#include "avro/avro_container.h"
#include "support/read_avro.h"

enum { MAX_NBYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Walks over blocks and damage; `whole`: there must be no damage. */
static void walk(struct stoa_source *source, bool whole)
{
    struct stoa_avro_container file = {0};
    struct stoa_avro_block block;
    struct stoa_avro_loss loss;
    bool more = true;
    uint64_t at;

    if (stoa_avro_container_open(&file, NULL, source, NULL) == STOA_OK) {
        file.checks_frames = true;
        at = file.offset;
        while (more) {
            if (stoa_avro_container_next(&file, &block, &more, NULL) != STOA_OK) {
                must(!whole && stoa_avro_container_recover(&file, &loss, NULL) == STOA_OK);
                must(loss.offset >= at && loss.nbytes > 0 && loss.nblocks > 0);
                must(file.offset == loss.offset + loss.nbytes);
            } else if (more) {
                must(block.begin >= at);
                stoa_avro_container_pass(&file, &block);
            }
            must(file.offset >= at && (!more || file.offset > at));
            at = file.offset;
        }
        must(at == source->nbytes);
    }
    stoa_avro_container_reset(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct stoa_source *source;
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
    must(stoa_source_open_memory(data, nbytes, "x.avro", &source, NULL) == STOA_OK);
    walk(source, st == STOA_OK);
    stoa_source_close(source);
    stoa_test_avro_reset(&memory);
    stoa_test_avro_reset(&stream);
    return 0;
}
