#include "support/stoa_file.h"

#include <stoa/stats.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "column/schema.h"
#include "file/layout.h"
#include "file/writer.h"
#include "support/gen_source_text.h"
#include "support/gen_table.h"

static void must(enum stoa_status st, const struct stoa_error *err)
{
    if (st == STOA_OK)
        return;
    fprintf(stderr, "a file for a test: %s: %s\n", stoa_status_name(st), err->message);
    abort();
}

/* The writer takes the columns over, so it gets copies. */
static void copy_batch(struct stoa_batch *out, const struct stoa_batch *batch,
                       const struct stoa_schema *schema)
{
    struct stoa_error err;

    must(stoa_batch_init(out, schema, &err), &err);
    out->nrows = batch->nrows;
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        must(stoa_array_slice(&schema->fields[i], &batch->columns[i], 0, batch->nrows,
                              &out->columns[i], &err),
             &err);
}

static void write_group(struct stoa_writer *writer, uint64_t ordinal, struct stoa_batch *batch,
                        const struct stoa_side *side)
{
    struct stoa_writer_group *group;
    struct stoa_side copy = {0};
    struct stoa_error err;

    must(stoa_writer_prepare(writer, ordinal, batch, &group, &err), &err);
    if (side != NULL) {
        stoa_test_side_copy(side, &copy);
        must(stoa_writer_group_set_side(group, &copy, &err), &err);
    }
    must(stoa_writer_sequence(writer, group, &err), &err);
    must(stoa_writer_encode(writer, group, &err), &err);
    must(stoa_writer_commit(writer, group, &err), &err);
}

static void write_file(const struct stoa_schema *schema, const struct stoa_batch *batches,
                       size_t nbatches, const struct stoa_test_source_text *text,
                       const struct stoa_writer_options *options, const struct stoa_rules *rules,
                       struct stoa_test_file *out)
{
    struct stoa_rules usual = stoa_default_rules;
    struct stoa_sink *sink;
    struct stoa_writer *writer;
    struct stoa_error err;
    const uint8_t *bytes;

    usual.footer_pack_nbytes = 0;
    usual.schema_pack_nbytes = 0;
    must(stoa_sink_create_memory(&sink, &err), &err);
    must(stoa_writer_open_rules(sink, schema, options, rules != NULL ? rules : &usual, &writer,
                                &err),
         &err);
    for (size_t i = 0; i < nbatches; i++) {
        struct stoa_batch copy;

        copy_batch(&copy, &batches[i], schema);
        write_group(writer, i, &copy, text->sides != NULL ? &text->sides[i] : NULL);
        stoa_batch_reset(&copy);
    }
    must(stoa_writer_add_sources(writer, text->sources, text->nsources, &err), &err);
    must(stoa_writer_finish(writer, &err), &err);
    must(sink->commit(sink, &err), &err);
    bytes = stoa_sink_memory(sink, &out->nbytes);
    must(stoa_alloc(&out->bytes, out->nbytes, &err), &err);
    memcpy(out->bytes, bytes, out->nbytes);
    stoa_writer_close(writer);
    stoa_sink_close(sink);
}

void stoa_test_file_write_text(const struct stoa_schema *schema, const struct stoa_batch *batches,
                               size_t nbatches, const struct stoa_test_source_text *text,
                               const struct stoa_rules *rules, struct stoa_test_file *out)
{
    write_file(schema, batches, nbatches, text, NULL, rules, out);
}

void stoa_test_file_write_options(const struct stoa_schema *schema,
                                  const struct stoa_batch *batches, size_t nbatches,
                                  const struct stoa_writer_options *options,
                                  const struct stoa_rules *rules, struct stoa_test_file *out)
{
    const struct stoa_test_source_text none = {0};

    write_file(schema, batches, nbatches, &none, options, rules, out);
}

const char **stoa_test_bloom_columns(const struct stoa_schema *schema, uint32_t *n)
{
    const char **names = calloc((size_t)schema->nfields + 1, sizeof(*names));

    if (names == NULL)
        abort();
    *n = 0;
    for (uint32_t i = 0; i < schema->nfields; i++)
        if (stoa_bound_kind(&schema->fields[i].type) != STOA_BOUND_NONE)
            names[(*n)++] = schema->fields[i].name;
    return names;
}

void stoa_test_file_write(const struct stoa_schema *schema, const struct stoa_batch *batches,
                          size_t nbatches, const struct stoa_rules *rules,
                          struct stoa_test_file *out)
{
    const struct stoa_test_source_text none = {0};

    stoa_test_file_write_text(schema, batches, nbatches, &none, rules, out);
}

void stoa_test_file_reset(struct stoa_test_file *file)
{
    stoa_free(file->bytes);
    *file = (struct stoa_test_file){0};
}

void stoa_test_table_make(struct stoa_test_random *random, struct stoa_schema *schema,
                          const size_t *nrows, size_t nbatches, const struct stoa_rules *rules,
                          struct stoa_test_table *out)
{
    struct stoa_error err;

    *out = (struct stoa_test_table){.schema = *schema, .nbatches = nbatches};
    *schema = (struct stoa_schema){0};
    must(stoa_alloc_zeroed(&out->batches, nbatches, sizeof(*out->batches), &err), &err);
    for (size_t i = 0; i < nbatches; i++)
        stoa_test_gen_batch(random, &out->schema, nrows[i], &out->batches[i]);
    stoa_test_file_write(&out->schema, out->batches, nbatches, rules, &out->file);
}

void stoa_test_table_add_text(struct stoa_test_random *random, struct stoa_test_table *table,
                              size_t nsources, const struct stoa_rules *rules)
{
    struct stoa_test_source_text text = {.nsources = nsources};
    struct stoa_error err;
    uint64_t nrows = 0;

    must(stoa_alloc_zeroed(&table->sides, table->nbatches, sizeof(table->sides[0]), &err), &err);
    for (size_t i = 0; i < table->nbatches; i++) {
        stoa_test_gen_side(random, table->schema.nfields, table->batches[i].nrows,
                           &table->sides[i]);
        nrows += table->batches[i].nrows;
    }
    table->sources = stoa_test_gen_sources(random, nsources, nrows);
    table->nsources = nsources;
    text.sides = table->sides;
    text.sources = table->sources;
    stoa_test_file_reset(&table->file);
    stoa_test_file_write_text(&table->schema, table->batches, table->nbatches, &text, rules,
                              &table->file);
}

void stoa_test_table_reset(struct stoa_test_table *table)
{
    for (size_t i = 0; i < table->nbatches; i++) {
        stoa_batch_reset(&table->batches[i]);
        if (table->sides != NULL)
            stoa_side_reset(&table->sides[i]);
    }
    stoa_free(table->sides);
    stoa_source_infos_free(table->sources, table->nsources);
    stoa_free(table->batches);
    stoa_test_file_reset(&table->file);
    stoa_schema_reset(&table->schema);
    *table = (struct stoa_test_table){0};
}

void stoa_test_schema_of_all_types(struct stoa_test_random *random, struct stoa_schema *out)
{
    struct stoa_error err;

    *out = (struct stoa_schema){0};
    for (size_t i = 0; i < STOA_TEST_NTYPES; i++) {
        struct stoa_type type;
        char name[32];

        stoa_test_gen_type(random, stoa_test_types[i], &type);
        (void)snprintf(name, sizeof(name), "c%zu", i);
        must(stoa_schema_add(out, name, &type, true, &err), &err);
        stoa_type_reset(&type);
    }
}

uint8_t *stoa_test_file_section_entry(const struct stoa_test_file *file, unsigned type)
{
    uint8_t *trailer = file->bytes + file->nbytes - STOA_TRAILER_NBYTES;
    uint32_t n = stoa_load32(trailer + 24);

    for (uint32_t i = 1; i <= n; i++)
        if (trailer[-(ptrdiff_t)i * STOA_SECTION_NBYTES] == type)
            return trailer - (size_t)i * STOA_SECTION_NBYTES;
    fprintf(stderr, "a file for a test has no section %u\n", type);
    abort();
}

uint8_t *stoa_test_file_section(const struct stoa_test_file *file, unsigned type)
{
    return file->bytes + stoa_load64(stoa_test_file_section_entry(file, type) + 8);
}

uint8_t *stoa_test_file_column(const struct stoa_test_file *file, uint32_t column)
{
    return stoa_test_file_section(file, STOA_SECTION_COLUMNS) + (size_t)column * STOA_COLUMN_NBYTES;
}

uint8_t *stoa_test_file_group(const struct stoa_test_file *file, uint32_t group)
{
    return stoa_test_file_section(file, STOA_SECTION_ROW_GROUPS) +
           (size_t)group * STOA_ROW_GROUP_NBYTES_ENTRY;
}

uint8_t *stoa_test_file_chunk(const struct stoa_test_file *file, uint32_t group, uint32_t column)
{
    return file->bytes + stoa_load64(stoa_test_file_column(file, column) + 24) +
           (size_t)group * STOA_CHUNK_NBYTES;
}

struct stoa_source *stoa_test_file_source(const struct stoa_test_file *file)
{
    struct stoa_source *source;
    struct stoa_error err;

    must(stoa_source_open_memory(file->bytes, file->nbytes, "test.stoa", &source, &err), &err);
    return source;
}

static enum stoa_status compare_group(const struct stoa_test_table *table,
                                      struct stoa_reader *reader, uint32_t group, bool *equal,
                                      struct stoa_error *err)
{
    const struct stoa_batch *batch = &table->batches[group];
    struct stoa_rows rows = {0, batch->nrows};

    for (uint32_t i = 0; i < table->schema.nfields && *equal; i++) {
        struct stoa_array array = {0};
        enum stoa_status st = stoa_reader_column(reader, group, i, rows, &array, NULL, err);

        if (st != STOA_OK)
            return st;
        *equal = stoa_array_equal(&table->schema.fields[i], &array, &batch->columns[i]);
        stoa_array_reset(&array);
    }
    return STOA_OK;
}

static enum stoa_status compare_text(const struct stoa_test_table *table,
                                     struct stoa_reader *reader, bool *equal,
                                     struct stoa_error *err)
{
    struct stoa_source_info *infos = NULL;
    struct stoa_side side = {0};
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; *equal && table->sides != NULL && i < table->nbatches; i++) {
        STOA_TRY(stoa_reader_side(reader, i, &side, err));
        *equal = stoa_test_side_equal(&side, &table->sides[i]);
        stoa_side_reset(&side);
    }
    *equal = *equal && stoa_reader_nsources(reader) == table->nsources;
    if (!*equal || table->nsources == 0)
        return STOA_OK;
    STOA_TRY(stoa_reader_sources(reader, 0, table->nsources, &infos, err));
    for (size_t i = 0; *equal && i < table->nsources; i++)
        *equal = stoa_test_source_equal(&infos[i], &table->sources[i]);
out:
    stoa_source_infos_free(infos, table->nsources);
    return st;
}

enum stoa_status stoa_test_table_compare(const struct stoa_test_table *table,
                                         struct stoa_reader *reader, bool *equal,
                                         struct stoa_error *err)
{
    const struct stoa_schema *schema;
    enum stoa_status st;

    *equal = false;
    STOA_TRY(stoa_reader_schema(reader, &schema, err));
    *equal = stoa_schema_equal(schema, &table->schema) &&
             stoa_reader_nrow_groups(reader) == table->nbatches;
    for (uint32_t i = 0; *equal && i < table->nbatches; i++) {
        struct stoa_row_group group;

        STOA_TRY(stoa_reader_row_group(reader, i, &group, err));
        *equal = group.nrows == table->batches[i].nrows;
        if (*equal)
            STOA_TRY(compare_group(table, reader, i, equal, err));
    }
    if (*equal)
        STOA_TRY(compare_text(table, reader, equal, err));
out:
    return st;
}

struct stoa_rules stoa_test_small_rules(void)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.chooser_period = 3;
    rules.full_nrows = 100;
    rules.segment_nbytes = 0;
    rules.shared_max_count = 300;
    rules.local_max_count = 200;
    rules.page_min_nbytes = 1;
    rules.page_max_nbytes = 20000;
    rules.presence_gain = 1;
    return rules;
}
