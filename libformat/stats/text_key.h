/*
 * The first eight bytes of a text as a number: what decides nearly every comparison of two texts.
 */
#ifndef STOA_STATS_TEXT_KEY_H
#define STOA_STATS_TEXT_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

/*
 * Big-endian, zeros behind a shorter text: a lesser key is a lesser text, equal keys decide
 * nothing.
 * `_slack` reads eight bytes of whatever stands there, as the values of an array allow
 * (STOA_ARRAY_SLACK).
 */
static inline uint64_t stoa_text_key_slack(const uint8_t *bytes, size_t nbytes)
{
    uint64_t key;

    if (nbytes == 0)
        return 0;
    key = stoa_load64_be(bytes);
    return nbytes >= 8 ? key : key & ~(UINT64_MAX >> (8 * nbytes));
}

static inline uint64_t stoa_text_key(const uint8_t *bytes, size_t nbytes)
{
    uint8_t padded[8] = {0};

    if (nbytes > 0)
        memcpy(padded, bytes, nbytes < 8 ? nbytes : 8);
    return stoa_load64_be(padded);
}

#endif
