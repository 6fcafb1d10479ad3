/*
 * Packing schemas.
 *
 * Node records are nearly the same for every column, so that half of a small schema is
 * repetition; and a file of ten rows is half schema and footer.
 */
#include "file/schema_pack.h"

#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "codec/compress_zstd.h"
#include "file/layout.h"

enum { PACK_LEVEL = 5 };

enum stoa_status stoa_schema_pack(struct stoa_buffer *body, uint32_t max_nbytes,
                                  struct stoa_error *err)
{
    size_t head = STOA_SCHEMA_HEAD_NBYTES, raw = body->nbytes - head, room, packed;
    struct stoa_zstd_encoder *encoder = NULL;
    uint8_t *frame = NULL;
    enum stoa_status st = STOA_OK;

    if (raw > max_nbytes || raw > STOA_SCHEMA_PACK_MAX_NBYTES ||
        stoa_round_up(body->nbytes, STOA_OBJECT_NBYTES) <= STOA_OBJECT_NBYTES)
        return STOA_OK;
    room = stoa_round_up(body->nbytes, STOA_OBJECT_NBYTES) - STOA_OBJECT_NBYTES - head;
    room = room < raw ? room : raw - 1;
    STOA_TRY(stoa_zstd_encoder_new(&encoder, PACK_LEVEL, err));
    STOA_TRY(stoa_alloc(&frame, room, err));
    STOA_TRY(stoa_zstd_compress(encoder, body->data + head, raw, frame, room, &packed, err));
    if (packed > 0) {
        body->nbytes = head;
        STOA_TRY(stoa_buffer_append(body, frame, packed, err));
    }
out:
    stoa_zstd_encoder_free(encoder);
    stoa_free(frame);
    return st;
}

enum stoa_status stoa_schema_unpack(const uint8_t *body, size_t nbytes, uint64_t raw_nbytes,
                                    uint8_t **out, struct stoa_error *err)
{
    const size_t head = STOA_SCHEMA_HEAD_NBYTES;
    struct stoa_zstd_decoder *decoder = NULL;
    uint8_t *raw = NULL;
    enum stoa_status st;

    if (nbytes >= raw_nbytes || raw_nbytes > head + STOA_SCHEMA_PACK_MAX_NBYTES)
        return stoa_fail(err, STOA_ERR_CORRUPT, "schema: lengths that do not add up");
    STOA_TRY(stoa_alloc(&raw, (size_t)raw_nbytes, err));
    memcpy(raw, body, head);
    STOA_TRY(stoa_zstd_decoder_new(&decoder, err));
    st = stoa_zstd_decompress(decoder, body + head, nbytes - head, raw + head,
                              (size_t)raw_nbytes - head, err);
    if (st == STOA_ERR_CORRUPT)
        st = stoa_fail(err, st, "schema: lengths that do not add up");
    if (st != STOA_OK)
        goto out;
    *out = raw;
    raw = NULL;
out:
    stoa_zstd_decoder_free(decoder);
    stoa_free(raw);
    return st;
}
