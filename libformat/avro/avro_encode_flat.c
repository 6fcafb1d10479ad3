/*
 * Rows of columns without parts, as avro_encode.c puts them.
 *
 *     lanes     text  int  double  ...      of row 0, then of row 1, ...
 *     bytes     ---------- ---- --------
 *                       ^ each is written whole words at a time, over what comes next
 *
 * Nothing here fails: in front of a row that might, it stops.
 */
#include "avro/avro_encode_flat.h"

#include "avro/avro_put_value.h"
#include "base/bits.h"
#include "base/error.h"

enum {
    SHORT_TEXT = 32, /* copied whole, whatever follows it */
    LONG_TEXT = 32 << 10,
    LANE_NBYTES = 48, /* more than a value and what it is copied with */
    MAX_NLANES = 4096,
};
_Static_assert(LANE_NBYTES >= STOA_AVRO_VALUE_NBYTES + 1 && LANE_NBYTES >= SHORT_TEXT + 11,
               "a value may have more bytes");

static const uint8_t no_values[SHORT_TEXT];

/* What a value takes, or about that; texts are counted by themselves. 0: it is no lane. */
static const uint8_t guesses[] = {
    [STOA_AVRO_PUT_BOOL] = 1,     [STOA_AVRO_PUT_INT8] = 1,     [STOA_AVRO_PUT_INT16] = 2,
    [STOA_AVRO_PUT_INT32] = 3,    [STOA_AVRO_PUT_INT64] = 5,    [STOA_AVRO_PUT_UINT8] = 1,
    [STOA_AVRO_PUT_UINT16] = 2,   [STOA_AVRO_PUT_UINT32] = 3,   [STOA_AVRO_PUT_UINT64] = 5,
    [STOA_AVRO_PUT_MILLIS32] = 4, [STOA_AVRO_PUT_MILLIS64] = 6, [STOA_AVRO_PUT_FLOAT16] = 4,
    [STOA_AVRO_PUT_FLOAT32] = 4,  [STOA_AVRO_PUT_FLOAT64] = 8,  [STOA_AVRO_PUT_BYTES] = 1,
    [STOA_AVRO_PUT_UUID] = 37,    [STOA_AVRO_PUT_DECIMAL] = 5,
};

static unsigned guess_of(unsigned code)
{
    return code < sizeof(guesses) ? guesses[code] : 0;
}

enum stoa_status stoa_avro_flat_init(const struct stoa_avro_encoder *encoder,
                                     const struct stoa_array *const *nodes,
                                     struct stoa_avro_flat *out, struct stoa_error *err)
{
    struct stoa_avro_lane *lanes;
    enum stoa_status st;

    *out = (struct stoa_avro_flat){0};
    if (encoder->nops == 0 || encoder->nops > MAX_NLANES)
        return STOA_OK;
    for (size_t i = 0; i < encoder->nops; i++)
        if (guess_of(encoder->ops[i].code) == 0)
            return STOA_OK;
    STOA_TRY(stoa_alloc(&lanes, encoder->nops * sizeof(*lanes), err));
    for (size_t i = 0; i < encoder->nops; i++) {
        const struct stoa_avro_put_op *op = &encoder->ops[i];
        const struct stoa_array *array = nodes[op->node];

        lanes[i] = (struct stoa_avro_lane){
            .values = array->values != NULL ? array->values : no_values,
            .offsets = array->offsets,
            .validity = op->has_branch ? array->validity : NULL,
            .code = op->code,
            .nbranch = op->has_branch,
            .value_byte = op->value_byte,
            .null_byte = op->null_byte,
            .width = (uint32_t)stoa_type_width(op->column),
        };
    }
    *out = (struct stoa_avro_flat){lanes, encoder->nops, encoder->nops * LANE_NBYTES};
out:
    return st;
}

void stoa_avro_flat_reset(struct stoa_avro_flat *flat)
{
    stoa_free(flat->lanes);
    *flat = (struct stoa_avro_flat){0};
}

size_t stoa_avro_flat_guess(const struct stoa_avro_flat *flat, size_t nrows)
{
    size_t nbytes = 0;

    for (size_t i = 0; i < flat->nlanes; i++) {
        const struct stoa_avro_lane *lane = &flat->lanes[i];

        nbytes += nrows * (lane->nbranch + guess_of(lane->code));
        if (lane->code == STOA_AVRO_PUT_BYTES && nrows > 0)
            nbytes += (size_t)(lane->offsets[nrows] - lane->offsets[0]);
    }
    return nbytes;
}

/* ---- Values ---- */

/* As stoa_avro_put_long(), without a loop for the numbers that most are: those below 2^27. */
static inline uint8_t *put_number(uint8_t *at, int64_t value)
{
    const uint64_t zigzag = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
    uint32_t x, nbits;

    if (zigzag >> 28 != 0)
        return stoa_avro_put_long(at, value);
    x = (uint32_t)zigzag;
    x = (x & 0x7f) | (x << 1 & 0x7f00) | (x << 2 & 0x7f0000) | (x << 3 & 0x7f000000);
    nbits = (31 - (uint32_t)__builtin_clz(x | 1)) & ~7u; /* below the last byte */
    stoa_store32(at, x | (0x80808080 & ((1u << nbits) - 1)));
    return at + nbits / 8 + 1;
}

/* NULL: there may not be room. */
static inline uint8_t *put_text(const struct stoa_avro_flat *flat,
                                const struct stoa_avro_lane *lane, size_t row, uint8_t *at,
                                const uint8_t *end)
{
    const int32_t begin = lane->offsets[row];
    const size_t nbytes = (size_t)(lane->offsets[row + 1] - begin);
    const uint8_t *text = lane->values + begin;

    if (nbytes <= SHORT_TEXT) {
        *at++ = (uint8_t)(nbytes << 1); /* 64 at most: one byte */
        memcpy(at, nbytes > 0 ? text : no_values, SHORT_TEXT);
        return at + nbytes;
    }
    if (nbytes > LONG_TEXT || (size_t)(end - at) < nbytes + flat->row_nbytes)
        return NULL;
    at = put_number(at, (int64_t)nbytes);
    memcpy(at, text, nbytes);
    return at + nbytes;
}

static inline uint8_t *put_millis(int64_t seconds, bool narrow, uint8_t *at)
{
    int64_t millis;

    if (__builtin_mul_overflow(seconds, 1000, &millis) || (narrow && millis != (int32_t)millis))
        return NULL;
    return put_number(at, millis);
}

static inline uint16_t load16(const struct stoa_avro_lane *lane, size_t i)
{
    return stoa_avro_load16(lane->values, i);
}

static inline uint32_t load32(const struct stoa_avro_lane *lane, size_t i)
{
    return stoa_avro_load32(lane->values, i);
}

static inline uint64_t load64(const struct stoa_avro_lane *lane, size_t i)
{
    return stoa_avro_load64(lane->values, i);
}

static inline uint8_t *put_value(const struct stoa_avro_flat *flat,
                                 const struct stoa_avro_lane *lane, size_t row, uint8_t *at,
                                 const uint8_t *end)
{
    switch (lane->code) {
    case STOA_AVRO_PUT_BOOL:
        *at = stoa_bitmap_get(lane->values, row);
        return at + 1;
    case STOA_AVRO_PUT_INT8:
        return put_number(at, (int8_t)lane->values[row]);
    case STOA_AVRO_PUT_INT16:
        return put_number(at, (int16_t)load16(lane, row));
    case STOA_AVRO_PUT_INT32:
        return put_number(at, (int32_t)load32(lane, row));
    case STOA_AVRO_PUT_INT64:
        return put_number(at, (int64_t)load64(lane, row));
    case STOA_AVRO_PUT_UINT8:
        return put_number(at, lane->values[row]);
    case STOA_AVRO_PUT_UINT16:
        return put_number(at, load16(lane, row));
    case STOA_AVRO_PUT_UINT32:
        return put_number(at, load32(lane, row));
    case STOA_AVRO_PUT_UINT64:
        return stoa_avro_put_decimal(stoa_int256_from_u64(load64(lane, row)), at);
    case STOA_AVRO_PUT_MILLIS32:
        return put_millis((int32_t)load32(lane, row), true, at);
    case STOA_AVRO_PUT_MILLIS64:
        return put_millis((int64_t)load64(lane, row), false, at);
    case STOA_AVRO_PUT_FLOAT16:
        return stoa_avro_put_float16(load16(lane, row), at);
    case STOA_AVRO_PUT_FLOAT32:
        stoa_store32(at, load32(lane, row));
        return at + 4;
    case STOA_AVRO_PUT_FLOAT64:
        stoa_store64(at, load64(lane, row));
        return at + 8;
    case STOA_AVRO_PUT_BYTES:
        return put_text(flat, lane, row, at, end);
    case STOA_AVRO_PUT_UUID:
        return stoa_avro_put_uuid(lane->values + 16 * row, at);
    default:
        return stoa_avro_put_decimal(stoa_avro_load_decimal(lane->values, lane->width, row), at);
    }
}

uint8_t *stoa_avro_flat_put(const struct stoa_avro_flat *flat, size_t *row, size_t last,
                            uint8_t *at, const uint8_t *full, const uint8_t *end)
{
    const struct stoa_avro_lane *behind = flat->lanes + flat->nlanes;
    size_t i = *row;

    while (i < last && at < full && (size_t)(end - at) >= flat->row_nbytes) {
        uint8_t *begun = at;

        for (const struct stoa_avro_lane *lane = flat->lanes; lane < behind; lane++) {
            *at = lane->value_byte; /* written over where there is none */
            at += lane->nbranch;
            if (lane->validity != NULL && !stoa_bitmap_get(lane->validity, i)) {
                at[-1] = lane->null_byte;
                continue;
            }
            at = put_value(flat, lane, i, at, end);
            if (at == NULL) {
                *row = i;
                return begun;
            }
        }
        i++;
    }
    *row = i;
    return at;
}
