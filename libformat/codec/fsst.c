/*
 * FSST (spec/encodings.md, section 2.16): text in symbols that a table at its front explains.
 *
 *     symbols | ends of the codes of values 128, 256, ... | codes
 *     child: the lengths of the values
 *
 * Values are encoded one by one, so no code reaches from one into the next; where each begins among
 * the codes is known for every 128th alone. Whole pages are decoded in blocks of 128 values, single
 * values by decoding their block up to them.
 */
#include "codec/fsst.h"

#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/node.h"

enum { BLOCK = STOA_TEXT_BLOCK, COUNTS_NBYTES = STOA_FSST_SYMBOL_NBYTES };

static size_t nblocks_of(size_t nvalues)
{
    return (nvalues + BLOCK - 1) / BLOCK;
}

/* ---- Encoding. ---- */

void stoa_encoder_begin_chunk(struct stoa_encoder *encoder, const struct stoa_vector *values)
{
    encoder->chunk = values;
    encoder->chunk_symbols = NULL;
}

/* Symbols of the chunk, or of a page that belongs to none. */
static enum stoa_status find_symbols(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                     const struct stoa_fsst_symbols **out, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (encoder->trainer == NULL)
        STOA_TRY(stoa_fsst_trainer_new(&encoder->trainer, err));
    if (encoder->chunk == NULL)
        *out = stoa_fsst_train(encoder->trainer, values);
    else if (encoder->chunk_symbols == NULL)
        *out = encoder->chunk_symbols = stoa_fsst_train(encoder->trainer, encoder->chunk);
    else
        *out = encoder->chunk_symbols;
out:
    return st;
}

static size_t symbols_nbytes(const struct stoa_fsst_symbols *symbols)
{
    size_t nbytes = COUNTS_NBYTES;

    for (unsigned code = 0; code < symbols->count; code++)
        nbytes += symbols->nbytes[code];
    return nbytes;
}

static uint8_t *put_symbols(const struct stoa_fsst_symbols *symbols, uint8_t *out)
{
    uint8_t *counts = out;

    memset(counts, 0, COUNTS_NBYTES);
    out += COUNTS_NBYTES;
    for (unsigned code = 0; code < symbols->count; code++) {
        uint8_t word[8];

        counts[symbols->nbytes[code] - 1]++;
        stoa_store64(word, symbols->words[code]);
        memcpy(out, word, symbols->nbytes[code]);
        out += symbols->nbytes[code];
    }
    return out;
}

enum stoa_status stoa_fsst_encode_text(struct stoa_encoder *encoder,
                                       const struct stoa_plan_node *plan,
                                       const struct stoa_vector *values, struct stoa_error *err)
{
    size_t n = values->nvalues, nblocks = nblocks_of(n), ncodes, head_nbytes;
    size_t nbytes = (size_t)(values->offsets[n] - values->offsets[0]);
    const struct stoa_fsst_symbols *symbols;
    struct stoa_vector lengths;
    uint32_t *ends;
    uint8_t *codes, *payload;
    enum stoa_status st;

    STOA_TRY(find_symbols(encoder, values, &symbols, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &ends, nblocks * sizeof(*ends), err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &codes, 2 * nbytes, err));
    ncodes = stoa_fsst_encode_blocks(encoder->trainer, values, BLOCK, ends, codes);
    head_nbytes = symbols_nbytes(symbols) + nblocks * sizeof(*ends);
    if (head_nbytes + ncodes >= nbytes)
        return stoa_node_encode_instead(encoder, plan, values, err);
    STOA_TRY(stoa_node_begin(encoder, STOA_FSST, values, head_nbytes + ncodes, &payload, err));
    payload = put_symbols(symbols, payload);
    stoa_bytes_le(payload, ends, nblocks, sizeof(*ends));
    memcpy(payload + nblocks * sizeof(*ends), codes, ncodes);
    STOA_TRY(stoa_node_end(encoder, plan->compress, err));
    STOA_TRY(stoa_text_lengths(encoder, values, &lengths, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 0), &lengths, err);
out:
    return st;
}

/* ---- Decoding. ---- */

struct payload {
    struct stoa_fsst_symbols symbols;
    const uint8_t *ends; /* of each block, in bytes of codes */
    const uint8_t *codes;
    size_t ncodes;
};

static enum stoa_status open_payload(struct stoa_decoder *decoder,
                                     const struct stoa_page_node *node, struct payload *out,
                                     struct stoa_error *err)
{
    size_t left = node->raw_nbytes, ends_nbytes = nblocks_of(node->nvalues) * 4;
    struct stoa_fsst_symbols *symbols = &out->symbols;
    const uint8_t *at, *counts;
    enum stoa_status st;

    STOA_TRY(stoa_node_payload(decoder, node, &at, err));
    *out = (struct payload){0};
    if (left < COUNTS_NBYTES)
        return stoa_node_fail(node, err, "a payload of %zu bytes", left);
    counts = at;
    at += COUNTS_NBYTES;
    left -= COUNTS_NBYTES;
    for (unsigned nbytes = 1; nbytes <= STOA_FSST_SYMBOL_NBYTES; nbytes++) {
        unsigned count = counts[nbytes - 1];

        if (count > STOA_FSST_MAX_NSYMBOLS - symbols->count)
            return stoa_node_fail(node, err, "more than %d symbols", STOA_FSST_MAX_NSYMBOLS);
        if ((size_t)count * nbytes > left)
            return stoa_node_fail(node, err, "the payload ends in its symbols");
        for (; count > 0; count--, at += nbytes, left -= nbytes) {
            uint8_t word[8] = {0};

            memcpy(word, at, nbytes);
            symbols->words[symbols->count] = stoa_load64(word);
            symbols->nbytes[symbols->count++] = (uint8_t)nbytes;
        }
    }
    if (ends_nbytes > left)
        return stoa_node_fail(node, err, "the payload ends in front of its codes");
    out->ends = at;
    out->codes = at + ends_nbytes;
    out->ncodes = left - ends_nbytes;
out:
    return st;
}

/* The codes of block b, whose values have nbytes bytes of text together. */
static enum stoa_status block_codes(const struct stoa_page_node *node,
                                    const struct payload *payload, size_t b, uint64_t nbytes,
                                    const uint8_t **codes, size_t *ncodes, struct stoa_error *err)
{
    size_t begin = b == 0 ? 0 : stoa_load32(payload->ends + 4 * (b - 1));
    size_t end = stoa_load32(payload->ends + 4 * b);
    bool last = b + 1 == nblocks_of(node->nvalues);

    if (begin > end || end > payload->ncodes || (last && end != payload->ncodes))
        return stoa_node_fail(node, err, "block %zu is codes %zu to %zu of %zu", b, begin, end,
                              payload->ncodes);
    if (nbytes > (end - begin) * STOA_FSST_SYMBOL_NBYTES)
        return stoa_node_fail(node, err, "%" PRIu64 " bytes of text in %zu of codes", nbytes,
                              end - begin);
    *codes = payload->codes + begin;
    *ncodes = end - begin;
    return STOA_OK;
}

/* The text of block b into out[0..nbytes), with room behind it. */
static enum stoa_status decode_block(const struct stoa_page_node *node,
                                     const struct payload *payload, size_t b, uint64_t nbytes,
                                     uint8_t *out, struct stoa_error *err)
{
    const uint8_t *codes = NULL;
    size_t ncodes = 0;
    enum stoa_status st = block_codes(node, payload, b, nbytes, &codes, &ncodes, err);

    if (st != STOA_OK)
        return st;
    if (!stoa_fsst_decode(&payload->symbols, codes, ncodes, out, (size_t)nbytes))
        return stoa_node_fail(node, err, "the codes of block %zu are not its text", b);
    return STOA_OK;
}

enum stoa_status stoa_fsst_decode_text(struct stoa_decoder *decoder,
                                       const struct stoa_page_node *node, struct stoa_error *err)
{
    size_t n = node->nvalues;
    struct payload payload;
    uint32_t *lengths;
    uint64_t nbytes;
    uint8_t *text;
    enum stoa_status st;

    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &lengths, err));
    STOA_TRY(open_payload(decoder, node, &payload, err));
    nbytes = stoa_text_total(lengths, n);
    if (nbytes > payload.ncodes * (uint64_t)STOA_FSST_SYMBOL_NBYTES) /* before memory is taken */
        return stoa_node_fail(node, err, "%" PRIu64 " bytes of text in %zu of codes", nbytes,
                              payload.ncodes);
    STOA_TRY(stoa_text_reserve(decoder, nbytes, err));
    text = decoder->out->bytes->data + decoder->out->bytes->nbytes;
    for (size_t b = 0; b < nblocks_of(n); b++) {
        uint64_t block_nbytes = stoa_text_total(lengths + b * BLOCK, stoa_text_block_nvalues(n, b));

        STOA_TRY(decode_block(node, &payload, b, block_nbytes, text, err));
        text += block_nbytes;
    }
    stoa_text_put(decoder, lengths, n, (size_t)nbytes);
out:
    return st;
}

/* ---- A part of the values. ---- */

/*
 * The text of a block stretch by stretch, so that a value takes no memory for the neighbours of its
 * block, however long they are. Most blocks are one stretch.
 */
enum { STRETCH_NCODES = 8192 };

struct stretch {
    size_t block;
    const uint8_t *codes; /* what is behind the stretch: codes and bytes of text */
    size_t ncodes;
    uint64_t nleft;
    uint64_t begin; /* of the block's text, [begin, end) is in decoder->text */
    uint64_t end;
};

/* The stretch of nothing in front of block b. */
static enum stoa_status open_block(const struct stoa_page_node *node, const struct payload *payload,
                                   const uint32_t *lengths, size_t b, struct stretch *out,
                                   struct stoa_error *err)
{
    *out = (struct stretch){.block = b};
    out->nleft = stoa_text_total(lengths + b * BLOCK, stoa_text_block_nvalues(node->nvalues, b));
    return block_codes(node, payload, b, out->nleft, &out->codes, &out->ncodes, err);
}

/* The first STRETCH_NCODES bytes of codes, less one in front of half an escape, and their text. */
static void cut_stretch(const struct stoa_fsst_symbols *symbols, const uint8_t *codes,
                        size_t *ncodes, uint64_t *nbytes)
{
    size_t at = 0;

    *nbytes = 0;
    while (at < STRETCH_NCODES - 1) {
        bool escaped = codes[at] == STOA_FSST_ESCAPE;

        *nbytes += escaped ? 1 : symbols->nbytes[codes[at]];
        at += escaped ? 2 : 1;
    }
    *ncodes = at;
}

static enum stoa_status next_stretch(struct stoa_decoder *decoder,
                                     const struct stoa_page_node *node,
                                     const struct payload *payload, struct stretch *stretch,
                                     struct stoa_error *err)
{
    size_t ncodes = stretch->ncodes;
    uint64_t nbytes = stretch->nleft;
    enum stoa_status st = STOA_OK;

    if (ncodes > STRETCH_NCODES)
        cut_stretch(&payload->symbols, stretch->codes, &ncodes, &nbytes);
    decoder->text.nbytes = 0;
    if (nbytes > stretch->nleft || nbytes > ncodes * (uint64_t)STOA_FSST_SYMBOL_NBYTES)
        goto bad; /* before memory is taken */
    STOA_TRY(stoa_buffer_reserve(&decoder->text, (size_t)nbytes + STOA_FSST_SLACK_NBYTES, err));
    if (!stoa_fsst_decode(&payload->symbols, stretch->codes, ncodes, decoder->text.data,
                          (size_t)nbytes))
        goto bad;
    stretch->codes += ncodes;
    stretch->ncodes -= ncodes;
    stretch->nleft -= nbytes;
    stretch->begin = stretch->end;
    stretch->end += nbytes;
out:
    return st;
bad:
    return stoa_node_fail(node, err, "the codes of block %zu are not its text", stretch->block);
}

enum stoa_status stoa_fsst_take_text(struct stoa_decoder *decoder,
                                     const struct stoa_page_node *node, const uint32_t *places,
                                     size_t n, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    struct stretch stretch = {.block = SIZE_MAX};
    struct payload payload;
    const uint32_t *lengths;
    uint64_t at = 0; /* of value `next` in the text of its block */
    size_t next = 0;
    enum stoa_status st;

    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &lengths, err));
    STOA_TRY(open_payload(decoder, node, &payload, err));
    STOA_TRY(stoa_text_take_lengths(decoder, lengths, places, n, err));
    for (size_t k = 0; k < n; k++) {
        uint8_t *to = out->bytes->data + out->offsets[k];
        size_t left = (size_t)(out->offsets[k + 1] - out->offsets[k]);

        if (left == 0)
            continue;
        if (places[k] / BLOCK != stretch.block) {
            next = places[k] / BLOCK * BLOCK;
            at = 0;
            STOA_TRY(open_block(node, &payload, lengths, next / BLOCK, &stretch, err));
        }
        for (; next < places[k]; next++)
            at += lengths[next];
        for (uint64_t from = at; left > 0;) {
            size_t nbytes;

            while (stretch.end <= from)
                STOA_TRY(next_stretch(decoder, node, &payload, &stretch, err));
            nbytes = stretch.end - from < left ? (size_t)(stretch.end - from) : left;
            memcpy(to, decoder->text.data + (from - stretch.begin), nbytes);
            to += nbytes;
            from += nbytes;
            left -= nbytes;
        }
    }
    out->bytes->nbytes = (size_t)out->offsets[n];
out:
    return st;
}

/* The text of block b in decoder->text, within the limit of a test. */
static enum stoa_status load_block(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   const struct payload *payload, const uint32_t *lengths, size_t b,
                                   struct stoa_error *err)
{
    uint64_t nbytes =
        stoa_text_total(lengths + b * BLOCK, stoa_text_block_nvalues(node->nvalues, b));
    const uint8_t *codes = NULL;
    size_t ncodes = 0;
    enum stoa_status st;

    STOA_TRY(block_codes(node, payload, b, nbytes, &codes, &ncodes, err));
    decoder->text.nbytes = 0;
    STOA_TRY(stoa_text_check_limit(decoder, 0, nbytes, err));
    STOA_TRY(stoa_buffer_reserve(&decoder->text, (size_t)nbytes + STOA_FSST_SLACK_NBYTES, err));
    st = decode_block(node, payload, b, nbytes, decoder->text.data, err);
out:
    return st;
}

/* Blocks of which no text may pass by its length are not decoded. */
enum stoa_status stoa_fsst_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const struct stoa_test *test, uint8_t *bits,
                                  struct stoa_error *err)
{
    const size_t n = node->nvalues;
    struct payload payload;
    const uint32_t *lengths;
    uint8_t *candidates;
    enum stoa_status st;

    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &lengths, err));
    STOA_TRY(stoa_text_candidates(decoder, test, lengths, n, &candidates, err));
    if (stoa_bitmap_count(candidates, 0, n) == 0) /* nor is the payload decompressed */
        return STOA_OK;
    STOA_TRY(open_payload(decoder, node, &payload, err));
    for (size_t b = 0; b < nblocks_of(n); b++) {
        if (!stoa_text_block_any(candidates, n, b))
            continue;
        STOA_TRY(load_block(decoder, node, &payload, lengths, b, err));
        stoa_text_test_block(test, decoder->text.data, lengths + b * BLOCK,
                             stoa_text_block_nvalues(n, b), bits + b * BLOCK / 8);
    }
out:
    return st;
}
