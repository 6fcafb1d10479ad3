/* Schemas as JSON: both ways, what is refused and in which words, and the ready schemas. */
#include <stoa/schema.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "column/schema.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

#define FIELDS(text) "{\"stoa_schema\": 1,\n \"fields\": [" text "]}\n"

/* Each is printed as it is read. */
static const char *const documents[] = {
    FIELDS(""),
    FIELDS("\n  {\"name\": \"fare\", \"type\": \"decimal(10,2)\", \"nullable\": true}"),
    FIELDS("\n  {\"name\": \"\", \"type\": \"null\", \"nullable\": true},"
           "\n  {\"name\": \"\xc3\xa9\\\"\\n\", \"type\": \"utf8\", \"nullable\": false}"),
    FIELDS("\n  {\"name\": \"at\", \"type\": \"timestamp(s)\", \"nullable\": false, \"id\": 7, "
           "\"csv_format\": \"%Y-%m-%d\", \"metadata\": {\"unit\": \"days\"}}"),
    FIELDS("\n  {\"name\": \"e\", \"type\": \"enum(a,\\\"b c\\\")\", \"nullable\": true}"),
    FIELDS("\n  {\"name\": \"n\", \"type\": \"list<struct<x:int64 not null,y:map<utf8,bool>>>\", "
           "\"nullable\": true}"),
    FIELDS("\n  {\"name\": \"n\", \"type\": \"list<int64>\", \"nullable\": true, \"children\": "
           "[{\"name\": \"element\", \"type\": \"int64\", \"nullable\": true}]}"),
    FIELDS("\n  {\"name\": \"n\", \"type\": \"struct<a:int64>\", \"nullable\": true, \"children\": "
           "[{\"name\": \"a\", \"type\": \"int64\", \"nullable\": true, \"id\": 3, "
           "\"metadata\": {\"k\": \"v\"}}]}"),
    "{\"stoa_schema\": 1,\n \"fields\": [],\n \"metadata\": {\"a\": \"1\", \"b\": \"\"}}\n",
};

static void documents_survive_a_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_error err = {0};
        char *back;

        if (stoa_schema_parse_json(documents[i], strlen(documents[i]), &schema, &err) != STOA_OK)
            fail_msg("document %zu: %s", i, err.message);
        assert_int_equal(stoa_schema_print_json(&schema, NULL, &back, &err), STOA_OK);
        assert_string_equal(back, documents[i]);
        stoa_free(back);
        stoa_schema_reset(&schema);
    }
}

static void generated_schemas_survive_a_round_trip(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "generated_schemas_survive_a_round_trip");
    for (size_t i = 0; i < stoa_test_ncases(300); i++) {
        struct stoa_schema schema, back = {0};
        uint32_t ncolumns = (uint32_t)stoa_test_random_below(&random, 10);
        char *text;

        stoa_test_gen_any_schema(&random, ncolumns, 1 + (unsigned)(i % 32), &schema);
        assert_int_equal(stoa_schema_print_json(&schema, NULL, &text, &err), STOA_OK);
        if (stoa_schema_parse_json(text, strlen(text), &back, &err) != STOA_OK)
            fail_msg("%s", err.message);
        assert_true(stoa_schema_equal(&schema, &back));
        stoa_free(text);
        stoa_schema_reset(&back);
        stoa_schema_reset(&schema);
    }
}

static void defaults_and_evidence_are_read(void **state)
{
    (void)state;
    static const char text[] = "{\"evidence\": [{\"x\": [1, 2]}], \"stoa_schema\": 1, \"fields\": "
                               "[{\"type\": \"int64\", \"name\": \"a\"}]}";
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    assert_int_equal(stoa_schema_parse_json(text, strlen(text), &schema, &err), STOA_OK);
    assert_int_equal(schema.nfields, 1);
    assert_true(schema.fields[0].nullable);
    stoa_schema_reset(&schema);
}

static void csv_format_is_metadata_of_the_field(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    assert_int_equal(stoa_schema_parse_json(documents[3], strlen(documents[3]), &schema, &err),
                     STOA_OK);
    assert_string_equal(stoa_metadata_get(&schema.fields[0].metadata, STOA_METADATA_CSV_FORMAT),
                        "%Y-%m-%d");
    stoa_schema_reset(&schema);
}

static void evidence_is_printed_one_entry_a_line(void **state)
{
    (void)state;
    const struct stoa_type type = {.id = STOA_INT64};
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    char *text;

    assert_int_equal(stoa_schema_add(&schema, "a", &type, true, &err), STOA_OK);
    assert_int_equal(stoa_schema_print_json(&schema, "[{\"rows\":1},{\"rows\":2}]", &text, &err),
                     STOA_OK);
    assert_string_equal(
        text, "{\"stoa_schema\": 1,\n \"fields\": [\n  {\"name\": \"a\", \"type\": \"int64\", "
              "\"nullable\": true}],\n \"evidence\": [\n  {\"rows\": 1},\n  {\"rows\": 2}]}\n");
    stoa_free(text);
    assert_int_equal(stoa_schema_print_json(&schema, "{}", &text, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "the evidence is not a JSON array");
    stoa_schema_reset(&schema);
}

#define FIELD(text) "{\"stoa_schema\": 1, \"fields\": [{\"name\": \"a\", " text "}]}"

static const struct {
    const char *text;
    const char *message;
} wrong[] = {
    {"", "not JSON: line 1, column 0: '[' or '{' expected near end of file"},
    {"[]", "not a schema of Stoa: it begins with {\"stoa_schema\": 1, ..."},
    {"{}", "not a schema of Stoa: it begins with {\"stoa_schema\": 1, ..."},
    {"{\"stoa_schema\": 2}", "\"stoa_schema\" is not 1, the one version there is"},
    {"{\"stoa_schema\": 1}", "\"fields\" is missing"},
    {"{\"stoa_schema\": 1, \"fields\": {}}", "\"fields\" is not an array"},
    {"{\"stoa_schema\": 1, \"field\": []}", "there is no key \"field\"; did you mean \"fields\"?"},
    {"{\"stoa_schema\": 1, \"fields\": [3]}", "column 1 (without a name): it is not an object"},
    {"{\"stoa_schema\": 1, \"fields\": [{}]}",
     "column 1 (without a name): the key \"name\" is missing"},
    {"{\"stoa_schema\": 1, \"fields\": [], \"metadata\": []}", "\"metadata\" is not an object"},
    {"{\"stoa_schema\": 1, \"fields\": [], \"metadata\": {\"\": \"x\"}}",
     "a key of metadata is empty"},
    {FIELD("\"x\": 1"), "column 1 (a): there is no key \"x\""},
    {FIELD("\"nulable\": true"),
     "column 1 (a): there is no key \"nulable\"; did you mean \"nullable\"?"},
    {FIELD("\"nullable\": true"), "column 1 (a): the key \"type\" is missing"},
    {FIELD("\"type\": 5"), "column 1 (a): \"type\" is not text"},
    {FIELD("\"type\": \"int65\""),
     "column 1 (a): type \"int65\": there is no type int65; did you mean int64?"},
    {FIELD("\"type\": \"int64\", \"nullable\": 1"),
     "column 1 (a): \"nullable\" is not true or false"},
    {FIELD("\"type\": \"int64\", \"id\": 0"),
     "column 1 (a): \"id\" is not a whole number from 1 to 4294967295"},
    {FIELD("\"type\": \"int64\", \"id\": 4294967296"),
     "column 1 (a): \"id\" is not a whole number from 1 to 4294967295"},
    {FIELD("\"type\": \"int64\", \"metadata\": {\"k\": 1}"),
     "column 1 (a): metadata: \"k\" is not text"},
    {FIELD("\"type\": \"date32\", \"csv_format\": \"%d\", \"metadata\": {\"csv_format\": \"\"}"),
     "column 1 (a): metadata: \"csv_format\" stands beside \"metadata\" too"},
    {FIELD("\"type\": \"list<int8>\", \"children\": []"),
     "column 1 (a): \"children\" has 0 fields where the type has 1"},
    {FIELD("\"type\": \"list<int8>\", \"children\": [{\"name\": \"i\", \"type\": \"int16\"}]"),
     "column 1 (a): \"children\" say list<int16> where \"type\" says list<int8>"},
    {FIELD("\"type\": \"list<int8>\", \"children\": [{\"name\": \"i\"}]"),
     "column 1 (a): column 1 (i): the key \"type\" is missing"},
    {FIELD("\"type\": \"int64\"}, {\"name\": \"a\", \"type\": \"int64\""),
     "there are two columns \"a\""},
};

static void wrong_documents_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_error err = {0};

        assert_int_equal(
            stoa_schema_parse_json(wrong[i].text, strlen(wrong[i].text), &schema, &err),
            STOA_ERR_USAGE);
        assert_string_equal(err.message, wrong[i].message);
        assert_null(schema.fields);
    }
}

static void broken_json_is_an_error_at_its_byte(void **state)
{
    (void)state;
    static const char text[] = "{\"stoa_schema\": 1,\n \"fields\": [}";
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    assert_int_equal(stoa_schema_parse_json(text, strlen(text), &schema, &err), STOA_ERR_USAGE);
    assert_int_equal(err.offset, strlen(text));
    assert_non_null(strstr(err.message, "not JSON: line 2, column 13: "));
    assert_int_equal(stoa_schema_parse_json("{\"a\": 1, \"a\": 2}", 16, &schema, &err),
                     STOA_ERR_USAGE);
    assert_non_null(strstr(err.message, "duplicate object key"));
}

/* The whole of a file under schemas/, terminated. */
static char *read_file(const char *name, size_t *nbytes)
{
    char path[300], *text = malloc(1 << 16);
    FILE *file;

    snprintf(path, sizeof(path), "schemas/%s", name);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_non_null(text);
    *nbytes = fread(text, 1, 1 << 16, file);
    fclose(file);
    return text;
}

static void ready_schemas_are_printed_as_they_stand(void **state)
{
    (void)state;
    DIR *folder = opendir("schemas");
    const struct dirent *entry;
    size_t nread = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        struct stoa_schema schema = {0};
        struct stoa_error err = {0};
        const char *end = strstr(entry->d_name, ".json");
        char *text, *back;
        size_t nbytes;

        if (end == NULL || strstr(entry->d_name, ".schema.json") != NULL)
            continue;
        text = read_file(entry->d_name, &nbytes);
        if (stoa_schema_parse_json(text, nbytes, &schema, &err) != STOA_OK)
            fail_msg("%s: %s", entry->d_name, err.message);
        assert_int_equal(stoa_schema_print_json(&schema, NULL, &back, &err), STOA_OK);
        assert_int_equal(strlen(back), nbytes);
        assert_memory_equal(back, text, nbytes);
        stoa_free(back);
        stoa_schema_reset(&schema);
        free(text);
        nread++;
    }
    closedir(folder);
    assert_in_range(nread, 2, 1000);
}

static enum stoa_status reads_and_prints(void *context, struct stoa_error *err)
{
    const char *document = context;
    struct stoa_schema schema = {0};
    char *text = NULL;
    enum stoa_status st = stoa_schema_parse_json(document, strlen(document), &schema, err);

    if (st == STOA_OK)
        st = stoa_schema_print_json(&schema, "[{}]", &text, err);
    stoa_free(text);
    stoa_schema_reset(&schema);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        stoa_test_each_failing_alloc(reads_and_prints, (void *)documents[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_survive_a_round_trip),
        cmocka_unit_test(generated_schemas_survive_a_round_trip),
        cmocka_unit_test(defaults_and_evidence_are_read),
        cmocka_unit_test(csv_format_is_metadata_of_the_field),
        cmocka_unit_test(evidence_is_printed_one_entry_a_line),
        cmocka_unit_test(wrong_documents_are_named),
        cmocka_unit_test(broken_json_is_an_error_at_its_byte),
        cmocka_unit_test(ready_schemas_are_printed_as_they_stand),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
