/*
 * PFOR, writing (spec/encodings.md, section 2.2).
 *
 * For each block: which base and how many bits a value, so that packed bits and exceptions together
 * are fewest. Without outliers that is the range of the block. Whether there are any is asked of 16
 * values: only when the middle half of them lies closer together than in a quarter of the range, a
 * histogram of bit widths tells what every number of bits would cost. Outliers below the base wrap
 * around to large numbers and are exceptions like those above.
 *
 * Values with a common factor (times in whole minutes) are divided by it first, page by page.
 */
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/node.h"
#include "codec/pfor.h"

enum { NSAMPLES = 16, MIN_GAIN_NBYTES = 16 };

/* How a block is packed. */
struct choice {
    uint64_t base;
    uint32_t nbits;
    uint32_t nexceptions;
    size_t nbytes;
};

struct block {
    struct choice whole; /* no exceptions */
    struct choice patched;
};

/* ---- A common factor. ---- */

/* Answers whether a number is a multiple of 2^shift * odd: one multiplication, no division. */
struct divisor {
    uint64_t value;
    uint64_t inverse; /* of the odd part, modulo 2^64 */
    uint64_t limit;
    unsigned shift;
};

static struct divisor divisor_of(uint64_t value)
{
    struct divisor d = {.value = value, .limit = UINT64_MAX / value};
    uint64_t odd;

    d.shift = (unsigned)__builtin_ctzll(value);
    odd = value >> d.shift;
    d.inverse = odd * 3 ^ 2; /* right in 5 bits; each step doubles that */
    for (int i = 0; i < 4; i++)
        d.inverse *= 2 - odd * d.inverse;
    return d;
}

static inline bool divides(const struct divisor *d, uint64_t x)
{
    uint64_t quotient = x * d->inverse;

    quotient = quotient >> d->shift | quotient << ((64 - d->shift) & 63);
    return quotient <= d->limit;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* The greatest factor that all (value - min) have in common; 0 when all are equal. */
static inline uint64_t common_factor(const uint8_t *values, size_t n, uint64_t min, unsigned width)
{
    const uint64_t mask = stoa_low_bits(width * 8);
    struct divisor d = {0};

    for (size_t i = 0; i < n; i++) {
        uint64_t x = (stoa_get(values, i, width) - min) & mask;

        if (d.value == 0 ? x == 0 : divides(&d, x))
            continue;
        d = divisor_of(greatest_common_divisor(x, d.value));
        if (d.value == 1)
            break;
    }
    return d.value;
}

static inline void divide(const uint8_t *values, size_t n, uint64_t min, uint64_t factor,
                          uint8_t *out, unsigned width)
{
    const uint64_t mask = stoa_low_bits(width * 8);
    const struct divisor d = divisor_of(factor);

    for (size_t i = 0; i < n; i++) {
        uint64_t x = (stoa_get(values, i, width) - min) & mask;

        stoa_put(out, i, width, (x >> d.shift) * d.inverse);
    }
}

static uint64_t common_factor_of(const uint8_t *values, size_t n, uint64_t min, unsigned width)
{
    return width == 1   ? common_factor(values, n, min, 1)
           : width == 2 ? common_factor(values, n, min, 2)
           : width == 4 ? common_factor(values, n, min, 4)
                        : common_factor(values, n, min, 8);
}

static void divide_all(const uint8_t *values, size_t n, uint64_t min, uint64_t factor, uint8_t *out,
                       unsigned width)
{
    if (width == 1)
        divide(values, n, min, factor, out, 1);
    else if (width == 2)
        divide(values, n, min, factor, out, 2);
    else if (width == 4)
        divide(values, n, min, factor, out, 4);
    else
        divide(values, n, min, factor, out, 8);
}

/* ---- Base and bits of a block. ---- */

struct numbers {
    const uint8_t *values;
    unsigned width;
    uint64_t flip; /* in which order, see stoa_least_range() */
    uint64_t mask;
};

static uint64_t ordered(const struct numbers *x, const uint8_t *values, size_t i)
{
    return stoa_get(values, i, x->width) ^ x->flip;
}

/*
 * Between which values the middle half of a sample lies, in numbers that compare unsigned. Each
 * value sinks through the least and the greatest quarter so far, without a branch.
 */
static struct stoa_range middle(const struct numbers *x, const uint8_t *values, size_t n)
{
    uint64_t low[NSAMPLES / 4], high[NSAMPLES / 4];

    for (int i = 0; i < NSAMPLES / 4; i++) {
        low[i] = UINT64_MAX;
        high[i] = 0;
    }
    for (size_t k = 0; k < NSAMPLES; k++) {
        uint64_t down = ordered(x, values, k * n / NSAMPLES), up = down;

        for (int i = 0; i < NSAMPLES / 4; i++) {
            uint64_t less = down < low[i] ? down : low[i];
            uint64_t more = up > high[i] ? up : high[i];

            down ^= low[i] ^ less; /* the greater of the two */
            up ^= high[i] ^ more;
            low[i] = less;
            high[i] = more;
        }
    }
    return (struct stoa_range){low[NSAMPLES / 4 - 1], high[NSAMPLES / 4 - 1]};
}

/*
 * The least value from `limit` on. Those below it are large numbers when it is taken off, so it is
 * the least difference that is wanted: four at a time, so that they do not wait for each other.
 */
static inline uint64_t least_from(const uint8_t *values, size_t n, uint64_t limit, unsigned width)
{
    const uint64_t mask = stoa_low_bits(width * 8);
    uint64_t least[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};

    for (size_t i = 0; i < n; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            size_t at = i + k < n ? i + k : n - 1;
            uint64_t x = (stoa_get(values, at, width) - limit) & mask;

            least[k] = x < least[k] ? x : least[k];
        }
    }
    least[0] = least[0] < least[1] ? least[0] : least[1];
    least[2] = least[2] < least[3] ? least[2] : least[3];
    return limit + (least[0] < least[2] ? least[0] : least[2]);
}

static uint64_t least_value_from(const struct numbers *x, const uint8_t *values, size_t n,
                                 uint64_t limit)
{
    return x->width == 1   ? least_from(values, n, limit, 1)
           : x->width == 2 ? least_from(values, n, limit, 2)
           : x->width == 4 ? least_from(values, n, limit, 4)
                           : least_from(values, n, limit, 8);
}

/* The number of bits that makes values and exceptions smallest over `base`. */
static struct choice cheapest(const struct numbers *x, const uint8_t *values, size_t n,
                              uint64_t base)
{
    struct choice best = {.base = base, .nbits = x->width * 8};
    uint32_t hist[65], nexceptions = 0;

    best.nbytes = stoa_bits_nbytes(n, best.nbits);
    stoa_width_histogram(values, x->width, n, base, hist);
    for (unsigned nbits = x->width * 8; nbits-- > 0;) {
        size_t nbytes;

        nexceptions += hist[nbits + 1];
        nbytes = stoa_bits_nbytes(n, nbits) + nexceptions * (2 + (size_t)x->width);
        if (nbytes < best.nbytes)
            best = (struct choice){base, nbits, nexceptions, nbytes};
    }
    return best;
}

static void choose_block(const struct numbers *x, const uint8_t *values, size_t n,
                         struct block *block)
{
    struct stoa_range range = stoa_kernels()->range[stoa_width_log2(x->width)](values, n, x->flip);
    uint64_t min = range.min ^ x->flip, base = range.min, window;
    struct stoa_range mid;
    struct choice choice;

    block->whole = (struct choice){.base = range.min,
                                   .nbits = stoa_bit_width((range.max - range.min) & x->mask)};
    block->whole.nbytes = stoa_bits_nbytes(n, block->whole.nbits);
    block->patched = block->whole;
    if (n < 4 * NSAMPLES || block->whole.nbits == 0)
        return;
    mid = middle(x, values, n);
    window = mid.max - mid.min;
    if (stoa_bit_width(window) + 1 >= block->whole.nbits) /* half of the values need half of it */
        return;
    /* Far more below the middle than in it: the base is the least value that belongs together. */
    if ((mid.min - min) / 4 > window)
        base = least_value_from(x, values, n, (mid.min - 2 * window) ^ x->flip);
    choice = cheapest(x, values, n, base & x->mask);
    if (choice.nbytes + MIN_GAIN_NBYTES <= block->whole.nbytes)
        block->patched = choice;
}

/* ---- Writing. ---- */

/*
 * Positions and packed values of a block's exceptions; both have room for one more. Most groups of
 * eight values have none.
 */
static inline size_t find_exceptions(const uint8_t *values, size_t n, const struct choice *choice,
                                     uint16_t *positions, uint64_t *exceptions, unsigned width)
{
    const uint64_t mask = stoa_low_bits(width * 8), limit = stoa_low_bits(choice->nbits);
    size_t count = 0;

    for (size_t begin = 0; begin < n; begin += 8) {
        size_t end = n - begin < 8 ? n : begin + 8;
        uint64_t any = 0;

        if (end - begin == 8) {
            for (size_t k = 0; k < 8; k++)
                any |= (stoa_get(values, begin + k, width) - choice->base) & mask;
            if (any <= limit)
                continue;
        }
        for (size_t i = begin; i < end; i++) {
            uint64_t x = (stoa_get(values, i, width) - choice->base) & mask;

            positions[count] = (uint16_t)i;
            exceptions[count] = x;
            count += x > limit;
        }
    }
    return count;
}

static void put_exceptions(const struct numbers *x, const uint8_t *values, size_t n,
                           const struct choice *choice, uint8_t **out_positions,
                           uint8_t **out_exceptions)
{
    uint16_t positions[STOA_BLOCK_NVALUES + 1];
    uint64_t exceptions[STOA_BLOCK_NVALUES + 1];
    size_t count = x->width == 1   ? find_exceptions(values, n, choice, positions, exceptions, 1)
                   : x->width == 2 ? find_exceptions(values, n, choice, positions, exceptions, 2)
                   : x->width == 4 ? find_exceptions(values, n, choice, positions, exceptions, 4)
                                   : find_exceptions(values, n, choice, positions, exceptions, 8);

    for (size_t k = 0; k < count; k++) {
        stoa_store16(*out_positions + 2 * k, positions[k]);
        stoa_put(*out_exceptions, k, x->width, exceptions[k]);
    }
    stoa_bytes_le(*out_exceptions, *out_exceptions, count, x->width);
    *out_positions += 2 * count;
    *out_exceptions += count * x->width;
}

/* Gives exceptions up where their counts would cost more; says whether there are some left. */
static bool settle_patches(struct block *blocks, size_t nblocks, size_t *nexceptions)
{
    size_t whole = 0, patched = 2 * nblocks;
    bool worth_it;

    for (size_t b = 0; b < nblocks; b++) {
        whole += blocks[b].whole.nbytes;
        patched += blocks[b].patched.nbytes;
    }
    worth_it = patched < whole;
    *nexceptions = 0;
    for (size_t b = 0; b < nblocks; b++) {
        if (!worth_it)
            blocks[b].patched = blocks[b].whole;
        *nexceptions += blocks[b].patched.nexceptions;
    }
    return worth_it;
}

static void put_blocks(const struct numbers *x, size_t nvalues, const struct block *blocks,
                       const struct stoa_pfor_layout *at, uint8_t *payload, uint8_t *positions,
                       uint8_t *exceptions)
{
    const struct stoa_kernels *kernels = stoa_kernels();
    uint8_t *packed = payload + at->packed;

    for (size_t b = 0; b < at->nblocks; b++) {
        const struct choice *choice = &blocks[b].patched;
        const uint8_t *values = x->values + b * STOA_BLOCK_NVALUES * x->width;
        size_t n = stoa_pfor_block_nvalues(nvalues, b);

        payload[at->widths + b] = (uint8_t)choice->nbits;
        stoa_put(payload + at->bases, b, x->width, choice->base);
        if (at->bases > at->counts)
            stoa_store16(payload + at->counts + 2 * b, (uint16_t)choice->nexceptions);
        if (n == STOA_BLOCK_NVALUES)
            kernels->pack[stoa_width_log2(x->width)](values, choice->base, choice->nbits, packed);
        else
            stoa_bits_pack(values, x->width, n, choice->base, choice->nbits, packed);
        if (choice->nexceptions > 0)
            put_exceptions(x, values, n, choice, &positions, &exceptions);
        packed += stoa_bits_nbytes(n, choice->nbits);
    }
    stoa_bytes_le(payload + at->bases, payload + at->bases, at->nblocks, x->width);
}

/* Divides by the common factor where that pays; *factor is 1 where it does not. */
static enum stoa_status take_factor(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                    struct numbers *x, uint64_t offset, uint64_t *factor,
                                    struct stoa_error *err)
{
    size_t n = values->nvalues;
    uint8_t *quotients;
    enum stoa_status st;

    *factor = common_factor_of(x->values, n, offset, x->width);
    if (*factor < 2 || (stoa_bit_width(*factor) - 1) * n / 8 <= 2 * x->width + MIN_GAIN_NBYTES) {
        *factor = 1;
        return STOA_OK;
    }
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &quotients, n * x->width, err));
    divide_all(x->values, n, offset, *factor, quotients, x->width);
    x->values = quotients;
    x->flip = 0;
out:
    return st;
}

enum stoa_status stoa_pfor_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                  const struct stoa_vector *values, struct stoa_error *err)
{
    struct numbers x = {values->values, values->width, 0, stoa_low_bits(values->width * 8)};
    struct stoa_pfor_layout at = stoa_pfor_layout(values->nvalues, x.width, 0);
    struct stoa_range range = stoa_least_range(x.values, x.width, values->nvalues, &x.flip);
    size_t packed_nbytes = 0, nexceptions;
    uint64_t factor;
    struct block *blocks;
    uint8_t *payload;
    int flags = 0;
    enum stoa_status st;

    if (range.min == range.max)
        return stoa_node_encode_constant(encoder, values, err);
    STOA_TRY(take_factor(encoder, values, &x, range.min, &factor, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &blocks, at.nblocks * sizeof(*blocks), err));
    for (size_t b = 0; b < at.nblocks; b++)
        choose_block(&x, x.values + b * STOA_BLOCK_NVALUES * x.width,
                     stoa_pfor_block_nvalues(values->nvalues, b), &blocks[b]);
    if (settle_patches(blocks, at.nblocks, &nexceptions))
        flags |= STOA_PFOR_PATCHED;
    for (size_t b = 0; b < at.nblocks; b++)
        packed_nbytes +=
            stoa_bits_nbytes(stoa_pfor_block_nvalues(values->nvalues, b), blocks[b].patched.nbits);
    if (factor > 1)
        flags |= STOA_PFOR_SCALED;
    at = stoa_pfor_layout(values->nvalues, x.width, flags);
    STOA_TRY(stoa_node_begin(encoder, STOA_PFOR, values,
                             at.packed + packed_nbytes + nexceptions * (2 + (size_t)x.width),
                             &payload, err));
    encoder->nodes[encoder->nnodes - 1].flags = (uint8_t)flags;
    if (factor > 1) {
        stoa_put(payload, 0, x.width, range.min);
        stoa_put(payload, 1, x.width, factor);
        stoa_bytes_le(payload, payload, 2, x.width);
    }
    put_blocks(&x, values->nvalues, blocks, &at, payload, payload + at.packed + packed_nbytes,
               payload + at.packed + packed_nbytes + 2 * nexceptions);
    st = stoa_node_end(encoder, plan->compress, err);
out:
    return st;
}
