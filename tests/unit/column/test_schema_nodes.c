/* Nodes of a schema: their numbers, what they know of what is above, and the arrays of a batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/schema.h"
#include "column/type.h"
#include "support/fault_alloc.h"

/* A schema of one column a type, called "c". */
static enum stoa_status schema_of(const char *type, bool nullable, struct stoa_schema *out,
                                  struct stoa_error *err)
{
    static const struct stoa_type placeholder = {.id = STOA_INT8};
    enum stoa_status st = stoa_schema_add(out, "c", &placeholder, nullable, err);

    return st == STOA_OK ? stoa_field_parse_type(&out->fields[0], type, err) : st;
}

static void nodes_know_what_is_above_them(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t parent, nnodes;
        uint8_t depth;
        bool below_list, can_be_null;
    } expected[] = {
        {"c", STOA_NO_NODE, 14, 1, false, true},
        {"a", 0, 1, 2, false, true},    /* not null by itself, in a struct that may be */
        {"l", 0, 4, 2, false, true},    /* the same */
        {"item", 2, 3, 3, true, false}, /* a null list has no items */
        {"x", 3, 1, 4, true, true},     /* nullable */
        {"y", 3, 1, 4, true, false},    /* not, and no struct or list above is */
        {"f", 0, 3, 2, false, true},
        {"item", 6, 2, 3, true, true}, /* the items of a null fixed_list are null */
        {"z", 7, 1, 4, true, true},
        {"m", 0, 4, 2, false, true},
        {"entries", 9, 3, 3, true, false},
        {"key", 10, 1, 4, true, false},
        {"value", 10, 1, 4, true, true},
        {"n", 0, 1, 2, false, true},
    };
    struct stoa_schema schema = {0};
    struct stoa_schema_node *nodes = NULL;
    struct stoa_error err = {0};
    uint32_t nnodes = 0;

    assert_int_equal(
        schema_of("struct<a:int8 not null,l:list<struct<x:int8,y:int8 not null> not null> not null,"
                  "f:fixed_list<struct<z:int8 not null> not null,2>,m:map<int8,int8>,n:null>",
                  true, &schema, &err),
        STOA_OK);
    assert_int_equal(stoa_schema_nodes(&schema, &nodes, &nnodes, &err), STOA_OK);
    assert_int_equal(nnodes, sizeof(expected) / sizeof(expected[0]));
    for (uint32_t i = 0; i < nnodes; i++) {
        assert_string_equal(nodes[i].field->name, expected[i].name);
        assert_int_equal(nodes[i].parent, expected[i].parent);
        assert_int_equal(nodes[i].nnodes, expected[i].nnodes);
        assert_int_equal(nodes[i].depth, expected[i].depth);
        assert_int_equal(nodes[i].below_list, expected[i].below_list);
        assert_int_equal(nodes[i].can_be_null, expected[i].can_be_null);
    }
    stoa_free(nodes);
    stoa_schema_reset(&schema);
}

static void a_batch_has_an_array_for_each_node(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_array children[2] = {0}, *column;

    assert_int_equal(schema_of("struct<a:int8,b:struct<c:int8>>", true, &schema, &err), STOA_OK);
    assert_int_equal(stoa_schema_add(&schema, "d", &schema.fields[0].children[0].type, true, &err),
                     STOA_OK);
    assert_int_equal(stoa_batch_init(&batch, &schema, &err), STOA_OK);
    column = &batch.columns[0];
    assert_ptr_equal(stoa_batch_node(&batch, 0), column);
    assert_null(stoa_batch_node(&batch, 1)); /* the column is empty */
    assert_null(stoa_batch_node(&batch, 3));
    assert_ptr_equal(stoa_batch_node(&batch, 4), &batch.columns[1]);
    assert_null(stoa_batch_node(&batch, 5));
    column->children = children;
    column->nchildren = 2;
    assert_ptr_equal(stoa_batch_node(&batch, 1), &children[0]);
    assert_ptr_equal(stoa_batch_node(&batch, 2), &children[1]);
    assert_null(stoa_batch_node(&batch, 3));
    assert_ptr_equal(stoa_batch_node(&batch, 4), &batch.columns[1]);
    *column = (struct stoa_array){0};
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static enum stoa_status numbers_nodes(void *context, struct stoa_error *err)
{
    struct stoa_schema schema = {0};
    struct stoa_schema_node *nodes = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    (void)context;
    STOA_TRY(schema_of("list<struct<x:int8>>", true, &schema, err));
    STOA_TRY(stoa_schema_nodes(&schema, &nodes, &nnodes, err));
out:
    stoa_free(nodes);
    stoa_schema_reset(&schema);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(numbers_nodes, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_what_is_above_them),
        cmocka_unit_test(a_batch_has_an_array_for_each_node),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
