/*
 * xz by liblzma, which compares the check of every block, the index and the footer.
 *
 *     fd "7zXZ" 00 | flags | block ... | index | footer "YZ" | zeros, a multiple of 4
 */
#include <lzma.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/inflate.h"

#define MEMORY_LIMIT (UINT64_C(256) << 20)

struct stoa_inflate {
    lzma_stream lzma;
    lzma_allocator allocator;
};

static enum stoa_inflate_match xz_match(const uint8_t *bytes, size_t nbytes)
{
    return stoa_inflate_match_magic(bytes, nbytes,
                                    "\xfd"
                                    "7zXZ\0",
                                    6, 1);
}

static void *xz_alloc(void *context, size_t count, size_t size)
{
    void *memory = NULL;

    (void)context;
    return stoa_realloc(&memory, count, size, NULL) == STOA_OK ? memory : NULL;
}

static void xz_free(void *context, void *memory)
{
    (void)context;
    stoa_free(memory);
}

/* Also makes ready for another stream: liblzma keeps the memory. */
static enum stoa_status xz_next(struct stoa_inflate *xz, struct stoa_error *err)
{
    lzma_ret code = lzma_stream_decoder(&xz->lzma, MEMORY_LIMIT, LZMA_TELL_UNSUPPORTED_CHECK);

    return code == LZMA_OK ? STOA_OK : stoa_fail_nomem(err, sizeof(*xz));
}

static void xz_close(struct stoa_inflate *xz)
{
    lzma_end(&xz->lzma);
    stoa_free(xz);
}

static enum stoa_status xz_open(struct stoa_inflate **out, struct stoa_error *err)
{
    struct stoa_inflate *xz;
    enum stoa_status st = stoa_alloc_zeroed(&xz, 1, sizeof(*xz), err);

    if (st != STOA_OK)
        return st;
    xz->lzma = (lzma_stream)LZMA_STREAM_INIT;
    xz->allocator = (lzma_allocator){.alloc = xz_alloc, .free = xz_free};
    xz->lzma.allocator = &xz->allocator;
    st = xz_next(xz, err);
    if (st == STOA_OK)
        *out = xz;
    else
        xz_close(xz);
    return st;
}

static enum stoa_status xz_fail(struct stoa_inflate *xz, lzma_ret code, struct stoa_error *err)
{
    switch (code) {
    case LZMA_MEM_ERROR:
        return stoa_fail_nomem(err, (size_t)lzma_memusage(&xz->lzma));
    case LZMA_MEMLIMIT_ERROR:
        return stoa_fail(
            err, STOA_ERR_LIMIT, "needs %u MiB of memory to decode, more than the limit of %u MiB",
            (unsigned)(lzma_memusage(&xz->lzma) >> 20), (unsigned)(MEMORY_LIMIT >> 20));
    case LZMA_UNSUPPORTED_CHECK:
    case LZMA_OPTIONS_ERROR:
        return stoa_fail(err, STOA_ERR_DATA, "unknown check, filter or option");
    case LZMA_FORMAT_ERROR:
        return stoa_fail(err, STOA_ERR_DATA, "no xz header");
    default:
        return stoa_fail(err, STOA_ERR_DATA, "check or structure is wrong");
    }
}

static enum stoa_status xz_step(struct stoa_inflate *xz, const uint8_t *in, size_t nin,
                                uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                struct stoa_error *err)
{
    lzma_stream *lzma = &xz->lzma;
    lzma_ret code;

    lzma->next_in = in;
    lzma->avail_in = nin;
    lzma->next_out = out;
    lzma->avail_out = nout;
    code = lzma_code(lzma, LZMA_RUN);
    step->nused = nin - lzma->avail_in;
    step->nput = nout - lzma->avail_out;
    step->member_end = code == LZMA_STREAM_END;
    if (code == LZMA_OK || code == LZMA_STREAM_END || code == LZMA_BUF_ERROR)
        return STOA_OK;
    return xz_fail(xz, code, err);
}

const struct stoa_compression stoa_inflate_xz = {
    .name = "xz",
    .match = xz_match,
    .open = xz_open,
    .step = xz_step,
    .next = xz_next,
    .close = xz_close,
    .padding = 4,
};
