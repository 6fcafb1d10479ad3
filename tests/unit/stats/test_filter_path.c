/* Predicates on parts of structs: which node a path means, its rows, and what has no path. */
#include <stoa/filter.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "column/schema.h"
#include "column/type.h"
#include "stats/zonemap.h"
#include "support/columns.h"
#include "support/filter_faults.h"

/*
 * Eight rows. s is null in rows 0 and 7, s.t in row 1 too, so that their parts are null there; row
 * i has s.x = i, s.t."z.z" = -i, and 10 * i in the column "s.x". Lists hold i values and are null
 * in rows 0 and 4, all other columns in row 3.
 */
static const struct {
    const char *name, *type;
} columns[] = {
    {"s", "struct<x:int32,t:struct<y:utf8,z.z:int32 not null>,l:list<int32>,i:interval>"},
    {"s.x", "int32"},
    {"l", "list<struct<v:int32>>"},
    {"m", "map<utf8,int32>"},
    {"f", "fixed_list<int32,2>"},
    {"p.q", "int32"},
    {"Case", "struct<A:int32,a:int32>"},
};
enum { NCOLUMNS = sizeof(columns) / sizeof(columns[0]), NROWS = 8 };

static struct stoa_schema schema;
static int32_t rising[2 * NROWS], falling[NROWS], tens[NROWS], offsets[NROWS + 1], texts[NROWS + 1];
static uint8_t s_valid[] = {0x7e}, t_valid[] = {0x7c}, l_valid[] = {0xee}, c_valid[] = {0xf7};
static uint8_t intervals[16 * NROWS];
static char letters[16 + STOA_ARRAY_SLACK] = "ababcabcd";

/* One array of NROWS values with a bitmap, a child or several. */
#define VALUES(bits, bytes)                                                                        \
    {                                                                                              \
        .nvalues = NROWS, .validity = (bits), .values = (uint8_t *)(bytes)                         \
    }
#define PARENT(bits, ends, below)                                                                  \
    {                                                                                              \
        .nvalues = NROWS, .validity = (bits), .offsets = (ends), .children = (below),              \
        .nchildren = sizeof(below) / sizeof((below)[0])                                            \
    }

static struct stoa_array t_parts[] = {
    {.nvalues = NROWS, .validity = t_valid, .values = (uint8_t *)letters, .offsets = texts},
    VALUES(t_valid, falling),
};
static struct stoa_array items[] = {VALUES(NULL, rising)};
static struct stoa_array s_parts[] = {
    VALUES(s_valid, rising),
    PARENT(t_valid, NULL, t_parts),
    PARENT(s_valid, offsets, items),
    VALUES(s_valid, intervals),
};
static struct stoa_array v[] = {VALUES(NULL, rising)};
static struct stoa_array l_items[] = {PARENT(NULL, NULL, v)};
static struct stoa_array pairs[] = {VALUES(NULL, letters), VALUES(NULL, rising)};
static struct stoa_array entries[] = {PARENT(NULL, NULL, pairs)};
static struct stoa_array fixed[] = {{.nvalues = 2 * NROWS, .values = (uint8_t *)rising}};
static struct stoa_array cases_of_a[] = {VALUES(NULL, rising), VALUES(NULL, falling)};
static struct stoa_array arrays[NCOLUMNS] = {
    PARENT(s_valid, NULL, s_parts),    VALUES(c_valid, tens),
    PARENT(l_valid, offsets, l_items), PARENT(l_valid, offsets, entries),
    PARENT(c_valid, NULL, fixed),      VALUES(c_valid, tens),
    PARENT(NULL, NULL, cases_of_a),
};
static struct stoa_batch batch = {
    .schema = &schema, .nrows = NROWS, .columns = arrays, .ncolumns = NCOLUMNS};

static int make_table(void **state)
{
    (void)state;
    struct stoa_error err = {0};

    stoa_test_check(stoa_alloc_zeroed(&schema.fields, NCOLUMNS, sizeof(schema.fields[0]), &err),
                    &err);
    for (schema.nfields = 0; schema.nfields < NCOLUMNS; schema.nfields++) {
        struct stoa_field *field = &schema.fields[schema.nfields];

        stoa_test_check(stoa_field_parse_type(field, columns[schema.nfields].type, &err), &err);
        field->nullable = true;
        stoa_test_check(stoa_strndup(&field->name, columns[schema.nfields].name,
                                     strlen(columns[schema.nfields].name), &err),
                        &err);
    }
    for (int i = 0; i < NROWS; i++) {
        falling[i] = -i;
        tens[i] = 10 * i;
        texts[i + 1] = texts[i] + (i >= 2 && i < 7 ? i - 1 : 0) % 3;
    }
    for (int i = 0; i < 2 * NROWS; i++)
        rising[i] = i;
    stoa_test_check(stoa_schema_check(&schema, &err), &err);
    return 0;
}

static int free_table(void **state)
{
    (void)state;
    stoa_schema_reset(&schema);
    return 0;
}

static struct stoa_filter *parse(const char *text)
{
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};

    stoa_test_check(stoa_filter_parse(text, &filter, &err), &err);
    return filter;
}

static const struct {
    const char *text;
    const char *rows; /* '1' where it is true, row 0 first */
    uint32_t node;
} cases[] = {
    {"s is null", "10000001", 0},
    {"s is not null", "01111110", 0},
    {"s.x = 3", "00010000", 1},
    {"s.x <> 3", "01101110", 1},
    {"not s.x = 3", "01101110", 1},
    {"not s.x <> 3", "00010000", 1},
    {"s.x is null", "10000001", 1},
    {"S.X >= 5", "00000110", 1},
    {"\"s\".\"x\" = 3", "00010000", 1},
    {"3 > s.x", "01100000", 1},
    {"s.t is null", "11000001", 2},
    {"s.t is not null", "00111110", 2},
    {"s.t.y = 'a'", "00100000", 3},
    {"s.t.y like 'b%'", "00010100", 3},
    {"s.t.y is null", "11000001", 3},
    {"s.t.\"z.z\" <= -4", "00001110", 4},
    {"s.t.\"z.z\" is null", "11000001", 4},
    {"s.l is null", "10000001", 5},
    {"s.i is not null", "01111110", 7},
    /* A column whose own name has dots; a path in one name where there is no such column. */
    {"\"s.x\" = 30", "00000000", 8},
    {"\"s.x\" = 50", "00000100", 8},
    {"\"S.X\" = 50", "00000100", 8},
    {"\"p.q\" = 50", "00000100", 18},
    {"\"s.t.y\" = 'a'", "00100000", 3},
    {"\"s.l\" is null", "10000001", 5},
    {"l is null", "10001000", 9},
    {"m is not null", "01110111", 12},
    {"f is null", "00010000", 16},
    {"Case.A = 3", "00010000", 20},
    {"Case.a = -3", "00010000", 21},
};

static void paths_lead_to_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_filter *filter = parse(cases[i].text);
        struct stoa_matcher *matcher = NULL;
        struct stoa_error err = {0};
        uint8_t selected[1];
        char rows[NROWS + 1] = "";
        uint32_t nnodes;

        stoa_test_check(stoa_filter_bind(filter, &schema, &matcher, &err), &err);
        stoa_test_check(stoa_matcher_eval(matcher, &batch, selected, &err), &err);
        for (int k = 0; k < NROWS; k++)
            rows[k] = (char)('0' + ((selected[0] >> k) & 1));
        if (strcmp(rows, cases[i].rows) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, rows, cases[i].rows);
        assert_int_equal(stoa_matcher_nodes(matcher, &nnodes)[0], cases[i].node);
        assert_int_equal(nnodes, 1);
        stoa_matcher_free(matcher);
        stoa_filter_free(filter);
    }
}

static const struct {
    const char *text;
    const char *message;
} refused[] = {
    {"r.x = 1", "r.x = 1: there is no column \"r\""},
    {"cas.A = 1", "cas.A = 1: there is no column \"cas\"; did you mean \"Case\"?"},
    {"p.q = 1",
     "p.q = 1: there is no column \"p\"; the column \"p.q\" is written in double quotes"},
    {"\"p.r.s\" = 1", "\"p.r.s\" = 1: there is no column \"p.r.s\""},
    {"\"s.xx\" = 1", "\"s.xx\" = 1: in s: there is no part \"xx\""},
    {"s.tt = 1", "s.tt = 1: in s: there is no part \"tt\""},
    {"s.t.zz = 1", "s.t.zz = 1: in s.t: there is no part \"zz\"; did you mean \"z.z\"?"},
    {"s.t.z.z = 1", "s.t.z.z = 1: in s.t: there is no part \"z\""},
    {"s.x.y = 1", "s.x.y = 1: in s.x: there is no part \"y\": it is int32 and has none"},
    {"\"s.x\".y = 1",
     "\"s.x\".y = 1: in \"s.x\": there is no part \"y\": it is int32 and has none"},
    {"l.v = 1",
     "l.v = 1: in l: there is no path to \"v\": it is a list, whose values have no place "
     "of their own in a row; its one test is \"is null\""},
    {"s.l.item is null",
     "s.l.item is null: in s.l: there is no path to \"item\": it is a list, whose values have no "
     "place of their own in a row; its one test is \"is null\""},
    {"m.key = 'a'",
     "m.key = 'a': in m: there is no path to \"key\": it is a map, whose values have "
     "no place of their own in a row; its one test is \"is null\""},
    {"f.item = 1", "f.item = 1: in f: there is no path to \"item\": it is a fixed_list, whose "
                   "values have no place "
                   "of their own in a row; its one test is \"is null\""},
    {"case.b = 1", "case.b = 1: in case: there is no part \"b\""},
    {"s = 1",
     "s = 1: the column is struct<x:int32,t:struct<y:utf8,z.z:int32 not "
     "null>,l:list<int32>,i:interval>, which has no test but \"is null\"; its parts have, by paths "
     "as in a.b = 1"},
    {"s.t like 'a'", "s.t like 'a': the part is struct<y:utf8,z.z:int32 not null>, which has no "
                     "test but \"is null\"; its parts have, by paths as in a.b = 1"},
    {"s.i = 'P1M'", "s.i = 'P1M': the part is interval, which has no order, and no test but \"is "
                    "null\""},
    {"l in (1)",
     "l in (1): the column is list<struct<v:int32>>, which has no test but \"is null\""},
    {"s.t.y is nan", "s.t.y is nan: the part is utf8, which has no nan"},
    {"s.x = 'a'", "s.x = 'a': 'a' is not int32"},
};

static void what_has_no_path_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct stoa_filter *filter = parse(refused[i].text);
        struct stoa_matcher *matcher = NULL;
        struct stoa_error err = {0};

        assert_int_equal(stoa_filter_bind(filter, &schema, &matcher, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, refused[i].message);
        assert_null(matcher);
        stoa_filter_free(filter);
    }
}

/* Terms find their node among the matcher's, and zone maps are theirs. */
static void terms_are_pruned_by_their_node(void **state)
{
    (void)state;
    static const uint32_t expected[] = {1, 3, 8};
    struct stoa_filter *filter = parse("\"s.x\" > 60 and (s.t.y = 'x' or s.x < 4 or s.x is null)");
    struct stoa_matcher *matcher = NULL;
    struct stoa_schema_node *nodes = NULL;
    struct stoa_zone zones[3];
    struct stoa_error err = {0};
    uint32_t nnodes, nschema;
    const uint32_t *which;

    stoa_test_check(stoa_filter_bind(filter, &schema, &matcher, &err), &err);
    stoa_test_check(stoa_schema_nodes(&schema, &nodes, &nschema, &err), &err);
    which = stoa_matcher_nodes(matcher, &nnodes);
    assert_int_equal(nnodes, 3);
    assert_memory_equal(which, expected, sizeof(expected));
    for (uint32_t i = 0; i < 3; i++)
        stoa_zone_compute(&nodes[which[i]].field->type, stoa_batch_node(&batch, which[i]), 4, 7,
                          &zones[i]);
    /* Rows 4 to 6: "s.x" is at most 60. */
    assert_int_equal(stoa_matcher_prune(matcher, zones), STOA_MATCH_NEVER);
    assert_int_equal(stoa_matcher_term_node(matcher, 0), 2);
    assert_int_equal(stoa_matcher_term_node(matcher, 1), 1);
    assert_int_equal(stoa_matcher_term_node(matcher, 2), 0);
    assert_int_equal(stoa_matcher_prune_term(matcher, 2, &zones[0]), STOA_MATCH_NEVER);
    assert_int_equal(stoa_matcher_prune_term(matcher, 3, &zones[0]), STOA_MATCH_NEVER);
    assert_string_equal(stoa_matcher_term_text(matcher, 3), "s.x is null");
    stoa_free(nodes);
    stoa_matcher_free(matcher);
    stoa_filter_free(filter);
}

/* A path as one name, which is how programs pass it. */
static void programs_pass_paths(void **state)
{
    (void)state;
    static const struct {
        const char *column;
        uint32_t node;
    } names[] = {{"s.x", 8}, {"s.t", 2}, {"s.t.y", 3}, {"s", 0}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stoa_filter *filter = NULL;
        struct stoa_matcher *matcher = NULL;
        struct stoa_error err = {0};
        uint32_t nnodes;

        stoa_test_check(stoa_filter_is_null(names[i].column, &filter, &err), &err);
        stoa_test_check(stoa_filter_bind(filter, &schema, &matcher, &err), &err);
        assert_int_equal(stoa_matcher_nodes(matcher, &nnodes)[0], names[i].node);
        stoa_matcher_free(matcher);
        stoa_filter_free(filter);
    }
}

static void a_batch_of_no_rows_needs_no_arrays(void **state)
{
    (void)state;
    struct stoa_filter *filter = parse("s.t.y = 'a' or s.l is null or not s.x in (1, 2)");
    struct stoa_matcher *matcher = NULL;
    struct stoa_batch none = {0};
    struct stoa_error err = {0};
    uint8_t selected[1] = {0};

    stoa_test_check(stoa_filter_bind(filter, &schema, &matcher, &err), &err);
    stoa_test_check(stoa_batch_init(&none, &schema, &err), &err);
    stoa_test_check(stoa_matcher_eval(matcher, &none, selected, &err), &err);
    stoa_batch_reset(&none);
    stoa_matcher_free(matcher);
    stoa_filter_free(filter);
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_filter *filter =
        parse("s.t.y like 'a%b' and \"s.t.y\" <> 'x' or s.l is null and s.x in (1, 2, 9)");

    stoa_test_filter_each_failing_alloc(filter, &batch);
    stoa_filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_to_parts),
        cmocka_unit_test(what_has_no_path_is_said),
        cmocka_unit_test(terms_are_pruned_by_their_node),
        cmocka_unit_test(programs_pass_paths),
        cmocka_unit_test(a_batch_of_no_rows_needs_no_arrays),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests_name("filter_path", tests, make_table, free_table);
}
