/*
 * Widening of values.
 *
 * Chunks that are narrower than their column come from joined files and are rare, but for one case
 * that every file with decimals has: 64-bit numbers in an array of 128-bit ones. It and bools have
 * loops of their own; the others go through a 64-bit number, but for decimals of 32 bytes, which
 * are narrower numbers whose sign goes on.
 */
#include "file/widen.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/int128.h"

static int64_t load_number(const void *in, enum stoa_phys phys, size_t i)
{
    switch (phys) {
    case STOA_PHYS_I8:
        return ((const int8_t *)in)[i];
    case STOA_PHYS_I16:
        return ((const int16_t *)in)[i];
    case STOA_PHYS_I32:
        return ((const int32_t *)in)[i];
    case STOA_PHYS_U8:
        return ((const uint8_t *)in)[i];
    case STOA_PHYS_U16:
        return ((const uint16_t *)in)[i];
    case STOA_PHYS_U32:
        return ((const uint32_t *)in)[i];
    default:
        assert(phys == STOA_PHYS_I64);
        return ((const int64_t *)in)[i];
    }
}

/* Signed or not makes no difference here: the value fits. */
static void store_number(void *out, enum stoa_phys phys, size_t i, int64_t x)
{
    switch (stoa_phys_width(phys)) {
    case 2:
        ((uint16_t *)out)[i] = (uint16_t)x;
        break;
    case 4:
        ((uint32_t *)out)[i] = (uint32_t)x;
        break;
    case 8:
        ((uint64_t *)out)[i] = (uint64_t)x;
        break;
    default:
        assert(phys == STOA_PHYS_I128);
        ((struct stoa_int128 *)out)[i] = stoa_int128_from_i64(x);
    }
}

/* Signed numbers in native byte order: the upper bytes repeat the sign. */
static inline void extend(uint8_t *out, size_t to_width, const uint8_t *in, size_t from_width,
                          size_t nvalues)
{
    for (size_t i = 0; i < nvalues; i++) {
        const uint8_t *number = in + i * from_width;
        uint8_t *wide = out + i * to_width;
        int8_t top = (int8_t)number[STOA_LITTLE_ENDIAN ? from_width - 1 : 0];

        memset(wide, top < 0 ? 0xff : 0, to_width);
        memcpy(wide + (STOA_LITTLE_ENDIAN ? 0 : to_width - from_width), number, from_width);
    }
}

static void extend_to_i256(uint8_t *out, const uint8_t *in, enum stoa_phys from, size_t nvalues)
{
    if (from == STOA_PHYS_I128)
        extend(out, 32, in, 16, nvalues);
    else if (from == STOA_PHYS_I64)
        extend(out, 32, in, 8, nvalues);
    else
        extend(out, 32, in, stoa_phys_width(from), nvalues);
}

void stoa_widen(void *out, enum stoa_phys to, const void *in, enum stoa_phys from, size_t nvalues)
{
    if (to == STOA_PHYS_I128 && from == STOA_PHYS_I64) {
        struct stoa_int128 *wide = out;
        const int64_t *narrow = in;

        for (size_t i = 0; i < nvalues; i++)
            wide[i] = stoa_int128_from_i64(narrow[i]);
    } else if (to == STOA_PHYS_I256) {
        extend_to_i256(out, in, from, nvalues);
    } else if (to == STOA_PHYS_F64) {
        double *wide = out;
        const float *narrow = in;

        for (size_t i = 0; i < nvalues; i++)
            wide[i] = (double)narrow[i];
    } else {
        for (size_t i = 0; i < nvalues; i++)
            store_number(out, to, i, load_number(in, from, i));
    }
}

size_t stoa_pack_bools(uint8_t *bitmap, size_t first_bit, const uint8_t *bytes, size_t nvalues)
{
    size_t i = 0;

    /* Eight at a time from a whole byte on: the multiplication gathers bit 8k at bit 56 + k. */
    if (first_bit % 8 == 0) {
        for (; i + 8 <= nvalues; i += 8) {
            uint64_t eight = stoa_load64(bytes + i);

            if ((eight & ~UINT64_C(0x0101010101010101)) != 0)
                break;
            bitmap[(first_bit + i) / 8] = (uint8_t)((eight * UINT64_C(0x0102040810204080)) >> 56);
        }
    }
    for (; i < nvalues && bytes[i] <= 1; i++)
        bitmap[(first_bit + i) / 8] =
            (uint8_t)(bitmap[(first_bit + i) / 8] | bytes[i] << (first_bit + i) % 8);
    return i;
}

void stoa_interval_le(void *out, const void *in, size_t nvalues)
{
    uint8_t *to = out;
    const uint8_t *from = in;

    for (size_t i = 0; i < nvalues; i++, to += 16, from += 16) {
        stoa_bytes_le(to, from, 2, 4);
        stoa_bytes_le(to + 8, from + 8, 1, 8);
    }
}
