/*
 * DICT (spec/encodings.md, section 2.4): codes of values that the chunk's dictionary holds.
 *
 * Text is copied in pieces of a fixed size, whatever its length: what is too much is overwritten by
 * the next value, and behind the last one there is room. Where all entries have one length, as keys
 * and flags have, no offset is looked at.
 */
#include <assert.h>
#include <inttypes.h>

#include "base/bits.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

enum { PIECE = 32 };

enum stoa_status stoa_dict_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                  const struct stoa_vector *codes, struct stoa_error *err)
{
    struct stoa_vector values = {.phys = encoder->phys, .nvalues = codes->nvalues};
    uint8_t *payload;
    enum stoa_status st;

    assert(codes->phys == STOA_PHYS_U32);
    STOA_TRY(stoa_node_begin(encoder, STOA_DICT, &values, 0, &payload, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 0), codes, err);
out:
    return st;
}

static enum stoa_status check_codes(const struct stoa_decoder *decoder,
                                    const struct stoa_page_node *node, const uint32_t *codes,
                                    size_t n, struct stoa_error *err)
{
    uint64_t max = stoa_kernels()->range[2]((const uint8_t *)codes, n, 0).max;

    if (max < decoder->ncodes)
        return STOA_OK;
    return stoa_node_fail(node, err, "code %" PRIu64 " of %u entries", max, decoder->ncodes);
}

enum stoa_status stoa_dict_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  uint8_t *out, struct stoa_error *err)
{
    uint32_t *codes;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 0, err));
    if (decoder->dictionary == NULL) {
        STOA_TRY(stoa_node_decode(decoder, node->children[0], out, err));
        return check_codes(decoder, node, (const uint32_t *)(const void *)out, node->nvalues, err);
    }
    assert(decoder->dictionary->width == node->width);
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &codes, err));
    STOA_TRY(check_codes(decoder, node, codes, node->nvalues, err));
    stoa_gather(decoder->dictionary->values, node->width, codes, node->nvalues, out);
out:
    return st;
}

/*
 * Offsets of the values in the output; null slots are empty. Returns the end as it really is, which
 * the offsets say only when it is at most INT32_MAX.
 */
static uint64_t put_offsets(const struct stoa_decoder *decoder, const uint32_t *codes, size_t n)
{
    const int32_t *from = decoder->dictionary->offsets;
    const uint8_t *valid = decoder->valid;
    int32_t *to = decoder->out->offsets;
    uint64_t end = (uint64_t)to[0];

    for (size_t i = 0; i < n && valid == NULL; i++) {
        end += (uint32_t)(from[codes[i] + 1] - from[codes[i]]);
        to[i + 1] = (int32_t)end;
    }
    for (size_t i = 0; i < n && valid != NULL; i++) {
        uint32_t mask = stoa_bitmap_get(valid, i) ? UINT32_MAX : 0;

        end += (uint32_t)(from[codes[i] + 1] - from[codes[i]]) & mask;
        to[i + 1] = (int32_t)end;
    }
    return end;
}

/* The same where each value has `length` bytes and none is null. */
static uint64_t put_even_offsets(const struct stoa_decoder *decoder, uint32_t length, size_t n)
{
    int32_t *to = decoder->out->offsets;
    const uint32_t begin = (uint32_t)to[0];

    for (uint32_t i = 1; i <= n; i++)
        to[i] = (int32_t)(begin + i * length);
    return begin + (uint64_t)n * length;
}

/* `to` has room for PIECE bytes behind the last value, and so has the dictionary. */
static void copy_text(const struct stoa_vector *dictionary, const uint32_t *codes, size_t n,
                      const int32_t *offsets, uint8_t *to)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *from = dictionary->values + dictionary->offsets[codes[i]];
        const uint8_t *end = to + offsets[i + 1];
        uint8_t *at = to + offsets[i];

        do {
            memcpy(at, from, PIECE);
            at += PIECE;
            from += PIECE;
        } while (at < end);
    }
}

/* `piece`, of which `length` bytes count, is a constant where this is called. */
static inline void copy_even(const uint8_t *entries, size_t length, const uint32_t *codes, size_t n,
                             uint8_t *to, size_t piece)
{
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * length, entries + codes[i] * length, piece);
}

static void copy_even_text(const struct stoa_vector *dictionary, const uint32_t *codes, size_t n,
                           uint8_t *to)
{
    const uint32_t length = dictionary->width;

    if (length <= 8)
        copy_even(dictionary->values, length, codes, n, to, 8);
    else if (length <= 16)
        copy_even(dictionary->values, length, codes, n, to, 16);
    else if (length <= PIECE)
        copy_even(dictionary->values, length, codes, n, to, PIECE);
    else
        copy_even(dictionary->values, length, codes, n, to, length);
}

/* The text of n checked codes behind decoder->out. */
static enum stoa_status put_text(struct stoa_decoder *decoder, const uint32_t *codes, size_t n,
                                 struct stoa_error *err)
{
    const struct stoa_vector *dictionary = decoder->dictionary;
    struct stoa_page_values *out = decoder->out;
    const bool is_even = dictionary->width > 0 && decoder->valid == NULL;
    uint64_t end =
        is_even ? put_even_offsets(decoder, dictionary->width, n) : put_offsets(decoder, codes, n);
    enum stoa_status st;

    STOA_TRY(stoa_text_reserve(decoder, end - out->bytes->nbytes, err));
    if (is_even)
        copy_even_text(dictionary, codes, n, out->bytes->data + out->bytes->nbytes);
    else
        copy_text(dictionary, codes, n, out->offsets, out->bytes->data);
    out->bytes->nbytes = (size_t)end;
out:
    return st;
}

enum stoa_status stoa_dict_decode_text(struct stoa_decoder *decoder,
                                       const struct stoa_page_node *node, struct stoa_error *err)
{
    uint32_t *codes;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 0, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &codes, err));
    STOA_TRY(check_codes(decoder, node, codes, node->nvalues, err));
    st = put_text(decoder, codes, node->nvalues, err);
out:
    return st;
}

/* ---- A part of the values. ---- */

enum stoa_status stoa_dict_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                const uint32_t *places, size_t n, uint8_t *out,
                                struct stoa_error *err)
{
    uint32_t *codes;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 0, err));
    if (decoder->dictionary == NULL) {
        STOA_TRY(stoa_node_take(decoder, node->children[0], places, n, out, err));
        return check_codes(decoder, node, (const uint32_t *)(const void *)out, n, err);
    }
    STOA_TRY(stoa_node_take_scratch(decoder, node->children[0], places, n, &codes, err));
    STOA_TRY(check_codes(decoder, node, codes, n, err));
    if (node->phys == STOA_PHYS_BYTES)
        st = put_text(decoder, codes, n, err);
    else
        stoa_gather(decoder->dictionary->values, node->width, codes, n, out);
out:
    return st;
}
