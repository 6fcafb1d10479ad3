/*
 * From the physical type of a chunk to the wider one of its column (spec/format.md, "Physical
 * types").
 */
#ifndef STOA_FILE_WIDEN_H
#define STOA_FILE_WIDEN_H

#include "codec/vector.h"

/*
 * Writes nvalues values of `to` to `out`, equal to those of `from` in `in`, where
 * stoa_phys_widens(from, to). The memory must not overlap; both are in native byte order.
 */
void stoa_widen(void *out, enum stoa_phys to, const void *in, enum stoa_phys from, size_t nvalues);

/*
 * Packs bytes of 0 and 1 into the bits [first_bit, first_bit + nvalues) of `bitmap`, whose bits
 * are zero there. Returns the number of bytes in front of the first that is neither: nvalues when
 * all are fine.
 */
size_t stoa_pack_bools(uint8_t *bitmap, size_t first_bit, const uint8_t *bytes, size_t nvalues);

/* Intervals (i32 months, i32 days, i64 nanoseconds) between native and little-endian order. */
void stoa_interval_le(void *out, const void *in, size_t nvalues);

#endif
