/*
 * The library's memory when the caller brings none: malloc, and large blocks that are used again.
 *
 * Who reads or writes row groups frees the columns and texts of one and asks for as much at once
 * for the next. In between malloc gives blocks of that size back to the system, which has to clear
 * them page by page when they are touched the next time: half of the time of a scan. So while
 * somebody holds the heap, large blocks wait when they are freed. What is in use and what waits are
 * together at most STOA_HEAP_SPARE_NBYTES more than what was in use at the peak of that time: with
 * none to spare, small blocks would be cut off large ones that are missed a moment later. When
 * nobody holds it, at most STOA_HEAP_SPARE_NBYTES wait.
 *
 * Memory that is touched for the first time is cleared page by page, at a price that is mostly that
 * of being interrupted for it. So who makes columns to be handed away, as a full scan does, asks
 * for huge pages: what is needed beyond STOA_HEAP_SPARE_NBYTES is cut from a field of them then. Up
 * to a huge page more is taken than the blocks have, which is why it must be asked for.
 */
#ifndef STOA_BASE_ALLOC_HEAP_H
#define STOA_BASE_ALLOC_HEAP_H

#include <pthread.h>
#include <stddef.h>

enum {
    STOA_HEAP_NSIZES = 47 * 8, /* of blocks: eight between powers of two, from 2^16 to 2^62 */
    STOA_HEAP_SPARE_NBYTES = 4 << 20,
};

/* All zero, with PTHREAD_MUTEX_INITIALIZER as its lock, is a heap. Any thread may use it. */
struct stoa_heap {
    pthread_mutex_t lock;
    struct stoa_heap_block *waiting[STOA_HEAP_NSIZES]; /* the last one freed comes first */
    size_t nholders;
    size_t nhuge; /* of those who want huge pages */
    char *field;  /* what is left of the addresses in huge pages that blocks are cut from */
    size_t field_nbytes;
    size_t nused; /* bytes of large blocks in use, */
    size_t nkept; /* of those that wait, */
    size_t npeak; /* and the most of both since the first of those who hold it came */
};

/* For a struct stoa_allocator whose context is the heap. */
void *stoa_heap_reallocate(void *heap, void *memory, size_t nbytes);
void stoa_heap_release(void *heap, void *memory);

/* Blocks wait from hold to drop; several may hold it. */
void stoa_heap_hold(struct stoa_heap *heap);
void stoa_heap_drop(struct stoa_heap *heap);

/* New large blocks are in huge pages from begin to end; several may want them. */
void stoa_heap_begin_huge(struct stoa_heap *heap);
void stoa_heap_end_huge(struct stoa_heap *heap);

#endif
