/*
 * What a file may claim of its sources: none of it is believed, and each error names the file and
 * what is wrong in it.
 */
#include <stoa/restore.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "column/schema.h"
#include "support/folder.h"
#include "support/stoa_file.h"

static const char text[] = "2024-01-31\n";

/* A file of one day, and what it says of the text. */
struct claim {
    const char *options;
    const char *format; /* of the column */
    uint8_t rule[STOA_SIDE_RULE_NBYTES];
    uint8_t byte;  /* of the value; 0: none */
    size_t nbytes; /* of the text, 0: what it has */
    bool bad_hash;
    enum stoa_status status;
    const char *message;
};

static void write_file(const struct claim *claim)
{
    int32_t day = 19753;
    uint8_t byte[64] = {claim->byte};
    char name[] = "x", source_name[] = "a.csv", options[128];
    struct stoa_field field = {.name = name, .type.id = STOA_DATE32, .nullable = true};
    const struct stoa_schema schema = {.fields = &field, .nfields = 1};
    uint8_t values[64];
    struct stoa_array array = {.nvalues = 1, .values = values};
    const struct stoa_batch batch = {
        .schema = &schema, .nrows = 1, .columns = &array, .ncolumns = 1};
    struct stoa_side_column column = {.kind = STOA_SIDE_FORM};
    const struct stoa_side side = {.columns = &column, .ncolumns = 1, .nrows = 1};
    struct stoa_source_info source = {
        .name = source_name,
        .nbytes = claim->nbytes != 0 ? claim->nbytes : sizeof(text) - 1,
        .nrows = 1,
        .options = options,
        .flags = STOA_SOURCE_COMPLETE,
    };
    const struct stoa_test_source_text kept = {.sides = &side, .sources = &source, .nsources = 1};
    struct stoa_hash128_stream *hash;
    struct stoa_test_file file;

    memcpy(values, &day, sizeof(day));
    memcpy(column.rule, claim->rule, sizeof(column.rule));
    if (claim->byte != 0)
        column.array = (struct stoa_array){.nvalues = 1, .values = byte};
    if (claim->format != NULL)
        assert_int_equal(stoa_metadata_set(&field.metadata, "csv_format", claim->format, NULL),
                         STOA_OK);
    snprintf(options, sizeof(options), "%s", claim->options);
    assert_int_equal(stoa_hash128_stream_new(&hash, NULL), STOA_OK);
    stoa_hash128_stream_update(hash, text, sizeof(text) - 1);
    stoa_hash128_stream_digest(hash, source.hash);
    stoa_hash128_stream_free(hash);
    source.hash[0] ^= claim->bad_hash;
    stoa_test_file_write_text(&schema, &batch, 1, &kept, NULL, &file);
    stoa_test_folder_put("a.stoa", file.bytes, file.nbytes);
    stoa_test_file_reset(&file);
    stoa_metadata_reset(&field.metadata);
}

static void what_a_file_claims_is_checked(void **state)
{
    (void)state;
#define SOURCE "a.stoa: source a.csv: "
    static const struct claim claims[] = {
        {.options = "{}", .status = STOA_OK},
        {.options = "{\"encoding\":\"UTF-8\"}", .status = STOA_OK},
        /* Neither is the caller's mistake. */
        {.options = "{\"encoding\":\"UTF-17\"}",
         .status = STOA_ERR_UNSUPPORTED,
         .message = SOURCE "the encoding \"UTF-17\" is not known here (`iconv -l` lists those that "
                           "are)"},
        {.options = "{}",
         .format = "%H",
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "column \"x\": pattern \"%H\" is not one for date32"},
        {.options = "[]",
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "options of a source: no JSON object"},
        {.options = "{\"delimiter\":\"ab\"}",
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "options of a source: bad \"delimiter\""},
        {.options = "{\"columns\":[1]}",
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "options of a source: column 1, of 1"},
        {.options = "{\"columns\":[0,0]}",
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "options of a source: 2 columns, of 1"},
        {.options = "{}",
         .rule = {0, 0, 0, 0, 0, 12},
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "side table: column 0 of kind 1 does not fit"},
        {.options = "{}",
         .byte = 255,
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "the text of a value is missing"},
        {.options = "{}",
         .byte = 127,
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "is not what was read: 13 bytes came out of 11"},
        {.options = "{}",
         .nbytes = 12,
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "is not what was read: 11 bytes came out of 12"},
        {.options = "{}",
         .bad_hash = true,
         .status = STOA_ERR_CORRUPT,
         .message = SOURCE "is not what was read: the hash is another one"},
    };
#undef SOURCE

    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        const struct stoa_restore_options options = {.path = "a.stoa", .jobs = 1};
        struct stoa_error err = {0};

        write_file(&claims[i]);
        assert_int_equal(stoa_restore(&options, NULL, &err), claims[i].status);
        if (claims[i].message != NULL)
            assert_string_equal(err.message, claims[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_file_claims_is_checked,
                                        stoa_test_folder_enter_memory, stoa_test_folder_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
