/*
 * Memory of the command: large blocks are kept when they are freed, and used again.
 *
 * A conversion frees the columns and texts of a row group and asks for as much again at once. In
 * between malloc gives blocks of that size back to the system, which has to clear them page by page
 * when they are touched the next time.
 *
 *     | struct block, 16 bytes | what was asked for ... |
 *
 *     small     from malloc
 *     large     mapped; freed ones wait in a line, in the order in which they were freed
 *
 * What is in use and what waits are together never more than what was in use at the peak. So
 * keeping blocks makes no command larger than it was anyway.
 */
#include "heap.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_NBYTES ((size_t)64 << 10)

/* In front of each block. What follows is aligned as malloc's blocks are. */
struct block {
    size_t nbytes; /* with this */
    struct block *next;
};
_Static_assert(sizeof(struct block) % _Alignof(max_align_t) == 0, "blocks are not aligned");

static struct block *block_of(void *memory)
{
    return (struct block *)((char *)memory - sizeof(struct block));
}

static void *memory_of(struct block *block)
{
    return block != NULL ? (char *)block + sizeof(*block) : NULL;
}

/* Eight sizes of large blocks between powers of two, so that one that was freed fits others. */
static size_t round_up(size_t nbytes)
{
    const size_t step = ((size_t)1 << (63 - __builtin_clzll(nbytes))) / 8;

    return (nbytes + step - 1) & ~(step - 1);
}

/* ---- The line of those that wait. The lock is held. ---- */

/* Where the smallest block of [nbytes, max_nbytes] hangs, or NULL. */
static struct block **find(struct heap *heap, size_t nbytes, size_t max_nbytes)
{
    struct block **best = NULL;

    for (struct block **at = &heap->first; *at != NULL; at = &(*at)->next)
        if ((*at)->nbytes >= nbytes && (*at)->nbytes <= max_nbytes &&
            (best == NULL || (*at)->nbytes < (*best)->nbytes))
            best = at;
    return best;
}

static struct block *take(struct heap *heap, struct block **at)
{
    struct block *taken = *at;

    *at = taken->next;
    if (*at == NULL)
        heap->end = at;
    heap->nkept -= taken->nbytes;
    return taken;
}

static void put(struct heap *heap, struct block *block)
{
    block->next = NULL;
    *heap->end = block;
    heap->end = &block->next;
    heap->nused -= block->nbytes;
    heap->nkept += block->nbytes;
}

/*
 * Counts nbytes more in use. Returns those that are too many then: the smallest one that is enough,
 * so that a small block costs no large one, else those that have waited longest.
 */
static struct block *count(struct heap *heap, size_t nbytes)
{
    struct block *surplus = NULL;

    heap->nused += nbytes;
    if (heap->nused > heap->npeak)
        heap->npeak = heap->nused;
    while (heap->nused + heap->nkept > heap->npeak) {
        struct block **at = find(heap, heap->nused + heap->nkept - heap->npeak, SIZE_MAX);
        struct block *taken = take(heap, at != NULL ? at : &heap->first);

        taken->next = surplus;
        surplus = taken;
    }
    return surplus;
}

/* ---- Large blocks. ---- */

static void unmap(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;

        (void)munmap(block, block->nbytes);
        block = next;
    }
}

/* One that waits, or NULL; then nbytes more are going to be mapped, and are counted. */
static struct block *take_or_count(struct heap *heap, size_t nbytes, size_t nmapped)
{
    struct block *block, *surplus, **at;

    pthread_mutex_lock(&heap->lock);
    at = find(heap, nbytes, nbytes + nbytes / 4);
    block = at != NULL ? take(heap, at) : NULL;
    surplus = count(heap, block != NULL ? block->nbytes : nmapped);
    pthread_mutex_unlock(&heap->lock);
    unmap(surplus);
    return block;
}

/*
 * What mmap() or mremap() came back with. When that failed, the bytes that were counted for it are
 * taken back.
 */
static struct block *mapped(struct heap *heap, void *memory, size_t nbytes, size_t ncounted)
{
    struct block *block = memory;

    if (memory == MAP_FAILED) {
        pthread_mutex_lock(&heap->lock);
        heap->nused -= ncounted;
        pthread_mutex_unlock(&heap->lock);
        return NULL;
    }
    block->nbytes = nbytes;
    return block;
}

static struct block *large_new(struct heap *heap, size_t nbytes)
{
    struct block *block = take_or_count(heap, nbytes, nbytes);

    if (block != NULL)
        return block;
    return mapped(heap,
                  mmap(NULL, nbytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                  nbytes, nbytes);
}

static void large_free(struct heap *heap, struct block *block)
{
    pthread_mutex_lock(&heap->lock);
    put(heap, block);
    pthread_mutex_unlock(&heap->lock);
}

/* The same bytes in a larger block: one that waits, or pages behind those that are there. */
static struct block *large_grow(struct heap *heap, struct block *old, size_t nbytes)
{
    const size_t nmore = nbytes - old->nbytes;
    struct block *block = take_or_count(heap, nbytes, nmore);

    if (block == NULL)
        return mapped(heap, mremap(old, old->nbytes, nbytes, MREMAP_MAYMOVE), nbytes, nmore);
    memcpy(memory_of(block), memory_of(old), old->nbytes - sizeof(*old));
    large_free(heap, old);
    return block;
}

/* ---- What the library calls. ---- */

static void release(void *context, void *memory)
{
    struct block *block = block_of(memory);

    if (block->nbytes >= LARGE_NBYTES)
        large_free(context, block);
    else
        free(block);
}

static void *reallocate(void *context, void *memory, size_t nbytes)
{
    struct block *old = memory != NULL ? block_of(memory) : NULL, *block;

    if (nbytes > PTRDIFF_MAX / 2)
        return NULL;
    nbytes += sizeof(*block);
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
        return memory_of(large_grow(context, old, nbytes));
    block = large_new(context, nbytes);
    if (block != NULL && old != NULL) {
        memcpy(memory_of(block), memory, old->nbytes - sizeof(*old));
        free(old);
    }
    return memory_of(block);
}

void heap_init(struct heap *heap)
{
    *heap = (struct heap){.allocator = {reallocate, release, heap}, .end = &heap->first};
    pthread_mutex_init(&heap->lock, NULL); /* can't fail on Linux */
}
