/*
 * Split-block Bloom filters (spec/statistics.md, section 6).
 *
 *     hash of a value   | which block: upper 32 bits | which bits: lower 32 bits |
 *     block             | word 0 | word 1 | .. | word 7 |     32 bits each, a bit in each
 *
 * A value touches 32 bytes, which is one read of memory or of a file. How many bits a value has
 * decides how often a value that is not there is found; the table was computed once from
 *
 *     sum over k of Poisson(k; 256 / bits) * (1 - (31 / 32)^k)^8
 *
 * so that no file depends on the rounding of a library's logarithm.
 */
#include "stats/bloom.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "column/array.h"
#include "column/scalar.h"
#include "stats/zonemap.h"

/* ---- Sizes. ---- */

enum { LEAST_NBITS = 4 };

/* Of LEAST_NBITS bits a value, one more, and so on. */
static const double rates[] = {
    0.33,     0.18,     0.1,      0.057,    0.034,    0.021,    0.0127,   0.0082,
    0.0055,   0.0037,   0.0026,   0.0019,   0.00133,  0.00097,  0.00073,  0.00055,
    0.00043,  0.00033,  0.00026,  0.000204, 0.000164, 0.000132, 0.000108, 0.000088,
    0.000073, 0.000061, 0.000051, 0.000043, 0.000037, 0.000031, 0.000027, 0.000023,
    0.00002,  0.000017, 0.000015, 0.000013, 0.000012, 0.00001,
};
enum { NRATES = sizeof(rates) / sizeof(rates[0]) };

double stoa_bloom_rate(uint64_t nbits)
{
    if (nbits <= LEAST_NBITS) /* nothing asks for so few */
        return rates[1];
    return nbits < LEAST_NBITS + NRATES ? rates[nbits - LEAST_NBITS] : rates[NRATES - 1];
}

uint8_t stoa_bloom_nbits(double rate)
{
    if (!(rate < rates[0])) /* NaN too */
        return 0;
    for (size_t i = 0; i < NRATES; i++)
        if (rates[i] <= rate)
            return (uint8_t)(LEAST_NBITS + i);
    return 0;
}

uint32_t stoa_bloom_nblocks(uint32_t ndistinct, unsigned nbits)
{
    const uint64_t block_nbits = 8 * STOA_BLOOM_BLOCK_NBYTES;
    const uint64_t n = ((uint64_t)ndistinct * nbits + block_nbits - 1) / block_nbits;

    return n < UINT32_MAX / STOA_BLOOM_BLOCK_NBYTES ? (uint32_t)n
                                                    : UINT32_MAX / STOA_BLOOM_BLOCK_NBYTES;
}

/* ---- Blocks. ---- */

static const uint32_t salts[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                  0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

static uint32_t bit_of(uint64_t hash, int word)
{
    return UINT32_C(1) << ((uint32_t)hash * salts[word] >> 27);
}

bool stoa_bloom_has(const uint8_t block[STOA_BLOOM_BLOCK_NBYTES], uint64_t hash)
{
    bool found = true;

    for (int i = 0; i < 8; i++)
        found &= (stoa_load32(block + 4 * i) & bit_of(hash, i)) != 0;
    return found;
}

static void put(uint8_t *blocks, uint32_t nblocks, uint64_t hash)
{
    uint8_t *block = blocks + (size_t)stoa_bloom_block(hash, nblocks) * STOA_BLOOM_BLOCK_NBYTES;

    for (int i = 0; i < 8; i++)
        stoa_store32(block + 4 * i, stoa_load32(block + 4 * i) | bit_of(hash, i));
}

/* ---- Hashes of values. ---- */

static bool is_sign(uint64_t word, uint64_t below)
{
    return word == (below >> 63 ? UINT64_MAX : 0);
}

/* A number in two's complement, the lowest word first: in as few of 1, 2, 4 words as hold it. */
static uint64_t hash_words(const uint64_t words[4])
{
    uint8_t bytes[32];
    size_t n = 4;

    if (is_sign(words[2], words[1]) && is_sign(words[3], words[1]))
        n = is_sign(words[1], words[0]) ? 1 : 2;
    for (size_t i = 0; i < n; i++)
        stoa_store64(bytes + 8 * i, words[i]);
    return stoa_hash(bytes, 8 * n);
}

static uint64_t hash_number(enum stoa_bound_kind kind, const union stoa_bound *number)
{
    uint64_t words[4] = {0}, bits;
    uint8_t bytes[8];
    double x;

    switch (kind) {
    case STOA_BOUND_FLOAT:
        x = number->f64 == 0 ? 0 : number->f64; /* zeros are equal */
        memcpy(&bits, &x, sizeof(bits));
        stoa_store64(bytes, bits);
        return stoa_hash(bytes, sizeof(bytes));
    case STOA_BOUND_INT256:
        return hash_words(number->i256);
    case STOA_BOUND_INT128:
        words[0] = number->i128.lo;
        words[1] = (uint64_t)number->i128.hi;
        break;
    case STOA_BOUND_INT:
        words[0] = number->u64;
        words[1] = number->i64 < 0 ? UINT64_MAX : 0;
        break;
    default:
        words[0] = number->u64;
        break;
    }
    words[2] = words[3] = words[1] >> 63 ? UINT64_MAX : 0;
    return hash_words(words);
}

/* ---- Making. ---- */

/* Whether a value counts; sets its hash. */
static bool hash_value(const struct stoa_type *type, enum stoa_bound_kind kind,
                       const struct stoa_array *array, size_t i, uint64_t *hash)
{
    union stoa_bound number;
    struct stoa_scalar value;

    if (stoa_array_is_null(array, i))
        return false;
    value = stoa_scalar_get(type, array, i);
    if (kind == STOA_BOUND_BYTES) {
        *hash = stoa_hash(value.bytes, value.nbytes);
        return true;
    }
    number = stoa_bound_of_scalar(kind, &value);
    *hash = hash_number(kind, &number);
    return kind != STOA_BOUND_FLOAT || number.f64 == number.f64;
}

/*
 * Sorts n < 2^32 hashes, by way of as many `others`, byte by byte from the lowest on: an even
 * number of times from one to the other. Who chose the values can't make that slow, as it would be
 * with a table by these hashes, whose function is known.
 */
static void sort_hashes(uint64_t *hashes, uint64_t *others, size_t n)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        uint32_t at[256] = {0}, end = 0;
        uint64_t *sorted = others;

        for (size_t i = 0; i < n; i++)
            at[hashes[i] >> shift & 0xff]++;
        for (size_t i = 0; i < 256; i++) {
            const uint32_t count = at[i];

            at[i] = end;
            end += count;
        }
        for (size_t i = 0; i < n; i++)
            others[at[hashes[i] >> shift & 0xff]++] = hashes[i];
        others = hashes;
        hashes = sorted;
    }
}

/* The distinct hashes of the values that count, rising: the first *n of *out. */
static enum stoa_status collect(const struct stoa_type *type, const struct stoa_array *array,
                                uint64_t **out, size_t *n, struct stoa_error *err)
{
    const enum stoa_bound_kind kind = stoa_bound_kind(type);
    uint64_t *hashes = NULL, *others = NULL;
    size_t nhashes = 0, ndistinct = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&hashes, array->nvalues * sizeof(*hashes), err));
    for (size_t i = 0; i < array->nvalues; i++)
        nhashes += hash_value(type, kind, array, i, &hashes[nhashes]);
    STOA_TRY(stoa_alloc(&others, nhashes * sizeof(*others), err));
    sort_hashes(hashes, others, nhashes);
    for (size_t i = 0; i < nhashes; i++)
        if (i == 0 || hashes[i] != hashes[ndistinct - 1])
            hashes[ndistinct++] = hashes[i];
    *n = ndistinct;
    *out = hashes;
    hashes = NULL;
out:
    stoa_free(others);
    stoa_free(hashes);
    return st;
}

enum stoa_status stoa_bloom_make(const struct stoa_type *type, const struct stoa_array *array,
                                 unsigned nbits, uint32_t nblocks, uint32_t *count,
                                 struct stoa_buffer *out, struct stoa_error *err)
{
    struct stoa_buffer blocks = {0};
    uint64_t *hashes = NULL;
    size_t n;
    enum stoa_status st;

    STOA_TRY(collect(type, array, &hashes, &n, err));
    *count = (uint32_t)n;
    if (n == 0)
        goto out;
    if (nblocks == 0)
        nblocks = stoa_bloom_nblocks(*count, nbits);
    STOA_TRY(stoa_buffer_append_zeros(&blocks, (size_t)nblocks * STOA_BLOOM_BLOCK_NBYTES, err));
    for (size_t i = 0; i < n; i++)
        put(blocks.data, nblocks, hashes[i]);
    *out = blocks;
out:
    stoa_free(hashes);
    return st;
}

/* ---- Asking. ---- */

/* How many values a range of numbers has, MAX_NPOINTS + 1 for more and for what is not counted. */
static uint64_t range_nvalues(enum stoa_bound_kind kind, const struct stoa_bound_range *range)
{
    const uint64_t many = STOA_BLOOM_MAX_NPOINTS + 1;
    uint64_t n;

    if (stoa_bound_compare(kind, &range->lo, 0, &range->hi, 0) == 0)
        return 1;
    if (kind != STOA_BOUND_INT && kind != STOA_BOUND_UINT)
        return many;
    n = range->hi.u64 - range->lo.u64; /* less one; of both kinds */
    return n < many ? n + 1 : many;
}

static int order_hashes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

unsigned stoa_bloom_points(const struct stoa_leaf *leaf, uint64_t hashes[STOA_BLOOM_MAX_NPOINTS])
{
    const bool is_text = leaf->kind == STOA_BOUND_BYTES;
    unsigned n = 0;

    if (leaf->test != STOA_LEAF_RANGES || leaf->nranges > STOA_BLOOM_MAX_NPOINTS)
        return 0;
    for (size_t i = 0; i < leaf->nranges; i++) {
        uint64_t nvalues = is_text ? 1 : range_nvalues(leaf->kind, &leaf->ranges[i]);
        union stoa_bound number;

        if (nvalues > STOA_BLOOM_MAX_NPOINTS - n || (is_text && !leaf->texts[i].is_point))
            return 0;
        if (is_text) {
            hashes[n++] = stoa_hash(leaf->texts[i].lo, leaf->texts[i].lo_nbytes);
            continue;
        }
        number = leaf->ranges[i].lo;
        for (; nvalues > 0; nvalues--, number.u64 += nvalues > 0)
            hashes[n++] = hash_number(leaf->kind, &number);
    }
    if (n > 1)
        qsort(hashes, n, sizeof(hashes[0]), order_hashes);
    return n;
}
