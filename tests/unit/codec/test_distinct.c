/* Sets of distinct values: codes in order of appearance, limits, look-ups, the order of values. */
#include "codec/distinct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "codec/node.h"
#include "support/codec_values.h"
#include "support/fault_alloc.h"

enum { FIXED_WIDTH = 5, MANY = 1 << 15 }; /* MANY: values of the largest set */

static const enum stoa_phys physes[] = {
    STOA_PHYS_I8,   STOA_PHYS_I16,   STOA_PHYS_I32,   STOA_PHYS_I64, STOA_PHYS_U8,
    STOA_PHYS_U16,  STOA_PHYS_U32,   STOA_PHYS_U64,   STOA_PHYS_F32, STOA_PHYS_F64,
    STOA_PHYS_I128, STOA_PHYS_FIXED, STOA_PHYS_BYTES, STOA_PHYS_F16, STOA_PHYS_I256,
};
enum { NPHYSES = sizeof(physes) / sizeof(physes[0]) };

static int compare_bytes(const uint8_t *a, size_t a_nbytes, const uint8_t *b, size_t b_nbytes)
{
    size_t n = a_nbytes < b_nbytes ? a_nbytes : b_nbytes;
    int order = n > 0 ? memcmp(a, b, n) : 0;

    return order != 0 ? order : (a_nbytes > b_nbytes) - (a_nbytes < b_nbytes);
}

/* The order that distinct.h promises, worked out another way. */
static int compare(const struct stoa_vector *v, uint32_t i, uint32_t j)
{
    const uint8_t *a = v->values + (v->offsets ? (size_t)v->offsets[i] : i * v->width);
    const uint8_t *b = v->values + (v->offsets ? (size_t)v->offsets[j] : j * v->width);
    size_t a_nbytes = v->offsets ? (size_t)(v->offsets[i + 1] - v->offsets[i]) : v->width;
    size_t b_nbytes = v->offsets ? (size_t)(v->offsets[j + 1] - v->offsets[j]) : v->width;
    bool is_signed = (v->phys >= STOA_PHYS_I8 && v->phys <= STOA_PHYS_I64) ||
                     v->phys == STOA_PHYS_I128 || v->phys == STOA_PHYS_I256;
    uint8_t x[32], y[32];

    if (v->phys == STOA_PHYS_BYTES || v->phys == STOA_PHYS_FIXED)
        return compare_bytes(a, a_nbytes, b, b_nbytes);
    for (size_t k = 0; k < v->width; k++) { /* big-endian, the sign turned over */
        x[k] = a[STOA_LITTLE_ENDIAN ? v->width - 1 - k : k];
        y[k] = b[STOA_LITTLE_ENDIAN ? v->width - 1 - k : k];
    }
    x[0] = (uint8_t)(x[0] ^ (is_signed ? 0x80 : 0));
    y[0] = (uint8_t)(y[0] ^ (is_signed ? 0x80 : 0));
    return memcmp(x, y, v->width);
}

static void check_codes(const struct stoa_vector *values, const struct stoa_vector *distinct,
                        const uint32_t *codes)
{
    uint32_t next = 0;

    for (size_t i = 0; i < values->nvalues; i++) {
        assert_in_range(codes[i], 0, next);
        next += codes[i] == next;
        assert_true(stoa_test_values_equal(values, i, distinct, codes[i]));
    }
    assert_int_equal(next, distinct->nvalues);
}

static void check_order(const struct stoa_distinct *set)
{
    struct stoa_vector values = stoa_distinct_values(set);
    uint32_t *order = malloc((values.nvalues + 1) * sizeof(*order));

    assert_int_equal(stoa_distinct_order(set, order, NULL), STOA_OK);
    for (size_t i = 1; i < values.nvalues; i++)
        assert_true(compare(&values, order[i - 1], order[i]) < 0);
    free(order);
}

static void values_get_codes_in_the_order_of_appearance(void **state)
{
    enum { N = 5000 };
    static uint32_t codes[N], again[N];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "distinct");
    for (size_t p = 0; p < NPHYSES; p++) {
        for (unsigned shape = 0; stoa_test_shape_name(shape) != NULL; shape++) {
            struct stoa_test_values values;
            struct stoa_distinct *set;
            struct stoa_vector all, half, distinct;
            bool complete;

            stoa_test_values_make(&values, physes[p], FIXED_WIDTH, shape, N, &r);
            all = values.vector;
            assert_int_equal(stoa_distinct_new(&set, all.phys, all.width, NULL), STOA_OK);
            half = stoa_vector_slice(&all, 0, N / 3); /* two additions are like one */
            assert_int_equal(
                stoa_distinct_add(set, &half, UINT32_MAX, UINT64_MAX, codes, &complete, NULL),
                STOA_OK);
            assert_true(complete);
            half = stoa_vector_slice(&all, N / 3, N);
            assert_int_equal(stoa_distinct_add(set, &half, UINT32_MAX, UINT64_MAX, codes + N / 3,
                                               &complete, NULL),
                             STOA_OK);
            assert_true(complete);
            distinct = stoa_distinct_values(set);
            assert_int_equal(distinct.nvalues, stoa_distinct_count(set));
            check_codes(&all, &distinct, codes);
            stoa_distinct_find(set, &all, again);
            assert_memory_equal(again, codes, sizeof(codes));
            check_order(set);
            stoa_distinct_free(set);
            stoa_test_values_free(&values);
        }
    }
}

static void values_that_are_missing_are_not_found(void **state)
{
    int64_t known[] = {1, 2, 3}, asked[] = {3, 4, 1, -1};
    struct stoa_vector a = {STOA_PHYS_I64, 8, 3, (const uint8_t *)known, NULL};
    struct stoa_vector b = {STOA_PHYS_I64, 8, 4, (const uint8_t *)asked, NULL};
    struct stoa_distinct *set;
    uint32_t codes[4];
    bool complete;

    (void)state;
    assert_int_equal(stoa_distinct_new(&set, STOA_PHYS_I64, 8, NULL), STOA_OK);
    assert_int_equal(stoa_distinct_order(set, codes, NULL), STOA_OK); /* of nothing */
    stoa_distinct_find(set, &b, codes);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(codes[i], UINT32_MAX);
    assert_int_equal(stoa_distinct_add(set, &a, 10, 100, codes, &complete, NULL), STOA_OK);
    stoa_distinct_find(set, &b, codes);
    assert_int_equal(codes[0], 2);
    assert_int_equal(codes[1], UINT32_MAX);
    assert_int_equal(codes[2], 0);
    assert_int_equal(codes[3], UINT32_MAX);
    stoa_distinct_free(set);
}

/* Numbers of [base, base + range), both ends among them. */
static void make_range(struct stoa_test_random *r, uint32_t width, uint64_t base, uint64_t range,
                       uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t x = i == n / 2 ? 0 : i == n / 3 ? range - 1 : stoa_test_random_below(r, range);
        uint8_t bytes[8];

        stoa_store64(bytes, base + x);
        for (uint32_t b = 0; b < width; b++)
            out[i * width + (STOA_LITTLE_ENDIAN ? b : width - 1 - b)] = bytes[b];
    }
}

/* As many as there are fit, one fewer do not. */
static void check_limit(const struct stoa_vector *values, uint32_t count, uint32_t *codes)
{
    for (uint32_t max = count - 1; max <= count; max++) {
        struct stoa_distinct *set;
        bool complete;

        assert_int_equal(stoa_distinct_new(&set, values->phys, values->width, NULL), STOA_OK);
        assert_int_equal(stoa_distinct_add(set, values, max, UINT64_MAX, codes, &complete, NULL),
                         STOA_OK);
        assert_int_equal(complete, max == count);
        assert_int_equal(stoa_distinct_count(set), max);
        stoa_distinct_free(set);
    }
}

/* Ranges on both sides of the widest that has a table, around zero and anywhere, after others. */
static void numbers_of_any_range_get_the_same_codes(void **state)
{
    enum { N = 9000, NBEFORE = 500 };
    static const uint64_t ranges[] = {1, 2, 1000, (1 << 17) - 1, 1 << 17, (1 << 17) + 1};
    static uint8_t memory[N * 8];
    static uint32_t codes[N];
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "ranges");
    for (size_t k = 0; k < 2 * NPHYSES * sizeof(ranges) / sizeof(ranges[0]); k++) {
        const enum stoa_phys phys = physes[k % NPHYSES];
        const uint64_t range = ranges[k / NPHYSES / 2];
        const uint64_t base = k / NPHYSES % 2 == 0 ? 0 - range / 2 : stoa_test_random_u64(&r);
        struct stoa_vector all = {phys, stoa_phys_width(phys), N, memory, NULL}, part, distinct;
        struct stoa_distinct *set;
        bool complete;

        if (!stoa_phys_is_number(phys))
            continue;
        make_range(&r, all.width, base, range, memory, N);
        assert_int_equal(stoa_distinct_new(&set, phys, all.width, NULL), STOA_OK);
        part = stoa_vector_slice(&all, 0, NBEFORE);
        assert_int_equal(
            stoa_distinct_add(set, &part, UINT32_MAX, UINT64_MAX, codes, &complete, NULL), STOA_OK);
        part = stoa_vector_slice(&all, NBEFORE, N);
        assert_int_equal(
            stoa_distinct_add(set, &part, UINT32_MAX, UINT64_MAX, codes + NBEFORE, &complete, NULL),
            STOA_OK);
        assert_true(complete);
        distinct = stoa_distinct_values(set);
        check_codes(&all, &distinct, codes);
        check_order(set);
        check_limit(&all, stoa_distinct_count(set), codes);
        stoa_distinct_free(set);
    }
}

/* Of few letters: whole words agree but for their length, and their order changes all the time. */
static void short_texts_that_nearly_agree_are_told_apart(void **state)
{
    (void)state;
    enum { NVALUES = 20000, MAX_NBYTES = 10 };
    static const char letters[] = {'a', 'b', '\0'};
    static int32_t offsets[NVALUES + 1];
    static uint8_t text[NVALUES * MAX_NBYTES];
    static uint32_t codes[NVALUES], found[NVALUES];
    struct stoa_test_random r;

    stoa_test_random_init(&r, "short texts");
    for (unsigned nletters = 1; nletters <= sizeof(letters); nletters++) {
        struct stoa_vector values = {STOA_PHYS_BYTES, 0, NVALUES, text, offsets}, distinct;
        struct stoa_distinct *set;
        bool complete;

        for (size_t i = 0; i < NVALUES; i++) {
            size_t nbytes = stoa_test_random_below(&r, MAX_NBYTES + 1);

            for (size_t k = 0; k < nbytes; k++)
                text[(size_t)offsets[i] + k] =
                    (uint8_t)letters[stoa_test_random_below(&r, nletters)];
            offsets[i + 1] = offsets[i] + (int32_t)nbytes;
        }
        assert_int_equal(stoa_distinct_new(&set, STOA_PHYS_BYTES, 0, NULL), STOA_OK);
        assert_int_equal(
            stoa_distinct_add(set, &values, UINT32_MAX, UINT64_MAX, codes, &complete, NULL),
            STOA_OK);
        assert_true(complete);
        distinct = stoa_distinct_values(set);
        check_codes(&values, &distinct, codes);
        stoa_distinct_find(set, &values, found);
        assert_memory_equal(codes, found, sizeof(codes));
        stoa_distinct_free(set);
    }
}

static void adding_stops_at_the_limits(void **state)
{
    static const char text[] = "aabbbaacd";
    static const int32_t offsets[] = {0, 2, 5, 7, 8, 9}; /* aa bbb aa c d */
    static const struct {
        uint32_t max_count;
        uint64_t max_nbytes;
        bool complete;
        uint32_t count;
    } cases[] = {
        {4, 7, true, 4}, {3, 7, false, 3}, {4, 6, false, 3}, {0, 7, false, 0}, {9, 4, false, 1},
    };
    struct stoa_vector values = {STOA_PHYS_BYTES, 0, 5, (const uint8_t *)text, offsets};

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct stoa_distinct *set;
        uint32_t codes[5];
        bool complete;

        assert_int_equal(stoa_distinct_new(&set, STOA_PHYS_BYTES, 0, NULL), STOA_OK);
        assert_int_equal(stoa_distinct_add(set, &values, cases[k].max_count, cases[k].max_nbytes,
                                           codes, &complete, NULL),
                         STOA_OK);
        assert_int_equal(complete, cases[k].complete);
        assert_int_equal(stoa_distinct_count(set), cases[k].count);
        assert_true(stoa_distinct_nbytes(set) <= cases[k].max_nbytes);
        stoa_distinct_free(set);
    }
}

/* Long common beginnings and one value that begins another: what the sort keys cannot tell. */
static void order_sees_the_whole_value(void **state)
{
    enum { N = 3000, LENGTH = 40 };
    static uint8_t text[N * LENGTH];
    static int32_t offsets[N + 1];
    static uint32_t codes[N];
    struct stoa_vector values = {STOA_PHYS_BYTES, 0, N, text, offsets};
    struct stoa_test_random r;
    struct stoa_distinct *set;
    bool complete;

    (void)state;
    stoa_test_random_init(&r, "order");
    for (size_t i = 0; i < N; i++) {
        size_t length = 18 + stoa_test_random_below(&r, 20);

        memset(text + offsets[i], 'p', length);
        for (size_t k = 10; k < length; k++)
            text[(size_t)offsets[i] + k] = (uint8_t)(254 * stoa_test_random_below(&r, 2));
        offsets[i + 1] = offsets[i] + (int32_t)length;
    }
    assert_int_equal(stoa_distinct_new(&set, STOA_PHYS_BYTES, 0, NULL), STOA_OK);
    assert_int_equal(
        stoa_distinct_add(set, &values, UINT32_MAX, UINT64_MAX, codes, &complete, NULL), STOA_OK);
    check_order(set);
    stoa_distinct_free(set);
}

static enum stoa_status adds_and_sorts(void *context, struct stoa_error *err)
{
    const struct stoa_vector *values = context;
    static uint32_t codes[MANY], order[MANY];
    struct stoa_distinct *set = NULL;
    bool complete;
    enum stoa_status st = stoa_distinct_new(&set, values->phys, values->width, err);

    if (st == STOA_OK)
        st = stoa_distinct_add(set, values, UINT32_MAX, UINT64_MAX, codes, &complete, err);
    if (st == STOA_OK)
        st = stoa_distinct_order(set, order, err);
    stoa_distinct_free(set);
    return st;
}

/* Texts that nearly all differ at first: whether there are too many is said of all of them. */
static void many_texts_stop_only_beyond_the_limit(void **state)
{
    enum { N = MANY, NBYTES = 8 };
    static const size_t ndistinct[] = {N, N - 1, N / 4 * 3 + 2000, N / 4 * 3 + 1, N / 4 * 3, N / 8};
    static char text[N * NBYTES + 1];
    static int32_t offsets[N + 1];
    static uint32_t codes[N];
    struct stoa_vector values = {STOA_PHYS_BYTES, 0, N, (const uint8_t *)text, offsets};
    const uint32_t max_count = N / 4 * 3;

    (void)state;
    for (size_t k = 0; k < sizeof(ndistinct) / sizeof(ndistinct[0]); k++) {
        struct stoa_distinct *set;
        bool complete;

        for (size_t i = 0; i < N; i++) {
            sprintf(text + i * NBYTES, "%08x", (unsigned)(i % ndistinct[k]) * 2654435761u);
            offsets[i + 1] = (int32_t)((i + 1) * NBYTES);
        }
        assert_int_equal(stoa_distinct_new(&set, STOA_PHYS_BYTES, 0, NULL), STOA_OK);
        assert_int_equal(
            stoa_distinct_add(set, &values, max_count, UINT64_MAX, codes, &complete, NULL),
            STOA_OK);
        assert_int_equal(complete, ndistinct[k] <= max_count);
        if (complete)
            for (size_t i = 0; i < N; i++)
                assert_int_equal(codes[i], i % ndistinct[k]);
        else if (ndistinct[k] == N) /* seen before they were all added */
            assert_in_range(stoa_distinct_count(set), 1, N / 8);
        stoa_distinct_free(set);
        if (k == 0)
            stoa_test_each_failing_alloc(adds_and_sorts, &values);
    }
}

static void a_failing_allocation_is_reported(void **state)
{
    static const enum stoa_phys some[] = {STOA_PHYS_I64, STOA_PHYS_U16, STOA_PHYS_BYTES};
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "failing allocations");
    for (size_t p = 0; p < sizeof(some) / sizeof(some[0]); p++) {
        struct stoa_test_values values;

        stoa_test_values_make(&values, some[p], 8, 6, 5000, &r);
        stoa_test_each_failing_alloc(adds_and_sorts, &values.vector);
        stoa_test_values_free(&values);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_get_codes_in_the_order_of_appearance),
        cmocka_unit_test(values_that_are_missing_are_not_found),
        cmocka_unit_test(numbers_of_any_range_get_the_same_codes),
        cmocka_unit_test(short_texts_that_nearly_agree_are_told_apart),
        cmocka_unit_test(adding_stops_at_the_limits),
        cmocka_unit_test(order_sees_the_whole_value),
        cmocka_unit_test(many_texts_stop_only_beyond_the_limit),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
