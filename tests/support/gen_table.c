/*
 * A column is generated in three steps: distinct values are drawn into a pool, a list says which of
 * them stands in which row, and a builder puts them together with the nulls. A nested one is its
 * nulls and lengths first, then a column for each child.
 */
#include "support/gen_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/int256.h"
#include "base/time.h"
#include "column/array.h"
#include "column/builder.h"
#include "column/scalar.h"

static void must(enum stoa_status status, const struct stoa_error *err)
{
    if (status == STOA_OK)
        return;
    fprintf(stderr, "gen_table: %s\n", err->message);
    abort();
}

static uint64_t below(struct stoa_test_random *r, uint64_t n)
{
    return stoa_test_random_below(r, n);
}

/* ---- One value ---- */

/* Which part of a type values are drawn from. */
enum spread { NARROW, STEPS, WIDE };

/* The values of a pool: value i is the bytes [ends[i - 1], ends[i]). */
struct pool {
    const struct stoa_type *type;
    enum spread spread;
    int64_t base; /* narrow and stepping numbers begin here */
    struct stoa_buffer bytes;
    size_t *ends;
    size_t nvalues;
    size_t capacity;
};

static void put(struct pool *pool, const void *bytes, size_t nbytes)
{
    struct stoa_error err = {0};

    must(stoa_buffer_append(&pool->bytes, bytes, nbytes, &err), &err);
}

/* The low `width` bytes of a number in native order. */
static void put_number(struct pool *pool, uint64_t x, size_t width)
{
    const uint8_t x8 = (uint8_t)x;
    const uint16_t x16 = (uint16_t)x;
    const uint32_t x32 = (uint32_t)x;

    put(pool,
        width == 1   ? (const void *)&x8
        : width == 2 ? (const void *)&x16
        : width == 4 ? (const void *)&x32
                     : (const void *)&x,
        width);
}

/* A wide number near 0, near either end of `nbits` bits, or anywhere. */
static uint64_t wide_integer(struct stoa_test_random *r, unsigned nbits)
{
    uint64_t x = stoa_test_random_wide(r);

    switch (below(r, 5)) {
    case 0:
        return x >> (64 - nbits);
    case 1:
        return (UINT64_C(1) << (nbits - 1)) + below(r, 3) - 1; /* about the greatest signed one */
    case 2:
        return 0 - below(r, 3);
    case 3:
        return 0 - x;
    default:
        return x;
    }
}

static void draw_integer(struct stoa_test_random *r, struct pool *pool)
{
    size_t width = stoa_type_width(pool->type);
    uint64_t range = width == 1 ? 20 : 1000;
    uint64_t x = wide_integer(r, (unsigned)(8 * width));

    if (pool->spread == NARROW)
        x = (uint64_t)pool->base + below(r, range);
    if (pool->spread == STEPS)
        x = (uint64_t)pool->base + (width == 1 ? 5 : 60) * below(r, range / 10);
    put_number(pool, x, width);
}

/* Times stay in their day, dates and timestamps between 1900 and 2100 unless wide. */
static void draw_time(struct stoa_test_random *r, struct pool *pool)
{
    enum stoa_type_id id = pool->type->id;
    int64_t second = id == STOA_DATE32 ? 1 : stoa_time_unit_per_second(pool->type->unit);
    int64_t day = id == STOA_DATE32 ? 1 : 86400 * second;
    int64_t x = stoa_test_random_between(r, -25567 * day, 47482 * day);

    if (pool->spread == WIDE && stoa_test_random_one_in(r, 4))
        x = (int64_t)wide_integer(r, 64);
    if (pool->spread == NARROW)
        x = 15706 * day + stoa_test_random_between(r, 0, id == STOA_DATE32 ? 400 : 5000 * second);
    if (pool->spread == STEPS)
        x = 15706 * day + (id == STOA_DATE32 ? 7 : 60 * second) * (int64_t)below(r, 10000);
    if (id == STOA_TIME)
        x = (int64_t)((uint64_t)x % (uint64_t)day);
    put_number(pool, (uint64_t)x, stoa_type_width(pool->type));
}

static uint64_t wide_double(struct stoa_test_random *r)
{
    static const uint64_t special[] = {
        0,                            /* 0.0 */
        UINT64_C(0x8000000000000000), /* -0.0 */
        1,                            /* the least subnormal number */
        UINT64_C(0x800fffffffffffff), /* a negative subnormal one */
        UINT64_C(0x7fefffffffffffff), /* the greatest number */
        UINT64_C(0x7ff0000000000000), /* infinity */
        UINT64_C(0xfff0000000000000), /* -infinity */
        UINT64_C(0x7ff8000000000000), /* NaN */
        UINT64_C(0xfff8000000abcdef), /* a negative NaN with a payload */
        UINT64_C(0x7ff0000000000001), /* a signalling NaN */
    };

    return stoa_test_random_one_in(r, 2) ? special[below(r, 10)] : stoa_test_random_u64(r);
}

static uint32_t wide_float(struct stoa_test_random *r)
{
    static const uint32_t special[] = {0,          0x80000000, 1,          0x807fffff, 0x7f7fffff,
                                       0x7f800000, 0xff800000, 0x7fc00000, 0xffc0abcd, 0x7f800001};

    return stoa_test_random_one_in(r, 2) ? special[below(r, 10)]
                                         : (uint32_t)stoa_test_random_u64(r);
}

/* Narrow: numbers of few decimal digits around 0; steps: prices with two. */
static void draw_float(struct stoa_test_random *r, struct pool *pool)
{
    bool is_single = pool->type->id == STOA_FLOAT32;
    double x = (double)stoa_test_random_between(r, -50, 1000) / 10;
    float single;

    if (pool->spread == WIDE) {
        put_number(pool, is_single ? wide_float(r) : wide_double(r), is_single ? 4 : 8);
        return;
    }
    if (pool->spread == STEPS)
        x = (double)below(r, 100000) / 100;
    single = (float)x;
    put(pool, is_single ? (const void *)&single : (const void *)&x, is_single ? 4 : 8);
}

/* Narrow: a run of neighbours from 1.0 on; steps: 2.0 to 3.0 in sixteenths. */
static void draw_float16(struct stoa_test_random *r, struct pool *pool)
{
    static const uint16_t special[] = {0,      0x8000, 1,      0x83ff, 0x7bff,
                                       0x7c00, 0xfc00, 0x7e00, 0xfeab, 0x7c01};
    uint64_t x = stoa_test_random_u64(r);

    if (pool->spread == NARROW)
        x = 0x3c00 + x % 64;
    else if (pool->spread == STEPS)
        x = 0x4000 + 32 * (x % 16);
    else if (stoa_test_random_one_in(r, 2))
        x = special[x % 10];
    put_number(pool, x & 0xffff, 2);
}

static void draw_interval(struct stoa_test_random *r, struct pool *pool)
{
    struct stoa_interval x = {0};
    uint64_t months = wide_integer(r, 32), days = wide_integer(r, 32), nanos = wide_integer(r, 64);
    uint64_t parts = below(r, 8);

    if (pool->spread != WIDE) {
        months %= 30;
        days %= 40;
        nanos = (pool->spread == STEPS ? UINT64_C(60000000000) : 1000000) * (nanos % 1000);
    }
    if ((parts & 1) != 0)
        x.months = (int32_t)(uint32_t)months;
    if ((parts & 2) != 0)
        x.days = (int32_t)(uint32_t)days;
    if ((parts & 4) != 0)
        x.nanos = (int64_t)nanos;
    put(pool, &x, sizeof(x));
}

static void draw_decimal(struct stoa_test_random *r, struct pool *pool)
{
    unsigned ndigits = (unsigned)(1 + below(r, pool->type->precision));
    struct stoa_int256 x = stoa_int256_from_i64(0);
    struct stoa_int128 narrow;
    bool nines = stoa_test_random_one_in(r, 8), fits = true;

    if (pool->spread != WIDE && ndigits > 3)
        ndigits = 3;
    for (unsigned i = 0; i < ndigits; i++)
        fits = fits && stoa_int256_mul_u64(x, 10, &x) &&
               stoa_int256_add(x, stoa_int256_from_u64(nines ? 9 : below(r, 10)), &x);
    if (pool->spread != STEPS && stoa_test_random_one_in(r, 3))
        fits = fits && stoa_int256_neg(x, &x);
    if (!fits)
        abort(); /* 76 digits always fit */
    narrow = stoa_int256_low(x);
    if (pool->type->precision > STOA_INT128_DIGITS)
        put(pool, &x, sizeof(x));
    else
        put(pool, &narrow, sizeof(narrow));
}

static void draw_text(struct stoa_test_random *r, struct pool *pool)
{
    static const char *const words[] = {"CMT", "VTS",      "",    "N",
                                        "Y",   "New York", "JFK", "2013-01-05"};
    static const char *const wide[] = {
        "a",    "B", "0", " ", ",", "\"", "\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\x8d",
        "\x7f", "~"};
    static const char hex[] = "0123456789ABCDEF";
    const char *word = words[below(r, 8)];
    size_t nchars = (size_t)below(r, stoa_test_random_one_in(r, 10) ? 300 : 12);

    if (pool->spread == STEPS) {
        put(pool, word, strlen(word));
        return;
    }
    if (pool->spread == NARROW) {
        for (size_t i = 0; i < 3; i++)
            put(pool, &hex[below(r, 4)], 1);
        return;
    }
    if (stoa_test_random_one_in(r, 200))
        nchars = 5000;
    if (stoa_test_random_one_in(r, 3)) {
        for (size_t i = 0; i < 32; i++)
            put(pool, &hex[below(r, 16)], 1);
        return;
    }
    for (size_t i = 0; i < nchars; i++) {
        const char *piece = wide[below(r, 12)];

        put(pool, piece, strlen(piece));
    }
}

static void draw_random_bytes(struct stoa_test_random *r, struct pool *pool, size_t nbytes)
{
    uint8_t bytes[300];

    stoa_test_random_bytes(r, bytes, nbytes);
    if (pool->spread == NARROW && nbytes > 1) /* only the last byte differs */
        memset(bytes, 0xff, nbytes - 1);
    if (stoa_test_random_one_in(r, 10))
        memset(bytes, below(r, 2) == 0 ? 0x00 : 0xff, nbytes);
    put(pool, bytes, nbytes);
}

static void draw(struct stoa_test_random *r, struct pool *pool)
{
    struct stoa_error err = {0};
    uint8_t flag;

    switch (pool->type->id) {
    case STOA_NULL:
        break;
    case STOA_BOOL:
        flag = (uint8_t)below(r, 2);
        put(pool, &flag, 1);
        break;
    case STOA_FLOAT16:
        draw_float16(r, pool);
        break;
    case STOA_FLOAT32:
    case STOA_FLOAT64:
        draw_float(r, pool);
        break;
    case STOA_INTERVAL:
        draw_interval(r, pool);
        break;
    case STOA_DECIMAL:
        draw_decimal(r, pool);
        break;
    case STOA_DATE32:
    case STOA_TIME:
    case STOA_TIMESTAMP:
        draw_time(r, pool);
        break;
    case STOA_UTF8:
        draw_text(r, pool);
        break;
    case STOA_BINARY:
        draw_random_bytes(r, pool, (size_t)below(r, stoa_test_random_one_in(r, 9) ? 300 : 9));
        break;
    case STOA_FIXED_BINARY:
    case STOA_UUID:
        draw_random_bytes(r, pool, stoa_type_width(pool->type));
        break;
    case STOA_ENUM:
        put_number(pool, below(r, pool->type->nsymbols), 4);
        break;
    default:
        draw_integer(r, pool);
        break;
    }
    must(stoa_reserve(&pool->ends, &pool->capacity, pool->nvalues + 1, sizeof(size_t), &err), &err);
    pool->ends[pool->nvalues++] = pool->bytes.nbytes;
}

static const uint8_t *pool_value(const struct pool *pool, size_t i, size_t *nbytes)
{
    size_t begin = i > 0 ? pool->ends[i - 1] : 0;

    *nbytes = pool->ends[i] - begin;
    return pool->bytes.nbytes > 0 ? pool->bytes.data + begin : (const uint8_t *)"";
}

/* ---- Columns ---- */

static bool takes_value(struct stoa_test_random *r, enum stoa_test_nulls nulls, uint64_t rarity,
                        bool before)
{
    switch (nulls) {
    case STOA_TEST_NULLS_NONE:
        return true;
    case STOA_TEST_NULLS_SOME:
        return !stoa_test_random_one_in(r, rarity);
    case STOA_TEST_NULLS_RUNS:
        return stoa_test_random_one_in(r, rarity) ? !before : before;
    default:
        return false;
    }
}

static void append_value(struct stoa_builder *builder, const struct pool *pool, size_t i)
{
    struct stoa_error err = {0};
    size_t nbytes;
    const uint8_t *bytes = pool_value(pool, i, &nbytes);

    must(stoa_builder_reserve(builder, 1, nbytes, &err), &err);
    if (builder->layout == STOA_LAYOUT_BITS)
        stoa_builder_append_bool(builder, *bytes != 0);
    else if (builder->layout == STOA_LAYOUT_BYTES)
        stoa_builder_append_bytes(builder, bytes, nbytes);
    else
        stoa_builder_append_fixed(builder, bytes);
}

/*
 * Row i takes value places[i] of the pool; a null stands in for it where nulls are drawn, and where
 * `parent`, the bitmap of what is around, has one. It may be NULL.
 */
static void build(struct stoa_test_random *r, const struct stoa_field *field,
                  const struct pool *pool, const size_t *places, size_t nvalues,
                  enum stoa_test_nulls nulls, const uint8_t *parent, struct stoa_array *out)
{
    struct stoa_builder builder;
    struct stoa_error err = {0};
    uint64_t rarity = 2 + below(r, 99);
    bool takes = below(r, 2) == 0;

    must(stoa_builder_init(&builder, &field->type, nvalues, &err), &err);
    for (size_t i = 0; i < nvalues; i++) {
        takes = takes_value(r, nulls, rarity, takes);
        must(stoa_builder_reserve(&builder, 1, 0, &err), &err);
        if (takes && (parent == NULL || stoa_bitmap_get(parent, i)))
            append_value(&builder, pool, places[i]);
        else
            stoa_builder_append_null(&builder);
    }
    stoa_builder_finish(&builder, out);
    stoa_builder_reset(&builder);
}

struct order {
    const struct stoa_type *type;
    const struct stoa_array *values;
    bool falling;
};

/* Values in their order and NaN behind all; equal ones (0.0 and -0.0) by their place. */
static int compare_places(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    struct stoa_scalar x = stoa_scalar_get(order->type, order->values, i);
    struct stoa_scalar y = stoa_scalar_get(order->type, order->values, j);
    enum stoa_order result = stoa_scalar_compare(&x, &y);

    if (result == STOA_UNORDERED) {
        bool x_is_nan = x.f64 != x.f64, y_is_nan = y.f64 != y.f64;

        if (x_is_nan != y_is_nan)
            return x_is_nan ? 1 : -1;
        result = STOA_EQUAL;
    }
    if (result == STOA_EQUAL)
        return i < j ? -1 : i > j;
    return order->falling ? -(int)result : (int)result;
}

static void sort_places(struct stoa_test_random *r, const struct stoa_field *field,
                        const struct pool *pool, size_t *places, size_t nvalues, bool falling)
{
    struct stoa_array values = {0};
    struct order order = {&field->type, &values, falling};

    build(r, field, pool, places, nvalues, STOA_TEST_NULLS_NONE, NULL, &values);
    qsort_r(places, nvalues, sizeof(places[0]), compare_places, &order);
    stoa_array_reset(&values);
}

/* Fills the pool, and `places` with what stands where. */
static void arrange(struct stoa_test_random *r, enum stoa_test_shape shape, struct pool *pool,
                    size_t *places, size_t nvalues)
{
    size_t ndistinct = 2 + (size_t)below(r, 19);
    size_t left = 0;

    for (size_t i = 0; i < nvalues; i++) {
        bool reuse = shape == STOA_TEST_CONSTANT && i > 0;

        if (shape == STOA_TEST_RUNS)
            reuse = left > 0 && left-- > 0;
        if (shape == STOA_TEST_FEW_DISTINCT)
            reuse = i >= ndistinct;
        if (shape == STOA_TEST_OUTLIERS)
            pool->spread = stoa_test_random_one_in(r, 50) ? WIDE : NARROW;
        if (!reuse) {
            draw(r, pool);
            left = (size_t)below(r, 200);
        }
        places[i] = pool->nvalues - 1;
        if (shape == STOA_TEST_FEW_DISTINCT)
            places[i] = (size_t)below(r, pool->nvalues);
    }
}

static void gen_leaf(struct stoa_test_random *r, const struct stoa_field *field, size_t nvalues,
                     enum stoa_test_shape shape, enum stoa_test_nulls nulls, const uint8_t *parent,
                     struct stoa_array *out)
{
    static const enum spread spreads[STOA_TEST_NSHAPES] = {
        [STOA_TEST_CONSTANT] = WIDE,      [STOA_TEST_RUNS] = WIDE,
        [STOA_TEST_SORTED] = WIDE,        [STOA_TEST_FALLING] = WIDE,
        [STOA_TEST_SMALL_RANGE] = NARROW, [STOA_TEST_OUTLIERS] = NARROW,
        [STOA_TEST_FULL_RANGE] = WIDE,    [STOA_TEST_FEW_DISTINCT] = WIDE,
        [STOA_TEST_MULTIPLES] = STEPS,
    };
    struct pool pool = {.type = &field->type, .spread = spreads[shape]};
    struct stoa_error err = {0};
    bool sorts = shape == STOA_TEST_SORTED || shape == STOA_TEST_FALLING;
    size_t *places;

    must(stoa_alloc_zeroed(&places, nvalues, sizeof(places[0]), &err), &err);
    pool.base = (int64_t)(stoa_test_random_wide(r) >> 8);
    if (shape == STOA_TEST_MULTIPLES)
        pool.base -= pool.base % 60;
    if (stoa_test_random_one_in(r, 2) && (sorts || shape == STOA_TEST_RUNS))
        pool.spread = NARROW;
    arrange(r, shape, &pool, places, nvalues);
    if (sorts && stoa_scalar_kind_of(&field->type) != STOA_KIND_NONE)
        sort_places(r, field, &pool, places, nvalues, shape == STOA_TEST_FALLING);
    if (!field->nullable)
        nulls = STOA_TEST_NULLS_NONE;
    if (field->type.id == STOA_NULL)
        nulls = STOA_TEST_NULLS_ALL;
    build(r, field, &pool, places, nvalues, nulls, parent, out);
    stoa_free(places);
    stoa_free(pool.ends);
    stoa_buffer_free(&pool.bytes);
}

/* ---- Nested columns ---- */

static void gen_validity(struct stoa_test_random *r, const struct stoa_field *field,
                         enum stoa_test_nulls nulls, const uint8_t *parent,
                         struct stoa_array *array)
{
    size_t nbytes = stoa_bitmap_nbytes(array->nvalues);
    uint64_t rarity = 2 + below(r, 99);
    bool takes = below(r, 2) == 0;
    struct stoa_error err = {0};

    must(stoa_array_alloc_buffer(&array->validity, nbytes, &err), &err);
    memset(array->validity, 0, nbytes);
    for (size_t i = 0; i < array->nvalues; i++) {
        takes = takes_value(r, field->nullable ? nulls : STOA_TEST_NULLS_NONE, rarity, takes);
        if (takes && (parent == NULL || stoa_bitmap_get(parent, i)))
            stoa_bitmap_set(array->validity, i);
        else
            array->nnulls++;
    }
    stoa_array_drop_validity(array);
}

/* Lengths of lists, which grow to a few values each at most where there are many lists. */
static size_t gen_offsets(struct stoa_test_random *r, struct stoa_array *array)
{
    size_t room = array->nvalues > 10000 ? array->nvalues : 3 * array->nvalues + 20, total = 0;
    uint64_t style = below(r, 4), usual = below(r, 5);
    struct stoa_error err = {0};

    must(stoa_array_alloc_buffer(&array->offsets, 4 * (array->nvalues + 1), &err), &err);
    array->offsets[0] = 0;
    for (size_t i = 0; i < array->nvalues; i++) {
        uint64_t length = usual; /* style 0: all the same */

        if (style == 1)
            length = below(r, 2 + usual);
        else if (style == 2) /* mostly empty */
            length = stoa_test_random_one_in(r, 20) ? below(r, 100) : 0;
        else if (style == 3)
            length = below(r, stoa_test_random_one_in(r, 50) ? 500 : 3);
        if (stoa_array_is_null(array, i) || length > room - total)
            length = 0;
        total += (size_t)length;
        array->offsets[i + 1] = (int32_t)total;
    }
    return total;
}

/* The bitmap of fixed_lists for their values: each bit `width` times. */
static uint8_t *widen_validity(const struct stoa_array *array, size_t width)
{
    struct stoa_error err = {0};
    uint8_t *wide;

    must(stoa_alloc_zeroed(&wide, stoa_bitmap_nbytes(array->nvalues * width), 1, &err), &err);
    for (size_t i = 0; i < array->nvalues * width; i++)
        if (stoa_bitmap_get(array->validity, i / width))
            stoa_bitmap_set(wide, i);
    return wide;
}

static void gen_column(struct stoa_test_random *r, const struct stoa_field *field, size_t nvalues,
                       enum stoa_test_shape shape, enum stoa_test_nulls nulls,
                       const uint8_t *parent, struct stoa_array *out);

static void gen_children(struct stoa_test_random *r, const struct stoa_field *field, size_t nvalues,
                         const uint8_t *parent, struct stoa_array *out)
{
    struct stoa_error err = {0};

    must(stoa_alloc_zeroed(&out->children, field->nchildren, sizeof(out->children[0]), &err), &err);
    for (; out->nchildren < field->nchildren; out->nchildren++) {
        enum stoa_test_nulls nulls = (enum stoa_test_nulls)below(r, STOA_TEST_NNULLS);
        enum stoa_test_shape shape = (enum stoa_test_shape)below(r, STOA_TEST_NSHAPES);

        gen_column(r, &field->children[out->nchildren], nvalues, shape, nulls, parent,
                   &out->children[out->nchildren]);
    }
}

static void gen_nested(struct stoa_test_random *r, const struct stoa_field *field, size_t nvalues,
                       enum stoa_test_nulls nulls, const uint8_t *parent, struct stoa_array *out)
{
    struct stoa_array array = {.nvalues = nvalues};
    uint8_t *wide = NULL;

    gen_validity(r, field, nulls, parent, &array);
    switch (field->type.id) {
    case STOA_STRUCT:
        gen_children(r, field, nvalues, array.validity, &array);
        break;
    case STOA_FIXED_LIST:
        if (array.validity != NULL)
            wide = widen_validity(&array, field->type.width);
        gen_children(r, field, nvalues * field->type.width, wide, &array);
        break;
    default:
        gen_children(r, field, gen_offsets(r, &array), NULL, &array);
        break;
    }
    stoa_free(wide);
    *out = array;
}

static void gen_column(struct stoa_test_random *r, const struct stoa_field *field, size_t nvalues,
                       enum stoa_test_shape shape, enum stoa_test_nulls nulls,
                       const uint8_t *parent, struct stoa_array *out)
{
    if (stoa_type_info(field->type.id)->layout >= STOA_LAYOUT_LIST)
        gen_nested(r, field, nvalues, nulls, parent, out);
    else
        gen_leaf(r, field, nvalues, shape, nulls, parent, out);
}

void stoa_test_gen_array(struct stoa_test_random *r, const struct stoa_field *field, size_t nvalues,
                         enum stoa_test_shape shape, enum stoa_test_nulls nulls,
                         struct stoa_array *out)
{
    gen_column(r, field, nvalues, shape, nulls, NULL, out);
}

void stoa_test_gen_long_texts(struct stoa_test_random *r, const struct stoa_field *field,
                              size_t nvalues, struct stoa_array *out)
{
    bool is_text = field->type.id == STOA_UTF8;
    size_t common = 13 + (size_t)below(r, 5);
    struct stoa_builder builder;
    struct stoa_error err = {0};
    uint8_t text[40];

    must(stoa_builder_init(&builder, &field->type, nvalues, &err), &err);
    memset(text, is_text ? 'k' : 0xff, sizeof(text));
    for (size_t i = 0; i < nvalues; i++) {
        size_t nbytes = common + (size_t)below(r, 5);

        for (size_t k = common; k < nbytes; k++)
            text[k] = (uint8_t)((is_text ? 'j' : 0xfd) + below(r, 3));
        must(stoa_builder_reserve(&builder, 1, nbytes, &err), &err);
        if (field->nullable && stoa_test_random_one_in(r, 9))
            stoa_builder_append_null(&builder);
        else
            stoa_builder_append_bytes(&builder, text, nbytes);
    }
    stoa_builder_finish(&builder, out);
    stoa_builder_reset(&builder);
}

void stoa_test_gen_batch(struct stoa_test_random *r, const struct stoa_schema *schema, size_t nrows,
                         struct stoa_batch *out)
{
    struct stoa_error err = {0};

    must(stoa_batch_init(out, schema, &err), &err);
    out->nrows = nrows;
    for (uint32_t i = 0; i < out->ncolumns; i++) {
        /* Drawn one after the other: the order of two draws in one call is the compiler's. */
        enum stoa_test_nulls nulls = (enum stoa_test_nulls)below(r, STOA_TEST_NNULLS);
        enum stoa_test_shape shape = (enum stoa_test_shape)below(r, STOA_TEST_NSHAPES);

        stoa_test_gen_array(r, &schema->fields[i], nrows, shape, nulls, &out->columns[i]);
    }
}
