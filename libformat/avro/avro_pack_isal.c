/*
 * Raw deflate by ISA-L, for blocks that are written without a level being asked for.
 */
#include "avro/avro_pack.h"

#include <string.h>

#include <isa-l/igzip_lib.h>

#include "base/error.h"

/* Level 1 makes what is nearest to zlib's 6 in size; 2 and 3 are slower, and smaller by little. */
#define LEVEL       1
#define WORK_NBYTES ISAL_DEF_LVL1_DEFAULT
#define STORED_EXTRA                                                                               \
    64 /* in front of data that does not become smaller, for each 64 KiB 5 bytes                   \
        */

enum stoa_status stoa_avro_pack_isal(struct stoa_buffer *work, const uint8_t *data, size_t nbytes,
                                     struct stoa_buffer *out, struct stoa_error *err)
{
    const size_t room = nbytes + nbytes / 4096 + STORED_EXTRA;
    struct isal_zstream stream;
    enum stoa_status st;

    if (room > UINT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "a block of %zu bytes", nbytes);
    STOA_TRY(stoa_buffer_resize(work, WORK_NBYTES, err));
    STOA_TRY(stoa_buffer_reserve(out, room, err));
    isal_deflate_stateless_init(&stream);
    stream.level = LEVEL;
    stream.level_buf = work->data;
    stream.level_buf_size = WORK_NBYTES;
    stream.next_in = (uint8_t *)data;
    stream.avail_in = (uint32_t)nbytes;
    stream.next_out = out->data + out->nbytes;
    stream.avail_out = (uint32_t)room;
    stream.end_of_stream = 1;
    stream.flush = NO_FLUSH;
    stream.gzip_flag = IGZIP_DEFLATE;
    if (isal_deflate_stateless(&stream) != COMP_OK) /* with room for the worst */
        return stoa_fail(err, STOA_ERR_LIMIT, "deflate: a block of %zu bytes", nbytes);
    out->nbytes += stream.total_out;
out:
    return st;
}
