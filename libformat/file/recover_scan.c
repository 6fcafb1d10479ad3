/*
 * The objects of a damaged file (spec/format.md, "Objects").
 *
 *     HEAD | SCHM | RGRP | ########## | RGRP | FOOT
 *                   ^ whole header    ^ found by its magic number, wherever it stands
 *                        `--body----->  no header here: search from behind the last whole header on
 *
 * The search starts behind the header and not behind the body, because bytes may have been taken
 * out of the body: then the next object comes earlier. It finds headers by the eight bytes that
 * all begin with and believes them by their hash.
 */
#include "file/recover_scan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"

#define WINDOW_NBYTES ((size_t)1 << 18)

struct scan {
    struct stoa_source *source;
    uint8_t *window; /* of the search */
    uint64_t window_off;
    size_t window_nbytes;
};

/* Whether there is a whole header at `at`; what this version cannot read is none. */
static enum stoa_status read_header(struct scan *scan, uint64_t at, struct stoa_object *out,
                                    bool *whole, struct stoa_error *err)
{
    uint8_t bytes[STOA_OBJECT_NBYTES];
    enum stoa_status st;

    *whole = false;
    if (at > scan->source->nbytes || scan->source->nbytes - at < sizeof(bytes))
        return STOA_OK;
    st = scan->source->read_at(scan->source, at, bytes, sizeof(bytes), err);
    if (st == STOA_OK)
        *whole = stoa_object_unpack(bytes, out, NULL) == STOA_OK && out->kind != 0;
    return st;
}

/* Reads what the window holds from `from` on, unless it does already. */
static enum stoa_status fill_window(struct scan *scan, uint64_t from, struct stoa_error *err)
{
    uint64_t rest = scan->source->nbytes - from;
    enum stoa_status st = STOA_OK;

    if (from >= scan->window_off &&
        from + STOA_MAGIC_NBYTES <= scan->window_off + scan->window_nbytes)
        return STOA_OK;
    if (scan->window == NULL)
        STOA_TRY(stoa_alloc(&scan->window, WINDOW_NBYTES, err));
    scan->window_nbytes = 0;
    STOA_TRY(scan->source->read_at(scan->source, from, scan->window,
                                   rest < WINDOW_NBYTES ? (size_t)rest : WINDOW_NBYTES, err));
    scan->window_off = from;
    scan->window_nbytes = rest < WINDOW_NBYTES ? (size_t)rest : WINDOW_NBYTES;
out:
    return st;
}

/* Where the first magic number at or behind `from` stands, or UINT64_MAX. */
static enum stoa_status search(struct scan *scan, uint64_t from, uint64_t *at,
                               struct stoa_error *err)
{
    uint64_t size = scan->source->nbytes;
    enum stoa_status st = STOA_OK;

    *at = UINT64_MAX;
    while (from < size && size - from >= STOA_OBJECT_NBYTES) {
        size_t begin, n, found;

        STOA_TRY(fill_window(scan, from, err));
        begin = (size_t)(from - scan->window_off);
        n = scan->window_nbytes - begin;
        found = stoa_object_find_magic(scan->window + begin, n);
        if (found < n) {
            *at = from + found;
            return STOA_OK;
        }
        from += n - (STOA_MAGIC_NBYTES - 1); /* one may begin in the last bytes */
    }
out:
    return st;
}

enum stoa_status stoa_found_append(struct stoa_found_list *list, const struct stoa_found *item,
                                   uint64_t memory_nbytes, struct stoa_error *err)
{
    enum stoa_status st;

    if ((list->nitems + 1) * sizeof(list->items[0]) > memory_nbytes)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "the list of its objects needs more than the %" PRIu64
                         " bytes of memory allowed",
                         memory_nbytes);
    st = stoa_reserve(&list->items, &list->capacity, list->nitems + 1, sizeof(list->items[0]), err);
    if (st == STOA_OK)
        list->items[list->nitems++] = *item;
    return st;
}

static bool is_wanted(const struct stoa_object *object)
{
    return object->kind != STOA_OBJECT_PAD && stoa_object_kind_name(object->kind) != NULL;
}

enum stoa_status stoa_found_scan(struct stoa_source *source, uint64_t memory_nbytes,
                                 struct stoa_found_list *out, struct stoa_error *err)
{
    struct scan scan = {.source = source};
    struct stoa_found_list list = {0};
    uint64_t at = 0, fallback = 0; /* where the search begins when there is no header at `at` */
    enum stoa_status st = STOA_OK;

    while (at != source->nbytes) {
        struct stoa_found item = {.offset = at};
        bool whole;

        STOA_TRY(read_header(&scan, at, &item.object, &whole, err));
        if (whole) {
            uint64_t room = source->nbytes - at - STOA_OBJECT_NBYTES;

            if (is_wanted(&item.object))
                STOA_TRY(stoa_found_append(&list, &item, memory_nbytes, err));
            fallback = at + STOA_OBJECT_NBYTES;
            if (item.object.body_nbytes <= room) {
                at = fallback + item.object.body_nbytes;
                continue;
            }
        }
        STOA_TRY(search(&scan, fallback, &at, err));
        if (at == UINT64_MAX)
            break;
        fallback = at + 1;
    }
    *out = list;
    list = (struct stoa_found_list){0};
out:
    stoa_found_reset(&list);
    stoa_free(scan.window);
    return st;
}

void stoa_found_reset(struct stoa_found_list *list)
{
    stoa_free(list->items);
    *list = (struct stoa_found_list){0};
}

static int compare_offsets(const void *a, const void *b)
{
    const struct stoa_found *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset > y->offset ? 1 : -1;
    return (x->object.stream_row > y->object.stream_row) -
           (x->object.stream_row < y->object.stream_row);
}

void stoa_found_sort(struct stoa_found_list *list)
{
    if (list->nitems > 0)
        qsort(list->items, list->nitems, sizeof(list->items[0]), compare_offsets);
}
