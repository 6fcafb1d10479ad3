#include "support/merge_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/int256.h"
#include "base/time.h"
#include "column/scalar.h"
#include "column/type.h"
#include "support/gen_table.h"

enum { MAX_NPARTS = 16 };

enum stoa_status stoa_test_try_merge(const struct stoa_test_file *parts, size_t nparts,
                                     const struct stoa_merge_options *options,
                                     struct stoa_merge_report *report, struct stoa_test_file *out,
                                     struct stoa_error *err)
{
    struct stoa_merge_input inputs[MAX_NPARTS] = {0};
    struct stoa_sink *sink = NULL;
    const uint8_t *bytes;
    enum stoa_status st;

    *out = (struct stoa_test_file){0};
    for (size_t i = 0; i < nparts; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%c.stoa", (char)('a' + i));
        STOA_TRY(
            stoa_source_open_memory(parts[i].bytes, parts[i].nbytes, name, &inputs[i].source, err));
    }
    STOA_TRY(stoa_sink_create_memory(&sink, err));
    STOA_TRY(stoa_merge(inputs, nparts, options, sink, report, err));
    STOA_TRY(sink->commit(sink, err));
    bytes = stoa_sink_memory(sink, &out->nbytes);
    STOA_TRY(stoa_alloc(&out->bytes, out->nbytes, err));
    memcpy(out->bytes, bytes, out->nbytes);
out:
    for (size_t i = 0; i < nparts; i++)
        stoa_source_close(inputs[i].source);
    stoa_sink_close(sink);
    return st;
}

void stoa_test_merge(const struct stoa_test_file *parts, size_t nparts,
                     const struct stoa_merge_options *options, struct stoa_merge_report *report,
                     struct stoa_test_file *out)
{
    struct stoa_error err = {0};

    if (stoa_test_try_merge(parts, nparts, options, report, out, &err) == STOA_OK)
        return;
    fprintf(stderr, "a merge for a test: %s\n", err.message);
    abort();
}

/* ---- Parts ---- */

static void must(enum stoa_status st, const struct stoa_error *err)
{
    if (st == STOA_OK)
        return;
    fprintf(stderr, "a part for a test: %s\n", err->message);
    abort();
}

/* Types whose values may stand in one column after a merge; the last ones come less often. */
enum { MAX_MEMBERS = 8 };
static const enum stoa_type_id families[][MAX_MEMBERS] = {
    {STOA_INT64, STOA_INT8, STOA_INT32, STOA_INT16, STOA_NULL},
    {STOA_UINT64, STOA_UINT8, STOA_UINT16, STOA_UINT32, STOA_INT16, STOA_INT64},
    {STOA_DECIMAL, STOA_DECIMAL, STOA_DECIMAL, STOA_INT32, STOA_UINT8, STOA_UINT64},
    {STOA_FLOAT64, STOA_FLOAT32, STOA_FLOAT64, STOA_INT16, STOA_UINT32, STOA_INT64},
    {STOA_TIMESTAMP, STOA_TIMESTAMP, STOA_DATE32, STOA_NULL},
    {STOA_TIME, STOA_TIME, STOA_TIME},
    {STOA_ENUM, STOA_ENUM, STOA_ENUM, STOA_UTF8},
    {STOA_UTF8, STOA_UTF8, STOA_UTF8, STOA_NULL},
    {STOA_BINARY, STOA_UTF8, STOA_UUID, STOA_FIXED_BINARY},
    {STOA_BOOL, STOA_BOOL, STOA_NULL},
    {STOA_UTF8, STOA_INT32, STOA_BOOL, STOA_DATE32, STOA_FLOAT64}, /* as text */
};

enum { NFAMILIES = sizeof(families) / sizeof(families[0]) };

/* Families come plain and in each of these. */
enum { PLAIN, IN_STRUCT, IN_LIST, IN_STRUCT_IN_LIST, IN_FIXED_LIST, IN_MAP, NSHAPES };

struct stoa_test_families stoa_test_draw_families(struct stoa_test_random *r)
{
    struct stoa_test_families out = {.n = 1};

    out.n += (uint32_t)stoa_test_random_below(r, STOA_TEST_MAX_FAMILIES);
    for (uint32_t i = 0; i < out.n; i++) {
        unsigned shape = 0;

        if (stoa_test_random_one_in(r, 3))
            shape = (unsigned)stoa_test_random_below(r, NSHAPES);
        out.numbers[i] = (unsigned)stoa_test_random_below(r, NFAMILIES) + shape * NFAMILIES;
    }
    return out;
}

/* Appends a type of the family, perhaps with "not null" behind it. */
static void append_leaf(struct stoa_test_random *r, unsigned family, struct stoa_buffer *text)
{
    enum stoa_type_id id = 0;
    struct stoa_field field = {0};
    struct stoa_error err = {0};

    while (id == 0)
        id = families[family % NFAMILIES][stoa_test_random_below(r, MAX_MEMBERS)];
    stoa_test_gen_type(r, id, &field.type);
    if (id == STOA_TIMESTAMP) { /* of one clock */
        stoa_free(field.type.zone);
        field.type.zone = NULL;
    }
    must(stoa_field_print_type(text, &field, &err), &err);
    if (id != STOA_NULL && stoa_test_random_one_in(r, 3))
        must(stoa_buffer_append(text, " not null", 9, &err), &err);
    stoa_type_reset(&field.type);
}

static void append(struct stoa_buffer *text, const char *more)
{
    struct stoa_error err = {0};

    must(stoa_buffer_append(text, more, strlen(more), &err), &err);
}

/* A struct of x, y and z in any order, of which one may be missing. */
static void append_struct(struct stoa_test_random *r, unsigned family, bool may_miss,
                          struct stoa_buffer *text)
{
    unsigned first = (unsigned)stoa_test_random_below(r, 3);
    bool misses = may_miss && stoa_test_random_one_in(r, 3);

    append(text, "struct<");
    for (unsigned i = misses ? 1 : 0; i < 3; i++) {
        unsigned number = (first + i) % 3;
        const char name[] = {(char)('x' + (char)number), ':', '\0'};

        append(text, name);
        append_leaf(r, family + number, text);
        append(text, i == 2 ? ">" : ",");
    }
}

static void add_column(struct stoa_test_random *r, unsigned family, bool may_miss, uint32_t number,
                       struct stoa_schema *schema)
{
    static const char *const opening[NSHAPES] = {"",         "", "list<", "list<", "fixed_list<",
                                                 "map<utf8,"};
    static const char *const closing[NSHAPES] = {"", "", ">", ">", ",3>", ">"};
    unsigned shape = family / NFAMILIES;
    struct stoa_buffer text = {0};
    struct stoa_field field;
    struct stoa_error err = {0};
    char name[16], *at;
    bool nullable;

    append(&text, opening[shape]);
    if (shape == IN_STRUCT || shape == IN_STRUCT_IN_LIST)
        append_struct(r, family % NFAMILIES, may_miss, &text);
    else
        append_leaf(r, family, &text);
    append(&text, closing[shape]);
    must(stoa_buffer_append(&text, "", 1, &err), &err);
    at = strstr((char *)text.data, " not null");
    nullable = shape != PLAIN ? !stoa_test_random_one_in(r, 3) : at == NULL;
    if (shape == PLAIN && at != NULL) /* says the column, not its type */
        *at = '\0';
    (void)snprintf(name, sizeof(name), "c%u", number);
    must(stoa_field_parse(name, (char *)text.data, nullable, &field, &err), &err);
    must(stoa_schema_add_field(schema, &field, &err), &err);
    stoa_field_reset(&field);
    stoa_buffer_free(&text);
}

void stoa_test_make_part(struct stoa_test_random *r, const struct stoa_test_families *drawn,
                         bool may_miss, const struct stoa_rules *rules, struct stoa_test_table *out)
{
    uint32_t first = (uint32_t)stoa_test_random_below(r, drawn->n);
    size_t nrows[4], ngroups = (size_t)stoa_test_random_below(r, 5);
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    for (uint32_t i = 0; i < drawn->n; i++) {
        uint32_t number = (first + i) % drawn->n;

        if (!may_miss || !stoa_test_random_one_in(r, 4))
            add_column(r, drawn->numbers[number], may_miss, number, &schema);
    }
    for (size_t i = 0; i < ngroups; i++)
        nrows[i] = 1 + (size_t)stoa_test_random_below(r, 60);
    if (ngroups > 0 && stoa_test_random_one_in(r, 30))
        nrows[0] = 8000 + (size_t)stoa_test_random_below(r, 9000);

    *out = (struct stoa_test_table){.schema = schema, .nbatches = ngroups};
    must(stoa_alloc_zeroed(&out->batches, ngroups, sizeof(out->batches[0]), &err), &err);
    for (size_t g = 0; g < ngroups; g++) {
        struct stoa_batch *batch = &out->batches[g];

        must(stoa_batch_init(batch, &out->schema, &err), &err);
        batch->nrows = nrows[g];
        for (uint32_t i = 0; i < schema.nfields; i++) {
            enum stoa_test_shape shape =
                (enum stoa_test_shape)stoa_test_random_below(r, STOA_TEST_NSHAPES);
            enum stoa_test_nulls nulls =
                (enum stoa_test_nulls)stoa_test_random_below(r, STOA_TEST_NNULLS);

            /* Mostly values that every type of the family has. */
            if (shape == STOA_TEST_FULL_RANGE && !stoa_test_random_one_in(r, 3))
                shape = STOA_TEST_SMALL_RANGE;
            stoa_test_gen_array(r, &out->schema.fields[i], batch->nrows, shape, nulls,
                                &batch->columns[i]);
        }
    }
    stoa_test_file_write(&out->schema, out->batches, ngroups, rules, &out->file);
}

/* ---- What must come back ---- */

static struct stoa_int256 whole(const struct stoa_scalar *x)
{
    switch (x->kind) {
    case STOA_KIND_UINT64:
        return stoa_int256_from_u64(x->u64);
    case STOA_KIND_INT128:
        return stoa_int256_from_i128(x->i128);
    case STOA_KIND_INT256:
        return x->i256;
    default:
        return stoa_int256_from_i64(x->i64);
    }
}

static bool is_time(const struct stoa_type *type)
{
    return type->id == STOA_DATE32 || type->id == STOA_TIME || type->id == STOA_TIMESTAMP;
}

/* Nanoseconds, of a date since 1970. */
static struct stoa_int256 nanos(const struct stoa_type *type, int64_t value)
{
    struct stoa_int256 out = stoa_int256_from_i64(value);
    uint64_t factor = type->id == STOA_DATE32
                          ? UINT64_C(86400) * 1000000000
                          : 1000000000 / (uint64_t)stoa_time_unit_per_second(type->unit);

    (void)stoa_int256_mul_u64(out, factor, &out);
    return out;
}

static size_t text_of(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                      bool as_text, const char **text, char room[STOA_TEXT_NBYTES])
{
    struct stoa_scalar x;

    if (field->type.id == STOA_ENUM) {
        *text = field->type.symbols[stoa_scalar_get(&field->type, array, i).u64];
        return strlen(*text);
    }
    x = stoa_scalar_get(&field->type, array, i);
    *text = (const char *)x.bytes;
    if (x.kind == STOA_KIND_BYTES && !(as_text && field->type.id == STOA_UUID))
        return x.nbytes;
    *text = room;
    return stoa_array_format(field, array, i, room);
}

static bool same_text(const struct stoa_field *a, const struct stoa_array *x, size_t i,
                      const struct stoa_field *b, const struct stoa_array *y, size_t j)
{
    char rooms[2][STOA_TEXT_NBYTES];
    const char *left, *right;
    bool as_text = b->type.id == STOA_UTF8;
    size_t nleft = text_of(a, x, i, as_text, &left, rooms[0]);
    size_t nright = text_of(b, y, j, as_text, &right, rooms[1]);

    return nleft == nright && (nleft == 0 || memcmp(left, right, nleft) == 0);
}

static bool same_value(const struct stoa_field *a, const struct stoa_array *x, size_t i,
                       const struct stoa_field *b, const struct stoa_array *y, size_t j);

/* Two structs that are not null: the fields of `a`, and nulls in those that it does not have. */
static bool same_struct(const struct stoa_field *a, const struct stoa_array *x, size_t i,
                        const struct stoa_field *b, const struct stoa_array *y, size_t j)
{
    for (uint32_t k = 0; k < b->nchildren; k++) {
        uint32_t from = 0;

        while (from < a->nchildren && strcmp(a->children[from].name, b->children[k].name) != 0)
            from++;
        if (from == a->nchildren ? !stoa_array_is_null(&y->children[k], j)
                                 : !same_value(&a->children[from], &x->children[from], i,
                                               &b->children[k], &y->children[k], j))
            return false;
    }
    return true;
}

/* Two lists of any kind that are not null. */
static bool same_list(const struct stoa_field *a, const struct stoa_array *x, size_t i,
                      const struct stoa_field *b, const struct stoa_array *y, size_t j)
{
    size_t width = b->type.width, n;
    size_t begin = x->offsets == NULL ? i * width : (size_t)x->offsets[i];
    size_t there = y->offsets == NULL ? j * width : (size_t)y->offsets[j];

    n = x->offsets == NULL ? width : (size_t)x->offsets[i + 1] - begin;
    if (y->offsets != NULL && (size_t)y->offsets[j + 1] - there != n)
        return false;
    for (size_t k = 0; k < n; k++)
        if (!same_value(&a->children[0], &x->children[0], begin + k, &b->children[0],
                        &y->children[0], there + k))
            return false;
    return true;
}

/* Value i of x, of the field a, and value j of y, of the merged field b. */
static bool same_value(const struct stoa_field *a, const struct stoa_array *x, size_t i,
                       const struct stoa_field *b, const struct stoa_array *y, size_t j)
{
    struct stoa_scalar left, right;
    struct stoa_int256 wide;

    if (a->type.id == STOA_NULL || stoa_array_is_null(x, i))
        return b->type.id == STOA_NULL || stoa_array_is_null(y, j);
    if (stoa_array_is_null(y, j))
        return false;
    if (b->type.id == STOA_STRUCT)
        return same_struct(a, x, i, b, y, j);
    if (b->nchildren > 0)
        return same_list(a, x, i, b, y, j);
    left = stoa_scalar_get(&a->type, x, i);
    right = stoa_scalar_get(&b->type, y, j);
    if (right.kind == STOA_KIND_BYTES || b->type.id == STOA_ENUM || b->type.id == STOA_BOOL)
        return same_text(a, x, i, b, y, j);
    if (right.kind == STOA_KIND_DOUBLE && left.kind == STOA_KIND_DOUBLE)
        return left.f64 == right.f64 ? signbit(left.f64) == signbit(right.f64)
                                     : left.f64 != left.f64 && right.f64 != right.f64;
    if (right.kind == STOA_KIND_DOUBLE) {
        long double number =
            left.kind == STOA_KIND_UINT64 ? (long double)left.u64 : (long double)left.i64;

        return number == (long double)right.f64;
    }
    if (is_time(&b->type))
        return stoa_int256_cmp(nanos(&a->type, left.i64), nanos(&b->type, right.i64)) == 0;
    wide = whole(&left);
    return stoa_int256_mul_pow10(wide, (unsigned)(b->type.scale - a->type.scale), &wide) &&
           stoa_int256_cmp(wide, whole(&right)) == 0;
}

static bool column_is(const struct stoa_field *merged, const struct stoa_array *array,
                      const struct stoa_test_table *table, const struct stoa_batch *batch)
{
    for (uint32_t k = 0; k < table->schema.nfields; k++) {
        const struct stoa_field *field = &table->schema.fields[k];

        if (strcmp(field->name, merged->name) != 0)
            continue;
        for (size_t i = 0; i < batch->nrows; i++) {
            if (same_value(field, &batch->columns[k], i, merged, array, i))
                continue;
            fprintf(stderr, "column %s: row %zu differs\n", merged->name, i);
            return false;
        }
        return true;
    }
    return array->nnulls == batch->nrows; /* the part has no such column */
}

static bool group_is(struct stoa_reader *reader, const struct stoa_schema *schema, uint32_t group,
                     const struct stoa_test_table *table, const struct stoa_batch *batch)
{
    struct stoa_rows rows = {0, batch->nrows};
    struct stoa_error err = {0};
    struct stoa_row_group info;
    bool same;

    must(stoa_reader_row_group(reader, group, &info, &err), &err);
    same = info.nrows == batch->nrows;
    for (uint32_t i = 0; same && i < schema->nfields; i++) {
        struct stoa_array array = {0};

        must(stoa_reader_column(reader, group, i, rows, &array, NULL, &err), &err);
        same = column_is(&schema->fields[i], &array, table, batch);
        stoa_array_reset(&array);
    }
    return same;
}

bool stoa_test_merged_is(const struct stoa_test_file *merged, const struct stoa_test_table *tables,
                         size_t ntables)
{
    struct stoa_source *source = stoa_test_file_source(merged);
    const struct stoa_schema *schema;
    struct stoa_reader *reader;
    struct stoa_error err = {0};
    uint32_t group = 0, ngroups = 0;
    bool same = true;

    must(stoa_reader_open(source, NULL, &reader, &err), &err);
    must(stoa_reader_schema(reader, &schema, &err), &err);
    for (size_t k = 0; k < ntables; k++)
        ngroups += (uint32_t)tables[k].nbatches;
    same = stoa_reader_nrow_groups(reader) == ngroups;
    for (size_t k = 0; same && k < ntables; k++)
        for (size_t g = 0; same && g < tables[k].nbatches; g++)
            same = group_is(reader, schema, group++, &tables[k], &tables[k].batches[g]);
    stoa_reader_close(reader);
    stoa_source_close(source);
    return same;
}
