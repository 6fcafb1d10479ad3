/*
 * Fields that no column wants: numbers and values of fixed sizes are passed over at once. What is
 * read of the others, and what is told of damage, is the same as when all are read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/avro_bytes.h"
#include "support/random.h"
#include "support/read_avro.h"

enum { NFIELDS = 40, NROWS = 300 };

/* In front of the number of the field, where a type has a name, and behind it. */
static const char *const types[][2] = {
    {"\"int\""},
    {"\"long\""},
    {"\"double\""},
    {"\"float\""},
    {"\"boolean\""},
    {"\"string\""},
    {"{\"type\":\"fixed\",\"name\":\"f", "\",\"size\":5}"},
    {"{\"type\":\"enum\",\"name\":\"e", "\",\"symbols\":[\"a\",\"b\",\"c\"]}"},
};
enum { NTYPES = sizeof(types) / sizeof(types[0]) };

/* Of any length, so that numbers of ten bytes are among them. */
static int64_t any_long(struct stoa_test_random *r)
{
    return (int64_t)(stoa_test_random_u64(r) >> stoa_test_random_below(r, 64));
}

/* Fields of the kinds, numbers more often, so that there are long runs of them. */
static void draw_kinds(struct stoa_test_random *r, unsigned kinds[NFIELDS])
{
    for (unsigned i = 0; i < NFIELDS; i++)
        kinds[i] = (unsigned)stoa_test_random_below(r, i % 2 == 0 ? 2 : NTYPES);
}

static void put_value(struct stoa_buffer *out, struct stoa_test_random *r, unsigned kind)
{
    static const size_t sizes[NTYPES] = {[2] = 8, [3] = 4, [6] = 5};
    const uint64_t bits = stoa_test_random_u64(r) >> 2;

    if (kind == 0)
        stoa_test_put_long(out, (int32_t)any_long(r));
    else if (kind == 1)
        stoa_test_put_long(out, stoa_test_random_below(r, 2) ? any_long(r) : -any_long(r));
    else if (kind == 4)
        stoa_test_put(out, (uint8_t[]){(uint8_t)(bits & 1)}, 1);
    else if (kind == 7)
        stoa_test_put_long(out, (int64_t)(bits % 3));
    else if (kind == 5)
        stoa_test_put(out, "\x06xyz", 4);
    else
        stoa_test_put(out, &bits, sizes[kind]);
}

static void put_rows(struct stoa_buffer *out, struct stoa_test_random *r, const unsigned *kinds,
                     unsigned nrows)
{
    for (unsigned row = 0; row < nrows; row++)
        for (unsigned i = 0; i < NFIELDS; i++)
            put_value(out, r, kinds[i]);
}

/* A file of one block with the data; it says nrows. */
static struct stoa_buffer file_of(const unsigned *kinds, unsigned nrows, const uint8_t *data,
                                  size_t nbytes)
{
    struct stoa_buffer file = {0}, schema = {0};
    char text[160], type[100];

    stoa_test_put(&schema, "{\"type\":\"record\",\"name\":\"r\",\"fields\":[", 38);
    for (unsigned i = 0; i < NFIELDS; i++) {
        const char *const *words = types[kinds[i]];

        if (words[1] != NULL)
            snprintf(type, sizeof(type), "%s%u%s", words[0], i, words[1]);
        else
            snprintf(type, sizeof(type), "%s", words[0]);
        snprintf(text, sizeof(text), "%s{\"name\":\"c%u\",\"type\":%s}", i > 0 ? "," : "", i, type);
        stoa_test_put(&schema, text, strlen(text));
    }
    stoa_test_put(&schema, "]}", 2);
    stoa_test_put(&file,
                  "Obj\x01\x02\x16"
                  "avro.schema",
                  17);
    stoa_test_put_long(&file, (int64_t)schema.nbytes);
    stoa_test_put(&file, schema.data, schema.nbytes);
    stoa_test_put(&file,
                  "\0"
                  "0123456789abcdef",
                  17);
    stoa_test_put_long(&file, nrows);
    stoa_test_put_long(&file, (int64_t)nbytes);
    stoa_test_put(&file, data, nbytes);
    stoa_test_put(&file, "0123456789abcdef", 16);
    stoa_buffer_free(&schema);
    return file;
}

static void what_is_wanted_is_the_same_without_the_rest(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_skip");
    for (int round = 0; round < 60; round++) {
        struct stoa_buffer data = {0}, file;
        struct stoa_test_avro all, some;
        struct stoa_error err = {0};
        unsigned kinds[NFIELDS];
        const uint64_t unwanted = stoa_test_random_u64(&r) | stoa_test_random_u64(&r);
        uint32_t k = 0;

        draw_kinds(&r, kinds);
        put_rows(&data, &r, kinds, NROWS);
        file = file_of(kinds, NROWS, data.data, data.nbytes);
        assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &all, &err),
                         STOA_OK);
        assert_int_equal(
            stoa_test_read_avro(file.data, file.nbytes, round % 2, unwanted, &some, &err), STOA_OK);
        assert_int_equal(some.batch.nrows, NROWS);
        for (uint32_t i = 0; i < NFIELDS; i++)
            if ((unwanted >> i & 1) == 0) {
                if (!stoa_array_equal(&all.schema.fields[i], &all.batch.columns[i],
                                      &some.batch.columns[k]))
                    fail_msg("round %d: column %u differs", round, i);
                k++;
            }
        assert_int_equal(k, some.batch.ncolumns);
        stoa_test_avro_reset(&all);
        stoa_test_avro_reset(&some);
        stoa_buffer_free(&file);
        stoa_buffer_free(&data);
    }
}

/* Reads with all columns and without any: the same message, unless both read it all. */
static void check_message(const unsigned *kinds, unsigned nrows, const uint8_t *data, size_t nbytes,
                          size_t at)
{
    struct stoa_buffer file = file_of(kinds, nrows, data, nbytes);
    struct stoa_error wanted = {0}, unwanted = {0};
    struct stoa_test_avro all, none;

    (void)!stoa_test_read_avro(file.data, file.nbytes, false, 0, &all, &wanted);
    (void)!stoa_test_read_avro(file.data, file.nbytes, false, UINT64_MAX, &none, &unwanted);
    if (strcmp(wanted.message, unwanted.message) != 0)
        fail_msg("at %zu: with all columns \"%s\", without \"%s\"", at, wanted.message,
                 unwanted.message);
    stoa_test_avro_reset(&all);
    stoa_test_avro_reset(&none);
    stoa_buffer_free(&file);
}

static void a_cut_is_told_of_the_field_that_it_is_in(void **state)
{
    (void)state;
    struct stoa_buffer data = {0};
    struct stoa_test_random r;
    unsigned kinds[NFIELDS];

    stoa_test_random_init(&r, "avro_skip_cut");
    draw_kinds(&r, kinds);
    put_rows(&data, &r, kinds, 2);
    for (size_t n = 0; n < data.nbytes; n++)
        check_message(kinds, 2, data.data, n, n);
    stoa_buffer_free(&data);
}

/* All fields are longs here, so that any bytes up to the length of a number are one. */
static void a_number_that_is_too_long_is_told_of_its_field(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
                                      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"};
    unsigned kinds[NFIELDS];

    for (unsigned i = 0; i < NFIELDS; i++)
        kinds[i] = 1;
    for (unsigned at = 0; at < 2 * NFIELDS; at++)
        for (int b = 0; b < 2; b++) {
            struct stoa_buffer data = {0};

            for (unsigned i = 0; i < 2 * NFIELDS; i++) {
                if (i == at)
                    stoa_test_put(&data, bad[b], strlen(bad[b]));
                else
                    stoa_test_put_long(&data, (int64_t)1 << (7 * i + at) % 62);
            }
            check_message(kinds, 2, data.data, data.nbytes, at);
            stoa_buffer_free(&data);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_is_the_same_without_the_rest),
        cmocka_unit_test(a_cut_is_told_of_the_field_that_it_is_in),
        cmocka_unit_test(a_number_that_is_too_long_is_told_of_its_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
