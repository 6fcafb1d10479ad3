/*
 * Any text as a predicate: what is taken must come back equal from the text that it is printed as,
 * and where it binds to a table of every type it must select the rows of the naive evaluator, and
 * pruning must not contradict them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stoa/filter.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "column/schema.h"
#include "column/type.h"
#include "stats/zonemap.h"
#include "support/gen_table.h"
#include "support/naive_filter.h"

enum { MAX_NBYTES = 4000, MAX_NTERMS = 64, NROWS = 40, MAX_NNODES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Names as short as they get, one a type. */
static const struct {
    char name[4];
    const char *type;
} columns[] = {
    {"a", "int8"},
    {"b", "int32"},
    {"c", "int64"},
    {"d", "uint8"},
    {"e", "uint64"},
    {"f", "float32"},
    {"g", "float64"},
    {"h", "decimal(9,2)"},
    {"i", "decimal(38,10)"},
    {"j", "date32"},
    {"k", "time(ms)"},
    {"l", "timestamp(s)"},
    {"m", "timestamp(us,UTC)"},
    {"n", "utf8"},
    {"o", "binary"},
    {"p", "fixed_binary(3)"},
    {"q", "uuid"},
    {"r", "enum(red,green,\"b%_\")"},
    {"s", "bool"},
    {"t", "null"},
    {"u", "float16"},
    {"v", "duration(ms)"},
    {"w", "decimal(76,30)"},
    {"y", "struct<a:int8,b:struct<n:utf8,b:interval>,l:list<int8>>"},
    {"z", "map<utf8,int8>"},
    {"a.b", "int16"},
};
enum { NCOLUMNS = sizeof(columns) / sizeof(columns[0]) };

static struct stoa_schema schema;
static struct stoa_batch batch;
static struct stoa_schema_node *nodes;
static uint32_t nnodes;
static struct stoa_zone zones[MAX_NNODES];

/* The same table in every run; small numbers and short texts, so that literals meet values. */
static void make_table(void)
{
    struct stoa_test_random random;
    struct stoa_error err;

    stoa_test_random_seed(&random, 1);
    must(stoa_alloc_zeroed(&schema.fields, NCOLUMNS, sizeof(schema.fields[0]), &err) == STOA_OK);
    for (size_t i = 0; i < NCOLUMNS; i++) {
        struct stoa_field *field = &schema.fields[schema.nfields++];

        must(stoa_field_parse_type(field, columns[i].type, &err) == STOA_OK);
        must(stoa_strndup(&field->name, columns[i].name, strlen(columns[i].name), &err) == STOA_OK);
        field->nullable = true;
    }
    must(stoa_schema_nodes(&schema, &nodes, &nnodes, &err) == STOA_OK);
    must(stoa_batch_init(&batch, &schema, &err) == STOA_OK);
    batch.nrows = NROWS;
    for (size_t i = 0; i < NCOLUMNS; i++)
        stoa_test_gen_array(&random, &schema.fields[i], NROWS,
                            i % 2 ? STOA_TEST_SMALL_RANGE : STOA_TEST_MULTIPLES,
                            STOA_TEST_NULLS_SOME, &batch.columns[i]);
    for (uint32_t i = 0; i < nnodes; i++)
        if (!nodes[i].below_list)
            stoa_zone_compute(&nodes[i].field->type, stoa_batch_node(&batch, i), 0, NROWS,
                              &zones[i]);
}

/* The filter of the text that it is printed as. */
static struct stoa_filter *reparse(const struct stoa_filter *filter)
{
    struct stoa_filter *again;
    struct stoa_error err;
    char *printed, *reprinted;

    must(stoa_filter_print(filter, &printed, &err) == STOA_OK);
    must(stoa_filter_parse(printed, &again, &err) == STOA_OK);
    must(stoa_filter_equal(filter, again));
    must(stoa_filter_print(again, &reprinted, &err) == STOA_OK);
    must(strcmp(printed, reprinted) == 0);
    stoa_free(printed);
    stoa_free(reprinted);
    return again;
}

static void check_rows(const struct stoa_filter *filter, const struct stoa_matcher *matcher)
{
    struct stoa_zone needed[MAX_NNODES];
    uint8_t selected[NROWS / 8 + 1];
    struct stoa_error err;
    uint32_t nneeded;
    const uint32_t *which = stoa_matcher_nodes(matcher, &nneeded);
    size_t nselected;
    enum stoa_match match;

    for (uint32_t i = 0; i < nneeded; i++) {
        must(which[i] < nnodes && !nodes[which[i]].below_list);
        needed[i] = zones[which[i]];
    }
    match = stoa_matcher_prune(matcher, needed);
    must(stoa_matcher_eval(matcher, &batch, selected, &err) == STOA_OK);
    nselected = stoa_bitmap_count(selected, 0, NROWS);
    must(match != STOA_MATCH_NEVER || nselected == 0);
    must(match != STOA_MATCH_ALWAYS || nselected == NROWS);
    if (stoa_matcher_nterms(matcher) > MAX_NTERMS) /* the naive way takes its time */
        return;
    for (size_t row = 0; row < NROWS; row++)
        must(stoa_bitmap_get(selected, row) ==
             (stoa_test_naive_filter(filter, &batch, row) == STOA_TEST_TRUE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct stoa_filter *filter, *again;
    struct stoa_matcher *matcher;
    struct stoa_error err = {0};
    char text[MAX_NBYTES + 1];

    if (nbytes > MAX_NBYTES)
        return 0;
    if (nbytes > 0)
        memcpy(text, data, nbytes);
    text[nbytes] = '\0';
    if (schema.nfields == 0)
        make_table();
    if (stoa_filter_parse(text, &filter, &err) != STOA_OK) {
        must(err.message[0] != '\0' &&
             (err.offset == STOA_NO_OFFSET || err.offset <= strlen(text)));
        return 0;
    }
    again = reparse(filter);
    if (stoa_filter_bind(again, &schema, &matcher, &err) == STOA_OK) {
        check_rows(filter, matcher);
        stoa_matcher_free(matcher);
    } else {
        must(err.status == STOA_ERR_USAGE && err.message[0] != '\0');
    }
    stoa_filter_free(again);
    stoa_filter_free(filter);
    return 0;
}
