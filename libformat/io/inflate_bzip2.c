/*
 * bzip2 by libbz2, which compares the CRC of every block and of the stream.
 *
 *     "BZh" "1".."9" | block 31 41 59 26 53 59 crc ... | end 17 72 45 38 50 90 | crc
 *
 * The first three bytes may begin a text, so the magic number of the first block (or of the end,
 * in a stream without any) has to follow. Bits, not bytes, are counted behind it.
 *
 * A block is a piece: it ends where the next magic number begins, at any bit, and becomes a stream
 * of its own. The CRC of a stream follows from those of its blocks and is compared here. A number
 * that stands in a block by chance, once in 2^48 bits, is taken for damage.
 */
#include <bzlib.h>
#include <string.h>

#include "base/error.h"
#include "io/inflate.h"

#define BLOCK_MAGIC UINT64_C(0x314159265359)
#define END_MAGIC   UINT64_C(0x177245385090)
#define MAGIC_MASK  UINT64_C(0xffffffffffff)
#define MAGIC_NBITS ((size_t)48)
#define HEAD_NBITS  ((size_t)80) /* of a block and of the end: magic number and CRC */

#define BLOCK_NBYTES(level)     ((size_t)(level)*100000)
#define MAX_BLOCK_NBYTES(level) (3 * BLOCK_NBYTES(level) + 65536) /* codes have up to 20 bits */
#define MAX_TEXT_NBYTES(level)  (52 * BLOCK_NBYTES(level))        /* 5 bytes can stand for 259 */

struct stoa_inflate {
    bz_stream bz;
    bool open;

    /* Of split(): */
    unsigned level;  /* 0: the next bytes are the header of a stream */
    unsigned bit;    /* of the first byte of input, where the next block begins */
    size_t nscanned; /* bytes of input with no magic number in them */
    uint32_t crc;    /* of the blocks so far */
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
    bzip2->level = 0;
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

/* Up to 64 bits from a bit on, the first one highest. */
static uint64_t bits_at(const uint8_t *in, size_t bit, size_t nbits)
{
    uint64_t bits = 0;

    for (size_t i = bit; i < bit + nbits; i++)
        bits = bits << 1 | (in[i / 8] >> (7 - i % 8) & 1);
    return bits;
}

/* The bit at which the next magic number begins, in bytes from `begin` on; SIZE_MAX: none. */
static size_t find_magic(const uint8_t *in, size_t begin, size_t nin)
{
    uint64_t seen = 0;

    for (size_t i = begin; i < nin; i++) {
        seen = seen << 8 | in[i];
        if (i < begin + 5)
            continue;
        for (unsigned k = 8; k-- > 0;) {
            uint64_t word = seen >> k & MAGIC_MASK;

            if ((word == BLOCK_MAGIC || word == END_MAGIC) &&
                8 * (i + 1) - k - MAGIC_NBITS >= 8 * begin)
                return 8 * (i + 1) - k - MAGIC_NBITS;
        }
    }
    return SIZE_MAX;
}

/* Appends the block in bits [begin, end) as a stream: shifted, with the end and the same CRC. */
static enum stoa_status append_stream(struct stoa_buffer *out, unsigned level, const uint8_t *in,
                                      size_t begin, size_t end, uint32_t crc,
                                      struct stoa_error *err)
{
    const size_t nbits = end - begin;
    const uint64_t tail[] = {END_MAGIC >> 16, (END_MAGIC & 0xffff) << 16 | crc >> 16, crc & 0xffff};
    static const unsigned tail_nbits[] = {32, 32, 16};
    const uint8_t head[] = {'B', 'Z', 'h', (uint8_t)('0' + level)};
    uint64_t kept = 0; /* its low nkept bits wait for the rest of their byte */
    unsigned nkept = (unsigned)(nbits % 8);
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(out, nbits / 8 + 16, err));
    STOA_TRY(stoa_buffer_append(out, head, sizeof(head), err));
    for (size_t i = 0; i < nbits / 8; i++) {
        size_t at = begin / 8 + i;
        unsigned two = (unsigned)in[at] << 8 | (begin % 8 != 0 ? in[at + 1] : 0);

        out->data[out->nbytes++] = (uint8_t)(two << begin % 8 >> 8);
    }
    kept = bits_at(in, end - nkept, nkept);
    for (size_t i = 0; i < 3; i++) {
        kept = kept << tail_nbits[i] | tail[i];
        nkept += tail_nbits[i];
        for (; nkept >= 8; nkept -= 8)
            out->data[out->nbytes++] = (uint8_t)(kept >> (nkept - 8));
    }
    if (nkept > 0)
        out->data[out->nbytes++] = (uint8_t)(kept << (8 - nkept));
out:
    return st;
}

static enum stoa_status fail_structure(struct stoa_error *err)
{
    return stoa_fail(err, STOA_ERR_DATA, "CRC or structure is wrong");
}

/* Goes over the end of the stream. */
static enum stoa_status split_end(struct stoa_inflate *bzip2, uint32_t crc,
                                  struct stoa_inflate_piece *piece, struct stoa_error *err)
{
    if (crc != bzip2->crc)
        return fail_structure(err);
    piece->nused = (bzip2->bit + HEAD_NBITS + 7) / 8;
    piece->member_end = true;
    return STOA_OK;
}

static enum stoa_status split_block(struct stoa_inflate *bzip2, uint32_t crc, const uint8_t *in,
                                    size_t nin, bool whole, struct stoa_inflate_piece *piece,
                                    struct stoa_error *err)
{
    size_t begin = bzip2->nscanned > 10 ? bzip2->nscanned : 10; /* may cut its head: no matter */
    size_t end = find_magic(in, begin, nin);
    enum stoa_status st;

    if (end == SIZE_MAX) {
        if (nin > MAX_BLOCK_NBYTES(bzip2->level))
            return fail_structure(err);
        bzip2->nscanned = nin - 6;
        piece->want = whole ? 0 : nin + 65536;
        return STOA_OK;
    }
    st = append_stream(piece->bytes, bzip2->level, in, bzip2->bit, end, crc, err);
    if (st != STOA_OK)
        return st;
    bzip2->crc = (bzip2->crc << 1 | bzip2->crc >> 31) ^ crc;
    bzip2->bit = end % 8;
    bzip2->nscanned = 0;
    piece->nused = end / 8;
    piece->text_nbytes = BLOCK_NBYTES(bzip2->level);
    piece->max_text_nbytes = MAX_TEXT_NBYTES(bzip2->level);
    return STOA_OK;
}

/* The caller's limits are those of other formats: a block is small. */
static enum stoa_status bzip2_split(struct stoa_inflate *bzip2, const uint8_t *in, size_t nin,
                                    bool whole, size_t max_nbytes, size_t max_text_nbytes,
                                    struct stoa_inflate_piece *piece, struct stoa_error *err)
{
    uint64_t magic;
    uint32_t crc;

    (void)max_nbytes;
    (void)max_text_nbytes;
    if (bzip2->level == 0) { /* match() has seen it */
        bzip2->level = (unsigned)(in[3] - '0');
        bzip2->bit = 0;
        bzip2->nscanned = 0;
        bzip2->crc = 0;
        piece->nused = 4;
        return STOA_OK;
    }
    if (8 * nin < bzip2->bit + HEAD_NBITS) {
        piece->want = whole ? 0 : HEAD_NBITS / 8 + 1;
        return STOA_OK;
    }
    magic = bits_at(in, bzip2->bit, MAGIC_NBITS);
    crc = (uint32_t)bits_at(in, bzip2->bit + MAGIC_NBITS, 32);
    if (magic == END_MAGIC)
        return split_end(bzip2, crc, piece, err);
    if (magic != BLOCK_MAGIC)
        return fail_structure(err);
    return split_block(bzip2, crc, in, nin, whole, piece, err);
}

const struct stoa_compression stoa_inflate_bzip2 = {
    .name = "bzip2",
    .match = bzip2_match,
    .open = bzip2_open,
    .step = bzip2_step,
    .split = bzip2_split,
    .next = bzip2_next,
    .close = bzip2_close,
    .pieces_only = true,
};
