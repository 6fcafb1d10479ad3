/*
 * The files of spec/format.md, sections 13, 14 and 15: the document shows the bytes that the writer
 * makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "column/array.h"
#include "column/builder.h"
#include "column/type.h"
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

/* Three rows of a struct of a number and a list: {1, [5, 6]}, null, {3, [7]}. */
static void make_nested(struct stoa_schema *schema, struct stoa_batch *batch)
{
    static const struct stoa_type number = {.id = STOA_INT16}, item = {.id = STOA_INT8};
    static const int32_t offsets[] = {0, 2, 2, 3};
    struct stoa_array *p, *children, *l;
    struct stoa_field *field;
    struct stoa_builder x, items;
    struct stoa_error err = {0};

    check(stoa_alloc_zeroed(&schema->fields, 1, sizeof(schema->fields[0]), &err), &err);
    schema->nfields = 1;
    field = &schema->fields[0];
    check(stoa_strndup(&field->name, "p", 1, &err), &err);
    field->nullable = true;
    check(stoa_field_parse_type(field, "struct<x:int16 not null,l:list<int8>>", &err), &err);
    check(stoa_batch_init(batch, schema, &err), &err);
    batch->nrows = 3;
    check(stoa_alloc_zeroed(&children, 2, sizeof(children[0]), &err), &err);
    check(stoa_builder_init(&x, &number, 3, &err), &err);
    stoa_builder_append_16(&x, 1);
    stoa_builder_append_null(&x);
    stoa_builder_append_16(&x, 3);
    stoa_builder_finish(&x, &children[0]);
    p = &batch->columns[0];
    *p = (struct stoa_array){.nvalues = 3, .nnulls = 1, .children = children, .nchildren = 2};
    check(stoa_array_alloc_buffer(&p->validity, 1, &err), &err);
    p->validity[0] = 5;
    l = &children[1];
    *l = (struct stoa_array){.nvalues = 3, .nnulls = 1, .nchildren = 1};
    check(stoa_array_alloc_buffer(&l->validity, 1, &err), &err);
    l->validity[0] = 5;
    check(stoa_array_alloc_buffer(&l->offsets, sizeof(offsets), &err), &err);
    memcpy(l->offsets, offsets, sizeof(offsets));
    check(stoa_alloc_zeroed(&l->children, 1, sizeof(l->children[0]), &err), &err);
    check(stoa_builder_init(&items, &item, 3, &err), &err);
    stoa_builder_append_8(&items, 5);
    stoa_builder_append_8(&items, 6);
    stoa_builder_append_8(&items, 7);
    stoa_builder_finish(&items, &l->children[0]);
}

static struct stoa_sink *write_file(const struct stoa_rules *rules,
                                    void (*make)(struct stoa_schema *schema,
                                                 struct stoa_batch *batch))
{
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct stoa_writer *writer;
    struct stoa_sink *sink;

    make(&schema, &batch);
    check(stoa_sink_create_memory(&sink, &err), &err);
    check(stoa_writer_open_rules(sink, &schema, NULL, rules, &writer, &err), &err);
    check(stoa_writer_append(writer, &batch, &err), &err);
    check(stoa_writer_finish(writer, &err), &err);
    stoa_writer_close(writer);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
    return sink;
}

/* A dictionary does not pay for four rows; here it costs nothing, so that there is one to see. */
static struct stoa_sink *write_table(void)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.full_nrows = 1;
    rules.amortisation = 1000;
    rules.footer_pack_nbytes = 0;
    return write_file(&rules, make_table);
}

/* Three lengths are too many for a page; numbers are smaller. */
static struct stoa_sink *write_nested(void)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.page_max_nbytes = 1045;
    rules.footer_pack_nbytes = 0;
    return write_file(&rules, make_nested);
}

/* Four numbers; the text of the third follows no form, in front of the fourth there is a line. */
static void make_source_text(struct stoa_schema *schema, struct stoa_batch *batch,
                             struct stoa_side *side)
{
    static const double numbers[] = {0.5, 0.25, 1000, 0.75};
    static const struct stoa_type number = {.id = STOA_FLOAT64}, byte = {.id = STOA_UINT8};
    static const struct stoa_type binary = {.id = STOA_BINARY};
    struct stoa_builder values, forms, raws, gaps;
    struct stoa_error err = {0};

    check(stoa_schema_add(schema, "x", &number, false, &err), &err);
    check(stoa_batch_init(batch, schema, &err), &err);
    check(stoa_builder_init(&values, &number, 4, &err), &err);
    check(stoa_builder_init(&forms, &byte, 4, &err), &err);
    check(stoa_builder_init(&raws, &binary, 4, &err), &err);
    check(stoa_builder_init(&gaps, &binary, 4, &err), &err);
    check(stoa_builder_reserve(&raws, 4, 3, &err), &err);
    check(stoa_builder_reserve(&gaps, 4, 3, &err), &err);
    for (unsigned i = 0; i < 4; i++) {
        stoa_builder_append_fixed(&values, &numbers[i]);
        stoa_builder_append_8(&forms, i == 2 ? 255 : 0);
        if (i == 2)
            stoa_builder_append_bytes(&raws, "1e3", 3);
        else
            stoa_builder_append_null(&raws);
        if (i == 3)
            stoa_builder_append_bytes(&gaps, "#\n", 2);
        else
            stoa_builder_append_null(&gaps);
    }
    stoa_builder_finish(&values, &batch->columns[0]);
    batch->nrows = 4;
    check(stoa_alloc_zeroed(&side->columns, 3, sizeof(side->columns[0]), &err), &err);
    side->nrows = 4;
    side->ncolumns = 3;
    side->columns[0].kind = STOA_SIDE_FORM;
    side->columns[0].rule[0] = 2;
    side->columns[1].kind = STOA_SIDE_RAW;
    side->columns[2].kind = STOA_SIDE_GAP;
    side->columns[2].column = STOA_SIDE_RECORDS;
    stoa_builder_finish(&forms, &side->columns[0].array);
    stoa_builder_finish(&raws, &side->columns[1].array);
    stoa_builder_finish(&gaps, &side->columns[2].array);
}

static struct stoa_sink *write_source_text(void)
{
    static char name[] = "x.csv", options[] = "{}";
    static uint8_t head[] = {'x', '\n'};
    const struct stoa_source_info source = {
        .name = name,
        .nbytes = 22,
        .hash = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad,
                 0xae, 0xaf},
        .nrows = 4,
        .options = options,
        .head = {head, sizeof(head)},
        .flags = STOA_SOURCE_COMPLETE,
    };
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_side side = {0};
    struct stoa_error err = {0};
    struct stoa_writer_group *group;
    struct stoa_writer *writer;
    struct stoa_sink *sink;

    rules.footer_pack_nbytes = 0;
    make_source_text(&schema, &batch, &side);
    check(stoa_sink_create_memory(&sink, &err), &err);
    check(stoa_writer_open_rules(sink, &schema, NULL, &rules, &writer, &err), &err);
    check(stoa_writer_prepare(writer, 0, &batch, &group, &err), &err);
    check(stoa_writer_group_set_side(group, &side, &err), &err);
    check(stoa_writer_sequence(writer, group, &err), &err);
    check(stoa_writer_encode(writer, group, &err), &err);
    check(stoa_writer_commit(writer, group, &err), &err);
    check(stoa_writer_add_sources(writer, &source, 1, &err), &err);
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
 * A line of the dump, "00c8  5f 03  what it means": its offset and bytes; 0 for any other line.
 * Bytes end at the first two spaces.
 */
static size_t parse_line(const char *line, size_t *offset, uint8_t bytes[64])
{
    size_t nbytes = 0;

    *offset = 0;
    for (unsigned i = 0; i < 4; i++, line++) {
        if (hex_digit(*line) < 0)
            return 0;
        *offset = *offset * 16 + (size_t)hex_digit(*line);
    }
    if (strncmp(line, "  ", 2) != 0)
        return 0;
    for (line += 2; hex_digit(line[0]) >= 0 && hex_digit(line[1]) >= 0; line += 3) {
        assert_true(nbytes < 64);
        bytes[nbytes++] = (uint8_t)(hex_digit(line[0]) * 16 + hex_digit(line[1]));
        if (line[2] != ' ')
            break;
    }
    return nbytes;
}

/* Lets other programs look at a file. */
static void dump(const char *variable, const uint8_t *bytes, size_t nbytes)
{
    const char *path = getenv(variable);
    FILE *out;

    if (path == NULL)
        return;
    out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, nbytes, out), nbytes);
    fclose(out);
}

/* Compares the dump in a section of the document; returns how many bytes it shows. */
static size_t compare(const char *section, const uint8_t *bytes, size_t nbytes, bool whole)
{
    FILE *document = fopen("spec/format.md", "r");
    bool inside = false;
    size_t nshown = 0;
    char line[1024];

    if (document == NULL)
        fail_msg("run from the top folder: spec/format.md is not here");
    while (fgets(line, sizeof(line), document) != NULL) {
        uint8_t shown[64];
        size_t offset, n;

        if (strncmp(line, "## ", 3) == 0)
            inside = strncmp(line + 3, section, strlen(section)) == 0;
        n = inside ? parse_line(line, &offset, shown) : 0;
        if (n == 0)
            continue;
        if (whole && offset != nshown)
            fail_msg("the dump goes on at %04zx, its bytes so far end at %04zx", offset, nshown);
        for (size_t i = 0; i < n; i++)
            if (offset + i >= nbytes || shown[i] != bytes[offset + i])
                fail_msg("section %s byte %04zx: the document has %02x, the writer %02x", section,
                         offset + i, shown[i], offset + i < nbytes ? bytes[offset + i] : 0);
        nshown += n;
    }
    fclose(document);
    return nshown;
}

static void the_document_shows_the_bytes_of_the_writer(void **state)
{
    (void)state;
    struct stoa_sink *sink = write_table();
    size_t nbytes;
    const uint8_t *bytes = stoa_sink_memory(sink, &nbytes);

    dump("STOA_WORKED_FILE", bytes, nbytes);
    assert_int_equal(compare("13.", bytes, nbytes, true), nbytes);
    stoa_sink_close(sink);
}

static void the_document_shows_the_bytes_of_nested_columns(void **state)
{
    (void)state;
    struct stoa_sink *sink = write_nested();
    size_t nbytes;
    const uint8_t *bytes = stoa_sink_memory(sink, &nbytes);

    dump("STOA_WORKED_NESTED", bytes, nbytes);
    assert_true(compare("14.", bytes, nbytes, false) > 600);
    stoa_sink_close(sink);
}

static void the_document_shows_the_bytes_of_source_text(void **state)
{
    (void)state;
    struct stoa_sink *sink = write_source_text();
    size_t nbytes;
    const uint8_t *bytes = stoa_sink_memory(sink, &nbytes);

    dump("STOA_WORKED_TEXT", bytes, nbytes);
    assert_true(compare("15.", bytes, nbytes, false) > 500);
    stoa_sink_close(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_shows_the_bytes_of_the_writer),
        cmocka_unit_test(the_document_shows_the_bytes_of_nested_columns),
        cmocka_unit_test(the_document_shows_the_bytes_of_source_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
