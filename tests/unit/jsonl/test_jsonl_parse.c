/*
 * Lines as rows: what the parser remembers of the lines before changes nothing, and its quick ways
 * say what the exact ones say.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/jsonl.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/number_scan.h"
#include "base/time.h"
#include "jsonl/lines.h"
#include "jsonl/parse.h"
#include "support/random.h"

#define LINE_NBYTES 2048

/* A schema with its shape. */
struct table {
    struct stoa_schema schema;
    struct stoa_jsonl_shape shape;
};

static void table_init(struct table *table, const char *json)
{
    struct stoa_error err = {0};

    *table = (struct table){0};
    assert_int_equal(stoa_schema_parse_json(json, strlen(json), &table->schema, &err), STOA_OK);
    assert_int_equal(stoa_jsonl_shape_init(&table->shape, &table->schema, NULL, NULL, &err),
                     STOA_OK);
}

static void table_reset(struct table *table)
{
    stoa_jsonl_shape_reset(&table->shape);
    stoa_schema_reset(&table->schema);
}

static void parser_init(struct stoa_jsonl_parser *parser, const struct table *table)
{
    assert_int_equal(stoa_jsonl_parser_init(parser, &table->shape, 0, NULL), STOA_OK);
}

/* The rows of the parser. */
static void finish(struct stoa_jsonl_parser *parser, const struct table *table,
                   struct stoa_batch *out)
{
    uint32_t columns[16];

    assert_true(table->schema.nfields <= 16);
    for (uint32_t i = 0; i < table->schema.nfields; i++)
        columns[i] = i;
    assert_int_equal(stoa_batch_init(out, &table->schema, NULL), STOA_OK);
    assert_int_equal(stoa_jsonl_parser_finish(parser, columns, out, NULL), STOA_OK);
}

/* ---- Memory of other lines. ---- */

static const char members[] =
    "{\"stoa_schema\":1,\"fields\":[{\"name\":\"a\",\"type\":\"int64\"},"
    "{\"name\":\"word\",\"type\":\"utf8\"},"
    "{\"name\":\"o\",\"type\":\"struct<x:float64,y:utf8,o:struct<z:bool>>\"},"
    "{\"name\":\"a name of more bytes than a step remembers, which is more than forty\","
    "\"type\":\"int64\"},"
    "{\"name\":\"l\",\"type\":\"list<struct<a:int64,b:utf8>>\"},"
    "{\"name\":\"a name of seven and forty bytes: a step of many\",\"type\":\"bool\"}]}";

static void put(char *line, const char *text)
{
    strncat(line, text, LINE_NBYTES - STOA_JSONL_SLACK - 2 - strlen(line));
}

static void put_blanks(struct stoa_test_random *r, char *line)
{
    static const char *const blanks[] = {"", "", "", " ", "\t", "  \r "};

    put(line, blanks[stoa_test_random_one_in(r, 4) ? stoa_test_random_below(r, 6) : 0]);
}

static void put_value(struct stoa_test_random *r, const struct stoa_field *field, char *line);

static void put_object(struct stoa_test_random *r, const struct stoa_field *fields,
                       uint32_t nfields, char *line)
{
    const uint32_t first =
        stoa_test_random_one_in(r, 5) ? (uint32_t)stoa_test_random_below(r, nfields) : 0;
    bool any = false;

    put(line, "{");
    for (uint32_t i = 0; i < nfields; i++) {
        const struct stoa_field *field = &fields[(first + i) % nfields];

        if (stoa_test_random_one_in(r, 8))
            continue;
        put_blanks(r, line);
        if (any)
            put(line, ",");
        any = true;
        put_blanks(r, line);
        put(line, "\"");
        put(line, stoa_test_random_one_in(r, 20) && field->name[0] == 'a' ? "\\u0061" : "");
        put(line, line[strlen(line) - 1] == '1' ? field->name + 1 : field->name);
        put(line, "\"");
        put_blanks(r, line);
        put(line, ":");
        put_blanks(r, line);
        put_value(r, field, line);
    }
    put_blanks(r, line);
    put(line, "}");
}

static void put_value(struct stoa_test_random *r, const struct stoa_field *field, char *line)
{
    static const char *const words[] = {"\"\"", "\"x\"", "\"\\n\\\"\"",
                                        "\"a text of more than two and thirty bytes\"",
                                        "\"thirty-one bytes are in here...\""};
    char number[40];

    if (stoa_test_random_one_in(r, 9)) {
        put(line, "null");
        return;
    }
    switch (field->type.id) {
    case STOA_UTF8:
        put(line, words[stoa_test_random_below(r, 5)]);
        return;
    case STOA_BOOL:
        put(line, stoa_test_random_one_in(r, 2) ? "true" : "false");
        return;
    case STOA_STRUCT:
        put_object(r, field->children, field->nchildren, line);
        return;
    case STOA_LIST:
        put(line, "[");
        for (uint64_t n = stoa_test_random_below(r, 4); n > 0; n--) {
            put_value(r, field->children, line);
            put(line, n > 1 ? "," : "");
        }
        put(line, "]");
        return;
    default:
        snprintf(number, sizeof(number), "%" PRId64,
                 stoa_test_random_between(r, -1000000, 1000000));
        put(line, number);
    }
}

/* Something of a line is taken away, doubled, or another. */
static void damage(struct stoa_test_random *r, char *line)
{
    const size_t n = strlen(line), at = stoa_test_random_below(r, n);
    const size_t some = 1 + stoa_test_random_below(r, n - at < 12 ? n - at : 12);

    switch (stoa_test_random_below(r, 3)) {
    case 0:
        memmove(line + at, line + at + some, n - at - some + 1);
        break;
    case 1:
        if (n + some < LINE_NBYTES - STOA_JSONL_SLACK - 2)
            memmove(line + at + some, line + at, n - at + 1);
        break;
    default:
        line[at] = "{}[],:\" \\n01"[stoa_test_random_below(r, 11)];
    }
}

/* One parser sees all lines, another one is new for each of them. */
static void what_is_remembered_changes_nothing(void **state)
{
    (void)state;
    struct stoa_test_random r;
    struct table table;
    size_t ngood = 0, nbad = 0;

    table_init(&table, members);
    stoa_test_random_init(&r, "what_is_remembered_changes_nothing");
    for (size_t n = stoa_test_ncases(100); n > 0; n--) {
        struct stoa_jsonl_parser all;
        struct stoa_batch rows;
        char *expected = NULL, *got = NULL;
        size_t nexpected = 0, ngot = 0;

        parser_init(&all, &table);
        for (int i = 0; i < 60; i++) {
            char line[LINE_NBYTES] = "";
            struct stoa_jsonl_parser one;
            struct stoa_batch row;
            const char *end, *other;

            put_object(&r, table.schema.fields, table.schema.nfields, line);
            if (stoa_test_random_one_in(&r, 3))
                damage(&r, line);
            put(line, "\n");
            parser_init(&one, &table);
            end = *line != '\n' ? stoa_jsonl_parser_line(&one, line) : NULL;
            other = *line != '\n' ? stoa_jsonl_parser_line(&all, line) : NULL;
            if (other != end || (end == NULL && *line != '\n' &&
                                 (all.wrong != one.wrong || all.fault.at != one.fault.at ||
                                  all.node != one.node || all.end != one.end)))
                fail_msg("it depends on the lines before what this one is: %s", line);
            ngood += end != NULL;
            nbad += end == NULL;
            finish(&one, &table, &row);
            assert_int_equal(row.nrows, end != NULL);
            assert_int_equal(stoa_jsonl_format(&row, &expected, &nexpected, NULL), STOA_OK);
            stoa_batch_reset(&row);
            stoa_jsonl_parser_reset(&one);
        }
        finish(&all, &table, &rows);
        assert_int_equal(stoa_batch_validate(&rows, NULL), STOA_OK);
        assert_int_equal(stoa_jsonl_format(&rows, &got, &ngot, NULL), STOA_OK);
        assert_int_equal(ngot, nexpected);
        assert_memory_equal(got, expected, ngot);
        stoa_free(got);
        stoa_free(expected);
        stoa_batch_reset(&rows);
        stoa_jsonl_parser_reset(&all);
    }
    assert_true(ngood > nbad && nbad > ngood / 10);
    table_reset(&table);
}

/* ---- Quick ways. ---- */

/* The line `{"v":TEXT}` as a value; false when it is no row. */
static bool read_one(const struct table *table, struct stoa_jsonl_parser *parser, const char *value,
                     struct stoa_batch *out)
{
    char line[LINE_NBYTES] = "{\"v\":";
    bool good;

    put(line, value);
    put(line, "}\n{\"v\":\"0000-00-00 00:00:00"); /* which is none of its text */
    good = stoa_jsonl_parser_line(parser, line) != NULL;
    finish(parser, table, out);
    return good;
}

static void put_digits(struct stoa_test_random *r, char *out, uint64_t max_ndigits)
{
    for (uint64_t n = stoa_test_random_between(r, 1, (int64_t)max_ndigits); n > 0; n--)
        *out++ = (char)('0' + stoa_test_random_below(r, 10));
    *out = '\0';
}

static void numbers_are_those_of_the_exact_parser(void **state)
{
    (void)state;
    struct stoa_jsonl_parser parser;
    struct stoa_test_random r;
    struct table table;

    table_init(&table, "{\"stoa_schema\":1,\"fields\":[{\"name\":\"v\",\"type\":\"float64\"}]}");
    parser_init(&parser, &table);
    stoa_test_random_init(&r, "numbers_are_those_of_the_exact_parser");
    for (size_t n = stoa_test_ncases(30000); n > 0; n--) {
        const uint64_t most = stoa_test_random_one_in(&r, 2) ? 20 : 6;
        char value[80] = "";
        struct stoa_batch row;
        double x, expected;
        bool good;

        if (stoa_test_random_one_in(&r, 3))
            strcat(value, "-");
        put_digits(&r, value + strlen(value), most);
        if (stoa_test_random_one_in(&r, most > 6 ? 2 : 1)) {
            strcat(value, ".");
            put_digits(&r, value + strlen(value), most);
        }
        if (stoa_test_random_one_in(&r, 6)) {
            strcat(value, stoa_test_random_one_in(&r, 2) ? "e-" : "E");
            put_digits(&r, value + strlen(value), 2);
        }
        good = read_one(&table, &parser, value, &row);
        if (good == (value[*value == '-'] == '0' && stoa_digit(value[1 + (*value == '-')])))
            fail_msg("%s", value);
        if (good) {
            assert_true(stoa_number_parse_double(value, strlen(value), &expected));
            memcpy(&x, row.columns[0].values, sizeof(x));
            if (memcmp(&x, &expected, sizeof(x)) != 0)
                fail_msg("%s is %.17g, not %.17g", value, expected, x);
        }
        stoa_batch_reset(&row);
    }
    stoa_jsonl_parser_reset(&parser);
    table_reset(&table);
}

static void integers_are_those_of_the_exact_parser(void **state)
{
    (void)state;
    struct stoa_jsonl_parser parser;
    struct stoa_test_random r;
    struct table table;

    table_init(&table, "{\"stoa_schema\":1,\"fields\":[{\"name\":\"v\",\"type\":\"int64\"}]}");
    parser_init(&parser, &table);
    stoa_test_random_init(&r, "integers_are_those_of_the_exact_parser");
    for (size_t n = stoa_test_ncases(30000); n > 0; n--) {
        char value[80] = "";
        struct stoa_batch row;
        int64_t x, expected;
        bool good, fits;

        if (stoa_test_random_one_in(&r, 3))
            strcat(value, "-");
        put_digits(&r, value + strlen(value), 26);
        fits = (value[*value == '-'] != '0' || value[1 + (*value == '-')] == '\0') &&
               stoa_number_parse_int64(value, strlen(value), &expected);
        good = read_one(&table, &parser, value, &row);
        if (good != fits)
            fail_msg("%s: %s", value, good ? "is taken" : "is refused");
        if (good) {
            memcpy(&x, row.columns[0].values, sizeof(x));
            if (x != expected)
                fail_msg("%s is not %" PRId64, value, x);
        }
        stoa_batch_reset(&row);
    }
    stoa_jsonl_parser_reset(&parser);
    table_reset(&table);
}

static void timestamps_are_those_of_the_exact_parser(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "{\"stoa_schema\":1,\"fields\":[{\"name\":\"v\",\"type\":\"timestamp(s)\"}]}",
        "{\"stoa_schema\":1,\"fields\":[{\"name\":\"v\",\"type\":\"timestamp(ns)\"}]}",
        "{\"stoa_schema\":1,\"fields\":[{\"name\":\"v\",\"type\":\"timestamp(us,UTC)\"}]}",
    };
    struct stoa_test_random r;

    stoa_test_random_init(&r, "timestamps_are_those_of_the_exact_parser");
    for (size_t i = 0; i < 3; i++) {
        struct stoa_jsonl_parser parser;
        struct table table;

        table_init(&table, schemas[i]);
        parser_init(&parser, &table);
        for (size_t n = stoa_test_ncases(10000); n > 0; n--) {
            const struct stoa_type *type = &table.schema.fields[0].type;
            char value[120], text[80];
            struct stoa_batch row;
            int64_t x, expected;
            bool good, fits;
            int nbytes = snprintf(
                text, sizeof(text), "%04d-%02d-%02d%c%02d:%02d:%02d%s%s",
                (int)stoa_test_random_between(&r, stoa_test_random_one_in(&r, 9) ? 0 : 1960, 2040),
                (int)stoa_test_random_between(&r, 0, 13), (int)stoa_test_random_between(&r, 0, 32),
                "TTT x"[stoa_test_random_below(&r, 5)], (int)stoa_test_random_between(&r, 0, 24),
                (int)stoa_test_random_between(&r, 0, 60), (int)stoa_test_random_between(&r, 0, 60),
                stoa_test_random_one_in(&r, 6) ? ".5" : "",
                stoa_test_random_one_in(&r, 4) != (type->zone != NULL) ? "Z" : "");

            if (stoa_test_random_one_in(&r, 10))
                text[stoa_test_random_below(&r, (uint64_t)nbytes)] = '-';
            snprintf(value, sizeof(value), "\"%s\"", text);
            fits = stoa_timestamp_parse(text, (size_t)nbytes, type->unit, type->zone != NULL,
                                        &expected);
            good = read_one(&table, &parser, value, &row);
            if (good != fits)
                fail_msg("%s: %s", value, good ? "is taken" : "is refused");
            if (good) {
                memcpy(&x, row.columns[0].values, sizeof(x));
                if (x != expected)
                    fail_msg("%s is not %" PRId64, value, x);
            }
            stoa_batch_reset(&row);
        }
        stoa_jsonl_parser_reset(&parser);
        table_reset(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_remembered_changes_nothing),
        cmocka_unit_test(numbers_are_those_of_the_exact_parser),
        cmocka_unit_test(integers_are_those_of_the_exact_parser),
        cmocka_unit_test(timestamps_are_those_of_the_exact_parser),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
