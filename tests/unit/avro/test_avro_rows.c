/* Rows and messages without a file: their bytes, what is refused, and that all values come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/avro_rows.h>

#include "base/alloc.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

static const char json[] = "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"x\","
                           "\"type\":\"long\"},{\"name\":\"s\",\"type\":[\"null\",\"string\"]}]}";

/* The example of spec/avro.md: 1 and "ab", then -1 and null. */
static const uint8_t messages[] = {0xc3, 0x01, 0xe4, 0xd8, 0x23, 0xf0, 0xcb, 0x6f, 0x68,
                                   0xe8, 0x02, 0x02, 0x04, 'a',  'b',  0xc3, 0x01, 0xe4,
                                   0xd8, 0x23, 0xf0, 0xcb, 0x6f, 0x68, 0xe8, 0x01, 0x00};

static struct stoa_avro_row_reader *new_reader(const char *text, enum stoa_avro_framing framing)
{
    struct stoa_avro_row_reader *reader = NULL;
    struct stoa_error err = {0};

    stoa_test_check(stoa_avro_row_reader_new(text, strlen(text), framing, &reader, &err), &err);
    return reader;
}

static struct stoa_avro_row_writer *new_writer(const struct stoa_schema *schema,
                                               enum stoa_avro_framing framing)
{
    struct stoa_avro_row_writer *writer = NULL;
    struct stoa_error err = {0};

    stoa_test_check(stoa_avro_row_writer_new(schema, "t", framing, &writer, &err), &err);
    return writer;
}

static void messages_are_as_the_specification_has_them(void **state)
{
    (void)state;
    struct stoa_avro_row_reader *reader = new_reader(json, STOA_AVRO_MESSAGES);
    const struct stoa_schema *schema = stoa_avro_row_reader_schema(reader);
    struct stoa_avro_row_writer *writer = new_writer(schema, STOA_AVRO_MESSAGES);
    struct stoa_batch batch;
    struct stoa_error err = {0};
    uint64_t fingerprint;
    uint8_t *bytes;
    size_t ends[2];

    assert_string_equal(stoa_avro_row_writer_json(writer), json);
    assert_true(stoa_avro_message_fingerprint(messages, sizeof(messages), &fingerprint));
    assert_int_equal(fingerprint, stoa_avro_row_reader_fingerprint(reader));
    assert_int_equal(fingerprint, stoa_avro_row_writer_fingerprint(writer));
    stoa_test_check(stoa_avro_row_reader_read(reader, messages, sizeof(messages), 2, &batch, &err),
                    &err);
    assert_int_equal(batch.nrows, 2);
    assert_memory_equal(batch.columns[0].values, ((int64_t[]){1, -1}), 16);
    assert_memory_equal(batch.columns[1].values, "ab", 2);
    assert_true(stoa_array_is_null(&batch.columns[1], 1));
    stoa_test_check(stoa_avro_row_writer_write(writer, &batch, &bytes, ends, &err), &err);
    assert_int_equal(ends[0], 15);
    assert_int_equal(ends[1], sizeof(messages));
    assert_memory_equal(bytes, messages, sizeof(messages));
    stoa_free(bytes);
    stoa_batch_reset(&batch);
    stoa_avro_row_writer_free(writer);
    stoa_avro_row_reader_free(reader);
}

static void what_is_no_message_is_told_apart(void **state)
{
    (void)state;
    uint8_t other[sizeof(messages)];
    uint64_t fingerprint;

    for (size_t n = 0; n < STOA_AVRO_MESSAGE_NBYTES; n++)
        assert_false(stoa_avro_message_fingerprint(messages, n, &fingerprint));
    for (size_t i = 0; i < 2; i++) {
        memcpy(other, messages, sizeof(other));
        other[i]++;
        assert_false(stoa_avro_message_fingerprint(other, sizeof(other), &fingerprint));
    }
}

static void other_bytes_than_the_rows_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t begin, nbytes, nrows;
        uint64_t offset;
        const char *message;
    } cases[] = {
        {0, 27, 1, 15, "12 bytes are left behind the last of 1 rows"},
        {0, 27, 0, 0, "27 bytes are left behind the last of 0 rows"},
        {0, 27, 3, 27, "row 3: no message begins here: c3 01 and 8 bytes"},
        {1, 26, 2, 0, "row 1: no message begins here: c3 01 and 8 bytes"},
        {0, 24, 2, 15, "row 2: no message begins here: c3 01 and 8 bytes"},
    };
    struct stoa_avro_row_reader *reader = new_reader(json, STOA_AVRO_MESSAGES);
    struct stoa_avro_row_reader *other = new_reader("\"int\"", STOA_AVRO_MESSAGES);
    struct stoa_batch batch;
    struct stoa_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(stoa_avro_row_reader_read(reader, messages + cases[i].begin,
                                                   cases[i].nbytes, cases[i].nrows, &batch, &err),
                         STOA_ERR_DATA);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.offset, cases[i].offset);
    }
    for (size_t n = 0; n < sizeof(messages); n++) {
        assert_int_equal(stoa_avro_row_reader_read(reader, messages, n, 2, &batch, &err),
                         STOA_ERR_DATA);
        assert_true(err.offset <= n);
    }
    assert_int_equal(stoa_avro_row_reader_read(other, messages, sizeof(messages), 2, &batch, &err),
                     STOA_ERR_DATA);
    assert_string_equal(err.message, "row 1: the schema of the message has the fingerprint "
                                     "e8686fcbf023d8e4, that of the reader 7275d51a3f395c8f");
    stoa_avro_row_reader_free(other);
    stoa_avro_row_reader_free(reader);
}

static void a_value_that_is_wrong_is_named(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {2, 0, 4, 6}; /* a row; then branch 3 */
    struct stoa_avro_row_reader *reader = new_reader(json, STOA_AVRO_BARE);
    struct stoa_batch batch;
    struct stoa_error err;

    assert_int_equal(stoa_avro_row_reader_read(reader, bytes, sizeof(bytes), 2, &batch, &err),
                     STOA_ERR_DATA);
    assert_string_equal(err.message, "row 2: field s: the union has no branch 3");
    assert_int_equal(err.offset, 2); /* where its row begins */
    stoa_avro_row_reader_free(reader);
}

static void a_message_that_is_wrong_is_told_by_its_head(void **state)
{
    (void)state;
    struct stoa_avro_row_reader *reader = new_reader(json, STOA_AVRO_MESSAGES);
    uint8_t other[sizeof(messages)];
    struct stoa_batch batch;
    struct stoa_error err;

    memcpy(other, messages, sizeof(other));
    other[26] = 6; /* branch 3 */
    assert_int_equal(stoa_avro_row_reader_read(reader, other, sizeof(other), 2, &batch, &err),
                     STOA_ERR_DATA);
    assert_string_equal(err.message, "row 2: field s: the union has no branch 3");
    assert_int_equal(err.offset, 15);
    stoa_avro_row_reader_free(reader);
}

static void rows_without_bytes_have_a_limit(void **state)
{
    (void)state;
    static const size_t refused[] = {((size_t)1 << 23) + 1, (size_t)1 << 40};
    struct stoa_avro_row_reader *reader = new_reader("\"null\"", STOA_AVRO_BARE);
    struct stoa_batch batch;
    struct stoa_error err = {0};

    stoa_test_check(stoa_avro_row_reader_read(reader, "", 0, (size_t)1 << 23, &batch, &err), &err);
    assert_int_equal(batch.nrows, 1 << 23);
    stoa_batch_reset(&batch);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_equal(stoa_avro_row_reader_read(reader, "", 0, refused[i], &batch, &err),
                         STOA_ERR_LIMIT);
        assert_string_equal(err.message,
                            "more than 8388608 values of rows and arrays that have no bytes");
    }
    stoa_avro_row_reader_free(reader);
}

static void what_avro_does_not_hold_is_named(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_avro_row_writer *writer;
    struct stoa_batch batch;
    struct stoa_error err;
    struct stoa_field field;
    int64_t seconds[] = {0, INT64_MAX};
    uint8_t *bytes;
    size_t ends[2];

    stoa_test_check(stoa_field_parse("t", "timestamp(s)", false, &field, NULL), NULL);
    stoa_test_check(stoa_schema_add_field(&schema, &field, NULL), NULL);
    stoa_test_check(stoa_batch_init(&batch, &schema, NULL), NULL);
    batch.nrows = 2;
    batch.columns[0] = (struct stoa_array){.nvalues = 2, .values = (uint8_t *)seconds};
    writer = new_writer(&schema, STOA_AVRO_BARE);
    assert_int_equal(stoa_avro_row_writer_write(writer, &batch, &bytes, ends, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "row 2: field t: 9223372036854775807 seconds are more "
                                     "milliseconds than Avro's long holds");
    batch.columns[0] = (struct stoa_array){0};
    stoa_batch_reset(&batch);
    stoa_avro_row_writer_free(writer);
    stoa_field_reset(&field);
    stoa_schema_reset(&schema);
}

/* Reads what was written, and writes that: the schema was kept, so the bytes are the same. */
static void assert_same_bytes(const struct stoa_avro_row_writer *first,
                              enum stoa_avro_framing framing, const uint8_t *bytes, size_t nbytes,
                              size_t nrows)
{
    struct stoa_avro_row_reader *reader = new_reader(stoa_avro_row_writer_json(first), framing);
    struct stoa_avro_row_writer *writer = new_writer(stoa_avro_row_reader_schema(reader), framing);
    size_t ends[64];
    struct stoa_batch batch;
    struct stoa_error err = {0};
    uint8_t *again;

    stoa_test_check(stoa_avro_row_reader_read(reader, bytes, nbytes, nrows, &batch, &err), &err);
    assert_int_equal(batch.nrows, nrows);
    stoa_test_check(stoa_avro_row_writer_write(writer, &batch, &again, ends, &err), &err);
    assert_int_equal(nrows > 0 ? ends[nrows - 1] : 0, nbytes);
    if (nbytes > 0)
        assert_memory_equal(again, bytes, nbytes);
    stoa_free(again);
    stoa_batch_reset(&batch);
    stoa_avro_row_writer_free(writer);
    stoa_avro_row_reader_free(reader);
}

static void rows_of_all_types_come_back(void **state)
{
    (void)state;
    const size_t nrounds = stoa_test_ncases(300);
    struct stoa_test_random r;
    size_t nwritten = 0;

    stoa_test_random_init(&r, "avro_rows");
    for (size_t round = 0; round < nrounds; round++) {
        const enum stoa_avro_framing framing = round % 2 == 0 ? STOA_AVRO_MESSAGES : STOA_AVRO_BARE;
        const size_t nrows = (size_t)stoa_test_random_below(&r, 64);
        struct stoa_schema schema = {0};
        struct stoa_avro_row_writer *writer;
        struct stoa_batch batch;
        struct stoa_error err = {0};
        uint8_t *bytes;
        size_t ends[64];
        enum stoa_status st;

        stoa_test_gen_any_schema(&r, (uint32_t)stoa_test_random_between(&r, 1, 4),
                                 (uint32_t)(1 + round % 4), &schema);
        stoa_test_gen_batch(&r, &schema, nrows, &batch);
        writer = new_writer(&schema, framing);
        st = stoa_avro_row_writer_write(writer, &batch, &bytes, ends, &err);
        if (st == STOA_OK) {
            assert_same_bytes(writer, framing, bytes, nrows > 0 ? ends[nrows - 1] : 0, nrows);
            stoa_free(bytes);
            nwritten++;
        } else {
            assert_int_equal(st, STOA_ERR_DATA); /* times and intervals that Avro does not hold */
        }
        stoa_avro_row_writer_free(writer);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
    assert_true(nwritten > nrounds / 4);
}

static enum stoa_status there_and_back(void *context, struct stoa_error *err)
{
    struct stoa_avro_row_reader *reader = NULL;
    struct stoa_avro_row_writer *writer = NULL;
    struct stoa_batch batch = {0};
    uint8_t *bytes = NULL;
    size_t ends[2];
    enum stoa_status st;

    (void)context;
    st = stoa_avro_row_reader_new(json, strlen(json), STOA_AVRO_MESSAGES, &reader, err);
    if (st == STOA_OK)
        st = stoa_avro_row_reader_read(reader, messages, sizeof(messages), 2, &batch, err);
    if (st == STOA_OK)
        st = stoa_avro_row_writer_new(stoa_avro_row_reader_schema(reader), "t", STOA_AVRO_MESSAGES,
                                      &writer, err);
    if (st == STOA_OK)
        st = stoa_avro_row_writer_write(writer, &batch, &bytes, ends, err);
    stoa_free(bytes);
    stoa_batch_reset(&batch);
    stoa_avro_row_writer_free(writer);
    stoa_avro_row_reader_free(reader);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(there_and_back, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_as_the_specification_has_them),
        cmocka_unit_test(what_is_no_message_is_told_apart),
        cmocka_unit_test(other_bytes_than_the_rows_are_refused),
        cmocka_unit_test(a_value_that_is_wrong_is_named),
        cmocka_unit_test(a_message_that_is_wrong_is_told_by_its_head),
        cmocka_unit_test(rows_without_bytes_have_a_limit),
        cmocka_unit_test(what_avro_does_not_hold_is_named),
        cmocka_unit_test(rows_of_all_types_come_back),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
