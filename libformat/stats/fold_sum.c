/*
 * Sums of arrays, one loop a width, without a branch or call in it.
 *
 *     1, 2, 4 bytes    added up in 64 bits: 2^31 of them fit
 *     8 bytes          the halves of 32 bits by themselves, which compilers turn into vectors
 *     16, 32 bytes     the same for each word; only the greatest half has a sign
 *     floats           base/float_sum.h
 */
#include "stats/fold_sum.h"

#include <assert.h>

#include "base/float16.h"
#include "base/int256.h"

static void add_signed(struct stoa_wide_int *sum, int64_t x, unsigned half)
{
    if (x < 0)
        stoa_wide_int_sub_at(sum, -(uint64_t)x, half);
    else
        stoa_wide_int_add_at(sum, (uint64_t)x, half);
}

#define DEFINE_SUM(name, element)                                                                  \
    static void name(const void *values, size_t nvalues, struct stoa_wide_int *sum)                \
    {                                                                                              \
        const element *in = values;                                                                \
        int64_t total = 0;                                                                         \
                                                                                                   \
        for (size_t i = 0; i < nvalues; i++)                                                       \
            total += in[i];                                                                        \
        add_signed(sum, total, 0);                                                                 \
    }
DEFINE_SUM(sum_i8, int8_t)
DEFINE_SUM(sum_i16, int16_t)
DEFINE_SUM(sum_i32, int32_t)
DEFINE_SUM(sum_u8, uint8_t)
DEFINE_SUM(sum_u16, uint16_t)
DEFINE_SUM(sum_u32, uint32_t)

/* Adds word `word` of values of nwords words, each `stride` words apart. */
static inline void sum_word(const uint64_t *in, size_t nvalues, size_t stride, unsigned word,
                            struct stoa_wide_int *sum)
{
    uint64_t low = 0, high = 0;

    for (size_t i = 0; i < nvalues; i++) {
        low += (uint32_t)in[i * stride];
        high += in[i * stride] >> 32;
    }
    stoa_wide_int_add_at(sum, low, 2 * word);
    stoa_wide_int_add_at(sum, high, 2 * word + 1);
}

/* The same for the greatest word. With the sign turned over it is 2^63 greater and has no sign. */
static inline void sum_last_word(const uint64_t *in, size_t nvalues, size_t stride, unsigned word,
                                 struct stoa_wide_int *sum)
{
    const uint64_t sign = UINT64_C(1) << 63;
    uint64_t low = 0, high = 0;

    for (size_t i = 0; i < nvalues; i++) {
        low += (uint32_t)in[i * stride];
        high += (in[i * stride] ^ sign) >> 32;
    }
    stoa_wide_int_add_at(sum, low, 2 * word);
    stoa_wide_int_add_at(sum, high, 2 * word + 1);
    stoa_wide_int_sub_at(sum, (uint64_t)nvalues << 31, 2 * word + 1);
}

static void sum_i64(const void *values, size_t nvalues, struct stoa_wide_int *sum)
{
    sum_last_word(values, nvalues, 1, 0, sum);
}

static void sum_u64(const void *values, size_t nvalues, struct stoa_wide_int *sum)
{
    sum_word(values, nvalues, 1, 0, sum);
}

/* Where word `word`, from the least, stands in a number of nwords words. */
static inline size_t place_of(unsigned word, unsigned nwords)
{
    return STOA_INT256_WORD(0) == 0 ? word : nwords - 1 - word;
}

static void sum_i128(const void *values, size_t nvalues, struct stoa_wide_int *sum)
{
    const uint64_t *in = values;

    sum_word(in + place_of(0, 2), nvalues, 2, 0, sum);
    sum_last_word(in + place_of(1, 2), nvalues, 2, 1, sum);
}

/* Decimals of up to 18 digits: the lower word is the number. */
static void sum_low_i128(const void *values, size_t nvalues, struct stoa_wide_int *sum)
{
    sum_last_word((const uint64_t *)values + place_of(0, 2), nvalues, 2, 0, sum);
}

static void sum_i256(const void *values, size_t nvalues, struct stoa_wide_int *sum)
{
    const uint64_t *in = values;

    for (unsigned word = 0; word < 3; word++)
        sum_word(in + place_of(word, 4), nvalues, 4, word, sum);
    sum_last_word(in + place_of(3, 4), nvalues, 4, 3, sum);
}

stoa_sum_ints *stoa_sum_ints_of(const struct stoa_type *type)
{
    static stoa_sum_ints *const table[] = {
        [STOA_INT8] = sum_i8,    [STOA_INT16] = sum_i16,  [STOA_INT32] = sum_i32,
        [STOA_INT64] = sum_i64,  [STOA_UINT8] = sum_u8,   [STOA_UINT16] = sum_u16,
        [STOA_UINT32] = sum_u32, [STOA_UINT64] = sum_u64, [STOA_DECIMAL] = sum_i128,
        [STOA_MAP] = NULL,
    };

    if (type->id == STOA_DECIMAL && type->precision <= 18)
        return sum_low_i128;
    if (type->id == STOA_DECIMAL && type->precision > STOA_INT128_DIGITS)
        return sum_i256;
    return (unsigned)type->id < sizeof(table) / sizeof(table[0]) ? table[type->id] : NULL;
}

/* ---- Floats. ---- */

enum { BLOCK = 1024 };

static double from_f16(uint16_t x)
{
    return stoa_float16_to_double(x);
}

static double from_f32(float x)
{
    return (double)x;
}

#define DEFINE_FLOAT_SUM(name, element, widen)                                                     \
    static void name(const void *values, size_t nvalues, struct stoa_float_sum *sum)               \
    {                                                                                              \
        const element *in = values;                                                                \
        double block[BLOCK];                                                                       \
                                                                                                   \
        for (size_t n; nvalues > 0; nvalues -= n, in += n) {                                       \
            n = nvalues < BLOCK ? nvalues : BLOCK;                                                 \
            for (size_t i = 0; i < n; i++)                                                         \
                block[i] = widen(in[i]);                                                           \
            stoa_float_sum_add(sum, block, n);                                                     \
        }                                                                                          \
    }
DEFINE_FLOAT_SUM(sum_f16, uint16_t, from_f16)
DEFINE_FLOAT_SUM(sum_f32, float, from_f32)

static void sum_f64(const void *values, size_t nvalues, struct stoa_float_sum *sum)
{
    stoa_float_sum_add(sum, values, nvalues);
}

stoa_sum_floats *stoa_sum_floats_of(const struct stoa_type *type)
{
    static stoa_sum_floats *const table[] = {
        [STOA_FLOAT16] = sum_f16,
        [STOA_FLOAT32] = sum_f32,
        [STOA_FLOAT64] = sum_f64,
        [STOA_MAP] = NULL,
    };

    return (unsigned)type->id < sizeof(table) / sizeof(table[0]) ? table[type->id] : NULL;
}
