/* Records split into fields: a table of what is special where, and the scalar model. */
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
    struct stoa_csv_record record = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t nbytes = strlen(cases[i].text), n = 0;
        char *text = with_slack(cases[i].text, nbytes), got[256];

        assert_int_equal(stoa_csv_record_split(&record, text, text + nbytes, ',', NULL), STOA_OK);
        assert_int_equal(record.fault, STOA_CSV_FINE);
        assert_int_equal(record.next - text, cases[i].used);
        assert_int_equal(record.nfields, cases[i].nfields);
        assert_int_equal(record.nlines, cases[i].nlines);
        for (size_t k = 0; k < record.nfields; k++) {
            if (k > 0)
                got[n++] = '|';
            if (record.fields[k].quoted) {
                memcpy(got + n, "q:", 2);
                n += 2;
            }
            n += copy_field(&record.fields[k], got + n);
        }
        got[n] = '\0';
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
        enum stoa_csv_fault fault;
        size_t at;
        size_t nfields;
    } cases[] = {
        {"\"a\"b,c\n", STOA_CSV_TEXT_AFTER_QUOTE, 3, 1},
        {"x,\"a\" ,c\n", STOA_CSV_TEXT_AFTER_QUOTE, 5, 2},
        {"\"", STOA_CSV_OPEN_QUOTE, 0, 1},
        {"x,\"a\n\"\"", STOA_CSV_OPEN_QUOTE, 2, 2},
        {"\"\"\"", STOA_CSV_OPEN_QUOTE, 0, 1},
    };
    struct stoa_csv_record record = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t nbytes = strlen(cases[i].text);
        char *text = with_slack(cases[i].text, nbytes);

        assert_int_equal(stoa_csv_record_split(&record, text, text + nbytes, ',', NULL), STOA_OK);
        assert_int_equal(record.fault, cases[i].fault);
        assert_int_equal(record.fault_at - text, cases[i].at);
        assert_int_equal(record.nfields, cases[i].nfields);
        free(text);
    }
    stoa_csv_record_free(&record);
}

static void assert_equals_model(const struct stoa_csv_record *record, const char *text,
                                const struct stoa_test_csv_record *model)
{
    char *got;

    assert_int_equal(record->fault, (int)model->fault);
    if (record->fault != STOA_CSV_FINE)
        return;
    assert_int_equal(record->next - text, model->end);
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

static void any_text_is_split_as_the_scalar_model_does(void **state)
{
    (void)state;
    static const char delimiters[] = ",;\t|a";
    struct stoa_csv_record record = {0};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "any_text_is_split_as_the_scalar_model_does");
    for (size_t n = stoa_test_ncases(20000); n > 0; n--) {
        const char delimiter =
            stoa_test_random_one_in(&r, 2) ? ',' : delimiters[stoa_test_random_below(&r, 5)];
        size_t nbytes;
        char *noise = stoa_test_random_one_in(&r, 3) ? stoa_test_csv_file(&r, 4, 3, &nbytes)
                                                     : stoa_test_csv_noise(&r, 60, &nbytes);
        char *text = with_slack(noise, nbytes);
        struct stoa_test_csv model;

        stoa_test_csv_parse(text, nbytes, delimiter, &model);
        for (size_t i = 0; i < model.nrecords; i++) {
            const struct stoa_test_csv_record *expected = &model.records[i];
            uint64_t next_line =
                i + 1 < model.nrecords ? model.records[i + 1].line : expected->line;

            assert_int_equal(stoa_csv_record_split(&record, text + expected->begin, text + nbytes,
                                                   delimiter, NULL),
                             STOA_OK);
            assert_equals_model(&record, text, expected);
            if (record.fault == STOA_CSV_FINE && i + 1 < model.nrecords)
                assert_int_equal(record.nlines, next_line - expected->line);
        }
        stoa_test_csv_free(&model);
        free(text);
        free(noise);
    }
    stoa_csv_record_free(&record);
}

static enum stoa_status splits_a_wide_record(void *context, struct stoa_error *err)
{
    struct stoa_csv_record record = {0};
    const char *text = context;
    enum stoa_status st;

    st = stoa_csv_record_split(&record, text, text + strlen(text), ',', err);
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
        cmocka_unit_test(any_text_is_split_as_the_scalar_model_does),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
