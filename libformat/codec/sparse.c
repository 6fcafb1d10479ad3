/*
 * SPARSE (spec/encodings.md, section 2.5): one value in most slots, and the others with their
 * places.
 *
 *     top value    child: rising positions    child: value of each position
 */
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

/*
 * The value that more than half of the slots hold, if there is one (majority vote: each other value
 * takes one of the candidate's votes away). Any value will do for a correct page.
 */
static inline size_t find_top(const uint8_t *values, unsigned width, size_t n)
{
    size_t top = 0, nvotes = 0;

    for (size_t i = 0; i < n; i++) {
        bool same = memcmp(values + i * width, values + top * width, width) == 0;

        if (nvotes == 0)
            top = i;
        nvotes = nvotes == 0 || same ? nvotes + 1 : nvotes - 1;
    }
    return top;
}

/* Positions and values that differ from value number `top`; returns how many. */
static inline size_t find_others(const uint8_t *values, unsigned width, size_t n, size_t top,
                                 uint32_t *positions, uint8_t *others)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        positions[count] = (uint32_t)i;
        memcpy(others + count * width, values + i * width, width);
        count += memcmp(values + i * width, values + top * width, width) != 0;
    }
    return count;
}

#define BY_WIDTH(width, result, f, ...)                                                            \
    do {                                                                                           \
        switch (width) {                                                                           \
        case 1:                                                                                    \
            result = f(values->values, 1, __VA_ARGS__);                                            \
            break;                                                                                 \
        case 2:                                                                                    \
            result = f(values->values, 2, __VA_ARGS__);                                            \
            break;                                                                                 \
        case 4:                                                                                    \
            result = f(values->values, 4, __VA_ARGS__);                                            \
            break;                                                                                 \
        case 8:                                                                                    \
            result = f(values->values, 8, __VA_ARGS__);                                            \
            break;                                                                                 \
        default:                                                                                   \
            result = f(values->values, width, __VA_ARGS__);                                        \
            break;                                                                                 \
        }                                                                                          \
    } while (0)

enum stoa_status stoa_sparse_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                    const struct stoa_vector *values, struct stoa_error *err)
{
    struct stoa_vector others = *values;
    struct stoa_vector positions = {.phys = STOA_PHYS_U32, .width = 4};
    size_t n = values->nvalues, width = values->width, top, count;
    uint8_t *out, *payload;
    uint32_t *places;
    enum stoa_status st;

    /* One more than n: the place behind the last is written before it is known not to count. */
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &out, (n + 1) * width, err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &places, (n + 1) * sizeof(*places), err));
    BY_WIDTH(values->width, top, find_top, n);
    BY_WIDTH(values->width, count, find_others, n, top, places, out);
    if (count == 0)
        return stoa_node_encode_constant(encoder, values, err);
    STOA_TRY(stoa_node_begin(encoder, STOA_SPARSE, values, width, &payload, err));
    if (values->phys == STOA_PHYS_FIXED)
        memcpy(payload, values->values + top * width, width);
    else
        stoa_bytes_le(payload, values->values + top * width, 1, (unsigned)width);
    STOA_TRY(stoa_node_end(encoder, plan->compress, err));
    positions.nvalues = others.nvalues = count;
    positions.values = (const uint8_t *)places;
    others.values = out;
    STOA_TRY(stoa_node_encode(encoder, stoa_plan_child(plan, 0), &positions, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 1), &others, err);
out:
    return st;
}

static enum stoa_status check_positions(const struct stoa_page_node *node,
                                        const uint32_t *positions, size_t count,
                                        struct stoa_error *err)
{
    bool rise = true;

    for (size_t k = 1; k < count; k++)
        rise &= positions[k - 1] < positions[k];
    if (!rise)
        return stoa_node_fail(node, err, "positions do not rise");
    if (positions[count - 1] >= node->nvalues)
        return stoa_node_fail(node, err, "position %u of %u values", positions[count - 1],
                              node->nvalues);
    return STOA_OK;
}

static inline void scatter(uint8_t *out, const uint32_t *positions, const uint8_t *others,
                           size_t count, size_t width)
{
    for (size_t k = 0; k < count; k++)
        memcpy(out + positions[k] * width, others + k * width, width);
}

enum stoa_status stoa_sparse_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    uint8_t *out, struct stoa_error *err)
{
    size_t count = node->children[0]->nvalues;
    const uint32_t *positions;
    const uint8_t *others;
    enum stoa_status st;

    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &positions, err));
    STOA_TRY(check_positions(node, positions, count, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[1], &others, err));
    STOA_TRY(stoa_const_decode(decoder, node, out, err)); /* its payload is that of CONST */
    switch (node->width) {
    case 1:
        scatter(out, positions, others, count, 1);
        break;
    case 2:
        scatter(out, positions, others, count, 2);
        break;
    case 4:
        scatter(out, positions, others, count, 4);
        break;
    case 8:
        scatter(out, positions, others, count, 8);
        break;
    default:
        scatter(out, positions, others, count, node->width);
        break;
    }
out:
    return st;
}

/* ---- A part of the values. ---- */

static enum stoa_status read_positions(struct stoa_decoder *decoder,
                                       const struct stoa_page_node *node,
                                       const uint32_t **positions, struct stoa_error *err)
{
    enum stoa_status st = stoa_node_decode_scratch(decoder, node->children[0], positions, err);

    return st == STOA_OK ? check_positions(node, *positions, node->children[0]->nvalues, err) : st;
}

enum stoa_status stoa_sparse_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    const struct stoa_test *test, uint8_t *bits,
                                    struct stoa_error *err)
{
    const size_t count = node->children[0]->nvalues, nbytes = (count + 63) / 64 * 8;
    const uint32_t *positions;
    uint8_t *others;
    enum stoa_status st;

    STOA_TRY(read_positions(decoder, node, &positions, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &others, nbytes, err));
    memset(others, 0, nbytes);
    STOA_TRY(stoa_node_filter(decoder, node->children[1], test, others, err));
    STOA_TRY(stoa_const_filter(decoder, node, test, bits, err)); /* its payload is that of CONST */
    for (size_t k = 0; k < count; k++) {
        if (stoa_bitmap_get(others, k))
            stoa_bitmap_set(bits, positions[k]);
        else
            stoa_bitmap_clear(bits, positions[k]);
    }
out:
    return st;
}

/* Where `place` is among rising positions from `at` on, or where it would be. */
static size_t find_position(const uint32_t *positions, size_t at, size_t count, uint32_t place)
{
    while (count > at) {
        size_t middle = at + (count - at) / 2;

        if (positions[middle] < place)
            at = middle + 1;
        else
            count = middle;
    }
    return at;
}

enum stoa_status stoa_sparse_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const uint32_t *places, size_t n, uint8_t *out,
                                  struct stoa_error *err)
{
    const size_t count = node->children[0]->nvalues;
    const uint32_t *positions;
    uint32_t *found, *wanted, nfound = 0;
    uint8_t *others;
    enum stoa_status st;

    STOA_TRY(read_positions(decoder, node, &positions, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &found, n * sizeof(*found), err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &wanted, n * sizeof(*wanted), err));
    for (size_t k = 0, at = 0; k < n; k++) {
        at = find_position(positions, at, count, places[k]);
        if (at == count)
            break;
        if (positions[at] == places[k]) {
            found[nfound] = (uint32_t)k;
            wanted[nfound++] = (uint32_t)at;
        }
    }
    STOA_TRY(stoa_const_take(decoder, node, places, n, out, err));
    if (nfound == 0)
        return STOA_OK;
    STOA_TRY(stoa_node_take_scratch(decoder, node->children[1], wanted, nfound, &others, err));
    for (uint32_t k = 0; k < nfound; k++)
        memcpy(out + (size_t)found[k] * node->width, others + (size_t)k * node->width, node->width);
out:
    return st;
}
