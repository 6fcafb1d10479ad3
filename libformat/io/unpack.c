/*
 * Members and pieces of a compressed input.
 *
 *     below -> buffer -> member | member | padding | member -> text          in order
 *                        piece | piece | piece | piece                       by any thread
 *
 * The end is reported when it is one: behind a complete member whose checksums are right, with
 * nothing after it but further members. A file that was cut exactly between two members can't be
 * told from a whole one; the formats give no means.
 */
#include "io/unpack.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"

#define READ_NBYTES ((size_t)256 << 10)

enum stoa_status stoa_unpack_fill(struct stoa_unpack *unpack, size_t want, struct stoa_error *err)
{
    struct stoa_buffer *buffer = &unpack->buffer;
    size_t got;
    enum stoa_status st = STOA_OK;

    if (unpack->at_end || stoa_unpack_nbytes(unpack) >= want)
        return STOA_OK;
    if (unpack->begin > 0) {
        buffer->nbytes -= unpack->begin;
        memmove(buffer->data, buffer->data + unpack->begin, buffer->nbytes);
        unpack->begin = 0;
    }
    if (buffer->capacity < want || buffer->capacity < READ_NBYTES)
        STOA_TRY(stoa_buffer_reserve(
            buffer, (want > READ_NBYTES ? want : READ_NBYTES) - buffer->nbytes, err));
    while (buffer->nbytes < want && !unpack->at_end) {
        STOA_TRY(unpack->below->read(unpack->below, buffer->data + buffer->nbytes,
                                     buffer->capacity - buffer->nbytes, &got, err));
        buffer->nbytes += got;
        unpack->at_end = got == 0;
    }
out:
    return st;
}

enum stoa_status stoa_unpack_init(struct stoa_unpack *unpack, struct stoa_stream *below,
                                  const struct stoa_compression *compression,
                                  struct stoa_error *err)
{
    enum stoa_status st;

    *unpack = (struct stoa_unpack){
        .below = below, .compression = compression, .one_member = compression != NULL};
    STOA_TRY(stoa_unpack_fill(unpack, STOA_INFLATE_PEEK_NBYTES, err));
    if (compression == NULL) {
        st = stoa_inflate_detect(unpack->buffer.data, stoa_unpack_nbytes(unpack),
                                 &unpack->compression, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "%s", below->name);
            goto out;
        }
    }
    if (unpack->compression != NULL)
        STOA_TRY(unpack->compression->open(&unpack->inflate, err));
out:
    if (st != STOA_OK)
        stoa_unpack_reset(unpack);
    return st;
}

void stoa_unpack_reset(struct stoa_unpack *unpack)
{
    if (unpack->inflate != NULL)
        unpack->compression->close(unpack->inflate);
    stoa_buffer_free(&unpack->buffer);
    *unpack = (struct stoa_unpack){0};
}

static const uint8_t *input_of(const struct stoa_unpack *unpack)
{
    return unpack->buffer.data + unpack->begin;
}

static void use(struct stoa_unpack *unpack, size_t nbytes)
{
    unpack->begin += nbytes;
    unpack->nused += nbytes;
}

static enum stoa_status fault(struct stoa_unpack_error *error, enum stoa_unpack_fault kind,
                              uint64_t offset, enum stoa_status st)
{
    error->fault = kind;
    error->offset = offset;
    error->err.status = st;
    return st;
}

static enum stoa_status fault_early(const struct stoa_unpack *unpack,
                                    struct stoa_unpack_error *error)
{
    return fault(error, STOA_UNPACK_EARLY, unpack->nused + stoa_unpack_nbytes(unpack),
                 STOA_ERR_DATA);
}

static enum stoa_status fill(struct stoa_unpack *unpack, size_t want,
                             struct stoa_unpack_error *error)
{
    enum stoa_status st = stoa_unpack_fill(unpack, want, &error->err);

    return st == STOA_OK ? st : fault(error, STOA_UNPACK_BELOW, unpack->nused, st);
}

static enum stoa_status fault_decoder(struct stoa_unpack_error *error, uint64_t offset,
                                      enum stoa_status st)
{
    return fault(error, st == STOA_ERR_DATA ? STOA_UNPACK_DAMAGED : STOA_UNPACK_DECODER, offset,
                 st);
}

/* Looks for the next member; `in_member` stays false at the end. */
static enum stoa_status begin_member(struct stoa_unpack *unpack, struct stoa_unpack_error *error)
{
    static const uint8_t zeros[8];
    const struct stoa_compression *compression = unpack->compression;
    size_t padding = compression->padding;
    enum stoa_inflate_match match;
    enum stoa_status st;

    STOA_TRY(fill(unpack, STOA_INFLATE_PEEK_NBYTES, error));
    while (padding > 0 && stoa_unpack_nbytes(unpack) >= padding &&
           memcmp(input_of(unpack), zeros, padding) == 0) {
        use(unpack, padding);
        STOA_TRY(fill(unpack, STOA_INFLATE_PEEK_NBYTES, error));
    }
    if (stoa_unpack_nbytes(unpack) == 0 && (!unpack->one_member || unpack->nused > 0))
        return STOA_OK;
    match = compression->match(input_of(unpack), stoa_unpack_nbytes(unpack));
    if (match == STOA_INFLATE_CUT || stoa_unpack_nbytes(unpack) == 0)
        return fault_early(unpack, error);
    if (match == STOA_INFLATE_NO || (unpack->one_member && unpack->nused > 0))
        return fault(error, STOA_UNPACK_FOLLOWED, unpack->nused, STOA_ERR_DATA);
    st = compression->next(unpack->inflate, &error->err);
    if (st != STOA_OK)
        return fault_decoder(error, unpack->nused, st);
    unpack->in_member = true;
out:
    return st;
}

enum stoa_status stoa_unpack_text(struct stoa_unpack *unpack, uint8_t *out, size_t nbytes,
                                  size_t *got, struct stoa_unpack_error *error)
{
    const struct stoa_compression *compression = unpack->compression;
    struct stoa_inflate_step step = {0};
    enum stoa_status st = STOA_OK;

    *got = 0;
    while (step.nput == 0) {
        size_t nin;

        if (!unpack->in_member) {
            STOA_TRY(begin_member(unpack, error));
            if (!unpack->in_member)
                break;
        }
        STOA_TRY(fill(unpack, 1, error));
        nin = stoa_unpack_nbytes(unpack);
        step = (struct stoa_inflate_step){0};
        st = compression->step(unpack->inflate, input_of(unpack), nin, out, nbytes, &step,
                               &error->err);
        use(unpack, step.nused);
        if (st != STOA_OK) {
            fault_decoder(error, unpack->nused, st);
            break;
        }
        if (step.member_end)
            unpack->in_member = false;
        else if (step.nput == 0 && step.nused == 0 && unpack->at_end)
            return fault_early(unpack, error);
        else if (step.nput == 0 && step.nused == 0)
            STOA_TRY(fill(unpack, nin + 1, error));
    }
out:
    *got = step.nput;
    return st;
}

enum stoa_status stoa_unpack_split(struct stoa_unpack *unpack, size_t max_nbytes,
                                   size_t max_text_nbytes, struct stoa_inflate_piece *piece,
                                   struct stoa_unpack_error *error)
{
    const struct stoa_compression *compression = unpack->compression;
    enum stoa_status st = STOA_OK;

    while (compression->split != NULL && piece->bytes->nbytes == 0) {
        if (!unpack->in_member) {
            STOA_TRY(begin_member(unpack, error));
            if (!unpack->in_member)
                break;
        }
        piece->nused = piece->want = 0;
        piece->member_end = false;
        st = compression->split(unpack->inflate, input_of(unpack), stoa_unpack_nbytes(unpack),
                                unpack->at_end, max_nbytes, max_text_nbytes, piece, &error->err);
        if (st != STOA_OK)
            return fault_decoder(error, unpack->nused, st);
        use(unpack, piece->nused);
        if (piece->member_end)
            unpack->in_member = false;
        else if (piece->nused == 0 && piece->want > stoa_unpack_nbytes(unpack))
            STOA_TRY(fill(unpack, piece->want, error));
        else if (piece->nused == 0 && compression->pieces_only)
            return fault_early(unpack, error);
        else if (piece->nused == 0)
            break;
    }
out:
    return st;
}

/* Room for more text than there is, as long as there may be more. */
static enum stoa_status more_room(const struct stoa_inflate_piece *piece, struct stoa_buffer *text,
                                  struct stoa_error *err)
{
    size_t want = text->capacity == 0 ? piece->text_nbytes : 2 * text->capacity;

    if (text->nbytes > piece->max_text_nbytes)
        return stoa_fail(err, STOA_ERR_DATA, "more text than its lengths say");
    if (want > piece->max_text_nbytes)
        want = piece->max_text_nbytes;
    /* One byte more than it can be: a decoder with no room at all could not say that it is done. */
    return stoa_buffer_reserve(text, want + 1 - text->nbytes, err);
}

enum stoa_status stoa_unpack_piece(const struct stoa_compression *compression,
                                   struct stoa_inflate *inflate,
                                   const struct stoa_inflate_piece *piece, struct stoa_buffer *text,
                                   struct stoa_unpack_error *error)
{
    const uint8_t *in = piece->bytes->data, *const end = in + piece->bytes->nbytes;
    struct stoa_inflate_step step = {.member_end = true};
    enum stoa_status st = STOA_OK;

    while (in < end || !step.member_end) {
        if (step.member_end)
            STOA_TRY(compression->next(inflate, &error->err));
        if (text->nbytes == text->capacity || text->nbytes > piece->max_text_nbytes)
            STOA_TRY(more_room(piece, text, &error->err));
        step = (struct stoa_inflate_step){0};
        st = compression->step(inflate, in, (size_t)(end - in), text->data + text->nbytes,
                               text->capacity - text->nbytes, &step, &error->err);
        in += step.nused;
        text->nbytes += step.nput;
        if (st == STOA_OK && step.nused == 0 && step.nput == 0 && !step.member_end)
            st = stoa_fail(&error->err, STOA_ERR_DATA, "its lengths are wrong");
        STOA_TRY(st);
    }
out:
    return st == STOA_OK ? st : fault_decoder(error, (uint64_t)(in - piece->bytes->data), st);
}

enum stoa_status stoa_unpack_fail(const struct stoa_unpack *unpack,
                                  const struct stoa_unpack_error *error, uint64_t ntext,
                                  struct stoa_error *err)
{
    const char *name = unpack->below->name, *format = unpack->compression->name;
    const enum stoa_status st = error->err.status;

    if (err != NULL) {
        *err = error->err;
        if (error->fault != STOA_UNPACK_BELOW)
            err->offset = error->offset;
    }
    switch (error->fault) {
    case STOA_UNPACK_EARLY:
        return stoa_fail_at(err, st, error->offset,
                            "%s: %s data ends early, after %" PRIu64 " bytes of text", name, format,
                            ntext);
    case STOA_UNPACK_FOLLOWED:
        return stoa_fail_at(err, st, error->offset,
                            "%s: %s data ends at byte %" PRIu64 ", after %" PRIu64
                            " bytes of text, and something else follows",
                            name, format, error->offset, ntext);
    case STOA_UNPACK_DAMAGED:
        return stoa_wrap(err, st,
                         "%s: %s data is damaged near byte %" PRIu64 ", after %" PRIu64
                         " bytes of text",
                         name, format, error->offset, ntext);
    case STOA_UNPACK_DECODER:
        return stoa_wrap(err, st, "%s: %s data", name, format);
    default:
        return st;
    }
}
