/*
 * ALP (spec/encodings.md, section 2.7): floats that were decimals, as integers.
 *
 *     values       -73.98   40.75   0.1    NaN          exponent 2: value = integer / 10^2
 *     child        -7398    4075    10     10
 *     exceptions                           3: NaN
 *
 * The idea is that of Afroozeh and Boncz, "ALP: Adaptive Lossless floating-Point Compression"
 * (SIGMOD 2024): a column of doubles that were read from text is a column of small integers. They
 * decode by two multiplications, which miss one value or another; one division is rounded
 * correctly, so a decimal of up to 15 digits always comes back as the double that a parser made of
 * it, and there is one exponent to choose instead of two. It costs nothing from memory: a core
 * divides 26 GB/s of doubles, and 70 by multiplications that give the same (alp_loops.h).
 *
 * What does not come back bit by bit (NaN, infinities, -0.0, real measurements) is an exception.
 */
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

enum {
    HEAD_NBYTES = 8,   /* u8 exponent | 3 zero | u32 n_exceptions */
    MAX_EXPONENT = 22, /* 10^22 is the last power of ten that is a double */
    NSAMPLES = 256,    /* of a page, to choose the exponent by */
    EXCEPTION_NBITS = 96,
    BLOCK = STOA_BLOCK_NVALUES,
};

static const double powers[MAX_EXPONENT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* ---- Encoding. ---- */

/* n of the values, evenly spread. */
static size_t take_sample(const struct stoa_vector *values, uint8_t out[NSAMPLES * 8])
{
    size_t n = values->nvalues < NSAMPLES ? values->nvalues : NSAMPLES;

    for (size_t i = 0; i < n; i++)
        memcpy(out + i * values->width, values->values + i * values->nvalues / n * values->width,
               values->width);
    return n;
}

/*
 * The exponent that is expected to cost least: each one more makes every integer log2(10) bits
 * wider and turns exceptions into integers.
 */
static unsigned choose_exponent(const struct stoa_vector *values)
{
    const struct stoa_kernels *k = stoa_kernels();
    unsigned is_double = values->phys == STOA_PHYS_F64, best = 0;
    size_t best_cost = SIZE_MAX, n;
    uint8_t sample[NSAMPLES * 8], out[NSAMPLES * 8];

    n = take_sample(values, sample);
    for (unsigned exponent = 0; exponent <= MAX_EXPONENT; exponent++) {
        size_t nwrong = k->alp_encode[is_double](sample, n, powers[exponent], out);
        size_t cost = n * exponent * 10 / 3 + nwrong * EXCEPTION_NBITS;

        if (cost < best_cost) {
            best_cost = cost;
            best = exponent;
        }
        if (nwrong == 0)
            break;
    }
    return best;
}

/* The exceptions of a page. */
struct exceptions {
    uint32_t *positions;
    uint8_t *values;
    size_t count;
};

/*
 * Collects the exceptions of values [begin, end) and puts the integer before each in its slot,
 * which costs the child least; slots before the first good one keep 0.
 */
static void collect(const struct stoa_vector *values, size_t begin, size_t end, double power,
                    uint8_t *integers, struct exceptions *out)
{
    const struct stoa_kernels *k = stoa_kernels();
    unsigned is_double = values->phys == STOA_PHYS_F64;
    size_t width = values->width;

    for (size_t i = begin; i < end; i++) {
        uint8_t *integer = integers + i * width;

        if (k->alp_encode[is_double](values->values + i * width, 1, power, integer) == 0)
            continue;
        out->positions[out->count] = (uint32_t)i;
        memcpy(out->values + out->count * width, values->values + i * width, width);
        out->count++;
        if (i > 0)
            memcpy(integer, integer - width, width);
        else
            memset(integer, 0, width);
    }
}

static enum stoa_status write_payload(struct stoa_encoder *encoder,
                                      const struct stoa_vector *values, unsigned exponent,
                                      const struct exceptions *exceptions, bool compress,
                                      struct stoa_error *err)
{
    size_t width = values->width, count = exceptions->count;
    uint8_t *payload;
    enum stoa_status st = stoa_node_begin(encoder, STOA_ALP, values,
                                          HEAD_NBYTES + count * (4 + width), &payload, err);

    if (st != STOA_OK)
        return st;
    memset(payload, 0, HEAD_NBYTES);
    payload[0] = (uint8_t)exponent;
    stoa_store32(payload + 4, (uint32_t)count);
    stoa_bytes_le(payload + HEAD_NBYTES, exceptions->positions, count, 4);
    stoa_bytes_le(payload + HEAD_NBYTES + 4 * count, exceptions->values, count, (unsigned)width);
    return stoa_node_end(encoder, compress, err);
}

enum stoa_status stoa_alp_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                 const struct stoa_vector *values, struct stoa_error *err)
{
    const struct stoa_kernels *k = stoa_kernels();
    unsigned is_double = values->phys == STOA_PHYS_F64, exponent = choose_exponent(values);
    size_t n = values->nvalues, width = values->width;
    struct stoa_vector child = {
        .phys = is_double ? STOA_PHYS_I64 : STOA_PHYS_I32, .width = values->width, .nvalues = n};
    struct exceptions exceptions = {0};
    uint8_t *integers;
    enum stoa_status st;

    if (stoa_vector_is_constant(values))
        return stoa_node_encode_constant(encoder, values, err);
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &integers, n * width, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &exceptions.positions, n * 4, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &exceptions.values, n * width, err));
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        size_t end = n - begin < BLOCK ? n : begin + BLOCK;

        if (k->alp_encode[is_double](values->values + begin * width, end - begin, powers[exponent],
                                     integers + begin * width) > 0)
            collect(values, begin, end, powers[exponent], integers, &exceptions);
    }
    if (exceptions.count > n / 2) /* no decimals */
        return stoa_node_encode_instead(encoder, plan, values, err);
    child.values = integers;
    STOA_TRY(write_payload(encoder, values, exponent, &exceptions, plan->compress, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 0), &child, err);
out:
    return st;
}

/* ---- Decoding. ---- */

/* Puts the exceptions in their slots. */
static enum stoa_status patch(const struct stoa_page_node *node, const uint8_t *positions,
                              const uint8_t *values, size_t count, uint8_t *out,
                              struct stoa_error *err)
{
    uint64_t next = 0; /* the least position that is right */

    for (size_t i = 0; i < count; i++) {
        uint32_t position = stoa_load32(positions + 4 * i);

        if (position < next || position >= node->nvalues)
            return stoa_node_fail(node, err, "exception at %u of %u values", position,
                                  node->nvalues);
        stoa_bytes_le(out + (size_t)position * node->width, values + i * node->width, 1,
                      node->width);
        next = (uint64_t)position + 1;
    }
    return STOA_OK;
}

/* The payload, checked: exponent, exceptions. */
struct alp {
    double power;
    uint32_t count;
    const uint8_t *positions;
    const uint8_t *exceptions;
};

static enum stoa_status open_payload(struct stoa_decoder *decoder,
                                     const struct stoa_page_node *node, struct alp *out,
                                     struct stoa_error *err)
{
    const uint8_t *payload;
    uint32_t count;
    enum stoa_status st;

    if (node->raw_nbytes < HEAD_NBYTES)
        return stoa_node_fail(node, err, "a payload of %u bytes", node->raw_nbytes);
    STOA_TRY(stoa_node_payload(decoder, node, &payload, err));
    count = stoa_load32(payload + 4);
    if (payload[0] > MAX_EXPONENT || payload[1] != 0 || payload[2] != 0 || payload[3] != 0)
        return stoa_node_fail(node, err, "exponent %u", stoa_load32(payload));
    STOA_TRY(stoa_node_expect(node, HEAD_NBYTES + (uint64_t)count * (4 + node->width), err));
    *out = (struct alp){
        .power = powers[payload[0]],
        .count = count,
        .positions = payload + HEAD_NBYTES,
        .exceptions = payload + HEAD_NBYTES + 4 * (size_t)count,
    };
out:
    return st;
}

enum stoa_status stoa_alp_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 uint8_t *out, struct stoa_error *err)
{
    unsigned is_double = node->phys == STOA_PHYS_F64;
    struct alp alp = {0};
    enum stoa_status st;

    STOA_TRY(open_payload(decoder, node, &alp, err));
    STOA_TRY(stoa_node_decode(decoder, node->children[0], out, err));
    if (!stoa_kernels()->alp_decode[is_double](out, node->nvalues, alp.power))
        return stoa_node_fail(node, err, "an integer of more than 51 bits");
    st = patch(node, alp.positions, alp.exceptions, alp.count, out, err);
out:
    return st;
}

/* ---- A part of the values. ---- */

/* The value that an integer stands for, as alp_loops.h computes it. */
static double value_of(int64_t integer, double power, bool is_double)
{
    double x = (double)integer / power;

    return is_double ? x : (double)(float)x;
}

/*
 * The least integer from lo to hi whose value is at least (or, if above, more than) x; hi + 1 when
 * there is none. Values rise with their integers, because a rounded quotient does.
 */
static int64_t find_integer(int64_t lo, int64_t hi, double x, bool above, double power,
                            bool is_double)
{
    hi++;
    while (lo < hi) {
        int64_t middle = lo + (hi - lo) / 2;
        double value = value_of(middle, power, is_double);

        if (above ? value <= x : value < x)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

/* Floats in ranges are integers in spans. */
static void integer_test(const struct stoa_test *test, double power, bool is_double,
                         struct stoa_test *out)
{
    const int64_t limit = is_double ? INT64_C(1) << 51 : INT64_C(1) << 31;

    *out = (struct stoa_test){.kind = STOA_TEST_SPANS};
    for (unsigned k = 0; k < test->nspans; k++) {
        const struct stoa_float_range *range = &test->floats[k];
        int64_t lo = find_integer(-limit, limit - 1, range->lo, false, power, is_double);
        int64_t end = find_integer(-limit, limit - 1, range->hi, true, power, is_double);

        if (lo < end)
            out->spans[out->nspans++] = (struct stoa_test_span){
                .from = (uint64_t)lo, .length = (uint64_t)end - (uint64_t)lo - 1};
    }
}

enum stoa_status stoa_alp_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 const struct stoa_test *test, uint8_t *bits,
                                 struct stoa_error *err)
{
    struct stoa_test integers;
    struct alp alp = {0};
    enum stoa_status st;

    STOA_TRY(open_payload(decoder, node, &alp, err));
    integer_test(test, alp.power, node->phys == STOA_PHYS_F64, &integers);
    if (integers.nspans > 0)
        STOA_TRY(stoa_node_filter(decoder, node->children[0], &integers, bits, err));
    for (uint32_t i = 0; i < alp.count; i++) {
        uint32_t position = stoa_load32(alp.positions + 4 * (size_t)i);
        uint8_t value[8], passes = 0;

        if (position >= node->nvalues)
            return stoa_node_fail(node, err, "exception at %u of %u values", position,
                                  node->nvalues);
        stoa_bytes_le(value, alp.exceptions + (size_t)i * node->width, 1, node->width);
        STOA_TRY(stoa_node_test(decoder, node, test, value, 1, &passes, err));
        if (passes != 0)
            stoa_bitmap_set(bits, position);
        else
            stoa_bitmap_clear(bits, position);
    }
out:
    return st;
}

enum stoa_status stoa_alp_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                               const uint32_t *places, size_t n, uint8_t *out,
                               struct stoa_error *err)
{
    const unsigned width = node->width;
    struct alp alp = {0};
    enum stoa_status st;

    STOA_TRY(open_payload(decoder, node, &alp, err));
    STOA_TRY(stoa_node_take(decoder, node->children[0], places, n, out, err));
    if (!stoa_kernels()->alp_decode[node->phys == STOA_PHYS_F64](out, n, alp.power))
        return stoa_node_fail(node, err, "an integer of more than 51 bits");
    for (size_t k = 0, i = 0; k < n; k++) { /* the first exception that is not before the place */
        for (size_t end = alp.count; i < end;) {
            size_t middle = i + (end - i) / 2;

            if (stoa_load32(alp.positions + 4 * middle) < places[k])
                i = middle + 1;
            else
                end = middle;
        }
        if (i < alp.count && stoa_load32(alp.positions + 4 * i) == places[k])
            stoa_bytes_le(out + k * width, alp.exceptions + i * width, 1, width);
    }
out:
    return st;
}
