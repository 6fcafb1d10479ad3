/*
 * PLAIN (spec/encodings.md, section 2.1): the values as they are.
 *
 *     fixed width    value 0 | value 1 | ...                       little-endian
 *     BYTES          the text of all values;   child: their lengths
 *
 * Text is decoded by one copy (or straight out of the compressor). Only when a writer left text in
 * null slots does it have to be moved together.
 */
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

static enum stoa_status encode_text(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                    const struct stoa_vector *values, struct stoa_error *err)
{
    const int32_t *offsets = values->offsets;
    size_t n = values->nvalues, nbytes = (size_t)(offsets[n] - offsets[0]);
    struct stoa_vector lengths;
    uint8_t *payload;
    enum stoa_status st;

    STOA_TRY(stoa_node_begin(encoder, STOA_PLAIN, values, nbytes, &payload, err));
    if (nbytes > 0)
        memcpy(payload, values->values + offsets[0], nbytes);
    STOA_TRY(stoa_node_end(encoder, plan->compress, err));
    STOA_TRY(stoa_text_lengths(encoder, values, &lengths, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 0), &lengths, err);
out:
    return st;
}

enum stoa_status stoa_plain_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                   const struct stoa_vector *values, struct stoa_error *err)
{
    size_t n = values->nvalues;
    uint8_t *payload;
    enum stoa_status st;

    if (values->phys == STOA_PHYS_BYTES)
        return encode_text(encoder, plan, values, err);
    STOA_TRY(stoa_node_begin(encoder, STOA_PLAIN, values, n * values->width, &payload, err));
    if (values->phys == STOA_PHYS_FIXED)
        memcpy(payload, values->values, n * values->width);
    else
        stoa_bytes_le(payload, values->values, n, values->width);
    st = stoa_node_end(encoder, plan->compress, err);
out:
    return st;
}

enum stoa_status stoa_plain_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   uint8_t *out, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, (uint64_t)node->nvalues * node->width, err));
    STOA_TRY(stoa_node_payload_into(decoder, node, out, err));
    if (node->phys != STOA_PHYS_FIXED)
        stoa_bytes_le(out, out, node->nvalues, node->width);
out:
    return st;
}

enum stoa_status stoa_plain_decode_text(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    size_t n = node->nvalues, nbytes = node->raw_nbytes;
    uint32_t *lengths;
    enum stoa_status st;

    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &lengths, err));
    STOA_TRY(stoa_node_expect(node, stoa_text_total(lengths, n), err));
    STOA_TRY(stoa_text_reserve(decoder, nbytes, err));
    if (nbytes > 0)
        STOA_TRY(stoa_node_payload_into(decoder, node, out->bytes->data + out->offsets[0], err));
    stoa_text_put(decoder, lengths, n, nbytes);
out:
    return st;
}

/* ---- A part of the values. ---- */

/* Texts are tested where they are, but the last ones: bytes behind them may be no one's. */
static enum stoa_status filter_text(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    const struct stoa_test *test, uint8_t *bits,
                                    struct stoa_error *err)
{
    const size_t n = node->nvalues;
    const uint8_t *text, *end;
    const uint32_t *lengths;
    uint8_t *candidates;
    enum stoa_status st;

    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &lengths, err));
    STOA_TRY(stoa_node_expect(node, stoa_text_total(lengths, n), err));
    STOA_TRY(stoa_text_candidates(decoder, test, lengths, n, &candidates, err));
    if (node->raw_nbytes > INT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "%u bytes of text", node->raw_nbytes);
    if (stoa_bitmap_count(candidates, 0, n) == 0) /* nor is the payload decompressed */
        return STOA_OK;
    STOA_TRY(stoa_node_payload(decoder, node, &text, err));
    end = text + node->raw_nbytes;
    for (size_t b = 0; b * STOA_TEXT_BLOCK < n; b++) {
        const uint32_t *of_block = lengths + b * STOA_TEXT_BLOCK;
        const size_t nvalues = stoa_text_block_nvalues(n, b);
        const size_t nbytes = (size_t)stoa_text_total(of_block, nvalues);
        const uint8_t *at = text;

        text += nbytes;
        if (!stoa_text_block_any(candidates, n, b))
            continue;
        if (end - text < 64) {
            decoder->text.nbytes = 0;
            STOA_TRY(stoa_buffer_reserve(&decoder->text, nbytes + 64, err));
            if (nbytes > 0)
                memcpy(decoder->text.data, at, nbytes);
            at = decoder->text.data;
        }
        stoa_text_test_block(test, at, of_block, nvalues, bits + b * STOA_TEXT_BLOCK / 8);
    }
out:
    return st;
}

enum stoa_status stoa_plain_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   const struct stoa_test *test, uint8_t *bits,
                                   struct stoa_error *err)
{
    const uint8_t *values;
    enum stoa_status st;

    if (test->kind == STOA_TEST_TEXTS)
        return filter_text(decoder, node, test, bits, err);
    if (!STOA_LITTLE_ENDIAN) {
        STOA_TRY(stoa_node_decode_scratch(decoder, node, &values, err));
    } else {
        STOA_TRY(stoa_node_expect(node, (uint64_t)node->nvalues * node->width, err));
        STOA_TRY(stoa_node_payload(decoder, node, &values, err));
    }
    st = stoa_node_test(decoder, node, test, values, node->nvalues, bits, err);
out:
    return st;
}

enum stoa_status stoa_plain_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 const uint32_t *places, size_t n, uint8_t *out,
                                 struct stoa_error *err)
{
    const uint8_t *values;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, (uint64_t)node->nvalues * node->width, err));
    STOA_TRY(stoa_node_payload(decoder, node, &values, err));
    stoa_gather(values, node->width, places, n, out);
    if (node->phys != STOA_PHYS_FIXED)
        stoa_bytes_le(out, out, n, node->width);
out:
    return st;
}

enum stoa_status stoa_plain_take_text(struct stoa_decoder *decoder,
                                      const struct stoa_page_node *node, const uint32_t *places,
                                      size_t n, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    const uint8_t *text;
    const uint32_t *lengths;
    size_t at = 0, next = 0; /* value `next` is at `at` */
    enum stoa_status st;

    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &lengths, err));
    STOA_TRY(stoa_node_expect(node, stoa_text_total(lengths, node->nvalues), err));
    STOA_TRY(stoa_node_payload(decoder, node, &text, err));
    STOA_TRY(stoa_text_take_lengths(decoder, lengths, places, n, err));
    for (size_t k = 0; k < n; k++) {
        size_t nbytes = (size_t)(out->offsets[k + 1] - out->offsets[k]);

        for (; next < places[k]; next++)
            at += lengths[next];
        if (nbytes > 0)
            memcpy(out->bytes->data + out->offsets[k], text + at, nbytes);
    }
    out->bytes->nbytes = (size_t)out->offsets[n];
out:
    return st;
}
