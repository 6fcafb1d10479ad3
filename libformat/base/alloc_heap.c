/*
 * Blocks that wait for their next use.
 *
 *     | struct stoa_heap_block, 16 bytes | what was asked for ... |
 *
 *     small     from malloc
 *     large     mapped, of one of a few sizes; freed ones of a size wait in a stack, so that the
 *               one that the caches know best comes first
 *     field     addresses of whole huge pages, where large blocks are cut from the front
 */
#include "base/alloc_heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_NBYTES ((size_t)64 << 10)
#define PAGE_NBYTES  ((size_t)64 << 10) /* of the system, at most */
#define HUGE_NBYTES  ((size_t)2 << 20)
#define FIELD_NBYTES (16 * HUGE_NBYTES)

/* In front of each block. What follows is aligned as malloc's blocks are. */
struct stoa_heap_block {
    size_t nbytes; /* with this */
    struct stoa_heap_block *next;
};
_Static_assert(sizeof(struct stoa_heap_block) % _Alignof(max_align_t) == 0,
               "blocks are not aligned");

static struct stoa_heap_block *block_of(void *memory)
{
    return (struct stoa_heap_block *)((char *)memory - sizeof(struct stoa_heap_block));
}

static void *memory_of(struct stoa_heap_block *block)
{
    return block != NULL ? (char *)block + sizeof(*block) : NULL;
}

static unsigned log2_of(size_t nbytes)
{
    return 63 - (unsigned)__builtin_clzll(nbytes);
}

/*
 * Sizes are eight between powers of two, so that a block that was freed fits others, but whole
 * pages, also where those are large.
 */
static size_t step_of(size_t nbytes)
{
    const size_t step = ((size_t)1 << log2_of(nbytes)) / 8;

    return step > PAGE_NBYTES ? step : PAGE_NBYTES;
}

static size_t round_up(size_t nbytes)
{
    return (nbytes + step_of(nbytes) - 1) & ~(step_of(nbytes) - 1);
}

static size_t round_down(size_t nbytes)
{
    return nbytes & ~(step_of(nbytes) - 1);
}

/* The number of a size. */
static unsigned number_of(size_t nbytes)
{
    const unsigned log2 = log2_of(nbytes);

    return (log2 - log2_of(LARGE_NBYTES)) * 8 + (unsigned)(nbytes >> (log2 - 3)) - 8;
}

/* ---- Those that wait. The lock is held. ---- */

static struct stoa_heap_block *take(struct stoa_heap *heap, unsigned number)
{
    struct stoa_heap_block *block = heap->waiting[number];

    heap->waiting[number] = block->next;
    heap->nkept -= block->nbytes;
    return block;
}

/* One of at least nbytes, or NULL: not much more than that, as most of it would be of no use. */
static struct stoa_heap_block *take_fitting(struct stoa_heap *heap, size_t nbytes)
{
    const unsigned first = number_of(nbytes);

    for (unsigned i = first; i < first + 3 && i < STOA_HEAP_NSIZES; i++)
        if (heap->waiting[i] != NULL)
            return take(heap, i);
    return NULL;
}

/* The smallest one that is enough, so that little costs no large one, or else the largest or NULL.
 */
static struct stoa_heap_block *take_surplus(struct stoa_heap *heap, size_t nbytes, bool or_largest)
{
    unsigned i = nbytes > LARGE_NBYTES ? number_of(round_up(nbytes)) : 0;

    while (i < STOA_HEAP_NSIZES && heap->waiting[i] == NULL)
        i++;
    if (i == STOA_HEAP_NSIZES && !or_largest)
        return NULL;
    while (i == STOA_HEAP_NSIZES || heap->waiting[i] == NULL)
        i--;
    return take(heap, i);
}

static void put(struct stoa_heap *heap, struct stoa_heap_block *block)
{
    const unsigned number = number_of(block->nbytes);

    block->next = heap->waiting[number];
    heap->waiting[number] = block;
    heap->nkept += block->nbytes;
}

/* How much may be in use and wait. */
static size_t most(const struct stoa_heap *heap)
{
    return (heap->nholders > 0 ? heap->npeak : heap->nused) + STOA_HEAP_SPARE_NBYTES;
}

/* Those that are too many. */
static struct stoa_heap_block *trim(struct stoa_heap *heap)
{
    struct stoa_heap_block *surplus = NULL;

    while (heap->nused + heap->nkept > most(heap)) {
        struct stoa_heap_block *block =
            take_surplus(heap, heap->nused + heap->nkept - most(heap), true);

        block->next = surplus;
        surplus = block;
    }
    return surplus;
}

/* ---- Large blocks. ---- */

static void unmap(struct stoa_heap_block *block)
{
    while (block != NULL) {
        struct stoa_heap_block *next = block->next;

        (void)munmap(block, block->nbytes);
        block = next;
    }
}

/* Addresses: they take no memory before they are written to. */
static void *map_anywhere(size_t nbytes)
{
    return mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* The bytes of a block in a larger one, elsewhere maybe; MAP_FAILED: `old` stays. */
static void *grow(struct stoa_heap_block *old, size_t nbytes)
{
#ifdef __SANITIZE_THREAD__
    /* It does not see that mremap() gives addresses away, which another thread may get next. */
    void *block = map_anywhere(nbytes);

    if (block != MAP_FAILED) {
        memcpy(block, old, old->nbytes);
        (void)munmap(old, old->nbytes);
    }
    return block;
#else
    return mremap(old, old->nbytes, nbytes, MREMAP_MAYMOVE);
#endif
}

/* The lock is held. */
static void drop_field(struct stoa_heap *heap)
{
    if (heap->field_nbytes > 0)
        (void)munmap(heap->field, heap->field_nbytes);
    heap->field_nbytes = 0;
}

/* The lock is held. */
static void renew_field(struct stoa_heap *heap)
{
    char *begin = map_anywhere(FIELD_NBYTES + HUGE_NBYTES), *field;
    size_t before;

    drop_field(heap);
    if (begin == MAP_FAILED)
        return;
    before = -(uintptr_t)begin & (HUGE_NBYTES - 1);
    field = begin + before;
    if (before > 0)
        (void)munmap(begin, before);
    (void)munmap(field + FIELD_NBYTES, HUGE_NBYTES - before);
    heap->field = field;
    heap->field_nbytes = FIELD_NBYTES;
    if (madvise(field, FIELD_NBYTES, MADV_HUGEPAGE) != 0) /* the system may not have them */
        drop_field(heap);
}

/* The next nbytes of the field, or NULL where small pages do. */
static void *cut_field(struct stoa_heap *heap, size_t nbytes)
{
    char *block = NULL;

    pthread_mutex_lock(&heap->lock);
    if (heap->nhuge > 0 && heap->nused + heap->nkept + nbytes > STOA_HEAP_SPARE_NBYTES &&
        nbytes <= FIELD_NBYTES / 4) {
        if (nbytes > heap->field_nbytes)
            renew_field(heap);
        if (nbytes <= heap->field_nbytes) {
            block = heap->field;
            heap->field += nbytes;
            heap->field_nbytes -= nbytes;
        }
    }
    pthread_mutex_unlock(&heap->lock);
    return block;
}

/* nbytes at `old`, or anywhere when that is NULL; NULL: the system has not as much. */
static struct stoa_heap_block *map(struct stoa_heap *heap, struct stoa_heap_block *old,
                                   size_t nbytes)
{
    struct stoa_heap_block *block;

    if (old != NULL)
        block = grow(old, nbytes);
    else if ((block = cut_field(heap, nbytes)) == NULL)
        block = map_anywhere(nbytes);
    if (block == MAP_FAILED)
        return NULL;
    block->nbytes = nbytes;
    return block;
}

/* Cuts a block to nbytes. What it is too long is *rest, but for an odd end, which is unmapped. */
static void cut(struct stoa_heap_block *block, size_t nbytes, struct stoa_heap_block **rest)
{
    const size_t nmore = block->nbytes - nbytes, nrest = nmore > 0 ? round_down(nmore) : 0;
    char *at = (char *)block + nbytes;

    block->nbytes = nbytes;
    if (nrest < nmore)
        (void)munmap(at + nrest, nmore - nrest);
    if (nrest > 0) {
        *rest = (void *)at;
        (*rest)->nbytes = nrest;
    }
}

/*
 * One of nbytes or a little more out of one that waits, or NULL. Where a new one would be too many,
 * one that is larger is cut or, with may_grow, one that is smaller grows, as its pages are there.
 */
static struct stoa_heap_block *reuse(struct stoa_heap *heap, size_t nbytes, bool may_grow,
                                     struct stoa_heap_block **rest)
{
    struct stoa_heap_block *block, *other = NULL;

    *rest = NULL;
    pthread_mutex_lock(&heap->lock);
    block = take_fitting(heap, nbytes);
    if (block == NULL && heap->nkept > 0 && heap->nused + heap->nkept + nbytes > most(heap))
        other = take_surplus(heap, nbytes, may_grow);
    pthread_mutex_unlock(&heap->lock);
    if (other == NULL)
        return block;
    if (other->nbytes >= nbytes) {
        cut(other, nbytes, rest);
        return other;
    }
    block = map(heap, other, nbytes);
    if (block == NULL)
        (void)munmap(other, other->nbytes);
    return block;
}

/* Counts nbytes more in use; `rest`, if any, waits from now on. */
static void count(struct stoa_heap *heap, size_t nbytes, struct stoa_heap_block *rest)
{
    struct stoa_heap_block *surplus;

    pthread_mutex_lock(&heap->lock);
    heap->nused += nbytes;
    if (rest != NULL)
        put(heap, rest);
    if (heap->nused > heap->npeak)
        heap->npeak = heap->nused;
    surplus = trim(heap);
    pthread_mutex_unlock(&heap->lock);
    unmap(surplus);
}

static struct stoa_heap_block *large_new(struct stoa_heap *heap, size_t nbytes)
{
    struct stoa_heap_block *rest, *block = reuse(heap, nbytes, true, &rest);

    if (block == NULL)
        block = map(heap, NULL, nbytes);
    if (block != NULL)
        count(heap, block->nbytes, rest);
    return block;
}

static void large_free(struct stoa_heap *heap, struct stoa_heap_block *block)
{
    struct stoa_heap_block *surplus;

    pthread_mutex_lock(&heap->lock);
    heap->nused -= block->nbytes;
    put(heap, block);
    surplus = trim(heap);
    pthread_mutex_unlock(&heap->lock);
    unmap(surplus);
}

/*
 * The same bytes in a larger block: one that waits, or pages behind those that are there. To let
 * one that waits grow would take as much as the bytes have, besides copying them.
 */
static struct stoa_heap_block *large_grow(struct stoa_heap *heap, struct stoa_heap_block *old,
                                          size_t nbytes)
{
    const size_t nmore = nbytes - old->nbytes;
    struct stoa_heap_block *rest, *block = reuse(heap, nbytes, false, &rest);

    if (block == NULL) {
        block = map(heap, old, nbytes);
        if (block != NULL)
            count(heap, nmore, NULL);
        return block;
    }
    count(heap, block->nbytes, rest);
    memcpy(memory_of(block), memory_of(old), old->nbytes - sizeof(*old));
    large_free(heap, old);
    return block;
}

/* The first nbytes of a block; the rest waits. */
static void large_shrink(struct stoa_heap *heap, struct stoa_heap_block *block, size_t nbytes)
{
    const size_t nless = block->nbytes - nbytes;
    struct stoa_heap_block *surplus, *rest = NULL;

    cut(block, nbytes, &rest);
    pthread_mutex_lock(&heap->lock);
    heap->nused -= nless;
    if (rest != NULL)
        put(heap, rest);
    surplus = trim(heap);
    pthread_mutex_unlock(&heap->lock);
    unmap(surplus);
}

/* ---- What the library calls. ---- */

void stoa_heap_release(void *heap, void *memory)
{
    struct stoa_heap_block *block = block_of(memory);

    if (block->nbytes >= LARGE_NBYTES)
        large_free(heap, block);
    else
        free(block);
}

void *stoa_heap_reallocate(void *heap, void *memory, size_t nbytes)
{
    struct stoa_heap_block *old = memory != NULL ? block_of(memory) : NULL, *block;

    if (nbytes > PTRDIFF_MAX / 2)
        return NULL;
    nbytes += sizeof(*block);
    if (old != NULL && old->nbytes >= LARGE_NBYTES && nbytes < old->nbytes / 2) {
        large_shrink(heap, old, nbytes > LARGE_NBYTES ? round_up(nbytes) : LARGE_NBYTES);
        return memory;
    }
    if (nbytes < LARGE_NBYTES) {
        if (old != NULL && old->nbytes >= LARGE_NBYTES)
            return memory;
        block = realloc(old, nbytes);
        if (block != NULL)
            block->nbytes = nbytes;
        return memory_of(block);
    }
    if (old != NULL && nbytes <= old->nbytes)
        return memory;
    nbytes = round_up(nbytes);
    if (old != NULL && old->nbytes >= LARGE_NBYTES)
        return memory_of(large_grow(heap, old, nbytes));
    block = large_new(heap, nbytes);
    if (block != NULL && old != NULL) {
        memcpy(memory_of(block), memory, old->nbytes - sizeof(*old));
        free(old);
    }
    return memory_of(block);
}

void stoa_heap_hold(struct stoa_heap *heap)
{
    pthread_mutex_lock(&heap->lock);
    if (heap->nholders++ == 0)
        heap->npeak = heap->nused + heap->nkept;
    pthread_mutex_unlock(&heap->lock);
}

void stoa_heap_drop(struct stoa_heap *heap)
{
    struct stoa_heap_block *surplus;

    pthread_mutex_lock(&heap->lock);
    heap->nholders--;
    surplus = trim(heap);
    pthread_mutex_unlock(&heap->lock);
    unmap(surplus);
}

void stoa_heap_begin_huge(struct stoa_heap *heap)
{
    pthread_mutex_lock(&heap->lock);
    heap->nhuge++;
    pthread_mutex_unlock(&heap->lock);
}

void stoa_heap_end_huge(struct stoa_heap *heap)
{
    pthread_mutex_lock(&heap->lock);
    if (--heap->nhuge == 0)
        drop_field(heap);
    pthread_mutex_unlock(&heap->lock);
}
