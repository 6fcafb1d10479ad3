/*
 * zstd (RFC 8878) by libzstd, which compares the checksum of a frame that has one (the zstd
 * command writes it; libraries often don't, and then damage may go unseen, as in plain text).
 *
 *     28 b5 2f fd | frame header | blocks | xxh64 (low 32 bits)
 *     50..5f 2a 4d 18 | length | skipped bytes
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/inflate.h"

struct stoa_inflate {
    ZSTD_DCtx *context;
};

static enum stoa_inflate_match zstd_match(const uint8_t *bytes, size_t nbytes)
{
    return stoa_inflate_match_frame(bytes, nbytes, "\x28\xb5\x2f\xfd", 2);
}

static enum stoa_status zstd_open(struct stoa_inflate **out, struct stoa_error *err)
{
    struct stoa_inflate *zstd;
    enum stoa_status st = stoa_alloc_zeroed(&zstd, 1, sizeof(*zstd), err);

    if (st != STOA_OK)
        return st;
    zstd->context = ZSTD_createDCtx(); /* limits windows to 2^27 bytes by default */
    if (zstd->context == NULL) {
        stoa_free(zstd);
        return stoa_fail_nomem(err, 1 << 17);
    }
    *out = zstd;
    return STOA_OK;
}

static enum stoa_status zstd_fail(size_t code, struct stoa_error *err)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_memory_allocation:
        return stoa_fail_nomem(err, 1 << 17);
    case ZSTD_error_frameParameter_windowTooLarge:
        return stoa_fail(err, STOA_ERR_LIMIT, "needs a window of more than 128 MiB to decode");
    case ZSTD_error_dictionary_wrong:
        return stoa_fail(err, STOA_ERR_DATA, "was compressed with a dictionary");
    default:
        return stoa_fail(err, STOA_ERR_DATA, "%s", ZSTD_getErrorName(code));
    }
}

static enum stoa_status zstd_step(struct stoa_inflate *zstd, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                  struct stoa_error *err)
{
    ZSTD_inBuffer input = {in, nin, 0};
    ZSTD_outBuffer output = {out, nout, 0};
    size_t code = ZSTD_decompressStream(zstd->context, &output, &input);

    step->nused = input.pos;
    step->nput = output.pos;
    step->member_end = code == 0;
    return ZSTD_isError(code) ? zstd_fail(code, err) : STOA_OK;
}

static enum stoa_status zstd_next(struct stoa_inflate *zstd, struct stoa_error *err)
{
    (void)err;
    ZSTD_DCtx_reset(zstd->context, ZSTD_reset_session_only);
    return STOA_OK;
}

static void zstd_close(struct stoa_inflate *zstd)
{
    ZSTD_freeDCtx(zstd->context);
    stoa_free(zstd);
}

const struct stoa_compression stoa_inflate_zstd = {
    .name = "zstd",
    .match = zstd_match,
    .open = zstd_open,
    .step = zstd_step,
    .next = zstd_next,
    .close = zstd_close,
};
