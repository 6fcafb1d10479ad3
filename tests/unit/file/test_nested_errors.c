/*
 * Nested columns that lie: every number that a hostile file may say of them, with hashes that are
 * right; batches that are not what they say; failing memory (spec/format.md, "Nested columns").
 */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "column/schema.h"
#include "column/type.h"
#include "file/layout.h"
#include "file/writer.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Nodes: 0 p, 1 p.x, 2 p.l, 3 p.l.item, 4 f, 5 f.item, 6 q, 7 q.item, 8 q.item.y. */
static const char *const types[] = {
    "struct<x:int16 not null,l:list<int8>>",
    "fixed_list<int32 not null,3>",
    "list<struct<y:utf8 not null>>",
};
static const char *const names[] = {"p", "f", "q"};

static void make_schema(struct stoa_schema *schema)
{
    struct stoa_error err;

    *schema = (struct stoa_schema){.nfields = LENGTH_OF(types)};
    stoa_test_check(
        stoa_alloc_zeroed(&schema->fields, LENGTH_OF(types), sizeof(schema->fields[0]), &err),
        &err);
    for (size_t i = 0; i < LENGTH_OF(types); i++) {
        struct stoa_field *field = &schema->fields[i];

        field->nullable = true;
        stoa_test_check(stoa_strndup(&field->name, names[i], 1, &err), &err);
        stoa_test_check(stoa_field_parse_type(field, types[i], &err), &err);
    }
}

/* Two row groups of pages of few values; nulls everywhere. */
static void make_table(struct stoa_test_table *table)
{
    static const size_t nrows[] = {200, 90};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_test_random random;
    struct stoa_error err;

    *table = (struct stoa_test_table){.nbatches = LENGTH_OF(nrows)};
    rules.footer_pack_nbytes = 0; /* its structures are changed in place */
    rules.page_max_nbytes = 1024 + 300;
    rules.page_min_nbytes = 16;
    make_schema(&table->schema);
    stoa_test_random_seed(&random, 77);
    stoa_test_check(
        stoa_alloc_zeroed(&table->batches, table->nbatches, sizeof(table->batches[0]), &err), &err);
    for (size_t g = 0; g < table->nbatches; g++) {
        struct stoa_batch *batch = &table->batches[g];

        stoa_test_check(stoa_batch_init(batch, &table->schema, &err), &err);
        batch->nrows = nrows[g];
        for (uint32_t c = 0; c < batch->ncolumns; c++)
            stoa_test_gen_array(&random, &table->schema.fields[c], nrows[g], STOA_TEST_SMALL_RANGE,
                                STOA_TEST_NULLS_SOME, &batch->columns[c]);
    }
    stoa_test_file_write(&table->schema, table->batches, table->nbatches, &rules, &table->file);
}

/* ---- Files that lie ---- */

static enum stoa_status read_all(const struct stoa_test_file *file, struct stoa_error *err)
{
    struct stoa_reader_options options = {.memory_nbytes = 16 << 20};
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_reader *reader = NULL;
    struct stoa_zone zone;
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(source, &options, &reader, err));
    for (uint32_t c = 0; c < stoa_reader_ncolumns(reader); c++) {
        for (uint32_t g = 0; g < stoa_reader_nrow_groups(reader); g++) {
            struct stoa_row_group group;
            struct stoa_array array = {0};

            STOA_TRY(stoa_reader_row_group(reader, g, &group, err));
            STOA_TRY(stoa_reader_column(reader, g, c, (struct stoa_rows){0, group.nrows}, &array,
                                        NULL, err));
            stoa_array_reset(&array);
        }
    }
    for (uint32_t n = 0; n < stoa_reader_nnodes(reader); n++)
        STOA_TRY(stoa_reader_zone(reader, n, UINT32_MAX, UINT32_MAX, &zone, err));
out:
    stoa_reader_close(reader);
    stoa_source_close(source);
    return st;
}

static uint64_t count_findings(const struct stoa_test_file *file)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_verify_options options = {.deep = true};
    struct stoa_verify_result result;
    struct stoa_error err = {0};

    stoa_test_check(stoa_verify(source, &options, &result, &err), &err);
    stoa_source_close(source);
    return result.nfindings;
}

/* A lie: `nbytes` bytes from `at` of a structure become `value`; `add`: are raised by it. */
enum place { NODE, CHUNK, HEAD, STATS, TRAILER, DIRECTORY };
struct lie {
    enum place place;
    uint32_t node;
    uint32_t group;
    unsigned at, nbytes;
    uint64_t value;
    bool add;
    const char *message; /* `*` stands for what depends on the values */
};

/* The last 8 bytes of a statistics entry: n_values. Row group g is entry 1 + g. */
enum { N_VALUES = 0 };

/* clang-format off */
static const struct lie lies[] = {
    {TRAILER, 0, 0, 28, 4, 0, false, "column p: a tree in a file without nested columns"},
    {NODE, 1, 0, 8, 4, STOA_NONE32, false, "schema: node 1: parent 4294967295, must be 0"},
    {NODE, 3, 0, 8, 4, 0, false, "schema: node 3: parent 0, must be 2"},
    {NODE, 0, 0, 12, 4, 1, false, "schema: node 2: parent 0, must be 4294967295"},
    {NODE, 0, 0, 12, 4, 3, false, "schema: node 4: parent 4294967295, must be 0"},
    {NODE, 2, 0, 12, 4, 2, false, "schema: node 2: 2 children of type list"},
    {NODE, 2, 0, 12, 4, 1000, false, "schema: node 2: 1000 children, 6 nodes follow"},
    {NODE, 7, 0, 12, 4, 2, false, "schema: node 7: 2 children, 1 nodes follow"},
    {NODE, 8, 0, 6, 1, STOA_LIST, false, "schema: node 8: 0 children of type list"},

    {CHUNK, 0, 0, 31, 1, STOA_CHUNK_ALL_VALID, false,
     "column p: chunk entries: row group 0: chunk: ALL_VALID beside bytes or other flags"},
    {CHUNK, 0, 0, 29, 1, STOA_PHYS_U32, false,
     "column p: chunk entries: row group 0: physical type u32 in a column of none"},
    {CHUNK, 2, 0, 29, 1, STOA_PHYS_NONE, false,
     "column p.l: chunk entries: row group 0: physical type none in a column of u32"},
    {CHUNK, 5, 0, 12, 4, 0, false, "row group 0: column f.item: page *: * null values where none may be"},
    {CHUNK, 3, 0, 12, 4, 1 << 20, false,
     "column p.l.item: chunk entries: row group 0: 1048576 nulls in * values"},
    {CHUNK, 8, 1, 12, 4, 1, true, "row group 1: column q.item.y: * nulls, the footer says *"},
    {CHUNK, 7, 0, 12, 4, 1, true,
     "column q.item: chunk entries: row group 0: chunk: ALL_VALID beside values or nulls"},

    {HEAD, 2, 0, 24 + 16, 4, 1, true,
     "row group 0: column p.l: page *: begins at child value *, the lists before it end at *"},
    {HEAD, 2, 0, 16, 4, 1, false,
     "row group 0: column p.l: head of the chunk: page 0 of * begins at child value 1, "
     "the one before at 0"},
    {HEAD, 2, 0, 48 + 16, 4, 0, false,
     "row group 0: column p.l: head of the chunk: page 2 of * begins at child value 0, "
     "the one before at *"},
    {HEAD, 6, 0, 24 + 20, 4, 7, false,
     "row group 0: column q: head of the chunk: page table: byte 20 is 7, must be 0"},

    {STATS, 3, 0, N_VALUES, 8, 1, true,
     "row group 0: column p.l: lists of * values together, the child has *"},
    {STATS, 3, 0, N_VALUES, 8, (uint64_t)-1, true,
     "row group 0: column p.l: page *: a list of * values where its child has * left"},
    {STATS, 3, 1, N_VALUES, 8, UINT64_C(1) << 31, false,
     "column p.l.item: chunk entries: row group 1: statistics: 2147483648 values"},
    {STATS, 3, 0, N_VALUES, 8, 0, false,
     "row group 0: column p.l: page 0: a list of * values where its child has 0 left"},
    {STATS, 5, 0, N_VALUES, 8, 1, true,
     "column f.item: chunk entries: row group 0: 601 values, its parent asks for 600"},
    {STATS, 8, 1, N_VALUES, 8, 1, true,
     "column q.item.y: chunk entries: row group 1: * values, its parent asks for *"},
    {STATS, 8, UINT32_MAX, N_VALUES, 8, UINT64_MAX, false, "column q.item.y: statistics: *"},
};
/* clang-format on */

/* Where the lie goes; NULL: there is no such place. */
static uint8_t *place_of(const struct stoa_test_file *file, const struct lie *lie)
{
    uint8_t *column = stoa_test_file_column(file, lie->node);
    const uint8_t *chunk =
        stoa_test_file_chunk(file, lie->group != UINT32_MAX ? lie->group : 0, lie->node);
    uint16_t stride = stoa_load16(column + 56);
    uint32_t entry = lie->group == UINT32_MAX ? 0 : 1 + lie->group;

    switch (lie->place) {
    case NODE:
        return column + lie->at;
    case CHUNK:
        return file->bytes + (chunk - file->bytes) + lie->at;
    case HEAD:
        return file->bytes + stoa_load64(chunk) + lie->at;
    case STATS:
        return file->bytes + stoa_load64(column + 40) + (size_t)(entry + 1) * stride - 8;
    case TRAILER:
        return file->bytes + file->nbytes - STOA_TRAILER_NBYTES + lie->at;
    case DIRECTORY:
        return file->bytes + stoa_load64(stoa_test_file_group(file, lie->group)) +
               STOA_OBJECT_NBYTES + (size_t)lie->node * STOA_RG_ENTRY_NBYTES + lie->at;
    }
    return NULL;
}

static void tell(const struct stoa_test_file *file, const struct lie *lie)
{
    uint8_t *bytes = place_of(file, lie);
    uint64_t value = lie->value;

    if (lie->add) {
        value = 0;
        for (unsigned k = 0; k < lie->nbytes; k++)
            value |= (uint64_t)bytes[k] << (8 * k);
        value += lie->value;
    }
    for (unsigned k = 0; k < lie->nbytes; k++)
        bytes[k] = (uint8_t)(value >> (8 * k));
    stoa_test_rehash(file->bytes, file->nbytes);
}

static void lies_with_right_hashes_are_refused(void **state)
{
    struct stoa_test_table table;
    uint8_t *intact = NULL;
    struct stoa_error err;

    (void)state;
    make_table(&table);
    stoa_test_check(stoa_alloc(&intact, table.file.nbytes, &err), &err);
    memcpy(intact, table.file.bytes, table.file.nbytes);
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    assert_memory_equal(intact, table.file.bytes, table.file.nbytes);
    assert_int_equal(read_all(&table.file, &err), STOA_OK);
    for (size_t i = 0; i < LENGTH_OF(lies); i++) {
        enum stoa_status st;

        memcpy(table.file.bytes, intact, table.file.nbytes);
        tell(&table.file, &lies[i]);
        err = (struct stoa_error){0};
        st = read_all(&table.file, &err);
        if (st != STOA_ERR_CORRUPT || fnmatch(lies[i].message, err.message, 0) != 0)
            fail_msg("lie %zu: %s (%s), expected: %s", i, stoa_status_name(st), err.message,
                     lies[i].message);
        if (count_findings(&table.file) == 0)
            fail_msg("lie %zu is not found by verify", i);
    }
    stoa_free(intact);
    stoa_test_table_reset(&table);
}

/* The directory's number of values is not for readers; verify holds it against all. */
static void verify_compares_numbers_of_values(void **state)
{
    static const struct lie directory = {DIRECTORY, 3, 0, 12, 4, 1, true, NULL};
    struct stoa_test_table table;

    (void)state;
    make_table(&table);
    assert_int_equal(count_findings(&table.file), 0);
    tell(&table.file, &directory);
    assert_true(count_findings(&table.file) > 0);
    stoa_test_table_reset(&table);
}

/* Whoever walks the file without its footer learns from the header what he must know. */
static void verify_asks_for_the_feature_of_row_groups(void **state)
{
    struct stoa_test_table table;
    uint8_t *header;

    (void)state;
    make_table(&table);
    header = table.file.bytes + stoa_load64(stoa_test_file_group(&table.file, 1));
    assert_int_equal(stoa_load32(header + 12), STOA_FEATURE_NESTED);
    stoa_store32(header + 12, 0);
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    assert_int_equal(count_findings(&table.file), 1);
    stoa_test_table_reset(&table);
}

/* ---- Batches that are not what they say ---- */

/* Makes the array of node `node` of the first batch wrong. */
static void lose_null_of_child(struct stoa_batch *batch)
{
    struct stoa_array *p = &batch->columns[0], *x = &p->children[0];

    for (size_t i = 0; i < p->nvalues; i++) {
        if (!stoa_array_is_null(p, i))
            continue;
        x->validity[i / 8] = (uint8_t)(x->validity[i / 8] | 1 << i % 8);
        x->nnulls--;
        return;
    }
}

static void add_null_to_child(struct stoa_batch *batch)
{
    struct stoa_array *x = &batch->columns[0].children[0];

    for (size_t i = 0; i < x->nvalues; i++) {
        if (stoa_array_is_null(x, i))
            continue;
        x->validity[i / 8] = (uint8_t)(x->validity[i / 8] & ~(1 << i % 8));
        x->nnulls++;
        return;
    }
}

static void shorten_child(struct stoa_batch *batch)
{
    batch->columns[1].children[0].nvalues--;
}

static void shorten_items(struct stoa_batch *batch)
{
    batch->columns[2].children[0].nvalues--;
}

static void drop_children(struct stoa_batch *batch)
{
    struct stoa_array *p = &batch->columns[0];

    for (uint32_t i = 0; i < p->nchildren; i++)
        stoa_array_reset(&p->children[i]);
    p->nchildren = 0;
}

static void drop_offsets(struct stoa_batch *batch)
{
    stoa_free(batch->columns[2].offsets);
    batch->columns[2].offsets = NULL;
}

static void fill_null_list(struct stoa_batch *batch)
{
    struct stoa_array *l = &batch->columns[0].children[1];

    for (size_t i = 0; i < l->nvalues; i++) {
        if (stoa_array_is_null(l, i) || l->offsets[i + 1] == l->offsets[i])
            continue;
        l->validity[i / 8] = (uint8_t)(l->validity[i / 8] & ~(1 << i % 8));
        l->nnulls++;
        return;
    }
}

static void batches_that_lie_are_refused(void **state)
{
    static const struct {
        void (*spoil)(struct stoa_batch *batch);
        enum stoa_status status;
        const char *message;
    } cases[] = {
        {lose_null_of_child, STOA_ERR_DATA,
         "column p.x: its nulls are not those of the values that it is part of"},
        {add_null_to_child, STOA_ERR_DATA,
         "column p.x: its nulls are not those of the values that it is part of"},
        {shorten_child, STOA_ERR_USAGE, "column f.item: 599 values in a batch of 600"},
        {shorten_items, STOA_ERR_USAGE, "column q.item: * values in a batch of *"},
        {drop_children, STOA_ERR_USAGE, "column p: 0 children, the schema has 2"},
        {drop_offsets, STOA_ERR_USAGE, "column q: no values"},
        {fill_null_list, STOA_ERR_DATA, "column p.l: a null list that has values"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct stoa_writer_group *group = NULL;
        struct stoa_test_table table;
        struct stoa_writer *writer;
        struct stoa_sink *sink;
        struct stoa_error err = {0};
        enum stoa_status st;

        make_table(&table);
        cases[i].spoil(&table.batches[0]);
        stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
        stoa_test_check(stoa_writer_open(sink, &table.schema, NULL, &writer, &err), &err);
        st = stoa_writer_prepare(writer, 0, &table.batches[0], &group, &err);
        if (st != cases[i].status || fnmatch(cases[i].message, err.message, 0) != 0)
            fail_msg("case %zu: %s (%s), expected: %s", i, stoa_status_name(st), err.message,
                     cases[i].message);
        stoa_writer_close(writer);
        stoa_sink_close(sink);
        stoa_test_table_reset(&table);
    }
}

/* ---- Long texts ---- */

/* A text that is too long for a page beside others makes its row a row group, at any depth. */
static void a_long_text_in_a_list_stands_alone(void **state)
{
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_batch batch, back = {0};
    struct stoa_writer *writer;
    struct stoa_sink *sink;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    struct stoa_array *q, *y;
    size_t nbytes;
    const uint8_t *bytes;

    (void)state;
    rules.page_max_nbytes = 5000;
    make_schema(&schema);
    stoa_test_check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = 7;
    for (uint32_t c = 0; c < 2; c++) { /* nulls */
        struct stoa_test_random random;

        stoa_test_random_seed(&random, c);
        stoa_test_gen_array(&random, &schema.fields[c], 7, STOA_TEST_CONSTANT, STOA_TEST_NULLS_ALL,
                            &batch.columns[c]);
    }
    q = &batch.columns[2]; /* one text a row; the fifth is long */
    *q = (struct stoa_array){.nvalues = 7, .nchildren = 1};
    stoa_test_check(stoa_alloc_zeroed(&q->offsets, 8 + 16, sizeof(int32_t), &err), &err);
    stoa_test_check(stoa_alloc_zeroed(&q->children, 1, sizeof(*q), &err), &err);
    q->children[0] = (struct stoa_array){.nvalues = 7, .nchildren = 1};
    stoa_test_check(stoa_alloc_zeroed(&q->children[0].children, 1, sizeof(*q), &err), &err);
    y = &q->children[0].children[0];
    y->nvalues = 7;
    stoa_test_check(stoa_alloc_zeroed(&y->offsets, 8 + 16, sizeof(int32_t), &err), &err);
    stoa_test_check(stoa_alloc_zeroed(&y->values, 9000 + 64, 1, &err), &err);
    memset(y->values, 'a', 9000);
    for (int32_t i = 0; i <= 7; i++) {
        q->offsets[i] = i;
        y->offsets[i] = i <= 4 ? i : 8000 + i;
    }

    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    stoa_test_check(stoa_writer_open_rules(sink, &schema, NULL, &rules, &writer, &err), &err);
    stoa_test_check(stoa_writer_append(writer, &batch, &err), &err);
    stoa_test_check(stoa_writer_finish(writer, &err), &err);
    bytes = stoa_sink_memory(sink, &nbytes);
    stoa_test_check(stoa_source_open_memory(bytes, nbytes, "long", &source, &err), &err);
    stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
    assert_int_equal(stoa_reader_nrow_groups(reader), 3);
    for (uint32_t g = 0; g < 3; g++) {
        static const size_t begins[] = {0, 4, 5, 7};
        size_t n = begins[g + 1] - begins[g];
        struct stoa_array array, part;

        stoa_test_check(
            stoa_reader_column(reader, g, 2, (struct stoa_rows){0, n}, &array, NULL, &err), &err);
        stoa_test_check(
            stoa_array_slice(&schema.fields[2], q, begins[g], begins[g + 1], &part, &err), &err);
        assert_true(stoa_array_equal(&schema.fields[2], &array, &part));
        stoa_array_reset(&array);
        stoa_array_reset(&part);
    }
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_batch_reset(&batch);
    stoa_batch_reset(&back);
    stoa_schema_reset(&schema);
}

/* ---- Failing memory ---- */

static enum stoa_status writes(void *context, struct stoa_error *err)
{
    const struct stoa_test_table *table = context;
    struct stoa_writer *writer = NULL;
    struct stoa_sink *sink = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_memory(&sink, err));
    STOA_TRY(stoa_writer_open(sink, &table->schema, NULL, &writer, err));
    for (size_t g = 0; g < table->nbatches; g++)
        STOA_TRY(stoa_writer_append(writer, &table->batches[g], err));
    STOA_TRY(stoa_writer_finish(writer, err));
out:
    stoa_writer_close(writer);
    if (sink != NULL)
        stoa_sink_close(sink);
    return st;
}

static enum stoa_status reads(void *context, struct stoa_error *err)
{
    const struct stoa_test_table *table = context;
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    bool equal;
    enum stoa_status st;

    STOA_TRY(stoa_source_open_memory(table->file.bytes, table->file.nbytes, "test", &source, err));
    STOA_TRY(stoa_reader_open(source, NULL, &reader, err));
    STOA_TRY(stoa_test_table_compare(table, reader, &equal, err));
    assert_true(equal);
out:
    stoa_reader_close(reader);
    if (source != NULL)
        stoa_source_close(source);
    return st;
}

static enum stoa_status verifies(void *context, struct stoa_error *err)
{
    const struct stoa_test_table *table = context;
    struct stoa_verify_options options = {.deep = true};
    struct stoa_verify_result result;
    struct stoa_source *source = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_source_open_memory(table->file.bytes, table->file.nbytes, "test", &source, err));
    STOA_TRY(stoa_verify(source, &options, &result, err));
    assert_int_equal(result.nfindings, 0);
out:
    if (source != NULL)
        stoa_source_close(source);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    struct stoa_test_table table;

    (void)state;
    make_table(&table);
    stoa_test_each_failing_alloc(writes, &table);
    stoa_test_each_failing_alloc(reads, &table);
    stoa_test_each_failing_alloc(verifies, &table);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_with_right_hashes_are_refused),
        cmocka_unit_test(verify_compares_numbers_of_values),
        cmocka_unit_test(verify_asks_for_the_feature_of_row_groups),
        cmocka_unit_test(batches_that_lie_are_refused),
        cmocka_unit_test(a_long_text_in_a_list_stands_alone),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
