/*
 * DELTA (spec/encodings.md, section 2.3): values as sums of differences.
 *
 *     start of block 0, 1, ...    child: n differences
 *
 * Every block starts anew, so a block can be read alone. Its first difference is free, because the
 * start makes up for it; it repeats the second one, which no child finds hard to store.
 */
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

static size_t nblocks(size_t nvalues)
{
    return (nvalues + STOA_BLOCK_NVALUES - 1) / STOA_BLOCK_NVALUES;
}

static size_t block_nvalues(size_t nvalues, size_t block)
{
    size_t left = nvalues - block * STOA_BLOCK_NVALUES;

    return left < STOA_BLOCK_NVALUES ? left : STOA_BLOCK_NVALUES;
}

enum stoa_status stoa_delta_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                   const struct stoa_vector *values, struct stoa_error *err)
{
    unsigned width = values->width;
    size_t n = values->nvalues, nb = nblocks(n);
    struct stoa_vector deltas = *values;
    uint8_t *starts, *out;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(&encoder->scratch, &out, n * width, err));
    STOA_TRY(stoa_node_begin(encoder, STOA_DELTA, values, nb * width, &starts, err));
    stoa_differences(values->values, width, n, 0, out);
    for (size_t b = 0; b < nb; b++) {
        size_t first = b * STOA_BLOCK_NVALUES;
        uint64_t free_delta = block_nvalues(n, b) > 1 ? stoa_get(out, first + 1, width) : 0;

        stoa_put(out, first, width, free_delta);
        stoa_put(starts, b, width, stoa_get(values->values, first, width) - free_delta);
    }
    stoa_bytes_le(starts, starts, nb, width);
    STOA_TRY(stoa_node_end(encoder, plan->compress, err));
    deltas.values = out;
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 0), &deltas, err);
out:
    return st;
}

enum stoa_status stoa_delta_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   uint8_t *out, struct stoa_error *err)
{
    const struct stoa_kernels *kernels = stoa_kernels();
    unsigned width = node->width;
    size_t n = node->nvalues, nb = nblocks(n);
    const uint8_t *starts;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, nb * width, err));
    STOA_TRY(stoa_node_payload(decoder, node, &starts, err));
    STOA_TRY(stoa_node_decode(decoder, node->children[0], out, err));
    for (size_t b = 0; b < nb; b++) {
        uint64_t start;

        stoa_bytes_le(&start, starts + b * width, 1, width);
        kernels->sum[stoa_width_log2(width)](out + b * STOA_BLOCK_NVALUES * width,
                                             block_nvalues(n, b),
                                             stoa_get((const uint8_t *)&start, 0, width));
    }
out:
    return st;
}
