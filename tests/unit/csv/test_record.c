/* Records split into fields: a table of what is special where, and the model. */
#include "csv/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/csv_model.h"
#include "support/fault_alloc.h"
#include "support/random.h"

/* The text at the end of a block with no more than the slack behind it. */
static char *with_slack(const char *text, size_t nbytes)
{
    char *copy = malloc(nbytes + STOA_CSV_SLACK);

    assert_non_null(copy);
    memcpy(copy, text, nbytes);
    memset(copy + nbytes, '"', STOA_CSV_SLACK); /* what stands there must not matter */
    return copy;
}

static size_t copy_field(const struct stoa_csv_field *field, char *out)
{
    if (field->doubled)
        return stoa_csv_field_unescape(field, out);
    memcpy(out, field->text, field->nbytes);
    return field->nbytes;
}

/* "a|q:b": what the fields say, q: in front of quoted ones. */
static void join_fields(const struct stoa_csv_record *record, char *out)
{
    for (size_t k = 0; k < record->nfields; k++) {
        if (k > 0)
            *out++ = '|';
        if (record->fields[k].quoted) {
            *out++ = 'q';
            *out++ = ':';
        }
        out += copy_field(&record->fields[k], out);
    }
    *out = '\0';
}

static void quotes_delimiters_and_line_ends_split_a_record(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t used; /* bytes of the record */
        size_t nfields;
        const char *fields; /* |-separated, q: in front of quoted ones */
        uint64_t nlines;
    } cases[] = {
        {"", 0, 1, "", 0},
        {"\n", 1, 1, "", 1},
        {"a", 1, 1, "a", 0},
        {"a,b\nc", 4, 2, "a|b", 1},
        {"a,b\r\nc", 5, 2, "a|b", 1},
        {"a,b\rc", 4, 2, "a|b", 1},
        {"a\r\r\n", 2, 1, "a", 1},
        {"a\n\r", 2, 1, "a", 1},
        {",", 1, 2, "|", 0},
        {",,\n", 3, 3, "||", 1},
        {"\"\"", 2, 1, "q:", 0},
        {"\"a,b\"\n", 6, 1, "q:a,b", 1},
        {"\"a\nb\",c\n", 8, 2, "q:a\nb|c", 2},
        {"\"a\r\nb\rc\"\n", 9, 1, "q:a\r\nb\rc", 2},
        {"\"a\"\"b\"", 6, 1, "q:a\"b", 0},
        {"\"\"\"\"", 4, 1, "q:\"", 0},
        {"\"\"\"a\"\"\",\"\"\n", 11, 2, "q:\"a\"|q:", 1},
        {"5\" pipe,a \"b\" c\n", 16, 2, "5\" pipe|a \"b\" c", 1},
        {" \"a\",b\n", 7, 2, " \"a\"|b", 1},
        {"1234567,12345678,123456789\n", 27, 3, "1234567|12345678|123456789", 1},
    };
    const struct stoa_csv_options options = {0};
    struct stoa_csv_dialect dialect;
    struct stoa_csv_record record = {0};

    stoa_csv_dialect_init(&dialect, &options);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t nbytes = strlen(cases[i].text);
        char *text = with_slack(cases[i].text, nbytes), got[256];

        assert_int_equal(stoa_csv_record_split(&record, text, text + nbytes, &dialect, NULL),
                         STOA_OK);
        assert_int_equal(record.fault, STOA_CSV_FINE);
        assert_int_equal(record.next - text, cases[i].used);
        assert_int_equal(record.nfields, cases[i].nfields);
        assert_int_equal(record.nlines, cases[i].nlines);
        join_fields(&record, got);
        assert_string_equal(got, cases[i].fields);
        free(text);
    }
    stoa_csv_record_free(&record);
}

static void faults_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool strict;
        enum stoa_csv_fault fault;
        size_t at;
        size_t field;
    } cases[] = {
        {"\"a\"b,c\n", false, STOA_CSV_FINE, 0, 0},
        {"\"a\"b,c\n", true, STOA_CSV_TEXT_AFTER_QUOTE, 3, 0},
        {"x,\"a\" ,c\n", true, STOA_CSV_TEXT_AFTER_QUOTE, 5, 1},
        {"x,5\" pipe,\"a\"b\n", true, STOA_CSV_STRAY_QUOTE, 3, 1},
        {"\"\"\"\"\n", true, STOA_CSV_FINE, 0, 0},
        {"\"", false, STOA_CSV_OPEN_QUOTE, 0, 0},
        {"x,\"a\n\"\"", false, STOA_CSV_OPEN_QUOTE, 2, 1},
        {"\"\"\"", false, STOA_CSV_OPEN_QUOTE, 0, 0},
        {"a\",\"", true, STOA_CSV_OPEN_QUOTE, 3, 1},
    };
    struct stoa_csv_record record = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stoa_csv_options options = {.strict = cases[i].strict};
        struct stoa_csv_dialect dialect;
        size_t nbytes = strlen(cases[i].text);
        char *text = with_slack(cases[i].text, nbytes);

        stoa_csv_dialect_init(&dialect, &options);
        assert_int_equal(stoa_csv_record_split(&record, text, text + nbytes, &dialect, NULL),
                         STOA_OK);
        assert_int_equal(record.fault, cases[i].fault);
        if (record.fault != STOA_CSV_FINE) {
            assert_int_equal(record.fault_at - text, cases[i].at);
            assert_int_equal(record.fault_field, cases[i].field);
        }
        free(text);
    }
    stoa_csv_record_free(&record);
}

static void dialects_differ_in_what_a_field_says(void **state)
{
    (void)state;
    static const struct {
        struct stoa_csv_options options;
        const char *text;
        const char *fields; /* of the first record, |-separated, q: in front of quoted ones */
        uint64_t nlines;
    } cases[] = {
        {{0}, "\"a\"b\"c,d\"\n", "q:ab\"c|d\"", 1},
        {{0}, "\"a\"\"\"b\n", "q:a\"b", 1},
        {{.quote = '\''}, "'a,\"',\"b\n", "q:a,\"|\"b", 1},
        {{.quote = STOA_CSV_NONE}, "\"a,b\"\n", "\"a|b\"", 1},
        {{.escape = '\\'}, "a\\,b,\"c\\\"d\",\\\\\n", "a,b|q:c\"d|\\", 1},
        {{.escape = '\\'}, "a\\\nb\n", "a\nb", 2},
        {{.escape = '\\'}, "a\\\r\nb\n", "a\r\nb", 2},
        {{.escape = '\\'}, "\"a\\\\\"b\\", "q:a\\b\\", 0},
        {{.escape = '\\'}, "\"a\"\"b\"\n", "q:a\"b", 1},
        {{.escape = '"'}, "\"a\"\"b\"\n", "q:a\"b", 1},
        {{.comment = '#'}, "#a,\"b\nc\n", "", 1},
        {{.comment = '#'}, "a,#b\n", "a|#b", 1},
        {{.comment = '#'}, "\"#a\"\n", "q:#a", 1},
        {{.trim = STOA_CSV_TRIM_START}, " a , \"b, \",\t\n", "a |q:b, |", 1},
        {{.trim = STOA_CSV_TRIM_BOTH}, " a , \" b\" ,  \n", "a|q: b|", 1},
        {{.trim = STOA_CSV_TRIM_BOTH, .escape = '\\'}, "a\\  ,\\\\ \n", "a |\\", 1},
        {{.trim = STOA_CSV_TRIM_BOTH, .delimiter = '\t'}, "a\t b\t\n", "a|b|", 1},
        {{.trailing_delimiter = 1}, "a,b,\n", "a|b", 1},
        {{.trailing_delimiter = 1}, "a,,\n", "a|", 1},
        {{.trailing_delimiter = 1}, "a,b\n", "a|b", 1},
        {{.trailing_delimiter = 1}, "a,\"\"\n", "a|q:", 1},
        {{.trailing_delimiter = 1}, "\n", "", 1},
    };
    struct stoa_csv_record record = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_csv_dialect dialect;
        size_t nbytes = strlen(cases[i].text);
        char *text = with_slack(cases[i].text, nbytes), got[256];

        stoa_csv_dialect_init(&dialect, &cases[i].options);
        assert_int_equal(stoa_csv_record_split(&record, text, text + nbytes, &dialect, NULL),
                         STOA_OK);
        assert_int_equal(record.fault, STOA_CSV_FINE);
        assert_int_equal(record.nlines, cases[i].nlines);
        join_fields(&record, got);
        assert_string_equal(got, cases[i].fields);
        free(text);
    }
    stoa_csv_record_free(&record);
}

static void assert_equals_model(const struct stoa_csv_record *record, const char *text,
                                const struct stoa_test_csv_record *model)
{
    char *got;

    assert_int_equal(record->fault, (int)model->fault);
    assert_int_equal(record->next - text, model->end);
    if (record->fault == STOA_CSV_OPEN_QUOTE)
        return;
    assert_int_equal(record->nfields, model->nfields);
    for (size_t k = 0; k < record->nfields; k++) {
        const struct stoa_csv_field *field = &record->fields[k];
        size_t n;

        got = malloc(field->nbytes + 1);
        assert_non_null(got);
        n = copy_field(field, got);
        assert_int_equal(field->quoted, model->fields[k].quoted);
        assert_int_equal(n, model->fields[k].nbytes);
        if (n > 0)
            assert_memory_equal(got, model->fields[k].text, n);
        free(got);
    }
}

static void any_text_is_split_as_the_model_does(void **state)
{
    (void)state;
    struct stoa_csv_record record = {0};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "any_text_is_split_as_the_model_does");
    for (size_t n = stoa_test_ncases(20000); n > 0; n--) {
        const struct stoa_csv_options options = stoa_test_random_one_in(&r, 3)
                                                    ? (struct stoa_csv_options){0}
                                                    : stoa_test_csv_dialect(&r);
        struct stoa_csv_dialect dialect;
        size_t nbytes;
        char *noise = stoa_test_random_one_in(&r, 3)
                          ? stoa_test_csv_file(&r, 4, 3, &nbytes)
                          : stoa_test_csv_dialect_noise(&r, &options, 60, &nbytes);
        char *text = with_slack(noise, nbytes);
        struct stoa_test_csv model;
        uint64_t nlines = 0;

        stoa_csv_dialect_init(&dialect, &options);
        stoa_test_csv_parse(text, nbytes, &options, &model);
        for (size_t i = 0; i < model.nrecords; i++) {
            const struct stoa_test_csv_record *expected = &model.records[i];

            assert_int_equal(stoa_csv_record_split(&record, text + expected->begin, text + nbytes,
                                                   &dialect, NULL),
                             STOA_OK);
            assert_equals_model(&record, text, expected);
            if (i + 1 < model.nrecords)
                assert_int_equal(record.nlines, model.records[i + 1].line - expected->line);
            nlines += record.nlines;
        }
        assert_int_equal(stoa_csv_count_lines(&dialect, text, nbytes), nlines);
        stoa_test_csv_free(&model);
        free(text);
        free(noise);
    }
    stoa_csv_record_free(&record);
}

static enum stoa_status splits_a_wide_record(void *context, struct stoa_error *err)
{
    const struct stoa_csv_options options = {0};
    struct stoa_csv_dialect dialect;
    struct stoa_csv_record record = {0};
    const char *text = context;
    enum stoa_status st;

    stoa_csv_dialect_init(&dialect, &options);
    st = stoa_csv_record_split(&record, text, text + strlen(text), &dialect, err);
    if (st == STOA_OK)
        assert_int_equal(record.nfields, 201);
    stoa_csv_record_free(&record);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    char text[200 + STOA_CSV_SLACK + 1] = {0};

    memset(text, ',', 200);
    stoa_test_each_failing_alloc(splits_a_wide_record, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_delimiters_and_line_ends_split_a_record),
        cmocka_unit_test(faults_are_told_with_their_place),
        cmocka_unit_test(dialects_differ_in_what_a_field_says),
        cmocka_unit_test(any_text_is_split_as_the_model_does),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
