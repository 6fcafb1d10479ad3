/*
 * BITMAP and BITRUNS (spec/encodings.md, section 2.9): which slots of a page hold a value.
 *
 *     BITMAP     bit i mod 8 of byte i div 8
 *     BITRUNS    the bit of the first run    child: lengths of runs of alternating bits
 *
 * Runs are taken when they are few: nulls that come together then cost next to nothing.
 */
#include <inttypes.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/node.h"

/* Runs are worth it up to one in so many values: two bytes each, half of what the bitmap takes. */
enum { NVALUES_PER_RUN = 32 };

/* Where the bits [begin, n) first differ from bit `begin`. */
static size_t run_end(const uint8_t *bits, size_t begin, size_t n)
{
    bool bit = stoa_bitmap_get(bits, begin);
    size_t i = begin + 1;

    while (i < n) {
        if (i % 64 == 0 && n - i >= 64 && stoa_load64(bits + i / 8) == (bit ? UINT64_MAX : 0))
            i += 64;
        else if (stoa_bitmap_get(bits, i) == bit)
            i++;
        else
            break;
    }
    return i;
}

static enum stoa_status encode_runs(struct stoa_encoder *encoder, const uint8_t *bits, size_t n,
                                    const uint32_t *lengths, size_t nruns, struct stoa_error *err)
{
    struct stoa_plan_node plan = {STOA_PFOR, STOA_PHYS_U32, false};
    struct stoa_vector slots = {.phys = STOA_PHYS_NONE, .nvalues = n};
    struct stoa_vector runs = {
        .phys = STOA_PHYS_U32, .width = 4, .nvalues = nruns, .values = (const uint8_t *)lengths};
    uint8_t *payload;
    enum stoa_status st;

    STOA_TRY(stoa_node_begin(encoder, STOA_BITRUNS, &slots, 1, &payload, err));
    payload[0] = bits[0] & 1;
    st = stoa_node_encode(encoder, &plan, &runs, err);
out:
    return st;
}

enum stoa_status stoa_validity_encode(struct stoa_encoder *encoder, const uint8_t *validity,
                                      size_t first_bit, size_t n, struct stoa_error *err)
{
    struct stoa_vector slots = {.phys = STOA_PHYS_NONE, .nvalues = n};
    size_t nbytes = stoa_bitmap_nbytes(n), nruns = 0, max_nruns = n / NVALUES_PER_RUN;
    uint8_t *bits, *payload;
    uint32_t *lengths;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(&encoder->scratch, &bits, nbytes, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &lengths, max_nruns * sizeof(*lengths), err));
    memset(bits, 0, nbytes);
    stoa_bitmap_copy(bits, 0, validity, first_bit, n);
    for (size_t begin = 0, end; begin < n; begin = end, nruns++) {
        if (nruns == max_nruns)
            break;
        end = run_end(bits, begin, n);
        lengths[nruns] = (uint32_t)(end - begin);
        if (end == n)
            return encode_runs(encoder, bits, n, lengths, nruns + 1, err);
    }
    STOA_TRY(stoa_node_begin(encoder, STOA_BITMAP, &slots, nbytes, &payload, err));
    memcpy(payload, bits, nbytes);
    st = stoa_node_end(encoder, true, err);
out:
    return st;
}

static enum stoa_status check_end(const struct stoa_page_node *node, const uint8_t *bitmap,
                                  struct stoa_error *err)
{
    const size_t n = node->nvalues;

    if (n % 8 != 0 && bitmap[n / 8] >> (n % 8) != 0)
        return stoa_node_fail(node, err, "bits behind the last value");
    return STOA_OK;
}

static enum stoa_status decode_bitmap(struct stoa_decoder *decoder,
                                      const struct stoa_page_node *node, uint8_t *bitmap,
                                      struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, stoa_bitmap_nbytes(node->nvalues), err));
    STOA_TRY(stoa_node_payload_into(decoder, node, bitmap, err));
    st = check_end(node, bitmap, err);
out:
    return st;
}

static enum stoa_status decode_runs(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    uint8_t *bitmap, struct stoa_error *err)
{
    size_t nruns = node->children[0]->nvalues;
    uint64_t begin = 0;
    const uint8_t *first;
    const uint32_t *lengths;
    bool bit;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 1, err));
    STOA_TRY(stoa_node_payload(decoder, node, &first, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &lengths, err));
    if (first[0] > 1)
        return stoa_node_fail(node, err, "first bit %u", first[0]);
    bit = first[0] == 1;
    for (size_t k = 0; k < nruns; k++, bit = !bit) {
        if (lengths[k] == 0 || lengths[k] > node->nvalues - begin)
            return stoa_node_fail(node, err, "run of %u at bit %" PRIu64 " of %u", lengths[k],
                                  begin, node->nvalues);
        stoa_bitmap_fill(bitmap, begin, begin + lengths[k], bit);
        begin += lengths[k];
    }
    if (begin != node->nvalues)
        st = stoa_node_fail(node, err, "runs of %" PRIu64 " values in a node of %u", begin,
                            node->nvalues);
out:
    return st;
}

enum stoa_status stoa_validity_decode(struct stoa_decoder *decoder,
                                      const struct stoa_page_node *node, uint8_t *bitmap,
                                      struct stoa_error *err)
{
    return node->encoding == STOA_BITMAP ? decode_bitmap(decoder, node, bitmap, err)
                                         : decode_runs(decoder, node, bitmap, err);
}

enum stoa_status stoa_bitmap_view(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const uint8_t **bitmap, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, stoa_bitmap_nbytes(node->nvalues), err));
    STOA_TRY(stoa_node_payload(decoder, node, bitmap, err));
    st = check_end(node, *bitmap, err);
out:
    return st;
}
