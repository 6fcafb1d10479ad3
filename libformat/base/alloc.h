/*
 * The one way to memory. Tests set an allocator that fails on purpose, so nothing in libstoa calls
 * malloc() directly.
 */
#ifndef STOA_BASE_ALLOC_H
#define STOA_BASE_ALLOC_H

#include <stoa/base.h>

/*
 * From hold to drop large blocks that are freed wait for their next use: what takes and frees row
 * groups asks for that, however many do at a time. An allocator of the caller's knows nothing of
 * it. base/alloc_heap.h
 */
void stoa_alloc_hold(void);
void stoa_alloc_drop(void);

/* From begin to end new large blocks are in huge pages. base/alloc_heap.h */
void stoa_alloc_begin_huge(void);
void stoa_alloc_end_huge(void);

/* nbytes (0 counts as 1) of uninitialised memory into *out, or STOA_ERR_NOMEM. */
STOA_CHECK enum stoa_status stoa_alloc(void *out, size_t nbytes, struct stoa_error *err);

/* count * size zeroed bytes; the product is checked. `out` points to a pointer of any type. */
STOA_CHECK enum stoa_status stoa_alloc_zeroed(void *out, size_t count, size_t size,
                                              struct stoa_error *err);

/* Resizes the array *memory to count * size bytes; on failure *memory is untouched. */
STOA_CHECK enum stoa_status stoa_realloc(void *memory, size_t count, size_t size,
                                         struct stoa_error *err);

/*
 * Makes room for `need` elements of `size` bytes in the array *memory of *capacity elements, at
 * least doubling it. On failure nothing changes.
 */
STOA_CHECK enum stoa_status stoa_reserve(void *memory, size_t *capacity, size_t need, size_t size,
                                         struct stoa_error *err);

/* A terminated copy of nbytes bytes. */
STOA_CHECK enum stoa_status stoa_strndup(char **out, const char *text, size_t nbytes,
                                         struct stoa_error *err);

/*
 * A growing run of bytes. `{0}` is empty; stoa_buffer_free() empties it again. data may be NULL
 * while nbytes is 0.
 */
struct stoa_buffer {
    uint8_t *data;
    size_t nbytes;
    size_t capacity;
};

void stoa_buffer_free(struct stoa_buffer *buffer);

/* Room for `extra` more bytes behind nbytes. */
STOA_CHECK enum stoa_status stoa_buffer_reserve(struct stoa_buffer *buffer, size_t extra,
                                                struct stoa_error *err);

/* Sets nbytes; bytes that come to be are uninitialised. */
STOA_CHECK enum stoa_status stoa_buffer_resize(struct stoa_buffer *buffer, size_t nbytes,
                                               struct stoa_error *err);

STOA_CHECK enum stoa_status stoa_buffer_append(struct stoa_buffer *buffer, const void *bytes,
                                               size_t nbytes, struct stoa_error *err);

STOA_CHECK enum stoa_status stoa_buffer_append_zeros(struct stoa_buffer *buffer, size_t nbytes,
                                                     struct stoa_error *err);

#endif
