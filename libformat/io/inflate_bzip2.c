/*
 * bzip2 by libbz2, which compares the CRC of every block and of the stream.
 *
 *     "BZh" "1".."9" | block 31 41 59 26 53 59 ... | end 17 72 45 38 50 90 | crc
 *
 * The first three bytes may begin a text, so the magic number of the first block (or of the end,
 * in a stream without any) has to follow. Bits, not bytes, are counted behind it.
 */
#include <bzlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/inflate.h"

struct stoa_inflate {
    bz_stream bz;
    bool open;
};

static enum stoa_inflate_match bzip2_match(const uint8_t *bytes, size_t nbytes)
{
    enum stoa_inflate_match match = stoa_inflate_match_magic(bytes, nbytes, "BZh", 3, 3);
    enum stoa_inflate_match block, end;

    if (match == STOA_INFLATE_NO || nbytes < 4 || bytes[3] < '1' || bytes[3] > '9')
        return STOA_INFLATE_NO;
    if (nbytes == 4)
        return STOA_INFLATE_CUT;
    block = stoa_inflate_match_magic(bytes + 4, nbytes - 4, "1AY&SY", 6, 1);
    end = stoa_inflate_match_magic(bytes + 4, nbytes - 4, "\x17rE8P\x90", 6, 1);
    return block != STOA_INFLATE_NO ? block : end;
}

static void *bzip2_alloc(void *context, int count, int size)
{
    void *memory = NULL;

    (void)context;
    return stoa_realloc(&memory, (size_t)count, (size_t)size, NULL) == STOA_OK ? memory : NULL;
}

static void bzip2_free(void *context, void *memory)
{
    (void)context;
    stoa_free(memory);
}

static enum stoa_status bzip2_next(struct stoa_inflate *bzip2, struct stoa_error *err)
{
    if (bzip2->open)
        BZ2_bzDecompressEnd(&bzip2->bz);
    memset(&bzip2->bz, 0, sizeof(bzip2->bz));
    bzip2->bz.bzalloc = bzip2_alloc;
    bzip2->bz.bzfree = bzip2_free;
    bzip2->open = BZ2_bzDecompressInit(&bzip2->bz, 0, 0) == BZ_OK;
    return bzip2->open ? STOA_OK : stoa_fail_nomem(err, sizeof(*bzip2));
}

static void bzip2_close(struct stoa_inflate *bzip2)
{
    if (bzip2->open)
        BZ2_bzDecompressEnd(&bzip2->bz);
    stoa_free(bzip2);
}

static enum stoa_status bzip2_open(struct stoa_inflate **out, struct stoa_error *err)
{
    struct stoa_inflate *bzip2;
    enum stoa_status st = stoa_alloc_zeroed(&bzip2, 1, sizeof(*bzip2), err);

    if (st != STOA_OK)
        return st;
    st = bzip2_next(bzip2, err);
    if (st == STOA_OK)
        *out = bzip2;
    else
        bzip2_close(bzip2);
    return st;
}

static enum stoa_status bzip2_step(struct stoa_inflate *bzip2, const uint8_t *in, size_t nin,
                                   uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                   struct stoa_error *err)
{
    bz_stream *bz = &bzip2->bz;
    unsigned nin_now = nin < UINT32_MAX ? (unsigned)nin : UINT32_MAX;
    unsigned nout_now = nout < UINT32_MAX ? (unsigned)nout : UINT32_MAX;
    int code;

    bz->next_in = (char *)(uintptr_t)in; /* is not written to */
    bz->avail_in = nin_now;
    bz->next_out = (char *)out;
    bz->avail_out = nout_now;
    code = BZ2_bzDecompress(bz);
    step->nused = nin_now - bz->avail_in;
    step->nput = nout_now - bz->avail_out;
    step->member_end = code == BZ_STREAM_END;
    if (code == BZ_OK || code == BZ_STREAM_END)
        return STOA_OK;
    if (code == BZ_MEM_ERROR)
        return stoa_fail_nomem(err, 4 << 20);
    return stoa_fail(err, STOA_ERR_DATA, "CRC or structure is wrong");
}

const struct stoa_compression stoa_inflate_bzip2 = {
    .name = "bzip2",
    .match = bzip2_match,
    .open = bzip2_open,
    .step = bzip2_step,
    .next = bzip2_next,
    .close = bzip2_close,
};
