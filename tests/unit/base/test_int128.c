/* 128-bit integers beside the compiler's own. */
#include "base/int128.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/random.h"

static void product_of_words_is_the_same_without_128_bits(void **state)
{
    (void)state;
    static const uint64_t edges[] = {0,         1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX - 1,
                                     UINT64_MAX};
    struct stoa_test_random random;
    size_t nedges = sizeof(edges) / sizeof(edges[0]);

    stoa_test_random_init(&random, "product_of_words_is_the_same_without_128_bits");
    for (size_t i = 0; i < nedges * nedges + stoa_test_ncases(1000000); i++) {
        bool edge = i < nedges * nedges;
        uint64_t a = edge ? edges[i % nedges] : stoa_test_random_wide(&random);
        uint64_t b = edge ? edges[i / nedges] : stoa_test_random_wide(&random);
        uint64_t high, high_portable;

        assert_int_equal(stoa_mul_wide(a, b, &high), stoa_mul_wide_portable(a, b, &high_portable));
        assert_int_equal(high, high_portable);
    }
}

static void powers_of_ten_are_what_they_say(void **state)
{
    (void)state;
    uint64_t power = 1;

    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(stoa_pow10[i], power);
        power *= 10;
    }
}

static void assert_value(struct stoa_int128 x, int64_t hi, uint64_t lo)
{
    assert_int_equal(x.hi, hi);
    assert_int_equal(x.lo, lo);
}

static void memory_holds_one_number_of_16_bytes(void **state)
{
    (void)state;
    struct stoa_int128 x = stoa_int128_from_i64(-2);
    uint8_t bytes[16], expected[16];

    assert_int_equal(sizeof(x), 16);
    memcpy(bytes, &x, 16);
    memset(expected, 0xff, 16);
    expected[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 15] = 0xfe;
    assert_memory_equal(bytes, expected, 16);
}

static void overflow_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    const struct stoa_int128 max = {.hi = INT64_MAX, .lo = UINT64_MAX};
    const struct stoa_int128 min = {.hi = INT64_MIN, .lo = 0};
    const struct stoa_int128 one = stoa_int128_from_i64(1);
    struct stoa_int128 x = stoa_int128_from_i64(77);

    assert_false(stoa_int128_add(max, one, &x));
    assert_false(stoa_int128_add(min, stoa_int128_from_i64(-1), &x));
    assert_false(stoa_int128_sub(min, one, &x));
    assert_false(stoa_int128_neg(min, &x));
    assert_false(stoa_int128_mul_u64(max, 2, &x));
    assert_false(stoa_int128_mul_u64(min, 3, &x));
    assert_false(stoa_int128_mul_pow10(one, 39, &x));
    assert_false(stoa_int128_mul_pow10(one, UINT32_MAX, &x));
    assert_value(x, 0, 77);
    assert_true(stoa_int128_mul_pow10(stoa_int128_from_i64(0), UINT32_MAX, &x));
    assert_value(x, 0, 0);
    assert_true(stoa_int128_mul_u64((struct stoa_int128){.hi = INT64_MIN / 2}, 2, &x));
    assert_value(x, INT64_MIN, 0);
    assert_true(stoa_int128_mul_pow10(one, 38, &x));
    assert_value(x, INT64_C(0x4b3b4ca85a86c47a), UINT64_C(0x098a224000000000));
}

#if defined(__SIZEOF_INT128__)

__extension__ typedef __int128 native;

static native to_native(struct stoa_int128 x)
{
    native y;

    memcpy(&y, &x, 16);
    return y;
}

static void assert_native(struct stoa_int128 x, native expected)
{
    native y = to_native(x);

    assert_memory_equal(&y, &expected, 16);
}

static struct stoa_int128 any(struct stoa_test_random *random)
{
    struct stoa_int128 x = {.hi = 0, .lo = stoa_test_random_wide(random)};

    if (stoa_test_random_one_in(random, 2))
        x = (struct stoa_int128){.hi = (int64_t)stoa_test_random_wide(random),
                                 .lo = stoa_test_random_u64(random)};
    if (stoa_test_random_one_in(random, 2))
        (void)stoa_int128_neg(x, &x);
    return x;
}

static native native_pow10(unsigned power)
{
    native x = 1;

    while (power-- > 0)
        x *= 10;
    return x;
}

static void check_sums(struct stoa_int128 a, struct stoa_int128 b)
{
    native x = to_native(a), y = to_native(b), expected;
    struct stoa_int128 out = {0};

    assert_int_equal(stoa_int128_cmp(a, b), (x > y) - (x < y));
    assert_int_equal(stoa_int128_cmp(a, a), 0);
    assert_int_equal(stoa_int128_add(a, b, &out), !__builtin_add_overflow(x, y, &expected));
    if (!__builtin_add_overflow(x, y, &expected))
        assert_native(out, expected);
    assert_int_equal(stoa_int128_sub(a, b, &out), !__builtin_sub_overflow(x, y, &expected));
    if (!__builtin_sub_overflow(x, y, &expected))
        assert_native(out, expected);
    assert_int_equal(stoa_int128_neg(a, &out), !__builtin_sub_overflow((native)0, x, &expected));
    if (!__builtin_sub_overflow((native)0, x, &expected))
        assert_native(out, expected);
}

static void check_products(struct stoa_int128 a, uint64_t factor, unsigned power)
{
    native x = to_native(a), expected;
    struct stoa_int128 out = {0}, left = {0};
    uint64_t remainder;
    bool fits = !__builtin_mul_overflow(x, factor, &expected);

    assert_int_equal(stoa_int128_mul_u64(a, factor, &out), fits);
    if (fits)
        assert_native(out, expected);
    fits = !__builtin_mul_overflow(x, native_pow10(power), &expected);
    assert_int_equal(stoa_int128_mul_pow10(a, power, &out), fits);
    if (fits)
        assert_native(out, expected);
    if (factor > 0) {
        assert_native(stoa_int128_div_u64(a, factor, &remainder), x / (native)factor);
        expected = x % (native)factor;
        assert_int_equal(remainder, (uint64_t)(expected < 0 ? -expected : expected));
    }
    assert_native(stoa_int128_div_pow10(a, power, &left), x / native_pow10(power));
    assert_native(left, x % native_pow10(power));
    assert_int_equal(stoa_int128_fits_digits(a, power),
                     x < native_pow10(power) && -native_pow10(power) < x);
    assert_int_equal(stoa_int128_fits_i64(a), x >= INT64_MIN && x <= INT64_MAX);
    assert_int_equal(stoa_int128_fits_u64(a), x >= 0 && x <= UINT64_MAX);
}

static void arithmetic_agrees_with_the_compiler(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "arithmetic_agrees_with_the_compiler");
    for (size_t i = 0; i < stoa_test_ncases(500000); i++) {
        uint64_t factor = stoa_test_random_wide(&random);

        if (stoa_test_random_one_in(&random, 4))
            factor = UINT64_MAX - (factor >> 32); /* divisors that need no shift */
        check_sums(any(&random), any(&random));
        check_products(any(&random), factor, (unsigned)stoa_test_random_below(&random, 39));
    }
}

static void arithmetic_agrees_at_the_edges(void **state)
{
    (void)state;
    static const struct stoa_int128 edges[] = {
        {.hi = 0, .lo = 0},
        {.hi = 0, .lo = 1},
        {.hi = -1, .lo = UINT64_MAX},
        {.hi = 0, .lo = UINT64_C(1) << 63},
        {.hi = -1, .lo = UINT64_C(1) << 63},
        {.hi = -1, .lo = (UINT64_C(1) << 63) - 1},
        {.hi = 0, .lo = UINT64_MAX},
        {.hi = 1, .lo = 0},
        {.hi = -1, .lo = 0},
        {.hi = INT64_MAX, .lo = UINT64_MAX},
        {.hi = INT64_MAX, .lo = 0},
        {.hi = INT64_MIN, .lo = 0},
        {.hi = INT64_MIN, .lo = 1},
    };
    static const uint64_t factors[] = {
        0, 1, 2, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
    size_t nedges = sizeof(edges) / sizeof(edges[0]);

    for (size_t i = 0; i < nedges; i++) {
        for (size_t k = 0; k < nedges; k++)
            check_sums(edges[i], edges[k]);
        for (size_t k = 0; k < sizeof(factors) / sizeof(factors[0]); k++) {
            for (unsigned power = 0; power <= 38; power++)
                check_products(edges[i], factors[k], power);
        }
    }
    for (unsigned power = 1; power <= 38; power++) {
        native ten = native_pow10(power);
        struct stoa_int128 x, one = stoa_int128_from_i64(1);

        memcpy(&x, &ten, 16);
        check_products(x, 10, power);
        assert_true(stoa_int128_sub(x, one, &x));
        check_products(x, 10, power);
        assert_true(stoa_int128_neg(x, &x));
        check_products(x, 10, power);
    }
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product_of_words_is_the_same_without_128_bits),
        cmocka_unit_test(powers_of_ten_are_what_they_say),
        cmocka_unit_test(memory_holds_one_number_of_16_bytes),
        cmocka_unit_test(overflow_is_refused_and_leaves_the_result_alone),
#if defined(__SIZEOF_INT128__)
        cmocka_unit_test(arithmetic_agrees_with_the_compiler),
        cmocka_unit_test(arithmetic_agrees_at_the_edges),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
