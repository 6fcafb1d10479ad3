/*
 * SPLIT (spec/encodings.md, section 2.8): the high bits of a value apart from the low ones.
 *
 *     value - base   | high, 8 bits | low, `shift` bits |
 *     child                U8             T
 *
 * What is measured (places, prices, durations) lies around a few values, and the low bits of it are
 * noise. Packing pays for every bit the same; a compressor that sees whole values finds no pattern
 * in the noise. Apart, the high bytes get an entropy code, which is the whole gain there is, and
 * the low bits are packed.
 */
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

enum { HIGH_NBITS = 8, HEAD_NBYTES = 8 };

static inline void split(const uint8_t *values, unsigned width, size_t n, uint64_t base,
                         unsigned shift, uint8_t *high, uint8_t *low)
{
    uint64_t mask = stoa_low_bits(shift);

    for (size_t i = 0; i < n; i++) {
        uint64_t x = (stoa_get(values, i, width) - base) & stoa_low_bits(8 * width);

        high[i] = (uint8_t)(x >> shift);
        stoa_put(low, i, width, x & mask);
    }
}

static inline void join(uint8_t *values, unsigned width, size_t n, uint64_t base, unsigned shift,
                        const uint8_t *high)
{
    for (size_t i = 0; i < n; i++)
        stoa_put(values, i, width,
                 stoa_get(values, i, width) + base + ((uint64_t)high[i] << shift));
}

/* Calls f with a constant width, so that the loop is one over a type. */
#define BY_WIDTH(f, values, width, ...)                                                            \
    do {                                                                                           \
        if ((width) == 2)                                                                          \
            f(values, 2, __VA_ARGS__);                                                             \
        else if ((width) == 4)                                                                     \
            f(values, 4, __VA_ARGS__);                                                             \
        else                                                                                       \
            f(values, 8, __VA_ARGS__);                                                             \
    } while (0)

enum stoa_status stoa_split_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                   const struct stoa_vector *values, struct stoa_error *err)
{
    size_t n = values->nvalues, width = values->width;
    struct stoa_vector high = {.phys = STOA_PHYS_U8, .width = 1, .nvalues = n}, low = *values;
    uint64_t flip;
    struct stoa_range range = stoa_least_range(values->values, values->width, n, &flip);
    uint64_t spread = (range.max - range.min) & stoa_low_bits(8 * values->width);
    unsigned nbits = spread == 0 ? 0 : 64 - (unsigned)__builtin_clzll(spread);
    unsigned shift = nbits > HIGH_NBITS ? nbits - HIGH_NBITS : 0;
    uint8_t *payload, *highs, *lows;
    enum stoa_status st;

    if (spread == 0)
        return stoa_node_encode_constant(encoder, values, err);
    if (shift == 0) /* all of it would be high */
        return stoa_node_encode_instead(encoder, plan, values, err);
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &highs, n, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &lows, n * width, err));
    BY_WIDTH(split, values->values, width, n, range.min, shift, highs, lows);
    high.values = highs;
    low.values = lows;
    STOA_TRY(stoa_node_begin(encoder, STOA_SPLIT, values, HEAD_NBYTES + width, &payload, err));
    stoa_store64(payload, shift);
    stoa_put(payload + HEAD_NBYTES, 0, values->width, range.min);
    stoa_bytes_le(payload + HEAD_NBYTES, payload + HEAD_NBYTES, 1, values->width);
    STOA_TRY(stoa_node_end(encoder, plan->compress, err));
    STOA_TRY(stoa_node_encode(encoder, stoa_plan_child(plan, 0), &high, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 1), &low, err);
out:
    return st;
}

enum stoa_status stoa_split_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   uint8_t *out, struct stoa_error *err)
{
    uint64_t bytes = 0, base, shift;
    const uint8_t *payload, *high;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, HEAD_NBYTES + node->width, err));
    STOA_TRY(stoa_node_payload(decoder, node, &payload, err));
    shift = stoa_load64(payload);
    if (shift >= 8 * node->width)
        return stoa_node_fail(node, err, "%u bits split at bit %llu", 8 * node->width,
                              (unsigned long long)shift);
    stoa_bytes_le(&bytes, payload + HEAD_NBYTES, 1, node->width);
    base = stoa_get((const uint8_t *)&bytes, 0, node->width);
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &high, err));
    STOA_TRY(stoa_node_decode(decoder, node->children[1], out, err));
    BY_WIDTH(join, out, node->width, node->nvalues, base, (unsigned)shift, high);
out:
    return st;
}
