/*
 * Little-endian numbers in byte strings, on any machine and at any alignment.
 */
#ifndef STOA_BASE_BYTES_H
#define STOA_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define STOA_LITTLE_ENDIAN 1
#else
#define STOA_LITTLE_ENDIAN 0
#endif

static inline uint16_t stoa_load16(const void *bytes)
{
    uint16_t x;

    memcpy(&x, bytes, 2);
    return STOA_LITTLE_ENDIAN ? x : __builtin_bswap16(x);
}

static inline uint32_t stoa_load32(const void *bytes)
{
    uint32_t x;

    memcpy(&x, bytes, 4);
    return STOA_LITTLE_ENDIAN ? x : __builtin_bswap32(x);
}

static inline uint64_t stoa_load64(const void *bytes)
{
    uint64_t x;

    memcpy(&x, bytes, 8);
    return STOA_LITTLE_ENDIAN ? x : __builtin_bswap64(x);
}

static inline void stoa_store16(void *bytes, uint16_t x)
{
    if (!STOA_LITTLE_ENDIAN)
        x = __builtin_bswap16(x);
    memcpy(bytes, &x, 2);
}

static inline void stoa_store32(void *bytes, uint32_t x)
{
    if (!STOA_LITTLE_ENDIAN)
        x = __builtin_bswap32(x);
    memcpy(bytes, &x, 4);
}

static inline void stoa_store64(void *bytes, uint64_t x)
{
    if (!STOA_LITTLE_ENDIAN)
        x = __builtin_bswap64(x);
    memcpy(bytes, &x, 8);
}

/* Big-endian: what makes a byte string compare like the number it holds. */
static inline uint64_t stoa_load64_be(const void *bytes)
{
    uint64_t x;

    memcpy(&x, bytes, 8);
    return STOA_LITTLE_ENDIAN ? __builtin_bswap64(x) : x;
}

/*
 * Copies nvalues numbers of `width` bytes (1, 2, 4, 8, 16 or 32) between native and little-endian
 * order; a plain copy on little-endian machines. 32 means one 256-bit number. `out` and `in` are
 * equal or do not overlap.
 */
void stoa_bytes_le(void *out, const void *in, size_t nvalues, unsigned width);

#endif
