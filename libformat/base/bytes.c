/*
 * Byte order of whole arrays.
 */
#include "base/bytes.h"

#include <stddef.h>

void stoa_bytes_le(void *out, const void *in, size_t nvalues, unsigned width)
{
    uint8_t *to = out;
    const uint8_t *from = in;

    if (STOA_LITTLE_ENDIAN || width == 1) {
        if (nvalues > 0 && to != from)
            memcpy(to, from, nvalues * width);
        return;
    }
    for (size_t i = 0; i < nvalues; i++) {
        uint8_t value[32];

        memcpy(value, from + i * width, width);
        for (unsigned k = 0; k < width; k++)
            to[i * width + k] = value[width - 1 - k];
    }
}
