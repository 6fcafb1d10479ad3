/*
 * Source text in files: side tables and sources come back as they went in, cost little, and cost a
 * file without them nothing.
 */
#include <stoa/source_text.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/recover.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "column/builder.h"
#include "file/layout.h"
#include "file/side_write.h"
#include "file/sources_read.h"
#include "file/writer.h"
#include "support/fault_alloc.h"
#include "support/gen_source_text.h"
#include "support/gen_table.h"
#include "support/random.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s", err->message);
}

/* ---- Round trips ---- */

static void read_back(const struct stoa_test_table *table)
{
    struct stoa_source *source = stoa_test_file_source(&table->file);
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    bool equal;

    check(stoa_reader_open(source, NULL, &reader, &err), &err);
    check(stoa_test_table_compare(table, reader, &equal, &err), &err);
    assert_true(equal);
    stoa_reader_close(reader);
    stoa_source_close(source);
}

static void make_table(struct stoa_test_random *random, size_t nsources,
                       const struct stoa_rules *rules, struct stoa_test_table *table)
{
    struct stoa_schema schema = {0};
    size_t nrows[3], nbatches = 1 + (size_t)stoa_test_random_below(random, 3);
    uint32_t ncolumns = (uint32_t)stoa_test_random_below(random, 5) + 1;

    for (size_t i = 0; i < nbatches; i++)
        nrows[i] = 1 + (size_t)stoa_test_random_below(
                           random, stoa_test_random_one_in(random, 8) ? 40000 : 300);
    stoa_test_gen_schema(random, ncolumns, &schema);
    stoa_test_table_make(random, &schema, nrows, nbatches, rules, table);
    stoa_test_table_add_text(random, table, nsources, rules);
}

static void source_text_comes_back(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "source_text_comes_back");
    for (size_t n = stoa_test_ncases(150); n > 0; n--) {
        struct stoa_rules rules = stoa_default_rules;
        struct stoa_test_table table;

        if (stoa_test_random_one_in(&random, 2))
            rules.footer_pack_nbytes = 0;
        if (stoa_test_random_one_in(&random, 4))
            rules.footer_max_nbytes = 100; /* nearly all of the footer in a temporary file */
        make_table(&random, (size_t)stoa_test_random_below(&random, 5), &rules, &table);
        read_back(&table);
        stoa_test_table_reset(&table);
    }
}

/* ---- Damage ---- */

static void count_finding(void *context, const struct stoa_error *finding)
{
    assert_true(finding->message[0] != '\0');
    ++*(size_t *)context;
}

static size_t count_findings(const struct stoa_test_file *file, bool deep)
{
    size_t n = 0;
    struct stoa_verify_options options = {.deep = deep, .report = count_finding, .context = &n};
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_verify_result result;
    struct stoa_error err = {0};

    check(stoa_verify(source, &options, &result, &err), &err);
    stoa_source_close(source);
    return n;
}

static void verify_finds_every_flipped_bit(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "verify_finds_every_flipped_bit");
    for (size_t n = stoa_test_ncases(12); n > 0; n--) {
        struct stoa_rules rules = stoa_default_rules;
        struct stoa_test_table table;

        if (n % 2 == 0)
            rules.footer_pack_nbytes = 0;
        make_table(&random, 3, &rules, &table);
        assert_int_equal(count_findings(&table.file, false), 0);
        assert_int_equal(count_findings(&table.file, true), 0);
        for (unsigned k = 0; k < 200; k++) {
            size_t bit = (size_t)stoa_test_random_below(&random, table.file.nbytes * 8);

            table.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (count_findings(&table.file, false) == 0)
                fail_msg("bit %zu of %zu bytes", bit, table.file.nbytes);
            table.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        stoa_test_table_reset(&table);
    }
}

/* Fuzzers get behind the hashes by this. */
static void hashing_anew_changes_nothing(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "hashing_anew_changes_nothing");
    for (size_t n = stoa_test_ncases(10); n > 0; n--) {
        struct stoa_rules rules = stoa_default_rules;
        struct stoa_test_table table;
        uint8_t *copy;
        struct stoa_error err = {0};

        if (n % 2 != 0) /* else most are packed */
            rules.footer_pack_nbytes = 0;
        make_table(&random, 3, &rules, &table);
        check(stoa_alloc(&copy, table.file.nbytes, &err), &err);
        memcpy(copy, table.file.bytes, table.file.nbytes);
        stoa_test_rehash(copy, table.file.nbytes);
        assert_memory_equal(copy, table.file.bytes, table.file.nbytes);
        stoa_free(copy);
        stoa_test_table_reset(&table);
    }
}

/* ---- Recovering ---- */

static void recover(const struct stoa_test_file *file, struct stoa_test_file *out,
                    struct stoa_recover_result *result)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_sink *sink;
    struct stoa_error err = {0};
    const uint8_t *bytes;

    check(stoa_sink_create_memory(&sink, &err), &err);
    check(stoa_recover(source, sink, NULL, result, &err), &err);
    check(sink->commit(sink, &err), &err);
    bytes = stoa_sink_memory(sink, &out->nbytes);
    check(stoa_alloc(&out->bytes, out->nbytes, &err), &err);
    memcpy(out->bytes, bytes, out->nbytes);
    stoa_sink_close(sink);
    stoa_source_close(source);
}

static void a_file_that_lost_nothing_keeps_its_source_text(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "a_file_that_lost_nothing_keeps_its_source_text");
    for (size_t n = stoa_test_ncases(20); n > 0; n--) {
        struct stoa_test_table table;
        struct stoa_recover_result result;
        struct stoa_test_file whole;

        make_table(&random, 4, NULL, &table);
        recover(&table.file, &whole, &result);
        assert_int_equal(result.nlosses, 0);
        stoa_test_file_reset(&table.file);
        table.file = whole;
        assert_int_equal(count_findings(&table.file, true), 0);
        read_back(&table);
        stoa_test_table_reset(&table);
    }
}

/* A byte of a chunk of the side table is another one, and all hashes are right. */
static void text_that_can_not_be_read_is_not_kept(void **state)
{
    struct stoa_test_random random;
    size_t ndropped = 0;

    (void)state;
    stoa_test_random_init(&random, "text_that_can_not_be_read_is_not_kept");
    for (size_t n = stoa_test_ncases(200); n > 0; n--) {
        const size_t nrows[] = {100};
        struct stoa_schema schema = {0};
        struct stoa_test_table table;
        struct stoa_recover_result result;
        struct stoa_test_file whole;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_error err = {0};
        struct stoa_side side;
        uint64_t at, dir_nbytes, body_nbytes;

        stoa_test_gen_schema(&random, 2, &schema);
        stoa_test_table_make(&random, &schema, nrows, 1, NULL, &table);
        stoa_test_table_add_text(&random, &table, 2, NULL);
        at = stoa_load64(stoa_test_file_group(&table.file, 0));
        at += 64 + stoa_load64(table.file.bytes + at + 16); /* the object behind the row group */
        dir_nbytes = stoa_load32(table.file.bytes + at + 28);
        body_nbytes = stoa_load64(table.file.bytes + at + 16);
        if (table.sides[0].ncolumns > 0 && body_nbytes > dir_nbytes) {
            uint64_t place = dir_nbytes + stoa_test_random_below(&random, body_nbytes - dir_nbytes);

            table.file.bytes[at + 64 + place] ^=
                (uint8_t)(1 + stoa_test_random_below(&random, 255));
            stoa_test_rehash(table.file.bytes, table.file.nbytes);
            recover(&table.file, &whole, &result);
            assert_int_equal(count_findings(&whole, true), 0);
            source = stoa_test_file_source(&whole);
            check(stoa_reader_open(source, NULL, &reader, &err), &err);
            check(stoa_reader_side(reader, 0, &side, &err), &err);
            ndropped += side.ncolumns == 0;
            stoa_side_reset(&side);
            stoa_reader_close(reader);
            stoa_source_close(source);
            stoa_test_file_reset(&whole);
        }
        stoa_test_table_reset(&table);
    }
    assert_true(ndropped > 0);
}

/* Rows [begin, end) of source `info` that stand in rows [from, to). */
static uint64_t overlap(const struct stoa_source_info *info, uint64_t from, uint64_t to)
{
    uint64_t begin = info->first_row > from ? info->first_row : from;
    uint64_t end = info->first_row + info->nrows < to ? info->first_row + info->nrows : to;

    return begin < end ? end - begin : 0;
}

/* Three row groups of 100 rows; the second one, or its side table, is damaged. */
static void what_lost_rows_or_text_is_no_longer_complete(void **state)
{
    struct stoa_test_random random;

    (void)state;
    stoa_test_random_init(&random, "what_lost_rows_or_text_is_no_longer_complete");
    for (size_t n = stoa_test_ncases(40); n > 0; n--) {
        const size_t nrows[] = {100, 100, 100};
        bool of_side = n % 2 == 0;
        struct stoa_schema schema = {0};
        struct stoa_test_table table;
        struct stoa_recover_result result;
        struct stoa_test_file whole;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_source_info *infos;
        struct stoa_error err = {0};
        uint8_t *group;
        uint64_t at;

        stoa_test_gen_schema(&random, 2, &schema);
        stoa_test_table_make(&random, &schema, nrows, 3, NULL, &table);
        stoa_test_table_add_text(&random, &table, 6, NULL);
        group = stoa_test_file_group(&table.file, 1);
        at = stoa_load64(group) + 64;
        if (of_side) /* the object behind the row group, if it has a side table */
            at = stoa_load64(group) + 64 + stoa_load64(table.file.bytes + stoa_load64(group) + 16);
        if (of_side && table.sides[1].ncolumns == 0) {
            stoa_test_table_reset(&table);
            continue;
        }
        table.file.bytes[at + (of_side ? 64 : 0)] ^= 1; /* in a directory */
        if (!of_side)                                   /* which a footer knows too */
            table.file.bytes[stoa_load64(stoa_test_file_chunk(&table.file, 1, 0))] ^= 1;
        recover(&table.file, &whole, &result);
        if (!of_side && result.nrows_lost == 0) { /* a column without pages */
            stoa_test_file_reset(&whole);
            stoa_test_table_reset(&table);
            continue;
        }
        assert_int_equal(result.nrows_lost, of_side ? 0 : 100);
        assert_int_equal(count_findings(&whole, true), 0);
        source = stoa_test_file_source(&whole);
        check(stoa_reader_open(source, NULL, &reader, &err), &err);
        assert_int_equal(stoa_reader_nsources(reader), 6);
        check(stoa_reader_sources(reader, 0, 6, &infos, &err), &err);
        for (size_t i = 0; i < 6; i++) {
            const struct stoa_source_info *before = &table.sources[i];
            uint64_t hit = overlap(before, 100, 200), lost = of_side ? 0 : hit;

            assert_string_equal(infos[i].name, before->name);
            assert_int_equal(infos[i].nrows, before->nrows - lost);
            assert_int_equal((infos[i].flags & STOA_SOURCE_COMPLETE) != 0,
                             (before->flags & STOA_SOURCE_COMPLETE) != 0 && hit == 0);
            if (hit > 0)
                assert_true(infos[i].flags & STOA_SOURCE_DAMAGED);
            if (infos[i].nrows > 0 && before->first_row >= 200)
                assert_int_equal(infos[i].first_row, before->first_row - (of_side ? 0 : 100));
        }
        for (uint32_t g = 0; g < stoa_reader_nrow_groups(reader); g++) {
            const struct stoa_side none = {0};
            uint32_t from = of_side || g == 0 ? g : g + 1;
            struct stoa_side side;

            check(stoa_reader_side(reader, g, &side, &err), &err);
            assert_true(
                stoa_test_side_equal(&side, of_side && g == 1 ? &none : &table.sides[from]));
            stoa_side_reset(&side);
        }
        stoa_source_infos_free(infos, 6);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_file_reset(&whole);
        stoa_test_table_reset(&table);
    }
}

/* ---- Calls that are wrong, values that are too long ---- */

static void what_does_not_fit_is_refused_by_name(void **state)
{
    static char name[] = "a.csv", latin[] = "\xe9.csv";
    static uint8_t bytes[1];
    const struct stoa_source_info late = {.name = name, .first_row = 5, .nrows = 3};
    const struct stoa_source_info early = {.name = name, .first_row = 4, .nrows = 1};
    const struct stoa_source_info flags = {.name = name, .first_row = 8, .flags = 64};
    const struct stoa_source_info text = {.name = latin, .first_row = 8};
    const struct stoa_source_info huge = {
        .name = name, .first_row = 8, .head = {bytes, (size_t)STOA_SOURCE_MAX_NBYTES + 1}};
    const struct {
        const struct stoa_source_info *info;
        enum stoa_status status;
        const char *message;
    } refusals[] = {
        {&early, STOA_ERR_USAGE, "source 2: 1 rows from 4 on, where 8 are in front of it"},
        {&flags, STOA_ERR_USAGE, "source 2: flags 0x40"},
        {&text, STOA_ERR_USAGE, "source 2: name: no UTF-8"},
        {&huge, STOA_ERR_LIMIT,
         "source 2: head of 1073741825 bytes; all that is kept of a source beside its rows may "
         "have "
         "1073741824"},
    };
    struct stoa_schema schema = {0};
    struct stoa_writer *writer;
    struct stoa_sink *sink;
    struct stoa_error err = {0};

    (void)state;
    check(stoa_sink_create_memory(&sink, &err), &err);
    check(stoa_writer_open(sink, &schema, NULL, &writer, &err), &err);
    check(stoa_writer_add_sources(writer, &late, 1, &err), &err);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        assert_int_equal(stoa_writer_add_sources(writer, refusals[i].info, 1, &err),
                         refusals[i].status);
        assert_string_equal(err.message, refusals[i].message);
    }
    assert_int_equal(stoa_writer_finish(writer, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "sources have rows up to 8, the file has 0");
    stoa_writer_close(writer);
    stoa_sink_close(sink);
}

/* ---- Faults ---- */

static enum stoa_status writes_and_reads(void *context, struct stoa_error *err)
{
    const struct stoa_test_table *table = context;
    struct stoa_source *source = NULL;
    struct stoa_source_info *infos = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_writer *writer = NULL;
    struct stoa_writer_group *group = NULL;
    struct stoa_sink *sink = NULL;
    struct stoa_batch batch = {0};
    struct stoa_side side = {0};
    size_t nbytes;
    const uint8_t *bytes;
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_memory(&sink, err));
    STOA_TRY(stoa_writer_open(sink, &table->schema, NULL, &writer, err));
    STOA_TRY(stoa_batch_init(&batch, &table->schema, err));
    batch.nrows = table->batches[0].nrows;
    for (uint32_t i = 0; i < batch.ncolumns; i++)
        STOA_TRY(stoa_array_slice(&table->schema.fields[i], &table->batches[0].columns[i], 0,
                                  batch.nrows, &batch.columns[i], err));
    STOA_TRY(stoa_alloc_zeroed(&side.columns, 1, sizeof(side.columns[0]), err));
    side.ncolumns = 1;
    side.nrows = batch.nrows;
    side.columns[0].kind = STOA_SIDE_RAW;
    STOA_TRY(stoa_array_slice(stoa_test_side_field(STOA_SIDE_RAW),
                              &table->sides[0].columns[0].array, 0, side.nrows,
                              &side.columns[0].array, err));
    STOA_TRY(stoa_writer_prepare(writer, 0, &batch, &group, err));
    STOA_TRY(stoa_writer_group_set_side(group, &side, err));
    STOA_TRY(stoa_writer_sequence(writer, group, err));
    STOA_TRY(stoa_writer_encode(writer, group, err));
    st = stoa_writer_commit(writer, group, err);
    group = NULL;
    if (st != STOA_OK)
        goto out;
    STOA_TRY(stoa_writer_add_sources(writer, table->sources, table->nsources, err));
    STOA_TRY(stoa_writer_finish(writer, err));
    STOA_TRY(sink->commit(sink, err));
    bytes = stoa_sink_memory(sink, &nbytes);
    STOA_TRY(stoa_source_open_memory(bytes, nbytes, "test.stoa", &source, err));
    STOA_TRY(stoa_reader_open(source, NULL, &reader, err));
    STOA_TRY(stoa_reader_side(reader, 0, &side, err));
    STOA_TRY(stoa_reader_sources(reader, 0, table->nsources, &infos, err));
out:
    stoa_source_infos_free(infos, table->nsources);
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_side_reset(&side);
    stoa_batch_reset(&batch);
    stoa_writer_group_free(group);
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    const size_t nrows = 50;
    struct stoa_test_random random;
    struct stoa_schema schema = {0};
    struct stoa_test_table table;
    struct stoa_error err = {0};

    (void)state;
    stoa_test_random_seed(&random, 3);
    stoa_test_gen_schema(&random, 2, &schema);
    stoa_test_table_make(&random, &schema, &nrows, 1, NULL, &table);
    stoa_test_table_add_text(&random, &table, 3, NULL);
    stoa_side_reset(&table.sides[0]);
    table.sides[0].nrows = nrows;
    table.sides[0].ncolumns = 1;
    check(stoa_alloc_zeroed(&table.sides[0].columns, 1, sizeof(struct stoa_side_column), &err),
          &err);
    stoa_test_gen_array(&random, stoa_test_side_field(STOA_SIDE_RAW), nrows, STOA_TEST_FEW_DISTINCT,
                        STOA_TEST_NULLS_SOME, &table.sides[0].columns[0].array);
    stoa_test_each_failing_alloc(writes_and_reads, &table);
    stoa_test_table_reset(&table);
}

/* ---- Many sources, and what things cost ---- */

static void a_hundred_thousand_sources_cost_little(void **state)
{
    enum { NSOURCES = 100000 };
    char name[64], options[] = "{\"delimiter\":\";\",\"line_end\":\"\\r\\n\"}";
    uint8_t head[] = "time;station;temperature;humidity;wind;pressure\r\n";
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_source_info info = {.options = options, .head = {head, sizeof(head) - 1}};
    const struct stoa_type type = {.id = STOA_NULL};
    struct stoa_test_random random;
    struct stoa_schema schema = {0};
    struct stoa_source_info *some;
    struct stoa_test_file file;
    struct stoa_batch batch;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_writer *writer;
    struct stoa_sink *sink;
    struct stoa_error err = {0};
    size_t nbytes;

    (void)state;
    rules.footer_max_nbytes = 1 << 20; /* most of it goes to the temporary file */
    stoa_test_random_init(&random, "a_hundred_thousand_sources_cost_little");
    check(stoa_schema_add(&schema, "n", &type, true, &err), &err);
    check(stoa_batch_init(&batch, &schema, &err), &err);
    batch.nrows = NSOURCES;
    batch.columns[0] = (struct stoa_array){.nvalues = NSOURCES, .nnulls = NSOURCES};
    check(stoa_sink_create_memory(&sink, &err), &err);
    check(stoa_writer_open_rules(sink, &schema, NULL, &rules, &writer, &err), &err);
    check(stoa_writer_append(writer, &batch, &err), &err);
    info.name = name;
    for (uint64_t i = 0; i < NSOURCES; i++) {
        (void)snprintf(name, sizeof(name), "2024.zip:stations/%06llu.csv", (unsigned long long)i);
        info.nbytes = 40 + stoa_test_random_below(&random, 100);
        stoa_test_random_bytes(&random, info.hash, sizeof(info.hash));
        info.first_row = i;
        info.nrows = 0;
        check(stoa_writer_add_sources(writer, &info, 1, &err), &err);
        assert_true(stoa_writer_kept_nbytes(writer) < (20 << 20));
    }
    check(stoa_writer_finish(writer, &err), &err);
    check(sink->commit(sink, &err), &err);
    stoa_writer_close(writer);
    file.bytes = (uint8_t *)(uintptr_t)stoa_sink_memory(sink, &nbytes);
    file.nbytes = nbytes;
    print_message("# %.1f bytes a source\n", (double)nbytes / NSOURCES);
    assert_true(nbytes < 60 * NSOURCES);
    source = stoa_test_file_source(&file);
    check(stoa_reader_open(source, NULL, &reader, &err), &err);
    assert_int_equal(stoa_reader_nsources(reader), NSOURCES);
    check(stoa_reader_sources(reader, 54320, 3, &some, &err), &err);
    assert_string_equal(some[1].name, "2024.zip:stations/054321.csv");
    assert_int_equal(some[1].first_row, 54321);
    assert_memory_equal(some[2].head.data, head, sizeof(head) - 1);
    stoa_source_infos_free(some, 3);
    assert_int_equal(count_findings(&file, false), 0);
    assert_int_equal(stoa_reader_sources(reader, NSOURCES, 1, &some, &err), STOA_ERR_USAGE);
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_sink_close(sink);
    batch.columns[0] = (struct stoa_array){0};
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* 131,072 rows, of which every 10,000th has another form, a text of its own, a line before it. */
static void what_most_rows_do_not_need_costs_next_to_nothing(void **state)
{
    enum { NROWS = 131072 };
    static const struct stoa_type byte = {.id = STOA_UINT8}, binary = {.id = STOA_BINARY};
    struct stoa_side side = {.nrows = NROWS, .ncolumns = 4};
    struct stoa_encoder_pool encoders;
    struct stoa_buffer body = {0};
    struct stoa_builder forms, texts[2];
    struct stoa_error err = {0};
    uint32_t dir_nbytes;

    (void)state;
    check(stoa_alloc_zeroed(&side.columns, 4, sizeof(side.columns[0]), &err), &err);
    check(stoa_builder_init(&forms, &byte, NROWS, &err), &err);
    for (unsigned k = 0; k < 2; k++) {
        check(stoa_builder_init(&texts[k], &binary, NROWS, &err), &err);
        check(stoa_builder_reserve(&texts[k], NROWS, 1000, &err), &err);
    }
    for (uint32_t i = 0; i < NROWS; i++) {
        stoa_builder_append_8(&forms, i % 10000 == 9999 ? 255 : 0);
        for (unsigned k = 0; k < 2; k++) {
            if (i % 10000 == 9999)
                stoa_builder_append_bytes(&texts[k], "1.50e3", 6);
            else
                stoa_builder_append_null(&texts[k]);
        }
    }
    side.columns[0] = (struct stoa_side_column){.kind = STOA_SIDE_FORM};
    side.columns[1] = (struct stoa_side_column){.kind = STOA_SIDE_RAW};
    side.columns[2] = (struct stoa_side_column){.column = 1, .kind = STOA_SIDE_FORM};
    side.columns[3] = (struct stoa_side_column){.column = STOA_SIDE_RECORDS, .kind = STOA_SIDE_GAP};
    stoa_builder_finish(&forms, &side.columns[0].array);
    stoa_builder_finish(&texts[0], &side.columns[1].array);
    stoa_builder_finish(&texts[1], &side.columns[3].array);
    stoa_encoder_pool_init(&encoders, &stoa_default_rules, true);
    check(stoa_side_encode(&encoders, &stoa_default_rules, &side, &body, &dir_nbytes, &err), &err);
    print_message("# %zu bytes\n", body.nbytes);
    assert_true(body.nbytes < 1500);
    stoa_encoder_pool_reset(&encoders);
    stoa_buffer_free(&body);
    stoa_side_reset(&side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_text_comes_back),
        cmocka_unit_test(verify_finds_every_flipped_bit),
        cmocka_unit_test(hashing_anew_changes_nothing),
        cmocka_unit_test(a_file_that_lost_nothing_keeps_its_source_text),
        cmocka_unit_test(text_that_can_not_be_read_is_not_kept),
        cmocka_unit_test(what_lost_rows_or_text_is_no_longer_complete),
        cmocka_unit_test(what_does_not_fit_is_refused_by_name),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_hundred_thousand_sources_cost_little),
        cmocka_unit_test(what_most_rows_do_not_need_costs_next_to_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
