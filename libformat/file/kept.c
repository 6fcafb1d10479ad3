/*
 * The store of single rows (file/kept.h): a table of lists by hash, blocks in a list by age.
 *
 *     slots    [ ] [.] [ ] [.] ...
 *                   |       `------------.
 *     blocks   | head | page    | head | page |  room |   filled from the left, dropped as a whole
 *              `- newer, older -'
 */
#include "file/kept.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"

_Static_assert(sizeof(struct stoa_kept_name) == 16, "names are compared and hashed as bytes");

/*
 * A row of many columns takes one or two blocks, and base/alloc_heap.h uses them again. A store has
 * some all the same, of less memory each where it has little. The address sanitizer looks at each
 * thing by itself.
 */
enum { NBLOCKS = 16, MIN_BLOCK_NBYTES = 1024, MAX_BLOCK_NBYTES = 256 << 10 };

#if defined(__SANITIZE_ADDRESS__)
#define ONE_EACH true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_EACH true
#endif
#endif
#ifndef ONE_EACH
#define ONE_EACH false
#endif

struct stoa_kept_block {
    size_t nbytes; /* with this */
    size_t nused;
    size_t nholders;
    struct stoa_kept *last;
    struct stoa_kept_block *newer;
    struct stoa_kept_block *older;
};

static size_t aligned(size_t nbytes)
{
    return (nbytes + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

void stoa_keeper_init(struct stoa_keeper *keeper, size_t max_nbytes)
{
    size_t nbytes = max_nbytes / NBLOCKS;

    nbytes = nbytes < MIN_BLOCK_NBYTES ? MIN_BLOCK_NBYTES : nbytes;
    nbytes = nbytes > MAX_BLOCK_NBYTES ? MAX_BLOCK_NBYTES : nbytes;
    *keeper = (struct stoa_keeper){.max_nbytes = max_nbytes, .block_nbytes = nbytes};
    (void)pthread_mutex_init(&keeper->lock, NULL); /* never fails without attributes */
}

void stoa_keeper_reset(struct stoa_keeper *keeper)
{
    for (struct stoa_kept_block *block = keeper->newest, *older; block != NULL; block = older) {
        older = block->older;
        assert(block->nholders == 0);
        stoa_free(block);
    }
    (void)pthread_mutex_destroy(&keeper->lock);
}

/* ---- Under the lock. ---- */

static struct stoa_kept **slot_of(struct stoa_keeper *keeper, const struct stoa_kept_name *name)
{
    return &keeper->slots[stoa_hash(name, sizeof(*name)) % STOA_KEEPER_NSLOTS];
}

static struct stoa_kept *find(struct stoa_keeper *keeper, const struct stoa_kept_name *name)
{
    struct stoa_kept *kept = *slot_of(keeper, name);

    while (kept != NULL && memcmp(&kept->name, name, sizeof(*name)) != 0)
        kept = kept->next;
    return kept;
}

static void unlink_age(struct stoa_keeper *keeper, struct stoa_kept_block *block)
{
    if (block->newer != NULL)
        block->newer->older = block->older;
    else
        keeper->newest = block->older;
    if (block->older != NULL)
        block->older->newer = block->newer;
    else
        keeper->oldest = block->newer;
}

static void make_newest(struct stoa_keeper *keeper, struct stoa_kept_block *block)
{
    block->newer = NULL;
    block->older = keeper->newest;
    if (keeper->newest != NULL)
        keeper->newest->newer = block;
    else
        keeper->oldest = block;
    keeper->newest = block;
}

static struct stoa_kept *hold(struct stoa_keeper *keeper, struct stoa_kept *kept)
{
    kept->block->nholders++;
    if (keeper->newest != kept->block) {
        unlink_age(keeper, kept->block);
        make_newest(keeper, kept->block);
    }
    return kept;
}

static void drop(struct stoa_keeper *keeper, struct stoa_kept_block *block)
{
    for (struct stoa_kept *kept = block->last; kept != NULL; kept = kept->before) {
        struct stoa_kept **at = slot_of(keeper, &kept->name);

        if (!kept->is_added)
            continue;
        while (*at != kept)
            at = &(*at)->next;
        *at = kept->next;
    }
    if (keeper->filling == block)
        keeper->filling = NULL;
    unlink_age(keeper, block);
    keeper->nbytes -= block->nbytes;
    stoa_free(block);
}

/* Drops the oldest blocks that are not held until there is room, or nothing more to drop. */
static void make_room(struct stoa_keeper *keeper)
{
    struct stoa_kept_block *block = keeper->oldest;

    while (block != NULL && keeper->nbytes > keeper->max_nbytes) {
        struct stoa_kept_block *newer = block->newer;

        if (block->nholders == 0)
            drop(keeper, block);
        block = newer;
    }
}

/* nbytes of a block, the thing among them, or NULL. */
static struct stoa_kept *cut(struct stoa_kept_block *block, size_t nbytes)
{
    struct stoa_kept *kept;

    if (block == NULL || block->nbytes - block->nused < nbytes)
        return NULL;
    kept = (struct stoa_kept *)(void *)((uint8_t *)block + block->nused);
    *kept = (struct stoa_kept){.block = block, .before = block->last};
    block->last = kept;
    block->nused += nbytes;
    return kept;
}

/*
 * Whoever made it has let it go: if nothing came behind it, its memory is free again, and a block
 * with nothing else goes, unless it is the one to be filled.
 */
static void uncut(struct stoa_keeper *keeper, struct stoa_kept *kept)
{
    struct stoa_kept_block *block = kept->block;

    block->nholders--;
    if (block->last != kept)
        return;
    block->last = kept->before;
    block->nused = (size_t)((uint8_t *)kept - (uint8_t *)block);
    if (block->last == NULL && block->nholders == 0 && block != keeper->filling)
        drop(keeper, block);
}

/* ---- The store. ---- */

struct stoa_kept *stoa_keeper_find(struct stoa_keeper *keeper, struct stoa_kept_name name)
{
    struct stoa_kept *kept;

    (void)pthread_mutex_lock(&keeper->lock);
    kept = find(keeper, &name);
    if (kept != NULL)
        hold(keeper, kept);
    (void)pthread_mutex_unlock(&keeper->lock);
    return kept;
}

/* A block for things of up to nbytes bytes; a large one has it for itself. */
static enum stoa_status new_block(const struct stoa_keeper *keeper, size_t nbytes, bool *is_shared,
                                  struct stoa_kept_block **out, struct stoa_error *err)
{
    struct stoa_kept_block *block;
    enum stoa_status st;

    *is_shared = !ONE_EACH && nbytes <= keeper->block_nbytes / 2;
    nbytes = *is_shared ? keeper->block_nbytes : aligned(sizeof(*block)) + nbytes;
    STOA_TRY(stoa_alloc(&block, nbytes, err));
    *block = (struct stoa_kept_block){.nbytes = nbytes, .nused = aligned(sizeof(*block))};
    *out = block;
out:
    return st;
}

enum stoa_status stoa_keeper_make(struct stoa_keeper *keeper, size_t nbytes, struct stoa_kept **out,
                                  struct stoa_error *err)
{
    const size_t head_nbytes = aligned(sizeof(**out));
    struct stoa_kept_block *block;
    struct stoa_kept *kept;
    size_t all_nbytes;
    bool is_shared;
    enum stoa_status st = STOA_OK;

    if (nbytes > SIZE_MAX / 2)
        return stoa_fail_nomem(err, nbytes);
    all_nbytes = head_nbytes + aligned(nbytes);
    (void)pthread_mutex_lock(&keeper->lock);
    kept = cut(keeper->filling, all_nbytes);
    if (kept != NULL)
        hold(keeper, kept);
    (void)pthread_mutex_unlock(&keeper->lock);
    if (kept == NULL) {
        STOA_TRY(new_block(keeper, all_nbytes, &is_shared, &block, err));
        kept = cut(block, all_nbytes);
        (void)pthread_mutex_lock(&keeper->lock);
        keeper->nbytes += block->nbytes;
        make_newest(keeper, block);
        if (is_shared)
            keeper->filling = block;
        hold(keeper, kept);
        make_room(keeper);
        (void)pthread_mutex_unlock(&keeper->lock);
    }
    kept->page.data = (uint8_t *)kept + head_nbytes;
    kept->page.nbytes = nbytes;
    *out = kept;
out:
    return st;
}

struct stoa_kept *stoa_keeper_add(struct stoa_keeper *keeper, struct stoa_kept_name name,
                                  struct stoa_kept *made)
{
    struct stoa_kept *kept, **slot;

    (void)pthread_mutex_lock(&keeper->lock);
    kept = find(keeper, &name);
    if (kept != NULL) {
        uncut(keeper, made);
        hold(keeper, kept);
        make_room(keeper);
    } else {
        kept = made;
        kept->name = name;
        kept->is_added = true;
        slot = slot_of(keeper, &name);
        kept->next = *slot;
        *slot = kept;
    }
    (void)pthread_mutex_unlock(&keeper->lock);
    return kept;
}

void stoa_keeper_release(struct stoa_keeper *keeper, struct stoa_kept *kept)
{
    if (kept == NULL)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    if (kept->is_added)
        kept->block->nholders--;
    else
        uncut(keeper, kept);
    make_room(keeper);
    (void)pthread_mutex_unlock(&keeper->lock);
}
