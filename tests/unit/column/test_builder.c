/* Builders: values of every layout, growth, nulls, slack, use after finishing, limits. */
#include "column/builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/array.h"
#include "support/fault_alloc.h"
#include "support/random.h"

static const struct stoa_field int32_field = {
    .name = (char[]){"x"}, .type = {.id = STOA_INT32}, .nullable = true};
static const struct stoa_field utf8_field = {
    .name = (char[]){"x"}, .type = {.id = STOA_UTF8}, .nullable = true};
static const struct stoa_field bool_field = {
    .name = (char[]){"x"}, .type = {.id = STOA_BOOL}, .nullable = true};

static void numbers_of_each_width_are_appended_as_bits(void **state)
{
    (void)state;
    static const struct {
        enum stoa_type_id id;
        size_t width;
    } types[] = {{STOA_INT8, 1}, {STOA_UINT16, 2}, {STOA_FLOAT32, 4}, {STOA_TIMESTAMP, 8}};

    for (size_t t = 0; t < 4; t++) {
        const struct stoa_type type = {.id = types[t].id};
        struct stoa_builder builder;
        struct stoa_error err = {0};
        struct stoa_array array;

        assert_int_equal(stoa_builder_init(&builder, &type, 3, &err), STOA_OK);
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);

            assert_int_equal(stoa_builder_reserve(&builder, 1, 0, &err), STOA_OK);
            if (types[t].width == 1)
                stoa_builder_append_8(&builder, (uint8_t)x);
            else if (types[t].width == 2)
                stoa_builder_append_16(&builder, (uint16_t)x);
            else if (types[t].width == 4)
                stoa_builder_append_32(&builder, (uint32_t)x);
            else
                stoa_builder_append_64(&builder, x);
        }
        stoa_builder_finish(&builder, &array);
        assert_int_equal(array.nvalues, 1000);
        assert_null(array.validity);
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);
            uint8_t x8 = (uint8_t)x;
            uint16_t x16 = (uint16_t)x;
            uint32_t x32 = (uint32_t)x;
            const void *expected[] = {&x8, &x16, &x32, &x};

            assert_memory_equal(array.values + i * types[t].width, expected[t], types[t].width);
        }
        stoa_array_reset(&array);
        stoa_builder_reset(&builder);
    }
}

static void bools_and_nulls_are_bitmaps_with_clear_ends(void **state)
{
    (void)state;
    for (size_t n = 0; n < 200; n++) {
        struct stoa_builder builder;
        struct stoa_error err = {0};
        struct stoa_array array;

        assert_int_equal(stoa_builder_init(&builder, &bool_field.type, 0, &err), STOA_OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(stoa_builder_reserve(&builder, 1, 0, &err), STOA_OK);
            if (i % 5 == 3)
                stoa_builder_append_null(&builder);
            else
                stoa_builder_append_bool(&builder, i % 3 == 0);
        }
        stoa_builder_finish(&builder, &array);
        assert_int_equal(stoa_array_validate(&bool_field, &array, &err), STOA_OK);
        assert_int_equal(array.nvalues, n);
        assert_int_equal(array.nnulls, (n + 1) / 5);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(stoa_array_is_null(&array, i), i % 5 == 3);
            assert_int_equal(stoa_bitmap_get(array.values, i), i % 5 != 3 && i % 3 == 0);
        }
        stoa_array_reset(&array);
        stoa_builder_reset(&builder);
    }
}

static void text_is_appended_behind_what_is_there(void **state)
{
    (void)state;
    static const char *const words[] = {"", "a", "stoa", NULL, "columns under one roof"};
    struct stoa_builder builder;
    struct stoa_error err = {0};
    struct stoa_array array;

    assert_int_equal(stoa_builder_init(&builder, &utf8_field.type, 0, &err), STOA_OK);
    for (size_t i = 0; i < 5000; i++) {
        const char *word = words[i % 5];

        assert_int_equal(stoa_builder_reserve(&builder, 1, word ? strlen(word) : 0, &err), STOA_OK);
        if (word != NULL)
            stoa_builder_append_bytes(&builder, word, strlen(word));
        else
            stoa_builder_append_null(&builder);
    }
    stoa_builder_finish(&builder, &array);
    assert_int_equal(stoa_array_validate(&utf8_field, &array, &err), STOA_OK);
    assert_int_equal(array.nnulls, 1000);
    for (size_t i = 0; i < 5000; i++) {
        const char *word = words[i % 5] != NULL ? words[i % 5] : "";

        assert_int_equal(array.offsets[i + 1] - array.offsets[i], strlen(word));
        assert_memory_equal(array.values + array.offsets[i], word, strlen(word));
    }
    stoa_array_reset(&array);
    stoa_builder_reset(&builder);
}

static void one_reservation_serves_many_values(void **state)
{
    (void)state;
    struct stoa_builder builder;
    struct stoa_error err = {0};
    const uint8_t *values;

    assert_int_equal(stoa_builder_init(&builder, &int32_field.type, 100, &err), STOA_OK);
    assert_int_equal(stoa_builder_reserve(&builder, 10000, 0, &err), STOA_OK);
    values = builder.array.values;
    for (uint32_t i = 0; i < 10000; i++)
        stoa_builder_append_32(&builder, i);
    assert_ptr_equal(builder.array.values, values);
    stoa_builder_reset(&builder);
}

static void a_finished_builder_is_empty_and_goes_on(void **state)
{
    (void)state;
    struct stoa_builder builder;
    struct stoa_error err = {0};
    struct stoa_array array;

    assert_int_equal(stoa_builder_init(&builder, &utf8_field.type, 0, &err), STOA_OK);
    for (int round = 0; round < 3; round++) {
        stoa_builder_finish(&builder, &array); /* of nothing */
        assert_int_equal(array.nvalues, 0);
        assert_int_equal(stoa_array_validate(&utf8_field, &array, &err), STOA_OK);
        stoa_array_reset(&array);
        assert_int_equal(stoa_builder_reserve(&builder, 2, 3, &err), STOA_OK);
        stoa_builder_append_bytes(&builder, "abc", 3);
        stoa_builder_append_null(&builder);
        stoa_builder_finish(&builder, &array);
        assert_int_equal(array.nvalues, 2);
        assert_int_equal(array.nnulls, 1);
        assert_int_equal(array.offsets[2], 3);
        stoa_array_reset(&array);
    }
    stoa_builder_reset(&builder);
}

static void all_nulls_need_no_bytes(void **state)
{
    (void)state;
    const struct stoa_field null_field = {
        .name = (char[]){"x"}, .type = {.id = STOA_NULL}, .nullable = true};
    const struct stoa_field *const fields[] = {&null_field, &utf8_field, &int32_field, &bool_field};

    for (size_t f = 0; f < 4; f++) {
        struct stoa_builder builder;
        struct stoa_error err = {0};
        struct stoa_array array;

        assert_int_equal(stoa_builder_init(&builder, &fields[f]->type, 5, &err), STOA_OK);
        for (size_t i = 0; i < 1000; i++) {
            assert_int_equal(stoa_builder_reserve(&builder, 1, 0, &err), STOA_OK);
            stoa_builder_append_null(&builder);
        }
        stoa_builder_finish(&builder, &array);
        assert_int_equal(array.nnulls, 1000);
        assert_int_equal(stoa_array_validate(fields[f], &array, &err), STOA_OK);
        stoa_array_reset(&array);
        stoa_builder_reset(&builder);
    }
}

static void more_than_2_gib_of_text_is_a_limit(void **state)
{
    (void)state;
    struct stoa_builder builder;
    struct stoa_error err = {0};

    assert_int_equal(stoa_builder_init(&builder, &utf8_field.type, 0, &err), STOA_OK);
    assert_int_equal(stoa_builder_reserve(&builder, 1, 5, &err), STOA_OK);
    stoa_builder_append_bytes(&builder, "12345", 5);
    assert_int_equal(stoa_builder_reserve(&builder, 1, (size_t)INT32_MAX - 4, &err),
                     STOA_ERR_LIMIT);
    assert_string_equal(err.message,
                        "2147483648 bytes of text or values of lists are more than one array of a "
                        "column holds (2147483647): use fewer rows at a time");
    assert_int_equal(stoa_builder_reserve(&builder, 1, SIZE_MAX, &err), STOA_ERR_LIMIT);
    assert_int_equal(stoa_builder_reserve(&builder, SIZE_MAX, 0, &err), STOA_ERR_NOMEM);
    assert_int_equal(builder.array.nvalues, 1);
    assert_memory_equal(builder.array.values, "12345", 5);
    stoa_builder_reset(&builder);
}

static enum stoa_status builds(void *context, struct stoa_error *err)
{
    const struct stoa_field *field = context;
    struct stoa_builder builder = {0};
    struct stoa_array array;
    enum stoa_status st;

    STOA_TRY(stoa_builder_init(&builder, &field->type, 0, err));
    for (size_t i = 0; i < 300; i++) {
        STOA_TRY(stoa_builder_reserve(&builder, 1, 10, err));
        if (i % 7 == 0)
            stoa_builder_append_null(&builder);
        else if (builder.layout == STOA_LAYOUT_BYTES)
            stoa_builder_append_bytes(&builder, "0123456789", 10);
        else if (builder.layout == STOA_LAYOUT_BITS)
            stoa_builder_append_bool(&builder, true);
        else
            stoa_builder_append_32(&builder, (uint32_t)i);
    }
    stoa_builder_finish(&builder, &array);
    assert_int_equal(array.nvalues, 300);
    stoa_array_reset(&array);
out:
    stoa_builder_reset(&builder);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(builds, (void *)&int32_field);
    stoa_test_each_failing_alloc(builds, (void *)&utf8_field);
    stoa_test_each_failing_alloc(builds, (void *)&bool_field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_each_width_are_appended_as_bits),
        cmocka_unit_test(bools_and_nulls_are_bitmaps_with_clear_ends),
        cmocka_unit_test(text_is_appended_behind_what_is_there),
        cmocka_unit_test(one_reservation_serves_many_values),
        cmocka_unit_test(a_finished_builder_is_empty_and_goes_on),
        cmocka_unit_test(all_nulls_need_no_bytes),
        cmocka_unit_test(more_than_2_gib_of_text_is_a_limit),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
