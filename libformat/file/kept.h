/*
 * What single rows leave behind in an open file, so that the next row of the same page costs no
 * read, no hash and no decompression: heads of chunks and of segments of dictionaries, and pages of
 * both without compression. All of it was verified.
 *
 * Threads: any, on one store. Something found is held until it is let go; what nobody holds may go
 * when the store is full, the least recently used first. Cost: a lock for each call.
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

/* One thing: the member of its kind. */
struct stoa_kept {
    struct stoa_chunk_pages pages;
    struct stoa_buffer page;

    /* Of the store. */
    struct stoa_kept_name name;
    size_t nbytes;
    unsigned nholders;
    struct stoa_kept *next; /* of the same slot */
    struct stoa_kept *newer;
    struct stoa_kept *older;
};

#define STOA_KEEPER_NSLOTS 1024

struct stoa_keeper {
    pthread_mutex_t lock;
    size_t max_nbytes;
    size_t nbytes;
    struct stoa_kept *slots[STOA_KEEPER_NSLOTS];
    struct stoa_kept *newest;
    struct stoa_kept *oldest;
};

/* An empty store of at most max_nbytes, and what is held; reset when nobody holds anything. */
void stoa_keeper_init(struct stoa_keeper *keeper, size_t max_nbytes);
void stoa_keeper_reset(struct stoa_keeper *keeper);

/* What has that name, held for the caller; or NULL. */
struct stoa_kept *stoa_keeper_find(struct stoa_keeper *keeper, struct stoa_kept_name name);

/*
 * Takes over the members of *thing, which is left empty, under a name. *out is held for the caller:
 * the new thing, or the one that another thread was first with.
 */
STOA_CHECK enum stoa_status stoa_keeper_add(struct stoa_keeper *keeper, struct stoa_kept_name name,
                                            struct stoa_kept *thing, struct stoa_kept **out,
                                            struct stoa_error *err);

/* Lets go what was found or added; NULL is nothing. */
void stoa_keeper_release(struct stoa_keeper *keeper, struct stoa_kept *kept);

#endif
