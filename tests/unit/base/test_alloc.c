/* Memory: growth, checked products, and the fault injection that all other tests count on. */
#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "support/fault_alloc.h"
#include "support/random.h"

static void buffer_keeps_what_was_appended(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_buffer buffer = {0};
    struct stoa_error err = {0};
    static uint8_t expected[1 << 16];
    size_t nbytes = 0;

    stoa_test_random_init(&random, "buffer_keeps_what_was_appended");
    stoa_test_random_bytes(&random, expected, sizeof(expected));
    while (nbytes < sizeof(expected)) {
        size_t more = 1 + (size_t)stoa_test_random_below(&random, 300);

        if (more > sizeof(expected) - nbytes)
            more = sizeof(expected) - nbytes;
        assert_int_equal(stoa_buffer_append(&buffer, expected + nbytes, more, &err), STOA_OK);
        nbytes += more;
        assert_int_equal(buffer.nbytes, nbytes);
    }
    assert_memory_equal(buffer.data, expected, sizeof(expected));
    stoa_buffer_free(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.nbytes, 0);
}

static void product_past_size_max_is_refused(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    uint8_t *memory = NULL;

    assert_int_equal(stoa_alloc_zeroed(&memory, SIZE_MAX / 2, 3, &err), STOA_ERR_NOMEM);
    assert_null(memory);
    assert_int_equal(stoa_realloc(&memory, SIZE_MAX / 8 + 1, 8, &err), STOA_ERR_NOMEM);
    assert_null(memory);
}

static void reserve_leaves_the_array_alone_on_failure(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    uint32_t *array = NULL, *before;
    size_t capacity = 0, capacity_before;
    struct stoa_test_alloc_counts counts;

    stoa_test_alloc_begin(2, STOA_TEST_FAULT_ONCE);
    assert_int_equal(stoa_reserve(&array, &capacity, 10, sizeof(*array), &err), STOA_OK);
    before = array;
    capacity_before = capacity;
    for (uint32_t i = 0; i < 10; i++)
        array[i] = i;
    assert_int_equal(stoa_reserve(&array, &capacity, capacity + 1, sizeof(*array), &err),
                     STOA_ERR_NOMEM);
    assert_ptr_equal(array, before);
    assert_int_equal(capacity, capacity_before);
    assert_int_equal(array[9], 9);
    stoa_free(array);
    counts = stoa_test_alloc_end();
    assert_int_equal(counts.nallocs, 2);
    assert_int_equal(counts.nfailed, 1);
    assert_int_equal(counts.nlive, 0);
}

static enum stoa_status copies_and_grows(void *context, struct stoa_error *err)
{
    struct stoa_buffer buffer = {0};
    char *copy = NULL;
    uint64_t *numbers = NULL;
    enum stoa_status st;

    (void)context;
    STOA_TRY(stoa_strndup(&copy, "stoa poikile", 4, err));
    assert_string_equal(copy, "stoa");
    STOA_TRY(stoa_alloc_zeroed(&numbers, 100, sizeof(*numbers), err));
    assert_int_equal(numbers[99], 0);
    STOA_TRY(stoa_buffer_append(&buffer, copy, 5, err));
    STOA_TRY(stoa_buffer_append_zeros(&buffer, 100000, err));
out:
    stoa_buffer_free(&buffer);
    stoa_free(numbers);
    stoa_free(copy);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(copies_and_grows, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_keeps_what_was_appended),
        cmocka_unit_test(product_past_size_max_is_refused),
        cmocka_unit_test(reserve_leaves_the_array_alone_on_failure),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
