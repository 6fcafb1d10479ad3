/* The default allocator: blocks that are used again, and never more memory than the peak. */
#include "base/alloc_heap.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/random.h"

#define NSLOTS 48

struct slot {
    uint8_t *memory;
    size_t nbytes;
    uint8_t fill;
};

static uint8_t *resize(struct stoa_heap *heap, void *memory, size_t nbytes)
{
    return stoa_heap_reallocate(heap, memory, nbytes);
}

static void drop(struct stoa_heap *heap, void *memory)
{
    stoa_heap_release(heap, memory);
}

/* A heap that somebody holds. */
static void init(struct stoa_heap *heap)
{
    *heap = (struct stoa_heap){.lock = PTHREAD_MUTEX_INITIALIZER};
    stoa_heap_hold(heap);
}

static void reset(struct stoa_heap *heap)
{
    stoa_heap_drop(heap);
    assert_int_equal(heap->nused, 0);
    assert_in_range(heap->nkept, 0, STOA_HEAP_SPARE_NBYTES);
}

/* Each byte is looked at where a block is small; the ends, and one in 4 KiB, of a large one. */
static void check_fill(const struct slot *slot, size_t nbytes)
{
    const size_t step = nbytes < 4096 ? 1 : 4095;

    for (size_t i = 0; i < nbytes; i += step)
        assert_int_equal(slot->memory[i], slot->fill);
    assert_int_equal(slot->memory[nbytes - 1], slot->fill);
}

/* Gives the slot another size, and checks that what fits both sizes came along. */
static void resize_slot(struct stoa_heap *heap, struct slot *slot, size_t nbytes, uint8_t fill)
{
    const size_t both = nbytes < slot->nbytes ? nbytes : slot->nbytes;

    slot->memory = resize(heap, slot->memory, nbytes);
    assert_non_null(slot->memory);
    assert_int_equal((uintptr_t)slot->memory % _Alignof(max_align_t), 0);
    if (both > 0)
        check_fill(slot, both);
    slot->nbytes = nbytes;
    slot->fill = fill;
    memset(slot->memory, fill, nbytes);
}

static void free_slot(struct stoa_heap *heap, struct slot *slot)
{
    check_fill(slot, slot->nbytes);
    drop(heap, slot->memory);
    *slot = (struct slot){0};
}

static void work(struct stoa_heap *heap, struct stoa_test_random *random, size_t nsteps)
{
    struct slot slots[NSLOTS] = {0};

    for (size_t step = 0; step < nsteps; step++) {
        struct slot *slot = &slots[stoa_test_random_below(random, NSLOTS)];
        const uint64_t nbits = stoa_test_random_below(random, 21);
        const uint64_t nbytes = 1 + stoa_test_random_below(random, (uint64_t)1 << nbits);

        if (slot->memory != NULL && stoa_test_random_one_in(random, 2))
            free_slot(heap, slot);
        else
            resize_slot(heap, slot, (size_t)nbytes, (uint8_t)step);
    }
    for (size_t i = 0; i < NSLOTS; i++)
        if (slots[i].memory != NULL)
            free_slot(heap, &slots[i]);
}

static void blocks_keep_their_bytes(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_heap heap;

    stoa_test_random_init(&random, "blocks_keep_their_bytes");
    init(&heap);
    work(&heap, &random, stoa_test_ncases(20000));
    reset(&heap);
}

static void a_freed_block_is_used_again(void **state)
{
    (void)state;
    struct stoa_heap heap;
    uint8_t *first, *second;

    init(&heap);
    first = resize(&heap, NULL, 1000000);
    second = resize(&heap, NULL, 30000000);
    drop(&heap, first);
    drop(&heap, second);
    assert_ptr_equal(resize(&heap, NULL, 29000000), second);
    assert_ptr_equal(resize(&heap, NULL, 999999), first);
    /* Of a block that is much too large the rest goes on waiting. */
    drop(&heap, second);
    assert_ptr_equal(resize(&heap, NULL, 15000000), second);
    assert_int_equal(heap.nused + heap.nkept, heap.npeak);
}

static void a_block_that_grows_moves_into_one_that_waits(void **state)
{
    (void)state;
    struct stoa_heap heap;
    uint8_t *large, *small;

    init(&heap);
    large = resize(&heap, NULL, 4000000);
    small = resize(&heap, NULL, 100000);
    memset(small, 7, 100000);
    drop(&heap, large);
    assert_ptr_equal(resize(&heap, small, 3900000), large);
    assert_int_equal(large[0], 7);
    assert_int_equal(large[99999], 7);
}

/* Those that wait make room for what is new. */
static void what_is_kept_is_little_more_than_the_peak(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct stoa_heap heap;
    uint8_t *blocks[16] = {0};
    size_t peak = 0;

    stoa_test_random_init(&random, "what_is_kept_is_little_more_than_the_peak");
    init(&heap);
    for (size_t step = 0; step < stoa_test_ncases(20000); step++) {
        const size_t i = (size_t)stoa_test_random_below(&random, 16);
        const size_t nbytes = 1 + (size_t)stoa_test_random_below(&random, 1 << 20);

        if (blocks[i] != NULL) {
            drop(&heap, blocks[i]);
            blocks[i] = NULL;
        } else {
            blocks[i] = resize(&heap, NULL, nbytes);
        }
        if (heap.nused > peak)
            peak = heap.nused;
        assert_true(heap.nused + heap.nkept <= peak + STOA_HEAP_SPARE_NBYTES);
    }
    for (size_t i = 0; i < 16; i++)
        if (blocks[i] != NULL)
            drop(&heap, blocks[i]);
    reset(&heap);
}

static void memory_that_the_system_has_not_is_refused(void **state)
{
    (void)state;
    struct stoa_heap heap;
    uint8_t *block;

    init(&heap);
    block = resize(&heap, NULL, 100000);
    block[0] = 1;
    assert_null(resize(&heap, NULL, SIZE_MAX));
    assert_null(resize(&heap, NULL, PTRDIFF_MAX / 4));
    assert_null(resize(&heap, block, PTRDIFF_MAX / 4));
    assert_int_equal(block[0], 1);
    drop(&heap, block);
    reset(&heap);
}

static void blocks_wait_while_somebody_holds_it(void **state)
{
    (void)state;
    struct stoa_heap heap;
    uint8_t *block;

    init(&heap);
    stoa_heap_hold(&heap);
    block = resize(&heap, NULL, 50000000);
    stoa_heap_drop(&heap);
    drop(&heap, block);
    assert_in_range(heap.nkept, 50000000, 60000000);
    assert_ptr_equal(resize(&heap, NULL, 50000000), block);
    stoa_heap_drop(&heap);
    drop(&heap, block);
    assert_int_equal(heap.nkept, 0);
    block = resize(&heap, NULL, 1000000); /* a little is always kept */
    drop(&heap, block);
    assert_ptr_equal(resize(&heap, NULL, 1000000), block);
    drop(&heap, block);
    stoa_heap_hold(&heap);
    reset(&heap);
}

/* It moves or not; that one waits is no reason to copy it into that one made larger. */
static void a_block_that_outgrows_all_others_takes_its_own_pages(void **state)
{
    (void)state;
    struct stoa_heap heap;
    uint8_t *small, *block;

    init(&heap);
    small = resize(&heap, NULL, 100000);
    block = resize(&heap, NULL, 1000000);
    drop(&heap, small);
    for (size_t nbytes = 2000000; nbytes < 100000000; nbytes *= 2) {
        block = resize(&heap, block, nbytes);
        assert_non_null(block);
        assert_in_range(heap.nkept, 0, 200000);
    }
    drop(&heap, block);
    reset(&heap);
}

static void a_block_that_shrinks_gives_back_its_rest(void **state)
{
    (void)state;
    struct stoa_heap heap;
    uint8_t *block;

    init(&heap);
    block = resize(&heap, NULL, 64 << 20);
    memset(block, 9, 64 << 20);
    block = resize(&heap, block, 3000000);
    assert_in_range(heap.nused, 3000000, 4000000);
    assert_true(heap.nused + heap.nkept <= heap.npeak);
    block = resize(&heap, block, 10);
    assert_in_range(heap.nused, 10, 65536);
    assert_int_equal(block[0], 9);
    assert_int_equal(block[9], 9);
    drop(&heap, block);
    reset(&heap);
}

/* One behind the other, at the front of a field, once the heap has more than it keeps. */
static void blocks_of_who_wants_huge_pages_are_cut_from_a_field(void **state)
{
    (void)state;
    struct stoa_heap heap;
    uint8_t *first, *block[3], *large;

    init(&heap);
    stoa_heap_begin_huge(&heap);
    first = resize(&heap, NULL, 100000);
    assert_int_equal(heap.field_nbytes, 0);
    large = resize(&heap, NULL, STOA_HEAP_SPARE_NBYTES);
    for (size_t i = 0; i < 3; i++) {
        block[i] = resize(&heap, NULL, 1000000);
        memset(block[i], 7, 1000000);
    }
    if (heap.field_nbytes > 0) { /* not every system has huge pages */
        for (size_t i = 1; i < 3; i++)
            assert_int_equal(block[i] - block[i - 1], block[1] - block[0]);
        assert_in_range(block[1] - block[0], 1000000, 1000000 * 9 / 8);
        stoa_heap_begin_huge(&heap);
        stoa_heap_end_huge(&heap);
        assert_int_not_equal(heap.field_nbytes, 0);
    }
    stoa_heap_end_huge(&heap);
    assert_int_equal(heap.field_nbytes, 0); /* what was cut stays */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(block[i][999999], 7);
        drop(&heap, block[i]);
    }
    drop(&heap, first);
    drop(&heap, large);
    reset(&heap);
}

/* More than one has room for, and larger ones than are cut from it. */
static void a_field_that_is_used_up_is_followed_by_another(void **state)
{
    (void)state;
    struct stoa_heap heap;
    uint8_t *block[40];

    init(&heap);
    stoa_heap_begin_huge(&heap);
    for (size_t i = 0; i < 40; i++) {
        const size_t nbytes = i % 8 == 7 ? (size_t)20 << 20 : (size_t)3 << 20;

        block[i] = resize(&heap, NULL, nbytes);
        assert_non_null(block[i]);
        memset(block[i], (int)i, 4096);
        block[i][nbytes - 1] = (uint8_t)i;
    }
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(block[i][4095], i);
        drop(&heap, block[i]);
    }
    stoa_heap_end_huge(&heap);
    reset(&heap);
}

static void *allocate_on(void *argument)
{
    atomic_bool *ends = argument;

    while (!atomic_load(ends)) {
        void *memory;

        if (stoa_alloc(&memory, 100000, NULL) == STOA_OK)
            stoa_free(memory);
    }
    return NULL;
}

/* A child that hangs is ended by its alarm. */
static void children_of_a_fork_can_allocate(void **state)
{
    (void)state;
    atomic_bool ends = false;
    pthread_t threads[3];

#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer's own malloc hangs in such a child */
#endif
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_on, &ends), 0);
    for (size_t k = 0; k < 50; k++) {
        const pid_t child = fork();
        int status = -1;

        if (child == 0) {
            void *memory;

            alarm(10);
            _exit(stoa_alloc(&memory, 100000, NULL) == STOA_OK ? 0 : 1);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    atomic_store(&ends, true);
    for (size_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

struct worker {
    struct stoa_heap *heap;
    struct stoa_test_random random;
    pthread_t thread;
};

static void *run_worker(void *argument)
{
    struct worker *worker = argument;

    work(worker->heap, &worker->random, stoa_test_ncases(5000));
    return NULL;
}

static void threads_share_it(void **state)
{
    (void)state;
    struct stoa_test_random random;
    struct worker workers[4];
    struct stoa_heap heap;

    stoa_test_random_init(&random, "threads_share_it");
    init(&heap);
    stoa_heap_begin_huge(&heap);
    for (size_t i = 0; i < 4; i++) {
        workers[i].heap = &heap;
        stoa_test_random_seed(&workers[i].random, stoa_test_random_u64(&random));
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(workers[i].thread, NULL);
    stoa_heap_end_huge(&heap);
    reset(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_their_bytes),
        cmocka_unit_test(a_freed_block_is_used_again),
        cmocka_unit_test(a_block_that_grows_moves_into_one_that_waits),
        cmocka_unit_test(what_is_kept_is_little_more_than_the_peak),
        cmocka_unit_test(memory_that_the_system_has_not_is_refused),
        cmocka_unit_test(blocks_wait_while_somebody_holds_it),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(a_block_that_outgrows_all_others_takes_its_own_pages),
        cmocka_unit_test(a_block_that_shrinks_gives_back_its_rest),
        cmocka_unit_test(blocks_of_who_wants_huge_pages_are_cut_from_a_field),
        cmocka_unit_test(a_field_that_is_used_up_is_followed_by_another),
        cmocka_unit_test(children_of_a_fork_can_allocate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
