/* Evidence: what single texts say of a column, and that pieces of a column add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "csv/kind_text.h"
#include "support/random.h"

static struct stoa_csv_spellings usual;

static int make_rules(void **state)
{
    (void)state;
    return stoa_csv_spellings_init(&usual, &(struct stoa_csv_options){0}, NULL) == STOA_OK ? 0 : -1;
}

/* Values of a column at consecutive lines of one input, "~" being a quoted empty field. */
static void observe(struct stoa_csv_evidence *evidence, const char *const *values, size_t nvalues,
                    const struct stoa_csv_spellings *spellings)
{
    for (size_t i = 0; i < nvalues && values[i] != NULL; i++) {
        const struct stoa_csv_place place = {.offset = 10 * i, .line = i + 1};
        const char *text = values[i][0] == '~' ? values[i] + 1 : values[i];

        stoa_csv_evidence_observe(evidence, spellings, text, strlen(text), text != values[i],
                                  &place);
    }
}

/* The evidence as text: all that can be seen of it. */
static char *print(const struct stoa_csv_evidence *evidence, bool quotes_tell)
{
    struct stoa_csv_decision decision;
    struct stoa_buffer out = {0};
    struct stoa_field field = {.name = (char *)"x"};
    char *type = NULL;

    stoa_csv_evidence_decide(evidence, &usual, quotes_tell, &decision);
    field.type = decision.type;
    assert_int_equal(stoa_type_print(&field, &type, NULL), STOA_OK);
    assert_int_equal(
        stoa_csv_evidence_print(evidence, &decision, &usual, type, true, NULL, &out, NULL),
        STOA_OK);
    if (decision.format != NULL)
        assert_int_equal(stoa_buffer_append(&out, decision.format, strlen(decision.format), NULL),
                         STOA_OK);
    assert_int_equal(stoa_buffer_append(&out, "", 1, NULL), STOA_OK);
    stoa_free(type);
    return (char *)out.data;
}

static void evidence_says_what_was_seen(void **state)
{
    (void)state;
    static const struct {
        const char *values[6];
        const char *expected;
    } cases[] = {
        {{NULL}, "{\"name\": \"utf8\", \"rows\": 0, \"nulls\": 0, \"decided_by\": \"no value\"}"},
        {{"10", "9", "", "NA", "~"},
         "{\"name\": \"int64\", \"rows\": 5, \"nulls\": 3, \"null_spellings\": [\"\", "
         "\"\\\"\\\"\", "
         "\"NA\"], \"min\": \"9\", \"max\": \"10\", \"decided_by\": \"every value\"}"},
        {{"NA", "", "x"},
         "{\"name\": \"utf8\", \"rows\": 3, \"nulls\": 1, \"min\": \"x\", \"max\": \"x\", "
         "\"decided_by\": \"\\\"x\\\" in line 3\"}"},
        {{"1", "2", "1x", "x"},
         "{\"name\": \"utf8\", \"rows\": 4, \"nulls\": 0, \"min\": \"1\", \"max\": \"x\", "
         "\"decided_by\": \"\\\"1x\\\" in line 3\"}"},
        {{"-9", "-10", "-9007199254740993", "-9007199254740992"},
         "{\"name\": \"int64\", \"rows\": 4, \"nulls\": 0, \"min\": \"-9007199254740993\", "
         "\"max\": "
         "\"-9\", \"decided_by\": \"every value\"}"},
        {{"9999999999999999", "10000000000000000", "9999999999999998"},
         "{\"name\": \"int64\", \"rows\": 3, \"nulls\": 0, \"min\": \"9999999999999998\", \"max\": "
         "\"10000000000000000\", \"decided_by\": \"every value\"}"},
        {{"1e3", "2.5", "nan"},
         "{\"name\": \"float64\", \"rows\": 3, \"nulls\": 0, \"min\": \"2.5\", \"max\": \"1e3\", "
         "\"decided_by\": \"every value\"}"},
        {{"2024-02-01", "2023-12-31"},
         "{\"name\": \"date32\", \"rows\": 2, \"nulls\": 0, \"min\": \"2023-12-31\", \"max\": "
         "\"2024-02-01\", \"decided_by\": \"every value\"}"},
        {{"true", "false"},
         "{\"name\": \"bool\", \"rows\": 2, \"nulls\": 0, \"decided_by\": \"every value\"}"},
        {{"a text of thirty-eight bytes and an \xc3\xa9: cut"},
         "{\"name\": \"utf8\", \"rows\": 1, \"nulls\": 0, \"min\": \"a text of thirty-eight bytes "
         "and an \xc3\xa9:...\", \"max\": \"a text of thirty-eight bytes and an \xc3\xa9:...\", "
         "\"decided_by\": \"\\\"a text of thirty-eight bytes and an \xc3\xa9:\\\" in line 1\"}"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_csv_evidence evidence;
        char *got;

        stoa_csv_evidence_init(&evidence);
        observe(&evidence, cases[i].values, 6, &usual);
        got = print(&evidence, false);
        assert_string_equal(got, cases[i].expected);
        stoa_free(got);
    }
}

/* Families of values that are alike, so that columns have a type until a value of another comes. */
static const char *const families[][10] = {
    {"1", "-2", "0", "12345678901234567890", "-0", "007", "99999999999999999999", "3", "40", "5"},
    {"1.5", "2", "-0.0", "0.12345678901234567", "0.123456789012345678", "1e5", "nan", "-7.25", "8"},
    {"true", "False", "TRUE", "1", "yes", "false", "True", "NA", "N/A", ""},
    {"2024-01-05", "2024-01-5", "05/01/2024", "13/01/2024", "01/13/2024", "31/12/98", "5.1.2024",
     "+10000-01-01", "20240105", "1/2/2024"},
    {"2024-01-05 10:11:12", "2024-01-05T10:11:12", "2024-01-05 10:11:12.5", "2024-01-05 10:11",
     "2024-01-05T10:11:12Z", "9999-12-31 00:00:00.0000001", "05/01/2024 9:05", "05/01/2024 09:05",
     "5/1/2024 9:05 PM", "13/01/2024 09:05:01 am"},
    {"10:11:12", "10:11:12.25", "10:11:12.1234567", "24:00:00", "9:05", "00:00:00", "23:59:59", "",
     "None", "~"},
};
#define NFAMILIES (sizeof(families) / sizeof(families[0]))

struct piece {
    struct stoa_csv_evidence evidence;
    bool used;
};

static const char *draw(struct stoa_test_random *random, size_t family)
{
    const char *value;

    if (stoa_test_random_below(random, 12) == 0)
        family = stoa_test_random_below(random, NFAMILIES);
    do
        value = families[family][stoa_test_random_below(random, 10)];
    while (value == NULL);
    return value;
}

static void assert_same(const struct stoa_csv_evidence *a, const struct stoa_csv_evidence *b)
{
    char *texts[2];

    assert_memory_equal(a, b, offsetof(struct stoa_csv_evidence, numbers));
    for (int quotes_tell = 0; quotes_tell < 2; quotes_tell++) {
        texts[0] = print(a, quotes_tell);
        texts[1] = print(b, quotes_tell);
        assert_string_equal(texts[0], texts[1]);
        stoa_free(texts[0]);
        stoa_free(texts[1]);
    }
    for (size_t i = 0; i < STOA_CSV_NKINDS; i++) {
        assert_int_equal(a->conflicts[i].place.offset, b->conflicts[i].place.offset);
        assert_memory_equal(&a->conflicts[i].value, &b->conflicts[i].value,
                            sizeof(a->conflicts[i].value));
    }
}

/* Joins the pieces two at a time, neighbours or not, in any order, until one is left. */
static const struct stoa_csv_evidence *join_in_any_order(struct stoa_test_random *random,
                                                         struct piece *pieces, size_t npieces)
{
    for (size_t left = npieces; left > 1; left--) {
        size_t to, from;

        do {
            to = stoa_test_random_below(random, npieces);
            from = stoa_test_random_below(random, npieces);
        } while (to == from || pieces[to].used || pieces[from].used);
        stoa_csv_evidence_join(&pieces[to].evidence, &pieces[from].evidence);
        pieces[from].used = true;
    }
    while (pieces->used)
        pieces++;
    return &pieces->evidence;
}

static void pieces_joined_in_any_order_say_what_one_pass_says(void **state)
{
    (void)state;
    enum { NPIECES = 5 };
    const size_t nrounds = stoa_test_ncases(20000);
    struct stoa_test_random random;

    stoa_test_random_init(&random, "pieces");
    for (size_t round = 0; round < nrounds; round++) {
        const size_t family = stoa_test_random_below(&random, NFAMILIES);
        const size_t nvalues = stoa_test_random_below(&random, 12);
        struct piece pieces[NPIECES] = {0};
        struct stoa_csv_evidence whole;
        size_t at = 0;

        stoa_csv_evidence_init(&whole);
        for (size_t i = 0; i < NPIECES; i++)
            stoa_csv_evidence_init(&pieces[i].evidence);
        for (size_t i = 0; i < nvalues; i++) {
            const char *value = draw(&random, family);
            const bool quoted = value[0] == '~' || stoa_test_random_below(&random, 4) == 0;
            const struct stoa_csv_place place = {.offset = i, .line = i + 1};

            value += value[0] == '~';
            while (at + 1 < NPIECES && stoa_test_random_below(&random, 3) == 0)
                at++;
            stoa_csv_evidence_observe(&whole, &usual, value, strlen(value), quoted, &place);
            stoa_csv_evidence_observe(&pieces[at].evidence, &usual, value, strlen(value), quoted,
                                      &place);
        }
        assert_same(join_in_any_order(&random, pieces, NPIECES), &whole);
    }
}

static void conflicts_are_the_first_by_input_and_place(void **state)
{
    (void)state;
    struct stoa_csv_evidence a, b;
    struct stoa_csv_decision decision;

    stoa_csv_evidence_init(&a);
    stoa_csv_evidence_init(&b);
    stoa_csv_evidence_observe(&a, &usual, "late", 4, false,
                              &(struct stoa_csv_place){.input = 1, .offset = 3});
    stoa_csv_evidence_observe(&b, &usual, "early", 5, false,
                              &(struct stoa_csv_place){.input = 0, .offset = 900});
    stoa_csv_evidence_join(&a, &b);
    stoa_csv_evidence_decide(&a, &usual, false, &decision);
    assert_int_equal(decision.conflict->place.offset, 900);
    assert_memory_equal(decision.conflict->value.text, "early", 5);
}

static void words_of_the_options_replace_the_usual_ones(void **state)
{
    (void)state;
    static const char *const nulls[] = {"-", "NULL", NULL}, *const yes[] = {"Y", NULL},
                             *const no[] = {"N", NULL};
    static const struct stoa_csv_options options = {
        .null_values = nulls, .true_values = yes, .false_values = no};
    static const char *const values[] = {"Y", "-", "N", "NULL", NULL}, *const other[] = {"NA", "Y"};
    struct stoa_csv_spellings spellings;
    struct stoa_csv_evidence evidence;
    struct stoa_csv_decision decision;

    assert_int_equal(stoa_csv_spellings_init(&spellings, &options, NULL), STOA_OK);
    stoa_csv_evidence_init(&evidence);
    observe(&evidence, values, 5, &spellings);
    stoa_csv_evidence_decide(&evidence, &spellings, false, &decision);
    assert_int_equal(decision.type.id, STOA_BOOL);
    assert_int_equal(evidence.nwords, 2);
    assert_int_equal(evidence.words, 6);
    observe(&evidence, other, 2, &spellings);
    stoa_csv_evidence_decide(&evidence, &spellings, false, &decision);
    assert_int_equal(decision.type.id, STOA_UTF8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_says_what_was_seen),
        cmocka_unit_test(pieces_joined_in_any_order_say_what_one_pass_says),
        cmocka_unit_test(conflicts_are_the_first_by_input_and_place),
        cmocka_unit_test(words_of_the_options_replace_the_usual_ones),
    };

    return cmocka_run_group_tests(tests, make_rules, NULL);
}
