/*
 * UTF-8 check: sixteen ASCII bytes at a time, else a character by the table of Unicode 3.9 D92.
 */
#include "base/utf8.h"

#include <string.h>

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

size_t stoa_utf8_valid_prefix(const uint8_t *text, size_t nbytes)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    size_t i = 0;

    while (i < nbytes) {
        size_t length;

        if (nbytes - i >= 16) {
            uint64_t words[2];

            memcpy(words, text + i, 16);
            if (((words[0] | words[1]) & high_bits) == 0) {
                i += 16;
                continue;
            }
        }
        length = text[i] < 0x80 ? 1 : character(text + i, nbytes - i);
        if (length == 0)
            break;
        i += length;
    }
    return i;
}
