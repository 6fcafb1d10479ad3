/* Rows of avro-c into a Stoa file in memory and back, of schemas with all that Avro has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "column/array.h"
#include "stoa_avro_bridge.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/random.h"
#include "support/stoa_file.h"

/* ---- A file of rows of avro-c ---- */

struct rows {
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_value_t row;
};

static void rows_init(struct rows *rows, avro_schema_t schema)
{
    rows->schema = schema;
    rows->class = avro_generic_class_from_schema(schema);
    assert_non_null(rows->class);
    assert_int_equal(avro_generic_value_new(rows->class, &rows->row), 0);
}

static void rows_reset(struct rows *rows)
{
    avro_value_decref(&rows->row);
    avro_value_iface_decref(rows->class);
}

/* Any value of the type, lists the shorter the deeper. */
static void draw(struct stoa_test_random *r, avro_value_t *value, unsigned depth)
{
    avro_value_t part;
    avro_schema_t schema;
    size_t n;
    char key[24], bytes[40];

    switch (avro_value_get_type(value)) {
    case AVRO_NULL:
        assert_int_equal(avro_value_set_null(value), 0);
        break;
    case AVRO_BOOLEAN:
        assert_int_equal(avro_value_set_boolean(value, stoa_test_random_one_in(r, 2)), 0);
        break;
    case AVRO_INT32:
        assert_int_equal(avro_value_set_int(value, (int32_t)stoa_test_random_below(r, 86400000)),
                         0);
        break;
    case AVRO_INT64:
        assert_int_equal(avro_value_set_long(value, (int64_t)stoa_test_random_wide(r)), 0);
        break;
    case AVRO_FLOAT:
        assert_int_equal(avro_value_set_float(value, (float)stoa_test_random_unit(r)), 0);
        break;
    case AVRO_DOUBLE:
        assert_int_equal(avro_value_set_double(value, stoa_test_random_unit(r)), 0);
        break;
    case AVRO_STRING:
        snprintf(bytes, sizeof(bytes), "%08x-0000-4000-8000-0000000000%02x",
                 (unsigned)stoa_test_random_below(r, 1u << 31),
                 (unsigned)stoa_test_random_below(r, 256));
        assert_int_equal(avro_value_set_string(value, bytes), 0);
        break;
    case AVRO_BYTES: /* one byte is a decimal of two digits or less, too */
        bytes[0] = (char)stoa_test_random_below(r, 100);
        assert_int_equal(avro_value_set_bytes(value, bytes, 1), 0);
        break;
    case AVRO_FIXED:
        schema = avro_value_get_schema(value);
        memset(bytes, 0, sizeof(bytes));
        bytes[0] = (char)stoa_test_random_below(r, 100);
        assert_int_equal(avro_value_set_fixed(value, bytes, (size_t)avro_schema_fixed_size(schema)),
                         0);
        break;
    case AVRO_ENUM:
        assert_int_equal(avro_value_set_enum(value, (int)stoa_test_random_below(r, 2)), 0);
        break;
    case AVRO_ARRAY:
        for (n = (size_t)stoa_test_random_below(r, depth > 4 ? 1 : 4); n > 0; n--) {
            assert_int_equal(avro_value_append(value, &part, NULL), 0);
            draw(r, &part, depth + 1);
        }
        break;
    case AVRO_MAP:
        for (n = (size_t)stoa_test_random_below(r, depth > 4 ? 1 : 4); n > 0; n--) {
            snprintf(key, sizeof(key), "k%zu", n);
            assert_int_equal(avro_value_add(value, key, &part, NULL, NULL), 0);
            draw(r, &part, depth + 1);
        }
        break;
    case AVRO_RECORD:
        assert_int_equal(avro_value_get_size(value, &n), 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(avro_value_get_by_index(value, i, &part, NULL), 0);
            draw(r, &part, depth + 1);
        }
        break;
    default: /* a union; of a recursive one the first branch is null */
        schema = avro_value_get_schema(value);
        n = (size_t)stoa_test_random_below(r, depth > 4 ? 1 : avro_schema_union_size(schema));
        assert_int_equal(avro_value_set_branch(value, (int)n, &part), 0);
        draw(r, &part, depth + 1);
    }
}

/* Writes nrows rows; `kept` has room for them. */
static enum stoa_status write_rows(const char *json, avro_value_t *kept, size_t nrows,
                                   struct stoa_sink *sink, struct stoa_error *err)
{
    struct stoa_avro_appender *appender = NULL;
    struct stoa_writer *writer = NULL;
    enum stoa_status st = stoa_avro_appender_new(json, strlen(json), &appender, err);

    if (st == STOA_OK)
        st = stoa_writer_open(sink, stoa_avro_appender_schema(appender), NULL, &writer, err);
    for (size_t i = 0; st == STOA_OK && i < nrows; i++)
        st = stoa_avro_append(appender, writer, &kept[i], err);
    if (st == STOA_OK)
        st = stoa_avro_append_flush(appender, writer, err);
    if (st == STOA_OK)
        st = stoa_writer_finish(writer, err);
    stoa_writer_close(writer);
    stoa_avro_appender_free(appender);
    return st;
}

/* Reads all rows and counts those that are as `kept` has them. */
static enum stoa_status read_rows(struct stoa_source *source, const char *json, avro_value_t *kept,
                                  size_t nkept, size_t *nequal, struct stoa_error *err)
{
    struct stoa_reader *reader = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_avro_fetcher *fetcher = NULL;
    struct rows rows = {0};
    bool more = true;
    size_t n = 0;
    enum stoa_status st = stoa_reader_open(source, NULL, &reader, err);

    *nequal = 0;
    if (st == STOA_OK)
        st = stoa_scan_open(reader, &(struct stoa_scan_options){0}, &scan, err);
    if (st == STOA_OK)
        st = stoa_avro_fetcher_new(stoa_scan_schema(scan), "row", &fetcher, err);
    if (st == STOA_OK) {
        assert_string_equal(stoa_avro_fetcher_json(fetcher), json);
        rows_init(&rows, stoa_avro_fetcher_schema(fetcher));
    }
    while (st == STOA_OK && more) {
        st = stoa_avro_fetch(fetcher, scan, &rows.row, &more, err);
        if (st == STOA_OK && more && n < nkept)
            *nequal += avro_value_equal(&rows.row, &kept[n++]) != 0;
    }
    if (rows.class != NULL)
        rows_reset(&rows);
    stoa_avro_fetcher_free(fetcher);
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    return st;
}

/* ---- All types ---- */

#define FIELD(name, type)      "{\"name\":\"" name "\",\"type\":" type "}"
#define LOGICAL(type, logical) "{\"type\":\"" type "\",\"logicalType\":\"" logical "\"}"
#define RECORD(fields)         "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define DECIMAL                                                                                    \
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\","                                             \
    "\"precision\":9,\"scale\":2}"
#define SYMBOLS "{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"B\"]}"

/* clang-format off */
static const char *const schemas[] = {
    RECORD(FIELD("a", "\"boolean\"") ","
           FIELD("b", "\"int\"") ","
           FIELD("c", "\"long\"") ","
           FIELD("d", "\"float\"") ","
           FIELD("e", "\"double\"") ","
           FIELD("f", "\"string\"") ","
           FIELD("g", "\"bytes\"")),
    RECORD(FIELD("n", "\"null\"") ","
           FIELD("x", "{\"type\":\"fixed\",\"name\":\"f\",\"size\":5}") ","
           FIELD("e", SYMBOLS)),
    RECORD(FIELD("t", LOGICAL("int", "time-millis")) ","
           FIELD("s", LOGICAL("long", "timestamp-micros")) ","
           FIELD("l", LOGICAL("long", "local-timestamp-nanos")) ","
           FIELD("u", LOGICAL("string", "uuid")) ","
           FIELD("d", DECIMAL)),
    RECORD(FIELD("o", "[\"null\",\"string\"]") ","
           FIELD("p", "[\"int\",\"null\"]") ","
           FIELD("q", "[\"null\",\"int\",\"string\",{\"type\":\"array\",\"items\":\"long\"}]")),
    RECORD(FIELD("a", "{\"type\":\"array\",\"items\":"
                      "{\"type\":\"record\",\"name\":\"s\",\"fields\":["
                      FIELD("m", "{\"type\":\"map\",\"values\":[\"null\",\"double\"]}") "]}}")),
    RECORD(FIELD("v", "\"int\"") ","
           FIELD("next", "[\"null\",{\"type\":\"record\",\"name\":\"t\",\"fields\":["
                         FIELD("y", "\"int\"") "," FIELD("z", "[\"null\",\"t\"]") "]}]")),
    "\"long\"",
    "[\"null\",\"string\",\"double\"]",
};
/* clang-format on */
enum { NSCHEMAS = sizeof(schemas) / sizeof(schemas[0]), NROWS = 40 };

/* Rows of a schema by chance. */
struct table {
    struct rows rows[NROWS];
    avro_value_t values[NROWS];
    avro_schema_t schema;
};

static void table_init(struct table *table, const char *json, struct stoa_test_random *r)
{
    assert_int_equal(avro_schema_from_json_length(json, strlen(json), &table->schema), 0);
    for (size_t i = 0; i < NROWS; i++) {
        rows_init(&table->rows[i], table->schema);
        table->values[i] = table->rows[i].row;
        draw(r, &table->values[i], 0);
    }
}

static void table_reset(struct table *table)
{
    for (size_t i = 0; i < NROWS; i++)
        rows_reset(&table->rows[i]);
    avro_schema_decref(table->schema);
}

static void rows_of_every_type_come_back(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_bridge");
    for (size_t i = 0; i < NSCHEMAS; i++) {
        struct table table;
        struct stoa_sink *sink = NULL;
        struct stoa_source *source = NULL;
        struct stoa_error err = {0};
        const uint8_t *bytes;
        size_t nbytes, nequal;

        table_init(&table, schemas[i], &r);
        stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
        stoa_test_check(write_rows(schemas[i], table.values, NROWS, sink, &err), &err);
        bytes = stoa_sink_memory(sink, &nbytes);
        stoa_test_check(stoa_source_open_memory(bytes, nbytes, "x", &source, &err), &err);
        stoa_test_check(read_rows(source, schemas[i], table.values, NROWS, &nequal, &err), &err);
        assert_int_equal(nequal, NROWS);
        stoa_source_close(source);
        stoa_sink_close(sink);
        table_reset(&table);
    }
}

/* ---- What is refused ---- */

static void a_row_of_another_schema_is_refused(void **state)
{
    (void)state;
    struct stoa_avro_appender *appender = NULL;
    struct stoa_error err;
    struct rows rows;
    avro_schema_t schema = avro_schema_int();

    stoa_test_check(stoa_avro_appender_new("\"long\"", 6, &appender, &err), &err);
    rows_init(&rows, schema);
    assert_int_equal(stoa_avro_append(appender, NULL, &rows.row, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "the row has another schema than the appender");
    rows_reset(&rows);
    avro_schema_decref(schema);
    stoa_avro_appender_free(appender);
}

static void a_schema_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char none[] = "{\"type\":\"record\"}";
    struct stoa_avro_appender *appender = NULL;
    struct stoa_error err;

    assert_int_equal(stoa_avro_appender_new(none, sizeof(none) - 1, &appender, &err),
                     STOA_ERR_DATA);
    assert_null(appender);
}

/* avro-c writes what it is given; what is no uuid is found when the rows become columns. */
static void a_value_that_no_column_holds_is_named(void **state)
{
    (void)state;
    static const char json[] = RECORD(FIELD("u", LOGICAL("string", "uuid")));
    struct stoa_avro_appender *appender = NULL;
    struct stoa_error err = {0};
    struct rows rows;
    avro_schema_t schema;
    avro_value_t field;

    assert_int_equal(avro_schema_from_json_length(json, sizeof(json) - 1, &schema), 0);
    stoa_test_check(stoa_avro_appender_new(json, sizeof(json) - 1, &appender, &err), &err);
    rows_init(&rows, schema);
    assert_int_equal(avro_value_get_by_index(&rows.row, 0, &field, NULL), 0);
    assert_int_equal(avro_value_set_string(&field, "none"), 0);
    stoa_test_check(stoa_avro_append(appender, NULL, &rows.row, &err), &err);
    assert_int_equal(stoa_avro_append_flush(appender, NULL, &err), STOA_ERR_DATA);
    assert_non_null(strstr(err.message, "row 1: field u: "));
    rows_reset(&rows);
    avro_schema_decref(schema);
    stoa_avro_appender_free(appender);
}

static enum stoa_status append_text(struct stoa_avro_appender *appender, struct stoa_writer *writer,
                                    struct rows *rows, const char *text, struct stoa_error *err)
{
    avro_value_t field;

    assert_int_equal(avro_value_get_by_index(&rows->row, 0, &field, NULL), 0);
    assert_int_equal(avro_value_set_string(&field, text), 0);
    return stoa_avro_append(appender, writer, &rows->row, err);
}

/* Texts of a file's only column, one behind the other with a space behind each. */
static void assert_texts(struct stoa_sink *sink, const char *expected)
{
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_avro_fetcher *fetcher = NULL;
    struct stoa_error err = {0};
    struct rows rows;
    avro_value_t field;
    char texts[200] = "";
    const char *text;
    const uint8_t *bytes;
    size_t nbytes;
    bool more;

    bytes = stoa_sink_memory(sink, &nbytes);
    stoa_test_check(stoa_source_open_memory(bytes, nbytes, "x", &source, &err), &err);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_scan_open(reader, &(struct stoa_scan_options){0}, &scan, &err), &err);
    stoa_test_check(stoa_avro_fetcher_new(stoa_scan_schema(scan), "row", &fetcher, &err), &err);
    rows_init(&rows, stoa_avro_fetcher_schema(fetcher));
    for (;;) {
        stoa_test_check(stoa_avro_fetch(fetcher, scan, &rows.row, &more, &err), &err);
        if (!more)
            break;
        assert_int_equal(avro_value_get_by_index(&rows.row, 0, &field, NULL), 0);
        assert_int_equal(avro_value_get_string(&field, &text, &nbytes), 0);
        assert_true(strlen(texts) + nbytes + 2 < sizeof(texts));
        strcat(strcat(texts, text), " ");
    }
    assert_string_equal(texts, expected);
    rows_reset(&rows);
    stoa_avro_fetcher_free(fetcher);
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    stoa_source_close(source);
}

static void a_refused_row_leaves_those_around_it(void **state)
{
    (void)state;
    static const char json[] = RECORD(FIELD("s", "\"string\""));
    static const char *const texts[] = {"one",
                                        "two",
                                        "b\xff"
                                        "d",
                                        "four",
                                        "\xc0",
                                        "six"};
    static const char *const messages[] = {"row 3: field s: the text is not UTF-8",
                                           "row 5: field s: the text is not UTF-8"};
    struct stoa_avro_appender *appender = NULL;
    struct stoa_writer *writer = NULL;
    struct stoa_sink *sink = NULL;
    struct stoa_error err = {0};
    struct rows rows;
    avro_schema_t schema;

    assert_int_equal(avro_schema_from_json_length(json, sizeof(json) - 1, &schema), 0);
    rows_init(&rows, schema);
    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_avro_appender_new(json, sizeof(json) - 1, &appender, &err), &err);
    stoa_test_check(
        stoa_writer_open(sink, stoa_avro_appender_schema(appender), NULL, &writer, &err), &err);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        stoa_test_check(append_text(appender, writer, &rows, texts[i], &err), &err);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(stoa_avro_append_flush(appender, writer, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, messages[i]);
    }
    stoa_test_check(append_text(appender, writer, &rows, "seven", &err), &err);
    stoa_test_check(stoa_avro_append_flush(appender, writer, &err), &err);
    stoa_test_check(append_text(appender, writer, &rows, "\xff", &err), &err);
    assert_int_equal(stoa_avro_append_flush(appender, writer, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "row 8: field s: the text is not UTF-8");
    stoa_test_check(stoa_avro_append_flush(appender, writer, &err), &err);
    stoa_test_check(stoa_writer_finish(writer, &err), &err);
    assert_texts(sink, "one two four six seven ");
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_avro_appender_free(appender);
    rows_reset(&rows);
    avro_schema_decref(schema);
}

/* Avro's duration has no sign: row 4 of these can't be had, and no row behind it is. */
static void a_row_that_avro_cannot_hold_ends_the_rows(void **state)
{
    (void)state;
    enum { N = 6, BAD = 3 };
    const struct stoa_type type = {.id = STOA_INTERVAL};
    const size_t width = stoa_type_width(&type);
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_test_file file;
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_avro_fetcher *fetcher = NULL;
    struct stoa_error err = {0};
    struct rows rows;
    bool more = false;

    stoa_test_check(stoa_schema_add(&schema, "t", &type, false, &err), &err);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = N;
    stoa_test_check(stoa_array_alloc(&type, N, 0, false, &batch.columns[0], &err), &err);
    memset(batch.columns[0].values, 0, N * width);
    memset(batch.columns[0].values + BAD * width, 0xff, width);
    stoa_test_file_write(&schema, &batch, 1, NULL, &file);
    source = stoa_test_file_source(&file);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    stoa_test_check(stoa_scan_open(reader, &(struct stoa_scan_options){0}, &scan, &err), &err);
    stoa_test_check(stoa_avro_fetcher_new(stoa_scan_schema(scan), "row", &fetcher, &err), &err);
    rows_init(&rows, stoa_avro_fetcher_schema(fetcher));
    for (size_t i = 0; i < BAD; i++) {
        stoa_test_check(stoa_avro_fetch(fetcher, scan, &rows.row, &more, &err), &err);
        assert_true(more);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(stoa_avro_fetch(fetcher, scan, &rows.row, &more, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, "row 4: field t: Avro's duration can't be negative");
    }
    rows_reset(&rows);
    stoa_avro_fetcher_free(fetcher);
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- Failures ---- */

struct scenario {
    struct table table;
    const char *json;
};

static enum stoa_status there_and_back(void *context, struct stoa_error *err)
{
    struct scenario *scenario = context;
    struct stoa_sink *sink = NULL;
    struct stoa_source *source = NULL;
    const uint8_t *bytes;
    size_t nbytes, nequal;
    enum stoa_status st = stoa_sink_create_memory(&sink, err);

    if (st == STOA_OK)
        st = write_rows(scenario->json, scenario->table.values, 3, sink, err);
    if (st == STOA_OK) {
        bytes = stoa_sink_memory(sink, &nbytes);
        st = stoa_source_open_memory(bytes, nbytes, "x", &source, err);
    }
    if (st == STOA_OK)
        st = read_rows(source, scenario->json, scenario->table.values, 3, &nequal, err);
    stoa_source_close(source);
    stoa_sink_close(sink);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct scenario scenario = {.json = schemas[3]};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_bridge_faults");
    table_init(&scenario.table, scenario.json, &r);
    stoa_test_each_failing_alloc(there_and_back, &scenario);
    table_reset(&scenario.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_type_come_back),
        cmocka_unit_test(a_row_of_another_schema_is_refused),
        cmocka_unit_test(a_schema_that_is_none_is_refused),
        cmocka_unit_test(a_value_that_no_column_holds_is_named),
        cmocka_unit_test(a_refused_row_leaves_those_around_it),
        cmocka_unit_test(a_row_that_avro_cannot_hold_ends_the_rows),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
