/*
 * The store of single rows (file/kept.h): a table of lists by hash, and one list by age.
 */
#include "file/kept.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

_Static_assert(sizeof(struct stoa_kept_name) == 16, "names are compared and hashed as bytes");

static void free_kept(struct stoa_kept *kept)
{
    stoa_chunk_pages_reset(&kept->pages);
    stoa_buffer_free(&kept->page);
    stoa_free(kept);
}

void stoa_keeper_init(struct stoa_keeper *keeper, size_t max_nbytes)
{
    *keeper = (struct stoa_keeper){.max_nbytes = max_nbytes};
    (void)pthread_mutex_init(&keeper->lock, NULL); /* never fails without attributes */
}

void stoa_keeper_reset(struct stoa_keeper *keeper)
{
    for (struct stoa_kept *kept = keeper->newest, *older; kept != NULL; kept = older) {
        older = kept->older;
        assert(kept->nholders == 0);
        free_kept(kept);
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

static void unlink_age(struct stoa_keeper *keeper, struct stoa_kept *kept)
{
    if (kept->newer != NULL)
        kept->newer->older = kept->older;
    else
        keeper->newest = kept->older;
    if (kept->older != NULL)
        kept->older->newer = kept->newer;
    else
        keeper->oldest = kept->newer;
}

static void make_newest(struct stoa_keeper *keeper, struct stoa_kept *kept)
{
    kept->newer = NULL;
    kept->older = keeper->newest;
    if (keeper->newest != NULL)
        keeper->newest->newer = kept;
    else
        keeper->oldest = kept;
    keeper->newest = kept;
}

/* Drops what is oldest and not held until there is room, or nothing more to drop. */
static void make_room(struct stoa_keeper *keeper)
{
    struct stoa_kept *kept = keeper->oldest;

    while (kept != NULL && keeper->nbytes > keeper->max_nbytes) {
        struct stoa_kept *newer = kept->newer, **at = slot_of(keeper, &kept->name);

        if (kept->nholders == 0) {
            while (*at != kept)
                at = &(*at)->next;
            *at = kept->next;
            unlink_age(keeper, kept);
            keeper->nbytes -= kept->nbytes;
            free_kept(kept);
        }
        kept = newer;
    }
}

/* ---- The store. ---- */

struct stoa_kept *stoa_keeper_find(struct stoa_keeper *keeper, struct stoa_kept_name name)
{
    struct stoa_kept *kept;

    (void)pthread_mutex_lock(&keeper->lock);
    kept = find(keeper, &name);
    if (kept != NULL) {
        kept->nholders++;
        unlink_age(keeper, kept);
        make_newest(keeper, kept);
    }
    (void)pthread_mutex_unlock(&keeper->lock);
    return kept;
}

static size_t size_of(const struct stoa_kept *kept)
{
    return sizeof(*kept) + kept->pages.npages * sizeof(kept->pages.pages[0]) + kept->page.capacity;
}

enum stoa_status stoa_keeper_add(struct stoa_keeper *keeper, struct stoa_kept_name name,
                                 struct stoa_kept *thing, struct stoa_kept **out,
                                 struct stoa_error *err)
{
    struct stoa_kept *mine, *kept, **slot;
    enum stoa_status st = stoa_alloc(&mine, sizeof(*mine), err);

    if (st != STOA_OK)
        return st;
    *mine = *thing;
    *thing = (struct stoa_kept){0};
    mine->name = name;
    mine->nbytes = size_of(mine);
    (void)pthread_mutex_lock(&keeper->lock);
    kept = find(keeper, &name);
    if (kept == NULL) {
        kept = mine;
        mine = NULL;
        slot = slot_of(keeper, &name);
        kept->next = *slot;
        *slot = kept;
        make_newest(keeper, kept);
        keeper->nbytes += kept->nbytes;
    }
    kept->nholders++;
    make_room(keeper);
    (void)pthread_mutex_unlock(&keeper->lock);
    if (mine != NULL)
        free_kept(mine);
    *out = kept;
    return STOA_OK;
}

void stoa_keeper_release(struct stoa_keeper *keeper, struct stoa_kept *kept)
{
    if (kept == NULL)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    kept->nholders--;
    make_room(keeper);
    (void)pthread_mutex_unlock(&keeper->lock);
}
