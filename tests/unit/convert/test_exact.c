/*
 * Texts that readers of CSV tend to alter stay exact: the values of the Stoa file, and the text
 * that it gives back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/reader.h>
#include <stoa/restore.h>

#include "base/alloc.h"
#include "support/csv_rows.h"
#include "support/folder.h"

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

static void convert(const char *from, const char *to)
{
    const struct stoa_convert_options options = {
        .paths = &from, .npaths = 1, .output = to, .replace = true};
    struct stoa_error err;

    check(stoa_convert(&options, NULL, &err), &err);
}

static void expect_same(const char *path, const void *bytes, size_t nbytes)
{
    size_t got_nbytes;
    char *got = stoa_test_folder_get(path, &got_nbytes);

    assert_int_equal(got_nbytes, nbytes);
    assert_memory_equal(got, bytes, nbytes);
    free(got);
}

/* The columns of a file, as "x int64, y utf8". */
static char *columns_of(const char *path)
{
    const struct stoa_schema *schema;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err;
    char *text;

    check(stoa_source_open_file(path, &source, &err), &err);
    check(stoa_reader_open(source, NULL, &reader, &err), &err);
    check(stoa_reader_schema(reader, &schema, &err), &err);
    text = stoa_test_schema_text(schema);
    stoa_reader_close(reader);
    stoa_source_close(source);
    return text;
}

/*
 * Converts a text with nothing said of it; the Stoa file has these columns (NULL: whatever they
 * are) and rows, and gives the text back.
 */
static void expect_exact(const char *text, size_t nbytes, const char *columns, const char *rows)
{
    const struct stoa_restore_options options = {
        .path = "a.stoa", .output = "back.csv", .replace = true};
    struct stoa_error err;

    stoa_test_folder_put("a.csv", text, nbytes);
    convert("a.csv", "a.stoa");
    if (columns != NULL) {
        char *got = columns_of("a.stoa");

        assert_string_equal(got, columns);
        stoa_free(got);
    }
    convert("a.stoa", "rows.jsonl");
    expect_same("rows.jsonl", rows, strlen(rows));
    check(stoa_restore(&options, NULL, &err), &err);
    expect_same("back.csv", text, nbytes);
}

static void texts_stay_exact(void **state)
{
    (void)state;
#define TEXT(literal) literal, sizeof(literal) - 1
    static const struct {
        const char *text;
        size_t nbytes;
        const char *columns;
        const char *rows;
    } cases[] = {
        /* Codes are no numbers. */
        {TEXT("v,w\n007,1\n8,2\n"), "v utf8, w int64",
         "{\"v\":\"007\",\"w\":1}\n{\"v\":\"8\",\"w\":2}\n"},
        {TEXT("v,w\n+5,1\n6,2\n"), "v utf8, w int64",
         "{\"v\":\"+5\",\"w\":1}\n{\"v\":\"6\",\"w\":2}\n"},
        /* Numbers keep their value, and the text its form. */
        {TEXT("v,w\n1e5,1\n1.2e+01,2\n1E-05,3\n"), "v float64, w int64",
         "{\"v\":100000.0,\"w\":1}\n{\"v\":12.0,\"w\":2}\n{\"v\":0.00001,\"w\":3}\n"},
        {TEXT("v\n0.10\n0.1\n"), "v float64", "{\"v\":0.1}\n{\"v\":0.1}\n"},
        {TEXT("v\n-0.0\n0.0\n0\n.5\n5.\n"), "v float64",
         "{\"v\":-0.0}\n{\"v\":0.0}\n{\"v\":0.0}\n{\"v\":0.5}\n{\"v\":5.0}\n"},
        {TEXT("v\n9223372036854775807\n-9223372036854775808\n"), "v int64",
         "{\"v\":9223372036854775807}\n{\"v\":-9223372036854775808}\n"},
        {TEXT("v\n9223372036854775808\n18446744073709551615\n"), "v uint64",
         "{\"v\":9223372036854775808}\n{\"v\":18446744073709551615}\n"},
        {TEXT("v\n1234567890123456789012345678901234567890\n-1\n"), "v decimal(40,0)",
         "{\"v\":1234567890123456789012345678901234567890}\n{\"v\":-1}\n"},
        {TEXT("v\n123456789012345.1234567890\n-1.50\n"), "v decimal(38,10)",
         "{\"v\":123456789012345.1234567890}\n{\"v\":-1.5000000000}\n"},
        /* Text is no null, and nothing is not the empty text. */
        {TEXT("v,w\nNA,1\nNO,NA\n"), "v utf8, w int64",
         "{\"v\":\"NA\",\"w\":1}\n{\"v\":\"NO\",\"w\":null}\n"},
        {TEXT("v,w\n\"\",1\n,2\nx,3\n"), "v utf8, w int64",
         "{\"v\":\"\",\"w\":1}\n{\"v\":null,\"w\":2}\n{\"v\":\"x\",\"w\":3}\n"},
        /* Days and months are told apart by all dates, or not at all. */
        {TEXT("v,w\n12/03/2024,1\n11/03/2024,2\n"), "v utf8, w int64",
         "{\"v\":\"12/03/2024\",\"w\":1}\n{\"v\":\"11/03/2024\",\"w\":2}\n"},
        {TEXT("v,w\n12/03/2024,1\n13/03/2024,2\n"), "v date32, w int64",
         "{\"v\":\"2024-03-12\",\"w\":1}\n{\"v\":\"2024-03-13\",\"w\":2}\n"},
        {TEXT("v,w\n12/03/2024,1\n12/13/2024,2\n"), "v date32, w int64",
         "{\"v\":\"2024-12-03\",\"w\":1}\n{\"v\":\"2024-12-13\",\"w\":2}\n"},
        {TEXT("v\n0001-01-01\n9999-12-31\n"), "v date32",
         "{\"v\":\"0001-01-01\"}\n{\"v\":\"9999-12-31\"}\n"},
        {TEXT("v\n0001-01-01 00:00:00\n9999-12-31 23:59:59\n"), "v timestamp(s)",
         "{\"v\":\"0001-01-01T00:00:00\"}\n{\"v\":\"9999-12-31T23:59:59\"}\n"},
        {TEXT("v\n23:59:59\n24:00:00\n"), "v utf8", "{\"v\":\"23:59:59\"}\n{\"v\":\"24:00:00\"}\n"},
        /* Bytes that other readers stumble over. */
        {TEXT("v,w\na\0b,1\n\0,2\nc,3\n"), "v utf8, w int64",
         "{\"v\":\"a\\u0000b\",\"w\":1}\n{\"v\":\"\\u0000\",\"w\":2}\n{\"v\":\"c\",\"w\":3}\n"},
        {TEXT("v,w\ra,1\r\"b\rc\",2\r"), "v utf8, w int64",
         "{\"v\":\"a\",\"w\":1}\n{\"v\":\"b\\rc\",\"w\":2}\n"},
        {TEXT("v,w\r\r\na,1\r\r\nb,2\r\r\n"), "v utf8, w int64",
         "{\"v\":\"a\",\"w\":1}\n{\"v\":\"b\",\"w\":2}\n"},
        {TEXT("v,w\na,1\r\nb,2\rc,3\n"), "v utf8, w int64",
         "{\"v\":\"a\",\"w\":1}\n{\"v\":\"b\",\"w\":2}\n{\"v\":\"c\",\"w\":3}\n"},
    };
#undef TEXT

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_exact(cases[i].text, cases[i].nbytes, cases[i].columns, cases[i].rows);
}

static void append(struct stoa_buffer *out, const char *format, ...) STOA_PRINTF(2, 3);

static void append(struct stoa_buffer *out, const char *format, ...)
{
    char text[128];
    va_list args;
    int nbytes;

    va_start(args, format);
    nbytes = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert_true(nbytes >= 0 && (size_t)nbytes < sizeof(text));
    assert_int_equal(stoa_buffer_append(out, text, (size_t)nbytes, NULL), STOA_OK);
}

static void expect_exact_buffers(struct stoa_buffer *text, struct stoa_buffer *rows,
                                 const char *columns)
{
    assert_int_equal(stoa_buffer_append_zeros(rows, 1, NULL), STOA_OK);
    expect_exact((const char *)text->data, text->nbytes, columns, (const char *)rows->data);
    stoa_buffer_free(text);
    stoa_buffer_free(rows);
}

/* Behind all that samples see. */
static void a_first_quote_in_row_20481_is_one(void **state)
{
    struct stoa_buffer text = {0}, rows = {0};

    (void)state;
    append(&text, "n,v\n");
    for (unsigned i = 1; i <= 20480; i++) {
        append(&text, "%u,word\n", i);
        append(&rows, "{\"n\":%u,\"v\":\"word\"}\n", i);
    }
    append(&text, "20481,\"one, two\nthree \"\"four\"\"\"\n20482,end\n");
    append(&rows, "{\"n\":20481,\"v\":\"one, two\\nthree \\\"four\\\"\"}\n");
    append(&rows, "{\"n\":20482,\"v\":\"end\"}\n");
    expect_exact_buffers(&text, &rows, "n int64, v utf8");
}

static void sixty_thousand_columns_come_back(void **state)
{
    enum { NCOLUMNS = 60000, NROWS = 2 };
    struct stoa_buffer text = {0}, rows = {0};

    (void)state;
    for (unsigned i = 0; i < NCOLUMNS; i++)
        append(&text, "c%u%c", i, i + 1 < NCOLUMNS ? ',' : '\n');
    for (unsigned row = 0; row < NROWS; row++) {
        for (unsigned i = 0; i < NCOLUMNS; i++) {
            append(&text, "%u%c", row + i % 7, i + 1 < NCOLUMNS ? ',' : '\n');
            append(&rows, "%s\"c%u\":%u", i == 0 ? "{" : ",", i, row + i % 7);
        }
        append(&rows, "}\n");
    }
    expect_exact_buffers(&text, &rows, NULL);
}

int main(void)
{
#define TEST(f)                                                                                    \
    cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter_memory, stoa_test_folder_leave)
    const struct CMUnitTest tests[] = {
        TEST(texts_stay_exact),
        TEST(a_first_quote_in_row_20481_is_one),
        TEST(sixty_thousand_columns_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
