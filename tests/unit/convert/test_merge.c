/*
 * Merging files in memory: bytes that stay, rows that come back in order, and that damage goes
 * nowhere.
 */
#include <stoa/merge.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "column/schema.h"
#include "file/footer.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/gen_source_text.h"
#include "support/gen_table.h"
#include "support/merge_parts.h"
#include "support/stoa_file.h"

/* Rules by which small tables have many pages and segments; copies as usual. */
static struct stoa_rules small_rules(struct stoa_test_random *r)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.chooser_period = 1 + (uint32_t)stoa_test_random_below(r, 4);
    rules.full_nrows = 20;
    rules.segment_nbytes = (uint32_t)stoa_test_random_below(r, 100);
    rules.shared_max_count = 2 + (uint32_t)stoa_test_random_below(r, 300);
    rules.local_max_count = 1 + (uint32_t)stoa_test_random_below(r, 200);
    rules.page_min_nbytes = 1 + (uint32_t)stoa_test_random_below(r, 2000);
    rules.page_max_nbytes = 65536;
    return rules;
}

static void draw_groups(struct stoa_test_random *r, size_t *nrows, size_t ngroups)
{
    for (size_t i = 0; i < ngroups; i++) {
        bool large = stoa_test_random_one_in(r, 60);

        nrows[i] = large ? 8190 + (size_t)stoa_test_random_below(r, 9000)
                         : 1 + (size_t)stoa_test_random_below(r, 60);
    }
}

static void print_finding(void *context, const struct stoa_error *finding)
{
    (void)context;
    fprintf(stderr, "%s\n", finding->message);
}

static void assert_clean(const struct stoa_test_file *file)
{
    struct stoa_verify_options options = {.deep = true, .report = print_finding};
    struct stoa_verify_result result = {0};
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_error err = {0};

    stoa_test_check(stoa_verify(source, &options, &result, &err), &err);
    if (result.nfindings > 0)
        fail_msg("%llu findings in a merged file", (unsigned long long)result.nfindings);
    stoa_source_close(source);
}

static void assert_same_bytes(const struct stoa_test_file *a, const struct stoa_test_file *b)
{
    assert_int_equal(a->nbytes, b->nbytes);
    assert_memory_equal(a->bytes, b->bytes, a->nbytes);
}

/* Whether its files can have side tables that a merge keeps. */
static bool schema_is_flat(const struct stoa_schema *schema)
{
    for (uint32_t i = 0; i < schema->nfields; i++)
        if (schema->fields[i].nchildren > 0)
            return false;
    return true;
}

/* ---- Bytes ---- */

static void one_file_merges_into_itself(void **state)
{
    (void)state;
    struct stoa_test_random r;
    size_t ntables = stoa_test_ncases(1500);

    stoa_test_random_init(&r, "one file");
    for (size_t i = 0; i < ntables; i++) {
        struct stoa_rules rules = small_rules(&r);
        uint32_t ncolumns = (uint32_t)stoa_test_random_below(&r, 6);
        size_t nrows[6], ngroups = (size_t)stoa_test_random_below(&r, 7);
        struct stoa_schema schema = {0};
        struct stoa_test_table table;
        struct stoa_test_file merged;

        draw_groups(&r, nrows, ngroups);
        if (i % 2 == 0)
            stoa_test_gen_schema(&r, ncolumns, &schema);
        else
            stoa_test_gen_any_schema(&r, ncolumns, 4, &schema);
        stoa_test_table_make(&r, &schema, nrows, ngroups, i % 3 == 0 ? &stoa_default_rules : &rules,
                             &table);
        if (i % 4 == 1 && schema_is_flat(&table.schema))
            stoa_test_table_add_text(&r, &table, i % 5, i % 3 == 0 ? &stoa_default_rules : &rules);
        stoa_test_merge(&table.file, 1, NULL, NULL, &merged);
        assert_same_bytes(&table.file, &merged);
        stoa_test_file_reset(&merged);
        stoa_test_table_reset(&table);
    }
}

/* Parts of one schema: nothing is encoded anew, and in what steps they are merged is the same. */
static void merging_in_steps_gives_the_same_bytes(void **state)
{
    (void)state;
    struct stoa_test_random r;
    size_t ncases = stoa_test_ncases(300);

    stoa_test_random_init(&r, "steps");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_rules rules = small_rules(&r);
        struct stoa_test_table tables[3];
        struct stoa_test_file parts[3], steps[2], first, at_once, later;
        struct stoa_merge_report report;
        struct stoa_schema base = {0};

        if (i % 2 == 0)
            stoa_test_gen_schema(&r, 1 + (uint32_t)(i % 5), &base);
        else
            stoa_test_gen_any_schema(&r, 1 + (uint32_t)(i % 3), 4, &base);
        for (size_t k = 0; k < 3; k++) {
            size_t nrows[4], ngroups = (size_t)stoa_test_random_below(&r, 5);
            struct stoa_schema schema;
            struct stoa_error err = {0};

            draw_groups(&r, nrows, ngroups);
            stoa_test_check(stoa_schema_copy(&schema, &base, &err), &err);
            stoa_test_table_make(&r, &schema, nrows, ngroups, &rules, &tables[k]);
            parts[k] = tables[k].file;
        }
        stoa_test_merge(parts, 3, NULL, &report, &at_once);
        assert_int_equal(report.nchunks_encoded, 0);
        assert_clean(&at_once);
        stoa_test_merge(parts, 2, NULL, NULL, &first);
        steps[0] = first;
        steps[1] = parts[2];
        stoa_test_merge(steps, 2, NULL, NULL, &later);
        assert_same_bytes(&at_once, &later);
        stoa_test_file_reset(&first);
        stoa_test_file_reset(&later);
        stoa_test_file_reset(&at_once);
        for (size_t k = 0; k < 3; k++)
            stoa_test_table_reset(&tables[k]);
        stoa_schema_reset(&base);
    }
}

/* ---- Rows ---- */

static void parts_come_back_in_order(void **state)
{
    (void)state;
    struct stoa_test_random r;
    size_t ncases = stoa_test_ncases(1500);
    size_t nmerged = 0, nencoded = 0, nrefused = 0;

    stoa_test_random_init(&r, "parts");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_merge_options options = {.join = {.fill_missing = true, .as_text = true}};
        struct stoa_test_families families = stoa_test_draw_families(&r);
        size_t nparts = 1 + (size_t)stoa_test_random_below(&r, 8);
        bool may_miss = stoa_test_random_one_in(&r, 2);
        struct stoa_rules rules = small_rules(&r);
        struct stoa_test_table tables[8];
        struct stoa_test_file files[8], merged;
        struct stoa_merge_report report;
        struct stoa_error err = {0};

        for (size_t k = 0; k < nparts; k++) {
            stoa_test_make_part(&r, &families, may_miss, &rules, &tables[k]);
            files[k] = tables[k].file;
        }
        if (stoa_test_try_merge(files, nparts, &options, &report, &merged, &err) == STOA_OK) {
            if (!stoa_test_merged_is(&merged, tables, nparts))
                fail_msg("case %zu: other rows than the parts have", i);
            assert_clean(&merged);
            nmerged++;
            nencoded += report.nchunks_encoded > 0;
        } else { /* values that the merged type does not have, or enums of too many symbols */
            assert_int_equal(err.status, STOA_ERR_DATA);
            nrefused++;
        }
        stoa_test_file_reset(&merged);
        for (size_t k = 0; k < nparts; k++)
            stoa_test_table_reset(&tables[k]);
    }
    printf("# %zu merged, %zu of them with chunks encoded anew; %zu refused\n", nmerged, nencoded,
           nrefused);
    assert_true(nmerged > 2 * nrefused && nencoded > nmerged / 4 && nencoded < nmerged);
}

/* ---- Dictionaries ---- */

static const char *city(size_t i, char room[64])
{
    (void)snprintf(room, 64, "city of %zu gates", i * i % 97);
    return room;
}

static const char *village(size_t i, char room[64])
{
    (void)snprintf(room, 64, "village %zu", i % 89);
    return room;
}

/* A file of one column of texts in three row groups, with a dictionary that they share. */
static void make_texts(stoa_test_text *text, int zstd_level, struct stoa_test_file *out)
{
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_batch batches[3];
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    rules.zstd_level = zstd_level;
    rules.full_nrows = 100;
    stoa_test_add_column(&schema, "t", STOA_UTF8, false);
    for (size_t i = 0; i < 3; i++) {
        stoa_test_check(stoa_batch_init(&batches[i], &schema, &err), &err);
        batches[i].nrows = 5000;
        stoa_test_make_texts(&batches[i].columns[0], batches[i].nrows, text);
    }
    stoa_test_file_write(&schema, batches, 3, &rules, out);
    for (size_t i = 0; i < 3; i++)
        stoa_batch_reset(&batches[i]);
    stoa_schema_reset(&schema);
}

static uint32_t count_segments(const struct stoa_test_file *file)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_footer footer = {0};
    struct stoa_error err = {0};
    uint64_t n;

    stoa_test_check(stoa_footer_open(&footer, source, UINT64_C(1) << 30, &err), &err);
    n = stoa_footer_section_count(&footer, STOA_SECTION_DICTIONARIES);
    stoa_footer_reset(&footer);
    stoa_source_close(source);
    return (uint32_t)n;
}

static void equal_segments_are_written_once(void **state)
{
    (void)state;
    struct stoa_test_file parts[3], merged;
    struct stoa_merge_report report;

    make_texts(city, 3, &parts[0]);
    make_texts(village, 3, &parts[1]);
    make_texts(city, 3, &parts[2]);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(count_segments(&parts[i]), 1);
    stoa_test_merge(parts, 3, NULL, &report, &merged);
    assert_int_equal(count_segments(&merged), 2);
    assert_int_equal(report.nchunks_copied, 9);
    assert_clean(&merged);
    stoa_test_file_reset(&merged);
    for (size_t i = 0; i < 3; i++)
        stoa_test_file_reset(&parts[i]);
}

/* The same values, so the same id, in other bytes: the chunks that need them are encoded anew. */
static void an_id_stands_for_one_segment(void **state)
{
    (void)state;
    struct stoa_test_file parts[2], merged;
    struct stoa_merge_report report;

    make_texts(city, 3, &parts[0]);
    make_texts(city, 19, &parts[1]);
    stoa_test_merge(parts, 2, NULL, &report, &merged);
    assert_int_equal(count_segments(&merged), 1);
    assert_int_equal(report.nchunks_copied, 3);
    assert_int_equal(report.nchunks_encoded, 3);
    assert_int_equal(report.ncolumns_encoded, 1);
    assert_clean(&merged);
    stoa_test_file_reset(&merged);
    stoa_test_file_reset(&parts[0]);
    stoa_test_file_reset(&parts[1]);
}

/* ---- Failure ---- */

/* Two small files: a dictionary, a column that is encoded anew, one that the first lacks. */
static void make_pair(struct stoa_test_table tables[2], struct stoa_test_file parts[2])
{
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_test_random r;
    const size_t nrows[] = {300, 40};

    rules.full_nrows = 10;
    rules.segment_nbytes = 0;
    rules.page_min_nbytes = 1;
    stoa_test_random_seed(&r, 7);
    for (int i = 0; i < 2; i++) {
        struct stoa_schema schema = {0};
        struct stoa_field field;
        struct stoa_error err = {0};

        stoa_test_add_column(&schema, "number", i == 0 ? STOA_INT32 : STOA_INT64, true);
        stoa_test_add_column(&schema, "word", STOA_UTF8, false);
        if (i == 1)
            stoa_test_add_column(&schema, "only here", STOA_BOOL, false);
        stoa_test_check(stoa_field_parse("nested",
                                         i == 0 ? "list<struct<a:int8,b:bool>>"
                                                : "list<struct<c:utf8,a:int32>>",
                                         true, &field, &err),
                        &err);
        stoa_test_check(stoa_schema_add_field(&schema, &field, &err), &err);
        stoa_field_reset(&field);
        stoa_test_add_column(&schema, "cast", i == 0 ? STOA_INT16 : STOA_FLOAT32, true);
        stoa_test_table_make(&r, &schema, nrows, 2, &rules, &tables[i]);
        parts[i] = tables[i].file;
    }
}

static const struct stoa_merge_options filling = {.join = {.fill_missing = true}};

static enum stoa_status merges_a_pair(void *context, struct stoa_error *err)
{
    struct stoa_test_file merged;
    enum stoa_status st = stoa_test_try_merge(context, 2, &filling, NULL, &merged, err);

    stoa_test_file_reset(&merged);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_test_table tables[2];
    struct stoa_test_file parts[2];

    make_pair(tables, parts);
    stoa_test_each_failing_alloc(merges_a_pair, parts);
    stoa_test_table_reset(&tables[0]);
    stoa_test_table_reset(&tables[1]);
}

static enum stoa_status merge_with_fault(const struct stoa_test_file parts[2],
                                         struct stoa_test_io_fault *fault, struct stoa_error *err)
{
    struct stoa_merge_input inputs[2] = {{0}};
    struct stoa_sink *sink;
    enum stoa_status st;

    for (int i = 0; i < 2; i++)
        inputs[i].source = stoa_test_faulty_source(stoa_test_file_source(&parts[i]), fault);
    stoa_test_check(stoa_sink_create_memory(&sink, err), err);
    sink = stoa_test_faulty_sink(sink, fault);
    st = stoa_merge(inputs, 2, &filling, sink, NULL, err);
    stoa_sink_close(sink);
    stoa_source_close(inputs[0].source);
    stoa_source_close(inputs[1].source);
    return st;
}

static void a_failing_read_or_write_is_reported(void **state)
{
    (void)state;
    struct stoa_test_table tables[2];
    struct stoa_test_file parts[2];
    uint64_t n = 1;

    make_pair(tables, parts);
    for (;; n++) {
        struct stoa_test_io_fault fault = {.fail_at = n, .os_errno = EIO};
        struct stoa_error err = {0};
        enum stoa_status st = merge_with_fault(parts, &fault, &err);

        if (fault.nfailed == 0) {
            stoa_test_check(st, &err);
            break;
        }
        assert_int_equal(st, STOA_ERR_IO);
        assert_int_equal(err.os_errno, EIO);
    }
    assert_true(n > 20);
    stoa_test_table_reset(&tables[0]);
    stoa_test_table_reset(&tables[1]);
}

/* Whatever bit is wrong: it is found, or it was one that is not copied. */
static void damage_is_found_or_left_behind(void **state)
{
    (void)state;
    struct stoa_test_table tables[2];
    struct stoa_test_file parts[2], good, bad;
    struct stoa_test_random r;
    size_t nfound = 0;

    stoa_test_random_init(&r, "damage");
    make_pair(tables, parts);
    stoa_test_merge(parts, 2, &filling, NULL, &good);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < parts[k].nbytes; i++) {
            uint8_t bit = (uint8_t)(1 << stoa_test_random_below(&r, 8));
            struct stoa_error err = {0};

            parts[k].bytes[i] ^= bit;
            if (stoa_test_try_merge(parts, 2, &filling, NULL, &bad, &err) == STOA_OK) {
                assert_same_bytes(&good, &bad);
            } else {
                assert_true(err.status == STOA_ERR_CORRUPT || err.status == STOA_ERR_UNSUPPORTED);
                assert_memory_equal(err.message, k == 0 ? "a.stoa: " : "b.stoa: ", 8);
                nfound++;
            }
            stoa_test_file_reset(&bad);
            parts[k].bytes[i] ^= bit;
        }
    }
    assert_true(nfound > (parts[0].nbytes + parts[1].nbytes) / 2);
    stoa_test_file_reset(&good);
    stoa_test_table_reset(&tables[0]);
    stoa_test_table_reset(&tables[1]);
}

static void cut_inputs_are_refused(void **state)
{
    (void)state;
    struct stoa_test_table tables[2];
    struct stoa_test_file parts[2], cut[2], merged;

    make_pair(tables, parts);
    cut[0] = parts[0];
    cut[1] = parts[1];
    for (size_t nbytes = 0; nbytes < parts[1].nbytes; nbytes += 1 + nbytes / 16) {
        struct stoa_error err = {0};

        cut[1].nbytes = nbytes;
        assert_int_equal(stoa_test_try_merge(cut, 2, &filling, NULL, &merged, &err),
                         STOA_ERR_CORRUPT);
        assert_memory_equal(err.message, "b.stoa: ", 8);
    }
    stoa_test_table_reset(&tables[0]);
    stoa_test_table_reset(&tables[1]);
}

/* An empty file of columns as their types are written. */
static void make_empty(const char *columns, struct stoa_test_file *out)
{
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    char text[512];

    (void)snprintf(text, sizeof(text), "{\"stoa_schema\": 1, \"fields\": [%s]}", columns);
    stoa_test_check(stoa_schema_parse_json(text, strlen(text), &schema, &err), &err);
    stoa_test_file_write(&schema, NULL, 0, NULL, out);
    stoa_schema_reset(&schema);
}

static void clashes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        int os_errno;
        const char *message;
    } cases[] = {
        {"{\"name\": \"a\", \"type\": \"int64\"}", "{\"name\": \"a\", \"type\": \"utf8\"}", EDOM,
         "b.stoa: column a: is utf8 here and int64 in the files before: no type but text holds the "
         "values of both"},
        {"{\"name\": \"a\", \"type\": \"bool\"}", "{\"name\": \"a\", \"type\": \"binary\"}", 0,
         "b.stoa: column a: is binary here and bool in the files before: no type holds the values "
         "of both"},
        {"{\"name\": \"a\", \"type\": \"int64\"}",
         "{\"name\": \"a\", \"type\": \"int64\"}, {\"name\": \"b\", \"type\": \"int64\"}", ENOENT,
         "b.stoa: column b: is not in the files before"},
        {"{\"name\": \"a\", \"type\": \"int64\"}, {\"name\": \"b\", \"type\": \"int64\"}",
         "{\"name\": \"b\", \"type\": \"int64\"}", ENOENT,
         "b.stoa: column a: is in the files before, but not here"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_test_file parts[2], merged;
        struct stoa_error err = {0};

        make_empty(cases[i].first, &parts[0]);
        make_empty(cases[i].second, &parts[1]);
        assert_int_equal(stoa_test_try_merge(parts, 2, NULL, NULL, &merged, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.os_errno, cases[i].os_errno);
        stoa_test_file_reset(&parts[0]);
        stoa_test_file_reset(&parts[1]);
    }
}

/* ---- What a caller is told, and may ask for ---- */

struct told {
    char notes[512];
    struct stoa_convert_progress last;
    volatile sig_atomic_t cancel;
};

static void take_note(void *context, const char *text)
{
    struct told *told = context;

    (void)snprintf(told->notes + strlen(told->notes), sizeof(told->notes) - strlen(told->notes),
                   "%s\n", text);
}

static void stop_at_once(void *context, const struct stoa_convert_progress *progress)
{
    struct told *told = context;

    told->last = *progress;
    told->cancel = 1;
}

static void make_with_metadata(const char *by, const char *unit, struct stoa_test_file *out)
{
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    stoa_test_add_column(&schema, "a", STOA_INT8, true);
    stoa_test_check(stoa_metadata_set(&schema.metadata, "by", by, &err), &err);
    stoa_test_check(stoa_metadata_set(&schema.fields[0].metadata, "unit", unit, &err), &err);
    stoa_test_file_write(&schema, NULL, 0, &stoa_default_rules, out);
    stoa_schema_reset(&schema);
}

static void metadata_that_differs_is_noted(void **state)
{
    (void)state;
    struct told told = {.notes = ""};
    struct stoa_merge_options options = {.note = take_note, .context = &told};
    struct stoa_test_file parts[3], merged;

    make_with_metadata("one", "km", &parts[0]);
    make_with_metadata("two", "km", &parts[1]);
    make_with_metadata("one", "mile", &parts[2]);
    stoa_test_merge(parts, 3, &options, NULL, &merged);
    assert_string_equal(told.notes,
                        "b.stoa: metadata \"by\" differs: that of the files before is kept\n"
                        "c.stoa: column a: metadata \"unit\" differs: that of the files before is "
                        "kept\n");
    assert_same_bytes(&merged, &parts[0]);
    stoa_test_file_reset(&merged);
    for (size_t i = 0; i < 3; i++)
        stoa_test_file_reset(&parts[i]);
}

static void a_merge_stops_on_request(void **state)
{
    (void)state;
    struct told told = {.notes = ""};
    struct stoa_merge_options options = {
        .progress = stop_at_once, .context = &told, .cancel = &told.cancel};
    struct stoa_test_file parts[2], merged;
    struct stoa_error err = {0};

    make_texts(city, 3, &parts[0]);
    make_texts(village, 3, &parts[1]);
    told.cancel = 1;
    assert_int_equal(stoa_test_try_merge(parts, 2, &options, NULL, &merged, &err),
                     STOA_ERR_CANCELLED);
    assert_string_equal(err.message, "stopped on request");
    stoa_test_file_reset(&parts[0]);
    stoa_test_file_reset(&parts[1]);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    struct stoa_merge_options options = {.memory_nbytes = 300};
    struct stoa_test_file parts[2], merged;
    struct stoa_error err = {0};

    make_texts(city, 3, &parts[0]);
    make_texts(village, 3, &parts[1]);
    assert_int_equal(stoa_test_try_merge(parts, 2, &options, NULL, &merged, &err), STOA_ERR_LIMIT);
    stoa_test_file_reset(&parts[0]);
    stoa_test_file_reset(&parts[1]);
}

/* A source that is another file the second time it is read from its end. */
struct changing {
    struct stoa_source base;
    const struct stoa_test_file *files;
    int nopened;
};

static enum stoa_status changing_read(struct stoa_source *source, uint64_t offset, void *out,
                                      size_t nbytes, struct stoa_error *err)
{
    struct changing *changing = (struct changing *)source;

    (void)err;
    if (offset == 0) /* small files are read as a whole when they are opened */
        changing->nopened++;
    memcpy(out, changing->files[changing->nopened - 1].bytes + offset, nbytes);
    return STOA_OK;
}

static void an_input_that_changes_is_an_error(void **state)
{
    (void)state;
    struct stoa_test_file files[2];
    struct changing changing = {.base = {.read_at = changing_read, .name = "it"}, .files = files};
    const struct stoa_merge_input input = {.source = &changing.base};
    struct stoa_error err = {0};
    struct stoa_sink *sink;

    make_with_metadata("one", "km", &files[0]);
    make_with_metadata("two", "km", &files[1]);
    assert_int_equal(files[0].nbytes, files[1].nbytes);
    changing.base.nbytes = files[0].nbytes;
    stoa_test_check(stoa_sink_create_memory(&sink, &err), &err);
    assert_int_equal(stoa_merge(&input, 1, NULL, sink, NULL, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "it: changed while it was merged");
    stoa_sink_close(sink);
    stoa_test_file_reset(&files[0]);
    stoa_test_file_reset(&files[1]);
}

/* ---- Source text ---- */

/* A file of the columns x and y, or y and x, with side tables and two sources. */
static void make_with_text(struct stoa_test_random *r, bool swapped, enum stoa_type_id x,
                           const char *format, struct stoa_test_table *table)
{
    const struct stoa_type types[] = {{.id = x}, {.id = STOA_UTF8}};
    const size_t nrows[] = {30, 1, 20};
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    for (unsigned i = 0; i < 2; i++) {
        unsigned k = swapped ? 1 - i : i;

        stoa_test_check(stoa_schema_add(&schema, k == 0 ? "x" : "y", &types[k], true, &err), &err);
    }
    if (format != NULL)
        stoa_test_check(
            stoa_metadata_set(&schema.fields[0].metadata, STOA_METADATA_CSV_FORMAT, format, &err),
            &err);
    stoa_test_table_make(r, &schema, nrows, 3, NULL, table);
    stoa_test_table_add_text(r, table, 2, NULL);
}

/* The text of `table` is what the merged file has from row group and source `group`, .. on. */
static void compare_text(struct stoa_reader *reader, const struct stoa_test_table *table,
                         uint32_t group, uint64_t source, uint64_t row, bool kept)
{
    struct stoa_source_info *infos;
    struct stoa_error err = {0};

    for (uint32_t g = 0; g < table->nbatches; g++) {
        const struct stoa_side none = {0};
        struct stoa_side side;

        stoa_test_check(stoa_reader_side(reader, group + g, &side, &err), &err);
        assert_true(stoa_test_side_equal(&side, kept ? &table->sides[g] : &none));
        stoa_side_reset(&side);
    }
    stoa_test_check(stoa_reader_sources(reader, source, table->nsources, &infos, &err), &err);
    for (size_t i = 0; i < table->nsources; i++) {
        struct stoa_source_info expected = table->sources[i];

        expected.first_row += row;
        if (!kept)
            expected.flags =
                (expected.flags & ~(uint32_t)STOA_SOURCE_COMPLETE) | STOA_SOURCE_CHANGED;
        assert_true(stoa_test_source_equal(&infos[i], &expected));
    }
    stoa_source_infos_free(infos, table->nsources);
}

static void source_text_is_kept_where_it_still_says_the_same(void **state)
{
    (void)state;
    static const struct {
        bool swapped;
        enum stoa_type_id x;
        const char *format;
        bool first_kept, second_kept;
    } cases[] = {
        {false, STOA_INT32, NULL, true, true}, /* the same */
        {false, STOA_INT64, NULL, true, true}, /* integers print alike */
        {false, STOA_UINT16, NULL, true, true},
        {true, STOA_INT32, NULL, true, false},    /* another order */
        {false, STOA_FLOAT64, NULL, false, true}, /* of another type from now on */
        {false, STOA_UTF8, NULL, false, true},    /* the same, on request */
        {false, STOA_INT32, "%d", false, true},   /* a pattern that only the second one has */
    };
    struct stoa_merge_options options = {.join.as_text = true};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "source text");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_test_table tables[2];
        struct stoa_test_file parts[2], merged;
        struct stoa_source *source;
        struct stoa_reader *reader;
        struct stoa_error err = {0};

        make_with_text(&r, false, STOA_INT32, NULL, &tables[0]);
        make_with_text(&r, cases[i].swapped, cases[i].x, cases[i].format, &tables[1]);
        parts[0] = tables[0].file;
        parts[1] = tables[1].file;
        stoa_test_merge(parts, 2, &options, NULL, &merged);
        assert_clean(&merged);
        source = stoa_test_file_source(&merged);
        stoa_test_check(stoa_reader_open(source, NULL, &reader, &err), &err);
        assert_int_equal(stoa_reader_nsources(reader), 4);
        compare_text(reader, &tables[0], 0, 0, 0, cases[i].first_kept);
        compare_text(reader, &tables[1], 3, 2, 51, cases[i].second_kept);
        stoa_reader_close(reader);
        stoa_source_close(source);
        stoa_test_file_reset(&merged);
        stoa_test_table_reset(&tables[0]);
        stoa_test_table_reset(&tables[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_merges_into_itself),
        cmocka_unit_test(merging_in_steps_gives_the_same_bytes),
        cmocka_unit_test(parts_come_back_in_order),
        cmocka_unit_test(source_text_is_kept_where_it_still_says_the_same),
        cmocka_unit_test(equal_segments_are_written_once),
        cmocka_unit_test(an_id_stands_for_one_segment),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_failing_read_or_write_is_reported),
        cmocka_unit_test(damage_is_found_or_left_behind),
        cmocka_unit_test(cut_inputs_are_refused),
        cmocka_unit_test(clashes_are_named),
        cmocka_unit_test(metadata_that_differs_is_noted),
        cmocka_unit_test(a_merge_stops_on_request),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(an_input_that_changes_is_an_error),
    };

    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
