/*
 * From UTF-8 back to an encoding, with the patches of the decoder (spec/csv.md, "Encodings").
 *
 *     encoded  . . . . . . | gives | . . . .        the next patch says at which byte of the output
 *     output   . . . . . . | bytes | . . . .        to drop what encoding gives, and what to write
 */
#include "csv/encoding.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "csv/charset.h"

#define PIECE_NBYTES ((size_t)16 << 10)
#define CARRY_NBYTES 4 /* of a character of UTF-8 */
#define HEAD_NBYTES  10

struct stoa_csv_encoder {
    char *encoding;
    struct stoa_csv_charset *charset; /* NULL: UTF-8 */
    struct stoa_buffer patches;
    size_t patch;                /* where the next one begins */
    uint64_t offset;             /* bytes written */
    size_t ndrop;                /* encoded bytes still to be dropped */
    uint8_t carry[CARRY_NBYTES]; /* the beginning of a character */
    size_t ncarry;
    uint8_t piece[PIECE_NBYTES];
};

/* Patches follow each other and none overlaps the one before. */
static enum stoa_status check_patches(const uint8_t *patches, size_t npatches,
                                      struct stoa_error *err)
{
    uint64_t end = 0;

    for (size_t at = 0; at < npatches;) {
        const uint64_t offset = npatches - at >= HEAD_NBYTES ? stoa_load64(patches + at) : 0;
        const size_t nbytes = npatches - at >= HEAD_NBYTES ? patches[at + 8] : 0;

        if (npatches - at < HEAD_NBYTES + nbytes || offset < end || offset > INT64_MAX)
            return stoa_fail(err, STOA_ERR_CORRUPT, "patch at byte %zu is none", at);
        end = offset + nbytes;
        at += HEAD_NBYTES + nbytes;
    }
    return STOA_OK;
}

enum stoa_status stoa_csv_encoder_open(const char *encoding, const uint8_t *patches,
                                       size_t npatches, struct stoa_csv_encoder **out,
                                       struct stoa_error *err)
{
    struct stoa_csv_encoder *encoder = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&encoder, 1, sizeof(*encoder), err));
    STOA_TRY(check_patches(patches, npatches, err));
    STOA_TRY(stoa_buffer_append(&encoder->patches, patches, npatches, err));
    STOA_TRY(stoa_strndup(&encoder->encoding, encoding, strlen(encoding), err));
    if (strcmp(encoding, "UTF-8") != 0)
        STOA_TRY(stoa_csv_charset_open(encoding, "UTF-8", &encoder->charset, err));
    *out = encoder;
    encoder = NULL;
out:
    stoa_csv_encoder_close(encoder);
    return st;
}

void stoa_csv_encoder_close(struct stoa_csv_encoder *encoder)
{
    if (encoder == NULL)
        return;
    stoa_csv_charset_close(encoder->charset);
    stoa_buffer_free(&encoder->patches);
    stoa_free(encoder->encoding);
    stoa_free(encoder);
}

/* Bytes up to the next patch, at most nbytes. */
static size_t until_patch(const struct stoa_csv_encoder *encoder, size_t nbytes)
{
    uint64_t left;

    if (encoder->patch == encoder->patches.nbytes)
        return nbytes;
    left = stoa_load64(encoder->patches.data + encoder->patch) - encoder->offset;
    return left < nbytes ? (size_t)left : nbytes;
}

/* Appends encoded bytes, patched. */
static enum stoa_status emit(struct stoa_csv_encoder *encoder, const uint8_t *bytes, size_t nbytes,
                             struct stoa_buffer *out, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    while (nbytes > 0) {
        size_t n = encoder->ndrop < nbytes ? encoder->ndrop : nbytes;

        encoder->ndrop -= n;
        bytes += n;
        nbytes -= n;
        if (encoder->ndrop > 0 || nbytes == 0)
            break;
        n = until_patch(encoder, nbytes);
        STOA_TRY(stoa_buffer_append(out, bytes, n, err));
        bytes += n;
        nbytes -= n;
        encoder->offset += n;
        if (nbytes > 0) { /* a patch begins here */
            const uint8_t *patch = encoder->patches.data + encoder->patch;

            STOA_TRY(stoa_buffer_append(out, patch + HEAD_NBYTES, patch[8], err));
            encoder->offset += patch[8];
            encoder->ndrop = patch[9];
            encoder->patch += HEAD_NBYTES + patch[8];
        }
    }
out:
    return st;
}

static enum stoa_status fail_character(const struct stoa_csv_encoder *encoder, const uint8_t *text,
                                       size_t nbytes, struct stoa_error *err)
{
    char shown[32];
    size_t n = 1;

    while (n < nbytes && n < CARRY_NBYTES && (text[n] & 0xc0) == 0x80)
        n++;
    return stoa_fail(err, STOA_ERR_DATA, "%s has no \"%s\"", encoder->encoding,
                     stoa_quote(shown, sizeof(shown), (const char *)text, n));
}

/* Encodes text[0..nbytes); *nused is less when it ends inside a character. */
static enum stoa_status encode(struct stoa_csv_encoder *encoder, const uint8_t *text, size_t nbytes,
                               size_t *nused, struct stoa_buffer *out, struct stoa_error *err)
{
    const uint8_t *at = text;
    enum stoa_csv_step step = STOA_CSV_STEP_FULL;
    enum stoa_status st = STOA_OK;

    while (step == STOA_CSV_STEP_FULL) {
        uint8_t *to = encoder->piece;
        size_t nto = PIECE_NBYTES;

        step = stoa_csv_charset_step(encoder->charset, &at, &nbytes, &to, &nto);
        STOA_TRY(emit(encoder, encoder->piece, PIECE_NBYTES - nto, out, err));
        if (step == STOA_CSV_STEP_BAD)
            return fail_character(encoder, at, nbytes, err);
    }
    *nused = (size_t)(at - text);
out:
    return st;
}

enum stoa_status stoa_csv_encoder_write(struct stoa_csv_encoder *encoder, const void *bytes,
                                        size_t nbytes, struct stoa_buffer *out,
                                        struct stoa_error *err)
{
    const uint8_t *text = bytes;
    size_t nused = 0;
    enum stoa_status st = STOA_OK;

    if (encoder->charset == NULL)
        return emit(encoder, text, nbytes, out, err);
    while (nbytes > 0 && encoder->ncarry > 0) { /* the rest of a character, byte by byte */
        if (encoder->ncarry == CARRY_NBYTES)
            return fail_character(encoder, encoder->carry, encoder->ncarry, err);
        encoder->carry[encoder->ncarry++] = *text++;
        nbytes--;
        STOA_TRY(encode(encoder, encoder->carry, encoder->ncarry, &nused, out, err));
        if (nused > 0)
            encoder->ncarry = 0;
    }
    if (nbytes == 0)
        return STOA_OK;
    STOA_TRY(encode(encoder, text, nbytes, &nused, out, err));
    if (nbytes - nused > CARRY_NBYTES)
        return fail_character(encoder, text + nused, nbytes - nused, err);
    encoder->ncarry = nbytes - nused;
    memcpy(encoder->carry, text + nused, encoder->ncarry);
out:
    return st;
}

enum stoa_status stoa_csv_encoder_finish(struct stoa_csv_encoder *encoder, struct stoa_buffer *out,
                                         struct stoa_error *err)
{
    uint8_t *to = encoder->piece;
    size_t nto = PIECE_NBYTES;
    enum stoa_status st = STOA_OK;

    if (encoder->ncarry > 0)
        return stoa_fail(err, STOA_ERR_DATA, "the text ends inside a character");
    if (encoder->charset != NULL) {
        stoa_csv_charset_flush(encoder->charset, &to, &nto);
        STOA_TRY(emit(encoder, encoder->piece, PIECE_NBYTES - nto, out, err));
    }
    if (encoder->patch < encoder->patches.nbytes || encoder->ndrop > 0)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "the text ends in front of the last patch");
out:
    return st;
}
