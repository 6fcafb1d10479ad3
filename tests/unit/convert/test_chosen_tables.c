/*
 * The chooser on real tables: what it takes for each column is close to the best of all plans and
 * of dictionaries, tried one by one.
 *
 * The table is a month of flights of fixtures/; STOA_TEST_TABLES=a.csv:b.csv names others, of which
 * the first rows are looked at: `make bench-plans` those of the bench.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/convert.h>

#include "file/chunk_plan.h"
#include "support/best_plan.h"
#include "support/random.h"

enum { NVALUES = 65536, NCOLUMNS = 32 }; /* NCOLUMNS: fewer under a sanitizer */

/* What a column may take above the best: a tenth and as little as can't be told from a sample. */
enum { SLACK_NBYTES = 64, TINY_NBYTES = 4096, TINY_SLACK_NBYTES = 1024 };

struct table {
    size_t chosen_nbytes, best_nbytes;
    size_t ncompared;
};

/* The column as the chooser has it stored, and as well as any plans can. */
struct sizes {
    size_t chosen, best;
    char text[128], best_text[128];
};

/* A dictionary as the writer has it: numbers sorted, texts as they came. */
struct dictionary {
    struct stoa_values sorted;
    uint32_t ranks[NVALUES + STOA_ARRAY_SLACK];
    struct stoa_vector entries, codes;
};

static void make_dictionary(const struct stoa_chunk_distinct *distinct, size_t n,
                            struct dictionary *out)
{
    static uint32_t order[NVALUES], rank[NVALUES];
    const struct stoa_vector entries = stoa_distinct_values(distinct->set);
    const bool is_sorted = entries.phys != STOA_PHYS_BYTES;

    *out = (struct dictionary){.entries = entries};
    for (uint32_t i = 0; i < entries.nvalues; i++)
        order[i] = i;
    if (is_sorted)
        assert_int_equal(stoa_distinct_order(distinct->set, order, NULL), STOA_OK);
    for (uint32_t i = 0; i < entries.nvalues; i++)
        rank[order[i]] = i;
    for (size_t i = 0; i < n; i++)
        out->ranks[i] = rank[distinct->codes[i]];
    assert_int_equal(
        stoa_values_take(&out->sorted, &entries, order, (uint32_t)entries.nvalues, NULL), STOA_OK);
    out->entries = out->sorted.vector;
    out->codes = (struct stoa_vector){STOA_PHYS_U32, 4, n, (const uint8_t *)out->ranks, NULL};
}

static size_t most_nbytes(size_t best_nbytes)
{
    return best_nbytes + best_nbytes / 10 +
           (best_nbytes < TINY_NBYTES ? TINY_SLACK_NBYTES : SLACK_NBYTES);
}

/* What the chooser's plan takes. */
static size_t chosen_nbytes(struct stoa_encoder *encoder, const struct stoa_vector *values,
                            bool codes, char text[128])
{
    struct stoa_choice choice;

    assert_int_equal(stoa_chooser_choose(encoder, values, codes, &choice, NULL), STOA_OK);
    stoa_plan_print(&choice.plan, text);
    return stoa_test_page_nbytes(encoder, values, &choice.plan);
}

static void measure(struct stoa_encoder *encoder, const struct stoa_chunk_values *values,
                    const struct stoa_chunk_distinct *distinct, struct sizes *out)
{
    static struct dictionary dictionary;
    const struct stoa_vector *plain = &values->physical.vector;
    struct stoa_chunk_plan chosen;
    struct stoa_plan best, best_entries;
    struct stoa_error err = {0};
    char text[128];
    size_t nbytes;

    if (stoa_chunk_plan_choose(encoder, &stoa_default_rules, values, distinct, false, &chosen,
                               &err) != STOA_OK)
        fail_msg("%s", err.message);
    out->chosen = chosen_nbytes(encoder, plain, false, out->text);
    out->best = stoa_test_best_plan(encoder, plain, false, &best);
    stoa_plan_print(&best, out->best_text);
    if (distinct->set == NULL)
        return;
    make_dictionary(distinct, plain->nvalues, &dictionary);
    nbytes = stoa_test_best_plan(encoder, &dictionary.codes, true, &best) +
             stoa_test_best_plan(encoder, &dictionary.entries, false, &best_entries);
    if (nbytes < out->best) {
        out->best = nbytes;
        stoa_plan_print(&best, out->best_text);
    }
    if (chosen.mode == STOA_CHUNK_LOCAL)
        out->chosen = chosen_nbytes(encoder, &dictionary.codes, true, out->text) +
                      chosen_nbytes(encoder, &dictionary.entries, false, text);
    stoa_values_reset(&dictionary.sorted);
}

static void compare_column(struct table *table, const struct stoa_field *field,
                           const struct stoa_array *array)
{
    struct stoa_chunk_values values = {0};
    struct stoa_chunk_distinct distinct = {0};
    struct stoa_encoder *encoder;
    struct sizes sizes = {0};

    assert_int_equal(stoa_chunk_values_init(&values, &field->type, array, NULL), STOA_OK);
    if (!values.all_null && values.phys != STOA_PHYS_NONE) {
        assert_int_equal(
            stoa_chunk_distinct_init(&distinct, &values, NVALUES / 4 * 3, UINT32_MAX, NULL),
            STOA_OK);
        assert_int_equal(stoa_encoder_new(&encoder, stoa_default_rules.zstd_level, NULL), STOA_OK);
        measure(encoder, &values, &distinct, &sizes);
        stoa_encoder_free(encoder);
        if (sizes.chosen > most_nbytes(sizes.best))
            fail_msg("%s: %s has %zu bytes, %s has %zu", field->name, sizes.text, sizes.chosen,
                     sizes.best_text, sizes.best);
        table->chosen_nbytes += sizes.chosen;
        table->best_nbytes += sizes.best;
        table->ncompared++;
    }
    stoa_chunk_distinct_reset(&distinct);
    stoa_chunk_values_reset(&values);
}

static bool compare_columns(void *context, const struct stoa_batch *batch)
{
    struct table *table = context;
    size_t n = batch->nrows < NVALUES ? batch->nrows : NVALUES;
    size_t ncolumns = stoa_test_ncases(NCOLUMNS);
    struct stoa_test_random r;
    uint32_t first;

    stoa_test_random_init(&r, "columns");
    first = (uint32_t)stoa_test_random_below(&r, batch->ncolumns);
    for (uint32_t i = 0; i < batch->ncolumns && i < ncolumns; i++) {
        uint32_t column = (first + i) % batch->ncolumns;
        struct stoa_array part = {0};

        assert_int_equal(stoa_array_slice(&batch->schema->fields[column], &batch->columns[column],
                                          0, n, &part, NULL),
                         STOA_OK);
        compare_column(table, &batch->schema->fields[column], &part);
        stoa_array_reset(&part);
    }
    return false;
}

static void compare_table(const char *path)
{
    const struct stoa_convert_options options = {.paths = &path, .npaths = 1, .jobs = 1};
    struct table table = {0};
    struct stoa_error err = {0};

    if (stoa_convert_rows(&options, NVALUES, compare_columns, &table, &err) != STOA_OK)
        fail_msg("%s", err.message);
    printf("# %s: %zu columns, %zu bytes, the best plans have %zu\n", path, table.ncompared,
           table.chosen_nbytes, table.best_nbytes);
    assert_true(table.ncompared > 0);
    if (table.chosen_nbytes > table.best_nbytes + table.best_nbytes * 3 / 100 + 64)
        fail_msg("%s: %zu bytes, the best plans have %zu", path, table.chosen_nbytes,
                 table.best_nbytes);
}

static void choices_are_close_to_the_best_of_all_plans(void **state)
{
    const char *given = getenv("STOA_TEST_TABLES");
    char *paths = strdup(given != NULL ? given : "fixtures/flights-2013-01.csv.xz"), *save = NULL;

    (void)state;
    for (char *path = strtok_r(paths, ":", &save); path != NULL; path = strtok_r(NULL, ":", &save))
        compare_table(path);
    free(paths);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices_are_close_to_the_best_of_all_plans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
