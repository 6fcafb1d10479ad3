/*
 * Predicates on generated tables: printed and parsed again, evaluated beside a naive evaluator, and
 * pruned by zone maps, whose answers must hold for the rows.
 */
#include <stoa/filter.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "column/schema.h"
#include "stats/matcher.h"
#include "stats/zonemap.h"
#include "support/fault_alloc.h"
#include "support/gen_filter.h"
#include "support/gen_table.h"
#include "support/naive_filter.h"
#include "support/random.h"

enum { MAX_NROWS = 400, NCOLUMNS = 3 };

struct table {
    struct stoa_schema schema;
    struct stoa_schema_node *nodes;
    struct stoa_batch batch;
};

static void must_have_nodes(struct table *table)
{
    struct stoa_error err = {0};
    uint32_t nnodes;

    assert_int_equal(stoa_schema_nodes(&table->schema, &table->nodes, &nnodes, &err), STOA_OK);
}

/* All columns become parts of one, so that predicates reach them by paths. */
static void wrap(struct stoa_schema *schema, const char *name)
{
    struct stoa_field *column = NULL;
    struct stoa_error err = {0};

    assert_int_equal(stoa_alloc_zeroed(&column, 1, sizeof(*column), &err), STOA_OK);
    assert_int_equal(stoa_strndup(&column->name, name, strlen(name), &err), STOA_OK);
    column->type.id = STOA_STRUCT;
    column->nullable = true;
    column->children = schema->fields;
    column->nchildren = schema->nfields;
    schema->fields = column;
    schema->nfields = 1;
}

static void table_init(struct stoa_test_random *r, struct table *table)
{
    size_t nrows =
        1 + (size_t)stoa_test_random_below(r, stoa_test_random_one_in(r, 8) ? MAX_NROWS : 40);

    *table = (struct table){0};
    if (stoa_test_random_one_in(r, 2))
        stoa_test_gen_schema(r, NCOLUMNS, &table->schema);
    else
        stoa_test_gen_any_schema(r, NCOLUMNS, 1 + (unsigned)stoa_test_random_below(r, 5),
                                 &table->schema);
    if (stoa_test_random_one_in(r, 3))
        wrap(&table->schema, "s");
    if (stoa_test_random_one_in(r, 6))
        wrap(&table->schema, "a.b c");
    must_have_nodes(table);
    stoa_test_gen_batch(r, &table->schema, nrows, &table->batch);
    for (uint32_t i = 0; i < table->schema.nfields; i++) {
        const struct stoa_field *field = &table->schema.fields[i];

        if ((field->type.id == STOA_UTF8 || field->type.id == STOA_BINARY) &&
            stoa_test_random_one_in(r, 2)) {
            stoa_array_reset(&table->batch.columns[i]);
            stoa_test_gen_long_texts(r, field, nrows, &table->batch.columns[i]);
        }
    }
}

static void table_reset(struct table *table)
{
    stoa_free(table->nodes);
    stoa_batch_reset(&table->batch);
    stoa_schema_reset(&table->schema);
}

/* The filter through its text and back. */
static struct stoa_filter *through_text(struct stoa_filter *filter, char **text)
{
    struct stoa_filter *again = NULL;
    struct stoa_error err = {0};

    assert_int_equal(stoa_filter_print(filter, text, &err), STOA_OK);
    if (stoa_filter_parse(*text, &again, &err) != STOA_OK)
        fail_msg("%s: %s", *text, err.message);
    if (!stoa_filter_equal(filter, again))
        fail_msg("%s: parsed to another filter", *text);
    stoa_filter_free(filter);
    return again;
}

static void assert_same_rows(const struct table *table, const struct stoa_filter *filter,
                             const uint8_t *selected, const char *text)
{
    size_t nrows = table->batch.nrows;

    for (size_t i = 0; i < nrows; i++) {
        bool is_true = stoa_test_naive_filter(filter, &table->batch, i) == STOA_TEST_TRUE;

        if (is_true != stoa_bitmap_get(selected, i))
            fail_msg("%s: row %zu: %s by the naive evaluator", text, i, is_true ? "true" : "false");
    }
    for (size_t i = nrows; i < 8 * stoa_bitmap_nbytes(nrows); i++)
        assert_false(stoa_bitmap_get(selected, i));
}

/* The zone map of rows [begin, end), in one of the ways in which a reader comes by one. */
static struct stoa_zone zone_of(struct stoa_test_random *r, const struct stoa_type *type,
                                const struct stoa_array *array, size_t begin, size_t end)
{
    struct stoa_zone zone, next;
    struct stoa_error err;
    uint8_t bytes[STOA_ZONE_ENTRY_MAX_NBYTES];
    size_t middle = begin + (size_t)stoa_test_random_below(r, end - begin + 1);

    stoa_zone_compute(type, array, begin, end, &zone);
    if (stoa_test_random_one_in(r, 3)) {
        stoa_zone_compute(type, array, begin, middle, &zone);
        stoa_zone_compute(type, array, middle, end, &next);
        stoa_zone_merge(&zone, &next);
    }
    stoa_zone_pack(&zone, false, bytes);
    assert_int_equal(stoa_zone_unpack(type, false, bytes, end - begin, &zone, &err), STOA_OK);
    if (stoa_test_random_one_in(r, 10))
        zone.nnulls = STOA_ZONE_NNULLS_UNKNOWN;
    if (stoa_test_random_one_in(r, 10))
        zone = stoa_zone_unknown(type, end - begin);
    return zone;
}

static void assert_answer_holds(enum stoa_match match, const uint8_t *selected, size_t begin,
                                size_t end, const char *text)
{
    size_t nselected = stoa_bitmap_count(selected, begin, end);

    if (match == STOA_MATCH_NEVER && nselected > 0)
        fail_msg("%s: rows %zu to %zu: pruned, but %zu are selected", text, begin, end, nselected);
    if (match == STOA_MATCH_ALWAYS && nselected < end - begin)
        fail_msg("%s: rows %zu to %zu: taken unread, but only %zu are selected", text, begin, end,
                 nselected);
}

struct answers {
    size_t ncases;
    size_t nmatches[3];
};

static void check_pruning(struct stoa_test_random *r, const struct table *table,
                          const struct stoa_matcher *matcher, const uint8_t *selected,
                          const char *text, struct answers *answers)
{
    size_t nrows = table->batch.nrows;
    uint32_t ncolumns;
    const uint32_t *columns = stoa_matcher_nodes(matcher, &ncolumns);
    struct stoa_zone *zones = calloc(ncolumns, sizeof(zones[0]));
    uint8_t leaf[MAX_NROWS / 8 + 1];

    for (int k = 0; k < 4; k++) {
        size_t begin = (size_t)stoa_test_random_below(r, nrows), rest = nrows - begin;
        size_t end = begin + 1 + (size_t)stoa_test_random_below(r, k < 2 && rest > 4 ? 4 : rest);
        enum stoa_match match;

        for (uint32_t i = 0; i < ncolumns; i++)
            zones[i] = zone_of(r, &table->nodes[columns[i]].field->type,
                               stoa_batch_node(&table->batch, columns[i]), begin, end);
        match = stoa_matcher_prune(matcher, zones);
        assert_answer_holds(match, selected, begin, end, text);
        answers->nmatches[match]++;
        for (uint32_t t = 0; t < stoa_matcher_nterms(matcher); t++) {
            uint32_t place = stoa_matcher_term_node(matcher, t);

            stoa_leaf_eval(&matcher->leaves[t], &table->nodes[columns[place]].field->type,
                           stoa_batch_node(&table->batch, columns[place]), nrows, leaf);
            assert_answer_holds(stoa_matcher_prune_term(matcher, t, &zones[place]), leaf, begin,
                                end, stoa_matcher_term_text(matcher, t));
        }
    }
    free(zones);
    answers->ncases++;
}

static void check_filter(struct stoa_test_random *r, const struct table *table,
                         struct answers *answers)
{
    unsigned depth = (unsigned)stoa_test_random_below(r, 4);
    struct stoa_filter *filter = stoa_test_gen_filter(r, &table->batch, depth);
    struct stoa_matcher *matcher = NULL;
    struct stoa_error err = {0};
    uint8_t selected[MAX_NROWS / 8 + 1];
    char *text = NULL;

    filter = through_text(filter, &text);
    if (stoa_filter_bind(filter, &table->schema, &matcher, &err) != STOA_OK)
        fail_msg("%s: %s", text, err.message);
    assert_int_equal(stoa_matcher_eval(matcher, &table->batch, selected, &err), STOA_OK);
    assert_same_rows(table, filter, selected, text);
    check_pruning(r, table, matcher, selected, text, answers);
    stoa_free(text);
    stoa_matcher_free(matcher);
    stoa_filter_free(filter);
}

static void rows_are_those_of_the_naive_evaluator_and_pruning_is_sound(void **state)
{
    (void)state;
    struct stoa_test_random r;
    struct answers answers = {0};
    size_t ntables = stoa_test_ncases(2000);

    stoa_test_random_init(&r, "rows_are_those_of_the_naive_evaluator_and_pruning_is_sound");
    for (size_t i = 0; i < ntables; i++) {
        struct table table;

        table_init(&r, &table);
        for (int k = 0; k < 30; k++)
            check_filter(&r, &table, &answers);
        table_reset(&table);
    }
    printf("# %zu predicates; zones never %zu, maybe %zu, always %zu\n", answers.ncases,
           answers.nmatches[0], answers.nmatches[1], answers.nmatches[2]);
    /* Pruning that always says maybe would be sound too. */
    assert_true(answers.nmatches[STOA_MATCH_NEVER] > answers.ncases / 2);
    assert_true(answers.nmatches[STOA_MATCH_ALWAYS] > answers.ncases / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_the_naive_evaluator_and_pruning_is_sound),
    };

    return cmocka_run_group_tests_name("filter_eval", tests, NULL, NULL);
}
