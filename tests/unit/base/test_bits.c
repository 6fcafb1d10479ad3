/* Bits, checked products, and bitmaps beside one bit at a time. */
#include "base/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "support/random.h"

static void bit_width_is_the_position_of_the_highest_bit(void **state)
{
    (void)state;

    assert_int_equal(stoa_bit_width(0), 0);
    for (unsigned i = 0; i < 64; i++) {
        uint64_t power = UINT64_C(1) << i;

        assert_int_equal(stoa_bit_width(power), i + 1);
        assert_int_equal(stoa_bit_width(power | (power - 1)), i + 1);
        assert_int_equal(stoa_bit_width(power | 1), i + 1);
    }
}

static void overflow_is_noticed(void **state)
{
    (void)state;
    uint64_t x;
    size_t size;

    assert_true(stoa_mul_u64(UINT32_MAX, UINT64_C(1) << 32, &x));
    assert_int_equal(x, UINT64_C(0xffffffff00000000));
    assert_false(stoa_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &x));
    assert_true(stoa_mul_u64(UINT64_MAX, 0, &x));
    assert_true(stoa_add_u64(UINT64_MAX - 1, 1, &x));
    assert_int_equal(x, UINT64_MAX);
    assert_false(stoa_add_u64(UINT64_MAX, 1, &x));
    assert_true(stoa_mul_size(SIZE_MAX / 3, 3, &size));
    assert_false(stoa_mul_size(SIZE_MAX / 3 + 1, 3, &size));
}

static void rounding_up_reaches_the_next_multiple(void **state)
{
    (void)state;

    for (uint64_t unit = 1; unit <= 4096; unit *= 2) {
        for (uint64_t x = 0; x < 3 * unit; x++) {
            uint64_t up = stoa_round_up(x, unit);

            assert_true(up % unit == 0 && up >= x && up - x < unit);
        }
    }
}

static void bitmap_nbytes_holds_every_bit(void **state)
{
    (void)state;

    for (size_t n = 0; n < 1000; n++)
        assert_int_equal(stoa_bitmap_nbytes(n), (n + 7) / 8);
    assert_int_equal(stoa_bitmap_nbytes(SIZE_MAX), SIZE_MAX / 8 + 1);
}

enum { NBITS = 300 };

struct pattern {
    uint8_t bitmap[(NBITS + 7) / 8];
    bool bits[NBITS];
};

static void fill_pattern(struct pattern *p, struct stoa_test_random *random)
{
    stoa_test_random_bytes(random, p->bitmap, sizeof(p->bitmap));
    if (stoa_test_random_one_in(random, 4))
        memset(p->bitmap, stoa_test_random_one_in(random, 2) ? 0xff : 0, sizeof(p->bitmap));
    for (size_t i = 0; i < NBITS; i++)
        p->bits[i] = (p->bitmap[i / 8] & 1u << i % 8) != 0;
}

static void assert_pattern(const struct pattern *p)
{
    for (size_t i = 0; i < NBITS; i++)
        assert_int_equal(stoa_bitmap_get(p->bitmap, i), p->bits[i]);
}

static void one_bit_is_set_and_cleared(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct pattern p;

    stoa_test_random_init(&random, "one_bit_is_set_and_cleared");
    fill_pattern(&p, &random);
    for (size_t i = 0; i < 10000; i++) {
        size_t k = (size_t)stoa_test_random_below(&random, NBITS);

        p.bits[k] = stoa_test_random_one_in(&random, 2);
        if (p.bits[k])
            stoa_bitmap_set(p.bitmap, k);
        else
            stoa_bitmap_clear(p.bitmap, k);
        if (i % 16 == 0)
            assert_pattern(&p);
    }
    assert_pattern(&p);
}

/* All pairs of ends, so that every alignment of both meets a range of every length. */
static void ranges_are_counted_and_filled(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct pattern p;

    stoa_test_random_init(&random, "ranges_are_counted_and_filled");
    for (size_t begin = 0; begin <= NBITS; begin++) {
        for (size_t end = begin; end <= NBITS; end += 1 + (end > begin + 140) * 13) {
            size_t count = 0;
            bool value = stoa_test_random_one_in(&random, 2);

            fill_pattern(&p, &random);
            for (size_t i = begin; i < end; i++)
                count += p.bits[i];
            assert_int_equal(stoa_bitmap_count(p.bitmap, begin, end), count);
            stoa_bitmap_fill(p.bitmap, begin, end, value);
            for (size_t i = begin; i < end; i++)
                p.bits[i] = value;
            assert_pattern(&p);
        }
    }
}

static void ranges_are_copied_between_any_positions(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "ranges_are_copied_between_any_positions");
    for (size_t i = 0; i < stoa_test_ncases(100000); i++) {
        struct pattern from, to;
        size_t begin = (size_t)stoa_test_random_below(&random, NBITS + 1);
        size_t at = (size_t)stoa_test_random_below(&random, NBITS + 1);
        size_t room = NBITS - (begin > at ? begin : at);
        size_t nbits = (size_t)stoa_test_random_below(&random, room + 1);

        fill_pattern(&from, &random);
        fill_pattern(&to, &random);
        stoa_bitmap_copy(to.bitmap, at, from.bitmap, begin, nbits);
        for (size_t k = 0; k < nbits; k++)
            to.bits[at + k] = from.bits[begin + k];
        assert_pattern(&to);
        assert_pattern(&from);
    }
}

/* Run under the address sanitizer: the bitmaps end where their last bit ends. */
static void nothing_is_touched_behind_the_last_byte(void **state)
{
    (void)state;

    for (size_t nbits = 0; nbits <= 80; nbits++) {
        size_t nbytes = stoa_bitmap_nbytes(nbits);
        uint8_t *bitmap = test_malloc(nbytes > 0 ? nbytes : 1);
        uint8_t *copy = test_malloc(nbytes > 0 ? nbytes : 1);

        stoa_bitmap_fill(bitmap, 0, nbits, true);
        assert_int_equal(stoa_bitmap_count(bitmap, 0, nbits), nbits);
        stoa_bitmap_copy(copy, 0, bitmap, 0, nbits);
        for (size_t skip = 0; skip <= nbits; skip++)
            stoa_bitmap_copy(copy, 0, bitmap, skip, nbits - skip);
        assert_int_equal(stoa_bitmap_count(copy, 0, nbits), nbits);
        test_free(bitmap); /* cmocka checks the guards around the block */
        test_free(copy);
    }
}

/* A form of stoa_bitmap_places(), on bits that end where their memory does. */
static void check_form(size_t (*places)(const uint8_t *, size_t, uint32_t, uint32_t *),
                       const uint8_t *bits, size_t nbits, uint32_t first)
{
    const size_t nbytes = stoa_bitmap_nbytes(nbits);
    uint8_t *bitmap = test_malloc(nbytes + 1);
    uint32_t *out = test_malloc(nbits > 0 ? nbits * sizeof(*out) : 1);
    size_t count, k = 0;

    memcpy(bitmap + 1, bits, nbytes); /* at an odd address */
    count = places(bitmap + 1, nbits, first, out);
    for (size_t i = 0; i < nbits; i++) {
        if (stoa_bitmap_get(bits, i))
            assert_int_equal(out[k++], (uint32_t)(first + i));
    }
    assert_int_equal(count, k);
    test_free(out); /* cmocka checks the guards around the block */
    test_free(bitmap);
}

/* Each of them, which must agree with the bits and so with each other. */
static void check_places(const uint8_t *bits, size_t nbits, uint32_t first)
{
    check_form(stoa_bitmap_places, bits, nbits, first);
    check_form(stoa_bitmap_places_scalar, bits, nbits, first);
#if defined(__x86_64__)
    if (stoa_cpu_has_avx2())
        check_form(stoa_bitmap_places_avx2, bits, nbits, first);
#endif
}

/* Bits that are set with a chance that changes on the way; anything behind the last. */
static void random_bits(struct stoa_test_random *random, uint8_t *bits, size_t nbits, size_t nbytes)
{
    static const uint8_t chances[] = {0, 1, 5, 12, 13, 20, 50, 90, 100}; /* of a hundred */
    uint8_t chance = 0;

    stoa_test_random_bytes(random, bits, nbytes);
    for (size_t i = 0; i < nbits; i++) {
        if (i % 100 == 0)
            chance = chances[stoa_test_random_below(random, sizeof(chances))];
        stoa_bitmap_clear(bits, i);
        if (stoa_test_random_below(random, 100) < chance)
            stoa_bitmap_set(bits, i);
    }
}

static void places_are_those_of_the_set_bits_at_every_length(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "places_are_those_of_the_set_bits_at_every_length");
    for (size_t turn = stoa_test_ncases(40); turn > 0; turn--) {
        uint8_t bits[1024];

        for (size_t nbits = 0; nbits <= 200; nbits++) {
            random_bits(&random, bits, nbits, 32);
            check_places(bits, nbits, (uint32_t)stoa_test_random_wide(&random)); /* may wrap */
        }
        random_bits(&random, bits, sizeof(bits) * 8, sizeof(bits));
        check_places(bits, sizeof(bits) * 8 - turn % 70, 0);
    }
}

/* Every byte at each place of a word, alone and among set bits. */
static void places_of_every_byte(void **state)
{
    (void)state;

    for (unsigned k = 0; k < 16; k++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t bits[8];

            memset(bits, k < 8 ? 0 : 0xff, sizeof(bits));
            bits[k % 8] = (uint8_t)byte;
            check_places(bits, 64, 1000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bit_width_is_the_position_of_the_highest_bit),
        cmocka_unit_test(overflow_is_noticed),
        cmocka_unit_test(rounding_up_reaches_the_next_multiple),
        cmocka_unit_test(bitmap_nbytes_holds_every_bit),
        cmocka_unit_test(one_bit_is_set_and_cleared),
        cmocka_unit_test(ranges_are_counted_and_filled),
        cmocka_unit_test(ranges_are_copied_between_any_positions),
        cmocka_unit_test(nothing_is_touched_behind_the_last_byte),
        cmocka_unit_test(places_are_those_of_the_set_bits_at_every_length),
        cmocka_unit_test(places_of_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
