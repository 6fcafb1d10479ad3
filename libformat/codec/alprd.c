/*
 * ALP-RD (spec/encodings.md, section 2.10): floats that are no decimals, cut in two.
 *
 *     bits of a value   | left, at most 16 bits       | right, 8|T| - left bits: noise |
 *                         code of a left part: U8       T, packed
 *
 *     payload           left parts by code; left parts that have none, with their slots
 *
 * The idea is that of Afroozeh and Boncz, "ALP: Adaptive Lossless floating-Point Compression"
 * (SIGMOD 2024), section 3.4, for "real doubles": sign, exponent and the highest bits of the
 * mantissa take few values, so a dictionary of them is short. Theirs has 8 entries and packs codes
 * in 3 bits. Here it has up to 256 and the codes are a child of the node: packed they decode
 * fastest; with an entropy code they take what the distribution of exponents is worth.
 *
 * Where to cut is asked of a sample, in whole numbers, so that all machines cut alike.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

enum {
    HEAD_NBYTES = 8, /* u8 right_nbits | u8 zero | u16 n_left | u32 n_exceptions */
    MAX_LEFT_NBITS = 16,
    MAX_NLEFT = 256,
    EXCEPTION_NBYTES = 6, /* u32 position, u16 left part */
    NSAMPLES = 2048,
};

#define NO_CODE UINT32_MAX /* and no count */

/* ---- Where to cut. ---- */

/* Costs are in 1/16 of a bit. */
enum { BIT = 16, EXCEPTION_COST = EXCEPTION_NBYTES * 8 * BIT };

/* A part costs two bytes for the whole page, and a sample shows less entropy than there is. */
static uint64_t part_cost(size_t nsamples, size_t nvalues)
{
    return BIT + (uint64_t)16 * BIT * nsamples / nvalues;
}

/* 16 * log2(x) for x > 0, a straight line between powers of two. */
static uint32_t log2_of(uint32_t x)
{
    unsigned whole = stoa_bit_width(x) - 1;

    return whole * BIT + (uint32_t)(((uint64_t)x * BIT >> whole) - BIT);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

/* How often each left part of nbits bits stands in a sorted sample of the highest 16 bits. */
static size_t count_parts(const uint32_t *sample, size_t n, unsigned nbits, uint32_t *counts)
{
    unsigned drop = MAX_LEFT_NBITS - nbits;
    size_t nparts = 0;

    for (size_t i = 0; i < n; i++) {
        if (i == 0 || sample[i] >> drop != sample[i - 1] >> drop)
            counts[nparts++] = 0;
        counts[nparts - 1]++;
    }
    return nparts;
}

/* The codes of n values by their entropy; parts that have no code are exceptions. */
static uint64_t entropy_cost(const uint32_t *counts, size_t nparts, size_t n, uint64_t of_part)
{
    uint64_t cost = 0;

    if (nparts > MAX_NLEFT)
        return UINT64_MAX;
    for (size_t k = 0; k < nparts; k++)
        cost += (uint64_t)counts[k] * (log2_of((uint32_t)n) - log2_of(counts[k])) + of_part;
    return cost;
}

/* The codes of n values as packed bits: as many as make bits and exceptions fewest. */
static uint64_t packed_cost(uint32_t *counts, size_t nparts, size_t n, uint64_t of_part)
{
    uint64_t best = UINT64_MAX, covered = 0;
    size_t k = 0;

    qsort(counts, nparts, sizeof(counts[0]), by_number);
    for (unsigned nbits = 0; nbits <= 8; nbits++) {
        uint64_t cost;

        for (; k < nparts && k < (size_t)1 << nbits; k++)
            covered += counts[nparts - 1 - k];
        cost = (uint64_t)n * nbits * BIT + (n - covered) * EXCEPTION_COST + k * of_part;
        best = cost < best ? cost : best;
    }
    return best;
}

/* How many bits go to the left. */
static unsigned choose_left_nbits(const struct stoa_vector *values, bool entropy)
{
    size_t n = values->nvalues < NSAMPLES ? values->nvalues : NSAMPLES;
    unsigned best_nbits = 1, shift = 8 * values->width - MAX_LEFT_NBITS;
    uint32_t sample[NSAMPLES] = {0}, counts[NSAMPLES];
    uint64_t best = UINT64_MAX, of_part = part_cost(n, values->nvalues);

    for (size_t i = 0; i < n; i++)
        sample[i] =
            (uint32_t)(stoa_get(values->values, i * values->nvalues / n, values->width) >> shift);
    qsort(sample, n, sizeof(sample[0]), by_number);
    for (unsigned nbits = 1; nbits <= MAX_LEFT_NBITS; nbits++) {
        size_t nparts = count_parts(sample, n, nbits, counts);
        uint64_t codes = entropy ? entropy_cost(counts, nparts, n, of_part)
                                 : packed_cost(counts, nparts, n, of_part);
        uint64_t rights = (uint64_t)n * (8 * values->width - nbits) * BIT;

        if (codes < UINT64_MAX && codes + rights < best) {
            best = codes + rights;
            best_nbits = nbits;
        }
    }
    return best_nbits;
}

/* ---- Encoding. ---- */

struct cut {
    unsigned right_nbits;
    uint32_t *table; /* of a left part: how often it stands there, then its code or NO_CODE */
    uint16_t left[MAX_NLEFT];
    size_t nleft;
};

struct exceptions {
    uint32_t *positions;
    uint16_t *lefts;
    size_t count;
};

static inline void count_lefts(const uint8_t *values, unsigned width, size_t n, unsigned shift,
                               uint32_t *counts)
{
    for (size_t i = 0; i < n; i++)
        counts[stoa_get(values, i, width) >> shift]++;
}

/* The most frequent first; of equal ones the smaller part. */
static int by_count(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x > y ? -1 : x < y;
}

/* How many of the parts get codes, when those are packed: until bits and exceptions are fewest. */
static size_t choose_nleft(const uint64_t *keys, size_t nkeys, size_t n)
{
    size_t best = SIZE_MAX, best_count = 1, covered = 0, k = 0;

    for (unsigned nbits = 0; nbits <= 8; nbits++) {
        size_t nbytes;

        for (; k < nkeys && k < (size_t)1 << nbits; k++)
            covered += (size_t)(keys[k] >> MAX_LEFT_NBITS);
        nbytes = stoa_bits_nbytes(n, nbits) + (n - covered) * EXCEPTION_NBYTES + 2 * k;
        if (nbytes < best) {
            best = nbytes;
            best_count = k;
        }
    }
    return best_count;
}

/* Left parts get codes by how frequent they are. */
static enum stoa_status choose_cut(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                   bool entropy, struct cut *cut, struct stoa_error *err)
{
    const uint64_t low = stoa_low_bits(MAX_LEFT_NBITS);
    unsigned left_nbits = choose_left_nbits(values, entropy);
    size_t n = values->nvalues, nparts = (size_t)1 << left_nbits, nkeys = 0;
    const size_t most = n < nparts ? n : nparts; /* keys */
    uint64_t *keys;
    enum stoa_status st;

    cut->right_nbits = 8 * values->width - left_nbits;
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &cut->table, nparts * sizeof(uint32_t), err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &keys, most * sizeof(uint64_t), err));
    memset(cut->table, 0, nparts * sizeof(uint32_t));
    if (values->width == 4)
        count_lefts(values->values, 4, n, cut->right_nbits, cut->table);
    else
        count_lefts(values->values, 8, n, cut->right_nbits, cut->table);
    for (size_t i = 0; i < n; i++) { /* most parts of a few values are not there */
        const uint64_t part = stoa_get(values->values, i, values->width) >> cut->right_nbits;

        if (cut->table[part] != NO_CODE)
            keys[nkeys++] = (uint64_t)cut->table[part] << MAX_LEFT_NBITS | (low - part);
        cut->table[part] = NO_CODE;
    }
    qsort(keys, nkeys, sizeof(keys[0]), by_count);
    cut->nleft = nkeys < MAX_NLEFT ? nkeys : MAX_NLEFT;
    if (!entropy)
        cut->nleft = choose_nleft(keys, nkeys, n);
    for (size_t k = 0; k < cut->nleft; k++) {
        cut->left[k] = (uint16_t)(low - (keys[k] & low));
        cut->table[cut->left[k]] = (uint32_t)k;
    }
out:
    return st;
}

/* Codes and right parts of all values. Exceptions have the most frequent code; their arrays have
   room for one more than there can be. */
static inline size_t divide(const uint8_t *values, unsigned width, size_t n, const struct cut *cut,
                            uint8_t *codes, uint8_t *rights, struct exceptions *exceptions)
{
    const uint64_t mask = stoa_low_bits(cut->right_nbits);
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t x = stoa_get(values, i, width);
        uint32_t left = (uint32_t)(x >> cut->right_nbits), code = cut->table[left];

        exceptions->positions[count] = (uint32_t)i;
        exceptions->lefts[count] = (uint16_t)left;
        count += code == NO_CODE;
        codes[i] = code == NO_CODE ? 0 : (uint8_t)code;
        stoa_put(rights, i, width, x & mask);
    }
    return count;
}

static enum stoa_status write_payload(struct stoa_encoder *encoder,
                                      const struct stoa_vector *values, const struct cut *cut,
                                      const struct exceptions *exceptions, bool compress,
                                      struct stoa_error *err)
{
    size_t count = exceptions->count;
    uint8_t *payload;
    enum stoa_status st =
        stoa_node_begin(encoder, STOA_ALPRD, values,
                        HEAD_NBYTES + 2 * cut->nleft + EXCEPTION_NBYTES * count, &payload, err);

    if (st != STOA_OK)
        return st;
    payload[0] = (uint8_t)cut->right_nbits;
    payload[1] = 0;
    stoa_store16(payload + 2, (uint16_t)cut->nleft);
    stoa_store32(payload + 4, (uint32_t)count);
    payload += HEAD_NBYTES;
    stoa_bytes_le(payload, cut->left, cut->nleft, 2);
    stoa_bytes_le(payload + 2 * cut->nleft, exceptions->positions, count, 4);
    stoa_bytes_le(payload + 2 * cut->nleft + 4 * count, exceptions->lefts, count, 2);
    return stoa_node_end(encoder, compress, err);
}

enum stoa_status stoa_alprd_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                   const struct stoa_vector *values, struct stoa_error *err)
{
    const struct stoa_plan_node *codes_plan = stoa_plan_child(plan, 0);
    size_t n = values->nvalues;
    struct stoa_vector codes = {.phys = STOA_PHYS_U8, .width = 1, .nvalues = n}, rights = *values;
    struct exceptions exceptions = {0};
    uint8_t *code, *right;
    struct cut cut;
    enum stoa_status st;

    if (stoa_vector_is_constant(values))
        return stoa_node_encode_constant(encoder, values, err);
    STOA_TRY(choose_cut(encoder, values, codes_plan->compress, &cut, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &code, n, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &right, n * values->width, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &exceptions.positions, 4 * (n + 1), err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &exceptions.lefts, 2 * (n + 1), err));
    exceptions.count = values->width == 4
                           ? divide(values->values, 4, n, &cut, code, right, &exceptions)
                           : divide(values->values, 8, n, &cut, code, right, &exceptions);
    codes.values = code;
    rights.values = right;
    STOA_TRY(write_payload(encoder, values, &cut, &exceptions, plan->compress, err));
    STOA_TRY(stoa_node_encode(encoder, codes_plan, &codes, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 1), &rights, err);
out:
    return st;
}

/* ---- Decoding. ---- */

static inline void join(uint8_t *values, unsigned width, size_t n, const uint64_t table[MAX_NLEFT],
                        const uint8_t *codes)
{
    for (size_t i = 0; i < n; i++)
        stoa_put(values, i, width, stoa_get(values, i, width) + table[codes[i]]);
}

static void join_any(uint8_t *values, unsigned width, size_t n, const uint64_t table[MAX_NLEFT],
                     const uint8_t *codes)
{
    if (width == 4)
        join(values, 4, n, table, codes);
    else
        join(values, 8, n, table, codes);
}

/* Exceptions were joined with the left part of some code: that is taken off again. */
static enum stoa_status patch(const struct stoa_page_node *node, const uint8_t *positions,
                              size_t count, unsigned right_nbits, const uint64_t table[MAX_NLEFT],
                              const uint8_t *codes, uint8_t *out, struct stoa_error *err)
{
    const uint8_t *lefts = positions + 4 * count;
    uint64_t next = 0; /* the least position that is right */

    for (size_t i = 0; i < count; i++) {
        uint32_t position = stoa_load32(positions + 4 * i);
        uint64_t left = (uint64_t)stoa_load16(lefts + 2 * i) << right_nbits;

        if (position < next || position >= node->nvalues)
            return stoa_node_fail(node, err, "exception at %u of %u values", position,
                                  node->nvalues);
        stoa_put(out, position, node->width,
                 stoa_get(out, position, node->width) - table[codes[position]] + left);
        next = (uint64_t)position + 1;
    }
    return STOA_OK;
}

static enum stoa_status check_head(const struct stoa_page_node *node, const uint8_t *payload,
                                   struct stoa_error *err)
{
    unsigned nbits = 8 * node->width, right_nbits = payload[0], nleft = stoa_load16(payload + 2);

    if (right_nbits >= nbits || right_nbits + MAX_LEFT_NBITS < nbits || payload[1] != 0)
        return stoa_node_fail(node, err, "%u bits cut at bit %u", nbits, stoa_load16(payload));
    if (nleft == 0 || nleft > MAX_NLEFT)
        return stoa_node_fail(node, err, "%u left parts", nleft);
    return stoa_node_expect(
        node, HEAD_NBYTES + 2 * nleft + EXCEPTION_NBYTES * (uint64_t)stoa_load32(payload + 4), err);
}

enum stoa_status stoa_alprd_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   uint8_t *out, struct stoa_error *err)
{
    uint64_t table[MAX_NLEFT] = {0}, last;
    const uint8_t *payload, *codes;
    size_t nleft;
    enum stoa_status st;

    if (node->raw_nbytes < HEAD_NBYTES)
        return stoa_node_fail(node, err, "a payload of %u bytes", node->raw_nbytes);
    STOA_TRY(stoa_node_payload(decoder, node, &payload, err));
    STOA_TRY(check_head(node, payload, err));
    nleft = stoa_load16(payload + 2);
    for (size_t k = 0; k < nleft; k++)
        table[k] = (uint64_t)stoa_load16(payload + HEAD_NBYTES + 2 * k) << payload[0];
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &codes, err));
    last = stoa_kernels()->range[0](codes, node->nvalues, 0).max;
    if (last >= nleft)
        return stoa_node_fail(node, err, "code %u of %zu left parts", (unsigned)last, nleft);
    STOA_TRY(stoa_node_decode(decoder, node->children[1], out, err));
    join_any(out, node->width, node->nvalues, table, codes);
    st = patch(node, payload + HEAD_NBYTES + 2 * nleft, stoa_load32(payload + 4), payload[0], table,
               codes, out, err);
out:
    return st;
}
