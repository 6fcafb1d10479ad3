/*
 * Raw deflate by zlib.
 */
#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

#include "base/error.h"
#include "io/deflate.h"

struct stoa_deflate {
    z_stream z;
};

static void *zlib_alloc(void *context, unsigned count, unsigned size)
{
    void *memory = NULL;

    (void)context;
    return stoa_alloc_zeroed(&memory, count, size, NULL) == STOA_OK ? memory : NULL;
}

static void zlib_free(void *context, void *memory)
{
    (void)context;
    stoa_free(memory);
}

static enum stoa_status zlib_open(struct stoa_deflate **out, struct stoa_error *err)
{
    struct stoa_deflate *deflate;
    enum stoa_status st = stoa_alloc_zeroed(&deflate, 1, sizeof(*deflate), err);

    if (st != STOA_OK)
        return st;
    deflate->z.zalloc = zlib_alloc;
    deflate->z.zfree = zlib_free;
    if (inflateInit2(&deflate->z, -15) != Z_OK) { /* no wrapper, any window */
        stoa_free(deflate);
        return stoa_fail_nomem(err, sizeof(*deflate));
    }
    *out = deflate;
    return STOA_OK;
}

static enum stoa_status zlib_step(struct stoa_deflate *deflate, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_deflate_step *step,
                                  struct stoa_error *err)
{
    z_stream *z = &deflate->z;
    const unsigned nin_now = nin < UINT32_MAX ? (unsigned)nin : UINT32_MAX;
    const unsigned nout_now = nout < UINT32_MAX ? (unsigned)nout : UINT32_MAX;
    int code;

    z->next_in = in;
    z->avail_in = nin_now;
    z->next_out = out;
    z->avail_out = nout_now;
    code = inflate(z, Z_NO_FLUSH);
    *step = (struct stoa_deflate_step){
        .nused = nin_now - z->avail_in,
        .nput = nout_now - z->avail_out,
        .end = code == Z_STREAM_END,
    };
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
        return STOA_OK;
    if (code == Z_MEM_ERROR)
        return stoa_fail_nomem(err, 1 << 15);
    return stoa_fail(err, STOA_ERR_DATA, "%s", z->msg != NULL ? z->msg : "invalid");
}

static void zlib_reset(struct stoa_deflate *deflate)
{
    inflateReset(&deflate->z);
}

static void zlib_close(struct stoa_deflate *deflate)
{
    if (deflate != NULL)
        inflateEnd(&deflate->z);
    stoa_free(deflate);
}

static uint32_t zlib_crc32(uint32_t crc, const void *bytes, size_t nbytes)
{
    return (uint32_t)crc32_z(crc, bytes, nbytes);
}

const struct stoa_deflate_decoder stoa_deflate_zlib = {
    .name = "zlib",
    .open = zlib_open,
    .step = zlib_step,
    .reset = zlib_reset,
    .close = zlib_close,
    .crc32 = zlib_crc32,
};
