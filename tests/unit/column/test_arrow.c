/*
 * Arrow's C data interface, both ways: generated tables out and in again, whole and as slices; the
 * formats of types; who owns what.
 */
#include <stoa/arrow.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"

#define FULL STOA_ARROW_CHECK_FULL

/* ---- Round trips ---- */

static void check_round_trip(const struct stoa_schema *schema, struct stoa_batch *batch,
                             enum stoa_arrow_check check)
{
    struct ArrowSchema arrow;
    struct ArrowArray array;
    struct stoa_schema schema_back;
    struct stoa_batch copy, back;
    struct stoa_error err = {0};

    stoa_test_copy_rows(batch, 0, batch->nrows, &copy);
    stoa_test_check(stoa_schema_export(schema, &arrow, &err), &err);
    stoa_test_check(stoa_batch_export(batch, &array, &err), &err);
    assert_null(batch->columns);
    assert_int_equal(batch->nrows, 0);
    stoa_test_check(stoa_schema_import(&arrow, &schema_back, &err), &err);
    assert_true(stoa_schema_equal(schema, &schema_back));
    stoa_test_check(stoa_batch_import(&array, &arrow, &schema_back, check, &back, &err), &err);
    assert_null(array.release);
    assert_ptr_equal(back.schema, &schema_back);
    stoa_test_check(stoa_batch_validate(&back, &err), &err);
    assert_true(stoa_batch_equal(&copy, &back));
    arrow.release(&arrow);
    assert_null(arrow.release);
    stoa_batch_reset(&copy);
    stoa_batch_reset(&back);
    stoa_schema_reset(&schema_back);
}

static void tables_survive_a_round_trip(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "tables_survive_a_round_trip");
    for (size_t i = 0; i < stoa_test_ncases(400); i++) {
        size_t nrows = (size_t)stoa_test_random_below(&random, 500);
        struct stoa_schema schema;
        struct stoa_batch batch;

        stoa_test_gen_any_schema(&random, (uint32_t)stoa_test_random_below(&random, 12),
                                 i % 50 == 0 ? 32 : (unsigned)(i % 5) + 1, &schema);
        stoa_test_gen_batch(&random, &schema, nrows, &batch);
        if (i % 2 == 0)
            stoa_test_check(stoa_metadata_set(&schema.metadata, "origin", "", &err), &err);
        for (uint32_t k = 0; k < schema.nfields; k += 2)
            stoa_test_check(
                stoa_metadata_set(&schema.fields[k].metadata, "unit", "caf\xc3\xa9", &err), &err);
        check_round_trip(&schema, &batch, (enum stoa_arrow_check)(i % 3));
        stoa_schema_reset(&schema);
    }
}

static const struct {
    const char *type, *format;
} formats[] = {
    {"null", "n"},
    {"bool", "b"},
    {"int8", "c"},
    {"uint8", "C"},
    {"int16", "s"},
    {"uint16", "S"},
    {"int32", "i"},
    {"uint32", "I"},
    {"int64", "l"},
    {"uint64", "L"},
    {"float16", "e"},
    {"float32", "f"},
    {"float64", "g"},
    {"decimal(38,5)", "d:38,5"},
    {"decimal(39,5)", "d:39,5,256"},
    {"duration(s)", "tDs"},
    {"duration(ms)", "tDm"},
    {"duration(us)", "tDu"},
    {"duration(ns)", "tDn"},
    {"interval", "tin"},
    {"date32", "tdD"},
    {"time(s)", "tts"},
    {"time(ms)", "ttm"},
    {"time(us)", "ttu"},
    {"time(ns)", "ttn"},
    {"timestamp(s)", "tss:"},
    {"timestamp(ms,UTC)", "tsm:UTC"},
    {"timestamp(us,Europe/Paris)", "tsu:Europe/Paris"},
    {"timestamp(ns,+02:00)", "tsn:+02:00"},
    {"utf8", "u"},
    {"binary", "z"},
    {"fixed_binary(65535)", "w:65535"},
};

static void every_type_has_its_format(void **state)
{
    (void)state;
    struct stoa_error err = {0};

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct stoa_schema schema = {0}, back;
        struct ArrowSchema arrow;
        struct stoa_type type;

        stoa_test_check(stoa_type_parse(formats[i].type, &type, &err), &err);
        stoa_test_check(stoa_schema_add(&schema, "x", &type, true, &err), &err);
        stoa_test_check(stoa_schema_export(&schema, &arrow, &err), &err);
        assert_string_equal(arrow.format, "+s");
        assert_int_equal(arrow.n_children, 1);
        assert_string_equal(arrow.children[0]->format, formats[i].format);
        assert_string_equal(arrow.children[0]->name, "x");
        assert_int_equal(arrow.children[0]->flags, ARROW_FLAG_NULLABLE);
        assert_null(arrow.children[0]->metadata);
        stoa_test_check(stoa_schema_import(&arrow, &back, &err), &err);
        assert_true(stoa_schema_equal(&schema, &back));
        arrow.release(&arrow);
        stoa_type_reset(&type);
        stoa_schema_reset(&schema);
        stoa_schema_reset(&back);
    }
}

/* What Arrow's metadata says, as "key=value;" one after another. */
static void expect_metadata(const char *metadata, const char *expected)
{
    char found[256] = "";
    int32_t npairs, nbytes;

    memcpy(&npairs, metadata, sizeof(npairs));
    metadata += sizeof(npairs);
    for (int32_t i = 0; i < 2 * npairs; i++) {
        size_t used = strlen(found);

        memcpy(&nbytes, metadata, sizeof(nbytes));
        metadata += sizeof(nbytes);
        snprintf(found + used, sizeof(found) - used, "%.*s%s", (int)nbytes, metadata,
                 i % 2 == 0 ? "=" : ";");
        metadata += nbytes;
    }
    assert_string_equal(found, expected);
}

static void uuid_and_enum_are_marked(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    struct ArrowSchema arrow;
    struct stoa_type type;

    stoa_test_add_column(&schema, "id", STOA_UUID, false);
    stoa_test_check(stoa_metadata_set(&schema.fields[0].metadata, "unit", "none", &err), &err);
    stoa_test_check(stoa_type_parse("enum(low,high)", &type, &err), &err);
    stoa_test_check(stoa_schema_add(&schema, "level", &type, true, &err), &err);
    stoa_test_check(stoa_schema_export(&schema, &arrow, &err), &err);
    assert_string_equal(arrow.children[0]->format, "w:16");
    assert_int_equal(arrow.children[0]->flags, 0);
    expect_metadata(arrow.children[0]->metadata,
                    "ARROW:extension:name=arrow.uuid;ARROW:extension:metadata=;unit=none;");
    assert_string_equal(arrow.children[1]->format, "i");
    assert_string_equal(arrow.children[1]->dictionary->format, "u");
    expect_metadata(arrow.children[1]->metadata, "stoa:type=enum(low,high);");
    arrow.release(&arrow);
    stoa_type_reset(&type);
    stoa_schema_reset(&schema);
}

/* ---- Slices ---- */

static void slices_of_rows_and_columns_are_honoured(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "slices_of_rows_and_columns_are_honoured");
    for (size_t i = 0; i < stoa_test_ncases(300); i++) {
        size_t nrows = (size_t)stoa_test_random_below(&random, 300);
        struct stoa_schema schema;
        struct stoa_batch batch, expected, back;
        struct ArrowSchema arrow;
        struct ArrowArray array;
        size_t begin, end, cut;

        stoa_test_gen_any_schema(&random, 6, (unsigned)(i % 4) + 1, &schema);
        stoa_test_gen_batch(&random, &schema, nrows, &batch);
        end = (size_t)stoa_test_random_below(&random, nrows + 1);
        begin = (size_t)stoa_test_random_below(&random, end + 1);
        stoa_test_copy_rows(&batch, begin, end, &expected);
        stoa_test_check(stoa_schema_export(&schema, &arrow, &err), &err);
        stoa_test_check(stoa_batch_export(&batch, &array, &err), &err);
        /* A part of the offset stands at the struct, the other at each column. */
        cut = (size_t)stoa_test_random_below(&random, begin + 1);
        array.offset = (int64_t)cut;
        array.length = (int64_t)(end - begin);
        for (int64_t k = 0; k < array.n_children; k++) {
            array.children[k]->offset = (int64_t)(begin - cut);
            array.children[k]->length = (int64_t)(nrows - (begin - cut));
            array.children[k]->null_count = -1;
        }
        stoa_test_check(stoa_batch_import(&array, &arrow, &schema, FULL, &back, &err), &err);
        assert_true(stoa_batch_equal(&back, &expected));
        arrow.release(&arrow);
        stoa_batch_reset(&back);
        stoa_batch_reset(&expected);
        stoa_schema_reset(&schema);
    }
}

/* ---- Ownership ---- */

struct moved {
    struct ArrowArray arrays[4096];
    uint64_t sums[4096];
    size_t n;
};

/* Over the bitmap of an array, and over its offsets. */
static uint64_t sum_buffers(const struct ArrowArray *array)
{
    uint64_t sum = 0;

    for (int64_t i = 0; i < array->length && array->n_buffers > 0; i++) {
        if (array->buffers[0] != NULL)
            sum = sum * 31 + ((const uint8_t *)array->buffers[0])[i / 8];
        if (array->n_buffers == 3)
            sum = sum * 31 + (uint64_t)((const int32_t *)array->buffers[1])[i];
    }
    return sum;
}

/* Moves an array, and before that all that is below it, to a place of its own. */
static void move_apart(struct ArrowArray *array, struct moved *moved)
{
    for (int64_t i = 0; i < array->n_children; i++)
        move_apart(array->children[i], moved);
    if (array->dictionary != NULL)
        move_apart(array->dictionary, moved);
    assert_true(moved->n < sizeof(moved->arrays) / sizeof(moved->arrays[0]));
    moved->sums[moved->n] = sum_buffers(array);
    moved->arrays[moved->n++] = *array;
    array->release = NULL;
}

static void every_part_outlives_what_is_around_it(void **state)
{
    (void)state;
    static struct moved moved;
    struct stoa_test_random random;
    struct stoa_test_alloc_counts counts;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "every_part_outlives_what_is_around_it");
    for (size_t i = 0; i < stoa_test_ncases(100); i++) {
        struct stoa_schema schema;
        struct stoa_batch batch;
        struct ArrowArray array;

        stoa_test_alloc_begin(0, STOA_TEST_FAULT_ONCE);
        stoa_test_gen_any_schema(&random, 8, (unsigned)(i % 5) + 1, &schema);
        stoa_test_gen_batch(&random, &schema, 50, &batch);
        stoa_test_check(stoa_batch_export(&batch, &array, &err), &err);
        stoa_schema_reset(&schema);
        moved.n = 0;
        move_apart(&array, &moved);
        while (moved.n-- > 0) { /* from the rows down */
            struct ArrowArray *part = &moved.arrays[moved.n];

            assert_true(sum_buffers(part) == moved.sums[moved.n]);
            part->release(part);
            assert_null(part->release);
        }
        counts = stoa_test_alloc_end();
        assert_int_equal(counts.nlive, 0);
    }
}

/* What is null below a null struct alone needs no bitmap. */
static void check_required(const struct stoa_field *field, const struct ArrowArray *array)
{
    if (!field->nullable && array->n_buffers > 0) {
        assert_null(array->buffers[0]);
        assert_int_equal(array->null_count, 0);
    }
    for (uint32_t i = 0; i < field->nchildren; i++)
        check_required(&field->children[i], array->children[i]);
}

static void what_is_required_has_no_bitmap(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "what_is_required_has_no_bitmap");
    for (size_t i = 0; i < stoa_test_ncases(100); i++) {
        struct stoa_schema schema;
        struct stoa_batch batch;
        struct ArrowArray array;

        stoa_test_gen_any_schema(&random, 8, (unsigned)(i % 5) + 1, &schema);
        stoa_test_gen_batch(&random, &schema, 50, &batch);
        stoa_test_check(stoa_batch_export(&batch, &array, &err), &err);
        for (uint32_t k = 0; k < schema.nfields; k++)
            check_required(&schema.fields[k], array.children[k]);
        array.release(&array);
        stoa_schema_reset(&schema);
    }
}

static void an_exported_batch_is_not_copied(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    struct stoa_batch batch;
    struct ArrowArray array;
    struct stoa_array key, row;

    stoa_test_make_keys(&schema, 100, &batch);
    key = batch.columns[0];
    row = batch.columns[1];
    stoa_test_check(stoa_batch_export(&batch, &array, &err), &err);
    assert_int_equal(array.n_buffers, 1);
    assert_null(array.buffers[0]);
    assert_int_equal(array.children[0]->n_buffers, 3);
    assert_int_equal(array.children[0]->null_count, key.nnulls);
    assert_ptr_equal(array.children[0]->buffers[0], key.validity);
    assert_ptr_equal(array.children[0]->buffers[1], key.offsets);
    assert_ptr_equal(array.children[0]->buffers[2], key.values);
    assert_ptr_equal(array.children[1]->buffers[1], row.values);
    array.release(&array);
    stoa_schema_reset(&schema);
}

struct scenario {
    struct stoa_schema schema;
    struct stoa_batch batch;
};

static enum stoa_status goes_out_and_in(void *context, struct stoa_error *err)
{
    const struct scenario *s = context;
    struct ArrowSchema arrow = {0};
    struct ArrowArray array = {0};
    struct stoa_schema schema = {0};
    struct stoa_batch batch = {0}, back = {0};
    enum stoa_status st;

    st = stoa_schema_export(&s->schema, &arrow, err);
    if (st == STOA_OK)
        st = stoa_schema_import(&arrow, &schema, err);
    if (st == STOA_OK)
        st = stoa_batch_init(&batch, &s->schema, err);
    for (uint32_t i = 0; st == STOA_OK && i < batch.ncolumns; i++)
        st = stoa_array_slice(&s->schema.fields[i], &s->batch.columns[i], 0, s->batch.nrows,
                              &batch.columns[i], err);
    if (st == STOA_OK) {
        batch.nrows = s->batch.nrows;
        st = stoa_batch_export(&batch, &array, err);
        assert_true((st == STOA_OK) == (batch.columns == NULL));
    }
    if (st == STOA_OK) {
        st = stoa_batch_import(&array, &arrow, &schema, FULL, &back, err);
        assert_true((st == STOA_OK) == (array.release == NULL));
    }
    if (array.release != NULL)
        array.release(&array);
    if (arrow.release != NULL)
        arrow.release(&arrow);
    stoa_batch_reset(&batch);
    stoa_batch_reset(&back);
    stoa_schema_reset(&schema);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct scenario s = {{0}, {0}};
    struct stoa_error err = {0};

    stoa_test_random_init(&random, "a_failing_allocation_is_reported");
    stoa_test_gen_any_schema(&random, 30, 4, &s.schema);
    for (uint32_t i = 0; i < s.schema.nfields; i++)
        stoa_test_check(stoa_metadata_set(&s.schema.fields[i].metadata, "key", "value", &err),
                        &err);
    stoa_test_gen_batch(&random, &s.schema, 40, &s.batch);
    stoa_test_each_failing_alloc(goes_out_and_in, &s);
    stoa_batch_reset(&s.batch);
    stoa_schema_reset(&s.schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_survive_a_round_trip),
        cmocka_unit_test(every_type_has_its_format),
        cmocka_unit_test(uuid_and_enum_are_marked),
        cmocka_unit_test(slices_of_rows_and_columns_are_honoured),
        cmocka_unit_test(every_part_outlives_what_is_around_it),
        cmocka_unit_test(what_is_required_has_no_bitmap),
        cmocka_unit_test(an_exported_batch_is_not_copied),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
