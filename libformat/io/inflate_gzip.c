/*
 * gzip (RFC 1952) by zlib, which compares the CRC-32 and the length behind each member.
 *
 *     1f 8b 08 | flags | time | ... | deflate | crc32 | length
 *
 * The members of BGZF (bgzip) are pieces: an extra field "BC" in front tells their size less one.
 *
 *     1f 8b 08 04 | time xfl os | 06 00 | "BC" 02 00 size - 1 | deflate | crc32 | length
 */
#define ZLIB_CONST /* next_in points to const */
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/error.h"
#include "io/inflate.h"

/* Members of BGZF are small, up to 64 KiB of text: as many as come to this become one piece. */
#define PIECE_TEXT_NBYTES ((size_t)1 << 20)
#define PIECE_WANT_NBYTES ((size_t)1 << 18) /* of input for it */

#define BGZF_HEADER_NBYTES 18
#define BGZF_TEXT_NBYTES   65536

struct stoa_inflate {
    z_stream z;
    bool begun;    /* some of the member was taken */
    size_t nbytes; /* that a member of BGZF says it has; 0: it says nothing */
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

/* The size of the member that begins here when it is one of BGZF; 0: it is not. */
static size_t bgzf_nbytes(const uint8_t *in, size_t nin)
{
    static const uint8_t head[] = {0x1f, 0x8b, 8, 4};

    if (nin < BGZF_HEADER_NBYTES || memcmp(in, head, 4) != 0 || stoa_load16(in + 10) != 6 ||
        memcmp(in + 12, "BC\2", 4) != 0)
        return 0;
    return (size_t)stoa_load16(in + 16) + 1;
}

static enum stoa_status zlib_open(struct stoa_inflate **out, int window_bits,
                                  struct stoa_error *err)
{
    struct stoa_inflate *gzip;
    enum stoa_status st = stoa_alloc_zeroed(&gzip, 1, sizeof(*gzip), err);

    if (st != STOA_OK)
        return st;
    gzip->z.zalloc = zlib_alloc;
    gzip->z.zfree = zlib_free;
    if (inflateInit2(&gzip->z, window_bits) != Z_OK) {
        stoa_free(gzip);
        return stoa_fail_nomem(err, sizeof(*gzip));
    }
    *out = gzip;
    return STOA_OK;
}

static enum stoa_status gzip_open(struct stoa_inflate **out, struct stoa_error *err)
{
    return zlib_open(out, 15 + 16, err); /* gzip only, any window */
}

static enum stoa_status deflate_open(struct stoa_inflate **out, struct stoa_error *err)
{
    return zlib_open(out, -15, err);
}

static enum stoa_status gzip_step(struct stoa_inflate *gzip, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                  struct stoa_error *err)
{
    z_stream *z = &gzip->z;
    unsigned nin_now = nin < UINT32_MAX ? (unsigned)nin : UINT32_MAX;
    unsigned nout_now = nout < UINT32_MAX ? (unsigned)nout : UINT32_MAX;
    int code;

    if (!gzip->begun)
        gzip->nbytes = bgzf_nbytes(in, nin);
    gzip->begun |= nin > 0;
    z->next_in = in;
    z->avail_in = nin_now;
    z->next_out = out;
    z->avail_out = nout_now;
    code = inflate(z, Z_NO_FLUSH);
    step->nused = nin_now - z->avail_in;
    step->nput = nout_now - z->avail_out;
    step->member_end = code == Z_STREAM_END;
    if (step->member_end && gzip->nbytes != 0 && gzip->nbytes != z->total_in)
        return stoa_fail(err, STOA_ERR_DATA, "incorrect length in front");
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
    gzip->begun = false;
    return STOA_OK;
}

static enum stoa_status gzip_split(struct stoa_inflate *gzip, const uint8_t *in, size_t nin,
                                   bool whole, size_t max_nbytes, size_t max_text_nbytes,
                                   struct stoa_inflate_piece *piece, struct stoa_error *err)
{
    size_t at = 0, text_nbytes = 0;

    if (gzip->begun)
        return STOA_OK;
    while (text_nbytes < PIECE_TEXT_NBYTES) {
        size_t nbytes = bgzf_nbytes(in + at, nin - at), text;

        if (nbytes < BGZF_HEADER_NBYTES + 8 || at + nbytes > max_nbytes)
            break;
        if (at + nbytes > nin) {
            const size_t want = PIECE_WANT_NBYTES < max_nbytes ? PIECE_WANT_NBYTES : max_nbytes;

            if (!whole && nin < want) { /* for a piece that is worth it */
                piece->want = want;
                return STOA_OK;
            }
            break;
        }
        text = stoa_load32(in + at + nbytes - 4);
        if (text > BGZF_TEXT_NBYTES || text_nbytes + text > max_text_nbytes)
            break;
        at += nbytes;
        text_nbytes += text;
    }
    if (at == 0)
        return STOA_OK;
    piece->nused = at;
    piece->text_nbytes = piece->max_text_nbytes = text_nbytes;
    piece->member_end = true;
    return stoa_buffer_append(piece->bytes, in, at, err);
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
    .split = gzip_split,
    .next = gzip_next,
    .close = gzip_close,
};

static enum stoa_inflate_match deflate_match(const uint8_t *bytes, size_t nbytes)
{
    (void)bytes;
    return nbytes > 0 ? STOA_INFLATE_YES : STOA_INFLATE_NO;
}

/* Without magic number and checksum: who uses it knows both. */
const struct stoa_compression stoa_inflate_deflate = {
    .name = "deflate",
    .match = deflate_match,
    .open = deflate_open,
    .step = gzip_step,
    .next = gzip_next,
    .close = gzip_close,
};

uint32_t stoa_inflate_crc32(uint32_t crc, const void *bytes, size_t nbytes)
{
    return (uint32_t)crc32_z(crc, bytes, nbytes);
}
