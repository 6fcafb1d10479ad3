/* Avro written with the schema that rows came with: which one it is, JSON text as values, faults.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "avro/avro_encoder.h"
#include "avro/avro_json_parse.h"
#include "avro/avro_make.h"
#include "avro/avro_sink.h"
#include "avro/avro_source.h"
#include "column/schema.h"
#include "support/avro_bytes.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/gen_table.h"
#include "support/write_avro.h"

#define RECORD(fields)    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define ARRAY(items)      "{\"type\":\"array\",\"items\":" items "}"
#define MAP(values)       "{\"type\":\"map\",\"values\":" values "}"
#define DATA(text)        text, sizeof(text) - 1

static void add(struct stoa_schema *schema, const char *name, const char *type, bool nullable)
{
    struct stoa_field field;

    assert_int_equal(stoa_field_parse(name, type, nullable, &field, NULL), STOA_OK);
    assert_int_equal(stoa_schema_add_field(schema, &field, NULL), STOA_OK);
    stoa_field_reset(&field);
}

/* ---- Which schema ---- */

static void a_kept_schema_is_used_as_long_as_it_goes_with_the_columns(void **state)
{
    (void)state;
    static const char a_and_b[] =
        " {\"type\": \"record\", \"name\": \"n.r\", \"doc\": \"d\", \"fields\": ["
        "{\"name\": \"a\", \"type\": \"int\", \"x\": 1}, "
        "{\"name\": \"b\", \"type\": [\"string\", \"null\"]}]} ";
    static const char node[] = RECORD(FIELD("a", "\"int\"") "," FIELD("b", "[\"null\",\"r\"]"));
    static const char odd[] = RECORD(FIELD("a-", "\"int\"") "," FIELD("b", "\"int\""));
    static const struct {
        const char *kept;
        const char *columns[2][2]; /* name and type; one with a ? is nullable */
        const char *expected;      /* NULL: the kept one, as it is */
    } cases[] = {
        {a_and_b, {{"a", "int32"}, {"b", "utf8?"}}, NULL},
        {a_and_b,
         {{"b", "utf8?"}, {"a", "int32"}},
         "{\"type\":\"record\",\"name\":\"r\",\"namespace\":\"n\",\"doc\":\"d\",\"fields\":["
         "{\"name\":\"b\",\"type\":[\"string\",\"null\"]},"
         "{\"name\":\"a\",\"type\":\"int\",\"x\":1}]}"},
        {a_and_b,
         {{"b", "utf8?"}, {NULL, NULL}},
         "{\"type\":\"record\",\"name\":\"r\",\"namespace\":\"n\",\"doc\":\"d\",\"fields\":["
         "{\"name\":\"b\",\"type\":[\"string\",\"null\"]}]}"},
        {a_and_b,
         {{"a", "int64"}, {NULL, NULL}},
         "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"}]}"},
        {a_and_b,
         {{"a", "int32?"}, {NULL, NULL}},
         "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\","
         "\"int\"],\"default\":null}]}"},
        {a_and_b,
         {{"c", "int32"}, {NULL, NULL}},
         "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"c\",\"type\":\"int\"}]}"},
        {"{\"type\": \"map\", \"values\": \"int\"}",
         {{"value", "map<utf8,int32 not null>"}, {NULL, NULL}},
         NULL},
        {"\"int\"",
         {{"x", "int32"}, {NULL, NULL}},
         "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"},
        {node, {{"a", "int32"}, {"b", "utf8?"}}, NULL},
        /* A part of a record that holds itself would have lost its fields too. */
        {node,
         {{"b", "utf8?"}, {NULL, NULL}},
         "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"b\",\"type\":[\"null\","
         "\"string\"],\"default\":null}]}"},
        /* Names that Avro does not allow stay as they are, but are not written anew. */
        {odd, {{"a-", "int32"}, {"b", "int32"}}, NULL},
        {odd,
         {{"a-", "int32"}, {NULL, NULL}},
         "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"a_\",\"type\":\"int\","
         "\"stoa_name\":\"a-\"}]}"},
        {"no schema",
         {{"a", "int32"}, {NULL, NULL}},
         "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_buffer text = {0};
        bool kept;

        for (size_t k = 0; k < 2 && cases[i].columns[k][0] != NULL; k++) {
            char type[64];
            const size_t n = strlen(cases[i].columns[k][1]);
            const bool nullable = cases[i].columns[k][1][n - 1] == '?';

            snprintf(type, sizeof(type), "%.*s", (int)(n - nullable), cases[i].columns[k][1]);
            add(&schema, cases[i].columns[k][0], type, nullable);
        }
        assert_int_equal(
            stoa_metadata_set(&schema.metadata, STOA_AVRO_METADATA_SCHEMA, cases[i].kept, NULL),
            STOA_OK);
        assert_int_equal(stoa_avro_make_schema(&schema, "t", &text, &kept, NULL), STOA_OK);
        assert_int_equal(stoa_buffer_append(&text, "", 1, NULL), STOA_OK);
        assert_string_equal((char *)text.data,
                            cases[i].expected != NULL ? cases[i].expected : cases[i].kept);
        assert_int_equal(kept, cases[i].expected == NULL);
        stoa_buffer_free(&text);
        stoa_schema_reset(&schema);
    }
}

static void names_of_types_are_told_apart(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_buffer text = {0};

    add(&schema, "int", "fixed_binary(1)", false);
    add(&schema, "t", "enum(a)", false);
    add(&schema, "2", "struct<t:fixed_binary(2) not null>", false);
    add(&schema, "_2", "bool", false);
    assert_int_equal(stoa_avro_make_schema(&schema, "t", &text, NULL, NULL), STOA_OK);
    assert_int_equal(stoa_buffer_append(&text, "", 1, NULL), STOA_OK);
    assert_string_equal(
        (char *)text.data,
        "{\"type\":\"record\",\"name\":\"t\",\"fields\":["
        "{\"name\":\"int\",\"type\":{\"type\":\"fixed\",\"name\":\"int_2\",\"size\":1}},"
        "{\"name\":\"t\",\"type\":{\"type\":\"enum\",\"name\":\"t_2\",\"symbols\":[\"a\"]}},"
        "{\"name\":\"_2_2\",\"type\":{\"type\":\"record\",\"name\":\"_2_2\",\"fields\":["
        "{\"name\":\"t\",\"type\":{\"type\":\"fixed\",\"name\":\"t_3\",\"size\":2}}]},"
        "\"stoa_name\":\"2\"},{\"name\":\"_2\",\"type\":\"boolean\"}]}");
    stoa_buffer_free(&text);
    stoa_schema_reset(&schema);
}

/* ---- JSON ---- */

static enum stoa_status parse(const char *schema, const char *text, struct stoa_buffer *out,
                              struct stoa_error *err)
{
    struct stoa_avro_schema parsed = {0};
    uint32_t nempty = 0;
    enum stoa_status st = stoa_avro_schema_parse(schema, strlen(schema), &parsed, err);

    if (st == STOA_OK)
        st = stoa_avro_parse_json(parsed.root, text, strlen(text), out, &nempty, err);
    stoa_avro_schema_reset(&parsed);
    return st;
}

static void json_text_says_values(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text;
        const char *data;
        size_t nbytes;
    } cases[] = {
        {"\"null\"", " null ", DATA("")},
        {"\"boolean\"", "true", DATA("\x01")},
        {"\"int\"", "-2147483648", DATA("\xff\xff\xff\xff\x0f")},
        {"\"long\"", "9223372036854775807", DATA("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        {"\"float\"", "1.0", DATA("\0\0\x80\x3f")},
        {"\"double\"", "-0.5", DATA("\0\0\0\0\0\0\xe0\xbf")},
        {"\"double\"", "2", DATA("\0\0\0\0\0\0\0\x40")},
        {"\"string\"", "\"a\\u20acb\"",
         DATA("\x0a"
              "a\xe2\x82\xac"
              "b")},
        {"\"bytes\"", "\"\\u0000a\xc3\xbf\"",
         DATA("\x06\x00"
              "a\xff")},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":2}", "\"a\xc2\x80\"", DATA("a\x80")},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\",\"b\"]}", "\"b\"", DATA("\x02")},
        {ARRAY("\"int\""), "[ 1 , 2]", DATA("\x04\x02\x04\x00")},
        {ARRAY("\"int\""), "[]", DATA("\x00")},
        {MAP("\"int\""), "{\"k\":1,\"k\":2}", DATA("\x04\x02k\x02\x02k\x04\x00")},
        {"[\"null\",\"int\",\"string\"]", "{\"string\":\"x\"}", DATA("\x04\x02x")},
        {"[\"int\",\"null\"]", "null", DATA("\x02")},
        {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"boolean\"")), "{\"a\":1, \"b\" : false}",
         DATA("\x02\x00")},
        {RECORD(""), "{}", DATA("")},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_buffer out = {0};
        struct stoa_error err;

        if (parse(cases[i].schema, cases[i].text, &out, &err) != STOA_OK)
            fail_msg("%s: %s", cases[i].text, err.message);
        if (out.nbytes != cases[i].nbytes ||
            (out.nbytes > 0 && memcmp(out.data, cases[i].data, out.nbytes) != 0))
            fail_msg("%s: %zu bytes", cases[i].text, out.nbytes);
        stoa_buffer_free(&out);
    }
}

static void json_text_of_something_else_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *text;
        const char *wrong;
    } cases[] = {
        {"\"null\"", "nul", "JSON, at byte 0: null is expected"},
        {"\"boolean\"", "1", "JSON, at byte 0: true or false is expected"},
        {"\"int\"", "2147483648", "JSON, at byte 0: an int is expected"},
        {"\"int\"", "1.5", "JSON, at byte 0: an int is expected"},
        {"\"long\"", "9223372036854775808", "JSON, at byte 0: a long is expected"},
        {"\"long\"", "", "JSON, at byte 0: a long is expected"},
        {"\"double\"", "\"x\"", "JSON, at byte 0: a double is expected"},
        {"\"float\"", " x", "JSON, at byte 1: a float is expected"},
        {"\"string\"", "7", "JSON, at byte 0: a string is expected"},
        {"\"string\"", "\"a", "JSON, at byte 2: the line ends within quotes"},
        {"\"bytes\"", "\"\xc4\x80\"",
         "JSON, at byte 0: a string of characters up to U+00FF is expected"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":2}", "\"a\"",
         "JSON, at byte 0: a string of the size of the fixed is expected"},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\"]}", "\"b\"",
         "JSON, at byte 0: a symbol of the enum is expected"},
        {ARRAY("\"int\""), "{}", "JSON, at byte 0: '[' is expected"},
        {ARRAY("\"int\""), "[1 2]", "JSON, at byte 3: ',' or ']' is expected"},
        {MAP("\"int\""), "{\"a\" 1}", "JSON, at byte 5: ':' is expected"},
        {"[\"null\",\"int\"]", "{\"long\":1}",
         "JSON, at byte 0: a branch of the union is expected"},
        {"[\"int\",\"long\"]", "null", "JSON, at byte 0: a branch of the union is expected"},
        {"[\"null\",\"int\"]", "1", "JSON, at byte 0: null or '{' is expected"},
        {RECORD(FIELD("a", "\"int\"")), "{\"b\":1}", "JSON, at byte 1: the field a is expected"},
        {RECORD(FIELD("a", "\"int\"")), "{\"a\":1", "JSON, at byte 6: '}' is expected"},
        {"\"int\"", "1 1", "JSON, at byte 2: the end is expected"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_buffer out = {0};
        struct stoa_error err;

        assert_int_equal(parse(cases[i].schema, cases[i].text, &out, &err), STOA_ERR_DATA);
        if (strcmp(err.message, cases[i].wrong) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, err.message, cases[i].wrong);
        stoa_buffer_free(&out);
    }
}

/* {"n":[{"n":[ ... ]}]}, so deep. */
static enum stoa_status parse_deep(size_t depth, struct stoa_error *err)
{
    struct stoa_buffer text = {0}, out = {0};
    enum stoa_status st;

    for (size_t i = 0; i < depth; i++)
        assert_int_equal(stoa_buffer_append(&text, "{\"n\":[", 6, NULL), STOA_OK);
    for (size_t i = 0; i < depth; i++)
        assert_int_equal(stoa_buffer_append(&text, "]}", 2, NULL), STOA_OK);
    assert_int_equal(stoa_buffer_append(&text, "", 1, NULL), STOA_OK);
    st = parse(RECORD(FIELD("n", ARRAY("\"r\""))), (char *)text.data, &out, err);
    stoa_buffer_free(&text);
    stoa_buffer_free(&out);
    return st;
}

static void json_text_that_is_too_deep_is_refused(void **state)
{
    (void)state;
    struct stoa_error err;

    assert_int_equal(parse_deep(250, &err), STOA_OK);
    assert_int_equal(parse_deep(300, &err), STOA_ERR_LIMIT);
    assert_string_equal(err.message, "JSON is nested more than 512 deep");
}

/* As many as a reader takes of a row, in two arrays of the text, and one more. */
static void items_of_json_text_without_bytes_are_counted(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct stoa_buffer text = {0}, out = {0};
        struct stoa_error err = {0};
        const size_t counts[] = {1000, ((size_t)1 << 20) - 1000 + more};

        for (size_t i = 0; i < 2; i++) {
            stoa_test_put(&text, i == 0 ? "[[" : ",[", 2);
            for (size_t k = 0; k < counts[i]; k++)
                stoa_test_put(&text, k == 0 ? "null" : ",null", k == 0 ? 4 : 5);
            stoa_test_put(&text, "]", 1);
        }
        stoa_test_put(&text, "]", 2);
        assert_int_equal(parse(ARRAY(ARRAY("\"null\"")), (char *)text.data, &out, &err),
                         more > 0 ? STOA_ERR_LIMIT : STOA_OK);
        if (more > 0)
            assert_string_equal(err.message, "more than 1048576 items without any bytes");
        stoa_buffer_free(&out);
        stoa_buffer_free(&text);
    }
}

static void a_list_of_many_items_has_its_count_in_front(void **state)
{
    (void)state;
    static char text[2 * 9000 + 8];
    static const size_t counts[] = {63, 64, 8191, 8192};

    for (size_t i = 0; i < 4; i++) {
        const size_t n = counts[i];
        struct stoa_buffer out = {0};
        uint8_t expected[8], *end = stoa_avro_put_long(expected, (int64_t)n);

        text[0] = '[';
        for (size_t k = 0; k < n; k++)
            memcpy(text + 1 + 2 * k, "1,", 2);
        memcpy(text + 2 * n, "]", 2);
        assert_int_equal(parse(ARRAY("\"int\""), text, &out, NULL), STOA_OK);
        assert_int_equal(out.nbytes, (size_t)(end - expected) + n + 1);
        assert_memory_equal(out.data, expected, (size_t)(end - expected));
        assert_int_equal(out.data[out.nbytes - 2], 2);
        assert_int_equal(out.data[out.nbytes - 1], 0);
        stoa_buffer_free(&out);
    }
}

/* ---- Values that do not go with the schema that was kept ---- */

static struct stoa_array leaf(const char *type, const void *values, size_t nbytes)
{
    struct stoa_array array = {.nvalues = 1};
    struct stoa_type parsed;

    assert_int_equal(stoa_type_parse(type, &parsed, NULL), STOA_OK);
    if (values == NULL) {
        array.nnulls = 1;
        assert_int_equal(stoa_alloc_zeroed(&array.validity, 1, 64, NULL), STOA_OK);
    }
    assert_int_equal(stoa_alloc_zeroed(&array.values, 1, nbytes + STOA_ARRAY_SLACK, NULL), STOA_OK);
    if (values != NULL)
        memcpy(array.values, values, nbytes);
    if (stoa_type_width(&parsed) == 0) {
        assert_int_equal(stoa_alloc_zeroed(&array.offsets, 2 + 16, sizeof(int32_t), NULL), STOA_OK);
        array.offsets[1] = values != NULL ? (int32_t)nbytes : 0;
    }
    stoa_type_reset(&parsed);
    return array;
}

/* Encodes one row of one column with a kept schema of root `kept`. */
static enum stoa_status encode(const char *kept, const char *type, bool nullable,
                               struct stoa_array *array, struct stoa_error *err)
{
    struct stoa_schema schema = {0};
    struct stoa_avro_schema parsed = {0};
    struct stoa_avro_encoder encoder = {0};
    struct stoa_avro_rows rows = {0};
    struct stoa_batch batch;
    enum stoa_status st;

    add(&schema, "value", type, nullable);
    assert_int_equal(stoa_avro_schema_parse(kept, strlen(kept), &parsed, err), STOA_OK);
    st = stoa_avro_encoder_init(&encoder, &parsed, &schema, err);
    if (st == STOA_OK) {
        assert_int_equal(stoa_batch_init(&batch, &schema, NULL), STOA_OK);
        batch.columns[0] = *array;
        *array = (struct stoa_array){0};
        batch.nrows = 1;
        st = stoa_avro_encode(&encoder, &batch, 100, &rows, err);
        stoa_batch_reset(&batch);
    }
    stoa_array_reset(array);
    stoa_avro_rows_reset(&rows);
    stoa_avro_encoder_reset(&encoder);
    stoa_avro_schema_reset(&parsed);
    stoa_schema_reset(&schema);
    return st;
}

static void values_that_a_kept_schema_does_not_have_are_refused(void **state)
{
    (void)state;
    static const char both[] = "[\"int\",\"string\"]";
    static const char columns[] = "struct<tag:enum(int,string) not null,int:int32,string:utf8>";
    struct stoa_array array, parts[3];
    struct stoa_error err;

    array = leaf("binary", "abc", 3);
    assert_int_equal(
        encode("{\"type\":\"fixed\",\"name\":\"f\",\"size\":70000}", "binary", false, &array, &err),
        STOA_ERR_DATA);
    assert_string_equal(err.message, "field value: 3 bytes: the type is fixed(70000)");

    array = leaf("utf8", "{\"n\":[1]}", 9);
    assert_int_equal(
        encode("[\"null\"," RECORD(FIELD("n", ARRAY("\"r\""))) "]", "utf8", true, &array, &err),
        STOA_ERR_DATA);
    assert_string_equal(err.message, "field value: JSON, at byte 6: '{' is expected");

    for (unsigned tag = 0; tag < 2; tag++) {
        parts[0] = leaf("enum(int,string)", &tag, 4);
        parts[1] = leaf("int32", "\x07\0\0\0", 4);
        parts[2] = leaf("utf8", NULL, 0);
        array = (struct stoa_array){.nvalues = 1, .nchildren = 3};
        assert_int_equal(stoa_alloc_zeroed(&array.children, 3, sizeof(array), NULL), STOA_OK);
        memcpy(array.children, parts, sizeof(parts));
        assert_int_equal(encode(both, columns, false, &array, &err),
                         tag == 0 ? STOA_OK : STOA_ERR_DATA);
    }
    assert_string_equal(err.message,
                        "field value: the tag of the union says a member that is null");
}

static void a_schema_of_other_columns_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *type, *wrong;
    } cases[] = {
        {"\"int\"", "utf8", "field \"value\" can't be written as Avro's int"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":2}", "fixed_binary(3)",
         "field \"value\" can't be written as Avro's fixed"},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\"]}", "enum(a,b)",
         "field \"value\" can't be written as Avro's enum"},
        {"[\"int\",\"string\"]", "int32", "field \"value\" can't be written as Avro's union"},
        {"\"int\"", "list<int32>", "field \"value\" can't be written as Avro's int"},
        {"\"int\"", "map<utf8,int32>", "field \"value\" can't be written as Avro's int"},
        {MAP("\"int\""), "list<int32>", "field \"value\" can't be written as Avro's map"},
        {ARRAY("\"int\""), "map<utf8,int32>", "a record has other fields than 2 columns"},
        {RECORD(""), "int32", "a record has other fields than 1 columns"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_array none = {0};
        struct stoa_error err;

        assert_int_equal(encode(cases[i].schema, cases[i].type, false, &none, &err),
                         STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].wrong);
    }
}

/* ---- Faults ---- */

static enum stoa_status parse_with_faults(void *context, struct stoa_error *err)
{
    struct stoa_buffer out = {0};
    enum stoa_status st = parse(
        RECORD(FIELD("a", ARRAY("[\"null\",\"bytes\",\"r\"]")) "," FIELD("b", MAP("\"string\""))),
        "{\"a\":[null,{\"bytes\":\"\\u00ff\"},{\"r\":{\"a\":[],\"b\":{}}}],"
        "\"b\":{\"\\\"\":\"\\n\"}}",
        &out, err);

    (void)context;
    stoa_buffer_free(&out);
    return st;
}

static enum stoa_status make_with_faults(void *context, struct stoa_error *err)
{
    struct stoa_buffer out = {0};
    enum stoa_status st = stoa_avro_make_schema(context, "t", &out, NULL, err);

    stoa_buffer_free(&out);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};

    stoa_test_each_failing_alloc(parse_with_faults, NULL);
    add(&schema, "b", "utf8", true);
    assert_int_equal(
        stoa_metadata_set(&schema.metadata, STOA_AVRO_METADATA_SCHEMA,
                          RECORD(FIELD("a", "\"int\"") "," FIELD("b", "[\"null\",\"string\"]")),
                          NULL),
        STOA_OK);
    stoa_test_each_failing_alloc(make_with_faults, &schema);
    stoa_schema_reset(&schema);
}

static void a_write_that_fails_is_reported(void **state)
{
    (void)state;
    const struct stoa_avro_write_options options = {.codec = "null"};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_test_random r;

    stoa_test_random_seed(&r, 3);
    add(&schema, "a", "int64", false);
    for (uint64_t fail_at = 1; fail_at <= 3; fail_at++) { /* header, block, marker */
        struct stoa_test_io_fault fault = {.fail_at = fail_at, .os_errno = ENOSPC};
        struct stoa_batch_sink *sink;
        struct stoa_sink *memory;
        struct stoa_error err;
        void *item;

        stoa_test_gen_batch(&r, &schema, 10, &batch);
        assert_int_equal(stoa_sink_create_memory(&memory, NULL), STOA_OK);
        memory = stoa_test_faulty_sink(memory, &fault);
        assert_int_equal(stoa_avro_sink_open(memory, &schema, "t", &options, &sink, NULL), STOA_OK);
        assert_int_equal(sink->prepare(sink, 0, &batch, &item, NULL), STOA_OK);
        assert_int_equal(sink->sequence(sink, item, NULL), STOA_OK);
        assert_int_equal(sink->encode(sink, item, NULL), STOA_OK);
        assert_int_equal(sink->commit(sink, item, NULL), STOA_OK); /* all rows wait */
        assert_int_equal(sink->finish(sink, &err), STOA_ERR_IO);
        assert_int_equal(err.os_errno, ENOSPC);
        sink->close(sink);
        stoa_sink_close(memory);
        stoa_batch_reset(&batch);
    }
    stoa_schema_reset(&schema);
}

static void kept_metadata_that_is_damaged_is_refused(void **state)
{
    (void)state;
    const struct stoa_avro_write_options options = {0};
    struct stoa_schema schema = {0};
    struct stoa_batch_sink *sink;
    struct stoa_sink *memory;
    struct stoa_error err;

    add(&schema, "a", "int64", false);
    assert_int_equal(stoa_metadata_set(&schema.metadata, "avro.base64:k", "no!", NULL), STOA_OK);
    assert_int_equal(stoa_sink_create_memory(&memory, NULL), STOA_OK);
    assert_int_equal(stoa_avro_sink_open(memory, &schema, "t", &options, &sink, &err),
                     STOA_ERR_USAGE);
    assert_string_equal(err.message, "metadata \"avro.base64:k\" is no base64");
    stoa_sink_close(memory);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_schema_is_used_as_long_as_it_goes_with_the_columns),
        cmocka_unit_test(names_of_types_are_told_apart),
        cmocka_unit_test(json_text_says_values),
        cmocka_unit_test(json_text_of_something_else_is_refused),
        cmocka_unit_test(json_text_that_is_too_deep_is_refused),
        cmocka_unit_test(items_of_json_text_without_bytes_are_counted),
        cmocka_unit_test(a_list_of_many_items_has_its_count_in_front),
        cmocka_unit_test(values_that_a_kept_schema_does_not_have_are_refused),
        cmocka_unit_test(a_schema_of_other_columns_is_refused),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_write_that_fails_is_reported),
        cmocka_unit_test(kept_metadata_that_is_damaged_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
