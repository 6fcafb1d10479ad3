/*
 * Raw snappy (spec/avro.md, "Blocks").
 *
 *     size of the text | tag literal.. | tag offset | tag offset | tag literal.. | ...
 *
 *     tag  nnnnnn 00   literal of n + 1 bytes; n = 60 .. 63: 1 to 4 bytes tell n, little-endian
 *          ooonnn 01   n + 4 bytes again from 256 * o + 1 byte before
 *          nnnnnn 10   n + 1 bytes again, 2 bytes tell from where
 *          nnnnnn 11   the same with 4 bytes
 *
 * Tags change from one to the next as nobody can foretell, so each is done in as few steps as there
 * are: what is copied is copied by blocks of 16 bytes, over what comes next. The library copies
 * each part by a call of its own, which takes twice as long.
 */
#include "avro/avro_snappy.h"

#include "avro/avro_program.h"
#include "base/bytes.h"

_Static_assert(STOA_AVRO_PADDING >= 64, "a copy is written 64 bytes at a time");

/* Bytes of a number of 32 bits, 7 in each; 0: it has more. */
static size_t read_head(const uint8_t *in, size_t nin, size_t *nbytes)
{
    uint64_t x = 0;

    for (size_t i = 0; i < 5 && i < nin; i++) {
        x |= (uint64_t)(in[i] & 0x7f) << 7 * i;
        if (in[i] < 0x80) {
            *nbytes = (size_t)x;
            return x <= UINT32_MAX ? i + 1 : 0;
        }
    }
    return 0;
}

bool stoa_avro_snappy_nbytes(const uint8_t *in, size_t nin, size_t *nbytes)
{
    return read_head(in, nin, nbytes) > 0;
}

static inline void copy_16(uint8_t *to, const uint8_t *from)
{
    uint64_t low, high;

    memcpy(&low, from, 8);
    memcpy(&high, from + 8, 8);
    memcpy(to, &low, 8);
    memcpy(to + 8, &high, 8);
}

/* Up to 64 bytes that begin at least 16 before, and what is behind them. */
static inline void copy_far(uint8_t *to, const uint8_t *from, size_t nbytes)
{
    copy_16(to, from);
    if (nbytes > 16) {
        copy_16(to + 16, from + 16);
        for (size_t i = 32; i < nbytes; i += 16)
            copy_16(to + i, from + i);
    }
}

/*
 * The same for what begins nearer, and so comes again within itself: byte by byte, until it began
 * far enough before, some times over.
 */
static void copy_near(uint8_t *to, size_t offset, size_t nbytes)
{
    const size_t far = (15 / offset + 1) * offset;
    const uint8_t *const from = to - offset;

    for (size_t i = 0; i < 16; i++)
        to[i] = from[i];
    for (size_t i = 16; i < nbytes; i += 16)
        copy_16(to + i, to + i - far);
}

/* The literal of a tag; NULL: it passes an end. */
static inline const uint8_t *take_literal(unsigned tag, const uint8_t *in, const uint8_t *end,
                                          uint8_t **out, const uint8_t *full)
{
    uint64_t nbytes = (tag >> 2) + 1;

    if (nbytes > 60) {
        const unsigned nmore = (unsigned)nbytes - 60;

        nbytes = (stoa_load32(in) & (UINT32_MAX >> (32 - 8 * nmore))) + UINT64_C(1);
        in += nmore;
    }
    if (in > end || nbytes > (uint64_t)(end - in) || nbytes > (uint64_t)(full - *out))
        return NULL;
    if (nbytes <= 32) {
        copy_16(*out, in);
        copy_16(*out + 16, in + 16);
    } else {
        memcpy(*out, in, (size_t)nbytes);
    }
    *out += nbytes;
    return in + nbytes;
}

bool stoa_avro_snappy_unpack(const uint8_t *in, size_t nin, uint8_t *begin, size_t nbytes)
{
    static const uint32_t masks[] = {0, 0xff, 0xffff, UINT32_MAX}; /* of what follows a tag */
    const uint8_t *const end = in + nin, *const full = begin + nbytes;
    uint8_t *out = begin;
    size_t told;
    const size_t nhead = read_head(in, nin, &told);

    if (nhead == 0 || told != nbytes)
        return false;
    in += nhead;
    while (in < end) {
        const unsigned tag = *in++, kind = tag & 3;
        size_t offset, n;

        if (kind == 0) {
            in = take_literal(tag, in, end, &out, full);
            if (in == NULL)
                return false;
            continue;
        }
        offset = stoa_load32(in) & masks[kind];
        n = (tag >> 2) + 1;
        if (kind == 1) {
            offset |= (size_t)(tag >> 5) << 8;
            n = (tag >> 2 & 7) + 4;
        }
        in += kind + (kind == 3);
        if (in > end || offset - 1 >= (size_t)(out - begin) || n > (size_t)(full - out))
            return false;
        if (offset >= 16)
            copy_far(out, out - offset, n);
        else
            copy_near(out, offset, n);
        out += n;
    }
    return out == full;
}
