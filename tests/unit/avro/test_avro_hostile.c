/*
 * Small files that claim, or stand for, a lot: each is refused with little memory. What a schema's
 * text takes as JSON is bounded by its size and not counted here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/avro.h>

#include "avro/avro_source.h"
#include "base/alloc.h"
#include "base/error.h"
#include "support/avro_bytes.h"
#include "support/compress.h"
#include "support/fault_alloc.h"
#include "support/folder.h"

enum { MAX_NBYTES = 64 << 20, MAX_FILE_NBYTES = 2 << 20 };

#define MANY_FIELDS                                                                                \
    "types that are used again and again make too many fields, symbols and attributes: more than " \
    "8 MiB and 8 times the schema's text"
#define MANY_EMPTY "more than 8388608 values of rows and arrays that have no bytes"

/* ---- Schemas ---- */

static __attribute__((format(printf, 2, 3))) void print(struct stoa_buffer *out, const char *format,
                                                        ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    stoa_test_put(out, text, (size_t)vsnprintf(text, sizeof(text), format, arguments));
    va_end(arguments);
}

static void print_again(struct stoa_buffer *out, const char *text, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        stoa_test_put(out, text, strlen(text));
}

/* A record of a field f of the type that was begun, and n more of the type that it is called. */
static void use_again(struct stoa_buffer *out, const char *name, unsigned n)
{
    print(out, "}");
    for (unsigned i = 0; i < n; i++)
        print(out, ",{\"name\":\"f%u\",\"type\":\"%s\"}", i, name);
    print(out, "]}");
}

#define USED_AGAIN "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"f\",\"type\":"

/* A union of 1,000 long names, 900 times. */
static void put_union(struct stoa_buffer *out)
{
    print(out, USED_AGAIN "{\"type\":\"record\",\"name\":\"h\",\"fields\":[{\"name\":\"u\","
                          "\"type\":[\"null\"");
    for (unsigned i = 0; i < 1000; i++) {
        print(out, ",{\"type\":\"fixed\",\"size\":1,\"name\":\"");
        print_again(out, "long", 80);
        print(out, "%u\"}", i);
    }
    print(out, "]}]}");
    use_again(out, "h", 900);
}

static void put_record(struct stoa_buffer *out)
{
    print(out, USED_AGAIN "{\"type\":\"record\",\"name\":\"h\",\"fields\":[");
    for (unsigned i = 0; i < 1000; i++)
        print(out, "%s{\"name\":\"a%u\",\"type\":\"int\"}", i > 0 ? "," : "", i);
    print(out, "]}");
    use_again(out, "h", 900);
}

/* One field, whose name has a megabyte. */
static void put_name(struct stoa_buffer *out)
{
    print(out, USED_AGAIN "{\"type\":\"record\",\"name\":\"h\",\"fields\":[{\"name\":\"");
    print_again(out, "0123456789abcdef", 65536);
    print(out, "\",\"type\":\"int\"}]}");
    use_again(out, "h", 900);
}

/* A record of one field with an attribute, whose value is n times a text between two others. */
static void put_attribute(struct stoa_buffer *out, const char *begin, const char *text, unsigned n,
                          const char *end)
{
    print(out,
          USED_AGAIN "{\"type\":\"record\",\"name\":\"h\",\"fields\":[{\"name\":\"x\","
                     "\"type\":\"string\",%s",
          begin);
    print_again(out, text, n);
    print(out, "%s}]}", end);
    use_again(out, "h", 900);
}

static void put_metadata(struct stoa_buffer *out)
{
    put_attribute(out, "\"metadata\":{\"k\":\"", "0123456789abcdef", 32768, "\"}");
}

static void put_pairs(struct stoa_buffer *out)
{
    struct stoa_buffer pairs = {0};

    for (unsigned i = 0; i < 500; i++)
        print(&pairs, ",\"%u\":\"\"", i);
    stoa_test_put(&pairs, "", 1);
    put_attribute(out, "\"metadata\":{\"k\":\"\"", (char *)pairs.data, 1, "}");
    stoa_buffer_free(&pairs);
}

static void put_column_name(struct stoa_buffer *out)
{
    put_attribute(out, "\"stoa_name\":[1", ",1", 32768, "]");
}

static void put_csv_format(struct stoa_buffer *out)
{
    put_attribute(out, "\"csv_format\":[1", ",1", 32768, "]");
}

static void put_declared(struct stoa_buffer *out)
{
    struct stoa_buffer symbols = {0};

    for (unsigned i = 0; i < 500; i++)
        print(&symbols, ",s%u", i);
    stoa_test_put(&symbols, "", 1);
    put_attribute(out, "\"stoa_type\":\"enum(s", (char *)symbols.data, 1, ")\"");
    stoa_buffer_free(&symbols);
}

static void put_enum(struct stoa_buffer *out)
{
    print(out, USED_AGAIN "{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"s\"");
    for (unsigned i = 0; i < 10000; i++)
        print(out, ",\"s%u\"", i);
    print(out, "]}");
    use_again(out, "e", 900);
}

/* Records that have the one before twice, down to one of nothing. */
static void put_doubled(struct stoa_buffer *out)
{
    for (int i = 24; i >= 0; i--)
        print(out,
              "{\"type\":\"record\",\"name\":\"d%d\",\"fields\":[{\"name\":\"a\",\"type\":", i);
    print(out, "\"null\"}]}");
    for (int i = 1; i <= 24; i++)
        print(out, "},{\"name\":\"b\",\"type\":\"d%d\"}]}", i - 1);
}

/* A namespace of half a megabyte in front of the names of types that are used, and of aliases. */
static void put_namespace(struct stoa_buffer *out)
{
    print(out, "{\"type\":\"record\",\"name\":\"r\",\"namespace\":\"");
    print_again(out, "0123456789abcdef", 32768);
    print(out, "\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"x\","
               "\"size\":1}");
    use_again(out, "x", 40);
}

static void put_aliases(struct stoa_buffer *out)
{
    print(out, "{\"type\":\"fixed\",\"size\":1,\"name\":\"r\",\"namespace\":\"");
    print_again(out, "0123456789abcdef", 32768);
    print(out, "\",\"aliases\":[\"a\"");
    print_again(out, ",\"a\"", 40);
    print(out, "]}");
}

static void put_nulls(struct stoa_buffer *out)
{
    print(out,
          "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"null\"}");
    for (unsigned i = 0; i < 5000; i++)
        print(out, ",{\"name\":\"n%u\",\"type\":\"null\"}", i);
    print(out, "]}");
}

static void put_doubles(struct stoa_buffer *out)
{
    print(out, "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"r\",\"fields\":[");
    for (unsigned i = 0; i < 5000; i++)
        print(out, "%s{\"name\":\"n%u\",\"type\":[\"null\",\"double\"]}", i > 0 ? "," : "", i);
    print(out, "]}}");
}

static void put_brackets(struct stoa_buffer *out)
{
    print_again(out, "[", 1 << 20);
}

static void put_arrays(struct stoa_buffer *out)
{
    print_again(out, "{\"type\":\"array\",\"items\":", 1000);
    print(out, "\"int\"");
    print_again(out, "}", 1000);
}

static void put_values(struct stoa_buffer *out)
{
    print(out, "{\"type\":\"int\",\"x\":[0");
    print_again(out, ",0", 1 << 20);
    print(out, "]}");
}

static void put_branches(struct stoa_buffer *out)
{
    print(out, "[\"null\"");
    for (unsigned i = 0; i < 1024; i++)
        print(out, ",{\"type\":\"fixed\",\"size\":1,\"name\":\"n%u\"}", i);
    print(out, "]");
}

/* ---- Files ---- */

#define LONG_2_62 "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"
#define LONG_2_40 "\x80\x80\x80\x80\x80\x40"
#define DATA(...) __VA_ARGS__, sizeof(__VA_ARGS__) - 1

/* A file of one block, whose head is as it is told. */
struct hostile {
    const char *what;
    const char *schema;                    /* NULL: */
    void (*put)(struct stoa_buffer *text); /* this makes it */
    int64_t nrows;
    const char *data;
    size_t nbytes;
    unsigned ntimes;        /* that the data is there */
    int64_t claimed_nbytes; /* 0: what it has */
    const char *wrong;      /* the end of the message */
};

static const struct hostile cases[] = {
    {"a union", NULL, put_union, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"a record", NULL, put_record, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"a name", NULL, put_name, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"an enum", NULL, put_enum, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"metadata", NULL, put_metadata, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"pairs of metadata", NULL, put_pairs, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"a name of a column that is none", NULL, put_column_name, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"a pattern that is none", NULL, put_csv_format, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"records twice in each other", NULL, put_doubled, 0, DATA(""), 0, 0, MANY_FIELDS},
    {"a namespace", NULL, put_namespace, 0, DATA(""), 0, 0,
     "the namespaces in front of all names have more than 16 MiB"},
    {"aliases", NULL, put_aliases, 0, DATA(""), 0, 0,
     "the namespaces in front of all names have more than 16 MiB"},
    {"brackets", NULL, put_brackets, 0, DATA(""), 0, 0, "JSON is nested more than 256 deep"},
    {"arrays", NULL, put_arrays, 0, DATA(""), 0, 0, "JSON is nested more than 256 deep"},
    {"values", NULL, put_values, 0, DATA(""), 0, 0, "JSON of more than 1048576 values"},
    {"branches", NULL, put_branches, 0, DATA(""), 0, 0,
     "a union of 1025 branches: at most 1024 are read"},
    {"a fixed", "{\"type\":\"fixed\",\"name\":\"f\",\"size\":4294967295}", NULL, 0, DATA(""), 0, 0,
     "a fixed of 4294967295 bytes: at most 67108864 are read"},
    {"rows of nothing", "\"null\"", NULL, INT64_MAX, DATA(""), 0, 0, MANY_EMPTY},
    {"rows of a lot of nothing", NULL, put_nulls, INT64_MAX, DATA(""), 0, 0, MANY_EMPTY},
    {"an array of nothing", "{\"type\":\"array\",\"items\":\"null\"}", NULL, 1, DATA(LONG_2_62), 1,
     0, "field value[]: too many items without any bytes"},
    {"arrays of nothing", "{\"type\":\"array\",\"items\":\"null\"}", NULL, 4096,
     DATA("\x80\x80\x40\x00"), 4096, 0, MANY_EMPTY},
    {"an array of a lot", NULL, put_doubles, 1, DATA(LONG_2_40 "\0\0\0\0\0\0\0\0"), 1, 0,
     "field value[].n8: the data of the block ends within the value"},
    {"many rows", "\"int\"", NULL, INT64_MAX, DATA("\0\0"), 1, 0,
     "field value: the data of the block ends within the value"},
    {"a long text", "\"string\"", NULL, 1, DATA(LONG_2_40 "x"), 1, 0,
     "field value: the data of the block ends within the value"},
    {"a negative text", "\"string\"", NULL, 1, DATA("\x09x"), 1, 0, "field value: -5 is no length"},
    {"a large block", "\"string\"", NULL, 1, DATA("\x02x"), 1, INT64_MAX,
     "the file ends 9223372036854775789 bytes before the block"},
    {"a value in itself",
     "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"n\",\"type\":[\"null\",\"r\"]}]}",
     NULL, 1, DATA("\x02"), 1 << 20, 0, "field n: the value is nested too deep"},
};

/* A text of 40 MiB in 40 KB. */
static void put_bomb(struct stoa_buffer *out)
{
    const size_t nbytes = 40 << 20, room = stoa_test_compress_bound(nbytes);
    struct stoa_buffer text = {0}, packed = {0};

    stoa_test_put_long(&text, (int64_t)nbytes);
    assert_int_equal(stoa_buffer_append_zeros(&text, nbytes, NULL), STOA_OK);
    assert_int_equal(stoa_buffer_resize(&packed, room, NULL), STOA_OK);
    packed.nbytes = stoa_test_deflate(text.data, text.nbytes, packed.data, room);
    stoa_test_put(out, "Obj\x01", 4);
    stoa_test_put_long(out, 2);
    stoa_test_put_text(out, "avro.schema");
    stoa_test_put_text(out, "\"string\"");
    stoa_test_put_text(out, "avro.codec");
    stoa_test_put_text(out, "deflate");
    stoa_test_put_long(out, 0);
    stoa_test_put(out, "0123456789abcdef", 16);
    stoa_test_put_long(out, 1);
    stoa_test_put_long(out, (int64_t)packed.nbytes);
    stoa_test_put(out, packed.data, packed.nbytes);
    stoa_test_put(out, "0123456789abcdef", 16);
    stoa_buffer_free(&packed);
    stoa_buffer_free(&text);
}

static struct stoa_buffer make(const struct hostile *given)
{
    struct stoa_buffer file = {0}, schema = {0};
    const int64_t nbytes = (int64_t)(given->nbytes * given->ntimes);

    if (given->schema != NULL)
        stoa_test_put(&schema, given->schema, strlen(given->schema));
    else
        given->put(&schema);
    stoa_test_put(&schema, "", 1);
    stoa_test_put(&file, "Obj\x01", 4);
    stoa_test_put_long(&file, 1);
    stoa_test_put_text(&file, "avro.schema");
    stoa_test_put_text(&file, (char *)schema.data);
    stoa_test_put_long(&file, 0);
    stoa_test_put(&file, "0123456789abcdef", 16);
    stoa_test_put_long(&file, given->nrows);
    stoa_test_put_long(&file, given->claimed_nbytes != 0 ? given->claimed_nbytes : nbytes);
    for (unsigned i = 0; i < given->ntimes; i++)
        stoa_test_put(&file, given->data, given->nbytes);
    stoa_test_put(&file, "0123456789abcdef", 16);
    stoa_buffer_free(&schema);
    return file;
}

/* All columns, one unit after the other, as a conversion reads them. */
static enum stoa_status read_units(struct stoa_batch_source *source, struct stoa_error *err)
{
    enum stoa_status st;

    for (;;) {
        struct stoa_batch batch = {0};
        struct stoa_notes *notes;
        struct stoa_unit *unit;

        STOA_TRY(source->next(source, &unit, err));
        if (unit == NULL)
            break;
        STOA_TRY(source->read(source, unit, &batch, &notes, err));
        stoa_batch_reset(&batch);
    }
out:
    return st;
}

static enum stoa_status read_file(const char *path, struct stoa_error *err)
{
    struct stoa_avro_source_options options = {.unit_nrows = 131072, .unit_nbytes = 32 << 20};
    struct stoa_avro_inputs *inputs = NULL;
    struct stoa_batch_source *source = NULL;
    uint32_t *columns = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_avro_inputs_open(&path, 1, NULL, false, NULL, &inputs, err));
    options.ncolumns = stoa_avro_inputs_schema(inputs)->nfields;
    STOA_TRY(stoa_alloc_zeroed(&columns, options.ncolumns, sizeof(*columns), err));
    for (uint32_t i = 0; i < options.ncolumns; i++)
        columns[i] = i;
    options.columns = columns;
    STOA_TRY(stoa_avro_source_open(inputs, &options, &source, err));
    inputs = NULL;
    STOA_TRY(read_units(source, err));
out:
    if (source != NULL)
        source->close(source);
    stoa_avro_inputs_close(inputs);
    stoa_free(columns);
    return st;
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void check_refused(const struct stoa_buffer *file, const char *what, const char *wrong)
{
    struct stoa_test_alloc_counts counts;
    struct stoa_error err = {0};
    enum stoa_status st;

    if (file->nbytes > MAX_FILE_NBYTES + 100)
        fail_msg("%s: the file is not small: %zu bytes", what, file->nbytes);
    stoa_test_folder_put("x.avro", file->data, file->nbytes);
    stoa_test_alloc_begin(0, STOA_TEST_FAULT_ONCE);
    st = read_file("x.avro", &err);
    counts = stoa_test_alloc_end();
    if (st != STOA_ERR_LIMIT && st != STOA_ERR_DATA)
        fail_msg("%s: it is read, or something else is wrong: %s", what, err.message);
    if (!ends_with(err.message, wrong))
        fail_msg("%s: \"%s\"", what, err.message);
    if (counts.peak_nbytes > MAX_NBYTES)
        fail_msg("%s: it takes %lld bytes of memory", what, (long long)counts.peak_nbytes);
}

static void what_small_files_stand_for_is_bounded(void **state)
{
    (void)state;
    struct stoa_buffer file = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        file = make(&cases[i]);
        check_refused(&file, cases[i].what, cases[i].wrong);
        stoa_buffer_free(&file);
    }
    put_bomb(&file);
    check_refused(&file, "a bomb",
                  "row 1, at byte 0 of the data: a row of more than 33554432 bytes "
                  "(--max-record-size: 512M at the most)");
    stoa_buffer_free(&file);
}

/* A schema that is given, where a type may be declared as another one. */
static void what_declared_types_stand_for_is_bounded(void **state)
{
    (void)state;
    struct stoa_test_alloc_counts counts;
    struct stoa_buffer text = {0};
    struct stoa_schema columns;
    struct stoa_error err = {0};

    put_declared(&text);
    stoa_test_alloc_begin(0, STOA_TEST_FAULT_ONCE);
    assert_int_equal(stoa_avro_parse_schema((char *)text.data, text.nbytes, &columns, &err),
                     STOA_ERR_LIMIT);
    counts = stoa_test_alloc_end();
    if (!ends_with(err.message, MANY_FIELDS))
        fail_msg("\"%s\"", err.message);
    assert_in_range(counts.peak_nbytes, 0, MAX_NBYTES);
    stoa_buffer_free(&text);
}

/* Long names of branches whose simple names are told apart, and are not. */
static void names_of_members_are_simple_where_they_are_one(void **state)
{
    (void)state;
    static const char schema[] =
        "[\"null\",{\"type\":\"fixed\",\"name\":\"a.x\",\"size\":1},\"int\",{\"type\":\"fixed\","
        "\"name\":\"b.x\",\"size\":1},{\"type\":\"fixed\",\"name\":\"b.y\",\"size\":1},{\"type\":"
        "\"fixed\",\"name\":\"c.tag\",\"size\":1},{\"type\":\"fixed\",\"name\":\"c.int\",\"size\":"
        "1}]";
    static const char *const names[] = {"tag", "a.x", "int", "b.x", "y", "c.tag", "c.int"};
    struct stoa_schema columns;
    struct stoa_error err = {0};

    if (stoa_avro_parse_schema(schema, sizeof(schema) - 1, &columns, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(columns.fields[0].nchildren, 7);
    for (uint32_t i = 0; i < 7; i++)
        assert_string_equal(columns.fields[0].children[i].name, names[i]);
    stoa_schema_reset(&columns);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_small_files_stand_for_is_bounded,
                                        stoa_test_folder_enter_memory, stoa_test_folder_leave),
        cmocka_unit_test(what_declared_types_stand_for_is_bounded),
        cmocka_unit_test(names_of_members_are_simple_where_they_are_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
