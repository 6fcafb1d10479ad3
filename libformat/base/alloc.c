/*
 * Memory through one hook, with checked products.
 */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc_heap.h"
#include "base/bits.h"
#include "base/error.h"

/*
 * The address sanitizer looks at each block by itself, as it came from malloc.
 */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

static struct stoa_heap heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

#ifdef HAS_SANITIZER
static void *plain_reallocate(void *context, void *memory, size_t nbytes)
{
    (void)context;
    return realloc(memory, nbytes);
}

static void plain_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static const struct stoa_allocator default_allocator = {plain_reallocate, plain_release, NULL};
static struct stoa_allocator current = {plain_reallocate, plain_release, NULL};
#else
static const struct stoa_allocator default_allocator = {stoa_heap_reallocate, stoa_heap_release,
                                                        &heap};
static struct stoa_allocator current = {stoa_heap_reallocate, stoa_heap_release, &heap};
#endif

/*
 * A child of fork() may allocate, also when another thread of the parent was just doing so: the
 * lock is held by who forks, as malloc's is.
 */
static void lock_heap(void)
{
    pthread_mutex_lock(&heap.lock);
}

static void unlock_heap(void)
{
    pthread_mutex_unlock(&heap.lock);
}

__attribute__((constructor)) static void survive_fork(void)
{
    (void)pthread_atfork(lock_heap, unlock_heap, unlock_heap);
}

void stoa_allocator_set(const struct stoa_allocator *allocator)
{
    current = allocator != NULL ? *allocator : default_allocator;
}

void stoa_alloc_hold(void)
{
    stoa_heap_hold(&heap);
}

void stoa_alloc_drop(void)
{
    stoa_heap_drop(&heap);
}

void stoa_alloc_begin_huge(void)
{
    stoa_heap_begin_huge(&heap);
}

void stoa_alloc_end_huge(void)
{
    stoa_heap_end_huge(&heap);
}

void stoa_free(void *memory)
{
    if (memory != NULL)
        current.release(current.context, memory);
}

/* `memory` points to a pointer of some type: memcpy reads and writes it without aliasing it. */
static enum stoa_status resize(void *memory, size_t nbytes, struct stoa_error *err)
{
    void *block;

    memcpy(&block, memory, sizeof(block));
    block = current.reallocate(current.context, block, nbytes > 0 ? nbytes : 1);
    if (block == NULL)
        return stoa_fail_nomem(err, nbytes);
    memcpy(memory, &block, sizeof(block));
    return STOA_OK;
}

enum stoa_status stoa_alloc(void *out, size_t nbytes, struct stoa_error *err)
{
    void *none = NULL;
    enum stoa_status st = resize(&none, nbytes, err);

    if (st == STOA_OK)
        memcpy(out, &none, sizeof(none));
    return st;
}

enum stoa_status stoa_alloc_zeroed(void *out, size_t count, size_t size, struct stoa_error *err)
{
    void *block;
    size_t nbytes;
    enum stoa_status st;

    if (!stoa_mul_size(count, size, &nbytes))
        return stoa_fail_nomem(err, SIZE_MAX);
    st = stoa_alloc(&block, nbytes, err);
    if (st == STOA_OK) {
        memset(block, 0, nbytes);
        memcpy(out, &block, sizeof(block));
    }
    return st;
}

enum stoa_status stoa_realloc(void *memory, size_t count, size_t size, struct stoa_error *err)
{
    size_t nbytes;

    if (!stoa_mul_size(count, size, &nbytes))
        return stoa_fail_nomem(err, SIZE_MAX);
    return resize(memory, nbytes, err);
}

enum stoa_status stoa_reserve(void *memory, size_t *capacity, size_t need, size_t size,
                              struct stoa_error *err)
{
    size_t room = *capacity;
    enum stoa_status st;

    if (need <= room)
        return STOA_OK;
    room = room < SIZE_MAX / 2 ? room * 2 : need;
    if (room < need)
        room = need;
    if (room < 16)
        room = 16;
    st = stoa_realloc(memory, room, size, err);
    if (st == STOA_OK)
        *capacity = room;
    return st;
}

enum stoa_status stoa_strndup(char **out, const char *text, size_t nbytes, struct stoa_error *err)
{
    char *copy;
    enum stoa_status st;

    if (nbytes == SIZE_MAX)
        return stoa_fail_nomem(err, nbytes);
    st = stoa_alloc(&copy, nbytes + 1, err);
    if (st != STOA_OK)
        return st;
    if (nbytes > 0)
        memcpy(copy, text, nbytes);
    copy[nbytes] = '\0';
    *out = copy;
    return STOA_OK;
}

void stoa_buffer_free(struct stoa_buffer *buffer)
{
    stoa_free(buffer->data);
    *buffer = (struct stoa_buffer){0};
}

enum stoa_status stoa_buffer_reserve(struct stoa_buffer *buffer, size_t extra,
                                     struct stoa_error *err)
{
    if (extra > SIZE_MAX - buffer->nbytes)
        return stoa_fail_nomem(err, SIZE_MAX);
    return stoa_reserve(&buffer->data, &buffer->capacity, buffer->nbytes + extra, 1, err);
}

enum stoa_status stoa_buffer_resize(struct stoa_buffer *buffer, size_t nbytes,
                                    struct stoa_error *err)
{
    enum stoa_status st = stoa_reserve(&buffer->data, &buffer->capacity, nbytes, 1, err);

    if (st == STOA_OK)
        buffer->nbytes = nbytes;
    return st;
}

enum stoa_status stoa_buffer_append(struct stoa_buffer *buffer, const void *bytes, size_t nbytes,
                                    struct stoa_error *err)
{
    enum stoa_status st = stoa_buffer_reserve(buffer, nbytes, err);

    if (st == STOA_OK && nbytes > 0) {
        memcpy(buffer->data + buffer->nbytes, bytes, nbytes);
        buffer->nbytes += nbytes;
    }
    return st;
}

enum stoa_status stoa_buffer_append_zeros(struct stoa_buffer *buffer, size_t nbytes,
                                          struct stoa_error *err)
{
    enum stoa_status st = stoa_buffer_reserve(buffer, nbytes, err);

    if (st == STOA_OK && nbytes > 0) {
        memset(buffer->data + buffer->nbytes, 0, nbytes);
        buffer->nbytes += nbytes;
    }
    return st;
}
