/*
 * PLANES (spec/encodings.md, section 2.13): byte 0 of all values, byte 1 of all values, ...
 *
 *     values    a0 a1 a2 a3   b0 b1 b2 b3   c0 c1 c2 c3
 *     payload   a0 b0 c0   a1 b1 c1   a2 b2 c2   a3 b3 c3
 *
 * Wide values (identifiers, addresses, large decimals, records of a few fields) have bytes that are
 * noise between bytes that hardly change. A compressor that sees them one after the other codes all
 * by one table; plane by plane each kind gets its own, and a plane of noise is left alone. So the
 * compressor is told to begin a block with each plane. Alone, this encoding saves nothing.
 *
 * Eight values of eight planes are transposed in registers, as an 8 x 8 matrix of bytes.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/node.h"

enum { SIDE = 8 };

/* Swaps rows and columns of 8 x 8 bytes: row i is rows[i], its column k the byte k from below. */
static inline void transpose(uint64_t rows[SIDE])
{
    static const uint64_t masks[] = {0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff};

    for (unsigned level = 0; level < 3; level++) {
        unsigned step = 1u << level, shift = 8 * step;

        for (unsigned i = 0; i < SIDE; i++) {
            uint64_t swap;

            if ((i & step) != 0)
                continue;
            swap = (rows[i] >> shift ^ rows[i + step]) & masks[level];
            rows[i] ^= swap << shift;
            rows[i + step] ^= swap;
        }
    }
}

/*
 * Planes [first, first + count) of n values, count at most 8. Reads up to 7 bytes behind a value.
 */
static void take_planes(const uint8_t *values, size_t width, size_t n, size_t first, size_t count,
                        uint8_t *planes)
{
    size_t i = 0;

    for (; i + SIDE <= n; i += SIDE) {
        uint64_t rows[SIDE];

        for (size_t k = 0; k < SIDE; k++)
            rows[k] = stoa_load64(values + (i + k) * width + first);
        transpose(rows);
        for (size_t k = 0; k < count; k++)
            stoa_store64(planes + (first + k) * n + i, rows[k]);
    }
    for (; i < n; i++)
        for (size_t k = first; k < first + count; k++)
            planes[k * n + i] = values[i * width + k];
}

/*
 * The way back. Writes up to 7 bytes behind a value, where the next one comes later, or planes that
 * are put afterwards: those of a group of less than 8 are put first.
 */
static void put_planes(const uint8_t *planes, size_t width, size_t n, size_t first, size_t count,
                       uint8_t *values)
{
    size_t i = 0;

    for (; i + SIDE <= n; i += SIDE) {
        uint64_t rows[SIDE] = {0};

        for (size_t k = 0; k < count; k++)
            rows[k] = stoa_load64(planes + (first + k) * n + i);
        transpose(rows);
        for (size_t k = 0; k < SIDE; k++)
            stoa_store64(values + (i + k) * width + first, rows[k]);
    }
    for (; i < n; i++)
        for (size_t k = first; k < first + count; k++)
            values[i * width + k] = planes[k * n + i];
}

/* The bytes of values as they are stored: those of numbers with the lowest one first. */
static enum stoa_status stored_order(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                     const uint8_t **out, struct stoa_error *err)
{
    uint8_t *copy;
    enum stoa_status st;

    *out = values->values;
    if (STOA_LITTLE_ENDIAN || values->phys == STOA_PHYS_FIXED)
        return STOA_OK;
    st = stoa_scratch_take(&encoder->scratch, &copy, values->nvalues * values->width, err);
    if (st != STOA_OK)
        return st;
    stoa_bytes_le(copy, values->values, values->nvalues, values->width);
    *out = copy;
    return STOA_OK;
}

enum stoa_status stoa_planes_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                    const struct stoa_vector *values, struct stoa_error *err)
{
    size_t n = values->nvalues, width = values->width;
    const uint8_t *bytes;
    uint8_t *payload;
    enum stoa_status st;

    if (stoa_vector_is_constant(values))
        return stoa_node_encode_constant(encoder, values, err);
    STOA_TRY(stored_order(encoder, values, &bytes, err));
    STOA_TRY(stoa_node_begin(encoder, STOA_PLANES, values, n * width, &payload, err));
    for (size_t first = 0; first < width; first += SIDE)
        take_planes(bytes, width, n, first, width - first < SIDE ? width - first : SIDE, payload);
    st = stoa_node_end_parts(encoder, plan->compress, n, err);
out:
    return st;
}

enum stoa_status stoa_planes_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    uint8_t *out, struct stoa_error *err)
{
    size_t n = node->nvalues, width = node->width, rest = width % SIDE;
    const uint8_t *planes;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, (uint64_t)n * width, err));
    STOA_TRY(stoa_node_payload(decoder, node, &planes, err));
    if (rest > 0)
        put_planes(planes, width, n, width - rest, rest, out);
    for (size_t first = 0; first + SIDE <= width; first += SIDE)
        put_planes(planes, width, n, first, SIDE, out);
    if (node->phys != STOA_PHYS_FIXED)
        stoa_bytes_le(out, out, n, node->width);
out:
    return st;
}
