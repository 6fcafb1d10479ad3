/*
 * gzip (RFC 1952): a header, deflate, and the CRC-32 and the length of the text, which are
 * compared.
 *
 *     1f 8b 08 | flags | time xfl os | extra | name | comment | crc16 | deflate | crc32 | length
 *     FIXED                          | there if the flags say so      | BODY    | TRAILER
 *
 * The members of BGZF (bgzip) are pieces: an extra field "BC" in front tells their size less one.
 *
 *     1f 8b 08 04 | time xfl os | 06 00 | "BC" 02 00 size - 1 | deflate | crc32 | length
 */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "io/deflate.h"
#include "io/inflate.h"

/* Members of BGZF are small, up to 64 KiB of text: as many as come to this become one piece. */
#define PIECE_TEXT_NBYTES ((size_t)1 << 20)
#define PIECE_WANT_NBYTES ((size_t)1 << 18) /* of input for it */

#define BGZF_HEADER_NBYTES 18
#define BGZF_TEXT_NBYTES   65536

/* Parts of a member, in order. */
enum part { FIXED, EXTRA_SIZE, EXTRA, NAME, COMMENT, CHECK, BODY, TRAILER, DONE };

/* The flag that says that a part of the header is there. */
static const uint8_t part_flags[BODY] = {
    [EXTRA_SIZE] = 4, [EXTRA] = 4, [NAME] = 8, [COMMENT] = 16, [CHECK] = 2};

#define RESERVED_FLAGS 0xe0

struct stoa_inflate {
    struct stoa_deflate *deflate;
    enum part part;
    size_t npart;  /* bytes of it so far */
    uint8_t flags; /* of the header */
    uint32_t extra_nbytes;
    uint32_t crc;        /* of the header, then of the text */
    uint32_t ntext;      /* modulo 2^32 */
    uint8_t trailer[8];  /* npart bytes of it */
    bool begun;          /* some of the member was taken */
    size_t nbytes;       /* that a member of BGZF says it has; 0: it says nothing */
    uint64_t nbytes_got; /* of the member */
};

static enum stoa_inflate_match gzip_match(const uint8_t *bytes, size_t nbytes)
{
    return stoa_inflate_match_magic(bytes, nbytes, "\x1f\x8b\x08", 3, 1);
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

static enum stoa_status gzip_open(struct stoa_inflate **out, struct stoa_error *err)
{
    struct stoa_inflate *gzip = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&gzip, 1, sizeof(*gzip), err));
    STOA_TRY(STOA_DEFLATE_BEST.open(&gzip->deflate, err));
    *out = gzip;
    gzip = NULL;
out:
    stoa_free(gzip);
    return st;
}

/* ---- The header. ---- */

static void next_part(struct stoa_inflate *gzip)
{
    do
        gzip->part++;
    while (gzip->part < BODY && ((gzip->flags & part_flags[gzip->part]) == 0 ||
                                 (gzip->part == EXTRA && gzip->extra_nbytes == 0)));
    gzip->npart = 0;
    if (gzip->part == BODY)
        gzip->crc = 0;
}

static enum stoa_status take_fixed(struct stoa_inflate *gzip, uint8_t byte, struct stoa_error *err)
{
    switch (gzip->npart) {
    case 1:
        return byte == 0x1f ? STOA_OK : stoa_fail(err, STOA_ERR_DATA, "incorrect header check");
    case 2:
        return byte == 0x8b ? STOA_OK : stoa_fail(err, STOA_ERR_DATA, "incorrect header check");
    case 3:
        return byte == 8 ? STOA_OK : stoa_fail(err, STOA_ERR_DATA, "unknown compression method");
    case 4:
        gzip->flags = byte;
        return (byte & RESERVED_FLAGS) == 0
                   ? STOA_OK
                   : stoa_fail(err, STOA_ERR_DATA, "unknown header flags set");
    case 10:
        next_part(gzip);
        return STOA_OK;
    default:
        return STOA_OK;
    }
}

/* One byte of the header. */
static enum stoa_status take_header(struct stoa_inflate *gzip, uint8_t byte, struct stoa_error *err)
{
    const uint32_t crc = gzip->crc;

    gzip->crc = STOA_DEFLATE_BEST.crc32(crc, &byte, 1);
    gzip->npart++;
    switch (gzip->part) {
    case FIXED:
        return take_fixed(gzip, byte, err);
    case EXTRA_SIZE:
        gzip->extra_nbytes |= (uint32_t)byte << (8 * (gzip->npart - 1));
        if (gzip->npart == 2)
            next_part(gzip);
        return STOA_OK;
    case EXTRA:
        if (gzip->npart == gzip->extra_nbytes)
            next_part(gzip);
        return STOA_OK;
    case CHECK:
        if (gzip->npart == 1)
            gzip->crc = crc; /* of what is in front of it */
        if (byte != (uint8_t)(crc >> (8 * (gzip->npart - 1))))
            return stoa_fail(err, STOA_ERR_DATA, "header crc mismatch");
        if (gzip->npart == 2)
            next_part(gzip);
        return STOA_OK;
    default: /* texts that end with a zero */
        if (byte == 0)
            next_part(gzip);
        return STOA_OK;
    }
}

/* ---- The text. ---- */

static enum stoa_status take_body(struct stoa_inflate *gzip, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                  struct stoa_error *err)
{
    struct stoa_deflate_step body;
    enum stoa_status st = STOA_DEFLATE_BEST.step(gzip->deflate, in, nin, out, nout, &body, err);

    step->nused += body.nused;
    step->nput = body.nput;
    gzip->crc = STOA_DEFLATE_BEST.crc32(gzip->crc, out, body.nput);
    gzip->ntext += (uint32_t)body.nput;
    if (st == STOA_OK && body.end) {
        next_part(gzip);
        memcpy(gzip->trailer, body.taken, body.ntaken);
        gzip->npart = body.ntaken;
    }
    return st;
}

static enum stoa_status take_trailer(struct stoa_inflate *gzip, const uint8_t *in, size_t nin,
                                     struct stoa_inflate_step *step, struct stoa_error *err)
{
    while (gzip->npart < 4 && step->nused < nin)
        gzip->trailer[gzip->npart++] = in[step->nused++];
    if (gzip->npart >= 4 && stoa_load32(gzip->trailer) != gzip->crc)
        return stoa_fail(err, STOA_ERR_DATA, "incorrect data check");
    while (gzip->npart < 8 && step->nused < nin)
        gzip->trailer[gzip->npart++] = in[step->nused++];
    if (gzip->npart < 8)
        return STOA_OK;
    if (stoa_load32(gzip->trailer + 4) != gzip->ntext)
        return stoa_fail(err, STOA_ERR_DATA, "incorrect length check");
    if (gzip->nbytes != 0 && gzip->nbytes != gzip->nbytes_got + step->nused)
        return stoa_fail(err, STOA_ERR_DATA, "incorrect length in front");
    gzip->part = DONE;
    step->member_end = true;
    return STOA_OK;
}

static enum stoa_status gzip_step(struct stoa_inflate *gzip, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                  struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (!gzip->begun)
        gzip->nbytes = bgzf_nbytes(in, nin);
    gzip->begun |= nin > 0;
    while (gzip->part < BODY && step->nused < nin)
        STOA_TRY(take_header(gzip, in[step->nused++], err));
    if (gzip->part == BODY)
        STOA_TRY(take_body(gzip, in + step->nused, nin - step->nused, out, nout, step, err));
    if (gzip->part == TRAILER)
        STOA_TRY(take_trailer(gzip, in, nin, step, err));
out:
    gzip->nbytes_got += step->nused;
    return st;
}

static enum stoa_status gzip_next(struct stoa_inflate *gzip, struct stoa_error *err)
{
    (void)err;
    STOA_DEFLATE_BEST.reset(gzip->deflate);
    *gzip = (struct stoa_inflate){.deflate = gzip->deflate};
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
    STOA_DEFLATE_BEST.close(gzip->deflate);
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

static enum stoa_status deflate_step(struct stoa_inflate *gzip, const uint8_t *in, size_t nin,
                                     uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                     struct stoa_error *err)
{
    struct stoa_deflate_step body;
    enum stoa_status st = STOA_DEFLATE_BEST.step(gzip->deflate, in, nin, out, nout, &body, err);

    step->nused = body.nused;
    step->nput = body.nput;
    step->member_end = body.end;
    if (st == STOA_OK && body.ntaken > 0)
        st = stoa_fail(err, STOA_ERR_DATA, "something else follows");
    return st;
}

/* Without magic number and checksum: who uses it knows both. */
const struct stoa_compression stoa_inflate_deflate = {
    .name = "deflate",
    .match = deflate_match,
    .open = gzip_open,
    .step = deflate_step,
    .next = gzip_next,
    .close = gzip_close,
};

uint32_t stoa_inflate_crc32(uint32_t crc, const void *bytes, size_t nbytes)
{
    return STOA_DEFLATE_BEST.crc32(crc, bytes, nbytes);
}
