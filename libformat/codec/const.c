/*
 * CONST (spec/encodings.md, section 2.1): one value that all slots hold.
 */
#include <assert.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

bool stoa_vector_is_constant(const struct stoa_vector *values)
{
    const uint8_t *first = values->values;

    if (values->phys == STOA_PHYS_BYTES) {
        const int32_t *offsets = values->offsets;
        int32_t length = offsets[1] - offsets[0];

        for (size_t i = 1; i < values->nvalues; i++) {
            if (offsets[i + 1] - offsets[i] != length ||
                (length > 0 && memcmp(first + offsets[0], first + offsets[i], (size_t)length) != 0))
                return false;
        }
        return true;
    }
    /* Each value equals the next one when all but the first equal all but the last. */
    return memcmp(first, first + values->width, (values->nvalues - 1) * values->width) == 0;
}

enum stoa_status stoa_const_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                   const struct stoa_vector *values, struct stoa_error *err)
{
    bool text = values->phys == STOA_PHYS_BYTES;
    const uint8_t *value =
        text && values->values != NULL ? values->values + values->offsets[0] : values->values;
    size_t nbytes = text ? (size_t)(values->offsets[1] - values->offsets[0]) : values->width;
    uint8_t *payload;
    enum stoa_status st;

    if (!stoa_vector_is_constant(values))
        return stoa_node_encode_instead(encoder, plan, values, err);
    STOA_TRY(stoa_node_begin(encoder, STOA_CONST, values, nbytes, &payload, err));
    if (text || values->phys == STOA_PHYS_FIXED)
        memcpy(payload, nbytes > 0 ? value : payload, nbytes);
    else
        stoa_bytes_le(payload, value, 1, values->width);
    st = stoa_node_end(encoder, plan->compress, err);
out:
    return st;
}

/* Doubles what is there until `nbytes` bytes are full. */
static void repeat(uint8_t *out, size_t unit, size_t nbytes)
{
    for (size_t done = unit; done < nbytes; done *= 2)
        memcpy(out + done, out, done < nbytes - done ? done : nbytes - done);
}

enum stoa_status stoa_const_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   uint8_t *out, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, node->width, err));
    STOA_TRY(stoa_node_payload_into(decoder, node, out, err));
    if (node->phys != STOA_PHYS_FIXED)
        stoa_bytes_le(out, out, 1, node->width);
    repeat(out, node->width, (size_t)node->nvalues * node->width);
out:
    return st;
}

enum stoa_status stoa_const_decode_text(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    size_t n = node->nvalues, length = node->raw_nbytes, nbytes;
    uint64_t start = (uint64_t)out->offsets[0];
    enum stoa_status st;

    nbytes = (n - out->nnulls) * length; /* at most 2^20 * 2^32 */
    STOA_TRY(stoa_text_reserve(decoder, nbytes, err));
    if (nbytes > 0) {
        STOA_TRY(stoa_node_payload_into(decoder, node, out->bytes->data + start, err));
        repeat(out->bytes->data + start, length, nbytes);
        out->bytes->nbytes += nbytes;
    }
    for (size_t i = 0; i < n; i++) {
        bool valid = decoder->valid == NULL || stoa_bitmap_get(decoder->valid, i);

        out->offsets[i + 1] = out->offsets[i] + (valid ? (int32_t)length : 0);
    }
out:
    return st;
}

/* ---- A part of the values. ---- */

static enum stoa_status filter_text(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    const struct stoa_test *test, uint8_t *bits,
                                    struct stoa_error *err)
{
    const size_t nbytes = node->raw_nbytes;
    enum stoa_status st;

    if (nbytes > INT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "a text of %zu bytes", nbytes);
    decoder->text.nbytes = 0;
    STOA_TRY(stoa_buffer_reserve(&decoder->text, nbytes + 64, err));
    STOA_TRY(stoa_node_payload_into(decoder, node, decoder->text.data, err));
    if (stoa_text_test_one(test, decoder->text.data, nbytes))
        stoa_bitmap_fill(bits, 0, node->nvalues, true);
out:
    return st;
}

enum stoa_status stoa_const_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   const struct stoa_test *test, uint8_t *bits,
                                   struct stoa_error *err)
{
    uint8_t value[8], passes = 0;
    enum stoa_status st;

    if (test->kind == STOA_TEST_TEXTS)
        return filter_text(decoder, node, test, bits, err);
    assert(node->width <= sizeof(value));
    STOA_TRY(stoa_node_expect(node, node->width, err));
    STOA_TRY(stoa_node_payload_into(decoder, node, value, err));
    stoa_bytes_le(value, value, 1, node->width);
    STOA_TRY(stoa_node_test(decoder, node, test, value, 1, &passes, err));
    if (passes != 0)
        stoa_bitmap_fill(bits, 0, node->nvalues, true);
out:
    return st;
}

enum stoa_status stoa_const_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 const uint32_t *places, size_t n, uint8_t *out,
                                 struct stoa_error *err)
{
    struct stoa_page_node few = *node;

    (void)places;
    few.nvalues = (uint32_t)n;
    return stoa_const_decode(decoder, &few, out, err);
}
