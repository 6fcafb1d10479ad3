/* Avro files that are written: their bytes, and that all values come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "avro/avro_container.h"
#include "avro/avro_encoder.h"
#include "avro/avro_make.h"
#include "avro/avro_mapping.h"
#include "avro/avro_pack.h"
#include "avro/avro_source.h"
#include "base/float16.h"
#include "base/int256.h"
#include "column/array.h"
#include "column/builder.h"
#include "column/schema.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"
#include "support/read_avro.h"
#include "support/write_avro.h"

/* ---- Single values ---- */

/* A batch of one column of values that lie in memory one after the other. */
static void make_column(const char *type, bool nullable, const void *values, size_t nbytes,
                        struct stoa_schema *schema, struct stoa_batch *batch)
{
    struct stoa_builder builder;
    struct stoa_field field;
    size_t width;

    assert_int_equal(stoa_field_parse("x", type, nullable, &field, NULL), STOA_OK);
    assert_int_equal(stoa_schema_add_field(schema, &field, NULL), STOA_OK);
    assert_int_equal(stoa_batch_init(batch, schema, NULL), STOA_OK);
    width = stoa_type_width(&field.type);
    assert_int_equal(stoa_builder_init(&builder, &field.type, 4, NULL), STOA_OK);
    assert_int_equal(stoa_builder_reserve(&builder, 4, nbytes, NULL), STOA_OK);
    if (values == NULL)
        stoa_builder_append_null(&builder);
    else if (width == 0 && field.type.id == STOA_BOOL)
        stoa_builder_append_bool(&builder, *(const uint8_t *)values);
    else if (width == 0)
        stoa_builder_append_bytes(&builder, values, nbytes);
    for (size_t at = 0; values != NULL && width > 0 && at < nbytes; at += width)
        stoa_builder_append_fixed(&builder, (const uint8_t *)values + at);
    stoa_builder_finish(&builder, &batch->columns[0]);
    batch->nrows = batch->columns[0].nvalues;
    stoa_field_reset(&field);
}

/* The schema of a batch, and the data of its rows. */
static enum stoa_status encode(const struct stoa_batch *batch, struct stoa_buffer *schema,
                               struct stoa_avro_rows *rows, struct stoa_error *err)
{
    struct stoa_avro_schema parsed = {0};
    struct stoa_avro_encoder encoder = {0};
    enum stoa_status st;

    assert_int_equal(stoa_avro_make_schema(batch->schema, "t", schema, NULL, err), STOA_OK);
    assert_int_equal(stoa_avro_schema_parse((char *)schema->data, schema->nbytes, &parsed, err),
                     STOA_OK);
    assert_int_equal(stoa_avro_encoder_init(&encoder, &parsed, batch->schema, err), STOA_OK);
    st = stoa_avro_encode(&encoder, batch, SIZE_MAX, rows, err);
    stoa_avro_encoder_reset(&encoder);
    stoa_avro_schema_reset(&parsed);
    return st;
}

#define INT8(x)                (int8_t[]){x}, 1
#define INT16(x)               (int16_t[]){x}, 2
#define INT32(x)               (int32_t[]){x}, 4
#define INT64(x)               (int64_t[]){x}, 8
#define DATA(text)             text, sizeof(text) - 1
#define LOGICAL(type, logical) "{\"type\":\"" type "\",\"logicalType\":\"" logical "\"}"

static void every_type_is_written_as_the_table_has_it(void **state)
{
    (void)state;
    static const struct stoa_int128 minus = {.lo = (uint64_t)-129, .hi = -1};
    static const struct stoa_int128 power = {.lo = 0, .hi = 1};
    static const struct stoa_interval interval = {1, 2, 3000000};
    static const float one = 1;
    static const double two = 2;
    static const uint16_t half = 0x3800;
    const struct {
        const char *type;
        const void *values;
        size_t values_nbytes;
        const char *schema; /* of the field's type and what follows it */
        const char *data;
        size_t nbytes;
    } cases[] = {
        {"bool", INT8(1), "\"boolean\"", DATA("\x01")},
        {"int8", INT8(-128), "\"int\",\"stoa_type\":\"int8\"", DATA("\xff\x01")},
        {"int16", INT16(-32768), "\"int\",\"stoa_type\":\"int16\"", DATA("\xff\xff\x03")},
        {"int32", INT32(INT32_MIN), "\"int\"", DATA("\xff\xff\xff\xff\x0f")},
        {"int64", INT64(INT64_MIN), "\"long\"", DATA("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        {"uint8", INT8(-1), "\"int\",\"stoa_type\":\"uint8\"", DATA("\xfe\x03")},
        {"uint16", INT16(-1), "\"int\",\"stoa_type\":\"uint16\"", DATA("\xfe\xff\x07")},
        {"uint32", INT32(-1), "\"long\",\"stoa_type\":\"uint32\"", DATA("\xfe\xff\xff\xff\x1f")},
        {"uint64", INT64(-1),
         "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":20,\"scale\":0},"
         "\"stoa_type\":\"uint64\"",
         DATA("\x12\x00\xff\xff\xff\xff\xff\xff\xff\xff")},
        {"float16", &half, 2, "\"float\",\"stoa_type\":\"float16\"", DATA("\0\0\0\x3f")},
        {"float32", &one, 4, "\"float\"", DATA("\0\0\x80\x3f")},
        {"float64", &two, 8, "\"double\"", DATA("\0\0\0\0\0\0\0\x40")},
        {"decimal(5,2)", &minus, 16,
         "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":5,\"scale\":2}",
         DATA("\x04\xff\x7f")},
        {"decimal(38,0)", &power, 16,
         "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":0}",
         DATA("\x12\x01\0\0\0\0\0\0\0\0")},
        {"date32", INT32(-1), LOGICAL("int", "date"), DATA("\x01")},
        {"time(s)", INT32(1), LOGICAL("int", "time-millis") ",\"stoa_type\":\"time(s)\"",
         DATA("\xd0\x0f")},
        {"time(ms)", INT32(1), LOGICAL("int", "time-millis"), DATA("\x02")},
        {"time(us)", INT64(1), LOGICAL("long", "time-micros"), DATA("\x02")},
        {"time(ns)", INT64(1), "\"long\",\"stoa_type\":\"time(ns)\"", DATA("\x02")},
        {"timestamp(s,UTC)", INT64(-1),
         LOGICAL("long", "timestamp-millis") ",\"stoa_type\":\"timestamp(s,UTC)\"",
         DATA("\xcf\x0f")},
        {"timestamp(ms,UTC)", INT64(1), LOGICAL("long", "timestamp-millis"), DATA("\x02")},
        {"timestamp(us,+02:00)", INT64(1),
         LOGICAL("long", "timestamp-micros") ",\"stoa_type\":\"timestamp(us,+02:00)\"",
         DATA("\x02")},
        {"timestamp(ns,UTC)", INT64(1), LOGICAL("long", "timestamp-nanos"), DATA("\x02")},
        {"timestamp(ms)", INT64(1), LOGICAL("long", "local-timestamp-millis"), DATA("\x02")},
        {"timestamp(us)", INT64(1), LOGICAL("long", "local-timestamp-micros"), DATA("\x02")},
        {"timestamp(ns)", INT64(1), LOGICAL("long", "local-timestamp-nanos"), DATA("\x02")},
        {"duration(s)", INT64(-1), "\"long\",\"stoa_type\":\"duration(s)\"", DATA("\x01")},
        {"interval", &interval, 16,
         "{\"type\":\"fixed\",\"name\":\"x\",\"logicalType\":\"duration\",\"size\":12}",
         DATA("\x01\0\0\0\x02\0\0\0\x03\0\0\0")},
        {"utf8", "a\xe2\x82\xac", 4, "\"string\"",
         DATA("\x08"
              "a\xe2\x82\xac")},
        {"binary", "\xff", 1, "\"bytes\"", DATA("\x02\xff")},
        {"fixed_binary(3)", "abc", 3, "{\"type\":\"fixed\",\"name\":\"x\",\"size\":3}",
         DATA("abc")},
        {"uuid", "\x00\x11\xaa\xbb\xcc\xdd\xee\xff\x01\x23\x45\x67\x89\xab\xcd\xef", 16,
         LOGICAL("string", "uuid"),
         DATA("\x48"
              "0011aabb-ccdd-eeff-0123-456789abcdef")},
        {"enum(a,b)", INT32(1), "{\"type\":\"enum\",\"name\":\"x\",\"symbols\":[\"a\",\"b\"]}",
         DATA("\x02")},
        {"enum(a,\"b c\")", INT32(1), "\"string\",\"stoa_type\":\"enum(a,\\\"b c\\\")\"",
         DATA("\x06"
              "b c")},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_batch batch;
        struct stoa_buffer text = {0};
        struct stoa_avro_rows rows = {0};
        struct stoa_error err;
        char expected[512];

        make_column(cases[i].type, false, cases[i].values, cases[i].values_nbytes, &schema, &batch);
        if (encode(&batch, &text, &rows, &err) != STOA_OK)
            fail_msg("%s: %s", cases[i].type, err.message);
        snprintf(expected, sizeof(expected),
                 "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"x\",\"type\":%s}]}",
                 cases[i].schema);
        assert_int_equal(stoa_buffer_append(&text, "", 1, NULL), STOA_OK);
        assert_string_equal((char *)text.data, expected);
        if (rows.bytes.nbytes != cases[i].nbytes ||
            memcmp(rows.bytes.data, cases[i].data, cases[i].nbytes) != 0)
            fail_msg("%s: %zu bytes that begin with %02x", cases[i].type, rows.bytes.nbytes,
                     rows.bytes.data[0]);
        assert_int_equal(rows.npieces, 1);
        assert_int_equal(rows.pieces[0].nrows, 1);
        stoa_avro_rows_reset(&rows);
        stoa_buffer_free(&text);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void a_null_is_the_first_branch(void **state)
{
    (void)state;
    static const char *const types[] = {"int64", "utf8", "bool", "decimal(50,3)", "uuid"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_batch batch;
        struct stoa_buffer text = {0};
        struct stoa_avro_rows rows = {0};

        make_column(types[i], true, NULL, 0, &schema, &batch);
        assert_int_equal(encode(&batch, &text, &rows, NULL), STOA_OK);
        assert_non_null(memmem(text.data, text.nbytes, "\"type\":[\"null\",", 15));
        assert_non_null(memmem(text.data, text.nbytes, "\"default\":null", 14));
        assert_int_equal(rows.bytes.nbytes, 1);
        assert_int_equal(rows.bytes.data[0], 0);
        stoa_avro_rows_reset(&rows);
        stoa_buffer_free(&text);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void what_avro_can_not_hold_is_refused(void **state)
{
    (void)state;
    static const struct stoa_interval bad[] = {{-1, 0, 0}, {0, 0, 1}, {0, 0, INT64_MAX}};
    const struct {
        const char *type;
        const void *values;
        size_t nbytes;
        const char *wrong;
    } cases[] = {
        {"timestamp(s)", INT64(INT64_MAX / 1000 + 1),
         "field x: 9223372036854776 seconds are more milliseconds than Avro's long holds"},
        {"time(s)", INT32(2147484),
         "field x: 2147484 seconds are more milliseconds than Avro's int holds"},
        {"interval", &bad[0], 16, "field x: Avro's duration can't be negative"},
        {"interval", &bad[1], 16, "field x: Avro's duration has whole milliseconds, below 2^32"},
        {"interval", &bad[2], 16, "field x: Avro's duration has whole milliseconds, below 2^32"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_batch batch;
        struct stoa_buffer text = {0};
        struct stoa_avro_rows rows = {0};
        struct stoa_error err;

        make_column(cases[i].type, false, cases[i].values, cases[i].nbytes, &schema, &batch);
        assert_int_equal(encode(&batch, &text, &rows, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, cases[i].wrong);
        assert_int_equal(err.offset, 0);
        stoa_avro_rows_reset(&rows);
        stoa_buffer_free(&text);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

/* ---- Whole tables ---- */

/* Makes values of a generated array what Avro can hold: seconds in range, durations. */
static void tame(const struct stoa_field *field, struct stoa_array *array)
{
    for (size_t i = 0; array->values != NULL && i < array->nvalues; i++) {
        if (field->type.id == STOA_TIMESTAMP && field->type.unit == STOA_SECOND)
            ((int64_t *)(void *)array->values)[i] /= 1000;
        if (field->type.id == STOA_INTERVAL) {
            struct stoa_interval *x = (struct stoa_interval *)(void *)array->values + i;

            x->months &= INT32_MAX;
            x->days &= INT32_MAX;
            x->nanos = (x->nanos & UINT32_MAX) * 1000000;
        }
    }
    for (uint32_t i = 0; i < array->nchildren; i++)
        tame(&field->children[i], &array->children[i]);
}

/* A number of any integer type, of times, and of an enum. */
static struct stoa_int256 integer_of(const struct stoa_type *type, const uint8_t *values, size_t i)
{
    static const enum stoa_type_id unsigned_types[] = {STOA_UINT8, STOA_UINT16, STOA_UINT32,
                                                       STOA_UINT64, STOA_ENUM};
    const size_t width = stoa_type_width(type);
    bool is_signed = true;
    struct stoa_int256 wide;
    struct stoa_int128 narrow;
    uint64_t bits = 0;

    if (width == 32) {
        memcpy(&wide, values + 32 * i, 32);
        return wide;
    }
    if (width == 16) {
        memcpy(&narrow, values + 16 * i, 16);
        return stoa_int256_from_i128(narrow);
    }
    for (size_t k = 0; k < 5; k++)
        is_signed = is_signed && type->id != unsigned_types[k];
    for (size_t k = 0; k < width; k++) {
        const size_t at = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? width - 1 - k : k;

        bits = bits << 8 | values[width * i + at];
    }
    if (!is_signed)
        return stoa_int256_from_u64(bits);
    bits <<= 64 - 8 * width;
    return stoa_int256_from_i64((int64_t)bits >> (64 - 8 * width));
}

static double float_of(const struct stoa_type *type, const uint8_t *values, size_t i)
{
    uint16_t half;
    double x;
    float f;

    if (type->id == STOA_FLOAT64) {
        memcpy(&x, values + 8 * i, 8);
        return x;
    }
    if (type->id == STOA_FLOAT32) {
        memcpy(&f, values + 4 * i, 4);
        return f;
    }
    memcpy(&half, values + 2 * i, 2);
    return stoa_float16_to_double(half);
}

static bool is_same(const struct stoa_field *a, const struct stoa_array *x, size_t i,
                    const struct stoa_field *b, const struct stoa_array *y, size_t k);

/* Items of x, a list of any kind, and of y, a list or a map. */
static bool is_same_list(const struct stoa_field *a, const struct stoa_array *x, size_t i,
                         const struct stoa_field *b, const struct stoa_array *y, size_t k)
{
    const bool is_fixed = a->type.id == STOA_FIXED_LIST;
    const size_t begin = is_fixed ? i * a->type.width : (size_t)x->offsets[i];
    const size_t end = is_fixed ? begin + a->type.width : (size_t)x->offsets[i + 1];
    const size_t at = (size_t)y->offsets[k];

    if (end - begin != (size_t)y->offsets[k + 1] - at)
        return false;
    for (size_t n = 0; n < end - begin; n++)
        if (!is_same(&a->children[0], &x->children[0], begin + n, &b->children[0], &y->children[0],
                     at + n))
            return false;
    return true;
}

/* Whether value i, which was written, is value k, which was read: by a table of its own. */
static bool is_same(const struct stoa_field *a, const struct stoa_array *x, size_t i,
                    const struct stoa_field *b, const struct stoa_array *y, size_t k)
{
    const bool is_null = a->type.id == STOA_NULL || stoa_array_is_null(x, i);
    const uint8_t *text, *other;
    struct stoa_int256 number;
    size_t nbytes, nother;
    double p, q;

    if (is_null || b->type.id == STOA_NULL || stoa_array_is_null(y, k))
        return is_null && (b->type.id == STOA_NULL || stoa_array_is_null(y, k));
    switch (a->type.id) {
    case STOA_STRUCT:
        for (uint32_t n = 0; n < a->nchildren; n++)
            if (!is_same(&a->children[n], &x->children[n], i, &b->children[n], &y->children[n], k))
                return false;
        return a->nchildren == b->nchildren;
    case STOA_LIST:
    case STOA_FIXED_LIST:
    case STOA_MAP:
        return is_same_list(a, x, i, b, y, k);
    case STOA_UTF8:
    case STOA_BINARY:
        text = x->values + x->offsets[i];
        nbytes = (size_t)(x->offsets[i + 1] - x->offsets[i]);
        break;
    case STOA_ENUM:
        if (b->type.id == STOA_ENUM)
            return stoa_int256_cmp(integer_of(&a->type, x->values, i),
                                   integer_of(&b->type, y->values, k)) == 0;
        text = (const uint8_t *)a->type.symbols[((uint32_t *)(void *)x->values)[i]];
        nbytes = strlen((const char *)text);
        break;
    case STOA_BOOL:
        return stoa_bitmap_get(x->values, i) == stoa_bitmap_get(y->values, k);
    case STOA_FLOAT16:
    case STOA_FLOAT32:
    case STOA_FLOAT64:
        p = float_of(&a->type, x->values, i);
        q = float_of(&b->type, y->values, k);
        if (a->type.id == b->type.id)
            return memcmp(x->values + i * stoa_type_width(&a->type),
                          y->values + k * stoa_type_width(&b->type),
                          stoa_type_width(&a->type)) == 0;
        return p == q || (p != p && q != q);
    case STOA_FIXED_BINARY:
    case STOA_UUID:
    case STOA_INTERVAL:
        return b->type.id == a->type.id &&
               memcmp(x->values + i * stoa_type_width(&a->type),
                      y->values + k * stoa_type_width(&a->type), stoa_type_width(&a->type)) == 0;
    default:
        number = integer_of(&a->type, x->values, i);
        if ((a->type.id == STOA_TIME || a->type.id == STOA_TIMESTAMP) &&
            a->type.unit == STOA_SECOND && !stoa_int256_mul_u64(number, 1000, &number))
            return false;
        return stoa_int256_cmp(number, integer_of(&b->type, y->values, k)) == 0;
    }
    other = y->values + y->offsets[k];
    nother = (size_t)(y->offsets[k + 1] - y->offsets[k]);
    return nbytes == nother && (nbytes == 0 || memcmp(text, other, nbytes) == 0);
}

static void assert_same_rows(const struct stoa_batch *a, const struct stoa_batch *b)
{
    assert_int_equal(a->nrows, b->nrows);
    assert_int_equal(a->ncolumns, b->ncolumns);
    for (uint32_t c = 0; c < a->ncolumns; c++)
        for (size_t i = 0; i < a->nrows; i++)
            if (!is_same(&a->schema->fields[c], &a->columns[c], i, &b->schema->fields[c],
                         &b->columns[c], i)) {
                char *type;

                assert_int_equal(stoa_type_print(&a->schema->fields[c], &type, NULL), STOA_OK);
                fail_msg("column %u, %s: row %zu", c, type, i);
            }
}

static const char *const codecs[] = {"null", "deflate", "snappy", "zstandard", "bzip2", "xz"};

static void tables_of_all_types_come_back(void **state)
{
    (void)state;
    const size_t nrounds = stoa_test_ncases(800);
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_write");
    for (size_t round = 0; round < nrounds; round++) {
        const struct stoa_avro_write_options options = {
            .codec = codecs[round % 6],
            .block_nbytes = (size_t)1 << stoa_test_random_between(&r, 0, 14),
        };
        const size_t nrows = (size_t)stoa_test_random_below(&r, round % 10 == 0 ? 700 : 40);
        const uint32_t ncolumns = (uint32_t)stoa_test_random_between(&r, 1, 6);
        struct stoa_schema schema = {0};
        struct stoa_batch batch;
        struct stoa_test_avro back;
        struct stoa_buffer file;
        struct stoa_error err = {0};

        stoa_test_gen_any_schema(&r, ncolumns, (uint32_t)(1 + round % 4), &schema);
        stoa_test_gen_batch(&r, &schema, nrows, &batch);
        for (uint32_t c = 0; c < ncolumns; c++)
            tame(&schema.fields[c], &batch.columns[c]);
        if (stoa_test_write_avro(&batch, 1 + (size_t)stoa_test_random_below(&r, 60), &options,
                                 &file, &err) != STOA_OK)
            fail_msg("round %zu: %s", round, err.message);
        if (stoa_test_read_avro(file.data, file.nbytes, round % 2, 0, &back, &err) != STOA_OK)
            fail_msg("round %zu: %s", round, err.message);
        if (nrows > 0)
            assert_same_rows(&batch, &back.batch);
        assert_int_equal(back.nempty, 0);
        stoa_buffer_free(&file);
        stoa_test_avro_reset(&back);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

/* ---- Files ---- */

static void fill(struct stoa_schema *schema, struct stoa_batch *batch, size_t nrows)
{
    struct stoa_test_random r;

    stoa_test_random_seed(&r, 7);
    stoa_test_gen_schema(&r, 4, schema);
    stoa_test_gen_batch(&r, schema, nrows, batch);
    for (uint32_t c = 0; c < 4; c++)
        tame(&schema->fields[c], &batch->columns[c]);
}

/* The head of the file, and the least and the largest number of rows of a block but the last. */
static void look(const struct stoa_buffer *bytes, uint8_t marker[16], uint64_t *nblocks,
                 uint64_t *least, uint64_t *most)
{
    struct stoa_avro_container file = {0};
    struct stoa_stream *stream;
    struct stoa_avro_block block;
    struct stoa_buffer data = {0};
    bool more;

    *least = UINT64_MAX;
    *most = 0;
    assert_int_equal(stoa_stream_open_memory(bytes->data, bytes->nbytes, "x", &stream, NULL),
                     STOA_OK);
    assert_int_equal(stoa_avro_container_open(&file, stream, NULL, NULL), STOA_OK);
    memcpy(marker, file.sync, 16);
    for (uint64_t before = 0;; before = block.nrows) {
        assert_int_equal(stoa_avro_container_next(&file, &block, &more, NULL), STOA_OK);
        if (!more)
            break;
        if (before > 0 && before < *least)
            *least = before;
        if (before > *most)
            *most = before;
        assert_int_equal(stoa_avro_container_take(&file, &data, NULL), STOA_OK);
    }
    *nblocks = file.nblocks;
    stoa_buffer_free(&data);
    stoa_avro_container_reset(&file);
    stoa_stream_close(stream);
}

/* A long of two bytes a row: 1,000 bytes are 500 rows. */
static void blocks_are_large_however_small_batches_are(void **state)
{
    (void)state;
    static const size_t batch_nrows[] = {1, 7, 499, 500, 501, 1100, 5000};
    static int64_t values[5000];
    const struct stoa_avro_write_options options = {.codec = "null", .block_nbytes = 1000};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;

    for (size_t i = 0; i < 5000; i++)
        values[i] = (int64_t)(1000 + i % 100);
    make_column("int64", false, values, 8, &schema, &batch);
    stoa_array_reset(&batch.columns[0]);
    assert_int_equal(
        stoa_array_alloc(&schema.fields[0].type, 5000, 0, false, &batch.columns[0], NULL), STOA_OK);
    memcpy(batch.columns[0].values, values, sizeof(values));
    batch.nrows = 5000;
    for (size_t i = 0; i < sizeof(batch_nrows) / sizeof(batch_nrows[0]); i++) {
        struct stoa_buffer file;
        uint64_t nblocks, least, most;
        uint8_t marker[16];

        assert_int_equal(stoa_test_write_avro(&batch, batch_nrows[i], &options, &file, NULL),
                         STOA_OK);
        look(&file, marker, &nblocks, &least, &most);
        assert_in_range(least, 250, 750);
        assert_in_range(most, 499, 750);
        stoa_buffer_free(&file);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* Rows of a null, of which no number of bytes ends a block. */
static void rows_without_bytes_end_a_block_by_their_number(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_field field;
    struct stoa_batch batch;
    struct stoa_test_avro back;

    assert_int_equal(stoa_field_parse("a", "null", true, &field, NULL), STOA_OK);
    assert_int_equal(stoa_schema_add_field(&schema, &field, NULL), STOA_OK);
    stoa_field_reset(&field);
    assert_int_equal(stoa_batch_init(&batch, &schema, NULL), STOA_OK);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        const struct stoa_avro_write_options options = {.codec = codecs[i]};
        const size_t nrows = i == 0 ? 17000000 : 10;
        struct stoa_buffer file;
        struct stoa_error err = {0};
        uint64_t nblocks, least, most;
        uint8_t marker[16];

        batch.nrows = batch.columns[0].nvalues = batch.columns[0].nnulls = nrows;
        if (stoa_test_write_avro(&batch, i == 0 ? 3000000 : 3, &options, &file, &err) != STOA_OK)
            fail_msg("%s: %s", codecs[i], err.message);
        look(&file, marker, &nblocks, &least, &most);
        assert_int_equal(nblocks, i == 0 ? 6 : 1);
        assert_true(most < 1 << 22);
        if (i > 0) {
            assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &back, &err),
                             STOA_OK);
            assert_int_equal(back.batch.nrows, nrows);
            stoa_test_avro_reset(&back);
        }
        stoa_buffer_free(&file);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* Lists of nulls: as many in one row as a reader takes, in two rows, and one more. */
static void items_without_bytes_are_counted(void **state)
{
    (void)state;
    for (int32_t more = 0; more < 2; more++) {
        const struct stoa_avro_write_options options = {.codec = "null"};
        const int32_t n = (1 << 20) + more;
        struct stoa_array *list;
        struct stoa_schema schema = {0};
        struct stoa_field field;
        struct stoa_batch batch;
        struct stoa_test_avro back;
        struct stoa_buffer file;
        struct stoa_error err = {0};

        assert_int_equal(stoa_field_parse("a", "list<null>", false, &field, NULL), STOA_OK);
        assert_int_equal(stoa_schema_add_field(&schema, &field, NULL), STOA_OK);
        assert_int_equal(stoa_batch_init(&batch, &schema, NULL), STOA_OK);
        stoa_array_reset(&batch.columns[0]);
        list = &batch.columns[0];
        *list = (struct stoa_array){.nvalues = 2, .nchildren = 1};
        assert_int_equal(stoa_alloc_zeroed(&list->offsets, 3 + STOA_ARRAY_SLACK, 4, NULL), STOA_OK);
        assert_int_equal(stoa_alloc_zeroed(&list->children, 1, sizeof(*list), NULL), STOA_OK);
        memcpy(list->offsets, (int32_t[]){0, 1 << 20, (1 << 20) + n}, 3 * sizeof(int32_t));
        list->children[0].nvalues = list->children[0].nnulls = (size_t)((1 << 20) + n);
        batch.nrows = 2;
        assert_int_equal(stoa_test_write_avro(&batch, 2, &options, &file, &err),
                         more > 0 ? STOA_ERR_LIMIT : STOA_OK);
        if (more > 0) {
            assert_string_equal(err.message,
                                "row 2: field a: more than 1048576 items without any bytes");
        } else {
            assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &back, &err),
                             STOA_OK);
            assert_int_equal(back.batch.columns[0].offsets[2], 2 << 20);
            stoa_test_avro_reset(&back);
        }
        stoa_buffer_free(&file);
        stoa_field_reset(&field);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

/* Metadata that claims another schema and codec, and one key in both ways. */
static void kept_metadata_does_not_replace_the_schema(void **state)
{
    (void)state;
    const struct stoa_avro_write_options options = {.codec = "null"};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_test_avro back;
    struct stoa_buffer file;

    fill(&schema, &batch, 10);
    assert_int_equal(stoa_metadata_set(&schema.metadata, "avro.text:avro.schema", "\"int\"", NULL),
                     STOA_OK);
    assert_int_equal(stoa_metadata_set(&schema.metadata, "avro.base64:avro.codec", "eHo=", NULL),
                     STOA_OK);
    assert_int_equal(stoa_metadata_set(&schema.metadata, "avro.text:k", "one", NULL), STOA_OK);
    assert_int_equal(stoa_metadata_set(&schema.metadata, "avro.base64:k", "/wA=", NULL), STOA_OK);
    assert_int_equal(stoa_test_write_avro(&batch, 10, &options, &file, NULL), STOA_OK);
    assert_int_equal(file.data[4], 3 << 1); /* pairs */
    assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &back, NULL), STOA_OK);
    assert_same_rows(&batch, &back.batch);
    stoa_test_avro_reset(&back);
    stoa_buffer_free(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void the_marker_follows_from_the_content(void **state)
{
    (void)state;
    const struct stoa_avro_write_options fixed = {.codec = "null"};
    const struct stoa_avro_write_options by_chance = {.codec = "null", .random_sync = true};
    struct stoa_schema schema = {0}, schemas[2] = {{0}, {0}};
    struct stoa_batch batch, batches[2];
    struct stoa_buffer files[6];
    uint8_t markers[6][16];
    uint64_t n, least, most;

    fill(&schema, &batch, 100);
    for (size_t i = 0; i < 2; i++)
        make_column("int64", false, (int64_t[]){(int64_t)i}, 8, &schemas[i], &batches[i]);
    assert_int_equal(stoa_test_write_avro(&batch, 100, &fixed, &files[0], NULL), STOA_OK);
    assert_int_equal(stoa_test_write_avro(&batch, 100, &fixed, &files[1], NULL), STOA_OK);
    assert_int_equal(stoa_test_write_avro(&batches[0], 1, &fixed, &files[2], NULL), STOA_OK);
    assert_int_equal(stoa_test_write_avro(&batches[1], 1, &fixed, &files[3], NULL), STOA_OK);
    assert_int_equal(stoa_test_write_avro(&batch, 100, &by_chance, &files[4], NULL), STOA_OK);
    assert_int_equal(stoa_test_write_avro(&batch, 100, &by_chance, &files[5], NULL), STOA_OK);
    for (size_t i = 0; i < 6; i++)
        look(&files[i], markers[i], &n, &least, &most);
    assert_int_equal(files[0].nbytes, files[1].nbytes);
    assert_memory_equal(files[0].data, files[1].data, files[0].nbytes);
    for (size_t i = 0; i < 6; i++)
        for (size_t k = i + 1; k < 6; k++)
            assert_int_equal(memcmp(markers[i], markers[k], 16) == 0, i == 0 && k == 1);
    for (size_t i = 0; i < 6; i++)
        stoa_buffer_free(&files[i]);
    for (size_t i = 0; i < 2; i++) {
        stoa_batch_reset(&batches[i]);
        stoa_schema_reset(&schemas[i]);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void a_file_without_rows_has_a_header(void **state)
{
    (void)state;
    const struct stoa_avro_write_options options = {0};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_test_avro back;
    struct stoa_buffer file;

    fill(&schema, &batch, 0);
    assert_int_equal(stoa_test_write_avro(&batch, 1, &options, &file, NULL), STOA_OK);
    assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &back, NULL), STOA_OK);
    assert_int_equal(back.schema.nfields, 4);
    assert_int_equal(back.batch.nrows, 0);
    stoa_test_avro_reset(&back);
    stoa_buffer_free(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

static void codecs_and_levels_are_checked(void **state)
{
    (void)state;
    static const struct {
        struct stoa_avro_write_options options;
        const char *wrong; /* NULL: none */
    } cases[] = {
        {{.codec = "gzip"},
         "there is no codec \"gzip\": it is null, deflate, snappy, zstandard, bzip2 or xz"},
        {{.codec = "snappy", .has_level = true, .level = 1}, "the codec snappy has no levels"},
        {{.has_level = true, .level = 13}, "the levels of the codec deflate are 1 to 12"},
        {{.codec = "xz", .has_level = true, .level = 10}, "the levels of the codec xz are 0 to 9"},
        {{.codec = "deflate", .has_level = true, .level = 12}, NULL},
        {{.codec = "zstandard", .has_level = true, .level = 1}, NULL},
        {{.codec = "xz", .has_level = true, .level = 0}, NULL},
    };
    struct stoa_schema schema = {0};
    struct stoa_batch batch;

    fill(&schema, &batch, 50);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_test_avro back;
        struct stoa_buffer file;
        struct stoa_error err;
        enum stoa_status st = stoa_test_write_avro(&batch, 50, &cases[i].options, &file, &err);

        if (cases[i].wrong != NULL) {
            assert_int_equal(st, STOA_ERR_USAGE);
            assert_string_equal(err.message, cases[i].wrong);
            continue;
        }
        assert_int_equal(st, STOA_OK);
        assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &back, NULL),
                         STOA_OK);
        assert_same_rows(&batch, &back.batch);
        stoa_test_avro_reset(&back);
        stoa_buffer_free(&file);
    }
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- Faults ---- */

static enum stoa_status write_file(void *context, struct stoa_error *err)
{
    const struct stoa_avro_write_options options = {.codec = "null", .block_nbytes = 64};
    const struct stoa_batch *batch = context;
    struct stoa_buffer file;
    enum stoa_status st = stoa_test_write_avro(batch, 5, &options, &file, err);

    stoa_buffer_free(&file);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_field field;
    struct stoa_batch batch;
    struct stoa_test_random r;

    stoa_test_random_seed(&r, 11);
    assert_int_equal(
        stoa_field_parse("a b",
                         "list<struct<x:map<int8,utf8>,y:enum(a,b),z:enum(\"a b\"),n:uint64>>",
                         true, &field, NULL),
        STOA_OK);
    assert_int_equal(stoa_schema_add_field(&schema, &field, NULL), STOA_OK);
    assert_int_equal(stoa_metadata_set(&schema.metadata, "avro.base64:k", "AAE=", NULL), STOA_OK);
    assert_int_equal(stoa_metadata_set(&schema.metadata, "who", "me", NULL), STOA_OK);
    stoa_test_gen_batch(&r, &schema, 12, &batch);
    stoa_test_each_failing_alloc(write_file, &batch);
    stoa_batch_reset(&batch);
    stoa_field_reset(&field);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_written_as_the_table_has_it),
        cmocka_unit_test(a_null_is_the_first_branch),
        cmocka_unit_test(what_avro_can_not_hold_is_refused),
        cmocka_unit_test(tables_of_all_types_come_back),
        cmocka_unit_test(blocks_are_large_however_small_batches_are),
        cmocka_unit_test(rows_without_bytes_end_a_block_by_their_number),
        cmocka_unit_test(items_without_bytes_are_counted),
        cmocka_unit_test(kept_metadata_does_not_replace_the_schema),
        cmocka_unit_test(the_marker_follows_from_the_content),
        cmocka_unit_test(a_file_without_rows_has_a_header),
        cmocka_unit_test(codecs_and_levels_are_checked),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
