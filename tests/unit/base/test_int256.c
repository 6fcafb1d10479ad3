/* 256-bit integers beside schoolbook arithmetic on bytes, in 512 bits where nothing overflows. */
#include "base/int256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "support/random.h"

/* ---- The reference: two's complement, lowest byte first ---- */

#define WIDE 64

struct wide {
    uint8_t bytes[WIDE];
};

static struct wide wide_of(struct stoa_int256 x)
{
    struct wide w;

    stoa_bytes_le(w.bytes, &x, 1, 32);
    memset(w.bytes + 32, w.bytes[31] >= 0x80 ? 0xff : 0, WIDE - 32);
    return w;
}

static struct wide wide_u64(uint64_t x)
{
    struct wide w = {{0}};

    stoa_store64(w.bytes, x);
    return w;
}

static bool wide_negative(struct wide w)
{
    return w.bytes[WIDE - 1] >= 0x80;
}

static struct wide wide_add(struct wide a, struct wide b)
{
    unsigned carry = 0;

    for (int i = 0; i < WIDE; i++) {
        carry += a.bytes[i] + b.bytes[i];
        a.bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return a;
}

static struct wide wide_neg(struct wide w)
{
    for (int i = 0; i < WIDE; i++)
        w.bytes[i] = (uint8_t)~w.bytes[i];
    return wide_add(w, wide_u64(1));
}

static struct wide wide_sub(struct wide a, struct wide b)
{
    return wide_add(a, wide_neg(b));
}

static struct wide wide_mul(struct wide a, struct wide b)
{
    struct wide product = {{0}};

    for (int i = 0; i < WIDE; i++) {
        unsigned carry = 0;

        for (int k = 0; i + k < WIDE; k++) {
            carry += product.bytes[i + k] + (unsigned)a.bytes[i] * b.bytes[k];
            product.bytes[i + k] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    return product;
}

static struct wide wide_pow10(unsigned power)
{
    struct wide w = wide_u64(1);

    while (power-- > 0)
        w = wide_mul(w, wide_u64(10));
    return w;
}

static int wide_cmp(struct wide a, struct wide b)
{
    struct wide zero = {{0}}, difference = wide_sub(a, b);

    if (memcmp(&difference, &zero, sizeof(zero)) == 0)
        return 0;
    return wide_negative(difference) ? -1 : 1;
}

/* Whether the first nbytes bytes hold the number. */
static bool wide_fits(struct wide w, int nbytes)
{
    uint8_t sign = w.bytes[nbytes - 1] >= 0x80 ? 0xff : 0;

    for (int i = nbytes; i < WIDE; i++)
        if (w.bytes[i] != sign)
            return false;
    return true;
}

/* ---- Comparison of the two ---- */

static const struct stoa_int256 untouched = {{1, 2, 3, 4}};

static void assert_result(bool fits, struct stoa_int256 out, struct wide expected)
{
    struct wide w = wide_of(out);

    assert_int_equal(fits, wide_fits(expected, 32));
    if (fits)
        assert_memory_equal(&w, &expected, sizeof(w));
    else
        assert_memory_equal(&out, &untouched, sizeof(out));
}

static void check_sums(struct stoa_int256 a, struct stoa_int256 b)
{
    struct wide x = wide_of(a), y = wide_of(b);
    struct stoa_int256 sum = untouched, difference = untouched, negative = untouched;
    bool fits;

    assert_int_equal(stoa_int256_cmp(a, b), wide_cmp(x, y));
    assert_int_equal(stoa_int256_cmp(a, a), 0);
    fits = stoa_int256_add(a, b, &sum);
    assert_result(fits, sum, wide_add(x, y));
    fits = stoa_int256_sub(a, b, &difference);
    assert_result(fits, difference, wide_sub(x, y));
    fits = stoa_int256_neg(a, &negative);
    assert_result(fits, negative, wide_neg(x));
}

/* That x = quotient * divisor + remainder, |remainder| < divisor, with the sign of x. */
static void check_quotient(struct wide x, struct wide divisor, struct wide quotient,
                           struct wide remainder)
{
    struct wide back = wide_add(wide_mul(quotient, divisor), remainder), zero = {{0}};

    assert_memory_equal(&back, &x, sizeof(x));
    if (wide_negative(x)) {
        assert_true(wide_cmp(remainder, zero) <= 0);
        remainder = wide_neg(remainder);
    }
    assert_true(wide_cmp(remainder, zero) >= 0);
    assert_true(wide_cmp(remainder, divisor) < 0);
}

static void check_products(struct stoa_int256 a, uint64_t factor, unsigned power)
{
    struct wide x = wide_of(a), ten = wide_pow10(power);
    struct stoa_int256 out = untouched, left;
    uint64_t rest;
    bool fits = stoa_int256_mul_u64(a, factor, &out);

    assert_result(fits, out, wide_mul(x, wide_u64(factor)));
    out = untouched;
    fits = stoa_int256_mul_pow10(a, power, &out);
    assert_result(fits, out, wide_mul(x, ten));
    if (factor > 0) {
        out = stoa_int256_div_u64(a, factor, &rest);
        check_quotient(x, wide_u64(factor), wide_of(out),
                       wide_negative(x) ? wide_neg(wide_u64(rest)) : wide_u64(rest));
    }
    out = stoa_int256_div_pow10(a, power, &left);
    check_quotient(x, ten, wide_of(out), wide_of(left));
    assert_int_equal(stoa_int256_fits_digits(a, power),
                     wide_cmp(x, ten) < 0 && wide_cmp(wide_neg(ten), x) < 0);
    assert_int_equal(stoa_int256_fits_i128(a), wide_fits(x, 16));
}

static struct stoa_int256 any(struct stoa_test_random *random)
{
    struct stoa_int256 x = stoa_int256_from_i64(0);
    uint64_t nwords = 1 + stoa_test_random_below(random, 4);

    for (uint64_t i = 0; i + 1 < nwords; i++)
        x.words[STOA_INT256_WORD(i)] = stoa_test_random_u64(random);
    x.words[STOA_INT256_WORD(nwords - 1)] = stoa_test_random_wide(random);
    if (stoa_test_random_one_in(random, 2))
        (void)stoa_int256_neg(x, &x);
    return x;
}

static void arithmetic_agrees_with_the_schoolbook(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "arithmetic_agrees_with_the_schoolbook");
    for (size_t i = 0; i < stoa_test_ncases(10000); i++) {
        struct stoa_int256 a = any(&random), b = any(&random);
        uint64_t factor = stoa_test_random_wide(&random);

        if (stoa_test_random_one_in(&random, 4))
            factor = UINT64_MAX - (factor >> 32); /* divisors that need no shift */
        check_sums(a, b);
        check_products(a, factor, (unsigned)stoa_test_random_below(&random, 77));
    }
}

/* Words that are all 0, all 1, the least or the greatest, in every combination. */
static void arithmetic_agrees_at_the_edges(void **state)
{
    (void)state;
    static const uint64_t words[] = {0, 1, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 1, UINT64_MAX};
    static const uint64_t factors[] = {0, 1, 2, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
    struct stoa_int256 previous = stoa_int256_from_i64(-1);

    for (unsigned i = 0; i < 5 * 5 * 5 * 5; i++) {
        struct stoa_int256 x;
        unsigned rest = i;

        for (int k = 0; k < 4; k++, rest /= 5)
            x.words[STOA_INT256_WORD(k)] = words[rest % 5];
        check_sums(x, previous);
        check_sums(previous, x);
        check_sums(x, x);
        check_products(x, factors[i % 6], i % 77);
        previous = x;
    }
}

static void powers_of_ten_are_where_digits_end(void **state)
{
    (void)state;
    const struct stoa_int256 one = stoa_int256_from_i64(1);

    for (unsigned power = 0; power <= STOA_INT256_DIGITS; power++) {
        struct stoa_int256 x;

        assert_true(stoa_int256_mul_pow10(one, power, &x));
        assert_false(stoa_int256_fits_digits(x, power));
        check_products(x, 10, power);
        assert_true(stoa_int256_neg(x, &x));
        assert_false(stoa_int256_fits_digits(x, power));
        assert_true(stoa_int256_add(x, one, &x));
        assert_true(stoa_int256_fits_digits(x, power));
        check_products(x, 10, power);
    }
}

static void overflow_is_refused(void **state)
{
    (void)state;
    const struct stoa_int256 one = stoa_int256_from_i64(1);
    struct stoa_int256 x = untouched;

    assert_false(stoa_int256_mul_pow10(one, 77, &x));
    assert_false(stoa_int256_mul_pow10(one, UINT32_MAX, &x));
    assert_memory_equal(&x, &untouched, sizeof(x));
    assert_true(stoa_int256_mul_pow10(stoa_int256_from_i64(0), UINT32_MAX, &x));
    assert_int_equal(stoa_int256_cmp(x, stoa_int256_from_u64(0)), 0);
}

static void narrow_numbers_become_wide_and_narrow_again(void **state)
{
    (void)state;
    static const struct stoa_int128 values[] = {
        {.hi = 0, .lo = 0},  {.hi = 0, .lo = UINT64_MAX},         {.hi = -1, .lo = UINT64_MAX},
        {.hi = -1, .lo = 0}, {.hi = INT64_MAX, .lo = UINT64_MAX}, {.hi = INT64_MIN, .lo = 0},
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct stoa_int256 x = stoa_int256_from_i128(values[i]);

        assert_int_equal(stoa_int256_is_negative(x), values[i].hi < 0);
        assert_true(stoa_int256_fits_i128(x));
        assert_int_equal(stoa_int128_cmp(stoa_int256_low(x), values[i]), 0);
    }
}

static void memory_holds_one_number_of_32_bytes(void **state)
{
    (void)state;
    struct stoa_int256 x = stoa_int256_from_i64(-2);
    uint8_t expected[32];

    assert_int_equal(sizeof(x), 32);
    memset(expected, 0xff, 32);
    expected[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 31] = 0xfe;
    assert_memory_equal(&x, expected, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_agrees_with_the_schoolbook),
        cmocka_unit_test(arithmetic_agrees_at_the_edges),
        cmocka_unit_test(powers_of_ten_are_where_digits_end),
        cmocka_unit_test(overflow_is_refused),
        cmocka_unit_test(narrow_numbers_become_wide_and_narrow_again),
        cmocka_unit_test(memory_holds_one_number_of_32_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
