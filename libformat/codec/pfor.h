/*
 * The layout of a PFOR payload (spec/encodings.md, section 2.2), for its two halves.
 */
#ifndef STOA_CODEC_PFOR_H
#define STOA_CODEC_PFOR_H

#include "codec/kernels.h"

enum { STOA_PFOR_SCALED = 1, STOA_PFOR_PATCHED = 2 };

/* Offsets of the parts in the payload. */
struct stoa_pfor_layout {
    size_t nblocks;
    size_t widths;
    size_t counts; /* of exceptions; PATCHED only */
    size_t bases;
    size_t packed;
};

static inline struct stoa_pfor_layout stoa_pfor_layout(size_t nvalues, unsigned width, int flags)
{
    struct stoa_pfor_layout at = {.nblocks =
                                      (nvalues + STOA_BLOCK_NVALUES - 1) / STOA_BLOCK_NVALUES};

    at.widths = flags & STOA_PFOR_SCALED ? 2 * width : 0;
    at.counts = at.widths + at.nblocks;
    at.bases = at.counts + (flags & STOA_PFOR_PATCHED ? 2 * at.nblocks : 0);
    at.packed = at.bases + width * at.nblocks;
    return at;
}

static inline size_t stoa_pfor_block_nvalues(size_t nvalues, size_t block)
{
    size_t left = nvalues - block * STOA_BLOCK_NVALUES;

    return left < STOA_BLOCK_NVALUES ? left : STOA_BLOCK_NVALUES;
}

#endif
