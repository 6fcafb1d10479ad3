/* Rows without parts are put by a way of their own: it gives what the general one gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "avro/avro_encoder.h"
#include "avro/avro_make.h"
#include "column/builder.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

struct encoding {
    struct stoa_buffer text;
    struct stoa_avro_schema schema;
    struct stoa_avro_encoder encoder;
};

static void encoding_init(struct encoding *e, const struct stoa_schema *columns)
{
    struct stoa_error err = {0};

    *e = (struct encoding){0};
    stoa_test_check(stoa_avro_make_schema(columns, "t", &e->text, NULL, &err), &err);
    stoa_test_check(stoa_avro_schema_parse((char *)e->text.data, e->text.nbytes, &e->schema, &err),
                    &err);
    stoa_test_check(stoa_avro_encoder_init(&e->encoder, &e->schema, columns, &err), &err);
}

static void encoding_reset(struct encoding *e)
{
    stoa_avro_encoder_reset(&e->encoder);
    stoa_avro_schema_reset(&e->schema);
    stoa_buffer_free(&e->text);
}

/* Pieces end where one brings them to piece_nbytes; of one piece of any size rows are not flat. */
static void assert_same(const struct stoa_batch *batch, size_t piece_nbytes)
{
    struct encoding e;
    struct stoa_avro_rows flat = {0}, general = {0};
    struct stoa_error err = {0}, expected = {0};
    enum stoa_status st;
    size_t at = 0;

    encoding_init(&e, batch->schema);
    st = stoa_avro_encode(&e.encoder, batch, SIZE_MAX, &general, &expected);
    assert_int_equal(stoa_avro_encode(&e.encoder, batch, piece_nbytes, &flat, &err), st);
    if (st != STOA_OK) {
        assert_string_equal(err.message, expected.message);
        assert_int_equal(err.offset, expected.offset);
    } else {
        assert_int_equal(flat.bytes.nbytes, general.bytes.nbytes);
        if (flat.bytes.nbytes > 0)
            assert_memory_equal(flat.bytes.data, general.bytes.data, flat.bytes.nbytes);
        for (size_t i = 0; i < flat.npieces; at += flat.pieces[i++].nbytes)
            if (i + 1 < flat.npieces)
                assert_true(flat.pieces[i].nbytes >= piece_nbytes);
        assert_int_equal(at, flat.bytes.nbytes);
    }
    stoa_avro_rows_reset(&flat);
    stoa_avro_rows_reset(&general);
    encoding_reset(&e);
}

static void rows_of_all_leaves_are_the_same(void **state)
{
    (void)state;
    const size_t nrounds = stoa_test_ncases(600);
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_encode_flat");
    for (size_t round = 0; round < nrounds; round++) {
        const uint32_t ncolumns =
            (uint32_t)stoa_test_random_between(&r, 1, round % 9 == 0 ? 40 : 5);
        struct stoa_schema schema = {0};
        struct stoa_batch batch;

        stoa_test_gen_schema(&r, ncolumns, &schema);
        stoa_test_gen_batch(&r, &schema, (size_t)stoa_test_random_below(&r, 3000), &batch);
        assert_same(&batch, (size_t)1 << stoa_test_random_between(&r, 0, 17));
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

/* Every number of bytes that an int has, on both sides of each border. */
static int64_t around_borders(size_t i)
{
    const uint64_t border = (uint64_t)1 << (i / 8) % 64;
    const uint64_t x = border + i % 4 - 2;

    return (int64_t)(i % 8 < 4 ? x : 0 - x);
}

static void numbers_of_every_length_are_the_same(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;

    stoa_test_add_column(&schema, "n", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(&batch, &schema, NULL), NULL);
    batch.nrows = 64 * 8;
    stoa_test_make_numbers(&batch.columns[0], batch.nrows, around_borders);
    assert_same(&batch, 1 << 20);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* Texts around the lengths that are copied whole, that make a row stop, and that need more room. */
static void texts_of_every_length_are_the_same(void **state)
{
    (void)state;
    static const size_t lengths[] = {0,    1,     31,    32,    33,     63, 64,      100, 8191,
                                     8192, 32767, 32768, 32769, 300000, 5,  1200000, 32};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_builder builder;
    size_t nbytes = 0;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        nbytes += 3 * lengths[i];
    stoa_test_add_column(&schema, "b", STOA_BINARY, true);
    stoa_test_check(stoa_batch_init(&batch, &schema, NULL), NULL);
    stoa_test_check(stoa_builder_init(&builder, &schema.fields[0].type, 64, NULL), NULL);
    stoa_test_check(stoa_builder_reserve(&builder, 64, nbytes, NULL), NULL);
    for (size_t i = 0; i < 3 * sizeof(lengths) / sizeof(lengths[0]); i++) {
        static uint8_t bytes[1200000];
        const size_t n = lengths[i % (sizeof(lengths) / sizeof(lengths[0]))];

        memset(bytes, 'a' + (int)(i % 26), n);
        stoa_builder_append_bytes(&builder, bytes, n);
        if (i % 5 == 0)
            stoa_builder_append_null(&builder);
    }
    stoa_builder_finish(&builder, &batch.columns[0]);
    batch.nrows = batch.columns[0].nvalues;
    assert_same(&batch, 1);
    assert_same(&batch, 100000);
    assert_same(&batch, 1 << 26);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

struct scenario {
    const struct stoa_avro_encoder *encoder;
    const struct stoa_batch *batch;
};

static enum stoa_status encode_flat(void *context, struct stoa_error *err)
{
    const struct scenario *scenario = context;
    struct stoa_avro_rows rows = {0};
    const enum stoa_status st =
        stoa_avro_encode(scenario->encoder, scenario->batch, 1000, &rows, err);

    stoa_avro_rows_reset(&rows);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct encoding e;

    stoa_test_make_keys(&schema, 4000, &batch);
    encoding_init(&e, &schema);
    stoa_test_each_failing_alloc(encode_flat, &(struct scenario){&e.encoder, &batch});
    encoding_reset(&e);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_all_leaves_are_the_same),
        cmocka_unit_test(numbers_of_every_length_are_the_same),
        cmocka_unit_test(texts_of_every_length_are_the_same),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
