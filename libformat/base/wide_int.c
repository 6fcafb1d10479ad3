/*
 * Integers of 384 bits, word by word as on paper.
 *
 *     words   [0] [1] [2] [3] [4] [5]     two's complement, the least first
 *     halves  0 1 2 3 4 5 6 7 8 9 ..      where sums of 32-bit pieces are added
 */
#include "base/wide_int.h"

#include <assert.h>
#include <string.h>

#include "base/int128.h"

enum { NWORDS = STOA_WIDE_INT_NWORDS, CHUNK_NDIGITS = 19 };

void stoa_wide_int_add(struct stoa_wide_int *x, const struct stoa_wide_int *y)
{
    bool carry = false;

    for (unsigned i = 0; i < NWORDS; i++) {
        bool first = __builtin_add_overflow(x->words[i], y->words[i], &x->words[i]);
        bool second = __builtin_add_overflow(x->words[i], (uint64_t)carry, &x->words[i]);

        carry = first || second;
    }
}

static void negate(struct stoa_wide_int *x)
{
    static const struct stoa_wide_int one = {{1}};

    for (unsigned i = 0; i < NWORDS; i++)
        x->words[i] = ~x->words[i];
    stoa_wide_int_add(x, &one);
}

static struct stoa_wide_int at_half(uint64_t y, unsigned half)
{
    struct stoa_wide_int shifted = {0};

    assert(half < 2 * NWORDS - 1);
    if (half % 2 == 0) {
        shifted.words[half / 2] = y;
    } else {
        shifted.words[half / 2] = y << 32;
        shifted.words[half / 2 + 1] = y >> 32;
    }
    return shifted;
}

void stoa_wide_int_add_at(struct stoa_wide_int *x, uint64_t y, unsigned half)
{
    const struct stoa_wide_int shifted = at_half(y, half);

    stoa_wide_int_add(x, &shifted);
}

void stoa_wide_int_sub_at(struct stoa_wide_int *x, uint64_t y, unsigned half)
{
    struct stoa_wide_int shifted = at_half(y, half);

    negate(&shifted);
    stoa_wide_int_add(x, &shifted);
}

static bool is_negative(const struct stoa_wide_int *x)
{
    return x->words[NWORDS - 1] >> 63;
}

static bool is_zero(const struct stoa_wide_int *x)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < NWORDS; i++)
        any |= x->words[i];
    return any == 0;
}

/* x *= factor, of a size. */
static void multiply(struct stoa_wide_int *x, uint64_t factor)
{
    uint64_t carry = 0;

    for (unsigned i = 0; i < NWORDS; i++) {
        uint64_t high, low = stoa_mul_wide(x->words[i], factor, &high);

        high += __builtin_add_overflow(low, carry, &x->words[i]);
        carry = high;
    }
}

/* x /= divisor, of a size; returns the remainder. Bit by bit would do; this takes 32 at a time. */
static uint64_t divide(struct stoa_wide_int *x, uint64_t divisor)
{
    uint64_t rest = 0;

    for (unsigned i = NWORDS; i-- > 0;) {
        uint64_t word = 0;

        for (unsigned bit = 64; bit-- > 0;) {
            bool over = rest >> 63;

            rest = rest << 1 | (x->words[i] >> bit & 1);
            if (over || rest >= divisor) {
                rest -= divisor;
                word |= UINT64_C(1) << bit;
            }
        }
        x->words[i] = word;
    }
    return rest;
}

struct stoa_wide_int stoa_wide_int_divide(const struct stoa_wide_int *x, unsigned ndigits,
                                          uint64_t divisor)
{
    struct stoa_wide_int out = *x;
    const bool negative = is_negative(x);
    uint64_t rest;

    assert(ndigits < 20 && divisor > 0);
    if (negative)
        negate(&out);
    multiply(&out, stoa_pow10[ndigits]);
    rest = divide(&out, divisor);
    if (rest > divisor - rest || (rest == divisor - rest && (out.words[0] & 1)))
        stoa_wide_int_add_at(&out, 1, 0);
    if (negative)
        negate(&out);
    return out;
}

size_t stoa_wide_int_format(const struct stoa_wide_int *x, unsigned scale, char *out)
{
    struct stoa_wide_int rest = *x;
    const bool negative = is_negative(x);
    char digits[STOA_WIDE_INT_NBYTES]; /* from the last one to the first */
    size_t ndigits = 0, nbytes = 0;

    assert(scale <= 95);
    if (negative)
        negate(&rest);
    while (!is_zero(&rest)) {
        uint64_t chunk = divide(&rest, stoa_pow10[CHUNK_NDIGITS]);

        for (unsigned i = 0; i < CHUNK_NDIGITS; i++, chunk /= 10)
            digits[ndigits++] = (char)('0' + chunk % 10);
    }
    while (ndigits > scale + 1 && digits[ndigits - 1] == '0')
        ndigits--;
    while (ndigits <= scale)
        digits[ndigits++] = '0';
    if (negative)
        out[nbytes++] = '-';
    while (ndigits > 0) {
        out[nbytes++] = digits[--ndigits];
        if (ndigits == scale && scale > 0)
            out[nbytes++] = '.';
    }
    return nbytes;
}
