/*
 * What single rows leave behind in an open file, so that the next row of the same page costs no
 * read, no hash and no decompression: heads of chunks and of segments of dictionaries, and pages of
 * both without compression. All of it was verified.
 *
 * Things lie side by side in blocks, in the order in which they came, because what a row takes is
 * wanted together and goes together: a page of each column. Memory of blocks is used again by the
 * next file that is opened, where that of single pages would be cleared by the system each time.
 *
 * Threads: any, on one store. Something found is held until it is let go; a block of which nobody
 * holds anything may go when the store is full, the least recently used first. Cost: a lock for
 * each call.
 */
#ifndef STOA_FILE_KEPT_H
#define STOA_FILE_KEPT_H

#include <pthread.h>

#include "base/alloc.h"
#include "file/chunk_pages.h"

enum stoa_kept_kind {
    STOA_KEPT_HEAD,    /* of a chunk: its `pages` */
    STOA_KEPT_PAGE,    /* of a chunk: its `page` without compression */
    STOA_KEPT_VALUES,  /* of a page that needs all of its bases: a PLAIN `page` of its values */
    STOA_KEPT_SEGMENT, /* of a shared dictionary: its `pages` */
    STOA_KEPT_ENTRIES, /* of a segment: a `page` of values, without compression */
};

/*
 * Of which chunk, and of a page which one of its stored pages. A place in the file is no name: a
 * hostile footer may put two chunks of different types and shapes at one place. A segment has its
 * number and the width of its values in place of row group and node, and whether it is the copy in
 * place of the page.
 */
struct stoa_kept_name {
    uint32_t kind;
    uint32_t row_group;
    uint32_t node;
    uint32_t page;
};

/* One thing: the member of its kind. What they point to is memory of the store. */
struct stoa_kept {
    struct stoa_chunk_pages pages;
    struct {
        uint8_t *data;
        size_t nbytes;
    } page;

    /* Of the store. */
    struct stoa_kept_name name;
    struct stoa_kept_block *block; /* where it is */
    struct stoa_kept *before;      /* in the block */
    struct stoa_kept *next;        /* of the same slot */
    bool is_added;
};

#define STOA_KEEPER_NSLOTS 1024

struct stoa_keeper {
    pthread_mutex_t lock;
    size_t max_nbytes;
    size_t block_nbytes;
    size_t nbytes; /* of the blocks */
    struct stoa_kept *slots[STOA_KEEPER_NSLOTS];
    struct stoa_kept_block *filling; /* what comes next goes here; or NULL */
    struct stoa_kept_block *newest;
    struct stoa_kept_block *oldest;
};

/* An empty store of at most max_nbytes, and what is held; reset when nobody holds anything. */
void stoa_keeper_init(struct stoa_keeper *keeper, size_t max_nbytes);
void stoa_keeper_reset(struct stoa_keeper *keeper);

/* What has that name, held for the caller; or NULL. */
struct stoa_kept *stoa_keeper_find(struct stoa_keeper *keeper, struct stoa_kept_name name);

/*
 * A thing with nbytes bytes of memory in page.data, held for the caller, who fills it; nobody finds
 * it before it is added.
 */
STOA_CHECK enum stoa_status stoa_keeper_make(struct stoa_keeper *keeper, size_t nbytes,
                                             struct stoa_kept **out, struct stoa_error *err);

/*
 * Gives a thing that was made a name. Returns it, or the one that another thread was first with,
 * which is held for the caller then in place of the other.
 */
struct stoa_kept *stoa_keeper_add(struct stoa_keeper *keeper, struct stoa_kept_name name,
                                  struct stoa_kept *made);

/* NULL is nothing. What was made and not added is gone. */
void stoa_keeper_release(struct stoa_keeper *keeper, struct stoa_kept *kept);

#endif
