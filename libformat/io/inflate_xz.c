/*
 * xz by liblzma, which compares the check of every block, the index and the footer.
 *
 *     fd "7zXZ" 00 | flags | block ... | index | footer "YZ" | zeros, a multiple of 4
 *     block: header (its size; where `xz -T` wrote it, the sizes of data and text) | data | check
 *
 * The parts of a stream are decoded one by one, so that a block whose header tells its sizes can be
 * taken out as a piece at any time. It becomes a stream of its own; liblzma's hash of the sizes
 * stands for it when the index of the stream is compared.
 */
#include <lzma.h>
#include <string.h>

#include "base/error.h"
#include "io/inflate.h"

#define MEMORY_LIMIT (UINT64_C(256) << 20)

enum xz_state { XZ_HEADER, XZ_BLOCKS, XZ_IN_BLOCK, XZ_INDEX, XZ_FOOTER };

struct stoa_inflate {
    lzma_stream lzma;
    lzma_allocator allocator;
    enum xz_state state;
    lzma_stream_flags flags;
    lzma_block block; /* XZ_IN_BLOCK */
    lzma_index_hash *sizes;
    uint64_t needed_nbytes; /* of memory for a block */
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

/* liblzma keeps the memory of its decoder for the next block. */
static enum stoa_status xz_next(struct stoa_inflate *xz, struct stoa_error *err)
{
    lzma_index_hash *sizes = lzma_index_hash_init(xz->sizes, &xz->allocator);

    if (sizes == NULL)
        return stoa_fail_nomem(err, sizeof(*xz));
    xz->sizes = sizes;
    xz->state = XZ_HEADER;
    return STOA_OK;
}

static void xz_close(struct stoa_inflate *xz)
{
    lzma_index_hash_end(xz->sizes, &xz->allocator);
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

static enum stoa_status xz_fail(lzma_ret code, struct stoa_error *err)
{
    switch (code) {
    case LZMA_MEM_ERROR:
        return stoa_fail_nomem(err, 1 << 20);
    case LZMA_UNSUPPORTED_CHECK:
    case LZMA_OPTIONS_ERROR:
        return stoa_fail(err, STOA_ERR_DATA, "unknown check, filter or option");
    case LZMA_FORMAT_ERROR:
        return stoa_fail(err, STOA_ERR_DATA, "no xz header");
    default:
        return stoa_fail(err, STOA_ERR_DATA, "check or structure is wrong");
    }
}

/* A part of a stream: takes what it needs of the input, goes on to the next state when done. */
typedef lzma_ret xz_part(struct stoa_inflate *xz, const uint8_t *in, size_t nin, uint8_t *out,
                         size_t nout, struct stoa_inflate_step *step);

static lzma_ret take_header(struct stoa_inflate *xz, const uint8_t *in, size_t nin, uint8_t *out,
                            size_t nout, struct stoa_inflate_step *step)
{
    lzma_ret code;

    (void)out;
    (void)nout;
    if (nin < LZMA_STREAM_HEADER_SIZE)
        return LZMA_OK;
    code = lzma_stream_header_decode(&xz->flags, in);
    if (code != LZMA_OK)
        return code;
    if (!lzma_check_is_supported(xz->flags.check))
        return LZMA_UNSUPPORTED_CHECK;
    step->nused = LZMA_STREAM_HEADER_SIZE;
    xz->state = XZ_BLOCKS;
    return LZMA_OK;
}

/*
 * The header of the block at `in`; *nbytes is its size, 0 when it is not all there. The options
 * of filters[] are the caller's to free.
 */
static lzma_ret decode_block_header(struct stoa_inflate *xz, const uint8_t *in, size_t nin,
                                    lzma_block *block, lzma_filter *filters, size_t *nbytes)
{
    const uint32_t size = lzma_block_header_size_decode(in[0]);

    *nbytes = 0;
    if (nin < size)
        return LZMA_OK;
    *nbytes = size;
    *block = (lzma_block){
        .version = 1, .header_size = size, .check = xz->flags.check, .filters = filters};
    return lzma_block_header_decode(block, &xz->allocator, in);
}

static void free_options(lzma_filter *filters)
{
    for (size_t i = 0; filters[i].id != LZMA_VLI_UNKNOWN; i++)
        stoa_free(filters[i].options);
}

/* Where a block begins, or the index. */
static lzma_ret take_block_header(struct stoa_inflate *xz, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_inflate_step *step)
{
    lzma_filter filters[LZMA_FILTERS_MAX + 1] = {{.id = LZMA_VLI_UNKNOWN}};
    uint64_t memory;
    size_t nbytes;
    lzma_ret code;

    (void)out;
    (void)nout;
    if (nin == 0)
        return LZMA_OK;
    if (in[0] == 0) {
        xz->state = XZ_INDEX;
        return LZMA_OK;
    }
    code = decode_block_header(xz, in, nin, &xz->block, filters, &nbytes);
    if (code != LZMA_OK || nbytes == 0)
        return code;
    memory = lzma_raw_decoder_memusage(filters);
    code = memory == UINT64_MAX    ? LZMA_OPTIONS_ERROR
           : memory > MEMORY_LIMIT ? LZMA_MEMLIMIT_ERROR
                                   : lzma_block_decoder(&xz->lzma, &xz->block);
    free_options(filters);
    xz->block.filters = NULL;
    xz->needed_nbytes = memory;
    if (code != LZMA_OK)
        return code;
    step->nused = nbytes;
    xz->state = XZ_IN_BLOCK;
    return LZMA_OK;
}

static lzma_ret take_block(struct stoa_inflate *xz, const uint8_t *in, size_t nin, uint8_t *out,
                           size_t nout, struct stoa_inflate_step *step)
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
    if (code == LZMA_BUF_ERROR)
        return LZMA_OK;
    if (code != LZMA_STREAM_END)
        return code;
    xz->state = XZ_BLOCKS;
    return lzma_index_hash_append(xz->sizes, lzma_block_unpadded_size(&xz->block),
                                  xz->block.uncompressed_size);
}

static lzma_ret take_index(struct stoa_inflate *xz, const uint8_t *in, size_t nin, uint8_t *out,
                           size_t nout, struct stoa_inflate_step *step)
{
    lzma_ret code;

    (void)out;
    (void)nout;
    if (nin == 0)
        return LZMA_OK;
    code = lzma_index_hash_decode(xz->sizes, in, &step->nused, nin);
    if (code != LZMA_STREAM_END)
        return code;
    xz->state = XZ_FOOTER;
    return LZMA_OK;
}

static lzma_ret take_footer(struct stoa_inflate *xz, const uint8_t *in, size_t nin, uint8_t *out,
                            size_t nout, struct stoa_inflate_step *step)
{
    lzma_stream_flags flags;
    lzma_ret code;

    (void)out;
    (void)nout;
    if (nin < LZMA_STREAM_HEADER_SIZE)
        return LZMA_OK;
    code = lzma_stream_footer_decode(&flags, in);
    if (code == LZMA_OK)
        code = lzma_stream_flags_compare(&xz->flags, &flags);
    if (code == LZMA_OK && lzma_index_hash_size(xz->sizes) != flags.backward_size)
        code = LZMA_DATA_ERROR;
    if (code != LZMA_OK)
        return code == LZMA_FORMAT_ERROR ? LZMA_DATA_ERROR : code;
    step->nused = LZMA_STREAM_HEADER_SIZE;
    step->member_end = true;
    return LZMA_OK;
}

static enum stoa_status xz_step(struct stoa_inflate *xz, const uint8_t *in, size_t nin,
                                uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                struct stoa_error *err)
{
    static xz_part *const parts[] = {take_header, take_block_header, take_block, take_index,
                                     take_footer};
    enum xz_state before;
    lzma_ret code;

    do { /* until a part takes or gives something, or lacks input */
        before = xz->state;
        code = parts[before](xz, in, nin, out, nout, step);
    } while (code == LZMA_OK && step->nused == 0 && step->nput == 0 && xz->state != before);
    if (code == LZMA_MEMLIMIT_ERROR)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "needs %u MiB of memory to decode, more than the limit of %u MiB",
                         (unsigned)(xz->needed_nbytes >> 20), (unsigned)(MEMORY_LIMIT >> 20));
    return code == LZMA_OK ? STOA_OK : xz_fail(code, err);
}

/* Appends the header of a stream, so many bytes that are its block, index and footer. */
static lzma_ret append_stream(struct stoa_inflate *xz, const uint8_t *in, size_t nbytes,
                              const lzma_block *block, struct stoa_buffer *out)
{
    lzma_stream_flags flags = xz->flags;
    lzma_index *index = lzma_index_init(&xz->allocator);
    lzma_ret code = LZMA_MEM_ERROR;

    if (index == NULL ||
        stoa_buffer_reserve(out, nbytes + 2 * LZMA_STREAM_HEADER_SIZE + 64, NULL) != STOA_OK)
        goto out;
    code = lzma_index_append(index, &xz->allocator, lzma_block_unpadded_size(block),
                             block->uncompressed_size);
    if (code != LZMA_OK)
        goto out;
    code = lzma_stream_header_encode(&flags, out->data + out->nbytes);
    if (code != LZMA_OK)
        goto out;
    out->nbytes += LZMA_STREAM_HEADER_SIZE;
    memcpy(out->data + out->nbytes, in, nbytes);
    out->nbytes += nbytes;
    code = lzma_index_buffer_encode(index, out->data, &out->nbytes, out->capacity);
    if (code != LZMA_OK)
        goto out;
    flags.backward_size = lzma_index_size(index);
    code = lzma_stream_footer_encode(&flags, out->data + out->nbytes);
    if (code == LZMA_OK)
        out->nbytes += LZMA_STREAM_HEADER_SIZE;
out:
    lzma_index_end(index, &xz->allocator);
    return code;
}

static enum stoa_status xz_split(struct stoa_inflate *xz, const uint8_t *in, size_t nin, bool whole,
                                 size_t max_nbytes, size_t max_text_nbytes,
                                 struct stoa_inflate_piece *piece, struct stoa_error *err)
{
    lzma_filter filters[LZMA_FILTERS_MAX + 1] = {{.id = LZMA_VLI_UNKNOWN}};
    lzma_block block;
    lzma_vli total;
    size_t nbytes;
    lzma_ret code;

    if (xz->state == XZ_HEADER) {
        struct stoa_inflate_step step = {0};

        code = take_header(xz, in, nin, NULL, 0, &step);
        piece->nused = step.nused;
        piece->want = step.nused == 0 && !whole ? LZMA_STREAM_HEADER_SIZE : 0;
        return code == LZMA_OK ? STOA_OK : xz_fail(code, err);
    }
    if (xz->state != XZ_BLOCKS || (nin > 0 && in[0] == 0))
        return STOA_OK;
    if (nin == 0) {
        piece->want = whole ? 0 : 1;
        return STOA_OK;
    }
    code = decode_block_header(xz, in, nin, &block, filters, &nbytes);
    free_options(filters);
    if (code == LZMA_MEM_ERROR)
        return xz_fail(code, err);
    if (code == LZMA_OK && nbytes == 0)
        piece->want = whole ? 0 : lzma_block_header_size_decode(in[0]);
    if (code != LZMA_OK || nbytes == 0) /* step() will say what is wrong */
        return STOA_OK;
    total = lzma_block_total_size(&block);
    if (total == LZMA_VLI_UNKNOWN || block.uncompressed_size == LZMA_VLI_UNKNOWN || total == 0 ||
        total > max_nbytes || block.uncompressed_size > max_text_nbytes)
        return STOA_OK;
    if (total > nin) {
        piece->want = whole ? 0 : (size_t)total;
        return STOA_OK;
    }
    code = append_stream(xz, in, (size_t)total, &block, piece->bytes);
    if (code == LZMA_OK)
        code = lzma_index_hash_append(xz->sizes, lzma_block_unpadded_size(&block),
                                      block.uncompressed_size);
    if (code != LZMA_OK)
        return xz_fail(code, err);
    piece->nused = (size_t)total;
    piece->text_nbytes = piece->max_text_nbytes = (size_t)block.uncompressed_size;
    return STOA_OK;
}

const struct stoa_compression stoa_inflate_xz = {
    .name = "xz",
    .match = xz_match,
    .open = xz_open,
    .step = xz_step,
    .split = xz_split,
    .next = xz_next,
    .close = xz_close,
    .padding = 4,
};
