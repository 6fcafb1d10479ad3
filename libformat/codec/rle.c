/*
 * RLE (spec/encodings.md, section 2.5): runs of equal values.
 *
 *     child: value of each run    child: length of each run, 1 or more
 */
#include <inttypes.h>

#include "base/bits.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

/* The value and length of each run; both have room for n. Returns how many there are. */
static inline size_t find_runs(const uint8_t *values, unsigned width, size_t n, uint8_t *out,
                               uint32_t *lengths)
{
    size_t nruns = 0, begin = 0;

    for (size_t i = 1; i <= n; i++) {
        if (i < n && memcmp(values + i * width, values + begin * width, width) == 0)
            continue;
        memcpy(out + nruns * width, values + begin * width, width);
        lengths[nruns++] = (uint32_t)(i - begin);
        begin = i;
    }
    return nruns;
}

enum stoa_status stoa_rle_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                 const struct stoa_vector *values, struct stoa_error *err)
{
    struct stoa_vector runs = *values;
    struct stoa_vector lengths = {.phys = STOA_PHYS_U32, .width = 4};
    size_t n = values->nvalues, nruns;
    uint8_t *out, *payload;
    uint32_t *counts;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(&encoder->scratch, &out, n * values->width, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &counts, n * sizeof(*counts), err));
    switch (values->width) {
    case 1:
        nruns = find_runs(values->values, 1, n, out, counts);
        break;
    case 2:
        nruns = find_runs(values->values, 2, n, out, counts);
        break;
    case 4:
        nruns = find_runs(values->values, 4, n, out, counts);
        break;
    case 8:
        nruns = find_runs(values->values, 8, n, out, counts);
        break;
    default:
        nruns = find_runs(values->values, values->width, n, out, counts);
        break;
    }
    if (nruns == 1)
        return stoa_node_encode_constant(encoder, values, err);
    STOA_TRY(stoa_node_begin(encoder, STOA_RLE, values, 0, &payload, err));
    runs.nvalues = lengths.nvalues = nruns;
    runs.values = out;
    lengths.values = (const uint8_t *)counts;
    STOA_TRY(stoa_node_encode(encoder, stoa_plan_child(plan, 0), &runs, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 1), &lengths, err);
out:
    return st;
}

/*
 * Writes whole chunks of 32 bytes for each run: the run after overwrites what is too much, and the
 * last one has room behind it.
 */
static inline void expand(const uint8_t *runs, const uint32_t *lengths, size_t nruns, uint8_t *out,
                          unsigned width)
{
    for (size_t k = 0; k < nruns; k++) {
        uint8_t chunk[32], *end = out + (size_t)lengths[k] * width;

        for (unsigned i = 0; i < 32; i += width)
            memcpy(chunk + i, runs + k * width, width);
        for (; out < end; out += 32)
            memcpy(out, chunk, 32);
        out = end;
    }
}

static void expand_wide(const uint8_t *runs, const uint32_t *lengths, size_t nruns, uint8_t *out,
                        unsigned width)
{
    for (size_t k = 0; k < nruns; k++) {
        for (uint32_t i = 0; i < lengths[k]; i++, out += width)
            memcpy(out, runs + k * width, width);
    }
}

static enum stoa_status check_lengths(const struct stoa_page_node *node, const uint32_t *lengths,
                                      size_t nruns, struct stoa_error *err)
{
    uint64_t total = 0;
    bool empty = false;

    for (size_t k = 0; k < nruns; k++) {
        total += lengths[k];
        empty |= lengths[k] == 0;
    }
    if (empty)
        return stoa_node_fail(node, err, "a run of 0 values");
    if (total != node->nvalues)
        return stoa_node_fail(node, err, "runs of %" PRIu64 " values in a node of %u", total,
                              node->nvalues);
    return STOA_OK;
}

enum stoa_status stoa_rle_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 uint8_t *out, struct stoa_error *err)
{
    size_t nruns = node->children[0]->nvalues;
    const uint8_t *runs;
    const uint32_t *lengths;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 0, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &runs, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[1], &lengths, err));
    STOA_TRY(check_lengths(node, lengths, nruns, err));
    switch (node->width) {
    case 1:
        expand(runs, lengths, nruns, out, 1);
        break;
    case 2:
        expand(runs, lengths, nruns, out, 2);
        break;
    case 4:
        expand(runs, lengths, nruns, out, 4);
        break;
    case 8:
        expand(runs, lengths, nruns, out, 8);
        break;
    default:
        expand_wide(runs, lengths, nruns, out, node->width);
        break;
    }
out:
    return st;
}

/* ---- A part of the values. ---- */

/* The lengths of the runs, checked. */
static enum stoa_status read_lengths(struct stoa_decoder *decoder,
                                     const struct stoa_page_node *node, const uint32_t **lengths,
                                     struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 0, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[1], lengths, err));
    st = check_lengths(node, *lengths, node->children[1]->nvalues, err);
out:
    return st;
}

enum stoa_status stoa_rle_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 const struct stoa_test *test, uint8_t *bits,
                                 struct stoa_error *err)
{
    const size_t nruns = node->children[0]->nvalues, nbytes = (nruns + 63) / 64 * 8;
    const uint32_t *lengths;
    uint8_t *runs;
    size_t begin = 0;
    enum stoa_status st;

    STOA_TRY(read_lengths(decoder, node, &lengths, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &runs, nbytes, err));
    memset(runs, 0, nbytes);
    STOA_TRY(stoa_node_filter(decoder, node->children[0], test, runs, err));
    for (size_t k = 0; k < nruns; begin += lengths[k], k++) {
        if (stoa_bitmap_get(runs, k))
            stoa_bitmap_fill(bits, begin, begin + lengths[k], true);
    }
out:
    return st;
}

enum stoa_status stoa_rle_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                               const uint32_t *places, size_t n, uint8_t *out,
                               struct stoa_error *err)
{
    const uint32_t *lengths;
    uint32_t *runs, run = 0;
    size_t end;
    enum stoa_status st;

    STOA_TRY(read_lengths(decoder, node, &lengths, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &runs, n * sizeof(*runs), err));
    end = lengths[0];
    for (size_t k = 0; k < n; k++) {
        while (places[k] >= end)
            end += lengths[++run];
        runs[k] = run;
    }
    st = stoa_node_take(decoder, node->children[0], runs, n, out, err);
out:
    return st;
}
