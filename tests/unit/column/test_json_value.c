/* Values as JSON: nested ones by hand, and generated ones beside what jansson reads. */
#include "column/json_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/error.h"
#include "column/type.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

static void field_of(const char *type, struct stoa_field *out)
{
    struct stoa_error err = {0};

    *out = (struct stoa_field){.nullable = true};
    assert_int_equal(stoa_strndup(&out->name, "x", 1, &err), STOA_OK);
    assert_int_equal(stoa_field_parse_type(out, type, &err), STOA_OK);
}

/* An array of int8 of these values, without nulls. */
#define INT8(n, ...)                                                                               \
    {                                                                                              \
        .nvalues = (n), .values = (uint8_t[])                                                      \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static void nested_values_look_as_documented(void **state)
{
    (void)state;
    const struct {
        const char *type;
        struct stoa_array array;
        const char *json[3];
    } cases[] = {
        {"list<int8>",
         {.nvalues = 3,
          .nnulls = 1,
          .validity = (uint8_t[]){5},
          .offsets = (int32_t[]){0, 2, 2, 2},
          .children = (struct stoa_array[]){INT8(2, 1, 2)},
          .nchildren = 1},
         {"[1,2]", "null", "[]"}},
        {"fixed_list<int8,2>",
         {.nvalues = 2, .children = (struct stoa_array[]){INT8(4, 1, 2, 3, 4)}, .nchildren = 1},
         {"[1,2]", "[3,4]"}},
        {"struct<\"a\"\"\":int8,b:struct<c:int8>>",
         {.nvalues = 1,
          .children =
              (struct stoa_array[]){
                  INT8(1, 7),
                  {.nvalues = 1, .children = (struct stoa_array[]){INT8(1, 8)}, .nchildren = 1}},
          .nchildren = 2},
         {"{\"a\\\"\":7,\"b\":{\"c\":8}}"}},
        {"struct<>", {.nvalues = 2, .nnulls = 1, .validity = (uint8_t[]){1}}, {"{}", "null"}},
        {"map<int8,int8>",
         {.nvalues = 2,
          .offsets = (int32_t[]){0, 2, 2},
          .children =
              (struct stoa_array[]){
                  {.nvalues = 2,
                   .children =
                       (struct stoa_array[]){
                           INT8(2, 1, 1), {2, 1, (uint8_t[]){1}, (uint8_t[]){9, 0}, NULL, NULL, 0}},
                   .nchildren = 2}},
          .nchildren = 1},
         {"[{\"key\":1,\"value\":9},{\"key\":1,\"value\":null}]", "[]"}},
        {"list<utf8>", /* no buffer where all are empty */
         {.nvalues = 1,
          .offsets = (int32_t[]){0, 1},
          .children = (struct stoa_array[]){{.nvalues = 1, .offsets = (int32_t[]){0, 0}}},
          .nchildren = 1},
         {"[\"\"]"}},
        {"list<null>",
         {.nvalues = 1,
          .offsets = (int32_t[]){0, 1},
          .children =
              (struct stoa_array[]){{.nvalues = 1, .nnulls = 1, .validity = (uint8_t[]){0}}},
          .nchildren = 1},
         {"[null]"}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_field field;
        struct stoa_error err = {0};

        field_of(cases[i].type, &field);
        if (stoa_array_validate(&field, &cases[i].array, &err) != STOA_OK)
            fail_msg("%s: %s", cases[i].type, err.message);
        for (size_t row = 0; row < cases[i].array.nvalues; row++) {
            char *text;

            assert_int_equal(stoa_array_print_json(&field, &cases[i].array, row, &text, &err),
                             STOA_OK);
            assert_string_equal(text, cases[i].json[row]);
            stoa_free(text);
        }
        stoa_field_reset(&field);
    }
}

/* The parts of entries are called key and value in JSON, whatever the schema calls them. */
static void a_map_has_one_form(void **state)
{
    (void)state;
    struct stoa_array entries[] = {INT8(1, 3), INT8(1, 4)};
    struct stoa_array child = {.nvalues = 1, .children = entries, .nchildren = 2};
    struct stoa_array array = {
        .nvalues = 1, .offsets = (int32_t[]){0, 1}, .children = &child, .nchildren = 1};
    struct stoa_field field, *key;
    struct stoa_error err = {0};
    char *text;

    field_of("map<int8,int8>", &field);
    key = &field.children[0].children[0];
    stoa_free(key->name);
    assert_int_equal(stoa_strndup(&key->name, "k", 1, &err), STOA_OK);
    assert_int_equal(stoa_array_print_json(&field, &array, 0, &text, &err), STOA_OK);
    assert_string_equal(text, "[{\"key\":3,\"value\":4}]");
    stoa_free(text);
    stoa_field_reset(&field);
}

static void check_value(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                        const json_t *json);

static void check_items(const struct stoa_field *field, const struct stoa_array *array,
                        size_t begin, size_t end, const json_t *json)
{
    assert_int_equal(json_array_size(json), end - begin);
    for (size_t i = begin; i < end; i++)
        check_value(&field->children[0], array->children, i, json_array_get(json, i - begin));
}

static void check_members(const struct stoa_field *fields, uint32_t nfields,
                          const struct stoa_array *arrays, size_t i, const json_t *json,
                          bool is_entry)
{
    assert_int_equal(json_object_size(json), nfields);
    for (uint32_t k = 0; k < nfields; k++) {
        const char *name = is_entry ? (k == 0 ? "key" : "value") : fields[k].name;

        check_value(&fields[k], &arrays[k], i, json_object_get(json, name));
    }
}

/* That `json` is value i, as far as jansson keeps values exactly. */
static void check_value(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                        const json_t *json)
{
    assert_non_null(json);
    if (stoa_array_is_null(array, i)) {
        assert_true(json_is_null(json));
        return;
    }
    switch (field->type.id) {
    case STOA_STRUCT:
        check_members(field->children, field->nchildren, array->children, i, json, false);
        break;
    case STOA_FIXED_LIST:
        check_items(field, array, i * field->type.width, (i + 1) * field->type.width, json);
        break;
    case STOA_LIST:
        check_items(field, array, (size_t)array->offsets[i], (size_t)array->offsets[i + 1], json);
        break;
    case STOA_MAP:
        assert_int_equal(json_array_size(json), array->offsets[i + 1] - array->offsets[i]);
        for (size_t k = 0; k < json_array_size(json); k++)
            check_members(field->children[0].children, 2, array->children[0].children,
                          (size_t)array->offsets[i] + k, json_array_get(json, k), true);
        break;
    case STOA_BOOL:
        assert_int_equal(json_is_true(json), array->values[i / 8] >> (i % 8) & 1);
        assert_true(json_is_boolean(json));
        break;
    case STOA_UTF8:
        assert_int_equal(json_string_length(json), array->offsets[i + 1] - array->offsets[i]);
        assert_memory_equal(json_string_value(json), array->values + array->offsets[i],
                            json_string_length(json));
        break;
    default:
        assert_true(json_is_number(json) || json_is_string(json));
        break;
    }
}

static void generated_rows_are_json_of_the_same_shape(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "generated_rows_are_json_of_the_same_shape");
    for (size_t n = stoa_test_ncases(200); n > 0; n--) {
        struct stoa_json_shape shape;
        struct stoa_schema schema;
        struct stoa_batch batch;
        uint32_t ncolumns = (uint32_t)stoa_test_random_below(&random, 4);

        stoa_test_gen_any_schema(&random, ncolumns, 1 + (unsigned)(n % 12), &schema);
        stoa_test_gen_batch(&random, &schema, (size_t)stoa_test_random_below(&random, 30), &batch);
        assert_int_equal(stoa_json_shape_init(&shape, &schema, &err), STOA_OK);
        for (size_t row = 0; row < batch.nrows; row++) {
            struct stoa_buffer text = {0};
            json_error_t error;
            json_t *json;

            assert_int_equal(stoa_json_append_row(&text, &shape, &batch, row, &err), STOA_OK);
            json = json_loadb((const char *)text.data, text.nbytes,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                              &error);
            if (json == NULL)
                fail_msg("%s: %.*s", error.text, (int)text.nbytes, (const char *)text.data);
            check_members(schema.fields, schema.nfields, batch.columns, row, json, false);
            json_decref(json);
            stoa_buffer_free(&text);
        }
        stoa_json_shape_reset(&shape);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

struct printed {
    struct stoa_field field;
    struct stoa_array array;
};

static enum stoa_status prints(void *context, struct stoa_error *err)
{
    const struct printed *printed = context;
    char *text = NULL;
    enum stoa_status st = stoa_array_print_json(&printed->field, &printed->array, 0, &text, err);

    stoa_free(text);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct printed printed;

    stoa_test_random_seed(&random, 1);
    field_of("struct<a:list<utf8>,b:map<binary,fixed_list<decimal(50,2),2>>>", &printed.field);
    stoa_test_gen_array(&random, &printed.field, 1, STOA_TEST_RUNS, STOA_TEST_NULLS_NONE,
                        &printed.array);
    stoa_test_each_failing_alloc(prints, &printed);
    stoa_array_reset(&printed.array);
    stoa_field_reset(&printed.field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_values_look_as_documented),
        cmocka_unit_test(a_map_has_one_form),
        cmocka_unit_test(generated_rows_are_json_of_the_same_shape),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
