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

/*
 * Single values: the differences of their blocks up to the last one wanted there, summed up.
 *
 *     places         3  700 | 2050          differences   0..700 | 2048..2050
 */
enum stoa_status stoa_delta_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 const uint32_t *places, size_t n, uint8_t *out,
                                 struct stoa_error *err)
{
    const unsigned width = node->width;
    const uint8_t *starts;
    uint8_t *deltas;
    uint32_t *wanted;
    size_t nwanted = 0, done = 0;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, nblocks(node->nvalues) * width, err));
    STOA_TRY(stoa_node_payload(decoder, node, &starts, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &wanted, node->nvalues * sizeof(*wanted), err));
    for (size_t k = 0; k < n; k++) {
        uint32_t first = places[k] / STOA_BLOCK_NVALUES * STOA_BLOCK_NVALUES;

        if (k > 0 && places[k - 1] >= first)
            first = places[k - 1] + 1;
        for (; first <= places[k]; first++)
            wanted[nwanted++] = first;
    }
    STOA_TRY(stoa_node_take_scratch(decoder, node->children[0], wanted, nwanted, &deltas, err));
    for (size_t k = 0, block; k < n;) { /* places [k, end) are of one block */
        size_t end = k + 1, ndeltas;
        uint64_t start = 0;

        block = places[k] / STOA_BLOCK_NVALUES;
        while (end < n && places[end] / STOA_BLOCK_NVALUES == block)
            end++;
        ndeltas = places[end - 1] - block * STOA_BLOCK_NVALUES + 1;
        stoa_bytes_le(&start, starts + block * width, 1, width);
        stoa_kernels()->sum[stoa_width_log2(width)](deltas + done * width, ndeltas,
                                                    stoa_get((const uint8_t *)&start, 0, width));
        for (; k < end; k++)
            stoa_put(out, k, width, stoa_get(deltas, done + places[k] % STOA_BLOCK_NVALUES, width));
        done += ndeltas;
    }
out:
    return st;
}
