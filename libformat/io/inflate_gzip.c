/*
 * gzip (RFC 1952) by zlib, which compares the CRC-32 and the length behind each member.
 *
 *     1f 8b 08 | flags | time | ... | deflate | crc32 | length
 */
#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/inflate.h"

struct stoa_inflate {
    z_stream z;
};

static enum stoa_inflate_match gzip_match(const uint8_t *bytes, size_t nbytes)
{
    return stoa_inflate_match_magic(bytes, nbytes, "\x1f\x8b\x08", 3, 1);
}

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

static enum stoa_status gzip_open(struct stoa_inflate **out, struct stoa_error *err)
{
    struct stoa_inflate *gzip;
    enum stoa_status st = stoa_alloc_zeroed(&gzip, 1, sizeof(*gzip), err);

    if (st != STOA_OK)
        return st;
    gzip->z.zalloc = zlib_alloc;
    gzip->z.zfree = zlib_free;
    if (inflateInit2(&gzip->z, 15 + 16) != Z_OK) { /* 15 + 16: gzip only, any window */
        stoa_free(gzip);
        return stoa_fail_nomem(err, sizeof(*gzip));
    }
    *out = gzip;
    return STOA_OK;
}

static enum stoa_status gzip_step(struct stoa_inflate *gzip, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                  struct stoa_error *err)
{
    z_stream *z = &gzip->z;
    unsigned nin_now = nin < UINT32_MAX ? (unsigned)nin : UINT32_MAX;
    unsigned nout_now = nout < UINT32_MAX ? (unsigned)nout : UINT32_MAX;
    int code;

    z->next_in = in;
    z->avail_in = nin_now;
    z->next_out = out;
    z->avail_out = nout_now;
    code = inflate(z, Z_NO_FLUSH);
    step->nused = nin_now - z->avail_in;
    step->nput = nout_now - z->avail_out;
    step->member_end = code == Z_STREAM_END;
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
        return STOA_OK;
    if (code == Z_MEM_ERROR)
        return stoa_fail_nomem(err, 1 << 15);
    return stoa_fail(err, STOA_ERR_DATA, "%s", z->msg != NULL ? z->msg : "invalid");
}

static enum stoa_status gzip_next(struct stoa_inflate *gzip, struct stoa_error *err)
{
    (void)err;
    inflateReset(&gzip->z);
    return STOA_OK;
}

static void gzip_close(struct stoa_inflate *gzip)
{
    inflateEnd(&gzip->z);
    stoa_free(gzip);
}

const struct stoa_compression stoa_inflate_gzip = {
    .name = "gzip",
    .match = gzip_match,
    .open = gzip_open,
    .step = gzip_step,
    .next = gzip_next,
    .close = gzip_close,
};
