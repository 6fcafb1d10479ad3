/*
 * Making presence bitmaps (spec/format.md, section 17).
 *
 *     codes    3 3 0 9 | 1 3 1 1 | ..      a zone each
 *     bitmaps  0, 3, 9   1, 3      ..      a bit for each code of the dictionary
 *
 * A bitmap is worth something only where codes are missing: a reader who looks for one code skips
 * that share of the chunk. So it is kept if the bytes that are skipped so are a multiple of its
 * own; bitmaps of zones first, of which more are missing, else that of the row group.
 */
#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "file/presence.h"

/* Whether n bitmaps of ncodes codes, of which `npresent` are set in all, pay. */
static bool pays(const struct stoa_rules *rules, uint64_t n, uint32_t ncodes, uint64_t npresent,
                 uint64_t chunk_nbytes)
{
    const uint64_t nbytes = n * stoa_bitmap_nbytes(ncodes) + STOA_NOTE_NBYTES;
    const uint64_t nbits = n * ncodes;

    return nbytes * rules->presence_gain <= chunk_nbytes &&
           nbytes * rules->presence_gain * nbits <= (nbits - npresent) * chunk_nbytes;
}

uint64_t stoa_presence_set(const uint32_t *codes, const uint8_t *validity, size_t nvalues,
                           size_t nbytes, uint8_t *bits)
{
    const size_t nzones = (nvalues + STOA_ZONE_NROWS - 1) / STOA_ZONE_NROWS;
    uint64_t npresent = 0;

    for (size_t z = 0; z < nzones; z++) {
        uint8_t *bitmap = bits + z * nbytes;
        const size_t begin = z * STOA_ZONE_NROWS, left = nvalues - begin;
        const size_t end = begin + (left < STOA_ZONE_NROWS ? left : STOA_ZONE_NROWS);

        for (size_t i = begin; i < end; i++)
            if (validity == NULL || stoa_bitmap_get(validity, i))
                stoa_bitmap_set(bitmap, codes[i]);
        npresent += stoa_bitmap_count(bitmap, 0, 8 * nbytes);
    }
    return npresent;
}

/* The bitmap of the whole, behind those of the zones; returns how many bits it has. */
static uint64_t join_zones(uint8_t *bits, size_t nzones, size_t nbytes)
{
    uint8_t *all = bits + nzones * nbytes;

    for (size_t z = 0; z < nzones; z++)
        for (size_t i = 0; i < nbytes; i++)
            all[i] |= bits[z * nbytes + i];
    return stoa_bitmap_count(all, 0, 8 * nbytes);
}

enum stoa_status stoa_presence_make(const struct stoa_rules *rules, const uint32_t *codes,
                                    const uint8_t *validity, size_t nvalues, uint32_t ncodes,
                                    uint64_t chunk_nbytes, struct stoa_chunk_note *note,
                                    struct stoa_error *err)
{
    const size_t nbytes = stoa_bitmap_nbytes(ncodes);
    const size_t nzones = (nvalues + STOA_ZONE_NROWS - 1) / STOA_ZONE_NROWS;
    struct stoa_buffer bits = {0};
    uint64_t in_zones, in_all;
    enum stoa_status st = STOA_OK;

    if (rules->presence_gain == 0 || !pays(rules, 1, ncodes, 0, chunk_nbytes))
        return STOA_OK;
    STOA_TRY(stoa_buffer_append_zeros(&bits, (nzones + 1) * nbytes, err));
    in_zones = stoa_presence_set(codes, validity, nvalues, nbytes, bits.data);
    in_all = join_zones(bits.data, nzones, nbytes);
    if (in_zones < nzones * in_all && pays(rules, nzones, ncodes, in_zones, chunk_nbytes)) {
        bits.nbytes = nzones * nbytes;
    } else if (pays(rules, 1, ncodes, in_all, chunk_nbytes)) {
        memmove(bits.data, bits.data + nzones * nbytes, nbytes);
        bits.nbytes = nbytes;
    } else {
        goto out;
    }
    note->count = ncodes;
    note->bytes = bits;
    bits = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&bits);
    return st;
}
