/* The generator of tables: what others test with must be valid, varied and repeatable itself. */
#include "support/gen_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "column/schema.h"
#include "column/type.h"

static void tables_are_valid(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "tables_are_valid");
    for (size_t i = 0; i < stoa_test_ncases(300); i++) {
        struct stoa_schema schema;
        struct stoa_batch batch;
        size_t nrows = (size_t)stoa_test_random_below(&random, 3000);

        stoa_test_gen_schema(&random, (uint32_t)stoa_test_random_below(&random, 8), &schema);
        stoa_test_gen_batch(&random, &schema, nrows, &batch);
        assert_int_equal(stoa_schema_check(&schema, &err), STOA_OK);
        assert_int_equal(stoa_batch_validate(&batch, &err), STOA_OK);
        assert_int_equal(batch.nrows, nrows);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void nested_tables_are_valid(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "nested_tables_are_valid");
    for (size_t i = 0; i < stoa_test_ncases(300); i++) {
        struct stoa_schema schema;
        struct stoa_schema_node *nodes;
        struct stoa_batch batch;
        size_t nrows = (size_t)stoa_test_random_below(&random, 300);
        unsigned depth = (unsigned)(1 + stoa_test_random_below(&random, i % 4 == 0 ? 32 : 5));
        uint32_t ncolumns = (uint32_t)stoa_test_random_below(&random, 5), nnodes;

        stoa_test_gen_any_schema(&random, ncolumns, depth, &schema);
        stoa_test_gen_batch(&random, &schema, nrows, &batch);
        if (stoa_schema_check(&schema, &err) != STOA_OK)
            fail_msg("%s", err.message);
        if (stoa_batch_validate(&batch, &err) != STOA_OK)
            fail_msg("%s", err.message);
        assert_int_equal(stoa_schema_nodes(&schema, &nodes, &nnodes, &err), STOA_OK);
        for (uint32_t node = 0; node < nnodes; node++)
            assert_true(nodes[node].depth <= depth);
        stoa_free(nodes);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

/* One field in eight goes all the way down. */
static void fields_reach_the_depth_asked_for(void **state)
{
    (void)state;
    struct stoa_test_random random;
    unsigned depth = 0, ntries = 0;

    stoa_test_random_init(&random, "fields_reach_the_depth_asked_for");
    for (; depth < STOA_MAX_FIELD_DEPTH && ntries < 1000; ntries++) {
        struct stoa_field field;

        stoa_test_gen_any_field(&random, STOA_MAX_FIELD_DEPTH, "x", &field);
        depth = 1;
        for (const struct stoa_field *f = &field; f->nchildren > 0; depth++)
            f = &f->children[f->nchildren - 1];
        stoa_field_reset(&field);
    }
    assert_int_equal(depth, STOA_MAX_FIELD_DEPTH);
}

/* Files of the repository were made from these tables: new types must not change them. */
static void one_seed_gives_one_table(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_schema schemas[2];
    struct stoa_batch batches[2];

    for (int i = 0; i < 2; i++) {
        stoa_test_random_seed(&random, 7);
        stoa_test_gen_schema(&random, 40, &schemas[i]);
        stoa_test_gen_batch(&random, &schemas[i], 500, &batches[i]);
    }
    assert_true(stoa_batch_equal(&batches[0], &batches[1]));
    for (int i = 0; i < 2; i++) {
        stoa_batch_reset(&batches[i]);
        stoa_schema_reset(&schemas[i]);
    }
}

static void every_null_pattern_comes_out(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_field field;
    struct stoa_array array;

    stoa_test_random_init(&random, "every_null_pattern_comes_out");
    stoa_test_gen_field(&random, STOA_INT32, true, "x", &field);
    for (int nulls = 0; nulls < STOA_TEST_NNULLS; nulls++) {
        stoa_test_gen_array(&random, &field, 20000, STOA_TEST_FULL_RANGE,
                            (enum stoa_test_nulls)nulls, &array);
        if (nulls == STOA_TEST_NULLS_NONE)
            assert_int_equal(array.nnulls, 0);
        else if (nulls == STOA_TEST_NULLS_ALL)
            assert_int_equal(array.nnulls, 20000);
        else
            assert_in_range(array.nnulls, 1, 19999);
        stoa_array_reset(&array);
    }
    stoa_field_reset(&field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_valid),
        cmocka_unit_test(nested_tables_are_valid),
        cmocka_unit_test(fields_reach_the_depth_asked_for),
        cmocka_unit_test(one_seed_gives_one_table),
        cmocka_unit_test(every_null_pattern_comes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
