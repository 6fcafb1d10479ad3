/*
 * NARROW (spec/encodings.md, section 2.6): small differences from a base as whole bytes.
 *
 *     base    child: value - base as U8, U16 or U32, PLAIN
 *
 * It takes more room than PFOR, but a compressor finds in whole bytes what packing hides from it.
 */
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

static inline void narrow(const uint8_t *values, unsigned width, size_t n, uint64_t base,
                          uint8_t *out, unsigned to_width)
{
    for (size_t i = 0; i < n; i++)
        stoa_put(out, i, to_width, stoa_get(values, i, width) - base);
}

static inline void widen(const uint8_t *values, unsigned width, size_t n, uint64_t base,
                         uint8_t *out, unsigned to_width)
{
    for (size_t i = 0; i < n; i++)
        stoa_put(out, i, to_width, stoa_get(values, i, width) + base);
}

/* Calls f with constant widths: there are six pairs of a narrow and a wide one. */
#define BY_WIDTHS(f, narrow_width, wide_width, ...)                                                \
    do {                                                                                           \
        switch ((narrow_width)*16 + (wide_width)) {                                                \
        case 1 * 16 + 2:                                                                           \
            f(1, 2, __VA_ARGS__);                                                                  \
            break;                                                                                 \
        case 1 * 16 + 4:                                                                           \
            f(1, 4, __VA_ARGS__);                                                                  \
            break;                                                                                 \
        case 1 * 16 + 8:                                                                           \
            f(1, 8, __VA_ARGS__);                                                                  \
            break;                                                                                 \
        case 2 * 16 + 4:                                                                           \
            f(2, 4, __VA_ARGS__);                                                                  \
            break;                                                                                 \
        case 2 * 16 + 8:                                                                           \
            f(2, 8, __VA_ARGS__);                                                                  \
            break;                                                                                 \
        default:                                                                                   \
            f(4, 8, __VA_ARGS__);                                                                  \
            break;                                                                                 \
        }                                                                                          \
    } while (0)
#define NARROW(small, large, values, n, base, out) narrow(values, large, n, base, out, small)
#define WIDEN(small, large, values, n, base, out)  widen(values, small, n, base, out, large)

/* The narrowest type from `phys` on that holds `spread` and is narrower than `width`; or NONE. */
static enum stoa_phys choose_phys(enum stoa_phys phys, uint64_t spread, unsigned width)
{
    for (; phys <= STOA_PHYS_U32 && stoa_phys_width(phys) < width; phys++) {
        if (spread <= stoa_low_bits(stoa_phys_width(phys) * 8))
            return phys;
    }
    return STOA_PHYS_NONE;
}

enum stoa_status stoa_narrow_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                    const struct stoa_vector *values, struct stoa_error *err)
{
    struct stoa_plan_node child_plan = *stoa_plan_child(plan, 0);
    unsigned width = values->width;
    size_t n = values->nvalues;
    uint64_t flip;
    struct stoa_range range = stoa_least_range(values->values, width, n, &flip);
    uint64_t spread = (range.max - range.min) & stoa_low_bits(width * 8);
    struct stoa_vector child = {.nvalues = n};
    uint8_t *base, *out;
    enum stoa_status st;

    if (spread == 0)
        return stoa_node_encode_constant(encoder, values, err);
    child.phys = choose_phys((enum stoa_phys)child_plan.phys, spread, width);
    if (child.phys == STOA_PHYS_NONE)
        return stoa_node_encode_instead(encoder, plan, values, err);
    child.width = stoa_phys_width(child.phys);
    child_plan.phys = (uint8_t)child.phys;
    STOA_TRY(stoa_node_begin(encoder, STOA_NARROW, values, width, &base, err));
    stoa_put(base, 0, width, range.min);
    stoa_bytes_le(base, base, 1, width);
    STOA_TRY(stoa_node_end(encoder, plan->compress, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &out, n * child.width, err));
    BY_WIDTHS(NARROW, child.width, width, values->values, n, range.min, out);
    child.values = out;
    st = stoa_node_encode(encoder, &child_plan, &child, err);
out:
    return st;
}

static enum stoa_status read_base(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  uint64_t *base, struct stoa_error *err)
{
    const uint8_t *payload;
    uint64_t bytes = 0;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, node->width, err));
    STOA_TRY(stoa_node_payload(decoder, node, &payload, err));
    stoa_bytes_le(&bytes, payload, 1, node->width);
    *base = stoa_get((const uint8_t *)&bytes, 0, node->width);
out:
    return st;
}

enum stoa_status stoa_narrow_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    uint8_t *out, struct stoa_error *err)
{
    const struct stoa_page_node *child = node->children[0];
    const uint8_t *values;
    uint64_t base;
    enum stoa_status st;

    STOA_TRY(read_base(decoder, node, &base, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, child, &values, err));
    BY_WIDTHS(WIDEN, child->width, node->width, values, node->nvalues, base, out);
out:
    return st;
}

/* ---- A part of the values. ---- */

/*
 * A span of values becomes one or two of the narrow ones: value - base goes up from 0 to `most`,
 * and may meet the span again where that wraps around.
 */
static void narrow_span(const struct stoa_test_span *span, uint64_t base, uint64_t mask,
                        uint64_t most, struct stoa_test *out)
{
    uint64_t begin = (span->from - base) & mask, length = span->length & mask;
    uint64_t behind = mask - begin; /* of the numbers above `begin` */

    if (begin <= most)
        out->spans[out->nspans++] = (struct stoa_test_span){
            .from = begin, .length = length < most - begin ? length : most - begin};
    if (length > behind) /* from 0 on once more */
        out->spans[out->nspans++] = (struct stoa_test_span){
            .length = length - behind - 1 < most ? length - behind - 1 : most};
}

enum stoa_status stoa_narrow_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    const struct stoa_test *test, uint8_t *bits,
                                    struct stoa_error *err)
{
    const struct stoa_page_node *child = node->children[0];
    const uint64_t mask = stoa_low_bits(node->width * 8), most = stoa_low_bits(child->width * 8);
    struct stoa_test narrowed = {.kind = STOA_TEST_SPANS};
    uint64_t base;
    enum stoa_status st;

    STOA_TRY(read_base(decoder, node, &base, err));
    for (unsigned k = 0; k < test->nspans; k++)
        narrow_span(&test->spans[k], base, mask, most, &narrowed);
    if (narrowed.nspans > 0)
        st = stoa_node_filter(decoder, child, &narrowed, bits, err);
out:
    return st;
}

enum stoa_status stoa_narrow_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const uint32_t *places, size_t n, uint8_t *out,
                                  struct stoa_error *err)
{
    const struct stoa_page_node *child = node->children[0];
    const uint8_t *values;
    uint64_t base;
    enum stoa_status st;

    STOA_TRY(read_base(decoder, node, &base, err));
    STOA_TRY(stoa_node_take_scratch(decoder, child, places, n, &values, err));
    BY_WIDTHS(WIDEN, child->width, node->width, values, n, base, out);
out:
    return st;
}
