/*
 * zstd (RFC 8878) by libzstd, which compares the checksum of a frame that has one (the zstd
 * command writes it; libraries often don't, and then damage may go unseen, as in plain text).
 *
 *     28 b5 2f fd | frame header | blocks | xxh64 (low 32 bits)
 *     50..5f 2a 4d 18 | length | skipped bytes
 *
 * Frames are pieces. Where one ends is found by going from block to block, whose headers tell their
 * size; none has more than 128 KiB of text.
 *
 *     block: last (1 bit) type (2) size (21) | size bytes, or 1 byte for a run
 */
#include <inttypes.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/bytes.h"
#include "base/error.h"
#include "io/inflate.h"

#define BLOCK_TEXT_NBYTES ((size_t)128 << 10)
#define PIECE_TEXT_NBYTES ((size_t)1 << 20) /* frames that are smaller are put together */
#define HEADER_NBYTES     18                /* of a frame at the most, magic number and all */

struct stoa_inflate {
    ZSTD_DCtx *context;
    bool begun; /* some of the frame was taken: */
    uint8_t header[HEADER_NBYTES];
    size_t nheader;
    uint64_t ntext; /* so far */
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

static void keep_header(struct stoa_inflate *zstd, const uint8_t *in, size_t nin)
{
    const size_t room = HEADER_NBYTES - zstd->nheader, n = nin < room ? nin : room;

    if (n > 0)
        memcpy(zstd->header + zstd->nheader, in, n);
    zstd->nheader += n;
}

/* A whole frame has the text that its header tells of: libzstd does not look where it streams. */
static enum stoa_status check_content(const struct stoa_inflate *zstd, struct stoa_error *err)
{
    const unsigned long long told = ZSTD_getFrameContentSize(zstd->header, zstd->nheader);

    if (told == ZSTD_CONTENTSIZE_UNKNOWN || told == ZSTD_CONTENTSIZE_ERROR || told == zstd->ntext)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_DATA, "a frame of %" PRIu64 " bytes of text says it has %llu",
                     zstd->ntext, told);
}

static enum stoa_status zstd_step(struct stoa_inflate *zstd, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                                  struct stoa_error *err)
{
    ZSTD_inBuffer input = {in, nin, 0};
    ZSTD_outBuffer output = {out, nout, 0};
    size_t code = ZSTD_decompressStream(zstd->context, &output, &input);

    zstd->begun |= nin > 0;
    step->nused = input.pos;
    step->nput = output.pos;
    step->member_end = code == 0;
    if (ZSTD_isError(code))
        return zstd_fail(code, err);
    keep_header(zstd, in, input.pos);
    zstd->ntext += output.pos;
    return step->member_end ? check_content(zstd, err) : STOA_OK;
}

static enum stoa_status zstd_next(struct stoa_inflate *zstd, struct stoa_error *err)
{
    (void)err;
    ZSTD_DCtx_reset(zstd->context, ZSTD_reset_session_only);
    zstd->begun = false;
    zstd->nheader = 0;
    zstd->ntext = 0;
    return STOA_OK;
}

/* A frame as far as it can be seen. */
struct frame {
    size_t nbytes; /* all of it, or so many that the next header can be read */
    size_t text_nbytes;
    bool whole;
};

/* Bytes of the header behind the magic number, by its first one. */
static size_t header_nbytes(uint8_t descriptor)
{
    static const uint8_t content[] = {0, 2, 4, 8}, dictionary[] = {0, 1, 2, 4};
    const bool single = (descriptor & 0x20) != 0;
    size_t ncontent = content[descriptor >> 6];

    if (ncontent == 0 && single)
        ncontent = 1;
    return 1 + (single ? 0 : 1) + dictionary[descriptor & 3] + ncontent;
}

/* Text that the header tells of, SIZE_MAX when it does not. */
static size_t content_nbytes(const uint8_t *in, size_t nin)
{
    unsigned long long content = ZSTD_getFrameContentSize(in, nin);

    return content < SIZE_MAX ? (size_t)content : SIZE_MAX;
}

/* Goes from block to block, no further than max_text_nbytes of text. */
static struct frame look_at_frame(const uint8_t *in, size_t nin, size_t max_text_nbytes)
{
    struct frame frame = {.nbytes = 8};

    if (nin < frame.nbytes)
        return frame;
    if ((stoa_load32(in) & 0xfffffff0) == 0x184d2a50) { /* to be skipped */
        frame.nbytes += stoa_load32(in + 4);
        frame.whole = true;
        return frame;
    }
    frame.nbytes = 4 + header_nbytes(in[4]);
    frame.text_nbytes = content_nbytes(in, nin);
    if (frame.text_nbytes < SIZE_MAX - 1 && frame.text_nbytes > max_text_nbytes)
        return frame; /* two more values say that it is not known */
    frame.text_nbytes = 0;
    while (frame.text_nbytes <= max_text_nbytes) {
        uint32_t block;

        if (nin < frame.nbytes + 3) {
            frame.nbytes += 3;
            return frame;
        }
        block = in[frame.nbytes] | (uint32_t)in[frame.nbytes + 1] << 8 |
                (uint32_t)in[frame.nbytes + 2] << 16;
        frame.nbytes += 3 + ((block >> 1 & 3) == 1 ? 1 : block >> 3);
        frame.text_nbytes += BLOCK_TEXT_NBYTES;
        if ((block & 1) != 0) {
            const size_t content = content_nbytes(in, nin);

            if (content < frame.text_nbytes)
                frame.text_nbytes = content;
            frame.nbytes += (in[4] & 4) != 0 ? 4 : 0;
            frame.whole = true;
            break;
        }
    }
    return frame;
}

static enum stoa_status zstd_split(struct stoa_inflate *zstd, const uint8_t *in, size_t nin,
                                   bool whole, size_t max_nbytes, size_t max_text_nbytes,
                                   struct stoa_inflate_piece *piece, struct stoa_error *err)
{
    size_t at = 0, text_nbytes = 0;

    if (zstd->begun)
        return STOA_OK;
    while (text_nbytes < PIECE_TEXT_NBYTES && zstd_match(in + at, nin - at) == STOA_INFLATE_YES) {
        struct frame frame = look_at_frame(in + at, nin - at, max_text_nbytes - text_nbytes);
        bool fits =
            frame.nbytes <= max_nbytes - at && frame.text_nbytes <= max_text_nbytes - text_nbytes;

        if (!fits || !frame.whole || frame.nbytes > nin - at) {
            if (at == 0 && fits && !whole)
                piece->want = frame.nbytes > nin ? frame.nbytes : nin + 1;
            break;
        }
        text_nbytes += frame.text_nbytes;
        at += frame.nbytes;
    }
    if (at == 0)
        return STOA_OK;
    piece->nused = at;
    piece->text_nbytes = piece->max_text_nbytes = text_nbytes;
    piece->member_end = true;
    return stoa_buffer_append(piece->bytes, in, at, err);
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
    .split = zstd_split,
    .next = zstd_next,
    .close = zstd_close,
};
