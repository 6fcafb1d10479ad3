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
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"
#include "codec/widths.h"

enum { HIGH_NBITS = 8, HEAD_NBYTES = 8 };

#define LOW_TOO_WIDE "a low part of more than %u bits"

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

/* Whether all low parts were below 2^shift. */
static inline bool join(uint8_t *values, unsigned width, size_t n, uint64_t base, unsigned shift,
                        const uint8_t *high)
{
    uint64_t all = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t low = stoa_get(values, i, width);

        all |= low;
        stoa_put(values, i, width, low + base + ((uint64_t)high[i] << shift));
    }
    return all >> shift == 0;
}

static bool join_any(uint8_t *values, unsigned width, size_t n, uint64_t base, unsigned shift,
                     const uint8_t *high)
{
    return width == 2   ? join(values, 2, n, base, shift, high)
           : width == 4 ? join(values, 4, n, base, shift, high)
                        : join(values, 8, n, base, shift, high);
}

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
    STOA_BY_WIDTH(split, values->values, width, n, range.min, shift, highs, lows);
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

/* What all values have in common. */
static enum stoa_status read_head(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  uint64_t *base, unsigned *shift, struct stoa_error *err)
{
    uint64_t bytes = 0, at;
    const uint8_t *payload;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, HEAD_NBYTES + node->width, err));
    STOA_TRY(stoa_node_payload(decoder, node, &payload, err));
    at = stoa_load64(payload);
    if (at >= 8 * node->width)
        return stoa_node_fail(node, err, "%u bits split at bit %llu", 8 * node->width,
                              (unsigned long long)at);
    stoa_bytes_le(&bytes, payload + HEAD_NBYTES, 1, node->width);
    *base = stoa_get((const uint8_t *)&bytes, 0, node->width);
    *shift = (unsigned)at;
out:
    return st;
}

enum stoa_status stoa_split_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   uint8_t *out, struct stoa_error *err)
{
    const uint8_t *high;
    uint64_t base = 0;
    unsigned shift = 0;
    enum stoa_status st;

    STOA_TRY(read_head(decoder, node, &base, &shift, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &high, err));
    STOA_TRY(stoa_node_decode(decoder, node->children[1], out, err));
    if (!join_any(out, node->width, node->nvalues, base, shift, high))
        return stoa_node_fail(node, err, LOW_TOO_WIDE, shift);
out:
    return st;
}

/* ---- A part of the values. ---- */

enum stoa_status stoa_split_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 const uint32_t *places, size_t n, uint8_t *out,
                                 struct stoa_error *err)
{
    const uint8_t *high;
    uint64_t base = 0;
    unsigned shift = 0;
    enum stoa_status st;

    STOA_TRY(read_head(decoder, node, &base, &shift, err));
    STOA_TRY(stoa_node_take_scratch(decoder, node->children[0], places, n, &high, err));
    STOA_TRY(stoa_node_take(decoder, node->children[1], places, n, out, err));
    if (!join_any(out, node->width, n, base, shift, high))
        return stoa_node_fail(node, err, LOW_TOO_WIDE, shift);
out:
    return st;
}

/* What a high byte says of its values. */
enum verdict { NEVER, MAYBE, ALWAYS };

/*
 * The verdict on the values of a high byte: `first` and the `reach` numbers behind it, against a
 * span.
 */
static enum verdict judge(const struct stoa_test_span *span, uint64_t first, uint64_t reach,
                          uint64_t mask)
{
    uint64_t at = (first - span->from) & mask, length = span->length & mask;

    if (at <= length)
        return reach <= length - at ? ALWAYS : MAYBE;
    return reach <= mask - at ? NEVER : MAYBE;
}

/* Sets the bits of values whose high byte has the verdict: runs of bytes, each one comparison. */
static void test_high(const uint8_t verdicts[256], enum verdict verdict, const uint8_t *high,
                      size_t n, uint8_t *bits)
{
    for (unsigned begin = 0, end; begin < 256; begin = end + 1) {
        for (end = begin; end < 256 && verdicts[end] == (uint8_t)verdict;)
            end++;
        if (end > begin)
            stoa_kernels()->within[0](high, n, begin, end - begin - 1, bits);
    }
}

/* Of the values in doubt, whose bits are set in `maybe`, sets those in `bits` that pass. */
static enum stoa_status test_low(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 const struct stoa_test *test, const uint8_t *maybe,
                                 const uint8_t *high, uint64_t base, unsigned shift, uint8_t *bits,
                                 struct stoa_error *err)
{
    const size_t n = node->nvalues, count = stoa_bitmap_count(maybe, 0, n);
    uint32_t *places;
    uint8_t *values, *highs, *found;
    size_t k;
    enum stoa_status st = STOA_OK;

    if (count == 0)
        return STOA_OK;
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &places, n * sizeof(*places), err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &highs, count, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &found, (count + 63) / 64 * 8, err));
    memset(found, 0, (count + 63) / 64 * 8);
    stoa_bitmap_places(maybe, n, 0, places);
    for (k = 0; k < count; k++)
        highs[k] = high[places[k]];
    STOA_TRY(stoa_node_take_scratch(decoder, node->children[1], places, count, &values, err));
    if (!join_any(values, node->width, count, base, shift, highs))
        return stoa_node_fail(node, err, LOW_TOO_WIDE, shift);
    STOA_TRY(stoa_node_test(decoder, node, test, values, count, found, err));
    for (k = 0; k < count; k++) {
        if (stoa_bitmap_get(found, k))
            stoa_bitmap_set(bits, places[k]);
    }
out:
    return st;
}

enum stoa_status stoa_split_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   const struct stoa_test *test, uint8_t *bits,
                                   struct stoa_error *err)
{
    const uint64_t mask = stoa_low_bits(8 * node->width);
    const size_t n = node->nvalues, nbytes = (n + 63) / 64 * 8;
    uint8_t verdicts[256] = {0}, *maybe;
    const uint8_t *high;
    uint64_t base = 0;
    unsigned shift = 0;
    enum stoa_status st;

    STOA_TRY(read_head(decoder, node, &base, &shift, err));
    for (unsigned h = 0; h < 256; h++) {
        for (unsigned k = 0; k < test->nspans; k++) {
            enum verdict verdict =
                judge(&test->spans[k], base + ((uint64_t)h << shift), stoa_low_bits(shift), mask);

            verdicts[h] = verdict > verdicts[h] ? (uint8_t)verdict : verdicts[h];
        }
    }
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &high, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &maybe, nbytes, err));
    memset(maybe, 0, nbytes);
    test_high(verdicts, ALWAYS, high, n, bits);
    test_high(verdicts, MAYBE, high, n, maybe);
    st = test_low(decoder, node, test, maybe, high, base, shift, bits, err);
out:
    return st;
}
