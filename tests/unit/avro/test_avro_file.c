/* Avro files: what is read, at every cut and with every kind of damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "avro/avro_pack.h"
#include "base/alloc.h"
#include "support/avro_bytes.h"
#include "support/fault_alloc.h"
#include "support/random.h"
#include "support/read_avro.h"

static const char sync_marker[] = "0123456789abcdef";

/* A header whose metadata is in two blocks, one of which tells its size. */
static void put_header(struct stoa_buffer *out, const char *schema, const char *codec)
{
    stoa_test_put(out, "Obj\x01", 4);
    stoa_test_put_long(out, 1);
    stoa_test_put_text(out, "avro.schema");
    stoa_test_put_text(out, schema);
    if (codec != NULL) {
        stoa_test_put_long(out, -1);
        stoa_test_put_long(out, 1 + 10 + 1 + (int64_t)strlen(codec));
        stoa_test_put_text(out, "avro.codec");
        stoa_test_put_text(out, codec);
    }
    stoa_test_put_long(out, 0);
    stoa_test_put(out, sync_marker, 16);
}

static void put_block(struct stoa_buffer *out, int64_t nrows, const void *data, size_t nbytes)
{
    stoa_test_put_long(out, nrows);
    stoa_test_put_long(out, (int64_t)nbytes);
    stoa_test_put(out, data, nbytes);
    stoa_test_put(out, sync_marker, 16);
}

#define RECORD(fields)    "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define ARRAY(items)      "{\"type\":\"array\",\"items\":" items "}"

/* A file of one block. */
static struct stoa_buffer file_of(const char *schema, int64_t nrows, const void *data,
                                  size_t nbytes)
{
    struct stoa_buffer file = {0};

    put_header(&file, schema, NULL);
    put_block(&file, nrows, data, nbytes);
    return file;
}

/* The rows as JSON, one a line. */
static void print_rows(const struct stoa_test_avro *avro, char *out, size_t nout)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < avro->batch.nrows; i++)
        for (uint32_t c = 0; c < avro->batch.ncolumns; c++) {
            char *text;

            assert_int_equal(stoa_array_print_json(&avro->schema.fields[c], &avro->batch.columns[c],
                                                   i, &text, NULL),
                             STOA_OK);
            used += (size_t)snprintf(out + used, nout - used, "%s%s", text,
                                     c + 1 < avro->batch.ncolumns ? " " : "\n");
            assert_true(used < nout);
            stoa_free(text);
        }
}

static void every_type_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *data;
        size_t nbytes;
        int64_t nrows;
        const char *type, *rows;
    } cases[] = {
#define DATA(text) text, sizeof(text) - 1
        {"\"int\"", DATA("\x01\x02\xff\xff\xff\xff\x0f"), 3, "int32", "-1\n1\n-2147483648\n"},
        {"\"long\"", DATA("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 1, "int64",
         "-9223372036854775808\n"},
        {"\"null\"", DATA(""), 2, "null", "null\nnull\n"},
        {"\"boolean\"", DATA("\x01\x00"), 2, "bool", "true\nfalse\n"},
        {"\"float\"", DATA("\0\0\x80\x3f"), 1, "float32", "1.0\n"},
        {"\"double\"", DATA("\0\0\0\0\0\0\xf0\x3f"), 1, "float64", "1.0\n"},
        {"\"bytes\"", DATA("\x02\xff\x00"), 2, "binary", "\"/w==\"\n\"\"\n"},
        {"\"string\"", DATA("\x06\xe2\x82\xac"), 1, "utf8", "\"\xe2\x82\xac\"\n"},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\",\"b\"]}", DATA("\x02\x00"), 2,
         "enum(a,b)", "\"b\"\n\"a\"\n"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":2}", DATA("ab"), 1, "fixed_binary(2)",
         "\"YWI=\"\n"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":0}", DATA(""), 1, "binary", "\"\"\n"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":3,\"scale\":1}",
         DATA("\x02\x85\x06\xff\xff\x85\x00"), 3, "decimal(3,1)", "-12.3\n-12.3\n0.0\n"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":34,\"logicalType\":\"decimal\","
         "\"precision\":40}",
         DATA("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02"), 1,
         "decimal(40,0)", "258\n"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":77}", DATA("\x02\x85"), 1,
         "binary", "\"hQ==\"\n"},
        {"{\"type\":\"string\",\"logicalType\":\"uuid\"}",
         DATA("\x48"
              "0011aabb-ccDD-eeff-0123-456789abcdef"),
         1, "uuid", "\"0011aabb-ccdd-eeff-0123-456789abcdef\"\n"},
        {"{\"type\":\"int\",\"logicalType\":\"date\"}", DATA("\x02"), 1, "date32",
         "\"1970-01-02\"\n"},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}", DATA("\x02"), 1,
         "timestamp(ns,UTC)", "\"1970-01-01T00:00:00.000000001Z\"\n"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":12,\"logicalType\":\"duration\"}",
         DATA("\x01\0\0\0\x02\0\0\0\xe8\x03\0\0"), 1, "interval", "\"P1M2DT1S\"\n"},
        {"[\"null\",\"int\"]", DATA("\x00\x02\x04"), 2, "int32", "null\n2\n"},
        {"[\"int\",\"null\"]", DATA("\x02\x00\x04"), 2, "int32", "null\n2\n"},
        {"[\"int\"]", DATA("\x00\x04"), 1, "int32", "2\n"},
        {"[\"int\",\"null\",\"string\"]", DATA("\x02\x04\x02x\x00\x02"), 3,
         "struct<tag:enum(int,string) not null,int:int32,string:utf8>",
         "null\n{\"tag\":\"string\",\"int\":null,\"string\":\"x\"}\n"
         "{\"tag\":\"int\",\"int\":1,\"string\":null}\n"},
        {ARRAY("\"int\""), DATA("\x02\x02\x01\x02\x04\x00\x00"), 2, "list<int32 not null>",
         "[1,2]\n[]\n"},
        {ARRAY("\"null\""), DATA("\x06\x00"), 1, "list<null>", "[null,null,null]\n"},
        {"{\"type\":\"map\",\"values\":\"int\"}", DATA("\x02\x02k\x02\x00"), 1,
         "map<utf8,int32 not null>", "[{\"key\":\"k\",\"value\":1}]\n"},
        {"{\"type\":\"array\",\"logicalType\":\"map\",\"items\":" RECORD(
             FIELD("key", "\"int\"") "," FIELD("value", "[\"null\",\"int\"]")) "}",
         DATA("\x02\x02\x00\x00"), 1, "map<int32,int32>", "[{\"key\":1,\"value\":null}]\n"},
        {RECORD(FIELD("v", "\"int\"") "," FIELD("next", "[\"null\",\"r\"]")),
         DATA("\x02\x02\x04\x02\x06\x00"), 1, "int32",
         "1 \"{\\\"v\\\":2,\\\"next\\\":{\\\"r\\\":{\\\"v\\\":3,\\\"next\\\":null}}}\"\n"},
        {RECORD(FIELD("e",
                      "[\"null\",{\"type\":\"record\",\"name\":\"n\",\"fields\":[" FIELD(
                          "l", ARRAY("[\"null\",\"string\"]")) "," FIELD("x", "\"double\"") "]}]")),
         DATA("\x00\x02\x03\x08\x00\x02\x02z\x00\0\0\0\0\0\0\0\0"), 2,
         "struct<l:list<utf8> not null,x:float64 not null>",
         "null\n{\"l\":[null,\"z\"],\"x\":0.0}\n"},
        {RECORD(""), DATA(""), 2, NULL, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_buffer file =
            file_of(cases[i].schema, cases[i].nrows, cases[i].data, cases[i].nbytes);
        struct stoa_test_avro avro, skipped;
        struct stoa_error err = {0};
        char rows[512], *type;

        for (int in_stream = 0; in_stream < 2; in_stream++) {
            if (stoa_test_read_avro(file.data, file.nbytes, in_stream, 0, &avro, &err) != STOA_OK)
                fail_msg("%s: %s", cases[i].schema, err.message);
            assert_int_equal(avro.batch.nrows, cases[i].nrows);
            print_rows(&avro, rows, sizeof(rows));
            assert_string_equal(rows, cases[i].rows);
            if (cases[i].type != NULL) {
                assert_int_equal(stoa_type_print(&avro.schema.fields[0], &type, NULL), STOA_OK);
                assert_string_equal(type, cases[i].type);
                stoa_free(type);
            }
            stoa_test_avro_reset(&avro);
        }
        assert_int_equal(
            stoa_test_read_avro(file.data, file.nbytes, false, UINT64_MAX, &skipped, &err),
            STOA_OK);
        assert_int_equal(skipped.batch.nrows, cases[i].nrows);
        stoa_test_avro_reset(&skipped);
        stoa_buffer_free(&file);
    }
}

static void bad_values_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *data;
        size_t nbytes;
        const char *wrong;
    } cases[] = {
        {"\"int\"", DATA("\x80\x80\x80\x80\x10"), "field value: 2147483648 is no int of 32 bits"},
        {"\"int\"", DATA("\x80"), "field value: the data of the block ends within the value"},
        {"\"long\"", DATA("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
         "field value: a number has more than 64 bits"},
        {"\"long\"", DATA("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00"),
         "field value: a number has more than 64 bits"},
        {"\"boolean\"", DATA("\x02"), "field value: 2 is no boolean, which is 0 or 1"},
        {"\"double\"", DATA("\0\0\0\0\0\0\0"),
         "field value: the data of the block ends within the value"},
        {"\"string\"", DATA("\x01"), "field value: -1 is no length"},
        {"\"string\"", DATA("\x04x"), "field value: the data of the block ends within the value"},
        {"\"string\"", DATA("\x02\xff"), "field value: the text is not UTF-8"},
        {"\"bytes\"", DATA("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
         "field value: the data of the block ends within the value"},
        {"[\"null\",\"int\"]", DATA("\x04"), "field value: the union has no branch 2"},
        {"[\"null\",\"int\"]", DATA("\x01"), "field value: the union has no branch -1"},
        {"[\"int\",\"string\",\"long\"]", DATA("\x06"), "field value: the union has no branch 3"},
        {"[\"int\"]", DATA("\x02\x00"), "field value: the union has no branch 1"},
        {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"a\"]}", DATA("\x02"),
         "field value: the enum has no symbol 1"},
        {"{\"type\":\"string\",\"logicalType\":\"uuid\"}", DATA("\x02x"),
         "field value: the text is no uuid"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2}", DATA("\x02\x64"),
         "field value: the decimal has more digits than its type"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":76}",
         DATA("\x42\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
         "field value: the decimal has more digits than its type"},
        {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":12,\"logicalType\":\"duration\"}",
         DATA("\0\0\0\x80\0\0\0\0\0\0\0\0"),
         "field value: 2147483648 months or days are more than an interval holds"},
        {ARRAY("\"int\""), DATA("\x01\x04\x02\x00"),
         "field value[]: the items do not have the 2 bytes that they claim"},
        {ARRAY("\"int\""), DATA("\x01\x01\x02\x00"), "field value: -1 is no length"},
        {ARRAY("\"int\""), DATA("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"),
         "field value: the items do not have the -9223372036854775808 bytes that they claim"},
        {ARRAY("\"null\""), DATA("\x80\x80\x80\x80\x80\x01\x00"),
         "field value[]: too many items without any bytes"},
        {RECORD(FIELD("a", ARRAY("{\"type\":\"map\",\"values\":{\"type\":\"record\",\"name\":\"s\","
                                 "\"fields\":[" FIELD("x", "\"boolean\"") "]}}"))),
         DATA("\x02\x02\x02k\x07"), "field a[]{}.x: 7 is no boolean, which is 0 or 1"},
        {"\"int\"", DATA("\x02\x02"), NULL},
    };
    char wrong[512];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_buffer file = file_of(cases[i].schema, 1, cases[i].data, cases[i].nbytes);
        const size_t at = file.nbytes - 16 - cases[i].nbytes;

        snprintf(wrong, sizeof(wrong), "block 0, at byte %zu: row 1, at byte 0 of the data: %s", at,
                 cases[i].wrong != NULL ? cases[i].wrong : "");
        if (cases[i].wrong == NULL)
            snprintf(wrong, sizeof(wrong),
                     "block 0, at byte %zu: bytes follow the last of its 1 rows", at);
        for (int in_stream = 0; in_stream < 2; in_stream++) {
            struct stoa_test_avro avro;
            struct stoa_error err = {0};

            assert_int_not_equal(
                stoa_test_read_avro(file.data, file.nbytes, in_stream, 0, &avro, &err), STOA_OK);
            assert_string_equal(err.message, wrong);
            stoa_test_avro_reset(&avro);
        }
        stoa_buffer_free(&file);
    }
}

static const char plain[] = RECORD(FIELD("a", "\"int\"") "," FIELD("s", "[\"null\",\"string\"]"));

/* Three blocks of two rows, and one without rows in between. */
static struct stoa_buffer three_blocks(size_t ends[3])
{
    static const char rows[] = "\x02\x02\x04hi\x04\x00";
    struct stoa_buffer file = {0};

    put_header(&file, plain, "null");
    for (int i = 0; i < 3; i++) {
        put_block(&file, 2, DATA(rows));
        ends[i] = file.nbytes;
        if (i == 1)
            put_block(&file, 0, "", 0);
    }
    return file;
}

static void every_cut_is_an_error_but_between_blocks(void **state)
{
    (void)state;
    size_t ends[3], header, empty;
    struct stoa_buffer file = three_blocks(ends);

    empty = ends[1] + (ends[2] - ends[1] - (ends[1] - ends[0]));
    header = ends[0] - (ends[1] - ends[0]);
    for (size_t n = 0; n <= file.nbytes; n++)
        for (int in_stream = 0; in_stream < 2; in_stream++) {
            const bool whole =
                n == header || n == ends[0] || n == ends[1] || n == empty || n == ends[2];
            struct stoa_test_avro avro;
            struct stoa_error err = {0};
            const enum stoa_status st =
                stoa_test_read_avro(file.data, n, in_stream, 0, &avro, &err);

            if (whole != (st == STOA_OK) || (!whole && st != STOA_ERR_DATA))
                fail_msg("%zu of %zu bytes: %s", n, file.nbytes, err.message);
            if (whole)
                assert_int_equal(avro.batch.nrows, n == header    ? 0
                                                   : n == ends[0] ? 2
                                                   : n >= ends[2] ? 6
                                                                  : 4);
            stoa_test_avro_reset(&avro);
        }
    stoa_buffer_free(&file);
}

static void a_block_without_rows_ends_nothing(void **state)
{
    (void)state;
    size_t ends[3];
    struct stoa_buffer file = three_blocks(ends);
    struct stoa_test_avro avro;

    assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &avro, NULL), STOA_OK);
    assert_int_equal(avro.batch.nrows, 6);
    assert_int_equal(avro.nempty, 1);
    stoa_test_avro_reset(&avro);
    stoa_buffer_free(&file);
}

static void damage_around_blocks_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *codec, *data;
        size_t nbytes;
        enum stoa_status st;
        const char *wrong;
    } cases[] = {
        {"zip", DATA("x"), STOA_ERR_UNSUPPORTED,
         "codec \"zip\": null, deflate, snappy, zstandard, bzip2 and xz are read"},
        {"snappy", DATA("abc"), STOA_ERR_DATA, "snappy: the data is damaged"},
        {"snappy", DATA("\x01\x00\x02\0\0\0\0"), STOA_ERR_DATA, "snappy: the checksum differs"},
        {"snappy", DATA("\xff\xff\xff\xff\x0f\x00\x02\0\0\0\0"), STOA_ERR_LIMIT,
         "snappy: 4294967295 bytes of data, more than 256 MiB"},
        {"deflate", DATA("\x03"), STOA_ERR_DATA, "deflate: the data ends early"},
        {"zstandard", DATA("abcdefgh"), STOA_ERR_DATA, "zstandard: Unknown frame descriptor"},
        {"xz", DATA("\0"), STOA_ERR_DATA, "xz: the data ends early"},
        {"xz", DATA("\xfd\x37\x7a\x58\x5a\0"), STOA_ERR_DATA, "xz: the data ends early"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_buffer file = {0};
        struct stoa_test_avro avro;
        struct stoa_error err = {0};
        char wrong[160];

        put_header(&file, "\"int\"", cases[i].codec);
        snprintf(wrong, sizeof(wrong), "block 0, at byte %zu: row 1, at byte 0 of the data: %s",
                 file.nbytes + 2, cases[i].wrong);
        put_block(&file, 1, cases[i].data, cases[i].nbytes);
        for (int in_stream = 0; in_stream < 2; in_stream++) {
            assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, in_stream, 0, &avro, &err),
                             cases[i].st);
            assert_string_equal(err.message, i == 0 ? cases[i].wrong : wrong);
            stoa_test_avro_reset(&avro);
        }
        stoa_buffer_free(&file);
    }
}

/* The footer of an xz stream, 12 bytes, of which the first 4 end a chunk that is read. */
static void a_footer_between_two_chunks_is_read(void **state)
{
    (void)state;
    const struct stoa_avro_packer *packer = stoa_avro_packer_find("xz", 2);
    struct stoa_buffer text = {0}, data = {0}, stored = {0}, file = {0};
    struct stoa_avro_pack *pack;
    struct stoa_test_random r;
    struct stoa_test_avro avro;
    struct stoa_error err = {0};
    size_t nbytes = 3 << 16, too_many;

    stoa_test_random_seed(&r, 1);
    for (size_t i = 0; i < nbytes; i++)
        stoa_test_put(&text, (uint8_t[]){(uint8_t)stoa_test_random_below(&r, 256)}, 1);
    assert_int_equal(packer->open(0, &pack, NULL), STOA_OK);
    do { /* random bytes are stored as they are: so many less make it so many bytes shorter */
        data.nbytes = stored.nbytes = 0;
        stoa_test_put_long(&data, (int64_t)nbytes);
        stoa_test_put(&data, text.data, nbytes);
        assert_int_equal(packer->pack(pack, data.data, data.nbytes, &stored, NULL), STOA_OK);
        too_many = (stored.nbytes - 8) % (64 << 10);
        nbytes -= too_many;
    } while (too_many > 0);
    put_header(&file, "\"bytes\"", "xz");
    put_block(&file, 1, stored.data, stored.nbytes);
    assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, true, 0, &avro, &err), STOA_OK);
    assert_int_equal(avro.batch.columns[0].offsets[1], nbytes);
    assert_memory_equal(avro.batch.columns[0].values, text.data, nbytes);
    stoa_test_avro_reset(&avro);
    packer->close(pack);
    stoa_buffer_free(&file);
    stoa_buffer_free(&stored);
    stoa_buffer_free(&data);
    stoa_buffer_free(&text);
}

static void headers_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t nbytes;
        const char *wrong;
    } cases[] = {
        {DATA("Obj\x02"), "no Avro file: it does not begin with \"Obj\" 1"},
        {DATA(""), "no Avro file: it does not begin with \"Obj\" 1"},
        {DATA("Obj\x01"), "the file ends at byte 4, within the header"},
        {DATA("Obj\x01\x00"
              "0123456789abcdef"),
         "the header has no schema (avro.schema)"},
        {DATA("Obj\x01\x02\x01"), "the header is damaged: -1 is no length"},
        {DATA("Obj\x01\x02\x80\x80\x80\x80\x80\x01"), "a header of more than 33554432 bytes"},
        {DATA("Obj\x01\x02\x80\x80\x80\x02"), "the file ends at byte 9, within the header"},
        {DATA("Obj\x01\x02\x16"
              "avro.schema\x02{\x00"
              "0123456789abcdef"),
         "Avro schema: not JSON: line 1, column 1: string or '}' expected near end of file"},
        {DATA("Obj\x01\x02\x16"
              "avro.schema\x0a\"int\"\x00"
              "0123456789abcdef\x01\x00"),
         "block 0, at byte 40: row 1: -1 rows in 0 bytes"},
        {DATA("Obj\x01\x02\x16"
              "avro.schema\x0a\"int\"\x00"
              "0123456789abcdef\x02\x02\x02"
              "0123456789abcdeg"),
         "block 0, which begins at byte 40 with row 1, does not end with the file's marker, at "
         "byte 43"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_test_avro avro;
        struct stoa_error err = {0};

        assert_int_not_equal(
            stoa_test_read_avro(cases[i].bytes, cases[i].nbytes, false, 0, &avro, &err), STOA_OK);
        assert_string_equal(err.message, cases[i].wrong);
        stoa_test_avro_reset(&avro);
    }
}

/* Record n is twice record n - 1, down to one of a null: 2^30 fields that have no bytes. */
static void fields_without_bytes_are_counted(void **state)
{
    (void)state;
    struct stoa_buffer schema = {0}, file;
    struct stoa_error err = {0};
    struct stoa_test_avro avro;
    char text[96];

    stoa_test_put(&schema,
                  DATA("{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"g\",\"type\":"
                       "\"int\"},{\"name\":\"f\",\"type\":{\"type\":\"record\",\"name\":\"a\","
                       "\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"a\"]},{\"name\":\"x\","
                       "\"type\":"));
    for (int i = 30; i >= 0; i--)
        stoa_test_put(
            &schema, text,
            (size_t)snprintf(text, sizeof(text),
                             "{\"type\":\"record\",\"name\":\"r%d\",\"fields\":[{\"name\":\"a\","
                             "\"type\":",
                             i));
    stoa_test_put(&schema, DATA("\"null\"}]}"));
    for (int i = 1; i <= 30; i++)
        stoa_test_put(
            &schema, text,
            (size_t)snprintf(text, sizeof(text), "},{\"name\":\"b\",\"type\":\"r%d\"}]}", i - 1));
    stoa_test_put(&schema, DATA("}]}}]}\0"));
    file = file_of((char *)schema.data, 1, DATA("\x02\x00"));
    for (uint64_t unwanted = 0; unwanted <= 2; unwanted += 2) { /* as JSON, and passed over */
        assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, unwanted, &avro, &err),
                         STOA_ERR_LIMIT);
        assert_non_null(strstr(err.message, ": field f: too many fields without any bytes"));
        stoa_test_avro_reset(&avro);
    }
    stoa_buffer_free(&file);
    stoa_buffer_free(&schema);
}

/* Items of a byte each, of an enum whose symbol has 1 MB. */
static void json_text_of_a_value_is_bounded(void **state)
{
    (void)state;
    struct stoa_buffer schema = {0}, data = {0}, file;
    struct stoa_error err = {0};
    struct stoa_test_avro avro;

    stoa_test_put(
        &schema, DATA("{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"f\",\"type\":"
                      "{\"type\":\"record\",\"name\":\"a\",\"fields\":[{\"name\":\"next\",\"type\":"
                      "[\"null\",\"a\"]},{\"name\":\"x\",\"type\":{\"type\":\"array\",\"items\":"
                      "{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\""));
    for (int i = 0; i < 1000; i++)
        for (int k = 0; k < 100; k++)
            stoa_test_put(&schema, "0123456789", 10);
    stoa_test_put(&schema, DATA("\"]}}}]}}]}\0"));
    for (int nitems = 200; nitems <= 300; nitems += 100) {
        data.nbytes = 0;
        stoa_test_put_long(&data, 0);
        stoa_test_put_long(&data, nitems);
        assert_int_equal(stoa_buffer_append_zeros(&data, (size_t)nitems + 1, NULL), STOA_OK);
        file = file_of((char *)schema.data, 1, data.data, data.nbytes);
        if (nitems == 200) {
            assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &avro, &err),
                             STOA_OK);
        } else {
            assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &avro, &err),
                             STOA_ERR_LIMIT);
            assert_non_null(
                strstr(err.message, ": field f: the value has more than 256 MiB as JSON text"));
        }
        stoa_test_avro_reset(&avro);
        stoa_buffer_free(&file);
    }
    stoa_buffer_free(&data);
    stoa_buffer_free(&schema);
}

/* A list of nulls, a byte each, of a struct of 1,000 columns: 13 KB each in memory. */
static struct stoa_buffer file_of_null_structs(int64_t nrows, int64_t nitems)
{
    struct stoa_buffer schema = {0}, data = {0}, file;
    char text[64];

    stoa_test_put(&schema, DATA("{\"type\":\"array\",\"items\":[\"null\",{\"type\":\"record\","
                                "\"name\":\"r\",\"fields\":["));
    for (int i = 0; i < 1000; i++)
        stoa_test_put(&schema, text,
                      (size_t)snprintf(text, sizeof(text), "%s" FIELD("c%d", "\"long\""),
                                       i > 0 ? "," : "", i));
    stoa_test_put(&schema, DATA("]}]}\0"));
    for (int64_t i = 0; i < nrows; i++) {
        stoa_test_put_long(&data, nitems);
        assert_int_equal(stoa_buffer_append_zeros(&data, (size_t)nitems + 1, NULL), STOA_OK);
    }
    file = file_of((char *)schema.data, nrows, data.data, data.nbytes);
    stoa_buffer_free(&data);
    stoa_buffer_free(&schema);
    return file;
}

static void a_row_that_is_large_in_memory_is_refused(void **state)
{
    (void)state;
    struct stoa_buffer file = file_of_null_structs(1, 100000);
    struct stoa_error err = {0};
    struct stoa_test_avro avro;

    assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &avro, &err),
                     STOA_ERR_LIMIT);
    assert_non_null(strstr(err.message, ": row 1, at byte 0 of the data: field value[]: the row "
                                        "has more than 512 MiB in memory"));
    stoa_test_avro_reset(&avro);
    stoa_buffer_free(&file);
}

/* Rows that are large together come by several calls, each of which has whole rows. */
static void rows_that_are_large_together_are_read(void **state)
{
    (void)state;
    struct stoa_buffer file = file_of_null_structs(20, 1000);
    struct stoa_error err = {0};
    struct stoa_test_avro avro;

    assert_int_equal(stoa_test_read_avro(file.data, file.nbytes, false, 0, &avro, &err), STOA_OK);
    assert_int_equal(avro.batch.nrows, 20);
    assert_int_equal(avro.batch.columns[0].children[0].nvalues, 20000);
    assert_int_equal(avro.batch.columns[0].children[0].nnulls, 20000);
    stoa_test_avro_reset(&avro);
    stoa_buffer_free(&file);
}

static enum stoa_status read_nested(void *context, struct stoa_error *err)
{
    static const char schema[] = RECORD(FIELD("l", ARRAY("[\"null\",\"string\"]")) "," FIELD(
        "u", "[\"int\",\"null\",\"string\"]") "," FIELD("n", "[\"null\",\"r\"]"));
    struct stoa_buffer *file = context;
    struct stoa_test_avro avro;
    enum stoa_status st;

    if (file->nbytes == 0)
        *file = file_of(schema, 2, DATA("\x04\x00\x02\x02z\x00\x00\x06\x00\x00\x04\x02w\x00"));
    st = stoa_test_read_avro(file->data, file->nbytes, true, 0, &avro, err);
    stoa_test_avro_reset(&avro);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_buffer file = {0};

    assert_int_equal(read_nested(&file, NULL), STOA_OK); /* the file is made */
    stoa_test_each_failing_alloc(read_nested, &file);
    stoa_buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(every_cut_is_an_error_but_between_blocks),
        cmocka_unit_test(a_block_without_rows_ends_nothing),
        cmocka_unit_test(damage_around_blocks_is_named),
        cmocka_unit_test(a_footer_between_two_chunks_is_read),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(fields_without_bytes_are_counted),
        cmocka_unit_test(a_row_that_is_large_in_memory_is_refused),
        cmocka_unit_test(rows_that_are_large_together_are_read),
        cmocka_unit_test(json_text_of_a_value_is_bounded),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
