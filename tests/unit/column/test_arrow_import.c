/*
 * Arrays made by hand the way other producers make them (wide offsets, bytes below nulls,
 * dictionaries), and structs that break the rules.
 */
#include <stoa/arrow.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/columns.h"

#define FULL  STOA_ARROW_CHECK_FULL
#define BASIC STOA_ARROW_CHECK_BASIC
#define NONE  STOA_ARROW_CHECK_NONE

/* Metadata as Arrow writes it, from texts; `out` has room for it. */
static const char *make_metadata(char *out, const char *const *texts, int32_t ntexts)
{
    int32_t npairs = ntexts / 2;
    size_t used = sizeof(npairs);

    memcpy(out, &npairs, sizeof(npairs));
    for (int32_t i = 0; i < ntexts; i++) {
        int32_t nbytes = (int32_t)strlen(texts[i]);

        memcpy(out + used, &nbytes, sizeof(nbytes));
        memcpy(out + used + sizeof(nbytes), texts[i], (size_t)nbytes);
        used += sizeof(nbytes) + (size_t)nbytes;
    }
    return out;
}

/* ---- Structs made by hand: one column "x", perhaps with a dictionary ---- */

struct made {
    struct ArrowSchema schema, column_schema, dictionary_schema;
    struct ArrowSchema *column_schemas[1];
    struct ArrowArray array, column, dictionary;
    struct ArrowArray *columns[1];
    const void *buffers[1], *column_buffers[3], *dictionary_buffers[3];
    int nreleased;
};

static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
    ++*(int *)array->private_data;
    array->release = NULL;
}

static void made_init(struct made *m, const char *format, int64_t length, int64_t nbuffers,
                      const void *first, const void *second, const void *third)
{
    *m = (struct made){.column_buffers = {first, second, third}};
    m->column_schema = (struct ArrowSchema){
        .format = format, .name = "x", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
    m->column_schemas[0] = &m->column_schema;
    m->schema = (struct ArrowSchema){.format = "+s",
                                     .name = "",
                                     .n_children = 1,
                                     .children = m->column_schemas,
                                     .release = release_schema};
    m->column = (struct ArrowArray){.length = length,
                                    .null_count = -1,
                                    .n_buffers = nbuffers,
                                    .buffers = m->column_buffers,
                                    .release = release_array,
                                    .private_data = &m->nreleased};
    m->columns[0] = &m->column;
    m->array = (struct ArrowArray){.length = length,
                                   .n_buffers = 1,
                                   .n_children = 1,
                                   .buffers = m->buffers,
                                   .children = m->columns,
                                   .release = release_array,
                                   .private_data = &m->nreleased};
}

static void made_add_dictionary(struct made *m, const char *format, int64_t length,
                                const void *first, const void *second, const void *third)
{
    m->dictionary_buffers[0] = first;
    m->dictionary_buffers[1] = second;
    m->dictionary_buffers[2] = third;
    m->dictionary_schema =
        (struct ArrowSchema){.format = format, .name = "", .release = release_schema};
    m->dictionary = (struct ArrowArray){.length = length,
                                        .null_count = -1,
                                        .n_buffers = 3,
                                        .buffers = m->dictionary_buffers,
                                        .release = release_array,
                                        .private_data = &m->nreleased};
    m->column_schema.dictionary = &m->dictionary_schema;
    m->column.dictionary = &m->dictionary;
}

/* Imports, and compares with what "|"-separated texts say; "-" is a null. */
static void expect_texts(struct made *m, const struct stoa_schema *schema,
                         enum stoa_arrow_check check, const char *expected)
{
    struct stoa_schema own = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    char found[256] = "";

    if (schema == NULL)
        stoa_test_check(stoa_schema_import(&m->schema, &own, &err), &err);
    stoa_test_check(stoa_batch_import(&m->array, &m->schema, schema != NULL ? schema : &own, check,
                                      &batch, &err),
                    &err);
    assert_int_equal(m->nreleased, 1);
    stoa_test_check(stoa_batch_validate(&batch, &err), &err);
    for (size_t i = 0; i < batch.nrows; i++) {
        const struct stoa_array *array = &batch.columns[0];
        char text[STOA_TEXT_NBYTES];
        const char *from = text;
        size_t nbytes = 1, used = strlen(found);

        if (stoa_array_is_null(array, i))
            text[0] = '-';
        else if (array->offsets != NULL) {
            from = (const char *)array->values + array->offsets[i];
            nbytes = (size_t)(array->offsets[i + 1] - array->offsets[i]);
        } else if (batch.schema->fields[0].type.id == STOA_ENUM) {
            uint32_t symbol;

            memcpy(&symbol, array->values + i * sizeof(symbol), sizeof(symbol));
            from = batch.schema->fields[0].type.symbols[symbol];
            nbytes = strlen(from);
        } else {
            nbytes = stoa_array_format(&batch.schema->fields[0], array, i, text);
        }
        snprintf(found + used, sizeof(found) - used, "%s%.*s", i > 0 ? "|" : "", (int)nbytes, from);
    }
    assert_string_equal(found, expected);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&own);
}

/* The import fails with that message, and nothing is released. */
static void expect_refused(struct made *m, enum stoa_arrow_check check, enum stoa_status status,
                           const char *message)
{
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};

    if (stoa_schema_import(&m->schema, &schema, &err) == STOA_OK)
        assert_int_not_equal(stoa_batch_import(&m->array, &m->schema, &schema, check, &batch, &err),
                             STOA_OK);
    assert_string_equal(err.message, message);
    assert_int_equal(err.status, status);
    assert_int_equal(m->nreleased, 0);
    stoa_schema_reset(&schema);
}

static void text_may_have_wide_offsets_and_bytes_below_nulls(void **state)
{
    (void)state;
    static const uint8_t validity[] = {0x5a}; /* of values 1 to 4 behind the offset: 1 0 1 1 */
    static const int32_t narrow[] = {3, 4, 6, 9, 9, 10};
    static const int64_t wide[] = {3, 4, 6, 9, 9, 10};
    uint8_t unaligned[sizeof(wide) + 1];
    struct made m;

    memcpy(unaligned + 1, wide, sizeof(wide));
    for (int check = 0; check < 3; check++) {
        made_init(&m, "u", 4, 3, validity, narrow, "???abbcccd");
        m.column.offset = 1;
        expect_texts(&m, NULL, (enum stoa_arrow_check)check, "bb|-||d");
        made_init(&m, "U", 4, 3, validity, wide, "???abbcccd");
        m.column.offset = 1;
        expect_texts(&m, NULL, (enum stoa_arrow_check)check, "bb|-||d");
        made_init(&m, "Z", 5, 3, NULL, unaligned + 1, "???abbcccd");
        expect_texts(&m, NULL, (enum stoa_arrow_check)check, "a|bb|ccc||d");
    }
}

static void slots_of_nulls_become_zero(void **state)
{
    (void)state;
    static const uint8_t validity[] = {0x05}, bits[] = {0xff};
    static const int16_t numbers[] = {7, 8, 9};
    struct made m;

    made_init(&m, "s", 3, 2, validity, numbers, NULL);
    expect_texts(&m, NULL, FULL, "7|-|9");
    made_init(&m, "b", 3, 2, validity, bits, NULL);
    expect_texts(&m, NULL, FULL, "true|-|true");
    made_init(&m, "n", 3, 0, NULL, NULL, NULL);
    m.column_schema.flags = 0;
    expect_texts(&m, NULL, FULL, "-|-|-");
}

static void arrays_of_nothing_need_no_buffers(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        int64_t nbuffers;
    } cases[] = {{"n", 0}, {"b", 2}, {"l", 2}, {"d:9,2", 2}, {"u", 3}, {"Z", 3}};
    struct made m;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made_init(&m, cases[i].format, 0, cases[i].nbuffers, NULL, NULL, NULL);
        m.column.null_count = 0;
        expect_texts(&m, NULL, FULL, "");
    }
    made_init(&m, "c", 0, 2, NULL, NULL, NULL);
    made_add_dictionary(&m, "u", 0, NULL, NULL, NULL);
    expect_texts(&m, NULL, FULL, "");
}

/* ---- Dictionaries ---- */

/* Indices 2 0 - 1 3, of which entry 3 is null. */
static const int8_t i8[] = {2, 0, 77, 1, 3};
static const uint8_t u8[] = {2, 0, 77, 1, 3};
static const int16_t i16[] = {2, 0, 77, 1, 3};
static const uint16_t u16[] = {2, 0, 77, 1, 3};
static const int32_t i32[] = {2, 0, 77, 1, 3};
static const uint32_t u32[] = {2, 0, 77, 1, 3};
static const int64_t i64[] = {2, 0, 77, 1, 3};
static const uint64_t u64[] = {2, 0, 77, 1, 3};
static const struct {
    const char *format;
    const void *values;
} indices[] = {{"c", i8},  {"C", u8},  {"s", i16}, {"S", u16},
               {"i", i32}, {"I", u32}, {"l", i64}, {"L", u64}};
static const uint8_t coded_validity[] = {0x1b}, entry_validity[] = {0x17};
static const int32_t entry_ends[] = {0, 3, 3, 7, 8, 9};
static const int64_t wide_entry_ends[] = {0, 3, 3, 7, 8, 9};

static void make_coded(struct made *m, size_t i)
{
    made_init(m, indices[i].format, 5, 2, coded_validity, indices[i].values, NULL);
    if (i % 2 == 0)
        made_add_dictionary(m, "u", 5, entry_validity, entry_ends, "lowhighx?");
    else
        made_add_dictionary(m, "U", 5, entry_validity, wide_entry_ends, "lowhighx?");
}

static void dictionaries_with_any_index_become_text(void **state)
{
    (void)state;
    struct made m;

    for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
        make_coded(&m, i);
        expect_texts(&m, NULL, (enum stoa_arrow_check)(i % 3), "high|low|-||-");
    }
    make_coded(&m, 4);
    m.array.length = 2;
    m.array.offset = 1;
    expect_texts(&m, NULL, FULL, "low|-");
    make_coded(&m, 1);
    m.dictionary.offset = 1;
    m.dictionary.length = 4;
    m.array.length = 1;
    expect_texts(&m, NULL, FULL, "-"); /* entry 3 by now */
}

static void dictionaries_become_an_enum_when_asked(void **state)
{
    (void)state;
    static const char *const pair[] = {"stoa:type", "enum(high,\"\",low)"};
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    struct stoa_batch batch;
    struct stoa_type type;
    struct made m;
    char metadata[64];

    stoa_test_check(stoa_type_parse("enum(high,\"\",low)", &type, &err), &err);
    stoa_test_check(stoa_schema_add(&schema, "x", &type, true, &err), &err);
    for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
        make_coded(&m, i);
        expect_texts(&m, &schema, FULL, "high|low|-||-");
        make_coded(&m, i);
        m.column_schema.metadata = make_metadata(metadata, pair, 2);
        expect_texts(&m, NULL, FULL, "high|low|-||-");
    }
    stoa_type_reset(&type);
    stoa_schema_reset(&schema);

    stoa_test_check(stoa_type_parse("enum(high,low)", &type, &err), &err);
    stoa_test_check(stoa_schema_add(&schema, "x", &type, true, &err), &err);
    make_coded(&m, 0);
    assert_int_equal(stoa_batch_import(&m.array, &m.schema, &schema, NONE, &batch, &err),
                     STOA_ERR_DATA);
    assert_string_equal(
        err.message,
        "column x: dictionary: entry 1, \"\", is no symbol of the enum: take the column as utf8");
    stoa_type_reset(&type);
    stoa_schema_reset(&schema);
}

static void other_words_for_a_type_are_only_metadata(void **state)
{
    (void)state;
    static const char *const words[] = {"int64", "enum(", "enum()", ""};
    struct made m;
    char metadata[64];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *const pair[] = {"stoa:type", words[i]};
        struct stoa_schema schema;
        struct stoa_error err = {0};

        make_coded(&m, i);
        m.column_schema.metadata = make_metadata(metadata, pair, 2);
        stoa_test_check(stoa_schema_import(&m.schema, &schema, &err), &err);
        assert_string_equal(err.message, "");
        assert_int_equal(schema.fields[0].type.id, STOA_UTF8);
        assert_string_equal(stoa_metadata_get(&schema.fields[0].metadata, "stoa:type"), words[i]);
        stoa_schema_reset(&schema);
    }
}

static void bad_dictionaries_are_refused_at_every_level(void **state)
{
    (void)state;
    static const int32_t falling[] = {0, 3, 2, 7, 8, 9};
    struct made m;

    for (int check = 0; check < 3; check++) {
        make_coded(&m, 0);
        m.dictionary.length = 2;
        expect_refused(&m, (enum stoa_arrow_check)check, STOA_ERR_DATA,
                       "column x: value 0: index 2 into a dictionary of 2");
        make_coded(&m, 2);
        m.column_buffers[1] = (const int16_t[]){-1, 0, 0, 0, 0};
        expect_refused(&m, (enum stoa_arrow_check)check, STOA_ERR_DATA,
                       "column x: value 0: index -1 into a dictionary of 5");
        make_coded(&m, 7);
        m.column_buffers[1] = (const uint64_t[]){UINT64_MAX, 0, 0, 0, 0};
        expect_refused(&m, (enum stoa_arrow_check)check, STOA_ERR_DATA,
                       "column x: value 0: index 18446744073709551615 into a dictionary of 5");
        make_coded(&m, 0);
        m.dictionary_buffers[1] = falling;
        expect_refused(&m, (enum stoa_arrow_check)check, STOA_ERR_DATA,
                       "column x: dictionary: value 1: the offset goes from 3 to 2");
        make_coded(&m, 0);
        m.dictionary.release = NULL;
        expect_refused(&m, (enum stoa_arrow_check)check, STOA_ERR_USAGE,
                       "column x: dictionary: the Arrow array was released before");
        make_coded(&m, 0);
        m.dictionary.length = -4;
        expect_refused(&m, (enum stoa_arrow_check)check, STOA_ERR_DATA,
                       "column x: a dictionary of -4 values");
    }
}

/* ---- What is refused: schemas ---- */

static void unions_are_refused_by_name(void **state)
{
    (void)state;
    struct made m;

    made_init(&m, "+ud:0", 0, 0, NULL, NULL, NULL);
    expect_refused(&m, FULL, STOA_ERR_DATA,
                   "column 1 (x): Arrow's type dense union (\"+ud:0\") cannot be taken: cast it to "
                   "another first");
    made_init(&m, "+us:0,1", 0, 0, NULL, NULL, NULL);
    expect_refused(&m, FULL, STOA_ERR_DATA,
                   "column 1 (x): Arrow's type sparse union (\"+us:0,1\") cannot be taken: cast it "
                   "to another first");
}

#define NOT_A_DECIMAL                                                                              \
    "is not a decimal of 32, 64, 128 or 256 bits with a precision that fits them and a scale of "  \
    "0 or more"

static void bad_formats_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        enum stoa_status status;
        const char *message;
    } cases[] = {
        {NULL, STOA_ERR_DATA, "the format is missing"},
        {"", STOA_ERR_DATA, "\"\" is not a format of Arrow"},
        {"int", STOA_ERR_DATA, "\"int\" is not a format of Arrow"},
        {"tss", STOA_ERR_DATA, "\"tss\" is not a format of Arrow"},
        {"q\x1b", STOA_ERR_DATA, "\"q\\x1b\" is not a format of Arrow"},
        {"w:", STOA_ERR_DATA, "\"w:\" is not a width"},
        {"w:-1", STOA_ERR_DATA, "\"w:-1\" is not a width"},
        {"w:3x", STOA_ERR_DATA, "\"w:3x\" is not a width"},
        {"w:99999999999999999999", STOA_ERR_DATA, "\"w:99999999999999999999\" is not a width"},
        {"w:0", STOA_ERR_USAGE, "fixed_binary holds 1 to 65535 bytes, not 0"},
        {"w:65536", STOA_ERR_USAGE, "fixed_binary holds 1 to 65535 bytes, not 65536"},
        {"d:", STOA_ERR_DATA, "\"d:\" " NOT_A_DECIMAL},
        {"d:5,-2", STOA_ERR_DATA, "\"d:5,-2\" " NOT_A_DECIMAL},
        {"d:39,2", STOA_ERR_DATA, "\"d:39,2\" " NOT_A_DECIMAL},
        {"d:77,2,256", STOA_ERR_DATA, "\"d:77,2,256\" " NOT_A_DECIMAL},
        {"d:10,2,32", STOA_ERR_DATA, "\"d:10,2,32\" " NOT_A_DECIMAL},
        {"d:5,2,96", STOA_ERR_DATA, "\"d:5,2,96\" " NOT_A_DECIMAL},
        {"d:5,2,", STOA_ERR_DATA, "\"d:5,2,\" " NOT_A_DECIMAL},
        {"d:5,2,64x", STOA_ERR_DATA, "\"d:5,2,64x\" " NOT_A_DECIMAL},
        {"d:0,0", STOA_ERR_USAGE, "the precision of a decimal is 1 to 76, not 0"},
        {"+w:", STOA_ERR_DATA, "\"+w:\" is not a width"},
        {"+w:0", STOA_ERR_USAGE, "fixed_list holds 1 to 65535 values, not 0"},
        {"d:5,6", STOA_ERR_USAGE, "the scale of a decimal is 0 to its precision 5, not 6"},
        {"tss:a b", STOA_ERR_USAGE,
         "a time zone is letters, digits and any of +-_/:. (\"Europe/Paris\", \"+02:00\")"},
    };
    struct made m;
    char message[256];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        made_init(&m, cases[i].format, 0, 0, NULL, NULL, NULL);
        snprintf(message, sizeof(message), "column 1 (x): %s", cases[i].message);
        expect_refused(&m, FULL, cases[i].status, message);
    }
}

static void bad_schemas_are_refused(void **state)
{
    (void)state;
    static const char *const twice[] = {"a", "1", "a", "2"};
    static const char *const not_text[] = {"a", "\xff"};
    static const int64_t zero[] = {0};
    struct ArrowSchema *two[2];
    char metadata[64];
    int32_t number = -1;
    struct made m;

    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    m.schema.release = NULL;
    expect_refused(&m, FULL, STOA_ERR_USAGE, "the Arrow schema was released before");
    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    m.schema.format = "l";
    expect_refused(&m, FULL, STOA_ERR_DATA, "the Arrow schema is not a struct of columns (\"+s\")");
    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    m.schema.n_children = -1;
    expect_refused(&m, FULL, STOA_ERR_DATA, "-1 children, not 0 to 1048576");
    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    m.schema.children = NULL;
    expect_refused(&m, FULL, STOA_ERR_DATA, "child 1 of the Arrow schema is missing");
    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    m.column_schemas[0] = NULL;
    expect_refused(&m, FULL, STOA_ERR_DATA, "child 1 of the Arrow schema is missing");
    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    m.column_schema.n_children = 2;
    expect_refused(&m, FULL, STOA_ERR_DATA, "column 1 (x): format \"l\" with 2 children, not 0");
    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    two[0] = two[1] = &m.column_schema;
    m.schema.children = two;
    m.schema.n_children = 2;
    expect_refused(&m, FULL, STOA_ERR_USAGE, "there are two columns \"x\"");

    made_init(&m, "g", 1, 2, NULL, zero, NULL);
    made_add_dictionary(&m, "u", 0, NULL, NULL, NULL);
    expect_refused(&m, FULL, STOA_ERR_DATA,
                   "column 1 (x): the format of indices into a dictionary is \"g\"");
    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    made_add_dictionary(&m, "u", 0, NULL, NULL, NULL);
    m.dictionary_schema.dictionary = &m.dictionary_schema;
    expect_refused(&m, FULL, STOA_ERR_DATA, "column 1 (x): the dictionary has a dictionary");

    made_init(&m, "l", 1, 2, NULL, zero, NULL);
    m.column_schema.metadata = memcpy(metadata, &number, sizeof(number));
    expect_refused(&m, FULL, STOA_ERR_DATA, "column 1 (x): the metadata has -1 pairs");
    m.column_schema.metadata = make_metadata(metadata, twice, 4);
    expect_refused(&m, FULL, STOA_ERR_USAGE, "column 1 (x): metadata \"a\" is there twice");
    m.column_schema.metadata = make_metadata(metadata, not_text, 2);
    expect_refused(&m, FULL, STOA_ERR_USAGE, "column 1 (x): metadata \"a\" is not UTF-8");
    memcpy(metadata + 4, &number, sizeof(number));
    expect_refused(&m, FULL, STOA_ERR_DATA, "column 1 (x): a text of the metadata has -1 bytes");
    make_metadata(metadata, twice, 4);
    metadata[8] = '\0';
    expect_refused(&m, FULL, STOA_ERR_DATA, "column 1 (x): a text of the metadata has a zero byte");
}

/* ---- What is refused: arrays ---- */

static const uint8_t seven_of_ten[] = {0xee, 0x01};
static const int64_t ten_numbers[10] = {0};
static const int32_t ten_ends[11] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static void set_length(struct made *m)
{
    m->array.length = m->column.length = -1;
}

static void set_huge_length(struct made *m)
{
    m->array.length = m->column.length = INT64_MAX;
}

static void set_offset(struct made *m)
{
    m->column.offset = -3;
}

static void set_huge_offset(struct made *m)
{
    m->column.offset = INT64_MAX - 9;
}

static void set_large_offset(struct made *m)
{
    m->array.offset = INT64_MAX / 8;
}

static void set_short_column(struct made *m)
{
    m->column.length = 9;
}

static void set_shifted_rows(struct made *m)
{
    m->array.offset = 3;
}

static void set_null_count(struct made *m)
{
    m->column.null_count = 11;
}

static void set_low_null_count(struct made *m)
{
    m->column.null_count = -2;
}

static void set_nbuffers(struct made *m)
{
    m->column.n_buffers = 7;
}

static void set_no_buffers(struct made *m)
{
    m->column.buffers = NULL;
}

static void set_nchildren(struct made *m)
{
    m->column.n_children = 1;
}

static void set_no_columns(struct made *m)
{
    m->array.n_children = 0;
}

static void set_no_children(struct made *m)
{
    m->array.children = NULL;
}

static void set_missing_column(struct made *m)
{
    m->columns[0] = NULL;
}

static void set_released_column(struct made *m)
{
    m->column.release = NULL;
}

static void set_released(struct made *m)
{
    m->array.release = NULL;
}

static void set_dictionary(struct made *m)
{
    m->column.dictionary = &m->dictionary;
}

static void set_null_rows(struct made *m)
{
    m->buffers[0] = seven_of_ten;
}

static void set_no_values(struct made *m)
{
    m->column_buffers[1] = NULL;
}

static void set_no_bitmap(struct made *m)
{
    m->column_buffers[0] = NULL;
    m->column.null_count = 3;
}

static void structs_that_break_the_rules_are_refused_at_every_level(void **state)
{
    (void)state;
    static const struct {
        void (*set)(struct made *m);
        enum stoa_status status;
        const char *message;
    } cases[] = {
        {set_length, STOA_ERR_DATA, "length -1 and offset 0"},
        {set_huge_length, STOA_ERR_DATA,
         "length 9223372036854775807 and offset 0 are more than memory holds"},
        {set_offset, STOA_ERR_DATA, "column x: length 10 and offset -3"},
        {set_huge_offset, STOA_ERR_DATA,
         "column x: length 10 and offset 9223372036854775798 are more than memory holds"},
        {set_large_offset, STOA_ERR_DATA,
         "length 10 and offset 1152921504606846975 are more than memory holds"},
        {set_short_column, STOA_ERR_DATA, "column x: 9 values for the rows 0 to 10"},
        {set_shifted_rows, STOA_ERR_DATA, "column x: 10 values for the rows 3 to 13"},
        {set_null_count, STOA_ERR_DATA, "column x: null_count 11 of 10 values"},
        {set_low_null_count, STOA_ERR_DATA, "column x: null_count -2 of 10 values"},
        {set_nbuffers, STOA_ERR_DATA, "column x: 7 buffers where its type has 2"},
        {set_no_buffers, STOA_ERR_DATA, "column x: 0 buffers where its type has 2"},
        {set_nchildren, STOA_ERR_DATA, "column x: 1 children where its type has 0"},
        {set_no_columns, STOA_ERR_DATA, "0 children where its type has 1"},
        {set_no_children, STOA_ERR_DATA, "0 children where its type has 1"},
        {set_missing_column, STOA_ERR_DATA, "child 1 of the Arrow array is missing"},
        {set_released_column, STOA_ERR_USAGE, "column x: the Arrow array was released before"},
        {set_released, STOA_ERR_USAGE, "the Arrow array was released before"},
        {set_dictionary, STOA_ERR_DATA, "column x: a dictionary where its type has none"},
        {set_null_rows, STOA_ERR_DATA, "3 rows are null as a whole"},
        {set_no_values, STOA_ERR_DATA, "column x: the buffer of the values is missing"},
        {set_no_bitmap, STOA_ERR_DATA, "column x: null_count is 3 and there is no bitmap"},
    };
    struct made m;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int check = 0; check < 3; check++) {
            made_init(&m, "l", 10, 2, seven_of_ten, ten_numbers, NULL);
            cases[i].set(&m);
            expect_refused(&m, (enum stoa_arrow_check)check, cases[i].status, cases[i].message);
        }
    }
}

static void values_are_checked_as_far_as_asked(void **state)
{
    (void)state;
    static const int32_t falling[] = {0, 4, 2, 6}, negative[] = {-1, 0, 1, 2};
    static const int64_t long_text[] = {0, 1, INT64_C(1) << 31, INT64_C(1) << 31};
    static const int64_t decimals[] = {1000, 0};
    struct made m;

    made_init(&m, "u", 3, 3, NULL, falling, "abcdef");
    expect_refused(&m, BASIC, STOA_ERR_DATA, "column x: value 1: the offset goes from 4 to 2");
    made_init(&m, "u", 3, 3, NULL, negative, "abcdef");
    expect_refused(&m, NONE, STOA_ERR_DATA, "column x: value 0: the offset goes from -1 to 0");
    made_init(&m, "U", 3, 3, NULL, long_text, "abcdef");
    expect_refused(&m, NONE, STOA_ERR_LIMIT,
                   "column x: 2147483648 bytes of text or values of lists are more than one array "
                   "of a column holds (2147483647): use fewer rows at a time");
    made_init(&m, "u", 10, 3, NULL, ten_ends, NULL);
    expect_refused(&m, NONE, STOA_ERR_DATA, "column x: the buffer of the values is missing");
    made_init(&m, "u", 10, 3, NULL, NULL, NULL);
    expect_refused(&m, NONE, STOA_ERR_DATA, "column x: the buffer of the offsets is missing");

    made_init(&m, "l", 10, 2, seven_of_ten, ten_numbers, NULL);
    m.column.null_count = 2;
    expect_refused(&m, BASIC, STOA_ERR_DATA,
                   "column x: null_count is 2 where the bitmap has 3 nulls");
    expect_texts(&m, NULL, NONE, "-|0|0|0|-|0|0|0|0|-");
    made_init(&m, "l", 10, 2, seven_of_ten, ten_numbers, NULL);
    m.column_schema.flags = 0;
    expect_refused(&m, BASIC, STOA_ERR_DATA,
                   "column x: 3 values are null, which the schema forbids");

    made_init(&m, "u", 10, 3, NULL, ten_ends,
              "abc\xff"
              "efghij");
    expect_refused(&m, FULL, STOA_ERR_DATA, "column x: value 3 is not UTF-8");
    made_init(&m, "d:3,0", 1, 2, NULL, decimals, NULL);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    expect_refused(&m, FULL, STOA_ERR_DATA, "column x: value 0 has more than 3 digits");
#endif
}

static void the_schema_wanted_must_fit(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_batch batch;
    struct stoa_error err = {0};
    struct made m;

    made_init(&m, "l", 10, 2, NULL, ten_numbers, NULL);
    assert_int_equal(stoa_batch_import(&m.array, &m.schema, &schema, FULL, &batch, &err),
                     STOA_ERR_USAGE);
    assert_string_equal(err.message, "the schema has 0 columns where the Arrow schema has 1");
    stoa_test_add_column(&schema, "y", STOA_UTF8, true);
    assert_int_equal(stoa_batch_import(&m.array, &m.schema, &schema, FULL, &batch, &err),
                     STOA_ERR_USAGE);
    assert_string_equal(err.message,
                        "column y: the schema says utf8 where the format of Arrow is \"l\"");
    stoa_schema_reset(&schema);

    stoa_test_add_column(&schema, "y", STOA_UUID, true);
    made_init(&m, "w:16", 2, 2, NULL, ten_numbers, NULL);
    expect_texts(&m, &schema, FULL,
                 "00000000-0000-0000-0000-000000000000|00000000-0000-0000-0000-000000000000");
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_may_have_wide_offsets_and_bytes_below_nulls),
        cmocka_unit_test(slots_of_nulls_become_zero),
        cmocka_unit_test(arrays_of_nothing_need_no_buffers),
        cmocka_unit_test(dictionaries_with_any_index_become_text),
        cmocka_unit_test(dictionaries_become_an_enum_when_asked),
        cmocka_unit_test(other_words_for_a_type_are_only_metadata),
        cmocka_unit_test(bad_dictionaries_are_refused_at_every_level),
        cmocka_unit_test(unions_are_refused_by_name),
        cmocka_unit_test(bad_formats_are_refused),
        cmocka_unit_test(bad_schemas_are_refused),
        cmocka_unit_test(structs_that_break_the_rules_are_refused_at_every_level),
        cmocka_unit_test(values_are_checked_as_far_as_asked),
        cmocka_unit_test(the_schema_wanted_must_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
