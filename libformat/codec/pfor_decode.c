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
#include <string.h>

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
    switch (width) {
    case 1:
        return bytes[0];
    case 2:
        return stoa_load16(bytes);
    case 4:
        return stoa_load32(bytes);
    default:
        return stoa_load64(bytes);
    }
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

/* ---- A part of the values. ---- */

/* A block of the payload; exceptions are those at p->positions when its turn has come. */
struct block {
    const uint8_t *packed;
    size_t first; /* value */
    size_t n;
    unsigned nbits;
    uint64_t base;
    size_t nexceptions;
};

/* The next block behind *block, {0} before the first; false at the end. */
static bool next_block(struct pfor *p, struct block *block, size_t *b)
{
    if (block->packed == NULL) {
        block->packed = p->payload + p->at.packed;
        *b = 0;
    } else {
        block->packed += packed_nbytes(p, *b);
        block->first += block->n;
        p->positions += 2 * block->nexceptions;
        p->exceptions += block->nexceptions * p->width;
        ++*b;
    }
    if (*b == p->at.nblocks)
        return false;
    block->n = stoa_pfor_block_nvalues(p->nvalues, *b);
    block->nbits = p->payload[p->at.widths + *b];
    block->base = load(p->payload + p->at.bases + *b * p->width, p->width);
    block->nexceptions = count_of(p, *b);
    return true;
}

/* The packed values of a block, scaled; not its exceptions. */
static enum stoa_status unpack_block(const struct pfor *p, const struct stoa_page_node *node,
                                     const struct block *block, uint8_t *out,
                                     struct stoa_error *err)
{
    const struct stoa_kernels *kernels = stoa_kernels();
    const unsigned log2 = stoa_width_log2(p->width);

    if (block->n == STOA_BLOCK_NVALUES)
        kernels->unpack[log2](block->packed, block->nbits, block->base, out);
    else if (!stoa_bits_unpack(block->packed, block->nbits, block->n, block->base, p->width, out))
        return stoa_node_fail(node, err, "bits behind the last value");
    if (p->multiplier != 1)
        kernels->scale[log2](out, block->n, p->multiplier, p->offset);
    return STOA_OK;
}

static uint64_t exception_value(const struct pfor *p, const struct block *block, size_t k)
{
    uint64_t x = block->base + load(p->exceptions + k * p->width, p->width);

    return x * p->multiplier + p->offset; /* 1 and 0 without SCALED */
}

/*
 * What base and width of a block say of a span: its values are first, first + step ... first +
 * reach. 1: all pass, 0: none, -1: it depends.
 */
static int judge_block(const struct pfor *p, const struct block *block,
                       const struct stoa_test_span *span)
{
    const uint64_t mask = stoa_low_bits(8 * p->width), length = span->length & mask;
    uint64_t reach = stoa_low_bits(block->nbits), at;

    if (!stoa_mul_u64(reach, p->multiplier, &reach) || reach > mask)
        return -1;
    at = block->base * p->multiplier + p->offset;
    at = (at - span->from) & mask;
    if (at <= length)
        return reach <= length - at ? 1 : -1;
    return reach <= mask - at ? 0 : -1;
}

/* Sets the bits of the packed values of a block that pass. */
static enum stoa_status filter_packed(const struct pfor *p, const struct stoa_page_node *node,
                                      const struct block *block, const struct stoa_test *test,
                                      uint8_t *bits, struct stoa_error *err)
{
    uint8_t values[STOA_BLOCK_NVALUES * 8 + 64];
    bool unpacked = false;
    enum stoa_status st = STOA_OK;

    for (unsigned k = 0; k < test->nspans; k++) {
        int verdict = judge_block(p, block, &test->spans[k]);

        if (verdict == 1)
            stoa_bitmap_fill(bits, 0, block->n, true);
        if (verdict != -1)
            continue;
        if (!unpacked)
            STOA_TRY(unpack_block(p, node, block, values, err));
        unpacked = true;
        stoa_kernels()->within[stoa_width_log2(p->width)](values, block->n, test->spans[k].from,
                                                          test->spans[k].length, bits);
    }
out:
    return st;
}

static bool passes(const struct stoa_test *test, uint64_t x, uint64_t mask)
{
    bool any = false;

    for (unsigned k = 0; k < test->nspans; k++)
        any |= ((x - test->spans[k].from) & mask) <= (test->spans[k].length & mask);
    return any;
}

enum stoa_status stoa_pfor_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const struct stoa_test *test, uint8_t *bits,
                                  struct stoa_error *err)
{
    const uint64_t mask = stoa_low_bits(8 * node->width);
    struct block block = {0};
    struct pfor p = {0};
    size_t b = 0;
    enum stoa_status st;

    STOA_TRY(open_payload(decoder, node, &p, err));
    while (next_block(&p, &block, &b)) {
        uint8_t *out = bits + block.first / 8;

        STOA_TRY(filter_packed(&p, node, &block, test, out, err));
        for (size_t k = 0; k < block.nexceptions; k++) {
            size_t position = stoa_load16(p.positions + 2 * k);

            if (position >= block.n)
                return stoa_node_fail(node, err, "exception at %zu of a block of %zu values",
                                      position, block.n);
            if (passes(test, exception_value(&p, &block, k), mask))
                stoa_bitmap_set(out, position);
            else
                stoa_bitmap_clear(out, position);
        }
    }
out:
    return st;
}

/* Packed number i of a block: of a full one in lanes (kernels.c), of the last one in a row. */
static uint64_t packed_number(const struct block *block, unsigned width, size_t i)
{
    const unsigned nbits = block->nbits, word_nbits = 8 * width, nlanes = 128 / width;
    const bool in_lanes = block->n == STOA_BLOCK_NVALUES;
    size_t bit = in_lanes ? i / nlanes * nbits : i * nbits;
    size_t word = bit / word_nbits * nlanes + i % nlanes;
    unsigned shift = (unsigned)bit % (in_lanes ? word_nbits : 8);
    uint64_t x = 0;

    if (nbits == 0)
        return 0;
    if (in_lanes) {
        x = load(block->packed + word * width, width) >> shift;
        if (shift + nbits > word_nbits) /* it goes on in the next word of the lane */
            x |= load(block->packed + (word + nlanes) * width, width) << (word_nbits - shift);
    } else {
        const uint8_t *bytes = block->packed + bit / 8;

        for (unsigned k = 0; 8 * k < shift + nbits; k++)
            x |= 8 * k >= shift ? (uint64_t)bytes[k] << (8 * k - shift)
                                : (uint64_t)bytes[k] >> (shift - 8 * k);
    }
    return x & stoa_low_bits(nbits);
}

/* Number of the exception of a block at `position`, or SIZE_MAX. */
static size_t find_exception(const struct pfor *p, const struct block *block, size_t position)
{
    size_t begin = 0, end = block->nexceptions;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;

        if (stoa_load16(p->positions + 2 * middle) < position)
            begin = middle + 1;
        else
            end = middle;
    }
    if (begin < block->nexceptions && stoa_load16(p->positions + 2 * begin) == position)
        return begin;
    return SIZE_MAX;
}

/* Unpacking a whole block takes as long as so many single values. */
#define FEW_OF_A_BLOCK 24

/* Whether places that rise, or stay, are one behind the other. */
static bool are_neighbours(const uint32_t *places, size_t n)
{
    uint32_t differences = 0;

    for (size_t k = 0; k < n; k++)
        differences |= (places[k] - places[0]) ^ (uint32_t)k;
    return differences == 0;
}

/* The whole block, and of it n places. */
static enum stoa_status take_many(const struct pfor *p, const struct stoa_page_node *node,
                                  const struct block *block, const uint32_t *places, size_t n,
                                  uint8_t *out, struct stoa_error *err)
{
    uint8_t values[STOA_BLOCK_NVALUES * 8 + 64];
    const size_t first = places[0] - block->first;
    enum stoa_status st;

    STOA_TRY(unpack_block(p, node, block, values, err));
    for (size_t k = 0; k < block->nexceptions; k++) {
        const size_t i = stoa_load16(p->positions + 2 * k);

        if (i < block->n)
            stoa_put(values, i, p->width, exception_value(p, block, k));
    }
    if (are_neighbours(places, n)) { /* as deltas are wanted */
        memcpy(out, values + first * p->width, n * p->width);
        return STOA_OK;
    }
    for (size_t k = 0; k < n; k++)
        stoa_put(out, k, p->width, stoa_get(values, places[k] - block->first, p->width));
out:
    return st;
}

/* The values at n places of a block. */
static enum stoa_status take_of_block(const struct pfor *p, const struct stoa_page_node *node,
                                      const struct block *block, const uint32_t *places, size_t n,
                                      uint8_t *out, struct stoa_error *err)
{
    if (n >= FEW_OF_A_BLOCK)
        return take_many(p, node, block, places, n, out, err);
    for (size_t k = 0; k < n; k++) {
        size_t i = places[k] - block->first;
        size_t exception = block->nexceptions > 0 ? find_exception(p, block, i) : SIZE_MAX;
        uint64_t x =
            exception != SIZE_MAX
                ? exception_value(p, block, exception)
                : (block->base + packed_number(block, p->width, i)) * p->multiplier + p->offset;

        stoa_put(out, k, p->width, x);
    }
    return STOA_OK;
}

enum stoa_status stoa_pfor_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                const uint32_t *places, size_t n, uint8_t *out,
                                struct stoa_error *err)
{
    struct block block = {0};
    struct pfor p = {0};
    size_t done = 0, b = 0;
    enum stoa_status st;

    STOA_TRY(open_payload(decoder, node, &p, err));
    while (done < n && next_block(&p, &block, &b)) {
        size_t end = places[n - 1] < block.first + block.n ? n : done;

        while (end < n && places[end] < block.first + block.n)
            end++;
        if (end > done)
            STOA_TRY(take_of_block(&p, node, &block, places + done, end - done,
                                   out + done * p.width, err));
        done = end;
    }
out:
    return st;
}
