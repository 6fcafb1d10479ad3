/*
 * Pages are decoded before they are written: with loops that are wrong, a writer fails with column
 * and page, and without the check it writes a file that holds other values. The loops of this
 * program are its own (codec/kernels_best.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stoa/writer.h>

#include "codec/kernels.h"
#include "support/columns.h"

static struct stoa_kernels kernels;

const struct stoa_kernels *stoa_kernels(void)
{
    return &kernels;
}

/* One bit of a packed block becomes another. */
static void wrong_pack64(const uint8_t *values, uint64_t base, unsigned nbits, uint8_t *packed)
{
    stoa_kernels_scalar.pack[3](values, base, nbits, packed);
    if (nbits > 0)
        packed[100] ^= 4;
}

static void wrong_pack32(const uint8_t *values, uint64_t base, unsigned nbits, uint8_t *packed)
{
    stoa_kernels_scalar.pack[2](values, base, nbits, packed);
    if (nbits > 0)
        packed[0] ^= 1;
}

enum { NROWS = 20000 };

static uint64_t noise(size_t i)
{
    uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return x >> 20;
}

static const char *text(size_t i, char room[64])
{
    if (i % 500 == 3)
        return NULL;
    (void)snprintf(room, 64, "text %u", (unsigned)(noise(i) % 128));
    return room;
}

static int64_t number(size_t i)
{
    return (int64_t)(noise(i) % 1000003);
}

/* Writes a table of "text" and "number"; what the writer said, and the sink. */
static enum stoa_status write_table(bool no_page_checks, struct stoa_sink **sink,
                                    struct stoa_error *err)
{
    struct stoa_writer_options options = {.no_page_checks = no_page_checks};
    struct stoa_schema schema = {0};
    struct stoa_writer *writer;
    struct stoa_batch batch;
    enum stoa_status st;

    stoa_test_add_column(&schema, "text", STOA_UTF8, true);
    stoa_test_add_column(&schema, "number", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(&batch, &schema, err), err);
    stoa_array_reset(&batch.columns[0]);
    stoa_array_reset(&batch.columns[1]);
    stoa_test_make_texts(&batch.columns[0], NROWS, text);
    stoa_test_make_numbers(&batch.columns[1], NROWS, number);
    batch.nrows = NROWS;
    stoa_test_check(stoa_sink_create_memory(sink, err), err);
    stoa_test_check(stoa_writer_open(*sink, &schema, &options, &writer, err), err);
    st = stoa_writer_append(writer, &batch, err);
    if (st == STOA_OK)
        st = stoa_writer_finish(writer, err);
    stoa_writer_close(writer);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
    return st;
}

static void what_comes_back_as_something_else_is_not_written(void **state)
{
    static const struct {
        void (*pack32)(const uint8_t *, uint64_t, unsigned, uint8_t *);
        void (*pack64)(const uint8_t *, uint64_t, unsigned, uint8_t *);
        const char *message;
    } cases[] = {
        {wrong_pack32, NULL,
         "column text: page 0: value 0 comes back as another one from dict(pfor): a fault of "
         "this program or machine"},
        {NULL, wrong_pack64,
         "column number: page 0: value 28 comes back as another one from pfor: a fault of "
         "this program or machine"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct stoa_error err = {0};
        struct stoa_sink *sink;

        kernels = stoa_kernels_scalar;
        if (cases[k].pack32 != NULL)
            kernels.pack[2] = cases[k].pack32;
        if (cases[k].pack64 != NULL)
            kernels.pack[3] = cases[k].pack64;
        assert_int_equal(write_table(false, &sink, &err), STOA_ERR_CORRUPT);
        assert_string_equal(err.message, cases[k].message);
        sink->close(sink);

        /* The fault is one: without the check nobody sees it. */
        assert_int_equal(write_table(true, &sink, &err), STOA_OK);
        sink->close(sink);
    }
}

static void right_loops_write_a_file(void **state)
{
    struct stoa_error err = {0};
    struct stoa_sink *sink;

    (void)state;
    kernels = stoa_kernels_scalar;
    stoa_test_check(write_table(false, &sink, &err), &err);
    sink->close(sink);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_back_as_something_else_is_not_written),
        cmocka_unit_test(right_loops_write_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
