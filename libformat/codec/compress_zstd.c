/*
 * The only file that knows libzstd.
 *
 * Frames carry their size but no checksum (the page is hashed), and depend on nothing but bytes,
 * level and version of the library: one thread, no dictionary. Contexts come from libzstd's stable
 * interface, so their memory is malloc's.
 */
#include "codec/compress_zstd.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "base/error.h"

struct stoa_zstd_encoder {
    ZSTD_CCtx *context;
};

struct stoa_zstd_decoder {
    ZSTD_DCtx *context; /* made when it is first needed: it has 160 KB */
};

enum stoa_status stoa_zstd_encoder_new(struct stoa_zstd_encoder **out, int level,
                                       struct stoa_error *err)
{
    struct stoa_zstd_encoder *encoder = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&encoder, 1, sizeof(*encoder), err));
    encoder->context = ZSTD_createCCtx();
    if (encoder->context == NULL) {
        st = stoa_fail(err, STOA_ERR_NOMEM, "out of memory (zstd)");
        goto out;
    }
    (void)ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_compressionLevel, level);
    (void)ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_checksumFlag, 0);
    *out = encoder;
    encoder = NULL;
out:
    stoa_zstd_encoder_free(encoder);
    return st;
}

void stoa_zstd_encoder_free(struct stoa_zstd_encoder *encoder)
{
    if (encoder == NULL)
        return;
    ZSTD_freeCCtx(encoder->context);
    stoa_free(encoder);
}

enum stoa_status stoa_zstd_decoder_new(struct stoa_zstd_decoder **out, struct stoa_error *err)
{
    return stoa_alloc_zeroed(out, 1, sizeof(**out), err);
}

void stoa_zstd_decoder_free(struct stoa_zstd_decoder *decoder)
{
    if (decoder == NULL)
        return;
    ZSTD_freeDCtx(decoder->context);
    stoa_free(decoder);
}

/*
 * `result` is what libzstd said: a number of bytes, or an error such as a frame larger than the
 * room for it.
 */
static enum stoa_status take_result(size_t result, size_t *out_nbytes, struct stoa_error *err)
{
    *out_nbytes = 0;
    if (!ZSTD_isError(result))
        *out_nbytes = result;
    else if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation)
        return stoa_fail(err, STOA_ERR_NOMEM, "out of memory (zstd)");
    return STOA_OK;
}

enum stoa_status stoa_zstd_compress(struct stoa_zstd_encoder *encoder, const uint8_t *bytes,
                                    size_t nbytes, uint8_t *out, size_t room, size_t *out_nbytes,
                                    struct stoa_error *err)
{
    return take_result(ZSTD_compress2(encoder->context, out, room, bytes, nbytes), out_nbytes, err);
}

enum stoa_status stoa_zstd_compress_parts(struct stoa_zstd_encoder *encoder, const uint8_t *bytes,
                                          size_t nbytes, size_t part_nbytes, uint8_t *out,
                                          size_t room, size_t *out_nbytes, struct stoa_error *err)
{
    ZSTD_outBuffer to = {out, room, 0};
    size_t left = 0; /* what did not fit into `out`, or an error */

    if (part_nbytes >= nbytes) /* nothing is copied into a buffer of libzstd first */
        return stoa_zstd_compress(encoder, bytes, nbytes, out, room, out_nbytes, err);
    (void)ZSTD_CCtx_reset(encoder->context, ZSTD_reset_session_only);
    (void)ZSTD_CCtx_setPledgedSrcSize(encoder->context, nbytes);
    for (size_t begin = 0; begin < nbytes && left == 0; begin += part_nbytes) {
        bool last = nbytes - begin <= part_nbytes;
        ZSTD_inBuffer in = {bytes + begin, last ? nbytes - begin : part_nbytes, 0};

        left = ZSTD_compressStream2(encoder->context, &to, &in, last ? ZSTD_e_end : ZSTD_e_flush);
    }
    return take_result(left == 0 ? to.pos : ZSTD_isError(left) ? left : 0, out_nbytes, err);
}

enum stoa_status stoa_zstd_decompress(struct stoa_zstd_decoder *decoder, const uint8_t *bytes,
                                      size_t nbytes, uint8_t *out, size_t out_nbytes,
                                      struct stoa_error *err)
{
    size_t frame_nbytes = ZSTD_findFrameCompressedSize(bytes, nbytes);
    size_t n;

    if (ZSTD_isError(frame_nbytes))
        return stoa_fail(err, STOA_ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(frame_nbytes));
    if (frame_nbytes != nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "zstd: the frame has %zu bytes of %zu",
                         frame_nbytes, nbytes);
    if (decoder->context == NULL)
        decoder->context = ZSTD_createDCtx();
    if (decoder->context == NULL)
        return stoa_fail(err, STOA_ERR_NOMEM, "out of memory (zstd)");
    n = ZSTD_decompressDCtx(decoder->context, out, out_nbytes, bytes, nbytes);
    if (ZSTD_isError(n)) {
        if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
            return stoa_fail(err, STOA_ERR_NOMEM, "out of memory (zstd)");
        return stoa_fail(err, STOA_ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(n));
    }
    if (n != out_nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "zstd: the frame holds %zu bytes, not %zu", n,
                         out_nbytes);
    return STOA_OK;
}
