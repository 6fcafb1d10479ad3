/* The rules of shared dictionaries, one by one. */
#include "file/sequencer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "support/columns.h"
#include "support/fault_alloc.h"
#include "support/random.h"

/* Misses are never cheap but for their number, an object costs nothing, chains are short. */
static struct stoa_rules test_rules(void)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.segment_nbytes = 0;
    rules.extension_percent = 0;
    rules.shared_max_count = 40;
    return rules;
}

/* A plan that a chooser group may have come to; codes take a byte each. */
static struct stoa_chunk_plan shared_plan(void)
{
    return (struct stoa_chunk_plan){
        .mode = STOA_CHUNK_SHARED,
        .local_pays = true,
        .nvalues = 1000,
        .codes.nbytes = 1000,
    };
}

/* ---- One text column of row groups with the values [begin, end) ---- */

static size_t text_begin;

static const char *padded_number(size_t i, char room[64])
{
    snprintf(room, 64, "%03zu", text_begin + i);
    return room;
}

struct chunk {
    struct stoa_array array;
    struct stoa_chunk_values values;
    struct stoa_chunk_distinct distinct;
};

static void make_chunk(size_t begin, size_t end, struct chunk *out)
{
    static const struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_error err = {0};

    *out = (struct chunk){0};
    text_begin = begin;
    stoa_test_make_texts(&out->array, end - begin, padded_number);
    stoa_test_check(stoa_chunk_values_init(&out->values, &type, &out->array, &err), &err);
    stoa_test_check(
        stoa_chunk_distinct_init(&out->distinct, &out->values, UINT32_MAX, UINT64_MAX, &err), &err);
}

static void reset_chunk(struct chunk *chunk)
{
    stoa_chunk_distinct_reset(&chunk->distinct);
    stoa_chunk_values_reset(&chunk->values);
    stoa_array_reset(&chunk->array);
}

/* The next row group has the values "begin" .. "end - 1", once each, in 1,000 rows. */
static struct stoa_sequenced settle(struct stoa_sequencer *sequencer, size_t begin, size_t end,
                                    const struct stoa_chunk_plan *chosen)
{
    struct stoa_sequenced sequenced;
    struct stoa_error err = {0};
    struct chunk chunk;

    make_chunk(begin, end, &chunk);
    stoa_test_check(
        stoa_sequencer_settle(sequencer, 0, &chunk.distinct, chosen, 1000, &sequenced, &err), &err);
    reset_chunk(&chunk);
    return sequenced;
}

static struct stoa_sequencer *new_sequencer(const struct stoa_rules *rules)
{
    struct stoa_sequencer *sequencer;
    struct stoa_error err = {0};

    stoa_test_check(stoa_sequencer_new(&sequencer, rules, 1, 1, &err), &err);
    return sequencer;
}

/* The codes of `count` values rise from `first` on. */
static void assert_codes(const struct stoa_sequenced *sequenced, uint32_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sequenced->codes[i], first + i);
}

static void a_chain_is_started_used_and_continued(void **state)
{
    (void)state;
    struct stoa_rules rules = test_rules();
    struct stoa_sequencer *sequencer = new_sequencer(&rules);
    struct stoa_chunk_plan plan = shared_plan();
    struct stoa_sequenced first = settle(sequencer, 0, 10, &plan);
    struct stoa_sequenced used = settle(sequencer, 2, 7, NULL);
    struct stoa_sequenced more = settle(sequencer, 5, 12, NULL);
    struct stoa_sequenced again = settle(sequencer, 3, 12, NULL);
    struct stoa_sequenced old = settle(sequencer, 0, 4, NULL);

    assert_int_equal(first.mode, STOA_CHUNK_SHARED);
    assert_true(first.has_segment);
    assert_int_equal(first.segment.prev_id, 0);
    assert_int_equal(first.segment.prev_index, UINT32_MAX);
    assert_int_equal(first.segment.first_code, 0);
    assert_int_equal(first.segment.count, 10);
    assert_int_equal(first.dict_id, first.segment.id);
    assert_codes(&first, 0, 10);

    assert_false(used.has_segment);
    assert_int_equal(used.dict_id, first.dict_id);
    assert_codes(&used, 2, 5);

    assert_true(more.has_segment);
    assert_int_equal(more.segment.prev_id, first.segment.id);
    assert_int_equal(more.segment.prev_index, first.segment.index);
    assert_int_equal(more.segment.index, 1);
    assert_int_equal(more.segment.first_code, 10);
    assert_int_equal(more.segment.count, 2);
    assert_int_equal(more.dict_index, 1);
    assert_codes(&more, 5, 7);

    assert_false(again.has_segment);
    assert_int_equal(again.dict_id, more.segment.id);
    /* What needs the first segment alone names that one. */
    assert_int_equal(old.dict_id, first.segment.id);
    assert_int_equal(old.dict_index, 0);

    stoa_sequenced_reset(&first);
    stoa_sequenced_reset(&used);
    stoa_sequenced_reset(&more);
    stoa_sequenced_reset(&again);
    stoa_sequenced_reset(&old);
    stoa_sequencer_free(sequencer);
}

/* Values that come unsorted get codes by rank, and rise in the segment. */
static const char *falling_text(size_t i, char room[64])
{
    snprintf(room, 64, "%c", (int)('z' - i));
    return room;
}

static void segments_rise(void **state)
{
    (void)state;
    static const struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_rules rules = test_rules();
    struct stoa_sequencer *sequencer = new_sequencer(&rules);
    struct stoa_chunk_plan plan = shared_plan();
    struct stoa_sequenced sequenced;
    struct stoa_error err = {0};
    struct chunk chunk = {0};

    stoa_test_make_texts(&chunk.array, 4, falling_text);
    stoa_test_check(stoa_chunk_values_init(&chunk.values, &type, &chunk.array, &err), &err);
    stoa_test_check(stoa_chunk_distinct_init(&chunk.distinct, &chunk.values, 4, 100, &err), &err);
    stoa_test_check(
        stoa_sequencer_settle(sequencer, 0, &chunk.distinct, &plan, 1000, &sequenced, &err), &err);
    assert_memory_equal(sequenced.segment.values.values, "wxyz", 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(sequenced.codes[i], 3 - i);
    stoa_sequenced_reset(&sequenced);
    reset_chunk(&chunk);
    stoa_sequencer_free(sequencer);
}

static void the_id_of_a_segment_is_its_hash(void **state)
{
    (void)state;
    static const struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_array array = {0};
    struct stoa_chunk_values values;
    struct stoa_error err = {0};
    uint8_t bytes[24 + 4 * 4 + 4] = {0};
    uint64_t id;

    stoa_test_make_texts(&array, 4, falling_text);
    stoa_test_check(stoa_chunk_values_init(&values, &type, &array, &err), &err);
    stoa_test_check(stoa_segment_id(0x0102030405060708, &values.physical.vector, &id, &err), &err);
    stoa_store64(bytes, 0x0102030405060708); /* prev_id */
    bytes[8] = STOA_PHYS_BYTES;              /* phys, 3 zero, u32 width */
    stoa_store32(bytes + 16, 4);             /* count, u32 zero */
    for (unsigned i = 0; i < 4; i++)
        stoa_store32(bytes + 24 + 4 * i, 1); /* lengths */
    memcpy(bytes + 40, "zyxw", 4);
    assert_int_equal(id, stoa_hash(bytes, sizeof(bytes)));
    stoa_chunk_values_reset(&values);
    stoa_array_reset(&array);
}

static void cheap_misses_stay_in_the_chunk(void **state)
{
    (void)state;
    static const struct {
        uint32_t extension_percent;
        uint32_t segment_nbytes;
        bool cheap;
    } cases[] = {
        {1, 0, true},  /* 2 values of 3 bytes and a length: 8 bytes of 1,000 */
        {0, 0, false}, /* no part of the chunk is cheap */
        {0, 9, true},  /* less than an object */
        {0, 8, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_rules rules = test_rules();
        struct stoa_sequencer *sequencer;
        struct stoa_chunk_plan plan = shared_plan();
        struct stoa_sequenced first, second, third;

        rules.extension_percent = cases[i].extension_percent;
        rules.segment_nbytes = cases[i].segment_nbytes;
        sequencer = new_sequencer(&rules);
        first = settle(sequencer, 0, 10, &plan);
        second = settle(sequencer, 4, 12, NULL);
        assert_int_equal(second.has_segment, !cases[i].cheap);
        assert_int_equal(second.extension.vector.nvalues, cases[i].cheap ? 2 : 0);
        assert_codes(&second, 4, 8); /* the same codes in both cases */
        if (cases[i].cheap) {
            assert_int_equal(second.dict_id, first.dict_id);
            assert_memory_equal(second.extension.values, "010011", 6);
        }
        /* The chain did not learn them. */
        third = settle(sequencer, 4, 12, NULL);
        assert_int_equal(third.extension.vector.nvalues, cases[i].cheap ? 2 : 0);
        stoa_sequenced_reset(&first);
        stoa_sequenced_reset(&second);
        stoa_sequenced_reset(&third);
        stoa_sequencer_free(sequencer);
    }
}

/* A chunk that needs the first of two segments extends that one. */
static void an_extension_starts_behind_the_segment_it_needs(void **state)
{
    (void)state;
    struct stoa_rules rules = test_rules();
    struct stoa_sequencer *sequencer;
    struct stoa_chunk_plan plan = shared_plan();
    struct stoa_sequenced first, second, third;

    rules.segment_nbytes = 5;
    sequencer = new_sequencer(&rules);
    first = settle(sequencer, 10, 20, &plan);
    second = settle(sequencer, 10, 25, NULL);
    third = settle(sequencer, 9, 15, NULL);
    assert_true(second.has_segment);
    assert_int_equal(third.extension.vector.nvalues, 1);
    assert_int_equal(third.dict_id, first.dict_id);
    assert_int_equal(third.codes[0], 10);
    assert_codes(&(struct stoa_sequenced){.codes = third.codes + 1}, 0, 5);
    stoa_sequenced_reset(&first);
    stoa_sequenced_reset(&second);
    stoa_sequenced_reset(&third);
    stoa_sequencer_free(sequencer);
}

static void many_misses_start_an_epoch(void **state)
{
    (void)state;
    static const struct {
        size_t begin, end;
        bool epoch;
    } cases[] = {
        {10, 30, false},  /* half of the values are missing */
        {11, 31, true},   /* one more */
        {100, 110, true}, /* all */
        {0, 40, false},   /* most are missing, but ... */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_rules rules = test_rules();
        struct stoa_sequencer *sequencer;
        struct stoa_chunk_plan plan = shared_plan();
        struct stoa_sequenced first, second;

        if (i == 3)
            rules.epoch_percent = 99; /* ... here that is no reason */
        sequencer = new_sequencer(&rules);
        first = settle(sequencer, 0, 20, &plan);
        second = settle(sequencer, cases[i].begin, cases[i].end, NULL);
        assert_true(second.has_segment);
        assert_int_equal(second.segment.prev_id == 0, cases[i].epoch);
        assert_int_equal(second.segment.first_code, cases[i].epoch ? 0 : 20);
        if (cases[i].epoch)
            assert_codes(&second, 0, cases[i].end - cases[i].begin);
        stoa_sequenced_reset(&first);
        stoa_sequenced_reset(&second);
        stoa_sequencer_free(sequencer);
    }
}

/* 20 values are there, 10 more are needed: up to the cap the chain grows. */
static void a_full_chain_starts_an_epoch(void **state)
{
    (void)state;
    static const struct {
        uint32_t max_count;
        uint64_t max_nbytes;
        bool epoch;
    } cases[] = {
        {30, 1000, false},
        {29, 1000, true},
        {100, 20 * 3 + 10 * 4, false},
        {100, 20 * 3 + 10 * 4 - 1, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_rules rules = test_rules();
        struct stoa_sequencer *sequencer;
        struct stoa_chunk_plan plan = shared_plan();
        struct stoa_sequenced first, second;

        rules.shared_max_count = cases[i].max_count;
        rules.shared_max_nbytes = cases[i].max_nbytes;
        sequencer = new_sequencer(&rules);
        first = settle(sequencer, 0, 20, &plan);
        second = settle(sequencer, 5, 30, NULL);
        assert_true(second.has_segment);
        assert_int_equal(second.segment.prev_id == 0, cases[i].epoch);
        assert_int_equal(second.segment.count, cases[i].epoch ? 25 : 10);
        stoa_sequenced_reset(&first);
        stoa_sequenced_reset(&second);
        stoa_sequencer_free(sequencer);
    }
}

static void two_epochs_without_gain_end_sharing(void **state)
{
    (void)state;
    for (int local_pays = 0; local_pays < 2; local_pays++) {
        enum stoa_chunk_mode alone = local_pays ? STOA_CHUNK_LOCAL : STOA_CHUNK_PLAIN;
        static const enum stoa_chunk_mode shared = STOA_CHUNK_SHARED;
        struct stoa_rules rules = test_rules();
        struct stoa_sequencer *sequencer = new_sequencer(&rules);
        struct stoa_chunk_plan plan = shared_plan();
        const struct {
            size_t begin, end;
            const struct stoa_chunk_plan *chosen;
            enum stoa_chunk_mode mode;
        } groups[] = {
            {0, 10, &plan, shared},  /* first epoch, never used again */
            {20, 30, NULL, shared},  /* second, as little */
            {40, 50, NULL, alone},   /* instead of a third */
            {40, 50, NULL, alone},   /* until the next chooser group ... */
            {60, 70, &plan, shared}, /* ... a new trial, a first epoch again */
            {80, 90, NULL, shared},
            {80, 90, NULL, shared}, /* this one is used: what it found is what was put in */
            {0, 10, NULL, shared},  /* so this ends an epoch with gain, */
            {20, 30, NULL, shared}, /* this the first without, */
            {40, 50, NULL, alone},  /* and this the second */
        };

        plan.local_pays = local_pays;
        for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
            struct stoa_sequenced sequenced =
                settle(sequencer, groups[i].begin, groups[i].end, groups[i].chosen);

            if (sequenced.mode != groups[i].mode)
                fail_msg("row group %zu: mode %d, expected %d", i, (int)sequenced.mode,
                         (int)groups[i].mode);
            assert_int_equal(sequenced.has_segment,
                             sequenced.mode == shared && !(groups[i].begin == 80 && i == 6));
            stoa_sequenced_reset(&sequenced);
        }
        stoa_sequencer_free(sequencer);
    }
}

static void plans_are_handed_on_to_the_next_chooser_group(void **state)
{
    (void)state;
    struct stoa_rules rules = test_rules();
    struct stoa_sequencer *sequencer = new_sequencer(&rules);
    struct stoa_chunk_plan plain = {.mode = STOA_CHUNK_PLAIN, .nvalues = 7};
    struct stoa_chunk_plan none = {.mode = STOA_CHUNK_UNPLANNED};
    struct stoa_chunk_plan shared = shared_plan();
    struct stoa_chunk_distinct too_many = {0};
    struct stoa_sequenced sequenced;
    struct stoa_error err = {0};

    sequenced = settle(sequencer, 0, 10, &plain);
    assert_int_equal(sequenced.mode, STOA_CHUNK_PLAIN);
    sequenced = settle(sequencer, 0, 10, NULL);
    assert_int_equal(sequenced.mode, STOA_CHUNK_PLAIN);
    assert_int_equal(sequenced.plan.nvalues, 7);
    sequenced = settle(sequencer, 0, 10, &none);
    assert_int_equal(sequenced.mode, STOA_CHUNK_UNPLANNED);
    sequenced = settle(sequencer, 0, 10, &shared);
    assert_int_equal(sequenced.mode, STOA_CHUNK_SHARED);
    stoa_sequenced_reset(&sequenced);
    /* A row group with too many distinct values goes without; the plan stays. */
    stoa_test_check(stoa_sequencer_settle(sequencer, 0, &too_many, NULL, 1000, &sequenced, &err),
                    &err);
    assert_int_equal(sequenced.mode, STOA_CHUNK_PLAIN);
    sequenced = settle(sequencer, 0, 10, NULL);
    assert_int_equal(sequenced.mode, STOA_CHUNK_SHARED);
    assert_false(sequenced.has_segment);
    stoa_sequenced_reset(&sequenced);
    stoa_sequencer_free(sequencer);
}

static void bounds_of_distinct_values(void **state)
{
    (void)state;
    static const struct {
        uint32_t ntexts;
        uint64_t nrows;
        uint32_t max_count;
        uint64_t max_nbytes;
    } cases[] = {
        {1, 1, 0, 16 << 20},
        {1, 4, 3, 16 << 20},
        {2, 7, 5, 16 << 20},
        {3, 131072, 98304, (32 << 20) / 3},
        {0, 1 << 24, 1 << 20, 16 << 20},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t max_count;
        uint64_t max_nbytes;

        stoa_sequencer_bounds(&stoa_default_rules, cases[i].ntexts, cases[i].nrows, &max_count,
                              &max_nbytes);
        assert_int_equal(max_count, cases[i].max_count);
        assert_int_equal(max_nbytes, cases[i].max_nbytes);
    }
}

/*
 * Any sequence of row groups: codes stand for the values, whatever the rules do. The dictionary of
 * a chunk is put together from the segments as a reader would.
 */
static void codes_stand_for_the_values(void **state)
{
    (void)state;
    enum { NGROUPS = 60, MAX_SEGMENTS = NGROUPS, MAX_CODES = 4000 };
    struct stoa_test_random random;
    size_t ncases = stoa_test_ncases(40);

    stoa_test_random_init(&random, "codes_stand_for_the_values");
    for (size_t n = 0; n < ncases; n++) {
        static struct {
            uint32_t first_code, count, prev_index;
            char values[MAX_CODES][4];
        } segments[MAX_SEGMENTS];
        struct stoa_rules rules = test_rules();
        struct stoa_chunk_plan plan = shared_plan();
        struct stoa_sequencer *sequencer;
        uint32_t nsegments = 0;

        rules.shared_max_count = 50 + (uint32_t)stoa_test_random_below(&random, 300);
        rules.segment_nbytes = (uint32_t)stoa_test_random_below(&random, 60);
        rules.barren_epochs = 1 + (uint32_t)stoa_test_random_below(&random, 4);
        sequencer = new_sequencer(&rules);
        for (size_t g = 0; g < NGROUPS; g++) {
            size_t begin = (size_t)stoa_test_random_below(&random, 400);
            size_t count = 1 + (size_t)stoa_test_random_below(&random, 49);
            struct stoa_sequenced s =
                settle(sequencer, begin, begin + count, g % 16 == 0 ? &plan : NULL);

            if (s.has_segment) {
                assert_int_equal(s.segment.index, nsegments);
                segments[nsegments].first_code = s.segment.first_code;
                segments[nsegments].count = s.segment.count;
                segments[nsegments].prev_index = s.segment.prev_index;
                for (uint32_t k = 0; k < s.segment.count; k++)
                    memcpy(segments[nsegments].values[k], s.segment.values.values + 3 * k, 3);
                nsegments++;
            }
            for (size_t i = 0; s.mode == STOA_CHUNK_SHARED && i < count; i++) {
                uint32_t code = s.codes[i], last = s.dict_index, end;
                const char *value;
                char expected[8];

                end = segments[last].first_code + segments[last].count;
                while (code < end && code < segments[last].first_code)
                    last = segments[last].prev_index;
                if (code >= end) {
                    assert_true(code - end < s.extension.vector.nvalues);
                    value = (const char *)s.extension.values + 3 * (code - end);
                } else {
                    value = segments[last].values[code - segments[last].first_code];
                }
                snprintf(expected, sizeof(expected), "%03zu", begin + i);
                assert_memory_equal(value, expected, 3);
            }
            stoa_sequenced_reset(&s);
        }
        assert_true(nsegments > 0);
        stoa_sequencer_free(sequencer);
    }
}

static enum stoa_status settles_some(void *context, struct stoa_error *err)
{
    struct stoa_rules rules = test_rules();
    struct stoa_chunk_plan plan = shared_plan();
    struct chunk *chunks = context;
    struct stoa_sequencer *sequencer = NULL;
    enum stoa_status st;

    rules.segment_nbytes = 9;
    STOA_TRY(stoa_sequencer_new(&sequencer, &rules, 1, 1, err));
    for (size_t i = 0; i < 4; i++) {
        struct stoa_sequenced sequenced;

        STOA_TRY(stoa_sequencer_settle(sequencer, 0, &chunks[i].distinct, i == 0 ? &plan : NULL,
                                       1000, &sequenced, err));
        stoa_sequenced_reset(&sequenced);
    }
out:
    stoa_sequencer_free(sequencer);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    static const size_t ranges[4][2] = {{0, 10}, {1, 12}, {0, 20}, {50, 60}};
    struct chunk chunks[4];

    for (size_t i = 0; i < 4; i++)
        make_chunk(ranges[i][0], ranges[i][1], &chunks[i]);
    stoa_test_each_failing_alloc(settles_some, chunks);
    for (size_t i = 0; i < 4; i++)
        reset_chunk(&chunks[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_started_used_and_continued),
        cmocka_unit_test(segments_rise),
        cmocka_unit_test(the_id_of_a_segment_is_its_hash),
        cmocka_unit_test(cheap_misses_stay_in_the_chunk),
        cmocka_unit_test(an_extension_starts_behind_the_segment_it_needs),
        cmocka_unit_test(many_misses_start_an_epoch),
        cmocka_unit_test(a_full_chain_starts_an_epoch),
        cmocka_unit_test(two_epochs_without_gain_end_sharing),
        cmocka_unit_test(plans_are_handed_on_to_the_next_chooser_group),
        cmocka_unit_test(bounds_of_distinct_values),
        cmocka_unit_test(codes_stand_for_the_values),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
