/* Schemas of Avro: every schema of ours goes there and back, others are read or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/avro.h>

#include "base/alloc.h"
#include "column/schema.h"
#include "support/gen_table.h"

/* Names, types, nullability and metadata of the columns. */
static void assert_same(const struct stoa_schema *a, const struct stoa_schema *b)
{
    assert_int_equal(a->nfields, b->nfields);
    for (uint32_t i = 0; i < a->nfields; i++) {
        const struct stoa_field *x = &a->fields[i], *y = &b->fields[i];
        char *types[2];

        assert_int_equal(stoa_type_print(x, &types[0], NULL), STOA_OK);
        assert_int_equal(stoa_type_print(y, &types[1], NULL), STOA_OK);
        assert_string_equal(types[0], types[1]);
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->nullable, y->nullable);
        assert_int_equal(x->metadata.npairs, y->metadata.npairs);
        for (uint32_t k = 0; k < x->metadata.npairs; k++)
            assert_string_equal(stoa_metadata_get(&y->metadata, x->metadata.pairs[k].key),
                                x->metadata.pairs[k].value);
        stoa_free(types[0]);
        stoa_free(types[1]);
    }
}

static void go_and_return(const struct stoa_schema *schema)
{
    struct stoa_schema again = {0};
    struct stoa_error err = {0};
    char *text;

    assert_int_equal(stoa_avro_print_schema(schema, "a table", &text, &err), STOA_OK);
    if (stoa_avro_parse_schema(text, strlen(text), &again, &err) != STOA_OK)
        fail_msg("%s: %s", text, err.message);
    assert_same(schema, &again);
    stoa_schema_reset(&again);
    stoa_free(text);
}

static void every_schema_goes_there_and_back(void **state)
{
    (void)state;
    const size_t nrounds = stoa_test_ncases(2000);
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro");
    for (size_t i = 0; i < nrounds; i++) {
        const uint32_t ncolumns = (uint32_t)stoa_test_random_between(&r, 1, 8);
        struct stoa_schema schema = {0};

        stoa_test_gen_any_schema(&r, ncolumns, (uint32_t)(1 + i % 4), &schema);
        go_and_return(&schema);
        stoa_schema_reset(&schema);
    }
}

static void types_that_avro_has_need_no_attribute(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *printed; /* of the field, in one line */
    } cases[] = {
        {"int32", "{\"name\": \"a_b\", \"type\": [\"null\", \"int\"], \"default\": null, "
                  "\"stoa_name\": \"a b\"}"},
        {"timestamp(us,UTC)",
         "{\"name\": \"a_b\", \"type\": [\"null\", {\"type\": \"long\", "
         "\"logicalType\": \"timestamp-micros\"}], \"default\": null, \"stoa_name\": \"a b\"}"},
        {"decimal(10,2)",
         "{\"name\": \"a_b\", \"type\": [\"null\", {\"type\": \"bytes\", "
         "\"logicalType\": \"decimal\", \"precision\": 10, \"scale\": 2}], \"default\": null, "
         "\"stoa_name\": \"a b\"}"},
        {"list<utf8 not null>",
         "{\"name\": \"a_b\", \"type\": [\"null\", {\"type\": \"array\", "
         "\"items\": \"string\"}], \"default\": null, \"stoa_name\": \"a b\"}"},
        {"enum(a,\"b c\")",
         "{\"name\": \"a_b\", \"type\": [\"null\", \"string\"], \"default\": null, "
         "\"stoa_name\": \"a b\", \"stoa_type\": \"enum(a,\\\"b c\\\")\"}"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_field field;
        char line[1024], *text;
        size_t n = 0;

        assert_int_equal(stoa_field_parse("a b", cases[i].type, true, &field, NULL), STOA_OK);
        assert_int_equal(stoa_schema_add_field(&schema, &field, NULL), STOA_OK);
        assert_int_equal(stoa_avro_print_schema(&schema, "t", &text, NULL), STOA_OK);
        for (const char *at = strstr(text, "[") + 1; *at != '\0' && n + 1 < sizeof(line); at++)
            if (*at == '\n') {
                if (at[-1] == ',')
                    line[n++] = ' ';
                while (at[1] == ' ')
                    at++;
            } else {
                line[n++] = *at;
            }
        line[n] = '\0';
        *strrchr(line, ']') = '\0';
        assert_string_equal(line, cases[i].printed);
        stoa_free(text);
        stoa_field_reset(&field);
        stoa_schema_reset(&schema);
    }
}

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"t\",\"fields\":[" fields "]}"
#define FIELD(type)    RECORD("{\"name\":\"a\",\"type\":" type "}")

static void schemas_of_others_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected; /* the type of column a, or the message */
    } cases[] = {
        {FIELD("\"long\""), "int64 not null"},
        {FIELD("[\"null\",\"long\"]"), "int64"},
        {FIELD("[\"long\",\"null\"]"), "int64"},
        {FIELD("{\"type\":\"long\"}"), "int64 not null"},
        {FIELD("{\"type\":{\"type\":\"string\"}}"), "utf8 not null"},
        {FIELD("{\"type\":\"int\",\"logicalType\":\"date\"}"), "date32 not null"},
        {FIELD("{\"type\":\"string\",\"logicalType\":\"uuid\"}"), "uuid not null"},
        {FIELD("{\"type\":\"long\",\"logicalType\":\"of-another-program\"}"), "int64 not null"},
        {FIELD("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9}"),
         "decimal(9,0) not null"},
        {FIELD("{\"type\":\"fixed\",\"name\":\"f\",\"size\":16}"), "fixed_binary(16) not null"},
        {FIELD("{\"type\":\"fixed\",\"name\":\"f\",\"size\":12,\"logicalType\":\"duration\"}"),
         "interval not null"},
        {FIELD("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"x\",\"y\"]}"),
         "enum(x,y) not null"},
        {FIELD("{\"type\":\"array\",\"items\":[\"null\",\"float\"]}"), "list<float32> not null"},
        {FIELD("{\"type\":\"map\",\"values\":\"int\"}"), "map<utf8,int32 not null> not null"},
        {FIELD(
             "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"),
         "struct<x:int32 not null> not null"},
        {FIELD("[\"int\",\"string\"]"),
         "struct<tag:enum(int,string) not null,int:int32,string:utf8> not null"},
        {FIELD("[\"null\"]"), "null"},
        {"\"long\"", "int64 not null"},
        {RECORD("{\"name\":\"a\",\"stoa_type\":\"uint8\",\"type\":\"int\"}"), "uint8 not null"},
        {RECORD("{\"name\":\"a\",\"stoa_type\":\"uint7\",\"type\":\"int\"}"),
         "Avro schema: field \"a\": type \"uint7\": there is no type uint7; did you mean uint8?"},
        {FIELD("\"u\""), "Avro schema: field \"a\": there is no type \"u\""},
        {FIELD("{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}"),
         "Avro schema: field \"a\": no size in fixed \"f\""},
        {FIELD("{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[1]}"),
         "Avro schema: field \"a\": a symbol that is no text in enum \"e\""},
        {RECORD("{\"type\":\"int\"}"), "Avro schema: a field has no name"},
        {RECORD("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\",\"type\":\"int\"}"),
         "Avro schema: there are two columns \"a\""},
        {"{\"type\":\"record\",\"name\":\"t\"}", "Avro schema: no list of fields in record \"t\""},
        {"{\"stoa_schema\": 1}", "Avro schema: an object without \"type\" is no type"},
        {"[", "Avro schema: not JSON: line 1, column 1: ']' expected near end of file"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_error err = {0};
        char got[STOA_ERROR_MESSAGE_NBYTES], *type = NULL;

        if (stoa_avro_parse_schema(cases[i].text, strlen(cases[i].text), &schema, &err) ==
            STOA_OK) {
            assert_int_equal(stoa_type_print(&schema.fields[0], &type, NULL), STOA_OK);
            snprintf(got, sizeof(got), "%s%s", type, schema.fields[0].nullable ? "" : " not null");
        } else {
            snprintf(got, sizeof(got), "%s", err.message);
        }
        assert_string_equal(got, cases[i].expected);
        stoa_free(type);
        stoa_schema_reset(&schema);
    }
}

static void names_are_made_to_fit(void **state)
{
    (void)state;
    static const char *const names[] = {"a b", "a_b", "a-b", "1st", "", "\xc3\xa9", "_", "a_b_2"};
    const struct stoa_type type = {.id = STOA_INT64};
    struct stoa_schema schema = {0};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(stoa_schema_add(&schema, names[i], &type, false, NULL), STOA_OK);
    go_and_return(&schema);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schema_goes_there_and_back),
        cmocka_unit_test(types_that_avro_has_need_no_attribute),
        cmocka_unit_test(schemas_of_others_are_read_or_refused),
        cmocka_unit_test(names_are_made_to_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
