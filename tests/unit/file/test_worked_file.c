/*
 * The file of spec/format.md, section 13: the document shows the bytes that the writer makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "column/builder.h"
#include "file/writer.h"

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s", err->message);
}

/* Four rows: a city that may be null, and a number. */
static void make_table(struct stoa_schema *schema, struct stoa_batch *batch)
{
    static const char *const cities[] = {"Athens", "Athens", NULL, "Delos"};
    static const struct stoa_type text = {.id = STOA_UTF8}, number = {.id = STOA_INT32};
    struct stoa_builder city, population;
    struct stoa_error err = {0};

    check(stoa_schema_add(schema, "city", &text, true, &err), &err);
    check(stoa_schema_add(schema, "n", &number, false, &err), &err);
    check(stoa_metadata_set(&schema->metadata, "by", "hand", &err), &err);
    check(stoa_batch_init(batch, schema, &err), &err);
    check(stoa_builder_init(&city, &text, 4, &err), &err);
    check(stoa_builder_init(&population, &number, 4, &err), &err);
    for (uint32_t i = 0; i < 4; i++) {
        check(stoa_builder_reserve(&city, 1, 16, &err), &err);
        if (cities[i] != NULL)
            stoa_builder_append_bytes(&city, cities[i], strlen(cities[i]));
        else
            stoa_builder_append_null(&city);
        stoa_builder_append_32(&population, 100 + 7 * i * i);
    }
    stoa_builder_finish(&city, &batch->columns[0]);
    stoa_builder_finish(&population, &batch->columns[1]);
    batch->nrows = 4;
}

/* A dictionary does not pay for four rows; here it costs nothing, so that there is one to see. */
static struct stoa_sink *write_file(void)
{
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_writer *writer;
    struct stoa_sink *sink;

    rules.full_nrows = 1;
    rules.amortisation = 1000;
    make_table(&schema, &batch);
    check(stoa_sink_create_memory(&sink, &err), &err);
    check(stoa_writer_open_rules(sink, &schema, NULL, &rules, &writer, &err), &err);
    check(stoa_writer_append(writer, &batch, &err), &err);
    check(stoa_writer_finish(writer, &err), &err);
    stoa_writer_close(writer);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
    return sink;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c != '\0' ? strchr(digits, c) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/*
 * A line of the dump, "00c8  5f 03  what it means": appends its bytes; false for any other line.
 * Bytes end at the first two spaces.
 */
static bool parse_line(const char *line, uint8_t *bytes, size_t *nbytes, size_t room)
{
    size_t offset = 0;

    for (unsigned i = 0; i < 4; i++, line++) {
        if (hex_digit(*line) < 0)
            return false;
        offset = offset * 16 + (size_t)hex_digit(*line);
    }
    if (strncmp(line, "  ", 2) != 0)
        return false;
    if (offset != *nbytes)
        fail_msg("the dump goes on at %04zx, its bytes so far end at %04zx", offset, *nbytes);
    for (line += 2; hex_digit(line[0]) >= 0 && hex_digit(line[1]) >= 0; line += 3) {
        assert_true(*nbytes < room);
        bytes[(*nbytes)++] = (uint8_t)(hex_digit(line[0]) * 16 + hex_digit(line[1]));
        if (line[2] != ' ')
            break;
    }
    return true;
}

static void the_document_shows_the_bytes_of_the_writer(void **state)
{
    (void)state;
    static uint8_t shown[8192];
    size_t nbytes, nshown = 0;
    struct stoa_sink *sink = write_file();
    const uint8_t *bytes = stoa_sink_memory(sink, &nbytes);
    FILE *document = fopen("spec/format.md", "r");
    char line[1024];
    const char *dump = getenv("STOA_WORKED_FILE"); /* to look at it with other programs */

    if (dump != NULL) {
        FILE *out = fopen(dump, "wb");

        assert_non_null(out);
        assert_int_equal(fwrite(bytes, 1, nbytes, out), nbytes);
        fclose(out);
    }
    if (document == NULL)
        fail_msg("run from the top folder: spec/format.md is not here");
    while (fgets(line, sizeof(line), document) != NULL)
        parse_line(line, shown, &nshown, sizeof(shown));
    fclose(document);
    for (size_t i = 0; i < nbytes && i < nshown; i++)
        if (shown[i] != bytes[i])
            fail_msg("byte %04zx: the document has %02x, the writer %02x", i, shown[i], bytes[i]);
    assert_int_equal(nshown, nbytes);
    stoa_sink_close(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_shows_the_bytes_of_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
