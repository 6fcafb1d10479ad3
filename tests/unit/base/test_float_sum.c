/*
 * Exact sums of doubles: known sums (the expected ones come from exact fractions), any order and
 * any split give the same, blocks and single values too.
 */
#include "base/float_sum.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/random.h"

enum { MAX_NVALUES = 5000 };

static double round_of(const double *values, size_t nvalues, uint64_t divisor)
{
    struct stoa_float_sum sum = {0};

    stoa_float_sum_add(&sum, values, nvalues);
    return stoa_float_sum_round(&sum, divisor);
}

static void assert_same(double got, double expected)
{
    if (memcmp(&got, &expected, sizeof(got)) != 0 && !(isnan(got) && isnan(expected)))
        fail_msg("%a, must be %a", got, expected);
}

static void sums_and_means_are_rounded_once(void **state)
{
    (void)state;
    static const struct {
        double values[5];
        size_t nvalues;
        double sum;
        double mean;
    } cases[] = {
        {{0}, 0, 0, 0},
        {{-0.0, -0.0}, 2, 0, 0},
        {{1, 0x1p-53}, 2, 1, 0x1p-1},
        {{1, 0x1p-53, 0x1p-1074}, 3, 0x1.0000000000001p+0, 0x1.5555555555556p-2},
        {{0x1.0000000000001p+0, 0x1p-53}, 2, 0x1.0000000000002p+0, 0x1.0000000000002p-1},
        {{1e308, 1, -1e308}, 3, 1, 0x1.5555555555555p-2},
        {{0x1.fffffffffffffp+1023, 0x1.fffffffffffffp+1023, -0x1.fffffffffffffp+1023},
         3,
         0x1.fffffffffffffp+1023,
         0x1.5555555555555p+1022},
        {{0x1.fffffffffffffp+1023, 0x1.fffffffffffffp+1023},
         2,
         (double)INFINITY,
         0x1.fffffffffffffp+1023},
        {{-0x1.fffffffffffffp+1023, -0x1p+970}, 2, (double)-INFINITY, -0x1p+1023},
        {{0x1p-1074, 0x1p-1074, 0x1p-1074, 0x1p-1022, -0x1p-1074},
         5,
         0x1.0000000000002p-1022,
         0x0.3333333333334p-1022},
        {{0x1p-1074, 0}, 2, 0x1p-1074, 0},
        {{0x1p-1074, 0x1p-1074, 0x1p-1074, 0}, 4, 0x3p-1074, 0x1p-1074},
        {{-1e16, 1, -1, -1}, 4, -0x1.1c37937e08000p+53, -0x1.1c37937e08000p+51},
        {{1, NAN, 2}, 3, (double)NAN, (double)NAN},
        {{1, INFINITY, 2}, 3, (double)INFINITY, (double)INFINITY},
        {{1, -INFINITY, 2}, 3, (double)-INFINITY, (double)-INFINITY},
        {{INFINITY, -INFINITY}, 2, (double)NAN, (double)NAN},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = cases[i].nvalues;

        assert_same(round_of(cases[i].values, n, 1), cases[i].sum);
        assert_same(round_of(cases[i].values, n, n > 0 ? n : 1), cases[i].mean);
    }
}

/* One of the ways in which values can lie to each other. */
static double draw(struct stoa_test_random *r, unsigned way)
{
    uint64_t bits = stoa_test_random_u64(r);
    double x;

    switch (way) {
    case 0: /* any bits but infinities and NaN */
        if ((bits >> 52 & 2047) == 2047)
            bits ^= UINT64_C(1) << 52;
        memcpy(&x, &bits, 8);
        return x;
    case 1: /* prices */
        return (double)stoa_test_random_between(r, -100000, 100000) / 100;
    case 2: /* exponents of 2^-40 .. 2^40 */
        x = (double)stoa_test_random_between(r, INT64_MIN / 2, INT64_MAX / 2);
        return ldexp(x, (int)stoa_test_random_between(r, -100, -20));
    case 3: /* subnormal ones */
        bits &= UINT64_C(0x800fffffffffffff);
        memcpy(&x, &bits, 8);
        return x;
    default: /* zeros and a few others */
        return stoa_test_random_one_in(r, 50) ? stoa_test_random_unit(r) : -0.0;
    }
}

/*
 * Two thousand places of 32 bits are the model: the same number in another base, without blocks,
 * folded value by value through ldexp() and frexp().
 */
static void model_add(int64_t *places, double x)
{
    int exponent;
    double fraction = frexp(x, &exponent);
    int64_t mantissa = (int64_t)ldexp(fraction, 53);
    const int place = exponent - 53 + 1200;

    for (int k = 0; mantissa != 0; k++) { /* one bit a place */
        places[place + k] += mantissa % 2;
        mantissa /= 2;
    }
}

static void model_settle(int64_t *places, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        int64_t bit = places[i] & 1;

        places[i + 1] += (places[i] - bit) / 2;
        places[i] = bit;
    }
}

static void blocks_lose_no_bit(void **state)
{
    (void)state;
    enum { NPLACES = 2400 };
    static double values[MAX_NVALUES];
    static int64_t places[NPLACES];
    struct stoa_test_random random;

    stoa_test_random_init(&random, "blocks_lose_no_bit");
    for (size_t i = 0; i < stoa_test_ncases(200); i++) {
        size_t n = (size_t)stoa_test_random_below(&random, MAX_NVALUES);
        struct stoa_float_sum sum = {0};
        double rounded;

        memset(places, 0, sizeof(places));
        for (size_t k = 0; k < n; k++) {
            values[k] = draw(&random, (unsigned)(i % 5));
            model_add(places, values[k]);
        }
        stoa_float_sum_add(&sum, values, n);
        rounded = stoa_float_sum_round(&sum, 1);
        model_add(places, -rounded); /* what is left is at most half a unit in the last place */
        model_settle(places, NPLACES);
        if (isfinite(rounded)) {
            int exponent;
            size_t top = NPLACES - 1;
            int64_t sign = places[NPLACES - 1] < 0 ? 1 : 0;

            frexp(rounded, &exponent);
            while (top > 0 && places[top - 1] == sign)
                top--;
            /* bit `place` counts 2^(place - 1200); the unit is 2^(exponent - 53) or 2^-1074 */
            if ((int)top - 1200 > (exponent - 53 > -1074 ? exponent - 53 : -1074))
                fail_msg("case %zu: %a of %zu values is not the nearest", i, rounded, n);
        }
    }
}

static void order_and_split_do_not_matter(void **state)
{
    (void)state;
    static double values[MAX_NVALUES];
    struct stoa_test_random random;

    stoa_test_random_init(&random, "order_and_split_do_not_matter");
    for (size_t i = 0; i < stoa_test_ncases(200); i++) {
        size_t n = 1 + (size_t)stoa_test_random_below(&random, MAX_NVALUES), at = 0;
        struct stoa_float_sum whole = {0}, parts = {0};

        for (size_t k = 0; k < n; k++)
            values[k] = draw(&random, (unsigned)(i % 5));
        if (stoa_test_random_one_in(&random, 4))
            values[n / 2] = (double)NAN;
        if (stoa_test_random_one_in(&random, 4))
            values[n / 3] = (double)INFINITY;
        stoa_float_sum_add(&whole, values, n);
        for (size_t k = n; k > 1; k--) {
            size_t other = (size_t)stoa_test_random_below(&random, k);
            double x = values[k - 1];

            values[k - 1] = values[other];
            values[other] = x;
        }
        while (at < n) {
            struct stoa_float_sum part = {0};
            size_t end = at + 1 + (size_t)stoa_test_random_below(&random, n - at);

            stoa_float_sum_add(&part, values + at, end - at);
            stoa_float_sum_merge(&parts, &part);
            at = end;
        }
        assert_int_equal(whole.nnans, parts.nnans);
        for (uint64_t divisor = 1; divisor <= n; divisor += n)
            assert_same(stoa_float_sum_round(&parts, divisor),
                        stoa_float_sum_round(&whole, divisor));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_means_are_rounded_once),
        cmocka_unit_test(blocks_lose_no_bit),
        cmocka_unit_test(order_and_split_do_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
