/*
 * Opening and reading files that are damaged or hostile: each case with its message.
 *
 * Hostile files have right hashes (support/rehash.h), so that the checks behind the hashes are met.
 */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "column/array.h"
#include "file/layout.h"
#include "support/fault_io.h"
#include "support/gen_table.h"
#include "support/rehash.h"
#include "support/stoa_file.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- A small table whose bytes are the same in every run. ---- */

enum { NROWS = 40 };

static void fill(struct stoa_array *array, const struct stoa_type *type, size_t nrows)
{
    struct stoa_error err;
    size_t width = stoa_type_width(type);

    assert_int_equal(stoa_array_alloc(type, nrows, 2 * nrows, false, array, &err), STOA_OK);
    for (size_t i = 0; i < nrows; i++) {
        uint64_t x = i * i % 97 + 3;
        uint8_t small = (uint8_t)x;

        if (array->offsets != NULL) {
            array->values[2 * i] = (uint8_t)('a' + i % 26);
            array->values[2 * i + 1] = 'z';
            array->offsets[i + 1] = (int32_t)(2 * i + 2);
        } else {
            memcpy(array->values + i * width, width == 1 ? (const void *)&small : &x, width);
        }
    }
}

/* Columns n int64, u uint8, b binary, t utf8; row groups of 40 and 30 rows. */
static void make(struct stoa_test_table *table)
{
    static const struct {
        const char *name;
        enum stoa_type_id id;
        bool nullable;
    } columns[] = {
        {"n", STOA_INT64, false},
        {"u", STOA_UINT8, true},
        {"b", STOA_BINARY, false},
        {"t", STOA_UTF8, true},
    };
    static const size_t nrows[] = {NROWS, 30};
    struct stoa_error err;

    *table = (struct stoa_test_table){.nbatches = 2};
    assert_int_equal(stoa_alloc_zeroed(&table->batches, 2, sizeof(*table->batches), &err), STOA_OK);
    for (size_t i = 0; i < LENGTH_OF(columns); i++) {
        struct stoa_type type = {.id = columns[i].id};

        assert_int_equal(
            stoa_schema_add(&table->schema, columns[i].name, &type, columns[i].nullable, &err),
            STOA_OK);
    }
    for (size_t g = 0; g < 2; g++) {
        assert_int_equal(stoa_batch_init(&table->batches[g], &table->schema, &err), STOA_OK);
        table->batches[g].nrows = nrows[g];
        for (uint32_t i = 0; i < LENGTH_OF(columns); i++)
            fill(&table->batches[g].columns[i], &table->schema.fields[i].type, nrows[g]);
    }
    stoa_test_file_write(&table->schema, table->batches, 2, NULL, &table->file);
}

/* Opens the file and reads every column of every row group; the first error comes back. */
static enum stoa_status read_all(const struct stoa_test_file *file, struct stoa_error *err)
{
    struct stoa_source *source = stoa_test_file_source(file);
    struct stoa_reader *reader = NULL;
    const struct stoa_schema *schema;
    struct stoa_zone zone;
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(source, NULL, &reader, err));
    for (uint32_t column = 0; column < stoa_reader_ncolumns(reader); column++) {
        for (uint32_t g = 0; g < stoa_reader_nrow_groups(reader); g++) {
            struct stoa_row_group group;
            struct stoa_array array = {0};

            STOA_TRY(stoa_reader_row_group(reader, g, &group, err));
            STOA_TRY(stoa_reader_column(reader, g, column, (struct stoa_rows){0, group.nrows},
                                        &array, NULL, err));
            stoa_array_reset(&array);
            STOA_TRY(stoa_reader_zone(reader, column, g, 0, &zone, err));
        }
    }
    STOA_TRY(stoa_reader_schema(reader, &schema, err));
out:
    stoa_reader_close(reader);
    stoa_source_close(source);
    return st;
}

/* `message` may have a `*` where it tells a number that depends on how small the writer writes. */
static void expect(const struct stoa_test_file *file, enum stoa_status status, const char *message)
{
    struct stoa_error err = {0};
    enum stoa_status st = read_all(file, &err);

    if (st != status)
        fail_msg("%s (%s), expected: %s", stoa_status_name(st), err.message, message);
    if (fnmatch(message, err.message, 0) != 0)
        assert_string_equal(err.message, message);
    assert_int_equal(err.status, status);
}

/* ---- What is no whole Stoa file. ---- */

static void files_that_are_none(void **state)
{
    struct stoa_test_table table;
    struct stoa_test_file file;
    char message[256];
    size_t n;
    struct stoa_error err;

    (void)state;
    make(&table);
    n = table.file.nbytes;
    assert_int_equal(stoa_alloc_zeroed(&file.bytes, 1, 3 * n, &err), STOA_OK);

    file.nbytes = 0;
    expect(&file, STOA_ERR_CORRUPT, "not a Stoa file: it is empty");
    file.nbytes = 200;
    expect(&file, STOA_ERR_CORRUPT, "not a Stoa file");

    memcpy(file.bytes, table.file.bytes, n);
    for (file.nbytes = 8; file.nbytes < n; file.nbytes++)
        expect(&file, STOA_ERR_CORRUPT,
               "cut short or not finished: it starts like a Stoa file and has no end");
    for (file.nbytes = 1; file.nbytes < 8; file.nbytes++)
        expect(&file, STOA_ERR_CORRUPT, "not a Stoa file");

    file.nbytes = n + 1; /* a zero byte */
    expect(&file, STOA_ERR_CORRUPT, "1 bytes follow the end of the Stoa file");
    file.nbytes = n + 700;
    expect(&file, STOA_ERR_CORRUPT, "700 bytes follow the end of the Stoa file");

    memcpy(file.bytes + n, table.file.bytes, n); /* cat a b */
    file.nbytes = 2 * n;
    (void)snprintf(message, sizeof(message), "two Stoa files in one: the second starts at byte %zu",
                   n);
    expect(&file, STOA_ERR_CORRUPT, message);

    memset(file.bytes, '#', 100); /* something in front */
    memcpy(file.bytes + 100, table.file.bytes, n);
    file.nbytes = n + 100;
    (void)snprintf(message, sizeof(message),
                   "%zu bytes, its end says %zu: two files in one, or bytes put in front or in "
                   "between",
                   n + 100, n);
    expect(&file, STOA_ERR_CORRUPT, message);

    memcpy(file.bytes, table.file.bytes + 640, n - 640); /* the front is missing */
    file.nbytes = n - 640;
    (void)snprintf(message, sizeof(message),
                   "%zu bytes, its end says %zu: bytes are missing before the end", n - 640, n);
    expect(&file, STOA_ERR_CORRUPT, message);

    stoa_free(file.bytes);
    stoa_test_table_reset(&table);
}

/* ---- Versions and features. ---- */

static void newer_files_say_what_they_need(void **state)
{
    static const struct {
        uint16_t version;
        uint32_t features;
        const char *message;
    } cases[] = {
        {0x0200, 0, "trailer: format version 2.0, this program reads 1.x"},
        {0x0100, 1, "trailer: needs feature 0 (encryption), which this version cannot read"},
        {0x0100, 2, "trailer: needs feature 1 (derived columns), which this version cannot read"},
        {0x0100, 8, "trailer: needs feature 3, which this version does not know"},
        {0x0100, 1u << 31, "trailer: needs feature 31, which this version does not know"},
    };
    struct stoa_test_table table;
    uint8_t *trailer;

    (void)state;
    make(&table);
    trailer = table.file.bytes + table.file.nbytes - STOA_TRAILER_NBYTES;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        stoa_store16(trailer + 32, cases[i].version);
        stoa_store32(trailer + 28, cases[i].features);
        stoa_store64(trailer + 48, stoa_hash(trailer, 48));
        expect(&table.file, STOA_ERR_UNSUPPORTED, cases[i].message);
    }
    stoa_store16(trailer + 32, 0x0107); /* a newer minor version may be read */
    stoa_store32(trailer + 28, 0);
    stoa_store64(trailer + 48, stoa_hash(trailer, 48));
    assert_int_equal(read_all(&table.file, NULL), STOA_OK);
    stoa_test_table_reset(&table);
}

/* ---- Damage: one byte, and the hashes as they were. ---- */

static void damage_is_named_with_its_place(void **state)
{
    struct stoa_test_table table;
    struct {
        const uint8_t *at;
        const char *message;
    } cases[8];
    struct stoa_error err;
    size_t n = 0;

    (void)state;
    make(&table);
    cases[n].at = table.file.bytes + table.file.nbytes - 40;
    cases[n++].message = "trailer: hash differs";
    cases[n].at = table.file.bytes + table.file.nbytes - 70;
    cases[n++].message = "section table: hash differs";
    cases[n].at = stoa_test_file_column(&table.file, 1) + 5;
    cases[n++].message = "section columns: hash differs";
    cases[n].at = stoa_test_file_section(&table.file, STOA_SECTION_POOL);
    cases[n++].message = "section pool: hash differs";
    cases[n].at = stoa_test_file_group(&table.file, 1);
    cases[n++].message = "section row groups: hash differs";
    cases[n].at = stoa_test_file_chunk(&table.file, 1, 2) + 9;
    cases[n++].message = "column b: chunk entries: hash differs";
    cases[n].at = table.file.bytes + stoa_load64(stoa_test_file_column(&table.file, 3) + 40);
    cases[n++].message = "column t: statistics: hash differs";
    cases[n].at = table.file.bytes + stoa_load64(stoa_test_file_chunk(&table.file, 1, 0)) + 12;
    cases[n++].message = "row group 1: column n: page 0: hash differs";
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)(cases[i].at - table.file.bytes);

        table.file.bytes[at] ^= 0x10;
        assert_int_equal(read_all(&table.file, &err), STOA_ERR_CORRUPT);
        assert_string_equal(err.message, cases[i].message);
        assert_true(err.offset <= at && at < err.offset + 4096);
        table.file.bytes[at] ^= 0x10;
    }
    stoa_test_table_reset(&table);
}

/* ---- Hostile files: right hashes around wrong numbers. ---- */

enum place { SECTION, COLUMN, GROUP, CHUNK, TRAILER };

struct hostile {
    enum place place;
    unsigned which; /* section type; number of the column, row group, column */
    unsigned at;    /* offset in the structure */
    unsigned nbytes;
    uint64_t value;
    const char *message;
    enum stoa_status status; /* 0: STOA_ERR_CORRUPT */
};

static uint8_t *find(const struct stoa_test_file *file, const struct hostile *hostile)
{
    switch (hostile->place) {
    case SECTION:
        return stoa_test_file_section_entry(file, hostile->which);
    case COLUMN:
        return stoa_test_file_column(file, hostile->which);
    case GROUP:
        return stoa_test_file_group(file, hostile->which);
    case CHUNK:
        return stoa_test_file_chunk(file, 1, hostile->which);
    case TRAILER:
        break;
    }
    return file->bytes + file->nbytes - STOA_TRAILER_NBYTES;
}

static void wrong_numbers_are_refused(void **state)
{
    static const struct hostile cases[] = {
        {TRAILER, 0, 24, 4, 256, "trailer: footer at * with 256 sections in * bytes", 0},
        {TRAILER, 0, 36, 4, 5, "section columns: 4 columns, the trailer says 5", 0},
        {TRAILER, 0, 16, 8, 71, "row groups have 70 rows, the trailer says 71", 0},
        {TRAILER, 0, 0, 8, 64 * 100, "trailer: footer at 6400 with 6 sections in * bytes", 0},

        {SECTION, STOA_SECTION_POOL, 1, 1, 0x41, "section: flags 0x41, only 0x07 are given", 0},
        {SECTION, STOA_SECTION_POOL, 1, 1, 3, "section pool: 4 bytes in slices", 0},
        {SECTION, STOA_SECTION_POOL, 1, 1, 5, "section: BY_COLUMN beside a hash", 0},
        {SECTION, STOA_SECTION_POOL, 4, 4, 9, "section pool: 4 bytes for 9 elements", 0},
        {SECTION, STOA_SECTION_POOL, 8, 8, 0,
         "section pool: 4 bytes at 0 are not inside the footer", 0},
        {SECTION, STOA_SECTION_POOL, 16, 8, UINT64_MAX - 7,
         "section pool: 18446744073709551608 bytes at * are not inside the footer", 0},
        {SECTION, STOA_SECTION_POOL, 0, 1, 2, "section names: out of order", 0},
        {SECTION, STOA_SECTION_STATISTICS, 0, 1, 200,
         "section: type 200 is required and this version does not know it", STOA_ERR_UNSUPPORTED},
        {SECTION, STOA_SECTION_NAMES, 4, 4, 3, "section names: 32 bytes for 3 elements", 0},

        {GROUP, 1, 0, 8, 1 << 20, "row group 1: at 1048576, where it can't be", 0},
        {GROUP, 1, 0, 8, 64, "row group 1: at 64, where it can't be", 0},
        {GROUP, 1, 16, 8, 39, "row group 1: first row 39, must be 40", 0},
        {GROUP, 1, 24, 8, 2, "row group 1: first zone 2, must be 1", 0},
        {GROUP, 0, 32, 4, 0, "row group 0: row group: 0 rows, must be 1..16777216", 0},

        {COLUMN, 1, 0, 4, 1000, "schema: column 2: name: longer than the bytes that hold it", 0},
        {COLUMN, 1, 6, 1, 25, "column u: a tree in a file without nested columns", 0},
        {COLUMN, 1, 6, 1, 99, "schema: column 2 (u): type 99, which this version cannot read",
         STOA_ERR_UNSUPPORTED},
        {COLUMN, 1, 7, 1, 3, "column 2: node: flags 0x03, only 0x01 are given", 0},
        {COLUMN, 1, 56, 2, 16, "column u: zone maps of 16 bytes, must be 24", 0},
        {COLUMN, 1, 24, 8, 0, "column u: chunks: 64 bytes at 0 are not in their section", 0},
        {COLUMN, 1, 40, 8, UINT64_MAX,
         "column u: statistics: 72 bytes at 18446744073709551615 are not in their section", 0},
        {COLUMN, 1, 60, 1, 1, "column 2: column: byte 60 is 1, must be 0", 0},

        {CHUNK, 0, 12, 4, 31, "column n: chunk entries: row group 1: 31 nulls in 30 rows", 0},
        {CHUNK, 0, 12, 4, 3,
         "column n: chunk entries: row group 1: 3 nulls in a column that has none", 0},
        {CHUNK, 1, 12, 4, 3, "row group 1: column u: 0 nulls, the footer says 3", 0},
        {CHUNK, 1, 29, 1, 77,
         "column u: chunk entries: row group 1: physical type 77, which this version cannot read",
         STOA_ERR_UNSUPPORTED},
        {CHUNK, 1, 29, 1, 4,
         "column u: chunk entries: row group 1: physical type i64 in a column of u8", 0},
        {CHUNK, 0, 29, 1, 3,
         "row group 1: column n: page 0: node 0: values of i64 in a chunk of i32", 0},
        {CHUNK, 0, 0, 8, 128,
         "column n: chunk entries: row group 1: * bytes at 128 are not in their row group", 0},
        {CHUNK, 0, 8, 4, 1 << 30,
         "column n: chunk entries: row group 1: 1073741824 bytes at * are not in their row "
         "group",
         0},
        {CHUNK, 0, 28, 1, 17,
         "column n: chunk entries: row group 1: chunk: page_shift 17, must be 0..16", 0},
        {CHUNK, 0, 28, 1, 0, "column n: chunk entries: row group 1: 30 pages in * bytes", 0},
        {CHUNK, 0, 31, 1, 2,
         "column n: chunk entries: row group 1: chunk: flag SHARED_DICT without a dictionary", 0},
        {CHUNK, 0, 31, 1, 4,
         "column n: chunk entries: row group 1: chunk: ALL_NULL beside bytes or other flags", 0},
        {CHUNK, 0, 31, 1, 8,
         "column n: chunk entries: row group 1: chunk: ALL_VALID beside bytes or other flags", 0},
        {CHUNK, 0, 31, 1, 16, "column n: chunk entries: row group 1: chunk: DERIVED without a base",
         0},
        {CHUNK, 0, 31, 1, 32,
         "column n: chunk entries: row group 1: chunk: flags 0x20, only 0x1f are given", 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct stoa_test_table table;
        uint8_t bytes[8];

        make(&table);
        stoa_store64(bytes, cases[i].value);
        memcpy(find(&table.file, &cases[i]) + cases[i].at, bytes, cases[i].nbytes);
        stoa_test_rehash(table.file.bytes, table.file.nbytes);
        expect(&table.file, cases[i].status != 0 ? cases[i].status : STOA_ERR_CORRUPT,
               cases[i].message);
        stoa_test_table_reset(&table);
    }
}

/* Sections of columns are as large as all parts together: parts which overlap gain nothing. */
static void sections_by_column_have_their_size(void **state)
{
    struct stoa_test_table table;
    uint8_t *entry;

    (void)state;
    make(&table);
    entry = stoa_test_file_section_entry(&table.file, STOA_SECTION_CHUNKS);
    stoa_store32(entry + 4, 7);
    stoa_store64(entry + 16, 7 * STOA_CHUNK_NBYTES);
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    expect(&table.file, STOA_ERR_CORRUPT, "section chunks: 7 entries of 4 columns in 2 row groups");
    stoa_test_table_reset(&table);
    make(&table);
    entry = stoa_test_file_section_entry(&table.file, STOA_SECTION_STATISTICS);
    stoa_store32(entry + 4, 3);
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    expect(&table.file, STOA_ERR_CORRUPT, "section statistics: 384 bytes for 3 zones of 4 columns");
    stoa_test_table_reset(&table);
}

/* A program that has little memory. */
static void *reallocate_little(void *context, void *memory, size_t nbytes)
{
    (void)context;
    return nbytes <= (size_t)1 << 20 ? realloc(memory, nbytes) : NULL;
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* Each slice of a section has a place in memory: there are no more than the file has bytes for. */
static void a_length_is_checked_before_it_allocates(void **state)
{
    static const struct stoa_allocator little = {reallocate_little, release, NULL};
    struct stoa_test_table table;
    uint8_t *entry;

    (void)state;
    make(&table);
    entry = stoa_test_file_section_entry(&table.file, STOA_SECTION_POOL);
    entry[1] = STOA_SECTION_REQUIRED | STOA_SECTION_SLICED;
    stoa_store64(entry + 16, UINT64_C(1) << 40);
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    stoa_allocator_set(&little);
    expect(&table.file, STOA_ERR_CORRUPT,
           "section pool: 1099511627776 bytes at * are not inside the footer");
    stoa_allocator_set(NULL);
    stoa_test_table_reset(&table);
}

static void a_dictionary_that_is_not_there_is_refused(void **state)
{
    struct stoa_test_table table;
    uint8_t *chunk;

    (void)state;
    make(&table);
    chunk = stoa_test_file_chunk(&table.file, 1, 0);
    chunk[31] = STOA_CHUNK_SHARED_DICT;
    stoa_store32(chunk + 24, 0);
    stoa_test_rehash(table.file.bytes, table.file.nbytes);
    expect(&table.file, STOA_ERR_CORRUPT,
           "column n: chunk entries: row group 1: dictionary segment 0 of 0");
    stoa_test_table_reset(&table);
}

/* A writer takes values on trust; digits that the column has not are found when they are read. */
static void decimals_with_too_many_digits_are_refused(void **state)
{
    static const struct {
        uint8_t precision;
        size_t byte; /* of row 2: it makes the value too great */
        const char *message;
    } cases[] = {
        {5, 2, "row group 0: column d: page 0: row 2: a decimal of more than 5 digits"},
        {30, 13, "row group 0: column d: page 0: row 2: a decimal of more than 30 digits"},
        {60, 27, "row group 0: column d: page 0: row 2: a decimal of more than 60 digits"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct stoa_type type = {.id = STOA_DECIMAL, .precision = cases[i].precision};
        size_t width = stoa_type_width(&type);
        struct stoa_schema schema = {0};
        struct stoa_test_file file;
        struct stoa_batch batch;
        struct stoa_error err;

        assert_int_equal(stoa_schema_add(&schema, "d", &type, false, &err), STOA_OK);
        assert_int_equal(stoa_batch_init(&batch, &schema, &err), STOA_OK);
        batch.nrows = 4;
        assert_int_equal(stoa_array_alloc(&type, 4, 0, false, &batch.columns[0], &err), STOA_OK);
        memset(batch.columns[0].values, 0, 4 * width);
        batch.columns[0].values[2 * width + cases[i].byte] = 2;
        stoa_test_file_write(&schema, &batch, 1, NULL, &file);
        expect(&file, STOA_ERR_CORRUPT, cases[i].message);
        stoa_test_file_reset(&file);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

/* The types of columns are changed under values that only the old type allows. */
static void values_that_their_type_forbids_are_refused(void **state)
{
    static const struct {
        uint32_t column;
        enum stoa_type_id id;
        const char *message;
    } cases[] = {
        {1, STOA_BOOL, "row group 0: column u: page 0: a bool of 3"},
        {2, STOA_UTF8, "row group 0: column b: page 0: row 7: text that is not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct stoa_test_table table;

        make(&table);
        stoa_test_file_reset(&table.file);
        table.batches[0].columns[2].values[15] = 0xff;
        stoa_test_file_write(&table.schema, table.batches, 2, NULL, &table.file);
        stoa_test_file_column(&table.file, cases[i].column)[6] = (uint8_t)cases[i].id;
        stoa_test_rehash(table.file.bytes, table.file.nbytes);
        expect(&table.file, STOA_ERR_CORRUPT, cases[i].message);
        stoa_test_table_reset(&table);
    }
}

/* Text in a dictionary is checked with the dictionary, once; a value split in two is no text. */
static void text_is_checked_in_dictionaries_too(void **state)
{
    static const char *const pairs[][2] = {
        {"zzzz", "tea\xff"},
        {"zzzz\xc3", "\xa9zzz"}, /* neighbours in the order of bytes: together they are UTF-8 */
    };
    enum { N = 4000, NWORDS = 200 };

    (void)state;
    for (size_t c = 0; c < LENGTH_OF(pairs); c++) {
        struct stoa_type binary = {.id = STOA_BINARY};
        struct stoa_schema schema = {0};
        struct stoa_batch batch;
        struct stoa_array *array;
        struct stoa_test_file file;
        struct stoa_error err = {0};
        size_t at = 0;

        assert_int_equal(stoa_schema_add(&schema, "b", &binary, false, &err), STOA_OK);
        assert_int_equal(stoa_batch_init(&batch, &schema, &err), STOA_OK);
        array = &batch.columns[0];
        assert_int_equal(stoa_array_alloc(&binary, N, N * 32, false, array, &err), STOA_OK);
        batch.nrows = N;
        for (size_t i = 0; i < N; i++) {
            uint64_t word = stoa_hash(&i, sizeof(i)) % NWORDS;
            char *out = (char *)array->values + at;

            if (word < 2)
                at += (size_t)snprintf(out, 32, "%s", pairs[c][word]);
            else
                at += (size_t)snprintf(out, 32, "%016llx",
                                       (unsigned long long)stoa_hash(&word, sizeof(word)));
            array->offsets[i + 1] = (int32_t)at;
        }
        stoa_test_file_write(&schema, &batch, 1, NULL, &file);
        assert_true(stoa_test_file_chunk(&file, 0, 0)[31] != 0); /* has a dictionary */
        assert_int_equal(read_all(&file, &err), STOA_OK);
        stoa_test_file_column(&file, 0)[6] = STOA_UTF8;
        stoa_test_rehash(file.bytes, file.nbytes);
        expect(&file, STOA_ERR_CORRUPT, "row group 0: column b: dictionary: value * is not UTF-8");
        stoa_test_file_reset(&file);
        stoa_batch_reset(&batch);
        stoa_schema_reset(&schema);
    }
}

static void an_enum_value_without_a_symbol_is_refused(void **state)
{
    char *symbols[] = {"a", "b", "c"};
    struct stoa_type type = {.id = STOA_ENUM, .symbols = symbols, .nsymbols = 3};
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_test_file file;
    struct stoa_error err;
    const uint32_t wrong = 7;

    (void)state;
    assert_int_equal(stoa_schema_add(&schema, "e", &type, false, &err), STOA_OK);
    assert_int_equal(stoa_batch_init(&batch, &schema, &err), STOA_OK);
    batch.nrows = 20;
    assert_int_equal(stoa_array_alloc(&type, 20, 0, false, &batch.columns[0], &err), STOA_OK);
    memset(batch.columns[0].values, 0, 80);
    memcpy(batch.columns[0].values + 44, &wrong, 4); /* the writer does not look at values */
    stoa_test_file_write(&schema, &batch, 1, NULL, &file);
    expect(&file, STOA_ERR_CORRUPT, "row group 0: column e: page 0: value 7 of an enum of 3");
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- Pages that are not where they belong. ---- */

static void swapped_pages_are_refused(void **state)
{
    enum { N = 40000 };
    struct stoa_type type = {.id = STOA_UINT64};
    struct stoa_schema schema = {0};
    struct stoa_test_random random;
    struct stoa_batch batch;
    struct stoa_test_file file;
    struct stoa_error err = {0};
    uint8_t *head, *pages, *copy;
    uint32_t end0, end1;

    (void)state;
    stoa_test_random_init(&random, "swapped_pages_are_refused");
    assert_int_equal(stoa_schema_add(&schema, "x", &type, false, &err), STOA_OK);
    assert_int_equal(stoa_batch_init(&batch, &schema, &err), STOA_OK);
    batch.nrows = N;
    assert_int_equal(stoa_array_alloc(&type, N, 0, false, &batch.columns[0], &err), STOA_OK);
    stoa_test_random_bytes(&random, batch.columns[0].values, (size_t)N * 8);
    stoa_test_file_write(&schema, &batch, 1, NULL, &file);
    head = file.bytes + stoa_load64(stoa_test_file_chunk(&file, 0, 0));
    end0 = stoa_load32(head);
    end1 = stoa_load32(head + 16);
    assert_int_equal(end1, 2 * end0); /* random numbers: pages of equal length */
    pages = head + stoa_chunk_npages(0, stoa_test_file_chunk(&file, 0, 0)[28], N) * (size_t)16;
    assert_int_equal(stoa_alloc(&copy, end0, &err), STOA_OK);
    memcpy(copy, pages, end0);
    memcpy(pages, pages + end0, end0);
    memcpy(pages + end0, copy, end0);
    expect(&file, STOA_ERR_CORRUPT, "row group 0: column x: page 0: hash differs");
    stoa_free(copy);
    stoa_test_file_reset(&file);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- Copies of dictionaries. ---- */

/* Many row groups that share words, so that a segment is written, with a copy for certain. */
static void make_shared(struct stoa_test_table *table)
{
    enum { NGROUPS = 4, N = 2000, NWORDS = 300 };
    static const struct stoa_rules *usual = &stoa_default_rules;
    struct stoa_rules rules = *usual;
    struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_error err;

    rules.full_nrows = 100;
    rules.copy_part = 1;
    rules.footer_pack_nbytes = 0;
    *table = (struct stoa_test_table){.nbatches = NGROUPS};
    assert_int_equal(stoa_schema_add(&table->schema, "word", &type, true, &err), STOA_OK);
    assert_int_equal(stoa_alloc_zeroed(&table->batches, NGROUPS, sizeof(*table->batches), &err),
                     STOA_OK);
    for (size_t g = 0; g < NGROUPS; g++) {
        struct stoa_array *array;
        size_t at = 0;

        assert_int_equal(stoa_batch_init(&table->batches[g], &table->schema, &err), STOA_OK);
        table->batches[g].nrows = N;
        array = &table->batches[g].columns[0];
        assert_int_equal(stoa_array_alloc(&type, N, N * 32, false, array, &err), STOA_OK);
        for (size_t i = 0; i < N; i++) {
            uint64_t word = stoa_hash(&i, sizeof(i)) % NWORDS;

            at += (size_t)snprintf((char *)array->values + at, 32, "%016llx",
                                   (unsigned long long)stoa_hash(&word, sizeof(word)));
            array->offsets[i + 1] = (int32_t)at;
        }
    }
    stoa_test_file_write(&table->schema, table->batches, NGROUPS, &rules, &table->file);
}

static void a_damaged_copy_of_a_dictionary_costs_nothing(void **state)
{
    struct stoa_test_table table;
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_rows rows = {0, 2000};
    struct stoa_array array = {0};
    struct stoa_error err = {0};
    uint8_t *entry;

    (void)state;
    make_shared(&table);
    entry = stoa_test_file_section(&table.file, STOA_SECTION_DICTIONARIES);
    assert_true(stoa_load64(entry + 16) != 0);
    table.file.bytes[stoa_load64(entry + 16) + 200] ^= 1; /* in a page of the copy */
    source = stoa_test_file_source(&table.file);
    assert_int_equal(stoa_reader_open(source, NULL, &reader, &err), STOA_OK);
    assert_int_equal(stoa_reader_column(reader, 3, 0, rows, &array, NULL, &err), STOA_OK);
    assert_true(stoa_array_equal(&table.schema.fields[0], &array, &table.batches[3].columns[0]));
    assert_int_equal(stoa_reader_nbad_copies(reader), 1);
    stoa_array_reset(&array);
    stoa_reader_close(reader);
    stoa_source_close(source);

    table.file.bytes[stoa_load64(entry + 8) + 200] ^= 1; /* and in the first one */
    expect(&table.file, STOA_ERR_CORRUPT,
           "row group 0: column word: dictionary segment 0: page 0: hash differs");
    stoa_test_table_reset(&table);
}

/* ---- Failing reads. ---- */

static void a_failing_read_is_reported_and_the_reader_stays_usable(void **state)
{
    static const size_t nrows[] = {90000, 20};
    struct stoa_test_random random;
    struct stoa_test_table table;
    struct stoa_schema schema;
    struct stoa_error err;
    uint64_t n = 0;
    enum stoa_status st;

    (void)state;
    stoa_test_random_init(&random, "a_failing_read_is_reported");
    stoa_test_schema_of_all_types(&random, &schema);
    stoa_test_table_make(&random, &schema, nrows, LENGTH_OF(nrows), NULL, &table);
    do {
        struct stoa_test_io_fault fault = {.fail_at = ++n, .os_errno = 5};
        struct stoa_source *source =
            stoa_test_faulty_source(stoa_test_file_source(&table.file), &fault);
        struct stoa_reader *reader = NULL;

        st = stoa_reader_open(source, NULL, &reader, &err);
        for (uint32_t i = 0; i < table.schema.nfields && reader != NULL; i++) {
            struct stoa_rows rows = {100, nrows[0]};
            struct stoa_array array = {0};
            enum stoa_status of_column = stoa_reader_column(reader, 0, i, rows, &array, NULL, &err);

            if (of_column == STOA_ERR_IO) { /* the next try succeeds */
                st = of_column;
                assert_null(array.values);
                assert_int_equal(stoa_reader_column(reader, 0, i, rows, &array, NULL, &err),
                                 STOA_OK);
            } else {
                assert_int_equal(of_column, STOA_OK);
            }
            stoa_array_reset(&array);
        }
        assert_int_equal(st, fault.nfailed > 0 ? STOA_ERR_IO : STOA_OK);
        stoa_reader_close(reader);
        stoa_source_close(source);
    } while (st != STOA_OK);
    assert_true(n > 20);
    stoa_test_table_reset(&table);
}

/* Behind the entries of chunks are 100 KB of metadata: opening a file does not read the entries. */
static void a_bad_sector_costs_the_columns_whose_entries_it_holds(void **state)
{
    static const size_t nrows[] = {50, 50, 50};
    struct stoa_test_io_fault fault = {.os_errno = 5};
    struct stoa_test_random random;
    struct stoa_test_table table;
    struct stoa_schema schema;
    struct stoa_reader *reader;
    struct stoa_source *source;
    struct stoa_error err;
    size_t nread = 0, nbad = 0;
    char *filler = malloc(100001);

    (void)state;
    assert_non_null(filler);
    memset(filler, 'm', 100000);
    filler[100000] = '\0';
    stoa_test_random_init(&random, "a_bad_sector");
    stoa_test_schema_of_all_types(&random, &schema);
    assert_int_equal(stoa_metadata_set(&schema.metadata, "filler", filler, &err), STOA_OK);
    free(filler);
    stoa_test_table_make(&random, &schema, nrows, LENGTH_OF(nrows), NULL, &table);
    fault.bad_begin = (uint64_t)(stoa_test_file_chunk(&table.file, 0, 2) - table.file.bytes);
    fault.bad_end = fault.bad_begin + 1;
    source = stoa_test_faulty_source(stoa_test_file_source(&table.file), &fault);
    assert_int_equal(stoa_reader_open(source, NULL, &reader, &err), STOA_OK);
    for (uint32_t i = 0; i < table.schema.nfields; i++) {
        struct stoa_array array = {0};
        enum stoa_status st =
            stoa_reader_column(reader, 0, i, (struct stoa_rows){0, nrows[0]}, &array, NULL, &err);

        nread += st == STOA_OK;
        nbad += st == STOA_ERR_IO;
        stoa_array_reset(&array);
    }
    assert_int_equal(nbad, 1);
    assert_int_equal(nread, table.schema.nfields - 1);
    stoa_reader_close(reader);
    stoa_source_close(source);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(newer_files_say_what_they_need),
        cmocka_unit_test(damage_is_named_with_its_place),
        cmocka_unit_test(wrong_numbers_are_refused),
        cmocka_unit_test(sections_by_column_have_their_size),
        cmocka_unit_test(a_length_is_checked_before_it_allocates),
        cmocka_unit_test(a_dictionary_that_is_not_there_is_refused),
        cmocka_unit_test(decimals_with_too_many_digits_are_refused),
        cmocka_unit_test(values_that_their_type_forbids_are_refused),
        cmocka_unit_test(text_is_checked_in_dictionaries_too),
        cmocka_unit_test(an_enum_value_without_a_symbol_is_refused),
        cmocka_unit_test(swapped_pages_are_refused),
        cmocka_unit_test(a_damaged_copy_of_a_dictionary_costs_nothing),
        cmocka_unit_test(a_failing_read_is_reported_and_the_reader_stays_usable),
        cmocka_unit_test(a_bad_sector_costs_the_columns_whose_entries_it_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
