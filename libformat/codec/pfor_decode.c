/*
 * PFOR, reading (spec/encodings.md, section 2.2).
 *
 *     [offset | multiplier]  nbits of each block  [exceptions of each block]  base of each block
 *     packed blocks   [positions of exceptions]   [their values]
 *
 * All sizes follow from the first line, so they are checked once, in front of the loop over blocks.
 * Packed numbers of a block become values in one pass; exceptions and the scale are put in while
 * the block is still in the first cache.
 */
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/node.h"
#include "codec/pfor.h"

struct pfor {
    const uint8_t *payload;
    struct stoa_pfor_layout at;
    const uint8_t *positions; /* of the next block's exceptions */
    const uint8_t *exceptions;
    uint64_t offset;
    uint64_t multiplier; /* 1 without SCALED */
    unsigned width;
    size_t nvalues;
    bool patched;
};

static uint64_t load(const uint8_t *bytes, unsigned width)
{
    uint8_t native[8] = {0};

    stoa_bytes_le(native, bytes, 1, width);
    return stoa_get(native, 0, width);
}

static size_t count_of(const struct pfor *p, size_t block)
{
    return p->patched ? stoa_load16(p->payload + p->at.counts + 2 * block) : 0;
}

static size_t packed_nbytes(const struct pfor *p, size_t block)
{
    return stoa_bits_nbytes(stoa_pfor_block_nvalues(p->nvalues, block),
                            p->payload[p->at.widths + block]);
}

/* Widths, counts and the length of the payload; sets where the exceptions are. */
static enum stoa_status check_sizes(const struct stoa_page_node *node, struct pfor *p,
                                    struct stoa_error *err)
{
    size_t nexceptions = 0, nbytes = p->at.packed;

    for (size_t b = 0; b < p->at.nblocks; b++) {
        unsigned nbits = p->payload[p->at.widths + b];
        size_t n = stoa_pfor_block_nvalues(p->nvalues, b);

        if (nbits > 8 * p->width)
            return stoa_node_fail(node, err, "%u bits a value in block %zu of %s", nbits, b,
                                  stoa_phys_name(node->phys));
        if (count_of(p, b) > n)
            return stoa_node_fail(node, err, "%zu exceptions in block %zu of %zu values",
                                  count_of(p, b), b, n);
        nbytes += packed_nbytes(p, b);
        nexceptions += count_of(p, b);
    }
    p->positions = p->payload + nbytes;
    p->exceptions = p->positions + 2 * nexceptions;
    return stoa_node_expect(node, nbytes + nexceptions * (2 + p->width), err);
}

static enum stoa_status open_payload(struct stoa_decoder *decoder,
                                     const struct stoa_page_node *node, struct pfor *p,
                                     struct stoa_error *err)
{
    enum stoa_status st;

    p->width = node->width;
    p->nvalues = node->nvalues;
    p->at = stoa_pfor_layout(node->nvalues, node->width, node->flags);
    p->patched = (node->flags & STOA_PFOR_PATCHED) != 0;
    p->multiplier = 1;
    if (node->raw_nbytes < p->at.packed)
        return stoa_node_fail(node, err, "payload of %u bytes where at least %zu are expected",
                              node->raw_nbytes, p->at.packed);
    STOA_TRY(stoa_node_payload(decoder, node, &p->payload, err));
    if (node->flags & STOA_PFOR_SCALED) {
        p->offset = load(p->payload, p->width);
        p->multiplier = load(p->payload + p->width, p->width);
        if (p->multiplier < 2)
            return stoa_node_fail(node, err, "multiplier %u", (unsigned)p->multiplier);
    }
    st = check_sizes(node, p, err);
out:
    return st;
}

/* Replaces the exceptions of a block of n values at `out`. */
static bool patch(struct pfor *p, size_t count, size_t n, uint64_t base, uint8_t *out)
{
    size_t least = 0;

    for (size_t k = 0; k < count; k++) {
        size_t position = stoa_load16(p->positions + 2 * k);

        if (position < least || position >= n)
            return false;
        least = position + 1;
        stoa_put(out, position, p->width, base + load(p->exceptions + k * p->width, p->width));
    }
    p->positions += 2 * count;
    p->exceptions += count * p->width;
    return true;
}

enum stoa_status stoa_pfor_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  uint8_t *out, struct stoa_error *err)
{
    const struct stoa_kernels *kernels = stoa_kernels();
    unsigned log2 = stoa_width_log2(node->width);
    struct pfor p = {0};
    const uint8_t *packed;
    enum stoa_status st;

    STOA_TRY(open_payload(decoder, node, &p, err));
    packed = p.payload + p.at.packed;
    for (size_t b = 0; b < p.at.nblocks; b++) {
        size_t n = stoa_pfor_block_nvalues(p.nvalues, b);
        unsigned nbits = p.payload[p.at.widths + b];
        uint64_t base = load(p.payload + p.at.bases + b * p.width, p.width);

        if (n == STOA_BLOCK_NVALUES)
            kernels->unpack[log2](packed, nbits, base, out);
        else if (!stoa_bits_unpack(packed, nbits, n, base, p.width, out))
            return stoa_node_fail(node, err, "bits behind the last value");
        if (!patch(&p, count_of(&p, b), n, base, out))
            return stoa_node_fail(node, err, "positions of exceptions in block %zu do not rise", b);
        if (p.multiplier != 1)
            kernels->scale[log2](out, n, p.multiplier, p.offset);
        packed += packed_nbytes(&p, b);
        out += n * p.width;
    }
out:
    return st;
}
