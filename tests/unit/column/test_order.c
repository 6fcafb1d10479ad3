/* Orders of rows: their text, comparing, sorting. */
#include "column/order.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "column/builder.h"
#include "column/type.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

static void make_schema(struct stoa_schema *schema)
{
    struct stoa_field list;
    struct stoa_error err;

    *schema = (struct stoa_schema){0};
    stoa_test_add_column(schema, "a", STOA_INT64, true);
    stoa_test_add_column(schema, "b,c", STOA_UTF8, true);
    stoa_test_add_column(schema, "x:desc", STOA_FLOAT64, true);
    stoa_test_add_column(schema, "say \"hi\"", STOA_DATE32, true);
    stoa_test_add_column(schema, "span", STOA_INTERVAL, true);
    stoa_test_check(stoa_field_parse("l", "list<int8>", true, &list, &err), &err);
    stoa_test_check(stoa_schema_add_field(schema, &list, &err), &err);
    stoa_field_reset(&list);
}

static void texts_of_orders_are_read_and_printed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed; /* or the message */
        enum stoa_status status;
    } cases[] = {
        {"a", "a", STOA_OK},
        {"A:asc", "a", STOA_OK},
        {"a:desc,\"b,c\"", "a:desc,\"b,c\"", STOA_OK},
        {"a:nulls-first:desc", "a:desc:nulls-first", STOA_OK},
        {"a:desc:nulls-last", "a:desc", STOA_OK},
        {"\"x:desc\":nulls-first", "\"x:desc\":nulls-first", STOA_OK},
        {"\"say \"\"hi\"\"\":desc", "\"say \"\"hi\"\"\":desc", STOA_OK},
        {"", "sort order: a name is empty", STOA_ERR_USAGE},
        {"a,", "sort order: a name is empty", STOA_ERR_USAGE},
        {":desc", "sort order: a name is empty", STOA_ERR_USAGE},
        {"a:down", "sort order: there is no column \"a:down\"", STOA_ERR_USAGE},
        {"a,\"b,c\",A:desc", "sort order: column \"a\" comes twice", STOA_ERR_USAGE},
        {"l", "sort order: column \"l\" is list<int8>, whose values have no order", STOA_ERR_USAGE},
        {"span", "sort order: column \"span\" is interval, whose values have no order",
         STOA_ERR_USAGE},
    };
    struct stoa_schema schema;

    make_schema(&schema);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_sort_order order = {0}, copy = {0};
        struct stoa_error err;
        char *printed = NULL;

        assert_int_equal(stoa_order_parse(cases[i].text, &schema, &order, &err), cases[i].status);
        if (cases[i].status != STOA_OK) {
            assert_string_equal(err.message, cases[i].printed);
            continue;
        }
        stoa_test_check(stoa_order_copy(&copy, &order, &err), &err);
        stoa_test_check(stoa_order_print(&copy, &schema, &printed, &err), &err);
        assert_string_equal(printed, cases[i].printed);
        stoa_free(printed);
        stoa_order_reset(&order);
        stoa_order_reset(&copy);
    }
    stoa_schema_reset(&schema);
}

static void an_order_has_no_more_columns_than_there_may_be(void **state)
{
    (void)state;
    struct stoa_sort_key keys[STOA_ORDER_MAX_NKEYS + 1] = {{0}};
    struct stoa_sort_order order = {.keys = keys};
    struct stoa_schema schema = {0};
    struct stoa_error err;

    for (uint32_t i = 0; i <= STOA_ORDER_MAX_NKEYS; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%u", i);
        stoa_test_add_column(&schema, name, STOA_INT8, false);
        keys[i].column = i;
    }
    assert_int_equal(stoa_order_check(&order, &schema, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "0 columns to sort by: there can be 1 to 32");
    order.nkeys = STOA_ORDER_MAX_NKEYS;
    stoa_test_check(stoa_order_check(&order, &schema, &err), &err);
    order.nkeys++;
    assert_int_equal(stoa_order_check(&order, &schema, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "33 columns to sort by: there can be 1 to 32");
    order.nkeys = 1;
    keys[0].column = 33;
    assert_int_equal(stoa_order_check(&order, &schema, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column 34 of 33");
    stoa_schema_reset(&schema);
}

/* Doubles that rise, those of one rank being equal; nulls are behind them. */
static void floats_have_one_order(void **state)
{
    (void)state;
    static const struct {
        double value;
        int rank;
    } cases[] = {
        {-(double)INFINITY, 0},
        {-1e308, 1},
        {-5e-324, 2},
        {-0.0, 3},
        {0.0, 3},
        {5e-324, 4},
        {(double)INFINITY, 5},
        {(double)NAN, 6},
        {-(double)NAN, 6},
        {0, 7}, /* null */
    };
    enum { N = sizeof(cases) / sizeof(cases[0]) };
    const struct stoa_type type = {.id = STOA_FLOAT64};
    struct stoa_builder builder;
    struct stoa_array array;
    struct stoa_error err;
    uint64_t bits[N];

    stoa_test_check(stoa_builder_init(&builder, &type, N, &err), &err);
    for (size_t i = 0; i + 1 < N; i++)
        stoa_builder_append_fixed(&builder, &cases[i].value);
    stoa_builder_append_null(&builder);
    stoa_builder_finish(&builder, &array);
    for (unsigned way = 0; way < 4; way++) {
        const struct stoa_sort_key key = {.descending = way & 1, .nulls_first = way & 2};

        stoa_key_bits(&key, &type, &array, 0, N, bits);
        for (size_t i = 0; i < N; i++) {
            for (size_t k = 0; k < N; k++) {
                const int i_null = cases[i].rank == 7, k_null = cases[k].rank == 7;
                int wanted = (cases[i].rank > cases[k].rank) - (cases[i].rank < cases[k].rank);

                if (i_null || k_null)
                    wanted = key.nulls_first ? k_null - i_null : i_null - k_null;
                else if (key.descending)
                    wanted = -wanted;
                assert_int_equal(stoa_key_compare(&key, &type, &array, i, &array, k), wanted);
                if (!i_null && !k_null)
                    assert_int_equal((bits[i] > bits[k]) - (bits[i] < bits[k]), wanted);
            }
        }
    }
    stoa_array_reset(&array);
}

/* Of every type: generated in order, shuffled, sorted; and bits never contradict the values. */
static void every_type_sorts_as_its_values(void **state)
{
    (void)state;
    enum { NROWS = 3000 };
    struct stoa_test_random random;

    stoa_test_random_init(&random, "every_type_sorts_as_its_values");
    for (size_t t = 0; t < STOA_TEST_NLEAVES; t++) {
        struct stoa_sort_key key = {0};
        const struct stoa_sort_order order = {.keys = &key, .nkeys = 1};
        struct stoa_schema schema = {0};
        struct stoa_array rising, columns[1], sorted;
        struct stoa_batch batch = {.schema = &schema, .columns = columns, .ncolumns = 1};
        uint32_t *rows = malloc(NROWS * sizeof(*rows));
        uint64_t bits[2];
        struct stoa_field field;
        struct stoa_error err;

        stoa_test_gen_field(&random, stoa_test_leaves[t], false, "v", &field);
        if (!stoa_type_has_order(&field.type) || field.type.id == STOA_NULL) {
            stoa_field_reset(&field);
            free(rows);
            continue;
        }
        stoa_test_check(stoa_schema_add_field(&schema, &field, &err), &err);
        stoa_test_gen_array(&random, &field, NROWS, STOA_TEST_SORTED, STOA_TEST_NULLS_NONE,
                            &rising);
        for (uint32_t i = 0; i < NROWS; i++)
            rows[i] = i;
        for (size_t i = NROWS - 1; i > 0; i--) {
            const size_t k = (size_t)stoa_test_random_below(&random, i + 1);
            const uint32_t row = rows[i];

            rows[i] = rows[k];
            rows[k] = row;
        }
        stoa_test_check(stoa_array_take(&field, &rising, rows, NROWS, &columns[0], &err), &err);
        batch.nrows = NROWS;
        stoa_test_check(stoa_order_sort(&order, &batch, rows, &err), &err);
        stoa_test_check(stoa_array_take(&field, &columns[0], rows, NROWS, &sorted, &err), &err);
        for (size_t i = 0; i < NROWS; i++)
            if (stoa_key_compare(&key, &field.type, &sorted, i, &rising, i) != 0)
                fail_msg("%s: value %zu", stoa_type_info(field.type.id)->name, i);
        for (size_t i = 1; i < NROWS; i++) {
            const bool equal = stoa_key_compare(&key, &field.type, &rising, i - 1, &rising, i) == 0;

            stoa_key_bits(&key, &field.type, &rising, i - 1, i + 1, bits);
            assert_true(bits[0] <= bits[1] && (!equal || bits[0] == bits[1]));
            if (stoa_key_is_exact(&field.type))
                assert_true(equal == (bits[0] == bits[1]));
        }
        stoa_array_reset(&rising);
        stoa_array_reset(&sorted);
        stoa_array_reset(&columns[0]);
        stoa_field_reset(&field);
        stoa_schema_reset(&schema);
        free(rows);
    }
}

/* The rows of a batch by the simplest way there is. */
static void insertion_sort(const struct stoa_sort_order *order, const struct stoa_batch *batch,
                           uint32_t *rows)
{
    struct stoa_array keys[STOA_ORDER_MAX_NKEYS];

    for (uint32_t k = 0; k < order->nkeys; k++)
        keys[k] = batch->columns[order->keys[k].column];
    for (size_t i = 0; i < batch->nrows; i++) {
        size_t k = i;

        for (; k > 0 && stoa_order_compare(order, batch->schema, 0, keys, rows[k - 1], keys, i) > 0;
             k--)
            rows[k] = rows[k - 1];
        rows[k] = (uint32_t)i;
    }
}

static bool draw_order(struct stoa_test_random *random, const struct stoa_schema *schema,
                       struct stoa_sort_order *out)
{
    struct stoa_error err;

    out->nkeys = 0;
    for (uint32_t i = 0; i < schema->nfields; i++) {
        struct stoa_sort_key *key = &out->keys[out->nkeys];

        key->column = (i * 5 + 2) % schema->nfields; /* not as they stand */
        key->descending = stoa_test_random_one_in(random, 2);
        key->nulls_first = stoa_test_random_one_in(random, 2);
        out->nkeys += stoa_type_has_order(&schema->fields[key->column].type) &&
                      !stoa_test_random_one_in(random, 2);
    }
    return out->nkeys > 0 && stoa_order_check(out, schema, &err) == STOA_OK;
}

static void any_table_sorts_as_the_simplest_way_does(void **state)
{
    (void)state;
    enum { NCOLUMNS = 4 };
    struct stoa_test_random random;

    stoa_test_random_init(&random, "any_table_sorts_as_the_simplest_way_does");
    for (size_t n = 0; n < stoa_test_ncases(300); n++) {
        const size_t nrows = (size_t)stoa_test_random_below(&random, 400);
        struct stoa_sort_key keys[NCOLUMNS];
        struct stoa_sort_order order = {.keys = keys};
        struct stoa_schema schema = {0};
        struct stoa_batch batch, sorted;
        uint32_t rows[400], wanted[400];
        struct stoa_error err;

        stoa_test_gen_any_schema(&random, NCOLUMNS, 2, &schema);
        stoa_test_gen_batch(&random, &schema, nrows, &batch);
        if (draw_order(&random, &schema, &order)) {
            insertion_sort(&order, &batch, wanted);
            stoa_test_check(stoa_order_sort(&order, &batch, rows, &err), &err);
            assert_memory_equal(rows, wanted, nrows * sizeof(rows[0]));
            stoa_test_check(stoa_batch_init(&sorted, &schema, &err), &err);
            for (uint32_t i = 0; i < NCOLUMNS; i++)
                stoa_test_check(stoa_array_take(&schema.fields[i], &batch.columns[i], rows, nrows,
                                                &sorted.columns[i], &err),
                                &err);
            sorted.nrows = nrows;
            assert_int_equal(stoa_order_first_wrong(&order, &sorted), nrows);
            stoa_batch_reset(&sorted);
        }
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static int64_t up_to_a_step_back(size_t i)
{
    return i < 70 ? (int64_t)i / 2 : (int64_t)i - 40;
}

static void the_first_row_out_of_order_is_found(void **state)
{
    (void)state;
    struct stoa_sort_key key = {0};
    const struct stoa_sort_order order = {.keys = &key, .nkeys = 1};
    struct stoa_schema schema = {0};
    struct stoa_array column;
    struct stoa_batch batch = {.schema = &schema, .columns = &column, .ncolumns = 1, .nrows = 100};

    stoa_test_add_column(&schema, "n", STOA_INT64, false);
    stoa_test_make_numbers(&column, 100, up_to_a_step_back);
    assert_int_equal(stoa_order_first_wrong(&order, &batch), 70);
    key.descending = true;
    assert_int_equal(stoa_order_first_wrong(&order, &batch), 2);
    batch.nrows = 2;
    assert_int_equal(stoa_order_first_wrong(&order, &batch), 2);
    batch.nrows = 0;
    assert_int_equal(stoa_order_first_wrong(&order, &batch), 0);
    stoa_array_reset(&column);
    stoa_schema_reset(&schema);
}

static enum stoa_status parses_prints_and_sorts(void *context, struct stoa_error *err)
{
    const struct stoa_batch *batch = context;
    struct stoa_sort_order order = {0}, copy = {0};
    uint32_t rows[100];
    char *text = NULL;
    enum stoa_status st = stoa_order_parse("key:desc,row", batch->schema, &order, err);

    if (st == STOA_OK)
        st = stoa_order_copy(&copy, &order, err);
    if (st == STOA_OK)
        st = stoa_order_print(&order, batch->schema, &text, err);
    if (st == STOA_OK)
        st = stoa_order_sort(&copy, batch, rows, err);
    stoa_free(text);
    stoa_order_reset(&order);
    stoa_order_reset(&copy);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;

    stoa_test_make_keys(&schema, 100, &batch);
    stoa_test_each_failing_alloc(parses_prints_and_sorts, &batch);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_orders_are_read_and_printed),
        cmocka_unit_test(an_order_has_no_more_columns_than_there_may_be),
        cmocka_unit_test(floats_have_one_order),
        cmocka_unit_test(every_type_sorts_as_its_values),
        cmocka_unit_test(any_table_sorts_as_the_simplest_way_does),
        cmocka_unit_test(the_first_row_out_of_order_is_found),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
