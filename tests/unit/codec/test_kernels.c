/*
 * Kernels: the reference against the words of the specification, the fast ones against the
 * reference, byte for byte and for every width.
 */
#include "codec/kernels.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "support/random.h"

enum { BLOCK = STOA_BLOCK_NVALUES, NBYTES = BLOCK * 8, GUARD = 64 };

static const struct stoa_kernels *fast;

static bool bit_of(const uint8_t *bytes, size_t bit)
{
    return (bytes[bit / 8] >> (bit % 8) & 1) != 0;
}

/* Bit `bit` of value i as section 2.2 of spec/encodings.md says, words being little-endian. */
static bool packed_bit(const uint8_t *packed, unsigned width, unsigned nbits, size_t i,
                       unsigned bit)
{
    size_t nlanes = 128 / width, lane = i % nlanes, at = nbits * (i / nlanes) + bit;
    size_t word = at / (8 * width) * nlanes + lane;

    return bit_of(packed, word * 8 * width + at % (8 * width));
}

static void reference_unpacks_lanes_as_specified(void **state)
{
    uint8_t packed[NBYTES], out[NBYTES];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "lanes");
    for (unsigned log2 = 0; log2 < 4; log2++) {
        unsigned width = 1u << log2;
        uint64_t mask = stoa_low_bits(8 * width);

        for (unsigned nbits = 0; nbits <= 8 * width; nbits++) {
            uint64_t base = stoa_test_random_u64(&r) & mask;

            stoa_test_random_bytes(&r, packed, sizeof(packed));
            stoa_kernels_scalar.unpack[log2](packed, nbits, base, out);
            for (size_t i = 0; i < BLOCK; i += 1 + nbits % 3) {
                uint64_t x = 0;

                for (unsigned bit = 0; bit < nbits; bit++)
                    x |= (uint64_t)packed_bit(packed, width, nbits, i, bit) << bit;
                assert_int_equal(stoa_get(out, i, width), (x + base) & mask);
            }
        }
    }
}

static void packing_is_the_way_back(void **state)
{
    static uint8_t values[NBYTES], packed[NBYTES], out[NBYTES];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "pack");
    for (unsigned log2 = 0; log2 < 4; log2++) {
        unsigned width = 1u << log2;

        for (unsigned nbits = 0; nbits <= 8 * width; nbits++) {
            uint64_t base = stoa_test_random_u64(&r);

            for (size_t i = 0; i < BLOCK; i++)
                stoa_put(values, i, width,
                         base + (stoa_test_random_u64(&r) & stoa_low_bits(nbits)));
            stoa_kernels_scalar.pack[log2](values, base, nbits, packed);
            stoa_kernels_scalar.unpack[log2](packed, nbits, base, out);
            assert_memory_equal(out, values, BLOCK * width);
        }
    }
}

/* Fills guards around a result; afterwards they must be there still. */
struct guarded {
    uint8_t bytes[GUARD + NBYTES + GUARD];
};

static uint8_t *guard(struct guarded *g)
{
    memset(g->bytes, 0xa7, sizeof(g->bytes));
    return g->bytes + GUARD;
}

static void assert_same(const struct guarded *a, const struct guarded *b, size_t nbytes)
{
    assert_memory_equal(a->bytes, b->bytes, sizeof(a->bytes));
    for (size_t i = 0; i < GUARD; i++) {
        assert_int_equal(b->bytes[i], 0xa7);
        assert_int_equal(b->bytes[GUARD + nbytes + i], 0xa7);
    }
}

static void fast_blocks_equal_the_reference(void **state)
{
    static uint8_t input[NBYTES];
    static struct guarded a, b;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "fast blocks");
    for (unsigned log2 = 0; log2 < 4; log2++) {
        for (unsigned nbits = 0; nbits <= 8u << log2; nbits++) {
            uint64_t base = stoa_test_random_u64(&r);

            stoa_test_random_bytes(&r, input, sizeof(input));
            stoa_kernels_scalar.unpack[log2](input, nbits, base, guard(&a));
            fast->unpack[log2](input, nbits, base, guard(&b));
            assert_same(&a, &b, (size_t)BLOCK << log2);
            stoa_kernels_scalar.pack[log2](input, base, nbits, guard(&a));
            fast->pack[log2](input, base, nbits, guard(&b));
            assert_same(&a, &b, 128 * (size_t)nbits);
        }
    }
}

static void fast_loops_equal_the_reference(void **state)
{
    static uint8_t input[NBYTES];
    static struct guarded a, b;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "fast loops");
    for (size_t turn = stoa_test_ncases(4000); turn > 0; turn--) {
        unsigned log2 = (unsigned)stoa_test_random_below(&r, 4), width = 1u << log2;
        size_t n = 1 + stoa_test_random_below(&r, stoa_test_random_one_in(&r, 2) ? 40 : BLOCK);
        uint64_t x = stoa_test_random_wide(&r), y = stoa_test_random_u64(&r);
        uint64_t flip = stoa_test_random_one_in(&r, 2) ? UINT64_C(1) << (8 * width - 1) : 0;
        struct stoa_range want, found;

        for (size_t i = 0; i < n; i++)
            stoa_put(input, i, width, stoa_test_random_wide(&r) + y);
        want = stoa_kernels_scalar.range[log2](input, n, flip);
        found = fast->range[log2](input, n, flip);
        assert_int_equal(found.min, want.min);
        assert_int_equal(found.max, want.max);
        memcpy(guard(&a), input, n * width);
        memcpy(guard(&b), input, n * width);
        stoa_kernels_scalar.sum[log2](a.bytes + GUARD, n, x);
        fast->sum[log2](b.bytes + GUARD, n, x);
        assert_same(&a, &b, n * width);
        memcpy(guard(&a), input, n * width);
        memcpy(guard(&b), input, n * width);
        stoa_kernels_scalar.scale[log2](a.bytes + GUARD, n, x, y);
        fast->scale[log2](b.bytes + GUARD, n, x, y);
        assert_same(&a, &b, n * width);
    }
}

static void range_and_sum_are_those_of_plain_loops(void **state)
{
    int16_t values[] = {5, -3, 300, 0, -32768, 17, 32767};
    struct stoa_range r;

    (void)state;
    r = stoa_kernels()->range[1]((const uint8_t *)values, 7, 0x8000);
    assert_int_equal(r.min, 0x8000);
    assert_int_equal(r.max, 0x7fff);
    r = stoa_kernels()->range[1]((const uint8_t *)values, 7, 0);
    assert_int_equal(r.min, 0);
    assert_int_equal(r.max, 0xfffd);
    stoa_kernels()->sum[1]((uint8_t *)values, 4, 10);
    assert_int_equal(values[0], 15);
    assert_int_equal(values[1], 12);
    assert_int_equal(values[2], 312);
    assert_int_equal(values[3], 312);
}

static void least_range_takes_the_better_order(void **state)
{
    static const struct {
        int32_t values[3];
        uint64_t flip, min, max;
    } cases[] = {
        {{1, 2, 3}, 0, 1, 3},
        {{-1, 0, 1}, 0x80000000, 0xffffffff, 1},
        {{INT32_MAX, INT32_MIN, INT32_MAX}, 0, INT32_MAX, 0x80000000},
        {{-3, -2, -1}, 0, 0xfffffffd, 0xffffffff},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        uint64_t flip;
        struct stoa_range r = stoa_least_range((const uint8_t *)cases[k].values, 4, 3, &flip);

        assert_int_equal(flip, cases[k].flip);
        assert_int_equal(r.min, cases[k].min);
        assert_int_equal(r.max, cases[k].max);
    }
}

static void strings_of_bits_hold_their_values(void **state)
{
    static uint8_t values[NBYTES], packed[NBYTES + 8], out[NBYTES];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "strings of bits");
    for (unsigned log2 = 0; log2 < 4; log2++) {
        unsigned width = 1u << log2;
        uint64_t mask = stoa_low_bits(8 * width);

        for (unsigned nbits = 0; nbits <= 8 * width; nbits++) {
            size_t n = 1 + stoa_test_random_below(&r, BLOCK - 1);
            size_t nbytes = stoa_bits_nbytes(n, nbits);
            uint64_t base = stoa_test_random_u64(&r);

            stoa_test_random_bytes(&r, values, sizeof(values));
            memset(packed, 0x5c, sizeof(packed));
            stoa_bits_pack(values, width, n, base, nbits, packed);
            assert_int_equal(packed[nbytes], 0x5c);
            assert_true(stoa_bits_unpack(packed, nbits, n, base, width, out));
            for (size_t i = 0; i < n; i++) {
                uint64_t want = (stoa_get(values, i, width) - base) & stoa_low_bits(nbits);

                for (unsigned bit = 0; bit < nbits; bit++)
                    assert_int_equal(bit_of(packed, i * nbits + bit), want >> bit & 1);
                assert_int_equal(stoa_get(out, i, width), (want + base) & mask);
            }
            if (n * nbits % 8 != 0) {
                packed[nbytes - 1] |= 0x80;
                assert_false(stoa_bits_unpack(packed, nbits, n, base, width, out));
            }
        }
    }
}

static void histogram_differences_and_gather_do_what_they_say(void **state)
{
    static uint8_t values[NBYTES], out[NBYTES];
    uint32_t codes[BLOCK], hist[65], want[65];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "other loops");
    for (unsigned width = 1; width <= 16; width++) {
        size_t n = 1 + stoa_test_random_below(&r, NBYTES / 16);
        uint64_t base = stoa_test_random_u64(&r), mask = stoa_low_bits(8 * width);

        stoa_test_random_bytes(&r, values, sizeof(values));
        for (size_t i = 0; i < n; i++)
            codes[i] = (uint32_t)stoa_test_random_below(&r, NBYTES / width);
        stoa_gather(values, width, codes, n, out);
        for (size_t i = 0; i < n; i++)
            assert_memory_equal(out + i * width, values + codes[i] * width, width);
        if (width > 8 || (width & (width - 1)) != 0)
            continue;
        memset(want, 0, sizeof(want));
        for (size_t i = 0; i < n; i++) {
            unsigned nbits = 0;

            while (nbits < 64 && ((stoa_get(values, i, width) - base) & mask) >> nbits != 0)
                nbits++;
            want[nbits]++;
        }
        stoa_width_histogram(values, width, n, base, hist);
        assert_memory_equal(hist, want, sizeof(want));
        stoa_differences(values, width, n, base, out);
        stoa_kernels_scalar.sum[stoa_width_log2(width)](out, n, base);
        assert_memory_equal(out, values, n * width);
    }
}

/* Tests of all lengths, on values around the ends of the span. */
static void fast_tests_equal_the_reference(void **state)
{
    static uint8_t input[NBYTES];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "tests");
    for (unsigned turn = 0; turn < 400; turn++) {
        unsigned log2 = turn % 4, width = 1u << log2;
        size_t n = stoa_test_random_below(&r, BLOCK + 1);
        uint64_t from = stoa_test_random_u64(&r), length = stoa_test_random_wide(&r);
        uint8_t a[BLOCK / 8 + GUARD], b[BLOCK / 8 + GUARD];
        double ends[2] = {0, 0};

        for (size_t i = 0; i < n; i++) {
            uint64_t near = stoa_test_random_one_in(&r, 2) ? from : from + length;

            if (stoa_test_random_one_in(&r, 4))
                near = stoa_test_random_u64(&r);
            near += (uint64_t)stoa_test_random_between(&r, -2, 2);
            stoa_put(input, i, width, near);
        }
        stoa_test_random_bytes(&r, a, sizeof(a));
        memcpy(b, a, sizeof(b));
        stoa_kernels_scalar.within[log2](input, n, from, length, a);
        fast->within[log2](input, n, from, length, b);
        assert_memory_equal(a, b, sizeof(a));
        for (size_t i = 0; i < n; i++)
            if (((stoa_get(input, i, width) - from) & stoa_low_bits(8 * width)) <=
                (length & stoa_low_bits(8 * width)))
                assert_true(bit_of(b, i));
        if (log2 < 2 || n < 2)
            continue;
        for (unsigned e = 0; e < 2; e++) { /* two of the values, which may be NaN */
            float x32;

            memcpy(&ends[e], input + e * 8, 8);
            memcpy(&x32, input + e * 4, 4);
            ends[e] = log2 == 3 ? ends[e] : (double)x32;
        }
        stoa_kernels_scalar.between[log2 - 2](input, n, ends[0], ends[1], a);
        fast->between[log2 - 2](input, n, ends[0], ends[1], b);
        assert_memory_equal(a, b, sizeof(a));
    }
}

/* As many as fill no vector, one or more, close together and with room between; nothing else. */
static void hex_digits_are_those_of_printf(void **state)
{
    (void)state;
    static const char *const formats[] = {"%016" PRIx64, "%016" PRIX64};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "hex_digits_are_those_of_printf");
    for (size_t c = 0; c < stoa_test_ncases(2000); c++) {
        const size_t n = (size_t)stoa_test_random_below(&r, 20);
        const size_t stride = 16 + (size_t)stoa_test_random_below(&r, 2) * 7;
        const unsigned upper = (unsigned)stoa_test_random_below(&r, 2);
        uint8_t numbers[20 * 8], a[20 * 23 + GUARD], b[sizeof(a)], want[sizeof(a)];

        stoa_test_random_bytes(&r, numbers, sizeof(numbers));
        memset(want, 0xa5, sizeof(want));
        memcpy(a, want, sizeof(a));
        memcpy(b, want, sizeof(b));
        for (size_t i = 0; i < n; i++) {
            char text[17];

            snprintf(text, sizeof(text), formats[upper], stoa_get(numbers, i, 8));
            memcpy(want + i * stride, text, 16);
        }
        stoa_kernels_scalar.hex(numbers, n, upper ? 'A' : 'a', a, stride);
        fast->hex(numbers, n, upper ? 'A' : 'a', b, stride);
        assert_memory_equal(a, want, sizeof(want));
        assert_memory_equal(b, want, sizeof(want));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_unpacks_lanes_as_specified),
        cmocka_unit_test(packing_is_the_way_back),
        cmocka_unit_test(fast_blocks_equal_the_reference),
        cmocka_unit_test(fast_tests_equal_the_reference),
        cmocka_unit_test(fast_loops_equal_the_reference),
        cmocka_unit_test(range_and_sum_are_those_of_plain_loops),
        cmocka_unit_test(least_range_takes_the_better_order),
        cmocka_unit_test(strings_of_bits_hold_their_values),
        cmocka_unit_test(histogram_differences_and_gather_do_what_they_say),
        cmocka_unit_test(hex_digits_are_those_of_printf),
    };

    fast = stoa_kernels();
    if (fast == &stoa_kernels_scalar)
        print_message("# no fast kernels on this CPU: the reference is compared with itself\n");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
