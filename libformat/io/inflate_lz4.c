/*
 * LZ4 frames by liblz4, which compares the checksums that a frame has (the lz4 command writes
 * one; without it damage may go unseen, as in plain text).
 *
 *     04 22 4d 18 | descriptor | blocks | 00 00 00 00 | xxh32
 *     50..5f 2a 4d 18 | length | skipped bytes
 */
#include <lz4frame.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/inflate.h"

struct stoa_inflate {
    LZ4F_dctx *context;
};

static enum stoa_inflate_match lz4_match(const uint8_t *bytes, size_t nbytes)
{
    return stoa_inflate_match_frame(bytes, nbytes, "\x04\x22\x4d\x18", 1);
}

static enum stoa_status lz4_open(struct stoa_inflate **out, struct stoa_error *err)
{
    struct stoa_inflate *lz4;
    enum stoa_status st = stoa_alloc_zeroed(&lz4, 1, sizeof(*lz4), err);

    if (st != STOA_OK)
        return st;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&lz4->context, LZ4F_VERSION))) {
        stoa_free(lz4);
        return stoa_fail_nomem(err, sizeof(*lz4));
    }
    *out = lz4;
    return STOA_OK;
}

static enum stoa_status lz4_step(struct stoa_inflate *lz4, const uint8_t *in, size_t nin,
                                 uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                 struct stoa_error *err)
{
    size_t code;

    step->nused = nin;
    step->nput = nout;
    code = LZ4F_decompress(lz4->context, out, &step->nput, in, &step->nused, NULL);
    step->member_end = code == 0;
    if (LZ4F_isError(code))
        return stoa_fail(err, STOA_ERR_DATA, "%s", LZ4F_getErrorName(code));
    return STOA_OK;
}

static enum stoa_status lz4_next(struct stoa_inflate *lz4, struct stoa_error *err)
{
    (void)err;
    LZ4F_resetDecompressionContext(lz4->context);
    return STOA_OK;
}

static void lz4_close(struct stoa_inflate *lz4)
{
    LZ4F_freeDecompressionContext(lz4->context);
    stoa_free(lz4);
}

const struct stoa_compression stoa_inflate_lz4 = {
    .name = "LZ4",
    .match = lz4_match,
    .open = lz4_open,
    .step = lz4_step,
    .next = lz4_next,
    .close = lz4_close,
};
