/* Values of one schema of Avro read as those of another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "avro/avro_match.h"
#include "base/alloc.h"
#include "support/fault_alloc.h"
#include "support/read_avro.h"

#define RECORD(fields)      "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, type)   "{\"name\":\"" name "\",\"type\":" type "}"
#define GIVEN(type, given)  "{\"name\":\"d\",\"type\":" type ",\"default\":" given "}"
#define ARRAY(items)        "{\"type\":\"array\",\"items\":" items "}"
#define MAP(values)         "{\"type\":\"map\",\"values\":" values "}"
#define ENUM(name, more)    "{\"type\":\"enum\",\"name\":\"" name "\"," more "}"
#define FIXED(name, more)   "{\"type\":\"fixed\",\"name\":\"" name "\",\"size\":" more "}"
#define LOGICAL(type, name) "{\"type\":\"" type "\",\"logicalType\":\"" name "\"}"
#define DECIMAL(p, s)                                                                              \
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":" p ",\"scale\":" s "}"
#define DECIMAL_OF(name, size, p, s)                                                               \
    FIXED(name, size ",\"logicalType\":\"decimal\",\"precision\":" p ",\"scale\":" s)
#define DATA(text) text, sizeof(text) - 1

/* Rows as JSON, or the message. */
static void read_as(const char *writer, const char *reader, const char *data, size_t nbytes,
                    size_t nrows, char *out, size_t nout)
{
    struct stoa_test_avro avro;
    struct stoa_error err = {0};
    size_t used = 0;

    out[0] = '\0';
    if (stoa_test_resolve_avro(writer, strlen(writer), reader, strlen(reader), data, nbytes, nrows,
                               &avro, &err) != STOA_OK) {
        snprintf(out, nout, "%s", err.message);
        stoa_test_avro_reset(&avro);
        return;
    }
    for (size_t i = 0; i < avro.batch.nrows; i++)
        for (uint32_t c = 0; c < avro.batch.ncolumns; c++) {
            char *text;

            assert_int_equal(stoa_array_print_json(&avro.schema.fields[c], &avro.batch.columns[c],
                                                   i, &text, NULL),
                             STOA_OK);
            used += (size_t)snprintf(out + used, nout - used, "%s%s", used > 0 ? " " : "", text);
            assert_true(used < nout);
            stoa_free(text);
        }
    stoa_test_avro_reset(&avro);
}

struct read_case {
    const char *writer, *reader;
    const char *data;
    size_t nbytes;
    size_t nrows;
    const char *expected;
};

static void check(const struct read_case *cases, size_t ncases)
{
    char got[2048];

    for (size_t i = 0; i < ncases; i++) {
        const struct read_case *one = &cases[i];

        read_as(one->writer, one->reader, one->data, one->nbytes, one->nrows, got, sizeof(got));
        if (strcmp(got, one->expected) != 0)
            fail_msg("%s as %s: %s, not %s", one->writer, one->reader, got, one->expected);
    }
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof((cases)[0]))

static void values_without_parts_are_promoted(void **state)
{
    (void)state;
    static const struct read_case cases[] = {
        {"\"int\"", "\"long\"", DATA("\x01\x02"), 2, "-1 1"},
        {"\"int\"", "\"long\"", DATA("\x80\x80\x80\x80\x10"), 1,
         "row"}, /* more than 32 bits: below */
        {"\"int\"", "\"float\"", DATA("\x03"), 1, "-2.0"},
        {"\"int\"", "\"double\"", DATA("\x03"), 1, "-2.0"},
        {"\"long\"", "\"float\"", DATA("\x03"), 1, "-2.0"},
        {"\"long\"", "\"double\"", DATA("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 1,
         "9.223372036854776e18"},
        {"\"float\"", "\"double\"", DATA("\0\0\x80\xbf"), 1, "-1.0"},
        {"\"string\"", "\"bytes\"", DATA("\x04\xc3\xa9"), 1, "\"w6k=\""},
        {"\"string\"", "\"bytes\"", DATA("\x04\xc3\x41"), 1, "field value: the text is not UTF-8"},
        {"\"bytes\"", "\"string\"", DATA("\x04\xc3\xa9"), 1, "\"\xc3\xa9\""},
        {"\"bytes\"", "\"string\"", DATA("\x02\xff"), 1, "field value: the text is not UTF-8"},
        {"\"int\"", LOGICAL("long", "timestamp-millis"), DATA("\x02"), 1,
         "\"1970-01-01T00:00:00.001Z\""},
        {LOGICAL("int", "date"), "\"long\"", DATA("\x02"), 1, "1"},
        {LOGICAL("string", "uuid"), "\"bytes\"", DATA("\x02x"), 1, "\"eA==\""},
        {"\"string\"", LOGICAL("string", "uuid"), DATA("\x02x"), 1,
         "field value: the text is no uuid"},
        {ENUM("e", "\"symbols\":[\"a\",\"b\",\"c\"]"),
         ENUM("e", "\"symbols\":[\"c\",\"x\",\"b\"],\"default\":\"x\""), DATA("\x00\x02\x04"), 3,
         "\"x\" \"b\" \"c\""},
        {ENUM("a.e", "\"symbols\":[\"a\",\"b\"]"), ENUM("b.e", "\"symbols\":[\"b\"]"), DATA("\x02"),
         1, "\"b\""},
        {ENUM("e", "\"symbols\":[\"a\",\"b\"]"), ENUM("e", "\"symbols\":[\"b\"]"), DATA("\x00"), 1,
         "field value: the symbol \"a\" of the file is none of the schema, nor is there a default"},
        {ENUM("e", "\"symbols\":[\"a\"]"), ENUM("f", "\"aliases\":[\"e\"],\"symbols\":[\"a\"]"),
         DATA("\x00"), 1, "\"a\""},
        {FIXED("f", "2"), FIXED("x.f", "2"), DATA("ab"), 1, "\"YWI=\""},
        {DECIMAL("9", "2"), DECIMAL("9", "2"), DATA("\x02\x05"), 1, "0.05"},
        {DECIMAL("9", "2"), DECIMAL_OF("f", "8", "9", "2"), DATA("\x02\x05"), 1, "0.05"},
        {DECIMAL_OF("g", "1", "2", "1"), DECIMAL("2", "1"), DATA("\xff"), 1, "-0.1"},
        {"\"bytes\"", DECIMAL("2", "1"), DATA("\x02\x63"), 1, "9.9"},
        {"\"bytes\"", DECIMAL("2", "1"), DATA("\x02\x64"), 1,
         "field value: the decimal has more digits than its type"},
        {FIXED("f", "2"), DECIMAL_OF("f", "2", "2", "1"), DATA("\0\x05"), 1, "0.5"},
        {DECIMAL_OF("g", "2", "2", "1"), DECIMAL_OF("f", "1", "2", "1"), DATA("\0\x05"), 1, "0.5"},
        {ARRAY("\"int\""), ARRAY("\"double\""), DATA("\x04\x02\x04\0"), 1, "[1.0,2.0]"},
        {MAP("\"int\""), MAP("[\"null\",\"long\"]"), DATA("\x02\x02k\x04\0"), 1,
         "[{\"key\":\"k\",\"value\":2}]"},
        {ARRAY("{\"type\":\"record\",\"name\":\"e\",\"fields\":[" FIELD(
             "value", "\"int\"") "," FIELD("key", "\"string\"") "]}"),
         "{\"type\":\"array\",\"logicalType\":\"map\",\"items\":{\"type\":\"record\",\"name\":"
         "\"e\",\"fields\":[" FIELD("key", "\"string\"") "," FIELD("value", "\"long\"") "]}}",
         DATA("\x02\x04\x02k\0"), 1, "[{\"key\":\"k\",\"value\":2}]"},
    };
    struct read_case fixed[sizeof(cases) / sizeof(cases[0])];

    memcpy(fixed, cases, sizeof(cases));
    fixed[1].expected = "field value: 2147483648 is no int of 32 bits";
    CHECK(fixed);
}

static void what_does_not_match_is_named_in_both_schemas(void **state)
{
    (void)state;
    static const struct read_case cases[] = {
        {"\"long\"", "\"int\"", DATA(""), 0,
         "field value: long of the file can't be read as int of the schema"},
        {"\"string\"", "\"int\"", DATA(""), 0,
         "field value: string of the file can't be read as int of the schema"},
        {LOGICAL("long", "timestamp-millis"), LOGICAL("long", "timestamp-micros"), DATA(""), 0,
         "field value: long (timestamp-millis) of the file can't be read as long "
         "(timestamp-micros) of the schema"},
        {DECIMAL("9", "2"), DECIMAL("9", "3"), DATA(""), 0,
         "field value: decimal(9,2) of the file can't be read as decimal(9,3) of the schema"},
        {DECIMAL("9", "2"), "\"string\"", DATA(""), 0,
         "field value: decimal(9,2) of the file can't be read as string of the schema"},
        {FIXED("f", "2"), FIXED("f", "3"), DATA(""), 0,
         "field value: fixed \"f\" of 2 bytes of the file can't be read as fixed \"f\" of 3 bytes "
         "of the schema"},
        {FIXED("f", "2"), FIXED("g", "3"), DATA(""), 0,
         "field value: fixed \"f\" of 2 bytes of the file can't be read as fixed \"g\" of 3 bytes "
         "of the schema"},
        {ENUM("e", "\"symbols\":[\"a\"]"), ENUM("f", "\"symbols\":[\"a\"]"), DATA(""), 0,
         "field value: enum \"e\" of the file can't be read as enum \"f\" of the schema: an alias "
         "there would make them match"},
        {RECORD(FIELD("cost", ARRAY("\"string\""))),
         RECORD("{\"name\":\"fare\",\"aliases\":[\"cost\"],\"type\":" ARRAY("\"int\"") "}"),
         DATA(""), 0,
         "field cost[] (fare[] in the schema): string of the file can't be read as int of the "
         "schema"},
        {RECORD(FIELD("a", "\"int\"")), RECORD(FIELD("b", "\"int\"")), DATA(""), 0,
         "field b of the schema: the file has no such field, and there is no default"},
        {"[\"null\",\"string\"]", "\"int\"", DATA(""), 0,
         "field value: union of the file can't be read as int of the schema"},
        {"[\"null\",\"int\"]", "\"int\"", DATA("\0"), 1,
         "field value: \"null\" is a branch of the file that the schema has no type for"},
        {"[\"string\",\"int\"]", "[\"null\",\"int\"]", DATA("\0\x02x"), 1,
         "field value: \"string\" is a branch of the file that the schema has no type for"},
        {"[\"null\"," RECORD("") "]", RECORD(""), DATA("\0"), 1,
         "the row: \"null\" is a branch of the file that the schema has no type for"},
    };

    CHECK(cases);
}

static void fields_go_by_name_then_by_alias_then_by_default(void **state)
{
    (void)state;
    static const struct read_case cases[] = {
        {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"string\"") "," FIELD("c", "\"int\"")),
         RECORD(FIELD("c", "\"long\"") "," FIELD("a", "\"int\"")), DATA("\x02\x02x\x04"), 1, "2 1"},
        {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"int\"")),
         RECORD("{\"name\":\"x\",\"aliases\":[\"a\",\"b\"],\"type\":\"int\"},"
                "{\"name\":\"b\",\"aliases\":[\"a\"],\"type\":\"int\"}"),
         DATA("\x02\x04"), 1, "1 2"},
        /* The name of a root is of no matter, that of a record inside is. */
        {"{\"type\":\"record\",\"name\":\"other\",\"fields\":[" FIELD("a", "\"int\"") "]}",
         RECORD(FIELD("a", "\"int\"")), DATA("\x02"), 1, "1"},
        {RECORD(FIELD("a", "{\"type\":\"record\",\"name\":\"p\",\"fields\":[]}")),
         RECORD(FIELD("a", "{\"type\":\"record\",\"name\":\"q\",\"fields\":[]}")), DATA(""), 0,
         "field a: record \"p\" of the file can't be read as record \"q\" of the schema: an alias "
         "there would make them match"},
        {RECORD(FIELD(
             "a", "{\"type\":\"record\",\"name\":\"p\",\"fields\":[" FIELD("x", "\"int\"") "]}")),
         RECORD(FIELD("a", "{\"type\":\"record\",\"name\":\"n.p\",\"fields\":[" GIVEN(
                               "\"int\"", "7") "," FIELD("x", "\"int\"") "]}")),
         DATA("\x02"), 1, "{\"d\":7,\"x\":1}"},
    };

    CHECK(cases);
}

static void defaults_of_every_type_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *type, *given, *expected;
    } cases[] = {
        {"\"null\"", "null", "null"},
        {"\"boolean\"", "true", "true"},
        {"\"int\"", "-2147483648", "-2147483648"},
        {"\"int\"", "2147483648", NULL},
        {"\"int\"", "1.0", NULL},
        {"\"long\"", "9223372036854775807", "9223372036854775807"},
        {"\"float\"", "1.5", "1.5"},
        {"\"float\"", "2", "2.0"},
        {"\"float\"", "1e300", NULL},
        {"\"float\"", "\"-Infinity\"", "\"-Infinity\""},
        {"\"double\"", "\"-Infinity\"", "\"-Infinity\""},
        {"\"double\"", "\"x\"", NULL},
        {"\"bytes\"", "\"\\u00ff\\u0000\"", "\"/wA=\""},
        {"\"bytes\"", "\"\\u0100\"", NULL},
        {"\"string\"", "\"\\u20ac\"", "\"\xe2\x82\xac\""},
        {"\"string\"", "null", NULL},
        {FIXED("f", "2"), "\"ab\"", "\"YWI=\""},
        {FIXED("f", "2"), "\"abc\"", NULL},
        {ENUM("e", "\"symbols\":[\"a\",\"b\"]"), "\"b\"", "\"b\""},
        {ENUM("e", "\"symbols\":[\"a\",\"b\"]"), "\"b\\u0000c\"", NULL},
        {ENUM("e", "\"symbols\":[\"a\",\"b\"],\"default\":\"a\""), "\"c\"", NULL},
        {ARRAY("\"int\""), "[1,2]", "[1,2]"},
        {ARRAY("\"int\""), "[]", "[]"},
        {ARRAY("\"int\""), "[\"a\"]", NULL},
        {MAP("\"int\""), "{\"k\":1}", "[{\"key\":\"k\",\"value\":1}]"},
        {MAP("\"int\""), "[]", NULL},
        {"{\"type\":\"record\",\"name\":\"q\",\"fields\":[" FIELD("x", "\"int\"") "," GIVEN(
             "\"int\"", "7") "]}",
         "{\"x\":1}", "{\"x\":1,\"d\":7}"},
        {"{\"type\":\"record\",\"name\":\"q\",\"fields\":[" FIELD("x", "\"int\"") "]}", "{}", NULL},
        {"[\"null\",\"int\"]", "null", "null"},
        {"[\"null\",\"int\"]", "3", "3"}, /* 1.12: of any branch */
        {"[\"int\",\"null\"]", "null", "null"},
        {"[\"int\",\"string\"]", "\"x\"", "{\"tag\":\"string\",\"int\":null,\"string\":\"x\"}"},
        {"[\"int\",\"string\"]", "true", NULL},
        {LOGICAL("int", "date"), "1", "\"1970-01-02\""},
        {DECIMAL("3", "1"), "\"\\u0005\"", "0.5"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char reader[512], expected[512], got[512];

        snprintf(reader, sizeof(reader), RECORD("{\"name\":\"d\",\"type\":%s,\"default\":%s}") "",
                 cases[i].type, cases[i].given);
        read_as(RECORD(""), reader, "", 0, 2, got, sizeof(got));
        if (cases[i].expected != NULL) {
            snprintf(expected, sizeof(expected), "%s %s", cases[i].expected, cases[i].expected);
            assert_string_equal(got, expected);
        } else if (strstr(got, "field d of the schema: the default ") != got ||
                   strstr(got, " is no value of its type ") == NULL) {
            fail_msg("%s: %s", reader, got);
        }
    }
}

static void unions_meet_in_all_ways(void **state)
{
    (void)state;
    static const struct read_case cases[] = {
        {"\"int\"", "[\"null\",\"int\"]", DATA("\x02"), 1, "1"},
        {"\"null\"", "[\"null\",\"int\"]", DATA(""), 1, "null"},
        {"\"int\"", "[\"double\"]", DATA("\x02"), 1, "1.0"},
        {"[\"int\"]", "\"long\"", DATA("\0\x02"), 1, "1"},
        {"[\"int\"]", "[\"long\",\"null\"]", DATA("\0\x02"), 1, "1"},
        {"[\"null\",\"int\"]", "\"long\"", DATA("\x02\x02"), 1, "1"},
        {"[\"null\",\"int\"]", "[\"double\",\"null\"]", DATA("\x02\x02\0"), 2, "1.0 null"},
        {"[\"int\",\"long\"]", "\"double\"", DATA("\x02\x02\0\x04"), 2, "1.0 2.0"},
        {"[\"int\",\"float\",\"null\"]", "[\"null\",\"double\"]",
         DATA("\0\x02\x04\x02\0\0\x80\x3f"), 3, "1.0 null 1.0"},
        {"\"string\"", "[\"int\",\"string\"]", DATA("\x02x"), 1,
         "{\"tag\":\"string\",\"int\":null,\"string\":\"x\"}"},
        {"\"null\"", "[\"int\",\"null\",\"string\"]", DATA(""), 1, "null"},
        {"[\"null\",\"string\"]", "[\"int\",\"string\",\"null\"]", DATA("\0\x02\x02x"), 2,
         "null {\"tag\":\"string\",\"int\":null,\"string\":\"x\"}"},
        /* The same type comes before a promotion, of promotions the first. */
        {"\"int\"", "[\"double\",\"int\"]", DATA("\x02"), 1,
         "{\"tag\":\"int\",\"double\":null,\"int\":1}"},
        {"\"int\"", "[\"double\",\"long\"]", DATA("\x02"), 1,
         "{\"tag\":\"double\",\"double\":1.0,\"long\":null}"},
        {"[\"double\",\"int\"]", "[\"double\",\"int\"]", DATA("\x02\x02"), 1,
         "{\"tag\":\"int\",\"double\":null,\"int\":1}"},
        /* A full name comes before a simple one. */
        {ENUM("b.e", "\"symbols\":[\"x\"]"),
         "[" ENUM("a.e", "\"symbols\":[\"x\"]") "," ENUM("b.e", "\"symbols\":[\"x\"]") "]",
         DATA("\0"), 1, "{\"tag\":\"b.e\",\"a.e\":null,\"b.e\":\"x\"}"},
        {ARRAY("[\"int\",\"string\"]"), ARRAY("[\"string\",\"long\"]"),
         DATA("\x04\0\x02\x02\x02x\0"), 1,
         "[{\"tag\":\"long\",\"string\":null,\"long\":1},{\"tag\":\"string\",\"string\":\"x\","
         "\"long\":null}]"},
        {"[\"null\"," RECORD(FIELD("a", "\"int\"")) "]", RECORD(FIELD("a", "\"long\"")),
         DATA("\x02\x02"), 1, "1"},
        {RECORD(FIELD("a", "\"int\"")), "[\"null\"," RECORD(FIELD("a", "\"long\"")) "]",
         DATA("\x02"), 1, "{\"a\":1}"},
    };

    CHECK(cases);
}

#define TREE(name, more)                                                                           \
    "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" more                                 \
    "{\"name\":\"next\",\"type\":[\"null\",\"" name "\"]}]}"

static void types_that_hold_themselves_become_json_of_the_reader(void **state)
{
    (void)state;
    static const struct read_case cases[] = {
        {RECORD(FIELD("a", TREE("t", FIELD("x", "\"int\"") "," FIELD("y", "\"string\"") ","))),
         RECORD(FIELD("a",
                      "{\"type\":\"record\",\"name\":\"u\",\"aliases\":[\"t\"],\"fields\":["
                      "{\"name\":\"z\",\"aliases\":[\"x\"],\"type\":\"double\"}," GIVEN(
                          ARRAY("\"int\""), "[1]") "," FIELD("next", "[\"u\",\"null\"]") "]}")),
         DATA("\x02\x02s\x02\x04\x02t\0"), 1,
         "\"{\\\"z\\\":1.0,\\\"next\\\":{\\\"u\\\":{\\\"z\\\":2.0,\\\"next\\\":null,\\\"d\\\":[1]}}"
         ","
         "\\\"d\\\":[1]}\""},
        /* The root's own fields are columns; what it holds of itself is text. */
        {TREE("r", FIELD("x", "\"int\"") ","), TREE("r", FIELD("x", "\"long\"") ","),
         DATA("\x02\x02\x04\0"), 1, "1 \"{\\\"x\\\":2,\\\"next\\\":null}\""},
        {RECORD(FIELD("a", TREE("t", FIELD("x", "[\"int\",\"string\"]") ","))),
         RECORD(FIELD("a", TREE("t", FIELD("x", "\"bytes\"") ","))), DATA("\x02\x02s\0"), 1,
         "\"{\\\"x\\\":\\\"s\\\",\\\"next\\\":null}\""},
        {RECORD(FIELD("a", TREE("t", FIELD("x", "[\"int\",\"string\"]") ","))),
         RECORD(FIELD("a", TREE("t", FIELD("x", "\"bytes\"") ","))), DATA("\x00\x02\0"), 1,
         "field a: \"int\" is a branch of the file that the schema has no type for"},
        {RECORD(FIELD("a", TREE("t", FIELD("x", ENUM("e", "\"symbols\":[\"a\",\"b\"]")) ","))),
         RECORD(FIELD("a", TREE("t", FIELD("x", ENUM("e", "\"symbols\":[\"b\"]")) ","))),
         DATA("\x02\0\x00\0"), 2,
         "field a: the symbol \"a\" of the file is none of the schema, nor is there a default"},
        /* Deeper than the reader looks. */
        {RECORD(FIELD("a", TREE("t", FIELD("x", "\"int\"") ","))),
         RECORD(FIELD(
             "a", "{\"type\":\"record\",\"name\":\"t\",\"fields\":[" FIELD("x", "\"int\"") "]}")),
         DATA("\x02\x02\x04\x02\x06\0"), 1, "{\"x\":1}"},
    };

    CHECK(cases);
}

/* A record that holds itself behind n others: n0.r { a: n1.r { a: n2.r ... { a: n0.r } } }. */
static struct stoa_buffer ring(unsigned n)
{
    struct stoa_buffer out = {0};
    char text[96];

    for (unsigned i = 0; i < n; i++) {
        const int nbytes = snprintf(text, sizeof(text),
                                    "{\"type\":\"record\",\"name\":\"n%u.r\",\"fields\":["
                                    "{\"name\":\"a\",\"type\":",
                                    i);

        assert_int_equal(stoa_buffer_append(&out, text, (size_t)nbytes, NULL), STOA_OK);
    }
    assert_int_equal(stoa_buffer_append(&out, "[\"null\",\"n0.r\"]", 15, NULL), STOA_OK);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(stoa_buffer_append(&out, "}]}", 3, NULL), STOA_OK);
    return out;
}

/* Rings of 80 and 79 records meet in 6,320 pairs, each below the one before. */
static void rings_of_types_are_matched_in_bounded_depth(void **state)
{
    (void)state;
    struct stoa_buffer one = ring(80), other = ring(79);
    struct stoa_avro_resolution resolution;
    struct stoa_avro_schema from, to;
    struct stoa_error err = {0};

    assert_int_equal(stoa_avro_schema_parse((char *)one.data, one.nbytes, &from, &err), STOA_OK);
    assert_int_equal(stoa_avro_schema_parse((char *)other.data, other.nbytes, &to, &err), STOA_OK);
    assert_int_equal(stoa_avro_resolve(&resolution, &from, &to, &err), STOA_OK);
    assert_true(resolution.nmatches >= 6320 && resolution.nmatches < 7000);
    stoa_avro_resolution_reset(&resolution);
    stoa_avro_schema_reset(&from);
    stoa_avro_schema_reset(&to);
    stoa_buffer_free(&one);
    stoa_buffer_free(&other);
}

static void a_default_that_holds_itself_is_refused(void **state)
{
    (void)state;
    static const struct read_case cases[] = {
        {RECORD(""),
         RECORD("{\"name\":\"a\",\"default\":{},\"type\":{\"type\":\"record\",\"name\":\"t\","
                "\"fields\":[{\"name\":\"x\",\"type\":\"t\",\"default\":{}},"
                "{\"name\":\"y\",\"type\":\"t\",\"default\":{}}]}}"),
         DATA(""), 1, "field a of the schema: a default nested too deep"},
    };

    CHECK(cases);
}

static void append(struct stoa_buffer *out, const char *text)
{
    assert_int_equal(stoa_buffer_append(out, text, strlen(text), NULL), STOA_OK);
}

/* The message of resolving one schema to the other, both of which are freed. */
static void check_limit(struct stoa_buffer *writer, struct stoa_buffer *reader, const char *message)
{
    struct stoa_avro_resolution resolution = {0};
    struct stoa_avro_schema from, to;
    struct stoa_error err = {0};

    assert_int_equal(stoa_avro_schema_parse((char *)writer->data, writer->nbytes, &from, &err),
                     STOA_OK);
    assert_int_equal(stoa_avro_schema_parse((char *)reader->data, reader->nbytes, &to, &err),
                     STOA_OK);
    assert_int_equal(stoa_avro_resolve(&resolution, &from, &to, &err), STOA_ERR_LIMIT);
    assert_string_equal(err.message, message);
    stoa_avro_schema_reset(&from);
    stoa_avro_schema_reset(&to);
    stoa_buffer_free(writer);
    stoa_buffer_free(reader);
}

/* 1,000 items of which each gets a text of 100,000 bytes. */
static void defaults_have_a_limit_in_bytes(void **state)
{
    (void)state;
    struct stoa_buffer writer = {0}, reader = {0};

    append(&writer, RECORD(""));
    append(&reader, "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":{"
                    "\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"i\",\"fields\":["
                    "{\"name\":\"s\",\"type\":\"string\",\"default\":\"");
    for (unsigned i = 0; i < 10000; i++)
        append(&reader, "0123456789");
    append(&reader, "\"}]}},\"default\":[{}");
    for (unsigned i = 1; i < 1000; i++)
        append(&reader, ",{}");
    append(&reader, "]}]}");
    check_limit(&writer, &reader, "field a of the schema: a default of too many values or bytes");
}

/* One enum of 40,000 symbols read as 30 others. */
static void what_the_schemas_meet_in_has_a_limit(void **state)
{
    (void)state;
    struct stoa_buffer writer = {0}, reader = {0};
    char text[160];

    append(&writer, "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"f0\",\"type\":{"
                    "\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\"");
    for (unsigned i = 1; i < 40000; i++) {
        snprintf(text, sizeof(text), ",\"s%u\"", i);
        append(&writer, text);
    }
    append(&writer, "]}}");
    append(&reader, "{\"type\":\"record\",\"name\":\"r\",\"fields\":[");
    for (unsigned i = 0; i < 30; i++) {
        snprintf(text, sizeof(text), ",{\"name\":\"f%u\",\"type\":\"e\"}", i);
        append(&writer, i > 0 ? text : "");
        snprintf(text, sizeof(text),
                 "%s{\"name\":\"f%u\",\"type\":{\"type\":\"enum\",\"name\":\"n%u.e\",\"symbols\":["
                 "\"a\"]}}",
                 i > 0 ? "," : "", i, i);
        append(&reader, text);
    }
    append(&writer, "]}");
    append(&reader, "]}");
    check_limit(&writer, &reader,
                "the schemas meet in more than 1048576 fields, branches and symbols");
}

/* 600,000 records inside a value of JSON get eight fields: more than may be without bytes. */
static void defaults_of_json_with_bytes_are_not_counted_as_empty(void **state)
{
    (void)state;
#define KIDS      FIELD("kids", ARRAY("\"n\""))
#define ONE(name) "{\"name\":\"" name "\",\"type\":\"int\",\"default\":0}"
#define NODE(more)                                                                                 \
    RECORD(FIELD("t", "{\"type\":\"record\",\"name\":\"n\",\"fields\":[" KIDS more "]}"))
    static const char writer[] = NODE("");
    static const char reader[] = NODE("," ONE("a") "," ONE("b") "," ONE("c") "," ONE("d") "," ONE(
        "e") "," ONE("f") "," ONE("g") "," ONE("h"));
    enum { NKIDS = 600000 };
    struct stoa_test_avro avro;
    struct stoa_error err = {0};
    uint8_t *data;

    assert_int_equal(stoa_alloc_zeroed(&data, NKIDS + 4, 1, NULL), STOA_OK);
    memcpy(data, "\x80\x9f\x49", 3); /* 600,000 in zigzag, each of no items, and the end */
    assert_int_equal(stoa_test_resolve_avro(writer, strlen(writer), reader, strlen(reader),
                                            (char *)data, NKIDS + 4, 1, &avro, &err),
                     STOA_OK);
    assert_int_equal(avro.batch.nrows, 1);
    stoa_test_avro_reset(&avro);
    stoa_free(data);
}

static enum stoa_status resolve(void *context, struct stoa_error *err)
{
    static const char writer[] = RECORD(FIELD("a", "[\"null\",\"int\"]") "," FIELD(
        "e", ENUM("e", "\"symbols\":[\"a\",\"b\"]")) "," FIELD("s", ARRAY("\"string\"")));
    static const char reader[] = RECORD(FIELD("a", "[\"double\",\"null\"]") "," FIELD(
        "e", ENUM("e", "\"symbols\":[\"b\",\"a\"]")) "," GIVEN(MAP("\"int\""), "{\"k\":1}"));
    struct stoa_test_avro avro;
    enum stoa_status st;

    (void)context;
    st = stoa_test_resolve_avro(writer, strlen(writer), reader, strlen(reader),
                                "\x02\x02\x02\x02\x02x\0", 7, 1, &avro, err);
    stoa_test_avro_reset(&avro);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(resolve, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_without_parts_are_promoted),
        cmocka_unit_test(what_does_not_match_is_named_in_both_schemas),
        cmocka_unit_test(fields_go_by_name_then_by_alias_then_by_default),
        cmocka_unit_test(defaults_of_every_type_are_read),
        cmocka_unit_test(unions_meet_in_all_ways),
        cmocka_unit_test(types_that_hold_themselves_become_json_of_the_reader),
        cmocka_unit_test(rings_of_types_are_matched_in_bounded_depth),
        cmocka_unit_test(a_default_that_holds_itself_is_refused),
        cmocka_unit_test(defaults_have_a_limit_in_bytes),
        cmocka_unit_test(what_the_schemas_meet_in_has_a_limit),
        cmocka_unit_test(defaults_of_json_with_bytes_are_not_counted_as_empty),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
