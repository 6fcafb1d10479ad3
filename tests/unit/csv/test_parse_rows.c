/* Columns of units: rows that are rejected, forms that are not needed, memory that is out. */
#include "support/csv_column.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/fault_alloc.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define VERBATIM      STOA_CSV_FORM_VERBATIM
#define QUOTED        STOA_CSV_FORM_QUOTED

static void rejected_rows_leave_with_their_forms(void **state)
{
    (void)state;
    static const char lines[] = "1\n007\nx\n+5\n\"2\"\n-0\nNA\ny\n-00\n";
    static const uint8_t rejected[] = {0x8d, 0}; /* rows 0, 2, 3, 7 */
    static const unsigned codes[] = {3, QUOTED, VERBATIM, 2, VERBATIM};
    char *text = stoa_test_with_slack(lines, sizeof(lines) - 1), *got;
    struct stoa_test_parsed result = {0};
    struct stoa_test_column fixture;

    stoa_test_column_init(&fixture, "x int64", NULL, NULL, false);
    assert_int_equal(stoa_test_parse(&fixture, stoa_csv_tile_parse, text, sizeof(lines) - 1,
                                     rejected, &result, NULL),
                     STOA_OK);
    got = stoa_test_parsed_text(&fixture, &result);
    assert_string_equal(got, "{\"x\":7}\n{\"x\":2}\n{\"x\":0}\n{\"x\":null}\n{\"x\":0}\n");
    assert_int_equal(result.forms.nvalues, LENGTH(codes));
    for (size_t i = 0; i < LENGTH(codes); i++)
        assert_int_equal(stoa_test_code_of(&result, i), codes[i]);
    assert_int_equal(result.forms.nverbatims, 2);
    assert_int_equal(result.forms.verbatims[0].row, 2);
    assert_int_equal(result.forms.verbatims[1].row, 4);
    assert_memory_equal(result.forms.bytes.data + result.forms.verbatims[1].begin, "-00", 3);
    assert_int_equal(result.misfits.nitems, 3);
    assert_int_equal(result.misfits.items[0].row, 2);
    assert_int_equal(result.misfits.items[1].row, 3);
    assert_int_equal(result.misfits.items[2].row, 7);
    stoa_free(got);
    stoa_test_parsed_reset(&result);
    stoa_test_column_reset(&fixture);
    free(text);
}

static void usual_texts_need_no_forms(void **state)
{
    (void)state;
    static const char *const schemas[] = {"x int64", "x utf8", "x date32", "x timestamp(s)"};
    static const char *const texts[] = {"1\n\n-20\n", "ab\n\n\xc3\xa9\n", "2024-01-02\n\n",
                                        "2024-01-02 03:04:05\n\n"};

    for (size_t i = 0; i < LENGTH(schemas); i++) {
        char *text = stoa_test_with_slack(texts[i], strlen(texts[i]));
        struct stoa_test_parsed result = {0};
        struct stoa_test_column fixture;

        stoa_test_column_init(&fixture, schemas[i], NULL, NULL, true);
        assert_int_equal(stoa_test_parse(&fixture, stoa_csv_tile_parse, text, strlen(texts[i]),
                                         NULL, &result, NULL),
                         STOA_OK);
        assert_null(result.forms.codes);
        assert_int_equal(result.misfits.nitems, 0);
        stoa_test_parsed_reset(&result);
        stoa_test_column_reset(&fixture);
        free(text);
    }
}

/* Enough rows and text for each buffer to grow. */
static enum stoa_status reads_all_kinds(void *context, struct stoa_error *err)
{
    static const uint8_t rejected[8] = {0xf0};
    const struct stoa_test_column *fixture = context;
    const char *piece = fixture->column.field->type.id == STOA_UTF8
                            ? "\"a long text with \"\"quotes\"\" in it\"\nshort\n"
                            : "1.5\n\"2.50\"\n1e5\nx\n";
    const size_t npieces = 12;
    struct stoa_test_parsed result = {0};
    char *text = malloc(npieces * strlen(piece) + STOA_CSV_SLACK);
    enum stoa_status st;

    assert_non_null(text);
    memset(text, 0, npieces * strlen(piece) + STOA_CSV_SLACK);
    for (size_t i = 0; i < npieces; i++)
        memcpy(text + i * strlen(piece), piece, strlen(piece));
    st = stoa_test_parse(fixture, stoa_csv_tile_parse, text, npieces * strlen(piece), rejected,
                         &result, err);
    stoa_test_parsed_reset(&result);
    free(text);
    return st;
}

static void failing_allocations_are_reported(void **state)
{
    (void)state;
    static const char *const schemas[] = {"x float64", "x utf8", "x decimal(10,2)"};

    for (size_t i = 0; i < LENGTH(schemas); i++) {
        struct stoa_test_column fixture;

        stoa_test_column_init(&fixture, schemas[i], NULL, NULL, false);
        stoa_test_each_failing_alloc(reads_all_kinds, &fixture);
        stoa_test_column_reset(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejected_rows_leave_with_their_forms),
        cmocka_unit_test(usual_texts_need_no_forms),
        cmocka_unit_test(failing_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
