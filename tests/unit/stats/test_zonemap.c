/* Zone maps against a naive model, their bytes, and their places among the entries of a column. */
#include "stats/zonemap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/int256.h"
#include "column/scalar.h"
#include "support/gen_table.h"
#include "support/random.h"

static void assert_bytes(const uint8_t *bytes, size_t nbytes, const char *hex)
{
    char text[3 * STOA_ZONE_ENTRY_MAX_NBYTES + 1] = "";

    for (size_t i = 0; i < nbytes; i++)
        snprintf(text + 3 * i, 4, "%02x ", bytes[i]);
    text[3 * nbytes - 1] = '\0';
    assert_string_equal(text, hex);
}

/* The worked bytes of spec/statistics.md. */

static void int_entry_has_the_bytes_of_the_spec(void **state)
{
    (void)state;
    static int32_t values[] = {7, -2, 0, 1200};
    static uint8_t validity[] = {0x0b};
    struct stoa_type type = {.id = STOA_INT32};
    struct stoa_array array = {
        .nvalues = 4, .nnulls = 1, .values = (uint8_t *)values, .validity = validity};
    struct stoa_zone zone;
    uint8_t bytes[24];

    assert_int_equal(stoa_zone_stride(&type, false), 24);
    stoa_zone_compute(&type, &array, 0, 4, &zone);
    stoa_zone_pack(&zone, false, bytes);
    assert_bytes(bytes, 24,
                 "fe ff ff ff ff ff ff ff b0 04 00 00 00 00 00 00 01 00 00 00 07 00 00 00");
}

static void text_entry_has_the_bytes_of_the_spec(void **state)
{
    (void)state;
    static char text[] = "EWRSan Francisco Intl";
    static int32_t offsets[] = {0, 3, 21};
    struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_array array = {.nvalues = 2, .values = (uint8_t *)text, .offsets = offsets};
    struct stoa_zone zone;
    uint8_t bytes[40];

    assert_int_equal(stoa_zone_stride(&type, false), 40);
    stoa_zone_compute(&type, &array, 0, 2, &zone);
    stoa_zone_pack(&zone, false, bytes);
    assert_bytes(bytes, 40,
                 "45 57 52 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                 "53 61 6e 20 46 72 61 6e 63 69 73 63 6f 20 49 6f "
                 "00 00 00 00 43 00 03 10");
}

static void float_entry_has_the_bytes_of_the_spec(void **state)
{
    (void)state;
    static double values[] = {0.0, (double)NAN, -1.5};
    struct stoa_type type = {.id = STOA_FLOAT64};
    struct stoa_array array = {.nvalues = 3, .values = (uint8_t *)values};
    struct stoa_zone zone;
    uint8_t bytes[24];

    stoa_zone_compute(&type, &array, 0, 3, &zone);
    stoa_zone_pack(&zone, false, bytes);
    assert_bytes(bytes, 24,
                 "00 00 00 00 00 00 f8 bf 00 00 00 00 00 00 00 00 00 00 00 00 07 00 00 00");
    stoa_zone_compute(&type, &array, 0, 1, &zone);
    stoa_zone_pack(&zone, false, bytes);
    assert_bytes(bytes, 24,
                 "00 00 00 00 00 00 00 80 00 00 00 00 00 00 00 00 00 00 00 00 d7 00 00 00");
    stoa_zone_compute(&type, &array, 1, 2, &zone);
    stoa_zone_pack(&zone, false, bytes);
    assert_bytes(bytes, 24,
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 20 00 00 00");
}

static void float16_entry_has_the_bytes_of_the_spec(void **state)
{
    (void)state;
    static uint16_t values[] = {0x3e00, 0xc000};
    struct stoa_type type = {.id = STOA_FLOAT16};
    struct stoa_array array = {.nvalues = 2, .values = (uint8_t *)values};
    struct stoa_zone zone;
    uint8_t bytes[24];

    stoa_zone_compute(&type, &array, 0, 2, &zone);
    stoa_zone_pack(&zone, false, bytes);
    assert_bytes(bytes, 24,
                 "00 00 00 00 00 00 00 c0 00 00 00 00 00 00 f8 3f 00 00 00 00 97 00 00 00");
}

static void wide_decimal_entry_has_the_bytes_of_the_spec(void **state)
{
    (void)state;
    struct stoa_int256 values[3] = {stoa_int256_from_i64(-1)};
    static uint8_t validity[] = {0x03};
    struct stoa_type type = {.id = STOA_DECIMAL, .precision = 40};
    struct stoa_array array = {
        .nvalues = 3, .nnulls = 1, .values = (uint8_t *)values, .validity = validity};
    struct stoa_zone zone;
    uint8_t bytes[72];

    values[1].words[STOA_INT256_WORD(3)] = 1 << (200 - 192);
    assert_int_equal(stoa_zone_stride(&type, false), 72);
    stoa_zone_compute(&type, &array, 0, 3, &zone);
    stoa_zone_pack(&zone, false, bytes);
    assert_bytes(bytes, 72,
                 "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff "
                 "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff "
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                 "00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 "
                 "01 00 00 00 07 00 00 00");
}

/* Rows [[3, null], [], [-1]]. */
static void entry_below_a_list_counts_its_values(void **state)
{
    (void)state;
    static int8_t values[] = {3, 0, -1};
    static uint8_t validity[] = {0x05};
    struct stoa_type type = {.id = STOA_INT8};
    struct stoa_array array = {
        .nvalues = 3, .nnulls = 1, .values = (uint8_t *)values, .validity = validity};
    struct stoa_zone zone, back;
    struct stoa_error err = {0};
    uint8_t bytes[32];

    assert_int_equal(stoa_zone_stride(&type, true), 32);
    stoa_zone_compute(&type, &array, 0, 3, &zone);
    stoa_zone_pack(&zone, true, bytes);
    assert_bytes(bytes, 32,
                 "ff ff ff ff ff ff ff ff 03 00 00 00 00 00 00 00 "
                 "01 00 00 00 07 00 00 00 03 00 00 00 00 00 00 00");
    assert_int_equal(stoa_zone_unpack(&type, true, bytes, 1000, &back, &err), STOA_OK);
    assert_int_equal(back.nvalues, 3);
    assert_int_equal(stoa_zone_unpack(&type, true, bytes, 2, &back, &err), STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "statistics: more values than there may be");
    stoa_store64(bytes + 24, 1); /* one value, which is null, has no bounds */
    assert_int_equal(stoa_zone_unpack(&type, true, bytes, 1000, &back, &err), STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "statistics: bounds without values, or without their flag");
}

static void greatest_text_is_rounded_up_or_open(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t nbytes;
        const char *max;
        uint8_t max_nbytes;
        unsigned flags;
    } cases[] = {
        {"", 0, "", 0, STOA_ZONE_MAX_EXACT},
        {"0123456789abcdef", 16, "0123456789abcdef", 16, STOA_ZONE_MAX_EXACT},
        {"0123456789abcdef.", 17, "0123456789abcdeg", 16, 0},
        {"0123456789abcde\xff.", 17, "0123456789abcdf", 15, 0},
        {"a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 17, "b", 1, 0},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
         "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
         STOA_ZONE_MAX_EXACT},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 17, "", 0,
         STOA_ZONE_MAX_OPEN},
    };
    struct stoa_type type = {.id = STOA_BINARY};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t text[64] = {0};
        int32_t offsets[] = {0, (int32_t)cases[i].nbytes};
        struct stoa_array array = {.nvalues = 1, .values = text, .offsets = offsets};
        struct stoa_zone zone;

        memcpy(text, cases[i].text, cases[i].nbytes);
        stoa_zone_compute(&type, &array, 0, 1, &zone);
        assert_int_equal(zone.max_nbytes, cases[i].max_nbytes);
        assert_memory_equal(zone.max.bytes, cases[i].max, zone.max_nbytes);
        assert_int_equal(zone.flags & (STOA_ZONE_MAX_EXACT | STOA_ZONE_MAX_OPEN), cases[i].flags);
    }
}

/* ---- Beside a naive model. ---- */

/* What a zone map of text has to be, from the whole texts. */
static void model_text(struct stoa_zone *zone, const struct stoa_scalar *min,
                       const struct stoa_scalar *max)
{
    size_t n = max->nbytes < 16 ? max->nbytes : 16;

    zone->min_nbytes = (uint8_t)(min->nbytes < 16 ? min->nbytes : 16);
    for (size_t i = 0; i < zone->min_nbytes; i++)
        zone->min.bytes[i] = min->bytes[i];
    for (size_t i = 0; i < n; i++)
        zone->max.bytes[i] = max->bytes[i];
    zone->flags |= min->nbytes <= 16 ? STOA_ZONE_MIN_EXACT : 0;
    zone->flags |= max->nbytes <= 16 ? STOA_ZONE_MAX_EXACT : 0;
    for (; max->nbytes > 16 && n > 0; zone->max.bytes[--n] = 0) {
        if (zone->max.bytes[n - 1] < 0xff) {
            zone->max.bytes[n - 1]++;
            break;
        }
    }
    zone->flags |= max->nbytes > 16 && n == 0 ? STOA_ZONE_MAX_OPEN : 0;
    zone->max_nbytes = (uint8_t)n;
}

static union stoa_bound bound_of(enum stoa_bound_kind kind, const struct stoa_scalar *x)
{
    union stoa_bound bound = {.bytes = {0}};

    if (kind == STOA_BOUND_INT)
        bound.i64 = x->kind == STOA_KIND_INT128 ? (int64_t)x->i128.lo : x->i64;
    else if (kind == STOA_BOUND_UINT)
        bound.u64 = x->u64;
    else if (kind == STOA_BOUND_FLOAT)
        bound.f64 = x->f64;
    else if (kind == STOA_BOUND_INT128)
        bound.i128.lo = x->i128.lo, bound.i128.hi = x->i128.hi;
    else if (kind == STOA_BOUND_INT256)
        for (int i = 0; i < 4; i++)
            bound.i256[i] = x->i256.words[STOA_INT256_WORD(i)];
    return bound;
}

static void model_bounds(struct stoa_zone *zone, const struct stoa_scalar *min,
                         const struct stoa_scalar *max)
{
    zone->flags |= STOA_ZONE_HAS_BOUNDS;
    if (zone->kind == STOA_BOUND_BYTES) {
        model_text(zone, min, max);
        return;
    }
    zone->flags |= STOA_ZONE_MIN_EXACT | STOA_ZONE_MAX_EXACT;
    zone->min = bound_of(zone->kind, min);
    zone->max = bound_of(zone->kind, max);
    if (zone->kind == STOA_BOUND_FLOAT && min->f64 == 0)
        zone->min.f64 = -0.0;
    if (zone->kind == STOA_BOUND_FLOAT && max->f64 == 0)
        zone->max.f64 = 0.0;
}

static struct stoa_zone model(const struct stoa_type *type, const struct stoa_array *array,
                              size_t begin, size_t end)
{
    struct stoa_zone zone = {.kind = stoa_bound_kind(type), .nvalues = end - begin};
    struct stoa_scalar min, max, last;
    bool falls = false, rises = false, has_nan = false, has_value = false;

    for (size_t i = begin; i < end; i++) {
        struct stoa_scalar x;

        if (type->id == STOA_NULL || stoa_array_is_null(array, i)) {
            zone.nnulls++;
            continue;
        }
        if (zone.kind == STOA_BOUND_NONE) /* an interval, or a value that has parts */
            continue;
        x = stoa_scalar_get(type, array, i);
        if (stoa_scalar_compare(&x, &x) == STOA_UNORDERED) {
            has_nan = true;
            continue;
        }
        if (!has_value)
            min = max = last = x;
        has_value = true;
        falls |= stoa_scalar_compare(&x, &last) == STOA_LESS;
        rises |= stoa_scalar_compare(&x, &last) == STOA_GREATER;
        min = stoa_scalar_compare(&x, &min) == STOA_LESS ? x : min;
        max = stoa_scalar_compare(&x, &max) == STOA_GREATER ? x : max;
        last = x;
    }
    if (has_value)
        model_bounds(&zone, &min, &max);
    if (zone.kind == STOA_BOUND_FLOAT)
        zone.flags |= !has_nan ? STOA_ZONE_NO_NAN : has_value ? 0 : STOA_ZONE_ALL_NAN;
    if (has_value && zone.nnulls == 0 && !has_nan)
        zone.flags |= (falls ? 0 : STOA_ZONE_ASCENDING) | (rises ? 0 : STOA_ZONE_DESCENDING);
    return zone;
}

/* Equal to the last bit: what is not used is zero. */
static void assert_same_zone(const struct stoa_type *type, const struct stoa_zone *a,
                             const struct stoa_zone *b)
{
    uint8_t a_bytes[STOA_ZONE_ENTRY_MAX_NBYTES], b_bytes[STOA_ZONE_ENTRY_MAX_NBYTES];

    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->nvalues, b->nvalues);
    assert_int_equal(a->nnulls, b->nnulls);
    assert_int_equal(a->flags, b->flags);
    stoa_zone_pack(a, false, a_bytes);
    stoa_zone_pack(b, false, b_bytes);
    assert_memory_equal(a_bytes, b_bytes, stoa_zone_stride(type, false));
}

static void assert_comes_back(const struct stoa_type *type, const struct stoa_zone *zone)
{
    uint8_t bytes[STOA_ZONE_ENTRY_MAX_NBYTES];
    struct stoa_zone back;
    struct stoa_error err = {0};

    stoa_zone_pack(zone, false, bytes);
    if (stoa_zone_unpack(type, false, bytes, zone->nvalues, &back, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_same_zone(type, zone, &back);
}

/* Zone maps of parts, joined, say what is true of the whole, and all of it but the order. */
static void check_merge(struct stoa_test_random *r, const struct stoa_type *type,
                        const struct stoa_array *array, size_t begin, size_t end,
                        const struct stoa_zone *whole)
{
    const uint16_t order = STOA_ZONE_ASCENDING | STOA_ZONE_DESCENDING;
    struct stoa_zone joined = stoa_zone_empty(type), part;
    const char *what = "";

    for (size_t at = begin, next; at < end; at = next) {
        next = at + 1 + (size_t)stoa_test_random_below(r, end - at);
        stoa_zone_compute(type, array, at, next, &part);
        stoa_zone_merge(&joined, &part);
    }
    if (!stoa_zone_holds(&joined, whole, &what))
        fail_msg("joined zone maps are wrong in: %s", what);
    /* Numbers are seen to rise across the border; texts that are cut may not be. */
    if (type->id != STOA_UTF8 && type->id != STOA_BINARY && type->id != STOA_FIXED_BINARY)
        assert_int_equal(joined.flags, whole->flags);
    joined.flags = (uint16_t)((joined.flags & ~order) | (whole->flags & order));
    assert_same_zone(type, &joined, whole);
}

/* Any type: wide decimals and nested ones among them. */
static void gen_field(struct stoa_test_random *r, size_t turn, struct stoa_field *out)
{
    if (turn % 3 == 0)
        stoa_test_gen_any_field(r, 1 + turn % 2, "x", out);
    else
        stoa_test_gen_field(r, stoa_test_leaves[turn % STOA_TEST_NLEAVES], true, "x", out);
}

static void zone_maps_are_those_of_a_naive_model(void **state)
{
    (void)state;
    struct stoa_test_random r;
    size_t ncases = stoa_test_ncases(4000);

    stoa_test_random_init(&r, "zone_maps_are_those_of_a_naive_model");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_field field;
        struct stoa_array array;
        size_t nvalues = 1 + (size_t)stoa_test_random_below(&r, i % 8 ? 60 : 2200);

        gen_field(&r, i, &field);
        stoa_test_gen_array(&r, &field, nvalues,
                            (enum stoa_test_shape)stoa_test_random_below(&r, STOA_TEST_NSHAPES),
                            (enum stoa_test_nulls)stoa_test_random_below(&r, STOA_TEST_NNULLS),
                            &array);
        for (int k = 0; k < 4; k++) {
            size_t begin = k == 0 ? 0 : (size_t)stoa_test_random_below(&r, nvalues);
            size_t end =
                k == 0 ? nvalues : begin + 1 + (size_t)stoa_test_random_below(&r, nvalues - begin);
            struct stoa_zone expected = model(&field.type, &array, begin, end), zone;

            stoa_zone_compute(&field.type, &array, begin, end, &zone);
            assert_same_zone(&field.type, &zone, &expected);
            assert_comes_back(&field.type, &zone);
            assert_true(stoa_zone_holds(&zone, &expected, NULL));
            check_merge(&r, &field.type, &array, begin, end, &zone);
        }
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

static void row_group_has_its_zones_and_itself(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 8191, 8192, 8193, 3 * 8192, 20000};
    struct stoa_test_random r;
    struct stoa_zone zones[4], all, expected;

    stoa_test_random_init(&r, "row_group_has_its_zones_and_itself");
    for (size_t i = 0; i < stoa_test_ncases(100); i++) {
        size_t nvalues = sizes[i % 7];
        struct stoa_field field;
        struct stoa_array array;

        gen_field(&r, (size_t)stoa_test_random_below(&r, 1000), &field);
        stoa_test_gen_array(&r, &field, nvalues,
                            i % 2 ? STOA_TEST_SORTED : (enum stoa_test_shape)(i / 2 % 9),
                            i % 3 ? STOA_TEST_NULLS_NONE : STOA_TEST_NULLS_RUNS, &array);
        stoa_zone_compute_group(&field.type, &array, NULL, (size_t)stoa_zone_count(nvalues), zones,
                                &all);
        for (size_t z = 0; z < stoa_zone_count(nvalues); z++) {
            size_t end = (z + 1) * 8192 < nvalues ? (z + 1) * 8192 : nvalues;

            expected = model(&field.type, &array, z * 8192, end);
            assert_same_zone(&field.type, &zones[z], &expected);
        }
        expected =
            nvalues > 0 ? model(&field.type, &array, 0, nvalues) : stoa_zone_empty(&field.type);
        assert_same_zone(&field.type, &all, &expected);
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

/* Zones of a node below a list: any number of values each, none at all among them. */
static void zones_end_where_they_are_told(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "zones_end_where_they_are_told");
    for (size_t i = 0; i < stoa_test_ncases(1500); i++) {
        size_t ends[7], nvalues = 0;
        struct stoa_zone zones[7], all, expected;
        struct stoa_field field;
        struct stoa_array array;

        for (size_t z = 0; z < 7; z++)
            ends[z] = nvalues += stoa_test_random_one_in(&r, 3)
                                     ? 0
                                     : (size_t)stoa_test_random_below(&r, i % 2 ? 4 : 100);
        gen_field(&r, i, &field);
        stoa_test_gen_array(
            &r, &field, nvalues,
            i % 3 ? STOA_TEST_SORTED
                  : (enum stoa_test_shape)stoa_test_random_below(&r, STOA_TEST_NSHAPES),
            i % 5 ? STOA_TEST_NULLS_NONE : STOA_TEST_NULLS_SOME, &array);
        stoa_zone_compute_group(&field.type, &array, ends, 7, zones, &all);
        for (size_t z = 0, begin = 0; z < 7; begin = ends[z++]) {
            expected = model(&field.type, &array, begin, ends[z]);
            assert_same_zone(&field.type, &zones[z], &expected);
        }
        expected = model(&field.type, &array, 0, nvalues);
        assert_same_zone(&field.type, &all, &expected);
        stoa_array_reset(&array);
        stoa_field_reset(&field);
    }
}

/* What is not known of a part is not known of the whole; what a part lacks is no matter. */
static void unknown_part_leaves_no_bounds(void **state)
{
    (void)state;
    static double values[] = {1.5, (double)NAN, 2.5};
    static uint8_t validity[] = {0x03};
    struct stoa_type type = {.id = STOA_FLOAT64};
    struct stoa_array array = {
        .nvalues = 3, .nnulls = 1, .values = (uint8_t *)values, .validity = validity};
    struct stoa_zone known, all_nan, all_null, unknown = stoa_zone_unknown(&type, 7), joined;

    stoa_zone_compute(&type, &array, 0, 1, &known);
    stoa_zone_compute(&type, &array, 1, 2, &all_nan);
    stoa_zone_compute(&type, &array, 2, 3, &all_null);
    for (int swap = 0; swap < 2; swap++) {
        joined = swap ? known : unknown;
        stoa_zone_merge(&joined, swap ? &unknown : &known);
        assert_int_equal(joined.flags, 0);
        assert_int_equal(joined.nvalues, 8);
        assert_true(joined.nnulls == STOA_ZONE_NNULLS_UNKNOWN);
        joined = swap ? all_nan : unknown;
        stoa_zone_merge(&joined, swap ? &unknown : &all_nan);
        assert_int_equal(joined.flags, 0);
        joined = swap ? known : all_nan;
        stoa_zone_merge(&joined, swap ? &all_nan : &known);
        assert_int_equal(joined.flags,
                         STOA_ZONE_HAS_BOUNDS | STOA_ZONE_MIN_EXACT | STOA_ZONE_MAX_EXACT);
        joined = swap ? all_null : all_nan;
        stoa_zone_merge(&joined, swap ? &all_nan : &all_null);
        assert_int_equal(joined.flags, STOA_ZONE_ALL_NAN);
        assert_int_equal(joined.nnulls, 1);
        joined = swap ? all_null : known;
        stoa_zone_merge(&joined, swap ? &known : &all_null);
        assert_int_equal(joined.flags, STOA_ZONE_HAS_BOUNDS | STOA_ZONE_MIN_EXACT |
                                           STOA_ZONE_MAX_EXACT | STOA_ZONE_NO_NAN);
    }
}

static void claim_that_is_not_true_does_not_hold(void **state)
{
    (void)state;
    static int32_t values[] = {3, 5, 9};
    struct stoa_type type = {.id = STOA_INT32};
    struct stoa_array array = {.nvalues = 3, .values = (uint8_t *)values};
    struct stoa_zone truth, claim;
    const char *what;

    stoa_zone_compute(&type, &array, 0, 3, &truth);
    claim = stoa_zone_unknown(&type, 3);
    assert_true(stoa_zone_holds(&claim, &truth, &what));
    claim = truth;
    claim.min.i64 = 2;
    assert_false(stoa_zone_holds(&claim, &truth, &what)); /* exact, and not there */
    assert_string_equal(what, "minimum");
    claim.flags &= (uint16_t)~STOA_ZONE_MIN_EXACT;
    assert_true(stoa_zone_holds(&claim, &truth, &what));
    claim.min.i64 = 4;
    assert_false(stoa_zone_holds(&claim, &truth, &what));
    claim = truth;
    claim.max.i64 = 8;
    assert_false(stoa_zone_holds(&claim, &truth, &what));
    assert_string_equal(what, "maximum");
    claim = truth;
    claim.nvalues = 4;
    assert_false(stoa_zone_holds(&claim, &truth, &what));
    assert_string_equal(what, "count of values");
    claim = truth;
    claim.nnulls = 1;
    assert_false(stoa_zone_holds(&claim, &truth, &what));
    assert_string_equal(what, "count of nulls");
    claim = truth;
    claim.flags |= STOA_ZONE_DESCENDING;
    assert_false(stoa_zone_holds(&claim, &truth, &what));
    assert_string_equal(what, "flags");
}

/* ---- Entries that contradict themselves. ---- */

static void contradictions_are_damage(void **state)
{
    (void)state;
    enum { INT = STOA_INT64, FLOAT = STOA_FLOAT64, TEXT = STOA_UTF8, NONE = STOA_NULL };
    static const struct {
        int type;
        uint8_t min[16], max[16];
        uint32_t nnulls;
        uint16_t flags;
        uint8_t min_nbytes, max_nbytes;
        const char *message; /* NULL: fine */
    } entries[] = {
        {INT, {1}, {2}, 0, 0xff07, 0, 0, NULL}, /* flags of a later version */
        {INT, {1}, {1}, 9, 7, 0, 0, NULL},
        {INT, {1}, {1}, UINT32_MAX, 7, 0, 0, NULL},
        {INT, {0}, {0}, 10, 0, 0, 0, NULL},
        {INT, {0}, {0}, 11, 0, 0, 0, "more nulls than values"},
        {INT, {2}, {1}, 0, 7, 0, 0, "a minimum above the maximum"},
        {INT, {1}, {1}, 10, 7, 0, 0, "bounds without values, or without their flag"},
        {INT, {1}, {1}, 0, 0, 0, 0, "bounds without values, or without their flag"},
        {INT, {0}, {0}, 0, 2, 0, 0, "bounds without values, or without their flag"},
        {INT, {1}, {1}, 0, 7 + 16, 0, 0, "flags that exclude each other"},
        {INT, {1}, {1}, 1, 7 + 64, 0, 0, "an order of values that has nulls or no bounds"},
        {INT, {0}, {0}, 0, 64, 0, 0, "an order of values that has nulls or no bounds"},
        {INT, {1}, {2}, 0, 7, 8, 0, "the length of a text"},
        {INT, {1}, {0}, 0, 1 + 8, 0, 0, "the length of a text"},
        {FLOAT, {0}, {0}, 0, 7 + 16, 0, 0, NULL},
        {FLOAT, {0}, {0}, 0, 32, 0, 0, NULL},
        {FLOAT, {0}, {0}, 0, 32 + 16, 0, 0, "flags that exclude each other"},
        {FLOAT, {0}, {0}, 0, 7 + 32, 0, 0, "flags that exclude each other"},
        {FLOAT, {0}, {0}, 10, 32, 0, 0, "flags that exclude each other"},
        {FLOAT, {0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, {0}, 0, 7, 0, 0, "NaN as a bound"},
        {TEXT, "a", "b", 0, 7, 1, 1, NULL},
        {TEXT, "a", "", 0, 1 + 8, 1, 0, NULL},
        {TEXT, "b", "a", 0, 7, 1, 1, "a minimum above the maximum"},
        {TEXT, "ab", "b", 0, 7, 1, 1, "bytes behind the end of a bound"},
        {TEXT, "a", "b", 0, 7, 17, 1, "bytes behind the end of a bound"},
        {TEXT, "a", "b", 0, 1 + 8, 1, 1, "an open bound that is none"},
        {TEXT, "a", "", 0, 1 + 4 + 8, 1, 0, "an open bound that is none"},
        {NONE, {0}, {0}, 10, 0, 0, 0, NULL},
        {NONE, {0}, {0}, 0, 1, 0, 0, "bounds without values, or without their flag"},
    };

    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        struct stoa_type type = {.id = (enum stoa_type_id)entries[i].type};
        size_t width = (stoa_zone_stride(&type, false) - 8u) / 2;
        uint8_t bytes[STOA_ZONE_ENTRY_MAX_NBYTES];
        struct stoa_zone zone = {0};
        struct stoa_error err = {0};
        char message[80];

        memcpy(bytes, entries[i].min, width);
        memcpy(bytes + width, entries[i].max, width);
        stoa_store32(bytes + 2 * width, entries[i].nnulls);
        stoa_store16(bytes + 2 * width + 4, entries[i].flags);
        bytes[2 * width + 6] = entries[i].min_nbytes;
        bytes[2 * width + 7] = entries[i].max_nbytes;
        snprintf(message, sizeof(message), "statistics: %s", entries[i].message);
        if (entries[i].message == NULL) {
            assert_int_equal(stoa_zone_unpack(&type, false, bytes, 10, &zone, &err), STOA_OK);
            assert_int_equal(zone.flags, entries[i].flags & 0xff);
        } else {
            assert_int_equal(stoa_zone_unpack(&type, false, bytes, 10, &zone, &err),
                             STOA_ERR_CORRUPT);
            assert_string_equal(err.message, message);
        }
    }
}

/* ---- Levels. ---- */

static void levels_that_repeat_are_left_out(void **state)
{
    (void)state;
    static const struct {
        uint32_t nrow_groups;
        uint64_t nzones, nentries;
        uint64_t row_group_1, zone_2; /* entries; row group 1 and zone 2 where there are any */
    } cases[] = {
        {0, 0, 0, 0, 0}, {1, 1, 1, 0, 0}, {1, 3, 4, 0, 3}, {3, 3, 4, 2, 3}, {2, 9, 12, 2, 5},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t ngroups = cases[i].nrow_groups;
        uint64_t nzones = cases[i].nzones;

        assert_int_equal(stoa_zone_nentries(ngroups, nzones), cases[i].nentries);
        if (nzones == 0)
            continue;
        assert_int_equal(stoa_zone_entry(ngroups, nzones, STOA_ZONE_OF_FILE, 0, 0), 0);
        if (ngroups > 1)
            assert_int_equal(stoa_zone_entry(ngroups, nzones, STOA_ZONE_OF_ROW_GROUP, 1, 0),
                             cases[i].row_group_1);
        if (nzones > 2)
            assert_int_equal(
                stoa_zone_entry(ngroups, nzones, STOA_ZONE_OF_ROWS, ngroups == 3 ? 2 : 0, 2),
                cases[i].zone_2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int_entry_has_the_bytes_of_the_spec),
        cmocka_unit_test(text_entry_has_the_bytes_of_the_spec),
        cmocka_unit_test(float_entry_has_the_bytes_of_the_spec),
        cmocka_unit_test(float16_entry_has_the_bytes_of_the_spec),
        cmocka_unit_test(wide_decimal_entry_has_the_bytes_of_the_spec),
        cmocka_unit_test(entry_below_a_list_counts_its_values),
        cmocka_unit_test(greatest_text_is_rounded_up_or_open),
        cmocka_unit_test(zone_maps_are_those_of_a_naive_model),
        cmocka_unit_test(row_group_has_its_zones_and_itself),
        cmocka_unit_test(zones_end_where_they_are_told),
        cmocka_unit_test(unknown_part_leaves_no_bounds),
        cmocka_unit_test(claim_that_is_not_true_does_not_hold),
        cmocka_unit_test(contradictions_are_damage),
        cmocka_unit_test(levels_that_repeat_are_left_out),
    };

    return cmocka_run_group_tests_name("zonemap", tests, NULL, NULL);
}
