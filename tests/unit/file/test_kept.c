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

static struct stoa_kept_name page_name(uint32_t page)
{
    return (struct stoa_kept_name){.kind = STOA_KEPT_PAGE, .row_group = 1, .node = 2, .page = page};
}

/* A page of nbytes bytes of one value, which has no name yet. */
static struct stoa_kept *make(struct stoa_keeper *keeper, size_t nbytes, uint8_t value)
{
    struct stoa_kept *made;

    assert_int_equal(stoa_keeper_make(keeper, nbytes, &made, NULL), STOA_OK);
    assert_int_equal(made->page.nbytes, nbytes);
    memset(made->page.data, value, nbytes);
    return made;
}

static struct stoa_kept *add(struct stoa_keeper *keeper, uint32_t page, uint8_t value)
{
    return stoa_keeper_add(keeper, page_name(page), make(keeper, PAGE_NBYTES, value));
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

/* Each has bytes of its own, and what is in use is counted, also where blocks are shared. */
static void blocks_are_shared_and_go_whole(void **state)
{
    enum { NTHINGS = 2000 };
    struct stoa_keeper keeper;
    struct stoa_kept *first, *kept;
    uint32_t nfound = 0;

    (void)state;
    stoa_keeper_init(&keeper, 1 << 20);
    first = add(&keeper, 0, 0);
    for (uint32_t i = 1; i < NTHINGS; i++) {
        stoa_keeper_release(&keeper, make(&keeper, i % 7 * 100, 255)); /* nobody wants it */
        kept = make(&keeper, i % 50 == 0 ? 60000 : i % PAGE_NBYTES, (uint8_t)i);
        stoa_keeper_release(&keeper, stoa_keeper_add(&keeper, page_name(i), kept));
        assert_true(keeper.nbytes <= keeper.max_nbytes);
    }
    for (uint32_t i = 0; i < NTHINGS; i++) {
        kept = stoa_keeper_find(&keeper, page_name(i));
        nfound += kept != NULL;
        for (size_t k = 0; kept != NULL && k < kept->page.nbytes; k++)
            assert_int_equal(kept->page.data[k], (uint8_t)i);
        stoa_keeper_release(&keeper, kept);
    }
    assert_in_range(nfound, 100, NTHINGS - 1);
    assert_ptr_equal(stoa_keeper_find(&keeper, page_name(0)), first);
    stoa_keeper_release(&keeper, first);
    stoa_keeper_release(&keeper, first);
    stoa_keeper_reset(&keeper);
}

/* What was made and let go takes nothing, however often, be it of a shared block or of its own. */
static void what_nobody_added_is_gone(void **state)
{
    struct stoa_keeper keeper;
    struct stoa_kept *held;
    size_t nbytes;

    (void)state;
    stoa_keeper_init(&keeper, 1 << 20);
    held = add(&keeper, 1, 7);
    nbytes = keeper.nbytes;
    for (unsigned i = 0; i < 1000; i++) {
        stoa_keeper_release(&keeper, make(&keeper, PAGE_NBYTES, 1));
        assert_ptr_equal(add(&keeper, 1, 2), held); /* the first one counts */
        stoa_keeper_release(&keeper, held);
        stoa_keeper_release(&keeper, make(&keeper, keeper.block_nbytes, 3));
        assert_ptr_equal(
            stoa_keeper_add(&keeper, page_name(1), make(&keeper, keeper.block_nbytes, 4)), held);
        stoa_keeper_release(&keeper, held);
        assert_int_equal(keeper.nbytes, nbytes);
    }
    assert_int_equal(held->page.data[0], 7);
    stoa_keeper_release(&keeper, held);
    stoa_keeper_reset(&keeper);
}

enum { NTHREADS = 4, NTURNS = 3000, NPAGES = 40 };

static void *use(void *argument)
{
    struct stoa_keeper *keeper = argument;
    uintptr_t nwrong = 0;
    uint32_t x = 12345;

    for (unsigned i = 0; i < NTURNS; i++) {
        struct stoa_kept *kept;
        uint32_t page;

        x = x * 1103515245 + 12345;
        page = (x >> 16 & 0xffff) % NPAGES;
        kept = stoa_keeper_find(keeper, page_name(page));
        if (kept == NULL) {
            if (stoa_keeper_make(keeper, PAGE_NBYTES, &kept, NULL) != STOA_OK)
                return (void *)1;
            memset(kept->page.data, (int)page, PAGE_NBYTES);
            if (i % 8 != 0)
                kept = stoa_keeper_add(keeper, page_name(page), kept);
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
    for (size_t max_nbytes = 10 * PAGE_NBYTES; max_nbytes < 200 * PAGE_NBYTES; max_nbytes *= 10) {
        stoa_keeper_init(&keeper, max_nbytes); /* pages by themselves, and several to a block */
        for (unsigned i = 0; i < NTHREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, use, &keeper), 0);
        for (unsigned i = 0; i < NTHREADS; i++) {
            assert_int_equal(pthread_join(threads[i], &nwrong), 0);
            assert_null(nwrong);
        }
        stoa_keeper_reset(&keeper);
    }
}

static enum stoa_status add_one(void *context, struct stoa_error *err)
{
    struct stoa_keeper keeper;
    struct stoa_kept *a = NULL, *b = NULL;
    enum stoa_status st;

    (void)context;
    stoa_keeper_init(&keeper, 1 << 20);
    STOA_TRY(stoa_keeper_make(&keeper, PAGE_NBYTES, &a, err));
    a = stoa_keeper_add(&keeper, page_name(1), a);
    STOA_TRY(stoa_keeper_make(&keeper, 1 << 20, &b, err));
out:
    stoa_keeper_release(&keeper, a);
    stoa_keeper_release(&keeper, b);
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
        cmocka_unit_test(blocks_are_shared_and_go_whole),
        cmocka_unit_test(what_nobody_added_is_gone),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(allocations_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
