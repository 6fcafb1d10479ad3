/* Predicates that meet a schema: what they select on small tables, and what is refused. */
#include <stoa/filter.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/int256.h"
#include "column/builder.h"
#include "stats/matcher.h"
#include "support/filter_faults.h"

/*
 * Eight rows of a column each; the last one is null.
 *
 * i32   -3 -1 0 1 2 3 2147483647 null         u8   0 1 2 3 127 128 255 null
 * f64   NaN -inf -1.5 -0.0 0.0 0.1 inf null   f32  NaN -inf -1.5 -0.0 0.0 0.1 inf null
 * dec   decimal(4,2): -99.99 -0.01 0.00 0.01 1.00 1.50 99.99 null
 * big   decimal(38,0): -2 -1 0 1 2 3 10^37 null
 * day   1970-01-01 .. 1970-01-07 null         ts   timestamp(s) 1970-01-01 00:00:00 .. :06 null
 * utc   timestamp(ms,UTC) 0, 1 .. 6 ms null
 * txt   "" "a" "ab" "abc" "b" "%_" "é" null   bin  "" 00 61 6162 ff ff00 ffff null
 * col   enum(red,green,blue): red green blue red green blue red null
 * yes   bool: 0 1 0 1 0 1 0 null              none null
 * id    uuid: 16 bytes 00.., 11.., 22.. .. 66.. null
 * f16   float16: as f64                       dur  duration(ms): 0 ms, 1 .. 6 ms null
 * wide  decimal(76,2): -99.99 -0.01 0.00 0.01 1.00 1.50 10^73 null
 */
static const char schema_types[][2][32] = {
    {"i32", "int32"},        {"u8", "uint8"},           {"f64", "float64"},
    {"f32", "float32"},      {"dec", "decimal(4,2)"},   {"big", "decimal(38,0)"},
    {"day", "date32"},       {"ts", "timestamp(s)"},    {"utc", "timestamp(ms,UTC)"},
    {"txt", "utf8"},         {"bin", "binary"},         {"col", "enum(red,green,blue)"},
    {"yes", "bool"},         {"none", "null"},          {"id", "uuid"},
    {"Name", "int32"},       {"NAME", "int32"},         {"f16", "float16"},
    {"dur", "duration(ms)"}, {"wide", "decimal(76,2)"},
};
enum { NCOLUMNS = sizeof(schema_types) / sizeof(schema_types[0]), NROWS = 8 };

static struct stoa_schema schema;
static struct stoa_batch batch;

static void ok(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s", err->message);
}

static void append_number(struct stoa_builder *builder, enum stoa_type_id id, size_t column, int i)
{
    static const int32_t ints[] = {-3, -1, 0, 1, 2, 3, INT32_MAX};
    static const uint8_t bytes[] = {0, 1, 2, 3, 127, 128, 255};
    static const double floats[] = {(double)NAN, (double)-INFINITY, -1.5, -0.0, 0.0,
                                    0.1,         (double)INFINITY};
    static const int64_t cents[] = {-9999, -1, 0, 1, 100, 150, 9999};
    struct stoa_int128 wide = stoa_int128_from_i64(column == 4 ? cents[i] : i - 2);
    struct stoa_int256 wider = stoa_int256_from_i64(cents[i]);
    static const uint16_t halves[] = {0x7e00, 0xfc00, 0xbe00, 0x8000, 0, 0x2e66, 0x7c00};
    float single = (float)floats[i];

    if (i == 6)
        assert_true(stoa_int256_mul_pow10(stoa_int256_from_i64(1), 75, &wider));
    if (id == STOA_DECIMAL && column == 5 && i == 6)
        assert_true(stoa_int128_mul_pow10(stoa_int128_from_i64(1), 37, &wide));
    switch (id) {
    case STOA_INT32:
        stoa_builder_append_fixed(builder, &ints[i]);
        break;
    case STOA_UINT8:
        stoa_builder_append_8(builder, bytes[i]);
        break;
    case STOA_FLOAT64:
        stoa_builder_append_fixed(builder, &floats[i]);
        break;
    case STOA_FLOAT32:
        stoa_builder_append_fixed(builder, &single);
        break;
    case STOA_FLOAT16:
        stoa_builder_append_fixed(builder, &halves[i]);
        break;
    case STOA_DECIMAL:
        stoa_builder_append_fixed(builder, column > 5 ? (void *)&wider : (void *)&wide);
        break;
    case STOA_DATE32:
        stoa_builder_append_32(builder, (uint32_t)i);
        break;
    case STOA_ENUM:
        stoa_builder_append_32(builder, (uint32_t)i % 3);
        break;
    default:
        stoa_builder_append_64(builder, (uint64_t)i);
        break;
    }
}

static void append(struct stoa_builder *builder, enum stoa_type_id id, size_t column, int i)
{
    static const char *const texts[] = {"", "a", "ab", "abc", "b", "%_", "\xc3\xa9"};
    static const struct {
        char bytes[3];
        size_t nbytes;
    } bins[] = {{"", 0},     {"\0", 1},     {"a", 1},       {"ab", 2},
                {"\xff", 1}, {"\xff\0", 2}, {"\xff\xff", 2}};
    uint8_t uuid[16];

    if (i == NROWS - 1 || id == STOA_NULL) {
        stoa_builder_append_null(builder);
    } else if (id == STOA_BOOL) {
        stoa_builder_append_bool(builder, i % 2);
    } else if (id == STOA_UTF8) {
        stoa_builder_append_bytes(builder, texts[i], strlen(texts[i]));
    } else if (id == STOA_BINARY) {
        stoa_builder_append_bytes(builder, bins[i].bytes, bins[i].nbytes);
    } else if (id == STOA_UUID) {
        memset(uuid, i * 0x11, sizeof(uuid));
        stoa_builder_append_fixed(builder, uuid);
    } else {
        append_number(builder, id, column, i);
    }
}

static int make_table(void **state)
{
    (void)state;
    struct stoa_error err;

    for (size_t c = 0; c < NCOLUMNS; c++) {
        struct stoa_type type;

        ok(stoa_type_parse(schema_types[c][1], &type, &err), &err);
        ok(stoa_schema_add(&schema, schema_types[c][0], &type, true, &err), &err);
        stoa_type_reset(&type);
    }
    ok(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = NROWS;
    for (size_t c = 0; c < NCOLUMNS; c++) {
        struct stoa_builder builder;

        ok(stoa_builder_init(&builder, &schema.fields[c].type, NROWS, &err), &err);
        ok(stoa_builder_reserve(&builder, NROWS, 64, &err), &err);
        for (int i = 0; i < NROWS; i++)
            append(&builder, schema.fields[c].type.id, c, i);
        stoa_builder_finish(&builder, &batch.columns[c]);
        stoa_builder_reset(&builder);
    }
    ok(stoa_batch_validate(&batch, &err), &err);
    return 0;
}

static int free_table(void **state)
{
    (void)state;
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
    return 0;
}

/* The rows for which a predicate is true: '1' for row 0 first. */
static const struct {
    const char *text;
    const char *rows;
} cases[] = {
    {"i32 = 1", "00010000"},
    {"i32 <> 1", "11101110"},
    {"i32 < 1", "11100000"},
    {"i32 <= 1", "11110000"},
    {"i32 > 1", "00001110"},
    {"i32 >= 1", "00011110"},
    {"not i32 < 1", "00011110"},
    {"I32 = 1", "00010000"},
    /* Between two values of the type. */
    {"i32 = 1.5", "00000000"},
    {"i32 <> 1.5", "11111110"},
    {"i32 < 1.5", "11110000"},
    {"i32 <= 1.5", "11110000"},
    {"i32 > 1.5", "00001110"},
    {"i32 >= 1.5", "00001110"},
    {"i32 > -1.5", "01111110"},
    {"i32 < -1.5", "10000000"},
    {"i32 = 1.0", "00010000"},
    {"i32 = 10e-1", "00010000"},
    {"i32 = '1'", "00010000"},
    {"i32 between 0.5 and 2.5", "00011000"},
    {"i32 between 2 and 1", "00000000"},
    {"i32 not between 0 and 2", "11000110"},
    /* Outside of the type. */
    {"i32 < 2147483648", "11111110"},
    {"i32 > 2147483646.5", "00000010"},
    {"i32 > 99999999999999999999999999999999999999999999", "00000000"},
    {"i32 > -99999999999999999999999999999999999999999999", "11111110"},
    {"i32 <> 1e400", "11111110"},
    {"not i32 = 1e400", "11111110"},
    {"i32 = 1e400 or i32 is null", "00000001"},
    {"u8 < 300", "11111110"},
    {"u8 > -1", "11111110"},
    {"u8 >= 256", "00000000"},
    {"u8 = -1", "00000000"},
    {"u8 between -5 and 300", "11111110"},
    {"u8 in (255, 256, -1, 2, 3, 1, 0, 1)", "11110010"},
    {"u8 in (0, 2, 127, 255, 1, 128)", "11101110"},
    /* Null: unknown, which "not" does not change. */
    {"i32 is null", "00000001"},
    {"i32 is not null", "11111110"},
    {"not i32 is null", "11111110"},
    {"not (i32 = 1 or u8 = 1)", "10101110"},
    {"i32 = 1 or i32 <> 1", "11111110"},
    {"none = 1", "00000000"},
    {"not none = 1", "00000000"},
    {"none is null", "11111111"},
    {"none = 1 or i32 = 1", "00010000"},
    {"none like 'x' and i32 = 1", "00000000"},
    {"not (none = 1 and i32 = 1)", "11101110"},
    {"i32 not in (1, 2)", "11100110"},
    /* NaN, zeros, infinities. */
    {"f64 = 0", "00011000"},
    {"f64 = -0.0", "00011000"},
    {"f64 < 0", "01100000"},
    {"f64 <= -0.0", "01111000"},
    {"f64 > 0", "00000110"},
    {"f64 >= 0", "00011110"},
    {"f64 <> 0", "11100110"},
    {"not f64 = 0", "11100110"},
    {"not f64 <> 0", "00011000"},
    {"not f64 < 0", "10011110"},
    {"f64 = 0.1", "00000100"},
    {"f32 = 0.1", "00000100"},
    {"f64 = 'NaN'", "00000000"},
    {"f64 <> 'NaN'", "11111110"},
    {"f64 < 'NaN'", "00000000"},
    {"f64 >= 'nan'", "00000000"},
    {"f64 in (0.1, 'NaN')", "00000100"},
    {"f64 between 'NaN' and 1", "00000000"},
    {"f64 = 'Infinity'", "00000010"},
    {"f64 <= '-inf'", "01000000"},
    {"f64 < '-inf'", "00000000"},
    {"f64 < 1e400", "01111100"},
    {"f64 > 1e400", "00000010"},
    {"f64 > -1e400", "00111110"},
    {"f32 < 1e39", "01111100"},
    {"f64 is nan", "10000000"},
    {"f64 is not nan", "01111111"},
    {"not f64 is nan", "01111111"},
    {"f32 is nan or f32 > 0", "10000110"},
    {"f64 between -1.5 and 0.1", "00111100"},
    {"f64 in (-1.5, 0, 1, 2, 3, 4)", "00111000"},
    /* Decimals: exact, of any scale. */
    {"dec = 1", "00001000"},
    {"dec = 1.50", "00000100"},
    {"dec > 0.005", "00011110"},
    {"dec < -0.005", "11000000"},
    {"dec between -0.01 and 0.01", "01110000"},
    {"dec <= 99.99", "11111110"},
    {"dec < 100", "11111110"},
    {"dec >= 99.991", "00000000"},
    {"big = 10000000000000000000000000000000000000", "00000010"},
    {"big > 9999999999999999999999999999999999999.5", "00000010"},
    {"big in (-2, 0, 1, 2, 1e37)", "10111010"},
    {"big < -1.5", "10000000"},
    {"wide > 1.499", "00000110"},
    {"wide = 1e73", "00000010"},
    {"wide > 1e75", "00000000"},
    {"wide > -1e75", "11111110"},
    {"wide in (-99.99, 0, 0.005, 1e73)", "10100010"},
    {"wide between -0.01 and 0.01", "01110000"},
    /* Short floats take the nearest of theirs. */
    {"f16 = 0.1", "00000100"},
    {"f16 <= 0.09998", "01111100"},
    {"f16 <= -1.5", "01100000"},
    {"f16 > 65519", "00000010"},
    {"f16 > 1e9", "00000010"},
    {"f16 < 65520", "01111100"},
    {"f16 is nan", "10000000"},
    {"f16 <> 'nan'", "11111110"},
    /* Durations. */
    {"dur > 'PT0.003S'", "00001110"},
    {"dur >= 'PT0.0025S'", "00011110"},
    {"dur = 'PT0.0025S'", "00000000"},
    {"dur in ('PT0S', 'PT0.006S', '-PT5H')", "10000010"},
    {"dur > '-P1000000W'", "11111110"},
    /* Dates and times. */
    {"day = '1970-01-03'", "00100000"},
    {"day < '1970-01-03 12:00:00'", "11100000"},
    {"day >= '1970-01-03 12:00:00'", "00011110"},
    {"ts >= '1970-01-01'", "11111110"},
    {"ts = '1970-01-01 00:00:03'", "00010000"},
    {"ts > '1970-01-01T00:00:03.5'", "00001110"},
    {"ts = '1970-01-01T00:00:03.5'", "00000000"},
    {"ts < '2500-01-01'", "11111110"},
    {"utc = '1970-01-01 00:00:00.003Z'", "00010000"},
    {"utc = '1970-01-01 02:00:00.003+02:00'", "00010000"},
    {"utc > '1970-01-01 00:00:00.0035Z'", "00001110"},
    /* Text. */
    {"txt = ''", "10000000"},
    {"txt >= 'ab'", "00111010"},
    {"txt < 'ab'", "11000100"},
    {"txt > 'ab'", "00011010"},
    {"txt <= 'ab'", "11100100"},
    {"txt <> 'ab'", "11011110"},
    {"txt between 'a' and 'abc'", "01110000"},
    {"txt in ('b', 'a', 'zz', 'a')", "01001000"},
    {"txt in ('b', 'a', 'zz', '1', '2', '3', '4', '5', '6', '7', '8')", "01001000"},
    {"txt not in ('b', 'a', 'zz', '1', '2', '3', '4', '5', '6', '7', '8')", "10110110"},
    {"txt = x'6162'", "00100000"},
    {"txt > x'61ff'", "00001010"},
    {"bin = x'00'", "01000000"},
    {"bin > x'ff'", "00000110"},
    {"bin = 'ab'", "00010000"},
    {"bin between x'' and x'61'", "11100000"},
    /* Like. */
    {"txt like ''", "10000000"},
    {"txt like '%'", "11111110"},
    {"txt like '_'", "01001010"},
    {"txt like '__'", "00100100"},
    {"txt like '%__'", "00110100"},
    {"txt like '%__%'", "00110100"},
    {"txt like '__%'", "00110100"},
    {"txt like 'a%'", "01110000"},
    {"txt like '%b'", "00101000"},
    {"txt like '%b%'", "00111000"},
    {"txt like 'a_c'", "00010000"},
    {"txt like 'a%c'", "00010000"},
    {"txt not like 'a%'", "10001110"},
    {"txt like '!%!_' escape '!'", "00000100"},
    {"txt like '!%%' escape '!'", "00000100"},
    {"txt like 'ab!c' escape '!'", "00010000"},
    {"txt like '%a' escape '%'", "01000000"},
    {"col like '%e%'", "11111110"},
    {"col like '%r%'", "11011010"},
    {"col not like '%r%'", "00100100"},
    /* Enums in the order of their symbols. */
    {"col = 'green'", "01001000"},
    {"col > 'red'", "01101100"},
    {"col in ('red', 'blue')", "10110110"},
    {"yes = true", "01010100"},
    {"yes <> true", "10101010"},
    {"yes < true", "10101010"},
    {"yes > true", "00000000"},
    {"yes in (true, false)", "11111110"},
    {"id = '22222222-2222-2222-2222-222222222222'", "00100000"},
    {"id < '33333333333333333333333333333333'", "11100000"},
    {"id > x'33'", "00011110"},
    /* Names: exact ones first. */
    {"Name = 1", "00010000"},
    {"NAME = 1 and i32 = 1 or u8 = 2 and u8 < 3", "00110000"},
};

static void rows_are_those_for_which_it_is_true(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_filter *filter = NULL;
        struct stoa_matcher *matcher = NULL;
        struct stoa_error err = {0};
        uint8_t selected[1];
        char rows[NROWS + 1] = "";

        ok(stoa_filter_parse(cases[i].text, &filter, &err), &err);
        ok(stoa_filter_bind(filter, &schema, &matcher, &err), &err);
        stoa_filter_free(filter);
        ok(stoa_matcher_eval(matcher, &batch, selected, &err), &err);
        for (int k = 0; k < NROWS; k++)
            rows[k] = (char)('0' + ((selected[0] >> k) & 1));
        if (strcmp(rows, cases[i].rows) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, rows, cases[i].rows);
        stoa_matcher_free(matcher);
    }
}

static const struct {
    const char *text;
    const char *message;
} refused[] = {
    {"i33 = 1", "i33 = 1: there is no column \"i33\"; did you mean \"i32\"?"},
    {"i32 = 'abc'", "i32 = 'abc': 'abc' is not int32"},
    {"txt = 1", "txt = 1: 1 is not utf8: put it in quotes"},
    {"i32 = true", "i32 = true: true is not int32"},
    {"yes = 1", "yes = 1: 1 is not bool: write true or false"},
    {"i32 in (1, x'00')", "i32 in (1, x'00'): x'...' is not int32"},
    {"day = 1", "day = 1: 1 is not date32: write a date as 'YYYY-MM-DD'"},
    {"day = '1970-02-30'",
     "day = '1970-02-30': '1970-02-30' is not date32: write a date as 'YYYY-MM-DD'"},
    {"utc > '1970-01-01'",
     "utc > '1970-01-01': '1970-01-01' is not timestamp(ms,UTC): it needs a time zone, as in "
     "'2013-01-05 00:00:00Z' or '2013-01-05 00:00:00+02:00'"},
    {"ts > '1970-01-01 00:00:00Z'",
     "ts > '1970-01-01 00:00:00Z': '1970-01-01 00:00:00Z' is not timestamp(s): the column has no "
     "time zone, leave it out"},
    {"col = 'geen'", "col = 'geen': 'geen' is not enum(red,green,blue); did you mean 'green'?"},
    {"i32 is nan", "i32 is nan: the column is int32, which has no nan"},
    {"i32 like '1%'", "i32 like '1%': the column is int32, and \"like\" is for text"},
    {"bin like '1%'", "bin like '1%': the column is binary, and \"like\" is for text"},
    {"txt like 'a!' escape '!'",
     "txt like 'a!' escape '!': the pattern ends in its escape character"},
    {"not (i32 = 1 and txt not in (1))", "txt in (1): 1 is not utf8: put it in quotes"},
    {"name = 1", "name = 1: 2 columns are called \"name\" when upper and lower case are alike; "
                 "write the name exactly"},
    {"dur > 3", "dur > 3: 3 is not duration(ms): write a duration as 'PT1H30M' or 'PT0.5S'"},
    {"wide = 'x'", "wide = 'x': 'x' is not decimal(76,2)"},
    {"id = 'x'", "id = 'x': 'x' is not uuid: write it as '00112233-4455-6677-8899-aabbccddeeff'"},
};

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct stoa_filter *filter = NULL;
        struct stoa_matcher *matcher = NULL;
        struct stoa_error err = {0};

        ok(stoa_filter_parse(refused[i].text, &filter, &err), &err);
        assert_int_equal(stoa_filter_bind(filter, &schema, &matcher, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, refused[i].message);
        assert_null(matcher);
        stoa_filter_free(filter);
    }
}

static void columns_and_terms_are_told(void **state)
{
    (void)state;
    static const char *const texts[] = {"txt not like 'a%'", "not u8 > 3", "i32 not in (1)",
                                        "u8 is null"};
    static const uint32_t places[] = {2, 1, 0, 1};
    struct stoa_filter *filter = NULL;
    struct stoa_matcher *matcher = NULL;
    struct stoa_error err = {0};
    const uint32_t *columns;
    uint32_t ncolumns;

    ok(stoa_filter_parse("not (txt like 'a%' or (u8 > 3 and i32 in (1))) or u8 is null", &filter,
                         &err),
       &err);
    ok(stoa_filter_bind(filter, &schema, &matcher, &err), &err);
    columns = stoa_matcher_nodes(matcher, &ncolumns);
    assert_int_equal(ncolumns, 3);
    assert_int_equal(columns[0], 0);
    assert_int_equal(columns[1], 1);
    assert_int_equal(columns[2], 9);
    assert_int_equal(stoa_matcher_nterms(matcher), 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(stoa_matcher_term_text(matcher, i), texts[i]);
        assert_int_equal(stoa_matcher_term_node(matcher, i), places[i]);
    }
    stoa_matcher_free(matcher);
    stoa_filter_free(filter);
}

/* Neighbours in a list become one range, so that pruning and chunks see few. */
static void neighbours_are_joined(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t nranges;
    } lists[] = {
        {"i32 in (3, 1, 2, 2, 7)", 2},
        {"u8 in (255, 254, 256)", 1},
        {"day in ('1970-01-02', '1970-01-01')", 1},
        {"txt in ('a', 'b', 'a')", 2},
        {"dec in (0.01, 0.02, 0.04)", 2},
        {"wide in (0.04, 0.02, 0.01, 184467440737095516.15, 184467440737095516.16)", 3},
        {"col in ('red', 'green', 'blue')", 1},
        {"f64 in (0, -0.0)", 1},
        {"i32 = 0.5", 0},
        {"col like '%e%'", 1},
        {"txt like 'ab%'", 1},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct stoa_filter *filter = NULL;
        struct stoa_matcher *matcher = NULL;
        struct stoa_error err = {0};

        ok(stoa_filter_parse(lists[i].text, &filter, &err), &err);
        ok(stoa_filter_bind(filter, &schema, &matcher, &err), &err);
        assert_int_equal(matcher->leaves[0].nranges, lists[i].nranges);
        assert_int_equal(matcher->leaves[0].test, STOA_LEAF_RANGES);
        stoa_matcher_free(matcher);
        stoa_filter_free(filter);
    }
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};

    ok(stoa_filter_parse("not (txt in ('b','a','z','1','2','3','4','5','6','7','8') and txt like "
                         "'a%b_' or col like 'r%') and (i32 between 1 and 2 or u8 in (1,2,4)) and "
                         "id = '22222222-2222-2222-2222-222222222222' and f64 is not nan",
                         &filter, &err),
       &err);
    stoa_test_filter_each_failing_alloc(filter, &batch);
    stoa_filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_for_which_it_is_true),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(columns_and_terms_are_told),
        cmocka_unit_test(neighbours_are_joined),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests_name("filter_bind", tests, make_table, free_table);
}
