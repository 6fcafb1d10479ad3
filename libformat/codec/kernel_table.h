/*
 * A table of kernels out of loops that take the width as their last argument. Who includes this has
 * them as inline functions unpack, pack, range, sum, scale and within; each is given to the table
 * four times with a constant width, which leaves plain loops over one type to the compiler. Those
 * over floats are between32 and between64, that over numbers of 64 bits is hex.
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
    }                                                                                              \
    static void within##width(const uint8_t *values, size_t n, uint64_t from, uint64_t length,     \
                              uint8_t *bits)                                                       \
    {                                                                                              \
        within(values, n, from, length, bits, width);                                              \
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
        .within = {within1, within2, within4, within8},                                            \
        .between = {between32, between64},                                                         \
        .alp_decode = {stoa_alp_decode32, stoa_alp_decode64},                                      \
        .alp_encode = {stoa_alp_encode32, stoa_alp_encode64},                                      \
        .hex = hex,                                                                                \
    }

#endif
