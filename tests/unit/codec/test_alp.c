/*
 * ALP: which floats become integers, against strtod() and printf() of the C library, and that every
 * other bit pattern comes back too.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/cpu.h"
#include "codec/kernels.h"
#include "codec/page.h"
#include "support/page_trip.h"
#include "support/random.h"

enum { NVALUES = 3000, EXPONENT = 40, COUNT = 44 };

static struct stoa_encoder *encoder;
static struct stoa_decoder *decoder;

/*
 * Encodes as `plan`, asserts that all bits come back, and gives exponent and number of exceptions
 * of an ALP root with one child; *exponent is UINT32_MAX when there is another root.
 */
static void round_trip(const char *text, enum stoa_phys phys, const void *values, size_t n,
                       uint32_t *exponent, uint32_t *count)
{
    struct stoa_buffer page = {0};

    stoa_test_page_trip(encoder, decoder, text, phys, values, n, &page);
    *exponent = page.data[8] == STOA_ALP ? page.data[EXPONENT] : UINT32_MAX;
    *count = page.data[8] == STOA_ALP ? stoa_load32(page.data + COUNT) : 0;
    stoa_buffer_free(&page);
}

static void decimals_of_15_digits_are_never_exceptions(void **state)
{
    static double values[NVALUES];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "decimals");
    for (size_t turn = stoa_test_ncases(400); turn > 0; turn--) {
        unsigned digits = 1 + (unsigned)stoa_test_random_below(&r, 15);
        unsigned places = (unsigned)stoa_test_random_below(&r, 23), widest = 0;
        uint32_t exponent, count;

        for (size_t i = 0; i < NVALUES; i++) {
            uint64_t limit = 1, number;
            char text[64];

            for (unsigned k = 0; k < digits; k++)
                limit *= 10;
            number = stoa_test_random_below(&r, limit);
            snprintf(text, sizeof(text), "%s%llue-%u",
                     number > 0 && stoa_test_random_one_in(&r, 2) ? "-" : "",
                     (unsigned long long)number, places);
            values[i] = strtod(text, NULL);
            widest |= (unsigned)(number % 10 != 0);
        }
        round_trip("alp(pfor)", STOA_PHYS_F64, values, NVALUES, &exponent, &count);
        if (widest != 0 && (exponent > places || count != 0))
            fail_msg("%u digits, %u places: exponent %u, %u exceptions", digits, places, exponent,
                     count);
    }
}

static void every_bit_pattern_comes_back(void **state)
{
    static const uint64_t special[] = {
        0x8000000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
        0x7ff0000000000001, 0xffffffffffffffff, 0x0000000000000001, 0x000fffffffffffff,
        0x7fefffffffffffff, 0x4320000000000000, 0xc320000000000000, 0xc320000000000001,
        0x43e0000000000000, 0x433fffffffffffff,
    };
    static uint64_t values[NVALUES];
    static uint32_t short_values[NVALUES];
    struct stoa_test_random r;
    uint32_t exponent, count;

    (void)state;
    stoa_test_random_init(&r, "bit patterns");
    for (size_t turn = stoa_test_ncases(200); turn > 0; turn--) {
        uint64_t rare = 1 + stoa_test_random_below(&r, 40);
        size_t n = 2 + stoa_test_random_below(&r, NVALUES - 1);

        for (size_t i = 0; i < n; i++) {
            double x = (double)stoa_test_random_between(&r, -100000, 100000) / 100;
            float f = (float)x;

            memcpy(&values[i], &x, 8);
            memcpy(&short_values[i], &f, 4);
            if (!stoa_test_random_one_in(&r, rare))
                continue;
            values[i] = stoa_test_random_one_in(&r, 2) ? stoa_test_random_u64(&r)
                                                       : special[stoa_test_random_below(&r, 14)];
            short_values[i] = (uint32_t)(values[i] >> (stoa_test_random_one_in(&r, 2) ? 32 : 0));
        }
        round_trip("alp(delta(pfor))", STOA_PHYS_F64, values, n, &exponent, &count);
        round_trip("alp(narrow(plain+zstd))", STOA_PHYS_F32, short_values, n, &exponent, &count);
    }
}

static void what_is_no_decimal_gives_way(void **state)
{
    static double values[NVALUES];
    struct stoa_test_random r;
    uint32_t exponent, count;

    (void)state;
    stoa_test_random_init(&r, "no decimals");
    for (size_t i = 0; i < NVALUES; i++)
        values[i] = stoa_test_random_unit(&r);
    round_trip("alp(pfor)", STOA_PHYS_F64, values, NVALUES, &exponent, &count);
    assert_int_equal(exponent, UINT32_MAX);
}

static void fast_loops_equal_the_reference(void **state)
{
#if defined(__x86_64__)
    static uint8_t in[NVALUES * 8], a[NVALUES * 8], b[NVALUES * 8];
    struct stoa_test_random r;

    (void)state;
    if (!stoa_cpu_has_avx2())
        skip();
    stoa_test_random_init(&r, "alp loops");
    for (size_t turn = stoa_test_ncases(2000); turn > 0; turn--) {
        size_t n = stoa_test_random_below(&r, 70);
        double power = pow(10, (double)stoa_test_random_below(&r, 23));
        bool good;

        for (size_t i = 0; i < n; i++) {
            uint64_t bits = stoa_test_random_u64(&r) >> stoa_test_random_below(&r, 64);
            double x = (double)(int64_t)(bits >> 20) / power;

            memcpy(in + 8 * i, stoa_test_random_one_in(&r, 3) ? (void *)&bits : (void *)&x, 8);
        }
        for (unsigned k = 0; k < 2; k++) {
            memcpy(a, in, sizeof(a));
            memcpy(b, in, sizeof(b));
            good = stoa_kernels_scalar.alp_decode[k](a, n, power);
            assert_int_equal(good, stoa_kernels_avx2.alp_decode[k](b, n, power));
            if (good) /* else nobody looks at them */
                assert_memory_equal(a, b, sizeof(a));
            assert_int_equal(stoa_kernels_scalar.alp_encode[k](in, n, power, a),
                             stoa_kernels_avx2.alp_encode[k](in, n, power, b));
            assert_memory_equal(a, b, sizeof(a));
        }
    }
#else
    (void)state;
    skip();
#endif
}

/* An integer of at most 51 bits whose quotient by 10^exponent is all but between two doubles. */
static int64_t near_middle(struct stoa_test_random *r, unsigned exponent)
{
    uint64_t middle = stoa_test_random_u64(r) >> 11 | UINT64_C(1) << 53 | 1; /* 54 bits, odd */
    unsigned nbits = 2 + (unsigned)stoa_test_random_below(r, 50);
    uint64_t high, low, five = 1;

    for (unsigned e = 0; e < exponent; e++)
        five *= 5;
    high = five >> 32; /* middle * five, its 64 bits from bit 42 on, is close enough */
    low = five & UINT32_MAX;
    middle = (middle >> 22) * high + ((middle >> 22) * low >> 32);
    while (middle >> nbits != 0)
        middle >>= 1;
    return (int64_t)middle - (int64_t)stoa_test_random_below(r, 3);
}

/* However the loops do it. */
static void quotients_are_rounded_once(void **state)
{
    static uint8_t values[NVALUES * 8];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "alp quotients");
    for (unsigned exponent = 0; exponent <= 22; exponent++) {
        const double power = pow(10, exponent);

        for (size_t turn = stoa_test_ncases(40); turn > 0; turn--) {
            int64_t in[NVALUES];

            for (size_t i = 0; i < NVALUES; i++) {
                in[i] = stoa_test_random_one_in(&r, 2)
                            ? near_middle(&r, exponent)
                            : (int64_t)(stoa_test_random_u64(&r) >>
                                        (13 + stoa_test_random_below(&r, 51)));
                if (stoa_test_random_one_in(&r, 2))
                    in[i] = -in[i];
            }
            in[0] = -(INT64_C(1) << 51);
            memcpy(values, in, sizeof(values));
            assert_true(stoa_kernels()->alp_decode[1](values, NVALUES, power));
            for (size_t i = 0; i < NVALUES; i++) {
                double x = (double)in[i] / power;

                assert_memory_equal(values + 8 * i, &x, 8);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotients_are_rounded_once),
        cmocka_unit_test(decimals_of_15_digits_are_never_exceptions),
        cmocka_unit_test(every_bit_pattern_comes_back),
        cmocka_unit_test(what_is_no_decimal_gives_way),
        cmocka_unit_test(fast_loops_equal_the_reference),
    };
    int rc;

    if (stoa_encoder_new(&encoder, 3, NULL) != STOA_OK ||
        stoa_decoder_new(&decoder, NULL) != STOA_OK)
        return 1;
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    stoa_encoder_free(encoder);
    stoa_decoder_free(decoder);
    return rc;
}
