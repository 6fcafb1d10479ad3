/*
 * The allocator of the command: it uses large blocks again.
 */
#ifndef HEAP_H
#define HEAP_H

#include <pthread.h>

#include <stoa/base.h>

struct heap {
    struct stoa_allocator allocator; /* of it */
    pthread_mutex_t lock;
    struct block *first; /* of those that wait for their next use, by the time they were freed */
    struct block **end;
    size_t nused; /* bytes of large blocks in use, */
    size_t nkept; /* of those that wait, */
    size_t npeak; /* and the most that were ever in use */
};

/* Sets up heap->allocator, for stoa_allocator_set(). What it gave out is never given back. */
void heap_init(struct heap *heap);

#endif
