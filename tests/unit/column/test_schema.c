/* Schemas: adding, finding and choosing columns, metadata, and the rules of a whole schema. */
#include "column/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "column/type.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

static const struct stoa_type int64 = {.id = STOA_INT64};

/* A schema of int64 columns with these names. */
static struct stoa_schema schema_of(const char *const *names, uint32_t nnames)
{
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    for (uint32_t i = 0; i < nnames; i++)
        assert_int_equal(stoa_schema_add(&schema, names[i], &int64, true, &err), STOA_OK);
    return schema;
}

static const char *const trip[] = {"medallion", "Fare", "FARE", "pickup_datetime", "tip"};

static void find_takes_the_exact_name_first(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum stoa_status status;
        uint32_t column;
        const char *message;
    } cases[] = {
        {"Fare", STOA_OK, 1, ""},
        {"FARE", STOA_OK, 2, ""},
        {"Tip", STOA_OK, 4, ""},
        {"PICKUP_DATETIME", STOA_OK, 3, ""},
        {"fare", STOA_ERR_USAGE, 0,
         "2 columns are called \"fare\" when upper and lower case are alike; write the name "
         "exactly"},
        {"medalion", STOA_ERR_USAGE, 0,
         "there is no column \"medalion\"; did you mean \"medallion\"?"},
        {"distance", STOA_ERR_USAGE, 0, "there is no column \"distance\""},
        {"", STOA_ERR_USAGE, 0, "there is no column \"\""},
    };
    struct stoa_schema schema = schema_of(trip, 5);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};
        uint32_t column = 0;

        assert_int_equal(stoa_schema_find(&schema, cases[i].name, &column, &err), cases[i].status);
        assert_int_equal(column, cases[i].column);
        assert_string_equal(err.message, cases[i].message);
    }
    stoa_schema_reset(&schema);
}

static void add_refuses_what_no_column_may_be(void **state)
{
    (void)state;
    static char long_name[65537];
    static const struct stoa_type list = {.id = STOA_LIST};
    static const struct stoa_type decimal = {.id = STOA_DECIMAL, .precision = 80};
    const struct {
        const char *name;
        const struct stoa_type *type;
        const char *message;
    } cases[] = {
        {"tip", &int64, "there are two columns \"tip\""},
        {"\xff", &int64, "the name \"\\xff\" is not UTF-8"},
        {"x", &decimal, "the precision of a decimal is 1 to 76, not 80"},
        {"x", &list, "column \"x\": list needs a child: see stoa_schema_add_field()"},
    };
    struct stoa_schema schema = schema_of(trip, 5);
    struct stoa_error err = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(stoa_schema_add(&schema, cases[i].name, cases[i].type, true, &err),
                         STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
    }
    memset(long_name, 'n', 65536);
    assert_int_equal(stoa_schema_add(&schema, long_name, &int64, true, &err), STOA_ERR_USAGE);
    assert_non_null(strstr(err.message, "is longer than 65535 bytes"));
    long_name[65535] = '\0';
    assert_int_equal(stoa_schema_add(&schema, long_name, &int64, true, &err), STOA_OK);
    assert_int_equal(schema.nfields, 6);
    stoa_schema_reset(&schema);
}

static void nested_columns_are_added_whole(void **state)
{
    (void)state;
    const struct stoa_field item = {
        .name = (char[]){"item"}, .type = {.id = STOA_INT64}, .nullable = true, .id = 7};
    const struct stoa_field list = {.name = (char[]){"l"},
                                    .type = {.id = STOA_LIST},
                                    .children = (struct stoa_field *)&item,
                                    .nchildren = 1};
    const struct stoa_field childless = {.name = (char[]){"l"}, .type = {.id = STOA_LIST}};
    struct stoa_schema schema = schema_of(trip, 2);
    struct stoa_error err = {0};
    struct stoa_field field, unnamed = {.type = {.id = STOA_INT8}};
    char *text;

    assert_int_equal(stoa_schema_add_field(&schema, &childless, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column 1 (l): list has 1 children, not 0");
    assert_int_equal(stoa_schema_add_field(&schema, &unnamed, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column 1 (): the name is missing");
    assert_int_equal(stoa_schema_add_field(&schema, &list, &err), STOA_OK);
    assert_true(stoa_field_equal(&schema.fields[2], &list));
    assert_int_equal(stoa_schema_add_field(&schema, &list, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "there are two columns \"l\"");
    assert_int_equal(stoa_field_parse("m", "map<utf8,list<float16>>", false, &field, &err),
                     STOA_OK);
    assert_int_equal(stoa_schema_add_field(&schema, &field, &err), STOA_OK);
    assert_false(schema.fields[3].nullable);
    assert_int_equal(stoa_type_print(&schema.fields[3], &text, &err), STOA_OK);
    assert_string_equal(text, "map<utf8,list<float16>>");
    stoa_free(text);
    stoa_field_reset(&field);
    assert_int_equal(stoa_field_parse("m", "list<", false, &field, &err), STOA_ERR_USAGE);
    assert_int_equal(err.offset, 5);
    stoa_field_reset(&field); /* it is empty */
    stoa_schema_reset(&schema);
}

static void select_keeps_the_order_asked_for(void **state)
{
    (void)state;
    static const uint32_t columns[] = {3, 0}, unknown[] = {0, 5}, twice[] = {1, 1};
    struct stoa_schema schema = schema_of(trip, 5), chosen = {0};
    struct stoa_error err = {0};

    assert_int_equal(stoa_metadata_set(&schema.metadata, "k", "v", &err), STOA_OK);
    assert_int_equal(stoa_schema_select(&chosen, &schema, columns, 2, &err), STOA_OK);
    assert_int_equal(chosen.nfields, 2);
    assert_string_equal(chosen.fields[0].name, "pickup_datetime");
    assert_string_equal(chosen.fields[1].name, "medallion");
    assert_string_equal(stoa_metadata_get(&chosen.metadata, "k"), "v");
    stoa_schema_reset(&chosen);
    assert_int_equal(stoa_schema_select(&chosen, &schema, unknown, 2, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "there is no column 5: the schema has 5");
    assert_int_equal(stoa_schema_select(&chosen, &schema, twice, 2, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column \"Fare\" is selected twice");
    assert_int_equal(stoa_schema_select(&chosen, &schema, NULL, 0, &err), STOA_OK);
    assert_int_equal(chosen.nfields, 0);
    stoa_schema_reset(&chosen);
    stoa_schema_reset(&schema);
}

static void metadata_is_replaced_by_key(void **state)
{
    (void)state;
    struct stoa_metadata metadata = {0};
    struct stoa_error err = {0};

    assert_null(stoa_metadata_get(&metadata, "a"));
    assert_int_equal(stoa_metadata_set(&metadata, "a", "1", &err), STOA_OK);
    assert_int_equal(stoa_metadata_set(&metadata, "b", "2", &err), STOA_OK);
    assert_int_equal(stoa_metadata_set(&metadata, "a", "3", &err), STOA_OK);
    assert_int_equal(metadata.npairs, 2);
    assert_string_equal(stoa_metadata_get(&metadata, "a"), "3");
    assert_int_equal(stoa_metadata_set(&metadata, "", "1", &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "a key of metadata is empty");
    assert_int_equal(stoa_metadata_set(&metadata, "c", "\xff", &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "metadata \"c\" is not UTF-8");
    assert_int_equal(metadata.npairs, 2);
    stoa_metadata_reset(&metadata);
}

static void a_key_is_there_once(void **state)
{
    (void)state;
    struct stoa_schema schema = schema_of(trip, 2);
    struct stoa_metadata *metadata = &schema.fields[1].metadata;
    struct stoa_error err = {0};

    assert_int_equal(stoa_metadata_set(metadata, "k1", "", &err), STOA_OK);
    assert_int_equal(stoa_metadata_set(metadata, "k2", "", &err), STOA_OK);
    assert_int_equal(stoa_schema_check(&schema, &err), STOA_OK);
    metadata->pairs[1].key[1] = '1';
    assert_int_equal(stoa_schema_check(&schema, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "column 2 (Fare): metadata \"k1\" is there twice");
    stoa_schema_reset(&schema);
}

static void a_copy_is_equal_until_something_differs(void **state)
{
    (void)state;
    struct stoa_schema schema = schema_of(trip, 5);
    struct stoa_error err = {0};

    assert_int_equal(stoa_field_parse_type(&schema.fields[4], "struct<a:int8,b:list<utf8>>", &err),
                     STOA_OK);
    for (int difference = 0; difference < 8; difference++) {
        struct stoa_schema copy = {0};
        struct stoa_field *deep;

        assert_int_equal(stoa_schema_copy(&copy, &schema, &err), STOA_OK);
        assert_true(stoa_schema_equal(&copy, &schema));
        deep = &copy.fields[4].children[1].children[0];
        switch (difference) {
        case 0:
            assert_int_equal(stoa_metadata_set(&copy.metadata, "a", "1", &err), STOA_OK);
            break;
        case 1:
            assert_int_equal(stoa_metadata_set(&deep->metadata, "a", "1", &err), STOA_OK);
            break;
        case 2:
            deep->nullable = false;
            break;
        case 3:
            deep->id = 1;
            break;
        case 4:
            deep->name[0] = 'x';
            break;
        case 5:
            deep->type.id = STOA_BINARY;
            break;
        case 6:
            stoa_field_reset(&copy.fields[4]);
            copy.nfields = 4;
            break;
        default:
            stoa_field_reset(&copy.fields[4].children[1]);
            copy.fields[4].nchildren = 1;
            break;
        }
        assert_false(stoa_schema_equal(&copy, &schema));
        assert_false(stoa_schema_equal(&schema, &copy));
        stoa_schema_reset(&copy);
    }
    stoa_schema_reset(&schema);
}

static void rules_of_a_schema_are_checked_at_any_depth(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *message;
    } cases[] = {
        {"struct<a:list<int8>>",
         "column 1 (medallion): column 1 (a): column 1 (item): int8 has 0 children, not 1"},
        {"struct<a:int64,b:list<int8>>",
         "column 1 (medallion): column 2 (b): column 1 (item): int8 has 0 children, not 1"},
    };
    struct stoa_error err = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema = schema_of(trip, 5);
        struct stoa_field *field = &schema.fields[0];

        assert_int_equal(stoa_field_parse_type(field, cases[i].type, &err), STOA_OK);
        assert_int_equal(stoa_schema_check(&schema, &err), STOA_OK);
        assert_int_equal(stoa_schema_count_nodes(&schema), i == 0 ? 7 : 8);
        field = &field->children[field->nchildren - 1].children[0];
        field->nchildren = 1;
        assert_int_equal(stoa_schema_check(&schema, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
        field->nchildren = 0;
        stoa_schema_reset(&schema);
    }
}

static void a_map_needs_its_entries(void **state)
{
    (void)state;
    struct stoa_schema schema = schema_of(trip, 1);
    struct stoa_error err = {0};

    assert_int_equal(stoa_field_parse_type(&schema.fields[0], "map<utf8,int64>", &err), STOA_OK);
    assert_int_equal(stoa_schema_check(&schema, &err), STOA_OK);
    schema.fields[0].children[0].children[0].nullable = true;
    assert_int_equal(stoa_schema_check(&schema, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message,
                        "column 1 (medallion): the child of a map is a struct, never null, of a "
                        "key, never null, and a value");
    stoa_schema_reset(&schema);
}

static void a_list_deeper_than_32_is_refused(void **state)
{
    (void)state;
    struct stoa_schema schema = schema_of(trip, 1);
    struct stoa_field *field = &schema.fields[0];
    struct stoa_error err = {0};
    char text[200] = "";

    for (int i = 0; i < 31; i++)
        strcat(text, "list<");
    strcat(text, "int8");
    for (int i = 0; i < 31; i++)
        strcat(text, ">");
    assert_int_equal(stoa_field_parse_type(field, text, &err), STOA_OK);
    assert_int_equal(stoa_schema_check(&schema, &err), STOA_OK);
    while (field->nchildren > 0)
        field = &field->children[0];
    field->type.id = (enum stoa_type_id)0;
    assert_int_equal(stoa_field_parse_type(field, "list<int8>", &err), STOA_OK);
    assert_int_equal(stoa_schema_check(&schema, &err), STOA_ERR_USAGE);
    assert_non_null(strstr(err.message, "types are nested more than 32 deep"));
    stoa_schema_reset(&schema);
}

static void ten_thousand_columns_are_checked(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_schema schema;
    struct stoa_error err = {0};
    char *name;

    stoa_test_random_seed(&random, 1);
    stoa_test_gen_schema(&random, 10000, &schema);
    assert_int_equal(stoa_schema_check(&schema, &err), STOA_OK);
    name = schema.fields[9999].name;
    schema.fields[9999].name = schema.fields[3].name;
    assert_int_equal(stoa_schema_check(&schema, &err), STOA_ERR_USAGE);
    assert_non_null(strstr(err.message, "there are two columns \""));
    schema.fields[9999].name = name;
    stoa_schema_reset(&schema);
}

static enum stoa_status builds_and_copies(void *context, struct stoa_error *err)
{
    static const uint32_t columns[] = {1, 0};
    const struct stoa_type zoned = {.id = STOA_TIMESTAMP, .zone = (char[]){"UTC"}};
    struct stoa_schema schema = {0}, copy = {0}, chosen = {0};
    struct stoa_field field = {0};
    enum stoa_status st;

    (void)context;
    STOA_TRY(stoa_schema_add(&schema, "a", &int64, true, err));
    STOA_TRY(stoa_schema_add(&schema, "b", &zoned, true, err));
    STOA_TRY(stoa_field_parse_type(&schema.fields[0], "struct<x:int8,y:list<bool>>", err));
    STOA_TRY(stoa_metadata_set(&schema.fields[0].metadata, "k", "v", err));
    STOA_TRY(stoa_metadata_set(&schema.metadata, "k", "v", err));
    STOA_TRY(stoa_metadata_set(&schema.metadata, "k", "w", err));
    STOA_TRY(stoa_field_parse("c", "list<utf8>", true, &field, err));
    STOA_TRY(stoa_schema_add_field(&schema, &field, err));
    STOA_TRY(stoa_schema_check(&schema, err));
    STOA_TRY(stoa_schema_copy(&copy, &schema, err));
    STOA_TRY(stoa_schema_select(&chosen, &schema, columns, 2, err));
out:
    stoa_field_reset(&field);
    stoa_schema_reset(&chosen);
    stoa_schema_reset(&copy);
    stoa_schema_reset(&schema);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(builds_and_copies, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_takes_the_exact_name_first),
        cmocka_unit_test(add_refuses_what_no_column_may_be),
        cmocka_unit_test(nested_columns_are_added_whole),
        cmocka_unit_test(select_keeps_the_order_asked_for),
        cmocka_unit_test(metadata_is_replaced_by_key),
        cmocka_unit_test(a_key_is_there_once),
        cmocka_unit_test(a_copy_is_equal_until_something_differs),
        cmocka_unit_test(rules_of_a_schema_are_checked_at_any_depth),
        cmocka_unit_test(a_map_needs_its_entries),
        cmocka_unit_test(a_list_deeper_than_32_is_refused),
        cmocka_unit_test(ten_thousand_columns_are_checked),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
