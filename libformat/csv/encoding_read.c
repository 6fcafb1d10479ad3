/*
 * Which encoding a text is in, and the stream that makes UTF-8 of it (spec/csv.md, "Encodings").
 *
 *     below -> in[]  .. used .. | begin .. end |  -> iconv -> the caller's bytes
 *                                                    iconv back -> the same as was used?
 *
 * Every piece is encoded again at once. Where that gives other bytes, the piece is done over one
 * character at a time and the odd ones become patches:
 *
 *     u64 offset in the input | u8 bytes there | u8 bytes that encoding gives | the bytes there
 */
#include "csv/encoding.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "csv/charset.h"

#define IN_NBYTES          ((size_t)64 << 10)
#define SPILL_NBYTES       64 /* of one character, or what a flush gives */
#define CHARACTER_NBYTES   16 /* no encoding has longer ones */
#define MAX_PATCHES_NBYTES ((size_t)1 << 20)

struct decoder {
    struct stoa_stream base;
    struct stoa_stream *below;
    const char *encoding;
    bool mark;
    struct stoa_csv_charset *decode; /* NULL: UTF-8 goes through */
    struct stoa_csv_charset *probe;  /* the same, for single characters */
    struct stoa_csv_charset *encode;
    uint8_t *in; /* IN_NBYTES */
    size_t begin, end;
    bool ended; /* below has no more */
    bool flushed;
    uint64_t offset; /* of in[begin] */
    uint64_t nlines; /* line feeds in the text so far */
    uint8_t spill[SPILL_NBYTES];
    size_t spill_begin, spill_end;
    struct stoa_buffer again; /* what encoding a piece gives */
    struct stoa_buffer patches;
    bool exact;
};

/* ---- Detection. ---- */

static const struct {
    const char *name;
    size_t nbytes;
    uint8_t mark[4];
} marks[] = {
    /* That of UTF-32LE begins with that of UTF-16LE. */
    {"UTF-8", 3, {0xef, 0xbb, 0xbf}},    {"UTF-32LE", 4, {0xff, 0xfe, 0, 0}},
    {"UTF-32BE", 4, {0, 0, 0xfe, 0xff}}, {"UTF-16LE", 2, {0xff, 0xfe}},
    {"UTF-16BE", 2, {0xfe, 0xff}},
};

/* Zero bytes at places 0 to 3 of each four. */
static void count_zeros(const uint8_t *bytes, size_t nbytes, size_t out[4])
{
    memset(out, 0, 4 * sizeof(*out));
    for (size_t i = 0; i < nbytes; i++)
        out[i % 4] += bytes[i] == 0;
}

/*
 * Whether every byte that is a line end in ASCII could be the low half of one in UTF-16. Text with
 * a NUL here and there is not taken for UTF-16, which has hardly a U+0A61.
 */
static bool line_ends_fit(const uint8_t *bytes, size_t nbytes, bool big_endian)
{
    const size_t low = big_endian ? 1 : 0;

    for (size_t i = 0; i + 1 < nbytes; i += 2)
        if ((bytes[i + low] == '\n' || bytes[i + low] == '\r') && bytes[i + 1 - low] != 0)
            return false;
    return true;
}

const char *stoa_csv_encoding_detect(const uint8_t *bytes, size_t nbytes, bool *mark)
{
    size_t zeros[4];
    const size_t n = nbytes / 4;

    *mark = false;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (nbytes >= marks[i].nbytes && memcmp(bytes, marks[i].mark, marks[i].nbytes) == 0) {
            *mark = true;
            return marks[i].name;
        }
    }
    /* Delimiters, digits and line ends of any language have zeros at the same places. */
    count_zeros(bytes, 4 * n, zeros);
    if (n == 0)
        return "UTF-8";
    if (zeros[3] == n && zeros[2] == n && zeros[0] == 0)
        return "UTF-32LE";
    if (zeros[0] == n && zeros[1] == n && zeros[3] == 0)
        return "UTF-32BE";
    if (zeros[0] + zeros[2] == 0 && (zeros[1] + zeros[3]) * 5 >= 2 * n &&
        line_ends_fit(bytes, 4 * n, false))
        return "UTF-16LE";
    if (zeros[1] + zeros[3] == 0 && (zeros[0] + zeros[2]) * 5 >= 2 * n &&
        line_ends_fit(bytes, 4 * n, true))
        return "UTF-16BE";
    return "UTF-8";
}

/* "utf8", "UTF-8" and "Utf_8" are one name. */
static bool is_same_name(const char *name, const char *other)
{
    for (;; name++, other++) {
        while (*name == '-' || *name == '_')
            name++;
        while (*other == '-' || *other == '_')
            other++;
        if ((*name | 0x20) != (*other | 0x20) || *name == '\0' || *other == '\0')
            return *name == *other;
    }
}

static const char *resolve(const struct decoder *decoder, const char *encoding, bool *mark)
{
    /* However much a read delivered. */
    const size_t nbytes =
        decoder->end < STOA_CSV_DETECT_NBYTES ? decoder->end : STOA_CSV_DETECT_NBYTES;
    const char *detected = stoa_csv_encoding_detect(decoder->in, nbytes, mark);

    if (encoding == NULL)
        return detected;
    if (is_same_name(encoding, "UTF-8"))
        return "UTF-8";
    if (is_same_name(encoding, "UTF-16"))
        return strncmp(detected, "UTF-16", 6) == 0 ? detected : "UTF-16LE";
    if (is_same_name(encoding, "UTF-32"))
        return strncmp(detected, "UTF-32", 6) == 0 ? detected : "UTF-32LE";
    *mark = *mark && is_same_name(encoding, detected);
    return encoding;
}

/* ---- Bytes from below. ---- */

static enum stoa_status fill(struct decoder *decoder, struct stoa_error *err)
{
    struct stoa_stream *below = decoder->below;
    size_t got = 0;
    enum stoa_status st;

    if (decoder->begin > 0)
        memmove(decoder->in, decoder->in + decoder->begin, decoder->end - decoder->begin);
    decoder->end -= decoder->begin;
    decoder->begin = 0;
    assert(decoder->end < IN_NBYTES);
    st = below->read(below, decoder->in + decoder->end, IN_NBYTES - decoder->end, &got, err);
    decoder->end += got;
    decoder->ended = st == STOA_OK && got == 0;
    decoder->base.consumed_nbytes = below->consumed_nbytes;
    return st;
}

static enum stoa_status read_through(struct decoder *decoder, uint8_t *out, size_t nbytes,
                                     size_t *got, struct stoa_error *err)
{
    const size_t left = decoder->end - decoder->begin;
    enum stoa_status st;

    if (left > 0) {
        *got = nbytes < left ? nbytes : left;
        memcpy(out, decoder->in + decoder->begin, *got);
        decoder->begin += *got;
        return STOA_OK;
    }
    if (decoder->ended)
        return STOA_OK;
    st = decoder->below->read(decoder->below, out, nbytes, got, err);
    decoder->base.consumed_nbytes = decoder->below->consumed_nbytes;
    return st;
}

/* ---- The way back. ---- */

static enum stoa_status add_patch(struct decoder *decoder, uint64_t offset, const uint8_t *bytes,
                                  size_t nbytes, size_t nagain, struct stoa_error *err)
{
    uint8_t head[10];
    enum stoa_status st;

    stoa_store64(head, offset);
    head[8] = (uint8_t)nbytes;
    head[9] = (uint8_t)nagain;
    STOA_TRY(stoa_buffer_append(&decoder->patches, head, sizeof(head), err));
    STOA_TRY(stoa_buffer_append(&decoder->patches, bytes, nbytes, err));
    if (decoder->patches.nbytes > MAX_PATCHES_NBYTES)
        decoder->exact = false;
out:
    return st;
}

/* One character at in[0..nin), in the state at the beginning; 0 bytes when there is none. */
static size_t one_character(struct decoder *decoder, const uint8_t *in, size_t nin,
                            uint8_t text[SPILL_NBYTES], size_t *ntext)
{
    for (size_t n = 1; n <= nin && n <= CHARACTER_NBYTES; n++) {
        const uint8_t *from = in;
        uint8_t *to = text;
        size_t nfrom = n, nto = SPILL_NBYTES;

        stoa_csv_charset_restart(decoder->probe);
        if (stoa_csv_charset_step(decoder->probe, &from, &nfrom, &to, &nto) == STOA_CSV_STEP_DONE &&
            stoa_csv_charset_flush(decoder->probe, &to, &nto) == STOA_CSV_STEP_DONE && nfrom == 0 &&
            nto < SPILL_NBYTES) {
            *ntext = SPILL_NBYTES - nto;
            return n;
        }
    }
    return 0;
}

/* Encodes text from the state at the beginning; false when it does not fit or can't be. */
static bool encode_again(struct decoder *decoder, const uint8_t *text, size_t ntext, uint8_t *out,
                         size_t room, size_t *nbytes)
{
    uint8_t *to = out;
    size_t nto = room;

    stoa_csv_charset_restart(decoder->encode);
    if (stoa_csv_charset_step(decoder->encode, &text, &ntext, &to, &nto) != STOA_CSV_STEP_DONE ||
        stoa_csv_charset_flush(decoder->encode, &to, &nto) != STOA_CSV_STEP_DONE)
        return false;
    *nbytes = room - nto;
    return true;
}

/*
 * Whether the bytes of a character are always the same, whatever stands beside it. Only then a
 * patch for one character leaves the others alone. These are characters that sets with a memory
 * shift for, or join with the one in front.
 */
static bool has_no_memory(struct decoder *decoder)
{
    static const char *const characters[] = {
        "|",
        "a",
        "~",
        "\xc3\x8a",
        "\xcc\x80",
        "\xcc\x84",
        "\xe3\x81\x8b",
        "\xe3\x82\x9a",
        "\xea\xb0\x80",
    };
    const size_t n = sizeof(characters) / sizeof(characters[0]);

    for (size_t i = 0; i < n * n; i++) {
        const char *texts[2] = {characters[i / n], characters[i % n]};
        uint8_t pair[8], alone[2 * SPILL_NBYTES], together[2 * SPILL_NBYTES];
        size_t npair = 0, nalone = 0, ntogether;
        bool known = true;

        for (size_t k = 0; k < 2; k++) {
            const size_t ntext = strlen(texts[k]);
            size_t nbytes = 0;

            known &= encode_again(decoder, (const uint8_t *)texts[k], ntext, alone + nalone,
                                  SPILL_NBYTES, &nbytes);
            nalone += nbytes;
            memcpy(pair + npair, texts[k], ntext);
            npair += ntext;
        }
        if (known && (!encode_again(decoder, pair, npair, together, sizeof(together), &ntogether) ||
                      ntogether != nalone || memcmp(together, alone, nalone) != 0))
            return false;
    }
    return true;
}

/* Finds the characters of a piece that encoding gives other bytes for. */
static enum stoa_status patch_piece(struct decoder *decoder, const uint8_t *in, size_t nin,
                                    uint64_t offset, const uint8_t *text, size_t ntext,
                                    struct stoa_error *err)
{
    uint8_t character[SPILL_NBYTES], again[SPILL_NBYTES];
    enum stoa_status st = STOA_OK;

    while (nin > 0 && decoder->exact) {
        size_t nagain, ncharacter;
        const size_t n = one_character(decoder, in, nin, character, &ncharacter);

        if (n == 0 || ncharacter > ntext || memcmp(character, text, ncharacter) != 0 ||
            !encode_again(decoder, character, ncharacter, again, sizeof(again), &nagain)) {
            decoder->exact = false;
            break;
        }
        if (nagain != n || memcmp(again, in, n) != 0)
            STOA_TRY(add_patch(decoder, offset, in, n, nagain, err));
        in += n;
        nin -= n;
        offset += n;
        text += ncharacter;
        ntext -= ncharacter;
    }
out:
    return st;
}

/* Whether the piece that was used comes back; notes what does not. */
static enum stoa_status check_piece(struct decoder *decoder, const uint8_t *in, size_t nin,
                                    const uint8_t *text, size_t ntext, struct stoa_error *err)
{
    size_t nagain = 0;
    enum stoa_status st;

    if (!decoder->exact || nin == 0)
        return STOA_OK;
    decoder->again.nbytes = 0;
    STOA_TRY(stoa_buffer_reserve(&decoder->again, nin + SPILL_NBYTES, err));
    if (encode_again(decoder, text, ntext, decoder->again.data, nin + SPILL_NBYTES, &nagain) &&
        nagain == nin && memcmp(decoder->again.data, in, nin) == 0)
        return STOA_OK;
    STOA_TRY(patch_piece(decoder, in, nin, decoder->offset - nin, text, ntext, err));
out:
    return st;
}

/* ---- Decoding. ---- */

static uint64_t count_lines(const uint8_t *text, size_t nbytes)
{
    uint64_t n = 0;

    for (size_t i = 0; i < nbytes; i++)
        n += text[i] == '\n';
    return n;
}

static enum stoa_status fail_bytes(const struct decoder *decoder, bool cut, struct stoa_error *err)
{
    if (cut)
        return stoa_fail_at(err, STOA_ERR_DATA, decoder->offset,
                            "%s: line %" PRIu64 ": the text ends inside a character of %s, at byte "
                            "%" PRIu64,
                            decoder->base.name, decoder->nlines + 1, decoder->encoding,
                            decoder->offset);
    return stoa_fail_at(err, STOA_ERR_DATA, decoder->offset,
                        "%s: line %" PRIu64 ": byte 0x%02x at %" PRIu64
                        " is no %s: is it another encoding?",
                        decoder->base.name, decoder->nlines + 1, decoder->in[decoder->begin],
                        decoder->offset, decoder->encoding);
}

/* Decodes what is there to out[0..nbytes), which has room for a character; *got may be 0. */
static enum stoa_status decode(struct decoder *decoder, uint8_t *out, size_t nbytes, size_t *got,
                               struct stoa_error *err)
{
    const uint8_t *before = decoder->in + decoder->begin, *in = before;
    size_t nin = decoder->end - decoder->begin, nout = nbytes;
    uint8_t *to = out;
    enum stoa_csv_step step = stoa_csv_charset_step(decoder->decode, &in, &nin, &to, &nout);
    const size_t nused = (size_t)(in - before);
    enum stoa_status st;

    *got = nbytes - nout;
    decoder->begin += nused;
    decoder->offset += nused;
    STOA_TRY(check_piece(decoder, before, nused, out, *got, err));
    decoder->nlines += count_lines(out, *got);
    if (*got == 0 && step == STOA_CSV_STEP_BAD)
        return fail_bytes(decoder, false, err);
    if (step == STOA_CSV_STEP_CUT && decoder->ended && *got == 0)
        return fail_bytes(decoder, true, err);
out:
    return st;
}

static enum stoa_status read_decoded(struct decoder *decoder, uint8_t *out, size_t nbytes,
                                     size_t *got, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    while (*got == 0) {
        if (decoder->begin < decoder->end)
            STOA_TRY(decode(decoder, out, nbytes, got, err));
        if (*got > 0)
            break;
        if (decoder->ended && decoder->begin == decoder->end) {
            size_t nout = nbytes;

            if (!decoder->flushed)
                stoa_csv_charset_flush(decoder->decode, &out, &nout);
            decoder->flushed = true;
            *got = nbytes - nout;
            break;
        }
        STOA_TRY(fill(decoder, err));
    }
out:
    return st;
}

static enum stoa_status decoder_read(struct stoa_stream *stream, void *out, size_t nbytes,
                                     size_t *got, struct stoa_error *err)
{
    struct decoder *decoder = (struct decoder *)stream;
    enum stoa_status st = STOA_OK;

    *got = 0;
    if (decoder->decode == NULL)
        return read_through(decoder, out, nbytes, got, err);
    if (nbytes >= SPILL_NBYTES)
        return read_decoded(decoder, out, nbytes, got, err);
    if (decoder->spill_begin == decoder->spill_end) { /* too little room for some character */
        decoder->spill_begin = decoder->spill_end = 0;
        STOA_TRY(read_decoded(decoder, decoder->spill, SPILL_NBYTES, &decoder->spill_end, err));
    }
    *got = decoder->spill_end - decoder->spill_begin;
    if (*got > nbytes)
        *got = nbytes;
    memcpy(out, decoder->spill + decoder->spill_begin, *got);
    decoder->spill_begin += *got;
out:
    return st;
}

static void decoder_close(struct stoa_stream *stream)
{
    struct decoder *decoder = (struct decoder *)stream;

    stoa_stream_close(decoder->below);
    stoa_csv_charset_close(decoder->decode);
    stoa_csv_charset_close(decoder->probe);
    stoa_csv_charset_close(decoder->encode);
    stoa_buffer_free(&decoder->again);
    stoa_buffer_free(&decoder->patches);
    stoa_free(decoder->in);
    stoa_free(decoder);
}

/* Of what is below: text in another encoding is made when it is read. */
static bool decoder_prefetch(struct stoa_stream *stream, uint64_t max_nbytes)
{
    struct stoa_stream *below = ((struct decoder *)stream)->below;

    return below->prefetch(below, max_nbytes);
}

enum stoa_status stoa_csv_decode_open(struct stoa_stream *below, const char *encoding,
                                      struct stoa_stream **out, struct stoa_error *err)
{
    struct decoder *decoder = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&decoder, 1, sizeof(*decoder), err));
    decoder->base = (struct stoa_stream){
        .read = decoder_read,
        .prefetch = below->prefetch != NULL ? decoder_prefetch : NULL,
        .close = decoder_close,
        .name = below->name,
        .total_nbytes = below->total_nbytes,
    };
    decoder->below = below;
    below = NULL;
    decoder->exact = true;
    STOA_TRY(stoa_alloc(&decoder->in, IN_NBYTES, err));
    while (decoder->end < STOA_CSV_DETECT_NBYTES && !decoder->ended)
        STOA_TRY(fill(decoder, err));
    decoder->encoding = resolve(decoder, encoding, &decoder->mark);
    if (strcmp(decoder->encoding, "UTF-8") != 0) {
        STOA_TRY(stoa_csv_charset_open("UTF-8", decoder->encoding, &decoder->decode, err));
        STOA_TRY(stoa_csv_charset_open("UTF-8", decoder->encoding, &decoder->probe, err));
        STOA_TRY(stoa_csv_charset_open(decoder->encoding, "UTF-8", &decoder->encode, err));
        decoder->exact = has_no_memory(decoder);
    }
    *out = &decoder->base;
    decoder = NULL;
out:
    if (decoder != NULL)
        decoder_close(&decoder->base);
    stoa_stream_close(below);
    return st;
}

const char *stoa_csv_decode_encoding(const struct stoa_stream *stream, bool *mark)
{
    const struct decoder *decoder = (const struct decoder *)stream;

    *mark = decoder->mark;
    return decoder->encoding;
}

const uint8_t *stoa_csv_decode_patches(const struct stoa_stream *stream, size_t *nbytes,
                                       bool *exact)
{
    const struct decoder *decoder = (const struct decoder *)stream;

    *nbytes = decoder->patches.nbytes;
    *exact = decoder->exact;
    return decoder->patches.data;
}
