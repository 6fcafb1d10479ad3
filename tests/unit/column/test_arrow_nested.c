/*
 * Nested, encoded and converted arrays made by hand the way other producers make them: with
 * anything below nulls, out of order, wider or narrower than here; and trees that break the rules.
 */
#include <stoa/arrow.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/columns.h"
#include "support/fault_alloc.h"

#define FULL  STOA_ARROW_CHECK_FULL
#define BASIC STOA_ARROW_CHECK_BASIC
#define NONE  STOA_ARROW_CHECK_NONE

/* ---- Trees made by hand: rows of one column "x" ---- */

struct node {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct ArrowSchema *schemas[4];
    struct ArrowArray *arrays[4];
    const void *buffers[4];
    int nreleased;
};

struct tree {
    struct node nodes[16];
    size_t nnodes;
};

static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
    ++*(int *)array->private_data;
    array->release = NULL;
}

/* A node without children, nullable; the last of its buffers are NULL. */
static struct node *add(struct tree *tree, const char *name, const char *format, int64_t length,
                        int64_t nbuffers, const void *first, const void *second, const void *third)
{
    struct node *node = &tree->nodes[tree->nnodes++];

    *node = (struct node){.buffers = {first, second, third}};
    node->schema = (struct ArrowSchema){.format = format,
                                        .name = name,
                                        .flags = ARROW_FLAG_NULLABLE,
                                        .children = node->schemas,
                                        .release = release_schema};
    node->array = (struct ArrowArray){.length = length,
                                      .null_count = -1,
                                      .n_buffers = nbuffers,
                                      .buffers = node->buffers,
                                      .children = node->arrays,
                                      .release = release_array,
                                      .private_data = &node->nreleased};
    return node;
}

static void put_below(struct node *parent, struct node *child)
{
    parent->schemas[parent->schema.n_children++] = &child->schema;
    parent->arrays[parent->array.n_children++] = &child->array;
}

/* The rows around a column of that many values. */
static struct node *start(struct tree *tree, const char *format, int64_t length, int64_t nbuffers,
                          const void *first, const void *second, const void *third)
{
    struct node *rows, *column;

    tree->nnodes = 0;
    rows = add(tree, "", "+s", length, 1, NULL, NULL, NULL);
    column = add(tree, "x", format, length, nbuffers, first, second, third);
    put_below(rows, column);
    return column;
}

/* Metadata of one pair as Arrow writes it; `out` has room for it. */
static const char *one_pair(char *out, const char *key, const char *value)
{
    const int32_t npairs = 1, nkey = (int32_t)strlen(key), nvalue = (int32_t)strlen(value);

    memcpy(out, &npairs, 4);
    memcpy(out + 4, &nkey, 4);
    memcpy(out + 8, key, (size_t)nkey);
    memcpy(out + 8 + nkey, &nvalue, 4);
    memcpy(out + 12 + nkey, value, (size_t)nvalue);
    return out;
}

/* Imports at every level of checks, and compares with JSON, a space between the rows. */
static void expect_json(struct tree *tree, const char *type, const char *expected)
{
    struct node *rows = &tree->nodes[0];
    struct stoa_schema schema;
    struct stoa_error err = {0};
    char *text;

    stoa_test_check(stoa_schema_import(&rows->schema, &schema, &err), &err);
    stoa_test_check(stoa_type_print(&schema.fields[0], &text, &err), &err);
    assert_string_equal(text, type);
    stoa_free(text);
    for (int check = 0; check < 3; check++) {
        struct stoa_batch batch;
        char found[512] = "";

        rows->array.release = release_array;
        stoa_test_check(stoa_batch_import(&rows->array, &rows->schema, &schema,
                                          (enum stoa_arrow_check)check, &batch, &err),
                        &err);
        assert_null(rows->array.release);
        stoa_test_check(stoa_batch_validate(&batch, &err), &err);
        for (size_t i = 0; i < batch.nrows; i++) {
            size_t used = strlen(found);

            stoa_test_check(
                stoa_array_print_json(&schema.fields[0], &batch.columns[0], i, &text, &err), &err);
            snprintf(found + used, sizeof(found) - used, "%s%s", i > 0 ? " " : "", text);
            stoa_free(text);
        }
        assert_string_equal(found, expected);
        stoa_batch_reset(&batch);
    }
    stoa_schema_reset(&schema);
}

/* The import fails with that message, at this level of checks and those above it. */
static void expect_refused(struct tree *tree, enum stoa_arrow_check check, enum stoa_status status,
                           const char *message)
{
    struct node *rows = &tree->nodes[0];
    struct stoa_schema schema = {0};
    struct stoa_batch batch;

    for (int level = 0; level <= (int)check; level++) {
        struct stoa_error err = {0};

        rows->array.release = release_array;
        if (stoa_schema_import(&rows->schema, &schema, &err) == STOA_OK)
            assert_int_not_equal(stoa_batch_import(&rows->array, &rows->schema, &schema,
                                                   (enum stoa_arrow_check)level, &batch, &err),
                                 STOA_OK);
        assert_string_equal(err.message, message);
        assert_int_equal(err.status, status);
        assert_non_null(rows->array.release);
        stoa_schema_reset(&schema);
    }
}

static const int64_t i64_0_to_9[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
static const uint8_t bits_1011[] = {0x0d}, bits_1101[] = {0x0b}, bits_110[] = {0x03};

/* ---- Lists ---- */

static void what_lists_hold_below_nulls_is_left_out(void **state)
{
    (void)state;
    static const int32_t narrow[] = {2, 4, 7, 7, 9};
    static const int64_t wide[] = {2, 4, 7, 7, 9};
    struct tree t;
    struct node *column;

    column = start(&t, "+l", 4, 2, bits_1011, narrow, NULL);
    put_below(column, add(&t, "item", "l", 10, 2, NULL, i64_0_to_9, NULL));
    expect_json(&t, "list<int64>", "[2,3] null [] [7,8]");
    column = start(&t, "+L", 4, 2, bits_1011, wide, NULL);
    put_below(column, add(&t, "item", "l", 9, 2, NULL, i64_0_to_9, NULL));
    t.nodes[2].array.offset = 1;
    expect_json(&t, "list<int64>", "[3,4] null [] [8,9]");
    t.nodes[0].array.offset = 1; /* rows 1 to 2 */
    t.nodes[0].array.length = 2;
    expect_json(&t, "list<int64>", "null []");
}

static void list_views_may_lie_anywhere(void **state)
{
    (void)state;
    static const int32_t offsets[] = {6, -5, 2, 3}, lengths[] = {2, -1, 4, 0};
    static const int64_t wide[] = {6, -5, 2, 3}, wide_lengths[] = {2, -1, 4, 0};
    struct tree t;
    struct node *column;

    column = start(&t, "+vl", 4, 3, bits_1011, offsets, lengths);
    put_below(column, add(&t, "item", "l", 8, 2, NULL, i64_0_to_9, NULL));
    expect_json(&t, "list<int64>", "[6,7] null [2,3,4,5] []");
    column = start(&t, "+vL", 4, 3, bits_1011, wide, wide_lengths);
    put_below(column, add(&t, "item", "l", 8, 2, NULL, i64_0_to_9, NULL));
    t.nodes[0].array.length = 3;
    expect_json(&t, "list<int64>", "[6,7] null [2,3,4,5]");
}

static void a_required_item_may_be_null_where_nothing_shows_it(void **state)
{
    (void)state;
    static const int32_t offsets[] = {0, 2, 4, 4, 5};
    static const uint8_t bits_0to4[] = {0x13}; /* of 5: 1 1 0 0 1 */
    struct tree t;
    struct node *column, *items;

    column = start(&t, "+l", 4, 2, bits_1011, offsets, NULL);
    put_below(column, items = add(&t, "item", "l", 5, 2, bits_0to4, i64_0_to_9, NULL));
    items->schema.flags = 0;
    expect_json(&t, "list<int64 not null>", "[0,1] null [] [4]");
    t.nodes[1].buffers[0] = NULL; /* now all of them show */
    expect_refused(&t, BASIC, STOA_ERR_DATA,
                   "column x: column item: 2 values are null, which the schema forbids");
}

static void fixed_lists_and_maps_come_as_they_are(void **state)
{
    (void)state;
    static const int32_t offsets[] = {0, 2, 2, 3, 3};
    static const int32_t ends[] = {0, 1, 3, 6};
    struct tree t;
    struct node *column, *map, *entries, *key;

    column = start(&t, "+w:2", 4, 1, bits_1101, NULL, NULL);
    put_below(column, add(&t, "item", "l", 9, 2, NULL, i64_0_to_9, NULL));
    expect_json(&t, "fixed_list<int64,2>", "[0,1] [2,3] null [6,7]");
    t.nodes[1].array.offset = 1;
    t.nodes[1].array.length = t.nodes[0].array.length = 3;
    expect_json(&t, "fixed_list<int64,2>", "[2,3] null [6,7]");

    map = start(&t, "+m", 4, 2, bits_1011, offsets, NULL);
    put_below(map, entries = add(&t, "entries", "+s", 3, 1, NULL, NULL, NULL));
    put_below(entries, key = add(&t, "key", "u", 3, 3, NULL, ends, "abbccc"));
    put_below(entries, add(&t, "value", "l", 3, 2, NULL, i64_0_to_9, NULL));
    expect_json(&t, "map<utf8,int64>",
                "[{\"key\":\"a\",\"value\":0},{\"key\":\"bb\",\"value\":1}] null "
                "[{\"key\":\"ccc\",\"value\":2}] []");
    key->buffers[0] = bits_110;
    expect_refused(&t, BASIC, STOA_ERR_DATA,
                   "column x: column entries: column key: 1 values are null, which the schema "
                   "forbids");
}

/* ---- Structs ---- */

static void children_of_null_structs_become_null(void **state)
{
    (void)state;
    static const int32_t ends[] = {0, 1, 3, 6, 10};
    static const char text[] = "a\xff\xff"
                               "ccc\xe2\x82\xac.";
    struct tree t;
    struct node *column, *number;

    column = start(&t, "+s", 4, 1, bits_1011, NULL, NULL);
    put_below(column, add(&t, "a", "u", 4, 3, bits_1101, ends, text));
    put_below(column, number = add(&t, "b", "l", 4, 2, bits_1011, i64_0_to_9, NULL));
    number->schema.flags = 0; /* null below a null alone */
    expect_json(
        &t, "struct<a:utf8,b:int64 not null>",
        "{\"a\":\"a\",\"b\":0} null {\"a\":null,\"b\":2} {\"a\":\"\xe2\x82\xac.\",\"b\":3}");
    column->array.offset = 1;
    column->array.length = t.nodes[0].array.length = 3;
    expect_json(&t, "struct<a:utf8,b:int64 not null>",
                "null {\"a\":null,\"b\":2} {\"a\":\"\xe2\x82\xac.\",\"b\":3}");
    column->buffers[0] = NULL;
    expect_refused(&t, BASIC, STOA_ERR_DATA,
                   "column x: column b: 1 values are null, which the schema forbids");
}

/* ---- Dictionaries and runs ---- */

static const uint8_t bits_101[] = {0x05};
static const int32_t abbccc[] = {0, 1, 3, 6};

static void add_dictionary(struct node *column, struct node *entries)
{
    column->schema.dictionary = &entries->schema;
    column->array.dictionary = &entries->array;
}

static void dictionaries_hold_anything(void **state)
{
    (void)state;
    static const uint8_t indices[] = {2, 1, 9, 0};
    static const int32_t two_ends[] = {0, 1, 3};
    struct tree t;
    struct node *column, *entries;

    column = start(&t, "C", 4, 2, bits_1101, indices, NULL);
    add_dictionary(column, add(&t, "", "l", 3, 2, bits_101, i64_0_to_9, NULL));
    expect_json(&t, "int64", "2 null null 0");
    t.nodes[0].array.length = 1; /* no null among them */
    expect_json(&t, "int64", "2");

    column = start(&t, "C", 4, 2, bits_1101, indices, NULL);
    add_dictionary(column, entries = add(&t, "", "+s", 3, 1, bits_101, NULL, NULL));
    put_below(entries, add(&t, "a", "b", 3, 2, NULL, bits_110, NULL));
    put_below(entries, add(&t, "b", "u", 3, 3, NULL, abbccc,
                           "a\xff\xff"
                           "ccc")); /* of a null */
    entries->schemas[0]->flags = 0;
    expect_json(&t, "struct<a:bool not null,b:utf8>",
                "{\"a\":false,\"b\":\"ccc\"} null null {\"a\":true,\"b\":\"a\"}");

    column = start(&t, "c", 2, 2, NULL, (const int8_t[]){0, 0},
                   NULL); /* what is not used may be anything */
    add_dictionary(column, add(&t, "", "u", 2, 3, NULL, two_ends, "a\xff\xff"));
    expect_json(&t, "utf8", "\"a\" \"a\"");

    column = start(&t, "C", 4, 2, bits_1101, indices, NULL);
    column->schema.flags = 0;
    add_dictionary(column, add(&t, "", "l", 3, 2, NULL, i64_0_to_9, NULL));
    expect_refused(&t, BASIC, STOA_ERR_DATA,
                   "column x: 1 values are null, which the schema forbids");
}

static void runs_are_unfolded(void **state)
{
    (void)state;
    static const int16_t short_ends[] = {1, 4, 5};
    static const int32_t ends[] = {1, 4, 5};
    static const int64_t long_ends[] = {1, 4, 5};
    static const struct {
        const char *format;
        const void *ends;
    } cases[] = {{"s", short_ends}, {"i", ends}, {"l", long_ends}};
    struct tree t;
    struct node *column;

    for (size_t i = 0; i < 3; i++) {
        column = start(&t, "+r", 5, 0, NULL, NULL, NULL);
        put_below(column, add(&t, "run_ends", cases[i].format, 3, 2, NULL, cases[i].ends, NULL));
        put_below(column, add(&t, "values", "u", 3, 3, bits_101, abbccc, "abbccc"));
        expect_json(&t, "utf8", "\"a\" null null null \"ccc\"");
        column->array.offset = 2; /* within the second run */
        column->array.length = t.nodes[0].array.length = 3;
        expect_json(&t, "utf8", "null null \"ccc\"");
        column->array.length = t.nodes[0].array.length = 0;
        expect_json(&t, "utf8", "");
    }
    column = start(&t, "+s", 5, 1, (const uint8_t[]){0x1d}, NULL, NULL);
    put_below(column, add(&t, "a", "+r", 5, 0, NULL, NULL, NULL));
    put_below(&t.nodes[2], add(&t, "run_ends", "i", 3, 2, NULL, ends, NULL));
    put_below(&t.nodes[2], add(&t, "values", "l", 3, 2, NULL, i64_0_to_9, NULL));
    t.nodes[2].schema.flags = 0;
    expect_json(&t, "struct<a:int64 not null>", "{\"a\":0} null {\"a\":1} {\"a\":1} {\"a\":2}");
}

/* Found by fuzzing: the pair of the runs stayed, and was lost when the schema went out and in. */
static void the_pair_of_a_type_is_taken_wherever_it_stands(void **state)
{
    (void)state;
    static const int32_t ends[] = {1, 2, 3};
    static const struct {
        const char *format, *key, *value;
        enum stoa_type_id type;
    } cases[] = {
        {"u", "stoa:type", "enum(bb,a)", STOA_ENUM},
        {"w:16", "ARROW:extension:name", "arrow.uuid", STOA_UUID},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_error err = {0};
        struct node *runs, *codes, *entries;
        char pair[64];
        struct tree t;

        runs = start(&t, "+r", 3, 0, NULL, NULL, NULL);
        put_below(runs, add(&t, "run_ends", "i", 3, 2, NULL, ends, NULL));
        put_below(runs, codes = add(&t, "values", "c", 3, 2, NULL, NULL, NULL));
        add_dictionary(codes, entries = add(&t, "", cases[i].format, 2, 2, NULL, NULL, NULL));
        runs->schema.metadata = one_pair(pair, cases[i].key, cases[i].value);
        codes->schema.metadata = entries->schema.metadata = runs->schema.metadata;
        stoa_test_check(stoa_schema_import(&t.nodes[0].schema, &schema, &err), &err);
        assert_int_equal(schema.fields[0].type.id, cases[i].type);
        assert_int_equal(schema.fields[0].metadata.npairs, 0);
        stoa_schema_reset(&schema);
    }
}

static void bad_runs_are_refused_at_every_level(void **state)
{
    (void)state;
    static const int32_t falling[] = {1, 1, 5}, early[] = {1, 2, 4};
    static const struct {
        const int32_t *ends;
        const uint8_t *validity;
        const char *message;
    } cases[] = {
        {falling, NULL, "column x: run 1 ends at 1 behind 1"},
        {early, NULL, "column x: the runs end at value 4 of 5"},
        {early, bits_101, "column x: the end of a run is null"},
    };
    struct tree t;
    struct node *column, *ends;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        column = start(&t, "+r", 5, 0, NULL, NULL, NULL);
        put_below(column,
                  ends = add(&t, "run_ends", "i", 3, 2, cases[i].validity, cases[i].ends, NULL));
        put_below(column, add(&t, "values", "l", 3, 2, NULL, i64_0_to_9, NULL));
        expect_refused(&t, NONE, STOA_ERR_DATA, cases[i].message);
        ends->schema.format = "I";
        expect_refused(&t, NONE, STOA_ERR_DATA,
                       "column 1 (x): the format of the ends of runs is \"I\"");
    }
    column = start(&t, "+r", 5, 0, NULL, NULL, NULL);
    put_below(column, add(&t, "run_ends", "i", 3, 2, NULL, abbccc + 1, NULL));
    put_below(column, add(&t, "values", "l", 2, 2, NULL, i64_0_to_9, NULL));
    expect_refused(&t, NONE, STOA_ERR_DATA,
                   "column x: values of runs: 2 values for the rows 0 to 3");
}

/* ---- Values of another form ---- */

static void values_of_other_widths_are_converted(void **state)
{
    (void)state;
    static const int32_t d32[] = {-12345, 7, 999999999}, months[] = {-1, 7, 13};
    static const int64_t d64[] = {-12345, 7, 999999999};
    static const int64_t days[] = {-86400000, 1, INT64_C(86400000) * 2147483647};
    static const int32_t day_time[] = {-3, 4, 7, 7, 1, -1500};
    struct tree t;

    start(&t, "d:9,2,32", 3, 2, bits_101, d32, NULL);
    expect_json(&t, "decimal(9,2)", "-123.45 null 9999999.99");
    start(&t, "d:18,2,64", 3, 2, bits_101, d64, NULL);
    expect_json(&t, "decimal(18,2)", "-123.45 null 9999999.99");
    start(&t, "tdm", 3, 2, bits_101, days, NULL);
    expect_json(&t, "date32", "\"1969-12-31\" null \"+5881580-07-11\"");
    start(&t, "tiM", 3, 2, bits_101, months, NULL);
    expect_json(&t, "interval", "\"P-1M\" null \"P1Y1M\"");
    start(&t, "tiD", 3, 2, bits_101, day_time, NULL);
    expect_json(&t, "interval", "\"P-3DT0.004S\" null \"P1DT-1.5S\"");
    start(&t, "tdm", 3, 2, bits_110, days, NULL);
    expect_refused(&t, NONE, STOA_ERR_DATA,
                   "column x: value 1 is not a whole day: take it as timestamp(ms)");
}

/* A decimal of 256 bits, lowest 64 first. */
static void make_wide(uint64_t out[4], uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
    const uint64_t words[4] = {w0, w1, w2, w3};

    for (size_t i = 0; i < 4; i++)
        out[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? i : 3 - i] = words[i];
}

static void wide_decimals_of_few_digits_become_narrow(void **state)
{
    (void)state;
    uint64_t values[12];
    struct tree t;

    make_wide(values, 12345, 0, 0, 0);
    make_wide(values + 4, UINT64_MAX - 9, UINT64_MAX, UINT64_MAX, UINT64_MAX);
    make_wide(values + 8, 0, 0, 1, 0); /* 2^128 */
    start(&t, "d:38,2,256", 3, 2, bits_110, values, NULL);
    expect_json(&t, "decimal(38,2)", "123.45 -0.10 null");
    t.nodes[1].buffers[0] = NULL;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: value 2 has more digits than its precision");
    make_wide(values + 8, 0, UINT64_C(1) << 63, 0, 0); /* 2^127 */
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: value 2 has more digits than its precision");
    start(&t, "d:76,2,256", 3, 2, NULL, values, NULL);
    expect_json(&t, "decimal(76,2)", "123.45 -0.10 1701411834604692317316873037158841057.28");
}

struct text_view {
    int32_t nbytes;
    char text[12];
};

static void string_views_come_from_their_buffers(void **state)
{
    (void)state;
    static const char data[] = "a text of more than twelve bytes";
    struct text_view views[] = {{5, "short"}, {-7, ""}, {12, "twelve bytes"}, {32, "a te"}};
    static const int32_t place[] = {0, 0}, outside[] = {0, 1}, nowhere[] = {3, 0};
    int64_t sizes[] = {32};
    struct tree t;
    struct node *column;

    memcpy(views[3].text + 4, place, 8);
    column = start(&t, "vu", 4, 4, bits_1011, views, data);
    column->buffers[3] = sizes;
    expect_json(&t, "utf8", "\"short\" null \"twelve bytes\" \"a text of more than twelve bytes\"");
    column->schema.format = "vz";
    column->array.length = t.nodes[0].array.length = 1;
    expect_json(&t, "binary", "\"c2hvcnQ=\"");
    column->array.length = t.nodes[0].array.length = 4;
    memcpy(views[3].text + 4, outside, 8);
    expect_refused(&t, NONE, STOA_ERR_DATA,
                   "column x: value 3: a view of 32 bytes at 1 of a buffer of 32 bytes");
    memcpy(views[3].text + 4, nowhere, 8);
    expect_refused(&t, NONE, STOA_ERR_DATA,
                   "column x: value 3: a view of 32 bytes at 0 of buffer 3 of 1");
    column->buffers[0] = NULL;
    expect_refused(&t, NONE, STOA_ERR_DATA,
                   "column x: value 1: a view of -7 bytes at 0 of buffer 0 of 1");
    column->array.n_buffers = 2;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: 2 buffers where its type has 3 or more");
}

/* ---- Metadata ---- */

static void extensions_and_ids_are_found_at_any_depth(void **state)
{
    (void)state;
    static const int32_t offsets[] = {0, 1};
    static const char uuid[] = "0123456789abcdef";
    static const char *const ids[] = {"7", "0", "4294967296", "-1", "7x", ""};
    char extension[64], pair[64];
    struct stoa_schema schema;
    struct stoa_error err = {0};
    struct tree t;
    struct node *column, *items;

    column = start(&t, "+l", 1, 2, NULL, offsets, NULL);
    put_below(column, items = add(&t, "item", "w:16", 1, 2, NULL, uuid, NULL));
    items->schema.metadata = one_pair(extension, "ARROW:extension:name", "arrow.uuid");
    expect_json(&t, "list<uuid>", "[\"30313233-3435-3637-3839-616263646566\"]");

    column = start(&t, "c", 1, 2, NULL, (const int8_t[]){0}, NULL); /* that of the entries */
    add_dictionary(column, items = add(&t, "", "w:16", 1, 2, NULL, uuid, NULL));
    items->schema.metadata = extension;
    expect_json(&t, "uuid", "\"30313233-3435-3637-3839-616263646566\"");

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        column = start(&t, "+s", 1, 1, NULL, NULL, NULL);
        put_below(column, items = add(&t, "a", "l", 1, 2, NULL, i64_0_to_9, NULL));
        items->schema.metadata = one_pair(pair, "PARQUET:field_id", ids[i]);
        stoa_test_check(stoa_schema_import(&t.nodes[0].schema, &schema, &err), &err);
        assert_int_equal(schema.fields[0].children[0].id, i == 0 ? 7 : 0);
        assert_int_equal(schema.fields[0].children[0].metadata.npairs, i == 0 ? 0 : 1);
        stoa_schema_reset(&schema);
    }
}

/* ---- What is refused ---- */

static void schemas_deeper_than_the_limit_are_refused(void **state)
{
    (void)state;
    enum { DEEP = 10000 };
    static struct ArrowSchema schemas[DEEP];
    static struct ArrowSchema *children[DEEP];
    static const struct {
        unsigned depth;
        const char *format, *message;
    } cases[] = {
        {33, "+l", NULL},
        {34, "+l", ": types are nested more than 32 deep"},
        {DEEP, "+l", "column 1 (x): the Arrow schema is deeper than 64 levels"},
        {DEEP, "+s", "column 1 (x): the Arrow schema is deeper than 64 levels"},
    };
    struct stoa_schema schema = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};
        enum stoa_status st;

        for (unsigned k = 0; k < cases[i].depth; k++) {
            bool last = k + 1 == cases[i].depth;

            children[k] = last ? NULL : &schemas[k + 1];
            schemas[k] = (struct ArrowSchema){.format = k == 0 ? "+s"
                                                        : last ? "l"
                                                               : cases[i].format,
                                              .name = "x",
                                              .flags = ARROW_FLAG_NULLABLE,
                                              .n_children = !last,
                                              .children = &children[k],
                                              .release = release_schema};
        }
        st = stoa_schema_import(&schemas[0], &schema, &err);
        assert_int_equal(st == STOA_OK, cases[i].message == NULL);
        if (st != STOA_OK)
            assert_non_null(strstr(err.message, cases[i].message));
        stoa_schema_reset(&schema);
    }
}

/* Each struct is the only child of the one above it, four times: 4^20 fields in 20 structs. */
static void schemas_with_endless_fields_are_refused(void **state)
{
    (void)state;
    enum { DEPTH = 20 };
    struct ArrowSchema schemas[DEPTH], *children[DEPTH][4];
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    for (unsigned i = 0; i < DEPTH; i++) {
        bool last = i + 1 == DEPTH;

        for (unsigned k = 0; k < 4; k++)
            children[i][k] = last ? NULL : &schemas[i + 1];
        schemas[i] = (struct ArrowSchema){.format = last ? "l" : "+s",
                                          .name = "x",
                                          .n_children = last ? 0 : 4,
                                          .children = children[i],
                                          .release = release_schema};
    }
    assert_int_equal(stoa_schema_import(&schemas[0], &schema, &err), STOA_ERR_DATA);
    assert_non_null(strstr(err.message, "the Arrow schema has more than 1048576 fields"));
}

static void lists_that_break_the_rules_are_refused_at_every_level(void **state)
{
    (void)state;
    static const int32_t falling[] = {0, 4, 2, 6, 6}, rising[] = {0, 1, 2, 3, 9};
    static const int32_t low[] = {-1, 0, 0, 0, 0};
    static const int64_t far[] = {0, INT64_C(1) << 40, INT64_C(1) << 40};
    static const int32_t lengths[] = {1, -1, 1, 1};
    struct tree t;
    struct node *column, *items;

    column = start(&t, "+l", 4, 2, NULL, falling, NULL);
    put_below(column, items = add(&t, "item", "l", 8, 2, NULL, i64_0_to_9, NULL));
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: value 1: the offset goes from 4 to 2");
    column->buffers[1] = low;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: value 0: the offset goes from -1 to 0");
    column->buffers[1] = rising;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: the lists need 9 values of 8");
    items->array.length = -1;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: the lists need 9 values of -1");
    column->buffers[1] = NULL;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: the buffer of the offsets is missing");
    column->arrays[0] = NULL;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: child 1 of the Arrow array is missing");
    column->array.n_children = 0;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: 0 children where its type has 1");
    column->schemas[0] = NULL;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column 1 (x): child 1 of the Arrow schema is missing");
    column->schema.n_children = 0;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column 1 (x): format \"+l\" with 0 children, not 1");

    column = start(&t, "+L", 2, 2, NULL, far, NULL);
    put_below(column, items = add(&t, "item", "n", INT64_C(1) << 41, 0, NULL, NULL, NULL));
    expect_refused(&t, NONE, STOA_ERR_LIMIT,
                   "column x: 1099511627776 bytes of text or values of lists are more than one "
                   "array of a column holds (2147483647): use fewer rows at a time");
    column = start(&t, "+vl", 4, 3, NULL, rising, lengths);
    put_below(column, items = add(&t, "item", "l", 8, 2, NULL, i64_0_to_9, NULL));
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: value 1: offset 1 and length -1");
    column->buffers[2] = NULL;
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: the buffer of the lengths is missing");

    column = start(&t, "+w:3", 3, 1, NULL, NULL, NULL);
    put_below(column, items = add(&t, "item", "l", 8, 2, NULL, i64_0_to_9, NULL));
    expect_refused(&t, NONE, STOA_ERR_DATA, "column x: column item: 8 values for the rows 0 to 9");
    t.nodes[1].array.offset = INT64_MAX / 8 - 3;
    expect_refused(&t, NONE, STOA_ERR_DATA,
                   "column x: column item: 8 values for the rows 3458764513820540916 to "
                   "3458764513820540925");
    items->array.null_count = 3;
    t.nodes[1].array.offset = 0;
    t.nodes[1].array.length = t.nodes[0].array.length = 2;
    expect_refused(&t, NONE, STOA_ERR_DATA,
                   "column x: column item: null_count is 3 and there is no bitmap");
}

static void more_values_than_an_array_holds_are_a_limit(void **state)
{
    (void)state;
    struct tree t;
    struct node *column;

    start(&t, "n", INT64_C(1) << 31, 0, NULL, NULL, NULL);
    expect_refused(&t, NONE, STOA_ERR_LIMIT, "2147483648 values at a time, more than 2147483647");
    t.nodes[0].array.offset = INT64_C(1) << 31; /* elsewhere a few are fine */
    t.nodes[0].array.length = 2;
    t.nodes[1].array.length = (INT64_C(1) << 31) + 2;
    expect_json(&t, "null", "null null");
    column = start(&t, "+w:65535", 40000, 1, NULL, NULL, NULL);
    put_below(column, add(&t, "item", "n", 40000 * INT64_C(65535), 0, NULL, NULL, NULL));
    expect_refused(&t, NONE, STOA_ERR_LIMIT,
                   "column x: 2621400000 bytes of text or values of lists are more than one array "
                   "of a column holds (2147483647): use fewer rows at a time");
}

/* ---- Memory ---- */

static enum stoa_status takes_rows(void *context, struct stoa_error *err)
{
    struct node *rows = &((struct tree *)context)->nodes[0];
    struct stoa_schema schema = {0};
    struct stoa_batch batch = {0};
    enum stoa_status st = stoa_schema_import(&rows->schema, &schema, err);

    rows->array.release = release_array;
    if (st == STOA_OK)
        st = stoa_batch_import(&rows->array, &rows->schema, &schema, FULL, &batch, err);
    assert_true((st == STOA_OK) == (rows->array.release == NULL));
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
    return st;
}

/* A struct, null once, of whatever is not copied as it is. */
static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    static const int32_t offsets[] = {3, 1, 0}, lengths[] = {2, 2, 2}, ends[] = {1, 2, 3};
    static const int32_t months[] = {1, 2, 3}, list_offsets[] = {0, 2, 4, 4};
    static const int8_t indices[] = {1, 0, 1};
    static const struct text_view views[] = {{5, "short"}, {4, "text"}, {1, "x"}};
    char pair[64];
    struct tree t;
    struct node *column, *views_node, *list;

    column = start(&t, "+s", 3, 1, bits_101, NULL, NULL);
    put_below(column, list = add(&t, "a", "+vl", 3, 3, NULL, offsets, lengths));
    put_below(list, add(&t, "item", "u", 5, 3, NULL, list_offsets, NULL));
    list->arrays[0]->length = 5;
    t.nodes[3].buffers[1] = (const int32_t[]){0, 1, 2, 3, 4, 5};
    t.nodes[3].buffers[2] = "abcde";
    put_below(column, list = add(&t, "b", "+r", 3, 0, NULL, NULL, NULL));
    put_below(list, add(&t, "run_ends", "i", 3, 2, NULL, ends, NULL));
    put_below(list, add(&t, "values", "tiM", 3, 2, NULL, months, NULL));
    put_below(column, list = add(&t, "c", "c", 3, 2, NULL, indices, NULL));
    add_dictionary(list, add(&t, "", "+l", 3, 2, bits_101, list_offsets, NULL));
    put_below(&t.nodes[8], add(&t, "item", "l", 4, 2, NULL, i64_0_to_9, NULL));
    put_below(column, views_node = add(&t, "d", "vu", 3, 3, NULL, views, NULL));
    views_node->schema.metadata = one_pair(pair, "unit", "none");
    expect_json(&t, "struct<a:list<utf8>,b:interval,c:list<int64>,d:utf8>",
                "{\"a\":[\"d\",\"e\"],\"b\":\"P1M\",\"c\":null,\"d\":\"short\"} null "
                "{\"a\":[\"a\",\"b\"],\"b\":\"P3M\",\"c\":null,\"d\":\"x\"}");
    stoa_test_each_failing_alloc(takes_rows, &t);

    list = start(&t, "c", 3, 2, bits_101, indices, NULL); /* an enum */
    add_dictionary(list, add(&t, "", "u", 2, 3, NULL, abbccc, "abb"));
    list->schema.metadata = one_pair(pair, "stoa:type", "enum(bb,a)");
    expect_json(&t, "enum(bb,a)", "\"bb\" null \"bb\"");
    stoa_test_each_failing_alloc(takes_rows, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lists_hold_below_nulls_is_left_out),
        cmocka_unit_test(list_views_may_lie_anywhere),
        cmocka_unit_test(a_required_item_may_be_null_where_nothing_shows_it),
        cmocka_unit_test(fixed_lists_and_maps_come_as_they_are),
        cmocka_unit_test(children_of_null_structs_become_null),
        cmocka_unit_test(dictionaries_hold_anything),
        cmocka_unit_test(runs_are_unfolded),
        cmocka_unit_test(the_pair_of_a_type_is_taken_wherever_it_stands),
        cmocka_unit_test(bad_runs_are_refused_at_every_level),
        cmocka_unit_test(values_of_other_widths_are_converted),
        cmocka_unit_test(wide_decimals_of_few_digits_become_narrow),
        cmocka_unit_test(string_views_come_from_their_buffers),
        cmocka_unit_test(extensions_and_ids_are_found_at_any_depth),
        cmocka_unit_test(schemas_deeper_than_the_limit_are_refused),
        cmocka_unit_test(schemas_with_endless_fields_are_refused),
        cmocka_unit_test(lists_that_break_the_rules_are_refused_at_every_level),
        cmocka_unit_test(more_values_than_an_array_holds_are_a_limit),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
