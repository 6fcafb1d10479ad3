/*
 * The end of a file: trailer and packed footer (spec/format.md, "Footer").
 *
 *     FOOT header | sections ... | section table | trailer
 *                                                 ^ read first, with the 64 KiB in front of it
 *     FOOT header | zstd frame of sections and table | zeros | trailer
 *
 * The trailer tells what is wrong with a file that is no whole Stoa file; each case has a message
 * of its own, because "corrupt" helps nobody who has merely copied half a file. A packed footer is
 * decompressed here, and read as if it stood in the file from then on.
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "codec/compress_zstd.h"
#include "file/footer.h"

enum { TAIL_NBYTES = 65536 };

/* ---- What a file is that has no good trailer. ---- */

static bool is_trailer_of(const uint8_t *bytes, uint64_t file_nbytes)
{
    struct stoa_trailer trailer;

    return stoa_trailer_unpack(bytes, &trailer, NULL) == STOA_OK &&
           trailer.file_nbytes == file_nbytes;
}

/* The end of a Stoa file that other bytes follow, if it lies in the tail; else 0. */
static uint64_t find_inner_end(const struct stoa_footer *footer)
{
    uint64_t size = footer->source->nbytes;
    uint64_t end = size - size % STOA_OBJECT_NBYTES;

    for (; end >= footer->tail_off + STOA_TRAILER_NBYTES; end -= STOA_OBJECT_NBYTES)
        if (is_trailer_of(footer->tail + (end - STOA_TRAILER_NBYTES - footer->tail_off), end))
            return end;
    return 0;
}

static enum stoa_status starts_with_magic(const struct stoa_footer *footer, uint64_t offset,
                                          bool *yes, struct stoa_error *err)
{
    uint8_t bytes[STOA_MAGIC_NBYTES];
    enum stoa_status st;

    *yes = false;
    if (footer->source->nbytes - offset < sizeof(bytes))
        return STOA_OK;
    st = stoa_footer_read(footer, offset, bytes, sizeof(bytes), err);
    if (st == STOA_OK)
        *yes = stoa_object_has_magic(bytes);
    return st;
}

static enum stoa_status fail_without_trailer(const struct stoa_footer *footer,
                                             struct stoa_error *err)
{
    uint64_t inner_end;
    bool starts;
    enum stoa_status st = starts_with_magic(footer, 0, &starts, err);

    if (st != STOA_OK)
        return st;
    if (!starts)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 0, "not a Stoa file");
    inner_end = find_inner_end(footer);
    if (inner_end != 0)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, inner_end,
                            "%" PRIu64 " bytes follow the end of the Stoa file",
                            footer->source->nbytes - inner_end);
    return stoa_fail_at(err, STOA_ERR_CORRUPT, footer->source->nbytes,
                        "cut short or not finished: it starts like a Stoa file and has no end");
}

static enum stoa_status fail_of_other_length(const struct stoa_footer *footer,
                                             struct stoa_error *err)
{
    uint64_t size = footer->source->nbytes, claimed = footer->trailer.file_nbytes;
    uint64_t extra = size - claimed;
    bool first, second;
    enum stoa_status st;

    if (claimed > size)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, size,
                            "%" PRIu64 " bytes, its end says %" PRIu64
                            ": bytes are missing before the end",
                            size, claimed);
    STOA_TRY(starts_with_magic(footer, 0, &first, err));
    STOA_TRY(starts_with_magic(footer, extra, &second, err));
    if (first && second)
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, extra,
                          "two Stoa files in one: the second starts at byte %" PRIu64, extra);
    else
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, 0,
                          "%" PRIu64 " bytes, its end says %" PRIu64
                          ": two files in one, or bytes put in front or in between",
                          size, claimed);
out:
    return st;
}

static enum stoa_status open_trailer(struct stoa_footer *footer, struct stoa_error *err)
{
    uint64_t size = footer->source->nbytes;
    size_t ntail = size < TAIL_NBYTES ? (size_t)size : TAIL_NBYTES;
    enum stoa_status st;
    const uint8_t *end;

    if (size == 0)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 0, "not a Stoa file: it is empty");
    STOA_TRY(stoa_alloc(&footer->tail, ntail, err));
    footer->tail_off = size - ntail;
    STOA_TRY(footer->source->read_at(footer->source, footer->tail_off, footer->tail, ntail, err));
    end = footer->tail + ntail;
    if (ntail < STOA_TRAILER_NBYTES || !stoa_trailer_has_magic(end - STOA_MAGIC_NBYTES))
        return fail_without_trailer(footer, err);
    st = stoa_trailer_unpack(end - STOA_TRAILER_NBYTES, &footer->trailer, err);
    if (st == STOA_OK && footer->trailer.file_nbytes != size)
        return fail_of_other_length(footer, err);
    if (st != STOA_OK && err != NULL)
        err->offset = size - STOA_TRAILER_NBYTES;
out:
    return st;
}

/* ---- A packed footer. ---- */

/* The header of FOOT tells how long the frame is. */
static enum stoa_status read_footer_header(const struct stoa_footer *footer,
                                           struct stoa_object *out, struct stoa_error *err)
{
    const struct stoa_trailer *trailer = &footer->trailer;
    uint64_t body_nbytes = trailer->file_nbytes - trailer->footer_off - STOA_OBJECT_NBYTES;
    uint8_t bytes[STOA_OBJECT_NBYTES];
    enum stoa_status st;

    STOA_TRY(stoa_footer_read(footer, trailer->footer_off, bytes, sizeof(bytes), err));
    STOA_TRY(stoa_object_unpack(bytes, out, err));
    if (out->kind != STOA_OBJECT_FOOTER || out->body_nbytes != body_nbytes ||
        out->dir_nbytes > body_nbytes - STOA_TRAILER_NBYTES)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "an object of kind %u with %" PRIu64 " bytes where a footer of %" PRIu64
                         " must be",
                         out->kind, out->body_nbytes, body_nbytes);
out:
    return st;
}

static enum stoa_status open_packed(struct stoa_footer *footer, struct stoa_error *err)
{
    uint64_t offset = footer->trailer.footer_off + STOA_OBJECT_NBYTES;
    struct stoa_zstd_decoder *decoder = NULL;
    uint8_t *frame = NULL, *packed = NULL;
    struct stoa_object header;
    enum stoa_status st;

    if (footer->trailer.packed_nbytes == 0)
        return STOA_OK;
    STOA_TRY(read_footer_header(footer, &header, err));
    STOA_TRY(stoa_alloc(&frame, header.dir_nbytes, err));
    STOA_TRY(stoa_alloc(&packed, footer->trailer.packed_nbytes, err));
    STOA_TRY(stoa_footer_read(footer, offset, frame, header.dir_nbytes, err));
    if (stoa_hash(frame, header.dir_nbytes) != header.dir_hash) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
        goto out;
    }
    STOA_TRY(stoa_zstd_decoder_new(&decoder, err));
    STOA_TRY(stoa_zstd_decompress(decoder, frame, header.dir_nbytes, packed,
                                  footer->trailer.packed_nbytes, err));
    footer->packed = packed;
    packed = NULL;
out:
    stoa_zstd_decoder_free(decoder);
    stoa_free(packed);
    stoa_free(frame);
    if (st != STOA_OK && err != NULL)
        err->offset = offset;
    return st == STOA_OK ? st : stoa_wrap(err, st, "footer");
}

enum stoa_status stoa_footer_open_trailer(struct stoa_footer *footer, struct stoa_error *err)
{
    enum stoa_status st = open_trailer(footer, err);

    return st == STOA_OK ? open_packed(footer, err) : st;
}
