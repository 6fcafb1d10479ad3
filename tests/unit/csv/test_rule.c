/*
 * The choice of rules: the one that leaves the fewest values over, a byte for each of these, texts
 * that no byte tells; and all of it together gives the text again.
 */
#include "csv/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/csv_column.h"
#include "support/gen_csv_values.h"
#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_NLINES = 200, MAX_NBYTES = 1 << 15 };

/* A column that was read of lines, and what is kept of its text. */
struct column {
    struct stoa_test_column fixture;
    struct stoa_test_parsed parsed;
    struct stoa_side side;
    char *text;
};

static void column_init(struct column *column, const char *schema, const char *lines,
                        const char *format)
{
    struct stoa_csv_rule_part part;

    *column = (struct column){0};
    stoa_test_column_read(&column->fixture, schema, lines, NULL, format, &column->parsed,
                          &column->text);
    column->side.nrows = column->parsed.array.nvalues;
    assert_int_equal(
        stoa_alloc_zeroed(&column->side.columns, 2, sizeof(*column->side.columns), NULL), STOA_OK);
    part =
        (struct stoa_csv_rule_part){.forms = &column->parsed.forms, .nvalues = column->side.nrows};
    assert_int_equal(stoa_csv_rule_add(&column->fixture.schema.fields[0], 0,
                                       &column->fixture.reading, &column->parsed.array, &part, 1,
                                       &column->side, NULL),
                     STOA_OK);
}

static void column_reset(struct column *column)
{
    stoa_side_reset(&column->side);
    stoa_test_parsed_reset(&column->parsed);
    stoa_test_column_reset(&column->fixture);
    free(column->text);
}

static const struct stoa_side_column *side_of(const struct column *column, enum stoa_side_kind kind)
{
    for (uint32_t i = 0; i < column->side.ncolumns; i++)
        if (column->side.columns[i].kind == kind)
            return &column->side.columns[i];
    return NULL;
}

/* "rule 02; bytes 0 0 3; raw 1e5": zeros at the end of the rule left out. */
static void describe(const struct column *column, char out[512])
{
    const struct stoa_side_column *form = side_of(column, STOA_SIDE_FORM);
    const struct stoa_side_column *raw = side_of(column, STOA_SIDE_RAW);
    size_t n = STOA_SIDE_RULE_NBYTES;
    char *at = out;

    at += sprintf(at, "%s", form != NULL ? "rule " : "");
    while (form != NULL && n > 0 && form->rule[n - 1] == 0)
        n--;
    for (size_t i = 0; form != NULL && i < n; i++)
        at += sprintf(at, "%02x", form->rule[i]);
    for (size_t i = 0; form != NULL && i < form->array.nvalues; i++)
        at += sprintf(at, "%s%u", i == 0 ? "; bytes " : " ", form->array.values[i]);
    for (size_t i = 0; raw != NULL && i < raw->array.nvalues; i++) {
        const int32_t begin = (int32_t)raw->array.offsets[i];

        if (!stoa_array_is_null(&raw->array, i))
            at += sprintf(at, "; raw %.*s", (int)(raw->array.offsets[i + 1] - begin),
                          (const char *)raw->array.values + begin);
    }
}

/* The text of all values, by what is kept of it; 0 exceptions are those without a byte. */
static void print(const struct column *column, char out[MAX_NBYTES])
{
    const struct stoa_side_column *form = side_of(column, STOA_SIDE_FORM);
    const struct stoa_side_column *raw = side_of(column, STOA_SIDE_RAW);
    const bool has_bytes = form != NULL && form->array.nvalues > 0;
    const size_t n = column->parsed.array.nvalues;
    static struct stoa_csv_cell cells[MAX_NLINES];
    struct stoa_csv_printer printer;
    struct stoa_csv_pool pool = {0};
    struct stoa_csv_rule rule = {0};
    char *at = out;

    assert_true(n <= MAX_NLINES);
    assert_true(form == NULL || stoa_csv_rule_load(form->rule, &rule));
    assert_int_equal(stoa_csv_printer_init(&printer, &column->fixture.schema.fields[0],
                                           &column->fixture.reading, &rule, NULL),
                     STOA_OK);
    assert_int_equal(stoa_csv_print(&printer, &column->parsed.array,
                                    has_bytes ? form->array.values : NULL,
                                    raw != NULL ? &raw->array : NULL, 0, n, cells, &pool, NULL),
                     STOA_OK);
    for (size_t i = 0; i < n; i++) {
        memcpy(at, cells[i].text, cells[i].nbytes);
        at += cells[i].nbytes;
        *at++ = '\n';
    }
    *at = '\0';
    stoa_csv_pool_free(&pool);
}

static void the_rule_of_most_values_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *lines;
        const char *expected;
        const char *format;
    } cases[] = {
        /* Nothing is kept where the usual rule says all. */
        {"x int64", "1\n2\n\n-3\n", "", NULL},
        {"x float64", "1.5\n2\n0\n", "", NULL},
        {"x utf8", "a\n\"b,c\"\n\"\"\n\n", "", NULL},
        {"x date32", "2024-01-01\n", "", NULL},
        {"x date32", "01/02/2024\n31/12/2024\n", "", "%d/%m/%Y"},
        {"x bool", "true\nfalse\n", "", NULL},
        /* Eight bytes where they say all. */
        {"x int64", "007\n123\n012\n", "rule 000303", NULL},
        {"x float64", "1.50\n2.25\n3.00\n", "rule 000202", NULL},
        {"x float64", "1.50\n2.25\n0\n", "rule 0002", NULL},
        {"x float64", "1.5\n2.25\n0.00\n", "rule 000002", NULL},
        {"x float64", "1.50\n2.125\n", "rule 000202", NULL},
        {"x utf8", "\"a\"\n\"b\"\n", "rule 02", NULL},
        {"x utf8", "a\n\" b\"\n\"c \"\n", "rule 01", NULL},
        {"x int64", "\"1\"\n\"2\"\n", "rule 02", NULL},
        {"x int64", "1\nNA\n2\nNA\n", "rule 00000002", NULL},
        {"x int64", "1\n\"\"\n2\n", "rule 0000000101", NULL},
        {"x bool", "TRUE\nFALSE\n", "rule 000202", NULL},
        {"x time(ms)", "10:00:00.000\n10:00:00.500\n", "rule 000303", NULL},
        {"x timestamp(s)", "2024-01-01T00:00:00\n", "rule 001010", NULL},
        {"x timestamp(s,UTC)", "2024-01-01 00:00:00+00:00\n", "rule 002020", NULL},
        {"x uuid", "123E4567-E89B-12D3-A456-426614174000\n", "rule 000101", NULL},
        /* Exponents: 1e10 has two digits in any style, 1e-5 no sign that tells. */
        {"x float64", "1.20e+01\n3.40e-05\n0.00e+00\n", "rule 004242000006", NULL},
        {"x float64", "1e10\n1e-5\n2e5\n", "rule 004040", NULL},
        {"x float64", "1.0E10\n1.5E-7\n0.0\n", "rule 004101000001", NULL},
        {"x float32", "1e-9\n1e10\n", "rule 004040", NULL},
        /* Bytes for the others, alike where they can be. */
        {"x int64", "1\n2\n03\n", "rule ; bytes 0 0 3", NULL},
        {"x decimal(9,3)", "1.50\n2.00\n3\n0.000\n", "rule 000203; bytes 0 0 1 0", NULL},
        {"x float64", "1.500\n2.250\n1.750\n3.1\n4.25\n", "rule 000303; bytes 0 0 0 1 1", NULL},
        {"x float64", "1.5\n2.25\n3.10\n1e5\n", "rule ; bytes 0 0 3 65", NULL},
        {"x utf8", "a\n\"b\"\nc\n", "rule ; bytes 0 127 0", NULL},
        /* The text itself. */
        {"x float64", "1e5\n1.25E10\n1.5E-7\n", "rule 004040000001; bytes 255 0 0; raw 1e5", NULL},
        {"x float64", "1.5\n.5\nnan\n", "rule ; bytes 0 255 255; raw .5; raw nan", NULL},
        {"x utf8", "\"a\"b\nc\n", "rule ; bytes 255 0; raw \"a\"b", NULL},
        {"x int64", "1\n2x\n", "rule ; bytes 0 255; raw 2x", NULL},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        char got[512], again[MAX_NBYTES];
        struct column column;

        column_init(&column, cases[i].schema, cases[i].lines, cases[i].format);
        describe(&column, got);
        assert_string_equal(got, cases[i].expected);
        print(&column, again);
        assert_string_equal(again, cases[i].lines);
        column_reset(&column);
    }
}

/* ---- Generated columns. ---- */

/* A column of any type but text, in lines. */
static void draw_lines(struct stoa_test_random *r, struct stoa_test_csv_column *drawn,
                       char out[MAX_NBYTES])
{
    const size_t nlines = 1 + (size_t)stoa_test_random_below(r, 60);
    char *at = out;

    do
        stoa_test_csv_column_draw(r, '.', '\0', drawn);
    while (stoa_test_csv_column_is_text(drawn));
    for (size_t i = 0; i < nlines; i++) {
        const bool null = drawn->nulls > 0 && stoa_test_random_one_in(r, drawn->nulls);
        const bool quoted =
            drawn->quotes == 1 || (drawn->quotes == 2 && stoa_test_random_one_in(r, 3));
        char value[STOA_TEST_CSV_VALUE_NBYTES];

        stoa_test_csv_column_write(r, drawn, value);
        at += sprintf(at, quoted ? "\"%s\"\n" : "%s\n", null ? drawn->null : value);
    }
}

/* How many values follow a rule. */
static size_t count_followers(struct column *column, const struct stoa_csv_rule *rule,
                              const char *lines)
{
    struct stoa_side_column only = {.kind = STOA_SIDE_FORM};
    const struct stoa_side kept = column->side;
    static char printed[MAX_NBYTES];
    const char *at = printed;
    size_t n = 0;

    stoa_csv_rule_store(rule, only.rule);
    column->side = (struct stoa_side){.columns = &only, .ncolumns = 1, .nrows = kept.nrows};
    print(column, printed);
    column->side = kept;
    while (*lines != '\0') {
        const size_t nbytes = (size_t)(strchr(lines, '\n') + 1 - lines);
        const size_t got = (size_t)(strchr(at, '\n') + 1 - at);

        n += got == nbytes && memcmp(at, lines, nbytes) == 0;
        lines += nbytes;
        at += got;
    }
    return n;
}

/* All other digits, for zeros too, in the style that was chosen. */
static void expect_best(struct column *column, const char *lines)
{
    static const uint8_t forms[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 65, 66, 67, 68, 70, 72};
    const struct stoa_side_column *form = side_of(column, STOA_SIDE_FORM);
    struct stoa_csv_rule chosen = {0}, other;
    size_t nfollowers;

    assert_true(form == NULL || stoa_csv_rule_load(form->rule, &chosen));
    nfollowers = count_followers(column, &chosen, lines);
    other = chosen;
    for (size_t i = 0; i < LENGTH(forms) * LENGTH(forms); i++) {
        other.form = forms[i / LENGTH(forms)];
        other.zero = forms[i % LENGTH(forms)];
        if (count_followers(column, &other, lines) > nfollowers)
            fail_msg("digits %u and %u of zeros are better than %u and %u for\n%s", other.form,
                     other.zero, chosen.form, chosen.zero, lines);
    }
}

static void generated_columns_come_back_by_the_best_rule(void **state)
{
    const size_t ncases = stoa_test_ncases(1000);
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "generated_columns_come_back_by_the_best_rule");
    for (size_t i = 0; i < ncases; i++) {
        static char lines[MAX_NBYTES], again[MAX_NBYTES];
        struct stoa_test_csv_column drawn;
        struct column column;
        char schema[64];

        draw_lines(&r, &drawn, lines);
        snprintf(schema, sizeof(schema), "x %s", drawn.type);
        column_init(&column, schema, lines, drawn.format);
        print(&column, again);
        assert_string_equal(again, lines);
        if (strcmp(drawn.type, "float64") == 0 && drawn.quotes == 0)
            expect_best(&column, lines);
        column_reset(&column);
    }
}

/* A number with or without zeros at its end, a zero or not. */
static char *draw_number(struct stoa_test_random *r, unsigned style, char *at)
{
    const unsigned ndigits = 1 + (unsigned)stoa_test_random_below(r, 3);
    const unsigned long long whole = stoa_test_random_below(r, 9);

    if (style % 2 == 1 && stoa_test_random_one_in(r, 20)) /* a zero, mostly of one form */
        return at + sprintf(at, "0.%0*u\n", (int)(stoa_test_random_one_in(r, 40) ? ndigits : 2), 0);
    if (style / 2 % 2 == 1 && stoa_test_random_one_in(r, 3)) /* four digits, some of them zeros */
        return at + sprintf(at, "%llu.%u000\n", whole, (unsigned)stoa_test_random_below(r, 10));
    if (style / 4 % 2 == 1 && stoa_test_random_one_in(r, 50))
        return at + sprintf(at, "%llu.%0*u0\n", whole, (int)ndigits, 5);
    if (style / 8 == 1)
        return at +
               sprintf(at, "%llu.12345%u\n", whole, 1 + (unsigned)stoa_test_random_below(r, 9));
    return at + sprintf(at, "%llu.%0*u\n", whole, (int)ndigits,
                        1 + (unsigned)stoa_test_random_below(r, 9));
}

/* A rule that all values follow is found without counting; with a NaN, which none does, they are
   counted. */
static void a_rule_for_all_is_the_one_that_counting_finds(void **state)
{
    const size_t ncases = stoa_test_ncases(2000);
    size_t nquick = 0;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "a_rule_for_all_is_the_one_that_counting_finds");
    for (size_t i = 0; i < ncases; i++) {
        static const uint8_t usual[STOA_SIDE_RULE_NBYTES];
        const size_t nlines = 1 + (size_t)stoa_test_random_below(&r, MAX_NLINES - 3);
        const unsigned style = (unsigned)stoa_test_random_below(&r, 16);
        static char lines[MAX_NBYTES];
        const struct stoa_side_column *quick, *counted;
        struct column one, other;
        char *at = lines;

        at += sprintf(at, style / 8 == 1 ? "1.5\n1.2500\n" : "1.5\n1.25\n"); /* forms differ */
        for (size_t k = 0; k < nlines; k++)
            at = draw_number(&r, style, at);
        column_init(&one, "x float64", lines, NULL);
        strcpy(at, "nan\n");
        column_init(&other, "x float64", lines, NULL);
        quick = side_of(&one, STOA_SIDE_FORM);
        counted = side_of(&other, STOA_SIDE_FORM);
        assert_memory_equal(quick != NULL ? quick->rule : usual, counted->rule,
                            STOA_SIDE_RULE_NBYTES);
        for (size_t k = 0; k < nlines + 2; k++)
            assert_int_equal(quick != NULL && quick->array.nvalues > 0 ? quick->array.values[k] : 0,
                             counted->array.values[k]);
        nquick += quick == NULL || quick->array.nvalues == 0;
        column_reset(&one);
        column_reset(&other);
    }
    assert_in_range(nquick, ncases / 10, ncases - ncases / 10); /* both happen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_of_most_values_is_taken),
        cmocka_unit_test(a_rule_for_all_is_the_one_that_counting_finds),
        cmocka_unit_test(generated_columns_come_back_by_the_best_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
