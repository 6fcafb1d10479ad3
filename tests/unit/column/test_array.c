/*
 * Arrays against a naive model: each value taken out one by one, appended one by one by a builder.
 * Also nested ones, made by hand from their text, and what validation refuses.
 */
#include "column/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "base/int256.h"
#include "column/builder.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

/* Appends value i of an array, or its null: the model of every copy. */
static void append_from(struct stoa_builder *builder, const struct stoa_array *array, size_t i)
{
    struct stoa_error err = {0};
    size_t nbytes = 0;
    const uint8_t *bytes = array->values;

    if (builder->layout == STOA_LAYOUT_BYTES) {
        nbytes = (size_t)(array->offsets[i + 1] - array->offsets[i]);
        bytes += array->offsets[i];
    }
    assert_int_equal(stoa_builder_reserve(builder, 1, nbytes, &err), STOA_OK);
    if (stoa_array_is_null(array, i))
        stoa_builder_append_null(builder);
    else if (builder->layout == STOA_LAYOUT_BITS)
        stoa_builder_append_bool(builder, stoa_bitmap_get(bytes, i));
    else if (builder->layout == STOA_LAYOUT_BYTES)
        stoa_builder_append_bytes(builder, bytes, nbytes);
    else
        stoa_builder_append_fixed(builder, bytes + i * builder->width);
}

static bool is_zero(const void *bytes, size_t nbytes)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < nbytes; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* Reads all the slack, so that the address sanitizer sees it; it is zero in what column/ makes. */
static void assert_slack(const struct stoa_type *type, const struct stoa_array *array)
{
    size_t n = array->nvalues, nbytes = n * stoa_type_width(type);

    if (type->id == STOA_BOOL)
        nbytes = stoa_bitmap_nbytes(n);
    else if (array->offsets != NULL)
        nbytes = (size_t)array->offsets[n];
    if (array->validity != NULL)
        assert_true(is_zero(array->validity + stoa_bitmap_nbytes(n), STOA_ARRAY_SLACK));
    if (array->values != NULL)
        assert_true(is_zero(array->values + nbytes, STOA_ARRAY_SLACK));
    if (array->offsets != NULL)
        assert_true(is_zero(array->offsets + n + 1, STOA_ARRAY_SLACK));
}

/* `copy` holds the given values of `arrays`, as the model says. */
static void assert_is_model(const struct stoa_field *field, const struct stoa_array *copy,
                            struct stoa_builder *model)
{
    struct stoa_error err = {0};
    struct stoa_array expected;

    stoa_builder_finish(model, &expected);
    if (stoa_array_validate(field, copy, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(copy->nvalues, expected.nvalues);
    assert_int_equal(copy->nnulls, expected.nnulls);
    assert_int_equal(copy->validity == NULL, copy->nnulls == 0);
    assert_true(stoa_array_equal(field, copy, &expected));
    assert_true(stoa_array_equal(field, &expected, copy));
    assert_slack(&field->type, copy);
    assert_slack(&field->type, &expected);
    stoa_array_reset(&expected);
}

static struct stoa_builder new_model(const struct stoa_field *field)
{
    struct stoa_builder model;
    struct stoa_error err = {0};

    assert_int_equal(stoa_builder_init(&model, &field->type, 0, &err), STOA_OK);
    return model;
}

static void gen_any(struct stoa_test_random *r, const struct stoa_field *field, size_t most,
                    struct stoa_array *out)
{
    stoa_test_gen_array(r, field, (size_t)stoa_test_random_below(r, most + 1),
                        (enum stoa_test_shape)stoa_test_random_below(r, STOA_TEST_NSHAPES),
                        (enum stoa_test_nulls)stoa_test_random_below(r, STOA_TEST_NNULLS), out);
}

static void check_slice(struct stoa_test_random *r, const struct stoa_field *field,
                        const struct stoa_array *array)
{
    struct stoa_builder model = new_model(field);
    struct stoa_error err = {0};
    struct stoa_array copy;
    size_t end = (size_t)stoa_test_random_below(r, array->nvalues + 1);
    size_t begin = (size_t)stoa_test_random_below(r, end + 1);

    assert_int_equal(stoa_array_slice(field, array, begin, end, &copy, &err), STOA_OK);
    for (size_t i = begin; i < end; i++)
        append_from(&model, array, i);
    assert_is_model(field, &copy, &model);
    stoa_array_reset(&copy);
    stoa_builder_reset(&model);
}

static void check_take(struct stoa_test_random *r, const struct stoa_field *field,
                       const struct stoa_array *array)
{
    struct stoa_builder model = new_model(field);
    struct stoa_error err = {0};
    struct stoa_array copy;
    uint32_t rows[300];
    size_t nrows = array->nvalues > 0 ? (size_t)stoa_test_random_below(r, 300) : 0;

    for (size_t i = 0; i < nrows; i++)
        rows[i] = i > 0 && rows[i - 1] + 1 < array->nvalues && stoa_test_random_one_in(r, 2)
                      ? rows[i - 1] + 1
                      : (uint32_t)stoa_test_random_below(r, array->nvalues);
    assert_int_equal(stoa_array_take(field, array, rows, nrows, &copy, &err), STOA_OK);
    for (size_t i = 0; i < nrows; i++)
        append_from(&model, array, rows[i]);
    assert_is_model(field, &copy, &model);
    stoa_array_reset(&copy);
    stoa_builder_reset(&model);
}

static void check_concat(struct stoa_test_random *r, const struct stoa_field *field)
{
    struct stoa_builder model = new_model(field);
    struct stoa_error err = {0};
    struct stoa_array arrays[5] = {{0}}, copy; /* the last stays without buffers */
    const struct stoa_array *list[5];

    for (size_t i = 0; i < 5; i++) {
        if (i < 4)
            gen_any(r, field, 100, &arrays[i]);
        list[i] = &arrays[i];
        for (size_t j = 0; j < arrays[i].nvalues; j++)
            append_from(&model, &arrays[i], j);
    }
    assert_int_equal(stoa_array_concat(field, list, 5, &copy, &err), STOA_OK);
    assert_is_model(field, &copy, &model);
    stoa_array_reset(&copy);
    for (size_t i = 0; i < 5; i++)
        stoa_array_reset(&arrays[i]);
    stoa_builder_reset(&model);
}

static void copies_are_what_the_model_says(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "copies_are_what_the_model_says");
    for (size_t i = 0; i < stoa_test_ncases(40 * STOA_TEST_NLEAVES); i++) {
        struct stoa_field field;
        struct stoa_array array;

        stoa_test_gen_any_field(&random, 1, "x", &field);
        gen_any(&random, &field, 500, &array);
        check_slice(&random, &field, &array);
        check_take(&random, &field, &array);
        check_concat(&random, &field);
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

static void one_changed_value_is_not_equal(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "one_changed_value_is_not_equal");
    for (size_t i = 0; i < stoa_test_ncases(20 * STOA_TEST_NLEAVES); i++) {
        struct stoa_error err = {0};
        struct stoa_field field;
        struct stoa_array array, copy;
        size_t row, width;
        enum stoa_type_id id;

        stoa_test_gen_any_field(&random, 1, "x", &field);
        id = field.type.id;
        gen_any(&random, &field, 300, &array);
        assert_int_equal(stoa_array_slice(&field, &array, 0, array.nvalues, &copy, &err), STOA_OK);
        assert_true(stoa_array_equal(&field, &array, &copy));
        width = stoa_type_width(&field.type);
        row = array.nvalues > 0 ? (size_t)stoa_test_random_below(&random, array.nvalues) : 0;
        if (array.nvalues > 0 && !stoa_array_is_null(&array, row) && id != STOA_NULL) {
            if (id == STOA_BOOL)
                copy.values[row / 8] = (uint8_t)(copy.values[row / 8] ^ 1u << (row % 8));
            else if (width > 0)
                copy.values[row * width + width - 1] ^= 0x80;
            else if (copy.offsets[row + 1] > copy.offsets[row])
                copy.values[copy.offsets[row]] ^= 1;
            else
                copy.offsets[row]--;
            assert_false(stoa_array_equal(&field, &array, &copy));
            assert_false(stoa_array_equal(&field, &copy, &array));
        }
        stoa_array_reset(&copy);
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

/* ---- Nested arrays ---- */

static const char *const nested[] = {
    "list<int64>",
    "list<utf8 not null>",
    "struct<a:bool,b:utf8>",
    "struct<>",
    "fixed_list<int16,3>",
    "fixed_list<struct<a:utf8,b:bool not null>,17>",
    "map<utf8,list<bool>>",
    "list<struct<a:int8 not null,b:list<list<utf8>>,c:fixed_list<struct<d:int32>,2>>>",
    "struct<a:struct<b:struct<c:decimal(10,2)>>,d:map<int8,struct<e:null>>>",
};
#define NNESTED (sizeof(nested) / sizeof(nested[0]))

/* take, slice and concat say the same about nested values, each by a way of its own. */
static void nested_copies_agree(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "nested_copies_agree");
    for (size_t i = 0; i < stoa_test_ncases(60 * NNESTED); i++) {
        struct stoa_field field = {.nullable = true};
        struct stoa_error err = {0};
        struct stoa_array array, whole, parts[3] = {{0}}, taken, back;
        const struct stoa_array *list[] = {&parts[0], &parts[1], &parts[2]}; /* 1 has no children */
        size_t n, middle;
        uint32_t rows[60];

        if (i % 2 == 0) {
            stoa_test_gen_any_field(&random, 1 + (unsigned)(i % 8), "x", &field);
        } else {
            assert_int_equal(stoa_strndup(&field.name, "x", 1, &err), STOA_OK);
            assert_int_equal(stoa_field_parse_type(&field, nested[i / 2 % NNESTED], &err), STOA_OK);
        }
        gen_any(&random, &field, 60, &array);
        n = array.nvalues;
        middle = (size_t)stoa_test_random_below(&random, n + 1);
        if (stoa_array_validate(&field, &array, &err) != STOA_OK)
            fail_msg("%s", err.message);
        assert_int_equal(stoa_array_slice(&field, &array, 0, middle, &parts[0], &err), STOA_OK);
        assert_int_equal(stoa_array_slice(&field, &array, middle, n, &parts[2], &err), STOA_OK);
        assert_int_equal(stoa_array_concat(&field, list, 3, &whole, &err), STOA_OK);
        assert_int_equal(stoa_array_validate(&field, &whole, &err), STOA_OK);
        assert_true(stoa_array_equal(&field, &array, &whole));
        /* Backwards twice is where it was. */
        for (uint32_t j = 0; j < n; j++)
            rows[j] = (uint32_t)n - 1 - j;
        assert_int_equal(stoa_array_take(&field, &array, rows, n, &taken, &err), STOA_OK);
        assert_int_equal(stoa_array_validate(&field, &taken, &err), STOA_OK);
        assert_int_equal(stoa_array_take(&field, &taken, rows, n, &back, &err), STOA_OK);
        assert_true(stoa_array_equal(&field, &array, &back));
        for (size_t j = 0; j < n; j++) {
            struct stoa_array one, other;

            assert_int_equal(stoa_array_slice(&field, &array, j, j + 1, &one, &err), STOA_OK);
            assert_int_equal(stoa_array_slice(&field, &taken, n - 1 - j, n - j, &other, &err),
                             STOA_OK);
            assert_true(stoa_array_equal(&field, &one, &other));
            stoa_array_reset(&one);
            stoa_array_reset(&other);
        }
        stoa_array_reset(&back);
        stoa_array_reset(&taken);
        stoa_array_reset(&whole);
        stoa_array_reset(&parts[0]);
        stoa_array_reset(&parts[2]);
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

/* ---- Validation ---- */

/* Lists of 20 values each, which are taken in another way than short ones. */
static void long_lists_are_taken_whole(void **state)
{
    (void)state;
    enum { NLISTS = 30, LENGTH = 20, NROWS = 50 };
    struct stoa_test_random random;
    struct stoa_field field = {0};
    struct stoa_error err = {0};
    struct stoa_array list = {.nvalues = NLISTS}, child, taken, expected, slices[NROWS];
    const struct stoa_array *parts[NROWS];
    int32_t offsets[NLISTS + 1];
    uint32_t rows[NROWS];

    stoa_test_random_init(&random, "long_lists_are_taken_whole");
    assert_int_equal(stoa_field_parse("x", "list<struct<a:utf8,b:list<int8>>>", true, &field, &err),
                     STOA_OK);
    stoa_test_gen_array(&random, &field.children[0], NLISTS * LENGTH, STOA_TEST_FULL_RANGE,
                        STOA_TEST_NULLS_SOME, &child);
    for (int i = 0; i <= NLISTS; i++)
        offsets[i] = LENGTH * i;
    list.offsets = offsets;
    list.children = &child;
    list.nchildren = 1;
    for (size_t i = 0; i < NROWS; i++) {
        rows[i] = (uint32_t)stoa_test_random_below(&random, NLISTS);
        assert_int_equal(stoa_array_slice(&field, &list, rows[i], rows[i] + 1, &slices[i], &err),
                         STOA_OK);
        parts[i] = &slices[i];
    }
    assert_int_equal(stoa_array_concat(&field, parts, NROWS, &expected, &err), STOA_OK);
    assert_int_equal(stoa_array_take(&field, &list, rows, NROWS, &taken, &err), STOA_OK);
    assert_int_equal(stoa_array_validate(&field, &taken, &err), STOA_OK);
    assert_true(stoa_array_equal(&field, &taken, &expected));
    stoa_array_reset(&taken);
    stoa_array_reset(&expected);
    for (size_t i = 0; i < NROWS; i++)
        stoa_array_reset(&slices[i]);
    stoa_array_reset(&child);
    stoa_field_reset(&field);
}

static const struct {
    const char *type;
    bool nullable;
    struct stoa_array array;
    const char *message;
} invalid[] = {
    {"int8", true, {.nvalues = 1}, "column x: the buffer of the values is missing"},
    {"utf8", true, {.nvalues = 1}, "column x: the buffer of the offsets is missing"},
    {"int8",
     false,
     {2, 1, (uint8_t[]){1}, (uint8_t[]){1, 0}, NULL, NULL, 0},
     "column x: value 1 is null, which the schema forbids"},
    {"int8",
     true,
     {2, 2, (uint8_t[]){1}, (uint8_t[]){1, 0}, NULL, NULL, 0},
     "column x: nnulls is 2 where the bitmap has 1 nulls"},
    {"int8",
     true,
     {2, 1, NULL, (uint8_t[]){1, 0}, NULL, NULL, 0},
     "column x: nnulls is 1 where the bitmap has 0 nulls"},
    {"int8",
     true,
     {2, 1, (uint8_t[]){5}, (uint8_t[]){1, 0}, NULL, NULL, 0},
     "column x: the bitmap has bits behind value 2"},
    {"int8",
     true,
     {2, 1, (uint8_t[]){1}, (uint8_t[]){1, 9}, NULL, NULL, 0},
     "column x: value 1 is null and its slot is not zero"},
    {"bool",
     true,
     {2, 1, (uint8_t[]){1}, (uint8_t[]){2}, NULL, NULL, 0},
     "column x: value 1 is null and its slot is not zero"},
    {"bool",
     true,
     {2, 0, NULL, (uint8_t[]){4}, NULL, NULL, 0},
     "column x: the values have bits behind value 2"},
    {"null", true, {.nvalues = 2}, "column x: 2 values of type null are not null"},
    {"binary",
     true,
     {1, 0, NULL, (uint8_t[]){0}, (int32_t[]){1, 1}, NULL, 0},
     "column x: the first offset is 1, not 0"},
    {"binary",
     true,
     {2, 0, NULL, (uint8_t[]){0}, (int32_t[]){0, 1, 0}, NULL, 0},
     "column x: value 1: the offset falls from 1 to 0"},
    {"binary",
     true,
     {1, 1, (uint8_t[]){0}, (uint8_t[]){0}, (int32_t[]){0, 1}, NULL, 0},
     "column x: value 0 is null and not empty"},
    {"binary",
     true,
     {1, 0, NULL, NULL, (int32_t[]){0, 1}, NULL, 0},
     "column x: the buffer of the values is missing"},
    {"utf8",
     true,
     {2, 0, NULL, (uint8_t[]){"a\xff"}, (int32_t[]){0, 1, 2}, NULL, 0},
     "column x: value 1 is not UTF-8"},
    /* One character spread over two values. */
    {"utf8",
     true,
     {2, 0, NULL, (uint8_t[]){"\xc3\xa9"}, (int32_t[]){0, 1, 2}, NULL, 0},
     "column x: value 0 is not UTF-8"},
    {"utf8",
     true,
     {1, 0, NULL, (uint8_t[]){"\xe2\x82"}, (int32_t[]){0, 2}, NULL, 0},
     "column x: value 0 is not UTF-8"},
    {"enum(a,b)",
     true,
     {2, 0, NULL, (uint8_t *)(uint32_t[]){1, 2}, NULL, NULL, 0},
     "column x: value 1 is symbol 2 of 2"},
    {"decimal(3,1)",
     true,
     {2, 0, NULL, (uint8_t *)(struct stoa_int128[]){{.lo = 999}, {.lo = 1000}}, NULL, NULL, 0},
     "column x: value 1 has more than 3 digits"},
    {"decimal(40,1)",
     true,
     {1, 0, NULL, (uint8_t *)(struct stoa_int256[]){{{1, 1, 1, 1}}}, NULL, NULL, 0},
     "column x: value 0 has more than 40 digits"},
    {"decimal(40,1)",
     true,
     {1, 1, (uint8_t[]){0}, (uint8_t *)(struct stoa_int256[]){{{1}}}, NULL, NULL, 0},
     "column x: value 0 is null and its slot is not zero"},
    {"list<int8>",
     true,
     {1, 0, NULL, NULL, (int32_t[]){0, 1}, NULL, 0},
     "column x: 0 children where the schema has 1"},
    {"list<int8>",
     true,
     {1, 0, NULL, NULL, (int32_t[]){0, 2}, (struct stoa_array[]){{.nvalues = 1}}, 1},
     "column x: child 1 has 1 values, not 2"},
    {"list<int8 not null>",
     true,
     {1, 0, NULL, NULL, (int32_t[]){0, 1},
      (struct stoa_array[]){{1, 1, (uint8_t[]){0}, (uint8_t[]){0}, NULL, NULL, 0}}, 1},
     "column x: column item: value 0 is null, which the schema forbids"},
    {"struct<a:int8>",
     true,
     {1, 1, (uint8_t[]){0}, NULL, NULL,
      (struct stoa_array[]){{1, 0, NULL, (uint8_t[]){0}, NULL, NULL, 0}}, 1},
     "column x: column a: value 0 is not null inside a null"},
    {"fixed_list<int8,2>",
     true,
     {2, 0, NULL, NULL, NULL, (struct stoa_array[]){{.nvalues = 3}}, 1},
     "column x: child 1 has 3 values, not 4"},
    {"fixed_list<int8,2>",
     true,
     {2, 1, (uint8_t[]){1}, NULL, NULL,
      (struct stoa_array[]){{4, 1, (uint8_t[]){7}, (uint8_t[]){1, 2, 0, 0}, NULL, NULL, 0}}, 1},
     "column x: column item: value 2 is not null inside a null"},
    {"fixed_list<int8 not null,2>",
     true,
     {2, 1, (uint8_t[]){2}, NULL, NULL,
      (struct stoa_array[]){{4, 3, (uint8_t[]){4}, (uint8_t[]){0, 0, 2, 0}, NULL, NULL, 0}}, 1},
     "column x: column item: value 3 is null, which the schema forbids"},
    {"struct<l:list<int8> not null>",
     true,
     {1, 1, (uint8_t[]){0}, NULL, NULL,
      (struct stoa_array[]){{1, 0, NULL, NULL, (int32_t[]){0, 0}, (struct stoa_array[]){{0}}, 1}},
      1},
     "column x: column l: value 0 is not null inside a null"},
    /* Arrays of no values. */
    {"list<int8>",
     true,
     {0, 0, NULL, NULL, NULL, (struct stoa_array[]){{.nvalues = 1}}, 1},
     "column x: child 1 has 1 values, not 0"},
    {"struct<a:int8,b:int8>",
     true,
     {0, 0, NULL, NULL, NULL, (struct stoa_array[]){{0}}, 1},
     "column x: 1 children where the schema has 2"},
    {"list<list<int8>>",
     true,
     {1, 0, NULL, NULL, (int32_t[]){0, 0},
      (struct stoa_array[]){{.nchildren = 1, .children = (struct stoa_array[]){{.nvalues = 1}}}},
      1},
     "column x: column item: child 1 has 1 values, not 0"},
};

static void invalid_arrays_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        struct stoa_field field = {.nullable = invalid[i].nullable};
        struct stoa_error err = {0};

        assert_int_equal(stoa_strndup(&field.name, "x", 1, &err), STOA_OK);
        assert_int_equal(stoa_field_parse_type(&field, invalid[i].type, &err), STOA_OK);
        assert_int_equal(stoa_array_validate(&field, &invalid[i].array, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, invalid[i].message);
        stoa_field_reset(&field);
    }
}

static const struct {
    const char *type;
    struct stoa_array array;
} valid[] = {
    {"struct<a:int8 not null>",
     {1, 1, (uint8_t[]){0}, NULL, NULL,
      (struct stoa_array[]){{1, 1, (uint8_t[]){0}, (uint8_t[]){0}, NULL, NULL, 0}}, 1}},
    {"fixed_list<int8 not null,2>",
     {2, 1, (uint8_t[]){2}, NULL, NULL,
      (struct stoa_array[]){{4, 2, (uint8_t[]){12}, (uint8_t[]){0, 0, 2, 0}, NULL, NULL, 0}}, 1}},
    {"list<int8 not null>",
     {1, 1, (uint8_t[]){0}, NULL, (int32_t[]){0, 0}, (struct stoa_array[]){{0}}, 1}},
    {"list<struct<a:int8>>", {0}},
    {"list<struct<a:int8>>", /* no value: no children either */
     {1, 0, NULL, NULL, (int32_t[]){0, 0}, (struct stoa_array[]){{0}}, 1}},
};

static void what_is_below_a_null_or_nothing_may_be_null_or_missing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        struct stoa_field field = {.nullable = true};
        struct stoa_error err = {0};

        assert_int_equal(stoa_strndup(&field.name, "x", 1, &err), STOA_OK);
        assert_int_equal(stoa_field_parse_type(&field, valid[i].type, &err), STOA_OK);
        if (stoa_array_validate(&field, &valid[i].array, &err) != STOA_OK)
            fail_msg("%s: %s", valid[i].type, err.message);
        stoa_field_reset(&field);
    }
}

static void batches_are_as_wide_and_long_as_they_say(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_schema schema;
    struct stoa_batch batch, other;
    struct stoa_error err = {0};
    char expected[128];

    stoa_test_random_seed(&random, 3);
    stoa_test_gen_schema(&random, 3, &schema);
    stoa_test_gen_batch(&random, &schema, 10, &batch);
    assert_int_equal(stoa_batch_validate(&batch, &err), STOA_OK);
    assert_true(stoa_batch_equal(&batch, &batch));
    stoa_test_gen_batch(&random, &schema, 11, &other);
    assert_false(stoa_batch_equal(&batch, &other));
    batch.nrows = 11;
    assert_int_equal(stoa_batch_validate(&batch, &err), STOA_ERR_DATA);
    snprintf(expected, sizeof(expected), "column %s: 10 values in a batch of 11 rows",
             schema.fields[0].name);
    assert_string_equal(err.message, expected);
    batch.nrows = 10;
    schema.nfields--;
    assert_int_equal(stoa_batch_validate(&batch, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "the batch has 3 columns where the schema has 2");
    schema.nfields++;
    stoa_batch_reset(&other);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
}

/* ---- Limits and failures ---- */

/* The same 64 MiB many times over: what counts is only the sum. */
static void text_past_2_gib_is_a_limit(void **state)
{
    (void)state;
    const struct stoa_field field = {.name = (char[]){"x"}, .type = {.id = STOA_BINARY}};
    int32_t offsets[] = {0, 1 << 26};
    static uint8_t values[1]; /* never read: the limit is seen first */
    const struct stoa_array array = {.nvalues = 1, .values = values, .offsets = offsets};
    const struct stoa_array *list[32];
    uint32_t rows[32] = {0};
    struct stoa_error err = {0};
    struct stoa_array out;

    for (size_t i = 0; i < 32; i++)
        list[i] = &array;
    assert_int_equal(stoa_array_concat(&field, list, 32, &out, &err), STOA_ERR_LIMIT);
    assert_string_equal(err.message,
                        "2147483648 bytes of text or values of lists are more than one array of a "
                        "column holds (2147483647): use fewer rows at a time");
    assert_int_equal(stoa_array_take(&field, &array, rows, 32, &out, &err), STOA_ERR_LIMIT);
    assert_int_equal(stoa_array_alloc(&field.type, 1, (size_t)INT32_MAX + 1, false, &out, &err),
                     STOA_ERR_LIMIT);
}

/* The same for values of lists, whose child takes no memory where it is of type null. */
static void lists_of_2_gi_values_are_a_limit(void **state)
{
    (void)state;
    int32_t offsets[] = {0, 1 << 26};
    struct stoa_array child = {.nvalues = 1 << 26, .nnulls = 1 << 26};
    const struct stoa_array array = {
        .nvalues = 1, .offsets = offsets, .children = &child, .nchildren = 1};
    const struct stoa_array *list[32];
    uint32_t rows[32] = {0};
    struct stoa_field field = {0};
    struct stoa_error err = {0};
    struct stoa_array out;

    assert_int_equal(stoa_field_parse("x", "list<null>", true, &field, &err), STOA_OK);
    for (size_t i = 0; i < 32; i++)
        list[i] = &array;
    assert_int_equal(stoa_array_concat(&field, list, 32, &out, &err), STOA_ERR_LIMIT);
    err = (struct stoa_error){0};
    assert_int_equal(stoa_array_take(&field, &array, rows, 32, &out, &err), STOA_ERR_LIMIT);
    assert_string_equal(err.message,
                        "2147483648 bytes of text or values of lists are more than one array of a "
                        "column holds (2147483647): use fewer rows at a time");
    stoa_field_reset(&field);
}

struct copies {
    const struct stoa_field *field;
    const struct stoa_array *array;
};

static enum stoa_status copies_in_each_way(void *context, struct stoa_error *err)
{
    static const uint32_t rows[] = {3, 1, 1, 2};
    const struct copies *copies = context;
    const struct stoa_array *list[] = {copies->array, copies->array};
    struct stoa_array a = {0}, b = {0}, c = {0};
    enum stoa_status st;

    STOA_TRY(stoa_array_slice(copies->field, copies->array, 1, 4, &a, err));
    STOA_TRY(stoa_array_concat(copies->field, list, 2, &b, err));
    STOA_TRY(stoa_array_take(copies->field, copies->array, rows, 4, &c, err));
out:
    stoa_array_reset(&a);
    stoa_array_reset(&b);
    stoa_array_reset(&c);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_seed(&random, 5);
    for (size_t i = 0; i < NNESTED + STOA_TEST_NLEAVES; i++) {
        struct stoa_field field = {.nullable = true};
        struct stoa_error err = {0};
        struct stoa_array array;

        if (i < NNESTED) {
            assert_int_equal(stoa_field_parse_type(&field, nested[i], &err), STOA_OK);
            stoa_test_gen_array(&random, &field, 10, STOA_TEST_FULL_RANGE, STOA_TEST_NULLS_SOME,
                                &array);
        } else {
            stoa_test_gen_field(&random, stoa_test_leaves[i - NNESTED], true, "x", &field);
            stoa_test_gen_array(&random, &field, 10, STOA_TEST_FULL_RANGE, STOA_TEST_NULLS_SOME,
                                &array);
        }
        stoa_test_each_failing_alloc(copies_in_each_way, &(struct copies){&field, &array});
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_what_the_model_says),
        cmocka_unit_test(one_changed_value_is_not_equal),
        cmocka_unit_test(nested_copies_agree),
        cmocka_unit_test(long_lists_are_taken_whole),
        cmocka_unit_test(invalid_arrays_are_named),
        cmocka_unit_test(what_is_below_a_null_or_nothing_may_be_null_or_missing),
        cmocka_unit_test(batches_are_as_wide_and_long_as_they_say),
        cmocka_unit_test(text_past_2_gib_is_a_limit),
        cmocka_unit_test(lists_of_2_gi_values_are_a_limit),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
