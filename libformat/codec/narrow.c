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

enum stoa_status stoa_narrow_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    uint8_t *out, struct stoa_error *err)
{
    const struct stoa_page_node *child = node->children[0];
    uint64_t bytes = 0, base;
    const uint8_t *payload, *values;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, node->width, err));
    STOA_TRY(stoa_node_payload(decoder, node, &payload, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, child, &values, err));
    stoa_bytes_le(&bytes, payload, 1, node->width);
    base = stoa_get((const uint8_t *)&bytes, 0, node->width);
    BY_WIDTHS(WIDEN, child->width, node->width, values, node->nvalues, base, out);
out:
    return st;
}
