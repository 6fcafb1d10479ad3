/* Arrays as chunks store them: null slots, bits, decimals, distinct values. */
#include "file/chunk_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/int256.h"
#include "column/array.h"
#include "file/phys.h"
#include "file/widen.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"
#include "support/random.h"

static void check_values(const struct stoa_field *field, const struct stoa_array *array,
                         struct stoa_chunk_values *out)
{
    struct stoa_error err = {0};

    stoa_test_check(stoa_chunk_values_init(out, &field->type, array, &err), &err);
}

/* The value that slot i must have: its own, or that of the slot from which a null one repeats. */
static size_t slot_that_counts(const struct stoa_array *array, size_t i)
{
    size_t k = i;

    if (array->validity == NULL)
        return i;
    while (k > 0 && !stoa_bitmap_get(array->validity, k))
        k--;
    while (!stoa_bitmap_get(array->validity, k))
        k++;
    return k;
}

/* Physical value i as the array's type has it in memory, or as a decimal's low half. */
static void assert_value(const struct stoa_field *field, const struct stoa_array *array,
                         const struct stoa_chunk_values *values, size_t i)
{
    const uint8_t *got = values->physical.vector.values + i * values->width;
    size_t slot = slot_that_counts(array, i);
    size_t width = stoa_type_width(&field->type);
    uint8_t wide[32];

    if (field->type.id == STOA_BOOL) {
        assert_int_equal(*got, stoa_bitmap_get(array->values, slot));
    } else if (field->type.id == STOA_DECIMAL && values->width < width) {
        stoa_widen(wide, stoa_type_memory_phys(&field->type), got, values->phys, 1);
        assert_memory_equal(wide, array->values + slot * width, width);
    } else if (field->type.id == STOA_INTERVAL) {
        stoa_interval_le(wide, got, 1);
        assert_memory_equal(wide, array->values + slot * width, width);
    } else {
        assert_memory_equal(got, array->values + slot * values->width, values->width);
    }
}

static void gen_wide_decimal(struct stoa_test_random *r, struct stoa_field *out)
{
    *out = (struct stoa_field){.nullable = true, .type = {.id = STOA_DECIMAL}};
    out->type.precision = (uint8_t)(39 + stoa_test_random_below(r, 38));
}

static void null_slots_repeat_the_value_before(void **state)
{
    (void)state;
    struct stoa_test_random random;
    size_t ncases = stoa_test_ncases(600);

    stoa_test_random_init(&random, "null_slots_repeat_the_value_before");
    for (size_t n = 0; n < ncases; n++) {
        struct stoa_field field;
        struct stoa_array array = {0};
        struct stoa_chunk_values values;
        size_t nvalues = 1 + (size_t)stoa_test_random_below(&random, 300);

        if (n % 4 == 0)
            gen_wide_decimal(&random, &field);
        else
            stoa_test_gen_field(&random, stoa_test_leaves[n % STOA_TEST_NLEAVES], true, "c",
                                &field);
        stoa_test_gen_array(
            &random, &field, nvalues,
            (enum stoa_test_shape)stoa_test_random_below(&random, STOA_TEST_NSHAPES),
            (enum stoa_test_nulls)(n % STOA_TEST_NNULLS), &array);
        check_values(&field, &array, &values);
        assert_int_equal(values.all_null, array.nnulls == nvalues);
        if (!values.all_null && values.phys == STOA_PHYS_BYTES) {
            assert_ptr_equal(values.physical.vector.values, array.values);
            assert_ptr_equal(values.physical.vector.offsets, array.offsets);
        } else if (!values.all_null) {
            for (size_t i = 0; i < nvalues; i++)
                assert_value(&field, &array, &values, i);
        }
        if (!values.all_null && array.nnulls == 0 && field.type.id != STOA_BOOL &&
            field.type.id != STOA_DECIMAL &&
            (field.type.id != STOA_INTERVAL ||
             STOA_LITTLE_ENDIAN)) /* nothing changes: nothing is copied */
            assert_ptr_equal(values.physical.vector.values, array.values);
        stoa_chunk_values_reset(&values);
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

static void decimals_are_stored_as_narrow_as_all_fit(void **state)
{
    (void)state;
    static const struct {
        int64_t hi;
        uint64_t lo;
        uint8_t precision;
        enum stoa_phys phys; /* NONE: refused */
        int power;           /* the value is hi, lo * 10^power */
    } cases[] = {
        {0, 0, 38, STOA_PHYS_I64, 0},
        {0, INT64_MAX, 38, STOA_PHYS_I64, 0},
        {-1, (uint64_t)INT64_MIN, 38, STOA_PHYS_I64, 0},
        {0, (uint64_t)INT64_MAX + 1, 38, STOA_PHYS_I128, 0},
        {-1, (uint64_t)INT64_MIN - 1, 38, STOA_PHYS_I128, 0},
        {1, 0, 19, STOA_PHYS_I128, 0},
        {0, 999, 18, STOA_PHYS_I64, 0},
        {1, 0, 18, STOA_PHYS_NONE, 0},
        {-1, (uint64_t)INT64_MIN, 76, STOA_PHYS_I64, 0},
        {0, (uint64_t)INT64_MAX + 1, 39, STOA_PHYS_I128, 0},
        {-1, (uint64_t)INT64_MIN - 1, 39, STOA_PHYS_I128, 0},
        {INT64_MAX, UINT64_MAX, 76, STOA_PHYS_I128, 0},
        {INT64_MIN, 0, 76, STOA_PHYS_I128, 0},
        {INT64_MIN, 0, 76, STOA_PHYS_I256, 1},
        {0, 1, 76, STOA_PHYS_I256, 39},
        {-1, UINT64_MAX, 76, STOA_PHYS_I256, 75},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_type type = {.id = STOA_DECIMAL, .precision = cases[i].precision};
        struct stoa_int128 decimal = {.lo = cases[i].lo, .hi = cases[i].hi};
        struct stoa_int256 wide = stoa_int256_from_i128(decimal);
        size_t width = stoa_type_width(&type);
        struct stoa_array array = {0};
        struct stoa_chunk_values values;
        struct stoa_error err = {0};
        enum stoa_status st;

        stoa_test_check(stoa_array_alloc(&type, 2, 0, false, &array, &err), &err);
        memset(array.values, 0, 2 * width);
        assert_true(stoa_int256_mul_pow10(wide, (unsigned)cases[i].power, &wide));
        memcpy(array.values + width, width == 16 ? (void *)&decimal : (void *)&wide, width);
        st = stoa_chunk_values_init(&values, &type, &array, &err);
        if (cases[i].phys == STOA_PHYS_NONE) {
            assert_int_equal(st, STOA_ERR_DATA);
            assert_string_equal(err.message, "a decimal has more digits than its type");
        } else {
            stoa_test_check(st, &err);
            assert_int_equal(values.phys, cases[i].phys);
            assert_int_equal(values.width, stoa_phys_width(cases[i].phys));
            stoa_chunk_values_reset(&values);
        }
        stoa_array_reset(&array);
    }
}

static const char *texts_with_nulls[] = {NULL, NULL, "b", "a", NULL, "b", "", NULL};

static const char *text_with_nulls(size_t i, char room[64])
{
    (void)room;
    return texts_with_nulls[i];
}

static void codes_of_null_slots_repeat_the_one_before(void **state)
{
    (void)state;
    static const uint32_t expected[] = {0, 0, 0, 1, 1, 0, 2, 2};
    struct stoa_field field = {.type.id = STOA_UTF8};
    struct stoa_array array = {0};
    struct stoa_chunk_values values;
    struct stoa_chunk_distinct distinct;
    struct stoa_error err = {0};

    stoa_test_make_texts(&array, 8, text_with_nulls);
    check_values(&field, &array, &values);
    stoa_test_check(stoa_chunk_distinct_init(&distinct, &values, 3, 2, &err), &err);
    assert_int_equal(stoa_distinct_count(distinct.set), 3);
    assert_memory_equal(distinct.codes, expected, sizeof(expected));
    stoa_chunk_distinct_reset(&distinct);

    /* More than the bounds allow: none are collected. */
    stoa_test_check(stoa_chunk_distinct_init(&distinct, &values, 2, 100, &err), &err);
    assert_null(distinct.set);
    assert_null(distinct.codes);
    stoa_test_check(stoa_chunk_distinct_init(&distinct, &values, 3, 1, &err), &err);
    assert_null(distinct.set);
    stoa_chunk_values_reset(&values);
    stoa_array_reset(&array);
}

static void a_null_that_has_text_is_refused(void **state)
{
    (void)state;
    struct stoa_field field = {.type.id = STOA_UTF8};
    struct stoa_array array = {0};
    struct stoa_chunk_values values;
    struct stoa_chunk_distinct distinct = {0};
    struct stoa_error err = {0};

    stoa_test_make_texts(&array, 8, text_with_nulls);
    stoa_bitmap_clear(array.validity, 3); /* "a" */
    array.nnulls++;
    check_values(&field, &array, &values);
    assert_int_equal(stoa_chunk_distinct_init(&distinct, &values, 100, 100, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "a null that has text");
    stoa_chunk_values_reset(&values);
    stoa_array_reset(&array);
}

static void values_are_taken_by_index(void **state)
{
    (void)state;
    static const uint32_t indices[] = {3, 0, 3, 6};
    struct stoa_field field = {.type.id = STOA_UTF8};
    struct stoa_array array = {0};
    struct stoa_chunk_values values;
    struct stoa_values taken = {0};
    struct stoa_error err = {0};

    texts_with_nulls[0] = "zero";
    stoa_test_make_texts(&array, 8, text_with_nulls);
    texts_with_nulls[0] = NULL;
    check_values(&field, &array, &values);
    stoa_test_check(stoa_values_take(&taken, &values.physical.vector, indices, 4, &err), &err);
    assert_int_equal(taken.vector.nvalues, 4);
    assert_int_equal(stoa_vector_nbytes(&taken.vector), 6);
    assert_memory_equal(taken.values, "azeroa", 6);
    assert_int_equal(taken.offsets[2], 5);
    assert_int_equal(taken.offsets[4], 6);
    stoa_values_reset(&taken);
    stoa_chunk_values_reset(&values);
    stoa_array_reset(&array);
}

static enum stoa_status fills_and_collects(void *context, struct stoa_error *err)
{
    const struct stoa_array *array = context;
    static const struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_chunk_values values = {0};
    struct stoa_chunk_distinct distinct = {0};
    struct stoa_values taken = {0};
    uint32_t index = 2;
    enum stoa_status st;

    STOA_TRY(stoa_chunk_values_init(&values, &type, array, err));
    STOA_TRY(stoa_chunk_distinct_init(&distinct, &values, 100, 100, err));
    STOA_TRY(stoa_values_take(&taken, &values.physical.vector, &index, 1, err));
out:
    stoa_values_reset(&taken);
    stoa_chunk_distinct_reset(&distinct);
    stoa_chunk_values_reset(&values);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_array array = {0};

    stoa_test_make_texts(&array, 8, text_with_nulls);
    stoa_test_each_failing_alloc(fills_and_collects, &array);
    stoa_array_reset(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_slots_repeat_the_value_before),
        cmocka_unit_test(decimals_are_stored_as_narrow_as_all_fit),
        cmocka_unit_test(codes_of_null_slots_repeat_the_one_before),
        cmocka_unit_test(a_null_that_has_text_is_refused),
        cmocka_unit_test(values_are_taken_by_index),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
