/*
 * What a conversion is charged for memory (convert/memory.h): nothing but arithmetic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/array.h>

#include "base/error.h"
#include "convert/memory.h"

enum { NROWS = 1000 };

static const uint64_t unit_nbytes = UINT64_C(8) << 20;

/* A column of numbers and one of text. */
static void set_up(struct stoa_memory *memory, struct stoa_schema *schema, uint64_t limit_nbytes)
{
    struct stoa_error err;

    *schema = (struct stoa_schema){0};
    assert_int_equal(
        stoa_schema_add(schema, "n", &(struct stoa_type){.id = STOA_INT64}, true, &err), STOA_OK);
    assert_int_equal(stoa_schema_add(schema, "t", &(struct stoa_type){.id = STOA_UTF8}, true, &err),
                     STOA_OK);
    stoa_memory_init(memory, limit_nbytes, 2, unit_nbytes, 1, schema, false);
}

/* The rows of a unit, with so many bytes of text; nothing looks at the bytes. */
static void learn(struct stoa_memory *memory, const struct stoa_schema *schema, int32_t text_nbytes)
{
    int32_t offsets[NROWS + 1] = {0};
    struct stoa_array columns[2] = {{.nvalues = NROWS}, {.nvalues = NROWS, .offsets = offsets}};
    const struct stoa_batch batch = {
        .schema = schema, .nrows = NROWS, .ncolumns = 2, .columns = columns};

    offsets[NROWS] = text_nbytes;
    stoa_memory_learn(memory, unit_nbytes, &batch);
}

static uint64_t of_unit(const struct stoa_memory *memory)
{
    struct stoa_error err;
    uint64_t nbytes;

    assert_int_equal(stoa_memory_of_unit(memory, unit_nbytes, NROWS, &nbytes, &err), STOA_OK);
    return nbytes;
}

static void units_are_charged_for_all_their_text_until_they_are_read(void **state)
{
    struct stoa_memory memory;
    struct stoa_schema schema;
    uint64_t at_first;

    (void)state;
    set_up(&memory, &schema, 0);
    at_first = of_unit(&memory);
    assert_true(at_first >= 3 * unit_nbytes); /* columns, distinct texts, pages */
    learn(&memory, &schema, 0);               /* a column may be empty in the first units only */
    assert_int_equal(of_unit(&memory), at_first);
    learn(&memory, &schema, (int32_t)(unit_nbytes / 4));
    assert_int_equal(of_unit(&memory), at_first);
    stoa_schema_reset(&schema);
}

static void columns_that_took_more_than_their_text_count(void **state)
{
    struct stoa_memory memory;
    struct stoa_schema schema;
    uint64_t all, twice;

    (void)state;
    set_up(&memory, &schema, 0);
    all = of_unit(&memory);
    learn(&memory, &schema, (int32_t)(2 * unit_nbytes));
    twice = of_unit(&memory);
    assert_true(twice >= all + 2 * unit_nbytes);
    learn(&memory, &schema, (int32_t)unit_nbytes);
    assert_int_equal(of_unit(&memory), twice);
    stoa_schema_reset(&schema);
}

static void what_was_learnt_makes_no_unit_fit_that_may_not(void **state)
{
    struct stoa_memory memory;
    struct stoa_schema schema;
    struct stoa_error err;
    uint64_t nbytes = 0;

    (void)state;
    set_up(&memory, &schema, UINT64_C(40) << 20);
    learn(&memory, &schema, (int32_t)(unit_nbytes / 64));
    assert_int_equal(stoa_memory_of_unit(&memory, unit_nbytes, NROWS, &nbytes, &err),
                     STOA_ERR_USAGE);
    assert_string_equal(err.message,
                        "40 MiB of memory are too few: one row group needs about 50 MiB "
                        "(smaller row groups need less)");
    stoa_schema_reset(&schema);
}

static void who_makes_no_row_groups_is_told_to_allow_more(void **state)
{
    static const struct {
        uint64_t unit_nbytes;
        bool to_text;
    } cases[] = {{0, false}, {UINT64_C(8) << 20, true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_memory memory;
        struct stoa_schema schema;
        struct stoa_error err;
        uint64_t nbytes = 0;

        set_up(&memory, &schema, 0);
        stoa_memory_init(&memory, UINT64_C(30) << 20, 2, cases[i].unit_nbytes, 1, &schema,
                         cases[i].to_text);
        assert_int_equal(stoa_memory_of_unit(&memory, unit_nbytes, NROWS, &nbytes, &err),
                         STOA_ERR_USAGE);
        assert_non_null(strstr(err.message, " MiB (--memory allows more)"));
        stoa_schema_reset(&schema);
    }
}

/* What joins to row groups. */
static enum stoa_status join(const struct stoa_memory *memory, uint64_t a_mib, uint64_t b_mib,
                             double times, uint64_t *out, struct stoa_error *err)
{
    return stoa_memory_of_joined(memory, a_mib << 20, b_mib << 20, times, out, err);
}

static void what_joins_is_held_against_the_default_too(void **state)
{
    struct stoa_memory memory;
    struct stoa_schema schema;
    struct stoa_error err;
    uint64_t nbytes = 0;

    (void)state;
    set_up(&memory, &schema, 0);
    assert_int_equal(join(&memory, 200, 33, 4, &nbytes, &err), STOA_OK);
    assert_int_equal(nbytes, UINT64_C(232) << 20);
    assert_int_equal(join(&memory, 200, 34, 1, &nbytes, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message,
                        "256 MiB of memory are too few: one row group needs about 258 MiB "
                        "(smaller row groups need less)");
    stoa_memory_init(&memory, 0, 2, 0, 0, &schema, false); /* row groups that are stored */
    assert_int_equal(join(&memory, 200, 101, 4, &nbytes, &err), STOA_OK);
    assert_int_equal(nbytes, UINT64_C(300) << 20);
    stoa_schema_reset(&schema);
}

static void what_joins_and_does_not_fit_names_what_a_full_row_group_needs(void **state)
{
    static const struct {
        double times;
        const char *needs;
    } cases[] = {{1, "about 66 MiB"}, {2.5, "about 126 MiB"}, {1e300, "about 4398046511130 MiB"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_memory memory;
        struct stoa_schema schema;
        struct stoa_error err;
        uint64_t nbytes = 0;

        set_up(&memory, &schema, UINT64_C(64) << 20);
        assert_int_equal(join(&memory, 31, 11, cases[i].times, &nbytes, &err), STOA_ERR_USAGE);
        assert_non_null(strstr(err.message, cases[i].needs));
        stoa_schema_reset(&schema);
    }
}

static void what_filters_take_beside_rows_counts_once_when_batches_join(void **state)
{
    int32_t offsets[2 * NROWS + 1] = {0};
    struct stoa_array columns[2] = {{.nvalues = NROWS}, {.nvalues = NROWS, .offsets = offsets}};
    struct stoa_batch batch = {.nrows = NROWS, .ncolumns = 2, .columns = columns};
    struct stoa_memory memory;
    struct stoa_schema schema;
    struct stoa_error err;
    uint64_t nbytes = 0, one;

    (void)state;
    set_up(&memory, &schema, 0);
    stoa_memory_add_blooms(&memory, 20, 1, 2);
    batch.schema = &schema;
    one = stoa_memory_of_batch(&memory, &batch);
    assert_int_equal(stoa_memory_of_joined(&memory, one, one, 1, &nbytes, &err), STOA_OK);
    batch.nrows = columns[0].nvalues = columns[1].nvalues = 2 * NROWS;
    assert_int_equal(nbytes, stoa_memory_of_batch(&memory, &batch));
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_charged_for_all_their_text_until_they_are_read),
        cmocka_unit_test(columns_that_took_more_than_their_text_count),
        cmocka_unit_test(what_was_learnt_makes_no_unit_fit_that_may_not),
        cmocka_unit_test(who_makes_no_row_groups_is_told_to_allow_more),
        cmocka_unit_test(what_joins_is_held_against_the_default_too),
        cmocka_unit_test(what_joins_and_does_not_fit_names_what_a_full_row_group_needs),
        cmocka_unit_test(what_filters_take_beside_rows_counts_once_when_batches_join),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
