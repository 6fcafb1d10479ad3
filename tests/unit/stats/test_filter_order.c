/* Which term of a predicate is asked first: by what it decided of earlier rows, and what it read.
 */
#include <setjmp.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/filter.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "column/type.h"
#include "stats/matcher.h"

enum { NCOLUMNS = 3, NROWS = 2 * 5 * 17 * 6 };

/* Term k is true for every periods[k]-th row and reads so many bytes a row. */
struct terms {
    size_t periods[NCOLUMNS];
    uint64_t nbytes[NCOLUMNS];
    char asked[8]; /* a letter for each column, in the order they are asked */
};

static enum stoa_status answer(void *context, uint32_t leaf, const uint8_t *wanted, uint8_t *out,
                               uint64_t *nbytes, struct stoa_error *err)
{
    struct terms *terms = context;
    const size_t nasked = strlen(terms->asked);

    (void)wanted, (void)err;
    assert_true(leaf < NCOLUMNS && nasked < NCOLUMNS);
    terms->asked[nasked] = (char)('a' + leaf);
    terms->asked[nasked + 1] = '\0';
    memset(out, 0, stoa_bitmap_nbytes(NROWS));
    for (size_t i = 0; i < NROWS; i += terms->periods[leaf])
        stoa_bitmap_set(out, i);
    *nbytes += terms->nbytes[leaf] * NROWS;
    return STOA_OK;
}

static void add_field(struct stoa_schema *schema, const char *name)
{
    struct stoa_field *field = &schema->fields[schema->nfields++];
    struct stoa_error err;

    assert_int_equal(stoa_field_parse_type(field, "int64", &err), STOA_OK);
    assert_int_equal(stoa_strndup(&field->name, name, strlen(name), &err), STOA_OK);
}

static void the_term_that_decides_most_for_its_bytes_is_asked_first(void **state)
{
    static const struct {
        const char *where;
        struct terms terms;
        const char *order; /* of the second time */
    } cases[] = {
        /* All cost the same: of "and" the one that is true least often, of "or" most often. */
        {"a = 1 and b = 1 and c = 1", {.periods = {2, 17, 5}}, "bca"},
        {"a = 1 and b = 1 and c = 1", {.periods = {2, 17, 5}, .nbytes = {9, 9, 9}}, "bca"},
        {"a = 1 or b = 1 or c = 1", {.periods = {17, 2, 5}, .nbytes = {9, 9, 9}}, "bca"},
        /* Texts of 40 bytes decide more than a number of one, but not so much more. */
        {"a = 1 and b = 1 and c = 1", {.periods = {17, 2, 5}, .nbytes = {40, 1, 1}}, "cba"},
        {"a = 1 or b = 1 or c = 1", {.periods = {2, 5, 17}, .nbytes = {40, 1, 1}}, "bca"},
        /* Nothing was seen that tells them apart. */
        {"a = 1 and b = 1 and c = 1", {.periods = {2, 2, 2}, .nbytes = {3, 3, 3}}, "abc"},
    };
    struct stoa_schema schema = {0};
    struct stoa_error err;

    (void)state;
    assert_int_equal(stoa_alloc_zeroed(&schema.fields, NCOLUMNS, sizeof(schema.fields[0]), &err),
                     STOA_OK);
    add_field(&schema, "a");
    add_field(&schema, "b");
    add_field(&schema, "c");
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct terms terms = cases[k].terms;
        uint8_t once[NROWS / 8 + 8], again[NROWS / 8 + 8];
        struct stoa_matcher *matcher;
        struct stoa_node_count *counts;
        struct stoa_filter *filter;

        assert_int_equal(stoa_filter_parse(cases[k].where, &filter, &err), STOA_OK);
        assert_int_equal(stoa_filter_bind(filter, &schema, &matcher, &err), STOA_OK);
        counts = calloc(matcher->nnodes, sizeof(*counts));
        assert_int_equal(
            stoa_matcher_eval_leaves(matcher, counts, NROWS, answer, &terms, once, &err), STOA_OK);
        assert_string_equal(terms.asked, "abc");
        terms.asked[0] = '\0';
        assert_int_equal(
            stoa_matcher_eval_leaves(matcher, counts, NROWS, answer, &terms, again, &err), STOA_OK);
        if (strcmp(terms.asked, cases[k].order) != 0)
            fail_msg("case %zu, %s: asked as %s, not %s", k, cases[k].where, terms.asked,
                     cases[k].order);
        assert_memory_equal(once, again, stoa_bitmap_nbytes(NROWS));
        free(counts);
        stoa_matcher_free(matcher);
        stoa_filter_free(filter);
    }
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_term_that_decides_most_for_its_bytes_is_asked_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
