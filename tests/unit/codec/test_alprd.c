/*
 * ALP-RD: what it takes for floats that are no decimals, beside the entropy that was put in, and
 * that every bit pattern comes back.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "codec/page.h"
#include "support/page_trip.h"
#include "support/random.h"

enum { NVALUES = 8192 };

static struct stoa_encoder *encoder;
static struct stoa_decoder *decoder;

/* Encodes as `text`, asserts that all bits come back, and returns the bytes of the page. */
static size_t round_trip(const char *text, enum stoa_phys phys, const void *values, size_t n)
{
    struct stoa_buffer page = {0};
    size_t nbytes;

    stoa_test_page_trip(encoder, decoder, text, phys, values, n, &page);
    nbytes = page.nbytes;
    stoa_buffer_free(&page);
    return nbytes;
}

/* Sign and exponent of a normal distribution have three bits of entropy; packed they take four. */
static void signs_and_exponents_are_what_is_saved(void **state)
{
    static double values[NVALUES];
    static float short_values[NVALUES];
    struct stoa_test_random r;
    size_t n = NVALUES;

    (void)state;
    stoa_test_random_init(&r, "normal distribution");
    for (size_t i = 0; i < n; i++) {
        double u = stoa_test_random_unit(&r) + 1e-300, v = stoa_test_random_unit(&r);

        values[i] = sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
        short_values[i] = (float)values[i];
    }
    assert_in_range(round_trip("alprd(pfor,pfor)", STOA_PHYS_F64, values, n), n * 55 / 8,
                    n * 573 / 80);
    assert_in_range(round_trip("alprd(plain+zstd,pfor)", STOA_PHYS_F64, values, n), n * 54 / 8,
                    n * 563 / 80);
    assert_in_range(round_trip("alprd(pfor,pfor)", STOA_PHYS_F32, short_values, n), n * 26 / 8,
                    n * 281 / 80);
    assert_in_range(round_trip("alprd(plain+zstd,pfor)", STOA_PHYS_F32, short_values, n),
                    n * 25 / 8, n * 272 / 80);
}

static void every_bit_pattern_comes_back(void **state)
{
    static const uint64_t special[] = {
        0x8000000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
        0x7ff0000000000001, 0xffffffffffffffff, 0x0000000000000001, 0x000fffffffffffff,
    };
    static uint64_t values[NVALUES];
    static uint32_t short_values[NVALUES];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "bit patterns");
    for (size_t turn = stoa_test_ncases(200); turn > 0; turn--) {
        uint64_t rare = 1 + stoa_test_random_below(&r, 300);
        size_t n = 1 + stoa_test_random_below(&r, 3000);

        for (size_t i = 0; i < n; i++) {
            double x = 1 + stoa_test_random_unit(&r);
            float f = (float)x;

            memcpy(&values[i], &x, 8);
            memcpy(&short_values[i], &f, 4);
            if (!stoa_test_random_one_in(&r, rare))
                continue;
            values[i] = stoa_test_random_one_in(&r, 2) ? stoa_test_random_u64(&r)
                                                       : special[stoa_test_random_below(&r, 8)];
            short_values[i] = (uint32_t)(values[i] >> (stoa_test_random_one_in(&r, 2) ? 32 : 0));
        }
        round_trip("alprd(pfor,pfor)", STOA_PHYS_F64, values, n);
        round_trip("alprd(plain+zstd,plain)", STOA_PHYS_F64, values, n);
        round_trip("rle(alprd(pfor,pfor),pfor)", STOA_PHYS_F32, short_values, n);
        round_trip("alprd+zstd(plain+zstd,pfor)", STOA_PHYS_F32, short_values, n);
    }
}

/* More left parts than codes: 2^16 of them, each about as often as any other. */
static void noise_costs_no_more_than_plain(void **state)
{
    static uint64_t values[NVALUES];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "noise");
    for (size_t i = 0; i < NVALUES; i++)
        values[i] = stoa_test_random_u64(&r);
    assert_in_range(round_trip("alprd(pfor,pfor)", STOA_PHYS_F64, values, NVALUES), 0,
                    8 * NVALUES + 80);
    assert_in_range(round_trip("alprd(plain+zstd,pfor)", STOA_PHYS_F64, values, NVALUES), 0,
                    8 * NVALUES + 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_and_exponents_are_what_is_saved),
        cmocka_unit_test(every_bit_pattern_comes_back),
        cmocka_unit_test(noise_costs_no_more_than_plain),
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
