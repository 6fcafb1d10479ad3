/*
 * UTF-8 check: 64 or 8 ASCII bytes at a time, else a character by the table of Unicode 3.9 D92.
 * base/utf8_avx2.c does the same faster.
 */
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

#include "base/cpu.h"

/* Bytes of the valid character at text[0], a byte >= 0x80; 0 when it is none. */
static size_t character(const uint8_t *text, size_t nbytes)
{
    uint8_t lead = text[0];
    uint8_t low = 0x80, high = 0xbf; /* what the second byte may be */
    size_t length;

    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        if (lead == 0xe0)
            low = 0xa0;
        if (lead == 0xed)
            high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        if (lead == 0xf0)
            low = 0x90;
        if (lead == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    if (nbytes < length || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

#define HIGH_BITS UINT64_C(0x8080808080808080)

static inline bool is_ascii8(const uint8_t *text)
{
    uint64_t word;

    memcpy(&word, text, sizeof(word));
    return (word & HIGH_BITS) == 0;
}

static inline bool is_ascii64(const uint8_t *text)
{
    uint64_t words[8], any = 0;

    memcpy(words, text, sizeof(words));
    for (size_t i = 0; i < 8; i++)
        any |= words[i];
    return (any & HIGH_BITS) == 0;
}

size_t stoa_utf8_valid_prefix_scalar(const uint8_t *text, size_t nbytes)
{
    size_t i = 0;

    while (i < nbytes) {
        const size_t stop = nbytes - i > 64 ? i + 64 : nbytes;

        if (nbytes - i >= 64 && is_ascii64(text + i)) {
            i += 64;
            continue;
        }
        while (i < stop) {
            size_t length;

            if (nbytes - i >= 8 && is_ascii8(text + i)) {
                i += 8;
                continue;
            }
            length = text[i] < 0x80 ? 1 : character(text + i, nbytes - i);
            if (length == 0)
                return i;
            i += length;
        }
    }
    return i;
}

size_t stoa_utf8_valid_prefix(const uint8_t *text, size_t nbytes)
{
#if defined(__x86_64__)
    if (nbytes >= 64 && stoa_cpu_has_avx2())
        return stoa_utf8_valid_prefix_avx2(text, nbytes);
#endif
    return stoa_utf8_valid_prefix_scalar(text, nbytes);
}
