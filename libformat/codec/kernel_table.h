/*
 * A table of kernels out of loops that take the width as their last argument. Who includes this has
 * them as inline functions unpack, pack, range, sum and scale; each is given to the table four
 * times with a constant width, which leaves plain loops over one type to the compiler.
 */
#ifndef STOA_CODEC_KERNEL_TABLE_H
#define STOA_CODEC_KERNEL_TABLE_H

#include "codec/alp_loops.h"
#include "codec/kernels.h"

#define STOA_KERNELS_OF_WIDTH(width)                                                               \
    static void unpack##width(const uint8_t *packed, unsigned nbits, uint64_t base, uint8_t *out)  \
    {                                                                                              \
        unpack(packed, nbits, base, out, width);                                                   \
    }                                                                                              \
    static void pack##width(const uint8_t *values, uint64_t base, unsigned nbits, uint8_t *packed) \
    {                                                                                              \
        pack(values, base, nbits, packed, width);                                                  \
    }                                                                                              \
    static struct stoa_range range##width(const uint8_t *values, size_t n, uint64_t flip)          \
    {                                                                                              \
        return range(values, n, flip, width);                                                      \
    }                                                                                              \
    static void sum##width(uint8_t *values, size_t n, uint64_t start)                              \
    {                                                                                              \
        sum(values, n, start, width);                                                              \
    }                                                                                              \
    static void scale##width(uint8_t *values, size_t n, uint64_t factor, uint64_t addend)          \
    {                                                                                              \
        scale(values, n, factor, addend, width);                                                   \
    }

#define STOA_KERNELS_TABLE(name)                                                                   \
    STOA_KERNELS_OF_WIDTH(1)                                                                       \
    STOA_KERNELS_OF_WIDTH(2)                                                                       \
    STOA_KERNELS_OF_WIDTH(4)                                                                       \
    STOA_KERNELS_OF_WIDTH(8)                                                                       \
    const struct stoa_kernels name = {                                                             \
        .unpack = {unpack1, unpack2, unpack4, unpack8},                                            \
        .pack = {pack1, pack2, pack4, pack8},                                                      \
        .range = {range1, range2, range4, range8},                                                 \
        .sum = {sum1, sum2, sum4, sum8},                                                           \
        .scale = {scale1, scale2, scale4, scale8},                                                 \
        .alp_decode = {stoa_alp_decode32, stoa_alp_decode64},                                      \
        .alp_encode = {stoa_alp_encode32, stoa_alp_encode64},                                      \
    }

#endif
