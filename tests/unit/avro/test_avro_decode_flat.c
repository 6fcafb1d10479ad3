/*
 * Many rows at once are read by a way of their own: it gives, and refuses, what single rows do,
 * which are read in the general way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "avro/avro_encoder.h"
#include "avro/avro_make.h"
#include "avro/avro_program.h"
#include "base/error.h"
#include "column/array.h"
#include "column/schema.h"
#include "support/avro_bytes.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

/* A schema, the columns that are wanted of it, and how these are read. */
struct reading {
    struct stoa_avro_schema schema;
    struct stoa_schema columns;
    struct stoa_avro_program program;
};

struct result {
    struct stoa_batch batch;
    size_t nused;
    enum stoa_status status;
    struct stoa_error err;
};

/* Columns whose number is in `unwanted` (a bit each) are passed over. */
static void reading_init(struct reading *r, const char *text, size_t nbytes, uint64_t unwanted)
{
    struct stoa_error err = {0};
    struct stoa_schema all = {0};
    uint32_t wanted[64], chosen[64], nchosen = 0;

    *r = (struct reading){0};
    stoa_test_check(stoa_avro_schema_parse(text, nbytes, &r->schema, &err), &err);
    stoa_test_check(stoa_avro_map_schema(&r->schema, &all, &err), &err);
    assert_true(all.nfields <= 64);
    for (uint32_t i = 0; i < all.nfields; i++) {
        wanted[i] = unwanted >> i & 1 ? STOA_AVRO_UNWANTED : nchosen;
        if (wanted[i] != STOA_AVRO_UNWANTED)
            chosen[nchosen++] = i;
    }
    stoa_test_check(stoa_schema_select(&r->columns, &all, chosen, nchosen, &err), &err);
    stoa_test_check(
        stoa_avro_program_init(&r->program, &r->schema, &r->schema, wanted, &r->columns, &err),
        &err);
    stoa_schema_reset(&all);
}

static void reading_reset(struct reading *r)
{
    stoa_avro_program_reset(&r->program);
    stoa_schema_reset(&r->columns);
    stoa_avro_schema_reset(&r->schema);
}

/* Reads all rows, up to nstep of them in a call. */
static enum stoa_status read_rows(const struct reading *r, const struct stoa_buffer *bytes,
                                  size_t nrows, size_t nstep, bool whole, struct result *out)
{
    const size_t nbytes = bytes->nbytes - STOA_AVRO_PADDING;
    struct stoa_avro_columns columns = {0};
    struct stoa_avro_decoded decoded = {.nrows = 1};
    size_t ndone = 0;
    enum stoa_status st;

    *out = (struct result){0};
    STOA_TRY(stoa_batch_init(&out->batch, &r->columns, &out->err));
    STOA_TRY(stoa_avro_columns_init(&columns, &r->columns, &out->err));
    while (st == STOA_OK && ndone < nrows && decoded.nrows > 0) {
        const size_t n = nrows - ndone < nstep ? nrows - ndone : nstep;

        st = stoa_avro_decode(&r->program, &columns, bytes->data + out->nused, nbytes - out->nused,
                              whole, n, &decoded, &out->err);
        out->err.offset += st == STOA_OK ? 0 : out->nused;
        out->nused += decoded.nused;
        ndone += decoded.nrows;
    }
    out->status = st;
    STOA_TRY(stoa_avro_columns_finish(&columns, ndone, &out->batch, &out->err));
    st = out->status;
out:
    stoa_avro_columns_reset(&columns);
    return st;
}

static void assert_same(const struct reading *r, const struct stoa_buffer *bytes, size_t nrows,
                        size_t nstep, bool whole)
{
    struct stoa_error invalid = {0};
    struct result flat, general;

    (void)read_rows(r, bytes, nrows, 1, whole, &general);
    (void)read_rows(r, bytes, nrows, nstep, whole, &flat);
    assert_int_equal(flat.status, general.status);
    assert_string_equal(flat.err.message, general.err.message);
    assert_int_equal(flat.err.offset, general.err.offset);
    assert_int_equal(flat.nused, general.nused);
    assert_int_equal(flat.batch.nrows, general.batch.nrows);
    stoa_test_check(stoa_batch_validate(&flat.batch, &invalid), &invalid);
    assert_true(stoa_batch_equal(&flat.batch, &general.batch));
    stoa_batch_reset(&flat.batch);
    stoa_batch_reset(&general.batch);
}

/* Rows of a batch with padding behind them, and how they are read. */
static void encode(const struct stoa_batch *batch, uint64_t unwanted, struct reading *r,
                   struct stoa_buffer *out)
{
    struct stoa_buffer text = {0};
    struct stoa_avro_schema schema = {0};
    struct stoa_avro_encoder encoder = {0};
    struct stoa_avro_rows rows = {0};
    struct stoa_error err = {0};

    stoa_test_check(stoa_avro_make_schema(batch->schema, "t", &text, NULL, &err), &err);
    stoa_test_check(stoa_avro_schema_parse((char *)text.data, text.nbytes, &schema, &err), &err);
    stoa_test_check(stoa_avro_encoder_init(&encoder, &schema, batch->schema, &err), &err);
    reading_init(r, (char *)text.data, text.nbytes, unwanted);
    if (stoa_avro_encode(&encoder, batch, SIZE_MAX, &rows, NULL) != STOA_OK)
        rows.bytes.nbytes = 0; /* a value that Avro does not have: no rows are as good */
    *out = (struct stoa_buffer){0};
    stoa_test_put(out, rows.bytes.data, rows.bytes.nbytes);
    stoa_test_check(stoa_buffer_append_zeros(out, STOA_AVRO_PADDING, NULL), NULL);
    stoa_avro_rows_reset(&rows);
    stoa_avro_encoder_reset(&encoder);
    stoa_avro_schema_reset(&schema);
    stoa_buffer_free(&text);
}

/* Cuts the data somewhere, or makes some of its bytes others. */
static void damage(struct stoa_test_random *r, struct stoa_buffer *bytes)
{
    const size_t nbytes = bytes->nbytes - STOA_AVRO_PADDING;
    const size_t n = (size_t)stoa_test_random_below(r, nbytes + 1);

    if (stoa_test_random_one_in(r, 3)) {
        memmove(bytes->data + n, bytes->data + nbytes, STOA_AVRO_PADDING);
        bytes->nbytes = n + STOA_AVRO_PADDING;
        return;
    }
    for (size_t i = n; i < nbytes && i < n + 3; i++)
        bytes->data[i] = (uint8_t)stoa_test_random_u64(r);
}

static void rows_of_all_types_are_the_same(void **state)
{
    (void)state;
    const size_t nrounds = stoa_test_ncases(800);
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_decode_flat");
    for (size_t round = 0; round < nrounds; round++) {
        const uint32_t ncolumns =
            (uint32_t)stoa_test_random_between(&r, 1, round % 9 == 0 ? 40 : 6);
        const uint64_t unwanted = round % 3 == 0 ? stoa_test_random_u64(&r) : 0;
        const size_t nstep = (size_t)stoa_test_random_between(&r, 8, 700);
        struct stoa_schema schema = {0};
        struct stoa_buffer bytes;
        struct stoa_batch batch;
        struct reading reading;

        if (round % 4 == 0)
            stoa_test_gen_any_schema(&r, ncolumns, 3, &schema);
        else
            stoa_test_gen_schema(&r, ncolumns, &schema);
        stoa_test_gen_batch(&r, &schema, (size_t)stoa_test_random_below(&r, 500), &batch);
        encode(&batch, unwanted, &reading, &bytes);
        assert_same(&reading, &bytes, batch.nrows, nstep, true);
        for (unsigned i = 0; i < 4; i++) {
            damage(&r, &bytes);
            assert_same(&reading, &bytes, batch.nrows, nstep, i % 2 == 0);
        }
        stoa_buffer_free(&bytes);
        reading_reset(&reading);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

/* Numbers with every number of bytes that they can have, also with more than they need. */
static void put_wide_long(struct stoa_buffer *out, uint64_t zigzag, unsigned nbytes)
{
    uint8_t bytes[11];

    for (unsigned i = 0; i < nbytes; i++) {
        bytes[i] = (uint8_t)(zigzag | (i + 1 < nbytes ? 0x80 : 0));
        bytes[i] &= i + 1 < nbytes ? 0xff : 0x7f;
        zigzag >>= 7;
    }
    stoa_test_put(out, bytes, nbytes);
}

static void numbers_of_every_length_are_the_same(void **state)
{
    (void)state;
    static const char *const types[] = {"\"int\"", "\"long\"", "[\"null\",\"long\"]"};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_decode_flat_numbers");
    for (size_t round = 0; round < 3 * 12 * 12; round++) {
        struct stoa_buffer bytes = {0};
        struct reading reading;

        for (size_t i = 0; i < 40; i++) { /* in the middle one that may be too long or too large */
            const unsigned nbits = i == 20 ? 64 : 31, most = i == 20 ? 11 : 10;
            const uint64_t x = stoa_test_random_u64(&r) >> (64 - nbits);

            if (round % 3 == 2)
                stoa_test_put(&bytes, i % 7 == 3 ? "\x00" : "\x02", 1);
            if (round % 3 == 2 && i % 7 == 3)
                continue;
            put_wide_long(&bytes, x >> stoa_test_random_below(&r, nbits),
                          (unsigned)stoa_test_random_between(&r, i == 20 ? 1 : 5, most));
        }
        stoa_test_check(stoa_buffer_append_zeros(&bytes, STOA_AVRO_PADDING, NULL), NULL);
        reading_init(&reading, types[round % 3], strlen(types[round % 3]), 0);
        assert_same(&reading, &bytes, 40, 40, true);
        reading_reset(&reading);
        stoa_buffer_free(&bytes);
    }
}

/* Texts around the length that is copied whole, with and without characters of several bytes. */
static void texts_of_every_length_are_the_same(void **state)
{
    (void)state;
    static const char *const types[] = {"\"string\"", "\"bytes\"", "[\"string\",\"null\"]"};
    static const char last[][4] = {"x", "\xc3\xa9", "\xff", "\xc3"};

    for (size_t round = 0; round < 3 * 4 * 70; round++) {
        struct stoa_buffer bytes = {0};
        struct reading reading;
        char text[80];

        for (size_t i = 0; i < 40; i++) { /* text with a byte above 0x7f right behind it, too */
            const char *end = last[i == 30 ? round / 3 % 4 : i % 2];

            memset(text, 'a' + (int)(i % 26), sizeof(text));
            snprintf(text + (i == 30 ? round / 12 : i * 2 % 67), 4, "%s", end);
            if (round % 3 == 2)
                stoa_test_put(&bytes, i % 5 == 3 ? "\x02" : "\x00", 1);
            if (round % 3 != 2 || i % 5 != 3)
                stoa_test_put_text(&bytes, text);
        }
        stoa_test_check(stoa_buffer_append_zeros(&bytes, STOA_AVRO_PADDING, NULL), NULL);
        reading_init(&reading, types[round % 3], strlen(types[round % 3]), 0);
        assert_same(&reading, &bytes, 40, 40, true);
        reading_reset(&reading);
        stoa_buffer_free(&bytes);
    }
}

/* Any byte as the branch of a union that has only one: 0 alone is one. */
static void a_union_of_one_branch_has_no_null(void **state)
{
    (void)state;
    static const char type[] = "[\"string\"]";

    for (unsigned byte = 0; byte < 256; byte++) {
        struct stoa_buffer bytes = {0};
        struct reading reading;

        for (size_t i = 0; i < 40; i++) {
            stoa_test_put(&bytes, i == 30 ? (char[]){(char)byte} : "\x00", 1);
            stoa_test_put_text(&bytes, "abc");
        }
        stoa_test_check(stoa_buffer_append_zeros(&bytes, STOA_AVRO_PADDING, NULL), NULL);
        reading_init(&reading, type, strlen(type), 0);
        assert_same(&reading, &bytes, 40, 40, true);
        reading_reset(&reading);
        stoa_buffer_free(&bytes);
    }
}

/* An array of nulls has no bytes: how many of them a call takes is counted. */
static void items_without_bytes_are_counted_anew(void **state)
{
    (void)state;
    static const char text[] = "{\"type\":\"record\",\"name\":\"r\",\"fields\":["
                               "{\"name\":\"i\",\"type\":\"int\"},"
                               "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},"
                               "{\"name\":\"s\",\"type\":\"string\"}]}";
    struct stoa_buffer bytes = {0};
    struct reading reading;

    for (size_t i = 0; i < 24; i++) {
        stoa_test_put_long(&bytes, (int64_t)i);
        stoa_test_put_long(&bytes, 300000);
        stoa_test_put_long(&bytes, 0);
        stoa_test_put_text(&bytes, "end");
    }
    stoa_test_check(stoa_buffer_append_zeros(&bytes, STOA_AVRO_PADDING, NULL), NULL);
    reading_init(&reading, text, sizeof(text) - 1, 0);
    assert_same(&reading, &bytes, 24, 24, true);
    reading_reset(&reading);
    stoa_buffer_free(&bytes);
}

struct scenario {
    const struct reading *reading;
    const struct stoa_buffer *bytes;
    size_t nrows;
};

static enum stoa_status read_flat(void *context, struct stoa_error *err)
{
    const struct scenario *scenario = context;
    struct result result;
    const enum stoa_status st =
        read_rows(scenario->reading, scenario->bytes, scenario->nrows, 4096, true, &result);

    if (err != NULL)
        *err = result.err;
    stoa_batch_reset(&result.batch);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_buffer bytes;
    struct stoa_batch batch;
    struct reading reading;

    stoa_test_make_keys(&schema, 4000, &batch);
    encode(&batch, 0, &reading, &bytes);
    stoa_test_each_failing_alloc(read_flat, &(struct scenario){&reading, &bytes, batch.nrows});
    stoa_buffer_free(&bytes);
    reading_reset(&reading);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_all_types_are_the_same),
        cmocka_unit_test(numbers_of_every_length_are_the_same),
        cmocka_unit_test(texts_of_every_length_are_the_same),
        cmocka_unit_test(a_union_of_one_branch_has_no_null),
        cmocka_unit_test(items_without_bytes_are_counted_anew),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
