/* Schemas of Avro in memory: read, printed, refused, and their fingerprints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "avro/avro_type.h"
#include "support/fault_alloc.h"

static const char trip[] =
    "{\"type\":\"record\",\"name\":\"trip\",\"namespace\":\"city\",\"doc\":\"d\",\"fields\":["
    "{\"name\":\"fare\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\","
    "\"precision\":9,\"scale\":2}],\"default\":null},"
    "{\"name\":\"stops\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"map\","
    "\"values\":\"double\"}},\"order\":\"ignore\",\"aliases\":[\"halts\"],\"x\":[1,{\"y\":null}]},"
    "{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"kind\",\"aliases\":[\"city.old\"],"
    "\"symbols\":[\"a\",\"b\"],\"default\":\"a\"}},"
    "{\"name\":\"again\",\"type\":\"city.kind\"},"
    "{\"name\":\"id\",\"type\":{\"type\":\"fixed\",\"name\":\"id\",\"namespace\":\"other\","
    "\"size\":4}},"
    "{\"name\":\"next\",\"type\":[\"null\",\"city.trip\"]}]}";

static struct stoa_avro_schema parse(const char *text)
{
    struct stoa_avro_schema schema;
    struct stoa_error err = {0};

    if (stoa_avro_schema_parse(text, strlen(text), &schema, &err) != STOA_OK)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

static void assert_prints(const struct stoa_avro_schema *schema, const char *text)
{
    struct stoa_buffer out = {0};

    assert_int_equal(stoa_avro_schema_check(schema, NULL), STOA_OK);
    assert_int_equal(stoa_avro_schema_print(schema, &out, NULL), STOA_OK);
    assert_int_equal(stoa_buffer_append(&out, "", 1, NULL), STOA_OK);
    assert_string_equal((char *)out.data, text);
    stoa_buffer_free(&out);
}

static void everything_in_a_schema_is_kept(void **state)
{
    (void)state;
    struct stoa_avro_schema schema = parse(trip);
    const struct stoa_avro_type *root = schema.root;
    bool null_first;

    assert_prints(&schema, trip);
    assert_string_equal(root->name, "city.trip");
    assert_string_equal(root->doc, "d");
    assert_true(root->is_recursive);
    assert_int_equal(root->nfields, 6);
    assert_int_equal(stoa_avro_nullable(root->fields[0].type, &null_first)->logical,
                     STOA_AVRO_DECIMAL);
    assert_true(null_first);
    assert_string_equal(stoa_avro_attribute(&root->fields[1].attributes, "x"), "[1,{\"y\":null}]");
    assert_null(stoa_avro_attribute(&root->fields[1].attributes, "order"));
    assert_ptr_equal(root->fields[2].type, root->fields[3].type);
    assert_ptr_equal(root->fields[5].type->branches[1], root);
    stoa_avro_schema_reset(&schema);
}

static void foreign_schemas_are_read_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed; /* NULL: the strict rules refuse it, with: */
        const char *wrong;
    } cases[] = {
        {" \"int\" ", "\"int\"", NULL},
        {"{\"type\":{\"type\":\"int\"}}", "\"int\"", NULL},
        {"{\"type\":\"int\",\"logicalType\":\"date\"}",
         "{\"type\":\"int\",\"logicalType\":\"date\"}", NULL},
        {"{\"type\":\"int\",\"logicalType\":\"not-known\",\"a\":1e3}",
         "{\"type\":\"int\",\"logicalType\":\"not-known\",\"a\":1000.0}", NULL},
        {"{\"type\":\"error\",\"name\":\"e\",\"fields\":[]}",
         "{\"type\":\"error\",\"name\":\"e\",\"fields\":[]}", NULL},
        {"{\"type\":\"record\",\"name\":\"a.b.r\",\"namespace\":\"c\",\"fields\":["
         "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"f\",\"namespace\":\"\","
         "\"size\":0}},{\"name\":\"y\",\"type\":\"f\"}]}",
         "{\"type\":\"record\",\"name\":\"r\",\"namespace\":\"a.b\",\"fields\":["
         "{\"name\":\"x\",\"type\":{\"type\":\"fixed\",\"name\":\"f\",\"namespace\":\"\","
         "\"size\":0}},{\"name\":\"y\",\"type\":\"f\"}]}",
         NULL},
        {"{\"type\":\"record\",\"name\":\"\",\"fields\":[{\"name\":\"x\",\"type\":"
         "{\"type\":\"record\",\"name\":\"\",\"fields\":[]}}]}",
         NULL, "Avro schema: record \"\": Avro allows no type called \"\""},
        {"{\"type\":\"record\",\"name\":\"T\",\"namespace\":\"a.T$\",\"fields\":[]}", NULL,
         "Avro schema: record \"a.T$.T\": Avro allows no type called \"a.T$.T\""},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a b\",\"type\":\"int\"}]}",
         NULL, "Avro schema: record \"r\": Avro allows no field called \"a b\""},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
         "{\"name\":\"a\",\"type\":\"int\"}]}",
         NULL, "Avro schema: record \"r\": two fields are called \"a\""},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\",\"a\"]}", NULL,
         "Avro schema: enum \"e\": an enum has twice the symbol \"a\""},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\"],\"default\":\"b\"}", NULL,
         "Avro schema: enum \"e\": an enum has no symbol like its default \"b\""},
        {"[\"int\",\"long\",\"int\"]", NULL, "Avro schema: a union has two branches \"int\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_avro_schema schema = parse(cases[i].text);
        struct stoa_error err = {0};

        if (cases[i].printed != NULL) {
            assert_prints(&schema, cases[i].printed);
        } else {
            assert_int_equal(stoa_avro_schema_check(&schema, &err), STOA_ERR_USAGE);
            assert_string_equal(err.message, cases[i].wrong);
        }
        stoa_avro_schema_reset(&schema);
    }
}

static void a_logical_type_that_does_not_fit_is_ignored(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum stoa_avro_logical logical;
    } cases[] = {
#define TYPE(type, rest)  "{\"type\":\"" type "\",\"logicalType\":" rest "}"
#define FIXED(size, rest) TYPE("fixed", rest ",\"name\":\"f\",\"size\":" size)
        {TYPE("long", "\"timestamp-nanos\""), STOA_AVRO_TIMESTAMP_NANOS},
        {TYPE("int", "\"timestamp-nanos\""), STOA_AVRO_LOGICAL_NONE},
        {TYPE("bytes", "\"decimal\",\"precision\":3"), STOA_AVRO_DECIMAL},
        {TYPE("bytes", "\"decimal\",\"precision\":3,\"scale\":4"), STOA_AVRO_LOGICAL_NONE},
        {TYPE("bytes", "\"decimal\",\"precision\":0"), STOA_AVRO_LOGICAL_NONE},
        {TYPE("bytes", "\"decimal\",\"precision\":\"9\""), STOA_AVRO_LOGICAL_NONE},
        {TYPE("bytes", "\"decimal\",\"precision\":9,\"scale\":-1"), STOA_AVRO_LOGICAL_NONE},
        {TYPE("bytes", "\"decimal\""), STOA_AVRO_LOGICAL_NONE},
        {TYPE("string", "\"decimal\",\"precision\":3"), STOA_AVRO_LOGICAL_NONE},
        {TYPE("bytes", "7"), STOA_AVRO_LOGICAL_NONE},
        {FIXED("4", "\"decimal\",\"precision\":9"), STOA_AVRO_DECIMAL},
        {FIXED("4", "\"decimal\",\"precision\":10"), STOA_AVRO_LOGICAL_NONE},
        {FIXED("16", "\"decimal\",\"precision\":38"), STOA_AVRO_DECIMAL},
        {FIXED("0", "\"decimal\",\"precision\":1"), STOA_AVRO_LOGICAL_NONE},
        {FIXED("16", "\"uuid\""), STOA_AVRO_UUID},
        {FIXED("15", "\"uuid\""), STOA_AVRO_LOGICAL_NONE},
        {TYPE("string", "\"uuid\""), STOA_AVRO_UUID},
        {FIXED("12", "\"duration\""), STOA_AVRO_DURATION},
        {FIXED("13", "\"duration\""), STOA_AVRO_LOGICAL_NONE},
        {TYPE("array", "\"map\",\"items\":{\"type\":\"record\",\"name\":\"e\",\"fields\":["
                       "{\"name\":\"key\",\"type\":\"int\"},{\"name\":\"value\",\"type\":\"int\"}"
                       "]}"),
         STOA_AVRO_ENTRY_MAP},
        {TYPE("array", "\"map\",\"items\":\"int\""), STOA_AVRO_LOGICAL_NONE},
#undef FIXED
#undef TYPE
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_avro_schema schema = parse(cases[i].text);

        if (schema.root->logical != cases[i].logical)
            fail_msg("%s: %d", cases[i].text, schema.root->logical);
        stoa_avro_schema_reset(&schema);
    }
}

static void what_holds_itself_is_known(void **state)
{
    (void)state;
    /* a holds b, which holds a; c does by way of b, which was finished before; d is apart. */
    struct stoa_avro_schema schema =
        parse("{\"type\":\"record\",\"name\":\"top\",\"fields\":[{\"name\":\"a\",\"type\":"
              "{\"type\":\"record\",\"name\":\"a\",\"fields\":["
              "{\"name\":\"b\",\"type\":{\"type\":\"record\",\"name\":\"b\",\"fields\":["
              "{\"name\":\"back\",\"type\":[\"null\",\"a\"]}]}},"
              "{\"name\":\"c\",\"type\":{\"type\":\"record\",\"name\":\"c\",\"fields\":["
              "{\"name\":\"b\",\"type\":\"b\"}]}}]}},"
              "{\"name\":\"d\",\"type\":{\"type\":\"record\",\"name\":\"d\",\"fields\":["
              "{\"name\":\"a\",\"type\":\"a\"}]}}]}");
    unsigned nrecords = 0;

    for (size_t i = 0; i < schema.ntypes; i++) {
        const struct stoa_avro_type *type = schema.types[i];

        if (type->kind != STOA_AVRO_RECORD)
            continue;
        nrecords++;
        assert_int_equal(type->is_recursive, strchr("abc", type->name[0]) != NULL);
    }
    assert_int_equal(nrecords, 5);
    stoa_avro_schema_reset(&schema);
}

static void bad_documents_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wrong;
    } cases[] = {
        {"", "not JSON: line 1, column 0: unexpected token near end of file"},
        {"{\"type\":\"int\"", "not JSON: line 1, column 13: '}' expected near end of file"},
        {"7", "a type is a name, an object or a list of types"},
        {"{}", "an object without \"type\" is no type"},
        {"\"intt\"", "there is no type \"intt\""},
        {"[]", "a union without branches has no values"},
        {"[\"null\",[\"int\"]]", "a union stands right in a union"},
        {"{\"type\":\"array\"}", "items: a type is missing"},
        {"{\"type\":\"map\",\"values\":\"x\"}", "values: there is no type \"x\""},
        {"{\"type\":\"record\",\"fields\":[]}", "a type \"record\" has no name"},
        {"{\"type\":\"record\",\"name\":\"r\"}", "no list of fields in record \"r\""},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[7]}", "a field has no name"},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\"}]}",
         "field \"a\": a type is missing"},
        {"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":"
         "{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}}]}",
         "field \"a\": two types are called \"r\""},
        {"{\"type\":\"enum\",\"name\":\"e\"}", "no symbols in enum \"e\""},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[1]}",
         "a symbol that is no text in enum \"e\""},
        {"{\"type\":\"fixed\",\"name\":\"f\"}", "no size in fixed \"f\""},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}", "no size in fixed \"f\""},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":67108865}",
         "a fixed of 67108865 bytes: at most 67108864 are read"},
        {"{\"type\":\"fixed\",\"name\":1,\"size\":1}", "no text under \"name\""},
        {"{\"type\":\"fixed\",\"name\":\"a\\u0000b\",\"size\":1}",
         "a zero byte in the text under \"name\""},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":1,\"aliases\":[2]}", "an alias is no text"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_avro_schema schema = {0};
        struct stoa_error err = {0};
        char wrong[256];

        snprintf(wrong, sizeof(wrong), "Avro schema: %s", cases[i].wrong);
        assert_int_not_equal(
            stoa_avro_schema_parse(cases[i].text, strlen(cases[i].text), &schema, &err), STOA_OK);
        assert_string_equal(err.message, wrong);
        assert_null(schema.memory);
    }
}

/* Documents that nest, or name types in a chain, or are long. */
static void documents_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    struct stoa_avro_schema schema;
    struct stoa_buffer text = {0};
    struct stoa_error err = {0};
    char part[128];

    for (int i = 0; i < 300; i++)
        assert_int_equal(stoa_buffer_append(&text, "{\"type\":", 8, NULL), STOA_OK);
    assert_int_equal(stoa_avro_schema_parse((char *)text.data, text.nbytes, &schema, &err),
                     STOA_ERR_LIMIT);
    assert_string_equal(err.message, "Avro schema: JSON is nested more than 256 deep");

    text.nbytes = 0;
    assert_int_equal(stoa_buffer_append(&text, "[\"int\"", 6, NULL), STOA_OK);
    for (int i = 0; i < 300; i++) {
        char below[16] = "int";

        if (i > 0)
            snprintf(below, sizeof(below), "r%d", i - 1);
        snprintf(part, sizeof(part),
                 ",{\"type\":\"record\",\"name\":\"r%d\",\"fields\":[{\"name\":\"x\","
                 "\"type\":\"%s\"}]}",
                 i, below);
        assert_int_equal(stoa_buffer_append(&text, part, strlen(part), NULL), STOA_OK);
    }
    assert_int_equal(stoa_buffer_append(&text, "]", 1, NULL), STOA_OK);
    assert_int_equal(stoa_avro_schema_parse((char *)text.data, text.nbytes, &schema, &err),
                     STOA_ERR_LIMIT);
    assert_string_equal(err.message, "Avro schema: types are nested more than 256 deep");

    text.nbytes = 0;
    assert_int_equal(stoa_buffer_append_zeros(&text, (2 << 20) + 2, NULL), STOA_OK);
    memset(text.data, '[', text.nbytes);
    for (size_t i = 1; i < text.nbytes; i += 2)
        text.data[i] = ']';
    assert_int_equal(stoa_avro_schema_parse((char *)text.data, text.nbytes, &schema, &err),
                     STOA_ERR_LIMIT);
    assert_string_equal(err.message, "Avro schema: JSON of more than 1048576 values");

    text.nbytes = 0;
    assert_int_equal(stoa_buffer_append_zeros(&text, (16 << 20) + 1, NULL), STOA_OK);
    assert_int_equal(stoa_avro_schema_parse((char *)text.data, text.nbytes, &schema, &err),
                     STOA_ERR_LIMIT);
    assert_string_equal(err.message,
                        "Avro schema: JSON of 16777217 bytes: at most 16777216 are read");
    stoa_buffer_free(&text);
}

static void print_hex(const uint8_t *bytes, size_t nbytes, char *out)
{
    for (size_t i = 0; i < nbytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* What fastavro 1.13 says of the same schemas. */
static void fingerprints_are_those_of_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *canonical;
        uint64_t crc;
        const char *md5;
        const char *sha256;
    } cases[] = {
        {"\"int\"", "\"int\"", UINT64_C(0x7275d51a3f395c8f), "ef524ea1b91e73173d938ade36c1db32",
         "3f2b87a9fe7cc9b13835598c3981cd45e3e355309e5090aa0933d7becb6fba45"},
        {"{\"type\":\"string\",\"logicalType\":\"uuid\",\"x\":1}", "\"string\"",
         UINT64_C(0x8f014872634503c7), "095d71cf12556b9d5e330ad575b3df5d",
         "e9e5c1c9e4f6277339d1bcde0733a59bd42f8731f449da6dc13010a916930d48"},
        {trip,
         "{\"name\":\"city.trip\",\"type\":\"record\",\"fields\":[{\"name\":\"fare\",\"type\":["
         "\"null\",\"bytes\"]},{\"name\":\"stops\",\"type\":{\"type\":\"array\",\"items\":"
         "{\"type\":\"map\",\"values\":\"double\"}}},{\"name\":\"kind\",\"type\":{\"name\":"
         "\"city.kind\",\"type\":\"enum\",\"symbols\":[\"a\",\"b\"]}},{\"name\":\"again\","
         "\"type\":\"city.kind\"},{\"name\":\"id\",\"type\":{\"name\":\"other.id\",\"type\":"
         "\"fixed\",\"size\":4}},{\"name\":\"next\",\"type\":[\"null\",\"city.trip\"]}]}",
         UINT64_C(0xa21c54c3123fe55e), "e899ddda57620b64f7e993ddc3906ce4",
         "6a3893392da9c1fd73a19e9e813e4f859a2991cc32ceec3ec1593814482bfe9d"},
        {"{\"type\":\"record\",\"name\":\"a.b.node\",\"fields\":[{\"name\":\"children\",\"type\":"
         "{\"type\":\"array\",\"items\":\"node\"}}]}",
         "{\"name\":\"a.b.node\",\"type\":\"record\",\"fields\":[{\"name\":\"children\",\"type\":"
         "{\"type\":\"array\",\"items\":\"a.b.node\"}}]}",
         UINT64_C(0x274cb6efa07b73bd), "7b94f6fb82ad250e38d2d0b88ff556ad",
         "81f885525bc8a7ace590c5c50f418558b8d60c0e5444e69ebfb10b7971b3ce25"},
        {"[\"null\",{\"type\":\"fixed\",\"name\":\"f\",\"namespace\":\"\",\"size\":16}]",
         "[\"null\",{\"name\":\"f\",\"type\":\"fixed\",\"size\":16}]", UINT64_C(0x8dd00bc472e28fb2),
         "6bdfaa030942f846b4129744125d64f7",
         "5f28421c3489f7219cc94aba654b92202398dea5a521fe07140c990434e62700"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_avro_schema schema = parse(cases[i].text);
        struct stoa_buffer form = {0};
        uint8_t md5[STOA_AVRO_MD5_NBYTES], sha256[STOA_AVRO_SHA256_NBYTES];
        char hex[2 * STOA_AVRO_SHA256_NBYTES + 1];

        assert_int_equal(stoa_avro_canonical(&schema, &form, NULL), STOA_OK);
        assert_int_equal(form.nbytes, strlen(cases[i].canonical));
        assert_memory_equal(form.data, cases[i].canonical, form.nbytes);
        assert_int_equal(stoa_avro_crc64(form.data, form.nbytes), cases[i].crc);
        stoa_avro_md5(form.data, form.nbytes, md5);
        print_hex(md5, sizeof(md5), hex);
        assert_string_equal(hex, cases[i].md5);
        stoa_avro_sha256(form.data, form.nbytes, sha256);
        print_hex(sha256, sizeof(sha256), hex);
        assert_string_equal(hex, cases[i].sha256);
        stoa_buffer_free(&form);
        stoa_avro_schema_reset(&schema);
    }
}

static enum stoa_status parse_and_print(void *context, struct stoa_error *err)
{
    struct stoa_avro_schema schema = {0};
    struct stoa_buffer out = {0};
    enum stoa_status st = stoa_avro_schema_parse(trip, strlen(trip), &schema, err);

    (void)context;
    if (st == STOA_OK)
        st = stoa_avro_schema_print(&schema, &out, err);
    if (st == STOA_OK)
        st = stoa_avro_canonical(&schema, &out, err);
    stoa_buffer_free(&out);
    stoa_avro_schema_reset(&schema);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(parse_and_print, NULL);
}

static void a_union_of_too_many_branches_is_refused(void **state)
{
    (void)state;
    static char text[16 * 1025 + 8];
    struct stoa_avro_schema schema;
    struct stoa_error err = {0};

    for (size_t n = STOA_AVRO_MAX_BRANCHES; n <= STOA_AVRO_MAX_BRANCHES + 1; n++) {
        size_t used = 1;

        text[0] = '[';
        for (size_t i = 0; i < n; i++)
            used += (size_t)sprintf(text + used, "%s\"int\"", i > 0 ? "," : "");
        text[used++] = ']';
        if (n == STOA_AVRO_MAX_BRANCHES) {
            assert_int_equal(stoa_avro_schema_parse(text, used, &schema, &err), STOA_OK);
            stoa_avro_schema_reset(&schema);
            continue;
        }
        assert_int_equal(stoa_avro_schema_parse(text, used, &schema, &err), STOA_ERR_LIMIT);
        assert_string_equal(err.message,
                            "Avro schema: a union of 1025 branches: at most 1024 are read");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_in_a_schema_is_kept),
        cmocka_unit_test(foreign_schemas_are_read_as_they_are),
        cmocka_unit_test(a_logical_type_that_does_not_fit_is_ignored),
        cmocka_unit_test(what_holds_itself_is_known),
        cmocka_unit_test(bad_documents_are_refused),
        cmocka_unit_test(documents_beyond_the_limits_are_refused),
        cmocka_unit_test(fingerprints_are_those_of_others),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_union_of_too_many_branches_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
