/* The text of predicates: what is understood, and what is said about the rest. */
#include <stoa/filter.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault_alloc.h"

/* Text, and how it is printed; NULL: as it was. */
static const struct {
    const char *text;
    const char *printed;
} good[] = {
    {"a = 1", NULL},
    {"  A  <>\t1\n", "A <> 1"},
    {"a != 1", "a <> 1"},
    {"a<1 AND b<=2 and c>3 And d>=4", "a < 1 and b <= 2 and c > 3 and d >= 4"},
    {"a = 1 or b = 2 and c = 3", NULL},
    {"(a = 1 or b = 2) and c = 3", NULL},
    {"(((a = 1)))", "a = 1"},
    {"a = 1 and (b = 2 and c = 3)", NULL},
    {"a = 1 or (b = 2 or c = 3)", NULL},
    {"(a = 1 and b = 2) or c = 3", "a = 1 and b = 2 or c = 3"},
    {"not a = 1", NULL},
    {"not not a = 1", NULL},
    {"not (a = 1 and b = 2)", NULL},
    {"not a = 1 and b = 2", NULL},
    {"not a in (1)", "a not in (1)"},
    {"not (a between 1 and 2)", "a not between 1 and 2"},
    {"a in (1,2 , 3)", "a in (1, 2, 3)"},
    {"a not in ('x')", NULL},
    {"a between -1 and +2 and b = 3", NULL},
    {"a not between 1 and 2 or b = 3", NULL},
    {"a like 'x%_'", NULL},
    {"a not like '50\\%' escape '\\'", NULL},
    {"a like 'x' escape '\xc3\xa9'", NULL},
    {"a is null and b is not null and c is nan and d is not nan", NULL},
    {"not a is null", "a is not null"},
    {"a is not null or not a is not null", "a is not null or not a is not null"},
    {"3 < a", "a > 3"},
    {"'x' = a and 1 >= b and 2 <> c", "a = 'x' and b <= 1 and c <> 2"},
    {"a = 'it''s'", NULL},
    {"a = ''", NULL},
    {"a = ''''", NULL},
    {"a = 'gr\xc3\xbc\xc3\x9f'", NULL},
    {"a = X'00fF'", "a = x'00ff'"},
    {"a = x''", NULL},
    {"x = 1 and x1 = 2", NULL},
    {"a in (0, 1.5, .5, 5., 1e3, 1E-3, -0.0, 00012, 1.5e+10)", NULL},
    {"a = 123456789012345678901234567890123456789012345678901234567890.5", NULL},
    {"a = TRUE and b <> False", "a = true and b <> false"},
    {"\"a\" = 1", "a = 1"},
    {"\"a b\" = 1 and \"and\" = 2 and \"say \"\"x\"\"\" = 3 and \"\" = 4", NULL},
    {"gr\xc3\xb6\xc3\x9f"
     "e = 1",
     "\"gr\xc3\xb6\xc3\x9f"
     "e\" = 1"},
    {"_a1 = 1", NULL},
    {"a.b.c = 1 and 2 < d.e", "a.b.c = 1 and d.e > 2"},
    {"a . b\n.\tc is null", "a.b.c is null"},
    {"\"a\".\"b c\".\"in\" in (.5)", "a.\"b c\".\"in\" in (.5)"},
    {"\"a.b\" = 1 and \"a\".\"\" = 2", "\"a.b\" = 1 and a.\"\" = 2"},
    {"not a.b like 'x%'", "a.b not like 'x%'"},
    {"a>-1", "a > -1"},
    {"a=.5", "a = .5"},
};

static void text_is_read_and_printed_in_one_style(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct stoa_filter *filter = NULL, *again = NULL;
        struct stoa_error err = {0};
        char *printed = NULL;

        if (stoa_filter_parse(good[i].text, &filter, &err) != STOA_OK)
            fail_msg("%s: %s", good[i].text, err.message);
        assert_int_equal(stoa_filter_print(filter, &printed, &err), STOA_OK);
        assert_string_equal(printed, good[i].printed != NULL ? good[i].printed : good[i].text);
        assert_int_equal(stoa_filter_parse(printed, &again, &err), STOA_OK);
        assert_true(stoa_filter_equal(filter, again));
        stoa_free(printed);
        stoa_filter_free(filter);
        stoa_filter_free(again);
    }
}

static void different_text_makes_different_filters(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a = 1",
        "b = 1",
        "a < 1",
        "a = 1.0",
        "a = '1'",
        "a in (1)",
        "a in (1, 2)",
        "a = 1 and b = 2",
        "a like '1'",
        "a is null",
        "a is nan",
        "a = 1 or b = 2",
        "a = x'31'",
        "a = true",
        "not a = 1",
        "a like '1' escape 'e'",
        "not (a = 1 and b = 2)",
        "a between 1 and 2",
        "a.b = 1",
        "b.a = 1",
        "a.b.c = 1",
        "\"a.b\" = 1",
    };
    enum { N = sizeof(texts) / sizeof(texts[0]) };
    struct stoa_filter *filters[N];
    struct stoa_error err;

    for (size_t i = 0; i < N; i++)
        assert_int_equal(stoa_filter_parse(texts[i], &filters[i], &err), STOA_OK);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            assert_int_equal(stoa_filter_equal(filters[i], filters[j]), i == j);
    for (size_t i = 0; i < N; i++)
        stoa_filter_free(filters[i]);
}

static const struct {
    const char *text;
    size_t offset;
    const char *message;
} bad[] = {
    {"", 0, "character 1: the predicate is empty"},
    {"  ", 0, "character 1: the predicate is empty"},
    {"passenger_count >", 17, "character 18: expected a value after \">\""},
    {"a > and b = 1", 4, "character 5: expected a value after \">\", not \"and\""},
    {"a", 1,
     "character 2: expected a comparison (=, <>, <, <=, >, >=, in, between, like, is) "
     "after \"a\""},
    {"a b", 2,
     "character 3: expected a comparison (=, <>, <, <=, >, >=, in, between, like, is) "
     "after \"a\", not \"b\""},
    {"a == 1", 2, "character 3: \"==\" is not an operator; write \"=\""},
    {"a = b", 4,
     "character 5: \"b\" would be a column, and a column is compared with a value only; text "
     "stands in single quotes"},
    {"a = \"CMT\"", 4,
     "character 5: \"CMT\" would be a column, and a column is compared with a value only; text "
     "stands in single quotes"},
    {"a = null", 4,
     "character 5: nothing compares with null; write \"is null\" or \"is not null\""},
    {"a in (1, NULL)", 9,
     "character 10: nothing compares with null; write \"is null\" or \"is not null\""},
    {"a <> nan", 5, "character 6: nothing compares with nan; write \"is nan\" or \"is not nan\""},
    {"1 = 2", 4, "character 5: expected a column name: one side of a comparison is a column"},
    {"1 in (2)", 2,
     "character 3: expected a comparison (=, <>, <, <=, >, >=) after \"1\", not "
     "\"in\""},
    {"and", 0,
     "character 1: expected a column name, not or \"(\"; write \"and\" in double quotes "
     "if it is the name of a column"},
    {"a = 1 and", 9, "character 10: expected a column name, not or \"(\" after \"and\""},
    {"a = 1 b = 2", 6, "character 7: expected and, or, or the end after \"1\", not \"b\""},
    {"a = 1)", 5, "character 6: expected and, or, or the end after \"1\", not \")\""},
    {"(a = 1", 6,
     "character 7: expected and, or, or \")\" for the \"(\" of character 1 after "
     "\"1\""},
    {"a not = 1", 6, "character 7: expected in, between or like after \"not\", not \"=\""},
    {"a is 1", 5, "character 6: expected null, nan or not after \"is\", not \"1\""},
    {"a is not true", 9, "character 10: expected null or nan after \"not\", not \"true\""},
    {"a in 1", 5, "character 6: expected \"(\" after \"in\", not \"1\""},
    {"a in ()", 6, "character 7: expected a value after \"(\", not \")\""},
    {"a in (1,)", 8, "character 9: expected a value after \",\", not \")\""},
    {"a in (1 2)", 8, "character 9: expected \",\" or \")\" after \"1\", not \"2\""},
    {"a in (1", 7, "character 8: expected \",\" or \")\" after \"1\""},
    {"a between 1", 11,
     "character 12: expected \"and\" and the upper end of \"between\" after \"1\""},
    {"a between 1 and", 15, "character 16: expected a value after \"and\""},
    {"a like 1", 7, "character 8: expected a pattern in single quotes after \"like\", not \"1\""},
    {"a like 'x' escape 1", 18,
     "character 19: expected a character in single quotes after \"escape\", not \"1\""},
    {"a like 'x' escape ''", 18, "character 19: \"escape\" takes one character"},
    {"a like 'x' escape 'ab'", 18, "character 19: \"escape\" takes one character"},
    {"a = 'abc", 4, "character 5: the text that starts here has no closing '"},
    {"\"a = 1", 0, "character 1: the name that starts here has no closing \""},
    {"a = x'0'", 4, "character 5: x'...' holds pairs of the digits 0-9 a-f"},
    {"a = x'0g'", 4, "character 5: x'...' holds pairs of the digits 0-9 a-f"},
    {"a = x'00", 4, "character 5: x'...' holds pairs of the digits 0-9 a-f"},
    {"a = 12abc", 4,
     "character 5: \"12abc\" is neither a number nor a name; text stands in single quotes, names "
     "that are not plain words in double quotes"},
    {"a = 1.2.3", 4,
     "character 5: \"1.2.3\" is neither a number nor a name; text stands in single quotes, names "
     "that are not plain words in double quotes"},
    {"a = 2013-01-05", 4,
     "character 5: \"2013-01-05\" is not a number; dates and times stand in single quotes"},
    {"a = 10:30:00", 4,
     "character 5: \"10:30:00\" is not a number; dates and times stand in single quotes"},
    {"a # 1", 2, "character 3: \"#\" has no meaning here"},
    {"a. = 1", 3, "character 4: expected the name of a part after \".\", not \"=\""},
    {"a.", 2, "character 3: expected the name of a part after \".\""},
    {"a..b = 1", 2, "character 3: expected the name of a part after \".\", not \".\""},
    {"a.5 = 1", 1,
     "character 2: expected a comparison (=, <>, <, <=, >, >=, in, between, like, is) "
     "after \"a\", not \".5\""},
    {"a.5b = 1", 1,
     "character 2: \".5b\" is neither a number nor a name; text stands in single quotes, names "
     "that are not plain words in double quotes"},
    {"a.null = 1", 2,
     "character 3: expected the name of a part; write \"null\" in double quotes if it is the name "
     "of a column"},
    {".a = 1", 0, "character 1: expected a column name, not or \"(\", not \".\""},
    {"1 = a.", 6, "character 7: expected the name of a part after \".\""},
    {"a = b.c", 4,
     "character 5: \"b\" would be a column, and a column is compared with a value only; text "
     "stands in single quotes"},
    {"a in (1).b", 8, "character 9: expected and, or, or the end after \")\", not \".\""},
    {"a = -", 4, "character 5: \"-\" has no meaning here"},
    {"gr\xc3\xbc\xc3\x9f = \xe2\x82\xac >", 9,
     "character 8: \"\xe2\x82\xac\" would be a column, and a column is compared with a value only; "
     "text stands in single quotes"},
    {"a = '\xc3'", 5, "character 6: the predicate is not UTF-8"},
};

static void what_is_wrong_is_said_where_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct stoa_filter *filter = NULL;
        struct stoa_error err = {0};

        assert_int_equal(stoa_filter_parse(bad[i].text, &filter, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, bad[i].message);
        assert_int_equal(err.offset, bad[i].offset);
        assert_null(filter);
    }
}

/* n times `open`, "a = 1", n times `close`. */
static char *nest(const char *open, size_t n, const char *close)
{
    char *text = malloc(n * (strlen(open) + strlen(close)) + 6), *at = text;

    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, open);
    at = stpcpy(at, "a = 1");
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, close);
    return text;
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *open, *close;
        size_t n;
        const char *message; /* NULL: fine */
    } cases[] = {
        {"(", ")", 64, NULL},
        {"(", ")", 65, "character 65: the predicate is nested deeper than 64"},
        {"not ", "", 64, NULL},
        {"not ", "", 65, "character 257: the predicate is nested deeper than 64"},
        {"(b = 2 and ", " or c = 3)", 32, NULL},
        {"(b = 2 and ", " or c = 3)", 33, "the predicate is nested deeper than 64"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = nest(cases[i].open, cases[i].n, cases[i].close);
        struct stoa_filter *filter = NULL;
        struct stoa_error err = {0};
        enum stoa_status st = stoa_filter_parse(text, &filter, &err);

        assert_int_equal(st, cases[i].message != NULL ? STOA_ERR_LIMIT : STOA_OK);
        if (cases[i].message != NULL)
            assert_string_equal(err.message, cases[i].message);
        stoa_filter_free(filter);
        free(text);
    }
}

static void size_has_a_limit(void **state)
{
    (void)state;
    enum { NBYTES = STOA_FILTER_MAX_NBYTES + 1 };
    char *text = malloc(NBYTES + 1);
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};
    size_t n;

    for (int nvalues = STOA_FILTER_MAX_NTERMS; nvalues <= STOA_FILTER_MAX_NTERMS + 1; nvalues++) {
        n = (size_t)snprintf(text, NBYTES, "a in (0");
        for (int i = 1; i < nvalues; i++)
            n += (size_t)snprintf(text + n, NBYTES - n, ",%d", i);
        snprintf(text + n, NBYTES - n, ")");
        assert_int_equal(stoa_filter_parse(text, &filter, &err),
                         nvalues > STOA_FILTER_MAX_NTERMS ? STOA_ERR_LIMIT : STOA_OK);
        stoa_filter_free(filter);
        filter = NULL;
    }
    assert_string_equal(err.message, "the predicate has more than 10000 comparisons and values");
    memset(text, ' ', NBYTES);
    text[NBYTES] = '\0';
    assert_int_equal(stoa_filter_parse(text, &filter, &err), STOA_ERR_LIMIT);
    assert_string_equal(err.message, "the predicate has more than 1048576 bytes");
    text[NBYTES - 1] = '\0';
    assert_int_equal(stoa_filter_parse(text, &filter, &err), STOA_ERR_USAGE);
    free(text);
}

/* ---- Filters made by a program. ---- */

static void built_filters_are_printed_like_text(void **state)
{
    (void)state;
    struct stoa_value values[] = {
        {.kind = STOA_VALUE_INT64, .i64 = INT64_MIN},
        {.kind = STOA_VALUE_DOUBLE, .f64 = 0.1},
        {.kind = STOA_VALUE_DOUBLE, .f64 = -__builtin_inf()},
        {.kind = STOA_VALUE_DOUBLE, .f64 = 1e300},
        {.kind = STOA_VALUE_TEXT, .text = "it's", .nbytes = 4},
        {.kind = STOA_VALUE_TEXT, .text = "a\0b", .nbytes = 3},
        {.kind = STOA_VALUE_BYTES, .text = "\xff", .nbytes = 1},
        {.kind = STOA_VALUE_NUMBER, .text = "1.50", .nbytes = 4},
        {.kind = STOA_VALUE_BOOL, .i64 = 1},
        {.kind = STOA_VALUE_BOOL},
        {.kind = STOA_VALUE_TEXT},
    };
    struct stoa_filter *parts[6] = {0}, *not_in = NULL, *all = NULL;
    struct stoa_error err = {0};
    char *printed = NULL;

    assert_int_equal(stoa_filter_in("a", values, 11, &parts[0], &err), STOA_OK);
    assert_int_equal(stoa_filter_not(&parts[0], &not_in, &err), STOA_OK);
    assert_null(parts[0]);
    parts[0] = not_in;
    assert_int_equal(stoa_filter_compare("b", STOA_COMPARE_LESS, &values[0], &parts[1], &err),
                     STOA_OK);
    assert_int_equal(stoa_filter_between("c d", &values[0], &values[1], &parts[2], &err), STOA_OK);
    assert_int_equal(stoa_filter_like("e", "x\xe2\x82\xac%", 5, 0x20ac, &parts[3], &err), STOA_OK);
    assert_int_equal(stoa_filter_is_null("f", &parts[4], &err), STOA_OK);
    assert_int_equal(stoa_filter_is_nan("g", &parts[5], &err), STOA_OK);
    assert_int_equal(stoa_filter_or(parts, 6, &all, &err), STOA_OK);
    assert_int_equal(stoa_filter_print(all, &printed, &err), STOA_OK);
    assert_string_equal(printed,
                        "a not in (-9223372036854775808, 0.1, '-Infinity', 1e300, 'it''s', "
                        "x'610062', x'ff', 1.50, true, false, '') or b < -9223372036854775808 or "
                        "\"c d\" between -9223372036854775808 and 0.1 or "
                        "e like 'x\xe2\x82\xac%' escape '\xe2\x82\xac' or f is null or g is nan");
    stoa_free(printed);
    stoa_filter_free(all);
}

static void values_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct stoa_value value;
        const char *message;
    } cases[] = {
        {{.kind = STOA_VALUE_NUMBER, .text = "1x", .nbytes = 2}, "\"1x\" is not a number"},
        {{.kind = STOA_VALUE_NUMBER, .text = "", .nbytes = 0}, "\"\" is not a number"},
        {{.kind = STOA_VALUE_NUMBER, .text = ".", .nbytes = 1}, "\".\" is not a number"},
        {{.kind = STOA_VALUE_NUMBER, .text = "1e", .nbytes = 2}, "\"1e\" is not a number"},
        {{.kind = STOA_VALUE_TEXT, .text = "\xff", .nbytes = 1},
         "a text in the predicate is not UTF-8"},
    };
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
            stoa_filter_compare("a", STOA_COMPARE_EQUAL, &cases[i].value, &filter, &err),
            STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
    }
    assert_int_equal(stoa_filter_is_null("\xff", &filter, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "a column name in the predicate is not UTF-8");
    assert_int_equal(stoa_filter_like("a", "b", 1, 0xd800, &filter, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "the escape of \"like\" is not a character");
    assert_null(filter);
}

static enum stoa_status parse_and_print(void *context, struct stoa_error *err)
{
    const char *text = context;
    struct stoa_filter *filter = NULL;
    char *printed = NULL;
    enum stoa_status st = stoa_filter_parse(text, &filter, err);

    if (st == STOA_OK)
        st = stoa_filter_print(filter, &printed, err);
    stoa_free(printed);
    stoa_filter_free(filter);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    static char text[] =
        "not (a = 'x''y' and \"b c\" in (1, 2, 3, 4, 5) or d.e.f like 'e%' escape 'f')"
        " and x'00' = g.\"h i\" and h between 1 and 2 and i is not null and j = true";

    stoa_test_each_failing_alloc(parse_and_print, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_and_printed_in_one_style),
        cmocka_unit_test(different_text_makes_different_filters),
        cmocka_unit_test(what_is_wrong_is_said_where_it_is),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(size_has_a_limit),
        cmocka_unit_test(built_filters_are_printed_like_text),
        cmocka_unit_test(values_that_are_none_are_refused),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests_name("filter_parse", tests, NULL, NULL);
}
