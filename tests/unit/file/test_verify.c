/*
 * stoa_verify: silent on files that are right, and never on files that are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "column/array.h"
#include "file/layout.h"
#include "support/fault_alloc.h"
#include "support/fault_io.h"
#include "support/gen_table.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The first findings of a run. */
struct findings {
    char messages[8][STOA_ERROR_MESSAGE_NBYTES];
    uint64_t offsets[8];
    size_t n;
};

static void keep(void *context, const struct stoa_error *finding)
{
    struct findings *findings = context;

    assert_true(finding->message[0] != '\0');
    if (findings->n < LENGTH_OF(findings->messages)) {
        memcpy(findings->messages[findings->n], finding->message, sizeof(finding->message));
        findings->offsets[findings->n] = finding->offset;
    }
    findings->n++;
}

static struct stoa_verify_result run(const struct stoa_test_file *file, bool deep,
                                     struct findings *findings)
{
    struct stoa_verify_options options = {.deep = deep, .report = keep, .context = findings};
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_verify_result result;
    struct stoa_error err;

    *findings = (struct findings){0};
    if (stoa_verify(source, &options, &result, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(result.nfindings, findings->n);
    stoa_source_close(source);
    return result;
}

static void expect(const struct stoa_test_file *file, bool deep, const char *message)
{
    struct findings findings;

    (void)run(file, deep, &findings);
    if (findings.n == 0)
        fail_msg("no finding, expected: %s", message);
    assert_string_equal(findings.messages[0], message);
}

static void make(const char *name, const size_t *nrows, size_t ngroups,
                 struct stoa_test_table *table)
{
    struct stoa_test_random random;
    struct stoa_schema schema;

    stoa_test_random_init(&random, name);
    stoa_test_schema_of_all_types(&random, &schema);
    stoa_test_table_make(&random, &schema, nrows, ngroups, NULL, table);
}

static void intact_files_have_no_findings(void **state)
{
    static const size_t nrows[] = {9000, 1, 700};
    struct stoa_verify_result result;
    struct stoa_test_random random;
    struct findings findings;

    (void)state;
    stoa_test_random_init(&random, "intact_files_have_no_findings");
    for (size_t i = 0, n = stoa_test_ncases(60); i < n; i++) {
        size_t ngroups = stoa_test_random_below(&random, 4);
        struct stoa_test_table table;
        struct stoa_schema schema;

        stoa_test_gen_schema(&random, 1 + (uint32_t)stoa_test_random_below(&random, 12), &schema);
        stoa_test_table_make(&random, &schema, nrows, ngroups, NULL, &table);
        result = run(&table.file, i % 4 != 0, &findings);
        if (findings.n > 0)
            fail_msg("%s", findings.messages[0]);
        assert_int_equal(result.nbytes, table.file.nbytes);
        assert_true(result.nobjects >= 3 + ngroups);
        assert_true(ngroups == 0 || result.npages > 0);
        stoa_test_table_reset(&table);
    }
}

static void hashing_an_intact_file_anew_changes_nothing(void **state)
{
    static const size_t nrows[] = {9000, 1, 700};
    struct stoa_test_table table;
    uint8_t *copy;
    struct stoa_error err;

    (void)state;
    make("hashing_an_intact_file_anew_changes_nothing", nrows, LENGTH_OF(nrows), &table);
    assert_int_equal(stoa_alloc(&copy, table.file.nbytes, &err), STOA_OK);
    memcpy(copy, table.file.bytes, table.file.nbytes);
    stoa_test_rehash(copy, table.file.nbytes);
    assert_memory_equal(copy, table.file.bytes, table.file.nbytes);
    stoa_free(copy);
    stoa_test_table_reset(&table);
}

static void every_flipped_bit_is_found(void **state)
{
    static const size_t nrows[] = {25, 6};
    struct stoa_test_table table;
    struct findings findings;
    size_t step = stoa_test_ncases(100) >= 100 ? 1 : 101;

    (void)state;
    make("every_flipped_bit_is_found", nrows, LENGTH_OF(nrows), &table);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    step = 101;
#endif
    for (size_t bit = 0; bit < table.file.nbytes * 8; bit += step) {
        table.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)run(&table.file, false, &findings);
        if (findings.n == 0)
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        table.file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    (void)run(&table.file, true, &findings);
    assert_int_equal(findings.n, 0);
    stoa_test_table_reset(&table);
}

static void a_damaged_page_is_named(void **state)
{
    static const size_t nrows[] = {40, 30};
    struct stoa_test_table table;
    struct findings findings;
    uint64_t offset;

    (void)state;
    make("a_damaged_page_is_named", nrows, LENGTH_OF(nrows), &table);
    offset = stoa_load64(stoa_test_file_chunk(&table.file, 1, 5));
    assert_true(offset > 0);
    table.file.bytes[offset + 3] ^= 1;
    (void)run(&table.file, true, &findings);
    assert_true(findings.n >= 1);
    assert_string_equal(findings.messages[0], "row group 1: column c5: page 0: hash differs");
    assert_int_equal(findings.offsets[0], offset);
    assert_int_equal(findings.n, 1);
    stoa_test_table_reset(&table);
}

static void the_walk_goes_on_after_a_damaged_header(void **state)
{
    static const size_t nrows[] = {40, 30, 20};
    struct stoa_test_table table;
    struct findings findings;
    uint64_t first, offset;
    char message[128];

    (void)state;
    make("the_walk_goes_on_after_a_damaged_header", nrows, LENGTH_OF(nrows), &table);
    first = stoa_load64(stoa_test_file_group(&table.file, 0));
    offset = stoa_load64(stoa_test_file_chunk(&table.file, 2, 5));
    table.file.bytes[first + 20] ^= 4;
    table.file.bytes[offset + 3] ^= 1;
    (void)run(&table.file, false, &findings);
    (void)snprintf(message, sizeof(message), "object at %llu: object header: hash differs",
                   (unsigned long long)first);
    assert_int_equal(findings.n, 2);
    assert_string_equal(findings.messages[0], message);
    assert_string_equal(findings.messages[1], "row group 2: column c5: page 0: hash differs");
    stoa_test_table_reset(&table);
}

static void objects_are_checked_without_a_footer_too(void **state)
{
    static const size_t nrows[] = {40, 30};
    struct stoa_test_table table;
    struct findings findings;
    uint64_t offset;

    (void)state;
    make("objects_are_checked_without_a_footer_too", nrows, LENGTH_OF(nrows), &table);
    offset = stoa_load64(stoa_test_file_chunk(&table.file, 1, 5));
    table.file.bytes[offset + 3] ^= 1;
    table.file.bytes[table.file.nbytes - 50] ^= 1;
    (void)run(&table.file, true, &findings);
    assert_int_equal(findings.n, 2);
    assert_string_equal(findings.messages[0], "trailer: hash differs");
    assert_string_equal(findings.messages[1], "row group 1: column c5: page 0: hash differs");
    stoa_test_table_reset(&table);
}

/* Two row groups of one column of numbers, 10..49 and 50..79. */
static void make_numbers(struct stoa_test_table *table)
{
    static const size_t nrows[] = {40, 30};
    struct stoa_type type = {.id = STOA_INT64};
    struct stoa_error err;
    int64_t next = 10;

    *table = (struct stoa_test_table){.nbatches = 2};
    assert_int_equal(stoa_schema_add(&table->schema, "n", &type, true, &err), STOA_OK);
    assert_int_equal(stoa_alloc_zeroed(&table->batches, 2, sizeof(*table->batches), &err), STOA_OK);
    for (size_t g = 0; g < 2; g++) {
        struct stoa_batch *batch = &table->batches[g];

        assert_int_equal(stoa_batch_init(batch, &table->schema, &err), STOA_OK);
        batch->nrows = nrows[g];
        assert_int_equal(stoa_array_alloc(&type, nrows[g], 0, false, &batch->columns[0], &err),
                         STOA_OK);
        for (size_t i = 0; i < nrows[g]; i++, next++)
            memcpy(batch->columns[0].values + i * 8, &next, 8);
    }
    stoa_test_file_write(&table->schema, table->batches, 2, NULL, &table->file);
}

static void lie_about_a_minimum(struct stoa_test_file *file)
{
    uint8_t *column = stoa_test_file_column(file, 0);
    uint8_t *group = file->bytes + stoa_load64(column + 40) + stoa_load16(column + 56);

    assert_int_equal(stoa_load64(group), 10);
    stoa_store64(group, 11);
}

static void lie_about_the_maximum_of_the_file(struct stoa_test_file *file)
{
    uint8_t *column = stoa_test_file_column(file, 0);

    stoa_store64(file->bytes + stoa_load64(column + 40) + 8, 80);
}

static void lie_about_nulls(struct stoa_test_file *file)
{
    stoa_store32(stoa_test_file_chunk(file, 1, 0) + 12, 1);
}

static void lie_about_nulls_twice(struct stoa_test_file *file)
{
    uint64_t group = stoa_load64(stoa_test_file_group(file, 1));

    stoa_store32(stoa_test_file_chunk(file, 1, 0) + 12, 1);
    stoa_store32(file->bytes + group + STOA_OBJECT_NBYTES + 16, 1);
}

static void lie_in_padding(struct stoa_test_file *file)
{
    file->bytes[stoa_load64(stoa_test_file_group(file, 1)) - 1] = 7;
}

static void lie_in_the_schema_object(struct stoa_test_file *file)
{
    file->bytes[2 * STOA_OBJECT_NBYTES + STOA_SCHEMA_HEAD_NBYTES + 16] = 3; /* field_id */
}

static void lie_in_the_name_hash(struct stoa_test_file *file)
{
    uint8_t *slots = stoa_test_file_section(file, STOA_SECTION_NAMES);

    stoa_store32(slots, 0);
    stoa_store32(slots + 4, 0);
}

static void lie_about_stream_rows(struct stoa_test_file *file)
{
    uint64_t group = stoa_load64(stoa_test_file_group(file, 1));

    stoa_store64(file->bytes + group + 32, 41);
}

static void lies_with_right_hashes_are_found(void **state)
{
    static const struct {
        void (*lie)(struct stoa_test_file *file);
        bool deep;
        const char *message;
    } cases[] = {
        {lie_about_a_minimum, true, "row group 0: column n: zone map 0: minimum does not hold"},
        {lie_about_the_maximum_of_the_file, true,
         "column n: zone map of the file: maximum does not hold"},
        {lie_about_nulls, false, "row group 1: column n: directory and footer differ"},
        {lie_about_nulls_twice, true, "row group 1: column n: 0 nulls, the footer says 1"},
        {lie_in_padding, false, "row group 0: padding: byte 383 is 7, must be 0"},
        {lie_in_the_schema_object, false, "schema at 64: differs from the schema of the footer"},
        {lie_in_the_name_hash, false, "column n: name hash: does not find it"},
        {lie_about_stream_rows, false, "object at 384: 41 rows in front of it, there are 40"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct stoa_test_table table;
        struct findings findings;

        make_numbers(&table);
        cases[i].lie(&table.file);
        stoa_test_rehash(table.file.bytes, table.file.nbytes);
        expect(&table.file, cases[i].deep, cases[i].message);
        (void)run(&table.file, false, &findings);
        assert_int_equal(findings.n > 0, !cases[i].deep);
        stoa_test_table_reset(&table);
    }
}

static void files_that_are_none_have_one_clear_finding(void **state)
{
    struct stoa_test_file empty = {(uint8_t *)"", 0};
    struct stoa_test_file text = {(uint8_t *)"vendor_id,passenger_count\nCMT,1\n", 32};
    struct findings findings;

    (void)state;
    expect(&empty, false, "not a Stoa file: it is empty");
    expect(&text, true, "not a Stoa file");
    assert_int_equal(run(&text, false, &findings).nfindings, 1);
}

/* ---- Failing allocations and reads. ---- */

static enum stoa_status verifies(void *context, struct stoa_error *err)
{
    struct stoa_verify_options options = {.deep = true};
    struct stoa_verify_result result;
    enum stoa_status st = stoa_verify(context, &options, &result, err);

    if (st == STOA_OK)
        assert_int_equal(result.nfindings, 0);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    static const size_t nrows[] = {600, 40};
    struct stoa_test_table table;
    struct stoa_source *source;

    (void)state;
    make("a_failing_allocation_is_reported", nrows, LENGTH_OF(nrows), &table);
    source = stoa_test_file_source(&table.file);
    stoa_test_each_failing_alloc(verifies, source);
    stoa_source_close(source);
    stoa_test_table_reset(&table);
}

static void a_failing_read_is_reported_and_no_finding(void **state)
{
    static const size_t nrows[] = {70000};
    struct stoa_test_table table;
    struct stoa_error err;
    uint64_t n = 0;
    enum stoa_status st;

    (void)state;
    make("a_failing_read_is_reported_and_no_finding", nrows, LENGTH_OF(nrows), &table);
    do {
        struct stoa_test_io_fault fault = {.fail_at = ++n, .os_errno = 5};
        struct stoa_source *source =
            stoa_test_faulty_source(stoa_test_file_source(&table.file), &fault);

        st = verifies(source, &err);
        assert_int_equal(st, fault.nfailed > 0 ? STOA_ERR_IO : STOA_OK);
        stoa_source_close(source);
    } while (st != STOA_OK);
    assert_true(n > 50);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intact_files_have_no_findings),
        cmocka_unit_test(hashing_an_intact_file_anew_changes_nothing),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(a_damaged_page_is_named),
        cmocka_unit_test(the_walk_goes_on_after_a_damaged_header),
        cmocka_unit_test(objects_are_checked_without_a_footer_too),
        cmocka_unit_test(lies_with_right_hashes_are_found),
        cmocka_unit_test(files_that_are_none_have_one_clear_finding),
        cmocka_unit_test(a_failing_allocation_is_reported),
        cmocka_unit_test(a_failing_read_is_reported_and_no_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
