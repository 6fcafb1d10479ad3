/*
 * The store of single rows: what is in it, what has to go, who is first.
 */
#include "file/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "support/fault_alloc.h"

enum { PAGE_NBYTES = 1000 };

/* A page of PAGE_NBYTES bytes of one value. */
static struct stoa_kept page_of(uint8_t value)
{
    struct stoa_kept thing = {0};

    assert_int_equal(stoa_buffer_resize(&thing.page, PAGE_NBYTES, NULL), STOA_OK);
    memset(thing.page.data, value, PAGE_NBYTES);
    return thing;
}

static struct stoa_kept_name page_name(uint32_t page)
{
    return (struct stoa_kept_name){.kind = STOA_KEPT_PAGE, .row_group = 1, .node = 2, .page = page};
}

static struct stoa_kept *add(struct stoa_keeper *keeper, uint32_t page, uint8_t value)
{
    struct stoa_kept thing = page_of(value), *kept;

    assert_int_equal(stoa_keeper_add(keeper, page_name(page), &thing, &kept, NULL), STOA_OK);
    assert_null(thing.page.data);
    return kept;
}

static void kind_chunk_and_page_are_the_name(void **state)
{
    static const struct stoa_kept_name others[] = {
        {STOA_KEPT_HEAD, 1, 2, 8},
        {STOA_KEPT_PAGE, 0, 2, 8},
        {STOA_KEPT_PAGE, 1, 3, 8},
        {STOA_KEPT_PAGE, 1, 2, 9},
    };
    struct stoa_keeper keeper;
    struct stoa_kept *a, *b;

    (void)state;
    stoa_keeper_init(&keeper, 1 << 20);
    assert_null(stoa_keeper_find(&keeper, page_name(8)));
    a = add(&keeper, 8, 1);
    b = add(&keeper, 16, 2);
    assert_int_equal(a->page.data[5], 1);
    assert_int_equal(b->page.data[5], 2);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_null(stoa_keeper_find(&keeper, others[i]));
    assert_ptr_equal(stoa_keeper_find(&keeper, page_name(8)), a);
    stoa_keeper_release(&keeper, a);
    assert_ptr_equal(add(&keeper, 16, 3), b); /* the first one counts */
    assert_int_equal(b->page.data[5], 2);
    stoa_keeper_release(&keeper, a);
    stoa_keeper_release(&keeper, b);
    stoa_keeper_release(&keeper, b);
    stoa_keeper_release(&keeper, NULL);
    stoa_keeper_reset(&keeper);
}

static void the_least_recently_used_goes_first(void **state)
{
    struct stoa_keeper keeper;
    struct stoa_kept *kept;

    (void)state;
    stoa_keeper_init(&keeper, 4 * (PAGE_NBYTES + 500)); /* of things of about 1,300 bytes */
    for (uint32_t i = 0; i < 4; i++)
        stoa_keeper_release(&keeper, add(&keeper, i, (uint8_t)i));
    stoa_keeper_release(&keeper, stoa_keeper_find(&keeper, page_name(0)));
    for (uint32_t i = 4; i < 6; i++)
        stoa_keeper_release(&keeper, add(&keeper, i, (uint8_t)i));
    assert_true(keeper.nbytes <= keeper.max_nbytes);
    assert_null(stoa_keeper_find(&keeper, page_name(1)));
    kept = stoa_keeper_find(&keeper, page_name(0));
    assert_non_null(kept);
    stoa_keeper_release(&keeper, kept);
    for (uint32_t i = 100; i < 5000; i++) { /* many slots come and go */
        stoa_keeper_release(&keeper, add(&keeper, i * 4096, (uint8_t)i));
        assert_true(keeper.nbytes <= keeper.max_nbytes);
    }
    stoa_keeper_reset(&keeper);
}

static void what_is_held_stays(void **state)
{
    struct stoa_keeper keeper;
    struct stoa_kept *held;

    (void)state;
    stoa_keeper_init(&keeper, 0);
    held = add(&keeper, 1, 7);
    for (uint32_t i = 2; i < 50; i++)
        stoa_keeper_release(&keeper, add(&keeper, i, (uint8_t)i));
    assert_ptr_equal(stoa_keeper_find(&keeper, page_name(1)), held);
    assert_int_equal(held->page.data[PAGE_NBYTES - 1], 7);
    stoa_keeper_release(&keeper, held);
    stoa_keeper_release(&keeper, held);
    assert_null(stoa_keeper_find(&keeper, page_name(1)));
    assert_int_equal(keeper.nbytes, 0);
    stoa_keeper_reset(&keeper);
}

enum { NTHREADS = 4, NTURNS = 3000, NPAGES = 40 };

static void *use(void *argument)
{
    struct stoa_keeper *keeper = argument;
    uintptr_t nwrong = 0;
    uint32_t x = 12345;

    for (unsigned i = 0; i < NTURNS; i++) {
        struct stoa_kept thing = {0}, *kept;
        uint32_t page;

        x = x * 1103515245 + 12345;
        page = (x >> 16 & 0xffff) % NPAGES;
        kept = stoa_keeper_find(keeper, page_name(page));
        if (kept == NULL) {
            if (stoa_buffer_resize(&thing.page, PAGE_NBYTES, NULL) != STOA_OK)
                return (void *)1;
            memset(thing.page.data, (int)page, PAGE_NBYTES);
            if (stoa_keeper_add(keeper, page_name(page), &thing, &kept, NULL) != STOA_OK)
                return (void *)1;
        }
        for (unsigned k = 0; k < PAGE_NBYTES; k += 100)
            nwrong += kept->page.data[k] != page;
        stoa_keeper_release(keeper, kept);
    }
    return (void *)nwrong;
}

static void threads_share_it(void **state)
{
    struct stoa_keeper keeper;
    pthread_t threads[NTHREADS];
    void *nwrong;

    (void)state;
    stoa_keeper_init(&keeper, 10 * PAGE_NBYTES);
    for (unsigned i = 0; i < NTHREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, &keeper), 0);
    for (unsigned i = 0; i < NTHREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &nwrong), 0);
        assert_null(nwrong);
    }
    stoa_keeper_reset(&keeper);
}

static enum stoa_status add_one(void *context, struct stoa_error *err)
{
    struct stoa_keeper keeper;
    struct stoa_kept thing = {0}, *kept = NULL;
    enum stoa_status st;

    (void)context;
    stoa_keeper_init(&keeper, 1 << 20);
    STOA_TRY(stoa_buffer_resize(&thing.page, PAGE_NBYTES, err));
    STOA_TRY(stoa_keeper_add(&keeper, page_name(1), &thing, &kept, err));
out:
    stoa_buffer_free(&thing.page);
    stoa_keeper_release(&keeper, kept);
    stoa_keeper_reset(&keeper);
    return st;
}

static void allocations_may_fail(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(add_one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kind_chunk_and_page_are_the_name),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(what_is_held_stays),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(allocations_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
