/* Blocks of memory that go round: which one is taken, and how much is kept. */
#include "csv/spare_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "csv/cut.h"
#include "support/fault_alloc.h"
#include <stoa/io.h>

static struct stoa_buffer block_of(size_t nwritten)
{
    struct stoa_buffer block = {.nbytes = nwritten, .capacity = nwritten};

    assert_int_equal(stoa_alloc(&block.data, nwritten, NULL), STOA_OK);
    return block;
}

static void the_largest_block_is_taken_first(void **state)
{
    (void)state;
    static const size_t sizes[] = {20, 50, 10, 40};
    static const size_t taken[] = {50, 40, 20, 10, 0};
    struct stoa_csv_spares spares;

    stoa_csv_spares_init(&spares, 120);
    for (size_t i = 0; i < 4; i++)
        stoa_csv_spares_give(&spares, block_of(sizes[i]), 0);
    for (size_t i = 0; i < 5; i++) {
        struct stoa_buffer block = stoa_csv_spares_take(&spares);

        assert_int_equal(block.nbytes, taken[i]);
        stoa_buffer_free(&block);
    }
    stoa_csv_spares_reset(&spares);
    assert_null(stoa_csv_spares_take(NULL).data);
}

static void no_more_is_kept_than_the_bound(void **state)
{
    (void)state;
    struct stoa_csv_spares spares;

    stoa_test_alloc_begin(0, STOA_TEST_FAULT_ONCE);
    stoa_csv_spares_init(&spares, 100);
    stoa_csv_spares_give(&spares, block_of(60), 41); /* 101 with what is beside it */
    assert_int_equal(stoa_csv_spares_nbytes(&spares, 0), 0);
    stoa_csv_spares_give(&spares, block_of(60), 40);
    stoa_csv_spares_give(&spares, block_of(41), 0);
    stoa_csv_spares_give(&spares, block_of(40), 0);
    stoa_csv_spares_give(&spares, (struct stoa_buffer){0}, 0);
    assert_int_equal(spares.nitems, 2);
    assert_int_equal(stoa_csv_spares_nbytes(&spares, 10), 100);
    assert_int_equal(stoa_csv_spares_nbytes(&spares, 70), 110); /* the one of 60 grows */
    stoa_csv_spares_reset(&spares);
    stoa_csv_spares_init(&spares, 1000);
    for (size_t i = 0; i < 2 * STOA_CSV_MAX_SPARES; i++)
        stoa_csv_spares_give(&spares, block_of(1 + i), 0);
    assert_int_equal(spares.nitems, STOA_CSV_MAX_SPARES);
    for (size_t i = 0; i < STOA_CSV_MAX_SPARES; i++)
        assert_true(spares.items[i].nbytes > STOA_CSV_MAX_SPARES);
    assert_int_equal(spares.nbytes, 9 + 10 + 11 + 12 + 13 + 14 + 15 + 16);
    stoa_csv_spares_reset(&spares);
    assert_int_equal(stoa_test_alloc_end().nlive, 0);
}

struct cutting {
    bool spares; /* each unit is given back before the next one is cut */
    size_t nunits;
};

static enum stoa_status cuts_a_text(void *context, struct stoa_error *err)
{
    enum { NBYTES = 16 << 20 };
    static char text[NBYTES];
    const struct stoa_csv_options options = {.header_nrecords = -1, .unit_nbytes = 2 << 20};
    struct cutting *cutting = context;
    struct stoa_stream *stream = NULL;
    struct stoa_csv_cutter cutter = {0};
    struct stoa_csv_spares spares;
    struct stoa_buffer head = {0};
    struct stoa_csv_text unit = {.text = NULL};
    enum stoa_status st;

    for (size_t i = 0; i < NBYTES; i++)
        text[i] = i % 64 == 63 ? '\n' : 'x';
    cutting->nunits = 0;
    stoa_csv_spares_init(&spares, 8 << 20);
    STOA_TRY(stoa_stream_open_memory(text, NBYTES, "t.csv", &stream, err));
    stoa_csv_cutter_init(&cutter, stream, &options, &head);
    cutter.spares = cutting->spares ? &spares : NULL;
    for (;;) {
        STOA_TRY(stoa_csv_cutter_next(&cutter, &unit, err));
        if (unit.text == NULL)
            break;
        cutting->nunits++;
        stoa_csv_spares_give(
            &spares, (struct stoa_buffer){(uint8_t *)unit.text, unit.nwritten, unit.capacity}, 0);
    }
out:
    stoa_csv_cutter_reset(&cutter);
    stoa_csv_spares_reset(&spares);
    stoa_stream_close(stream);
    return st;
}

static void the_memory_of_a_text_serves_later_ones(void **state)
{
    (void)state;
    uint64_t nallocs[2];

    for (int spares = 0; spares < 2; spares++) {
        struct cutting cutting = {.spares = spares != 0};

        stoa_test_alloc_begin(0, STOA_TEST_FAULT_ONCE);
        assert_int_equal(cuts_a_text(&cutting, NULL), STOA_OK);
        nallocs[spares] = stoa_test_alloc_end().nallocs;
        assert_int_equal(cutting.nunits, 8);
    }
    assert_true(nallocs[1] + 8 <= nallocs[0]); /* only the first blocks have to grow */
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;

    stoa_test_each_failing_alloc(cuts_a_text, &(struct cutting){.spares = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_block_is_taken_first),
        cmocka_unit_test(no_more_is_kept_than_the_bound),
        cmocka_unit_test(the_memory_of_a_text_serves_later_ones),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests_name("csv/spare_text", tests, NULL, NULL);
}
