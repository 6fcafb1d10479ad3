/* Footers that are one zstd frame: the same file in fewer bytes, and what is wrong with one is
 * said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/layout.h"
#include "support/fault_alloc.h"
#include "support/stoa_file.h"

enum { DIR_NBYTES = 28, DIR_HASH = 48, HEADER_HASH = 56, PACKED_NBYTES = 34, TRAILER_HASH = 48 };

static struct stoa_test_table plain;
static struct stoa_test_file packed;

static int make(void **state)
{
    struct stoa_rules rules = stoa_default_rules;
    static const size_t nrows[] = {20, 3};
    struct stoa_test_random random;
    struct stoa_schema schema;

    (void)state;
    stoa_test_random_seed(&random, 11);
    stoa_test_schema_of_all_types(&random, &schema);
    stoa_test_table_make(&random, &schema, nrows, 2, NULL, &plain);
    rules.schema_pack_nbytes = 0; /* so that all else stands where it does in the other one */
    stoa_test_file_write(&plain.schema, plain.batches, 2, &rules, &packed);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    stoa_test_file_reset(&packed);
    stoa_test_table_reset(&plain);
    return 0;
}

static uint8_t *trailer_of(const struct stoa_test_file *file)
{
    return file->bytes + file->nbytes - STOA_TRAILER_NBYTES;
}

static uint8_t *header_of(const struct stoa_test_file *file)
{
    return file->bytes + stoa_load64(trailer_of(file));
}

/* Header and trailer say again what they hold. */
static void rehash(const struct stoa_test_file *file)
{
    uint8_t *header = header_of(file), *trailer = trailer_of(file);
    uint32_t dir_nbytes = stoa_load32(header + DIR_NBYTES);

    if (dir_nbytes <= file->nbytes - (size_t)(header - file->bytes) - STOA_OBJECT_NBYTES)
        stoa_store64(header + DIR_HASH, stoa_hash(header + STOA_OBJECT_NBYTES, dir_nbytes));
    stoa_store64(header + HEADER_HASH, stoa_hash(header, HEADER_HASH));
    stoa_store64(trailer + TRAILER_HASH, stoa_hash(trailer, TRAILER_HASH));
}

static enum stoa_status open_source(void *context, struct stoa_error *err)
{
    struct stoa_source *source = context;
    struct stoa_reader *reader = NULL;
    bool equal = false;
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(source, NULL, &reader, err));
    STOA_TRY(stoa_test_table_compare(&plain, reader, &equal, err));
    assert_true(equal);
out:
    stoa_reader_close(reader);
    return st;
}

static enum stoa_status open_and_compare(const struct stoa_test_file *file, struct stoa_error *err)
{
    struct stoa_source *source = stoa_test_file_source(file);
    enum stoa_status st = open_source(source, err);

    stoa_source_close(source);
    return st;
}

static void a_packed_footer_is_shorter_and_says_the_same(void **state)
{
    struct stoa_source *a = stoa_test_file_source(&plain.file), *b = stoa_test_file_source(&packed);
    struct stoa_reader *of_plain, *of_packed;
    struct stoa_error err = {0};

    (void)state;
    assert_int_equal(stoa_load16(trailer_of(&plain.file) + PACKED_NBYTES), 0);
    assert_true(stoa_load16(trailer_of(&packed) + PACKED_NBYTES) > 0);
    assert_true(packed.nbytes < plain.file.nbytes);
    assert_int_equal(open_and_compare(&packed, &err), STOA_OK);
    assert_int_equal(stoa_reader_open(a, NULL, &of_plain, &err), STOA_OK);
    assert_int_equal(stoa_reader_open(b, NULL, &of_packed, &err), STOA_OK);
    assert_int_equal(stoa_reader_identity(of_plain), stoa_reader_identity(of_packed));
    stoa_reader_close(of_plain);
    stoa_reader_close(of_packed);
    stoa_source_close(a);
    stoa_source_close(b);
}

static void report(void *context, const struct stoa_error *finding)
{
    char *first = context;

    if (first[0] == '\0')
        memcpy(first, finding->message, sizeof(finding->message));
}

/* Opens and verifies a copy that `change` was made to; both must say `message`. */
static void expect(void (*change)(const struct stoa_test_file *file), const char *message)
{
    struct stoa_test_file file = {malloc(packed.nbytes), packed.nbytes};
    char finding[STOA_ERROR_MESSAGE_NBYTES] = "";
    struct stoa_verify_options options = {.report = report, .context = finding};
    struct stoa_verify_result result = {0};
    struct stoa_error err = {0};
    struct stoa_source *source;

    assert_non_null(file.bytes);
    memcpy(file.bytes, packed.bytes, packed.nbytes);
    change(&file);
    assert_int_equal(open_and_compare(&file, &err), STOA_ERR_CORRUPT);
    assert_string_equal(err.message, message);
    source = stoa_test_file_source(&file);
    assert_int_equal(stoa_verify(source, &options, &result, &err), STOA_OK);
    assert_true(result.nfindings > 0);
    assert_string_equal(finding, message);
    stoa_source_close(source);
    free(file.bytes);
}

static void flip_frame(const struct stoa_test_file *file)
{
    header_of(file)[STOA_OBJECT_NBYTES + 20] ^= 1;
}

static void cut_frame(const struct stoa_test_file *file)
{
    stoa_store32(header_of(file) + DIR_NBYTES, stoa_load32(header_of(file) + DIR_NBYTES) - 1);
    rehash(file);
}

static void claim_more(const struct stoa_test_file *file)
{
    stoa_store16(trailer_of(file) + PACKED_NBYTES,
                 (uint16_t)(stoa_load16(trailer_of(file) + PACKED_NBYTES) + 64));
    rehash(file);
}

static void claim_not_packed(const struct stoa_test_file *file)
{
    stoa_store16(trailer_of(file) + PACKED_NBYTES, 0);
    rehash(file);
}

static void claim_a_long_frame(const struct stoa_test_file *file)
{
    stoa_store32(header_of(file) + DIR_NBYTES, UINT32_MAX);
    rehash(file);
}

static void be_a_pad(const struct stoa_test_file *file)
{
    header_of(file)[8] = STOA_OBJECT_PAD;
    rehash(file);
}

static void what_is_wrong_with_a_frame_is_said(void **state)
{
    char text[200];
    unsigned nbytes = stoa_load16(trailer_of(&packed) + PACKED_NBYTES);
    unsigned long body = packed.nbytes - stoa_load64(trailer_of(&packed)) - STOA_OBJECT_NBYTES;

    (void)state;
    expect(flip_frame, "footer: hash differs");
    expect(cut_frame, "footer: zstd: Src size is incorrect");
    (void)snprintf(text, sizeof(text), "footer: zstd: the frame holds %u bytes, not %u", nbytes,
                   nbytes + 64);
    expect(claim_more, text);
    expect(claim_not_packed, "section table: hash differs");
    (void)snprintf(text, sizeof(text),
                   "footer: object header: directory of %u bytes in a body of %lu", UINT32_MAX,
                   body);
    expect(claim_a_long_frame, text);
    (void)snprintf(text, sizeof(text),
                   "footer: an object of kind 7 with %lu bytes where a footer of %lu must be", body,
                   body);
    expect(be_a_pad, text);
}

static void bytes_behind_the_frame_are_found(void **state)
{
    uint32_t frame_nbytes = stoa_load32(header_of(&packed) + DIR_NBYTES);
    uint8_t *behind = header_of(&packed) + STOA_OBJECT_NBYTES + frame_nbytes;
    char finding[STOA_ERROR_MESSAGE_NBYTES] = "";
    struct stoa_verify_options options = {.report = report, .context = finding};
    struct stoa_verify_result result = {0};
    struct stoa_error err = {0};
    struct stoa_source *source = stoa_test_file_source(&packed);
    char text[200];

    (void)state;
    assert_true(behind < trailer_of(&packed));
    *behind = 5;
    (void)snprintf(text, sizeof(text), "footer: padding: byte %zu is 5, must be 0",
                   (size_t)(behind - packed.bytes));
    assert_int_equal(stoa_verify(source, &options, &result, &err), STOA_OK);
    assert_int_equal(result.nfindings, 1);
    assert_string_equal(finding, text);
    *behind = 0;
    stoa_source_close(source);
}

static void a_failing_allocation_is_reported(void **state)
{
    struct stoa_source *source = stoa_test_file_source(&packed);

    (void)state;
    stoa_test_each_failing_alloc(open_source, source);
    stoa_source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packed_footer_is_shorter_and_says_the_same),
        cmocka_unit_test(what_is_wrong_with_a_frame_is_said),
        cmocka_unit_test(bytes_behind_the_frame_are_found),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
