/* A column of CSV text that is parsed by itself. */
#include "support/csv_column.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/index.h"
#include "csv/source_options.h"
#include "support/csv_rows.h"

void stoa_test_column_init(struct stoa_test_column *fixture, const char *schema,
                           const struct stoa_csv_options *options, const char *format, bool strict)
{
    struct stoa_error err = {0};

    memset(fixture, 0, sizeof(*fixture));
    stoa_test_schema_parse(schema, &fixture->schema);
    if (format != NULL)
        assert_int_equal(
            stoa_metadata_set(&fixture->schema.fields[0].metadata, "csv_format", format, NULL),
            STOA_OK);
    if (options != NULL)
        fixture->options = *options;
    assert_int_equal(
        stoa_csv_reading_init(&fixture->reading, &fixture->options, strict, true, &err), STOA_OK);
    if (stoa_csv_column_init(&fixture->column, &fixture->schema.fields[0], &fixture->reading,
                             &err) != STOA_OK)
        fail_msg("%s", err.message);
}

void stoa_test_column_reset(struct stoa_test_column *fixture)
{
    stoa_schema_reset(&fixture->schema);
}

void stoa_test_parsed_reset(struct stoa_test_parsed *result)
{
    stoa_array_reset(&result->array);
    stoa_csv_forms_reset(&result->forms);
    stoa_free(result->misfits.items);
}

enum stoa_status stoa_test_parse(const struct stoa_test_column *fixture,
                                 stoa_test_parse_function *function, const char *text,
                                 size_t nbytes, const uint8_t *rejected,
                                 struct stoa_test_parsed *out, struct stoa_error *err)
{
    const uint32_t place = 0;
    struct stoa_csv_index index;
    struct stoa_csv_values values = {0};
    struct stoa_test_parsed result = {0};
    enum stoa_status st;

    stoa_csv_index_init(&index, &fixture->reading.dialect, 1);
    STOA_TRY(stoa_csv_values_init(&values, &fixture->column, 8, err));
    STOA_TRY(stoa_csv_index_start(&index, text, nbytes, err));
    for (stoa_csv_index_next(&index); !stoa_csv_index_at_end(&index); stoa_csv_index_next(&index)) {
        const size_t before = result.misfits.nitems;

        STOA_TRY(function(&fixture->column, &place, 1, &index.tile, &values, &result.misfits, err));
        for (size_t i = before; i < result.misfits.nitems; i++)
            result.misfits.items[i].row += (uint32_t)index.tile.row;
    }
    STOA_TRY(stoa_csv_values_finish(&values, &fixture->column, rejected, &result.array,
                                    &result.forms, err));
    *out = result;
    result = (struct stoa_test_parsed){0};
out:
    stoa_csv_index_reset(&index);
    stoa_csv_values_reset(&values);
    stoa_test_parsed_reset(&result);
    return st;
}

char *stoa_test_with_slack(const char *text, size_t nbytes)
{
    char *copy = malloc(nbytes + STOA_CSV_SLACK);

    assert_non_null(copy);
    memcpy(copy, text, nbytes);
    memset(copy + nbytes, '7', STOA_CSV_SLACK); /* what stands there must not matter */
    return copy;
}

void stoa_test_column_read(struct stoa_test_column *fixture, const char *schema, const char *lines,
                           const struct stoa_csv_options *options, const char *format,
                           struct stoa_test_parsed *parsed, char **text)
{
    struct stoa_csv_options settled = options != NULL ? *options : (struct stoa_csv_options){0};

    stoa_csv_options_settle(&settled);
    stoa_test_column_init(fixture, schema, &settled, format, false);
    *text = stoa_test_with_slack(lines, strlen(lines));
    assert_int_equal(
        stoa_test_parse(fixture, stoa_csv_tile_parse, *text, strlen(lines), NULL, parsed, NULL),
        STOA_OK);
}

unsigned stoa_test_code_of(const struct stoa_test_parsed *result, size_t i)
{
    return result->forms.codes != NULL ? result->forms.codes[i] : 0;
}

char *stoa_test_parsed_text(const struct stoa_test_column *fixture,
                            const struct stoa_test_parsed *result)
{
    struct stoa_array array = result->array;
    const struct stoa_batch batch = {
        .schema = &fixture->schema, .nrows = array.nvalues, .columns = &array, .ncolumns = 1};

    return stoa_test_rows_text(&batch);
}
